package ui

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/memory"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// memoryEngine says of every round what is put in.
type memoryEngine struct {
	*fakeEngine
	asked atomic.Int64
	plan  func(r inference.Request) memory.Plan
}

func (e *memoryEngine) Memory(r inference.Request) (memory.Plan, bool) {
	e.asked.Add(1)
	return e.plan(r), true
}

func (e *memoryEngine) Manifest() bundle.Manifest {
	m := *uitest.Toybox
	m.Size.Min, m.Size.Max = 64, 256
	return m
}

func TestMemoryIsShownBeforeARound(t *testing.T) {
	const gb = 1e9
	e := &memoryEngine{plan: func(r inference.Request) memory.Plan {
		p := memory.Plan{Peak: 6.2 * gb, Available: 16 * gb, Verdict: memory.Fits}
		if r.Width == 256 {
			p = memory.Plan{Peak: 20 * gb, Available: 16 * gb, Verdict: memory.TooLarge, Remedies: []memory.Remedy{{Width: 64, Height: 64, Peak: 9 * gb}}}
		}
		if r.Width == 192 {
			p.Verdict = memory.Tight
		}
		if r.Width == 64 {
			p.Peak = gb / 10
		}
		return p
	}}
	b := ready(t, func(o *Options) {
		o.Open = func(context.Context, string) (Engine, error) { return e, nil }
	})
	e.fakeEngine = b.engine
	line := b.set.Memory
	wanted := func(width int, text string, c string) {
		t.Helper()
		b.state.Form.Width, b.state.Form.Height = width, width
		b.refresh()
		b.settle()
		if line.Box.Hidden != (text == "") || text != "" && (line.Text.Text != text || string(line.Text.Color) != c) {
			t.Errorf("at %d pixels: hidden %t, %q in %s", width, line.Box.Hidden, line.Text.Text, line.Text.Color)
		}
	}
	wanted(128, "Memory: about 6.2 GB of 16.0 GB, fits", string(theme.ColorNamePlaceHolder))
	wanted(192, "Memory: about 6.2 GB of 16.0 GB, tight", string(theme.ColorNameWarning))
	wanted(64, "", "")
	wanted(256, "Memory: about 20.0 GB of 16.0 GB, will not fit", string(theme.ColorNameError))
	n := e.asked.Load()
	b.refresh()
	b.settle()
	if e.asked.Load() != n {
		t.Error("it is computed again although nothing has changed")
	}

	b.subjects.PromptChanged("a dog")
	b.settle()
	b.generate()
	if b.state.Busy() || len(b.state.Queue.Waiting) > 0 || !slices.ContainsFunc(b.seen(), func(s string) bool { return strings.Contains(s, "It needs about 20.0 GB, and 16.0 GB is available") }) {
		t.Fatalf("it was not asked before: %q", b.seen())
	}
	b.pressSheetNow("Run anyway")
	b.end(b.started(), inference.Done{})

	for _, o := range line.Box.Objects {
		if button, ok := o.(*kit.Button); ok {
			test.Tap(button)
		}
	}
	b.settle()
	if f := b.state.Form; f.Size(b.state.Model).X != 64 || !line.Box.Hidden {
		t.Errorf("after the remedy it is %v and still warns", f.Size(b.state.Model))
	}
}

func TestFewerPicturesAsARemedy(t *testing.T) {
	b := ready(t, nil)
	word := inference.Word{Text: "dog", Occurrence: 1}
	for id := range 3 {
		b.state.Form.Cards = append(b.state.Form.Cards, state.Card{ID: 100 + id, Word: word})
	}
	b.set.Memory.Apply(memory.Remedy{References: 1, Width: 128, Height: 128})
	off := 0
	for _, c := range b.state.Form.Cards {
		if c.Off {
			off++
		}
	}
	if off != 2 {
		t.Errorf("%d of 3 pictures are left out, wanted 2", off)
	}
}
