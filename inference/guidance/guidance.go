// Package guidance turns the attention scores of the guidance branch into the masks of the generation branch
// (RealCustom++, arXiv 2408.09744, Section III-C and III-E).
//
// Contract: pure functions over plain slices, no state, safe from any goroutine, only package message imported. A grid is
// a row-major slice of N = height·width values. Inputs are only read; results belong to the caller. The same input gives
// the same bits on every machine: ties go to the lowest index and every float32 operation is rounded once.
//
//	scores  M_j  = M_self·M_cross              what the model attends to for subject j   (Eq. 12)
//	k_j     = ⌊γ_j·N⌋                          how many positions it may take
//	w_j     of the user's painted region        what a position counts for j; without one, 1 everywhere
//	M̄_j     = Top-K of w_j·M_j, elsewhere zero no position belongs to two subjects       (Algorithm 1)
//	mask    M̂_j  = M̄_j / max(M̄_j)                                                        (Eq. 13, 16)
package guidance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"realword/inference/message"
)

// DefaultScope is γ_scope of the paper, which reports stable results between 0.15 and 0.4.
const DefaultScope = 0.2

// DefaultStop is T_stop of the paper, for 25 steps.
const DefaultStop = 12

// Subject is what the rule needs to know of one subject.
type Subject struct {
	Word   string    // only for messages
	Scope  float64   // γ_scope, in (0, 1]
	Kind   Kind      // what Region means
	Region []float32 // painted values in 0..1, one for every position of the grid; nil where Kind is Anywhere
}

// Normalization says how kept scores become mask values.
type Normalization uint8

const (
	ByMax Normalization = iota // M̂ = M̄ / max(M̄): the paper's Eq. 13 and 16, the default
	// (M − min M) / (max M − min M + 10⁻⁶) over the whole grid before Top-K, of scores in which the map of every layer was treated
	// so: what the released app does
	ByLayer
	Raw // M̂ = M̄: the ablation without normalisation
)

var normalizations = [...]string{ByMax: "max", ByLayer: "min_max_per_channel", Raw: "none"}

// String returns the name that ParseNormalization reads.
func (n Normalization) String() string { return nameOf(normalizations[:], int(n), "Normalization") }

// ParseNormalization reads max, min_max_per_channel or none.
func ParseNormalization(s string) (Normalization, error) {
	i, err := parse(normalizations[:], s, "mask normalisation")
	return Normalization(i), err
}

// Source says which attention maps make the scores (the rows of Table V).
type Source uint8

const (
	LowCrossHighSelf Source = iota // low-resolution cross maps × high-resolution self maps: Eq. 12, the default
	LowCrossAllSelf                // low-resolution cross maps × self maps of every resolution
	LowCross                       // low-resolution cross maps alone
	AllCross                       // cross maps of every resolution alone: what the released code does
)

var sources = [...]string{
	LowCrossHighSelf: "low_cross_high_self", LowCrossAllSelf: "low_cross_all_self", LowCross: "low_cross",
	AllCross: "all_cross",
}

// Sources lists every source, the default first.
func Sources() []Source { return []Source{LowCrossHighSelf, LowCrossAllSelf, LowCross, AllCross} }

// String returns the name that ParseSource reads and that graphs and recipes carry.
func (s Source) String() string { return nameOf(sources[:], int(s), "Source") }

// Levels says with 0 and 1 whose attention maps a source takes, for a U-Net that attends on a number of grids, finest first: the
// cross maps, and the self maps that refine them (none for a source of cross maps alone). Of a single grid everything is low.
func (s Source) Levels(grids int) (cross, self []int64) {
	cross, self = make([]int64, grids), make([]int64, grids)
	for i := range cross {
		if s == AllCross || i > 0 || grids == 1 {
			cross[i] = 1
		}
		if s == LowCrossAllSelf || s == LowCrossHighSelf && i == 0 {
			self[i] = 1
		}
	}
	return cross, self
}

// ParseSource reads low_cross_high_self, low_cross_all_self, low_cross or all_cross.
func ParseSource(s string) (Source, error) {
	i, err := parse(sources[:], s, "mask source")
	return Source(i), err
}

// MarshalText writes the name, so JSON holds words instead of numbers.
func (s Source) MarshalText() ([]byte, error) { return marshal(sources[:], int(s), s.String()) }

// UnmarshalText reads a name; the error lists the known ones.
func (s *Source) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSource(string(b))
	return err
}

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}

func parse(names []string, s, what string) (int, error) {
	if i := slices.Index(names, s); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%q is not a %s: choose one of %s", s, what, strings.Join(names, ", "))
}

func marshal(names []string, i int, s string) ([]byte, error) {
	if i >= len(names) {
		return nil, fmt.Errorf("guidance: %s has no name", s)
	}
	return []byte(s), nil
}

// Runs reports whether the guidance branch runs at a step, counted from 0: early stop (Section III-C) reuses the last
// mask from step T_stop on.
func Runs(step, stop int) bool { return step < stop }

// CheckStop refuses a T_stop outside [1, steps]: without a first mask there is nothing to reuse.
func CheckStop(stop, steps int) error {
	if stop < 1 || stop > steps {
		return message.Errorf("early stop at step %d is outside 1 to %d: choose a step of this run (%d means every step makes its own mask)", stop,
			steps, steps)
	}
	return nil
}

// Counts checks the scopes and regions against a grid of n positions before anything runs and returns k_j = ⌊γ_j·n⌋, or fewer where
// the painted regions leave fewer; of a subject whose mask is painted exactly, how many positions that has.
// It refuses a γ outside (0, 1], a γ so small that k is 0, scopes that together exceed the picture, and regions that leave a subject no
// position. All problems are reported together.
func Counts(n int, subjects []Subject) ([]int, error) {
	ks, _, err := counts(n, subjects)
	return ks, err
}

// counts is Counts with the weights of the positions.
func counts(n int, subjects []Subject) ([]int, [][]float32, error) {
	if n < 1 {
		return nil, nil, message.Errorf("a guidance grid of %d positions cannot hold a subject: choose a larger picture", n)
	}
	weights, free, problem := weigh(n, subjects)
	if free == nil {
		return nil, nil, problem
	}
	problems := []error{problem}
	sum := 0.0
	ks := make([]int, len(subjects))
	for j, s := range subjects {
		if !(s.Scope > 0 && s.Scope <= 1) { // also catches NaN
			problems = append(problems, message.Errorf("the scope γ = %g of %q is outside (0, 1]: 0.15 to 0.4 works well", s.Scope, s.Word))
			continue
		}
		if s.Kind == Exactly {
			ks[j] = free[j]
			continue
		}
		sum += s.Scope
		if ks[j] = int(s.Scope * float64(n)); ks[j] == 0 {
			problems = append(problems,
				message.Errorf("the scope γ = %g of %q is less than one of the %d positions of the guidance grid: use at least %g, or a larger picture",
					s.Scope, s.Word, n, math.Ceil(1e4/float64(n))/1e4))
		}
		ks[j] = min(ks[j], free[j])
	}
	// A little more than 1 is the rounding of a sum such as 0.7+0.2+0.1; ⌊·⌋ still keeps Σk ≤ n then.
	if sum > 1+1e-9 {
		problems = append(problems, message.Errorf("the scopes of all subjects add up to %.3g: lower them to at most 1 together, since subjects never share a position", sum))
	}
	return ks, weights, errors.Join(problems...)
}

// countsOf is counts for given grids, which must be one for each subject and of one length; none at all where no subject needs them.
func countsOf(scores [][]float32, subjects []Subject) ([]int, [][]float32, error) {
	if len(subjects) > 0 && len(scores) == 0 && !Scored(subjects) {
		return counts(len(subjects[0].Region), subjects)
	}
	if len(scores) != len(subjects) {
		return nil, nil, fmt.Errorf("guidance: %d score grids for %d subjects", len(scores), len(subjects))
	}
	if len(scores) == 0 {
		return nil, nil, nil
	}
	for j, grid := range scores {
		if len(grid) != len(scores[0]) {
			return nil, nil, fmt.Errorf("guidance: the scores of %q have %d positions, those of %q have %d", subjects[j].Word, len(grid),
				subjects[0].Word, len(scores[0]))
		}
	}
	return counts(len(scores[0]), subjects)
}

// NoAttentionError says that the model attends nowhere to a subject's word, so no mask can be made.
type NoAttentionError struct {
	Subject int // index into the subjects
	Word    string
	Painted bool // it attends somewhere, but not where the painted regions let it
}

// Error names the word and the remedy.
func (e *NoAttentionError) Error() string { return e.Unwrap().Error() }

// Unwrap is the sentence.
func (e *NoAttentionError) Unwrap() error {
	if e.Painted {
		return message.Errorf("the model gives no attention to %q where the painted masks leave room for it: paint them larger", e.Word)
	}
	return message.Errorf("the model gives no attention to %q: choose another word of the prompt for this reference", e.Word)
}

// Masks applies Top-K (one subject) or Multi-Subject Top-K (several; Algorithm 1) and the normalisation.
//
// scores[j] is the grid of subject j; all grids have the same length. The result has the shape of scores: zero
// outside the k_j positions of the subject, which no other subject has. Sorting each subject once and walking the
// sorted lists in turn makes it O(N log N) per subject. Painted regions act as their Kind says; where every subject's mask is painted
// exactly, scores may be nil.
//
// Errors: those of Counts, grids of different lengths, a score that is NaN or infinite, and *NoAttentionError.
func Masks(scores [][]float32, subjects []Subject, norm Normalization) ([][]float32, error) {
	ks, weights, err := countsOf(scores, subjects)
	if err != nil {
		return nil, err
	}
	wanted := make([][]float32, len(subjects))
	turns := slices.Clone(ks)
	for j, s := range subjects {
		if s.Kind == Exactly {
			turns[j] = 0
			continue
		}
		grid := scores[j]
		lo, hi := grid[0], grid[0]
		for p, v := range grid {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, message.Errorf("the attention of %q is %g at position %d of the guidance grid: the model overflowed, use another precision or device", s.Word, v, p)
			}
			lo, hi = min(lo, v), max(hi, v)
		}
		if hi == 0 && lo == 0 {
			return nil, &NoAttentionError{Subject: j, Word: s.Word}
		}
		wanted[j] = grid
		if norm == ByLayer {
			wanted[j] = minMax(grid, lo, hi)
		}
		wanted[j] = weighted(wanted[j], weights[j])
	}
	masks := choose(wanted, turns)
	for j, mask := range masks {
		if subjects[j].Kind == Exactly {
			masks[j] = weights[j]
			continue
		}
		if norm != ByMax {
			continue
		}
		top := slices.Max(mask)
		if top <= 0 { // other subjects took every position that this one attends to
			return nil, &NoAttentionError{Subject: j, Word: subjects[j].Word, Painted: weights[j] != nil}
		}
		for p := range mask {
			mask[p] /= top
		}
	}
	return masks, nil
}

// Contend returns the first n grids of scores, each only where none of the others is ahead, zero elsewhere: those are of words that no
// picture is bound to, whose places are not to be taken. Grids are compared in shares of their highest score, so each of the n keeps that.
// Where all grids are of subjects, they are returned as they are: Masks lets those contend.
func Contend(scores [][]float32, n int) [][]float32 {
	if len(scores) == n {
		return scores
	}
	most := make([]float32, len(scores))
	for j, grid := range scores {
		most[j] = slices.Max(grid)
	}
	out := make([][]float32, n)
	for j := range out {
		out[j] = slices.Clone(scores[j])
		for i, own := range scores[j] {
			for r := n; r < len(scores); r++ {
				if scores[r][i]*most[j] > own*most[r] {
					out[j][i] = 0
				}
			}
		}
	}
	return out
}

func minMax(grid []float32, lo, hi float32) []float32 {
	out := make([]float32, len(grid))
	span := float32(hi-lo) + 1e-6
	for p, v := range grid {
		out[p] = float32(v-lo) / span
	}
	return out
}

// choose returns M̄_j for every subject: subjects take turns, each taking its best position that is still free, until
// subject j has ks[j] positions or none is left to it. A score of -∞ is a position that it may not take.
func choose(scores [][]float32, ks []int) [][]float32 {
	orders := make([][]int32, len(scores))
	out := make([][]float32, len(scores))
	n := 0
	for j, grid := range scores {
		n = max(n, len(grid))
		if ks[j] > 0 {
			orders[j] = order(grid)
		}
	}
	for j := range out {
		out[j] = make([]float32, n)
	}
	taken := make([]bool, n)
	left := slices.Clone(ks)
	for open := true; open; {
		open = false
		for j, grid := range scores {
			if left[j] == 0 {
				continue
			}
			queue := orders[j]
			for len(queue) > 0 && taken[queue[0]] {
				queue = queue[1:]
			}
			if len(queue) == 0 || math.IsInf(float64(grid[queue[0]]), -1) {
				left[j] = 0
				continue
			}
			p := queue[0]
			orders[j] = queue[1:]
			out[j][p] = grid[p]
			taken[p] = true
			left[j]--
			open = open || left[j] > 0
		}
	}
	return out
}

// order returns the positions of a grid by falling value, the lowest index first among equals.
func order(grid []float32) []int32 {
	positions := make([]int32, len(grid))
	for p := range positions {
		positions[p] = int32(p)
	}
	slices.SortFunc(positions, func(a, b int32) int {
		return cmp.Or(cmp.Compare(grid[b], grid[a]), cmp.Compare(a, b))
	})
	return positions
}

// Area returns the fraction of positions at which a mask is not zero.
func Area(mask []float32) float64 {
	if len(mask) == 0 {
		return 0
	}
	n := 0
	for _, v := range mask {
		if v != 0 {
			n++
		}
	}
	return float64(n) / float64(len(mask))
}

// Change says how much a mask moved between two steps: 1 − |A∩B|/|A∪B| of the positions that are not zero. 0 is no move,
// 1 is nothing in common. Grids of different lengths have nothing in common.
func Change(before, after []float32) float64 {
	if len(before) != len(after) {
		return 1
	}
	both, any := 0, 0
	for p, a := range before {
		b := after[p]
		if a != 0 || b != 0 {
			any++
		}
		if a != 0 && b != 0 {
			both++
		}
	}
	if any == 0 {
		return 0
	}
	return 1 - float64(both)/float64(any)
}

// Contested says how many positions two subjects would both take if each chose alone: what Algorithm 1 had to settle.
// The result is symmetric, with k_j on the diagonal. Errors are those of Counts and grids of different lengths.
func Contested(scores [][]float32, subjects []Subject) ([][]int, error) {
	ks, weights, err := countsOf(scores, subjects)
	if err != nil {
		return nil, err
	}
	wanted := make([][]bool, len(subjects))
	for j := range wanted {
		grid := weights[j]
		if subjects[j].Kind != Exactly {
			grid = weighted(scores[j], weights[j])
		}
		wanted[j] = make([]bool, len(grid))
		for _, p := range order(grid)[:ks[j]] {
			wanted[j][p] = true
		}
	}
	out := make([][]int, len(subjects))
	for i := range out {
		out[i] = make([]int, len(subjects))
		for j := range out[i] {
			for p, w := range wanted[i] {
				if w && wanted[j][p] {
					out[i][j]++
				}
			}
		}
	}
	return out, nil
}
