package inspect

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/guidance"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// scored is a film whose scores are random and whose masks the engine's rule has made of them.
func scored(t *testing.T, r *rand.Rand, steps, stop int, scopes ...float64) ([]inference.StepDone, []inference.Subject) {
	t.Helper()
	var subjects []inference.Subject
	var rule []guidance.Subject
	for i, scope := range scopes {
		word := inference.Word{Text: string(rune('a' + i)), Occurrence: 1}
		subjects = append(subjects, inference.Subject{Word: word, Scope: scope})
		rule = append(rule, guidance.Subject{Word: word.Text, Scope: scope})
	}
	var film []inference.StepDone
	var masks [][]float32
	for i := range steps {
		s := uitest.Step(i, steps, stop, 0)
		s.GridWidth, s.GridHeight = 8, 8
		scores := make([][]float32, len(scopes))
		for j := range scores {
			scores[j] = make([]float32, 64)
			for p := range scores[j] {
				scores[j][p] = r.Float32()
			}
		}
		if s.Guided {
			var err error
			if masks, err = guidance.Masks(scores, rule, guidance.ByMax); err != nil {
				t.Fatal(err)
			}
		}
		for j := range scopes {
			own := inference.SubjectStep{Mask: masks[j]}
			if s.Guided {
				own.Cross, own.Scores = slices.Clone(scores[j]), scores[j]
			}
			s.Subjects = append(s.Subjects, own)
		}
		film = append(film, s)
	}
	return film, subjects
}

// What the inspection works out from the scores is what the engine had, bit for bit, and with another γ what the engine would have.
func TestWhatIfIsTheEnginesRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		film, subjects := scored(t, r, 4, 3, 0.1+0.3*r.Float64(), 0.1+0.3*r.Float64())
		for subject := range subjects {
			in, ok := begin(film, subjects, guidance.ByMax, subject)
			if !ok || len(in.steps) != 3 {
				t.Fatalf("ok %v, %d steps", ok, len(in.steps))
			}
			for i := range in.steps {
				e := in.at(i)
				if e.err != nil || !slices.Equal(e.grids[finalMask], film[i].Subjects[subject].Mask) {
					t.Fatalf("step %d, subject %d: %v\n got %v\nwant %v", i, subject, e.err, e.grids[finalMask], film[i].Subjects[subject].Mask)
				}
				if e.before[finalMask] != nil {
					t.Fatal("a difference without another γ")
				}
			}
			in.scope = 0.05 + 0.5*r.Float64()
			rule := []guidance.Subject{{Word: "a", Scope: subjects[0].Scope}, {Word: "b", Scope: subjects[1].Scope}}
			rule[subject].Scope = in.scope
			for i := range in.steps {
				want, err := guidance.Masks(state.ScoresOf(&film[i]), rule, guidance.ByMax)
				e := in.at(i)
				if err != nil || e.err != nil || !slices.Equal(e.grids[finalMask], want[subject]) || !slices.Equal(e.before[finalMask], film[i].Subjects[subject].Mask) {
					t.Fatalf("γ %g: %v, %v", in.scope, err, e.err)
				}
			}
		}
	}
}

func TestInspectionOfOneSubjectAlone(t *testing.T) {
	film, subjects := scored(t, rand.New(rand.NewPCG(3, 4)), 3, 2, 0.25)
	in, _ := begin(film, subjects, guidance.ByMax, 0)
	e := in.at(1)
	kept := 0
	for p, v := range e.grids[topMask] {
		if v > 0 {
			kept++
			if v != e.grids[refinedMap][p] {
				t.Errorf("position %d has %g, its score is %g", p, v, e.grids[refinedMap][p])
			}
		}
	}
	if kept != 16 || e.wanted != 0 {
		t.Errorf("%d positions of 64 kept, %g wanted by others", kept, e.wanted)
	}
	r := in.read(1, finalMask)
	top := slices.Index(e.grids[finalMask], 1)
	if r.area != 0.25 || r.change != guidance.Change(film[0].Subjects[0].Mask, film[1].Subjects[0].Mask) ||
		r.x != (float64(top%8)+0.5)/8 || r.y != (float64(top/8)+0.5)/8 {
		t.Errorf("%+v, highest at %d", r, top)
	}
	if in.read(0, rawMap).change != -1 {
		t.Error("the first step has a change")
	}
}

func TestContestedPositionsAreCounted(t *testing.T) {
	film, subjects := scored(t, rand.New(rand.NewPCG(3, 4)), 1, 1, 0.25, 0.25)
	film[0].Subjects[1].Scores = film[0].Subjects[0].Scores
	in, _ := begin(film, subjects, guidance.ByMax, 0)
	if e := in.at(0); e.wanted != 1 || slices.Equal(e.grids[topMask], e.grids[finalMask]) {
		t.Errorf("two subjects that want the same: %g", e.wanted)
	}
}

func TestNothingToInspect(t *testing.T) {
	film, subjects := scored(t, rand.New(rand.NewPCG(5, 6)), 3, 2, 0.2)
	for name, c := range map[string]struct {
		film     []inference.StepDone
		subjects []inference.Subject
	}{
		"no film": {nil, subjects}, "plain": {[]inference.StepDone{uitest.Step(0, 2, 1, 0)}, nil}, "reused masks": {film[2:], subjects},
		"other subjects": {film, append(subjects, subjects...)}, "without scores": {[]inference.StepDone{uitest.Step(0, 2, 1, 1)}, subjects},
	} {
		if _, ok := begin(c.film, c.subjects, guidance.ByMax, 0); ok {
			t.Errorf("%s: can be inspected", name)
		}
	}
	in, _ := begin(film, subjects, guidance.ByMax, 7)
	if in.subject != 0 {
		t.Error("a subject that is not there")
	}
	in.scope = 2
	if in.at(0).err == nil {
		t.Error("γ 2 makes a mask")
	}
}

// A matrix on a tiny grid: rows are raw, refined, Top-K and final; the difference of another γ is seen.
func TestInspectionPaints(t *testing.T) {
	film := []inference.StepDone{{Steps: 1, GridWidth: 2, GridHeight: 1, Guided: true, Subjects: []inference.SubjectStep{
		{Cross: []float32{0, 2}, Scores: []float32{1, 4}, Mask: []float32{0, 1}},
	}}}
	subjects := []inference.Subject{{Word: uitest.Word("dog"), Scope: 0.5}}
	in, ok := begin(film, subjects, guidance.ByMax, 0)
	if !ok {
		t.Fatal("nothing to inspect")
	}
	k := ink{empty: kit.NRGBA(kit.Grey(0)), top: kit.NRGBA(kit.Grey(255)), gained: kit.NRGBA(uitest.Green), lost: kit.NRGBA(uitest.Red)}
	s := scene{in: in, kind: finalMask, cell: image.Pt(20, 10), gap: 2, large: image.Pt(40, 20), ink: k}
	out := s.paint()
	if out.err != nil || out.matrix.Rect.Size() != image.Pt(22, 48) || out.large.Rect.Size() != image.Pt(40, 20) {
		t.Fatalf("%v, matrix %v, large %v", out.err, out.matrix.Rect, out.large.Rect)
	}
	at := func(x, row int) any { return kit.NRGBA(out.matrix.At(x, row*12+5)) }
	for row, want := range []any{k.shade(0, 0), k.shade(0, 0.25), k.empty, k.empty} {
		if at(4, row) != want || at(14, row) != k.shade(0, 1) {
			t.Errorf("row %d: %v and %v, want %v", row, at(4, row), at(14, row), want)
		}
	}
	if out.reading.area != 0.5 {
		t.Errorf("%+v", out.reading)
	}
	s.in.scope = 1
	wider := s.paint()
	if got := kit.NRGBA(wider.large.At(0, 0)); got != k.gained {
		t.Errorf("the position that γ 1 adds is %v", got)
	}
	s.in.subjects[0].Scope, s.in.scope = 1, 0.5
	narrower := s.paint()
	if got, in := kit.NRGBA(narrower.large.At(0, 0)), kit.NRGBA(narrower.large.At(10, 10)); got != k.lost || in != k.empty {
		t.Errorf("the position that γ 0.5 loses is %v in %v", in, got)
	}
	if (scene{}).paint().matrix != nil {
		t.Error("nothing is painted")
	}
}
