package state

import (
	"math"
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/guidance"
)

func TestCurve(t *testing.T) {
	a, b, c := []float32{1, 1, 0, 0}, []float32{0, 0.5, 1, 0}, []float32{0, 0, 1, 1}
	third := guidance.Change(a, b) // one of three positions is common
	if got, want := changes(moving(9, a, b, b, c), 0), []float64{1, third, 0, third}; !slices.Equal(got, want) || math.Abs(third-2./3) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := changes(moving(2, a, b, b, c), 0); len(got) != 2 {
		t.Errorf("masks that are reused have changes: %v", got)
	}
	if got := changes(moving(9, a), 1); got != nil {
		t.Errorf("a subject that is not there: %v", got)
	}
	for name, c := range map[string]struct {
		film  []inference.StepDone
		at    int
		rises []int
	}{
		"nothing":       {nil, -1, nil},
		"never":         {moving(9, a, b, a, b), -1, nil},
		"from step 3":   {moving(9, a, b, c, c, c), 3, nil},
		"once is luck":  {moving(9, a, b, b, c, a), -1, nil},
		"moves again":   {moving(9, a, b, b, b, c, c), 2, []int{4}},
		"until T_stop":  {moving(3, a, b, b, b, b), -1, nil},
		"without steps": {moving(0, a, b), -1, nil},
	} {
		if s := Settled(c.film); s.At != c.at || !slices.Equal(s.Rises, c.rises) {
			t.Errorf("%s: settled at %d, rises %v", name, s.At, s.Rises)
		}
	}
}

// The film of a second pass begins in the middle of the steps.
func TestCurveOfASecondPass(t *testing.T) {
	a, b, c := []float32{1, 1, 0, 0}, []float32{0, 0.5, 1, 0}, []float32{0, 0, 1, 1}
	film := moving(9, a, b, b, b, c, c)
	for i := range film {
		film[i].Step += 15
	}
	if s := Settled(film); s.First != 15 || s.At != 17 || !slices.Equal(s.Rises, []int{19}) || len(s.Curves[0]) != 6 {
		t.Errorf("%+v", s)
	}
}

// moving is a film of one subject whose mask is row after row of the list.
func moving(stop int, masks ...[]float32) []inference.StepDone {
	var film []inference.StepDone
	for i, m := range masks {
		film = append(film, inference.StepDone{
			Step: i, Steps: len(masks), GridWidth: len(m), GridHeight: 1, Guided: i < stop,
			Subjects: []inference.SubjectStep{{Mask: m}},
		})
	}
	return film
}
