package stage

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestThePlanIsNotCut (faults 5, 14 and 28): the caption over the film says that it is about the next job, ends inside of the window however
// narrow that is, and film and T_stop use one word.
func TestThePlanIsNotCut(t *testing.T) {
	b := newBench(t, nil)
	b.bar.show(barLook{steps: 25, stop: 12, faster: 17})
	if !strings.HasPrefix(b.bar.caption.Text, "next job: masks settle after step 12 of 25") {
		t.Errorf("the plan says %q", b.bar.caption.Text)
	}
	for _, width := range []float32{600, 320, 220, 120} {
		b.bar.Resize(fyne.NewSize(width, planHeight()))
		b.bar.Refresh()
		if end := b.bar.caption.Position().X + b.bar.caption.Size().Width; b.bar.caption.Position().X < 0 || end > width+0.5 {
			t.Errorf("in %g units the caption ends at %g", width, end)
		}
	}
	b.film.show(filmLook{places: 25, subjects: 1, done: 12, calm: 5, shown: -1})
	if b.film.settled.Text != "could settle after 6" {
		t.Errorf("the film says %q", b.film.settled.Text)
	}
}

// TestThePlanClearOfTheHollowMarker: wherever the two markers are, the caption ends above the hollow one and reaches no further left than the
// bar; it says less before it does, and then says all of it under the pointer and to screen readers.
func TestThePlanClearOfTheHollowMarker(t *testing.T) {
	b := newBench(t, nil)
	const whole = "next job: masks settle after step 14 of 25 · 15 % faster"
	for _, width := range []float32{760, 560, 480} {
		for _, hint := range []int{2, 10, 20} {
			b.bar.show(barLook{steps: 25, stop: 14, faster: 15, hint: hint})
			b.bar.Resize(fyne.NewSize(width, planHeight()))
			b.bar.Refresh()
			c, ghost := b.bar.caption, b.bar.ghost
			if foot := c.Position().Y + c.Size().Height; foot > ghost.Position().Y || c.Position().X < gutter || c.Cut() {
				t.Errorf("%g units, hint %d: “%s” from %v to %v, the hollow marker at %v", width, hint, c.Text, c.Position(), foot, ghost.Position())
			}
			short := c.Text != whole
			if short != (width < 700) || short != strings.Contains(b.bar.Explanation(), whole) || b.bar.AccessibilityLabel() != whole {
				t.Errorf("%g units: “%s”, under the pointer “%s”", width, c.Text, b.bar.Explanation())
			}
		}
	}
}

// TestTheFilmSaysWhenAboveTheDottedLine: where rows are small, as beside the brush, the line does not go through the words.
func TestTheFilmSaysWhenAboveTheDottedLine(t *testing.T) {
	b := newBench(t, nil)
	b.film.show(filmLook{places: 25, subjects: 1, done: 12, calm: 5, shown: -1})
	for _, zoom := range []float32{1, 0.6} {
		b.film.resize(zoom)
		line := levelAt(state.Calm, rowsOf(1, zoom).curve)
		text, under := b.film.settled, b.film.under
		if foot := text.Position().Y + text.Size().Height; foot > line+1.5 || text.Position().Y < -1.5 {
			t.Errorf("zoom %g: from %g to %g, the line is at %g", zoom, text.Position().Y, foot, line)
		}
		if under.Hidden || under.Size().Width < text.Size().Width {
			t.Errorf("zoom %g: bands and curves go through the words", zoom)
		}
	}
}

// TestThePlanWithoutASubject: there are no masks that could settle.
func TestThePlanWithoutASubject(t *testing.T) {
	b := newBench(t, nil)
	for _, stop := range []int{12, 25} {
		b.bar.show(barLook{steps: 25, stop: stop, plain: true})
		if b.bar.caption.Text != "next job: no subject, plain text-to-image" {
			t.Errorf("the plan says %q", b.bar.caption.Text)
		}
	}
	if _, plan := looks(state.State{}); !plan.plain {
		t.Error("a form without a subject has masks")
	}
}

// TestAPictureWithoutSteps says so in place of its film, and under the pointer; one whose steps are being read, or are there, does not.
func TestAPictureWithoutSteps(t *testing.T) {
	b := newBench(t, nil)
	const said = "The steps of this picture are not kept."
	show := func(s state.Shot) string {
		t.Helper()
		b.Change(func(now *state.State) { now.Shots, now.View = []state.Shot{s}, state.View{Shot: 0, Step: -1} })
		b.Settle()
		if text := b.film.without.Text; text != "" && b.film.Explanation() != text {
			t.Errorf("under the pointer it says %q", b.film.Explanation())
		}
		return b.film.without.Text
	}
	for want, shots := range map[string][]state.Shot{
		said: {{Kept: 1, Loaded: true, Stepless: true}, {}},
		"":   {{Kept: 1}, {Kept: 1, Loaded: true}, {Film: []inference.StepDone{uitest.Step(0, 4, 2, 1)}}},
	} {
		for _, s := range shots {
			if got := show(s); got != want {
				t.Errorf("%+v says %q, want %q", s, got, want)
			}
		}
	}
}
