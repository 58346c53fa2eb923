package stage

import (
	"image"

	"fyne.io/fyne/v2"

	"realword/ui/i18n"
	"realword/ui/state"
)

// Carried is a file that is dragged over windows of other programs, while a button is held.
type Carried interface {
	Move()             // the pointer is somewhere else now
	Drop() <-chan bool // it is let go; whether a window has taken it comes once
	Cancel()           // it is not let go there
}

// carrying is a picture that is dragged: the one that was there at its first move, whatever comes into view before it is let go.
type carrying struct {
	shot   *state.Shot // nil: none
	small  image.Image // that follows the pointer
	out    Carried     // once it has left the window; nil before
	failed bool        // it cannot leave it
	gone   error       // why its file cannot be given to others; nil: it is there, or nobody knows yet
}

// outside tells whether a place is beyond the window.
func (p *Panel) outside(at fyne.Position) bool {
	size := p.host.Layers.Canvas().Size()
	return at.X < 0 || at.Y < 0 || at.X >= size.Width || at.Y >= size.Height
}

// carry drags a picture of the window (nil: none) to a place, or the one that is dragged already: a small one follows the pointer, and
// beyond the window its file goes over other programs.
func (p *Panel) carry(shot *state.Shot, at fyne.Position) {
	c, out := &p.carried, p.outside(at)
	switch {
	case c.shot != nil:
	case shot == nil:
		return
	default:
		c.shot = new(*shot)
		c.small = Small(*shot)
		if kept := c.shot; kept.Path != "" {
			p.host.Background(func() func() { // which takes long where a drive does not answer
				_, err := state.Stat(kept.Path)
				return func() {
					if c.shot == kept {
						c.gone = err
					}
				}
			})
		}
	}
	if out {
		p.host.Ghost.Gone() // else a part of it is left at the border
	} else {
		p.host.Ghost.Follow(c.small, at)
	}
	if c.out == nil && !c.failed && out && (c.shot.Path != "" || c.shot.Pixels) && p.host.Carry != nil {
		path, err := c.shot.Path, c.gone
		if path == "" {
			path, err = p.host.Lend(*c.shot)
		}
		if err == nil {
			c.out, err = p.host.Carry(path)
		}
		if err != nil {
			c.out, c.failed = nil, true
			p.host.Change(func(s *state.State) { s.ActionErr = err })
		}
	}
	if c.out != nil {
		c.out.Move()
	}
}

// letGo drops the picture that is dragged.
func (p *Panel) letGo(at fyne.Position) {
	c := p.carried
	if c.shot == nil {
		return
	}
	p.host.Ghost.Gone()
	p.carried = carrying{}
	switch out := p.outside(at); {
	case out && c.out != nil:
		done := c.out.Drop()
		go func() {
			if !<-done {
				p.host.Post(func() { p.say(i18n.T("No other program has taken the picture.")) })
			}
		}()
	case out && p.host.Carry == nil:
		p.say(i18n.T("Pictures cannot be dragged out of the window here: copy the file (%s), or show its folder.",
			p.host.Commands.KeyOf("picture.file")))
	case !out:
		if c.out != nil {
			c.out.Cancel()
		}
		p.OnDropped(*c.shot, at)
	}
}

// say tells something about what is in view.
func (p *Panel) say(text string) {
	p.host.Change(func(s *state.State) { s.Told = s.Tell(text) })
}
