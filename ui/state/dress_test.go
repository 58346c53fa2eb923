package state

import (
	"math/rand/v2"
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/guidance"
)

// styles are the styles of the subjects by their words.
func stylesOf(f Form) map[string]int {
	out := map[string]int{}
	for _, g := range f.Groups() {
		c := f.Cards[g.Cards[0]]
		if c.Bound() {
			out[c.Word.Text] = c.Style
		}
	}
	return out
}

// Whatever is done with the cards, a subject that stays keeps its colour, and no two have one.
func TestStylesStayWithTheirSubjects(t *testing.T) {
	words := []string{"dog", "cat", "rex", "owl", "fox", "hat"}
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var f Form
		history := ""
		for range 60 {
			groups := f.Groups()
			before := stylesOf(f)
			any := func() int { return groups[rng.IntN(len(groups))].ID }
			op := rng.IntN(8)
			if len(groups) < 2 {
				op = 0
			}
			switch op {
			case 0, 1:
				word := words[rng.IntN(len(words))]
				if _, there := before[word]; there || len(groups) == len(words) {
					continue
				}
				id := f.NextID()
				f.Cards = append(slices.Clip(f.Cards), Card{ID: id})
				f = f.Bind(id, inference.Word{Text: word})
				history += " +" + word
			case 2:
				f = f.RemoveSubject(any())
				history += " remove"
			case 3:
				id := any()
				f = f.Mute(id, rng.IntN(2) == 0)
				history += " mute"
			case 4:
				f = f.Move(any(), 2*rng.IntN(2)-1)
				history += " move"
			case 5:
				f = f.Swap(any(), any())
				history += " swap"
			case 6:
				f, _ = f.Share(any())
				history += " share"
			case 7:
				f = f.Join(any(), Card{})
				history += " join"
			}
			f = f.Tidy()
			after := stylesOf(f)
			for word, style := range before {
				if now, there := after[word]; there && now != style {
					t.Fatalf("seed %d:%s: %s changed from style %d to %d", seed, history, word, style, now)
				}
			}
			taken := map[int]bool{}
			for _, g := range f.Groups() {
				style := f.Cards[g.Cards[0]].Style
				if style < 1 || taken[style] {
					t.Fatalf("seed %d:%s: style %d twice, or none", seed, history, style)
				}
				taken[style] = true
				for _, i := range g.Cards {
					if f.Cards[i].Style != style {
						t.Fatalf("seed %d:%s: one subject in two styles", seed, history)
					}
				}
			}
		}
	}
}

func TestDressOfARound(t *testing.T) {
	word := func(text string, shas ...string) inference.Subject {
		s := inference.Subject{Word: inference.Word{Text: text}}
		for _, sha := range shas {
			s.References = append(s.References, inference.Reference{SHA256: sha})
		}
		return s
	}
	f := Form{Cards: []Card{
		{ID: 1, Word: inference.Word{Text: "dog"}, Style: 2, Ref: inference.Reference{SHA256: "d"}},
		{ID: 2, Word: inference.Word{Text: "cat"}, Style: 1, Off: true, Ref: inference.Reference{SHA256: "c"}},
	}}
	for name, c := range map[string]struct {
		subjects []inference.Subject
		want     string
	}{
		"as on the left":                     {[]inference.Subject{word("dog"), word("cat")}, "\x01\x00"},
		"in another order":                   {[]inference.Subject{word("cat"), word("dog")}, "\x00\x01"},
		"one is muted":                       {[]inference.Subject{word("dog")}, "\x01"},
		"a longer name for the same picture": {[]inference.Subject{word("dog with a hat", "d")}, "\x01"},
		"unknown ones keep their numbers":    {[]inference.Subject{word("owl"), word("fox")}, "\x00\x01"},
		"an unknown one beside a known one":  {[]inference.Subject{word("owl"), word("cat")}, "\x01\x00"},
		"one picture for two words":          {[]inference.Subject{word("dog", "d"), word("ball", "d")}, "\x01\x00"},
		"none":                               {nil, ""},
	} {
		if got := f.dress(c.subjects); string(got) != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if Dress("\x03").Of(0) != 3 || Dress("").Of(2) != 2 || Dress("\x03").Of(-1) != -1 {
		t.Error("a subject without a style is not shown in its own number")
	}
}

func TestWorstOverlap(t *testing.T) {
	scores := func(at ...int) []float32 {
		g := make([]float32, 10)
		for n, p := range at {
			g[p] = float32(10 - n)
		}
		return g
	}
	step := inference.StepDone{Step: 4, Guided: true, GridWidth: 5, GridHeight: 2, Subjects: []inference.SubjectStep{
		{Scores: scores(0, 1, 2, 3)}, {Scores: scores(8, 9, 7, 6)}, {Scores: scores(2, 3)},
	}}
	list := []guidance.Subject{{Scope: 0.4}, {Scope: 0.4}, {Scope: 0.2}}
	if got := worstOverlap(&step, list); got != (overlap{0, 2, 1}) {
		t.Errorf("%+v: the third wants two places of the first", got)
	}
	if got := worstOverlap(&step, list[:2]); got.a != got.b {
		t.Errorf("%+v of a film with other subjects", got)
	}
	s := NewState()
	s.Last.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}, Scope: 0.4}, {Word: inference.Word{Text: "cat"}, Scope: 0.4}, {Word: inference.Word{Text: "owl"}, Scope: 0.2}}
	late := inference.StepDone{Step: 5, Subjects: make([]inference.SubjectStep, 3)}
	s.Last.Film = []inference.StepDone{step, late}
	if note, much := s.OverlapNote(); !much || note != "100 % overlap between “dog” and “owl” at step 5: lower their areas, or move the subjects apart." {
		t.Errorf("%q, %v", note, much)
	}
	pair := func(second []float32) string {
		s := s
		s.Last.Subjects = s.Last.Subjects[:2]
		one := step
		one.Subjects = []inference.SubjectStep{{Scores: scores(0, 1, 2, 3)}, {Scores: second}}
		s.Last.Film = []inference.StepDone{one}
		note, _ := s.OverlapNote()
		return note
	}
	if note := pair(scores(8, 9, 7, 6)); note != "" {
		t.Errorf("%q of subjects that are apart", note)
	}
	if note := pair(scores(8, 9, 7, 3)); note != "25 % overlap between “dog” and “cat” at step 5." {
		t.Errorf("%q of subjects that share a quarter", note)
	}
	s.Last.Subjects = s.Last.Subjects[:1]
	if note, _ := s.OverlapNote(); note != "" {
		t.Errorf("%q of one subject", note)
	}
}
