package state

import (
	"fmt"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/guidance"
	"realword/ui/uitest"
)

// TestFaster counts the passes that T_stop and swift leave out, of 75 for 25 steps.
func TestFaster(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Form)
		want   int
	}{
		"T_stop 12, 62 passes":      {func(*Form) {}, 17},
		"without CFG, 37 of 50":     {func(f *Form) { f.CFG = 1 }, 26},
		"masks follow to the end":   {func(f *Form) { f.Stop = 25 }, 0},
		"swift, 48 of 75":           {func(f *Form) { f.Swift, f.Interval = true, "0" }, 33},
		"swift in 4 steps is exact": {func(f *Form) { f.Swift, f.Steps, f.Stop = true, 4, 2 }, 17},
		"no unconditional passes":   {func(f *Form) { f.Every = 2 }, 33},
		"two passes in a step":      {func(f *Form) { f.Sampler = "heun" }, 11},
		"painted exactly": {func(f *Form) {
			f.Cards[0].Region = inference.Region{Kind: guidance.Exactly, Painted: inference.Painted{SHA256: strings.Repeat("ab", 32)}}
		}, 0},
	} {
		s := State{Model: uitest.Toybox}
		s.Form.Prompt, s.Form.Settings = "a dog", inference.Settings{Steps: 25, Stop: 12, CFG: 4, Width: 256, Height: 256}
		s.Form.Cards = []Card{{ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Data: []byte("dog")}}}
		c.change(&s.Form)
		if got := s.Faster(); got != c.want {
			t.Errorf("%s: %d %%, want %d", name, got, c.want)
		}
	}
	if got := (State{}).Faster(); got != 0 {
		t.Errorf("without a model: %d %%", got)
	}
}

// The sides of a grid take names as the window and as files write them.
func TestSidesTakeTheNamesOfTheWindow(t *testing.T) {
	s := NewState()
	s.Model = uitest.Toybox
	for values, want := range map[string]string{"Paper, RELEASE": "[paper release]", "paper,Exact": "[paper Exact]"} {
		r := s.GridRequest(Side{Key: "preset", Values: values}, Side{Key: inference.AxisSwift, Values: "Exact, SWIFT, Swift (approximate)"})
		if got := fmt.Sprint(r.Grid.Rows.Values); got != want {
			t.Errorf("%s is %s, not %s", values, got, want)
		}
		if got := fmt.Sprint(r.Grid.Columns.Values); got != "[exact swift swift]" {
			t.Errorf("the other side is %s", got)
		}
	}
}
