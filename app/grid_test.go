package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/assets"
	"realword/inference/recipe"
)

// TestGrid makes a grid whose folder turns away in the middle, makes what is missing, and compares a cell with the same picture alone.
func TestGrid(t *testing.T) {
	model, dog := tiny(t)
	t.Setenv("XDG_PICTURES_DIR", filepath.Join(t.TempDir(), "pictures"))
	out := t.TempDir()
	args := []string{"generate", "--model", model, "--prompt", "a dog", "--subject", "dog=" + dog, "--steps", "3", "--seed", "5"}
	grid := append(args, "--grid", "gamma=0.1,0.4", "--grid", "t_stop=1,2", "--out", out)
	status, stdout, stderr := command(t, grid...)
	files := strings.Fields(stdout)
	if status != 0 || len(files) != 5 || !strings.Contains(stderr, "4 pictures take") {
		t.Fatalf("status %d, %q, %s", status, stdout, stderr)
	}
	read := func(file string) []byte {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	sheet := read(files[4])
	if said, _, err := recipe.Read(sheet); err != nil || said.Grid == nil || said.Grid.Len() != 4 || filepath.Base(files[4]) != "grid.png" {
		t.Errorf("%s says %+v, %v", files[4], said.Grid, err)
	}
	if _, said, _ := command(t, "recipe", files[4]); !strings.Contains(said, "columns   T_stop 1, T_stop 2\nseed      5\n") {
		t.Errorf("recipe:\n%s", said)
	}
	status, alone, stderr := command(t, append(args, "--scope", "0.4", "--stop", "2", "--out", t.TempDir())...)
	if status != 0 || !bytes.Equal(read(strings.TrimSpace(alone)), read(files[3])) {
		t.Errorf("the last cell is another picture than alone: %s", stderr)
	}

	// What is there stays; what is missing or damaged is made again, the same, and joins the same job of the history.
	damaged := filepath.Join(filepath.Dir(files[0]), "r1c1-gamma-0.1-T_stop-1.png")
	if err := os.WriteFile(damaged, read(damaged)[:200], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(files[2]); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = command(t, grid...)
	if status != 0 || strings.Count(stdout, "\n") != 3 || !strings.Contains(stderr, "2 of 4 pictures are in") || !bytes.Equal(read(files[4]), sheet) {
		t.Errorf("again: status %d, %q, %s", status, stdout, stderr)
	}
	if _, stdout, _ = command(t, "history", "list"); strings.Count(stdout, "a dog\n") != 2 {
		t.Errorf("list:\n%s", stdout)
	}
	if status, _, stderr = command(t, append(grid, "--farm")...); status == 0 || !strings.Contains(stderr, "belongs to no farm") {
		t.Errorf("--farm is not taken for nothing: status %d, %s", status, stderr)
	}
	if status, stdout, _ = command(t, grid...); status != 0 || stdout != files[4]+"\n" {
		t.Errorf("a finished grid: status %d, %q", status, stdout)
	}

	// The folder of the pictures goes in the middle: one sentence says so, one how to go on.
	status, stderr = blocked(t, grid[:len(grid)-2]...)
	if status != 1 || strings.Count(stderr, "realword: ") != 1 || !strings.Contains(stderr, "The picture is in ") ||
		!strings.Contains(stderr, "0 of 4 pictures are in") {
		t.Errorf("status %d, %s", status, stderr)
	}

	for want, sides := range map[string][]string{
		"a grid of 20 × 25 has 500 pictures, and at most 100 are made at once": {"cfg=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20", "steps=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25"},
		"a grid has two sides":                          {"cfg=1", "steps=2", "t_stop=1"},
		"write what differs and its values":             {"gamma"},
		"a grid is of gamma":                            {"width=5"},
		`no --subject has the word "cat"`:               {"gamma:cat=0.1"},
		"write seeds as 7,8,9 or 7-9":                   {"seed=9-7"},
		"--seed and a side of seeds":                    {"seed=1-2"},
		`the side "gamma" of the grid has the value "2`: {"gamma=2"},
	} {
		given := append([]string{}, args...)
		for _, s := range sides {
			given = append(given, "--grid", s)
		}
		if status, _, stderr := command(t, append(given, "--out", out)...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s", sides, status, stderr)
		}
	}
}

// TestGridOfAPictureMadeAgain: the word of a side is a subject of the picture, whatever subjects the options name. The sheet of a grid has
// the recipe of the grid.
func TestGridOfAPictureMadeAgain(t *testing.T) {
	model, dog := tiny(t)
	cat := filepath.Join(t.TempDir(), "cat.png")
	if err := os.WriteFile(cat, assets.Samples()[1].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	made := func(args ...string) (files []string, stderr string) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{"generate", "--model", model, "--out", out}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d, %s", args, status, stderr)
		}
		return strings.Fields(stdout), stderr
	}
	// cells tells word, scope and picture of the subjects of every cell.
	cells := func(files []string) (all string) {
		t.Helper()
		for _, file := range files[:len(files)-1] {
			for _, s := range readRecipe(t, file).Subjects {
				all += fmt.Sprint(s.Word.Text, " ", s.Scope, " ", s.References[0].Name, ", ")
			}
		}
		return all
	}
	first, _ := made("--prompt", "a dog and a cat", "--subject", "dog="+dog+":0.2", "--subject", "cat="+cat+":0.25", "--steps", "2", "--stop", "1", "--seed", "5")
	picture := first[0]
	for _, c := range []struct {
		args []string
		want string
	}{
		{
			[]string{"--recipe", picture, "--subject", "cat=" + cat, "--grid", "gamma:cat=0.1,0.3"},
			"dog 0.2 dog.png, cat 0.1 cat.png, dog 0.2 dog.png, cat 0.3 cat.png, ",
		},
		{
			[]string{"--recipe", picture, "--grid", "gamma:cat=0.15,0.3"},
			"dog 0.2 dog.png, cat 0.15 cat.png, dog 0.2 dog.png, cat 0.3 cat.png, ",
		},
		{
			[]string{"--recipe", picture, "--grid", "picture:cat=" + dog + "," + cat},
			"dog 0.2 dog.png, cat 0.25 dog.png, dog 0.2 dog.png, cat 0.25 cat.png, ",
		},
		{
			[]string{"--redo", picture, "--grid", "picture:cat=" + dog + "," + cat},
			"dog 0.2 dog.png, cat 0.25 dog.png, dog 0.2 dog.png, cat 0.25 cat.png, ",
		},
		{
			[]string{"--recipe", picture, "--prompt", "a cat", "--grid", "gamma:cat=0.1,0.3"},
			"cat 0.1 cat.png, cat 0.3 cat.png, ",
		},
	} {
		files, _ := made(c.args...)
		if got := cells(files); got != c.want {
			t.Errorf("%q: %s, want %s", c.args, got, c.want)
		}
	}

	grid, _ := made("--recipe", picture, "--grid", "gamma:cat=0.1,0.3", "--grid", "seed=1,2")
	sheet := grid[len(grid)-1]
	if again, notes := made("--recipe", sheet); len(again) != 1 || again[0] != sheet || !strings.Contains(notes, "4 of 4 pictures are in") {
		t.Errorf("the sheet's recipe: %q, %s", again, notes)
	}
	if again, _ := made("--recipe", sheet, "--prompt", "a cat"); cells(again) != "cat 0.1 cat.png, cat 0.1 cat.png, cat 0.3 cat.png, cat 0.3 cat.png, " {
		t.Errorf("without the dog: %s", cells(again))
	}
	if again, _ := made("--recipe", sheet, "--grid", "stop=1,2"); len(again) != 3 {
		t.Errorf("another grid: %q", again)
	}
	for want, args := range map[string][]string{
		"the sheet of a grid: name one of its pictures":          {"--redo", sheet},
		"--count, --film and --likeness are not for grids":       {"--recipe", sheet, "--film"},
		"--seed and a side of seeds are two things":              {"--recipe", sheet, "--seed", "6"},
		`the grid is about "cat", which is no subject any more`:  {"--recipe", sheet, "--prompt", "a dog"},
		`"bird" is not a word of the prompt`:                     {"--recipe", picture, "--grid", "gamma:bird=0.1"},
		"--count, --film and --likeness are not for grids: make": {"--recipe", picture, "--grid", "stop=1,2", "--count", "2"},
	} {
		if status, _, stderr := command(t, append([]string{"generate", "--model", model, "--out", out}, args...)...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
}
