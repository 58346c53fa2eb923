package kit

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// InPage is a text field on a page: the wheel turns the page over it too, but while the user types a text of several lines there that does
// not fit.
func InPage(f *Field, page func() fyne.Scrollable) *fyne.Container {
	w := &wheel{page: page}
	w.ExtendBaseWidget(w)
	f.onFocus = func(has bool) {
		w.Hidden = has && (Lines{Least: 1, Most: 10000}).MinSize([]fyne.CanvasObject{f}).Height > f.Size().Height
	}
	return container.NewStack(f, w)
}

// wheel lies over a field and takes nothing of the pointer but its wheel.
type wheel struct {
	widget.BaseWidget
	page func() fyne.Scrollable
}

var _ fyne.Scrollable = (*wheel)(nil)

func (w *wheel) Scrolled(e *fyne.ScrollEvent) { w.page().Scrolled(e) }

func (w *wheel) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}

// notch is how far a notch of a wheel scrolls at least, in Fyne's units: 10 on macOS, 25 elsewhere.
const notch = 10

// Wheel is how many times as large a turn of the wheel makes what a whole notch makes by times as large. A touchpad sends shares of a
// notch; a swipe to the side changes nothing.
func Wheel(e *fyne.ScrollEvent, by float64) float32 {
	return float32(math.Pow(by, min(max(float64(e.Scrolled.DY)/notch, -1), 1)))
}
