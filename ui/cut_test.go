package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/assets/translations"
	"realword/inference/plain"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/preferences"
)

// tells tells whether a text is in another one, or a list is there with the same ends, and other words for what is between: ω and guidance
// scale.
func tells(says, text string) bool {
	if strings.Contains(says, text) {
		return true
	}
	want, got := strings.Split(text, " · "), strings.Split(says, " · ")
	n := len(want) - 1
	return n > 1 && len(got) == n+1 && want[0] == got[0] && want[1] == got[1] && want[n] == got[n]
}

// cutTexts are the texts on the screen of which a part is cut away and the whole of which does not come up under the pointer there.
func cutTexts(top fyne.CanvasObject) (list []string) {
	type hover struct {
		at   box
		says string
	}
	type text struct {
		at    box
		whole string
	}
	var hovers []hover
	var texts []text
	room := box{0, 0, 1e6, 1e6}
	var walk func(o fyne.CanvasObject, place fyne.Position)
	walk = func(o fyne.CanvasObject, place fyne.Position) {
		if o == nil || !o.Visible() {
			return
		}
		place = place.Add(o.Position())
		at := room.cut(boxOf(place, o.Size()))
		if at.x1 <= at.x0 || at.y1 <= at.y0 {
			return // scrolled away
		}
		switch o := o.(type) {
		case kit.Explained:
			hovers = append(hovers, hover{at, o.Explanation()})
		case interface{ Said() string }:
			hovers = append(hovers, hover{at, o.Said()})
		}
		switch o := o.(type) {
		case *kit.Told: // says it itself
		case *kit.Line:
			if o.Cut() {
				texts = append(texts, text{at, o.Text})
			}
		case *kit.Fitted:
			if o.Cut() {
				texts = append(texts, text{at, o.Text})
			}
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c, place)
			}
		case *container.Scroll:
			was := room
			room = at
			walk(o.Content, place)
			room = was
		case *kit.Button:
			if o.MinSize().Width > o.Size().Width+1 {
				texts = append(texts, text{at, o.Text})
			}
		case *widget.Entry, *kit.Field, *kit.IconButton, *kit.Slider, *kit.Selector:
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c, place)
			}
		}
	}
	walk(top, fyne.Position{})
	for _, c := range texts {
		x, y, said := (c.at.x0+c.at.x1)/2, (c.at.y0+c.at.y1)/2, false
		for _, h := range hovers {
			said = said || x >= h.at.x0 && x <= h.at.x1 && y >= h.at.y0 && y <= h.at.y1 && tells(h.says, c.whole)
		}
		if !said {
			list = append(list, c.whole)
		}
	}
	return list
}

// TestLookNothingIsCutInSilence: a text that has too little room comes up whole under the pointer, in the usual window and in the smallest
// one, and in the languages with the longest words, with large texts, too.
func TestLookNothingIsCutInSilence(t *testing.T) {
	plain.Run(t)
	for _, c := range []struct {
		language string
		percent  int
	}{{"", 100}, {"de", 100}, {"de", 160}, {"fr", 160}} {
		if c.language != "" {
			t.Cleanup(func() { i18ntest.English(t) })
			if err := i18n.Speak(translations.Files, c.language); err != nil {
				t.Fatal(err)
			}
		}
		b := furnished(t)
		b.prefs.Change(func(p *preferences.Values) { p.TextSize = c.percent })
		t.Cleanup(func() { kit.SetLook("system", 100) })
		known := map[string]bool{}
		b.rooms(func(place string) {
			for _, size := range []fyne.Size{fyne.NewSize(1240, 800), smallest} {
				b.layOut(size)
				for _, text := range cutTexts(b.tops()) {
					if !known[text] {
						known[text] = true
						t.Errorf("%s %d %% %v, %s: “%s” is cut", c.language, c.percent, size, place, text)
					}
				}
			}
		})
	}
}

// The largest texts of the language with the longest words fit into the width of the smallest window, also without the right column, the
// buttons of which are in the head then.
func TestLookTheHeadFits(t *testing.T) {
	plain.Run(t)
	t.Cleanup(func() { i18ntest.English(t) })
	if err := i18n.Speak(translations.Files, "de"); err != nil {
		t.Fatal(err)
	}
	b := furnished(t)
	b.prefs.Change(func(p *preferences.Values) { p.TextSize = 200 })
	t.Cleanup(func() { kit.SetLook("system", 100) })
	b.columns.fold(folds{right: true})
	b.screens(func(place string) {
		b.layOut(smallest)
		if m := b.win.Content().MinSize(); m.Width > smallest.Width {
			t.Errorf("%s: the window wants %v", place, m)
		}
	})
}
