package parity

import (
	"math"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/ort/orttest"
	"realword/inference/tensor"
)

// TestPerturbedAttentionEqualsPyTorch holds passes of the embedded model against PyTorch's of the same weights (float32, the empty text,
// timestep 500), where attn1 of the perturbed blocks gives its values as they are.
func TestPerturbedAttentionEqualsPyTorch(t *testing.T) {
	g, text, none := embedded(t, "")
	latent := make([]float32, 4*32*32)
	for i := range latent {
		latent[i] = float32(math.Sin(float64(i) * .37))
	}
	for _, c := range []struct {
		perturbed bool
		at        map[int]float64
		norm      float64
	}{
		{false, map[int]float64{0: 0.88656, 1000: 0.37771, 2047: 0.43666, 3333: -1.11854, 4095: -0.89077}, 39.79408},
		{true, map[int]float64{0: 0.9906, 1000: 0.44137, 2047: 0.54398, 3333: -1.04223, 4095: -0.74874}, 38.94793},
	} {
		point := inference.Point{
			Latent: tensor.Of(latent, 1, 4, 32, 32), Timestep: tensor.Of([]float32{500}, 1), Text: text, Perturbed: c.perturbed,
		}
		out, err := g.Noise(t.Context(), point, none, nil)
		if err != nil {
			t.Fatal(err)
		}
		squares := 0.0
		for _, v := range out.F32 {
			squares += float64(v) * float64(v)
		}
		if norm := math.Sqrt(squares); math.Abs(norm-c.norm) > 1e-4*c.norm {
			t.Errorf("perturbed %v: the norm is %.5f, PyTorch's %.5f", c.perturbed, norm, c.norm)
		}
		for i, want := range c.at {
			if math.Abs(float64(out.F32[i])-want) > 1e-4 {
				t.Errorf("perturbed %v: value %d is %.5f, PyTorch's %.5f", c.perturbed, i, out.F32[i], want)
			}
		}
	}
}

// embedded are the graphs of the embedded model, a prompt as they read it, and the condition without subjects, for as long as the test runs.
func embedded(t *testing.T, prompt string) (*inference.Graphs, inference.Encoding, inference.Vision) {
	t.Helper()
	b := bundletest.Embedded(t)
	g := inference.NewGraphs(orttest.Shared(t), b)
	t.Cleanup(func() { g.Close() })
	text, err := g.Text(t.Context(), [][]int64{b.Tokenizer(0).Encode(prompt).IDs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(text.KV.Close)
	none, err := g.NoVision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(none.KV.Close)
	return g, text, none
}
