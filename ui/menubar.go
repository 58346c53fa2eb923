package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"realword/ui/i18n"
)

// menuBar is the window's menus, made from the table of actions.
type menuBar struct {
	main  *fyne.MainMenu
	items []menuEntry
}

type menuEntry struct {
	item *fyne.MenuItem
	a    action
}

// newMenuBar makes the menus. What can be done and what is on comes with refresh.
func (w *Window) newMenuBar() *menuBar {
	b := &menuBar{main: fyne.NewMainMenu()}
	for m, name := range map[menu]string{menuFile: i18n.T("File"), menuEdit: i18n.T("Edit"), menuRun: i18n.T("Run"), menuModels: i18n.T("Models"), menuView: i18n.T("View"), menuHelp: i18n.T("Help")} {
		entries := fyne.NewMenu(name)
		for _, a := range w.table.list {
			if a.menu != m {
				continue
			}
			if a.id == "" {
				if n := len(entries.Items); n > 0 && !entries.Items[n-1].IsSeparator {
					entries.Items = append(entries.Items, fyne.NewMenuItemSeparator())
				}
				continue
			}
			item := fyne.NewMenuItem(a.label, func() { w.performKey(a) })
			item.IsQuit = a.id == "file.quit"
			if s, err := parseStroke(a.key); err == nil {
				item.Shortcut = s.shortcuts()[0]
			}
			entries.Items = append(entries.Items, item)
			b.items = append(b.items, menuEntry{item, a})
		}
		for len(b.main.Items) <= int(m) {
			b.main.Items = append(b.main.Items, nil)
		}
		b.main.Items[m] = entries
	}
	b.main.Items = slices.DeleteFunc(b.main.Items, func(m *fyne.Menu) bool { return m == nil || len(m.Items) == 0 })
	return b
}

// refresh shows what can be done now; the menus are drawn anew only when that has changed.
func (b *menuBar) refresh() {
	changed := false
	for _, e := range b.items {
		off := e.a.can != nil && !e.a.can()
		on := e.a.on != nil && e.a.on()
		changed = changed || e.item.Disabled != off || e.item.Checked != on
		e.item.Disabled, e.item.Checked = off, on
	}
	if changed {
		b.main.Refresh()
	}
}

// bind gives the keyboard and the menus the table of actions with the user's keys.
func (w *Window) bind() {
	for _, s := range w.heard {
		w.win.Canvas().RemoveShortcut(s)
	}
	w.heard = nil
	w.table = newTable(w.allActions(), w.prefs.Keys)
	w.keys()
	w.menus = w.newMenuBar()
	w.menus.refresh()
	w.win.SetMainMenu(w.menus.main)
}
