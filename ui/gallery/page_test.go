package gallery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/assets/translations"
	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/plain"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
	"realword/ui/wording"
)

func TestPicturesAreFoundStarredAndThrownAway(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	path := g.picture(id).File
	if len(g.state.Sessions) != 1 || !slices.Equal(g.state.IDs, []uint64{id}) || g.list.Length() != 3 || g.grid.Length() != 1 {
		t.Fatalf("%+v", g.state)
	}
	if u := g.state.Sessions[0].Usage; u.Rounds != 1 || u.Pictures != 1 || u.Steps == 0 || g.state.Sessions[0].Title != "a dog on the beach" {
		t.Errorf("session %+v", g.state.Sessions[0])
	}
	if th := g.thumbs.get(id); th == nil || th.image == nil || !th.whole || th.missing {
		t.Errorf("thumbnail %+v", th)
	}

	g.picked(id)
	if d := g.state.Detail; d == nil || d.Err != nil || d.Number != 1 || !strings.Contains(g.facts.Text, "4 steps kept") || !strings.Contains(g.facts.Text, "pictures for dog") {
		t.Fatalf("detail %+v, %q", d, g.facts.Text)
	}
	g.search.SetText("cat")
	g.Settle()
	if len(g.state.IDs) != 0 || g.nothing.Hidden || g.state.Chosen != 0 {
		t.Errorf("found %v, says %q", g.state.IDs, g.nothing.Text)
	}
	g.search.SetText("word:do")
	g.Settle()
	if len(g.state.IDs) != 1 {
		t.Errorf("word:do finds %v", g.state.IDs)
	}
	g.search.SetText("")
	g.Settle()

	g.picked(id)
	g.key(fyne.KeyPeriod)
	g.stars.SetChecked(true)
	g.Settle()
	if !g.picture(id).Starred || len(g.state.IDs) != 1 {
		t.Errorf("found with a star: %v", g.state.IDs)
	}
	g.stars.SetChecked(false)
	test.Tap(g.undo) // nothing to undo yet
	g.Settle()

	g.picked(id)
	g.key(fyne.KeyDelete)
	if len(g.state.IDs) != 0 || g.state.Trashed != 1 || g.undo.Hidden || g.snack.Hidden || !g.Undoable() {
		t.Fatalf("after Del: %+v", g.state)
	}
	if !g.Undone() || g.Undone() {
		t.Error("Ctrl+Z takes back nothing, or twice")
	}
	g.Settle()
	if len(g.state.IDs) != 1 {
		t.Errorf("Ctrl+Z brings back %v", g.state.IDs)
	}
	for _, said := range []string{"first", "second"} {
		g.throw(said, history.Item{Kind: history.PictureItem, ID: id})
		g.Settle()
	}
	for _, said := range []string{"second", "first", ""} {
		if got := g.snackText.Text; got != said || g.Undone() != (said != "") {
			t.Errorf("of two that were thrown away, one stays: it says %q, want %q", got, said)
		}
		g.Settle()
	}

	g.picked(id)
	g.trashAll()
	g.Settle()
	g.list.Select(2) // the trash
	g.Settle()
	if !g.state.Look.Trash || len(g.state.IDs) != 1 || g.emptyBin.Disabled() {
		t.Fatalf("the trash has %+v", g.state)
	}
	g.picked(id)
	g.restoreAll()
	g.Settle()
	if g.state.Trashed != 0 || len(g.state.IDs) != 0 {
		t.Errorf("restored, and %+v", g.state)
	}
	g.list.Select(1)
	g.Settle()
	g.trashSession()
	g.Settle()
	if len(g.state.Sessions) != 0 || g.state.Trashed != 1 || !slices.Contains(g.asked, "new") {
		t.Fatalf("after the session was thrown away: %+v, %q", g.state, g.asked)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the trash is not empty, and the file is gone: %v", err)
	}
	g.empty()
	g.Settle()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || g.state.Trashed != 0 {
		t.Errorf("emptied, and the file: %v, %+v", err, g.state)
	}
	g.Layers.Back() // Esc
	if g.Shown() || !g.Root.Hidden {
		t.Error("Esc does not close the page")
	}
}

func TestWhatIsDoneWithAPictureAndASession(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	g.list.Select(1)
	g.Settle()
	g.renameTo(1, " Rex ")
	g.Settle()
	if g.title.Text != "Rex" {
		t.Errorf("renamed to %q", g.title.Text)
	}
	g.picked(id)
	g.key(fyne.KeyReturn)
	g.Toggle()
	g.asReference()
	g.Toggle()
	g.revealFile()
	g.host.Journal.SetSession(0)
	g.refresh()
	test.Tap(g.buttons["open"])
	want := []string{
		"session 1 is Rex", fmt.Sprint("show ", id),
		fmt.Sprintf("reference dog-7.png of %d, %d bytes, <nil>", id, len(fileOf(t, g.picture(id)))),
		"reveal " + g.pictures(), "session 1",
	}
	if !slices.Equal(g.asked, want) || g.Shown() {
		t.Errorf("asked for %q\nwant %q", g.asked, want)
	}
}

// TestNoOtherSessionWhileAJobRuns (rev10, no. 7): what is off then says why, under the pointer and when it is pressed.
func TestNoOtherSessionWhileAJobRuns(t *testing.T) {
	g := newBench(t)
	g.open(7)
	g.list.Select(1)
	g.Settle()
	const why = "A job is running: wait until all are done, or pause the queue and stop the job."
	buttons := []string{"new", "drop", "open"}
	for _, id := range buttons {
		if about := g.buttons[id].Explanation(); strings.Contains(about, why) {
			t.Errorf("%s without a job: %q", id, about)
		}
	}
	g.House.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}}
	g.refresh()
	for _, id := range buttons {
		g.state.Err = nil
		g.buttons[id].Tapped(nil)
		if b := g.buttons[id]; !b.Disabled() || !strings.HasSuffix(b.Explanation(), why) || g.snackText.Text != why {
			t.Errorf("%s: off is %v, %q, and pressed %q", id, b.Disabled(), b.Explanation(), g.snackText.Text)
		}
	}
	g.state.Err = nil
	g.Commands.Do("history.new")
	if g.snackText.Text != why || len(g.asked) > 0 {
		t.Errorf("the key says %q and asks for %q", g.snackText.Text, g.asked)
	}
	g.Hide()
	if g.Commands.Do("history.new"); !slices.Equal(g.asked, []string{"new"}) {
		t.Errorf("over the studio the key asks for %q", g.asked) // the keeper says it there
	}
	g.Toggle()
	g.free()
	g.House.State.Queue.Flights = nil
	if g.refresh(); g.snackText.Text != "" {
		t.Errorf("once the job has ended: %q", g.snackText.Text)
	}
}

func fileOf(t *testing.T, p history.Picture) []byte {
	t.Helper()
	data, err := os.ReadFile(p.File)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAPictureWithoutAFileIsShown(t *testing.T) {
	g := newBench(t)
	id := uitest.Kept(t, g.host.Journal.Store(), "", 0, 7)
	g.open()
	g.picked(id)
	if d := g.state.Detail; d == nil || !strings.Contains(g.trouble.Text, "could not be written") || d.Large == nil || g.buttons["reference"].Hidden {
		t.Errorf("%+v, %q", d, g.trouble.Text)
	}
}

// TestEmptyTakesAll: what went into the trash while the clock was ahead goes with the rest.
func TestEmptyTakesAll(t *testing.T) {
	g := newBench(t)
	g.open(7, 8)
	g.Settle()
	s := g.host.Journal.Store()
	ids, err := s.Find(history.Filter{})
	if err == nil {
		err = s.Trash(time.Now().AddDate(1, 0, 0), history.Item{Kind: history.PictureItem, ID: ids[0]})
	}
	if err != nil {
		t.Fatal(err)
	}
	g.empty()
	g.Settle()
	if left, err := s.TrashCan(); len(left) > 0 || err != nil {
		t.Errorf("the trash, which is said to be empty, has %v, %v", left, err)
	}
	if !slices.Equal(g.asked, []string{"binned"}) {
		t.Errorf("the studio is told %q", g.asked)
	}
}

func TestASessionGoesOutAndComesBack(t *testing.T) {
	zip := filepath.Join(t.TempDir(), "out.zip")
	var names []string
	g := newBench(t, func(h *Host) {
		h.SaveSession = func(name string) (string, error) { names = append(names, name); return zip, nil }
		h.OpenSession = func() (string, error) { return zip, nil }
	})
	g.open(7)
	g.look(func(l *query) { l.Session = 1 })
	g.Settle()
	for _, name := range []string{"own work", " ..\\a/b: \"" + strings.Repeat("long ", 99), "?"} { // it may be called anything
		g.renameTo(1, name)
		g.Settle()
		g.export()
		g.Settle()
	}
	if !slices.Equal(names, []string{"own work.zip", "ab " + strings.Repeat("long ", 11) + "lo.zip", "session.zip"}) {
		t.Errorf("called %q", names)
	}
	if !strings.Contains(g.snackText.Text, "out.zip") {
		t.Errorf("says %q", g.snackText.Text)
	}
	g.importFile()
	g.Settle()
	if !strings.Contains(g.snackText.Text, "already here") || g.told != nil {
		t.Errorf("says %q, %v", g.snackText.Text, g.told)
	}
	g.trashSession()
	g.Settle()
	g.throw("before", history.Item{Kind: history.PictureItem, ID: 1})
	g.Settle()
	g.importFile()
	g.Settle()
	if want := "The session is out of the trash; everything in it was already here."; g.snackText.Text != want {
		t.Errorf("out of the trash it says %q", g.snackText.Text)
	}
	if back := g.state.Snack.back(); back == nil || back.Text != "before" || back.then != nil {
		t.Errorf("undo is of %+v", back)
	}
	g.undoTrash()
	g.Settle()
	if g.Undoable() || !g.snack.Hidden {
		t.Errorf("what is back can come back: %q", g.snackText.Text)
	}
	g.look(func(l *query) { l.Session = 1 })
	g.Settle()
	g.trashSession()
	g.Settle()
	g.empty()
	g.Settle()
	g.look(func(l *query) { l.Trash = true })
	g.Settle()
	g.importFile()
	g.Settle()
	if g.state.Look != (query{Session: g.state.Sessions[0].ID}) { // fault 25
		t.Errorf("after an import the page looks at %+v", g.state.Look)
	}
	if len(g.state.Sessions) != 1 || len(g.state.IDs) != 1 || !strings.Contains(g.snackText.Text, "Imported 1 picture") {
		t.Errorf("says %q, %+v", g.snackText.Text, g.state)
	}
	if err := os.WriteFile(zip, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.importFile()
	g.Settle()
	if g.state.Err == nil || g.told != nil || g.state.Busy != "" {
		t.Errorf("a bad file: %v, the history %v", g.state.Err, g.told)
	}
}

// A picture whose file was gone when its session was exported was not stopped: it has no file where it is imported.
func TestASessionComesWithoutAFile(t *testing.T) {
	zip := filepath.Join(t.TempDir(), "out.zip")
	g := newBench(t, func(h *Host) {
		h.SaveSession = func(string) (string, error) { return zip, nil }
		h.OpenSession = func() (string, error) { return zip, nil }
	})
	id := g.open(7, 8)[0]
	if err := os.Remove(g.picture(id).File); err != nil {
		t.Fatal(err)
	}
	g.look(func(l *query) { l.Session = 1 })
	g.Settle()
	g.export()
	g.Settle()
	g.trashSession()
	g.Settle()
	g.empty()
	g.Settle()
	g.importFile()
	g.Settle()
	if want := "Imported 2 pictures. 1 has no file: it was gone when the session was exported."; g.snackText.Text != want {
		t.Errorf("says %q", g.snackText.Text)
	}
	missing := 0
	for _, id := range g.state.IDs {
		if p, err := g.host.Journal.Store().Picture(id); err != nil || !p.Finished() {
			t.Errorf("%+v, %v", p, err)
		} else if gone(p) {
			missing++
		}
	}
	if missing != 1 {
		t.Errorf("%d pictures miss their file", missing)
	}
}

// A session without pictures was not here before either.
func TestASessionWithoutPicturesComes(t *testing.T) {
	zip := filepath.Join(t.TempDir(), "out.zip")
	g := newBench(t, func(h *Host) { h.OpenSession = func() (string, error) { return zip, nil } })
	g.open(7)
	s := g.host.Journal.Store()
	id, err := s.NewSession("own work", time.Now())
	if err == nil {
		_, err = s.ExportFile(t.Context(), id, zip)
	}
	if err := errors.Join(err, s.Trash(time.Now().Add(-time.Hour), history.Item{Kind: history.SessionItem, ID: id})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Empty(time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"The session is imported.", "Everything in this session was already here."} {
		g.importFile()
		if g.Settle(); g.snackText.Text != want {
			t.Errorf("says %q, want %q", g.snackText.Text, want)
		}
	}
}

// Sessions that are dropped while something else is under way are all taken in once it has ended, and what went wrong before is still said.
func TestAllSessionsThatWaitAreTakenIn(t *testing.T) {
	zip := filepath.Join(t.TempDir(), "out.zip")
	g := newBench(t, func(h *Host) { h.SaveSession = func(string) (string, error) { return zip, nil } })
	g.open(7)
	g.look(func(l *query) { l.Session = 1 })
	g.Settle()
	g.export()
	g.Settle()
	hold := make(chan error)
	g.begin("Exporting…", func() (string, error) { return "", <-hold })
	var asked []string
	for _, name := range []string{"A.zip", "B.zip", "C.zip"} {
		g.importFrom(func() ([]string, error) {
			asked = append(asked, name)
			return []string{zip}, nil
		})
	}
	hold <- errors.New("the disk is full")
	g.Settle()
	if !slices.Equal(asked, []string{"A.zip", "B.zip", "C.zip"}) || len(g.later) > 0 {
		t.Errorf("taken in: %q, %d wait", asked, len(g.later))
	}
	if g.state.Err == nil || !strings.Contains(g.state.Err.Error(), "the disk is full") || g.state.Busy != "" {
		t.Errorf("says %v, does %q", g.state.Err, g.state.Busy)
	}
}

func TestAMissingFileIsMadeAgain(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	path := g.picture(id).File
	whole := fileOf(t, g.picture(id))
	if err := os.RemoveAll(g.pictures()); err != nil {
		t.Fatal(err)
	}
	g.thumbs.forget()
	g.grid.Refresh()
	g.Settle()
	g.picked(id)
	if th := g.thumbs.get(id); th == nil || !th.missing || !g.state.Detail.Missing || g.buttons["remake"].Hidden || !g.buttons["reveal"].Hidden || !strings.Contains(g.trouble.Text, "not where it was") {
		t.Fatalf("thumbnail %+v, %q", th, g.trouble.Text)
	}
	if !g.buttons["remake"].Disabled() {
		t.Error("without a model it can be made again")
	}
	g.remake() // does nothing
	var asked inference.Request
	g.maker = making(&asked)
	g.maker.Model.Name = "another"
	g.remake()
	g.Settle()
	if g.state.Err == nil || !strings.Contains(g.state.Err.Error(), "open that one") {
		t.Errorf("with another model: %v", g.state.Err)
	}
	g.maker = making(&asked)
	g.remake()
	g.Settle()
	if len(asked.Subjects[0].References[0].Data) == 0 || asked.From == nil || asked.From.Step != 2 || asked.Seeds[0] != 7 {
		t.Errorf("request %+v", asked)
	}
	if data, err := os.ReadFile(path); !bytes.Equal(data, whole) || g.state.Err != nil || !strings.Contains(g.snackText.Text, "identical to the last bit") {
		t.Errorf("%v, %v, says %q", err, g.state.Err, g.snackText.Text)
	}
	g.picked(0)
	g.picked(id)
	if g.state.Detail.Missing || !g.buttons["remake"].Hidden || !slices.Contains(g.asked, fmt.Sprint("remade ", id)) {
		t.Errorf("the file is back and still called missing; %q", g.asked)
	}
}

func TestBudgetTrimsStepsButNeverPinnedOnes(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	steps := func(want int) {
		t.Helper()
		if steps, err := g.host.Journal.Store().Steps(id); len(steps) != want || err != nil {
			t.Errorf("%d steps are left, want %d, %v", len(steps), want, err)
		}
	}
	g.picked(id)
	g.pin.SetChecked(true)
	g.Settle()
	g.SetBudget(1)
	g.Settle()
	steps(4)
	g.pin.SetChecked(false)
	g.Settle()
	g.budget.SetSelected("500.0 MB")
	g.Settle()
	steps(4)
	if g.host.Journal.Budget.Load() != 500e6 || !slices.Equal(g.asked, []string{"budget 1", "budget 500000000"}) {
		t.Errorf("%d, %q", g.host.Journal.Budget.Load(), g.asked)
	}
	g.SetBudget(1)
	g.Settle()
	steps(0)
}

func TestSeveralPicturesAreStarredExportedComparedAndThrownAway(t *testing.T) {
	out := t.TempDir()
	g := newBench(t, func(h *Host) { h.OpenFolder = func() (string, error) { return out, nil } })
	made := g.open(7, 8, 9)
	third, second, first := made[0], made[1], made[2]
	if !slices.Equal(g.state.IDs, []uint64{first, second, third}) {
		t.Fatalf("%v", g.state.IDs)
	}
	g.tapped(first, 0)
	g.tapped(second, fyne.KeyModifierShift)
	g.Settle()
	if !slices.Equal(g.state.Marked, []uint64{first, second}) || g.number.Text != "2 of 3 pictures selected" || g.buttons["compare"].Hidden {
		t.Fatalf("marked %v, %q", g.state.Marked, g.number.Text)
	}
	g.key(fyne.KeyPeriod)
	starred := func() (n int) {
		for _, id := range made {
			if g.picture(id).Starred {
				n++
			}
		}
		return n
	}
	if starred() != 2 {
		t.Errorf("%d have a star", starred())
	}
	g.tapped(third, fyne.KeyModifierShortcutDefault)
	g.starAll()
	g.Settle()
	if starred() != 3 {
		t.Errorf("of a mixed selection %d have a star", starred())
	}
	g.starAll()
	g.Settle()
	if starred() != 0 {
		t.Errorf("the second time %d have a star", starred())
	}
	g.exportAll()
	g.Settle()
	files, _ := filepath.Glob(filepath.Join(out, "*.png"))
	if len(files) != 3 || !strings.HasPrefix(g.snackText.Text, "Copied 3 pictures") {
		t.Errorf("%d files are exported, the page says %q", len(files), g.snackText.Text)
	}
	named := func(path func(name string) string) {
		t.Helper()
		for _, id := range []uint64{first, second} {
			if _, err := os.Stat(filepath.Join(out, path(filepath.Base(g.picture(id).File)))); err != nil {
				t.Error(err)
			}
		}
	}
	named(func(name string) string { return name })
	if err := os.Remove(g.picture(third).File); err != nil {
		t.Fatal(err)
	}
	g.exportAll()
	g.Settle()
	named(func(name string) string { return strings.TrimSuffix(name, ".png") + "-0001.png" }) // its own is there
	if files, _ = filepath.Glob(filepath.Join(out, "*.png")); len(files) != 5 {
		t.Errorf("with one missing there are %d files", len(files))
	}
	if err := os.Mkdir(g.picture(third).File, 0o777); err != nil { // there, and not to be read
		t.Fatal(err)
	}
	g.exportAll()
	g.Settle()
	if files, _ = filepath.Glob(filepath.Join(out, "*.png")); len(files) != 7 || !strings.HasSuffix(g.snackText.Text, "1 has no file that can be read.") {
		t.Errorf("with one that cannot be read there are %d files, and it says %q", len(files), g.snackText.Text)
	}
	folder := out
	if out = filepath.Join(t.TempDir(), "file"); os.WriteFile(out, nil, 0o666) != nil {
		t.Fatal("no file")
	}
	g.exportAll()
	g.Settle()
	if !strings.HasPrefix(g.snackText.Text, "0 of 3 pictures were copied: ") {
		t.Errorf("into what is no folder it says %q", g.snackText.Text)
	}
	out = folder
	g.tapped(first, fyne.KeyModifierShortcutDefault) // no longer
	g.Settle()
	g.key(fyne.KeyDelete)
	if !slices.Equal(g.state.IDs, []uint64{first}) || len(g.state.Snack.Undo) != 2 || g.snackText.Text != "2 pictures moved to the trash." {
		t.Fatalf("%v are left, %q", g.state.IDs, g.snackText.Text)
	}
	g.undoTrash()
	g.Settle()
	if len(g.state.IDs) != 3 {
		t.Errorf("undo brings back %v", g.state.IDs)
	}
	g.marked(g.state.markAll())
	g.trashAll()
	g.Settle()
	g.list.Select(2) // the trash
	g.Settle()
	g.tapped(third, 0)
	g.tapped(second, fyne.KeyModifierShift)
	g.Settle()
	g.restoreAll()
	g.Settle()
	if !slices.Equal(g.state.IDs, []uint64{first}) || g.state.Chosen != first || g.snackText.Text != "2 pictures are back in their places." {
		t.Errorf("of the trash %v is left, %d chosen, %q", g.state.IDs, g.state.Chosen, g.snackText.Text)
	}
	g.restoreAll()
	g.list.Select(0)
	g.Settle()
	g.tapped(first, 0)
	g.tapped(second, fyne.KeyModifierShortcutDefault)
	g.Settle()
	g.compareTwo()
	if last := g.asked[len(g.asked)-1]; g.Shown() || last != fmt.Sprintf("compare %d, %d", first, second) {
		t.Errorf("asked for %q", last)
	}
	g.Toggle()
	g.OnCompare = func(_, _ uint64, done func(error)) { done(errors.New("no such picture")) }
	g.compareTwo()
	if !g.Shown() || !strings.Contains(g.snackText.Text, "No such picture") {
		t.Errorf("a picture that cannot be read: %q", g.snackText.Text)
	}
}

// Keys act on the picture with the frame, which a click and the arrows choose, and Fyne draws the keyboard's place there.
func TestArrowsChoose(t *testing.T) {
	g := newBench(t)
	g.open(1, 2, 3, 4, 5, 6, 7, 8)
	shown := uint64(0)
	g.OnShow = func(id uint64) { shown = id }
	ids := slices.Clone(g.state.IDs)
	highlit := -1
	g.grid.OnHighlighted = func(i int) { highlit = i }
	g.key(fyne.KeyRight)
	if g.state.Chosen != ids[0] {
		t.Errorf("the first arrow chooses number %d", slices.Index(ids, g.state.Chosen))
	}
	g.grid.tapped(ids[4], false)
	g.Settle()
	row := g.grid.ColumnCount()
	for _, c := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyRight, 5}, {fyne.KeyRight, 6}, {fyne.KeyLeft, 5}, {fyne.KeyUp, max(5-row, 0)}, {fyne.KeyDown, min(max(5-row, 0)+row, 7)}} {
		if g.key(c.key); g.state.Chosen != ids[c.want] || highlit != c.want || g.state.Detail == nil || g.state.Detail.Picture.ID != ids[c.want] {
			t.Errorf("%s chooses number %d and Fyne shows %d, want %d", c.key, slices.Index(ids, g.state.Chosen), highlit, c.want)
		}
	}
	g.key(fyne.KeyRight)
	at := g.state.Chosen
	g.key(fyne.KeyDelete)
	if slices.Contains(g.state.IDs, at) || len(g.state.IDs) != 7 {
		t.Errorf("Delete leaves %v, and not without %d", g.state.IDs, at)
	}
	at = g.state.Chosen
	if g.key(fyne.KeyReturn); shown != at || at == 0 {
		t.Errorf("Enter opens %d, and %d has the frame", shown, at)
	}
}

// TestABadgeStaysOnItsPicture, however long it is and however large the texts are: a shorter one takes its place, or it is cut with dots.
func TestABadgeStaysOnItsPicture(t *testing.T) {
	t.Cleanup(func() { kit.SetLook("system", 100) })
	g := newBench(t)
	c := newPictureCell(g.grid)
	for _, x := range []struct {
		width      float32
		step       int
		want, drew string
	}{
		{160, 12, "stopped · step 12", "stopped · step 12"}, {90, 12, "stopped", "stopped"}, {56, 12, "stopped", "…"}, {160, 0, "stopped", "stopped"},
	} {
		c.says = []string{state.StoppedAt(x.step), state.StoppedAt(0)}
		c.marker.Show()
		c.Resize(fyne.NewSize(x.width, x.width))
		c.body.Resize(fyne.NewSize(x.width, x.width))
		c.corner.Refresh()
		drawn := test.WidgetRenderer(c.badge).Objects()[0].(*canvas.Text).Text
		if c.badge.Text != x.want || !strings.HasSuffix(drawn, x.drew) || c.marker.Size().Width > c.corner.Size().Width {
			t.Errorf("on %g it says %q, draws %q, %g of %g", x.width, c.badge.Text, drawn, c.marker.Size().Width, c.corner.Size().Width)
		}
	}
}

// A thumbnail that was made again is in the history the next time.
func TestThumbnailsMadeAgainAreKept(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	fresh := uitest.PNG(uitest.Green)
	g.keepThumb(id, fresh)
	g.keepThumb(id+100, fresh) // deleted meanwhile: no trouble
	g.Settle()
	if p := g.picture(id); !bytes.Equal(p.Thumbnail, fresh) || g.told != nil {
		t.Errorf("%d bytes are kept, %v", len(p.Thumbnail), g.told)
	}
	if g.ThumbSide() != journal.ThumbSide {
		t.Errorf("thumbnails are made of %d pixels", g.ThumbSide())
	}
	kit.SetLook("system", 150)
	t.Cleanup(func() { kit.SetLook("system", 100) })
	if g.ThumbSide() != journal.LargeThumb {
		t.Errorf("with larger texts thumbnails are made of %d pixels", g.ThumbSide())
	}
}

// A job that used an earlier picture stands below the job that made it, and the picture in view is marked.
func TestTheTreeFollowsTheHistory(t *testing.T) {
	b := newBench(t)
	first := b.round(0, 7)
	b.host.Journal.SetSession(1)
	second, third := b.round(1, 8, first), b.round(1, 9, first)
	b.tree.toggle()
	b.Settle()
	if n := b.tree.nodes; len(n) != 3 || n[1].Parent != 0 || n[2].Parent != 0 || n[2].Column != 1 || b.tree.empty.Visible() {
		t.Fatalf("tree %+v", n)
	}
	test.Tap(b.tree.tiles[1])
	if !slices.Equal(b.asked, []string{fmt.Sprint("show ", second)}) {
		t.Errorf("asked for %q", b.asked)
	}
	b.House.State.Shots = make([]state.Shot, 1)
	b.House.State.Shots[0].Kept, b.House.State.View = third, state.View{Step: -1}
	b.tree.Refresh()
	b.Settle()
	if b.tree.tiles[0].Chosen || b.tree.tiles[1].Chosen || !b.tree.tiles[2].Chosen {
		t.Error("the picture in view is not marked")
	}
	b.host.Journal.SetSession(0)
	b.tree.toggle()
	b.tree.toggle()
	b.Settle()
	if b.tree.Root.Hidden {
		t.Error("the tree does not come back")
	}
}

// A job that is stopped comes to the tree as its last step showed it, dimmed and with that step's number; while it runs, and where it was
// stopped before anything was to be seen of it, it is not there.
func TestStoppedJobsStandInTheTree(t *testing.T) {
	b := newBench(t)
	b.round(0, 7)
	b.host.Journal.SetSession(1)
	b.tree.toggle()
	b.Settle()
	r := inference.Request{Prompt: "a dog", Seeds: []uint64{8}, Settings: inference.Settings{
		Negative: " ", Preset: "paper", Width: 16, Height: 16, Steps: 4, Stop: 2, CFG: 3, Sampler: "ddim",
	}}
	stop := func(steps int, while func()) {
		events := make(chan inference.Event)
		out := b.host.Journal.Record(0, r, "toybox", nil, events)
		send := func(e inference.Event) {
			events <- e
			<-out
		}
		send(inference.StageStarted{Stage: inference.StageDenoise})
		for i := range steps {
			send(uitest.Step(i, 4, 0, 0))
		}
		b.Settle()
		while()
		send(inference.Failed{Err: context.Canceled})
		close(events)
		for range out {
		}
		b.Settle()
		b.Written()
		b.Settle()
	}
	shown := func(want int) {
		t.Helper()
		if n := len(b.tree.tiles); n != want {
			t.Fatalf("the tree has %d jobs, want %d", n, want)
		}
	}
	stop(3, func() { b.Written(); b.tree.read(); b.Settle(); shown(1) })
	shown(2)
	last := b.tree.tiles[1]
	if got := color.NRGBAModel.Convert(kit.ThumbImage(last).Image.At(0, 0)).(color.NRGBA); got.A != 128 {
		t.Errorf("what was stopped is not dimmed: %v", got)
	}
	if !strings.HasSuffix(last.Name, "a dog · stopped · step 3") {
		t.Errorf("it is called %q", last.Name)
	}
	stop(0, func() {})
	shown(2)
}

// TestPageSituations compares what the page looks like with testdata.
func TestSituations(t *testing.T) {
	at := time.Date(2020, 5, 6, 7, 8, 9, 0, time.UTC)
	some := contents{
		Sessions: []sessionRow{{ID: 2, Title: "Rex", When: at, Usage: history.Usage{Rounds: 2, Pictures: 3, Bytes: 2e6}, Newest: 9}, {ID: 1, Title: "a cat", When: at}},
		Total:    2e6, Steps: 5e5, IDs: []uint64{9, 7, 5}, Read: true,
	}
	detail := detail{
		Picture: history.Picture{ID: 9, Round: 3, Seed: 42, File: "/p/a.png", Width: 64, Height: 64, Steps: 25, StepBytes: 12_000, Starred: true},
		Round:   history.Round{ID: 3, Plan: history.Plan{Session: 2, Prompt: "a dog on the beach", Words: []string{"dog"}}, Started: at}, Number: 2, Rounds: 2,
	}
	for name, change := range map[string]func(*contents){
		"pictures": func(*contents) {},
		"nothing":  func(g *contents) { *g = contents{Look: query{Text: "cat"}, Read: true} },
		"chosen":   func(g *contents) { g.Chosen, g.Detail, g.Look.Session = 9, &detail, 2 },
		"missing": func(g *contents) {
			d := detail
			d.Missing = true
			g.Chosen, g.Detail = 9, &d
		},
		"trash": func(g *contents) { g.Look.Trash, g.Trashed, g.Chosen, g.Detail = true, 3, 9, &detail },
		"undo": func(g *contents) {
			g.Snack = snack{Text: "The picture is in the trash.", Undo: []history.Item{{Kind: history.PictureItem, ID: 1}}}
		},
		"trouble": func(g *contents) { g.Err = errors.New("the session cannot be read: choose another file") },
		"busy":    func(g *contents) { g.Look.Session, g.Busy = 2, "Importing…" },
	} {
		t.Run(name, func(t *testing.T) {
			g := newBench(t, func(o *Host) {
				o.OpenSession, o.SaveSession = func() (string, error) { return "", nil }, func(string) (string, error) { return "", nil }
			})
			g.Win.SetPadded(false)
			g.Win.Resize(fyne.NewSize(1076, 650))
			g.maker, g.state = &Maker{}, some
			change(&g.state)
			g.OnUp = func() {}
			g.Show()
			g.thumbs.keep([]uint64{9, 7, 5}, map[uint64]*thumb{9: {whole: true, starred: true}, 7: {whole: true, missing: true}, 5: {}})
			g.refresh()
			test.AssertObjectRendersToMarkup(t, "page-"+name+".xml", g.Root)
		})
	}
}

// TestAnErrorIsReadToItsEnd (rev10, no. 3): its end says what helps.
func TestAnErrorIsReadToItsEnd(t *testing.T) {
	g := newBench(t)
	g.Win.Resize(fyne.NewSize(1076, 650))
	g.open(7)
	line := func() float32 {
		g.refresh()
		return g.snack.Size().Height
	}
	g.state.Err = errors.New("short")
	one := line()
	g.state.Err = fmt.Errorf("%s cannot be written: the disk is full; free some space, or choose another folder", strings.Repeat("/a-dog-and-a-cat", 12))
	if more := line(); g.snackText.Text != wording.Sentence(g.state.Err) || more < one+30 || g.snackText.Size().Height > more {
		t.Errorf("%q, in %.0f px; one line takes %.0f, all of it %.0f", g.snackText.Text, more, one, g.snackText.Size().Height)
	}
}

// TestCellsFillTheWidthBesideTheBar (faults 27 and 28): whatever the width of the page, no cell lies under the scroll bar, none leaves room
// for another, and on a large screen they are larger.
func TestCellsFillTheWidthBesideTheBar(t *testing.T) {
	g := newBench(t)
	g.open(7)
	for _, size := range []fyne.Size{{Width: 960, Height: 560}, {Width: 1240, Height: 800}, {Width: 1313, Height: 700}, {Width: 1920, Height: 1080}, {Width: 3840, Height: 2160}} {
		g.Win.Resize(size)
		g.Settle()
		pad := g.grid.Theme().Size(theme.SizeNamePadding)
		columns := float32(g.grid.ColumnCount())
		taken, room := columns*(g.grid.side+pad)-pad, g.grid.Size().Width-kit.BarWidth
		if taken > room || taken < room-columns-1 {
			t.Errorf("%v: %g cells of %g take %g of %g", size, columns, g.grid.side, taken, room)
		}
		if g.grid.side < 0.9*cellSide || size.Height > 2000 && g.grid.side < 1.9*cellSide || size.Height < 900 && g.grid.side > 1.6*cellSide {
			t.Errorf("%v: cells have %g", size, g.grid.side)
		}
		if high := g.big.Size().Height; size.Height > 2000 && high < 2*detailSide {
			t.Errorf("%v: the chosen picture has %g", size, high)
		}
	}
	if g.ThumbSide() != journal.LargeThumb {
		t.Errorf("large cells show thumbnails of %d pixels", g.ThumbSide())
	}
}

// TestTheTreeEndsBesideItsBars (fault 28): the last job and the lowest level can be scrolled to where no bar lies.
func TestTheTreeEndsBesideItsBars(t *testing.T) {
	s := &Tree{nodes: []journal.Node{{Parent: -1}, {Parent: 0, Column: 3, Level: 2}}}
	if got := (&treeLayout{s}).MinSize(nil); got != fyne.NewSize(4*nodeWidth+kit.BarWidth, 3*nodeHeight+kit.BarWidth) {
		t.Errorf("the tree takes %v", got)
	}
	if two := (&treeLayout{&Tree{nodes: []journal.Node{{Parent: -1}, {Level: 1}}}}).MinSize(nil).Height; two > treeHeight {
		t.Errorf("two levels need %g, and have %g: they would scroll", two, float32(treeHeight))
	}
}

// TestNothingIsCountedBeforeItIsRead (fault 25).
func TestNothingIsCountedBeforeItIsRead(t *testing.T) {
	g := newBench(t)
	g.round(0, 7)
	g.Toggle()
	if g.number.Text != "" || strings.Contains(g.nothing.Text, "Your pictures") {
		t.Errorf("before anything is read it says %q and %q", g.number.Text, g.nothing.Text)
	}
	g.Settle()
	if g.number.Text != "1 picture" {
		t.Errorf("then it says %q", g.number.Text)
	}
}

// TestTheChosenPictureHasAFrame (fault 25).
func TestTheChosenPictureHasAFrame(t *testing.T) {
	g := newBench(t)
	ids := g.open(7, 8)
	g.picked(ids[0])
	c := newPictureCell(g.grid)
	for i, framed := range []bool{true, false} {
		if c.show(ids[i]); (c.back.Stroke != "") != framed {
			t.Errorf("picture %d has the frame %q", i, c.back.Stroke)
		}
	}
}

// TestAPictureThatIsBegunAppears: also where the page was open before, as soon as there is something to see of it.
func TestAPictureThatIsBegunAppears(t *testing.T) {
	b := newBench(t)
	b.open(7)
	s := b.host.Journal.Store()
	round, err := s.BeginRound(history.Plan{Session: 1, Prompt: "a cat", Recipe: []byte("{}")}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := s.StartPicture(round, 8)
	if err != nil {
		t.Fatal(err)
	}
	b.Written()
	b.Settle()
	if len(b.state.IDs) != 1 {
		t.Fatal("it was read before there was anything to see")
	}
	b.Change(func(s *state.State) {
		s.Queue = s.Queue.Begin(state.Task{ID: 3}, state.Round{Phase: state.Running, Film: []inference.StepDone{{}}})
	})
	b.Written()
	b.Settle()
	if len(b.state.IDs) != 2 || b.state.IDs[0] != fresh {
		t.Errorf("the page shows %v, the new one is %d", b.state.IDs, fresh)
	}
}

// A list of Fyne's keeps Esc to itself, and the page of sessions did not close once a row was clicked.
func TestEscOfTheSessions(t *testing.T) {
	l := newSessionList(func() int { return 1 }, func(int, fyne.CanvasObject) {})
	w := test.NewTempWindow(t, l)
	var heard []fyne.KeyName
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { heard = append(heard, e.Name) })
	w.Canvas().Focus(l)
	for _, key := range []fyne.KeyName{fyne.KeyDown, fyne.KeyEscape} {
		l.TypedKey(&fyne.KeyEvent{Name: key})
	}
	if !slices.Equal(heard, []fyne.KeyName{fyne.KeyEscape}) {
		t.Errorf("the window hears %q", heard)
	}
}

// What was thrown away comes back also after something else was done and said, and the way back stays where it could not be gone.
func TestUndoOutlivesWhatIsSaid(t *testing.T) {
	out, broken := t.TempDir(), error(nil)
	g := newBench(t, func(h *Host) { h.OpenFolder = func() (string, error) { return out, broken } })
	ids := g.open(7, 8, 9)
	throw := func(id uint64) {
		g.picked(id)
		g.key(fyne.KeyDelete)
	}
	throw(ids[0])
	throw(ids[1])
	for _, broken = range []error{nil, errors.New("no folder")} {
		g.picked(ids[2])
		g.exportAll()
		if !g.Undoable() {
			t.Error("nothing comes back while an export goes on")
		}
		if g.Settle(); !g.undo.Hidden {
			t.Errorf("Undo stands beside %q", g.snackText.Text)
		}
	}
	g.look(func(l *query) { l.Trash = true }) // something else is shown
	g.Settle()
	if !g.Undoable() || !g.snack.Hidden {
		t.Errorf("beside what else is shown it says %q, and can be undone: %v", g.snackText.Text, g.Undoable())
	}
	g.Hide()
	g.Show()
	if g.Settle(); g.undo.Hidden || g.snack.Hidden || !g.Undoable() {
		t.Error("in the studio the way back was lost")
	}
	trashed, back := g.state.Trashed, 0
	for g.Undone() {
		back++
	}
	if back != 2 {
		t.Errorf("%d come back, not two", back)
	}
	if g.Settle(); trashed != 2 || g.state.Trashed != 0 {
		t.Errorf("%d were in the trash, %d are", trashed, g.state.Trashed)
	}
	g.state.Snack = snack{Text: "gone", Undo: []history.Item{{Kind: history.PictureItem, ID: 12345}}}
	g.Undone()
	if g.Settle(); g.state.Err == nil || !g.Undoable() {
		t.Errorf("%v; it can be tried again: %v", g.state.Err, g.Undoable())
	}
}

// The keys of the trash do what stands beside its pictures: no star is given there, and Del says why nothing happens.
func TestKeysOfTheTrash(t *testing.T) {
	g := newBench(t)
	id := g.open(7)[0]
	g.picked(id)
	g.key(fyne.KeyDelete)
	g.look(func(l *query) { l.Trash = true })
	g.Settle()
	g.picked(id)
	g.key(fyne.KeyPeriod)
	if g.picture(id).Starred || g.snackText.Text != "" {
		t.Errorf("a star in the trash: %v; it says %q", g.picture(id).Starred, g.snackText.Text)
	}
	if g.key(fyne.KeyDelete); !strings.Contains(g.snackText.Text, "in the trash already") || g.state.Trashed != 1 {
		t.Errorf("Del says %q", g.snackText.Text)
	}
}

// The other button on a session chooses it and shows what can be done with it, on the trash how to empty it, and on all pictures nothing.
func TestSessionsHaveMenus(t *testing.T) {
	g := newBench(t)
	g.open(7)
	g.Win.Resize(fyne.NewSize(1000, 600))
	menu := func(i int) (labels []string) {
		t.Helper()
		row := g.list.CreateItem()
		g.list.UpdateItem(i, row)
		row.(fyne.SecondaryTappable).TappedSecondary(&fyne.PointEvent{AbsolutePosition: fyne.NewPos(40, 40)})
		g.Settle()
		top := g.Win.Canvas().Overlays().Top()
		if top == nil {
			return nil
		}
		menu := reflect.ValueOf(top).Elem().FieldByName("Content").Interface().(*widget.PopUpMenu)
		for _, o := range menu.Items {
			labels = append(labels, reflect.ValueOf(o).Elem().FieldByName("Item").Interface().(*fyne.MenuItem).Label)
		}
		menu.Hide()
		return labels
	}
	if got := menu(0); got != nil {
		t.Errorf("all pictures have the menu %q", got)
	}
	if got := menu(1); !slices.Equal(got, []string{"Continue", "Rename…", "Export…", "Delete"}) || g.state.Look.Session == 0 {
		t.Errorf("a session has the menu %q, chosen is %+v", got, g.state.Look)
	}
	if got := menu(2); !slices.Equal(got, []string{"Empty the trash…"}) {
		t.Errorf("the trash has the menu %q", got)
	}
	row := g.list.CreateItem().(*kit.ListRow)
	g.list.UpdateItem(1, row)
	row.Tapped(nil)
	if g.Settle(); g.state.Look.Session == 0 || g.Win.Canvas().Focused() != g.list {
		t.Error("a click does not choose the session")
	}
}

// The buttons below the sessions stand apart, whatever language they speak, and end within the panel.
func TestLookSessionButtonsStandApart(t *testing.T) {
	plain.Run(t)
	defer i18ntest.English(t)
	for _, language := range []string{"", "de", "fr", "es"} {
		if language != "" {
			if err := i18n.Speak(translations.Files, language); err != nil {
				t.Fatal(err)
			}
		}
		g := newBench(t)
		g.open(7)
		g.list.Select(1)
		g.Settle()
		g.Win.Resize(fyne.NewSize(1376, 800))
		tools := g.rowTools.Objects
		for i, o := range tools {
			if end := o.Position().X + o.Size().Width; o.Size().Width < o.MinSize().Width || end > g.rowTools.Size().Width {
				t.Errorf("%s: “%s” has %g units and needs %g", language, o.(*kit.Button).Text, o.Size().Width, o.MinSize().Width)
			}
			if i > 0 && tools[i-1].Position().Y == o.Position().Y && o.Position().X < tools[i-1].Position().X+tools[i-1].Size().Width+4 {
				t.Errorf("%s: “%s” touches what is before it", language, o.(*kit.Button).Text)
			}
		}
		if last := tools[len(tools)-1]; last.Position().Y+last.Size().Height > g.rowTools.Size().Height+0.5 {
			t.Errorf("%s: the buttons have %g units, and end at %g", language, g.rowTools.Size().Height, last.Position().Y+last.Size().Height)
		}
	}
}
