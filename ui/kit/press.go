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
	if Presses(e.Name) {
		p.Do()
	}
}

// Presses tells whether a key presses what has the focus.
func Presses(key fyne.KeyName) bool {
	return key == fyne.KeyReturn || key == fyne.KeyEnter || key == fyne.KeySpace
}

func (p *Press) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func Enable(b fyne.Disableable, on bool) {
	switch {
	case on && b.Disabled():
		b.Enable()
	case !on && !b.Disabled():
		b.Disable()
	}
}
