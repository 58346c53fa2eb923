package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/uitest"
)

// A mask is painted in the window before the first run: the key, the mouse over the picture, undo, the request, and the card, which takes
// it away.
func TestPaintingInTheWindow(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	b.settle()
	b.do("mask.paint")
	if b.mask.Painting() {
		t.Fatal("a mask is painted for a picture without a word")
	}
	test.Tap(b.chipOf(1))
	b.do("mask.paint")
	b.settle()
	if !b.mask.Painting() || !b.mask.Easel.Visible() || b.win.Canvas().Focused() != b.mask.Easel.(fyne.Focusable) {
		t.Fatal("B does not take the brush")
	}
	at := b.stage.At(picture.Point{X: 0.25, Y: 0.75})
	mouse := b.mask.Easel.(desktop.Mouseable)
	e := &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at}, Button: desktop.MouseButtonPrimary}
	mouse.MouseDown(e)
	mouse.MouseUp(e)
	b.settle()
	region := b.state.Form.Request().Subjects[0].Region
	cover, err := region.Grid(8, 8)
	if err != nil || region.Kind != guidance.OnlyHere {
		t.Fatalf("asked for %q, %v", region.Kind, err)
	}
	for p, v := range cover { // around the corner of four positions
		if around := (p%8 == 1 || p%8 == 2) && (p/8 == 5 || p/8 == 6); around != (v > 0) {
			t.Errorf("position %d, %d is %g", p%8, p/8, v)
		}
	}
	b.key(&fyne.ShortcutUndo{})
	if !b.state.Form.Cards[0].Region.IsZero() {
		t.Error("the stroke cannot be taken back")
	}
	b.key(&fyne.ShortcutRedo{})
	if b.state.Form.Cards[0].Region.SHA256 != region.SHA256 {
		t.Error("the stroke does not come back")
	}
	b.Back()
	if b.mask.Painting() {
		t.Error("Esc does not lay the brush down")
	}
	says := func() bool { return slices.Contains(b.seen(), "painted mask: only here") }
	if !says() {
		t.Error("the card does not say that there is a painted mask")
	}
	b.tapIn(b.cardAt(0), "Paint a mask")
	if !b.mask.Painting() {
		t.Error("the card does not take the brush")
	}
	b.tapIn(b.cardAt(0), "Remove the painted mask")
	if !b.state.Form.Cards[0].Region.IsZero() || says() {
		t.Error("the card does not take the mask away")
	}
}
