package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var _ desktop.Hoverable = (*Told)(nil)

// Told is a line of text that is cut where it has no room; the whole of it comes up under the pointer then.
type Told struct {
	widget.Label
	tip Tip
}

// NewTold is an empty line.
func NewTold(size fyne.ThemeSizeName) *Told {
	t := &Told{}
	t.SizeName, t.Truncation = size, fyne.TextTruncateEllipsis
	t.tip.Text = t.Whole
	t.ExtendBaseWidget(t)
	return t
}

// Whole is the text where a part of it is not seen.
func (t *Told) Whole() string {
	room := t.Size().Width - 2*theme.SizeForWidget(theme.SizeNameInnerPadding, t)
	if fyne.MeasureText(t.Text, theme.SizeForWidget(t.SizeName, t), t.TextStyle).Width > room {
		return t.Text
	}
	return ""
}

func (t *Told) MouseIn(*desktop.MouseEvent)    { t.tip.Rest(t) }
func (t *Told) MouseMoved(*desktop.MouseEvent) {}
func (t *Told) MouseOut()                      { t.tip.Out(t) }
