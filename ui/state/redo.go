package state

import (
	"fmt"
	"slices"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/ui/i18n"
)

// Redo is the request of a picture in which one of its subjects is as the form has it now, with the prompt of the form; the seed is a
// new one, which takes the alternatives that the picture's own takes, and all else is the picture's. Changes say what differs. A picture
// without that subject in the form keeps it as it was.
func (s State) Redo(was inference.Request, subject int) (inference.Request, []Change) {
	r, changes := s.withSubject(was, subject)
	if r.Seeds = []uint64{DrawSeed()}; s.Model != nil && len(was.Seeds) > 0 {
		r.Seeds[0] = r.Alike(*s.Model, was.Seeds[0])
	}
	return r, changes
}

// withSubject is the request of a picture, from noise, with one of its subjects and the prompt as the form has them.
func (s State) withSubject(was inference.Request, subject int) (inference.Request, []Change) {
	r := was
	r.From, r.Init, r.Subjects = nil, nil, inference.CloneSubjects(was.Subjects)
	if s.Model == nil {
		return r, nil
	}
	form := s.Form
	form.Cards = slices.DeleteFunc(slices.Clone(form.Cards), func(c Card) bool { return c.Missing || c.Lost(s.Words) })
	now := inference.Defaults(*s.Model, form.Request())
	i := successor(was.Subjects, now.Subjects, subject)
	if i < 0 {
		return r, nil
	}
	r.Prompt, r.Subjects[subject] = now.Prompt, now.Subjects[i]
	changes := subjectDiffers(was.Subjects[subject], now.Subjects[i])
	j := -1
	r.Subjects = slices.DeleteFunc(r.Subjects, func(other inference.Subject) bool {
		j++
		return j != subject && Card{Word: other.Word}.Lost(s.Words) // its place stays as it is
	})
	if r.Prompt != was.Prompt {
		changes = append(changes, Change{What: i18n.T("Prompt"), Old: was.Prompt, New: r.Prompt})
	}
	return r, changes
}

// successor is which of the subjects that are there now stands for one of a picture: that of its word, or else of one of its files, or
// else the only new one where it is the only one that has gone; -1 for none.
func successor(was, now []inference.Subject, subject int) int {
	same := func(list []inference.Subject, w inference.Word) int {
		return slices.IndexFunc(list, func(s inference.Subject) bool { return SameWord(s.Word, w) })
	}
	if i := same(now, was[subject].Word); i >= 0 {
		return i
	}
	found, fresh := -1, 0
	for i, n := range now {
		if same(was, n.Word) >= 0 {
			continue
		}
		for _, ref := range n.References {
			if slices.ContainsFunc(was[subject].References, func(old inference.Reference) bool { return old.SHA256 == ref.SHA256 }) {
				return i
			}
		}
		found, fresh = i, fresh+1
	}
	gone := 0
	for _, w := range was {
		if same(now, w.Word) < 0 {
			gone++
		}
	}
	if fresh == 1 && gone == 1 {
		return found
	}
	return -1
}

// subjectDiffers is what has changed of a subject.
func subjectDiffers(was, now inference.Subject) (list []Change) {
	pictures := func(s inference.Subject) (names, files string) {
		for i, ref := range s.References {
			if i > 0 {
				names += ", "
			}
			names += ref.Name
			files += fmt.Sprint(ref.SHA256, ref.Square, ";")
		}
		return names, files
	}
	name := WordName(was.Word)
	if !SameWord(was.Word, now.Word) {
		list = append(list, Change{What: i18n.T("Word"), Old: name, New: WordName(now.Word)})
	}
	old, oldFiles := pictures(was)
	next, nextFiles := pictures(now)
	switch {
	case oldFiles == nextFiles:
	case old == next:
		list = append(list, Change{What: name, Old: old, New: i18n.T("%s, another file or crop", next)})
	default:
		list = append(list, Change{What: name, Old: old, New: next})
	}
	reach := func(s inference.Subject) string { return i18n.Number("%.2f", s.Scope) }
	if reach(was) != reach(now) && now.Region.Kind != guidance.Exactly { // whose area is what was painted
		list = append(list, Change{What: i18n.T("Area γ of %s", name), Old: reach(was), New: reach(now)})
	}
	return append(list, maskDiffers(name, was.Region, now.Region)...)
}

// Gone says which picture of a request is no longer here; nil where all are.
func Gone(r inference.Request) error {
	for _, s := range r.Subjects {
		for _, ref := range s.References {
			if len(ref.Data) == 0 {
				return i18n.Errorf("the picture %s of “%s” is no longer here: give its card another one", ref.Name, WordName(s.Word))
			}
		}
	}
	return nil
}

// Unmade says why a picture of another model than the open one is not made again, and what helps.
func Unmade(model string) error {
	if _, gone := bundle.Earlier(model); gone {
		return i18n.Errorf("the picture was made with the earlier built-in model, which this version does not have: use its recipe to make another one with today's")
	}
	return i18n.Errorf("the picture was made with the model %s: open that one to make it again, or use its recipe with the open one", model)
}
