package inference

import (
	"testing"

	"realword/inference/graph"
	"realword/inference/session"
)

// variants keeps the options with which graphs are opened.
type variants struct {
	*fakeRuntime
	opened map[string]session.Options
}

func (v variants) Open(path string, opts session.Options) (session.Session, error) {
	v.opened[path] = opts
	return v.fakeRuntime.Open(path, opts)
}

// TestGraphsForCUDA opens a graph with its form for CUDA, and one of a bundle that has none without.
func TestGraphsForCUDA(t *testing.T) {
	m := newFakeModel(t)
	m.manifest.Graphs[graph.UNet.CUDA()] = "unet for CUDA"
	rt := variants{&fakeRuntime{t: t, model: m}, map[string]session.Options{}}
	g := NewGraphs(rt, m)
	for name, want := range map[graph.Name]string{"unet": "unet for CUDA", "decoder": ""} {
		if _, err := g.load(name); err != nil {
			t.Fatal(err)
		}
		if got := rt.opened[string(name)].CUDA; got != want {
			t.Errorf("%s is opened with %q for CUDA, wanted %q", name, got, want)
		}
	}
}
