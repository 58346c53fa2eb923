package i18n

import (
	"encoding/json"
	"regexp"
	"testing"

	"realword/assets/translations"
)

// written is what has its signs in every language: weights and LoRAs in a prompt, and the beginning of a line of the farm.
var written = regexp.MustCompile(`\(词:[\d.]+\)|<lora:[^>]*>|realword-farm:`)

// misplaced are signs as another language has them.
var misplaced = map[string]struct {
	signs  *regexp.Regexp
	remedy string
}{
	"fr.json":      {regexp.MustCompile(` ([:;?!»]|%%)|« |“|”`), "a no-break space (U+00A0) before : ; ? ! » %, and after «"},
	"zh-Hans.json": {regexp.MustCompile(`[\p{Han}，。；：）”][,:;?!()]|[,:;?!()][\p{Han}（“]`), "the full-width ，：；？！（）"},
	"ja.json":      {regexp.MustCompile(`[“”]`), "「」"},
	"de.json":      {regexp.MustCompile(`\pL …$|[“”][^“”]*”`), "no space before … at the end, and „“"},
	"es.json":      {regexp.MustCompile(`[“”]`), "«»"},
}

// TestSignsOfTheLanguage: translations have the punctuation of their language. A line must not begin with a colon, for one.
func TestSignsOfTheLanguage(t *testing.T) {
	for name, is := range misplaced {
		data, err := translations.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var list map[string]Forms
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		for key, forms := range list {
			for _, text := range forms {
				if at := is.signs.FindString(written.ReplaceAllString(text, "")); at != "" {
					t.Errorf("%s: %q of %q has %q: write %s", name, text, key, at, is.remedy)
				}
			}
		}
	}
}
