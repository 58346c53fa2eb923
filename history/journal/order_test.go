package journal

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"realword/history"
	"realword/inference"
)

var plan0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// log is a journal and what it tells.
type log struct {
	*Journal
	mu       sync.Mutex
	errs     []error
	sessions []uint64
}

func newLog(s *history.Store) *log {
	l := &log{}
	l.Journal = New(func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.errs = append(l.errs, err)
		}
	}, func() {}, func() { l.sessions = append(l.sessions, l.Session()) })
	l.Open(s)
	return l
}

// quiet waits for all changes of a journal.
func quiet(j *Journal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.done.Wait()
	}
}

// settle waits for all changes and answers the errors that were told since it was called last.
func (l *log) settle() []error {
	quiet(l.Journal)
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.errs
	l.errs = nil
	return errs
}

func TestChangesKeepTheirOrder(t *testing.T) {
	l := newLog(store(t))
	var got []int
	bad := errors.New("no")
	for i := range 1000 {
		l.Do(func(*history.Store) error {
			if got = append(got, i); i == 500 {
				return bad
			}
			return nil
		})
	}
	if errs := l.settle(); len(got) != 1000 || !slices.IsSorted(got) || len(errs) != 1 || !errors.Is(errs[0], bad) || l.Working() {
		t.Errorf("%d changes, told %v", len(got), errs)
	}
	if err := l.Close(); err != nil || l.Store() != nil {
		t.Errorf("%v", err)
	}
	l.Do(func(*history.Store) error { t.Error("a change without a store"); return nil })
}

// ran sends the events of dog's first picture and then last.
func ran(last inference.Event) chan inference.Event {
	events := make(chan inference.Event, 20)
	events <- inference.StageStarted{Stage: inference.StageDenoise}
	for i := range 4 {
		events <- step(i)
	}
	events <- last
	close(events)
	return events
}

func TestRoundsAndDraftsShareASession(t *testing.T) {
	s := store(t)
	l := newLog(s)
	l.KeepDraft([]byte(`{"a":1}`), []inference.Reference{{Name: "rex.png", Data: rex}, {Name: "lost.png"}})
	for range l.Record(1, dog(), "tiny", []uint64{99}, ran(inference.Done{})) { // 99 was deleted for good
	}
	if errs := l.settle(); len(errs) > 0 || len(l.sessions) != 1 {
		t.Fatalf("%v, sessions %v", errs, l.sessions)
	}
	first := l.sessions[0]
	one, err := s.Session(first)
	if err != nil || string(one.Draft) != `{"a":1}` || len(one.References) != 1 || one.References[0].SHA256 != sum(rex) {
		t.Errorf("%+v, %v", one, err)
	}
	rounds, err := s.SessionRounds(first)
	if err != nil || len(rounds) != 1 || rounds[0].Status != history.Complete || len(rounds[0].Parents) != 0 || rounds[0].Pictures[0].Steps != 4 {
		t.Errorf("%+v, %v", rounds, err)
	}
	// A new one is begun when something needs it; what was asked for before stays where it was.
	l.KeepDraft([]byte(`{"a":2}`), nil)
	if l.SetSession(0); l.Session() != 0 {
		t.Errorf("session %d", l.Session())
	}
	l.KeepDraft([]byte(`{}`), nil)
	if errs := l.settle(); len(errs) > 0 || len(l.sessions) != 2 || l.sessions[1] == first || l.Session() != l.sessions[1] {
		t.Errorf("%v, sessions %v, now %d", errs, l.sessions, l.Session())
	}
	if one, err = s.Session(first); err != nil || string(one.Draft) != `{"a":2}` {
		t.Errorf("%+v, %v", one, err)
	}
	l.SetSession(first)
	l.KeepDraft([]byte(`{"a":3}`), nil)
	if l.settle(); len(l.sessions) != 2 || l.Session() != first {
		t.Errorf("sessions %v, now %d", l.sessions, l.Session())
	}
	if one, err = s.Session(first); err != nil || string(one.Draft) != `{"a":3}` {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestFilesOfPictures(t *testing.T) {
	s := store(t)
	l := newLog(s)
	shots := []inference.PictureReady{finished(0, 7), finished(1, 9)}
	events := make(chan inference.Event, 20)
	for i, shot := range shots {
		events <- inference.StageStarted{Stage: inference.StageDenoise, Picture: i}
		events <- shot
	}
	events <- inference.Done{}
	close(events)
	for range l.Record(1, dog(), "tiny", nil, events) {
	}
	var ids []uint64
	then := func(id uint64) { ids = append(ids, id) }
	l.Saved(shots[0], "/pictures/dog.png", "ab", then)
	l.Saved(shots[0], "/pictures/again.png", "ab", then) // it has its file
	l.Saved(finished(0, 7), "/pictures/another.png", "", then)
	l.Unsaved(shots[1], nil, then) // there is nothing to keep
	l.Unsaved(shots[1], []byte("png"), then)
	if errs := l.settle(); len(errs) > 0 || len(ids) != 2 {
		t.Fatalf("%v, pictures %v", errs, ids)
	}
	if p, err := s.Picture(ids[0]); err != nil || p.File != "/pictures/dog.png" || p.Seed != 7 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := s.Picture(ids[1]); err != nil || p.File != "" || p.Pixels != sum([]byte("png")) {
		t.Errorf("%+v, %v", p, err)
	}
	l.Filed(ids[1], "/elsewhere/dog.png", "")
	l.settle()
	if p, err := s.Picture(ids[1]); err != nil || p.File != "/elsewhere/dog.png" || p.Pixels != "" {
		t.Errorf("%+v, %v", p, err)
	}
}

// A job has ended, and the program is killed while the file of its last picture is still being written: the job is in the queue then. It
// leaves it with the last picture that is in a file, or kept.
func TestAJobWaitsForItsFiles(t *testing.T) {
	r := dog()
	r.Seeds = []uint64{7, 9}
	shots := []inference.PictureReady{finished(0, 7), finished(1, 9)}
	for name, c := range map[string]struct {
		file func(l *log)
		want []uint64 // seeds that are made at the next start
	}{
		"none":          {func(*log) {}, []uint64{7, 9}},
		"one":           {func(l *log) { l.Saved(shots[1], "/pictures/dog.png", "ab", func(uint64) {}) }, []uint64{7}},
		"nothing of it": {func(l *log) { l.Unsaved(shots[0], nil, func(uint64) {}) }, []uint64{7, 9}},
		"both": {func(l *log) {
			l.Saved(shots[1], "/pictures/dog.png", "ab", func(uint64) {})
			l.Unsaved(shots[0], []byte("png"), func(uint64) {})
		}, nil},
	} {
		path := filepath.Join(t.TempDir(), "history.db")
		l := newLog(open(t, path))
		l.Enqueue(1, r, "tiny", nil)
		var events []inference.Event
		for i, shot := range shots {
			events = append(events, inference.StageStarted{Stage: inference.StageDenoise, Picture: i}, shot)
		}
		for range l.Record(1, r, "tiny", nil, said(append(events, inference.Done{Pictures: 2})...)) {
		}
		c.file(l)
		if errs := l.settle(); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
		rounds, err := l.Store().Rounds()
		if err != nil || len(rounds) != 1 || (rounds[0].Status == history.Complete) != (c.want == nil) {
			t.Errorf("%s in a file: %d rounds, the first is %s, %v", name, len(rounds), rounds[0].Status, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		waiting, err := Queue(s)
		var seeds []uint64
		for _, w := range waiting {
			seeds = append(seeds, w.Request.Seeds...)
		}
		if err := errors.Join(err, s.Close()); err != nil || !slices.Equal(seeds, c.want) {
			t.Errorf("%s in a file: %d wait at the next start, not %d, %v", name, seeds, c.want, err)
		}
	}
}

// prompts are what waits, in order.
func prompts(t *testing.T, s *history.Store) (list []string) {
	t.Helper()
	waiting, err := Queue(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range waiting {
		list = append(list, w.Request.Prompt)
	}
	return list
}

func TestTheQueueIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	for i, name := range []string{"one", "two", "three", "four"} {
		r := dog()
		r.Prompt = name
		l.Enqueue(i+1, r, "tiny", nil)
		l.Enqueue(i+1, r, "tiny", nil) // once is enough
	}
	l.Move(4, 2)
	l.Drop(3)
	l.Drop(5)
	l.Enqueue(5, dog(), "tiny", nil) // taken out before it was kept
	if errs := l.settle(); len(errs) > 0 || !slices.Equal(prompts(t, l.Store()), []string{"one", "four", "two"}) {
		t.Fatalf("%q wait, %v", prompts(t, l.Store()), errs)
	}
	l.Move(2, 1)
	l.Move(1, 0)
	if l.settle(); !slices.Equal(prompts(t, l.Store()), []string{"two", "four", "one"}) {
		t.Errorf("%q wait", prompts(t, l.Store()))
	}
	// The program dies twice over the first.
	for range 2 {
		events := make(chan inference.Event)
		close(events)
		for range l.Record(2, dog(), "tiny", nil, events) {
		}
		l.settle()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l.Open(open(t, path))
		waiting, err := Queue(l.Store())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range waiting {
			l.Adopt(map[string]int{"two": 2, "four": 4, "one": 1}[w.Request.Prompt], w)
		}
	}
	waiting, err := Queue(l.Store())
	if err != nil || len(waiting) != 3 || !waiting[0].Parked || waiting[1].Parked || waiting[0].Model != "tiny" || string(waiting[0].Request.Subjects[0].References[0].Data) != string(rex) {
		t.Fatalf("%+v, %v", waiting, err)
	}
	l.Unpark(2)
	for range l.Record(2, dog(), "tiny", nil, ran(inference.Done{})) {
	}
	if errs := l.settle(); len(errs) > 0 || !slices.Equal(prompts(t, l.Store()), []string{"four", "one"}) {
		t.Errorf("%q wait, %v", prompts(t, l.Store()), errs)
	}
}

// Of a batch that the program died over, twice, what is finished is not made again.
func TestFinishedPicturesOfAKilledBatchAreNotMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	r := dog()
	r.Seeds = []uint64{3, 4, 4, 5}
	l.Enqueue(1, r, "tiny", nil)
	l.Enqueue(2, dog(), "tiny", nil)
	for _, c := range []struct {
		finished int
		want     []uint64
	}{{0, []uint64{3, 4, 4, 5}}, {2, []uint64{4, 5}}, {0, []uint64{4, 5}}, {2, nil}} {
		l.Unpark(1)
		events := make(chan inference.Event)
		go func() {
			defer close(events)
			for i := range c.finished + 1 {
				events <- inference.StageStarted{Stage: inference.StageDenoise, Picture: i}
				if i < c.finished {
					events <- inference.StepDone{Picture: i, Step: 0, Steps: 4}
				}
			}
		}()
		for range l.Record(1, r, "tiny", nil, events) {
		}
		l.settle()
		rounds, err := l.Store().Rounds()
		for i, p := range rounds[0].Pictures[:c.finished] {
			if i == 0 {
				err = errors.Join(err, l.Store().FinishPicture(p.ID, history.Picture{File: "/dog.png"}))
			} else {
				err = errors.Join(err, l.Store().KeepPixels(p.ID, history.Picture{}, []byte("\x89PNG\r\n\x1a\n")))
			}
		}
		if err := errors.Join(err, l.Close()); err != nil {
			t.Fatal(err)
		}
		l.Open(open(t, path))
		for range 2 { // and it stays so
			waiting, err := Queue(l.Store())
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if len(waiting) != 1 || waiting[0].Job != 2 {
					t.Fatalf("%+v", waiting)
				}
				continue
			}
			if len(waiting) != 2 || !slices.Equal(waiting[0].Request.Seeds, c.want) || string(waiting[0].Request.Subjects[0].References[0].Data) != string(rex) {
				t.Fatalf("%d finished: %+v", c.finished, waiting)
			}
			r.Seeds = c.want
			l.Adopt(1, waiting[0])
		}
	}
	if recorded, err := l.Store().Rounds(); err != nil || !strings.Contains(string(recorded[0].Recipe), `"seeds":[4,5]`) {
		t.Errorf("%+v, %v", recorded[0], err)
	}
}

// A program that ends has what runs wait for its next start, before all others, whatever comes of it meanwhile: made is what is
// finished then. That is no crash, however often it happens.
func TestLeave(t *testing.T) {
	begun := func(i int) inference.Event { return inference.StageStarted{Stage: inference.StageDenoise, Picture: i} }
	seen := inference.StepDone{Step: 0, Steps: 4} // of the first picture, so that there is something to see of it
	stopped := inference.Failed{Err: context.Canceled}
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	r := dog()
	r.Seeds = []uint64{3, 4, 5}
	l.Enqueue(1, dog(), "tiny", nil)
	l.Enqueue(2, r, "tiny", nil)
	l.Move(1, 0)
	task, job := 2, uint64(2)
	for i, c := range []struct {
		events   []inference.Event
		finished int  // pictures that are in a file in the end
		early    bool // it is left before its round begins, else behind that
		want     []uint64
	}{
		{early: true, want: []uint64{3, 4, 5}},
		{events: []inference.Event{begun(0), stopped}, want: []uint64{3, 4, 5}},
		{events: []inference.Event{begun(0)}, want: []uint64{3, 4, 5}}, // a step that does not end
		{events: []inference.Event{begun(0), seen, begun(1), stopped}, finished: 1, want: []uint64{4, 5}},
		{events: []inference.Event{begun(0), begun(1), inference.Failed{Err: errors.New("closed")}}, want: []uint64{4, 5}},
		{events: []inference.Event{begun(0), seen, begun(1), inference.Done{}}, finished: 1, want: []uint64{5}}, // the other is in no file
		{events: []inference.Event{begun(0), seen, inference.Done{}}, finished: 1, want: nil},
	} {
		leave := func() { l.Leave(task); l.Drop(task) }
		if c.early {
			leave()
		}
		out := l.Record(task, r, "tiny", nil, said(c.events...))
		if !c.early {
			leave()
		}
		for range out {
		}
		if errs := l.settle(); len(errs) > 0 {
			t.Fatal(errs)
		}
		rounds, err := l.Store().Rounds()
		for _, p := range rounds[:min(c.finished, 1)] {
			for _, p := range p.Pictures[:c.finished] {
				err = errors.Join(err, l.Store().FinishPicture(p.ID, history.Picture{File: "/dog.png"}))
			}
		}
		if err := errors.Join(err, l.Close()); err != nil {
			t.Fatal(err)
		}
		l.Open(open(t, path))
		waiting, err := Queue(l.Store())
		if err != nil {
			t.Fatal(err)
		}
		if c.want == nil {
			if len(waiting) != 1 || waiting[0].Job == job {
				t.Errorf("%d: there wait %+v", i, waiting)
			}
			break
		}
		if len(waiting) != 2 || waiting[0].Job != job || !slices.Equal(waiting[0].Request.Seeds, c.want) || waiting[0].Parked {
			t.Fatalf("%d: there wait %+v, want %d first", i, waiting, c.want)
		}
		if !c.early && c.events[len(c.events)-1] == inference.Event(stopped) && rounds[0].Status != history.Interrupted {
			t.Errorf("%d: the round is %s", i, rounds[0].Status)
		}
		r.Seeds = c.want
		l.Adopt(task, waiting[0])
	}
}

// A request that was written down before an engine had looked at it is changed to what that has made of it; one that runs is not.
func TestAmend(t *testing.T) {
	l := newLog(store(t))
	r := dog()
	l.Enqueue(1, r, "tiny", nil)
	r.Prompt, r.Subjects = "a cat", nil
	l.Amend(1, r, "tiny", nil)
	if errs := l.settle(); len(errs) > 0 || !slices.Equal(prompts(t, l.Store()), []string{"a cat"}) {
		t.Fatalf("%q wait, %v", prompts(t, l.Store()), errs)
	}
	jobs, err := l.Store().Jobs()
	if err != nil || len(jobs) != 1 || len(jobs[0].References) != 0 || len(jobs[0].Words) != 0 || jobs[0].Session != 1 {
		t.Errorf("%+v, %v", jobs, err)
	}
	for range l.Record(1, r, "tiny", nil, said()) {
		t.Error("an event")
	}
	r.Prompt = "late"
	l.Amend(1, r, "tiny", nil)
	l.Amend(2, r, "tiny", nil) // not kept
	errs := l.settle()
	if rounds, err := l.Store().Rounds(); err != nil || len(errs) > 0 || rounds[0].Prompt != "a cat" {
		t.Errorf("%+v, %v", rounds, err)
	}
}

// Jobs go with their session when it is deleted for good. One that runs all the same is recorded in a new one.
func TestAJobWhoseSessionIsGone(t *testing.T) {
	l := newLog(store(t))
	l.Enqueue(1, dog(), "tiny", nil)
	l.settle()
	s := l.Store()
	if err := s.Trash(plan0, history.Item{Kind: history.SessionItem, ID: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Empty(plan0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	l.SetSession(0)
	for range l.Record(1, dog(), "tiny", nil, ran(inference.Done{})) {
	}
	errs := l.settle()
	if rounds, err := s.Rounds(); err != nil || len(errs) > 0 || len(rounds) != 1 || rounds[0].Status != history.Complete {
		t.Errorf("%+v, %v, %v", rounds, err, errs)
	}
}

func TestThumbnail(t *testing.T) {
	for _, c := range []struct{ w, h, side, wide, high int }{{256, 128, 64, 64, 32}, {3, 2, 64, 3, 2}, {1000, 1, 10, 10, 1}} {
		data, err := Thumbnail(image.NewNRGBA(image.Rect(0, 0, c.w, c.h)), c.side)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || got.Width != c.wide || got.Height != c.high {
			t.Errorf("%+v: %d × %d, %v", c, got.Width, got.Height, err)
		}
	}
	if _, err := Thumbnail(image.NewNRGBA(image.Rectangle{}), 64); err == nil {
		t.Error("an empty picture has a thumbnail")
	}
}
