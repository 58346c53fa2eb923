package i18n_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

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

// TestTranslationsKeepVerbs checks every language: a translation has the verbs of its text, perhaps in another order.
func TestTranslationsKeepVerbs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no translations", err)
	}
	for _, file := range files {
		for english, forms := range read(t, file) {
			n := len(i18ntest.Verbs.FindAllString(english, -1))
			if got := len(i18ntest.Verbs.FindAllString(forms["other"], -1)); got != n {
				t.Errorf("%s: %q has %d verbs, the English text %q has %d", file, forms["other"], got, english, n)
			}
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
		if got := i18n.N(1, "one more", "%d more", i18n.Args(1)...); got != want {
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
	if err := i18n.Speak(files, "xx"); err == nil || !strings.Contains(err.Error(), "xx.json") {
		t.Errorf("a broken file: %v", err)
	}
	if got := i18n.T("Stop"); got != "Stop" {
		t.Errorf("after a broken file %q is said", got)
	}
}
