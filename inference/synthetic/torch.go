package synthetic

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"realword/inference/tensor"
)

// torchWriter writes what torch.save makes of a dictionary of tensors since PyTorch 1.6: a ZIP file with a pickle of protocol 2 and
// one stored entry per tensor, each aligned to 64 bytes.
type torchWriter struct {
	zip *zip.Writer
	out *counter
}

type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

const torchFolder = "archive/"

// newTorchWriter writes the pickle. The storages follow in the same order with storage, then close. wrapper, when not empty, is
// the key of an outer dictionary that holds the tensors.
func newTorchWriter(w io.Writer, tensors []tensor.Entry, wrapper string) (*torchWriter, error) {
	out := &counter{Writer: w}
	t := &torchWriter{zip: zip.NewWriter(out), out: out}
	err := t.entry("data.pkl", pickle(tensors, wrapper))
	if err == nil {
		err = t.entry("byteorder", []byte("little"))
	}
	return t, err
}

func (t *torchWriter) storage(i int, data []byte) error {
	return t.entry(fmt.Sprintf("data/%d", i), data)
}

func (t *torchWriter) close() error {
	if err := t.entry("version", []byte("3\n")); err != nil {
		return err
	}
	return t.zip.Close()
}

// entry stores data, after an extra field that makes it begin at a multiple of 64 as PyTorch's memory mapping wants.
func (t *torchWriter) entry(name string, data []byte) error {
	if err := t.zip.Flush(); err != nil {
		return err
	}
	name = torchFolder + name
	const header, field = 30, 4
	start := t.out.n + header + field + int64(len(name))
	padding := (64 - start%64) % 64
	extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(padding))
	w, err := t.zip.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
		CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data)), Extra: append(extra, make([]byte, padding)...),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

var torchStorages = map[tensor.DType]string{
	tensor.F32: "FloatStorage", tensor.F16: "HalfStorage", tensor.BF16: "BFloat16Storage",
	tensor.I64: "LongStorage",
}

// pickle writes an OrderedDict of _rebuild_tensor_v2 calls in the opcodes of Python's pickletools.
func pickle(tensors []tensor.Entry, wrapper string) []byte {
	var b bytes.Buffer
	global := func(module, name string) { fmt.Fprintf(&b, "c%s\n%s\n", module, name) }
	text := func(s string) {
		b.WriteByte('X')
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		b.WriteString(s)
	}
	number := func(n int) {
		b.WriteByte('J')
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	}
	numbers := func(ns []int) {
		b.WriteByte('(')
		for _, n := range ns {
			number(n)
		}
		b.WriteByte('t')
	}
	ordered := func() {
		global("collections", "OrderedDict")
		b.WriteString(")R")
	}
	b.WriteString("\x80\x02")
	if wrapper != "" {
		b.WriteString("}(")
		text("epoch")
		number(7)
		text(wrapper)
	}
	ordered()
	b.WriteByte('(')
	for i, e := range tensors {
		text(e.Name)
		global("torch._utils", "_rebuild_tensor_v2")
		b.WriteString("((")
		text("storage")
		global("torch", torchStorages[e.DType])
		text(fmt.Sprint(i))
		text("cpu")
		number(tensor.Count(e.Shape))
		b.WriteString("tQ")
		number(0)
		numbers(e.Shape)
		strides := make([]int, len(e.Shape))
		n := 1
		for d := len(e.Shape) - 1; d >= 0; d-- {
			strides[d] = n
			n *= e.Shape[d]
		}
		numbers(strides)
		b.WriteByte('\x89') // no gradient
		ordered()           // no hooks
		b.WriteString("tR")
	}
	b.WriteByte('u')
	if wrapper != "" {
		b.WriteByte('u')
	}
	b.WriteByte('.')
	return b.Bytes()
}
