package reuse

import (
	"image"
	"strings"
	"testing"

	"realword/assets/translations"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/state"
)

// TestNotesOfOthers: what is not taken over of the picture of another program is said in the language of the window.
func TestNotesOfOthers(t *testing.T) {
	file, err := picture.Encode(image.NewNRGBA(image.Rect(0, 0, 1, 1)), picture.Metadata{
		Prompt: "a dog <lora:x:0.8:lbw=OUTALL>", Settings: []picture.KeyValue{
			{Key: "Steps", Value: "0"},
			{Key: "Sampler", Value: "Restart"},
			{Key: "CFG scale", Value: "99"},
			{Key: "Seed", Value: "-1"},
			{Key: "Clip skip", Value: "2"},
			{Key: "Version", Value: "v1.9"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, foreign, err := recipe.Read(file)
	if err != nil || !foreign {
		t.Fatal(foreign, err)
	}
	t.Cleanup(func() { i18ntest.English(t) })
	for language, want := range map[string][]string{
		"": {
			`Its number of steps, "0", is not a number from 1 to 10000.`, `Its sampler, "Restart", is not one of Realword's.`,
			`Its guidance scale, "99", is not a number from 1 to 50.`, `Its seed, "-1", is not a possible seed.`,
			`It was made with Clip skip 2 too, which is left out: the picture may be another one.`, `Its LoRA x says "lbw=OUTALL" too`,
		},
		"de": {
			`Anzahl der Schritte "0" geht hier nicht: möglich wäre eine Zahl von 1 bis 10`, `Sampler "Restart" geht hier nicht: möglich wäre einer von Realword.`,
			`Guidance-Skala "99" geht hier nicht`, `Sein Seed "-1" ist kein möglicher Seed.`,
			`Es entstand auch mit Clip skip 2, was hier fehlt`, `Zur LoRA x steht dort auch "lbw=OUTALL"`,
		},
	} {
		if err := i18n.Speak(translations.Files, language); err != nil {
			t.Fatal(err)
		}
		said := offerNote(state.Past{Recipe: r, Foreign: true}, nil, true)
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("in %q it does not say %s:\n%s", language, w, said)
			}
		}
	}
}
