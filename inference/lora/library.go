package lora

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"realword/inference/files"
	"realword/inference/message"
)

// Library finds the files of LoRAs by name: in one folder and the folders in it, and those that were named besides. It may be used
// from any goroutine; nil has none.
type Library struct {
	Dir string // need not exist

	mu    sync.Mutex
	named map[string]string // paths of files elsewhere
}

// NewLibrary returns the library of a folder.
func NewLibrary(dir string) *Library { return &Library{Dir: dir, named: map[string]string{}} }

// Extensions are those of files that are LoRAs.
var Extensions = []string{".safetensors", ".pt", ".ckpt", ".bin"}

// NameOf is the name by which requests know a LoRA that somebody calls by its file or by its name.
func NameOf(text string) string {
	name := filepath.Base(text)
	if ext := filepath.Ext(name); slices.Contains(Extensions, strings.ToLower(ext)) {
		name = strings.TrimSuffix(name, ext)
	}
	return CleanName(name)
}

// NameOfFile is NameOf a file that is there. All that PEFT writes is called adapter_model: such a one has the name of its folder.
func NameOfFile(path string) string {
	name := NameOf(path)
	if dir, err := filepath.Abs(filepath.Dir(path)); name == peftTensors && err == nil && isFile(filepath.Join(dir, peftConfig)) &&
		filepath.Dir(dir) != dir {
		return CleanName(filepath.Base(dir))
	}
	return name
}

// Name makes a file known that lies elsewhere, and returns its name. It comes before one of the folder with that name.
func (l *Library) Name(path string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := NameOfFile(path)
	l.named[name] = path
	return name
}

// deepest is how many folders below its own a library looks into.
const deepest = 4

// Files lists the paths of all files, in the order of their names.
func (l *Library) Files() []string {
	if l == nil {
		return nil
	}
	byName := map[string]string{}
	_ = filepath.WalkDir(l.Dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(l.Dir, path)
		switch {
		case err != nil && d != nil && d.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case d.IsDir() && (strings.Count(rel, string(filepath.Separator)) >= deepest || strings.HasPrefix(d.Name(), ".") && rel != "."):
			return fs.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") || !slices.Contains(Extensions, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		if name := NameOfFile(path); byName[name] == "" {
			byName[name] = path
		}
		return nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, path := range l.named {
		byName[name] = path
	}
	names := []string{}
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = byName[name]
	}
	return list
}

// Find returns the path of a LoRA's file. Upper and lower case count where they tell two apart.
func (l *Library) Find(name string) (path string, err error) {
	want := CleanName(name)
	list := l.Files()
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, path := range list {
			if same(NameOfFile(path), want) {
				return path, nil
			}
		}
	}
	if l == nil || l.Dir == "" {
		return "", message.Errorf("there is no LoRA called %s: give its file", name)
	}
	return "", message.Errorf("there is no LoRA called %s in the folder %s: put its file there, or leave the LoRA out", name, l.Dir)
}

// Take puts a file into the folder, as a hard link where that can be and as a copy elsewhere, with the configuration that belongs to it,
// and returns its name there. A file that is there already stays; another one of the same name is an error.
func (l *Library) Take(path string) (name string, err error) {
	lora, err := Open(path) // whether it is one
	if err != nil {
		return "", err
	}
	config := lora.beside
	if err := lora.Close(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(l.Dir, 0o777); err != nil {
		return "", message.Errorf("the folder %s cannot be made: %w; choose another one", l.Dir, err)
	}
	name = NameOfFile(path)
	to := filepath.Join(l.Dir, name+filepath.Ext(path))
	for _, there := range NewLibrary(l.Dir).Files() { // also in a folder below, or with another ending: that one is used by this name
		if NameOfFile(there) == name {
			to = there
		}
	}
	kept := filepath.Join(filepath.Dir(to), name+"."+peftConfig)
	another := message.Errorf("there is another LoRA called %s already: rename the file, then add it again", name)
	_, err = os.Stat(to)
	had := err == nil
	if !had && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if had && !same(path, to) {
		return "", another
	}
	if config != nil {
		switch is, err := os.ReadFile(kept); {
		case err == nil && bytes.Equal(is, config):
		case err == nil && had:
			return "", another
		default:
			if err := files.Put(kept, 0, func(w io.Writer) error { _, err := w.Write(config); return err }); err != nil {
				return "", err
			}
		}
	}
	if had {
		return name, nil
	}
	return name, put(path, to)
}

// put links or copies a file.
func put(path, to string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || os.Link(real, to) == nil {
		return err
	}
	f, err := files.Open(real)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := files.Fits(filepath.Dir(to), info.Size()); err != nil {
		return err
	}
	return files.Put(to, files.New, func(w io.Writer) error { _, err := io.Copy(w, f); return err })
}

// same tells whether two files have the same content.
func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	if err1 != nil || err2 != nil || x.Size() != y.Size() {
		return false
	}
	if os.SameFile(x, y) {
		return true
	}
	sum, err1 := files.SumOf(a)
	other, err2 := files.SumOf(b)
	return err1 == nil && err2 == nil && sum == other
}
