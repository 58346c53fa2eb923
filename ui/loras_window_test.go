package ui

import (
	"path/filepath"
	"testing"

	"realword/inference/lora"
)

// TestDropLoRA drops a LoRA on the window: it joins the list, and pictures still become cards.
func TestDropLoRA(t *testing.T) {
	folder := lora.NewLibrary(filepath.Join(t.TempDir(), "loras"))
	b := ready(t, func(o *Options) { o.LoRAs = folder })
	path, err := filepath.Abs("../assets/golden/data/loras/tiny-xl-kohya.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	b.drop(nil, path)
	if got := b.state.Form.LoRAs; got != "<lora:tiny-xl-kohya:1>" || len(folder.Files()) != 1 || len(b.set.LoRAs.Rows) != 1 {
		t.Fatal(got, folder.Files())
	}
	b.state.Form.Prompt = "a dog"
	b.refresh()
	job := b.run()
	if job.request.LoRAs != "<lora:tiny-xl-kohya:1>" {
		t.Errorf("the request has %q", job.request.LoRAs)
	}
	close(job.events)
}
