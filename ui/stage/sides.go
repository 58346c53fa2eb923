package stage

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/history"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// rail is the column of tools left of the picture: what is done with how it is seen, and what is done with it.
type rail struct {
	body    *fyne.Container
	buttons []*command.ToolButton
}

// Icons that Fyne has not.
var (
	crispIcon  = kit.Icon("crisp.svg", `M4 4h6v6H4zm10 0h6v6h-6zM9 9h6v6H9zm-5 5h6v6H4zm10 0h6v6h-6z`)
	splitIcon  = kit.Icon("split.svg", `M11 2h2v20h-2v-3H3V5h8zM5 7v10h6V7zm10-2h6v14h-6v-2h4V7h-4z`)
	againIcon  = kit.Icon("again.svg", `M9 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-2.700 0-8 1.300-8 4v2h16v-2c0-2.700-5.300-4-8-4zm9-7V4h-2v3h-3v2h3v3h2V9h3V7z`)
	recipeIcon = kit.Icon("recipe.svg", `M5 3h14v18H5zm2 2v14h10V5zm2 2h6v2H9zm0 4h6v2H9zm0 4h4v2H9z`)
	redoIcon   = kit.Icon("redo.svg", `M3 3h18v18H3zm2 2v14h14V5zm7 2.500a4.500 4.500 0 1 1-4.400 5.500h2.100A2.500 2.500 0 1 0 12 9.500V12L8.500 8.500 12 5z`)
	secondIcon = kit.Icon("second.svg", `M3 11h10v10H3zm2 2v6h6v-6zM10 3h11v11h-6v-2h4V5h-7v4h-2z`)
	treeIcon   = kit.Icon("tree.svg", `M9 3h6v6h-2v2h6v4h2v6h-6v-6h2v-2H7v2h2v6H3v-6h2v-4h6V9H9z`)
)

func newRail(h Host, high func() float32) *rail {
	upright := &kit.Upright{Gap: 2, Group: 10}
	r := &rail{body: container.New(upright)}
	group := func(tools ...*command.ToolButton) {
		upright.Firsts = append(upright.Firsts, len(r.buttons))
		for _, t := range tools {
			r.buttons = append(r.buttons, t)
			r.body.Add(container.New(railBox{r, high}, t))
		}
	}
	tool := func(id string, icon fyne.Resource) *command.ToolButton {
		return command.NewToolButton(h.Commands, id, icon)
	}
	own := func(id string, icon fyne.Resource) *command.ToolButton {
		return tool(id, theme.NewThemedResource(icon))
	}
	made := []*command.ToolButton{
		own("picture.reference", againIcon), own("recall.all", recipeIcon),
		own("picture.redo", redoIcon), own("picture.second", secondIcon),
	}
	if h.SaveFile != nil {
		made = append(made, tool("file.save", theme.DocumentSaveIcon()))
	}
	made = append(made, tool("file.folder", theme.FolderOpenIcon()))
	group(made...)
	group(tool("view.zoom.fit", theme.ZoomFitIcon()), own("view.crisp", crispIcon), own("view.compare", splitIcon),
		tool("view.inspect", theme.SearchIcon()))
	group(own("view.rounds", treeIcon))
	r.body.Hide()
	return r
}

// railBox is the place of a tool, which grows less than the texts, and gives way in a low window so that all stand in one column.
type railBox struct {
	rail *rail
	high func() float32 // of the window
}

func (b railBox) MinSize([]fyne.CanvasObject) fyne.Size {
	side := 30 + 18*(max(kit.TextScale(), 1)-1)
	if n := len(b.rail.buttons); n > 0 {
		side = max(min(side, (b.high()/2-40)/float32(n)-2), 23)
	}
	return fyne.NewSquareSize(side)
}

func (railBox) Layout(objects []fyne.CanvasObject, size fyne.Size) { objects[0].Resize(size) }

// FollowTools makes the tools left of the picture equal to their actions.
func (p *Panel) FollowTools() {
	for _, b := range p.rail.buttons {
		b.Follow()
	}
}

// buildStrip makes the column of thumbnails, with the live tile and the slider of their size below it.
func (p *Panel) buildStrip() {
	p.Strip = kit.NewColumn(6)
	p.side = kit.NewSlider(leastThumb, mostThumb)
	p.side.Step = 0.05
	p.side.OnChanged = func(v float64) {
		s := p.host.Sizes()
		s.Thumb = float32(v)
		p.host.Resize(s, false)
	}
	p.side.OnChangeEnded = func(float64) { p.host.Resize(p.host.Sizes(), true) }
	p.side.Explain(func() string { return i18n.T("Size of the thumbnails") })
	page := kit.NewPage(p.Strip)
	p.thumbs = kit.Follow(page)
	p.stripRow = container.New(stripLayout{p.thumbs}, page, p.live, kit.NarrowTrack(p.side))
	p.stripRow.Hide()
}

// stripLayout is a page as wide as its thumbnails, over the live tile and a slider.
type stripLayout struct{ thumbs *kit.Follower }

func (l stripLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := size.Height
	for _, o := range objects[1:] {
		if o.Visible() {
			y -= o.MinSize().Height
		}
	}
	objects[0].Move(fyne.Position{})
	l.thumbs.Resize(fyne.NewSize(size.Width, max(y-4, 0)))
	for _, o := range objects[1:] {
		if o.Visible() {
			o.Move(fyne.NewPos(0, y))
			o.Resize(fyne.NewSize(size.Width-kit.BarWidth, o.MinSize().Height))
			y += o.MinSize().Height
		}
	}
}

func (stripLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(thumbSide)
	if strip := objects[0].(*container.Scroll).Content.(*fyne.Container).Objects[0].(*fyne.Container); len(strip.Objects) > 0 {
		width = strip.Objects[0].MinSize().Width
	}
	return fyne.NewSize(width+kit.BarWidth, 0)
}

const (
	thumbSide             = 56 // of a thumbnail of the usual size
	leastThumb, mostThumb = 0.7, 4
)

// thumb is the side of a thumbnail.
func (p *Panel) thumb() float32 {
	if t := p.host.Sizes().Thumb; t > 0 {
		return thumbSide * min(max(t, leastThumb), mostThumb)
	}
	return thumbSide * p.host.Sizes().zoomFor(p.height())
}

// ShowsSides is what stands left and right of the picture.
func (p *Panel) ShowsSides(s state.State) []any {
	shown := []any{len(p.Strip.Objects), len(s.Shots), s.View.Shot, s.Busy(), s.Live()}
	if film := s.Run().Film; len(film) > 0 {
		shown = append(shown, film[len(film)-1].Preview)
	}
	for i, shot := range s.Shots {
		shown = append(shown, shot.Likeness, shot.Trashed, s.DressOf(i))
	}
	return shown
}

// RefreshSides makes what stands left and right of the picture equal to the state. The tools come with the first run, and so do the
// thumbnails, not in the moment when its picture is there.
func (p *Panel) RefreshSides() {
	s := p.host.State()
	for i := len(p.Strip.Objects); i < len(s.Shots); i++ {
		small, name := Small(s.Shots[i]), i18n.T("picture %d", i+1)
		if at := s.Shots[i].Stopped; at > 0 {
			small, name = kit.Dimmed(small), name+" · "+state.StoppedAt(at)
		}
		if s.Shots[i].Trashed {
			small, name = kit.Dimmed(small), name+" · "+i18n.T("in the trash")
		}
		thumb := kit.NewThumb(name, small, thumbSide, func() { p.Tap(i) })
		thumb.OnMenu = func(at fyne.Position) { p.menuOf(i, at) }
		thumb.OnDragged = func(at fyne.Position) {
			if shots := p.host.State().Shots; i < len(shots) { // a session with fewer may have come
				p.carry(&shots[i], at)
			}
		}
		thumb.OnDropped = p.letGo
		p.Strip.Add(thumb)
	}
	taller := false
	for i, o := range p.Strip.Objects {
		tile := o.(*kit.Tile)
		if i < len(p.Strip.Objects)-fineThumbs {
			coarsen(kit.ThumbImage(tile))
		}
		tile.Choose(i == s.View.Shot)
		showNear(tile, s.Shots[i].Likeness, s.DressOf(i))
		taller = kit.ResizeThumb(tile, p.thumb()) || taller
	}
	if v := float64(p.thumb() / thumbSide); p.side.Value != v {
		p.side.Value = v
		p.side.Refresh()
	}
	p.live.show(s)
	p.thumbs.Show(p.Strip.Objects, s.View.Shot)
	hidden := len(s.Shots) == 0 && !s.Busy()
	if hidden != p.stripRow.Hidden {
		if p.stripRow.Hidden = hidden; hidden {
			p.rail.body.Hide()
		} else {
			p.rail.body.Show()
		}
		p.OnHeight()
	} else if taller {
		p.Strip.Refresh()
		p.Body.Refresh()
	}
}

// fineThumbs are the newest thumbnails, which stay sharp when they are made large; a session may have hundreds of them.
const fineThumbs, coarseThumb = 24, 112

// coarsen makes the picture of a thumbnail as small as its usual size needs on a dense screen.
func coarsen(of *canvas.Image) {
	size := of.Image.Bounds().Size()
	if long := max(size.X, size.Y); long > coarseThumb {
		of.Image = whole(of.Image, max(size.X*coarseThumb/long, 1), max(size.Y*coarseThumb/long, 1)).paint()
		of.Refresh()
	}
}

// showNear shows the likeness of a picture on its thumbnail.
func showNear(t *kit.Tile, list []history.Likeness, dress state.Dress) {
	var bars []kit.Near
	near, said := state.NearOf(list, dress)
	for _, n := range near {
		bars = append(bars, kit.Near(n))
	}
	t.ShowNear(bars, said)
}

// Forget drops the thumbnails and what was compared: the pictures of another session have come.
func (p *Panel) Forget() {
	p.Strip.RemoveAll()
	p.thumbs.Forget()
	p.seats = 0
	if p.contrast.on {
		p.uncompare()
	}
	p.contrast, p.seen, p.before = contrast{}, nil, nil
}
