package session

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// bench is the keeper in a house of its own, on a history in a folder that may have been there before.
type bench struct {
	*Keeper
	*roomtest.House
	t       *testing.T
	dir     string
	opened  int          // histories
	emptied int          // how often pictures left the state
	beside  []state.Shot // that were to be compared
	rescued []string     // how rescues ended
	offered []string     // what was said where one was offered
	fresh   int          // empty sessions that the user has come to
	quicker []uint64     // sessions that the user did not wait for
}

func newBench(t *testing.T, dir string) *bench {
	t.Helper()
	return newBenchOf(t, dir, func(*bench) {})
}

// newBenchOf has something else of the house changed before the history is opened.
func newBenchOf(t *testing.T, dir string, but func(*bench)) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), t: t, dir: dir}
	j := journal.New(func(err error) { b.Told(err) }, func() {}, func() {})
	b.Keeper = New(Host{
		State: b.Now, Change: b.Change, Journal: j, Context: t.Context(), Post: b.Post, Background: b.Background,
		Closing: func() bool { return false }, Resting: func() bool { return false },
		Eye: func() state.Eye { return state.Eye{Model: uitest.Toybox} }, Words: state.PlainWords,
		OpenHistory: func() (*history.Store, error) {
			return history.Options{Pictures: b.pictures(), Wait: 50 * time.Millisecond}.Open(b.file())
		},
		OnOpened: func(*history.Store) func() { return func() { b.opened++ } }, OnTakenUp: func() {},
		OnBinned:  func() { b.emptied++ },
		OnCompare: func(s state.Shot) { b.beside = append(b.beside, s) },
		OnRescued: func(text string, bad bool) { b.rescued = append(b.rescued, fmt.Sprint(bad, " ", text)) },
		OnOffer:   func(text string) { b.offered = append(b.offered, text) },
		OnFresh:   func() { b.fresh++ },
		OnQuicker: func(id uint64) { b.quicker = append(b.quicker, id) },
		Unrescued: func() string { return history.Unrescued(b.file()) },
	})
	b.Render, b.Busy = b.LoadView, j.Working
	t.Cleanup(b.end)
	but(b)
	b.Open()
	b.Settle()
	return b
}

func (b *bench) pictures() string { return filepath.Join(b.dir, "pictures") }
func (b *bench) file() string     { return filepath.Join(b.dir, "history.db") }

// kept puts a job into the history's session, and takes it up.
func (b *bench) kept(seed uint64) (picture uint64) {
	b.t.Helper()
	picture = uitest.Kept(b.t, b.host.Journal.Store(), b.pictures(), b.host.Journal.Session(), seed)
	r, err := b.host.Journal.Store().Round(b.picture(picture).Round)
	if err != nil {
		b.t.Fatal(err)
	}
	b.GoOn(r.Session)
	b.Settle()
	return picture
}

func (b *bench) picture(id uint64) history.Picture {
	b.t.Helper()
	p, err := b.host.Journal.Store().Picture(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// end ends as a window does.
func (b *bench) end() {
	b.Keep()
	b.Settle()
	if err := b.host.Journal.Close(); err != nil {
		b.t.Error(err)
	}
}

// TestAStoppedPictureStays: it comes behind those that were made, once, and into view where the stage shows the end of its job.
func TestAStoppedPictureStays(t *testing.T) {
	for name, c := range map[string]struct {
		view state.View
		busy bool
		want int
	}{
		"its end in view":         {state.View{Shot: -1, Step: -1}, false, 1},
		"another picture in view": {state.View{Shot: 0, Step: -1}, false, 0},
		"the next job in view":    {state.View{Shot: -1, Step: -1}, true, -1},
	} {
		b := newBench(t, t.TempDir())
		round := b.picture(b.kept(7)).Round
		store := b.host.Journal.Store()
		id, err := store.StartPicture(round, 5)
		if err == nil {
			err = store.AddStep(id, history.Step{Index: 4, Clean: []float32{1}, Small: uitest.PNG(uitest.Red)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.State.View = c.view; c.busy {
			b.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}}
		}
		for range 2 {
			b.Stopped(id, func() bool { return true })
			b.Settle()
		}
		if n := len(b.State.Shots); n != 2 || b.State.Shots[1].Kept != id || b.State.Shots[1].Stopped != 5 || b.State.View.Shot != c.want {
			t.Errorf("%s: %d pictures, %d in view", name, n, b.State.View.Shot)
		}
	}
}

// TestAStoppedPictureStaysInItsSession: another one has come up when its end is written down.
func TestAStoppedPictureStaysInItsSession(t *testing.T) {
	for name, leave := range map[string]func(*bench){"a new one": (*bench).New, "the example": (*bench).ShowExample} {
		b := withExample(t, t.TempDir())
		store := b.host.Journal.Store()
		stopped, err := store.StartPicture(b.picture(b.kept(7)).Round, 5)
		if err == nil {
			err = store.AddStep(stopped, history.Step{Index: 4, Clean: []float32{1}, Small: uitest.PNG(uitest.Red)})
		}
		if err != nil {
			t.Fatal(err)
		}
		own := b.host.Journal.Session()
		still := func() bool { return b.host.Journal.Session() == own }
		leave(b)
		b.Until("another session is up", func() bool { return !still() })
		up := len(b.Now().Shots)
		b.Stopped(stopped, still)
		b.Settle()
		if n := len(b.Now().Shots); n != up {
			t.Errorf("%s: a picture of another session is in it", name)
		}
		b.CloseExample()
		if list := b.Now().Shots; name == "the example" && (len(list) != 2 || list[1].Kept != stopped) {
			t.Errorf("back in its session, there are %d pictures", len(list))
		}
	}
}

// TestWhatIsAskedForStaysInItsSession: another one has come up when it is read.
func TestWhatIsAskedForStaysInItsSession(t *testing.T) {
	b := newBench(t, t.TempDir())
	one, two, told := b.kept(7), b.kept(8), 0
	for name, ask := range map[string]func(){
		"a picture":    func() { b.ShowThen(one, func() { told++ }) },
		"a comparison": func() { b.Compare(one, two, func(error) { told++ }) },
		"what is gone": func() { b.Show(99) },
	} {
		b.Change(func(s *state.State) { s.Shots, s.View = nil, state.View{Shot: -1, Step: -1} })
		ask()
		b.New()
		b.Settle()
		if s := b.Now(); len(s.Shots)+told+len(b.beside) > 0 || s.ActionErr != nil {
			t.Errorf("%s: %d pictures are in the new session, told %d times; said is %v", name, len(s.Shots), told, s.ActionErr)
		}
		ask()
		b.Settle()
		if s := b.Now(); len(s.Shots) == 0 && s.ActionErr == nil {
			t.Errorf("%s: nothing comes", name)
		}
		told, b.beside = 0, nil
	}
}

// TestWhoIsQuicker than the last session is read keeps what was typed, and is shown the way back.
func TestWhoIsQuicker(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	b.kept(7)
	b.State.Form.Prompt = "a dog on the moon"
	session := b.host.Journal.Session()
	b.end()
	for _, typed := range []string{"", "my new words"} {
		b = newBenchOf(t, dir, func(b *bench) {
			open := b.host.OpenHistory
			b.host.OpenHistory = func() (*history.Store, error) {
				b.State.Form.Prompt = typed
				return open()
			}
		})
		want := []uint64{session}
		if typed == "" {
			want = nil
		}
		if !slices.Equal(b.quicker, want) || typed != "" && b.State.Form.Prompt != typed {
			t.Errorf("typed %q: %q, and the way back to %v", typed, b.State.Form.Prompt, b.quicker)
		}
		if typed != "" {
			b.GoOn(session)
			b.Settle()
			if b.State.Form.Prompt != "a dog on the moon" {
				t.Errorf("back to %q", b.State.Form.Prompt)
			}
		}
		b.end()
	}
}

func TestASessionComesBackAsItWasLeft(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	if b.fresh != 0 {
		t.Error("nobody has asked for a new session") // the cursor of a field that has the focus draws without end
	}
	id := b.kept(7)
	b.State.Form.Prompt = "a dog on the moon"
	form := b.State.Form
	b.end()

	b = newBench(t, dir)
	f := b.State.Form
	if b.opened != 1 || len(b.State.Words) != 5 || len(f.Cards) != 1 || f.Cards[0].View == nil || len(f.Cards[0].Ref.Data) == 0 {
		t.Errorf("form %+v, words %v", f, b.State.Words)
	}
	f.Cards[0].Small, f.Cards[0].Whole, f.Cards[0].View = form.Cards[0].Small, form.Cards[0].Whole, form.Cards[0].View
	if !reflect.DeepEqual(f, form) {
		t.Errorf("the form came back as\n%+v, was\n%+v", f, form)
	}
	if len(b.State.Shots) != 1 || b.State.Shot() == nil {
		t.Fatalf("shots %+v", b.State.Shots)
	}
	if s := b.State.Shots[0]; s.Kept != id || s.Path != b.picture(id).File || s.Seed != 7 || s.Image == nil || s.Image.NRGBAAt(3, 3) != uitest.Green || s.SaveErr != nil {
		t.Errorf("the picture came back as %+v", s)
	}
	film, stop := b.State.Film()
	if len(film) != 4 || stop != 2 || math.Abs(float64(film[1].Clean[0])-1) > 1e-3 || !film[1].Guided || film[3].Guided {
		t.Fatalf("film %+v, stop %d", film, stop)
	}
	if m := film[3].Subjects[0].Mask; len(m) != 16 || m[8] != 1 || film[3].GridWidth != 4 || film[0].Preview == nil {
		t.Errorf("mask %v", m)
	}
	if b.New(); b.fresh != 1 {
		t.Errorf("a new session was asked for once, and told of %d times", b.fresh)
	}
	if f := b.State.Form; f.Prompt != "" || len(f.Cards) > 0 || len(b.State.Shots) > 0 || b.host.Journal.Session() != 0 {
		t.Errorf("a new session begins with %+v, %d pictures", f, len(b.State.Shots))
	}
	b.GoOn(1)
	b.Settle()
	if b.State.Form.Prompt != "a dog on the moon" || b.host.Journal.Session() != 1 {
		t.Errorf("went on with %+v", b.State.Form)
	}
	b.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}}
	for name, begin := range map[string]func(){"new": b.New, "another": func() { b.GoOn(1) }} {
		b.State.ActionErr = nil
		begin()
		if b.State.Form.Prompt == "" {
			t.Errorf("%s: a session begins while a job runs", name)
		}
		if err := b.State.ActionErr; err == nil || !strings.Contains(err.Error(), "pause the queue") {
			t.Errorf("%s: that a job runs is said as %v", name, err)
		}
	}
	b.State.Queue.Flights = nil
	b.New()
	b.GoOn(1)
	b.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}} // while the session is read
	b.Settle()
	if err := b.State.ActionErr; b.State.Form.Prompt != "" || err == nil || !strings.Contains(err.Error(), "pause the queue") {
		t.Errorf("a job began, and the session is not taken up without a word: %q, %v", b.State.Form.Prompt, err)
	}
	b.State.Queue.Flights = nil
}

// TestTheSessionThatWasGoneBackTo is the one that the next window opens, also where nothing was changed in it.
func TestTheSessionThatWasGoneBackTo(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	b.kept(7)
	b.State.Form.Prompt = "an old dog"
	b.New()
	b.kept(8)
	b.State.Form.Prompt = "a new cat"
	b.Keep()
	b.Settle()
	newest := b.host.Journal.Session()
	b.GoOn(1)
	b.Settle()
	if newest == 1 || b.State.Form.Prompt != "an old dog" {
		t.Fatalf("of session %d it goes back to %q", newest, b.State.Form.Prompt)
	}
	b.end()
	if b = newBench(t, dir); b.State.Form.Prompt != "an old dog" || b.host.Journal.Session() != 1 {
		t.Errorf("the next window opens %q, of session %d", b.State.Form.Prompt, b.host.Journal.Session())
	}
}

// TestBackToASessionThatCouldNotBeKept: it is as it was left, and what is changed in it since is what is kept once there is room.
func TestBackToASessionThatCouldNotBeKept(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.Change(func(s *state.State) { s.Form.Prompt = "one" })
	b.Keep()
	b.Settle()
	id := b.host.Journal.Session()
	blobs := filepath.Join(b.dir, "history.blobs")
	if err := errors.Join(os.RemoveAll(blobs), os.WriteFile(blobs, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	dog := append(uitest.PNG(uitest.Red), make([]byte, 100_000)...)
	b.Change(func(s *state.State) {
		s.Form.Prompt = "two"
		s.Form.Cards = []state.Card{{ID: 1, Ref: inference.Reference{Name: "dog.png", Data: dog, SHA256: files.Sum(dog)}}}
	})
	b.New()
	b.Settle()
	b.GoOn(id)
	b.Settle()
	f := b.Now().Form
	if f.Prompt != "two" || len(f.Cards) != 1 || !bytes.Equal(f.Cards[0].Ref.Data, dog) || f.Cards[0].View == nil || b.Now().PickErr != nil {
		t.Errorf("it goes on with %q and %d cards, %v", f.Prompt, len(f.Cards), b.Now().PickErr)
	}
	b.Change(func(s *state.State) { s.Form.Prompt, s.Form.Cards = "three", nil })
	b.Keep()
	b.Settle()
	if err := os.Remove(blobs); err != nil {
		t.Fatal(err)
	}
	b.Retry()
	b.Settle()
	s, err := b.host.Journal.Store().Session(id)
	if !bytes.Contains(s.Draft, []byte("three")) || err != nil {
		t.Errorf("the next start finds %s, %v", s.Draft, err)
	}
}

// TestStepsOfAnotherModel: where nothing tells the colours of a film, its masks lie on the picture as it became, and what would show more
// is said until that model is open.
func TestStepsOfAnotherModel(t *testing.T) {
	b := newBench(t, t.TempDir())
	other := *uitest.Toybox
	other.Name = "another"
	b.State.Model = &other
	b.kept(7)
	b.State.View = state.View{Shot: 0, Step: 1}
	b.Settle()
	own, shot := b.State.Shots[0].Model, b.State.Shots[0]
	if !shot.Bare || len(shot.Film) != 4 || shot.Film[1].Preview == nil || len(shot.Film[1].Subjects[0].Mask) == 0 {
		t.Fatalf("%+v", shot)
	}
	if said := b.State.Caption(); !strings.Contains(said, "open the model "+own) {
		t.Errorf("it says %q", said)
	}
	other.Name = own
	b.Change(func(s *state.State) { s.Model = &other })
	b.Settle()
	if shot := b.State.Shots[0]; shot.Bare || len(shot.Film) != 4 || strings.Contains(b.State.Caption(), "open the model") {
		t.Errorf("with its model open: %+v, %s", shot, b.State.Caption())
	}
}

// A picture whose steps went to make room, or were never kept, is known for it once it is read.
func TestAPictureWithoutSteps(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.kept(7)
	b.kept(8)
	look := func(at int) bool {
		t.Helper()
		b.Change(func(s *state.State) { s.View = state.View{Shot: at, Step: -1} })
		b.Settle()
		return b.State.Stepless()
	}
	if len(b.State.Shots) != 2 || look(0) || len(b.State.Shots[0].Film) == 0 {
		t.Fatalf("%+v", b.State.Shots)
	}
	look(1)
	if _, err := b.host.Journal.Store().TrimSteps(0); err != nil {
		t.Fatal(err)
	}
	if !look(0) || !b.State.Shots[0].Stepless {
		t.Errorf("%+v", b.State.Shots[0])
	}
}

// What was typed before the history is open is not overwritten by the last session.
func TestWhatIsTypedMeanwhileStays(t *testing.T) {
	dir := t.TempDir()
	newBench(t, dir).kept(7)
	b := newBench(t, t.TempDir())
	b.dir = dir
	b.State.History.Open = false
	b.State.Form.Prompt = "a cat"
	if err := b.host.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	b.Retry()
	b.Settle()
	if b.State.Form.Prompt != "a cat" || len(b.State.Shots) != 0 {
		t.Errorf("%+v", b.State.Form)
	}
}

func TestAFileThatIsGone(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	path := b.picture(b.kept(7)).File
	b.end()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b = newBench(t, dir)
	s := b.State.Shot()
	if s == nil || s.Image == nil || len(s.Film) != 4 {
		t.Fatalf("shot %+v", s)
	}
	if text := s.SaveErr.Error(); !strings.Contains(text, filepath.Base(path)) || !strings.Contains(text, "made again") {
		t.Errorf("it says %q", text)
	}
}

// A picture of the history comes to the stage whole, beside another one too, and is read again once its file was made again.
func TestPicturesOfTheHistoryAreShown(t *testing.T) {
	b := newBench(t, t.TempDir())
	first, second := b.kept(7), b.kept(8)
	b.New()
	b.Show(first)
	b.Settle()
	if s := b.State.Shot(); s == nil || s.Kept != first || !s.Elsewhere || len(s.Film) != 4 || s.Image == nil {
		t.Fatalf("on the stage: %+v", s)
	}
	var failed []error
	done := func(err error) { failed = append(failed, err) }
	b.Compare(first, second+100, done)
	b.Settle()
	b.Compare(second, first, done)
	b.Settle()
	if len(failed) != 2 || !errors.Is(failed[0], history.ErrNoPicture) || failed[1] != nil || len(b.beside) != 1 || b.beside[0].Kept != first ||
		b.State.Shot().Kept != second || b.State.Shot().Image == nil {
		t.Errorf("%v, beside is %+v, in view %+v", failed, b.beside, b.State.Shot())
	}
	model := b.State.Model
	b.State.Model = nil
	b.Compare(second, first, done)
	b.State.ModelErr = errors.New("the drive does not answer")
	b.Compare(second, first, done)
	if b.Settle(); len(failed) != 4 || failed[2] == nil || failed[2].Error() != "The model is still opening." || !errors.Is(failed[3], b.State.ModelErr) {
		t.Errorf("without a model it says %v", failed[2:])
	}
	b.State.Model, b.State.ModelErr = model, nil
	b.Show(first)
	b.State.Shots[0].SaveErr = errors.New("gone")
	b.Forget(first)
	b.Settle()
	if s := b.State.Shot(); s.Kept != first || s.SaveErr != nil || s.Image == nil || len(b.State.Shots) != 2 {
		t.Errorf("read again: %+v", s)
	}
	b.Show(second + 100)
	b.Settle()
	if !errors.Is(b.State.ActionErr, history.ErrNoPicture) {
		t.Errorf("no such picture: %v", b.State.ActionErr)
	}
}

// TestWhatIsDeletedLeavesTheSession (rev10, no. 19): only what the history has no more, and the stage goes to its neighbour.
func TestWhatIsDeletedLeavesTheSession(t *testing.T) {
	b := newBench(t, t.TempDir())
	var ids []uint64
	for seed := range uint64(4) {
		ids = append(ids, b.kept(7+seed))
	}
	store := b.host.Journal.Store()
	throw := func(list ...uint64) {
		t.Helper()
		for _, id := range list {
			if err := store.Trash(time.Now(), history.Item{Kind: history.PictureItem, ID: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
	empty := func() {
		t.Helper()
		if _, err := store.Empty(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		b.Binned()
		b.Settle()
	}
	have := func() (list []uint64) {
		for _, s := range b.State.Shots {
			list = append(list, s.Kept)
		}
		return list
	}
	b.Show(ids[1])
	throw(ids[0], ids[1])
	marked := func() (list []bool) {
		b.Binned()
		b.Settle()
		for _, s := range b.State.Shots {
			list = append(list, s.Trashed)
		}
		return list
	}
	if got := marked(); !slices.Equal(got, []bool{true, true, false, false}) || b.emptied != 1 {
		t.Errorf("what is in the trash has left, or is not marked: %v, %v", have(), got)
	}
	for _, thrown := range []bool{false, true} { // while the picture is read
		b.Forget(ids[1])
		b.Change(func(s *state.State) {
			s.Shots = slices.Clone(s.Shots)
			s.Shots[1].Trashed = thrown
		})
		if b.Settle(); b.State.Shots[1].Trashed != thrown || b.State.Shots[1].Image == nil {
			t.Errorf("once it is read it is thrown away: %v, not %v", b.State.Shots[1].Trashed, thrown)
		}
	}
	if err := store.Restore(history.Item{Kind: history.PictureItem, ID: ids[0]}); err != nil {
		t.Fatal(err)
	}
	if got := marked(); !slices.Equal(got, []bool{false, true, false, false}) || b.emptied != 2 {
		t.Errorf("of what came back is marked %v", got)
	}
	session := history.Item{Kind: history.SessionItem, ID: b.host.Journal.Session()}
	if err := store.Trash(time.Now(), session); err != nil {
		t.Fatal(err)
	}
	if got := marked(); slices.Contains(got, false) {
		t.Errorf("of a session in the trash is marked %v", got)
	}
	if err := store.Restore(session); err != nil {
		t.Fatal(err)
	}
	throw(ids[0])
	if got := marked(); !slices.Equal(got, []bool{true, true, false, false}) {
		t.Errorf("of a session that came back is marked %v", got)
	}
	b.emptied = 0
	unkept := state.Shot{Round: 3} // the history has it not yet
	b.State.Shots = append(b.State.Shots, unkept)
	empty()
	if !slices.Equal(have(), []uint64{ids[2], ids[3], 0}) || b.State.View != (state.View{Shot: 0, Step: -1}) || b.emptied != 1 {
		t.Errorf("left are %v, in view is %+v", have(), b.State.View)
	}
	b.State.Shots = b.State.Shots[:2]
	b.Show(ids[3])
	throw(ids[2])
	if empty(); !slices.Equal(have(), ids[3:]) || b.State.View.Shot != 0 {
		t.Errorf("one before the one in view: %v, %+v", have(), b.State.View)
	}
	throw(ids[3])
	if empty(); len(b.State.Shots) > 0 || b.State.View != (state.View{Shot: -1, Step: -1}) {
		t.Errorf("the last one: %v, %+v", have(), b.State.View)
	}
}

// A run does not take the stage from a picture that was opened meanwhile, and its pictures are not taken for that one.
func TestAnOpenedPictureIsNotTakenForTheRun(t *testing.T) {
	b := newBench(t, t.TempDir())
	id := b.kept(7)
	b.New()
	send := func(e inference.Event) { b.State = b.State.Apply(0, e) }
	b.State = b.State.Begin(state.Task{}, 2, 1)
	send(inference.StageStarted{Stage: inference.StageDenoise})
	b.Show(id)
	b.Settle()
	if s := b.State.Shot(); s == nil || s.Kept != id || len(s.Film) != 4 {
		t.Fatalf("on the stage: %+v", s)
	}
	send(uitest.Step(0, 2, 1, 0))
	send(uitest.Picture(inference.Request{Prompt: "a cat", Seeds: []uint64{9, 10}}, 0))
	send(inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
	if b.State.View.Shot != 0 {
		t.Errorf("the run took the stage from an opened picture: %+v", b.State.View)
	}
	send(inference.Done{})
	if s := b.State.Shots; len(s) != 2 || s[0].Kept != id || s[1].Kept != 0 || s[1].Seed != 9 || s[1].Recipe.Prompt != "a cat" {
		t.Errorf("shots %+v", s)
	}
}

func TestADraftIsKeptWhenItHasChanged(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.Keep()
	b.Settle()
	if b.host.Journal.Session() != 0 {
		t.Error("an empty form begins a session")
	}
	b.State.Form.Prompt = "a cat"
	b.Keep()
	b.Settle()
	s, err := b.host.Journal.Store().Session(b.host.Journal.Session())
	if err != nil || !strings.Contains(string(s.Draft), "a cat") {
		t.Errorf("%s, %v", s.Draft, err)
	}
}

// What a failing change says is over once another one succeeds.
func TestTroubleIsToldAndOver(t *testing.T) {
	b := newBench(t, t.TempDir())
	fail := errors.New("the disk is full")
	b.Told(fail)
	b.Settle()
	if !errors.Is(b.State.History.Err, fail) {
		t.Errorf("told %v", b.State.History.Err)
	}
	b.State.Form.Prompt = "a cat"
	b.Retry()
	b.Settle()
	if b.State.History.Err != nil || b.host.Journal.Session() == 0 {
		t.Errorf("still %v", b.State.History.Err)
	}
}

func TestASecondOneIsToldAndCanTryAgain(t *testing.T) {
	dir := t.TempDir()
	first := newBench(t, dir)
	b := newBench(t, dir)
	var trouble *history.Error
	if b.State.History.Open || !errors.As(b.State.History.Err, &trouble) || trouble.Kind != history.Busy {
		t.Fatalf("%+v", b.State.History)
	}
	first.end()
	b.Retry()
	b.Retry() // pressed twice: the first press does not stand in the way of the second
	b.Settle()
	if !b.State.History.Open || b.State.History.Err != nil {
		t.Errorf("%+v", b.State.History)
	}
}

// A window that was opened while another one closed has the history as soon as that one has let go of it, and what it says is not said again
// meanwhile: it may have been put away.
func TestASecondOneWaitsForTheFirst(t *testing.T) {
	dir := t.TempDir()
	first := newBench(t, dir)
	tries := 0
	b := newBenchOf(t, dir, func(b *bench) {
		b.Keeper.pause = time.Millisecond
		open := b.host.OpenHistory
		b.host.OpenHistory = func() (*history.Store, error) {
			if tries++; tries == 3 { // here nothing else works at it
				first.end()
			}
			return open()
		}
	})
	said := b.State.History.Err
	if said == nil {
		t.Fatal("nothing is said")
	}
	b.Render = func() {
		if h := b.State.History; !h.Open && !errors.Is(h.Err, said) {
			t.Errorf("it is said again: %v", h.Err)
		}
	}
	b.Until("the history is open", func() bool { return b.State.History.Open })
	if b.State.History.Err != nil || tries < 3 {
		t.Errorf("%+v after %d tries", b.State.History, tries)
	}
	b.Render = b.LoadView
}

func TestADamagedHistoryIsSetAsideOrRescued(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	b.kept(7)
	b.State.Form.Prompt = "a dog on the moon"
	b.end()
	whole := uitest.Read(t, b.file())
	damage := func() {
		t.Helper()
		data := []byte(strings.ReplaceAll(string(whole), `"draft":`, `"drafT":`)) // also in pages that are free
		if err := os.WriteFile(b.file(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		b = newBench(t, dir)
		b.host.SetAside = func() error { _, err := history.SetAside(b.file(), time.Now()); return err }
		b.host.RescueHistory = func() (history.Rescued, error) {
			aside := history.Unrescued(b.file())
			if aside == "" {
				var err error
				if aside, err = history.SetAsideForRescue(b.file(), time.Now()); err != nil {
					return history.Rescued{}, err
				}
			}
			s, err := history.Open(b.file())
			if err != nil {
				return history.Rescued{}, err
			}
			got, err := s.Rescue(aside)
			return got, errors.Join(err, history.RescueEnded(b.file()), s.Close())
		}
		if b.State.History.Open {
			t.Fatalf("%+v", b.State.History)
		}
	}
	damage()
	open, found, goOn := b.host.OpenHistory, make(chan bool, 9), make(chan bool)
	b.host.OpenHistory = func() (*history.Store, error) {
		s, err := open()
		found <- true
		<-goOn
		return s, err
	}
	b.Retry() // which reads the damaged one still when it is rescued
	<-found
	b.Rescue()
	b.Until("it is rescued", func() bool { return len(b.rescued) > 0 })
	close(goOn)
	b.Settle()
	if len(b.rescued) != 1 || !strings.HasPrefix(b.rescued[0], "false ") || !strings.Contains(b.rescued[0], "sessions 1, jobs 1, pictures 1") || !strings.Contains(b.rescued[0], "1 part of it could not be read") {
		t.Errorf("it says %q", b.rescued)
	}
	if !b.State.History.Open || len(b.State.Shots) != 1 {
		t.Errorf("%+v, %d pictures came back", b.State.History, len(b.State.Shots))
	}
	b.end()
	damage() // the program dies when the damaged one is moved away; its next start offers to go on
	aside, err := history.SetAsideForRescue(b.file(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again := b.host.RescueHistory
	b = newBench(t, dir)
	b.host.RescueHistory = again
	if len(b.State.Shots) != 0 || len(b.offered) != 1 || !strings.Contains(b.offered[0], aside) {
		t.Errorf("%d pictures are there, it says %q", len(b.State.Shots), b.offered)
	}
	busy := state.Queue{Flights: []state.Flight{{}}}
	b.State.Queue, busy = busy, b.State.Queue
	if b.Rescue(); len(b.rescued) != 0 || len(b.offered) != 2 {
		t.Errorf("beside a job it says %q, %q", b.rescued, b.offered)
	}
	b.State.Queue = busy
	b.Rescue()
	b.Settle()
	if len(b.State.Shots) != 1 || len(b.rescued) != 1 || history.Unrescued(b.file()) != "" {
		t.Errorf("%d pictures came back, it says %q", len(b.State.Shots), b.rescued)
	}
	b.end()
	damage()
	b.StartAnew()
	b.Settle()
	if sessions, err := b.host.Journal.Store().Sessions(); !b.State.History.Open || len(sessions) != 0 || err != nil {
		t.Errorf("%+v, %d sessions, %v", b.State.History, len(sessions), err)
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "history-*.db")); len(aside) != 3 {
		t.Errorf("moved to %v", aside)
	}
}

// TestADraftThatThereWasNoRoomFor: its error stays whatever else is kept, and once there is room it is kept without another letter.
func TestADraftThatThereWasNoRoomFor(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	data := bytes.Repeat([]byte("dog"), 100_000)
	blobs := filepath.Join(dir, "history.blobs")
	if err := os.WriteFile(blobs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.State.Form.Prompt = "a cat"
	b.State.Form.Cards = []state.Card{{Ref: inference.Reference{Name: "dog.png", Data: data, SHA256: files.Sum(data)}}}
	b.Keep()
	b.Settle()
	b.host.Journal.Do(func(*history.Store) error { return nil }) // such as the file of a picture
	if b.Settle(); b.State.History.Err == nil {
		t.Error("nobody says that the form is not kept")
	}
	if err := os.Remove(blobs); err != nil {
		t.Fatal(err)
	}
	b.end() // nothing was typed since
	if b = newBench(t, dir); b.State.Form.Prompt != "a cat" {
		t.Errorf("the next window opens %q", b.State.Form.Prompt)
	}
}
