package i18n_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
)

var writeTranslations = flag.Bool("translations", false, "write assets/translations/en.json from the source")

var folder = filepath.Join(i18ntest.Root(), "assets", "translations")

func read(t *testing.T, file string) map[string]i18n.Forms {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var l map[string]i18n.Forms
	if err := json.Unmarshal(data, &l); err != nil {
		t.Fatal(file, err)
	}
	return l
}

// TestTranslationsComplete checks that en.json has every text of the source, and none besides.
func TestTranslationsComplete(t *testing.T) {
	path := filepath.Join(folder, "en.json")
	want := i18ntest.Texts(t)
	if len(want) < 100 {
		t.Fatalf("the source has %d texts", len(want))
	}
	if *writeTranslations {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have := read(t, path)
	for s, forms := range want {
		if !maps.Equal(have[s], forms) {
			t.Errorf("en.json has %q for %q: run `make translations`", have[s], s)
		}
	}
	for s := range have {
		if _, used := want[s]; !used {
			t.Errorf("en.json has %q, which the source does not use: run `make translations`", s)
		}
	}
}

// TestTranslations checks every language that is shipped: a text of it belongs to one of the source, has the same verbs, perhaps in
// another order, and every form that the numbers of the language take. A few new texts may wait for their translation.
func TestTranslations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no translations", err)
	}
	source := i18ntest.Texts(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			tag, err := language.Parse(name)
			if err != nil {
				t.Fatal("the file's name is no language:", err)
			}
			have := read(t, file)
			for english, forms := range have {
				from, known := source[english]
				if !known {
					t.Errorf("%q is no text of the source any more: remove it, or give its translation to the text that took its place", english)
					continue
				}
				if len(from) > 1 {
					for _, category := range counted(tag) {
						if forms[category] == "" {
							t.Errorf("%q lacks the form %q", english, category)
						}
					}
				}
				for category, text := range forms {
					want, got := verbs(english), verbs(text)
					// Only a form of a few numbers may leave them out: "one more".
					if !maps.Equal(got, want) && (category == "other" || strings.Contains(text, "%")) {
						t.Errorf("%q has the verbs %v, the English text %q has %v", text, got, english, want)
					}
				}
			}
			var missing []string
			for english := range source {
				if have[english]["other"] == "" {
					missing = append(missing, english)
				}
			}
			if len(missing) == 0 {
				return
			}
			slices.Sort(missing)
			done := 100 * (len(source) - len(missing)) / len(source)
			t.Logf("%d of %d texts appear in English:\n%s", len(missing), len(source), strings.Join(missing, "\n"))
			if done < 95 {
				t.Errorf("%d %% of the texts are translated, fewer than 95 %%", done)
			}
		})
	}
}

// verbs are the verbs of a text by the number of their value; 0 counts the percent signs.
func verbs(text string) map[int]string {
	found, next := map[int]string{}, 1
	for _, v := range i18ntest.Verbs.FindAllString(text, -1) {
		kind := v[len(v)-1:]
		if kind == "%" {
			found[0] += kind
			continue
		}
		if _, index, explicit := strings.Cut(v, "["); explicit {
			next = int(index[0] - '0')
		}
		found[next] += kind
		next++
	}
	return found
}

// counted are the CLDR categories of a language's whole numbers.
func counted(tag language.Tag) []string {
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	var list []string
	for n := range 1000 {
		if c := names[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]; !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

func TestFormsOfNumbers(t *testing.T) {
	for name, want := range map[string]string{"en": "other one", "ja": "other", "fr": "one other", "pl": "many one few", "ar": "zero one two few many other"} {
		if got := strings.Join(counted(language.Make(name)), " "); got != want {
			t.Errorf("%s counts with %s, want %s", name, got, want)
		}
	}
}

func TestChineseGoesByItsScript(t *testing.T) {
	files := fstest.MapFS{"zh-Hans.json": {Data: []byte(`{"%d more":"还有 %d 个"}`)}}
	t.Cleanup(func() { i18ntest.English(t) })
	for name, want := range map[string]string{
		"zh": "还有 1 个", "zh-CN": "还有 1 个", "zh_CN": "还有 1 个", "zh-Hans-CN": "还有 1 个", "zh-SG": "还有 1 个",
		"zh-TW": "one more", "zh-HK": "one more", "zh-Hant": "one more", "zh-Hant-TW": "one more",
	} {
		if err := i18n.Speak(files, name); err != nil {
			t.Fatal(err)
		}
		if got := i18n.N(1, "one more", "%d more", 1); got != want {
			t.Errorf("in %q: %q, want %q", name, got, want)
		}
	}
}

func TestLanguageOfTheSystem(t *testing.T) {
	files := fstest.MapFS{
		"de.json":    {Data: []byte(`{"Stop":"Halt","%d pictures":{"one":"%d Bild","other":"%d Bilder"}}`)},
		"pt-BR.json": {Data: []byte(`{"Stop":"Pare"}`)},
		"pl.json":    {Data: []byte(`{"%d pictures":{"one":"%d obraz","few":"%d obrazy","many":"%d obrazów","other":"%d obrazu"}}`)},
		"ja.json":    {Data: []byte(`{"%d pictures":"%d枚"}`)},
		"fr.json":    {Data: []byte(`{"%d pictures":{"one":"%d image","other":"%d images"}}`)},
		"xx.json":    {Data: []byte(`{`)},
	}
	t.Cleanup(func() { i18ntest.English(t) })
	for name, want := range map[string]string{
		"de":    "Halt 0 Bilder 1 Bild 2 Bilder 5 Bilder",
		"de-AT": "Halt 0 Bilder 1 Bild 2 Bilder 5 Bilder",
		"pt-BR": "Pare 0 pictures 1 picture 2 pictures 5 pictures",
		"pt":    "Stop 0 pictures 1 picture 2 pictures 5 pictures",
		"pl":    "Stop 0 obrazów 1 obraz 2 obrazy 5 obrazów",
		"ja":    "Stop 0枚 1枚 2枚 5枚",
		"fr":    "Stop 0 image 1 image 2 images 5 images",
		"":      "Stop 0 pictures 1 picture 2 pictures 5 pictures",
	} {
		if err := i18n.Speak(files, name); err != nil {
			t.Fatal(err)
		}
		got := i18n.T("Stop")
		for _, n := range []int{0, 1, 2, 5} {
			got += " " + i18n.N(n, "%d picture", "%d pictures", n)
		}
		if got != want {
			t.Errorf("in %q: %q, want %q", name, got, want)
		}
	}
	if got := i18n.N(1, "one more", "%d more", 1) + i18n.N(2, "one more", "%d more", 2); got != "one more2 more" {
		t.Errorf("one and two are %q", got)
	}
	if err := i18n.Speak(files, "xx"); err == nil || !strings.Contains(err.Error(), "xx.json") {
		t.Errorf("a broken file: %v", err)
	}
	if got := i18n.T("Stop"); got != "Stop" {
		t.Errorf("after a broken file %q is said", got)
	}
}
