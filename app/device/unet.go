package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	noise "realword/inference/random"
	"realword/inference/tensor"
)

// unetPasses measures the kinds of U-Net pass alone, without opening an image encoder or a decoder: visual tokens are random numbers, and
// a mask covers the middle. loud are tokens for a model of random weights, which hardly sees others. Every pass runs by itself repeats
// times after two that do not count; what the first took is told as well, because it makes plans and takes memory. row is given the
// result of the last.
func unetPasses(ctx context.Context, rt inference.Runtime, b *bundle.Bundle, loud bool, repeats, size int,
	row func(pass string, seconds []float64, first float64, out []float32),
) (err error) {
	m := b.Manifest()
	graphs := inference.NewGraphs(rt, b)
	defer func() { err = errors.Join(err, graphs.Close()) }()
	began := time.Now()
	ids := make([][]int64, m.Text.Encoders)
	for i := range ids {
		ids[i] = b.Tokenizer(i).Encode("a dog on a beach").IDs
	}
	text, err := graphs.Text(ctx, ids)
	if err != nil {
		return err
	}
	defer text.KV.Close()
	see := func(subjects int) (inference.Vision, error) {
		n := m.Vision.Tokens
		tokens := tensor.Of(noise.Normal(uint64(subjects), subjects*n*m.Vision.Width), subjects, n, m.Vision.Width)
		bias := tensor.Zeros(subjects, n)
		for i := range tokens.F32 {
			if loud {
				tokens.F32[i] *= 40
			}
		}
		for i := n * 2 / 3; i < n && subjects > 1; i++ { // the last of several has fewer
			bias.F32[(subjects-1)*n+i] = -1e9
		}
		return graphs.VisionKV(ctx, tokens, bias)
	}
	var seen [3]inference.Vision
	for subjects := range seen {
		if subjects == 0 {
			seen[0], err = graphs.NoVision(ctx)
		} else {
			seen[subjects], err = see(subjects)
		}
		if err != nil {
			return err
		}
		defer seen[subjects].KV.Close()
	}
	if size == 0 {
		size = m.Size.Width
	}
	cells, side := size/m.Latent.Factor, float32(size)
	shape := []int{1, m.Latent.Channels, cells, cells}
	at := inference.Point{
		Latent: tensor.Of(noise.Normal(3, tensor.Count(shape)), shape...), Timestep: tensor.Of([]float32{901}, 1), Text: text,
		TimeIDs: tensor.Of([]float32{side, side, 0, 0, side, side}, 1, 6),
	}
	grid := cells / m.Grid
	middle, top := make([]float32, grid*grid), make([]float32, grid*grid)
	for i := range middle {
		if x, y := i%grid, i/grid; x >= grid/4 && x < grid*3/4 && y >= grid/4 && y < grid*3/4 {
			middle[i] = 1
		}
		if i < grid*grid/6 {
			top[i] = 0.5
		}
	}
	word := tensor.Zeros(1, 77)
	word.F32[2] = 1 // "dog"
	denoise := func(subjects int, masks ...[]float32) func() (*tensor.Tensor, error) {
		return func() (*tensor.Tensor, error) { return graphs.Noise(ctx, at, seen[subjects], masks) }
	}
	row("opening", []float64{time.Since(began).Seconds()}, 0, nil)
	for _, p := range []struct {
		name string
		run  func() (*tensor.Tensor, error)
	}{
		{"plain", denoise(0)},
		{"generation", denoise(1, middle)},
		{"generation, two subjects", denoise(2, middle, top)},
		{"guidance", func() (*tensor.Tensor, error) {
			_, scores, err := graphs.Guide(ctx, guidance.LowCrossHighSelf, guidance.ByMax, at, word, seen[0])
			return scores, err
		}},
	} {
		var took []float64
		var out *tensor.Tensor
		for range repeats + 2 {
			began := time.Now()
			if out, err = p.run(); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took = append(took, time.Since(began).Seconds())
		}
		row(p.name, took[2:], took[0], out.F32)
	}
	return nil
}

// unet prints the U-Net's passes of a device, and where it is asked for how far their results are from those of the processor, cpu.
func (t *table) unet(ctx context.Context, cpu, device inference.Runtime, provider string, b *bundle.Bundle, o options) error {
	want, loud := map[string][]float32{}, t.model != "toybox"
	if o.exact {
		err := unetPasses(ctx, cpu, b, loud, 0, o.size, func(pass string, _ []float64, _ float64, out []float32) { want[pass] = out })
		if err != nil {
			return err
		}
	}
	t.head()
	return unetPasses(ctx, device, b, loud, max(o.repeats, 1), o.size, func(pass string, seconds []float64, first float64, out []float32) {
		verdict := ""
		if out != nil {
			verdict = fmt.Sprintf("the first %.4f, the slowest %.4f", first, slices.Max(seconds))
		}
		if w := want[pass]; len(w) > 0 {
			var off, all float64
			for i, v := range out {
				d := float64(v) - float64(w[i])
				off, all = off+d*d, all+float64(w[i])*float64(w[i])
			}
			verdict += fmt.Sprintf(", off by %.1e", math.Sqrt(off/all))
		}
		t.row(pass, provider, slices.Min(seconds), verdict)
	})
}
