// Package keep keeps tensors that took long to compute in files, so that neither a restart nor another process computes them again.
//
// Contract: what Get gives is bit for bit what was Put under that key, or nothing: a damaged, cut or foreign file is not there. The
// key has to name everything that decides the values; Machine is one part of it. A folder belongs to everybody at the same time, any
// goroutine of any process. Its files are for nobody but the user, and are no more than its limit: those that were read longest ago go
// first. Errors never matter to the caller's result; whoever removes the folder loses time and nothing else.
package keep

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/cpu"

	"realword/inference/files"
	"realword/inference/tensor"
)

// Folder is where tensors are kept. A nil one keeps nothing.
type Folder struct {
	path  string
	limit int64
}

// New is a folder whose files have at most limit bytes together. It is made with the first tensor.
func New(path string, limit int64) *Folder { return &Folder{path, limit} }

const (
	suffix = ".kept"
	// magic begins every file; another layout has another one.
	magic    = "realword kept 1\n"
	mostAxes = 8
	// longest is the size of the largest file that is read.
	longest = 256 << 20
)

// Machine names what decides the last bits of a computation besides the runtime: the kind of processor, by what it can do.
func Machine() string { return fmt.Sprintf("%s %+v %+v", runtime.GOARCH, cpu.X86, cpu.ARM64) }

// sumOf is the SHA-256 of a key.
func sumOf(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func (f *Folder) file(key string) string {
	return filepath.Join(f.path, hex.EncodeToString(sumOf(key))+suffix)
}

// Get returns the tensor of a key, nil where there is none. It belongs to the caller.
func (f *Folder) Get(key string) *tensor.Tensor {
	if f == nil {
		return nil
	}
	path := f.file(key)
	data, err := files.Read(path, longest)
	if err != nil {
		return nil
	}
	t := decode(data, key)
	if t != nil {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // what is read lately goes last
	}
	return t
}

// Put keeps a tensor of float32, and removes those that were read longest ago where there are too many.
func (f *Folder) Put(key string, t *tensor.Tensor) error {
	if f == nil {
		return nil
	}
	data, err := encode(key, t)
	if err != nil {
		return err
	}
	if int64(len(data)) > min(f.limit, longest) {
		return nil
	}
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return err
	}
	err = files.Put(f.file(key), files.Private|files.Unsynced, files.Data(data))
	return errors.Join(err, f.sweep())
}

// sweep removes what is unfinished and what is too much.
func (f *Folder) sweep() error {
	files.Sweep(f.path)
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	var list []files.Kept
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !files.IsFile(info.Mode()) || !strings.HasSuffix(e.Name(), suffix) {
			continue // of others, or removed meanwhile
		}
		list = append(list, files.Kept{Path: filepath.Join(f.path, e.Name()), Size: info.Size(), Used: info.ModTime()})
	}
	return files.Trim(list, f.limit)
}

// encode writes magic, the key's sum, the number of axes, their lengths, the values, and the sum of all that.
func encode(key string, t *tensor.Tensor) ([]byte, error) {
	if t.DType != tensor.F32 || len(t.Shape) > mostAxes || len(t.F32) != tensor.Count(t.Shape) {
		return nil, fmt.Errorf("keep a tensor: %s of %v with %d values cannot be kept", t.DType, t.Shape, len(t.F32))
	}
	data := append([]byte(magic), sumOf(key)...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(t.Shape)))
	for _, d := range t.Shape {
		data = binary.LittleEndian.AppendUint32(data, uint32(d))
	}
	values := make([]byte, 4*len(t.F32))
	if err := tensor.EncodeFloats(values, t.F32, tensor.F32); err != nil {
		return nil, err
	}
	data = append(data, values...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// decode is the tensor in a file of a key, nil where anything of it is not as encode writes it, or a number is NaN or infinite: no encoder
// says that, and what went wrong once would be found for ever.
func decode(data []byte, key string) *tensor.Tensor {
	end := len(data) - sha256.Size
	if end < 0 {
		return nil
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil
	}
	data, found := bytes.CutPrefix(data[:end], append([]byte(magic), sumOf(key)...))
	if !found || len(data) < 4 {
		return nil
	}
	axes := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if axes > mostAxes || len(data) < 4*int(axes) {
		return nil
	}
	t := &tensor.Tensor{DType: tensor.F32, Shape: make([]int, axes)}
	count := 1
	for i := range t.Shape {
		t.Shape[i] = int(binary.LittleEndian.Uint32(data[4*i:]))
		if count *= t.Shape[i]; count > longest {
			return nil
		}
	}
	if data = data[4*axes:]; len(data) != 4*count || tensor.NotFinite(data, tensor.F32) >= 0 {
		return nil
	}
	t.F32 = make([]float32, count)
	if tensor.DecodeFloats(t.F32, data, tensor.F32) != nil {
		return nil
	}
	return t
}
