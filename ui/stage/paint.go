package stage

import (
	"image"
	"image/color"
	"image/draw"
	"slices"

	xdraw "golang.org/x/image/draw"

	"realword/inference/picture"
)

// scene is a picture as the stage shows it. It is a value that a painter reads on another goroutine; pictures and masks in
// it are never written again.
type scene struct {
	base    image.Image
	masks   []picture.Layer
	mode    picture.Mode
	opacity float64         // of the masks; 0 hides them
	crisp   bool            // pixels stay squares when they are enlarged
	size    image.Point     // of the whole picture on the screen, in pixels
	part    image.Rectangle // of it that is seen
	veil    Veil            // over it, below the masks
	other   image.Image     // to compare with, right of the split; may be nil
	split   float32         // as a share of part
	fit     bool            // a base of another shape keeps it
	clean   *image.RGBA     // the base as enlarge has made it before; nil: not yet
}

// sceneKey is equal for scenes that look the same. Masks never change, so their first values stand for them.
type sceneKey struct {
	base    image.Image
	masks   [2]*float32 // the first and the last
	styles  [2]picture.Style
	count   int
	mode    picture.Mode
	opacity float64
	crisp   bool
	size    image.Point
	part    image.Rectangle
	veil    Veil
	other   image.Image
	split   float32
}

// Veil is a mask that is being painted, as it lies over the picture. It is never written again.
type Veil struct {
	Mask  *image.Gray // over the whole picture; nil: none
	Style int         // of its subject
	Away  bool        // it says where the subject is not
}

// paint lays the veil over a part of the picture.
func (v Veil) paint(out *image.RGBA, s scene) {
	if v.Mask == nil {
		return
	}
	paint, strength := picture.SubjectStyle(v.Style).Color, 0.4
	if v.Away {
		paint, strength = color.RGBA{A: 255}, 0.6
	}
	picture.Veil(out, s.size, s.part.Min, v.Mask, paint, strength)
}

func (s scene) key() sceneKey {
	k := sceneKey{base: s.base, count: len(s.masks), crisp: s.crisp, size: s.size, part: s.part, veil: s.veil, other: s.other, split: s.split}
	if k.count > 0 {
		k.masks = [2]*float32{&s.masks[0].Grid.Values[0], &s.masks[k.count-1].Grid.Values[0]}
		k.styles = [2]picture.Style{s.masks[0].Style, s.masks[k.count-1].Style}
		k.mode, k.opacity = s.mode, s.opacity
	}
	return k
}

// half is the scene with half as many pixels each way; the screen enlarges it.
func (s scene) half() scene {
	s.size = image.Pt(max(s.size.X/2, 1), max(s.size.Y/2, 1))
	s.part = image.Rectangle{Max: s.size}
	return s
}

// whole is a scene of all of a picture.
func whole(base image.Image, width, height int) scene {
	return scene{base: base, size: image.Pt(width, height), part: image.Rect(0, 0, width, height)}
}

// Over paints masks over a picture that it enlarges to size; nil where there is no picture. It may be called on any goroutine.
func Over(base image.Image, size image.Point, masks []picture.Layer, mode picture.Mode, opacity float64) *image.RGBA {
	s := whole(base, size.X, size.Y)
	s.masks, s.mode, s.opacity = masks, mode, opacity
	return s.paint()
}

// paint makes the opaque picture of part's size that the screen shows without further scaling; nil if there is none.
func (s scene) paint() *image.RGBA {
	out := s.single()
	if out != nil {
		s.compare(out)
	}
	return out
}

// single paints the picture in view.
func (s scene) single() *image.RGBA {
	if s.base == nil || s.base.Bounds().Empty() || s.part.Empty() || !s.part.In(image.Rectangle{Max: s.size}) {
		return nil
	}
	out := s.enlarge()
	s.veil.paint(out, s)
	if s.opacity <= 0 || len(s.masks) == 0 {
		return out
	}
	over := func(mode picture.Mode, opacity float64) {
		// A mask of the wrong size is not drawn; the picture matters more.
		if with, err := picture.OverlayPart(out, s.size, s.part.Min, s.masks, mode, opacity); err == nil {
			out = with
		}
	}
	switch s.mode {
	case picture.Tint:
		over(picture.Tint, s.opacity)
		over(picture.Outline, min(1, 2*s.opacity))
	case picture.Outline:
		over(picture.Outline, min(1, 2*s.opacity))
	case picture.Heat:
		over(picture.Heat, min(1, 1.6*s.opacity))
	case picture.Cutout:
		over(picture.Cutout, min(1, 2*s.opacity))
		if len(s.masks) > 1 { // which is whose
			over(picture.Outline, min(1, 2*s.opacity))
		}
	}
	return out
}

// compare paints the other picture right of the split.
func (s scene) compare(out *image.RGBA) {
	if s.other == nil || s.other.Bounds().Empty() {
		return
	}
	right := s
	right.base, right.clean, right.fit = s.other, nil, true
	at := min(max(int(s.split*float32(out.Rect.Dx())+0.5), 0), out.Rect.Dx())
	draw.Draw(out, image.Rect(at, 0, out.Rect.Dx(), out.Rect.Dy()), right.enlarge(), image.Pt(at, 0), draw.Src)
	draw.Draw(out, image.Rect(at-2, 0, at+2, out.Rect.Dy()), image.Black, image.Point{}, draw.Src)
	draw.Draw(out, image.Rect(at-1, 0, at+1, out.Rect.Dy()), image.White, image.Point{}, draw.Src)
}

// undercoat keeps the enlarged picture while masks are painted over it, so that a stroke costs only what lies over it.
type undercoat struct {
	base  image.Image
	size  image.Point
	part  image.Rectangle
	crisp bool
	clean *image.RGBA
}

// under is the scene with the enlarged picture in place of its base.
func (c *undercoat) under(s scene) scene {
	if s.veil.Mask == nil || s.base == nil || s.base.Bounds().Empty() || s.part.Empty() || !s.part.In(image.Rectangle{Max: s.size}) {
		*c = undercoat{}
		return s
	}
	if c.base != s.base || c.size != s.size || c.part != s.part || c.crisp != s.crisp {
		*c = undercoat{s.base, s.size, s.part, s.crisp, s.enlarge()}
	}
	s.clean = c.clean
	return s
}

// most is how many values the good filter may keep between its two passes.
const most = 1 << 22

// enlarge brings the part of the base to its size on the screen.
func (s scene) enlarge() *image.RGBA {
	w, h := s.part.Dx(), s.part.Dy()
	if s.clean != nil {
		return &image.RGBA{Pix: slices.Clone(s.clean.Pix), Stride: s.clean.Stride, Rect: s.clean.Rect}
	}
	preview, isPreview := s.base.(*image.RGBA)
	if isPreview && !s.crisp && s.part.Size() == s.size && !s.fit {
		return picture.Upscale(preview, w, h, true)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	var filter xdraw.Scaler = xdraw.CatmullRom
	b := s.base.Bounds()
	switch {
	case s.crisp && s.size.X > b.Dx():
		filter = xdraw.NearestNeighbor
	case isPreview || s.size.X*b.Dy() > most:
		filter = xdraw.ApproxBiLinear
	}
	lies := image.Rectangle{Max: s.size}
	if s.fit && unlike(b.Size(), s.size) { // in the middle of the place of the other one, as a whole
		f := fitting(b.Size(), s.size)
		size := image.Pt(max(int(float32(b.Dx())*f+0.5), 1), max(int(float32(b.Dy())*f+0.5), 1))
		at := s.size.Sub(size).Div(2)
		lies = image.Rectangle{at, at.Add(size)}
	}
	filter.Scale(out, lies.Sub(s.part.Min), s.base, b, draw.Over, nil)
	return out
}
