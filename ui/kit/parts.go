package kit

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Plate is a rounded background in a colour of the theme.
type Plate struct {
	widget.BaseWidget
	fill, Stroke fyne.ThemeColorName // either may be empty
	Paint        color.Color         // instead of stroke, when set
	radius       float32
	Thick        float32
	rect         *canvas.Rectangle
}

func NewPlate(fill, stroke fyne.ThemeColorName, radius float32) *Plate {
	p := &Plate{fill: fill, Stroke: stroke, radius: radius, Thick: 1}
	p.rect = canvas.NewRectangle(color.Transparent)
	p.ExtendBaseWidget(p)
	return p
}

func (p *Plate) CreateRenderer() fyne.WidgetRenderer {
	r := &plateRenderer{p, []fyne.CanvasObject{p.rect}}
	r.Refresh()
	return r
}

type plateRenderer struct {
	p       *Plate
	objects []fyne.CanvasObject
}

func (r *plateRenderer) Destroy()                     {}
func (r *plateRenderer) Layout(size fyne.Size)        { r.p.rect.Resize(size) }
func (r *plateRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *plateRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *plateRenderer) Refresh() {
	p := r.p
	if p.fill != "" {
		p.rect.FillColor = theme.ColorForWidget(p.fill, p)
	}
	p.rect.CornerRadius = p.radius
	p.rect.StrokeWidth = 0
	switch {
	case p.Paint != nil:
		p.rect.StrokeColor, p.rect.StrokeWidth = p.Paint, p.Thick
	case p.Stroke != "":
		p.rect.StrokeColor, p.rect.StrokeWidth = theme.ColorForWidget(p.Stroke, p), p.Thick
	}
	p.rect.Refresh()
}

// Line is one line of text without padding, in a colour and a size of the theme.
type Line struct {
	widget.BaseWidget
	Text  string
	Color fyne.ThemeColorName
	size  fyne.ThemeSizeName
	Style fyne.TextStyle
	Align fyne.TextAlign
	paint color.Color // instead of color, when set
	draw  *canvas.Text
}

func NewLine(text string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *Line {
	l := &Line{Text: text, Color: color, size: size}
	l.draw = canvas.NewText(text, nil)
	l.ExtendBaseWidget(l)
	return l
}

func Caption(text string) *Line {
	return NewLine(text, theme.ColorNamePlaceHolder, theme.SizeNameCaptionText)
}

func Heading(text string) *Line {
	l := NewLine(text, theme.ColorNameForeground, theme.SizeNameText)
	l.Style.Bold = true
	return l
}

func (l *Line) Set(text string) {
	if l.Text != text {
		l.Text = text
		l.Refresh()
	}
}

func (l *Line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{l, []fyne.CanvasObject{l.draw}}
	r.update()
	return r
}

type lineRenderer struct {
	l       *Line
	objects []fyne.CanvasObject
}

func (r *lineRenderer) Destroy()           {}
func (r *lineRenderer) MinSize() fyne.Size { return r.width(r.l.Text) }

// Layout cuts a text that has too little room at its end.
func (r *lineRenderer) Layout(size fyne.Size) {
	r.l.draw.Resize(size)
	text := r.l.Text
	if letters := []rune(text); size.Width > 0 {
		for n := len(letters) - 1; n > 0 && r.width(text).Width > size.Width+0.5; n-- {
			text = strings.TrimSpace(string(letters[:n])) + "…"
		}
	}
	if r.l.draw.Text != text {
		r.l.draw.Text = text
		r.l.draw.Refresh()
	}
}

func (r *lineRenderer) width(text string) fyne.Size {
	return fyne.MeasureText(text, r.l.draw.TextSize, r.l.draw.TextStyle)
}
func (r *lineRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *lineRenderer) update() {
	l := r.l
	l.draw.Text, l.draw.TextStyle, l.draw.Alignment = l.Text, l.Style, l.Align
	l.draw.TextSize = theme.SizeForWidget(l.size, l)
	l.draw.Color = l.paint
	if l.paint == nil {
		l.draw.Color = theme.ColorForWidget(l.Color, l)
	}
}

func (r *lineRenderer) Refresh() {
	r.update()
	r.Layout(r.l.Size())
	r.l.draw.Refresh()
}

// Quiet shows labels of low importance in the colour of captions, which can be read more easily than that of disabled text.
func Quiet(o fyne.CanvasObject) fyne.CanvasObject {
	return newThemed(renamed{Theme(), theme.ColorNameDisabled, theme.ColorNamePlaceHolder}, o)
}

// renamed is a theme that shows one colour in place of another.
type renamed struct {
	fyne.Theme
	from, to fyne.ThemeColorName
}

func (r renamed) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if name == r.from {
		name = r.to
	}
	return r.Theme.Color(name, variant)
}

// Flow puts objects side by side and goes on in the next row where they do not fit.
type Flow struct {
	Gap   float32
	width float32 // of the last layout, for MinSize
}

func (f *Flow) place(objects []fyne.CanvasObject, width float32, move bool) float32 {
	var x, y, row float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		size := o.MinSize()
		if x > 0 && x+size.Width > width {
			x, y, row = 0, y+row+f.Gap, 0
		}
		if move {
			o.Resize(size)
			o.Move(fyne.NewPos(x, y))
		}
		x += size.Width + f.Gap
		row = max(row, size.Height)
	}
	return y + row
}

func (f *Flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.place(objects, size.Width, true)
}

func (f *Flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width == 0 {
		width = 400
	}
	return fyne.NewSize(0, f.place(objects, width, false)) // any width will do
}

// fill gives every object all the room.
func fill(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, size.Height)
	}
}

// place moves an object to a place and gives it a size.
func place(o fyne.CanvasObject, x, y, width, height float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(width, height))
}

// largest is the smallest size in which every object that is visible has room.
func largest(objects []fyne.CanvasObject) (size fyne.Size) {
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size
}

// Inset keeps a margin around its one object.
type Inset struct{ X, Y float32 }

func (i Inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(i.X, i.Y))
		o.Resize(size.SubtractWidthHeight(2*i.X, 2*i.Y))
	}
}

func (i Inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects).AddWidthHeight(2*i.X, 2*i.Y)
}

// Fixed gives its objects a smallest width and height; 0 leaves theirs. A height without a width is that of a row of text and
// grows with the texts.
type Fixed struct{ Width, Height float32 }

func (f Fixed) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (f Fixed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := largest(objects)
	if f.Width > 0 {
		size.Width = f.Width
	}
	switch {
	case f.Height > 0 && f.Width == 0:
		size.Height = f.Height * TextScale()
	case f.Height > 0:
		size.Height = f.Height
	}
	return size
}

// Columns is the frame of the window: a left and a right panel and the rest between them. The panels are as wide as their texts need, or
// as wished, and never take more than leaves the middle its least width. Objects behind the three are the handles in the gaps.
type Columns struct {
	Left, Right, Gap, Least float32
	Wish                    func() (left, right float32) // widths that the user wants; 0 is the usual one. Nil: none
}

const (
	leastPanel  = 200  // is how narrow a panel gets
	middleShare = 0.48 // of the width stays to the middle at least
	roomy       = 1500 // is the width from where on panels grow with the window
)

// Usual is how wide the panels are in a window of a width where the user wishes nothing.
func (c Columns) Usual(width float32) (left, right float32) {
	grow := max(TextScale(), 1, min(1+(width-roomy)/3000, 1.7))
	return c.Left * grow, c.Right * grow
}

// Growth is how much larger what is looked at gets in a high window: up to twice as large on a screen of 2000 lines and more.
func Growth(height float32) float32 { return min(max(height/1000, 1), 2) }

// sides are the widths of the panels in a window of a width; shown tells which of them are there.
func (c Columns) sides(width float32, shown [2]bool) (left, right float32) {
	left, right = c.Usual(width)
	if c.Wish != nil {
		l, r := c.Wish()
		if l > 0 {
			left = l
		}
		if r > 0 {
			right = r
		}
	}
	left, right = max(left, leastPanel), max(right, leastPanel)
	taken, gaps := float32(0), float32(0)
	for i, w := range [2]float32{left, right} {
		if shown[i] {
			taken, gaps = taken+w, gaps+c.Gap
		}
	}
	if room := width - gaps - max(c.Least, middleShare*width); taken > room {
		shrink := max(room, 1) / taken
		left, right = max(left*shrink, leastPanel), max(right*shrink, leastPanel)
	}
	return left, right
}

func (c Columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, right := c.sides(size.Width, [2]bool{objects[0].Visible(), objects[2].Visible()})
	middle := size.Width
	for i, width := range [3]float32{left, 0, right} {
		if i != 1 && objects[i].Visible() {
			middle -= width + c.Gap
		}
	}
	x := float32(0)
	for i, width := range [3]float32{left, middle, right} {
		if !objects[i].Visible() {
			continue
		}
		place(objects[i], x, 0, width, size.Height)
		x += width + c.Gap
	}
	for i, handle := range objects[3:] { // in the gap beside its panel
		panel := objects[2*i]
		x := panel.Position().X - c.Gap
		if i == 0 {
			x = panel.Size().Width
		}
		if handle.Resize(fyne.NewSize(c.Gap, size.Height)); !panel.Visible() {
			handle.Resize(fyne.Size{})
		}
		handle.Move(fyne.NewPos(x, 0))
	}
}

func (c Columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		if o.Visible() {
			height = max(height, o.MinSize().Height)
		}
	}
	return fyne.NewSize(2*leastPanel+2*c.Gap+c.Least, height)
}

// Stacked is a column with a gap of its own.
type Stacked struct{ Gap float32 }

func (s Stacked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		place(o, 0, y, size.Width, h)
		if h > 0 { // what is empty needs no gap
			y += h + s.Gap
		}
	}
}

func (s Stacked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Height > 0 && m.Height > 0 {
			size.Height += s.Gap
		}
		size.Height += m.Height
		size.Width = max(size.Width, m.Width)
	}
	return size
}

// Narrow gives its object the width that there is, however much it wants.
type Narrow struct{}

func (Narrow) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (Narrow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, largest(objects).Height)
}

// Foot keeps so much free below its object.
type Foot struct{ Height float32 }

func (f *Foot) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	fill(objects, size.SubtractWidthHeight(0, f.Height))
}

func (f *Foot) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects).AddWidthHeight(0, f.Height)
}

// BarWidth is how wide a scroll bar is under the pointer. Pages leave it so much beside their content.
const BarWidth = 10

// narrow gives the content of a page the width that there is, however much it wants, beside the bar where there is one.
type narrow struct{ page *container.Scroll }

func (n *narrow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := size.Width
	if n.MinSize(objects).Height > n.page.Size().Height+0.5 {
		width = max(width-BarWidth, 0)
	}
	for _, o := range objects {
		place(o, 0, 0, width, size.Height)
	}
}

func (n *narrow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(0, height)
}

// NewPage is content that scrolls up and down and is as wide as its place. Its scroll bar covers nothing of it.
func NewPage(content fyne.CanvasObject) *container.Scroll {
	n := &narrow{}
	n.page = container.NewVScroll(container.New(n, content))
	return n.page
}

// NewBand is content that scrolls from left to right and is as high as it wants; the bar is below it.
func NewBand(content fyne.CanvasObject) *container.Scroll {
	b := &band{}
	b.scroll = container.NewHScroll(container.New(b, content))
	return b.scroll
}

type band struct{ scroll *container.Scroll }

func (b *band) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, min(size.Height, o.MinSize().Height))
	}
}

func (b *band) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := largest(objects)
	if size.Width > b.scroll.Size().Width+0.5 {
		size.Height += BarWidth
	}
	return size
}

// capped is a page in its own height, up to so many rows of text; what is longer scrolls.
type capped struct{ rows float32 }

func NewCapped(rows float32, content fyne.CanvasObject) *fyne.Container {
	return container.New(&capped{rows}, NewPage(content))
}

// Cap gives what NewCapped made another number of rows. It is laid out by whoever has it.
func Cap(o *fyne.Container, rows float32) { o.Layout.(*capped).rows = rows }

func (c *capped) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (c *capped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		page := o.(*container.Scroll)
		if inner := page.Content.(*fyne.Container); inner.Objects[0].Visible() {
			height = max(height, page.Content.MinSize().Height)
		}
	}
	most := c.rows * 20 * TextScale()
	if len(objects) > 0 {
		if canvas := fyne.CurrentApp().Driver().CanvasForObject(objects[0]); canvas != nil {
			most = min(most, max(canvas.Size().Height*cappedShare, 40))
		}
	}
	return fyne.NewSize(0, min(height, most))
}

// cappedShare is the share of the window's height that a capped page may take.
const cappedShare = 0.15

// Under is a first object above a page in the page's own height. Where the height does not suffice for both, the first keeps its least
// height and the page scrolls.
type Under struct {
	Least func() float32 // of the first object, as long as nobody wants more than the page's usual content
	// makes what the page can do without as large as the room allows that is left over, or lacking where it is negative, or puts it away; it
	// tells whether the user wants it all the same. Nil: there is nothing
	Spare func(room float32) bool
}

// leastUnder is the least height of the first object where the user wants more below it.
const leastUnder = 150

func (u Under) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	page := objects[1].(*container.Scroll)
	page.Resize(fyne.NewSize(size.Width, page.Size().Height)) // rows that flow know their height only for a width
	content := page.Content
	measure := func() float32 {
		content.Resize(fyne.NewSize(size.Width, content.MinSize().Height))
		return content.MinSize().Height
	}
	least := u.Least()
	height := measure()
	if u.Spare != nil {
		if u.Spare(size.Height - height - max(least, leastUnder)) {
			least = min(least, leastUnder)
		}
		height = measure()
	}
	height = min(height, max(size.Height-least, min(height, leastPage*TextScale())))
	place(objects[0], 0, 0, size.Width, size.Height-height)
	place(page, 0, size.Height-height, size.Width, height)
}

// leastPage is the least height of a page below something, where its content has it: a row of it, and that there is more.
const leastPage = 26

func (u Under) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(objects[0].MinSize().Width, leastUnder+60)
}

// Centred is a row in the middle of its place; where it has too little room, its last object is cut.
type Centred struct{ Gap float32 }

func (c Centred) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := max((size.Width-Row(c).MinSize(objects).Width)/2, 0)
	for _, o := range objects {
		m := o.MinSize()
		place(o, x, (size.Height-m.Height)/2, min(m.Width, size.Width-x), m.Height)
		x += m.Width + c.Gap
	}
}

func (c Centred) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(60, Row(c).MinSize(objects).Height)
}

// Flanked is a middle with a column at its left and one at its right, in their own widths.
type Flanked struct{ Gap float32 }

func (f Flanked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(objects[0].Size().Width, size.Height)) // what stands upright knows its width only for a height
	left, right := f.width(objects[0]), f.width(objects[2])
	place(objects[0], 0, 0, left-f.Gap, size.Height)
	place(objects[1], left, 0, size.Width-left-right, size.Height)
	place(objects[2], size.Width-right+f.Gap, 0, right-f.Gap, size.Height)
}

func (f Flanked) width(o fyne.CanvasObject) float32 {
	if !o.Visible() {
		return 0
	}
	return o.MinSize().Width + f.Gap
}

func (f Flanked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[1].MinSize()
	return fyne.NewSize(m.Width+f.width(objects[0])+f.width(objects[2]), m.Height)
}

// Upright is groups of small things of one size from top to bottom, in as many columns as their height needs.
type Upright struct {
	Gap, Group float32 // between two of a group, and between groups
	Firsts     []int   // the index of the first of each group

	high float32 // of the last layout, for MinSize
}

// places are where the objects go in a height, and the width that they need.
func (u *Upright) places(objects []fyne.CanvasObject, high float32) (at []fyne.Position, width float32) {
	var x, y float32
	for i, o := range objects {
		m := o.MinSize()
		switch {
		case i == 0:
		case slices.Contains(u.Firsts, i):
			y += u.Group
		default:
			y += u.Gap
		}
		if y > 0 && y+m.Height > high && high > 0 {
			x, y = width+u.Gap, 0
		}
		at = append(at, fyne.NewPos(x, y))
		width, y = x+m.Width, y+m.Height
	}
	return at, width
}

func (u *Upright) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	u.high = size.Height
	at, _ := u.places(objects, u.high)
	for i, o := range objects {
		m := o.MinSize()
		place(o, at[i].X, at[i].Y, m.Width, m.Height)
	}
}

func (u *Upright) MinSize(objects []fyne.CanvasObject) fyne.Size {
	_, width := u.places(objects, u.high)
	return fyne.NewSize(width, 0)
}

// Lines is a text field that is as high as its text, from least to most lines.
type Lines struct{ Least, Most float32 }

func (l Lines) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (l Lines) MinSize(objects []fyne.CanvasObject) fyne.Size {
	f := objects[0].(*Field)
	size := theme.SizeForWidget(theme.SizeNameText, f)
	pad := 2*theme.SizeForWidget(theme.SizeNameInnerPadding, f) + 2*theme.SizeForWidget(theme.SizeNameInputBorder, f)
	width := f.Size().Width - pad
	rows := float32(0)
	for part := range strings.SplitSeq(f.Text, "\n") {
		need := fyne.MeasureText(part, size, fyne.TextStyle{}).Width
		rows += 1 + float32(math.Floor(float64(1.05*need/max(width, 1)))) // words do not fill a row to its end
	}
	return fyne.NewSize(0, min(max(rows, l.Least), l.Most)*fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height*1.02+pad)
}

// Row is objects side by side, centred vertically, in their smallest size.
type Row struct{ Gap float32 }

func (r Row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		o.Resize(m)
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		x += m.Width + r.Gap
	}
}

func (r Row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Width > 0 {
			size.Width += r.Gap
		}
		size.Width += m.Width
		size.Height = max(size.Height, m.Height)
	}
	return size
}

func NewRow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(Row{gap}, objects...)
}

func NewColumn(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(Stacked{gap}, objects...)
}

// AtLeast keeps its content from getting smaller than that.
type AtLeast struct{ Width, Height float32 }

func (a AtLeast) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (a AtLeast) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Max(fyne.NewSize(a.Width, a.Height))
}

func Panel(content fyne.CanvasObject) fyne.CanvasObject { return PanelOf(12, content) }

// PanelOf is a panel with another margin above and below.
func PanelOf(margin float32, content fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(NewPlate(ColorPlate, "", 12), container.New(Inset{12, margin}, content))
}

// Gapped is a top in its smallest height, a gap, and the rest.
type Gapped struct{ Gap float32 }

func (g Gapped) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if !objects[0].Visible() {
		objects[1].Move(fyne.Position{})
		objects[1].Resize(size)
		return
	}
	// The chips know their height only for a width.
	objects[0].Resize(fyne.NewSize(size.Width, objects[0].Size().Height))
	top := objects[0].MinSize().Height
	objects[0].Resize(fyne.NewSize(size.Width, top))
	place(objects[1], 0, top+g.Gap, size.Width, size.Height-top-g.Gap)
}

func (g Gapped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+g.Gap+b.Height)
}

func Enable(b fyne.Disableable, on bool) {
	switch {
	case on && b.Disabled():
		b.Enable()
	case !on && !b.Disabled():
		b.Disable()
	}
}

// leeway is how much a sheet grows over its wished height before its content scrolls.
const leeway = 120

// pageIn is the part of a sheet's content that scrolls, so that the sheet can have its height; nil where none does.
func pageIn(o fyne.CanvasObject) *container.Scroll {
	switch o := o.(type) {
	case *container.Scroll:
		return o
	case *fyne.Container:
		for _, inner := range o.Objects {
			if page := pageIn(inner); page != nil {
				return page
			}
		}
	}
	return nil
}

// sized gives its objects one size, whatever they want.
type sized struct{ size fyne.Size }

func (s sized) MinSize([]fyne.CanvasObject) fyne.Size { return s.size }

func (s sized) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }
