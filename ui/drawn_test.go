package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// TestEachDrawn: of what is on the screen Fyne is told all, down to what widgets are made of, and of nothing else, or it would stay for ever.
func TestEachDrawn(t *testing.T) {
	test.NewTempApp(t)
	button, hidden, above := widget.NewButton("go", nil), widget.NewLabel("hidden"), widget.NewLabel("above")
	inside := widget.NewLabel("in a list that scrolls")
	hidden.Hide()
	w := test.NewTempWindow(t, container.NewVBox(button, container.NewHBox(hidden), container.NewVScroll(inside)))
	widget.ShowPopUp(above, w.Canvas())
	var seen []fyne.CanvasObject
	eachDrawn(w.Canvas(), func(o fyne.CanvasObject) { seen = append(seen, o) })
	want := append([]fyne.CanvasObject{w.Canvas().Content(), button, inside, above}, test.WidgetRenderer(inside).Objects()...)
	for _, o := range want {
		if n := len(slices.DeleteFunc(slices.Clone(seen), func(s fyne.CanvasObject) bool { return s != o })); n != 1 {
			t.Errorf("%T is told %d times", o, n)
		}
	}
	if slices.Contains(seen, fyne.CanvasObject(hidden)) {
		t.Error("what is hidden is told")
	}
}
