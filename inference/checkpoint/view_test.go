package checkpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// memory is a Source of tensors that are made in a test.
type memory map[string]*tensor.Tensor

func (m memory) Entries() []Entry {
	var out []Entry
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Entry{Name: name, DType: m[name].DType, Shape: m[name].Shape})
	}
	return out
}

func (m memory) Shape(name string) ([]int, tensor.DType, bool) {
	t, ok := m[name]
	if !ok {
		return nil, tensor.Invalid, false
	}
	return t.Shape, t.DType, true
}

func (m memory) Read(name string) (*tensor.Tensor, error) {
	if t, ok := m[name]; ok {
		return t.Clone(), nil
	}
	return nil, errors.New("missing")
}

// ramp makes a tensor 0, 1, 2, … .
func ramp(shape ...int) *tensor.Tensor {
	t := tensor.Zeros(shape...)
	for i := range t.F32 {
		t.F32[i] = float32(i)
	}
	return t
}

func namesOf(s Source) string {
	var names []string
	for _, e := range s.Entries() {
		names = append(names, e.Name)
	}
	return strings.Join(names, " ")
}

func expectTensor(t *testing.T, s Source, name string, shape []int, values ...float32) {
	t.Helper()
	found, d, ok := s.Shape(name)
	got, err := s.Read(name)
	if err != nil || !ok {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !slices.Equal(found, shape) || !slices.Equal(got.Shape, shape) || got.DType != tensor.F32 || !d.Float() {
		t.Errorf("%s: declared %v, read %v, want %v", name, found, got.Shape, shape)
	}
	if len(values) > 0 && !slices.Equal(got.F32, values) {
		t.Errorf("%s: %v, want %v", name, got.F32, values)
	}
}

func TestRename(t *testing.T) {
	src := memory{"a.in.weight": ramp(6, 1), "b": ramp(2, 3), "conv": ramp(2, 2, 1, 1), "conv3": ramp(1, 1, 3, 3), "junk": ramp(1), "stays": ramp(1)}
	v, err := Rename(src,
		Rule{Match: `(.)\.in\.(.*)`, To: []string{"$1.q.$2", "$1.k.$2", "$1.v.$2"}},
		Rule{Match: "b", To: []string{"bt"}, Transpose: true},
		Rule{Match: "conv3?", To: []string{"${0}_s"}, Squeeze: true},
		leaveOut("junk", "nobody needs it"),
		rename("jun", "never: the whole name must match"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := namesOf(v); got != "a.k.weight a.q.weight a.v.weight bt conv3_s conv_s stays" {
		t.Errorf("names %s", got)
	}
	expectTensor(t, v, "a.q.weight", []int{2, 1}, 0, 1)
	expectTensor(t, v, "a.v.weight", []int{2, 1}, 4, 5)
	expectTensor(t, v, "bt", []int{3, 2}, 0, 3, 1, 4, 2, 5)
	expectTensor(t, v, "conv_s", []int{2, 2})
	expectTensor(t, v, "conv3_s", []int{1, 1, 3, 3})
	if !slices.Equal(v.Ignored(), []Ignored{{"junk", "nobody needs it"}}) {
		t.Errorf("ignored %v", v.Ignored())
	}
	if _, err := v.Read("junk"); err == nil {
		t.Error("a tensor that was left out was read")
	}
	if !slices.Equal(src["conv"].Shape, []int{2, 2, 1, 1}) {
		t.Error("the source changed")
	}
}

func TestRenameReportsAllProblems(t *testing.T) {
	src := memory{"a": ramp(1), "b": ramp(1), "odd": ramp(5), "cube": ramp(1, 1, 1)}
	_, err := Rename(src, rename("[ab]", "same"), Rule{Match: "odd", To: []string{"x", "y"}}, Rule{Match: "cube", To: []string{"c"}, Transpose: true})
	var p Problems
	if !errors.As(err, &p) || len(p) != 3 || p[0].Key != "cube" || p[1].Key != "odd" || p[2].Kind != Ambiguous {
		t.Errorf("got %v", err)
	}
	if _, err := Rename(src, rename("(", "")); err == nil {
		t.Error("a broken expression passed")
	}
}

func TestViewLocations(t *testing.T) {
	f, err := Open("testdata/shared.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := Rename(f, Rule{Match: "matrix", To: []string{"top", "bottom"}}, Rule{Match: "row", To: []string{"row.moved"}},
		Rule{Match: "last", To: []string{"last.turned"}, Transpose: true})
	if err != nil {
		t.Fatal(err)
	}
	j := Join(map[string]Source{"p": v})
	whole, _ := f.Location("whole")
	for name, want := range map[string]Location{
		"p.top":       {whole.Path, whole.Offset, 48, true},
		"p.bottom":    {whole.Path, whole.Offset + 48, 48, true},
		"p.row.moved": {whole.Path, whole.Offset + 24, 24, true},
	} {
		if got, ok := j.Location(name); !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if l, ok := j.Location("p.last.turned"); !ok || l.Dense {
		t.Errorf("a transposed matrix lies densely at %v", l)
	}
	expectTensor(t, j, "p.bottom", []int{2, 6}, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
	if _, ok := j.Location("nothing"); ok {
		t.Error("a tensor that is not there has a location")
	}
}

func TestSetReportsEverythingTogether(t *testing.T) {
	s := NewSet(memory{"good": ramp(2), "twice": ramp(1), "left": ramp(4), "num_batches": ramp(1)})
	s.Ignore(`num_.*`, "it counts training steps")
	s.Use("good", "twice", "lost")
	s.Use("twice")
	want := "the weights do not fit the model: 3 tensors are wrong:\n" +
		"\tleft: not part of the model, found shape [4]\n" +
		"\tlost: missing\n" +
		"\ttwice: used 2 times"
	if err := s.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(s.Unused(), []string{"left"}) || !slices.Equal(s.Ignored(), []Ignored{{"num_batches", "it counts training steps"}}) {
		t.Errorf("unused %v, ignored %v", s.Unused(), s.Ignored())
	}
}

func TestSetWithoutProblems(t *testing.T) {
	s := NewSet(memory{"a": ramp(2), "b": ramp(2)})
	s.Use("a", "b")
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

func TestProblemsAreCutShort(t *testing.T) {
	p := make(Problems, 1000)
	for i := range p {
		p[i] = Problem{Key: fmt.Sprint(i, "\x1b\n"), Kind: Missing}
	}
	if lines := strings.Split(p.Error(), "\n"); len(lines) != 42 || lines[41] != "\tand 960 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
