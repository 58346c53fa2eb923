package inference

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/prompt"
	"realword/inference/ram"
	"realword/inference/session"
)

// MemoryPlan says what a picture will take of the processor's memory, part by part, before anything is loaded. All sizes are
// bytes. Its figures are computed from the sizes of the graphs' tensors; the factors of what operators need beside were
// measured (see activations).
type MemoryPlan struct {
	Stages    []MemoryUse
	Peak      int64 // what the process will hold at most, pages of files not counted
	Files     int64 // pages of weight files that the longest stage reads again and again
	Available int64 // what the process may hold in all
	Verdict   Verdict
	Remedies  []Remedy // what would fit, where this does not; the mildest first

	closeUNet bool // before the picture is decoded
}

// MemoryUse is the memory of one stage.
type MemoryUse struct {
	Stage       Stage
	Files       int64 // weights read from mapped files: pages that the system can drop and read again
	Weights     int64 // weights that the process holds: packed, or reordered for convolutions
	Activations int64 // intermediate values at most, and the picture
	KV          int64 // keys and values of text and pictures
}

// Held is what the stage holds that is not in files.
func (u MemoryUse) Held() int64 { return u.Weights + u.Activations + u.KV + processMemory }

// Verdict is whether a run can be expected to end well.
type Verdict string

// The verdicts.
const (
	Fits     Verdict = "fits"
	Tight    Verdict = "tight"        // it fits, but hardly; or the weights have no room beside it and are read from disk again in every pass
	TooLarge Verdict = "will not fit" // the system would end a program, most likely this one
)

// Remedy is a change of a request after which it fits.
type Remedy struct {
	Text          string // for people: "768 × 768 pixels"
	Width, Height int    // the size to ask for
	References    int    // at most so many pictures per subject; 0 leaves them
	Peak          int64
}

// MemoryError refuses a request that would not fit, or says why one ended.
type MemoryError struct {
	Plan MemoryPlan
	Err  error // what the system said; nil before the run
}

func (e *MemoryError) Unwrap() error { return e.Err }

func (e *MemoryError) Error() string {
	text := fmt.Sprintf("this picture needs about %s of memory and %s are available", Gigabytes(e.Plan.Peak), Gigabytes(e.Plan.Available))
	if e.Err != nil {
		doing, _, _ := strings.Cut(e.Err.Error(), ": ") // "run the decoder graph"; the library's words follow
		text = fmt.Sprintf("the system gave no more memory to %s: this picture needs about %s", doing, Gigabytes(e.Plan.Peak))
	}
	var fit []string
	for _, r := range e.Plan.Remedies {
		fit = append(fit, fmt.Sprintf("%s (%s)", r.Text, Gigabytes(r.Peak)))
	}
	if len(fit) == 0 {
		return text + ": close other programs, or choose a smaller model"
	}
	return text + ": close other programs, or choose " + strings.Join(fit, ", or ")
}

// Gigabytes writes a size for people.
func Gigabytes(bytes int64) string { return fmt.Sprintf("%.1f GB", float64(bytes)/1e9) }

// Line is the plan in a few words: "about 6.2 GB of 16.0 GB: fits".
func (p MemoryPlan) Line() string {
	return fmt.Sprintf("about %s of %s: %s", Gigabytes(p.Peak), Gigabytes(p.Available), p.Verdict)
}

// memoryWanted is what of a request decides its memory.
type memoryWanted struct {
	width, height int
	references    []int // pictures of every subject
	uncond        bool  // there is an unconditional pass
	uncondVision  bool  // which sees the black picture
}

// modelSizes is what of a model decides its memory.
type modelSizes struct {
	manifest bundle.Manifest
	graphs   map[graph.Name][]session.Weight // of the graphs that the loop runs
}

// What the program holds without a model (library, Go's heap, the window), and how many times the largest intermediate value
// of a graph its run takes at most. The factors were measured at full width, see TestMemoryOfSDXL; operators' own space,
// values that wait for a skip connection and the allocator's rounding are in them.
const (
	processMemory = 100 << 20

	unetFactor         = 15
	visionFactor       = 1
	textFactor         = 6
	wholeDecoderFactor = 1.5
	tiledDecoderFactor = 3.3 // times a map of the last level: three of them are alive
)

// largeModel is the size of a U-Net in float32 from which graphs are opened when they are needed and closed after.
const largeModel = 2 << 30

func (s modelSizes) large() bool { return float32Bytes(s.graphs[graph.UNet]) > largeModel }

func float32Bytes(weights []session.Weight) (n int64) {
	for _, w := range weights {
		n += w.Float32()
	}
	return n
}

// planMemory computes a plan. available is what the process may hold in all, with what it holds already.
func planMemory(s modelSizes, w memoryWanted, available int64) MemoryPlan {
	p := s.plan(w, available)
	if p.Verdict == TooLarge {
		p.Remedies = s.remedies(w, available)
	}
	return p
}

func (s modelSizes) plan(w memoryWanted, available int64) MemoryPlan {
	m := s.manifest
	h, wide := w.height/m.Latent.Factor, w.width/m.Latent.Factor
	textKV, visionKV := s.keysAndValues(w)

	text := s.use(StageText, available, graph.Text, graph.TextKV)
	text.Activations += textFactor * 4 * prompt.Length * widest(s.graphs[graph.Text])
	text.KV = textKV
	vision := s.use(StageVision, available, graph.Vision, graph.VisionKV)
	views := int64(5 * (m.Vision.View / 14) * (m.Vision.View / 14)) // positions, at the usual patch
	vision.Activations += visionFactor * 4 * views * widest(s.graphs[graph.Vision])
	vision.KV = textKV + visionKV
	unet := s.use(StageDenoise, available, graph.UNet)
	passes := unetFactor * 4 * largestValue(s.graphs[graph.UNet], h, wide)
	// Opening it takes its weights of half precision to float32 before it reorders them.
	unet.Activations = max(unet.Activations+passes, s.opening(available))
	unet.KV = textKV + visionKV
	decoder := s.use(StageDecode, available, graph.Decoder)
	if _, ok := s.graphs[graph.TiledDecoder]; ok && tiled(h, wide) {
		decoder.Activations = int64(tiledDecoderFactor * 4 * float64(lastLevel(s.graphs[graph.Decoder])) * float64(w.width) * float64(w.height))
	} else {
		decoder.Activations = int64(wholeDecoderFactor * 4 * float64(largestValue(s.graphs[graph.Decoder], w.height, w.width)))
	}
	decoder.KV = textKV + visionKV

	p := MemoryPlan{Stages: []MemoryUse{text, vision, unet, decoder}, Files: unet.Files, Available: available, Verdict: Fits}
	p.closeUNet = s.large() && decoder.Held()+unet.Weights+passes > available/10*9
	for i := range p.Stages {
		u := &p.Stages[i]
		for _, other := range []MemoryUse{text, vision, unet, decoder} {
			// A small model's graphs stay open. Of a large one the U-Net is there when the picture is decoded, with its values.
			if other.Stage == u.Stage || s.large() && (u.Stage != StageDecode || other.Stage != StageDenoise || p.closeUNet) {
				continue
			}
			u.Weights += other.Weights
			if other.Stage == StageDenoise && u.Stage == StageDecode {
				u.Weights += passes // which its session keeps for the next picture
			}
		}
	}
	if len(w.references) == 0 {
		p.Stages = slices.Delete(p.Stages, 1, 2)
	}
	for _, u := range p.Stages {
		p.Peak = max(p.Peak, u.Held())
	}
	switch {
	case p.Peak > available:
		p.Verdict = TooLarge
	case p.Peak > available/10*9 || p.Peak+p.Files > available:
		p.Verdict = Tight
	}
	return p
}

// use is what a stage holds of its graphs' weights, as sessions choose it.
func (s modelSizes) use(stage Stage, available int64, graphs ...graph.Name) MemoryUse {
	u := MemoryUse{Stage: stage}
	for _, name := range graphs {
		weights := s.graphs[name]
		if session.ChooseWeights(float32Bytes(weights), available, name.Once()) == session.Packed {
			u.Weights += float32Bytes(weights)
			continue
		}
		for _, w := range weights {
			u.Files += w.Bytes
			switch {
			case w.Conv:
				u.Weights += w.Float32()
			case w.Half:
				u.Activations = max(u.Activations, w.Float32()) // one at a time is converted where it is used
			}
		}
	}
	return u
}

// opening is what the U-Net's session holds beside its weights while it is made: for packing a third of them, else those of the
// convolutions once more, where they are converted.
func (s modelSizes) opening(available int64) (n int64) {
	weights := s.graphs[graph.UNet]
	if all := float32Bytes(weights); session.ChooseWeights(all, available, false) == session.Packed {
		return all / 10 * 3
	}
	for _, w := range weights {
		if w.Half && w.Conv {
			n += w.Float32()
		}
	}
	return n
}

// keysAndValues are those of the prompts and of the pictures, which stay from the encoders to the last step.
func (s modelSizes) keysAndValues(w memoryWanted) (text, vision int64) {
	rows := func(weights []session.Weight) (n int64) {
		for _, w := range weights {
			n += int64(w.Shape[0])
		}
		return n
	}
	text = 4 * prompt.Length * rows(s.graphs[graph.TextKV])
	if w.uncond {
		text *= 2
	}
	if len(w.references) == 0 {
		return text, 0
	}
	pictures := slices.Max(w.references) // subjects with fewer are filled up
	if w.uncondVision {
		pictures++
	}
	return text, 4 * int64(len(w.references)*pictures*s.manifest.Vision.Tokens) * rows(s.graphs[graph.VisionKV])
}

// widest is the most channels that a linear layer has.
func widest(weights []session.Weight) (n int64) {
	for _, w := range weights {
		if len(w.Shape) == 2 && w.Shape[0] < 30000 { // not the vocabulary
			n = max(n, int64(w.Shape[0]))
		}
	}
	return n
}

// largestValue is the most values that go into a layer and come out of it together, for maps of h × w at the highest
// resolution: the first level of a U-Net, the last of a decoder.
func largestValue(weights []session.Weight, h, w int) (n int64) {
	deepest := 0
	for _, t := range weights {
		deepest = max(deepest, max(block(t.Name, "down_blocks."), block(t.Name, "up_blocks.")))
	}
	for _, t := range weights {
		if len(t.Shape) != 4 && (len(t.Shape) != 2 || !strings.Contains(t.Name, "attentions.")) {
			continue
		}
		level := 0
		up := block(t.Name, "up_blocks.")
		switch down := block(t.Name, "down_blocks."); {
		case down >= 0:
			level = down
		case up >= 0 && strings.Contains(t.Name, "upsamplers"):
			level = deepest - up - 1
		case up >= 0:
			level = deepest - up
		case strings.Contains(t.Name, "mid_block.") || strings.HasPrefix(t.Name, "decoder.conv_in"):
			level = deepest
		}
		n = max(n, int64(t.Shape[0]+t.Shape[1])*int64(h>>level)*int64(w>>level))
	}
	return n
}

// block reads the number of a block in a tensor's name, -1 where there is none.
func block(name, kind string) int {
	_, rest, ok := strings.Cut(name, kind)
	number, _, dot := strings.Cut(rest, ".")
	n, err := strconv.Atoi(number)
	if !ok || !dot || err != nil {
		return -1
	}
	return n
}

// lastLevel is the number of channels of a decoder's maps at the size of the picture.
func lastLevel(weights []session.Weight) int64 {
	for _, t := range weights {
		if strings.HasPrefix(t.Name, "decoder.conv_out.weight") && len(t.Shape) == 4 {
			return int64(t.Shape[1])
		}
	}
	return 0
}

// remedies are the requests nearest to this one that fit: smaller, with fewer pictures, or both.
func (s modelSizes) remedies(w memoryWanted, available int64) (fit []Remedy) {
	smaller := func(w memoryWanted) (memoryWanted, bool) {
		step := s.manifest.Size.Multiple
		for scale := 0.95; scale > 0.05; scale -= 0.05 {
			small := w
			small.width = int(float64(w.width)*scale) / step * step
			small.height = int(float64(w.height)*scale) / step * step
			if min(small.width, small.height) < max(s.manifest.Size.Min, step) {
				break
			}
			if s.plan(small, available).Verdict != TooLarge {
				return small, true
			}
		}
		return w, false
	}
	fewer := func(w memoryWanted, n int) memoryWanted {
		w.references = slices.Clone(w.references)
		for i := range w.references {
			w.references[i] = min(w.references[i], n)
		}
		return w
	}
	add := func(w memoryWanted, references int, text string) {
		fit = append(fit, Remedy{Text: text, Width: w.width, Height: w.height, References: references, Peak: s.plan(w, available).Peak})
	}
	size := func(w memoryWanted) string { return fmt.Sprintf("%d × %d pixels", w.width, w.height) }
	if small, ok := smaller(w); ok {
		add(small, 0, size(small))
	}
	if len(w.references) == 0 || slices.Max(w.references) < 2 {
		return fit
	}
	for n := slices.Max(w.references) - 1; n >= 1; n-- {
		if few := fewer(w, n); s.plan(few, available).Verdict != TooLarge {
			add(few, n, fmt.Sprintf("%s of every subject", plural(n, "picture")))
			return fit
		}
	}
	if few, ok := smaller(fewer(w, 1)); ok && len(fit) == 0 {
		add(few, 1, size(few)+" with 1 picture of every subject")
	}
	return fit
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sizes reads what the memory of the model's graphs depends on. It is nil where the runtime does not tell.
func (g *Graphs) sizes() (*modelSizes, error) {
	inspector, ok := g.runtime.(session.Inspector)
	if !ok {
		return nil, nil
	}
	s := &modelSizes{manifest: g.model.Manifest(), graphs: map[graph.Name][]session.Weight{}}
	for _, name := range graph.All() {
		path := g.model.Graph(name)
		if path == "" {
			continue
		}
		var err error
		if s.graphs[name], err = inspector.Weights(path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Memory says what a request will take before it runs. The request may be incomplete, as for Start; its pictures are counted and
// not read. ok is false where nothing can be said: for a device other than the processor, or a model whose graphs cannot be read.
func (e *Engine) Memory(r Request) (p MemoryPlan, ok bool) {
	s := e.modelSizes()
	if placed, is := e.graphs.runtime.(session.Placed); is {
		if name, _ := placed.Provider(); name != "CPU" {
			return p, false
		}
	}
	if s == nil {
		return p, false
	}
	return planMemory(*s, e.wanted(r), ram.Available()+ram.Used()), true
}

func (e *Engine) wanted(r Request) memoryWanted {
	m := e.model.Manifest()
	r = Defaults(m, r)
	w := memoryWanted{width: r.Width, height: r.Height, uncond: r.CFG != 1, uncondVision: m.Presets[r.Preset].UncondVision}
	for _, subject := range r.Subjects {
		w.references = append(w.references, len(subject.References))
	}
	return w
}

// shortOf turns an error of lacking memory into one that says what would fit, and leaves others as they are.
func (e *Engine) shortOf(err error, r Request) error {
	if !errors.Is(err, session.ErrMemory) {
		return err
	}
	if s := e.modelSizes(); s != nil {
		return lackOfMemory(err, *s, e.wanted(r), ram.Available()+ram.Used())
	}
	return fmt.Errorf("%w: close other programs, or choose a smaller picture", err)
}

func lackOfMemory(err error, s modelSizes, w memoryWanted, available int64) error {
	p := planMemory(s, w, available)
	for p.Verdict != TooLarge { // the system gave less than it had promised
		p = planMemory(s, w, p.Peak/4*3)
	}
	return &MemoryError{p, err}
}

func (e *Engine) modelSizes() *modelSizes {
	e.measure.Do(func() { e.sizes, _ = e.graphs.sizes() }) // a broken graph is reported when it is opened
	return e.sizes
}

// large tells whether the model is one of which only what runs is kept open.
func (e *Engine) large() bool {
	s := e.modelSizes()
	return s != nil && s.large()
}
