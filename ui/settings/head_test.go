package settings

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/ui/state"
)

// The run in the window's head says and offers what the panel does.
func TestHeadFollowsThePanel(t *testing.T) {
	r := newRoom(t)
	r.Change(func(s *state.State) {
		s.Form.Prompt, s.Words = "a dog", state.PlainWords("a dog")
	})
	h := r.head
	if r.Head.Visible() || h.generate.Disabled() || h.stop.Visible() || h.generate.Text != "Generate" {
		t.Fatalf("%q, disabled %v, stop %v", h.generate.Text, h.generate.Disabled(), h.stop.Visible())
	}
	test.Tap(h.generate)
	if r.asked != 1 {
		t.Errorf("asked for %d runs", r.asked)
	}
	r.Change(func(s *state.State) { *s = s.Begin(state.Task{}, 1, 2) })
	if h.generate.Text != "Add to queue" || !h.stop.Visible() || h.status.Text == "" || h.status.Text != r.Status.Text {
		t.Errorf("while a job runs: %q, stop %v, %q", h.generate.Text, h.stop.Visible(), h.status.Text)
	}
	r.Change(func(s *state.State) { s.Form.Prompt, s.Words = "", nil })
	if !h.generate.Disabled() {
		t.Error("a job without a prompt is offered")
	}
}
