package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference/hub"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
)

// gets is the next download that has begun.
func (b *bench) gets(m *fakeModels) *getCall {
	b.t.Helper()
	var c *getCall
	b.until("a download has begun", func() bool {
		select {
		case c = <-m.getting:
			return true
		default:
			return false
		}
	})
	return c
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
	b, m, _ := withModels(t, nil)
	b.models.list.Select(0)
	b.has("It is a toy")
	test.Tap(b.models.buttons["real"])
	b.settle()
	b.has("RealCustom++ on SDXL", "About 13.3 GB to download", "CreativeML Open RAIL++-M", "Runs on this machine.", "Toybox, the built-in model, is a toy", "Runs here, but slowly: 17.0 GB of memory is recommended, and 16.0 GB is free.")
	test.Tap(b.models.cards["realcustom-sdxl"].get)
	b.settle()
	if len(m.getting) > 0 || !b.sheetSays("13.0 GB") || !b.sheetSays("Open RAIL++-M (hub.example/some/model)") || !b.sheetSays("40.0 GB free") {
		t.Fatal("it began before the user has seen size and licence")
	}
	b.pressSheetNow("Download")
	c := b.gets(m)
	if c.job.Plan.Entry.Name != "realcustom-sdxl" || c.job.Folder != "/models" || c.job.Name != "RealCustom++ on SDXL" {
		t.Errorf("%+v", c.job)
	}
	c.fetching(hub.Progress{Done: 2_600_000_000, All: 13_000_000_000, Speed: 12_000_000, Left: 15 * time.Minute})
	b.until("the progress is shown", func() bool { return strings.Contains(b.models.opener.Text, "20 %") })
	b.has("Getting RealCustom++ on SDXL", "2.6 GB of 13.0 GB · 12.0 MB/s · 15 min left", "downloading, see")
	if !b.models.cards["realcustom-sdxl"].get.Disabled() {
		t.Error("it can be fetched twice")
	}
	c.fetching(hub.Progress{Done: 2_600_000_000, All: 13_000_000_000, Waiting: "the hub is in trouble (503): try again later. Trying again in 4s."})
	b.until("the wait is shown", func() bool { return b.state.Shelf.Tasks[0].Waiting != "" })
	b.has("Trying again in 4s.")

	// An import does not wait for it.
	b.addFolder()
	b.until("it is inspected", func() bool { a := b.state.Shelf.Adding; return a != nil && !a.Looking })
	test.Tap(b.models.agree)
	other := b.call(m)
	b.answer(other, nil)

	c.importing("weights/unet.bin", 1_000_000_000, 4_000_000_000)
	b.until("it is being imported", func() bool { return b.state.Shelf.Tasks[0].Importing })
	b.has("Importing RealCustom++ on SDXL", "importing… 1.0 GB of 4.0 GB")
	c.answer <- nil
	b.until("it is here", func() bool { return len(b.state.Shelf.Tasks) == 0 })
	b.settle()
	if b.notice.Now.Text != "RealCustom++ on SDXL is downloaded and imported." || b.notice.Now.Act != "Use it" || b.state.Shelf.Chosen != "/models/RealCustom++ on SDXL" || b.state.Shelf.Getting {
		t.Errorf("%+v, %q", b.notice.Now, b.state.Shelf.Chosen)
	}
	found, _ := b.state.Shelf.Find("/models/RealCustom++ on SDXL")
	b.models.w.askRemove(found)
	if !b.sheetSays("including what was downloaded for it") {
		t.Error("the question does not say what goes")
	}
}

func TestDownloadsArePausedAndGivenUp(t *testing.T) {
	b, m, _ := withModels(t, nil)
	b.showCatalogue()
	b.settle()
	test.Tap(b.models.cards["realcustom-sdxl"].get)
	b.settle()
	b.pressSheetNow("Download")
	c := b.gets(m)
	test.Tap(b.models.rows[1].stop)
	<-c.ctx.Done()
	b.until("it is paused", func() bool { return len(b.state.Shelf.Tasks) == 0 })
	b.settle()
	b.has("is paused", "paused · 3.0 GB of 13.0 GB", "3.0 GB of 13.0 GB downloaded", "Resume", "Discard")
	if b.notice.Now.Bad {
		t.Errorf("a pause is an error: %+v", b.notice.Now)
	}
	test.Tap(b.models.cards["realcustom-sdxl"].get) // goes on without asking again
	c = b.gets(m)
	c.answer <- errors.New("the disk of /models is full: free up space and resume, what was downloaded is kept")
	b.until("it failed", func() bool { return len(b.state.Shelf.Tasks) == 0 })
	b.settle()
	if !b.notice.Now.Bad || !strings.Contains(b.notice.Now.Text, "not been downloaded yet") || !strings.Contains(b.notice.Now.Text, "free up space") {
		t.Errorf("%+v", b.notice.Now)
	}
	test.Tap(b.models.cards["realcustom-sdxl"].give)
	if !b.sheetSays("The 3.0 GB downloaded so far will be deleted.") || len(m.discarded) > 0 {
		t.Fatal("nobody asks")
	}
	b.pressSheetNow("Delete")
	b.settle()
	if len(m.discarded) != 1 || len(b.models.begunRows()) != 0 || !b.models.cards["realcustom-sdxl"].give.Hidden {
		t.Errorf("%v", m.discarded)
	}
	b.key(&fyne.ShortcutUndo{}) // nothing to undo, nothing happens
	b.Back()
	if b.state.Shelf.Getting || !b.models.shown {
		t.Error("Esc left the page instead of the catalogue")
	}
}

// A download that was begun before the Realword closed while is offered at the next start.
func TestUnfinishedDownloadIsOffered(t *testing.T) {
	m := &fakeModels{memory: 16e9, free: 40e9, getting: make(chan *getCall, 1), began: make(chan *modelCall, 1)}
	e, err := hub.Find("realcustom-animagine")
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := m.Plan(t.Context(), "", e)
	m.begun = []hub.Unfinished{{Plan: plan, Done: 6_500_000_000}}
	b := ready(t, func(o *Options) { o.Models = m })
	b.settle()
	if b.notice.Hidden || b.notice.Now.Text != "The download of RealCustom++ on Animagine XL 3.1 is not finished: 6.5 GB of 13.0 GB so far." {
		t.Fatalf("%+v", b.notice.Now)
	}
	if len(m.getting) > 0 {
		t.Error("it went on by itself")
	}
	test.Tap(b.notice.Act)
	c := b.gets(m)
	b.askClose() // nobody asks: it goes on at the next start
	<-c.ctx.Done()
	b.until("the window is closed", func() bool { return b.closed })
}

func TestDownloadsThatCannotBegin(t *testing.T) {
	b, m, _ := withModels(t, nil)
	m.memory = 2_000_000_000
	m.free = 5_000_000_000
	b.showCatalogue()
	b.settle()
	b.has("Too large for this machine: it needs 4.5 GB of memory, and 2.0 GB is free.")
	test.Tap(b.models.cards["realcustom-sdxl"].get)
	b.settle()
	if !b.sheetSays("The disk has no room for it: free up 8.3 GB") {
		t.Error("a full disk is not said before")
	}
	if _, ok := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Download" }); ok {
		t.Error("what does not fit can be downloaded")
	}
	b.Back()
	m.here = 10_000_000_000 // what another download has fetched is linked and takes no room
	test.Tap(b.models.cards["realcustom-sdxl"].get)
	b.settle()
	if _, ok := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Download" }); !ok || !b.sheetSays("3.0 GB, 10.0 GB more already on this machine") {
		t.Error("what is here already counts as missing")
	}
	b.pressSheetNow("Cancel")
	m.planErr = errors.New("hub.example cannot be reached (no route): check the connection and try again")
	test.Tap(b.models.cards["realcustom-released"].get)
	b.settle()
	b.has("hub.example cannot be reached (no route): check the connection and try again.")
	if b.models.cards["realcustom-released"].get.Disabled() {
		t.Error("it cannot be tried again")
	}
}

// TestCatalogueAtTextSizes shows the catalogue with small and large texts, and with longer words.
func TestCatalogueAtTextSizes(t *testing.T) {
	for _, c := range []struct {
		percent int
		long    bool
	}{{80, false}, {100, true}, {150, false}} {
		if c.long {
			i18ntest.Pseudo(t)
		}
		b, m, _ := withModels(t, nil)
		p := b.prefs
		p.TextSize = c.percent
		b.setPreferences(p)
		t.Cleanup(func() { kit.SetLook("system", 100) })
		e := hub.Catalogue()[0]
		plan, _ := m.Plan(t.Context(), "", e)
		m.begun = []hub.Unfinished{{Plan: plan, Done: 1e9}}
		b.showCatalogue()
		b.settle()
		b.layOut(smallest)
		if m := b.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
			t.Errorf("%d %%: the window wants %v", c.percent, m)
		}
		for _, bad := range overlapsIn(b.models.page) {
			t.Errorf("%d %%: %s", c.percent, bad)
		}
		i18ntest.English(t)
	}
}
