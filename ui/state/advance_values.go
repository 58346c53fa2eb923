package state

import (
	"fmt"
	"image"
	"math"
	"slices"
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
	Part  Part
	Label string
	Text  func(inference.Settings) string // of complete settings
	Dial  *Dial                           // under More; nil where the control is another one, which stands in ui's settings or advanced
}

// Dial is what a dial of a number is made of.
type Dial struct {
	At              func(*inference.Settings) *float64
	Low, High, Step float64
	Shown           string  // as fmt writes it
	None            float64 // what its zero is in the settings, where 0 is "not set"
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
		{Part: PartSettings, Label: i18n.T("Preset"), Text: func(s inference.Settings) string { return presetName(s.Preset) }},
		{Part: PartSettings, Label: i18n.T("Steps"), Text: func(s inference.Settings) string { return strconv.Itoa(s.Steps) }},
		{
			Part: PartSettings, Label: i18n.T("Masks settle after (T_stop)"),
			Text: func(s inference.Settings) string { return i18n.T("step %d", s.Stop) },
		},
		{
			Part: PartSettings, Label: i18n.T("Guidance scale"), Text: func(s inference.Settings) string { return i18n.Number("%g", s.CFG) },
			Dial: &Dial{func(s *inference.Settings) *float64 { return &s.CFG }, 1, 15, 0.5, "%.1f", 0},
		},
		{
			Part: PartSettings, Label: i18n.T("Guidance rescale"), Text: func(s inference.Settings) string { return i18n.Number("%g", max(s.Rescale, 0)) },
			Dial: &Dial{func(s *inference.Settings) *float64 { return &s.Rescale }, 0, 1, 0.05, "%.2f", inference.NoRescale},
		},
		{Part: PartSettings, Label: i18n.T("Sampler"), Text: func(s inference.Settings) string { return SamplerName(s.Sampler) }},
		{Part: PartSettings, Label: i18n.T("Mask source"), Text: func(s inference.Settings) string { return MaskSourceName(s.MaskSource) }},
		{
			Part: PartSettings, Label: i18n.T("Masks divided by their maximum"),
			Text: func(s inference.Settings) string { return yesOrNo(!s.RawMask) },
		},
		{Part: PartSettings, Label: i18n.T("Masks layer by layer"), Text: func(s inference.Settings) string { return yesOrNo(s.MaskNorm != "") }},
		{Part: PartSettings, Label: i18n.T("LoRA"), Text: inference.LoRAText},
		{Part: PartPrompt, Label: i18n.T("Prompts sign by sign"), Text: func(s inference.Settings) string { return yesOrNo(s.Literal) }},
		{Part: PartSettings, Label: i18n.T("Size"), Text: func(s inference.Settings) string { return SizeName(image.Pt(s.Width, s.Height)) }},
	}
}

// fits tells whether a model makes pictures of a size.
func fits(size image.Point, m *bundle.Manifest) bool {
	s := m.Size
	side := func(n int) bool { return n >= s.Min && n <= s.Max && (s.Multiple < 1 || n%s.Multiple == 0) }
	return side(size.X) && side(size.Y)
}

// Size is the size of the pictures that the form asks of a model.
func (f Form) Size(m *bundle.Manifest) image.Point {
	s := f.Completed(m)
	return image.Pt(s.Width, s.Height)
}

// WithSize asks for pictures of a size; the model's own is no wish, and one that it cannot make is none either.
func (f Form) WithSize(size image.Point, m *bundle.Manifest) Form {
	f.Width, f.Height = size.X, size.Y
	if m != nil && (size == image.Pt(m.Size.Width, m.Size.Height) || !fits(size, m)) {
		f.Width, f.Height = 0, 0
	}
	return f
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

// SizeName is a size with the ratio of its sides, where it is near one that has a name.
func SizeName(size image.Point) string {
	text := fmt.Sprintf("%d × %d", size.X, size.Y)
	best := 0.06 // sides are multiples, so a ratio is met about
	for _, r := range ratios {
		for _, turned := range [][2]int{r, {r[1], r[0]}} {
			off := math.Abs(float64(size.X)/float64(size.Y)/(float64(turned[0])/float64(turned[1])) - 1)
			if off < best {
				best, text = off, fmt.Sprintf("%d × %d · %d:%d", size.X, size.Y, turned[0], turned[1])
			}
		}
	}
	return text
}

// ratios are the ratios of the sides of pictures that are offered, lying and standing.
var ratios = [][2]int{{1, 1}, {4, 3}, {3, 2}, {16, 9}}

// Sizes are the sizes that are offered for a model: its own, other ratios of the same area, and smaller squares.
func Sizes(m *bundle.Manifest) []image.Point {
	s := m.Size
	list := []image.Point{{X: s.Width, Y: s.Height}}
	step := max(s.Multiple, 1)
	add := func(x, y float64) {
		p := image.Pt(int(x/float64(step)+0.5)*step, int(y/float64(step)+0.5)*step)
		if fits(p, m) && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	area := float64(s.Width * s.Height)
	for _, r := range ratios {
		long := math.Sqrt(area * float64(r[0]) / float64(r[1]))
		add(long, area/long)
		add(area/long, long)
	}
	for _, share := range []float64{0.75, 0.5} {
		side := math.Sqrt(area) * share
		add(side, side)
	}
	return list
}

// Note is the line under the presets: what is in force.
func (f Form) Note(m *bundle.Manifest) string {
	c := f.Completed(m)
	text := i18n.T("%s · %d steps · guidance scale %g · γ %.2f", SamplerName(c.Sampler), c.Steps, c.CFG, c.Scope)
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
		text += " · " + strings.Join(own, " · ")
	}
	return text
}
