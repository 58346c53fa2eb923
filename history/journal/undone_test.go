package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/wait"
)

// full is a journal on a disk that has no room for what is large.
type full struct {
	*Journal
	t     *testing.T
	blobs string
	mu    sync.Mutex
	told  []error
}

func newFull(t *testing.T) *full {
	f := &full{t: t}
	f.Journal = New(func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.told = append(f.told, err)
	}, func() {}, func() {})
	path := filepath.Join(t.TempDir(), "history.db")
	f.blobs = filepath.Join(filepath.Dir(path), "history.blobs")
	f.Open(open(t, path))
	f.fill()
	return f
}

func (f *full) fill() {
	if err := os.WriteFile(f.blobs, nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *full) empty() {
	if err := os.Remove(f.blobs); err != nil {
		f.t.Fatal(err)
	}
}

// settle waits for all changes and answers what was told since it was called last.
func (f *full) settle() []error {
	quiet(f.Journal)
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

// large is a request with a reference that there is no room for.
func large(prompt string) inference.Request {
	r := dog()
	r.Prompt = prompt
	for _, f := range r.Files() {
		*f.Data = bytes.Repeat([]byte(prompt), 100_000)
		*f.SHA256 = sum(*f.Data)
	}
	return r
}

// waits are the jobs that the next start finds.
func (f *full) waits() (list []string) {
	f.t.Helper()
	path := filepath.Join(filepath.Dir(f.blobs), "history.db")
	if err := f.Close(); err != nil {
		f.t.Fatal(err)
	}
	waiting, err := Queue(open(f.t, path))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, w := range waiting {
		list = append(list, fmt.Sprint(w.Request.Prompt, " ", w.Request.Steps, " ", w.Where, " ", w.Held))
	}
	return list
}

// TestAJobThatThereWasNoRoomFor is written down once there is room, as it is to wait then. Until then its error is told of every change.
func TestAJobThatThereWasNoRoomFor(t *testing.T) {
	for name, again := range map[string]func(f *full){
		"another change of it": func(f *full) { f.Hold(1, true); f.Hold(2, true); f.Hold(4, true) },
		"the program ends":     func(f *full) {},
		"a job is left":        func(f *full) { f.Leave(1); f.Leave(1) },
	} {
		f := newFull(t)
		amended := large("one")
		amended.Steps = 5
		small := dog()
		small.Prompt, small.Subjects = "three", nil
		f.Enqueue(1, large("one"), "tiny", nil)
		f.Place(1, "far") // what the window does
		f.Amend(1, amended, "tiny", nil)
		f.Enqueue(2, large("two"), "tiny", nil)
		f.Hold(2, true)
		f.Enqueue(3, small, "tiny", nil)
		f.Enqueue(4, large("four"), "tiny", nil)
		f.Move(4, 2)
		f.Enqueue(5, large("five"), "tiny", nil)
		f.Drop(5) // is wanted no more
		f.Do(func(*history.Store) error { return nil })
		for i, err := range f.settle() {
			if why := new(history.Error); !errors.As(err, &why) {
				t.Errorf("%s: of change %d is told %v", name, i, err)
			}
		}
		f.empty()
		again(f)
		f.settle()
		want := []string{"one 5 far false", "four 4  false", "two 4  true", "three 4  false"}
		if name == "another change of it" {
			want[0], want[1] = "one 5 far true", "four 4  true"
		}
		if got := f.waits(); !slices.Equal(got, want) {
			t.Errorf("%s: the next start finds %q, want %q", name, got, want)
		}
	}
}

// TestThereIsRoomAgain: nobody does anything, and the jobs are written down all the same; nothing is told of them any more.
func TestThereIsRoomAgain(t *testing.T) {
	f := newFull(t)
	f.pause = 1
	f.Enqueue(1, large("one"), "tiny", nil)
	f.Enqueue(2, large("two"), "tiny", nil)
	f.settle()
	if got := f.Unkept(); len(got) != 2 || !got[1] || !got[2] {
		t.Errorf("%v are not kept", got)
	}
	f.Drop(2)
	wait.Until(t, "one is not kept", func() bool { return len(f.Unkept()) == 1 })
	f.empty()
	wait.Until(t, "all are kept", func() bool { return len(f.Unkept()) == 0 })
	if told := f.settle(); told[len(told)-1] != nil {
		t.Errorf("told %v", told[len(told)-1])
	}
	if got := f.waits(); !slices.Equal(got, []string{"one 4  false"}) {
		t.Errorf("the next start finds %q", got)
	}
}

// TestAJobThatRunsBeforeItIsKept is kept with its round, once.
func TestAJobThatRunsBeforeItIsKept(t *testing.T) {
	for _, left := range []bool{false, true} {
		f := newFull(t)
		r := large("one")
		f.Enqueue(1, r, "tiny", nil)
		f.Enqueue(2, large("two"), "tiny", nil)
		in := make(chan inference.Event)
		out := f.Record(1, r, "tiny", nil, in)
		send := func(e inference.Event) { in <- e; <-out }
		send(inference.StageStarted{Stage: inference.StageDenoise})
		f.settle()
		f.empty()
		shot := finished(0, 7)
		send(shot)
		f.Saved(shot, "/pictures/dog.png", "ab", func(uint64) {})
		want := []string{"two 4  false"}
		if left {
			f.Leave(1)
			want = []string{"one 4  false", "two 4  false"}
		}
		send(inference.Done{Pictures: 2})
		close(in)
		for range out {
		}
		f.settle()
		if got := f.waits(); !slices.Equal(got, want) {
			t.Errorf("left %v: the next start finds %q, want %q", left, got, want)
		}
	}
}

// TestAJobThatRanAndWasNeverKept is not made again: its pictures are in files. One whose pictures are in none is.
func TestAJobThatRanAndWasNeverKept(t *testing.T) {
	for _, filed := range []bool{true, false} {
		f := newFull(t)
		r := large("one")
		f.Enqueue(1, r, "tiny", nil)
		shot := finished(0, 7)
		for range f.Record(1, r, "tiny", nil, said(shot, inference.Done{Pictures: 1})) {
		}
		var want []string
		if filed {
			f.Saved(shot, "/pictures/dog.png", "ab", func(uint64) {})
		} else {
			want = []string{"one 4  false"}
		}
		f.settle()
		f.empty()
		if got := f.waits(); !slices.Equal(got, want) {
			t.Errorf("in a file %v: the next start finds %q, want %q", filed, got, want)
		}
	}
}

// TestAJobThatWasKeptAndNeverBegan in the history is not made again either; one that is left, or has a picture in no file, is.
func TestAJobThatWasKeptAndNeverBegan(t *testing.T) {
	for name, want := range map[string][]string{"in files": nil, "in no file": {"a dog 4  false"}, "left": {"a dog 4  false"}} {
		f := newFull(t)
		f.empty()
		f.Enqueue(1, dog(), "tiny", nil)
		if _, err := f.Store().StartJob(f.Tasks()[1], plan0); err != nil { // so it cannot begin once more, as without room
			t.Fatal(err)
		}
		if name == "left" {
			f.Leave(1)
		}
		shot := finished(0, 7)
		for range f.Record(1, dog(), "tiny", nil, said(shot, inference.Done{Pictures: 1})) {
		}
		if name != "in no file" {
			f.Saved(shot, "/pictures/dog.png", "ab", func(uint64) {})
		}
		f.settle()
		if got := f.waits(); !slices.Equal(got, want) {
			t.Errorf("%s: the next start finds %q, want %q", name, got, want)
		}
	}
}

// TestJobsThatAreLeft wait in the order in which they ran, also where one of them could not be written down until then.
func TestJobsThatAreLeft(t *testing.T) {
	f := newFull(t)
	small := dog()
	small.Prompt, small.Subjects = "first", nil
	f.Enqueue(1, small, "tiny", nil)
	f.Enqueue(2, large("second"), "tiny", nil)
	f.Enqueue(3, large("third"), "tiny", nil)
	f.Leave(2)
	f.Leave(1)
	f.settle()
	f.empty()
	if got, want := f.waits(), []string{"first 4  false", "second 4  false", "third 4  false"}; !slices.Equal(got, want) {
		t.Errorf("the next start finds %q, want %q", got, want)
	}
}

// TestADraftThatThereWasNoRoomFor is kept once there is, the newest of each session, and its error is told until then.
func TestADraftThatThereWasNoRoomFor(t *testing.T) {
	for name, again := range map[string]func(f *full){
		"by itself":        func(*full) {},
		"the program ends": func(f *full) { _ = f.Journal.Close() },
		"room is made for": func(f *full) { f.Retry(); f.settle(); _ = f.Journal.Close() },
	} {
		f := newFull(t)
		if name == "by itself" {
			f.pause = 1
		}
		picture := func(name string) []inference.Reference {
			data := bytes.Repeat([]byte(name), 100_000)
			return []inference.Reference{{Name: name, SHA256: sum(data), Data: data}}
		}
		f.KeepDraft([]byte(`{"a":1}`), picture("dog"))
		f.KeepDraft([]byte(`{"a":2}`), picture("dog"))
		f.SetSession(0)
		f.KeepDraft([]byte(`{"b":1}`), picture("cat"))
		f.Do(func(*history.Store) error { return nil }) // such as the file of a picture
		for i, err := range f.settle() {
			if why := new(history.Error); !errors.As(err, &why) {
				t.Errorf("%s: of change %d is told %v", name, i, err)
			}
		}
		f.empty()
		store := f.Store()
		if again(f); f.Store() == nil {
			store = open(t, filepath.Join(filepath.Dir(f.blobs), "history.db"))
		}
		wait.Until(t, name+": both are kept", func() bool {
			list, err := store.Sessions()
			var drafts []string
			for _, one := range list {
				drafts = append(drafts, string(one.Draft))
			}
			slices.Sort(drafts)
			return err == nil && slices.Equal(drafts, []string{`{"a":2}`, `{"b":1}`})
		})
		if name == "by itself" {
			wait.Until(t, "nothing is told of it any more", func() bool {
				told := f.settle()
				return len(told) > 0 && told[len(told)-1] == nil
			})
		}
	}
}

// TestADraftOfASessionThatWasGoneBackTo: an older draft of it, which there was no room for, is never written over a newer one.
func TestADraftOfASessionThatWasGoneBackTo(t *testing.T) {
	f := newFull(t)
	data := bytes.Repeat([]byte("dog"), 100_000)
	old := []inference.Reference{{Name: "dog", SHA256: sum(data), Data: data}}
	f.KeepDraft([]byte(`{"old":1}`), old)
	f.settle()
	id := f.Session()
	f.SetSession(0)
	f.settle()
	if draft, pictures := f.Unwritten(id); string(draft) != `{"old":1}` || len(pictures) != 1 || !bytes.Equal(pictures[0].Data, data) {
		t.Errorf("%s with %d pictures waits for room", draft, len(pictures))
	}
	f.SetSession(id)
	f.KeepDraft([]byte(`{"new":2}`), nil) // there is room for it
	f.settle()
	f.empty()
	f.Retry()
	f.settle()
	s, err := f.Store().Session(id)
	if draft, _ := f.Unwritten(id); string(s.Draft) != `{"new":2}` || draft != nil || err != nil {
		t.Errorf("the draft is %s (%v), and %s waits", s.Draft, err, draft)
	}
}

// TestAJobWhosePictureFilesAreGone is kept all the same, as one that lacks them, also where the history has them for another job.
func TestAJobWhosePictureFilesAreGone(t *testing.T) {
	f := newFull(t)
	f.empty()
	for task, prompt := range []string{"dog", "gone", "here"} {
		r := dog()
		r.Prompt = prompt
		for _, one := range r.Files() {
			switch prompt {
			case "gone":
				*one.Data, *one.SHA256 = nil, sum([]byte(prompt))
			case "here":
				*one.Data = nil
			}
		}
		f.Enqueue(1+task, r, "tiny", nil)
	}
	f.Drop(1) // that had its bytes
	for _, err := range f.settle() {
		if err != nil {
			t.Error("told", err)
		}
	}
	waiting, err := Queue(f.Store())
	if err != nil || len(waiting) != 2 || len(f.Unkept()) != 0 {
		t.Fatalf("%d wait, %v; %v are not kept", len(waiting), err, f.Unkept())
	}
	if len(waiting[0].Missing) == 0 || waiting[0].Request.Prompt != "gone" || len(waiting[1].Missing) != 0 {
		t.Errorf("%q lacks %v, %q lacks %v", waiting[0].Request.Prompt, waiting[0].Missing, waiting[1].Request.Prompt, waiting[1].Missing)
	}
}

// TestADraftWhilePicturesAreAway has its words kept, and the pictures that the draft of before had, for when they come back.
func TestADraftWhilePicturesAreAway(t *testing.T) {
	f := newFull(t)
	f.empty()
	var pictures []inference.Reference
	for _, name := range []string{"dog", "cat"} {
		data := bytes.Repeat([]byte(name), 100_000)
		pictures = append(pictures, inference.Reference{Name: name, SHA256: sum(data), Data: data})
	}
	f.KeepDraft([]byte(`{"a":1}`), pictures[:1])
	f.settle()
	if err := os.Rename(f.blobs, f.blobs+".away"); err != nil {
		t.Fatal(err)
	}
	f.fill()
	f.KeepDraft([]byte(`{"a":2}`), pictures)
	told := f.settle()
	s, err := f.Store().Session(f.Session())
	if err != nil || string(s.Draft) != `{"a":2}` || len(s.References) != 1 || told[len(told)-1] == nil || !f.Undrafted() {
		t.Errorf("%s with %v, %v; told %v, not kept %v", s.Draft, s.References, err, told, f.Undrafted())
	}
	f.empty()
	if err := os.Rename(f.blobs+".away", f.blobs); err != nil {
		t.Fatal(err)
	}
	f.Retry()
	f.settle()
	s, err = f.Store().Session(f.Session())
	if err != nil || len(s.References) != 2 || f.Undrafted() {
		t.Errorf("with %v, %v; not kept %v", s.References, err, f.Undrafted())
	}
	for _, p := range pictures {
		if data, err := f.Store().ReferenceData(p.SHA256); !bytes.Equal(data, p.Data) || err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// TestADraftOfASessionThatIsGone: what could not be kept of it is given up with it, and nobody is asked about it.
func TestADraftOfASessionThatIsGone(t *testing.T) {
	f := newFull(t)
	data := bytes.Repeat([]byte("dog"), 100_000)
	f.KeepDraft([]byte(`{"a":1}`), []inference.Reference{{Name: "dog", SHA256: sum(data), Data: data}})
	f.settle()
	id, s := f.Session(), f.Store()
	f.SetSession(0)
	err := s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: id})
	if err == nil {
		_, err = s.Empty(time.Now().Add(time.Hour))
	}
	if err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.Retry()
	if told := f.settle(); f.Undrafted() || errors.Join(told...) != nil {
		t.Errorf("undrafted %v, told %v", f.Undrafted(), told)
	}
}

// TestWhatIsTypedInASessionThatIsGone is kept in another one, which all that follows goes to, whether its pictures can be kept or not.
func TestWhatIsTypedInASessionThatIsGone(t *testing.T) {
	data := bytes.Repeat([]byte("dog"), 100_000)
	dogs := []inference.Reference{{Name: "dog", SHA256: sum(data), Data: data}}
	for name, do := range map[string]func(f *full){
		"a draft": func(f *full) { f.KeepDraft([]byte(`{"a":2}`), nil) },
		"a draft whose picture waits": func(f *full) {
			f.Retry()
			f.settle()
			f.empty()
			f.Retry()
		},
		"a job and a draft": func(f *full) {
			f.Enqueue(1, dog(), "tiny", nil)
			f.KeepDraft([]byte(`{"a":2}`), nil)
		},
		"jobs": func(f *full) {
			f.Enqueue(1, dog(), "tiny", nil)
			f.Enqueue(2, dog(), "tiny", nil)
			f.KeepDraft([]byte(`{"a":2}`), nil)
			for range f.Record(1, dog(), "tiny", nil, said()) {
			}
		},
	} {
		f := newFull(t)
		f.KeepDraft([]byte(`{"a":1}`), dogs)
		f.settle()
		id, s := f.Session(), f.Store()
		err := s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: id})
		if err == nil {
			_, err = s.Empty(time.Now().Add(time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
		do(f)
		told := f.settle()
		list, err := s.Sessions()
		if err != nil || len(list) != 1 || list[0].ID == id || f.Session() != list[0].ID || len(list[0].Draft) == 0 {
			t.Errorf("%s: sessions %+v, %v; things go to %d, told %v", name, list, err, f.Session(), told)
		}
		if len(told) == 0 || told[len(told)-1] != nil || f.Undrafted() {
			t.Errorf("%s: undrafted %v, told %v", name, f.Undrafted(), told)
		}
	}
}

// TestATryWritesNothingAgain: while a job waits for room, a picture of it that there was room for is not written with every try.
func TestATryWritesNothingAgain(t *testing.T) {
	f := newFull(t)
	r, small := large("one"), []byte("a small picture")
	r.Subjects[0].References = append([]inference.Reference{{Name: "s", SHA256: sum(small), Data: small}}, r.Subjects[0].References...)
	f.Enqueue(1, r, "tiny", nil)
	try := func() []byte {
		f.Retry()
		f.settle()
		data, err := os.ReadFile(filepath.Join(filepath.Dir(f.blobs), "history.db"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Equal(try(), try()) || len(f.Unkept()) != 1 {
		t.Errorf("the history was written; unkept are %v", f.Unkept())
	}
}
