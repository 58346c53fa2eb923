package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/preferences"
	"realword/ui/stage"
	"realword/ui/subjects"
)

// startSize is the size that the window begins with.
func startSize(r preferences.Room) fyne.Size {
	if r.Width < smallest.Width || r.Height < smallest.Height {
		return fyne.NewSize(1240, 800)
	}
	return fyne.NewSize(r.Width, r.Height)
}

// folds are the parts of the window that are folded away.
type folds struct{ left, right, prompt bool }

// columns are the three columns of the window. The outer ones and the prompt fold away, so that the picture gets their room.
type columns struct {
	body                *fyne.Container
	left, middle, right *fyne.Container
	prompt              *fyne.Container // above the picture
	lower               *fyne.Container // the picture and what lies under it
	run                 *fyne.Container // for the head of the window while the right column is away
	buttons             []*command.ToolButton
	tabs                *tabs // of the right column

	room   func() preferences.Room
	live   preferences.Room // while a handle is being dragged
	held   bool
	keep   func(preferences.Room)
	folded func() folds
	fold   func(folds)
	narrow func(level int, low bool)     // the prompt is to take the room of a level; low: in a low window
	below  func() (height, film float32) // of what lies under the picture, without the film, and of the film at least
	resize func()                        // everything has another size
}

// build puts the columns beside one another. over takes the place of lower for a while.
func (c *columns) build(over fyne.CanvasObject) fyne.CanvasObject {
	c.middle = container.New(middle{kit.Gapped{Gap: middleGap}, c.tighten}, c.prompt,
		kit.PanelOf(lowerMargin, container.NewStack(c.lower, over)))
	frame := kit.Columns{Left: 286, Right: 276, Gap: 10, Least: 380}
	frame.Wish = func() (left, right float32) { return c.now().Left, c.now().Right }
	handle := func(panel *fyne.Container, set func(r *preferences.Room, width float32), sign float32) *kit.Handle {
		h := kit.NewHandle(false, i18n.T("Drag to make the panel wider or narrower"))
		var width float32
		h.Moved = func(by float32) {
			if !c.held {
				width = panel.Size().Width
			}
			width += sign * by
			r := c.now()
			set(&r, max(width, 1))
			c.try(r, false)
		}
		h.Ended = func() { c.try(c.now(), true) }
		h.Double = func() {
			r := c.now()
			set(&r, 0)
			c.try(r, true)
		}
		return h
	}
	c.body = container.New(frame, c.left, c.middle, c.right, handle(c.left, func(r *preferences.Room, w float32) { r.Left = w }, 1),
		handle(c.right, func(r *preferences.Room, w float32) { r.Right = w }, -1))
	return c.body
}

// now is how the room is divided at this moment.
func (c *columns) now() preferences.Room {
	if c.held {
		return c.live
	}
	return c.room()
}

// try divides the room otherwise; settled keeps that.
func (c *columns) try(r preferences.Room, settled bool) {
	c.live, c.held = r, !settled
	if settled {
		c.keep(r)
	}
	c.body.Refresh()
	c.resize()
}

// sizes and setSizes are what the stage knows of the room.
func (c *columns) sizes() stage.Sizes {
	r := c.now()
	return stage.Sizes{Film: stage.Fold(r.Film), Zoom: r.Zoom, Thumb: r.Thumb}
}

func (c *columns) setSizes(s stage.Sizes, settled bool) {
	r := c.now()
	r.Film, r.Zoom, r.Thumb = string(s.Film), s.Zoom, s.Thumb
	c.try(r, settled)
}

// half is the least height of the picture: half of the window.
func (c *columns) half() float32 {
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c.body); canvas != nil {
		return canvas.Size().Height/2 + 12 // the picture does not reach to the edges of its place
	}
	return 0
}

// middle is the prompt above the picture.
type middle struct {
	kit.Gapped
	before func(fyne.Size) // it is laid out
}

const middleGap, lowerMargin = 10, 8 // between the prompt and the panel of the picture, and inside of that

func (m middle) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	m.before(size)
	m.Gapped.Layout(objects, size)
}

// tight is the height of a window, in units that grow with the texts, below which the picture has half of it only if the prompt
// takes one row for its words.
const tight = 460

// tighten has the prompt take no more room than leaves the picture half of the window and the film its place; where that is not to be had,
// what is said of the picture and done with it comes first. In a low window with large texts its words have one row from the outset.
func (c *columns) tighten(size fyne.Size) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c.body)
	if canvas == nil || c.narrow == nil {
		return
	}
	low, first := canvas.Size().Height < tight*kit.TextScale(), 0
	if low {
		first = subjects.LowLevel
	}
	c.prompt.Resize(fyne.NewSize(size.Width, c.prompt.Size().Height)) // what flows knows its height only for a width
	rest, film := c.below()
	for _, want := range []float32{rest + film, rest} {
		for level := first; level < subjects.Levels; level++ {
			c.narrow(level, low)
			if size.Height-c.prompt.MinSize().Height-middleGap-2*lowerMargin >= c.half()+want {
				return
			}
		}
	}
}

// again lays the middle out anew: what lies under the picture needs another height, for which the prompt may have to give way.
func (c *columns) again() {
	c.relay()
	c.lower.Refresh()
}

// relay lays the middle out anew: its words may need another row.
func (c *columns) relay() {
	if c.middle != nil {
		c.middle.Layout.Layout(c.middle.Objects, c.middle.Size())
	}
}

// button is one that folds a column away.
func (c *columns) button(of *command.Commands, id, x string) *command.ToolButton {
	t := command.NewToolButton(of, id, theme.NewThemedResource(kit.Icon("panel"+x+".svg", `M3 5h18v14H3zM5 7v10h14V7zM`+x+` 7h5v10h-5z`)))
	t.Plain = true
	c.buttons = append(c.buttons, t)
	return t
}

// refresh folds away what the user wants away.
func (c *columns) refresh() {
	away := func(o *fyne.Container, hidden bool) bool {
		changed := o.Hidden != hidden
		o.Hidden = hidden
		return changed
	}
	f := c.folded()
	changes := []bool{away(c.left, f.left), away(c.right, f.right), away(c.prompt, f.prompt), away(c.run, !f.right)}
	if slices.Contains(changes, true) {
		c.body.Refresh()
		c.resize()
		if canvas := fyne.CurrentApp().Driver().CanvasForObject(c.body); canvas != nil {
			kit.LetGo(canvas)
		}
	}
	for _, b := range c.buttons {
		b.Follow()
	}
}

func (c *columns) actions() []command.Action {
	set := func(change func(*folds)) func() {
		return func() { f := c.folded(); change(&f); c.fold(f) }
	}
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.left", Menu: command.MenuView, Label: i18n.T("Subjects panel"), About: i18n.T("Folds it away, or shows it again."), Key: "T",
			Do: set(func(f *folds) { f.left, f.prompt = !f.left, false }), On: func() bool { return !c.folded().left },
		},
		{
			ID: "view.right", Menu: command.MenuView, Label: i18n.T("Settings panel"), About: i18n.T("Folds it away, or shows it again."), Key: "G",
			Do: set(func(f *folds) { f.right, f.prompt = !f.right, false }), On: func() bool { return !c.folded().right },
		},
		{
			ID: "view.panels", Menu: command.MenuView, Label: i18n.T("Only the picture"), Key: "F",
			Do: set(func(f *folds) { *f = folds{!f.prompt, !f.prompt, !f.prompt} }), On: func() bool { return c.folded().prompt },
		},
	}
}
