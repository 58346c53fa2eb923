package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"realword/history"
	"realword/history/journal"
	"realword/inference/picture"
)

// TestLikenessAndCutOut makes a picture, then another one of what its mask holds: the reference is transparent around the subject, the job
// goes on from the picture, and both likenesses are said and kept.
func TestLikenessAndCutOut(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	run := func(args ...string) (status int, stdout, stderr string) {
		return command(t, append([]string{"generate", "--model", model, "--out", dir, "--steps", "4", "--stop", "2"}, args...)...)
	}
	status, stdout, stderr := run("--prompt", "a dog and a ball", "--subject", "dog="+dog+":0.3", "--seed", "5", "--likeness")
	if status != 0 || !regexp.MustCompile(`hint: dog is -?[01]\.\d\d like its reference\n`).MatchString(stderr) {
		t.Fatalf("status %d, %s", status, stderr)
	}
	first := strings.TrimSpace(stdout)
	status, _, stderr = run("--prompt", "a dog and a ball", "--subject", "dog="+first, "--seed", "6", "--likeness", "--cut-out")
	if status != 0 || !regexp.MustCompile(`hint: dog is .* like its reference, -?[01]\.\d\d like what its jobs began with\n`).MatchString(stderr) {
		t.Fatalf("status %d, %s", status, stderr)
	}
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	var second history.Round
	rounds, err := s.Rounds()
	if err == nil {
		second = rounds[0]
	}
	if len(second.Parents) != 1 || len(second.Pictures) != 1 || len(second.Pictures[0].Likeness) != 1 {
		t.Fatalf("%+v, %v", second, err)
	}
	made, err := journal.Recall(s, second.Pictures[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	ref := made.Recipe.Subjects[0].References[0]
	cut, info, err := picture.Decode(ref.Data, picture.Limits{})
	if err != nil || !info.Transparent || !strings.HasSuffix(ref.Name, "-cut.png") || cut.Rect.Dx() != cut.Rect.Dy() {
		t.Errorf("%s, %+v, %v", ref.Name, info, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr = command(t, "history", "show", "2"); status != 0 || !strings.Contains(stdout, "    hint: dog is ") {
		t.Errorf("history show: status %d, %s %s", status, stdout, stderr)
	}
	if status, _, stderr = run("--prompt", "a dog", "--subject", "dog="+dog, "--cut-out"); status == 0 || !strings.Contains(stderr, "leave --cut-out away") {
		t.Errorf("a photograph: status %d, %s", status, stderr)
	}
	if status, _, stderr = run("--prompt", "a ball", "--subject", "ball="+first, "--cut-out", "--plan"); status != 0 {
		t.Errorf("its only subject: status %d, %s", status, stderr)
	}
	if data, err := os.ReadFile(first); err != nil || !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Errorf("the picture itself: %v", err)
	}
}
