package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// fakeDevice doubles its inputs. It fails as it is told, counts what it keeps, and reads only values of its own.
type fakeDevice struct {
	name   string
	fail   map[string]error // by "open path" or "run path"
	keeps  bool
	alive  int
	opened int
	before func() // called when a session begins to compute; nil: nothing
}

func (d *fakeDevice) Describe() string           { return "fake " + d.name }
func (d *fakeDevice) Provider() (string, string) { return d.name, "" }

func (d *fakeDevice) Open(path string, _ Options) (Session, error) {
	if err := d.fail["open "+path]; err != nil {
		return nil, err
	}
	d.opened++
	s := &fakeSession{d, path}
	if d.keeps {
		return fakeKeeper{s}, nil
	}
	return s, nil
}

type fakeSession struct {
	d    *fakeDevice
	path string
}

func (s *fakeSession) Inputs() []Port  { return []Port{{Name: "x"}} }
func (s *fakeSession) Outputs() []Port { return []Port{{Name: "x"}} }
func (s *fakeSession) Close() error {
	s.d.opened--
	return nil
}

func (s *fakeSession) Run(ctx context.Context, in map[string]*tensor.Tensor, _ ...string) (map[string]*tensor.Tensor, error) {
	if s.d.before != nil {
		s.d.before()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.d.fail["run "+s.path]; err != nil {
		return nil, err
	}
	out := map[string]*tensor.Tensor{}
	for name, t := range in {
		out[name] = tensor.Of([]float32{2 * t.F32[0]}, 1)
	}
	return out, nil
}

type fakeKeeper struct{ *fakeSession }

type fakeValue struct {
	held
	d      *fakeDevice
	closed bool
}

func (v *fakeValue) Close() {
	if !v.closed {
		v.closed = true
		v.d.alive--
	}
}

func (s fakeKeeper) Keep(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]Value, error) {
	out, err := s.Run(ctx, in, outputs...)
	if err != nil {
		return nil, err // as package ort does
	}
	kept := map[string]Value{}
	for name, t := range out {
		s.d.alive++
		kept[name] = &fakeValue{held: held{t}, d: s.d}
	}
	return kept, nil
}

func (s fakeKeeper) RunKept(ctx context.Context, in map[string]*tensor.Tensor, kept map[string]Value, outputs ...string) (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	maps.Copy(all, in)
	for name, v := range kept {
		f := v.(*fakeValue)
		if f.d != s.d || f.closed {
			return nil, fmt.Errorf("%s cannot read %s", s.d.name, name)
		}
		all[name] = f.t
	}
	return s.Run(ctx, all, outputs...)
}

func one(v float32) map[string]*tensor.Tensor {
	return map[string]*tensor.Tensor{"x": tensor.Of([]float32{v}, 1)}
}

func lost(text string) error { return &DeviceError{Device: "CUDA", Why: text, Err: errors.New(text)} }

func TestFallbackGoesOnInTheSameCall(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		gpu := &fakeDevice{name: "CUDA", keeps: keeps, fail: map[string]error{}}
		cpu := &fakeDevice{name: "CPU", keeps: true, fail: map[string]error{}}
		f := NewFallback(gpu, func() (Runtime, error) { return cpu, nil })
		kv, err := f.Open("kv", Options{})
		if err != nil {
			t.Fatal(err)
		}
		unet, err := f.Open("unet", Options{})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := kv.(Keeper).Keep(t.Context(), one(1))
		if err != nil {
			t.Fatal(err)
		}
		run := func() float32 {
			t.Helper()
			out, err := unet.(Keeper).RunKept(t.Context(), nil, kept)
			if err != nil {
				t.Fatal(err)
			}
			return out["x"].F32[0]
		}
		if got := run(); got != 4 {
			t.Errorf("on the device: %v", got)
		}
		if name, why := f.Provider(); name != "CUDA" || why != "" {
			t.Errorf("%q, %q", name, why)
		}
		gpu.fail["run unet"] = lost("the cable was pulled")
		if got := run(); got != 4 {
			t.Errorf("on the processor: %v", got)
		}
		if name, why := f.Provider(); name != "CPU" || !strings.Contains(why, "the cable was pulled") {
			t.Errorf("%q, %q", name, why)
		}
		gpu.fail["run unet"] = nil // the device is not tried again
		if got := run(); got != 4 || cpu.opened != 1 {
			t.Errorf("%v with %d sessions on the processor", got, cpu.opened)
		}
		CloseAll(kept)
		CloseAll(kept)
		if _, err := unet.(Keeper).RunKept(t.Context(), nil, kept); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("a closed value was read: %v", err)
		}
		if err := errors.Join(kv.Close(), unet.Close(), unet.Close()); err != nil || gpu.alive+cpu.alive != 0 || gpu.opened+cpu.opened != 0 {
			t.Errorf("left over: %d and %d values, %d and %d sessions, %v", gpu.alive, cpu.alive, gpu.opened, cpu.opened, err)
		}
	}
}

func TestFallbackAtOpeningAndKeeping(t *testing.T) {
	full := &DeviceError{Device: "CUDA", OutOfMemory: true, Err: errors.New("out of memory")}
	gpu := &fakeDevice{name: "CUDA", keeps: true, fail: map[string]error{"open unet": full}}
	cpu := &fakeDevice{name: "CPU", keeps: true, fail: map[string]error{}}
	f := NewFallback(gpu, func() (Runtime, error) { return cpu, nil })
	kv, err := f.Open("kv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open("unet", Options{}); err != nil {
		t.Fatal(err)
	}
	if name, why := f.Provider(); name != "CPU" || !strings.Contains(why, "not enough memory") {
		t.Errorf("%q, %q", name, why)
	}
	kept, err := kv.(Keeper).Keep(t.Context(), one(3))
	if err != nil || cpu.alive != 1 || gpu.alive != 0 {
		t.Errorf("kept on the device that was left: %v", err)
	}
	CloseAll(kept)
	if f.Describe() != "fake CPU" {
		t.Error(f.Describe())
	}
}

func TestFallbackKeepsOtherErrors(t *testing.T) {
	wrong := errors.New("input x is missing")
	for name, c := range map[string]struct {
		err    error
		cpu    error
		cancel bool
		want   error
	}{
		"a mistake":    {err: wrong, want: wrong},
		"cancelled":    {err: lost("terminated"), cancel: true},
		"no processor": {err: lost("gone"), cpu: errors.New("no library")},
	} {
		t.Run(name, func(t *testing.T) {
			gpu := &fakeDevice{name: "CUDA", fail: map[string]error{"run unet": c.err}}
			f := NewFallback(gpu, func() (Runtime, error) { return &fakeDevice{name: "CPU"}, c.cpu })
			s, err := f.Open("unet", Options{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if c.cancel {
				cancel()
			}
			defer cancel()
			if _, err = s.Run(ctx, one(1)); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if name, why := f.Provider(); name != "CUDA" || why != "" {
				t.Errorf("went to %s: %s", name, why)
			}
		})
	}
}

func TestFallbackMovesOnlyWhatIsOpen(t *testing.T) {
	gpu := &fakeDevice{name: "CUDA", keeps: true, fail: map[string]error{}}
	cpu := &fakeDevice{name: "CPU", keeps: true, fail: map[string]error{}}
	f := NewFallback(gpu, func() (Runtime, error) { return cpu, nil })
	kv, _ := f.Open("kv", Options{})
	unet, _ := f.Open("unet", Options{})
	kept, err := kv.(Keeper).Keep(t.Context(), map[string]*tensor.Tensor{"x": one(1)["x"], "y": one(2)["x"]})
	if err != nil {
		t.Fatal(err)
	}
	kept["y"].Close()
	gpu.fail["run unet"] = lost("gone")
	out, err := unet.(Keeper).RunKept(t.Context(), nil, map[string]Value{"x": kept["x"]})
	if err != nil || out["x"].F32[0] != 4 || cpu.alive != 1 {
		t.Errorf("%v, %v, %d values on the processor", slices.Collect(maps.Keys(out)), err, cpu.alive)
	}
	kept["x"].Close()
	if gpu.alive+cpu.alive != 0 {
		t.Errorf("%d and %d values are left", gpu.alive, cpu.alive)
	}
}

// Cancelling while the processor takes over, or an error then, leaves values that can be closed, and moved again.
func TestFallbackMovesAllOrNothing(t *testing.T) {
	wrong := errors.New("not enough memory")
	for n := range 8 {
		keeps, cancels, again := n&1 != 0, n&2 != 0, n&4 != 0
		t.Run(fmt.Sprintf("keeps %v, cancels %v, again %v", keeps, cancels, again), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			gpu := &fakeDevice{name: "CUDA", keeps: keeps, fail: map[string]error{}}
			cpu := &fakeDevice{name: "CPU", keeps: keeps, fail: map[string]error{}}
			want := wrong
			if cancels {
				cpu.before, want = cancel, context.Canceled
			} else {
				cpu.fail["run kv"] = wrong
			}
			f := NewFallback(gpu, func() (Runtime, error) { return cpu, nil })
			kv, _ := f.Open("kv", Options{})
			unet, _ := f.Open("unet", Options{})
			kept, err := kv.(Keeper).Keep(ctx, map[string]*tensor.Tensor{"x": one(1)["x"], "y": one(2)["x"]})
			if err != nil {
				t.Fatal(err)
			}
			kept["y"].Close()
			gpu.fail["run unet"] = lost("gone")
			if _, err := unet.(Keeper).RunKept(ctx, nil, map[string]Value{"x": kept["x"]}); !errors.Is(err, want) {
				t.Errorf("%v, not %v", err, want)
			}
			if again {
				cpu.before, cpu.fail["run kv"] = nil, nil
				out, err := unet.(Keeper).RunKept(t.Context(), nil, map[string]Value{"x": kept["x"]})
				if err != nil || out["x"].F32[0] != 4 {
					t.Errorf("the next run: %v, %v", out, err)
				}
			}
			CloseAll(kept)
			if gpu.alive+cpu.alive != 0 || cpu.opened != 1 {
				t.Errorf("%d and %d values are left, %d sessions", gpu.alive, cpu.alive, cpu.opened)
			}
		})
	}
}
