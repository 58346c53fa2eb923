package stage

import (
	"image"
	"image/color"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/state"
)

// run16 is a run of n steps of the embedded model's sizes with one subject.
func run16(n int) []inference.StepDone {
	var film []inference.StepDone
	for i := range n {
		preview := image.NewRGBA(image.Rect(0, 0, 16, 16))
		mask := make([]float32, 64)
		for j := range preview.Pix {
			preview.Pix[j] = uint8(37*j + 11*i)
		}
		for j := range mask {
			if (j+i)%5 == 0 {
				mask[j] = float32(j) / 64
			}
		}
		film = append(film, inference.StepDone{
			Step: i, Steps: n, Guided: i < n/2, Preview: preview, GridWidth: 8, GridHeight: 8,
			Subjects: []inference.SubjectStep{{Mask: mask}},
		})
	}
	return film
}

// BenchmarkStep is what a step of the embedded model costs in painting: the stage and the film, as large as in the window.
func BenchmarkStep(b *testing.B) {
	const steps = 25
	film := run16(steps)
	b.Run("stage", func(b *testing.B) {
		for i := range b.N {
			s := whole(film[i%steps].Preview, 394, 394)
			s.masks = []picture.Layer{{Grid: picture.Grid{Width: 8, Height: 8, Values: film[i%steps].Subjects[0].Mask}, Style: picture.SubjectStyle(0)}}
			s.mode, s.opacity = picture.Tint, 0.45
			s.paint()
		}
	})
	b.Run("film", func(b *testing.B) {
		for i := range b.N {
			n := i%steps + 1
			f := filmScene{steps: film[:n], places: steps, subjects: 1, settling: state.Settled(film[:n]), width: 588, scale: 1, empty: color.Black, faint: color.White, alarm: color.White}
			f.paint()
		}
	})
}

// BenchmarkBrush is what a movement of the brush costs on the stage: a mask of 1024 × 1024 and the masks of two subjects, painted over a
// picture of that size, pixel by pixel. The picture below is enlarged once.
func BenchmarkBrush(b *testing.B) {
	base := image.NewNRGBA(image.Rect(0, 0, 1024, 1024))
	for i := range base.Pix {
		base.Pix[i] = uint8(i*7 | 3)
	}
	var layers []picture.Layer
	for j := range 2 {
		g := picture.Grid{Width: 64, Height: 64, Values: make([]float32, 4096)}
		for p := range g.Values {
			if x, y := p%64, p/64; x/32 == j && y > 10 && y < 50 {
				g.Values[p] = float32(x%32) / 32
			}
		}
		layers = append(layers, picture.Layer{Grid: g, Style: picture.SubjectStyle(j)})
	}
	mask := image.NewGray(base.Rect)
	for i := range mask.Pix {
		mask.Pix[i] = uint8(i / 1024 / 4)
	}
	var coat undercoat
	for b.Loop() {
		s := whole(base, 1024, 1024)
		s.veil, s.masks, s.mode, s.opacity = Veil{Mask: mask}, layers, picture.Tint, 0.45
		coat.under(s).paint()
	}
}
