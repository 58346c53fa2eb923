package bundle_test

import (
	"os"
	"testing"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/synthetic"
)

// TestGraphsForCUDA finds the forms for CUDA of the graphs that convolve, none of the others, and no graph that only a bench runs.
func TestGraphsForCUDA(t *testing.T) {
	b := importTree(t, tree(t, synthetic.Options{}, nil), bundle.Options{})
	for name, want := range map[graph.Name]bool{"unet": true, "decoder": true, "text": false, "vision": false, "text_kv": false} {
		path := b.Graph(name.CUDA())
		if want != (path != "") {
			t.Errorf("%s for CUDA is %q", name, path)
		}
		if _, err := os.Stat(path); want && err != nil {
			t.Error(err)
		}
	}
	for _, name := range []graph.Name{graph.Plain, graph.Naive, graph.NaiveGuidance} {
		if b.Graph(name) != "" || b.Graph(name.CUDA()) != "" {
			t.Errorf("the bundle has the graph %s, which package bench builds", name)
		}
	}
}
