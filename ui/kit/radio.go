package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Radio is a choice of one of a few, all of them seen. Unlike Fyne's own, its parts give on the keys that they have no use for, so that
// Esc closes what it is on.
type Radio struct {
	widget.DisableableWidget
	Options    []string
	Chosen     int // index of the chosen one, which others may look like; -1: none
	Horizontal bool
	OnChanged  func(chosen int)
	box        *fyne.Container
}

// NewRadio is a choice of which nothing is chosen yet.
func NewRadio(options ...string) *Radio {
	r := &Radio{Options: options, Chosen: -1, box: container.NewVBox()}
	r.ExtendBaseWidget(r)
	return r
}

// Choose chooses one.
func (r *Radio) Choose(i int) {
	if r.Chosen == i {
		return
	}
	r.Chosen = i
	if r.Refresh(); r.OnChanged != nil {
		r.OnChanged(i)
	}
}

// Refresh makes it equal to its fields.
func (r *Radio) Refresh() {
	r.follow()
	r.BaseWidget.Refresh()
}

func (r *Radio) follow() {
	r.box.Layout = Stacked{Gap: 2}
	if r.Horizontal {
		r.box.Layout = Row{Gap: 6}
	}
	for len(r.box.Objects) > len(r.Options) {
		r.box.Objects = r.box.Objects[:len(r.box.Objects)-1]
	}
	for i, option := range r.Options {
		if i == len(r.box.Objects) {
			r.box.Add(newRadioPart(r, i))
		}
		r.box.Objects[i].(*radioPart).show(option, i == r.Chosen, r.Disabled())
	}
	r.box.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (r *Radio) CreateRenderer() fyne.WidgetRenderer {
	r.follow()
	return widget.NewSimpleRenderer(r.box)
}

// radioPart is one of the choices.
type radioPart struct {
	widget.BaseWidget
	Press
	of      *Radio
	option  string
	chosen  bool
	hovered bool
	frame   *canvas.Rectangle
	icon    *widget.Icon
	text    *Line
	body    *fyne.Container
}

var (
	_ fyne.Focusable    = (*radioPart)(nil)
	_ fyne.Tappable     = (*radioPart)(nil)
	_ fyne.Accessible   = (*radioPart)(nil)
	_ desktop.Hoverable = (*radioPart)(nil)
)

func newRadioPart(of *Radio, i int) *radioPart {
	p := &radioPart{of: of, frame: canvas.NewRectangle(color.Transparent), icon: widget.NewIcon(nil)}
	p.text = NewLine("", theme.ColorNameForeground, theme.SizeNameText)
	p.frame.CornerRadius = 6
	p.body = container.NewStack(p.frame, container.New(Inset{X: 5, Y: 5},
		NewRow(6, container.New(Fixed{Width: 20, Height: 20}, p.icon), p.text)))
	p.Do = func() {
		if c := fyne.CurrentApp().Driver().CanvasForObject(p); c != nil {
			c.Focus(p)
		}
		if !of.Disabled() {
			of.Choose(i)
		}
	}
	p.Marked = p.mark
	p.ExtendBaseWidget(p)
	return p
}

func (p *radioPart) show(option string, chosen, off bool) {
	p.option, p.chosen = option, chosen
	icon, ink := theme.RadioButtonIcon(), theme.ColorNameForeground
	if chosen {
		icon = theme.NewPrimaryThemedResource(theme.RadioButtonCheckedIcon())
	}
	if off {
		ink = theme.ColorNameDisabled
	}
	p.icon.SetResource(icon)
	p.text.Color = ink
	p.text.Text = option
	p.text.Refresh()
	p.mark()
}

func (p *radioPart) mark() {
	p.frame.StrokeWidth = 0
	switch {
	case p.Focused:
		p.frame.StrokeColor, p.frame.StrokeWidth = theme.ColorForWidget(theme.ColorNameForeground, p), 2
	case p.hovered && !p.of.Disabled():
		p.frame.StrokeColor, p.frame.StrokeWidth = theme.ColorForWidget(ColorLine, p), 1
	}
	p.frame.Refresh()
}

// TypedKey chooses with Space and Enter, goes on with arrows, and leaves the rest to the window.
func (p *radioPart) TypedKey(e *fyne.KeyEvent) {
	at := map[fyne.KeyName]int{fyne.KeyUp: -1, fyne.KeyLeft: -1, fyne.KeyDown: 1, fyne.KeyRight: 1}[e.Name]
	switch {
	case Presses(e.Name):
		p.Press.TypedKey(e)
	case at != 0:
		for i, o := range p.of.box.Objects {
			if n := i + at; o == fyne.CanvasObject(p) && n >= 0 && n < len(p.of.box.Objects) {
				p.of.box.Objects[n].(*radioPart).Do()
				return
			}
		}
	default:
		HandOn(p, e)
	}
}

func (p *radioPart) MouseIn(*desktop.MouseEvent)    { p.hovered = true; p.mark() }
func (p *radioPart) MouseMoved(*desktop.MouseEvent) {}
func (p *radioPart) MouseOut()                      { p.hovered = false; p.mark() }

// AccessibilityLabel implements fyne.Accessible.
func (p *radioPart) AccessibilityLabel() string { return p.option }

// CreateRenderer implements fyne.Widget.
func (p *radioPart) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.body) }
