package network

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// UNetConfig is the part of a diffusers UNet2DConditionModel config.json that decides the network. Entries that Realword does
// not build are kept to be refused by name.
type UNetConfig struct {
	InChannels       int      `json:"in_channels,omitempty"`
	OutChannels      int      `json:"out_channels,omitempty"`
	BlockOutChannels []int    `json:"block_out_channels,omitempty"`
	LayersPerBlock   PerLevel `json:"layers_per_block,omitempty"`
	DownBlockTypes   []string `json:"down_block_types,omitempty"`
	UpBlockTypes     []string `json:"up_block_types,omitempty"`
	MidBlockType     string   `json:"mid_block_type,omitempty"`

	TransformerLayers   PerLevel `json:"transformer_layers_per_block,omitempty"`
	CrossAttentionDim   PerLevel `json:"cross_attention_dim,omitempty"`
	AttentionHeadDim    PerLevel `json:"attention_head_dim,omitempty"` // a naming accident: the number of heads
	NumAttentionHeads   PerLevel `json:"num_attention_heads,omitempty"`
	UseLinearProjection bool     `json:"use_linear_projection,omitempty"`
	NormNumGroups       int      `json:"norm_num_groups,omitempty"`
	NormEps             float64  `json:"norm_eps,omitempty"`
	ActFn               string   `json:"act_fn,omitempty"`

	FlipSinToCos       bool    `json:"flip_sin_to_cos,omitempty"`
	FreqShift          float64 `json:"freq_shift,omitempty"`
	AdditionEmbedType  string  `json:"addition_embed_type,omitempty"`
	AdditionTimeDim    int     `json:"addition_time_embed_dim,omitempty"`
	ProjectionInputDim int     `json:"projection_class_embeddings_input_dim,omitempty"`
	TimeScaleShift     string  `json:"resnet_time_scale_shift,omitempty"`
	TimeEmbeddingDim   int     `json:"time_embedding_dim,omitempty"`
	ClassEmbedType     string  `json:"class_embed_type,omitempty"`
	EncoderHidDimType  string  `json:"encoder_hid_dim_type,omitempty"`
	DualCrossAttention bool    `json:"dual_cross_attention,omitempty"`
	OnlyCrossAttention any     `json:"only_cross_attention,omitempty"`
	SampleSize         int     `json:"sample_size,omitempty"`

	// blocks such as "mid_block" or "up_blocks.0" whose self-attention a pass can do without; no library's entry, see UNetGraph
	PerturbedBlocks []string `json:"perturbed_blocks,omitempty"`

	// How often self-attention refines masks (0: once, as in Eq. 12), and that of which blocks on the guidance grid (none: of all); no
	// library's entries, see UNetGraph
	MaskBlocks []string `json:"mask_blocks,omitempty"`
	MaskRounds int      `json:"mask_rounds,omitempty"`

	// What else would make another network of it, where it is not what it usually is.
	ConvInKernel     any `json:"conv_in_kernel,omitempty"`
	ConvOutKernel    any `json:"conv_out_kernel,omitempty"`
	CenterInput      any `json:"center_input_sample,omitempty"`
	DownPadding      any `json:"downsample_padding,omitempty"`
	MidScale         any `json:"mid_block_scale_factor,omitempty"`
	OutScale         any `json:"resnet_out_scale_factor,omitempty"`
	SkipTimeAct      any `json:"resnet_skip_time_act,omitempty"`
	TimeEmbedding    any `json:"time_embedding_type,omitempty"`
	TimeEmbeddingAct any `json:"time_embedding_act_fn,omitempty"`
	TimePostAct      any `json:"timestep_post_act,omitempty"`
	TimeCondition    any `json:"time_cond_proj_dim,omitempty"`
	ClassEmbeddings  any `json:"num_class_embeds,omitempty"`
	EncoderHidDim    any `json:"encoder_hid_dim,omitempty"`
	AttentionType    any `json:"attention_type,omitempty"`
	CrossNorm        any `json:"cross_attention_norm,omitempty"`
	MidOnlyCross     any `json:"mid_block_only_cross_attention,omitempty"`
	UpLayers         any `json:"reverse_transformer_layers_per_block,omitempty"`
}

const (
	crossDown = "CrossAttnDownBlock2D"
	crossUp   = "CrossAttnUpBlock2D"
)

// Validate refuses what Realword does not build, naming the entry of config.json, and fills in the library's defaults.
func (c *UNetConfig) Validate() error {
	if c.MidBlockType == "" {
		c.MidBlockType = "UNetMidBlock2DCrossAttn"
	}
	if c.TransformerLayers == nil {
		c.TransformerLayers = PerLevel{1}
	}
	if c.NumAttentionHeads == nil {
		c.NumAttentionHeads = c.AttentionHeadDim
	}
	if c.NormEps == 0 {
		c.NormEps = 1e-5
	}
	levels := len(c.BlockOutChannels)
	refuse := func(entry string, value any) error {
		return refused("unet", fmt.Errorf("%s %s", entry, short(value)))
	}
	switch {
	case levels == 0 || len(c.DownBlockTypes) != levels || len(c.UpBlockTypes) != levels:
		return refuse("block_out_channels, down_block_types and up_block_types", []any{c.BlockOutChannels, c.DownBlockTypes, c.UpBlockTypes})
	case !c.attends(c.PerturbedBlocks, false):
		return refuse("perturbed_blocks", c.PerturbedBlocks)
	case !c.attends(c.MaskBlocks, true):
		return refuse("mask_blocks", c.MaskBlocks)
	case c.MaskRounds < 0 || c.MaskRounds > 16:
		return refuse("mask_rounds", c.MaskRounds)
	case c.MidBlockType != "UNetMidBlock2DCrossAttn":
		return refuse("mid_block_type", c.MidBlockType)
	case c.ActFn != "silu" && c.ActFn != "swish":
		return refuse("act_fn", c.ActFn)
	case c.TimeScaleShift != "" && c.TimeScaleShift != "default":
		return refuse("resnet_time_scale_shift", c.TimeScaleShift)
	case c.AdditionEmbedType != "" && c.AdditionEmbedType != "text_time":
		return refuse("addition_embed_type", c.AdditionEmbedType)
	case c.ClassEmbedType != "":
		return refuse("class_embed_type", c.ClassEmbedType)
	case c.EncoderHidDimType != "":
		return refuse("encoder_hid_dim_type", c.EncoderHidDimType)
	case c.DualCrossAttention || !unset(c.OnlyCrossAttention):
		return refuse("dual_cross_attention/only_cross_attention", true)
	case c.TimeEmbeddingDim != 0:
		return refuse("time_embedding_dim", c.TimeEmbeddingDim)
	case len(c.CrossAttentionDim) == 0 || slices.ContainsFunc(c.CrossAttentionDim, func(d int) bool { return d != c.CrossAttentionDim[0] }):
		return refuse("cross_attention_dim", c.CrossAttentionDim)
	}
	for _, e := range []struct {
		entry string
		value any
		plain any
	}{
		{"conv_in_kernel", c.ConvInKernel, 3.0},
		{"conv_out_kernel", c.ConvOutKernel, 3.0},
		{"center_input_sample", c.CenterInput, nil},
		{"downsample_padding", c.DownPadding, 1.0},
		{"mid_block_scale_factor", c.MidScale, 1.0},
		{"resnet_out_scale_factor", c.OutScale, 1.0},
		{"resnet_skip_time_act", c.SkipTimeAct, nil},
		{"time_embedding_type", c.TimeEmbedding, "positional"},
		{"time_embedding_act_fn", c.TimeEmbeddingAct, nil},
		{"timestep_post_act", c.TimePostAct, nil},
		{"time_cond_proj_dim", c.TimeCondition, nil},
		{"num_class_embeds", c.ClassEmbeddings, nil},
		{"encoder_hid_dim", c.EncoderHidDim, nil},
		{"attention_type", c.AttentionType, "default"},
		{"cross_attention_norm", c.CrossNorm, nil},
		{"mid_block_only_cross_attention", c.MidOnlyCross, nil},
		{"reverse_transformer_layers_per_block", c.UpLayers, nil},
	} {
		if !unset(e.value, e.plain) {
			value, _ := json.Marshal(e.value)
			return refuse(e.entry, string(value))
		}
	}
	var b bounds
	b.within("levels of block_out_channels", levels, 1, maxLevels)
	b.within("in_channels", c.InChannels, 1, maxLatent)
	b.within("out_channels", c.OutChannels, 1, maxLatent)
	b.within("norm_num_groups", c.NormNumGroups, 1, maxChannels)
	b.number("norm_eps", c.NormEps, 1e-12, 1)
	b.number("freq_shift", c.FreqShift, 0, 1)
	b.within("sample_size", c.SampleSize, 0, 1<<12)
	b.within("cross_attention_dim", c.CrossAttentionDim[0], 1, maxChannels)
	if c.TextTime() {
		b.within("addition_time_embed_dim", c.AdditionTimeDim, 2, maxChannels)
		b.within("projection_class_embeddings_input_dim", c.ProjectionInputDim, 1+6*min(max(c.AdditionTimeDim, 0), maxChannels), 8*maxChannels)
	}
	for i, n := range c.BlockOutChannels {
		entry := fmt.Sprintf("block_out_channels[%d]", i)
		b.within(entry, n, 1, maxChannels)
		b.divides(entry, n, c.NormNumGroups)
	}
	if err := b.err("unet"); err != nil {
		return err
	}
	for name, p := range map[string]PerLevel{
		"layers_per_block": c.LayersPerBlock, "transformer_layers_per_block": c.TransformerLayers,
		"num_attention_heads": c.NumAttentionHeads,
	} {
		if !p.fits(levels) || slices.ContainsFunc(p, func(n int) bool { return n <= 0 }) {
			return refuse(name, []int(p))
		}
		most := map[string]int{"layers_per_block": maxLayers, "transformer_layers_per_block": maxBlocks, "num_attention_heads": maxChannels}[name]
		for _, n := range p {
			b.within(name, n, 1, most)
		}
	}
	if err := b.err("unet"); err != nil {
		return err
	}
	for level, n := range c.BlockOutChannels {
		if c.DownBlockTypes[level] == crossDown || level == levels-1 {
			b.divides(fmt.Sprintf("block_out_channels[%d]", level), n, c.NumAttentionHeads.At(level))
		}
	}
	if err := b.err("unet"); err != nil {
		return err
	}
	if c.SampleSize == 0 {
		c.SampleSize = 64
		if c.TextTime() {
			c.SampleSize = 128
		}
	}
	for i, down := range c.DownBlockTypes {
		if down != crossDown && down != "DownBlock2D" {
			return refuse("down_block_types", down)
		}
		if up := c.UpBlockTypes[levels-1-i]; up != crossUp && up != "UpBlock2D" || (up == crossUp) != (down == crossDown) {
			return refuse("up_block_types", c.UpBlockTypes)
		}
	}
	return nil
}

// TextTime tells whether the U-Net wants pooled text and time ids (SDXL).
func (c *UNetConfig) TextTime() bool { return c.AdditionEmbedType == "text_time" }

// PooledWidth is the width of the pooled text where TextTime.
func (c *UNetConfig) PooledWidth() int { return c.ProjectionInputDim - 6*c.AdditionTimeDim }

// GridLevel is the level whose attention has the highest resolution; its grid is the guidance grid. The middle block counts
// as the last level.
func (c *UNetConfig) GridLevel() int {
	for level, t := range c.DownBlockTypes {
		if t == crossDown {
			return level
		}
	}
	return len(c.DownBlockTypes) - 1
}

// Grid is the number of latent cells per guidance-grid cell along one side.
func (c *UNetConfig) Grid() int { return 1 << c.GridLevel() }

// perturbs tells whether a layer, by the path of its cross-attention, is in a perturbed block.
func (c *UNetConfig) perturbs(path string) bool { return within(path, c.PerturbedBlocks...) }

// walks tells whether a layer on the guidance grid, by the path of its cross-attention, is one whose self-attention is applied in rounds.
func (c *UNetConfig) walks(path string) bool {
	return len(c.MaskBlocks) == 0 || within(path, c.MaskBlocks...)
}

// attends tells whether there is attention in every one of some blocks, on the guidance grid if that is asked for.
func (c *UNetConfig) attends(blocks []string, onGrid bool) bool {
	for _, block := range blocks {
		if !slices.ContainsFunc(c.crossLayers(), func(l crossLayer) bool {
			return (!onGrid || l.level == c.GridLevel()) && within(l.path, block)
		}) {
			return false
		}
	}
	return true
}

func within(path string, blocks ...string) bool {
	return slices.ContainsFunc(blocks, func(block string) bool { return block != "" && strings.HasPrefix(path+".", block+".") })
}

// Multiple is the number that both sides of the latent must be multiples of.
func (c *UNetConfig) Multiple() int { return 1 << (len(c.BlockOutChannels) - 1) }

// AttentionGrids lists the resolutions at which the U-Net attends, finest first, as latent cells per attention cell along one
// side: SDXL 2, 4. The first is the guidance grid.
func (c *UNetConfig) AttentionGrids() []int {
	var grids []int
	for level, t := range c.DownBlockTypes {
		if t == crossDown || level == len(c.DownBlockTypes)-1 { // the middle block always attends
			grids = append(grids, 1<<level)
		}
	}
	return grids
}

// Widths are the most channels that go into a layer and come out of it together, level by level from the latent's own resolution
// down: times the cells of a level, what a pass computes at once there.
func (c *UNetConfig) Widths() []int {
	widths := make([]int, len(c.BlockOutChannels))
	layer := func(level, in, out int) { widths[level] = max(widths[level], in+out) }
	block := func(level, in int) int { // a residual block and its transformer, whose feed-forward layer is the widest
		out := c.BlockOutChannels[level]
		layer(level, max(in, out), out)
		if c.DownBlockTypes[level] == crossDown {
			layer(level, out, 8*out)
		}
		return out
	}
	var skips []int
	x := 0
	for level, channels := range c.BlockOutChannels {
		if level == 0 {
			layer(0, c.InChannels, channels)
			x, skips = channels, []int{channels}
		}
		for range c.LayersPerBlock.At(level) {
			x = block(level, x)
			skips = append(skips, x)
		}
		if level < len(widths)-1 {
			skips = append(skips, x)
		}
	}
	for level := len(widths) - 1; level >= 0; level-- {
		if level == len(widths)-1 {
			layer(level, x, 8*x) // the middle
		}
		for range c.LayersPerBlock.At(level) + 1 {
			x = block(level, x+skips[len(skips)-1])
			skips = skips[:len(skips)-1]
		}
		if level > 0 {
			layer(level-1, x, x) // upsampled
		}
	}
	return widths
}

// CrossAttentionLayers is the number of cross-attention layers, and so of the keys and values that a pass takes.
func (c *UNetConfig) CrossAttentionLayers() int { return len(c.crossLayers()) }

// AttentionHeads is the number of heads of every level that attends.
func (c *UNetConfig) AttentionHeads() map[int]int {
	heads := map[int]int{}
	for _, l := range c.crossLayers() {
		heads[l.level] = l.heads
	}
	return heads
}

// unet is one pass under construction. Levels count down from 0, the latent's own resolution; spatial keeps each level's
// running height and width as integers [2].
type unet struct {
	UNetConfig
	scope   nn.Scope
	attend  attention
	emb     *nn.Value // SiLU(time embedding) [1 E]
	spatial map[int]*nn.Value
}

// attention is what a pass does between the projections of its attention layers: the rest of the U-Net is the same for all.
// Layers come in the order of execution. Every value is [1 hw C].
type attention interface {
	self(q, k, v *nn.Value, level, heads int) *nn.Value
	cross(s nn.Scope, q *nn.Value, level, heads int) *nn.Value
}

// crossLayer is one of the U-Net's cross-attention layers.
type crossLayer struct {
	path                   string
	level, channels, heads int
}

// crossLayers lists the cross-attention layers in the order of execution (SDXL has 70: 10 on the level of half the latent size, 60
// on that of a quarter).
func (c *UNetConfig) crossLayers() []crossLayer {
	var out []crossLayer
	add := func(path string, level int) {
		for i := range c.TransformerLayers.At(level) {
			out = append(out, crossLayer{
				fmt.Sprintf("%s.transformer_blocks.%d.attn2", path, i), level, c.BlockOutChannels[level],
				c.NumAttentionHeads.At(level),
			})
		}
	}
	last := len(c.DownBlockTypes) - 1
	for level, t := range c.DownBlockTypes {
		for layer := range c.LayersPerBlock.At(level) {
			if t == crossDown {
				add(fmt.Sprintf("down_blocks.%d.attentions.%d", level, layer), level)
			}
		}
	}
	add("mid_block.attentions.0", last)
	for i := range c.UpBlockTypes {
		for layer := range c.LayersPerBlock.At(last-i) + 1 {
			if c.UpBlockTypes[i] == crossUp {
				add(fmt.Sprintf("up_blocks.%d.attentions.%d", i, layer), last-i)
			}
		}
	}
	return out
}

// textTokens names the axis of the tokens of a text, which are the 77 of every chunk.
const textTokens = "text_tokens"

// TextKVGraph builds text_kv.onnx: the text's keys and values of every cross-attention layer, which no step changes.
// encoder_hidden_states [1 n C] -> text_k_<i>, text_v_<i> [1 n C_i]; n is 77 for every chunk of the text.
func TextKVGraph(c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.TextKV, store, func(s nn.Scope) {
		text := s.B.Input("encoder_hidden_states", tensor.F32, []int{1, -1, c.CrossAttentionDim[0]}, "", textTokens)
		for i, l := range c.crossLayers() {
			s.B.Output(fmt.Sprintf("text_k_%d", i), nn.Linear(s.In(l.path, "to_k"), text, l.channels, nn.NoBias), "", textTokens)
			s.B.Output(fmt.Sprintf("text_v_%d", i), nn.Linear(s.In(l.path, "to_v"), text, l.channels, nn.NoBias), "", textTokens)
		}
	})
}

// VisionKVGraph builds vision_kv.onnx: the visual keys and values (W_Ki, W_Vi of Eq. 4) of every cross-attention layer, likewise.
// vision_tokens [R n C] -> vision_k_<i> [R heads d n], vision_v_<i> [R heads n d].
func VisionKVGraph(c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.VisionKV, store, func(s nn.Scope) {
		tokens := s.B.Input("vision_tokens", tensor.F32, []int{-1, -1, c.CrossAttentionDim[0]}, "subjects", "tokens")
		for i, l := range c.crossLayers() {
			k := nn.SplitHeads(nn.Linear(s.In(l.path, "to_k_vision"), tokens, l.channels, nn.NoBias), l.heads)
			v := nn.SplitHeads(nn.Linear(s.In(l.path, "to_v_vision"), tokens, l.channels, nn.NoBias), l.heads)
			s.B.Output(fmt.Sprintf("vision_k_%d", i), nn.Transpose(k, 0, 1, 3, 2), "subjects", "", "", "tokens")
			s.B.Output(fmt.Sprintf("vision_v_%d", i), v, "subjects", "", "tokens")
		}
	})
}

// newUNet declares the inputs that every pass has and computes the time embedding, without its last SiLU; sample is an image.
func newUNet(c UNetConfig, s nn.Scope) (u *unet, sample, temb *nn.Value) {
	b := s.B
	u = &unet{UNetConfig: c, scope: s, spatial: map[int]*nn.Value{}}
	sample = nn.Image(b.Input("sample", tensor.F32, []int{1, c.InChannels, -1, -1}, "", "", "height", "width"))
	t := b.Input("timestep", tensor.F32, []int{1})

	width := c.BlockOutChannels[0] * 4
	embed := func(s nn.Scope, x *nn.Value) *nn.Value {
		h := nn.SiLU(nn.Linear(s.In("linear_1"), x, width))
		return nn.Linear(s.In("linear_2"), h, width)
	}
	temb = embed(s.In("time_embedding"), u.sinusoid(t, c.BlockOutChannels[0]))
	if c.TextTime() {
		pooled := b.Input("text_embeds", tensor.F32, []int{1, c.PooledWidth()})
		ids := b.Input("time_ids", tensor.F32, []int{1, 6})
		sizes := nn.Fold(u.sinusoid(nn.Fold(ids, 6), c.AdditionTimeDim), 1, 6*c.AdditionTimeDim)
		temb = nn.Add(temb, embed(s.In("add_embedding"), nn.Concat(-1, pooled, sizes)))
	}
	return u, sample, temb
}

// sinusoid embeds numbers t [N] as [N dim] (diffusers get_timestep_embedding).
func (u *unet) sinusoid(t *nn.Value, dim int) *nn.Value {
	half := dim / 2
	freqs := make([]float32, half)
	for i := range freqs {
		freqs[i] = float32(math.Exp(-math.Log(10000) * float64(i) / (float64(half) - u.FreqShift)))
	}
	angles := nn.Mul(nn.Fold(t, -1, 1), u.scope.B.Const(tensor.Of(freqs, 1, half)))
	if u.FlipSinToCos {
		return nn.Concat(-1, nn.Cos(angles), nn.Sin(angles))
	}
	return nn.Concat(-1, nn.Sin(angles), nn.Cos(angles))
}

// run is the U-Net of diffusers: conv_in, down blocks, middle, up blocks, conv_out; image x -> noise [1 C h w].
func (u *unet) run(x, temb *nn.Value) *nn.Value {
	s, levels := u.scope, len(u.BlockOutChannels)
	u.emb = nn.Activation(nn.SiLU(temb))
	x = nn.Conv2D(s.In("conv_in"), x, nn.Conv{Out: u.BlockOutChannels[0], Kernel: 3, Pad: 1})
	skips := []*nn.Value{x}

	for level, channels := range u.BlockOutChannels {
		block := s.In("down_blocks", level)
		for layer := range u.LayersPerBlock.At(level) {
			x = u.resnet(block.In("resnets", layer), x, channels)
			if u.DownBlockTypes[level] == crossDown {
				x = u.transformer(block.In("attentions", layer), x, level)
			}
			skips = append(skips, x)
		}
		if level < levels-1 {
			x = nn.Conv2D(block.In("downsamplers", 0, "conv"), x, nn.Conv{Out: channels, Kernel: 3, Stride: 2, Pad: 1})
			skips = append(skips, x)
		}
	}

	last := levels - 1
	mid, channels := s.In("mid_block"), u.BlockOutChannels[last]
	x = u.resnet(mid.In("resnets", 0), x, channels)
	x = u.transformer(mid.In("attentions", 0), x, last)
	x = u.resnet(mid.In("resnets", 1), x, channels)

	for i := range levels {
		level := last - i
		block, channels := s.In("up_blocks", i), u.BlockOutChannels[level]
		for layer := range u.LayersPerBlock.At(level) + 1 {
			x = nn.ConcatChannels(x, skips[len(skips)-1])
			skips = skips[:len(skips)-1]
			x = u.resnet(block.In("resnets", layer), x, channels)
			if u.DownBlockTypes[level] == crossDown {
				x = u.transformer(block.In("attentions", layer), x, level)
			}
		}
		if level > 0 {
			x = nn.Conv2D(block.In("upsamplers", 0, "conv"), nn.UpsampleNearest(x), nn.Conv{Out: channels, Kernel: 3, Pad: 1})
		}
	}
	x = nn.GroupNormSiLU(s.In("conv_norm_out"), x, u.NormNumGroups, u.NormEps)
	return nn.Planes(nn.Conv2D(s.In("conv_out"), x, nn.Conv{Out: u.OutChannels, Kernel: 3, Pad: 1}))
}

// resnet mirrors diffusers ResnetBlock2D.   x [1 Cin h w] -> [1 out h w]
func (u *unet) resnet(s nn.Scope, x *nn.Value, out int) *nn.Value {
	h := nn.Conv2D(s.In("conv1"), nn.GroupNormSiLU(s.In("norm1"), x, u.NormNumGroups, u.NormEps), nn.Conv{Out: out, Kernel: 3, Pad: 1})
	h = nn.AddChannels(h, nn.Linear(s.In("time_emb_proj"), u.emb, out))
	h = nn.Conv2D(s.In("conv2"), nn.GroupNormSiLU(s.In("norm2"), h, u.NormNumGroups, u.NormEps), nn.Conv{Out: out, Kernel: 3, Pad: 1})
	if nn.Channels(x) != out {
		x = nn.Conv2D(s.In("conv_shortcut"), x, nn.Conv{Out: out, Kernel: 1})
	}
	return nn.Add(x, h)
}

// transformer mirrors diffusers Transformer2DModel.   x [1 C h w] -> the same
func (u *unet) transformer(s nn.Scope, x *nn.Value, level int) *nn.Value {
	channels, heads := nn.Channels(x), u.NumAttentionHeads.At(level)
	if u.spatial[level] == nil {
		u.spatial[level] = nn.Size(x)
	}
	z := nn.Tokens(nn.GroupNorm(s.In("norm"), x, u.NormNumGroups, 1e-6)) // [1 hw C]
	// As a convolution proj_in is 1×1, which is the same product.
	z = nn.Linear(s.In("proj_in"), z, channels)
	for i := range u.TransformerLayers.At(level) {
		z = u.block(s.In("transformer_blocks", i), z, level, heads)
	}
	return nn.Add(nn.FromTokens(nn.Linear(s.In("proj_out"), z, channels), x), x)
}

// block mirrors diffusers BasicTransformerBlock.   x [1 hw C] -> the same
func (u *unet) block(s nn.Scope, x *nn.Value, level, heads int) *nn.Value {
	x = nn.Add(x, u.selfAttention(s.In("attn1"), nn.LayerNorm(s.In("norm1"), x, 1e-5), level, heads))
	x = nn.Add(x, u.crossAttention(s.In("attn2"), nn.LayerNorm(s.In("norm2"), x, 1e-5), level, heads))
	return nn.Add(x, feedForward(s.In("ff"), nn.LayerNorm(s.In("norm3"), x, 1e-5)))
}

// feedForward mirrors diffusers FeedForward with GEGLU: net.2(a · GELU(g)), [a g] = net.0.proj(x).
func feedForward(s nn.Scope, x *nn.Value) *nn.Value {
	channels := x.Dim(-1)
	return nn.Linear(s.In("net", 2), nn.GEGLU(s.In("net", 0, "proj"), x, 4*channels), channels)
}

func (u *unet) selfAttention(s nn.Scope, x *nn.Value, level, heads int) *nn.Value {
	channels := x.Dim(-1)
	q := nn.Linear(s.In("to_q"), x, channels, nn.NoBias)
	k := nn.Linear(s.In("to_k"), x, channels, nn.NoBias)
	v := nn.Linear(s.In("to_v"), x, channels, nn.NoBias)
	return nn.Linear(s.In("to_out", 0), u.attend.self(q, k, v, level, heads), channels)
}

func (u *unet) crossAttention(s nn.Scope, x *nn.Value, level, heads int) *nn.Value {
	channels := x.Dim(-1)
	q := nn.Linear(s.In("to_q"), x, channels, nn.NoBias)
	return nn.Linear(s.In("to_out", 0), u.attend.cross(s, q, level, heads), channels)
}

func sumAll(xs []*nn.Value) *nn.Value {
	sum := xs[0]
	for _, x := range xs[1:] {
		sum = nn.Add(sum, x)
	}
	return sum
}
