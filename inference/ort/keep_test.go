package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"realword/inference/session"
	"realword/inference/tensor"
)

// chain makes two graphs: a = 2x and h = x as halves; y = a + h.
func chain(t *testing.T) (first, second string) {
	half := 10
	if halves(t) == tensor.F32 {
		half = 1
	}
	first = write(t,
		[]protobuf{
			node("Add", []string{"x", "x"}, []string{"a"}),
			node("Cast", []string{"x"}, []string{"h"}).bytes(5, protobuf{}.text(1, "to").number(3, half).number(20, 2)),
		}, nil,
		[]protobuf{port("x", 1, -1, 2)}, []protobuf{port("a", 1, -1, 2), port("h", half, -1, 2)})
	second = write(t,
		[]protobuf{
			node("Cast", []string{"h"}, []string{"f"}).bytes(5, protobuf{}.text(1, "to").number(3, 1).number(20, 2)),
			node("Add", []string{"a", "f"}, []string{"y"}),
		}, nil,
		[]protobuf{port("a", 1, -1, 2), port("h", half, -1, 2)}, []protobuf{port("y", 1, -1, 2)})
	return first, second
}

func keeper(t *testing.T, r *Runtime, path string) session.Keeper {
	t.Helper()
	return open(t, r, path, session.Options{}).(session.Keeper)
}

func TestKeptValuesGoFromSessionToSession(t *testing.T) {
	r := library(t)
	p, q := chain(t)
	first, second := keeper(t, r, p), keeper(t, r, q)
	for _, rows := range []int{3, 1, 0} {
		x := tensor.Zeros(rows, 2)
		for i := range x.F32 {
			x.F32[i] = 0.1 + float32(i)
		}
		kept, err := first.Keep(t.Context(), map[string]*tensor.Tensor{"x": x})
		if err != nil {
			t.Fatal(err)
		}
		if h := kept["h"]; h.DType() != halves(t) || !slices.Equal(h.Shape(), []int{rows, 2}) {
			t.Errorf("h is %s%v", h.DType(), h.Shape())
		}
		plain, err := first.Run(t.Context(), map[string]*tensor.Tensor{"x": x}, "a")
		if err != nil {
			t.Fatal(err)
		}
		fromKept, err := second.RunKept(t.Context(), nil, kept)
		if err != nil {
			t.Fatal(err)
		}
		mixed, err := second.RunKept(t.Context(), plain, map[string]session.Value{"h": kept["h"]}, "y")
		if err != nil {
			t.Fatal(err)
		}
		if y := fromKept["y"]; len(y.F32) != 2*rows || !slices.Equal(y.F32, mixed["y"].F32) {
			t.Errorf("y is %v from kept values and %v from a tensor", y, mixed["y"])
		}
		session.CloseAll(kept)
		session.CloseAll(kept)
	}
}

func TestKeptValuesOutliveTheirSession(t *testing.T) {
	r := library(t)
	p, q := chain(t)
	first, second := keeper(t, r, p), keeper(t, r, q)
	kept, err := first.Keep(t.Context(), map[string]*tensor.Tensor{"x": tensor.Of([]float32{1, 2}, 1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	out, err := second.RunKept(t.Context(), nil, kept)
	if err != nil || out["y"].F32[1] != 6 {
		t.Errorf("%v, %v", out, err)
	}
	session.CloseAll(kept)
	_, err = second.RunKept(t.Context(), nil, kept)
	mention(t, err, "closed")
}

// stranger is a value of another runtime.
type stranger struct{}

func (stranger) DType() tensor.DType { return tensor.F32 }
func (stranger) Shape() []int        { return []int{1, 2} }
func (stranger) Close()              {}

func TestWrongKeptValuesAreNamed(t *testing.T) {
	r := library(t)
	p, q := chain(t)
	first, second := keeper(t, r, p), keeper(t, r, q)
	x := map[string]*tensor.Tensor{"x": tensor.Zeros(1, 2)}
	kept, err := first.Keep(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	defer session.CloseAll(kept)
	type values = map[string]session.Value
	_, err = second.RunKept(t.Context(), nil, values{"a": kept["a"]})
	mention(t, err, "input h is missing", "a F32[1 2]")
	_, err = second.RunKept(t.Context(), map[string]*tensor.Tensor{"a": x["x"]}, kept)
	mention(t, err, "given twice")
	_, err = second.RunKept(t.Context(), nil, values{"a": kept["h"], "h": kept["h"]})
	mention(t, err, "input a", "needs F32", "given F16")
	_, err = second.RunKept(t.Context(), nil, values{"a": stranger{}, "h": kept["h"]})
	mention(t, err, "of another runtime")
	_, err = first.Run(t.Context(), x)
	mention(t, err, "output h", "neither")
	_, err = first.Run(t.Context(), x, "a", "a")
	mention(t, err, "twice")
}

func TestCancelledKeepGivesNothing(t *testing.T) {
	p, _ := chain(t)
	s := keeper(t, library(t), p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if kept, err := s.Keep(ctx, map[string]*tensor.Tensor{"x": tensor.Zeros(1, 2)}); !errors.Is(err, context.Canceled) || len(kept) > 0 {
		t.Errorf("%v, %v", kept, err)
	}
}

// A thousand runs of 2 MB each way would show a leak of one buffer in a hundred.
func TestNothingLeaks(t *testing.T) {
	r := library(t)
	p, q := chain(t)
	first, second := keeper(t, r, p), keeper(t, r, q)
	x := map[string]*tensor.Tensor{"x": tensor.Zeros(1<<18, 2)}
	round := func() {
		kept, err := first.Keep(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		defer session.CloseAll(kept)
		if _, err := second.RunKept(t.Context(), nil, kept); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		round()
	}
	before := resident(t)
	for range 1000 {
		round()
	}
	if grown := resident(t) - before; grown > 20<<10 {
		t.Errorf("1000 runs left %d kB more", grown)
	}
}

// resident is the memory of this process in kB.
func resident(t *testing.T) int {
	t.Helper()
	return status(t, "VmRSS")
}

// status is a figure of this process in kB.
func status(t *testing.T, figure string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system has no /proc")
	}
	for line := range strings.Lines(string(status)) {
		var kB int
		if n, _ := fmt.Sscanf(line, figure+": %d kB", &kB); n == 1 {
			return kB
		}
	}
	t.Fatal("no ", figure)
	return 0
}

// halves is the type of what chain keeps beside float32: software Vulkan computes with no halves.
func halves(t *testing.T) tensor.DType {
	t.Helper()
	if kind, _, err := ParseDevice(os.Getenv("REALWORD_TEST_DEVICE")); err == nil && kind == WebGPU {
		return tensor.F32
	}
	return tensor.F16
}
