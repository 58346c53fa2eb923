package ui

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/plain"
	"realword/inference/recipe"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// unsavable is a window with a history whose pictures folder is a file, and a picture made in it.
func unsavable(t *testing.T, dir string) *bench {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "pictures"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := keeping(t, dir)
	dogRound(t, b, dir)
	return b
}

func (b *bench) kept() history.Picture {
	b.t.Helper()
	p, err := b.journal.Store().Picture(b.state.Shot().Kept)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func TestAPictureThatCannotBeWrittenIsKept(t *testing.T) {
	dir := t.TempDir()
	b := unsavable(t, dir)
	told := func(when string) {
		t.Helper()
		s := b.state.Shot()
		if s == nil || !s.Unsaved || !s.Pixels || s.Kept == 0 || s.Path != "" || s.Image == nil || s.Image.NRGBAAt(3, 3) != uitest.Green {
			t.Fatalf("%s: shot %+v", when, s)
		}
		if text := b.saver.Bar.Text.Text; b.saver.Bar.Hidden || !strings.Contains(text, "kept in this session") {
			t.Errorf("%s it says %q", when, text)
		}
		if b.leaving() != "" {
			t.Errorf("%s closing asks: %q", when, b.leaving())
		}
	}
	told("at once")
	if text := b.saver.Bar.Text.Text; !strings.Contains(text, "choose another folder") {
		t.Errorf("it says %q, and not why", text)
	}
	test.Tap(b.saver.Bar.Retry) // nothing has changed
	b.settle()
	told("after another try")
	b.end0()
	b = keeping(t, dir)
	told("after a restart")
	if err := os.Remove(filepath.Join(dir, "pictures")); err != nil {
		t.Fatal(err)
	}
	test.Tap(b.saver.Bar.Retry)
	b.settle()
	s := b.state.Shot()
	if s.Unsaved || s.SaveErr != nil || s.Path == "" || !b.saver.Bar.Hidden {
		t.Fatalf("after the folder is there: %+v", s)
	}
	data, err := os.ReadFile(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := recipe.Read(data); err != nil || r.Prompt != "a dog on the beach" {
		t.Errorf("the file does not say how it was made: %+v, %v", r, err)
	}
	if p := b.kept(); p.File != s.Path || p.Pixels != "" || p.SHA256 != files.Sum(data) || len(p.Thumbnail) == 0 || p.Width != 16 {
		t.Errorf("the history has %+v", p)
	}
}

func TestAPictureInNoFileAndNoHistoryIsNotLeftBehind(t *testing.T) {
	b := ready(t, func(o *Options) { o.Pictures = filepath.Join(uitest.File(t, "file", nil), "in") })
	b.subjects.PromptChanged("a dog")
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	if text := b.saver.Bar.Text.Text; b.saver.Bar.Hidden || !strings.Contains(text, "only in this window") {
		t.Errorf("it says %q", text)
	}
	b.win.Resize(smallest)    // it is in view there, too
	b.win.Content().Refresh() // as the driver does once its text has another height
	b.settle()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.saver.Bar.Retry)
	walk(b.win.Content(), func(o fyne.CanvasObject) {
		if page, ok := o.(*container.Scroll); ok {
			walk(page.Content, func(o fyne.CanvasObject) {
				if o == b.saver.Bar.Retry {
					t.Error("it can be scrolled out of view")
				}
			})
		}
	})
	if bottom := at.Y + b.saver.Bar.Retry.Size().Height; bottom > smallest.Height/2 || b.saver.Bar.Text.Size().Height < b.saver.Bar.Text.MinSize().Height {
		t.Errorf("it lies at %v, its text of %v wants %v", at, b.saver.Bar.Text.Size(), b.saver.Bar.Text.MinSize())
	}
	b.askClose()
	if b.closing || !b.sheetSays("1 picture has no file yet and will be lost when the window closes") {
		t.Error("it closes without a word")
	}
}

// TestAPictureThatIsOnlyHereIsSavedInAnotherSession, which it is in view of until then.
func TestAPictureThatIsOnlyHereIsSavedInAnotherSession(t *testing.T) {
	file := uitest.File(t, "file", nil)
	b := ready(t, func(o *Options) { o.Pictures = filepath.Join(file, "in") })
	b.subjects.PromptChanged("a dog")
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	b.settle()
	b.session.New()
	b.settle()
	if b.saver.Bar.Hidden || b.leaving() == "" || len(b.stage.Strip.Objects) != 1 || b.state.Shot() != nil {
		t.Fatalf("another session: the bar is hidden: %v, closing says %q, %d pictures", b.saver.Bar.Hidden, b.leaving(), len(b.stage.Strip.Objects))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	test.Tap(b.saver.Bar.Retry)
	b.settle()
	if !b.saver.Bar.Hidden || b.leaving() != "" || len(b.stage.Strip.Objects) != 0 || len(b.state.Shots) != 0 {
		t.Errorf("it has a file: the bar is hidden: %v, closing says %q, %d pictures", b.saver.Bar.Hidden, b.leaving(), len(b.stage.Strip.Objects))
	}
}

// Where nothing is kept, what the user has set is lost with the window.
func TestAFormThatIsNotKeptIsNotLeftBehind(t *testing.T) {
	b := ready(t, nil)
	b.state.Change(func(s *state.State) { s.History.Err = errors.New("the disk is read-only") })
	if b.leaving() != "" {
		t.Errorf("of an empty form it asks %q", b.leaving())
	}
	b.subjects.PromptChanged("a dog")
	if b.askClose(); b.closing || !b.sheetSays("The history is off: the prompt and the pictures bound to its words are not kept.") {
		t.Error("it closes without a word")
	}
}

// While it asks whether to close, pictures are finished: it says how many are left, and at last that nothing is.
func TestTheQuestionWhetherToCloseFollowsTheQueue(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.state.Form.Count = 2
	b.refresh()
	j := b.run()
	b.askClose()
	if !b.sheetSays("2 pictures have not been made yet") {
		t.Fatalf("it asks %q", b.leaving())
	}
	if b.send(j, uitest.Picture(j.request, 0)); !b.sheetSays("1 picture has not been made yet (1 of 2)") {
		t.Errorf("with one picture finished it does not say %q", b.leaving())
	}
	b.send(j, uitest.Picture(j.request, 1))
	b.end(j, inference.Done{})
	if b.settle(); b.closing || !b.sheetSays("Nothing is lost when the window closes.") {
		t.Errorf("with both finished it asks on: %q", b.leaving())
	}
	b.Back()
	if b.leaving() != "" || b.win.Canvas().Overlays().Top() != nil {
		t.Error("the question stays")
	}
}

// A job that fails behind the question was not done, and the question does not say so.
func TestTheQuestionWhetherToCloseAfterAFailure(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.refresh()
	j := b.run()
	b.askClose()
	if !b.sheetSays("1 picture has not been made yet") {
		t.Fatalf("it asks %q", b.doubt.Text)
	}
	b.end(j, inference.Failed{Err: errors.New("the graphics card has no memory left")})
	if b.settle(); b.doubt.Text != "Nothing is lost when the window closes." {
		t.Errorf("after a failure it says %q", b.doubt.Text)
	}
}

// Whether to close is asked over what else is open as well. Who then closes once more has answered.
func TestLookClosingAsksOverASheet(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.state.Change(func(s *state.State) { s.Shots = []state.Shot{{Unsaved: true}} })
	for _, open := range []string{"file.preferences", "help.keys"} {
		if b.do(open); b.win.Canvas().Overlays().Top() == nil {
			t.Fatalf("%s opens nothing", open)
		}
		b.askClose()
		if b.closing || !b.sheetSays("1 picture has no file yet and will be lost") {
			t.Fatalf("over %s it closes without a word", open)
		}
		b.Back() // keep it open
		b.Back()
		if b.win.Canvas().Overlays().Top() != nil {
			t.Fatal("something is left over the window")
		}
	}
	b.askClose()
	if b.closing {
		t.Error("it asked before, and closes without a word now")
	}
	b.askClose()
	if !b.closing {
		t.Error("it asks again and again")
	}
}

// Quitting in a batch asks, and the pictures that are not made wait for the next start.
func TestClosingInABatchKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	b.subjects.PromptChanged("a dog")
	b.state.Form.Count, b.state.Form.Seed, b.state.Form.KeepSeed = 4, 7, true
	j := b.run()
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(j, uitest.Picture(j.request, 0))
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
	if text := b.leaving(); text != "3 pictures have not been made yet (3 of 4). They stay in the queue until the next start." {
		t.Errorf("without others it says %q", text)
	}
	b.ask("a cat") // waits
	b.askClose()
	if b.closing || !b.sheetSays("7 pictures have not been made yet. They stay in the queue until the next start.") {
		t.Fatalf("it closes without a word, or says another: %q", b.leaving())
	}
	button, _ := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Close" })
	test.Tap(button)
	<-j.ctx.Done()
	b.send(j, uitest.Picture(j.request, 1)) // one comes yet
	b.end(j, inference.Failed{Err: j.ctx.Err()})
	b.until("the window is closed", func() bool { return b.closed.Load() })
	if err := b.journal.Close(); err != nil {
		t.Fatal(err)
	}
	b = keeping(t, dir)
	q := b.state.Queue
	if len(q.Waiting) != 2 || !q.Paused || !slices.Equal(q.Waiting[0].Request.Seeds, []uint64{9, 10}) || q.Waiting[0].Request.Prompt != "a dog" || q.Waiting[1].Request.Prompt != "a cat" {
		t.Fatalf("there wait %+v", q.Waiting)
	}
	// Beside the button that only adds jobs it is said why none begins, with the way out.
	if text := b.set.Status.Text; b.set.Resume.Hidden || b.set.Status.Hidden || text != "The queue is paused: 2 jobs wait." {
		t.Errorf("after the start it says %q", text)
	}
	pictures := 0
	rounds, err := b.journal.Store().Rounds()
	for _, r := range rounds {
		for _, p := range r.Pictures {
			if p.Finished() {
				pictures++
			}
		}
	}
	if err != nil || pictures != 2 {
		t.Errorf("%d pictures are kept, %v", pictures, err)
	}
	test.Tap(b.set.Resume)
	b.finish(b.started(), inference.Done{})
	if b.state.Queue.Paused || !b.set.Resume.Hidden {
		t.Error("the queue does not go on")
	}
	b.end(b.started(), inference.Done{})
}

// A window that is killed from outside asks nothing, and keeps the rest as well.
func TestCloseKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	b.subjects.PromptChanged("a dog")
	b.state.Form.Seed, b.state.Form.KeepSeed = 7, true
	j := b.run()
	b.Close()
	<-j.ctx.Done()
	b.end(j, inference.Failed{Err: j.ctx.Err()})
	b.until("the window is closed", func() bool { return b.closed.Load() })
	if err := b.journal.Close(); err != nil {
		t.Fatal(err)
	}
	b = keeping(t, dir)
	if q := b.state.Queue; len(q.Waiting) != 1 || !slices.Equal(q.Waiting[0].Request.Seeds, []uint64{7}) {
		t.Errorf("there wait %+v", q.Waiting)
	}
}

// At a signal Fyne ends by itself, and drops Close: all the same what was typed is kept, and what is not made yet.
func TestFynesEndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	b.subjects.PromptChanged("a dog")
	b.state.Form.Seed, b.state.Form.KeepSeed = 7, true
	j := b.run()
	b.subjects.PromptChanged("a zebra")
	b.ended()
	<-j.ctx.Done()
	b.end(j, inference.Failed{Err: j.ctx.Err()})
	if err := b.journal.Close(); err != nil {
		t.Fatal(err)
	}
	b = keeping(t, dir)
	if q := b.state.Queue; len(q.Waiting) != 1 || !slices.Equal(q.Waiting[0].Request.Seeds, []uint64{7}) {
		t.Errorf("there wait %+v", q.Waiting)
	}
	if b.state.Form.Prompt != "a zebra" {
		t.Errorf("the prompt is %q", b.state.Form.Prompt)
	}
}

func TestAStartSweeps(t *testing.T) {
	dir := t.TempDir()
	day := filepath.Join(dir, "pictures", "2026-01-02")
	blobs := filepath.Join(dir, "history.blobs", "ab")
	left := []string{filepath.Join(day, ".realword-0123456789abcdef"), filepath.Join(blobs, ".realword-0123456789abcdef"), filepath.Join(blobs, "ab"+strings.Repeat("0", 62))}
	kept := filepath.Join(day, "mine.png")
	if err := errors.Join(os.MkdirAll(day, 0o700), os.MkdirAll(blobs, 0o700)); err != nil {
		t.Fatal(err)
	}
	ago := time.Now().Add(-time.Minute)
	for _, path := range append(left, kept) {
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, ago, ago)); err != nil {
			t.Fatal(err)
		}
	}
	keeping(t, dir)
	for _, path := range left {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

// Where preferences cannot be written the window says so: they are as before at the next start.
func TestPreferencesThatAreNotKeptAreSaid(t *testing.T) {
	file := uitest.File(t, "file", nil)              // in the folder of the test, which is there from now on
	for _, name := range []string{"TMPDIR", "TMP"} { // there or on Windows
		t.Setenv(name, filepath.Join(file, "in"))
	}
	b := ready(t, nil)
	if text := b.notice.Now.Text; !strings.HasPrefix(text, "Preferences, presets and styles are not kept. ") || !strings.Contains(text, file) {
		t.Errorf("it says %q", text)
	}
}

// TestClosingTellsOfJobsThatAreNotKept: those that there is no room to write down do not stay in the queue. Once there is, they do.
func TestClosingTellsOfJobsThatAreNotKept(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	blobs := filepath.Join(dir, "history.blobs")
	if err := os.WriteFile(blobs, nil, 0o600); err != nil { // a disk without room for what is large
		t.Fatal(err)
	}
	dog := bytes.Repeat([]byte("dog"), 100_000)
	b.subjects.PromptChanged("a dog")
	b.state.Form.Count = 2
	small := state.Task{Request: b.state.Form.Request(), Model: b.state.Model.Name}
	large := small
	large.Request.Subjects = []inference.Subject{{
		Word:       inference.Word{Text: "dog", Occurrence: 1},
		References: []inference.Reference{{Name: "dog.png", Data: dog, SHA256: files.Sum(dog)}},
	}}
	b.queue.Pause()
	b.queue.Put(large, false)
	b.settle()
	lost := "2 pictures in the queue could not be written down and will be lost when the window closes."
	if text := b.leaving(); text != lost || b.state.History.Err == nil {
		t.Errorf("closing it says %q, and of the history %v", text, b.state.History.Err)
	}
	b.queue.Put(small, true)
	b.settle()
	b.queue.Pause()
	j := b.started()
	stay := "4 pictures have not been made yet. They stay in the queue until the next start."
	mixed := strings.Replace(stay, "4", "2", 1) + "\n" + lost
	b.until("it says "+mixed, func() bool { return b.leaving() == mixed && b.state.History.Err != nil })
	if err := os.Remove(blobs); err != nil {
		t.Fatal(err)
	}
	b.session.Retry()
	b.until("it says "+stay, func() bool { return b.leaving() == stay && b.state.History.Err == nil })
	b.queue.Pause() // the other does not begin
	b.end(j, inference.Failed{Err: errors.New("enough")})
}

// TestClosingTellsOfADraftThatIsNotKept: of one with a picture that there is no room for. Its words are kept, and the place of
// the picture.
func TestClosingTellsOfADraftThatIsNotKept(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	blobs := filepath.Join(dir, "history.blobs")
	if err := os.WriteFile(blobs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dog := append(uitest.PNG(uitest.Red), make([]byte, 100_000)...)
	b.state.Change(func(s *state.State) {
		s.Form.Cards = []state.Card{{ID: 1, Ref: inference.Reference{Name: "dog.png", Data: dog, SHA256: files.Sum(dog)}}}
	})
	b.subjects.PromptChanged("a long prompt that took an hour")
	b.session.Keep()
	b.settle()
	lost := "The prompt or the pictures bound to its words could not be written down and will be lost when the window closes."
	if text := b.leaving(); text != lost || b.state.History.Err == nil {
		t.Errorf("closing it says %q, and of the history %v", text, b.state.History.Err)
	}
	b.end0()
	b = keeping(t, dir)
	b.until("the prompt is back", func() bool { return b.state.Form.Prompt == "a long prompt that took an hour" })
	if cards := b.state.Form.Cards; len(cards) != 1 || !cards[0].Missing || !strings.Contains(b.set.Reasons.Text, "dog.png") || b.leaving() != "" {
		t.Errorf("of the picture that is lost it says %q, of closing %q: %+v", b.set.Reasons.Text, b.leaving(), cards)
	}
}
