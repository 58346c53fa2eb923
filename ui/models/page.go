package models

import (
	"context"
	"image/color"
	"net/url"
	"slices"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Page is the page of the models, over the rest of the window: the list on the left, on the right the chosen one or what
// is about to be added.
type Page struct {
	*kit.Screen

	host   Host
	engine Engine // of the open model; nil while none is

	then        reached                    // is done once the model is open that the user wants
	late        func()                     // takes the model of the start, which came while another one was being opened; may be nil
	gone        []removal                  // models that were removed and can come back, the newest last
	stopLooking context.CancelFunc         // ends the inspection of what is being added; nil: nothing is
	cancels     map[int]context.CancelFunc // of the tasks that run
	loading     sync.WaitGroup             // downloads that run
	readings    int                        // of the list that were begun

	Opener           *kit.Button     // for the head of the window
	Status           *kit.Button     // which model is open, for the head of the window; others are under it
	Light            *fyne.Container // beside it
	dot              *canvas.Circle
	list             *modelList
	settling         bool // the list is made equal to the state
	usage            *kit.Line
	file, dir        *kit.Button
	tasks            *fyne.Container
	rows             map[int]*taskRow
	snack            *fyne.Container
	seats            [3]*fyne.Container // of the snack: over the buttons of the chosen model, over those of adding one, and below all else
	snackText        *widget.Label
	undo             *kit.Button
	detail           *fyne.Container // of the chosen model
	title            *kit.Line
	verdict          *widget.Label
	facts            *fyne.Container
	told             []state.Fact // that facts shows
	notes            *widget.Label
	notesHead        *kit.Line
	buttons          map[string]*kit.Button
	why              *kit.Line
	adding           *fyne.Container
	addTitle, addAt  *kit.Line
	addFacts         *fyne.Container
	addTold          []state.Fact
	addNotes         *widget.Label
	stopAsking       func() // gives up asking the hub; never nil
	trouble          *widget.Label
	looking          *fyne.Container // a bar that moves, while it is wanted
	copy             *kit.Check
	name             *kit.Field
	nameRow, sources *fyne.Container
	prediction       *kit.Selector
	predictionRow    *fyne.Container
	offered          []string // paths that sources shows
	agree, leave     *kit.Button

	catalogue *fyne.Container // what can be downloaded
	offers    *fyne.Container
	cards     map[string]*offerCard
	begun     map[string]*begunRow
	saidOf    map[string]string // in a notice of a download that does not run, by its entry
}

// New makes the page, hidden.
func New(h Host) *Page {
	p := &Page{
		stopAsking: func() {},
		host:       h, buttons: map[string]*kit.Button{}, rows: map[int]*taskRow{}, begun: map[string]*begunRow{}, saidOf: map[string]string{},
		cancels: map[int]context.CancelFunc{},
	}
	p.Opener = kit.NewButtonWithIcon(i18n.T("Models"), theme.StorageIcon(), func() { p.Toggle() }).
		Explain(i18n.T("Which model makes the pictures, and where to get others."))
	p.Opener.Importance, p.Opener.Hidden = widget.LowImportance, p.host.Models == nil
	p.Status, p.dot = p.buildSwitch(), canvas.NewCircle(color.Transparent)
	p.Light = container.New(kit.Fixed{Width: 8, Height: 8}, p.dot)
	body := container.New(leading{320, 10}, p.buildList(), p.buildRight())
	p.Screen = h.Layers.Screen(body)
	p.Within, p.OnUp, p.OnAway = p.left, p.came, p.went
	return p
}

func (p *Page) shelf() state.Shelf { return p.host.State().Shelf }

func (p *Page) change(f func(*state.Shelf)) { p.host.Change(func(s *state.State) { f(&s.Shelf) }) }

// refreshLight says in the head of the window which model is open.
func (p *Page) refreshLight() {
	s, name := p.host.State(), theme.ColorNameWarning
	switch {
	case s.ModelErr != nil:
		name = theme.ColorNameError
		p.Say(i18n.T("no model"))
	case s.Model == nil:
		p.Say(i18n.T("opening the model…"))
	default:
		name = theme.ColorNameSuccess
		p.Say(s.Model.Name)
	}
	p.dot.FillColor = theme.ColorForWidget(name, p.Status)
	p.dot.Refresh()
}

func (p *Page) tool(id, text, about string, icon fyne.Resource, do func()) *kit.Button {
	p.buttons[id] = kit.LowButton(text, icon, do).Explain(about)
	return p.buttons[id]
}

func (p *Page) buildList() fyne.CanvasObject {
	p.list = newModelList(p)
	p.list.HideSeparators = true
	p.list.OnSelected = func(i widget.ListItemID) {
		s := p.shelf()
		if !p.settling && i < len(s.List) && (s.Chosen != s.List[i].Path || s.Adding != nil || s.Getting) {
			p.change(func(s *state.Shelf) { s.Chosen, s.Adding, s.Getting = s.List[i].Path, nil, false })
		}
	}
	p.usage = kit.Caption("")
	p.tasks = kit.NewColumn(8)
	p.dir = p.tool("folder", i18n.T("Add a folder…"), i18n.T("A folder with a RealCustom++ model, in any of the layouts that people have."),
		theme.FolderOpenIcon(), p.addFolder)
	p.file = p.tool("file", i18n.T("Add a file…"), i18n.T("One model file, such as a checkpoint of SDXL or Stable Diffusion 1.5."),
		theme.FileIcon(), p.addFile)
	get := p.tool("get", i18n.T("Get real models…"), i18n.T("Models that can be downloaded, with their sizes and licences."),
		theme.DownloadIcon(), p.showCatalogue)
	bottom := kit.NewColumn(6, kit.NewCapped(12, p.tasks), widget.NewSeparator(), get, p.dir, p.file,
		container.New(kit.Inset{X: 4, Y: 0}, kit.Whole(p.usage, nil)),
		kit.Note(i18n.T("Or drop a checkpoint folder or a model file on the window.")))
	return kit.Panel(container.NewBorder(container.New(kit.Fixed{Height: 30}, kit.Heading(i18n.T("Models"))), bottom, nil, nil, p.list))
}

// modelList is the list; the arrows choose, Enter opens the chosen model, Delete removes it.
type modelList struct {
	widget.List
	p *Page
}

func newModelList(p *Page) *modelList {
	l := &modelList{p: p}
	l.Length, l.CreateItem, l.UpdateItem = func() int { return len(p.shelf().List) }, kit.NewListRow, p.updateRow
	l.ExtendBaseWidget(l)
	return l
}

func (l *modelList) TypedKey(e *fyne.KeyEvent) {
	s := l.p.shelf()
	m, ok := s.ChosenModel()
	at := slices.IndexFunc(s.List, func(o state.Model) bool { return ok && o.Path == m.Path })
	switch e.Name {
	case fyne.KeyUp:
		l.Select(max(at-1, 0))
	case fyne.KeyDown:
		l.Select(min(at+1, len(s.List)-1))
	case fyne.KeyReturn, fyne.KeyEnter:
		if l.p.modelShown() {
			l.p.Use(m.Path)
		}
	case fyne.KeyDelete:
		if l.p.modelShown() {
			l.p.askRemove(m)
		}
	default:
		kit.HandOn(l, e)
	}
}

// TappedSecondary shows the menu of the model that is chosen: Shift+F10 where the list has the focus.
func (l *modelList) TappedSecondary(e *fyne.PointEvent) { l.p.menu(e.AbsolutePosition) }

// modelShown tells whether the model that is chosen is on the page: neither the catalogue nor a model to add is in its place.
func (p *Page) modelShown() bool {
	s := p.shelf()
	_, ok := s.ChosenModel()
	return ok && s.Adding == nil && !s.Getting
}

// menu shows what can be done with the model that is chosen, where it is shown.
func (p *Page) menu(at fyne.Position) {
	if !p.modelShown() {
		return
	}
	var buttons []*kit.Button
	for _, id := range []string{"use", "check", "rename", "base", "again", "reveal", "remove"} {
		buttons = append(buttons, p.buttons[id])
	}
	p.host.Layers.ButtonsMenu(at, buttons...)
}

func (p *Page) buildRight() fyne.CanvasObject {
	wrapped := func(importance widget.Importance) *widget.Label {
		l := widget.NewLabel("")
		l.Wrapping, l.Importance = fyne.TextWrapWord, importance
		return l
	}
	p.title = kit.NewLine("", theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	p.title.Style.Bold = true
	p.verdict, p.notes = wrapped(widget.MediumImportance), wrapped(widget.LowImportance)
	p.notes.SizeName = theme.SizeNameCaptionText
	p.facts, p.notesHead, p.why = kit.NewColumn(6), kit.Heading(i18n.T("Import notes")), kit.Caption("")
	chosen := func(do func(state.Model)) func() {
		return func() {
			if m, ok := p.shelf().ChosenModel(); ok {
				do(m)
			}
		}
	}
	use := p.tool("use", i18n.T("Use this model"), i18n.T("Opens this model. The next pictures are made with it."),
		theme.ConfirmIcon(), chosen(func(m state.Model) { p.Use(m.Path) }))
	use.Importance, use.Alignment = widget.HighImportance, widget.ButtonAlignCenter
	real := p.tool("real", i18n.T("Get real models…"), i18n.T("Models that can be downloaded, with their sizes and licences."),
		theme.DownloadIcon(), p.showCatalogue)
	real.Importance, real.Alignment = widget.HighImportance, widget.ButtonAlignCenter
	for i := range p.seats {
		p.seats[i] = container.NewStack()
	}
	foot := kit.NewColumn(4, p.seats[0], p.why, container.New(&kit.Flow{Gap: 4}, use,
		real,
		p.tool("check", i18n.T("Check the files"), i18n.T("Reads all files of the model and compares them with what was imported."),
			theme.SearchIcon(), chosen(func(m state.Model) { p.check(m.Path) })),
		p.tool("rename", i18n.T("Rename…"), i18n.T("Gives the model another name here."),
			theme.DocumentCreateIcon(), chosen(p.rename)),
		p.tool("base", i18n.T("Another base model…"), i18n.T("Makes a second model with another text-to-image model under the same RealCustom++ weights."),
			theme.ViewRefreshIcon(), chosen(p.askBase)),
		p.tool("again", i18n.T("Import again"), i18n.T("Imports it again from its original place."),
			theme.DownloadIcon(), chosen(func(m state.Model) { p.LookAt(m.Source, m.Base, m.Path) })),
		p.tool("reveal", i18n.T("Show the folder"), i18n.T("Opens the folder of the model in the file manager."),
			theme.FolderIcon(), chosen(func(m state.Model) { p.host.OnReveal(m.Path) })),
		p.tool("remove", i18n.T("Remove"), i18n.T("Removes the model from the list, after asking."),
			theme.DeleteIcon(), chosen(p.askRemove))))
	p.detail = container.NewBorder(nil, foot, nil, nil, kit.NewPage(kit.NewColumn(10, kit.Whole(p.title, nil), p.verdict, p.facts, p.notesHead,
		kit.Quiet(p.notes))))

	p.addTitle = kit.NewLine("", theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	p.addTitle.Style.Bold = true
	p.addAt = kit.Caption("")
	p.addFacts, p.addNotes, p.trouble = kit.NewColumn(6), wrapped(widget.LowImportance), wrapped(widget.DangerImportance)
	p.addNotes.SizeName = theme.SizeNameCaptionText
	p.looking = kit.NewColumn(0)
	p.name = kit.NewField(p.host.Shortcut, false).Explain(i18n.T("What the model is called here."))
	p.name.OnChanged = func(text string) {
		if a := p.shelf().Adding; a != nil && a.Name != text {
			p.change(func(s *state.Shelf) { s.Adding.Name = text })
		}
	}
	p.nameRow = kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("Name"))), p.name)
	p.copy = kit.NewCheck(i18n.T("Copy all weights into the model, so that the checkpoints can be moved or deleted"), func(on bool) {
		if a := p.shelf().Adding; a != nil && a.Copy != on {
			p.change(func(s *state.Shelf) { s.Adding.Copy = on })
		}
	}).Explain(i18n.T("The model then takes as much disk space as its checkpoints, which it no longer needs."))
	p.prediction = kit.NewSelect([]string{ // in the order of bundle.Predictions
		i18n.T("What its files say"), i18n.T("The noise (epsilon)"), i18n.T("The velocity (v)"),
		i18n.T("The velocity, with zero terminal SNR"), i18n.T("The velocity, as CosXL (EDM)"),
	}, func(string) { p.predict(p.prediction.SelectedIndex()) })
	p.predictionRow = kit.NewColumn(2,
		container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("What it was trained to predict"))), p.prediction)
	p.sources = kit.NewColumn(4)
	p.agree = kit.NewButton("", p.agreeAdding).Explain(i18n.T("Makes a model from what was found here. The files themselves stay as they are."))
	p.agree.Importance = widget.HighImportance
	p.leave = kit.NewButton(i18n.T("Cancel"), p.stopAdding).Explain(i18n.T("Nothing is added."))
	p.adding = container.NewBorder(kit.NewColumn(6, kit.Whole(p.addTitle, nil), kit.Whole(p.addAt, nil)),
		kit.NewColumn(4, p.seats[1], container.NewBorder(nil, nil, nil, kit.NewRow(8, p.leave, p.agree))),
		nil, nil,
		container.New(kit.Inset{X: 0, Y: 8}, kit.NewPage(kit.NewColumn(10, p.looking, p.addFacts,
			p.nameRow, p.predictionRow, p.copy, p.sources, p.trouble, kit.Quiet(p.addNotes)))))

	p.snackText = wrapped(widget.MediumImportance)
	p.undo = kit.NewButton(i18n.T("Undo"), func() { p.Undo() }).Explain(i18n.T("Brings back what was removed last."))
	p.snack = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, nil, container.NewCenter(p.undo), kit.NewCapped(6, p.snackText))))
	done := kit.SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { p.Hide() })
	top := container.New(kit.Fixed{Height: 30}, container.NewBorder(nil, nil, nil, done))
	return kit.Panel(container.NewBorder(nil, p.seats[2], nil, nil,
		container.NewStack(container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(p.detail, p.adding, p.buildCatalogue())),
			container.NewVBox(top))))
}

func (p *Page) updateRow(i widget.ListItemID, o fyne.CanvasObject) {
	s := p.shelf()
	if i >= len(s.List) {
		return
	}
	row, m := o.(*kit.ListRow), s.List[i]
	row.Listen(&p.list.List, i, func() { p.host.Layers.Canvas().Focus(p.list) }, p.menu)
	row.Name(m.Name(), 34)
	row.Facts.Color = theme.ColorNamePlaceHolder
	icon := theme.StorageIcon()
	check, checked := s.Checks[m.Path]
	switch {
	case m.Err != nil || checked && check.Err != nil:
		icon, row.Facts.Color = theme.NewWarningThemedResource(theme.WarningIcon()), theme.ColorNameWarning
	case s.InUse(m.Path):
		icon = theme.NewSuccessThemedResource(theme.ConfirmIcon())
	}
	row.Facts.Set(s.Line(m))
	row.Facts.Refresh()
	row.Settle()
	row.Icon.SetResource(icon)
	row.Image.Hide()
}

// taskRow is an import, a check or a download on its way.
type taskRow struct {
	body       *fyne.Container
	name, text *kit.Fitted
	bar        *widget.ProgressBar
	stop       *kit.IconButton
	why        *widget.Label // a download does not move
}

func newTaskRow(p *Page, id int, download bool) *taskRow {
	r := &taskRow{
		name: kit.NewFitted(theme.ColorNameForeground), text: kit.NewFitted(theme.ColorNamePlaceHolder),
		bar: widget.NewProgressBar(),
	}
	r.bar.TextFormatter = func() string { return "" }
	r.stop = kit.SmallButton(i18n.T("Cancel"), theme.CancelIcon(), func() { p.cancelTask(id) })
	if download { // what is fetched stays; a paused one can be given up
		r.stop = kit.SmallButton(i18n.T("Pause"), theme.MediaPauseIcon(), func() { p.cancelTask(id) })
	}
	r.why = widget.NewLabel("")
	r.why.Wrapping, r.why.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	r.why.Hide()
	r.body = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 7),
		container.New(kit.Inset{X: 8, Y: 6}, container.NewBorder(nil, nil, nil, container.NewCenter(r.stop),
			kit.NewColumn(3, kit.WholeFitted(r.name), container.New(kit.Fixed{Height: 6}, r.bar), kit.WholeFitted(r.text), r.why))))
	return r
}

func (r *taskRow) show(t state.ModelTask, running bool) {
	name := i18n.T("Importing %s", t.Name)
	if t.Check != "" {
		name = i18n.T("Checking %s", t.Name)
	}
	if t.Get != nil && !t.Importing {
		name = i18n.T("Getting %s", t.Name)
	}
	r.name.Set(name, theme.ColorNameForeground)
	r.text.Set(t.Text(running), theme.ColorNamePlaceHolder)
	r.bar.SetValue(t.Part())
	if r.why.Text != t.Waiting {
		r.why.SetText(t.Waiting)
		r.why.Hidden = t.Waiting == ""
		r.body.Refresh()
	}
	kit.Enable(&r.stop.Button, !t.Ending)
}

// refreshTasks shows how far the tasks are, on the page and in the head of the window.
func (p *Page) refreshTasks() {
	tasks := p.shelf().Tasks
	var rows []fyne.CanvasObject
	for _, t := range tasks {
		row := p.rows[t.ID]
		if row == nil {
			row = newTaskRow(p, t.ID, t.Get != nil)
			p.rows[t.ID] = row
		}
		row.show(t, !t.Began.IsZero())
		rows = append(rows, row.body)
	}
	for id := range p.rows {
		if !slices.ContainsFunc(tasks, func(t state.ModelTask) bool { return t.ID == id }) {
			delete(p.rows, id)
		}
	}
	rows = append(rows, p.begunRows()...)
	if !slices.Equal(rows, p.tasks.Objects) {
		p.tasks.Objects = rows
		p.Root.Refresh()
	}
	text := i18n.T("Models")
	if len(tasks) > 0 {
		text += " · " + i18n.T("%.0f %%", 100*tasks[0].Part())
	}
	if p.Opener.Text != text {
		p.Opener.SetText(text)
	}
}

// Animated tells whether something on the page moves by itself, so that the window may not rest.
func (p *Page) Animated() bool { return len(p.looking.Objects) > 0 }

// Show brings the page up, or what is new to a page that is up.
func (p *Page) Show() {
	switch {
	case p.host.Models == nil:
	case p.Shown():
		p.Refresh()
	default:
		p.Screen.Show()
	}
}

func (p *Page) came() {
	p.Reload()
	p.Refresh()
	p.host.Layers.Canvas().Focus(p.list)
}

// went leaves what was about to be added.
func (p *Page) went() {
	p.change(func(s *state.Shelf) {
		p.leaveAdding()
		p.tell("")
		s.Getting = false
	})
}

// left leaves what is open on the page.
func (p *Page) left() bool {
	s := p.shelf()
	p.change(func(s *state.Shelf) {
		if s.Adding == nil {
			s.Getting = false
		}
		p.leaveAdding()
	})
	return s.Adding != nil || s.Getting
}

// Undoable tells whether Undo would take something back.
func (p *Page) Undoable() bool { return p.Shown() && len(p.gone) > 0 }

// Shows is what the page and its button in the head of the window show.
func (p *Page) Shows(s state.State) []any {
	adding := state.Adding{}
	if s.Shelf.Adding != nil {
		adding = *s.Shelf.Adding // which stays the same one while it is looked at and named
	}
	return []any{p.Shown(), len(p.gone), s.Shelf, adding, s.Model, s.ModelErr}
}

// Refresh makes the page equal to the state.
func (p *Page) Refresh() {
	p.refreshLight()
	p.refreshTasks()
	s := p.shelf()
	p.look(p.Shown() && s.Adding != nil && s.Adding.Looking)
	if !p.Shown() {
		return
	}
	p.file.Hidden, p.dir.Hidden = p.host.OpenFile == nil, p.host.OpenFolder == nil
	p.usage.Set(wording.Path(p.Folder()))
	if s.Free >= 0 && s.Listed {
		p.usage.Set(i18n.T("%s free in %s", wording.Bytes(s.Free), wording.Path(p.Folder())))
	}
	p.list.Refresh()
	m, ok := s.ChosenModel()
	if i := slices.IndexFunc(s.List, func(o state.Model) bool { return ok && o.Path == m.Path }); i >= 0 && s.Adding == nil && !s.Getting {
		p.settling = true // what is chosen may not be listed yet
		p.list.Select(i)
		p.settling = false
	} else {
		p.list.UnselectAll()
	}
	p.adding.Hidden, p.detail.Hidden, p.catalogue.Hidden = s.Adding == nil, s.Adding != nil || s.Getting || !ok, s.Adding != nil || !s.Getting
	if s.Getting {
		p.refreshCatalogue()
	}
	if s.Adding != nil {
		p.refreshAdding(*s.Adding)
	} else if ok {
		p.refreshDetail(m)
	}
	text := s.Told
	p.snackText.Importance = widget.MediumImportance
	if s.Err != nil {
		text, p.snackText.Importance = wording.Sentence(s.Err), widget.DangerImportance
	}
	if n := len(p.gone); n > 0 { // it stands beside Undo
		text = strings.TrimSpace(text + " " + p.gone[n-1].text)
	}
	p.snackText.SetText(text)
	p.undo.Hidden, p.snack.Hidden = len(p.gone) == 0, text == ""
	p.seat()
	p.Root.Refresh()
}

// seat puts the snack where nothing that is pressed gives way to it.
func (p *Page) seat() {
	at := 2
	switch {
	case !p.detail.Hidden:
		at = 0
	case !p.adding.Hidden:
		at = 1
	}
	for i, seat := range p.seats {
		seat.Hidden = i != at || p.snack.Hidden
		if seat.Objects = nil; i == at {
			seat.Objects = []fyne.CanvasObject{p.snack}
		}
	}
}

// setFacts fills a table of facts when they have changed.
func setFacts(into *fyne.Container, old *[]state.Fact, facts []state.Fact) {
	if slices.Equal(*old, facts) && len(into.Objects) > 0 {
		return
	}
	*old = facts
	into.Objects = nil
	for _, f := range facts {
		text := widget.NewLabel(f.Is)
		text.Wrapping = fyne.TextWrapWord
		into.Add(container.New(labelled{130}, kit.Caption(f.What), container.New(kit.Inset{X: 0, Y: -6}, text)))
		if at, err := url.Parse(f.At); err == nil && f.At != "" {
			link := widget.NewHyperlink(f.At, at)
			link.Wrapping = fyne.TextWrapBreak
			into.Add(container.New(labelled{130}, kit.Caption(""), container.New(kit.Inset{X: 0, Y: -12}, link)))
		}
	}
	into.Refresh()
}

// leading is a panel of a width, which grows with the texts, and the rest at its right.
type leading struct{ width, gap float32 }

func (l leading) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(l.width*max(kit.TextScale(), 1), size.Width*0.45)
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(width, size.Height))
	objects[1].Move(fyne.NewPos(width+l.gap, 0))
	objects[1].Resize(fyne.NewSize(size.Width-width-l.gap, size.Height))
}

func (l leading) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.width+l.gap+300, max(objects[0].MinSize().Height, objects[1].MinSize().Height))
}

// labelled is a label of a width, which grows with the texts, and what it stands for.
type labelled struct{ width float32 }

func (l labelled) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := l.width * kit.TextScale()
	objects[0].Move(fyne.NewPos(0, 3))
	objects[0].Resize(fyne.NewSize(width-8, objects[0].MinSize().Height))
	objects[1].Move(fyne.NewPos(width, 0))
	objects[1].Resize(fyne.NewSize(size.Width-width, size.Height))
}

func (l labelled) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.width*kit.TextScale()+100, max(objects[0].MinSize().Height, objects[1].MinSize().Height))
}

func (p *Page) refreshDetail(m state.Model) {
	s := p.shelf()
	p.title.Set(m.Name())
	verdict, bad := s.Verdict(m)
	p.verdict.Importance = widget.SuccessImportance
	if bad {
		p.verdict.Importance = widget.DangerImportance
	}
	p.verdict.SetText(verdict)
	setFacts(p.facts, &p.told, m.Facts())
	notes := ""
	if m.Manifest != nil {
		notes = points(m.Manifest.Told())
	}
	p.notes.SetText(notes)
	p.notesHead.Hidden = notes == ""
	own, used, at := m.Path != "", s.InUse(m.Path), s.Busy(m.Path)
	p.buttons["use"].Hidden = used
	kit.Enable(p.buttons["use"], m.Err == nil && !s.Moving)
	if s.Next != nil && s.Next.Path == m.Path {
		p.buttons["use"].Hidden = true
	}
	p.buttons["real"].Hidden = own
	p.buttons["check"].Hidden = !own || m.Card
	kit.Enable(p.buttons["check"], !at && m.Manifest != nil)
	p.buttons["rename"].Hidden = !own || m.Card
	kit.Enable(p.buttons["rename"], m.Manifest != nil && !at)
	made := m.Source != "" && !m.Bare // it can be made again
	p.buttons["base"].Hidden = !made
	kit.Enable(p.buttons["base"], p.host.OpenFile != nil || p.host.OpenFolder != nil)
	check, checked := s.Checks[m.Path]
	p.buttons["again"].Hidden = !made || m.Err == nil && (!checked || check.Err == nil)
	p.buttons["reveal"].Hidden = !own
	p.buttons["remove"].Hidden = !own
	kit.Enable(p.buttons["remove"], !used && !at)
	why := ""
	switch {
	case s.Moving:
		why = i18n.T("Opening the model…")
	case s.Next != nil:
		why = i18n.T("%s will open when the queue is done.", s.Next.Name())
	case used && own:
		why = i18n.T("To remove it, switch to another model first.")
	}
	p.why.Set(why)
	p.why.Hidden = why == ""
	p.detail.Refresh()
}

// look shows the bar that moves, or takes it away: Fyne moves one as well that is hidden or gone, and its window never comes to rest.
func (p *Page) look(on bool) {
	switch moves := len(p.looking.Objects) > 0; {
	case on && !moves:
		bar := widget.NewProgressBarInfinite()
		bar.Start() // one that was never drawn would only begin to move when it is stopped
		p.looking.Add(bar)
	case !on && moves:
		p.looking.Objects[0].(*widget.ProgressBarInfinite).Stop()
		p.looking.RemoveAll()
	}
	p.looking.Hidden = !on
}

func (p *Page) refreshAdding(a state.Adding) {
	title := i18n.T("Add a model")
	if a.Again != "" {
		title = i18n.T("Import again")
	}
	p.addTitle.Set(title)
	p.addAt.Set(wording.Path(a.Path))
	setFacts(p.addFacts, &p.addTold, a.Facts())
	p.addFacts.Hidden = a.Looking
	agree, trouble := a.Agree(), a.Problem()
	p.trouble.SetText(trouble)
	p.trouble.Hidden = trouble == ""
	p.nameRow.Hidden = agree == "" || a.Again != "" || a.Found.Layout == bundle.LayoutBundle
	p.copy.Hidden = a.Looking || a.Found.Mapped == 0
	if p.copy.Checked != a.Copy {
		p.copy.SetChecked(a.Copy)
	}
	p.predictionRow.Hidden = !a.Trainable()
	if i := 1 + slices.Index(bundle.Predictions, a.Prediction); p.prediction.SelectedIndex() != i {
		p.prediction.SetSelectedIndex(i)
	}
	if p.name.Text != a.Name {
		p.name.SetText(a.Name)
	}
	notes := points(a.Found.Manifest.Told())
	p.addNotes.SetText(notes)
	p.addNotes.Hidden = notes == "" || a.Looking
	p.refreshSources(a)
	p.agree.Hidden = agree == ""
	p.agree.SetText(agree)
	p.adding.Refresh()
}

// points are the notes of an import, a line each.
func points(notes []error) (lines string) {
	for _, n := range notes {
		lines += "• " + wording.Sentence(n) + "\n"
	}
	return lines
}

// predict looks at what is added again, as a model trained in the way of an index: 0 is what its files say, then bundle.Predictions.
func (p *Page) predict(i int) {
	a := p.shelf().Adding
	if a == nil || a.Looking || i < 0 {
		return
	}
	if now := append([]string{""}, bundle.Predictions...)[i]; now != a.Prediction {
		again := *a
		again.Prediction = now
		p.inspect(again)
	}
}

// refreshSources offers the RealCustom++ checkpoints that a base model can go under.
func (p *Page) refreshSources(a state.Adding) {
	p.sources.Hidden = a.Looking || !a.Alone() || a.Problem() != ""
	if p.sources.Hidden {
		return
	}
	list := p.shelf().Sources()
	var offered []string
	for _, m := range list {
		offered = append(offered, m.Source+m.Name())
	}
	if len(p.sources.Objects) > 0 && slices.Equal(offered, p.offered) {
		return
	}
	p.offered = offered
	text := i18n.T("It has no RealCustom++ weights of its own. Choose the RealCustom++ checkpoints to combine it with:")
	if len(list) == 0 {
		text = i18n.T("It has no RealCustom++ weights of its own. Choose the folder with the RealCustom++ checkpoints to combine it with.")
	}
	question := widget.NewLabel(text)
	question.Wrapping = fyne.TextWrapWord
	p.sources.Objects = []fyne.CanvasObject{question}
	for _, m := range list {
		p.sources.Add(kit.LowButton(i18n.T("%s, from %s", m.Name(), wording.Path(m.Source)), theme.StorageIcon(),
			func() { p.goUnder(m.Source) }))
	}
	if p.host.OpenFolder != nil {
		p.sources.Add(kit.LowButton(i18n.T("Choose a folder…"), theme.FolderOpenIcon(), func() { p.AskPath(p.host.OpenFolder, p.goUnder) }))
	}
}

// goUnder puts the base model that is being added under RealCustom++ checkpoints.
func (p *Page) goUnder(source string) {
	if a := p.shelf().Adding; a != nil && a.Alone() {
		p.inspect(state.Adding{Path: source, Base: a.Path, Prediction: a.Prediction})
	}
}

// askBase asks for another base model under the checkpoints of a model.
func (p *Page) askBase(m state.Model) {
	then := func(path string) { p.LookAt(m.Source, path, "") }
	switch {
	case p.host.OpenFolder == nil:
		p.AskPath(p.host.OpenFile, then)
		return
	case p.host.OpenFile == nil:
		p.AskPath(p.host.OpenFolder, then)
		return
	}
	text := widget.NewLabel(i18n.T("Another text-to-image model of the same family replaces the base of %s: one file, or a folder in the diffusers layout. The result is a separate model; this one stays.", m.Name()))
	text.Wrapping = fyne.TextWrapWord
	var closeIt func()
	folder := kit.NewButton(i18n.T("A folder…"), func() { closeIt(); p.AskPath(p.host.OpenFolder, then) })
	file := kit.NewButton(i18n.T("A file…"), func() { closeIt(); p.AskPath(p.host.OpenFile, then) })
	file.Importance = widget.HighImportance
	closeIt = p.host.Layers.Sheet(i18n.T("Another base model"), fyne.NewSize(520, 210), kit.NewPage(text), folder, file)
}

// Actions are the entries of the models in the table of actions.
func (p *Page) Actions() []command.Action {
	here := func() bool { return p.host.Models != nil }
	chosen := func(ok func(state.Model) bool) func() bool {
		return func() bool {
			m, found := p.shelf().ChosenModel()
			return here() && p.Shown() && found && p.shelf().Adding == nil && !p.shelf().Getting && ok(m)
		}
	}
	with := func(do func(state.Model)) func() {
		return func() {
			if m, ok := p.shelf().ChosenModel(); ok {
				do(m)
			}
		}
	}
	own := func(m state.Model) bool {
		return m.Path != "" && !m.Card && m.Manifest != nil && !p.shelf().Busy(m.Path)
	}
	return []command.Action{
		{
			ID: "models.show", Menu: command.MenuModels, Label: i18n.T("Models"), Key: "Ctrl+Shift+M", Do: p.Toggle, Can: here,
			On: func() bool { return p.Shown() },
		},
		{ID: "models.get", Menu: command.MenuModels, Label: i18n.T("Get real models…"), Do: p.showCatalogue, Can: here},
		{
			ID: "models.folder", Menu: command.MenuModels, Label: i18n.T("Add a model folder…"), Do: p.addFolder,
			Can: func() bool { return here() && p.host.OpenFolder != nil },
		},
		{
			ID: "models.file", Menu: command.MenuModels, Label: i18n.T("Add a model file…"), Do: p.addFile,
			Can: func() bool { return here() && p.host.OpenFile != nil },
		},
		command.Separator(command.MenuModels),
		{
			ID: "models.use", Menu: command.MenuModels, Label: i18n.T("Use this model"), Do: with(func(m state.Model) { p.Use(m.Path) }),
			Can: chosen(func(m state.Model) bool { return m.Err == nil && !p.shelf().InUse(m.Path) }),
		},
		{
			ID: "models.check", Menu: command.MenuModels, Label: i18n.T("Check the files"), Do: with(func(m state.Model) { p.check(m.Path) }),
			Can: chosen(own),
		},
		{ID: "models.rename", Menu: command.MenuModels, Label: i18n.T("Rename the model…"), Do: with(p.rename), Can: chosen(own)},
		{
			ID: "models.remove", Menu: command.MenuModels, Label: i18n.T("Remove the model…"), Do: with(p.askRemove),
			Can: chosen(func(m state.Model) bool {
				return m.Path != "" && !p.shelf().InUse(m.Path) && !p.shelf().Busy(m.Path)
			}),
		},
		command.Separator(command.MenuModels),
		{
			ID: "models.cancel", Menu: command.MenuModels, Label: i18n.T("Cancel the import"),
			Do: func() {
				if id := p.importing(); id != 0 {
					p.cancelTask(id)
				}
			},
			Can: func() bool { return p.importing() != 0 },
		},
	}
}
