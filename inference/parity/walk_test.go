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

// TestScoresOfAWalkEqualPyTorch holds the embedded model's scores against PyTorch's of the same weights (float32, "a dog in the snow",
// timestep 500): cross-attention on its way through the self-attention of the mask blocks, as often as the config says.
func TestScoresOfAWalkEqualPyTorch(t *testing.T) {
	g, text, none := embedded(t, "a dog in the snow")
	latent := make([]float32, 4*32*32)
	for i := range latent {
		x, y := float64(i%32-20), float64(i/32%32-14)
		latent[i] = float32(math.Sin(float64(i)*.37) + 1.5*math.Exp(-(x*x+y*y)/40))
	}
	word := tensor.Zeros(1, prompt.Length)
	word.F32[2] = 1
	point := inference.Point{Latent: tensor.Of(latent, 1, 4, 32, 32), Timestep: tensor.Of([]float32{500}, 1), Text: text}
	_, scores, err := g.Guide(t.Context(), guidance.LowCrossHighSelf, guidance.ByMax, point, word, none)
	if err != nil {
		t.Fatal(err)
	}
	most := slices.Max(scores.F32)
	if at := slices.Index(scores.F32, most); at != 122 || math.Abs(float64(most)/0.00432094-1) > 1e-4 {
		t.Errorf("the highest score is %g at %d, PyTorch's 0.00432094 at 122", most, at)
	}
	for i, want := range map[int]float64{0: 0.17195, 60: 0.26207, 119: 0.68733, 136: 0.71046, 255: 0.23572} {
		if got := float64(scores.F32[i] / most); math.Abs(got-want) > 1e-4 {
			t.Errorf("score %d is %.5f of the highest, PyTorch's %.5f", i, got, want)
		}
	}
}
