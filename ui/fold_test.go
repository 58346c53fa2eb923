package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/preferences"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestColumnsFold(t *testing.T) {
	h := roomtest.New(t)
	now, resized := folds{}, 0
	box := func() *fyne.Container { return container.NewStack() }
	c := &columns{left: box(), right: box(), prompt: box(), lower: box(), run: box()}
	c.folded, c.resize = func() folds { return now }, func() { resized++ }
	c.room, c.keep = func() preferences.Room { return preferences.Room{} }, func(preferences.Room) {}
	c.fold = func(f folds) { now = f; c.refresh() }
	left := c.button(h.Commands, "view.left", "5")
	h.Move(c.build(box()), c.actions, c.refresh, func() bool { return false })
	away := func() [4]bool { return [4]bool{c.left.Hidden, c.right.Hidden, c.prompt.Hidden, c.run.Hidden} }
	for _, step := range []struct {
		key    string
		hidden [4]bool // left, right, prompt, the run in the head
	}{
		{"T", [4]bool{true, false, false, true}},
		{"F", [4]bool{true, true, true, false}},
		{"G", [4]bool{true, false, false, true}},
		{"F", [4]bool{true, true, true, false}},
		{"T", [4]bool{false, true, false, false}},
		{"F", [4]bool{true, true, true, false}},
		{"F", [4]bool{false, false, false, true}},
	} {
		before := resized
		h.Key(step.key)
		if away() != step.hidden || resized != before+1 {
			t.Errorf("%s hides %v, want %v; resized %d times", step.key, away(), step.hidden, resized-before)
		}
	}
	wide := c.lower.Size().Width
	h.Key("F")
	if h.Refresh(); c.lower.Size().Width <= wide {
		t.Errorf("alone, the picture is %g wide, before %g", c.lower.Size().Width, wide)
	}
	if left.Name != "Subjects panel" {
		t.Errorf("the button is called %q", left.Name)
	}
}

// What is folded away, or lies under a page or a sheet, takes nothing that is dropped.
func TestLookNothingUnseenTakesADrop(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog on the beach")
	b.drop(b.chipOf(1), uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.settle()
	place := func(o fyne.CanvasObject) fyne.Position {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(4, 4)
	}
	word, card := place(b.chipOf(2)), place(b.cardAt(0))
	takes := func(what string, want bool, at ...fyne.Position) {
		t.Helper()
		for _, at := range at {
			if got := b.subjects.TargetAt(at); (got != state.Target{}) != want {
				t.Errorf("%s, at %v: %+v", what, at, got)
			}
		}
	}
	takes("in view", true, word, card)
	for name, page := range map[string]*kit.Screen{"grids": b.grid.Screen, "sessions": b.gallery.Screen} {
		page.Show()
		takes(name, false, word, card)
		page.Hide()
	}
	closeIt := b.Sheet("Sheet", fyne.NewSize(300, 200), widget.NewLabel("x"))
	takes("under a sheet", false, word, card)
	closeIt()
	takes("in view again", true, word, card)
	b.columns.fold(folds{true, true, true})
	takes("folded away", false, fyne.NewPos(20, 20), word, card)
}
