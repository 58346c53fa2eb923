package state

import (
	"testing"

	"realword/inference"
	"realword/inference/guidance"
	"realword/ui/uitest"
)

// Labels of a comparison name what differs, and nothing else.
func TestContrastNamesWhatDiffers(t *testing.T) {
	subject := func(word, file string, scope float64) inference.Subject {
		return inference.Subject{Word: uitest.Word(word), Scope: scope, References: []inference.Reference{{Name: file, SHA256: file}}}
	}
	base := Shot{Model: "toybox"}
	base.Seed = 7
	base.Recipe = inference.Request{Prompt: "a dog on the beach at night", Subjects: []inference.Subject{subject("dog", "rex.png", 0.2)}}
	base.Recipe.Steps, base.Recipe.Stop, base.Recipe.CFG = 25, 12, 7.5
	for name, c := range map[string]struct {
		change func(*Shot)
		want   string
	}{
		"nothing":   {func(*Shot) {}, "left and right have the same recipe"},
		"seed":      {func(s *Shot) { s.Seed = 8 }, "left | right: Seed 7 | 8"},
		"prompt":    {func(s *Shot) { s.Recipe.Prompt = "a dog on the moon at night" }, "left | right: Prompt “beach” | “moon”"},
		"a word":    {func(s *Shot) { s.Recipe.Prompt = "a dog on the beach" }, "left | right: Prompt “at night” | —"},
		"area":      {func(s *Shot) { s.Recipe.Subjects[0].Scope = 0.3 }, "left | right: Area γ of dog 0.20 | 0.30"},
		"reference": {func(s *Shot) { s.Recipe.Subjects[0] = subject("dog", "fido.png", 0.2) }, "left | right: dog rex.png | fido.png"},
		"text-only": {func(s *Shot) { s.Recipe.Subjects = nil }, "left | right: References yes | text-only"},
		"T_stop and seed": {
			func(s *Shot) { s.Recipe.Stop, s.Seed = 20, 8 },
			"left | right: Masks settle after (T_stop) step 12 | step 20 · Seed 7 | 8",
		},
		"one more subject": {
			func(s *Shot) { s.Recipe.Subjects = append(s.Recipe.Subjects, subject("cat", "tom.png", 0.2)) },
			"left | right: cat — | tom.png",
		},
		"redone": {func(s *Shot) {
			s.Recipe.Init = &inference.Init{Name: "7.png", Strength: 1, Region: inference.Painted{SHA256: "1"}}
		}, "left | right: Begun with — | 7.png, redone in part"},
		"mask": {func(s *Shot) {
			s.Recipe.Subjects[0].Region = inference.Region{Kind: guidance.OnlyHere, Painted: inference.Painted{SHA256: "5fe46917bf"}}
		}, "left | right: Mask of dog — | only here"},
		"model": {func(s *Shot) { s.Model = "sdxl" }, "left | right: Model toybox | sdxl"},
	} {
		t.Run(name, func(t *testing.T) {
			other := base
			other.Recipe.Subjects = inference.CloneSubjects(base.Recipe.Subjects)
			c.change(&other)
			if got := ContrastText(Contrast(base, other)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
