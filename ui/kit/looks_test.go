package kit

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// drawn counts how often a button is drawn.
type drawn struct {
	fyne.WidgetRenderer
	times int
}

func (d *drawn) Refresh() { d.times++; d.WidgetRenderer.Refresh() }

// TestAButtonIsDrawnWhenItLooksOtherwise: whatever its look depends on has it drawn again, once; nothing else has.
func TestAButtonIsDrawnWhenItLooksOtherwise(t *testing.T) {
	app := test.NewTempApp(t)
	SetLook("dark", 100)
	t.Cleanup(func() { SetLook("system", 100) })
	app.Settings().SetTheme(Theme())
	b := NewButtonWithIcon("before", theme.HomeIcon(), nil)
	w := test.NewTempWindow(t, b)
	r := test.WidgetRenderer(b).(*ringed)
	d := &drawn{WidgetRenderer: r.WidgetRenderer}
	r.WidgetRenderer = d
	b.Refresh()
	for _, c := range []struct {
		what   string
		change func()
	}{
		{"another text", func() { b.SetText("after") }},
		{"another text, without a word to Fyne", func() { b.Text = "later" }},
		{"another icon", func() { b.SetIcon(theme.CancelIcon()) }},
		{"no icon", func() { b.SetIcon(nil) }},
		{"more importance", func() { b.Importance = widget.HighImportance }},
		{"another place", func() { b.Alignment = widget.ButtonAlignLeading }},
		{"the icon behind", func() { b.IconPlacement = widget.ButtonIconTrailingText }},
		{"disabled", func() { b.Disable() }},
		{"enabled", func() { b.Enable() }},
		{"the pointer over it", func() { b.MouseIn(nil) }},
		{"the pointer elsewhere", func() { b.MouseOut() }},
		{"the focus", func() { b.FocusGained() }},
		{"no focus", func() { b.FocusLost() }},
		{"hidden", func() { b.Hide() }},
		{"shown", func() { b.Show() }},
		{"light", func() { SetLook("light", 100) }},
		{"larger texts", func() { SetLook("light", 160) }},
		{"another theme", func() { app.Settings().SetTheme(theme.DefaultTheme()) }},
		{"another screen", func() { w.(interface{ Canvas() fyne.Canvas }).Canvas().(software.WindowlessCanvas).SetScale(2) }},
	} {
		before := d.times
		c.change()
		b.Refresh()
		if d.times != before+1 {
			t.Errorf("%s: it was drawn %d times", c.what, d.times-before)
		}
		before = d.times
		b.Refresh()
		w.Content().Refresh()
		if d.times != before {
			t.Errorf("%s: it was drawn again", c.what)
		}
	}
}

// TestBegin: the longest beginning that fits, as a search letter by letter finds it.
func TestBegin(t *testing.T) {
	const text = "a längerer Text, mit Lücken 犬"
	letters := []rune(text)
	for room := range len(letters) + 3 {
		asked := 0
		fits := func(s string) bool { asked++; return len([]rune(s)) <= room }
		want := text
		for n := len(letters) - 1; n > 0 && !fits(want); n-- {
			want = strings.TrimSpace(string(letters[:n])) + "…"
		}
		if asked = 0; begin(text, fits) != want || asked > 7 {
			t.Errorf("%d: %q and not %q, after %d questions", room, begin(text, fits), want, asked)
		}
	}
	for _, short := range []string{"", "x"} {
		if got := begin(short, func(string) bool { return false }); got != short {
			t.Errorf("%q became %q", short, got)
		}
	}
}

// TestAHiddenButtonKeepsItsIcon: what was made equal to its page while it was hidden has its icon when it is shown, without being
// drawn again.
func TestAHiddenButtonKeepsItsIcon(t *testing.T) {
	test.NewTempApp(t)
	for name, c := range map[string]struct{ made, changed func(*Button) }{
		"seen first":   {func(*Button) {}, func(b *Button) { b.Hide(); b.Refresh() }},
		"hidden first": {func(b *Button) { b.Hide() }, func(b *Button) { b.Refresh() }},
		"another text": {func(*Button) {}, func(b *Button) { b.Hide(); b.SetText("Cancel") }},
		"disabled":     {func(*Button) {}, func(b *Button) { b.Hide(); b.Disable() }},
	} {
		b := NewButtonWithIcon("Stop", theme.MediaStopIcon(), func() {})
		c.made(b)
		r := test.WidgetRenderer(b)
		c.changed(b)
		if b.Visible() {
			t.Errorf("%s: it shows itself", name)
		}
		b.Hidden = false
		if !slices.ContainsFunc(r.Objects(), func(o fyne.CanvasObject) bool {
			_, icon := o.(*canvas.Image)
			return icon && o.Visible()
		}) {
			t.Errorf("%s: it has no icon", name)
		}
	}
}
