package state

import (
	"fmt"
	"slices"
	"strings"

	"realword/inference"
	"realword/ui/i18n"
)

// Contrast is what differs between how two pictures were made: their words, subjects and settings, and at last their seeds, which say
// little where anything else differs. Nothing means that both have one recipe.
func Contrast(left, right Shot) (list []Change) {
	differ := func(part Part, what, old, new string) {
		if old != new {
			list = append(list, Change{Part: part, What: what, Old: old, New: new})
		}
	}
	a, b := left.Recipe, right.Recipe
	switch {
	case len(a.Subjects) > 0 && len(b.Subjects) == 0:
		differ(PartSubjects, i18n.T("References"), i18n.T("yes"), i18n.T("text-only"))
	case len(a.Subjects) == 0 && len(b.Subjects) > 0:
		differ(PartSubjects, i18n.T("References"), i18n.T("text-only"), i18n.T("yes"))
	default:
		list = append(list, subjectsDiffer(a.Subjects, b.Subjects)...)
	}
	if a.Prompt != b.Prompt {
		old, new := unlike(a.Prompt, b.Prompt)
		differ(PartPrompt, i18n.T("Prompt"), old, new)
	}
	if left.Model != "" && right.Model != "" {
		differ(PartSettings, i18n.T("Model"), left.Model, right.Model)
	}
	differ(PartSettings, i18n.T("Begun with"), beginning(a), beginning(b))
	for _, k := range Knobs() {
		differ(k.Part, k.Label, k.Text(a.Settings), k.Text(b.Settings))
	}
	differ(PartSeed, i18n.T("Seed"), fmt.Sprint(left.Seed), fmt.Sprint(right.Seed))
	return list
}

// subjectsDiffer compares subjects by their words; one that only one side has counts as none on the other.
func subjectsDiffer(a, b []inference.Subject) (list []Change) {
	find := func(list []inference.Subject, w inference.Word) int {
		return slices.IndexFunc(list, func(s inference.Subject) bool { return SameWord(s.Word, w) })
	}
	names := func(s inference.Subject) string {
		var list []string
		for _, ref := range s.References {
			list = append(list, ref.Name)
		}
		return strings.Join(list, ", ")
	}
	for _, s := range a {
		if i := find(b, s.Word); i >= 0 {
			list = append(list, subjectDiffers(s, b[i])...)
		} else {
			list = append(list, Change{Part: PartSubjects, What: WordName(s.Word), Old: names(s)})
		}
	}
	for _, s := range b {
		if find(a, s.Word) < 0 {
			list = append(list, Change{Part: PartSubjects, What: WordName(s.Word), New: names(s)})
		}
	}
	return list
}

// beginning is the picture that a run began with; "" for noise alone.
func beginning(r inference.Request) string {
	switch {
	case r.Init == nil:
		return ""
	case !r.Init.Region.IsZero():
		return i18n.T("%s, redone in part", r.Init.Name)
	}
	return r.Init.Name + " · " + i18n.Number("%g", r.Init.Strength)
}

// unlike is two texts without the words that both begin and end with.
func unlike(a, b string) (string, string) {
	x, y := strings.Fields(a), strings.Fields(b)
	first := 0
	for first < min(len(x), len(y)) && x[first] == y[first] {
		first++
	}
	x, y = x[first:], y[first:]
	last := 0
	for last < min(len(x), len(y)) && x[len(x)-1-last] == y[len(y)-1-last] {
		last++
	}
	part := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return "“" + Shorten(strings.Join(list, " "), 28) + "”"
	}
	return part(x[:len(x)-last]), part(y[:len(y)-last])
}

// ContrastText is Contrast in one line, left | right.
func ContrastText(list []Change) string {
	if len(list) == 0 {
		return i18n.T("left and right have the same recipe")
	}
	var parts []string
	none := func(text string) string {
		if text == "" {
			return "—"
		}
		return text
	}
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("%s %s | %s", c.What, none(c.Old), none(c.New)))
	}
	return i18n.T("left | right: %s", strings.Join(parts, " · "))
}
