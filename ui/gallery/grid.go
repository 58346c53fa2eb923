package gallery

import (
	"cmp"
	"image"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.Focusable         = (*pictureGrid)(nil)
	_ fyne.Tappable          = (*pictureCell)(nil)
	_ fyne.SecondaryTappable = (*pictureCell)(nil)
	_ desktop.Cursorable     = (*pictureCell)(nil)
)

// pictureGrid shows the pictures that the gallery has found. Only cells on the screen exist. Arrows choose, Enter shows on the stage.
type pictureGrid struct {
	widget.GridWrap
	g    *Page
	side float32 // of a cell
}

// Resize gives the cells the side with which they fill the width beside the scroll bar: more on a large screen.
func (p *pictureGrid) Resize(size fyne.Size) {
	pad := p.Theme().Size(theme.SizeNamePadding)
	room, want := size.Width-kit.BarWidth, float32(cellSide)
	if c := p.g.host.Layers.Canvas(); c != nil {
		want *= kit.Growth(c.Size().Height)
	}
	columns := max(float32(int((room+pad)/(want+pad))), 1)
	if side := max(float32(int((room+pad)/columns-pad)), 32); side != p.side {
		p.side = side
		p.Refresh() // it measures a cell anew
	}
	p.GridWrap.Resize(size)
}

// cellBox is the place of a cell.
type cellBox struct{ grid *pictureGrid }

func (b cellBox) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSquareSize(b.grid.side) }

func (b cellBox) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func newPictureGrid(g *Page) *pictureGrid {
	p := &pictureGrid{g: g, side: cellSide}
	p.Length = func() int { return len(g.state.IDs) }
	p.CreateItem = func() fyne.CanvasObject { return newPictureCell(p) }
	p.UpdateItem = func(i widget.GridWrapItemID, o fyne.CanvasObject) {
		if i < len(g.state.IDs) {
			o.(*pictureCell).show(g.state.IDs[i])
		}
	}
	p.OnSelected = func(i widget.GridWrapItemID) {
		p.Highlight(i) // which Fyne shows where the keyboard is
		if i < len(g.state.IDs) {
			if id := g.state.IDs[i]; !slices.Contains(g.state.Marked, id) {
				g.state = g.state.withMarks(nil) // another one alone
				g.choose(id)
			}
		}
	}
	p.ExtendBaseWidget(p)
	return p
}

// TypedKey leaves to the window what is not the grid's.
func (p *pictureGrid) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		p.g.showChosen()
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight:
		p.g.key(e.Name)
	default:
		keys := p.g.host.Commands
		pressed := command.Stroke{Mod: keys.Modifiers(), Key: e.Name}
		if p.g.state.Look.Trash && pressed.Shown() == keys.KeyOf("history.trash") {
			p.g.say(i18n.T("It is in the trash already. “Empty the trash” deletes everything there."))
			p.g.refresh()
			return
		}
		keys.Typed(e)
	}
}

// tapped chooses a picture; twice shows it on the stage.
func (p *pictureGrid) tapped(id uint64, twice bool) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p); c != nil {
		c.Focus(p)
	}
	if twice {
		p.g.showChosen()
		return
	}
	if keys := p.g.host.Commands.Modifiers(); len(p.g.state.Marked) > 0 || keys&(fyne.KeyModifierShift|fyne.KeyModifierShortcutDefault) != 0 {
		p.g.tapped(id, keys)
		return
	}
	if i := slices.Index(p.g.state.IDs, id); i >= 0 {
		p.Select(i)
	}
}

// pictureCell is one place of the grid.
type pictureCell struct {
	widget.BaseWidget
	grid   *pictureGrid
	id     uint64
	shown  *thumb
	marked bool
	joint  *canvas.Line // below pictures of one job
	joined [2]bool      // to the one before it, and behind it
	tap    time.Time
	image  *canvas.Image
	badge  *kit.Line
	back   *kit.Plate
	marker *fyne.Container
	corner *fyne.Container // where the marker is
	says   []string        // texts of the badge, the longest first
	body   *fyne.Container
}

const cellSide = 116 // about, in a small window

func newPictureCell(p *pictureGrid) *pictureCell {
	c := &pictureCell{
		grid: p, back: kit.NewPlate(kit.ColorWell, "", 8),
		badge: kit.NewLine("", theme.ColorNameForeground, theme.SizeNameCaptionText),
	}
	c.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	c.image.FillMode, c.image.CornerRadius = canvas.ImageFillContain, 6
	c.image.Hide()
	c.marker = container.NewStack(kit.NewPlate(kit.ColorPlate, "", 6), container.New(kit.Inset{X: 6, Y: 2}, c.badge))
	c.marker.Hide()
	c.corner = container.New(inCorner{c}, c.marker)
	c.body = container.New(cellBox{p},
		container.New(kit.Inset{X: 3, Y: 3}, container.NewStack(c.back, container.New(kit.Inset{X: 2, Y: 2}, c.image),
			container.New(kit.Inset{X: 6, Y: 6}, c.corner))))
	c.joint = canvas.NewLine(theme.Color(theme.ColorNamePlaceHolder))
	c.joint.StrokeWidth = 2
	c.joint.Hide()
	c.body = container.NewStack(c.body, container.NewWithoutLayout(c.joint))
	c.ExtendBaseWidget(c)
	return c
}

// show puts a picture into the cell, or an empty frame until it is read.
func (c *pictureCell) show(id uint64) {
	t := c.grid.g.thumbs.get(id)
	if marked := slices.Contains(c.grid.g.state.Marked, id) || c.grid.g.state.Chosen == id; marked != c.marked {
		c.marked = marked
		c.back.Stroke, c.back.Thick = "", 0
		if marked {
			c.back.Stroke, c.back.Thick = theme.ColorNamePrimary, 3
		}
		c.back.Refresh()
	}
	before, behind := c.grid.g.state.joint(id, c.grid.g.thumbs.round)
	if joined := [2]bool{before, behind}; joined != c.joined {
		c.joined = joined
		c.placeJoint()
	}
	if c.id == id && c.shown == t && t != nil {
		return
	}
	c.id, c.shown = id, t
	var img image.Image
	badge, short, paint := "", "", theme.ColorNameForeground
	if t != nil {
		img = t.image
		switch {
		case t.missing:
			badge, paint = i18n.T("file missing"), theme.ColorNameError
		case t.live:
			badge = i18n.T("being made")
		case !t.whole:
			badge, paint, short = state.StoppedAt(t.stopped), theme.ColorNamePlaceHolder, state.StoppedAt(0)
		case t.starred:
			badge, paint = "★", theme.ColorNameWarning
		}
	}
	setImage(c.image, img)
	c.badge.Color, c.says = paint, []string{badge, cmp.Or(short, badge)}
	c.badge.Refresh()
	if c.marker.Hidden != (badge == "") {
		c.marker.Hidden = badge == ""
		c.marker.Refresh()
	}
	c.corner.Refresh()
}

// inCorner puts the marker into the corner of a picture, with the longest of its texts that there is room for; else the last one is cut.
type inCorner struct{ c *pictureCell }

func (k inCorner) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	c, wide := k.c, float32(0)
	for _, text := range c.says {
		c.badge.Set(text)
		if wide = c.marker.MinSize().Width; wide <= size.Width {
			break
		}
	}
	c.marker.Move(fyne.Position{})
	c.marker.Resize(fyne.NewSize(min(wide, size.Width), c.marker.MinSize().Height))
}

func (k inCorner) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// placeJoint draws the line that joins the picture to those of its job.
func (c *pictureCell) placeJoint() {
	const end = 10
	side := c.grid.side
	from, to := float32(end), side-end
	if c.joined[0] {
		from = -4
	}
	if c.joined[1] {
		to = side + 4
	}
	c.joint.Hidden = !c.joined[0] && !c.joined[1]
	c.joint.StrokeColor = theme.ColorForWidget(theme.ColorNamePlaceHolder, c)
	c.joint.Position1, c.joint.Position2 = fyne.NewPos(from, side-0.5), fyne.NewPos(to, side-0.5)
	c.joint.Refresh()
}

// Resize moves the line with the cell's lower edge.
func (c *pictureCell) Resize(size fyne.Size) {
	if c.BaseWidget.Resize(size); c.joined != [2]bool{} {
		c.placeJoint()
	}
}

func (c *pictureCell) Tapped(*fyne.PointEvent) {
	now := time.Now()
	twice := c.grid.g.state.Chosen == c.id && now.Sub(c.tap) < doubleTap && c.grid.g.host.Commands.Modifiers() == 0
	c.tap = now
	c.grid.tapped(c.id, twice)
}

// PictureMenu is what is done with the pictures that are selected.
var PictureMenu = command.Context{
	"history.open", "history.reference", "history.compare", "", "history.star", "history.round", "",
	"history.reveal", "history.pictures.export", "history.remake", "", "history.trash", "history.restore",
}

// TappedSecondary chooses the picture, unless it is among several that are, and shows the menu.
func (c *pictureCell) TappedSecondary(e *fyne.PointEvent) {
	g := c.grid.g
	if !slices.Contains(g.state.Marked, c.id) {
		g.tapped(c.id, 0)
	}
	g.menuOf(c.id, e.AbsolutePosition)
}

func (c *pictureCell) Cursor() desktop.Cursor              { return desktop.PointerCursor }
func (c *pictureCell) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.body) }
