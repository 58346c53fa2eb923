package grid

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Host is what the page needs of the house.
type Host struct {
	State      func() state.State
	Background func(slow func() (show func())) // does slow elsewhere, then show on Fyne's goroutine
	Layers     *kit.Layers
	Commands   *command.Commands
	Journal    *journal.Journal
	Embed      func() recipe.Embed // what goes into the exported file

	Before func(do func())  // what has to be settled before a job is asked for
	Put    func(state.Task) // into the queue
	Stop   func(task int)   // a job that runs
	Resume func()           // has a paused queue go on
	OnShow func(picture uint64)
	// SaveFile asks where to save the named PNG file and writes there what data makes; "" is nowhere. Slow. Nil: nothing can be exported.
	SaveFile func(name string, data func() ([]byte, error)) (path string, err error)
}

// Page is the page of the grids.
type Page struct {
	*kit.Screen

	host Host

	sides              [2]*side // rows, columns
	cost               *kit.Line
	trouble            *widget.Label
	make               *kit.Button
	title, progress    *kit.Line
	earlier, later     *kit.IconButton
	goOn, stop, export *kit.Button
	area               *fyne.Container
	scroll             *container.Scroll
	tiles              []*tile
	grid               *kept
	want               uint64 // the round that is looked at; 0: the newest
	seen               string // of what the grid was read
	reading            bool
	said               error         // why the last thing could not be done
	told               string        // what was done
	pass               time.Duration // of the last run
	asked              bool          // a grid was asked for here: what the run says against it is said here
	heard              string        // what it said before the sides were changed
}

// side is what one side of the next grid is of.
type side struct {
	pick   *kit.Selector
	values *kit.Field
	key    string
}

// tile is a cell on the screen.
type tile struct {
	*kit.Tile
	img *canvas.Image
	id  uint64
}

// New makes the page, hidden.
func New(h Host) *Page {
	p := &Page{host: h}
	p.sides = [2]*side{
		p.newSide("scope", i18n.T("What differs from row to row.")), p.newSide("stop", i18n.T("What differs from column to column.")),
	}
	p.cost, p.trouble = kit.Caption(""), widget.NewLabel("")
	p.trouble.Wrapping, p.trouble.Importance = fyne.TextWrapWord, widget.WarningImportance
	p.make = kit.NewButton(i18n.T("Make the grid"), p.Make).Explain(i18n.T("Makes all its pictures as one job. What they have in common is computed once."))
	p.make.Importance = widget.HighImportance
	setup := kit.NewColumn(6, kit.Heading(i18n.T("New grid")),
		kit.Note(i18n.T("One picture for every value of one thing with every value of another. Prompt, subjects and settings are those of the window.")),
		kit.Caption(i18n.T("Rows")), p.sides[0].pick, p.sides[0].values,
		kit.Caption(i18n.T("Columns")), p.sides[1].pick, p.sides[1].values,
		p.cost, p.make, p.trouble)

	p.title, p.progress = kit.Heading(""), kit.Caption("")
	p.earlier = kit.SmallButton(i18n.T("Earlier grid"), theme.NavigateBackIcon(), func() { p.look(p.grid.earlier) })
	p.later = kit.SmallButton(i18n.T("Later grid"), theme.NavigateNextIcon(), func() { p.look(p.grid.later) })
	p.goOn = kit.LowButton(i18n.T("Make the missing ones"), theme.MediaPlayIcon(), p.rest).
		Explain(i18n.T("Continues a grid that was not finished."))
	p.stop = kit.LowButton(i18n.T("Stop"), theme.MediaStopIcon(), func() {
		if f, live := p.live(h.State()); live {
			h.Stop(f.Task.ID)
		}
	}).Explain(i18n.T("Stops the running job. The steps so far are kept."))
	p.export = kit.LowButton(i18n.T("Export as one picture…"), theme.DocumentSaveIcon(), p.Export).Explain(i18n.T("Saves the whole grid as a PNG, with its labels and the recipe."))
	back := kit.SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { p.Hide() })
	head := container.NewBorder(nil, nil, kit.NewRow(4, p.earlier, p.later), kit.NewRow(4, p.goOn, p.stop, p.export, back),
		container.New(kit.Inset{X: 6, Y: 0}, kit.NewColumn(1, container.New(kit.Narrow{}, kit.Whole(p.title, nil)),
			container.New(kit.Narrow{}, kit.Whole(p.progress, nil)))))
	p.area = container.New(&table{})
	p.scroll = container.NewScroll(p.area)
	body := container.NewBorder(nil, nil, container.New(kit.Fixed{Width: 270}, kit.Panel(kit.NewPage(setup))), nil,
		kit.Panel(container.NewBorder(head, nil, nil, nil, container.New(kit.Inset{X: 0, Y: 8}, p.scroll))))
	p.Screen = h.Layers.Screen(body)
	p.OnUp = func() {
		p.seen, p.said, p.told = "", nil, ""
		for _, s := range p.sides {
			if s.pick.SelectedIndex() < 0 {
				s.pick.SetSelected(state.SideName(s.key))
			}
		}
		p.Refresh()
	}
	return p
}

func (p *Page) newSide(key, about string) *side {
	s := &side{key: key}
	var names []string
	for _, k := range append([]string{""}, state.SideKeys()...) {
		names = append(names, state.SideName(k))
	}
	s.values = kit.NewField(p.host.Commands.Shortcut, false).Explain(i18n.T("Its values, separated by commas. For seeds, 7-9 means 7, 8, 9."))
	s.values.OnChanged = func(string) { p.changed() }
	s.pick = kit.NewSelect(names, func(string) {
		s.key = ""
		if i := s.pick.SelectedIndex(); i > 0 {
			s.key = state.SideKeys()[i-1]
		}
		s.values.SetText(p.host.State().SideValues(s.key))
		p.changed()
	}).Explain(about)
	return s
}

// changed follows the sides. What was said is of other ones.
func (p *Page) changed() {
	p.said, p.told, p.heard = nil, "", p.against(p.host.State())
	p.Refresh()
}

// against is what the run, or another one meanwhile, says against the grid that was asked for; "" for nothing.
func (p *Page) against(s state.State) string {
	if err := cmp.Or(s.Run().Err, s.ActionErr); p.asked && err != nil {
		return wording.Sentence(err)
	}
	return ""
}

func (s *side) typed() state.Side { return state.Side{Key: s.key, Values: s.values.Text} }

// Actions are those of the page.
func (p *Page) Actions() []command.Action {
	return []command.Action{{
		ID: "grid.show", Menu: command.MenuRun, Label: i18n.T("Grid of pictures…"), Key: "Ctrl+Shift+G", Do: p.Toggle,
		On: func() bool { return p.Shown() },
	}}
}

// look shows the grid of another round.
func (p *Page) look(round uint64) {
	if round != 0 {
		p.want, p.seen = round, ""
		p.Refresh()
	}
}

// Make asks for the grid.
func (p *Page) Make() {
	p.host.Before(func() {
		s := p.host.State()
		r := s.GridRequest(p.sides[0].typed(), p.sides[1].typed())
		if twin(s, r) { // the second click of a double one
			return
		}
		p.want, p.said, p.told, p.asked, p.heard = 0, nil, "", true, ""
		p.host.Put(state.Task{Request: r, Parents: s.Form.Parents(), Thumb: s.Form.Thumb(), Model: s.Model.Name})
	})
}

// rest asks for what the grid lacks.
func (p *Page) rest() {
	k, store := p.grid, p.host.Journal.Store()
	if k == nil || store == nil {
		return
	}
	if m := p.host.State().Model; m != nil && k.recipe.Model != "" && !m.Named(k.recipe.Model) {
		p.said = i18n.Errorf("this grid was made with the model %s, and pictures of two models do not mix: make a new one", k.recipe.Model)
		p.Refresh()
		return
	}
	p.asked, p.heard = true, ""
	if p.waits(p.host.State()) {
		p.host.Resume()
		return
	}
	p.host.Background(func() func() {
		t, err := k.rest(store)
		return func() {
			if p.said = err; err == nil {
				p.host.Put(t)
			}
			p.Refresh()
		}
	})
}

// Export writes the grid as one picture.
func (p *Page) Export() {
	k, store, embed := p.grid, p.host.Journal.Store(), p.host.Embed()
	if k == nil || store == nil || p.host.SaveFile == nil {
		return
	}
	name := fmt.Sprintf("%s-grid.png", files.Words(k.recipe.Prompt, 40))
	p.host.Background(func() func() {
		path, err := p.host.SaveFile(name, func() ([]byte, error) { return k.sheet(store, embed) })
		return func() {
			if p.said, p.told = err, ""; err == nil && path != "" {
				p.told = i18n.T("Saved as %s", path)
			}
			p.Refresh()
		}
	})
}

// manifest is of the model that made the grid, as far as its file says it.
func (k kept) manifest() bundle.Manifest { return bundle.Manifest{Name: k.recipe.Model} }

// Shows is what the page shows, and while it is away what tells how long a pass takes.
func (p *Page) Shows(s state.State) []any {
	if !p.Shown() {
		return []any{s.Busy(), s.Run().Elapsed}
	}
	return []any{s.Form, s.Last, s.Shots, s.Queue, s.Model, s.History, s.Reasons(), s.ActionErr}
}

// Refresh makes the page equal to the state.
func (p *Page) Refresh() {
	s := p.host.State()
	if s.Last.Elapsed > 0 && s.Last.Passes > 0 {
		p.pass = s.Last.Elapsed / time.Duration(s.Last.Passes)
	}
	if !p.Shown() {
		return
	}
	p.refreshSetup(s)
	p.reload(s)
	p.refreshHead(s)
	p.follow(s)
}

// refreshSetup says what the grid would take, or why it cannot be.
func (p *Page) refreshSetup(s state.State) {
	for _, one := range p.sides {
		one.values.Hidden = one.key == ""
		if one.key == inference.AxisReference {
			one.values.Disable()
		} else {
			one.values.Enable()
		}
	}
	r := s.GridRequest(p.sides[0].typed(), p.sides[1].typed())
	pictures, passes := s.GridCost(r)
	var about, why string
	switch n := r.Grid.Len(); {
	case n > inference.MaxCells:
		why = wording.Sentence(i18n.Errorf("a grid of %d × %d has %d pictures, and at most %d are made at once: leave out some values",
			r.Grid.Rows.Len(), r.Grid.Columns.Len(), n, inference.MaxCells))
	case pictures > 0:
		about = i18n.N(pictures, "%d picture", "%d pictures", pictures)
		if p.pass > 0 {
			about += " · " + i18n.T("about %s", wording.Duration(p.pass*time.Duration(passes)))
		}
	}
	if why == "" && s.Model != nil && r.Grid.Columns.Key != "" {
		err := state.CheckSides(r, *s.Model)
		if err == nil {
			err = r.CheckSides(*s.Model)
		}
		if err != nil {
			about, why = "", wording.Sentence(err)
		}
	}
	if reasons := s.Reasons(); why == "" && len(reasons) > 0 {
		why = reasons[0]
	}
	against := p.against(s)
	there := why == "" && pictures > 0 && twin(s, r)
	kit.Enable(p.make, why == "" && pictures > 0 && !there && p.host.Journal.Store() != nil)
	answer := p.told // to a button, whatever is to be said of the next grid
	if p.said != nil {
		answer = wording.Sentence(p.said)
	}
	switch {
	case answer != "":
		why = strings.TrimSpace(answer + "\n" + why)
	case why == "" && against != "" && against != p.heard:
		why = against
	}
	if there {
		about = i18n.T("This grid is in the queue, or being made.")
	}
	p.cost.Set(about)
	p.trouble.SetText(why)
	p.trouble.Hidden = why == ""
}

// reload reads the grid again where it may have changed.
func (p *Page) reload(s state.State) {
	store, session := p.host.Journal.Store(), p.host.Journal.Session()
	if store == nil || p.reading {
		return
	}
	files := 0
	for _, shot := range s.Shots {
		if shot.Kept != 0 {
			files++
		}
	}
	seen := fmt.Sprint(session, p.want, files, len(s.Shots))
	for _, f := range s.Queue.Flights {
		seen += fmt.Sprint(" ", f.Task.ID, f.Run.Phase, f.Run.Stage >= inference.StageDenoise)
	}
	if seen == p.seen {
		return
	}
	p.seen, p.reading = seen, true
	want, had := p.want, p.grid
	p.host.Background(func() func() {
		k, err := read(store, session, want, had)
		return func() {
			p.reading = false
			if err != nil {
				p.said = err
			}
			p.show(k)
			p.Refresh()
		}
	})
}

// show puts a grid on the page.
func (p *Page) show(k *kept) {
	old := p.grid
	p.grid = k
	if k == nil {
		p.tiles, p.area.Objects = nil, nil
		p.area.Refresh()
		return
	}
	if old == nil || old.round.ID != k.round.ID || len(p.tiles) != len(k.cells) {
		p.build(k)
	}
	for n, c := range k.cells {
		t := p.tiles[n]
		if t.id == c.ID {
			continue
		}
		switch t.id = c.ID; {
		case c.thumb != nil:
			t.img.Image = c.thumb
		case c.ID == 0: // it was thrown away
			t.img.Image = unmade()
		}
		t.img.Refresh()
	}
}

// build makes the tiles and labels of a grid.
func (p *Page) build(k *kept) {
	g := k.recipe.Grid
	rows, columns := g.Rows.Len(), g.Columns.Len()
	long := map[bool]float32{true: 160, false: 112}[columns <= 5]
	if c := p.host.Layers.Canvas(); c != nil {
		long *= kit.Growth(c.Size().Height)
	}
	side := fyne.NewSize(long, long)
	if w, h := float32(k.recipe.Width), float32(k.recipe.Height); w > h && h > 0 {
		side.Height = long * h / w
	} else if w > 0 {
		side.Width = long * w / h
	}
	t := &table{rows: rows, columns: columns, cell: side}
	p.area.Layout = t
	p.area.Objects, p.tiles = nil, nil
	for i, a := range []inference.Axis{g.Columns, g.Rows} {
		for v := range a.Len() {
			label := kit.NewFitted(theme.ColorNameForeground)
			label.Set(state.SideLabel(a, v), theme.ColorNameForeground)
			var o fyne.CanvasObject = label
			if img := k.over[i][v]; img != nil {
				small := canvas.NewImageFromImage(img)
				small.FillMode, small.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleSmooth
				o = kit.NewColumn(2, container.New(kit.Fixed{Width: 48, Height: 48}, small), label)
			}
			if i == 0 {
				o = container.NewCenter(container.New(kit.Fixed{Width: side.Width - 8}, o))
			}
			p.area.Objects = append(p.area.Objects, o)
		}
	}
	for n := range rows * columns {
		img := canvas.NewImageFromImage(unmade())
		img.ScaleMode, img.FillMode, img.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 4
		one := &tile{img: img}
		name := i18n.T("%s, %s", state.SideLabel(g.Rows, n/columns), state.SideLabel(g.Columns, n%columns))
		if g.Rows.Key == "" {
			name = state.SideLabel(g.Columns, n)
		}
		one.Tile = kit.NewTile(name, 5, container.NewStack(kit.NewPlate(kit.ColorRaised, "", 4), img), func() {
			if one.id != 0 {
				p.Hide()
				p.host.OnShow(one.id)
			}
		}).Explain(func() string { return name })
		p.tiles = append(p.tiles, one)
		p.area.Objects = append(p.area.Objects, one.Tile)
	}
	p.area.Refresh()
}

// unmade stands for a picture that is not there.
func unmade() image.Image { return image.NewRGBA(image.Rect(0, 0, 1, 1)) }

// live is the job that runs and makes the grid on the page.
func (p *Page) live(s state.State) (state.Flight, bool) {
	for _, f := range s.Queue.Flights {
		if p.grid != nil && f.Task.Request.Grid != nil && p.grid.is(f.Task) {
			return f, true
		}
	}
	return state.Flight{}, false
}

// follow shows the newest step in the cell in work.
func (p *Page) follow(s state.State) {
	f, live := p.live(s)
	if !live || f.Run.Picture >= len(p.tiles) || len(f.Run.Film) == 0 {
		return
	}
	t := p.tiles[f.Run.Picture]
	if preview := f.Run.Film[len(f.Run.Film)-1].Preview; preview != nil && t.id == 0 && t.img.Image != preview {
		t.img.Image = preview
		t.img.Refresh()
	}
}

// waits tells whether the queue has what the grid lacks.
func (p *Page) waits(s state.State) bool {
	return p.grid != nil && p.grid.made() < len(p.grid.cells) && slices.ContainsFunc(s.Queue.Waiting, p.grid.is)
}

// twin tells whether a job that waits or runs makes the same grid.
func twin(s state.State, r inference.Request) bool {
	said := func(r inference.Request) []byte {
		// The engine gives every cell its seed: of the job, or of a side.
		if r.Seeds = r.Seeds[:min(len(r.Seeds), 1)]; r.Grid.Rows.Key == inference.AxisSeed || r.Grid.Columns.Key == inference.AxisSeed {
			r.Seeds = nil
		}
		data, err := recipe.New(inference.Defaults(*s.Model, r), s.Model.Name)
		if err != nil {
			return nil
		}
		return data
	}
	mine := said(r)
	return mine != nil && slices.ContainsFunc(slices.Concat(s.Queue.Waiting, s.Queue.Running()), func(t state.Task) bool {
		return t.Request.Grid != nil && t.Needs == "" && bytes.Equal(said(t.Request), mine)
	})
}

// refreshHead says which grid is on the page, and how far it is.
func (p *Page) refreshHead(s state.State) {
	k := p.grid
	for _, o := range []fyne.CanvasObject{p.earlier, p.later, p.goOn, p.stop, p.export} {
		o.Hide()
	}
	if k == nil {
		p.title.Set("")
		p.progress.Set(i18n.T("The grids of this session appear here."))
		if p.host.Journal.Store() == nil {
			p.progress.Set(i18n.T("Grids are kept in the history, and it is not open."))
		}
		return
	}
	made, all := k.made(), len(k.cells)
	f, live := p.live(s)
	p.title.Set(k.recipe.Prompt)
	text := i18n.T("%d of %d pictures", made, all)
	if live && f.Run.Remaining > 0 && !s.Queue.Paused && !f.Run.Waits {
		text += i18n.T(" · about %s left", wording.Duration(f.Run.Remaining))
	}
	if s.History.Err != nil && live {
		text += " · " + i18n.T("the history cannot be written: new pictures are not counted")
	}
	p.progress.Set(text)
	p.earlier.Hidden, p.later.Hidden = k.earlier == 0 && k.later == 0, k.earlier == 0 && k.later == 0
	kit.Enable(p.earlier, k.earlier != 0)
	kit.Enable(p.later, k.later != 0)
	waits := p.waits(s)
	if waits {
		p.progress.Set(text + " · " + i18n.T("waiting in the queue"))
	}
	p.stop.Hidden = !live
	p.goOn.Hidden = live || waits && !s.Queue.Paused || made == all
	p.export.Hidden = made == 0 || p.host.SaveFile == nil
}
