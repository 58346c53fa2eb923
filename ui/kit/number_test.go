package kit

import (
	"fmt"
	"math"
	"testing"
	"time"
	_ "unsafe" // for go:linkname

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A value is typed as people write it, turned with the wheel, and stays within its bounds.
func TestNumbersAreTypedAndTurned(t *testing.T) {
	test.NewTempApp(t)
	w := test.NewTempWindow(t, nil)
	var got []float64
	share := NewDial("Area", 0.05, 0.9, 0.01, func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }, func(v float64) { got = append(got, v) })
	steps := NewDial("Stop", 1, 25, 1, func(v float64) string { return fmt.Sprintf("step %d", int(v)) }, func(v float64) { got = append(got, v) })
	weight := NewDial("Weight", -2, 2, 0.05, func(v float64) string { return fmt.Sprintf("%.2f", v) }, func(v float64) { got = append(got, v) })
	share.Set(0.2)
	steps.Set(12)
	weight.Set(1)
	w.SetContent(container.NewVBox(share.Container, steps.Container, weight.Container))
	w.Resize(fyne.NewSize(300, 300))
	number := func(d *Dial) *Number {
		return d.Container.Objects[0].(*fyne.Container).Objects[0].(*fyne.Container).Objects[1].(*Number)
	}
	for _, c := range []struct {
		d     *Dial
		typed string
		want  float64
		shown string
	}{
		{share, "35", 0.35, "35 %"},
		{share, "40 %", 0.4, "40 %"},
		{share, "0,25", 0.25, "25 %"},
		{share, "200", 0.9, "90 %"},
		{share, "1 %", 0.05, "5 %"},
		{steps, "step 7", 7, "step 7"},
		{steps, "9", 9, "step 9"},
		{steps, "99", 25, "step 25"},
		{weight, "-0.5", -0.5, "-0.50"},
		{weight, "−1,25", -1.25, "-1.25"},
		{weight, ".5", 0.5, "0.50"},
	} {
		got = nil
		n := number(c.d)
		test.Tap(n)
		if n.entry == nil || w.Canvas().Focused() != n.entry {
			t.Fatalf("%s cannot be typed", c.d.Value.Text)
		}
		n.entry.SetText(c.typed)
		n.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if len(got) != 1 || got[0] != c.want || c.d.Value.Text != c.shown || math.Abs(c.d.Slider.Value-c.want) > 1e-9 || w.Canvas().Focused() != c.d.Slider {
			t.Errorf("%q: %v, shown %q, want %v %q; the slider has %v, the focus %T", c.typed, got, c.d.Value.Text, c.want, c.shown, c.d.Slider.Value, w.Canvas().Focused())
		}
	}
	for typed, want := range map[string]string{
		"99": "99 becomes step 25 (step 1 to step 25)", "step 0": "step 0 becomes step 1 (step 1 to step 25)",
		"7.4": "7.4 becomes step 7 (nearest)", "7": "", "many": "“many” is no number: it stays step 7",
	} {
		n := number(steps)
		steps.Set(7)
		test.Tap(n)
		n.entry.SetText(typed)
		n.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if n.Said.Text != want || n.Said.Hidden != (want == "") {
			t.Errorf("of %q it says %q, want %q", typed, n.Said.Text, want)
		}
		if steps.Set(3); !n.Said.Hidden {
			t.Errorf("%q is said still when the value is another one", n.Said.Text)
		}
	}
	steps.Set(25)
	for _, text := range []string{"", "many", "."} {
		got = nil
		n := number(steps)
		test.Tap(n)
		n.entry.SetText(text)
		w.Canvas().Unfocus()
		if len(got) != 0 || steps.Value.Text != "step 25" || n.entry != nil {
			t.Errorf("%q: %v, %q", text, got, steps.Value.Text)
		}
	}
	got = nil
	test.Tap(number(steps))
	number(steps).entry.SetText("3")
	number(steps).entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	w.Canvas().Focus(steps.Slider)
	steps.Slider.TypedRune('8')
	if e := number(steps).entry; len(got) != 0 || e == nil || e.Text != "8" {
		t.Fatalf("Esc took %v; a digit does not begin to type", got)
	}
	w.Canvas().Focus(share.Slider)
	if steps.Slider.Value != 8 {
		t.Errorf("what was typed is lost: %v", steps.Slider.Value)
	}

	up := &fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 10)}
	n := number(steps)
	n.MouseIn(nil)
	if n.since.IsZero() {
		t.Error("it does not know since when the pointer is here")
	}
	n.since = time.Now().Add(time.Hour) // no machine is slow enough for it to have settled
	n.Scrolled(up)                      // of the page, which has just brought it here
	if steps.Slider.Value != 8 {
		t.Error("scrolling a page changes what comes under the pointer")
	}
	n.since = time.Now().Add(-time.Second)
	n.Scrolled(up)
	n.Scrolled(up)
	n.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -10)})
	if steps.Slider.Value != 9 || steps.Value.Text != "step 9" {
		t.Errorf("turned to %v, %q", steps.Slider.Value, steps.Value.Text)
	}
}

//go:linkname scopeOf fyne.io/fyne/v2/internal/cache.WidgetScopeID
func scopeOf(o fyne.CanvasObject) string

// TestThemesShareTheirScopes: Fyne loads all fonts once more for every scope of a theme, so there is one for each theme, however often what
// has it is drawn anew, hidden, or made.
func TestThemesShareTheirScopes(t *testing.T) {
	test.NewTempApp(t)
	w := test.NewTempWindow(t, nil)
	one, two := widget.NewLabel("one"), widget.NewLabel("two")
	box := container.NewVBox(Quiet(one), Quiet(two))
	w.SetContent(box)
	scope := scopeOf(one)
	for range 3 {
		box.Refresh()
		box.Objects[0].Refresh()
	}
	if scope == "" || scopeOf(one) != scope || scopeOf(two) != scope {
		t.Errorf("scopes %q and %q, at first %q", scopeOf(one), scopeOf(two), scope)
	}
	if got, want := theme.ColorForWidget(theme.ColorNameDisabled, one), Theme().Color(theme.ColorNamePlaceHolder, fyne.CurrentApp().Settings().ThemeVariant()); got != want {
		t.Errorf("the colour is %v, want %v", got, want)
	}
	d := NewDial("Steps", 1, 9, 1, func(v float64) string { return fmt.Sprint(v) }, func(float64) {})
	w.SetContent(d.Container)
	scopes := map[string]bool{}
	for range 3 {
		test.Tap(d.number)
		scopes[scopeOf(d.number.entry)] = true
		w.Canvas().Unfocus()
	}
	if len(scopes) != 1 || scopes[""] || scopes[scope] {
		t.Errorf("a number that is typed has the scopes %v", scopes)
	}
}
