package gallery

import (
	"errors"
	"image"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Page is the page of the history, over the rest of the window: sessions on the left, pictures in the middle, the
// chosen one on the right.
type Page struct {
	*kit.Screen

	// What the user did that concerns the house, on Fyne's goroutine; all are set before the page is shown.
	OnNew       func()                                         // begin a new session
	OnSession   func(id uint64)                                // go on with a session
	OnRenamed   func(id uint64, name string)                   // a session has another name
	OnShow      func(picture uint64)                           // show a picture on the stage
	OnCompare   func(left, right uint64, done func(err error)) // show two side by side; done is called before they are, and once at most
	OnReference func(state.Source)                             // take a picture as a reference of the next job
	OnRemade    func(picture uint64)                           // the file of a picture is there again
	OnBinned    func()                                         // pictures went into the trash, came back, or were deleted for good
	OnReveal    func(folder string)                            // show a folder in the file manager
	OnBudget    func(bytes int64)                              // keep so much step data from now on; 0: no limit

	host   Host
	state  contents
	menu   func()                     // waits until the chosen picture is known; nil: none
	later  []func() ([]string, error) // find the sessions that are taken in once what is under way has ended
	thumbs thumbs
	finder kit.Newest[query]
	seen   string // the pictures in work that it was read with

	Tree   *Tree   // of the session that is worked at, under the stage
	Banner *Banner // over the window

	list      *sessionList
	rowTools  *fyne.Container
	usage     *kit.Line
	budget    *kit.Selector
	search    *kit.Field
	stars     *kit.Check
	emptyBin  *kit.Button
	title     *kit.Line
	number    *kit.Line
	grid      *pictureGrid
	nothing   *widget.Label
	snack     *fyne.Container
	snackText *widget.Label
	undo      *kit.Button
	big       *canvas.Image
	prompt    *widget.Label
	facts     *widget.Label
	trouble   *widget.Label
	tools     *fyne.Container
	star, pin *kit.Check
	buttons   map[string]*kit.Button
	none      *widget.Label
	detail    *fyne.Container
	right     *fyne.Container // around all that is said of the chosen picture
}

// detailSide is the side of the chosen picture at its right, in a small window.
const detailSide = 252

// detailHeight is its side in this window.
func (g *Page) detailHeight() float32 {
	side := float32(detailSide) * max(kit.TextScale(), 1)
	if c := g.host.Layers.Canvas(); c != nil {
		side *= kit.Growth(c.Size().Height)
	}
	return side
}

// detailBox is the place of the chosen picture.
type detailBox struct{ g *Page }

func (b detailBox) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, b.g.detailHeight()) }

func (b detailBox) Layout(objects []fyne.CanvasObject, size fyne.Size) { objects[0].Resize(size) }

// Rows of the list before the sessions, and after them.
const rowsBefore = 1

// New makes the page, hidden.
func New(host Host) *Page {
	g := &Page{host: host, buttons: map[string]*kit.Button{}, Banner: newBanner()}
	g.Tree = newTree(host.Journal, host.Background, host.State)
	g.thumbs = thumbs{post: host.Post, side: g.ThumbSide, came: g.thumbsCame, model: func() *bundle.Manifest { return host.State().Model }}
	g.thumbs.read = func(ids []uint64, side int, m *bundle.Manifest) map[uint64]*thumb {
		return readThumbs(host.Journal.Store(), host.Journal.Runs, ids, side, m, g.keepThumb)
	}
	g.finder.Do = g.find
	body := container.New(kit.Columns{Left: 286, Right: 276, Gap: 10, Least: 380}, g.buildSessions(), g.buildPictures(), g.buildDetail())
	g.Screen = host.Layers.Screen(body)
	g.OnUp = func() {
		back := g.state.Snack.back()
		if g.state.Snack, g.state.Err = (snack{}), nil; back != nil {
			g.state.Snack = *back
		}
		g.refresh()
		g.reload()
		host.Layers.Canvas().Focus(g.grid)
	}
	return g
}

// sessionList is the list of sessions. Esc closes the page; a list of Fyne's would keep it to itself.
type sessionList struct {
	widget.List
	menu func(at fyne.Position)
}

func newSessionList(length func() int, update func(widget.ListItemID, fyne.CanvasObject)) *sessionList {
	l := &sessionList{}
	l.Length, l.CreateItem, l.UpdateItem = length, kit.NewListRow, update
	l.ExtendBaseWidget(l)
	return l
}

func (l *sessionList) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		kit.HandOn(l, e)
		return
	}
	l.List.TypedKey(e)
}

// TappedSecondary shows the menu of the session that is chosen: Shift+F10 where the list has the focus.
func (l *sessionList) TappedSecondary(e *fyne.PointEvent) { l.menu(e.AbsolutePosition) }

// sessionMenu shows what can be done with the session that is chosen, or with the trash.
func (g *Page) sessionMenu(at fyne.Position) {
	g.refresh() // with the buttons of what is chosen now
	switch l := g.state.Look; {
	case l.Trash:
		g.host.Layers.ButtonsMenu(at, g.emptyBin)
	case l.Session != 0:
		g.host.Layers.ButtonsMenu(at, g.buttons["open"], g.buttons["rename"], g.buttons["export"], g.buttons["drop"])
	}
}

func (g *Page) buildSessions() fyne.CanvasObject {
	g.list = newSessionList(func() int { return len(g.state.Sessions) + rowsBefore + 1 }, g.updateRow)
	g.list.HideSeparators, g.list.menu = true, g.sessionMenu
	g.list.OnSelected = g.rowSelected
	g.rowTools = container.New(&kit.Flow{Gap: 4, Even: 2},
		g.tool("open", i18n.T("Continue"), i18n.T("Continues this session where you left it."),
			theme.MediaPlayIcon(), g.openSession),
		g.tool("rename", i18n.T("Rename…"), i18n.T("Gives the session another name."),
			theme.DocumentCreateIcon(), g.rename),
		g.tool("export", i18n.T("Export…"), i18n.T("Writes the session with all its pictures and steps into one file, for another computer or for later."),
			theme.UploadIcon(), g.export),
		g.tool("drop", i18n.T("Delete"), i18n.T("Moves the session and its pictures to the trash."),
			theme.DeleteIcon(), g.trashSession))
	g.usage = kit.Caption("")
	g.budget = NewBudget(g.host.Journal.Budget.Load(), g.SetBudget)
	bottom := kit.NewColumn(6, g.rowTools, widget.NewSeparator(),
		container.New(kit.Inset{X: 4, Y: 0}, g.usage),
		container.NewBorder(nil, nil, container.New(kit.Inset{X: 4, Y: 8}, kit.Caption(i18n.T("Keep steps up to"))), nil, g.budget),
		g.tool("import", i18n.T("Import a session…"), i18n.T("Adds a session that was exported, here or on another computer."),
			theme.DownloadIcon(), g.importFile))
	add := kit.SmallButton(i18n.T("New session"), theme.ContentAddIcon(), g.newSession)
	g.buttons["new"] = &add.Button
	for _, id := range []string{"new", "open", "drop"} {
		g.explainOff(g.buttons[id])
	}
	title := container.New(kit.Fixed{Height: 30}, container.NewBorder(nil, nil, kit.Heading(i18n.T("Sessions")), add))
	return kit.Panel(container.NewBorder(title, nil, nil, nil, container.New(kit.Footed{Gap: 4}, g.list, bottom)))
}

func (g *Page) buildPictures() fyne.CanvasObject {
	g.title, g.number = kit.Heading(""), kit.Caption("")
	g.search = kit.NewField(g.host.Commands.Shortcut, false).
		Explain(i18n.T("Finds words of prompts; word:dog finds bound words, seed:42 a seed."))
	g.search.SetPlaceHolder(i18n.T("Search the prompts"))
	g.search.OnChanged = func(text string) { g.look(func(l *query) { l.Text = text }) }
	g.stars = kit.NewCheck(i18n.T("Starred"), func(on bool) { g.look(func(l *query) { l.Starred = on }) }).Explain(i18n.T("Shows only pictures with a star."))
	g.emptyBin = kit.NewButtonWithIcon(i18n.T("Empty the trash…"), theme.DeleteIcon(), g.askEmpty).
		Explain(i18n.T("Permanently deletes everything in the trash, after asking."))
	g.emptyBin.Importance = widget.DangerImportance
	done := kit.SmallButton(i18n.T("Back to the studio"), theme.CancelIcon(), func() { g.Hide() })
	head := kit.NewColumn(8,
		container.New(kit.Fixed{Height: 30}, container.NewBorder(nil, nil,
			kit.NewRow(10, kit.Whole(g.title, g.fullTitle), g.number), kit.NewRow(4, g.emptyBin, done))),
		container.NewBorder(nil, nil, nil, g.stars, g.search))
	g.grid = newPictureGrid(g)
	g.nothing = widget.NewLabel("")
	g.nothing.Wrapping, g.nothing.Alignment, g.nothing.Importance = fyne.TextWrapWord, fyne.TextAlignCenter, widget.LowImportance
	g.snackText = widget.NewLabel("")
	g.snackText.Wrapping = fyne.TextWrapWord // the end of an error says what helps
	g.undo = kit.NewButton(i18n.T("Undo"), g.undoTrash).Explain(i18n.T("Brings back what was removed last."))
	g.undo.Importance = widget.HighImportance
	g.snack = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, nil, container.NewCenter(g.undo), kit.NewCapped(6, g.snackText))))
	middle := container.NewStack(container.New(kit.Inset{X: 20, Y: 60}, kit.Quiet(g.nothing)), g.grid)
	return kit.Panel(container.NewBorder(head, g.snack, nil, nil, container.New(kit.Inset{X: 0, Y: 8}, middle)))
}

func (g *Page) buildDetail() fyne.CanvasObject {
	g.big = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	g.big.FillMode, g.big.ScaleMode, g.big.CornerRadius = canvas.ImageFillContain, canvas.ImageScaleSmooth, 8
	g.prompt, g.facts, g.trouble = widget.NewLabel(""), widget.NewLabel(""), widget.NewLabel("")
	for _, l := range []*widget.Label{g.prompt, g.facts, g.trouble} {
		l.Wrapping = fyne.TextWrapWord
	}
	g.facts.SizeName, g.facts.Importance = theme.SizeNameCaptionText, widget.LowImportance
	g.trouble.SizeName, g.trouble.Importance = theme.SizeNameCaptionText, widget.DangerImportance
	g.star = kit.NewCheck(i18n.T("Star"), g.setStar).Explain(i18n.T("Marks this picture as one of the best."))
	g.pin = kit.NewCheck(i18n.T("Keep its steps permanently"), g.setPin).
		Explain(i18n.T("Its steps stay when others are removed to free up space."))
	show := g.tool("show", i18n.T("Open in studio"), i18n.T("Shows the picture with its steps and masks."),
		theme.VisibilityIcon(), g.showChosen)
	show.Importance, show.Alignment = widget.HighImportance, widget.ButtonAlignCenter
	g.tools = kit.NewColumn(2, show,
		g.tool("remake", i18n.T("Make the file again"), i18n.T("Makes the file of the picture once more, from its recipe."),
			theme.ViewRefreshIcon(), g.remake),
		g.tool("reference", i18n.T("Use as reference"), i18n.T("A word of your prompt will look like this picture."),
			theme.ContentRedoIcon(), g.asReference),
		g.tool("reveal", i18n.T("Show the file"), i18n.T("Opens the folder of the picture in the file manager."),
			theme.FolderOpenIcon(), g.revealFile),
		g.tool("copy", i18n.T("Export…"), i18n.T("Saves copies of the chosen pictures elsewhere."),
			theme.UploadIcon(), g.exportAll),
		g.tool("compare", i18n.T("Compare the two"), i18n.T("Shows both under a split that can be dragged."),
			theme.ViewRefreshIcon(), g.compareTwo),
		g.tool("trash", i18n.T("Move to the trash"), i18n.T("Moves the picture to the trash, from where it can come back."),
			theme.DeleteIcon(), g.trashAll),
		g.tool("restore", i18n.T("Restore from the trash"), i18n.T("Restores it from the trash."),
			theme.ContentUndoIcon(), g.restoreAll))
	g.detail = kit.NewColumn(8, container.New(detailBox{g}, g.big), g.prompt, g.trouble, kit.Quiet(g.facts), g.star, g.pin)
	g.none = widget.NewLabel(i18n.T("Choose a picture to see how it was made."))
	g.none.Wrapping, g.none.Importance = fyne.TextWrapWord, widget.LowImportance
	g.right = container.NewBorder(nil, g.tools, nil, nil, kit.NewPage(container.NewStack(kit.Quiet(g.none), g.detail)))
	return kit.Panel(g.right)
}

func (g *Page) updateRow(i widget.ListItemID, o fyne.CanvasObject) {
	s := o.(*kit.ListRow)
	s.Listen(&g.list.List, i, func() { g.host.Layers.Canvas().Focus(g.list) }, g.sessionMenu)
	img, icon := image.Image(nil), fyne.Resource(nil)
	switch n := i - rowsBefore; {
	case n < 0:
		s.Name(i18n.T("All pictures"), 30)
		s.Facts.Set("")
		if g.state.Read {
			s.Facts.Set(wording.Bytes(g.state.Total))
		}
		icon = theme.GridIcon()
	case n < len(g.state.Sessions):
		r := g.state.Sessions[n]
		s.Name(r.Title, 30)
		s.Title.Color = theme.ColorNameForeground
		if r.ID == g.host.Journal.Session() {
			s.Title.Color = theme.ColorNamePrimary
		}
		facts := []string{
			wording.Day(r.When, time.Now()), i18n.N(r.Usage.Rounds, "%d job", "%d jobs", r.Usage.Rounds),
			wording.Bytes(r.Usage.Bytes + r.Usage.Steps + r.Usage.References),
		}
		s.Facts.Set(strings.Join(facts, " · "))
		icon = theme.FileImageIcon()
		if r.Newest != 0 {
			if t := g.thumbs.get(r.Newest); t != nil && t.image != nil {
				img, icon = t.image, nil
			}
		}
	default:
		s.Name(i18n.T("Trash"), 30)
		s.Facts.Set("")
		if g.state.Read {
			s.Facts.Set(i18n.N(g.state.Trashed, "%d picture", "%d pictures", g.state.Trashed))
		}
		icon = theme.DeleteIcon()
	}
	if n := i - rowsBefore; n < 0 || n >= len(g.state.Sessions) {
		s.Title.Color = theme.ColorNameForeground
	}
	s.Title.Refresh()
	s.Settle()
	setImage(s.Image, img)
	if s.Icon.Resource != icon {
		s.Icon.SetResource(icon)
	}
}

// setImage shows an image, or none.
func setImage(to *canvas.Image, img image.Image) {
	if to.Image != img {
		if to.Image = img; img != nil {
			to.Refresh()
		}
	}
	if to.Hidden != (img == nil) {
		to.Hidden = img == nil
		to.Refresh()
	}
}

// row is the row of the list that the look chooses.
func (g *Page) row() int {
	l := g.state.Look
	switch i := slices.IndexFunc(g.state.Sessions, func(r sessionRow) bool { return r.ID == l.Session }); {
	case l.Trash:
		return len(g.state.Sessions) + rowsBefore
	case l.Session != 0 && i >= 0:
		return i + rowsBefore
	}
	return 0
}

func (g *Page) rowSelected(i widget.ListItemID) {
	if i == g.row() {
		return
	}
	g.look(func(l *query) {
		l.Session, l.Trash = 0, false
		switch n := i - rowsBefore; {
		case n >= len(g.state.Sessions):
			l.Trash = true
		case n >= 0:
			l.Session = g.state.Sessions[n].ID
		}
	})
}

// Shows is what the page shows of the window's state.
func (g *Page) Shows(s state.State) []any {
	if !g.Shown() {
		return nil
	}
	return []any{s.Occupied(), g.host.Journal.Session()}
}

// Refresh makes the page equal to the state.
func (g *Page) Refresh() { g.refresh() }

// refresh makes the page equal to its state.
func (g *Page) refresh() {
	if !g.Shown() {
		return
	}
	s := &g.state
	g.title.Set(kit.Cut(g.fullTitle(), 40))
	number := i18n.N(len(s.IDs), "%d picture", "%d pictures", len(s.IDs))
	if n := len(s.Marked); n > 0 {
		number = i18n.N(n, "%d of %s selected", "%d of %s selected", n, number)
	}
	if !s.Read {
		number = ""
	}
	g.number.Set(number)
	if s.Read {
		g.usage.Set(i18n.T("%s in total, %s of it steps", wording.Bytes(s.Total), wording.Bytes(s.Steps)))
	}
	if name := BudgetName(g.host.Journal.Budget.Load()); g.budget.Selected != name {
		g.budget.Selected = name
		g.budget.Refresh()
	}
	g.emptyBin.Hidden = !s.Look.Trash
	kit.Enable(g.emptyBin, s.Trashed > 0)
	if g.search.Text != s.Look.Text {
		g.search.Text = s.Look.Text
		g.search.Refresh()
	}
	if g.stars.Checked != s.Look.Starred {
		g.stars.Checked = s.Look.Starred
		g.stars.Refresh()
	}
	occupied := g.host.State().Occupied()
	session, busy := s.Look.Session != 0 && !s.Look.Trash, occupied != nil
	g.rowTools.Hidden = !session
	kit.Enable(g.buttons["open"], !busy && s.Look.Session != g.host.Journal.Session())
	kit.Enable(g.buttons["drop"], s.Look.Session != g.host.Journal.Session() || !busy)
	kit.Enable(g.buttons["export"], g.host.SaveSession != nil && s.Busy == "")
	kit.Enable(g.buttons["import"], g.host.OpenSession != nil && s.Busy == "")
	kit.Enable(g.buttons["new"], !busy)
	g.nothing.SetText(s.empty(g.host.Commands.KeyOf("history.star")))
	g.nothing.Hidden = len(s.IDs) > 0
	g.list.Refresh()
	g.list.Select(g.row())
	g.grid.Refresh()
	if i := slices.Index(s.IDs, s.Chosen); i >= 0 {
		g.grid.Select(i)
	} else {
		g.grid.UnselectAll()
	}
	if errors.As(s.Err, new(state.ErrOccupied)) { // as it is now
		g.state.Err = occupied
	}
	text := s.Snack.Text
	g.snackText.Importance = widget.MediumImportance
	switch {
	case s.Err != nil:
		text, g.snackText.Importance = wording.Sentence(s.Err), widget.DangerImportance
	case s.Busy != "":
		text = s.Busy
	}
	g.snackText.SetText(text)
	g.undo.Hidden = len(s.Snack.Undo) == 0 || s.Err != nil || s.Busy != ""
	g.snack.Hidden = text == ""
	g.refreshDetail()
	g.Root.Refresh()
}

// fullTitle is what stands over the pictures, where there is room.
func (g *Page) fullTitle() string { return g.state.title() }

func (g *Page) refreshDetail() {
	d := g.state.Detail
	g.detail.Hidden, g.tools.Hidden, g.none.Hidden = d == nil, d == nil, g.state.Chosen != 0
	defer g.right.Refresh() // what is shown has another size now
	if d == nil {
		return
	}
	img := d.Large
	if t := g.thumbs.get(d.Picture.ID); t != nil && img == nil {
		img = t.image
	}
	setImage(g.big, img)
	g.prompt.SetText(d.Round.Prompt)
	trouble := d.state()
	if g.trouble.Importance = widget.MediumImportance; d.amiss() {
		g.trouble.Importance = widget.DangerImportance
	}
	g.trouble.SetText(trouble)
	g.trouble.Hidden = trouble == ""
	g.facts.SetText(strings.Join(d.facts(), "\n"))
	for check, on := range map[*kit.Check]bool{g.star: d.Picture.Starred, g.pin: d.Picture.Pinned} {
		if check.Checked != on {
			check.Checked = on
			check.Refresh()
		}
	}
	trash, file := g.state.Look.Trash, d.Picture.File != ""
	whole := d.Picture.Finished()
	g.star.Hidden, g.pin.Hidden = trash, trash || d.Picture.Steps == 0
	g.buttons["show"].Hidden = trash || d.Err != nil
	g.buttons["remake"].Hidden = trash || !d.Missing || d.Err != nil
	kit.Enable(g.buttons["remake"], g.state.Busy == "" && g.host.Maker() != nil)
	g.buttons["reference"].Hidden = trash || !whole || d.Missing
	g.buttons["reveal"].Hidden = !file || d.Missing
	g.buttons["trash"].Hidden = trash
	g.buttons["copy"].Hidden = trash || g.host.OpenFolder == nil
	kit.Enable(g.buttons["copy"], g.state.Busy == "")
	g.buttons["compare"].Hidden = len(g.state.Marked) != 2
	g.buttons["restore"].Hidden = !trash
}

// Doing is what is slow and under way, such as an export, in words; "" for nothing.
func (g *Page) Doing() string { return g.state.Busy }

// Working tells whether pictures are still being looked for or read.
func (g *Page) Working() bool { return g.finder.Working() || g.thumbs.working() }

// tool is a button of the page, found again by its ID.
func (g *Page) tool(id, text, about string, icon fyne.Resource, do func()) *kit.Button {
	g.buttons[id] = kit.LowButton(text, icon, do).Explain(about)
	return g.buttons[id]
}
