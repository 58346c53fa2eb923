package inference

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"realword/inference/bundle"
	"realword/inference/message"
)

// CheckSides says which side of a grid changes nothing, or has values that make the same pictures; nil where every picture is one of its
// own. Sides that are wrong otherwise are passed over.
func (r Request) CheckSides(m bundle.Manifest) error {
	g := r.Grid
	if g == nil || g.Len() < 2 || g.Len() > MaxCells {
		return nil
	}
	cells := r.Cells(m)
	said := make([]string, len(cells))
	for n, c := range cells {
		said[n] = c.effective(m)
	}
	columns := g.Columns.Len()
	for i, a := range g.Axes() {
		pictures := make([][]string, a.Len()) // of every value
		for n, one := range said {
			v := n % columns
			if i == 0 {
				v = n / columns
			}
			pictures[v] = append(pictures[v], one)
		}
		twins, first, second := 0, 0, 0
		seen := map[string]int{}
		for w, list := range pictures {
			all := strings.Join(list, "\n")
			v, twin := seen[all]
			if !twin {
				seen[all] = w
			} else if twins++; twins == 1 {
				first, second = v, w
			}
		}
		switch name := a.called(); {
		case twins == 0:
		case twins < a.Len()-1 || sameValue(a.Text(first), a.Text(second)):
			return message.Errorf("%s %s and %s make the same pictures here: leave one out", name, a.Text(first), a.Text(second))
		case a.ofMasks() && len(r.Subjects) == 0:
			return message.Errorf("%s acts on the masks of subjects, and there are none: bind a word to a picture, or leave that side out", name)
		case a.ofMasks() && r.painted(*a):
			return message.Errorf("%s changes nothing where masks are exactly what was painted, so all pictures would be the same: leave that side out", name)
		default:
			return message.Errorf("%s changes nothing here, so all pictures would be the same: leave that side out", name)
		}
	}
	return nil
}

// called is what a side is of, for people.
func (a Axis) called() error {
	switch a.Key {
	case AxisSeed:
		return message.New("the seed")
	case AxisReference:
		return message.New("the reference")
	case "scope":
		return message.New("the area γ")
	case "stop":
		return message.New("T_stop")
	case "preset":
		return message.New("the preset")
	case "cfg":
		return message.New("the guidance scale")
	case "guidance_rescale":
		return message.New("the guidance rescale")
	case "steps":
		return message.New("the number of steps")
	case "sampler":
		return message.New("the sampler")
	case AxisSwift:
		return message.New("swift")
	}
	return message.New("the mask source")
}

// ofMasks tells whether a side acts on masks alone.
func (a Axis) ofMasks() bool {
	return a.Key != AxisSeed && a.Key != AxisReference && row(a.Key).OfMasks
}

// painted tells whether the masks of the subjects that a side is about are exactly what was painted.
func (r Request) painted(a Axis) bool {
	if a.Subject > 0 && a.Subject <= len(r.Subjects) {
		return scored(r.Subjects[a.Subject-1:][:1]) == 0
	}
	return len(r.Subjects) > 0 && scored(r.Subjects) == 0
}

// effective is what decides the picture of a complete request of one seed: requests that have it in common make the same one.
func (r Request) effective(m bundle.Manifest) string {
	r.Settings = r.honest(m)
	s := &r.Settings
	black := m.Presets[s.Preset].UncondVision
	s.Preset = ""
	if black && len(r.Subjects) > 0 && s.CFG != 1 {
		s.Preset = "its unconditional pass sees a picture"
	}
	r.Subjects = CloneSubjects(r.Subjects)
	for j := range r.Subjects {
		r.Subjects[j].Scope = r.Subjects[j].Wish()
		for i := range r.Subjects[j].References {
			if ref := &r.Subjects[j].References[i]; ref.SHA256 != "" {
				ref.Name = ""
			}
		}
	}
	if scored(r.Subjects) == 0 {
		s.Stop, s.MaskSource, s.RawMask, s.MaskNorm, s.Rest, s.Settle = 0, "", false, "", 0, 0
	} else {
		s.Stop = max(s.Stop, r.Begin()+1) // a run that begins later makes its masks at its first step
	}
	if s.CFG == 1 {
		s.Negative, s.Rescale, s.Interval, s.Every = "", 0, "", 0
	}
	if s.CFG == 1 || len(r.Subjects) > 0 {
		s.UncondAttention = ""
	}
	seeds := make([]uint64, len(r.Seeds))
	for n, seed := range r.Seeds {
		seeds[n] = seed & math.MaxUint32 // which is what noise and alternatives are drawn with
	}
	r.Seeds = seeds
	data, _ := json.Marshal(r) // a request is a plain value
	return string(data)
}

// sameValue tells whether two texts of a side say one thing, so that the fault is that it stands there twice.
func sameValue(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, other := strconv.ParseFloat(b, 64)
	return strings.EqualFold(a, b) || err == nil && other == nil && x == y
}
