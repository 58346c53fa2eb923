package native

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeaderIsTheBindings holds that both are compiled against one header: the binding's module has moved on where they differ.
func TestHeaderIsTheBindings(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"onnxruntime_c_api.h", "onnxruntime_ep_c_api.h", "onnxruntime_error_code.h"} {
		ours, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), name))
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%s is not that of the binding (%v): run make deps", name, err)
		}
	}
}

// TestHandleRefusesAStranger: a binding that keeps its objects in another way must not become a wild pointer.
func TestHandleRefusesAStranger(t *testing.T) {
	type other struct{ o *os.File }
	if got := handle[*os.File](&other{os.Stdin}, "o"); got != os.Stdin {
		t.Error(got)
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "has no Cmd in [o]") {
			t.Errorf("%q", text)
		}
	}()
	handle[*exec.Cmd](&other{os.Stdin}, "o")
}
