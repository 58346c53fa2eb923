package farm

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"image"
	"time"

	"realword/inference"
	"realword/inference/memory"
)

// fakeEngine makes pictures that depend on the prompt, the files and the seed alone, each step on the one before, and takes its time.
type fakeEngine struct {
	step    time.Duration
	spoil   func(*inference.PictureReady) // what a computer that lies sends
	bend    func(*inference.StepDone)     // what becomes of its steps
	fail    func(inference.Request) error // of a run
	refuse  func(inference.Request) error // of Start
	started func(inference.Request)
	stepped func(inference.Request, int)
	plan    func(inference.Request) (memory.Plan, bool) // what a request needs; nil: nobody knows
}

func (f *fakeEngine) Memory(r inference.Request) (p memory.Plan, ok bool) {
	if f.plan == nil {
		return p, false
	}
	return f.plan(r)
}

type fakeJob struct {
	events chan inference.Event
	cancel context.CancelFunc
}

func (j fakeJob) Events() <-chan inference.Event { return j.events }
func (j fakeJob) Cancel()                        { j.cancel() }

func (f *fakeEngine) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	if f.refuse != nil {
		if err := f.refuse(r); err != nil {
			return nil, err
		}
	}
	if f.started != nil {
		f.started(r)
	}
	ctx, cancel := context.WithCancel(ctx)
	j := fakeJob{make(chan inference.Event, 8), cancel}
	go func() {
		defer close(j.events)
		defer cancel()
		if err := f.run(ctx, r, j.events); err != nil {
			j.events <- inference.Failed{Err: err}
			return
		}
		j.events <- inference.Done{Pictures: len(r.Seeds)}
	}()
	return j, nil
}

// latent is the state of a run after its steps: a chain of hashes.
func latent(r inference.Request, seed uint64, steps int) []float32 {
	h := fnv.New64a()
	h.Write([]byte(r.Prompt))
	for _, f := range r.Files() {
		h.Write(*f.Data)
	}
	out := []float32{float32(h.Sum64() % 1e6), float32(seed % 1e6)}
	for k := range steps {
		out = next(out, k)
	}
	return out
}

func next(l []float32, step int) []float32 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, l)
	_ = binary.Write(h, binary.LittleEndian, int64(step))
	return []float32{float32(h.Sum64() % 1e6), float32(h.Sum64() >> 40 % 1e6)}
}

func (f *fakeEngine) run(ctx context.Context, r inference.Request, events chan inference.Event) error {
	pass := 0
	for n, seed := range r.Seeds {
		first, state := 0, latent(r, seed, 0)
		if r.From != nil {
			first, state = r.From.Step, r.From.Latent
		}
		events <- inference.StageStarted{Stage: inference.StageDenoise, Picture: n, Provider: "Fake"}
		for k := first; k < r.Steps; k++ {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(f.step):
			}
			if f.fail != nil {
				if err := f.fail(r); err != nil {
					return err
				}
			}
			state = next(state, k)
			pass++
			if f.stepped != nil {
				f.stepped(r, k)
			}
			events <- inference.Progress{Pass: pass, Passes: (r.Steps - first) * len(r.Seeds)}
			step := inference.StepDone{
				Picture: n, Step: k, Steps: r.Steps, Clean: state, Preview: image.NewRGBA(image.Rect(0, 0, 8, 8)),
				GridWidth: 2, GridHeight: 1,
				State: inference.State{Step: k + 1, Width: r.Width, Height: r.Height, Steps: r.Steps, Seed: seed, Latent: state},
			}
			for range r.Subjects {
				step.Subjects = append(step.Subjects, inference.SubjectStep{Mask: []float32{1, 0}})
			}
			if f.bend != nil {
				f.bend(&step)
			}
			events <- step
		}
		events <- inference.StageStarted{Stage: inference.StageDecode, Picture: n, Provider: "Fake"}
		recipe := r
		recipe.Seeds, recipe.Subjects = []uint64{seed}, inference.CloneSubjects(r.Subjects)
		ready := inference.PictureReady{Picture: n, Seed: seed, Image: painted(r, state), Recipe: recipe}
		if f.spoil != nil {
			f.spoil(&ready)
		}
		events <- ready
	}
	return nil
}

// painted is the picture of the last state.
func painted(r inference.Request, state []float32) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, r.Width, r.Height))
	for i := range img.Pix {
		img.Pix[i] = byte(int(state[i%2]) >> (i / 2 % 3 * 8))
	}
	return img
}

// request asks for pictures of a fake engine.
func request(prompt string, steps, pictures int) inference.Request {
	r := inference.Request{Prompt: prompt}
	r.Width, r.Height, r.Steps = 16, 8, steps
	r.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: []byte("a picture of " + prompt)}}}}
	for _, f := range r.Files() {
		*f.SHA256 = sumOf(*f.Data)
	}
	for n := range pictures {
		r.Seeds = append(r.Seeds, uint64(1000+n))
	}
	return r
}
