package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// Swift is the switch of what is approximate, with a switch for each approximation folded under it.
type Swift struct {
	host    Host
	box     *fyne.Container
	On      *kit.Check
	Unfold  *kit.Button
	singles *fyne.Container
	Singles map[string]*kit.Check // by the key of the setting
}

// newSwift makes it; done is told that something is to be laid out.
func newSwift(h Host, done func()) *Swift {
	s := &Swift{host: h, Singles: map[string]*kit.Check{}, singles: kit.NewColumn(0)}
	s.On = kit.NewCheck(i18n.T("Swift (approximate)"), func(on bool) {
		s.change(func(set inference.Settings) inference.Settings {
			set.Swift = on
			set.Rest, set.Settle, set.Interval, set.Every = 0, 0, "", 0 // each as Swift has it
			return set
		})
	}).Explain(i18n.T("Leaves out what mostly changes a picture little. A subject may turn, and things in the background may change, more so with fewer steps or in other shapes. Off, every step is computed whole."))
	for _, key := range inference.Approximations() {
		s.Singles[key] = kit.NewCheck(state.ApproximationName(key), func(on bool) {
			s.change(func(set inference.Settings) inference.Settings { return set.Approximating(key, on) })
		}).Explain(state.ApproximationAbout(key))
		s.singles.Add(s.Singles[key])
	}
	s.singles.Hide()
	s.Unfold = kit.NewButtonWithIcon(i18n.T("Approximations"), theme.MenuDropDownIcon(), func() {
		s.singles.Hidden = !s.singles.Hidden
		s.refresh()
		done()
	}).Explain(i18n.T("What Swift leaves out, one by one."))
	s.Unfold.Importance, s.Unfold.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	note := widget.NewLabel(i18n.T("A third fewer passes of the network; subjects or backgrounds may change."))
	note.Wrapping, note.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	note.Importance = widget.LowImportance
	s.box = kit.NewColumn(0, s.On, note, s.Unfold, container.New(kit.Inset{X: 12, Y: 0}, s.singles))
	return s
}

// change changes the form's settings, where they have changed.
func (s *Swift) change(set func(inference.Settings) inference.Settings) {
	st := s.host.State()
	next := st.Form.WithSettings(set(st.Form.Settings), st.Model)
	if next.Settings != st.Form.Settings {
		s.host.Change(func(st *state.State) { st.Form = next })
	}
}

// refresh makes the part equal to the state.
func (s *Swift) refresh() {
	st := s.host.State()
	now := st.Form.Completed(st.Model)
	show := func(c *kit.Check, on bool) {
		if c.Checked != on {
			c.Checked = on // SetChecked would call back
			c.Refresh()
		}
	}
	show(s.On, now.Swift)
	for key, c := range s.Singles {
		show(c, now.Approximates(key))
	}
	icon := theme.MenuDropDownIcon()
	if !s.singles.Hidden {
		icon = theme.MenuDropUpIcon()
	}
	s.Unfold.SetIcon(icon)
}
