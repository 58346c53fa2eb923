// Package i18ntest helps tests of what the window says: it collects the texts of the source and makes a language of them that nobody
// speaks.
//
// Contract: only tests import it. The language is one for the whole process, as in package i18n, so such tests do not run in parallel.
package i18ntest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"realword/ui/i18n"
)

// Root is the folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Texts are the texts that the source of the window and of the program around it gives to i18n.T, Errorf and N, and that of the packages
// below it to message.Errorf, Note, New and Text, with their English forms.
func Texts(t testing.TB) map[string]i18n.Forms {
	t.Helper()
	texts := map[string]i18n.Forms{}
	for _, folder := range []string{"app", "ui", "history", "farm", "inference"} {
		calls(t, folder, func(function string, literal func(int) string) {
			switch function {
			case "i18n.T", "i18n.Errorf", "message.Errorf", "message.Note", "message.New", "message.Text":
				s := literal(0)
				texts[s] = i18n.Forms{"other": s}
			case "i18n.N":
				texts[literal(2)] = i18n.Forms{"one": literal(1), "other": literal(2)}
			}
		})
	}
	return texts
}

// Notes are the texts that the source below a folder of the repository gives to message.Note.
func Notes(t testing.TB, folder string) (list []string) {
	t.Helper()
	calls(t, folder, func(function string, literal func(int) string) {
		if function == "message.Note" {
			list = append(list, literal(0))
		}
	})
	return list
}

// calls goes through the calls of functions of i18n and message below a folder. literal is an argument that is written out.
func calls(t testing.TB, folder string, visit func(function string, literal func(int) string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(Root(), folder), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := f.X.(*ast.Ident)
			if !ok || x.Name != "i18n" && x.Name != "message" {
				return true
			}
			literal := func(i int) string {
				if l, ok := call.Args[i].(*ast.BasicLit); ok && l.Kind == token.STRING {
					if s, err := strconv.Unquote(l.Value); err == nil {
						return s
					}
				}
				t.Errorf("%s: %s.%s wants its text written out", set.Position(call.Pos()), x.Name, f.Sel.Name)
				return ""
			}
			visit(x.Name+"."+f.Sel.Name, literal)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Verbs are the verbs of package fmt in a text.
var Verbs = regexp.MustCompile(`%[-+# 0]*\d*(\.\d+)?(\[\d+\])?[a-zA-Z%]`)

// Pseudo makes the window speak a language that has every text, in letters that English does not use, and a third longer, until the
// test ends.
func Pseudo(t testing.TB) {
	t.Helper()
	l := map[string]i18n.Forms{}
	for english, forms := range Texts(t) {
		l[english] = i18n.Forms{}
		for form, text := range forms {
			l[english][form] = odd(text)
		}
	}
	data, err := json.Marshal(l)
	if err == nil {
		err = i18n.Speak(fstest.MapFS{"en-XA.json": {Data: data}}, "en-XA")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { English(t) })
}

// English ends what Pseudo began.
func English(t testing.TB) {
	t.Helper()
	if err := i18n.Speak(os.DirFS("."), ""); err != nil {
		t.Fatal(err)
	}
}

func odd(text string) string {
	var b strings.Builder
	n := 0
	for rest := text; rest != ""; {
		if at := Verbs.FindStringIndex(rest); at != nil && at[0] == 0 {
			b.WriteString(rest[:at[1]])
			rest = rest[at[1]:]
			continue
		}
		r := rune(rest[0])
		switch {
		case r >= 'a' && r <= 'z':
			b.WriteRune('α' + (r-'a')%17)
		case r >= 'A' && r <= 'Z':
			b.WriteRune('Α' + (r-'A')%17)
		default:
			for _, r = range rest {
				break
			}
			b.WriteRune(r)
		}
		n++
		rest = rest[len(string(r)):]
	}
	return b.String() + strings.Repeat("ω", n/3)
}
