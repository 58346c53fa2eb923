package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// tips is the layer over a window or a sheet on which a short text explains what lies under a resting pointer. It takes no
// events itself. It is the last object of the window's content, or of the sheet's.
type tips struct {
	widget.BaseWidget
	text  *line
	box   *fyne.Container
	owner fyne.CanvasObject // whose text is seen, or will be
}

// tipDelay is how long the pointer rests before the text comes.
const tipDelay = 450 * time.Millisecond

func newTips() *tips {
	t := &tips{text: newLine("", theme.ColorNameForeground, theme.SizeNameCaptionText)}
	t.box = container.NewStack(newPlate(colorRaised, colorLine, 6), container.New(inset{9, 5}, t.text))
	t.box.Hide()
	t.ExtendBaseWidget(t)
	return t
}

func (t *tips) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout(t.box))
}

// tipsOver finds the layer over an object: that of the sheet in front, or of the window; nil where there is none.
func tipsOver(o fyne.CanvasObject) *tips {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return nil
	}
	root := c.Content()
	if pop, ok := c.Overlays().Top().(*widget.PopUp); ok {
		root = pop.Content
	}
	if layers, ok := root.(*fyne.Container); ok && len(layers.Objects) > 0 {
		t, _ := layers.Objects[len(layers.Objects)-1].(*tips)
		return t
	}
	return nil
}

// show puts the text of an object beside it: below it, or above where the window ends, and never past the window's edges.
func (t *tips) show(o fyne.CanvasObject, text string) {
	d := fyne.CurrentApp().Driver()
	at, origin, room := d.AbsolutePositionForObject(o), d.AbsolutePositionForObject(t), t.Size()
	t.text.set(text)
	size := t.box.MinSize()
	size.Width = min(size.Width, max(room.Width-8, 1))
	at = at.Subtract(origin)
	x := min(max(at.X+(o.Size().Width-size.Width)/2, 4), max(room.Width-size.Width-4, 0))
	y := at.Y + o.Size().Height + 4
	if y+size.Height > room.Height-4 {
		y = at.Y - size.Height - 4
	}
	t.box.Move(fyne.NewPos(x, y))
	t.box.Resize(size)
	t.box.Show()
	canvas.Refresh(t) // what was never drawn cannot ask for it
}

// tip is the hover text of one object. The zero tip shows nothing.
type tip struct {
	text  func() string // nil or "": none
	layer *tips
	timer *time.Timer
}

// rest begins to wait for the text of o, under which the pointer has come.
func (p *tip) rest(o fyne.CanvasObject) {
	p.leave(o)
	if p.text == nil {
		return
	}
	if p.layer = tipsOver(o); p.layer == nil {
		return
	}
	layer := p.layer
	layer.owner = o
	p.timer = time.AfterFunc(tipDelay, func() {
		fyne.Do(func() {
			if text := p.text(); layer.owner == o && text != "" && o.Visible() {
				layer.show(o, text)
			}
		})
	})
}

// leave takes the text back.
func (p *tip) leave(o fyne.CanvasObject) {
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.layer != nil && p.layer.owner == o {
		p.layer.owner = nil
		p.layer.box.Hide()
	}
}

// iconButton is a button that is only an icon. Its name is what a screen reader says and what comes up under the pointer.
type iconButton struct {
	button
	name string
	tip  tip
}

// smallButton is a button with an icon, in a size that several fit into a row. The name says what it does.
func smallButton(name string, icon fyne.Resource, tapped func()) *iconButton {
	b := &iconButton{name: name}
	b.make(b, icon, tapped)
	b.tip.text = func() string { return b.name }
	b.ExtendBaseWidget(b)
	return b
}

func (b *iconButton) make(self fyne.CanvasObject, icon fyne.Resource, tapped func()) {
	b.self, b.Icon, b.Importance = self, icon, widget.LowImportance
	b.OnTapped = func() { b.tip.leave(self); tapped() }
}

// AccessibilityLabel implements fyne.Accessible.
func (b *iconButton) AccessibilityLabel() string { return b.name }

// MouseIn implements desktop.Hoverable.
func (b *iconButton) MouseIn(e *desktop.MouseEvent) { b.button.MouseIn(e); b.tip.rest(b.self) }

// MouseOut implements desktop.Hoverable.
func (b *iconButton) MouseOut() { b.button.MouseOut(); b.tip.leave(b.self) }

// toolButton does the action of a name in the table, and says its label and key. It is drawn as pressed while the action is on.
type toolButton struct {
	iconButton
	w     *Window
	id    string
	plain bool // never drawn as pressed
}

func newToolButton(w *Window, id string, icon fyne.Resource) *toolButton {
	t := &toolButton{w: w, id: id}
	t.make(t, icon, func() {
		if a := t.action(); a != nil {
			w.perform(*a)
		}
	})
	t.tip.text = func() string {
		a := t.action()
		if a == nil {
			return t.name
		}
		if s, err := parseStroke(a.key); err == nil {
			return t.name + "   " + s.String()
		}
		return t.name
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
	t.name = a.label
	want := widget.LowImportance
	if a.on != nil && a.on() && !t.plain {
		want = widget.MediumImportance
	}
	if t.Importance != want {
		t.Importance = want
		t.Refresh()
	}
	enable(t, a.can == nil || a.can())
}
