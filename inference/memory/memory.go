// Package memory says how much memory a picture will take, the CPU's or a graphics card's, before anything of its model is loaded, and what
// would fit where it does not.
//
// Contract: arithmetic over a model's manifest and the sizes of its graphs' weights; it opens no graph and asks the system
// nothing. Sizes are bytes. The factors for what operators need on top were measured at full width on the CPU (TestMemoryOfSDXL): plans are
// within a fifth of what a process took there. One that finds its U-Net in the cache of graphs takes half of that. Plans for graphics
// cards are estimates (card.go), which refuse nothing.
package memory

import (
	"fmt"
	"slices"
	"strings"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/network"
	"realword/inference/prompt"
	"realword/inference/session"
)

// Plan says what a picture will take, part by part.
type Plan struct {
	Device    string // the graphics card whose memory it is about, as session.Placed has it; "": the processor's
	Stages    []Use
	Peak      int64 // what the process will hold at most, pages of files not counted
	Files     int64 // pages of weight files that the longest stage reads again and again
	Available int64 // what the process may hold in all; 0: the card does not tell
	Verdict   Verdict
	Remedies  []Remedy // what would fit, where this does not; the mildest first

	Without   string // a way to compute on the processor that would want more than there is, as session.Placed has it; the plan is without it
	CloseUNet bool   // it fits only when the U-Net is closed before the picture is decoded, and so before the next one's texts are read
}

// Use is the memory of one stage.
type Use struct {
	Stage       string // encode, text, vision, denoise or decode: inference.Stage
	Files       int64  // weights read from mapped files: pages that the system can drop and read again
	Weights     int64  // weights that the process holds: packed, or reordered for convolutions
	Activations int64  // intermediate values at most, and the picture
	KV          int64  // keys and values of text and pictures
	LoRAs       int64  // what LoRAs change weights with, through all stages
	Base        int64  // what is held without a model
}

// Held is what the stage holds that is not in files.
func (u Use) Held() int64 { return u.Weights + u.Activations + u.KV + u.LoRAs + u.Base }

// LoRAs is what of the peak LoRAs take.
func (p Plan) LoRAs() (n int64) {
	for _, u := range p.Stages {
		n = max(n, u.LoRAs)
	}
	return n
}

// Verdict is whether a run can be expected to end well.
type Verdict string

// The verdicts.
const (
	Fits     Verdict = "fits"
	Tight    Verdict = "tight"        // it fits, but hardly; or the weights have no room beside it and are read from disk again in every pass
	TooLarge Verdict = "will not fit" // the system would end a program, most likely this one
	Doubtful Verdict = "may not fit"  // into a graphics card; where it does not, the processor goes on
	Unknown  Verdict = "unknown"      // how much memory the card has
)

// Remedy is a change of a request after which it fits.
type Remedy struct {
	Text          string // for people: "768 × 768 pixels"
	Width, Height int    // the size to ask for
	References    int    // at most so many pictures per subject; 0 leaves them
	Peak          int64
}

// Error refuses a request that would not fit, or says why one ended.
type Error struct {
	Plan Plan
	Err  error // what the system said; nil before the run
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	text := fmt.Sprintf("this picture needs about %s of memory, and %s is available", files.Bytes(e.Plan.Peak), files.Bytes(e.Plan.Available))
	if e.Err != nil {
		doing, _, _ := strings.Cut(e.Err.Error(), ": ") // "run the decoder graph"; the library's words follow
		text = fmt.Sprintf("there was not enough memory to %s: this picture needs about %s", doing, files.Bytes(e.Plan.Peak))
	}
	var fit []string
	for _, r := range e.Plan.Remedies {
		fit = append(fit, fmt.Sprintf("%s (%s)", r.Text, files.Bytes(r.Peak)))
	}
	if len(fit) == 0 {
		return text + ": close other programs, or choose a smaller model"
	}
	return text + ": close other programs, or choose " + strings.Join(fit, ", or ")
}

// Line is the plan in a few words: "about 6.2 GB of 16.0 GB: fits".
func (p Plan) Line() string {
	if p.Verdict == Unknown {
		return fmt.Sprintf("about %s, and how much the card has is not known", files.Bytes(p.Peak))
	}
	return fmt.Sprintf("about %s of %s: %s", files.Bytes(p.Peak), files.Bytes(p.Available), p.Verdict)
}

// Request is what of a request decides its memory.
type Request struct {
	Width, Height int
	References    []int // pictures of every subject
	Chunks        int   // of the prompt, 77 tokens each; 0: one
	UncondChunks  int   // of the negative prompt
	Uncond        bool  // there is an unconditional pass
	UncondVision  bool  // which sees the black picture
	Init          bool  // it begins with a picture
	LoRAs         int64 // bytes that its LoRAs change weights with: lora.Bytes

	Compiled map[graph.Name]session.Opened // of the image encoders and the U-Net, where they are compiled for the processor
}

// Model is what of a model decides its memory.
type Model struct {
	Manifest bundle.Manifest
	Graphs   map[graph.Name][]session.Weight // of the graphs that the loop runs
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
	encoderFactor      = 3.1 // times a map of the first level, likewise
	loraFactor         = 1.4 // times what they change weights with: reading them leaves that much, the passes hold 1.2
)

// largeModel is the size of a U-Net in float32 from which graphs are opened when they are needed and closed after.
const largeModel = 2 << 30

// Large tells whether the graphs of the model are opened when they are needed and closed after.
func (m Model) Large() bool { return float32Bytes(m.Graphs[graph.UNet]) > largeModel }

func float32Bytes(weights []session.Weight) (n int64) {
	for _, w := range weights {
		n += w.Float32()
	}
	return n
}

// Plan computes a plan. available is what the process may hold in all, with what it holds already.
func (m Model) Plan(w Request, available int64) Plan {
	p := m.plan(w, available)
	if p.Verdict == TooLarge {
		p.Remedies = m.remedies(w, func(w Request) Plan { return m.plan(w, available) })
	}
	return p
}

// Lack is the error of a run that ended with err for lack of memory.
func (m Model) Lack(err error, w Request, available int64) error {
	p := m.Plan(w, available)
	for p.Verdict != TooLarge { // the system gave less than it had promised
		p = m.Plan(w, p.Peak/4*3)
	}
	return &Error{p, err}
}

func (m Model) plan(w Request, available int64) Plan {
	h, wide := w.Height/m.Manifest.Latent.Factor, w.Width/m.Manifest.Latent.Factor
	textKV, visionKV := m.keysAndValues(w)

	text := m.use("text", available, graph.Text, graph.TextKV)
	text.Activations += textFactor * 4 * prompt.Length * widest(m.Graphs[graph.Text])
	text.KV = textKV
	vision := m.use("vision", available, graph.Vision, graph.VisionKV)
	views := int64(5 * (m.Manifest.Vision.View / 14) * (m.Manifest.Vision.View / 14)) // positions, at the usual patch
	vision.Activations += visionFactor * 4 * views * widest(m.Graphs[graph.Vision])
	vision.KV = textKV + visionKV
	if o, ok := w.Compiled[graph.Vision]; ok {
		kv := m.use(vision.Stage, available, graph.VisionKV)
		vision.Files, vision.Weights, vision.Activations = kv.Files, kv.Weights+o.Stays, max(vision.Activations, o.Peak-o.Stays)
	}
	unet := m.use("denoise", available, graph.UNet)
	nets := m.Manifest.Networks
	passes := unetFactor * 4 * largest(nets.UNet.Widths(), h, wide)
	// Opening it takes its weights of half precision to float32 before it reorders them.
	unet.Activations = max(unet.Activations+passes, m.opening(available))
	if o, ok := w.Compiled[graph.UNet]; ok {
		unet.Files, unet.Weights, unet.Activations = 0, o.Stays, max(passes, o.Peak-o.Stays)
	}
	unet.KV = textKV + visionKV
	unet.Activations += m.attention(w, h, wide)
	decoder := m.use("decode", available, graph.Decoder)
	if _, ok := m.Graphs[graph.TiledDecoder]; ok && network.Tiled(h, wide) {
		decoder.Activations = int64(tiledDecoderFactor * 4 * float64(nets.VAE.BlockOutChannels[0]) * float64(w.Width) * float64(w.Height))
	} else {
		decoder.Activations = int64(wholeDecoderFactor * 4 * float64(largest(nets.VAE.Widths(), w.Height, w.Width)))
	}
	decoder.KV = textKV + visionKV

	encoder := Use{Stage: "encode"}
	if w.Init {
		encoder = m.use(encoder.Stage, available, graph.Encoder)
		encoder.Activations += int64(encoderFactor * 4 * float64(nets.VAE.BlockOutChannels[0]) * float64(w.Width) * float64(w.Height))
	}

	p := Plan{Stages: []Use{encoder, text, vision, unet, decoder}, Files: unet.Files, Available: available, Verdict: Fits}
	p.CloseUNet = m.Large() && decoder.Held()+processMemory+loras(w)+unet.Weights+passes > available/10*9
	for i := range p.Stages {
		u := &p.Stages[i]
		u.Base, u.LoRAs = processMemory, loras(w)
		for _, other := range []Use{encoder, text, vision, unet, decoder} {
			// A small model's graphs stay open. Of a large one the U-Net is there when the picture is decoded, with its values.
			if other.Stage == u.Stage || m.Large() && (u.Stage != "decode" || other.Stage != "denoise" || p.CloseUNet) {
				continue
			}
			u.Weights += other.Weights
			if other.Stage == "denoise" && u.Stage == "decode" {
				u.Weights += passes // which its session keeps for the next picture
			}
		}
	}
	p.Stages = slices.DeleteFunc(p.Stages, func(u Use) bool {
		return u.Stage == encoder.Stage && !w.Init || u.Stage == vision.Stage && len(w.References) == 0
	})
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

// loras is what the LoRAs of a request hold.
func loras(w Request) int64 { return int64(loraFactor * float64(w.LoRAs)) }

// use is what a stage holds of its graphs' weights, as sessions choose it.
func (m Model) use(stage string, available int64, graphs ...graph.Name) Use {
	u := Use{Stage: stage}
	for _, name := range graphs {
		weights := m.Graphs[name]
		if session.ChooseWeights(float32Bytes(weights), available, name.Once()) == session.Packed {
			u.Weights += float32Bytes(weights)
			continue
		}
		for _, w := range weights {
			u.Files += w.Bytes
			switch {
			case w.Conv:
				u.Weights += w.Float32()
			case w.Half():
				u.Activations = max(u.Activations, w.Float32()) // one at a time is converted where it is used
			}
		}
	}
	return u
}

// opening is what the U-Net's session holds beside its weights while it is made: for packing a third of them, else those of the
// convolutions once more, where they are converted.
func (m Model) opening(available int64) (n int64) {
	weights := m.Graphs[graph.UNet]
	if all := float32Bytes(weights); session.ChooseWeights(all, available, false) == session.Packed {
		return all / 10 * 3
	}
	for _, w := range weights {
		if w.Half() && w.Conv {
			n += w.Float32()
		}
	}
	return n
}

// keysAndValues are those of the prompts and of the pictures, which stay from the encoders to the last step.
func (m Model) keysAndValues(w Request) (text, vision int64) {
	rows := func(weights []session.Weight) (n int64) {
		for _, w := range weights {
			n += int64(w.Shape[0])
		}
		return n
	}
	chunks := max(w.Chunks, 1)
	if w.Uncond {
		chunks += max(w.UncondChunks, 1)
	}
	text = int64(4*prompt.Length*chunks) * rows(m.Graphs[graph.TextKV])
	if len(w.References) == 0 {
		return text, 0
	}
	pictures := slices.Max(w.References) // subjects with fewer are filled up
	if w.UncondVision {
		pictures++
	}
	return text, 4 * int64(len(w.References)*pictures*m.Manifest.Vision.Tokens) * rows(m.Graphs[graph.VisionKV])
}

// attention is what the maps of the text's attention take beyond those of one chunk, which unetFactor has: at the level where they are the
// largest, logits and probabilities [heads, h·w, 77] for every chunk.
func (m Model) attention(w Request, h, wide int) (n int64) {
	more := max(w.Chunks, 1)
	if w.Uncond {
		more = max(more, w.UncondChunks)
	}
	if more <= 1 {
		return 0
	}
	unet := m.Manifest.Networks.UNet
	for level, heads := range unet.AttentionHeads() {
		n = max(n, int64(heads)*int64(h>>level)*int64(wide>>level))
	}
	return n * 2 * 4 * prompt.Length * int64(more-1)
}

// vocabulary is a number of rows that only the table of a text encoder's tokens reaches.
const vocabulary = 30000

// widest is the most channels that a linear layer has.
func widest(weights []session.Weight) (n int64) {
	for _, w := range weights {
		if len(w.Shape) == 2 && w.Shape[0] < vocabulary {
			n = max(n, int64(w.Shape[0]))
		}
	}
	return n
}

// largest is the most values that go into a layer and come out of it together: widths are channels of every level, for maps of
// h × w at the first.
func largest(widths []int, h, w int) (n int64) {
	for level, channels := range widths {
		n = max(n, int64(channels)*int64(h>>level)*int64(w>>level))
	}
	return n
}

// remedies are the requests nearest to this one that fit by their plan: smaller, with fewer pictures, or both.
func (m Model) remedies(w Request, plan func(Request) Plan) (fit []Remedy) {
	fits := func(w Request) bool {
		p := plan(w)
		return p.Peak <= p.Available
	}
	smaller := func(w Request) (Request, bool) {
		step := m.Manifest.Size.Multiple
		for scale := 0.95; scale > 0.05; scale -= 0.05 {
			small := w
			small.Width = int(float64(w.Width)*scale) / step * step
			small.Height = int(float64(w.Height)*scale) / step * step
			if min(small.Width, small.Height) < max(m.Manifest.Size.Min, step) {
				break
			}
			if fits(small) {
				return small, true
			}
		}
		return w, false
	}
	fewer := func(w Request, n int) Request {
		w.References = slices.Clone(w.References)
		for i := range w.References {
			w.References[i] = min(w.References[i], n)
		}
		return w
	}
	add := func(w Request, references int, text string) {
		fit = append(fit, Remedy{Text: text, Width: w.Width, Height: w.Height, References: references, Peak: plan(w).Peak})
	}
	size := func(w Request) string { return fmt.Sprintf("%d × %d pixels", w.Width, w.Height) }
	if small, ok := smaller(w); ok {
		add(small, 0, size(small))
	}
	if len(w.References) == 0 || slices.Max(w.References) < 2 {
		return fit
	}
	for n := slices.Max(w.References) - 1; n >= 1; n-- {
		if few := fewer(w, n); fits(few) {
			add(few, n, fmt.Sprintf("%s per subject", plural(n, "picture")))
			return fit
		}
	}
	if few, ok := smaller(fewer(w, 1)); ok && len(fit) == 0 {
		add(few, 1, size(few)+" with 1 picture per subject")
	}
	return fit
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
