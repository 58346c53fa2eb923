package network

import (
	"fmt"
	"slices"

	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// VAEConfig is the part of a diffusers AutoencoderKL config.json that decides the encoder and the decoder.
type VAEConfig struct {
	LatentChannels   int      `json:"latent_channels,omitempty"`
	OutChannels      int      `json:"out_channels,omitempty"`
	BlockOutChannels []int    `json:"block_out_channels,omitempty"`
	LayersPerBlock   int      `json:"layers_per_block,omitempty"`
	NormNumGroups    int      `json:"norm_num_groups,omitempty"`
	UpBlockTypes     []string `json:"up_block_types,omitempty"`
	ActFn            string   `json:"act_fn,omitempty"`
	ScalingFactor    float64  `json:"scaling_factor,omitempty"`
	ShiftFactor      *float64 `json:"shift_factor,omitempty"`
	MidAttention     *bool    `json:"mid_block_add_attention,omitempty"`
	PostQuantConv    *bool    `json:"use_post_quant_conv,omitempty"`
	QuantConv        *bool    `json:"use_quant_conv,omitempty"`
}

// Factor is the number of pixels per latent cell along one side.
func (c *VAEConfig) Factor() int { return 1 << (len(c.BlockOutChannels) - 1) }

// Validate refuses what Realword does not build and fills in the library's defaults.
func (c *VAEConfig) Validate() error {
	if c.ScalingFactor == 0 {
		c.ScalingFactor = 0.18215
	}
	if c.NormNumGroups == 0 {
		c.NormNumGroups = 32
	}
	if c.LayersPerBlock == 0 {
		c.LayersPerBlock = 1
	}
	if c.OutChannels == 0 {
		c.OutChannels = 3
	}
	switch {
	case c.ActFn != "" && c.ActFn != "silu" && c.ActFn != "swish":
		return refused("vae", fmt.Errorf("act_fn %q is not known, only silu", short(c.ActFn)))
	case c.LatentChannels <= 0 || len(c.BlockOutChannels) == 0 || slices.Min(c.BlockOutChannels) <= 0:
		return refused("vae", fmt.Errorf("sizes do not make an autoencoder: latent_channels %d, block_out_channels %s", c.LatentChannels,
			short(c.BlockOutChannels)))
	case c.OutChannels != 3:
		return refused("vae", fmt.Errorf("out_channels %d, pictures have 3", c.OutChannels))
	case c.ShiftFactor != nil && *c.ShiftFactor != 0:
		return refused("vae", fmt.Errorf("shift_factor %v belongs to a later model family (SD-3, Flux); SD-1.5 and SDXL autoencoders have none",
			*c.ShiftFactor))
	case slices.ContainsFunc(c.UpBlockTypes, func(t string) bool { return t != "UpDecoderBlock2D" }):
		return refused("vae", fmt.Errorf("up_block_types %s, only UpDecoderBlock2D is known", short(c.UpBlockTypes)))
	}
	var b bounds
	b.within("levels of block_out_channels", len(c.BlockOutChannels), 1, maxLevels)
	b.within("latent_channels", c.LatentChannels, 1, maxLatent)
	b.within("layers_per_block", c.LayersPerBlock, 1, maxLayers)
	b.within("norm_num_groups", c.NormNumGroups, 1, maxChannels)
	b.number("scaling_factor", c.ScalingFactor, 1e-6, 1e6)
	for i, n := range c.BlockOutChannels {
		entry := fmt.Sprintf("block_out_channels[%d]", i)
		b.within(entry, n, 1, maxChannels)
		b.divides(entry, n, c.NormNumGroups)
	}
	return b.err("vae")
}

// Widths are those of either half as UNetConfig has them, level by level from the picture's own resolution down.
func (c *VAEConfig) Widths() []int {
	widths := make([]int, len(c.BlockOutChannels))
	for level, out := range c.BlockOutChannels {
		widths[level] = max(widths[level], 2*out)
		if level > 0 {
			widths[level-1] = max(widths[level-1], 2*out) // upsampled
		}
	}
	return widths
}

// DecoderGraph builds decoder.onnx: the latent as the loop has it (scaled) -> picture in -1..1, not clipped.
func DecoderGraph(c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return DecoderGraphFor(nn.CPU, c, store)
}

// DecoderGraphFor is DecoderGraph for a target. Activations of SDXL's decoder exceed what halves can hold, which would make the
// picture black: on CUDA take nn.CUDAFloat32. It runs once per picture.
func DecoderGraphFor(target nn.Target, c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.BuildFor(target, graph.Decoder, store, func(s nn.Scope) {
		y := c.decode(whole{&c}, s, plane{v: c.latent(s)})
		s.B.Output("picture", nn.Planes(y.v), "", "", "picture_height", "picture_width")
	})
}

// latent declares the input and brings it to the decoder's scale, an image of C channels.
func (c *VAEConfig) latent(s nn.Scope) *nn.Value {
	x := nn.Scale(nn.Image(s.B.Input("latent", tensor.F32, []int{1, c.LatentChannels, -1, -1}, "", "", "height", "width")), 1/c.ScalingFactor)
	if c.PostQuantConv == nil || *c.PostQuantConv {
		x = nn.Conv2D(s.In("post_quant_conv"), x, nn.Conv{Out: c.LatentChannels, Kernel: 1})
	}
	return x
}

// EncoderGraph builds encoder.onnx: a picture in -1..1 -> its latent as the loop has it (scaled), the mean of what the encoder says.
func EncoderGraph(c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.Encoder, store, func(s nn.Scope) {
		c.output(s, c.encode(whole{&c}, s, plane{v: c.picture(s)}).v)
	})
}

// picture declares the encoder's input.
func (c *VAEConfig) picture(s nn.Scope) *nn.Value {
	return nn.Image(s.B.Input("picture", tensor.F32, []int{1, c.OutChannels, -1, -1}, "", "", "picture_height", "picture_width"))
}

// output is the latent of the moments that the encoder ends with: the first half of the channels are the means, the rest says how
// far samples spread.
func (c *VAEConfig) output(s nn.Scope, moments *nn.Value) {
	if c.QuantConv == nil || *c.QuantConv {
		moments = nn.Conv2D(s.In("quant_conv"), moments, nn.Conv{Out: 2 * c.LatentChannels, Kernel: 1})
	}
	mean := nn.Slice(nn.Planes(moments), 1, 0, c.LatentChannels)
	s.B.Output("latent", nn.Scale(mean, c.ScalingFactor), "", "", "height", "width")
}

// plane is an activation map of encoder or decoder, as the canvas holds it that made it.
type plane struct {
	v *nn.Value
	stripPlane
}

// canvas is how they compute: on the whole picture at once, or on strips of it. Both give the same picture.
type canvas interface {
	// conv is a 3×3 convolution of x.
	conv(s nn.Scope, x plane, out int, o around) plane
	// attention is the middle block's single-head attention over all positions.
	attention(s nn.Scope, x plane) plane
}

// around is what happens to a convolution's input and output.
type around struct {
	norm     *nn.Scope // group normalisation and SiLU before
	up       bool      // doubling of height and width before
	down     bool      // they are halved: every other position is computed, with zeros after the last row and column
	once     bool      // the result is the decoder's largest map, and the next convolutions read it only
	add      *plane    // is added to the result
	shortcut nn.Scope  // 1×1 convolution of what a residual block adds, where its channels are not those of the result
}

// encode mirrors diffusers Encoder.   x [1 3 H W] -> the moments [1 2C h w]
func (c *VAEConfig) encode(on canvas, s nn.Scope, x plane) plane {
	s = s.In("encoder")
	x = on.conv(s.In("conv_in"), x, c.BlockOutChannels[0], around{})
	last := len(c.BlockOutChannels) - 1
	for i, channels := range c.BlockOutChannels {
		block := s.In("down_blocks", i)
		for layer := range c.LayersPerBlock {
			x = resnet(on, block.In("resnets", layer), x, channels)
		}
		if i < last {
			x = on.conv(block.In("downsamplers", 0, "conv"), x, channels, around{down: true})
		}
	}
	x = c.middle(on, s.In("mid_block"), x, c.BlockOutChannels[last])
	norm := s.In("conv_norm_out")
	return on.conv(s.In("conv_out"), x, 2*c.LatentChannels, around{norm: &norm})
}

// middle is the block between both halves' levels and the latent.
func (c *VAEConfig) middle(on canvas, s nn.Scope, x plane, channels int) plane {
	x = resnet(on, s.In("resnets", 0), x, channels)
	if c.MidAttention == nil || *c.MidAttention {
		x = on.attention(s.In("attentions", 0), x)
	}
	return resnet(on, s.In("resnets", 1), x, channels)
}

// decode mirrors diffusers Decoder.   x [1 C h w] -> [1 3 H W]
func (c *VAEConfig) decode(on canvas, s nn.Scope, x plane) plane {
	s = s.In("decoder")
	levels := len(c.BlockOutChannels)
	top := c.BlockOutChannels[levels-1]
	x = on.conv(s.In("conv_in"), x, top, around{})
	x = c.middle(on, s.In("mid_block"), x, top)
	for i := range levels {
		block, channels := s.In("up_blocks", i), c.BlockOutChannels[levels-1-i]
		for layer := range c.LayersPerBlock + 1 {
			x = resnet(on, block.In("resnets", layer), x, channels)
		}
		if i < levels-1 {
			largest := i == levels-2 && c.BlockOutChannels[0] < channels
			x = on.conv(block.In("upsamplers", 0, "conv"), x, channels, around{up: true, once: largest})
		}
	}
	norm := s.In("conv_norm_out")
	return on.conv(s.In("conv_out"), x, c.OutChannels, around{norm: &norm})
}

// resnet is ResnetBlock2D without time embedding.
func resnet(on canvas, s nn.Scope, x plane, out int) plane {
	norm1, norm2, shortcut := s.In("norm1"), s.In("norm2"), s.In("conv_shortcut")
	h := on.conv(s.In("conv1"), x, out, around{norm: &norm1, shortcut: shortcut})
	return on.conv(s.In("conv2"), h, out, around{norm: &norm2, add: &x, shortcut: shortcut})
}

// bring gives what is added the channels of the result.
func (o around) bring(add *nn.Value, channels int) *nn.Value {
	if nn.Channels(add) == channels {
		return add
	}
	return nn.Conv2D(o.shortcut, add, nn.Conv{Out: channels, Kernel: 1})
}

// whole computes on images.
type whole struct{ *VAEConfig }

func (c whole) conv(s nn.Scope, x plane, out int, o around) plane {
	v := x.v
	if o.norm != nil {
		v = nn.GroupNormSiLU(*o.norm, v, c.NormNumGroups, 1e-6)
	}
	if o.up {
		v = nn.UpsampleNearest(v)
	}
	conv := nn.Conv{Out: out, Kernel: 3, Pad: 1}
	if o.down {
		conv.Stride, conv.End = 2, true
	}
	v = nn.Conv2D(s, v, conv)
	if o.add != nil {
		v = nn.Add(o.bring(o.add.v, out), v)
	}
	return plane{v: v}
}

func (c whole) attention(s nn.Scope, x plane) plane {
	channels := nn.Channels(x.v)
	z := nn.Tokens(nn.GroupNorm(s.In("group_norm"), x.v, c.NormNumGroups, 1e-6))
	q := nn.Linear(s.In("to_q"), z, channels)
	k := nn.Linear(s.In("to_k"), z, channels)
	v := nn.Linear(s.In("to_v"), z, channels)
	z = nn.Linear(s.In("to_out", 0), nn.Attention(q, k, v, 1), channels)
	return plane{v: nn.Add(nn.FromTokens(z, x.v), x.v)}
}
