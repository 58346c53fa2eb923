package state

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/schedule"
	"realword/ui/i18n"
)

// Advanced is what a preset decides unless the user wants it otherwise.
type Advanced struct {
	Sampler       string `json:",omitempty"` // "ddim" or "dpm++"; empty is the preset's
	MaskSource    string `json:",omitempty"` // Table V; empty is the preset's
	RawMask       bool   `json:",omitempty"` // masks are not divided by their maximum
	MaskNorm      string `json:",omitempty"` // as in inference.Request: the released app's normalisation, or empty
	Width, Height int    `json:",omitempty"` // pixels; 0 is the model's
}

// fits tells whether a model makes pictures of a size.
func fits(size image.Point, m *bundle.Manifest) bool {
	s := m.Size
	side := func(n int) bool { return n >= s.Min && n <= s.Max && (s.Multiple < 1 || n%s.Multiple == 0) }
	return side(size.X) && side(size.Y)
}

// Size is the size of the pictures that the form asks of a model.
func (a Advanced) Size(m *bundle.Manifest) image.Point {
	if a.Width > 0 && a.Height > 0 {
		return image.Pt(a.Width, a.Height)
	}
	if m == nil {
		return image.Point{}
	}
	return image.Pt(m.Size.Width, m.Size.Height)
}

// WithSize asks for pictures of a size; the model's own is no wish, and one that it cannot make is none either.
func (a Advanced) WithSize(size image.Point, m *bundle.Manifest) Advanced {
	a.Width, a.Height = size.X, size.Y
	if m != nil && (size == image.Pt(m.Size.Width, m.Size.Height) || !fits(size, m)) {
		a.Width, a.Height = 0, 0
	}
	return a
}

// take is what a recipe says, as far as it differs from its preset.
func (a Advanced) take(r inference.Request, m *bundle.Manifest) Advanced {
	own := func(have, preset string, known bool) string {
		if !known || have == preset {
			return ""
		}
		return have
	}
	preset := presetsOf(m)[r.Preset]
	a.RawMask, a.MaskNorm = r.RawMask, ""
	if r.MaskNorm == guidance.ByLayer.String() {
		a.MaskNorm = r.MaskNorm
	}
	a.Sampler = own(r.Sampler, preset.Sampler, slices.Contains(schedule.Samplers(), r.Sampler))
	_, err := guidance.ParseSource(r.MaskSource)
	a.MaskSource = own(r.MaskSource, preset.MaskSource, err == nil)
	if r.Width > 0 && r.Height > 0 {
		a = a.WithSize(image.Pt(r.Width, r.Height), m)
	}
	return a
}

// with is what a recipe of another program says on top of a form's own: a size that the model makes, a sampler that there is.
func (a Advanced) with(r inference.Request, m *bundle.Manifest) Advanced {
	if r.Sampler != "" {
		a.Sampler = r.Sampler
	}
	if r.Width > 0 && r.Height > 0 && (m == nil || fits(image.Pt(r.Width, r.Height), m)) {
		a = a.WithSize(image.Pt(r.Width, r.Height), m)
	}
	return a
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
	for s := guidance.Source(0); ; s++ {
		name, err := s.MarshalText()
		if err != nil {
			return list
		}
		list = append(list, string(name))
	}
}

func rawMaskName(raw bool) string {
	if raw {
		return i18n.T("no")
	}
	return i18n.T("yes")
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
	p := m.Presets[f.Preset]
	text := i18n.T("%s · %d steps · guidance scale %g · γ %.2f", SamplerName(cmp.Or(f.Sampler, p.Sampler)), p.Steps, p.CFG, p.Scope)
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
