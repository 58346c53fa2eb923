package parity

import (
	"math"
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/prompt"
	"realword/inference/tensor"
)

// TestScoresOfAWalkEqualPyTorch holds the embedded model's scores against PyTorch's of the same weights (float32, timestep 500):
// cross-attention on its way through the self-attention of the mask blocks, as often as the config says, and of two words who has what.
func TestScoresOfAWalkEqualPyTorch(t *testing.T) {
	latent := make([]float32, 4*32*32)
	for i := range latent {
		x, y := float64(i%32-20), float64(i/32%32-14)
		latent[i] = float32(math.Sin(float64(i)*.37) + 1.5*math.Exp(-(x*x+y*y)/40))
	}
	cells := []int{0, 60, 119, 136, 255}
	type scores struct {
		token, at int       // of the word; of the highest score
		most      float64   // the highest score
		of        []float64 // it, at cells
	}
	for prompted, words := range map[string][]scores{
		"a dog in the snow": {{2, 122, 0.00432094, []float64{0.17195, 0.26207, 0.68733, 0.71046, 0.23572}}},
		"a dog and a cat in the snow": {
			{2, 148, 1.1872083, []float64{0.47211, 0.53612, 0.26670, 0.29726, 0.38380}},
			{5, 121, 1.6675225, []float64{0.04206, 0.11374, 0.79611, 0.80747, 0.17618}},
		},
	} {
		g, text, none := embedded(t, prompted)
		tokens := tensor.Zeros(len(words), prompt.Length)
		for i, w := range words {
			tokens.F32[i*prompt.Length+w.token] = 1
		}
		point := inference.Point{Latent: tensor.Of(latent, 1, 4, 32, 32), Timestep: tensor.Of([]float32{500}, 1), Text: text}
		_, all, err := g.Guide(t.Context(), guidance.LowCrossHighSelf, guidance.ByMax, point, tokens, none)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range words {
			got := all.F32[i*16*16 : (i+1)*16*16]
			most := slices.Max(got)
			if at := slices.Index(got, most); at != w.at || math.Abs(float64(most)/w.most-1) > 1e-4 {
				t.Errorf("%q, word %d: the highest score is %g at %d, PyTorch's %g at %d", prompted, i, most, at, w.most, w.at)
			}
			for k, want := range w.of {
				if share := float64(got[cells[k]] / most); math.Abs(share-want) > 1e-4 {
					t.Errorf("%q, word %d: score %d is %.5f of the highest, PyTorch's %.5f", prompted, i, cells[k], share, want)
				}
			}
		}
	}
}
