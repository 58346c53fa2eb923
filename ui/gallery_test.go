package ui

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/command"
	"realword/ui/state"
	"realword/ui/wording"
)

// openGallery shows the page and waits until it is filled.
func (b *bench) openGallery() *galleryPage {
	b.t.Helper()
	b.gallery.toggle()
	b.settle()
	if !b.gallery.shown || b.gallery.page.Hidden {
		b.t.Fatal("the page is not shown")
	}
	return b.gallery
}

func (b *bench) choose(id uint64) {
	b.gallery.choose(id)
	b.settle()
}

func key(name fyne.KeyName) *fyne.KeyEvent { return &fyne.KeyEvent{Name: name} }

func TestGalleryFindsStarsAndThrowsAway(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	id := b.state.Shots[0].Kept
	path := b.state.Shots[0].Path
	b.keepDraft() // as it does by itself twice a second
	b.settle()
	g := b.openGallery()
	if len(g.state.Sessions) != 1 || !slices.Equal(g.state.IDs, []uint64{id}) || g.list.Length() != 3 || g.grid.Length() != 1 {
		t.Fatalf("%+v", g.state)
	}
	if u := g.state.Sessions[0].Usage; u.Rounds != 1 || u.Pictures != 1 || u.Steps == 0 || g.state.Sessions[0].Title != "a dog on the beach" {
		t.Errorf("session %+v", g.state.Sessions[0])
	}
	if th := g.thumbs.get(id); th == nil || th.image == nil || !th.whole || th.missing {
		t.Errorf("thumbnail %+v", th)
	}

	b.choose(id)
	if d := g.state.Detail; d == nil || d.Err != nil || d.Number != 1 || !strings.Contains(g.facts.Text, "4 steps kept") || !strings.Contains(g.facts.Text, "pictures for dog") {
		t.Fatalf("detail %+v, %q", d, g.facts.Text)
	}
	g.search.SetText("cat")
	b.settle()
	if len(g.state.IDs) != 0 || g.nothing.Hidden || g.state.Chosen != 0 {
		t.Errorf("found %v, says %q", g.state.IDs, g.nothing.Text)
	}
	g.search.SetText("word:do")
	b.settle()
	if len(g.state.IDs) != 1 {
		t.Errorf("word:do finds %v", g.state.IDs)
	}
	g.search.SetText("")
	b.settle()

	b.choose(id)
	g.grid.TypedKey(key(fyne.KeyPeriod))
	b.settle()
	g.stars.SetChecked(true)
	b.settle()
	if p, err := b.journal.Store().Picture(id); err != nil || !p.Starred || len(g.state.IDs) != 1 {
		t.Errorf("starred %+v, found %v", p, g.state.IDs)
	}
	g.stars.SetChecked(false)
	test.Tap(g.undo) // nothing to undo yet
	b.settle()

	b.choose(id)
	g.grid.TypedKey(key(fyne.KeyDelete))
	b.settle()
	if len(g.state.IDs) != 0 || g.state.Trashed != 1 || g.undo.Hidden || g.snack.Hidden {
		t.Fatalf("after Del: %+v", g.state)
	}
	b.win.Canvas().Unfocus()
	b.Perform(b.Table.List[slices.IndexFunc(b.Table.List, func(a command.Action) bool { return a.ID == "edit.undo" })])
	b.settle()
	if len(g.state.IDs) != 1 || b.subjects.Prompt.Text != "a dog on the beach" {
		t.Errorf("Ctrl+Z brings back %v; the prompt is %q", g.state.IDs, b.subjects.Prompt.Text)
	}

	b.choose(id)
	g.trashAll()
	b.settle()
	g.list.Select(2) // the trash
	b.settle()
	if !g.state.Look.Trash || len(g.state.IDs) != 1 || g.emptyBin.Disabled() {
		t.Fatalf("the trash has %+v", g.state)
	}
	b.choose(id)
	g.restoreChosen()
	b.settle()
	if g.state.Trashed != 0 || len(g.state.IDs) != 0 {
		t.Errorf("restored, and %+v", g.state)
	}
	g.list.Select(1)
	b.settle()
	g.trashSession()
	b.settle()
	if len(g.state.Sessions) != 0 || g.state.Trashed != 1 || b.journal.Session() != 0 || len(b.state.Shots) != 0 {
		t.Fatalf("after the session was thrown away: %+v, %+v", g.state, b.state.History)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the trash is not empty, and the file is gone: %v", err)
	}
	g.empty()
	b.settle()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || g.state.Trashed != 0 {
		t.Errorf("emptied, and the file: %v, %+v", err, g.state)
	}
	b.Back() // Esc
	if g.shown || !g.page.Hidden {
		t.Error("Esc does not close the page")
	}
}

func TestGalleryShowsAPictureOnTheStageAndTakesUpSessions(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	first, id := b.journal.Session(), b.state.Shots[0].Kept
	g := b.openGallery()
	g.list.Select(1)
	b.settle()
	g.renameTo(first, " Rex ")
	b.settle()
	if g.title.Text != "Rex" || b.state.History.Name != "Rex" {
		t.Errorf("renamed to %q, %q", g.title.Text, b.state.History.Name)
	}
	g.newSession()
	b.settle()
	if g.shown || len(b.state.Shots) != 0 {
		t.Error("a new session shows the old one's pictures")
	}
	b.subjects.Prompt.SetText("a cat")
	b.openGallery()
	b.choose(id)
	g.grid.TypedKey(key(fyne.KeyReturn))
	b.settle()
	if s := b.state.Shot(); g.shown || s == nil || s.Kept != id || len(s.Film) != 4 {
		t.Fatalf("on the stage: %+v", s)
	}
	b.openGallery()
	b.choose(id)
	g.asReference()
	b.settle()
	if c := b.state.Form.Cards; len(c) != 1 || c[0].From != id {
		t.Errorf("cards %+v", c)
	}
	b.keepDraft()
	b.settle()
	b.openGallery()
	if len(g.state.Sessions) != 2 {
		t.Fatalf("sessions %+v", g.state.Sessions)
	}
	g.look(func(l *galleryLook) { l.Session = first })
	b.settle()
	g.openSession()
	b.settle()
	if b.state.Form.Prompt != "a dog on the beach" || b.journal.Session() != first || b.state.History.Name != "Rex" || len(b.state.Shots) != 1 {
		t.Errorf("taken up: %+v", b.state.History)
	}
}

func TestASessionGoesOutAndComesBack(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	zip := filepath.Join(dir, "out.zip")
	b.opt.SaveSession = func(string) (string, error) { return zip, nil }
	b.opt.OpenSession = func() (string, error) { return zip, nil }
	dogRound(t, b, dir)
	g := b.openGallery()
	g.look(func(l *galleryLook) { l.Session = b.journal.Session() })
	b.settle()
	g.export()
	b.settle()
	if !strings.Contains(g.snackText.Text, "out.zip") {
		t.Errorf("says %q", g.snackText.Text)
	}
	g.importFile()
	b.settle()
	if !strings.Contains(g.snackText.Text, "already here") || b.state.History.Err != nil {
		t.Errorf("says %q", g.snackText.Text)
	}
	g.trashSession()
	b.settle()
	g.empty()
	b.settle()
	g.importFile()
	b.settle()
	if len(g.state.Sessions) != 1 || len(g.state.IDs) != 1 || !strings.Contains(g.snackText.Text, "Imported 1 picture") {
		t.Errorf("says %q, %+v", g.snackText.Text, g.state)
	}
	if err := os.WriteFile(zip, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.importFile()
	b.settle()
	if g.state.Err == nil || b.state.History.Err != nil || g.state.Busy != "" {
		t.Errorf("a bad file: %v, the history %v", g.state.Err, b.state.History.Err)
	}
}

func TestAMissingFileIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	id, path, ready := b.state.Shots[0].Kept, b.state.Shots[0].Path, b.state.Shots[0].PictureReady
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	g := b.openGallery()
	g.thumbs.forget()
	g.grid.Refresh()
	b.settle()
	b.choose(id)
	if th := g.thumbs.get(id); th == nil || !th.missing || !g.state.Detail.Missing || g.buttons["remake"].Hidden || !g.buttons["reveal"].Hidden || !strings.Contains(g.trouble.Text, "not where it was") {
		t.Fatalf("thumbnail %+v, %q", th, g.trouble.Text)
	}
	g.remake()
	j := <-b.engine.started
	if len(j.request.Subjects[0].References[0].Data) == 0 || j.request.From == nil || j.request.From.Step != 2 || j.request.Seeds[0] != ready.Seed {
		t.Errorf("request %+v", j.request)
	}
	go func() {
		j.events <- inference.PictureReady{Seed: ready.Seed, Image: ready.Image, Recipe: j.request}
		j.events <- inference.Done{}
		close(j.events)
	}()
	b.settle()
	if _, err := os.Stat(path); err != nil || g.state.Err != nil || !strings.Contains(g.snackText.Text, "identical to the last bit") {
		t.Errorf("%v, %v, says %q", err, g.state.Err, g.snackText.Text)
	}
	b.choose(0)
	b.choose(id)
	if g.state.Detail.Missing || !g.buttons["remake"].Hidden {
		t.Error("the file is back and still called missing")
	}
}

func TestBudgetTrimsStepsButNeverPinnedOnes(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	id := b.state.Shots[0].Kept
	g := b.openGallery()
	b.choose(id)
	g.pin.SetChecked(true)
	b.settle()
	g.change(func(s *history.Store) error { return journal.Trim(s, 1) }, nil)
	b.settle()
	if steps, err := b.journal.Store().Steps(id); len(steps) != 4 || err != nil {
		t.Errorf("pinned, and %d steps are left, %v", len(steps), err)
	}
	g.pin.SetChecked(false)
	b.settle()
	g.budgetChosen("500.0 MB")
	b.settle()
	if b.budget() != 500e6 || b.journal.Budget.Load() != 500e6 {
		t.Errorf("budget %d", b.budget())
	}
	g.change(func(s *history.Store) error { return journal.Trim(s, 1) }, nil)
	b.settle()
	if steps, err := b.journal.Store().Steps(id); len(steps) != 0 || err != nil {
		t.Errorf("%d steps are left, %v", len(steps), err)
	}
}

func TestThumbnailsAreReadForWhatIsSeenAndForgottenInTime(t *testing.T) {
	posted := make(chan func(), 1000)
	var came []uint64
	th := thumbs{post: func(f func()) { posted <- f }, came: func(ids []uint64) { came = append(came, ids...) }, read: func(ids []uint64, _ int) map[uint64]*thumb {
		all := map[uint64]*thumb{}
		for _, id := range ids {
			all[id] = &thumb{image: image.NewUniform(color.NRGBA{uint8(id), 0, 0, 255})}
		}
		return all
	}}
	settle := func() {
		for th.working() || len(posted) > 0 {
			select {
			case f := <-posted:
				f()
			case <-time.After(time.Millisecond):
			}
		}
	}
	th.get(5)
	settle()
	th.mu.Lock()
	th.busy = true // a fast scroll past ten thousand, while the disk is slow
	th.mu.Unlock()
	for id := range uint64(10_000) {
		th.get(id + 10)
	}
	th.mu.Lock()
	n := len(th.wanted)
	th.mu.Unlock()
	if n != thumbsWanted {
		t.Errorf("%d are wanted", n)
	}
	go th.work()
	settle()
	if len(came) != 1+thumbsWanted || came[1] < 10_009-thumbsBatch || th.get(10_009) == nil || th.get(5) == nil {
		t.Errorf("%d came, first %d", len(came), came[1])
	}
	for id := range uint64(2 * thumbsKept) {
		if th.get(id + 20_000); id%50 == 49 {
			settle()
		}
	}
	if len(th.kept) != thumbsKept || len(th.order) != thumbsKept || th.kept[10_009] != nil {
		t.Errorf("%d are kept", len(th.kept))
	}
}

func TestGalleryAsAValue(t *testing.T) {
	g := Gallery{IDs: []uint64{9, 7, 5}, Sessions: []sessionRow{{ID: 2, Title: "Rex"}}}
	for id, want := range map[uint64]uint64{9: 7, 7: 5, 5: 7, 4: 0} {
		if got := g.after(id); got != want {
			t.Errorf("after %d comes %d, want %d", id, got, want)
		}
	}
	if got := (Gallery{IDs: []uint64{3}}).after(3); got != 0 {
		t.Errorf("after the last one: %d", got)
	}
	g = g.choose(7)
	g.Detail = &galleryDetail{}
	if f := g.found(Gallery{IDs: []uint64{7}}); f.Chosen != 7 || f.Detail == nil {
		t.Errorf("%+v", f)
	}
	if f := g.found(Gallery{IDs: []uint64{9}}); f.Chosen != 0 || f.Detail != nil {
		t.Errorf("%+v", f)
	}
	for want, look := range map[string]galleryLook{"All pictures": {}, "Rex": {Session: 2}, "Trash": {Session: 2, Trash: true}} {
		g.Look = look
		if got := g.title(); got != want {
			t.Errorf("%+v is called %q", look, got)
		}
	}
	empties := map[string]bool{}
	for _, look := range []galleryLook{{}, {Text: "x"}, {Trash: true}, {Starred: true}} {
		empties[Gallery{Look: look}.empty(".")] = true
	}
	if len(empties) != 4 || empties[""] || g.empty(".") != "" {
		t.Errorf("%v", empties)
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1500: "1.5 kB", 2_340_000: "2.3 MB", 10e9: "10.0 GB"} {
		if got := wording.Bytes(n); got != want {
			t.Errorf("%d bytes are %q", n, got)
		}
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for want, at := range map[string]time.Time{"today, 09:05": now.Add(-175 * time.Minute), "yesterday, 12:00": now.AddDate(0, 0, -1), "27 February": now.AddDate(0, 0, -2), "1 March 2025": now.AddDate(-1, 0, 0)} {
		if got := wording.Day(at, now); got != want {
			t.Errorf("%v is %q", at, got)
		}
	}
}

func TestWhatIsSaidOfAPicture(t *testing.T) {
	failed, stopped, died := history.Round{Status: history.Failed, Error: "no memory"}, history.Round{Status: history.Cancelled}, history.Round{Status: history.Interrupted}
	whole := history.Picture{File: "/p/a.png"}
	for want, d := range map[string]galleryDetail{
		"":                               {Picture: whole},
		"No memory.":                     {Round: failed},
		"stopped early":                  {Round: stopped},
		"Realword closed while":          {Round: died},
		"not where it was: /p/a.png":     {Picture: whole, Missing: true},
		"It is no longer in the history": {Err: history.ErrNoPicture},
	} {
		if got := d.state(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBannerSaysWhatHelps(t *testing.T) {
	of := func(k history.Kind) error {
		return fmt.Errorf("open: %w", &history.Error{Kind: k, Path: "/h/history.db", Err: errors.New("cause")})
	}
	for _, c := range []struct {
		h             state.History
		want          string
		rescue        bool
		fresh, folder bool
	}{
		{state.History{Open: true}, "", false, false, false},
		{state.History{Err: of(history.Busy)}, "History is off. Another Realword has the history /h/history.db open: close the other one and try again. Pictures are still saved.", false, false, false},
		{state.History{Err: of(history.Newer)}, "a newer Realword", false, true, true},
		{state.History{Err: of(history.Damaged)}, "is damaged", true, true, true},
		{state.History{Err: of(history.ReadOnly)}, "is read-only", false, false, true},
		{state.History{Open: true, Err: of(history.Full)}, "The last change was not recorded in the history. There is no space left", false, false, true},
		{state.History{Open: true, Err: of(history.Damaged)}, "is damaged", true, false, true},
		{state.History{Err: errors.New("something else")}, "Something else.", false, false, false},
	} {
		text, rescue, fresh, folder := historyTrouble(c.h, true)
		if !strings.Contains(strings.ToLower(text), strings.ToLower(c.want)) || c.want == "" && text != "" || rescue != c.rescue || fresh != c.fresh || folder != c.folder || strings.Contains(text, "cause") {
			t.Errorf("%+v: %q, %v, %v", c.h, text, fresh, folder)
		}
	}
}

func TestADamagedHistoryIsMovedAwayOnRequest(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "history.db")
	if err := os.WriteFile(file, []byte("not a history, and long enough to be read as one by mistake"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := keeping(t, dir)
	b.opt.SetAside = func() error { _, err := history.SetAside(file, time.Now()); return err }
	b.refresh()
	if b.state.History.Open || b.banner.Hidden || b.banner.folder.Hidden {
		t.Fatalf("%+v", b.state.History)
	}
	b.freshHistory()
	b.settle()
	if aside, _ := filepath.Glob(filepath.Join(dir, "history-*.db")); !b.state.History.Open || !b.banner.Hidden || len(aside) != 1 {
		t.Errorf("%+v, moved to %v", b.state.History, aside)
	}
}

func TestASecondWindowIsToldAndCanTryAgain(t *testing.T) {
	dir := t.TempDir()
	first := keeping(t, dir)
	b := keeping(t, dir)
	if b.state.History.Open || b.banner.Hidden || !strings.Contains(b.banner.text.Text, "Another Realword") {
		t.Fatalf("%+v, %q", b.state.History, b.banner.text.Text)
	}
	first.end0()
	test.Tap(b.banner.retry)
	b.settle()
	if !b.state.History.Open || !b.banner.Hidden {
		t.Errorf("%+v", b.state.History)
	}
}

// TestPageSituations compares what the page looks like with testdata.
func TestPageSituations(t *testing.T) {
	at := time.Date(2020, 5, 6, 7, 8, 9, 0, time.UTC)
	some := Gallery{
		Sessions: []sessionRow{{ID: 2, Title: "Rex", When: at, Usage: history.Usage{Rounds: 2, Pictures: 3, Bytes: 2e6}, Newest: 9}, {ID: 1, Title: "a cat", When: at}},
		Total:    2e6, Steps: 5e5, IDs: []uint64{9, 7, 5},
	}
	detail := galleryDetail{
		Picture: history.Picture{ID: 9, Round: 3, Seed: 42, File: "/p/a.png", Width: 64, Height: 64, Steps: 25, StepBytes: 12_000, Starred: true},
		Round:   history.Round{ID: 3, Plan: history.Plan{Session: 2, Prompt: "a dog on the beach", Words: []string{"dog"}}, Started: at}, Number: 2, Rounds: 2,
	}
	for name, change := range map[string]func(*Gallery){
		"pictures": func(*Gallery) {},
		"nothing":  func(g *Gallery) { *g = Gallery{Look: galleryLook{Text: "cat"}} },
		"chosen":   func(g *Gallery) { g.Chosen, g.Detail, g.Look.Session = 9, &detail, 2 },
		"missing": func(g *Gallery) {
			d := detail
			d.Missing = true
			g.Chosen, g.Detail = 9, &d
		},
		"trash": func(g *Gallery) { g.Look.Trash, g.Trashed, g.Chosen, g.Detail = true, 3, 9, &detail },
		"undo": func(g *Gallery) {
			g.Snack = snack{"The picture is in the trash.", []history.Item{{Kind: history.PictureItem, ID: 1}}}
		},
		"trouble": func(g *Gallery) { g.Err = errors.New("the session cannot be read: choose another file") },
		"busy":    func(g *Gallery) { g.Look.Session, g.Busy = 2, "Importing…" },
	} {
		t.Run(name, func(t *testing.T) {
			b := ready(t, func(o *Options) {
				o.OpenSession, o.SaveSession = func() (string, error) { return "", nil }, func(string) (string, error) { return "", nil }
			})
			g := b.gallery
			g.shown, g.state = true, some
			change(&g.state)
			g.thumbs.keep([]uint64{9, 7, 5}, map[uint64]*thumb{9: {whole: true, starred: true}, 7: {whole: true, missing: true}, 5: {}})
			g.refresh()
			test.AssertObjectRendersToMarkup(t, "page-"+name+".xml", g.page)
		})
	}
}
