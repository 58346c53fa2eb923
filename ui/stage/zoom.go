package stage

import (
	"image"

	"realword/ui/kit"
)

// zoom is how large a picture is seen and which part of it. The zero zoom fits the picture into the stage.
type zoom struct {
	scale float32 // pixels of the screen per pixel of the picture; 0 fits
	x, y  float32 // what is in the middle, as shares of the picture; only read when scale is set
}

const leastZoom, mostZoom = 0.05, 32

// port is a picture as it lies in a room: its whole size and the part that is seen, in pixels of the screen.
type port struct {
	size image.Point
	part image.Rectangle
}

// port works out how a picture of natural pixels lies in a room of pixels of the screen.
func (z zoom) port(natural, room image.Point) port {
	if natural.X < 1 || natural.Y < 1 || room.X < 1 || room.Y < 1 {
		return port{}
	}
	scale, x, y := z.scale, z.x, z.y
	if scale == 0 {
		scale, x, y = fitting(natural, room), 0.5, 0.5
	}
	size := image.Pt(max(int(float32(natural.X)*scale+0.5), 1), max(int(float32(natural.Y)*scale+0.5), 1))
	if z.scale == 0 { // not a pixel more than there is
		size = image.Pt(min(size.X, room.X), min(size.Y, room.Y))
	}
	begin := func(share float32, size, room int) (from, to int) {
		seen := min(size, room)
		from = min(max(int(share*float32(size)+0.5)-seen/2, 0), size-seen)
		return from, from + seen
	}
	x0, x1 := begin(x, size.X, room.X)
	y0, y1 := begin(y, size.Y, room.Y)
	return port{size, image.Rect(x0, y0, x1, y1)}
}

// fitting is the scale at which a picture fills a room.
func fitting(natural, room image.Point) float32 {
	return min(float32(room.X)/float32(natural.X), float32(room.Y)/float32(natural.Y))
}

// by is the zoom after the picture was enlarged by a factor; what is at (x, y), in shares of the seen part, stays there.
func (z zoom) by(factor, x, y float32, natural, room image.Point) zoom {
	p := z.port(natural, room)
	if p.part.Empty() {
		return z
	}
	old := z.scale
	if old == 0 {
		old = fitting(natural, room)
	}
	// The place under the pointer, as a share of the picture.
	px := (float32(p.part.Min.X) + x*float32(p.part.Dx())) / float32(p.size.X)
	py := (float32(p.part.Min.Y) + y*float32(p.part.Dy())) / float32(p.size.Y)
	scale := min(max(old*factor, leastZoom), mostZoom)
	if factor < 1 && scale <= min(fitting(natural, room), 1)*1.001 { // smaller than that makes no sense
		return zoom{}
	}
	size := [2]float32{float32(natural.X) * scale, float32(natural.Y) * scale}
	seen := [2]float32{min(size[0], float32(room.X)), min(size[1], float32(room.Y))}
	return zoom{scale, px + (0.5-x)*seen[0]/size[0], py + (0.5-y)*seen[1]/size[1]}.inside(natural, room)
}

// move is the zoom after the picture was dragged by pixels of the screen.
func (z zoom) move(dx, dy float32, natural, room image.Point) zoom {
	p := z.port(natural, room)
	if z.scale == 0 || p.part.Empty() {
		return z
	}
	z.x -= dx / float32(p.size.X)
	z.y -= dy / float32(p.size.Y)
	return z.inside(natural, room)
}

// inside keeps the middle where a whole room of picture is around it.
func (z zoom) inside(natural, room image.Point) zoom {
	keep := func(share float32, natural, room int) float32 {
		half := min(float32(room)/(float32(natural)*z.scale), 1) / 2
		return min(max(share, half), 1-half)
	}
	z.x, z.y = keep(z.x, natural.X, room.X), keep(z.y, natural.Y, room.Y)
	return z
}

// room is the space of the stage in pixels of the screen.
func (s *pane) room() image.Point {
	const margin = 6
	scale := s.density()
	inner := s.Size().SubtractWidthHeight(2*margin, 2*margin)
	return image.Pt(int(inner.Width*scale+0.5), int(inner.Height*scale+0.5))
}

// density is the pixels of a unit.
func (s *pane) density() float32 { return kit.Density(s) }
