//go:build e2e

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/wait"
)

// A session manager ends the window at once, whatever holds it: a file dialog that is open, or a screen that does not answer any more.
// What was typed just before is kept.
func TestWindowEndsWhateverHoldsIt(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	program := built(t, usualBuild)
	open := func(env ...string) *screen {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), env...)
		return watchScreen(t, cmd, filepath.Join(dir, "s"))
	}
	s := open()
	s.key("ctrl+o")
	s.wait("a file dialog", func() bool {
		return exec.Command("xdotool", "search", "--onlyvisible", "--name", "^Open reference pictures$").Run() == nil
	})
	s.wait("what was typed into the studio beside a file dialog", func() bool {
		s.xdotool("windowfocus", s.window) // the dialog takes the keys when it is ready, which may be after it is seen
		s.key("ctrl+l", "ctrl+a")
		s.xdotool("type", "--delay", "40", "a zebra")
		for range 50 {
			if _, came := s.find("chip", "zebra"); came {
				return true
			}
			time.Sleep(100 * time.Millisecond)
		}
		return false
	})
	began := time.Now()
	s.quit() // which wants exit status 0: a window that the dialog had held would be ended with 1
	t.Logf("with a file dialog it ended after %v", time.Since(began).Round(time.Millisecond))

	// A screen of its own, which stops.
	server := exec.CommandContext(t.Context(), "Xvfb", "-displayfd", "3", "-screen", "0", "1400x900x24")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server.ExtraFiles = []*os.File{writer}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGCONT)
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	display, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(display))
	t.Setenv("XAUTHORITY", "")
	s = open(patienceVariable + "=") // that of every window
	s.see("chip", "zebra")
	if err := server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // a window that draws waits for it now
	began = time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
		t.Logf("with a screen that hangs it ended after %v", time.Since(began).Round(time.Millisecond))
	case <-time.After(wait.Longest):
		t.Errorf("SIGTERM does not end a window whose screen hangs: %s", s.stuck())
	}
}
