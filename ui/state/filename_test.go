package state

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFileNames(t *testing.T) {
	n := Naming{At: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC), Seed: 77, Words: []string{"dog", "pink hat"}, Prompt: "a dog / with \"..\\..\\x\"?", Model: "toy:box"}
	for pattern, want := range map[string]string{
		"{date}/{seed}":          "2026-11-23/77",
		"{words} {seed}":         "dog-pink hat 77",
		"{prompt}":               "a dog  with ....x",
		"{model}/{time}":         "toybox/04-05-06",
		"/../../etc/passwd":      "etc/passwd",
		"a/../..//b":             "a/b",
		"...":                    "picture",
		"{date}":                 "2026-11-23",
		strings.Repeat("x", 400): strings.Repeat("x", 60),
	} {
		folder, name := FileName(pattern, n)
		if got := filepath.ToSlash(filepath.Join(folder, name)); got != want {
			t.Errorf("%s gives %q, want %q", pattern, got, want)
		}
		if err := CheckFileName(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	long := Naming{At: n.At, Seed: 123456, Words: []string{"dog"}, Prompt: strings.Repeat("a small brown dog on the beach, ", 4), Model: strings.Repeat("m", 90)}
	for pattern, want := range map[string]string{
		"{prompt} {seed}":                           "a small brown dog on the beach, a small brown dog on 123456",
		"{date}/{prompt}-{words}":                   "2026-11-23/a small brown dog on the beach, a small brown dog on the-dog",
		"{model} {prompt} {words} {seed}":           strings.Repeat("m", 24) + " a small brown dog on the dog 123456",
		"{prompt}{seed}":                            "a small brown dog on the beach, a small brown dog on t123456",
		strings.Repeat("x", 55) + "{prompt} {seed}": strings.Repeat("x", 55) + " 1234",
	} {
		folder, name := FileName(pattern, long)
		if got := filepath.ToSlash(filepath.Join(folder, name)); got != want || len([]rune(name)) > longestPart {
			t.Errorf("%s gives %q, want %q", pattern, got, want)
		}
	}
	if folder, name := FileName("{words}/{prompt}", Naming{Words: []string{"con"}, Prompt: "NUL"}); folder != "con_" || name != "NUL_" {
		t.Errorf("of devices of Windows: %s/%s", folder, name)
	}
	for _, bad := range []string{"", "  ", "{seeds}", "{seed", "a:b", `a\b`, "what?"} {
		if CheckFileName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
