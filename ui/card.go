package ui

import (
	"fmt"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.Tappable      = (*card)(nil)
	_ fyne.Focusable     = (*card)(nil)
	_ fyne.Accessible    = (*card)(nil)
	_ desktop.Cursorable = (*card)(nil)
)

// cardActs is what a card asks the window for; card is the ID of its first picture, picture that of any of them.
type cardActs struct {
	tap, remove, mute, solo, menu, remedy, add, paste func(card int)
	dropPicture                                       func(picture int)
	reach                                             func(card int, scope float64)
	square                                            func(picture int, square picture.Square, settled bool)
	shortcut                                          func(fyne.Shortcut) bool
	resized                                           func()
}

// card shows a subject: its pictures as the square that the encoders see, its word, and how far it may reach.
type card struct {
	widget.BaseWidget
	kit.Press
	look   state.CardLook
	acts   cardActs
	shown  int // ID of the picture in the square
	open   bool
	frame  *kit.Plate
	band   *canvas.Raster
	square *canvas.Image
	view   *kit.Tile
	anchor *fyne.Container // the mark of an anchor in the square
	badge  *canvas.Rectangle
	letter *canvas.Text
	word   *kit.Line
	hint   *kit.Line
	reach  *kit.Dial
	remedy *kit.Button
	thumbs *fyne.Container
	minus  *kit.Tile
	solo   *kit.IconButton
	eye    *kit.IconButton
	more   *kit.IconButton
	editor *squareEditor
	body   *fyne.Container
}

const tinySide = 26

func newCard(look state.CardLook, acts cardActs) *card {
	c := &card{look: look, acts: acts}
	c.Do = func() { acts.tap(c.look.ID) }
	c.Marked = func() { c.show(c.look) }
	c.frame = kit.NewPlate(kit.ColorRaised, kit.ColorLine, 10)
	c.band = canvas.NewRaster(c.pattern)
	c.square = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	c.square.ScaleMode, c.square.FillMode, c.square.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	c.anchor = newAnchorMark(20)
	c.view = kit.NewTile("", 7, container.New(kit.Inset{X: 1, Y: 1},
		container.New(kit.Fixed{Width: state.SquareSide - 2, Height: state.SquareSide - 2}, c.square), container.New(kit.Inset{X: 4, Y: 4},
			c.anchor)), c.toggle)
	c.badge, c.letter = kit.NewBadge()
	c.word, c.hint = kit.Heading(""), kit.Caption("")
	safe := kit.NewPlate(kit.ColorSafe, "", 5)
	c.reach = kit.NewDial(i18n.T("Area γ"), 0.05, state.ReachMax, 0.01, func(v float64) string { return fmt.Sprintf("%.2f", v) },
		func(v float64) { acts.reach(c.look.ID, v) }, container.New(kit.Band{
			Low: 0.05, High: state.ReachMax, From: kit.SafeLow,
			To: kit.SafeHigh,
		}, safe))
	c.remedy = kit.NewButton("", func() { acts.remedy(c.look.ID) })
	c.remedy.Importance = widget.WarningImportance
	gone := kit.SmallButton(i18n.T("Remove this subject"), theme.CancelIcon(), func() { acts.remove(c.look.ID) })
	c.minus = kit.NewTile("", 6, container.New(kit.Fixed{Width: tinySide - 2, Height: tinySide - 2},
		container.NewCenter(container.New(kit.Fixed{Width: 16, Height: 16}, widget.NewIcon(theme.DeleteIcon())))),
		func() { acts.dropPicture(c.shown) })
	c.minus.Explain(func() string { return c.minus.Name })
	c.eye = kit.SmallButton("", theme.VisibilityIcon(), func() { acts.mute(c.look.ID) })
	c.more = kit.SmallButton(i18n.T("More for this subject"), theme.MoreHorizontalIcon(), func() { acts.menu(c.look.ID) })
	c.solo = kit.SmallButton("", theme.RadioButtonCheckedIcon(), func() { acts.solo(c.look.ID) })
	c.thumbs = kit.NewRow(3)
	c.editor = newSquareEditor(acts.shortcut, func(s picture.Square, settled bool) { acts.square(c.shown, s, settled) })
	c.editor.Hide()

	badge := container.New(kit.Square{Side: 18}, c.badge, c.letter)
	name := container.NewBorder(nil, nil, container.NewCenter(badge), container.New(kit.Fixed{Width: 24, Height: 24}, gone),
		container.New(kit.Inset{X: 6, Y: 3}, c.word))
	side := container.New(kit.Stacked{Gap: 1}, name, container.New(kit.Inset{X: 4, Y: 0}, c.hint), c.reach.Container,
		container.New(kit.Inset{X: 4, Y: 4}, c.remedy))
	top := container.NewBorder(nil, nil, container.NewVBox(container.New(kit.Fixed{Width: state.SquareSide, Height: state.SquareSide},
		c.view)), nil, container.New(kit.Inset{X: 6, Y: 0}, side))
	tools := kit.NewRow(2, container.New(kit.Fixed{Width: 28, Height: 24}, c.solo), container.New(kit.Fixed{Width: 28, Height: 24}, c.eye),
		container.New(kit.Fixed{Width: 28, Height: 24}, c.more))
	row := container.NewBorder(nil, nil, nil, container.NewCenter(tools),
		container.New(kit.Fixed{Height: tinySide + 2}, container.NewHScroll(c.thumbs)))
	c.body = container.NewStack(c.frame, container.New(leftBand{6}, c.band),
		container.New(kit.Inset{X: 10, Y: 8}, container.New(kit.Narrow{}, kit.NewColumn(6, top, row, c.editor.Container))))
	c.ExtendBaseWidget(c)
	c.show(look)
	return c
}

// leftBand puts its objects at the left edge, inside the rounding of a card.
type leftBand struct{ width float32 }

func (l leftBand) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(1, 10))
		o.Resize(fyne.NewSize(l.width-1, size.Height-20))
	}
}

func (l leftBand) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// pattern paints the band of the subject.
func (c *card) pattern(w, h int) image.Image {
	if c.look.Subject < 0 {
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	return picture.SubjectStyle(c.look.Subject).Swatch(w, h, max(1, w/5))
}

func (c *card) AccessibilityLabel() string { return c.look.Ref.Name + ", " + c.word.Text }

func (c *card) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (c *card) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.body) }

// TypedKey acts on the subject: Delete removes it, M leaves it out, S makes it the only one.
func (c *card) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDelete, fyne.KeyBackspace:
		c.acts.remove(c.look.ID)
	case fyne.KeyM:
		c.acts.mute(c.look.ID)
	case fyne.KeyS:
		c.acts.solo(c.look.ID)
	default:
		c.Press.TypedKey(e)
	}
}

// TypedShortcut takes a picture of the clipboard into the subject.
func (c *card) TypedShortcut(s fyne.Shortcut) {
	if _, ok := s.(*fyne.ShortcutPaste); ok {
		c.acts.paste(c.look.ID)
		return
	}
	c.acts.shortcut(s)
}

// toggle opens or closes the editor of the square.
func (c *card) toggle() {
	c.open = !c.open
	c.show(c.look)
	c.acts.resized()
}

// picture is the one in the square.
func (c *card) picture() state.Card {
	for _, p := range c.look.Pictures {
		if p.ID == c.shown {
			return p
		}
	}
	return c.look.Card
}

// show makes the card equal to look.
func (c *card) show(look state.CardLook) {
	before := c.look
	c.look = look
	p := c.picture()
	c.shown = p.ID
	if img := p.Preview(); img != nil && c.square.Image != img {
		c.square.Image = img
		c.square.Refresh()
	}
	c.view.Name = i18n.T("The square of %s: pad, crop, background", p.Ref.Name)
	c.badge.FillColor, c.letter.Text = color.Transparent, ""
	c.frame.Paint, c.frame.Stroke, c.frame.Thick = nil, kit.ColorLine, 1
	c.word.Color, c.hint.Color = theme.ColorNameForeground, theme.ColorNamePlaceHolder
	c.word.Text, c.hint.Text = state.Shorten(look.Word.Text, 16), state.Shorten(p.Ref.Name, 22)
	if c.anchor.Hidden = !p.Anchor; p.Anchor {
		c.hint.Text = i18n.T("anchor: %s", state.Shorten(p.Ref.Name, 15))
	}
	mark := func(name fyne.ThemeColorName, letter string) {
		c.badge.FillColor, c.letter.Text = theme.ColorForWidget(name, c), letter
	}
	switch {
	case look.Off:
		c.word.Color, c.hint.Text = theme.ColorNamePlaceHolder, i18n.T("muted")
		mark(kit.ColorTrack, "–")
		if !look.Bound() {
			c.word.Text = i18n.T("no word yet")
		}
	case look.WordLost:
		c.hint.Text, c.hint.Color, c.frame.Stroke = i18n.T("not in the prompt"), theme.ColorNameWarning, theme.ColorNameWarning
		mark(theme.ColorNameWarning, "?")
	case look.Subject >= 0:
		own := kit.SubjectColor(look.Subject)
		c.badge.FillColor, c.letter.Text = own, kit.SubjectLetter(look.Subject)
		c.frame.Paint = own
		if len(look.Twins) > 0 {
			c.hint.Text = i18n.T("also for “%s”", state.Shorten(look.Twins[0], 14))
		}
	default:
		c.word.Text, c.word.Color = i18n.T("which word?"), theme.ColorNameWarning
		mark(theme.ColorNameWarning, "?")
	}
	if look.Chosen || look.Offering || c.Focused {
		c.frame.Paint, c.frame.Stroke, c.frame.Thick = nil, theme.ColorNamePrimary, 2
	}
	c.reach.Set(look.Gamma)
	c.reach.Value.Color = theme.ColorNameForeground
	if look.Gamma < kit.SafeLow || look.Gamma > kit.SafeHigh {
		c.reach.Value.Color = theme.ColorNameWarning
	}
	c.reach.Value.Refresh()
	c.remedy.SetText(i18n.T("Use “%s”", state.Shorten(look.Remedy, 12)))
	mend := look.WordLost && !look.Off && look.Remedy != ""
	c.remedy.Hidden, c.reach.Container.Hidden = !mend, mend
	c.showThumbs(before)
	c.showTools()
	c.view.Choose(c.open)
	c.editor.Hidden = !c.open
	if c.open {
		c.editor.show(p)
	}
	c.Refresh()
	c.frame.Refresh()
	c.word.Refresh()
	c.hint.Refresh()
	c.badge.Refresh()
	c.letter.Refresh()
	if before.Subject != look.Subject {
		c.band.Refresh()
	}
}

// showThumbs shows the row of pictures: one to choose each, one to add another and one to take away the one in the square.
func (c *card) showThumbs(before state.CardLook) {
	same := len(before.Pictures) == len(c.look.Pictures) && len(c.thumbs.Objects) > 0
	for i := 0; same && i < len(c.look.Pictures); i++ {
		a, b := before.Pictures[i], c.look.Pictures[i]
		same = a.ID == b.ID && a.Small == b.Small && a.Anchor == b.Anchor
	}
	if !same {
		c.thumbs.Objects = nil
		if len(c.look.Pictures) > 1 {
			for _, p := range c.look.Pictures {
				thumb := kit.NewThumb(p.Ref.Name, p.Preview(), tinySide, func() {
					c.shown = p.ID
					c.show(c.look)
				})
				if p.Anchor {
					thumb.Name = i18n.T("anchor: %s", p.Ref.Name)
					thumb.Body.Add(container.New(kit.Inset{X: 1, Y: 1}, newAnchorMark(13)))
				}
				c.thumbs.Add(thumb)
			}
		}
		plus := kit.NewTile(i18n.T("Another picture of the same subject"), 6,
			container.New(kit.Fixed{Width: tinySide - 2, Height: tinySide - 2},
				container.NewCenter(container.New(kit.Fixed{Width: 16, Height: 16}, widget.NewIcon(theme.ContentAddIcon())))),
			func() { c.acts.add(c.look.ID) })
		c.thumbs.Add(plus.Explain(func() string { return plus.Name }))
		if len(c.look.Pictures) > 1 {
			c.minus.Name = i18n.T("Remove this picture")
			c.thumbs.Add(c.minus)
		}
	}
	if len(c.look.Pictures) > 1 {
		for i, p := range c.look.Pictures {
			c.thumbs.Objects[i].(*kit.Tile).Choose(p.ID == c.shown)
		}
	}
}

func (c *card) showTools() {
	icon, importance := theme.VisibilityIcon(), widget.LowImportance
	c.eye.Name = i18n.T("Mute this subject")
	if c.look.Off {
		icon, importance = theme.VisibilityOffIcon(), widget.WarningImportance
		c.eye.Name = i18n.T("Unmute this subject")
	}
	if c.eye.Icon.Name() != icon.Name() || c.eye.Importance != importance {
		c.eye.Importance = importance
		c.eye.SetIcon(icon)
	}
	c.solo.Hidden = !c.look.Several
	c.solo.Name = i18n.T("Only this subject")
	if c.look.Alone {
		c.solo.Name = i18n.T("All subjects")
	}
	importance = widget.LowImportance
	if c.look.Alone {
		importance = widget.HighImportance
	}
	if c.solo.Importance != importance {
		c.solo.Importance = importance
		c.solo.Refresh()
	}
}
