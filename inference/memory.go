package inference

import (
	"errors"
	"fmt"

	"realword/inference/graph"
	"realword/inference/memory"
	"realword/inference/ram"
	"realword/inference/session"
)

// sizes reads what the memory of the model's graphs depends on. It is nil where the runtime does not tell.
func (g *Graphs) sizes() (*memory.Model, error) {
	inspector, ok := g.runtime.(session.Inspector)
	if !ok {
		return nil, nil
	}
	s := &memory.Model{Manifest: g.model.Manifest(), Graphs: map[graph.Name][]session.Weight{}}
	for _, name := range graph.All() {
		path := g.model.Graph(name)
		if path == "" {
			continue
		}
		var err error
		if s.Graphs[name], err = inspector.Weights(path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Memory says what a request will take before it runs. The request may be incomplete, as for Start; its pictures are counted and
// not read, its LoRAs are read where they are not known. On a graphics card it is of the card's memory, and an estimate. Where graphs are
// compiled for the processor and there is no room for that, it is of the way without (Plan.Without). ok is false where
// nothing can be said: for other devices, or a model whose graphs cannot be read.
func (e *Engine) Memory(r Request) (p memory.Plan, ok bool) {
	s := e.modelSizes()
	if s == nil {
		return p, false
	}
	if carded, is := e.graphs.runtime.(session.Carded); is {
		if card, ok := carded.Card(); ok {
			return s.PlanOn(card, e.memoryOf(r)), true
		}
	}
	w, available := e.memoryOf(r), ram.Available()+ram.Used()
	if e.graphs.onCard() {
		if w.Compiled = e.graphs.compiled(r.LoRAs != ""); w.Compiled == nil {
			return p, false
		}
		if p = s.Plan(w, available); p.Verdict != memory.TooLarge {
			return p, true
		}
		// The runtime sees that before it compiles, and the processor's own way takes over.
		w.Compiled = nil
		p = s.Plan(w, available)
		p.Without, _ = e.graphs.runtime.(session.Placed).Provider()
		return p, true
	}
	return s.Plan(w, available), true
}

// compiled is what the graphs take that the runtime compiles for the processor; nil: it compiles none. changed says that the U-Net will
// have LoRAs.
func (g *Graphs) compiled(changed bool) map[graph.Name]session.Opened {
	c, is := g.runtime.(session.Compiler)
	if !is {
		return nil
	}
	var all map[graph.Name]session.Opened
	for _, name := range []graph.Name{graph.Vision, graph.UNet} {
		if o, ok := c.Compiled(g.model.Graph(name), g.options(name), changed && name == graph.UNet); ok {
			if all == nil {
				all = map[graph.Name]session.Opened{}
			}
			all[name] = o
		}
	}
	return all
}

// memoryOf is what of a request, which may be incomplete, decides its memory.
func (e *Engine) memoryOf(r Request) memory.Request {
	m := e.model.Manifest()
	r = Defaults(m, r)
	w := memory.Request{
		Width: r.Width, Height: r.Height, Uncond: r.CFG != 1, UncondVision: m.Presets[r.Preset].UncondVision, Init: r.Init != nil,
	}
	if r.LoRAs != "" {
		w.LoRAs = e.loraBytes(r.LoRAs)
	}
	words, seed := e.model.Tokenizer(0), uint64(0)
	if len(r.Seeds) > 0 {
		seed = r.Seeds[0] // of the others, alternatives may be longer
	}
	w.Chunks = len(words.Read(r.Prompt, r.Reading(m, false, seed)).Chunks)
	w.UncondChunks = len(words.Read(r.Negative, r.Reading(m, true, seed)).Chunks)
	for _, subject := range r.Subjects {
		w.References = append(w.References, len(subject.References))
	}
	return w
}

// shortOf turns an error of lacking memory into one that says what would fit, and leaves others as they are.
func (e *Engine) shortOf(err error, r Request) error {
	if !errors.Is(err, session.ErrMemory) {
		return err
	}
	if s := e.modelSizes(); s != nil {
		return s.Lack(err, e.memoryOf(r), ram.Available()+ram.Used())
	}
	return fmt.Errorf("%w: close other programs, or choose a smaller picture", err)
}

func (e *Engine) modelSizes() *memory.Model {
	e.reading.Lock()
	defer e.reading.Unlock()
	if e.sizes == nil {
		e.sizes, _ = e.graphs.sizes() // a broken graph is reported when it is opened
	}
	return e.sizes
}

// large tells whether the model is one of which only what runs is kept open.
func (e *Engine) large() bool {
	s := e.modelSizes()
	return s != nil && s.Large()
}
