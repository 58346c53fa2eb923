package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/ui/i18n"
)

// Word is one word of the prompt as the model reads it.
type Word struct {
	inference.Word
	Start, End int  // bytes of the prompt
	Past       bool // beyond what the text encoder reads; cannot be bound

	Weight float64 // that marks give it; 0: 1
	Left   bool    // stands in an alternative that the next picture does not take
}

// Card is one reference picture on the left and the word that it is bound to. Cards with the same word are one subject
// with several pictures.
type Card struct {
	ID      int // never used again within a window
	Ref     inference.Reference
	Fit     picture.Fit    `json:"-"` // the preset's, which View has unless Ref.Square has a fit of its own; empty: padded
	View    image.Image    `json:"-"` // the square that the encoders see
	Small   image.Image    `json:"-"` // the same, for the card
	Whole   image.Image    `json:"-"` // the picture, made small, to choose the square in
	Pixels  image.Point    `json:"-"` // width and height of the picture itself
	Clear   bool           `json:"-"` // it is transparent somewhere
	Notes   []string       `json:"-"` // what was lost when it was read
	Word    inference.Word // empty Text: not bound yet
	Scope   float64        // γ_scope; 0 is the preset's
	Off     bool           // left out of the next jobs
	Group   int            // cards with the same one are one subject even before they have a word; 0 is none
	Anchor  bool           `json:",omitempty"` // the original, kept beside a picture that was made of it
	Missing bool           `json:",omitempty"` // its file is not here: View is a small copy, if anything
	Gone    *Place         // set while the word is lost: where it was. Word then names nothing.
	Style   int            `json:",omitempty"` // of its subject, from 1: see styled; 0 is none yet
	From    uint64         `json:",omitempty"` // the picture of the history that it is; 0: it came from elsewhere

	Region inference.Region `json:",omitzero"` // painted for the mask of its subject, with its SHA256
}

// Form is everything the user sets: the recipe before it is resolved. Of its Settings, Negative, Steps, Stop and CFG are filled in as
// soon as there is a model (Settle); what else is not set follows the preset and the model.
type Form struct {
	Prompt             string
	Cards              []Card
	inference.Settings `json:"-"` // see MarshalJSON
	Seed               uint64     // seed of the first picture; picture n takes Seed + n
	KeepSeed           bool       // do not draw a new seed for the next run
	Spent              bool       // a job has taken Seed: the next one draws another, unless it is kept
	Count              int
	Linked             bool `json:",omitempty"` // all subjects have one reach
}

// MarshalJSON writes the form for drafts, which have every setting under the name of its field.
func (f Form) MarshalJSON() ([]byte, error) {
	type form Form
	return withSettings(form(f), f.Settings)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (f *Form) UnmarshalJSON(data []byte) error {
	type form Form
	return errors.Join(json.Unmarshal(data, (*form)(f)), readSettings(data, &f.Settings))
}

// withSettings is the JSON object of v with settings in it.
func withSettings(v any, s inference.Settings) ([]byte, error) {
	data, err := json.Marshal(v)
	for _, t := range inference.Table() {
		if t.Field == "" || t.Get(s) == "" || err != nil {
			continue
		}
		var value []byte
		value, err = json.Marshal(t.At(&s))
		data = fmt.Appendf(data[:len(data)-1], ",%q:%s}", t.Field, value)
	}
	return data, err
}

// readSettings reads the settings in a JSON object. Numbers that are there without a negative prompt had none: the preset's own is
// filled in together with them.
func readSettings(data []byte, s *inference.Settings) error {
	var values map[string]json.RawMessage
	err := json.Unmarshal(data, &values)
	for _, t := range inference.Table() {
		if value, ok := values[t.Field]; ok && err == nil {
			err = json.Unmarshal(value, t.At(s))
		}
	}
	if s.Steps > 0 {
		s.Negative = cmp.Or(s.Negative, " ")
	}
	return err
}

// SeedLimit keeps seeds within 32 bits, the range that most other programs can read back.
const SeedLimit = 1 << 32

func DrawSeed() uint64 { return rand.Uint64N(SeedLimit) }

// Bound tells whether the card has a word.
func (c Card) Bound() bool { return c.Word.Text != "" }

func SameWord(a, b inference.Word) bool {
	return strings.EqualFold(a.Text, b.Text) && max(a.Occurrence, 1) == max(b.Occurrence, 1)
}

// Subjects are the bound words that take part, in the order in which their first cards stand on the left.
func (f Form) Subjects() []inference.Subject {
	var subjects []inference.Subject
	for _, c := range f.Cards {
		if !c.Live() || c.Off {
			continue
		}
		i := slices.IndexFunc(subjects, func(s inference.Subject) bool { return SameWord(s.Word, c.Word) })
		if i < 0 {
			subjects = append(subjects, inference.Subject{Word: c.Word, Scope: c.Scope, Region: c.Region})
			i = len(subjects) - 1
		}
		subjects[i].References = append(subjects[i].References, c.Ref)
	}
	return subjects
}

// SubjectOf is the index in Subjects of the subject that is bound to word, or -1.
func (f Form) SubjectOf(word inference.Word) int {
	return slices.IndexFunc(f.Subjects(), func(s inference.Subject) bool { return SameWord(s.Word, word) })
}

// Request is the job that the form describes.
func (f Form) Request() inference.Request {
	r := inference.Request{Prompt: strings.TrimSpace(f.Prompt), Settings: f.Settings, Subjects: f.Subjects()}
	if f.Negative != "" {
		r.Negative = cmp.Or(strings.TrimSpace(f.Negative), " ")
	}
	for i := range max(f.Count, 1) {
		r.Seeds = append(r.Seeds, (f.Seed+uint64(i))%SeedLimit)
	}
	return r
}

// Completed is the form's settings with what the preset and the model decide; as they are without a model.
func (f Form) Completed(m *bundle.Manifest) inference.Settings {
	if m == nil {
		return f.Settings
	}
	return f.Complete(*m)
}

// wishes is the form's settings without what the preset and the model decide alike; as they are without a model.
func (f Form) wishes(m *bundle.Manifest) inference.Settings {
	if m == nil {
		return f.Settings
	}
	return f.Wishes(*m)
}

// Settle fills in what the preset of the model decides, as far as the window shows it as a number or a text. What another model
// cannot make is no wish.
func (f Form) Settle(m *bundle.Manifest) Form {
	f.Preset = cmp.Or(f.Preset, "paper")
	if m == nil {
		return f
	}
	d := f.Complete(*m)
	f.Negative, f.Steps, f.CFG, f.Rescale, f.Stop = d.Negative, d.Steps, d.CFG, d.Rescale, min(d.Stop, max(d.Steps, 1))
	return f.WithSize(image.Pt(f.Width, f.Height), m)
}

// WithSettings is the form with other settings. What the preset decides alike is no wish.
func (f Form) WithSettings(s inference.Settings, m *bundle.Manifest) Form {
	f.Settings = s
	f.Settings = f.wishes(m)
	return f.Settle(m)
}

// WithSteps changes the number of steps. T_stop keeps its share of them, unless the user has chosen one; then it stays, as far as
// there are so many steps.
func (f Form) WithSteps(steps int, m *bundle.Manifest) Form {
	f.Steps, f.Stop = steps, min(f.wishes(m).Stop, steps)
	return f.Settle(m)
}

// WithPreset changes the preset and takes over its settings, but for what stays (inference.Settings.WithPreset) and the scopes that the
// user has set. A scope that is the former preset's, as recipes say it, is no wish.
func (f Form) WithPreset(name string, m *bundle.Manifest) Form {
	former := scope(Card{}, f, m)
	f.Cards = slices.Clone(f.Cards)
	for i := range f.Cards {
		if f.Cards[i].Scope == former {
			f.Cards[i].Scope = 0
		}
	}
	var model bundle.Manifest // none is open: all that stays was chosen
	if m != nil {
		model = *m
	}
	f.Settings = f.Settings.WithPreset(name, model)
	return f.Settle(m)
}

// Fit is how the preset brings references to a square.
func (f Form) Fit(m *bundle.Manifest) picture.Fit { return fitOf(f.Preset, m) }

func fitOf(preset string, m *bundle.Manifest) picture.Fit {
	return cmp.Or(presetOf(m, preset).Fit, picture.Pad)
}

// FollowPreset leaves the fit of cards to the preset, where it is the preset's own. Their views have that fit already.
func FollowPreset(cards []Card, own picture.Fit) []Card {
	cards = slices.Clone(cards)
	for i := range cards {
		cards[i].Ref.Square, cards[i].Fit = Following(cards[i].Ref.Square, own), own
	}
	return cards
}

// Following is a square whose fit is left to the preset, where it is the preset's own.
func Following(s picture.Square, own picture.Fit) picture.Square {
	if s.Fit == own {
		s.Fit = ""
	}
	return s
}

// scope is the γ_scope in force for a card.
func scope(c Card, f Form, m *bundle.Manifest) float64 {
	return cmp.Or(c.Scope, f.Scope, presetOf(m, f.Preset).Scope, guidance.DefaultScope)
}

// scopes is the least and the largest γ_scope in force; that of the settings while no subject has one.
func (f Form) scopes(m *bundle.Manifest) (least, most float64) {
	for _, g := range f.Groups() {
		if c := f.Cards[g.Cards[0]]; !c.Off && c.Region.Kind != guidance.Exactly { // whose area is what was painted
			v := scope(c, f, m)
			least, most = min(cmp.Or(least, v), v), max(most, v)
		}
	}
	if most == 0 {
		least = scope(Card{}, f, m)
		most = least
	}
	return least, most
}

// Remove takes a card away. Its subject keeps its place.
func (f Form) Remove(card int) Form {
	return f.arrange(func(g Group) []Card {
		return slices.DeleteFunc(f.Pictures(g), func(c Card) bool { return c.ID == card })
	})
}

// countOf is how many pictures a form makes that comes from a recipe. What a grid has in common makes one.
func countOf(r inference.Request) int {
	if r.Grid != nil {
		return 1
	}
	return max(len(r.Seeds), 1)
}

// Restore takes over what a recipe says besides its subjects.
func (f Form) Restore(r inference.Request) Form {
	f.Prompt, f.Settings, f.Count = r.Prompt, r.Settings, countOf(r)
	if len(r.Seeds) > 0 {
		f.Seed, f.KeepSeed = r.Seeds[0]%SeedLimit, true
	}
	return f
}

func (f Form) Card(id int) int {
	return slices.IndexFunc(f.Cards, func(c Card) bool { return c.ID == id })
}

// Lost tells whether the card's word is no longer in the prompt, or can no longer be read there.
func (c Card) Lost(words []Word) bool {
	if !c.Bound() || c.Gone != nil {
		return c.Bound()
	}
	at, found := locate(words, c.Word)
	return !found || words[at.Last].Past
}

// Astray tells whether the card has lost its word although the prompt has that word, once or several times: nobody knows which one is
// meant.
func (c Card) Astray(words []Word) bool {
	return c.Lost(words) && slices.ContainsFunc(runsOf(words, c.Word.Text), func(r WordRange) bool { return !words[r.Last].Past })
}

// Problems says in plain words why the form cannot run, in the order in which one would put it right.
func (f Form) Problems(words []Word, m *bundle.Manifest) []string {
	var list []string
	if strings.TrimSpace(f.Prompt) == "" {
		list = append(list, i18n.T("Write what the picture shows, for example “a dog on the beach”."))
	}
	var total float64
	for _, g := range f.Groups() {
		c := f.Cards[g.Cards[0]]
		switch {
		case c.Off:
		case f.missing(g) != "":
			list = append(list, i18n.T("The picture %s is missing: drop it again, or remove it.", f.missing(g)))
		case !c.Bound():
			list = append(list, i18n.T("Click the word of the prompt that %s shows, or remove the picture.", c.Ref.Name))
		case c.Astray(words):
			list = append(list, i18n.T("“%s” is in the prompt again: click the one that %s shows.", c.Word.Text, c.Ref.Name))
		case c.Lost(words):
			list = append(list, i18n.T("“%s” is no longer in the prompt: click another word for %s.", c.Word.Text, c.Ref.Name))
		case c.Region.Kind != guidance.Exactly: // whose area is what was painted
			total += scope(c, f, m)
		}
	}
	if a, b, ok := f.crossing(words); ok {
		list = append(list, i18n.T("“%s” and “%s” share a word: bind each to different words.", a.Text, b.Text))
	}
	if total > 1 {
		list = append(list, i18n.T("The areas of all subjects add up to %.0f %%, which is more than the whole picture. Lower one of them.",
			math.Ceil(100*total-0.01))) // never 100 %
	}
	return list
}

// Reading is how the prompt, or the negative one, is read for the next picture.
func (f Form) Reading(m *bundle.Manifest, negative bool) prompt.Reading {
	if m == nil {
		return prompt.Reading{}
	}
	return f.Completed(m).Reading(*m, negative, f.Seed)
}

// ModelWords are the words of a prompt as the model's tokenizer reads them, without punctuation; letters and their vowel signs are
// one word, although the tokenizer reads them apart.
func ModelWords(p *prompt.Prompt) []Word {
	var words []Word
	count := map[string]int{}
	for i := 0; i < len(p.Words); {
		w, key := p.Words[i], p.Words[i].Key()
		for i++; i < len(p.Words) && p.Words[i].Joined; i++ {
			w.End, w.Cut, key = p.Words[i].End, w.Cut || p.Words[i].Cut, key+p.Words[i].Key()
		}
		if p.Words[i-1].Joined {
			w.Text = p.Text[w.Start:w.End]
		}
		count[key]++
		if w.Special || !strings.ContainsFunc(w.Text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || pictorial(r) }) {
			continue
		}
		words = append(words, Word{
			Word:  inference.Word{Text: w.Text, Occurrence: count[key]},
			Start: w.Start, End: w.End, Past: w.Cut, Left: w.Left,
		})
		if w.Weight != 1 {
			words[len(words)-1].Weight = w.Weight
		}
	}
	return words
}

// pictorial tells the characters that are pictures, such as emoji: each is a word by itself.
func pictorial(r rune) bool { return unicode.Is(unicode.So, r) }

// PlainWords splits a prompt into words before the model's tokenizer is there.
func PlainWords(text string) []Word {
	var words []Word
	count := map[string]int{}
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		word := text[start:end]
		key := strings.ToLower(word)
		count[key]++
		words = append(words, Word{Word: inference.Word{Text: word, Occurrence: count[key]}, Start: start, End: end})
		start = -1
	}
	at := 0
	for clusters := graphemes.FromString(text); clusters.Next(); {
		cluster := clusters.Value()
		if strings.ContainsFunc(cluster, pictorial) {
			flush(at)
			start = at
			flush(at + len(cluster))
			at += len(cluster)
			continue
		}
		for i, r := range cluster {
			inside := unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || start >= 0 && (r == '\'' || r == '’' || r == '-')
			switch {
			case inside && start < 0:
				start = at + i
			case !inside:
				flush(at + i)
			}
		}
		at += len(cluster)
	}
	flush(len(text))
	return words
}

// Parents are the pictures of the history that the form goes on from, each once.
func (f Form) Parents() []uint64 {
	var list []uint64
	for _, c := range f.Cards {
		if c.From != 0 && c.Bound() && !slices.Contains(list, c.From) {
			list = append(list, c.From)
		}
	}
	return list
}
