package tensor

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// Entry declares a stored tensor: its name, element type and shape.
type Entry struct {
	Name  string
	DType DType
	Shape []int
}

// SafetensorsWriter writes a safetensors file (https://huggingface.co/docs/safetensors, format section) in one pass:
// all tensors are declared first, then written one by one, so that memory holds one of them at a time. The same
// declarations, metadata and data give the same bytes. It is for one goroutine.
type SafetensorsWriter struct {
	out     *bufio.Writer
	entries []Entry
	next    int
	err     error
}

// NewSafetensorsWriter writes the header. The order of the declarations does not matter: tensors are laid out by
// descending element size and then by name, which keeps every tensor aligned (PyTorch's reader needs that); Entries
// tells the order in which to write them. Metadata may be nil.
func NewSafetensorsWriter(w io.Writer, declared []Entry, metadata map[string]string) (*SafetensorsWriter, error) {
	s := &SafetensorsWriter{out: bufio.NewWriterSize(w, 1<<18)}
	for _, e := range declared {
		e.Shape = slices.Clone(e.Shape)
		s.entries = append(s.entries, e)
	}
	slices.SortFunc(s.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	header, err := safetensorsHeader(s.entries, metadata)
	if err != nil {
		return nil, err
	}
	if err := binary.Write(s.out, binary.LittleEndian, uint64(len(header))); err != nil {
		return nil, err
	}
	if _, err := s.out.Write(header); err != nil {
		return nil, err
	}
	return s, nil
}

func safetensorsHeader(entries []Entry, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	field := func(name string, value any) error {
		k, err := json.Marshal(name)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value) // sorts the keys of maps
		if err != nil {
			return err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
		return nil
	}
	b.WriteByte('{')
	if len(metadata) > 0 {
		if err := field("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	names, offset := map[string]bool{"__metadata__": true}, 0
	for _, e := range entries {
		if names[e.Name] {
			return nil, fmt.Errorf("safetensors: the name %q is taken or reserved", e.Name)
		}
		names[e.Name] = true
		size, ok := ByteSize(e.DType, e.Shape)
		if !ok || size > math.MaxInt-offset {
			return nil, fmt.Errorf("safetensors: tensor %q: %v with shape %v cannot be stored", e.Name, e.DType, e.Shape)
		}
		info := struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{e.DType.String(), append([]int{}, e.Shape...), [2]int{offset, offset + size}}
		if err := field(e.Name, info); err != nil {
			return nil, err
		}
		offset += size
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

// ByteSize returns the bytes that a tensor fills when stored. The second result is false for an invalid type, a
// negative dimension and a size that does not fit an int.
func ByteSize(d DType, shape []int) (int, bool) {
	size := d.Size()
	if size == 0 || slices.ContainsFunc(shape, func(n int) bool { return n < 0 }) {
		return 0, false
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	for _, n := range shape {
		if size > math.MaxInt/n {
			return 0, false
		}
		size *= n
	}
	return size, true
}

// Entries returns the tensors in the order in which they must be written. The caller must not change them.
func (s *SafetensorsWriter) Entries() []Entry { return s.entries }

// Write stores the next tensor, converted to its declared type. It fails when name is not the next of Entries, the
// shape is not the declared one, or a number does not fit the type (*OverflowError). After a failure every further call
// returns the same error.
func (s *SafetensorsWriter) Write(name string, t *Tensor) error {
	return s.store(name, func(e Entry) error {
		if !slices.Equal(e.Shape, t.Shape) {
			return fmt.Errorf("shape %v was declared, %v was given", e.Shape, t.Shape)
		}
		if t.DType == I64 {
			return encodeChunks(s.out, t.I64, e.DType, EncodeInts)
		}
		return encodeChunks(s.out, t.F32, e.DType, EncodeFloats)
	})
}

// WriteBytes stores the next tensor as it is: data must be exactly its elements, little-endian in its declared type. Otherwise
// it fails as Write does.
func (s *SafetensorsWriter) WriteBytes(name string, data []byte) error {
	return s.store(name, func(e Entry) error {
		if size, _ := ByteSize(e.DType, e.Shape); size != len(data) {
			return fmt.Errorf("%d bytes were given, %v of shape %v has %d", len(data), e.DType, e.Shape, size)
		}
		_, err := s.out.Write(data)
		return err
	})
}

// store writes the next tensor, which must have that name.
func (s *SafetensorsWriter) store(name string, write func(Entry) error) error {
	switch {
	case s.err != nil:
		return s.err
	case s.next == len(s.entries):
		s.err = errors.New("all declared tensors are written already")
	case s.entries[s.next].Name != name:
		s.err = fmt.Errorf("the next one must be %q", s.entries[s.next].Name)
	default:
		s.err = write(s.entries[s.next])
		s.next++
	}
	if s.err != nil {
		s.err = fmt.Errorf("safetensors: tensor %q: %w", name, s.err)
	}
	return s.err
}

func encodeChunks[T any](w io.Writer, data []T, d DType, encode func([]byte, []T, DType) error) error {
	const chunk = 1 << 16
	buf := make([]byte, min(chunk, len(data))*d.Size())
	for at := 0; at < len(data); at += chunk {
		part := data[at:min(at+chunk, len(data))]
		b := buf[:len(part)*d.Size()]
		if err := encode(b, part, d); err != nil {
			if over, ok := errors.AsType[*OverflowError](err); ok {
				over.Index += at
			}
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is buffered and fails when a declared tensor was not written. It does not close the underlying
// writer.
func (s *SafetensorsWriter) Close() error {
	if s.err != nil {
		return s.err
	}
	if s.next < len(s.entries) {
		return fmt.Errorf("safetensors: tensor %q was declared and never written", s.entries[s.next].Name)
	}
	return s.out.Flush()
}

// WriteSafetensors writes whole tensors that are in memory, floats as F32 and integers as I64. Metadata may be nil.
func WriteSafetensors(w io.Writer, tensors map[string]*Tensor, metadata map[string]string) error {
	declared := make([]Entry, 0, len(tensors))
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		declared = append(declared, Entry{Name: name, DType: tensors[name].DType, Shape: tensors[name].Shape})
	}
	s, err := NewSafetensorsWriter(w, declared, metadata)
	if err != nil {
		return err
	}
	for _, e := range s.Entries() {
		if err := s.Write(e.Name, tensors[e.Name]); err != nil {
			return err
		}
	}
	return s.Close()
}
