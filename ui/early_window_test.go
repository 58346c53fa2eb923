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
	"realword/ui/uitest"
)

// TestJobsBeforeTheHistoryIsOpen are written down once it is, before those that wait in it, and what runs is left for the next start.
func TestJobsBeforeTheHistoryIsOpen(t *testing.T) {
	for _, ends := range []bool{false, true} {
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
		b.state.Form.Count, b.state.Form.Seed, b.state.Form.KeepSeed = 2, 7, true
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
		want := []string{"one 1 false", "two 2 false", "three 2 true", "old 1 false"}
		if ends {
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
			t.Errorf("the job ends %v: the next start finds %q, want %q, %v", ends, got, want, err)
		}
		if !ends {
			b.closed.Store(true)
			close(j.events)
		}
	}
}
