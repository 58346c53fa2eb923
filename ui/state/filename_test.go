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
	for _, bad := range []string{"", "  ", "{seeds}", "{seed", "a:b", `a\b`, "what?"} {
		if CheckFileName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
