package state

import (
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/recipe"
	"realword/ui/uitest"
)

// TestNegativeOfThePreset: it is in the field, it can be taken away, and what the user wrote stays.
func TestNegativeOfThePreset(t *testing.T) {
	sent := func(f Form) string { return inference.Defaults(*uitest.Toybox, f.Request()).Negative }
	f := Form{}.Settle(uitest.Toybox)
	if f.Negative != "" || sent(f) != "" {
		t.Errorf("paper: %q, sent %q", f.Negative, sent(f))
	}
	f = f.WithPreset("release", uitest.Toybox)
	if f.Negative != "blurry" || sent(f) != "blurry" {
		t.Errorf("release: %q, sent %q", f.Negative, sent(f))
	}
	bare := f
	bare.Negative = " "
	if sent(bare) != " " {
		t.Errorf("taken away: sent %q", sent(bare))
	}
	if bare, _ = bare.Adapt(uitest.Toybox, uitest.Toybox); bare.Negative != " " {
		t.Errorf("taken away, and the model changed: %q", bare.Negative)
	}
	if f = f.WithPreset("paper", uitest.Toybox); f.Negative != "" {
		t.Errorf("back to paper: %q", f.Negative)
	}
	f.Negative = "rain"
	if f = f.WithPreset("release", uitest.Toybox); f.Negative != "rain" {
		t.Errorf("what the user wrote became %q", f.Negative)
	}
}

// TestStopIsOneNumber: the window's T_stop is the one that the engine takes where none is given.
func TestStopIsOneNumber(t *testing.T) {
	for steps, want := range map[int]int{25: 12, 50: 24, 10: 5, 1: 1} {
		f := Form{}.Settle(uitest.Toybox).WithSteps(steps, uitest.Toybox)
		engine := inference.Defaults(*uitest.Toybox, inference.Request{Settings: inference.Settings{Steps: steps}})
		if fresh := (Form{Settings: inference.Settings{Preset: "paper", Steps: steps}}).Settle(uitest.Toybox); f.Stop != want || fresh.Stop != want || engine.Stop != want {
			t.Errorf("%d steps: T_stop %d in the window, %d in a fresh one, %d in the engine, want %d", steps, f.Stop, fresh.Stop, engine.Stop, want)
		}
	}
	f := Form{}.Settle(uitest.Toybox)
	f.Stop = 9
	if f = f.WithSteps(50, uitest.Toybox); f.Stop != 9 {
		t.Errorf("a T_stop of 9 that the user chose became %d", f.Stop)
	}
	if f = f.WithSteps(6, uitest.Toybox); f.Stop != 6 {
		t.Errorf("T_stop %d of 6 steps", f.Stop)
	}
}

// TestTakeForeignSettings: size and sampler of another program are taken where the model has them, the rest is said.
func TestTakeForeignSettings(t *testing.T) {
	past := func(w, h int, sampler string) Past {
		return Past{Foreign: true, Recipe: recipe.Recipe{Model: "someXL", Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 30, Width: w, Height: h, Sampler: sampler}}}}
	}
	form := Form{Settings: inference.Settings{Preset: "paper"}}.Settle(uitest.Roomy)
	if f := form.Take(past(832, 1216, "dpm++"), AllParts, uitest.Roomy); f.Width != 832 || f.Height != 1216 || f.Sampler != "dpm++" || f.Steps != 30 || f.Stop != 14 {
		t.Errorf("%+v", f)
	}
	odd := past(500, 500, "")
	if f := form.Take(odd, AllParts, uitest.Roomy); f.Width != 0 || f.Sampler != "" {
		t.Errorf("%+v", f)
	}
	if got := odd.Unsettable(uitest.Roomy); len(got) != 1 || got[0] != "Size: 500 × 500 · 1:1" {
		t.Errorf("%q", got)
	}
}

// TestNoteIsWhatIsInForce: the line under the presets follows what is set beside them.
func TestNoteIsWhatIsInForce(t *testing.T) {
	f := Form{}.Settle(uitest.Toybox).WithSteps(8, uitest.Toybox)
	f.CFG, f.Sampler = 2.5, "euler"
	if _, got := f.Note(uitest.Toybox); !strings.HasPrefix(got, "Euler · 8 steps · guidance scale 2.5 · γ ") {
		t.Errorf("in force is %q", got)
	}
}

// TestThePresetSaysTheAreasInForce (fault 21): a subject whose area came back with a recipe, and is only that of the preset, follows the
// next preset; one that the user has chosen stays; and the line under the presets says what is in force.
func TestThePresetSaysTheAreasInForce(t *testing.T) {
	dog, cat := Card{ID: 1, Word: uitest.Word("dog")}, Card{ID: 2, Word: uitest.Word("cat")}
	with := func(c Card, scope float64) Card { c.Scope = scope; return c }
	off := with(cat, 0.4)
	off.Off = true
	for name, c := range map[string]struct {
		cards  []Card
		scopes []float64 // with Release
		said   string
	}{
		"no subject":           {nil, nil, "γ 0.25"},
		"none chosen":          {[]Card{dog, cat}, []float64{0.25, 0.25}, "γ 0.25"},
		"of a recipe of Paper": {[]Card{with(dog, 0.2)}, []float64{0.25}, "γ 0.25"},
		"chosen":               {[]Card{with(dog, 0.3)}, []float64{0.3}, "γ 0.30"},
		"one of two chosen":    {[]Card{with(dog, 0.15), cat}, []float64{0.15, 0.25}, "γ 0.15 to 0.25"},
		"one that is off":      {[]Card{dog, off}, []float64{0.25, 0.4}, "γ 0.25"},
	} {
		paper := Form{Prompt: "a dog and a cat", Cards: c.cards, Count: 1}.Settle(uitest.Toybox)
		f := paper.WithPreset("release", uitest.Toybox)
		s := State{Form: f, Model: uitest.Toybox, Words: PlainWords(f.Prompt)}
		for i, v := range s.CardLooks() {
			if v.Gamma != c.scopes[i] {
				t.Errorf("%s: card %d has γ %g, want %g", name, i+1, v.Gamma, c.scopes[i])
			}
		}
		if _, text := f.Note(uitest.Toybox); !strings.HasSuffix(strings.TrimSuffix(text, " · references stretched"), c.said) {
			t.Errorf("%s: it says %q, want %q", name, text, c.said)
		}
		if len(paper.Cards) > 0 && paper.Cards[0].Scope != c.cards[0].Scope {
			t.Errorf("%s: the former form has changed", name)
		}
	}
}
