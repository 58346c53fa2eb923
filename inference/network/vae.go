package network

import (
	"fmt"
	"slices"

	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// VAEConfig is the part of a diffusers AutoencoderKL config.json that decides the decoder.
type VAEConfig struct {
	LatentChannels   int      `json:"latent_channels"`
	OutChannels      int      `json:"out_channels"`
	BlockOutChannels []int    `json:"block_out_channels"`
	LayersPerBlock   int      `json:"layers_per_block"`
	NormNumGroups    int      `json:"norm_num_groups"`
	UpBlockTypes     []string `json:"up_block_types"`
	ActFn            string   `json:"act_fn"`
	ScalingFactor    float64  `json:"scaling_factor"`
	ShiftFactor      *float64 `json:"shift_factor"`
	MidAttention     *bool    `json:"mid_block_add_attention"`
	PostQuantConv    *bool    `json:"use_post_quant_conv"`
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
		return fmt.Errorf("vae/config.json: act_fn %q is not known, silu is", c.ActFn)
	case c.LatentChannels <= 0 || len(c.BlockOutChannels) == 0 || slices.Min(c.BlockOutChannels) <= 0:
		return fmt.Errorf("vae/config.json: sizes do not make an autoencoder (latent_channels %d, block_out_channels %v)", c.LatentChannels, c.BlockOutChannels)
	case c.OutChannels != 3:
		return fmt.Errorf("vae/config.json: out_channels %d, pictures have 3", c.OutChannels)
	case c.ShiftFactor != nil && *c.ShiftFactor != 0:
		return fmt.Errorf("vae/config.json: shift_factor %v belongs to a later model family (SD-3, Flux); SD-1.5 and SDXL autoencoders have none", *c.ShiftFactor)
	case slices.ContainsFunc(c.UpBlockTypes, func(t string) bool { return t != "UpDecoderBlock2D" }):
		return fmt.Errorf("vae/config.json: up_block_types %v, only UpDecoderBlock2D is known", c.UpBlockTypes)
	}
	return nil
}

// DecoderGraph builds decoder.onnx: the latent as the loop has it (scaled) -> picture in -1..1, not clipped.
func DecoderGraph(c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build("decoder", store, func(s nn.Scope) {
		z := s.B.Input("latent", tensor.F32, []int{1, c.LatentChannels, -1, -1}, "", "", "height", "width")
		x := nn.Scale(z, 1/c.ScalingFactor)
		if c.PostQuantConv == nil || *c.PostQuantConv {
			x = nn.Conv2D(s.In("post_quant_conv"), x, nn.Conv{Out: c.LatentChannels, Kernel: 1})
		}
		s.B.Output("picture", c.decode(s.In("decoder"), x), "", "", "picture_height", "picture_width")
	})
}

// decode mirrors diffusers Decoder.   x [1 C h w] -> [1 3 H W]
func (c *VAEConfig) decode(s nn.Scope, x *nn.Value) *nn.Value {
	levels := len(c.BlockOutChannels)
	top := c.BlockOutChannels[levels-1]
	x = nn.Conv2D(s.In("conv_in"), x, nn.Conv{Out: top, Kernel: 3, Pad: 1})
	mid := s.In("mid_block")
	x = c.resnet(mid.In("resnets", 0), x, top)
	if c.MidAttention == nil || *c.MidAttention {
		x = c.attention(mid.In("attentions", 0), x)
	}
	x = c.resnet(mid.In("resnets", 1), x, top)
	for i := range levels {
		block, channels := s.In("up_blocks", i), c.BlockOutChannels[levels-1-i]
		for layer := range c.LayersPerBlock + 1 {
			x = c.resnet(block.In("resnets", layer), x, channels)
		}
		if i < levels-1 {
			x = nn.Conv2D(block.In("upsamplers", 0, "conv"), nn.UpsampleNearest(x), nn.Conv{Out: channels, Kernel: 3, Pad: 1})
		}
	}
	x = nn.SiLU(nn.GroupNorm(s.In("conv_norm_out"), x, c.NormNumGroups, 1e-6))
	return nn.Conv2D(s.In("conv_out"), x, nn.Conv{Out: c.OutChannels, Kernel: 3, Pad: 1})
}

// resnet is ResnetBlock2D without time embedding.
func (c *VAEConfig) resnet(s nn.Scope, x *nn.Value, out int) *nn.Value {
	h := nn.Conv2D(s.In("conv1"), nn.SiLU(nn.GroupNorm(s.In("norm1"), x, c.NormNumGroups, 1e-6)), nn.Conv{Out: out, Kernel: 3, Pad: 1})
	h = nn.Conv2D(s.In("conv2"), nn.SiLU(nn.GroupNorm(s.In("norm2"), h, c.NormNumGroups, 1e-6)), nn.Conv{Out: out, Kernel: 3, Pad: 1})
	if x.Dim(1) != out {
		x = nn.Conv2D(s.In("conv_shortcut"), x, nn.Conv{Out: out, Kernel: 1})
	}
	return nn.Add(x, h)
}

// attention is the middle block's single-head attention over all positions.
func (c *VAEConfig) attention(s nn.Scope, x *nn.Value) *nn.Value {
	channels := x.Dim(1)
	z := nn.Transpose(nn.Fold(nn.GroupNorm(s.In("group_norm"), x, c.NormNumGroups, 1e-6), 0, 0, -1), 0, 2, 1)
	q := nn.Linear(s.In("to_q"), z, channels)
	k := nn.Linear(s.In("to_k"), z, channels)
	v := nn.Linear(s.In("to_v"), z, channels)
	z = nn.Linear(s.In("to_out", 0), nn.Attention(q, k, v, 1), channels)
	return nn.Add(nn.Reshape(nn.Transpose(z, 0, 2, 1), nn.ShapeOf(x), x.Shape...), x)
}
