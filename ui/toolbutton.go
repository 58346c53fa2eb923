package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/ui/kit"
)

// toolButton does the action of a name in the table, and says its label and key. It is drawn as pressed while the action is on.
type toolButton struct {
	kit.IconButton
	w     *Window
	id    string
	plain bool // never drawn as pressed
}

func newToolButton(w *Window, id string, icon fyne.Resource) *toolButton {
	t := &toolButton{w: w, id: id}
	t.Make(t, icon, func() {
		if a := t.action(); a != nil {
			w.perform(*a)
		}
	})
	t.Tip.Text = func() string {
		a := t.action()
		if a == nil {
			return t.Name
		}
		if s, err := parseStroke(a.key); err == nil {
			return t.Name + "   " + s.String()
		}
		return t.Name
	}
	t.ExtendBaseWidget(t)
	return t
}

func (t *toolButton) action() *action {
	for i := range t.w.table.list {
		if t.w.table.list[i].id == t.id {
			return &t.w.table.list[i]
		}
	}
	return nil
}

// refresh shows whether the action can be done and is on.
func (t *toolButton) refresh() {
	a := t.action()
	if a == nil {
		return
	}
	t.Name = a.label
	want := widget.LowImportance
	if a.on != nil && a.on() && !t.plain {
		want = widget.MediumImportance
	}
	if t.Importance != want {
		t.Importance = want
		t.Refresh()
	}
	kit.Enable(t, a.can == nil || a.can())
}
