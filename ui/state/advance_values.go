package state

import (
	"image"
	"strconv"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/i18n"
)

// Knob is a setting as the window calls it and shows its value.
type Knob struct {
	Part         Part
	Label        string
	Text         func(inference.Settings) string // of complete settings
	Apart        bool                            // a row of the queue says it in words of its own
	Approximates bool                            // it is a part of swift
	Dial         *Dial                           // under More; nil where the control is another one, which stands in ui's settings or advanced
}

// Dial is what a dial of a number is made of.
type Dial struct {
	At              func(*inference.Settings) *float64
	Low, High, Step float64
	Shown           string  // as fmt writes it
	None            float64 // what its zero is in the settings, where 0 is "not set"
	About           string  // what it does, in a sentence
}

// Turn sets the settings to what the dial shows.
func (d Dial) Turn(s *inference.Settings, to float64) {
	if to == 0 {
		to = d.None
	}
	*d.At(s) = to
}

// Knobs are the settings in the order in which a comparison of recipes lists them. Every setting has one.
func Knobs() []Knob {
	return []Knob{
		{Part: PartPrompt, Label: i18n.T("Negative prompt"), Text: func(s inference.Settings) string { return strings.TrimSpace(s.Negative) }},
		{Part: PartSettings, Label: i18n.T("Preset"), Apart: true, Text: func(s inference.Settings) string { return PresetName(s.Preset) }},
		{Part: PartSettings, Label: i18n.T("Steps"), Apart: true, Text: func(s inference.Settings) string { return strconv.Itoa(s.Steps) }},
		{
			Part: PartSettings, Label: i18n.T("Masks settle after (T_stop)"), Apart: true,
			Text: func(s inference.Settings) string { return i18n.T("step %d", s.Stop) },
		},
		{
			Part: PartSettings, Label: i18n.T("Guidance scale"), Text: func(s inference.Settings) string { return i18n.Number("%g", s.CFG) },
			Dial: &Dial{
				func(s *inference.Settings) *float64 { return &s.CFG }, 1, 15, 0.5, "%.1f", 0,
				i18n.T("How closely the picture follows the prompt: 3 to 8 works well, more looks harsh."),
			},
		},
		{
			Part: PartSettings, Label: i18n.T("Guidance rescale"), Text: func(s inference.Settings) string { return i18n.Number("%g", max(s.Rescale, 0)) },
			Dial: &Dial{
				func(s *inference.Settings) *float64 { return &s.Rescale }, 0, 1, 0.05, "%.2f", inference.NoRescale,
				i18n.T("Takes back the harsh contrast that a high guidance scale brings: 0 is off, 0.7 is usual."),
			},
		},
		{
			Part: PartSettings, Label: i18n.T("Whole shapes"),
			Text: func(s inference.Settings) string { return yesOrNo(s.UncondAttention == inference.PerturbedAttention) },
		},
		{Part: PartSettings, Label: i18n.T("Sampler"), Text: func(s inference.Settings) string { return SamplerName(s.Sampler) }},
		{Part: PartSettings, Label: i18n.T("Mask source"), Text: func(s inference.Settings) string { return MaskSourceName(s.MaskSource) }},
		{
			Part: PartSettings, Label: i18n.T("Masks divided by their maximum"),
			Text: func(s inference.Settings) string { return yesOrNo(!s.RawMask) },
		},
		{Part: PartSettings, Label: i18n.T("Masks layer by layer"), Text: func(s inference.Settings) string { return yesOrNo(s.MaskNorm != "") }},
		{Part: PartSettings, Label: i18n.T("LoRA"), Text: inference.LoRAText},
		{Part: PartSettings, Label: i18n.T("Swift (approximate)"), Text: func(s inference.Settings) string { return yesOrNo(s.Swift) }},
		approximation("uncond_every"), approximation("mask_rest"), approximation("mask_settle"), approximation("cfg_interval"),
		{Part: PartPrompt, Label: i18n.T("Prompts read literally"), Text: func(s inference.Settings) string { return yesOrNo(s.Literal) }},
		{Part: PartPrompt, Label: i18n.T("Prompts cut after 75 tokens"), Text: func(s inference.Settings) string { return yesOrNo(s.Cut) }},
		{Part: PartSettings, Label: i18n.T("Size"), Apart: true, Text: func(s inference.Settings) string { return SizeName(image.Pt(s.Width, s.Height)) }},
	}
}

// ApproximationName is an approximation for people.
func ApproximationName(key string) string {
	switch key {
	case "mask_rest":
		return i18n.T("Masks every second step")
	case "mask_settle":
		return i18n.T("Automatic T_stop")
	case "cfg_interval":
		return i18n.T("Guidance interval")
	default:
		return i18n.T("Unconditional pass reused")
	}
}

// ApproximationAbout says in a sentence what an approximation leaves out.
func ApproximationAbout(key string) string {
	switch key {
	case "mask_rest":
		return i18n.T("Once the masks hardly move, they are made anew only at every second step.")
	case "mask_settle":
		return i18n.T("Guidance ends as soon as the masks are at rest, at T_stop at the latest.")
	case "cfg_interval":
		return i18n.T("The unconditional pass is left out at the first and the last steps.")
	default:
		return i18n.T("The unconditional pass of one step serves for the next ones, too.")
	}
}

func approximation(key string) Knob {
	return Knob{Part: PartSettings, Label: ApproximationName(key), Approximates: true, Text: func(s inference.Settings) string {
		if !s.Approximates(key) {
			return yesOrNo(false)
		}
		switch key {
		case "mask_rest":
			return i18n.T("below %s", i18n.Number("%g", s.Rest))
		case "mask_settle":
			return i18n.T("below %s", i18n.Number("%g", s.Settle))
		case "cfg_interval":
			return "σ " + s.Interval
		default:
			return i18n.T("every %d steps", s.Every)
		}
	}}
}

// MaskSourceName is where the masks come from, for people (Table V of the paper).
func MaskSourceName(name string) string {
	switch name {
	case "all_cross":
		return i18n.T("All cross maps")
	case "low_cross":
		return i18n.T("Coarse cross maps")
	case "low_cross_all_self":
		return i18n.T("Coarse cross × all self maps")
	case "low_cross_high_self":
		return i18n.T("Coarse cross × fine self maps")
	}
	return name
}

func MaskSources() (list []string) {
	for _, s := range guidance.Sources() {
		list = append(list, s.String())
	}
	return list
}

func yesOrNo(yes bool) string {
	if yes {
		return i18n.T("yes")
	}
	return i18n.T("no")
}

// Note is the line under the presets: what is in force, with the letters of the paper, and in words.
func (f Form) Note(m *bundle.Manifest) (short, whole string) {
	c := f.Completed(m)
	least, most := f.scopes(m)
	short = i18n.T("%s · %d steps · ω %g · γ %.2f", SamplerName(c.Sampler), c.Steps, c.CFG, least)
	whole = i18n.T("%s · %d steps · guidance scale %g · γ %.2f", SamplerName(c.Sampler), c.Steps, c.CFG, least)
	if least < most {
		short = i18n.T("%s · %d steps · ω %g · γ %.2f to %.2f", SamplerName(c.Sampler), c.Steps, c.CFG, least, most)
		whole = i18n.T("%s · %d steps · guidance scale %g · γ %.2f to %.2f", SamplerName(c.Sampler), c.Steps, c.CFG, least, most)
	}
	var own []string
	switch f.Fit(m) {
	case picture.Stretch:
		own = append(own, i18n.T("references stretched"))
	case picture.Crop:
		own = append(own, i18n.T("references cropped"))
	}
	if f.MaskSource != "" {
		own = append(own, strings.ToLower(MaskSourceName(f.MaskSource)))
	}
	if f.RawMask {
		own = append(own, i18n.T("masks not normalised"))
	}
	if f.MaskNorm != "" {
		own = append(own, i18n.T("masks layer by layer"))
	}
	if len(own) > 0 {
		short += " · " + strings.Join(own, " · ")
		whole += " · " + strings.Join(own, " · ")
	}
	return short, whole
}
