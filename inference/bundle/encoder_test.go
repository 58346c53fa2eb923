package bundle_test

import (
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/synthetic"
)

// TestImportWithoutEncoder imports autoencoders of which the half that reads pictures is gone or cut short: all but that half is there,
// and a note says so. A whole one has both halves.
func TestImportWithoutEncoder(t *testing.T) {
	for name, c := range map[string]struct {
		lost func(tensor string) bool
		note string
	}{
		"whole":     {func(string) bool { return false }, ""},
		"gone":      {func(n string) bool { return strings.HasPrefix(n, "encoder.") || strings.HasPrefix(n, "quant_conv.") }, "encoder is left out"},
		"cut short": {func(n string) bool { return n == "encoder.mid_block.resnets.1.conv2.weight" }, "encoder is left out"},
	} {
		dir := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, changed("vae/diffusion_pytorch_model.safetensors", func(f *synthetic.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(x synthetic.Tensor) bool { return c.lost(x.Name) })
		}))
		b := importTree(t, dir, bundle.Options{})
		whole := c.note == ""
		for _, g := range []graph.Name{graph.Encoder, graph.TiledEncoder} {
			if (b.Graph(g) != "") != whole {
				t.Errorf("%s: %s is %q", name, g, b.Graph(g))
			}
		}
		if _, there := b.Manifest().Files["weights/vae_encoder.bin"]; there != whole {
			t.Errorf("%s: weights of the encoder: %t", name, there)
		}
		if said := strings.Contains(strings.Join(b.Manifest().Notes, "\n"), "encoder is left out"); said == whole {
			t.Errorf("%s: notes %q", name, b.Manifest().Notes)
		}
	}
}
