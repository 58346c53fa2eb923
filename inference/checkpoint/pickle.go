package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"realword/inference/tensor"
)

// Bounds on a pickle. The largest released checkpoints have some thousand tensors, about 40 opcodes and 200 bytes each.
const (
	maxPickle  = 16 << 20 // bytes
	maxOpcodes = 2 << 20
	maxStack   = 1 << 20
	maxRank    = 64 // dimensions: PyTorch's own limit, applied to all formats
)

// What a pickle can hold here: nil, bool, int64, float64, string, []byte, tuple, *list, *dict, global, *storage,
// *torchTensor, and inert for objects that are known to be harmless and of no use.
type (
	tuple  []any
	list   struct{ items []any }
	global string // "module name"
	inert  string // what it is
	mark   struct{}

	// dict keeps the entries with text keys; of others only the number.
	dict struct {
		keys   []string // in order of first insertion
		values map[string]any
		others int
	}
	// storage is a flat buffer: an entry of the ZIP file.
	storage struct {
		key   string
		dtype tensor.DType
		count int64
	}
	torchTensor struct {
		storage *storage
		offset  int64 // in elements, like the strides
		shape   []int
		strides []int
	}
)

var storageTypes = map[global]tensor.DType{
	"torch FloatStorage": tensor.F32, "torch HalfStorage": tensor.F16, "torch BFloat16Storage": tensor.BF16, "torch DoubleStorage": tensor.F64,
	"torch LongStorage": tensor.I64, "torch IntStorage": tensor.I32, "torch ShortStorage": tensor.I16, "torch CharStorage": tensor.I8,
	"torch ByteStorage": tensor.U8, "torch BoolStorage": tensor.Bool,
}

// Classes that training scripts leave in checkpoints. Their objects are not built: they become inert.
var inertGlobals = map[global]bool{
	"argparse Namespace": true, "collections defaultdict": true, "collections Counter": true, "__builtin__ set": true, "builtins set": true,
	"builtins dict": true, "__builtin__ dict": true, "builtins list": true, "__builtin__ list": true, "torch device": true,
	"torch float32": true, "torch float16": true, "torch bfloat16": true, "torch float64": true,
	"numpy dtype": true, "numpy ndarray": true, "numpy.core.multiarray scalar": true, "numpy._core.multiarray scalar": true,
	"numpy.core.multiarray _reconstruct": true, "numpy._core.multiarray _reconstruct": true, "_codecs encode": true,
	"pathlib PosixPath": true, "pathlib WindowsPath": true, "omegaconf.dictconfig DictConfig": true,
}

const (
	orderedDict       = global("collections OrderedDict")
	torchSize         = global("torch Size")
	rebuildTensor     = global("torch._utils _rebuild_tensor_v2")
	rebuildParameter  = global("torch._utils _rebuild_parameter")
	rebuildParamState = global("torch._utils _rebuild_parameter_with_state")
)

func knownGlobal(g global) bool {
	switch g {
	case orderedDict, torchSize, rebuildTensor, rebuildParameter, rebuildParamState:
		return true
	}
	_, isStorage := storageTypes[g]
	return isStorage || inertGlobals[g]
}

// unpickle interprets a pickle of protocol 2 to 5 and returns its object. It builds plain values only: globals are
// names from a closed list, and calling one means to note what it would have made.
func unpickle(data []byte) (any, error) {
	m := machine{data: data, memo: map[uint32]any{}}
	for range maxOpcodes {
		done, err := m.step()
		if err != nil {
			return nil, err
		}
		if done {
			return m.pop()
		}
		if len(m.stack) > maxStack {
			return nil, broken("its pickle nests deeper than any checkpoint does")
		}
	}
	return nil, &UnsupportedError{Problem: fmt.Sprintf("its pickle has more than %d opcodes", maxOpcodes), Remedy: resave}
}

type machine struct {
	data  []byte
	at    int
	stack []any
	memo  map[uint32]any
}

// The opcodes, named as in Python's pickletools.
const (
	opMark            = '('
	opStop            = '.'
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opBinFloat        = 'G'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opEmptyList       = ']'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opEmptyDict       = '}'
	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// step interprets one opcode and reports whether it was the last one.
func (m *machine) step() (done bool, err error) {
	op, err := m.bytes(1)
	if err != nil {
		return false, err
	}
	switch op[0] {
	case opStop:
		return true, nil
	case opProto:
		b, err := m.bytes(1)
		if err == nil && (b[0] < 2 || b[0] > 5) {
			err = &UnsupportedError{Problem: fmt.Sprintf("its pickle has protocol %d", b[0]), Remedy: resave}
		}
		return false, err
	case opFrame:
		_, err := m.bytes(8)
		return false, err
	case opMark:
		m.push(mark{})
	case opPop:
		_, err := m.pop()
		return false, err
	case opPopMark:
		_, err := m.sinceMark()
		return false, err
	case opDup:
		v, err := m.top()
		m.push(v)
		return false, err

	case opNone:
		m.push(nil)
	case opNewTrue:
		m.push(true)
	case opNewFalse:
		m.push(false)
	case opBinInt1:
		return false, m.integer(1)
	case opBinInt2:
		return false, m.integer(2)
	case opBinInt:
		return false, m.integer(4)
	case opLong1:
		return false, m.long(1)
	case opLong4:
		return false, m.long(4)
	case opBinFloat:
		b, err := m.bytes(8)
		if err == nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return false, err
	case opShortBinUnicode, opShortBinString:
		return false, m.text(1)
	case opBinUnicode, opBinString:
		return false, m.text(4)
	case opBinUnicode8:
		return false, m.text(8)
	case opShortBinBytes:
		return false, m.blob(1)
	case opBinBytes:
		return false, m.blob(4)
	case opBinBytes8:
		return false, m.blob(8)

	case opEmptyTuple:
		m.push(tuple{})
	case opTuple1, opTuple2, opTuple3:
		items, err := m.take(int(op[0]) - opTuple1 + 1)
		m.push(tuple(items))
		return false, err
	case opTuple:
		items, err := m.sinceMark()
		m.push(tuple(items))
		return false, err
	case opEmptyList:
		m.push(&list{})
	case opEmptySet:
		m.push(inert("a set"))
	case opEmptyDict:
		m.push(newDict())
	case opAppend:
		items, err := m.take(1)
		if err != nil {
			return false, err
		}
		return false, m.extend(items)
	case opAppends, opAddItems:
		items, err := m.sinceMark()
		if err != nil {
			return false, err
		}
		return false, m.extend(items)
	case opSetItem:
		items, err := m.take(2)
		if err != nil {
			return false, err
		}
		return false, m.setItems(items)
	case opSetItems:
		items, err := m.sinceMark()
		if err != nil {
			return false, err
		}
		return false, m.setItems(items)

	case opBinPut:
		return false, m.put(1)
	case opLongBinPut:
		return false, m.put(4)
	case opMemoize:
		m.memo[uint32(len(m.memo))], err = m.top()
		return false, err
	case opBinGet:
		return false, m.get(1)
	case opLongBinGet:
		return false, m.get(4)

	case opGlobal:
		module, err := m.line()
		if err != nil {
			return false, err
		}
		name, err := m.line()
		if err != nil {
			return false, err
		}
		return false, m.global(module, name)
	case opStackGlobal:
		items, err := m.take(2)
		if err != nil {
			return false, err
		}
		module, ok1 := items[0].(string)
		name, ok2 := items[1].(string)
		if !ok1 || !ok2 {
			return false, broken("its pickle names a global by something else than text")
		}
		return false, m.global(module, name)
	case opBinPersID:
		id, err := m.pop()
		if err != nil {
			return false, err
		}
		s, err := storageOf(id)
		m.push(s)
		return false, err
	case opReduce, opNewObj:
		items, err := m.take(2)
		if err != nil {
			return false, err
		}
		v, err := call(items[0], items[1])
		m.push(v)
		return false, err
	case opBuild: // attributes of an object: nothing that Realword looks at
		_, err := m.take(1)
		if err == nil {
			_, err = m.top()
		}
		return false, err
	default:
		return false, &UnsupportedError{Problem: fmt.Sprintf("its pickle has opcode 0x%02x, which no torch.save of weights writes", op[0]), Remedy: resave}
	}
	return false, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	items, err := m.take(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

func (m *machine) top() (any, error) {
	if len(m.stack) == 0 || m.stack[len(m.stack)-1] == (mark{}) {
		return nil, errStack()
	}
	return m.stack[len(m.stack)-1], nil
}

func errStack() error { return broken("its pickle takes more objects than it made") }

// take removes the last n objects and returns a copy of them, in order.
func (m *machine) take(n int) ([]any, error) {
	from := len(m.stack) - n
	if from < 0 || slices.ContainsFunc(m.stack[from:], isMark) {
		return nil, errStack()
	}
	items := slices.Clone(m.stack[from:])
	m.stack = m.stack[:from]
	return items, nil
}

// sinceMark removes the objects after the last mark, and the mark.
func (m *machine) sinceMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if isMark(m.stack[i]) {
			items := slices.Clone(m.stack[i+1:])
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errStack()
}

func isMark(v any) bool { _, ok := v.(mark); return ok }

func (m *machine) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, broken("its pickle ends early")
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.at:], '\n')
	if n < 0 {
		return "", broken("its pickle ends early")
	}
	s := string(m.data[m.at : m.at+n])
	m.at += n + 1
	return s, nil
}

// unsigned reads a little-endian number of 1, 2, 4 or 8 bytes.
func (m *machine) unsigned(width int) (uint64, error) {
	b, err := m.bytes(uint64(width))
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// integer pushes a number: one and two bytes are unsigned in the format, four are signed.
func (m *machine) integer(width int) error {
	v, err := m.unsigned(width)
	if width == 4 {
		v = uint64(int32(v))
	}
	m.push(int64(v))
	return err
}

// long pushes a little-endian two's-complement number. One that does not fit 64 bits has no use here.
func (m *machine) long(width int) error {
	n, err := m.unsigned(width)
	if err != nil {
		return err
	}
	b, err := m.bytes(n)
	if err != nil {
		return err
	}
	if n > 8 {
		m.push(inert("a number of more than 64 bits"))
		return nil
	}
	var full [8]byte
	if n > 0 && b[n-1]&0x80 != 0 {
		full = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(full[:], b)
	m.push(int64(binary.LittleEndian.Uint64(full[:])))
	return nil
}

func (m *machine) blob(width int) error {
	n, err := m.unsigned(width)
	if err != nil {
		return err
	}
	b, err := m.bytes(n)
	m.push(b)
	return err
}

func (m *machine) text(width int) error {
	n, err := m.unsigned(width)
	if err != nil {
		return err
	}
	b, err := m.bytes(n)
	m.push(string(b))
	return err
}

func (m *machine) put(width int) error {
	i, err := m.unsigned(width)
	if err != nil {
		return err
	}
	m.memo[uint32(i)], err = m.top()
	return err
}

func (m *machine) get(width int) error {
	i, err := m.unsigned(width)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(i)]
	if !ok {
		return broken("its pickle refers to an object that it never made")
	}
	m.push(v)
	return nil
}

func (m *machine) extend(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *list:
		v.items = append(v.items, items...)
		return nil
	case inert:
		return nil
	}
	return broken("its pickle appends to something that is not a list")
}

func (m *machine) setItems(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return broken("its pickle sets a key without a value")
	}
	switch v := v.(type) {
	case *dict:
		for i := 0; i < len(items); i += 2 {
			v.set(items[i], items[i+1])
		}
		return nil
	case inert:
		return nil
	}
	return broken("its pickle sets items of something that is not a dictionary")
}

func (m *machine) global(module, name string) error {
	g := global(module + " " + name)
	if !knownGlobal(g) {
		dotted := clip(module) + "." + clip(name)
		return &UnsupportedError{Problem: fmt.Sprintf("its pickle asks for %q, which is not part of plain weights and is never run", dotted),
			Remedy: "use a safetensors file from the same source, and load this one in other programs only if you trust its maker"}
	}
	m.push(g)
	return nil
}

func newDict() *dict { return &dict{values: map[string]any{}} }

func (d *dict) set(key, value any) {
	k, ok := key.(string)
	if !ok {
		d.others++
		return
	}
	if _, ok := d.values[k]; !ok {
		d.keys = append(d.keys, k)
	}
	d.values[k] = value
}

// call notes what calling f would have made.
func call(f, args any) (any, error) {
	if _, ok := f.(inert); ok {
		return f, nil
	}
	g, ok := f.(global)
	a, ok2 := args.(tuple)
	if !ok || !ok2 {
		return nil, broken("its pickle calls something that is not a function")
	}
	switch g {
	case orderedDict:
		if len(a) == 0 {
			return newDict(), nil
		}
		return nil, &UnsupportedError{Problem: "its pickle makes an OrderedDict from a list", Remedy: resave}
	case torchSize:
		if len(a) == 1 {
			return a[0], nil
		}
	case rebuildParameter, rebuildParamState:
		if len(a) >= 3 {
			if t, ok := a[0].(*torchTensor); ok {
				return t, nil
			}
		}
	case rebuildTensor:
		return rebuild(a)
	}
	if inertGlobals[g] {
		return inert("a " + strings.ReplaceAll(string(g), " ", ".") + " object"), nil
	}
	return nil, broken("its pickle calls %s with arguments that it does not take", strings.ReplaceAll(string(g), " ", "."))
}

// storageOf reads the persistent id of a storage: ('storage', class, key, device, count).
func storageOf(id any) (*storage, error) {
	bad := broken("its pickle refers to data in a way that torch.save does not")
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return nil, bad
	}
	class, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	dtype, ok4 := storageTypes[class]
	if !ok1 || !ok2 || !ok3 || !ok4 || count < 0 {
		return nil, bad
	}
	return &storage{key: key, dtype: dtype, count: count}, nil
}

// rebuild reads the arguments of _rebuild_tensor_v2: storage, offset, size, stride, requires_grad, hooks.
func rebuild(a tuple) (*torchTensor, error) {
	bad := broken("its pickle describes a tensor in a way that torch.save does not")
	if len(a) < 6 {
		return nil, bad
	}
	s, ok1 := a[0].(*storage)
	offset, ok2 := a[1].(int64)
	shape, ok3 := ints(a[2])
	strides, ok4 := ints(a[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || offset < 0 || len(shape) != len(strides) {
		return nil, bad
	}
	return &torchTensor{storage: s, offset: offset, shape: shape, strides: strides}, nil
}

// ints reads a tuple of non-negative numbers.
func ints(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > maxRank {
		return nil, false
	}
	out := make([]int, len(t))
	for i, d := range t {
		n, ok := d.(int64)
		if !ok || n < 0 || n > math.MaxInt {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}
