package stage

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/ui/state"
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
