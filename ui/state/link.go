package state

import "slices"

// Link gives all subjects one reach, that of a card's subject, and keeps it so; or lets each have its own again.
func (f Form) Link(card int, on bool) Form {
	if f.Linked = on; !on {
		return f
	}
	if i := f.Card(card); i >= 0 {
		return f.WithScope(card, f.Cards[i].Scope)
	}
	return f.linked()
}

// linked is the form with one reach for all subjects, the first one's, if it wants that. A new subject gets it this way.
func (f Form) linked() Form {
	if !f.Linked || len(f.Cards) == 0 || f.sameReach() {
		return f
	}
	f.Cards = slices.Clone(f.Cards)
	for i := range f.Cards {
		f.Cards[i].Scope = f.Cards[0].Scope
	}
	return f
}

func (f Form) sameReach() bool {
	return !slices.ContainsFunc(f.Cards, func(c Card) bool { return c.Scope != f.Cards[0].Scope })
}

// Tidy is the form with what must always hold: a style for each subject, and one reach where they are linked.
func (f Form) Tidy() Form { return f.styled().linked() }
