package files

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"realword/inference/wait"
)

// within fails the test when f does not return at once: opening a pipe that nobody writes to waits for ever.
func within(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(wait.Longest):
		t.Fatalf("%s: it waits", what)
		return nil
	}
}

func TestReadTakesRegularFilesBelowTheLimit(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no links here:", err)
	}
	for _, p := range []string{path, link} {
		if data, err := Read(p, 5); err != nil || string(data) != "hello" {
			t.Errorf("%s: %q, %v", p, data, err)
		}
		var e *Error
		if _, err := Read(p, 4); !errors.As(err, &e) || !strings.Contains(err.Error(), "5 bytes") || !strings.Contains(err.Error(), p) {
			t.Errorf("over the limit: %v", err)
		}
	}
	if _, err := Read(filepath.Join(dir, "none"), 9); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if data, err := fs.ReadFile(DirFS(dir), "link.json"); err != nil || string(data) != "hello" {
		t.Errorf("by the folder: %q, %v", data, err)
	}
	if _, err := fs.ReadFile(DirFS(dir), "../"+filepath.Base(dir)+"/a.json"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("out of the folder: %v", err)
	}
	if _, err := fs.Stat(DirFS(dir), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
}

// TestHugeFilesTakeNoMemory: the size is asked first, a sparse file of 8 TB is refused without a page of it.
func TestHugeFilesTakeNoMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(8<<40), f.Close()); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if _, err := Read(path, 1<<30); err == nil || !strings.Contains(err.Error(), "8796093022208 bytes") {
		t.Errorf("%v", err)
	}
}

// TestGrowingFilesEnd: what is written after the opening is not read.
func TestGrowingFilesEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := DirFS(dir).Open("log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(path, []byte("one and two"), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil || b.String() != "one" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestFoldersAndDevicesAreRefused(t *testing.T) {
	cases := map[string]string{t.TempDir(): "is a folder"}
	for _, device := range []string{"/dev/zero", "/dev/full", "/dev/tty", "/dev/random"} {
		if _, err := os.Stat(device); err == nil {
			cases[device] = "is a device"
		}
	}
	for path, want := range cases {
		var e *Error
		for _, err := range []error{
			within(t, path, func() error { _, err := Open(path); return err }),
			within(t, path, func() error { _, err := Read(path, 1<<20); return err }),
			within(t, path, func() error {
				_, err := fs.ReadFile(DirFS(filepath.Dir(path)), filepath.Base(path))
				return err
			}),
		} {
			if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// Go calls a file irregular that OneDrive keeps.
func TestFilesOfCloudsAreFiles(t *testing.T) {
	const path = `C:\Users\a\OneDrive\Bilder\dog.png`
	for name, c := range map[string]struct {
		system string
		mode   fs.FileMode
		want   bool
	}{
		"a file":              {"windows", 0o666, true},
		"in a cloud":          {"windows", 0o444 | fs.ModeIrregular, true},
		"a folder in a cloud": {"windows", fs.ModeDir | fs.ModeIrregular | 0o777, false},
		"a pipe":              {"windows", fs.ModeNamedPipe, false},
		"an odd pipe":         {"windows", fs.ModeNamedPipe | fs.ModeIrregular, false},
		"a device":            {"windows", fs.ModeDevice | fs.ModeCharDevice, false},
		"odd elsewhere":       {"linux", fs.ModeIrregular, false},
		"a file elsewhere":    {"linux", 0o666, true},
	} {
		if got := isFile(c.system, c.mode); got != c.want {
			t.Errorf("%s is a file: %v", name, got)
		}
		if err := regularOn(c.system, path, c.mode); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is inside a folder on one system is on every other.
func TestNamesInsideAFolder(t *testing.T) {
	for name, want := range map[string]bool{
		"tokenizer/vocab.json": true, "unet.onnx": true, "a b/ü.bin": true, "..a": true,
		"../a": false, "/a": false, "a/../b": false, "": false, `tokenizer/..\..\.ssh\id_ed25519`: false, `a\b`: false, `\\server\share\a`: false, `C:\a`: false,
	} {
		if got := IsInside(name); got != want {
			t.Errorf("%q is inside: %v", name, got)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{`x\..\..\a`, "../a", "/a"} {
		_, stat := fs.Stat(DirFS(dir), name)
		_, open := DirFS(dir).Open(name)
		if outside := runtime.GOOS == "windows" || name[0] != 'x'; errors.Is(stat, fs.ErrInvalid) != outside || errors.Is(open, fs.ErrInvalid) != outside {
			t.Errorf("%q: %v, %v", name, stat, open)
		}
	}
}
