package preferences

import (
	"cmp"
	"io"
	"io/fs"
	"log"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2/lang"
	"github.com/go-text/typesetting/fontscan"
	typeset "github.com/go-text/typesetting/language"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"realword/assets/translations"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// Speak has the program speak the language that the user wants.
func (p Values) Speak() error { return speak(translations.Files, p.language(), systemHas) }

// speak takes over the language of the given name, or English where no font of the system has its letters: Fyne brings Latin, Greek
// and Cyrillic ones and finds all others in the fonts of the system.
func speak(files fs.FS, name string, has func(letters string) bool) error {
	if err := i18n.Speak(files, name); err != nil {
		return err
	}
	if !has(i18n.T("Generate") + i18n.T("Settings")) {
		return i18n.Speak(files, "")
	}
	return nil
}

// language is the BCP 47 name of the one that the user wants.
func (p Values) language() string {
	return cmp.Or(p.Language, lang.SystemLocale().LanguageString())
}

// shipped are the languages of the window by the names of their files, and what their speakers call them, in the order of those
// names. One that no font can show is left out.
func shipped(files fs.FS, has func(letters string) bool) (names, own []string) {
	found, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, nil
	}
	called := map[string]string{}
	for _, file := range found {
		name := strings.TrimSuffix(file, ".json")
		self := display.Self.Name(language.Make(name))
		first, size := utf8.DecodeRuneInString(self)
		if self = string(unicode.ToUpper(first)) + self[size:]; has(self) {
			names, called[name] = append(names, name), self
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(called[a], called[b]) })
	for _, name := range names {
		own = append(own, called[name])
	}
	return names, own
}

// unshown is the language that is wanted and translated, as English calls it, where no font shows its letters; else "".
func unshown(files fs.FS, name string, has func(letters string) bool) string {
	file := i18n.File(files, name)
	if names, _ := shipped(files, has); file == "" || slices.Contains(names, file) {
		return ""
	}
	return display.English.Tags().Name(language.Make(file))
}

// languageSelect chooses among the languages; known are their names, own what they are called.
func (d *Desk) languageSelect(known, own []string, chosen func(name string)) *kit.Selector {
	choice := kit.NewSelect(append([]string{i18n.T("The language of the system")}, own...), nil).Explain(i18n.T("The language of the window."))
	choice.Selected = choice.Options[1+slices.Index(known, d.Language)]
	choice.OnChanged = func(label string) {
		if at := slices.Index(own, label); at >= 0 {
			chosen(known[at])
		} else {
			chosen("")
		}
	}
	return choice
}

// systemFonts are the fonts of the system, looked through once; nil where they cannot be.
var systemFonts = sync.OnceValue(func() *fontscan.FontMap {
	fonts := fontscan.NewFontMap(log.New(io.Discard, "", 0))
	if fonts.UseSystemFonts("") != nil { // the index that Fyne keeps too
		return nil
	}
	fonts.SetQuery(fontscan.Query{Families: []string{fontscan.SansSerif}})
	return fonts
})

// systemHas tells whether Fyne can show all letters. The fonts are only looked through where Fyne's own may not do. It belongs to
// Fyne's goroutine.
func systemHas(letters string) bool {
	for _, r := range letters {
		if r < '\u0530' { // Latin, Greek, Cyrillic
			continue
		}
		fonts := systemFonts()
		if fonts == nil {
			return false
		}
		fonts.SetScript(typeset.LookupScript(r))
		face := fonts.ResolveFace(r)
		if face == nil {
			return false
		}
		if _, has := face.NominalGlyph(r); !has {
			return false
		}
	}
	return true
}
