package recipe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"realword/inference"
)

// Differs says in what one resolved request is another one, for people: "25 as the number of steps, not 30"; "" where the pictures of
// both are the same. Names of files do not count. seeds: neither do seeds.
func Differs(was, now inference.Request, seeds bool) string {
	was, now = bare(was, seeds), bare(now, seeds)
	a, errA := New(was, "")
	b, errB := New(now, "")
	if errA == nil && errB == nil && bytes.Equal(a, b) {
		return ""
	}
	var list []string
	say := func(format string, values ...any) { list = append(list, fmt.Sprintf(format, values...)) }
	if was.Prompt != now.Prompt {
		say("the prompt %q", excerpt(was.Prompt))
	}
	if !slices.Equal(was.Seeds, now.Seeds) && len(was.Seeds) == 1 && len(now.Seeds) == 1 {
		say("the seed %d, not %d", was.Seeds[0], now.Seeds[0])
	}
	for _, t := range inference.Table() {
		had, has := strings.TrimSpace(t.Get(was.Settings)), strings.TrimSpace(t.Get(now.Settings))
		switch {
		case t.Key == "" || had == has:
		case had == "":
			say("no %s, not %s", t.Called, excerpt(has))
		case has == "":
			say("%s as the %s", excerpt(had), t.Called)
		default:
			say("%s as the %s, not %s", excerpt(had), t.Called, excerpt(has))
		}
	}
	if one, err := New(inference.Request{Subjects: was.Subjects}, ""); err == nil {
		if two, err := New(inference.Request{Subjects: now.Subjects}, ""); err == nil && !bytes.Equal(one, two) {
			say("other subjects")
		}
	}
	const most = 3
	switch {
	case len(list) == 0:
		return "another picture to begin with" // all else has been looked at
	case len(list) > most:
		list = append(list[:most], "…")
	}
	return strings.Join(list, "; ")
}

// bare is a request without the names of files, and without seeds where they do not count.
func bare(r inference.Request, seeds bool) inference.Request {
	if r.UncondAttention == "" || len(r.Subjects) > 0 || r.CFG == 1 { // where it does not act
		r.UncondAttention = inference.PlainAttention
	}
	r.Subjects = inference.CloneSubjects(r.Subjects)
	for i := range r.Subjects {
		for j := range r.Subjects[i].References {
			r.Subjects[i].References[j].Name = ""
		}
	}
	if r.Init != nil {
		init := *r.Init
		init.Name = ""
		r.Init = &init
	}
	if seeds {
		r.Seeds = nil
	}
	return r
}
