package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBatch(t *testing.T) {
	model, dog := tiny(t)
	dir := filepath.Dir(dog)
	out, file := filepath.Join(t.TempDir(), "out"), filepath.Join(dir, "batch.jsonl")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	args := []string{"generate", "--model", model, "--batch", file, "--steps", "3", "--stop", "2", "--scope", "0.25", "--out", out}

	with := `{"name": "with", "prompt": "a dog and a dog", "seed": 5, "subjects": [{"word": "dog#2", "references": ["dog.png"]}]}`
	write(with, "", `{"name": "without", "prompt": "a dog and a dog", "seed": 5, "steps": 2, "stop": 1}`)
	status, stdout, stderr := command(t, args...)
	if status != 0 || stderr != "" || strings.Count(stdout, "\n") != 2 {
		t.Fatalf("status %d, %q, %s", status, stdout, stderr)
	}
	var note batchNote
	if err := json.Unmarshal(read("with.json"), &note); err != nil {
		t.Fatal(err)
	}
	n := note.Grid[0] * note.Grid[1]
	if n == 0 || len(note.Steps) != 2 || len(note.Steps[1].Masks) != 1 || len(note.Steps[1].Masks[0]) != n || len(note.Steps[1].Scores[0]) != n {
		t.Errorf("grid %v, %d steps", note.Grid, len(note.Steps))
	}
	if r := note.Recipe; r.Steps != 3 || r.Subjects[0].Word.Occurrence != 2 || r.Subjects[0].Scope != 0.25 {
		t.Errorf("recipe %+v", r)
	}
	first := read("with.png")
	if bytes.Equal(first, read("without.png")) {
		t.Error("the reference changed nothing")
	}

	// What is there stays; what is missing is made again, the same.
	if err := os.WriteFile(filepath.Join(out, "without.png"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, "with.png")); err != nil {
		t.Fatal(err)
	}
	status, stdout, _ = command(t, args...)
	if status != 0 || strings.Count(stdout, "\n") != 1 || !bytes.Equal(first, read("with.png")) || string(read("without.png")) != "mine" {
		t.Errorf("again: status %d, %q", status, stdout)
	}

	// Every bad line is named before anything is made.
	write(with, `{"name": "with", "prompt": "a dog", "seed": 1}`, `{"name": "a/b", "prompt": "a dog", "seed": 1}`, `{"name": "c", "prompt": "a dog", "seed": 1, "stepz": 4}`,
		`{"name": "d", "prompt": "a dog"}`, `{"name": "e", "prompt": " ", "seed": 1}`, `{"name": "f", "prompt": "a dog", "seed": 1, "subjects": [{"word": "dog", "references": ["none.png"]}]}`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{"line 1", "a/b", "stepz", "seed", "prompt", "none.png"} {
		if line := fmt.Sprintf("line %d: ", i+2); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" {
		t.Errorf("bad lines: status %d, %q", status, stdout)
	}
	write(`{"name": "g", "prompt": "a cat", "seed": 1, "subjects": [{"word": "dog", "references": ["dog.png"]}]}`)
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, `"g"`) || !strings.Contains(stderr, "dog") {
		t.Errorf("a word that is not in the prompt: %d, %s", status, stderr)
	}
	if status, _, stderr = command(t, append(args, "--prompt", "a dog")...); status != 2 || !strings.Contains(stderr, "--prompt") {
		t.Errorf("--prompt beside --batch: %d, %s", status, stderr)
	}
	// Names that no file has, files of Windows' editors, and numbers as other languages write them.
	long := strings.Repeat("n", 250)
	write(`{"name": "a\u0000b", "prompt": "a dog", "seed": 1}`, `{"name": "`+long+`x", "prompt": "a dog", "seed": 1}`, `{"name": "h", "prompt": "a dog", "seed": 99999999999999999999}`,
		`{"name": "i", "prompt": "a dog", "seed": 1, "cfg": 7,5}`, `{"name": "j", "prompt": "a dog", "seed": 1, "steps": 2.5}`, `{"name": "k", "prompt": "a dog", "seed": 1, "steps": 999999999999999999999}`,
		`{"name": "a\\b", "prompt": "a dog", "seed": 1}`, `[{"name": "l", "prompt": "a dog", "seed": 1}]`)
	status, stdout, stderr = command(t, args...)
	for i, want := range []string{"cannot be a file name", "251 bytes, and at most 250", "a seed is a whole number", "use a decimal point", `"steps" takes a whole number`, `"steps" takes a whole number`, "cannot be a file name", "one JSON object in braces, not this array"} {
		if line := fmt.Sprintf("line %d: ", i+1); !strings.Contains(stderr, line) || !strings.Contains(stderr, want) {
			t.Errorf("%s%s is missing in\n%s", line, want, stderr)
		}
	}
	if status != 2 || stdout != "" || strings.Contains(stderr, "strconv") || strings.Contains(stderr, "Go ") {
		t.Errorf("bad lines: status %d, %q, %s", status, stdout, stderr)
	}
	write("\ufeff"+`{"name":"bom","prompt":"a dog","seed":1}`+"\r", `{"name":"`+long+`","prompt":"a dog","seed":-1}`+"\r", "\r")
	status, stdout, stderr = command(t, args...)
	if status != 0 || strings.Count(stdout, "\n") != 2 {
		t.Errorf("lines of Windows: status %d, %q, %s", status, stdout, stderr)
	}
	for _, name := range []string{"bom", long} {
		if err := json.Unmarshal(read(name+".json"), &note); err != nil || len(note.Recipe.Seeds) != 1 || name == "bom" && note.Recipe.Seeds[0] != 1 || len(read(name+".png")) == 0 {
			t.Errorf("%s: %+v, %v", name, note.Recipe, err)
		}
	}
	write("\xff\xfe{\x00")
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "UTF-8") {
		t.Errorf("UTF-16: %d, %s", status, stderr)
	}
	if err := os.Mkdir(filepath.Join(out, "folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(`{"name": "folder", "prompt": "a dog", "seed": 1}`)
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "is not a picture") {
		t.Errorf("a folder with the name of a picture: %d, %s", status, stderr)
	}
	write("")
	if status, _, stderr = command(t, args...); status != 2 || !strings.Contains(stderr, "empty") {
		t.Errorf("an empty file: %d, %s", status, stderr)
	}
}
