package state

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"realword/inference"
)

// edit is one change of a text: the bytes from:to of the old one became the bytes from:end of the new one.
type edit struct{ from, to, end int }

// editOf finds the change between two texts. Equal letters side by side leave open where it happened ("dog dog" without one
// of its dogs); cursor, the byte behind which the user goes on typing, decides that where it can. -1 is an unknown cursor.
func editOf(before, after string, cursor int) edit {
	tail := 0
	if cursor >= 0 && cursor <= len(after) && strings.HasSuffix(before, after[cursor:]) {
		tail = len(after) - cursor
	}
	head := 0
	for head < min(len(before)-tail, len(after)-tail) && before[head] == after[head] {
		head++
	}
	// Without a cursor, and for text that was pasted over a part of itself, what stayed the same at the end counts too.
	for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	e := edit{head, len(before) - tail, len(after) - tail}
	for e.from > 0 && (!utf8.RuneStart(byteAt(before, e.from)) || !utf8.RuneStart(byteAt(after, e.from))) {
		e.from--
	}
	for e.to < len(before) && !utf8.RuneStart(before[e.to]) {
		e.to++
		e.end++
	}
	return e
}

// byteAt is a byte of a text; behind its end something that starts a letter.
func byteAt(text string, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0
}

// grow is where bytes from a to b of the old text, and what was typed at their ends, lie in the new one.
func (e edit) grow(a, b int) (int, int) {
	switch {
	case a > e.to:
		a += e.end - e.to
	case a >= e.from:
		a = e.from
	}
	switch {
	case b > e.to:
		b += e.end - e.to
	case b >= e.from:
		b = e.end
	}
	return a, b
}

// WordRange is some neighbouring words: words[first:last+1].
type WordRange struct{ First, Last int }

// runsOf finds a word or phrase among words as prompt.Prompt.Find does: whole words, whatever their case.
func runsOf(words []Word, text string) []WordRange {
	var parts []part
	for _, w := range PlainWords(text) {
		quoted := strings.HasSuffix(text[:w.Start], "'")
		for _, letters := range strings.FieldsFunc(strings.ReplaceAll(strings.ToLower(w.Text), colours, ""),
			func(r rune) bool { return !ofWord(r) }) {
			parts = append(parts, part{letters, quoted})
			quoted = false
		}
	}
	var runs []WordRange
	for i := range words {
		if last, ok := readRun(words[i:], parts); ok {
			runs = append(runs, WordRange{i, i + last})
		}
	}
	return runs
}

// part is a piece of a word or phrase that has no signs in it.
type part struct {
	letters string
	quoted  bool // a single quote stands before it
}

// readRun tells how far into words the parts reach, if that is what the words begin with. The model reads some words in
// pieces ("2x", "well-known"); they then stand without a gap.
//
// The letters behind a single quote may not be a word: of 'dog' the model reads "'d" and "og", as of "she'd". Of such a one the quote is
// part.
func readRun(words []Word, parts []part) (last int, ok bool) {
	if len(parts) == 0 {
		return 0, false
	}
	i := 0
	for _, part := range parts {
		left := part.letters
		for begin := i; left != ""; i++ {
			if i == len(words) || i > begin && words[i].Start != words[i-1].End {
				return 0, false
			}
			opens := strings.HasPrefix(words[i].Text, "'") && (i == 0 || words[i].Start != words[i-1].End)
			rest, found := strings.CutPrefix(left, bare(words[i].Text))
			if !found || rest == left || opens && !part.quoted {
				return 0, false
			}
			left = rest
		}
	}
	return i - 1, true
}

// bare is a word in lower case without the signs in it.
func bare(word string) string {
	return strings.Map(func(r rune) rune {
		if ofWord(r) && !strings.ContainsRune(colours, r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}

// colours asks for a sign to be drawn in colours, which makes no other word of it.
const colours = "\ufe0f"

// ofWord tells the characters that words are made of: letters, their marks, digits, emoji and what joins and tints them.
func ofWord(r rune) bool {
	const zeroWidthJoiner = 0x200d
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || pictorial(r) || r == zeroWidthJoiner || r >= 0x1f3fb &&
		r <= 0x1f3ff
}

// locate finds the occurrence of a bound word.
func locate(words []Word, w inference.Word) (WordRange, bool) {
	runs := runsOf(words, w.Text)
	if n := max(w.Occurrence, 1); n <= len(runs) {
		return runs[n-1], true
	}
	return WordRange{}, false
}

// Retype is the state after the user has changed the prompt into text, which has these words; cursor is the byte behind which
// the text cursor stands, or -1. Bound words stay bound to what they were, wherever it has moved and whatever its number now is.
// One that is changed or taken away is lost until it is written again at its place.
func (s State) Retype(text string, words []Word, cursor int) State {
	s.Form = s.Form.follow(editOf(s.Form.Prompt, text, cursor), s.Words, words)
	s.Form.Prompt, s.Words = text, words
	s.Pending, s.Span = inference.Word{}, Span{}
	return s
}

// follow keeps the cards at their words through a change of the prompt.
func (f Form) follow(e edit, before, after []Word) Form {
	groups := f.Groups()
	f.Cards = append([]Card(nil), f.Cards...)
	taken := map[WordRange]bool{}
	bind := func(g Group, n int, r WordRange) {
		taken[r] = true
		for _, i := range g.Cards {
			f.Cards[i].Word.Occurrence, f.Cards[i].Gone = n+1, nil
		}
	}
	var astray []Group
	for _, g := range groups {
		c := f.Cards[g.Cards[0]]
		if !c.Bound() || c.Gone != nil {
			astray = append(astray, g)
			continue
		}
		at, found := locate(before, c.Word)
		n := -1
		if found {
			n = e.stayed(before[at.First].Start, before[at.Last].End, after, runsOf(after, c.Word.Text))
		}
		if n < 0 {
			astray = append(astray, g)
			continue
		}
		bind(g, n, runsOf(after, c.Word.Text)[n])
	}
	for _, g := range astray {
		c := f.Cards[g.Cards[0]]
		if !c.Bound() {
			continue
		}
		runs := runsOf(after, c.Word.Text)
		var place Place
		wanted, have := 1, 0 // this is the have-th of so many equal words that were changed in one go
		if at, found := locate(before, c.Word); c.Gone != nil {
			place.From, place.To = e.grow(c.Gone.From, c.Gone.To)
		} else if !found {
			place = Place{0, 1 << 30} // it never had a place: any will do
		} else {
			place.From, place.To = e.grow(before[at.First].Start, before[at.Last].End)
			wanted = 0
			for _, r := range runsOf(before, c.Word.Text) {
				if r == at || before[r.Last].End >= e.from && before[r.First].Start <= e.to {
					if r == at {
						have = wanted
					}
					wanted++
				}
			}
		}
		var back []int
		for n, r := range runs {
			if after[r.First].Start >= place.From && after[r.Last].End <= place.To {
				back = append(back, n)
			}
		}
		if len(back) == wanted && !taken[runs[back[have]]] {
			bind(g, back[have], runs[back[have]])
			continue
		}
		for _, i := range g.Cards {
			f.Cards[i].Gone = &place
		}
	}
	return f
}

// stayed tells which of the runs is made of the very letters that were at a:b before the change; -1 is none.
func (e edit) stayed(a, b int, words []Word, runs []WordRange) int {
	switch {
	case b <= e.from:
	case a >= e.to:
		a, b = a+e.end-e.to, b+e.end-e.to
	default:
		return -1
	}
	for n, r := range runs {
		if words[r.First].Start == a && words[r.Last].End == b {
			return n
		}
	}
	return -1
}

// glue are words that no picture stands for.
var glue = map[string]bool{
	"a": true, "an": true, "the": true, "and": true, "or": true, "of": true, "on": true, "in": true,
	"at": true, "to": true, "by": true, "with": true, "from": true, "for": true, "is": true, "are": true, "its": true, "his": true,
	"her": true, "their": true, "under": true, "over": true, "near": true, "into": true,
}

// Remedy is the word of the prompt that a lost card most likely means now: the one that stands at its place, or one that is
// written like it. It is never a word that another card has. Of two words at its place the first thing is meant, unless the letters say
// otherwise more than by chance. Where many words stand there, the prompt is another one, and its place says nothing.
func (s State) Remedy(c Card) (Word, bool) {
	const enough, alike, atItsPlace, most = 0.34, 0.5, 0.5, 2
	free := func(w Word) bool {
		return !w.Past && !glue[strings.ToLower(w.Text)] && s.Form.SubjectOf(w.Word) < 0
	}
	here := func(w Word) bool { return c.Gone != nil && w.Start < c.Gone.To && w.End > c.Gone.From }
	there := 0
	for _, w := range s.Words {
		if free(w) && here(w) {
			there++
		}
	}
	best, at := enough, -1
	things, first := s.Candidates(math.MaxInt), true
	for i, w := range s.Words {
		if !free(w) {
			continue
		}
		score := likeness(bare(w.Text), bare(c.Word.Text))
		if there <= most && here(w) {
			if score < alike {
				score = 0
			}
			if score += atItsPlace; first && slices.ContainsFunc(things, func(t inference.Word) bool { return SameWord(t, w.Word) }) {
				first, score = false, score+0.1
			}
		}
		if score > best {
			best, at = score, i
		}
	}
	if at < 0 {
		return Word{}, false
	}
	return s.Words[at], true
}

// likeness is 1 for equal words and 0 for words without a common letter: one minus the edits from one to the other (Levenshtein)
// per letter of the longer word.
func likeness(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return 1 - float64(row[len(y)])/float64(max(len(x), len(y)))
}
