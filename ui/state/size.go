package state

import (
	"fmt"
	"image"
	"math"

	"realword/inference/bundle"
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
	return m.Size.Shaped(float64(s.Width)/float64(s.Height), like, nearShape)
}

// OneSize tells whether a model makes pictures of one size only.
func OneSize(m *bundle.Manifest) bool {
	own := m.Size.Own()
	return m.Size.Nearest(image.Point{}) == own && m.Size.Nearest(image.Pt(m.Size.Max, m.Size.Max)) == own
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
	size = m.Size.Fit(size)
	if f.Width, f.Height = size.X, size.Y; size == m.Size.Own() || min(size.X, size.Y) < 1 {
		f.Width, f.Height = 0, 0
	}
	return f
}
