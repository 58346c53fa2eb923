package main

import (
	"errors"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// nowhere is the standard error of a program with a window on Windows.
type nowhere struct{}

func (nowhere) Write([]byte) (int, error) { return 0, errors.New("the handle is invalid") }

// TestLogWithoutConsole holds that messages are kept where they can be written to the file alone.
func TestLogWithoutConsole(t *testing.T) {
	home(t)
	defer log.SetOutput(log.Writer())
	folder, err := keepLog(nowhere{})
	if err != nil {
		t.Fatal(err)
	}
	log.Print("a message to be kept")
	text, err := os.ReadFile(filepath.Join(folder, "realword.log"))
	if err != nil || !strings.Contains(string(text), "a message to be kept") {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// TestLogThatStays: where the old log cannot be put aside, as on Windows while another window has it open, messages are kept in it.
func TestLogThatStays(t *testing.T) {
	home(t)
	defer log.SetOutput(log.Writer())
	folder, err := keepLog(nowhere{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "realword.log")
	if err := errors.Join(os.Truncate(path, logLimit+1), os.MkdirAll(filepath.Join(folder, "realword.old.log", "full"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := keepLog(nowhere{}); err != nil {
		t.Fatal(err)
	}
	log.Print("a message to be kept")
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "a message to be kept") {
		t.Errorf("the file holds %d bytes, %v", len(text), err)
	}
}

// TestUsualLog holds that a machine without a desktop fills nobody's terminal, and that no other message goes with that.
func TestUsualLog(t *testing.T) {
	var out strings.Builder
	l := log.New(&usualLog{Writer: &out}, "", log.LstdFlags)
	for _, line := range []string{
		"Fyne error:  Unable to connect to session D-Bus", "  Cause: exec: \"dbus-launch\": executable file not found in $PATH", "  At: /x/app_xdg.go:73", "  At: kept 1",
		"Fyne error:  kept another", "  Cause: kept 2", "  At: kept 3", "Fyne error:  failed to watch theme settings", "  Cause: exec: \"dbus-launch\": executable file not found", "kept 4", "  At: kept 5",
		"Fyne error:  kept without a cause", "Fyne error:  kept again", "  At: kept 6",
	} {
		l.Println(line)
	}
	if got := out.String(); strings.Count(got, "\n") != 9 || strings.Count(got, "kept") != 9 || strings.Contains(got, "D-Bus") || strings.Contains(got, "dbus") {
		t.Error(got)
	}
}

// TestDoubleClick holds that the program opens its window for whoever has no terminal: cobra ends programs that the Explorer starts.
func TestDoubleClick(t *testing.T) {
	cobra.MousetrapHelpText = "This is a command line tool."
	newRoot()
	if cobra.MousetrapHelpText != "" {
		t.Errorf("a double click on Windows tells %q and ends the program", cobra.MousetrapHelpText)
	}
}
