package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"realword/inference"
)

// TestADraftIsNotWrittenAgainAndAgain: while a folder for pictures is away, every try would write the words that are there.
func TestADraftIsNotWrittenAgainAndAgain(t *testing.T) {
	f := newFull(t)
	data := bytes.Repeat([]byte("dog"), 100_000)
	f.KeepDraft([]byte(`{"a":1}`), []inference.Reference{{Name: "dog", SHA256: sum(data), Data: data}})
	f.settle()
	database := func() []byte {
		t.Helper()
		now, err := os.ReadFile(filepath.Join(filepath.Dir(f.blobs), "history.db"))
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	f.Retry()
	f.settle()
	before := database()
	f.Retry()
	f.settle()
	if !f.Undrafted() || !bytes.Equal(database(), before) {
		t.Errorf("not kept %v, but the database is written again", f.Undrafted())
	}
	if s, err := f.Store().Session(f.Session()); err != nil || string(s.Draft) != `{"a":1}` {
		t.Errorf("the words are %s, %v", s.Draft, err)
	}
}
