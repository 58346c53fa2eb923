package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"

	"github.com/disintegration/imaging"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Fit is a way to make a square of a picture.
type Fit string

const (
	Pad     Fit = "pad"     // the whole box, centred on the background; the default
	Crop    Fit = "crop"    // the largest centred square of the box
	Stretch Fit = "stretch" // the released way: the box pulled to a square, bilinear without antialiasing
)

// DefaultBackground is a light neutral grey. White would melt into studio pictures and burn out the views' edges, black is what
// the release gives the unconditional pass.
const DefaultBackground = "#d0d0d0"

// Box is a part of a picture as fractions of its width and height, 0 at the left and top. The zero Box is the whole picture.
type Box struct {
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Right  float64 `json:"right"`
	Bottom float64 `json:"bottom"`
}

// Square says how a reference picture becomes the square that the encoders see: first the box is cut out, then fitted.
// The zero Square pads the whole picture. As JSON it belongs to a recipe.
type Square struct {
	Fit        Fit    `json:"fit,omitempty"`
	Background string `json:"background,omitempty"` // #rrggbb, behind padding and transparency
	Crop       Box    `json:"crop,omitzero"`
}

// Validate says what is wrong with the square, without a picture.
func (s Square) Validate() error {
	_, err := s.complete()
	return err
}

type completeSquare struct {
	fit        Fit
	background color.NRGBA
	box        Box
}

func (s Square) complete() (completeSquare, error) {
	c := completeSquare{fit: s.Fit, box: s.Crop}
	switch c.fit {
	case Pad, Crop, Stretch:
	case "":
		c.fit = Pad
	default:
		return c, fmt.Errorf("a picture cannot be fitted by %q; use pad, crop or stretch", s.Fit)
	}
	if s.Background == "" {
		s.Background = DefaultBackground
	}
	rgb, err := strconv.ParseUint(s.Background[1:], 16, 32)
	if err != nil || len(s.Background) != 7 || s.Background[0] != '#' {
		return c, fmt.Errorf("the background %q is not a colour; write it as #rrggbb, for example %s", s.Background, DefaultBackground)
	}
	c.background = color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255}
	if c.box == (Box{}) {
		c.box = Box{Right: 1, Bottom: 1}
	}
	// Written so that NaN fails.
	if b := c.box; !(0 <= b.Left && b.Left < b.Right && b.Right <= 1 && 0 <= b.Top && b.Top < b.Bottom && b.Bottom <= 1) {
		return c, fmt.Errorf("the crop box %g %g %g %g is not inside the picture; give left < right and top < bottom between 0 and 1",
			b.Left, b.Top, b.Right, b.Bottom)
	}
	return c, nil
}

// pixels is the box on a picture, at least one pixel.
func (b Box) pixels(r image.Rectangle) image.Rectangle {
	side := func(lo, hi float64, n int) (int, int) {
		from := min(int(math.Round(lo*float64(n))), n-1)
		return from, max(from+1, int(math.Round(hi*float64(n))))
	}
	x0, x1 := side(b.Left, b.Right, r.Dx())
	y0, y1 := side(b.Top, b.Bottom, r.Dy())
	return image.Rect(x0, y0, x1, y1).Add(r.Min)
}

// Prepare makes the size × size square of a picture: as the encoders see it (opaque, truncated to 8 bits) to be shown, and as a
// tensor [3 size size] in 0..1. Pad and crop shrink with a Lanczos filter and enlarge bilinearly, with 8-bit results; stretch
// keeps the fractions of the bilinear resize, as the release does.
func Prepare(img image.Image, square Square, size int) (*image.RGBA, *tensor.Tensor, error) {
	s, err := square.complete()
	if err != nil {
		return nil, nil, err
	}
	if size < 1 || size > 4096 {
		return nil, nil, fmt.Errorf("a reference square of %d pixels cannot be made; use 1 to 4096", size)
	}
	if img == nil || img.Bounds().Empty() {
		return nil, nil, FormatError{message.New("the picture has no pixels, so there is nothing to see; choose another")}
	}
	box := s.box.pixels(img.Bounds())
	if s.fit == Crop {
		side := min(box.Dx(), box.Dy())
		at := box.Min.Add(image.Pt((box.Dx()-side)/2, (box.Dy()-side)/2))
		box = image.Rectangle{at, at.Add(image.Pt(side, side))}
	}
	var part *image.NRGBA
	if whole, ok := img.(*image.NRGBA); ok {
		part = whole.SubImage(box).(*image.NRGBA) // only read
	} else {
		part = imaging.Crop(img, box)
	}
	if s.fit == Stretch {
		xs, ys := taps(part.Rect.Dx(), size, false), taps(part.Rect.Dy(), size, false)
		x := bilinear(planes(composite(only(part, xs, ys), s.background)), xs, ys)
		out, err := ToImage(x, Unit)
		return out, x, err
	}

	long := float64(max(part.Rect.Dx(), part.Rect.Dy()))
	w := max(1, int(math.Round(float64(part.Rect.Dx()*size)/long)))
	h := max(1, int(math.Round(float64(part.Rect.Dy()*size)/long)))
	filter := imaging.Linear
	if long > float64(size) {
		filter = imaging.Lanczos
	}
	inner := composite(imaging.Resize(part, w, h, filter), s.background)
	out := image.NewRGBA(image.Rect(0, 0, size, size))
	fill(out, s.background)
	for y := range h {
		copy(out.Pix[out.PixOffset((size-w)/2, (size-h)/2+y):], inner.Pix[y*inner.Stride:][:4*w])
	}
	return out, planes(out), nil
}

// Fill is a picture of width × height pixels, opaque: scaled until it covers them, its middle cut out, transparency on
// DefaultBackground. A picture of that size stays as it is.
func Fill(img *image.NRGBA, width, height int) *image.RGBA {
	s, _ := Square{}.complete() // the zero square is valid
	return composite(imaging.Fill(img, width, height, imaging.Center, imaging.Lanczos), s.background)
}

// SmallSide is the side of Small in pixels.
const SmallSide = 64

// Small is the square of a picture as a small PNG file: enough for people to tell it from others when its file is gone. The same
// picture and square give the same bytes.
func Small(img image.Image, square Square) ([]byte, error) {
	small, _, err := Prepare(img, square, SmallSide)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, small)
	return b.Bytes(), err
}

// composite lays a picture on a background.
func composite(img *image.NRGBA, background color.NRGBA) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
	over := func(c, b uint8, a uint32) uint8 { return uint8((uint32(c)*a + uint32(b)*(255-a) + 127) / 255) }
	for y := range img.Rect.Dy() {
		from, to := img.Pix[y*img.Stride:], out.Pix[y*out.Stride:]
		for i := 0; i < 4*img.Rect.Dx(); i += 4 {
			a := uint32(from[i+3])
			to[i] = over(from[i], background.R, a)
			to[i+1] = over(from[i+1], background.G, a)
			to[i+2] = over(from[i+2], background.B, a)
			to[i+3] = 255
		}
	}
	return out
}

func fill(img *image.RGBA, c color.NRGBA) {
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, 255
	}
}

// planes is an opaque picture as a tensor [3 H W] in 0..1.
func planes(img *image.RGBA) *tensor.Tensor {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	t := tensor.Zeros(3, h, w)
	for y := range h {
		row := img.Pix[y*img.Stride:]
		for x := range w {
			for c := range 3 {
				t.F32[(c*h+y)*w+x] = float32(row[4*x+c]) / 255
			}
		}
	}
	return t
}

// Views cuts the five pictures that the encoders look at out of a reference square [3 2V 2V] in 0..1: the global view (the
// square resized to V × V, bilinear with align_corners) and the four local views view(i,j)[y,x] = square[2y+i, 2x+j] in the order
// (0,0) (0,1) (1,0) (1,1). The result [5 3 V V] holds whole 255ths: every view is truncated to 8 bits, as the release does.
func Views(square *tensor.Tensor) (*tensor.Tensor, error) {
	if square == nil || len(square.Shape) != 3 || square.Shape[0] != 3 || square.Shape[1] != square.Shape[2] ||
		square.Shape[1] < 2 || square.Shape[1]%2 != 0 || len(square.F32) != tensor.Count(square.Shape) {
		return nil, fmt.Errorf("views need a float square [3 2V 2V], not %s; make it with Prepare at an even size", shapeOf(square))
	}
	n := square.Shape[1]
	v := n / 2
	out := tensor.Zeros(5, 3, v, v)
	copy(out.F32, resizeBilinear(square, v, v, true).F32)
	at := 3 * v * v
	for view := range 4 {
		for c := range 3 {
			for y := range v {
				row := square.F32[(c*n+2*y+view/2)*n+view%2:]
				for x := range v {
					out.F32[at] = row[2*x]
					at++
				}
			}
		}
	}
	for i, x := range out.F32 {
		out.F32[i] = float32(truncate(x)) / 255
	}
	return out, nil
}

func shapeOf(t *tensor.Tensor) string {
	if t == nil {
		return "nothing"
	}
	return fmt.Sprintf("%v of %v", t.Shape, t.DType)
}

// truncate is floor(255·clamp(x, 0, 1)); NaN becomes 0.
func truncate(x float32) uint8 {
	switch {
	case x >= 1:
		return 255
	case x > 0:
		return uint8(x * 255)
	}
	return 0
}

// tap is a position between two samples: the value there is (1-f)·a[i0] + f·a[i1].
type tap struct {
	i0, i1 int
	f0, f1 float32
}

// taps are the source positions of a bilinear resize along one axis, with PyTorch's two meanings of a pixel's place.
func taps(in, out int, alignCorners bool) []tap {
	t := make([]tap, out)
	for d := range t {
		var src float32
		if alignCorners {
			if out > 1 {
				src = float32(float32(in-1)/float32(out-1)) * float32(d)
			}
		} else {
			// PyTorch's build fuses this multiplication and subtraction; a double holds the product exactly.
			src = float32(max(0, float64(float32(in)/float32(out))*(float64(d)+0.5)-0.5))
		}
		i := min(int(src), in-1)
		f := min(max(src-float32(i), 0), 1)
		t[d] = tap{i, min(i+1, in-1), 1 - f, f}
	}
	return t
}

// resizeBilinear is torch.nn.functional.interpolate(mode="bilinear", antialias=False) of a tensor [C H W] as PyTorch 2 computes it on
// processors with fused multiply-add: the four neighbours with the products of their weights, the upper right one first. Doubles hold
// products of floats exactly, so that this is the same on every processor.
func resizeBilinear(in *tensor.Tensor, w, h int, alignCorners bool) *tensor.Tensor {
	return bilinear(in, taps(in.Shape[2], w, alignCorners), taps(in.Shape[1], h, alignCorners))
}

// only is a picture of the columns and lines that the positions touch, which are changed to point into it: of a large picture a bilinear
// resize without antialiasing sees few.
func only(img *image.NRGBA, xs, ys []tap) *image.NRGBA {
	columns, lines := touched(xs), touched(ys)
	out := image.NewNRGBA(image.Rect(0, 0, len(columns), len(lines)))
	for y, from := range lines {
		line := img.Pix[from*img.Stride:]
		for x, from := range columns {
			copy(out.Pix[y*out.Stride+4*x:][:4], line[4*from:])
		}
	}
	return out
}

// touched lists the samples that positions lie between, in order, and changes the positions to places in that list.
func touched(list []tap) (samples []int) {
	for i := range list {
		for _, at := range []*int{&list[i].i0, &list[i].i1} { // they never go back by more than one
			n := len(samples)
			for n > 0 && samples[n-1] > *at {
				n--
			}
			if n == 0 || samples[n-1] != *at {
				samples = append(samples, *at)
				n = len(samples)
			}
			*at = n - 1
		}
	}
	return samples
}

// bilinear resizes with positions along both axes.
func bilinear(in *tensor.Tensor, xs, ys []tap) *tensor.Tensor {
	c, ih, iw := in.Shape[0], in.Shape[1], in.Shape[2]
	out := tensor.Zeros(c, len(ys), len(xs))
	fused := func(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }
	at := 0
	for p := range c {
		plane := in.F32[p*ih*iw:][:ih*iw]
		for _, y := range ys {
			r0, r1 := plane[y.i0*iw:][:iw], plane[y.i1*iw:][:iw]
			for _, x := range xs {
				v := fused(float32(y.f0*x.f0), r0[x.i0], float32(float32(y.f0*x.f1)*r0[x.i1]))
				v = fused(float32(y.f1*x.f0), r1[x.i0], v)
				out.F32[at] = fused(float32(y.f1*x.f1), r1[x.i1], v)
				at++
			}
		}
	}
	return out
}
