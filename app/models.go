package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"realword/assets"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/message"
	"realword/ui/state"
)

// models implements ui.Models on folders of bundles. Removed ones wait under a hidden name until close.
type models struct {
	mu      sync.Mutex
	removed []string // folders that go for good with close
}

// originName is the file beside a bundle's own that says which checkpoints it was made of, so that it can be made again.
const originName = "origin.json"

// origin is where a bundle came from.
type origin struct {
	Source string `json:"source"`
	Base   string `json:"base,omitempty"`
	// Prediction is what it was said to predict, whatever the files say; see bundle.Options.
	Prediction string `json:"prediction,omitempty"`
	Licence    string `json:"licence,omitempty"` // what the hub says, of a download
}

// removedPrefix begins the names of models that were removed, and are no models any more.
const removedPrefix = ".removed-"

// Folder implements ui.Models: where programs keep what they have made for their user.
func (*models) Folder() string { return dataFolder("models") }

// dataFolder is a folder of the user's data.
func dataFolder(name string) string {
	dir := os.Getenv("XDG_DATA_HOME")
	if home, err := os.UserHomeDir(); err == nil && !filepath.IsAbs(dir) {
		dir = filepath.Join(home, ".local", "share")
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		if config, err := os.UserConfigDir(); err == nil {
			dir = config
		}
		if local := os.Getenv("LOCALAPPDATA"); local != "" && runtime.GOOS == "windows" {
			dir = local // gigabytes do not roam
		}
	}
	return filepath.Join(dir, "realword", name)
}

// List implements ui.Models.
func (m *models) List(folder string, elsewhere []string) ([]state.Model, error) {
	inside, err := embedded()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	mine := slices.Clone(m.removed)
	m.mu.Unlock()
	sweep(folder, mine)
	list := []state.Model{inside}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // nothing was imported yet
	}
	var found []state.Model
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if info, err := os.Stat(path); err != nil || !info.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if _, err := os.Lstat(filepath.Join(path, bundle.ManifestName)); err == nil || isModelRest(path) {
			found = append(found, describe(path))
		}
	}
	for _, path := range elsewhere {
		one := describe(path)
		one.Elsewhere = true
		found = append(found, one)
	}
	slices.SortStableFunc(found, func(a, b state.Model) int {
		return cmp.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name()))
	})
	if err != nil {
		err = message.Errorf("the folder for models cannot be read: %w: choose another in the preferences", err)
	}
	return append(list, found...), err
}

// embedded is the model inside the program.
func embedded() (state.Model, error) {
	files := assets.Model()
	data, err := fs.ReadFile(files, bundle.ManifestName)
	if err != nil {
		return state.Model{}, err
	}
	manifest, err := bundle.ParseManifest(data)
	if err != nil {
		return state.Model{}, err
	}
	size := int64(len(data))
	for name := range manifest.Files {
		if info, err := fs.Stat(files, name); err == nil {
			size += info.Size()
		}
	}
	return state.Model{Manifest: &manifest, Bytes: size}, nil
}

// isModelRest tells whether a folder is a bundle whose manifest is gone.
func isModelRest(path string) bool {
	_, err := os.Stat(filepath.Join(path, originName))
	return err == nil
}

// missing says that the folder of a model of the list is not there; nil where it is.
func missing(path string) error {
	if _, err := os.Stat(path); err != nil {
		return message.Errorf("the folder %s is missing: connect its drive, or remove the model from the list", path)
	}
	return nil
}

// describe reads what a bundle says of itself and looks whether its files are there.
func describe(path string) state.Model {
	m := state.Model{Path: path}
	if strings.HasSuffix(path, bundle.CardExtension) {
		m.Card = true
		b, err := bundle.OpenCard(path)
		if err != nil {
			m.Err, m.State = err, state.ModelDamaged
			return m
		}
		manifest := b.Manifest()
		m.Manifest = &manifest
		return m
	}
	if o, ok := readOrigin(path); ok {
		m.Source, m.Base, m.Prediction, m.Licence = o.Source, o.Base, o.Prediction, o.Licence
	}
	m.Downloaded = downloadOf(path) != ""
	m.Bare = m.Downloaded && !weightsUnder(m.Source)
	m.Bytes = files.FolderSize(path)
	b, err := bundle.Look(path)
	if err == nil {
		manifest := b.Manifest()
		m.Manifest = &manifest
		for _, f := range manifest.Mapped {
			m.Mapped += f.Size
		}
		return m
	}
	m.Err, m.State = err, state.ModelDamaged
	if gone := missing(path); gone != nil {
		m.Err, m.State = gone, state.ModelMissing
		return m
	}
	data, err := files.Read(filepath.Join(path, bundle.ManifestName), bundle.MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		m.State = state.ModelMissing
		return m
	}
	if manifest, err := bundle.ParseManifest(data); err == nil {
		m.Manifest = &manifest
		for name := range manifest.Files {
			if info, err := os.Stat(filepath.Join(path, filepath.FromSlash(name))); err != nil || info.Size() == 0 {
				m.State = state.ModelMissing
			}
		}
		for _, f := range manifest.Mapped {
			if _, err := os.Stat(f.Path); errors.Is(err, fs.ErrNotExist) {
				m.State = state.ModelMissing
			}
		}
	}
	return m
}

// abandoned is for how long a removed model can come back by undo, as far as another program knows.
const abandoned = 30 * time.Minute

// sweep deletes what programs that died have left in a folder: half-made models, and removed ones, but for those that this program has
// removed and can bring back.
func sweep(folder string, mine []string) {
	files.Sweep(folder)
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		switch {
		case !e.IsDir():
		case !strings.HasPrefix(e.Name(), "."):
			files.Sweep(path) // a model's own files
		case strings.HasPrefix(e.Name(), removedPrefix) && !slices.Contains(mine, path):
			info, err := os.Stat(filepath.Join(path, removedName))
			if err != nil {
				info, err = e.Info()
			}
			if err == nil && time.Since(info.ModTime()) > abandoned {
				_ = forget(path) // tried again next time
			}
		}
	}
}

// removedName is a file in a removed model whose age is the time of the removal.
const removedName = "removed"

// Free implements ui.Models.
func (*models) Free(folder string) (int64, error) { return files.Room(folder) }

// Inspect implements ui.Models.
func (*models) Inspect(ctx context.Context, path, folder, base, prediction string) (bundle.Inspection, error) {
	return bundle.Inspect(ctx, path, bundle.Options{Folder: folder, Base: base, Prediction: prediction, Tokenizers: tokenizersOf(path)})
}

// Import implements ui.Models.
func (*models) Import(ctx context.Context, i state.Import, progress bundle.Progress) (string, error) {
	return importModel(ctx, i, "", progress)
}

func importModel(ctx context.Context, i state.Import, licence string, progress bundle.Progress) (string, error) {
	if err := os.MkdirAll(i.Folder, 0o777); err != nil {
		return "", message.Errorf("the folder for models cannot be made: %w: choose another in the preferences", err)
	}
	path, err := freeFolder(i.Folder, i.Name)
	if err != nil {
		return "", err
	}
	beside, err := originOf(i.Source, i.Base, i.Prediction, licence)
	if err != nil {
		return "", err
	}
	if _, err := bundle.ImportWith(ctx, i.Source, path, bundle.Options{
		Base: i.Base, Prediction: i.Prediction, Copy: i.Copy, Progress: progress,
		Name: strings.TrimSpace(i.Name), Beside: beside, Tokenizers: tokenizersOf(i.Source),
	}); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", err
	}
	return path, nil
}

// tokenizersOf are those of a model that was made of downloaded checkpoints: earlier downloads have none, or theirs were deleted.
func tokenizersOf(source string) []string {
	folder, _, is := strings.Cut(source, string(filepath.Separator)+downloadsName+string(filepath.Separator))
	if !is {
		return nil
	}
	entries, _ := os.ReadDir(folder) // without any the import says what is missing
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if o, ok := readOrigin(path); ok && o.Source == source {
			if b, err := bundle.Look(path); err == nil {
				return b.TokenizerFolders()
			}
		}
	}
	return nil
}

// originOf is the file that says which checkpoints a bundle is made of, to lie beside the bundle's own. base, prediction and licence may
// be empty.
func originOf(source, base, prediction, licence string) (map[string][]byte, error) {
	o := origin{Source: source, Base: base, Prediction: prediction, Licence: licence}
	for _, p := range []*string{&o.Source, &o.Base} {
		if *p == "" {
			continue
		}
		whole, err := filepath.Abs(*p)
		if err != nil {
			return nil, err
		}
		*p = whole
	}
	data, err := json.MarshalIndent(o, "", "  ")
	return map[string][]byte{originName: append(data, '\n')}, err
}

// freeFolder is a folder for a model of a name that is not there yet.
func freeFolder(folder, name string) (string, error) {
	name = cmp.Or(files.Name(name, 60), "model") // of at most 240 bytes: a name has 255, and gets a number
	for n := 1; n < 1000; n++ {
		path := filepath.Join(folder, name)
		if n > 1 {
			path = fmt.Sprintf("%s %d", path, n)
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", message.Errorf("%s has a thousand models called %s: choose another name", folder, name)
}

// Check implements ui.Models.
func (*models) Check(ctx context.Context, path string, progress bundle.Progress) error {
	b, err := openModel(ctx, path)
	if err != nil {
		return err
	}
	return b.Check(ctx, progress)
}

// Rename implements ui.Models.
func (*models) Rename(path, name string) error { return bundle.Rename(path, name) }

// Remove implements ui.Models: the folder gets a hidden name beside it.
func (m *models) Remove(path string) (func() error, error) {
	if !isModelRest(path) {
		if _, err := os.Stat(filepath.Join(path, bundle.ManifestName)); err != nil {
			return nil, message.Errorf("%s is not a Realword model and was left alone: %w", path, err)
		}
	}
	hidden := filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%s-%d", removedPrefix, filepath.Base(path), time.Now().UnixNano()))
	if err := files.Move(path, hidden); err != nil {
		return nil, message.Errorf("the model cannot be removed: %w: close programs that use it, and check that the folder is writable", err)
	}
	_ = os.WriteFile(filepath.Join(hidden, removedName), nil, 0o666) // without it the age of the files counts
	m.mu.Lock()
	m.removed = append(m.removed, hidden)
	m.mu.Unlock()
	return func() error {
		_ = os.Remove(filepath.Join(hidden, removedName))
		if err := files.Move(hidden, path); err != nil {
			return message.Errorf("the model cannot be restored: %w: it stays in %s until Realword closes", err, hidden)
		}
		m.mu.Lock()
		m.removed = slices.DeleteFunc(m.removed, func(p string) bool { return p == hidden })
		m.mu.Unlock()
		return nil
	}, nil
}

// close deletes what was removed.
func (m *models) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, path := range m.removed {
		errs = append(errs, forget(path))
	}
	m.removed = nil
	return errors.Join(errs...)
}
