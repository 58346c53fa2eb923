package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// tensorFile puts a header before data.
func tensorFile(header, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

func withLength(n uint64, rest string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, n), rest...)
}

const (
	formatErr      = "format"
	unsupportedErr = "unsupported"
)

// expectError opens bytes as a file and checks kind, and that the message names file and problem in one line.
func expectError(t *testing.T, name string, data []byte, kind, contains string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err == nil {
		f.Close()
		t.Error("it was opened")
		return
	}
	_, isFormat := errors.AsType[*FormatError](err)
	_, isUnsupported := errors.AsType[*UnsupportedError](err)
	if isFormat != (kind == formatErr) || isUnsupported != (kind == unsupportedErr) {
		t.Errorf("wrong kind of error: %v", err)
	}
	msg := err.Error()
	if !strings.Contains(msg, contains) || !strings.HasPrefix(msg, path+": ") || !strings.Contains(msg, "; ") || strings.ContainsFunc(msg, unicode.IsControl) || len(msg) > len(path)+800 {
		t.Errorf("message: %s", msg)
	}
}

func TestBadSafetensors(t *testing.T) {
	const a = `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	one := func(dtype, shape, offsets string) string {
		return `{"a":{"dtype":` + dtype + `,"shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	for name, c := range map[string]struct {
		data           []byte
		kind, contains string
	}{
		"truncated data":       {tensorFile(a, "1234567"), formatErr, `tensor "a": its data ends at byte 8`},
		"truncated header":     {tensorFile(a, "")[:30], formatErr, "header should be 54 bytes"},
		"lying length":         {withLength(1<<40, a), formatErr, "header should be 1099511627776 bytes"},
		"length over int64":    {withLength(1<<63+5, a), formatErr, "header should be"},
		"length too short":     {withLength(20, a+"12345678"), formatErr, "not the JSON"},
		"length zero":          {withLength(0, a+"12345678"), formatErr, "not the JSON"},
		"trailing bytes":       {tensorFile(a, "123456789"), formatErr, "1 bytes follow the last tensor"},
		"gap":                  {tensorFile(one(`"F32"`, `[1]`, `[4,8]`), "12345678"), formatErr, "gap of 4 bytes"},
		"overlap":              {tensorFile(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, "123"), formatErr, "overlaps"},
		"same place":           {tensorFile(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "12"), formatErr, "overlaps"},
		"shape against bytes":  {tensorFile(one(`"F32"`, `[3]`, `[0,8]`), "12345678"), formatErr, `tensor "a": F32 of shape [3] needs 12 bytes, but 8`},
		"duplicate key":        {tensorFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12"), formatErr, "twice"},
		"duplicate field":      {tensorFile(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"), formatErr, "dtype appears twice"},
		"missing field":        {tensorFile(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, "1"), formatErr, "no shape"},
		"negative dimension":   {tensorFile(one(`"U8"`, `[-1]`, `[0,1]`), "1"), formatErr, "negative"},
		"negative offset":      {tensorFile(one(`"U8"`, `[1]`, `[-1,0]`), "1"), formatErr, "negative"},
		"backward range":       {tensorFile(one(`"U8"`, `[1]`, `[1,0]`), "1"), formatErr, "not a range"},
		"three offsets":        {tensorFile(one(`"U8"`, `[1]`, `[0,1,2]`), "1"), formatErr, "not a range"},
		"overflowing shape":    {tensorFile(one(`"U8"`, `[4294967296,4294967296,2]`, `[0,0]`), ""), formatErr, "impossible"},
		"huge dimension":       {tensorFile(one(`"F32"`, `[99999999999999999999]`, `[0,4]`), "1234"), formatErr, "shape cannot be read"},
		"huge tensor":          {tensorFile(one(`"F32"`, `[1000000000000]`, `[0,4000000000000]`), "1234"), formatErr, "the file has only 4 bytes of data"},
		"fraction":             {tensorFile(one(`"U8"`, `[1.0]`, `[0,1]`), "1"), formatErr, "shape cannot be read"},
		"null shape":           {tensorFile(one(`"U8"`, `null`, `[0,1]`), "1"), formatErr, "shape cannot be read"},
		"text shape":           {tensorFile(one(`"U8"`, `"1"`, `[0,1]`), "1"), formatErr, "shape cannot be read"},
		"unknown type":         {tensorFile(one(`"F99"`, `[1]`, `[0,1]`), "1"), formatErr, `type "F99" does not exist`},
		"fp8":                  {tensorFile(one(`"F8_E4M3"`, `[1]`, `[0,1]`), "1"), unsupportedErr, `tensor "a": its type is F8_E4M3`},
		"list":                 {tensorFile(`["a"]`, "\x00"), formatErr, "not the JSON"},
		"tensor is a number":   {tensorFile(`{"a":3}`, "\x00"), formatErr, "not the JSON"},
		"cut JSON":             {tensorFile(`{"a":{"dtype":"U8"`, "\x00"), formatErr, "not the JSON"},
		"two headers":          {tensorFile(a+a, "12345678"), formatErr, "continues after its end"},
		"metadata not text":    {tensorFile(`{"__metadata__":{"a":1}}`, ""), formatErr, "__metadata__"},
		"nested to the bottom": {tensorFile(`{"a":{"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}}`, ""), formatErr, "x cannot be read"},
		"endless shape":        {tensorFile(one(`"U8"`, `[1`+strings.Repeat(",1", 5_000)+`]`, `[0,1]`), "1"), formatErr, "5001 dimensions"},
		"endless offset":       {tensorFile(one(`"U8"`, `[1]`, `[0`+strings.Repeat(",1", 5_000)+`]`), "1"), formatErr, "not a range"},
		"endless number":       {tensorFile(one(`"U8"`, `[`+strings.Repeat("1", 5_000)+`]`, `[0,1]`), "1"), formatErr, "shape cannot be read"},
		"control field":        {tensorFile(`{"a":{"\u001b[2J\n":`+strings.Repeat("[", 100_000)+`}}`, "1"), formatErr, "cannot be read"},
		"control characters":   {tensorFile(`{"\u001b[2J\n":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}`, "1"), formatErr, "needs 2 bytes"},
		"endless name":         {tensorFile(`{"`+strings.Repeat("n", 100_000)+`":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}`, "1"), formatErr, "more than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) { expectError(t, "w.safetensors", c.data, c.kind, c.contains) })
	}
}

func TestHugeHeaderIsRefusedBeforeItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse.safetensors")
	if err := os.WriteFile(path, withLength(maxHeader+1, "{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2*maxHeader); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "more than the 104857600 that the format allows") {
		t.Errorf("got %v", err)
	}
}

func TestOddButHonestSafetensors(t *testing.T) {
	for name, data := range map[string][]byte{
		"no tensors":    tensorFile(`{}`, ""),
		"padded":        tensorFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}       `, "1"),
		"unknown field": tensorFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"origin":{"x":[1]}}}`, "1"),
		"empty tensor":  tensorFile(`{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}`, ""),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, e := range f.Entries() {
			if _, err := f.Read(e.Name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.Close()
	}
}

func TestFilesThatAreSomethingElse(t *testing.T) {
	for name, c := range map[string]struct {
		data           string
		kind, contains string
	}{
		"empty":          {"", formatErr, "empty"},
		"short":          {"\x01\x02", formatErr, "too short"},
		"lfs":            {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", unsupportedErr, "Git LFS pointer"},
		"html":           {"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", unsupportedErr, "web page"},
		"html with BOM":  {"\xef\xbb\xbf<html lang=en>", unsupportedErr, "web page"},
		"text":           {"Dear user, the model is not here. Grüße", unsupportedErr, "text file"},
		"json":           {`{"error":"gated repository"}`, unsupportedErr, "text file"},
		"text like one":  {`eight___{"a": 1}`, unsupportedErr, "text file"},
		"legacy torch":   {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", unsupportedErr, "before version 1.6"},
		"plain pickle":   {"\x80\x04\x95\x00\x00\x00\x00", unsupportedErr, "pickle"},
		"gguf":           {"GGUF\x03\x00\x00\x00\x00\x00", unsupportedErr, "GGUF"},
		"hdf5":           {"\x89HDF\r\n\x1a\n\x00\x00", unsupportedErr, "HDF5"},
		"gzip":           {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", unsupportedErr, "unpack"},
		"png":            {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", unsupportedErr, "neither"},
		"start of a ZIP": {"PK\x03\x04\x00\x00\x00\x00\x00\x00", formatErr, "ZIP directory"},
	} {
		t.Run(name, func(t *testing.T) { expectError(t, "w.safetensors", []byte(c.data), c.kind, c.contains) })
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open("testdata/nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestPyTorchFilesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ kind, contains string }{
		"bad_system.pt":      {unsupportedErr, `system", which is not part of plain weights and is never run`},
		"bad_module.pt":      {unsupportedErr, `__main__.Net`},
		"bad_tensor.pt":      {unsupportedErr, "a single tensor instead of a dictionary"},
		"bad_no_tensors.pt":  {unsupportedErr, "holds no tensors"},
		"bad_legacy.pt":      {unsupportedErr, "before version 1.6"},
		"bad_complex.pt":     {unsupportedErr, "torch.ComplexFloatStorage"},
		"bad_torchscript.pt": {unsupportedErr, "TorchScript"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			expectError(t, name, data, c.kind, c.contains)
		})
	}
	if _, err := os.Stat("pwned"); err == nil {
		t.Error("a pickle was executed")
	}
}

// archive makes a ZIP file of stored entries: name, content, name, content, …
func archive(t testing.TB, method uint16, entries ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err == nil {
			_, err = w.Write([]byte(entries[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Pieces of pickles, protocol 2.
const (
	pStart   = "\x80\x02}"
	pTensor  = "ctorch._utils\n_rebuild_tensor_v2\n"
	pFloats  = "ctorch\nFloatStorage\n"
	pNoHooks = "\x89ccollections\nOrderedDict\n)R"
)

func pText(s string) string { return "U" + string(rune(len(s))) + s }

func pInt(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(int32(n)))) }

func pLong(n uint64) string { return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, n)) }

func pTuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

// pTorch is a dictionary with one tensor "w" over storage "0".
func pTorch(count, offset, size, stride string) string {
	storage := pTuple(pText("storage"), pFloats, pText("0"), pText("cpu"), count) + "Q"
	return pStart + pText("w") + pTensor + pTuple(storage, offset, size, stride, pNoHooks) + "Rs."
}

func TestHostilePickles(t *testing.T) {
	const floats8 = "12345678123456781234567812345678"
	honest := pTorch(pInt(8), pInt(0), pTuple(pInt(2), pInt(4)), pTuple(pInt(4), pInt(1)))
	if f, err := parse(open(archive(t, zip.Store, "a/data.pkl", honest, "a/data/0", floats8))); err != nil || len(f.Entries()) != 1 {
		t.Fatalf("the honest pickle of this test is refused: %v", err)
	}
	one, two := pInt(1), pInt(2)
	for name, c := range map[string]struct{ pickle, kind, contains string }{
		"past the end":           {pTorch(pInt(8), pInt(1), pTuple(pInt(2), pInt(4)), pTuple(pInt(4), pInt(1))), formatErr, `tensor "w": shape [2 4], strides [4 1] and offset 1`},
		"offset past the end":    {pTorch(pInt(8), pInt(8), pTuple(), pTuple()), formatErr, "reach past its storage"},
		"negative offset":        {pTorch(pInt(8), pInt(-1), pTuple(one), pTuple(one)), formatErr, "describes a tensor"},
		"negative size":          {pTorch(pInt(8), pInt(0), pTuple(pInt(-1)), pTuple(one)), formatErr, "describes a tensor"},
		"negative stride":        {pTorch(pInt(8), pInt(7), pTuple(two), pTuple(pInt(-1))), formatErr, "describes a tensor"},
		"ranks differ":           {pTorch(pInt(8), pInt(0), pTuple(two), pTuple(one, one)), formatErr, "describes a tensor"},
		"lying storage":          {pTorch(pInt(9), pInt(0), pTuple(one), pTuple(one)), formatErr, "should have 9 elements of F32, but the ZIP entry has 32 bytes"},
		"huge storage":           {pTorch(pLong(1<<62), pInt(0), pTuple(one), pTuple(one)), formatErr, "should have 4611686018427387904 elements"},
		"overflowing shape":      {pTorch(pInt(8), pInt(0), pTuple(pLong(1<<40), pLong(1<<40)), pTuple(pInt(0), pInt(0))), formatErr, "impossible"},
		"overflowing stride":     {pTorch(pInt(8), pInt(0), pTuple(pInt(3), pInt(3)), pTuple(pLong(1<<62), pLong(1<<62))), formatErr, "reach past"},
		"overflowing offset":     {pTorch(pInt(8), pLong(1<<63-1), pTuple(two), pTuple(one)), formatErr, "reach past"},
		"a giant from 8 floats":  {pTorch(pInt(8), pInt(0), pTuple(pLong(1<<40)), pTuple(pInt(0))), unsupportedErr, "repeats 8 stored elements"},
		"too many dimensions":    {pTorch(pInt(8), pInt(0), pTuple(strings.Repeat(one, 65)), pTuple(strings.Repeat(one, 65))), formatErr, "describes a tensor"},
		"call of a call":         {pStart + pText("w") + "cposix\nsystem\n" + pTuple(pText("rm")) + "Rs.", unsupportedErr, `"posix.system"`},
		"eval":                   {"\x80\x02cbuiltins\neval\n" + pTuple(pText("1")) + "R.", unsupportedErr, `"builtins.eval"`},
		"getattr by stack":       {"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.", unsupportedErr, "the name builtins.getattr instead"},
		"global with newline":    {"\x80\x04\x8c\x04a\nb\x00\x8c\x01c\x93.", unsupportedErr, "the name a\uFFFDb\uFFFD.c instead"},
		"system by stack":        {"\x80\x04\x8c\x05posix\x8c\x06system\x93.", unsupportedErr, `"posix.system", which is not part of plain weights and is never run`},
		"a program in a module":  {"\x80\x02csubprocess.x\nPopen\n.", unsupportedErr, `"subprocess.x.Popen"`},
		"many empty objects":     {"\x80\x02" + strings.Repeat("}", 900_000) + ".", formatErr, "more objects than any"},
		"many remembered":        {"\x80\x02}" + strings.Repeat("\x94", 900_000) + ".", formatErr, "more objects than any"},
		"global not text":        {"\x80\x04K\x01K\x02\x93.", formatErr, "something other than text"},
		"call of a number":       {"\x80\x02K\x01)R.", formatErr, "not a function"},
		"arguments not a tuple":  {"\x80\x02ccollections\nOrderedDict\n]R.", formatErr, "not a function"},
		"storage called":         {"\x80\x02" + pFloats + ")R.", formatErr, "arguments"},
		"unknown opcode":         {"\x80\x02\xff.", unsupportedErr, "opcode 0xff"},
		"protocol 0 opcode":      {"I1\n.", unsupportedErr, "opcode 0x49"},
		"protocol 9":             {"\x80\x09.", unsupportedErr, "protocol 9"},
		"stop at once":           {"\x80\x02.", formatErr, "more objects than it made"},
		"no stop":                {"\x80\x02}", formatErr, "ends early"},
		"empty pickle":           {"", formatErr, "ends early"},
		"cut text":               {"\x80\x02X\xff\xff\xff\x7fabc", formatErr, "ends early"},
		"text of 2^63 bytes":     {"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff", formatErr, "ends early"},
		"cut global":             {"\x80\x02ctorch", formatErr, "ends early"},
		"unknown memo":           {"\x80\x02h\x07.", formatErr, "never made"},
		"mark as a value":        {"\x80\x02(.", formatErr, "more objects than it made"},
		"tuple without mark":     {"\x80\x02K\x01t.", formatErr, "more objects than it made"},
		"two taken across mark":  {"\x80\x02}(K\x01s.", formatErr, "more objects than it made"},
		"key without value":      {"\x80\x02}(K\x01u.", formatErr, "without a value"},
		"items of a number":      {"\x80\x02K\x01(K\x01K\x02u.", formatErr, "not a dictionary"},
		"append to a number":     {"\x80\x02K\x01K\x02a.", formatErr, "not a list"},
		"storage id is text":     {"\x80\x02" + pText("storage") + "Q.", formatErr, "refers to data"},
		"storage key is number":  {"\x80\x02" + pTuple(pText("storage"), pFloats, one, pText("cpu"), one) + "Q.", formatErr, "refers to data"},
		"storage is a class":     {"\x80\x02" + pTuple(pText("storage"), "ccollections\nOrderedDict\n", pText("0"), pText("cpu"), one) + "Q.", formatErr, "refers to data"},
		"storage key is missing": {strings.Replace(honest, pText("0"), pText("9"), 1), formatErr, `"data/9" is missing`},
		"endless stack":          {"\x80\x02" + strings.Repeat("N", maxStack+1) + ".", formatErr, "nests deeper"},
		"endless loop of pops":   {"\x80\x02" + strings.Repeat("N0", maxOpcodes/2+1) + ".", unsupportedErr, "more than 2097152 opcodes"},
		"list that holds itself": {"\x80\x02]q\x00h\x00a.", unsupportedErr, "a list instead of a dictionary"},
		"dict that holds itself": {pStart + "q\x00" + pText("state_dict") + "h\x00s.", unsupportedErr, "holds no tensors"},
		"prefix collision":       {strings.Replace(honest, "Rs.", "Rs"+pText("module.w")+pTensor+pTuple(pTuple(pText("storage"), pFloats, pText("0"), pText("cpu"), one)+"Q", pInt(0), pTuple(), pTuple(), pNoHooks)+"Rs.", 1), formatErr, `both "w" and "module.w"`},
	} {
		t.Run(name, func(t *testing.T) {
			expectError(t, "w.pt", archive(t, zip.Store, "a/data.pkl", c.pickle, "a/data/0", floats8), c.kind, c.contains)
		})
	}
}

func open(data []byte) (*bytes.Reader, int64, string) {
	return bytes.NewReader(data), int64(len(data)), "w"
}

func TestBadArchives(t *testing.T) {
	const data = "12345678123456781234567812345678"
	honest := pTorch(pInt(8), pInt(0), pTuple(pInt(8)), pTuple(pInt(1)))
	stored := archive(t, zip.Store, "a/data.pkl", honest, "a/data/0", data)
	for name, c := range map[string]struct {
		data           []byte
		kind, contains string
	}{
		"compressed":     {archive(t, zip.Deflate, "a/data.pkl", honest, "a/data/0", strings.Repeat(data, 9)), unsupportedErr, "compressed"},
		"no pickle":      {archive(t, zip.Store, "weights.txt", "hello"), unsupportedErr, "no data.pkl"},
		"two pickles":    {archive(t, zip.Store, "a/data.pkl", honest, "b/data.pkl", honest), formatErr, "two files data.pkl"},
		"same entry":     {archive(t, zip.Store, "a/data.pkl", honest, "a/data/0", data, "a/data/0", data), formatErr, "appears twice"},
		"big-endian":     {archive(t, zip.Store, "a/data.pkl", honest, "a/byteorder", "big", "a/data/0", data), unsupportedErr, "big-endian"},
		"no storage":     {archive(t, zip.Store, "a/data.pkl", honest), formatErr, `"data/0" is missing`},
		"truncated":      {stored[:len(stored)-40], formatErr, "ZIP directory"},
		"lying sizes":    {bytes.ReplaceAll(stored, []byte("\x20\x00\x00\x00\x20\x00\x00\x00"), []byte("\x20\x00\x00\x70\x20\x00\x00\x70")), formatErr, "more than the file holds"},
		"huge pickle":    {archive(t, zip.Store, "a/data.pkl", strings.Repeat("N", maxPickle+1)), unsupportedErr, "more than the 16777216 that are read"},
		"many entries":   {manyEntries(), unsupportedErr, "60000 entries"},
		"empty ZIP":      {archive(t, zip.Store), unsupportedErr, "no data.pkl"},
		"pickle at root": {archive(t, zip.Store, "data.pkl", honest), unsupportedErr, "no data.pkl"},
	} {
		t.Run(name, func(t *testing.T) { expectError(t, "w.pt", c.data, c.kind, c.contains) })
	}
}

// manyEntries is a ZIP file whose directory says that it has 60,000 entries.
func manyEntries() []byte {
	end := []byte("PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.LittleEndian.PutUint16(end[10:], 60000)
	return append([]byte("PK\x03\x04"+strings.Repeat("\x00", 60000)), end...)
}

// TestAnEndlessDirectory: a sparse file of a terabyte whose directory says that it has 2^33 entries, in the form of ZIP64.
func TestAnEndlessDirectory(t *testing.T) {
	const size = 1 << 40
	end64, locator, end := make([]byte, 56), make([]byte, 20), make([]byte, 22)
	copy(end64, "PK\x06\x06")
	binary.LittleEndian.PutUint64(end64[4:], 44)
	binary.LittleEndian.PutUint64(end64[24:], 1<<33)
	binary.LittleEndian.PutUint64(end64[32:], 1<<33)
	copy(locator, "PK\x06\x07")
	binary.LittleEndian.PutUint64(locator[8:], size-56-20-22)
	binary.LittleEndian.PutUint32(locator[16:], 1)
	copy(end, "PK\x05\x06")
	for i := 8; i < 20; i++ {
		end[i] = 0xff
	}
	path := filepath.Join(t.TempDir(), "sparse.ckpt")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := f.WriteAt([]byte("PK\x03\x04"), 0)
	_, err2 := f.WriteAt(append(append(end64, locator...), end...), size-56-20-22)
	if err := errors.Join(err1, err2, f.Close()); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "8589934592 entries") {
		t.Errorf("%v", err)
	}
}

// TestLargeOffsets puts an archive behind a hole of 5 GiB, so that its directory needs the ZIP64 form.
func TestLargeOffsets(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.SetOffset(hole)
	for _, e := range [][2]string{{"a/data.pkl", pTorch(pInt(2), pInt(1), pTuple(pInt(1)), pTuple(pInt(1)))}, {"a/data/0", "\x00\x00\x00\x00\x00\x00\x80\x3f"}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e[0], Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(e[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := behindHole{*bytes.NewReader(out.Bytes())}
	f, err := parse(&r, hole+int64(out.Len()), "large")
	if err != nil {
		t.Fatal(err)
	}
	expectTensor(t, f, "w", []int{1}, 1)
	if l, _ := f.Location("w"); l.Offset < hole {
		t.Errorf("location %v", l)
	}
}

const hole = 5 << 30

// behindHole is "PK\x03\x04", zeros up to the hole's end, and the bytes of the reader.
type behindHole struct{ bytes.Reader }

func (b *behindHole) ReadAt(p []byte, at int64) (int, error) {
	if at >= hole {
		return b.Reader.ReadAt(p, at-hole)
	}
	clear(p)
	copy(p, "PK\x03\x04"[min(at, 4):])
	if beyond := at + int64(len(p)) - hole; beyond > 0 {
		n, err := b.Reader.ReadAt(p[int64(len(p))-beyond:], 0)
		return len(p) - int(beyond) + n, err
	}
	return len(p), nil
}

// TestWhatIsNotReadMattersToWhoNeedsIt: types that are not read, unknown classes and the state of a trainer leave the other tensors
// as they are, and are named to whoever asks for them.
func TestWhatIsNotReadMattersToWhoNeedsIt(t *testing.T) {
	const floats = "12345678123456781234567812345678"
	fp8 := tensorFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[1,5]}}`+"\n\t \r\n", "12345")
	storage := func(class string) string {
		return pTuple(pText("storage"), class, pText("0"), pText("cpu"), pInt(4)) + "Q"
	}
	good := pText("a") + pTensor + pTuple(storage(pFloats), pInt(0), pTuple(pInt(1)), pTuple(pInt(1)), pNoHooks) + "Rs"
	callback := "cpytorch_lightning.callbacks\nModelCheckpoint\n"
	for name, c := range map[string]struct {
		data []byte
		why  string // what is said of "b"; empty: nothing is offered under the name
		note string // among what is ignored
	}{
		"fp8":             {fp8, "its type is F8_E4M3", "F8_E4M3"},
		"complex":         {archive(t, zip.Store, "a/data.pkl", pStart+good+pText("b")+pTensor+pTuple(storage("ctorch\nComplexFloatStorage\n"), pInt(0), pTuple(pInt(1)), pTuple(pInt(1)), pNoHooks)+"Rs.", "a/data/0", floats), "its type is torch.ComplexFloatStorage", "ComplexFloatStorage"},
		"unknown rebuild": {archive(t, zip.Store, "a/data.pkl", pStart+good+pText("b")+"ctorch._utils\n_rebuild_tensor_v9\n"+pTuple(storage(pFloats))+"Rs.", "a/data/0", floats), "it is a torch._utils._rebuild_tensor_v9 object", "_rebuild_tensor_v9"},
		"subclass":        {archive(t, zip.Store, "a/data.pkl", pStart+pText("a")+"ctorch._tensor\n_rebuild_from_type_v2\n"+pTuple(pTensor, "cmy.own\nTensor\n", pTuple(storage(pFloats), pInt(0), pTuple(pInt(1)), pTuple(pInt(1)), pNoHooks), "}")+"Rs.", "a/data/0", floats), "", "my.own.Tensor"},
		"lightning": {archive(t, zip.Store, "a/data.pkl", pStart+pText("callbacks")+"}"+callback+"}"+pText("best")+pText("x")+"ss"+"s"+pText("epoch")+"K\x0ds"+
			pText("state_dict")+"}"+good+"s.", "a/data/0", floats), "", "pytorch_lightning.callbacks.ModelCheckpoint"},
		"an object with state": {archive(t, zip.Store, "a/data.pkl", pStart+good+pText("scheduler")+callback+")\x81}"+pText("x")+"K\x01sbs.", "a/data/0", floats), "", "ModelCheckpoint"},
		"pairs":                {archive(t, zip.Store, "a/data.pkl", "\x80\x02ccollections\nOrderedDict\n]]("+strings.TrimSuffix(good, "s")+"ea\x85R.", "a/data/0", floats), "", ""},
		"nested wrappers":      {archive(t, zip.Store, "a/data.pkl", pStart+pText("model_ema")+"}s"+pText("module")+"}"+pText("model")+"}"+good+"ss.", "a/data/0", floats), "", `taken from "module"`},
		"torch.compile":        {archive(t, zip.Store, "a/data.pkl", pStart+pText("module._orig_mod.a")+good[len(pText("a")):]+".", "a/data/0", floats), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := parse(open(c.data))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Read("a"); err != nil {
				t.Error(err)
			}
			_, dtype, there := f.Shape("b")
			if there != (c.why != "") || there && dtype.Size() != 0 {
				t.Errorf("b is there: %v, as %v", there, dtype)
			}
			if _, err := f.Read("b"); there && (err == nil || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("%v", err)
			}
			notes := slices.Clone(f.Strangers())
			for _, i := range f.Ignored() {
				notes = append(notes, i.Name+": "+i.Reason)
			}
			if !strings.Contains(strings.Join(notes, "\n"), c.note) {
				t.Errorf("notes: %q, wanted %q", notes, c.note)
			}
			// Not needed it is no problem, needed it is named.
			s := NewSet(f)
			s.Use("a")
			if err := s.Err(); err != nil {
				t.Error(err)
			}
			if s.Use("b"); c.why != "" && (s.Err() == nil || !strings.Contains(s.Err().Error(), c.why)) {
				t.Errorf("%v", s.Err())
			}
		})
	}
}
