package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"realword/inference"
)

// seed is a seed as people give one: a whole number, or -1 to have one drawn.
type seed struct {
	value uint64
	drawn bool
}

// drawSeed draws one that is small enough to be typed.
func drawSeed() uint64 { return uint64(rand.Uint32()) }

var errSeed = errors.New("a seed is a whole number from 0 to 18446744073709551615, or -1 for a random one")

// Set implements pflag.Value.
func (s *seed) Set(text string) (err error) {
	text = strings.TrimSpace(text)
	if text == "-1" {
		*s = seed{drawSeed(), true}
		return nil
	}
	if s.value, err = strconv.ParseUint(text, 10, 64); err != nil {
		return errSeed
	}
	return nil
}

// String implements pflag.Value.
func (s *seed) String() string { return strconv.FormatUint(s.value, 10) }

// Type implements pflag.Value.
func (s *seed) Type() string { return "uint" }

// UnmarshalJSON implements json.Unmarshaler.
func (s *seed) UnmarshalJSON(data []byte) error { return s.Set(string(data)) }

// whole is an option that takes a whole number, in digits alone: 010 is ten.
type whole struct{ to *int }

// Set implements pflag.Value.
func (w whole) Set(text string) (err error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err == nil {
		*w.to = n
	}
	return err
}

// String implements pflag.Value.
func (w whole) String() string {
	if w.to == nil {
		return "0"
	}
	return strconv.Itoa(*w.to)
}

// Type implements pflag.Value.
func (w whole) Type() string { return "int" }

// decimal is an option that takes a number, as inference.ParseDecimal reads one.
type decimal struct{ to *float64 }

// Set implements pflag.Value.
func (d decimal) Set(text string) error {
	v, err := inference.ParseDecimal(text)
	if err != nil {
		return errors.New("give a number such as 0.5")
	}
	*d.to = v
	return nil
}

// String implements pflag.Value.
func (d decimal) String() string {
	if d.to == nil {
		return "0"
	}
	return strconv.FormatFloat(*d.to, 'g', -1, 64)
}

// Type implements pflag.Value.
func (d decimal) Type() string { return "float" }

// wholeFlag adds an option of a whole number.
func wholeFlag(f *pflag.FlagSet, to *int, name string, value int, usage string) {
	*to = value
	f.Var(whole{to}, name, usage)
}

// decimalFlag adds an option of a number.
func decimalFlag(f *pflag.FlagSet, to *float64, name string, value float64, usage string) {
	*to = value
	f.Var(decimal{to}, name, usage)
}

// settingFlags adds an option for every setting that has one, or for the named ones alone.
func settingFlags(c *cobra.Command, s *inference.Settings, only ...string) {
	for _, t := range inference.Table() {
		if t.Flag != "" && (len(only) == 0 || slices.Contains(only, t.Flag)) {
			f := c.Flags().VarPF(settingFlag{t, s}, t.Flag, "", t.Help)
			if _, is := t.At(s).(*bool); is {
				f.NoOptDefVal = "true"
			}
		}
	}
}

// errBlank is the error of an option of a number without one.
var errBlank = errors.New("it is empty: give it a value, or leave it out")

// settingFlag is the option of a setting.
type settingFlag struct {
	inference.Setting
	of *inference.Settings
}

// String implements pflag.Value.
func (f settingFlag) String() string { return f.Get(*f.of) }

// Set implements pflag.Value. It refuses a zero that was typed where a zero stands for the preset's own value.
func (f settingFlag) Set(text string) error {
	if _, words := f.At(f.of).(*string); !words && strings.TrimSpace(text) == "" {
		return errBlank
	}
	err := f.Setting.Set(f.of, text)
	if err == nil && f.String() == "" && f.Zero != "" {
		return errors.New(f.Zero)
	}
	return err
}

// Type implements pflag.Value.
func (f settingFlag) Type() string {
	switch f.At(f.of).(type) {
	case *int:
		return "int"
	case *float64:
		return "float"
	case *bool:
		return "bool"
	}
	return "string"
}

// jsonError says in words what is wrong with a line of JSON.
func jsonError(line []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &syntax) && syntax.Offset >= int64(len(line)) && !bytes.HasSuffix(bytes.TrimSpace(line), []byte("}")):
		return usagef("it ends before its object does: write the whole object, with its closing brace, on one line")
	case errors.As(err, &syntax):
		before := line[:min(max(int(syntax.Offset)-1, 0), len(line))]
		found, _ := utf8.DecodeRune(line[len(before):])
		return usagef("this is not a JSON object: character %d, %s, cannot stand there%s", utf8.RuneCount(before)+1, strconv.QuoteRune(found), jsonHint(before, found))
	case errors.As(err, &kind):
		if kind.Field == "" {
			return usagef("a line is one JSON object in braces, not this %s", kind.Value)
		}
		takes := "something else"
		switch kind.Type.Kind() {
		case reflect.Int, reflect.Uint64:
			takes = "a whole number"
		case reflect.Float64:
			takes = "a number"
		case reflect.String:
			takes = "a text"
		case reflect.Bool:
			takes = "true or false"
		case reflect.Slice:
			takes = "a list"
		}
		return usagef("%q takes %s, not this %s", strings.TrimPrefix(strings.TrimPrefix(kind.Field, "Request."), "Settings."), takes, kind.Value)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return usagef("nothing is called %s%s", name, likeKey(strings.Trim(name, `"`)))
	}
	return usagef("%w", err)
}

// jsonHint guesses what was meant where a sign cannot stand.
func jsonHint(before []byte, found rune) string {
	text := strings.TrimRightFunc(string(before), unicode.IsSpace)
	comma := strings.HasSuffix(text, ",")
	switch {
	case comma && len(text) > 1 && isDigit(text[len(text)-2]) && unicode.IsDigit(found):
		return ": use a decimal point, not a comma"
	case comma && (found == '}' || found == ']'):
		return ": there is a comma too many before it"
	case found == '\'', found == '“', found == '”', found == '„', found == '«', unicode.IsLetter(found):
		return `: names and texts stand in straight double quotes ("…")`
	case found == '"':
		return ": there may be a comma missing before it"
	}
	return ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// seeds are count seeds that follow the first one, which is drawn where none was given.
func seeds(first seed, given bool, count int) ([]uint64, error) {
	const most = 1000
	if count < 1 || count > most {
		return nil, usagef("--count %d: between 1 and %d pictures", count, most)
	}
	if !given {
		first = seed{drawSeed(), true}
	}
	list := make([]uint64, count)
	for i := range list {
		list[i] = first.value + uint64(i)
	}
	if list[count-1] < first.value {
		return nil, usagef("--seed %d --count %d: the largest seed is %d, give a smaller one", first.value, count, ^uint64(0))
	}
	return list, nil
}
