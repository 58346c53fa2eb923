package kit

import "fyne.io/fyne/v2"

// Press makes a widget that can be clicked work from the keyboard too: Tab reaches it, Enter and Space press it. Widgets embed
// it and set both functions.
type Press struct {
	Do      func()
	Marked  func() // shows whether the widget has the focus
	Focused bool
}

func (p *Press) Tapped(*fyne.PointEvent) { p.Do() }
func (p *Press) FocusGained()            { p.Focused = true; p.Marked() }
func (p *Press) FocusLost()              { p.Focused = false; p.Marked() }
func (p *Press) TypedRune(rune)          {}

func (p *Press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		p.Do()
	}
}

func (p *Press) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
