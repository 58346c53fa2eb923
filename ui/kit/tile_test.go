package kit

import (
	"testing"

	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// TestOneTileLooksChosen: a tile under the pointer lights up, and does not look like the one that is chosen.
func TestOneTileLooksChosen(t *testing.T) {
	chosen, under := NewTile("one", 4, widget.NewLabel(""), func() {}), NewTile("two", 4, widget.NewLabel(""), func() {})
	chosen.Choose(true)
	rest := under.frame.Stroke
	under.MouseIn(nil)
	if under.frame.Stroke == rest || under.frame.Stroke == chosen.frame.Stroke || chosen.frame.Stroke != theme.ColorNamePrimary {
		t.Errorf("chosen it has the frame %q, under the pointer %q, else %q", chosen.frame.Stroke, under.frame.Stroke, rest)
	}
	under.MouseOut()
	chosen.MouseIn(nil)
	if under.frame.Stroke != rest || chosen.frame.Stroke != theme.ColorNamePrimary {
		t.Errorf("without the pointer it has the frame %q, the chosen one under it %q", under.frame.Stroke, chosen.frame.Stroke)
	}
}
