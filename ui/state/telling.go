package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// Telling is what tells a job from the others that wait.
type Telling struct {
	Prompt string // from where it differs on, if it begins as another one does
	Facts  string // in a few words, what differs anywhere among the jobs; "" where nothing does
	Seeds  bool   // only the seeds tell it from another one
}

// TellApart is what tells jobs apart that wait for a model.
func TellApart(list []Task, m *bundle.Manifest) []Telling {
	told, requests, prompts := make([]Telling, len(list)), make([]inference.Request, len(list)), make([]string, len(list))
	for i, t := range list {
		requests[i], prompts[i] = t.Request, t.Request.Prompt
		if m == nil || t.Needs != "" {
			continue
		}
		r := &requests[i]
		if !t.Checked {
			*r = inference.Defaults(*m, t.Request)
		}
		usual := r.Settings
		if usual.Stop = 0; usual.Complete(*m).Stop == r.Stop {
			r.Stop = 0 // it follows from the steps
		}
	}
	for i, p := range unlikeBeginnings(prompts) {
		told[i].Prompt = p
	}
	facts := make([][]string, len(list))
	for _, column := range columns() {
		values := make([]string, len(list))
		for i, r := range requests {
			values[i] = column(r)
		}
		if !slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) {
			continue
		}
		for i, v := range values {
			if v != "" {
				facts[i] = append(facts[i], v)
			}
		}
	}
	twins := map[string]int{}
	key := func(i int) string { return prompts[i] + "\n" + told[i].Facts }
	for i := range list {
		told[i].Facts = strings.Join(facts[i], " · ")
		twins[key(i)]++
	}
	for i := range list {
		told[i].Seeds = twins[key(i)] > 1
	}
	return told
}

// columns are what jobs can differ in, each in a few words, from what is felt most to what is felt least.
func columns() []func(inference.Request) string {
	list := []func(inference.Request) string{
		func(r inference.Request) string {
			if r.Width == 0 {
				return ""
			}
			return fmt.Sprintf("%d×%d", r.Width, r.Height)
		},
		func(r inference.Request) string { return PresetName(r.Preset) },
		func(r inference.Request) string { return i18n.N(r.Steps, "%d step", "%d steps", r.Steps) },
		references,
		ofSubjects(func(s inference.Subject) string {
			if s.Region.Kind == guidance.Exactly { // whose area is what was painted
				return ""
			}
			return "γ " + i18n.Number("%.2f", s.Scope)
		}),
		func(r inference.Request) string {
			if len(r.Subjects) == 0 || r.Stop == 0 {
				return ""
			}
			return fmt.Sprint("T_stop ", r.Stop)
		},
		ofSubjects(func(s inference.Subject) string {
			if s.Region.IsZero() {
				return ""
			}
			return i18n.T("painted mask: %s", wording.MeaningOf(s.Region.Kind).Part)
		}),
		beginning,
		sides,
	}
	for _, k := range Knobs() {
		if !k.Apart {
			list = append(list, func(r inference.Request) string {
				if k.Approximates && r.Swift { // which says it
					return ""
				}
				return k.short(r.Settings)
			})
		}
	}
	return list
}

// sides are what a grid is of.
func sides(r inference.Request) string {
	if r.Grid == nil {
		return ""
	}
	var parts []string
	for _, a := range []inference.Axis{r.Grid.Rows, r.Grid.Columns} {
		var values []string
		for i := range a.Len() {
			values = append(values, a.Text(i))
		}
		if a.Key != "" && len(values) > 0 {
			values[0] = SideLabel(a, 0)
			parts = append(parts, Shorten(strings.Join(values, ", "), 30))
		}
	}
	return strings.Join(parts, " × ")
}

func references(r inference.Request) string {
	if len(r.Subjects) == 0 {
		return i18n.T("text-only")
	}
	return ofSubjects(func(s inference.Subject) string {
		var names []string
		for _, ref := range s.References {
			names = append(names, Shorten(ref.Name, 18))
		}
		return strings.Join(names, ", ")
	})(r)
}

// ofSubjects says something of every subject, with its word where there are several; of none, that there is none.
func ofSubjects(say func(inference.Subject) string) func(inference.Request) string {
	return func(r inference.Request) string {
		var parts []string
		for _, s := range r.Subjects {
			if text := say(s); text != "" && len(r.Subjects) > 1 {
				parts = append(parts, WordName(s.Word)+" "+text)
			} else if text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, ", ")
	}
}

// short is a setting with its name in a few words; of what is off, nothing.
func (k Knob) short(s inference.Settings) string {
	switch text := k.Text(s); text {
	case "", i18n.T("no"):
		return ""
	case i18n.T("yes"):
		return k.Label
	default:
		return k.Label + " " + Shorten(text, 24)
	}
}

// longBeginning is how many letters of a prompt are seen anyway: where prompts differ within them, they are shown from their beginning.
const longBeginning = 22

// unlikeBeginnings are prompts from about where each differs from every other.
func unlikeBeginnings(prompts []string) []string {
	words := map[string][]string{}
	for _, p := range prompts {
		words[p] = strings.Fields(p)
	}
	shown := map[string]string{}
	sorted := slices.Sorted(maps.Keys(words)) // the one that begins most like it is a neighbour
	for i, p := range sorted {
		mine, same := words[p], 0
		for _, j := range []int{i - 1, i + 1} {
			if j >= 0 && j < len(sorted) {
				n, other := 0, words[sorted[j]]
				for n < min(len(mine), len(other)) && mine[n] == other[n] {
					n++
				}
				same = max(same, n)
			}
		}
		from := min(same, len(mine)-1) - 1 // with the word before it
		if shown[p] = p; from > 0 && utf8.RuneCountInString(strings.Join(mine[:same], " ")) > longBeginning {
			shown[p] = "… " + strings.Join(mine[from:], " ")
		}
	}
	list := make([]string, len(prompts))
	for i, p := range prompts {
		list[i] = shown[p]
	}
	return list
}
