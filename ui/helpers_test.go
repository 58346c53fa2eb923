package ui

import (
	"fmt"
	"strings"

	"realword/ui/state"
)

// bondsIn prints which card has which word.
func bondsIn(s state.State) string {
	var list []string
	for _, c := range s.Form.Cards {
		list = append(list, fmt.Sprintf("%s=%s#%d", c.Ref.Name, c.Word.Text, c.Word.Occurrence))
	}
	return strings.Join(list, " ")
}

// layoutIn prints the subjects from top to bottom: pictures, word, and (off) or the reach when they are not the usual.
func layoutIn(f state.Form) string {
	var list []string
	for _, g := range f.Groups() {
		var names []string
		for _, c := range f.Pictures(g) {
			names = append(names, c.Ref.Name)
		}
		c := f.Cards[g.Cards[0]]
		text := strings.Join(names, "+") + "=" + c.Word.Text
		if c.Off {
			text += "(off)"
		}
		if c.Scope > 0 {
			text += fmt.Sprint("@", c.Scope)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// describeIn is a queue as text: the running round in brackets, the waiting ones, "!" for those that cannot run, and "paused".
func describeIn(q state.Queue) string {
	out := []string{}
	if f := q.Followed(); f.Task.ID != 0 {
		out = append(out, fmt.Sprintf("[%d]", f.Task.ID))
	}
	for _, t := range q.Waiting {
		mark := ""
		if !t.Able() {
			mark = "!"
		}
		out = append(out, fmt.Sprint(t.ID, mark))
	}
	if q.Paused {
		out = append(out, "paused")
	}
	return strings.Join(out, " ")
}
