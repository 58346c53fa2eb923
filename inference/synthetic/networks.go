package synthetic

import (
	"fmt"
	"slices"
	"strings"

	"realword/inference/tensor"
)

// Sizes decide the networks of a checkpoint. Head sizes follow the release: 64 in SDXL's U-Net, the text encoders, DINOv2 and the
// projector, sixteen heads in SigLIP.
type Sizes struct {
	Channels   []int        // of the U-Net's levels
	Depth      []int        // transformer blocks per wrapper of every level; the middle block has the depth of the last
	Plain      int          // the level without attention: the first of SDXL, the last of Stable Diffusion 1.5
	Heads      int          // of the U-Net; 0 stands for heads of 64 channels
	TimeDim    int          // sinusoid of each of the six time ids
	Text       [2]TextSizes // the second has width 0 in Stable Diffusion 1.5
	Vocabulary int
	SigLIP     ViTSizes
	DINO       ViTSizes
	Tower      TextSizes // SigLIP's own text tower, which nobody needs
	TowerWords int
	VAE        []int // channels of the autoencoder's levels
}

// TextSizes decide a CLIP text encoder.
type TextSizes struct{ Width, Layers, MLP int }

// ViTSizes decide an image encoder. Grid is the side of its position embedding.
type ViTSizes struct{ Width, Depth, MLP, Patch, Grid int }

// Full are the sizes of the release: the U-Net, text encoders and autoencoder of SDXL, SigLIP so400m/14 at 384 pixels, and DINOv2
// ViT-L/14 with 4 registers, whose positions are stored for 518 pixels (37 × 37).
var Full = Sizes{
	Channels: []int{320, 640, 1280}, Depth: []int{1, 2, 10}, TimeDim: 256,
	Text: [2]TextSizes{{768, 12, 3072}, {1280, 32, 5120}}, Vocabulary: 49408,
	SigLIP: ViTSizes{1152, 27, 4304, 14, 27}, DINO: ViTSizes{1024, 24, 4096, 14, 37},
	Tower: TextSizes{1152, 27, 4304}, TowerWords: 32000,
	VAE: []int{128, 256, 512, 512},
}

// FullSD15 are the sizes of Stable Diffusion 1.5, the paper's other base, with the same image encoders. Visual weights for it were
// never released: their shapes follow from the paper's construction.
var FullSD15 = Sizes{
	Channels: []int{320, 640, 1280, 1280}, Depth: []int{1, 1, 1, 1}, Plain: 3, Heads: 8,
	Text: [2]TextSizes{{768, 12, 3072}}, Vocabulary: 49408, SigLIP: Full.SigLIP, DINO: Full.DINO, Tower: Full.Tower,
	TowerWords: Full.TowerWords, VAE: Full.VAE,
}

// Wide has the text encoders and the autoencoder of the release and every kind of U-Net block at full width, but one transformer
// block per wrapper and tiny image encoders: enough to compare these networks with a reference, in half the room.
var Wide = Sizes{
	Channels: Full.Channels, Depth: []int{1, 1, 1}, TimeDim: 256, Text: Full.Text, Vocabulary: Full.Vocabulary,
	SigLIP: Tiny.SigLIP, DINO: Tiny.DINO, Tower: Tiny.Tower, TowerWords: Tiny.TowerWords, VAE: Full.VAE,
}

// Eyes has the image encoders and the projector at full width, five blocks each, and little else.
var Eyes = Sizes{
	Channels: Tiny.Channels, Depth: Tiny.Depth, TimeDim: Tiny.TimeDim, Text: [2]TextSizes{{768, 2, 96}, {1280, 2, 160}},
	Vocabulary: Tiny.Vocabulary,
	SigLIP:     ViTSizes{1152, 5, 4304, 14, 27}, DINO: ViTSizes{1024, 5, 4096, 14, 37}, Tower: Tiny.Tower, TowerWords: Tiny.TowerWords,
	VAE: Tiny.VAE,
}

// Deep has all blocks of the image encoders.
var Deep = func() Sizes {
	s := Eyes
	s.SigLIP, s.DINO = Full.SigLIP, Full.DINO
	return s
}()

// Tiny has the same structure and view geometry with few blocks and narrow layers: some 10 MB.
var Tiny = Sizes{
	Channels: []int{32, 64, 64}, Depth: []int{1, 1, 2}, TimeDim: 32,
	Text: [2]TextSizes{{64, 3, 96}, {128, 3, 160}}, Vocabulary: 600,
	SigLIP: ViTSizes{64, 6, 96, 14, 27}, DINO: ViTSizes{128, 6, 160, 14, 37},
	Tower: TextSizes{64, 1, 96}, TowerWords: 50,
	VAE: []int{32, 32, 32, 64},
}

// TinySD15 is the same for Stable Diffusion 1.5. The text keeps its width, by which the family is recognised.
var TinySD15 = Sizes{
	Channels: []int{32, 64, 64, 64}, Depth: []int{1, 1, 1, 1}, Plain: 3, Heads: 8,
	Text: [2]TextSizes{{768, 2, 96}}, Vocabulary: Tiny.Vocabulary, SigLIP: Tiny.SigLIP, DINO: Tiny.DINO, Tower: Tiny.Tower,
	TowerWords: Tiny.TowerWords, VAE: Tiny.VAE,
}

func (s Sizes) cross() int     { return s.Text[0].Width + s.Text[1].Width }
func (s Sizes) features() int  { return s.SigLIP.Width + s.DINO.Width }
func (s Sizes) textTime() bool { return s.Text[1].Width > 0 } // SDXL

// encoders is the number of text encoders.
func (s Sizes) encoders() int {
	if s.textTime() {
		return 2
	}
	return 1
}

// Tensor is one tensor of a file: its name there, and the tensors of the network that it consists of.
type Tensor struct {
	Name  string
	DType tensor.DType // Invalid stands for the file's own
	Shape []int

	parts     []part // joined along the first dimension
	transpose bool   // of a single part
}

// part is a tensor under its name in the network definitions; key decides its values.
type part struct {
	key   string
	shape []int
}

// list collects the tensors of a network.
type list struct {
	network string
	tensors []Tensor
}

func (l *list) add(name string, shape ...int) {
	l.tensors = append(l.tensors, Tensor{Name: name, Shape: shape, parts: []part{{l.network + " " + name, shape}}})
}

func (l *list) norm(name string, width int) {
	l.add(name+".weight", width)
	l.add(name+".bias", width)
}

func (l *list) linear(name string, in, out int) {
	l.add(name+".weight", out, in)
	l.add(name+".bias", out)
}

func (l *list) conv(name string, in, out, kernel int) {
	l.add(name+".weight", out, in, kernel, kernel)
	l.add(name+".bias", out)
}

// UNet lists the base U-Net in the names of diffusers. That of Stable Diffusion 1.5 has no added embedding
// and convolutions around its transformers.
func (s Sizes) UNet() []Tensor {
	l := &list{network: "unet"}
	c, emb, last := s.Channels, 4*s.Channels[0], len(s.Channels)-1
	l.conv("conv_in", 4, c[0], 3)
	l.linear("time_embedding.linear_1", c[0], emb)
	l.linear("time_embedding.linear_2", emb, emb)
	if s.textTime() {
		l.linear("add_embedding.linear_1", s.Text[1].Width+6*s.TimeDim, emb)
		l.linear("add_embedding.linear_2", emb, emb)
	}
	resnet := func(name string, in, out int) {
		l.norm(name+".norm1", in)
		l.conv(name+".conv1", in, out, 3)
		l.linear(name+".time_emb_proj", emb, out)
		l.norm(name+".norm2", out)
		l.conv(name+".conv2", out, out, 3)
		if in != out {
			l.conv(name+".conv_shortcut", in, out, 1)
		}
	}
	attention := func(name string, level int) {
		if level != s.Plain {
			s.wrapper(l, name, level)
		}
	}
	skips, width := []int{c[0]}, c[0]
	for level := range c {
		block := fmt.Sprintf("down_blocks.%d.", level)
		for i := range 2 {
			resnet(fmt.Sprintf("%sresnets.%d", block, i), width, c[level])
			width = c[level]
			attention(fmt.Sprintf("%sattentions.%d", block, i), level)
			skips = append(skips, width)
		}
		if level < last {
			l.conv(block+"downsamplers.0.conv", width, width, 3)
			skips = append(skips, width)
		}
	}
	resnet("mid_block.resnets.0", width, width)
	s.wrapper(l, "mid_block.attentions.0", last)
	resnet("mid_block.resnets.1", width, width)
	for b := range c {
		level := last - b
		block := fmt.Sprintf("up_blocks.%d.", b)
		for i := range 3 {
			resnet(fmt.Sprintf("%sresnets.%d", block, i), width+skips[len(skips)-1], c[level])
			skips, width = skips[:len(skips)-1], c[level]
			attention(fmt.Sprintf("%sattentions.%d", block, i), level)
		}
		if level > 0 {
			l.conv(block+"upsamplers.0.conv", width, width, 3)
		}
	}
	l.norm("conv_norm_out", c[0])
	l.conv("conv_out", c[0], 4, 3)
	return l.tensors
}

// wrapper lists a Transformer2D with its blocks.
func (s Sizes) wrapper(l *list, name string, level int) {
	c := s.Channels[level]
	project := func(name string) {
		if s.textTime() {
			l.linear(name, c, c)
		} else {
			l.conv(name, c, c, 1)
		}
	}
	l.norm(name+".norm", c)
	project(name + ".proj_in")
	for i := range s.Depth[level] {
		block := fmt.Sprintf("%s.transformer_blocks.%d.", name, i)
		for _, n := range []string{"norm1", "norm2", "norm3"} {
			l.norm(block+n, c)
		}
		attention := func(name string, keys int) {
			l.add(name+".to_q.weight", c, c)
			l.add(name+".to_k.weight", c, keys)
			l.add(name+".to_v.weight", c, keys)
			l.linear(name+".to_out.0", c, c)
		}
		attention(block+"attn1", c)
		attention(block+"attn2", s.cross())
		l.linear(block+"ff.net.0.proj", c, 8*c)
		l.linear(block+"ff.net.2", 4*c, c)
	}
	project(name + ".proj_out")
}

// VisualKV lists the visual keys and values of every cross-attention layer: one pair beside each attn2, 70 in SDXL, without biases.
// Self-attention (attn1) never sees a picture.
func (s Sizes) VisualKV() []Tensor {
	l := &list{network: "visual"}
	for _, t := range s.UNet() {
		if name, ok := strings.CutSuffix(t.Name, ".attn2.to_q.weight"); ok {
			l.add(name+".attn2.to_k_vision.weight", t.Shape[0], s.cross())
			l.add(name+".attn2.to_v_vision.weight", t.Shape[0], s.cross())
		}
	}
	return l.tensors
}

// Projector lists the projector: the highres class, or the shallow class, which has min_attention2 and projector2 as well.
func (s Sizes) Projector(shallow bool) []Tensor {
	l := &list{network: "projector"}
	v, out := s.features(), s.cross()
	halves := []string{""}
	if shallow {
		halves = append(halves, "2")
	}
	for _, half := range halves {
		attention, mlp := "min_attention"+half+".", "projector"+half+"."
		l.norm(attention+"norm1", v)
		l.norm(attention+"norm2", v)
		for _, n := range []string{"to_q", "to_k", "to_v"} {
			l.add(attention+n+".weight", v, v)
		}
		l.linear(mlp+"0", v, 4*v)
		l.linear(mlp+"2", 4*v, out)
		l.linear(mlp+"4", out, out)
		l.norm(mlp+"5", out)
	}
	l.linear("projector_base", v, out)
	return prefixed("encoder_hidden_states_vision_projection.", l.tensors)
}

// PaperProjector lists the paper's projector (CCP, Eq. 5 to 9): all of the shallow class, with an MLP as base.
func (s Sizes) PaperProjector() []Tensor {
	l := &list{network: "projector"}
	v, out := s.features(), s.cross()
	l.linear("projector_base.0", v, 4*v)
	l.linear("projector_base.2", 4*v, out)
	l.linear("projector_base.4", out, out)
	l.norm("projector_base.5", out)
	shallow := slices.DeleteFunc(s.Projector(true), func(t Tensor) bool { return strings.Contains(t.Name, ".projector_base.") })
	return append(shallow, prefixed("encoder_hidden_states_vision_projection.", l.tensors)...)
}

// TextModel lists text encoder i in the names of transformers. The second has text_projection.
func (s Sizes) TextModel(i int) []Tensor {
	l := &list{network: fmt.Sprintf("text%d", i)}
	c := s.Text[i]
	l.add("text_model.embeddings.token_embedding.weight", s.Vocabulary, c.Width)
	l.add("text_model.embeddings.position_embedding.weight", 77, c.Width)
	for layer := range c.Layers {
		name := fmt.Sprintf("text_model.encoder.layers.%d.", layer)
		l.norm(name+"layer_norm1", c.Width)
		l.norm(name+"layer_norm2", c.Width)
		for _, p := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
			l.linear(name+"self_attn."+p, c.Width, c.Width)
		}
		l.linear(name+"mlp.fc1", c.Width, c.MLP)
		l.linear(name+"mlp.fc2", c.MLP, c.Width)
	}
	l.norm("text_model.final_layer_norm", c.Width)
	if i == 1 {
		l.add("text_projection.weight", c.Width, c.Width)
	}
	return l.tensors
}

func (v ViTSizes) blocks(l *list, layerScale bool) {
	l.conv("patch_embed.proj", 3, v.Width, v.Patch)
	l.add("pos_embed", 1, v.Grid*v.Grid, v.Width)
	for i := range v.Depth {
		name := fmt.Sprintf("blocks.%d.", i)
		l.norm(name+"norm1", v.Width)
		l.norm(name+"norm2", v.Width)
		l.linear(name+"attn.qkv", v.Width, 3*v.Width)
		l.linear(name+"attn.proj", v.Width, v.Width)
		l.linear(name+"mlp.fc1", v.Width, v.MLP)
		l.linear(name+"mlp.fc2", v.MLP, v.Width)
		if layerScale {
			l.add(name+"ls1.gamma", v.Width)
			l.add(name+"ls2.gamma", v.Width)
		}
	}
	l.norm("norm", v.Width)
}

// SigLIPImage lists the image tower in the names of timm, with its attention pool, which is in the released files
// and which RealCustom++ does not use.
func (s Sizes) SigLIPImage() []Tensor {
	l := &list{network: "siglip"}
	v := s.SigLIP
	v.blocks(l, false)
	l.add("attn_pool.latent", 1, 1, v.Width)
	l.linear("attn_pool.q", v.Width, v.Width)
	l.linear("attn_pool.kv", v.Width, 2*v.Width)
	l.linear("attn_pool.proj", v.Width, v.Width)
	l.norm("attn_pool.norm", v.Width)
	l.linear("attn_pool.mlp.fc1", v.Width, v.MLP)
	l.linear("attn_pool.mlp.fc2", v.MLP, v.Width)
	return l.tensors
}

// SigLIPText lists what the open_clip file has beside the image tower.
func (s Sizes) SigLIPText() []Tensor {
	l := &list{network: "siglip text"}
	c := s.Tower
	l.add("text.positional_embedding", 64, c.Width)
	l.add("text.token_embedding.weight", s.TowerWords, c.Width)
	for i := range c.Layers {
		name := fmt.Sprintf("text.transformer.resblocks.%d.", i)
		l.norm(name+"ln_1", c.Width)
		l.add(name+"attn.in_proj_weight", 3*c.Width, c.Width)
		l.add(name+"attn.in_proj_bias", 3*c.Width)
		l.linear(name+"attn.out_proj", c.Width, c.Width)
		l.norm(name+"ln_2", c.Width)
		l.linear(name+"mlp.c_fc", c.Width, c.MLP)
		l.linear(name+"mlp.c_proj", c.MLP, c.Width)
	}
	l.norm("text.ln_final", c.Width)
	l.linear("text.text_projection", c.Width, c.Width)
	l.add("logit_scale", 1)
	l.add("logit_bias", 1)
	return l.tensors
}

// DINOv2 lists the second image encoder in the names of timm.
func (s Sizes) DINOv2() []Tensor {
	l := &list{network: "dino"}
	l.add("cls_token", 1, 1, s.DINO.Width)
	l.add("reg_token", 1, 4, s.DINO.Width)
	s.DINO.blocks(l, true)
	return l.tensors
}

// Autoencoder lists the AutoencoderKL in the names of diffusers, with the encoder, which a generation does not need.
func (s Sizes) Autoencoder() []Tensor {
	l := &list{network: "vae"}
	c, last := s.VAE, len(s.VAE)-1
	top := c[last]
	resnet := func(name string, in, out int) {
		l.norm(name+".norm1", in)
		l.conv(name+".conv1", in, out, 3)
		l.norm(name+".norm2", out)
		l.conv(name+".conv2", out, out, 3)
		if in != out {
			l.conv(name+".conv_shortcut", in, out, 1)
		}
	}
	mid := func(half string) {
		resnet(half+".mid_block.resnets.0", top, top)
		l.norm(half+".mid_block.attentions.0.group_norm", top)
		for _, n := range []string{"to_q", "to_k", "to_v", "to_out.0"} {
			l.linear(half+".mid_block.attentions.0."+n, top, top)
		}
		resnet(half+".mid_block.resnets.1", top, top)
	}
	l.conv("encoder.conv_in", 3, c[0], 3)
	width := c[0]
	for level := range c {
		for i := range 2 {
			resnet(fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", level, i), width, c[level])
			width = c[level]
		}
		if level < last {
			l.conv(fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0.conv", level), width, width, 3)
		}
	}
	mid("encoder")
	l.norm("encoder.conv_norm_out", top)
	l.conv("encoder.conv_out", top, 8, 3)
	l.conv("quant_conv", 8, 8, 1)
	l.conv("post_quant_conv", 4, 4, 1)
	l.conv("decoder.conv_in", 4, top, 3)
	mid("decoder")
	for b := range c {
		level := last - b
		for i := range 3 {
			resnet(fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", b, i), width, c[level])
			width = c[level]
		}
		if level > 0 {
			l.conv(fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0.conv", b), width, width, 3)
		}
	}
	l.norm("decoder.conv_norm_out", c[0])
	l.conv("decoder.conv_out", c[0], 3, 3)
	return l.tensors
}

func prefixed(prefix string, tensors []Tensor) []Tensor {
	out := slices.Clone(tensors)
	for i := range out {
		out[i].Name = prefix + out[i].Name
	}
	return out
}

// Parameters is the number of values in all tensors.
func Parameters(tensors []Tensor) int {
	n := 0
	for _, t := range tensors {
		n += tensor.Count(t.Shape)
	}
	return n
}

// Resize gives a tensor another shape, for tests of damaged checkpoints.
func (t *Tensor) Resize(shape ...int) {
	t.Shape, t.parts = shape, []part{{t.parts[0].key, shape}}
}
