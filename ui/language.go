package ui

import (
	"io"
	"io/fs"
	"log"

	"github.com/go-text/typesetting/fontscan"
	typeset "github.com/go-text/typesetting/language"

	"realword/ui/i18n"
)

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

// systemHas tells whether Fyne can show all letters. The fonts are only looked through where Fyne's own may not do.
func systemHas(letters string) bool {
	var fonts *fontscan.FontMap
	for _, r := range letters {
		if r < '\u0530' { // Latin, Greek, Cyrillic
			continue
		}
		if fonts == nil {
			fonts = fontscan.NewFontMap(log.New(io.Discard, "", 0))
			if fonts.UseSystemFonts("") != nil { // the index that Fyne keeps too
				return false
			}
			fonts.SetQuery(fontscan.Query{Families: []string{fontscan.SansSerif}})
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
