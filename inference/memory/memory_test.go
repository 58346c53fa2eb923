package memory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/network"
	"realword/inference/session"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// sdxl are the sizes of the release in half precision.
func sdxl(t *testing.T) Model {
	t.Helper()
	f := synthetic.Full
	half := func(tensors []synthetic.Tensor, keep func(name string) bool) (out []session.Weight) {
		for _, x := range tensors {
			if keep(x.Name) {
				out = append(out, session.Weight{Name: x.Name, Shape: x.Shape, Bytes: int64(2 * tensor.Count(x.Shape)), DType: tensor.F16, Conv: len(x.Shape) == 4})
			}
		}
		return out
	}
	all := func(string) bool { return true }
	part := func(s string) func(string) bool { return func(name string) bool { return strings.Contains(name, s) } }
	m := bundle.Manifest{
		Latent: bundle.Latent{Channels: 4, Factor: 8}, Size: bundle.Size{Width: 1024, Height: 1024, Min: 64, Max: 2048, Multiple: 32},
		Vision:  bundle.Vision{Reference: 768, View: 384, Tokens: 729, Width: 2048},
		Presets: map[string]bundle.Preset{"paper": {CFG: 7.5}, "release": {CFG: 3.5, UncondVision: true}},
	}
	m.Networks.UNet = network.UNetConfig{
		InChannels: 4, OutChannels: 4, BlockOutChannels: []int{320, 640, 1280}, LayersPerBlock: network.PerLevel{2},
		DownBlockTypes: []string{"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"},
	}
	m.Networks.VAE = network.VAEConfig{BlockOutChannels: []int{128, 256, 512, 512}}
	decoder := half(f.Autoencoder(), func(name string) bool { return strings.HasPrefix(name, "decoder.") })
	encoder := half(f.Autoencoder(), func(name string) bool { return strings.HasPrefix(name, "encoder.") })
	return Model{m, map[graph.Name][]session.Weight{
		"text": half(append(f.TextModel(0), f.TextModel(1)...), all), "vision": half(append(f.SigLIPImage(), f.DINOv2()...), all),
		"text_kv":   half(f.UNet(), func(n string) bool { return strings.Contains(n, "attn2.to_k.") || strings.Contains(n, "attn2.to_v.") }),
		"vision_kv": half(f.VisualKV(), part("_vision.")),
		"unet":      half(f.UNet(), func(n string) bool { return !strings.Contains(n, "attn2.to_k.") && !strings.Contains(n, "attn2.to_v.") }),
		"decoder":   decoder, graph.TiledDecoder: decoder, graph.Encoder: encoder, graph.TiledEncoder: encoder,
	}}
}

// TestWidths: what a name-by-name search of the weights found at every level of SDXL.
func TestWidths(t *testing.T) {
	nets := sdxl(t).Manifest.Networks
	if u, v := nets.UNet.Widths(), nets.VAE.Widths(); !slices.Equal(u, []int{1280, 5760, 11520}) || !slices.Equal(v, []int{512, 1024, 1024, 1024}) {
		t.Errorf("U-Net %v, decoder %v", u, v)
	}
}

const (
	gb     = 1e9
	rank32 = 340_000_000 // float32 of what a LoRA of 170 MB, as files for SDXL are, changes the U-Net's linear layers with
)

// TestMemoryOfSDXL compares the plan with what full-size synthetic models took: RssAnon of whole processes, in bytes.
func TestMemoryOfSDXL(t *testing.T) {
	s := sdxl(t)
	one := Request{Width: 512, Height: 512, References: []int{1}, Uncond: true}
	p := s.Plan(one, 20*gb)
	near := func(what string, got int64, measured float64) {
		t.Helper()
		if r := float64(got) / measured; r < 0.8 || r > 1.2 {
			t.Errorf("%s: planned %s, measured %s", what, files.Bytes(got), files.Bytes(int64(measured)))
		}
	}
	by := map[string]Use{}
	for _, u := range p.Stages {
		by[u.Stage] = u
	}
	near("keys and values", by["denoise"].KV, 4*166400*(729+2*77))
	// One run of `realword generate` at 512 × 512, one step, straight mapping.
	t.Logf("%+v", p.Stages)
	near("text", by["text"].Held(), 0.412e9)
	near("vision", by["vision"].Held(), 0.704e9)
	near("denoise", by["denoise"].Held(), 3.446e9)
	near("decode", by["decode"].Held(), 3.229e9)
	near("weights of the U-Net", by["denoise"].Weights, 1.333e9)
	whole := s
	whole.Graphs = map[graph.Name][]session.Weight{"decoder": s.Graphs["decoder"]}
	large := Request{Width: 1024, Height: 1024}
	for _, u := range whole.Plan(large, 20*gb).Stages {
		if u.Stage == "decode" {
			near("the decoder at 1024 × 1024", u.Activations, 3.226e9)
		}
	}
	for _, u := range s.Plan(large, 20*gb).Stages {
		if u.Stage == "decode" {
			near("the tiled decoder at 1024 × 1024", u.Activations, 1.752e9)
		}
	}
	large.Init = true
	stages := s.Plan(large, 20*gb).Stages
	if stages[0].Stage != "encode" || len(stages) != 4 {
		t.Errorf("with a picture to begin with: %+v", stages)
	}
	with := s.Plan(Request{Width: 512, Height: 512, LoRAs: rank32}, 20*gb)
	near("a LoRA of rank 32 when it was read", with.LoRAs(), 1.18e9-0.70e9)
	near("the encoder at 1024 × 1024", stages[0].Activations, 1.612e9) // 1.689e9 in strips
}

// TestMemoryOfCompiledSDXL: what SDXL's U-Net took of a process, anonymous, through OpenVINO at 512 x 512: while it was compiled, and after
// passes of what was kept; the figures of what it needs are those of package ort (TestOpenVINOKnowsItsMemory).
func TestMemoryOfCompiledSDXL(t *testing.T) {
	s := sdxl(t)
	all := float32Bytes(s.Graphs[graph.UNet])
	for name, c := range map[string]struct {
		opened         session.Opened
		open, measured float64
	}{
		"bf16":              {session.Opened{Peak: all + all/8, Stays: all / 4 * 3}, 9.6 * gb, 6.7 * gb},
		"bf16, of the file": {session.Opened{Peak: all / 4 * 3, Stays: all / 4 * 3}, 6.7 * gb, 6.7 * gb},
		"exact":             {session.Opened{Peak: all * 9 / 4, Stays: all / 4 * 5}, 17.3 * gb, 11.9 * gb},
	} {
		w := Request{Width: 512, Height: 512, Compiled: map[graph.Name]session.Opened{graph.UNet: c.opened}}
		p := s.Plan(w, 64*gb)
		u, decode := p.use(t, "denoise"), p.use(t, "decode")
		passes := s.Plan(Request{Width: 512, Height: 512}, 64*gb).use(t, "decode")
		for what, x := range map[string]struct {
			planned  int64
			measured float64
		}{"opening": {u.Held(), c.open}, "passes": {u.Weights + u.Base, c.measured}} {
			if r := float64(x.planned) / x.measured; r < 0.85 || r > 1.25 {
				t.Errorf("%s, %s: planned %s, measured %s", name, what, files.Bytes(x.planned), files.Bytes(int64(x.measured)))
			}
		}
		if u.Files != 0 || decode.Weights < c.opened.Stays || p.Peak < c.opened.Peak || decode.Weights == passes.Weights {
			t.Errorf("%s: %+v, %+v", name, u, decode)
		}
		if q := s.Plan(w, c.opened.Peak); q.Verdict != TooLarge || len(q.Remedies) > 0 {
			t.Errorf("%s in %s: %s", name, files.Bytes(c.opened.Peak), q.Line())
		}
	}
	eyes := session.Opened{Peak: 4 * gb, Stays: 3 * gb}
	w := Request{Width: 512, Height: 512, References: []int{1}, Compiled: map[graph.Name]session.Opened{graph.Vision: eyes}}
	if u := s.Plan(w, 64*gb).use(t, "vision"); u.Held() < eyes.Peak {
		t.Errorf("image encoders: %+v", u)
	}
}

func TestMemoryAddsUp(t *testing.T) {
	s := sdxl(t)
	one := Request{Width: 1024, Height: 1024, References: []int{1}, Uncond: true}
	p := s.Plan(one, 32*gb)
	if p.Verdict != Fits || len(p.Remedies) > 0 {
		t.Errorf("32 GB: %s, %v", p.Line(), p.Remedies)
	}
	var most int64
	for _, u := range p.Stages {
		if u.Held() != u.Weights+u.Activations+u.KV+u.LoRAs+processMemory {
			t.Errorf("%+v holds %d", u, u.Held())
		}
		most = max(most, u.Held())
	}
	if p.Peak != most {
		t.Errorf("peak %d, the largest stage %d", p.Peak, most)
	}
	kv := func(w Request) int64 { return s.Plan(w, 32*gb).Stages[1].KV }
	two, black := one, one
	two.References, black.UncondVision = []int{2, 1}, true
	token := int64(4 * 166400 * 729)
	if kv(two)-kv(one) != 3*token || kv(black)-kv(one) != token {
		t.Errorf("keys and values: %d, with two subjects of two pictures %d, with the black picture %d", kv(one), kv(two), kv(black))
	}
	changed := one
	changed.LoRAs = rank32
	for i, u := range s.Plan(changed, 32*gb).Stages {
		if u.LoRAs < rank32 || u.Held()-p.Stages[i].Held() != u.LoRAs {
			t.Errorf("%s: LoRAs of %d bytes are planned as %d, and as %d more in all", u.Stage, rank32, u.LoRAs, u.Held()-p.Stages[i].Held())
		}
	}
	none := one
	none.References = nil
	if p := s.Plan(none, 32*gb); len(p.Stages) != 3 || p.Stages[1].KV >= token {
		t.Errorf("without subjects: %+v", p.Stages)
	}
	verdicts := map[Verdict]int64{}
	for available := int64(gb); available < 32*gb; available += gb / 10 {
		if v := s.Plan(one, available).Verdict; verdicts[v] == 0 {
			verdicts[v] = available
		}
	}
	if verdicts[TooLarge] >= verdicts[Tight] || verdicts[Tight] >= verdicts[Fits] {
		t.Errorf("the verdicts begin at %v", verdicts)
	}
	if p := s.Plan(one, verdicts[Tight]); !p.CloseUNet {
		t.Error("where it is tight, the U-Net must be closed before the picture is decoded")
	}
}

func TestRemediesFit(t *testing.T) {
	s := sdxl(t)
	w := Request{Width: 2048, Height: 1024, References: []int{6}, Uncond: true}
	for available := int64(3 * gb); available < 12*gb; available += gb / 2 {
		p := s.Plan(w, available)
		if p.Verdict != TooLarge {
			if len(p.Remedies) > 0 {
				t.Errorf("%s: remedies without need", p.Line())
			}
			continue
		}
		for _, r := range p.Remedies {
			small := w
			small.Width, small.Height = r.Width, r.Height
			if r.References > 0 {
				small.References = []int{r.References}
			}
			q := s.Plan(small, available)
			if q.Verdict == TooLarge || q.Peak != r.Peak || r.Peak >= p.Peak {
				t.Errorf("%s: %s does not help: %s", p.Line(), r.Text, q.Line())
			}
			if r.Width%32 != 0 || r.Height%32 != 0 {
				t.Errorf("%d × %d is no size", r.Width, r.Height)
			}
		}
		text := (&Error{Plan: p}).Error()
		if !strings.Contains(text, files.Bytes(p.Peak)) || len(p.Remedies) > 0 && !strings.Contains(text, p.Remedies[0].Text) {
			t.Errorf("the sentence: %s", text)
		}
	}
	p := s.Plan(w, 6*gb)
	if p.Verdict != TooLarge || len(p.Remedies) < 1 {
		t.Errorf("6 GB: %s, %v", p.Line(), p.Remedies)
	}
}

func TestLackOfMemoryIsASentence(t *testing.T) {
	err := fmt.Errorf("run the decoder graph: %w: bad allocation", session.ErrMemory)
	w := Request{Width: 2048, Height: 2048}
	for _, available := range []int64{6 * gb, 32 * gb} {
		var short *Error
		got := error(nil)
		if got = sdxl(t).Lack(err, w, available); !errors.As(got, &short) || !errors.Is(got, session.ErrMemory) {
			t.Fatalf("%v", got)
		}
		if len(short.Plan.Remedies) == 0 || !strings.Contains(got.Error(), "not enough memory to run the decoder graph: this picture needs about 7.") || !strings.Contains(got.Error(), short.Plan.Remedies[0].Text) {
			t.Errorf("%v", got)
		}
	}
}
