package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/nn"
	"realword/inference/tensor"
)

// MappedFile is a file outside the bundle from which graphs read weights: a checkpoint of the user's, as it was when imported.
type MappedFile struct {
	Path     string    `json:"path"` // absolute, without symbolic links
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	SHA256   string    `json:"sha256"`
	// Named is what the graphs call the file, where that is another path than its own: of a model that came from another computer
	Named string `json:"named,omitempty"`
}

// name is what the graphs call the file.
func (f MappedFile) name() string { return cmp.Or(f.Named, filepath.ToSlash(f.Path)) }

// Outside are the files that the model's graphs read weights from without holding them.
func (m Manifest) Outside() []string {
	var list []string
	for _, f := range m.Mapped {
		list = append(list, f.Path)
	}
	return list
}

// Moved are the paths of files that the graphs call by other ones, by those.
func (m Manifest) Moved() map[string]string {
	var moved map[string]string
	for _, f := range m.Mapped {
		if f.Named != "" {
			if moved == nil {
				moved = map[string]string{}
			}
			moved[f.Named] = f.Path
		}
	}
	return moved
}

// WeightFile is where the weights lie that a graph of the model, a file, says to be at a location.
func (m Manifest) WeightFile(graph, location string) string {
	file := filepath.FromSlash(cmp.Or(m.Moved()[location], location))
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(graph), file)
	}
	return file
}

// check compares what the file system says of the file with the manifest. touched: it has another time, which may mean that it has
// other content, or that it was copied, restored or touched.
func (f MappedFile) check() (touched bool, err error) {
	info, err := files.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, message.Errorf("%s is missing, and the model reads its weights from it: connect the drive or put the file back; if it is gone, import the model again", f.Path)
	case err != nil:
		return false, message.Errorf("%s cannot be read, and the model reads its weights from it: %w", f.Path, err)
	case info.Size() != f.Size:
		return false, f.changed(message.Errorf("it had %d bytes and now has %d", f.Size, info.Size()))
	}
	return !info.ModTime().Equal(f.Modified), nil
}

// settle reads a file that has another time than it had when imported: with the same SHA-256 it is the same file, and its new time
// is kept in the manifest, so that it is read once. progress may be nil.
func (b *Bundle) settle(ctx context.Context, touched []int, progress Progress) error {
	var wrong []error
	same := map[int]time.Time{}
	for _, i := range touched {
		f := b.manifest.Mapped[i]
		before, err := os.Stat(f.Path)
		if err != nil {
			return err
		}
		sum, err := hashFile(ctx, f.Path, func(done, total int64) {
			if progress != nil {
				progress(f.Path, done, total)
			}
		})
		switch after, statErr := os.Stat(f.Path); {
		case err != nil:
			return err
		case sum != f.SHA256 || statErr != nil || !after.ModTime().Equal(before.ModTime()):
			const second = "2006-01-02 15:04:05"
			wrong = append(wrong, f.changed(message.Errorf("it was of %s and is of %s, with other content", f.Modified.Local().Format(second),
				before.ModTime().Format(second))))
		default:
			same[i] = before.ModTime().UTC()
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	b.manifest.Mapped = slices.Clone(b.manifest.Mapped)
	for i, modified := range same {
		b.manifest.Mapped[i].Modified = modified
	}
	// Somebody may have renamed the model meanwhile. On a read-only disk the files are read again the next time.
	if now, err := readManifest(files.DirFS(b.dir)); err == nil && slices.EqualFunc(now.Mapped, b.manifest.Mapped, sameFile) {
		now.Mapped = b.manifest.Mapped
		_ = now.replace(b.dir)
	}
	return nil
}

func sameFile(a, b MappedFile) bool {
	return a.Path == b.Path && a.Size == b.Size && a.SHA256 == b.SHA256 && a.Named == b.Named
}

func (f MappedFile) changed(how error) error {
	return message.Errorf("%s has changed since the import (%s): import the model again, or with --copy so that it keeps weights of its own",
		f.Path, how)
}

// volume is the drive or share that a path is on, which need not exist, without links and junctions. Only Windows has such names.
func volume(path string) string {
	there, err := files.There(path)
	if err == nil {
		there, err = files.Real(there)
	}
	if err != nil {
		return volumeOf(path)
	}
	return volumeOf(there)
}

// volumeOf is another one in tests, on systems without drives.
var volumeOf = filepath.VolumeName

// place says where a tensor of a checkpoint can stay: on the model's own volume, because ONNX Runtime wants one folder above all weights.
func (im *importer) place(src locator, name string) (nn.Place, bool) {
	at, ok := src.Location(name)
	if !ok || !at.Dense || at.Path == "" {
		return nn.Place{}, false
	}
	path, ok := im.real[at.Path]
	if !ok {
		var err error
		if path, err = files.Real(at.Path); err != nil { // the cache of a downloader holds links
			return nn.Place{}, false // reading it the other way says why
		}
		im.real[at.Path] = path
	}
	if !utf8.ValidString(path) { // neither a manifest nor a graph can name it
		return nn.Place{}, false
	}
	if !strings.EqualFold(volumeOf(path), im.volume) {
		return nn.Place{}, false
	}
	return nn.Place{File: filepath.ToSlash(path), Offset: at.Offset, Length: at.Bytes}, true
}

// span is a tensor in a file.
type span struct {
	name string
	nn.Place
}

// spans returns the tensors that graphs read from a file of the user's, in its order.
func (im *importer) spans(path string) []span {
	var list []span
	for _, f := range im.files {
		for name, p := range f.Mapped() {
			if p.File == filepath.ToSlash(im.real[path]) {
				list = append(list, span{name, p})
			}
		}
	}
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.Offset, b.Offset) })
	return list
}

// source is a file that an import read.
type source struct {
	path   string
	spans  []span
	before fs.FileInfo
	sum    string
}

// sources lists the checkpoint files. Where weights are copied, in the order in which they are wanted: what one goroutine reads for
// the checksum the other then finds in the system's cache, so that the disk reads it once. Else largest first, so that both have
// about the same to do.
func (im *importer) sources() ([]*source, error) {
	turn := map[string]int{}
	for i, f := range im.files {
		src, ok := f.set.Source.(locator)
		if !ok || !im.copy {
			continue
		}
		for _, name := range f.Used() {
			if at, ok := src.Location(name); ok && turn[at.Path] == 0 {
				turn[at.Path] = i - len(im.files)
			}
		}
	}
	found := map[string]*source{}
	for _, f := range im.opened {
		for _, path := range f.Paths() {
			info, err := os.Stat(path)
			if err != nil {
				return nil, err
			}
			found[path] = &source{path: path, before: info, spans: im.spans(path)}
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b *source) int {
		return cmp.Or(turn[a.path]-turn[b.path], cmp.Compare(b.before.Size(), a.before.Size()), strings.Compare(a.path, b.path))
	})
	return list, nil
}

// read reads the whole file once: for its checksum, and for NaN and infinity in what graphs read of it. read is told the bytes
// so far.
func (s *source) read(ctx context.Context, label string, read func(done int64)) error {
	f, err := files.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash, buf, at, spans := sha256.New(), make([]byte, 4<<20), int64(0), s.spans
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(f, buf)
		b := buf[:n]
		hash.Write(b)
		for i, t := range spans {
			// Pieces begin at multiples of every element's size, and so do the tensors.
			from, to := max(t.Offset-at, 0), min(t.Offset+t.Length-at, int64(n))
			if from >= int64(n) {
				spans = spans[i:]
				break
			}
			if to <= from {
				continue
			}
			if bad := tensor.NotFinite(b[from:to], t.DType); bad >= 0 {
				value := (at+from-t.Offset)/int64(t.DType.Size()) + int64(bad)
				return message.Errorf("%s: %s: value %d is NaN or infinite; the checkpoint is damaged, download it again", label, t.name, value)
			}
		}
		at += int64(n)
		read(at)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return message.Errorf("read %s: %w", s.path, err)
		}
	}
	if info, err := os.Stat(s.path); err != nil || info.Size() != s.before.Size() || !info.ModTime().Equal(s.before.ModTime()) ||
		at != info.Size() {
		return message.Errorf("%s changed during the import: wait until its download is complete, then import again", label)
	}
	s.sum = hex.EncodeToString(hash.Sum(nil))
	return nil
}
