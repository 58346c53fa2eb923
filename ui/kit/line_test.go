package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// A name that gives becomes smaller before a part of it is cut, and no smaller than a caption.
func TestALineGivesBeforeItIsCut(t *testing.T) {
	test.NewTempApp(t)
	l := Heading("robot")
	l.Gives = true
	w := test.NewWindow(l)
	defer w.Close()
	whole, caption := l.MinSize().Width, theme.Size(theme.SizeNameCaptionText)
	for _, c := range []struct {
		width float32
		cut   bool
	}{{whole, false}, {whole * 0.88, false}, {10, true}, {whole, false}} {
		l.Resize(fyne.NewSize(c.width, 20))
		if cut := l.draw.Text != l.Text; cut != c.cut || (l.cut(nil) != "") != c.cut {
			t.Errorf("at %v of %v: cut %v, told %q", c.width, whole, cut, l.cut(nil))
		}
		if size := l.draw.TextSize; size < caption || (c.width == whole) != (size == theme.Size(theme.SizeNameText)) {
			t.Errorf("at %v of %v: letters of %v", c.width, whole, size)
		}
		if l.MinSize().Width != whole {
			t.Error("it asks for less than it wants")
		}
	}
}

// A check box that had too little room for a moment, as before a window is laid out, has its whole text again when there is room.
func TestACheckIsWholeAgain(t *testing.T) {
	test.NewTempApp(t)
	name, check := Heading("Subjects"), NewCheck("Same area", nil)
	row := container.New(Yielding{8}, name, check)
	w := test.NewWindow(container.New(&clipped{}, row))
	defer w.Close()
	whole := check.Wanted()
	for _, c := range []struct {
		width      float32
		cut, alone bool
	}{{10, true, true}, {whole + 200, false, false}, {whole / 2, true, true}, {whole + 4, false, true}, {whole + 200, false, false}} {
		row.Resize(fyne.NewSize(c.width, 24))
		if cut := check.Text != "Same area"; cut != c.cut || name.Visible() == c.alone {
			t.Errorf("%v wide: %q, the name is there: %v", c.width, check.Text, name.Visible())
		}
	}
}
