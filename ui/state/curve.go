package ui

import (
	"realword/inference"
	"realword/inference/guidance"
)

// calm is the change from one step to the next below which a mask counts as settled: on a grid of 16 × 16 with γ 0.2 it is two
// or three of the 51 positions of a subject.
const calm = 0.1

// changes is how much the mask of a subject moved at every step of a film against the step before: 1 − |A∩B|/|A∪B| as in
// guidance.Change. It ends with the guidance branch, after which masks no longer move; the first step has no value before it
// and gets 1. A film without the subject gives nothing.
func changes(film []inference.StepDone, subject int) []float64 {
	var out []float64
	var before []float32
	for i := range film {
		if !film[i].Guided || subject >= len(film[i].Subjects) || len(film[i].Subjects[subject].Mask) == 0 {
			break
		}
		mask := film[i].Subjects[subject].Mask
		if i == 0 {
			out = append(out, 1)
		} else {
			out = append(out, guidance.Change(before, mask))
		}
		before = mask
	}
	return out
}

// settling is what the masks of a film tell about T_stop.
type settling struct {
	curves [][]float64 // of every subject, as changes gives them
	at     int         // the first step, 0-based, from which all masks stay calm for two steps; -1: none
	rises  []int       // steps after at in which a mask moves again: the scatter that early stop is there to avoid
}

// settled reads the curves of all subjects of a film.
func settled(film []inference.StepDone) settling {
	s := settling{at: -1}
	if len(film) == 0 {
		return s
	}
	steps := 0
	for j := range film[0].Subjects {
		s.curves = append(s.curves, changes(film, j))
		steps = max(steps, len(s.curves[j]))
	}
	most := func(step int) float64 {
		m := 0.0
		for _, c := range s.curves {
			if step < len(c) {
				m = max(m, c[step])
			}
		}
		return m
	}
	for step := 1; step < steps; step++ {
		switch {
		case s.at < 0 && step+1 < steps && most(step) < calm && most(step+1) < calm:
			s.at = step
		case s.at >= 0 && most(step) >= calm:
			s.rises = append(s.rises, step)
		}
	}
	return s
}
