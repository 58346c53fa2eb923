package state

import (
	"realword/inference"
	"realword/inference/guidance"
)

// Calm is the change from one step to the next below which a mask counts as settled: on a grid of 16 × 16 with γ 0.2 it is two
// or three of the 51 positions of a subject.
const Calm = 0.1

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

// Settling is what the masks of a film tell about T_stop.
type Settling struct {
	First  int         // the step, 0-based, that the film begins with
	Curves [][]float64 // of every subject from it on, as changes gives them
	At     int         // the first step, 0-based, from which all masks stay calm for two steps; -1: none
	Rises  []int       // steps after at in which a mask moves again: the scatter that early stop is there to avoid
}

// Settled reads the curves of all subjects of a film.
func Settled(film []inference.StepDone) Settling {
	s := Settling{At: -1}
	if len(film) == 0 {
		return s
	}
	s.First = film[0].Step
	steps := 0
	for j := range film[0].Subjects {
		s.Curves = append(s.Curves, changes(film, j))
		steps = max(steps, len(s.Curves[j]))
	}
	most := func(step int) float64 {
		m := 0.0
		for _, c := range s.Curves {
			if step < len(c) {
				m = max(m, c[step])
			}
		}
		return m
	}
	for step := 1; step < steps; step++ {
		switch {
		case s.At < 0 && step+1 < steps && most(step) < Calm && most(step+1) < Calm:
			s.At = s.First + step
		case s.At >= 0 && most(step) >= Calm:
			s.Rises = append(s.Rises, s.First+step)
		}
	}
	return s
}
