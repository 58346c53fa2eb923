package kit

import (
	_ "unsafe" // for go:linkname

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/go-text/typesetting/shaping"
)

// Themed shows its content in another theme. Fyne's own ThemeOverride begins a new scope with every one of it, with every Refresh, and
// whenever what was hidden for a minute is seen again; for each scope with a text in it Fyne parses all fonts once more, some ten
// megabytes that stay until the theme changes. Here all that have one theme share the scope of a first one that is never seen.
type Themed struct {
	widget.BaseWidget
	Content fyne.CanvasObject
	theme   fyne.Theme // can be compared
}

// firsts are the contents of the ThemeOverrides whose scopes are shared.
var firsts = map[fyne.Theme]fyne.CanvasObject{}

func newThemed(th fyne.Theme, o fyne.CanvasObject) *Themed {
	t := &Themed{Content: o, theme: th}
	t.ExtendBaseWidget(t)
	t.apply()
	o.Refresh() // it may have been rendered before
	return t
}

// apply gives the content the theme, and what has come into it since.
func (t *Themed) apply() {
	first := firsts[t.theme]
	if first == nil || scope(first) == "" { // Fyne forgets it with what it has not seen for a minute
		first = widget.NewLabel("")
		firsts[t.theme] = first
		container.NewThemeOverride(first, t.theme)
	}
	adopt(t.Content, first)
}

// adopt brings an object, and what is in it, into the scope of the first one where they are not there yet: for each widget that comes
// into a scope Fyne forgets how large all texts of the window are, and what all its icons look like.
func adopt(o fyne.CanvasObject, first fyne.CanvasObject) {
	switch o := o.(type) {
	case *container.ThemeOverride: // has a scope of its own
	case *fyne.Container:
		for _, part := range o.Objects {
			adopt(part, first)
		}
	case fyne.Widget:
		if scope(o) != scope(first) {
			sameScope(o, first)
			return
		}
		if r := renderer(o); r != nil {
			for _, part := range r.Objects() {
				adopt(part, first)
			}
		}
	default:
		sameScope(o, first)
	}
}

func (t *Themed) CreateRenderer() fyne.WidgetRenderer {
	t.apply()
	return widget.NewSimpleRenderer(container.NewStack(t.Content))
}

func (t *Themed) Refresh() {
	t.apply()
	t.Content.Refresh()
	t.BaseWidget.Refresh()
}

// ForgetFonts lets go of the fonts that Fyne's shaper keeps for later: with every other theme Fyne parses all fonts anew, and the shaper
// holds the last 33 of them, old ones too, some four megabytes each. It belongs to Fyne's goroutine, and follows a change of the theme.
func ForgetFonts() { *shaper = shaping.HarfbuzzShaper{} }

// shaper is the one of Fyne, which it has not made public either.
//
//go:linkname shaper fyne.io/fyne/v2/internal/painter.shaper
var shaper *shaping.HarfbuzzShaper

// sameScope gives an object the theme, and the scope, of another one. Fyne uses it for its own menus and has not made it public; should a
// newer Fyne not have it, the program does not link, and ThemeOverride may be mended by then.
//
//go:linkname sameScope fyne.io/fyne/v2/internal/cache.OverrideThemeMatchingScope
func sameScope(o, parent fyne.CanvasObject) bool

// scope is the scope that an object is in, "" where it is in none.
//
//go:linkname scope fyne.io/fyne/v2/internal/cache.WidgetScopeID
func scope(o fyne.CanvasObject) string

//go:linkname renderer fyne.io/fyne/v2/internal/cache.Renderer
func renderer(w fyne.Widget) fyne.WidgetRenderer
