package ui

import (
	"image"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestLookThePresetDecidesTheSquare: a card that says nothing of its own is shown, and sent, as the preset fits references; undo brings
// the earlier square back.
func TestLookThePresetDecidesTheSquare(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	wide := image.NewNRGBA(image.Rect(0, 0, 120, 30))
	for y := range 30 {
		for x := range 120 {
			wide.SetNRGBA(x, y, uitest.Red)
		}
	}
	b.drop(nil, uitest.File(t, "wide.png", uitest.Encode(wide)))
	sees := func(fit picture.Fit) bool {
		t.Helper()
		b.until("the square is made", func() bool { return !b.subjects.Squarer.Working() && len(b.posted) == 0 })
		b.settle()
		want, _, err := picture.Prepare(wide, picture.Square{Fit: fit}, uitest.Toybox.Vision.Reference)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := b.state.Form.Cards[0].View.(*image.RGBA)
		return ok && string(got.Pix) == string(want.Pix)
	}
	if !sees(picture.Pad) {
		t.Error("paper does not pad")
	}
	b.state.Form = b.state.Form.WithPreset("release", uitest.Toybox)
	b.refresh()
	if !sees(picture.Stretch) {
		t.Error("release does not stretch")
	}
	c := b.cardAt(0)
	c.Toggle()
	c.Editor.Fits[picture.Pad].OnTapped()
	if !sees(picture.Pad) || b.state.Form.Cards[0].Ref.Square.Fit != picture.Pad {
		t.Error("what the user chose does not count")
	}
	b.cardAt(0).Editor.Fits[picture.Stretch].OnTapped()
	if !sees(picture.Stretch) || b.state.Form.Cards[0].Ref.Square.Fit != "" {
		t.Error("the preset's own fit does not follow the preset")
	}
	for !sees(picture.Pad) || b.state.Form.Preset == "release" {
		f, ok := b.undo.Back()
		if !ok {
			t.Fatal("undo does not bring the square back")
		}
		b.adopt(f, true)
	}
}

// TestLookWhatIsNotReadIsSaid under the prompt, for both prompts, and no longer than it holds.
func TestLookWhatIsNotReadIsSaid(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	if b.subjects.Ignored.Visible() {
		t.Errorf("nothing is lost: %q", b.subjects.Ignored.Text)
	}
	b.subjects.PromptChanged("(a dog:1.3)1.2 on the beach")
	if !b.subjects.Ignored.Visible() || !strings.HasPrefix(b.subjects.Ignored.Text, `A weight stands within the brackets, as in (word:1.2): ")1.2"`) {
		t.Errorf("says %q", b.subjects.Ignored.Text)
	}
	b.set.Negative.SetText("rain BREAK snow")
	if got := strings.Count(b.subjects.Ignored.Text, "\n"); got != 1 || !strings.Contains(b.subjects.Ignored.Text, `"BREAK"`) {
		t.Errorf("says %q", b.subjects.Ignored.Text)
	}
	b.set.Negative.SetText("")
	b.subjects.PromptChanged("a dog on the beach")
	if b.subjects.Ignored.Visible() {
		t.Errorf("still says %q", b.subjects.Ignored.Text)
	}
}

// TestLookWhatIsSaidOfAMask comes with the size of the picture and the mask, and goes with either, and with the subject.
func TestLookWhatIsSaidOfAMask(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	says := func(when, want string) {
		t.Helper()
		if got := b.subjects.Ignored; got.Visible() != (want != "") || want != "" && got.Text != want {
			t.Errorf("%s it says %q, shown: %v", when, got.Text, got.Visible())
		}
	}
	card := state.Card{ID: 7, Ref: inference.Reference{Name: "dog.png", SHA256: "d0"}, Word: uitest.Word("dog")}
	painted := card
	painted.Region.SHA256 = "a1"
	set := func(w, h int, cards ...state.Card) {
		b.state.Change(func(s *state.State) { s.Form.Width, s.Form.Height, s.Form.Cards = w, h, cards })
	}
	set(64, 64, painted)
	says("over a picture of its shape", "")
	set(64, 96, painted)
	says("over another one", "Dog: it is stretched.")
	set(64, 96, card)
	says("without the mask", "")
	set(64, 96, painted)
	says("with it", "Dog: it is stretched.")
	set(96, 96, painted)
	says("with the size of before", "")
	set(64, 96, painted)
	set(64, 96)
	says("without the subject", "")
}
