package subjects

import (
	"context"
	"image"

	"realword/ui/kit"
	"realword/ui/state"
)

// Sample is a reference picture that comes with the program.
type Sample struct {
	Name   string // as a file name, for people: "dog.png"
	Word   string // what it shows
	Prompt string // a prompt to try it with
	Data   []byte // the file
}

// Offer shows the pictures that come with the program, once they are read. One that cannot be is not offered.
func (p *Panel) Offer(list []Sample) {
	p.Background(func() func() {
		type offer struct {
			Sample
			img image.Image
		}
		var offers []offer
		for _, s := range list {
			if img, err := state.ReadThumb(context.Background(), s.Data, 116); err == nil {
				offers = append(offers, offer{s, img})
			}
		}
		return func() {
			for _, o := range offers {
				p.SampleRow.Add(kit.NewThumb(o.Name, o.img, 58, func() { p.try(o.Sample) }))
			}
			p.Samples.Hidden = len(offers) == 0
			p.Samples.Refresh()
			p.SettleLeft()
		}
	})
}

func (p *Panel) try(s Sample) {
	if p.State().Form.Prompt == "" && s.Prompt != "" {
		p.PromptChanged(s.Prompt)
	}
	p.Change(func(s *state.State) { s.PickErr = nil })
	p.Add(state.Word{}, state.Source{Name: s.Name, Hint: s.Word, Read: func() ([]byte, error) { return s.Data, nil }})
}
