package picture

import (
	"fmt"
	"image"
	"image/color"
)

// Grid is one subject's mask or scores on the guidance grid: Width × Height values in 0..1, rows from the top.
type Grid struct {
	Width, Height int
	Values        []float32
}

func (g Grid) check() error {
	if g.Width < 1 || g.Height < 1 || len(g.Values) != g.Width*g.Height {
		return fmt.Errorf("a mask of %d × %d needs as many values, not %d", g.Width, g.Height, len(g.Values))
	}
	return nil
}

// Normalized returns a copy divided by its maximum, to show scores, whose scale says nothing.
func (g Grid) Normalized() Grid {
	top := float32(0)
	for _, v := range g.Values {
		top = max(top, v)
	}
	out := Grid{g.Width, g.Height, make([]float32, len(g.Values))}
	if top > 0 {
		for i, v := range g.Values {
			out.Values[i] = v / top
		}
	}
	return out
}

// support is 1 where the subject reaches and 0 elsewhere.
func (g Grid) support() Grid {
	out := Grid{g.Width, g.Height, make([]float32, len(g.Values))}
	for i, v := range g.Values {
		if v > 0 {
			out.Values[i] = 1
		}
	}
	return out
}

// window is a part of a picture of width × height pixels: the pixels of an image that begins at (x, y) of it.
type window struct{ width, height, x, y int }

// sample calls row with every line of the window onto the grid, resized bilinearly to the picture. Lines in which the grid is
// nowhere positive are left out. The slice is reused from line to line.
func (g Grid) sample(v window, w, h int, row func(y int, values []float32)) {
	xs, line, mixed := taps(g.Width, v.width, false)[v.x:][:w], make([]float32, w), make([]float32, g.Width)
	for y, ty := range taps(g.Height, v.height, false)[v.y:][:h] {
		r0, r1 := g.Values[ty.i0*g.Width:][:g.Width], g.Values[ty.i1*g.Width:][:g.Width]
		some := false
		for i, a := range r0 {
			mixed[i] = a*ty.f0 + r1[i]*ty.f1
			some = some || mixed[i] > 0
		}
		if !some {
			continue
		}
		for x, tx := range xs {
			line[x] = mixed[tx.i0]*tx.f0 + mixed[tx.i1]*tx.f1
		}
		row(y, line)
	}
}

// Hatch is a pattern that tells subjects apart without colour.
type Hatch int

const (
	HatchLeft  Hatch = iota // lines from the upper left: \
	HatchRight              // lines from the lower left: /
	HatchBoth               // crossing lines
	HatchDots
)

// on says whether a pixel lies on the pattern.
func (h Hatch) on(x, y int) bool {
	const pitch, width = 8, 2
	left, right := (x-y)&(pitch-1) < width, (x+y)&(pitch-1) < width
	switch h {
	case HatchLeft:
		return left
	case HatchRight:
		return right
	case HatchBoth:
		return left || right
	default:
		return x&(pitch-1) < width && y&(pitch-1) < width
	}
}

// Style is how a subject looks everywhere in the window and in exports.
type Style struct {
	Name  string // English name of the colour
	Color color.RGBA
	Hatch Hatch
	Dash  Dash
}

// Hues of Okabe and Ito's set, which people with every common kind of colour vision tell apart.
var styles = [...]Style{
	{"blue", color.RGBA{0, 114, 178, 255}, HatchLeft, Solid},
	{"orange", color.RGBA{230, 159, 0, 255}, HatchRight, Dashed},
	{"green", color.RGBA{0, 158, 115, 255}, HatchBoth, Dotted},
	{"purple", color.RGBA{204, 121, 167, 255}, HatchDots, DashDot},
}

// SubjectStyle is the style of subject i, counted from 0 in the order of the prompt. After four subjects they repeat.
func SubjectStyle(i int) Style {
	n := len(styles)
	return styles[(i%n+n)%n]
}

// Mode is a way to show masks over a picture.
type Mode int

const (
	Tint    Mode = iota // the subject's colour, stronger where the value is higher, with its hatch
	Outline             // a line around where the mask is not zero
	Cutout              // everything outside of all masks recedes
	Heat                // scores from the lowest to the highest of their grid, in the colours of Warmth, over a picture without its own
)

// Layer is one subject's mask and how to draw it.
type Layer struct {
	Grid  Grid
	Style Style
}

// Overlay draws masks, resized bilinearly to the picture, over a copy of an opaque picture. Opacity is 0 (nothing is seen) to 1.
// Outline and Cutout are about where a mask is zero; scores, which are zero nowhere, show as Heat or Tint. Of several layers Heat has the
// warmest everywhere.
func Overlay(img *image.RGBA, layers []Layer, mode Mode, opacity float64) (*image.RGBA, error) {
	return OverlayPart(img, img.Rect.Size(), image.Point{}, layers, mode, opacity)
}

// OverlayPart is Overlay for a picture of which img shows a part: the whole one has size pixels, and img begins at its pixel at.
// The parts of a picture fit together without a seam.
func OverlayPart(img *image.RGBA, size, at image.Point, layers []Layer, mode Mode, opacity float64) (*image.RGBA, error) {
	if !(opacity >= 0 && opacity <= 1) {
		return nil, fmt.Errorf("the opacity %g is not between 0 and 1", opacity)
	}
	for _, l := range layers {
		if err := l.Grid.check(); err != nil {
			return nil, err
		}
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if !image.Rect(at.X, at.Y, at.X+w, at.Y+h).In(image.Rectangle{Max: size}) {
		return nil, fmt.Errorf("a part of %d × %d pixels at %v lies outside of a picture of %d × %d", w, h, at, size.X, size.Y)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		copy(out.Pix[y*out.Stride:][:4*w], img.Pix[y*img.Stride:])
	}
	v := window{size.X, size.Y, at.X, at.Y}
	switch mode {
	case Tint:
		for _, l := range layers {
			l.tint(out, v, opacity)
		}
	case Outline:
		for _, l := range layers {
			l.outline(out, v, opacity)
		}
	case Cutout:
		cutout(out, v, layers, opacity)
	case Heat:
		heat(out, v, layers, opacity)
	default:
		return nil, fmt.Errorf("there is no overlay mode %d; use Tint, Outline, Cutout or Heat", mode)
	}
	return out, nil
}

// offHatch is the strength of a tint between the lines of the hatch.
const offHatch = 0.7

func (l Layer) tint(out *image.RGBA, v window, opacity float64) {
	on, off := float32(opacity*256), float32(opacity*256*offHatch)
	l.Grid.sample(v, out.Rect.Dx(), out.Rect.Dy(), func(y int, values []float32) {
		line := out.Pix[y*out.Stride:]
		for x, value := range values {
			if !(value > 0) {
				continue
			}
			a := off
			if l.Style.Hatch.on(v.x+x, v.y+y) {
				a = on
			}
			blend(line[4*x:], l.Style.Color, uint32(a*min(value, 1)))
		}
	})
}

func cutout(out *image.RGBA, v window, layers []Layer, opacity float64) {
	w, h := out.Rect.Dx(), out.Rect.Dy()
	reach := make([]float32, w*h)
	for _, l := range layers {
		l.Grid.support().sample(v, w, h, func(y int, values []float32) {
			for x, value := range values {
				reach[y*w+x] += value // a sum, so that no seam shows between neighbours
			}
		})
	}
	shade, alpha := color.RGBA{32, 32, 32, 255}, float32(opacity*256)
	for i, value := range reach {
		if value < 1 {
			blend(out.Pix[4*i:], shade, uint32(alpha*(1-value)))
		}
	}
}

// blend mixes a 256ths of a colour into a pixel.
func blend(p []uint8, c color.RGBA, a uint32) {
	mix := func(from, to uint8) uint8 { return uint8((uint32(from)*(256-a) + uint32(to)*a + 128) >> 8) }
	p[0], p[1], p[2] = mix(p[0], c.R), mix(p[1], c.G), mix(p[2], c.B)
}

// FilmStep is one column of a film: the masks of all subjects at a step and, if there is one, the preview of that step.
type FilmStep struct {
	Masks   []Grid
	Preview *image.RGBA
}

// Film draws how masks settled: one column per step, a row of previews if any step has one, and a row per subject, whose tiles
// show the mask as a tint over the dimmed preview. Tile is the side of a tile in pixels, 8 to 512. Masks that are not square keep
// their shape. Every step must have the same subjects.
func Film(steps []FilmStep, tile int) (*image.RGBA, error) {
	const gap, most = 2, 1 << 26
	if len(steps) == 0 || len(steps[0].Masks) == 0 {
		return nil, fmt.Errorf("there are no masks to make a film of; run with at least one subject")
	}
	if tile < 8 || tile > 512 {
		return nil, fmt.Errorf("film tiles of %d pixels cannot be made; use 8 to 512", tile)
	}
	subjects, previews := len(steps[0].Masks), 0
	for i, s := range steps {
		if len(s.Masks) != subjects {
			return nil, fmt.Errorf("step %d of the film has %d masks, the first has %d", i+1, len(s.Masks), subjects)
		}
		for _, g := range s.Masks {
			if err := g.check(); err != nil {
				return nil, fmt.Errorf("step %d of the film: %w", i+1, err)
			}
		}
		if s.Preview != nil {
			previews = 1
		}
	}
	grid := steps[0].Masks[0]
	long := max(grid.Width, grid.Height)
	tw, th := max(1, tile*grid.Width/long), max(1, tile*grid.Height/long)
	w, h := len(steps)*(tw+gap)+gap, (subjects+previews)*(th+gap)+gap
	if w*h > most {
		return nil, fmt.Errorf("a film of %d × %d pixels is too large; use smaller tiles than %d pixels", w, h, tile)
	}

	film := image.NewRGBA(image.Rect(0, 0, w, h))
	fill(film, color.NRGBA{24, 24, 24, 255})
	place := func(t *image.RGBA, column, row int) {
		x, y := gap+column*(tw+gap), gap+row*(th+gap)
		for i := range th {
			copy(film.Pix[film.PixOffset(x, y+i):], t.Pix[i*t.Stride:][:4*tw])
		}
	}
	for i, s := range steps {
		dim := image.NewRGBA(image.Rect(0, 0, tw, th))
		fill(dim, color.NRGBA{A: 255})
		if s.Preview != nil {
			if p := Upscale(s.Preview, tw, th, true); p != nil {
				place(p, i, 0)
				for j := range p.Pix {
					if j%4 != 3 {
						dim.Pix[j] = p.Pix[j] / 3
					}
				}
			}
		}
		for j, g := range s.Masks {
			t, err := Overlay(dim, []Layer{{g, SubjectStyle(j)}}, Tint, 1)
			if err != nil {
				return nil, err
			}
			place(t, i, previews+j)
		}
	}
	return film, nil
}
