package i18n

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// catalogue maps English texts to what the window says in one language. Fyne's lang package would do, but where a system speaks a
// language that Fyne has and Realword has not, it complains on standard error at every text of every frame.
type catalogue struct {
	tag   language.Tag
	texts map[string]Forms
}

// Forms are the translations of one text by the CLDR category of the number that they count: "one", "few", "many" …; "other" is
// the only one where nothing is counted.
type Forms map[string]string

// UnmarshalJSON reads "text" or {"one": "text", "other": "texts"}.
func (f *Forms) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*f = Forms{"other": one}
		return nil
	}
	return json.Unmarshal(data, (*map[string]string)(f))
}

// MarshalJSON writes what UnmarshalJSON reads.
func (f Forms) MarshalJSON() ([]byte, error) {
	if len(f) == 1 {
		return json.Marshal(f["other"])
	}
	return json.Marshal(map[string]string(f))
}

var spoken atomic.Pointer[catalogue]

// Speak takes over the language of the given BCP 47 name: from the file with the most exact name, "pt-BR.json" before "pt.json"
// before none at all, which is English. Chinese goes by its script: "zh-Hans.json" for zh-CN, zh-SG and zh,
// never for zh-TW. It may be called from any goroutine, and is called before the window is made.
func Speak(files fs.FS, name string) error {
	tag := language.Make(name)
	if base, _ := tag.Base(); base.String() == "zh" { // its scripts are read by different people, and zh-CN does not name one
		script, _ := tag.Script()
		name = "zh-" + script.String()
	}
	for ; name != ""; name = name[:max(strings.LastIndexAny(name, "-_"), 0)] {
		data, err := fs.ReadFile(files, name+".json")
		if err != nil {
			continue
		}
		c := &catalogue{tag: tag}
		if err := json.Unmarshal(data, &c.texts); err != nil {
			spoken.Store(nil)
			return fmt.Errorf("the translation %s.json cannot be read: %w", name, err)
		}
		spoken.Store(c)
		return nil
	}
	spoken.Store(nil)
	return nil
}

// T is an English text, with the values of its verbs as for fmt.Sprintf, in the language of the window. The text must be
// written out in the call, since en.json is made from these calls: `make translations`. Do not call it before the window is
// made, that is not in a package-level variable.
func T(english string, values ...any) string {
	if t := lookUp(english)["other"]; t != "" {
		return fmt.Sprintf(t, values...)
	}
	return fmt.Sprintf(english, values...)
}

// Errorf is fmt.Errorf in the language of the window.
func Errorf(english string, values ...any) error {
	if t := lookUp(english)["other"]; t != "" {
		return fmt.Errorf(t, values...)
	}
	return fmt.Errorf(english, values...)
}

// N is T for n things: N(n, "%d picture", "%d pictures", n). Which form a number takes is what CLDR says of the language;
// a form may go without the values, as in N(n, "one more", "%d more", n).
func N(n int, one, other string, values ...any) string {
	f, tag := lookUp(other), language.English
	if f["other"] == "" {
		f = Forms{"one": one, "other": other}
	} else {
		tag = spoken.Load().tag
	}
	text := f[categories[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]]
	if text == "" {
		text = f["other"]
	}
	if !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, values...)
}

var categories = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

func lookUp(english string) Forms {
	if c := spoken.Load(); c != nil {
		return c.texts[english]
	}
	return nil
}
