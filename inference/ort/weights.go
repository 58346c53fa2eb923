package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/session"
)

// More field numbers of binding.proto.
const (
	modelTraining  = 20
	modelFunction  = 25
	graphSparse    = 15
	graphNode      = 1
	nodeInput      = 1
	nodeOutput     = 2
	nodeName       = 3
	nodeOperator   = 4
	nodeAttribute  = 5
	nodeDomain     = 7
	attributeOne   = 5 // tensor
	attributeGraph = 6
	attributeMany  = 10 // tensors
	tensorLocation = 14
	tensorDims     = 1
	tensorType     = 2
	tensorExternal = 13
	entryKey       = 1
	entryValue     = 2
)

// large is the size from which a weight of half precision stays in its file in a Mapped session. Smaller ones (biases, norms) are
// converted when the graph is opened: a thousand casts more would cost time and save nothing.
const large = 64 << 10

// weight is an initializer whose data lies in a file.
type weight struct {
	name     string
	dtype    uint64 // of binding.proto
	dims     []int
	location string
	offset   int64
	length   int64
}

func (w weight) half() bool { return w.dtype == onnxF16 || w.dtype == onnxBF16 }

// Element types of binding.proto.
const (
	onnxF16  = 10
	onnxBF16 = 16
)

// model is a graph file on its way into a session: what it declares, and where its weights are.
type model struct {
	bytes    []byte
	ports    ports
	weights  []weight
	convs    map[string]bool    // weights that convolutions read, directly or through a Cast
	linear   map[string]weight  // those that one Cast alone reads, and that products alone which turn what they multiply with (x·Wᵀ)
	waves    []string           // nodes that are a sine or a cosine
	same     map[string]float32 // constants of one value throughout
	branches bool               // it has some
	files    map[string]int64   // files of the weights, by path -> where the last weight ends; known after locate
}

// ownOperators are those of ONNX Runtime's own that Realword's importer writes. Others of them load files.
var ownOperators = []string{"BiasSplitGelu", "FusedMatMul", "Gelu", "GroupNorm", "MultiHeadAttention", "NhwcConv", "QuickGelu"}

// foreign is what a graph has that Realword's importer never writes and that might do more than compute.
func foreign(format string, args ...any) error {
	return fmt.Errorf("it has %s, which no model imported by Realword has", fmt.Sprintf(format, args...))
}

// parseModel reads a graph. Weights of branches count as well as those of the graph itself. It refuses operators of other makers,
// functions, and every place but an initializer that could name a file; ONNX's own operators compute and nothing else.
func parseModel(data []byte) (*model, error) {
	p, err := modelPorts(data)
	if err != nil {
		return nil, err
	}
	m := &model{bytes: data, ports: p, convs: map[string]bool{}, linear: map[string]weight{}, same: map[string]float32{}}
	read := readers{casts: map[string]string{}, all: map[string]int{}, turned: map[string]int{}, given: map[string]int{}}
	graphs := 0
	err = eachField(data, func(field protowire.Number, graph []byte, _ uint64) error {
		switch field {
		case modelGraph:
			if graphs++; graphs > 1 {
				return errBroken // ONNX Runtime would make one of them
			}
			return m.scan(graph, 0, &read)
		case modelFunction:
			return foreign("a function of its own")
		case modelTraining:
			return foreign("a training graph")
		}
		return nil
	})
	for _, name := range read.convolved {
		m.convs[name] = true
		m.convs[read.casts[name]] = true
	}
	turned := map[string]bool{}
	for name, from := range read.casts {
		turned[from] = read.all[from] == 1 && read.given[name] == 1 && read.turned[name] > 0 && read.turned[name] == read.all[name]
	}
	for _, w := range m.weights {
		if turned[w.name] {
			m.linear[w.name] = w
		}
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// readers is who reads the values of a graph and of its branches.
type readers struct {
	casts       map[string]string // what a Cast gives -> what it reads
	convolved   []string          // what convolutions read
	all, turned map[string]int    // readers of a value; those of them that are products x·Wᵀ with it as W
	given       map[string]int    // nodes that give a value: branches beside each other may use a name twice
}

// scan collects the weights of a graph and of the branches in it, and who reads them.
func (m *model) scan(graph []byte, depth int, read *readers) error {
	if depth > 8 {
		return errBroken // and not a deep recursion
	}
	return eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case graphInitializer:
			w, external, err := readWeight(body)
			if external && err == nil {
				m.weights = append(m.weights, w)
			}
			if name, value, same := sameFloats(body); same && !external {
				m.same[name] = value
			}
			return err
		case graphNode:
			var in, out []string
			var name, op, domain string
			turns := false
			err := eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				switch field {
				case nodeInput:
					in = append(in, string(body))
				case nodeOutput:
					out = append(out, string(body))
				case nodeName:
					name = string(body)
				case nodeOperator:
					op = string(body)
				case nodeDomain:
					domain = string(body)
				case nodeAttribute:
					if name, value, err := numberAttribute(body); err == nil && name == "transB" && value == 1 {
						turns = true
					}
					return m.attribute(body, depth, read)
				}
				return nil
			})
			if domain != "" && domain != "ai.onnx" && (domain != "com.microsoft" || !slices.Contains(ownOperators, op)) {
				err = errors.Join(err, foreign("the operator %s.%s", domain, op))
			}
			for _, value := range in {
				read.all[value]++
			}
			for _, value := range out {
				read.given[value]++
			}
			switch {
			case op == "If":
				m.branches = true
			case op == "Sin" || op == "Cos":
				m.waves = append(m.waves, name)
			case op == "Cast" && len(in) == 1 && len(out) == 1:
				read.casts[out[0]] = in[0]
			case op == "Conv":
				read.convolved = append(read.convolved, in...)
			case op == "FusedMatMul" && turns && len(in) == 2 && in[0] != in[1]:
				read.turned[in[1]]++
			}
			return err
		case graphOutput:
			return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				if field == valueName {
					read.all[string(body)]++
				}
				return nil
			})
		case graphSparse:
			return foreign("a sparse weight")
		}
		return nil
	})
}

// attribute looks at an attribute of a node: branches are scanned, tensors must be whole, and what else could hold one is refused.
func (m *model) attribute(attribute []byte, depth int, read *readers) error {
	return eachField(attribute, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case attributeGraph:
			return m.scan(body, depth+1, read)
		case attributeOne, attributeMany:
			return eachField(body, func(field protowire.Number, _ []byte, _ uint64) error {
				if field == tensorExternal || field == tensorLocation {
					return foreign("an attribute in a file")
				}
				return nil
			})
		case 11, 22, 23: // graphs, sparse_tensor, sparse_tensors
			return foreign("an attribute of an unknown kind")
		}
		return nil
	})
}

func readWeight(body []byte) (w weight, external bool, err error) {
	w.length = -1
	seen := map[string]bool{}
	err = eachField(body, func(field protowire.Number, body []byte, n uint64) error {
		switch field {
		case tensorDims:
			if body == nil {
				w.dims = append(w.dims, int(n))
			}
			for len(body) > 0 {
				n, size := protowire.ConsumeVarint(body)
				if size < 0 {
					return errBroken
				}
				w.dims = append(w.dims, int(n))
				body = body[size:]
			}
		case tensorType:
			w.dtype = n
		case tensorName:
			w.name = string(body)
		case tensorExternal:
			external = true
			key, value, err := readEntry(body)
			switch {
			case err != nil:
				return err
			case seen[key]:
				return errBroken // which of them counts, nobody says
			case key == "location":
				w.location = value
			case key == "offset":
				w.offset, err = strconv.ParseInt(value, 10, 64)
			case key == "length":
				w.length, err = strconv.ParseInt(value, 10, 64)
			}
			if err != nil {
				return errBroken
			}
			seen[key] = true
		}
		return nil
	})
	if err != nil || !external {
		return w, external, err
	}
	if w.length < 0 { // the length may be left out
		n := int64(8) // at most: a file must not be found too short when it is mapped
		switch w.dtype {
		case 1:
			n = 4
		case onnxF16, onnxBF16:
			n = 2
		}
		for _, d := range w.dims {
			n *= int64(d)
		}
		w.length = n
	}
	if w.offset < 0 || w.length < 0 || w.offset > 1<<62 || w.length > 1<<62 {
		return w, true, errBroken
	}
	return w, true, nil
}

func readEntry(body []byte) (key, value string, err error) {
	err = eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case entryKey:
			key = string(body)
		case entryValue:
			value = string(body)
		}
		return nil
	})
	return key, value, err
}

// sources are the files of the weights, with their sizes and times, in a text that changes with any of them; size is what of the files the
// weights take. It is known after locate.
func (m *model) sources() (text string, size int64, err error) {
	for _, path := range slices.Sorted(maps.Keys(m.files)) {
		info, err := os.Stat(path)
		if err != nil {
			return "", 0, err
		}
		size += m.files[path]
		text += fmt.Sprintln(path, info.Size(), info.ModTime().UnixNano())
	}
	return text, size, nil
}

// float32Bytes is the size of all weights in float32.
func (m *model) float32Bytes() int64 {
	var n int64
	for _, w := range m.weights {
		if w.half() {
			n += w.length
		}
		n += w.length
	}
	return n
}

// prepare returns the bytes of the graph that ONNX Runtime is to load. dir is the folder of the graph file.
// webGPU is the device for whose dialect the graph is rewritten, or nil.
// folder is the one below which it reads weights.
// The inputs that opts.Changes add are among the model's ports afterwards.
func (m *model) prepare(dir string, opts session.Options, webGPU *webGPU) (graph []byte, folder string, err error) {
	folder, paths, err := m.locate(dir, opts.Outside, opts.Moved)
	if err != nil {
		return nil, "", err
	}
	change, err := newChanger(m, opts.Changes)
	if err != nil {
		return nil, "", err
	}
	graph, err = m.marshal(paths, opts.Weights == session.Mapped, webGPU, change)
	if change != nil {
		m.ports.inputs = append(m.ports.inputs, change.ports...)
	}
	return graph, folder, err
}

// locate finds the files of the weights: a location is one of the whole paths outside, or what moved leads to one from, or relative to
// dir, the graph's folder, which it does not leave, by no link either: a graph that somebody made could read any file of the user's into a
// picture. It checks that every file is there and long enough, because ONNX Runtime would map a short one and the process end at the first
// missing page. It returns the folder that all lie below, and for each location the path from there; ONNX Runtime takes no others.
func (m *model) locate(dir string, outside []string, moved map[string]string) (folder string, paths map[string]string, err error) {
	ends := map[string]int64{}
	for _, w := range m.weights {
		ends[w.location] = max(ends[w.location], w.offset+w.length)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	if folder, err = files.Real(dir); err != nil {
		return "", nil, err
	}
	home, full, allowed := folder, map[string]string{}, map[string]bool{}
	for _, path := range outside {
		if real, err := files.Real(filepath.FromSlash(path)); err == nil {
			allowed[real] = true
		}
	}
	var problems []error
	for location, end := range ends {
		path := filepath.FromSlash(location)
		to, other := moved[location]
		if other {
			path = to
		}
		named := other || filepath.IsAbs(path)
		if !named {
			if !filepath.IsLocal(path) {
				problems = append(problems, message.Errorf("it reads weights from %q, which is outside the model folder: import the model again", location))
				continue
			}
			path = filepath.Join(dir, path)
		}
		full[location], err = files.Real(path) // of which ONNX Runtime wants the target
		info, bad := os.Stat(path)
		inside, _ := filepath.Rel(home, full[location])
		switch err = errors.Join(err, bad); {
		case errors.Is(err, fs.ErrNotExist):
			problems = append(problems,
				message.Errorf("its weights %s: the file is missing: connect the drive or put the file back, or import the model again", path))
		case err != nil:
			problems = append(problems, message.Errorf("its weights cannot be read: %w", err))
		case named && !allowed[full[location]]:
			problems = append(problems, message.Errorf("it reads weights from %s, which the model's manifest does not name: import the model again",
				path))
		case !named && !filepath.IsLocal(inside):
			problems = append(problems,
				message.Errorf("it reads weights from %q, a link that leaves the model's folder: put the file itself there, or import the model again",
					location))
		case !files.IsFile(info.Mode()):
			problems = append(problems, message.Errorf("its weights %s are not a file: import the model again", path))
		case info.Size() < end:
			problems = append(problems,
				message.Errorf("its weights %s have %d bytes and should have %d: the file was cut short or replaced, import the model again", path,
					info.Size(), end))
		}
		for rel := ""; ; folder = filepath.Dir(folder) {
			if rel, bad = filepath.Rel(folder, full[location]); bad == nil && filepath.IsLocal(rel) || filepath.Dir(folder) == folder {
				break
			}
		}
	}
	if len(problems) > 0 {
		return "", nil, errors.Join(problems...)
	}
	m.files = map[string]int64{}
	for location, path := range full {
		m.files[path] = max(m.files[path], ends[location])
		// On Windows a model may have been moved to another drive than its checkpoints.
		if full[location], err = filepath.Rel(folder, path); err != nil {
			return "", nil, message.Errorf("its weights %s lie on another drive than the model: import the model again", path)
		}
		if strings.Contains(full[location], "_MEM_ADDR_") { // ONNX Runtime takes such a name for an address in memory
			return "", nil, message.Errorf("its weights %s have a name that cannot be used: rename the file or its folder, and import the model again",
				path)
		}
	}
	return folder, full, nil
}

// marshal returns the graph with other locations. For a Mapped session the large weights of half precision become inputs with
// a default, which nobody gives: ONNX Runtime then does not fold their casts into float32 constants. Those of branches move to the
// graph around them, because branches have no inputs. Convolutions keep theirs, they want them reordered. For WebGPU see halves.
func (m *model) marshal(paths map[string]string, mapped bool, webGPU *webGPU, change *changer) ([]byte, error) {
	var out []byte
	r := rewriter{m: m, paths: paths, mapped: mapped, webGPU: webGPU, change: change}
	err := eachRaw(m.bytes, func(field protowire.Number, raw, body []byte) error {
		if field != modelGraph {
			out = append(out, raw...)
			return nil
		}
		graph, err := r.graph(body)
		if err != nil {
			return err
		}
		if r.means {
			r.constants = append(r.constants, intTensor(lastAxis, -1))
		}
		for _, c := range r.constants {
			graph = protowire.AppendBytes(protowire.AppendTag(graph, graphInitializer, protowire.BytesType), c)
		}
		for _, w := range r.inputs {
			graph = protowire.AppendBytes(protowire.AppendTag(graph, graphInitializer, protowire.BytesType), w.tensor)
			graph = protowire.AppendBytes(protowire.AppendTag(graph, graphInput, protowire.BytesType), w.declare())
		}
		if graph, err = change.finish(graph); err != nil {
			return err
		}
		out = protowire.AppendBytes(protowire.AppendTag(out, modelGraph, protowire.BytesType), graph)
		return nil
	})
	return out, err
}

type rewriter struct {
	m              *model
	paths          map[string]string
	mapped         bool
	*webGPU                        // nil: nothing is rewritten for it
	channels, rows map[string]int  // of values, of matrices (follow)
	turned         map[string]bool // matrices that are there as their transposes (halves)
	means          bool            // lastAxis is read
	constants      [][]byte        // initializers of the whole graph that rewriting needs
	inputs         []input
	change         *changer // nil: no weight is changed
}

type input struct {
	weight
	tensor []byte
}

// declare writes a ValueInfoProto.
func (w input) declare() []byte {
	message := func(field protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), body)
	}
	number := func(field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
	}
	var shape []byte
	for _, d := range w.dims {
		var dim []byte // nothing: it is open
		if d >= 0 {
			dim = number(dimValue, uint64(d))
		}
		shape = append(shape, message(shapeDim, dim)...)
	}
	kind := message(typeTensor, append(number(tensorElem, w.dtype), message(tensorShape, shape)...))
	return append(message(valueName, []byte(w.name)), message(valueType, kind)...)
}

func (r *rewriter) graph(graph []byte) ([]byte, error) {
	out, front := make([]byte, 0, len(graph)), []byte(nil)
	err := eachRaw(graph, func(field protowire.Number, raw, body []byte) error {
		changed := body
		var err error
		switch field {
		case graphInitializer:
			var w weight
			var external bool
			if w, external, err = readWeight(body); err != nil || !external {
				break
			}
			if nodes := r.change.replaced(w); nodes != nil {
				for _, n := range nodes {
					front = protowire.AppendBytes(protowire.AppendTag(front, graphNode, protowire.BytesType), n)
				}
				return nil
			}
			if changed, err = r.tensor(body); err == nil && r.mapped && w.half() && w.length >= large && !r.m.convs[w.name] && r.webGPU == nil {
				r.inputs = append(r.inputs, input{w, changed})
				return nil
			}
		case graphNode:
			changed, err = nested(body, nodeAttribute, func(attribute []byte) ([]byte, error) {
				return nested(attribute, attributeGraph, r.graph)
			})
			if err != nil || r.webGPU == nil && r.change == nil {
				break
			}
			nodes, bad := r.change.added(changed)
			for _, n := range nodes {
				own := [][]byte{n}
				if r.webGPU != nil && bad == nil {
					own, bad = r.forWebGPU(n)
				}
				for _, n := range own {
					out = protowire.AppendBytes(protowire.AppendTag(out, field, protowire.BytesType), n)
				}
			}
			return bad
		default:
			out = append(out, raw...)
			return nil
		}
		out = protowire.AppendBytes(protowire.AppendTag(out, field, protowire.BytesType), changed)
		return err
	})
	return append(front, out...), err
}

// tensor returns an external initializer with its location changed.
func (r *rewriter) tensor(body []byte) ([]byte, error) {
	return nested(body, tensorExternal, func(entry []byte) ([]byte, error) {
		key, value, err := readEntry(entry)
		if err != nil || key != "location" {
			return entry, err
		}
		entry = protowire.AppendString(protowire.AppendTag(nil, entryKey, protowire.BytesType), key)
		return protowire.AppendString(protowire.AppendTag(entry, entryValue, protowire.BytesType), filepath.ToSlash(r.paths[value])), nil
	})
}

// nested returns a message in which change was applied to every field of one number.
func nested(message []byte, number protowire.Number, change func([]byte) ([]byte, error)) ([]byte, error) {
	var out []byte
	err := eachRaw(message, func(field protowire.Number, raw, body []byte) error {
		if field != number || body == nil {
			out = append(out, raw...)
			return nil
		}
		changed, err := change(body)
		out = protowire.AppendBytes(protowire.AppendTag(out, field, protowire.BytesType), changed)
		return err
	})
	return out, err
}

// eachRaw calls visit for every field of a message, with all its bytes and those of a length-delimited field's content.
func eachRaw(message []byte, visit func(field protowire.Number, raw, body []byte) error) error {
	for len(message) > 0 {
		field, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return errBroken
		}
		size := protowire.ConsumeFieldValue(field, kind, message[tag:])
		if size < 0 {
			return errBroken
		}
		var body []byte
		if kind == protowire.BytesType {
			body, _ = protowire.ConsumeBytes(message[tag:])
		}
		if err := visit(field, message[:tag+size], body); err != nil {
			return err
		}
		message = message[tag+size:]
	}
	return nil
}
