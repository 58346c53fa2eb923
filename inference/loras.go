package inference

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/lora"
	"realword/inference/message"
	"realword/inference/ram"
	"realword/inference/session"
	"realword/inference/tensor"
)

// Adapted is what LoRAs make of a model: inputs that change weights of its graphs. It is only read.
type Adapted struct {
	loras   string // of the settings that it is for
	changes map[graph.Name]map[string]session.Change
	inputs  map[graph.Name]tensors
}

// Bytes is the memory that it holds.
func (a *Adapted) Bytes() (n int64) {
	if a != nil {
		for _, in := range a.inputs {
			for _, t := range in {
				n += 4 * int64(len(t.F32))
			}
		}
	}
	return n
}

// adaptable are the graphs whose weights LoRAs change. Those of the visual keys and values stay as they are.
var adaptable = []graph.Name{graph.Text, graph.TextKV, graph.UNet}

// Adapt lets the next runs compute with LoRAs, and with nil without. A graph of which other weights are changed than before is closed,
// so that its next use opens it again; where the same weights are changed, it stays open.
func (g *Graphs) Adapt(a *Adapted) error {
	var errs []error
	for _, name := range adaptable {
		if _, open := g.open[name]; open && !maps.Equal(g.adapted.of(name), a.of(name)) {
			errs = append(errs, g.release(name))
		}
	}
	g.adapted = a
	return errors.Join(errs...)
}

func (a *Adapted) of(name graph.Name) map[string]session.Change {
	if a == nil {
		return nil
	}
	return a.changes[name]
}

// withAdapted are the inputs of a run with those of LoRAs.
func (g *Graphs) withAdapted(name graph.Name, in tensors) tensors {
	if g.adapted == nil || len(g.adapted.inputs[name]) == 0 {
		return in
	}
	all := maps.Clone(in)
	maps.Copy(all, g.adapted.inputs[name])
	return all
}

// Weights are the weights of a model's graphs that LoRAs can change, and where each lies.
type Weights struct {
	Shapes lora.Weights
	graphs map[string][]graph.Name
	places map[string]session.Weight
	model  Model
}

// Weights reads the names of the weights out of the model's graph files. A runtime that cannot tell them is an error.
func (g *Graphs) Weights() (*Weights, error) {
	inspector, ok := g.runtime.(session.Inspector)
	if !ok {
		return nil, message.New("this runtime cannot change weights: LoRAs need ONNX Runtime")
	}
	m := g.model.Manifest()
	w := &Weights{lora.Weights{}, map[string][]graph.Name{}, map[string]session.Weight{}, g.model}
	for _, name := range adaptable {
		path := g.model.Graph(name)
		if path == "" {
			continue
		}
		list, err := inspector.Weights(path)
		if err != nil {
			return nil, err
		}
		for _, weight := range list {
			key := weight.Key()
			if had := w.graphs[key]; len(had) > 0 && had[len(had)-1] == name {
				continue
			}
			w.graphs[key] = append(w.graphs[key], name)
			if w.Shapes[key] != nil {
				continue
			}
			weight.File = m.WeightFile(path, weight.File)
			w.Shapes[key], w.places[key] = weight.Shape, weight
		}
	}
	return w, nil
}

// read reads a weight from its file.
func (w *Weights) read(key string) (*tensor.Tensor, error) {
	at := w.places[key]
	f, err := files.Open(at.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n := tensor.Count(at.Shape)
	if int64(n*at.DType.Size()) != at.Bytes {
		return nil, message.Errorf("the weight %s has %d bytes, not those of its shape %v: import the model again", key, at.Bytes, at.Shape)
	}
	t := tensor.Zeros(at.Shape...)
	const piece = 1 << 16
	buffer := make([]byte, min(piece, n)*at.DType.Size())
	for from := 0; from < n; from += piece {
		part := t.F32[from:min(from+piece, n)]
		raw := buffer[:len(part)*at.DType.Size()]
		if _, err := f.ReadAt(raw, at.Offset+int64(from*at.DType.Size())); err != nil {
			return nil, message.Errorf("the weight %s cannot be read from %s: %w", key, at.File, err)
		}
		if err := tensor.DecodeFloats(part, raw, at.DType); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Adapt computes what LoRA files with their weights make of the model; parts come from File.Fit with w.Shapes. It stops when ctx ends.
func (w *Weights) Adapt(ctx context.Context, parts []lora.Part) (*Adapted, error) {
	if need, free := lora.Bytes(parts, w.Shapes), ram.Available(); need > free {
		return nil, message.Errorf("the LoRAs need %s of memory, most of it for weights that they change as a whole, and %s are free: leave some out, or close other programs",
			files.Bytes(need), files.Bytes(free))
	}
	mix, err := lora.Combine(ctx, parts, w.Shapes, w.read)
	if err != nil {
		return nil, err
	}
	a := &Adapted{changes: map[graph.Name]map[string]session.Change{}, inputs: map[graph.Name]tensors{}}
	put := func(key string, change session.Change, inputs tensors) {
		for _, name := range w.graphs[key] {
			if a.changes[name] == nil {
				a.changes[name], a.inputs[name] = map[string]session.Change{}, tensors{}
			}
			a.changes[name][key] = change
			maps.Copy(a.inputs[name], inputs)
		}
	}
	for key, f := range mix.Factors {
		put(key, session.Added, tensors{key + session.FactorA: f.A, key + session.FactorB: f.B})
	}
	for key, t := range mix.Whole {
		put(key, session.Replaced, tensors{key + session.WholeWeight: tensor.Of(t.F32, len(t.F32))})
	}
	return a, nil
}

// UseLoRAs says where the files of LoRAs are. It is called before requests with LoRAs; nil, as at first, has none.
func (e *Engine) UseLoRAs(l *lora.Library) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.library = l
}

// loraFile is a file as it was when it was looked at.
type loraFile struct {
	path     string
	size     int64
	modified time.Time
	config   struct { // what lies beside it
		size     int64
		modified time.Time
	}
}

// seenLoRA is what is known of one.
type seenLoRA struct {
	sum string
	fit lora.Fit
	err error // why it cannot be used with this model

	passing bool // err may go while the file stays as it is
}

// weights are those of the model that can be changed, read once. What could not be read is tried again.
func (e *Engine) weights() (*Weights, error) {
	e.reading.Lock()
	defer e.reading.Unlock()
	var err error
	if e.changeable == nil {
		e.changeable, err = e.graphs.Weights()
	}
	return e.changeable, err
}

// look reads the file of a LoRA, unless that is known since it was changed last.
func (e *Engine) look(ctx context.Context, u lora.Use) (path string, seen seenLoRA, err error) {
	e.mu.Lock()
	library := e.library
	e.mu.Unlock()
	path, err = library.Find(u.Name)
	if err != nil {
		return "", seen, err
	}
	info, err := files.Stat(path)
	if err != nil {
		return path, seen, err
	}
	key := loraFile{path: path, size: info.Size(), modified: info.ModTime()}
	if config, err := files.Stat(lora.Config(path)); err == nil {
		key.config.size, key.config.modified = config.Size(), config.ModTime()
	}
	e.mu.Lock()
	seen, known := e.loras.get(key)
	e.mu.Unlock()
	if !known {
		if seen, err = e.readLoRA(ctx, path); err != nil {
			return path, seen, err
		}
		e.mu.Lock()
		if _, again := e.loras.get(key); !again && !seen.passing {
			e.loras.put(key, seen)
		}
		e.mu.Unlock()
	}
	e.mu.Lock()
	e.called[u.Name] = seen
	e.mu.Unlock()
	switch {
	case seen.err != nil:
		return path, seen, seen.err
	case u.SHA256 != "" && u.SHA256 != seen.sum:
		return path, seen, message.Errorf("the LoRA %s is another file than the one that was chosen: put that file back, or take the LoRA out and add it again",
			u.Name)
	}
	return path, seen, nil
}

// readLoRA compares a file with the model, and reads all of it. The error is that of ctx alone: all others are in what is seen.
func (e *Engine) readLoRA(ctx context.Context, path string) (seen seenLoRA, err error) {
	weights, err := e.weights()
	if err != nil {
		return seen, err
	}
	f, err := lora.Open(path)
	if err != nil {
		return seenLoRA{err: err, passing: true}, nil // which takes no time to find again
	}
	defer f.Close()
	m := e.model.Manifest()
	if seen.fit, seen.err = f.Fit(weights.Shapes, m.Name, m.Family); seen.err == nil {
		seen.sum, seen.err = f.Sum(ctx)
	}
	seen.passing = errors.As(seen.err, new(*fs.PathError))
	return seen, ctx.Err()
}

// LoRA is what is known of the file of a LoRA with a model.
type LoRA struct {
	Parts, Stray int    // Stray of its Parts fit nothing
	Unscaled     bool   // as lora.Fit has it
	SHA256       string // of its file
}

// LoRA reads the file of a LoRA, unless that is known, and compares it with the model: a request with it that is resolved later takes no
// time for it. The error says why the LoRA cannot be used.
func (e *Engine) LoRA(ctx context.Context, name string) (LoRA, error) {
	_, seen, err := e.look(ctx, lora.Use{Name: name})
	return LoRA{seen.fit.Modules, len(seen.fit.Stray), seen.fit.Unscaled, seen.sum}, err
}

// LoRAError is why the file of a LoRA cannot be used: it is not there, not whole, or of another model.
type LoRAError struct{ Err error }

func (e LoRAError) Error() string { return e.Err.Error() }

// Unwrap is the sentence.
func (e LoRAError) Unwrap() error { return e.Err }

// checkLoRAs finds and reads the files of the LoRAs, and names them by SHA-256.
func (p *planner) checkLoRAs() {
	uses, err := lora.Parse(p.request.LoRAs)
	if err != nil {
		p.problem(err)
		return
	}
	for i := range uses {
		_, seen, err := p.engine.look(p.ctx, uses[i])
		if err != nil {
			p.problem(LoRAError{err})
			continue
		}
		for _, other := range uses[:i] {
			switch {
			case other.SHA256 != seen.sum:
			case other.Name == uses[i].Name:
				p.problem(message.Errorf("the LoRA %s is in the list twice: leave one out, and add the weights", uses[i].Name))
			default:
				p.problem(message.Errorf("the LoRA %s is the same file as %s: leave one out, and add the weights", uses[i].Name, other.Name))
			}
		}
		uses[i].SHA256 = seen.sum
	}
	p.request.LoRAs = lora.Format(uses)
}

// usedLoRAs leaves out those that are off.
func usedLoRAs(text string) string {
	uses, err := lora.Parse(text)
	if err != nil {
		return text // which Resolve reports
	}
	used := uses[:0]
	for _, u := range uses {
		if !u.Off {
			used = append(used, u)
		}
	}
	return lora.Format(used)
}

// loraNotes says of the LoRAs that were looked at which parts fit nothing, named and counted, and whose strength is unknown.
func (e *Engine) loraNotes(r Request) (notes []error) {
	uses, err := lora.Parse(r.LoRAs)
	if err != nil {
		return nil // which Resolve reports
	}
	for _, u := range uses {
		if u.Off {
			continue
		}
		e.mu.Lock()
		seen := e.called[u.Name]
		e.mu.Unlock()
		if seen.err == nil && seen.fit.Unscaled {
			notes = append(notes, message.Errorf("the LoRA %s does not say how strong it is made to be, so it may act too much or too little: the file adapter_config.json that belongs to it is not beside it",
				u.Name))
		}
		if stray := seen.fit.Stray; seen.err == nil && len(stray) > 0 {
			notes = append(notes, message.Errorf("of the %d parts of the LoRA %s, %d fit nothing in this model and are left out: %s", seen.fit.Modules, u.Name,
				len(stray), some(stray)))
		}
	}
	return notes
}

// some is the beginning of a list.
func some(names []string) string {
	const most = 3
	var shown []string
	for _, n := range names[:min(most, len(names))] {
		shown = append(shown, files.Shown(n, 80))
	}
	if len(names) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, ", ")
}

// LoRAText is the LoRAs of settings for people: "detail 0.8, style −0.5".
func LoRAText(s Settings) string {
	uses, _ := lora.Parse(s.LoRAs)
	var list []string
	for _, u := range uses {
		if !u.Off {
			list = append(list, fmt.Sprintf("%s %g", u.Name, u.Weight))
		}
	}
	return strings.Join(list, ", ")
}

// loraBytes is what the LoRAs of settings hold once they are read. Those that cannot be used, which Resolve reports, hold nothing.
func (e *Engine) loraBytes(text string) int64 {
	uses, err := lora.Parse(usedLoRAs(text))
	if err != nil {
		return 0
	}
	var parts []lora.Part
	for _, u := range uses {
		if _, seen, err := e.look(e.ctx, u); err == nil {
			parts = append(parts, lora.Part{Fit: seen.fit, Weight: u.Weight})
		}
	}
	weights, err := e.weights()
	if err != nil || len(parts) == 0 {
		return 0
	}
	return lora.Bytes(parts, weights.Shapes)
}

// adaptTo prepares the graphs for the LoRAs of a request, which is resolved.
func (w *worker) adaptTo(ctx context.Context, r Request) error {
	if had := w.graphs.adapted; had != nil && had.loras == r.LoRAs {
		return nil
	}
	uses, err := lora.Parse(r.LoRAs)
	if err != nil {
		return err
	}
	if len(uses) == 0 {
		return w.graphs.Adapt(nil)
	}
	weights, err := w.engine.weights()
	if err != nil {
		return err
	}
	m := w.graphs.model.Manifest()
	var parts []lora.Part
	defer func() {
		for _, p := range parts {
			_ = p.File.Close() // read only: nothing is lost
		}
	}()
	for _, u := range uses {
		path, _, err := w.engine.look(ctx, u)
		if err != nil {
			return err
		}
		f, err := lora.Open(path)
		if err != nil {
			return err
		}
		parts = append(parts, lora.Part{File: f, Weight: u.Weight})
		if parts[len(parts)-1].Fit, err = f.Fit(weights.Shapes, m.Name, m.Family); err != nil {
			return err
		}
	}
	adapted, err := weights.Adapt(ctx, parts)
	if err != nil {
		return err
	}
	adapted.loras = r.LoRAs
	return w.graphs.Adapt(adapted)
}
