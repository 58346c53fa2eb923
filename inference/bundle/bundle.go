// Package bundle is a model as the program runs it: a folder with graphs, weights, tokenizer and manifest. It makes bundles from
// checkpoints, opens them, and compares their files with what the import wrote.
//
// Contract: a bundle folder is complete or absent: Import and Extract write into a hidden folder and rename at the end; that the target
// can be made is checked before the work begins, and what is finished is never deleted. Weights are in the folder, or, mapped, in the
// user's own checkpoint files, which Open compares with the manifest (by size and time, and by SHA-256 where the time differs) and
// which are never written to. The same checkpoint gives the same bytes. Configurations are bounded before anything is built from
// them, and models trained in a way that Realword does not compute are refused by the mark that says so. It runs no graph. Errors
// name the file or tensor, what was found, what was wanted and the remedy.
package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/prompt"
)

// ManifestName is the file that makes a folder a bundle.
const ManifestName = "manifest.json"

// MaxManifest is how many bytes of a manifest are read.
const MaxManifest = 1 << 20

// Bundle is an open bundle. It is read-only and may be used from any goroutine.
type Bundle struct {
	dir        string
	manifest   Manifest
	tokenizers []*prompt.Tokenizer
}

// Open is OpenContext without an end and without progress.
func Open(dir string) (*Bundle, error) { return OpenContext(context.Background(), dir, nil) }

// OpenContext reads the manifest and the tokenizers of a bundle and checks that every file is there, and that those outside the bundle
// are what they were: of the same size and time, or, after a copy, a restore or a touch, with the same SHA-256. For that it reads a file
// once, and tells progress, which may be nil. CheckFiles compares all hashes.
func OpenContext(ctx context.Context, dir string, progress Progress) (*Bundle, error) {
	b, touched, err := load(dir)
	if err != nil || len(touched) == 0 {
		return b, err
	}
	if err := b.settle(ctx, touched, progress); err != nil {
		return nil, message.Errorf("open model %s: %w", dir, err)
	}
	return b, nil
}

// Look is Open for those who only want to know what a bundle says of itself: it reads no checkpoint, and so a file with another time
// counts as the one that it was.
func Look(dir string) (*Bundle, error) {
	b, _, err := load(dir)
	return b, err
}

// load opens a bundle and returns which of the mapped files have another time than they had.
func load(dir string) (b *Bundle, touched []int, err error) {
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil, message.Errorf("%s is no folder: a model is one that `realword model import CHECKPOINTS --out FOLDER` makes", dir)
	}
	m, err := readManifest(files.DirFS(dir))
	if err != nil {
		return nil, nil, message.Errorf("open model %s: %w", dir, err)
	}
	var missing []error
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		info, err := files.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, message.Errorf("%s is missing", name))
		case err != nil:
			missing = append(missing, err)
		case info.Size() == 0:
			missing = append(missing, message.Errorf("%s is empty", name))
		}
	}
	if len(missing) > 0 {
		return nil, nil, message.Errorf("open model %s: %w; import the model again", dir, errors.Join(missing...))
	}
	for i, f := range m.Mapped {
		other, err := f.check()
		if err != nil {
			missing = append(missing, err)
		}
		if other {
			touched = append(touched, i)
		}
	}
	if len(missing) > 0 {
		return nil, nil, message.Errorf("open model %s: %w", dir, errors.Join(missing...))
	}
	b = &Bundle{dir: dir, manifest: m}
	for i := range m.Text.Encoders {
		t, err := prompt.Load(files.DirFS(filepath.Join(dir, tokenizerDir(i))))
		if err != nil {
			return nil, nil, message.Errorf("open model %s: the tokenizer in %s cannot be used: import the model again (%w)", dir, tokenizerDir(i), err)
		}
		b.tokenizers = append(b.tokenizers, t)
	}
	return b, touched, nil
}

func tokenizerDir(i int) string {
	if i == 0 {
		return "tokenizer"
	}
	return fmt.Sprintf("tokenizer_%d", i+1)
}

// Dir returns the bundle's folder.
func (b *Bundle) Dir() string { return b.dir }

// Manifest returns what the bundle says of itself. The caller must not change its maps.
func (b *Bundle) Manifest() Manifest { return b.manifest }

// Graph returns the path of a graph by its manifest name, "" when the bundle has none of that name.
func (b *Bundle) Graph(name graph.Name) string {
	file, ok := b.manifest.Graphs[name]
	if !ok {
		return ""
	}
	return filepath.Join(b.dir, filepath.FromSlash(file))
}

// TokenizerFolders are the folders of its tokenizers, as Options.Tokenizers takes them.
func (b *Bundle) TokenizerFolders() (folders []string) {
	for i := range b.manifest.Text.Encoders {
		folders = append(folders, filepath.Join(b.dir, tokenizerDir(i)))
	}
	return folders
}

// Tokenizer returns the tokenizer of text encoder i.
func (b *Bundle) Tokenizer(i int) *prompt.Tokenizer { return b.tokenizers[i] }

// CheckFiles is Check without progress.
func (b *Bundle) CheckFiles(ctx context.Context) error { return b.Check(ctx, nil) }

// Check reads every file of the bundle, and those that it maps, and compares their SHA-256 with the manifest. It reports all that
// differ. progress may be nil.
func (b *Bundle) Check(ctx context.Context, progress Progress) error {
	var files []MappedFile
	for _, name := range slices.Sorted(maps.Keys(b.manifest.Files)) {
		files = append(files, MappedFile{Path: filepath.Join(b.dir, filepath.FromSlash(name)), SHA256: b.manifest.Files[name]})
	}
	files = append(files, b.manifest.Mapped...)
	var wrong []error
	for _, f := range files {
		name := f.Path
		if rel, err := filepath.Rel(b.dir, f.Path); err == nil && filepath.IsLocal(rel) {
			name = filepath.ToSlash(rel)
		}
		sum, err := hashFile(ctx, f.Path, func(done, total int64) {
			if progress != nil {
				progress(name, done, total)
			}
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			wrong = append(wrong, err)
		case sum != f.SHA256:
			wrong = append(wrong, message.Errorf("%s has changed since the import (SHA-256 %.12s…, wanted %.12s…)", name, sum, f.SHA256))
		}
	}
	if len(wrong) > 0 {
		return message.Errorf("model %s is damaged: %w; import it again", b.dir, errors.Join(wrong...))
	}
	return nil
}

// hashFile returns the SHA-256 of a file. It stops when ctx ends; progress, when not nil, is told the bytes read and the size.
func hashFile(ctx context.Context, path string, progress func(done, total int64)) (string, error) {
	f, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	h, done := sha256.New(), int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return "", message.Errorf("read %s: %w", path, err)
		}
		n, err := io.CopyN(h, f, 16<<20)
		if done += n; progress != nil && n > 0 {
			progress(done, info.Size())
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", message.Errorf("read %s: %w", path, err)
		}
	}
}

func readManifest(fsys fs.FS) (Manifest, error) {
	f, err := fsys.Open(ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, message.Errorf("there is no %s; make a model folder with `realword model import CHECKPOINTS --out FOLDER`",
			ManifestName)
	}
	if err != nil {
		return Manifest{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxManifest+1))
	if err != nil {
		return Manifest{}, message.Errorf("read %s: %w", ManifestName, err)
	}
	if len(data) > MaxManifest {
		return Manifest{}, message.Errorf("%s is larger than %d MiB, so it is not a Realword manifest; import the model again", ManifestName,
			MaxManifest>>20)
	}
	return ParseManifest(data)
}

// ParseManifest reads manifest.json and checks that every number in it can be worked with.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, message.Errorf("%s cannot be read (%w); import the model again", ManifestName, err)
	}
	if m.Schema != SchemaVersion {
		return Manifest{}, message.Errorf("%s has schema %d, and this Realword reads %d; import the model again, or update Realword", ManifestName,
			m.Schema, SchemaVersion)
	}
	if err := m.check(); err != nil {
		return Manifest{}, message.Errorf("%s: %w; import the model again", ManifestName, err)
	}
	return m, nil
}

// checkNumbers compares everything but the names of files with what can be worked with.
func (m *Manifest) checkNumbers() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	in := func(what string, v, lo, hi int) {
		want(v >= lo && v <= hi, "%s is %d, wanted %d to %d", what, v, lo, hi)
	}
	in("latent.channels", m.Latent.Channels, 1, 64)
	in("latent.factor", m.Latent.Factor, 1, 64)
	in("grid", m.Grid, 1, 64)
	in("size.multiple", m.Size.Multiple, 1, 1024)
	in("size.min", m.Size.Min, 1, 1<<14)
	in("size.max", m.Size.Max, m.Size.Min, 1<<14)
	in("size.width", m.Size.Width, m.Size.Min, m.Size.Max)
	in("size.height", m.Size.Height, m.Size.Min, m.Size.Max)
	in("cross_attention_layers", m.Layers, 1, 1<<12)
	in("text.tokens", m.Text.Tokens, 77, 77)
	in("text.encoders", m.Text.Encoders, 1, 2)
	in("vision.reference", m.Vision.Reference, 2, 1<<13)
	in("vision.view", m.Vision.View, 1, 1<<12)
	in("vision.tokens", m.Vision.Tokens, 1, 1<<16)
	in("vision.width", m.Vision.Width, 1, 1<<16)
	in("schedule.train_steps", m.Schedule.TrainSteps, 1, 1<<20)
	want(regexp.MustCompile(`^[a-z0-9]+$`).MatchString(m.Family), "family %q is not a short lower-case name", m.Family)
	want(len(m.Latent.RGB) == m.Latent.Channels, "latent.rgb has %d rows for %d channels", len(m.Latent.RGB), m.Latent.Channels)
	want(len(m.Attention) > 0 && m.Attention[0] == m.Grid, "attention is %v, wanted a list that begins with the grid %d", m.Attention, m.Grid)
	for _, a := range m.Attention {
		want(a > 0 && m.Grid > 0 && a%m.Grid == 0 && m.Size.Multiple%a == 0, "attention has %d, which does not fit grid %d and size.multiple %d",
			a, m.Grid, m.Size.Multiple)
	}
	if len(errs) == 0 {
		in("vision.reference", m.Vision.Reference, 2*m.Vision.View, 2*m.Vision.View)
		want(m.Size.Multiple%m.Latent.Factor == 0 && m.Size.Multiple/m.Latent.Factor%m.Grid == 0,
			"size.multiple %d does not fit latent.factor %d and grid %d", m.Size.Multiple, m.Latent.Factor, m.Grid)
	}
	for _, err := range []error{m.Networks.UNet.Validate(), m.Networks.VAE.Validate()} {
		want(err == nil, "networks: %w", err)
	}
	for _, p := range []string{"paper", "release"} {
		preset, ok := m.Presets[p]
		want(ok, "presets.%s is not given", p)
		want(picture.Square{Fit: preset.Fit}.Validate() == nil, "presets.%s.fit is %q, not pad, crop or stretch", p, preset.Fit)
	}
	return errors.Join(errs...)
}

func (m *Manifest) check() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if err := m.checkNumbers(); err != nil {
		errs = append(errs, err)
	}
	for _, g := range graph.Required() {
		want(m.Graphs[g] != "", "graphs.%s is not given", g)
	}
	for name, file := range m.Graphs {
		want(m.Files[file] != "", "graphs.%s names %q, which is not among the files", name, file)
	}
	for _, f := range m.Mapped {
		want(filepath.IsAbs(f.Path) && f.Size > 0 && len(f.SHA256) == 64, "mapped has %q of %d bytes", f.Path, f.Size)
	}
	for name := range m.Files {
		want(files.IsInside(name), "file name %q leads out of the model folder", name)
	}
	return errors.Join(errs...)
}

// Extract copies a bundle that is embedded in the program to a folder below cache, where ONNX Runtime can map its weights, and
// opens it. A folder that is already there with the right contents is used as it is; a damaged one is replaced. progress, when
// not nil, is told bytes done and in all.
func Extract(fsys fs.FS, cache string) (*Bundle, error) {
	data, err := fs.ReadFile(fsys, ManifestName)
	if err != nil {
		return nil, fmt.Errorf("built-in model: %w", err)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("built-in model: %w", err)
	}
	sum := sha256.Sum256(data)
	dir := filepath.Join(cache, fmt.Sprintf("%s-%x", m.Family, sum[:6]))
	whole := func() *Bundle {
		if b, err := Open(dir); err == nil && b.CheckFiles(context.Background()) == nil {
			files.Sweep(dir)
			return b
		}
		return nil
	}
	if b := whole(); b != nil {
		return b, nil
	}
	// Several first starts at once: one unpacks, the others wait and take that.
	if release, err := lockFolder(cache); err == nil {
		defer release()
		if b := whole(); b != nil {
			return b, nil
		}
	}
	err = replaceFolder(dir, func(tmp string) error {
		for _, name := range append(slices.Sorted(maps.Keys(m.Files)), ManifestName) {
			if err := extractFile(fsys, name, filepath.Join(tmp, filepath.FromSlash(name))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, message.Errorf("unpack the built-in model to %s: %w; free up space there or make the folder writable, or name an imported model with --model", cache, err)
	}
	return Open(dir)
}

// lockFolder makes a folder and waits until no other program works in it that asks the same way.
func lockFolder(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return files.Lock(filepath.Join(dir, ".lock"))
}

func extractFile(fsys fs.FS, name, path string) error {
	in, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// target is the folder that a bundle is going to be, proven before the work: its name can be given, and it can be written to.
type target struct {
	dir   string // absolute
	there bool   // an empty folder that the user made: it is filled, not replaced, because it may be a drive, a link or where a shell stands
}

// newTarget proves that a new bundle can be put at dir, which must not exist or be an empty folder.
func newTarget(dir string) (target, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return target{}, err
	}
	t := target{dir: abs}
	info, err := os.Stat(abs)
	switch {
	case err == nil && !info.IsDir():
		return t, message.Errorf("%s already exists and is not a folder; choose another name", dir)
	case err == nil:
		if _, err := os.ReadDir(abs); err != nil {
			return t, message.Errorf("the folder %s cannot be read: %w; choose another one", dir, err)
		}
		// What a program that died has left there is not the user's.
		files.Sweep(abs)
		entries, err := os.ReadDir(abs)
		if err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !files.OfSystem(e.Name()) }) {
			return t, message.Errorf("%s already exists and is not empty; choose another folder or remove it", dir)
		}
		t.there = true
		probe, done, err := files.Mkdir(abs, "probe")
		if err != nil {
			return t, message.Errorf("the folder %s cannot be written to: %w; choose another one", dir, err)
		}
		done()
		return t, os.Remove(probe)
	case !errors.Is(err, fs.ErrNotExist):
		return t, message.Errorf("the folder %s cannot be made: %w; choose another one", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o777); err != nil {
		return t, message.Errorf("the folder %s cannot be made: %w; choose another one", dir, err)
	}
	// The name itself: too long, not allowed on this drive, a link to nowhere.
	if err := os.Mkdir(abs, 0o777); err != nil {
		return t, message.Errorf("the folder %s cannot be made: %w; choose another one", dir, err)
	}
	return t, os.Remove(abs)
}

// write lets fill write into a new hidden folder and gives its content its place when all went well. When fill fails nothing is left.
// When only the last step fails, what is finished stays under a name of its own, and the error says where.
func (t target) write(fill func(tmp string) error) error {
	parent := filepath.Dir(t.dir)
	if t.there {
		parent = t.dir
	}
	tmp, done, err := files.Mkdir(parent, "model") // without the model's name, which may be as long as names can be
	if err != nil {
		return err
	}
	defer done()
	if err := fill(tmp); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := t.publish(tmp); err != nil {
		if beside := t.beside(); files.Move(tmp, beside) == nil { // hidden, it would count as left over
			tmp = beside
		}
		return message.Errorf("the model is finished in %s, but cannot be moved to its place: %w; rename that folder", tmp, err)
	}
	return nil
}

// beside is a free name for what cannot get its own.
func (t target) beside() string {
	name := t.dir
	if t.there {
		name = filepath.Join(t.dir, "model")
	}
	for n := 2; ; n++ {
		path := fmt.Sprint(name, "-", n)
		if _, err := os.Lstat(path); err != nil {
			return path
		}
	}
}

// publish moves what was written to its place. In a folder that was there the manifest comes last: without it there is no model.
func (t target) publish(tmp string) error {
	if !t.there {
		return files.Rename(tmp, t.dir)
	}
	entries, err := os.ReadDir(tmp)
	if err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int {
		return cmp.Compare(last(a.Name() == ManifestName), last(b.Name() == ManifestName))
	})
	for n, e := range entries {
		if err := files.Rename(filepath.Join(tmp, e.Name()), filepath.Join(t.dir, e.Name())); err != nil {
			for _, moved := range entries[:n] { // together again
				err = errors.Join(err, files.Move(filepath.Join(t.dir, moved.Name()), filepath.Join(tmp, moved.Name())))
			}
			return err
		}
	}
	return os.Remove(tmp)
}

func last(is bool) int {
	if is {
		return 1
	}
	return 0
}

// replaceFolder lets fill write into a new folder beside dir and puts it in the place of dir when all went well; else dir stays.
func replaceFolder(dir string, fill func(tmp string) error) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	files.Sweep(parent)
	tmp, done, err := files.Mkdir(parent, filepath.Base(dir))
	if err != nil {
		return err
	}
	defer done()
	defer os.RemoveAll(tmp) // after the rename there is nothing under this name
	if err := fill(tmp); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return files.Rename(tmp, dir)
}
