package picture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"realword/inference/message"
)

// KeyValue is one setting of the `parameters` text.
type KeyValue struct{ Key, Value string }

// parameterOrder is the order in which A1111 1.9 writes its settings; add-on keys follow, then the two of parameterEnd.
var parameterOrder = []string{
	"Steps", "Sampler", "Schedule type", "CFG scale", "Image CFG scale", "Seed", "Face restoration", "Size", "Model hash", "Model",
	"FP8 weight", "Cache FP16 weight for LoRA", "VAE hash", "VAE", "Variation seed", "Variation seed strength", "Seed resize from",
	"Denoising strength", "Conditional mask weight", "Clip skip", "ENSD", "Token merging ratio", "Token merging ratio hr",
	"Init image hash", "RNG", "Tiling",
}

var parameterEnd = []string{"Version", "User"}

// parameterKey is what readers of the text accept as a key, in ASCII. They lose keys of one letter.
var parameterKey = regexp.MustCompile(`^\w[\w \-/]+$`)

// parameterItem finds the settings in the last line, as A1111's reader does.
var parameterItem = regexp.MustCompile(`\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`)

// decimalComma finds what a program that writes numbers in the user's own language makes of a weight, between commas that part settings.
var decimalComma = regexp.MustCompile(`(CFG scale:\s*\d+),(\d+\b)`)

const (
	negativeMark  = "Negative prompt:"
	fewParameters = 3 // with fewer settings the last line is taken for a part of the prompt
)

// Parameters writes the text that A1111 and its many readers put into the PNG chunk of the same name: the prompt, the negative
// prompt on a line of its own if there is one, and the settings on the last. Known keys come in A1111's order, then the others in
// theirs, then Version and User. New lines in the prompts become spaces, since readers would take what follows for something else.
// Settings without a value are left out; readers stumble over them. It is an error if a key could not be read back.
func Parameters(prompt, negative string, settings []KeyValue) (string, error) {
	var lines, items []string
	if p := oneLine(prompt); p != "" {
		lines = append(lines, p)
	}
	if n := oneLine(negative); n != "" {
		lines = append(lines, negativeMark+" "+n)
	}
	rank := func(key string) int {
		if i := slices.Index(parameterOrder, key); i >= 0 {
			return i
		}
		if i := slices.Index(parameterEnd, key); i >= 0 {
			return len(parameterOrder) + 1 + i
		}
		return len(parameterOrder)
	}
	sorted := slices.Clone(settings)
	slices.SortStableFunc(sorted, func(a, b KeyValue) int { return rank(a.Key) - rank(b.Key) })
	for _, s := range sorted {
		if !parameterKey.MatchString(s.Key) {
			return "", fmt.Errorf("the setting %q cannot be written into a picture; name it with two or more of a-z, 0-9, space, - and /", s.Key)
		}
		switch s.Value = strings.ReplaceAll(s.Value, "\x00", ""); s.Value {
		case "":
		case s.Key:
			items = append(items, s.Key)
		default:
			items = append(items, s.Key+": "+quoteParameter(s.Value))
		}
	}
	if len(items) > 0 {
		lines = append(lines, strings.Join(items, ", "))
	}
	return strings.Join(lines, "\n"), nil
}

func oneLine(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\x00", "").Replace(s))
}

// quoteParameter writes a value as JSON where A1111 does (comma, colon, new line) and where its reader would otherwise change it
// (quotes or space at an end).
func quoteParameter(v string) string {
	if !strings.ContainsAny(v, ",:\n") && strings.TrimSpace(v) == v && v[0] != '"' {
		return v
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// settingsBegin is how every line of settings of A1111 begins.
const settingsBegin = "Steps: "

// settingsLine is the line that holds the settings, -1 without one: the last that begins as A1111's do, wherever it stands (some
// programs write more lines behind it), or else the last of all.
func settingsLine(lines []string) (at int, items [][]string) {
	for i, line := range slices.Backward(lines) {
		if i < len(lines)-1 && !strings.HasPrefix(strings.TrimSpace(line), settingsBegin) {
			continue
		}
		rest, lists := cutJSON(line)
		items := parameterItem.FindAllStringSubmatch(decimalComma.ReplaceAllString(rest, "$1.$2"), -1)
		if items = append(items, lists...); len(items) >= fewParameters {
			return i, items
		}
	}
	return -1, nil
}

// plainJSON begins a setting of Civitai's, whose values are JSON without quotes around it.
var plainJSON = regexp.MustCompile(`(?:, |^)\s*(Civitai \w+):\s*([\[{])`)

// cutJSON takes the settings out of a line whose values are JSON, in the form of parameterItem.
func cutJSON(line string) (rest string, items [][]string) {
	const most = 4
	from := 0
	for range most {
		at := plainJSON.FindStringSubmatchIndex(line[from:])
		if at == nil {
			break
		}
		var value json.RawMessage
		begin := from + at[4]
		d := json.NewDecoder(strings.NewReader(line[begin:]))
		if d.Decode(&value) != nil {
			from = begin
			continue
		}
		items = append(items, []string{"", line[from+at[2] : from+at[3]], string(value)})
		line = line[:from+at[0]] + line[begin+int(d.InputOffset()):]
		from += at[0]
	}
	return line, items
}

// behindSettings says what stands behind the settings, which is not read.
func behindSettings(text string) (notes []error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	at, _ := settingsLine(lines)
	if at < 0 {
		return nil
	}
	const most = 100
	if rest := []rune(oneLine(strings.Join(lines[at+1:], "\n"))); len(rest) > most {
		notes = append(notes, message.Note("after its settings comes %q and more, which is ignored", string(rest[:most])))
	} else if len(rest) > 0 {
		notes = append(notes, message.Note("after its settings comes %q, which is ignored", string(rest)))
	}
	return notes
}

// ParseParameters reads the text that Parameters, A1111 and others write. Text of any kind is accepted: what cannot be told apart
// is the prompt. Lines behind the settings are left out.
func ParseParameters(text string) (prompt, negative string, settings []KeyValue) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if at, items := settingsLine(lines); at >= 0 {
		lines = lines[:at]
		for _, m := range items {
			v := strings.TrimSpace(m[2])
			var quoted string
			if strings.HasPrefix(v, `"`) && json.Unmarshal([]byte(v), &quoted) == nil {
				v = quoted
			}
			if v != "" {
				settings = append(settings, KeyValue{m[1], v})
			}
		}
	}
	to := &prompt
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, negativeMark); ok {
			to, line = &negative, strings.TrimSpace(rest)
		}
		if *to != "" {
			*to += "\n"
		}
		*to += line
	}
	return prompt, negative, settings
}
