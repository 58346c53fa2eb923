package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
	"realword/inference/tensor"
)

// library returns a Runtime over the real library, on the device that the environment names (app/device/check.sh). Where the
// library is absent the test is skipped, except in CI.
func library(t *testing.T) *Runtime {
	t.Helper()
	if _, err := Find(""); err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	r, err := New(Options{Threads: 1, Device: os.Getenv("REALWORD_TEST_DEVICE")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The smallest ONNX writer that these tests need; inference/onnx has the real one, above this package.
type protobuf []byte

func (m protobuf) bytes(field protowire.Number, b []byte) protobuf {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

func (m protobuf) text(field protowire.Number, s string) protobuf { return m.bytes(field, []byte(s)) }

func (m protobuf) number(field protowire.Number, n int) protobuf {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(n))
}

func node(op string, in, out []string) protobuf {
	var m protobuf
	for _, s := range in {
		m = m.text(1, s)
	}
	for _, s := range out {
		m = m.text(2, s)
	}
	return m.text(4, op)
}

func port(name string, elem int, shape ...int) protobuf {
	var dims protobuf
	for _, d := range shape {
		dim := protobuf{}.text(2, "n")
		if d >= 0 {
			dim = protobuf{}.number(1, d)
		}
		dims = dims.bytes(1, dim)
	}
	tensorType := protobuf{}.number(1, elem).bytes(2, dims)
	return protobuf{}.text(1, name).bytes(2, protobuf{}.bytes(1, tensorType))
}

// constant is an initializer whose bytes are zeros, in the file itself or, with a location, in an external file.
func constant(name, location string, shape ...int) protobuf {
	var m protobuf
	for _, d := range shape {
		m = m.number(1, d)
	}
	m = m.number(2, 1).text(8, name)
	if location == "" {
		return m.bytes(9, make([]byte, 4*tensor.Count(shape)))
	}
	return m.bytes(13, protobuf{}.text(1, "location").text(2, location)).number(14, 1)
}

func write(t *testing.T, nodes, initializers, inputs, outputs []protobuf, more ...protobuf) string {
	t.Helper()
	var g protobuf
	for _, n := range nodes {
		g = g.bytes(1, n)
	}
	g = g.text(2, "test")
	for _, m := range initializers {
		g = g.bytes(5, m)
	}
	for _, m := range inputs {
		g = g.bytes(11, m)
	}
	for _, m := range outputs {
		g = g.bytes(12, m)
	}
	for _, m := range more {
		g = append(g, m...)
	}
	model := protobuf{}.number(1, 8).bytes(7, g).bytes(8, protobuf{}.text(1, "").number(2, 18)).bytes(8, protobuf{}.text(1, "com.microsoft").number(2, 1))
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parsed reads a graph file.
func parsed(t *testing.T, path string) *model {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sumAndIds declares x [n 2] float, ids [m] int64, s scalar -> double = x+x, same = ids, total = ReduceSum(x)+s.
func sumAndIds(t *testing.T) string {
	return write(t,
		[]protobuf{
			node("Add", []string{"x", "x"}, []string{"double"}),
			node("Identity", []string{"ids"}, []string{"same"}),
			node("ReduceSum", []string{"x"}, []string{"sum"}).bytes(5, protobuf{}.text(1, "keepdims").number(3, 1).number(20, 2)), // CUDA sums nothing up only if the axes stay
			node("Add", []string{"sum", "s"}, []string{"total"}),
		}, nil,
		[]protobuf{port("x", 1, -1, 2), port("ids", 7, -1), port("s", 1)},
		[]protobuf{port("double", 1, -1, 2), port("same", 7, -1), port("total", 1, 1, 1)})
}

func open(t *testing.T, r *Runtime, path string, opts session.Options) session.Session {
	t.Helper()
	s, err := r.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
	return s
}

func TestMinVersionIsThatOfTheHeader(t *testing.T) {
	if want := fmt.Sprintf("1.%d", native.APIVersion); MinVersion != want {
		t.Errorf("MinVersion is %s, the C API that Realword is compiled against came with %s", MinVersion, want)
	}
}

func TestRun(t *testing.T) {
	s := open(t, library(t), sumAndIds(t), session.Options{Once: true})
	if got := describe(s.Inputs()) + " -> " + describe(s.Outputs()); got != "x F32[-1 2], ids I64[-1], s F32[] -> double F32[-1 2], same I64[-1], total F32[1 1]" {
		t.Errorf("ports: %s", got)
	}
	in := map[string]*tensor.Tensor{
		"x":   tensor.Of([]float32{1, 2, 3, 4}, 2, 2),
		"ids": tensor.OfInts([]int64{7, 8, 9}, 3),
		"s":   tensor.Of([]float32{100}),
	}
	out, err := s.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if d := out["double"]; len(d.Shape) != 2 || d.F32[3] != 8 {
		t.Errorf("double = %+v", d)
	}
	if d := out["same"]; d.DType != tensor.I64 || d.I64[2] != 9 {
		t.Errorf("same = %+v", d)
	}
	if d := out["total"]; fmt.Sprint(d.Shape) != "[1 1]" || d.F32[0] != 110 {
		t.Errorf("total = %+v", d)
	}
	if out, err = s.Run(t.Context(), in, "same"); err != nil || len(out) != 1 || out["same"] == nil {
		t.Errorf("only one output was wanted: %v, %v", out, err)
	}
}

func TestZeroLength(t *testing.T) {
	s := open(t, library(t), sumAndIds(t), session.Options{})
	out, err := s.Run(t.Context(), map[string]*tensor.Tensor{
		"x": {Shape: []int{0, 2}, DType: tensor.F32}, "ids": {Shape: []int{0}, DType: tensor.I64}, "s": tensor.Of([]float32{5}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := out["double"]; len(d.Shape) != 2 || d.Shape[0] != 0 || len(d.F32) != 0 || d.DType != tensor.F32 {
		t.Errorf("double = %+v", d)
	}
	if d := out["same"]; len(d.Shape) != 1 || d.Shape[0] != 0 || d.DType != tensor.I64 {
		t.Errorf("same = %+v", d)
	}
	if out["total"].F32[0] != 5 {
		t.Errorf("total = %+v", out["total"])
	}
}

func TestWrongUseIsNamed(t *testing.T) {
	s := open(t, library(t), sumAndIds(t), session.Options{})
	x, ids, one := tensor.Zeros(1, 2), tensor.OfInts([]int64{1}, 1), tensor.Of([]float32{1})
	type in = map[string]*tensor.Tensor
	for _, c := range []struct {
		name    string
		inputs  in
		outputs []string
		want    []string
	}{
		{"missing", in{"x": x, "id": ids, "s": one}, nil, []string{"input ids is missing", "id I64[1]", "x F32[-1 2]"}},
		{"extra", in{"x": x, "ids": ids, "s": one, "y": x}, nil, []string{"too many inputs", "y F32[1 2]"}},
		{"dtype", in{"x": x, "ids": x, "s": one}, nil, []string{"input ids", "needs I64", "given F32"}},
		{"shape", in{"x": tensor.Zeros(1, 3), "ids": ids, "s": one}, nil, []string{"input x", "[-1 2]", "[1 3]"}},
		{"rank", in{"x": tensor.Zeros(2), "ids": ids, "s": one}, nil, []string{"input x", "[-1 2]", "[2]"}},
		{"negative", in{"x": {Shape: []int{-1, 2}, DType: tensor.F32}, "ids": ids, "s": one}, nil, []string{"input x", "[-1 2]"}},
		{"short", in{"x": {Shape: []int{4, 2}, DType: tensor.F32, F32: make([]float32, 3)}, "ids": ids, "s": one}, nil, []string{"3 elements"}},
		{"output", in{"x": x, "ids": ids, "s": one}, []string{"twice"}, []string{"no output twice", "double F32[-1 2]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Run(t.Context(), c.inputs, c.outputs...)
			mention(t, err, c.want...)
		})
	}
	s.Close()
	_, err := s.Run(t.Context(), in{"x": x, "ids": ids, "s": one})
	mention(t, err, "closed")
}

func TestCancelEndsTheNativeRun(t *testing.T) {
	const side, layers = 512, 3000
	var nodes []protobuf
	last := "x"
	for i := range layers {
		next := fmt.Sprint("h", i)
		nodes = append(nodes, node("MatMul", []string{last, "w"}, []string{next}))
		last = next
	}
	nodes = append(nodes, node("Identity", []string{last}, []string{"y"}))
	path := write(t, nodes, nil, []protobuf{port("x", 1, -1, side), port("w", 1, side, side)}, []protobuf{port("y", 1, -1, side)})
	s := open(t, library(t), path, session.Options{})
	in := func(rows int) map[string]*tensor.Tensor {
		return map[string]*tensor.Tensor{"x": tensor.Zeros(rows, side), "w": tensor.Zeros(side, side)}
	}

	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Run(done, in(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("run in a cancelled context: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := s.Run(ctx, in(4096)) // 6.4 TFLOP: a minute on one core
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the run should have been ended: %v", err)
	}
	late := time.Since(start) - 100*time.Millisecond
	start = time.Now()
	if out, err := s.Run(t.Context(), in(1), "y"); err != nil || out["y"].Shape[0] != 1 {
		t.Errorf("the session is not usable after a cancelled run: %v", err)
	}
	small := time.Since(start) // as many operators; the large run takes five hundred times as long
	t.Logf("answered %v after the context ended; a run of one row takes %v", late, small)
	if late > 100*small {
		t.Error("the native run went on to its end")
	}
}

func TestExternalWeights(t *testing.T) {
	path := write(t, []protobuf{node("Add", []string{"x", "w"}, []string{"y"})}, []protobuf{constant("w", "weights.bin", 2)},
		[]protobuf{port("x", 1, 2), port("w", 1, 2)}, []protobuf{port("y", 1, 2)})
	r := library(t)
	_, err := r.Open(path, session.Options{})
	mention(t, err, "is missing", path, "import the model again")

	weights := filepath.Join(filepath.Dir(path), "weights.bin")
	if err := os.WriteFile(weights, []byte{0, 0, 128, 63, 0, 0, 0, 64}, 0o600); err != nil { // 1, 2
		t.Fatal(err)
	}
	s := open(t, r, path, session.Options{})
	if len(s.Inputs()) != 1 {
		t.Errorf("an initializer counts as input: %v", s.Inputs())
	}
	out, err := s.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.Of([]float32{10, 20}, 2)})
	if err != nil || out["y"].F32[0] != 11 || out["y"].F32[1] != 22 {
		t.Errorf("y = %v, %v", out["y"], err)
	}
}

func TestBadGraphs(t *testing.T) {
	r := library(t)
	good, err := os.ReadFile(sumAndIds(t))
	if err != nil {
		t.Fatal(err)
	}
	file := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "bad.onnx")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, path, want string }{
		{"missing", filepath.Join(t.TempDir(), "no.onnx"), "does not exist"},
		{"empty", file(nil), "damaged"},
		{"text", file([]byte("this is not a graph")), "damaged"},
		{"truncated", file(good[:len(good)/2]), "damaged"},
		{"folder", t.TempDir(), "cannot be read"},
		{"unknown operator", write(t, []protobuf{node("Nonsense", []string{"x"}, []string{"y"})}, nil, []protobuf{port("x", 1, 1)}, []protobuf{port("y", 1, 1)}), "cannot load"},
		{"doubles", write(t, []protobuf{node("Identity", []string{"x"}, []string{"y"})}, nil, []protobuf{port("x", 11, 1)}, []protobuf{port("y", 11, 1)}), "element type"},
		{"no inputs", write(t, nil, []protobuf{constant("y", "", 1)}, nil, []protobuf{port("y", 1, 1)}), "0 inputs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Open(c.path, session.Options{})
			mention(t, err, c.want, c.path)
		})
	}
}

// Graphs that the importer cannot have written might do more than compute.
func TestForeignGraphs(t *testing.T) {
	r := library(t)
	x, y := []protobuf{port("x", 1, 1)}, []protobuf{port("y", 1, 1)}
	external := protobuf{}.bytes(1, []byte("location")).bytes(2, []byte("/etc/passwd"))
	tensorOf := func(m protobuf) protobuf { return m.number(2, 1).bytes(8, []byte("t")) }
	constantNode := func(field protowire.Number, value protobuf) protobuf {
		return node("Constant", nil, []string{"y"}).bytes(5, protobuf{}.bytes(1, []byte("value")).bytes(field, value))
	}
	custom := node("Reader", []string{"x"}, []string{"y"}).bytes(7, []byte("somebody"))
	whole := func(path string, more protobuf) string {
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, append(data, more...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	identity := write(t, []protobuf{node("Identity", []string{"x"}, []string{"y"})}, nil, x, y)
	graph := func(nodes ...protobuf) string { return write(t, nodes, nil, x, y) }
	for _, c := range []struct{ name, path, want string }{
		{"an operator of somebody's", graph(custom), "the operator somebody.Reader"},
		{"one in a branch", graph(node("If", []string{"x"}, []string{"y"}).bytes(5, protobuf{}.bytes(1, []byte("then_branch")).bytes(6, protobuf{}.bytes(1, custom)))), "the operator somebody.Reader"},
		{"one of ONNX Runtime's that loads a file", graph(node("EPContext", []string{"x"}, []string{"y"}).bytes(7, []byte("com.microsoft"))), "the operator com.microsoft.EPContext"},
		{"a function", whole(graph(node("Identity", []string{"x"}, []string{"y"})), protobuf{}.bytes(25, protobuf{}.bytes(1, []byte("f")))), "a function"},
		{"a training graph", whole(graph(node("Identity", []string{"x"}, []string{"y"})), protobuf{}.bytes(20, protobuf{}.bytes(1, protobuf{}.bytes(1, custom)))), "a training graph"},
		{"two graphs", whole(graph(node("Identity", []string{"x"}, []string{"y"})), protobuf{}.bytes(7, protobuf{}.bytes(1, custom))), "damaged"},
		{"a constant in a file", graph(constantNode(5, tensorOf(protobuf{}.bytes(13, external)))), "an attribute in a file"},
		{"one of several", graph(constantNode(10, tensorOf(protobuf{}.number(14, 1)))), "an attribute in a file"},
		{"a sparse constant", graph(constantNode(22, protobuf{}.bytes(1, tensorOf(protobuf{}.bytes(13, external))))), "an attribute of an unknown kind"},
		{"a sparse weight", write(t, nil, nil, x, y, protobuf{}.bytes(15, protobuf{}.bytes(1, tensorOf(protobuf{}.bytes(13, external))))), "a sparse weight"},
		{"a weight with two places", write(t, nil, []protobuf{constant("w", "weights.bin", 2).bytes(13, external)}, x, y), "damaged"},
	} {
		_, err := r.Open(c.path, session.Options{})
		mention(t, err, c.want, c.path)
	}
	if s, err := r.Open(identity, session.Options{}); err != nil {
		t.Error(err)
	} else {
		_ = s.Close()
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add([]byte(protobuf{}.bytes(7, protobuf{}.bytes(11, port("x", 1, -1, 2)).bytes(5, constant("w", "", 1)))))
	f.Add([]byte{7<<3 | 2, 255, 255, 255, 255, 15})
	f.Add([]byte(protobuf{}.bytes(7, protobuf{}.bytes(1, protobuf{}.bytes(5, protobuf{}.bytes(6, protobuf{}.bytes(5, constant("w", "weights", 1)))))).bytes(5, constant("v", "weights", 1<<20).number(2, 10))))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseModel(data)
		if err != nil {
			return
		}
		for _, mapped := range []bool{false, true} {
			changed, err := m.marshal(map[string]string{"weights": "elsewhere"}, mapped, &webGPU{}, nil)
			if err != nil {
				t.Fatal("what can be read cannot be written:", err)
			}
			again, err := parseModel(changed)
			if err != nil || len(again.weights) != len(m.weights) {
				t.Fatalf("%d weights became %v: %v", len(m.weights), again, err)
			}
		}
	})
}

func TestFind(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", home)
	t.Setenv(EnvLibrary, "")
	name := libraryNames()[0]

	_, err := Find("")
	mention(t, err, "is missing", "install Realword again", "make deps", home)

	cache, err := CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	put := func(path string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := func(library, path string) {
		t.Helper()
		if got, err := Find(library); err != nil || got != path {
			t.Errorf("Find(%q) = %q, %v; want %q", library, got, err, path)
		}
	}
	want("", put(filepath.Join(cache, name)))
	want("", put(filepath.Join(cache+cudaSuffix, name)))

	t.Setenv(EnvLibrary, dir)
	_, err = Find("")
	mention(t, err, EnvLibrary, dir, "holds no")
	inDir := put(filepath.Join(dir, name))
	want("", inDir)
	other := put(filepath.Join(dir, "other"))
	t.Setenv(EnvLibrary, other)
	want("", other)
	want(dir, inDir)
	t.Setenv(EnvLibrary, filepath.Join(dir, "gone"))
	_, err = Find("")
	mention(t, err, EnvLibrary, "gone", "cannot be read")
}

// A library that somebody else could have put beside the program is not loaded, unless it is named.
func TestLibraryOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows guards its folders in another way")
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "bin")
	path := filepath.Join(dir, libraryNames()[0])
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if found, why := beside(dir); found != "" || why != "" {
		t.Errorf("found %q in an empty folder, %s", found, why)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		parent, dir, file os.FileMode
		want              string
	}{
		{0o755, 0o755, 0o644, ""},
		{0o700, 0o700, 0o600, ""},
		{0o777 | os.ModeSticky, 0o755, 0o644, ""}, // as below /tmp
		{0o755, 0o777, 0o644, "others may write to " + dir},
		{0o755, 0o777 | os.ModeSticky, 0o644, "others may write to " + dir}, // as in /tmp
		{0o755, 0o755, 0o666, "others may write to " + path},
		{0o777, 0o755, 0o644, "others may write to " + parent},
	} {
		for name, mode := range map[string]os.FileMode{parent: c.parent, dir: c.dir, path: c.file} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		if found, why := beside(dir); found != path || why != c.want {
			t.Errorf("%v %v %v: %q, %q, want %q", c.parent, c.dir, c.file, found, why, c.want)
		}
	}
	if os.Getuid() == 0 { // only root gives files away
		if err := errors.Join(os.Chmod(parent, 0o755), os.Chown(dir, 12345, 0)); err != nil {
			t.Fatal(err)
		}
		if _, why := beside(dir); !strings.Contains(why, "another user") {
			t.Errorf("a folder of another user's: %q", why)
		}
	}
	t.Setenv(EnvLibrary, dir)
	if found, err := Find(""); err != nil || found != path {
		t.Errorf("named: %q, %v", found, err)
	}
}

// Without a home nothing that make does helps.
// TestFindNamesWhatIsNoFile: the system's loader would wait for a pipe, and no signal reaches it.
func TestFindNamesWhatIsNoFile(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip(err)
	}
	t.Setenv(EnvLibrary, "/dev/zero")
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), "/dev/zero is a device") || !strings.Contains(err.Error(), EnvLibrary) {
		t.Error(err)
	}
}

func TestFindWithoutAHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no HOME")
	}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", EnvLibrary} {
		t.Setenv(name, "")
	}
	_, err := Find("")
	mention(t, err, "set HOME", EnvLibrary)
	if strings.Contains(err.Error(), "make deps") {
		t.Error(err)
	}
}

// The loader's errors need a process of their own: a library that was loaded once cannot be exchanged.
func TestUnusableLibraries(t *testing.T) {
	if path := os.Getenv("ORT_TEST_LIBRARY"); path != "" {
		_, err := New(Options{Library: path})
		mention(t, err, path, os.Getenv("ORT_TEST_WANT"), "make deps")
		return
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{text: "is not a library"}
	if cc, err := exec.LookPath("cc"); err == nil && runtime.GOOS == "linux" {
		for name, c := range map[string]struct{ source, want string }{
			"old.so": {`static const void *api(unsigned v) { (void)v; return 0; }
static const char *version(void) { return "1.20.0"; }
static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }`, "too old"},
			"other.so": {`int nothing;`, "not ONNX Runtime"},
		} {
			path := filepath.Join(dir, name)
			cmd := exec.Command(cc, "-shared", "-fPIC", "-xc", "-", "-o", path)
			cmd.Stdin = strings.NewReader(c.source)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			cases[path] = c.want
		}
	}
	for path, want := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestUnusableLibraries$")
			cmd.Env = append(os.Environ(), "ORT_TEST_LIBRARY="+path, "ORT_TEST_WANT="+want)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestOneLibraryPerProcess(t *testing.T) {
	library(t)
	other := filepath.Join(t.TempDir(), "another.so")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{Library: other})
	mention(t, err, "already loaded", other)
}

func TestDescribe(t *testing.T) {
	r := library(t)
	if got, want := r.Describe(), "ONNX Runtime "+r.Version()+", CPU, 1 thread"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := New(Options{Threads: -1}); err == nil {
		t.Error("negative threads were taken")
	}
}

func mention(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not mention %q", err, w)
		}
	}
}
