package ui

import (
	"cmp"
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/schedule"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// advanced is the part of the settings that unfolds under More.
type advanced struct {
	w       *Window
	box     *fyne.Container
	sampler *kit.Selector
	source  *kit.Selector
	size    *kit.Selector
	divide  *kit.Check
	layers  *kit.Check
	offered []image.Point
}

func newAdvanced(w *Window) *advanced {
	a := &advanced{w: w}
	a.sampler = kit.NewSelect(nil, func(text string) {
		a.change(func(f *state.Advanced, p bundle.Preset) {
			f.Sampler = chosen(text, schedule.Samplers(), state.SamplerName, p.Sampler)
		})
	})
	a.source = kit.NewSelect(nil, func(text string) {
		a.change(func(f *state.Advanced, p bundle.Preset) {
			f.MaskSource = chosen(text, state.MaskSources(), state.MaskSourceName, p.MaskSource)
		})
	})
	a.size = kit.NewSelect(nil, func(text string) {
		a.change(func(f *state.Advanced, _ bundle.Preset) {
			for _, size := range a.offered {
				if state.SizeName(size) == text {
					*f = f.WithSize(size, w.state.Model)
				}
			}
		})
	})
	a.divide = kit.NewCheck(i18n.T("Normalise the masks"), func(on bool) {
		a.change(func(f *state.Advanced, _ bundle.Preset) {
			if f.RawMask = !on; !on {
				f.MaskNorm = ""
			}
		})
	})
	a.layers = kit.NewCheck(i18n.T("Layer by layer"), func(on bool) {
		a.change(func(f *state.Advanced, _ bundle.Preset) {
			if f.MaskNorm = ""; on {
				f.MaskNorm, f.RawMask = guidance.ByLayer.String(), false
			}
		})
	})
	named := func(name string, o fyne.CanvasObject) fyne.CanvasObject {
		return kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(name)), o)
	}
	a.box = kit.NewColumn(8, named(i18n.T("Size"), a.size), named(i18n.T("Sampler"), a.sampler), named(i18n.T("Mask source"), a.source), a.divide, a.layers)
	return a
}

// chosen is what a text of a list stands for, empty where that is the preset's own.
func chosen(text string, list []string, name func(string) string, own string) string {
	i := slices.IndexFunc(list, func(s string) bool { return name(s) == text })
	if i < 0 || list[i] == own {
		return ""
	}
	return list[i]
}

// change changes the form's wishes, where they have changed.
func (a *advanced) change(set func(*state.Advanced, bundle.Preset)) {
	if a.w.state.Model == nil {
		return
	}
	next := a.w.state.Form.Advanced
	set(&next, a.w.state.Model.Presets[a.w.state.Form.Preset])
	if next != a.w.state.Form.Advanced {
		a.w.state.Form.Advanced = next
		a.w.refresh()
	}
}

// refresh makes the part equal to the state.
func (a *advanced) refresh() {
	m, f := a.w.state.Model, a.w.state.Form
	if m == nil {
		return
	}
	p := m.Presets[f.Preset]
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
	show(a.sampler, names(schedule.Samplers(), state.SamplerName), state.SamplerName(cmp.Or(f.Sampler, p.Sampler)))
	show(a.source, names(state.MaskSources(), state.MaskSourceName), state.MaskSourceName(cmp.Or(f.MaskSource, p.MaskSource)))
	a.offered = state.Sizes(m)
	if now := f.Size(m); !slices.Contains(a.offered, now) {
		a.offered = append(a.offered, now)
	}
	var texts []string
	for _, size := range a.offered {
		texts = append(texts, state.SizeName(size))
	}
	show(a.size, texts, state.SizeName(f.Size(m)))
	if a.divide.Checked == f.RawMask {
		a.divide.Checked = !f.RawMask
		a.divide.Refresh()
	}
	if layers := f.MaskNorm != ""; a.layers.Checked != layers {
		a.layers.Checked = layers
		a.layers.Refresh()
	}
}
