package ui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// modelEngine is an engine of another model.
type modelEngine struct {
	*fakeEngine
	manifest bundle.Manifest
	closed   atomic.Bool
}

func (e *modelEngine) Manifest() bundle.Manifest { return e.manifest }

func (e *modelEngine) Close() error { e.closed.Store(true); return nil }

// call is the next import or check that has begun.
func (b *bench) call(m *fakeModels) *modelCall {
	b.t.Helper()
	var c *modelCall
	b.until("a task has begun", func() bool {
		select {
		case c = <-m.began:
			return true
		default:
			return false
		}
	})
	return c
}

// answer ends a task.
func (b *bench) answer(c *modelCall, err error) {
	b.t.Helper()
	n := len(b.state.Shelf.Tasks)
	c.answer <- err
	b.until("the task has ended", func() bool { return len(b.state.Shelf.Tasks) < n })
}

// withModels is a window with two models, and the engine of the bigger one.
func withModels(t *testing.T, change func(*Options)) (*bench, *fakeModels, *modelEngine) {
	t.Helper()
	m := &fakeModels{free: 40_000_000_000, memory: 16_000_000_000, getting: make(chan *getCall, 4), began: make(chan *modelCall, 4), found: map[string]bundle.Inspection{
		sourcePath:            recognised(bundle.LayoutRelease),
		basePath:              {Layout: bundle.LayoutBase, File: true, Manifest: bundle.Manifest{Name: "dreams", Family: "sdxl"}, Tensors: 2515, Source: 6_900_000_000},
		basePath + sourcePath: recognised(bundle.LayoutRelease),
		"/data/broken":        {Layout: bundle.LayoutRelease, Problems: errors.Join(errors.New("conv_in.weight: missing"), errors.New("sdxl/vae is missing"))},
		"/data/lora.pth":      {Problems: errors.New("lora.pth holds a LoRA")},
		"/else/where":         {Layout: bundle.LayoutBundle, Manifest: *big},
	}}
	m.list = []state.Model{{Path: bigPath, Manifest: big, Bytes: 7_000_000_000, Source: sourcePath}}
	engine := &modelEngine{fakeEngine: &fakeEngine{started: make(chan fakeJob, 1)}, manifest: *big}
	b := ready(t, func(o *Options) {
		toys := o.Open
		o.Models = m
		o.Open = func(ctx context.Context, path string) (Engine, error) {
			switch path {
			case "":
				return toys(ctx, "")
			case bigPath:
				return engine, nil
			}
			return nil, errors.New("the folder is not there")
		}
		o.OpenFolder = func() (string, error) { return sourcePath, nil }
		o.OpenModel = func() (string, error) { return basePath, nil }
		if change != nil {
			change(o)
		}
	})
	b.models.show()
	b.settle()
	return b, m, engine
}

// page is the text of the models page.
func (b *bench) modelTexts() string { return strings.Join(b.seen(), "\n") }

func (b *bench) has(parts ...string) {
	b.t.Helper()
	all := b.modelTexts()
	for _, p := range parts {
		if !strings.Contains(all, p) {
			b.t.Errorf("%q is not on the page:\n%s", p, all)
		}
	}
}

func TestModelsPageListsModels(t *testing.T) {
	b, m, _ := withModels(t, nil)
	m.list[0].Mapped = 5_000_000_000
	m.list = append(m.list,
		state.Model{Path: "/models/Gone", State: state.ModelMissing, Err: errors.New("unet.onnx is missing; import the model again"), Source: sourcePath},
		state.Model{Path: "/models/Hurt", State: state.ModelDamaged, Manifest: big, Err: errors.New("manifest.json cannot be read")})
	b.listModels()
	b.settle()
	b.has("toybox", "29.5 MB · in use", "RealCustom++", "SDXL · 7.0 GB", "files are missing", "SDXL · damaged", "40.0 GB free in /models", "In use.", "built in")
	b.models.list.Select(1)
	b.has("1024 × 1024, sides of 256 to 2048", "768 × 768 pixels", "5.0 GB used in place", "not stated in its files", "sdxl-unet.bin is taken", sourcePath, "Ready.")
	if b.models.buttons["use"].Hidden || b.models.buttons["use"].Disabled() || !b.models.buttons["again"].Hidden {
		t.Error("a model that is ready cannot be used, or is to be imported again")
	}
	b.models.list.Select(2)
	b.has("unet.onnx is missing; import the model again.")
	if !b.models.buttons["use"].Disabled() || b.models.buttons["again"].Hidden || b.models.buttons["again"].Disabled() {
		t.Error("a model without files can be used, or not be imported again")
	}
	test.Tap(b.models.buttons["again"])
	b.settle()
	if a := b.state.Shelf.Adding; a == nil || a.Path != sourcePath || a.Again != "/models/Gone" || a.Name != "Gone" {
		t.Errorf("%+v", a)
	}
	b.Back()
	if b.state.Shelf.Adding != nil || !b.models.shown {
		t.Error("Esc left the page instead of what was to be added")
	}
	b.Back()
	if b.models.shown || !b.models.page.Hidden {
		t.Error("Esc left the page open")
	}
}

func TestImportGoesOnBesideTheWork(t *testing.T) {
	b, m, _ := withModels(t, nil)
	m.list = nil
	b.listModels()
	test.Tap(b.models.dir)
	b.settle()
	b.has("the released RealCustom++ checkpoints", "3104 tensors in 9.0 GB of files", "7.0 GB needed, 40.0 GB free", "SDXL", "sdxl-unet.bin is taken")
	if len(m.began) > 0 {
		t.Fatal("an import began before the user agreed")
	}
	b.models.name.SetText("Portraits")
	test.Tap(b.models.agree)
	c := b.call(m)
	if want := (state.Import{Source: sourcePath, Name: "Portraits", Folder: "/models"}); c.job != want {
		t.Errorf("%+v", c.job)
	}
	b.Back()
	b.subjects.PromptChanged("a dog")
	j := b.run() // with the other model
	c.progress("weights/unet.bin", 4_000_000_000, 7_000_000_000)
	b.until("the progress is shown", func() bool { return strings.Contains(b.models.opener.Text, "25 %") })
	row := b.models.rows[1]
	if row.text.Text != "4.0 GB of 16.0 GB" || row.name.Text != "Importing Portraits" {
		t.Errorf("%q, %q", row.name.Text, row.text.Text)
	}
	b.answer(c, nil)
	if b.notice.Now.Text != "Portraits has been imported." || b.notice.Hidden || b.models.opener.Text != "Models" {
		t.Errorf("%+v, %q", b.notice.Now, b.models.opener.Text)
	}
	b.end(j, inference.Done{})
	if _, ok := b.state.Shelf.Find("/models/Portraits"); !ok {
		t.Errorf("%+v", b.state.Shelf.List)
	}
}

func TestImportsQueueAndAreCancelled(t *testing.T) {
	b, m, _ := withModels(t, nil)
	for range 3 {
		b.addFolder()
		b.until("it is inspected", func() bool { a := b.state.Shelf.Adding; return a != nil && !a.Looking })
		test.Tap(b.models.agree)
	}
	c := b.call(m)
	names := []string{}
	for _, task := range b.state.Shelf.Tasks {
		names = append(names, task.Name)
	}
	if got := strings.Join(names, ","); got != "RealCustom++ 2,RealCustom++ 3,RealCustom++ 4" || len(m.began) > 0 {
		t.Fatalf("%s, %d more began", got, len(m.began))
	}
	b.has("waiting for its turn")
	b.cancelTask(3) // it waits
	b.cancelTask(1)
	<-c.ctx.Done()
	second := b.call(m)
	b.until("the first is gone", func() bool { return len(b.state.Shelf.Tasks) == 1 })
	if second.job.Name != "RealCustom++ 3" || !strings.Contains(b.state.Shelf.Told, "its files were removed") || b.notice.Now.Bad {
		t.Errorf("%q, %q", second.job.Name, b.state.Shelf.Told)
	}
	b.answer(second, errors.New("the disk is full: make room"))
	b.settle()
	b.has("The disk is full: make room.")
	if !b.notice.Now.Bad || len(m.list) != 1 {
		t.Errorf("%+v", b.notice.Now)
	}
}

func TestWhatCannotBeAdded(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.lookAt("/data/broken", "", "")
	b.settle()
	b.has("conv_in.weight: missing.", "sdxl/vae is missing.")
	if !b.models.agree.Hidden {
		t.Error("what is broken can be imported")
	}
	b.lookAt("/data/lora.pth", "", "")
	b.settle()
	b.has("lora.pth holds a LoRA.")
	m.free = 3_000_000_000
	b.lookAt(sourcePath, "", "")
	b.settle()
	b.has("The disk has no room for it: free up 4.3 GB")
	if !b.models.agree.Hidden {
		t.Error("what does not fit can be imported")
	}
	b.agreeAdding() // by whatever way
	if len(b.state.Shelf.Tasks) > 0 {
		t.Error("an import began")
	}
}

func TestBaseModelGoesUnderASource(t *testing.T) {
	b, m, _ := withModels(t, nil)
	test.Tap(b.models.file)
	b.settle()
	b.has("a text-to-image model in one file, without RealCustom++ weights", "Choose the RealCustom++ checkpoints to combine it with")
	if !b.models.agree.Hidden || len(b.models.sources.Objects) != 3 {
		t.Fatalf("%d offers", len(b.models.sources.Objects))
	}
	test.Tap(b.models.sources.Objects[1].(fyne.Tappable))
	b.settle()
	b.has(basePath)
	test.Tap(b.models.agree)
	c := b.call(m)
	if c.job.Source != sourcePath || c.job.Base != basePath {
		t.Errorf("%+v", c.job)
	}
	b.answer(c, nil)
	m.list = nil
	b.listModels()
	b.settle()
	b.lookAt(basePath, "", "")
	b.settle()
	b.has("Choose the folder with the RealCustom++ checkpoints")
	test.Tap(b.models.sources.Objects[1].(fyne.Tappable)) // the dialog
	b.settle()
	if a := b.state.Shelf.Adding; a == nil || a.Path != sourcePath || a.Base != basePath {
		t.Errorf("%+v", a)
	}
}

func TestAnotherBase(t *testing.T) {
	b, _, _ := withModels(t, nil)
	b.models.list.Select(1)
	test.Tap(b.models.buttons["base"])
	b.pressSheet("A file…")
	if a := b.state.Shelf.Adding; a == nil || a.Path != sourcePath || a.Base != basePath || a.Name != "RealCustom++ 2" {
		t.Errorf("%+v", a)
	}
}

// TestLeavingEndsTheInspection: Cancel, and another folder, end what is under way.
func TestLeavingEndsTheInspection(t *testing.T) {
	b, m, _ := withModels(t, nil)
	m.looking = make(chan context.Context, 2)
	b.lookAt("/one", "", "")
	one := <-m.looking
	b.lookAt("/two", "", "")
	two := <-m.looking
	<-one.Done()
	if two.Err() != nil {
		t.Error("the second inspection ended with the first")
	}
	b.stopAdding()
	<-two.Done()
	b.settle()
	if a := b.state.Shelf.Adding; a != nil {
		t.Errorf("%+v", a)
	}
}

func TestBundleElsewhere(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.lookAt("/else/where", "", "")
	b.settle()
	b.has("a Realword model, ready to use")
	test.Tap(b.models.agree)
	b.settle()
	if !slices.Equal(readPreferences(b.app.Preferences()).Elsewhere, []string{"/else/where"}) || len(b.state.Shelf.List) != 3 {
		t.Fatalf("%v", b.prefs.Elsewhere)
	}
	test.Tap(b.models.buttons["remove"])
	b.settle()
	if len(b.prefs.Elsewhere) != 0 || len(m.removed) != 0 {
		t.Error("a model that lies elsewhere was touched")
	}
	b.undoModels()
	b.settle()
	if len(b.prefs.Elsewhere) != 1 {
		t.Error("undo does not bring it back")
	}
}

func TestCheckRenameRemove(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.models.list.Select(1)
	test.Tap(b.models.buttons["check"])
	c := b.call(m)
	if c.check != bigPath || !b.models.buttons["remove"].Disabled() || !b.models.buttons["check"].Disabled() {
		t.Errorf("%q is checked; it can be removed meanwhile: %v", c.check, !b.models.buttons["remove"].Disabled())
	}
	b.answer(c, nil)
	b.settle()
	b.has("no file has changed since the import")
	b.checkModel(bigPath)
	b.answer(b.call(m), errors.New("unet.bin has changed since the import; import it again"))
	b.settle()
	b.has("unet.bin has changed since the import; import it again.")
	if b.models.buttons["again"].Hidden {
		t.Error("a damaged model cannot be imported again")
	}
	test.Tap(b.models.buttons["rename"])
	field, _ := sheetOf(b, func(*kit.Field) bool { return true })
	field.SetText("Portraits")
	b.pressSheet("Rename")
	if m.renamed != "Portraits" {
		t.Errorf("renamed to %q", m.renamed)
	}
	test.Tap(b.models.buttons["remove"])
	if !b.sheetSays("checkpoints it was imported from stay") {
		t.Error("the question says nothing of the checkpoints")
	}
	b.pressSheet("Remove")
	if _, there := b.state.Shelf.Find(bigPath); there || !slices.Equal(m.removed, []string{bigPath}) {
		t.Error("it is still there")
	}
	b.key(&fyne.ShortcutUndo{})
	b.settle()
	if _, there := b.state.Shelf.Find(bigPath); !there {
		t.Error("undo did not bring it back")
	}
}

func TestSwitchKeepsTheWork(t *testing.T) {
	b, _, engine := withModels(t, nil)
	b.Back()
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	b.subjects.PromptChanged("a dog on the beach")
	b.state = b.state.Click(b.state.Words[1])
	b.refresh()
	b.state.Form.Negative = "blurry"
	cards := b.state.Form.Cards[0]
	b.models.show()
	b.settle()
	b.models.list.Select(1)
	test.Tap(b.models.buttons["use"])
	b.settle()
	f := b.state.Form
	if f.Prompt != "a dog on the beach" || f.Negative != "blurry" || len(f.Cards) != 1 || f.Cards[0].ID != cards.ID || f.Cards[0].Word != cards.Word {
		t.Errorf("%+v", f)
	}
	if f.Steps != 50 || f.Stop != 25 || f.CFG != 12.5 || f.Cards[0].View.Bounds().Dx() != 768 {
		t.Errorf("%d steps, T_stop %d, CFG %g, square of %d", f.Steps, f.Stop, f.CFG, f.Cards[0].View.Bounds().Dx())
	}
	if b.status.Text != "RealCustom++" || b.prefs.Model != bigPath || readPreferences(b.app.Preferences()).Model != bigPath {
		t.Errorf("%q, %q", b.status.Text, b.prefs.Model)
	}
	for _, part := range []string{"RealCustom++ is now in use.", "Pictures are now 1024 × 1024.", "50 steps"} {
		if !strings.Contains(b.notice.Now.Text, part) {
			t.Errorf("%q is not said: %q", part, b.notice.Now.Text)
		}
	}
	if !b.models.buttons["remove"].Disabled() {
		t.Error("the model in use can be removed")
	}
	b.Back()
	test.Tap(b.set.generate)
	b.until("the new engine has a job", func() bool { return len(engine.started) > 0 })
	j := <-engine.started
	b.end(j, inference.Done{})
	b.useModel("")
	b.settle()
	if !engine.closed.Load() || b.state.Model.Name != "toybox" || b.state.Form.Steps != 25 {
		t.Errorf("closed %v, %s with %d steps", engine.closed.Load(), b.state.Model.Name, b.state.Form.Steps)
	}
}

func TestSwitchThatFails(t *testing.T) {
	b, m, _ := withModels(t, nil)
	m.list = append(m.list, state.Model{Path: "/models/Other", Manifest: big})
	b.listModels()
	b.settle()
	b.useModel("/models/Other")
	b.settle()
	if b.state.Model.Name != "toybox" || b.engine == nil || b.prefs.Model != "" || !b.notice.Now.Bad || !strings.Contains(b.notice.Now.Text, "The folder is not there.") {
		t.Errorf("%s, %q", b.state.Model.Name, b.notice.Now.Text)
	}
}

func TestSwitchWhileARoundRuns(t *testing.T) {
	begin := func(t *testing.T) (*bench, *modelEngine, fakeJob) {
		b, _, engine := withModels(t, nil)
		b.Back()
		b.ask("one")
		j := b.started()
		b.ask("two")
		b.useModel(bigPath)
		if !b.sheetSays("A job is running with toybox.") {
			t.Fatal("nobody asks")
		}
		return b, engine, j
	}
	t.Run("no", func(t *testing.T) {
		b, _, j := begin(t)
		b.pressSheetNow("Cancel")
		b.finish(j, inference.Done{})
		b.finish(b.started(), inference.Done{})
		if b.state.Model.Name != "toybox" {
			t.Error("it was switched")
		}
	})
	t.Run("later", func(t *testing.T) {
		b, _, j := begin(t)
		b.pressSheetNow("When the queue is done")
		b.finish(j, inference.Done{})
		second := b.started()
		if b.state.Model.Name != "toybox" || second.request.Prompt != "two" {
			t.Errorf("%q of %s", second.request.Prompt, b.state.Model.Name)
		}
		second.events <- inference.Done{}
		close(second.events)
		b.until("the model is open", func() bool { return b.state.Model.Name == "RealCustom++" })
	})
	t.Run("now", func(t *testing.T) {
		b, engine, j := begin(t)
		b.pressSheetNow("Stop the job and switch")
		<-j.ctx.Done()
		j.events <- inference.Failed{Err: context.Canceled}
		close(j.events)
		b.until("the model is open", func() bool { return b.state.Model.Name == "RealCustom++" })
		b.settle()
		if q := b.state.Queue; len(q.Waiting) != 1 || q.Waiting[0].Needs != "toybox" || b.state.Busy() || len(engine.started) > 0 {
			t.Errorf("%s", describeIn(q))
		}
		b.has("waiting for the model toybox")
		if !strings.Contains(b.notice.Now.Text, "One job is waiting for its own model.") {
			t.Errorf("%q", b.notice.Now.Text)
		}
		b.useModel("")
		b.until("its turn has come", func() bool { return b.state.Busy() })
		b.end(b.started(), inference.Done{})
	})
}

// pressSheetNow taps a button of the sheet while a job runs.
func (b *bench) pressSheetNow(text string) {
	b.t.Helper()
	button, ok := sheetOf(b, func(w *kit.Button) bool { return w.Text == text })
	if !ok {
		b.t.Fatalf("no sheet has a button %q", text)
	}
	test.Tap(button)
}

func TestChosenModelIsGoneAtTheStart(t *testing.T) {
	a := test.NewTempApp(t)
	p := defaultPreferences()
	p.Model = "/unplugged/model"
	p.write(a.Preferences())
	var asked []string
	posted := make(chan func(), 1000)
	b := &bench{t: t, engine: &fakeEngine{started: make(chan fakeJob, 1)}, posted: posted}
	b.Window = newWindow(a, Options{Pictures: t.TempDir(), Models: &fakeModels{}, Open: func(_ context.Context, path string) (Engine, error) {
		asked = append(asked, path)
		if path != "" {
			return nil, errors.New("open model /unplugged/model: there is no manifest.json")
		}
		return b.engine, nil
	}}, func(f func()) { posted <- f })
	t.Cleanup(func() { b.quit(); b.settle() })
	b.settle()
	if !slices.Equal(asked, []string{"/unplugged/model", ""}) || b.state.Model == nil || b.state.ModelErr != nil {
		t.Fatalf("%q, %v", asked, b.state.ModelErr)
	}
	if b.notice.Hidden || !strings.Contains(b.notice.Now.Text, "there is no manifest.json") || !strings.Contains(b.notice.Now.Text, "built-in model is open") {
		t.Errorf("%q", b.notice.Now.Text)
	}
	if b.prefs.Model != "/unplugged/model" {
		t.Error("the choice is forgotten, although the drive may come back")
	}
	test.Tap(b.notice.Act)
	b.settle()
	if !b.models.shown || !b.notice.Hidden {
		t.Error("the button does not lead to the models")
	}
}

func TestModelOfTheCommandLine(t *testing.T) {
	b, _, _ := withModels(t, func(o *Options) { o.Model = bigPath })
	if b.state.Model.Name != "RealCustom++" || b.prefs.Model != "" {
		t.Errorf("%s, %q", b.state.Model.Name, b.prefs.Model)
	}
}

func TestDropModel(t *testing.T) {
	b, m, _ := withModels(t, nil)
	folder := filepath.Join(t.TempDir(), "ckpts")
	if err := os.MkdirAll(filepath.Join(folder, "realcustom"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.found[folder] = recognised(bundle.LayoutRelease)
	b.Back()
	b.drop(nil, folder)
	if a := b.state.Shelf.Adding; a == nil || a.Path != folder || !b.models.shown {
		t.Errorf("%+v", a)
	}
	b.drop(nil, "/data/lora.pth") // on the page
	if a := b.state.Shelf.Adding; a == nil || a.Path != "/data/lora.pth" {
		t.Errorf("%+v", a)
	}
	b.models.hide()
	pictures := t.TempDir()
	if err := os.WriteFile(filepath.Join(pictures, "rex.png"), uitest.PNG(uitest.Red), 0o600); err != nil {
		t.Fatal(err)
	}
	b.drop(nil, pictures)
	b.drop(nil, uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	b.drop(nil, uitest.File(t, "notes.txt", []byte("hello")))
	if len(b.state.Form.Cards) != 2 || b.state.PickErr == nil || b.models.shown {
		t.Errorf("%d cards, %v", len(b.state.Form.Cards), b.state.PickErr)
	}
	b.Dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI(basePath)})
	b.settle()
	if !b.models.shown {
		t.Error("a model file was not offered")
	}
}

func TestClosingAsksDuringAnImport(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.addFolder()
	b.settle()
	test.Tap(b.models.agree)
	c := b.call(m)
	b.askClose()
	if b.closing || !b.sheetSays("RealCustom++ 2 is being imported") {
		t.Fatal("it closes without a word")
	}
	button, _ := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Close" })
	test.Tap(button)
	<-c.ctx.Done()
	b.until("the window is closed", func() bool { return b.closed })
}

// TestModelsPageAtTextSizes shows every situation of the page with small and large texts, and with longer words.
func TestModelsPageAtTextSizes(t *testing.T) {
	for _, c := range []struct {
		percent int
		long    bool
	}{{80, false}, {100, false}, {100, true}, {150, false}} {
		if c.long {
			i18ntest.Pseudo(t)
		}
		b, m, _ := withModels(t, nil)
		m.list[0].Mapped = 5_000_000_000
		p := b.prefs
		p.TextSize = c.percent
		b.setPreferences(p)
		t.Cleanup(func() { kit.SetLook("system", 100) })
		look := func(name string) {
			t.Helper()
			b.layOut(smallest)
			if m := b.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
				t.Errorf("%d %% %s: the window wants %v", c.percent, name, m)
			}
			for _, bad := range overlapsIn(b.models.page) {
				t.Errorf("%d %% %s: %s", c.percent, name, bad)
			}
		}
		look("toybox")
		b.models.list.Select(1)
		look("another one")
		for _, path := range []string{sourcePath, basePath, "/data/broken"} {
			b.lookAt(path, "", "")
			b.settle()
			look(path)
		}
		b.lookAt(sourcePath, "", "")
		b.settle()
		b.agreeAdding()
		call := b.call(m)
		b.checkModel(bigPath)
		call.progress("weights/unet.bin", 1_000_000_000, 7_000_000_000)
		b.until("the progress is shown", func() bool { return b.state.Shelf.Tasks[0].Done > 0 })
		look("importing")
		b.cancelTask(2)
		b.answer(call, errors.New("one\ntwo\nthree\nfour"))
		b.settle()
		if !c.long && !strings.HasSuffix(b.notice.Now.Text, "was not imported. One. Two. There are 2 more problems.") {
			t.Errorf("%q", b.notice.Now.Text)
		}
		look("failed")
		i18ntest.English(t)
	}
}

func TestModelsByKeys(t *testing.T) {
	b, _, _ := withModels(t, nil)
	key := func(name fyne.KeyName) { b.models.list.TypedKey(&fyne.KeyEvent{Name: name}) }
	if b.win.Canvas().Focused() != b.models.list {
		t.Error("the list has not the focus")
	}
	key(fyne.KeyDelete)
	if b.win.Canvas().Overlays().Top() != nil {
		t.Error("the model inside Realword can be removed")
	}
	key(fyne.KeyDown)
	key(fyne.KeyDown)
	if m, _ := b.state.Shelf.ChosenModel(); m.Path != bigPath {
		t.Errorf("%q is chosen", m.Path)
	}
	key(fyne.KeyDelete)
	b.pressSheet("Cancel")
	key(fyne.KeyReturn)
	b.settle()
	if b.state.Model.Name != "RealCustom++" {
		t.Errorf("%s is open", b.state.Model.Name)
	}
	key(fyne.KeyUp)
	if m, _ := b.state.Shelf.ChosenModel(); m.Path != "" {
		t.Errorf("%q is chosen", m.Path)
	}
	key(fyne.KeyEscape)
	if b.models.shown {
		t.Error("Esc leaves the page open")
	}
}
