package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/ort"
	"realword/inference/session"
)

// startWebGPU prints the graphics cards that WebGPU can use and starts the one that it computes on.
func startWebGPU(out io.Writer, cpu *ort.Runtime, o options) (*ort.Runtime, error) {
	adapters, err := ort.Adapters(cpu.Library())
	for i, a := range adapters {
		fmt.Fprintf(out, "webgpu:%d            %s\n", i, a)
	}
	if err != nil {
		return nil, err
	}
	opts := ort.Options{Threads: cpu.Threads(), Library: cpu.Library(), Device: o.device}
	if o.halves {
		opts.Weights = session.Mapped
	}
	card, err := ort.New(opts)
	if err != nil {
		return nil, err
	}
	attention := "its own attention computes wrong and is written out"
	if card.FusedAttention() {
		attention = "its own attention computes right and is used"
	}
	halves := "it has no half precision: weights take twice the memory"
	if card.HalfWeights() {
		halves = "matrices of large models stay in half precision"
	}
	fmt.Fprintf(out, "%20s%s\n%20s%s\n", "", attention, "", halves)
	return card, nil
}

// few are operators of which the U-Net has none with many numbers: sines of the time step, flags, a unit matrix of the words, rows picked
// out of short tables.
var few = []string{"Cast", "Cos", "EyeLike", "Gather", "Sin"}

// nodes prints what of every graph the library would run on the processor; ok is false where that is more of a U-Net pass than
// arithmetic of shapes and a few numbers.
func (t *table) nodes(card *ort.Runtime, b *bundle.Bundle) (ok bool, err error) {
	fmt.Fprintf(t.out, "\n%-10s %-16s %s\n", "model", "graph", "left to the CPU")
	ok = true
	for _, name := range []graph.Name{graph.Text, graph.TextKV, graph.Vision, graph.VisionKV, graph.UNet, graph.Decoder} {
		path := b.Graph(name)
		if path == "" {
			continue
		}
		m := b.Manifest()
		left, err := card.LeftToCPU(path, session.Options{Once: true, CUDA: b.Graph(name.CUDA()), Outside: m.Outside(), Moved: m.Moved()})
		if err != nil {
			return false, err
		}
		bad := false
		shapes, numbers := map[string]int{}, map[string]int{}
		for _, n := range left {
			if n.Shapes {
				shapes[n.Op]++
			} else {
				numbers[n.Op]++
				bad = bad || !slices.Contains(few, n.Op)
			}
		}
		verdict := "shapes: " + counts(shapes) + "; numbers: " + counts(numbers)
		if name == graph.UNet && bad {
			ok = false
			verdict += " WRONG"
		}
		fmt.Fprintf(t.out, "%-10.10s %-16s %s\n", t.model, name, verdict)
		t.json(map[string]any{"model": t.model, "graph": name, "shapes": shapes, "numbers": numbers})
	}
	return ok, nil
}

// counts is a line of operators with how often each is there.
func counts(m map[string]int) string {
	var words []string
	for _, op := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%d %s", m[op], op))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
