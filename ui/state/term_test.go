package state

import (
	"strings"
	"testing"
	"time"

	"realword/inference"
)

// TestAPausedRunSaysSo: a job that rests does not promise when it is done. One on another computer does not rest.
func TestAPausedRunSaysSo(t *testing.T) {
	run := Round{Phase: Running, Stage: inference.StageDenoise, Remaining: 7 * time.Second, Film: []inference.StepDone{{Steps: 60}}}
	s := State{Queue: Queue{Flights: []Flight{{Run: run}}}}
	if got := s.Status(); got != "step 1 of 60 · about 7 s left" {
		t.Errorf("it says %q", got)
	}
	s.Queue.Paused, s.Queue.Flights[0].Run.Rests = true, true
	if got := s.Status(); got != "paused · step 1 of 60" {
		t.Errorf("paused, it says %q", got)
	}
	s.Queue.Flights[0].Run.Rests = false // on another computer
	if got := s.Status(); !strings.HasSuffix(got, "left") {
		t.Errorf("on another computer it says %q", got)
	}
}

// TestTheStatusIsThatOfThePictureInView: how long a job took stands beside its own pictures alone.
func TestTheStatusIsThatOfThePictureInView(t *testing.T) {
	s := State{Last: Round{No: 2, Elapsed: 24 * time.Second}, View: View{Shot: 1, Step: -1}, Shots: []Shot{{Round: 1}, {Round: 2}, {Elsewhere: true}}}
	for shot, want := range map[int]string{0: "", 1: "Done in 24.0 s.", 2: "", -1: "Done in 24.0 s."} {
		s.View.Shot = shot
		if got := s.Status(); got != want {
			t.Errorf("beside picture %d it says %q, want %q", shot, got, want)
		}
	}
}

// TestTheHintOfABoundCard: a chosen picture that has its word wants none.
func TestTheHintOfABoundCard(t *testing.T) {
	dog := inference.Word{Text: "dog"}
	s := State{Words: []Word{{Word: dog}}, Form: Form{Cards: []Card{{ID: 1, Word: dog, Ref: inference.Reference{Name: "tom.png"}}}}, Selected: 1}
	if got := s.Hint(""); got != "tom.png shows “dog”. A click on another word changes that." {
		t.Errorf("it says %q", got)
	}
	s.Form.Cards[0].Word = inference.Word{}
	if got := s.Hint(""); got != "Click the word that tom.png shows." {
		t.Errorf("unbound, it says %q", got)
	}
}
