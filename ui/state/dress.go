package state

import (
	"slices"

	"realword/inference"
)

// Dress is the styles of the subjects of a job, one byte each: the number of the colour, the pattern and the letter that a
// subject has on cards, words and masks. A string, so that looks and keys can be compared.
type Dress string

// Of is the style of a subject; without one it is the subject's own number.
func (d Dress) Of(subject int) int {
	if subject >= 0 && subject < len(d) {
		return int(d[subject])
	}
	return subject
}

// styled gives every subject on the left a style of its own. What has one keeps it, also when it is muted and when others are
// removed or change their places; a new subject takes the first that is free.
func (f Form) styled() Form {
	groups := f.Groups()
	given := make([]int, len(groups)) // from 1; 0: none yet
	for n, g := range groups {
		for _, i := range g.Cards {
			if s := f.Cards[i].Style; s > 0 && given[n] == 0 && !slices.Contains(given, s) {
				given[n] = s
			}
		}
	}
	changed := false
	for n, g := range groups {
		for s := 1; given[n] == 0; s++ {
			if !slices.Contains(given, s) {
				given[n] = s
			}
		}
		for _, i := range g.Cards {
			changed = changed || f.Cards[i].Style != given[n]
		}
	}
	if !changed {
		return f
	}
	f.Cards = slices.Clone(f.Cards)
	for n, g := range groups {
		for _, i := range g.Cards {
			f.Cards[i].Style = given[n]
		}
	}
	return f
}

// dress is how the subjects of a job look beside the form: a subject that is on the left, by its word or else by one of its
// pictures, as it looks there; another one in its own number where that is free.
func (f Form) dress(subjects []inference.Subject) Dress {
	f = f.styled()
	out := make([]int, len(subjects)) // from 1
	take := func(i int, same func(Card) bool) {
		for _, c := range f.Cards {
			if out[i] == 0 && same(c) && !slices.Contains(out, c.Style) {
				out[i] = c.Style
			}
		}
	}
	for i, s := range subjects {
		take(i, func(c Card) bool { return c.Bound() && SameWord(c.Word, s.Word) })
	}
	for i, s := range subjects {
		take(i, func(c Card) bool {
			return slices.ContainsFunc(s.References, func(r inference.Reference) bool { return r.SHA256 != "" && r.SHA256 == c.Ref.SHA256 })
		})
	}
	d := make([]byte, len(subjects))
	for i := range subjects {
		for s := i + 1; out[i] == 0; s = s%len(subjects) + 1 {
			if !slices.Contains(out, s) {
				out[i] = s
			}
		}
		d[i] = byte(out[i] - 1)
	}
	return Dress(d)
}

// Dress is how the subjects of what is in view look.
func (s State) Dress() Dress { return s.Form.dress(s.shownSubjects()) }

// DressOf is how the subjects of a picture look.
func (s State) DressOf(shot int) Dress { return s.Form.dress(s.Shots[shot].Recipe.Subjects) }

// shownSubjects are the subjects of what is in view.
func (s State) shownSubjects() []inference.Subject {
	if shot := s.Shot(); shot != nil {
		return shot.Recipe.Subjects
	}
	return s.Run().Subjects
}
