package command

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

// ShowKeys opens the list of everything that a key does. A click on a key waits for another one; a key that is taken is named
// with what it does, and moves when the user agrees.
func (c *Commands) ShowKeys() {
	list := kit.NewColumn(2)
	note := kit.Note(i18n.T("Click a key, then press the new one. Backspace removes it, Esc keeps it."))
	var follow []func() // a row each: it shows the key that its action has now
	set := func(own map[string]string) {
		c.OnKeys(own)
		for _, row := range follow {
			row()
		}
	}
	// give lets an action have a key, and takes it from the action that had it.
	give := func(id, key, from string) {
		own := maps.Clone(c.Own())
		if own == nil {
			own = map[string]string{}
		}
		own[id] = key
		if from != "" {
			own[from] = ""
		}
		for _, a := range c.actions() { // what the action has by itself need not be kept
			if own[a.ID] == a.Key {
				delete(own, a.ID)
			}
		}
		set(own)
	}
	pressed := func(a Action, s Stroke) {
		if i, taken := c.Table.Keys[s]; taken && c.Table.List[i].ID != a.ID {
			other := c.Table.List[i]
			c.layers.Ask(i18n.T("This shortcut is taken"), i18n.T("%s is the shortcut for “%s”. Use it for “%s” instead?", s.Shown(),
				other.Named(), a.Named()), i18n.T("Use it here"),
				func() { give(a.ID, s.String(), other.ID) })
			return
		}
		give(a.ID, s.String(), "")
	}
	titles := [MenuCount]string{
		MenuNone: i18n.T("Others"), MenuFile: i18n.T("File"), MenuEdit: i18n.T("Edit"), MenuRun: i18n.T("Run"),
		MenuModels: i18n.T("Models"), MenuView: i18n.T("View"), MenuHelp: i18n.T("Help"),
	}
	plain := map[string]string{}
	for _, a := range c.actions() {
		plain[a.ID] = a.Key
	}
	for _, m := range []menu{MenuRun, MenuEdit, MenuView, MenuFile, MenuModels, MenuHelp, MenuNone} {
		first := true
		for _, a := range c.Table.List {
			if a.Menu != m || a.ID == "" {
				continue
			}
			if first {
				list.Add(container.New(kit.Inset{X: 0, Y: 4}, kit.Heading(titles[m])))
				first = false
			}
			key := newKeyCap(a.Key, func(s Stroke) { pressed(a, s) }, func() { give(a.ID, "", "") })
			back := kit.SmallButton(i18n.T("Original shortcut"), theme.ContentUndoIcon(), func() { give(a.ID, plain[a.ID], "") })
			row := func() {
				now, _ := c.find(a.ID)
				key.key = now.Key
				key.show()
				kit.Enable(back, now.Key != plain[a.ID])
			}
			row()
			follow = append(follow, row)
			name := kit.NewLine(a.Named(), theme.ColorNameForeground, theme.SizeNameText)
			list.Add(container.NewBorder(nil, nil, container.New(kit.Inset{X: 4, Y: 4}, name), kit.NewRow(2, key, back)))
		}
	}
	list.Add(container.New(kit.Inset{X: 0, Y: 4}, kit.Heading(i18n.T("While held"))))
	list.Add(container.NewBorder(nil, nil, container.New(kit.Inset{X: 4, Y: 4},
		kit.NewLine(i18n.T("Hide the masks"), theme.ColorNameForeground, theme.SizeNameText)),
		kit.NewRow(2, newKeyCap("Space", nil, nil), container.New(kit.Fixed{Width: 30}))))
	all := kit.NewButton(i18n.T("Reset all"), func() {
		c.layers.Warn(i18n.T("Reset all shortcuts?"), i18n.T("Every action has its original key again, and the keys that you chose are lost."),
			i18n.T("Cancel"), i18n.T("Reset all"), func() { set(nil) })
	}).Explain(i18n.T("Every action has its original key again."))
	done := kit.NewButton(i18n.T("Done"), nil).Explain(i18n.T("Closes the sheet. Your changes already apply."))
	done.Importance = widget.HighImportance
	closeIt := c.layers.Sheet(i18n.T("Keyboard shortcuts"), fyne.NewSize(520, 560),
		container.NewBorder(container.New(kit.Inset{X: 4, Y: 2}, note), nil, nil, nil,
			kit.NewPage(container.New(kit.Inset{X: 4, Y: 0}, list))), all, done)
	done.OnTapped = closeIt
}

var (
	_ fyne.Focusable     = (*KeyCap)(nil)
	_ fyne.Tappable      = (*KeyCap)(nil)
	_ fyne.Tabbable      = (*KeyCap)(nil)
	_ desktop.Keyable    = (*KeyCap)(nil)
	_ desktop.Cursorable = (*KeyCap)(nil)
)

// KeyCap shows a key. Tapped, it waits for another one.
type KeyCap struct {
	widget.BaseWidget
	key     string
	pressed func(Stroke) // nil: the key cannot be changed
	none    func()
	waiting bool
	tip     kit.Tip
	focused bool
	frame   *kit.Plate
	text    *kit.Line
}

func newKeyCap(key string, pressed func(Stroke), none func()) *KeyCap {
	k := &KeyCap{key: key, pressed: pressed, none: none}
	k.frame = kit.NewPlate(kit.ColorRaised, kit.ColorLine, 6)
	k.tip.Text = k.Explanation
	k.text = kit.Caption("")
	k.text.Align = fyne.TextAlignCenter
	k.ExtendBaseWidget(k)
	k.show()
	return k
}

func (k *KeyCap) show() {
	k.text.Color, k.frame.Stroke = theme.ColorNameForeground, kit.ColorLine
	text := k.key
	if s, err := ParseStroke(k.key); err == nil {
		text = s.Shown()
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

func (k *KeyCap) wait(on bool) {
	if k.pressed != nil && k.waiting != on {
		k.waiting = on
		k.show()
	}
}

func (k *KeyCap) Tapped(*fyne.PointEvent) {
	k.tip.Leave(k)
	if c := fyne.CurrentApp().Driver().CanvasForObject(k); c != nil {
		c.Focus(k)
	}
	k.wait(true)
}

func (k *KeyCap) Cursor() desktop.Cursor { return desktop.PointerCursor }
func (k *KeyCap) FocusGained()           { k.focused = true; k.show(); k.tip.Reach(k) }

// Explanation implements kit.Explained.
func (k *KeyCap) Explanation() string {
	if k.pressed == nil {
		return i18n.T("This key cannot be changed.")
	}
	return i18n.T("Click here, then press another key.")
}

func (k *KeyCap) MouseIn(*desktop.MouseEvent)    { k.tip.Rest(k) }
func (k *KeyCap) MouseMoved(*desktop.MouseEvent) {}
func (k *KeyCap) MouseOut()                      { k.tip.Out(k) }
func (k *KeyCap) FocusLost()                     { k.focused = false; k.wait(false); k.show() }
func (k *KeyCap) TypedRune(rune)                 {}
func (k *KeyCap) TypedKey(e *fyne.KeyEvent) {
	enter := e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter
	switch {
	case k.waiting && enter:
		k.take(e.Name)
	case k.waiting:
	case enter || e.Name == fyne.KeySpace:
		k.wait(true)
	default:
		kit.HandOn(k, e)
	}
}
func (k *KeyCap) KeyUp(*fyne.KeyEvent) {}
func (k *KeyCap) AcceptsTab() bool     { return k.waiting }

// KeyDown hears every key, also those that the menus act on. Enter alone is heard when it is typed, which comes next: it would answer
// the question that it brings up.
func (k *KeyCap) KeyDown(e *fyne.KeyEvent) {
	if s := strokeNow(e.Name); k.waiting && (s.Key != fyne.KeyReturn || !s.Typed()) {
		k.take(e.Name)
	}
}

// strokeNow is a key with the modifiers that are held.
func strokeNow(key fyne.KeyName) Stroke {
	s := Stroke{Key: key}.plain()
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		s.Mod = d.CurrentKeyModifiers()
	}
	return s
}

// take ends the wait with a key that was pressed, unless it is one that only comes with others.
func (k *KeyCap) take(key fyne.KeyName) {
	s := strokeNow(key)
	switch key {
	case desktop.KeyShiftLeft, desktop.KeyShiftRight, desktop.KeyControlLeft, desktop.KeyControlRight, desktop.KeyAltLeft,
		desktop.KeyAltRight, desktop.KeySuperLeft, desktop.KeySuperRight, desktop.KeyMenu, desktop.KeyCapsLock, fyne.KeyTab, fyne.KeySpace, "":
		return
	}
	k.wait(false)
	switch {
	case key == fyne.KeyEscape:
	case key == fyne.KeyBackspace && s.Mod == 0:
		k.none()
	default:
		k.pressed(s)
	}
}

func (k *KeyCap) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(kit.AtLeast{Width: 112, Height: 26},
		container.NewStack(k.frame, container.New(kit.Inset{X: 8, Y: 3}, k.text))))
}
