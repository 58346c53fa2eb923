package ui

import (
	"image"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// TestThePresetDecidesTheSquare: a card that says nothing of its own is shown, and sent, as the preset fits references; undo brings
// the earlier square back.
func TestThePresetDecidesTheSquare(t *testing.T) {
	b := ready(t, nil)
	wide := image.NewNRGBA(image.Rect(0, 0, 120, 30))
	for y := range 30 {
		for x := range 120 {
			wide.SetNRGBA(x, y, red)
		}
	}
	b.drop(nil, write(t, "wide.png", encode(t, wide)))
	sees := func(fit picture.Fit) bool {
		t.Helper()
		b.until("the square is made", func() bool { return !b.squarer.Working() && len(b.posted) == 0 })
		b.settle()
		want, _, err := picture.Prepare(wide, picture.Square{Fit: fit}, toybox.Vision.Reference)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := b.state.Form.Cards[0].View.(*image.RGBA)
		return ok && string(got.Pix) == string(want.Pix)
	}
	if !sees(picture.Pad) {
		t.Error("paper does not pad")
	}
	b.state.Form = b.state.Form.WithPreset("release", toybox)
	b.refresh()
	if !sees(picture.Stretch) {
		t.Error("release does not stretch")
	}
	c := b.cardAt(0)
	c.toggle()
	c.editor.fits[picture.Pad].OnTapped()
	if !sees(picture.Pad) || b.state.Form.Cards[0].Ref.Square.Fit != picture.Pad {
		t.Error("what the user chose does not count")
	}
	b.cardAt(0).editor.fits[picture.Stretch].OnTapped()
	if !sees(picture.Stretch) || b.state.Form.Cards[0].Ref.Square.Fit != "" {
		t.Error("the preset's own fit does not follow the preset")
	}
	for !sees(picture.Pad) || b.state.Form.Preset == "release" {
		f, ok := b.undo.back()
		if !ok {
			t.Fatal("undo does not bring the square back")
		}
		b.adopt(f, true)
	}
}

// TestNegativeOfThePreset: it is in the field, it can be taken away, and what the user wrote stays.
func TestNegativeOfThePreset(t *testing.T) {
	sent := func(f Form) string { return inference.Defaults(*toybox, f.Request()).Negative }
	f := Form{}.Settle(toybox)
	if f.Negative != "" || sent(f) != "" {
		t.Errorf("paper: %q, sent %q", f.Negative, sent(f))
	}
	f = f.WithPreset("release", toybox)
	if f.Negative != "blurry" || sent(f) != "blurry" {
		t.Errorf("release: %q, sent %q", f.Negative, sent(f))
	}
	bare := f
	bare.Negative = ""
	if sent(bare) != " " {
		t.Errorf("taken away: sent %q", sent(bare))
	}
	if bare, _ = bare.Adapt(toybox, toybox); bare.Negative != "" {
		t.Errorf("taken away, and the model changed: %q", bare.Negative)
	}
	if f = f.WithPreset("paper", toybox); f.Negative != "" {
		t.Errorf("back to paper: %q", f.Negative)
	}
	f.Negative = "rain"
	if f = f.WithPreset("release", toybox); f.Negative != "rain" {
		t.Errorf("what the user wrote became %q", f.Negative)
	}
}

// TestStopIsOneNumber: the window's T_stop is the one that the engine takes where none is given.
func TestStopIsOneNumber(t *testing.T) {
	for steps, want := range map[int]int{25: 12, 50: 24, 10: 5, 1: 1} {
		f := Form{}.Settle(toybox).WithSteps(steps, toybox)
		engine := inference.Defaults(*toybox, inference.Request{Settings: inference.Settings{Steps: steps}})
		if fresh := (Form{Preset: "paper", Steps: steps}).Settle(toybox); f.Stop != want || fresh.Stop != want || engine.Stop != want {
			t.Errorf("%d steps: T_stop %d in the window, %d in a fresh one, %d in the engine, want %d", steps, f.Stop, fresh.Stop, engine.Stop, want)
		}
	}
	f := Form{}.Settle(toybox)
	f.Stop = 9
	if f = f.WithSteps(50, toybox); f.Stop != 9 {
		t.Errorf("a T_stop of 9 that the user chose became %d", f.Stop)
	}
	if f = f.WithSteps(6, toybox); f.Stop != 6 {
		t.Errorf("T_stop %d of 6 steps", f.Stop)
	}
}

// TestTakeForeignSettings: size and sampler of another program are taken where the model has them, the rest is said.
func TestTakeForeignSettings(t *testing.T) {
	past := func(w, h int, sampler string) Past {
		return Past{Foreign: true, Recipe: recipe.Recipe{Model: "someXL", Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Steps: 30, Width: w, Height: h, Sampler: sampler}}}}
	}
	form := Form{Preset: "paper"}.Settle(roomy)
	if f := form.Take(past(832, 1216, "dpm++"), allParts, roomy); f.Width != 832 || f.Height != 1216 || f.Sampler != "dpm++" || f.Steps != 30 || f.Stop != 14 {
		t.Errorf("%+v", f)
	}
	odd := past(500, 500, "")
	if f := form.Take(odd, allParts, roomy); f.Width != 0 || f.Sampler != "" {
		t.Errorf("%+v", f)
	}
	if got := odd.Unsettable(roomy); len(got) != 1 || got[0] != "size 500 × 500" {
		t.Errorf("%q", got)
	}
}

// TestWhatIsNotReadIsSaid under the prompt, for both prompts, and no longer than it holds.
func TestWhatIsNotReadIsSaid(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog")
	if b.ignored.Visible() {
		t.Errorf("nothing is lost: %q", b.ignored.Text)
	}
	b.promptChanged("(a dog:1.3) on the beach")
	if !b.ignored.Visible() || !strings.HasPrefix(b.ignored.Text, `Weights are not computed: "(a dog:1.3)"`) {
		t.Errorf("says %q", b.ignored.Text)
	}
	b.set.negative.SetText("rain BREAK snow")
	if got := strings.Count(b.ignored.Text, "\n"); got != 1 || !strings.Contains(b.ignored.Text, `"BREAK"`) {
		t.Errorf("says %q", b.ignored.Text)
	}
	b.set.negative.SetText("")
	b.promptChanged("a dog on the beach")
	if b.ignored.Visible() {
		t.Errorf("still says %q", b.ignored.Text)
	}
}
