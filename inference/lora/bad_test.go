package lora

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"realword/inference/files"
	"realword/inference/tensor"
)

// file writes a LoRA file.
func file(t testing.TB, name string, tensors map[string]*tensor.Tensor) string {
	t.Helper()
	var b bytes.Buffer
	if err := tensor.WriteSafetensors(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const q = "mid_block_attentions_0_transformer_blocks_0_attn1_to_q"

// pair is a LoRA of rank 1 for a module of in and out numbers.
func pair(module string, in, out int) map[string]*tensor.Tensor {
	return map[string]*tensor.Tensor{
		module + ".lora_down.weight": tensor.Zeros(1, in), module + ".lora_up.weight": tensor.Zeros(out, 1),
	}
}

// TestBadFiles: every file that cannot be used is a sentence that names the file, the reason and the remedy.
func TestBadFiles(t *testing.T) {
	with := func(m map[string]*tensor.Tensor, more ...map[string]*tensor.Tensor) map[string]*tensor.Tensor {
		for _, o := range more {
			for k, v := range o {
				m[k] = v
			}
		}
		return m
	}
	for name, c := range map[string]struct {
		model, family string
		tensors       map[string]*tensor.Tensor
		want          []string
	}{
		"a whole model":     {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"conv_in.weight": tensor.Zeros(1)}, []string{"x.safetensors is no LoRA", "imported instead"}},
		"no tensors":        {"tiny-xl", "sdxl", nil, []string{"x.safetensors holds no weights: get the file again"}},
		"OFT":               {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"lora_unet_" + q + ".oft_blocks": tensor.Zeros(4, 4, 4), "lora_unet_" + q + ".alpha": tensor.Zeros()}, []string{"another kind, OFT, which"}},
		"OFT of PEFT":       {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"base_model.model.x.oft_R.weight": tensor.Zeros(2, 8)}, []string{"another kind, OFT, which"}},
		"BOFT":              {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"base_model.model.x.boft_R": tensor.Zeros(2, 8)}, []string{"another kind, BOFT, which"}},
		"GLoRA":             {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"lora_unet_x.a1.weight": tensor.Zeros(4, 4), "lora_unet_x.alpha": tensor.Zeros()}, []string{"GLoRA"}},
		"IA³":               {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"lora_unet_x.weight": tensor.Zeros(4, 1), "lora_unet_x.on_input": tensor.Zeros()}, []string{"IA³"}},
		"an embedding":      {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"emb_params": tensor.Zeros(2, 768)}, []string{"Textual Inversion", "use a LoRA"}},
		"one of SDXL":       {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"clip_l": tensor.Zeros(2, 768), "clip_g": tensor.Zeros(2, 1280)}, []string{"Textual Inversion"}},
		"ControlNet-LLLite": {"tiny-xl", "sdxl", map[string]*tensor.Tensor{"lllite_unet_x.down.0.weight": tensor.Zeros(2, 8)}, []string{"ControlNet-LLLite"}},
		"SD 1.5 on SDXL": {
			"tiny-xl", "sdxl", pair("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 768, 16),
			[]string{"x.safetensors is a LoRA for Stable Diffusion 1.5, and the model M is one of SDXL"},
		},
		"SDXL on SD 1.5": {
			"tiny", "sd15", with(pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 16, 32), pair("lora_unet_"+q, 1280, 1280)),
			[]string{"is a LoRA for SDXL, and the model M is one of Stable Diffusion 1.5"},
		},
		"Flux": {"tiny-xl", "sdxl", pair("lora_unet_double_blocks_0_img_attn_qkv", 30, 90), []string{"is a LoRA for Flux"}},
		"the second text encoder": {
			"tiny", "somebody", pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 16, 32), []string{"for SDXL", "M is of another kind"},
		},
		"nothing fits":  {"tiny-xl", "sdxl", pair("lora_unet_nowhere", 3, 3), []string{"fits nothing in the model M", "none of its 1 parts", "lora_unet_nowhere"}},
		"another width": {"tiny-xl", "sdxl", pair("lora_unet_"+q, 24, 24), []string{"was made for another model: 1 of its 1 parts", q}},
		"half of a pair": {
			"tiny-xl", "sdxl",
			map[string]*tensor.Tensor{"lora_unet_" + q + ".lora_down.weight": tensor.Zeros(1, 16)},
			[]string{"is damaged", "lacks up", "get the file again"},
		},
		"alpha alone": {
			"tiny-xl", "sdxl", map[string]*tensor.Tensor{"lora_unet_" + q + ".alpha": tensor.Zeros()}, []string{"has alpha alone, which changes nothing"},
		},
		"two names": {
			"tiny-xl", "sdxl", with(pair("lora_unet_"+q, 16, 16), pair("lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q", 16, 16)),
			[]string{"under two names"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(file(t, "x.safetensors", c.tensors))
			if err == nil {
				defer f.Close()
				weights, _ := tinyModel(t, c.model)
				_, err = f.Fit(weights, "M", c.family)
			}
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// TestStray: keys that fit nothing beside others that do are named, and those of a layer that the model does not run are not.
func TestStray(t *testing.T) {
	weights, read := tinyModel(t, "tiny-xl")
	layers := 0
	for name := range weights {
		if strings.HasPrefix(name, "text_encoder.text_model.encoder.layers.") {
			layers = max(layers, int(name[len("text_encoder.text_model.encoder.layers.")]-'0')+1)
		}
	}
	tensors := pair("lora_unet_"+q, 16, 16)
	tensors["lora_unet_"+q+".lora_up.weight"].F32[3] = 2
	tensors["lora_unet_"+q+".lora_down.weight"].F32[5] = 3
	tensors["lora_unet_"+q+".alpha"] = tensor.Of([]float32{0.5})
	tensors["bundle_emb.token.string_to_param"] = tensor.Zeros(1)
	for key, v := range pair("lora_te1_text_model_encoder_layers_"+string(rune('0'+layers))+"_mlp_fc1", 16, 32) {
		tensors[key] = v
	}
	for key, v := range pair("lora_unet_nowhere", 3, 3) {
		tensors[key] = v
	}
	f, err := Open(file(t, "x.safetensors", tensors))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fit, err := f.Fit(weights, "M", "sdxl")
	if err != nil || strings.Join(fit.Stray, " ") != "bundle_emb.token.string_to_param lora_unet_nowhere" {
		t.Fatal(fit.Stray, err)
	}
	mix, err := Combine(t.Context(), []Part{{f, fit, -2}}, weights, read)
	if err != nil {
		t.Fatal(err)
	}
	name := "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
	base, _ := read(name)
	got := merged(t, mix, name, read)
	if d := got[3*16+5] - base.F32[3*16+5]; math.Abs(float64(d)+6) > 1e-5 { // 2 · 3 · 0.5 · -2
		t.Errorf("the weight moves by %g, not by -6", d)
	}
}

// TestNoNumbers: NaN and infinity are found before a run, and again in it.
func TestNoNumbers(t *testing.T) {
	weights, read := tinyModel(t, "tiny-xl")
	for _, bad := range []float64{math.NaN(), math.Inf(-1)} {
		for _, key := range []string{".lora_down.weight", ".alpha"} {
			tensors := pair("lora_unet_"+q, 16, 16)
			tensors["lora_unet_"+q+".alpha"] = tensor.Of([]float32{1})
			tensors["lora_unet_"+q+key].F32[0] = float32(bad)
			f, err := Open(file(t, "x.safetensors", tensors))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fit, err := f.Fit(weights, "M", "sdxl")
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Sum(t.Context())
			_, again := Combine(t.Context(), []Part{{f, fit, 1}}, weights, read)
			for _, err := range []error{err, again} {
				if err == nil || !strings.Contains(err.Error(), "lora_unet_"+q+key) || !strings.Contains(err.Error(), "NaN") {
					t.Errorf("%g in %s: %v", bad, key, err)
				}
			}
		}
	}
}

// TestUses writes and reads lists, and takes A1111's out of prompts.
func TestUses(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	list := []Use{{Name: "add detail", Weight: 0.8}, {Name: "style", Weight: -2, SHA256: sum}, {Name: "old", Weight: 1, Off: true}}
	text := Format(list)
	if text != "<lora:add detail:0.8><lora:style:-2:"+sum+"><lora:old:1:off>" {
		t.Error(text)
	}
	if again, err := Parse(text); err != nil || Format(again) != text {
		t.Error(again, err)
	}
	for bad, want := range map[string]string{
		"<lora:x:3>": "outside", "<lora:x:NaN>": "is no LoRA", "x": "is no LoRA", "<lora:>": "is no LoRA", strings.Repeat("<lora:x:1>", 17): "more than 16",
	} {
		if _, err := Parse(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for prompt, want := range map[string][2]string{
		"a dog <lora:x:0.7> on the beach": {"<lora:x:0.7>", "a dog on the beach"},
		"a dog, <lora:x>":                 {"<lora:x:1>", "a dog,"},
		"<LORA:x:1:0.5>a <lyco:y:-1> b":   {"<lora:x:0.5><lora:y:-1>", "a b"},
		// As A1111's extra_networks_lora.py has the multiplier of the U-Net.
		"a dog <lora:x:0:0.8>, cat":        {"<lora:x:0.8>", "a dog, cat"},
		"a <lora:x:te=0.5:unet=0.8>":       {"<lora:x:0.8>", "a"},
		"a <lora:x:unet=0.8>":              {"<lora:x:0.8>", "a"},
		"a <lora:x:te=0.5>":                {"<lora:x:0.5>", "a"},
		"a <lora:x:0.7:te=0.5>":            {"<lora:x:0.5>", "a"},
		"a <lora:x:te=0.5:0.6:0.7>":        {"<lora:x:0.7>", "a"},
		"a <lora:x:1:0.4:64>":              {"<lora:x:0.4>", "a"},
		"a <lora:x:0.7:lbw=OUTALL>":        {"<lora:x:0.7>", "a"},
		"a <lora:x:0.7:MIDD>":              {"<lora:x:0.7>", "a"},
		"a <lora:x:unet=NaN>":              {"", "a <lora:x:unet=NaN>"},
		"a <lora:x:0.7 dog":                {"", "a <lora:x:0.7 dog"},
		"a <lora:x:y> dog":                 {"", "a <lora:x:y> dog"},
		"a <b> <lora:<lora:x:2>":           {"<lora:x:2>", "a <b> <lora:"},
		"nothing ":                         {"", "nothing "},
		"Ⱥ dog <lora:x:1>, big":            {"<lora:x:1>", "Ⱥ dog, big"}, // Ⱥ and İ have another length in lower case
		"İstanbul <Lora:x:1>":              {"<lora:x:1>", "İstanbul"},
		strings.Repeat("Ⱥ", 30) + "<lora:": {"", strings.Repeat("Ⱥ", 30) + "<lora:"},
		"\xff\xff\xff\xff<LyCO:x:1>":       {"<lora:x:1>", "\xff\xff\xff\xff"},
	} {
		uses, rest := Cut(prompt)
		if Format(uses) != want[0] || rest != want[1] {
			t.Errorf("%q: %q and %q", prompt, Format(uses), rest)
		}
	}
}

// FuzzCut takes any text of a stranger's picture: what is cut out of it has a name and a weight, and the rest is no longer than it was.
func FuzzCut(f *testing.F) {
	for _, seed := range []string{"a <lora:x:0.7> b", "Ⱥ<lyco:y>", "İ\xff<LORA:x:te=1:off>", "<lora:<lora:x:2>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, prompt string) {
		uses, rest := Cut(prompt)
		if len(rest)+len("<lora:x>")*len(uses) > len(prompt) || len(uses) == 0 && rest != prompt || utf8.ValidString(prompt) && !utf8.ValidString(rest) {
			t.Errorf("%q is %v and %q", prompt, uses, rest)
		}
		for _, u := range uses {
			if u.Name == "" || math.IsNaN(u.Weight) || math.IsInf(u.Weight, 0) {
				t.Errorf("%q has %v", prompt, u)
			}
		}
	})
}

// TestLibrary finds files by name, and takes new ones in.
func TestLibrary(t *testing.T) {
	dir := t.TempDir()
	l := NewLibrary(filepath.Join(dir, "loras"))
	if _, err := l.Find("x"); err == nil || !strings.Contains(err.Error(), "put its file there") {
		t.Error(err)
	}
	if _, err := (*Library)(nil).Find("x"); err == nil {
		t.Error("nobody has no LoRA")
	}
	path := file(t, "My style:1.safetensors", pair("lora_unet_"+q, 16, 16))
	inFile := NewLibrary(filepath.Join(path, "loras"))
	if _, err := inFile.Take(path); err == nil || !strings.Contains(err.Error(), inFile.Dir) || strings.Contains(err.Error(), "choose") {
		t.Errorf("where no folder can be made, and none be chosen, it says: %v", err)
	}
	for range 2 { // the same again is no other
		if name, err := l.Take(path); err != nil || name != "My style_1" {
			t.Fatal(name, err)
		}
	}
	if found, err := l.Find("my STYLE:1"); err != nil || filepath.Dir(found) != l.Dir {
		t.Error(found, err)
	}
	other := file(t, "My style:1.safetensors", pair("lora_unet_"+q, 17, 16))
	if _, err := l.Take(other); err == nil || !strings.Contains(err.Error(), "another LoRA called My style_1") {
		t.Error(err)
	}
	if _, err := l.Take(file(t, "model.safetensors", map[string]*tensor.Tensor{"x": tensor.Zeros(1)})); err == nil {
		t.Error("a model was taken for a LoRA")
	}
	name := l.Name(other)
	if found, err := l.Find(name); err != nil || found != other || name != "My style_1" {
		t.Error(name, found, err)
	}
	if found, err := l.Find("My style_1 2"); err != nil || !same(found, path) || len(l.Files()) != 2 { // which was there first
		t.Error(found, err, l.Files())
	}
}

// TestDecomposedNames: accents that are letters of their own in the name of a file, as a Mac writes them, are those that people type.
func TestDecomposedNames(t *testing.T) {
	const typed, written = "\u304cらす \u00e9t\u00e9", "か\u3099らす e\u0301te\u0301"
	dir := t.TempDir()
	there := filepath.Join(dir, "loras", written+".safetensors")
	if err := os.MkdirAll(filepath.Dir(there), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file(t, "x.safetensors", pair("lora_unet_"+q, 16, 16)), there); err != nil {
		t.Fatal(err)
	}
	l := NewLibrary(filepath.Dir(there))
	for _, name := range []string{typed, written} {
		if found, err := l.Find(name); err != nil || !same(found, there) {
			t.Errorf("%+q: %v", name, err)
		}
	}
	uses, _ := Cut("a <lora:" + written + ":0.8>")
	if files := l.Files(); len(files) != 1 || files[0].Name != typed || len(uses) != 1 || uses[0].Name != typed {
		t.Errorf("%+v, %+v", files, uses)
	}
	if taken, err := l.Take(file(t, typed+".safetensors", pair("lora_unet_"+q, 16, 16))); err != nil || taken != typed || len(l.Files()) != 1 {
		t.Errorf("%q, %v: %q", taken, err, l.Files())
	}
}

// TestNamesakes: files of one name are all found, by names of their own.
func TestNamesakes(t *testing.T) {
	width := 16
	at := func(dir, name string) string {
		width++
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file(t, "x.safetensors", pair("lora_unet_"+q, width, 16)), path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	l, elsewhere := NewLibrary(t.TempDir()), t.TempDir()
	for name, want := range map[string]string{
		"a/detail.safetensors": "detail", "b/detail.safetensors": "detail 3", "b/detail 2.safetensors": "detail 2",
		"cat/pytorch_lora_weights.safetensors": "cat", "dog/pytorch_lora_weights.safetensors": "dog",
	} {
		path := at(l.Dir, name)
		defer func() {
			if found, err := l.Find(want); err != nil || found != path {
				t.Errorf("%s is %s, %v, and not %s", want, found, err, path)
			}
			if name, err := l.Take(path); err != nil || name != want {
				t.Errorf("%s is called %s when it is added again: %v", want, name, err)
			}
		}()
	}
	if found, err := l.Find("pytorch_lora_weights"); err != nil || !strings.HasPrefix(found, filepath.Join(l.Dir, "cat")) { // a recipe of before
		t.Error(found, err)
	}
	other := NewLibrary(l.Dir)
	for i, name := range []string{"one/style.safetensors", "two/style.safetensors", "one/style.safetensors", "cat/style.bin"} {
		path := filepath.Join(elsewhere, filepath.FromSlash(name))
		if !files.Exists(path) {
			at(elsewhere, name)
		}
		want := []string{"style", "style 2", "style", "style 3"}[i]
		if got := other.Name(path); got != want {
			t.Errorf("%s is called %s", name, got)
		}
		if found, err := other.Find(want); err != nil || found != path {
			t.Error(found, err)
		}
	}
	if taken, err := l.Take(at(elsewhere, "bird/pytorch_lora_weights.safetensors")); err != nil || taken != "bird" || !files.Exists(filepath.Join(l.Dir, "bird.safetensors")) {
		t.Error(taken, err)
	}
}

// TestFoldersThatNameNothing: a file that diffusers or PEFT has named is called by its folder where that is its own.
func TestFoldersThatNameNothing(t *testing.T) {
	home := t.TempDir()
	for _, key := range []string{"HOME", "USERPROFILE"} {
		t.Setenv(key, home)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	t.Setenv("XDG_DESKTOP_DIR", "")
	t.Setenv("XDG_DOWNLOAD_DIR", filepath.Join(home, "Téléchargements"))
	cache := ".cache/huggingface/hub/models--latent-consistency--lcm-lora-sdxl/snapshots/a18548dd4956b174ec5b0d78d340c8dae0a129cd/"
	for at, want := range map[string]string{
		"Téléchargements/pytorch_lora_weights.safetensors":     "pytorch_lora_weights",
		"Desktop/pytorch_lora_weights.safetensors":             "pytorch_lora_weights",
		"pytorch_lora_weights.safetensors":                     "pytorch_lora_weights",
		"Téléchargements/dog/pytorch_lora_weights.safetensors": "dog",
		"loras/pytorch_lora_weights.safetensors":               "loras",
		cache + "pytorch_lora_weights.safetensors":             "lcm-lora-sdxl",
		cache + "detail.safetensors":                           "detail",
	} {
		path := filepath.Join(home, filepath.FromSlash(at))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file(t, "x.safetensors", pair("lora_unet_"+q, 16, 16)), path); err != nil {
			t.Fatal(err)
		}
		if name := NameOfFile(path); name != want {
			t.Errorf("%s is called %s, not %s", at, name, want)
		}
	}
	l := NewLibrary(filepath.Join(home, "loras")) // its own folder is no LoRA's
	if list := l.Files(); len(list) != 1 || list[0].Name != "pytorch_lora_weights" {
		t.Errorf("%v", list)
	}
	if name, err := l.Take(l.Files()[0].Path); err != nil || name != "pytorch_lora_weights" || len(l.Files()) != 1 {
		t.Errorf("%s, %v: %v", name, err, l.Files())
	}
}

// What is added is what its name finds: another file of that name in a folder below or with another ending stands in the way, the same one is
// not kept twice.
func TestTakeBesideANamesake(t *testing.T) {
	for _, old := range []string{"SDXL/detail.safetensors", "detail.bin", "Detail.safetensors"} {
		l := NewLibrary(t.TempDir())
		there := filepath.Join(l.Dir, filepath.FromSlash(old))
		if err := os.MkdirAll(filepath.Dir(there), 0o777); err != nil {
			t.Fatal(err)
		}
		first, fresh := file(t, "detail.safetensors", pair("lora_unet_"+q, 17, 16)), file(t, "detail.safetensors", pair("lora_unet_"+q, 16, 16))
		if err := os.Rename(first, there); err != nil {
			t.Fatal(err)
		}
		if name, err := l.Take(fresh); err == nil {
			if found, err := l.Find(name); err != nil || !same(found, fresh) {
				t.Errorf("%s is there: what was added is called %q, and that is %v, %v", old, name, found, err)
			}
		} else if !strings.Contains(err.Error(), "another LoRA called detail") {
			t.Error(err)
		}
		again := filepath.Join(t.TempDir(), "detail.safetensors")
		if err := os.Link(there, again); err != nil {
			t.Fatal(err)
		}
		if name, err := l.Take(again); NameOfFile(there) == "detail" && (name != "detail" || err != nil || len(l.Files()) != 1) {
			t.Errorf("the same file: %s, %v", name, err)
		}
	}
}

// FuzzFile takes names, shapes and values as they come: whatever a file says is a sentence or a finite amount of work.
func FuzzFile(f *testing.F) {
	for _, kind := range []string{"lora_down.weight lora_up.weight lora_mid.weight", "hada_w1_a hada_w1_b hada_w2_a hada_w2_b hada_t1", "lokr_w1 lokr_w2_a lokr_w2_b lokr_t2 dora_scale", "diff diff_b alpha", "lokr_w1_a lokr_w1_b lokr_w2 alpha"} {
		f.Add(kind, []byte{16, 1, 1, 16, 2, 2, 8, 2, 4, 4, 1, 1, 16, 1, 1, 3, 3})
		f.Add(kind, []byte{2, 16, 0, 16, 2, 0, 2, 8, 0, 8, 2, 0, 2, 2, 0})
	}
	weights, read := tinyModel(f, "tiny-xl")
	modules := []string{q, "mid_block_resnets_0_conv1", "mid_block_resnets_0_norm1"}
	f.Fuzz(func(t *testing.T, kinds string, dims []byte) {
		tensors := map[string]*tensor.Tensor{}
		for i, kind := range strings.Fields(kinds) {
			var shape []int
			for len(dims) > 0 && len(shape) < 4 {
				d := int(dims[0] % 33)
				dims = dims[1:]
				if d == 0 {
					break
				}
				shape = append(shape, d)
			}
			if tensor.Count(shape) > 1<<16 || len(kind) > 40 || i > 12 {
				return
			}
			x := tensor.Zeros(shape...)
			for k := range x.F32 {
				x.F32[k] = float32(k%7) - 3
			}
			tensors["lora_unet_"+modules[len(kinds)%len(modules)]+"."+kind] = x
		}
		var b bytes.Buffer
		if len(tensors) == 0 || tensor.WriteSafetensors(&b, tensors, nil) != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		fit, err := file.Fit(weights, "M", "sdxl")
		if err != nil {
			return
		}
		mix, err := Combine(t.Context(), []Part{{file, fit, 0.5}}, weights, read)
		if err != nil {
			t.Fatalf("it fits and cannot be read: %v", err)
		}
		for name, f := range mix.Factors {
			if tensor.Count(f.A.Shape[1:]) != tensor.Count(weights[name][1:]) || f.B.Shape[0] != weights[name][0] || f.A.Shape[0] != f.B.Shape[1] {
				t.Fatalf("%s has factors of %v and %v", name, f.A.Shape, f.B.Shape)
			}
		}
		for name, w := range mix.Whole {
			if tensor.Count(w.Shape) != tensor.Count(weights[name]) {
				t.Fatalf("%s has the shape %v", name, w.Shape)
			}
		}
	})
}
