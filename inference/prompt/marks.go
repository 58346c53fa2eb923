package prompt

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Reading says how the text of a prompt is read. The zero Reading knows
//
//   - weights, as A1111 reads them: (word) counts 1.1 times, [word] 1/1.1 times, (word:1.3) 1.3 times; they nest and multiply, a bracket
//     that is not closed reaches to the end, and a backslash before a bracket, a brace, | or itself makes it a sign like any other;
//   - alternatives: {a|b|c} is a, b or c, as Pick says; they nest, and one may be empty;
//   - <lora:name:0.8> and its like, which are no text: Nets;
//   - BREAK, where Chunks says that the model can: it ends a chunk, also within brackets.
//
// A bracket parts words. What stands in a text of capitals alone is no BREAK.
type Reading struct {
	Literal bool   // sign by sign: no mark means anything
	Pick    uint64 // of n alternatives the (Pick mod n)-th, counted from 0; of the next ones Pick/n says which, and so on
	Chunks  bool   // up to MaxChunks chunks of Length ids are read (chunks.go says how); else one, what is longer is cut, and BREAK is a word
}

// MaxWeight bounds weights in both directions. Far below it, pictures are noise.
const MaxWeight = 10

// Net is what a prompt asks for by <kind:name:values…>: weights that are laid over the model.
type Net struct {
	Kind       string   // "lora", "lyco" or "hypernet"
	Name       string   // as typed
	Values     []string // what follows the name, one for every colon: "0.8"
	Start, End int      // in bytes of the text
}

// Weight is the first of the values; 1 where there is none, false where it is no number.
func (n Net) Weight() (float64, bool) {
	if len(n.Values) == 0 {
		return 1, true
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(n.Values[0]), 64)
	return w, err == nil && !math.IsInf(w, 0) && !math.IsNaN(w)
}

var (
	netMark    = regexp.MustCompile(`^<(lora|lyco|hypernet):([^<>:]+)((?::[^<>:]*)*)>`)
	weightMark = regexp.MustCompile(`^:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)`)
	weightLike = regexp.MustCompile(`[:：](?:\s*[+\-−–]?\s*[\pN.,٫]+(?:[eE][+-]?\d+)?[%x×f]?|\s*[+-]?(?i:nan|inf|infinity))?\s*$`)
	justSigns  = regexp.MustCompile(`^(?:\d{1,2}|\pL|.*[:;=][-'o^]?)$`) // what "1)", "b)" and ":-)" have before the bracket
	breakMark  = regexp.MustCompile(`^BREAK\b`)
)

// Nets lists the <lora:…> of a text and its like, in every alternative.
func Nets(text string) (list []Net) {
	for i := range text {
		if n, ok := netAt(text, i); ok {
			list = append(list, n)
		}
	}
	return list
}

// netAt reads the Net that begins at a byte of a text.
func netAt(text string, i int) (Net, bool) {
	m := netMark.FindStringSubmatch(text[i:])
	if m == nil {
		return Net{}, false
	}
	n := Net{Kind: m[1], Name: m[2], Start: i, End: i + len(m[0])}
	if m[3] != "" {
		n.Values = strings.Split(m[3][1:], ":")
	}
	return n, true
}

// Marked tells whether a text holds a mark, so that Read and Encode may read it differently.
func Marked(text string) bool {
	return strings.ContainsAny(text, `()[]\`) || strings.Contains(text, "BREAK") && !shouted(text) || HasAlternatives(text) || len(Nets(text)) > 0
}

// HasAlternatives tells whether a text holds {a|b}.
func HasAlternatives(text string) bool { return len(groups(text)) > 0 }

// shouted tells that capitals mean nothing in a text.
func shouted(text string) bool { return !strings.ContainsFunc(text, unicode.IsLower) }

// view is some of a text: the bytes at these places; nil is all of it.
type view struct {
	text string
	at   []int
}

// source is the place of bytes a to b of a view in the text; b > a.
func (v view) source(a, b int) (start, end int) {
	if v.at == nil {
		return a, b
	}
	return v.at[a], v.at[b-1] + 1
}

// add appends bytes from:to of a text.
func (v *view) add(text string, from, to int) {
	v.text += text[from:to]
	for i := from; i < to; i++ {
		v.at = append(v.at, i)
	}
}

// run is a piece of a prompt that is tokenized by itself, without the marks.
type run struct {
	view
	weight float64
	breaks int  // so many BREAK stand before it
	left   bool // in an alternative that is not taken
	branch int  // which; 0 for what is read
}

// Used is a text with the alternatives that are taken in place of all of them.
func (how Reading) Used(text string) string {
	l := layout{text: text, pick: how.Pick}
	l.flatten(0, len(text), groups(text), true)
	return l.used.text
}

// Period is after how many steps of Pick the same alternatives of a text come again: 1 where it has none, math.MaxUint32 for that many
// and more.
func Period(text string) uint64 {
	n := uint64(1)
	var count func([]group)
	count = func(list []group) {
		for _, g := range list {
			n = min(n*min(uint64(len(g.marks)-1), math.MaxUint32), math.MaxUint32)
			count(g.inner)
		}
	}
	count(groups(text))
	return n
}

// parts is a text taken apart.
type parts struct {
	used   string // the text with the alternatives that are taken
	runs   []run
	nets   []Net
	breaks int    // so many BREAK stand behind the last of them
	open   string // what stands behind a bracket that is not closed, with it; "" for none
	capped string // what has a weight beyond MaxWeight; "" for nothing
	number string // a bracket with what looks like a weight and is none; "" for none
	closes string // a bracket that closes nothing, with the word before it; "" for none
}

func (how Reading) parts(text string) parts {
	l := layout{text: text, pick: how.Pick}
	l.used.at = []int{}
	l.flatten(0, len(text), groups(text), true)
	p := how.weigh(l.used, text)
	p.used = l.used.text
	for i, v := range l.left {
		of := how.weigh(v, text).runs
		for j := range of {
			of[j].left, of[j].branch = true, i+1
		}
		p.runs = append(p.runs, of...)
	}
	return p
}

// group is {a|b} in a text: where its braces and bars stand, and the groups within.
type group struct {
	marks []int // {, |, …, }
	inner []group
}

// groups finds alternatives. Braces without a bar are signs like any other.
func groups(text string) []group {
	type open struct {
		marks []int
		inner []group
	}
	stack := []open{{}}
	for i := 0; i < len(text); i++ {
		top := &stack[len(stack)-1]
		switch text[i] {
		case '\\':
			i++
		case '{':
			stack = append(stack, open{marks: []int{i}})
		case '|':
			if len(stack) > 1 {
				top.marks = append(top.marks, i)
			}
		case '}':
			if len(stack) == 1 {
				continue
			}
			found := *top
			stack = stack[:len(stack)-1]
			below := &stack[len(stack)-1]
			if len(found.marks) > 1 {
				below.inner = append(below.inner, group{append(found.marks, i), found.inner})
			} else {
				below.inner = append(below.inner, found.inner...)
			}
		}
	}
	for len(stack) > 1 { // braces that are not closed
		last := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		stack[len(stack)-1].inner = append(stack[len(stack)-1].inner, last.inner...)
	}
	return stack[0].inner
}

// loneBrace finds the first brace that is none of alternatives, with what it seems to hold; "" where there is none.
func loneBrace(text string) string {
	meant := map[int]bool{}
	var mark func([]group)
	mark = func(list []group) {
		for _, g := range list {
			for _, at := range g.marks {
				meant[at] = true
			}
			mark(g.inner)
		}
	}
	mark(groups(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '{' && !meant[i]:
			if end := strings.IndexAny(text[i+1:], "{}"); end >= 0 && text[i+1+end] == '}' {
				return text[i : i+end+2]
			}
			return text[i:]
		case c == '}' && !meant[i]:
			return wordBefore(text, i) + "}"
		}
	}
	return ""
}

// wordBefore is what stands before a place of a text, back to a space, a comma or a bracket.
func wordBefore(text string, at int) string {
	return text[strings.LastIndexAny(text[:at], " \t\r\n,()[]{}|")+1 : at]
}

// layout shares a text out among what is read and what is left.
type layout struct {
	text string
	pick uint64
	used view
	left []view
}

// flatten walks over bytes from:to of the text, which hold these groups.
func (l *layout) flatten(from, to int, groups []group, used bool) {
	keep := func(a, b int) {
		if used {
			l.used.add(l.text, a, b)
		} else if a < b {
			v := view{at: []int{}}
			v.add(l.text, a, b)
			l.left = append(l.left, v)
		}
	}
	for _, g := range groups {
		keep(from, g.marks[0])
		n := uint64(len(g.marks) - 1)
		taken := int(l.pick % n)
		if used {
			l.pick /= n
		}
		for i := range n {
			a, b := g.marks[i]+1, g.marks[i+1]
			var inner []group
			for _, in := range g.inner {
				if in.marks[0] >= a && in.marks[0] < b {
					inner = append(inner, in)
				}
			}
			l.flatten(a, b, inner, used && int(i) == taken)
		}
		from = g.marks[len(g.marks)-1] + 1
	}
	keep(from, to)
}

// weigh takes the marks out of a view of a text.
func (how Reading) weigh(v view, text string) (p parts) {
	now := run{weight: 1}
	flush := func() {
		if now.text != "" {
			now.breaks, p.breaks = p.breaks, 0
			p.runs = append(p.runs, now)
		}
		now = run{weight: 1}
	}
	var kept strings.Builder
	keep := func(i int) {
		kept.WriteByte(v.text[i])
		now.at = append(now.at, v.at[i])
	}
	end := func() {
		now.text = kept.String()
		kept.Reset()
		flush()
	}
	times := func(from int, factor float64) {
		for i := from; i < len(p.runs); i++ {
			p.runs[i].weight *= factor
		}
	}
	const more, less = 1.1, 1 / 1.1
	type bracket struct{ at, run int } // in the view, and in the runs
	var round, square []bracket
	pop := func(stack *[]bracket) (from int) {
		from, *stack = (*stack)[len(*stack)-1].run, (*stack)[:len(*stack)-1]
		return from
	}
	capitals := shouted(text)
	for i := 0; i < len(v.text); i++ {
		switch c := v.text[i]; {
		case c == '\\' && i+1 < len(v.text) && strings.IndexByte(`()[]{}|\`, v.text[i+1]) >= 0:
			i++
			keep(i)
		case c == '<':
			n, ok := netAt(v.text, i)
			if !ok {
				keep(i)
				continue
			}
			end()
			i = n.End - 1
			n.Start, n.End = v.source(n.Start, n.End)
			p.nets = append(p.nets, n)
		case c == '(':
			end()
			round = append(round, bracket{i, len(p.runs)})
		case c == '[':
			end()
			square = append(square, bracket{i, len(p.runs)})
		case c == ')' && len(round) > 0:
			if held := v.text[round[len(round)-1].at:i]; p.number == "" && weightLike.MatchString(held) {
				p.number = held + ")"
			}
			end()
			times(pop(&round), more)
		case c == ']' && len(square) > 0:
			end()
			times(pop(&square), less)
		case c == ':' && len(round) > 0 && weightMark.MatchString(v.text[i:]):
			m := weightMark.FindStringSubmatch(v.text[i:])
			end()
			w, _ := strconv.ParseFloat(m[1], 64) // the expression takes numbers alone
			times(pop(&round), w)
			i += len(m[0]) - 1
		case c == 'B' && how.Chunks && !capitals && breakMark.MatchString(v.text[i:]) && (i == 0 || !wordByte(v.text[i-1])):
			end()
			p.breaks++
			i += len("BREAK") - 1
		case c == ')' || c == ']':
			if word := wordBefore(v.text, i); p.closes == "" && !justSigns.MatchString(word) {
				p.closes = word + string(c)
			}
			keep(i)
		default:
			keep(i)
		}
	}
	end()
	for _, b := range round {
		times(b.run, more)
	}
	for _, b := range square {
		times(b.run, less)
	}
	if left := append(round, square...); len(left) > 0 {
		p.open = v.text[left[0].at:]
	}
	for i, r := range p.runs {
		if math.IsNaN(r.weight) { // nothing, of more than there are numbers for
			r.weight = 0
		}
		p.runs[i].weight = min(max(float64(float32(r.weight)), -MaxWeight), MaxWeight)
		if math.Abs(r.weight) > MaxWeight && p.capped == "" {
			p.capped = strings.TrimSpace(r.text)
		}
	}
	return p
}

// wordByte tells a byte of a word, as \b in regular expressions does.
func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
