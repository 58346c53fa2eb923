package bundle_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"realword/inference/bundle"
)

// TestWhereAModelCanGo imports to every way of naming a folder: it is there whole, and nothing else is.
func TestWhereAModelCanGo(t *testing.T) {
	long := strings.Repeat("n", 250) // a file name has 255 bytes
	for name, c := range map[string]struct {
		before func(t *testing.T, dir string) // in the working folder
		out    string
		want   string // where the model is then, seen from the working folder
	}{
		"new":                        {nil, "M", "M"},
		"with a slash":               {nil, "M" + string(filepath.Separator), "M"},
		"with dots":                  {nil, filepath.Join("x", "..") + string(filepath.Separator) + "M" + string(filepath.Separator) + ".", "M"},
		"below folders not there":    {nil, filepath.Join("a", "b", "M"), filepath.Join("a", "b", "M")},
		"here":                       {nil, ".", "."},
		"here, by its slash":         {nil, "." + string(filepath.Separator), "."},
		"a folder that is empty":     {func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, "M"), 0o700)) }, "M", "M"},
		"an empty folder, slash":     {func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, "M"), 0o700)) }, "M" + string(filepath.Separator), "M"},
		"a name as long as they get": {nil, long, long},
		"a link to an empty folder": {func(t *testing.T, dir string) {
			must(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o700))
			if err := os.Symlink("elsewhere", filepath.Join(dir, "M")); err != nil {
				t.Skip(err)
			}
		}, "M", "elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := filepath.Abs(filepath.Join(data, "tiny"))
			must(t, err)
			dir := t.TempDir()
			if c.before != nil {
				c.before(t, dir)
			}
			t.Chdir(dir)
			b, err := bundle.ImportWith(context.Background(), src, c.out, bundle.Options{Copy: true, Name: "Mine", Beside: map[string][]byte{"origin.json": []byte("{}")}})
			must(t, err)
			if err := b.CheckFiles(context.Background()); err != nil || b.Manifest().Name != "Mine" {
				t.Errorf("%q, %v", b.Manifest().Name, err)
			}
			again, err := bundle.Open(filepath.Join(dir, c.want))
			must(t, err)
			if _, err := os.Stat(filepath.Join(again.Dir(), "origin.json")); err != nil {
				t.Error(err)
			}
			if link, err := os.Lstat(filepath.Join(dir, "M")); err == nil && c.want == "elsewhere" && link.Mode()&os.ModeSymlink == 0 {
				t.Error("the link was replaced")
			}
			for _, where := range []string{dir, filepath.Join(dir, c.want), filepath.Dir(filepath.Join(dir, c.want))} {
				hidden, err := filepath.Glob(filepath.Join(where, ".*"))
				if err != nil || len(hidden) > 0 {
					t.Errorf("left behind: %v, %v", hidden, err)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhereAModelCannotGo: it is said before a byte of the checkpoints is read.
func TestWhereAModelCannotGo(t *testing.T) {
	src, err := filepath.Abs(filepath.Join(data, "tiny"))
	must(t, err)
	dir := t.TempDir()
	t.Chdir(dir)
	must(t, os.WriteFile("file", []byte("mine"), 0o600))
	must(t, os.Mkdir("full", 0o700))
	must(t, os.WriteFile(filepath.Join("full", "mine"), []byte("mine"), 0o600))
	cases := map[string]string{"file": "already exists and is not a folder", filepath.Join("file", "M"): "cannot be made", "full": "not empty", strings.Repeat("n", 300): "cannot be made", "nul\x00": "cannot be made"}
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		must(t, os.Mkdir("locked", 0o500))
		cases["locked"], cases[filepath.Join("locked", "M")] = "cannot be written to", "cannot be made"
	}
	for out, want := range cases {
		read := false
		_, err := bundle.ImportWith(context.Background(), src, out, bundle.Options{Progress: func(string, int64, int64) { read = true }})
		if err == nil || !strings.Contains(err.Error(), want) || read {
			t.Errorf("%q: %v (%v)", out, err, read)
		}
	}
	if mine, err := os.ReadFile(filepath.Join("full", "mine")); err != nil || string(mine) != "mine" {
		t.Error("a file of the user's is gone")
	}
	if _, err := bundle.ImportWith(context.Background(), src, "M", bundle.Options{Name: "two\nlines"}); err == nil || !strings.Contains(err.Error(), "one line") {
		t.Errorf("a name of two lines: %v", err)
	}
	entries, err := os.ReadDir(".")
	if must(t, err); len(entries) != 2 && len(entries) != 3 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestAFolderThatFinderHasLookedInto is empty for who has made it for a model, and so is a new drive.
func TestAFolderThatFinderHasLookedInto(t *testing.T) {
	src, err := filepath.Abs(filepath.Join(data, "tiny"))
	must(t, err)
	dir := t.TempDir()
	for _, name := range []string{".DS_Store", "._M", "desktop.ini"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("the system's"), 0o600))
	}
	for _, name := range []string{".Trashes", "lost+found"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	b, err := bundle.ImportWith(context.Background(), src, dir, bundle.Options{Copy: true})
	must(t, err)
	if left, err := os.ReadFile(filepath.Join(dir, ".DS_Store")); b == nil || err != nil || string(left) != "the system's" {
		t.Errorf("%v, %q, %v", b, left, err)
	}
	other := t.TempDir()
	must(t, os.WriteFile(filepath.Join(other, ".profile"), []byte("mine"), 0o600))
	if _, err := bundle.ImportWith(context.Background(), src, other, bundle.Options{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("beside a hidden file of the user's: %v", err)
	}
}

// TestAFinishedModelStays: somebody puts something in the model's place while it is made. What is finished is not deleted for it, nor counts
// as left over, and is whole.
func TestAFinishedModelStays(t *testing.T) {
	src, err := filepath.Abs(filepath.Join(data, "tiny"))
	must(t, err)
	for name, c := range map[string]struct{ before, inTheWay, finished string }{
		"a folder that comes":    {"", "M/in the way", "M-2"},
		"a folder that is there": {"M", "M/" + bundle.ManifestName + "/in the way", "M/model-2"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.MkdirAll(filepath.Join(dir, c.before), 0o700))
			_, err := bundle.ImportWith(context.Background(), src, filepath.Join(dir, "M"), bundle.Options{Copy: true, Progress: func(string, int64, int64) {
				_ = os.MkdirAll(filepath.Join(dir, c.inTheWay), 0o700)
			}})
			finished := filepath.Join(dir, c.finished)
			if err == nil || !strings.Contains(err.Error(), "the model is finished in "+finished+",") {
				t.Fatal(err)
			}
			b, err := bundle.Open(finished)
			must(t, err)
			must(t, b.CheckFiles(context.Background()))
		})
	}
}
