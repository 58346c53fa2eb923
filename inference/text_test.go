package inference_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
)

// TestMarksOnRealGraphs: a weight of 1 is no weight, to the bit; another one changes the picture; marks read sign by sign are signs; and
// picture n of a batch with alternatives is what its recipe makes, and what the prompt that it used makes.
func TestMarksOnRealGraphs(t *testing.T) {
	model := bundletest.Golden(t, "tiny-xl")
	e, file := engineOf(t, model), grey(t)
	ask := func(text string, seeds ...uint64) inference.Request {
		return inference.Request{
			Prompt: text, Settings: inference.Settings{Steps: 3, Negative: "rain, snow", Width: 64, Height: 64}, Seeds: seeds,
			Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: file}}}},
		}
	}
	run := func(r inference.Request) (pictures []inference.PictureReady, scores [][]float32) {
		t.Helper()
		job, err := e.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		for event := range job.Events() {
			switch event := event.(type) {
			case inference.StepDone:
				if event.Guided {
					scores = append(scores, event.Subjects[0].Scores)
				}
			case inference.PictureReady:
				pictures = append(pictures, event)
			case inference.Failed:
				t.Fatal(event.Err)
			}
		}
		return pictures, scores
	}
	same := func(a, b inference.Request) bool {
		t.Helper()
		one, s1 := run(a)
		two, s2 := run(b)
		equal := bytes.Equal(one[0].Image.Pix, two[0].Image.Pix)
		if equal != slices.Equal(s1[0], s2[0]) {
			t.Errorf("%q and %q: pictures and scores do not agree", a.Prompt, b.Prompt)
		}
		return equal
	}
	plain := ask("a dog on the beach", 5)
	for _, text := range []string{"a (dog:1) on the beach", "a (dog:1.0) ([on]) the beach", "<lora:x:1>a dog on the beach"} {
		if !same(plain, ask(text, 5)) {
			t.Errorf("%q is another picture", text)
		}
	}
	for _, text := range []string{"a (dog:1.5) on the beach", "a (dog) on the beach", "a dog on the (beach:0)"} {
		if same(plain, ask(text, 5)) {
			t.Errorf("%q is the same picture", text)
		}
	}
	weighted, literal := ask("a dog on the (beach:1.5)", 5), ask("a dog on the (beach:1.5)", 5)
	literal.Literal = true
	if same(weighted, literal) {
		t.Error("read sign by sign, it is the same picture")
	}
	marked := plain
	marked.Negative = "rain, (snow:1.4)"
	if a, _ := run(plain); true {
		if b, _ := run(marked); bytes.Equal(a[0].Image.Pix, b[0].Image.Pix) {
			t.Error("weights of the negative prompt do nothing")
		}
	}

	r := ask("{a red dog|a toy dog and a dog|a (dog:0.5)} on the {beach|street}", 1, 2, 3, 4, 7)
	r.Subjects[0].Word.Text = "the"
	batch, _ := run(r)
	used := []string{ // seed n takes alternative n mod 3, then n/3 mod 2
		"a toy dog and a dog on the beach", "a (dog:0.5) on the beach", "a red dog on the street", "a toy dog and a dog on the street", "a toy dog and a dog on the beach",
	}
	m := model.Manifest()
	for n, p := range batch {
		if p.Recipe.Prompt != r.Prompt {
			t.Errorf("the recipe of picture %d has the prompt %q", n, p.Recipe.Prompt)
		}
		if text, _ := p.Recipe.Used(m, p.Seed); text != used[n] {
			t.Errorf("picture %d used %q, want %q", n, text, used[n])
		}
		alone, _ := run(p.Recipe)
		words := p.Recipe
		words.Prompt = used[n]
		plain, _ := run(words)
		if !bytes.Equal(alone[0].Image.Pix, p.Image.Pix) || !bytes.Equal(plain[0].Image.Pix, p.Image.Pix) {
			t.Errorf("picture %d alone differs from picture %d of the batch", n, n)
		}
	}
	for n, seed := range []uint64{3, 4} { // the dog is the first one that is read, and the third one of the text
		was := inference.Defaults(m, r)
		was.Seeds, was.Subjects[0].Word = []uint64{seed}, inference.Word{Text: "dog", Occurrence: 1 + 2*n}
		taken := e.Taken(was, seed)
		want, negative := was.Used(m, seed)
		if taken.Prompt != want || taken.Negative != negative || taken.Subjects[0].Word.Occurrence != 1+n || was.Subjects[0].Word.Occurrence != 1+2*n {
			t.Errorf("seed %d: %q without %q, %v", seed, taken.Prompt, taken.Negative, taken.Subjects[0].Word)
		}
		one, s1 := run(was)
		two, s2 := run(taken)
		if !bytes.Equal(one[0].Image.Pix, two[0].Image.Pix) || !slices.Equal(s1[0], s2[0]) {
			t.Errorf("seed %d: with the alternatives that it takes it is another picture", seed)
		}
	}
	for _, seed := range []uint64{0, 5, 1<<32 - 1, 1<<40 + 4} {
		want, _ := r.Used(m, seed)
		alike := r.Alike(m, seed)
		if got, _ := r.Used(m, alike); got != want || alike == seed || alike > 1<<32-1 {
			t.Errorf("seed %d draws %q, and %d %q", seed, want, alike, got)
		}
	}
	r.Subjects[0].Word.Text = "red"
	if _, err := e.Resolve(r); err == nil || !strings.Contains(err.Error(), "alternative") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("a word that is not in every picture: %v", err)
	}
	if r.Seeds = []uint64{3}; true {
		if _, err := e.Resolve(r); err != nil {
			t.Errorf("a word that is in the picture: %v", err)
		}
	}
}

// TestLongPromptsOnRealGraphs: a prompt that fits is the same picture, to the bit, whether longer ones are cut or not; of one that does
// not, what is cut changes the picture, and so does BREAK; a word of the second chunk can look like a picture; a recipe makes its picture.
func TestLongPromptsOnRealGraphs(t *testing.T) {
	model := bundletest.Golden(t, "tiny-xl")
	e, file := engineOf(t, model), grey(t)
	picture := func(text, word string, cut bool) inference.PictureReady {
		t.Helper()
		job, err := e.Start(context.Background(), inference.Request{
			Prompt: text, Settings: inference.Settings{Steps: 2, Negative: "rain, snow", Width: 64, Height: 64, Cut: cut}, Seeds: []uint64{5},
			Subjects: []inference.Subject{{Word: inference.Word{Text: word}, References: []inference.Reference{{Name: "dog.png", Data: file}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var ready inference.PictureReady
		for event := range job.Events() {
			switch event := event.(type) {
			case inference.PictureReady:
				ready = event
			case inference.Failed:
				t.Fatal(event.Err)
			}
		}
		return ready
	}
	equal := func(a, b inference.PictureReady) bool { return bytes.Equal(a.Image.Pix, b.Image.Pix) }
	if !equal(picture("a dog on the beach", "dog", false), picture("a dog on the beach", "dog", true)) {
		t.Error("a short prompt is another picture")
	}
	long := "a dog on the beach" + strings.Repeat(", a toy robot", 25)
	if equal(picture(long, "dog", false), picture(long, "dog", true)) {
		t.Error("what is cut changes nothing")
	}
	parted := picture("a toy BREAK a dog on the beach", "dog", false)
	if equal(parted, picture("a toy BREAK a dog on the beach", "dog", true)) || equal(parted, picture("a toy a dog on the beach", "dog", false)) {
		t.Error("BREAK changes nothing")
	}
	again, err := e.Start(context.Background(), parted.Recipe)
	if err != nil {
		t.Fatal(err)
	}
	for event := range again.Events() {
		if ready, ok := event.(inference.PictureReady); ok && !equal(ready, parted) {
			t.Error("the recipe makes another picture")
		}
	}
}
