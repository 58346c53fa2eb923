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
// Encode reads a text sign by sign, as CLIP does. Read knows the marks that people put into prompts, too: weights as A1111 reads them,
// alternatives and BREAK; see Reading. A text without marks is read the same by both. Where a model can, what does not fit into the Length
// ids of one reading of the encoder goes on in another: a prompt then has several chunks.
//
// A word is a piece of the prompt (in a run of signs, each emoji) and is identified by its position, never by substring search: "man"
// is not found in "woman", and the two dogs of "a dog chasing a dog" are two words. A token span is the positions [From, To) of the
// word in the tokens of the text encoder (the indicator u behind M_cross in Eq. 12), of which marks are none. Where chunks part a word or
// a phrase, its span has ids of neither between its tokens, which Prompt.Indicator leaves out.
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

// Length is how many tokens a CLIP text encoder reads: start, at most Room of the prompt, end, padding.
const Length = 77

// Room is how many tokens of a prompt a chunk has.
const Room = Length - 2

// MaxChunks bounds how many chunks a prompt has, and so what a text from anywhere can ask for: 1200 tokens.
const MaxChunks = 16

// Prompt is an encoded prompt.
type Prompt struct {
	Text    string    // as typed
	Used    string    // the same with the alternatives that were taken
	IDs     []int64   // Length ids for every chunk, one behind the other: start, tokens, end, padding
	Weights []float32 // of every id; nil: all of them are 1
	Words   []Word    // all words in order, also those that do not fit and those of alternatives that were not taken
	Tokens  int       // tokens of the whole prompt without start and end
	Chunks  []int     // the same of every chunk, of those that are read: at most Room
	Nets    []Net     // <lora:…> and its like, which are no text

	tokenizer *Tokenizer
}

// Empty is the empty prompt of the same tokenizer.
func (p *Prompt) Empty() *Prompt { return p.tokenizer.Encode("") }

// Cut tells whether words are cut off.
func (p *Prompt) Cut() bool { return p.lost() > 0 }

// lost is how many tokens are cut off.
func (p *Prompt) lost() int {
	n := p.Tokens
	for _, c := range p.Chunks {
		n -= c
	}
	return n
}

// Taken is how many tokens of Room in every chunk the prompt takes, those that fill up chunks before others with them; more than there
// are where it is Cut.
func (p *Prompt) Taken() int {
	last := len(p.Chunks) - 1
	return last*Room + p.Chunks[last] + p.lost()
}

// Holds is how many tokens its chunks hold.
func (p *Prompt) Holds() int { return len(p.Chunks) * Room }

// Extend fills up to n chunks with empty ones, so that the encodings of two tokenizers are of one length.
func (p *Prompt) Extend(n int) {
	empty := p.Empty()
	for len(p.Chunks) < n {
		p.IDs, p.Chunks = append(p.IDs, empty.IDs...), append(p.Chunks, 0)
		if p.Weights != nil {
			p.Weights = append(p.Weights, slices.Repeat([]float32{1}, Length)...)
		}
	}
}

// Indicator returns u: as many values as there are ids, 1 at the prompt's own tokens inside the span and 0 elsewhere.
func (p *Prompt) Indicator(s Span) []float32 {
	u := make([]float32, len(p.IDs))
	for c, tokens := range p.Chunks {
		first := c*Length + 1
		for i := max(s.From, first); i < min(s.To, first+tokens); i++ {
			u[i] = 1
		}
	}
	return u
}

// Word is one piece of a prompt: a word, a number's digit, punctuation.
type Word struct {
	Text               string  // as typed: prompt[Start:End], where no mark stands in between
	Start, End         int     // in bytes
	RuneStart, RuneEnd int     // in characters, for text fields
	Span               Span    // its tokens; zero when Cut or Left
	Weight             float64 // 1 where no mark says otherwise
	Occurrence         int     // 1 for the first of equal words; equal means: the same letters, whatever their case
	Cut                bool    // at least one of its tokens lies behind the limit, so the model does not read it whole
	Special            bool    // a special string such as <|endoftext|>, which is no word for a subject
	Joined             bool    // goes on with the word before it: a vowel sign, or a letter behind one, which CLIP reads apart
	Left               bool    // stands in an alternative that was not taken, so the model does not read it

	key    string
	branch int // of words that are Left: the same for those of one alternative
}

// Key is what equal words have in common: their letters in lower case.
func (w Word) Key() string { return cmp.Or(w.key, strings.ToLower(w.Text)) }

// Span is a range of tokens [From, To) among the ids; position 0 is the start token.
type Span struct{ From, To int }

// Encode tokenizes a prompt sign by sign: no mark means anything. Every text can be encoded, also an empty one.
func (t *Tokenizer) Encode(text string) *Prompt { return t.Read(text, Reading{Literal: true}) }

// Read tokenizes a prompt. Every text can be read.
func (t *Tokenizer) Read(text string, how Reading) *Prompt {
	p := &Prompt{Text: text, Used: text, tokenizer: t}
	parts := parts{runs: []run{{view: view{text: text}, weight: 1}}}
	if !how.Literal {
		parts = how.parts(text)
		p.Used, p.Nets = parts.used, parts.nets
	}
	s := sheet{most: 1, comma: t.comma}
	if how.Chunks {
		s.most, s.back = MaxChunks, commaBack
	}
	for _, r := range parts.runs {
		if !r.left {
			s.turn(r.breaks)
		}
		for _, piece := range t.pieces(r.text) {
			of, ends := []int64{piece.special}, []int{len(piece.text)}
			if piece.special < 0 {
				of, ends = t.merge(piece.text)
			}
			p.words(r, piece, ends, len(s.places))
			if r.left {
				continue
			}
			for _, id := range of {
				s.add(id, float32(r.weight))
			}
		}
	}
	s.turn(parts.breaks)
	s.close()
	p.Tokens = len(s.places)
	weights, marked := []float32{}, false
	for _, page := range s.pages {
		p.Chunks = append(p.Chunks, len(page))
		p.IDs, weights = append(p.IDs, t.start), append(weights, 1)
		for _, token := range page {
			p.IDs, weights = append(p.IDs, token.id), append(weights, token.weight)
			marked = marked || token.weight != 1
		}
		p.IDs, weights = append(p.IDs, t.end), append(weights, 1)
		for len(p.IDs)%Length > 0 {
			p.IDs, weights = append(p.IDs, t.pad), append(weights, 1)
		}
	}
	if marked {
		p.Weights = weights
	}
	for i := range p.Words {
		p.Words[i].lie(s.places)
	}
	p.place()
	return p
}

// words adds the words of a piece, whose tokens end at bytes ends of it, behind as many tokens as there are. Where these lie is not known
// yet: their spans are those of tokens.
func (p *Prompt) words(r run, piece piece, ends []int, tokens int) {
	from := 0 // of a part, in the bytes of the piece
	for _, part := range piece.parts() {
		w := Word{
			Text: r.text[part.start:part.end], Special: part.special >= 0, Weight: r.weight, Left: r.left, key: part.key(), branch: r.branch,
		}
		w.Start, w.End = r.source(part.start, part.end)
		// A part has all tokens that hold some of it: merges may have joined it with its neighbour.
		begin, _ := slices.BinarySearch(ends, from+1)
		from += len(part.text)
		last, _ := slices.BinarySearch(ends, from)
		w.Span = Span{tokens + begin, tokens + last + 1}
		p.Words = append(p.Words, w)
	}
}

// lie turns the span of a word among the tokens into that among the ids. places are those of the tokens.
func (w *Word) lie(places []int) {
	if w.Left {
		w.Span = Span{}
		return
	}
	first, last := places[w.Span.From], places[w.Span.To-1]
	if w.Cut = last == 0; w.Cut {
		w.Span = Span{}
		return
	}
	w.Span = Span{first, last + 1}
}

// place puts the words into the order of the text and says of each which of its equals it is.
func (p *Prompt) place() {
	if slices.ContainsFunc(p.Words, func(w Word) bool { return w.Left }) {
		slices.SortStableFunc(p.Words, func(a, b Word) int { return cmp.Compare(a.Start, b.Start) })
	}
	seen := map[string]int{}
	at, runes := 0, 0
	for i := range p.Words {
		w := &p.Words[i]
		if w.Start < at { // pieces of one composed character share its place
			runes -= utf8.RuneCountInString(p.Text[w.Start:at])
		} else {
			runes += utf8.RuneCountInString(p.Text[at:w.Start])
		}
		at = w.Start
		w.RuneStart, w.RuneEnd = runes, runes+utf8.RuneCountInString(p.Text[w.Start:w.End])
		seen[w.key]++
		w.Occurrence = seen[w.key]
		if i > 0 && !w.Special && !p.Words[i-1].Special && p.Words[i-1].End == w.Start {
			w.Joined = joins(p.Words[i-1].Text, w.Text)
		}
	}
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
		first, last := p.Words[i], p.Words[p.end(i, len(keys))]
		if first.Left {
			return refuse(false, message.Errorf("%q stands in an alternative that is not taken for %q: bind a word that is in every picture", phrase, p.Used))
		}
		if last.Cut {
			return refuse(true, message.Errorf("%q comes after the %d tokens of the prompt that the model reads: move it forward or shorten the prompt", phrase,
				p.Holds()))
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

// next is the word behind one as the model reads them, or in the alternative that it stands in; -1 is none.
func (p *Prompt) next(i int) int {
	for j := i + 1; j < len(p.Words); j++ {
		if p.Words[j].branch == p.Words[i].branch {
			return j
		}
	}
	return -1
}

// end is the last word of a phrase of n words.
func (p *Prompt) end(i, n int) int {
	for range n - 1 {
		i = p.next(i)
	}
	return i
}

// matches reports whether the words from i on are the pieces of a phrase.
func (p *Prompt) matches(i int, keys []string) bool {
	for n, key := range keys {
		if n > 0 {
			i = p.next(i)
		}
		if i < 0 || p.Words[i].Special || p.Words[i].key != key {
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
		text := p.Text[w.Start:w.End]
		if marks := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPunct(r) }) < 0; !marks && !seen[key] && !w.Special && !w.Left {
			seen[key] = true
			names = append(names, strconv.Quote(text))
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
		if end := p.next(p.end(i, len(keys))); p.Words[i].Joined || end >= 0 && p.Words[end].Joined {
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
