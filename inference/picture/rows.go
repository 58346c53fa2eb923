package picture

import (
	"context"
	"image"
	"image/color"

	"github.com/kovidgoyal/imaging/nrgb"

	"realword/inference/colour"
)

// rows is a picture that is read line by line.
type rows struct {
	width, height int
	channels      int  // that say the colour: 1 (grey), 3, or 4 (CMYK)
	alpha         bool // the fourth value is opacity
	scattered     bool // lines come in passes, not from top to bottom

	// read hands every line to put, as four values of 16 bits for each pixel: its colour, not premultiplied, and its opacity; grey is
	// there three times. The pixels of a line are x, x+step, x+2·step and so on. What was handed over before an error stays valid.
	read func(put func(y, x, step int, line []uint16)) error
}

// factor is the smallest whole number by which a picture is scaled down to keep within a number of pixels.
func factor(width, height int, most int64) int {
	k := 1
	for int64((width+k-1)/k)*int64((height+k-1)/k) > most {
		k++
	}
	return k
}

// grey is what stands for pixels that a damaged file has lost.
const grey = 128

// reducer makes the picture of lines: it averages squares of k × k pixels, weighted by their opacity, and converts their colours.
type reducer struct {
	rows
	k     int
	space *colour.Space
	out   *image.NRGBA
	sums  []uint64 // per pixel of a line of out, or of all of them if the lines are scattered: four values and how many were added
	line  []uint16
	bytes []uint8
	next  int // the line of out that comes next
}

// render reads the lines into a picture of at most most pixels. With an error of reading it returns what was there before, and how many
// lines of the picture are there (all, where lines come in passes).
func (r rows) render(ctx context.Context, k int, space *colour.Space) (img *image.NRGBA, lines int, err error) {
	w, h := (r.width+k-1)/k, (r.height+k-1)/k
	d := reducer{rows: r, k: k, space: space, out: image.NewNRGBA(image.Rect(0, 0, w, h))}
	if d.line = make([]uint16, 4*w); k > 1 {
		d.sums = make([]uint64, 5*w)
		if r.scattered {
			d.sums = make([]uint64, 5*w*h)
		}
	}
	d.bytes = make([]uint8, 4*w)
	err = r.read(d.put)
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	switch {
	case r.scattered && k > 1:
		for y := range h {
			d.flush(y, d.sums[5*w*y:][:5*w])
		}
		d.next = h
	case r.scattered:
		d.next = h
	case k > 1 && d.next < h && d.sums[4] > 0: // a file that ends within a square
		d.flush(d.next, d.sums)
		d.next++
	}
	lines = d.next
	for y := lines; y < h; y++ {
		for i := 0; i < 4*w; i += 4 {
			copy(d.out.Pix[y*d.out.Stride+i:], []uint8{grey, grey, grey, 255})
		}
	}
	return d.out, lines, err
}

func (d *reducer) put(y, x, step int, line []uint16) {
	if d.k == 1 {
		to := d.out.Pix[y*d.out.Stride:][:d.out.Stride]
		if step == 1 && x == 0 {
			d.convert(to, line)
			d.next = y + 1
			return
		}
		d.convert(d.bytes, line)
		for i := 0; i < len(line); i += 4 {
			copy(to[4*x:4*x+4], d.bytes[i:])
			x += step
		}
		return
	}
	sums := d.sums
	if d.scattered {
		sums = sums[5*d.out.Rect.Dx()*(y/d.k):]
	}
	if step == 1 && !d.alpha {
		for from := 0; from < len(line); from += 4 * d.k {
			part := line[from:min(from+4*d.k, len(line))]
			s := sums[5*(from/(4*d.k)):][:5]
			var a, b, c, e uint64
			for i := 0; i+3 < len(part); i += 4 {
				a += uint64(part[i])
				b += uint64(part[i+1])
				c += uint64(part[i+2])
				e += uint64(part[i+3])
			}
			s[0] += a
			s[1] += b
			s[2] += c
			s[3] += e
			s[4] += uint64(len(part) / 4)
		}
	} else {
		for i := 0; i+3 < len(line); i += 4 {
			s := sums[5*(x/d.k):][:5]
			weight := uint64(1)
			if d.alpha {
				weight = uint64(line[i+3])
			}
			s[0] += uint64(line[i]) * weight
			s[1] += uint64(line[i+1]) * weight
			s[2] += uint64(line[i+2]) * weight
			s[3] += uint64(line[i+3])
			s[4]++
			x += step
		}
	}
	if !d.scattered && (y%d.k == d.k-1 || y == d.height-1) {
		d.flush(y/d.k, d.sums)
		clear(d.sums)
		d.next = y/d.k + 1
	}
}

// flush writes a line of averages.
func (d *reducer) flush(y int, sums []uint64) {
	for i := range d.out.Rect.Dx() {
		s, to := sums[5*i:][:5], d.line[4*i:][:4]
		weight := s[4]
		if d.alpha {
			weight = s[3]
		}
		for c := range 3 {
			to[c] = uint16((s[c] + weight/2) / max(weight, 1))
		}
		to[3] = uint16((s[3] + s[4]/2) / max(s[4], 1))
		if s[4] == 0 {
			to[0], to[1], to[2], to[3] = grey*257, grey*257, grey*257, 65535
		}
	}
	d.convert(d.out.Pix[y*d.out.Stride:][:d.out.Stride], d.line)
}

// convert makes bytes of a line's values.
func (d *reducer) convert(to []uint8, line []uint16) {
	switch {
	case d.channels == 4 && d.space == nil:
		for i := 0; i+3 < len(line); i += 4 {
			to[i], to[i+1], to[i+2] = color.CMYKToRGB(uint8(line[i]>>8), uint8(line[i+1]>>8), uint8(line[i+2]>>8), uint8(line[i+3]>>8))
			to[i+3] = 255
		}
		return
	case d.space == nil && d.k == 1: // 16 bits lose their low byte
		for i := 0; i+3 < len(line); i += 4 {
			to[i], to[i+1], to[i+2], to[i+3] = uint8(line[i]>>8), uint8(line[i+1]>>8), uint8(line[i+2]>>8), uint8(line[i+3]>>8)
		}
		return
	}
	d.space.Convert(to, line)
	for i := 3; i < len(line); i += 4 {
		to[i] = 255
		if d.alpha {
			to[i] = uint8(line[i] >> 8)
		}
	}
}

// rowsOf reads the lines of a picture that is in memory.
func rowsOf(ctx context.Context, img image.Image) rows {
	b := img.Bounds()
	r := rows{width: b.Dx(), height: b.Dy(), channels: 3, alpha: true}
	var line func(y int, to []uint16)
	set := func(to []uint16, r, g, b, a uint8) {
		to[0], to[1], to[2], to[3] = uint16(r)*257, uint16(g)*257, uint16(b)*257, uint16(a)*257
	}
	switch m := img.(type) {
	case *image.YCbCr:
		r.alpha = false
		line = func(y int, to []uint16) {
			for x := range r.width {
				c, at := m.COffset(b.Min.X+x, y), m.YOffset(b.Min.X+x, y)
				red, green, blue := color.YCbCrToRGB(m.Y[at], m.Cb[c], m.Cr[c])
				set(to[4*x:4*x+4], red, green, blue, 255)
			}
		}
	case *image.Gray:
		r.alpha, r.channels = false, 1
		line = func(y int, to []uint16) {
			for x, v := range m.Pix[m.PixOffset(b.Min.X, y):][:r.width] {
				set(to[4*x:4*x+4], v, v, v, 255)
			}
		}
	case *image.CMYK:
		r.alpha, r.channels = false, 4
		line = func(y int, to []uint16) {
			for i, v := range m.Pix[m.PixOffset(b.Min.X, y):][:4*r.width] {
				to[i] = uint16(v) * 257
			}
		}
	case *nrgb.Image:
		r.alpha = false
		line = func(y int, to []uint16) {
			from := m.Pix[m.PixOffset(b.Min.X, y):][:3*r.width]
			for x := range r.width {
				set(to[4*x:4*x+4], from[3*x], from[3*x+1], from[3*x+2], 255)
			}
		}
	case *image.NRGBA:
		line = func(y int, to []uint16) {
			for i, v := range m.Pix[m.PixOffset(b.Min.X, y):][:4*r.width] {
				to[i] = uint16(v) * 257
			}
		}
	case *image.RGBA:
		if !m.Opaque() {
			break
		}
		r.alpha = false
		line = func(y int, to []uint16) {
			for i, v := range m.Pix[m.PixOffset(b.Min.X, y):][:4*r.width] {
				to[i] = uint16(v) * 257
			}
		}
	case *image.Paletted:
		var colours [256]color.NRGBA // indices beyond the palette are clear
		for i, c := range m.Palette {
			colours[i&255] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		line = func(y int, to []uint16) {
			for x, v := range m.Pix[m.PixOffset(b.Min.X, y):][:r.width] {
				c := colours[v]
				set(to[4*x:4*x+4], c.R, c.G, c.B, c.A)
			}
		}
	}
	if line == nil {
		line = func(y int, to []uint16) {
			for x := range r.width {
				c := color.NRGBAModel.Convert(img.At(b.Min.X+x, y)).(color.NRGBA)
				set(to[4*x:4*x+4], c.R, c.G, c.B, c.A)
			}
		}
	}
	r.read = func(put func(y, x, step int, line []uint16)) error {
		buffer := make([]uint16, 4*r.width)
		for y := range r.height {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			line(b.Min.Y+y, buffer)
			put(y, 0, 1, buffer)
		}
		return nil
	}
	return r
}
