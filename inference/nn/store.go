package nn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Weights is where parameters come from: a checkpoint after renaming.
type Weights interface {
	// Shape returns the stored shape and type, false when there is no such tensor.
	Shape(name string) ([]int, tensor.DType, bool)
	// Read returns the values as float32.
	Read(name string) (*tensor.Tensor, error)
}

// Store gives every parameter that graphs ask for a place in one external weight file, so that several graphs (U-Net and
// guidance branch) share one copy, and afterwards writes that file tensor by tensor. Parameters that lie in files of their own as
// they are wanted can stay there.
type Store struct {
	weights  Weights
	file     string // location as the graphs name it
	placed   map[string]Place
	order    []string // all, as they were asked for
	size     int64    // of the weight file
	problems []error
	stored   func(name string) (r io.ReadCloser, bytes int64, ok bool)
	mapped   func(name string) (Place, bool)
}

// Place is where a parameter lies.
type Place struct {
	File   string // location as the graphs name it
	DType  tensor.DType
	Offset int64
	Length int64
}

// align is the alignment of every tensor in the weight file: a cache line, enough for memory-mapped fp32 data.
const align = 64

// NewStore returns an empty store over weights whose graphs will refer to file (a slash-separated path relative to the model
// file). Tensors that the checkpoint holds as F16 stay F16, everything else is stored as F32.
func NewStore(weights Weights, file string) *Store {
	return &Store{weights: weights, file: file, placed: map[string]Place{}}
}

// Placed returns a store of parameters that were given their places before, for more graphs over the same files. It writes nothing.
func Placed(places map[string]Place) *Store {
	return &Store{weights: placed(places), placed: places}
}

// placed are parameters of which nothing but the place is known.
type placed map[string]Place

func (p placed) Shape(name string) ([]int, tensor.DType, bool) {
	return nil, p[name].DType, p[name].File != ""
}
func (p placed) Read(name string) (*tensor.Tensor, error) { return nil, errors.ErrUnsupported }

// CopyFrom lets Write copy the bytes of tensors that are stored as they are wanted, instead of converting them: stored opens
// the little-endian elements of a tensor in the type and order of Weights.Shape; ok is false where they do not lie so.
func (s *Store) CopyFrom(stored func(name string) (r io.ReadCloser, bytes int64, ok bool)) {
	s.stored = stored
}

// MapFrom lets graphs point at tensors where they lie, so that Write leaves them out: mapped returns the file and the offset of
// a tensor whose elements lie there little-endian and in row-major order; ok is false where they do not. F32, F16 and BF16 stay
// where they are when their offset is a multiple of their size.
func (s *Store) MapFrom(mapped func(name string) (p Place, ok bool)) { s.mapped = mapped }

// Used returns the names of the parameters asked for so far, in that order.
func (s *Store) Used() []string { return slices.Clone(s.order) }

// Mapped returns the parameters that stay where they are, by name.
func (s *Store) Mapped() map[string]Place {
	places := map[string]Place{}
	for name, p := range s.placed {
		if p.File != s.file {
			places[name] = p
		}
	}
	return places
}

// Size returns the bytes that Write will write, 0 when everything stays where it is.
func (s *Store) Size() int64 { return s.size }

func (s *Store) place(name string, want []int) (Place, bool) {
	shape, dtype, ok := s.weights.Shape(name)
	if p, is := s.weights.(placed); is && ok && p[name].Length == int64(tensor.Count(want)*dtype.Size()) {
		return p[name], true
	}
	switch {
	case !ok:
		s.problems = append(s.problems, fmt.Errorf("%s: missing, wanted shape %v", name, want))
		return Place{}, false
	case dtype == tensor.Invalid: // it is there, and its own source says why it cannot be read
		_, err := s.weights.Read(name)
		s.problems = append(s.problems, fmt.Errorf("%s: cannot be read (%w)", name, err))
		return Place{}, false
	case !dtype.Float():
		s.problems = append(s.problems, fmt.Errorf("%s: its type is %v, and weights are floating-point numbers; use weights in F32, F16 or BF16",
			name, dtype))
		return Place{}, false
	case !slices.Equal(shape, want) && !squeezable(shape, want):
		s.problems = append(s.problems, fmt.Errorf("%s: found shape %v, wanted %v", name, shape, want))
		return Place{}, false
	}
	if at, ok := s.placed[name]; ok {
		return at, true
	}
	s.order = append(s.order, name)
	if at, ok := s.inPlace(name, dtype, want); ok {
		s.placed[name] = at
		return at, true
	}
	at := Place{File: s.file, DType: tensor.F32, Offset: (s.size + align - 1) / align * align}
	if dtype == tensor.F16 {
		at.DType = tensor.F16
	}
	at.Length = int64(tensor.Count(want) * at.DType.Size())
	s.placed[name] = at
	s.size = at.Offset + at.Length
	return at, true
}

// inPlace returns where a parameter can stay.
func (s *Store) inPlace(name string, dtype tensor.DType, shape []int) (Place, bool) {
	if s.mapped == nil || dtype != tensor.F32 && dtype != tensor.F16 && dtype != tensor.BF16 {
		return Place{}, false
	}
	at, ok := s.mapped(name)
	size := dtype.Size()
	at.DType = dtype
	return at, ok && at.Offset%int64(size) == 0 && at.Length == int64(tensor.Count(shape)*size)
}

// squeezable tells whether found is want with 1×1 kernels behind: old autoencoders store attention as 1×1 convolutions, and
// transformers of SD-1.5 their projections.
func squeezable(found, want []int) bool {
	return len(found) == len(want)+2 && slices.Equal(found[:len(want)], want) && found[len(want)] == 1 && found[len(want)+1] == 1
}

func (s *Store) takeProblems() []error {
	p := s.problems
	s.problems = nil
	return p
}

// Write writes the weight file to path and returns its SHA-256. It holds one tensor at a time. progress, when not nil, is
// told the bytes written and the whole size. It stops when ctx ends. NaN and values that do not fit the stored type are errors
// that name the tensor.
func (s *Store) Write(ctx context.Context, path string, progress func(done, total int64)) (sum string, err error) {
	f, err := os.Create(path)
	if err != nil {
		return "", message.Errorf("write weights: %w", err)
	}
	hash := sha256.New()
	behind := newWriteBehind(f, s.size)
	defer func() {
		if cerr := errors.Join(behind.Close(), f.Close()); err == nil && cerr != nil {
			sum, err = "", message.Errorf("write weights: %w", cerr)
		}
	}()
	w := io.MultiWriter(hash, behind)
	var at int64
	for _, name := range s.order {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		p := s.placed[name]
		if p.File != s.file {
			continue
		}
		if _, err := w.Write(make([]byte, p.Offset-at)); err != nil {
			return "", message.Errorf("write weights: %w", err)
		}
		if err := s.put(w, name, p); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		at = p.Offset + p.Length
		if progress != nil {
			progress(at, s.size)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// writeBehind writes on a goroutine of its own, so that the disk and the checksum work at the same time.
type writeBehind struct {
	fill  []byte
	full  chan []byte
	empty chan []byte
	done  chan error
	err   atomic.Pointer[error] // why writing stopped
}

// newWriteBehind is for about as many bytes.
func newWriteBehind(to io.Writer, bytes int64) *writeBehind {
	const pieces = 4
	size := max(1, min(4<<20, bytes))
	w := &writeBehind{full: make(chan []byte, pieces), empty: make(chan []byte, pieces), done: make(chan error, 1)}
	for range pieces - 1 {
		w.empty <- make([]byte, 0, size)
	}
	w.fill = make([]byte, 0, size)
	go func() {
		var failed error
		for b := range w.full {
			if failed == nil {
				if _, failed = to.Write(b); failed != nil {
					w.err.Store(&failed)
				}
			}
			w.empty <- b[:0]
		}
		w.done <- failed
	}()
	return w
}

// Write implements io.Writer. An error may be that of an earlier call.
func (w *writeBehind) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if e := w.err.Load(); e != nil {
			return n, *e
		}
		k := copy(w.fill[len(w.fill):cap(w.fill)], p[n:])
		w.fill = w.fill[:len(w.fill)+k]
		if n += k; len(w.fill) == cap(w.fill) {
			w.full <- w.fill
			w.fill = <-w.empty
		}
	}
	return n, nil
}

// Close writes what is left and waits for the end.
func (w *writeBehind) Close() error {
	w.full <- w.fill
	close(w.full)
	return <-w.done
}

// put writes one tensor: copied where it is stored as it is wanted, else converted.
func (s *Store) put(w io.Writer, name string, p Place) error {
	if _, dtype, ok := s.weights.Shape(name); ok && dtype == p.DType && s.stored != nil {
		if r, bytes, ok := s.stored(name); ok {
			defer r.Close()
			if bytes == p.Length {
				return copyFinite(w, r, p)
			}
		}
	}
	t, err := s.weights.Read(name)
	if err != nil {
		return err
	}
	if int64(len(t.F32)*p.DType.Size()) != p.Length {
		return message.Errorf("its %d values are not those the graph was made with; the checkpoint has changed, import again", len(t.F32))
	}
	const piece = 1 << 18
	raw := make([]byte, min(piece, len(t.F32))*p.DType.Size())
	for at := 0; at < len(t.F32); at += piece {
		values := t.F32[at:min(at+piece, len(t.F32))]
		b := raw[:len(values)*p.DType.Size()]
		if i := tensor.NotFiniteFloat(values); i >= 0 {
			return notFinite(int64(at + i))
		}
		if err := tensor.EncodeFloats(b, values, p.DType); err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func notFinite(value int64) error {
	return message.Errorf("value %d is NaN or infinite; the checkpoint is damaged, download it again", value)
}

// copyFinite copies p.Length bytes and refuses NaN and infinity: an exponent with all bits set.
func copyFinite(w io.Writer, r io.Reader, p Place) error {
	buf := make([]byte, min(p.Length, 1<<20))
	for done := int64(0); done < p.Length; {
		b := buf[:min(int64(len(buf)), p.Length-done)]
		if _, err := io.ReadFull(r, b); err != nil {
			return message.Errorf("its data can no longer be read (%w); check that the file was not moved or replaced", err)
		}
		if i := tensor.NotFinite(b, p.DType); i >= 0 {
			return notFinite(done/int64(p.DType.Size()) + int64(i))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		done += int64(len(b))
	}
	return nil
}
