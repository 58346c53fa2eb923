package house

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var writeMap = flag.Bool("map", false, "write the list of packages in CONTRIBUTING.md again")

// packageMap is the list of packages in CONTRIBUTING.md, in the order of the layers, from what the packages say.
func packageMap(packages map[string]listed) string {
	var b strings.Builder
	b.WriteString("| package | what it is |\n|---|---|\n")
	for _, name := range layers {
		about := regexp.MustCompile(`^(Package|Command) \w+ `).ReplaceAllString(packages["realword/"+name].Doc, "")
		about = regexp.MustCompile(`[:;] .*`).ReplaceAllString(about, "") // the rest is in the contract
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.TrimSuffix(about, "."))
	}
	return b.String()
}

// TestContributingHasTheMap: every package is on the map and says what it is.
func TestContributingHasTheMap(t *testing.T) {
	const file, begin, end = "../CONTRIBUTING.md", "house/contributing_test.go -->\n", "<!-- end of packages -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	packages := list(t)
	for _, name := range layers {
		if packages["realword/"+name].Doc == "" {
			t.Errorf("package %s does not say what it is", name)
		}
	}
	before, rest, ok1 := strings.Cut(string(data), begin)
	have, after, ok2 := strings.Cut(rest, end)
	want := packageMap(packages)
	switch {
	case !ok1 || !ok2:
		t.Fatal("the list of packages is missing")
	case have == want:
	case *writeMap:
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("the list of packages in CONTRIBUTING.md is old: run `make map`")
	}
}

// sources are the Go files of a package of ours that are no tests, with what is in them.
func sources(t *testing.T, name string) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths, _ := filepath.Glob(filepath.Join("..", name, "*.go"))
	for _, file := range paths {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = string(data)
	}
	return out
}

// TestContractsSayWhatIsImported: who says that it imports nothing of Realword does not.
func TestContractsSayWhatIsImported(t *testing.T) {
	for path, p := range list(t) {
		name, ours := strings.CutPrefix(path, "realword/")
		if !ours {
			continue
		}
		for _, text := range sources(t, name) {
			contract, _, _ := strings.Cut(strings.ReplaceAll(text, "\n// ", " "), "\npackage ")
			if !strings.Contains(contract, "nothing of Realword") {
				continue
			}
			for _, imported := range p.Imports {
				if strings.HasPrefix(imported, "realword/") {
					t.Errorf("%s says that it imports nothing of Realword, and imports %s", name, imported)
				}
			}
		}
	}
}

// TestDocumentsLinkToWhatIsThere: README, CONTRIBUTING and docs name files and pages that exist.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	pages, _ := filepath.Glob("../docs/*.md")
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md") {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(data), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}

// TestContributingNamesWhatIsThere: every file that CONTRIBUTING.md names, and every name of a package in it, is there.
func TestContributingNamesWhatIsThere(t *testing.T) {
	data, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(data), "<!-- packages")
	_, rest, _ := strings.Cut(string(data), "<!-- end of packages -->")
	text += rest
	var files []string // of the repository
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Skip("this is no checkout: ", err)
	}
	files = strings.Fields(string(out))
	ends := func(name string) bool {
		return slices.ContainsFunc(files, func(f string) bool { return f == name || strings.HasSuffix(f, "/"+name) })
	}
	for _, m := range regexp.MustCompile(`[a-zA-Z.][\w/.-]*\.(?:go|py|md|yml)\b`).FindAllString(text, -1) {
		if !ends(m) {
			t.Errorf("there is no file %s", m)
		}
	}
	for _, m := range regexp.MustCompile("`([a-z0-9]+)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?[`(,.]").FindAllStringSubmatch(text, -1) {
		var source strings.Builder
		for _, f := range files {
			if strings.HasSuffix(f, ".go") && !strings.HasSuffix(f, "_test.go") && path.Base(path.Dir(f)) == m[1] {
				code, err := os.ReadFile("../" + f)
				if err != nil {
					t.Fatal(err)
				}
				source.Write(code)
			}
		}
		for _, name := range m[2:] {
			said := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const |\t)(?:\w+, )*` + name + `\b`)
			if name != "" && source.Len() > 0 && !said.MatchString(source.String()) {
				t.Errorf("package %s has no %s", m[1], name)
			}
		}
	}
}

// TestWhatIsAFile: files of clouds are none for io/fs on Windows, so that all ask files.IsFile.
func TestWhatIsAFile(t *testing.T) {
	for path := range list(t) {
		name, ours := strings.CutPrefix(path, "realword/")
		if !ours || name == "inference/files" {
			continue
		}
		for file, text := range sources(t, name) {
			if strings.Contains(text, ".IsRegular()") {
				t.Errorf("%s asks whether a file is regular: files.IsFile knows what is one", file)
			}
		}
	}
}
