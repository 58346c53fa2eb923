package mac

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"realword/inference/files"
)

//go:embed clipboard.js
var script []byte

// patience is how long the clipboard may take what is copied.
const patience = 10 * time.Second

// Clipboard is that of the system.
type Clipboard struct {
	tool string // osascript
}

// NewClipboard is the clipboard of macOS.
func NewClipboard() Clipboard { return Clipboard{"/usr/bin/osascript"} }

// Held is what a clipboard has: files, or a picture as a file of the form, which is image/png or image/jpeg; nothing is neither.
type Held struct {
	Files   []string
	Form    string
	Picture []byte
}

// Read takes what is there; a picture has no more bytes than most.
func (c Clipboard) Read(ctx context.Context, most int64) (Held, error) {
	var held Held
	err := c.do(ctx, "read", "", nil, func(said []byte, dir string) error {
		if err := json.Unmarshal(said, &held); err != nil {
			return fmt.Errorf("osascript says %q: %w", said, err)
		}
		if held.Form == "" {
			return nil
		}
		file, err := os.Open(filepath.Join(dir, "picture"))
		if err != nil {
			return err
		}
		defer file.Close()
		if held.Picture, err = io.ReadAll(io.LimitReader(file, most+1)); err == nil && int64(len(held.Picture)) > most {
			err = errors.New("more than a picture")
		}
		return err
	})
	if err != nil {
		return Held{}, err
	}
	return held, nil
}

// Copy puts a picture there, as a PNG file.
func (c Clipboard) Copy(png []byte) error { return c.give("picture", png) }

// CopyFiles puts files there, as Finder does.
func (c Clipboard) CopyFiles(paths []string) error {
	list, err := json.Marshal(paths)
	if err != nil {
		return err
	}
	return c.give("files", list)
}

func (c Clipboard) give(what string, data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.do(ctx, what, what, data, nil)
}

// do runs the script in a folder of its own, in which the data, which may be large, goes by a file.
func (c Clipboard) do(ctx context.Context, what, name string, data []byte, then func(said []byte, dir string) error) error {
	dir, done, err := files.Scratch("clipboard")
	if err != nil {
		return err
	}
	defer done()
	if name != "" {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, "clipboard.js")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.tool, "-l", "JavaScript", file, what, dir)
	cmd.WaitDelay = time.Second // whatever holds its output after it was ended
	var failed bytes.Buffer
	cmd.Stderr = &failed
	said, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(strings.TrimPrefix(failed.String(), file+":")))
	case then == nil:
		return nil
	}
	return then(said, dir)
}
