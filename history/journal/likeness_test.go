package journal

import (
	"testing"
	"time"

	"realword/history"
	"realword/inference"
)

// roundOf makes a round of a request with one finished picture, and answers its number.
func roundOf(t *testing.T, s *history.Store, r inference.Request, parents ...uint64) uint64 {
	t.Helper()
	plan, err := PlanOf(s, 0, r, "m", parents...)
	if err != nil {
		t.Fatal(err)
	}
	if len(parents) > 0 {
		p, err := s.Picture(parents[0])
		if err != nil {
			t.Fatal(err)
		}
		above, err := s.Round(p.Round)
		if err != nil {
			t.Fatal(err)
		}
		plan.Session = above.Session
	}
	round, err := s.BeginRound(plan, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.StartPicture(round, 1)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func ofPictures(word string, pictures ...string) inference.Subject {
	s := inference.Subject{Word: inference.Word{Text: word}}
	for _, p := range pictures {
		s.References = append(s.References, inference.Reference{Name: p + ".png", SHA256: sum([]byte(p)), Data: []byte(p)})
	}
	return s
}

// TestAnchors goes up from a job to the references that its subjects began with.
func TestAnchors(t *testing.T) {
	s := store(t)
	request := func(subjects ...inference.Subject) inference.Request {
		r := dog()
		r.Seeds, r.Subjects = []uint64{1}, subjects
		return r
	}
	first := roundOf(t, s, request(ofPictures("dog", "photo"), ofPictures("hat", "felt")))
	second := roundOf(t, s, request(ofPictures("dog", "made 1"), ofPictures("hat", "felt")), first)
	third := roundOf(t, s, request(ofPictures("dog", "made 2", "photo"), ofPictures("hat", "felt")), second)
	redo := func(r inference.Request) inference.Request {
		r.Init = &inference.Init{Name: "x.png", Strength: 1, Data: []byte("x"), SHA256: sum([]byte("x"))}
		return r
	}
	other := roundOf(t, s, redo(request(ofPictures("dog", "another dog"), ofPictures("hat", "felt"))), third)
	for name, c := range map[string]struct {
		r       inference.Request
		parents []uint64
		want    []string // the anchor of each subject; "": none
	}{
		"no parents":                           {request(ofPictures("dog", "made 1")), nil, []string{""}},
		"from its first round":                 {request(ofPictures("dog", "made 1"), ofPictures("hat", "felt")), []uint64{first}, []string{"photo", ""}},
		"over three rounds":                    {request(ofPictures("dog", "made 3"), ofPictures("hat", "felt")), []uint64{third}, []string{"photo", ""}},
		"beside its anchor":                    {request(ofPictures("dog", "made 3", "photo")), []uint64{third}, []string{"photo"}},
		"a subject that is new":                {request(ofPictures("dog", "made 1"), ofPictures("cat", "kitten")), []uint64{first}, []string{"photo", ""}},
		"two that changed, of one of which":    {request(ofPictures("dog", "made 1"), ofPictures("hat", "silk")), []uint64{first}, []string{"", ""}},
		"made again with another picture":      {redo(request(ofPictures("dog", "wolf"), ofPictures("hat", "felt"))), []uint64{third}, []string{"", ""}},
		"made again as it was":                 {redo(request(ofPictures("dog", "made 2", "photo"), ofPictures("hat", "felt"))), []uint64{third}, []string{"photo", ""}},
		"going on from another that took over": {request(ofPictures("dog", "made 5"), ofPictures("hat", "felt")), []uint64{other}, []string{"another dog", ""}},
		"a parent that is gone":                {request(ofPictures("dog", "made 1")), []uint64{999}, []string{""}},
	} {
		got := WithAnchors(s, c.r, c.parents)
		for j, want := range c.want {
			have := ""
			for _, ref := range got.Subjects[j].Anchors {
				have += string(ref.Data)
			}
			if have != want {
				t.Errorf("%s: the anchor of %s is %q, not %q", name, got.Subjects[j].Word, have, want)
			}
		}
		if c.r.Subjects[0].Anchors != nil {
			t.Errorf("%s: the request was changed", name)
		}
	}
}

// TestLikenessIsKept: with the picture, also after its file is written, and in an archive.
func TestLikenessIsKept(t *testing.T) {
	s := store(t)
	rec, id := record(t, s)
	e := inference.Likeness{Subjects: []inference.Resemblance{{Word: inference.Word{Text: "dog", Occurrence: 2}, Reference: 0.87654321, Anchor: 0.5}}}
	if err := rec.Event(e); err != nil {
		t.Fatal(err)
	}
	if err := rec.Event(inference.Likeness{Why: "no room"}); err != nil { // takes nothing away
		t.Fatal(err)
	}
	if err := rec.Saved(finished(0, 7), "/nowhere/dog.png", ""); err != nil {
		t.Fatal(err)
	}
	p, err := s.Picture(id)
	if err != nil || len(p.Likeness) != 1 || p.Likeness[0] != (history.Likeness{Word: "dog#2", Reference: 0.8765, Anchor: 0.5}) {
		t.Errorf("%+v, %v", p.Likeness, err)
	}
}
