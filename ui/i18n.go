package ui

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"fyne.io/fyne/v2/lang"

	"realword/assets/translations"
)

// language maps English texts to what the window says. Fyne's lang package would do, but where a system speaks a language that
// Fyne has and Realword has not, it complains on standard error at every text of every frame.
type language map[string]text

// text is one translation; one is the form for a single thing and empty where nothing is counted.
type text struct{ one, other string }

// UnmarshalJSON reads "text" or {"one": "text", "other": "texts"}.
func (t *text) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &t.other) == nil {
		return nil
	}
	var forms struct{ One, Other string }
	err := json.Unmarshal(data, &forms)
	t.one, t.other = forms.One, forms.Other
	return err
}

// MarshalJSON writes what UnmarshalJSON reads.
func (t text) MarshalJSON() ([]byte, error) {
	if t.one == "" {
		return json.Marshal(t.other)
	}
	return json.Marshal(map[string]string{"one": t.one, "other": t.other})
}

// spoken is the language of the window. It is set before the window is made; errors that are worded elsewhere stay English.
var spoken atomic.Pointer[language]

// speak takes over the system's language, where there is a translation for it.
func speak() error {
	l, err := readLanguage(translations.Files, lang.SystemLocale().LanguageString())
	spoken.Store(&l)
	return err
}

// readLanguage reads the file of the most exact name, "pt-BR.json" before "pt.json" before none at all: English.
func readLanguage(files fs.FS, name string) (language, error) {
	for name != "" {
		data, err := fs.ReadFile(files, name+".json")
		if err == nil {
			l := language{}
			if err := json.Unmarshal(data, &l); err != nil {
				return nil, fmt.Errorf("the translation %s.json cannot be read: %w", name, err)
			}
			return l, nil
		}
		name = name[:max(strings.LastIndexAny(name, "-_"), 0)]
	}
	return nil, nil
}

// say is an English text, with the values of its verbs as for fmt.Sprintf, in the language of the window. The text must be
// written out in the call, since en.json is made from these calls: `make translations`. Do not call it before the window is
// made, that is not in a package-level variable.
func say(english string, values ...any) string {
	if t := lookUp(english).other; t != "" {
		return fmt.Sprintf(t, values...)
	}
	return fmt.Sprintf(english, values...)
}

// sayErr is fmt.Errorf in the language of the window.
func sayErr(english string, values ...any) error {
	if t := lookUp(english).other; t != "" {
		return fmt.Errorf(t, values...)
	}
	return fmt.Errorf(english, values...)
}

// count is say for n things: count(n, "%d picture", "%d pictures", n).
func count(n int, one, many string, values ...any) string {
	t := lookUp(many)
	if t.other == "" {
		t = text{one, many}
	}
	if n == 1 && t.one != "" {
		return fmt.Sprintf(t.one, values...)
	}
	return fmt.Sprintf(t.other, values...)
}

func lookUp(english string) text {
	if l := spoken.Load(); l != nil {
		return (*l)[english]
	}
	return text{}
}
