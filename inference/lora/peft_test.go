package lora

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// peftFolder writes what PEFT's save_pretrained does, and returns the path of the tensors.
func peftFolder(t *testing.T, folder, config string, tensors map[string]*tensor.Tensor) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), folder)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "adapter_model.safetensors")
	if err := os.Rename(file(t, "x.safetensors", tensors), path); err != nil {
		t.Fatal(err)
	}
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

const attentions = "base_model.model.mid_block.attentions.0.transformer_blocks.0."

// peft are tensors of rank 4 for the queries and keys of both attentions, as PEFT calls them.
func peft(kinds map[string][]int) map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	for _, m := range []string{"attn1.to_q", "attn1.to_k", "attn2.to_q", "attn2.to_k"} {
		for kind, shape := range kinds {
			all[attentions+m+kind] = tensor.Zeros(shape...)
		}
	}
	return all
}

var (
	pairOf4 = map[string][]int{".lora_A.weight": {4, 16}, ".lora_B.weight": {16, 4}}
	hadaOf4 = map[string][]int{".hada_w1_a": {16, 4}, ".hada_w1_b": {4, 16}, ".hada_w2_a": {16, 4}, ".hada_w2_b": {4, 16}}
)

// TestAdapterNames: the name of an adapter among the keys, as PEFT's modules have it before they are saved, is none of the module's.
func TestAdapterNames(t *testing.T) {
	weights, _ := tinyModel(t, "tiny-xl")
	for _, name := range []string{"default", "default_0", "dog"} {
		tensors := peft(map[string][]int{
			".lora_A." + name + ".weight": {4, 16}, ".lora_B." + name + ".weight": {16, 4}, ".lora_magnitude_vector." + name + ".weight": {16},
		})
		maps.DeleteFunc(tensors, func(key string, _ *tensor.Tensor) bool { return strings.Contains(key, "attn2.to_k") }) // of another width
		f, err := Open(file(t, "x.safetensors", tensors))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if fit, err := f.Fit(weights, "M", "sdxl"); err != nil || len(fit.Changes) != 3 || len(fit.Stray) > 0 {
			t.Errorf("%s: %v, %v", name, fit, err)
		}
		if len(f.modules) != 3 || len(f.modules[attentions+"attn1.to_q"].keys) != 3 {
			t.Errorf("%s: %v", name, f.modules)
		}
	}
}

// scales are those of a file, by the ends of its modules' names.
func scales(t *testing.T, path string) map[string]float32 {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]float32{}
	for name, m := range f.modules {
		rank := 4
		if m.has("lokr_w1") {
			rank = 0
		}
		if all[strings.TrimPrefix(name, attentions)], err = f.scale(m, rank); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestPEFTScales compares with what PEFT 0.21.2 has as `scaling` of the modules of the same names under these configurations, where the
// file was saved, once the folder of LoRAs has it, and renamed beside its configuration.
func TestPEFTScales(t *testing.T) {
	of := func(q1, k1, q2, k2 float32) map[string]float32 {
		return map[string]float32{"attn1.to_q": q1, "attn1.to_k": k1, "attn2.to_q": q2, "attn2.to_k": k2}
	}
	for config, want := range map[string]map[string]float32{
		`{"r":4,"lora_alpha":32}`:                                                                                             of(8, 8, 8, 8),
		`{"r":4,"lora_alpha":32,"use_rslora":true}`:                                                                           of(16, 16, 16, 16),
		`{"r":4,"lora_alpha":8,"alpha_pattern":{}}`:                                                                           of(2, 2, 2, 2),
		`{"r":4,"lora_alpha":8,"alpha_pattern":null}`:                                                                         of(2, 2, 2, 2),
		`{"r":4,"lora_alpha":8,"alpha_pattern":{"to_q":4,"attn1.to_q":16,".*attn2\\.to_k":2}}`:                                of(1, 2, 1, 0.5),
		`{"r":4,"lora_alpha":8,"alpha_pattern":{"attn1.to_q":16,"to_q":4}}`:                                                   of(4, 2, 1, 2),
		`{"r":4,"lora_alpha":8,"alpha_pattern":{"tn1.to_q":16,"transformer_blocks.0.attn2.to_k":1,"(?=x)":9,"attn1.to_k":3}}`: of(2, 0.75, 2, 0.25),
		`{"peft_type":"LOHA","r":4,"alpha":2,"alpha_pattern":{"to_q":1}}`:                                                     of(0.25, 0.5, 0.25, 0.5),
		`{"peft_type":"LOKR","r":64,"alpha":2,"alpha_pattern":{}}`:                                                            of(0.03125, 0.03125, 0.03125, 0.03125),
	} {
		t.Run(config, func(t *testing.T) {
			kinds := pairOf4
			switch {
			case strings.Contains(config, "LOHA"):
				kinds = hadaOf4
			case strings.Contains(config, "LOKR"):
				kinds = map[string][]int{".lokr_w1": {4, 4}, ".lokr_w2": {4, 4}}
			}
			path := peftFolder(t, "my dog", config, peft(kinds))
			check := func(where, path string) {
				t.Helper()
				if got := scales(t, path); !maps.Equal(got, want) {
					t.Errorf("%s: %v, PEFT has %v", where, got, want)
				}
			}
			check("saved", path)
			l := NewLibrary(t.TempDir())
			for range 2 { // the same again is no other
				if name, err := l.Take(path); err != nil || name != "my dog" {
					t.Fatal(name, err)
				}
			}
			taken, err := l.Find("my dog")
			if err != nil || len(l.Files()) != 1 {
				t.Fatal(err, l.Files())
			}
			check("taken", taken)
			renamed := filepath.Join(filepath.Dir(path), "other.safetensors")
			if err := os.Rename(path, renamed); err != nil {
				t.Fatal(err)
			}
			check("renamed", renamed)
		})
	}
}

// TestPEFTConfigurations: whose configuration counts, that of another strength is another LoRA, and where none is that is told.
func TestPEFTConfigurations(t *testing.T) {
	l := NewLibrary(t.TempDir())
	weights, _ := tinyModel(t, "tiny-xl")
	look := func(path string) (sum string, unscaled bool) {
		t.Helper()
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fit, err := f.Fit(weights, "M", "sdxl")
		if err != nil {
			t.Fatal(err)
		}
		if sum, err = f.Sum(t.Context()); err != nil {
			t.Fatal(err)
		}
		return sum, fit.Unscaled
	}
	tensors := map[string]*tensor.Tensor{}
	for k, v := range peft(pairOf4) {
		if strings.Contains(k, "attn1") {
			tensors[k] = v
		}
	}
	strong, weak := peftFolder(t, "dog", `{"lora_alpha":8}`, tensors), peftFolder(t, "dog", `{"lora_alpha":2}`, tensors)
	bare := peftFolder(t, "dog", "", tensors)
	if _, err := l.Take(strong); err != nil {
		t.Fatal(err)
	}
	taken, err := l.Find("dog")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Take(weak); err == nil || !strings.Contains(err.Error(), "another LoRA called dog") {
		t.Errorf("one of another strength was taken: %v", err)
	}
	a, unscaled := look(strong)
	b, _ := look(weak)
	c, without := look(bare)
	if d, _ := look(taken); a == b || a == c || a != d || unscaled || !without {
		t.Errorf("%s, %s, %s and %s; without its strength: %v and %v", a, b, c, d, unscaled, without)
	}
	if name, err := l.Take(bare); err != nil || name != "adapter_model" {
		t.Errorf("without a configuration it is called %s (%v)", name, err)
	}
	// A renamed file keeps its strength, though a Mac has left one of its own beside it.
	renamed := peftFolder(t, "mac", `{"lora_alpha":8}`, tensors)
	named := filepath.Join(filepath.Dir(renamed), "dog.safetensors")
	if err := os.Rename(renamed, named); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(named), "._dog.safetensors"), []byte("\x00\x05\x16\x07"), 0o666); err != nil {
		t.Fatal(err)
	}
	if d, unscaled := look(named); d != a || unscaled {
		t.Errorf("a renamed file beside one of a Mac's is %s, not %s; without its strength: %v", d, a, unscaled)
	}
	// Two files that may be meant: neither is.
	one := peftFolder(t, "two", `{"lora_alpha":8}`, tensors)
	for _, name := range []string{"a.safetensors", "b.safetensors"} {
		if err := os.Link(one, filepath.Join(filepath.Dir(one), name)); err != nil {
			t.Skip(err)
		}
	}
	if Config(filepath.Join(filepath.Dir(one), "a.safetensors")) != "" || Config(one) == "" {
		t.Error("the configuration of adapter_model.safetensors is taken for that of another file")
	}
	plain, err := Open(golden + "loras/tiny-xl-kohya.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if plain.unscaled() {
		t.Error("a file of kohya's has its strength in it")
	}
}

// TestNames: what a LoRA is called, by its file or in a text of another program.
func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"loras/detail.safetensors": "detail", "detail.PT": "detail", "Pixel Art v1.1": "Pixel Art v1.1", "sd_xl_offset_example-lora_1.0": "sd_xl_offset_example-lora_1.0",
		"Pixel Art v1.1.safetensors": "Pixel Art v1.1", "adapter_model.safetensors": "adapter_model",
	} {
		if got := NameOf(text); got != want {
			t.Errorf("%s is called %s, not %s", text, got, want)
		}
	}
}
