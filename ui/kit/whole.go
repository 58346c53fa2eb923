package kit

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Whole is a line that has its whole text come up under the pointer while a part of it is cut away. The text is shortened already where
// full answers another one; nil: it never is.
func Whole(l *Line, full func() string) fyne.CanvasObject {
	return container.NewStack(l, newWhole(func() string { return l.cut(full) }))
}

// WholeFitted is likewise for a line that fits itself into its place.
func WholeFitted(f *Fitted) fyne.CanvasObject {
	return container.NewStack(f, newWhole(func() string {
		if f.draw.Text == f.Text {
			return ""
		}
		return f.Text
	}))
}

func newWhole(cut func() string) *whole {
	w := &whole{}
	w.tip.Text = cut
	w.ExtendBaseWidget(w)
	return w
}

// whole lies over lines, and says under the pointer what is cut away of them.
type whole struct {
	widget.BaseWidget
	tip Tip
}

var _ desktop.Hoverable = (*whole)(nil)

// Said is what comes up now.
func (w *whole) Said() string { return w.tip.Explanation() }

// cut is the whole text while a part of it is cut away, and otherwise "".
func (l *Line) cut(full func() string) string {
	if full != nil {
		if text := full(); text != l.Text {
			return text
		}
	}
	if l.Cut() || !l.Gives && l.MinSize().Width > l.Size().Width+0.5 {
		return l.Text
	}
	return ""
}

// WithCut is what something says of itself, after the lines in it of which a part is cut away.
func WithCut(about string, in fyne.CanvasObject) string {
	var said []string
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		case *Line:
			if text := o.cut(nil); text != "" && o.Visible() {
				said = append(said, text)
			}
		}
	}
	walk(in)
	if about != "" {
		said = append(said, about)
	}
	return strings.Join(said, "\n")
}

func (w *whole) MouseIn(*desktop.MouseEvent)    { w.tip.Rest(w) }
func (w *whole) MouseMoved(*desktop.MouseEvent) {}
func (w *whole) MouseOut()                      { w.tip.Leave(w) }

func (w *whole) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
