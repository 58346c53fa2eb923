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

// TestDoubleClick holds that the program opens its window for whoever has no terminal: cobra ends programs that the Explorer starts.
func TestDoubleClick(t *testing.T) {
	cobra.MousetrapHelpText = "This is a command line tool."
	newRoot()
	if cobra.MousetrapHelpText != "" {
		t.Errorf("a double click on Windows tells %q and ends the program", cobra.MousetrapHelpText)
	}
}
