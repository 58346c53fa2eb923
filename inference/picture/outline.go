package picture

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// Dash is how the outline of a subject is drawn, to tell subjects apart without colour.
type Dash int

const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDot
)

// Lengths of line and gap in turn, in widths of the line; nil is an unbroken line.
var dashes = [...][]float32{Solid: nil, Dashed: {5, 3}, Dotted: {1.2, 2}, DashDot: {6, 2.5, 1.2, 2.5}}

// Point is a place on a grid in cells, or on a picture in pixels; (0, 0) is the corner of the first one.
type Point struct{ X, Y float32 }

// contour is the border between where a grid is positive and where it is not: polylines in cells of the grid, half-way between
// the centres of cells (marching squares), with the corners cut. The border of the grid itself is none.
func (g Grid) contour() [][]Point {
	inside := func(x, y int) bool {
		x, y = min(max(x, 0), g.Width-1), min(max(y, 0), g.Height-1)
		return g.Values[y*g.Width+x] > 0
	}
	// Every square has the centres of four cells in its corners, the cell (x, y) in the lower right one. Where the border enters and
	// leaves it is named in half cells, so that both squares at an edge find the same name.
	next := map[[2]int][2]int{}
	into := map[[2]int]bool{}
	var starts [][2]int
	for y := range g.Height + 1 {
		for x := range g.Width + 1 {
			sides := [4][2]int{{2 * x, 2*y - 1}, {2*x + 1, 2 * y}, {2 * x, 2*y + 1}, {2*x - 1, 2 * y}} // behind each corner, clockwise
			in := [4]bool{inside(x-1, y-1), inside(x, y-1), inside(x, y), inside(x-1, y)}
			for i, from := range sides {
				if !in[i] || in[(i+1)%4] {
					continue
				}
				to := i + 1 // the border goes on to where the inside begins again; it is on the left
				for in[to%4] || !in[(to+1)%4] {
					to++
				}
				next[from] = sides[to%4]
				into[sides[to%4]] = true
				starts = append(starts, from)
			}
		}
	}
	var lines [][]Point
	follow := func(from [2]int) {
		var line []Point
		for at, more := from, true; ; {
			line = append(line, Point{float32(at[0]) / 2, float32(at[1]) / 2})
			to, ok := next[at]
			if !ok || !more {
				break
			}
			delete(next, at)
			at, more = to, to != from
		}
		if len(line) > 1 {
			lines = append(lines, smooth(smooth(line)))
		}
	}
	for _, from := range starts { // first those that come in at the border of the grid
		if !into[from] {
			follow(from)
		}
	}
	for _, from := range starts {
		if _, left := next[from]; left {
			follow(from)
		}
	}
	return lines
}

// smooth cuts the corners of a polyline (Chaikin); its ends stay.
func smooth(line []Point) []Point {
	last := len(line) - 1
	closed := line[0] == line[last]
	var out []Point
	if !closed {
		out = append(out, line[0])
	}
	for i := range last {
		a, b := line[i], line[i+1]
		out = append(out, Point{0.75*a.X + 0.25*b.X, 0.75*a.Y + 0.25*b.Y}, Point{0.25*a.X + 0.75*b.X, 0.25*a.Y + 0.75*b.Y})
	}
	if closed {
		return append(out, out[0])
	}
	return append(out, line[last])
}

// DrawLine draws a polyline over an opaque picture, width pixels wide, in a subject's dash and with smooth edges. What lies outside
// is cut off.
func DrawLine(out *image.RGBA, line []Point, width float32, dash Dash, c color.NRGBA) {
	if len(line) > 1 {
		stroke(out, cut(line, dashes[dash], width), width, c)
	}
}

// outline draws the border of the subject in its colour and dash, on a dark line that keeps it apart from any picture.
func (l Layer) outline(out *image.RGBA, v window, opacity float64) {
	width := float32(2 + min(v.width, v.height)/512)
	sx, sy := float32(v.width)/float32(l.Grid.Width), float32(v.height)/float32(l.Grid.Height)
	var lines [][]Point
	for _, line := range l.Grid.contour() {
		for i, p := range line {
			line[i] = Point{p.X*sx - float32(v.x), p.Y*sy - float32(v.y)}
		}
		lines = append(lines, cut(line, dashes[l.Style.Dash], width)...)
	}
	c := l.Style.Color
	stroke(out, lines, width+2, color.NRGBA{A: uint8(opacity * 0x60)})
	stroke(out, lines, width, color.NRGBA{c.R, c.G, c.B, uint8(opacity*0xff + 0.5)})
}

// cut makes dashes of a polyline.
func cut(line []Point, pattern []float32, width float32) [][]Point {
	if pattern == nil {
		return [][]Point{line}
	}
	var out [][]Point
	piece := []Point{line[0]}
	at, left := 0, pattern[0]*width
	for i := 1; i < len(line); i++ {
		from, to := line[i-1], line[i]
		for {
			length := float32(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
			if length < left {
				left -= length
				piece = append(piece, to)
				break
			}
			from = Point{from.X + (to.X-from.X)*left/length, from.Y + (to.Y-from.Y)*left/length}
			if at%2 == 0 {
				out = append(out, append(piece, from))
			}
			piece = []Point{from}
			at = (at + 1) % len(pattern)
			left = pattern[at] * width
		}
	}
	if at%2 == 0 && len(piece) > 1 {
		out = append(out, piece)
	}
	return out
}

// stroke draws polylines with round-looking joints, smooth at the edges.
func stroke(out *image.RGBA, lines [][]Point, width float32, c color.NRGBA) {
	// Only the part of the picture that the lines touch is rasterized.
	r, w, h := width/2, float32(out.Rect.Dx()), float32(out.Rect.Dy())
	lo, hi := Point{w, h}, Point{0, 0}
	seen := func(a, b Point) bool {
		return max(a.X, b.X) > -r && min(a.X, b.X) < w+r && max(a.Y, b.Y) > -r && min(a.Y, b.Y) < h+r
	}
	for _, line := range lines {
		for i := 1; i < len(line); i++ {
			if a, b := line[i-1], line[i]; seen(a, b) {
				lo = Point{min(lo.X, a.X, b.X), min(lo.Y, a.Y, b.Y)}
				hi = Point{max(hi.X, a.X, b.X), max(hi.Y, a.Y, b.Y)}
			}
		}
	}
	box := image.Rect(int(lo.X-r)-1, int(lo.Y-r)-1, int(hi.X+r)+2, int(hi.Y+r)+2).Intersect(out.Rect)
	if box.Empty() || lo.X > hi.X {
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	ox, oy := float32(box.Min.X), float32(box.Min.Y)
	for _, line := range lines {
		for i := 1; i < len(line); i++ {
			a, b := line[i-1], line[i]
			length := float32(math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y)))
			if length == 0 || !seen(a, b) {
				continue
			}
			dx, dy := (b.X-a.X)/length*r, (b.Y-a.Y)/length*r
			// A little longer than it is, so that the joints close.
			ax, ay, bx, by := a.X-dx/3-ox, a.Y-dy/3-oy, b.X+dx/3-ox, b.Y+dy/3-oy
			z.MoveTo(ax-dy, ay+dx)
			z.LineTo(bx-dy, by+dx)
			z.LineTo(bx+dy, by-dx)
			z.LineTo(ax+dy, ay-dx)
			z.ClosePath()
		}
	}
	z.Draw(out, box, image.NewUniform(c), image.Point{})
}
