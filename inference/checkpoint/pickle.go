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
	harmfulModules = []string{"os", "posix", "nt", "posixpath", "ntpath", "subprocess", "sys", "runpy", "importlib", "shutil", "socket", "ctypes", "pty", "commands",
		"webbrowser", "urllib", "requests", "http", "marshal", "code", "timeit", "pdb", "bdb", "cProfile", "profile", "trace", "pip", "asyncio", "multiprocessing", "signal"}
	harmfulNames = []string{"eval", "exec", "execfile", "compile", "__import__", "open", "input", "breakpoint", "apply", "vars", "globals", "locals"} // of builtins
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
func unpickle(data []byte) (any, []string, error) {
	m := machine{data: data, unknown: map[global]bool{}}
	budget := 64<<10 + perByte*int64(len(data))
	for range maxOpcodes {
		done, err := m.step()
		if err != nil {
			return nil, nil, err
		}
		if done {
			root, err := m.pop()
			var unknown []string
			for g := range m.unknown {
				unknown = append(unknown, g.String())
			}
			slices.Sort(unknown)
			return root, unknown, err
		}
		if len(m.stack) > m.deepest {
			m.charge(64 * (len(m.stack) - m.deepest)) // with what growing leaves behind
			m.deepest = len(m.stack)
		}
		if len(m.stack) > maxStack || m.cost > budget {
			return nil, nil, broken("its pickle nests deeper and makes more objects than any checkpoint does")
		}
	}
	return nil, nil, &UnsupportedError{Problem: fmt.Sprintf("its pickle has more than %d opcodes", maxOpcodes), Remedy: resave}
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
	case opBinBytes8, opByteArray8:
		return false, m.blob(8)

	case opEmptyTuple:
		m.push(tuple{})
	case opTuple1, opTuple2, opTuple3:
		items, err := m.take(int(op[0]) - opTuple1 + 1)
		m.charge(24 + 16*len(items))
		m.push(tuple(items))
		return false, err
	case opTuple:
		items, err := m.sinceMark()
		m.charge(24 + 16*len(items))
		m.push(tuple(items))
		return false, err
	case opFrozenSet:
		_, err := m.sinceMark()
		m.push(inert("a set"))
		return false, err
	case opEmptyList:
		m.charge(48)
		m.push(&list{})
	case opEmptySet:
		m.push(inert("a set"))
	case opEmptyDict:
		m.charge(64)
		m.push(&dict{})
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
		return false, m.remember(uint32(len(m.memo)))
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
			return false, broken("its pickle names a global by something other than text")
		}
		return false, m.global(module, name)
	case opBinPersID:
		id, err := m.pop()
		if err != nil {
			return false, err
		}
		m.charge(64)
		s, err := storageOf(id)
		m.push(s)
		return false, err
	case opReduce, opNewObj:
		items, err := m.take(2)
		if err != nil {
			return false, err
		}
		m.charge(48)
		v, err := call(items[0], items[1])
		m.push(v)
		return false, err
	case opNewObjEx:
		items, err := m.take(3)
		if err != nil {
			return false, err
		}
		m.charge(48)
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
	if v > 255 {
		m.charge(16)
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
	m.charge(24)
	m.push(b)
	return err
}

func (m *machine) text(width int) error {
	n, err := m.unsigned(width)
	if err != nil {
		return err
	}
	b, err := m.bytes(n)
	m.charge(24 + len(b))
	m.push(string(b))
	return err
}

func (m *machine) put(width int) error {
	i, err := m.unsigned(width)
	if err != nil {
		return err
	}
	return m.remember(uint32(i))
}

// remember notes the top of the stack under a number.
func (m *machine) remember(i uint32) error {
	v, err := m.top()
	switch {
	case err != nil:
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
	return err
}

func (m *machine) get(width int) error {
	i, err := m.unsigned(width)
	if err != nil {
		return err
	}
	if i < uint64(len(m.memo)) {
		m.push(m.memo[i])
		return nil
	}
	v, ok := m.sparse[uint32(i)]
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
		m.charge(48 * len(items))
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
			m.charge(96)
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
	if harmful(module, name) {
		return &UnsupportedError{Problem: fmt.Sprintf("its pickle asks for %q, which is not part of plain weights and is never run", g.String()),
			Remedy: "do not load this file anywhere: it was made to run code; get a safetensors file from its author"}
	}
	if !g.known() && !m.unknown[g] {
		m.charge(96 + len(g))
		m.unknown[g] = true
	}
	m.charge(16 + len(g))
	m.push(g)
	return nil
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
func call(f, args any) (any, error) {
	if _, ok := f.(inert); ok {
		return f, nil
	}
	g, ok := f.(global)
	a, ok2 := args.(tuple)
	if !ok || !ok2 {
		return nil, broken("its pickle calls something that is not a function")
	}
	if !g.known() {
		return inert("a " + g.String() + " object"), nil
	}
	switch g {
	case orderedDict:
		if len(a) == 0 {
			return &dict{}, nil
		}
		if d, ok := pairs(a); ok {
			return d, nil
		}
	case torchSize:
		if len(a) == 1 {
			return a[0], nil
		}
	case rebuildParameter, rebuildParamState:
		if len(a) >= 3 {
			switch a[0].(type) {
			case *torchTensor, inert:
				return a[0], nil
			}
		}
	case rebuildTensor:
		return rebuild(a)
	case rebuildFromType: // function, class, arguments, attributes: the tensor is what the function makes
		if len(a) == 4 && a[0] != any(rebuildFromType) {
			return call(a[0], a[2])
		}
	}
	return nil, broken("its pickle calls %s with arguments that it does not take", g)
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
func storageOf(id any) (*storage, error) {
	bad := broken("its pickle refers to data in a way that torch.save does not")
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return nil, bad
	}
	class, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 || !strings.HasSuffix(string(class), "Storage") {
		return nil, bad
	}
	return &storage{key: key, class: class, dtype: storageTypes[class], count: count}, nil
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
