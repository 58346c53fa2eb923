package inference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"realword/inference/memory"
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
	if err != nil {
		return nil, err // as package ort does
	}
	kept := map[string]session.Value{}
	for name, t := range out {
		s.runtime.alive++
		s.runtime.kept++
		kept[name] = &keptTensor{t: t, runtime: s.runtime}
	}
	return kept, nil
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

// failingRuntime is a device that fails in a run of the U-Net; the processor is fakeRuntime.
type failingRuntime struct {
	*fakeRuntime
	passes int // until it fails
}

func (r *failingRuntime) Provider() (name, why string) { return "CUDA", "" }

func (r *failingRuntime) Open(path string, opts session.Options) (session.Session, error) {
	s, err := r.fakeRuntime.Open(path, opts)
	return failingSession{s, r, path}, err
}

type failingSession struct {
	session.Session
	runtime *failingRuntime
	path    string
}

func (s failingSession) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	if s.path == "unet" {
		if s.runtime.passes--; s.runtime.passes < 0 {
			return nil, &session.DeviceError{Device: "CUDA", Why: "the device is lost", Err: errors.New("run: the device is lost")}
		}
	}
	return s.Session.Run(ctx, in, outputs...)
}

// A device that fails in the middle of a picture costs neither a step nor the picture, and both are told where it computes.
func TestALostDeviceCostsNothing(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	plain := of[StepDone](b.run(r))
	gpu := &failingRuntime{b.runtime, 20}
	engine := New(session.NewFallback(gpu, func() (session.Runtime, error) { return placed{b.runtime}, nil }), b.model)
	defer engine.Close()
	run := func() (steps []StepDone, said []string) {
		job, err := engine.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		for event := range job.Events() {
			switch e := event.(type) {
			case StepDone:
				steps = append(steps, e)
			case StageStarted:
				said = append(said, string(e.Stage)+" "+e.Provider)
			case DeviceChanged:
				said = append(said, e.Provider+": "+e.Why)
			case Failed:
				t.Fatal(e.Err)
			}
		}
		return steps, said
	}
	steps, said := run()
	if len(steps) != len(plain) || !slices.Equal(steps[len(steps)-1].Clean, plain[len(plain)-1].Clean) {
		t.Error("the picture is another one")
	}
	want := []string{"load CUDA", "text CUDA", "vision CUDA", "denoise CUDA", "CPU: CUDA failed, so the CPU goes on: the device is lost", "decode CPU"}
	if !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	want = []string{"CPU: CUDA failed, so the CPU goes on: the device is lost", "load CPU", "text CPU", "vision CPU", "denoise CPU", "decode CPU"}
	if _, said := run(); !slices.Equal(said, want) {
		t.Errorf("the next job: %q", said)
	}
}

// tightCard is a device without memory for one large picture.
type tightCard struct{ *fakeRuntime }

func (tightCard) Provider() (name, why string) { return "CUDA", "" }

func (r tightCard) Open(path string, opts session.Options) (session.Session, error) {
	s, err := r.fakeRuntime.Open(path, opts)
	return tightSession{s, path}, err
}

type tightSession struct {
	session.Session
	path string
}

func (s tightSession) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	if s.path == "unet" && len(in["sample"].F32) > 500 {
		return nil, &session.DeviceError{Device: "CUDA", OutOfMemory: true, Why: "out of memory", Err: errors.New("out of memory")}
	}
	return s.Session.Run(ctx, in, outputs...)
}

// One picture that is too large for the card is made elsewhere, and says so; the next one is made on the card again.
func TestOneLargePicture(t *testing.T) {
	b := newBench(t)
	card := session.NewFallback(tightCard{b.runtime}, func() (session.Runtime, error) { return placed{b.runtime}, nil })
	engine := New(card, b.model)
	defer engine.Close()
	m := b.model.Manifest()
	for n, side := range []int{m.Size.Width, m.Size.Max, m.Size.Width, m.Size.Max, m.Size.Max} {
		r := b.dog()
		r.Width, r.Height = side, side
		job, err := engine.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		where, told := "", 0
		for e := range job.Events() {
			switch e := e.(type) {
			case StageStarted:
				where = e.Provider
			case DeviceChanged:
				told++
			case Failed:
				t.Fatal(e.Err)
			}
		}
		if large := side == m.Size.Max; large != (where == "CPU") || large != (told == 1) {
			t.Errorf("job %d of %d pixels: on %s; told %d times", n+1, side, where, told)
		}
	}
}

type placed struct{ *fakeRuntime }

func (placed) Provider() (name, why string) { return "CPU", "" }

// sized is a runtime that tells what a graph holds: a U-Net of 4 GB.
type sized struct {
	*fakeRuntime
	name string
}

func (s sized) Provider() (name, why string) { return s.name, "" }
func (s sized) Weights(path string) ([]session.Weight, error) {
	if path == "unet" {
		return []session.Weight{{Name: "w", Shape: []int{1 << 30}, Bytes: 4 << 30}}, nil
	}
	return nil, nil
}

// The processor's memory decides nothing on a graphics card, but what runs there is opened and closed in the same order.
func TestMemoryIsThatOfTheProcessor(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]bool{"CPU": true, "CUDA": false} {
		device := sized{b.runtime, name}
		for _, rt := range []Runtime{device, session.NewFallback(device, nil)} {
			engine := New(rt, b.model)
			if _, ok := engine.Memory(r); ok != says {
				t.Errorf("%s in %T: %v", name, rt, ok)
			}
			if !engine.large() {
				t.Errorf("%s in %T: not large", name, rt)
			}
			if err := engine.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// compiling is a runtime that compiles the U-Net for the processor.
type compiling struct {
	sized
	peak int64
}

func (c compiling) Compiled(path string, _ session.Options, changed bool) (o session.Opened, ok bool) {
	o = session.Opened{Peak: c.peak, Stays: 1 << 30}
	if changed {
		o.Peak *= 2
	}
	return o, path == "unet"
}

// Where a graph is compiled for the processor, the plan says what that takes; where there is no room for it, what the way without takes.
func TestMemoryOfCompiledGraphs(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	const small, huge = 3 << 30, 1 << 50
	for _, c := range []struct {
		peak    int64
		without string
	}{{small, ""}, {huge, "OpenVINO"}} {
		device := compiling{sized{b.runtime, "OpenVINO"}, c.peak}
		for _, rt := range []Runtime{device, session.NewFallback(device, nil)} {
			engine := New(rt, b.model)
			p, ok := engine.Memory(r)
			if !ok || p.Without != c.without || p.Device != "" {
				t.Errorf("%d bytes, %T: %+v, %v", c.peak, rt, p, ok)
			}
			for _, u := range p.Stages {
				if u.Stage != "denoise" {
					continue
				}
				if compiled := u.Held() >= small && u.Held() < small+small/8; compiled != (c.without == "") {
					t.Errorf("%d bytes, %T: %+v", c.peak, rt, u)
				}
			}
			if err := engine.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	g := NewGraphs(compiling{sized{b.runtime, "OpenVINO"}, small}, b.model)
	if g.compiled(true)["unet"].Peak != 2*small || g.compiled(false)["unet"].Peak != small || len(g.compiled(false)) != 1 {
		t.Errorf("with LoRAs %v, without %v", g.compiled(true), g.compiled(false))
	}
	for name, compiles := range map[string]bool{"OpenVINO": true, "CUDA": false} {
		var rt Runtime = sized{b.runtime, name}
		if compiles {
			rt = compiling{sized{b.runtime, name}, small}
		}
		if g := NewGraphs(rt, b.model); g.compiles() != compiles {
			t.Errorf("%s compiles: %v", name, !compiles)
		}
	}
}

// carded is a runtime on a card with so much memory.
type carded struct {
	sized
	total int64
}

// Weights are 4 GB of the U-Net, and half a GB of every other graph.
func (c carded) Weights(path string) ([]session.Weight, error) {
	if path == "unet" {
		return c.sized.Weights(path)
	}
	return []session.Weight{{Name: "w", Shape: []int{1, 1 << 27}, Bytes: 1 << 29}}, nil
}

func (c carded) Card() (session.Card, bool) {
	return session.Card{Name: c.name, Total: c.total}, c.name != "CPU"
}

// TestMemoryOnACard: the plan is of the card's memory, and of the processor's from when that goes on.
func TestMemoryOnACard(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	card := carded{sized{b.runtime, "CUDA"}, 3 << 30}
	cpu := sized{b.runtime, "CPU"}
	both := session.NewFallback(card, func() (Runtime, error) { return cpu, nil })
	for _, rt := range []Runtime{card, both} {
		engine := New(rt, b.model)
		p, ok := engine.Memory(r)
		if !ok || p.Device != "CUDA" || p.Available != 3<<30 || p.Verdict != memory.Doubtful || p.Peak < 4<<30 {
			t.Errorf("%T: %v, %+v", rt, ok, p)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}
	engine := New(both, b.model)
	b.runtime.openErr = &session.DeviceError{Device: "CUDA", OutOfMemory: true, Why: "no memory"}
	if _, err := both.Open("unet", session.Options{}); err == nil {
		t.Error("it opened")
	}
	b.runtime.openErr = nil
	if p, ok := engine.Memory(r); !ok || p.Device != "" || p.Available == 3<<30 {
		t.Errorf("on the processor: %v, %+v", ok, p)
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
}

// TestTheUNetMakesRoom: on a card that has no room for both, it is closed before the picture is decoded, and before the next job's texts
// are read where a job was stopped in its middle; on one that has, it stays.
func TestTheUNetMakesRoom(t *testing.T) {
	for total, closes := range map[int64]bool{7 << 30: true, 64 << 30: false, 0: false} {
		b := newBench(t)
		engine := New(carded{sized{b.runtime, "CUDA"}, total}, b.model)
		run := func(stop bool) {
			t.Helper()
			job, err := engine.Start(t.Context(), b.dog())
			if err != nil {
				t.Fatal(err)
			}
			for e := range job.Events() {
				switch e := e.(type) {
				case StepDone:
					if stop {
						job.Cancel()
					}
				case Failed:
					if !stop {
						t.Error(e.Err)
					}
				}
			}
		}
		open := func() bool {
			b.runtime.mu.Lock()
			defer b.runtime.mu.Unlock()
			n := 0
			for _, name := range b.runtime.opened {
				if name == "unet" {
					n++
				}
			}
			for _, name := range b.runtime.closed {
				if name == "unet" {
					n--
				}
			}
			return n > 0
		}
		b.runtime.before = func(_ context.Context, graph string) error {
			beside := slices.Contains([]string{"text", "text_kv", "vision", "vision_kv", "decoder"}, graph)
			if was := open(); closes && was && beside || !closes && !was && graph == "decoder" {
				t.Errorf("of %d bytes: %s runs, and the U-Net is open: %t", total, graph, was)
			}
			return nil
		}
		run(false)
		run(true)
		run(false)
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}
}

// stumbling is a runtime that cannot read the first graphs.
type stumbling struct {
	sized
	fails *int
}

func (s stumbling) Weights(path string) ([]session.Weight, error) {
	if *s.fails--; *s.fails >= 0 {
		return nil, errors.New("too many open files")
	}
	return s.sized.Weights(path)
}

// What a model's graphs hold is asked again where it could not be read: a large model is not small for good, nor without LoRAs.
func TestGraphsAreReadAgain(t *testing.T) {
	b := newBench(t)
	fails := 2
	engine := New(stumbling{sized{b.runtime, "CPU"}, &fails}, b.model)
	defer engine.Close()
	if large, again := engine.large(), fails == 1; large || !again {
		t.Error("it is large without having been read")
	}
	if _, err := engine.weights(); err == nil {
		t.Error("there are weights without having been read")
	}
	if _, err := engine.weights(); err != nil || !engine.large() {
		t.Errorf("it is not read again: %v", err)
	}
}

func TestLackOfMemoryIsASentence(t *testing.T) {
	b := newBench(t)
	err := fmt.Errorf("run the decoder graph: %w: bad allocation", session.ErrMemory)
	if got := b.engine.shortOf(err, Request{}); !errors.Is(got, session.ErrMemory) || !strings.Contains(got.Error(), "choose a smaller picture") {
		t.Errorf("without sizes: %v", got)
	}
	if other := errors.New("other"); !errors.Is(b.engine.shortOf(other, Request{}), other) {
		t.Error("another error was changed")
	}
}
