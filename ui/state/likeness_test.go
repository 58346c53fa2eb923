package state

import (
	"slices"
	"testing"

	"realword/history"
	"realword/inference"
)

// TestLikenessFindsItsPicture: the newest picture of the run with that number has it, and none of an earlier run.
func TestLikenessFindsItsPicture(t *testing.T) {
	s := NewState()
	word := inference.Word{Text: "dog"}
	for range 2 {
		s = s.Begin(Task{}, 2, 1)
		for n := range 2 {
			s = s.Apply(0, inference.PictureReady{Picture: n})
		}
	}
	was := s
	s = s.Apply(0, inference.Likeness{Picture: 0, Subjects: []inference.Resemblance{{Word: word, Reference: 0.91234, Anchor: 0.5}}})
	for i, shot := range s.Shots {
		if want := i == 2; (len(shot.Likeness) == 1) != want {
			t.Errorf("picture %d: %+v", i, shot.Likeness)
		}
		if len(was.Shots[i].Likeness) != 0 {
			t.Error("the state before has changed")
		}
	}
	s.Shots[2].Kept = 7
	if list, _ := s.LikenessOf(7); !slices.Equal(list, []history.Likeness{{Word: "dog", Reference: 0.9123, Anchor: 0.5}}) {
		t.Errorf("%+v", list)
	}
	if list, _ := s.LikenessOf(0); list != nil {
		t.Errorf("picture 0 has %+v", list)
	}
}

// TestWhatIsSaidOfLikeness: numbers and words, and the bars in the styles of the subjects.
func TestWhatIsSaidOfLikeness(t *testing.T) {
	bars, said := NearOf([]history.Likeness{{Word: "dog", Reference: 0.957, Anchor: 0.881}, {Word: "hat", Reference: 0.7}}, Dress([]byte{3, 1}))
	if !slices.Equal(bars, []Near{{3, 0.957, 0.881}, {1, 0.7, 0}}) {
		t.Errorf("%+v", bars)
	}
	if said != "a hint: “dog” 0.96 like its reference, 0.88 like its anchor; “hat” 0.70 like its reference" {
		t.Error(said)
	}
	if bars, said = NearOf(nil, ""); len(bars) > 0 || said != "" {
		t.Errorf("%v %q", bars, said)
	}
}
