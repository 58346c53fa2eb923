package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// A text that is cut comes up whole under the pointer.
func TestWhatIsCutIsToldWhole(t *testing.T) {
	test.NewTempApp(t)
	l := NewTold(theme.SizeNameCaptionText)
	w := test.NewTempWindow(t, l)
	w.Resize(fyne.NewSize(120, 40))
	l.SetText("short")
	if l.Whole() != "" {
		t.Errorf("of a text that is seen whole, %q comes up", l.Whole())
	}
	l.SetText("left | right: Seed 7 | 8 · Area γ of dog 0.20 | 0.30")
	if l.Whole() != l.Text {
		t.Error("of a text that is cut nothing comes up")
	}
}

// Tools that have no room below one another stand in a second column, so that none scrolls away.
func TestUprightToolsHaveRoom(t *testing.T) {
	test.NewTempApp(t)
	var tools []fyne.CanvasObject
	for range 5 {
		r := canvas.NewRectangle(color.Black)
		r.SetMinSize(fyne.NewSquareSize(30))
		tools = append(tools, r)
	}
	u := &Upright{Gap: 2, Group: 10, Firsts: []int{0, 3}}
	for high, want := range map[float32][2]float32{ // the width, and the top of the last one
		170: {30, 136}, // 5 × 30, 3 × 2 and 10
		166: {30, 136},
		165: {62, 0},
		100: {62, 32},
	} {
		u.Layout(tools, fyne.NewSize(100, high))
		if got := [2]float32{u.MinSize(tools).Width, tools[4].Position().Y}; got != want {
			t.Errorf("%g high: width and last top %v, want %v", high, got, want)
		}
	}
}
