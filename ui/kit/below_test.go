package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"realword/inference/plain"
)

// What is said below a field takes further lines where it is long, makes room for them, and lines up with the captions above it.
func TestLookBelowAFieldAllIsSaid(t *testing.T) {
	plain.Run(t)
	test.NewTempApp(t)
	note, foot := NewBelow(theme.ColorNameError), Caption("next")
	page := NewColumn(2, Caption("Seed"), note, foot)
	w := test.NewTempWindow(t, page)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(160, 200))
	line := foot.MinSize().Height
	for _, c := range []struct {
		text  string
		lines float32
		moved bool
	}{
		{"", 0, false}, {"A seed is a whole number from 0 to 4294967295.", 2, true}, {"A seed", 1, true}, {"No seed", 1, false}, {"", 0, true},
	} {
		moved := note.Set(c.text, theme.ColorNameError)
		if moved {
			page.Refresh()
		}
		high := float32(0)
		if note.Visible() {
			high = note.Size().Height
		}
		if moved != c.moved || c.lines > 0 && (high < c.lines*(line-1) || high > c.lines*(line+3)) || c.lines == 0 && note.Visible() {
			t.Errorf("%q: moved %v, %g high in lines of %g", c.text, moved, high, line)
		}
		if note.Visible() && foot.Position().Y < note.Position().Y+high {
			t.Errorf("%q runs into what is below", c.text)
		}
	}
}
