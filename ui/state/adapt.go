package state

import (
	"cmp"
	"image"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/ui/i18n"
)

// Adapt is the form for another model: what followed the presets of the old one follows those of the new one, the rest stays. The
// remarks say what the user may not expect.
func (f Form) Adapt(from, to *bundle.Manifest) (Form, []string) {
	if from == nil || to == nil {
		return f.Settle(to), nil
	}
	var remarks []string
	before := f
	f.Settings = f.Wishes(*from)
	if _, known := to.Preset(cmp.Or(f.Preset, "paper")); !known {
		remarks = append(remarks, i18n.T("%s has no preset %s: Paper is used instead.", to.Name, f.Preset))
		f.Preset = "paper"
	}
	f = f.Settle(to)
	var changed []string
	if f.Steps != before.Steps {
		changed = append(changed, i18n.N(f.Steps, "%d step", "%d steps", f.Steps))
	}
	if f.Stop != before.Stop {
		changed = append(changed, i18n.T("T_stop %d", f.Stop))
	}
	if f.CFG != before.CFG {
		changed = append(changed, i18n.T("guidance scale %g", f.CFG))
	}
	for _, g := range f.Groups() {
		c := f.Cards[g.Cards[0]]
		if now := scope(c, f, to); !c.Off && c.Region.Kind != guidance.Exactly && now != scope(c, before, from) {
			changed = append(changed, i18n.T("area %.0f %%", 100*now)) // of all those that have not their own
			break
		}
	}
	if len(changed) > 0 {
		remarks = append(remarks, i18n.T("Changed with the model: %s.", strings.Join(changed, " · ")))
	}
	if size := f.Size(to); size != before.Size(from) {
		remarks = append(remarks, i18n.T("Pictures are now %d × %d.", size.X, size.Y))
	}
	return f, remarks
}

// OwnSize is the size of the pictures that a model makes of itself; the zero point where nobody knows it here.
func (s State) OwnSize(model string) image.Point {
	if own, ok := bundle.Earlier(model); ok {
		return own
	}
	for _, m := range s.Shelf.List {
		if m.Manifest != nil && m.Manifest.Named(model) {
			return m.Manifest.Size.Own()
		}
	}
	return image.Point{}
}

// For is the queue with this model open: jobs of another one wait for theirs.
func (q Queue) For(m bundle.Manifest) Queue {
	q.Waiting, q.Pace, q.open = slices.Clone(q.Waiting), 0, &m
	for i, t := range q.Waiting {
		if t = q.needing(t); t.Needs == "" && t.Passes == 0 {
			t.Passes, _ = inference.Passes(m, t.Request)
		}
		q.Waiting[i] = t
	}
	return q
}

// Anchored tells whether a card's subject has pictures that were made of others in it, its anchors.
func (f Form) Anchored(card int) bool {
	anchors, others := 0, 0
	g, _ := f.Group(card)
	for _, i := range g.Cards {
		if f.Cards[i].Anchor {
			anchors++
		} else {
			others++
		}
	}
	return anchors > 0 && others > 0
}

// ToAnchor is the form in which a subject has only its anchors left, which are its pictures again: what had drifted away in the
// jobs since goes.
func (f Form) ToAnchor(card int) Form {
	if !f.Anchored(card) {
		return f
	}
	mine, _ := f.Group(card)
	return f.arrange(func(g Group) (cards []Card) {
		for _, c := range f.Pictures(g) {
			switch {
			case g.ID != mine.ID:
				cards = append(cards, c)
			case c.Anchor:
				c.Anchor = false
				cards = append(cards, c)
			}
		}
		return cards
	})
}
