package computers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/farm"
	"realword/inference"
	"realword/ui/state"
)

// TestWhatADeadWindowLeft on the farm is taken back by the next one: its jobs wait in the queue, and would be made twice.
func TestWhatADeadWindowLeft(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	waiting := func() int {
		s, err := b.link.Conn().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Waiting
	}
	r := inference.Request{Prompt: "a dog", Seeds: []uint64{1, 2, 3}}
	r.Width, r.Height, r.Steps = 8, 8, 2
	task := state.Task{ID: 7, Request: r, Where: state.Far}
	b.Ahead(task)
	<-b.jobs[7].ready
	path := filepath.Join(b.host.Dir, "handed.json")
	list, err := os.ReadFile(path)
	id := b.jobs[7].job.(*farm.Job).ID
	if err != nil || string(list) != `["`+id+`"]` || waiting() != 3 {
		t.Fatalf("%d wait, the list says %s, %v", waiting(), list, err)
	}
	if other := newHanded(b.host.Dir); other.release != nil {
		t.Error("another window has the list, too")
	}
	b.link.handed.close() // it died
	next := newHanded(b.host.Dir)
	next.takeBack(t.Context(), b.link.Conn())
	if list, err = os.ReadFile(path); waiting() != 0 || err != nil || strings.Contains(string(list), id) {
		t.Errorf("%d wait, the list says %s, %v", waiting(), list, err)
	}
	next.close()
	b.Drop(7)
}
