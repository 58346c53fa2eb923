package subjects

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.Draggable    = (*Chip)(nil)
	_ desktop.Mouseable = (*Chip)(nil)
)

// bindSelection binds the words that are marked under the prompt, or selected in it, or the one at its cursor.
func (p *Panel) bindSelection() {
	next := p.State()
	if !next.Span.On {
		r, ok := next.WordsAt(p.Prompt.Selection())
		if !ok {
			return
		}
		next = next.Mark(r.First, r.Last)
	}
	p.Change(func(s *state.State) { *s = next.BindMarked() })
}

// WordMenu is what is done with the words that are marked.
var WordMenu = command.Context{"subject.bind", "word.open", "word.paste", "", "word.unbind"}

// chipMenu marks a word, unless it is among those that are marked, and shows what can be done with them.
func (p *Panel) chipMenu(i int, at fyne.Position) {
	gone := func() {}
	if !p.State().ChipLooks()[i].Within {
		p.Change(func(s *state.State) { *s = s.Mark(i, i) })
		mark := p.State().Span
		gone = func() {
			p.Post(func() { // what was clicked acts first
				if p.State().Span == mark {
					p.unmark()
				}
			})
		}
	}
	p.commands.Popup(at, p.commands.Items(WordMenu...), gone)
}

// bound is the card that the marked words are bound to; 0 for none.
func (p *Panel) bound() int {
	s := p.State()
	w, ok := s.Marked()
	i := slices.IndexFunc(s.Form.Cards, func(c state.Card) bool { return c.Bound() && state.SameWord(c.Word, w.Word) })
	if !ok || i < 0 {
		return 0
	}
	return s.Form.Cards[i].ID
}

// wordActions act on the words that are marked.
func (p *Panel) wordActions() []command.Action {
	marked := func() bool { return p.State().Span.On }
	on := func(do func(state.Target)) func() {
		return func() {
			if w, ok := p.State().Marked(); ok {
				p.Change(func(s *state.State) { s.Span = state.Span{} })
				do(state.Target{Word: w.Word})
			}
		}
	}
	return []command.Action{
		{
			ID: "word.open", Label: i18n.T("Open a picture for it…"), Do: on(p.pick),
			Can: func() bool { return marked() && p.OpenFiles != nil },
		},
		{
			ID: "word.paste", Label: i18n.T("Paste a picture for it"), Do: on(p.Paste),
			Can: func() bool { return marked() && p.Clipboard != nil },
		},
		{
			ID: "word.unbind", Label: i18n.T("Unbind word"), Where: i18n.T("below the prompt"),
			Can: func() bool { return p.bound() != 0 },
			Do: func() {
				if card := p.bound(); card != 0 {
					p.Change(func(s *state.State) { s.Form, s.Span = s.Form.Bind(card, inference.Word{}), state.Span{} })
				}
			},
		},
	}
}

// unmark ends a marking without binding anything.
func (p *Panel) unmark() {
	p.Change(func(s *state.State) { s.Span = state.Span{} })
}

// chipAt is the word whose chip is at a position of the window, or the last one before it in its row; -1 outside of the chips.
func (p *Panel) chipAt(at fyne.Position) int {
	best := -1
	if !kit.Covers(p.chipRows, at) { // those that have scrolled away lie over the picture
		return best
	}
	for i, o := range p.Chips.Objects {
		pos := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		if at.Y >= pos.Y-3 && at.Y < pos.Y+o.Size().Height+3 && at.X >= pos.X {
			best = i
		}
	}
	return best
}

// tapChip is a click on a word. With Shift it marks all words from the one that was clicked before and binds them.
func (p *Panel) tapChip(i int) {
	words := len(p.State().Words)
	if i >= words {
		return
	}
	if from := p.chipBefore; p.commands.Modifiers()&fyne.KeyModifierShift != 0 && from >= 0 && from < words && from != i {
		p.Change(func(s *state.State) { *s = s.Mark(from, i).BindMarked() })
		return
	}
	p.chipBefore = i
	p.Change(func(s *state.State) { *s = s.Click(s.Words[i]) })
}

// dragChip marks words from the one where the button went down to the one under the pointer.
func (p *Panel) dragChip(from int, at fyne.Position) {
	if to := p.chipAt(at); to >= 0 {
		if now := p.State(); now.Mark(from, to).Span != now.Span {
			p.Change(func(s *state.State) { *s = s.Mark(from, to) })
		}
	}
}

// dropChip binds the marked words: to the card that they were dragged to, or as a click would.
func (p *Panel) dropChip(at fyne.Position) {
	to := p.TargetAt(at)
	p.chipBefore = p.State().Span.From
	p.Change(func(s *state.State) {
		if to.Card != 0 && s.Span.On {
			s.Selected = to.Card
		}
		*s = s.BindMarked()
	})
}

// chipKey is a key on a word: arrows go to its neighbours, with Shift they mark, Enter binds what is marked.
func (p *Panel) chipKey(i int, e *fyne.KeyEvent) bool {
	now := p.State()
	by := map[fyne.KeyName]int{fyne.KeyLeft: -1, fyne.KeyRight: 1, fyne.KeyHome: -i, fyne.KeyEnd: len(now.Words) - 1 - i}
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyHome, fyne.KeyEnd:
		to := min(max(i+by[e.Name], 0), len(now.Words)-1)
		from := i
		if now.Span.On {
			from = now.Span.From
		}
		p.Change(func(s *state.State) {
			if s.Span = (state.Span{}); p.commands.Modifiers()&fyne.KeyModifierShift != 0 {
				*s = s.Mark(from, to)
			}
		})
		if to >= 0 {
			p.Canvas().Focus(p.Chips.Objects[to].(*Chip))
		}
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if !now.Span.On {
			return false
		}
		p.bindSelection()
	case fyne.KeyEscape:
		if !now.Span.On {
			return false
		}
		p.unmark()
	default:
		return false
	}
	return true
}

func (p *Panel) chipActs(i int) chipActs {
	return chipActs{
		tap: func() { p.tapChip(i) }, shortcut: p.commands.AnyShortcut,
		paste: func(word state.Word) { p.Paste(state.Target{Word: word.Word}) },
		drag:  func(at fyne.Position) { p.dragChip(i, at) },
		drop:  p.dropChip,
		key:   func(e *fyne.KeyEvent) bool { return p.chipKey(i, e) },
		other: p.commands.Typed,
		menu:  func(at fyne.Position) { p.chipMenu(i, at) },
	}
}

// Dragged marks the words that the pointer passes.
func (c *Chip) Dragged(e *fyne.DragEvent) {
	if c.Past {
		return
	}
	c.held = e.AbsolutePosition
	c.acts.drag(c.held)
}

// DragEnd implements fyne.Draggable.
func (c *Chip) DragEnd() {
	if !c.Past {
		c.acts.drop(c.held)
	}
}

// MouseDown notes where a drag begins.
func (c *Chip) MouseDown(e *desktop.MouseEvent) { c.held = e.AbsolutePosition }

// MouseUp implements desktop.Mouseable.
func (c *Chip) MouseUp(*desktop.MouseEvent) {}

// TypedKey goes to the neighbours, marks, binds; other keys are the window's.
func (c *Chip) TypedKey(e *fyne.KeyEvent) {
	switch {
	case c.acts.key(e):
	case slices.Contains([]fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace}, e.Name):
		c.Press.TypedKey(e)
	default:
		c.acts.other(e)
	}
}

// chipActs is what a word under the prompt asks the window for.
type chipActs struct {
	tap      func()
	paste    func(state.Word)
	shortcut func(fyne.Shortcut) bool
	drag     func(at fyne.Position)
	drop     func(at fyne.Position)
	key      func(*fyne.KeyEvent) bool
	other    func(*fyne.KeyEvent) // keys that are not its own
	menu     func(at fyne.Position)
}
