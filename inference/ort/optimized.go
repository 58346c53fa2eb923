package ort

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/files"
	"realword/inference/keep"
	"realword/inference/ram"
	"realword/inference/session"
)

// Cache is a folder of graphs as ONNX Runtime has optimised them for this processor. Opening a large graph whose weights stay in their
// files is mostly that: it makes convolutions' weights float32 and orders them anew, four copies of 1.3 GB at SDXL's size. In the cache
// they lie ready to be mapped; all other weights stay where they are. The result of every run is the same to the bit, because it is the
// same graph.
//
// Any process may use a cache at the same time. An entry is named by everything that decides it: the graph as it would be loaded, with the
// inputs that LoRAs add to it, not what comes in through them; library and processor; path, size and time of every file of weights. It is
// written under a hidden name and gets its own when it is whole. Entries that were used longest ago go when there are more than Limit
// bytes. Whatever is wrong with an entry, the graph is opened as without one.
type Cache struct {
	Folder string
	Limit  int64
	// Least is how many bytes of convolutions' weights, in float32, a graph has that is worth an entry; 0 means 256 MB.
	Least int64
}

const (
	leastConvolved = 256 << 20
	// mostConvolved is more than what ONNX Runtime can write: an optimised graph is one message of less than 2 GB.
	mostConvolved = 1900 << 20

	optimizedGraph   = "graph.onnx"
	optimizedWeights = "weights.bin"
	optimizedSeal    = "seal" // sum of the graph, size and time of the weights; its own time is that of the last use

	tensorRaw       = 9
	weightAlignment = 4096
)

// optimized is the entry of one graph, which may not exist yet.
type optimized struct {
	cache Cache
	path  string
	size  int64 // of the weights that it will have, about
}

// optimized returns the entry for a graph that was prepared, nil where none is wanted. Windows does not remove files that are mapped.
func (r *Runtime) optimized(m *model, opts session.Options, graph []byte) *optimized {
	if r.cache.Folder == "" || r.device != nil || r.asIs() || opts.Weights != session.Mapped || runtime.GOOS == "windows" {
		return nil
	}
	least := r.cache.Least
	if least == 0 {
		least = leastConvolved
	}
	size := m.convolvedBytes()
	if size < least || size > mostConvolved {
		return nil
	}
	name := fmt.Sprintln("optimised 2", r.version, r.library, keep.Machine(), files.Sum(graph))
	sources, _, err := m.sources()
	if err != nil {
		return nil
	}
	name += sources
	return &optimized{r.cache, filepath.Join(r.cache.Folder, files.Sum([]byte(name))), size}
}

// convolvedBytes is the size in float32 of the weights that convolutions read.
func (m *model) convolvedBytes() (n int64) {
	for _, w := range m.weights {
		if !m.convs[w.name] {
			continue
		}
		if n += w.length; w.half() {
			n += w.length
		}
	}
	return n
}

// read returns the graph of an entry, which reads weights below the root of the file system, and the file of its own weights.
func (o *optimized) read() (graph []byte, weights string, size int64, ok bool) {
	if o == nil {
		return nil, "", 0, false
	}
	weights = filepath.Join(o.path, optimizedWeights)
	seal, err := files.Read(filepath.Join(o.path, optimizedSeal), 1<<10)
	if err != nil || string(seal) == spoiled {
		return nil, "", 0, false
	}
	graph, err = files.Read(filepath.Join(o.path, optimizedGraph), 1<<30)
	if err != nil {
		return nil, "", 0, false
	}
	info, err := os.Stat(weights)
	if err != nil || string(seal) != sealOf(graph, info) {
		o.remove()
		return nil, "", 0, false
	}
	now := time.Now()
	_ = os.Chtimes(filepath.Join(o.path, optimizedSeal), now, now)
	return graph, weights, info.Size(), true
}

func sealOf(graph []byte, weights fs.FileInfo) string {
	return fmt.Sprintln(files.Sum(graph), weights.Size(), weights.ModTime().UnixNano())
}

func (o *optimized) remove() { _ = os.RemoveAll(o.path) }

// spoiled is the seal of an entry that ONNX Runtime cannot write or load, so that it is not tried again at every start.
const spoiled = "spoiled"

// spoil leaves nothing of an entry but the note that it is of no use.
func (o *optimized) spoil() {
	o.remove()
	if os.MkdirAll(o.path, 0o700) == nil {
		_ = files.Put(filepath.Join(o.path, optimizedSeal), files.Private|files.Unsynced, files.Data([]byte(spoiled)))
	}
}

func (o *optimized) isSpoiled() bool {
	seal, err := files.Read(filepath.Join(o.path, optimizedSeal), 1<<10)
	return err == nil && string(seal) == spoiled
}

// begin returns a folder in which ONNX Runtime can write the optimised graph, as file raw; "" where there is no room for that on the disk
// or in memory. done ends the work in it.
func (o *optimized) begin() (raw string, done func()) {
	if o == nil || 4*o.size > ram.Available() || o.isSpoiled() {
		return "", nil
	}
	if err := os.MkdirAll(o.cache.Folder, 0o700); err != nil {
		return "", nil
	}
	files.Sweep(o.cache.Folder)
	if free, err := files.Free(o.cache.Folder); err != nil || free < 3*o.size+spare || o.size+o.size/8 > o.cache.Limit {
		return "", nil
	}
	dir, release, err := files.Mkdir(o.cache.Folder, "graph")
	if err != nil {
		return "", nil
	}
	return filepath.Join(dir, "raw.onnx"), func() { release(); _ = os.RemoveAll(dir) }
}

// spare is what a cache leaves free on the disk.
const spare = 2 << 30

// keep makes an entry of what ONNX Runtime wrote. folder is the one that the locations in it are relative to.
func (o *optimized) keep(raw, folder string) error {
	dir := filepath.Dir(raw)
	final, err := filepath.EvalSymlinks(o.cache.Folder)
	if err != nil {
		return err
	}
	final = filepath.Join(final, filepath.Base(o.path))
	data, unmap, err := mapFile(raw)
	if err != nil {
		return err
	}
	defer unmap()
	graph, err := o.split(data, filepath.Join(dir, optimizedWeights), func(location string) string {
		return fromRoot(filepath.Join(folder, filepath.FromSlash(location)))
	}, fromRoot(filepath.Join(final, optimizedWeights)))
	if err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(dir, optimizedWeights))
	if err != nil {
		return err
	}
	if err := errors.Join(os.Remove(raw), files.Put(filepath.Join(dir, optimizedGraph), files.Private|files.Unsynced, files.Data(graph)),
		files.Put(filepath.Join(dir, optimizedSeal), files.Private|files.Unsynced, files.Data([]byte(sealOf(graph, info))))); err != nil {
		return err
	}
	if err := files.Move(dir, final); err != nil {
		if _, there := os.Stat(final); there == nil { // another process was first
			return nil
		}
		return err
	}
	o.sweep()
	return nil
}

// fromRoot is a whole path as a location below the root.
func fromRoot(path string) string { return strings.TrimPrefix(filepath.ToSlash(path), "/") }

// sweep removes the entries that were used longest ago, but never this one.
func (o *optimized) sweep() {
	entries, err := os.ReadDir(o.cache.Folder)
	if err != nil {
		return
	}
	var list []files.Kept
	limit := o.cache.Limit
	for _, e := range entries {
		path := filepath.Join(o.cache.Folder, e.Name())
		seal, err := os.Stat(filepath.Join(path, optimizedSeal))
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		size := seal.Size()
		for _, name := range []string{optimizedGraph, optimizedWeights} {
			if info, err := os.Stat(filepath.Join(path, name)); err == nil {
				size += info.Size()
			}
		}
		if e.Name() == filepath.Base(o.path) { // it stays, however large it is
			limit -= size
			continue
		}
		list = append(list, files.Kept{Path: path, Size: size, Used: seal.ModTime()})
	}
	_ = files.Trim(list, limit) // what is open elsewhere goes another time
}

// split writes the large tensors of a model to a file of their own, and returns the model without them. moved gives the new location of
// tensors that are in files already, own that of the new file.
func (o *optimized) split(model []byte, path string, moved func(string) string, own string) (graph []byte, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	s := splitter{out: w, moved: moved, own: own}
	graph, err = nested(model, modelGraph, func(graph []byte) ([]byte, error) { return s.graph(graph, nil) })
	return graph, errors.Join(err, w.Flush())
}

type splitter struct {
	out      io.Writer
	at       int64
	moved    func(string) string
	own      string
	branches int
}

// graph splits a graph and its branches. ONNX Runtime gives what it adds names of which it knows only that no other in the same graph has
// them, and refuses a branch that has one of the graph around it: so names of a branch get its number. renamed leads from names of the
// graphs around to those that they have now; nil is the outermost graph, which keeps its names.
//
// Casts of weights come before all other nodes. Of what a node reads, ONNX Runtime first computes what stands last in the file: where it
// has written a weight's cast, just before its reader, the casts of all weights would come before everything else in a run, and take the
// memory of the whole network in float32.
func (s *splitter) graph(graph []byte, renamed map[string]string) ([]byte, error) {
	names := map[string]string{}
	if renamed != nil {
		s.branches++
		maps.Copy(names, renamed)
		suffix := fmt.Sprintf(" in branch %d", s.branches)
		if err := defined(graph, func(name string) { names[name] = name + suffix }); err != nil {
			return nil, err
		}
	}
	computed, err := computed(graph)
	if err != nil {
		return nil, err
	}
	var out, front []byte
	err = eachRaw(graph, func(field protowire.Number, raw, body []byte) (err error) {
		var changed []byte
		first := false
		switch field {
		case graphInitializer:
			if changed, err = s.tensor(body); err == nil {
				changed, err = rename(changed, names, tensorName)
			}
		case graphNode:
			n, err := readNode(body)
			if err != nil {
				return err
			}
			first = n.op == "Cast" && !slices.ContainsFunc(n.in, func(name string) bool { return computed[name] })
			if changed, err = rename(body, names, nodeInput, nodeOutput); err != nil {
				return err
			}
			if changed, err = nested(changed, nodeAttribute, func(attribute []byte) ([]byte, error) {
				return nested(attribute, attributeGraph, func(branch []byte) ([]byte, error) { return s.graph(branch, names) })
			}); err != nil {
				return err
			}
		case graphInput, graphOutput, graphValue:
			changed, err = rename(body, names, valueName)
		default:
			out = append(out, raw...)
			return nil
		}
		to := &out
		if first {
			to = &front
		}
		*to = protowire.AppendBytes(protowire.AppendTag(*to, field, protowire.BytesType), changed)
		return err
	})
	return append(front, out...), err
}

const graphValue = 13 // value_info

// computed are the values that nodes of a graph give, those of its branches not counted.
func computed(graph []byte) (map[string]bool, error) {
	names := map[string]bool{}
	return names, eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		if field != graphNode {
			return nil
		}
		n, err := readNode(body)
		for _, name := range n.out {
			names[name] = true
		}
		return err
	})
}

// defined tells the names of the values that a graph makes itself.
func defined(graph []byte, tell func(string)) error {
	return eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		var at protowire.Number
		switch field {
		case graphInitializer:
			at = tensorName
		case graphNode:
			at = nodeOutput
		default:
			return nil
		}
		return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
			if field == at && len(body) > 0 { // an output that is left out has no name
				tell(string(body))
			}
			return nil
		})
	})
}

// rename returns a message with other names in some fields.
func rename(message []byte, names map[string]string, fields ...protowire.Number) ([]byte, error) {
	if len(names) == 0 {
		return message, nil
	}
	out := make([]byte, 0, len(message))
	err := eachRaw(message, func(field protowire.Number, raw, body []byte) error {
		if now, is := names[string(body)]; is && slices.Contains(fields, field) {
			raw = protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), now)
		}
		out = append(out, raw...)
		return nil
	})
	return out, err
}

func (s *splitter) tensor(body []byte) ([]byte, error) {
	var out, moved []byte
	err := eachRaw(body, func(field protowire.Number, raw, value []byte) error {
		switch {
		case field == tensorRaw && len(value) >= large:
			moved = value
			return nil
		case field == tensorExternal:
			key, location, err := readEntry(value)
			if err == nil && key == "location" {
				raw = external(key, s.moved(location))
			}
			out = append(out, raw...)
			return err
		}
		out = append(out, raw...)
		return nil
	})
	if err != nil || moved == nil {
		return out, err
	}
	if gap := (weightAlignment - s.at%weightAlignment) % weightAlignment; gap > 0 {
		if _, err := s.out.Write(make([]byte, gap)); err != nil {
			return nil, err
		}
		s.at += gap
	}
	if _, err := s.out.Write(moved); err != nil {
		return nil, err
	}
	for _, e := range [][2]string{
		{"location", s.own}, {"offset", strconv.FormatInt(s.at, 10)}, {"length", strconv.Itoa(len(moved))},
	} {
		out = append(out, external(e[0], e[1])...)
	}
	s.at += int64(len(moved))
	return protowire.AppendVarint(protowire.AppendTag(out, tensorLocation, protowire.VarintType), 1), nil
}

// external is a field that says where a tensor's data is.
func external(key, value string) []byte {
	entry := protowire.AppendString(protowire.AppendTag(nil, entryKey, protowire.BytesType), key)
	entry = protowire.AppendString(protowire.AppendTag(entry, entryValue, protowire.BytesType), value)
	return protowire.AppendBytes(protowire.AppendTag(nil, tensorExternal, protowire.BytesType), entry)
}
