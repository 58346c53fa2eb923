package inference_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/lora"
	"realword/inference/memory"
	"realword/inference/ort/orttest"
)

// loraFolder is a folder of LoRAs for tests.
func loraFolder(t *testing.T) *lora.Library {
	t.Helper()
	l := lora.NewLibrary(t.TempDir())
	for _, name := range []string{"tiny-xl-kohya", "tiny-xl-lokr", "tiny-kohya"} {
		if _, err := l.Take(filepath.Join(data, "loras", name+".safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestLoRARequests makes pictures with LoRAs: what they change, what a request remembers of them, and that nothing of them stays.
func TestLoRARequests(t *testing.T) {
	e := engineOf(t, bundletest.Golden(t, "tiny-xl"))
	folder := loraFolder(t)
	e.UseLoRAs(folder)
	base := inference.Request{Prompt: "a dog on the beach", Settings: inference.Settings{Steps: 2, Width: 64, Height: 64}, Seeds: []uint64{3}}
	with := func(loras string) inference.Request {
		r := base
		r.LoRAs = loras
		return r
	}
	paint := func(r inference.Request) ([]byte, inference.Request) {
		t.Helper()
		job, err := e.Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var pixels []byte
		for event := range job.Events() {
			switch event := event.(type) {
			case inference.PictureReady:
				pixels, r = event.Image.Pix, event.Recipe
			case inference.Failed:
				t.Fatal(event.Err)
			}
		}
		return pixels, r
	}
	plain, _ := paint(base)
	one, recipe := paint(with("<lora:tiny-xl-kohya:0.4>"))
	uses, err := lora.Parse(recipe.LoRAs)
	if err != nil || len(uses) != 1 || len(uses[0].SHA256) != 64 {
		t.Fatal(recipe.LoRAs, err)
	}
	other, _ := paint(with("<lora:tiny-xl-kohya:-0.4>"))
	both, _ := paint(with("<lora:tiny-xl-kohya:0.4>, <lora:tiny-xl-lokr:1.5>"))
	for name, p := range map[string][]byte{"one": one, "another weight": other, "two": both} {
		if slices.Equal(p, plain) {
			t.Errorf("%s: it is the picture without LoRAs", name)
		}
	}
	if slices.Equal(one, other) || slices.Equal(one, both) {
		t.Error("weights or LoRAs change nothing")
	}
	if again, _ := paint(recipe); !slices.Equal(again, one) {
		t.Error("its recipe makes another picture")
	}
	off, recipe := paint(with("<lora:tiny-xl-kohya:0.4:off>"))
	if !slices.Equal(off, plain) || recipe.LoRAs != "" {
		t.Errorf("a LoRA that is off changes the picture, or stays in the recipe: %q", recipe.LoRAs)
	}

	path, err := folder.Find("tiny-xl-kohya")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, filepath.Join(filepath.Dir(path), "twin.safetensors")); err != nil {
		t.Fatal(err)
	}
	for loras, want := range map[string]string{
		"<lora:tiny-xl-kohya:1><lora:twin:0.5>": "the LoRA twin is the same file as tiny-xl-kohya: leave one out, and add the weights",

		"<lora:nobody:1>":     "there is no LoRA called nobody in the folder",
		"<lora:tiny-kohya:1>": "was made for another model",
		"<lora:tiny-xl-kohya:1><lora:tiny-xl-kohya:0.5>":         "in the list twice",
		"<lora:tiny-xl-kohya:1:" + strings.Repeat("0", 64) + ">": "is another file than the one that was chosen",
		"<lora:tiny-xl-kohya:7>":                                 "outside −2 to 2",
		"nonsense":                                               "write <lora:name:0.8>",
	} {
		if _, err := e.Resolve(with(loras)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", loras, err)
		}
	}
}

// TestATroubleOfALoRAPasses: what keeps a file from being read may go without its having another size or time.
func TestATroubleOfALoRAPasses(t *testing.T) {
	e, folder := engineOf(t, bundletest.Golden(t, "tiny-xl")), loraFolder(t)
	e.UseLoRAs(folder)
	path, err := folder.Find("tiny-xl-kohya")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".aria2", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.LoRA(t.Context(), "tiny-xl-kohya"); err == nil || !strings.Contains(err.Error(), "unfinished download") {
		t.Errorf("an unfinished download: %v", err)
	}
	if err := os.Remove(path + ".aria2"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.LoRA(t.Context(), "tiny-xl-kohya"); err != nil {
		t.Errorf("once it is finished: %v", err)
	}

	// With another strength beside it, it is another LoRA.
	with := inference.Request{Prompt: "a dog", Settings: inference.Settings{LoRAs: "<lora:tiny-xl-kohya:1>"}, Seeds: []uint64{3}}
	before, err := e.Resolve(with)
	if err != nil {
		t.Fatal(err)
	}
	config := strings.TrimSuffix(path, ".safetensors") + ".adapter_config.json"
	if err := os.WriteFile(config, []byte(`{"lora_alpha":8}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Resolve(before); err == nil || !strings.Contains(err.Error(), "another file than the one") {
		t.Errorf("its strength is another one: %v", err)
	}
	if _, err := e.Resolve(with); err != nil {
		t.Error(err)
	}
}

// TestMemoryCountsLoRAs compares what a plan says of LoRAs with the inputs that real files become.
func TestMemoryCountsLoRAs(t *testing.T) {
	b := bundletest.Golden(t, "tiny-xl")
	e := engineOf(t, b)
	folder := loraFolder(t)
	e.UseLoRAs(folder)
	held := func(names ...string) int64 {
		t.Helper()
		w, err := inference.NewGraphs(orttest.Shared(t), b).Weights()
		if err != nil {
			t.Fatal(err)
		}
		var parts []lora.Part
		for _, name := range names {
			f, err := lora.Open(filepath.Join(folder.Dir, name+".safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			m := b.Manifest()
			fit, err := f.Fit(w.Shapes, m.Name, m.Family)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, lora.Part{File: f, Fit: fit, Weight: 1})
		}
		a, err := w.Adapt(t.Context(), parts)
		if err != nil {
			t.Fatal(err)
		}
		return a.Bytes()
	}
	plan := func(loras string) memory.Plan {
		t.Helper()
		p, ok := e.Memory(inference.Request{Prompt: "a dog", Settings: inference.Settings{Width: 64, Height: 64, LoRAs: loras}})
		if !ok {
			t.Fatal("nothing is said")
		}
		return p
	}
	plain := plan("")
	for loras, want := range map[string]int64{
		"<lora:tiny-xl-kohya:0.4>":                          held("tiny-xl-kohya"),
		"<lora:tiny-xl-kohya:0.4><lora:tiny-xl-lokr:1>":     held("tiny-xl-kohya", "tiny-xl-lokr"),
		"<lora:tiny-xl-kohya:0.4><lora:tiny-xl-lokr:1:off>": held("tiny-xl-kohya"),
		"<lora:tiny-xl-kohya:0.4:off><lora:nobody:1>":       0,
		"<lora:tiny-kohya:1>":                               0,
	} {
		p := plan(loras)
		for i, u := range p.Stages {
			if u.LoRAs < want || u.LoRAs > want/2*3 || u.Held()-plain.Stages[i].Held() != u.LoRAs {
				t.Errorf("%s: %s plans %d bytes for LoRAs, which hold %d, and %d more in all", loras, u.Stage, u.LoRAs, want,
					u.Held()-plain.Stages[i].Held())
			}
		}
		if p.Peak-plain.Peak != p.LoRAs() {
			t.Errorf("%s: the peak rises by %d, the plan says %d", loras, p.Peak-plain.Peak, p.LoRAs())
		}
	}
}
