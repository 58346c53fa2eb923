package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverySystemsProgramIsWhole: the program and its tests are of one piece on systems that they cannot be compiled for here, for want of
// a Mac's C. The types of all packages are looked at, with those that reach C; only what C itself says is taken on trust.
func TestEverySystemsProgramIsWhole(t *testing.T) {
	for _, system := range [][2]string{{"darwin", "arm64"}, {"windows", "amd64"}} {
		t.Run(system[0], func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("go", "list", "-deps", "-test", "-json=Dir,ImportPath,GoFiles,CgoFiles,ImportMap", "-tags", "migrated_fynedo", "realword/...")
			cmd.Env = append(os.Environ(), "GOOS="+system[0], "GOARCH="+system[1], "CGO_ENABLED=1")
			cmd.Stderr = os.Stderr
			list, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			look(list, system[1], func(err error) { t.Error(err) })
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// look says what is wrong with our packages in what go list has, which names each package behind those that it imports.
func look(list io.Reader, arch string, say func(error)) {
	known, files := map[string]*types.Package{"unsafe": types.Unsafe}, token.NewFileSet()
	for d := json.NewDecoder(list); ; {
		var p struct {
			Dir, ImportPath   string
			GoFiles, CgoFiles []string
			ImportMap         map[string]string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			say(err)
			return
		}
		ours := strings.HasPrefix(p.ImportPath, "realword/")
		if p.ImportPath == "unsafe" || ours && strings.HasSuffix(p.ImportPath, ".test") { // it is written when it is run
			continue
		}
		var read []*ast.File
		for _, name := range append(p.GoFiles, p.CgoFiles...) {
			f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				say(err)
			}
			read = append(read, f)
		}
		check := types.Config{
			FakeImportC: true, IgnoreFuncBodies: !ours, Sizes: types.SizesFor("gc", arch),
			Importer: importer(func(path string) (*types.Package, error) {
				if to, ok := p.ImportMap[path]; ok {
					path = to
				}
				if known[path] == nil {
					return nil, fmt.Errorf("%s is not listed", path)
				}
				return known[path], nil
			}),
			Error: func(err error) {
				if ours && !strings.Contains(err.Error(), "invalid type") { // of C
					say(err)
				}
			},
		}
		name, _, _ := strings.Cut(p.ImportPath, " ")
		known[p.ImportPath], _ = check.Check(name, files, read, nil)
	}
}

type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }
