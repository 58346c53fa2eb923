package kit

import (
	"testing"
	_ "unsafe" // for go:linkname

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

//go:linkname known fyne.io/fyne/v2/internal/cache.GetFontMetrics
func known(text string, size float32, style fyne.TextStyle, source fyne.Resource) (of fyne.Size, baseline float32)

// TestThemedForgetsNothing: what Fyne knows of texts stays while nothing new has come into a Themed, and what comes gets the theme.
func TestThemedForgetsNothing(t *testing.T) {
	test.NewTempApp(t)
	inner := container.NewVBox(widget.NewLabel("a"))
	themed := newThemed(compact{Theme()}, container.NewVBox(widget.NewButton("b", nil), inner))
	remembers := func() bool {
		_, baseline := known("Pictures", 13, fyne.TextStyle{}, nil)
		return baseline > 0
	}
	fyne.MeasureText("Pictures", 13, fyne.TextStyle{})
	for range 3 {
		if themed.Refresh(); !remembers() {
			t.Fatal("a refresh has Fyne forget its texts")
		}
	}
	late := widget.NewEntry()
	inner.Add(late)
	if themed.Refresh(); scope(late) == "" || scope(late) != scope(firsts[themed.theme]) {
		t.Errorf("what came later is in scope %q", scope(late))
	}
	fyne.MeasureText("Pictures", 13, fyne.TextStyle{})
	if themed.Refresh(); !remembers() {
		t.Error("it is taken in again and again")
	}
}
