package computers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/farm"
	"realword/inference"
	"realword/inference/wait"
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
	if err != nil || string(list) != `["`+id+"@"+b.link.Conn().ID()+`"]` || waiting() != 3 {
		t.Fatalf("%d wait, the list says %s, %v", waiting(), list, err)
	}
	if other := newHanded(b.host.Dir); other.release != nil {
		t.Error("another window has the list, too")
	}
	b.link.handed.close()                           // it died
	elsewhere, before := id+"@another farm", "AAAA" // before the farm was noted, too
	if err := os.WriteFile(path, []byte(`["`+before+`","`+elsewhere+`",`+string(list[1:])), 0o600); err != nil {
		t.Fatal(err)
	}
	next := newHanded(b.host.Dir)
	next.takeBack(t.Context(), b.link.Conn())
	if list, err = os.ReadFile(path); waiting() != 0 || err != nil || string(list) != `["`+elsewhere+`"]` {
		t.Errorf("%d wait, the list says %s, %v", waiting(), list, err)
	}
	next.close()
	b.Drop(7)
}

// TestWhatIsStoppedWhileTheFarmIsAway: a job that the farm has is not wanted any more, and the window closes before the farm is back. The
// next window takes it back.
func TestWhatIsStoppedWhileTheFarmIsAway(t *testing.T) {
	dir := t.TempDir()
	var shut context.CancelFunc
	b := newBenchOf(t, dir, func(h *Host) { h.Context, shut = context.WithCancel(h.Context) })
	b.shareIt()
	b.Ahead(state.Task{ID: 7, Request: request(3), Where: state.Far})
	<-b.jobs[7].ready
	b.dies()
	b.Until("the farm is away", func() bool { return b.State.Queue.Away })
	b.Drop(7)
	b.Until("it is over here", func() bool {
		b.link.handed.mu.Lock()
		defer b.link.handed.mu.Unlock()
		return len(b.link.handed.now) == 0
	})
	path := filepath.Join(dir, "handed.json")
	shut()
	wait.For(t, "the end of the window", b.link.done)
	if list, err := os.ReadFile(path); err != nil || !strings.Contains(string(list), "@") {
		t.Errorf("the list says %s, %v", list, err)
	}
	next := newBenchOf(t, dir, func(h *Host) { h.Sharing = true })
	next.Until("the farm has nothing of it", func() bool {
		if next.link.Conn() == nil {
			return false
		}
		s, err := next.link.Conn().Status(t.Context())
		list, _ := os.ReadFile(path)
		return err == nil && s.Waiting == 0 && !strings.Contains(string(list), "@")
	})
}
