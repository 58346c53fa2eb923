package hdrop

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// The shell gets the path itself, whatever letters it has.
func TestFoldersAreShownByTheirPath(t *testing.T) {
	var verb, got string
	real := shellExecute
	defer func() { shellExecute = real }()
	shellExecute = func(_ windows.Handle, how, file, _, _ *uint16, _ int32) error {
		verb, got = windows.UTF16PtrToString(how), windows.UTF16PtrToString(file)
		return nil
	}
	folder, err := os.MkdirTemp("", "Jörg 狐, 100 %41 ")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(folder) // Wine 8 has not what T.TempDir removes files with
	if err := Show(filepath.ToSlash(folder)); err != nil || verb != "explore" || got != folder {
		t.Errorf("%s %q, %v, want %q", verb, got, err, folder)
	}
	got = ""
	if err := Show(folder + "x"); !errors.Is(err, fs.ErrNotExist) || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	program := filepath.Join(folder, "a.exe")
	if err := os.WriteFile(program, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(program)
	if err := Show(program); err == nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}
