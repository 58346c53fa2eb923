package inspect

import (
	"image"
	"image/color"
	"image/draw"

	"realword/inference/picture"
	"realword/ui/kit"
)

// ink is the colours that maps are painted in.
type ink struct {
	empty  color.NRGBA // nothing
	top    color.NRGBA // the highest value
	gained color.NRGBA // positions that another γ adds
	lost   color.NRGBA // and those that it takes away
}

// mix is a colour t of the way from a to b.
func mix(a, b color.NRGBA, t float32) color.NRGBA {
	f := func(a, b uint8) uint8 { return uint8(float32(a)*(1-t) + float32(b)*t + 0.5) }
	return color.NRGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 0xff}
}

// shade is the colour of a value from 0 to 1 of a subject: from nothing through its colour to the top.
func (k ink) shade(subject int, v float32) color.NRGBA {
	const middle = 0.65
	own := kit.SubjectColor(subject)
	if v = min(max(v, 0), 1); v < middle {
		return mix(k.empty, own, v/middle)
	}
	return mix(own, k.top, (v-middle)/(1-middle)*0.85)
}

// paint draws the maps of every step, one row for each kind, and the chosen one enlarged.
func (s scene) paint() inspected {
	var out inspected
	n := len(s.in.steps)
	if n == 0 || s.step < 0 || s.step >= n || s.cell.X < 1 || s.cell.Y < 1 {
		return out
	}
	out.matrix = image.NewRGBA(image.Rect(0, 0, n*(s.cell.X+s.gap), int(mapKinds)*(s.cell.Y+s.gap)))
	for i := range n {
		e := s.in.at(i)
		for kind := range mapKinds {
			at := image.Pt(i*(s.cell.X+s.gap), int(kind)*(s.cell.Y+s.gap))
			s.grid(out.matrix, image.Rectangle{at, at.Add(s.cell)}, e, kind)
		}
		if i == s.step {
			out.err = e.err
			out.large = s.enlarged(e)
		}
	}
	out.reading = s.in.read(s.step, s.kind)
	return out
}

// enlarged is the chosen map in its own squares, or over the preview of its step.
func (s scene) enlarged(e evidence) *image.RGBA {
	if s.large.X < 1 || s.large.Y < 1 {
		return nil
	}
	if preview := s.in.steps[s.step].Preview; s.over && preview != nil && len(e.grids[s.kind]) > 0 {
		grid := picture.Grid{Width: e.width, Height: e.height, Values: e.grids[s.kind]}.Normalized()
		mode := s.mode
		if s.kind < topMask {
			mode = picture.Heat // scores are zero nowhere
		}
		layer := picture.Layer{Grid: grid, Style: picture.SubjectStyle(s.in.dress.Of(s.in.subject))}
		return s.onto(preview, s.large, []picture.Layer{layer}, mode, s.opacity)
	}
	out := image.NewRGBA(image.Rectangle{Max: s.large})
	s.grid(out, out.Rect, e, s.kind)
	return out
}

// grid draws a map into a rectangle, every position a square. What another γ adds and takes away stands out by colour and by
// pattern: added positions are hatched, lost ones are frames.
func (s scene) grid(out *image.RGBA, r image.Rectangle, e evidence, kind mapKind) {
	draw.Draw(out, r, image.NewUniform(s.ink.empty), image.Point{}, draw.Src)
	values := e.grids[kind]
	if len(values) == 0 {
		return
	}
	shown := picture.Grid{Width: e.width, Height: e.height, Values: values}.Normalized()
	w, h := r.Dx(), r.Dy()
	for y := range e.height {
		top, bottom := r.Min.Y+y*h/e.height, r.Min.Y+(y+1)*h/e.height
		for x := range e.width {
			p := y*e.width + x
			square := image.Rect(r.Min.X+x*w/e.width, top, r.Min.X+(x+1)*w/e.width, bottom)
			had := e.before[kind] != nil && e.before[kind][p] > 0
			v := shown.Values[p]
			switch {
			case e.before[kind] != nil && v > 0 && !had:
				fillHatched(out, square, s.ink.gained, s.ink.shade(s.in.dress.Of(s.in.subject), 0.5))
			case had && !(v > 0):
				frame(out, square, s.ink.lost)
			case kind >= topMask && v > 0:
				draw.Draw(out, square, image.NewUniform(s.ink.shade(s.in.dress.Of(s.in.subject), 0.35+0.65*v)), image.Point{}, draw.Src)
			case kind < topMask:
				draw.Draw(out, square, image.NewUniform(s.ink.shade(s.in.dress.Of(s.in.subject), v)), image.Point{}, draw.Src)
			}
		}
	}
}

func fillHatched(out *image.RGBA, r image.Rectangle, a, b color.NRGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := a
			if (x+y)&7 >= 5 {
				c = b
			}
			out.SetRGBA(x, y, color.RGBA{c.R, c.G, c.B, 0xff})
		}
	}
}

func frame(out *image.RGBA, r image.Rectangle, c color.NRGBA) {
	if r.Dx() < 4 || r.Dy() < 4 { // too small for a frame
		draw.Draw(out, r, image.NewUniform(mix(c, color.NRGBA{A: 0xff}, 0.4)), image.Point{}, draw.Src)
		return
	}
	in := r.Inset(1)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if !image.Pt(x, y).In(in) {
				out.SetRGBA(x, y, color.RGBA{c.R, c.G, c.B, 0xff})
			}
		}
	}
}
