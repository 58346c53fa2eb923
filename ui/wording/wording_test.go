package wording

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"realword/history"
	"realword/inference/memory"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/i18n/i18ntest"
)

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("the model is damaged: import it again"), "The model is damaged: import it again."},
		{errors.New("Done already."), "Done already."},
		{errors.New("unet.onnx is damaged"), "unet.onnx is damaged."},
		{errors.New("γ is too large"), "γ is too large."},
		{errors.New("  "), "Something failed for an unknown reason."},
		{errors.New("first: do this\nsecond: do that"), "First: do this.\nSecond: do that."},
	} {
		if got := Sentence(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// TestErrorsSpeakTheLanguageOfTheWindow finds no English in errors of known kinds, wherever they lie.
func TestErrorsSpeakTheLanguageOfTheWindow(t *testing.T) {
	i18ntest.Pseudo(t)
	for _, err := range []error{
		&history.Error{Kind: history.Full, Path: "/h", Err: errors.New("no space left on device")},
		fmt.Errorf("/p.png: %w", picture.UnsupportedError("the file is not a picture")),
		errors.Join(recipe.ErrNone, fmt.Errorf("7: %w", history.ErrNoStep)),
		&memory.Error{Plan: memory.Plan{Peak: 9e9, Available: 4e9, Remedies: []memory.Remedy{{Text: "768 × 768", Peak: 3e9}}}},
	} {
		got := Sentence(err)
		for _, english := range []string{"the", "this", "kept", "space", "picture", "memory"} {
			if strings.Contains(strings.ToLower(got), english) {
				t.Errorf("%v: %q is English in %q", err, english, got)
			}
		}
	}
	if got := Sentence(errors.Join(errors.New("a"), history.ErrNoPicture)); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "A.") {
		t.Errorf("joined errors: %q", got)
	}
}

func TestSizesAndDays(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1500: "1.5 kB", 2_340_000: "2.3 MB", 10e9: "10.0 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d bytes are %q", n, got)
		}
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for want, at := range map[string]time.Time{"today, 09:05": now.Add(-175 * time.Minute), "yesterday, 12:00": now.AddDate(0, 0, -1), "27 February": now.AddDate(0, 0, -2), "1 March 2025": now.AddDate(-1, 0, 0)} {
		if got := Day(at, now); got != want {
			t.Errorf("%v is %q", at, got)
		}
	}
}
