package state

import (
	"fmt"
	"image"
	"testing"

	"realword/inference"
)

// TestShed: of pictures that are on the disk only the newest stay in memory, and the one in view with its film; what is nowhere else stays
// whole.
func TestShed(t *testing.T) {
	var s State
	for i := range 300 {
		shot := Shot{Kept: uint64(i + 1), Path: fmt.Sprint("/p/", i, ".png"), Film: make([]inference.StepDone, 25), Loaded: true}
		shot.Image = image.NewNRGBA(image.Rect(0, 0, 1, 1))
		s.Shots = append(s.Shots, shot)
	}
	s.Shots[3].Path, s.Shots[4].Kept, s.Shots[5].Path, s.Shots[5].Pixels = "", 0, "", true
	s.View = View{Shot: 100, Step: -1}
	shots, ok := s.Shed()
	films, images := "", ""
	for i, shot := range shots {
		if shot.Film != nil {
			films += fmt.Sprint(" ", i)
		}
		if shot.Image != nil {
			images += fmt.Sprint(" ", i)
		}
		if shot.Film == nil && shot.Loaded {
			t.Errorf("picture %d is not read again", i)
		}
	}
	if !ok || films != " 3 4 100 299" || images != " 3 4 100 292 293 294 295 296 297 298 299" {
		t.Errorf("films of%s, pixels of%s", films, images)
	}
	if s.Shots[0].Film == nil || s.Shots[0].Image == nil {
		t.Error("the old state is another one")
	}
	s.Shots = shots
	if _, ok := s.Shed(); ok {
		t.Error("there is something to let go of still")
	}
}
