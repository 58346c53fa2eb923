package ui

import (
	"runtime"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"realword/ui/i18n"
	"realword/ui/state"
)

// action is one thing that the user can do. The table of actions makes the menus, hears the keys and fills the list in which
// keys are changed, so that each action is written down once.
type action struct {
	id    string // stable and unique, such as "run.generate"; the user's own key is kept under it
	menu  menu
	label string      // say("…"); ends with … when it asks something first
	key   string      // the key it has unless the user chooses another: "Ctrl+Alt+Enter", "Shift+Right", "R", or ""
	do    func()      // on the window's goroutine
	can   func() bool // whether it is possible now; nil is always
	on    func() bool // for a switch: whether it is on; nil for all others
}

// menu is where an action stands. Actions stand in the order of the table; separator() makes a line between them.
type menu int

const (
	menuNone menu = iota // only a key
	menuFile
	menuEdit
	menuRun
	menuModels
	menuView
	menuHelp
	menus // how many there are
)

func separator(m menu) action { return action{menu: m} }

// allActions is the table. A panel has its actions in a method of its own, beside the panel, and one line here.
func (w *Window) allActions() []action {
	return slices.Concat(
		w.undoActions(),
		w.pictureActions(),
		w.filmActions(),
		w.subjectActions(),
		w.runActions(),
		w.queueActions(),
		w.recallActions(),
		w.historyActions(),
		w.roundActions(),
		w.modelActions(),
		w.viewActions(),
		w.foldActions(),
		w.stageActions(),
		w.compareActions(),
		w.lookActions(),
		w.helpActions(), // the last lines of their menus
	)
}

func (w *Window) pictureActions() []action {
	finished := func() bool { return w.state.Shot() != nil }
	return []action{
		{id: "file.open", menu: menuFile, label: i18n.T("Open a picture…"), key: "Ctrl+O", do: w.choosePicture, can: func() bool { return w.opt.OpenFile != nil }},
		{id: "file.save", menu: menuFile, label: i18n.T("Save the picture as…"), key: "Ctrl+S", do: w.saveAs, can: func() bool { return w.opt.SaveFile != nil && finished() }},
		{id: "file.folder", menu: menuFile, label: i18n.T("Open the pictures folder"), do: w.reveal},
		{id: "picture.reference", menu: menuEdit, label: i18n.T("Use as reference"), key: "R", do: w.useAsReference, can: finished},
	}
}

func (w *Window) runActions() []action {
	return []action{
		{id: "run.generate", menu: menuRun, label: i18n.T("Generate"), key: "Ctrl+Enter", do: w.generate, can: func() bool { return len(w.state.Reasons()) == 0 }},
		{id: "run.cancel", menu: menuRun, label: i18n.T("Stop"), key: "Ctrl+Alt+Enter", do: w.stop, can: func() bool { return w.state.Run.Phase == state.Running }},
	}
}

func (w *Window) viewActions() []action {
	film := func() bool { film, _ := w.state.Film(); return len(film) > 0 }
	return []action{
		{id: "view.step.previous", menu: menuView, label: i18n.T("Previous step"), key: "Shift+Left", do: func() { w.nudge(-1) }, can: film},
		{id: "view.step.next", menu: menuView, label: i18n.T("Next step"), key: "Shift+Right", do: func() { w.nudge(1) }, can: film},
		{id: "view.back", label: i18n.T("Close what is on top"), key: "Esc", do: w.Back},
	}
}

// stroke is a key with its modifiers.
type stroke struct {
	mod fyne.KeyModifier
	key fyne.KeyName
}

// Names that people know better than Fyne's.
var keyNames = map[string]fyne.KeyName{
	"Enter": fyne.KeyReturn, "Esc": fyne.KeyEscape, "Del": fyne.KeyDelete, "Backspace": fyne.KeyBackspace,
	"PageUp": fyne.KeyPageUp, "PageDown": fyne.KeyPageDown,
}

// parseStroke reads a key such as "Ctrl+Shift+Z"; Ctrl is Cmd on macOS.
func parseStroke(text string) (stroke, error) {
	var s stroke
	names := strings.Split(text, "+")
	if strings.HasSuffix(text, "+") { // the plus key itself
		names = append(strings.Split(strings.TrimSuffix(text, "+"), "+"), "+")
		names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	}
	for i, name := range names {
		if i < len(names)-1 {
			switch name {
			case "Ctrl", "Cmd":
				s.mod |= fyne.KeyModifierShortcutDefault
			case "Alt":
				s.mod |= fyne.KeyModifierAlt
			case "Shift":
				s.mod |= fyne.KeyModifierShift
			default:
				return stroke{}, i18n.Errorf("%s is not a key: write it like Ctrl+Shift+Z", text)
			}
			continue
		}
		if s.key = fyne.KeyName(name); keyNames[name] != "" {
			s.key = keyNames[name]
		}
	}
	if s.key == "" {
		return stroke{}, i18n.Errorf("%q is not a key: write it like Ctrl+Shift+Z", text)
	}
	return s.plain(), nil
}

// plain makes the Enter key of the number block the other one.
func (s stroke) plain() stroke {
	if s.key == fyne.KeyEnter {
		s.key = fyne.KeyReturn
	}
	return s
}

func (s stroke) String() string {
	var parts []string
	if s.mod&fyne.KeyModifierShortcutDefault != 0 {
		name := "Ctrl"
		if runtime.GOOS == "darwin" {
			name = "Cmd"
		}
		parts = append(parts, name)
	}
	if s.mod&fyne.KeyModifierAlt != 0 {
		parts = append(parts, "Alt")
	}
	if s.mod&fyne.KeyModifierShift != 0 {
		parts = append(parts, "Shift")
	}
	name := string(s.key)
	for people, key := range keyNames {
		if key == s.key {
			name = people
		}
	}
	return strings.Join(append(parts, name), "+")
}

// typed tells whether a text field needs the key itself: letters, arrows and so on act only where nobody types.
func (s stroke) typed() bool { return s.mod&^fyne.KeyModifierShift == 0 }

// table finds actions by key and by name.
type table struct {
	list []action
	keys map[stroke]int // index in list
}

// newTable gives every action its key. own holds the keys that the user has chosen, by action; "" takes the key away.
func newTable(list []action, own map[string]string) table {
	t := table{list: list, keys: map[stroke]int{}}
	for i := range list {
		a := &t.list[i]
		if key, chosen := own[a.id]; chosen {
			a.key = key
		}
		if s, err := parseStroke(a.key); err == nil {
			if _, taken := t.keys[s]; !taken {
				t.keys[s] = i
			}
		}
	}
	return t
}

// keyOf is the key that an action has now, as people write it; empty without one.
func (w *Window) keyOf(id string) string {
	for _, a := range w.table.list {
		if s, err := parseStroke(a.key); err == nil && a.id == id {
			return s.String()
		}
	}
	return ""
}

// press does what belongs to a key, and tells whether anything does. Behind an open dialog nothing happens but closing it.
func (w *Window) press(s stroke) bool {
	i, ok := w.table.keys[s.plain()]
	if ok {
		w.perform(w.table.list[i])
	}
	return ok
}

func (w *Window) perform(a action) {
	covered := w.win.Canvas().Overlays().Top() != nil
	if w.closing || covered && a.id != "view.back" && a.id != "file.quit" || a.can != nil && !a.can() {
		return
	}
	a.do()
}

// strokeOf is the key of a shortcut that Fyne has recognised.
func strokeOf(s fyne.Shortcut) (stroke, bool) {
	k, ok := s.(fyne.KeyboardShortcut)
	if !ok {
		return stroke{}, false
	}
	return stroke{k.Mod(), k.Key()}, true
}

// shortcut acts on the keys that work everywhere in the window, also while the user types, and tells whether it did. What a
// text field does itself (undo, copy, paste) is not among them.
func (w *Window) shortcut(s fyne.Shortcut) bool {
	if _, custom := s.(*desktop.CustomShortcut); !custom {
		return false
	}
	k, ok := strokeOf(s)
	return ok && w.press(k)
}

// shortcuts are the names under which Fyne reports a key: a few have their own.
func (s stroke) shortcuts() []fyne.Shortcut {
	if s.mod == fyne.KeyModifierShortcutDefault {
		switch s.key {
		case fyne.KeyZ:
			return []fyne.Shortcut{&fyne.ShortcutUndo{}}
		case fyne.KeyY:
			return []fyne.Shortcut{&fyne.ShortcutRedo{}}
		case fyne.KeyV:
			return []fyne.Shortcut{&fyne.ShortcutPaste{Clipboard: fyne.CurrentApp().Clipboard()}}
		case fyne.KeyC:
			return []fyne.Shortcut{&fyne.ShortcutCopy{Clipboard: fyne.CurrentApp().Clipboard()}}
		case fyne.KeyX:
			return []fyne.Shortcut{&fyne.ShortcutCut{Clipboard: fyne.CurrentApp().Clipboard()}}
		case fyne.KeyA:
			return []fyne.Shortcut{&fyne.ShortcutSelectAll{}}
		}
	}
	list := []fyne.Shortcut{&desktop.CustomShortcut{KeyName: s.key, Modifier: s.mod}}
	if s.key == fyne.KeyReturn {
		list = append(list, &desktop.CustomShortcut{KeyName: fyne.KeyEnter, Modifier: s.mod})
	}
	return list
}

// performKey does an action for its key. Keys such as Ctrl+Z and Ctrl+V belong to the text field that has the focus, if one has.
func (w *Window) performKey(a action) {
	if field, typing := w.win.Canvas().Focused().(fyne.Shortcutable); typing {
		if s, err := parseStroke(a.key); err == nil {
			if own := s.shortcuts()[0]; !strings.HasPrefix(own.ShortcutName(), "CustomDesktop:") {
				field.TypedShortcut(own)
				return
			}
		}
	}
	w.perform(a)
}

// keys listens to the keyboard.
func (w *Window) keys() {
	c := w.win.Canvas()
	for s, i := range w.table.keys {
		if s.typed() {
			continue
		}
		for _, shortcut := range s.shortcuts() {
			w.heard = append(w.heard, shortcut)
			c.AddShortcut(shortcut, func(fyne.Shortcut) { w.performKey(w.table.list[i]) })
		}
	}
	c.SetOnTypedKey(func(e *fyne.KeyEvent) { w.press(stroke{w.modifiers(), e.Name}) })
	d, ok := c.(desktop.Canvas)
	if !ok {
		return
	}
	// Space hides the masks while it is held.
	d.SetOnKeyDown(func(e *fyne.KeyEvent) {
		if c.Focused() == nil && e.Name == fyne.KeySpace {
			w.peek(true)
		}
	})
	d.SetOnKeyUp(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeySpace {
			w.peek(false)
		}
	})
}

// modifiers are the modifier keys that are held now.
func (w *Window) modifiers() fyne.KeyModifier {
	if d, ok := w.app.Driver().(desktop.Driver); ok {
		return d.CurrentKeyModifiers()
	}
	return 0
}
