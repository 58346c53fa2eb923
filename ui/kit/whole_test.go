package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// TestCutLinesTellTheWhole (fault 20): rows of lists and lines say the whole text where a part is cut away, and nothing where none is.
func TestCutLinesTellTheWhole(t *testing.T) {
	test.NewTempApp(t)
	fitted := NewFitted(theme.ColorNameForeground)
	fitted.Set("Getting the best of all models", theme.ColorNameForeground)
	row := NewListRow().(*ListRow)
	row.Name("a session with a long name", 12)
	row.Facts.Set("3 jobs")
	line := func(cut bool) *Line {
		l := NewLine("the best model", theme.ColorNameForeground, theme.SizeNameText)
		if cut {
			l.Text = "the…"
		}
		return l
	}
	full := func() string { return "the best model" }
	for name, c := range map[string]struct {
		object fyne.CanvasObject
		width  float32
		want   string
	}{
		"a fitted line":                    {WholeFitted(fitted), 60, "Getting the best of all models"},
		"a fitted line with room":          {WholeFitted(fitted), 600, ""},
		"a row whose title is cut":         {row, 600, "a session with a long name\n3 jobs"},
		"a line in a narrow place":         {Whole(line(false), nil), 20, "the best model"},
		"a line with room":                 {Whole(line(false), full), 300, ""},
		"a line that was shortened before": {Whole(line(true), full), 300, "the best model"},
	} {
		w := test.NewWindow(container.New(&clipped{}, c.object))
		w.Resize(fyne.NewSize(c.width, 60))
		c.object.Resize(fyne.NewSize(c.width, 60))
		if got := saidIn(c.object); got != c.want {
			t.Errorf("%s says %q, want %q", name, got, c.want)
		}
		w.Close()
	}
	row.Name("short", 12)
	row.Resize(fyne.NewSize(600, 60))
	if row.Settle(); row.over.Visible() {
		t.Error("a row with room takes the pointer")
	}
	if got := saidIn(row); got != "" {
		t.Errorf("a row with room says %q", got)
	}
	row.Facts.Set("3 jobs · 12 MB · yesterday, and the day before")
	row.Resize(fyne.NewSize(120, 60))
	if !row.over.Visible() {
		t.Error("a narrower row does not take the pointer")
	}
	if got := saidIn(row); got != "short\n"+row.Facts.Text {
		t.Errorf("a row whose facts are cut says %q", got)
	}
}

func saidIn(o fyne.CanvasObject) (said string) {
	switch o := o.(type) {
	case *whole:
		return o.Said()
	case *ListRow:
		return saidIn(o.body)
	case *fyne.Container:
		for _, inside := range o.Objects {
			if s := saidIn(inside); s != "" {
				said = s
			}
		}
	}
	return said
}
