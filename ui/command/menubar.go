package command

import (
	"runtime"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"realword/ui/i18n"
)

// menuBar is the window's menus, made from the table of actions.
type menuBar struct {
	Main  *fyne.MainMenu
	Items []menuEntry
}

type menuEntry struct {
	Item *fyne.MenuItem
	a    Action
}

// newMenuBar makes the menus. What can be done and what is on comes with refresh.
func (k *Commands) newMenuBar() *menuBar {
	b := &menuBar{Main: fyne.NewMainMenu()}
	given := map[Stroke]bool{} // that an entry of a menu of macOS has
	for m, name := range map[menu]string{
		MenuFile: i18n.T("File"), MenuEdit: i18n.T("Edit"), MenuRun: i18n.T("Run"),
		MenuModels: i18n.T("Models"), MenuView: i18n.T("View"), MenuHelp: i18n.T("Help"),
	} {
		entries := fyne.NewMenu(name)
		for _, a := range k.Table.List {
			if a.Menu != m {
				continue
			}
			if a.ID == "" {
				if n := len(entries.Items); n > 0 && !entries.Items[n-1].IsSeparator {
					entries.Items = append(entries.Items, fyne.NewMenuItemSeparator())
				}
				continue
			}
			item := fyne.NewMenuItem(a.Label, func() { k.PerformKey(a) })
			item.IsQuit = a.ID == "file.quit"
			if s, err := ParseStroke(a.Key); err == nil && (!k.NativeMenus() || nativeKey(s) && !given[s]) {
				item.Shortcut, given[s] = listed(s), true
			} else if err == nil && !systemKeys[s] {
				item.Label += " (" + s.Shown() + ")"
			}
			entries.Items = append(entries.Items, item)
			b.Items = append(b.Items, menuEntry{item, a})
		}
		for len(b.Main.Items) <= int(m) {
			b.Main.Items = append(b.Main.Items, nil)
		}
		b.Main.Items[m] = entries
	}
	b.Main.Items = slices.DeleteFunc(b.Main.Items, func(m *fyne.Menu) bool { return m == nil || len(m.Items) == 0 })
	return b
}

// NativeMenus tells whether the menus are the system's, at the top of the screen, which hears their keys before the window does.
func (k *Commands) NativeMenus() bool { return k.System == "darwin" }

// systemKeys are those of the entries that macOS has in the menus of every program: quit, hide, hide the others, minimise.
var systemKeys = map[Stroke]bool{
	{fyne.KeyModifierShortcutDefault, fyne.KeyQ}:                       true,
	{fyne.KeyModifierShortcutDefault, fyne.KeyH}:                       true,
	{fyne.KeyModifierShortcutDefault | fyne.KeyModifierAlt, fyne.KeyH}: true,
	{fyne.KeyModifierShortcutDefault, fyne.KeyM}:                       true,
}

// nativeKey tells whether a menu of macOS may have a key. One without Cmd may not: Fyne leaves out to say that it has no modifiers, and the
// system then means Cmd and that key, so that Q would be Cmd+Q; and Shift or Option and a letter are text. The window hears all of these
// itself.
func nativeKey(s Stroke) bool { return s.Mod&fyne.KeyModifierShortcutDefault != 0 && !systemKeys[s] }

// shownKey has Fyne's menus write Enter, as all else does, and not Return. Menus of macOS have a sign for it.
func shownKey(key fyne.KeyName) fyne.KeyName {
	if key == fyne.KeyReturn && runtime.GOOS != "darwin" {
		return fyne.KeyEnter
	}
	return key
}

// listed is the shortcut of an entry of the menus.
func listed(s Stroke) fyne.Shortcut {
	first := s.Shortcuts()[0]
	if custom, ok := first.(*desktop.CustomShortcut); ok && shownKey(s.Key) != s.Key {
		return entered{custom}
	}
	return first
}

// entered is a shortcut with Enter, as menus write it.
type entered struct{ *desktop.CustomShortcut }

func (e entered) Key() fyne.KeyName { return shownKey(e.KeyName) }

// refresh shows what can be done now; the menus are drawn anew only when that has changed.
func (b *menuBar) refresh(can func(Action) bool) {
	changed := false
	for _, e := range b.Items {
		off := !can(e.a)
		on := e.a.On != nil && e.a.On()
		changed = changed || e.Item.Disabled != off || e.Item.Checked != on
		e.Item.Disabled, e.Item.Checked = off, on
	}
	if changed {
		b.Main.Refresh()
	}
}

// OpenMenus opens the first menu of the bar.
func (k *Commands) OpenMenus() { k.openMenu(0) }

// openMenu opens a menu of the bar from the keyboard, with its first entry for arrows and Enter.
func (k *Commands) openMenu(n int) {
	c, ok := k.win.Canvas().(interface{ ToggleMenu() })
	if !ok || k.NativeMenus() || k.win.Canvas().Overlays().Top() != nil || n >= len(k.Menus.Main.Items) {
		return
	}
	c.ToggleMenu()
	for range n {
		if f := k.win.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		}
	}
}

// menuLetters are the letters that open the menus with Alt: the first of each name that is a Latin one and no other menu's.
func menuLetters(names []string) []string {
	letters := make([]string, len(names))
	for i, name := range names {
		for _, r := range strings.ToUpper(name) {
			if s := string(r); r >= 'A' && r <= 'Z' && !slices.Contains(letters, s) {
				letters[i] = s
				break
			}
		}
	}
	return letters
}

// listen opens the menus with Alt and a letter, where these keys do nothing else: on macOS Option and a letter write another one.
func (b *menuBar) listen(k *Commands) {
	var names []string
	for _, m := range b.Main.Items {
		names = append(names, m.Label)
	}
	k.letters = map[Stroke]int{}
	if k.NativeMenus() {
		return
	}
	for i, letter := range menuLetters(names) {
		s := Stroke{fyne.KeyModifierAlt, fyne.KeyName(letter)}
		if _, taken := k.Table.Keys[s.plain()]; letter == "" || taken {
			continue
		}
		k.letters[s.plain()] = i
		for _, shortcut := range s.Shortcuts() {
			k.heard = append(k.heard, shortcut)
			k.win.Canvas().AddShortcut(shortcut, func(fyne.Shortcut) { k.openMenu(i) })
		}
	}
}

// RefreshMenus shows what can be done now.
func (k *Commands) RefreshMenus() { k.Menus.refresh(k.can) }

// Bind gives the keyboard and the menus the table of actions with the user's keys.
func (k *Commands) Bind() {
	for _, s := range k.heard {
		k.win.Canvas().RemoveShortcut(s)
	}
	k.heard = nil
	k.Table = newTable(k.actions(), k.Own())
	k.keys()
	k.Menus = k.newMenuBar()
	k.Menus.refresh(k.can)
	k.Menus.listen(k)
	k.win.SetMainMenu(k.Menus.Main)
}
