package state

import (
	"realword/inference"
)

// Span is neighbouring words that are being marked: from the one where it began to the one where it is now, in either
// direction.
type Span struct {
	From, to int
	On       bool
	of       inference.Word // that they were when they were marked
}

func (s Span) run() WordRange { return WordRange{min(s.From, s.to), max(s.From, s.to)} }

// Mark is the state while words are marked: from one to another, as far as the model reads them.
func (s State) Mark(from, to int) State {
	if from < 0 || from >= len(s.Words) || s.Words[from].Past {
		s.Span = Span{}
		return s
	}
	to = min(max(to, 0), len(s.Words)-1)
	for s.Words[to].Past {
		to--
	}
	s.Span = Span{From: from, to: to, On: true}
	s.Span.of = phraseOf(s.Form.Prompt, s.Words, s.Span.run())
	return s
}

// Marked is the phrase that is marked, with its place in the prompt; one word where only one is. It is none where the words have become
// others since.
func (s State) Marked() (Word, bool) {
	r := s.Span.run()
	if !s.Span.On || r.Last >= len(s.Words) {
		return Word{}, false
	}
	w := Word{Word: phraseOf(s.Form.Prompt, s.Words, r), Start: s.Words[r.First].Start, End: s.Words[r.Last].End}
	return w, w.Word == s.Span.of
}

// Tidy is the state with what must always hold: a tidy form, nothing marked, or waiting for a picture, that is not in the prompt, and no
// card noted as chosen that is chosen no more.
func (s State) Tidy() State {
	s.Form = s.Form.Tidy()
	if _, ok := s.Marked(); !ok {
		s.Span = Span{}
	}
	if _, ok := locate(s.Words, s.Pending); !ok {
		s.Pending = inference.Word{}
	}
	if s.Selected != s.Before {
		s.Before = 0
	}
	return s
}

// BindMarked is the state after the marking has ended. The phrase is clicked like a word; one that holds the word of a single
// subject, and of no chosen card, becomes that subject's longer name.
func (s State) BindMarked() State {
	w, ok := s.Marked()
	r := s.Span.run()
	s.Span = Span{}
	if !ok {
		return s
	}
	if s.Selected == 0 && r.Last > r.First {
		var within []int
		for _, g := range s.Form.Groups() {
			c := s.Form.Cards[g.Cards[0]]
			if !c.Live() || SameWord(c.Word, w.Word) {
				continue
			}
			if at, found := locate(s.Words, c.Word); found && at.First >= r.First && at.Last <= r.Last {
				within = append(within, g.ID)
			}
		}
		if len(within) == 1 {
			s.Form = s.Form.Bind(within[0], w.Word)
			s.Pending = inference.Word{}
			return s
		}
	}
	return s.Click(w)
}

// WordsAt are the words that the bytes from:to of the prompt touch; ok is false where there is none.
func (s State) WordsAt(from, to int) (r WordRange, ok bool) {
	r = WordRange{First: -1}
	for i, w := range s.Words {
		if w.Start < max(to, from+1) && w.End > from || from == to && w.End == from {
			if r.First < 0 {
				r.First = i
			}
			r.Last = i
		}
	}
	return r, r.First >= 0
}

// crossing finds two subjects whose phrases share a word, which the model cannot give to both.
func (f Form) crossing(words []Word) (a, b inference.Word, ok bool) {
	subjects := f.Subjects()
	for i, s := range subjects {
		at, found := locate(words, s.Word)
		for _, other := range subjects[:i] {
			if before, too := locate(words, other.Word); found && too && at.First <= before.Last && before.First <= at.Last {
				return other.Word, s.Word, true
			}
		}
	}
	return a, b, false
}
