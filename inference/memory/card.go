package memory

import (
	"realword/inference/graph"
	"realword/inference/prompt"
	"realword/inference/session"
	"realword/inference/tensor"
)

// What a plan for a graphics card supposes. One thing was measured: SDXL's U-Net with the keys and values of three subjects took 10.5 GB
// of an H100 through CUDA, at 512² and 1024² together, and a plan made so is above that (TestMemoryOfACard). All else is estimated, and
// meant to be on the safe side. Intermediate values are counted twice: a card's memory is handed out in blocks, and convolutions
// want workspace as large as what they read.
const (
	cardMemory  = 1 << 30 // of the driver and its kernels, before any graph
	cardFactor  = 2       // times the intermediate values on the processor
	visionHeads = 16      // of both image encoders
)

// PlanOn computes a plan for the memory of a graphics card. It is an estimate, so it never says that a picture will not fit, only that it
// may not. Where the card does not tell its memory, it says what is needed.
func (m Model) PlanOn(c session.Card, w Request) Plan {
	p := m.planOn(c, w)
	if p.Verdict == Doubtful {
		p.Remedies = m.remedies(w, func(w Request) Plan { return m.planOn(c, w) })
	}
	return p
}

func (m Model) planOn(c session.Card, w Request) Plan {
	p := m.stagesOn(c, w, true)
	if m.Large() && (p.Verdict == Tight || p.Verdict == Doubtful) {
		if without := m.stagesOn(c, w, false); without.Peak < p.Peak {
			p, p.CloseUNet = without, true
		}
	}
	return p
}

// stagesOn is the plan where the U-Net stays open from picture to picture, or does not.
func (m Model) stagesOn(c session.Card, w Request, stays bool) Plan {
	h, wide := w.Height/m.Manifest.Latent.Factor, w.Width/m.Manifest.Latent.Factor
	nets := m.Manifest.Networks
	textKV, visionKV := m.keysAndValues(w)
	text := textFactor * float64(prompt.Length*widest(m.Graphs[graph.Text]))
	cells := float64(m.Manifest.Vision.View / 14 * (m.Manifest.Vision.View / 14)) // of one of five views, at the usual patch
	vision, seen := visionFactor*5*cells*float64(widest(m.Graphs[graph.Vision])), 0.
	if !c.Fused {
		seen = 2 * 5 * visionHeads * cells * cells // logits and probabilities
	}
	unet := unetFactor * float64(largest(nets.UNet.Widths(), h, wide))
	if m.halfUNet(c) {
		unet /= 2
	}
	maps := m.maps(c, w, h, wide)
	decoder, whole := wholeDecoderFactor*float64(largest(nets.VAE.Widths(), w.Height, w.Width)), 0.
	if !c.Graphs { // the heads of its one attention are too wide for a fused one
		whole = 2 * float64(h*wide) * float64(h*wide)
	}
	encoder := 0.
	if w.Init {
		encoder = encoderFactor * float64(nets.VAE.BlockOutChannels[0]) * float64(w.Height) * float64(w.Width)
	}

	p := Plan{Device: c.Name, Available: c.Memory(), Verdict: Fits}
	for _, s := range []struct {
		name   string
		runs   bool
		graphs []graph.Name // open beside those of keys and values, which are kept for the next text or picture
		values float64      // of single precision at most, as on the processor
		maps   float64      // of attention, beside them
		kv     int64
	}{
		{"encode", w.Init, []graph.Name{graph.Text, graph.Encoder}, encoder, whole, 0},
		{"text", true, []graph.Name{graph.Text}, text, 0, textKV},
		{"vision", len(w.References) > 0, []graph.Name{graph.Text, graph.Vision}, vision, seen, textKV + visionKV},
		{"denoise", true, []graph.Name{graph.UNet}, unet, maps, textKV + visionKV},
		{"decode", true, []graph.Name{graph.Decoder}, decoder, whole, textKV + visionKV},
	} {
		if !s.runs {
			continue
		}
		u := Use{Stage: s.name, Base: cardMemory, KV: s.kv, LoRAs: loras(w), Activations: valuesOn(s.values, s.maps)}
		open := append(s.graphs, graph.TextKV, graph.VisionKV)
		switch {
		case !m.Large():
			open = []graph.Name{graph.Text, graph.Vision, graph.TextKV, graph.VisionKV, graph.UNet, graph.Decoder}
		case stays && s.name != "denoise":
			open = append(open, graph.UNet)
			u.Weights += valuesOn(unet, maps) // which its session keeps for the next picture
		}
		for _, name := range open {
			u.Weights += m.onCard(c, name)
		}
		p.Stages = append(p.Stages, u)
		p.Peak = max(p.Peak, u.Held())
	}
	switch {
	case p.Available == 0:
		p.Verdict = Unknown
	case p.Peak > p.Available:
		p.Verdict = Doubtful
	case p.Peak > p.Available/10*9:
		p.Verdict = Tight
	}
	return p
}

// valuesOn are the bytes of intermediate values and of maps.
func valuesOn(values, maps float64) int64 { return int64(4 * (cardFactor*values + maps)) }

// halfUNet tells whether the U-Net's own graph for the card is there, which computes in half precision.
func (m Model) halfUNet(c session.Card) bool {
	return c.Graphs && m.Manifest.Graphs[graph.UNet.CUDA()] != ""
}

// onCard is what the weights of a graph take on a card: single precision but where the card keeps half.
func (m Model) onCard(c session.Card, name graph.Name) (n int64) {
	list := m.Graphs[name]
	all := float32Bytes(list)
	switch {
	case name == graph.UNet && m.halfUNet(c):
		return all / 2
	case !c.Halves || session.ChooseWeights(all, 0, name.Once()) == session.Packed:
		return all
	}
	var most int64 // that becomes single precision at a time
	for _, w := range list {
		if w.DType == tensor.F16 && len(w.Shape) == 2 && w.Shape[0] < vocabulary {
			n, most = n+w.Bytes, max(most, w.Float32())
		} else {
			n += w.Float32()
		}
	}
	return n + most
}

// maps are the numbers in the largest maps of attention that are written out, beyond those that unetFactor has: of the text beyond one
// chunk; of the cells of the picture, which masks may cover, over all tokens of each subject; and of these over each other.
func (m Model) maps(c session.Card, w Request, h, wide int) float64 {
	most := float64(m.attention(w, h, wide)) / 4
	columns := 0
	for _, pictures := range w.References {
		columns = max(columns, len(w.References)*pictures*m.Manifest.Vision.Tokens)
	}
	if c.Fused && len(w.References) == 1 {
		columns = 0
	}
	unet := m.Manifest.Networks.UNet
	if len(unet.NumAttentionHeads) == 0 {
		return most // nothing is known of its attention
	}
	for level, heads := range unet.AttentionHeads() {
		cells := float64(h>>level) * float64(wide>>level)
		over := float64(columns)
		if !c.Fused {
			over = max(over, cells)
		}
		most = max(most, 2*float64(heads)*cells*over) // logits and probabilities
	}
	return most
}
