package ui

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/uitest"
)

// A picture is decoded once on its way from the disk into a round, by the engine, in the square that the round asks for, and again
// only for another square.
func TestAReferenceIsDecodedOnce(t *testing.T) {
	for preset, fit := range map[string]picture.Fit{"paper": picture.Pad, "release": picture.Stretch} {
		b := ready(t, nil)
		b.state.Form = b.state.Form.WithPreset(preset, uitest.Toybox)
		b.subjects.PromptChanged("a dog")
		b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
		b.settle()
		card := b.state.Form.Cards[0]
		if len(b.engine.read) != 1 || b.engine.read[0].Square.Fit != fit || b.engine.read[0].SHA256 != card.Ref.SHA256 || card.Fit != fit || card.Ref.Square.Fit != "" {
			t.Fatalf("%s: %+v was read, the card is %+v", preset, b.engine.read, card)
		}
		b.session.Keep()
		test.Tap(b.set.Generate)
		j := b.started()
		if ref := j.request.Subjects[0].References[0]; len(b.engine.read) != 1 || ref.SHA256 != card.Ref.SHA256 {
			t.Errorf("%s: %d are read, the round has %+v", preset, len(b.engine.read), ref)
		}
		b.finish(j, inference.Done{})
		b.subjects.SetSquare(card.ID, picture.Square{Fit: picture.Crop}, true)
		b.until("its square is made", func() bool {
			b.engine.mu.Lock()
			defer b.engine.mu.Unlock()
			return len(b.engine.read) == 2
		})
		if got := b.engine.read[1].Square.Fit; got != picture.Crop {
			t.Errorf("%s: read to be fitted by %q", preset, got)
		}
		b.settle()
	}
}
