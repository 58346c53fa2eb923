package prompt

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"realword/inference/message"
)

// notation is what other programs give a meaning to and is read sign by sign here.
type notation struct {
	find *regexp.Regexp
	says string // with %q for the first that was found
}

// foreign are those that nobody here gives a meaning to.
var foreign = []notation{
	{
		regexp.MustCompile(`<[\pL_-]+(?:\[[^<>\]]*\])?:[^<>]*>|<(?i:lora|lyco|hypernet):[^<>]*|\bembedding:\S+`),
		message.Text("nothing is loaded by a prompt: %q is read as words"),
	},
	{
		regexp.MustCompile(`[（(][^（）()]*[:：][^（）()]*）|（[^（）()]*[:：][^（）()]*\)|[｛{][^｛｝{}]*[｜|][^｛｝{}]*｝|｛[^｛｝{}]*[｜|][^｛｝{}]*\}|\{[^{}|]*｜[^{}|]*\}`),
		message.Text("full-width characters have no meaning here: %q is read literally; write (word:1.3) and {red|blue} with ordinary ones"),
	},
	{regexp.MustCompile(`__[\pL\pN/_-]+__`), message.Text("no list of words is looked up: %q is read as it stands")},
	{
		regexp.MustCompile(`\{[^{}]*(?:::|\$\$)[^{}]*\|[^{}]*\}|\{[^{}|]*\|[^{}]*(?:::|\$\$)[^{}]*\}`),
		message.Text("of alternatives one is taken, each as often as the others: the signs before them in %q are read as words"),
	},
	{regexp.MustCompile(`\b(?:ADDCOMM|ADDBASE)\b`), message.Text("%q does not begin a new part: it is read as a word")},
	{regexp.MustCompile(`\bAND\b`), message.Text("%q does not join two prompts: it is read as a word")},
	{
		regexp.MustCompile(`\)[+-]?\d*\.\d+|\)\++`),
		message.Text("a weight stands within the brackets, as in (word:1.2): %q behind them is read as signs"),
	},
	{regexp.MustCompile(`\[[^\[\]]*[:|][^\[\]]*\]`), message.Text("words cannot change while a picture is being made: %q is read as words with less weight")},
}

// breaks is BREAK where it is a word.
var breaks = notation{regexp.MustCompile(`\bBREAK\b`), message.Text("%q does not begin a new part: it is read as a word")}

// literal are the marks of Reading, where it is literal.
var literal = []notation{
	{
		regexp.MustCompile(`<(?:lora|lyco|hypernet|lora-w|segment|random):[^<>]*>|\bembedding:\S+`),
		message.Text("nothing is loaded by a prompt: %q is read as words"),
	},
	{
		regexp.MustCompile(`\([^()]*:\s*[+-]?\d*\.?\d+\s*\)|\)[+-]?\d*\.\d+|\(\([^()]*\)\)+|\[[^\[\]]+\]`),
		message.Text("weights are not computed: %q is read literally"),
	},
	{regexp.MustCompile(`\{[^{}]*\|[^{}]*\}|__[\pL\pN/_-]+__`), message.Text("no choice is made among alternatives: %q is read as it stands")},
	{regexp.MustCompile(`\b(?:BREAK|ADDCOMM|ADDBASE)\b`), message.Text("%q does not begin a new part: it is read as a word")},
	{regexp.MustCompile(`\bAND\b`), message.Text("%q does not join two prompts: it is read as a word")},
	{regexp.MustCompile(`\\[()\[\]{}]`), message.Text("no sign needs a backslash before it: %q is read as two")},
}

// Notations says what a prompt holds that other programs give a meaning to and that is read like any other text here, and which marks
// may not mean what they look like: half a sentence for every kind of it, with the first that was found. Nets are not told: who loads
// them says what became of them.
func (how Reading) Notations(text string) []error {
	var list []error
	say := func(says, found string) {
		const most = 60
		if letters := []rune(found); len(letters) > most {
			found = string(letters[:most]) + "…"
		}
		list = append(list, message.Make(says, found))
	}
	capitals := shouted(text)
	unread := text // without the Nets
	if !how.Literal {
		for _, n := range slices.Backward(Nets(text)) {
			unread = unread[:n.Start] + unread[n.End:]
		}
	}
	check := func(all []notation) {
		for _, n := range all {
			found := n.find.FindString(unread)
			if found != "" && !(capitals && !strings.ContainsFunc(found, func(r rune) bool { return !unicode.IsLetter(r) })) {
				say(n.says, found)
			}
		}
	}
	if how.Literal {
		check(literal)
		return list
	}
	check(foreign)
	if !how.Chunks {
		check([]notation{breaks})
	}
	if found := loneBrace(text); found != "" {
		say(message.Text("alternatives are written {red|blue}: %q is read literally; write \\{ for the character"), found)
	}
	p := how.parts(text)
	if p.number != "" {
		say(message.Text("no weight is read in %q, so all of it counts 1.1 times: write one as in (word:1.3), with a point"), p.number)
	}
	if p.closes != "" {
		say(message.Text("no bracket was opened for the last sign of %q, so it changes no weight: open one, or write \\) for the sign"), p.closes)
	}
	if p.open != "" {
		say(message.Text("a bracket is not closed, so it changes the weight of everything after it: %q; write \\( for the character"), p.open)
	}
	if p.capped != "" {
		say(message.Text("weights go from -10 to 10: that of %q is beyond"), p.capped)
	}
	return list
}
