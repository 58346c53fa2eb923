package state

import (
	"fmt"
	"image"
	"math"

	"realword/inference/bundle"
	"realword/ui/i18n"
)

// Shape is a ratio of the sides of a picture.
type Shape struct{ Width, Height int }

// Shapes are those that are offered, from the widest of the square ones to the narrowest.
func Shapes() []Shape {
	return []Shape{{1, 1}, {4, 3}, {3, 2}, {16, 9}, {9, 16}, {2, 3}, {3, 4}}
}

func (s Shape) String() string { return fmt.Sprintf("%d:%d", s.Width, s.Height) }

// off is how far a size is from the shape, as the logarithm of the ratio of ratios.
func (s Shape) off(size image.Point) float64 {
	return math.Abs(math.Log(float64(size.X) * float64(s.Height) / (float64(size.Y) * float64(s.Width))))
}

// nearShape is how far a size of a shape may be off it: sides are multiples, so a ratio is met about.
const nearShape = 0.06

// ShapeOf is the shape that a size is nearest to, and whether it is near enough to bear its name.
func ShapeOf(size image.Point) (best Shape, near bool) {
	if min(size.X, size.Y) < 1 {
		return Shape{}, false
	}
	for i, s := range Shapes() {
		if i == 0 || s.off(size) < best.off(size) {
			best = s
		}
	}
	return best, best.off(size) < nearShape
}

// SizeName is a size with the ratio of its sides, where it is near one that has a name.
func SizeName(size image.Point) string {
	text := fmt.Sprintf("%d × %d", size.X, size.Y)
	if shape, near := ShapeOf(size); near {
		text += " · " + shape.String()
	}
	return text
}

// Size is the size in this shape that a model makes, with about as many pixels as another size; the zero point where it makes none. The
// ratio counts more than the number of pixels: 144 × 96 is 3:2 to a model of multiples of 16, 160 × 112 is not.
func (s Shape) Size(like image.Point, m *bundle.Manifest) image.Point {
	return sized(float64(s.Width)/float64(s.Height), like, nearShape, m)
}

// sized is the size that a model makes whose ratio and number of pixels are nearest to those wanted, where the ratio is so near.
func sized(ratio float64, like image.Point, near float64, m *bundle.Manifest) (best image.Point) {
	step := max(m.Size.Multiple, 1)
	area, least := float64(like.X)*float64(like.Y), math.Inf(1)
	for x := (max(m.Size.Min, 1) + step - 1) / step * step; x <= m.Size.Max; x += step {
		for _, y := range []float64{float64(x) / ratio, area / float64(x)} { // others are worse in both
			for _, n := range []float64{math.Floor(y / float64(step)), math.Ceil(y / float64(step))} {
				size := image.Pt(x, int(n)*step)
				if !fits(size, m) {
					continue
				}
				w, h := float64(size.X), float64(size.Y)
				off := math.Abs(math.Log(w / h / ratio))
				if cost := 4*off + math.Abs(math.Log(w*h/area)); off < near && cost < least {
					least, best = cost, size
				}
			}
		}
	}
	return best
}

// Snapped is the size nearest to a wished one that a model makes, each side for itself.
func Snapped(size image.Point, m *bundle.Manifest) image.Point {
	step := max(m.Size.Multiple, 1)
	side := func(n int) int {
		low, high := (max(m.Size.Min, 1)+step-1)/step, m.Size.Max/step
		return min(max((n+step/2)/step, low), max(high, low)) * step
	}
	return image.Pt(side(size.X), side(size.Y))
}

// OneSize tells whether a model makes pictures of one size only.
func OneSize(m *bundle.Manifest) bool {
	size := image.Pt(m.Size.Width, m.Size.Height)
	return Snapped(image.Point{}, m) == size && Snapped(image.Pt(m.Size.Max, m.Size.Max), m) == size
}

// fits tells whether a model makes pictures of a size.
func fits(size image.Point, m *bundle.Manifest) bool {
	s := m.Size
	side := func(n int) bool { return n >= s.Min && n <= s.Max && (s.Multiple < 1 || n%s.Multiple == 0) }
	return side(size.X) && side(size.Y)
}

// How far the number of pixels may be from the model's own, and the ratio of the sides from its own, before the model is asked for what
// it has not learned. They are a guess from looking: SDXL and the built-in model cut subjects at half, and double them at twice.
const (
	fewPixels, manyPixels = 0.5, 2
	longShape             = 2.2
)

// Stray says that a size is far from what a model has learned from; "" where it is not.
func Stray(size image.Point, m *bundle.Manifest) string {
	own := m.Size
	if min(size.X, size.Y, own.Width, own.Height) < 1 {
		return ""
	}
	share := float64(size.X*size.Y) / float64(own.Width*own.Height)
	ratio := float64(size.X) / float64(size.Y) * float64(own.Height) / float64(own.Width)
	switch {
	case share > manyPixels:
		return i18n.T("Far larger than what this model learned from (%d × %d): parts may come twice. A second pass enlarges without that.", own.Width, own.Height)
	case share < fewPixels:
		return i18n.T("Far smaller than what this model learned from (%d × %d): subjects may be cut off or blurred.", own.Width, own.Height)
	case max(ratio, 1/ratio) > longShape:
		return i18n.T("A far longer shape than what this model learned from (%d × %d): subjects may come twice.", own.Width, own.Height)
	}
	return ""
}

// Size is the size of the pictures that the form asks of a model.
func (f Form) Size(m *bundle.Manifest) image.Point {
	s := f.Completed(m)
	return image.Pt(s.Width, s.Height)
}

// WithSize asks for pictures of a size. The model's own is no wish. In place of one that the model cannot make comes the nearest to its
// ratio that has about as many pixels as the model's own: a form keeps its shape when the model is another one.
func (f Form) WithSize(size image.Point, m *bundle.Manifest) Form {
	if f.Width, f.Height = size.X, size.Y; m == nil {
		return f
	}
	own := image.Pt(m.Size.Width, m.Size.Height)
	if min(size.X, size.Y) > 0 && !fits(size, m) {
		size = sized(float64(size.X)/float64(size.Y), own, math.Inf(1), m)
	}
	if f.Width, f.Height = size.X, size.Y; size == own || min(size.X, size.Y) < 1 {
		f.Width, f.Height = 0, 0
	}
	return f
}
