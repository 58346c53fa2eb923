package ui

import (
	"testing"
	"testing/fstest"

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
