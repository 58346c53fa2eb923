package main

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"realword/inference/message"
	"realword/inference/picture"
	"realword/ui"
)

// clipboardPatience is how long the program that put a picture into the clipboard may take to hand it over.
const clipboardPatience = 5 * time.Second

// Forms of what is in a clipboard.
const (
	formPNG   = "image/png"
	formBMP   = "image/bmp"
	formFiles = "text/uri-list"
	formGnome = "x-special/gnome-copied-files" // of file managers: "copy", then addresses
)

// pasted are the forms that are taken out of the clipboard, the best first: a picture before the file that it may come from.
var pasted = []string{formPNG, "image/jpeg", "image/webp", formBMP, "image/gif", formFiles, formGnome}

// systemClipboard is that of the system. A Wayland desktop gives the clipboard only to the program in front, or to wl-paste and
// wl-copy; xclip helps where X11 cannot be reached otherwise.
func systemClipboard() clipboardWays {
	return clipboardWays{
		wayland: os.Getenv("WAYLAND_DISPLAY") != "", linux: runtime.GOOS == "linux", read: readClipboard, write: writeClipboard, tool: runTool,
	}
}

// paste takes the picture or the files in the system's clipboard; neither is no error.
func paste() (ui.Pasted, error) {
	ctx, cancel := context.WithTimeout(context.Background(), clipboardPatience)
	defer cancel()
	return systemClipboard().paste(ctx)
}

// copyImage puts a picture, of which file is the PNG file, into the system's clipboard. On X11 it is there until the program ends, or
// somebody copies something else.
func copyImage(file []byte) error {
	return copyForms(map[string][]byte{formPNG: file}, formPNG)
}

// copyFiles puts files into the system's clipboard, as a file manager does.
func copyFiles(paths []string) error {
	list := uriList(paths)
	gnome := "copy\n" + strings.TrimSpace(strings.ReplaceAll(string(list), "\r", ""))
	return copyForms(map[string][]byte{formFiles: list, formGnome: []byte(gnome)}, formFiles)
}

func copyForms(forms map[string][]byte, first string) error {
	ctx, cancel := context.WithTimeout(context.Background(), clipboardPatience)
	defer cancel()
	return systemClipboard().copy(ctx, forms, first)
}

// notDragged is the error of a drag that does not begin.
func notDragged(err error) error {
	return message.Errorf("the picture cannot be dragged out of the window: %w; copy the file instead", err)
}

// clipboardWays are the ways into the clipboard and out of it.
type clipboardWays struct {
	wayland, linux bool

	read  func(ctx context.Context, forms []string) (form string, data []byte, err error)
	write func(forms map[string][]byte) error
	tool  func(ctx context.Context, data []byte, name string, args ...string) ([]byte, error)
}

// errNoTool says that a program is not installed.
var errNoTool = errors.New("not installed")

// lacks is the program that would lead to the clipboard where nothing else does.
func (c clipboardWays) lacks() string {
	if c.wayland {
		return "wl-clipboard"
	}
	return "xclip"
}

func (c clipboardWays) paste(ctx context.Context) (ui.Pasted, error) {
	if c.wayland {
		if form, data, err := c.ask(ctx, []string{"wl-paste", "--list-types"}, "wl-paste", "--no-newline", "--type"); !errors.Is(err, errNoTool) {
			return pastedOf(form, data, ctx.Err())
		}
	}
	type answer struct {
		form string
		data []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() { // Windows waits for the other program without an end
		form, data, err := c.read(ctx, pasted)
		done <- answer{form, data, err}
	}()
	select {
	case a := <-done:
		if a.err == nil || ctx.Err() != nil {
			return pastedOf(a.form, a.data, ctx.Err())
		}
	case <-ctx.Done():
		return pastedOf("", nil, ctx.Err())
	}
	if !c.linux {
		return ui.Pasted{}, message.New("the clipboard cannot be read: drop the picture on the window, or open its file")
	}
	form, data, err := c.ask(ctx, []string{"xclip", "-selection", "clipboard", "-target", "TARGETS", "-out"},
		"xclip", "-selection", "clipboard", "-out", "-target")
	if errors.Is(err, errNoTool) {
		return ui.Pasted{}, message.Errorf("pictures cannot be pasted here: install %s, or drop the picture on the window", c.lacks())
	}
	return pastedOf(form, data, ctx.Err())
}

// ask has a program list the forms in the clipboard, and give the best of them.
func (c clipboardWays) ask(ctx context.Context, list []string, give ...string) (form string, data []byte, err error) {
	have, err := c.tool(ctx, nil, list[0], list[1:]...)
	if err != nil {
		return "", nil, err
	}
	lines := strings.Fields(string(have))
	i := slices.IndexFunc(pasted, func(form string) bool { return slices.Contains(lines, form) })
	if i < 0 {
		return "", nil, nil
	}
	data, err = c.tool(ctx, nil, give[0], append(give[1:], pasted[i])...)
	return pasted[i], data, err
}

// pastedOf reads a form of what was in the clipboard.
func pastedOf(form string, data []byte, late error) (ui.Pasted, error) {
	switch {
	case late != nil:
		return ui.Pasted{}, message.New("the program the picture was copied from does not hand it over: copy it again, or save it and open the file")
	case form == formFiles || form == formGnome:
		paths, err := filesOf(data)
		return ui.Pasted{Files: paths}, err
	case form == formPNG && !bytes.HasPrefix(data, []byte("\x89PNG")):
		return ui.Pasted{}, nil // what a tool prints where there is none
	case form == formBMP:
		data = compressed(data)
	}
	return ui.Pasted{Picture: data}, nil
}

// compressed is a bitmap as a PNG file, which the history keeps and sends to other computers. What is not read whole stays: the window says
// why.
func compressed(bmp []byte) []byte {
	var out bytes.Buffer
	if img, info, err := picture.Decode(bmp, picture.Limits{}); err != nil || len(info.Notes) > 0 || png.Encode(&out, img) != nil {
		return bmp
	}
	return out.Bytes()
}

// uriList is files as one program gives them to another.
func uriList(paths []string) []byte {
	var list strings.Builder
	for _, path := range paths {
		path = filepath.ToSlash(path)
		if !strings.HasPrefix(path, "/") {
			path = "/" + path // C:/…
		}
		list.WriteString((&url.URL{Scheme: "file", Path: path}).String() + "\r\n")
	}
	return []byte(list.String())
}

// filesOf is the files of a list; what is not on this computer is an error.
func filesOf(list []byte) (paths []string, err error) {
	for i, line := range strings.Split(strings.ReplaceAll(string(list), "\r", ""), "\n") {
		if line = strings.TrimSpace(strings.Trim(line, "\x00")); line == "" || line[0] == '#' || i == 0 && (line == "copy" || line == "cut") {
			continue
		}
		at, bad := url.Parse(line)
		if bad != nil || at.Scheme != "file" || at.Path == "" {
			return nil, message.Errorf("%s is not on this computer: save it first, then copy the file", line)
		}
		path := at.Path
		if len(path) > 2 && path[0] == '/' && path[2] == ':' {
			path = path[1:] // /C:/…
		}
		paths = append(paths, filepath.FromSlash(path))
	}
	return paths, nil
}

func (c clipboardWays) copy(ctx context.Context, forms map[string][]byte, first string) error {
	if c.wayland {
		if _, err := c.tool(ctx, forms[first], "wl-copy", "--type", first); !errors.Is(err, errNoTool) {
			return err
		}
	}
	err := c.write(forms)
	if err != nil && c.linux {
		_, err = c.tool(ctx, forms[first], "xclip", "-selection", "clipboard", "-target", first, "-in")
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoTool):
		return message.Errorf("nothing can be copied here: install %s, or save the picture", c.lacks())
	}
	return message.Errorf("it cannot be copied: %w", err)
}

// runTool gives data to a program, or takes what it prints where there is none to give: what keeps a clipboard goes on in the background,
// and its output would be waited for.
func runTool(ctx context.Context, data []byte, name string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, errNoTool
	}
	c := exec.CommandContext(ctx, path, args...)
	out := &limited{most: picture.DefaultLimits.Bytes}
	if data != nil {
		c.Stdin = bytes.NewReader(data)
	} else {
		c.Stdout = out
	}
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
