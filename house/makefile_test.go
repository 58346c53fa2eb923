package house

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// apple is a folder to be put before PATH, whose programs do as those of macOS where these differ from GNU's.
func apple(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range map[string]string{
		"paste": `case $1 in -*) [ $# -gt 1 ] || { echo "usage: paste [-s] [-d delimiters] file ..." >&2; exit 1; };; esac; exec /usr/bin/paste "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// makeOnAMac is what make says of the Makefile and further rules where a Mac is around it, whose user has an empty folder.
func makeOnAMac(t *testing.T, rules string, arguments ...string) string {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	// Else the go command leaves a process behind, which writes there while the folder is being removed.
	home := t.TempDir()
	telemetry := filepath.Join(home, ".config", "go", "telemetry")
	if err := errors.Join(os.MkdirAll(telemetry, 0o700), os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", append([]string{"-s", "-C", "..", "-f", "-"}, arguments...)...)
	cmd.Stdin = strings.NewReader("include Makefile\n" + rules)
	cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "GOTOOLCHAIN=local", "HOME="+home, "XDG_CONFIG_HOME=",
		"PATH="+apple(t)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %v: %v: %s", arguments, err, out)
	}
	return string(out)
}

// TestTheMakefileKnowsAMac: `make` finds the library for a Mac with the programs that a Mac has.
func TestTheMakefileKnowsAMac(t *testing.T) {
	out := makeOnAMac(t, "say:\n\t@echo '$(PLATFORM) $(ORT_MEMBER) $(HOME) $(ORT_LIBRARY)'\n", "say")
	said := strings.Fields(out)
	if len(said) != 4 || said[0] != "darwin/arm64" || said[1] != "darwin/arm64/libonnxruntime.1.dylib" ||
		!strings.HasPrefix(said[3], said[2]+"/Library/Caches/realword/onnxruntime-") || !strings.HasSuffix(said[3], "/libonnxruntime.1.dylib") {
		t.Errorf("the Makefile says: %s", out)
	}
}
