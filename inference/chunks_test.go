package inference

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"realword/inference/prompt"
	"realword/inference/tensor"
)

// TestChunksOfAPrompt: chunks are encoded one by one and stand side by side; a word's tokens are counted over all of them, and each pass
// has as many as its own text.
func TestChunksOfAPrompt(t *testing.T) {
	b := newBench(t)
	b.model.manifest.Text.Chunks = true
	r := b.dog()
	r.Prompt, r.Negative, r.Steps = "a red robot BREAK a dog on the beach", "rain", 1
	b.run(r)
	encoded := b.runtime.callsOf("text")
	encoded = slices.DeleteFunc(encoded, func(c call) bool { return c.graph != "text" })
	ids := func(text string) []int64 { return b.model.words.Encode(text).IDs }
	if len(encoded) != 3 || !slices.Equal(encoded[0].in["input_ids"].I64, ids("a red robot")) || !slices.Equal(encoded[1].in["input_ids"].I64, ids("a dog on the beach")) {
		t.Fatalf("%d chunks are encoded, want two of the prompt and the negative one", len(encoded))
	}
	kv := b.runtime.callsOf("text_kv")
	if got := kv[0].in["encoder_hidden_states"].Shape; !slices.Equal(got, []int{1, 154, 5}) {
		t.Errorf("features %v", got)
	}
	words := b.runtime.callsOf("guidance")[0].in["token_weights"]
	want := tensor.Zeros(1, 154)
	want.F32[77+2] = 1
	if !slices.Equal(words.Shape, want.Shape) || !slices.Equal(words.F32, want.F32) {
		t.Errorf("token weights %v %v", words.Shape, words.F32)
	}
	passes := b.runtime.callsOf("unet")
	for i, n := range []int{154, 77} { // with the prompt, with the negative one
		in := passes[i].in
		if !slices.Equal(in["text_k_0"].Shape, []int{1, n, 5}) || !slices.Equal(in["token_weights"].Shape, []int{0, n}) {
			t.Errorf("pass %d has a text of %v and token weights %v", i, in["text_k_0"].Shape, in["token_weights"].Shape)
		}
	}
	r.Negative = strings.Repeat("dog ", 76)
	b.runtime.forget()
	b.run(r)
	if got := b.runtime.callsOf("unet")[1].in["text_k_0"].Shape; got[1] != 154 {
		t.Errorf("a long negative prompt has %v", got)
	}

	preset := b.model.manifest.Presets["release"] // whose own is read as the release reads it
	preset.Negative = strings.Repeat("dog ", 76)
	b.model.manifest.Presets["release"] = preset
	r.Preset, r.Negative = "release", ""
	b.runtime.forget()
	b.run(r)
	if got := b.runtime.callsOf("unet")[1].in["text_k_0"].Shape; got[1] != 77 {
		t.Errorf("the preset's own negative prompt has %v", got)
	}
}

// TestPromptsOfOneChunk: where the model or the request wants it, a prompt is cut and BREAK a word, the same either way; both are said, and
// a resolved request tells that it was so.
func TestPromptsOfOneChunk(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("dog ", 76) + "beach BREAK the"
	for _, c := range []struct {
		chunks, cut bool
		text        string
		want        []string // of notes
		tokens      int
	}{
		{true, false, long, nil, 3 * 77},
		{true, true, long, []string{"model reads 75 of them", "after 75 tokens, as by earlier", `"BREAK" does not`}, 77},
		{false, false, long, []string{"model reads 75 of them", "graphs of the model fake read one prompt of 75", `"BREAK" does not`}, 77},
		{false, true, "a dog BREAK a robot", []string{"graphs of the model fake", `"BREAK" does not`}, 77},
		{true, true, "a dog", nil, 77},
		{false, false, "a dog", nil, 77},
		{true, false, strings.Repeat("dog ", 75*prompt.MaxChunks) + "beach", []string{"1201 tokens, and the model reads 1200"}, 77 * prompt.MaxChunks},
	} {
		b.model.manifest.Text.Chunks = c.chunks
		r := b.dog()
		r.Prompt, r.Cut, r.Steps, r.CFG = c.text, c.cut, 1, 1
		r.Subjects[0].Word.Occurrence = 1
		if c.text == long || len(c.want) == 1 {
			notes := b.engine.Notes(r)
			if len(notes) != len(c.want) {
				t.Errorf("%+v: %q", c, notes)
			}
			for i := range min(len(notes), len(c.want)) {
				if !strings.Contains(notes[i].Error(), c.want[i]) {
					t.Errorf("%+v: %q", c, notes[i])
				}
			}
		}
		full, err := b.engine.Resolve(r)
		if want := c.cut || !c.chunks && c.text != "a dog"; err != nil || full.Cut != want {
			t.Errorf("%+v: resolved %t, %v", c, full.Cut, err)
		}
		b.runtime.forget()
		b.run(r)
		if got := b.runtime.callsOf("unet")[0].in["text_k_0"].Shape[1]; got != c.tokens {
			t.Errorf("%+v: %d tokens", c, got)
		}
	}
	r := b.dog()
	r.Prompt, r.Subjects[0].Word.Text = long, "beach"
	b.model.manifest.Text.Chunks = true
	if _, err := b.engine.Resolve(r); err != nil {
		t.Error(err)
	}
	r.Cut = true
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "after the 75 tokens") {
		t.Error(err)
	}
}

// TestEncodersHaveEquallyManyChunks: where one tokenizer needs more than the other, empty ones fill up.
func TestEncodersHaveEquallyManyChunks(t *testing.T) {
	b := newBench(t)
	vocabulary, err := os.ReadFile("../assets/golden/data/tiny/tokenizer/vocab.json")
	if err != nil {
		t.Fatal(err)
	}
	b.model.second, err = prompt.Load(fstest.MapFS{ // every letter is a token
		"vocab.json": {Data: vocabulary}, "merges.txt": {Data: []byte("#version: 0.2\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.model.manifest.Text.Chunks, b.model.manifest.Text.Encoders = true, 2
	r := b.dog()
	r.Prompt, r.Steps, r.CFG = "a dog"+strings.Repeat(" beach", 20), 1, 1
	b.run(r)
	encoded := slices.DeleteFunc(b.runtime.callsOf("text"), func(c call) bool { return c.graph != "text" })
	first, second := b.model.words.Encode(r.Prompt), b.model.second.Read(r.Prompt, prompt.Reading{Chunks: true})
	if len(encoded) != 2 || first.Cut() || len(second.Chunks) != 2 {
		t.Fatalf("%d chunks are encoded, of %v and %v", len(encoded), first.Chunks, second.Chunks)
	}
	for c, want := range [][]int64{first.IDs, first.Empty().IDs} {
		in := encoded[c].in
		if !slices.Equal(in["input_ids"].I64, want) || !slices.Equal(in["input_ids_2"].I64, second.IDs[c*77:(c+1)*77]) {
			t.Errorf("chunk %d: %v", c, in)
		}
	}
}

// TestTextsAreKeptByTheirLength: the keys and values of the last two texts are kept, and of more as long as these are short.
func TestTextsAreKeptByTheirLength(t *testing.T) {
	b := newBench(t)
	b.model.manifest.Text.Chunks = true
	r := b.dog()
	r.Steps, r.Seeds = 1, []uint64{0, 1, 2, 3}
	r.Prompt, r.Negative = "{a|the} dog BREAK a"+strings.Repeat(" BREAK beach", 10), "rain"
	b.run(r)
	long := b.runtime.runs("text_kv")
	b.runtime.forget()
	r.Prompt = "{a|the} dog"
	b.run(r)
	if short := b.runtime.runs("text_kv"); short != 3 || long <= 3 {
		t.Errorf("%d texts of one chunk, %d of twelve", short, long)
	}
}
