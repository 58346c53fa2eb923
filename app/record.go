package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/disintegration/imaging"

	"realword/history"
	"realword/inference"
)

// recorder journals generations in the history, one round at a time. Pictures matter more than the journal, so what goes
// wrong with it is said once and stops nothing. It may be used from any goroutine.
type recorder struct {
	mu     sync.Mutex
	store  *history.Store // nil: nothing is recorded
	round  uint64
	now    uint64 // session: one per run of the program, begun by its first round
	stderr io.Writer
}

func newRecorder(off bool, stderr io.Writer) *recorder {
	log := &recorder{stderr: stderr}
	if !off {
		var err error
		log.store, err = openHistory()
		log.check(err)
	}
	return log
}

// begin starts a round. What is added later belongs to it.
func (l *recorder) begin(r inference.Request, model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return
	}
	recipe, err := inference.NewRecipe(r, model)
	plan := history.Plan{Session: l.now, Recipe: recipe, Prompt: r.Prompt}
	for _, s := range r.Subjects {
		plan.Words = append(plan.Words, s.Word.Text)
		for _, picture := range s.References {
			var kept history.Reference
			if err == nil {
				kept, err = l.store.PutReference(picture.Name, picture.Data)
			}
			plan.References = append(plan.References, kept)
		}
	}
	if err == nil {
		l.round, err = l.store.BeginRound(plan, time.Now())
	}
	if err == nil && l.now == 0 {
		var round history.Round
		round, err = l.store.Round(l.round)
		l.now = round.Session
	}
	l.check(err)
}

func (l *recorder) check(err error) {
	if err != nil {
		fmt.Fprintln(l.stderr, "Nothing more goes into the history:", err)
		l.shut()
	}
}

// add journals a picture of the round.
func (l *recorder) add(p inference.PictureReady, file string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return
	}
	path, err := filepath.Abs(file)
	if err != nil {
		path = file
	}
	size := p.Image.Bounds().Size()
	thumbnail, err := thumbnail(p)
	if err == nil {
		err = l.store.Add(l.round, history.Picture{Seed: p.Seed, File: path, Width: size.X, Height: size.Y, Thumbnail: thumbnail})
	}
	l.check(err)
}

// end journals the outcome of the round.
func (l *recorder) end(failure error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return
	}
	status := history.Complete
	switch {
	case errors.Is(failure, context.Canceled):
		status, failure = history.Cancelled, nil
	case failure != nil:
		status = history.Failed
	}
	l.check(l.store.End(l.round, status, failure, time.Now()))
}

func (l *recorder) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut()
}

func (l *recorder) shut() {
	if l.store != nil {
		l.store.Close() // every transaction was on disk when it ended
		l.store = nil
	}
}

// recordedJob is a job whose outcome is journalled.
type recordedJob struct {
	inference.Job
	events chan inference.Event
}

// Events implements inference.Job.
func (j recordedJob) Events() <-chan inference.Event { return j.events }

// watch journals the outcome of a job; its pictures are added by whoever saves them.
func (l *recorder) watch(job inference.Job) inference.Job {
	j := recordedJob{job, make(chan inference.Event)}
	go func() {
		defer close(j.events)
		for e := range job.Events() {
			switch e := e.(type) {
			case inference.Done:
				l.end(nil)
			case inference.Failed:
				l.end(e.Err)
			}
			j.events <- e
		}
	}()
	return j
}

// thumbnail is the picture at the size at which a history is browsed.
func thumbnail(p inference.PictureReady) ([]byte, error) {
	const side = 128
	var file bytes.Buffer
	err := png.Encode(&file, imaging.Fit(p.Image, side, side, imaging.Box))
	return file.Bytes(), err
}
