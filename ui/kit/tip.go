package kit

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
	text  *Line
	box   *fyne.Container
	owner fyne.CanvasObject // whose text is seen, or will be
}

// tipDelay is how long the pointer rests before the text comes.
const tipDelay = 450 * time.Millisecond

func NewTips() *tips {
	t := &tips{text: NewLine("", theme.ColorNameForeground, theme.SizeNameCaptionText)}
	t.box = container.NewStack(NewPlate(ColorRaised, ColorLine, 6), container.New(Inset{9, 5}, t.text))
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
	t.text.Set(text)
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

// Tip is the hover text of one object. The zero tip shows nothing.
type Tip struct {
	Text  func() string // nil or "": none
	layer *tips
	timer *time.Timer
}

// Rest begins to wait for the text of o, under which the pointer has come.
func (p *Tip) Rest(o fyne.CanvasObject) {
	p.Leave(o)
	if p.Text == nil {
		return
	}
	if p.layer = tipsOver(o); p.layer == nil {
		return
	}
	layer := p.layer
	layer.owner = o
	p.timer = time.AfterFunc(tipDelay, func() {
		fyne.Do(func() {
			if text := p.Text(); layer.owner == o && text != "" && o.Visible() {
				layer.show(o, text)
			}
		})
	})
}

// Leave takes the text back.
func (p *Tip) Leave(o fyne.CanvasObject) {
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.layer != nil && p.layer.owner == o {
		p.layer.owner = nil
		p.layer.box.Hide()
	}
}

// IconButton is a button that is only an icon. Its name is what a screen reader says and what comes up under the pointer.
type IconButton struct {
	Button
	Name      string
	Tip       Tip
	OnPointed func(in bool) // the pointer has come or gone; nil: nobody asks
}

// SmallButton is a button with an icon, in a size that several fit into a row. The name says what it does.
func SmallButton(name string, icon fyne.Resource, tapped func()) *IconButton {
	b := &IconButton{Name: name}
	b.Make(b, icon, tapped)
	b.Tip.Text = func() string { return b.Name }
	b.ExtendBaseWidget(b)
	return b
}

func (b *IconButton) Make(self fyne.CanvasObject, icon fyne.Resource, tapped func()) {
	b.self, b.Icon, b.Importance = self, icon, widget.LowImportance
	b.OnTapped = func() { b.Tip.Leave(self); tapped() }
}

// AccessibilityLabel implements fyne.Accessible.
func (b *IconButton) AccessibilityLabel() string { return b.Name }

// MouseIn implements desktop.Hoverable.
func (b *IconButton) MouseIn(e *desktop.MouseEvent) {
	b.Button.MouseIn(e)
	b.Tip.Rest(b.self)
	b.point(true)
}

// MouseOut implements desktop.Hoverable.
func (b *IconButton) MouseOut() {
	b.Button.MouseOut()
	b.Tip.Leave(b.self)
	b.point(false)
}

func (b *IconButton) point(in bool) {
	if b.OnPointed != nil {
		b.OnPointed(in)
	}
}
