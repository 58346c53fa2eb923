package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// Enter answers a question: it agrees where nothing is lost, and keeps what would be. It leaves alone what is typed into a sheet.
func TestEnterAnswers(t *testing.T) {
	test.NewTempApp(t)
	w := test.NewTempWindow(t, widget.NewLabel("the studio"))
	w.Resize(fyne.NewSize(800, 600))
	l := &Layers{Canvas: w.Canvas}
	var done []string
	does := func(what string) func() { return func() { done = append(done, what) } }
	field := widget.NewEntry()
	field.OnSubmitted = func(string) { done = append(done, "field") }
	for _, c := range []struct {
		what string
		open func()
		want []string
		up   bool // the sheet is still there
	}{
		{"a question", func() { l.Ask("Go on?", "Really?", "Yes", does("yes")) }, []string{"yes"}, false},
		{"a warning", func() { l.Warn("End it?", "All is lost.", "Keep", "End", does("end")) }, nil, false},
		{"a sheet", func() { l.SheetOK("Name", fyne.NewSize(300, 200), widget.NewLabel(""), "Save", does("save")) }, []string{"save"}, true},
		{"a sheet with a field", func() {
			l.SheetOK("Name", fyne.NewSize(300, 200), field, "Save", does("save"))
			w.Canvas().Focus(field)
		}, []string{"field"}, true},
	} {
		done = nil
		c.open()
		focused := w.Canvas().Focused()
		if focused == nil {
			t.Errorf("%s: Enter is nobody's", c.what)
			l.Back()
			continue
		}
		focused.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if up := l.Open() > 0; !slices.Equal(done, c.want) || up != c.up {
			t.Errorf("%s: Enter does %q, want %q; the sheet is up: %v", c.what, done, c.want, up)
		}
		for l.Open() > 0 {
			l.Back()
		}
	}
}
