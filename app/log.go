package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"realword/inference/files"

	"github.com/spf13/cobra"
)

// logLimit is when a log file gives way to a new one; one old file is kept.
const logLimit = 1 << 20

// keepLog writes what packages log, and what the program dies of, into a file too, and answers its folder.
func keepLog(stderr io.Writer) (folder string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder = filepath.Join(cache, "realword", "log")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, "realword.log")
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		// On Windows a window that is open keeps its name: then it goes on growing, which is better than no log.
		_ = os.Rename(path, filepath.Join(folder, "realword.old.log"))
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	// the file first: a program with a window may have nowhere else to write to. It stays open
	log.SetOutput(&usualLog{Writer: io.MultiWriter(f, stderr)})
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return "", err
	}
	fmt.Fprintf(f, "%s %s %s on %s/%s\n", time.Now().Format(time.DateTime), appName, version, runtime.GOOS, runtime.GOARCH)
	return folder, nil
}

// usualLog leaves out that there is no D-Bus, which Fyne says in three lines, in several places, at every start without a desktop.
// Nothing is lost by it.
type usualLog struct {
	io.Writer
	held  []byte // the first line of a message of Fyne's: the next one says whether it is that
	about bool   // it was that: its third line comes
}

func (l *usualLog) Write(line []byte) (int, error) {
	held, about := l.held, l.about
	l.held, l.about = nil, false
	switch {
	case bytes.Contains(line, []byte("Fyne error:  ")):
		l.held = bytes.Clone(line)
		if held == nil {
			return len(line), nil
		}
		_, err := l.Writer.Write(held)
		return len(line), err
	case held != nil && bytes.Contains(line, []byte("  Cause: ")) && bytes.Contains(line, []byte("dbus-launch")):
		l.about = true
		return len(line), nil
	case about && bytes.Contains(line, []byte("  At: ")):
		return len(line), nil
	case held != nil:
		if _, err := l.Writer.Write(held); err != nil {
			return 0, err
		}
	}
	return l.Writer.Write(line)
}

// endedLog is the log of a window that is closed. Fyne then writes the preferences, sees its own new file, reads it while it is still
// empty, and logs three lines about that. Nothing is lost by it.
type endedLog struct{ io.Writer }

func (l endedLog) Write(line []byte) (int, error) {
	for _, part := range []string{"Preferences load error:", "  Cause: EOF", "app/preferences.go:"} {
		if bytes.Contains(line, []byte(part)) {
			return len(line), nil
		}
	}
	return l.Writer.Write(line)
}

// writeReport writes what the doctor finds and the newest messages into a file for whoever is asked for help. Neither holds a
// prompt or a picture.
func writeReport(c *cobra.Command, m machine, logs, path string) error {
	return files.Put(path, files.Private, func(f io.Writer) error {
		fmt.Fprintf(f, "%s %s, %s\n\n", appName, version, time.Now().Format(time.RFC3339))
		findings, _ := examine(c, m)
		report(f, findings)
		_, err := fmt.Fprintf(f, "\nMessages\n\n")
		if logs != "" {
			if text, err := os.ReadFile(filepath.Join(logs, "realword.log")); err == nil {
				_, err = f.Write(text[max(len(text)-64<<10, 0):])
				return err
			}
		}
		return err
	})
}
