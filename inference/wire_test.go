package inference

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/session"
)

// TestARunGoesOnElsewhere sends a request, the state of a kept step and every event through bytes, and goes on with an engine
// that shares nothing with the first: the rest of the steps and the picture have the same bits.
func TestARunGoesOnElsewhere(t *testing.T) {
	for _, preset := range []string{"paper", "release"} {
		here, there := newBench(t), newBench(t)
		r := here.dog()
		r.Prompt, r.Preset, r.Steps, r.Stop = "a dog and a cat on the beach", preset, 6, 3
		r.Subjects = append(r.Subjects, here.subject("cat", blue, red))
		r, err := here.engine.Resolve(r)
		if err != nil {
			t.Fatal(err)
		}
		whole := sent(t, here.run(r))
		steps := of[StepDone](whole)
		for _, k := range []int{1, 4} { // before and after T_stop
			asked := overBytes(t, r, EncodeRequest, DecodeRequest)
			state := overBytes(t, steps[k-1].State, EncodeState, DecodeState)
			asked.From = &state
			asked = overBytes(t, asked, EncodeRequest, DecodeRequest)
			rest := sent(t, there.run(asked))
			for i, s := range of[StepDone](rest) {
				if !reflect.DeepEqual(s, steps[k+i]) {
					t.Errorf("%s from step %d: step %d differs", preset, k, s.Step)
				}
			}
			if got, want := of[PictureReady](rest)[0], of[PictureReady](whole)[0]; !slices.Equal(got.Image.Pix, want.Image.Pix) {
				t.Errorf("%s from step %d: another picture", preset, k)
			}
		}
	}
}

// overBytes is what comes out of a value's bytes, which must be the same.
func overBytes[V any](t *testing.T, v V, encode func(V) ([]byte, error), decode func([]byte) (V, error)) V {
	t.Helper()
	data, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(data)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Fatalf("%v: read %+v, want %+v", err, got, v)
	}
	for _, bad := range [][]byte{nil, {9}, data[:len(data)/2]} {
		if _, err := decode(bad); err == nil {
			t.Errorf("%d bad bytes of %T were read", len(bad), v)
		}
	}
	return got
}

func sent(t *testing.T, events []Event) []Event {
	t.Helper()
	for i, e := range events {
		events[i] = overBytes(t, e, EncodeEvent, DecodeEvent)
	}
	return events
}

// TestHashesOfARequestAreNotBelieved when it comes as bytes.
func TestHashesOfARequestAreNotBelieved(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects[0].References[0].SHA256 = strings.Repeat("a", 64)
	r.Subjects[0].Region.Painted = paint(t, leftHalf)
	r.Subjects[0].Region.SHA256 = strings.Repeat("b", 64)
	data, err := EncodeRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeRequest(data)
	s := got.Subjects[0]
	if err != nil || s.References[0].SHA256 != files.Sum(s.References[0].Data) || s.Region.SHA256 != files.Sum(s.Region.Data) {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestErrorsSurviveAsBytes as far as a receiver asks for them.
func TestErrorsSurviveAsBytes(t *testing.T) {
	short := &memory.Error{Plan: memory.Plan{Peak: 9e9, Remedies: []memory.Remedy{{Text: "768 × 768 pixels", Peak: 3e9}}}, Err: session.ErrMemory}
	for _, err := range []error{context.Canceled, fmt.Errorf("run the unet graph: %w", session.ErrMemory), short, errors.New("no kernel")} {
		data, encodeErr := EncodeEvent(Failed{err})
		event, decodeErr := DecodeEvent(data)
		got, ok := event.(Failed)
		if !ok {
			t.Fatal(encodeErr, decodeErr)
		}
		var plan *memory.Error
		if got.Err.Error() != err.Error() || errors.Is(got.Err, context.Canceled) != errors.Is(err, context.Canceled) ||
			errors.Is(got.Err, session.ErrMemory) != errors.Is(err, session.ErrMemory) || errors.As(got.Err, &plan) != errors.As(err, new(*memory.Error)) ||
			plan != nil && !reflect.DeepEqual(plan.Plan, short.Plan) {
			t.Errorf("%v came back as %v", err, got.Err)
		}
	}
}
