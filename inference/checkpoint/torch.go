package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"realword/inference/message"
	"realword/inference/tensor"
)

// The keys under which training scripts store the weights beside other things, in timm's order of preference and then by habit.
var wrappers = []string{
	"state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict", "params_ema", "params", "module", "ema",
	"net", "weights",
}

// parseTorch reads the ZIP files of torch.save: NAME/data.pkl, a pickled dictionary from names to tensors, and one
// uncompressed entry NAME/data/KEY for each storage.
func parseTorch(r io.ReaderAt, size int64, path string) (*File, error) {
	archive, err := newTorchArchive(r, size)
	if err != nil {
		return nil, err
	}
	root, unknown, err := archive.root()
	if err != nil {
		return nil, err
	}
	weights, ignored := unwrap(root)
	if weights == nil {
		return nil, &UnsupportedError{Problem: message.Note("it holds %s instead of a dictionary of tensors", describe(root)), Remedy: resave}
	}
	var places []place
	from := map[string]string{}
	for _, key := range weights.keys {
		var p place
		name := strings.TrimPrefix(strings.TrimPrefix(key, "module."), "_orig_mod.") // of parallel training and of torch.compile
		switch v := weights.values[key].(type) {
		case *torchTensor:
			if p, err = archive.place(name, v); err != nil {
				return nil, err
			}
		case inert: // perhaps a tensor of a kind that is not known
			p = place{Entry: Entry{Name: name}, unread: message.Note("it is %s", string(v))}
		default:
			ignored = append(ignored, Ignored{key, "it is " + describe(v) + ", not a tensor"})
			continue
		}
		if other, ok := from[name]; ok {
			return nil, brokenTensor(name, "the file has both %q and %q", clip(other), clip(key))
		}
		from[name] = key
		if len(places) == maxTensors {
			return nil, &UnsupportedError{Problem: tooMany, Remedy: rightFile}
		}
		p.path = path
		places = append(places, p)
	}
	if weights.others > 0 {
		ignored = append(ignored, Ignored{"", fmt.Sprintf("%d entries have a key that is not text", weights.others)})
	}
	if len(places) == 0 {
		return nil, &UnsupportedError{Problem: message.Note("its dictionary holds no tensors"), Remedy: resave}
	}
	f := newFile(places)
	f.ignored = append(f.ignored, ignored...)
	f.strangers = unknown
	return f, nil
}

// unwrap finds the dictionary of weights: the first wrapper, or wrapper in a wrapper, that holds tensors, or the root itself. It
// returns nil when the root is no dictionary.
func unwrap(root any) (*dict, []Ignored) {
	d, ok := root.(*dict)
	if !ok {
		return nil, nil
	}
	if inner, ignored := d.wrapped(4); inner != nil {
		return inner, ignored
	}
	return d, nil
}

// wrapped looks for tensors in the wrappers of d and in d, at most so many levels deep: a dictionary may hold itself.
func (d *dict) wrapped(levels int) (*dict, []Ignored) {
	for _, w := range wrappers {
		next, ok := d.values[w].(*dict)
		if !ok || levels == 0 {
			continue
		}
		inner, ignored := next.wrapped(levels - 1)
		if inner == nil {
			continue
		}
		for _, key := range d.keys {
			if key != w {
				ignored = append(ignored, Ignored{key, fmt.Sprintf("the weights are taken from %q", w)})
			}
		}
		return inner, ignored
	}
	if d.tensors() > 0 {
		return d, nil
	}
	return nil, nil
}

// tensors counts the tensors that a dictionary holds itself.
func (d *dict) tensors() int {
	n := 0
	for _, v := range d.values {
		if _, ok := v.(*torchTensor); ok {
			n++
		}
	}
	return n
}

// describe names a pickled value for a reader.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprintf("the value %v", v)
	case string:
		return "text"
	case []byte:
		return "raw bytes"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dictionary"
	case *torchTensor:
		return "a single tensor"
	case *storage:
		return "a bare storage"
	case global:
		return "the name " + v.String()
	case inert:
		return string(v)
	}
	return "something unknown"
}

type torchArchive struct {
	r       io.ReaderAt
	size    int64
	prefix  string // "archive/"
	entries map[string]*zip.File
}

// maxEntries bounds the entries of a ZIP file: a storage each, and a few files.
const maxEntries = maxTensors + 64

// zipEntries returns how many entries the directory of a ZIP file says that there are, the largest number where it can be read in
// several ways. archive/zip takes memory for that many before it looks for them, which in a sparse file is as much as one likes.
func zipEntries(r io.ReaderAt, size int64) (uint64, error) {
	const end, comment, end64, locator = 22, 1 << 16, 56, 20
	tail := make([]byte, min(size, end+comment+locator))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	most := uint64(0)
	for at := 0; at+end <= len(tail); at++ {
		if string(tail[at:at+4]) != "PK\x05\x06" {
			continue
		}
		n := uint64(binary.LittleEndian.Uint16(tail[at+10:]))
		if at >= locator && string(tail[at-locator:at-locator+4]) == "PK\x06\x07" {
			var long [end64]byte
			if offset := binary.LittleEndian.Uint64(tail[at-locator+8:]); offset <= uint64(size) {
				if _, err := r.ReadAt(long[:], int64(offset)); err == nil && string(long[:4]) == "PK\x06\x06" {
					const elsewhere = 0xffff // the number does not fit here
					if n == elsewhere {
						n = 0
					}
					n = max(n, binary.LittleEndian.Uint64(long[32:]))
				}
			}
		}
		most = max(most, n)
	}
	return most, nil
}

func newTorchArchive(r io.ReaderAt, size int64) (*torchArchive, error) {
	n, err := zipEntries(r, size)
	if err != nil {
		return nil, &FormatError{Problem: errors.New("its ZIP directory cannot be read"), Err: err}
	}
	if n > maxEntries {
		return nil, &UnsupportedError{
			Problem: message.Note("its ZIP directory has %d entries, more than the %d that any model has", n, maxEntries), Remedy: rightFile,
		}
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &FormatError{Problem: errors.New("its ZIP directory is missing or damaged"), Err: err}
	}
	a := &torchArchive{r: r, size: size, entries: make(map[string]*zip.File, len(z.File))}
	found := false
	for _, f := range z.File {
		if a.entries[f.Name] != nil {
			return nil, broken("the ZIP entry %q appears twice", clip(f.Name))
		}
		a.entries[f.Name] = f
		if prefix, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && strings.Count(f.Name, "/") == 1 && strings.HasSuffix(prefix, "/") {
			if found {
				return nil, broken("it has two files data.pkl, %q and %q", clip(a.prefix+"data.pkl"), clip(f.Name))
			}
			a.prefix, found = prefix, true
		}
	}
	if !found {
		return nil, &UnsupportedError{
			Problem: message.Note("this ZIP file was not written by torch.save: it has no data.pkl"),
			Remedy:  message.Note("unpack it if the weights are inside"),
		}
	}
	if a.entries[a.prefix+"constants.pkl"] != nil {
		return nil, &UnsupportedError{Problem: message.Note("this is a TorchScript program"), Remedy: resave}
	}
	if order, err := a.read("byteorder", 16); err == nil && string(order) == "big" {
		return nil, &UnsupportedError{Problem: message.Note("it was written on a big-endian machine"), Remedy: resave}
	}
	return a, nil
}

func (a *torchArchive) root() (any, []string, error) {
	data, err := a.read("data.pkl", maxPickle)
	if err != nil {
		return nil, nil, err
	}
	return unpickle(data)
}

// locate returns where an entry lies in the file, having checked that it does.
func (a *torchArchive) locate(name string) (offset, size int64, err error) {
	f := a.entries[a.prefix+name]
	if f == nil {
		return 0, 0, broken("the ZIP entry %q is missing", clip(name))
	}
	if f.Method != zip.Store || f.Flags&1 != 0 {
		return 0, 0, &UnsupportedError{
			Problem: message.Note("the ZIP entry %q is compressed or encrypted", clip(name)),
			Remedy:  message.Note("pack the files again without compression, or %w", resave),
		}
	}
	offset, err = f.DataOffset()
	if err != nil {
		return 0, 0, &FormatError{Problem: fmt.Errorf("the ZIP entry %q cannot be found", clip(name)), Err: err}
	}
	n := f.UncompressedSize64
	if n != f.CompressedSize64 || offset > a.size || n > uint64(a.size-offset) {
		return 0, 0, broken("the ZIP entry %q should have %d bytes, more than the file holds", clip(name), n)
	}
	return offset, int64(n), nil
}

func (a *torchArchive) read(name string, limit int64) ([]byte, error) {
	offset, size, err := a.locate(name)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, &UnsupportedError{
			Problem: message.Note("the ZIP entry %q has %d bytes, more than the %d that are read", clip(name), size, limit), Remedy: resave,
		}
	}
	data := make([]byte, size)
	if _, err := a.r.ReadAt(data, offset); err != nil {
		return nil, &FormatError{Problem: fmt.Errorf("the ZIP entry %q cannot be read", clip(name)), Err: err}
	}
	return data, nil
}

// place checks that a tensor lies inside its storage, and the storage inside the file.
func (a *torchArchive) place(name string, t *torchTensor) (place, error) {
	offset, size, err := a.locate("data/" + t.storage.key)
	if err != nil {
		return place{}, err
	}
	dtype := t.storage.dtype
	p := place{Entry: Entry{Name: name, DType: dtype, Shape: t.shape}, data: a.r}
	if dtype == tensor.Invalid {
		p.unread = message.Note("its type is %s", t.storage.class.String())
		return p, nil
	}
	width, elements := int64(dtype.Size()), t.storage.count
	if elements > size/width {
		return place{}, brokenTensor(name, "its storage should have %d elements of %v, but the ZIP entry has %d bytes", elements, dtype, size)
	}
	bytes, ok := tensor.ByteSize(dtype, t.shape)
	if !ok {
		return place{}, brokenTensor(name, "its shape %v is impossible", t.shape)
	}
	if bytes == 0 {
		return p, nil
	}
	last := t.offset // of the last element
	for i, d := range t.shape {
		// Divide instead of multiplying: the numbers come from the file.
		if steps := int64(d - 1); steps > 0 && int64(t.strides[i]) > (elements-1)/steps {
			last = elements
		} else {
			last = min(last, elements) + steps*int64(t.strides[i])
		}
	}
	if last >= elements {
		return place{}, brokenTensor(name, "shape %v, strides %v and offset %d reach past its storage of %d elements", t.shape, t.strides,
			t.offset, elements)
	}
	// An expanded tensor (stride 0) may be larger than its storage. Small ones are honest.
	if const1M := int64(1 << 20); int64(bytes)/width > max(elements, const1M) {
		return place{}, &UnsupportedError{
			Key: name, Problem: message.Note("its shape %v repeats %d stored elements", t.shape, elements),
			Remedy: resave,
		}
	}
	p.offset = offset + t.offset*width
	if !dense(t.shape, t.strides) {
		p.strides = slices.Clone(t.strides)
	}
	return p, nil
}

// dense reports whether the elements lie row-major without gaps. The stride of a dimension of size 1 means nothing.
func dense(shape, strides []int) bool {
	want := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != want {
			return false
		}
		want *= shape[i]
	}
	return true
}
