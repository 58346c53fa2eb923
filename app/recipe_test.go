package main

import (
	"encoding/json"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/hub"
	"realword/inference/picture"
	"realword/inference/recipe"
)

func TestRecipe(t *testing.T) {
	for name, want := range map[string]string{
		"fooocus.png": "made by   Fooocus v2.5.0\nmodel     someXL\nprompt    a dog on the beach\nnegative  blurry\nsteps     30\ncfg       4\nseed      3456789\n" +
			"note      it was made with ADM Guidance (1.5, 0.8, 0.3) too, which is left out: the picture may be another one\n",
		"seed64.png": "made by   v1.9.4\nmodel     someXL_v10\nprompt    a dog\nsteps     28\nsampler   euler-a\ncfg       6.5\nsize      832x1216\nseed      607539957654043\n" +
			"note      its seed 607539957654043 has more than 32 bits, and only the last 32 count: it is the same as 3948732955\n",
	} {
		status, stdout, stderr := command(t, "recipe", "../inference/recipe/testdata/foreign/"+name)
		if status != 0 || stdout != want || stderr != "" {
			t.Errorf("%s: status %d, %s%s", name, status, stderr, stdout)
		}
	}
	var said struct {
		Foreign  bool
		Prompt   string
		Negative string
		Steps    int
		Sampler  string
		CFG      float64
		Seeds    []uint64
		Width    int
		Notes    []string
	}
	status, stdout, _ := command(t, "recipe", "../inference/recipe/testdata/foreign/utf8-in-text.png", "--json")
	if err := json.Unmarshal([]byte(stdout), &said); status != 0 || err != nil || !said.Foreign || said.Prompt != "a café dog, 犬 on the beach 🌊" || said.Negative != "ピンボケ" ||
		said.Steps != 28 || said.CFG != 6.5 || said.Seeds[0] != 3141592653 || said.Width != 832 || said.Sampler != "euler-a" || len(said.Notes) != 0 {
		t.Errorf("status %d, %v, %s", status, err, stdout)
	}

	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	request := inference.Request{
		Prompt: "a dog\x1b[31m\u009b on the beach", Settings: inference.Settings{Negative: " ", Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim", MaskSource: "all_cross", Width: 128, Height: 128},
		Seeds: []uint64{7}, Subjects: []inference.Subject{{Word: inference.Word{Text: "dog", Occurrence: 2}, Scope: 0.2, References: []inference.Reference{{Name: "rex.png", Square: picture.Square{Fit: picture.Pad}}}}},
	}
	own, err := recipe.EncodePNG(inference.PictureReady{Image: image.NewNRGBA(image.Rect(0, 0, 2, 2)), Recipe: request, Seed: 7}, bundle.Manifest{Name: "toy"}, recipe.Embed{Program: "realword 1"})
	if err != nil {
		t.Fatal(err)
	}
	path := write("own.png", own)
	want := "made by   realword 1\nmodel     toy\nprompt    a dog\ufffd[31m\ufffd on the beach\npreset    paper\nsteps     25\nT_stop    12\nsampler   ddim\ncfg       7.5\nmasks     all_cross\n" +
		"size      128x128\nseed      7\nsubject   dog#2 = rex.png (SHA-256 e3b0c44298), scope 0.2, pad\n"
	if status, stdout, stderr := command(t, "recipe", path); status != 0 || stdout != want {
		t.Errorf("status %d, %s%s", status, stderr, stdout)
	}
	if status, stdout, _ := command(t, "recipe", path, "--json"); status != 0 || !json.Valid([]byte(stdout)) || strings.ContainsAny(stdout, "\x1b\u009b") || !strings.Contains(stdout, `"foreign": false`) {
		t.Errorf("status %d, %q", status, stdout)
	}
	bare, err := picture.Encode(image.NewNRGBA(image.Rect(0, 0, 2, 2)), picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{write("bare.png", bare): "does not say how it was made", write("x.jpg", []byte("\xff\xd8\xff")): "this is a JPEG picture", filepath.Join(dir, "none.png"): "none.png", dir: "folder"} {
		if status, stdout, stderr := command(t, "recipe", path); status != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s%s", path, status, stderr, stdout)
		}
	}
	if status, _, _ := command(t, "recipe"); status != 2 {
		t.Errorf("without a picture: status %d", status)
	}
}

// Another program that resizes a picture keeps A1111's words and drops the recipe.
func TestAChangedPictureSaysSo(t *testing.T) {
	model, dog := tiny(t)
	out := t.TempDir()
	status, stdout, stderr := command(t, "generate", "--model", model, "--prompt", "a dog", "--subject", "dog="+dog, "--steps", "2", "--stop", "1", "--seed", "5", "--out", out)
	if status != 0 {
		t.Fatal(stderr)
	}
	file := strings.TrimSpace(stdout)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err1 := picture.Decode(data, picture.DefaultLimits)
	m, err2 := picture.ReadMetadata(data)
	m.Recipe = nil
	changed, err3 := picture.Encode(img, m)
	if err := errors.Join(err1, err2, err3, os.WriteFile(file, changed, 0o600)); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr = command(t, "generate", "--model", model, "--redo", file, "--out", out); status != 1 || !strings.Contains(stderr, "another program has changed this picture") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, stdout, _ = command(t, "recipe", file); status != 0 || !strings.Contains(stdout, "made by   realword") || !strings.Contains(stdout, "note      another program has changed this picture") {
		t.Errorf("status %d, %s", status, stdout)
	}
}

// TestTheRecipeOfAnotherModel: --recipe makes a picture once more. What was the usual size of the model that made it becomes that of the
// open one, a size that somebody chose stays, and both are said, as it is said which model draws what is new in its picture.
func TestTheRecipeOfAnotherModel(t *testing.T) {
	model, dog := tiny(t)
	out := t.TempDir()
	made := func(args ...string) (file, notes string) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{"generate", "--model", model, "--steps", "2", "--stop", "1", "--out", out}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d, %s", args, status, stderr)
		}
		return strings.TrimSpace(stdout), stderr
	}
	read := func(file string) recipe.Recipe {
		t.Helper()
		return readRecipe(t, file)
	}
	first, _ := made("--prompt", "a dog", "--subject", "dog="+dog, "--seed", "5")
	was := read(first)
	again, notes := made("--recipe", first)
	if a, b := read(again), was; a.Seeds[0] != 5 || a.Width != b.Width || a.Subjects[0].References[0].SHA256 != b.Subjects[0].References[0].SHA256 || notes != "" {
		t.Errorf("once more it is %+v; %s", a.Request, notes)
	}
	if file, _ := made("--recipe", first, "--seed", "6", "--prompt", "a dog, again"); read(file).Seeds[0] != 6 || read(file).Prompt != "a dog, again" {
		t.Errorf("changed it is %+v", read(file).Request)
	}
	if file, notes := made("--recipe", first, "--prompt", "a truck"); len(read(file).Subjects) > 0 || !strings.Contains(notes, `"dog" is not in the new prompt`) {
		t.Errorf("without its word: %+v; %s", read(file).Subjects, notes)
	}
	older := func(name string, width, height int, change ...func(*inference.Request)) string {
		t.Helper()
		data, err := os.ReadFile(first)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := picture.Decode(data, picture.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		r := was.Request
		r.Width, r.Height = width, height
		for _, do := range change {
			do(&r)
		}
		said, err1 := recipe.New(r, "Realword Toybox")
		data, err2 := picture.Encode(picture.Fill(img, width, height), picture.Metadata{Recipe: said})
		file := filepath.Join(out, name)
		if err := errors.Join(err1, err2, os.WriteFile(file, data, 0o600)); err != nil {
			t.Fatal(err)
		}
		return file
	}
	usual, chosen := older("usual.png", 128, 128), older("chosen.png", 128, 64)
	file, notes := made("--recipe", usual)
	if r := read(file); r.Width != was.Width || r.Height != was.Height || !strings.Contains(notes, "note: the picture was made with the model Realword Toybox: what is new in it is drawn by tiny; that one came with an earlier version") ||
		!strings.Contains(notes, "note: 128 × 128 is the usual size of the model Realword Toybox: the new picture has that of") {
		t.Errorf("%d × %d, want %d × %d; %s", r.Width, r.Height, was.Width, was.Height, notes)
	}
	file, notes = made("--recipe", chosen)
	if r := read(file); r.Width != 128 || r.Height != 64 || !strings.Contains(notes, "note: the new picture keeps the size of the recipe, 128 × 64") {
		t.Errorf("%d × %d; %s", r.Width, r.Height, notes)
	}
	if file, notes = made("--recipe", usual, "--size", "96x96"); read(file).Width != 96 || strings.Contains(notes, "usual size") {
		t.Errorf("%d × %d; %s", read(file).Width, read(file).Height, notes)
	}
	if file, notes = made("--redo", usual); read(file).Width != 128 || !strings.Contains(notes, "made with the model Realword Toybox: what is new in it is drawn by") ||
		!strings.Contains(notes, "note: the size 128x128 is far larger than what this model learned from (64 × 64)") {
		t.Errorf("%d × %d; %s", read(file).Width, read(file).Height, notes)
	}
	status, _, stderr := command(t, "generate", "--model", model, "--out", out, "--second-pass", usual)
	if status != 2 || !strings.Contains(stderr, "--scale 2: the picture has 128 × 128 pixels, and the model") {
		t.Errorf("a second pass of the largest: %d, %s", status, stderr)
	}
	status, _, stderr = command(t, "generate", "--model", model, "--out", out, "--recipe", usual, "--redo", usual)
	if status != 2 || !strings.Contains(stderr, "leave --recipe out") {
		t.Errorf("two at once: %d, %s", status, stderr)
	}

	sample := assets.Samples()[5] // which no history has
	ours := older("ours.png", 64, 64, func(r *inference.Request) {
		r.Subjects = inference.CloneSubjects(r.Subjects)
		r.Subjects[0].References = []inference.Reference{{Name: "rex.png", SHA256: files.Sum(sample.Data)}}
	})
	if file, _ = made("--recipe", ours); read(file).Subjects[0].References[0].SHA256 != files.Sum(sample.Data) {
		t.Errorf("of a picture that comes with the program: %+v", read(file).Subjects)
	}

	gone := older("gone.png", 64, 64, func(r *inference.Request) { r.LoRAs = "<lora:gone:0.8>" })
	for _, option := range []string{"--recipe", "--redo", "--second-pass"} {
		status, _, stderr = command(t, "generate", "--model", model, "--out", out, option, gone)
		if status != 1 || !strings.Contains(stderr, "no LoRA called gone") || !strings.Contains(stderr, "--lora none makes the picture without") {
			t.Errorf("%s with a LoRA that is gone: %d, %s", option, status, stderr)
		}
		if file, _ = made(option, gone, "--lora", "none"); read(file).LoRAs != "" {
			t.Errorf("%s without LoRAs has %s", option, read(file).LoRAs)
		}
	}
	if status, _, stderr = command(t, "generate", "--model", model, "--out", out, "--prompt", "a dog", "--lora", "none"); status != 2 || !strings.Contains(stderr, "name one of those") {
		t.Errorf("no LoRA of no recipe: %d, %s", status, stderr)
	}
}

// What a recipe's model is called leads to the option or the command that brings it.
func TestWayToAModel(t *testing.T) {
	model, _ := tiny(t)
	inside, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(dataFolder("models"), "a folder")
	if err := os.CopyFS(here, os.DirFS(model)); err != nil {
		t.Fatal(err)
	}
	known := hub.Catalogue()[0]
	for name, want := range map[string]string{
		inside.Manifest.Name: "without --model it is", "tiny": "--model " + strconv.Quote(here), known.Title: "`realword model get " + known.Name + "` downloads",
		"Realword Toybox": "an earlier version", "somebody's": "--model FOLDER",
	} {
		if got := wayTo(name); !strings.Contains(got, want) {
			t.Errorf("%s: %s, without %s", name, got, want)
		}
	}
}

// TestOptionsTurnOffWhatARecipeHas: false beside a recipe is no silence about it.
func TestOptionsTurnOffWhatARecipeHas(t *testing.T) {
	model, dog := tiny(t)
	out := t.TempDir()
	made := func(args ...string) (string, inference.Settings) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{"generate", "--model", model, "--out", out}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d, %s", args, status, stderr)
		}
		file := strings.TrimSpace(stdout)
		return file, readRecipe(t, file).Settings
	}
	first := []string{"--prompt", "a (dog:1.2) " + strings.Repeat("big ", 80), "--subject", "dog=" + dog, "--steps", "8", "--seed", "5"}
	_, plain := made(first...)
	file, all := made(append(first, "--swift", "--literal", "--one-chunk", "--mask-norm", "none", "--cfg", "3")...)
	if !all.Swift || !all.Literal || !all.Cut || !all.RawMask || all.CFG != 3 || plain == all {
		t.Fatalf("%+v", all)
	}
	if _, got := made("--recipe", file); got != all {
		t.Errorf("the same again: %+v, want %+v", got, all)
	}
	for _, how := range []string{"--recipe", "--redo"} {
		_, got := made(how, file, "--swift=false", "--literal=false", "--one-chunk=false", "--mask-norm", "max", "--cfg", "12.5")
		if got != plain {
			t.Errorf("%s: %+v, want %+v", how, got, plain)
		}
	}
	if _, got := made("--recipe", file, "--mask-norm", "min_max_per_channel", "--swift=false", "--uncond-every", "2"); got.RawMask || got.MaskNorm != "min_max_per_channel" ||
		got.Swift || got.Every != 2 || got.Rest != 0 || !got.Literal {
		t.Errorf("%+v", got)
	}
}

// readRecipe is the recipe in a picture's file.
func readRecipe(t *testing.T, file string) recipe.Recipe {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := recipe.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
