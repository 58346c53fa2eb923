package state

import (
	"errors"
	"slices"

	"realword/inference"
	"realword/ui/i18n"
)

// Target is where new pictures go: to a word, to the subject of a card, or with neither wherever State.Add finds.
type Target struct {
	Word inference.Word
	Card int
}

// MostPictures is how many pictures a window takes. A run with more would need minutes for its references alone.
const MostPictures = 32

// Added is a picture that was read.
type Added struct {
	Card Card
	Hint string
}

func (s State) AddAll(list []Added, to Target) State {
	for _, a := range list {
		s = s.AddTo(a.Card, a.Hint, to)
		if note := a.Card.note(); s.Remark == "" && note != "" {
			s.Remark = note
		}
	}
	return s
}

func LeftOut(left, of int) string {
	return i18n.T("%d of %d pictures were not added: the limit is %d at once. Remove some to make room.", left, of, MostPictures)
}

// Digest is some errors in a few lines.
func Digest(errs []error) error {
	const most = 3
	if more := len(errs) - most; more > 1 {
		errs = append(slices.Clone(errs[:most]), i18n.Errorf("%d more files could not be used", more))
	}
	return errors.Join(errs...)
}

// AddTo is the state after a picture was read for a target. The same picture is not taken twice for one subject.
func (s State) AddTo(c Card, hint string, to Target) State {
	if f, missed := s.Form.Fill(c, s.Model); missed {
		s.Form = f
		return s
	}
	if len(s.Form.Cards) >= MostPictures {
		s.Remark = LeftOut(1, 1)
		return s
	}
	group, ok := s.Form.Group(to.Card)
	if !ok && to.Word.Text != "" {
		for _, g := range s.Form.Groups() {
			if first := s.Form.Cards[g.Cards[0]]; first.Live() && SameWord(first.Word, to.Word) {
				group, ok = g, true
			}
		}
	}
	for i, have := range s.Form.Cards {
		if !sameFile(have, c) {
			continue
		}
		c.Ref.Data = have.Ref.Data // one copy is enough
		if ok && slices.Contains(group.Cards, i) {
			s.Remark = alreadyHere(c, have)
			return s
		}
		s.Remark = i18n.T("%s is already here, %s. Use it for another word too, or remove one of the two.", c.Ref.Name, whereOf(have))
	}
	if ok {
		s.Form = s.Form.Join(group.ID, c)
		return s
	}
	return s.Add(c, hint, to.Word)
}

// sameFile tells whether two cards are of one picture.
func sameFile(a, b Card) bool { return a.Ref.SHA256 == b.Ref.SHA256 && a.Ref.SHA256 != "" }

// alreadyHere says that a subject has a picture, by its card there.
func alreadyHere(c, have Card) string {
	return i18n.T("%s is already here, %s.", c.Ref.Name, whereOf(have))
}

// whereOf is what a card stands for, as the end of a sentence.
func whereOf(c Card) string {
	if c.Bound() {
		return i18n.T("for “%s”", c.Word.Text)
	}
	return i18n.T("without a word")
}
