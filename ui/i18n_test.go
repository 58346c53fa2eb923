package ui

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var writeTranslations = flag.Bool("translations", false, "write assets/translations/en.json from the source")

// sourceTexts are the texts that this package's source gives to say and count.
func sourceTexts(t *testing.T) language {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := language{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.Ident)
			if !ok || f.Name != "say" && f.Name != "sayErr" && f.Name != "count" {
				return true
			}
			literal := func(i int) string {
				if l, ok := call.Args[i].(*ast.BasicLit); ok && l.Kind == token.STRING {
					if s, err := strconv.Unquote(l.Value); err == nil {
						return s
					}
				}
				t.Errorf("%s: %s wants its text written out", set.Position(call.Pos()), f.Name)
				return ""
			}
			if f.Name != "count" {
				s := literal(0)
				texts[s] = text{other: s}
			} else {
				texts[literal(2)] = text{literal(1), literal(2)}
			}
			return true
		})
	}
	return texts
}

// TestTranslationsComplete checks that en.json has every text of the source, and none besides.
func TestTranslationsComplete(t *testing.T) {
	const path = "../assets/translations/en.json"
	want := sourceTexts(t)
	if *writeTranslations {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := readLanguage(os.DirFS("../assets/translations"), "en")
	if err != nil {
		t.Fatal(err)
	}
	for s, forms := range want {
		if have[s] != forms {
			t.Errorf("en.json has %q for %q: run `make translations`", have[s], s)
		}
	}
	for s := range have {
		if _, used := want[s]; !used {
			t.Errorf("en.json has %q, which the source does not use: run `make translations`", s)
		}
	}
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z%]`)

// TestTranslationsKeepVerbs checks every language: a translation has the verbs of its text, perhaps in another order.
func TestTranslationsKeepVerbs(t *testing.T) {
	files, err := filepath.Glob("../assets/translations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no translations", err)
	}
	for _, file := range files {
		l, err := readLanguage(os.DirFS(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			t.Fatal(err)
		}
		for english, forms := range l {
			n := len(verb.FindAllString(english, -1))
			if got := len(verb.FindAllString(forms.other, -1)); got != n {
				t.Errorf("%s: %q has %d verbs, the English text %q has %d", file, forms.other, got, english, n)
			}
		}
	}
}

func TestLanguageOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"de": `{"Stop":"Halt","%d pictures":{"one":"%d Bild","other":"%d Bilder"}}`, "pt-BR": `{"Stop":"Pare"}`, "xx": `{`} {
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { spoken.Store(nil) })
	for name, want := range map[string]string{"de": "Halt 1 Bild 2 Bilder", "de-AT": "Halt 1 Bild 2 Bilder", "pt-BR": "Pare 1 picture 2 pictures", "pt": "Stop 1 picture 2 pictures", "": "Stop 1 picture 2 pictures"} {
		l, err := readLanguage(os.DirFS(dir), name)
		if err != nil {
			t.Fatal(err)
		}
		spoken.Store(&l)
		got := say("Stop")
		for _, n := range []int{1, 2} {
			got += " " + count(n, "%d picture", "%d pictures", n)
		}
		if got != want {
			t.Errorf("in %q: %q, want %q", name, got, want)
		}
	}
	if _, err := readLanguage(os.DirFS(dir), "xx"); err == nil || !strings.Contains(fmt.Sprint(err), "xx.json") {
		t.Errorf("a broken file: %v", err)
	}
}
