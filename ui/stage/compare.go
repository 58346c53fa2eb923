package stage

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"

	"realword/ui/state"
)

// contrast is a second picture to compare the one in view with: it is seen right of the split.
type contrast struct {
	on    bool
	other *state.Shot // nil: none
	split float32     // share of the seen part that the picture in view has
}

// Compared is the picture right of the split, nil while none is compared. It belongs to the panel.
func (p *Panel) Compared() *state.Shot {
	if !p.contrast.on {
		return nil
	}
	return p.contrast.other
}

// compare begins or ends comparing the picture in view with the one that was in view before it.
func (p *Panel) compare() {
	rival := p.rival()
	switch {
	case p.contrast.on:
		p.uncompare()
		p.endCompare()
	case !p.canCompare():
	case rival == nil:
		p.compareShot(p.unread())
	default:
		p.begin(rival)
		p.host.Refresh()
	}
}

// begin splits the stage.
func (p *Panel) begin(other *state.Shot) {
	if !p.contrast.on {
		p.uncompare = p.host.Layers.Opened(p.endCompare)
	}
	p.contrast = contrast{on: true, other: other, split: 0.5}
}

func (p *Panel) endCompare() {
	p.contrast.on = false
	p.host.Refresh()
}

func (p *Panel) canCompare() bool {
	return p.contrast.on || p.host.State().Shot() != nil && (p.rival() != nil || p.unread() >= 0)
}

// unread is a picture of the session that was not looked at since the program began, and can be: the newest one beside the one
// in view; -1 without one.
func (p *Panel) unread() int {
	s := p.host.State()
	for i, shot := range slices.Backward(s.Shots) {
		if i != s.View.Shot && shot.Image == nil && shot.Kept != 0 {
			return i
		}
	}
	return -1
}

// rival is the picture that the one in view is compared with: the one that was looked at before, or else its neighbour.
func (p *Panel) rival() *state.Shot {
	if p.seen == nil {
		return nil
	}
	same := func(s *state.Shot) bool { return s == nil || s.Image == nil || p.sees(s) }
	if !same(p.before) {
		return p.before
	}
	for _, shot := range slices.Backward(p.host.State().Shots) {
		if !same(&shot) {
			return &shot
		}
	}
	return nil
}

// sees tells whether a picture is the one that was in view last. One that was read again has other pixels.
func (p *Panel) sees(s *state.Shot) bool {
	return p.seen != nil && (s.Image == p.seen.Image || s.Kept != 0 && s.Kept == p.seen.Kept)
}

// look remembers which pictures were in view.
func (p *Panel) look(shot *state.Shot) {
	if shot == nil || shot.Image == nil || p.seen != nil && shot.Image == p.seen.Image {
		return
	}
	now := *shot
	if now.Film = nil; p.seen != nil && !p.sees(shot) { // else it was read again
		p.before = p.seen
		p.contrast.other = p.seen
	}
	p.seen = &now
}

// comparison names what differs between both pictures.
func (p *Panel) comparison() string {
	return state.ContrastText(state.Contrast(*p.seen, *p.contrast.other))
}

// cut moves the split, and tells whether there is one.
func (p *Panel) cut(split float32) bool {
	if !p.contrast.on || p.host.State().Shown() != nil {
		return false
	}
	p.contrast.split = split
	p.lens.held = false
	p.repaint()
	return true
}

// compareText compares the picture in view with what its words alone give at the same seed. That picture is made first, unless
// it is there.
func (p *Panel) compareText() {
	if !p.canCompareText() {
		return
	}
	s := p.host.State()
	shot := *s.Shot()
	if i := s.TextOnly(shot); i >= 0 {
		p.compareShot(i)
		return
	}
	p.host.Make(state.Task{Request: state.TextAlone(shot.Recipe), Thumb: Small(shot), Beside: &shot})
}

// canCompareText tells whether the picture in view has a counterpart of its words alone.
func (p *Panel) canCompareText() bool {
	s := p.host.State()
	shot := s.Shot()
	return shot != nil && shot.Image != nil && len(shot.Recipe.Subjects) > 0 && len(shot.Recipe.Seeds) == 1 && s.Model != nil &&
		(shot.Model == "" || s.Model.Named(shot.Model) || s.TextOnly(*shot) >= 0)
}

// Beside shows the newest picture, which a task has just made, beside the one that the task was for; of other tasks it does nothing.
func (p *Panel) Beside(task state.Task) {
	s := p.host.State()
	if task.Beside == nil || len(s.Shots) == 0 {
		return
	}
	i, last := s.Find(*task.Beside), len(s.Shots)-1
	if i < 0 || s.View.Shot >= 0 && s.View.Shot != last && s.View.Shot != i {
		return // it is gone, or the user looks at something else
	}
	p.view(i)
	p.compareShot(last)
}

// view looks at a picture of the window.
func (p *Panel) view(shot int) {
	p.host.Change(func(s *state.State) {
		s.View = state.View{Shot: shot, Step: -1}
	})
}

// compareShot compares the picture in view with another one of the session, which is read first where that is needed.
func (p *Panel) compareShot(i int) {
	s := p.host.State()
	if i < 0 || i >= len(s.Shots) || s.Shot() == nil {
		return
	}
	other := s.Shots[i]
	if other.Image != nil || other.Kept == 0 {
		p.CompareWith(other)
		return
	}
	if read := p.host.Read(other); read != nil {
		p.host.Background(func() func() {
			whole := read()
			return func() { p.CompareWith(whole) }
		})
	}
}

// CompareWith shows the picture in view left of the split and another one right of it. It does nothing where one of them is not read.
func (p *Panel) CompareWith(other state.Shot) {
	shot := p.host.State().Shot()
	if shot == nil || shot.Image == nil || other.Image == nil || shot.Image == other.Image {
		return
	}
	p.look(shot)
	other.Film = nil
	p.begin(&other)
	p.ShowStep(-1)
}

// swapCompared changes the sides of the two pictures.
func (p *Panel) swapCompared() {
	if i := p.swappable(); i >= 0 {
		p.view(i) // and what was in view is the other one
	}
}

// swappable is the index of the picture right of the split, -1 where there is none that could go to the left.
func (p *Panel) swappable() int {
	s := p.host.State()
	if !p.contrast.on || p.contrast.other == nil || s.Shot() == nil {
		return -1
	}
	return s.Find(*p.contrast.other)
}

// Tap shows a picture of the window; with Ctrl it is compared with the one in view.
func (p *Panel) Tap(i int) {
	if p.host.Commands.Modifiers()&fyne.KeyModifierShortcutDefault != 0 && p.host.State().Shot() != nil {
		p.compareShot(i)
		return
	}
	p.view(i)
}

// Small is a picture for a thumbnail; the embedded model's are small enough as they are.
func Small(s state.Shot) image.Image {
	img := s.Image
	switch {
	case s.Thumb != nil:
		return s.Thumb
	case img == nil:
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	return whole(img, 224, 224*img.Rect.Dy()/max(img.Rect.Dx(), 1)).paint()
}
