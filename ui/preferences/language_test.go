package preferences

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"fyne.io/fyne/v2/lang"

	"realword/assets/translations"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
)

// TestEnglishWithoutFont checks that no window is full of boxes: a language that no font can show is not spoken.
func TestEnglishWithoutFont(t *testing.T) {
	files := fstest.MapFS{"zh-Hans.json": {Data: []byte(`{"Generate":"生成","Settings":"设置"}`)}}
	t.Cleanup(func() { i18ntest.English(t) })
	for want, fonts := range map[string]bool{"生成": true, "Generate": false} {
		if err := speak(files, "zh-CN", func(letters string) bool { return fonts || letters != "生成设置" }); err != nil {
			t.Fatal(err)
		}
		if got := i18n.T("Generate"); got != want {
			t.Errorf("with fonts %v: %q, want %q", fonts, got, want)
		}
	}
	if !systemHas("Générer Größe Создать") {
		t.Error("Fyne's own font shows Latin and Cyrillic letters")
	}
}

// Whoever wants a language that no font shows is told why the window is in English.
func TestLanguageWithoutFontIsSaid(t *testing.T) {
	latin := func(letters string) bool { return letters != "简体中文" && letters != "日本語" }
	for name, want := range map[string]string{"zh-CN": "Simplified Chinese", "ja": "Japanese", "zh-TW": "", "de-AT": "", "nl": "", "": ""} {
		if got := unshown(translations.Files, name, latin); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := unshown(translations.Files, "zh-Hans", func(string) bool { return true }); got != "" {
		t.Errorf("with fonts: %q", got)
	}
}

func TestLanguagesAreCalledByTheirOwnNames(t *testing.T) {
	names, own := shipped(translations.Files, func(letters string) bool { return letters != "简体中文" && letters != "日本語" })
	if got, want := strings.Join(names, " ")+": "+strings.Join(own, ", "), "de en es fr: Deutsch, English, Español, Français"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	names, own = shipped(translations.Files, func(string) bool { return true })
	if at := slices.Index(names, "zh-Hans"); at < 0 || own[at] != "简体中文" {
		t.Errorf("simplified Chinese is not among %v", own)
	}
}

// TestLanguageIsChosen starts the program again after a choice in the preferences.
func TestLanguageIsChosen(t *testing.T) {
	t.Cleanup(func() { i18ntest.English(t) })
	b := newBench(t, nil)
	names, own := shipped(translations.Files, func(string) bool { return true })
	choice := b.languageSelect(names, own, func(name string) {
		b.Change(func(p *Values) { p.Language = name })
	})
	for label, want := range map[string]string{"Deutsch": "Erzeugen", "English": "Generate", "The language of the system": ""} {
		choice.SetSelected(label)
		if got := i18n.T("Generate"); got != "Generate" {
			t.Errorf("the window changed to %q while it was open", got)
		}
		if again := b.languageSelect(names, own, nil); again.Selected != label {
			t.Errorf("%q is chosen, and %q is shown", label, again.Selected)
		}
		kept := Read(b.app.Preferences())
		if want == "" {
			if kept.Language != "" || kept.language() != lang.SystemLocale().LanguageString() {
				t.Errorf("the language of the system is kept as %q", kept.Language)
			}
			continue
		}
		if err := kept.Speak(); err != nil {
			t.Fatal(err)
		}
		if got := i18n.T("Generate"); got != want {
			t.Errorf("after the choice of %s the window says %q, want %q", label, got, want)
		}
		i18ntest.English(t)
	}
}
