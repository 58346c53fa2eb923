package prompt

import (
	"slices"
	"strings"
	"testing"
)

// TestEmojiAreWords: an emoji is bound beside a comma, and so is each of two side by side; the tokens are those of the whole run.
func TestEmojiAreWords(t *testing.T) {
	tokenizer := small(t, nil) // every byte is a token
	for _, c := range []struct {
		text, phrase string
		nth          int
		want         Span
	}{
		{"a 🐶, on", "🐶", 1, Span{2, 6}},
		{"a 🐶, on", ",", 1, Span{6, 7}},
		{"a 🐶, on", "🐶,", 1, Span{2, 7}},
		{"(🐶)", "🐶", 1, Span{2, 6}},
		{"🐶🐱 🐶!", "🐱", 1, Span{5, 9}},
		{"🐶🐱 🐶!", "🐶", 2, Span{9, 13}},
		{"🐶🐱 🐶!", "🐶🐱", 1, Span{1, 9}},
		{"👩‍🚀, 👍🏽", "👍🏽", 1, Span{13, 21}},
		{"👩‍🚀, 👍🏽", "👩‍🚀", 1, Span{1, 12}},
		{"❤️, a", "❤", 1, Span{1, 7}},
		{"a ❤, a", "❤️", 1, Span{2, 5}},
		{"🇩🇪🇫🇷", "🇫🇷", 1, Span{9, 17}},
		{"dog -- hat!!", "--", 1, Span{2, 4}}, // runs without any stay one word
	} {
		if got, err := tokenizer.Encode(c.text).Find(c.phrase, c.nth); err != nil || got != c.want {
			t.Errorf("%q in %q: %v, want %v: %v", c.phrase, c.text, got, c.want, err)
		}
	}
	if _, err := tokenizer.Encode("a 🐶, on").Find("🐱", 1); err == nil || !strings.Contains(err.Error(), `"🐶", "on"`) {
		t.Errorf("the list of what there is: %v", err)
	}
	cut := tokenizer.Encode(strings.Repeat("dog ", 70) + "🐶🐱")
	if _, err := cut.Find("🐶", 1); err != nil {
		t.Errorf("the last that fits: %v", err)
	}
	if _, err := cut.Find("🐱", 1); err == nil {
		t.Error("one behind the limit is found")
	}
}

// TestSharedToken: where merges join an emoji with its neighbour, both have the token.
func TestSharedToken(t *testing.T) {
	files := clipFolder([]string{byteSymbol(0x90) + " " + byteSymbol(0xb6), byteSymbol(0x90) + byteSymbol(0xb6) + " ,</w>"})
	tokenizer, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	p := tokenizer.Encode("🐶,") // f0 9f 90 b6 2c: f0, 9f, and the rest as one
	dog, _ := p.Find("🐶", 1)
	comma, _ := p.Find(",", 1)
	if p.Tokens != 3 || dog != (Span{1, 4}) || comma != (Span{3, 4}) {
		t.Errorf("%d tokens, %v, %v", p.Tokens, dog, comma)
	}
}

func byteSymbol(b byte) string { return string(byteSymbols[b]) }

// TestEmojiOfTheReleasedVocabulary: the ids of the run stay what they were.
func TestEmojiOfTheReleasedVocabulary(t *testing.T) {
	p := clip(t).Encode("a 🐶, on the beach")
	if want := []int64{320, 14466, 267, 525, 518, 2117}; !slices.Equal(p.IDs[1:1+p.Tokens], want) {
		t.Errorf("ids %v", p.IDs[1:1+p.Tokens])
	}
	if span, err := p.Find("🐶", 1); err != nil || span != (Span{2, 3}) {
		t.Errorf("%v, %v", span, err)
	}
}

func TestCount(t *testing.T) {
	p := small(t, nil).Encode("a dog and a Dog, two dogs 🐶🐶")
	for phrase, want := range map[string]int{"dog": 2, "a dog": 2, "dogs": 1, "cat": 0, "": 0, "🐶": 2} {
		if got := p.Count(phrase); got != want {
			t.Errorf("%q: %d, want %d", phrase, got, want)
		}
	}
}

// TestJoined: letters and their vowel signs are one word of the prompt, though the tokens are those of its pieces. A piece is found
// where it is no word by itself, as it always was.
func TestJoined(t *testing.T) {
	tokenizer := small(t, nil) // every byte is a token, three for each letter
	p := tokenizer.Encode("कुत्ता क कुत्ता, x̂y")
	for _, c := range []struct {
		phrase string
		nth    int
		want   Span
	}{{"कुत्ता", 1, Span{1, 19}}, {"कुत्ता", 2, Span{22, 40}}, {"क", 1, Span{19, 22}}, {"त", 1, Span{7, 10}}, {"x̂y", 1, Span{41, 45}}, {"क कुत्ता", 1, Span{19, 40}}} {
		if got, err := p.Find(c.phrase, c.nth); err != nil || got != c.want {
			t.Errorf("%q #%d: %v, want %v: %v", c.phrase, c.nth, got, c.want, err)
		}
	}
	if _, err := p.Find("dog", 1); err == nil || !strings.Contains(err.Error(), `"कुत्ता", "क", "x̂y"`) {
		t.Errorf("the list of what there is: %v", err)
	}
	if n := p.Count("क"); n != 1 {
		t.Errorf("%d words", n)
	}
}
