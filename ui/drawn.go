package ui

import (
	"time"
	_ "unsafe" // for go:linkname

	"fyne.io/fyne/v2"
)

// knownFor is how often Fyne is reminded of what is on the screen: it forgets after a minute.
const knownFor = 20 * time.Second

// keepKnown reminds Fyne of what is on the screen, until done. Fyne asks the window's cache on which canvas an object lies, and lets go
// of what nobody has asked for in a minute. It means to count what it draws, but does so only in a window that has drawn nothing for 50
// seconds: in one where something moves all the time, such as a picture in the making, it forgets all that stands still. What changes
// from then on is not drawn, and if that was the last picture for a while, nothing is any more, until the window has another size.
func (w *Window) keepKnown(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(knownFor):
			w.post(func() {
				eachDrawn(w.win.Canvas(), func(o fyne.CanvasObject) { fyne.CurrentApp().Driver().CanvasForObject(o) })
			})
		}
	}
}

// eachDrawn calls do with everything that is on the screen, on Fyne's goroutine.
func eachDrawn(c fyne.Canvas, do func(fyne.CanvasObject)) {
	trees := append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...)
	if all, ok := c.(interface{ ObjectTrees() []fyne.CanvasObject }); ok { // with the menu
		trees = all.ObjectTrees()
	}
	var walk func([]fyne.CanvasObject)
	walk = func(list []fyne.CanvasObject) {
		for _, o := range list {
			if o == nil || !o.Visible() {
				continue
			}
			do(o)
			switch o := o.(type) {
			case *fyne.Container:
				walk(o.Objects)
			case fyne.Widget:
				walk(drawn(o))
			}
		}
	}
	walk(trees)
}

// drawn are the objects that a widget is on the screen as; none before Fyne has drawn it. Another renderer would not only hold others: a
// list's takes the list over, so that its rows move while somebody looks.
func drawn(w fyne.Widget) []fyne.CanvasObject {
	if r, ok := cachedRenderer(w); ok {
		return r.Objects()
	}
	return nil
}

// cachedRenderer is the renderer that Fyne has of a widget. The public function for it is for tests, and makes one where there is none.
//
//go:linkname cachedRenderer fyne.io/fyne/v2/internal/cache.CachedRenderer
func cachedRenderer(wid fyne.Widget) (fyne.WidgetRenderer, bool)
