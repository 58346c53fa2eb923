package ui

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestJobsBeforeTheHistoryIsOpen are written down once it is, before those that wait in it, and what runs is left for the next start,
// without what it has made until then.
func TestJobsBeforeTheHistoryIsOpen(t *testing.T) {
	for _, c := range []struct {
		ends  bool
		later int // pictures that are made once it is open
	}{{false, 0}, {false, 1}, {false, 2}, {true, 0}} {
		dir := t.TempDir()
		before := keeping(t, dir)
		before.queue.Pause()
		before.ask("old")
		before.end0()
		busy := true
		path := filepath.Join(dir, "history.db")
		b := ready(t, func(o *Options) {
			o.Pictures = filepath.Join(dir, "pictures")
			o.OpenHistory = func() (*history.Store, error) {
				if busy {
					return nil, &history.Error{Kind: history.Busy, Path: path}
				}
				return history.Options{Pictures: o.Pictures}.Open(path)
			}
		})
		b.state.Form.Count, b.state.Form.Seed, b.state.Form.KeepSeed = 3, 7, true
		b.ask("one")
		j := b.started()
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, uitest.Picture(j.request, 0))
		b.ask("two")
		b.ask("three")
		b.queue.Hold(b.state.Queue.Waiting[1].ID)
		busy = false
		b.session.Retry()
		b.until("the history is open", func() bool { return b.state.History.Open && len(b.state.Queue.Waiting) == 3 })
		for n := range c.later {
			b.send(j, uitest.Picture(j.request, 1+n))
		}
		b.until("all are in files", func() bool {
			return !slices.ContainsFunc(b.state.Shots, func(s state.Shot) bool { return s.Path == "" })
		})
		want := []string{fmt.Sprintf("one %d false", 2-c.later), "two 3 false", "three 3 true", "old 1 false"}
		if c.later == 2 {
			want = want[1:]
		}
		if c.ends {
			b.queue.Pause()
			b.end(j, inference.Failed{Err: errors.New("enough")})
			want = want[1:]
		}
		b.keep()
		if err := b.journal.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := history.Options{Pictures: filepath.Join(dir, "pictures")}.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		list, err := journal.Queue(s)
		var got []string
		for _, w := range list {
			got = append(got, fmt.Sprint(w.Request.Prompt, " ", len(w.Request.Seeds), " ", w.Held))
		}
		if err := errors.Join(err, s.Close()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: the next start finds %q, want %q, %v", c, got, want, err)
		}
		if !c.ends {
			b.closed.Store(true)
			close(j.events)
		}
	}
}
