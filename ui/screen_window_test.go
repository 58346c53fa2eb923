package ui

import (
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/uitest"
)

// fineScreen is a screen of a Mac or of Wayland, on which sizes stay as they are and a unit has several pixels.
type fineScreen struct{ density float32 }

// newFineScreen has every window of the test stand on such a screen until the test ends.
func newFineScreen(t testing.TB, density float32) *fineScreen {
	t.Helper()
	s, app := &fineScreen{density}, fyne.CurrentApp()
	fyne.SetCurrentApp(screened{app, s})
	t.Cleanup(func() { fyne.SetCurrentApp(app) })
	return s
}

type screened struct {
	fyne.App
	screen *fineScreen
}

func (a screened) Driver() fyne.Driver { return screenDriver{a.App.Driver(), a.screen} }

type screenDriver struct {
	fyne.Driver
	screen *fineScreen
}

func (d screenDriver) CanvasForObject(o fyne.CanvasObject) fyne.Canvas {
	return screenCanvas{d.Driver.CanvasForObject(o), d.screen}
}

type screenCanvas struct {
	fyne.Canvas
	screen *fineScreen
}

func (c screenCanvas) PixelCoordinateForPosition(at fyne.Position) (x, y int) {
	return int(at.X*c.Scale()*c.screen.density + 0.5), int(at.Y*c.Scale()*c.screen.density + 0.5)
}

// TestLookAFineScreenGetsAllItsPixels: picture, film and maps are painted pixel for pixel on a screen of macOS, whose canvas has a scale of 1
// however fine it is, and anew once the window has been dragged to another screen.
func TestLookAFineScreenGetsAllItsPixels(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	screen := newFineScreen(t, 2)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	test.Tap(b.chipOf(1))
	j := b.run()
	for i := range 4 {
		s := uitest.Step(i, 4, 3, 1)
		if s.Guided {
			s.Subjects[0].Cross, s.Subjects[0].Scores = uitest.Grid(1), uitest.Grid(1)
		}
		b.send(j, s)
	}
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{Pictures: 1})
	painted := func(what string, least int) {
		t.Helper()
		b.settle()
		seen := 0
		for _, o := range widgetsOf(b.win.Content()) {
			w, ok := o.(fyne.Widget)
			if !ok {
				continue
			}
			for _, part := range test.WidgetRenderer(w).Objects() {
				img, ok := part.(*canvas.Image)
				if !ok || img.Hidden || img.Image == nil || img.ScaleMode != canvas.ImageScaleFastest || img.FillMode == canvas.ImageFillContain {
					continue
				}
				seen++
				pixels, want := float64(img.Image.Bounds().Dx()), float64(img.Size().Width*screen.density)
				if math.Abs(pixels-want) > 2 {
					t.Errorf("%s: %T has %g pixels across, and the screen %g", what, w, pixels, want)
				}
			}
		}
		if seen < least {
			t.Errorf("%s: only %d pictures were looked at", what, seen)
		}
	}
	painted("a fine screen", 2)
	screen.density = 1
	b.win.Canvas().Capture() // as Fyne draws all anew
	painted("a coarse one", 2)
	b.inspect.Show(0)
	painted("the inspection", 1)
	screen.density = 3
	b.win.Canvas().Capture()
	painted("the inspection on a very fine one", 1)
}
