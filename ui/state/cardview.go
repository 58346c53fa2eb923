package state

import (
	"slices"
	"strings"

	"realword/ui/i18n"
)

// CardLooks is how the cards look.
func (s State) CardLooks() []CardLook {
	groups := s.Form.Groups()
	looks := make([]CardLook, len(groups))
	for i, g := range groups {
		looks[i] = s.CardLook(g)
		looks[i].Several = len(groups) > 1
	}
	return looks
}

// CardLook is how the card of a group looks.
func (s State) CardLook(g Group) CardLook {
	c := s.Form.Cards[g.Cards[0]]
	look := CardLook{
		Card: c, Pictures: s.Form.Pictures(g), Subject: -1, Gamma: scope(c, s.Form, s.Model),
		WordLost: c.Lost(s.Words), Astray: c.Astray(s.Words),
		Offering: s.Pending.Text != "", Alone: s.Form.Alone(c.ID),
	}
	if c.Live() {
		look.Subject = -1
		if !c.Off {
			look.Subject = s.Form.dress(s.Form.Subjects()).Of(s.Form.SubjectOf(c.Word))
		}
	}
	for _, p := range look.Pictures {
		look.Chosen = look.Chosen || p.ID == s.Selected
	}
	if look.WordLost {
		if word, ok := s.Remedy(c); ok {
			look.Remedy = word.Text
		}
	}
	for _, id := range s.Form.Twins(c.ID) {
		if twin := s.Form.Cards[s.Form.Card(id)]; twin.Live() {
			look.Twins = append(look.Twins, twin.Word.Text)
		}
	}
	return look
}

// ReachNote warns before all subjects together leave too little of the picture for the rest of the prompt.
func (s State) ReachNote() string {
	const much = 0.8
	var total float64
	for _, g := range s.Form.Groups() {
		if c := s.Form.Cards[g.Cards[0]]; c.Live() && !c.Off {
			total += scope(c, s.Form, s.Model)
		}
	}
	if total < much {
		return ""
	}
	return i18n.T("Together they cover %.0f %%: little is left for the rest.", 100*total)
}

// Forget is the state after pictures were taken away.
func (s State) Forget(remove func(Form) Form) State {
	s.Form, s.Remark, s.PickErr = remove(s.Form), "", nil
	if s.Form.Card(s.Selected) < 0 {
		s.Selected = 0
	}
	return s
}

// Mend is the state after a lost card was bound to the word that it most likely means.
func (s State) Mend(card int) State {
	i := s.Form.Card(card)
	if i < 0 {
		return s
	}
	if word, ok := s.Remedy(s.Form.Cards[i]); ok {
		s.Form = s.Form.Bind(card, word.Word)
	}
	return s
}

// Lost is the first card that keeps Generate off and has a remedy.
func (s State) Lost() (card int, remedy string) {
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

// ChipLooks is how the chips of the words look. Every change of the state asks for it: nothing is looked for more than once.
func (s State) ChipLooks() []ChipLook {
	looks := make([]ChipLook, len(s.Words))
	for i, word := range s.Words {
		looks[i] = ChipLook{Word: word, Subject: -1, Cut: word.Past && (i == 0 || !s.Words[i-1].Past), Strange: s.strange(word)}
	}
	mark := func(r WordRange, how func(*ChipLook)) {
		for i := max(r.First, 0); i <= r.Last && i < len(looks); i++ {
			if !looks[i].Word.Past {
				how(&looks[i])
			}
		}
	}
	if at, ok := locate(s.Words, s.Pending); ok && s.Pending.Text != "" {
		mark(at, func(l *ChipLook) { l.Waiting = true })
	}
	if s.Span.On {
		mark(s.Span.run(), func(l *ChipLook) { l.Within = true })
	}
	subjects := s.Form.Subjects()
	d := s.Form.dress(subjects)
	for n, subject := range subjects {
		if at, ok := locate(s.Words, subject.Word); ok {
			mark(at, func(l *ChipLook) { l.Subject = d.Of(n) })
		}
	}
	return looks
}

// strange tells whether the open model did not learn a word. One that is still being typed is given time.
func (s State) strange(w Word) bool {
	return s.Model != nil && !w.Past && !w.Left && !s.Model.Words.Knows(w.Text, w.End == len(s.Form.Prompt))
}

// Strange are the words of the prompt that the open model did not learn, each once. A model that learned from many has none.
func (s State) Strange() (list []string) {
	for _, w := range s.Words {
		if s.strange(w) && !slices.Contains(list, w.Text) {
			list = append(list, w.Text)
		}
	}
	return list
}

// Asked is which of the subjects the line under the words asks a word for, where the user has chosen none; -1: none.
func (s State) Asked() int {
	if len(s.Words) == 0 || s.Span.On || s.Pending.Text != "" || s.Selected != 0 {
		return -1
	}
	return s.waits()
}

// waits is which of the subjects takes the next word: the first without one of those that came last, which the user has in mind and in
// view, else the first of all; -1: none.
func (s State) waits() int {
	first := -1
	for i, g := range s.Form.Groups() {
		switch c := s.Form.Cards[g.Cards[0]]; {
		case c.Off || c.Bound() && !c.Lost(s.Words):
		case c.ID >= s.Latest:
			return i
		case first < 0:
			first = i
		}
	}
	return first
}

// Hint is the line under the words: what a click would do, or which of them the model does not know. generate is the key that generates,
// or empty.
func (s State) Hint(generate string) string {
	asked, strange := s.Asked(), s.Strange()
	switch {
	case s.Span.On:
		marked, _ := s.Marked()
		return i18n.T("Release, or press Enter, to bind “%s”.", marked.Text)
	case s.Pending.Text != "":
		return i18n.T("Now click the picture of “%s”, or drop one.", s.Pending.Text)
	case len(s.Words) == 0:
		return i18n.T("The words appear here, ready to be bound to pictures.")
	case s.Selected != 0 && s.Form.Card(s.Selected) >= 0:
		c := s.Form.Cards[s.Form.Card(s.Selected)]
		if c.Bound() && !c.Lost(s.Words) {
			return i18n.T("%s shows “%s”. A click on another word changes that.", c.Ref.Name, c.Word.Text)
		}
		return i18n.T("Click the word that %s shows.", c.Ref.Name)
	case asked >= 0:
		return i18n.T("Click the word that %s shows, or drag over several.", s.Form.Cards[s.Form.Groups()[asked].Cards[0]].Ref.Name)
	case len(strange) > 0:
		return i18n.T("This model does not know: %s", strings.Join(strange, ", "))
	case len(s.Form.Cards) == 0:
		return i18n.T("Drop a picture, then click its word.")
	}
	if generate == "" {
		return i18n.T("Drop another picture for another word, or generate.")
	}
	return i18n.T("Drop another picture for another word, or press %s to generate.", generate)
}

// ChipLook is what a chip shows.
type ChipLook struct {
	Word
	Subject int  // -1: not bound
	Waiting bool // for a card
	Within  bool // one of the words that are being marked
	Cut     bool // the first word that the model does not read
	Strange bool // the model did not learn it
}

// CardLook is what a card shows.
type CardLook struct {
	Card              // the first of the subject's pictures
	Pictures []Card   // all of them
	Subject  int      // -1: not bound, or left out
	Gamma    float64  // in force
	WordLost bool     // its word has left the prompt
	Astray   bool     // likewise, and the prompt has that word again
	Remedy   string   // the word to use instead; "" is none
	Twins    []string // words of other subjects with the same picture
	Chosen   bool
	Offering bool // a word waits for a card
	Alone    bool // the only one of several that takes part
	Several  bool // there are other cards
}

// SquareSide is the side of a card's picture.
const SquareSide = 84

const ReachMax = 0.6 // more than the paper ever tried; recipes may hold up to 1

// Shorten cuts a text in the middle, where file names matter least.
func Shorten(text string, limit int) string {
	r := []rune(text)
	if len(r) <= limit {
		return text
	}
	end := limit / 3
	return string(r[:limit-end-1]) + "…" + string(r[len(r)-end:])
}
