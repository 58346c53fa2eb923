package prompt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// dogs are n tokens.
func dogs(n int) string { return strings.Repeat("dog ", n) }

// TestChunks: how A1111 shares tokens out among chunks, counted by hand. "dog", "man", "hat" and a comma are a token each, "xyz" three.
func TestChunks(t *testing.T) {
	tokenizer := small(t, nil)
	for _, c := range []struct {
		text   string
		chunks []string // each read by itself
		taken  int
	}{
		{"", []string{""}, 0},
		{"a dog", []string{"a dog"}, 2},
		{dogs(75), []string{dogs(75)}, 75},
		{dogs(76), []string{dogs(75), "dog"}, 76},
		{dogs(150), []string{dogs(75), dogs(75)}, 150},
		{dogs(151), []string{dogs(75), dogs(75), "dog"}, 151},
		{dogs(74) + ", man", []string{dogs(74) + ",", "man"}, 76}, // the comma is the last that fits
		{dogs(75) + ", man", []string{dogs(75), ", man"}, 77},     // it is the first that does not
		{dogs(75) + ",", []string{dogs(75), ","}, 76},             // and the last of all
		{dogs(55) + "," + dogs(19), []string{dogs(55) + "," + dogs(19)}, 75},
		{dogs(55) + "," + dogs(20), []string{dogs(55) + ",", dogs(20)}, 95},                               // 20 tokens back, the comma with them: what is behind it moves
		{dogs(54) + "," + dogs(21), []string{dogs(54) + "," + dogs(20), "dog"}, 76},                       // 21: it does not
		{dogs(55) + "," + dogs(19) + ",", []string{dogs(55) + "," + dogs(19), ","}, 76},                   // a comma moves nothing
		{dogs(60) + "," + dogs(5) + "," + dogs(9), []string{dogs(60) + "," + dogs(5) + ",", dogs(9)}, 84}, // the last comma counts
		{dogs(60) + ",, " + dogs(14), []string{dogs(60) + ",,", dogs(14)}, 89},                            // here two tokens, of which the second is a comma
		{dogs(60) + "," + dogs(80), []string{dogs(60) + ",", dogs(75), dogs(5)}, 155},                     // no comma in the second chunk
		{dogs(60) + "," + dogs(60) + "," + dogs(30), []string{dogs(60) + ",", dogs(60) + ",", dogs(30)}, 180},
		{"a dog BREAK a hat", []string{"a dog", "a hat"}, 77},
		{"a dog, BREAK, a hat", []string{"a dog,", ", a hat"}, 78},
		{"a dog BREAK a man BREAK a hat", []string{"a dog", "a man", "a hat"}, 152},
		{"BREAK a dog", []string{"", "a dog"}, 77}, // each ends a chunk, be it empty
		{"a dog BREAK BREAK a hat", []string{"a dog", "", "a hat"}, 152},
		{"a dog BREAK", []string{"a dog"}, 2}, // none begins behind the last
		{"a dog BREAK BREAK ", []string{"a dog", ""}, 75},
		{"BREAK a", []string{"", "a"}, 76},
		{dogs(75) + "BREAK a hat", []string{dogs(75), "a hat"}, 77},
		{dogs(80) + "BREAK a hat", []string{dogs(75), dogs(5), "a hat"}, 152},
		{dogs(74) + "xyz", []string{dogs(74) + "xa", "yz"}, 77}, // a word can be parted
		{"{a BREAK dog|a man} BREAK {a hat|b BREAK}", []string{"a", "dog", "a hat"}, 152},
	} {
		p := tokenizer.Read(c.text, Reading{Chunks: true})
		var ids []int64
		var tokens []int
		for i, chunk := range c.chunks {
			one := tokenizer.Encode(chunk)
			if ids, tokens = append(ids, one.IDs...), append(tokens, one.Tokens); strings.HasSuffix(chunk, "xa") {
				ids[i*Length+Room], tokens[i] = tokenizer.Encode("xyz").IDs[1], 75 // "x" that goes on
			}
		}
		if !slices.Equal(p.IDs, ids) || !slices.Equal(p.Chunks, tokens) || p.Taken() != c.taken || p.Cut() || p.Weights != nil {
			t.Errorf("%q: %v, takes %d, want %v and %d; cut %t", c.text, p.Chunks, p.Taken(), tokens, c.taken, p.Cut())
		}
	}
}

// TestChunksCarryWeights: weights and words go where their tokens go.
func TestChunksCarryWeights(t *testing.T) {
	tokenizer := small(t, nil)
	p := tokenizer.Read(dogs(70)+", (a pink man:1.5) hat hat", Reading{Chunks: true}) // comma 71, hat 75, hat does not fit
	for i, w := range p.Weights {
		want := float32(1)
		if i >= Length+1 && i < Length+4 {
			want = 1.5
		}
		if w != want {
			t.Errorf("id %d weighs %g, want %g", i, w, want)
		}
	}
	p = tokenizer.Read(dogs(72)+"(pink man hat a:0.5)", Reading{Chunks: true})
	for i, w := range p.Weights {
		want := float32(1)
		if i >= 73 && i < 76 || i == Length+1 {
			want = 0.5
		}
		if w != want {
			t.Errorf("id %d weighs %g, want %g", i, w, want)
		}
	}
	for phrase, want := range map[string]Span{"pink": {73, 74}, "hat": {75, 76}, "a": {78, 79}, "man hat": {74, 76}, "hat a": {75, 79}} {
		if got, err := p.Find(phrase, 1); err != nil || got != want {
			t.Errorf("%q is at %v, want %v: %v", phrase, got, want, err)
		}
	}
}

// TestIndicatorOfParted: of a word or a phrase that chunks part, the ends and what fills up are no part.
func TestIndicatorOfParted(t *testing.T) {
	tokenizer := small(t, nil)
	for _, c := range []struct {
		text, phrase string
		want         []int
	}{
		{dogs(74) + "xyz", "xyz", []int{75, 78, 79}},
		{dogs(74) + "pink hat", "pink hat", []int{75, 78}},
		{"a pink BREAK hat", "pink hat", []int{2, 78}},
		{"a pink BREAK BREAK hat", "pink hat", []int{2, 155}},
		{dogs(72) + ", a hat dog", "hat dog", []int{79, 80}},
		{"a dog BREAK a dog", "dog", []int{2}},
	} {
		p := tokenizer.Read(c.text, Reading{Chunks: true})
		span, err := p.Find(c.phrase, 1)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []int
		for i, u := range p.Indicator(span) {
			if u == 1 {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q of %q: %v, want %v", c.phrase, c.text, got, c.want)
		}
	}
	p := tokenizer.Read("a dog BREAK a dog", Reading{Chunks: true})
	if span, err := p.Find("dog", 2); err != nil || span != (Span{79, 80}) {
		t.Errorf("the second dog is at %v: %v", span, err)
	}
}

// TestOneChunk: without Chunks a prompt is cut at 75 tokens and BREAK is a word; read sign by sign, BREAK is a word, and long prompts go
// on in another chunk.
func TestOneChunk(t *testing.T) {
	tokenizer := small(t, nil)
	p := tokenizer.Read(dogs(80)+"BREAK hat", Reading{})
	if !p.Cut() || len(p.IDs) != Length || p.Taken() != p.Tokens || p.Tokens != tokenizer.Encode("BREAK").Tokens+81 {
		t.Errorf("%d tokens, %d ids", p.Tokens, len(p.IDs))
	}
	if _, err := p.Find("hat", 1); err == nil || !strings.Contains(err.Error(), "after the 75 tokens") {
		t.Error(err)
	}
	p = tokenizer.Read(dogs(80)+"BREAK hat", Reading{Literal: true, Chunks: true})
	if p.Cut() || len(p.IDs) != 2*Length || p.Tokens != p.Taken() {
		t.Errorf("%d tokens in %v", p.Tokens, p.Chunks)
	}
}

// TestMostChunks: what a text can ask for is bounded.
func TestMostChunks(t *testing.T) {
	tokenizer := small(t, nil)
	how := Reading{Chunks: true}
	for _, c := range []struct {
		text string
		cut  bool
	}{
		{dogs(MaxChunks * Room), false},
		{dogs(MaxChunks*Room) + "man", true},
		{strings.Repeat("BREAK ", MaxChunks-1) + "man", false},
		{strings.Repeat("BREAK ", MaxChunks) + "man", true},
		{dogs(3) + strings.Repeat("BREAK ", MaxChunks) + "man", true},
		{dogs(MaxChunks*Room-1) + ", man man", true},
		{dogs(MaxChunks*Room-3) + ", dog dog man", true}, // nothing moves where there is no next chunk
		{"a " + strings.Repeat("BREAK ", 1000), false},
	} {
		p := tokenizer.Read(c.text, how)
		_, err := p.Find("man", 1)
		if p.Cut() != c.cut || len(p.Chunks) != MaxChunks || len(p.IDs) != MaxChunks*Length || c.cut && (err == nil || !strings.Contains(err.Error(), "1200")) {
			t.Errorf("%.30q…: cut %t, %v: %v", c.text, p.Cut(), p.Chunks, err)
		}
		if c.cut && p.Taken() <= MaxChunks*Room-Room {
			t.Errorf("%.30q… takes %d", c.text, p.Taken())
		}
	}
}

func TestExtend(t *testing.T) {
	tokenizer := small(t, nil)
	p := tokenizer.Read("a (dog:2)", Reading{Chunks: true})
	p.Extend(3)
	want := slices.Concat(tokenizer.Encode("a dog").IDs, tokenizer.Encode("").IDs, tokenizer.Encode("").IDs)
	if !slices.Equal(p.IDs, want) || fmt.Sprint(p.Chunks) != "[2 0 0]" || len(p.Weights) != len(want) || p.Weights[2] != 2 || p.Weights[80] != 1 {
		t.Errorf("%v %v", p.Chunks, p.IDs)
	}
	p.Extend(1)
	if len(p.Chunks) != 3 {
		t.Error(p.Chunks)
	}
}
