package ui

import (
	"slices"

	"realword/ui/i18n"
)

// cardLook is how the card of a group looks.
func (s State) cardLook(g Group) cardLook {
	c := s.Form.Cards[g.Cards[0]]
	look := cardLook{Card: c, pictures: s.Form.pictures(g), subject: -1, scope: scope(c, s.Form, s.Model), lost: c.Lost(s.Words),
		offering: s.Pending.Text != "", alone: s.Form.Alone(c.ID)}
	if c.live() {
		look.subject = -1
		if !c.Off {
			look.subject = s.Form.dress(s.Form.Subjects()).of(s.Form.SubjectOf(c.Word))
		}
	}
	for _, p := range look.pictures {
		look.chosen = look.chosen || p.ID == s.Selected
	}
	if look.lost {
		if word, ok := s.Remedy(c); ok {
			look.remedy = word.Text
		}
	}
	for _, id := range s.Form.Twins(c.ID) {
		if twin := s.Form.Cards[s.Form.card(id)]; twin.live() {
			look.twins = append(look.twins, twin.Word.Text)
		}
	}
	return look
}

// reachNote warns before all subjects together leave too little of the picture for the rest of the prompt.
func (s State) reachNote() string {
	const much = 0.8
	var total float64
	for _, g := range s.Form.Groups() {
		if c := s.Form.Cards[g.Cards[0]]; c.live() && !c.Off {
			total += scope(c, s.Form, s.Model)
		}
	}
	if total < much {
		return ""
	}
	return i18n.T("Together they cover %.2f: little is left for the rest.", total)
}

// Forget is the state after pictures were taken away.
func (s State) Forget(remove func(Form) Form) State {
	s.Form, s.Remark, s.PickErr = remove(s.Form), "", nil
	if s.Form.card(s.Selected) < 0 {
		s.Selected = 0
	}
	return s
}

// Mend is the state after a lost card was bound to the word that it most likely means.
func (s State) Mend(card int) State {
	i := s.Form.card(card)
	if i < 0 {
		return s
	}
	if word, ok := s.Remedy(s.Form.Cards[i]); ok {
		s.Form = s.Form.Bind(card, word.Word)
	}
	return s
}

// lost is the first card that keeps Generate off and has a remedy.
func (s State) lost() (card int, remedy string) {
	for _, g := range s.Form.Groups() {
		c := s.Form.Cards[g.Cards[0]]
		if c.Off || !c.Lost(s.Words) {
			continue
		}
		if word, ok := s.Remedy(c); ok {
			return c.ID, word.Text
		}
	}
	return 0, ""
}

// chipLook is how the chip of a word looks.
func (s State) chipLook(i int) chipLook {
	word := s.Words[i]
	look := chipLook{Word: word, subject: -1, cut: word.Past && (i == 0 || !s.Words[i-1].Past)}
	if word.Past {
		return look
	}
	if s.Pending.Text != "" {
		at, ok := locate(s.Words, s.Pending)
		look.waiting = ok && at.first <= i && i <= at.last
	}
	if s.Span.on {
		r := s.Span.run()
		look.within = r.first <= i && i <= r.last
	}
	subjects := s.Form.Subjects()
	d := s.Form.dress(subjects)
	for n, subject := range subjects {
		if at, ok := locate(s.Words, subject.Word); ok && at.first <= i && i <= at.last {
			look.subject = d.of(n)
		}
	}
	return look
}

// hint is the line under the words: what a click would do. generate is the key that generates, or empty.
func (s State) hint(generate string) string {
	groups := s.Form.Groups()
	unbound := slices.IndexFunc(groups, func(g Group) bool {
		c := s.Form.Cards[g.Cards[0]]
		return !c.Off && (!c.Bound() || c.Lost(s.Words))
	})
	switch {
	case s.Span.on:
		marked, _ := s.Marked()
		return i18n.T("Release, or press Enter, to bind “%s”.", marked.Text)
	case s.Pending.Text != "":
		return i18n.T("Now click the picture of “%s”, or drop one.", s.Pending.Text)
	case len(s.Words) == 0:
		return i18n.T("The words appear here, ready to be bound to pictures.")
	case s.Selected != 0 && s.Form.card(s.Selected) >= 0:
		return i18n.T("Click the word that %s shows.", s.Form.Cards[s.Form.card(s.Selected)].Ref.Name)
	case unbound >= 0:
		return i18n.T("Click the word that %s shows, or drag over several.", s.Form.Cards[groups[unbound].Cards[0]].Ref.Name)
	case len(s.Form.Cards) == 0:
		return i18n.T("Drop a picture, then click its word.")
	}
	if generate == "" {
		return i18n.T("Drop another picture for another word, or generate.")
	}
	return i18n.T("Drop another picture for another word, or press %s to generate.", generate)
}

// chipLook is what a chip shows.
type chipLook struct {
	Word
	subject int  // -1: not bound
	waiting bool // for a card
	within  bool // one of the words that are being marked
	cut     bool // the first word that the model does not read
}

// cardLook is what a card shows.
type cardLook struct {
	Card              // the first of the subject's pictures
	pictures []Card   // all of them
	subject  int      // -1: not bound, or left out
	scope    float64  // in force
	lost     bool     // its word has left the prompt
	remedy   string   // the word to use instead; "" is none
	twins    []string // words of other subjects with the same picture
	chosen   bool
	offering bool // a word waits for a card
	alone    bool // the only one of several that takes part
	several  bool // there are other cards
}

// squareSide is the side of a card's picture.
const squareSide = 84

const reachMax = 0.6 // more than the paper ever tried; recipes may hold up to 1

// shorten cuts a text in the middle, where file names matter least.
func shorten(text string, limit int) string {
	r := []rune(text)
	if len(r) <= limit {
		return text
	}
	end := limit / 3
	return string(r[:limit-end-1]) + "…" + string(r[len(r)-end:])
}
