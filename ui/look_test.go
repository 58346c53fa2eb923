package ui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/assets/translations"
	"realword/inference/plain"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/preferences"
)

// known are words that stay as they are in every language: the user's own, names, and what the engine's fixtures say.
var known = regexp.MustCompile(`\b(a|dog|on|the|beach|with|cat|bird|rex\.png|dinosaur|toybox|Realword|DDIM|DPM|CFG|GB|MB|png|tmp|Test\w*|` +
	`(Ctrl|Alt|Shift|Cmd|Esc|Enter|Del|Space|F\d+|Left|Right|Up|Down|PageUp|PageDown|Backspace|Menu|[A-Z])(\+\w+)*|[A-Z]|ms|[smhx]|\d+[smh]|Paper|Release)\b|\{\w+\}|[\w.-]*/[\w./-]*`)

// TestLookEverythingIsTranslated shows every screen in a language that English letters do not occur in: what is left of them was never
// given to say.
func TestLookEverythingIsTranslated(t *testing.T) {
	plain.Run(t)
	i18ntest.Pseudo(t)
	b := ready(t, withSamples)
	english := regexp.MustCompile(`[A-Za-z]`)
	complained := map[string]bool{}
	b.screens(func(name string) {
		texts := append(menuTexts(b.Menus.Main), accessibleTexts(b.tops())...)
		for _, s := range textsOf(b.tops()) {
			texts = append(texts, s.text)
		}
		for _, s := range texts {
			if strings.HasSuffix(s, ".svg") || s == "Container" { // Fyne's own, for buttons without words
				continue
			}
			if rest := known.ReplaceAllString(s, ""); english.MatchString(rest) && !complained[s] {
				complained[s] = true
				if name == "about" { // credits and libraries are names
					continue
				}
				t.Errorf("%s: %q is not translated (%q)", name, s, rest)
			}
		}
	})
}

// overlaps lists texts that lie on each other or reach out of their place.
func (b *bench) overlaps() []string { return overlapsIn(b.tops()) }

func overlapsIn(o fyne.CanvasObject) []string {
	var bad []string
	texts := textsOf(o)
	for i, s := range texts {
		if s.free {
			continue
		}
		if s.box.x1 > s.room.x1+1 || s.box.x0 < s.room.x0-1 {
			bad = append(bad, fmt.Sprintf("%q is cut off: %v in %v", s.text, s.box, s.room))
		}
		for _, o := range texts[:i] {
			both := s.box.cut(o.box).cut(s.room).cut(o.room)
			if !o.free && both.x1-both.x0 > 1.5 && both.y1-both.y0 > 3 {
				bad = append(bad, fmt.Sprintf("%q %v lies on %q %v", s.text, s.box, o.text, o.box))
			}
		}
	}
	return bad
}

// TestLookAtTextSizes shows every screen in its smallest window with small, normal and large texts, and with longer words.
func TestLookAtTextSizes(t *testing.T) {
	plain.Run(t)
	for _, c := range []struct {
		percent int
		words   string
		size    fyne.Size
	}{
		{100, "", smallest},
		{150, "", smallest},
		{100, "longer", smallest},
		{100, "de", smallest},
		{100, "fr", smallest},
		{100, "es", smallest},
		{200, "", fyne.NewSize(3840, 2160)},
	} {
		t.Run(fmt.Sprintf("%d%% %s %v", c.percent, c.words, c.size), func(t *testing.T) {
			if c.words == "longer" {
				i18ntest.Pseudo(t)
			} else if c.words != "" {
				t.Cleanup(func() { i18ntest.English(t) })
				if err := i18n.Speak(translations.Files, c.words); err != nil {
					t.Fatal(err)
				}
			}
			b := ready(t, withSamples)
			b.prefs.Change(func(p *preferences.Values) { p.TextSize = c.percent })
			t.Cleanup(func() { kit.SetLook("system", 100) })
			b.win.Resize(c.size)
			b.settle()
			b.screens(func(name string) {
				b.layOut(c.size)
				if m := b.win.Content().MinSize(); m.Width > c.size.Width || m.Height > c.size.Height {
					t.Errorf("%s: the window wants %v, has %v", name, m, c.size)
				}
				for _, bad := range b.overlaps() {
					t.Errorf("%s: %s", name, bad)
				}
			})
		})
	}
}

// layOut lays the window out in its size, as a driver does after a change.
func (b *bench) layOut(size fyne.Size) {
	b.win.Resize(size)
	for range 2 { // some are as high as their width makes them
		layOut(b.win.Content())
		for _, o := range b.win.Canvas().Overlays().List() {
			layOut(o)
		}
	}
}

// layOut lays out what is in o, from the outside to the inside. A change of the theme would do the same, and draw every icon again.
func layOut(o fyne.CanvasObject) {
	if !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *fyne.Container:
		if o.Layout != nil {
			o.Layout.Layout(o.Objects, o.Size())
		}
		for _, c := range o.Objects {
			layOut(c)
		}
	case fyne.Widget:
		r := test.WidgetRenderer(o)
		r.Layout(o.Size())
		for _, c := range r.Objects() {
			layOut(c)
		}
	}
}
