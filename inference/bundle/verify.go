package bundle

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/session"
	"realword/inference/tensor"
)

// Tolerance is the largest relative L2 distance between a network's output and its golden tensor that Verify accepts: fp32
// arithmetic in another order. Bundles that store weights in fp16 are compared with goldens made of the same fp16 values.
const Tolerance = 1e-4

// Check is the comparison of one golden tensor.
type Check struct {
	File      string // golden file
	Tensor    string // "<network>.out.<name>"
	MaxAbs    float64
	RelL2     float64
	Tolerance float64
	Problem   string // why it could not be compared, or ""
}

// OK tells whether the tensor is within its tolerance.
func (c Check) OK() bool { return c.Problem == "" && c.RelL2 <= c.Tolerance }

// String prints the check as one line.
func (c Check) String() string {
	verdict := "ok"
	if !c.OK() {
		verdict = "FAILED"
	}
	if c.Problem != "" {
		return fmt.Sprintf("%-6s %s %s: %s", verdict, filepath.Base(c.File), c.Tensor, c.Problem)
	}
	return fmt.Sprintf("%-6s %s %s: max abs %.2g, relative L2 %.2g (limit %.0e)", verdict, filepath.Base(c.File), c.Tensor, c.MaxAbs, c.RelL2, c.Tolerance)
}

// Goldens lists the golden files of path: itself, or the safetensors files of a folder.
func Goldens(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("golden tensors: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*.safetensors"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("golden tensors: %s holds no .safetensors files", path)
	}
	return files, nil
}

// Verify runs the networks of the bundle against golden files (design §4) and reports every output tensor. A network is a
// name before ".in." and ".out." that the bundle has a graph for; guidance goldens may name the mask source in their outputs
// ("guidance-all_cross.out.scores"). Other tensors ("loop.…") are left alone. An error means that a comparison could not be made.
func (b *Bundle) Verify(ctx context.Context, rt session.Runtime, goldens ...string) ([]Check, error) {
	v := verifier{Bundle: b, ctx: ctx, runtime: rt, open: map[string]session.Session{}}
	defer v.close()
	var all []Check
	for _, golden := range goldens {
		checks, err := v.file(golden)
		if err != nil {
			return all, fmt.Errorf("verify against %s: %w", golden, err)
		}
		for _, c := range checks {
			c.File = golden
			all = append(all, c)
		}
	}
	return all, nil
}

// verifier keeps the sessions of one Verify.
type verifier struct {
	*Bundle
	ctx     context.Context
	runtime session.Runtime
	open    map[string]session.Session
}

func (v *verifier) close() {
	for _, s := range v.open {
		_ = s.Close()
	}
}

func (v *verifier) session(graph string) (session.Session, error) {
	if s := v.open[graph]; s != nil {
		return s, nil
	}
	s, err := v.runtime.Open(v.Graph(graph), session.Options{Once: true})
	if err == nil {
		v.open[graph] = s
	}
	return s, err
}

func (v *verifier) file(golden string) ([]Check, error) {
	file, err := checkpoint.Open(golden)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	inputs := map[string]map[string]string{} // network -> port -> tensor
	outputs := map[string]map[string]string{}
	var networks []string
	for _, e := range file.Entries() {
		if network, port, ok := strings.Cut(e.Name, ".in."); ok {
			put(inputs, network, port, e.Name)
		}
		if network, port, ok := strings.Cut(e.Name, ".out."); ok && v.Graph(graphName(network)) != "" {
			if outputs[network] == nil {
				networks = append(networks, network)
			}
			put(outputs, network, port, e.Name)
		}
	}
	var checks []Check
	for _, network := range networks {
		c, err := v.network(file, network, inputs, outputs[network])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", network, err)
		}
		checks = append(checks, c...)
	}
	return checks, nil
}

func put(m map[string]map[string]string, network, port, name string) {
	if m[network] == nil {
		m[network] = map[string]string{}
	}
	m[network][port] = name
}

// graphName is the manifest's name of a golden network.
func graphName(network string) string {
	if network == "guidance-low_cross_high_self" {
		return "guidance"
	}
	return network
}

func (v *verifier) network(file *checkpoint.File, network string, inputs map[string]map[string]string, outputs map[string]string) ([]Check, error) {
	s, err := v.session(graphName(network))
	if err != nil {
		return nil, err
	}
	base, _, _ := strings.Cut(network, "-")
	feed := map[string]*tensor.Tensor{}
	for _, p := range s.Inputs() {
		name := inputs[network][p.Name]
		if name == "" {
			name = inputs[base][p.Name]
		}
		if name == "" {
			return nil, fmt.Errorf("the golden file has no input %s.in.%s", network, p.Name)
		}
		if feed[p.Name], err = file.Read(name); err != nil {
			return nil, err
		}
	}
	var declared []string
	for _, p := range s.Outputs() {
		declared = append(declared, p.Name)
	}
	got, err := s.Run(v.ctx, feed)
	if err != nil {
		return nil, err
	}
	var checks []Check
	for _, port := range declared {
		name, ok := outputs[port]
		if !ok {
			continue
		}
		want, err := file.Read(name)
		if err != nil {
			return nil, err
		}
		checks = append(checks, Compare(name, got[port], want, Tolerance))
	}
	return checks, nil
}

// Compare measures how far got is from want.
func Compare(name string, got, want *tensor.Tensor, tolerance float64) Check {
	c := Check{Tensor: name, Tolerance: tolerance}
	if got == nil || !slices.Equal(got.Shape, want.Shape) {
		c.Problem = fmt.Sprintf("shape %v, wanted %v", shapeOf(got), want.Shape)
		return c
	}
	var diff, norm float64
	for i := range want.F32 {
		d := float64(got.F32[i]) - float64(want.F32[i])
		c.MaxAbs = max(c.MaxAbs, math.Abs(d))
		diff += d * d
		norm += float64(want.F32[i]) * float64(want.F32[i])
	}
	switch {
	case math.IsNaN(diff):
		c.Problem = "the result is not a number"
	case diff > 0:
		c.RelL2 = math.Sqrt(diff / norm)
	}
	return c
}

func shapeOf(t *tensor.Tensor) []int {
	if t == nil {
		return nil
	}
	return t.Shape
}
