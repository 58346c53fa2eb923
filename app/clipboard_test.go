package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestPicturesComeOutOfTheClipboard(t *testing.T) {
	const png = "\x89PNG picture"
	broken := func() ([]byte, error) { return nil, errors.New("no libX11") }
	from := func(text string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(text), nil } }
	stuck := func() ([]byte, error) { select {} }
	tools := func(have map[string]string) func(context.Context, string, ...string) ([]byte, error) {
		return func(_ context.Context, name string, _ ...string) ([]byte, error) {
			if text, ok := have[name]; ok {
				return []byte(text), nil
			}
			return nil, errNoTool
		}
	}
	for name, c := range map[string]struct {
		reader clipboardReader
		want   string // the picture, or the beginning of the error
	}{
		"the library":              {clipboardReader{library: from(png), tool: tools(nil)}, png},
		"no picture":               {clipboardReader{library: from(""), tool: tools(nil)}, ""},
		"text is no picture":       {clipboardReader{linux: true, library: broken, tool: tools(map[string]string{"xclip": "hello"})}, ""},
		"Wayland":                  {clipboardReader{linux: true, wayland: true, library: broken, tool: tools(map[string]string{"wl-paste": png})}, png},
		"Wayland without its tool": {clipboardReader{linux: true, wayland: true, library: from(png), tool: tools(nil)}, png},
		"X11 without the library":  {clipboardReader{linux: true, library: broken, tool: tools(map[string]string{"xclip": png})}, png},
		"nothing at all":           {clipboardReader{linux: true, library: broken, tool: tools(nil)}, "pictures cannot be pasted here: install xclip"},
		"nothing at all, Wayland":  {clipboardReader{linux: true, wayland: true, library: broken, tool: tools(nil)}, "pictures cannot be pasted here: install wl-clipboard"},
		"another system":           {clipboardReader{library: broken, tool: tools(nil)}, "the clipboard cannot be read"},
		"nobody answers":           {clipboardReader{library: stuck, tool: tools(nil)}, "the program the picture was copied from"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			defer cancel()
			data, err := c.reader.read(ctx)
			got := string(data)
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPicturesGoIntoTheClipboard(t *testing.T) {
	const png = "\x89PNG picture"
	works := func([]byte) error { return nil }
	broken := func([]byte) error { return errors.New("no libX11") }
	for name, c := range map[string]struct {
		writer clipboardWriter
		have   string // the tool that is installed
		used   string // the tool that has got the picture
		want   string // the beginning of the error
	}{
		"the library":              {clipboardWriter{linux: true, library: works}, "xclip", "", ""},
		"Wayland":                  {clipboardWriter{linux: true, wayland: true, library: broken}, "wl-copy", "wl-copy", ""},
		"Wayland without its tool": {clipboardWriter{linux: true, wayland: true, library: works}, "", "", ""},
		"X11 without the library":  {clipboardWriter{linux: true, library: broken}, "xclip", "xclip", ""},
		"nothing at all":           {clipboardWriter{linux: true, library: broken}, "", "", "pictures cannot be copied here: install xclip"},
		"nothing at all, Wayland": {
			clipboardWriter{linux: true, wayland: true, library: broken}, "", "",
			"pictures cannot be copied here: install wl-clipboard",
		},
		"another system": {clipboardWriter{library: broken}, "xclip", "", "the picture cannot be copied: no libX11"},
	} {
		t.Run(name, func(t *testing.T) {
			used := ""
			c.writer.tool = func(_ context.Context, data []byte, name string, _ ...string) error {
				if name != c.have {
					return errNoTool
				}
				if string(data) == png {
					used = name
				}
				return nil
			}
			got := ""
			if err := c.writer.write(t.Context(), []byte(png)); err != nil {
				got = err.Error()
			}
			if used != c.used || !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("given to %q, %q; want %q, %q", used, got, c.used, c.want)
			}
		})
	}
}

// TestEndlessClipboard keeps a program that never ends from filling the memory.
func TestEndlessClipboard(t *testing.T) {
	if _, err := exec.LookPath("yes"); err != nil {
		t.Skip("there is no yes")
	}
	if data, err := runTool(t.Context(), "yes"); err == nil || len(data) > 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}
