package picture

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Sheet is a grid of pictures on one: a title, a label over every column and before every row, and the cells.
type Sheet struct {
	Title, Caption string  // above the grid, broken into lines
	Rows, Columns  []Label // at least one of each; an empty one has no place
	Cell           image.Point
	At             func(n int) (image.Image, error) // cell n, row by row; a nil image leaves its place empty. Asked for once each
}

// Label is what the cells of a row or column have in common.
type Label struct {
	Text    string
	Picture image.Image // over the text; nil: none
}

// sheetSide is the longest side of a sheet in pixels. Cells become smaller where they would not fit.
const sheetSide = 16384

// inks of a sheet.
var (
	paper  = color.NRGBA{255, 255, 255, 255}
	ink    = color.NRGBA{32, 33, 36, 255}
	faint  = color.NRGBA{110, 113, 118, 255}
	hollow = color.NRGBA{236, 237, 239, 255}
)

var sheetFont = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// pen writes in one size.
type pen struct {
	font.Face
	line int // height
}

func newPen(pixels int) (pen, error) {
	f, err := sheetFont()
	if err != nil {
		return pen{}, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(pixels), DPI: 72, Hinting: font.HintingFull})
	return pen{face, pixels * 4 / 3}, err
}

func (p pen) width(text string) int { return font.MeasureString(p, text).Ceil() }

// lines breaks a text at blanks, and a word that is too long within it.
func (p pen) lines(text string, width int) (list []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && p.width(longer) > width {
			list, longer = append(list, line), word
		}
		for letters := []rune(longer); p.width(longer) > width && len(letters) > 1; letters = []rune(longer) {
			n := len(letters) - 1
			for n > 1 && p.width(string(letters[:n])) > width {
				n--
			}
			list, longer = append(list, string(letters[:n])), string(letters[n:])
		}
		line = longer
	}
	if line != "" {
		list = append(list, line)
	}
	return list
}

// write puts one line with its top at y; align 0 is left of a width, 1 its middle, 2 its right.
func (p pen) write(on draw.Image, text string, x, y, width, align int, c color.Color) {
	x += (width - p.width(text)) * align / 2
	d := font.Drawer{Dst: on, Src: image.NewUniform(c), Face: p, Dot: fixed.P(x, y+p.Metrics().Ascent.Ceil())}
	d.DrawString(text)
}

// Draw makes the picture. The text is as large as cells of this size ask for. Errors are those of At.
func (s Sheet) Draw() (*image.NRGBA, error) {
	if len(s.Rows) == 0 || len(s.Columns) == 0 || s.Cell.X < 1 || s.Cell.Y < 1 {
		return nil, errors.New("a sheet without cells cannot be drawn")
	}
	longest := max(len(s.Columns)*s.Cell.X, len(s.Rows)*s.Cell.Y)
	cell := s.Cell
	if most := sheetSide * 7 / 8; longest > most {
		cell = image.Pt(max(cell.X*most/longest, 1), max(cell.Y*most/longest, 1))
	}
	size := min(max(min(cell.X, cell.Y)/16, 13), 64)
	label, err := newPen(size)
	if err != nil {
		return nil, err
	}
	defer label.Close()
	title, err := newPen(size * 5 / 4)
	if err != nil {
		return nil, err
	}
	defer title.Close()
	gap, margin := max(size/3, 4), size
	picture := image.Pt(min(cell.X/2, 4*size), min(cell.X/2, 4*size)) // of a label
	high := func(l Label, width int) int {
		h := len(label.lines(l.Text, width)) * label.line
		if l.Picture != nil {
			h += picture.Y + gap
		}
		return h
	}
	left, top := 0, 0
	for _, l := range s.Rows {
		for _, line := range label.lines(l.Text, cell.X) {
			left = max(left, label.width(line)+gap)
		}
		if l.Picture != nil {
			left = max(left, picture.X+gap)
		}
	}
	for _, l := range s.Columns {
		top = max(top, high(l, cell.X))
	}
	if top > 0 {
		top += gap
	}
	width := left + len(s.Columns)*(cell.X+gap) - gap
	head, caption := title.lines(s.Title, width), label.lines(s.Caption, width)
	above := len(head)*title.line + len(caption)*label.line
	if above > 0 {
		above += size
	}
	height := above + top + len(s.Rows)*(cell.Y+gap) - gap
	out := image.NewNRGBA(image.Rect(0, 0, width+2*margin, height+2*margin))
	draw.Draw(out, out.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	y := margin
	for _, line := range head {
		title.write(out, line, margin, y, width, 0, ink)
		y += title.line
	}
	for _, line := range caption {
		label.write(out, line, margin, y, width, 0, faint)
		y += label.line
	}
	corner := image.Pt(margin+left, margin+above+top) // of the first cell
	put := func(l Label, x, y, width, align int) {
		if l.Picture != nil {
			r := fitted(l.Picture.Bounds().Size(), picture).Add(image.Pt(x+(width-picture.X)*align/2, y))
			xdraw.CatmullRom.Scale(out, r, l.Picture, l.Picture.Bounds(), draw.Over, nil)
			y += picture.Y + gap
		}
		for _, line := range label.lines(l.Text, cell.X) {
			label.write(out, line, x, y, width, align, ink)
			y += label.line
		}
	}
	for i, l := range s.Columns {
		put(l, corner.X+i*(cell.X+gap), corner.Y-gap-high(l, cell.X), cell.X, 1)
	}
	for i, l := range s.Rows {
		put(l, margin, corner.Y+i*(cell.Y+gap)+(cell.Y-high(l, cell.X))/2, left-gap, 2)
	}
	for n := range len(s.Rows) * len(s.Columns) {
		at := corner.Add(image.Pt(n%len(s.Columns)*(cell.X+gap), n/len(s.Columns)*(cell.Y+gap)))
		place := image.Rectangle{at, at.Add(cell)}
		img, err := s.At(n)
		if err != nil {
			return nil, err
		}
		switch {
		case img == nil:
			draw.Draw(out, place, image.NewUniform(hollow), image.Point{}, draw.Src)
		case img.Bounds().Size() == cell:
			draw.Draw(out, place, img, img.Bounds().Min, draw.Src)
		default:
			r := fitted(img.Bounds().Size(), cell).Add(at)
			xdraw.CatmullRom.Scale(out, r, img, img.Bounds(), draw.Src, nil)
		}
	}
	return out, nil
}

// fitted is where a picture lies in a box: as large as it can be, in the middle.
func fitted(size, box image.Point) image.Rectangle {
	if size.X < 1 || size.Y < 1 {
		return image.Rectangle{}
	}
	w, h := box.X, max(size.Y*box.X/size.X, 1)
	if h > box.Y {
		w, h = max(size.X*box.Y/size.Y, 1), box.Y
	}
	at := image.Pt((box.X-w)/2, (box.Y-h)/2)
	return image.Rectangle{at, at.Add(image.Pt(w, h))}
}
