package house

import (
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

// TestTheMakefileKnowsAMac: `make` finds the library for a Mac with the programs that a Mac has.
func TestTheMakefileKnowsAMac(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	home := t.TempDir()
	cmd := exec.Command("make", "-s", "-C", "..", "-f", "-", "say")
	cmd.Stdin = strings.NewReader("include Makefile\nsay:\n\t@echo '$(PLATFORM) $(ORT_MEMBER) $(ORT_LIBRARY)'\n")
	cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "HOME="+home, "PATH="+apple(t)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	name := "libonnxruntime.1.dylib"
	want := "darwin/arm64 darwin/arm64/" + name + " " + home + "/Library/Caches/realword/onnxruntime-"
	if err != nil || !strings.Contains(string(out), want) || !strings.HasSuffix(string(out), "/"+name+"\n") {
		t.Errorf("the Makefile says %s (%v), want %s…/%s", out, err, want, name)
	}
}
