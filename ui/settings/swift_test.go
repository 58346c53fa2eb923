package settings

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/state"
)

// TestSwift turns the switch and those under it; a form that was changed elsewhere shows in all of them.
func TestSwift(t *testing.T) {
	r := newRoom(t)
	s := r.Swift
	shows := func(when string, on bool, off ...string) {
		t.Helper()
		full := r.form().Completed(r.State.Model)
		for key, c := range s.Singles {
			want := on
			for _, o := range off {
				if o == key {
					want = !on
				}
			}
			if c.Checked != want || full.Approximates(key) != want {
				t.Errorf("%s: %s is shown %t, is %t", when, key, c.Checked, full.Approximates(key))
			}
		}
	}
	if shows("at first", false); s.On.Checked || s.singles.Visible() {
		t.Error("it begins turned on, or unfolded")
	}
	test.Tap(s.Unfold)
	if !s.singles.Visible() {
		t.Error("it does not unfold")
	}
	s.On.SetChecked(true)
	if shows("swift", true); !r.form().Swift || r.form().Settings != r.form().Wishes(*r.State.Model) && r.form().Rest != 0 {
		t.Errorf("the form is %+v", r.form().Settings)
	}
	s.Singles["mask_rest"].SetChecked(false)
	if shows("swift without one", true, "mask_rest"); r.form().Rest != inference.NoShare || !s.On.Checked {
		t.Errorf("the form is %+v", r.form().Settings)
	}
	r.Change(func(st *state.State) { st.Form = st.Form.WithPreset("release", st.Model) })
	shows("with another preset", true, "mask_rest")
	s.Singles["mask_rest"].SetChecked(true)
	shows("swift again", true)
	s.On.SetChecked(false)
	shows("off", false)
	s.Singles["uncond_every"].SetChecked(true)
	if shows("one alone", false, "uncond_every"); s.On.Checked || r.form().Every != 2 {
		t.Errorf("the form is %+v", r.form().Settings)
	}
	s.Singles["uncond_every"].SetChecked(false)
	if shows("off", false); r.form().Every != 0 {
		t.Errorf("the form is %+v", r.form().Settings)
	}
}
