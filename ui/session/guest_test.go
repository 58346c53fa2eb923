package session

import (
	"errors"
	"image"
	"path/filepath"
	"testing"

	"realword/inference"
	"realword/inference/recipe"
	"realword/ui/saving"
	"realword/ui/state"
	"realword/ui/uitest"
)

// onlyHere is a bench with a picture that is in this window alone.
func onlyHere(t *testing.T) *bench {
	b := withExample(t, t.TempDir())
	shot := state.Shot{PictureReady: inference.PictureReady{Seed: 9, Image: image.NewNRGBA(image.Rect(0, 0, 16, 16))}, Model: "toybox"}
	shot.Unsaved, shot.SaveErr = true, errors.New("the disk is full")
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Shots, s.View = "a cat", []state.Shot{shot}, state.View{Shot: 0, Step: -1}
	})
	b.Keep()
	b.Settle()
	return b
}

// saver writes into a folder, once gate is closed; nil: at once.
func (b *bench) saver(folder string, gate chan struct{}) *saving.Saver {
	return saving.New(saving.Host{
		State: b.Now, Change: b.Change, Journal: b.host.Journal, Post: b.Post,
		Background: func(slow func() func()) {
			b.Background(func() func() {
				if gate != nil {
					<-gate
				}
				return slow()
			})
		},
		Folder: func() string { return folder }, FileName: func() string { return "" },
		Embed: func() recipe.Embed { return recipe.Embed{} }, OnHeight: func() {},
	})
}

// TestAPictureThatIsOnlyHereOutlivesItsSession: whichever session comes up, the user is told of it, can save it, and is asked on closing.
func TestAPictureThatIsOnlyHereOutlivesItsSession(t *testing.T) {
	for name, leave := range map[string]func(*bench){
		"another session": func(b *bench) { b.New() },
		"an earlier session": func(b *bench) {
			id := uitest.Kept(t, b.host.Journal.Store(), b.pictures(), 0, 3)
			r, err := b.host.Journal.Store().Round(b.picture(id).Round)
			if err != nil {
				t.Fatal(err)
			}
			b.GoOn(r.Session)
		},
		"the example": func(b *bench) { b.ShowExample() },
		"the example and back": func(b *bench) {
			b.ShowExample()
			b.Settle()
			b.CloseExample()
		},
		"a job of the example": func(b *bench) {
			b.ShowExample()
			b.Settle()
			b.host.Journal.KeepDraft([]byte(`{}`), nil) // a session begins
		},
	} {
		b := onlyHere(t)
		leave(b)
		b.Settle()
		b.LoadView()
		b.Settle()
		if n := b.Now().Losing(); n != 1 {
			t.Errorf("%s: %d of 1 are left", name, n)
			continue
		}
		if name == "another session" && (b.Now().Shot() != nil || !b.Untouched()) {
			t.Errorf("a new session begins with a picture in view, or is not empty")
		}
		shots := len(b.Now().Shots)
		folder := t.TempDir()
		b.saver(folder, nil).Again()
		b.Settle()
		if list, err := filepath.Glob(filepath.Join(folder, "*.png")); b.Now().Losing() != 0 || len(list) != 1 || err != nil {
			t.Errorf("%s: saved as %v, %v; %d have no file", name, list, err, b.Now().Losing())
		}
		b.LoadView()
		if b.CloseExample(); name == "another session" && len(b.Now().Shots) != shots-1 {
			t.Errorf("%s: it is in its file, and among those of another session still", name)
		}
		if b.Now().Losing() != 0 {
			t.Errorf("%s: it has a file, and back in its session it has none", name)
		}
	}
}

// TestAFileThatFailsBehindAnotherSession: a picture whose file is still being written is in this window alone, too.
func TestAFileThatFailsBehindAnotherSession(t *testing.T) {
	for name, leave := range map[string]func(*bench){
		"another session": func(b *bench) { b.New() },
		"the example and back": func(b *bench) {
			b.ShowExample()
			b.Until("the example is up", func() bool { return b.Now().History.Example })
		},
	} {
		b, gate := onlyHere(t), make(chan struct{})
		b.Change(func(s *state.State) { s.Shots[0].Unsaved, s.Shots[0].SaveErr = false, nil })
		b.saver(filepath.Join(uitest.File(t, "file", nil), "in"), gate).Save(b.Now().Shots[0].PictureReady)
		leave(b)
		close(gate)
		b.Settle()
		b.CloseExample()
		b.Settle()
		if b.Now().Losing() != 1 {
			t.Errorf("%s: its file could not be written, and nobody says so", name)
		}
	}
}

// TestASessionWaitsForItsPictures: one that is being read belongs to the session that it was dropped on, and none other comes up meanwhile,
// whatever was asked for, and when.
func TestASessionWaitsForItsPictures(t *testing.T) {
	for name, leave := range map[string]func(b *bench, other uint64){
		"another session":    func(b *bench, _ uint64) { b.New() },
		"an earlier session": func(b *bench, other uint64) { b.GoOn(other) },
		"the example":        func(b *bench, _ uint64) { b.ShowExample() },
	} {
		for _, late := range []bool{false, true} { // it is dropped while the other one is read
			b := withExample(t, t.TempDir())
			b.Change(func(s *state.State) { s.Form.Prompt = "a cat" })
			b.Keep()
			b.Settle()
			r, err := b.host.Journal.Store().Round(b.picture(uitest.Kept(t, b.host.Journal.Store(), b.pictures(), 0, 3)).Round)
			if err != nil {
				t.Fatal(err)
			}
			drop := func() { b.Change(func(s *state.State) { *s = s.Expect() }) }
			if !late {
				drop()
			}
			if leave(b, r.Session); late && name != "another session" {
				drop()
			} else if late {
				continue
			}
			b.Settle()
			if s := b.Now(); s.Form.Prompt != "a cat" || s.History.Example {
				t.Errorf("%s, late %v: it takes the place of a session with a picture on its way", name, late)
			}
			if b.Now().ActionErr == nil && (late || name != "the example") { // whose button is off
				t.Errorf("%s, late %v: nothing is said", name, late)
			}
			if b.Change(func(s *state.State) { *s = s.Came() }); b.Now().ActionErr != nil {
				t.Errorf("%s, late %v: said is still %v", name, late, b.Now().ActionErr)
			}
			leave(b, r.Session)
			b.Settle()
			if s := b.Now(); s.Form.Prompt == "a cat" {
				t.Errorf("%s: it does not come up afterwards: %v", name, s.ActionErr)
			}
			if name != "the example" {
				continue
			}
			drop()
			if b.CloseExample(); !b.Now().History.Example {
				t.Error("the example goes with a picture on its way")
			}
			b.Change(func(s *state.State) { *s = s.Came() })
			if b.CloseExample(); b.Now().History.Example {
				t.Error("the example stays")
			}
		}
	}
}

// TestTheLastSessionIsQuickerThanAPicture that was dropped on the empty window: it does not get into the last session.
func TestTheLastSessionIsQuickerThanAPicture(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	b.Change(func(s *state.State) { s.Form.Prompt = "a cat" })
	b.end()
	b = newBenchOf(t, dir, func(b *bench) { b.State.Picking = 1 })
	if b.Now().Form.Prompt != "" || len(b.quicker) != 1 {
		t.Errorf("a picture is on its way, and %q comes up", b.Now().Form.Prompt)
	}
}
