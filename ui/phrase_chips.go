package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"realword/ui/state"
)

var (
	_ fyne.Draggable    = (*chip)(nil)
	_ desktop.Mouseable = (*chip)(nil)
)

// bindSelection binds the words that are marked under the prompt, or selected in it, or the one at its cursor.
func (w *Window) bindSelection() {
	if !w.state.Span.On {
		r, ok := w.state.WordsAt(w.prompt.Selection())
		if !ok {
			return
		}
		w.state = w.state.Mark(r.First, r.Last)
	}
	w.state = w.state.BindMarked()
	w.refresh()
}

// unmark ends a marking without binding anything.
func (w *Window) unmark() {
	w.state.Span = state.Span{}
	w.refresh()
}

// chipAt is the word whose chip is at a position of the window, or the last one before it in its row; -1 outside of the chips.
func (w *Window) chipAt(at fyne.Position) int {
	best := -1
	for i, o := range w.chips.Objects {
		p := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		if at.Y >= p.Y-3 && at.Y < p.Y+o.Size().Height+3 && at.X >= p.X {
			best = i
		}
	}
	return best
}

// tapChip is a click on a word. With Shift it marks all words from the one that was clicked before and binds them.
func (w *Window) tapChip(i int) {
	if i >= len(w.state.Words) {
		return
	}
	if from := w.chipBefore; w.Modifiers()&fyne.KeyModifierShift != 0 && from >= 0 && from < len(w.state.Words) && from != i {
		w.state = w.state.Mark(from, i).BindMarked()
		w.refresh()
		return
	}
	w.chipBefore = i
	w.clickWord(w.state.Words[i])
}

// dragChip marks words from the one where the button went down to the one under the pointer.
func (w *Window) dragChip(from int, at fyne.Position) {
	if to := w.chipAt(at); to >= 0 {
		if next := w.state.Mark(from, to); next.Span != w.state.Span {
			w.state = next
			w.refreshPrompt()
		}
	}
}

// dropChip binds the marked words: to the card that they were dragged to, or as a click would.
func (w *Window) dropChip(at fyne.Position) {
	if to := w.targetAt(at); to.Card != 0 && w.state.Span.On {
		w.state.Selected = to.Card
	}
	w.chipBefore = w.state.Span.From
	w.state = w.state.BindMarked()
	w.refresh()
}

// chipKey is a key on a word: arrows go to its neighbours, with Shift they mark, Enter binds what is marked.
func (w *Window) chipKey(i int, e *fyne.KeyEvent) bool {
	by := map[fyne.KeyName]int{fyne.KeyLeft: -1, fyne.KeyRight: 1, fyne.KeyHome: -i, fyne.KeyEnd: len(w.state.Words) - 1 - i}
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyHome, fyne.KeyEnd:
		to := min(max(i+by[e.Name], 0), len(w.state.Words)-1)
		from := i
		if w.state.Span.On {
			from = w.state.Span.From
		}
		if w.state.Span = (state.Span{}); w.Modifiers()&fyne.KeyModifierShift != 0 {
			w.state = w.state.Mark(from, to)
		}
		w.refreshPrompt()
		if to >= 0 {
			w.win.Canvas().Focus(w.chips.Objects[to].(*chip))
		}
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if !w.state.Span.On {
			return false
		}
		w.bindSelection()
	case fyne.KeyEscape:
		if !w.state.Span.On {
			return false
		}
		w.unmark()
	default:
		return false
	}
	return true
}

func (w *Window) chipActs(i int) chipActs {
	return chipActs{
		tap: func() { w.tapChip(i) }, shortcut: w.Shortcut,
		paste: func(word state.Word) { w.paste(state.Target{Word: word.Word}) },
		drag:  func(at fyne.Position) { w.dragChip(i, at) },
		drop:  w.dropChip,
		key:   func(e *fyne.KeyEvent) bool { return w.chipKey(i, e) },
		other: w.typed,
	}
}

// Dragged marks the words that the pointer passes.
func (c *chip) Dragged(e *fyne.DragEvent) {
	if c.Past {
		return
	}
	c.held = e.AbsolutePosition
	c.acts.drag(c.held)
}

// DragEnd implements fyne.Draggable.
func (c *chip) DragEnd() {
	if !c.Past {
		c.acts.drop(c.held)
	}
}

// MouseDown notes where a drag begins.
func (c *chip) MouseDown(e *desktop.MouseEvent) { c.held = e.AbsolutePosition }

// MouseUp implements desktop.Mouseable.
func (c *chip) MouseUp(*desktop.MouseEvent) {}

// TypedKey goes to the neighbours, marks, binds; other keys are the window's.
func (c *chip) TypedKey(e *fyne.KeyEvent) {
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
}
