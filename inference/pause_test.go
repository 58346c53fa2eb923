package inference

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestAPausedJobRests: it rests behind the step in work, another one makes no step meanwhile, and what comes of it is the same as
// without a rest. One that rests can be cancelled.
func TestAPausedJobRests(t *testing.T) {
	want := newBench(t)
	plain := of[PictureReady](drain(want.start(context.Background(), want.dog())))
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		passes, begun := 0, make(chan Pauser, 1)
		var told []bool
		b.engine.OnWork(func(works bool) { told = append(told, works) })
		b.runtime.before = func(_ context.Context, g string) error {
			if g == "unet" {
				if passes++; passes == 5 {
					(<-begun).Pause(true)
				}
			}
			return nil
		}
		j := b.start(context.Background(), b.dog())
		begun <- j.(Pauser)
		var events []Event
		ended := make(chan bool)
		go func() { events = drain(j); close(ended) }()
		synctest.Wait()
		at := passes
		if at < 5 || at > 6 { // two passes a step
			t.Fatalf("%d passes are made before it rests", at)
		}
		if !slices.Equal(told, []bool{true, false}) {
			t.Errorf("%v is told of a job that rests, want that it works, and that it does not", told)
		}
		other := b.start(context.Background(), b.dog())
		synctest.Wait()
		if passes != at {
			t.Errorf("%d passes while it rests", passes-at)
		}
		j.(Pauser).Pause(false)
		<-ended
		if got := of[PictureReady](events); len(got) != 1 || !slices.Equal(got[0].Image.Pix, plain[0].Image.Pix) {
			t.Error("after a rest it makes another picture")
		}
		other.(Pauser).Pause(true)
		other.Cancel()
		if err := lastError(t, drain(other)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
		for i, works := range told { // the other one may have rested, too
			if works != (i%2 == 0) || len(told) < 4 || told[len(told)-1] {
				t.Fatalf("%v is told in the end", told)
			}
		}
	})
}
