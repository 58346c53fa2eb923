package kit

import (
	"image"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// LowButton is a button of a column or a row of tools: flat, its text at the left.
func LowButton(text string, icon fyne.Resource, tap func()) *Button {
	b := NewButtonWithIcon(text, icon, tap)
	b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	return b
}

// ListRow is a row of a list: a picture or an icon, a title, and a line of facts.
type ListRow struct {
	widget.BaseWidget
	Image        *canvas.Image
	Icon         *widget.Icon
	Title, Facts *Line
	Tap          func()                 // the row is chosen
	Menu         func(at fyne.Position) // the other button: what can be done with it
	body         *fyne.Container
	name         string // of which Title shows the beginning
	over         *whole
}

// NewListRow makes an empty row, as the template of a widget.List.
func NewListRow() fyne.CanvasObject {
	s := &ListRow{Title: NewLine("", theme.ColorNameForeground, theme.SizeNameText), Facts: Caption(""), Icon: widget.NewIcon(nil)}
	s.Image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	s.Image.FillMode, s.Image.CornerRadius = canvas.ImageFillContain, 5
	left := container.New(Fixed{Width: 40, Height: 40}, container.NewStack(NewPlate(ColorWell, "", 6), s.Image,
		container.New(Inset{X: 10, Y: 10}, s.Icon)))
	text := container.New(Fixed{Width: 10}, container.New(Inset{X: 8, Y: 3}, NewColumn(3, s.Title, s.Facts)))
	s.over = newWhole(s.cut)
	s.body = container.New(Inset{X: 2, Y: 3}, container.NewBorder(nil, nil, left, gutter(), container.New(&clipped{s.Settle}, text, s.over)))
	s.ExtendBaseWidget(s)
	return s
}

// Tapped chooses the row: what has a menu takes clicks from the list that it is in.
func (s *ListRow) Tapped(*fyne.PointEvent) {
	s.over.tip.Leave(s.over)
	s.Tap()
}

// TappedSecondary shows the menu of the row.
func (s *ListRow) TappedSecondary(e *fyne.PointEvent) {
	s.over.tip.Leave(s.over)
	s.Menu(e.AbsolutePosition)
}

// Listen has the row of a list choose itself there, as the list would, and show a menu, with itself chosen.
func (s *ListRow) Listen(l *widget.List, i widget.ListItemID, focus func(), menu func(at fyne.Position)) {
	s.Tap = func() {
		focus()
		l.Highlight(i)
		l.Select(i)
	}
	s.Menu = func(at fyne.Position) {
		s.Tap()
		menu(at)
	}
}

// Name gives the row a title, of which it shows so many letters. The whole text comes up under the pointer while a part of it, or of the
// facts, is cut away.
func (s *ListRow) Name(text string, letters int) {
	s.name = text
	s.Title.Set(Cut(text, letters))
}

// Settle is called when title and facts are set: what tells the whole text takes the pointer from the list only where there is something
// to tell.
func (s *ListRow) Settle() { s.over.Hidden = s.cut() == "" }

func (s *ListRow) cut() string {
	if s.Title.cut(func() string { return s.name }) == "" && s.Facts.cut(nil) == "" {
		return ""
	}
	return Two(s.name, s.Facts.Text)
}

// gutter is the place of a scroll bar.
func gutter() fyne.CanvasObject { return container.New(Fixed{Width: BarWidth, Height: 1}) }

func (s *ListRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.body) }

// clipped lets its object be wider than there is room for.
type clipped struct{ then func() } // after it has another size; nil: nothing

func (c *clipped) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
	if c.then != nil {
		c.then()
	}
}

func (*clipped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(10, objects[0].MinSize().Height)
}

// Cut shortens a text to so many letters at most, with … at its end.
func Cut(text string, n int) string {
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	return strings.TrimSpace(string(r[:n-1])) + "…"
}

// Note is small text in the colour of captions that goes on in further lines where it must.
func Note(text string) fyne.CanvasObject {
	l := widget.NewLabel(text)
	l.Wrapping, l.SizeName, l.Importance = fyne.TextWrapWord, theme.SizeNameCaptionText, widget.LowImportance
	return container.New(Inset{X: -6, Y: -6}, Quiet(l))
}
