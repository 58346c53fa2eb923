package ui

import "fyne.io/fyne/v2"

// press makes a widget that can be clicked work from the keyboard too: Tab reaches it, Enter and Space press it. Widgets embed
// it and set both functions.
type press struct {
	do      func()
	marked  func() // shows whether the widget has the focus
	focused bool
}

func (p *press) Tapped(*fyne.PointEvent) { p.do() }
func (p *press) FocusGained()            { p.focused = true; p.marked() }
func (p *press) FocusLost()              { p.focused = false; p.marked() }
func (p *press) TypedRune(rune)          {}

func (p *press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		p.do()
	}
}

func (p *press) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
