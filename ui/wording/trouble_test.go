package wording

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"realword/assets/translations"
	"realword/inference/bundle"
	"realword/inference/synthetic"
	"realword/inference/tensor"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
)

// rooms are the packages whose errors people meet while a model is got, looked at, imported or opened. Package prompt reads tokenizers and
// schedule the training noise: bundle says in every language what their errors mean.
var rooms = []string{
	"inference/bundle", "inference/checkpoint", "inference/files", "inference/hub", "inference/lora", "inference/network", "inference/nn",
}

// TestTroubleInEveryLanguage: whatever these packages say of a model has a translation in every language that is shipped, and the window
// uses it. One that has no words, such as "%s: %w; %w", or one word may be the same.
func TestTroubleInEveryLanguage(t *testing.T) {
	files, err := fs.Glob(translations.Files, "*.json")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	t.Cleanup(func() { i18ntest.English(t) })
	for _, file := range files {
		var known map[string]i18n.Forms
		data, err := fs.ReadFile(translations.Files, file)
		if err == nil {
			err = json.Unmarshal(data, &known)
		}
		name := strings.TrimSuffix(file, ".json")
		if err == nil {
			err = i18n.Speak(translations.Files, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range append([]string{"app", "inference/ort", "inference/session", "inference/loras.go"}, rooms...) {
			for _, text := range i18ntest.Messages(t, room) {
				words := len(strings.FieldsFunc(i18ntest.Verbs.ReplaceAllString(text, ""), func(r rune) bool { return !unicode.IsLetter(r) })) > 1
				example := i18ntest.Example(text)
				said := Sentence(example)
				switch english := Sentence(plain(example.Error())); {
				case known[text]["other"] == "":
					t.Errorf("%s: %q of %s has no translation", name, text, room)
				case name != "en" && words && said == english:
					t.Errorf("%s: %q of %s is said in English", name, said, room)
				case name == "en" && said != english:
					t.Errorf("%s: %q of %s", name, said, room)
				}
			}
		}
	}
}

type plain string

func (p plain) Error() string { return string(p) }

// TestNoTroubleInEnglishAlone: an error of these packages that is English alone is wrapped by a sentence that is not, or is here, with
// the reason.
func TestNoTroubleInEnglishAlone(t *testing.T) {
	wrappers := []string{
		"unusable", "refused", // of bundle and network: a configuration, whose entries the error names
		"Problem", // of a checkpoint.FormatError: the file is damaged
	}
	reasons := map[string]string{
		"inference/bundle check":                "of a manifest or realword.json; readManifest, folderVisual and write wrap it",
		"inference/bundle checkNumbers":         "of a manifest; readManifest and gather wrap it",
		"inference/bundle Told":                 "a note of an import of before 28 November 2026",
		"inference/bundle firstOf":              "a list of tensors, below what build says",
		"inference/bundle Extract":              "the built-in model, which tests have opened",
		"inference/bundle write":                "a file that the program itself puts beside a model",
		"inference/checkpoint ":                 "causes of FormatErrors",
		"inference/checkpoint Read":             "a tensor that the program asks for by a wrong name",
		"inference/checkpoint Rename":           "a rule of the program that is no regular expression",
		"inference/checkpoint object":           "inside try: asFormat makes FormatErrors of it",
		"inference/checkpoint numbers":          "likewise",
		"inference/checkpoint word":             "likewise",
		"inference/checkpoint skip":             "likewise",
		"inference/checkpoint tensor":           "likewise",
		"inference/checkpoint parseIndex":       "likewise",
		"inference/checkpoint parse":            "a disk that answers with errors",
		"inference/checkpoint parseSafetensors": "likewise",
		"inference/files Read":                  "likewise",
		"inference/files capacityBy":            "a room that is not known: nobody is told of it",
		"inference/hub parse":                   "the catalogue of the program, which a test reads",
		"inference/network UnmarshalJSON":       "of a configuration; readJSON of bundle wraps it",
		"inference/network ResamplePositions":   "a tensor, while it is written; it names the image encoder's",
		"inference/nn Fail":                     "a graph that cannot be built; build of bundle wraps it",
		"inference/nn BuildFor":                 "likewise",
		"inference/nn place":                    "likewise",
	}
	used := map[string]bool{}
	for _, room := range rooms {
		for function, texts := range i18ntest.Untold(t, room, wrappers...) {
			key := room + " " + function
			if used[key] = true; reasons[key] == "" {
				t.Errorf("%s says in English alone: %q", key, texts)
			}
		}
	}
	for key := range reasons {
		if !used[key] {
			t.Errorf("%s says nothing in English any more: leave it out of the list", key)
		}
	}
}

// weights is a safetensors file of small tensors.
func weights(t *testing.T, meta map[string]string, names ...string) []byte {
	t.Helper()
	m := map[string]*tensor.Tensor{}
	for _, name := range names {
		m[name] = tensor.Zeros(2, 2)
	}
	var b bytes.Buffer
	if err := tensor.WriteSafetensors(&b, m, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func header(text, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text+data...)
}

// TestTroubleOfFiles drops what people drop, and damages a model as downloads do: nothing of what is said is English in another language,
// but for names, quotations, and what stands in brackets or, where tensors are listed, on the lines below.
func TestTroubleOfFiles(t *testing.T) {
	o := synthetic.Options{Layout: synthetic.Diffusers, Sizes: synthetic.Tiny, DType: tensor.F16}
	model, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	put := func(t *testing.T, dir, name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// drops gives what is dropped: a file or, where its name is in one, a folder.
	drops := func(name string, data []byte) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			put(t, dir, name, data)
			top, _, _ := strings.Cut(name, "/")
			return filepath.Join(dir, top)
		}
	}
	tensors := func(name string) func(*testing.T, string) string {
		return drops("x.safetensors", weights(t, nil, name))
	}
	says := func(key, value string) func(*testing.T, string) string {
		return drops("x.safetensors", weights(t, map[string]string{key: value}, "a"))
	}
	whole := func(t *testing.T, dir string, list []synthetic.File) {
		t.Helper()
		if err := synthetic.Write(context.Background(), dir, list, o, nil); err != nil {
			t.Fatal(err)
		}
	}
	sound := t.TempDir()
	whole(t, sound, model)
	// changed gives a model of which one file is another.
	changed := func(name string, change func([]byte) []byte) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			if err := os.CopyFS(dir, os.DirFS(sound)); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			put(t, dir, name, change(data))
			return dir
		}
	}
	without := func(name string) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			whole(t, dir, slices.DeleteFunc(slices.Clone(model), func(f synthetic.File) bool { return strings.HasPrefix(f.Path, name) }))
			return dir
		}
	}
	edit := func(name, old, now string) func(*testing.T, string) string {
		return changed(name, func(data []byte) []byte {
			if !bytes.Contains(data, []byte(old)) {
				t.Errorf("nothing is %s in %s", old, data)
			}
			return bytes.Replace(data, []byte(old), []byte(now), 1)
		})
	}
	half := func(data []byte) []byte { return data[:len(data)/2] }
	is := func(text string) func([]byte) []byte { return func([]byte) []byte { return []byte(text) } }
	program, err := os.ReadFile(filepath.Join(i18ntest.Root(), "inference", "checkpoint", "testdata", "bad_system.pt"))
	if err != nil {
		t.Fatal(err)
	}
	const unet, scheduler = "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"
	const listed, unread = "tensors missing", "a tensor of another type"
	cases := map[string]func(*testing.T, string) string{
		"nothing there":       func(_ *testing.T, dir string) string { return filepath.Join(dir, "x.safetensors") },
		"an empty folder":     func(*testing.T, string) string { return t.TempDir() },
		"photographs":         drops("p/cat.png", []byte("x")),
		"a photograph":        drops("cat.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")),
		"a LoRA":              tensors("lora_unet_down.lora_down.weight"),
		"LyCORIS":             says("modelspec.architecture", "sdxl/lycoris"),
		"flow matching":       says("modelspec.prediction_type", "flow"),
		"Flux":                tensors("double_blocks.0.img_attn.proj.weight"),
		"Flux folder":         drops("p/transformer/config.json", []byte(`{"_class_name":"FluxTransformer2DModel"}`)),
		"another transformer": drops("p/transformer/config.json", []byte(`{"_class_name":"New"}`)),
		"ControlNet":          tensors("controlnet_cond_embedding.conv_in.weight"),
		"language model":      tensors("model.layers.0.mlp.weight"),
		"visual weights":      tensors("encoder_hidden_states_vision_projection.projector.4.bias"),
		"fp8":                 drops("x.safetensors", header(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, "1")),
		"a program":           drops("x.ckpt", program),
		"empty":               drops("x.safetensors", nil),
		"cut short":           drops("x.safetensors", half(weights(t, nil, "a", "b"))),
		"a manifest":          drops("p/"+bundle.ManifestName, []byte(`{"schema":1}`)),
		"a manifest's half":   drops("p/"+bundle.ManifestName, []byte(`{"schema":`)),
		"part cut short":      changed(unet, half),
		"an LFS pointer":      changed(unet, is("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n")),
		"a web page":          changed(unet, is("<!DOCTYPE html>\n<html><body>Sign in</body></html>")),
		"two files": func(t *testing.T, dir string) string {
			without("text_encoder/model.safetensors")(t, dir)
			put(t, dir, "text_encoder/a.safetensors", weights(t, nil, "a"))
			put(t, dir, "text_encoder/b.safetensors", weights(t, nil, "b"))
			return dir
		},
		"half a tokenizer":   changed("tokenizer/vocab.json", half),
		"not JSON":           changed("unet/config.json", half),
		"a sample predicted": changed(scheduler, is(`{"prediction_type":"sample","beta_schedule":"scaled_linear"}`)),
		"another schedule":   changed(scheduler, is(`{"beta_schedule":"squaredcos_cap_v2"}`)),
		"no autoencoder":     without("vae/"),
		"no vision":          without("vision/"),
		"no tokenizer":       without("tokenizer/"),
		"another activation": edit("unet/config.json", `"silu"`, `"mish"`),
		"other sizes":        edit("text_encoder/config.json", `"max_position_embeddings": 77`, `"max_position_embeddings": 99`),
		"other encoders":     edit("vision/config.json", `"view_size"`, `"view"`),
		"another projector":  edit("vision/config.json", `"highres"`, `"ccp"`),
		"a deeper text":      edit("text_encoder/config.json", `"num_hidden_layers": 3`, `"num_hidden_layers": 4`),
		unread:               edit(unet, `"conv_in.bias":{"dtype":"F16"`, `"conv_in.bias":{"dtype":"C64"`),
		"another U-Net's weights": changed(unet, func([]byte) []byte {
			return weights(t, nil, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k_vision.weight",
				"encoder_hidden_states_vision_projection.projector.4.bias")
		}),
		listed: func(t *testing.T, dir string) string {
			list := slices.Clone(model)
			for i, f := range list {
				list[i].Tensors = slices.DeleteFunc(slices.Clone(f.Tensors), func(x synthetic.Tensor) bool { return x.Name == "conv_in.bias" })
			}
			whole(t, dir, list)
			return dir
		},
	}
	t.Cleanup(func() { i18ntest.English(t) })
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := cases[name](t, filepath.Join(dir, "D"))
			in, err := bundle.Inspect(context.Background(), path, bundle.Options{})
			if err != nil || in.Problems == nil {
				t.Fatalf("no problem: %v", err)
			}
			if first, _, _ := strings.Cut(in.Problems.Error(), "\n"); name == unread && !strings.Contains(first, "its type is C64; use weights in F32") {
				t.Errorf("what helps stands below %s", first)
			}
			noEnglish(t, in.Problems, dir, name == listed || name == unread)
		})
	}
	// What is found only while weights are copied, or read where they lie; and a place that cannot be had.
	spoilt := changed(unet, func(data []byte) []byte { return append(data[:len(data)-2], 0, 0x7e) })
	for name, to := range map[string]string{"copied": "M", "read": "M", "no place": "D/unet", "a file": "D/" + unet, "below a file": "D/" + unet + "/M"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			src := spoilt(t, filepath.Join(dir, "D"))
			_, err := bundle.ImportWith(context.Background(), src, filepath.Join(dir, to), bundle.Options{Copy: name != "read"})
			if err == nil {
				t.Fatal("imported")
			}
			noEnglish(t, err, dir, false)
		})
	}
}

// noEnglish tells an error in every language. below: nothing but its first line counts.
func noEnglish(t *testing.T, err error, dir string, below bool) {
	t.Helper()
	quiet := regexp.MustCompile(`"[^"]*"|\x60[^\x60]*\x60|\([^()]*(\([^()]*\)[^()]*)*\)|（.*）`)
	english := regexp.MustCompile(`(?i)\b(the|this|these|that|it|its|is|are|of|and|not|with|from|file|folder|holds|again|wanted|found|such|missing|weights|belong|cannot)\b`)
	for _, language := range []string{"de", "es", "fr", "ja", "zh-Hans"} {
		if err := i18n.Speak(translations.Files, language); err != nil {
			t.Fatal(err)
		}
		said := Sentence(err)
		if below {
			said, _, _ = strings.Cut(said, "\n")
		}
		left := quiet.ReplaceAllString(strings.ReplaceAll(said, dir, ""), "")
		if english.MatchString(left) || left == "" {
			t.Errorf("%s: %q is English in\n%s", language, english.FindString(left), said)
		}
		t.Logf("%s: %s", language, said)
	}
	if text := err.Error(); !english.MatchString(text) {
		t.Errorf("this is not told from English: %s", text)
	}
}
