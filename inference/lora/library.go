package lora

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
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
	named []string // paths of files elsewhere
}

// NewLibrary returns the library of a folder.
func NewLibrary(dir string) *Library { return &Library{Dir: dir} }

// Named is a file with the name that it has among the others: NameOfFile, and a number behind it where another one has that.
type Named struct{ Name, Path string }

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

// diffusersTensors is what diffusers calls every LoRA that it saves.
const diffusersTensors = "pytorch_lora_weights"

// NameOfFile is NameOf a file that is there. All that PEFT writes is called adapter_model, and all that diffusers saves
// pytorch_lora_weights: such a one has the name of its folder, or of its repository in the cache of the hub's tools, unless it lies among
// files of all kinds.
func NameOfFile(path string) string {
	name := NameOf(path)
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil || name != diffusersTensors && (name != peftTensors || !files.Exists(filepath.Join(dir, peftConfig))) {
		return name
	}
	if cached := filepath.Dir(dir); filepath.Base(cached) == "snapshots" { // models--OWNER--NAME/snapshots/COMMIT
		if repository, is := strings.CutPrefix(filepath.Base(filepath.Dir(cached)), "models--"); is {
			parts := strings.Split(repository, "--")
			return CleanName(parts[len(parts)-1])
		}
	}
	if filepath.Dir(dir) == dir || files.Arrives(dir) {
		return name
	}
	return CleanName(filepath.Base(dir))
}

// name is NameOfFile, but for what lies in the library's own folder: that has no LoRA's name.
func (l *Library) name(path string) string {
	if isSame(filepath.Dir(path), l.Dir) {
		return NameOf(path)
	}
	return NameOfFile(path)
}

// Name makes a file known that lies elsewhere, and returns its name. It comes before those of the folder.
func (l *Library) Name(path string) string {
	l.mu.Lock()
	if !slices.ContainsFunc(l.named, func(named string) bool { return isSame(named, path) }) {
		l.named = append(l.named, path)
	}
	l.mu.Unlock()
	list := l.Files()
	return list[slices.IndexFunc(list, func(f Named) bool { return isSame(f.Path, path) })].Name
}

// isSame tells that two paths are those of one file.
func isSame(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return a == b || err1 == nil && err2 == nil && os.SameFile(x, y)
}

// deepest is how many folders below its own a library looks into.
const deepest = 4

// Files lists all files, in the order of their names.
func (l *Library) Files() (list []Named) {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	named := slices.Clone(l.named)
	l.mu.Unlock()
	paths := named
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
		if !slices.ContainsFunc(named, func(named string) bool { return isSame(named, path) }) {
			paths = append(paths, path)
		}
		return nil
	})
	taken := map[string]bool{}
	var namesakes []Named
	for _, path := range paths {
		f := Named{l.name(path), path}
		if taken[f.Name] {
			namesakes = append(namesakes, f)
			continue
		}
		taken[f.Name] = true
		list = append(list, f)
	}
	for _, f := range namesakes {
		name := f.Name
		for n := 2; taken[f.Name]; n++ {
			f.Name = fmt.Sprintf("%s %d", name, n)
		}
		taken[f.Name] = true
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Named) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Find returns the path of a LoRA's file. Upper and lower case count where they tell two apart. A file that was called pytorch_lora_weights
// before it had the name of its folder is found by that, too.
func (l *Library) Find(name string) (path string, err error) {
	want := CleanName(name)
	list := l.Files()
	for _, is := range []func(Named) bool{
		func(f Named) bool { return f.Name == want },
		func(f Named) bool { return strings.EqualFold(f.Name, want) },
		func(f Named) bool { return want == diffusersTensors && NameOf(f.Path) == want },
	} {
		if i := slices.IndexFunc(list, is); i >= 0 {
			return list[i].Path, nil
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
		return "", cmp.Or(files.WritableAsIs(l.Dir), err)
	}
	own := l.name(path)
	another := message.Errorf("there is another LoRA called %s already: rename the file, then add it again", own)
	name, to := own, filepath.Join(l.Dir, own+filepath.Ext(path))
	for _, there := range NewLibrary(l.Dir).Files() { // also in a folder below, or with another ending: that one is used by this name
		if l.name(there.Path) != own {
			continue
		}
		if name, to = there.Name, there.Path; same(path, to) {
			break
		}
	}
	kept := cmp.Or(Config(to), strings.TrimSuffix(to, filepath.Ext(to))+"."+peftConfig)
	_, err = os.Stat(to)
	had := err == nil
	if !had && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if had && !same(path, to) {
		return "", another
	}
	if !had {
		if err := files.WritableAsIs(l.Dir); err != nil {
			return "", err
		}
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
