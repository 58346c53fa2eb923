package subjects

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/assets/translations"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestARemedyIsReadWhole in every language, whatever the word: by the width of the button, not by a number of letters.
func TestARemedyIsReadWhole(t *testing.T) {
	t.Cleanup(func() { i18ntest.English(t) })
	for _, language := range []string{"en", "de", "es", "fr", "ja", "zh-Hans"} {
		if err := i18n.Speak(translations.Files, language); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"dog", "something", "extraordinarily"} {
			b := newBench(t)
			b.PromptChanged("a cat")
			b.TakeTo(state.Target{}, []string{uitest.File(t, "cat.png", uitest.PNG(uitest.Red))})
			b.Settle()
			b.PromptChanged(word)
			b.Settle()
			c := b.Cards.Objects[0].(*Card)
			c.Resize(fyne.NewSize(262, c.MinSize().Height))
			if c.Remedy.Hidden {
				t.Fatalf("%s has no remedy", word)
			}
			text, size, need := c.Remedy.Text, c.Remedy.Size(), c.Remedy.MinSize()
			if need.Width > size.Width || !strings.HasPrefix(word, "extra") && !strings.Contains(text, word) || !strings.Contains(text, word[:2]) {
				t.Errorf("%s: %q has %v and needs %v", language, text, size, need)
			}
		}
	}
}
