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
	dog := append(uitest.PNG(uitest.Red), make([]byte, 100_000)...) // in a file of its own
	b := newBench(t, dir)
	b.Change(func(s *state.State) {
		c := state.Card{ID: 1, Ref: inference.Reference{Name: "dog.png", SHA256: files.Sum(dog), Data: dog}, Word: uitest.Word("dog")}
		c.Region.SHA256, c.Region.Data = files.Sum(mask), mask
		s.Form.Prompt, s.Form.Cards = "a dog", []state.Card{c}
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
