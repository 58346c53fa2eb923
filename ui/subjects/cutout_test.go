package subjects

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestACardKeepsOnlyItsSubject: transparent around it, square, of the picture's own pixels, with the background that the card had.
func TestACardKeepsOnlyItsSubject(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 80, 40))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	data, err := picture.Encode(img, picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	card := state.Card{ID: 3, Ref: inference.Reference{Name: "dog.jpg", Data: data, Square: picture.Square{
		Fit: picture.Crop, Background: "#000000", Crop: picture.Box{Right: 0.5, Bottom: 1},
	}}}
	mask := image.NewGray(image.Rect(0, 0, 40, 20)) // half as large
	for y := 5; y < 15; y++ {
		for x := 10; x < 20; x++ {
			mask.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	c, err := cutCard(card, mask, state.Eye{Model: uitest.Toybox})
	if err != nil {
		t.Fatal(err)
	}
	if c.Ref.Name != "dog-cut.png" || !c.Clear || c.Pixels.X != c.Pixels.Y || c.Pixels.X < 20 || c.Pixels.X > 26 {
		t.Errorf("%s of %v, clear %t", c.Ref.Name, c.Pixels, c.Clear)
	}
	if c.Ref.Square != (picture.Square{Background: "#000000"}) || c.View == nil {
		t.Errorf("its square is %+v", c.Ref.Square)
	}
	again := card
	again.Ref = c.Ref
	whole := image.NewGray(image.Rect(0, 0, 2, 2))
	for i := range whole.Pix {
		whole.Pix[i] = 255
	}
	if c, err := cutCard(again, whole, state.Eye{Model: uitest.Toybox}); err != nil || c.Ref.Name != "dog-cut.png" {
		t.Errorf("cut again it is %s, %v", c.Ref.Name, err)
	}
	if _, err := cutCard(card, image.NewGray(mask.Rect), state.Eye{Model: uitest.Toybox}); err == nil || !strings.Contains(err.Error(), "paint its subject") {
		t.Errorf("nothing chosen: %v", err)
	}
}
