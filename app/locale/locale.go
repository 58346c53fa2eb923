// Package locale keeps Fyne from complaining about the locale C.UTF-8, which containers and servers have and which names no
// language.
//
// Contract: it acts when it is initialised, before package fyne.io/fyne/v2/lang, which reads the locale when it is initialised
// itself. Go initialises packages in the order of their import paths as soon as their imports are ready; this one imports
// only os and strings, and so is ready before Fyne's. A test of package main watches over it.
package locale

import (
	"os"
	"strings"
)

func init() {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		// LANGUAGE chooses translations and nothing else: the encoding of file names and input stays what it is.
		if strings.HasPrefix(value, "C.") && os.Getenv("LANGUAGE") == "" {
			os.Setenv("LANGUAGE", "en")
		}
		return
	}
}
