package ort

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	binding "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/cpu"
	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/files"
	"realword/inference/keep"
	"realword/inference/message"
	"realword/inference/ort/internal/native"
	"realword/inference/ram"
	"realword/inference/session"
	"realword/inference/tensor"
)

const (
	// OpenVINOVersion is that of the plugin that `make deps DEVICE=openvino` fetches.
	OpenVINOVersion = "1.8.1"
	// EnvOpenVINO is the environment variable that names the folder of the plugin.
	EnvOpenVINO = "REALWORD_OPENVINO"

	openVINOName    = "OpenVINOExecutionProvider"
	openVINOLibrary = "realword-openvino"
)

// FetchOpenVINO is what brings OpenVINO to this system.
var FetchOpenVINO = fetchOpenVINO(runtime.GOOS)

func fetchOpenVINO(system string) string {
	if system == "windows" {
		return "unpack Realword's zip with OpenVINO into the folder of realword.exe (`make package-windows DEVICE=openvino` makes it on Linux)"
	}
	return "run `make deps DEVICE=openvino`"
}

// bridgeFile is the library between ONNX Runtime and the plugin (internal/native/openvino): the plugin itself offers no processors but
// those of Intel.
var bridgeFile = map[string]string{"linux": "librealword_openvino.so", "windows": "realword_openvino.dll"}

// MayHaveOpenVINO tells whether there is an OpenVINO for this system and processor.
func MayHaveOpenVINO() bool { return bridgeFile[runtime.GOOS] != "" && runtime.GOARCH == "amd64" }

// OpenVINO returns the path of the library that brings OpenVINO, "" where it is not there. Places are the folder that EnvOpenVINO names,
// which counts alone; that of ONNX Runtime's library; the user's cache. Nothing is loaded.
func OpenVINO(library string) string {
	if !MayHaveOpenVINO() {
		return ""
	}
	name := bridgeFile[runtime.GOOS]
	places := []string{os.Getenv(EnvOpenVINO)}
	if places[0] == "" {
		places[0] = filepath.Dir(library)
		if cache, err := os.UserCacheDir(); err == nil {
			places = append(places, filepath.Join(cache, "realword", "openvino-"+OpenVINOVersion))
		}
	}
	for _, dir := range places {
		if path := filepath.Join(dir, name); files.Exists(path) {
			return path
		}
	}
	return ""
}

// HasHalfProducts tells whether the processor multiplies numbers of half precision (bf16) by itself. Without it OpenVINO in that
// precision is slower than in float32.
func HasHalfProducts() bool {
	return cpu.X86.HasAVX512BF16 || cpu.X86.HasAMXBF16
}

// openVINO is the processor as OpenVINO computes on it. A graph is compiled whole when it is opened; what it computes in float32 is
// float32, or with half, products of bf16, which are twice as fast and keep two digits.
type openVINO struct {
	device  native.Device
	half    bool
	threads int
	keep    string // a file below which what is compiled is kept, or was; "" keeps nothing
	fresh   bool   // it is to be written
	heavy   int64  // the size of weights in float32 from which a heavy graph that runs once is compiled
}

func (v *openVINO) place() string {
	if v.half {
		return "OpenVINO-bf16"
	}
	return "OpenVINO"
}

// choose implements accelerator. The library leaves the graph as it is (level): it would make float32 constants of weights that are stored
// in half precision, which OpenVINO packs once more.
func (v *openVINO) choose(o *binding.SessionOptions, _ *model, _ session.Options) error {
	set := []error{o.AppendExecutionProviderV2([]binding.EpDevice{v.device.EpDevice}, v.options())}
	if v.keep != "" {
		set = append(set, o.AddSessionConfigEntry("ep.context_file_path", v.keep), o.AddSessionConfigEntry("ep.context_embed_mode", "0"))
	}
	if v.fresh {
		set = append(set, o.AddSessionConfigEntry("ep.context_enable", "1"))
	}
	return errors.Join(set...)
}

// takes tells whether a graph is compiled, of weights of so many bytes in float32. Most graphs that run once do so in less time than
// compiling them takes. Heavy ones gain from products of half precision: SDXL's image encoders (3 GB) took a third of the processor's time,
// and both together, the first time, about half of it. Those of the built-in model (3 MB) run ten times while OpenVINO opens them.
func (v *openVINO) takes(all int64, opts session.Options) bool {
	return !opts.Once || opts.Strict || opts.Heavy && v.half && all >= v.heavy
}

const leastHeavy = 512 << 20

func (v *openVINO) options() map[string]string {
	settings := map[string]string{
		"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": strconv.Itoa(v.threads), "PERFORMANCE_HINT": "LATENCY",
		"NUM_STREAMS": "1",
	}
	if v.half {
		settings["INFERENCE_PRECISION_HINT"] = "bf16"
	}
	text, err := json.Marshal(map[string]any{"CPU": settings})
	if err != nil {
		panic(err) // a map of words
	}
	return map[string]string{"load_config": string(text)}
}

// handBack does nothing: OpenVINO has no arena.
func (v *openVINO) handBack(*binding.RunOptions) error { return nil }

// Why OpenVINO is not used though it is there.
var (
	ErrNoHalf      = message.New("this processor has no products of half precision (bf16): use the device openvino")
	ErrNoProcessor = message.New("OpenVINO offers no device for this processor: use the device cpu")
)

// useOpenVINO makes OpenVINO the device of the runtime.
func (r *Runtime) useOpenVINO(half bool) error {
	path := OpenVINO(r.library)
	switch {
	case path == "":
		return message.Errorf("OpenVINO is not there: %s", FetchOpenVINO)
	case half && !HasHalfProducts():
		return ErrNoHalf
	}
	var devices []native.Device
	var err error
	native.KeepSignals(func() {
		if err = register(openVINOLibrary, path); err == nil {
			devices, err = native.Devices()
		}
	})
	if err != nil {
		return message.Errorf("OpenVINO does not start: %s", essence(err))
	}
	i := slices.IndexFunc(devices, func(d native.Device) bool { return d.Provider == openVINOName && d.CPU })
	if i < 0 {
		return ErrNoProcessor
	}
	r.device = &openVINO{device: devices[i], half: half, threads: r.threads, heavy: leastHeavy}
	return nil
}

// loadCompiled makes a session, of the compiled graph that was kept where there is one. An entry that cannot be loaded is made again; a
// large graph that was just compiled is opened once more, of what was kept, because that needs less memory.
func (r *Runtime) loadCompiled(v *openVINO, p prepared) (s *binding.DynamicAdvancedSession, held []held, err error) {
	if p.bytes, err = forOpenVINO(p.bytes); err != nil {
		return nil, nil, err
	}
	p.level = binding.GraphOptimizationLevelDisableAll
	again := p.m.float32Bytes() < leastReloaded
	for range 3 {
		c := v.compiled(r, p)
		if err = v.fits(p.m.float32Bytes(), c, ram.Available()); err != nil {
			c.drop()
			return nil, nil, err
		}
		own, opened := *v, p
		own.keep, own.fresh = c.file(), c != nil && c.fresh != ""
		opened.on = &own
		if c != nil && !own.fresh {
			opened.bytes, err = files.Read(own.keep, mostCompiled)
		}
		if err == nil {
			s, held, err = r.load(opened)
		}
		fresh := c == nil || own.fresh
		switch kept := c.done(err == nil); {
		case err != nil && fresh:
			return nil, nil, err
		case err != nil:
			continue
		case !fresh || !kept || again:
			return s, held, nil
		}
		again = true
		if err = errors.Join(s.Destroy(), release(held)); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.Join(err, errors.New("what OpenVINO compiled cannot be loaded again"))
}

// leastReloaded is the size of a graph's weights in float32 from which it is opened again after it was compiled.
const leastReloaded = 1 << 30

// fits refuses to open a graph that would take more memory than there is. all is the size of its weights in float32. OpenVINO makes float32
// of all that it compiles and packs it once more, in its own precision. In half precision it packs in the first pass, and a large graph is
// opened again before that; what was kept is mapped. SDXL's U-Net (all = 8.9 GB) took 9.6 GB when it was compiled, in float32 17.3; of what
// was kept, after passes at 512 x 512, 6.8 GB and 11.
func (v *openVINO) fits(all int64, c *compiled, available int64) error {
	need := v.needs(all, c).Peak
	if need <= available {
		return nil
	}
	return message.Errorf("OpenVINO needs %.1f GB of memory for this graph, and %.1f GB is available", float64(need)/1e9,
		float64(available)/1e9)
}

// needs is what a graph takes, as fits counts it.
func (v *openVINO) needs(all int64, c *compiled) session.Opened {
	packed := all
	if v.half {
		packed /= 2
	}
	stays := packed + all/4 // which a pass computes
	switch kept, again := c != nil && c.fresh == "", c != nil && all >= leastReloaded; {
	case kept:
		return session.Opened{Peak: stays, Stays: stays}
	case again && v.half:
		return session.Opened{Peak: all + all/8, Stays: stays}
	case again:
		return session.Opened{Peak: stays + all, Stays: stays}
	}
	return session.Opened{Peak: stays + all, Stays: stays + all} // what was compiled lies in memory
}

// Compiled implements session.Compiler.
func (r *Runtime) Compiled(path string, opts session.Options, changed bool) (o session.Opened, ok bool) {
	v, ok := r.device.(*openVINO)
	if !ok {
		return o, false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return o, false
	}
	m, err := parseModel(data)
	if err != nil || !v.takes(m.float32Bytes(), opts) {
		return o, false
	}
	var c *compiled
	if !changed {
		opts.Weights = session.Packed // as open has it
		p := prepared{m: m, opts: opts}
		if p.bytes, p.folder, err = m.prepare(filepath.Dir(path), opts, nil); err == nil {
			p.bytes, err = forOpenVINO(p.bytes)
		}
		if err != nil {
			return o, false
		}
		if c = v.entry(r, p); c != nil && !c.whole() {
			c.fresh = c.path
		}
	}
	return v.needs(m.float32Bytes(), c), true
}

// passes are those that a graph with branches has run. Where OpenVINO meets a branch, it first computes all up to it, then plans what
// comes after it, and makes memory larger where that wants more: what lay there and is still to be read is lost, so that a layer of
// SDXL's U-Net misses its text, or reads what another program left. Memory never gets smaller, so a pass is right where another of its kind
// and at least its size went before. Others run twice.
type passes struct {
	shapes map[string][][]int // by kind
}

// larger tells whether no pass of this kind and at least this size has run.
func (p *passes) larger(inputs map[string]*tensor.Tensor, kept map[string]session.Value) bool {
	if p == nil {
		return false
	}
	kind, shape := kindOf(inputs, kept)
	return !slices.ContainsFunc(p.shapes[kind], func(before []int) bool {
		for i, n := range shape {
			if n > before[i] {
				return false
			}
		}
		return true
	})
}

// ran notes a pass.
func (p *passes) ran(inputs map[string]*tensor.Tensor, kept map[string]session.Value) {
	if p.shapes == nil {
		p.shapes = map[string][][]int{}
	}
	kind, shape := kindOf(inputs, kept)
	p.shapes[kind] = append(p.shapes[kind], shape)
}

// kindOf says what decides the branches of a pass, flags and which inputs are empty, and the sizes of all inputs in one order.
func kindOf(inputs map[string]*tensor.Tensor, kept map[string]session.Value) (kind string, sizes []int) {
	shapes := map[string][]int{}
	for name, v := range kept {
		shapes[name] = v.Shape()
	}
	for name, t := range inputs {
		shapes[name] = t.Shape
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		kind += fmt.Sprint(name, len(shapes[name]), slices.Contains(shapes[name], 0))
		if t := inputs[name]; t != nil && t.DType == tensor.I64 && len(t.Shape) <= 1 {
			kind += fmt.Sprint(t.I64)
		}
		sizes = append(sizes, shapes[name]...)
	}
	return kind, sizes
}

// forOpenVINO returns a graph as OpenVINO takes it. Its compiler makes one split of several slices of the same value, and fails where that
// is an input whose slices choose between branches; a Gather of one element is the same number. Numbers are read from the initializers
// of the graph.
func forOpenVINO(model []byte) ([]byte, error) {
	return nested(model, modelGraph, func(graph []byte) ([]byte, error) {
		inputs, numbers := map[string]bool{}, map[string]int64{}
		err := eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
			switch field {
			case graphInput:
				return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
					if field == valueName {
						inputs[string(body)] = true
					}
					return nil
				})
			case graphInitializer:
				if name, value, one := oneInteger(body); one {
					numbers[name] = value
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return nested(graph, graphNode, func(body []byte) ([]byte, error) {
			n, err := readNode(body)
			if err != nil || n.op != "Slice" || n.domain != "" || len(n.in) != 4 || !inputs[n.in[0]] {
				return body, err
			}
			start, ok1 := numbers[n.in[1]]
			end, ok2 := numbers[n.in[2]]
			axis, ok3 := numbers[n.in[3]]
			if !ok1 || !ok2 || !ok3 || start < 0 || end != start+1 || axis != 0 {
				return body, nil
			}
			return newNode("Gather", n.out[0], n.in[0], n.in[1]), nil
		})
	})
}

// oneInteger reads an initializer of int64 with one element.
func oneInteger(body []byte) (name string, value int64, one bool) {
	const integers, raw = 7, 9
	var kind uint64
	count := 0
	err := eachField(body, func(field protowire.Number, body []byte, n uint64) error {
		switch field {
		case tensorName:
			name = string(body)
		case tensorType:
			kind = n
		case raw:
			if count = len(body) / 8; len(body) == 8 {
				value = int64(binary.LittleEndian.Uint64(body))
			}
		case integers:
			if body == nil {
				value = int64(n)
				count++
				return nil
			}
			for len(body) > 0 {
				n, size := protowire.ConsumeVarint(body)
				if size < 0 {
					return errBroken
				}
				value, body = int64(n), body[size:]
				count++
			}
		}
		return nil
	})
	return name, value, err == nil && kind == onnxI64 && count == 1
}

// Compiled graphs are kept in the cache, in a folder for each, because compiling SDXL's U-Net takes most of a minute: a graph of one node,
// and beside it what OpenVINO compiled, which is mapped. Nothing is read of the model's own files then. By OpenVINO's own cache, which goes
// by a sum of the whole graph, SDXL's U-Net took three times as long. OpenVINO would load a file that was cut short: so it writes into a
// hidden folder, which gets its name when the session is there, with a seal of what lies in it.
const (
	compiledSeal  = "seal"
	compiledGraph = "graph.onnx"
	compiledLimit = 16 << 30
	mostCompiled  = 64 << 20 // bytes of the graph of one node
)

// compiled is the folder of one compiled graph.
type compiled struct {
	cache, path string
	size        int64  // of the weights, of which it takes about as much on the disk
	fresh       string // where OpenVINO writes now; "" is nowhere
	release     func()
}

// entry names the entry of a graph, which may not be there; nil keeps none.
func (v *openVINO) entry(r *Runtime, p prepared) *compiled {
	if r.cache.Folder == "" || p.opts.Once && !p.opts.Heavy || len(p.opts.Changes) > 0 || p.recorded {
		return nil
	}
	name := fmt.Sprintln("compiled 2", OpenVINOVersion, v.device.Vendor, v.half, v.threads, keep.Machine(), files.Sum(p.bytes))
	sources, size, err := p.m.sources()
	if err != nil {
		return nil
	}
	name += sources
	c := &compiled{cache: filepath.Join(r.cache.Folder, "openvino"), size: size}
	c.path = filepath.Join(c.cache, files.Sum([]byte(name)))
	return c
}

// whole tells whether the entry is there.
func (c *compiled) whole() bool {
	seal, err := files.Read(filepath.Join(c.path, compiledSeal), 1<<16)
	return err == nil && string(seal) == c.contents(c.path)
}

// compiled finds the entry of a graph or begins one; nil keeps none.
func (v *openVINO) compiled(r *Runtime, p prepared) *compiled {
	c := v.entry(r, p)
	if c == nil {
		return nil
	}
	if c.whole() {
		now := time.Now()
		_ = os.Chtimes(filepath.Join(c.path, compiledSeal), now, now)
		return c
	}
	_ = os.RemoveAll(c.path)
	if os.MkdirAll(c.cache, 0o700) != nil {
		return nil
	}
	files.Sweep(c.cache)
	if free, err := files.Free(c.cache); err != nil || free < 2*c.size+spare {
		return nil
	}
	dir, release, err := files.Mkdir(c.cache, "compiled")
	if err != nil {
		return nil
	}
	c.fresh, c.release = dir, release
	return c
}

// file is the graph of one node; "" is kept nowhere.
func (c *compiled) file() string {
	switch {
	case c == nil:
		return ""
	case c.fresh != "":
		return filepath.Join(c.fresh, compiledGraph)
	}
	return filepath.Join(c.path, compiledGraph)
}

// contents are names, sizes and times of everything in a folder but the seal.
func (c *compiled) contents(dir string) (text string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && e.Name() != compiledSeal {
			text += fmt.Sprintln(e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return text
}

// drop leaves nothing of an opening that did not begin.
func (c *compiled) drop() {
	if c != nil && c.fresh != "" {
		c.release()
		_ = os.RemoveAll(c.fresh)
	}
}

// done ends an opening: what OpenVINO wrote becomes the entry, which is what kept says, or goes.
func (c *compiled) done(ok bool) (kept bool) {
	switch {
	case c == nil:
		return false
	case c.fresh == "":
		if !ok {
			_ = os.RemoveAll(c.path)
		}
		return ok
	}
	defer c.release()
	text := c.contents(c.fresh)
	if !ok || text == "" || files.Put(filepath.Join(c.fresh, compiledSeal), files.Private|files.Unsynced, files.Data([]byte(text))) != nil ||
		files.Move(c.fresh, c.path) != nil {
		_ = os.RemoveAll(c.fresh)
		return false
	}
	c.sweep()
	return true
}

// sweep removes the entries that were used longest ago, but never this one.
func (c *compiled) sweep() {
	entries, err := os.ReadDir(c.cache)
	if err != nil {
		return
	}
	var list []files.Kept
	limit := int64(compiledLimit)
	for _, e := range entries {
		path := filepath.Join(c.cache, e.Name())
		seal, err := os.Stat(filepath.Join(path, compiledSeal))
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		size := int64(0)
		if inside, err := os.ReadDir(path); err == nil {
			for _, f := range inside {
				if info, err := f.Info(); err == nil {
					size += info.Size()
				}
			}
		}
		if path == c.path {
			limit -= size
			continue
		}
		list = append(list, files.Kept{Path: path, Size: size, Used: seal.ModTime()})
	}
	_ = files.Trim(list, limit)
}
