package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Follower keeps the newest of a row of things in view, and the one that was chosen. Who scrolls to older ones while the newest is shown
// is left there; it follows again once the newest has come into view, or another one was chosen.
type Follower struct {
	scroll  *container.Scroll
	at, all int  // what was followed last, of how many; at is -1 at the beginning
	away    bool // scrolled by hand to where the newest is not seen
	last    fyne.CanvasObject
	shown   fyne.CanvasObject // what was followed last
}

// Follow has a scroll follow. It takes its OnScrolled.
func Follow(scroll *container.Scroll) *Follower {
	f := &Follower{scroll: scroll, at: -1}
	scroll.OnScrolled = func(fyne.Position) { f.away = f.last != nil && !f.sees(f.last) }
	return f
}

// sees tells whether most of an object of the content is in view.
func (f *Follower) sees(o fyne.CanvasObject) bool {
	at, size, view := o.Position().Subtract(f.scroll.Offset), o.Size(), f.scroll.Size()
	return at.X > -size.Width/2 && at.Y > -size.Height/2 && at.X+size.Width/2 < view.Width && at.Y+size.Height/2 < view.Height
}

// Forget has it begin anew: other things are in the row.
func (f *Follower) Forget() { f.at, f.all, f.away, f.last, f.shown = -1, 0, false, nil, nil }

// Show brings one of the things into view where it is another one than before; -1 is the newest, which is the last.
func (f *Follower) Show(things []fyne.CanvasObject, chosen int) {
	if chosen < 0 {
		chosen = len(things) - 1
	}
	if len(things) == 0 || chosen >= len(things) || f.scroll.Size().IsZero() { // before it was laid out nothing can be in view
		f.Forget()
		return
	}
	on := f.at >= 0 && f.at == f.all-1 && chosen == len(things)-1 // from newest to newest
	same := f.at == chosen && f.all == len(things)
	if f.at == chosen && !on { // an older one stays in view while others come
		same = true
	}
	f.at, f.all, f.last, f.shown = chosen, len(things), things[len(things)-1], things[chosen]
	if same || on && f.away {
		return
	}
	f.away = false
	f.scroll.Refresh() // what has come just now has a place after it
	f.bring(f.shown)
}

// Resize gives the scroll its size. What was followed and in view stays in view.
func (f *Follower) Resize(size fyne.Size) {
	if size == f.scroll.Size() {
		return
	}
	seen := f.shown != nil && f.sees(f.shown)
	away := f.away
	f.scroll.Resize(size)
	if seen && size.Width > 0 && size.Height > 0 {
		f.bring(f.shown)
		f.away = away
	}
}

// bring scrolls as little as is needed to have an object of the content in view.
func (f *Follower) bring(o fyne.CanvasObject) {
	to, size, view := f.scroll.Offset, o.Size(), f.scroll.Size()
	into := func(offset, at, side, room float32) float32 {
		const around = 8
		return max(min(offset, at-around), at+side+around-room, 0)
	}
	to.X, to.Y = into(to.X, o.Position().X, size.Width, view.Width), into(to.Y, o.Position().Y, size.Height, view.Height)
	if to != f.scroll.Offset {
		f.scroll.ScrollToOffset(to)
	}
}
