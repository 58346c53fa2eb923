package inference

import (
	"cmp"
	"strings"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
)

// Defaults returns the request with every optional field filled in that a model and its presets decide; nothing is checked, and
// only seeds and hashes stay open. It is the one place where an empty field gets its meaning: what the engine runs, what the
// window shows and what a terminal prints come from here. With an unknown preset the others' values are those of the paper.
// The result shares nothing with r but the bytes of pictures and From. Defaults of a complete request changes nothing.
func Defaults(m bundle.Manifest, r Request) Request {
	r.Subjects = CloneSubjects(r.Subjects)
	r.Preset = cmp.Or(r.Preset, defaultPreset)
	d, ok := m.Presets[r.Preset]
	if !ok {
		d = m.Presets[defaultPreset]
	}
	r.Width, r.Height = cmp.Or(r.Width, m.Size.Width), cmp.Or(r.Height, m.Size.Height)
	r.Sampler, r.MaskSource = cmp.Or(r.Sampler, d.Sampler), cmp.Or(r.MaskSource, d.MaskSource)
	r.CFG, r.Steps = cmp.Or(r.CFG, d.CFG), cmp.Or(r.Steps, d.Steps)
	if r.Stop == 0 {
		r.Stop = d.StopOf(r.Steps)
	}
	switch r.MaskNorm {
	case guidance.Raw.String():
		r.RawMask, r.MaskNorm = true, ""
	case guidance.ByMax.String():
		r.MaskNorm = ""
	}
	switch {
	case r.Negative == "":
		r.Negative = d.Negative
	case strings.TrimSpace(r.Negative) == "" && d.Negative == "":
		r.Negative = "" // none was asked for, where there is none anyway
	}
	for j := range r.Subjects {
		s := &r.Subjects[j]
		s.Scope = cmp.Or(s.Scope, d.Scope)
		for i := range s.References {
			square := &s.References[i].Square
			square.Fit = cmp.Or(square.Fit, d.Fit, picture.Pad)
		}
	}
	return r
}
