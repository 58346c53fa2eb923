package guidance

import (
	"errors"
	"fmt"
	"math"

	"realword/inference/message"
)

// Kind says what a painted region means for the mask of its subject.
type Kind string

const (
	Anywhere Kind = ""      // there is none
	OnlyHere Kind = "only"  // scores outside count as nothing; Top-K and γ go on inside
	NotHere  Kind = "not"   // scores inside count as nothing
	Exactly  Kind = "exact" // the region is the mask, γ is its area, and scores are not asked
)

// Kinds lists the meanings of a region.
func Kinds() []Kind { return []Kind{OnlyHere, NotHere, Exactly} }

// ParseKind reads only, not or exact.
func ParseKind(s string) (Kind, error) {
	names := [...]string{string(OnlyHere), string(NotHere), string(Exactly)}
	i, err := parse(names[:], s, "meaning of a mask")
	if err != nil {
		return Anywhere, err
	}
	return Kind(names[i]), nil
}

// Scored reports whether the mask of any subject comes from scores. Without one the guidance branch need not run.
func Scored(subjects []Subject) bool {
	for _, s := range subjects {
		if s.Kind != Exactly {
			return true
		}
	}
	return false
}

// weigh returns what every position counts for every subject: nil where all count fully, 0 where it may not be taken. Of a mask that
// is painted exactly it is the mask. Positions of such masks belong to nobody else: where several of them meet, to one that holds at
// least half of the position, of those to the smallest mask, then to the first. free is how many positions a subject may take.
func weigh(n int, subjects []Subject) (weights [][]float32, free []int, err error) {
	var problems []error
	weights, free = make([][]float32, len(subjects)), make([]int, len(subjects))
	area := make([]float64, len(subjects))
	exact := make([]int, 0, len(subjects))
	for j, s := range subjects {
		switch {
		case s.Kind == Anywhere:
			continue
		case len(s.Region) != n:
			return nil, nil, fmt.Errorf("guidance: the region of %q has %d positions, the grid has %d", s.Word, len(s.Region), n)
		}
		weights[j] = make([]float32, n)
		for p, v := range s.Region {
			if !(v >= 0 && v <= 1) || math.IsInf(float64(v), 0) {
				return nil, nil, fmt.Errorf("guidance: the region of %q is %g at position %d, outside of 0 to 1", s.Word, v, p)
			}
			if s.Kind == NotHere {
				v = 1 - v
			}
			weights[j][p] = v
			area[j] += float64(v)
		}
		if s.Kind == Exactly {
			exact = append(exact, j)
		}
	}
	owner := make([]int, n) // 1 + the subject whose exact mask has the position
	for _, j := range exact {
		for p, v := range subjects[j].Region {
			if i := owner[p] - 1; v > 0 && (i < 0 || stronger(v, subjects[i].Region[p], area[j], area[i])) {
				owner[p] = j + 1
			}
		}
	}
	for j, s := range subjects {
		if weights[j] == nil && len(exact) > 0 {
			weights[j] = make([]float32, n)
			for p := range weights[j] {
				weights[j][p] = 1
			}
		}
		if weights[j] == nil {
			free[j] = n
			continue
		}
		over := 0 // 1 + a subject that has taken a position from this one
		for p, v := range weights[j] {
			if i := owner[p]; v > 0 && i > 0 && i != j+1 {
				over, v = i, 0
				weights[j][p] = 0
			}
			if v > 0 {
				free[j]++
			}
		}
		if free[j] == 0 {
			problems = append(problems, noPlace(s, subjects, over))
		}
	}
	return weights, free, errors.Join(problems...)
}

// stronger tells whether a position goes to a mask with value a rather than to one with value b.
func stronger(a, b float32, areaA, areaB float64) bool {
	if (a >= 0.5) != (b >= 0.5) {
		return a >= 0.5
	}
	return areaA < areaB
}

// noPlace says why a subject has no position: over is 1 + the subject whose mask has them, if any.
func noPlace(s Subject, subjects []Subject, over int) error {
	switch {
	case over > 0 && s.Kind == Exactly:
		return message.Errorf("the masks of %q and %q overlap entirely, and subjects never share a position: paint them apart",
			subjects[over-1].Word, s.Word)
	case over > 0:
		return message.Errorf("the mask painted for %q leaves no position for %q: paint it smaller", subjects[over-1].Word, s.Word)
	case s.Kind == NotHere:
		return message.Errorf("the mask of %q covers the whole picture and says where it must not be: leave room for it", s.Word)
	default:
		return message.Errorf("the mask of %q is empty: paint in white where it should be, or remove the mask", s.Word)
	}
}

// weighted multiplies scores by weights; positions of weight 0 become -∞, which nobody takes. Without weights it is the scores.
func weighted(scores, weights []float32) []float32 {
	if weights == nil {
		return scores
	}
	out := make([]float32, len(scores))
	for p, w := range weights {
		if out[p] = scores[p] * w; w == 0 {
			out[p] = float32(math.Inf(-1))
		}
	}
	return out
}
