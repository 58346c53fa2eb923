package command

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/ui/kit"
)

// ToolButton does the action of a name in the table, and says its label and key. It is drawn as pressed while the action is on.
type ToolButton struct {
	kit.IconButton
	c     *Commands
	id    string
	Plain bool // never drawn as pressed
}

func NewToolButton(c *Commands, id string, icon fyne.Resource) *ToolButton {
	t := &ToolButton{c: c, id: id}
	t.Make(t, icon, func() {
		if a := t.action(); a != nil {
			c.Perform(*a)
		}
	})
	t.Tip.Text = func() string {
		a := t.action()
		if a == nil {
			return t.Name
		}
		name := t.Name
		if s, err := ParseStroke(a.Key); err == nil {
			name += "   " + s.Shown()
		}
		return kit.Two(name, a.About)
	}
	t.ExtendBaseWidget(t)
	return t
}

func (t *ToolButton) action() *Action {
	for i := range t.c.Table.List {
		if t.c.Table.List[i].ID == t.id {
			return &t.c.Table.List[i]
		}
	}
	return nil
}

// Follow shows whether the action can be done and is on.
func (t *ToolButton) Follow() {
	a := t.action()
	if a == nil {
		return
	}
	t.Name = a.Label
	want := widget.LowImportance
	if a.On != nil && a.On() && !t.Plain {
		want = widget.MediumImportance
	}
	if t.Importance != want {
		t.Importance = want
		t.Refresh()
	}
	kit.Enable(t, a.Can == nil || a.Can())
}
