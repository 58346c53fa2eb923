package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers is the house from top to bottom: a package imports only packages that stand below it.
var layers = []string{
	"house", "app", "app/device", "app/device/strip", "app/synthetic", "app/mac", "ui", "ui/computers", "ui/gallery", "ui/grid", "ui/inspect", "ui/mask", "ui/models", "ui/models/modelstest", "ui/preferences", "ui/queue", "ui/reuse", "ui/saving", "ui/session", "ui/settings", "ui/stage", "ui/subjects", "ui/wordbook", "ui/roomtest", "ui/command", "ui/state", "ui/kit", "ui/wording", "ui/uitest", "ui/i18n/i18ntest", "ui/i18n", "history/journal", "farm",
	"inference/recipe", "inference/parity", "inference/bench", "inference", "inference/lora", "inference/memory",
	"inference/hub", "inference/bundle/bundletest", "inference/bundle", "inference/network", "inference/checkpoint", "inference/nn",
	"inference/prompt", "inference/guidance", "inference/schedule", "inference/random", "inference/picture", "inference/colour",
	"inference/ort/orttest", "inference/ort", "inference/ort/internal/native", "inference/onnx", "inference/session", "inference/graph", "inference/synthetic",
	"history", "inference/keep", "inference/tensor", "inference/files", "inference/plain", "inference/wait", "inference/ram", "inference/message", "assets", "assets/translations", "app/pointer", "app/x11", "app/hdrop", "app/locale", "app/awake",
}

// owners are the only packages that may import a module themselves.
var owners = map[string][]string{
	"github.com/yalue/onnxruntime_go": {"inference/ort", "inference/ort/internal/native"},
	"go.etcd.io/bbolt":                {"history"},
	"github.com/nats-io":              {"farm"},
	"github.com/ncruces/zenity":       {"app/mac"},
	"github.com/kovidgoyal/imaging":   {"inference/colour", "inference/picture"},
	"github.com/spf13/cobra":          {"app"},
	"github.com/jezek/xgb":            {"app/x11"},
	"github.com/godbus/dbus":          {"app/awake"},
	"fyne.io/fyne/v2/app":             {"app"},
	"github.com/go-gl/glfw/v3.4/glfw": {"app", "app/pointer"},
	"fyne.io/fyne/v2":                 {"app", "app/pointer", "ui", "ui/computers", "ui/gallery", "ui/grid", "ui/inspect", "ui/mask", "ui/models", "ui/models/modelstest", "ui/preferences", "ui/queue", "ui/reuse", "ui/saving", "ui/settings", "ui/stage", "ui/subjects", "ui/wordbook", "ui/roomtest", "ui/command", "ui/kit"},
}

// pure packages reach no C code outside Go's standard library, by whatever way.
var pure = []string{"ui", "history/journal", "farm", "inference", "inference/bundle", "history", "assets"}

type listed struct {
	ImportPath string
	Doc        string
	Standard   bool
	CgoFiles   []string
	Imports    []string
	Deps       []string
}

// list asks the go command for the program's packages and everything that they import.
func list(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-tags", "migrated_fynedo", "-deps", "-json=ImportPath,Doc,Standard,CgoFiles,Imports,Deps", "realword/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func TestArrowsPointDown(t *testing.T) {
	packages := list(t)
	for path, p := range packages {
		name, ours := strings.CutPrefix(path, "realword/")
		if !ours {
			continue
		}
		level := slices.Index(layers, name)
		if level < 0 {
			t.Errorf("%s has no place in the list of layers", name)
		}
		for _, imported := range p.Imports {
			if below, ours := strings.CutPrefix(imported, "realword/"); ours && slices.Index(layers, below) <= level {
				t.Errorf("%s imports %s, which does not stand below it", name, below)
			}
			for module, allowed := range owners {
				if (imported == module || strings.HasPrefix(imported, module+"/")) && !slices.Contains(allowed, name) {
					t.Errorf("%s imports %s, which only %v may", name, imported, allowed)
				}
			}
		}
	}
	if !slices.Contains(packages["fyne.io/fyne/v2/internal/driver/glfw"].Imports, "github.com/go-gl/glfw/v3.4/glfw") {
		t.Error("Fyne drives its windows with another GLFW than app/rest.go waits in")
	}
	for _, name := range pure {
		for _, dep := range packages["realword/"+name].Deps {
			if d := packages[dep]; len(d.CgoFiles) > 0 && !d.Standard {
				t.Errorf("%s reaches C code in %s", name, dep)
			}
		}
	}
}
