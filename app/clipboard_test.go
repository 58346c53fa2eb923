package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"

	"realword/inference/wait"
)

// tools are programs that are installed: what a call of each prints.
func tools(have map[string]string) func(context.Context, []byte, string, ...string) ([]byte, error) {
	return func(_ context.Context, _ []byte, name string, args ...string) ([]byte, error) {
		if text, ok := have[strings.Join(append([]string{name}, args...), " ")]; ok {
			return []byte(text), nil
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(have)), func(key string) bool { return strings.HasPrefix(key, name+" ") }) {
			return nil, errors.New("exit status 1")
		}
		return nil, errNoTool
	}
}

func TestPicturesAndFilesComeOutOfTheClipboard(t *testing.T) {
	const png, jpeg = "\x89PNG picture", "\xff\xd8\xff picture"
	type read = func(context.Context, []string) (string, []byte, error)
	from := func(form, text string) read {
		return func(_ context.Context, forms []string) (string, []byte, error) {
			if !slices.Contains(forms, form) {
				return "", nil, nil
			}
			return form, []byte(text), nil
		}
	}
	broken := func(context.Context, []string) (string, []byte, error) { return "", nil, errors.New("no server") }
	stuck := func(context.Context, []string) (string, []byte, error) { select {} }
	xclip := func(forms, form, text string) map[string]string {
		return map[string]string{
			"xclip -selection clipboard -target TARGETS -out": forms, "xclip -selection clipboard -out -target " + form: text,
		}
	}
	wayland := func(forms, form, text string) map[string]string {
		return map[string]string{"wl-paste --list-types": forms, "wl-paste --no-newline --type " + form: text}
	}
	for name, c := range map[string]struct {
		ways clipboardWays
		want string // the picture, the files, or the beginning of the error
	}{
		"a picture":   {clipboardWays{read: from("image/png", png), tool: tools(nil)}, png},
		"JPEG":        {clipboardWays{read: from("image/jpeg", jpeg), tool: tools(nil)}, jpeg},
		"no picture":  {clipboardWays{read: from("text/plain", "hello"), tool: tools(nil)}, ""},
		"files":       {clipboardWays{read: from("text/uri-list", "file:///a.png\r\nfile:///b%20c.jpg\r\n"), tool: tools(nil)}, "[/a.png /b c.jpg]"},
		"of Nautilus": {clipboardWays{read: from("x-special/gnome-copied-files", "copy\nfile:///a.png\nfile:///%C3%BC.png"), tool: tools(nil)}, "[/a.png /ü.png]"},
		"of the network": {
			clipboardWays{read: from("text/uri-list", "sftp://host/a.png"), tool: tools(nil)}, "sftp://host/a.png is not on this computer",
		},
		"Wayland": {
			clipboardWays{linux: true, wayland: true, read: broken, tool: tools(wayland("text/html\nimage/jpeg\n", "image/jpeg", jpeg))}, jpeg,
		},
		"Wayland, empty":           {clipboardWays{linux: true, wayland: true, read: broken, tool: tools(wayland("text/html\n", "-", ""))}, ""},
		"Wayland without its tool": {clipboardWays{linux: true, wayland: true, read: from("image/png", png), tool: tools(nil)}, png},
		"X11 by its tool": {
			clipboardWays{linux: true, read: broken, tool: tools(xclip("TARGETS\ntext/uri-list\n", "text/uri-list", "file:///a.png"))}, "[/a.png]",
		},
		"text is no picture":      {clipboardWays{linux: true, read: broken, tool: tools(xclip("image/png", "image/png", "hello"))}, ""},
		"nothing at all":          {clipboardWays{linux: true, read: broken, tool: tools(nil)}, "pictures cannot be pasted here: install xclip"},
		"nothing at all, Wayland": {clipboardWays{linux: true, wayland: true, read: broken, tool: tools(nil)}, "pictures cannot be pasted here: install wl-clipboard"},
		"another system":          {clipboardWays{read: broken, tool: tools(nil)}, "the clipboard cannot be read"},
		"nobody answers":          {clipboardWays{read: stuck, tool: tools(nil)}, "the program the picture was copied from"},
	} {
		t.Run(name, func(t *testing.T) {
			limit := wait.Longest
			if name == "nobody answers" {
				limit = time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			in, err := c.ways.paste(ctx)
			got := string(in.Picture)
			if len(in.Files) > 0 {
				got = fmt.Sprint(in.Files)
			}
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A bitmap, as programs of Windows copy it, becomes a PNG file; one that cannot be read stays, for the window to say why.
func TestBitmapsArePastedAsPNG(t *testing.T) {
	var file bytes.Buffer
	if err := bmp.Encode(&file, image.NewGray(image.Rect(0, 0, 5, 3))); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{file.Bytes(), []byte("BM")} {
		ways := clipboardWays{read: func(context.Context, []string) (string, []byte, error) { return formBMP, data, nil }}
		in, err := ways.paste(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if size, err := png.DecodeConfig(bytes.NewReader(in.Picture)); len(data) > 2 && (err != nil || size.Width != 5 || size.Height != 3) {
			t.Errorf("%q, %v", in.Picture, err)
		} else if len(data) == 2 && !bytes.Equal(in.Picture, data) {
			t.Errorf("%q of %q", in.Picture, data)
		}
	}
}

func TestWhatIsCopiedGoesIntoTheClipboard(t *testing.T) {
	const png = "\x89PNG picture"
	works := func(map[string][]byte) error { return nil }
	broken := func(map[string][]byte) error { return errors.New("no server") }
	for name, c := range map[string]struct {
		ways clipboardWays
		have string // the tool that is installed
		used string // the tool that has got the picture
		want string // the beginning of the error
	}{
		"X11":                      {clipboardWays{linux: true, write: works}, "xclip", "", ""},
		"Wayland":                  {clipboardWays{linux: true, wayland: true, write: broken}, "wl-copy", "wl-copy --type image/png", ""},
		"Wayland without its tool": {clipboardWays{linux: true, wayland: true, write: works}, "", "", ""},
		"X11 by its tool":          {clipboardWays{linux: true, write: broken}, "xclip", "xclip -selection clipboard -target image/png -in", ""},
		"nothing at all":           {clipboardWays{linux: true, write: broken}, "", "", "nothing can be copied here: install xclip"},
		"nothing at all, Wayland":  {clipboardWays{linux: true, wayland: true, write: broken}, "", "", "nothing can be copied here: install wl-clipboard"},
		"another system":           {clipboardWays{write: broken}, "xclip", "", "it cannot be copied: no server"},
	} {
		t.Run(name, func(t *testing.T) {
			used := ""
			c.ways.tool = func(_ context.Context, data []byte, name string, args ...string) ([]byte, error) {
				if name != c.have {
					return nil, errNoTool
				}
				if string(data) == png {
					used = strings.Join(append([]string{name}, args...), " ")
				}
				return nil, nil
			}
			got := ""
			if err := c.ways.copy(t.Context(), map[string][]byte{formPNG: []byte(png)}, formPNG); err != nil {
				got = err.Error()
			}
			if used != c.used || !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("given to %q, %q; want %q, %q", used, got, c.used, c.want)
			}
		})
	}
}

// A list of files comes out as it went in.
func TestListsOfFiles(t *testing.T) {
	paths := []string{"/a.png", "/b c/100 %#?.jpg", "/狐.png"}
	list := uriList(paths)
	if want := "file:///a.png\r\nfile:///b%20c/100%20%25%23%3F.jpg\r\nfile:///%E7%8B%90.png\r\n"; string(list) != want {
		t.Errorf("%q, want %q", list, want)
	}
	if got, err := filesOf(list); err != nil || !slices.Equal(got, paths) {
		t.Errorf("%q, %v", got, err)
	}
	if string(uriList([]string{"C:/a.png"})) != "file:///C:/a.png\r\n" {
		t.Errorf("%q", uriList([]string{"C:/a.png"}))
	}
	if got, err := filesOf([]byte("file:///C:/a.png\x00")); err != nil || !slices.Equal(got, []string{"C:/a.png"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestEndlessClipboard keeps a program that never ends from filling the memory.
func TestEndlessClipboard(t *testing.T) {
	if _, err := exec.LookPath("yes"); err != nil {
		t.Skip("there is no yes")
	}
	if data, err := runTool(t.Context(), nil, "yes"); err == nil || len(data) > 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}
