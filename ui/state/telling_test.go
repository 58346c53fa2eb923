package state

import (
	"strings"
	"testing"

	"realword/inference"
	"realword/ui/uitest"
)

// TestTellApart: a row of the queue says what differs among the jobs, and nothing else.
func TestTellApart(t *testing.T) {
	task := func(change func(*inference.Request)) Task {
		r := inference.Request{
			Prompt: "a dog on the beach in the evening", Seeds: []uint64{7},
			Subjects: []inference.Subject{{Word: uitest.Word("dog"), References: []inference.Reference{{Name: "rex.png"}}}},
		}
		change(&r)
		return Task{Request: r}
	}
	same := task(func(*inference.Request) {})
	for name, c := range map[string]struct {
		list []Task
		want string // of each: its prompt | facts, with a mark where only its seeds tell it from others
	}{
		"one job":   {[]Task{same}, "a dog on the beach in the evening|"},
		"two alike": {[]Task{same, task(func(r *inference.Request) { r.Seeds[0] = 8 })}, "a dog on the beach in the evening|seeds, a dog on the beach in the evening|seeds"},
		"steps": {
			[]Task{same, task(func(r *inference.Request) { r.Steps = 12 }), task(func(r *inference.Request) { r.Prompt = "a cat" })},
			"a dog on the beach in the evening|25 steps, a dog on the beach in the evening|12 steps, a cat|25 steps",
		},
		"size and reference": {
			[]Task{same, task(func(r *inference.Request) { r.Width, r.Height, r.Subjects[0].References[0].Name = 192, 96, "fido.png" })},
			"a dog on the beach in the evening|1024×1024 · rex.png, a dog on the beach in the evening|192×96 · fido.png",
		},
		"area": {
			[]Task{same, task(func(r *inference.Request) { r.Subjects[0].Scope = 0.4 })},
			"a dog on the beach in the evening|γ 0.20, a dog on the beach in the evening|γ 0.40",
		},
		"T_stop": {
			[]Task{same, task(func(r *inference.Request) { r.Stop = 20 })},
			"a dog on the beach in the evening|, a dog on the beach in the evening|T_stop 20",
		},
		"a switch": {
			[]Task{same, task(func(r *inference.Request) { r.Swift = true })},
			"a dog on the beach in the evening|, a dog on the beach in the evening|Swift (approximate)",
		},
		"the end of a prompt": {
			[]Task{same, task(func(r *inference.Request) { r.Prompt = "a dog on the beach in the rain" }), task(func(r *inference.Request) { r.Prompt = "a dog" })},
			"… the evening|, … the rain|, a dog|",
		},
		"sides of grids": {
			[]Task{
				task(func(r *inference.Request) {
					r.Grid = &inference.Grid{Rows: inference.Axis{Key: "scope", Values: []string{"0.1", "0.2"}}, Columns: inference.Axis{Key: "stop", Values: []string{"6", "12"}}}
				}),
				task(func(r *inference.Request) {
					r.Grid = &inference.Grid{Rows: inference.Axis{Key: "scope", Values: []string{"0.1", "0.3"}}, Columns: inference.Axis{Key: "stop", Values: []string{"6", "12"}}}
				}),
			},
			"a dog on the beach in the evening|γ 0.1, 0.2 × T_stop 6, 12, a dog on the beach in the evening|γ 0.1, 0.3 × T_stop 6, 12",
		},
		"text alone": {
			[]Task{same, task(func(r *inference.Request) { r.Subjects = nil })},
			"a dog on the beach in the evening|rex.png · γ 0.20, a dog on the beach in the evening|text-only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, told := range TellApart(c.list, uitest.Roomy) {
				text := told.Prompt + "|" + told.Facts
				if told.Seeds {
					text += "seeds"
				}
				got = append(got, text)
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
