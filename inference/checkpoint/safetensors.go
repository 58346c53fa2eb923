package checkpoint

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"realword/inference/message"
	"realword/inference/tensor"
)

// The format's own limit on its header.
const maxHeader = 100 << 20

// parseSafetensors reads the header of a safetensors file and checks it as the reference implementation does: names are
// unique, and the data ranges fill the rest of the file exactly, without gaps and overlaps. White space may follow the header.
func parseSafetensors(r io.ReaderAt, size int64, path string) (*File, error) {
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, broken("the file is too short for a safetensors header")
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-8) {
		return nil, broken("its header should be %d bytes long, but the file has only %d", n, size)
	}
	if n > maxHeader {
		return nil, broken("its header is %d bytes long, more than the %d that the format allows", n, maxHeader)
	}
	h := headerReader{scan: newHeaderScanner(io.NewSectionReader(r, 8, int64(n)))}
	err := h.read()
	if h.scan.err != nil {
		return nil, fmt.Errorf("read %s: %w", path, h.scan.err)
	}
	if err != nil {
		return nil, err
	}
	if err := h.checkRanges(size - 8 - int64(n)); err != nil {
		return nil, err
	}
	places := make([]place, len(h.tensors))
	for i, t := range h.tensors {
		places[i] = place{Entry: t.Entry, data: r, path: path, offset: 8 + int64(n) + t.begin, unread: t.unread}
	}
	f := newFile(places)
	f.meta = h.meta
	return f, nil
}

type headerTensor struct {
	Entry
	begin, end int64
	unread     *message.Error // why it cannot be read, nil for most
}

type headerReader struct {
	scan    *headerScanner
	tensors []headerTensor
	meta    map[string]string
}

var errHeader = errors.New("its header is not the JSON that the format requires")

func (h *headerReader) read() error {
	seen := map[string]bool{}
	err := try(func() {
		h.scan.object(func(name string) {
			if seen[name] {
				fail(brokenTensor(name, "the name appears twice in the header"))
			}
			if len(seen) > maxTensors {
				fail(&UnsupportedError{Problem: tooMany, Remedy: rightFile})
			}
			seen[name] = true
			if name == "__metadata__" {
				h.metadata()
				return
			}
			h.tensors = append(h.tensors, h.tensor(name))
		})
		if h.scan.peek() != 0 {
			fail(broken("its header continues after its end"))
		}
	})
	return asFormat(err, func(err error) error { return &FormatError{Problem: errHeader, Err: err} })
}

// asFormat lets errors that a reader can show pass and dresses the others.
func asFormat(err error, dress func(error) error) error {
	_, isFormat := errors.AsType[*FormatError](err)
	_, isUnsupported := errors.AsType[*UnsupportedError](err)
	if err == nil || isFormat || isUnsupported {
		return err
	}
	return dress(err)
}

// metadata reads __metadata__: of long values the beginning, and null as if nothing were there.
func (h *headerReader) metadata() {
	err := try(func() {
		if h.scan.peek() == 'n' {
			if h.scan.word() != "null" {
				fail(errSyntax)
			}
			return
		}
		h.meta = map[string]string{}
		left := allValues
		h.scan.object(func(key string) {
			value, _ := h.scan.text(max(left, keptValue))
			left -= len(value)
			if len(h.meta) == maxMetadata {
				fail(&UnsupportedError{
					Problem: message.Note("its __metadata__ has more than %d entries", maxMetadata),
					Remedy:  rightFile,
				})
			}
			h.meta[key] = value
		})
	})
	if err != nil {
		fail(asFormat(err, func(err error) error {
			return &FormatError{Problem: errors.New("its __metadata__ is not a map from text to text"), Err: err}
		}))
	}
}

func (h *headerReader) tensor(name string) headerTensor {
	t := headerTensor{Entry: Entry{Name: name}}
	var dtype string
	var shape, offsets []int64
	seen := map[string]bool{}
	ranks, ends := 0, 0 // how many numbers shape and offsets have
	h.scan.object(func(key string) {
		if seen[key] {
			fail(brokenTensor(name, "%s appears twice", clip(key)))
		}
		if len(seen) > maxRank {
			fail(errors.New("it has too many fields"))
		}
		seen[key] = true
		err := try(func() {
			switch key {
			case "dtype":
				dtype, _ = h.scan.text(maxName)
			case "shape":
				shape, ranks = h.scan.numbers(maxRank)
			case "data_offsets":
				offsets, ends = h.scan.numbers(2)
			default:
				h.scan.skip(0)
			}
		})
		if err != nil {
			fail(&FormatError{Key: name, Problem: fmt.Errorf("its %s cannot be read", clip(key)), Err: err})
		}
	})
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			fail(brokenTensor(name, "the header gives no %s for it", key))
		}
	}
	var ok bool
	if t.DType, ok = tensor.ParseDType(dtype); !ok {
		if !slices.Contains(unreadTypes, dtype) {
			fail(brokenTensor(name, "its type %q does not exist", clip(dtype)))
		}
		t.unread = message.Note("its type is %s", dtype)
	}
	t.Shape = make([]int, len(shape))
	for i, d := range shape {
		t.Shape[i] = int(d)
	}
	if ranks > maxRank {
		fail(brokenTensor(name, "it has %d dimensions, more than %d", ranks, maxRank))
	}
	if ends != 2 || offsets[0] > offsets[1] {
		fail(brokenTensor(name, "its data_offsets are not a range"))
	}
	t.begin, t.end = offsets[0], offsets[1]
	if t.unread != nil { // the size of its elements is nothing to rely on
		return t
	}
	want, ok := tensor.ByteSize(t.DType, t.Shape)
	if !ok {
		fail(brokenTensor(name, "its shape %v is impossible", shape))
	}
	if int64(want) != t.end-t.begin {
		fail(brokenTensor(name, "%v of shape %v needs %d bytes, but %d are set aside for it", t.DType, t.Shape, want, t.end-t.begin))
	}
	return t
}

// Types of the format that hold no weights Realword can use.
var unreadTypes = []string{
	"F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4", "U16", "U32", "U64",
	"C64",
}

func (h *headerReader) checkRanges(data int64) error {
	ordered := slices.Clone(h.tensors)
	slices.SortFunc(ordered, func(a, b headerTensor) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	at := int64(0)
	for _, t := range ordered {
		switch {
		case t.end > data:
			return brokenTensor(t.Name, "its data ends at byte %d, but the file has only %d bytes of data", t.end, data)
		case t.begin < at:
			return brokenTensor(t.Name, "its data overlaps that of another tensor")
		case t.begin > at:
			return brokenTensor(t.Name, "there is a gap of %d bytes before its data", t.begin-at)
		}
		at = t.end
	}
	if at != data {
		return broken("%d bytes follow the last tensor", data-at)
	}
	return nil
}
