package ui

import (
	"image/color"
	"math"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// plate is a rounded background in a colour of the theme.
type plate struct {
	widget.BaseWidget
	fill, stroke fyne.ThemeColorName // stroke may be empty
	paint        color.Color         // instead of stroke, when set
	radius       float32
	thick        float32
	rect         *canvas.Rectangle
}

func newPlate(fill, stroke fyne.ThemeColorName, radius float32) *plate {
	p := &plate{fill: fill, stroke: stroke, radius: radius, thick: 1}
	p.rect = canvas.NewRectangle(color.Transparent)
	p.ExtendBaseWidget(p)
	return p
}

func (p *plate) CreateRenderer() fyne.WidgetRenderer {
	r := &plateRenderer{p, []fyne.CanvasObject{p.rect}}
	r.Refresh()
	return r
}

type plateRenderer struct {
	p       *plate
	objects []fyne.CanvasObject
}

func (r *plateRenderer) Destroy()                     {}
func (r *plateRenderer) Layout(size fyne.Size)        { r.p.rect.Resize(size) }
func (r *plateRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *plateRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *plateRenderer) Refresh() {
	p := r.p
	p.rect.FillColor = theme.ColorForWidget(p.fill, p)
	p.rect.CornerRadius = p.radius
	p.rect.StrokeWidth = 0
	switch {
	case p.paint != nil:
		p.rect.StrokeColor, p.rect.StrokeWidth = p.paint, p.thick
	case p.stroke != "":
		p.rect.StrokeColor, p.rect.StrokeWidth = theme.ColorForWidget(p.stroke, p), p.thick
	}
	p.rect.Refresh()
}

// line is one line of text without padding, in a colour and a size of the theme.
type line struct {
	widget.BaseWidget
	text  string
	color fyne.ThemeColorName
	size  fyne.ThemeSizeName
	style fyne.TextStyle
	align fyne.TextAlign
	paint color.Color // instead of color, when set
	draw  *canvas.Text
}

func newLine(text string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *line {
	l := &line{text: text, color: color, size: size}
	l.draw = canvas.NewText(text, nil)
	l.ExtendBaseWidget(l)
	return l
}

func caption(text string) *line {
	return newLine(text, theme.ColorNamePlaceHolder, theme.SizeNameCaptionText)
}

func heading(text string) *line {
	l := newLine(text, theme.ColorNameForeground, theme.SizeNameText)
	l.style.Bold = true
	return l
}

func (l *line) set(text string) {
	if l.text != text {
		l.text = text
		l.Refresh()
	}
}

func (l *line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{l, []fyne.CanvasObject{l.draw}}
	r.update()
	return r
}

type lineRenderer struct {
	l       *line
	objects []fyne.CanvasObject
}

func (r *lineRenderer) Destroy()           {}
func (r *lineRenderer) MinSize() fyne.Size { return r.width(r.l.text) }

// Layout cuts a text that has too little room at its end.
func (r *lineRenderer) Layout(size fyne.Size) {
	r.l.draw.Resize(size)
	text := r.l.text
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
	l.draw.Text, l.draw.TextStyle, l.draw.Alignment = l.text, l.style, l.align
	l.draw.TextSize = theme.SizeForWidget(l.size, l)
	l.draw.Color = l.paint
	if l.paint == nil {
		l.draw.Color = theme.ColorForWidget(l.color, l)
	}
}

func (r *lineRenderer) Refresh() {
	r.update()
	r.Layout(r.l.Size())
	r.l.draw.Refresh()
}

// quiet shows labels of low importance in the colour of captions, which can be read more easily than that of disabled text.
func quiet(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewThemeOverride(o, renamed{Theme(), theme.ColorNameDisabled, theme.ColorNamePlaceHolder})
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

// flow puts objects side by side and goes on in the next row where they do not fit.
type flow struct {
	gap   float32
	width float32 // of the last layout, for MinSize
}

func (f *flow) place(objects []fyne.CanvasObject, width float32, move bool) float32 {
	var x, y, row float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		size := o.MinSize()
		if x > 0 && x+size.Width > width {
			x, y, row = 0, y+row+f.gap, 0
		}
		if move {
			o.Resize(size)
			o.Move(fyne.NewPos(x, y))
		}
		x += size.Width + f.gap
		row = max(row, size.Height)
	}
	return y + row
}

func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.place(objects, size.Width, true)
}

func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width == 0 {
		width = 400
	}
	return fyne.NewSize(0, f.place(objects, width, false)) // any width will do
}

// inset keeps a margin around its one object.
type inset struct{ x, y float32 }

func (i inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(i.x, i.y))
		o.Resize(size.SubtractWidthHeight(2*i.x, 2*i.y))
	}
}

func (i inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size.AddWidthHeight(2*i.x, 2*i.y)
}

// fixed gives its objects a smallest width and height; 0 leaves theirs. A height without a width is that of a row of text and
// grows with the texts.
type fixed struct{ width, height float32 }

func (f fixed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (f fixed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	if f.width > 0 {
		size.Width = f.width
	}
	switch {
	case f.height > 0 && f.width == 0:
		size.Height = f.height * textScale()
	case f.height > 0:
		size.Height = f.height
	}
	return size
}

// columns is the frame of the window: a left and a right panel and the rest between them. The panels are as wide as their texts
// need, and never take more than leaves the middle its least width.
type columns struct{ left, right, gap, least float32 }

// sides are the widths of the panels in a window of a width.
func (c columns) sides(width float32) (left, right float32) {
	grow := max(textScale(), 1)
	if room := width - 2*c.gap - c.least; room > 0 {
		grow = max(min(grow, room/(c.left+c.right)), 1)
	}
	return c.left * grow, c.right * grow
}

func (c columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, right := c.sides(size.Width)
	middle := size.Width
	for i, width := range [3]float32{left, 0, right} {
		if i != 1 && objects[i].Visible() {
			middle -= width + c.gap
		}
	}
	x := float32(0)
	for i, width := range [3]float32{left, middle, right} {
		if !objects[i].Visible() {
			continue
		}
		objects[i].Move(fyne.NewPos(x, 0))
		objects[i].Resize(fyne.NewSize(width, size.Height))
		x += width + c.gap
	}
}

func (c columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		if o.Visible() {
			height = max(height, o.MinSize().Height)
		}
	}
	return fyne.NewSize(c.left+c.right+2*c.gap+c.least, height)
}

// stacked is a column with a gap of its own.
type stacked struct{ gap float32 }

func (s stacked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		if h > 0 { // what is empty needs no gap
			y += h + s.gap
		}
	}
}

func (s stacked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Height > 0 && m.Height > 0 {
			size.Height += s.gap
		}
		size.Height += m.Height
		size.Width = max(size.Width, m.Width)
	}
	return size
}

// narrow gives its object the width that there is, however much it wants: the content of a panel that scrolls up and down.
type narrow struct{}

func (narrow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (narrow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(0, height)
}

// newPage is content that scrolls up and down and is as wide as its place.
func newPage(content fyne.CanvasObject) *container.Scroll {
	return container.NewVScroll(container.New(narrow{}, content))
}

// capped is a page in its own height, up to so many rows of text; what is longer scrolls.
type capped struct{ rows float32 }

func newCapped(rows float32, content fyne.CanvasObject) *fyne.Container {
	return container.New(capped{rows}, newPage(content))
}

func (c capped) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (c capped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		page := o.(*container.Scroll)
		if inner := page.Content.(*fyne.Container); inner.Objects[0].Visible() {
			height = max(height, page.Content.MinSize().Height)
		}
	}
	return fyne.NewSize(0, min(height, c.rows*20*textScale()))
}

// under is a first object above a page in the page's own height. Where the height does not suffice for both, the first keeps its
// least height and the page scrolls.
type under struct{ least float32 }

func (u under) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	page := objects[1].(*container.Scroll)
	page.Resize(fyne.NewSize(size.Width, page.Size().Height)) // rows that flow know their height only for a width
	height := min(page.Content.MinSize().Height, max(size.Height-u.least, 0))
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(size.Width, size.Height-height))
	page.Move(fyne.NewPos(0, size.Height-height))
	page.Resize(fyne.NewSize(size.Width, height))
}

func (u under) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(objects[0].MinSize().Width, u.least+60)
}

// beside is what flows, and a text that may be cut at its right; a text that has no room at all goes under it.
type beside struct{ width float32 } // of the last layout, for MinSize

// leastText is the width under which a text says nothing.
const leastText = 70

// fits tells whether both fit into a width, and how wide the flow is in one row.
func (b *beside) fits(objects []fyne.CanvasObject, width float32) (row float32, ok bool) {
	if objects[0].Visible() {
		row = rowWidth(objects[0].(*fyne.Container))
	}
	return row, row+leastText*textScale() <= width
}

// rowWidth is how wide a flow is in one row.
func rowWidth(c *fyne.Container) float32 {
	width, gap := float32(0), c.Layout.(*flow).gap
	for _, o := range c.Objects {
		if o.Visible() {
			width += o.MinSize().Width + gap
		}
	}
	return width
}

func (b *beside) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	b.width = size.Width
	row, ok := b.fits(objects, size.Width)
	text := objects[1].MinSize().Height
	objects[0].Move(fyne.Position{})
	if ok {
		objects[0].Resize(fyne.NewSize(row, size.Height))
		objects[1].Move(fyne.NewPos(row, (size.Height-text)/2))
		objects[1].Resize(fyne.NewSize(size.Width-row, text))
		return
	}
	objects[0].Resize(fyne.NewSize(size.Width, size.Height-text))
	objects[1].Move(fyne.NewPos(0, size.Height-text))
	objects[1].Resize(fyne.NewSize(size.Width, text))
}

func (b *beside) MinSize(objects []fyne.CanvasObject) fyne.Size {
	text := objects[1].MinSize().Height
	if !objects[0].Visible() {
		return fyne.NewSize(0, text)
	}
	row := objects[0].MinSize().Height
	if _, ok := b.fits(objects, b.width); ok || b.width == 0 {
		return fyne.NewSize(0, max(text, row))
	}
	return fyne.NewSize(0, text+row)
}

// flanked is a middle with a column at its left and one at its right, in their own widths.
type flanked struct{ gap float32 }

func (f flanked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, right := f.width(objects[0]), f.width(objects[2])
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(left-f.gap, size.Height))
	objects[1].Move(fyne.NewPos(left, 0))
	objects[1].Resize(fyne.NewSize(size.Width-left-right, size.Height))
	objects[2].Move(fyne.NewPos(size.Width-right+f.gap, 0))
	objects[2].Resize(fyne.NewSize(right-f.gap, size.Height))
}

func (f flanked) width(o fyne.CanvasObject) float32 {
	if !o.Visible() {
		return 0
	}
	return o.MinSize().Width + f.gap
}

func (f flanked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[1].MinSize()
	return fyne.NewSize(m.Width+f.width(objects[0])+f.width(objects[2]), m.Height)
}

// lines is a text field that is as high as its text, from least to most lines.
type lines struct{ least, most float32 }

func (l lines) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (l lines) MinSize(objects []fyne.CanvasObject) fyne.Size {
	f := objects[0].(*field)
	size := theme.SizeForWidget(theme.SizeNameText, f)
	pad := 2*theme.SizeForWidget(theme.SizeNameInnerPadding, f) + 2*theme.SizeForWidget(theme.SizeNameInputBorder, f)
	width := f.Size().Width - pad
	rows := float32(0)
	for part := range strings.SplitSeq(f.Text, "\n") {
		need := fyne.MeasureText(part, size, fyne.TextStyle{}).Width
		rows += 1 + float32(math.Floor(float64(1.05*need/max(width, 1)))) // words do not fill a row to its end
	}
	return fyne.NewSize(0, min(max(rows, l.least), l.most)*fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height*1.02+pad)
}

// row is objects side by side, centred vertically, in their smallest size.
type row struct{ gap float32 }

func (r row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		o.Resize(m)
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		x += m.Width + r.gap
	}
}

func (r row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Width > 0 {
			size.Width += r.gap
		}
		size.Width += m.Width
		size.Height = max(size.Height, m.Height)
	}
	return size
}

func newRow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(row{gap}, objects...)
}

func newColumn(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(stacked{gap}, objects...)
}
