package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.design/x/clipboard"

	"realword/inference/picture"
)

// clipboardPatience is how long the program that put a picture into the clipboard may take to hand it over.
const clipboardPatience = 5 * time.Second

// pasteImage reads the picture in the system's clipboard as a PNG file; none is no error. The library speaks to Windows, macOS and
// X11. A Wayland desktop gives the clipboard only to the program in front, or to wl-paste; xclip helps where the
// library does not find libX11.
func pasteImage() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), clipboardPatience)
	defer cancel()
	return clipboardReader{
		wayland: os.Getenv("WAYLAND_DISPLAY") != "", linux: runtime.GOOS == "linux", library: readClipboard,
		tool: runTool,
	}.read(ctx)
}

// clipboardReader is the ways to a picture in the clipboard.
type clipboardReader struct {
	wayland, linux bool
	library        func() ([]byte, error)
	tool           func(ctx context.Context, name string, args ...string) ([]byte, error)
}

// errNoTool says that a program is not installed.
var errNoTool = errors.New("not installed")

func (c clipboardReader) read(ctx context.Context) ([]byte, error) {
	if c.wayland {
		if data, err := c.tool(ctx, "wl-paste", "--type", "image/png"); !errors.Is(err, errNoTool) {
			return onlyPNG(data, ctx.Err())
		}
	}
	type answer struct {
		data []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() { // the library waits for the other program without an end
		data, err := c.library()
		done <- answer{data, err}
	}()
	select {
	case a := <-done:
		if a.err == nil {
			return onlyPNG(a.data, nil)
		}
	case <-ctx.Done():
		return onlyPNG(nil, ctx.Err())
	}
	if !c.linux {
		return nil, errors.New("the clipboard cannot be read: drop the picture on the window, or open its file")
	}
	data, err := c.tool(ctx, "xclip", "-selection", "clipboard", "-target", "image/png", "-out")
	if errors.Is(err, errNoTool) {
		name := "xclip"
		if c.wayland {
			name = "wl-clipboard"
		}
		return nil, errors.New("pictures cannot be pasted here: install " + name + ", or drop the picture on the window")
	}
	return onlyPNG(data, ctx.Err())
}

// copyImage puts a picture, given as a PNG file, into the system's clipboard. On X11 and with the library it is there until the program
// ends, or somebody copies something else.
func copyImage(png []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), clipboardPatience)
	defer cancel()
	return clipboardWriter{
		wayland: os.Getenv("WAYLAND_DISPLAY") != "", linux: runtime.GOOS == "linux", library: writeClipboard, tool: feedTool,
	}.write(ctx, png)
}

// clipboardWriter is the ways of a picture into the clipboard.
type clipboardWriter struct {
	wayland, linux bool
	library        func(png []byte) error
	tool           func(ctx context.Context, data []byte, name string, args ...string) error
}

func (c clipboardWriter) write(ctx context.Context, png []byte) error {
	if c.wayland {
		if err := c.tool(ctx, png, "wl-copy", "--type", "image/png"); !errors.Is(err, errNoTool) {
			return err
		}
	}
	err := c.library(png)
	if err != nil && c.linux {
		err = c.tool(ctx, png, "xclip", "-selection", "clipboard", "-target", "image/png", "-in")
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoTool) && c.wayland:
		return errors.New("pictures cannot be copied here: install wl-clipboard, or save the picture")
	case errors.Is(err, errNoTool):
		return errors.New("pictures cannot be copied here: install xclip, or save the picture")
	}
	return fmt.Errorf("the picture cannot be copied: %w", err)
}

func writeClipboard(png []byte) error {
	if err := clipboard.Init(); err != nil {
		return err
	}
	if clipboard.Write(clipboard.FmtImage, png) == nil {
		return errors.New("the clipboard cannot be written to")
	}
	return nil
}

// feedTool gives data to a program. Its output is not waited for: what keeps a clipboard goes on in the background.
func feedTool(ctx context.Context, data []byte, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return errNoTool
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Stdin = bytes.NewReader(data)
	return c.Run()
}

// onlyPNG keeps what the tools print when there is no picture from being taken for one.
func onlyPNG(data []byte, late error) ([]byte, error) {
	switch {
	case late != nil:
		return nil, errors.New("the program the picture was copied from does not hand it over: copy it again, or save it and open the file")
	case !bytes.HasPrefix(data, []byte("\x89PNG")):
		return nil, nil
	}
	return data, nil
}

func readClipboard() ([]byte, error) {
	if err := clipboard.Init(); err != nil {
		return nil, err
	}
	return clipboard.Read(clipboard.FmtImage), nil
}

func runTool(ctx context.Context, name string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, errNoTool
	}
	c := exec.CommandContext(ctx, path, args...)
	out := &limited{most: picture.DefaultLimits.Bytes}
	c.Stdout = out
	if err := c.Run(); err != nil {
		return nil, err
	}
	return out.data, nil
}

// limited takes no more than a file may have: what comes after that is an error, which ends the program that writes it.
type limited struct {
	data []byte
	most int64
}

func (l *limited) Write(b []byte) (int, error) {
	if int64(len(l.data)+len(b)) > l.most {
		return 0, errors.New("more than a picture")
	}
	l.data = append(l.data, b...)
	return len(b), nil
}
