package guidance

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// algorithm1 is Algorithm 1 of the paper, written down as printed: one position a turn, found by a full argmax.
func algorithm1(scores [][]float32, ks []int) [][]float32 {
	n := len(scores[0])
	taken := make([]bool, n)
	count := make([]int, len(scores))
	out := make([][]float32, len(scores))
	for j := range scores {
		out[j] = make([]float32, n)
	}
	full := func() bool { return slices.Equal(count, ks) }
	for !full() {
		for j := range scores {
			if count[j] == ks[j] {
				continue
			}
			m := slices.Clone(scores[j])
			for p := range m {
				if taken[p] {
					m[p] = float32(math.Inf(-1))
				}
			}
			best := 0
			for p := range m {
				if m[p] > m[best] {
					best = p
				}
			}
			out[j][best] = m[best]
			taken[best] = true
			count[j]++
		}
	}
	return out
}

// grids makes score grids of several characters: smooth, full of ties, with zeros, negative, constant.
func grids(r *rand.Rand, subjects, n int) [][]float32 {
	out := make([][]float32, subjects)
	for j := range out {
		kind := r.IntN(5)
		out[j] = make([]float32, n)
		for p := range out[j] {
			switch kind {
			case 0:
				out[j][p] = r.Float32()
			case 1:
				out[j][p] = float32(r.IntN(3))
			case 2:
				out[j][p] = max(0, r.Float32()-0.7)
			case 3:
				out[j][p] = r.Float32() - 0.5
			case 4:
				out[j][p] = 0.25
			}
		}
	}
	return out
}

func TestChooseIsAlgorithm1(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		n, subjects := 1+r.IntN(80), 1+r.IntN(5)
		scores := grids(r, subjects, n)
		ks := make([]int, subjects)
		left := n
		for j := range ks {
			ks[j] = r.IntN(left + 1)
			left -= ks[j]
		}
		if round%7 == 0 { // the whole picture is given away
			ks[subjects-1] += left
		}
		got, want := choose(scores, ks), algorithm1(scores, ks)
		for j := range want {
			if !slices.Equal(got[j], want[j]) {
				t.Fatalf("round %d, n %d, k %v, subject %d:\n got %v\nwant %v\nscores %v", round, n, ks, j, got[j], want[j], scores)
			}
		}
	}
}

func TestMasksInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		side := 2 + r.IntN(15)
		n := side * side
		subjects := make([]Subject, 1+r.IntN(4))
		scores := make([][]float32, len(subjects))
		for j := range subjects {
			subjects[j] = Subject{Word: "w", Scope: (0.3 + 0.7*r.Float64()) / float64(len(subjects))}
			scores[j] = make([]float32, n)
			for p := range scores[j] {
				scores[j][p] = r.Float32() + 1e-3
			}
		}
		masks, err := Masks(scores, subjects, ByMax)
		ks, kerr := Counts(n, subjects)
		if kerr != nil {
			if err == nil {
				t.Fatalf("Masks accepts what Counts refuses: %v", kerr)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		owner := make([]int, n)
		for j, m := range masks {
			kept := 0
			for p, v := range m {
				if v == 0 {
					continue
				}
				kept++
				owner[p]++
				if v < 0 || v > 1 || owner[p] > 1 {
					t.Fatalf("subject %d has %g at %d, owners %d", j, v, p, owner[p])
				}
			}
			if kept != ks[j] || slices.Max(m) != 1 {
				t.Fatalf("subject %d keeps %d of %d, maximum %g", j, kept, ks[j], slices.Max(m))
			}
			if got := Area(m); got != float64(kept)/float64(n) {
				t.Fatalf("area %g", got)
			}
		}
	}
}

func TestMasksOneSubject(t *testing.T) {
	scores := [][]float32{{1, 4, 2, 4, 0, 3, 1, 1, 0, 0}}
	for _, c := range []struct {
		scope float64
		norm  Normalization
		want  []float32
	}{
		{0.1, ByMax, []float32{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}}, // the lower of two equals
		{0.3, ByMax, []float32{0, 1, 0, 1, 0, 0.75, 0, 0, 0, 0}},
		{0.59, Raw, []float32{1, 4, 2, 4, 0, 3, 0, 0, 0, 0}},
		{1, ByMax, []float32{0.25, 1, 0.5, 1, 0, 0.75, 0.25, 0.25, 0, 0}},
		{0.2, ByLayer, []float32{0, 4 / (4 + 1e-6), 0, 4 / (4 + 1e-6), 0, 0, 0, 0, 0, 0}},
	} {
		got, err := Masks(scores, []Subject{{Word: "dog", Scope: c.scope}}, c.norm)
		if err != nil || !slices.Equal(got[0], c.want) {
			t.Errorf("γ %g %s: %v %v, want %v", c.scope, c.norm, got, err, c.want)
		}
	}
}

func TestMasksShareAContestedSpot(t *testing.T) {
	scores := [][]float32{{5, 4, 3, 0}, {9, 8, 1, 0}}
	subjects := []Subject{{Word: "dog", Scope: 0.5}, {Word: "hat", Scope: 0.5}}
	got, err := Masks(scores, subjects, Raw)
	if err != nil || !slices.Equal(got[0], []float32{5, 0, 3, 0}) || !slices.Equal(got[1], []float32{0, 8, 0, 0}) {
		t.Errorf("%v %v", got, err)
	}
	contested, err := Contested(scores, subjects)
	if err != nil || contested[0][0] != 2 || contested[1][1] != 2 || contested[0][1] != 2 || contested[1][0] != 2 {
		t.Errorf("contested %v %v", contested, err)
	}
}

func TestCountsRoundsDownInDoubles(t *testing.T) {
	for _, c := range []struct {
		n     int
		scope float64
		want  int
	}{{4096, 0.2, 819}, {4096, 0.25, 1024}, {100, 0.29, 28}, {64, 1, 64}, {1, 1, 1}} {
		got, err := Counts(c.n, []Subject{{Word: "w", Scope: c.scope}})
		if err != nil || got[0] != c.want {
			t.Errorf("Counts(%d, %g) = %v, %v, want %d", c.n, c.scope, got, err, c.want)
		}
	}
	if _, err := Counts(1000, []Subject{{Word: "a", Scope: 0.1}, {Word: "b", Scope: 0.2}, {Word: "c", Scope: 0.7}}); err != nil {
		t.Errorf("scopes that add up to one: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	one := [][]float32{{1, 2, 3, 4}}
	for _, c := range []struct {
		name     string
		scores   [][]float32
		subjects []Subject
		want     []string
	}{
		{"too much together", [][]float32{{1, 2, 3, 4}, {1, 2, 3, 4}}, []Subject{{Word: "dog", Scope: 0.6}, {Word: "hat", Scope: 0.5}}, []string{"1.1", "at most 1 together"}},
		{"zero", one, []Subject{{Word: "dog", Scope: 0}}, []string{`"dog"`, "outside (0, 1]"}},
		{"negative", one, []Subject{{Word: "dog", Scope: -0.1}}, []string{"outside (0, 1]"}},
		{"above one", one, []Subject{{Word: "dog", Scope: 1.01}}, []string{"outside (0, 1]"}},
		{"not a number", one, []Subject{{Word: "dog", Scope: math.NaN()}}, []string{"outside (0, 1]"}},
		{"too small", one, []Subject{{Word: "dog", Scope: 0.2}}, []string{`"dog"`, "at least 0.25"}},
		{"all problems", [][]float32{{1, 1, 1, 1}, {1, 1, 1, 1}}, []Subject{{Word: "dog", Scope: 0}, {Word: "hat", Scope: 0.2}}, []string{`"dog"`, `"hat"`}},
		{"NaN score", [][]float32{{1, nan, 0, 0}}, []Subject{{Word: "dog", Scope: 0.5}}, []string{`"dog"`, "NaN", "position 1"}},
		{"infinite score", [][]float32{{1, 0, 0, inf}}, []Subject{{Word: "dog", Scope: 0.5}}, []string{"Inf", "position 3"}},
		{"lengths", [][]float32{{1, 1}, {1}}, []Subject{{Word: "dog", Scope: 0.5}, {Word: "hat", Scope: 0.5}}, []string{`"hat"`, "1 positions"}},
		{"missing grid", one, []Subject{{Word: "dog", Scope: 0.5}, {Word: "hat", Scope: 0.5}}, []string{"1 score grids for 2"}},
		{"empty grid", [][]float32{{}}, []Subject{{Word: "dog", Scope: 0.5}}, []string{"0 positions"}},
	} {
		_, err := Masks(c.scores, c.subjects, ByMax)
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.name, err, w)
			}
		}
	}
	// The γ that the message gives does work.
	for n := 1; n < 5000; n++ {
		_, err := Counts(n, []Subject{{Word: "dog", Scope: 1e-9}})
		least := math.Ceil(1e4/float64(n)) / 1e4
		if _, again := Counts(n, []Subject{{Word: "dog", Scope: least}}); err == nil || again != nil {
			t.Fatalf("n %d: %v, then with %g %v", n, err, least, again)
		}
	}
}

func TestNoAttention(t *testing.T) {
	var no *NoAttentionError
	for name, c := range map[string]struct {
		scores  [][]float32
		subject int
	}{
		"all zero":         {[][]float32{{1, 1, 1, 1}, {0, 0, 0, 0}}, 1},
		"others took it":   {[][]float32{{1, 1, 1, 1}, {2, 0, 0, 0}}, 1},
		"nothing positive": {[][]float32{{-1, -2, -3, -4}, {1, 1, 1, 1}}, 0},
	} {
		_, err := Masks(c.scores, []Subject{{Word: "dog", Scope: 0.5}, {Word: "hat", Scope: 0.5}}, ByMax)
		if !errors.As(err, &no) || no.Subject != c.subject || !strings.Contains(err.Error(), no.Word) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEarlyStop(t *testing.T) {
	runs := 0
	for step := range 25 {
		if Runs(step, DefaultStop) {
			runs++
		}
	}
	if runs != 12 {
		t.Errorf("the guidance branch runs %d times", runs)
	}
	for _, c := range []struct {
		stop, steps int
		ok          bool
	}{{1, 25, true}, {25, 25, true}, {0, 25, false}, {26, 25, false}, {-3, 25, false}} {
		if err := CheckStop(c.stop, c.steps); (err == nil) != c.ok {
			t.Errorf("CheckStop(%d, %d) = %v", c.stop, c.steps, err)
		}
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 0.5, 0, 0}, []float32{0.2, 1, 0, 0}, 0},
		{[]float32{1, 1, 0, 0}, []float32{0, 0, 1, 1}, 1},
		{[]float32{1, 1, 0, 0}, []float32{0, 1, 0, 0}, 0.5},
		{[]float32{0, 0}, []float32{0, 0}, 0},
		{[]float32{1}, []float32{1, 1}, 1},
	} {
		if got := Change(c.a, c.b); got != c.want {
			t.Errorf("Change(%v, %v) = %g, want %g", c.a, c.b, got, c.want)
		}
	}
}

func TestNamesGoThroughJSON(t *testing.T) {
	type options struct{ Source Source }
	for _, s := range Sources() {
		data, err := json.Marshal(options{s})
		var back options
		if err != nil || json.Unmarshal(data, &back) != nil || back != (options{s}) {
			t.Errorf("%s: %v %v", data, err, back)
		}
	}
	for _, n := range []Normalization{ByMax, ByLayer, Raw} {
		if back, err := ParseNormalization(n.String()); err != nil || back != n {
			t.Errorf("%s: %v %v", n, back, err)
		}
	}
	if data, _ := json.Marshal(options{}); string(data) != `{"Source":"low_cross_high_self"}` {
		t.Errorf("the zero value is not the paper's default: %s", data)
	}
	if _, err := json.Marshal(Source(9)); err == nil {
		t.Error("a source without a name was written")
	}
	if _, err := ParseSource("high_cross"); err == nil || !strings.Contains(err.Error(), "low_cross_all_self") {
		t.Errorf("an unknown source: %v", err)
	}
	if _, err := ParseNormalization("mean"); err == nil || !strings.Contains(err.Error(), "min_max_per_channel") {
		t.Error("an unknown normalisation was read")
	}
}

// TestContend: a subject keeps its highest score and whatever a word without a picture is not ahead in, by shares of the highest.
func TestContend(t *testing.T) {
	scores := [][]float32{{4, 3, 2, 1, 0}, {1, 5, 8, 2, 0}, {1, 2, 8, 10, 0}}
	for _, c := range []struct {
		subjects int
		want     [][]float32
	}{
		{3, scores},
		{2, [][]float32{{4, 3, 0, 0, 0}, {1, 5, 8, 0, 0}}},
		{1, [][]float32{{4, 3, 0, 0, 0}}},
	} {
		if got := Contend(scores, c.subjects); !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%d subjects: %v, want %v", c.subjects, got, c.want)
		}
	}
	if got := Contend([][]float32{{1, 2}, {0, 0}}, 1); !slices.Equal(got[0], []float32{1, 2}) {
		t.Errorf("a word that is nowhere took places: %v", got)
	}
}
