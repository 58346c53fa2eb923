package state

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"path/filepath"
	"slices"

	"realword/history"
	"realword/inference"
	"realword/ui/i18n"
)

// Reuse is what the prompt and the subjects offer for a finished picture that becomes a reference.
type Reuse struct {
	Words     []inference.Word // that it may stand for, the likeliest first
	Originals []int            // IDs of the cards that it was made of, as far as they are pictures from outside: its anchors
}

// mostChoices is how many words are offered for a picture.
const mostChoices = 5

// Reuse says what is offered for a picture that was made with a recipe.
func (s State) Reuse(recipe inference.Request) Reuse {
	var out Reuse
	offer := func(list []inference.Word) {
		for _, w := range list {
			if len(out.Words) < mostChoices && !slices.ContainsFunc(out.Words, func(have inference.Word) bool { return SameWord(have, w) }) {
				out.Words = append(out.Words, w)
			}
		}
	}
	for _, subject := range recipe.Subjects {
		offer(Phrases(s.Form.Prompt, s.Words, subject.Word))
		for _, ref := range subject.References {
			for _, c := range s.Form.Cards {
				if c.From == 0 && c.Ref.SHA256 != "" && c.Ref.SHA256 == ref.SHA256 && !slices.Contains(out.Originals, c.ID) {
					out.Originals = append(out.Originals, c.ID)
				}
			}
		}
	}
	offer(s.Candidates(mostChoices))
	return out
}

// Continue is the state after a finished picture has become a reference for a word; an empty word leaves that open. It takes the
// place of the originals in their subject; with keep they stay beside it, so that the subject does not drift away from
// them in the jobs to come. Other pictures of earlier jobs go, others from outside stay.
func (s State) Continue(c Card, word inference.Word, originals []int, keep bool) State {
	next := s.followed(c, word, originals, keep)
	if len(next.Form.Cards) > MostPictures {
		s.Remark = LeftOut(1, 1)
		return s
	}
	return next
}

// followed is Continue, however many pictures there are.
func (s State) followed(c Card, word inference.Word, originals []int, keep bool) State {
	c.ID = s.Form.NextID()
	c.Word, c.Group = word, c.ID
	at := slices.IndexFunc(s.Form.Cards, func(have Card) bool { return slices.Contains(originals, have.ID) })
	if at < 0 {
		if i := slices.IndexFunc(s.Form.Cards, func(have Card) bool {
			return have.Live() && word.Text != "" &&
				SameWord(have.Word, word)
		}); i >= 0 {
			g, _ := s.Form.Group(s.Form.Cards[i].ID)
			if slices.ContainsFunc(s.Form.Pictures(g), func(have Card) bool { return sameFile(have, c) }) {
				s.Remark = alreadyHere(c, s.Form.Cards[i])
				return s
			}
			s.Form = s.Form.Join(s.Form.Cards[i].ID, c)
			return s
		}
		s.Form.Cards = append(slices.Clip(s.Form.Cards), c)
		if word.Text == "" {
			s.Latest = c.ID
		}
		return s
	}
	mine, _ := s.Form.Group(s.Form.Cards[at].ID)
	like := s.Form.Cards[at]
	if word.Text == "" {
		s.Selected, s.Latest = 0, c.ID
	} else if SameWord(word, like.Word) {
		c.Gone = like.Gone
	}
	c.Scope, c.Region, c.Style = like.Scope, like.Region, like.Style
	s.Form = s.Form.arrange(func(g Group) []Card {
		cards := s.Form.Pictures(g)
		if g.ID != mine.ID {
			return cards
		}
		out := []Card{c}
		for _, have := range cards {
			original := slices.Contains(originals, have.ID)
			if original && !keep || !original && have.From != 0 || sameFile(have, c) {
				continue
			}
			have.Word, have.Gone, have.Group, have.Off, have.Anchor = c.Word, c.Gone, c.Group, false, have.Anchor || original
			out = append(out, have)
		}
		return out
	})
	return s
}

// FileOf reads the file of a picture, or what the history s (nil: none is open) keeps in place of one; nil where there is neither.
func FileOf(shot Shot, s *history.Store) ([]byte, error) {
	switch {
	case shot.Path != "":
		return ReadFile(shot.Path)
	case shot.Pixels && s != nil:
		return s.Pixels(shot.Kept)
	}
	return nil, nil
}

// ReferenceOf is a picture as a source of a reference: the bytes of its file (see FileOf), so that its hash tells where it came
// from, or else of the picture itself; of one that was stopped, how far it came.
func ReferenceOf(shot Shot, s *history.Store) Source {
	name := i18n.T("seed %d", shot.Seed) + ".png"
	if shot.Path != "" {
		name = filepath.Base(shot.Path)
	}
	preview := shot.Stopped > 0 && shot.Path == "" && !shot.Pixels
	return Source{Name: name, From: shot.Kept, Preview: preview, Read: func() ([]byte, error) {
		data, err := FileOf(shot, s)
		if data != nil || err != nil && shot.Image == nil {
			return data, err
		}
		img := image.Image(shot.Image)
		if shot.Image == nil {
			img = shot.Thumb
		}
		if img == nil {
			return nil, errors.New(i18n.T("This picture was stopped before its first step."))
		}
		var b bytes.Buffer
		err = png.Encode(&b, img)
		return b.Bytes(), err
	}}
}
