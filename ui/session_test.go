package ui

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/preferences"
	"realword/ui/state"
	"realword/ui/uitest"
)

// keeping is a window with a history in a folder, which may have been there before.
func keeping(t *testing.T, dir string, changes ...func(*Options)) *bench {
	t.Helper()
	b := ready(t, func(o *Options) {
		for _, change := range changes {
			change(o)
		}
		o.Pictures = filepath.Join(dir, "pictures")
		o.OpenHistory = func() (*history.Store, error) {
			return history.Options{Pictures: o.Pictures, Wait: 50 * time.Millisecond}.Open(filepath.Join(dir, "history.db"))
		}
		o.OpenFiles = func() ([]string, error) { return []string{filepath.Join(dir, "rex.png")}, nil }
	})
	t.Cleanup(b.end0)
	return b
}

// TestWhereTheNextJobIsMadeIsRemembered: sharing is taken up again at the start, and so is what was chosen for the next job.
func TestWhereTheNextJobIsMadeIsRemembered(t *testing.T) {
	for kept, want := range map[state.Where]state.Where{state.First: state.First, "moon": state.Here} {
		t.Run(string(kept), func(t *testing.T) {
			a, p := test.NewTempApp(t), preferences.Default()
			p.Where = kept
			p.Write(a.Preferences())
			if b := newBenchOn(t, a, nil); b.state.Farm.Where != want {
				t.Errorf("it is taken up as %q", b.state.Farm.Where)
			}
		})
	}
}

// end0 ends a window as Run does.
func (b *bench) end0() {
	b.session.Keep()
	b.settle()
	if err := b.journal.Close(); err != nil {
		b.t.Error(err)
	}
}

// dogRound is a finished round of two steps and one picture with one subject.
func dogRound(t *testing.T, b *bench, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "rex.png"), uitest.PNG(uitest.Red), 0o600); err != nil {
		t.Fatal(err)
	}
	test.Type(b.subjects.Prompt, "a dog on the beach")
	b.subjects.ChoosePicture()
	b.settle()
	test.Tap(b.chipOf(1))
	b.state.Form.Steps, b.state.Form.Stop = 4, 2
	guidedRun(b)
}

// guidedRun makes another picture with what is set.
func guidedRun(b *bench) {
	b.t.Helper()
	j := b.run()
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	for i := range 4 {
		b.send(j, uitest.GuidedStep(i, 4, 2, 1))
	}
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{Pictures: 1, Elapsed: time.Second})
}

// TestOldPicturesLeaveTheMemory: the window holds the newest pictures of a session and one film, and reads others again when they are looked
// at.
func TestOldPicturesLeaveTheMemory(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	for range 10 {
		guidedRun(b)
	}
	held := func() (films, images int) {
		for _, shot := range b.state.Shots {
			if shot.Film != nil {
				films++
			}
			if shot.Image != nil {
				images++
			}
		}
		return films, images
	}
	if films, images := held(); len(b.state.Shots) != 11 || films != 1 || images != 8 {
		t.Errorf("of %d pictures the window holds %d, and %d films", len(b.state.Shots), images, films)
	}
	test.Tap(b.stage.Strip.Objects[0].(fyne.Tappable))
	b.settle()
	if shot := b.state.Shot(); b.state.View.Shot != 0 || shot.Image == nil || shot.Image.NRGBAAt(3, 3) != uitest.Green || len(shot.Film) != 4 || shot.SaveErr != nil {
		t.Errorf("the first one comes back as %+v", shot)
	}
	test.Tap(b.stage.Strip.Objects[10].(fyne.Tappable))
	b.settle()
	if films, images := held(); films > 2 || images != 8 {
		t.Errorf("back at the newest the window holds %d pictures, and %d films", images, films)
	}
}

func TestARoundIsKeptAndComesBack(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	shot := b.state.Shots[0]
	if shot.Kept == 0 || b.journal.Session() == 0 || b.state.History.Err != nil {
		t.Fatalf("shot %d, history %+v", shot.Kept, b.state.History)
	}
	b.subjects.Prompt.SetText("a dog on the moon") // after the run
	form := b.state.Form
	b.end0()

	b = keeping(t, dir)
	f := b.state.Form
	if f.Prompt != "a dog on the moon" || b.subjects.Prompt.Text != f.Prompt || len(f.Cards) != 1 || f.Cards[0].View == nil || !bytes.Equal(f.Cards[0].Ref.Data, form.Cards[0].Ref.Data) {
		t.Errorf("form %+v", f)
	}
	f.Cards[0].Small, f.Cards[0].Whole = form.Cards[0].Small, form.Cards[0].Whole
	if f.Cards[0].View = form.Cards[0].View; !reflect.DeepEqual(f, form) {
		t.Errorf("the form came back as\n%+v, was\n%+v", f, form)
	}
	if len(b.state.Shots) != 1 || b.state.Shot() == nil {
		t.Fatalf("shots %+v", b.state.Shots)
	}
	again := b.state.Shots[0]
	if again.Kept != shot.Kept || again.Path != shot.Path || again.Seed != shot.Seed || again.Image == nil || again.Image.NRGBAAt(3, 3) != uitest.Green || again.SaveErr != nil {
		t.Errorf("the picture came back as %+v", again)
	}
	film, stop := b.state.Film()
	if len(film) != 4 || stop != 2 || math.Abs(float64(film[1].Clean[0])-1) > 1e-3 || !film[1].Guided || film[3].Guided {
		t.Fatalf("film %+v, stop %d", film, stop)
	}
	if m := film[3].Subjects[0].Mask; len(m) != 16 || m[8] != 1 || film[3].GridWidth != 4 || film[0].Preview == nil {
		t.Errorf("mask %v", m)
	}
	b.stage.Nudge(-1)
	if b.film().AccessibilityLabel() != "step 4 of 4" {
		t.Error("the film of an old picture does not scrub")
	}

	s := b.journal.Store()
	state, err := journal.KeptState(s, again.Kept)
	if err != nil || state == nil || state.Step != 2 || state.Latent[1] != 1 {
		t.Errorf("the exact state at T_stop is %+v, %v", state, err)
	}
	r, err := journal.Recall(s, again.Kept)
	if err != nil || r.Recipe.Prompt != "a dog on the beach" || len(r.Missing) != 0 || len(r.Recipe.Subjects[0].References[0].Data) == 0 {
		t.Errorf("recalled %+v, %v", r, err)
	}
}

func TestSecondRoundGoesOnFromTheFirst(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	first := b.state.Shots[0].Kept
	b.subjects.RemoveCard(b.state.Form.Cards[0].ID)
	b.reuse.Reference()
	b.pressSheet("Use as reference")
	b.subjects.Prompt.SetText("a dog with a hat")
	j := b.run()
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.end(j, inference.Failed{Err: errors.New("no memory")})
	rounds, err := b.journal.Store().SessionRounds(b.journal.Session())
	if err != nil || len(rounds) != 2 {
		t.Fatalf("rounds %+v, %v", rounds, err)
	}
	if r := rounds[1]; len(r.Parents) != 1 || r.Parents[0] != first || r.Status != history.Failed || r.Error != "no memory" || r.Prompt != "a dog with a hat" || len(r.Pictures) != 0 {
		t.Errorf("round %+v", r)
	}
	j = b.run()
	b.end(j, inference.Failed{Err: context.Canceled})
	if rounds, _ = b.journal.Store().SessionRounds(b.journal.Session()); rounds[2].Status != history.Cancelled {
		t.Errorf("round %+v", rounds[2])
	}
}

func TestWithoutAHistoryPicturesAreMadeAllTheSame(t *testing.T) {
	busy := &history.Error{Kind: history.Busy, Path: "/h/history.db"}
	b := ready(t, func(o *Options) { o.OpenHistory = func() (*history.Store, error) { return nil, busy } })
	if !errors.Is(b.state.History.Err, busy) || b.state.History.Open {
		t.Fatalf("%+v", b.state.History)
	}
	b.subjects.PromptChanged("a cat")
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	if s := b.state.Shots[0]; s.Path == "" || s.SaveErr != nil || s.Kept != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAHistoryThatFailsDuringARun(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	if err := b.journal.Store().Close(); err != nil { // as good as a disk that is gone
		t.Fatal(err)
	}
	dogRound(t, b, dir)
	if b.state.History.Err == nil || b.state.Shots[0].Path == "" {
		t.Fatalf("%+v, saved as %q", b.state.History, b.state.Shots[0].Path)
	}
	again, err := b.opt.OpenHistory()
	if err != nil {
		t.Fatal(err)
	}
	b.journal.Open(again)
	b.subjects.Prompt.SetText("a dog in the rain")
	b.session.Keep()
	b.settle()
	if b.state.History.Err != nil {
		t.Errorf("still %v", b.state.History.Err)
	}
}

// twoWait has two jobs wait in a paused queue, and answers the session that they are of.
func twoWait(t *testing.T, b *bench, dir string) (session uint64) {
	t.Helper()
	dogRound(t, b, dir)
	b.queue.Pause()
	b.queue.Generate()
	b.queue.Generate()
	b.settle()
	return b.journal.Session()
}

// TestARescueKeepsQueueAndSession: the jobs that wait wait once, and what is made next goes to the session on the screen, whether the rescue
// finds nothing damaged or begins a new history. A job that the history has lost still waits in the window.
func TestARescueKeepsQueueAndSession(t *testing.T) {
	for name, rescue := range map[string]func(file string) (history.Rescued, error){
		"not damaged": func(string) (history.Rescued, error) {
			return history.Rescued{}, errors.New("history.db is not damaged")
		},
		"damaged": func(file string) (history.Rescued, error) {
			aside, err := history.SetAside(file, time.Now())
			if err != nil {
				return history.Rescued{}, err
			}
			s, err := history.Open(file)
			if err != nil {
				return history.Rescued{}, err
			}
			got, err := s.Rescue(aside)
			return got, errors.Join(err, s.Close())
		},
		"a job is lost": func(file string) (history.Rescued, error) {
			s, err := history.Open(file)
			if err != nil {
				return history.Rescued{}, err
			}
			jobs, err := s.Jobs()
			return history.Rescued{}, errors.Join(err, s.RemoveJob(jobs[0].ID), s.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := keeping(t, dir, func(o *Options) {
				o.Rescue = func() (history.Rescued, error) { return rescue(filepath.Join(dir, "history.db")) }
			})
			session := twoWait(t, b, dir)
			b.session.Rescue()
			b.settle()
			if n := len(b.state.Queue.Waiting); n != 2 || !b.state.History.Open {
				t.Errorf("2 jobs waited, and %d wait now; %+v", n, b.state.History)
			}
			if got := b.journal.Session(); got != session {
				t.Errorf("what is made next goes to session %d, and the screen shows session %d", got, session)
			}
			b.queue.StopAll()
			b.settle()
			if jobs, err := b.journal.Store().Jobs(); len(jobs) > 0 || err != nil {
				t.Errorf("all were cancelled, and the history keeps %d jobs for the next start: %v", len(jobs), err)
			}
		})
	}
}

// TestJobsOfASessionInTheTrash: what they make is in the gallery, in one session of the same name.
func TestJobsOfASessionInTheTrash(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	session := twoWait(t, b, dir)
	b.session.New()
	b.journal.Do(func(s *history.Store) error {
		return errors.Join(s.RenameSession(session, "Dogs"), s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: session}))
	})
	b.settle()
	b.queue.Pause() // goes on
	for range 2 {
		j := b.started()
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, uitest.GuidedStep(0, 4, 2, 1))
		b.send(j, uitest.Picture(j.request, 0))
		j.events <- inference.Done{Pictures: 1}
		close(j.events)
	}
	b.until("both are made", func() bool { return !b.state.Busy() })
	b.settle()
	seen, err := b.journal.Store().Find(history.Filter{})
	if err != nil || len(seen) != 2 {
		t.Fatalf("of 2 pictures that were made after their session was thrown away %d are in the gallery: %v", len(seen), err)
	}
	sessions, err := b.journal.Store().Sessions()
	if err != nil || len(sessions) != 2 || sessions[0].Name != "Dogs" || !sessions[0].Trashed.IsZero() {
		t.Errorf("%+v, %v", sessions, err)
	}
}

// TestADroppedSessionIsImported: an exported session that is dropped is offered to be imported, on whatever page, and then shown there;
// what lies beside it is taken as ever, and another zip is said to be one.
func TestADroppedSessionIsImported(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	b := keeping(t, other)
	dogRound(t, b, other)
	zip := filepath.Join(dir, "sess.zip")
	if _, err := b.journal.Store().ExportFile(t.Context(), b.journal.Session(), zip); err != nil {
		t.Fatal(err)
	}
	c := keeping(t, dir)
	sessions := func() int {
		t.Helper()
		list, err := c.journal.Store().Sessions()
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	had := sessions()
	for _, page := range []func(){func() {}, c.gallery.Show, c.models.Show} {
		page()
		c.drop(nil, zip)
		if !c.sheetSays("sess.zip is an exported session") || c.state.PickErr != nil || sessions() != had {
			t.Fatalf("it says %v, and there are %d sessions", c.state.PickErr, sessions())
		}
		c.pressSheet("Cancel")
	}
	c.drop(nil, zip, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	if len(c.state.Form.Cards) != 1 || c.state.PickErr != nil {
		t.Errorf("beside it there are %d cards, %v", len(c.state.Form.Cards), c.state.PickErr)
	}
	c.pressSheet("Import")
	c.until("the session is here", func() bool { return sessions() == had+1 })
	c.settle()
	if !c.gallery.Shown() || !slices.ContainsFunc(c.seen(), func(text string) bool { return strings.Contains(text, "Imported 1 picture") }) {
		t.Errorf("the page of the sessions is shown: %v, and says %q", c.gallery.Shown(), c.seen())
	}
	c.drop(nil, uitest.File(t, "notes.zip", []byte("PK\x05\x06"+strings.Repeat("\x00", 18))))
	if err := c.state.PickErr; err == nil || !strings.Contains(err.Error(), "this is a zip archive; unpack it") {
		t.Errorf("of another zip it says %v", err)
	}
}

// TestAPictureStaysWithItsSession: what is still being read when another session is asked for comes to the one that it was dropped on.
func TestAPictureStaysWithItsSession(t *testing.T) {
	b := keeping(t, t.TempDir())
	b.subjects.PromptChanged("a dog")
	b.session.Keep()
	b.settle()
	first, gate := b.journal.Session(), make(chan []byte)
	b.gallery.Show()
	b.settle()
	b.subjects.Add(state.Word{}, state.Source{Name: "rex.png", Read: func() ([]byte, error) { return <-gate, nil }})
	knob := b.toolIn(b.gallery.Root, "New session").(fyne.Disableable)
	if !knob.Disabled() {
		t.Error("another session is offered while a picture is read")
	}
	b.session.New()
	if b.journal.Session() != first {
		t.Error("another session comes up while a picture is read")
	}
	gate <- []byte("this is no picture")
	b.until("the button is back", func() bool { return !knob.Disabled() })
	b.subjects.Add(state.Word{}, state.Source{Name: "rex.png", Read: func() ([]byte, error) { return <-gate, nil }})
	gate <- uitest.PNG(uitest.Red)
	b.settle()
	if len(b.state.Form.Cards) != 1 || b.state.ActionErr != nil {
		t.Errorf("it has %d cards, said is %v", len(b.state.Form.Cards), b.state.ActionErr)
	}
	b.session.New()
	b.settle()
	if len(b.state.Form.Cards) != 0 {
		t.Error("it stays when another session comes up")
	}
}
