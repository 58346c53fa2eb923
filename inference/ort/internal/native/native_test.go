package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSlots counts through the function table of the header that comes with the Go binding.
func TestSlots(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "onnxruntime_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("api.h")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`#define ORT_API_VERSION (\d+)`).FindSubmatch(header)
	if version == nil || !strings.Contains(string(ours), "API_VERSION = "+string(version[1])+" ") {
		t.Errorf("the binding's header is of version %s: look what has changed and raise API_VERSION", version[1])
	}
	_, table, _ := strings.Cut(string(header), "\nstruct OrtApi {")
	table, _, _ = strings.Cut(table, "\n};")
	table = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`).ReplaceAllString(table, "")
	slot := map[string]int{}
	for i, m := range regexp.MustCompile(`ORT_API2_STATUS\(\s*(\w+)|ORT_CLASS_(RELEASE)\((\w+)\)|ORT_API_T\([^,]+,\s*(\w+)|\(ORT_API_CALL\*\s*(\w+)\)`).FindAllStringSubmatch(table, -1) {
		name := m[1] + m[4] + m[5]
		if m[2] != "" {
			name = "Release" + m[3]
		}
		slot[name] = i
	}
	_, list, _ := strings.Cut(string(ours), "enum slot {")
	list, _, _ = strings.Cut(list, "};")
	names := regexp.MustCompile(`(\w+) = (\d+)`).FindAllStringSubmatch(list, -1)
	if len(names) < 40 {
		t.Fatalf("%d functions in api.h", len(names))
	}
	for _, m := range names {
		if at, err := strconv.Atoi(m[2]); err != nil || slot[m[1]] != at {
			t.Errorf("%s has the place %s in api.h, %d in the header", m[1], m[2], slot[m[1]])
		}
	}
}
