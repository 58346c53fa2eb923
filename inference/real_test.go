package inference_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/bundle/bundletest"
	"realword/inference/ort/orttest"
)

const data = "../assets/golden/data"

func TestMain(m *testing.M) { bundletest.Main(m) }

// engineOf opens a model on the CPU until the test ends.
func engineOf(t *testing.T, b *bundle.Bundle) *inference.Engine {
	t.Helper()
	e := inference.New(orttest.Shared(t), b)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// grey is a reference without anything on it, as a PNG file.
func grey(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 20, 30))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// What the fake runtime shows of the engine holds on ONNX Runtime: batches and branches are bit-equal, cancelling leaves
// the engine in order.
func TestEngineOnRealGraphs(t *testing.T) {
	e, file := engineOf(t, bundletest.Golden(t, "tiny-xl")), grey(t)
	r := inference.Request{
		Prompt: "a dog on the beach", Settings: inference.Settings{Preset: "release", Steps: 4}, Seeds: []uint64{1, 2},
		Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: file}}}},
	}
	run := func(r inference.Request, stopAfter int) (steps []inference.StepDone, pictures []inference.PictureReady, err error) {
		t.Helper()
		job, startErr := e.Start(context.Background(), r)
		if startErr != nil {
			t.Fatal(startErr)
		}
		for event := range job.Events() {
			switch event := event.(type) {
			case inference.StepDone:
				if steps = append(steps, event); len(steps) == stopAfter {
					job.Cancel()
				}
			case inference.PictureReady:
				pictures = append(pictures, event)
			case inference.Failed:
				err = event.Err
			}
		}
		return steps, pictures, err
	}
	steps, batch, err := run(r, 0)
	if err != nil || len(batch) != 2 || len(steps) != 8 {
		t.Fatalf("%d pictures, %d steps: %v", len(batch), len(steps), err)
	}
	if _, _, err := run(r, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled job ends with %v", err)
	}
	for n, p := range batch {
		if _, alone, err := run(p.Recipe, 0); err != nil || !bytes.Equal(alone[0].Image.Pix, p.Image.Pix) {
			t.Errorf("picture %d alone differs from picture %d of the batch: %v", n, n, err)
		}
	}
	for k := range 3 {
		branch := batch[1].Recipe
		branch.From = &steps[4+k].State
		if _, again, err := run(branch, 0); err != nil || !bytes.Equal(again[0].Image.Pix, batch[1].Image.Pix) {
			t.Errorf("the branch from step %d differs: %v", k+1, err)
		}
	}
}
