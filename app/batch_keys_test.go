package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheBatchKeysAreComplete: the table of docs/command-line.md has every key of a line, and no other.
func TestTheBatchKeysAreComplete(t *testing.T) {
	page, err := os.ReadFile("../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## Batch files\n")
	text, _, _ = strings.Cut(text, "\n## ")
	if !found {
		t.Fatal("there is no section “Batch files”")
	}
	table := map[bool][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| ((?:of a subject: )?)(`[^|]+) \\|").FindAllStringSubmatch(text, -1) {
		for _, key := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			table[row[1] != ""] = append(table[row[1] != ""], key[1])
		}
	}
	for subject, of := range map[bool]reflect.Type{false: reflect.TypeFor[batchLine](), true: reflect.TypeFor[batchSubject]()} {
		want, got := batchKeys(of), table[subject]
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%v: the table has\n%q, not\n%q", of, got, want)
		}
	}
}

func TestAKeyThatIsCalledOtherwise(t *testing.T) {
	g := &generation{}
	for name, want := range map[string]string{
		"size": `"width" and "height"?`, "lora": `"loras"?`, "mask-rest": `"mask_rest"?`, "t_stop": `"stop"?`, "area": `"scope"?`, "stepz": `"steps"?`,
		"--lora": `"loras"?`, "colour": "docs/command-line.md",
	} {
		_, err := g.parseLine([]byte(`{"name": "a", "prompt": "a dog", "seed": 1, "`+name+`": "1"}`), "")
		if err == nil || !strings.Contains(err.Error(), `nothing is called "`+name+`": `) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", name, err, want)
		}
	}
	for _, line := range []string{`"grid": {}`, `"seeds": [1]`} {
		if _, err := g.parseLine([]byte(`{"name": "a", "prompt": "a dog", "seed": 1, `+line+`}`), ""); err == nil || !strings.Contains(err.Error(), "one picture") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
