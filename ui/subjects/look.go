package subjects

import (
	"cmp"
	"image"
	"slices"

	"realword/inference/picture"
	"realword/ui/state"
)

// FollowPreset has the cards that leave it to the preset shown as it brings references to a square.
func (p *Panel) FollowPreset() {
	now := p.State()
	if now.Model == nil {
		return
	}
	own := now.Form.Fit(now.Model)
	if !slices.ContainsFunc(now.Form.Cards, func(c state.Card) bool { return c.Fit != own }) {
		return
	}
	again := false
	p.see(func(cards []state.Card) {
		for i := range cards {
			c := &cards[i]
			again = again || c.Ref.Square.Fit == "" && cmp.Or(c.Fit, picture.Pad) != own
			c.Fit = own
		}
	})
	if again {
		p.LookAgain()
	}
}

// LookAgain makes the squares of all cards in the size that the open model's encoders see, and as its preset fits them.
func (p *Panel) LookAgain() {
	cards, see := slices.Clone(p.State().Form.Cards), p.Eye()
	p.Background(func() func() {
		views := map[int]state.Card{}
		for _, c := range cards {
			if len(c.Ref.Data) == 0 {
				continue
			}
			img, _, err := see.Decode(c.Ref)
			if err == nil && c.Look(img, see.Model) == nil {
				views[c.ID] = c
			}
		}
		return func() {
			p.see(func(cards []state.Card) {
				for i := range cards {
					c := &cards[i]
					if v, ok := views[c.ID]; ok && v.Ref.SHA256 == c.Ref.SHA256 && v.Ref.Square == c.Ref.Square && v.Fit == c.Fit &&
						c.View != image.Image(nil) {
						c.View, c.Small = v.View, v.Small
					}
				}
			})
		}
	})
}

// see changes how the model sees the cards: nothing that the user could undo.
func (p *Panel) see(change func(cards []state.Card)) {
	p.Change(func(s *state.State) {
		s.Form.Cards = slices.Clone(s.Form.Cards)
		change(s.Form.Cards)
		p.OnSeen()
	})
}
