package journal

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"realword/history"
	"realword/inference"
)

// cells is dog as a grid of 1 × 3.
func cells() inference.Request {
	r := dog()
	r.Seeds = []uint64{7, 7, 7}
	r.Grid = &inference.Grid{Columns: inference.Axis{Key: "stop", Values: []string{"1", "2", "3"}}}
	return r
}

// begun is the begin of a cell, with its own recipe.
func begun(cell int) inference.Event {
	r := dog()
	r.Seeds, r.Stop = []uint64{7}, cell+1
	return inference.StageStarted{Stage: inference.StageDenoise, Picture: cell, Recipe: &r}
}

func said(list ...inference.Event) chan inference.Event {
	events := make(chan inference.Event, len(list))
	for _, e := range list {
		events <- e
	}
	close(events)
	return events
}

// TestAGridGoesOnInItsRound: the program dies over a grid, then its user closes it, and in the end one round has every cell once.
func TestAGridGoesOnInItsRound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	r := cells()
	run := func(task int, cells ...int) {
		t.Helper()
		var events []inference.Event
		for _, c := range cells {
			first, last := step(0), step(c)
			first.Picture, last.Picture = c, c
			events = append(events, begun(c), first, last)
		}
		for range l.Record(task, r, "tiny", nil, said(events...)) {
		}
		if errs := l.settle(); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	finish := func(cell int) {
		t.Helper()
		round, err := l.Store().Rounds()
		if err != nil || len(round) != 1 {
			t.Fatalf("%d rounds, %v", len(round), err)
		}
		i := slices.IndexFunc(round[0].Pictures, func(p history.Picture) bool { return p.Cell == cell+1 && !p.Finished() })
		if err := l.Store().FinishPicture(round[0].Pictures[i].ID, history.Picture{File: "/dog.png"}); err != nil {
			t.Fatal(err)
		}
	}
	again := func(made ...int) (job uint64) {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l.Open(open(t, path))
		waiting, err := Queue(l.Store())
		if err != nil || len(waiting) != 1 {
			t.Fatalf("%+v, %v", waiting, err)
		}
		if r = waiting[0].Request; !slices.Equal(r.Grid.Made, made) || r.Grid.Of != 1 || len(r.Seeds) != 3 {
			t.Fatalf("%+v", r.Grid)
		}
		l.Adopt(2, waiting[0])
		return waiting[0].Job
	}
	l.Enqueue(1, r, "tiny", nil)
	run(1, 1, 0) // dies in cell 0
	finish(1)
	again(1)
	for range l.Record(2, r, "tiny", nil, said(begun(0), inference.Failed{Err: context.Canceled})) {
	}
	finish(0)
	if err := errors.Join(l.settle()...); err != nil {
		t.Fatal(err)
	}
	l.EnqueueRest(3, 2, r, "tiny", nil) // it is wanted back
	l.settle()
	again(0, 1)
	run(2, 2)
	finish(2)
	if err := l.Store().End(1, history.Complete, nil, plan0); err != nil {
		t.Fatal(err)
	}
	round, err := l.Store().Round(1)
	if jobs, err2 := l.Store().Jobs(); errors.Join(err, err2) != nil || len(jobs) != 0 || round.Status != history.Complete || round.Error != "" {
		t.Fatalf("%+v, %+v, %v", round, jobs, errors.Join(err, err2))
	}
	if made := CellsOf(l.Store(), 1); !slices.Equal(made, []int{0, 1, 2}) {
		t.Errorf("the round has the cells %d", made)
	}
	for _, p := range round.Pictures {
		if !p.Finished() {
			continue
		}
		got, err := Recall(l.Store(), p.ID)
		want := dog()
		want.Seeds, want.Stop = []uint64{7}, p.Cell
		if err != nil || text(t, got.Recipe.Request) != text(t, want) {
			t.Errorf("the recipe of cell %d is %s, %v", p.Cell, text(t, got.Recipe.Request), err)
		}
		if state, err := KeptState(l.Store(), p.ID); p.Cell > 1 && (err != nil || state == nil) {
			t.Errorf("no state of cell %d is kept behind its own T_stop: %v", p.Cell, err)
		}
	}
	if _, err := l.Store().Export(1, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
}

// TestAGridWithoutARoundBegins: its round was deleted for good.
func TestAGridWithoutARoundBegins(t *testing.T) {
	s := store(t)
	r := cells()
	r.Grid.Of = 99
	plan, err := PlanOf(s, 0, r, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := s.BeginRound(plan, plan0); err != nil || id != 1 {
		t.Errorf("round %d, %v", id, err)
	}
	if made := CellsOf(s, 99); made != nil {
		t.Errorf("cells %d", made)
	}
}
