package checkpoint

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Bounds on a pickle. The largest released checkpoints have some thousand tensors, about 40 opcodes and 200 bytes each.
const (
	maxPickle  = 16 << 20 // bytes
	maxOpcodes = 2 << 20
	maxStack   = 1 << 20
	maxRank    = 64 // dimensions: PyTorch's own limit, applied to all formats
	perByte    = 16 // bytes of objects for one of the pickle; PyTorch's own make 6 to 10
)

// What a pickle can hold here: nil, bool, int64, float64, string, []byte, tuple, *list, *dict, global, *storage,
// *torchTensor, and inert for all other objects: they are never made, only named.
type (
	tuple  []any
	list   struct{ items []any }
	global string // "module name"
	inert  string // what it is
	mark   struct{}

	// dict keeps the entries with text keys; of others only the number. Its zero value is empty.
	dict struct {
		keys   []string // in order of first insertion
		values map[string]any
		others int
	}
	// storage is a flat buffer: an entry of the ZIP file.
	storage struct {
		key   string
		class global
		dtype tensor.DType // tensor.Invalid for a class that is not read
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

const (
	orderedDict       = global("collections OrderedDict")
	torchSize         = global("torch Size")
	rebuildTensor     = global("torch._utils _rebuild_tensor_v2")
	rebuildParameter  = global("torch._utils _rebuild_parameter")
	rebuildParamState = global("torch._utils _rebuild_parameter_with_state")
	rebuildFromType   = global("torch._tensor _rebuild_from_type_v2")
)

// Modules and names that run something when a pickle is loaded elsewhere. Nothing is run here; but a file that asks for one of them
// was made to harm, and is not taken for weights.
var (
	harmfulModules = []string{
		"os", "posix", "nt", "posixpath", "ntpath", "subprocess", "sys", "runpy", "importlib", "shutil", "socket",
		"ctypes", "pty", "commands",
		"webbrowser", "urllib", "requests", "http", "marshal", "code", "timeit", "pdb", "bdb", "cProfile", "profile", "trace", "pip", "asyncio",
		"multiprocessing", "signal",
	}
	// of builtins
	harmfulNames = []string{
		"eval", "exec", "execfile", "compile", "__import__", "open", "input", "breakpoint", "apply", "vars", "globals",
		"locals",
	}
)

func harmful(module, name string) bool {
	top, _, _ := strings.Cut(module, ".")
	return slices.Contains(harmfulModules, top) || (top == "builtins" || top == "__builtin__") && slices.Contains(harmfulNames, name)
}

// known tells whether a global is part of plain weights. All others become inert objects.
func (g global) known() bool {
	switch g {
	case orderedDict, torchSize, rebuildTensor, rebuildParameter, rebuildParamState, rebuildFromType:
		return true
	}
	_, isStorage := storageTypes[g]
	return isStorage || strings.HasPrefix(string(g), "torch ") && strings.HasSuffix(string(g), "Storage")
}

// String is the global's dotted name, fit to be shown.
func (g global) String() string { return clip(strings.ReplaceAll(string(g), " ", ".")) }

// unpickle interprets a pickle of protocol 2 to 5 and returns its object, and the names of what it would have made besides. It
// builds plain values only: calling a global means to note what it would have made.
func unpickle(data []byte) (root any, unknown []string, err error) {
	err = try(func() { root, unknown = interpret(data) })
	return root, unknown, err
}

func interpret(data []byte) (root any, unknown []string) {
	m := machine{data: data, unknown: map[global]bool{}}
	budget := 64<<10 + perByte*int64(len(data))
	for range maxOpcodes {
		if m.step() {
			for g := range m.unknown {
				unknown = append(unknown, g.String())
			}
			slices.Sort(unknown)
			return m.take(1)[0], unknown
		}
		if len(m.stack) > m.deepest {
			m.charge(64 * (len(m.stack) - m.deepest)) // with what growing leaves behind
			m.deepest = len(m.stack)
		}
		if len(m.stack) > maxStack || m.cost > budget {
			fail(broken("its pickle nests deeper and makes more objects than any checkpoint does"))
		}
	}
	fail(&UnsupportedError{Problem: message.Note("its pickle has more than %d opcodes", maxOpcodes), Remedy: resave})
	return nil, nil
}

type machine struct {
	data    []byte
	at      int
	stack   []any
	memo    []any          // picklers number what they remember from 0
	sparse  map[uint32]any // what they do not
	unknown map[global]bool
	deepest int   // the most objects that the stack held
	cost    int64 // bytes that all objects so far took, about
}

func (m *machine) charge(bytes int) { m.cost += int64(bytes) }

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
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// step interprets one opcode and reports whether it was the last one.
func (m *machine) step() (done bool) {
	switch op := m.bytes(1)[0]; op {
	case opStop:
		return true
	case opProto:
		if version := m.bytes(1)[0]; version < 2 || version > 5 {
			fail(&UnsupportedError{Problem: message.Note("its pickle has protocol %d", version), Remedy: resave})
		}
	case opFrame:
		m.bytes(8)
	case opMark:
		m.push(mark{})
	case opPop:
		m.take(1)
	case opPopMark:
		m.sinceMark()
	case opDup:
		m.push(m.top())

	case opNone:
		m.push(nil)
	case opNewTrue:
		m.push(true)
	case opNewFalse:
		m.push(false)
	case opBinInt1:
		m.integer(1)
	case opBinInt2:
		m.integer(2)
	case opBinInt:
		m.integer(4)
	case opLong1:
		m.long(1)
	case opLong4:
		m.long(4)
	case opBinFloat:
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.bytes(8))))
	case opShortBinUnicode, opShortBinString:
		m.text(1)
	case opBinUnicode, opBinString:
		m.text(4)
	case opBinUnicode8:
		m.text(8)
	case opShortBinBytes:
		m.blob(1)
	case opBinBytes:
		m.blob(4)
	case opBinBytes8, opByteArray8:
		m.blob(8)

	case opEmptyTuple:
		m.push(tuple{})
	case opTuple1, opTuple2, opTuple3:
		m.tuple(m.take(int(op) - opTuple1 + 1))
	case opTuple:
		m.tuple(m.sinceMark())
	case opFrozenSet:
		m.sinceMark()
		m.push(inert("a set"))
	case opEmptyList:
		m.charge(48)
		m.push(&list{})
	case opEmptySet:
		m.push(inert("a set"))
	case opEmptyDict:
		m.charge(64)
		m.push(&dict{})
	case opAppend:
		m.extend(m.take(1))
	case opAppends, opAddItems:
		m.extend(m.sinceMark())
	case opSetItem:
		m.setItems(m.take(2))
	case opSetItems:
		m.setItems(m.sinceMark())

	case opBinPut:
		m.remember(uint32(m.unsigned(1)))
	case opLongBinPut:
		m.remember(uint32(m.unsigned(4)))
	case opMemoize:
		m.remember(uint32(len(m.memo)))
	case opBinGet:
		m.get(m.unsigned(1))
	case opLongBinGet:
		m.get(m.unsigned(4))

	case opGlobal:
		module := m.line()
		m.global(module, m.line())
	case opStackGlobal:
		items := m.take(2)
		module, ok1 := items[0].(string)
		name, ok2 := items[1].(string)
		if !ok1 || !ok2 {
			fail(broken("its pickle names a global by something other than text"))
		}
		m.global(module, name)
	case opBinPersID:
		m.charge(64)
		m.push(storageOf(m.take(1)[0]))
	case opReduce, opNewObj:
		m.charge(48)
		items := m.take(2)
		m.push(call(items[0], items[1]))
	case opNewObjEx:
		m.charge(48)
		items := m.take(3)
		m.push(call(items[0], items[1]))
	case opBuild: // attributes of an object: nothing that Realword looks at
		m.take(1)
		m.top()
	default:
		fail(&UnsupportedError{Problem: message.Note("its pickle has opcode 0x%02x, which no torch.save of weights writes", op), Remedy: resave})
	}
	return false
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) tuple(items []any) {
	m.charge(24 + 16*len(items))
	m.push(tuple(items))
}

func (m *machine) top() any {
	if len(m.stack) == 0 || isMark(m.stack[len(m.stack)-1]) {
		failStack()
	}
	return m.stack[len(m.stack)-1]
}

func failStack() { fail(broken("its pickle takes more objects than it made")) }

// take removes the last n objects and returns a copy of them, in order.
func (m *machine) take(n int) []any {
	from := len(m.stack) - n
	if from < 0 || slices.ContainsFunc(m.stack[from:], isMark) {
		failStack()
	}
	items := slices.Clone(m.stack[from:])
	m.stack = m.stack[:from]
	return items
}

// sinceMark removes the objects after the last mark, and the mark.
func (m *machine) sinceMark() []any {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if isMark(m.stack[i]) {
			items := slices.Clone(m.stack[i+1:])
			m.stack = m.stack[:i]
			return items
		}
	}
	failStack()
	return nil
}

func isMark(v any) bool { _, ok := v.(mark); return ok }

func (m *machine) bytes(n uint64) []byte {
	if n > uint64(len(m.data)-m.at) {
		fail(broken("its pickle ends early"))
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b
}

func (m *machine) line() string {
	n := bytes.IndexByte(m.data[m.at:], '\n')
	if n < 0 {
		fail(broken("its pickle ends early"))
	}
	return string(m.bytes(uint64(n + 1))[:n])
}

// unsigned reads a little-endian number of 1, 2, 4 or 8 bytes.
func (m *machine) unsigned(width int) uint64 {
	var full [8]byte
	copy(full[:], m.bytes(uint64(width)))
	return binary.LittleEndian.Uint64(full[:])
}

// integer pushes a number: one and two bytes are unsigned in the format, four are signed.
func (m *machine) integer(width int) {
	v := m.unsigned(width)
	if width == 4 {
		v = uint64(int32(v))
	}
	if v > 255 {
		m.charge(16)
	}
	m.push(int64(v))
}

// long pushes a little-endian two's-complement number. One that does not fit 64 bits has no use here.
func (m *machine) long(width int) {
	b := m.bytes(m.unsigned(width))
	if len(b) > 8 {
		m.push(inert("a number of more than 64 bits"))
		return
	}
	var full [8]byte
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		full = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(full[:], b)
	m.push(int64(binary.LittleEndian.Uint64(full[:])))
}

func (m *machine) blob(width int) {
	m.charge(24)
	m.push(m.bytes(m.unsigned(width)))
}

func (m *machine) text(width int) {
	b := m.bytes(m.unsigned(width))
	m.charge(24 + len(b))
	m.push(string(b))
}

// remember notes the top of the stack under a number.
func (m *machine) remember(i uint32) {
	v := m.top()
	switch {
	case int(i) < len(m.memo):
		m.memo[i] = v
	case int(i) == len(m.memo):
		m.charge(48)
		m.memo = append(m.memo, v)
	default:
		m.charge(64)
		if m.sparse == nil {
			m.sparse = map[uint32]any{}
		}
		m.sparse[i] = v
	}
}

func (m *machine) get(i uint64) {
	if i < uint64(len(m.memo)) {
		m.push(m.memo[i])
		return
	}
	v, ok := m.sparse[uint32(i)]
	if !ok {
		fail(broken("its pickle refers to an object that it never made"))
	}
	m.push(v)
}

func (m *machine) extend(items []any) {
	switch v := m.top().(type) {
	case *list:
		m.charge(48 * len(items))
		v.items = append(v.items, items...)
	case inert:
	default:
		fail(broken("its pickle appends to something that is not a list"))
	}
}

func (m *machine) setItems(items []any) {
	v := m.top()
	if len(items)%2 != 0 {
		fail(broken("its pickle sets a key without a value"))
	}
	switch v := v.(type) {
	case *dict:
		for i := 0; i < len(items); i += 2 {
			m.charge(96)
			v.set(items[i], items[i+1])
		}
	case inert:
	default:
		fail(broken("its pickle sets items of something that is not a dictionary"))
	}
}

func (m *machine) global(module, name string) {
	g := global(module + " " + name)
	if harmful(module, name) {
		fail(&UnsupportedError{
			Problem: message.Note("its pickle asks for %q, which is not part of plain weights and is never run", g.String()),
			Remedy:  message.Note("do not load this file anywhere: it was made to run code; get a safetensors file from its author"),
		})
	}
	if !g.known() && !m.unknown[g] {
		m.charge(96 + len(g))
		m.unknown[g] = true
	}
	m.charge(16 + len(g))
	m.push(g)
}

func (d *dict) set(key, value any) {
	k, ok := key.(string)
	if !ok {
		d.others++
		return
	}
	if d.values == nil {
		d.values = map[string]any{}
	}
	if _, ok := d.values[k]; !ok {
		d.keys = append(d.keys, k)
	}
	d.values[k] = value
}

// call notes what calling f would have made.
func call(f, args any) any {
	if _, ok := f.(inert); ok {
		return f
	}
	g, ok := f.(global)
	a, ok2 := args.(tuple)
	if !ok || !ok2 {
		fail(broken("its pickle calls something that is not a function"))
	}
	if !g.known() {
		return inert("a " + g.String() + " object")
	}
	switch g {
	case orderedDict:
		if len(a) == 0 {
			return &dict{}
		}
		if d, ok := pairs(a); ok {
			return d
		}
	case torchSize:
		if len(a) == 1 {
			return a[0]
		}
	case rebuildParameter, rebuildParamState:
		if len(a) >= 3 {
			switch a[0].(type) {
			case *torchTensor, inert:
				return a[0]
			}
		}
	case rebuildTensor:
		return rebuild(a)
	case rebuildFromType: // function, class, arguments, attributes: the tensor is what the function makes
		if len(a) == 4 && a[0] != any(rebuildFromType) {
			return call(a[0], a[2])
		}
	}
	fail(broken("its pickle calls %s with arguments that it does not take", g))
	return nil
}

// pairs makes a dictionary of a list of pairs, as Python 2 wrote an OrderedDict.
func pairs(a tuple) (*dict, bool) {
	l, ok := a[0].(*list)
	if !ok || len(a) != 1 {
		return nil, false
	}
	d := &dict{}
	for _, item := range l.items {
		var two []any
		switch item := item.(type) {
		case tuple:
			two = item
		case *list:
			two = item.items
		}
		if len(two) != 2 {
			return nil, false
		}
		d.set(two[0], two[1])
	}
	return d, true
}

// storageOf reads the persistent id of a storage: ('storage', class, key, device, count).
func storageOf(id any) *storage {
	bad := broken("its pickle refers to data in a way that torch.save does not")
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		fail(bad)
	}
	class, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 || !strings.HasSuffix(string(class), "Storage") {
		fail(bad)
	}
	return &storage{key: key, class: class, dtype: storageTypes[class], count: count}
}

// rebuild reads the arguments of _rebuild_tensor_v2: storage, offset, size, stride, requires_grad, hooks.
func rebuild(a tuple) *torchTensor {
	bad := broken("its pickle describes a tensor in a way that torch.save does not")
	if len(a) < 6 {
		fail(bad)
	}
	s, ok1 := a[0].(*storage)
	offset, ok2 := a[1].(int64)
	shape, ok3 := ints(a[2])
	strides, ok4 := ints(a[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || offset < 0 || len(shape) != len(strides) {
		fail(bad)
	}
	return &torchTensor{storage: s, offset: offset, shape: shape, strides: strides}
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
