package subjects

import (
	"image"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/state"
)

// askCut asks what of a card's picture is its subject.
func (p *Panel) askCut(card int) {
	if i := p.State().Form.Card(card); i >= 0 && p.State().Form.Cards[i].Whole != nil {
		p.OnCut(p.State().Form.Cards[i].Whole, func(mask *image.Gray) { p.CutOut(card, mask) })
	}
}

// CutOut leaves of a card's picture only what a mask holds: a PNG with transparency takes its place, cut to the square around it.
func (p *Panel) CutOut(card int, mask *image.Gray) {
	i := p.State().Form.Card(card)
	if i < 0 || mask == nil {
		return
	}
	was, see := p.State().Form.Cards[i], p.Eye()
	p.Background(func() func() {
		c, err := cutCard(was, mask, see)
		return func() {
			p.Change(func(s *state.State) {
				s.PickErr = err
				i := s.Form.Card(card)
				if err != nil || i < 0 || s.Form.Cards[i].Ref.SHA256 != was.Ref.SHA256 {
					return
				}
				s.Form.Cards = slices.Clone(s.Form.Cards)
				have := &s.Form.Cards[i]
				have.Ref, have.View, have.Small, have.Whole = c.Ref, c.View, c.Small, c.Whole
				have.Pixels, have.Clear, have.Notes = c.Pixels, c.Clear, c.Notes
			})
		}
	})
}

// cutCard is a card's picture without what a mask leaves out. It is slow.
func cutCard(c state.Card, mask *image.Gray, see state.Eye) (state.Card, error) {
	img, _, err := picture.Decode(c.Ref.Data, picture.Limits{})
	if err != nil {
		return state.Card{}, err
	}
	cut := picture.CutOut(img, mask)
	if cut == nil {
		return state.Card{}, i18n.Errorf("nothing of %s was chosen: paint its subject", c.Ref.Name)
	}
	file, err := picture.Encode(cut, picture.Metadata{})
	if err != nil {
		return state.Card{}, err
	}
	name := strings.TrimSuffix(strings.TrimSuffix(c.Ref.Name, filepath.Ext(c.Ref.Name)), "-cut") + "-cut.png"
	square := picture.Square{Background: c.Ref.Square.Background} // the crop was of the whole picture
	return see.Reference(inference.Reference{Name: name, Data: file, Square: square})
}
