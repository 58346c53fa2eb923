package nn

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

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
// guidance branch) share one copy, and afterwards writes that file tensor by tensor.
type Store struct {
	weights  Weights
	file     string // location as the graphs name it
	placed   map[string]Place
	order    []string
	size     int64
	problems []error
	stored   func(name string) (r io.ReadCloser, bytes int64, ok bool)
}

// Place is where a parameter lies in the weight file.
type Place struct {
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

// CopyFrom lets Write copy the bytes of tensors that are stored as they are wanted, instead of converting them: stored opens
// the little-endian elements of a tensor in the type and order of Weights.Shape; ok is false where they do not lie so.
func (s *Store) CopyFrom(stored func(name string) (r io.ReadCloser, bytes int64, ok bool)) {
	s.stored = stored
}

// Used returns the names of the parameters asked for so far, in the order of the file.
func (s *Store) Used() []string { return slices.Clone(s.order) }

func (s *Store) place(name string, want []int) (Place, bool) {
	shape, dtype, ok := s.weights.Shape(name)
	switch {
	case !ok:
		s.problems = append(s.problems, fmt.Errorf("%s: missing, wanted shape %v", name, want))
		return Place{}, false
	case !slices.Equal(shape, want) && !squeezable(shape, want):
		s.problems = append(s.problems, fmt.Errorf("%s: found shape %v, wanted %v", name, shape, want))
		return Place{}, false
	}
	if at, ok := s.placed[name]; ok {
		return at, true
	}
	at := Place{DType: tensor.F32, Offset: (s.size + align - 1) / align * align}
	if dtype == tensor.F16 {
		at.DType = tensor.F16
	}
	at.Length = int64(tensor.Count(want) * at.DType.Size())
	s.placed[name] = at
	s.order = append(s.order, name)
	s.size = at.Offset + at.Length
	return at, true
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
// told the bytes written and the whole size. It stops when ctx ends. NaN and values that do not fit the stored type are errors that name the tensor.
func (s *Store) Write(ctx context.Context, path string, progress func(done, total int64)) (sum string, err error) {
	f, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("write weights: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("write weights: %w", cerr)
		}
	}()
	hash := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, hash), 1<<20)
	var at int64
	for _, name := range s.order {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		p := s.placed[name]
		if _, err := buffered.Write(make([]byte, p.Offset-at)); err != nil {
			return "", fmt.Errorf("write weights: %w", err)
		}
		if err := s.put(buffered, name, p); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		at = p.Offset + p.Length
		if progress != nil {
			progress(at, s.size)
		}
	}
	if err := buffered.Flush(); err != nil {
		return "", fmt.Errorf("write weights: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
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
	raw, err := encode(t.F32, p.DType)
	if err != nil {
		return err
	}
	if int64(len(raw)) != p.Length {
		return fmt.Errorf("has %d bytes now and %d when the graph was made; the checkpoint changed meanwhile, import again", len(raw), p.Length)
	}
	_, err = w.Write(raw)
	return err
}

// copyFinite copies p.Length bytes and refuses NaN and infinity: an exponent with all bits set.
func copyFinite(w io.Writer, r io.Reader, p Place) error {
	buf := make([]byte, min(p.Length, 1<<20))
	size := p.DType.Size()
	for done := int64(0); done < p.Length; {
		b := buf[:min(int64(len(buf)), p.Length-done)]
		if _, err := io.ReadFull(r, b); err != nil {
			return fmt.Errorf("its data cannot be read any more (%w); check that the file was not moved or replaced meanwhile", err)
		}
		for i := 0; i < len(b); i += size {
			if size == 2 && binary.LittleEndian.Uint16(b[i:])&0x7c00 == 0x7c00 || size == 4 && binary.LittleEndian.Uint32(b[i:])&0x7f800000 == 0x7f800000 {
				return fmt.Errorf("value %d is NaN or infinite; the checkpoint is damaged, download it again", (done+int64(i))/int64(size))
			}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		done += int64(len(b))
	}
	return nil
}

func encode(values []float32, dtype tensor.DType) ([]byte, error) {
	for i, v := range values {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("value %d is %v; the checkpoint is damaged, download it again", i, v)
		}
	}
	raw := make([]byte, dtype.Size()*len(values))
	if err := tensor.EncodeFloats(raw, values, dtype); err != nil {
		return nil, err
	}
	return raw, nil
}
