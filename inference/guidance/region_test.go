package guidance

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// regionCase is a case of the golden: see assets/golden/regions.py.
type regionCase struct {
	Name          string
	Width, Height int
	Norm          string
	Subjects      []struct {
		Kind                Kind
		Scope               float64
		Cover, Scores, Mask []float32
	}
}

func regionCases(t *testing.T) []regionCase {
	t.Helper()
	data, err := os.ReadFile("../../assets/golden/data/regions.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []regionCase }
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cases) < 12 {
		t.Fatal(len(golden.Cases), err)
	}
	return golden.Cases
}

func (c regionCase) subjects() (list []Subject, scores [][]float32) {
	for _, s := range c.Subjects {
		one := Subject{Word: "dog", Scope: s.Scope, Kind: s.Kind}
		if s.Kind != Anywhere {
			one.Region = s.Cover
		}
		list, scores = append(list, one), append(scores, s.Scores)
	}
	return list, scores
}

func TestRegionsAreThoseOfNumpy(t *testing.T) {
	for _, c := range regionCases(t) {
		subjects, scores := c.subjects()
		norm, err := ParseNormalization(c.Norm)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Masks(scores, subjects, norm)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		for j, s := range c.Subjects {
			for p, want := range s.Mask {
				if v := got[j][p]; (v == 0) != (want == 0) || math.Abs(float64(v-want)) > 1e-6 {
					t.Fatalf("%s: subject %d has %g at position %d, want %g", c.Name, j, v, p, want)
				}
			}
		}
		if ks, err := Counts(len(scores[0]), subjects); err != nil {
			t.Errorf("%s: %v, %v", c.Name, ks, err)
		}
	}
}

// What regions promise, for any scores.
func TestRegionInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	kinds := []Kind{Anywhere, OnlyHere, NotHere, Exactly}
	made := 0
	for range 2000 {
		n := 9 + r.IntN(100)
		subjects := make([]Subject, 1+r.IntN(4))
		scores := make([][]float32, len(subjects))
		for j := range subjects {
			subjects[j] = Subject{Word: "w", Scope: (0.3 + 0.7*r.Float64()) / float64(len(subjects)), Kind: kinds[r.IntN(4)], Region: make([]float32, n)}
			scores[j] = make([]float32, n)
			from, to := r.IntN(n), r.IntN(n)
			for p := range n {
				scores[j][p] = r.Float32() + 1e-3
				if p >= from && p <= to {
					subjects[j].Region[p] = float32(1+r.IntN(255)) / 255
				}
			}
		}
		masks, err := Masks(scores, subjects, ByMax)
		ks, kerr := Counts(n, subjects)
		if none := (*NoAttentionError)(nil); errors.As(err, &none) {
			continue // few positions for many
		}
		if (err != nil) != (kerr != nil) {
			t.Fatalf("Masks says %v, Counts %v", err, kerr)
		}
		if err != nil {
			continue
		}
		made++
		owner, counts := make([]int, n), make([]int, len(subjects))
		for j, s := range subjects {
			for p, v := range masks[j] {
				if v == 0 {
					continue
				}
				counts[j]++
				if owner[p]++; owner[p] > 1 {
					t.Fatalf("position %d belongs to two subjects", p)
				}
				if s.Kind == OnlyHere && s.Region[p] == 0 || s.Kind == NotHere && s.Region[p] == 1 || s.Kind == Exactly && v != s.Region[p] {
					t.Fatalf("%s: %g at a position where %g is painted", s.Kind, v, s.Region[p])
				}
			}
			if counts[j] > ks[j] || s.Kind == Exactly && counts[j] != ks[j] {
				t.Fatalf("%s takes %d positions of %d", s.Kind, counts[j], ks[j])
			}
		}
	}
	if made < 500 {
		t.Fatalf("only %d cases made masks", made)
	}
}

func TestRegionsOfTheWholePictureChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	scores := grids(r, 1, 64)
	for p := range scores[0] {
		scores[0][p] = max(scores[0][p], 0) + 0.01
	}
	for _, norm := range []Normalization{ByMax, ByLayer, Raw} {
		want, err := Masks(scores, []Subject{{Word: "dog", Scope: 0.3}}, norm)
		if err != nil {
			t.Fatal(err)
		}
		for kind, v := range map[Kind]float32{OnlyHere: 1, NotHere: 0} {
			got, err := Masks(scores, []Subject{{Word: "dog", Scope: 0.3, Kind: kind, Region: slices.Repeat([]float32{v}, 64)}}, norm)
			if err != nil || !slices.Equal(got[0], want[0]) {
				t.Errorf("%s: %v, %v", kind, got, err)
			}
		}
	}
}

func TestExactMasksNeedNoScores(t *testing.T) {
	subjects := []Subject{
		{Word: "dog", Scope: 0.2, Kind: Exactly, Region: []float32{1, 0.5, 0, 0}},
		{Word: "hat", Scope: 0.9, Kind: Exactly, Region: []float32{0, 0.75, 0.25, 0}},
	}
	got, err := Masks(nil, subjects, ByMax)
	if err != nil || !slices.Equal(got[0], []float32{1, 0, 0, 0}) || !slices.Equal(got[1], []float32{0, 0.75, 0.25, 0}) || Scored(subjects) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Masks(nil, append(subjects, Subject{Word: "sky", Scope: 0.2}), ByMax); err == nil {
		t.Error("a subject without a mask of its own got one without scores")
	}
}

func TestASmallRegionTakesNothingElsewhere(t *testing.T) {
	subjects := []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: []float32{1, 0, 0, 0}}, {Word: "hat", Scope: 0.5}}
	ks, err := Counts(4, subjects)
	if err != nil || !slices.Equal(ks, []int{1, 2}) {
		t.Errorf("%v, %v", ks, err)
	}
	got, err := Masks([][]float32{{1, 9, 9, 9}, {1, 4, 3, 2}}, subjects, Raw)
	if err != nil || !slices.Equal(got[0], []float32{1, 0, 0, 0}) || !slices.Equal(got[1], []float32{0, 4, 3, 0}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = Masks([][]float32{{1, 4, 3, 2}, {1, 4, 3, 2}}, subjects, Raw); err != nil || !slices.Equal(got[1], []float32{0, 4, 3, 0}) {
		t.Errorf("%v, %v", got, err)
	}
	// Scores may be below zero, and nothing is still less.
	got, err = Masks([][]float32{{-1, 2, 3, 4}}, []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: []float32{1, 1, 0, 0}}}, Raw)
	if err != nil || !slices.Equal(got[0], []float32{-1, 2, 0, 0}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestContestedKnowsRegions(t *testing.T) {
	scores := [][]float32{{5, 4, 3, 1}, {9, 8, 1, 2}}
	subjects := []Subject{{Word: "dog", Scope: 0.5}, {Word: "hat", Scope: 0.5, Kind: OnlyHere, Region: []float32{0, 1, 1, 1}}}
	got, err := Contested(scores, subjects)
	if err != nil || got[0][0] != 2 || got[1][1] != 2 || got[0][1] != 1 || got[1][0] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRegionsThatLeaveNothing(t *testing.T) {
	half, none, all := []float32{1, 1, 0, 0}, make([]float32, 4), []float32{1, 1, 1, 1}
	for _, c := range []struct {
		name     string
		subjects []Subject
		want     string
	}{
		{"an empty one", []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: none}}, `the mask of "dog" is empty`},
		{"an empty exact one", []Subject{{Word: "dog", Scope: 0.5, Kind: Exactly, Region: none}}, `the mask of "dog" is empty`},
		{"nowhere", []Subject{{Word: "dog", Scope: 0.5, Kind: NotHere, Region: all}}, "leave room for it"},
		{"two exact ones alike", []Subject{
			{Word: "dog", Scope: 0.5, Kind: Exactly, Region: half}, {Word: "hat", Scope: 0.5, Kind: Exactly, Region: half},
		}, `the masks of "dog" and "hat" overlap entirely`},
		{"only below an exact one", []Subject{
			{Word: "dog", Scope: 0.5, Kind: Exactly, Region: all}, {Word: "hat", Scope: 0.5, Kind: OnlyHere, Region: half},
		}, `the mask painted for "dog" leaves no position for "hat"`},
		{"nothing left", []Subject{{Word: "dog", Scope: 0.5, Kind: Exactly, Region: all}, {Word: "hat", Scope: 0.5}}, `leaves no position for "hat"`},
		{"another size", []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: []float32{1}}}, "1 positions"},
		{"no number", []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: []float32{1, float32(math.NaN()), 0, 0}}}, "NaN at position 1"},
	} {
		if _, err := Counts(4, c.subjects); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	scores := [][]float32{{0, 0, 1, 1}}
	_, err := Masks(scores, []Subject{{Word: "dog", Scope: 0.5, Kind: OnlyHere, Region: half}}, ByMax)
	if err == nil || !strings.Contains(err.Error(), "paint them larger") {
		t.Errorf("no attention inside: %v", err)
	}
	if _, err := ParseKind("around"); err == nil || !strings.Contains(err.Error(), "only, not, exact") {
		t.Error(err)
	}
}
