package ui

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/kit"
	"realword/ui/uitest"
)

// box is a rectangle of the window.
type box struct{ x0, y0, x1, y1 float32 }

func boxOf(at fyne.Position, size fyne.Size) box {
	return box{at.X, at.Y, at.X + size.Width, at.Y + size.Height}
}

func (b box) cut(c box) box {
	return box{max(b.x0, c.x0), max(b.y0, c.y0), min(b.x1, c.x1), min(b.y1, c.y1)}
}

// shownText is a text on the screen.
type shownText struct {
	text string
	box  box  // of the letters
	room box  // what its ancestors leave it
	free bool // in a text field, which scrolls
}

// textsOf are the texts that are visible in o.
func textsOf(o fyne.CanvasObject) []shownText {
	var list []shownText
	var walk func(o fyne.CanvasObject, at fyne.Position, room box, free bool)
	walk = func(o fyne.CanvasObject, at fyne.Position, room box, free bool) {
		if !o.Visible() {
			return
		}
		at = at.Add(o.Position())
		switch o := o.(type) {
		case *canvas.Text:
			if strings.TrimSpace(o.Text) == "" {
				return
			}
			size := o.MinSize()
			spare := o.Size().Width - size.Width
			switch o.Alignment {
			case fyne.TextAlignCenter:
				at.X += spare / 2
			case fyne.TextAlignTrailing:
				at.X += spare
			}
			list = append(list, shownText{o.Text, boxOf(at, size), room, free})
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c, at, room, free)
			}
		case *container.Scroll:
			room = room.cut(boxOf(at, o.Size()))
			if room.x0 < room.x1 && room.y0 < room.y1 {
				walk(o.Content, at, room, free)
			}
		case fyne.Widget:
			_, entry := o.(*widget.Entry)
			_, own := o.(*kit.Field)
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c, at, room, free || entry || own)
			}
		}
	}
	walk(o, fyne.Position{}, boxOf(o.Position(), o.Size()), false)
	return list
}

// screens shows the window in every situation, one after the other.
func (b *bench) screens(each func(name string)) {
	each("at the start")
	b.subjects.PromptChanged("a dog on the beach with a cat")
	each("with a prompt")
	path := uitest.File(b.t, "rex.png", uitest.PNG(uitest.Red))
	b.drop(nil, path, path)
	b.settle()
	each("with unbound pictures")
	test.Tap(b.chipOf(1))
	test.Tap(b.chipOf(6))
	b.settle()
	each("bound")
	b.set.More.OnTapped()
	each("with more settings")
	b.set.More.OnTapped()
	j := b.run()
	each("starting")
	for i := range 5 {
		b.send(j, uitest.Step(i, 25, 12, 2))
	}
	each("running")
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{Pictures: 1, Elapsed: time.Second})
	each("finished")
	b.stage.ShowStep(3)
	b.settle()
	each("a step")
	for _, s := range []struct {
		name string
		show func()
	}{{"the preferences", b.prefs.Show}, {"the keys", b.ShowKeys}, {"about", b.prefs.ShowAbout}} {
		s.show()
		each(s.name)
		b.Back()
	}
	b.subjects.PromptChanged("a bird")
	each("with words that are lost")
}

// tops is what can be seen now: the content, or what lies over it.
func (b *bench) tops() fyne.CanvasObject {
	if top := b.win.Canvas().Overlays().Top(); top != nil {
		return top
	}
	return b.win.Content()
}

func menuTexts(m *fyne.MainMenu) []string {
	var list []string
	for _, menu := range m.Items {
		list = append(list, menu.Label)
		for _, i := range menu.Items {
			list = append(list, i.Label)
		}
	}
	return list
}

func accessibleTexts(o fyne.CanvasObject) []string {
	var list []string
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		_, icon := o.(*widget.Icon)
		if a, ok := o.(fyne.Accessible); ok && !icon {
			list = append(list, a.AccessibilityLabel())
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		case *container.Scroll:
			walk(o.Content)
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c)
			}
		}
	}
	walk(o)
	return list
}

// widgetsOf are the visible widgets of o.
func widgetsOf(o fyne.CanvasObject) []fyne.CanvasObject {
	var list []fyne.CanvasObject
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		case *container.Scroll:
			walk(o.Content)
		case fyne.Widget:
			list = append(list, o)
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c)
			}
		}
	}
	walk(o)
	return list
}

// seen are the texts that are visible now, without what lies under a sheet.
func (b *bench) seen() []string {
	var list []string
	for _, s := range textsOf(b.tops()) {
		list = append(list, s.text)
	}
	return list
}

func labelOf(o fyne.CanvasObject) string {
	if b, ok := o.(*kit.Button); ok {
		return b.Text
	}
	return ""
}

// key is a shortcut as Fyne's desktop driver delivers it: the menus first, then the focus, then the window.
func (b *bench) key(s fyne.Shortcut) {
	for _, e := range b.Menus.Items {
		if e.Item.Shortcut != nil && e.Item.Shortcut.ShortcutName() == s.ShortcutName() {
			e.Item.Action()
			return
		}
	}
	if f, ok := b.win.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(s)
		return
	}
	for k, i := range b.Table.Keys {
		for _, heard := range k.Shortcuts() {
			if !k.Typed() && heard.ShortcutName() == s.ShortcutName() {
				b.PerformKey(b.Table.List[i])
				return
			}
		}
	}
}
