package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/tensor"
)

// Entry is the description of a stored tensor.
type Entry = tensor.Entry

// Source is a read-only collection of tensors. *File and *View are Sources. A tensor that is there and cannot be read, for its type
// or for the way it was stored, has the type tensor.Invalid: Read of it says why. It matters to who needs it alone.
type Source interface {
	// Entries returns all tensors, sorted by name. The caller must not change them.
	Entries() []Entry
	// Shape returns shape and stored element type. The caller must not change the shape.
	Shape(name string) ([]int, tensor.DType, bool)
	// Read returns a tensor that belongs to the caller: floats as F32, integers and booleans as I64.
	Read(name string) (*tensor.Tensor, error)
}

// File is an open checkpoint, of one file or of several parts.
type File struct {
	entries   []Entry
	places    map[string]place
	meta      map[string]string
	ignored   []Ignored
	strangers []string
	open      []io.Closer
	inParts   int // tensors of all parts, also of those that are not taken
}

// Ignored is something in a checkpoint that is deliberately not offered as a tensor.
type Ignored struct{ Name, Reason string }

// place tells where the elements of a tensor lie.
type place struct {
	Entry
	data    io.ReaderAt
	path    string
	offset  int64          // of the first element, in bytes
	strides []int          // in elements; nil for a dense row-major tensor
	unread  *message.Error // why it cannot be read, "its type is F8_E4M3"; its DType then is tensor.Invalid
}

// Location tells where a tensor lies in its file, so that a graph can point into it.
type Location struct {
	Path   string
	Offset int64 // bytes from the start of the file; not necessarily aligned
	Bytes  int64
	Dense  bool // row-major without gaps; Offset and Bytes are only meaningful when true
}

// Open opens a safetensors file or a PyTorch ZIP file. The caller closes it.
func Open(path string) (*File, error) {
	// aria2 gives a file its full size at once; this companion goes when all of it is there.
	if _, err := os.Stat(path + ".aria2"); err == nil {
		return nil, &FormatError{
			File: path, Problem: message.Note("it is an unfinished download, %s lies beside it", filepath.Base(path)+".aria2"),
			Remedy: message.Note("finish the download"),
		}
	}
	f, err := files.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	file, err := openHandle(f, path)
	if err != nil {
		_ = f.Close() // read only: nothing is lost
		return nil, err
	}
	file.open = []io.Closer{f}
	return file, nil
}

// unreadable says of what is no file that it is no checkpoint.
func unreadable(path string, err error) error {
	if e, ok := errors.AsType[*files.Error](err); ok {
		return &UnsupportedError{File: path, Problem: message.Note("this %w", e.Problem), Remedy: e.Remedy}
	}
	return err
}

func openHandle(f *os.File, path string) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parse(f, info.Size(), path)
	if err != nil {
		return nil, inFile(path, err)
	}
	return file, nil
}

// parse recognises the format and lists the tensors. It is the whole of Open that hostile bytes can reach.
func parse(r io.ReaderAt, size int64, path string) (*File, error) {
	head := make([]byte, min(size, 512))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var f *File
	var err error
	switch kind(head, size) {
	case zipFile:
		f, err = parseTorch(r, size, path)
	case safetensorsFile:
		f, err = parseSafetensors(r, size, path)
	default:
		return nil, stranger(head)
	}
	if err != nil {
		return nil, err
	}
	if len(f.entries) > 0 && !slices.ContainsFunc(f.entries, func(e Entry) bool { return e.DType != tensor.Invalid }) {
		_, err := f.Read(f.entries[0].Name)
		return nil, err
	}
	return f, nil
}

// Close closes the files. Tensors that were read stay valid.
func (f *File) Close() error {
	var errs []error
	for _, c := range f.open {
		errs = append(errs, c.Close())
	}
	f.open = nil
	return errors.Join(errs...)
}

// Entries returns all tensors, sorted by name. The caller must not change them.
func (f *File) Entries() []Entry { return f.entries }

// Lookup returns the description of one tensor.
func (f *File) Lookup(name string) (Entry, bool) {
	p, ok := f.places[name]
	return p.Entry, ok
}

// Shape returns shape and stored element type of a tensor.
func (f *File) Shape(name string) ([]int, tensor.DType, bool) {
	p, ok := f.places[name]
	return p.Shape, p.DType, ok
}

// Metadata returns the free-text metadata of a safetensors file (of the first part that has some); nil otherwise.
func (f *File) Metadata() map[string]string { return f.meta }

// Ignored lists what the file holds beside its tensors, with the reason why each is left out.
func (f *File) Ignored() []Ignored { return f.ignored }

// Strangers are the classes and functions that a pickle names beside those of tensors. None is made or run, and no tensor needs one.
func (f *File) Strangers() []string { return f.strangers }

// Location returns where a tensor lies.
func (f *File) Location(name string) (Location, bool) {
	p, ok := f.places[name]
	if !ok || p.unread != nil {
		return Location{}, false
	}
	n, _ := tensor.ByteSize(p.DType, p.Shape) // checked when the file was opened
	return Location{Path: p.path, Offset: p.offset, Bytes: int64(n), Dense: p.strides == nil}, true
}

// Paths lists the files that hold the tensors, sorted.
func (f *File) Paths() []string {
	paths := map[string]bool{}
	for _, p := range f.places {
		paths[p.path] = true
	}
	return sortedKeys(paths)
}

// Read reads one tensor: floats as F32 (F64 rounded to nearest), integers and booleans as I64.
func (f *File) Read(name string) (*tensor.Tensor, error) {
	p, ok := f.places[name]
	if !ok {
		return nil, fmt.Errorf("the checkpoint has no tensor %q", clip(name))
	}
	if p.unread != nil {
		return nil, &UnsupportedError{File: p.path, Key: p.Name, Problem: p.unread, Remedy: otherTypes}
	}
	shape := slices.Clone(p.Shape)
	if p.DType.Float() {
		data, err := gather(p, tensor.DecodeFloats)
		if err != nil {
			return nil, err
		}
		return tensor.Of(data, shape...), nil
	}
	data, err := gather(p, tensor.DecodeInts)
	if err != nil {
		return nil, err
	}
	return tensor.OfInts(data, shape...), nil
}

// gather returns the elements of p in row-major order.
func gather[T any](p place, decode func([]T, []byte, tensor.DType) error) ([]T, error) {
	n := tensor.Count(p.Shape)
	if p.strides == nil {
		return stretch(p, n, decode)
	}
	src, err := stretch(p, span(p.Shape, p.strides), decode)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, n)
	index, last := make([]int, len(p.Shape)), len(p.Shape)-1
	for at := 0; ; {
		for i := range p.Shape[last] {
			out = append(out, src[at+i*p.strides[last]])
		}
		d := last - 1
		for ; d >= 0; d-- {
			if index[d]++; index[d] < p.Shape[d] {
				at += p.strides[d]
				break
			}
			at -= (p.Shape[d] - 1) * p.strides[d]
			index[d] = 0
		}
		if d < 0 {
			return out, nil
		}
	}
}

// stretch reads n consecutive elements.
func stretch[T any](p place, n int, decode func([]T, []byte, tensor.DType) error) ([]T, error) {
	const chunk = 1 << 16
	out, size := make([]T, n), p.DType.Size()
	buf := make([]byte, min(chunk, n)*size)
	for at := 0; at < n; at += chunk {
		part := out[at:min(at+chunk, n)]
		b := buf[:len(part)*size]
		if got, err := p.data.ReadAt(b, p.offset+int64(at)*int64(size)); got < len(b) {
			return nil, &FormatError{
				File: p.path, Key: p.Name, Problem: message.Note("its data can no longer be read"), Err: err,
				Remedy: message.Note("check that the file was not moved or replaced"),
			}
		}
		if err := decode(part, b, p.DType); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// span is the number of elements from the first to the last one of a strided tensor that has elements.
func span(shape, strides []int) int {
	n := 1
	for i, d := range shape {
		n += (d - 1) * strides[i]
	}
	return n
}

// newFile indexes tensors whose names are unique.
func newFile(places []place) *File {
	f := &File{places: make(map[string]place, len(places)), entries: make([]Entry, 0, len(places))}
	for _, p := range places {
		if p.unread != nil {
			f.ignored = append(f.ignored, Ignored{p.Name, p.unread.Error() + ", which is not read"})
		}
		f.places[p.Name] = p
		f.entries = append(f.entries, p.Entry)
	}
	sortEntries(f.entries)
	return f
}

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}
