package wordbook

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// Keys of the lists in the preferences.
const (
	saidKey   = "prompts"
	stylesKey = "styles"
)

// mostSaid is how many prompts are kept.
const mostSaid = 200

// Said is what was asked for once.
type Said struct {
	Prompt   string `json:"prompt"`
	Negative string `json:"negative,omitempty"`
}

// Style is a piece of prompt and negative prompt. Where the prompt has Place, the user's own stands there; else the piece comes behind.
type Style struct {
	Name     string `json:"name"`
	Prompt   string `json:"prompt,omitempty"`
	Negative string `json:"negative,omitempty"`
}

// Place stands for the user's prompt in the prompt of a style, as in A1111's.
const Place = "{prompt}"

// Book is both lists.
type Book struct {
	host   Host
	said   []Said // the newest is the last
	at     int    // which of them is in the form; len(said): none
	draft  Said   // what was in the form before
	styles []Style
}

// New reads the book.
func New(h Host) *Book {
	b := &Book{host: h}
	kit.Recall(h.Kept, saidKey, &b.said)
	kit.Recall(h.Kept, stylesKey, &b.styles)
	b.said = slices.DeleteFunc(b.said, func(s Said) bool { return strings.TrimSpace(s.Prompt) == "" })
	b.styles = slices.DeleteFunc(b.styles, func(s Style) bool { return strings.TrimSpace(s.Name) == "" })
	b.at = len(b.said)
	return b
}

func (b *Book) write(key string, list any) {
	data, err := json.Marshal(list)
	if err != nil {
		return // plain texts: it does not happen
	}
	b.host.Kept.SetString(key, string(data))
}

// now is what the form asks for.
func (b *Book) now() Said {
	f := b.host.State().Form
	return Said{f.Prompt, strings.TrimSpace(f.Negative)}
}

// Note keeps what the form asks for, as the newest; what was asked for before moves there.
func (b *Book) Note() {
	now := b.now()
	if strings.TrimSpace(now.Prompt) == "" {
		return
	}
	b.said = append(slices.DeleteFunc(b.said, func(s Said) bool { return s == now }), now)
	b.said = b.said[max(len(b.said)-mostSaid, 0):]
	b.at = len(b.said) - 1
	b.write(saidKey, b.said)
}

// CanStep tells whether there is an older (-1) or a newer (1) prompt.
func (b *Book) CanStep(by int) bool {
	at := b.place()
	return by < 0 && at > 0 || by > 0 && at < len(b.said)
}

// place is where the form is in the list: behind its end where it asks for what is not there.
func (b *Book) place() int {
	if b.at < len(b.said) && b.said[b.at] != b.now() {
		return len(b.said)
	}
	return b.at
}

// Step puts an older (-1) or a newer (1) prompt into the form; behind the newest comes what was being written.
func (b *Book) Step(by int) {
	if !b.CanStep(by) {
		return
	}
	from := b.place()
	if from == len(b.said) {
		b.draft = b.now()
	}
	b.at = from + by
	to := b.draft
	if b.at < len(b.said) {
		to = b.said[b.at]
	}
	b.host.Change(func(s *state.State) {
		*s = s.Retype(to.Prompt, b.host.Words(to.Prompt), -1)
		s.Form.Negative = cmp.Or(to.Negative, " ")
	})
}

// Styles are the user's, in the order of their names.
func (b *Book) Styles() []Style { return slices.Clone(b.styles) }

// Save keeps a style, in place of the one of its name.
func (b *Book) Save(s Style) {
	b.styles = append(b.without(s.Name), s)
	slices.SortFunc(b.styles, func(a, b Style) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	b.write(stylesKey, b.styles)
}

// Delete forgets a style, which can come back.
func (b *Book) Delete(name string) {
	found := b.find(name)
	if found == nil {
		return
	}
	s := *found
	put := func(to *Style) {
		if to != nil {
			b.Save(*to)
			return
		}
		b.styles = b.without(s.Name)
		b.write(stylesKey, b.styles)
	}
	put(nil)
	short := state.Shorten(s.Name, 40)
	b.host.Done(i18n.T("The style “%s” is deleted.", short), i18n.T("The style “%s” is back.", short),
		state.Exchange(&s, nil, func() *Style { return b.find(s.Name) }, put))
}

// find is the style of that name; nil: there is none.
func (b *Book) find(name string) *Style {
	at := slices.IndexFunc(b.styles, func(s Style) bool { return strings.EqualFold(s.Name, name) })
	if at < 0 {
		return nil
	}
	return &b.styles[at]
}

func (b *Book) without(name string) []Style {
	return slices.DeleteFunc(slices.Clone(b.styles), func(s Style) bool { return strings.EqualFold(s.Name, name) })
}

// around is what a style puts before and behind the prompt.
func (s Style) around() (before, behind string) {
	before, behind, found := strings.Cut(s.Prompt, Place)
	switch {
	case found:
		return before, behind
	case strings.TrimSpace(s.Prompt) == "":
		return "", ""
	}
	return "", ", " + strings.TrimSpace(s.Prompt)
}

// avoids is what it puts behind the negative prompt.
func (s Style) avoids() string { return strings.TrimSpace(s.Negative) }

// without is a text without a part that stands between commas in it, the last one if there are several; false where there is none.
func without(text, part string) (string, bool) {
	const comma = ", "
	at := strings.LastIndex(comma+text+comma, comma+part+comma)
	switch {
	case part == "":
		return text, true
	case at < 0:
		return text, false
	case at > 0:
		return text[:at-len(comma)] + text[at+len(part):], true
	}
	return strings.TrimPrefix(text[len(part):], comma), true
}

// off is the prompt and the negative one without a style; false where they do not have it. Other styles may have come behind it: what a
// style puts before the prompt is found at its beginning alone, the rest anywhere.
func (b *Book) off(s Style) (Said, bool) {
	now := b.now()
	before, behind := s.around()
	var on, avoids bool
	if part, listed := strings.CutPrefix(behind, ", "); listed && before == "" {
		now.Prompt, on = without(now.Prompt, part)
		on = on && now.Prompt != "" // it stands behind something
	} else if rest, begins := strings.CutPrefix(now.Prompt, before); begins {
		at := len(rest)
		if behind != "" {
			at = strings.LastIndex(rest+", ", behind+", ")
		}
		if on = at >= 0; on {
			now.Prompt = rest[:at] + rest[at+len(behind):]
		}
	}
	now.Negative, avoids = without(now.Negative, s.avoids())
	return now, on && avoids && before+behind+s.avoids() != ""
}

// On tells whether the form has a style, that is, whether Turn takes it off.
func (b *Book) On(s Style) bool {
	_, on := b.off(s)
	return on
}

// Turn lays a style over the form's prompts, or takes it away where it is there.
func (b *Book) Turn(s Style) {
	before, behind := s.around()
	now := b.now()
	off, on := b.off(s)
	b.host.Change(func(st *state.State) {
		// One end after the other, so that the words between them stay bound.
		ends := []string{now.Prompt + behind, before + now.Prompt + behind}
		if on {
			ends = []string{before + off.Prompt, off.Prompt}
		}
		for _, text := range ends {
			*st = st.Retype(text, b.host.Words(text), -1)
		}
		negative := now.Negative
		switch avoids := s.avoids(); {
		case on:
			negative = off.Negative
		case avoids == "":
		case negative == "":
			negative = avoids
		default:
			negative += ", " + avoids
		}
		st.Form.Negative = cmp.Or(negative, " ")
	})
}
