//go:build e2e

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/picture"
)

// TestWindow starts the program in a real window, types a prompt, presses Ctrl+Enter and waits for the saved picture. It needs a
// display and xdotool: `make test` gives it a virtual one. REALWORD_E2E_BUILD holds build options of the program (`make audit`).
func TestWindow(t *testing.T) {
	dir := t.TempDir()
	program, model := filepath.Join(dir, "realword"), filepath.Join(dir, "model")
	build := append([]string{"build", "-o", program}, strings.Fields(os.Getenv("REALWORD_E2E_BUILD"))...)
	if out, err := exec.Command("go", append(build, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := bundle.Import(t.Context(), "../assets/golden/data/tiny", model, nil); err != nil {
		t.Fatal(err)
	}
	pictures, config := filepath.Join(dir, "pictures"), filepath.Join(dir, "config")

	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "--model", model)
	cmd.Env = append(os.Environ(), "XDG_PICTURES_DIR="+pictures, "XDG_CONFIG_HOME="+config, "LIBGL_ALWAYS_SOFTWARE=1", "WAYLAND_DISPLAY=")
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	wait := func(what string, ready func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ready(); time.Sleep(50 * time.Millisecond) {
			select {
			case err := <-ended:
				t.Fatalf("the program ended before there was %s: %v\n%s", what, err, stderr.String())
			default:
			}
			if time.Now().After(deadline) {
				cmd.Process.Kill()
				t.Fatalf("%s did not come within a minute", what)
			}
		}
	}

	var window string
	wait("a window", func() bool {
		out, err := exec.Command("xdotool", "search", "--onlyvisible", "--name", "^"+appName).Output()
		window, _, _ = strings.Cut(string(out), "\n")
		return err == nil && window != ""
	})
	t.Logf("window after %v", time.Since(start).Round(time.Millisecond))
	var files []string
	wait("a picture", func() bool {
		if files, _ = filepath.Glob(filepath.Join(pictures, appName, "*", "*.png")); len(files) > 0 {
			return true
		}
		// What comes before the model is open has no effect, and so it is done until it has one.
		x := exec.Command("xdotool", "windowfocus", window, "sleep", "0.3", "key", "ctrl+l", "sleep", "0.3", "key", "ctrl+a", "sleep", "0.1",
			"type", "--delay", "30", "a dog on the beach")
		y := exec.Command("xdotool", "sleep", "0.3", "key", "ctrl+Return", "sleep", "3")
		for _, cmd := range []*exec.Cmd{x, y} { // in two, because type takes every argument that follows
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("xdotool: %v\n%s", err, out)
			}
		}
		return false
	})
	t.Logf("picture after %v", time.Since(start).Round(time.Millisecond))
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if m, err := picture.ReadMetadata(data); err != nil || m.Prompt != "a dog on the beach" {
		t.Errorf("the saved picture was made with the prompt %q, %v", m.Prompt, err)
	}

	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("after SIGINT: %v", err)
		}
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		t.Error("SIGINT does not end the window")
	}
	for line := range strings.Lines(stderr.String()) {
		if strings.HasPrefix(line, "audit: ") { // of the watchdog, in a build with the tag audit
			t.Log(strings.TrimSpace(line))
		}
	}
	t.Setenv("XDG_CONFIG_HOME", config)
	if _, list, complaint := command(t, "history", "list"); !strings.Contains(list, "complete") {
		t.Errorf("the history does not have the round: %s%s%s", list, complaint, stderr.String())
	}
	for _, bad := range []string{"panic", "DATA RACE", "should have been called in fyne.Do", "Error in Fyne call thread"} {
		if strings.Contains(stderr.String(), bad) {
			t.Errorf("the program complained:\n%s", stderr.String())
			break
		}
	}
}
