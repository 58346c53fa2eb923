// Package prompt turns a prompt into CLIP token ids and finds the words of it that subjects are bound to.
//
// Contract: pure Go over strings; only package message imported; no input makes it panic. A Tokenizer is read-only after
// Load and safe from any goroutine. What Encode returns belongs to the caller. SDXL has two tokenizers that differ only in
// the padding token: load two, encode twice. Their spans agree unless the padding token is a character that the prompt
// contains (stock SDXL pads the second with "!", which then is a special token of its own).
//
// Ids are those of Hugging Face's CLIPTokenizer: NFC, lower case, one piece per contraction, run of letters, single digit
// or run of other characters, bytes, byte-pair merges. Characters newer than Go's Unicode tables are "other characters"
// here, and more than 30 combining marks on one letter are normalised as Unicode's stream-safe text.
//
// A word is a piece of the prompt (in a run of signs, each emoji) and is identified by its position, never by substring search: "man"
// is not found in "woman", and the two dogs of "a dog chasing a dog" are two words. A token span is the positions [From, To) of the
// word in the 77 tokens of the text encoder (the indicator u behind M_cross in Eq. 12).
package prompt

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"realword/inference/message"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Length is how many tokens a CLIP text encoder reads: start, at most Length-2 of the prompt, end, padding.
const Length = 77

// Prompt is an encoded prompt.
type Prompt struct {
	Text   string
	IDs    []int64 // Length ids: start, tokens, end, padding
	Words  []Word  // all words in order, also those that do not fit
	Tokens int     // tokens of the whole prompt without start and end; more than Length-2 means that words are cut

	tokenizer *Tokenizer
}

// Word is one piece of a prompt: a word, a number's digit, punctuation.
type Word struct {
	Text               string // as typed: prompt[Start:End]
	Start, End         int    // in bytes
	RuneStart, RuneEnd int    // in characters, for text fields
	Span               Span   // its tokens; zero when Cut
	Occurrence         int    // 1 for the first of equal words; equal means: the same letters, whatever their case
	Cut                bool   // at least one of its tokens lies behind the limit, so the model does not read it whole
	Special            bool   // a special string such as <|endoftext|>, which is no word for a subject
	Joined             bool   // goes on with the word before it: a vowel sign, or a letter behind one, which CLIP reads apart

	key string
}

// Key is what equal words have in common: their letters in lower case.
func (w Word) Key() string { return cmp.Or(w.key, strings.ToLower(w.Text)) }

// Span is a range of tokens [From, To) among the Length ids; position 0 is the start token.
type Span struct{ From, To int }

// Indicator returns u: Length values, 1 inside the span and 0 outside.
func (s Span) Indicator() []float32 {
	u := make([]float32, Length)
	for i := max(s.From, 0); i < min(s.To, Length); i++ {
		u[i] = 1
	}
	return u
}

// Encode tokenizes a prompt. Every text can be encoded, also an empty one.
func (t *Tokenizer) Encode(text string) *Prompt {
	p := &Prompt{Text: text, tokenizer: t, IDs: append(make([]int64, 0, Length), t.start)}
	seen := map[string]int{}
	at, runes := 0, 0
	for _, piece := range t.pieces(text) {
		ids, ends := []int64{piece.special}, []int{len(piece.text)}
		if piece.special < 0 {
			ids, ends = t.merge(piece.text)
		}
		from := 0 // of a part, in the bytes of the piece
		for _, part := range piece.parts() {
			w := Word{Text: text[part.start:part.end], Start: part.start, End: part.end, Special: part.special >= 0, key: part.key()}
			if w.Start < at { // pieces of one composed character share its place
				runes -= utf8.RuneCountInString(text[w.Start:at])
			} else {
				runes += utf8.RuneCountInString(text[at:w.Start])
			}
			at = w.Start
			w.RuneStart, w.RuneEnd = runes, runes+utf8.RuneCountInString(w.Text)
			seen[w.key]++
			w.Occurrence = seen[w.key]
			// A part has all tokens that hold some of it: merges may have joined it with its neighbour.
			first, _ := slices.BinarySearch(ends, from+1)
			from += len(part.text)
			last, _ := slices.BinarySearch(ends, from)
			if w.Cut = p.Tokens+last+1 > Length-2; !w.Cut {
				w.Span = Span{1 + p.Tokens + first, 1 + p.Tokens + last + 1}
			}
			if n := len(p.Words); n > 0 && !w.Special && !p.Words[n-1].Special && p.Words[n-1].End == w.Start {
				w.Joined = joins(p.Words[n-1].Text, w.Text)
			}
			p.Words = append(p.Words, w)
		}
		p.IDs = append(p.IDs, ids[:min(len(ids), max(Length-1-len(p.IDs), 0))]...)
		p.Tokens += len(ids)
	}
	p.IDs = append(p.IDs, t.end)
	for len(p.IDs) < Length {
		p.IDs = append(p.IDs, t.pad)
	}
	return p
}

// joins tells whether a text is read in one with the one before it: it begins with a mark, or with a letter behind a mark.
func joins(before, text string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(text)
	switch {
	case strings.ContainsFunc(before, pictorial) || strings.ContainsFunc(text, pictorial):
		return false
	case isMark(first):
		return unicode.IsLetter(last) || unicode.IsNumber(last)
	}
	return unicode.IsLetter(first) && isMark(last)
}

// WordError says why a subject's word cannot be used.
type WordError struct {
	Word string // as asked for
	Cut  bool   // the word is in the prompt but behind the token limit

	err error
}

// Error is a sentence with the remedy.
func (e *WordError) Error() string { return e.err.Error() }

// Unwrap is the sentence.
func (e *WordError) Unwrap() error { return e.err }

// Find returns the tokens of the n-th occurrence of a word or phrase ("dog", "pink hat"); 0 reads as 1. It compares whole
// words without regard to case and spacing; a part of words that are Joined is found where nothing is found whole. The error is a
// *WordError.
func (p *Prompt) Find(phrase string, occurrence int) (Span, error) {
	refuse := func(cut bool, err error) (Span, error) { return Span{}, &WordError{Word: phrase, Cut: cut, err: err} }
	if len(p.Words) == 0 {
		return refuse(false, message.Errorf("the prompt is empty: write what the picture shows, then bind references to words of it"))
	}
	keys := p.keys(phrase)
	if len(keys) == 0 {
		return refuse(false, message.Errorf("a reference has no word: choose one from the prompt, which has %s", p.list()))
	}
	occurrence = max(occurrence, 1)
	places := p.places(keys)
	if occurrence <= len(places) {
		i := places[occurrence-1]
		first, last := p.Words[i], p.Words[i+len(keys)-1]
		if last.Cut {
			return refuse(true, message.Errorf("%q comes after the %d tokens of the prompt that the model reads: move it forward or shorten the prompt", phrase,
				Length-2))
		}
		return Span{first.Span.From, last.Span.To}, nil
	}
	switch found := len(places); found {
	case 0:
		return refuse(false, message.Errorf("%q is not a word of the prompt: choose one of %s", phrase, p.list()))
	case 1:
		return refuse(false, message.Errorf("%q occurs only once in the prompt, not %d times: leave out #%d", phrase, occurrence, occurrence))
	default:
		return refuse(false, message.Errorf("%q occurs %d times in the prompt, not %d: choose #1 to #%d", phrase, found, occurrence, found))
	}
}

// matches reports whether the words from i on are the pieces of a phrase.
func (p *Prompt) matches(i int, keys []string) bool {
	if i+len(keys) > len(p.Words) {
		return false
	}
	for j, key := range keys {
		if w := p.Words[i+j]; w.Special || w.key != key {
			return false
		}
	}
	return true
}

// list names the words there are, each once.
func (p *Prompt) list() string {
	const most = 24
	var names []string
	seen := map[string]bool{}
	for i := 0; i < len(p.Words); {
		w, key := p.Words[i], p.Words[i].key
		for i++; i < len(p.Words) && p.Words[i].Joined; i++ {
			w.End, key = p.Words[i].End, key+p.Words[i].key
		}
		if !seen[key] && !w.Special {
			seen[key] = true
			names = append(names, strconv.Quote(p.Text[w.Start:w.End]))
		}
	}
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return strings.Join(names, ", ")
}

// Count is how often a word or phrase is in the prompt, as Find counts.
func (p *Prompt) Count(phrase string) int { return len(p.places(p.keys(phrase))) }

// places are the first words of all occurrences of a phrase: of the whole ones, or else of those that are parts of words.
func (p *Prompt) places(keys []string) []int {
	var whole, parts []int
	for i := range p.Words {
		if len(keys) == 0 || !p.matches(i, keys) {
			continue
		}
		if end := i + len(keys); p.Words[i].Joined || end < len(p.Words) && p.Words[end].Joined {
			parts = append(parts, i)
		} else {
			whole = append(whole, i)
		}
	}
	if len(whole) == 0 {
		return parts
	}
	return whole
}

// keys are those of the words of a phrase.
func (p *Prompt) keys(phrase string) (keys []string) {
	if p.tokenizer == nil {
		return nil
	}
	for _, piece := range p.tokenizer.pieces(phrase) {
		for _, part := range piece.parts() {
			keys = append(keys, part.key())
		}
	}
	return keys
}

// ParseWord splits the "dog#2" of a command line into word and occurrence; "dog" names none, which is 0 and stands for the first.
func ParseWord(s string) (word string, occurrence int, err error) {
	i := strings.LastIndexByte(s, '#')
	if i < 0 || i == len(s)-1 || strings.Trim(s[i+1:], "0123456789") != "" {
		return s, 0, nil
	}
	occurrence, err = strconv.Atoi(s[i+1:])
	if err != nil || occurrence < 1 || i == 0 {
		return "", 0, fmt.Errorf("%q is not a word with an occurrence: write dog#1 for the first dog, dog#2 for the second", s)
	}
	return s[:i], occurrence, nil
}

// piece is one unit that byte-pair merges work on.
type piece struct {
	text       string // normalised
	start, end int    // place in the source, in bytes
	special    int64  // id of a special string, -1 for ordinary text
	letters    []letter
}

// parts are what words are made of: of a run of signs every emoji is a word by itself, with the signs that belong to it, so that it
// can be bound beside a comma, and so are the marks at its beginning, which belong to the letters before; every other piece is one
// word.
func (p piece) parts() []piece {
	if p.special >= 0 || len(p.letters) < 2 || kindOf(p.letters[0].r) != other {
		return []piece{p}
	}
	var out []piece
	at, last := 0, signs
	for clusters := graphemes.FromString(p.text); clusters.Next(); {
		text, now := clusters.Value(), signs
		switch n := len(out); {
		case strings.ContainsFunc(text, pictorial):
			now = emoji
		case isMark(p.letters[at].r) && (n == 0 || last == marks):
			now = marks
		}
		n := utf8.RuneCountInString(text)
		if end := p.letters[at+n-1].end; len(out) > 0 && now == last && now != emoji {
			open := &out[len(out)-1]
			open.text, open.end = open.text+text, end
		} else {
			out = append(out, piece{text, p.letters[at].start, end, -1, p.letters[at : at+n]})
		}
		at, last = at+n, now
	}
	return out
}

// What parts of a run of signs are.
const (
	signs = iota
	emoji
	marks
)

// isMark tells vowel signs, accents, and what joins or parts letters without being seen.
func isMark(r rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	return unicode.IsMark(r) || r == nonJoiner || r == joiner
}

// pictorial tells the characters that are pictures: emoji, arrows, stars and the like.
func pictorial(r rune) bool { return unicode.Is(unicode.So, r) }

// key is what equal words have in common. Whether a sign is asked to be drawn in colours is no difference.
func (p piece) key() string {
	const colours = "\ufe0f"
	return cmp.Or(strings.ReplaceAll(p.text, colours, ""), p.text)
}

// letter is one character after normalisation and where it came from.
type letter struct {
	r          rune
	start, end int
}

// pieces splits a text as CLIP does. Special strings are looked for first as typed, then, for those so marked, in lower
// case.
func (t *Tokenizer) pieces(text string) []piece {
	var out []piece
	plain := func(from, to int) {
		letters := normalize(text, from, to)
		for len(letters) > 0 {
			i, found := t.nextSpecial(letters)
			out = split(out, letters[:i])
			if found == nil {
				return
			}
			n := utf8.RuneCountInString(found.folded)
			out = append(out, piece{found.text, letters[i].start, letters[i+n-1].end, found.id, nil})
			letters = letters[i+n:]
		}
	}
	from := 0
	for i := 0; i < len(text); {
		k := slices.IndexFunc(t.specials, func(s special) bool { return !s.fold && strings.HasPrefix(text[i:], s.text) })
		if k < 0 {
			i++
			continue
		}
		plain(from, i)
		from = i + len(t.specials[k].text)
		out = append(out, piece{t.specials[k].text, i, from, t.specials[k].id, nil})
		i = from
	}
	plain(from, len(text))
	return out
}

// nextSpecial returns the first special string in normalised text and where it begins, nil and the end when there is none.
func (t *Tokenizer) nextSpecial(letters []letter) (int, *special) {
	for i := range letters {
		for k := range t.specials {
			if s := &t.specials[k]; s.fold && begins(letters[i:], s.folded) {
				return i, s
			}
		}
	}
	return len(letters), nil
}

// begins reports whether letters begin with a text.
func begins(letters []letter, text string) bool {
	i := 0
	for _, r := range text {
		if i == len(letters) || letters[i].r != r {
			return false
		}
		i++
	}
	return true
}
