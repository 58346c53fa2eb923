package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/assets"
	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// toldJob is a job that tells what it is given.
type toldJob []inference.Event

func (j toldJob) Events() <-chan inference.Event {
	events := make(chan inference.Event, len(j))
	for _, e := range j {
		events <- e
	}
	close(events)
	return events
}

func (toldJob) Cancel() {}

// TestAFilmIsOfItsPicture: the steps of one that a farm could not make are none of the next one's.
func TestAFilmIsOfItsPicture(t *testing.T) {
	why := errors.New("picture 1 could not be made")
	job := toldJob{
		inference.StepDone{Picture: 0},
		inference.StepDone{Picture: 0, Step: 1},
		inference.StepDone{Picture: 1},
		inference.StepDone{Picture: 1, Step: 1},
		inference.StepDone{Picture: 1, Step: 2},
		inference.PictureReady{Picture: 1},
		inference.StepDone{Picture: 2},
		inference.PictureReady{Picture: 2},
		inference.Failed{Err: why},
	}
	var films []int
	err := follow(job, newRecorder(true, false, io.Discard), quiet{io.Discard, io.Discard}, func(_ inference.PictureReady, film []picture.FilmStep) error {
		films = append(films, len(film))
		return nil
	})
	if !errors.Is(err, why) || !slices.Equal(films, []int{3, 1}) {
		t.Errorf("films of %v steps, %v", films, err)
	}
}

// isFile tells whether there is a file.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func TestGenerate(t *testing.T) {
	model, dog := tiny(t)
	out := filepath.Join(t.TempDir(), "new", "folder")
	args := []string{"generate", "--model", model, "--prompt", "a dog on the beach", "--subject", "dog=" + dog, "--steps", "4", "--stop", "2", "--seed", "5", "--out", out}

	status, stdout, stderr := command(t, append(args, "--count", "2", "--film")...)
	files := strings.Fields(stdout)
	if status != 0 || len(files) != 2 || stderr != "" {
		t.Fatalf("status %d, %q, %s", status, stdout, stderr)
	}
	first, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if m, err := picture.ReadMetadata(first); err != nil || m.Prompt != "a dog on the beach" || !json.Valid(m.Recipe) {
		t.Errorf("metadata: %+v, %v", m, err)
	}
	for _, file := range files {
		if film := strings.TrimSuffix(file, ".png") + "-film.png"; !isFile(film) {
			t.Errorf("the film of %s is not %s", file, film)
		}
	}

	status, stdout, _ = command(t, append(args, "--events")...)
	var last map[string]any
	names := map[string]int{}
	file := ""
	for line := range strings.Lines(stdout) {
		last = nil
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		names[last["event"].(string)]++
		if last["event"] == "picture" {
			file = last["file"].(string)
		}
	}
	if status != 0 || last["event"] != "done" || names["step"] != 4 || names["picture"] != 1 {
		t.Errorf("status %d, events %v", status, names)
	}
	again, err := os.ReadFile(file)
	if err != nil || file == files[0] || !bytes.Equal(first, again) {
		t.Errorf("the same recipe gave other bytes, or the file was overwritten: %s, %s, %v", files[0], file, err)
	}

	_, stdout, _ = command(t, "history", "list")
	if strings.Count(stdout, "complete") != 2 {
		t.Errorf("history:\n%s", stdout)
	}
	archive := filepath.Join(t.TempDir(), "session.zip")
	if status, _, stderr := command(t, "history", "export", "1", archive); status != 0 || stderr != "" {
		t.Errorf("export: status %d, %s", status, stderr)
	}
	if _, stdout, _ = command(t, "history", "import", archive); stdout != "session 1: 0 new jobs, 0 new pictures\n" {
		t.Errorf("a session that is there was imported again: %s", stdout)
	}
	if _, stdout, _ = command(t, "history", "show", "1"); !strings.Contains(stdout, files[1]) || !strings.Contains(stdout, `"seeds"`) {
		t.Errorf("round 1:\n%s", stdout)
	}
	if status, stdout, stderr := command(t, "model", "verify", model, "--goldens", "../assets/golden/data/tiny.goldens/text-short.safetensors"); status != 0 {
		t.Errorf("verify: %s%s", stdout, stderr)
	}
	if status, stdout, stderr := command(t, "model", "verify", model, "--goldens", "../assets/golden/data/tiny.goldens/text-short.safetensors", "--limit", "1e-12"); status != 1 || !strings.Contains(stdout, "FAILED") {
		t.Errorf("verify with a limit that nothing meets: %d %s%s", status, stdout, stderr)
	}

	// The same seed again, without and then with its film, which bears the number of its picture.
	command(t, args...)
	if _, stdout, _ := command(t, append(args, "--film")...); !isFile(strings.TrimSuffix(strings.TrimSpace(stdout), ".png") + "-film.png") {
		t.Errorf("the film of %s has another name", stdout)
	}

	status, _, stderr = command(t, "generate", "--model", model, "--prompt", "a cat", "--subject", "dog="+dog, "--out", out)
	if status != 2 || !strings.Contains(stderr, "dog") {
		t.Errorf("a word that is not in the prompt: %d, %s", status, stderr)
	}
	if err := os.WriteFile(dog, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr = command(t, args...); status != 1 || !strings.Contains(stderr, "dog") {
		t.Errorf("a picture that is none: %d, %s", status, stderr)
	}
}

func TestInterruptedGenerate(t *testing.T) {
	model, dog := tiny(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	watch := writerFunc(func(line []byte) {
		if bytes.Contains(line, []byte(`"event":"step"`)) {
			interrupt()
		}
	})
	out := t.TempDir()
	var stderr bytes.Buffer
	status := execute(ctx, []string{"generate", "--model", model, "--prompt", "a dog", "--subject", "dog=" + dog, "--steps", "500", "--out", out, "--events"}, watch, &stderr)
	left, err := os.ReadDir(out)
	if status != 130 || stderr.String() != "interrupted\n" || err != nil || len(left) != 0 {
		t.Errorf("status %d, %q, %v left behind", status, stderr.String(), left)
	}
	if _, stdout, _ := command(t, "history", "list"); !strings.Contains(stdout, "cancelled") {
		t.Errorf("history:\n%s", stdout)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

var _ io.Writer = writerFunc(nil)

// The model inside the program makes a picture whose masks have the wanted size.
func TestEmbeddedModel(t *testing.T) {
	_, dog := tiny(t)
	status, stdout, stderr := command(t, "generate", "--prompt", "a dog on the beach", "--subject", "dog="+dog+":0.2", "--steps", "2", "--stop", "1", "--out", t.TempDir(), "--events")
	if status != 0 || !strings.Contains(stdout, `"event":"done"`) {
		t.Fatalf("status %d\n%s%s", status, stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		var step struct {
			Event    string
			Coverage []float64
		}
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Fatal(err)
		}
		if step.Event == "step" && (len(step.Coverage) != 1 || step.Coverage[0] < 0.15 || step.Coverage[0] > 0.2) {
			t.Errorf("the masks of a step cover %v of the grid, the scope is 0.2", step.Coverage)
		}
	}
	if status, stdout, stderr := command(t, "doctor", "--all"); status != 0 || !strings.Contains(stdout, "found    Model") {
		t.Errorf("doctor: status %d\n%s%s", status, stdout, stderr)
	}
}

// TestFitAndNegative: the flags beat the preset, and the recipe says what was done.
func TestFitAndNegative(t *testing.T) {
	model, dog := tiny(t)
	args := []string{"generate", "--model", model, "--prompt", "a dog on the beach", "--subject", "dog=" + dog, "--steps", "2", "--stop", "1", "--seed", "5", "--no-history"}
	for _, c := range []struct {
		more      []string
		fit       picture.Fit
		negatives string
	}{
		{nil, picture.Pad, " "},
		{[]string{"--fit", "stretch", "--negative", "rain"}, picture.Stretch, "rain"},
		{[]string{"--fit", "crop", "--negative", ""}, picture.Crop, " "},
	} {
		status, stdout, stderr := command(t, append(append(args, "--out", t.TempDir()), c.more...)...)
		data, err := os.ReadFile(strings.TrimSpace(stdout))
		if status != 0 || err != nil {
			t.Fatalf("%v: status %d, %v, %s", c.more, status, err, stderr)
		}
		r, _, err := recipe.Read(data)
		if err != nil || r.Negative != c.negatives || r.Subjects[0].References[0].Square.Fit != c.fit {
			t.Errorf("%v: %+v, %v", c.more, r.Request, err)
		}
	}
	if status, _, stderr := command(t, append(args, "--fit", "zoom")...); status != 2 || !strings.Contains(stderr, "pad, crop or stretch") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestNotes: what of a prompt is cut, read otherwise or chosen is said once.
func TestNotes(t *testing.T) {
	model, dog := tiny(t)
	long := "a dog and a dog, " + strings.Repeat("very ", 100) + "wet"
	args := []string{"generate", "--model", model, "--subject", "dog=" + dog, "--steps", "2", "--stop", "1", "--seed", "5", "--no-history", "--out", t.TempDir()}
	both := append(args, "--prompt", long, "--negative", "(rain:1.3), [rain:snow:0.5] "+strings.Repeat("cold ", 90))
	if status, _, stderr := command(t, both...); status != 0 || strings.Count(stderr, "\n") != 2 || strings.Contains(stderr, "tokens") {
		t.Errorf("nothing is cut: status %d, %q", status, stderr)
	}
	status, stdout, stderr := command(t, append(both, "--one-chunk")...)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if status != 0 || stdout == "" || len(lines) != 5 {
		t.Fatalf("status %d, %q", status, stderr)
	}
	for i, want := range []string{`the prompt has `, `prompts are cut after 75 tokens`, `the negative prompt has `, `"[rain:snow:0.5]"`, `"dog" occurs 2 times in the prompt: the first is used, dog#2`} {
		if !strings.HasPrefix(lines[i], "note: ") || !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	args[4] = "dog#1=" + dog
	if status, _, stderr := command(t, append(args, "--prompt", "a dog and a dog")...); status != 0 || stderr != "" {
		t.Errorf("the word was chosen: status %d, %q", status, stderr)
	}
	if status, _, stderr := command(t, append(args, "--prompt", "a dog", "--seed", "4294967295", "--count", "3")...); status != 0 ||
		stderr != "note: the seed 4294967296 has more than 32 bits, and only the last 32 count: it is the same as 0\n" {
		t.Errorf("the seeds begin again: status %d, %q", status, stderr)
	}
}

// TestGenerateFromAPicture begins with a picture: as many steps as its strength says, and a recipe that tells it.
func TestGenerateFromAPicture(t *testing.T) {
	model, dog := tiny(t)
	out := t.TempDir()
	args := []string{"generate", "--model", model, "--prompt", "a dog on the beach", "--steps", "4", "--stop", "1", "--seed", "5", "--out", out, "--init", dog}
	status, stdout, stderr := command(t, append(args, "--strength", "0.5", "--subject", "dog="+dog, "--events")...)
	if n := strings.Count(stdout, `"event":"step"`); status != 0 || n != 2 {
		t.Fatalf("status %d, %d steps: %s%s", status, n, stdout, stderr)
	}
	files, _ := filepath.Glob(filepath.Join(out, "*.png"))
	if status, stdout, _ = command(t, "recipe", files[0]); status != 0 || !strings.Contains(stdout, "begins    with dog.png (SHA-256 ") || !strings.Contains(stdout, "strength 0.5") {
		t.Errorf("recipe: %d\n%s", status, stdout)
	}
	batch := filepath.Join(filepath.Dir(dog), "batch.jsonl")
	line := `{"name": "again", "prompt": "a dog on the beach", "seed": 5, "init": "dog.png", "strength": 0.5, "subjects": [{"word": "dog", "references": ["dog.png"]}]}`
	if err := os.WriteFile(batch, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := command(t, "generate", "--model", model, "--steps", "4", "--stop", "1", "--batch", batch, "--out", out); status != 0 {
		t.Fatal(stderr)
	}
	first, _ := os.ReadFile(files[0])
	if again, err := os.ReadFile(filepath.Join(out, "again.png")); err != nil || !bytes.Equal(first, again) {
		t.Errorf("a batch makes another picture of the same: %v", err)
	}
	for _, wrong := range [][]string{{"--strength", "1.5"}, {"--strength", "0.1"}, {"--strength", "0"}} {
		if status, _, stderr := command(t, append(args, wrong...)...); status != 2 || !strings.Contains(stderr, "strength") {
			t.Errorf("%v: %d, %s", wrong, status, stderr)
		}
	}
	if status, _, stderr := command(t, "generate", "--model", model, "--prompt", "a dog", "--strength", "0.5", "--out", out); status != 2 || !strings.Contains(stderr, "with --init") {
		t.Errorf("a strength of nothing: %d, %s", status, stderr)
	}
}

// pixels are those of a PNG file, and the region that its recipe names.
func pixels(t *testing.T, file string) (pix []byte, region *image.Gray) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := picture.Decode(data, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := recipe.Read(data); err == nil && r.Init != nil && len(r.Init.Region.Data) > 0 {
		if region, _, _, err = picture.ReadPainted(t.Context(), r.Init.Region.Data); err != nil {
			t.Fatal(err)
		}
	}
	return img.Pix, region
}

// generated is what `realword generate` with a model says of the pictures that it has made in a folder: their files.
func generated(t *testing.T, model, dir string, args ...string) string {
	t.Helper()
	status, stdout, stderr := command(t, append([]string{"generate", "--model", model, "--out", dir}, args...)...)
	if status != 0 {
		t.Fatalf("%v: status %d, %s", args, status, stderr)
	}
	return strings.TrimSpace(stdout)
}

// TestGenerateAgainOfAlternatives: another seed draws what the picture shows, not other alternatives of its prompts; those of a new prompt
// follow the seed.
func TestGenerateAgainOfAlternatives(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	made := func(args ...string) string { return generated(t, model, dir, args...) }
	choice := made("--prompt", "a {red|blue} dog and a {ball|box}", "--negative", "{rain|snow}", "--subject", "dog="+dog+":0.3", "--steps", "4", "--stop", "2",
		"--seed", "5") // a blue dog and a ball, no snow
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"other seeds":   {[]string{"--seed", "6", "--count", "2"}, "a blue dog and a ball/snow a blue dog and a ball/snow"},
		"the same seed": {nil, "a {red|blue} dog and a {ball|box}/{rain|snow}"},
		"another prompt": {
			[]string{"--prompt", "a {red|blue} dog in a box", "--seed", "6"}, "a {red|blue} dog in a box/snow",
		},
		"a grid":           {[]string{"--grid", "seed=6-7"}, "a blue dog and a ball/snow a blue dog and a ball/snow"},
		"what not to have": {[]string{"--negative", "{fog|hail}", "--seed", "6"}, "a blue dog and a ball/{fog|hail}"},
	} {
		var got []string
		for file := range strings.Lines(made(append([]string{"--redo", choice}, c.args...)...)) {
			said := readRecipe(t, strings.TrimSpace(file))
			got = append(got, said.Prompt+"/"+said.Negative)
		}
		if strings.Join(got[:min(len(got), strings.Count(c.want, "/"))], " ") != c.want {
			t.Errorf("alternatives with %s: %q, want %q", name, got, c.want)
		}
	}
}

// TestGenerateAgain makes one subject of a picture again, with another reference, seed and word, in a region of its own; then all of
// the picture larger. What is outside of a region stays, byte for byte.
func TestGenerateAgain(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	cat := filepath.Join(dir, "cat.png")
	if err := os.WriteFile(cat, assets.Samples()[1].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	img, _, err := picture.Decode(assets.Samples()[0].Data, picture.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	own, err := picture.Encode(img, picture.Metadata{}) // none of the program's own, which are known everywhere
	if err = errors.Join(err, os.WriteFile(dog, own, 0o600)); err != nil {
		t.Fatal(err)
	}
	made := func(args ...string) string { return generated(t, model, dir, args...) }
	first := made("--prompt", "a dog and a ball", "--subject", "dog="+dog+":0.3", "--subject", "ball="+cat+":0.3", "--steps", "4", "--stop", "2", "--seed", "5")
	was, _ := pixels(t, first)
	stays := func(name, file string) (region *image.Gray) {
		t.Helper()
		now, region := pixels(t, file)
		if region == nil || len(now) != len(was) {
			t.Fatalf("%s: region %v, %d bytes", name, region, len(now))
		}
		outside, differ, inside := 0, 0, 0
		for p, v := range region.Pix {
			same := bytes.Equal(now[4*p:][:4], was[4*p:][:4])
			switch {
			case v == 0:
				outside++
				if !same {
					differ++
				}
			case v == 255 && !same:
				inside++
			}
		}
		if t.Logf("%s: %d pixels outside, %d changed inside", name, outside, inside); outside == 0 || differ != 0 || inside == 0 {
			t.Errorf("%s: %d of %d pixels outside of the region differ, %d inside", name, differ, outside, inside)
		}
		return region
	}
	stays("another reference", made("--redo", first, "--subject", "dog="+cat))
	stays("another seed", made("--redo", first, "--only", "ball", "--seed", "6"))
	stays("another word", made("--redo", first, "--only", "dog", "--prompt", "a cat and a ball", "--subject", "cat="+cat))

	for name, c := range map[string]struct {
		args []string
		want string // sampler, steps, T_stop, guidance scale
	}{
		"another preset":                 {[]string{"--preset", "lcm"}, "lcm 8 4 1"},
		"another preset and more steps":  {[]string{"--preset", "lightning", "--steps", "6", "--cfg", "2"}, "euler-trailing 6 3 2"},
		"more steps, T_stop their share": {[]string{"--steps", "8"}, "ddim 8 4 12.5"},
		"one step":                       {[]string{"--steps", "1"}, "ddim 1 1 12.5"},
	} {
		data, err := os.ReadFile(made(append([]string{"--redo", first, "--only", "ball"}, c.args...)...))
		if err != nil {
			t.Fatal(err)
		}
		said, _, err := recipe.Read(data)
		if got := fmt.Sprint(said.Sampler, " ", said.Steps, said.Stop, said.CFG); err != nil || got != c.want {
			t.Errorf("%s: made with %s, not %s, %v", name, got, c.want, err)
		}
	}

	painted := filepath.Join(dir, "region.png")
	mask := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range mask.Pix {
		if i%64 >= 40 {
			mask.Pix[i] = 255
		}
	}
	data, err := picture.EncodePainted(mask)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(painted, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if region := stays("a painted region", made("--redo", first, "--seed", "6", "--region", painted)); !bytes.Equal(region.Pix, mask.Pix) {
		t.Error("a painted region is not as it was painted")
	}
	if region := stays("grown", made("--redo", first, "--seed", "6", "--region", painted, "--grow", "4", "--feather", "2")); region.Pix[36] != 255 || region.Pix[35] != 128 || region.Pix[34] != 0 {
		t.Errorf("grown by 4 and feathered by 2 it is %v", region.Pix[32:40])
	}

	data, err = os.ReadFile(made("--redo", first, "--only", "dog", "--seed", "6", "--mask", "dog="+painted+":not"))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := recipe.Read(data); err != nil || len(r.Subjects) != 2 || r.Subjects[0].Region.Kind != "not" || !r.Subjects[1].Region.IsZero() {
		t.Errorf("a mask for a subject of the picture: %+v, %v", r.Subjects, err)
	}

	said := func(file string) inference.Subject { return readRecipe(t, file).Subjects[0] }
	exact := made("--redo", first, "--only", "dog", "--mask", "dog="+painted+":exact")
	area, free := said(exact), said(made("--redo", exact, "--only", "dog", "--mask", "dog="+painted+":not"))
	if area.Scope != 0.375 || free.Region.Kind != "not" || free.Scope == area.Scope {
		t.Errorf("with another mask γ is %g, and the area of the exact one was %g", free.Scope, area.Scope)
	}

	larger := made("--second-pass", first, "--strength", "0.5", "--scale", "1.5")
	raw, err := os.ReadFile(larger)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := recipe.Read(raw)
	if err != nil || r.Width != 96 || r.Height != 96 || r.Init.Strength != 0.5 || !r.Init.Region.IsZero() || r.Subjects[0].Region.Kind != "exact" || r.Subjects[1].Region.Kind != "exact" {
		t.Errorf("the second pass is %+v, %v", r.Request, err)
	}
	store, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	if round, err := store.Round(2); err != nil || len(round.Parents) != 1 || round.Parents[0] != 1 {
		t.Errorf("the round of the first redo goes on from %v, %v", round.Parents, err)
	}
	// While a window has the history open, what it knows is read, and so is what commands have made beside it.
	beside := ""
	for name, from := range map[string]func() string{"of the history": func() string { return first }, "made beside it": func() string { return beside }} {
		if name == "made beside it" {
			beside = made("--prompt", "a dog and a ball", "--subject", "dog="+dog+":0.3", "--subject", "ball="+cat+":0.2", "--steps", "4", "--stop", "2", "--seed", "9")
		}
		status, stdout, stderr := command(t, "generate", "--model", model, "--out", dir, "--redo", from(), "--only", "dog")
		if status != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "this job joins it when the history is opened next") {
			t.Errorf("a redo of a picture %s: %d, %s", name, status, stderr)
			continue
		}
		if name == "of the history" {
			stays(name, strings.TrimSpace(stdout))
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	// What was redone then is in the tree below its picture, as what was redone before.
	if store, err = openHistory(); err != nil {
		t.Fatal(err)
	}
	rounds, err := store.Rounds()
	slices.Reverse(rounds)
	below := map[uint64]int{}
	for session := range uint64(2) {
		for _, n := range journal.Tree(slices.DeleteFunc(slices.Clone(rounds), func(r history.Round) bool { return r.Session != session+1 })) {
			if n.Level > 0 {
				below[n.Session]++
			}
		}
	}
	if n := len(rounds); err != nil || below[1] != n-3 || below[2] != 1 {
		t.Errorf("of %d jobs, %v are below others in the trees, %v", n, below, err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct {
		args []string
		want string
	}{
		{[]string{"--redo", first, "--second-pass", first}, "choose one"},
		{[]string{"--redo", first}, "--only"},
		{[]string{"--redo", first, "--only", "dog", "--mask", "owl=" + painted}, `"owl"`},
		{[]string{"--redo", "", "--prompt", "a dog"}, "--redo is empty"},
		{[]string{"--init", "", "--prompt", "a dog"}, "--init is empty"},
		{[]string{"--redo", first, "--only", "cat"}, "no subject"},
		{[]string{"--redo", first, "--init", first}, "--init"},
		{[]string{"--redo", first, "--only", "dog", "--strength", "2"}, "strength"},
		{[]string{"--grow", "3", "--prompt", "a dog"}, "--redo"},
		{[]string{"--second-pass", first, "--scale", "9"}, "up to 4"},
		{[]string{"--second-pass", first, "--size", "64x64"}, "--scale"},
		{[]string{"--redo", first, "--only", "dog", "--grow", "-5"}, "--grow -5: give a number"},
	} {
		if status, _, stderr := command(t, append([]string{"generate", "--model", model, "--out", dir}, wrong.args...)...); status != 2 || !strings.Contains(stderr, wrong.want) {
			t.Errorf("%v: %d, %s", wrong.args, status, stderr)
		}
	}
	if status, _, stderr := command(t, "generate", "--model", model, "--out", dir, "--redo", dog); status != 1 || !strings.Contains(stderr, "does not say how it was made") {
		t.Errorf("a picture without a recipe: %d, %s", status, stderr)
	}
	bare := filepath.Join(t.TempDir(), "bare.png") // as if from another machine
	if err := os.WriteFile(bare, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	if status, _, stderr := command(t, "generate", "--model", model, "--out", dir, "--redo", bare, "--only", "dog"); status != 1 || !strings.Contains(stderr, "no longer in the history") {
		t.Errorf("a picture that the history does not know: %d, %s", status, stderr)
	}
	if status, _, stderr := command(t, "generate", "--model", model, "--out", dir, "--redo", bare, "--region", painted); status != 1 || !strings.Contains(stderr, "no longer in the history") {
		t.Errorf("references that the history does not know: %d, %s", status, stderr)
	}
	if status, _, stderr := command(t, "generate", "--model", model, "--out", dir, "--redo", bare, "--only", "dog", "--subject", "dog="+dog, "--subject", "ball="+cat); status != 0 || !strings.Contains(stderr, "note: the history has no masks") {
		t.Errorf("a picture that the history does not know, with its references: %d, %s", status, stderr)
	}
}
