package settings

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/schedule"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// advanced is the part of the settings that unfolds under More.
type advanced struct {
	host    Host
	box     *fyne.Container
	sampler *kit.Selector
	source  *kit.Selector
	divide  *kit.Check
	layers  *kit.Check
	whole   *kit.Check
}

func newAdvanced(h Host) *advanced {
	a := &advanced{host: h}
	a.sampler = kit.NewSelect(nil, func(text string) {
		a.change(func(f *state.Form) {
			f.Sampler = chosen(text, schedule.Samplers(), state.SamplerName)
		})
	}).Explain(i18n.T("How each step is computed. DPM++ and UniPC need fewer steps than DDIM."))
	a.source = kit.NewSelect(nil, func(text string) {
		a.change(func(f *state.Form) {
			f.MaskSource = chosen(text, state.MaskSources(), state.MaskSourceName)
		})
	}).Explain(i18n.T("Which attention of the model says where a subject is. The recommended one is the paper's."))
	a.divide = kit.NewCheck(i18n.T("Normalise the masks"), func(on bool) {
		a.change(func(f *state.Form) {
			if f.RawMask = !on; !on {
				f.MaskNorm = ""
			}
		})
	}).Explain(i18n.T("Divides each mask by its maximum, so that a subject acts fully where it is surest."))
	a.layers = kit.NewCheck(i18n.T("Layer by layer"), func(on bool) {
		a.change(func(f *state.Form) {
			if f.MaskNorm = ""; on {
				f.MaskNorm, f.RawMask = guidance.ByLayer.String(), false
			}
		})
	}).Explain(i18n.T("Divides the mask in each layer of the model by itself."))
	a.whole = kit.NewCheck(i18n.T("Whole shapes"), func(on bool) {
		a.change(func(f *state.Form) {
			if f.UncondAttention = inference.PlainAttention; on {
				f.UncondAttention = inference.PerturbedAttention
			}
		})
	}).Explain(i18n.T("Leads away from shapes that fall apart, where no picture is bound. It takes no time."))
	named := func(name string, o fyne.CanvasObject) fyne.CanvasObject {
		return kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(name)), o)
	}
	a.box = kit.NewColumn(8, named(i18n.T("Sampler"), a.sampler), named(i18n.T("Mask source"), a.source), a.divide, a.layers, a.whole)
	return a
}

// chosen is what a text of a list stands for.
func chosen(text string, list []string, name func(string) string) string {
	i := slices.IndexFunc(list, func(s string) bool { return name(s) == text })
	if i < 0 {
		return ""
	}
	return list[i]
}

// change changes the form's settings, where they have changed.
func (a *advanced) change(set func(*state.Form)) {
	s := a.host.State()
	if s.Model == nil {
		return
	}
	next := s.Form
	set(&next)
	if next = next.WithSettings(next.Settings, s.Model); next.Settings != s.Form.Settings {
		a.host.Change(func(st *state.State) { st.Form = next })
	}
}

// refresh makes the part equal to the state.
func (a *advanced) refresh() {
	st := a.host.State()
	m, f := st.Model, st.Form
	if m == nil {
		return
	}
	now := f.Completed(m)
	show := func(s *kit.Selector, options []string, now string) {
		if !slices.Equal(s.Options, options) || s.Selected != now {
			s.Options, s.Selected = options, now // SetSelected would call back
			s.Refresh()
		}
	}
	names := func(list []string, name func(string) string) (out []string) {
		for _, s := range list {
			out = append(out, name(s))
		}
		return out
	}
	show(a.sampler, names(schedule.Samplers(), state.SamplerName), state.SamplerName(now.Sampler))
	show(a.source, names(state.MaskSources(), state.MaskSourceName), state.MaskSourceName(now.MaskSource))
	if a.divide.Checked == f.RawMask {
		a.divide.Checked = !f.RawMask
		a.divide.Refresh()
	}
	if whole := now.UncondAttention == inference.PerturbedAttention; a.whole.Checked != whole {
		a.whole.Checked = whole
		a.whole.Refresh()
	}
	if can := len(m.Networks.UNet.PerturbedBlocks) > 0; a.whole.Visible() != can {
		a.whole.Hidden = !can
		a.box.Refresh()
	}
	if layers := f.MaskNorm != ""; a.layers.Checked != layers {
		a.layers.Checked = layers
		a.layers.Refresh()
	}
}
