package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/prompt"
	"realword/inference/random"
	"realword/inference/tensor"
)

// TestRolesEqualNaive compares the roles of unet.onnx with graphs that do what the paper says, as it says it: every subject's
// attention over the whole picture times its mask, keys and values in the pass, maps written out and multiplied.
func TestRolesEqualNaive(t *testing.T) {
	rt := orttest.Open(t, ort.Options{Threads: 1, AsIs: true})
	for _, name := range []string{"tiny", "tiny-xl", "tiny, masks of a walk"} {
		from, walks := strings.CutSuffix(name, ", masks of a walk")
		from = filepath.Join("../../assets/golden/data", from)
		if walks {
			from = walking(t, from)
		}
		b, err := bundle.Import(context.Background(), from, filepath.Join(t.TempDir(), "bundle"), nil)
		if err != nil {
			t.Fatal(err)
		}
		graphs := inference.NewGraphs(rt, b)
		n, err := openNaive(rt, b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(graphs.Close(), n.close()); err != nil {
				t.Error(err)
			}
			if left, _ := os.Stat(n.folder); left != nil {
				t.Error("the graphs are still there")
			}
		})
		for subjects := 1; subjects <= 3; subjects++ {
			t.Run(fmt.Sprintf("%s, %d subjects", name, subjects), func(t *testing.T) { rolesEqualNaive(t, b, graphs, n, subjects) })
		}
	}
}

// walking is a copy of a checkpoint whose masks are refined three times, by the self-attention of the last block alone.
func walking(t *testing.T, from string) string {
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, "unet", "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte("{"), []byte(`{"mask_blocks": ["up_blocks.2"], "mask_rounds": 3,`), 1)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

func rolesEqualNaive(t *testing.T, b *bundle.Bundle, g *inference.Graphs, n *naive, subjects int) {
	ctx, m := context.Background(), b.Manifest()
	noise := func(seed uint64, shape ...int) *tensor.Tensor {
		return tensor.Of(random.Normal(seed, tensor.Count(shape)), shape...)
	}
	ids := make([][]int64, m.Text.Encoders)
	for i := range ids {
		ids[i] = b.Tokenizer(i).Encode("a dog and a cat on the beach").IDs
	}
	features, pooled, err1 := g.Features(ctx, ids)
	text, err2 := g.TextKV(ctx, features, pooled)
	none, err3 := g.NoVision(ctx)
	tokens := noise(2, subjects, 6, m.Vision.Width)
	vision, err4 := g.VisionKV(ctx, tokens, tensor.Zeros(subjects, 6))
	if err := firstOf(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	side := 4 * m.Grid * m.Size.Multiple / m.Latent.Factor
	p := inference.Point{Latent: noise(3, 1, m.Latent.Channels, side, 2*side), Timestep: tensor.Of([]float32{601}, 1), TimeIDs: tensor.Of([]float32{64, 32, 0, 0, 64, 32}, 1, 6), Text: text}
	cells := side / m.Grid * 2 * side / m.Grid
	masks := make([][]float32, subjects)
	for j := range masks {
		masks[j] = make([]float32, cells)
		for i := range cells / 5 { // the subjects' cells lie among each other, as real masks' borders do
			masks[j][(5*i+j)%cells] = 0.2 + 0.8*float32(i)/float32(cells/5)
		}
	}

	got, err := g.Noise(ctx, p, vision, masks)
	if err != nil {
		t.Fatal(err)
	}
	want, err := n.generation(ctx, p, features, tokens, masks)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "noise", got.F32, want.F32)
	plain, err := g.Noise(ctx, p, none, nil)
	if err != nil {
		t.Fatal(err)
	}
	if distance(got.F32, plain.F32) < 1e-3 {
		t.Error("the pictures change nothing: the comparison means nothing")
	}
	for j := range masks {
		clear(masks[j])
	}
	if unseen, err := g.Noise(ctx, p, vision, masks); err != nil || !slices.Equal(unseen.F32, plain.F32) {
		t.Errorf("pictures under empty masks change the noise by %g (%v), wanted the same bits", distance(unseen.F32, plain.F32), err)
	}

	words := tensor.Zeros(subjects, prompt.Length)
	for j := range subjects {
		words.F32[j*prompt.Length+2+j] = 1
		words.F32[j*prompt.Length+5] = 1
	}
	_, scores, err := g.Guide(ctx, guidance.LowCrossHighSelf, guidance.ByMax, p, words, none)
	if err != nil {
		t.Fatal(err)
	}
	plainly, written, err := n.guidance(ctx, p, features, words)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "text-to-image of the guidance branch", plainly.F32, plain.F32)
	alone, err := n.textToImage(ctx, p, features)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "text-to-image", plain.F32, alone.F32)
	near(t, "scores", scores.F32, written.F32)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	d := distance(got, want)
	t.Logf("%s: relative L2 %.2g", what, d)
	if !(d <= 1e-5) {
		t.Errorf("%s: relative L2 %g, wanted at most 1e-5", what, d)
	}
}

// distance is the relative L2 distance.
func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff, norm float64
	for i, w := range want {
		d := float64(got[i] - w)
		diff, norm = diff+d*d, norm+float64(w)*float64(w)
	}
	return math.Sqrt(diff / norm)
}
