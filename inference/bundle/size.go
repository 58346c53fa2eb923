package bundle

import (
	"image"
	"math"

	"realword/inference/message"
)

// Own is the size of the pictures that the model makes where nobody asks for another one.
func (s Size) Own() image.Point { return image.Pt(s.Width, s.Height) }

// Makes tells whether a model makes pictures of a size.
func (s Size) Makes(size image.Point) bool {
	side := func(n int) bool { return n >= s.Min && n <= s.Max && (s.Multiple < 1 || n%s.Multiple == 0) }
	return side(size.X) && side(size.Y)
}

// Nearest is the size nearest to a wished one that a model makes, each side for itself.
func (s Size) Nearest(size image.Point) image.Point {
	step := max(s.Multiple, 1)
	side := func(n int) int {
		low, high := (max(s.Min, 1)+step-1)/step, s.Max/step
		return min(max((n+step/2)/step, low), max(high, low)) * step
	}
	return image.Pt(side(size.X), side(size.Y))
}

// Shaped is the size that a model makes whose ratio and number of pixels are nearest to those wanted, where the ratio is within near, the
// logarithm of the ratio of ratios; the zero point where there is none.
func (s Size) Shaped(ratio float64, like image.Point, near float64) (best image.Point) {
	step := max(s.Multiple, 1)
	area, least := float64(like.X)*float64(like.Y), math.Inf(1)
	for x := (max(s.Min, 1) + step - 1) / step * step; x <= s.Max; x += step {
		for _, y := range []float64{float64(x) / ratio, area / float64(x)} { // others are worse in both
			for _, n := range []float64{math.Floor(y / float64(step)), math.Ceil(y / float64(step))} {
				size := image.Pt(x, int(n)*step)
				if !s.Makes(size) {
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

// Fit is a size that was asked for, or in place of one that the model cannot make the nearest to its ratio that has about as many pixels
// as the model's own.
func (s Size) Fit(size image.Point) image.Point {
	if min(size.X, size.Y) < 1 || s.Makes(size) {
		return size
	}
	return s.Shaped(float64(size.X)/float64(size.Y), s.Own(), math.Inf(1))
}

// How far the number of pixels may be from the model's own, and the ratio of the sides from its own, before the model is asked for what
// it has not learned. They are a guess from looking: SDXL and the built-in model cut subjects at half, and double them at twice.
const (
	fewPixels, manyPixels = 0.5, 2
	longShape             = 2.2
)

// Larger tells whether a size is far larger than what a model has learned from.
func (s Size) Larger(size image.Point) bool {
	return min(s.Width, s.Height) > 0 && float64(size.X*size.Y) > manyPixels*float64(s.Width*s.Height)
}

// Stray says that a size is far from what a model has learned from; nil where it is not.
func (s Size) Stray(size image.Point) error {
	if min(size.X, size.Y, s.Width, s.Height) < 1 {
		return nil
	}
	share := float64(size.X*size.Y) / float64(s.Width*s.Height)
	ratio := float64(size.X) / float64(size.Y) * float64(s.Height) / float64(s.Width)
	switch {
	case s.Larger(size):
		return message.Errorf("far larger than what this model learned from (%d × %d): parts may come twice. A second pass enlarges without that",
			s.Width, s.Height)
	case share < fewPixels:
		return message.Errorf("far smaller than what this model learned from (%d × %d): subjects may be cut off or blurred",
			s.Width, s.Height)
	case max(ratio, 1/ratio) > longShape:
		return message.Errorf("a far longer shape than what this model learned from (%d × %d): subjects may come twice",
			s.Width, s.Height)
	}
	return nil
}
