package bundle_test

import (
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/synthetic"
)

// TestImportWithoutClassToken imports models whose DINO encoder ends early: all but the class token is there, and a note says so.
func TestImportWithoutClassToken(t *testing.T) {
	for name, lost := range map[string]string{"whole": "-", "no norm": "norm.weight", "its last block cut short": "blocks.5.mlp.fc2.bias"} {
		dir := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, changed("vision/dino/model.safetensors", func(f *synthetic.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(x synthetic.Tensor) bool { return x.Name == lost })
		}))
		b, whole := importTree(t, dir, bundle.Options{}), lost == "-"
		if (b.Graph(graph.Class) != "") != whole {
			t.Errorf("%s: the graph is %q", name, b.Graph(graph.Class))
		}
		if said := strings.Contains(strings.Join(b.Manifest().Notes, "\n"), "hints of likeness are left out"); said == whole {
			t.Errorf("%s: notes %q", name, b.Manifest().Notes)
		}
	}
}
