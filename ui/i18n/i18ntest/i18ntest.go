// Package i18ntest helps tests of what the window says: it collects the texts of the source and makes a language of them that nobody
// speaks.
//
// Contract: only tests import it. The language is one for the whole process, as in package i18n, so such tests do not run in parallel.
package i18ntest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"realword/inference/message"
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

// Messages are the texts that the source below a folder of the repository gives to functions of package message, or to those of these
// names.
func Messages(t testing.TB, folder string, names ...string) (list []string) {
	t.Helper()
	calls(t, folder, func(function string, literal func(int) string) {
		switch name, is := strings.CutPrefix(function, "message."); {
		case !is, len(names) > 0 && !slices.Contains(names, name), !slices.Contains([]string{"Errorf", "Note", "New", "Text"}, name):
		default:
			list = append(list, literal(0))
		}
	})
	return list
}

// Example is a message of a text, with a value for each of its verbs.
func Example(text string) *message.Error {
	var values []any
	for _, verb := range Verbs.FindAllString(text, -1) {
		switch verb[len(verb)-1] {
		case '%':
		case 'd', 'x':
			values = append(values, 7)
		case 'f', 'g':
			values = append(values, 0.25)
		case 'w':
			values = append(values, errors.New("XYZ"))
		default:
			values = append(values, "unet.safetensors")
		}
	}
	e, _ := errors.AsType[*message.Error](message.Make(text, values...))
	return e
}

// Untold are the calls of fmt.Errorf and errors.New below a folder that say something in English, by the function that they stand in, but
// for those that are handed to a function, or put into a field, of one of these names: it says in every language what they mean.
func Untold(t testing.TB, folder string, wrappers ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	sources(t, folder, func(set *token.FileSet, file *ast.File) {
		wrapped := map[ast.Node]bool{}
		function := ""
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				function = n.Name.Name
			case *ast.GenDecl:
				if set.Position(n.Pos()).Column == 1 { // not in a function
					function = ""
				}
			case *ast.KeyValueExpr:
				if key, is := n.Key.(*ast.Ident); is && slices.Contains(wrappers, key.Name) {
					wrapped[n.Value] = true
				}
			case *ast.CallExpr:
				if f, is := n.Fun.(*ast.Ident); is && slices.Contains(wrappers, f.Name) {
					for _, argument := range n.Args {
						wrapped[argument] = true
					}
				}
				f, is := n.Fun.(*ast.SelectorExpr)
				if !is || wrapped[n] {
					return true
				}
				if x, is := f.X.(*ast.Ident); !is || x.Name+"."+f.Sel.Name != "fmt.Errorf" && x.Name+"."+f.Sel.Name != "errors.New" {
					return true
				}
				text := "a text that is made"
				if l, is := n.Args[0].(*ast.BasicLit); is {
					text, _ = strconv.Unquote(l.Value)
				}
				if strings.ContainsFunc(Verbs.ReplaceAllString(text, ""), unicode.IsLetter) {
					found[function] = append(found[function], text)
				}
			}
			return true
		})
	})
	return found
}

// calls goes through the calls of functions of i18n and message below a folder. literal is an argument that is written out.
func calls(t testing.TB, folder string, visit func(function string, literal func(int) string)) {
	t.Helper()
	sources(t, folder, func(set *token.FileSet, file *ast.File) {
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
	})
}

// sources goes through the Go files below a folder that are no tests.
func sources(t testing.TB, folder string, visit func(set *token.FileSet, file *ast.File)) {
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
		visit(set, file)
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
