package parity

import (
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/random"
	"realword/inference/tensor"
)

// TestFirstPassOfOpenVINO: a pass is the same to the bit when it is the first of its kind, or the largest until then, as when it is made
// again. Without more, OpenVINO loses what lies in memory that it makes larger (ort.graph).
func TestFirstPassOfOpenVINO(t *testing.T) {
	if cpu := orttest.CPU(t); ort.OpenVINO(cpu.Library()) == "" || !ort.HasHalfProducts() {
		t.Skip("needs OpenVINO (make deps DEVICE=openvino) and products of half precision")
	}
	m := bundletest.Golden(t, "tiny-xl")
	cache := ort.Cache{Folder: t.TempDir(), Limit: 1 << 30}
	for _, opened := range []string{"compiled", "of what was kept"} {
		rt := orttest.Open(t, ort.Options{Threads: 2, Device: "openvino-bf16", Cache: cache})
		g := inference.NewGraphs(rt, m)
		ids := make([][]int64, m.Manifest().Text.Encoders)
		for i := range ids {
			ids[i] = m.Tokenizer(i).Encode("a dog on the beach").IDs
		}
		text, err := g.Text(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		none, err := g.NoVision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []int{16, 64, 32} {
			l := inference.Loop{Graphs: g}
			l.Width, l.Height = side*m.Manifest().Latent.Factor, side*m.Manifest().Latent.Factor
			at := l.At(random.Normal(2, m.Manifest().Latent.Channels*side*side), 500)
			at.Text = text
			pass := func() *tensor.Tensor {
				noise, err := g.Noise(t.Context(), at, none, nil)
				if err != nil {
					t.Fatal(err)
				}
				return noise
			}
			if first, second := pass(), pass(); !slices.Equal(first.F32, second.F32) {
				t.Errorf("%s, %d cells: the first pass is not the second", opened, side)
			}
		}
		text.KV.Close()
		none.KV.Close()
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
