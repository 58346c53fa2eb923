package ui

import (
	"maps"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
)

// showKeys opens the list of everything that a key does. A click on a key waits for another one; a key that is taken is named
// with what it does, and moves when the user agrees.
func (w *Window) showKeys() {
	list := kit.NewColumn(2)
	note := kit.Caption(i18n.T("Click a key, then press the new one. Backspace removes it, Esc keeps it."))
	var fill func()
	set := func(own map[string]string) {
		p := w.prefs
		p.Keys = own
		w.setPreferences(p)
		w.bind()
		w.refresh() // hints name keys
		fill()
	}
	// give lets an action have a key, and takes it from the action that had it.
	give := func(id, key, from string) {
		own := maps.Clone(w.prefs.Keys)
		if own == nil {
			own = map[string]string{}
		}
		own[id] = key
		if from != "" {
			own[from] = ""
		}
		for _, a := range w.allActions() { // what the action has by itself need not be kept
			if own[a.id] == a.key {
				delete(own, a.id)
			}
		}
		set(own)
	}
	pressed := func(a action, s stroke) {
		if i, taken := w.table.keys[s]; taken && w.table.list[i].id != a.id {
			other := w.table.list[i]
			w.Ask(i18n.T("This shortcut is taken"), i18n.T("%s is the shortcut for “%s”. Use it for “%s” instead?", s.String(), other.label, a.label), i18n.T("Use it here"),
				func() { give(a.id, s.String(), other.id) })
			return
		}
		give(a.id, s.String(), "")
	}
	titles := [menus]string{menuNone: i18n.T("Others"), menuFile: i18n.T("File"), menuEdit: i18n.T("Edit"), menuRun: i18n.T("Run"), menuModels: i18n.T("Models"), menuView: i18n.T("View"), menuHelp: i18n.T("Help")}
	fill = func() {
		list.Objects = nil
		plain := map[string]string{}
		for _, a := range w.allActions() {
			plain[a.id] = a.key
		}
		for _, m := range []menu{menuRun, menuEdit, menuView, menuFile, menuModels, menuHelp, menuNone} {
			first := true
			for _, a := range w.table.list {
				if a.menu != m || a.id == "" {
					continue
				}
				if first {
					list.Add(container.New(kit.Inset{X: 0, Y: 4}, kit.Heading(titles[m])))
					first = false
				}
				key := newKeyCap(a.key, func(s stroke) { pressed(a, s) }, func() { give(a.id, "", "") })
				back := kit.SmallButton(i18n.T("Original shortcut"), theme.ContentUndoIcon(), func() { give(a.id, plain[a.id], "") })
				if a.key == plain[a.id] {
					back.Disable()
				}
				name := kit.NewLine(a.label, theme.ColorNameForeground, theme.SizeNameText)
				list.Add(container.NewBorder(nil, nil, container.New(kit.Inset{X: 4, Y: 4}, name), kit.NewRow(2, key, back)))
			}
		}
		list.Add(container.New(kit.Inset{X: 0, Y: 4}, kit.Heading(i18n.T("While held"))))
		list.Add(container.NewBorder(nil, nil, container.New(kit.Inset{X: 4, Y: 4}, kit.NewLine(i18n.T("Hide the masks"), theme.ColorNameForeground, theme.SizeNameText)),
			kit.NewRow(2, newKeyCap("Space", nil, nil), container.New(kit.Fixed{Width: 30}))))
		list.Refresh()
	}
	fill()
	all := kit.NewButton(i18n.T("Reset all"), func() { set(nil) })
	done := kit.NewButton(i18n.T("Done"), nil)
	done.Importance = widget.HighImportance
	closeIt := w.Sheet(i18n.T("Keyboard shortcuts"), fyne.NewSize(520, 560), container.NewBorder(container.New(kit.Inset{X: 4, Y: 2}, note), nil, nil, nil,
		container.NewVScroll(container.New(kit.Inset{X: 4, Y: 0}, list))), all, done)
	done.OnTapped = closeIt
}

var (
	_ fyne.Focusable     = (*keyCap)(nil)
	_ fyne.Tappable      = (*keyCap)(nil)
	_ fyne.Tabbable      = (*keyCap)(nil)
	_ desktop.Keyable    = (*keyCap)(nil)
	_ desktop.Cursorable = (*keyCap)(nil)
)

// keyCap shows a key. Tapped, it waits for another one.
type keyCap struct {
	widget.BaseWidget
	key     string
	pressed func(stroke) // nil: the key cannot be changed
	none    func()
	waiting bool
	focused bool
	frame   *kit.Plate
	text    *kit.Line
}

func newKeyCap(key string, pressed func(stroke), none func()) *keyCap {
	k := &keyCap{key: key, pressed: pressed, none: none}
	k.frame = kit.NewPlate(kit.ColorRaised, kit.ColorLine, 6)
	k.text = kit.Caption("")
	k.text.Align = fyne.TextAlignCenter
	k.ExtendBaseWidget(k)
	k.show()
	return k
}

func (k *keyCap) show() {
	k.text.Color, k.frame.Stroke = theme.ColorNameForeground, kit.ColorLine
	text := k.key
	if s, err := parseStroke(k.key); err == nil {
		text = s.String()
	}
	switch {
	case k.waiting:
		text = i18n.T("press a key…")
		k.text.Color, k.frame.Stroke = theme.ColorNamePrimary, theme.ColorNamePrimary
	case text == "":
		text = "–"
		k.text.Color = theme.ColorNamePlaceHolder
	}
	if k.focused {
		k.frame.Stroke = theme.ColorNamePrimary
	}
	k.text.Text = text
	k.text.Refresh()
	k.frame.Refresh()
}

func (k *keyCap) wait(on bool) {
	if k.pressed != nil && k.waiting != on {
		k.waiting = on
		k.show()
	}
}

func (k *keyCap) Tapped(*fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(k); c != nil {
		c.Focus(k)
	}
	k.wait(true)
}

func (k *keyCap) Cursor() desktop.Cursor { return desktop.PointerCursor }
func (k *keyCap) FocusGained()           { k.focused = true; k.show() }
func (k *keyCap) FocusLost()             { k.focused = false; k.wait(false); k.show() }
func (k *keyCap) TypedRune(rune)         {}
func (k *keyCap) TypedKey(e *fyne.KeyEvent) {
	if !k.waiting && (e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter || e.Name == fyne.KeySpace) {
		k.wait(true)
	}
}
func (k *keyCap) KeyUp(*fyne.KeyEvent) {}
func (k *keyCap) AcceptsTab() bool     { return k.waiting }

// KeyDown hears every key, also those that the menus act on.
func (k *keyCap) KeyDown(e *fyne.KeyEvent) {
	if !k.waiting {
		return
	}
	s := stroke{key: e.Name}.plain()
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		s.mod = d.CurrentKeyModifiers()
	}
	switch e.Name {
	case desktop.KeyShiftLeft, desktop.KeyShiftRight, desktop.KeyControlLeft, desktop.KeyControlRight, desktop.KeyAltLeft,
		desktop.KeyAltRight, desktop.KeySuperLeft, desktop.KeySuperRight, desktop.KeyMenu, desktop.KeyCapsLock, fyne.KeyTab, fyne.KeySpace, "":
		return
	}
	k.wait(false)
	switch {
	case e.Name == fyne.KeyEscape:
	case e.Name == fyne.KeyBackspace && s.mod == 0:
		k.none()
	default:
		k.pressed(s)
	}
}

func (k *keyCap) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(kit.AtLeast{Width: 112, Height: 26}, container.NewStack(k.frame, container.New(kit.Inset{X: 8, Y: 3}, k.text))))
}
