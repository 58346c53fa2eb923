package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"realword/inference/tensor"
)

// The format's own limit on its header.
const maxHeader = 100 << 20

// parseSafetensors reads the header of a safetensors file and checks it as the reference implementation does: names are
// unique, and the data ranges fill the rest of the file exactly, without gaps and overlaps.
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
	header := make([]byte, n)
	if _, err := r.ReadAt(header, 8); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	h := headerReader{dec: json.NewDecoder(bytes.NewReader(header))}
	h.dec.UseNumber()
	if err := h.read(); err != nil {
		return nil, err
	}
	if rest := bytes.TrimRight(header[h.dec.InputOffset():], " "); len(rest) > 0 {
		return nil, broken("its header goes on after its end")
	}
	if err := h.checkRanges(size - 8 - int64(n)); err != nil {
		return nil, err
	}
	places := make([]place, len(h.tensors))
	for i, t := range h.tensors {
		places[i] = place{Entry: t.Entry, data: r, path: path, offset: 8 + int64(n) + t.begin}
	}
	f := newFile(places)
	f.meta = h.meta
	return f, nil
}

type headerTensor struct {
	Entry
	begin, end int64
}

// headerReader walks the header token by token, because json.Unmarshal would accept duplicate names silently.
type headerReader struct {
	dec     *json.Decoder
	tensors []headerTensor
	meta    map[string]string
}

const notHeader = "its header is not the JSON that the format asks for"

func (h *headerReader) read() error {
	seen := map[string]bool{}
	return h.object(func(name string) error {
		if seen[name] {
			return brokenTensor(name, "the name appears twice in the header")
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := h.dec.Decode(&h.meta); err != nil {
				return &FormatError{Problem: "its __metadata__ is not a map from text to text", Err: err}
			}
			return nil
		}
		t, err := h.tensor(name)
		if err != nil {
			return err
		}
		h.tensors = append(h.tensors, t)
		return nil
	})
}

// object reads a JSON object; field must consume the value of each key.
func (h *headerReader) object(field func(key string) error) error {
	if err := h.delimiter('{'); err != nil {
		return err
	}
	for h.dec.More() {
		token, err := h.dec.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return &FormatError{Problem: notHeader, Err: err}
		}
		if err := field(key); err != nil {
			return err
		}
	}
	return h.delimiter('}')
}

func (h *headerReader) delimiter(want json.Delim) error {
	token, err := h.dec.Token()
	if err != nil || token != want {
		return &FormatError{Problem: notHeader, Err: err}
	}
	return nil
}

func (h *headerReader) tensor(name string) (headerTensor, error) {
	t := headerTensor{Entry: Entry{Name: name}}
	var dtype string
	var shape, offsets []int64
	seen := map[string]bool{}
	err := h.object(func(key string) error {
		if seen[key] {
			return brokenTensor(name, "%s appears twice", clip(key))
		}
		seen[key] = true
		var err error
		switch key {
		case "dtype":
			err = h.dec.Decode(&dtype)
		case "shape":
			shape, err = h.numbers()
		case "data_offsets":
			offsets, err = h.numbers()
		default:
			var other json.RawMessage
			err = h.dec.Decode(&other)
		}
		if err != nil {
			return &FormatError{Key: name, Problem: "its " + clip(key) + " cannot be read", Err: err}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return t, brokenTensor(name, "the header gives no %s for it", key)
		}
	}
	var ok bool
	if t.DType, ok = tensor.ParseDType(dtype); !ok {
		if !slices.Contains(unreadTypes, dtype) {
			return t, brokenTensor(name, "its type %q does not exist", clip(dtype))
		}
		return t, &UnsupportedError{Key: name, Problem: "its type is " + dtype, Remedy: "use weights in F32, F16 or BF16"}
	}
	t.Shape = make([]int, len(shape))
	for i, d := range shape {
		t.Shape[i] = int(d)
	}
	if len(shape) > maxRank {
		return t, brokenTensor(name, "it has %d dimensions, more than %d", len(shape), maxRank)
	}
	want, ok := tensor.ByteSize(t.DType, t.Shape)
	if !ok {
		return t, brokenTensor(name, "its shape %v is impossible", shape)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return t, brokenTensor(name, "its data_offsets are not a range")
	}
	t.begin, t.end = offsets[0], offsets[1]
	if int64(want) != t.end-t.begin {
		return t, brokenTensor(name, "%v of shape %v needs %d bytes, but %d are set aside for it", t.DType, t.Shape, want, t.end-t.begin)
	}
	return t, nil
}

// Types of the format that hold no weights Realword can use.
var unreadTypes = []string{"F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4", "U16", "U32", "U64", "C64"}

// numbers reads an array of non-negative integers.
func (h *headerReader) numbers() ([]int64, error) {
	var raw []json.Number
	if err := h.dec.Decode(&raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, errors.New("it is null")
	}
	out := make([]int64, len(raw))
	for i, s := range raw {
		n, err := strconv.ParseInt(string(s), 10, strconv.IntSize)
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return nil, fmt.Errorf("%d is negative", n)
		}
		out[i] = n
	}
	return out, nil
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
