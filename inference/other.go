package inference

import (
	"image"
	"math"

	"realword/inference/bundle"
	"realword/inference/message"
)

// What becomes of what one model was asked for, or has made, where another one is open. This is the one place that decides it.

// For is what the model called was is asked for, as m is asked for it: what was that model's own size is m's own, another one stays as far
// as m makes such pictures, and what m cannot do is left out. The zero own is a size that nobody knows. m's own settings stay as they are.
func (s Settings) For(m bundle.Manifest, was string, own image.Point) Settings {
	if was == "" || m.Named(was) {
		return s
	}
	size := m.Size.Fit(image.Pt(s.Width, s.Height))
	if own != (image.Point{}) && image.Pt(s.Width, s.Height) == own {
		size = image.Point{}
	}
	s.Width, s.Height = size.X, size.Y
	return s.Possible(m)
}

// For is a request for the model called was, as m makes it: see Settings.For. It begins with noise, and a grid begins anew: steps and
// pictures of two models do not mix.
func (r Request) For(m bundle.Manifest, was string, own image.Point) Request {
	if was == "" || m.Named(was) {
		return r
	}
	if r.Init != nil && !r.Init.Region.IsZero() {
		r = r.Within(m, was)
	} else {
		r.Settings = r.Settings.For(m, was, own)
	}
	r.From = nil
	if r.Grid != nil {
		r.Grid = r.Grid.Clone()
		r.Grid.Of, r.Grid.Made = 0, nil
	}
	return r
}

// Within is the request of a picture of the model called was, as m goes on with that picture: the size is the picture's.
func (r Request) Within(m bundle.Manifest, was string) Request {
	width, height := r.Width, r.Height
	r.Settings = r.Settings.For(m, was, image.Point{})
	r.Width, r.Height = width, height
	return r
}

// OtherSize says what becomes of the size of a picture of the model called was whose recipe m is asked for; nil where the model is the
// same.
func OtherSize(m bundle.Manifest, was string, size, own image.Point) error {
	now := Settings{Width: size.X, Height: size.Y}.For(m, was, own).Complete(m)
	switch {
	case was == "" || m.Named(was) || min(size.X, size.Y) < 1:
		return nil
	case size == own && image.Pt(now.Width, now.Height) != own:
		return message.Errorf("%d × %d is the usual size of the model %s: the new picture has that of %s, %d × %d", size.X, size.Y, was, m.Name,
			now.Width, now.Height)
	case image.Pt(now.Width, now.Height) != size:
		return message.Errorf("the model %s makes no pictures of %d × %d: the new one has %d × %d", m.Name, size.X, size.Y, now.Width, now.Height)
	case size != m.Size.Own():
		return message.Errorf("the new picture keeps the size of the recipe, %d × %d", size.X, size.Y)
	}
	return nil
}

// Stray says that the size of a complete request is far from what the model has learned from; nil where it is not, and where all of the
// picture begins with another one, which says already what lies where.
func (r Request) Stray(m bundle.Manifest) error {
	if r.Init != nil && r.Init.Region.IsZero() {
		return nil
	}
	if r.Init != nil {
		return StrayRedo(m, image.Pt(r.Width, r.Height))
	}
	return m.Size.Stray(image.Pt(r.Width, r.Height))
}

// StrayRedo says that a picture in which a subject is made again is far from what the model has learned from; nil where it is not.
func StrayRedo(m bundle.Manifest, size image.Point) error {
	if m.Size.Larger(size) {
		return message.Errorf("far larger than what this model learned from (%d × %d): parts may come twice. Redo the subject in the small picture and enlarge that by a second pass",
			m.Size.Width, m.Size.Height)
	}
	return m.Size.Stray(size)
}

// Another says that what m makes of a picture of the model called was is drawn by m; nil where it is m's own, or nobody knows whose it is.
// A picture is noised through the encoder of the model that goes on with it, so any model can.
func Another(m bundle.Manifest, was string) error {
	if was == "" || m.Named(was) {
		return nil
	}
	return message.Errorf("the picture was made with the model %s: what is new in it is drawn by %s", was, m.Name)
}

// CanRedo says why no part of a picture of the model called was can be made again; nil where it can: the new picture has the same size.
// A model draws mush in a picture of another one that is far smaller than what it has learned from.
func CanRedo(m bundle.Manifest, was string, size image.Point) error {
	switch small := size.X*size.Y < m.Size.Width*m.Size.Height && m.Size.Stray(size) != nil; {
	case max(size.X, size.Y) > m.Size.Max:
		return message.Errorf("the picture has %d × %d pixels, and the model %s makes at most %d × %d: open a model for such sizes", size.X, size.Y,
			m.Name, m.Size.Max, m.Size.Max)
	case !m.Size.Makes(size), small && Another(m, was) != nil:
		return message.Errorf("the picture has %d × %d pixels, and the model %s draws no subject in such a one: make a second pass of it first, and redo the subject in that",
			size.X, size.Y, m.Name)
	}
	return nil
}

// mostScale bounds second passes: what lies between is one more pass.
const mostScale = 4

// LargestScale is how many times as large a second pass makes a picture of that size at most, rounded down to hundredths; below LeastScale
// there is none that would be worth it.
func LargestScale(m bundle.Manifest, size image.Point) float64 {
	return min(math.Floor(100*float64(m.Size.Max)/float64(max(size.X, size.Y, 1)))/100, mostScale)
}

// LeastScale is of a second pass that is worth it.
const LeastScale = 1.05

// CanScale says what is wrong with the scale of a second pass of a picture of that size; nil where nothing is.
func CanScale(m bundle.Manifest, size image.Point, scale float64) error {
	most := LargestScale(m, size)
	switch {
	case !(scale > 1 && scale <= mostScale):
		return message.Errorf("a second pass makes a picture up to 4 times as large, not %g times: 1.5 and 2 work well", scale)
	case scale > most && most < LeastScale:
		return message.Errorf("the picture has %d × %d pixels, and the model %s makes at most %d × %d: no larger one can be made of it; open a model for larger pictures",
			size.X, size.Y, m.Name, m.Size.Max, m.Size.Max)
	case scale > most:
		return message.Errorf("%g times %d × %d is more than the %d × %d that the model %s makes at most: choose a scale of at most %g", scale,
			size.X, size.Y, m.Size.Max, m.Size.Max, m.Name, most)
	}
	return nil
}
