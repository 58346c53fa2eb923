package subjects

import (
	"cmp"
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
	"realword/ui/wording"
)

var (
	_ fyne.Tappable          = (*Card)(nil)
	_ fyne.SecondaryTappable = (*Card)(nil)
	_ fyne.Focusable         = (*Card)(nil)
	_ fyne.Accessible        = (*Card)(nil)
	_ desktop.Cursorable     = (*Card)(nil)
)

// cardActs is what a card asks the window for; card is the ID of its first picture, picture that of any of them.
type cardActs struct {
	tap, remove, Mute, solo, remedy, add, paste, paint, unpaint func(card int)

	menu func(card int, at fyne.Position)

	dropPicture func(picture int)
	reach       func(card int, scope float64)
	square      func(picture int, square picture.Square, settled bool)
	shortcut    func(fyne.Shortcut) bool // of its text fields
	other       func(fyne.Shortcut) bool // of its own
	resized     func()
}

// Card shows a subject: its pictures as the square that the encoders see, its word, and how far it may reach.
type Card struct {
	widget.BaseWidget
	kit.Press
	Look   state.CardLook
	acts   cardActs
	Shown  int // ID of the picture in the square
	open   bool
	frame  *kit.Plate
	band   *canvas.Raster
	square *canvas.Image
	view   *kit.Tile
	Anchor *fyne.Container // the mark of an anchor in the square
	badge  *canvas.Rectangle
	letter *canvas.Text
	Word   *kit.Line
	Hint   *kit.Line
	// what is under the pointer: the word and the picture's name, which may be shortened
	fullWord, fullHint string
	reach              *kit.Dial
	Remedy             *kit.Button
	mend               *fyne.Container // with the remedy's button
	Thumbs             *fyne.Container
	Minus              *kit.Tile
	brush              *kit.IconButton
	mask               *kit.Line // what is painted for the subject
	unmask             *fyne.Container
	solo               *kit.IconButton
	eye                *kit.IconButton
	more               *kit.IconButton
	Editor             *squareEditor
	body               *fyne.Container
	tip                kit.Tip
}

const tinySide = 26

func newCard(look state.CardLook, acts cardActs) *Card {
	c := &Card{Look: look, acts: acts}
	c.Do = func() { acts.tap(c.Look.ID) }
	c.Marked = func() { c.show(c.Look) }
	c.frame = kit.NewPlate(kit.ColorRaised, kit.ColorLine, 10)
	c.band = canvas.NewRaster(c.pattern)
	c.square = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	c.square.ScaleMode, c.square.FillMode, c.square.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	c.Anchor = newAnchorMark(20)
	c.view = kit.NewTile("", 7, container.New(kit.Inset{X: 1, Y: 1},
		container.New(kit.Fixed{Width: state.SquareSide - 2, Height: state.SquareSide - 2}, c.square), container.New(kit.Inset{X: 4, Y: 4},
			c.Anchor)), c.Toggle)
	c.badge, c.letter = kit.NewBadge()
	c.Word, c.Hint = kit.Heading(""), kit.Caption("")
	c.Word.Gives = true
	safe := kit.NewPlate(kit.ColorSafe, "", 5)
	c.reach = kit.NewDial(i18n.T("Area"), 0.05, state.ReachMax, 0.01, func(v float64) string { return i18n.T("%.0f %%", 100*v) },
		func(v float64) { acts.reach(c.Look.ID, v) }, container.New(kit.Band{
			Low: 0.05, High: state.ReachMax, From: kit.SafeLow,
			To: kit.SafeHigh,
		}, safe))
	c.reach.Explain(i18n.T("How much of the picture this subject may cover. 15 to 40 %%, the green part, works best.") + " " + i18n.T("Above: the same mask at 10, 20 and 40 %%.")).
		Picture(kit.AreaSketch)
	c.Remedy = kit.NewButton("", func() { acts.remedy(c.Look.ID) }).Explain(i18n.T("The word of this subject is gone from the prompt: this one takes its place."))
	c.Remedy.Importance = widget.WarningImportance
	c.mend = container.New(kit.Worded{Texts: func() []string { return remedies(c.Look.Remedy) }}, c.Remedy)
	gone := kit.SmallButton(i18n.T("Remove this subject"), theme.CancelIcon(), func() { acts.remove(c.Look.ID) })
	c.Minus = kit.NewTile("", 6, container.New(kit.Fixed{Width: tinySide - 2, Height: tinySide - 2},
		container.NewCenter(container.New(kit.Square{Side: 16, Most: tinySide - 4}, widget.NewIcon(theme.DeleteIcon())))),
		func() { acts.dropPicture(c.Shown) })
	c.Minus.Explain(func() string { return c.Minus.Name })
	c.eye = kit.SmallButton("", theme.VisibilityIcon(), func() { acts.Mute(c.Look.ID) })
	c.more = kit.SmallButton(i18n.T("More for this subject"), theme.MoreHorizontalIcon(), func() {
		acts.menu(c.Look.ID, fyne.CurrentApp().Driver().AbsolutePositionForObject(c.more).AddXY(0, c.more.Size().Height))
	})
	c.view.OnMenu = c.menu
	c.view.Explain(func() string { return i18n.T("What the model sees of the picture: click to pad, crop or cut it.") })
	c.solo = kit.SmallButton("", theme.RadioButtonCheckedIcon(), func() { acts.solo(c.Look.ID) })
	c.brush = kit.SmallButton(i18n.T("Paint a mask"), theme.DocumentCreateIcon(), func() { acts.paint(c.Look.ID) })
	c.mask = kit.Caption("")
	c.unmask = container.NewBorder(nil, nil, nil, container.New(kit.Fixed{Width: 24, Height: 24},
		kit.SmallButton(i18n.T("Remove the painted mask"), theme.CancelIcon(), func() { acts.unpaint(c.Look.ID) })),
		container.New(kit.Inset{X: 4, Y: 3}, c.mask))
	c.tip.Text = c.Explanation
	c.Thumbs = kit.NewRow(3)
	c.Editor = newSquareEditor(acts.shortcut, func(s picture.Square, settled bool) { acts.square(c.Shown, s, settled) })
	c.Editor.Hide()

	badge := container.New(kit.Square{Side: 18}, c.badge, c.letter)
	name := container.NewBorder(nil, nil, container.NewCenter(badge), container.New(kit.Fixed{Width: 24, Height: 24}, gone),
		container.New(kit.Inset{X: 6, Y: 3}, kit.Whole(c.Word, func() string { return cmp.Or(c.fullWord, c.Word.Text) })))
	side := container.New(kit.Stacked{Gap: 1},
		container.New(kit.Inset{X: 4, Y: 0}, kit.Whole(c.Hint, func() string { return cmp.Or(c.fullHint, c.Hint.Text) })), c.reach.Container,
		container.New(kit.Inset{X: 4, Y: 4}, c.mend))
	top := container.New(&cardHead{}, container.New(kit.Fixed{Width: state.SquareSide, Height: state.SquareSide}, c.view), name, side)
	tools := kit.NewRow(2, container.New(kit.Fixed{Width: 28, Height: 24}, c.solo),
		container.New(kit.Fixed{Width: 28, Height: 24}, c.brush), container.New(kit.Fixed{Width: 28, Height: 24}, c.eye),
		container.New(kit.Fixed{Width: 28, Height: 24}, c.more))
	row := container.NewBorder(nil, nil, nil, container.NewCenter(tools),
		container.New(lineOf{}, kit.NewBand(c.Thumbs)))
	c.body = container.NewStack(c.frame, container.New(leftBand{6}, c.band),
		container.New(kit.Inset{X: 10, Y: 8}, container.New(kit.Narrow{}, kit.NewColumn(6, top, c.unmask, row, c.Editor.Container))))
	c.ExtendBaseWidget(c)
	c.show(look)
	return c
}

// Inside is what lies on the card, for what is shown beside one of its parts.
func (c *Card) Inside() fyne.CanvasObject { return c.body }

// Explanation says what a click on the card does.
func (c *Card) Explanation() string {
	return i18n.T("A subject: its picture, its word and its area. Click here, then on the word that it shows.")
}

func (c *Card) MouseIn(*desktop.MouseEvent)    { c.tip.Rest(c) }
func (c *Card) MouseMoved(*desktop.MouseEvent) {}
func (c *Card) MouseOut()                      { c.tip.Out(c) }
func (c *Card) FocusGained()                   { c.Press.FocusGained(); c.tip.Reach(c) }
func (c *Card) FocusLost()                     { c.Press.FocusLost(); c.tip.Leave(c) }

// remedies are the texts of a remedy, the longest first: where there is no room for most of the word in a sentence, it stands alone.
func remedies(word string) (texts []string) {
	const least = 8
	letters := len([]rune(word))
	for n := letters; n >= min(letters, least); n-- {
		texts = append(texts, i18n.T("Use “%s”", state.Shorten(word, n)))
	}
	for n := letters; n >= min(letters, 3); n-- {
		texts = append(texts, i18n.T("“%s”", state.Shorten(word, n)))
	}
	return texts
}

// lineOf is a band of small pictures in its own height.
type lineOf struct{}

func (lineOf) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[0].Move(fyne.Position{})
}

func (lineOf) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(objects[0].(*container.Scroll).Content.MinSize().Height, tinySide+2))
}

// cardHead is the square of a card and what stands beside it: its name, and the rest below that. Where the card is so narrow that little of
// a name could be read there, it stands over both. And where no slider would have room there, all three stand below one another.
type cardHead struct{ width float32 } // of the last layout, for MinSize

const (
	headGap    = 6            // around what stands beside the square
	leastReach = float32(64)  // for a slider and what is said over it, in the usual size
	leastNamed = float32(160) // for a name of some twelve letters with its badge and button, in the usual size
)

// places are where the name, the square and the rest go in a width, and how high all is.
func (h *cardHead) places(objects []fyne.CanvasObject, width float32) (name, square, rest fyne.Position, high float32) {
	left := state.SquareSide + float32(headGap)
	if width > 0 && width-left-headGap < leastReach*kit.TextScale() {
		square.Y = objects[1].MinSize().Height + 2
		rest.Y = square.Y + state.SquareSide
		return name, square, rest, rest.Y + objects[2].MinSize().Height
	}
	taken := objects[1].MinSize() // of the whole name
	if beside := width - left - headGap; width > 0 && beside < min(taken.Width, leastNamed*kit.TextScale()) {
		square.Y, rest = taken.Height+2, fyne.NewPos(left, taken.Height+2)
	} else {
		name, rest = fyne.NewPos(left, 0), fyne.NewPos(left, taken.Height+1)
	}
	return name, square, rest, max(square.Y+state.SquareSide, rest.Y+objects[2].MinSize().Height)
}

func (h *cardHead) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	h.width = size.Width
	name, square, rest, _ := h.places(objects, size.Width)
	for i, at := range []fyne.Position{square, name, rest} {
		objects[i].Move(at)
		wide := size.Width - at.X
		switch {
		case i == 0:
			wide = state.SquareSide
		case at.X > 0:
			wide -= headGap
		}
		objects[i].Resize(fyne.NewSize(max(wide, 0), objects[i].MinSize().Height))
	}
}

func (h *cardHead) MinSize(objects []fyne.CanvasObject) fyne.Size {
	_, _, _, high := h.places(objects, h.width)
	return fyne.NewSize(0, high) // any width will do
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
func (c *Card) pattern(w, h int) image.Image {
	if c.Look.Subject < 0 {
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	return picture.SubjectStyle(c.Look.Subject).Swatch(w, h, max(1, w/5))
}

func (c *Card) AccessibilityLabel() string { return c.Look.Ref.Name + ", " + c.Word.Text }

func (c *Card) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (c *Card) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.body) }

// TypedKey acts on the subject: Delete removes it, M leaves it out, S makes it the only one.
func (c *Card) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDelete, fyne.KeyBackspace:
		c.acts.remove(c.Look.ID)
	case fyne.KeyM:
		c.acts.Mute(c.Look.ID)
	case fyne.KeyS:
		c.acts.solo(c.Look.ID)
	default:
		if kit.Presses(e.Name) {
			c.Press.TypedKey(e)
		} else {
			kit.HandOn(c, e)
		}
	}
}

func (c *Card) menu(at fyne.Position) { c.acts.menu(c.Look.ID, at) }

// TappedSecondary shows the menu of the subject.
func (c *Card) TappedSecondary(e *fyne.PointEvent) { c.menu(e.AbsolutePosition) }

// TypedShortcut takes a picture of the clipboard into the subject; other keys are the window's.
func (c *Card) TypedShortcut(s fyne.Shortcut) {
	if _, ok := s.(*fyne.ShortcutPaste); ok {
		c.acts.paste(c.Look.ID)
		return
	}
	c.acts.other(s)
}

// Toggle opens or closes the editor of the square.
func (c *Card) Toggle() {
	c.open = !c.open
	c.show(c.Look)
	c.acts.resized()
}

// Picture is the one in the square.
func (c *Card) Picture() state.Card {
	for _, p := range c.Look.Pictures {
		if p.ID == c.Shown {
			return p
		}
	}
	return c.Look.Card
}

// show makes the card equal to look.
func (c *Card) show(look state.CardLook) {
	before := c.Look
	c.Look = look
	p := c.Picture()
	c.Shown = p.ID
	if img := p.Preview(); img != nil && c.square.Image != img {
		c.square.Image = img
		c.square.Refresh()
	}
	c.view.Name = i18n.T("The square of %s: pad, crop, background", p.Ref.Name)
	kit.SizeBadge(c.badge, c.letter)
	c.badge.FillColor, c.letter.Text = color.Transparent, ""
	c.frame.Paint, c.frame.Stroke, c.frame.Thick = nil, kit.ColorLine, 1
	c.Word.Color, c.Hint.Color = theme.ColorNameForeground, theme.ColorNamePlaceHolder
	c.Word.Text, c.Hint.Text = state.Shorten(look.Word.Text, 16), state.Shorten(p.Ref.Name, 22)
	c.fullWord, c.fullHint = look.Word.Text, p.Ref.Name
	if c.Anchor.Hidden = !p.Anchor; p.Anchor {
		c.Hint.Text = i18n.T("anchor: %s", state.Shorten(p.Ref.Name, 15))
	}
	mark := func(name fyne.ThemeColorName, letter string) {
		c.badge.FillColor, c.letter.Text = theme.ColorForWidget(name, c), letter
	}
	switch {
	case look.Off:
		c.Word.Color, c.Hint.Text = theme.ColorNamePlaceHolder, i18n.T("muted")
		mark(kit.ColorTrack, "–")
		if !look.Bound() {
			c.Word.Text = i18n.T("no word yet")
		}
	case look.WordLost:
		c.Hint.Text, c.Hint.Color, c.frame.Stroke = i18n.T("not in the prompt"), theme.ColorNameWarning, theme.ColorNameWarning
		if look.Astray {
			c.Hint.Text = i18n.T("which word?")
		}
		c.fullHint = c.Hint.Text + " · " + p.Ref.Name
		mark(theme.ColorNameWarning, "?")
	case look.Subject >= 0:
		own := kit.SubjectColor(look.Subject)
		c.badge.FillColor, c.letter.Text = own, kit.SubjectLetter(look.Subject)
		c.frame.Paint = own
		if len(look.Twins) > 0 {
			c.Hint.Text = i18n.T("also for “%s”", state.Shorten(look.Twins[0], 14))
			c.fullHint = i18n.T("also for “%s”", look.Twins[0]) + " · " + p.Ref.Name
		}
	default:
		c.Word.Text, c.Word.Color = i18n.T("which word?"), theme.ColorNameWarning
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
	c.mend.Layout.Layout(c.mend.Objects, c.mend.Size())
	mend := look.WordLost && !look.Off && look.Remedy != ""
	c.Remedy.Hidden, c.reach.Container.Hidden = !mend, mend
	c.showThumbs(before)
	c.showTools()
	c.view.Choose(c.open)
	c.Editor.Hidden = !c.open
	if c.open {
		c.Editor.show(p)
	}
	c.Refresh()
	c.frame.Refresh()
	c.Word.Refresh()
	c.Hint.Refresh()
	c.badge.Refresh()
	c.letter.Refresh()
	if before.Subject != look.Subject {
		c.band.Refresh()
	}
}

// showThumbs shows the row of pictures: one to choose each, one to add another and one to take away the one in the square.
func (c *Card) showThumbs(before state.CardLook) {
	same := len(before.Pictures) == len(c.Look.Pictures) && len(c.Thumbs.Objects) > 0
	for i := 0; same && i < len(c.Look.Pictures); i++ {
		a, b := before.Pictures[i], c.Look.Pictures[i]
		same = a.ID == b.ID && a.Small == b.Small && a.Anchor == b.Anchor
	}
	if !same {
		c.Thumbs.Objects = nil
		if len(c.Look.Pictures) > 1 {
			for _, p := range c.Look.Pictures {
				thumb := kit.NewThumb(p.Ref.Name, p.Preview(), tinySide, func() {
					c.Shown = p.ID
					c.show(c.Look)
				})
				thumb.OnMenu = c.menu
				if p.Anchor {
					thumb.Name = i18n.T("anchor: %s", p.Ref.Name)
					thumb.Body.Add(container.New(kit.Inset{X: 1, Y: 1}, newAnchorMark(13)))
				}
				c.Thumbs.Add(thumb)
			}
		}
		plus := kit.NewTile(i18n.T("Another picture of the same subject"), 6,
			container.New(kit.Fixed{Width: tinySide - 2, Height: tinySide - 2},
				container.NewCenter(container.New(kit.Square{Side: 16, Most: tinySide - 4}, widget.NewIcon(theme.ContentAddIcon())))),
			func() { c.acts.add(c.Look.ID) })
		c.Thumbs.Add(plus.Explain(func() string { return plus.Name }))
		if len(c.Look.Pictures) > 1 {
			c.Minus.Name = i18n.T("Remove this picture")
			c.Thumbs.Add(c.Minus)
		}
	}
	if len(c.Look.Pictures) > 1 {
		for i, p := range c.Look.Pictures {
			c.Thumbs.Objects[i].(*kit.Tile).Choose(p.ID == c.Shown)
		}
	}
}

func (c *Card) showTools() {
	c.unmask.Hidden = c.Look.Region.IsZero()
	c.mask.Set(i18n.T("painted mask: %s", wording.MeaningOf(c.Look.Region.Kind).Part))
	kit.Enable(c.brush, c.Look.Live() && !c.Look.Off && !c.Look.WordLost)
	icon, importance := theme.VisibilityIcon(), widget.LowImportance
	c.eye.Name = i18n.T("Mute this subject")
	if c.Look.Off {
		icon, importance = theme.VisibilityOffIcon(), widget.WarningImportance
		c.eye.Name = i18n.T("Unmute this subject")
	}
	if c.eye.Icon.Name() != icon.Name() || c.eye.Importance != importance {
		c.eye.Importance = importance
		c.eye.SetIcon(icon)
	}
	c.solo.Hidden = !c.Look.Several
	c.solo.Name = i18n.T("Only this subject")
	if c.Look.Alone {
		c.solo.Name = i18n.T("All subjects")
	}
	importance = widget.LowImportance
	if c.Look.Alone {
		importance = widget.HighImportance
	}
	if c.solo.Importance != importance {
		c.solo.Importance = importance
		c.solo.Refresh()
	}
}
