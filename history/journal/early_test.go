package journal

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"realword/history"
	"realword/inference"
	"realword/inference/recipe"
)

// TestAJobWithoutARound waits, once there is a history for it, without what is in files: it began before that was open, or in one that is
// lost. It leaves the queue once nothing of it is nowhere, also where the program ends, and not before.
func TestAJobWithoutARound(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, left := range []bool{false, true} {
			l := newLog(nil)
			if lost {
				l.Open(store(t))
			}
			r := dog()
			r.Seeds = []uint64{3, 4, 5, 6}
			in := make(chan inference.Event, 2)
			out := l.Record(1, r, "tiny", nil, in)
			var shots []inference.PictureReady
			for n, seed := range r.Seeds {
				shots = append(shots, finished(n, seed))
			}
			pass := func(e inference.Event) {
				for _, e := range []inference.Event{e, inference.Progress{}} { // when that is taken, the one before it waits for the history
					in <- e
					<-out
				}
			}
			save := func(n int) { l.Saved(shots[n], "/pictures/dog.png", "ab", func(uint64) { t.Error("it has a number") }) }
			waits := func(when string, want ...uint64) {
				t.Helper()
				errs := l.settle()
				list, err := Queue(l.Store())
				var got []uint64
				for _, w := range list {
					got = append(got, w.Request.Seeds...)
				}
				if err != nil || len(errs) > 0 || !slices.Equal(got, want) || (len(list) > 0) != (len(want) > 0) {
					t.Errorf("lost %v, left %v, %s: there wait %v in %d jobs, want %v, %v, %v", lost, left, when, got, len(list), want, err, errs)
				}
			}
			pass(shots[0])
			pass(shots[1])
			if lost {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			save(0)
			l.Open(store(t))
			pass(step(0)) // of which there is nothing to keep
			l.Unsaved(shots[1], []byte("png"), func(uint64) { t.Error("it has a number") })
			l.Enqueue(1, r, "tiny", nil)
			if waits("it is written down", 4, 5, 6); left {
				l.Leave(1)
			}
			pass(shots[2])
			waits("the third is made", 4, 5, 6)
			save(2)
			if waits("the third is in a file", 4, 6); left {
				pass(shots[3])
				save(3)
				waits("the fourth is in a file", 4)
			}
			close(in)
			for range out {
			}
			l.Drop(1) // it has ended
			waits("it has ended", 4)
			save(1)
			waits("all are in files")
			if n := len(l.flights) + len(l.made); n > 0 {
				t.Errorf("%d are not forgotten", n)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAJobThatIsLeftBeforeItsRound begins leaves the queue with the pictures that are in files: there is no round that tells of them.
func TestAJobThatIsLeftBeforeItsRound(t *testing.T) {
	for i, want := range []string{"[[3 4]]", "[[4]]", "[]", "[[3 4]]", "[[4]]", "[]"} {
		n, late := i%3, i >= 3
		path := filepath.Join(t.TempDir(), "history.db")
		l := newLog(open(t, path))
		r := dog()
		r.Seeds = []uint64{3, 4}
		gate := make(chan struct{})
		if late { // the disk is, and they are in files before the job is written down
			l.Do(func(*history.Store) error { <-gate; return nil })
		}
		l.Enqueue(1, r, "tiny", nil)
		l.Leave(1)
		in := make(chan inference.Event)
		out := l.Record(1, r, "tiny", nil, in)
		for i := range n {
			in <- finished(i, r.Seeds[i])
			l.Saved((<-out).(inference.PictureReady), fmt.Sprint("/pictures/dog", i, ".png"), "ab", func(uint64) {})
		}
		close(gate)
		l.settle()
		close(in)
		for range out {
		}
		l.settle()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		list, err := Queue(open(t, path))
		got := [][]uint64{}
		for _, w := range list {
			got = append(got, w.Request.Seeds)
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("with %d pictures in files, late %v, there wait %v, want %s, %v", n, late, got, want, err)
		}
	}
}

// TestALateDiskKeepsTheWholeJob: a job whose first picture is in its file before the job is written down has a round of all its pictures.
func TestALateDiskKeepsTheWholeJob(t *testing.T) {
	l := newLog(store(t))
	r := dog()
	r.Seeds = []uint64{3, 4}
	gate := make(chan struct{})
	l.Do(func(*history.Store) error { <-gate; return nil })
	l.Enqueue(1, r, "tiny", nil)
	in := make(chan inference.Event)
	out := l.Record(1, r, "tiny", nil, in)
	for i, seed := range r.Seeds {
		in <- inference.StageStarted{Stage: inference.StageDenoise, Picture: i}
		<-out
		in <- finished(i, seed)
		l.Saved((<-out).(inference.PictureReady), fmt.Sprint("/pictures/dog", i, ".png"), "ab", func(uint64) {})
		if i == 0 {
			close(gate)
			quiet(l.Journal)
		}
	}
	in <- inference.Done{}
	<-out
	close(in)
	for range out {
	}
	errs := l.settle()
	rounds, err := l.Store().Rounds()
	if err != nil || len(errs) > 0 || len(rounds) != 1 || len(rounds[0].Pictures) != 2 || rounds[0].Status != history.Complete {
		t.Fatalf("%+v, %v, %v", rounds, err, errs)
	}
	if said, err := recipe.Parse(rounds[0].Recipe); err != nil || !slices.Equal(said.Seeds, r.Seeds) {
		t.Errorf("its recipe has the seeds %v, %v", said.Seeds, err)
	}
}
