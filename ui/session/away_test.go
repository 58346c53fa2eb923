package session

import (
	"os"
	"path/filepath"
	"testing"

	"realword/inference"
	"realword/inference/files"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestAMaskStaysWhileThePictureIsAway: a drive that is away for one start takes nothing of a card's away, whatever else is changed in it.
func TestAMaskStaysWhileThePictureIsAway(t *testing.T) {
	dir := t.TempDir()
	mask := append(uitest.PNG(uitest.Red), 1)
	dog := large(1)
	b := newBench(t, dir)
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Form.Cards = "a dog", []state.Card{masked(cardOf(1, "dog", dog), mask)}
	})
	again := func() state.Card {
		t.Helper()
		b.Keep()
		b.Settle()
		b.end()
		b = newBench(t, dir)
		return b.Now().Form.Cards[0]
	}
	b.Keep()
	b.Settle()
	blob := filepath.Join(dir, "history.blobs", files.Sum(dog)[:2], files.Sum(dog))
	if err := os.Rename(blob, blob+".away"); err != nil {
		t.Fatal(err)
	}
	if c := again(); !c.Missing || len(c.Region.Data) != len(mask) {
		t.Errorf("missing %v, a mask of %d bytes", c.Missing, len(c.Region.Data))
	}
	b.Change(func(s *state.State) { s.Form.Prompt = "a dog and a ball" })
	b.Keep()
	b.Settle()
	if err := os.Rename(blob+".away", blob); err != nil {
		t.Fatal(err)
	}
	if c := again(); c.Missing || len(c.Region.Data) != len(mask) {
		t.Errorf("the drive is back: missing %v, a mask of %d bytes", c.Missing, len(c.Region.Data))
	}
}

// large is a picture that the history keeps in a file of its own.
func large(b byte) []byte {
	c := uitest.Red
	c.B = b
	return append(uitest.PNG(c), make([]byte, 100_000)...)
}

func cardOf(id int, word string, data []byte) state.Card {
	return state.Card{ID: id, Group: id, Ref: inference.Reference{Name: word + ".png", SHA256: files.Sum(data), Data: data}, Word: uitest.Word(word)}
}

func masked(c state.Card, mask []byte) state.Card {
	c.Region.SHA256, c.Region.Data = files.Sum(mask), mask
	return c
}

// blobs are a history's folder of what is large, which can be away.
type blobs struct {
	t    *testing.T
	path string
}

func (f blobs) away() {
	f.t.Helper()
	err := os.Rename(f.path, f.path+".away")
	if err == nil {
		err = os.WriteFile(f.path, nil, 0o600) // nor is there room for another one
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f blobs) back() {
	f.t.Helper()
	err := os.Remove(f.path)
	if err == nil {
		err = os.Rename(f.path+".away", f.path)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// TestACardThatWaitsComesBackToItsSession: also from the draft that could not be kept, which has no more of it than the history.
func TestACardThatWaitsComesBackToItsSession(t *testing.T) {
	for name, back := range map[string]bool{"still away": false, "back meanwhile": true} {
		dir := t.TempDir()
		dog, cat, mask := large(1), large(2), large(3)
		b := newBench(t, dir)
		b.Change(func(s *state.State) {
			s.Form.Prompt, s.Form.Cards = "a dog", []state.Card{masked(cardOf(1, "dog", dog), mask)}
		})
		b.Keep()
		b.Settle()
		b.end()
		folder := blobs{t, filepath.Join(dir, "history.blobs")}
		folder.away()
		b = newBench(t, dir)
		mine := b.host.Journal.Session()
		b.Change(func(s *state.State) {
			s.Form.Prompt = "a dog and a cat"
			s.Form.Cards = append(s.Form.Cards, cardOf(2, "cat", cat))
		})
		b.Keep()
		b.Settle()
		b.New()
		b.Settle()
		if back {
			folder.back()
		}
		b.GoOn(mine)
		b.Settle()
		f := b.Now().Form
		if len(f.Cards) != 2 {
			t.Fatalf("%s: %d of 2 cards are left: %v", name, len(f.Cards), b.Now().PickErr)
		}
		if c := f.Cards[0]; c.Missing == back || len(c.Region.Data) > 0 != back || c.Region.SHA256 != files.Sum(mask) {
			t.Errorf("%s: missing %v, a mask %.8s of %d bytes", name, c.Missing, c.Region.SHA256, len(c.Region.Data))
		}
		if !back {
			folder.back()
		}
		b.Change(func(s *state.State) { s.Form.Prompt = "a dog and a cat on a beach" })
		b.Keep()
		b.Settle()
		b.end()
		b = newBench(t, dir)
		if f := b.Now().Form; len(f.Cards) != 2 || f.Cards[0].Missing || f.Cards[1].Missing || len(f.Cards[0].Region.Data) != len(mask) {
			t.Errorf("%s: after another start: %d cards", name, len(f.Cards))
		}
	}
}
