package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"realword/inference/message"
)

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := Write(path, New, []byte("one")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, New, []byte("two"))
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "one" {
		t.Errorf("overwritten with %q", data)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing", "a.png"):              "the folder does not exist",
		filepath.Join(path, "a.png"):                        "a file, not a folder",
		filepath.Join(dir, strings.Repeat("x", 300)+".png"): "the name is too long",
	} {
		err := Write(path, New, []byte("x"))
		if err == nil || runtime.GOOS != "windows" && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if got := listing(t, dir); got != "a.png" {
		t.Errorf("left behind: %s", got)
	}
}

// Where hard links are missing the name is reserved; it must still never replace a file.
func TestPublishNeverReplaces(t *testing.T) {
	dir := t.TempDir()
	temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "a.png")
	for _, p := range []string{temp, path} {
		if err := os.WriteFile(p, []byte(filepath.Base(p)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(temp, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "a.png" {
		t.Errorf("replaced by %q", data)
	}
}

func TestWriteUnique(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	for _, want := range []string{"dog-0001.png", "dog-0002.png"} {
		path, err := WriteUnique(dir, "dog", ".png", []byte("x"))
		if err != nil || filepath.Base(path) != want {
			t.Errorf("%s, %v, want %s", path, err, want)
		}
	}
	for _, other := range []string{"dog-0041.png", "dog-0099.txt", "dog-x.png", "dogs-0100.png", "dog-10000.png"} {
		if err := os.WriteFile(filepath.Join(dir, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if path, err := WriteUnique(dir, "dog", ".png", nil); err != nil || filepath.Base(path) != "dog-10001.png" {
		t.Errorf("%s, %v", path, err)
	}

	// A name is not given again: somebody may have noted it.
	if err := os.Remove(filepath.Join(dir, "dog-10001.png")); err != nil {
		t.Fatal(err)
	}
	if path, err := WriteUnique(dir, "dog", ".png", nil); err != nil || filepath.Base(path) != "dog-10002.png" {
		t.Errorf("%s, %v", path, err)
	}
	Known(filepath.Join(dir, "my-old-cow-0007.png"))
	Known(filepath.Join(dir, "my-old-cow-0003.png"))
	Known(filepath.Join(dir, "my-old.png"))
	if path, err := WriteUnique(dir, "my-old-cow", ".png", nil); err != nil || filepath.Base(path) != "my-old-cow-0008.png" {
		t.Errorf("%s, %v", path, err)
	}

	// Two windows that write at once must not lose a picture.
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := WriteUnique(dir, "cat", ".png", []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := listing(t, dir); strings.Count(got, "cat-") != 20 || !strings.Contains(got, "cat-0020.png") || strings.Contains(got, ".tmp") {
		t.Error(got)
	}
}

func TestWriteErrorsName(t *testing.T) {
	for want, err := range map[string]error{
		"the disk is full; free":     &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"no files of this size":      &fs.PathError{Op: "write", Path: "x", Err: syscall.EFBIG},
		"the folder is read-only":    &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS},
		"change its permissions":     &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES},
		"choose another folder: odd": errors.New("odd"),
	} {
		got := explain("/out/a.png", err)
		if !strings.Contains(got.Error(), want) || !strings.Contains(got.Error(), "/out/a.png") {
			t.Errorf("%v, want %q", got, want)
		}
	}
	// What is said once is not said again, nor the name of a file that is of no concern; the cause can still be told.
	full := explain("/out/a.png", &fs.PathError{Op: "write", Path: "/out/.realword-0123", Err: syscall.ENOSPC})
	if got := full.Error(); got != "/out/a.png cannot be written: the disk is full; free up some space or choose another folder" {
		t.Errorf("it says %q", got)
	}
	if !IsFull(full) || errors.Is(full, fs.ErrPermission) || message.PartsOf(full) == nil {
		t.Error("what it is cannot be told")
	}
	if got := explain("/out/a.png", &os.LinkError{Op: "link", Old: "/out/.realword-0123", New: "/out/a.png", Err: syscall.EIO}).Error(); strings.Contains(got, ".realword") {
		t.Errorf("it says %q", got)
	}
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("the rest needs an ordinary user on Unix: nothing is read-only for root")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteUnique(dir, "dog", ".png", nil); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
}

// TestPut: what was there stays until the new one is whole, and is as private as it was.
func TestPut(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	odd := errors.New("odd")
	check := func(how How, want string, mode fs.FileMode) {
		t.Helper()
		err := Put(path, how, func(w io.Writer) error {
			_, _ = io.WriteString(w, "half")
			return odd
		})
		if data, e := os.ReadFile(path); !errors.Is(err, odd) || want != string(data) || want == "" && !errors.Is(e, fs.ErrNotExist) {
			t.Errorf("%v, %q, want %q", err, data, want)
		}
		if err := Put(path, how, Data([]byte("whole"))); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != mode {
			t.Errorf("%v, %v, want %v", info.Mode(), err, mode)
		}
	}
	check(Private, "", 0o600)
	check(0, "whole", 0o600)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	check(Unsynced, "whole", 0o640)
	if got := listing(t, dir); got != "a" {
		t.Errorf("left behind: %s", got)
	}
	sum, err := SumOf(path)
	if wanted := "5d5766cf2d78701614200418ee1450690d9af12c84d52545e4802f001ad53099"; err != nil || sum != wanted || Sum([]byte("whole")) != sum {
		t.Errorf("%s, %v, want %s", sum, err, wanted)
	}
}

func TestIsSum(t *testing.T) {
	sum := Sum([]byte("a dog"))
	for text, want := range map[string]bool{
		sum: true, "": false, sum[1:]: false, sum + "0": false, strings.ToUpper(sum): false, "../" + sum[3:]: false, sum[:63] + "g": false,
		sum[:63] + "\n": false,
	} {
		if IsSum(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// TestTrim: what was used longest ago goes, files and folders alike; what cannot go does not keep the others.
func TestTrim(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	var list []Kept
	for i, name := range []string{"new", "old", "older", "oldest"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "inside"), 0o755); err != nil {
			t.Fatal(err)
		}
		list = append(list, Kept{path, 10, now.Add(-time.Duration(i) * time.Hour)})
	}
	left := func() string {
		var names []string
		for _, k := range list {
			if _, err := os.Stat(k.Path); err == nil {
				names = append(names, filepath.Base(k.Path))
			}
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		limit int64
		want  string
	}{{40, "new old older oldest"}, {39, "new old older"}} {
		if err := Trim(list, c.limit); err != nil || left() != c.want {
			t.Errorf("where %d bytes may stay, these do: %s, want %s (%v)", c.limit, left(), c.want, err)
		}
	}
	list = append(list[:3:3], Kept{"a\x00b", 10, now.Add(-24 * time.Hour)}) // no file has such a name
	if err := Trim(list[1:], 10); left() != "new" || err == nil {
		t.Errorf("%s is left, %v", left(), err)
	}
}

// What cannot be written is named as it was asked for, not by the name that the file has until it is whole.
func TestPutNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("full")
	for path, fill := range map[string]func(io.Writer) error{
		filepath.Join(dir, "not", "there.png"): Data(nil),
		dir:                                    Data(nil), // a folder has that name
		filepath.Join(dir, "a.png"): func(w io.Writer) error {
			return &fs.PathError{Op: "write", Path: w.(*os.File).Name(), Err: full}
		},
	} {
		var of *fs.PathError
		if err := Put(path, 0, fill); !errors.As(err, &of) || of.Path != path || strings.Contains(err.Error(), unfinishedFile) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// On Windows a file that another program has open is not replaced: that is no matter of the folder's permissions.
func TestWhyAFileIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	denied := &os.LinkError{Op: "rename", Old: ".realword-0123", New: path, Err: syscall.EACCES}
	inUse := func(err error) bool { return errors.Is(err, syscall.EACCES) }
	for _, c := range []struct {
		perm fs.FileMode // of the file that is there; 0: none is
		err  error
		want string
	}{
		{0, denied, "the folder is read-only"},
		{0o666, ofFile(path, &fs.PathError{Op: "open", Path: ".realword-0123", Err: syscall.EACCES}), "the folder is read-only"},
		{0o666, denied, "another program has it open; close it there"},
		{0o666, ofFile(path, denied), "another program has it open; close it there"},
		{0o444, denied, "the file of this name is read-only; choose another name"},
		{0o666, &os.LinkError{Op: "rename", Err: syscall.ENOSPC}, "the disk is full"},
	} {
		_ = os.Remove(path)
		if c.perm != 0 {
			if err := os.WriteFile(path, nil, c.perm); err != nil {
				t.Fatal(err)
			}
		}
		if got := explainWith(inUse, Barred, path, c.err); !strings.Contains(got.Error(), c.want) || !strings.HasPrefix(got.Error(), path+" cannot") {
			t.Errorf("%o: %v, want %q", c.perm, got, c.want)
		}
	}
	if err := Write(t.TempDir(), 0, nil); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("over a folder: %v", err)
	}
}
