package network

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"realword/inference/checkpoint"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

var update = flag.Bool("update", false, "write the golden text dumps")

const data = "../../assets/golden/data"

func tinyUNet(t *testing.T, name string) (UNetConfig, *nn.Store) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, name, "unet", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c UNetConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(filepath.Join(data, name, "unet", "diffusion_pytorch_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return c, nn.NewStore(f, "weights/unet.bin")
}

// TestUNetGraphText compares the text of a tiny U-Net's graph with a golden file, so that a change of the network shows
// as a change of text. `go test ./inference/network -update` writes it anew.
func TestUNetGraphText(t *testing.T) {
	c, store := tinyUNet(t, "tiny-xl")
	m, err := UNetGraph(c, store)
	if err != nil {
		t.Fatal(err)
	}
	got := dump(m)
	golden := filepath.Join("testdata", "unet-tiny-xl.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the graph's text differs from %s; look at the difference, then run with -update", golden)
	}
	graph, rest, ok := strings.Cut(got, ".then:\n")
	for _, deferred := range []string{"conv_out", "conv_norm_out"} {
		if !ok || strings.Contains(graph, deferred) || !strings.Contains(rest, deferred) {
			t.Errorf("%s is computed in the guidance branch, where nobody reads it", deferred)
		}
	}
}

// TestSDXLShapes builds the real U-Net's graph from shapes alone and compares parameter counts with those of
// the released network.
func TestSDXLShapes(t *testing.T) {
	c := UNetConfig{
		InChannels: 4, OutChannels: 4, BlockOutChannels: []int{320, 640, 1280}, LayersPerBlock: PerLevel{2},
		DownBlockTypes: []string{"DownBlock2D", crossDown, crossDown}, UpBlockTypes: []string{crossUp, crossUp, "UpBlock2D"},
		TransformerLayers: PerLevel{1, 2, 10}, CrossAttentionDim: PerLevel{2048}, AttentionHeadDim: PerLevel{5, 10, 20}, UseLinearProjection: true,
		NormNumGroups: 32, ActFn: "silu", FlipSinToCos: true, AdditionEmbedType: "text_time", AdditionTimeDim: 256, ProjectionInputDim: 2816,
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	var wanted string
	for _, graph := range []func(UNetConfig, *nn.Store) (*onnx.Model, error){UNetGraph, TextKVGraph, VisionKVGraph} {
		_, err := graph(c, nn.NewStore(nothing{}, "w"))
		if err == nil {
			t.Fatal("built without weights")
		}
		wanted += err.Error() + "\n"
	}
	type sum struct{ tensors, parameters int }
	var base, visual sum
	for _, m := range regexp.MustCompile(`(\S+): missing, wanted shape \[([0-9 ]+)\]`).FindAllStringSubmatch(wanted, -1) {
		to, n := &base, 1
		if strings.Contains(m[1], "_vision.") {
			to = &visual
		}
		for _, d := range strings.Fields(m[2]) {
			size, _ := strconv.Atoi(d)
			n *= size
		}
		to.tensors++
		to.parameters += n
	}
	if want := (sum{1680, 2567463684}); base != want {
		t.Errorf("base U-Net: %+v, wanted %+v", base, want)
	}
	if want := (sum{140, 340787200}); visual != want {
		t.Errorf("visual K/V: %+v, wanted %+v", visual, want)
	}
	if n := c.CrossAttentionLayers(); n != 70 {
		t.Errorf("%d cross-attention layers, wanted 70", n)
	}
	if c.Grid() != 2 || c.PooledWidth() != 1280 || c.Multiple() != 4 {
		t.Errorf("grid %d, pooled %d, multiple %d; wanted 2, 1280, 4", c.Grid(), c.PooledWidth(), c.Multiple())
	}
}

// nothing is a checkpoint without tensors: the error of a build then lists everything that is wanted.
type nothing struct{}

func (nothing) Shape(string) ([]int, tensor.DType, bool) { return nil, tensor.Invalid, false }
func (nothing) Read(name string) (*tensor.Tensor, error) { return nil, errors.New(name) }

// TestResamplePositions checks the antialiased bicubic kernel against PyTorch, and the first rows of 37 to 27
// positions, the case of DINOv2.
func TestResamplePositions(t *testing.T) {
	f, err := checkpoint.Open(filepath.Join(data, "operators.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range []string{"bicubic_37_27", "bicubic_7_4", "bicubic_4_6"} {
		x, err1 := f.Read(name + ".in.x")
		y, err2 := f.Read(name + ".out.y")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		got, err := ResamplePositions(tensor.Of(x.F32, 1, len(x.F32), 1), y.Shape[2])
		if err != nil {
			t.Fatal(err)
		}
		for i := range y.F32 {
			if d := math.Abs(float64(got.F32[i] - y.F32[i])); !(d <= 1e-5) {
				t.Fatalf("%s: position %d is off by %g", name, i, d)
			}
		}
	}
	row := cubicWeights(37, 27)[0]
	for j, want := range []float32{0.72828779, 0.32799064, -0.05627842} {
		if math.Abs(float64(row[j]-want)) > 1e-6 {
			t.Errorf("weight %d of row 0 is %v, wanted %v", j, row[j], want)
		}
	}
	if _, err := ResamplePositions(tensor.Zeros(1, 50, 2), 4); err == nil {
		t.Error("50 positions are no square")
	}
}
