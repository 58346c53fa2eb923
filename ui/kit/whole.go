package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Whole is a line that has its whole text come up under the pointer while a part of it is cut away. The text is shortened already where
// full answers another one; nil: it never is.
func Whole(l *Line, full func() string) fyne.CanvasObject {
	w := &whole{line: l, full: full}
	w.tip.Text = w.text
	w.ExtendBaseWidget(w)
	return container.NewStack(l, w)
}

type whole struct {
	widget.BaseWidget
	line *Line
	full func() string
	tip  Tip
}

var _ desktop.Hoverable = (*whole)(nil)

// Said is what comes up now.
func (w *whole) Said() string { return w.text() }

func (w *whole) text() string {
	if w.full != nil {
		if text := w.full(); text != w.line.Text {
			return text
		}
	}
	if w.line.MinSize().Width > w.line.Size().Width+0.5 {
		return w.line.Text
	}
	return ""
}

func (w *whole) MouseIn(*desktop.MouseEvent)    { w.tip.Rest(w) }
func (w *whole) MouseMoved(*desktop.MouseEvent) {}
func (w *whole) MouseOut()                      { w.tip.Leave(w) }

func (w *whole) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
