package nn

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/tensor"
)

// one is a checkpoint with a single tensor x, as it lies in a file.
type one struct {
	dtype tensor.DType
	raw   []byte
	n     int
}

func (o one) Shape(name string) ([]int, tensor.DType, bool) { return []int{o.n}, o.dtype, name == "x" }

func (o one) Read(string) (*tensor.Tensor, error) {
	t := tensor.Zeros(o.n)
	return t, tensor.DecodeFloats(t.F32, o.raw, o.dtype)
}

// TestWriteCopies writes a tensor by copying and by converting: same bytes, and both refuse what is not finite.
func TestWriteCopies(t *testing.T) {
	for _, dtype := range []tensor.DType{tensor.F16, tensor.F32, tensor.BF16} {
		values := make([]float32, 1<<20) // more than one piece
		for i := range values {
			values[i] = float32(i%2047) / -1024
		}
		write := func(values []float32, copied bool, missing int) ([]byte, error) {
			src := one{dtype: dtype, raw: make([]byte, len(values)*dtype.Size()), n: len(values)}
			if err := tensor.EncodeFloats(src.raw, values, dtype); err != nil {
				t.Fatal(err)
			}
			s := NewStore(src, "w")
			if copied {
				s.CopyFrom(func(string) (io.ReadCloser, int64, bool) {
					return io.NopCloser(bytes.NewReader(src.raw[missing:])), int64(len(src.raw)), true
				})
			}
			if _, ok := s.place("x", []int{len(values)}); !ok {
				t.Fatal(s.problems)
			}
			path := filepath.Join(t.TempDir(), "w")
			if _, err := s.Write(context.Background(), path, nil); err != nil {
				return nil, err
			}
			return os.ReadFile(path)
		}
		copied, err1 := write(values, true, 0)
		converted, err2 := write(values, false, 0)
		if err1 != nil || err2 != nil || !bytes.Equal(copied, converted) {
			t.Errorf("%v: %d bytes copied and %d converted differ (%v, %v)", dtype, len(copied), len(converted), err1, err2)
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			values[len(values)-3] = float32(bad)
			for _, copied := range []bool{true, false} {
				if _, err := write(values, copied, 0); err == nil || !strings.Contains(err.Error(), "x: value 1048573 is") {
					t.Errorf("%v, %v, copied %v: %v", dtype, bad, copied, err)
				}
			}
		}
		values[len(values)-3] = 0
		if _, err := write(values, true, 2); dtype != tensor.BF16 && (err == nil || !strings.Contains(err.Error(), "can no longer be read")) {
			t.Errorf("%v: a file that became shorter: %v", dtype, err)
		}
	}
}

// TestWriteToAFullDisk meets the full disk with the first piece and with the last.
func TestWriteToAFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	for _, n := range []int{10, 1 << 23} {
		src := one{dtype: tensor.F16, raw: make([]byte, 2*n), n: n}
		s := NewStore(src, "w")
		if _, ok := s.place("x", []int{n}); !ok {
			t.Fatal(s.problems)
		}
		if sum, err := s.Write(context.Background(), full, nil); err == nil || sum != "" || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%d values: %q, %v", n, sum, err)
		}
	}
}

// TestMapFrom leaves a tensor where it lies only if graphs can read it there.
func TestMapFrom(t *testing.T) {
	for _, c := range []struct {
		dtype  tensor.DType
		offset int64
		length int64
		stays  bool
	}{
		{tensor.F32, 64, 40, true},
		{tensor.F16, 2, 20, true},
		{tensor.BF16, 6, 20, true},
		{tensor.F32, 66, 40, false},
		{tensor.F16, 3, 20, false},
		{tensor.F16, 2, 18, false},
		{tensor.F64, 64, 80, false},
	} {
		src := one{dtype: c.dtype, raw: make([]byte, 10*c.dtype.Size()), n: 10}
		s := NewStore(src, "w")
		s.MapFrom(func(name string) (Place, bool) {
			return Place{File: "/x", Offset: c.offset, Length: c.length}, name == "x"
		})
		p, ok := s.place("x", []int{10})
		if !ok || (p.File == "/x") != c.stays || (len(s.Mapped()) == 1) != c.stays || (s.Size() == 0) != c.stays || len(s.Used()) != 1 {
			t.Errorf("%v at %d: %+v, %d bytes to write", c.dtype, c.offset, p, s.Size())
		}
		if c.stays && p.DType != c.dtype {
			t.Errorf("%v became %v", c.dtype, p.DType)
		}
	}
}
