package prompt

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// small is a vocabulary of all bytes and a few merges, so that spans are easy to count.
func small(t testing.TB, extra map[string]string) *Tokenizer {
	t.Helper()
	files := smallFiles()
	for name, data := range extra {
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	tokenizer, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

var smallMerges = []string{"d o", "do g</w>", "m a", "ma n</w>", "w o", "h a", "ha t</w>", "a t</w>", "p i", "n k</w>", "pi nk</w>", "o n</w>"}

func smallFiles() fstest.MapFS {
	return clipFolder(smallMerges)
}

func TestFind(t *testing.T) {
	tokenizer := small(t, nil)
	const text = "A dog, a DOG in a pink  hat and a woman's hat don't 12 dógs"
	p := tokenizer.Encode(text)
	for _, c := range []struct {
		phrase     string
		occurrence int
		want       string // the piece of the prompt that the span stands for
		from       int    // in bytes
	}{
		{"dog", 0, "dog", 2},
		{"dog", 1, "dog", 2},
		{"Dog", 2, "DOG", 9},
		{"pink hat", 1, "pink  hat", 18},
		{" PINK\that ", 1, "pink  hat", 18},
		{"hat", 1, "hat", 24},
		{"hat", 2, "hat", 42},
		{"woman", 1, "woman", 34},
		{"woman's hat", 1, "woman's hat", 34},
		{"don't", 1, "don't", 46},
		{"12", 1, "12", 52},
		{"2", 1, "2", 53},
		{",", 1, ",", 5},
		{"do\u0301gs", 1, "dógs", 55},
		{"a", 3, "a", 16},
	} {
		span, err := p.Find(c.phrase, c.occurrence)
		if err != nil {
			t.Errorf("%q #%d: %v", c.phrase, c.occurrence, err)
			continue
		}
		// The span must hold the tokens that the piece has alone, behind the tokens of all before it.
		before, alone := tokenizer.Encode(text[:c.from]), tokenizer.Encode(c.want)
		if span.From != 1+before.Tokens || !slices.Equal(p.IDs[span.From:span.To], alone.IDs[1:1+alone.Tokens]) {
			t.Errorf("%q #%d is %v, tokens %v; want %v at %d", c.phrase, c.occurrence, span, p.IDs[span.From:span.To], alone.IDs[1:1+alone.Tokens], 1+before.Tokens)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	tokenizer := small(t, nil)
	long := tokenizer.Encode(strings.Repeat("dog ", 74) + "a man and a woman") // 74 dogs and "a" fill the 75 tokens
	for _, c := range []struct {
		name       string
		prompt     *Prompt
		phrase     string
		occurrence int
		cut        bool
		says       []string
	}{
		{"within another word", tokenizer.Encode("a woman, a Woman"), "man", 1, false, []string{`"man"`, `choose one of "a", "woman"`}},
		{"beside marks", tokenizer.Encode(`a "dog" / it's`), "cat", 1, false, []string{`choose one of "a", "dog", "it", "'s"`}},
		{"beginning of another word", tokenizer.Encode("a catalog"), "cat", 1, false, []string{"not a word of the prompt"}},
		{"occurrence too high", tokenizer.Encode("dog dog"), "dog", 3, false, []string{"2 times", "#1 to #2"}},
		{"only once", tokenizer.Encode("a dog"), "dog", 2, false, []string{"only once"}},
		{"words apart", tokenizer.Encode("a pink, hat"), "pink hat", 1, false, []string{"pink hat"}},
		{"phrase behind the end", tokenizer.Encode("a pink"), "pink hat", 1, false, []string{"not a word"}},
		{"empty prompt", tokenizer.Encode(""), "dog", 1, false, []string{"prompt is empty"}},
		{"blank prompt", tokenizer.Encode(" \n"), "dog", 1, false, []string{"prompt is empty"}},
		{"empty word", tokenizer.Encode("a dog"), "  ", 1, false, []string{"has no word", `"dog"`}},
		{"past the limit", long, "man", 1, true, []string{`"man"`, "75 tokens", "shorten"}},
		{"phrase over the limit", long, "a man", 1, true, []string{"75 tokens"}},
		{"special string", tokenizer.Encode("a <|endoftext|> dog"), "<|endoftext|>", 1, false, []string{"not a word"}},
	} {
		_, err := c.prompt.Find(c.phrase, c.occurrence)
		var refused *WordError
		if !errors.As(err, &refused) || refused.Cut != c.cut || refused.Word != c.phrase {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %s", c.name, err, s)
			}
		}
	}
	if _, err := long.Find("a", 1); err != nil {
		t.Errorf("the last word that fits: %v", err)
	}
	many := tokenizer.Encode(strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyzäöü", ""), " "))
	if _, err := many.Find("dog", 1); strings.Count(err.Error(), `"`) > 60 || !strings.Contains(err.Error(), "…") {
		t.Errorf("a long list: %v", err)
	}
}

func TestWords(t *testing.T) {
	p := small(t, nil).Encode("Ein Dög & a dog dog<|endoftext|>")
	type row struct {
		text      string
		start     int
		runeStart int
		nth       int
		special   bool
	}
	want := []row{
		{"Ein", 0, 0, 1, false},
		{"Dög", 4, 4, 1, false},
		{"&", 9, 8, 1, false},
		{"a", 11, 10, 1, false},
		{"dog", 13, 12, 1, false},
		{"dog", 17, 16, 2, false},
		{"<|endoftext|>", 20, 19, 1, true},
	}
	if len(p.Words) != len(want) {
		t.Fatalf("%d words: %+v", len(p.Words), p.Words)
	}
	at := 1
	for i, w := range p.Words {
		if (row{w.Text, w.Start, w.RuneStart, w.Occurrence, w.Special}) != want[i] || w.Cut {
			t.Errorf("%+v, want %+v", w, want[i])
		}
		if w.Span.From != at || w.End-w.Start != len(w.Text) || w.RuneEnd-w.RuneStart != utf8.RuneCountInString(w.Text) {
			t.Errorf("%+v does not follow token %d", w, at)
		}
		at = w.Span.To
	}
	if at != 1+p.Tokens || p.IDs[at] != p.IDs[Length-1] {
		t.Errorf("%d tokens, last word ends at %d", p.Tokens, at)
	}
}

func TestCutWords(t *testing.T) {
	p := small(t, nil).Encode(strings.Repeat("dog ", 74) + "xyz dog") // x, y, z</w> straddle token 75
	if p.Tokens != 78 || len(p.IDs) != Length {
		t.Fatalf("%d tokens, %d ids", p.Tokens, len(p.IDs))
	}
	last := p.Words[len(p.Words)-3:]
	if last[0].Cut || last[0].Span != (Span{74, 75}) || !last[1].Cut || last[1].Span != (Span{}) || !last[2].Cut {
		t.Errorf("%+v", last)
	}
	if p.IDs[75] != small(t, nil).Encode("xa").IDs[1] {
		t.Errorf("token 75 is %d", p.IDs[75])
	}
}

func TestIndicator(t *testing.T) {
	p := small(t, nil).Encode("a dog on a hat")
	u := p.Indicator(Span{2, 4})
	if len(u) != Length || u[1] != 0 || u[2] != 1 || u[3] != 1 || u[4] != 0 {
		t.Errorf("%v", u)
	}
	for _, s := range []Span{{}, {5, 5}, {-3, 0}, {90, 99}, {4, 2}, {0, 1}, {6, 77}} {
		if slices.Contains(p.Indicator(s), 1) {
			t.Errorf("%v marks something", s)
		}
	}
}

func TestParseWord(t *testing.T) {
	for s, want := range map[string]struct {
		word string
		nth  int
	}{"dog": {"dog", 0}, "dog#1": {"dog", 1}, "dog#2": {"dog", 2}, "pink hat#10": {"pink hat", 10}, "c#": {"c#", 0}, "#tag": {"#tag", 0}, "a#b#3": {"a#b", 3}, "": {"", 0}} {
		if word, nth, err := ParseWord(s); err != nil || word != want.word || nth != want.nth {
			t.Errorf("%q: %q %d %v", s, word, nth, err)
		}
	}
	for _, s := range []string{"dog#0", "#2", "dog#99999999999999999999"} {
		if _, _, err := ParseWord(s); err == nil {
			t.Errorf("%q accepted", s)
		}
	}
}

// The spans of SDXL's public vocabulary that are known from the released code, where they are those of whole words.
func TestSpansOfTheReleasedVocabulary(t *testing.T) {
	tokenizer := clip(t)
	for _, c := range []struct {
		text   string
		ids    []int64
		phrase string
		span   Span
	}{
		{"a toy", []int64{320, 5988}, "toy", Span{2, 3}},
		{"hello!", []int64{3306, 256}, "!", Span{2, 3}},
		{"This dog is wearing a spacesuit in space", []int64{589, 1929, 533, 3309, 320, 7857, 3940, 530, 2138}, "space", Span{9, 10}},
		{"This dog is wearing a spacesuit in space", nil, "spacesuit", Span{6, 8}},
		{"the figurine is flying in the sky", []int64{518, 33306, 533, 4610, 530, 518, 2390}, "figurine", Span{2, 3}},
		{"a cat in a concatenated catalog", []int64{320, 2368, 530, 320, 616, 1481, 524, 943, 20036}, "cat", Span{2, 3}},
		{"a scarecrow near a car", nil, "car", Span{5, 6}},
	} {
		p := tokenizer.Encode(c.text)
		if c.ids != nil && !slices.Equal(p.IDs[:p.Tokens+2], slices.Concat([]int64{49406}, c.ids, []int64{49407})) {
			t.Errorf("%q: %v", c.text, p.IDs[:p.Tokens+2])
		}
		if span, err := p.Find(c.phrase, 1); err != nil || span != c.span {
			t.Errorf("%q in %q: %v %v, want %v", c.phrase, c.text, span, err, c.span)
		}
	}
}

func TestSpecialTokens(t *testing.T) {
	const object = `{"__type":"AddedToken","content":"<|endoftext|>","lstrip":false,"normalized":true,"rstrip":false,"single_word":false}`
	plain := small(t, nil)
	folded := small(t, map[string]string{"tokenizer_config.json": `{"eos_token":` + object + `,"pad_token":"!"}`})
	decoder := small(t, map[string]string{"tokenizer_config.json": `{"pad_token":"!","added_tokens_decoder":{"0":{"content":"!","normalized":false,"special":true},"525":{"content":"<|endoftext|>","normalized":true,"special":true}}}`})
	mapped := small(t, map[string]string{"special_tokens_map.json": `{"pad_token":{"content":"!"},"eos_token":null}`})
	if got := plain.Encode("a").IDs[Length-1]; got != plain.end {
		t.Errorf("padding %d", got)
	}
	for name, tokenizer := range map[string]*Tokenizer{"folded": folded, "decoder": decoder, "mapped": mapped} {
		if p := tokenizer.Encode("!!"); p.IDs[Length-1] != 0 || p.Tokens != 2 || p.IDs[1] != 0 || p.IDs[2] != 0 {
			t.Errorf("%s: %v", name, p.IDs)
		}
	}
	const typed = "a <|EndOfText|>b"
	if p := plain.Encode(typed); len(p.Words) != 5 || p.Words[1].Special {
		t.Errorf("as typed only: %+v", p.Words)
	}
	for _, tokenizer := range []*Tokenizer{folded, decoder} {
		p := tokenizer.Encode(typed)
		if len(p.Words) != 3 || !p.Words[1].Special || p.Words[1].Text != "<|EndOfText|>" || p.IDs[2] != tokenizer.end || p.Words[2].Text != "b" {
			t.Errorf("in any case: %+v", p.Words)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, data string
		says       []string
	}{
		"no vocabulary":     {"vocab.json", "", []string{"vocab.json"}},
		"broken vocabulary": {"vocab.json", `{"a":`, []string{"vocab.json", "damaged"}},
		"not numbers":       {"vocab.json", `{"a":"b"}`, []string{"vocab.json"}},
		"negative id":       {"vocab.json", `{"a":-1}`, []string{`"a"`, "-1"}},
		"huge id":           {"vocab.json", `{"a":1e12}`, []string{`vocab.json`}},
		"no start token":    {"vocab.json", `{"a":1}`, []string{"<|startoftext|>"}},
		"no merges":         {"merges.txt", "", []string{"merges.txt"}},
		"one symbol":        {"merges.txt", "#version\nd o\ndog\n", []string{"line 3"}},
		"three symbols":     {"merges.txt", "d o g\n", []string{"line 1"}},
		"unknown merge":     {"merges.txt", "z z\n", []string{"line 1", `"z"`, "do not belong together"}},
		"endless line":      {"merges.txt", strings.Repeat("d", 1<<17), []string{"merges.txt"}},
		"broken settings":   {"tokenizer_config.json", `[]`, []string{"tokenizer_config.json"}},
		"broken token":      {"special_tokens_map.json", `{"pad_token":7}`, []string{"special_tokens_map.json"}},
		"unknown padding":   {"tokenizer_config.json", `{"pad_token":"<pad>"}`, []string{`"<pad>"`, "do not belong together"}},
	} {
		files := smallFiles()
		if c.data == "" {
			delete(files, c.file)
		} else {
			files[c.file] = &fstest.MapFile{Data: []byte(c.data)}
		}
		_, err := Load(files)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %s", name, err, s)
			}
		}
		if c.data == "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v hides that the file is missing", name, err)
		}
	}
}

func TestSymbolsOutsideTheVocabularyAreUnknown(t *testing.T) {
	files := smallFiles()
	files["vocab.json"] = &fstest.MapFile{Data: []byte(`{"a":0,"b</w>":1,"<|startoftext|>":2,"<|endoftext|>":3}`)}
	files["merges.txt"] = &fstest.MapFile{}
	tokenizer, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	if p := tokenizer.Encode("acb a"); !slices.Equal(p.IDs[:6], []int64{2, 0, 3, 1, 3, 3}) || p.Tokens != 4 || tokenizer.Size() != 4 {
		t.Errorf("%v", p.IDs[:6])
	}
}

func FuzzEncode(f *testing.F) {
	tokenizer := small(f, map[string]string{"tokenizer_config.json": `{"pad_token":"!","eos_token":{"content":"<|endoftext|>","normalized":true}}`})
	for _, s := range []string{"", "a dog", "don't 12 İ e\u0323\u0301 한국어", "!!<|EndOfText|>\xff", strings.Repeat("dog ", 80), "\u00a0'", "🐶👍🏽", "a 🐶, on ❤️!🇩🇪🇫🇷👩‍🚀-", "कुत्ता, क"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := tokenizer.Encode(text)
		if len(p.IDs) != Length || p.IDs[0] != tokenizer.start || p.IDs[1+min(p.Tokens, Length-2)] != tokenizer.end {
			t.Fatalf("%v", p.IDs)
		}
		tokens, end := 0, 0
		joined := slices.ContainsFunc(p.Words, func(w Word) bool { return w.Joined }) // whole words count there, not their pieces
		for i, w := range p.Words {
			if w.Text != text[w.Start:w.End] || w.Text == "" || w.RuneStart != utf8.RuneCountInString(text[:w.Start]) {
				t.Fatalf("%+v", w)
			}
			alone := w.Start >= end && (i+1 == len(p.Words) || p.Words[i+1].Start >= w.End)
			end = w.End
			if w.Cut {
				continue
			}
			// A sign may share a token with the one before it.
			if from := w.Span.From; from != 1+tokens && (from != tokens || !strings.ContainsFunc(text, pictorial)) || w.Span.To <= from {
				t.Fatalf("%+v after %d tokens", w, tokens)
			}
			tokens = w.Span.To - 1
			if w.Special || !alone || !utf8.ValidString(text) || joined {
				continue
			}
			if span, err := p.Find(w.Text, w.Occurrence); err != nil || span != w.Span {
				t.Fatalf("%+v is found at %v %v", w, span, err)
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	files := smallFiles()
	f.Add(files["vocab.json"].Data, files["merges.txt"].Data, []byte(`{"pad_token":"!"}`))
	f.Add([]byte(`{"<|startoftext|>":0,"<|endoftext|>":1,"":2}`), []byte(" \n"), []byte(`{"added_tokens_decoder":{"0":{"content":"","special":true}}}`))
	f.Fuzz(func(t *testing.T, vocabulary, merges, config []byte) {
		tokenizer, err := Load(fstest.MapFS{"vocab.json": {Data: vocabulary}, "merges.txt": {Data: merges}, "tokenizer_config.json": {Data: config}})
		if err != nil {
			return
		}
		for _, id := range tokenizer.Encode("A dog, a 🐶 & <|endoftext|>!").IDs {
			if id < 0 || id >= int64(tokenizer.Size()) {
				t.Fatalf("id %d of %d", id, tokenizer.Size())
			}
		}
	})
}
