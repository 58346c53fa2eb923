package command

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Context is the menu of a kind of thing: actions of the table by their names, "" for a line between. What is under the pointer is
// chosen first, so that the actions mean it.
type Context []string

// Items are entries of actions of the table as the menus of the window have them: the same label and key, and enabled and on as there.
// An action that the window has not got is left out.
func (k *Commands) Items(ids ...string) (items []*fyne.MenuItem) {
	line := false
	for _, id := range ids {
		if id == "" {
			line = len(items) > 0
			continue
		}
		a, ok := k.find(id)
		if !ok {
			continue
		}
		if line {
			items, line = append(items, fyne.NewMenuItemSeparator()), false
		}
		item := fyne.NewMenuItem(a.Label, func() { k.Perform(a) })
		if s, err := ParseStroke(a.Key); err == nil {
			item.Shortcut = hint{s}
		}
		item.Disabled, item.Checked = a.Can != nil && !a.Can(), a.On != nil && a.On()
		items = append(items, item)
	}
	return items
}

// hint is a key that is shown beside an entry of a menu that listens to none.
type hint struct{ Stroke }

func (h hint) ShortcutName() string  { return "context:" + h.String() }
func (h hint) Key() fyne.KeyName     { return shownKey(h.Stroke.Key) }
func (h hint) Mod() fyne.KeyModifier { return h.Stroke.Mod }

func (k *Commands) find(id string) (Action, bool) {
	for _, a := range k.Table.List {
		if a.ID == id {
			return a, true
		}
	}
	return Action{}, false
}

// Popup shows entries as a menu at a place of the window; gone is called when it goes, before an entry that was clicked acts. Without
// entries it shows nothing.
func (k *Commands) Popup(at fyne.Position, items []*fyne.MenuItem, gone func()) {
	if len(items) == 0 || k.Closing() {
		return
	}
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), k.win.Canvas())
	menu.OnDismiss = func() {
		menu.Hide()
		gone()
	}
	menu.ShowAtPosition(at)
}

// Menu shows the menu of a kind of thing at a place of the window.
func (k *Commands) Menu(at fyne.Position, c Context) { k.Popup(at, k.Items(c...), func() {}) }

// MenuOfFocus shows the menu of what has the focus, as a click with the other button on its middle does; elsewhere is shown where nothing
// with a menu has it.
func (k *Commands) MenuOfFocus(elsewhere fyne.CanvasObject) {
	o, _ := k.win.Canvas().Focused().(fyne.CanvasObject)
	menu, ok := o.(fyne.SecondaryTappable)
	if !ok {
		o = elsewhere
		menu, ok = o.(fyne.SecondaryTappable)
	}
	if ok {
		middle := fyne.NewPos(o.Size().Width/2, o.Size().Height/2)
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Add(middle)
		menu.TappedSecondary(&fyne.PointEvent{Position: middle, AbsolutePosition: at})
	}
}
