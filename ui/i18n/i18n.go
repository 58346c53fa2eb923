package i18n

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// catalogue maps English texts to what the window says in one language. Fyne's lang package would do, but where a system speaks a
// language that Fyne has and Realword has not, it complains on standard error at every text of every frame.
type catalogue struct {
	tag   language.Tag
	texts map[string]Forms
	point string // before the decimals of a number
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
	file, data := find(files, name)
	if file == "" {
		spoken.Store(nil)
		return nil
	}
	c := &catalogue{tag: tag, point: strings.Trim(message.NewPrinter(tag).Sprintf("%.1f", 0.5), "05")}
	if err := json.Unmarshal(data, &c.texts); err != nil {
		spoken.Store(nil)
		return fmt.Errorf("the translation %s.json cannot be read: %w", file, err)
	}
	spoken.Store(c)
	return nil
}

// File is the name, without .json, of the file that Speak takes for a language; "" where there is none.
func File(files fs.FS, name string) string {
	file, _ := find(files, name)
	return file
}

func find(files fs.FS, name string) (file string, data []byte) {
	tag := language.Make(name)
	if base, _ := tag.Base(); base.String() == "zh" { // its scripts are read by different people, and zh-CN does not name one
		script, _ := tag.Script()
		name = "zh-" + script.String()
	}
	for ; name != ""; name = name[:max(strings.LastIndexAny(name, "-_"), 0)] {
		if data, err := fs.ReadFile(files, name+".json"); err == nil {
			return name, data
		}
	}
	return "", nil
}

// T is an English text, with the values of its verbs as for fmt.Sprintf, in the language of the window, which writes decimals in its
// own way. The text must be
// written out in the call, since en.json is made from these calls: `make translations`. Do not call it before the window is
// made, that is not in a package-level variable.
func T(english string, values ...any) string {
	if t := lookUp(english)["other"]; t != "" {
		return fmt.Sprintf(t, local(values)...)
	}
	return fmt.Sprintf(english, values...)
}

// Known is T for a text that stands in a call of package message. It is English where the language has none.
func Known(english string, values ...any) string {
	text := lookUp(english)["other"]
	if text == "" {
		return fmt.Errorf(english, values...).Error() // which knows %w
	}
	return fmt.Errorf(text, local(values)...).Error()
}

// Number writes a number, which no text stands around, as the language of the window does: Number("%.2f", 0.5).
func Number(format string, value float64) string {
	return fmt.Sprintf(format, local([]any{value})...)
}

// Errorf is fmt.Errorf in the language of the window.
func Errorf(english string, values ...any) error {
	if t := lookUp(english)["other"]; t != "" {
		return fmt.Errorf(t, local(values)...)
	}
	return fmt.Errorf(english, values...)
}

// N is T for n things: N(n, "%d picture", "%d pictures", n). Which form a number takes is what CLDR says of the language;
// a form may go without the values, as in N(n, "one more", "%d more", n). Numbers of five digits and more are grouped.
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
	values = local(values)
	for i, v := range values {
		if v, isCount := v.(int); isCount && v >= 10_000 {
			values[i] = grouped{v, tag}
		}
	}
	return fmt.Sprintf(text, values...)
}

// local are the values of a text, with numbers that the language of the window writes in its own way.
func local(values []any) []any {
	c := spoken.Load()
	if c == nil {
		return values
	}
	values = slices.Clone(values)
	for i, v := range values {
		switch v := v.(type) {
		case float64:
			values[i] = decimal{v, c.point}
		case float32:
			values[i] = decimal{float64(v), c.point}
		}
	}
	return values
}

// decimal is a number with a decimal point of its own.
type decimal struct {
	value float64
	point string
}

// Format writes it for fmt.
func (d decimal) Format(to fmt.State, verb rune) {
	_, _ = io.WriteString(to, strings.Replace(fmt.Sprintf(fmt.FormatString(to, verb), d.value), ".", d.point, 1))
}

// grouped is a large number in groups of digits.
type grouped struct {
	value int
	tag   language.Tag
}

// Format writes it for fmt.
func (g grouped) Format(to fmt.State, _ rune) {
	_, _ = message.NewPrinter(g.tag).Fprint(to, number.Decimal(g.value))
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
