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
