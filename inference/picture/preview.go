package picture

import (
	"fmt"
	"image"

	"realword/inference/tensor"
)

// Range says what the numbers of a picture tensor mean.
type Range int

const (
	Signed Range = iota // -1..1, as decoders put it out
	Unit                // 0..1, as Prepare puts it out
)

// ToImage makes an opaque 8-bit picture of a tensor [3 H W] or [1 3 H W]. Values are clamped, then truncated:
// floor(255·clamp(x/2+½)) for Signed. NaN becomes black.
func ToImage(t *tensor.Tensor, r Range) (*image.RGBA, error) {
	c, h, w, ok := volume(t)
	if !ok || c != 3 {
		return nil, fmt.Errorf("a picture is a float tensor [3 H W] or [1 3 H W], not %s", shapeOf(t))
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	scale, shift := float32(1), float32(0)
	if r == Signed {
		scale, shift = 0.5, 0.5
	}
	n := w * h
	for i := range n {
		p := img.Pix[4*i:][:4]
		p[0] = truncate(float32(t.F32[i]*scale) + shift)
		p[1] = truncate(float32(t.F32[n+i]*scale) + shift)
		p[2] = truncate(float32(t.F32[2*n+i]*scale) + shift)
		p[3] = 255
	}
	return img, nil
}

// FromImage is the way back to what encoders read: an opaque picture as a tensor [1 3 H W] in -1..1.
func FromImage(img *image.RGBA) *tensor.Tensor {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	t := tensor.Zeros(1, 3, h, w)
	for y := range h {
		row := img.Pix[y*img.Stride:]
		for x := range w {
			for c := range 3 {
				t.F32[(c*h+y)*w+x] = float32(row[4*x+c])/127.5 - 1
			}
		}
	}
	return t
}

// volume is the shape of a float tensor [C H W] or [1 C H W] that has pixels.
func volume(t *tensor.Tensor) (c, h, w int, ok bool) {
	if t == nil {
		return 0, 0, 0, false
	}
	shape := t.Shape
	if len(shape) == 4 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != 3 || shape[0] < 1 || shape[1] < 1 || shape[2] < 1 || len(t.F32) != tensor.Count(shape) {
		return 0, 0, 0, false
	}
	return shape[0], shape[1], shape[2], true
}

// LatentPreview maps a latent [C H W] or [1 C H W], scaled as for the U-Net, to a picture of the latent's size:
// rgb = (factorsᵀ·x + bias + 1)/2. There is one row of factors (red, green, blue) per latent channel; they come with the model.
// The predicted clean latent x₀ previews better than the noisy one.
func LatentPreview(latent *tensor.Tensor, factors [][3]float32, bias [3]float32) (*image.RGBA, error) {
	c, h, w, ok := volume(latent)
	if !ok || c != len(factors) {
		return nil, fmt.Errorf("a preview with %d rows of factors needs a float latent [%[1]d H W], not %s", len(factors), shapeOf(latent))
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	n := w * h
	rows := make([]previewRow, c)
	for k, f := range factors {
		rows[k] = previewRow{latent.F32[k*n:][:n], f[0] / 2, f[1] / 2, f[2] / 2}
	}
	r0, g0, b0 := bias[0]/2+0.5, bias[1]/2+0.5, bias[2]/2+0.5
	for i := range n {
		r, g, b := r0, g0, b0
		for k := range rows {
			row := &rows[k]
			x := row.x[i]
			r += x * row.r
			g += x * row.g
			b += x * row.b
		}
		p := img.Pix[4*i:][:4]
		p[0], p[1], p[2], p[3] = truncate(r), truncate(g), truncate(b), 255
	}
	return img, nil
}

// previewRow is a latent channel with its share of the colours.
type previewRow struct {
	x       []float32
	r, g, b float32
}

// Upscale resizes an opaque picture for the screen, bilinearly or (smooth false) by nearest neighbour. It is made for previews and
// never antialiases; it returns nil when either size is not positive.
func Upscale(img *image.RGBA, w, h int, smooth bool) *image.RGBA {
	iw, ih := img.Rect.Dx(), img.Rect.Dy()
	if w < 1 || h < 1 || iw < 1 || ih < 1 {
		return nil
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if !smooth {
		for y := range h {
			from, to := img.Pix[y*ih/h*img.Stride:], out.Pix[y*out.Stride:]
			for x := range w {
				copy(to[4*x:4*x+4], from[x*iw/w*4:])
			}
		}
		return out
	}
	const one = 1 << 8 // fixed-point weights
	xs := taps(iw, w, false)
	for y, ty := range taps(ih, h, false) {
		r0, r1, to := img.Pix[ty.i0*img.Stride:], img.Pix[ty.i1*img.Stride:], out.Pix[y*out.Stride:]
		fy := uint32(ty.f1 * one)
		for x, tx := range xs {
			a, b, fx := 4*tx.i0, 4*tx.i1, uint32(tx.f1*one)
			for c := range 3 {
				top := uint32(r0[a+c])*(one-fx) + uint32(r0[b+c])*fx
				bottom := uint32(r1[a+c])*(one-fx) + uint32(r1[b+c])*fx
				to[4*x+c] = uint8((top*(one-fy) + bottom*fy + one*one/2) >> 16)
			}
			to[4*x+3] = 255
		}
	}
	return out
}
