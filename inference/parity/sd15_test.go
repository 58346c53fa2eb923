package parity

import (
	"context"
	"image"
	"path/filepath"
	"testing"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/ort/orttest"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// TestStableDiffusion15 takes the paper's other base from checkpoint to picture: a single file in the layout of the original
// programs under visual weights, with the paper's settings as defaults.
func TestStableDiffusion15(t *testing.T) {
	o := synthetic.Options{Sizes: synthetic.TinySD15, Layout: synthetic.LDM, DType: tensor.F16}
	files, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(t.TempDir(), "sd15")
	if err := synthetic.Write(context.Background(), src, files, o, nil); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.ImportWith(context.Background(), src, filepath.Join(t.TempDir(), "bundle"), bundle.Options{Base: filepath.Join(src, "sd15.safetensors")})
	if err != nil {
		t.Fatal(err)
	}
	e := inference.New(orttest.CPU(t), b)
	defer e.Close()
	r := inference.Request{
		Prompt: "a dog on the beach", Seeds: []uint64{5},
		Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: assets.Samples()[0].Data}}}},
	}
	whole, err := e.Resolve(r)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Steps != 50 || whole.Stop != 25 || whole.CFG != 12.5 || whole.Sampler != "ddim" || whole.Width != 512 || whole.Height != 512 {
		t.Errorf("the paper's settings are 50 steps of DDIM with ω 12.5 and T_stop 25 at 512², got %+v", whole)
	}
	r.Width, r.Height, r.Steps = 128, 192, 2
	job, err := e.Start(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	pictures := 0
	for event := range job.Events() {
		switch event := event.(type) {
		case inference.PictureReady:
			pictures++
			if size := event.Image.Bounds().Size(); size != image.Pt(128, 192) || event.Recipe.Stop != 1 {
				t.Errorf("a picture of %v with T_stop %d", size, event.Recipe.Stop)
			}
		case inference.StepDone:
			if len(event.Subjects) != 1 || len(event.Subjects[0].Mask) != 16*24 {
				t.Errorf("step %d has no mask", event.Step)
			}
		case inference.Failed:
			t.Fatal(event.Err)
		}
	}
	if pictures != 1 {
		t.Errorf("%d pictures", pictures)
	}
}
