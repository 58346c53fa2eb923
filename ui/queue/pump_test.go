package queue

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"realword/inference"
)

func TestPumpKeepsOneClosureInTheQueue(t *testing.T) {
	var queue []func()
	var got []inference.Event
	p := &pump{post: func(f func()) { queue = append(queue, f) }, apply: func(e []inference.Event) { got = append(got, e...) }}
	events := make(chan inference.Event, 10)
	sent := []inference.Event{
		inference.StageStarted{Stage: inference.StageText},
		inference.Progress{Pass: 1},
		inference.Progress{Pass: 2},
		inference.StepDone{Step: 0},
		inference.Progress{Pass: 3},
		inference.Progress{Pass: 4},
		inference.Done{},
	}
	for _, e := range sent {
		events <- e
	}
	close(events)
	p.run(events)
	if len(queue) != 1 {
		t.Fatalf("%d closures in the queue, want 1", len(queue))
	}
	queue[0]()
	want := []inference.Event{sent[0], inference.Progress{Pass: 2}, sent[3], inference.Progress{Pass: 4}, sent[6]}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.add(inference.Progress{Pass: 5})
	if len(queue) != 2 {
		t.Error("after a delivery nothing is posted any more")
	}
}

func TestPumpKeepsItsPace(t *testing.T) { synctest.Test(t, pumpKeepsItsPace) }

func pumpKeepsItsPace(t *testing.T) {
	posted := make(chan func(), 10)
	var got []int
	p := &pump{post: func(f func()) { posted <- f }, apply: func(e []inference.Event) { got = append(got, len(e)) }, pace: 50 * time.Millisecond}
	p.add(inference.StepDone{Step: 0})
	(<-posted)() // the first one at once
	begin := time.Now()
	p.add(inference.StepDone{Step: 1})
	p.add(inference.Progress{Pass: 1})
	p.add(inference.StepDone{Step: 2})
	(<-posted)()
	if waited := time.Since(begin); waited != 50*time.Millisecond {
		t.Errorf("the next steps came after %v", waited)
	}
	p.add(inference.StepDone{Step: 3})
	p.add(inference.Done{}) // what ends a run does not wait, and takes along what does
	select {
	case f := <-posted:
		f()
	default:
		t.Fatal("the end of the run waits")
	}
	if !reflect.DeepEqual(got, []int{1, 3, 2}) {
		t.Errorf("delivered %v", got)
	}
	time.Sleep(time.Second)
	if len(posted) != 0 {
		t.Error("nothing waited, and still something was posted")
	}
}
