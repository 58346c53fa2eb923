package bench

import (
	"context"
	"fmt"

	"realword/inference"
)

// Way is one way of making the picture of a request: exact, swift, in few steps, with a LoRA.
type Way struct {
	Name   string
	Counts inference.Counts // of its passes, at most: swift finds more to leave out where masks come to rest
	LoRA   bool             // its passes are those with the LoRAs of the request
}

// The ways that have a name of their own; those of few steps are called after their presets.
const (
	WayExact = "exact"
	WaySwift = "swift (approximate)"
	WayLoRA  = "with LoRA"
)

// fewSteps are presets that stand for the others with as many steps.
var fewSteps = []string{"lcm", "lightning"}

// waysOf are the ways of a request that can be made with a model, whose loop is l.
func waysOf(ctx context.Context, e *inference.Engine, l *inference.Loop, r inference.Request) ([]Way, error) {
	list := []Way{{Name: WayExact, Counts: l.Counts(inference.State{})}}
	add := func(name string, s inference.Settings) error {
		other := r
		other.Settings = s
		other, err := e.ResolveContext(ctx, other)
		if err != nil {
			return err
		}
		loop := *l
		if loop.Settings = other.Settings; loop.CFG == 1 {
			loop.Uncond = nil
		}
		if name == "" {
			name = fmt.Sprintf("%d steps (%s)", other.Steps, other.Preset)
		}
		list = append(list, Way{Name: name, Counts: loop.Counts(inference.State{})})
		return nil
	}
	quick := r.Settings
	quick.Swift = true
	if err := add(WaySwift, quick); err != nil {
		return nil, err
	}
	for _, preset := range fewSteps {
		if err := add("", inference.Settings{Preset: preset, Width: r.Width, Height: r.Height, Negative: " "}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Cost is what the passes of a way take together, by what one of each name takes; ok is false where one was not measured.
func (w Way) Cost(fastest func(pass string) (seconds float64, ok bool)) (seconds float64, ok bool) {
	generation, guided, uncond := PassGeneration, PassGuidance, PassUncond
	if w.LoRA {
		generation, guided, uncond = PassLoRA+generation, PassLoRA+guided, PassLoRA+uncond
	}
	blind := PassPlain
	if w.LoRA {
		blind = PassLoRA + blind
	}
	g, ok := fastest(generation)
	d, also := fastest(guided)
	u, seen := fastest(uncond)
	if !seen { // it sees no pictures
		u, seen = fastest(blind)
	}
	n := w.Counts
	return float64(n.Generation)*g + float64(n.Guidance)*d + float64(n.Uncond)*u, ok && (also || n.Guidance == 0) && (seen || n.Uncond == 0)
}

// Plain is what the passes of plain text-to-image of as many steps as the request's take.
func Plain(steps int, cfg bool, fastest func(pass string) (seconds float64, ok bool)) (seconds float64, ok bool) {
	p, ok := fastest(PassPlain)
	if cfg {
		p *= 2
	}
	return float64(steps) * p, ok
}

// Costs are what a way costs in units of plain text-to-image: its passes alone; with encoders and decoder; and with the encoders of the
// text alone, as when the pictures were seen before.
type Costs struct{ Loop, Whole, Known float64 }

// Costs works out what a way costs, of the fastest passes.
func (m Measurement) Costs(w Way) (c Costs, ok bool) {
	fastest := func(name string) (float64, bool) {
		t := Find(m.Passes, name)
		return t.Min(), len(t.Seconds) > 0
	}
	cost, ok := w.Cost(fastest)
	plain, also := Plain(m.Steps, m.CFG, fastest)
	words, seen, again := m.stages()
	return Costs{cost / plain, (cost + words + seen + again) / (plain + words), (cost + words + again) / (plain + words)}, ok && also
}
