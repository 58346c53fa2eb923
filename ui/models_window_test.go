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
	"realword/inference/hub"
	"realword/inference/plain"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/models/modelstest"
	"realword/ui/preferences"
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

// gets is the next download that has begun.
func (b *bench) gets(m *modelstest.Fake) *modelstest.GetCall {
	b.t.Helper()
	return uitest.Next(b.until, "a download has begun", m.Getting)
}

// call is the next import or check that has begun.
func (b *bench) call(m *modelstest.Fake) *modelstest.Call {
	b.t.Helper()
	return uitest.Next(b.until, "a task has begun", m.Began)
}

// answer ends a task.
func (b *bench) answer(c *modelstest.Call, err error) {
	b.t.Helper()
	n := len(b.state.Shelf.Tasks)
	c.Answer <- err
	b.until("the task has ended", func() bool { return len(b.state.Shelf.Tasks) < n })
}

// A download that was begun before the Realword closed while is offered at the next start.
func TestUnfinishedDownloadIsOffered(t *testing.T) {
	m := modelstest.New()
	e, err := hub.Find("realcustom-animagine")
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := m.Plan(t.Context(), "", e)
	m.Begun = []hub.Unfinished{{Plan: plan, Done: 6_500_000_000}}
	b := ready(t, func(o *Options) { o.Models = m })
	b.settle()
	if b.notice.Hidden || b.notice.Now.Text != "The download of RealCustom++ on Animagine XL 3.1 is not finished: 6.5 GB of 13.0 GB so far." {
		t.Fatalf("%+v", b.notice.Now)
	}
	if len(m.Getting) > 0 {
		t.Error("it went on by itself")
	}
	test.Tap(b.notice.Act)
	c := b.gets(m)
	b.askClose() // nobody asks: it goes on at the next start
	<-c.Ctx.Done()
	b.until("the window is closed", func() bool { return b.closed.Load() })
}

// TestLookOfCatalogue shows the catalogue with small and large texts, and with longer words.
func TestLookOfCatalogue(t *testing.T) {
	plain.Run(t)
	for _, c := range []struct {
		percent int
		long    bool
	}{{80, false}, {100, true}, {150, false}} {
		if c.long {
			i18ntest.Pseudo(t)
		}
		b, m, _ := withModels(t, nil)
		b.prefs.Change(func(p *preferences.Values) { p.TextSize = c.percent })
		t.Cleanup(func() { kit.SetLook("system", 100) })
		e := hub.Catalogue()[0]
		plan, _ := m.Plan(t.Context(), "", e)
		m.Begun = []hub.Unfinished{{Plan: plan, Done: 1e9}}
		b.doModels("models.get")
		b.settle()
		b.layOut(smallest)
		if m := b.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
			t.Errorf("%d %%: the window wants %v", c.percent, m)
		}
		for _, bad := range overlapsIn(b.models.Root) {
			t.Errorf("%d %%: %s", c.percent, bad)
		}
		i18ntest.English(t)
	}
}

// withModels is a window with two models, and the engine of the bigger one.
func withModels(t *testing.T, change func(*Options)) (*bench, *modelstest.Fake, *modelEngine) {
	t.Helper()
	m := modelstest.New()
	engine := &modelEngine{fakeEngine: &fakeEngine{started: make(chan fakeJob, 1)}, manifest: *modelstest.Big}
	b := ready(t, func(o *Options) {
		toys := o.Open
		o.Models = m
		o.Open = func(ctx context.Context, path string) (Engine, error) {
			switch path {
			case "":
				return toys(ctx, "")
			case modelstest.BigPath:
				return engine, nil
			}
			return nil, errors.New("the folder is not there")
		}
		o.OpenFolder = func() (string, error) { return modelstest.SourcePath, nil }
		o.OpenModel = func() (string, error) { return modelstest.BasePath, nil }
		if change != nil {
			change(o)
		}
	})
	b.models.Show()
	b.settle()
	return b, m, engine
}

func TestSwitchKeepsTheWork(t *testing.T) {
	b, _, engine := withModels(t, nil)
	b.Back()
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	b.subjects.PromptChanged("a dog on the beach")
	b.state.State = b.state.Click(b.state.Words[1])
	b.refresh()
	b.state.Form.Negative = "blurry"
	cards := b.state.Form.Cards[0]
	b.models.Show()
	b.settle()
	b.chooseModel(1)
	b.tapModels("Use this model")
	b.settle()
	f := b.state.Form
	if f.Prompt != "a dog on the beach" || f.Negative != "blurry" || f.Steps != 50 || len(f.Cards) != 1 || f.Cards[0].ID != cards.ID || f.Cards[0].Word != cards.Word {
		t.Errorf("%+v", f)
	}
	if f.Cards[0].View.Bounds().Dx() != 768 {
		t.Errorf("a square of %d", f.Cards[0].View.Bounds().Dx())
	}
	if b.models.Status.Text != "RealCustom++" || b.prefs.Model != modelstest.BigPath || preferences.Read(b.app.Preferences()).Model != modelstest.BigPath {
		t.Errorf("%q, %q", b.models.Status.Text, b.prefs.Model)
	}
	b.Back()
	test.Tap(b.set.Generate)
	b.until("the new engine has a job", func() bool { return len(engine.started) > 0 })
	j := <-engine.started
	b.end(j, inference.Done{})
	b.models.Use("")
	b.settle()
	if !engine.closed.Load() || b.state.Model.Name != "toybox" || b.state.Form.Steps != 25 {
		t.Errorf("closed %v, %s with %d steps", engine.closed.Load(), b.state.Model.Name, b.state.Form.Steps)
	}
}

func TestSwitchWhileAJobRuns(t *testing.T) {
	b, _, engine := withModels(t, nil)
	b.Back()
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.models.Use(modelstest.BigPath)
	b.pressSheetNow("Stop the job and switch")
	<-j.ctx.Done()
	j.events <- inference.Failed{Err: context.Canceled}
	close(j.events)
	b.until("the model is open", func() bool { return b.state.Model.Name == "RealCustom++" })
	b.settle()
	if q := b.state.Queue; len(q.Waiting) != 1 || q.Waiting[0].Needs != "toybox" || b.state.Busy() || len(engine.started) > 0 {
		t.Errorf("%s", describeIn(q))
	}
	b.columns.tabs.show(queueTab)
	b.layOut(fyne.NewSize(1240, 800))
	if says := accessibleTexts(b.tops()); !strings.Contains(strings.Join(says, "\n"), "needs toybox") {
		t.Errorf("the queue says %q", says)
	}
	b.models.Use("")
	b.until("its turn has come", func() bool { return b.state.Busy() })
	b.end(b.started(), inference.Done{})
}

// TestGenerateWaitsForTheModel: while another model is being opened, or a job is being stopped for it, a job would be one of the model that
// the user leaves.
func TestGenerateWaitsForTheModel(t *testing.T) {
	opening := make(chan struct{})
	b, _, engine := withModels(t, func(o *Options) {
		open := o.Open
		o.Open = func(ctx context.Context, path string) (Engine, error) {
			if path == modelstest.BigPath {
				<-opening
			}
			return open(ctx, path)
		}
	})
	b.Back()
	refused := func(when string) {
		t.Helper()
		b.queue.Generate()
		if got := b.state.Reasons(); len(got) != 1 || got[0] != "The model is still opening." || len(b.state.Queue.Waiting) > 0 {
			t.Errorf("%s: %d jobs wait, and the reasons are %q", when, len(b.state.Queue.Waiting), got)
		}
	}
	b.ask("one")
	j := b.started()
	b.models.Use(modelstest.BigPath)
	b.pressSheetNow("Stop the job and switch")
	<-j.ctx.Done()
	refused("stopping")
	j.events <- inference.Failed{Err: context.Canceled}
	close(j.events)
	b.until("the model is being opened", func() bool { return b.state.Shelf.Moving })
	refused("opening")
	close(opening)
	b.settle()
	b.queue.Generate()
	b.until("the new engine has a job", func() bool { return len(engine.started) > 0 })
	b.end(<-engine.started, inference.Done{})
}

// slowEngine looks at requests until it is closed, as one that decodes many large pictures.
type slowEngine struct {
	*fakeEngine
	closed chan struct{}
}

func (e slowEngine) Resolve(r inference.Request) (inference.Request, error) {
	<-e.closed
	return r, context.Canceled
}

func (e slowEngine) Close() error { close(e.closed); return nil }

// TestAJobThatIsLookedAtStays: another model is taken before the engine has looked at a job that waits.
func TestAJobThatIsLookedAtStays(t *testing.T) {
	b, _, _ := withModels(t, func(o *Options) {
		open := o.Open
		o.Open = func(ctx context.Context, path string) (Engine, error) {
			e, err := open(ctx, path)
			if toys, is := e.(*fakeEngine); is {
				return slowEngine{toys, make(chan struct{})}, err
			}
			return e, err
		}
	})
	b.Back()
	b.queue.Pause()
	b.subjects.PromptChanged("one")
	b.queue.Generate()
	b.models.Use(modelstest.BigPath)
	b.settle()
	if q := b.state.Queue; len(q.Waiting) != 1 || q.Waiting[0].Needs != "toybox" || b.state.Last.Err != nil {
		t.Errorf("%s, %v", describeIn(q), b.state.Last.Err)
	}
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

func TestDropModel(t *testing.T) {
	b, m, _ := withModels(t, nil)
	folder := filepath.Join(t.TempDir(), "ckpts")
	if err := os.MkdirAll(filepath.Join(folder, "realcustom"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.Found[folder] = modelstest.Recognised(bundle.LayoutRelease)
	b.Back()
	b.drop(nil, folder)
	if a := b.state.Shelf.Adding; a == nil || a.Path != folder || !b.models.Shown() {
		t.Errorf("%+v", a)
	}
	b.drop(nil, "/data/lora.pth") // on the page
	if a := b.state.Shelf.Adding; a == nil || a.Path != "/data/lora.pth" {
		t.Errorf("%+v", a)
	}
	b.drop(nil, "/data/one.pth", "/data/two.pth")
	if a := b.state.Shelf.Adding; a == nil || a.Path != "/data/one.pth" || !strings.Contains(b.notice.Now.Text, "one.pth") {
		t.Errorf("%+v, %q", a, b.notice.Now.Text)
	}
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Green))) // whatever page is open
	if b.models.Shown() || len(b.state.Form.Cards) != 1 || b.state.PickErr != nil {
		t.Errorf("a picture on the page of models: %d cards, %v", len(b.state.Form.Cards), b.state.PickErr)
	}
	b.state.Form.Cards = nil
	pictures := t.TempDir()
	if err := os.WriteFile(filepath.Join(pictures, "rex.png"), uitest.PNG(uitest.Red), 0o600); err != nil {
		t.Fatal(err)
	}
	b.drop(nil, pictures)
	b.drop(nil, uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	b.drop(nil, uitest.File(t, "notes.txt", []byte("hello")))
	if len(b.state.Form.Cards) != 2 || b.state.PickErr == nil || b.models.Shown() {
		t.Errorf("%d cards, %v", len(b.state.Form.Cards), b.state.PickErr)
	}
	b.Dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI(modelstest.BasePath)})
	b.settle()
	if !b.models.Shown() {
		t.Error("a model file was not offered")
	}
}

func TestClosingAsksDuringAnImport(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.tapModels("Add a folder…")
	b.settle()
	b.tapModels("Import")
	c := b.call(m)
	b.askClose()
	if b.closing || !b.sheetSays("RealCustom++ 2 is being imported") {
		t.Fatal("it closes without a word")
	}
	button, _ := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Close" })
	test.Tap(button)
	<-c.Ctx.Done()
	b.until("the window is closed", func() bool { return b.closed.Load() })
}

// TestLookOfModels shows every situation of the page with small and large texts, and with longer words.
func TestLookOfModels(t *testing.T) {
	plain.Run(t)
	for _, c := range []struct {
		percent int
		long    bool
	}{{80, false}, {100, false}, {100, true}, {150, false}} {
		if c.long {
			i18ntest.Pseudo(t)
		}
		b, m, _ := withModels(t, nil)
		m.Models[0].Mapped = 5_000_000_000
		b.prefs.Change(func(p *preferences.Values) { p.TextSize = c.percent })
		t.Cleanup(func() { kit.SetLook("system", 100) })
		look := func(name string) {
			t.Helper()
			b.layOut(smallest)
			if m := b.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
				t.Errorf("%d %% %s: the window wants %v", c.percent, name, m)
			}
			for _, bad := range overlapsIn(b.models.Root) {
				t.Errorf("%d %% %s: %s", c.percent, name, bad)
			}
		}
		look("toybox")
		b.chooseModel(1)
		look("another one")
		for _, path := range []string{modelstest.SourcePath, modelstest.BasePath, "/data/broken"} {
			b.models.LookAt(path, "", "")
			b.settle()
			look(path)
		}
		b.models.LookAt(modelstest.SourcePath, "", "")
		b.settle()
		b.tapModels(b.state.Shelf.Adding.Agree())
		call := b.call(m)
		b.doModels("models.check")
		call.Progress("weights/unet.bin", 1_000_000_000, 7_000_000_000)
		b.until("the progress is shown", func() bool { return b.state.Shelf.Tasks[0].Done > 0 })
		look("importing")
		b.answer(call, errors.New("one\ntwo\nthree\nfour"))
		b.answer(b.call(m), nil) // the check
		b.settle()
		if !c.long && !strings.HasSuffix(b.notice.Now.Text, "was not imported. One. Two. There are 2 more problems.") {
			t.Errorf("%q", b.notice.Now.Text)
		}
		look("failed")
		i18ntest.English(t)
	}
}

func TestImportGoesOnBesideTheWork(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.tapModels("Add a folder…")
	b.settle()
	b.tapModels("Import")
	c := b.call(m)
	b.Back()
	b.subjects.PromptChanged("a dog")
	j := b.run() // with the other model
	b.answer(c, nil)
	b.end(j, inference.Done{})
	if _, ok := b.state.Shelf.Find("/models/RealCustom++ 2"); !ok || b.notice.Now.Text != "RealCustom++ 2 has been imported." {
		t.Errorf("%+v, %q", b.state.Shelf.List, b.notice.Now.Text)
	}
}

// TestModelElsewhereIsKept: the list of models outside the folder is a preference, and a model that is gone from it is not opened again.
func TestModelElsewhereIsKept(t *testing.T) {
	b, _, _ := withModels(t, nil)
	b.prefs.Change(func(p *preferences.Values) { p.Model = "/else/where" })
	h := b.modelsHost()
	h.OnKeep("/else/where", true)
	if kept := preferences.Read(b.app.Preferences()); !slices.Equal(kept.Elsewhere, []string{"/else/where"}) || kept.Model != "/else/where" {
		t.Errorf("%+v", kept)
	}
	h.OnKeep("/else/where", false)
	if kept := preferences.Read(b.app.Preferences()); len(kept.Elsewhere) != 0 || kept.Model != "" {
		t.Errorf("%+v", kept)
	}
}

// tapModels taps a button of the page of models.
func (b *bench) tapModels(text string) {
	b.t.Helper()
	var found *kit.Button
	walk(b.models.Root, func(o fyne.CanvasObject) {
		if w, ok := o.(*kit.Button); ok && w.Text == text && w.Visible() && !w.Disabled() {
			found = w
		}
	})
	if found == nil {
		b.t.Fatalf("the page of models has no button %q", text)
	}
	test.Tap(found)
}

// chooseModel chooses a row of the list of models.
func (b *bench) chooseModel(row int) {
	walk(b.models.Root, func(o fyne.CanvasObject) {
		if l, ok := o.(interface{ Select(int) }); ok {
			l.Select(row)
		}
	})
}

// doModels does what the menu of models has under a name.
func (b *bench) doModels(id string) {
	for _, a := range b.models.Actions() {
		if a.ID == id {
			a.Do()
		}
	}
}

// TestARecipeBringsItsModel: a picture of another model offers to open that one, and its recipe is offered again once it is open.
func TestARecipeBringsItsModel(t *testing.T) {
	b, _, engine := withModels(t, nil)
	b.models.Use(modelstest.BigPath)
	b.settle()
	b.Back()
	b.subjects.PromptChanged("a dog on the beach")
	test.Tap(b.set.Generate)
	b.until("the other model has a job", func() bool { return len(engine.started) > 0 })
	j := <-engine.started
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	path := b.state.Shot().Path
	b.models.Use("")
	b.settle()
	b.subjects.PromptChanged("a cat")
	b.drop(b.stage.Picture, path)
	b.pressSheet("Open RealCustom++")
	if b.settle(); b.state.Model.Name != "RealCustom++" {
		t.Fatalf("%s is open", b.state.Model.Name)
	}
	b.pressSheet("Use this recipe")
	if b.state.Form.Prompt != "a dog on the beach" {
		t.Errorf("%q", b.state.Form.Prompt)
	}
	b.drop(b.stage.Picture, path)
	if _, more := sheetOf(b, func(w *kit.Button) bool { return strings.HasPrefix(w.Text, "Open ") }); more {
		t.Error("the open model is offered")
	}
}
