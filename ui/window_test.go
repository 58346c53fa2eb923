package ui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/inference/wait"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/subjects"
	"realword/ui/uitest"
	"realword/ui/wording"
)

var withSamples = func(o *Options) {
	o.Samples = []Sample{
		{Name: "dog.png", Word: "dog", Prompt: "a dog on the beach", Data: uitest.PNG(uitest.Red)},
		{Name: "broken.png", Word: "cat", Data: []byte("no picture")},
	}
}

// chipOf is the chip of the n-th word.
func (b *bench) chipOf(n int) *subjects.Chip { return b.subjects.Chips.Objects[n].(*subjects.Chip) }

func (b *bench) cardAt(n int) *subjects.Card { return b.subjects.Cards.Objects[n].(*subjects.Card) }

func (b *bench) drop(at fyne.CanvasObject, paths ...string) {
	pos := fyne.NewPos(5, 5)
	if at != nil {
		pos = fyne.CurrentApp().Driver().AbsolutePositionForObject(at).AddXY(3, 3)
	}
	var files []fyne.URI
	for _, p := range paths {
		files = append(files, storage.NewFileURI(p))
	}
	b.Dropped(pos, files)
	b.settle()
}

// run starts a generation and answers its job.
func (b *bench) run() fakeJob {
	b.t.Helper()
	test.Tap(b.set.Generate)
	select {
	case j := <-b.engine.started:
		return j
	case <-time.After(wait.Longest):
		b.t.Fatal("no job was started")
	}
	return fakeJob{}
}

// send hands an event to the window and waits until it is applied.
func (b *bench) send(j fakeJob, e inference.Event) {
	b.t.Helper()
	if p, ok := e.(inference.Progress); ok {
		b.progress = p
	}
	j.events <- e
	applied := make(chan struct{})
	// The pump posts an event before it takes the next one from the journal, and that before it takes another: they say nothing new.
	again := b.progress
	go func() {
		for range 2 {
			select {
			case j.events <- again:
			case <-j.ctx.Done():
			}
		}
		b.posted <- func() { close(applied) }
	}()
	b.until("the event is applied", func() bool {
		select {
		case <-applied:
			return true
		default:
			return false
		}
	})
}

func (b *bench) end(j fakeJob, e inference.Event) {
	b.t.Helper()
	j.events <- e
	close(j.events)
	b.settle()
}

func TestOpenPictureClickWordGenerate(t *testing.T) {
	path := uitest.File(t, "rex.png", uitest.PNG(uitest.Red))
	b := ready(t, func(o *Options) { o.OpenFiles = func() ([]string, error) { return []string{path}, nil } })
	test.Type(b.subjects.Prompt, "a dog on the beach")
	b.subjects.ChoosePicture()
	b.settle()
	if !b.set.Generate.Disabled() || !strings.Contains(b.set.Reasons.Text, "rex.png") {
		t.Errorf("Generate must wait for the word; it says %q", b.set.Reasons.Text)
	}
	test.Tap(b.chipOf(1))
	if got := bondsIn(b.state.State); got != "rex.png=dog#1" {
		t.Fatalf("bonds %q", got)
	}
	if b.chipOf(1).Letter.Text != "A" || b.cardAt(0).Word.Text != "dog" {
		t.Errorf("chip %q, card %q", b.chipOf(1).Letter.Text, b.cardAt(0).Word.Text)
	}

	j := b.run()
	r := j.request
	if r.Prompt != "a dog on the beach" || len(r.Subjects) != 1 || len(r.Subjects[0].References[0].Data) == 0 || r.Stop != 12 || len(r.Seeds) != 1 {
		t.Errorf("request %+v", r)
	}
	if r.Seeds[0] != 7 || b.state.Form.Seed != 7 || b.set.Seed.Text != "7" {
		t.Errorf("seed %d of the run, %d and %q shown", r.Seeds[0], b.state.Form.Seed, b.set.Seed.Text)
	}
	if b.set.Generate.Text != "Add to queue" || !b.set.Halt.Visible() {
		t.Errorf("button says %q", b.set.Generate.Text)
	}
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(j, uitest.Step(0, 2, 1, 1))
	b.until("the preview is painted", func() bool { return b.onStage().Visible() })
	b.send(j, uitest.Step(1, 2, 1, 1))
	if label := b.film().AccessibilityLabel(); label != "step 2 of 2" {
		t.Errorf("the film says %q", label)
	}
	b.send(j, uitest.Picture(r, 0))
	b.end(j, inference.Done{Pictures: 1, Elapsed: time.Second})

	shot := b.state.Shot()
	if shot == nil || shot.Path == "" || shot.SaveErr != nil {
		t.Fatalf("shot %+v", shot)
	}
	data, err := os.ReadFile(shot.Path)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := picture.ReadMetadata(data)
	if err != nil || meta.Prompt != r.Prompt || len(meta.Recipe) == 0 {
		t.Errorf("metadata %+v, %v", meta, err)
	}
	if b.set.Reasons.Text != "Saved as "+wording.Path(filepath.Dir(shot.Path))+"/\n"+state.Shorten(filepath.Base(shot.Path), 32) {
		t.Errorf("the path is not shown: %q", b.set.Reasons.Text)
	}

	// The steps can be looked at again.
	b.film().MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(24, 40)}})
	if s := b.state.Shown(); s == nil || s.Step != 0 {
		t.Errorf("shown %v", s)
	}
	b.stage.Nudge(1)
	b.stage.Nudge(1)
	if b.state.Shown() != nil {
		t.Error("behind the last step is the picture")
	}
	b.reuse.Reference()
	b.pressSheet("Use as reference")
	if f := b.state.Form; len(f.Cards) != 2 || !f.Cards[1].Anchor || bondsIn(b.state.State) != "7-0001.png=dog#1 rex.png=dog#1" {
		t.Errorf("after using the picture as a reference: %s", bondsIn(b.state.State))
	}
}

func TestStopKeepsTheSteps(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	j := b.run()
	b.send(j, uitest.Step(0, 4, 2, 0))
	b.Shortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierAlt})
	<-j.ctx.Done()
	if b.set.Status.Text != "Stopping…" || !b.set.Halt.Disabled() {
		t.Errorf("status %q", b.set.Status.Text)
	}
	b.end(j, inference.Failed{Err: context.Canceled})
	if b.state.Busy() || b.state.Run().Err != nil || b.state.Shown() == nil || b.set.Status.Text != "Stopped after step 1." {
		t.Errorf("busy %v, error %v, status %q", b.state.Busy(), b.state.Run().Err, b.set.Status.Text)
	}
	if b.set.Generate.Disabled() || b.set.Generate.Text != "Generate" || !b.set.Halt.Disabled() {
		t.Error("Generate does not come back")
	}
}

func TestFailuresAreSaidWhereTheyMatter(t *testing.T) {
	t.Run("start", func(t *testing.T) {
		b := ready(t, nil)
		b.subjects.PromptChanged("a dog")
		b.engine.startErr = errors.New("the word is gone: click another")
		test.Tap(b.set.Generate)
		b.settle()
		if b.set.Reasons.Text != "The word is gone: click another." || b.set.Generate.Disabled() || b.state.Form.Prompt != "a dog" {
			t.Errorf("reasons %q", b.set.Reasons.Text)
		}
	})
	t.Run("model", func(t *testing.T) {
		b := ready(t, func(o *Options) {
			o.Open = func(context.Context, string) (Engine, error) {
				return nil, errors.New("the library is missing: run make run")
			}
		})
		b.subjects.PromptChanged("a dog")
		if b.set.Reasons.Text != "The library is missing: run make run." || !b.set.Generate.Disabled() {
			t.Errorf("reasons %q", b.set.Reasons.Text)
		}
	})
	t.Run("picture", func(t *testing.T) {
		b := ready(t, nil)
		b.drop(nil, uitest.File(t, "notes.png", []byte("hello")), uitest.File(t, "rex.png", uitest.PNG(uitest.Red)), filepath.Join(t.TempDir(), "gone.png"))
		if len(b.state.Form.Cards) != 1 || b.state.Form.Cards[0].Ref.Name != "rex.png" {
			t.Errorf("cards %q", bondsIn(b.state.State))
		}
		if b.subjects.PickNote.Hidden {
			t.Error("no word about the files that are no pictures")
		}
	})
	t.Run("folder", func(t *testing.T) {
		blocked := uitest.File(t, "file", nil)
		b := ready(t, func(o *Options) { o.Pictures = filepath.Join(blocked, "in") })
		b.subjects.PromptChanged("a dog")
		j := b.run()
		b.send(j, uitest.Picture(j.request, 0))
		b.end(j, inference.Done{})
		if s := b.state.Shot(); s == nil || s.SaveErr == nil || s.Path != "" {
			t.Fatalf("shot %+v", s)
		}
		if !strings.Contains(b.saver.Bar.Text.Text, "choose another") {
			t.Errorf("says %q", b.saver.Bar.Text.Text)
		}
	})
}

func TestSaveAsReplacesAFile(t *testing.T) {
	target := uitest.File(t, "mine.png", []byte("old"))
	b := ready(t, func(o *Options) { o.SaveFile = func(string) (string, error) { return target, nil } })
	b.subjects.PromptChanged("a dog")
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	b.saver.As()
	b.settle()
	data, err := os.ReadFile(target)
	if _, _, bad := picture.Decode(data, picture.Limits{}); err != nil || bad != nil || b.state.ActionErr != nil {
		t.Errorf("%v, %v, %v", err, bad, b.state.ActionErr)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(target), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDropped(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	b.drop(b.chipOf(4), uitest.File(t, "tom.png", uitest.PNG(uitest.Green)))
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.drop(b.stage.Picture, uitest.File(t, "x.png", uitest.PNG(uitest.Red)))
	if got, want := bondsIn(b.state.State), "tom.png=cat#1 dog.png=dog#1 x.png=#0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	web, err := storage.ParseURI("https://example.org/a.png")
	if err != nil {
		t.Fatal(err)
	}
	b.Dropped(fyne.Position{}, []fyne.URI{web})
	if b.state.PickErr == nil {
		t.Error("a picture of the web is taken without a word")
	}
}

func TestSamples(t *testing.T) {
	b := ready(t, withSamples)
	if len(b.subjects.SampleRow.Objects) != 1 {
		t.Fatalf("%d samples offered, want the one that can be read", len(b.subjects.SampleRow.Objects))
	}
	test.Tap(b.subjects.SampleRow.Objects[0].(*kit.Tile))
	b.settle()
	if b.state.Form.Prompt != "a dog on the beach" || bondsIn(b.state.State) != "dog.png=dog#1" || b.set.Generate.Disabled() {
		t.Errorf("prompt %q, %q", b.state.Form.Prompt, bondsIn(b.state.State))
	}
}

func TestCloseCancelsAndWaitsForTheRun(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	j := b.run()
	b.Close()
	<-j.ctx.Done()
	b.until("the window asks what is under way", func() bool { return b.tasks > 0 })
	if b.closed.Load() {
		t.Fatal("closed before the job had ended")
	}
	j.events <- uitest.Picture(j.request, 0)
	j.events <- inference.Failed{Err: context.Canceled}
	close(j.events)
	b.until("the window is closed", func() bool { return b.closed.Load() })
	if files, _ := filepath.Glob(filepath.Join(b.opt.Pictures, "*", "*.png")); len(files) != 1 {
		t.Errorf("the picture that was ready is lost: %v", files)
	}
}

func TestLookWordsOfALongPrompt(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("one two three four five six seven eight nine ten")
	b.drop(nil, uitest.File(t, "x.png", uitest.PNG(uitest.Red)))
	test.Tap(b.chipOf(9))
	if got := bondsIn(b.state.State); got != "x.png=#0" {
		t.Errorf("a word that the model does not read was bound: %q", got)
	}
	if b.chipOf(9).Label.Color == b.chipOf(1).Label.Color {
		t.Error("a word that is not read looks like the others")
	}
}

// The situations of the window, as markup.
func TestLookOfSituations(t *testing.T) {
	plain.Run(t)
	twoSubjects := func(b *bench) {
		b.subjects.PromptChanged("a dog and a cat")
		b.drop(nil, uitest.File(b.t, "dog.png", uitest.PNG(uitest.Red)), uitest.File(b.t, "tom.png", uitest.PNG(uitest.Green)))
		test.Tap(b.chipOf(4))
	}
	for name, c := range map[string]struct {
		options func(*Options)
		do      func(*bench) (end func())
	}{
		"empty": {options: withSamples},
		"no model": {options: func(o *Options) {
			o.Open = func(context.Context, string) (Engine, error) {
				return nil, errors.New("the library is missing: run make run")
			}
		}},
		"unbound": {do: func(b *bench) func() {
			b.subjects.PromptChanged("a dog and a cat")
			b.drop(nil, uitest.File(b.t, "tom.png", uitest.PNG(uitest.Green)))
			return nil
		}},
		"ready to run": {do: func(b *bench) func() { twoSubjects(b); return nil }},
		"running": {do: func(b *bench) func() {
			twoSubjects(b)
			b.state.Form.KeepSeed = true
			j := b.run()
			b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
			b.send(j, uitest.Step(0, 25, 12, 2))
			b.send(j, inference.Progress{Pass: 3, Passes: 62, Remaining: 12 * time.Second})
			return func() { b.end(j, inference.Failed{Err: context.Canceled}) }
		}},
		"failed": {do: func(b *bench) func() {
			b.subjects.PromptChanged("a dog")
			b.state.Form.KeepSeed = true
			j := b.run()
			b.end(j, inference.Failed{Err: errors.New("the file unet.onnx is damaged: import the model again")})
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := ready(t, c.options)
			var end func()
			if c.do != nil {
				end = c.do(b)
			}
			b.until("painting is done", func() bool { return !b.stage.Working() && len(b.posted) == 0 })
			test.AssertRendersToMarkup(t, strings.ReplaceAll(name, " ", "-")+".xml", b.win.Canvas())
			if end != nil {
				end()
			}
		})
	}
}

func TestLookWordsAndCardsWorkFromTheKeyboard(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "x.png", uitest.PNG(uitest.Red)))
	c := b.win.Canvas()
	enter := &fyne.KeyEvent{Name: fyne.KeyReturn}
	c.Focus(b.chipOf(1))
	c.Focused().TypedKey(enter)
	if got := bondsIn(b.state.State); got != "x.png=dog#1" {
		t.Errorf("bonds %q", got)
	}
	if c.Focused() != b.chipOf(1) {
		t.Error("the word lost the focus")
	}
	c.Focus(b.cardAt(0))
	c.Focused().TypedKey(enter)
	if b.state.Selected == 0 || !b.cardAt(0).Look.Chosen {
		t.Error("the card is not chosen")
	}
}

func TestLookFieldsLetKeysThrough(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	generate := &desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault}
	for name, f := range map[string]*kit.Field{"prompt": b.subjects.Prompt, "seed": b.set.Seed, "negative": b.set.Negative} {
		if f.AcceptsTab() {
			t.Errorf("%s keeps Tab for itself", name)
		}
		b.subjects.PromptChanged("a dog")
		f.TypedShortcut(generate)
		select {
		case j := <-b.engine.started:
			b.end(j, inference.Done{})
		case <-time.After(wait.Longest):
			t.Fatalf("%s keeps Ctrl+Enter for itself", name)
		}
	}
	b.subjects.Prompt.TypedShortcut(&fyne.ShortcutSelectAll{})
	if b.subjects.Prompt.SelectedText() != "a dog" {
		t.Errorf("selected %q", b.subjects.Prompt.SelectedText())
	}
}

// Several files that are chosen together are several references, also where one of them says how it was made.
func TestOpenSeveralPictures(t *testing.T) {
	paths := []string{uitest.File(t, "rex.png", uitest.PNG(uitest.Red)), uitest.File(t, "tom.png", uitest.PNG(uitest.Red))}
	b := ready(t, func(o *Options) { o.OpenFiles = func() ([]string, error) { return paths, nil } })
	for i, open := range []func(){b.subjects.ChoosePicture, b.subjects.FileActions()[0].Do} {
		open()
		b.settle()
		if n := len(b.state.Form.Cards); n != 2*(i+1) {
			t.Errorf("%d cards after %d times", n, i+1)
		}
	}
}
