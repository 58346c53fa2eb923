package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// A knob has a way to go, however large the texts are.
func TestAKnobHasItsWay(t *testing.T) {
	t.Cleanup(func() { SetLook("system", 100) })
	for _, text := range []int{100, 150, 200} {
		SetLook("dark", text)
		brush, strip := NewSlider(0, 1), NewSlider(0, 1)
		row, column := ShortTrack(brush, fyne.NewSize(72, 26)), NarrowTrack(strip)
		row.Resize(row.MinSize())
		column.Resize(fyne.NewSize(46, column.MinSize().Height))
		for name, s := range map[string]*Slider{"in a row": brush, "in a narrow column": strip} {
			parts := test.WidgetRenderer(s).Objects()
			if way, knob := parts[0].Size().Width, parts[2].Size().Width; way < knob {
				t.Errorf("%s, texts of %d %%: a knob of %g has a way of %g", name, text, knob, way)
			}
		}
	}
}
