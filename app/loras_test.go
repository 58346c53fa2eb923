package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference"
)

// TestLoRAFlag reads files and names with weights; a colon belongs to the file unless a number follows it and no such file exists.
func TestLoRAFlag(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"detail.safetensors", "odd:2", "odd"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var s inference.Settings
	f := loraFlag{of: &s}
	for _, text := range []string{"detail.safetensors:0.8", "detail.safetensors:-0,5", "detail.safetensors", "odd:2", "odd:1.5"} {
		if err := f.Set(filepath.Join(dir, text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := f.Set("detail:1"); err != nil { // by the name that it has now
		t.Error(err)
	}
	if want := "<lora:detail:0.8><lora:detail:-0.5><lora:detail:1><lora:odd_2:1><lora:odd:1.5><lora:detail:1>"; s.LoRAs != want {
		t.Errorf("%s, not %s", s.LoRAs, want)
	}
	for text, want := range map[string]string{
		"nobody:0.5": "no such file", filepath.Join(dir, "odd:3"): "outside −2 to 2", ":1": "no such file", "": "name a file",
	} {
		before := s.LoRAs
		if err := f.Set(text); err == nil || !strings.Contains(err.Error(), want) || s.LoRAs != before {
			t.Errorf("%q: %v", text, err)
		}
	}
}
