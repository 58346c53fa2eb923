package state

import (
	"cmp"
	"fmt"
	"image"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// Part is a part of a recipe that can be taken over by itself.
type Part int

// The parts, in the order in which they are shown.
const (
	PartPrompt Part = iota
	PartSubjects
	PartSettings
	PartSeed
	PartCount // how many there are
)

// Parts says which parts are taken over.
type Parts [PartCount]bool

// AllParts is a whole recipe.
var AllParts = Parts{true, true, true, true}

// Change is one thing that taking over a recipe would change.
type Change struct {
	Part     Part
	What     string // "T_stop"
	Old, New string // as shown; empty: nothing
	Missing  bool   // New is a picture or a LoRA that is not here
}

// Past is how an earlier picture was made, ready to be compared with the form and to be taken over.
type Past struct {
	recipe.Recipe
	Name    string      // of the picture, for people
	Foreign bool        // another program made it: nothing is known of subjects
	Cards   []Card      // the references of Recipe in their order, with words and scopes; IDs are given later
	Lacks   []string    // its LoRAs that are not on this computer
	Own     image.Point // the size of the pictures that its model makes of itself; the zero point where nobody knows it
}

// PastOf makes cards of a recipe. find returns the bytes of a reference, or none where it is gone: such a card shows the small
// copy in the recipe, if there is one, and waits for the file. It decodes pictures, each once: not for the window's goroutine.
func PastOf(name string, r recipe.Recipe, foreign bool, find func(sha256 string) []byte, see Eye) Past {
	p := Past{Recipe: r, Name: name, Foreign: foreign, Own: see.own(r.Model)}
	type look struct {
		sha256 string
		square picture.Square
	}
	known := map[look]Card{}
	for _, s := range r.Subjects {
		region := s.Region
		if !region.IsZero() && len(region.Data) == 0 {
			region.Data = find(region.SHA256)
		}
		for _, ref := range s.References {
			of := look{ref.SHA256, ref.Square}
			c, again := known[of]
			if !again || ref.SHA256 == "" {
				c = Card{Ref: ref, Missing: true}
				if len(ref.Data) == 0 {
					ref.Data = find(ref.SHA256)
				}
				if whole, err := see.Reference(ref); err == nil {
					c = whole
				} else if small, err := ReadSmall(r.Thumbnails[ref.SHA256]); err == nil {
					c.View = small
				}
				known[of] = c
			}
			c.Ref.Name = ref.Name
			c.Word, c.Scope, c.Region = s.Word, s.Wish(), region
			p.Cards = append(p.Cards, c)
		}
	}
	return p
}

// Changes is what taking all of a recipe over would change, part by part.
func (f Form) Changes(p Past, m *bundle.Manifest) []Change {
	var list []Change
	differ := func(part Part, what, old, new string) {
		if old != new {
			list = append(list, Change{Part: part, What: what, Old: old, New: new})
		}
	}
	to := f.Take(p, AllParts, m)
	differ(PartPrompt, i18n.T("Prompt"), f.Prompt, to.Prompt)
	if !p.Foreign {
		list = append(list, subjectChanges(f, to, m)...)
	}
	old, new := f.Completed(m), to.Completed(m)
	for _, k := range Knobs() {
		differ(k.Part, k.Label, k.Text(old), k.Text(new))
	}
	if old.LoRAs != new.LoRAs {
		for _, name := range p.Lacks {
			list = append(list, Change{Part: PartSettings, What: i18n.T("LoRA"), New: name, Missing: true})
		}
	}
	differ(PartSettings, i18n.T("Pictures"), fmt.Sprint(max(f.Count, 1)), fmt.Sprint(max(to.Count, 1)))
	differ(PartSeed, i18n.T("Seed"), fmt.Sprint(f.Seed), fmt.Sprint(to.Seed))
	slices.SortStableFunc(list, func(a, b Change) int { return int(a.Part - b.Part) })
	return list
}

// subjectChanges compares the pictures on the left, word by word.
func subjectChanges(from, to Form, m *bundle.Manifest) []Change {
	type side struct {
		pictures, reach, square string
		wished                  bool // the area is not that of the settings
		mask                    inference.Region
	}
	type subject struct {
		word    inference.Word
		old, to side
		missing []string
	}
	var list []subject
	entry := func(w inference.Word) *subject {
		i := slices.IndexFunc(list, func(s subject) bool { return SameWord(s.word, w) })
		if i < 0 {
			list = append(list, subject{word: w})
			i = len(list) - 1
		}
		return &list[i]
	}
	read := func(f Form, of func(*subject) *side) {
		for _, c := range f.Cards {
			s := of(entry(c.Word))
			if s.pictures != "" {
				s.pictures += ", "
			}
			s.pictures += c.Ref.Name
			if c.Off {
				s.pictures += " " + i18n.T("(muted)")
			}
			square := c.Ref.Square
			square.Fit = cmp.Or(square.Fit, f.Fit(m))
			s.square += fmt.Sprint(c.Ref.SHA256, square, ";")
			s.reach, s.mask = i18n.Number("%.2f", scope(c, f, m)), c.Region
			s.wished = c.Region.Kind != guidance.Exactly && s.reach != i18n.Number("%.2f", scope(Card{}, f, m))
		}
	}
	read(from, func(s *subject) *side { return &s.old })
	read(to, func(s *subject) *side { return &s.to })
	for _, c := range to.Cards {
		if c.Missing {
			s := entry(c.Word)
			s.missing = append(s.missing, c.Ref.Name)
		}
	}
	var out []Change
	for _, s := range list {
		name := WordName(s.word)
		if s.word.Text == "" {
			name = i18n.T("no word")
		}
		switch {
		case s.old.pictures != s.to.pictures:
			out = append(out, Change{Part: PartSubjects, What: name, Old: s.old.pictures, New: s.to.pictures})
		case s.old.square != s.to.square:
			out = append(out, Change{Part: PartSubjects, What: name, Old: s.old.pictures, New: i18n.T("%s, another file or crop", s.to.pictures)})
		}
		if s.to.pictures != "" && s.old.reach != s.to.reach && (s.old.pictures != "" || s.to.wished) {
			out = append(out, Change{Part: PartSubjects, What: i18n.T("Area γ of %s", name), Old: s.old.reach, New: s.to.reach})
		}
		if s.to.pictures != "" {
			out = append(out, maskDiffers(name, s.old.mask, s.to.mask)...)
		}
		for _, missing := range s.missing {
			out = append(out, Change{Part: PartSubjects, What: name, New: missing, Missing: true})
		}
	}
	return out
}

// maskDiffers is what has changed of the mask that is painted for a word.
func maskDiffers(word string, was, now inference.Region) []Change {
	means := func(r inference.Region) string {
		if r.IsZero() {
			return ""
		}
		return wording.MeaningOf(r.Kind).Part
	}
	c := Change{Part: PartSubjects, What: i18n.T("Mask of %s", word), Old: means(was), New: means(now)}
	switch {
	case c.Old == c.New && (c.New == "" || was.SHA256 == now.SHA256):
		return nil
	case c.Old == c.New:
		c.New = i18n.T("%s, another shape", c.New)
	}
	return []Change{c}
}

// WordName is a word for people: "dog", or "dog#2" for the second.
func WordName(w inference.Word) string {
	if w.Occurrence > 1 {
		return fmt.Sprintf("%s#%d", w.Text, w.Occurrence)
	}
	return w.Text
}

// PresetName is what the window calls a preset.
func PresetName(name string) string {
	switch name {
	case "paper":
		return i18n.T("Paper")
	case "release":
		return i18n.T("Release")
	case "lcm", "dmd2":
		return strings.ToUpper(name)
	case "":
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:] // as their makers write them
}

// Take is the form with parts of a recipe in place of its own. Nothing of a replaced part stays. What a recipe of another
// program does not say stays as it is.
func (f Form) Take(p Past, which Parts, m *bundle.Manifest) Form {
	r := p.Request
	if which[PartPrompt] {
		f.Prompt, f.Negative, f.Literal, f.Cut = r.Prompt, cmp.Or(r.Negative, " "), r.Literal, r.Cut
	}
	if which[PartSubjects] && !p.Foreign {
		id, have := f.NextID(), f.Cards
		f.Cards = nil
		for i, c := range p.Cards {
			c.ID = id + i
			if j := slices.IndexFunc(have, func(h Card) bool { return h.Bound() && SameWord(h.Word, c.Word) }); j >= 0 {
				c.Style = have[j].Style
			}
			// A picture that is here already keeps what is known of it.
			if j := slices.IndexFunc(have, func(h Card) bool { return h.Ref.SHA256 == c.Ref.SHA256 && !h.Missing }); j >= 0 {
				c.Ref.Name, c.From = have[j].Ref.Name, have[j].From
			}
			f.Cards = append(f.Cards, c)
		}
		f.Linked = f.Linked && f.sameReach()
	}
	if which[PartSettings] {
		said, base := r.Settings, inference.Settings{Preset: f.Preset}
		if p.Foreign {
			base = f.wishes(m)
		}
		said.Literal, said.Cut, base.Literal, base.Cut = false, false, f.Literal, f.Cut
		if said.Negative, base.Negative = "", cmp.Or(f.Negative, " "); m != nil {
			said = said.Possible(*m)
			said.Width, said.Height = r.Width, r.Height // which keep their shape, see WithSize
			said = said.For(*m, p.Model, p.Own)
		}
		if f = f.WithSettings(said.Over(base), m); len(r.Seeds) > 0 {
			f.Count = countOf(r)
		}
	}
	if which[PartSubjects] && !p.Foreign {
		f.Cards = FollowPreset(f.Cards, f.Fit(m))
	}
	if which[PartSeed] && len(r.Seeds) > 0 {
		f.Seed, f.KeepSeed = r.Seeds[0]%SeedLimit, true
	}
	return f
}

// presetOf is a preset that the form can have.
func presetOf(m *bundle.Manifest, name string) bundle.Preset {
	if m == nil {
		return bundle.Preset{}
	}
	p, _ := m.Preset(name)
	return p
}

// Unsettable is what a recipe was made with that the open model has not: what is made after taking it over differs in it.
func (p Past) Unsettable(m *bundle.Manifest) []string {
	if m == nil {
		return nil
	}
	var list []string
	if p.Model != "" && !p.Foreign && !m.Named(p.Model) {
		list = append(list, i18n.T("Model")+": "+p.Model)
	}
	possible := p.Possible(*m)
	if p.OtherSize(m) != nil { // which is said by itself
		possible.Width, possible.Height = p.Width, p.Height
	}
	if p.Init != nil { // the form cannot begin with a picture
		list = append(list, i18n.T("Begun with")+": "+p.Init.Name)
	}
	for _, k := range Knobs() {
		if text := k.Text(p.Settings); k.Text(possible) != text {
			list = append(list, k.Label+": "+text)
		}
	}
	return list
}

// OtherSize says what becomes of the size that another model was asked for; nil where
// the open model does not make it, or is that model.
func (p Past) OtherSize(m *bundle.Manifest) error {
	size := image.Pt(p.Width, p.Height)
	if m == nil || size != p.Own && !m.Size.Makes(size) {
		return nil
	}
	return inference.OtherSize(*m, p.Model, size, p.Own)
}

// Fill gives a picture to the cards that miss it, and tells whether there were any. Each has its own square of it, as model m sees it
// (nil: none is open).
func (f Form) Fill(c Card, m *bundle.Manifest) (Form, bool) {
	found := false
	f.Cards = slices.Clone(f.Cards)
	for i, have := range f.Cards {
		if have.Missing && have.Ref.SHA256 == c.Ref.SHA256 {
			found = true
			have.Ref.Data, have.Missing = c.Ref.Data, false
			have.View, have.Small, have.Whole = c.View, c.Small, c.Whole
			have.Fit, have.Pixels, have.Clear, have.Notes = c.Fit, c.Pixels, c.Clear, c.Notes
			if have.Ref.Square != c.Ref.Square && c.Whole != nil {
				if err := have.Look(c.Whole, m); err != nil {
					have.Ref.Square = c.Ref.Square // a damaged recipe's
				}
			}
			f.Cards[i] = have
		}
	}
	return f, found
}

// missing is the name of a picture of a subject whose file is not here, or empty.
func (f Form) missing(g Group) string {
	for _, i := range g.Cards {
		if f.Cards[i].Missing {
			return f.Cards[i].Ref.Name
		}
	}
	return ""
}
