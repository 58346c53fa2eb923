package ui

import (
	"errors"
	"fmt"
	"os"
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
// without what is in files by then: also what came when the window was closing, and nothing of what has no file.
func TestJobsBeforeTheHistoryIsOpen(t *testing.T) {
	for _, c := range []struct {
		ends     bool
		later    int  // pictures that are made once it is open
		closing  bool // and when the window is closing
		homeless bool // no picture can be written into its file
		want     int  // pictures of the job that the next start finds, beside those of the others
	}{
		{want: 2},
		{later: 1, want: 1},
		{later: 2},
		{later: 1, closing: true, want: 1},
		{later: 2, closing: true},
		{later: 1, homeless: true, want: 3},
		{later: 2, homeless: true, want: 3},
		{ends: true},
		{ends: true, later: 1, homeless: true, want: 2}, // of a job that has ended, only what is nowhere
	} {
		dir := t.TempDir()
		before := keeping(t, dir)
		before.queue.Pause()
		before.ask("old")
		before.end0()
		if c.homeless {
			if err := os.WriteFile(filepath.Join(dir, "pictures"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
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
		if c.closing {
			b.keep()
		}
		for n := range c.later {
			b.send(j, uitest.Picture(j.request, 1+n))
		}
		b.until("all are written", func() bool {
			return !slices.ContainsFunc(b.state.Shots, func(s state.Shot) bool { return s.Path == "" && s.SaveErr == nil })
		})
		want := []string{fmt.Sprintf("one %d false", c.want), "two 3 false", "three 3 true", "old 1 false"}
		if c.want == 0 {
			want = want[1:]
		}
		if c.ends {
			b.queue.Pause()
			b.end(j, inference.Failed{Err: errors.New("enough")})
		}
		if !c.closing {
			b.keep()
		}
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
