package models

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/inference/hub"
	"realword/inference/prompt"
	"realword/ui/kit"
	"realword/ui/models/modelstest"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// bench is the page in a house of its own: what the window would do is noted.
type bench struct {
	*Page
	*roomtest.House
	t      *testing.T
	notice *kit.NoticeBar
	places Places

	engines map[string]*engine // by path; what is not there cannot be opened
	opened  chan string        // paths that were asked for
	told    []string           // what the window was told, in its order
}

// engine is an open model that makes nothing.
type engine struct {
	Engine
	manifest bundle.Manifest
	closed   atomic.Bool
}

func (e *engine) Manifest() bundle.Manifest { return e.manifest }

// Encode reads three words at most.
func (e *engine) Encode(text string, _ prompt.Reading) *prompt.Prompt {
	p := &prompt.Prompt{Text: text, Chunks: []int{0}}
	for i, w := range state.PlainWords(text) {
		p.Words = append(p.Words, prompt.Word{Text: w.Text, Occurrence: w.Occurrence, Start: w.Start, End: w.End, Cut: i >= 3})
	}
	return p
}

func (e *engine) Close() error { e.closed.Store(true); return nil }

// newBench is the page on two models, the first of them in use.
func newBench(t *testing.T) (*bench, *modelstest.Fake) {
	t.Helper()
	b, m := started(t, Places{})
	b.Show()
	b.Settle()
	b.asked()
	b.told = nil
	return b, m
}

// started is the page at the start of the program.
func started(t *testing.T, places Places) (*bench, *modelstest.Fake) {
	t.Helper()
	m := modelstest.New()
	b := &bench{
		House: roomtest.New(t), t: t, places: places, opened: make(chan string, 10),
		engines: map[string]*engine{"": {manifest: *uitest.Toybox}, modelstest.BigPath: {manifest: *modelstest.Big}},
	}
	b.State.Model = nil
	b.notice = kit.NewNoticeBar(b.Win.Content)
	ctx, cancel := context.WithCancel(t.Context())
	tell := func(what string) func() { return func() { b.told = append(b.told, what) } }
	b.Page = New(Host{
		Models: m, Context: ctx, Layers: &b.Layers, Notices: b.notice, State: b.Now, Change: b.Change,
		Open: func(_ context.Context, path string) (Engine, error) {
			b.opened <- path
			if e := b.engines[path]; e != nil {
				return e, nil
			}
			return nil, errors.New("the folder is not there")
		},
		OpenFile:   func() (string, error) { return modelstest.BasePath, nil },
		OpenFolder: func() (string, error) { return modelstest.SourcePath, nil },
		Background: b.Background, Post: b.Post,
		Shortcut: func(fyne.Shortcut) bool { return false },
		Notify:   func(string, string) {},
		Hinders:  func() error { return nil },
		Places:   func() Places { return b.places },
		OnStop:   tell("stop"), OnReady: tell("ready"), OnIdle: tell("idle"), OnSight: tell("another size"),
		OnUsed:   func(path string) { b.told = append(b.told, "used "+path) },
		OnReveal: func(string) {},
		OnKeep: func(path string, keep bool) {
			if b.places.Elsewhere = slices.DeleteFunc(slices.Clone(b.places.Elsewhere), func(o string) bool { return o == path }); keep {
				b.places.Elsewhere = append(b.places.Elsewhere, path)
			}
		},
	})
	b.Move(container.NewBorder(container.NewVBox(b.Opener, b.notice.Container), nil, nil, nil, container.NewStack(b.Root)), b.Page.Actions,
		b.Page.Refresh, func() bool { return false })
	b.Win.Resize(fyne.NewSize(1100, 2000))
	t.Cleanup(func() {
		cancel()
		b.Settle()
	})
	b.Start()
	b.Settle()
	return b, m
}

// asked are the models that were to be opened since it was called last.
func (b *bench) asked() (paths []string) {
	for len(b.opened) > 0 {
		paths = append(paths, <-b.opened)
	}
	return paths
}

// walk visits what is visible in o.
func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	visit(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			walk(c, visit)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			walk(c, visit)
		}
	}
}

// top is what the user can reach: the sheet, or the page where none is.
func (b *bench) top() fyne.CanvasObject {
	if o := b.Win.Canvas().Overlays().Top(); o != nil {
		return o
	}
	return b.Win.Content()
}

func (b *bench) texts() string {
	var list []string
	walk(b.top(), func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			list = append(list, o.Text)
		case *canvas.Text:
			list = append(list, o.Text)
		case *kit.Fitted:
			list = append(list, o.Text)
		}
	})
	return strings.Join(list, "\n")
}

// found finds a widget on the sheet.
func found[T fyne.CanvasObject](b *bench, is func(T) bool) (found T, ok bool) {
	if b.Win.Canvas().Overlays().Top() == nil {
		return found, false
	}
	walk(b.top(), func(o fyne.CanvasObject) {
		if w, fits := o.(T); fits && is(w) && !ok {
			found, ok = w, true
		}
	})
	return found, ok
}

func (b *bench) sheetSays(text string) bool {
	_, ok := found(b, func(l *widget.Label) bool { return strings.Contains(l.Text, text) })
	return ok
}

// sheetLinks tells whether the sheet has links to pages.
func (b *bench) sheetLinks(pages ...string) bool {
	return !slices.ContainsFunc(pages, func(page string) bool {
		_, ok := found(b, func(l *widget.Hyperlink) bool { return l.URL.String() == page })
		return !ok
	})
}

// pressSheet taps a button of the sheet.
func (b *bench) pressSheet(text string) {
	b.t.Helper()
	button, ok := found(b, func(w *kit.Button) bool { return w.Text == text })
	if !ok {
		b.t.Fatalf("no sheet has a button %q", text)
	}
	test.Tap(button)
}

// gets is the next download that has begun.
func (b *bench) gets(m *modelstest.Fake) *modelstest.GetCall {
	b.t.Helper()
	return uitest.Next(b.Until, "a download has begun", m.Getting)
}

// call is the next import or check that has begun.
func (b *bench) call(m *modelstest.Fake) *modelstest.Call {
	b.t.Helper()
	return uitest.Next(b.Until, "a task has begun", m.Began)
}

// answer ends a task.
func (b *bench) answer(c *modelstest.Call, err error) {
	b.t.Helper()
	n := len(b.State.Shelf.Tasks)
	c.Answer <- err
	b.Until("the task has ended", func() bool { return len(b.State.Shelf.Tasks) < n })
}

func (b *bench) has(parts ...string) {
	b.t.Helper()
	all := b.texts()
	for _, p := range parts {
		if !strings.Contains(all, p) {
			b.t.Errorf("%q is not on the page:\n%s", p, all)
		}
	}
}

// TestOffersAreTheCatalogue: the window's own words for the catalogue are those of the catalogue.
func TestOffersAreTheCatalogue(t *testing.T) {
	for _, e := range hub.Catalogue() {
		own := e
		own.Title, own.About = "", ""
		if title, about := offer(own); title != e.Title || about != e.About {
			t.Errorf("%s: %q, %q", e.Name, title, about)
		}
	}
}

func TestGetARealModel(t *testing.T) {
	b, m := newBench(t)
	b.list.Select(0)
	b.has("It is a toy")
	test.Tap(b.buttons["real"])
	b.Settle()
	b.has("RealCustom++ on SDXL", "About 13.3 GB to download", "CreativeML Open RAIL++-M", "Runs on this machine.", "Toybox, the built-in model, is a toy", "Runs here, but slowly: 17.0 GB of memory is recommended, and 16.0 GB is free.")
	test.Tap(b.cards["realcustom-sdxl"].get)
	b.Settle()
	if len(m.Getting) > 0 || !b.sheetSays("13.0 GB") || !b.sheetSays("Open RAIL++-M") || !b.sheetSays("not stated") || !b.sheetLinks("https://hub.example/some/model", "https://hub.example/another") || !b.sheetSays("40.0 GB free") {
		t.Fatal("it began before the user has seen size and licence")
	}
	b.pressSheet("Download")
	c := b.gets(m)
	if c.Job.Plan.Entry.Name != "realcustom-sdxl" || c.Job.Folder != "/models" || c.Job.Name != "RealCustom++ on SDXL" {
		t.Errorf("%+v", c.Job)
	}
	c.Fetching(hub.Progress{Done: 2_600_000_000, All: 13_000_000_000, Speed: 12_000_000, Left: 15 * time.Minute})
	b.Until("the progress is shown", func() bool { return strings.Contains(b.Opener.Text, "20 %") })
	b.has("Getting RealCustom++ on SDXL", "2.6 GB of 13.0 GB · 15 min left · 12.0 MB/s", "downloading, see")
	if !b.cards["realcustom-sdxl"].get.Disabled() {
		t.Error("it can be fetched twice")
	}
	c.Fetching(hub.Progress{Done: 2_600_000_000, All: 13_000_000_000, Waiting: errors.New("the hub is in trouble (503): try again later. Trying again in 4 s.")})
	b.Until("the wait is shown", func() bool { return b.State.Shelf.Tasks[0].Waiting != "" })
	b.has("2.6 GB of 13.0 GB", "Trying again in 4 s.")
	if text := b.State.Shelf.Tasks[0].Text(true); text != "2.6 GB of 13.0 GB" {
		t.Errorf("while it waits the row says %q", text)
	}

	// An import does not wait for it.
	b.addFolder()
	b.Until("it is inspected", func() bool { a := b.State.Shelf.Adding; return a != nil && !a.Looking })
	test.Tap(b.agree)
	other := b.call(m)
	b.answer(other, nil)

	c.Importing("weights/unet.bin", 1_000_000_000, 4_000_000_000)
	b.Until("it is being imported", func() bool { return b.State.Shelf.Tasks[0].Importing })
	b.has("Importing RealCustom++ on SDXL", "importing… 1.0 GB of 4.0 GB")
	c.Answer <- nil
	b.Until("it is here", func() bool { return len(b.State.Shelf.Tasks) == 0 })
	b.Settle()
	b.has("RealCustom++ on SDXL is downloaded and imported.", "Use this model") // said once: a notice beside it would say the same
	if b.notice.Now.Text != "" || b.State.Shelf.Chosen != "/models/RealCustom++ on SDXL" || b.State.Shelf.Getting {
		t.Errorf("%+v, %q", b.notice.Now, b.State.Shelf.Chosen)
	}
	found, _ := b.State.Shelf.Find("/models/RealCustom++ on SDXL")
	b.askRemove(found)
	if !b.sheetSays("including what was downloaded for it") {
		t.Error("the question does not say what goes")
	}
	b.Layers.Back()
	b.showCatalogue()
	b.Settle()
	for name, want := range map[string]string{"realcustom-sdxl": "on this machine: RealCustom++ on SDXL", "realcustom-released": ""} {
		if got := b.cards[name].state.Text; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestDownloadsArePausedAndGivenUp(t *testing.T) {
	b, m := newBench(t)
	b.showCatalogue()
	b.Settle()
	test.Tap(b.cards["realcustom-sdxl"].get)
	b.Settle()
	b.pressSheet("Download")
	c := b.gets(m)
	test.Tap(b.rows[1].stop)
	<-c.Ctx.Done()
	b.Until("it is paused", func() bool { return len(b.State.Shelf.Tasks) == 0 })
	b.Settle()
	b.has("is paused", "paused · 3.0 GB of 13.0 GB", "3.0 GB of 13.0 GB downloaded", "Resume", "Discard")
	if b.notice.Now.Bad {
		t.Errorf("a pause is an error: %+v", b.notice.Now)
	}
	test.Tap(b.cards["realcustom-sdxl"].get) // goes on without asking again
	c = b.gets(m)
	c.Answer <- errors.New("the disk of /models is full: free up space and resume, what was downloaded is kept")
	b.Until("it failed", func() bool { return len(b.State.Shelf.Tasks) == 0 })
	b.Settle()
	if !b.notice.Now.Bad || !strings.Contains(b.notice.Now.Text, "not been downloaded yet") || !strings.Contains(b.notice.Now.Text, "free up space") {
		t.Errorf("%+v", b.notice.Now)
	}
	test.Tap(b.cards["realcustom-sdxl"].get) // once more
	c = b.gets(m)
	if b.notice.Now.Text != "" {
		t.Errorf("it runs, and the notice still says %q", b.notice.Now.Text)
	}
	c.Answer <- errors.New("the disk of /models is full: free up space and resume, what was downloaded is kept")
	b.Until("it failed again", func() bool { return len(b.State.Shelf.Tasks) == 0 })
	b.Settle()
	test.Tap(b.cards["realcustom-sdxl"].give)
	if !b.sheetSays("The 3.0 GB downloaded so far will be deleted.") || len(m.Discarded) > 0 {
		t.Fatal("nobody asks")
	}
	b.pressSheet("Delete")
	b.Settle()
	if len(m.Discarded) != 1 || len(b.begunRows()) != 0 || !b.cards["realcustom-sdxl"].give.Hidden || b.notice.Now.Text != "" {
		t.Errorf("%v, and the notice says %q", m.Discarded, b.notice.Now.Text)
	}
	b.Undo() // nothing to undo, nothing happens
	b.Layers.Back()
	if b.State.Shelf.Getting || !b.Shown() {
		t.Error("Esc left the page instead of the catalogue")
	}
}

func TestDownloadsThatCannotBegin(t *testing.T) {
	b, m := newBench(t)
	m.MemoryBytes = 2_000_000_000
	m.FreeBytes = 5_000_000_000
	b.showCatalogue()
	b.Settle()
	b.has("Too large for this machine: it needs 4.5 GB of memory, and 2.0 GB is free.")
	test.Tap(b.cards["realcustom-sdxl"].get)
	b.Settle()
	if !b.sheetSays("The disk has no room for it: free up 8.3 GB") {
		t.Error("a full disk is not said before")
	}
	if _, ok := found(b, func(w *kit.Button) bool { return w.Text == "Download" }); ok {
		t.Error("what does not fit can be downloaded")
	}
	b.Layers.Back()
	m.Here = 10_000_000_000 // what another download has fetched is linked and takes no room
	test.Tap(b.cards["realcustom-sdxl"].get)
	b.Settle()
	if _, ok := found(b, func(w *kit.Button) bool { return w.Text == "Download" }); !ok || !b.sheetSays("3.0 GB, 10.0 GB more already on this machine") {
		t.Error("what is here already counts as missing")
	}
	b.pressSheet("Cancel")
	b.Settle()
	m.PlanErr = errors.New("hub.example cannot be reached (no route): check the connection and try again")
	test.Tap(b.cards["realcustom-released"].get)
	b.Settle()
	b.has("hub.example cannot be reached (no route): check the connection and try again.")
	if b.cards["realcustom-released"].get.Disabled() || b.notice.Visible() {
		t.Error("it cannot be tried again, or is said twice")
	}
	b.Hide() // and a click on Resume in the notice of the start
	b.get(b.State.Shelf.Catalogue[0])
	b.Settle()
	if got := b.notice.Now.Text; !b.notice.Visible() || !strings.Contains(got, "has not been downloaded yet. hub.example cannot be reached") {
		t.Errorf("nobody hears of it: %q", got)
	}
}

func TestModelsPageListsModels(t *testing.T) {
	b, m := newBench(t)
	m.Models[0].Mapped = 5_000_000_000
	m.Models = append(m.Models,
		state.Model{Path: "/models/Gone", State: state.ModelMissing, Err: errors.New("unet.onnx is missing; import the model again"), Source: modelstest.SourcePath},
		state.Model{Path: "/models/Hurt", State: state.ModelDamaged, Manifest: modelstest.Big, Err: errors.New("manifest.json cannot be read")})
	b.Reload()
	b.Settle()
	b.has("toybox", "29.5 MB · in use", "RealCustom++", "SDXL · 7.0 GB", "files are missing", "SDXL · damaged", "40.0 GB free in /models", "In use.", "built in")
	b.list.Select(1)
	b.has("1024 × 1024, sides of 256 to 2048", "768 × 768 pixels", "5.0 GB used in place", "not stated in its files", "sdxl-unet.bin is taken", modelstest.SourcePath, "Ready.")
	if b.buttons["use"].Hidden || b.buttons["use"].Disabled() || !b.buttons["again"].Hidden {
		t.Error("a model that is ready cannot be used, or is to be imported again")
	}
	b.list.Select(2)
	b.has("unet.onnx is missing; import the model again.")
	if !b.buttons["use"].Disabled() || b.buttons["again"].Hidden || b.buttons["again"].Disabled() {
		t.Error("a model without files can be used, or not be imported again")
	}
	m.Models[1].Bare = true
	b.Reload()
	b.Settle()
	if !b.buttons["again"].Hidden || !b.buttons["base"].Hidden || len(b.State.Shelf.Sources()) != 1 {
		t.Errorf("a model is made of checkpoints that are gone: %+v", b.State.Shelf.Sources())
	}
	m.Models[1].Bare = false
	b.Reload()
	b.Settle()
	test.Tap(b.buttons["again"])
	b.Settle()
	if a := b.State.Shelf.Adding; a == nil || a.Path != modelstest.SourcePath || a.Again != "/models/Gone" || a.Name != "Gone" {
		t.Errorf("%+v", a)
	}
	b.Layers.Back()
	if b.State.Shelf.Adding != nil || !b.Shown() {
		t.Error("Esc left the page instead of what was to be added")
	}
	b.Layers.Back()
	if b.Shown() || !b.Root.Hidden {
		t.Error("Esc left the page open")
	}
}

func TestImport(t *testing.T) {
	b, m := newBench(t)
	m.Models = nil
	b.Reload()
	test.Tap(b.dir)
	b.Settle()
	b.has("the released RealCustom++ checkpoints", "3104 tensors in 9.0 GB of files", "7.0 GB needed, 40.0 GB free", "SDXL", "sdxl-unet.bin is taken")
	if len(m.Began) > 0 {
		t.Fatal("an import began before the user agreed")
	}
	b.name.SetText("Portraits")
	test.Tap(b.agree)
	c := b.call(m)
	if want := (state.Import{Source: modelstest.SourcePath, Name: "Portraits", Folder: "/models"}); c.Job != want {
		t.Errorf("%+v", c.Job)
	}
	b.Layers.Back()
	c.Progress("weights/unet.bin", 4_000_000_000, 7_000_000_000)
	b.Until("the progress is shown", func() bool { return strings.Contains(b.Opener.Text, "25 %") })
	row := b.rows[1]
	if row.text.Text != "4.0 GB of 16.0 GB" || row.name.Text != "Importing Portraits" {
		t.Errorf("%q, %q", row.name.Text, row.text.Text)
	}
	b.answer(c, nil)
	b.Settle()
	if b.notice.Now.Text != "Portraits has been imported." || b.notice.Hidden || b.Opener.Text != "Models" {
		t.Errorf("%+v, %q", b.notice.Now, b.Opener.Text)
	}
	if _, ok := b.State.Shelf.Find("/models/Portraits"); !ok {
		t.Errorf("%+v", b.State.Shelf.List)
	}
}

func TestImportsQueueAndAreCancelled(t *testing.T) {
	b, m := newBench(t)
	for range 3 {
		b.addFolder()
		b.Until("it is inspected", func() bool { a := b.State.Shelf.Adding; return a != nil && !a.Looking })
		test.Tap(b.agree)
	}
	c := b.call(m)
	names := []string{}
	for _, task := range b.State.Shelf.Tasks {
		names = append(names, task.Name)
	}
	if got := strings.Join(names, ","); got != "RealCustom++ 2,RealCustom++ 3,RealCustom++ 4" || len(m.Began) > 0 {
		t.Fatalf("%s, %d more began", got, len(m.Began))
	}
	b.has("waiting for its turn")
	b.cancelTask(3) // it waits
	b.cancelTask(1)
	<-c.Ctx.Done()
	second := b.call(m)
	b.Until("the first is gone", func() bool { return len(b.State.Shelf.Tasks) == 1 })
	if second.Job.Name != "RealCustom++ 3" || !strings.Contains(b.State.Shelf.Told, "its files were removed") || b.notice.Now.Bad {
		t.Errorf("%q, %q", second.Job.Name, b.State.Shelf.Told)
	}
	b.answer(second, errors.New("the disk is full: make room"))
	b.Settle()
	b.has("The disk is full: make room.")
	if !b.notice.Now.Bad || len(m.Models) != 1 {
		t.Errorf("%+v", b.notice.Now)
	}
}

// TestAnUnfinishedDownloadIsSaidUntilItRuns: what the notice at the start says is taken back when the download goes on, from wherever.
func TestAnUnfinishedDownloadIsSaidUntilItRuns(t *testing.T) {
	b, m := started(t, Places{})
	e, err := hub.Find("realcustom-animagine")
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := m.Plan(t.Context(), "", e)
	m.Begun = []hub.Unfinished{{Plan: plan, Done: 6_500_000_000}}
	b.LookForDownloads()
	b.Settle()
	if !strings.Contains(b.notice.Now.Text, "is not finished") {
		t.Fatalf("%+v", b.notice.Now)
	}
	b.get(e) // as the button in its row does
	b.gets(m)
	if b.notice.Now.Text != "" {
		t.Errorf("it runs, and the notice still says %q", b.notice.Now.Text)
	}
}

// TestLicencesHaveTheirPages: the licences of a downloaded model are a line each, with the page of each; other texts stay as they are.
func TestLicencesHaveTheirPages(t *testing.T) {
	downloaded := *modelstest.Big
	var lines []string
	for _, l := range modelstest.New().Licences(hub.Plan{}) {
		lines = append(lines, l.String())
	}
	fact := func(is, at string) state.Fact { return state.Fact{What: "Licence", Is: is, At: at} }
	for licence, want := range map[string][]state.Fact{
		strings.Join(lines, "; "): {fact("Open RAIL++-M", "https://hub.example/some/model"), fact("not stated", "https://hub.example/another")},
		"mine (as it is)":         {fact("mine (as it is)", "")},
		"":                        {fact("not stated in its files: see where you got them", "")},
	} {
		downloaded.Licence = licence
		got := slices.DeleteFunc(state.Model{Manifest: &downloaded}.Facts(), func(f state.Fact) bool { return f.What != "Licence" })
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q", licence, got)
		}
	}
}

// TestAskingTheHubIsGivenUp: a hub that does not answer holds up nothing.
func TestAskingTheHubIsGivenUp(t *testing.T) {
	b, m := newBench(t)
	test.Tap(b.buttons["real"])
	b.Settle()
	m.Asking = make(chan context.Context, 2)
	first, other := b.cards["realcustom-sdxl"], b.cards["realcustom-animagine"]
	test.Tap(first.get)
	asked := uitest.Next(b.Until, "the hub is asked", m.Asking)
	if first.get.Text != "Cancel" || other.get.Disabled() || b.State.Shelf.Planning != "realcustom-sdxl" {
		t.Fatalf("while the hub is asked the button says %q", first.get.Text)
	}
	test.Tap(other.get)
	again := uitest.Next(b.Until, "the hub is asked for another", m.Asking)
	if asked.Err() == nil || first.get.Text != "Get…" || other.get.Text != "Cancel" {
		t.Errorf("two are asked for: %v, %q", asked.Err(), first.get.Text)
	}
	test.Tap(other.get)
	if again.Err() == nil || other.get.Text != "Get…" || b.State.Shelf.Planning != "" {
		t.Errorf("it goes on: %v, %q", again.Err(), other.get.Text)
	}
	b.Settle()
	if err := b.State.Shelf.Err; err != nil || len(m.Getting) > 0 {
		t.Errorf("giving up is told as %v", err)
	}
}

// What a model was trained to predict can be said where its files say nothing or the wrong thing: it is looked at again, and imported so,
// under the name that the user gave it.
func TestWhatItWasTrainedToPredict(t *testing.T) {
	b, m := newBench(t)
	b.LookAt(modelstest.SourcePath, "", "")
	b.Settle()
	if b.predictionRow.Hidden || b.prediction.SelectedIndex() != 0 || len(b.prediction.Options) != 1+len(bundle.Predictions) {
		t.Fatalf("hidden %v, %d of %v", b.predictionRow.Hidden, b.prediction.SelectedIndex(), b.prediction.Options)
	}
	b.name.SetText("Mine")
	b.prediction.SetSelectedIndex(3)
	b.Settle()
	a := b.State.Shelf.Adding
	if a == nil || a.Prediction != "v-zero" || a.Name != "Mine" || a.Found.Manifest.Schedule.PredictionType != "v-zero" {
		t.Fatalf("%+v", a)
	}
	test.Tap(b.agree)
	c := b.call(m)
	if c.Job.Prediction != "v-zero" || c.Job.Name != "Mine" {
		t.Errorf("%+v", c.Job)
	}
	b.answer(c, nil)
	b.Settle()
	b.LookAt(modelstest.BasePath, "", "")
	b.Settle()
	b.prediction.SetSelectedIndex(2)
	b.Settle()
	b.goUnder(modelstest.SourcePath) // which keeps what was said
	b.Settle()
	if a := b.State.Shelf.Adding; a == nil || a.Base != modelstest.BasePath || a.Prediction != "v" || b.prediction.SelectedIndex() != 2 {
		t.Errorf("%+v", a)
	}
	b.LookAt("/else/where", "", "")
	b.Settle()
	if !b.predictionRow.Hidden {
		t.Error("a model of Realword knows how it was trained")
	}
}

func TestWhatCannotBeAdded(t *testing.T) {
	b, m := newBench(t)
	b.LookAt("/data/broken", "", "")
	b.Settle()
	b.has("conv_in.weight: missing.", "sdxl/vae is missing.")
	if !b.agree.Hidden {
		t.Error("what is broken can be imported")
	}
	b.LookAt("/data/lora.pth", "", "")
	b.Settle()
	b.has("lora.pth holds a LoRA.")
	m.FreeBytes = 3_000_000_000
	b.LookAt(modelstest.SourcePath, "", "")
	b.Settle()
	b.has("The disk has no room for it: free up 4.3 GB")
	if !b.agree.Hidden {
		t.Error("what does not fit can be imported")
	}
	b.agreeAdding() // by whatever way
	if len(b.State.Shelf.Tasks) > 0 {
		t.Error("an import began")
	}
}

// TestARemedyForAFullDiskHelps: another folder for models, or room that is made, has what is about to be added looked at anew.
func TestARemedyForAFullDiskHelps(t *testing.T) {
	for name, help := range map[string]func(*bench, *modelstest.Fake){
		"another folder":     func(b *bench, _ *modelstest.Fake) { b.places.Folder = "/big" },
		"a model is removed": func(_ *bench, m *modelstest.Fake) { m.FreeBytes = 1 << 50 },
	} {
		b, m := newBench(t)
		m.FreeBytes, m.Disks = 3_000_000_000, map[string]int64{"/big": 1 << 50}
		b.LookAt(modelstest.SourcePath, "", "")
		b.Settle()
		b.name.SetText("mine")
		b.copy.OnChanged(true)
		if !b.agree.Hidden {
			t.Error("what does not fit can be imported")
		}
		help(b, m)
		b.Reload()
		b.Settle()
		if b.agree.Hidden {
			t.Fatalf("%s: it says %q", name, b.State.Shelf.Adding.Problem())
		}
		test.Tap(b.agree)
		if job := b.call(m).Job; job.Folder != b.Folder() || job.Name != "mine" || !job.Copy {
			t.Errorf("%s: %+v", name, job)
		}
	}
}

func TestBaseModelGoesUnderASource(t *testing.T) {
	b, m := newBench(t)
	test.Tap(b.file)
	b.Settle()
	b.has("a text-to-image model in one file, without RealCustom++ weights", "Choose the RealCustom++ checkpoints to combine it with")
	if !b.agree.Hidden || len(b.sources.Objects) != 3 {
		t.Fatalf("%d offers", len(b.sources.Objects))
	}
	test.Tap(b.sources.Objects[1].(fyne.Tappable))
	b.Settle()
	b.has(modelstest.BasePath)
	test.Tap(b.agree)
	c := b.call(m)
	if c.Job.Source != modelstest.SourcePath || c.Job.Base != modelstest.BasePath {
		t.Errorf("%+v", c.Job)
	}
	b.answer(c, nil)
	m.Models = nil
	b.Reload()
	b.Settle()
	b.LookAt(modelstest.BasePath, "", "")
	b.Settle()
	b.has("Choose the folder with the RealCustom++ checkpoints")
	test.Tap(b.sources.Objects[1].(fyne.Tappable)) // the dialog
	b.Settle()
	if a := b.State.Shelf.Adding; a == nil || a.Path != modelstest.SourcePath || a.Base != modelstest.BasePath {
		t.Errorf("%+v", a)
	}
}

func TestAnotherBase(t *testing.T) {
	b, _ := newBench(t)
	b.list.Select(1)
	test.Tap(b.buttons["base"])
	b.pressSheet("A file…")
	b.Settle()
	if a := b.State.Shelf.Adding; a == nil || a.Path != modelstest.SourcePath || a.Base != modelstest.BasePath || a.Name != "RealCustom++ 2" {
		t.Errorf("%+v", a)
	}
}

// TestLeavingEndsTheInspection: Cancel, and another folder, end what is under way.
func TestLeavingEndsTheInspection(t *testing.T) {
	b, m := newBench(t)
	m.Looking = make(chan context.Context, 2)
	b.LookAt("/one", "", "")
	one := <-m.Looking
	b.LookAt("/two", "", "")
	two := <-m.Looking
	<-one.Done()
	if two.Err() != nil {
		t.Error("the second inspection ended with the first")
	}
	b.stopAdding()
	<-two.Done()
	b.Settle()
	if a := b.State.Shelf.Adding; a != nil {
		t.Errorf("%+v", a)
	}
}

func TestBundleElsewhere(t *testing.T) {
	b, m := newBench(t)
	b.LookAt("/else/where", "", "")
	b.Settle()
	b.has("a Realword model, ready to use")
	test.Tap(b.agree)
	b.Settle()
	if !slices.Equal(b.places.Elsewhere, []string{"/else/where"}) || len(b.State.Shelf.List) != 3 {
		t.Fatalf("%v", b.places.Elsewhere)
	}
	test.Tap(b.buttons["remove"])
	b.Settle()
	if len(b.places.Elsewhere) != 0 || len(m.Removed) != 0 {
		t.Error("a model that lies elsewhere was touched")
	}
	b.Undo()
	b.Settle()
	if len(b.places.Elsewhere) != 1 {
		t.Error("undo does not bring it back")
	}
}

func TestCheckRenameRemove(t *testing.T) {
	b, m := newBench(t)
	b.list.Select(1)
	test.Tap(b.buttons["check"])
	c := b.call(m)
	if c.Checked != modelstest.BigPath || !b.buttons["remove"].Disabled() || !b.buttons["check"].Disabled() {
		t.Errorf("%q is checked; it can be removed meanwhile: %v", c.Checked, !b.buttons["remove"].Disabled())
	}
	b.answer(c, nil)
	b.Settle()
	b.has("no file has changed since the import")
	b.check(modelstest.BigPath)
	b.answer(b.call(m), errors.New("unet.bin has changed since the import; import it again"))
	b.Settle()
	b.has("unet.bin has changed since the import; import it again.")
	if b.buttons["again"].Hidden {
		t.Error("a damaged model cannot be imported again")
	}
	test.Tap(b.buttons["rename"])
	field, _ := found(b, func(*kit.Field) bool { return true })
	if field.SelectedText() != field.Text {
		t.Errorf("%q of %q is selected", field.SelectedText(), field.Text)
	}
	field.SetText("Por\ntraits")
	m.BadName = errors.New("a name is one line")
	b.pressSheet("Rename")
	b.Settle()
	if !b.sheetSays("A name is one line.") || field.Text != "Por\ntraits" {
		t.Error("what was typed is lost to a name that is refused")
	}
	m.BadName = nil
	field.SetText(" Portraits ")
	b.pressSheet("Rename")
	b.Settle()
	if m.Renamed != "Portraits" || b.State.Model.Name != "toybox" {
		t.Errorf("renamed to %q; the open model is called %s", m.Renamed, b.State.Model.Name)
	}
	test.Tap(b.buttons["remove"])
	if !b.sheetSays("checkpoints it was imported from stay") {
		t.Error("the question says nothing of the checkpoints")
	}
	b.pressSheet("Remove")
	b.Settle()
	if _, there := b.State.Shelf.Find(modelstest.BigPath); there || !slices.Equal(m.Removed, []string{modelstest.BigPath}) {
		t.Error("it is still there")
	}
	b.Undo()
	b.Settle()
	if _, there := b.State.Shelf.Find(modelstest.BigPath); !there {
		t.Error("undo did not bring it back")
	}
}

// TestRemovalsComeBack: until the program ends, whatever else was done meanwhile and also when the page was left, the newest first.
func TestRemovalsComeBack(t *testing.T) {
	b, m := newBench(t)
	m.Models = append(m.Models, state.Model{Path: "/models/Other", Manifest: modelstest.Big, Bytes: 7_000_000_000, Elsewhere: true})
	b.Reload()
	b.Settle()
	b.list.Select(1)
	test.Tap(b.buttons["remove"])
	b.pressSheet("Remove")
	b.Settle()
	b.has("RealCustom++ was removed.")
	other, _ := b.State.Shelf.Find("/models/Other")
	b.askRemove(other)
	b.Settle()
	b.has("RealCustom++ was removed from the list. Its files stay where they are.")
	b.addFolder()
	b.Settle()
	test.Tap(b.agree)
	b.answer(b.call(m), nil)
	b.Settle()
	b.Hide()
	b.Settle()
	if b.Undoable() || b.Undo() {
		t.Error("it comes back where nobody sees it")
	}
	b.Show()
	b.Settle()
	b.has("RealCustom++ was removed from the list. Its files stay where they are.")
	if b.undo.Hidden {
		t.Fatal("what was removed cannot be brought back any more")
	}
	place := fyne.CurrentApp().Driver().AbsolutePositionForObject
	over := place(b.buttons["check"])
	if plate := place(b.snack); plate.Y+b.snack.Size().Height > over.Y || b.snack.Size().Height < 20 {
		t.Errorf("what is said lies at %v, the buttons at %v", plate, over)
	}
	b.change(func(s *state.Shelf) { s.Told = "" })
	if gone := b.gone; len(gone) > 0 {
		b.gone = nil
		b.Refresh()
		if now := place(b.buttons["check"]); !b.snack.Hidden || now != over {
			t.Errorf("without what is said the buttons lie at %v, with it at %v", now, over)
		}
		b.gone = gone
		b.Refresh()
	}
	test.Tap(b.undo)
	b.Settle()
	b.has("RealCustom++ was removed.")
	if !slices.Contains(b.places.Elsewhere, "/models/Other") || !b.Undoable() {
		t.Errorf("%q", b.places.Elsewhere)
	}
	test.Tap(b.undo)
	b.Settle()
	if _, there := b.State.Shelf.Find(modelstest.BigPath); !there || b.Undoable() || !b.snack.Hidden {
		t.Error("the first one does not come back, or it comes back again")
	}
}

// TestImportAgainSaysSo: that the model of before was removed is said beside it.
func TestImportAgainSaysSo(t *testing.T) {
	b, m := newBench(t)
	b.addTask(state.ModelTask{
		Name: "RealCustom++", Again: modelstest.BigPath,
		Import: state.Import{Source: modelstest.SourcePath, Name: "RealCustom++ 2", Folder: "/models"},
	})
	b.answer(b.call(m), nil)
	b.Settle()
	b.has("RealCustom++ has been imported. RealCustom++ was removed.")
	if _, there := b.State.Shelf.Find(modelstest.BigPath); there || !b.Undoable() {
		t.Error("the model of before is still there, or cannot come back")
	}
}

func TestModelsByKeys(t *testing.T) {
	b, _ := newBench(t)
	key := func(name fyne.KeyName) { b.list.TypedKey(&fyne.KeyEvent{Name: name}) }
	if b.Win.Canvas().Focused() != b.list {
		t.Error("the list has not the focus")
	}
	key(fyne.KeyDelete)
	if b.Win.Canvas().Overlays().Top() != nil {
		t.Error("the model inside Realword can be removed")
	}
	key(fyne.KeyDown)
	key(fyne.KeyDown)
	if m, _ := b.State.Shelf.ChosenModel(); m.Path != modelstest.BigPath {
		t.Errorf("%q is chosen", m.Path)
	}
	key(fyne.KeyDelete)
	b.pressSheet("Cancel")
	b.Settle()
	key(fyne.KeyReturn)
	b.Settle()
	if asked := b.asked(); !slices.Equal(asked, []string{modelstest.BigPath}) || b.State.Model.Name != "RealCustom++" {
		t.Errorf("%q was opened, %s is", asked, b.State.Model.Name)
	}
	key(fyne.KeyUp)
	if m, _ := b.State.Shelf.ChosenModel(); m.Path != "" {
		t.Errorf("%q is chosen", m.Path)
	}
	b.Layers.Back()
	if b.Shown() {
		t.Error("Esc leaves the page open")
	}
}

// slowList answers a reading of the list once the test says so.
type slowList struct {
	state.Models
	calls chan chan struct{}
}

func (s slowList) List(folder string, elsewhere []string) ([]state.Model, error) {
	list, err := s.Models.List(folder, elsewhere)
	gate := make(chan struct{})
	s.calls <- gate
	<-gate
	return list, err
}

// TestTheNewestReadingOfTheListStays, though one that began before it, on a slow disk, ends after it.
func TestTheNewestReadingOfTheListStays(t *testing.T) {
	b, m := newBench(t)
	calls := make(chan chan struct{})
	b.host.Models = slowList{m, calls}
	b.Reload()
	first := <-calls
	m.Models = append(m.Models, state.Model{Path: "/models/new", Manifest: modelstest.Big})
	b.Reload() // it has been imported
	close(<-calls)
	there := func() bool {
		_, ok := b.State.Shelf.Find("/models/new")
		return ok
	}
	b.Until("the new one is there", there)
	close(first)
	if b.Settle(); !there() {
		t.Error("a model that was imported is in the list no more")
	}
}
