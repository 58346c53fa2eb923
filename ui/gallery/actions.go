package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Actions are the page's entries of the table of actions.
func (g *Page) Actions() []command.Action {
	open := func() bool { return g.host.State().History.Open }
	chosen := func() bool { return g.Shown() && g.state.Chosen != 0 }
	kept := func() bool { return chosen() && !g.state.Look.Trash }
	can := func(button string) func() bool { // as the button beside the picture
		return func() bool {
			b := g.buttons[button]
			return chosen() && g.state.Detail != nil && !b.Hidden && !b.Disabled()
		}
	}
	return append([]command.Action{
		{
			ID: "history.new", Menu: command.MenuFile, Label: i18n.T("New session"), Key: "Ctrl+N",
			Do: func() { // also while a job runs: a key that does nothing says nothing
				if !g.Shown() || g.free() {
					g.OnNew()
				}
			},
		},
		{
			ID: "history.show", Menu: command.MenuFile, Label: i18n.T("Sessions and pictures"), Key: "Ctrl+H", Mac: "Ctrl+Shift+H",
			Do: g.Toggle, Can: open,
			On: func() bool { return g.Shown() },
		},
		{ID: "history.star", Label: i18n.T("Star"), Key: ".", Do: g.starAll, Can: kept},
		{ID: "history.open", Label: i18n.T("Open in studio"), Do: g.showChosen, Can: can("show")},
		{
			ID: "history.reference", Label: i18n.T("Use as reference"), Where: i18n.T("on the page of the sessions"), Do: g.asReference,
			Can: can("reference"),
		},
		{ID: "history.reveal", Label: i18n.T("Show the file"), Do: g.revealFile, Can: can("reveal")},
		{ID: "history.remake", Label: i18n.T("Make the file again"), Do: g.remake, Can: can("remake")},
		{ID: "history.restore", Label: i18n.T("Restore from the trash"), Do: g.restoreAll, Can: can("restore")},
		{
			ID: "history.trash", Label: i18n.T("Move to the trash"), Key: "Del", Do: g.trashAll,
			Can: kept,
		},
	}, g.markActions()...)
}

// look changes what the gallery is asked to show.
func (g *Page) look(change func(*query)) {
	l := g.state.Look
	change(&l)
	if l == g.state.Look {
		return
	}
	g.state.Look = l
	g.state.Snack, g.state.Err = snack{then: g.state.Snack.back()}, nil // undo is not over
	g.grid.ScrollToTop()
	g.reload()
}

// reload reads the page anew. Of several that follow fast only the last one is read.
func (g *Page) reload() {
	if g.Shown() {
		g.finder.Set(g.state.Look)
	}
}

// Written shows the page anew where a picture was begun, or something of it was being made and is no more. It is called when the history
// has all that happened.
func (g *Page) Written() {
	g.Tree.written()
	if !g.Shown() || g.host.Journal.Working() { // then it is called once more
		return
	}
	if begun := g.begun(); begun != g.seen {
		g.seen = begun
		g.reload()
		return
	}
	for _, one := range g.thumbs.kept {
		if one.live && !g.host.Journal.Runs(one.round) {
			g.reload()
			return
		}
	}
}

// begun names the pictures in work of which there is something to see. A step reaches the window a moment before the history has it: the
// second one counts, too.
func (g *Page) begun() string {
	var list []string
	for _, f := range g.host.State().Queue.Flights {
		if n := len(f.Run.Film); n > 0 {
			list = append(list, fmt.Sprint(f.Task.ID, ":", f.Run.Film[0].Picture, ":", min(n, 2)))
		}
	}
	return strings.Join(list, " ")
}

// find is a reading, off the window's goroutine.
func (g *Page) find(l query) {
	s := g.host.Journal.Store()
	if s == nil {
		return
	}
	fresh, err := readContents(s, l)
	g.host.Post(func() {
		if l != g.state.Look {
			return
		}
		if err != nil {
			g.state.Err = err
		} else {
			g.thumbs.forgetLive()
			g.state = g.state.found(fresh)
		}
		g.refresh()
		if g.state.Chosen != 0 && g.state.Detail == nil {
			g.readDetail()
		}
	})
}

func (g *Page) thumbsCame(ids []uint64) {
	if !g.Shown() {
		return
	}
	for _, id := range ids {
		if i := slices.Index(g.state.IDs, id); i >= 0 {
			for n := max(i-1, 0); n < min(i+2, len(g.state.IDs)); n++ { // its neighbours may be of its job
				g.grid.RefreshItem(n)
			}
		}
		if i := slices.IndexFunc(g.state.Sessions, func(r sessionRow) bool { return r.Newest == id }); i >= 0 {
			g.list.RefreshItem(i + rowsBefore)
		}
	}
	if slices.Contains(ids, g.state.Chosen) {
		g.refreshDetail()
	}
}

func (g *Page) choose(id uint64) {
	if g.state.Chosen == id && g.state.Detail != nil {
		return
	}
	g.state = g.state.choose(id)
	g.readDetail()
}

// menuOf shows the menu of the chosen picture, once it is known what it is.
func (g *Page) menuOf(id uint64, at fyne.Position) {
	if g.state.Detail != nil {
		g.host.Commands.Menu(at, PictureMenu)
		return
	}
	g.menu = func() {
		if g.Shown() && g.state.Chosen == id {
			g.host.Commands.Menu(at, PictureMenu)
		}
	}
}

// readDetail reads what is said of the chosen picture.
func (g *Page) readDetail() {
	s, id := g.host.Journal.Store(), g.state.Chosen
	if s == nil || id == 0 {
		return
	}
	side := int(g.detailHeight() * kit.DensityOf(g.host.Layers.Canvas()))
	g.host.Background(func() func() {
		d := readDetail(s, g.host.Journal.Runs, id, side)
		return func() {
			if g.state.Chosen == id {
				g.state.Detail = &d
				g.refreshDetail()
				if menu := g.menu; menu != nil {
					g.menu = nil
					menu()
				}
			}
		}
	})
}

// change asks the journal for a change, and shows the page anew after it.
func (g *Page) change(do func(*history.Store) error, after func()) {
	g.host.Journal.Do(func(s *history.Store) error {
		err := do(s)
		g.host.Post(func() {
			if g.state.Err = err; err == nil && after != nil {
				after()
			}
			g.refresh()
			g.reload()
		})
		return err
	})
}

func (g *Page) setStar(on bool) {
	d := g.state.Detail
	if d == nil || d.Picture.Starred == on {
		return
	}
	id := d.Picture.ID
	d.Picture.Starred = on
	g.change(func(s *history.Store) error { return s.SetStar(id, on) }, func() { g.thumbs.forget(id) })
}

func (g *Page) toggleStar() {
	if d := g.state.Detail; d != nil {
		g.setStar(!d.Picture.Starred)
		g.refreshDetail()
	}
}

func (g *Page) setPin(on bool) {
	d := g.state.Detail
	if d == nil || d.Picture.Pinned == on {
		return
	}
	id := d.Picture.ID
	d.Picture.Pinned = on
	g.change(func(s *history.Store) error { return s.SetPin(id, on) }, nil)
}

// throw puts something into the trash and offers to take it out again.
func (g *Page) throw(text string, items ...history.Item) {
	g.change(func(s *history.Store) error { return s.Trash(time.Now(), items...) }, func() {
		g.state.Snack = snack{Text: text, Undo: items, then: g.state.Snack.back()}
		g.OnBinned()
	})
}

func (g *Page) trashSession() {
	id := g.state.Look.Session
	if id == 0 {
		return
	}
	if id == g.host.Journal.Session() {
		if !g.free() {
			return
		}
		g.OnNew()
	}
	g.throw(i18n.T("The session and its pictures moved to the trash."), history.Item{Kind: history.SessionItem, ID: id})
	g.look(func(l *query) { l.Session = 0 })
}

// undoTrash takes out of the trash what was thrown away last, if anything was. What was before it comes next.
func (g *Page) undoTrash() {
	was := g.state.Snack
	back := was.back()
	if back == nil {
		return
	}
	if g.state.Snack = (snack{}); back.then != nil {
		g.state.Snack = *back.then
	}
	g.change(func(s *history.Store) error {
		err := s.Restore(back.Undo...)
		if err != nil {
			g.host.Post(func() { g.state.Snack = was }) // to be tried again
		}
		return err
	}, func() {
		g.thumbs.forget()
		g.OnBinned()
	})
}

// Undone takes the last thing out of the trash again if the page is on the screen and something was thrown away there; for
// the window's undo.
func (g *Page) Undone() bool {
	can := g.Undoable()
	if can {
		g.undoTrash()
	}
	return can
}

func (g *Page) Undoable() bool { return g.Shown() && g.state.Snack.back() != nil }

// restoreAll takes all that are marked out of the trash, each with the job or the session that it was thrown away with.
func (g *Page) restoreAll() {
	list := slices.Clone(g.state.selection())
	if len(list) == 0 || !g.state.Look.Trash {
		return
	}
	text := i18n.T("It is back in its place.")
	if n := len(list); n > 1 {
		text = i18n.N(n, "%d picture is back in its place.", "%d pictures are back in their places.", n)
	}
	g.state = g.state.without()
	g.change(func(s *history.Store) error {
		var items []history.Item
		for _, id := range list {
			around, err := trashedAround(s, id)
			if err != nil {
				return err
			}
			items = append(items, around...)
		}
		return s.Restore(items...)
	}, func() {
		g.state.Snack = snack{Text: text}
		g.OnBinned()
	})
	g.readDetail()
}

// trashedAround is what has to leave the trash so that a picture is out of it.
func trashedAround(s *history.Store, picture uint64) ([]history.Item, error) {
	p, err := s.Picture(picture)
	if err != nil {
		return nil, err
	}
	r, err := s.Round(p.Round)
	if err != nil {
		return nil, err
	}
	session, err := s.Session(r.Session)
	if err != nil {
		return nil, err
	}
	var items []history.Item
	if !p.Trashed.IsZero() {
		items = append(items, history.Item{Kind: history.PictureItem, ID: p.ID})
	}
	if !r.Trashed.IsZero() {
		items = append(items, history.Item{Kind: history.RoundItem, ID: r.ID})
	}
	if !session.Trashed.IsZero() {
		items = append(items, history.Item{Kind: history.SessionItem, ID: session.ID})
	}
	return items, nil
}

func (g *Page) askEmpty() {
	n := g.state.Trashed
	text := i18n.N(n, "%d picture will be deleted permanently, along with its steps and its file in the pictures folder.",
		"%d pictures will be deleted permanently, along with their steps and their files in the pictures folder.", n)
	g.host.Layers.Warn(i18n.T("Empty the trash?"), text, i18n.T("Cancel"), i18n.T("Delete permanently"), g.empty)
}

func (g *Page) empty() {
	g.change(func(s *history.Store) error {
		all, err := s.TrashCan()
		before := time.Now()
		for _, at := range all { // also what went there while the clock was ahead
			if !at.Before(before) {
				before = at.Add(1)
			}
		}
		if err == nil {
			_, err = s.Empty(before)
		}
		return err
	}, func() {
		g.thumbs.forget()
		g.state.Snack = snack{Text: i18n.T("The trash is empty.")}
		g.OnBinned()
	})
}

// free tells whether another session can be taken up now, and says why not.
func (g *Page) free() bool {
	err := g.host.State().Occupied()
	if err != nil {
		g.state.Err = err
		g.refresh()
	}
	return err == nil
}

// explainOff has a button that is off say what keeps it so.
func (g *Page) explainOff(b *kit.Button) {
	about := b.Tip.Text
	b.Refused = func() { g.free() }
	b.Tip.Text = func() string {
		if err := g.host.State().Occupied(); err != nil && b.Disabled() {
			return kit.Two(about(), wording.Sentence(err))
		}
		return about()
	}
}

func (g *Page) newSession() {
	g.Hide()
	g.OnNew() // what is typed now is its prompt
}

func (g *Page) openSession() {
	if id := g.state.Look.Session; id != 0 {
		g.OnSession(id)
		g.Hide()
	}
}

func (g *Page) rename() {
	id := g.state.Look.Session
	i := slices.IndexFunc(g.state.Sessions, func(r sessionRow) bool { return r.ID == id })
	if i < 0 {
		return
	}
	name := kit.NewField(g.host.Commands.Shortcut, false)
	name.SetText(g.state.Sessions[i].Title)
	var closeIt func()
	rename := func() { closeIt(); g.renameTo(id, name.Text) }
	name.OnSubmitted = func(string) { rename() }
	ok := kit.NewButton(i18n.T("Rename"), rename)
	ok.Importance = widget.HighImportance
	closeIt = g.host.Layers.Sheet(i18n.T("Name of the session"), fyne.NewSize(420, 130), kit.NewColumn(0, name), ok)
	name.Begin(g.host.Layers.Canvas())
}

func (g *Page) renameTo(id uint64, name string) {
	name = strings.TrimSpace(name)
	g.change(func(s *history.Store) error { return s.RenameSession(id, name) }, func() {
		g.OnRenamed(id, name)
	})
}

// showChosen puts the chosen picture on the stage.
func (g *Page) showChosen() {
	if id := g.state.Chosen; id != 0 && !g.state.Look.Trash {
		g.Hide()
		g.OnShow(id)
	}
}

// asReference takes the chosen picture as a reference of the next job.
func (g *Page) asReference() {
	d := g.state.Detail
	s := g.host.Journal.Store()
	if d == nil || s == nil || !d.Picture.Finished() {
		return
	}
	p := d.Picture
	name := fmt.Sprintf("realword-%d.png", p.Seed)
	if p.File != "" {
		name = filepath.Base(p.File)
	}
	g.Hide()
	g.OnReference(state.Source{Name: name, From: p.ID, Read: func() ([]byte, error) { return pictureData(s, p) }})
}

// revealFile shows the folder of the chosen picture.
func (g *Page) revealFile() {
	d := g.state.Detail
	if d == nil {
		return
	}
	g.OnReveal(filepath.Dir(d.Picture.File))
}

// begin says what is under way, and does it on another goroutine.
func (g *Page) begin(what string, slow func() (text string, err error)) {
	g.beginThen(what, slow, func() {})
}

// say says what was done. What was thrown away before can still come back.
func (g *Page) say(text string) { g.state.Snack = snack{Text: text, then: g.state.Snack.back()} }

// beginThen is begin, and does something before what has come of it is shown.
func (g *Page) beginThen(what string, slow func() (text string, err error), then func()) {
	if g.state.Busy != "" {
		return
	}
	g.state.Busy, g.state.Err = what, nil
	g.refresh()
	g.host.Background(func() func() {
		text, err := slow()
		return func() {
			then()
			if g.state.Busy, g.state.Err = "", err; text != "" {
				g.say(text)
			}
			g.refresh()
			g.reload()
			g.importLater(err)
		}
	})
}

// longestName is how many letters of a session's name the file has that is suggested for it.
const longestName = 60

// export asks for a file and writes the session into it.
func (g *Page) export() {
	id, s := g.state.Look.Session, g.host.Journal.Store()
	if id == 0 || s == nil || g.host.SaveSession == nil {
		return
	}
	title := ""
	if i := slices.IndexFunc(g.state.Sessions, func(r sessionRow) bool { return r.ID == id }); i >= 0 {
		title = g.state.Sessions[i].Title
	}
	name := cmp.Or(files.Name(title, longestName), "session") + ".zip"
	g.begin(i18n.T("Exporting the session…"), func() (string, error) {
		path, err := g.host.SaveSession(name)
		if err != nil || path == "" {
			return "", err
		}
		missing, err := s.ExportFile(g.host.Context, id, path)
		if err != nil {
			return "", err
		}
		if len(missing) > 0 {
			return i18n.N(len(missing), "Exported as %[2]s, without %[1]d file that is gone or cannot be read.",
				"Exported as %[2]s, without %[1]d files that are gone or cannot be read.", len(missing), wording.Path(path)), nil
		}
		return i18n.T("Exported as %s.", wording.Path(path)), nil
	})
}

// importFile asks for a file, takes its session in and shows it.
func (g *Page) importFile() {
	if g.host.OpenSession == nil {
		return
	}
	g.importFrom(func() ([]string, error) {
		path, err := g.host.OpenSession()
		if err != nil || path == "" {
			return nil, err
		}
		return []string{path}, nil
	})
}

// Offer asks whether exported sessions are to be taken in, and does so on the page.
func (g *Page) Offer(paths []string) {
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	g.host.Layers.Ask(i18n.N(len(paths), "Import this session?", "Import %d sessions?", len(paths)),
		i18n.N(len(paths), "%[2]s is an exported session. It is added to your sessions, and nothing of yours changes.",
			"%[2]s are exported sessions. They are added to your sessions, and nothing of yours changes.", len(paths), strings.Join(names, ", ")),
		i18n.T("Import"), func() {
			g.Show()
			g.importFrom(func() ([]string, error) { return paths, nil })
		})
}

// importFrom takes in the sessions of files, once nothing else is under way, and shows the last.
func (g *Page) importFrom(find func() ([]string, error)) {
	if g.state.Busy != "" {
		g.later = append(g.later, find)
		return
	}
	var last uint64
	var back []history.Item
	g.beginThen(i18n.T("Importing…"), func() (string, error) {
		paths, errs := find()
		rounds, pictures, fileless, fresh := 0, 0, 0, 0
		for _, path := range paths {
			in, err := g.importPath(path)
			if err != nil {
				errs = errors.Join(errs, err)
				continue
			}
			last, rounds, pictures, fileless = in.Session, rounds+in.Rounds, pictures+in.Pictures, fileless+in.Fileless
			if in.Fresh {
				fresh++
			}
			if in.Back {
				back = append(back, history.Item{Kind: history.SessionItem, ID: in.Session})
			}
		}
		switch {
		case last == 0:
			return "", errs
		case pictures == 0 && fresh > 0:
			return i18n.N(fresh, "The session is imported.", "%d sessions are imported.", fresh), errs
		case pictures == 0 && rounds == 0 && len(back) > 0:
			return i18n.N(len(back), "The session is out of the trash; everything in it was already here.",
				"%d sessions are out of the trash; everything in them was already here.", len(back)), errs
		case pictures == 0 && rounds == 0:
			return i18n.T("Everything in this session was already here."), errs
		}
		text := i18n.N(pictures, "Imported %d picture.", "Imported %d pictures.", pictures)
		if fileless > 0 {
			text += " " + i18n.N(fileless, "%d has no file: it was gone when the session was exported.",
				"%d have no files: they were gone when the session was exported.", fileless)
		}
		return text, errs
	}, func() {
		if g.state.Snack = g.state.Snack.without(back); len(back) > 0 {
			g.OnBinned()
		}
		if last != 0 {
			g.state.Look = query{Session: last}
			g.state = g.state.choose(0)
			g.grid.ScrollToTop()
		}
	})
}

// importLater takes in the sessions that have waited, and says with them what went wrong in what they waited for: nobody has read it yet.
func (g *Page) importLater(ended error) {
	waited := g.later
	if len(waited) == 0 {
		return
	}
	g.later = nil
	g.importFrom(func() (paths []string, errs error) {
		errs = ended
		for _, find := range waited {
			found, err := find()
			paths, errs = append(paths, found...), errors.Join(errs, err)
		}
		return paths, errs
	})
}

// importPath takes a session in, in its turn among the changes.
func (g *Page) importPath(path string) (history.Imported, error) {
	type outcome struct {
		in  history.Imported
		err error
	}
	if g.host.Journal.Store() == nil {
		return history.Imported{}, i18n.Errorf("the history is not open: try again")
	}
	done := make(chan outcome, 1)
	g.host.Journal.Do(func(s *history.Store) error {
		in, err := s.Import(path)
		done <- outcome{in, err}
		var trouble *history.Error
		if errors.As(err, &trouble) && trouble.Path != path {
			return err // of the history, not of the file
		}
		return nil
	})
	o := <-done
	return o.in, o.err
}

// remake makes the file of the chosen picture again, by the recipe.
func (g *Page) remake() {
	s, id, m := g.host.Journal.Store(), g.state.Chosen, g.host.Maker()
	if s == nil || m == nil || id == 0 {
		return
	}
	g.begin(i18n.T("Making the picture again…"), func() (string, error) {
		r, err := journal.Recall(s, id)
		if err != nil {
			return "", err
		}
		if len(r.Missing) > 0 {
			return "", i18n.Errorf("the reference %s is no longer in the history, so the picture cannot be made again", r.Missing[0].Name)
		}
		if !m.Model.Named(r.Recipe.Model) {
			return "", state.Unmade(r.Recipe.Model)
		}
		request := r.Recipe.Request
		if state, err := journal.KeptState(s, id); err == nil && state != nil {
			request.From = state // half of the way is kept
			if _, err := m.Resolve(request); err != nil {
				request.From = nil
			}
		}
		ready, err := m.one(g.host.Context, request)
		if err != nil {
			return "", err
		}
		ready.Recipe = r.Recipe.Request // as it was, with its first step
		data, err := recipe.EncodePNG(ready, m.Model, m.Embed)
		if err != nil {
			return "", err
		}
		path := r.Picture.File
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return "", i18n.Errorf("the folder of the picture cannot be made: %w", state.Reason(err))
		}
		if err := files.Write(path, files.New, data); err != nil {
			return "", err
		}
		g.host.Journal.Do(func(s *history.Store) error { return s.MovePicture(id, path) })
		g.host.Post(func() {
			g.thumbs.forget(id)
			g.readDetail()
			g.OnRemade(id)
		})
		if files.Sum(data) == r.Picture.SHA256 {
			return i18n.T("The file is back, identical to the last bit."), nil
		}
		return i18n.T("The file is back: %s", wording.Path(path)), nil
	})
}

// one runs a request of one picture to its end, off Fyne's goroutine.
func (m *Maker) one(ctx context.Context, r inference.Request) (inference.PictureReady, error) {
	var ready inference.PictureReady
	job, err := m.Start(ctx, r)
	if err != nil {
		return ready, err
	}
	for e := range job.Events() {
		switch e := e.(type) {
		case inference.PictureReady:
			ready = e
		case inference.Failed:
			err = e.Err
		}
	}
	if err == nil && ready.Image == nil {
		err = i18n.Errorf("the engine returned no picture: please report this")
	}
	return ready, err
}

// Budgets are what the user can choose between, in bytes of step data; 0: no limit.
var Budgets = []int64{500e6, 2e9, 10e9, 50e9, 0}

// BudgetName is a budget as the user reads it.
func BudgetName(n int64) string {
	if n <= 0 {
		return i18n.T("no limit")
	}
	return wording.Bytes(n)
}

// NewBudget is the choice between the Budgets, of which now is the present one.
func NewBudget(now int64, choose func(bytes int64)) *kit.Selector {
	var names []string
	for _, b := range Budgets {
		names = append(names, BudgetName(b))
	}
	c := kit.NewSelect(names, func(name string) { choose(Budgets[slices.Index(names, name)]) }).
		Explain(i18n.T("How much of the disk the steps of all pictures may take. Pictures themselves always stay."))
	c.Selected = BudgetName(now)
	return c
}

// SetBudget has the history keep so much step data from now on; what is beyond it goes at once.
func (g *Page) SetBudget(bytes int64) {
	if bytes == g.host.Journal.Budget.Swap(bytes) {
		return
	}
	g.OnBudget(bytes)
	g.change(func(s *history.Store) error { return journal.Trim(s, bytes) }, nil)
}
