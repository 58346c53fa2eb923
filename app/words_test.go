package main

import (
	"os/exec"
	"runtime"
	"testing"
)

// A shell reads a path that is to be copied as the path that it is.
func TestShellWord(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell")
	}
	for path, plain := range map[string]bool{
		"models/my-model_2.0": true, "/mnt/Bücher/模型": true, "my model": false, "50% off": false, "it's \"$HOME\" `x` \\ *": false, "-": true,
	} {
		word := shellWord(path)
		out, err := exec.Command("sh", "-c", "printf %s "+word).Output()
		if err != nil || string(out) != path || (word == path) != plain {
			t.Errorf("%s is written %s, which is %q, %v", path, word, out, err)
		}
	}
}
