// Package locale keeps Fyne from complaining about locales that it does not understand: C.UTF-8, which containers and servers have
// and which names no language, those with a modifier (ca_ES@valencia), and old aliases (german).
//
// Contract: it acts when it is initialised, before package fyne.io/fyne/v2/lang, which reads the locale when it is initialised
// itself. Go initialises packages in the order of their import paths as soon as their imports are ready; this one imports
// only os, regexp and strings, and so is ready before Fyne's. A test of package main checks that.
package locale

import (
	"os"
	"regexp"
	"strings"
)

// tag is a language, and a region where one is named.
var tag = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2}|_[0-9]{3})?$`)

func init() {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		language, _, _ := strings.Cut(value, "@")
		language, _, _ = strings.Cut(language, ".")
		understood := value == "C" || value == "POSIX" || tag.MatchString(language) && !strings.Contains(value, "@")
		// LANGUAGE chooses translations and nothing else: the encoding of file names and input stays what it is.
		if !understood && os.Getenv("LANGUAGE") == "" {
			if !tag.MatchString(language) {
				language = "en"
			}
			os.Setenv("LANGUAGE", language)
		}
		return
	}
}
