package prompt

import (
	"regexp"
	"strings"
	"unicode"

	"realword/inference/message"
)

// notations are what other programs give a meaning to and CLIP reads sign by sign.
var notations = []struct {
	find *regexp.Regexp
	says string // with %q for the first that was found
}{
	{
		regexp.MustCompile(`<(?:lora|lyco|hypernet|lora-w|segment|random):[^<>]*>|\bembedding:\S+`),
		message.Text("nothing is loaded by a prompt: %q is read as words"),
	},
	{
		regexp.MustCompile(`\([^()]*:\s*[+-]?\d*\.?\d+\s*\)|\)[+-]?\d*\.\d+|\(\([^()]*\)\)+|\[[^\[\]]+\]`),
		message.Text("weights are not computed: %q is read sign by sign"),
	},
	{regexp.MustCompile(`\{[^{}]*\|[^{}]*\}|__[\pL\pN/_-]+__`), message.Text("no choice is made among alternatives: %q is read as it stands")},
	{regexp.MustCompile(`\b(?:BREAK|ADDCOMM|ADDBASE)\b`), message.Text("%q does not begin a new part: it is read as a word")},
	{regexp.MustCompile(`\bAND\b`), message.Text("%q does not join two prompts: it is read as a word")},
	{regexp.MustCompile(`\\[()\[\]{}]`), message.Text("no sign needs a backslash before it: %q is read as two")},
}

// Notations says what a prompt holds that other programs give a meaning to (weights, alternatives, BREAK, <lora:…>) and that the text
// encoder reads like any other text: half a sentence for every kind of it, with the first that was found.
func Notations(text string) []error {
	var list []error
	shouted := !strings.ContainsFunc(text, unicode.IsLower) // capitals mean nothing there
	for _, n := range notations {
		found := n.find.FindString(text)
		if found == "" || shouted && !strings.ContainsFunc(found, func(r rune) bool { return !unicode.IsLetter(r) }) {
			continue
		}
		const most = 60
		if letters := []rune(found); len(letters) > most {
			found = string(letters[:most]) + "…"
		}
		list = append(list, message.Make(n.says, found))
	}
	return list
}
