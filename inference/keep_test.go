package inference

import (
	"context"
	"slices"
	"testing"

	"realword/inference/session"
	"realword/inference/tensor"
)

// keepingRuntime is fakeRuntime on a device that keeps values.
type keepingRuntime struct {
	*fakeRuntime
	alive int // kept values that are not closed
	kept  int // that there ever were
}

func (r *keepingRuntime) Open(path string, opts session.Options) (session.Session, error) {
	s, err := r.fakeRuntime.Open(path, opts)
	return keepingSession{s, r}, err
}

type keepingSession struct {
	session.Session
	runtime *keepingRuntime
}

type keptTensor struct {
	t       *tensor.Tensor
	runtime *keepingRuntime
	closed  bool
}

func (k *keptTensor) DType() tensor.DType { return k.t.DType }
func (k *keptTensor) Shape() []int        { return k.t.Shape }
func (k *keptTensor) Close() {
	if !k.closed {
		k.closed = true
		k.runtime.alive--
	}
}

func (s keepingSession) Keep(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]session.Value, error) {
	out, err := s.Run(ctx, in, outputs...)
	kept := map[string]session.Value{}
	for name, t := range out {
		s.runtime.alive++
		s.runtime.kept++
		kept[name] = &keptTensor{t: t, runtime: s.runtime}
	}
	return kept, err
}

func (s keepingSession) RunKept(ctx context.Context, in map[string]*tensor.Tensor, kept map[string]session.Value, outputs ...string) (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	for name, t := range in {
		all[name] = t
	}
	for name, v := range kept {
		if k := v.(*keptTensor); k.closed {
			s.runtime.t.Errorf("%s is read after it was closed", name)
		} else {
			all[name] = k.t
		}
	}
	return s.Run(ctx, all, outputs...)
}

// A device that keeps values changes no picture, and a job leaves nothing with it, however it ends.
func TestNothingStaysWithTheDevice(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	plain := of[StepDone](b.run(r))

	rt := &keepingRuntime{fakeRuntime: b.runtime}
	engine := New(rt, b.model)
	run := func(stopAt int) []StepDone {
		job, err := engine.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		var steps []StepDone
		for event := range job.Events() {
			if step, ok := event.(StepDone); ok {
				if steps = append(steps, step); len(steps) == stopAt {
					job.Cancel()
				}
			}
		}
		return steps
	}
	steps := run(0)
	if len(steps) != len(plain) || !slices.Equal(steps[len(steps)-1].Clean, plain[len(plain)-1].Clean) {
		t.Error("kept values change the picture")
	}
	run(3)
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
	if rt.kept == 0 || rt.alive != 0 {
		t.Errorf("of %d kept values %d are not closed", rt.kept, rt.alive)
	}
}
