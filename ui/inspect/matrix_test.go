package inspect

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/assets/translations"
	"realword/inference/plain"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
)

// The names of the rows end before the maps begin, in every language.
func TestLookNamesOfTheRowsBesideTheMaps(t *testing.T) {
	plain.Run(t)
	files, err := translations.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	defer i18ntest.English(t)
	test.NewTempApp(t)
	for _, file := range files {
		language := strings.TrimSuffix(file.Name(), ".json")
		if err := i18n.Speak(translations.Files, language); err != nil {
			t.Fatal(err)
		}
		m := newMapMatrix(nil, nil, func() {})
		m.show(matrixLook{steps: 2, kind: finalMask}, []int{1, 2}, "")
		m.Resize(fyne.NewSize(400, 200))
		test.WidgetRenderer(m).Layout(m.Size())
		for _, name := range m.names {
			if end := name.Position().X + name.MinSize().Width; end > m.image.Position().X-4 || name.Cut() {
				t.Errorf("%s: “%s” ends at %g, the maps begin at %g", language, name.Text, end, m.image.Position().X)
			}
		}
	}
}
