package command

import (
	"runtime"
	"slices"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"realword/ui/i18n"
	"realword/ui/kit"
)

// Action is one thing that the user can do. The table of actions makes the menus, hears the keys and fills the list in which
// keys are changed, so that each action is written down once.
type Action struct {
	ID    string // stable and unique, such as "run.generate"; the user's own key is kept under it
	Menu  menu
	Label string      // say("…"); ends with … when it asks something first
	Where string      // tells it from another of that label in the list of keys; ""
	About string      // a sentence under the label of its button, where the label does not say all; ""
	Key   string      // the key it has unless the user chooses another: "Ctrl+Alt+Enter", "Shift+Right", "R", or ""
	Mac   string      // that on macOS, where Key is one of the system's; ""
	Do    func()      // on the window's goroutine
	Can   func() bool // whether it is possible now; nil is always
	On    func() bool // for a switch: whether it is on; nil for all others
	Rooms bool        // it acts on what a page covers, and not while one does: nobody would see what becomes of it
}

// Named is the label, with what tells it from another action of that label.
func (a Action) Named() string {
	where := a.Where
	if strings.HasSuffix(a.ID, ".other") {
		where = i18n.T("another key")
	}
	if where == "" {
		return a.Label
	}
	return a.Label + " · " + where
}

// menu is where an action stands. Actions stand in the order of the table; separator() makes a line between them.
type menu int

const (
	MenuNone menu = iota // only a key, or the menu of a thing; see Context
	MenuFile
	MenuEdit
	MenuRun
	MenuModels
	MenuView
	MenuHelp
	MenuCount // how many there are
)

func Separator(m menu) Action { return Action{Menu: m} }

// Stroke is a key with its modifiers.
type Stroke struct {
	Mod fyne.KeyModifier
	Key fyne.KeyName
}

// Names that people know better than Fyne's.
var keyNames = map[string]fyne.KeyName{
	"Enter": fyne.KeyReturn, "Esc": fyne.KeyEscape, "Del": fyne.KeyDelete, "Backspace": fyne.KeyBackspace,
	"PageUp": fyne.KeyPageUp, "PageDown": fyne.KeyPageDown,
}

// ParseStroke reads a key such as "Ctrl+Shift+Z"; Ctrl is Cmd on macOS.
func ParseStroke(text string) (Stroke, error) {
	var s Stroke
	names := strings.Split(text, "+")
	if strings.HasSuffix(text, "+") { // the plus key itself
		names = append(strings.Split(strings.TrimSuffix(text, "+"), "+"), "+")
		names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	}
	for i, name := range names {
		if i < len(names)-1 {
			switch name {
			case "Ctrl", "Cmd":
				s.Mod |= fyne.KeyModifierShortcutDefault
			case "Alt":
				s.Mod |= fyne.KeyModifierAlt
			case "Shift":
				s.Mod |= fyne.KeyModifierShift
			default:
				return Stroke{}, i18n.Errorf("%s is not a key: write it like Ctrl+Shift+Z", text)
			}
			continue
		}
		if s.Key = fyne.KeyName(name); keyNames[name] != "" {
			s.Key = keyNames[name]
		}
	}
	if s.Key == "" {
		return Stroke{}, i18n.Errorf("%q is not a key: write it like Ctrl+Shift+Z", text)
	}
	return s.plain(), nil
}

// plain makes the Enter key of the number block the other one.
func (s Stroke) plain() Stroke {
	if s.Key == fyne.KeyEnter {
		s.Key = fyne.KeyReturn
	}
	return s
}

func (s Stroke) String() string {
	var parts []string
	if s.Mod&fyne.KeyModifierShortcutDefault != 0 {
		name := "Ctrl"
		if runtime.GOOS == "darwin" {
			name = "Cmd"
		}
		parts = append(parts, name)
	}
	if s.Mod&fyne.KeyModifierAlt != 0 {
		parts = append(parts, "Alt")
	}
	if s.Mod&fyne.KeyModifierShift != 0 {
		parts = append(parts, "Shift")
	}
	name := string(s.Key)
	for people, key := range keyNames {
		if key == s.Key {
			name = people
		}
	}
	return strings.Join(append(parts, name), "+")
}

// Shown is the stroke as all of the window writes it, the menus included: the arrows as such.
func (s Stroke) Shown() string {
	text, name := s.String(), string(s.Key)
	signs := map[fyne.KeyName]string{
		fyne.KeyLeft: "←", fyne.KeyRight: "→", fyne.KeyUp: "↑", fyne.KeyDown: "↓", fyne.KeyPageUp: "PgUp", fyne.KeyPageDown: "PgDn",
	}
	if sign := signs[s.Key]; sign != "" {
		for people, key := range keyNames {
			if key == s.Key {
				name = people
			}
		}
		text = strings.TrimSuffix(text, name) + sign
	}
	return text
}

// Typed tells whether a text field needs the key itself: letters, arrows and so on act only where nobody types.
func (s Stroke) Typed() bool { return s.Mod&^fyne.KeyModifierShift == 0 }

// table finds actions by key and by name.
type table struct {
	List []Action
	Keys map[Stroke]int // index in list; with the twins of keys
}

// newTable gives every action its key. own holds the keys that the user has chosen, by action; "" takes the key away.
func newTable(list []Action, own map[string]string) table {
	t := table{List: list, Keys: map[Stroke]int{}}
	for i := range list {
		a := &t.List[i]
		if key, chosen := own[a.ID]; chosen {
			a.Key = key
		}
		if s, err := ParseStroke(a.Key); err == nil {
			if _, taken := t.Keys[s]; !taken {
				t.Keys[s] = i
			}
		}
	}
	for i := range list {
		s, err := ParseStroke(t.List[i].Key)
		if at, has := t.Keys[s]; err != nil || !has || at != i {
			continue
		}
		for _, twin := range s.twins() {
			if _, taken := t.Keys[twin]; !taken {
				t.Keys[twin] = i
			}
		}
	}
	return t
}

// twins are where other keyboards have a key that works while the user types: Fyne names a key by what it bears without Shift, and = is
// with Shift on half of the world's keyboards, + on the others. Keys that do not work while the user types are heard as signs; see Sign.
func (s Stroke) twins() []Stroke {
	if s.Typed() || s.Key != fyne.KeyEqual && s.Key != fyne.KeyPlus {
		return nil
	}
	return []Stroke{{s.Mod, fyne.KeyPlus}, {s.Mod, fyne.KeyEqual}, {s.Mod | fyne.KeyModifierShift, fyne.KeyEqual}}
}

// Commands are the actions of a window, bound to its keys and menus. They belong to Fyne's goroutine.
type Commands struct {
	All     func() []Action             // the table as it is by itself
	Own     func() map[string]string    // the keys that the user has chosen, by action
	OnKeys  func(own map[string]string) // the user has chosen others
	OnHold  func(held bool)             // Space is held down, or let go
	Writes  func() bool                 // what is typed is text, although nothing has the focus; nil: never
	OnWrite func(r rune)                // text was typed then
	Closing func() bool                 // the window closes: nothing is begun any more
	Pending []kit.Taker                 // that may show what the form does not have yet, while something else has the focus
	System  string                      // whose keys and menus they are; runtime.GOOS

	win     fyne.Window
	layers  *kit.Layers
	Table   table
	Menus   *menuBar
	heard   []fyne.Shortcut // what the canvas listens to
	letters map[Stroke]int  // that open a menu of the bar
	held    bool            // Space is, and nothing had the focus
	acted   bool            // the key that was typed last has done something
}

// New are those of a window; Bind gives them to its keys and menus once the fields are set, and again when they change.
func New(win fyne.Window, layers *kit.Layers) *Commands {
	return &Commands{win: win, layers: layers, System: runtime.GOOS}
}

// actions is the table as it is by itself on this system.
func (k *Commands) actions() []Action {
	list := k.All()
	for i := range list {
		if a := &list[i]; k.NativeMenus() && a.Mac != "" {
			a.Key = a.Mac
		}
	}
	return list
}

// KeyOf is the key that an action has now, as the window writes it; empty without one.
func (k *Commands) KeyOf(id string) string {
	for _, a := range k.Table.List {
		if s, err := ParseStroke(a.Key); err == nil && a.ID == id {
			return s.Shown()
		}
	}
	return ""
}

// Press does what belongs to a key, and tells whether anything does. Behind an open dialog nothing happens but closing it.
func (k *Commands) Press(s Stroke) bool {
	i, ok := k.Table.Keys[s.plain()]
	if ok {
		k.Perform(k.Table.List[i])
	} else if i, ok = k.letters[s.plain()]; ok {
		k.openMenu(i)
	}
	return ok
}

// Do does an action of the table.
func (k *Commands) Do(id string) {
	if a, known := k.find(id); known {
		k.Perform(a)
	}
}

// Perform does an action where that is possible now, with what is typed.
func (k *Commands) Perform(a Action) {
	k.Settle()
	covered := k.win.Canvas().Overlays().Top() != nil
	if k.Closing() || covered && a.ID != "view.back" && a.ID != "file.quit" || !k.can(a) {
		return
	}
	a.Do()
}

// Settle has everything that is typed, or being turned with the wheel, taken: what begins a job does so with what is seen.
func (k *Commands) Settle() {
	if field, typed := k.win.Canvas().Focused().(kit.Taker); typed {
		field.Take()
	}
	for _, one := range k.Pending {
		one.Take()
	}
}

func (k *Commands) can(a Action) bool {
	behind := a.Rooms && k.layers.Paged()
	return !behind && (a.Can == nil || a.Can())
}

// strokeOf is the key of a shortcut that Fyne has recognised.
func strokeOf(s fyne.Shortcut) (Stroke, bool) {
	key, ok := s.(fyne.KeyboardShortcut)
	if !ok {
		return Stroke{}, false
	}
	return Stroke{key.Mod(), key.Key()}, true
}

// Shortcut acts on the keys that work everywhere in the window, also while the user types, and tells whether it did. What a
// text field does itself (copy, paste) is not among them; undo is, where the field has nothing of its own to take back.
func (k *Commands) Shortcut(s fyne.Shortcut) bool {
	switch s.(type) {
	case *desktop.CustomShortcut, *fyne.ShortcutUndo, *fyne.ShortcutRedo:
		return k.AnyShortcut(s)
	}
	return false
}

// AnyShortcut is Shortcut for what has the focus and is no text field: copy is the window's, too.
func (k *Commands) AnyShortcut(s fyne.Shortcut) bool {
	key, ok := strokeOf(s)
	return ok && k.Press(key)
}

// Shortcuts are the names under which Fyne reports a key: a few have their own.
func (s Stroke) Shortcuts() []fyne.Shortcut {
	if s.Mod == fyne.KeyModifierShortcutDefault {
		switch s.Key {
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
	list := []fyne.Shortcut{&desktop.CustomShortcut{KeyName: s.Key, Modifier: s.Mod}}
	if s.Key == fyne.KeyReturn {
		list = append(list, &desktop.CustomShortcut{KeyName: fyne.KeyEnter, Modifier: s.Mod})
	}
	return list
}

// PerformKey does an action for its key. Keys such as Ctrl+Z and Ctrl+V belong to the text field that has the focus, if one has, or to what
// else takes what is pasted, which gives the others back (Shortcut, AnyShortcut).
func (k *Commands) PerformKey(a Action) {
	if focused, hears := k.win.Canvas().Focused().(fyne.Shortcutable); hears {
		if s, err := ParseStroke(a.Key); err == nil {
			if own := s.Shortcuts()[0]; !strings.HasPrefix(own.ShortcutName(), "CustomDesktop:") {
				focused.TypedShortcut(own)
				return
			}
		}
	}
	k.Perform(a)
}

// keys listens to the keyboard.
func (k *Commands) keys() {
	c := k.win.Canvas()
	for s, i := range k.Table.Keys {
		if s.Typed() {
			continue
		}
		for _, shortcut := range s.Shortcuts() {
			k.heard = append(k.heard, shortcut)
			c.AddShortcut(shortcut, func(fyne.Shortcut) { k.PerformKey(k.Table.List[i]) })
		}
	}
	c.SetOnTypedKey(k.Typed)
	c.SetOnTypedRune(k.Sign)
	d, ok := c.(desktop.Canvas)
	if !ok {
		return
	}
	// Space hides the masks while it is held.
	d.SetOnKeyDown(func(e *fyne.KeyEvent) {
		if c.Focused() == nil && e.Name == fyne.KeySpace && !k.held {
			k.hold(true)
			kit.Watch(k.holds)
		}
	})
	d.SetOnKeyUp(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeySpace {
			k.hold(false)
		}
	})
}

func (k *Commands) hold(on bool) {
	k.held = on
	k.OnHold(on)
}

// holds tells whether Space is held still. What has got the focus meanwhile is told when it is let go, and the window is not.
func (k *Commands) holds() bool {
	if k.held && k.win.Canvas().Focused() != nil {
		k.hold(false)
	}
	return k.held
}

// Typed does what belongs to a key that a widget with the focus has no use for.
func (k *Commands) Typed(e *fyne.KeyEvent) {
	letter := len(e.Name) == 1 && unicode.IsLetter(rune(e.Name[0])) && k.Modifiers()&^fyne.KeyModifierShift == 0
	k.acted = (!letter || !k.writes()) && k.Press(Stroke{k.Modifiers(), e.Name})
}

// writes tells whether what is typed is text, although nothing has the focus.
func (k *Commands) writes() bool {
	return k.Writes != nil && k.win.Canvas().Focused() == nil && k.Writes()
}

// Sign does what belongs to the key that bears a sign, on whichever key of the keyboard that is and with whatever modifiers, where the key
// itself, which Fyne tells before, means nothing: + is Shift and = here, [ is AltGr and 8 there.
func (k *Commands) Sign(r rune) {
	if unicode.IsLetter(r) && k.writes() {
		k.OnWrite(r)
		return
	}
	if acted := k.acted; !acted && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
		k.Press(Stroke{Key: fyne.KeyName(string(r))})
	}
	k.acted = false
}

// Modifiers are the modifier keys that are held now.
func (k *Commands) Modifiers() fyne.KeyModifier {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		return d.CurrentKeyModifiers()
	}
	return 0
}
