package command

import (
	"slices"

	"fyne.io/fyne/v2"

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
			if s, err := ParseStroke(a.Key); err == nil {
				item.Shortcut = s.Shortcuts()[0]
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

// refresh shows what can be done now; the menus are drawn anew only when that has changed.
func (b *menuBar) refresh() {
	changed := false
	for _, e := range b.Items {
		off := e.a.Can != nil && !e.a.Can()
		on := e.a.On != nil && e.a.On()
		changed = changed || e.Item.Disabled != off || e.Item.Checked != on
		e.Item.Disabled, e.Item.Checked = off, on
	}
	if changed {
		b.Main.Refresh()
	}
}

// RefreshMenus shows what can be done now.
func (k *Commands) RefreshMenus() { k.Menus.refresh() }

// Bind gives the keyboard and the menus the table of actions with the user's keys.
func (k *Commands) Bind() {
	for _, s := range k.heard {
		k.win.Canvas().RemoveShortcut(s)
	}
	k.heard = nil
	k.Table = newTable(k.All(), k.Own())
	k.keys()
	k.Menus = k.newMenuBar()
	k.Menus.refresh()
	k.win.SetMainMenu(k.Menus.Main)
}
