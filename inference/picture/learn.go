package picture

import (
	"image"
	"math"

	xdraw "golang.org/x/image/draw"

	"realword/inference/tensor"
)

// LearnColours finds the factors and the bias with which LatentPreview shows a latent [C H W] or [1 C H W] in the colours of the picture
// that it became, which may be small: for latents of a model that is not at hand. It is a linear fit of least squares, as those are
// that models come with. miss is the root of the mean square of what it misses, in 0..1, made larger by the freedom that so many factors
// have; ok is false where the picture does not follow the latent: it is another picture, or the latent has another shape.
func LearnColours(latent *tensor.Tensor, became image.Image) (factors [][3]float32, bias [3]float32, miss float64, ok bool) {
	c, h, w, ok := volume(latent)
	n, k := w*h, c+1
	if !ok || became == nil || became.Bounds().Empty() || n < 4*k {
		return nil, bias, 0, false
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	xdraw.BiLinear.Scale(small, small.Rect, became, became.Bounds(), xdraw.Src, nil)
	row := make([]float64, k+3) // channels, 1, colours in -1..1
	at := func(i int) {
		for j := range c {
			row[j] = float64(latent.F32[j*n+i])
		}
		row[c] = 1
		for q := range 3 {
			row[k+q] = float64(small.Pix[4*i+q])/127.5 - 1
		}
	}
	sums := make([][]float64, k) // the normal equations, with the three right-hand sides behind them
	for j := range sums {
		sums[j] = make([]float64, k+3)
	}
	var square float64
	for i := range n {
		at(i)
		for j := range sums {
			for l, v := range row {
				sums[j][l] += row[j] * v
			}
		}
		for _, v := range row[k:] {
			square += v * v
		}
	}
	for _, v := range sums[c][k:] {
		square -= v * v / float64(n)
	}
	for j := range c { // a channel that hardly varies in this picture says little in others of its steps
		sums[j][j] += 1e-3 * float64(n)
	}
	for j := range sums {
		pivot := sums[j][j]
		for l := range sums[j] {
			sums[j][l] /= pivot
		}
		for r := range sums {
			if by := sums[r][j]; r != j {
				for l := range sums[r] {
					sums[r][l] -= by * sums[j][l]
				}
			}
		}
	}
	var missed float64
	for i := range n {
		at(i)
		for q := range 3 {
			d := row[k+q]
			for j := range sums {
				d -= sums[j][k+q] * row[j]
			}
			missed += d * d
		}
	}
	factors = make([][3]float32, c)
	for q := range 3 {
		for j := range factors {
			factors[j][q] = float32(sums[j][k+q])
		}
		bias[q] = float32(sums[c][k+q])
	}
	missed *= float64(n) / float64(n-k)
	miss = math.Sqrt(missed/float64(3*n)) / 2
	return factors, bias, miss, missed <= 0.6*square || miss <= 0.03
}
