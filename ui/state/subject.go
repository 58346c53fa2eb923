package state

import (
	"cmp"
	"slices"

	"realword/inference"
)

// Place is where in the prompt a lost word stood: the bytes from From to To, and what is being typed there.
type Place struct{ From, To int }

// Group is the pictures of one subject, or of one that has no word yet.
type Group struct {
	ID    int   // of its first card
	Cards []int // indices in Form.Cards
}

// Groups are the subjects on the left from top to bottom.
func (f Form) Groups() []Group {
	var groups []Group
	for i, c := range f.Cards {
		at := slices.IndexFunc(groups, func(g Group) bool {
			return slices.ContainsFunc(g.Cards, func(j int) bool { return together(c, f.Cards[j]) })
		})
		if at < 0 {
			groups = append(groups, Group{ID: c.ID})
			at = len(groups) - 1
		}
		groups[at].Cards = append(groups[at].Cards, i)
	}
	return groups
}

func together(a, b Card) bool {
	return a.Group != 0 && a.Group == b.Group || a.Live() && b.Live() && SameWord(a.Word, b.Word)
}

// Live tells whether the card's word names a word of the prompt, as far as the card knows.
func (c Card) Live() bool { return c.Bound() && c.Gone == nil }

// Group is the group of a card.
func (f Form) Group(card int) (Group, bool) {
	i := f.Card(card)
	for _, g := range f.Groups() {
		if slices.Contains(g.Cards, i) {
			return g, true
		}
	}
	return Group{}, false
}

// change gives every picture of a card's subject to set, on a copy.
func (f Form) change(card int, set func(*Card)) Form {
	g, ok := f.Group(card)
	if !ok {
		return f
	}
	f.Cards = slices.Clone(f.Cards)
	for _, i := range g.Cards {
		f.Cards[i].Group = g.ID
		set(&f.Cards[i])
	}
	return f
}

// Bind gives a subject its word, or takes it away with an empty one. Where another subject has that word already, the two
// become one with the pictures and the reach of both and of the first.
func (f Form) Bind(card int, word inference.Word) Form {
	f = f.change(card, func(c *Card) { c.Word, c.Gone = word, nil })
	for _, g := range f.Groups() {
		first := f.Cards[g.Cards[0]]
		if !first.Live() {
			continue
		}
		for _, i := range g.Cards[1:] {
			f.Cards[i].Group, f.Cards[i].Scope, f.Cards[i].Off = cmp.Or(first.Group, first.ID), first.Scope, first.Off
			f.Cards[i].Region = first.Region
		}
		f.Cards[g.Cards[0]].Group = cmp.Or(first.Group, first.ID)
	}
	return f
}

// WithScope sets γ_scope of a subject, or of all where they are linked.
func (f Form) WithScope(card int, scope float64) Form {
	if f.Linked {
		for _, g := range f.Groups() {
			f = f.change(g.ID, func(c *Card) { c.Scope = scope })
		}
		return f
	}
	return f.change(card, func(c *Card) { c.Scope = scope })
}

// WithRegion gives a subject its painted mask; the zero Region takes it away.
func (f Form) WithRegion(card int, r inference.Region) Form {
	return f.change(card, func(c *Card) { c.Region = r })
}

// Mute leaves a subject out of the next jobs, or takes it in again.
func (f Form) Mute(card int, off bool) Form { return f.change(card, func(c *Card) { c.Off = off }) }

// Solo leaves all other subjects out, or takes all in again where this is so already.
func (f Form) Solo(card int) Form {
	alone := f.Alone(card)
	for _, g := range f.Groups() {
		mine, _ := f.Group(card)
		f = f.Mute(g.ID, !alone && g.ID != mine.ID)
	}
	return f
}

// Alone tells whether a subject is the only one of several that takes part.
func (f Form) Alone(card int) bool {
	groups := f.Groups()
	for _, g := range groups {
		mine := slices.Contains(g.Cards, f.Card(card))
		if f.Cards[g.Cards[0]].Off == mine {
			return false
		}
	}
	return len(groups) > 1
}

// Swap gives each of two subjects the pictures of the other. Words, reaches and places in the list stay.
func (f Form) Swap(card, other int) Form {
	a, okA := f.Group(card)
	b, okB := f.Group(other)
	if !okA || !okB || a.ID == b.ID {
		return f
	}
	dressed := func(g, as Group) (cards []Card) {
		like := f.Cards[as.Cards[0]]
		for _, i := range g.Cards {
			c := f.Cards[i]
			c.Word, c.Gone, c.Scope, c.Off, c.Style, c.Group = like.Word, like.Gone, like.Scope, like.Off, like.Style, f.Cards[g.Cards[0]].ID
			c.Region = like.Region
			cards = append(cards, c)
		}
		return cards
	}
	return f.arrange(func(g Group) []Card {
		switch g.ID {
		case a.ID:
			return dressed(b, a)
		case b.ID:
			return dressed(a, b)
		}
		return f.Pictures(g)
	})
}

func (f Form) Pictures(g Group) (cards []Card) {
	for _, i := range g.Cards {
		cards = append(cards, f.Cards[i])
	}
	return cards
}

// arrange writes the list of cards anew, group by group.
func (f Form) arrange(cards func(Group) []Card) Form {
	var list []Card
	for _, g := range f.Groups() {
		list = append(list, cards(g)...)
	}
	f.Cards = list
	return f
}

// Move shifts a subject up (-1) or down (1) in the list, and with it its place in Algorithm 1. Its colour stays.
func (f Form) Move(card, by int) Form {
	groups := f.Groups()
	mine, _ := f.Group(card)
	at := slices.IndexFunc(groups, func(g Group) bool { return g.ID == mine.ID })
	to := at + by
	if at < 0 || to < 0 || to >= len(groups) {
		return f
	}
	groups[at], groups[to] = groups[to], groups[at]
	var list []Card
	for _, g := range groups {
		list = append(list, f.Pictures(g)...)
	}
	f.Cards = list
	return f
}

// Share adds a subject with the same pictures, for another word (One2Many), and answers its ID.
func (f Form) Share(card int) (Form, int) {
	g, ok := f.Group(card)
	if !ok {
		return f, 0
	}
	id := f.NextID()
	var copies []Card
	for n, i := range g.Cards {
		c := f.Cards[i]
		c.ID, c.Group, c.Word, c.Gone, c.Off, c.Style = id+n, id, inference.Word{}, nil, false, 0
		copies = append(copies, c)
	}
	return f.arrangeAfter(g, copies), id
}

// arrangeAfter puts cards behind those of a group.
func (f Form) arrangeAfter(after Group, cards []Card) Form {
	return f.arrange(func(g Group) []Card {
		if g.ID != after.ID {
			return f.Pictures(g)
		}
		return append(f.Pictures(g), cards...)
	})
}

// NextID is the ID that the next card gets: no card and no group has it or a larger one.
func (f Form) NextID() int {
	id := 0
	for _, c := range f.Cards {
		id = max(id, c.ID, c.Group)
	}
	return id + 1
}

// Join puts a new picture to the others of a card's subject.
func (f Form) Join(card int, c Card) Form {
	g, ok := f.Group(card)
	if !ok {
		return f
	}
	f = f.change(card, func(*Card) {})
	like := f.Cards[g.Cards[0]]
	c.ID, c.Group, c.Word, c.Gone, c.Scope, c.Off, c.Style = f.NextID(), like.Group, like.Word, like.Gone, like.Scope, like.Off, like.Style
	c.Region = like.Region
	return f.arrangeAfter(g, []Card{c})
}

// RemoveSubject takes away all pictures of a card's subject.
func (f Form) RemoveSubject(card int) Form {
	g, _ := f.Group(card)
	return f.arrange(func(have Group) []Card {
		if have.ID == g.ID {
			return nil
		}
		return f.Pictures(have)
	})
}

// Twins are the other subjects that have a picture of a card's subject.
func (f Form) Twins(card int) (ids []int) {
	mine, _ := f.Group(card)
	for _, g := range f.Groups() {
		if g.ID == mine.ID {
			continue
		}
		if slices.ContainsFunc(g.Cards, func(i int) bool {
			return slices.ContainsFunc(mine.Cards, func(j int) bool {
				return f.Cards[i].Ref.SHA256 == f.Cards[j].Ref.SHA256 &&
					f.Cards[i].Ref.SHA256 != ""
			})
		}) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
