package ui

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var (
	_ fyne.Tappable      = (*stepBar)(nil)
	_ fyne.Draggable     = (*stepBar)(nil)
	_ desktop.Mouseable  = (*stepBar)(nil)
	_ desktop.Cursorable = (*stepBar)(nil)
)

// barLook is what a step bar shows.
type barLook struct {
	steps, stop int // of the next run: how long the plan is and where masks settle
	places      int // of the film, the run that is shown
	settled     int // T_stop of that run
	done        int // steps on the film
	shown       int // step on the stage, -1 none
}

// stepBar is time under the stage: above, the plan with the T_stop marker that can be dragged; below, the film of the run,
// where a click shows a step.
type stepBar struct {
	widget.BaseWidget
	look    barLook
	onStop  func(step int) // T_stop was dragged
	onStep  func(step int) // a place of the film was clicked
	resized func()

	moving                 bool // the drag in progress moves T_stop
	follow, rest           *canvas.Rectangle
	marker, handle         *canvas.Rectangle
	caption                *line
	film                   *canvas.Image
	filmBack               *plate
	head                   *canvas.Rectangle
	followFilm, settledRun *canvas.Rectangle
}

const planHeight, filmHeight, filmFoot = 22, 36, 6

func newStepBar(onStop, onStep func(int), resized func()) *stepBar {
	b := &stepBar{onStop: onStop, onStep: onStep, resized: resized}
	bar := func(radius float32) *canvas.Rectangle {
		r := canvas.NewRectangle(color.Transparent)
		r.CornerRadius = radius
		return r
	}
	b.follow, b.rest, b.handle, b.marker = bar(1.5), bar(1.5), bar(3), bar(0)
	b.followFilm, b.settledRun, b.head = bar(1.5), bar(1.5), bar(3)
	b.filmBack = newPlate(colorWell, "", 6)
	b.caption = caption("")
	b.film = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	b.film.ScaleMode, b.film.CornerRadius = canvas.ImageScaleFastest, 6
	b.film.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// show makes the bar equal to look.
func (b *stepBar) show(look barLook) {
	if b.look != look {
		b.look = look
		b.Refresh()
	}
}

// setFilm shows the painted strip; nil an empty one.
func (b *stepBar) setFilm(img *image.RGBA) {
	if img == nil {
		b.film.Hide()
		return
	}
	b.film.Image = img
	b.film.Show()
	b.film.Refresh()
}

// filmPixels is the size that the strip should be painted in.
func (b *stepBar) filmPixels() (w, h int) {
	scale := float32(1)
	if c := fyne.CurrentApp().Driver().CanvasForObject(b); c != nil {
		scale = c.Scale()
	}
	return int(b.Size().Width*scale + 0.5), int(filmHeight*scale + 0.5)
}

func (b *stepBar) Tapped(e *fyne.PointEvent) { b.point(e.Position) }

func (b *stepBar) MouseDown(e *desktop.MouseEvent) { b.moving = e.Position.Y < planHeight }
func (b *stepBar) MouseUp(*desktop.MouseEvent)     { b.moving = false }
func (b *stepBar) DragEnd()                        { b.moving = false }

func (b *stepBar) Dragged(e *fyne.DragEvent) {
	if b.moving {
		b.dragStop(e.Position.X)
	} else {
		b.point(fyne.NewPos(e.Position.X, planHeight+1))
	}
}

func (b *stepBar) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (b *stepBar) point(at fyne.Position) {
	if at.Y < planHeight {
		b.dragStop(at.X)
		return
	}
	if b.look.places < 1 || b.look.done < 1 {
		return
	}
	step := int(at.X / b.Size().Width * float32(b.look.places))
	b.onStep(min(max(step, 0), b.look.done-1))
}

func (b *stepBar) dragStop(x float32) {
	stop := int(math.Round(float64(x / b.Size().Width * float32(b.look.steps))))
	if stop = min(max(stop, 1), b.look.steps); stop != b.look.stop {
		b.onStop(stop)
	}
}

func (b *stepBar) CreateRenderer() fyne.WidgetRenderer {
	r := &stepBarRenderer{b, []fyne.CanvasObject{b.rest, b.follow, b.marker, b.handle, b.caption, b.filmBack, b.film,
		b.settledRun, b.followFilm, b.head}}
	r.update()
	return r
}

type stepBarRenderer struct {
	b       *stepBar
	objects []fyne.CanvasObject
}

func (r *stepBarRenderer) Destroy()                     {}
func (r *stepBarRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *stepBarRenderer) MinSize() fyne.Size {
	return fyne.NewSize(200, planHeight+filmHeight+filmFoot)
}

func (r *stepBarRenderer) Layout(size fyne.Size) {
	r.place(size)
	r.b.resized()
}

func (r *stepBarRenderer) place(size fyne.Size) {
	b := r.b
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	stop := size.Width
	if b.look.steps > 0 {
		stop = size.Width * float32(b.look.stop) / float32(b.look.steps)
	}
	const lane = planHeight - 7
	put(b.rest, 0, lane, size.Width, 3)
	put(b.follow, 0, lane, stop, 3)
	put(b.handle, min(max(stop-4, 0), size.Width-8), lane-5, 8, 12)
	put(b.marker, stop-0.75, lane, 1.5, planHeight+filmHeight-lane)
	text := b.caption.MinSize()
	x := stop + 10
	if x+text.Width > size.Width {
		x = stop - 10 - text.Width
	}
	put(b.caption, max(x, 0), lane-text.Height-1, text.Width, text.Height)

	put(b.filmBack, 0, planHeight, size.Width, filmHeight)
	put(b.film, 0, planHeight, size.Width, filmHeight)
	place := float32(0)
	if b.look.places > 0 {
		place = size.Width / float32(b.look.places)
	}
	done, settled := float32(b.look.done)*place, float32(b.look.settled)*place
	put(b.settledRun, 0, planHeight+filmHeight+3, done, 3)
	put(b.followFilm, 0, planHeight+filmHeight+3, min(done, settled), 3)
	put(b.head, float32(b.look.shown)*place-1, planHeight-1, place+1, filmHeight+2)
}

func (r *stepBarRenderer) update() {
	b := r.b
	col := func(n fyne.ThemeColorName) color.Color { return theme.ColorForWidget(n, b) }
	b.rest.FillColor = col(colorLine)
	b.follow.FillColor, b.handle.FillColor = col(theme.ColorNamePrimary), col(theme.ColorNamePrimary)
	b.marker.FillColor = col(theme.ColorNamePrimary)
	b.followFilm.FillColor, b.settledRun.FillColor = col(theme.ColorNamePrimary), col(theme.ColorNameDisabled)
	b.head.StrokeColor, b.head.StrokeWidth, b.head.FillColor = col(theme.ColorNameForeground), 2, color.Transparent
	b.caption.text = ""
	if b.look.steps > 0 {
		b.caption.text = fmt.Sprintf("masks settle after step %d of %d", b.look.stop, b.look.steps)
		if b.look.stop >= b.look.steps {
			b.caption.text = "masks follow the words to the end"
		}
	}
	b.caption.Refresh()
	b.head.Hidden = b.look.shown < 0 || b.look.places < 1
	b.followFilm.Hidden, b.settledRun.Hidden = b.look.done < 1, b.look.done < 1
	b.follow.Hidden, b.handle.Hidden, b.marker.Hidden = b.look.steps < 1, b.look.steps < 1, b.look.steps < 1
}

func (r *stepBarRenderer) Refresh() {
	r.update()
	r.place(r.b.Size())
	r.b.filmBack.Refresh()
	canvas.Refresh(r.b)
}
