package memory

import (
	"slices"
	"strings"
	"testing"

	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/network"
	"realword/inference/session"
)

// onCards is SDXL with a graph of the U-Net for CUDA.
func onCards(t *testing.T) Model {
	t.Helper()
	m := sdxl(t)
	m.Manifest.Graphs = map[graph.Name]string{graph.UNet.CUDA(): "unet for CUDA"}
	u := &m.Manifest.Networks.UNet
	u.UpBlockTypes = []string{"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"}
	u.TransformerLayers, u.NumAttentionHeads = network.PerLevel{1, 2, 10}, network.PerLevel{5, 10, 20}
	return m
}

// use is a stage of a plan.
func (p Plan) use(t *testing.T, stage string) Use {
	t.Helper()
	i := slices.IndexFunc(p.Stages, func(u Use) bool { return u.Stage == stage })
	if i < 0 {
		t.Fatalf("%s is not in %+v", stage, p.Stages)
	}
	return p.Stages[i]
}

// cudaCard is one with so much memory that is used through CUDA.
func cudaCard(total int64) session.Card {
	return session.Card{Name: "CUDA", Graphs: true, Fused: true, Total: total}
}

// TestMemoryOfACard compares the plan with the most that nvidia-smi told of an H100 while app/device ran SDXL's U-Net, with small encoders
// and the keys and values of none, one and two subjects: 10.5 thousand MiB, in passes of 1024² and of 512².
func TestMemoryOfACard(t *testing.T) {
	m := onCards(t)
	m.Graphs[graph.Text], m.Graphs[graph.Vision] = nil, nil
	const measured = 10_500 << 20
	p := m.PlanOn(cudaCard(80*gb), Request{Width: 1024, Height: 1024, References: []int{1, 1, 1}})
	if u := p.use(t, "denoise"); u.Held() < measured || u.Held() > measured/5*6 {
		t.Errorf("planned %s, measured %s: %+v", files.Bytes(u.Held()), files.Bytes(measured), u)
	}
}

// TestWeightsOnCards: what lies on a card beside each other, in which precision.
func TestWeightsOnCards(t *testing.T) {
	m := onCards(t)
	one := Request{Width: 512, Height: 512, References: []int{1}, Uncond: true}
	float := func(names ...graph.Name) (n int64) {
		for _, name := range names {
			n += float32Bytes(m.Graphs[name])
		}
		return n
	}
	kept := float(graph.TextKV, graph.VisionKV)
	alone := m.stagesOn(cudaCard(0), one, false)
	for stage, want := range map[string]int64{
		"text": kept + float(graph.Text), "vision": kept + float(graph.Text, graph.Vision),
		"denoise": kept + float(graph.UNet)/2, "decode": kept + float(graph.Decoder),
	} {
		if got := alone.use(t, stage).Weights; got != want {
			t.Errorf("%s: weights of %s, wanted %s", stage, files.Bytes(got), files.Bytes(want))
		}
	}
	stays := m.stagesOn(cudaCard(0), one, true)
	for _, stage := range []string{"text", "vision", "decode"} {
		more := stays.use(t, stage).Weights - alone.use(t, stage).Weights
		if want := float(graph.UNet)/2 + alone.use(t, "denoise").Activations; more != want {
			t.Errorf("%s: the U-Net that stays takes %s, wanted %s", stage, files.Bytes(more), files.Bytes(want))
		}
	}
	without := m
	without.Manifest.Graphs = nil // imported by an earlier version
	if got := without.stagesOn(cudaCard(0), one, false).use(t, "denoise").Weights; got != kept+float(graph.UNet) {
		t.Errorf("without a graph for CUDA the U-Net takes %s", files.Bytes(got))
	}
	single := m.stagesOn(session.Card{Name: "WebGPU"}, one, false).use(t, "denoise").Weights
	halves := m.stagesOn(session.Card{Name: "WebGPU", Halves: true}, one, false).use(t, "denoise").Weights
	// Of SDXL's U-Net all but the convolutions are matrices.
	var conv int64
	for _, w := range m.Graphs[graph.UNet] {
		if w.Conv {
			conv += w.Float32()
		}
	}
	if single != kept+float(graph.UNet) || halves < (single-conv)/2+conv || halves > (single-conv)/2+conv+1<<28 {
		t.Errorf("through WebGPU %s in single precision and %s with halves, of which %s are convolutions", files.Bytes(single), files.Bytes(halves), files.Bytes(conv))
	}
	small := m
	small.Graphs = map[graph.Name][]session.Weight{graph.UNet: {{Bytes: 100}}, graph.Text: {{Bytes: 10}}, graph.Decoder: {{Bytes: 1}}}
	for _, u := range small.stagesOn(session.Card{}, one, true).Stages {
		if u.Weights != 111 {
			t.Errorf("%s of a small model, whose graphs stay open, has %d bytes of weights", u.Stage, u.Weights)
		}
	}
}

func TestPlanOnCards(t *testing.T) {
	m := onCards(t)
	one := Request{Width: 1024, Height: 1024, References: []int{1}, Uncond: true}
	p := m.PlanOn(cudaCard(80*gb), one)
	if p.Device != "CUDA" || p.Verdict != Fits || p.CloseUNet || p.Available != 80*gb {
		t.Errorf("%s, %+v", p.Line(), p)
	}
	most := int64(0)
	for _, u := range p.Stages {
		if u.Held() != u.Weights+u.Activations+u.KV+u.LoRAs+cardMemory {
			t.Errorf("%+v holds %d", u, u.Held())
		}
		most = max(most, u.Held())
	}
	if p.Peak != most {
		t.Errorf("peak %d, the largest stage %d", p.Peak, most)
	}
	if twelve := m.PlanOn(cudaCard(12*gb), one); !twelve.CloseUNet || twelve.Verdict != Tight || twelve.Peak >= p.Peak {
		t.Errorf("12 GB: %s, %+v", twelve.Line(), twelve)
	}
	card := cudaCard(80 * gb)
	card.Free = 4 * gb // others have the rest
	if p := m.PlanOn(card, one); p.Available != 4*gb || p.Verdict != Doubtful {
		t.Errorf("with 4 GB free: %s", p.Line())
	}
	if p := m.PlanOn(cudaCard(0), one); p.Verdict != Unknown || p.CloseUNet || len(p.Remedies) > 0 || strings.Contains(p.Line(), " of ") {
		t.Errorf("of a card that tells nothing: %s, %+v", p.Line(), p)
	}
	changed := one
	changed.LoRAs = rank32
	if more := m.PlanOn(cudaCard(80*gb), changed).Peak - p.Peak; more < rank32 {
		t.Errorf("LoRAs of %d bytes take %d", rank32, more)
	}
	written := cudaCard(80 * gb)
	written.Fused = false
	for _, stage := range []string{"vision", "denoise"} {
		if m.PlanOn(written, one).use(t, stage).Activations <= p.use(t, stage).Activations {
			t.Errorf("%s: maps that are written out take nothing", stage)
		}
	}
	two := one
	two.References = []int{1, 2}
	if got, was := m.PlanOn(card, two).use(t, "denoise"), p.use(t, "denoise"); got.Activations <= was.Activations || got.KV <= was.KV {
		t.Errorf("two subjects take %+v, one %+v", got, was)
	}
	begun := one
	begun.Init = true
	if p := m.PlanOn(card, begun); p.Stages[0].Stage != "encode" || len(p.Stages) != 5 {
		t.Errorf("with a picture to begin with: %+v", p.Stages)
	}
}

// TestACardRefusesNothing: whatever a card has, its plan is an estimate. What it offers in place of what may not fit does fit by it.
func TestACardRefusesNothing(t *testing.T) {
	m := onCards(t)
	offered := 0
	for _, card := range []session.Card{cudaCard(0), {Name: "WebGPU", Halves: true, Fused: true}, {Name: "WebGPU"}} {
		for card.Total = gb; card.Total < 40*gb; card.Total += 3 * gb {
			w := Request{Width: 2048, Height: 1024, References: []int{6, 1}, Uncond: true}
			p := m.PlanOn(card, w)
			if p.Verdict != Fits && p.Verdict != Tight && p.Verdict != Doubtful {
				t.Errorf("%s: %s", card.Name, p.Line())
			}
			if (p.Verdict == Doubtful) != (p.Peak > card.Total) || p.Verdict != Doubtful && len(p.Remedies) > 0 {
				t.Errorf("%s: %s, %v", card.Name, p.Line(), p.Remedies)
			}
			for _, r := range p.Remedies {
				small := w
				small.Width, small.Height = r.Width, r.Height
				if r.References > 0 {
					small.References = []int{r.References, 1}
				}
				if q := m.PlanOn(card, small); q.Verdict == Doubtful || q.Peak != r.Peak || r.Peak >= p.Peak {
					t.Errorf("%s: %s does not help: %s", p.Line(), r.Text, q.Line())
				}
				offered++
			}
		}
	}
	if offered < 10 {
		t.Errorf("%d remedies were offered", offered)
	}
}
