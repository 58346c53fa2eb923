package reuse

import (
	"errors"
	"testing"

	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestWhatIsChosenMeanwhileStays: while a picture is read to be a reference, the user chooses a card or a word, or is told of another picture.
func TestWhatIsChosenMeanwhileStays(t *testing.T) {
	for name, do := range map[string]func(*state.State){
		"a card":        func(s *state.State) { *s = s.Choose(1) },
		"a word":        func(s *state.State) { s.Pending = uitest.Word("ball") },
		"what was said": func(s *state.State) { s.PickErr = errors.New("no picture") },
	} {
		for _, word := range []inference.Word{uitest.Word("dog"), {}} {
			b, gate := newBench(t), make(chan []byte)
			b.take(state.Source{Name: "new.png", Read: func() ([]byte, error) { return <-gate, nil }}, word, nil, false)
			b.Change(do)
			was := b.Now()
			gate <- uitest.PNG(uitest.Green)
			b.Settle()
			now := b.Now()
			if now.Selected != was.Selected || now.Pending != was.Pending || !errors.Is(now.PickErr, was.PickErr) || now.Picking != 0 {
				t.Errorf("%s: chosen %d, waits %v, said %v; want %d, %v, %v", name, now.Selected, now.Pending, now.PickErr, was.Selected, was.Pending, was.PickErr)
			}
		}
	}
	b := newBench(t) // what was chosen before is let go
	b.Change(func(s *state.State) { *s = s.Choose(1) })
	b.take(state.Source{Name: "new.png", Read: func() ([]byte, error) { return uitest.PNG(uitest.Green), nil }}, inference.Word{}, nil, false)
	b.Settle()
	if now := b.Now(); now.Selected != 0 {
		t.Errorf("the next word is for card %d, which was chosen before", now.Selected)
	}
}
