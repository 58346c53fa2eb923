package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"realword/assets"
	"realword/history"
	"realword/history/journal"
	"realword/inference"
)

// recorder journals a run without a window: one round of a session of its own, or those of a batch, in one. Pictures matter more than the
// journal, so what goes wrong with it is said once and stops nothing. A run may take minutes, or a night, and a window may want the history
// meanwhile: it is recorded beside that, and joins it at its end, or when whoever has it then is gone.
type recorder struct {
	store   *history.Store // nil: nothing is recorded
	beside  bool           // it is not the user's history yet
	session uint64         // that rounds are in; 0: each begins one of its own
	batch   string         // the name of that session; "": there is none
	round   *journal.Recorder
	stderr  io.Writer
}

// newBatchRecorder records the jobs of a batch as one session.
func newBatchRecorder(off bool, name string, stderr io.Writer) *recorder {
	log := newRecorder(off, false, stderr)
	log.batch = name
	return log
}

// newRecorder records one job. One that joins the round of pictures of earlier has to have the history itself.
func newRecorder(off, joins bool, stderr io.Writer) *recorder {
	log := &recorder{stderr: stderr}
	if off {
		return log
	}
	var err error
	if joins {
		log.store, err = openHistory()
	}
	if log.beside = !joins || isBusy(err); log.beside {
		log.store, err = openBeside()
	}
	log.check(rescuable(err))
	return log
}

// parent is a picture of the history, or of one beside it, that a run goes on from.
type parent struct {
	uid     string
	session history.Session // where the run belongs; the zero one: in one of its own
}

// parentOf is a picture of a history as a parent. What begins with the example is no part of that.
func parentOf(store *history.Store, picture uint64) (p parent, err error) {
	one, err := store.Picture(picture)
	if err != nil {
		return p, err
	}
	p.uid = one.UID
	round, err := store.Round(one.Round)
	if err != nil {
		return p, err
	}
	session, err := store.Session(round.Session)
	if session.UID != assets.DemoUID && session.Trashed.IsZero() {
		p.session = session
	}
	return p, err
}

// here are the pictures of parents that a history has.
func here(in *history.Store, parents []parent) (ids []uint64) {
	for _, p := range parents {
		if id, err := in.Called(p.uid); err == nil && id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// begin starts the round of a resolved request, which goes on from pictures: in the session of the first, and below it.
func (l *recorder) begin(r inference.Request, model string, parents ...parent) {
	if l.store == nil {
		return
	}
	var err error
	session := l.session
	if session == 0 && len(parents) > 0 && parents[0].session.UID != "" {
		session, err = l.store.Join(parents[0].session)
	}
	var plan history.Plan
	if err == nil {
		plan, err = journal.PlanOf(l.store, session, r, model, here(l.store, parents)...)
	}
	if l.beside { // they are in the other one
		for _, p := range parents {
			plan.Kin = append(plan.Kin, p.uid)
		}
	}
	var round uint64
	if err == nil {
		round, err = l.store.BeginRound(plan, time.Now())
	}
	if err == nil && l.batch != "" && l.session == 0 {
		var first history.Round
		if first, err = l.store.Round(round); err == nil {
			l.session = first.Session
			err = l.store.RenameSession(l.session, l.batch)
		}
	}
	l.round = journal.NewRecorder(l.store, round, r)
	l.round.Model = model
	l.check(err)
}

// anchored is a request that goes on from pictures of the history with what its subjects began with.
func (l *recorder) anchored(r inference.Request, parents []parent) inference.Request {
	if l.store == nil || len(parents) == 0 {
		return r
	}
	s := l.store
	if l.beside { // pictures of earlier are not in it
		var err error
		if s, err = openHistory(); err != nil {
			return r
		}
		defer s.Close()
	}
	return journal.WithAnchors(s, r, here(s, parents))
}

func (l *recorder) event(e inference.Event) {
	if l.store == nil {
		return
	}
	err := l.round.Event(e)
	if _, step := e.(inference.StepDone); step && err != nil { // told once for each picture, which may be recorded all the same
		fmt.Fprintln(l.stderr, "note: the history does not have all steps of this picture:", err)
		return
	}
	l.check(err)
}

// saved journals the file of a picture. It lies where the user wanted it, and stays there whatever becomes of the history.
func (l *recorder) saved(p inference.PictureReady, file string) {
	if l.store == nil {
		return
	}
	if path, err := filepath.Abs(file); err == nil {
		file = path
	}
	l.check(l.round.Saved(p, file, ""))
}

// unsaved keeps a picture that could be written into no file, and tells whether it could.
func (l *recorder) unsaved(p inference.PictureReady, png []byte) bool {
	if l.store == nil {
		return false
	}
	err := l.round.Unsaved(p, png)
	l.check(err)
	return err == nil
}

func (l *recorder) check(err error) {
	if err != nil {
		fmt.Fprintln(l.stderr, "Nothing more is recorded in the history:", err)
		l.close()
	}
}

// close ends the recording, and brings together what processes have recorded beside each other: whoever comes last takes in the rest.
func (l *recorder) close() {
	if l.store == nil {
		return
	}
	if !l.beside {
		takeIn(l.store)
	}
	l.store.Close() // every transaction was on disk when it ended
	l.store = nil
	if !l.beside {
		return
	}
	switch s, err := openHistory(); {
	case err == nil:
		s.Close()
	case isBusy(err):
		fmt.Fprintln(l.stderr, "note: another Realword has the history open; this job joins it when the history is opened next")
	default:
		fmt.Fprintln(l.stderr, "note: this job joins the history when that opens again:", err)
	}
}
