package picture

import (
	"image"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"
)

// Held is a mask with nothing but the places where the subject is: without positions that have at most a tenth of the highest value,
// with which an area is filled up that is larger than the subject, and without islands that have less than a tenth of the largest one's
// sum.
func (g Grid) Held() Grid {
	out := Grid{g.Width, g.Height, make([]float32, len(g.Values))}
	if g.check() != nil {
		return g
	}
	least := slices.Max(g.Values) / 10
	seen := make([]bool, len(g.Values))
	var islands [][]int
	var sums []float32
	for start := range g.Values {
		if seen[start] || g.Values[start] <= least {
			continue
		}
		island, sum := []int{start}, float32(0)
		seen[start] = true
		for i := 0; i < len(island); i++ {
			x, y := island[i]%g.Width, island[i]/g.Width
			sum += g.Values[island[i]]
			for ny := max(y-1, 0); ny <= min(y+1, g.Height-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, g.Width-1); nx++ {
					if p := ny*g.Width + nx; !seen[p] && g.Values[p] > least {
						seen[p] = true
						island = append(island, p)
					}
				}
			}
		}
		islands, sums = append(islands, island), append(sums, sum)
	}
	for i, island := range islands {
		if sums[i] >= slices.Max(sums)/10 {
			for _, p := range island {
				out.Values[p] = g.Values[p]
			}
		}
	}
	return out
}

// Without is a mask without the positions that others of a list hold, all but the one at index self.
func (g Grid) Without(list []Grid, self int) Grid {
	out := Grid{g.Width, g.Height, slices.Clone(g.Values)}
	for j, other := range list {
		if j == self || len(other.Values) != len(out.Values) {
			continue
		}
		for p, v := range other.Values {
			if v > 0 {
				out.Values[p] = 0
			}
		}
	}
	return out
}

// Positions is a guidance mask as a picture of width × height pixels: 255 where it has a position, in whole cells, and 0 elsewhere.
// It is nil where the grid has no values.
func (g Grid) Positions(width, height int) *image.Gray {
	if g.check() != nil {
		return nil
	}
	out := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if g.Values[y*g.Height/height*g.Width+x*g.Width/width] > 0 {
				out.Pix[y*out.Stride+x] = 255
			}
		}
	}
	return out
}

// Rounded is Positions without corners, and soft: 255 in them, falling to 0 from their edge to half a cell outside. Where two cells meet
// at a corner alone it is a part of 255 on both sides of them. It is nil where the grid has no values.
func (g Grid) Rounded(width, height int) *image.Gray {
	if g.check() != nil {
		return nil
	}
	out := image.NewGray(image.Rect(0, 0, width, height))
	g.support().sample(window{width: width, height: height}, width, height, func(y int, values []float32) {
		for x, v := range values {
			out.Pix[y*out.Stride+x] = uint8(min(2*v, 1)*255 + 0.5)
		}
	})
	return out
}

// Bordered is a region that goes on to the border of the picture from where it is at least half white within reach pixels of it.
func Bordered(region *image.Gray, reach int) *image.Gray {
	w, h := region.Rect.Dx(), region.Rect.Dy()
	region = Grown(region, 0, 0) // of the stride of the copy
	out := Grown(region, 0, 0)
	// line fills the beginning of a line of n pixels from at on.
	line := func(at, step, n int) {
		for i := range min(reach+1, n) {
			if region.Pix[at+i*step] >= 128 {
				for j := range i {
					out.Pix[at+j*step] = 255
				}
				return
			}
		}
	}
	for y := range h {
		line(y*out.Stride, 1, w)
		line(y*out.Stride+w-1, -1, w)
	}
	for x := range w {
		line(x, out.Stride, h)
		line((h-1)*out.Stride+x, -out.Stride, h)
	}
	return out
}

// Grown is a region with a margin: 255 up to grow pixels around what is at least half white in it, then falling to 0 over feather
// pixels. Beyond that, and without a margin, it is the region itself.
func Grown(region *image.Gray, grow, feather int) *image.Gray {
	w, h := region.Rect.Dx(), region.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, w, h))
	if grow <= 0 && feather <= 0 {
		for y := range h {
			copy(out.Pix[y*out.Stride:], region.Pix[y*region.Stride:][:w])
		}
		return out
	}
	squares := distances(region)
	for y := range h {
		for x := range w {
			d := math.Sqrt(squares[y*w+x]) - float64(max(grow, 0))
			v := 0.0
			if d <= 0 {
				v = 255
			} else if d < float64(feather) {
				v = 255 * (1 - d/float64(feather))
			}
			out.Pix[y*out.Stride+x] = max(uint8(v+0.5), region.Pix[y*region.Stride+x])
		}
	}
	return out
}

// distances are the squares of the distances to the nearest pixel that is at least half white, in rows; infinite where there is none.
// Columns first, then rows, each in time linear in its length (Felzenszwalb and Huttenlocher, 2012).
func distances(region *image.Gray) []float64 {
	w, h := region.Rect.Dx(), region.Rect.Dy()
	out := make([]float64, w*h)
	line := make([]float64, max(w, h))
	for x := range w {
		for y := range h {
			line[y] = math.Inf(1)
			if region.Pix[y*region.Stride+x] >= 128 {
				line[y] = 0
			}
		}
		for y, d := range lowest(line[:h]) {
			out[y*w+x] = d
		}
	}
	for y := range h {
		copy(out[y*w:], lowest(out[y*w:][:w]))
	}
	return out
}

// lowest is min over i of f(i) + (p−i)² for every p: the lower envelope of parabolas.
func lowest(f []float64) []float64 {
	out := make([]float64, len(f))
	var at []int       // the parabolas of the envelope
	var from []float64 // where each begins
	for i, v := range f {
		if math.IsInf(v, 1) {
			continue
		}
		begin := math.Inf(-1)
		for len(at) > 0 {
			j := at[len(at)-1]
			begin = (v + float64(i*i) - f[j] - float64(j*j)) / float64(2*(i-j))
			if begin > from[len(from)-1] {
				break
			}
			at, from, begin = at[:len(at)-1], from[:len(from)-1], math.Inf(-1)
		}
		at, from = append(at, i), append(from, begin)
	}
	k := 0
	for p := range out {
		if len(at) == 0 {
			out[p] = math.Inf(1)
			continue
		}
		for k+1 < len(at) && from[k+1] < float64(p) {
			k++
		}
		out[p] = f[at[k]] + float64((p-at[k])*(p-at[k]))
	}
	return out
}

// Resized is a region at another size. One of that size stays as it is.
func Resized(region *image.Gray, width, height int) *image.Gray {
	if region.Rect.Size() == image.Pt(width, height) {
		return region
	}
	out := image.NewGray(image.Rect(0, 0, width, height))
	xdraw.BiLinear.Scale(out, out.Rect, region, region.Rect, xdraw.Src, nil)
	return out
}

// Compose is over where the region is white and under where it is black, mixed between. All three have one size. Where the region is 0
// every byte is that of under.
func Compose(over, under *image.RGBA, region *image.Gray) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, under.Rect.Dx(), under.Rect.Dy()))
	for y := range out.Rect.Dy() {
		a, b, to := over.Pix[y*over.Stride:], under.Pix[y*under.Stride:], out.Pix[y*out.Stride:][:4*out.Rect.Dx()]
		for i := range to {
			v := uint32(region.Pix[y*region.Stride+i/4])
			to[i] = uint8((uint32(a[i])*v + uint32(b[i])*(255-v) + 127) / 255)
		}
	}
	return out
}
