// Package translations holds the texts of the window, one JSON file per language.
//
// Contract: a file maps each English text, as the window gives it to package i18n, to the text that is shown. Verbs of package fmt
// may change places ("%[2]d of %[1]d"). A text that counts has an object in place of a string, with a text for each CLDR category
// that the language has ("one", "few", "many", "other"). en.json lists every text there is; `make translations` writes it from the
// source. What a language lacks appears in English.
package translations

import "embed"

// Files holds the languages as LANGUAGE.json, with BCP 47 names.
//
//go:embed *.json
var Files embed.FS
