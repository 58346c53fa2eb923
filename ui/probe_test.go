package ui

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference/plain"
)

// longList is a list of ours.
type longList struct{ widget.List }

// TestLookOfTheProbe: what tests of the real window look at stays as it is: a list is not scrolled and makes no rows, and those are seen
// that the user sees.
func TestLookOfTheProbe(t *testing.T) {
	plain.Run(t)
	test.NewTempApp(t)
	made := 0
	list := &longList{}
	list.Length = func() int { return 100 }
	list.CreateItem = func() fyne.CanvasObject { made++; return widget.NewLabel("") }
	list.UpdateItem = func(id widget.ListItemID, o fyne.CanvasObject) { o.(*widget.Label).SetText(fmt.Sprint("row ", id)) }
	list.ExtendBaseWidget(list)
	win := test.NewTempWindow(t, list)
	win.Resize(fyne.NewSize(200, 200))
	list.ScrollTo(50)
	at, before := list.GetScrollOffset(), made
	for range 2 {
		var seen []string
		for _, s := range onScreen(win) {
			seen = append(seen, s.Text)
		}
		if !slices.Contains(seen, "row 50") || slices.Contains(seen, "row 0") {
			t.Errorf("it sees %q", seen)
		}
	}
	if list.GetScrollOffset() != at || at == 0 || made != before {
		t.Errorf("scrolled to %v, was %v; %d rows were made", list.GetScrollOffset(), at, made-before)
	}
}
