package kit

import (
	"image"
	"reflect"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Explained says in a sentence what it is for: under a resting pointer, and when the keyboard reaches it.
type Explained interface{ Explanation() string }

// tips is the layer over a window or a sheet on which a short text, and sometimes a picture, explains what lies under a resting pointer.
// It takes no events itself. It is the last object of the window's content, or of the sheet's.
type tips struct {
	widget.BaseWidget
	text    *widget.Label
	picture *canvas.Image
	inside  *fyne.Container // of the box: what it shows
	box     *fyne.Container
	owner   fyne.CanvasObject // whose text is seen, or will be
	of      *Tip              // that text, once it is seen
	at      fyne.Position     // where the owner was when its text came
	watched bool
}

// tipDelay is how long the pointer rests before the text comes, and keyDelay how long the keyboard does.
const (
	tipDelay = 450 * time.Millisecond
	keyDelay = 900 * time.Millisecond
)

// widestTip is how wide a text becomes before it goes on in another line.
const widestTip = 300

func NewTips() *tips {
	t := &tips{text: widget.NewLabel(""), picture: canvas.NewImageFromImage(nil)}
	t.text.SizeName = theme.SizeNameCaptionText
	t.picture.FillMode, t.picture.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleSmooth
	t.picture.Hide()
	t.inside = container.New(Stacked{Gap: 2}, t.picture, container.New(Inset{X: 3, Y: -2}, t.text))
	t.box = container.NewStack(NewPlate(ColorRaised, ColorLine, 6), t.inside)
	t.box.Hide()
	t.ExtendBaseWidget(t)
	return t
}

func (t *tips) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout(t.box))
}

// Resize takes the text back: what it is about has gone elsewhere.
func (t *tips) Resize(size fyne.Size) {
	if size != t.Size() {
		t.box.Hide()
	}
	t.BaseWidget.Resize(size)
}

// FollowTip makes the text that is seen over an object, such as the window's content, equal to what it is about, after anything has
// changed: it goes where that is no longer seen, or elsewhere, since nobody tells an object that the pointer has not left that it has gone.
func FollowTip(over fyne.CanvasObject) {
	if t := tipsOver(over); t != nil {
		t.follow()
	}
}

// follow tells whether a text is still seen.
func (t *tips) follow() bool {
	if t.of == nil || t.owner == nil || !t.box.Visible() {
		return false
	}
	text := t.of.Explanation()
	switch {
	case text == "" || !shown(t.owner) || placeOf(t.owner) != t.at:
		t.of.Leave(t.owner)
		return false
	case text != t.text.Text:
		t.of.Show(t.owner)
	}
	return true
}

// dropTip takes back the text that is seen on a content, or is about to come: something has come up over what it is about.
func dropTip(content fyne.CanvasObject) {
	if t := tipsOf(content); t != nil {
		t.owner = nil
		t.box.Hide()
	}
}

// shown tells whether an object is seen: what lies in something hidden has no place.
func shown(o fyne.CanvasObject) bool {
	return rootOver(o) != nil && !placeOf(o).IsZero()
}

// placeOf is where an object is in its window; nowhere is 0, 0.
func placeOf(o fyne.CanvasObject) fyne.Position {
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
}

// rootOver is what is in front: the sheet, or the window's content; nil before that is there.
func rootOver(o fyne.CanvasObject) fyne.CanvasObject {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return nil
	}
	if content := sheetOf(c.Overlays().Top()); content != nil {
		return content
	}
	return c.Content()
}

// sheetOf is the content of a sheet that lies over a window; nil: there is none. Fyne puts a sheet into a container that is not public.
func sheetOf(overlay fyne.CanvasObject) fyne.CanvasObject {
	v := reflect.Indirect(reflect.ValueOf(overlay))
	if v.Kind() != reflect.Struct {
		return nil
	}
	if in := v.FieldByName("Content"); in.IsValid() && in.CanInterface() {
		if pop, ok := in.Interface().(*widget.PopUp); ok {
			return pop.Content
		}
	}
	return nil
}

// tipsOver finds the layer over an object: that of the sheet in front, or of the window; nil where there is none.
func tipsOver(o fyne.CanvasObject) *tips {
	return tipsOf(rootOver(o))
}

// tipsOf is the layer of a content; nil: it has none.
func tipsOf(content fyne.CanvasObject) *tips {
	if layers, ok := content.(*fyne.Container); ok && len(layers.Objects) > 0 {
		t, _ := layers.Objects[len(layers.Objects)-1].(*tips)
		return t
	}
	return nil
}

// show puts the text of an object beside it, where it covers nothing that may be clicked next.
func (t *tips) show(o fyne.CanvasObject, text string, picture image.Image) {
	d := fyne.CurrentApp().Driver()
	at, origin, room := d.AbsolutePositionForObject(o), d.AbsolutePositionForObject(t), t.Size()
	width := min(widestTip*TextScale(), max(room.Width-8, 1))
	t.text.Wrapping = fyne.TextWrapOff
	t.text.SetText(text)
	if t.text.MinSize().Width > width {
		t.text.Wrapping = fyne.TextWrapWord
		t.text.Resize(fyne.NewSize(width, 1)) // it knows its height only for a width
		t.text.Refresh()
	}
	if t.picture.Hidden = picture == nil; picture != nil {
		t.picture.Image = picture
		side := picture.Bounds().Size()
		wide := min(0.75*float32(side.X)*max(TextScale(), 1), width)
		t.picture.SetMinSize(fyne.NewSize(wide, wide*float32(side.Y)/float32(side.X)))
		t.picture.Refresh()
	}
	size := t.box.MinSize()
	if t.text.Wrapping == fyne.TextWrapWord {
		size.Width = width + 6
	}
	size.Width = min(size.Width, max(room.Width-8, 1))
	t.box.Resize(size)
	t.box.Move(beside(boxOf(at.Subtract(origin), o.Size()), size, room, others(o, origin)))
	t.box.Show()
	canvas.Refresh(t) // what was never drawn cannot ask for it
}

// area is a rectangle of a layer.
type area struct{ at, to fyne.Position }

func boxOf(at fyne.Position, size fyne.Size) area { return area{at, at.Add(size)} }

// shared is how much two areas have in common, in square units.
func (a area) shared(b area) float32 {
	w := min(a.to.X, b.to.X) - max(a.at.X, b.at.X)
	h := min(a.to.Y, b.to.Y) - max(a.at.Y, b.at.Y)
	return max(w, 0) * max(h, 0)
}

// within is the part of an area that lies in another one.
func (a area) within(b area) area {
	a.at, a.to = fyne.NewPos(max(a.at.X, b.at.X), max(a.at.Y, b.at.Y)), fyne.NewPos(min(a.to.X, b.to.X), min(a.to.Y, b.to.Y))
	if a.to.X < a.at.X || a.to.Y < a.at.Y {
		return area{}
	}
	return a
}

func (a area) square() float32 { return (a.to.X - a.at.X) * (a.to.Y - a.at.Y) }

// wide is how large something is, such as the picture, that can be clicked beside a text as well, in square units.
const wide = 60000

// beside is the place of a text beside what it is about, in a room: as near as possible where it covers the least of what can be
// clicked, each by the share of it that is covered. It never covers what it is about where there is room elsewhere.
func beside(own area, size, room fyne.Size, others []area) fyne.Position {
	middle := fyne.NewPos((own.at.X+own.to.X-size.Width)/2, (own.at.Y+own.to.Y-size.Height)/2)
	var best fyne.Position
	least := float32(-1)
	try := func(p fyne.Position, far float32) {
		p.X = min(max(p.X, 4), max(room.Width-size.Width-4, 0))
		p.Y = min(max(p.Y, 4), max(room.Height-size.Height-4, 0))
		here := boxOf(p, size)
		cost := far / 2500
		if here.shared(own) > 0 {
			cost += 100
		}
		for _, o := range others {
			switch share := here.shared(o) / max(o.square(), 1); {
			case o.square() > wide:
				cost += share / 8
			case share > 0:
				cost += share + 0.3
			}
		}
		if least < 0 || cost < least {
			best, least = p, cost
		}
	}
	for far := float32(4); far < 420; far += 26 {
		for i, x := range [...]float32{middle.X, own.at.X, own.to.X - size.Width} {
			try(fyne.NewPos(x, own.to.Y+far), far+float32(i))
			try(fyne.NewPos(x, own.at.Y-far-size.Height), far+float32(i))
		}
		for i, y := range [...]float32{middle.Y, own.at.Y, own.to.Y - size.Height, own.to.Y, own.at.Y - size.Height} {
			try(fyne.NewPos(own.to.X+far, y), far+float32(i))
			try(fyne.NewPos(own.at.X-far-size.Width, y), far+float32(i))
		}
	}
	return best
}

// others are the places, from an origin on, of what else can be clicked where an object is.
func others(self fyne.CanvasObject, origin fyne.Position) (list []area) {
	d := fyne.CurrentApp().Driver()
	room := area{to: fyne.NewPos(1e6, 1e6)}
	var walk func(o fyne.CanvasObject, seen area)
	walk = func(o fyne.CanvasObject, seen area) {
		if o == nil || o == self || !o.Visible() {
			return
		}
		if _, border := o.(*Handle); border {
			return
		}
		if h, holds := o.(interface{ Inside() fyne.CanvasObject }); holds {
			walk(h.Inside(), seen)
			return
		}
		if Interactive(o) {
			if here := boxOf(d.AbsolutePositionForObject(o).Subtract(origin), o.Size()).within(seen); here.square() > 0 {
				list = append(list, here)
			}
			return
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c, seen)
			}
		case *container.Scroll:
			walk(o.Content, boxOf(d.AbsolutePositionForObject(o).Subtract(origin), o.Size()).within(seen))
		case *Themed:
			walk(o.Content, seen)
		}
	}
	walk(rootOver(self), room)
	return list
}

// Interactive tells whether something does something when it is clicked, dragged or typed into. What only holds others does not.
func Interactive(o fyne.CanvasObject) bool {
	switch o.(type) {
	case *container.Scroll, *widget.PopUp, *tips, *Told, *ground:
		return false
	case fyne.Tappable, fyne.Draggable, fyne.Focusable, desktop.Mouseable:
	default:
		return false
	}
	name := reflect.TypeOf(o).Elem().Name()
	return name != "OverlayContainer" && !strings.HasPrefix(name, "entryContent") && !strings.HasPrefix(name, "scroll") // parts of Fyne's own
}

// Tip is the hover text of one object, which the keyboard's focus brings up as well. The zero tip shows nothing.
type Tip struct {
	Text    func() string      // nil or "": none
	Picture func() image.Image // over the text; nil: none
	whole   func() string      // what stands on the object where a part of it is cut, else ""; nil: nothing is
	layer   *tips
	timer   *time.Timer
	over    bool // the pointer is
}

// Explanation is the text as it is now.
func (p *Tip) Explanation() string {
	text := ""
	if p.Text != nil {
		text = p.Text()
	}
	if p.whole != nil {
		if whole := p.whole(); whole != "" {
			return Two(whole, text)
		}
	}
	return text
}

// Rest begins to wait for the text of o, under which the pointer has come.
func (p *Tip) Rest(o fyne.CanvasObject) {
	p.over = true
	p.wait(o, tipDelay)
}

// Reach begins to wait likewise, where the keyboard has reached o. A click, which brings the focus as well, brings no text.
func (p *Tip) Reach(o fyne.CanvasObject) {
	if !p.over {
		p.wait(o, keyDelay)
	}
}

func (p *Tip) wait(o fyne.CanvasObject, delay time.Duration) {
	p.Leave(o)
	if p.Text == nil && p.whole == nil {
		return
	}
	if p.layer = tipsOver(o); p.layer == nil {
		return
	}
	layer := p.layer
	layer.owner, layer.at = o, placeOf(o)
	if timed() {
		p.timer = time.AfterFunc(delay, func() { fyne.Do(func() { p.come(o, layer) }) })
	}
}

// come shows the text that was waited for, unless what it is about has gone or is elsewhere.
func (p *Tip) come(o fyne.CanvasObject, layer *tips) {
	if layer.owner == o && o.Visible() && placeOf(o) == layer.at {
		p.Show(o)
	}
}

// timed tells whether things come and go by themselves: the driver of tests has no goroutine of its own that they could on.
func timed() bool {
	_, real := fyne.CurrentApp().Driver().(desktop.Driver)
	return real
}

// Watch asks, on Fyne's goroutine and five times a second, whether what nobody tells the end of goes on still, until it does not. Tests ask
// themselves.
func Watch(still func() bool) {
	if timed() {
		time.AfterFunc(200*time.Millisecond, func() {
			fyne.Do(func() {
				if still() {
					Watch(still)
				}
			})
		})
	}
}

// Show shows the text at once.
func (p *Tip) Show(o fyne.CanvasObject) {
	if p.layer = tipsOver(o); p.layer == nil || p.Explanation() == "" {
		return
	}
	var picture image.Image
	if p.Picture != nil {
		picture = p.Picture()
	}
	p.layer.owner, p.layer.of, p.layer.at = o, p, placeOf(o)
	p.layer.show(o, p.Explanation(), picture)
	if layer := p.layer; !layer.watched { // nobody tells of what is scrolled away under a resting pointer, or closed
		layer.watched = true
		Watch(func() bool {
			layer.watched = layer.follow()
			return layer.watched
		})
	}
}

// Where is the place of the text on the screen, and its size, while it is seen.
func (p *Tip) Where() (fyne.Position, fyne.Size) {
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(p.layer.box), p.layer.box.Size()
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

// Out takes the text back of what the pointer has left.
func (p *Tip) Out(o fyne.CanvasObject) {
	p.over = false
	p.Leave(o)
}

// IconButton is a button that is only an icon. Its name is what a screen reader says and what comes up under the pointer.
type IconButton struct {
	Button
	Name      string
	about     string        // what it does, where the name does not say it
	OnPointed func(in bool) // the pointer has come or gone; nil: nobody asks
}

// SmallButton is a button with an icon, in a size that several fit into a row. The name says what it does.
func SmallButton(name string, icon fyne.Resource, tapped func()) *IconButton {
	b := &IconButton{Name: name}
	b.Make(b, icon, tapped)
	b.Tip.Text = func() string { return Two(b.Name, b.about) }
	b.ExtendBaseWidget(b)
	return b
}

// Two is a name and what it is about, where there is more to say.
func Two(name, about string) string {
	if about == "" {
		return name
	}
	return name + "\n" + about
}

// Explain has a sentence stand under the name, and answers the button.
func (b *IconButton) Explain(about string) *IconButton {
	b.about = about
	return b
}

func (b *IconButton) Make(self fyne.CanvasObject, icon fyne.Resource, tapped func()) {
	b.self, b.Icon, b.Importance = self, icon, widget.LowImportance
	b.OnTapped = tapped
}

// AccessibilityLabel implements fyne.Accessible.
func (b *IconButton) AccessibilityLabel() string { return b.Name }

// MouseIn implements desktop.Hoverable.
func (b *IconButton) MouseIn(e *desktop.MouseEvent) {
	b.Button.MouseIn(e)
	b.point(true)
}

// MouseOut implements desktop.Hoverable.
func (b *IconButton) MouseOut() {
	b.Button.MouseOut()
	b.point(false)
}

func (b *IconButton) point(in bool) {
	if b.OnPointed != nil {
		b.OnPointed(in)
	}
}

// Explainer lies over something of Fyne's that cannot explain itself, such as radio buttons, and explains it. Clicks go through.
type Explainer struct {
	widget.BaseWidget
	tip  Tip
	Over fyne.CanvasObject
}

var _ desktop.Hoverable = (*Explainer)(nil)

// Explain is an object with a sentence that comes up under the pointer.
func Explain(o fyne.CanvasObject, about string) *fyne.Container {
	e := &Explainer{Over: o}
	e.tip.Text = func() string { return about }
	e.ExtendBaseWidget(e)
	return container.NewStack(o, e)
}

func (e *Explainer) Explanation() string            { return e.tip.Explanation() }
func (e *Explainer) MouseIn(*desktop.MouseEvent)    { e.tip.Rest(e) }
func (e *Explainer) MouseMoved(*desktop.MouseEvent) {}
func (e *Explainer) MouseOut()                      { e.tip.Out(e) }
func (e *Explainer) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}
