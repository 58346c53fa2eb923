package bundle

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/tensor"
)

// This file tells configurations from tensor shapes, for layouts without config.json. What shapes do not show follows the family:
// heads of 64 channels, 32 groups per norm.

// dim returns a dimension of a tensor, 0 when there is none.
func dim(src checkpoint.Source, name string, i int) int {
	if shape, _, ok := src.Shape(name); ok && i < len(shape) {
		return shape[i]
	}
	return 0
}

// count returns how many of prefix0., prefix1. … the names begin with, without a gap.
func count(src checkpoint.Source, prefix string) int {
	n := 0
	for has(src, fmt.Sprintf("%s%d.", prefix, n)) {
		n++
	}
	return n
}

// has tells whether a tensor's name begins with prefix.
func has(src checkpoint.Source, prefix string) bool {
	entries := src.Entries()
	i, _ := slices.BinarySearchFunc(entries, prefix, func(e checkpoint.Entry, p string) int { return strings.Compare(e.Name, p) })
	return i < len(entries) && strings.HasPrefix(entries[i].Name, prefix)
}

// deepEnough compares the layers that the configurations say with the tensors that exist, before anything is built: a billion layers
// are a number in a configuration, but not in a file.
func (im *importer) deepEnough() error {
	var errs []error
	want := func(src checkpoint.Source, where, entry string, n int, prefix string) {
		if n > 0 && !has(src, fmt.Sprintf("%s%d.", prefix, n-1)) {
			errs = append(errs, message.Errorf("the configuration in %s and its weights belong to different models, or a file was cut short: get the files again (%s: %d, the weights have %d, %s…)",
				where, entry, n, count(src, prefix), prefix))
		}
	}
	const unet = "unet"
	u, w := im.unet, im.unetWeights
	want(w, unet, "levels", len(u.BlockOutChannels), "down_blocks.")
	for level := range u.BlockOutChannels {
		block := fmt.Sprintf("down_blocks.%d.", level)
		want(w, unet, "layers_per_block", u.LayersPerBlock.At(level), block+"resnets.")
		if u.DownBlockTypes[level] != "DownBlock2D" {
			want(w, unet, "transformer layers", u.TransformerLayers.At(level),
				fmt.Sprintf("%sattentions.%d.transformer_blocks.", block, u.LayersPerBlock.At(level)-1))
		}
	}
	want(w, unet, "transformer layers in the middle", u.TransformerLayers.At(len(u.BlockOutChannels)-1),
		"mid_block.attentions.0.transformer_blocks.")
	for i, t := range im.text {
		want(t.weights, textFolder(i), "layers", t.Layers, "text_model.encoder.layers.")
	}
	for _, e := range im.encoders {
		want(e.weights, e.name, "blocks", e.Features[len(e.Features)-1]+1, "blocks.")
	}
	const vae = "vae"
	want(im.vaeWeights, vae, "levels", len(im.vae.BlockOutChannels), "decoder.up_blocks.")
	want(im.vaeWeights, vae, "layers", im.vae.LayersPerBlock+1, "decoder.up_blocks.0.resnets.")
	return errors.Join(errs...)
}

// incomplete is why tensors do not show the sizes of a network: one of them cannot be read, which says what helps, or else why.
func incomplete(src checkpoint.Source, why error) error {
	for _, e := range src.Entries() {
		if e.DType == tensor.Invalid {
			_, err := src.Read(e.Name)
			return err
		}
	}
	return why
}

// unetConfig reads a U-Net in the names of diffusers. pooled is the width of the last text encoder.
func unetConfig(src checkpoint.Source, pooled int) (network.UNetConfig, error) {
	c := network.UNetConfig{
		InChannels: dim(src, "conv_in.weight", 1), OutChannels: dim(src, "conv_out.weight", 0), ActFn: "silu",
		NormNumGroups: 32,
		FlipSinToCos:  true, SampleSize: 64,
	}
	levels := count(src, "down_blocks.")
	cross := 0
	for level := range levels {
		block := fmt.Sprintf("down_blocks.%d.", level)
		channels := dim(src, block+"resnets.0.conv1.weight", 0)
		down, up, depth := "DownBlock2D", "UpBlock2D", 1
		if wrapper := block + "attentions.0."; has(src, wrapper) {
			down, up = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
			depth = count(src, wrapper+"transformer_blocks.")
			cross = max(cross, dim(src, wrapper+"transformer_blocks.0.attn2.to_k.weight", 1))
		} else if level == levels-1 { // the middle block has the depth of the last level
			depth = count(src, "mid_block.attentions.0.transformer_blocks.")
		}
		c.BlockOutChannels = append(c.BlockOutChannels, channels)
		c.LayersPerBlock = append(c.LayersPerBlock, count(src, block+"resnets."))
		c.TransformerLayers = append(c.TransformerLayers, depth)
		c.NumAttentionHeads = append(c.NumAttentionHeads, max(1, channels/64))
		c.DownBlockTypes = append(c.DownBlockTypes, down)
		c.UpBlockTypes = append([]string{up}, c.UpBlockTypes...)
	}
	if cross == 0 {
		cross = dim(src, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1)
	}
	if levels == 0 || cross == 0 || slices.Min(c.BlockOutChannels) == 0 || c.InChannels == 0 || c.OutChannels == 0 {
		return c, incomplete(src, message.Errorf("the base U-Net is incomplete: conv_in, conv_out, down_blocks and their cross-attention show its sizes, and some are missing (%d levels, channels %v, text width %d); get the file again", levels, c.BlockOutChannels, cross))
	}
	c.CrossAttentionDim = network.PerLevel{cross}
	// Stable Diffusion 1 has eight heads everywhere, later models heads of 64 channels.
	if n := dim(src, "add_embedding.linear_1.weight", 1); n > 0 {
		c.AdditionEmbedType, c.ProjectionInputDim, c.AdditionTimeDim, c.SampleSize = "text_time", n, (n-pooled)/6, 128
	} else if cross == 768 {
		c.NumAttentionHeads = network.PerLevel{8}
	}
	return c, c.Validate()
}

// textConfig reads CLIP text encoder i in the names of transformers.
func textConfig(src checkpoint.Source, i int) (network.CLIPTextConfig, error) {
	const embeddings = "text_model.embeddings."
	c := network.CLIPTextConfig{
		VocabSize:  dim(src, embeddings+"token_embedding.weight", 0),
		HiddenSize: dim(src, embeddings+"token_embedding.weight", 1),
		Positions:  dim(src, embeddings+"position_embedding.weight", 0), Layers: count(src, "text_model.encoder.layers."),
		Intermediate: dim(src, "text_model.encoder.layers.0.mlp.fc1.weight", 0), HiddenAct: "quick_gelu",
	}
	if c.HiddenSize == 0 || c.Layers == 0 {
		return c, incomplete(src, message.Errorf("%s holds no CLIP text encoder, found tensors such as %s: get the file again", pathOf(src), some(src)))
	}
	if i > 0 { // OpenCLIP's
		c.HiddenAct = "gelu"
	}
	c.Heads = max(1, c.HiddenSize/64)
	return c, nil
}

// vaeConfig reads an AutoencoderKL in the names of diffusers.
func vaeConfig(src checkpoint.Source, sdxl bool) (network.VAEConfig, error) {
	c := network.VAEConfig{
		LatentChannels: dim(src, "decoder.conv_in.weight", 1), OutChannels: dim(src, "decoder.conv_out.weight", 0),
		NormNumGroups: 32, ScalingFactor: 0.18215,
	}
	if sdxl {
		c.ScalingFactor = 0.13025
	}
	blocks := count(src, "decoder.up_blocks.")
	for b := range blocks {
		c.BlockOutChannels = append([]int{dim(src, fmt.Sprintf("decoder.up_blocks.%d.resnets.0.conv1.weight", b), 0)}, c.BlockOutChannels...)
	}
	c.LayersPerBlock = count(src, "decoder.up_blocks.0.resnets.") - 1
	if blocks == 0 || c.LayersPerBlock < 1 || slices.Min(c.BlockOutChannels) == 0 || c.LatentChannels == 0 {
		return c, incomplete(src, message.New("the autoencoder is incomplete: decoder.conv_in and decoder.up_blocks show its sizes, and some are missing; get the file again"))
	}
	return c, nil
}

// vitConfig reads an image encoder in the names of timm. deep gives, for known widths, the block whose output is the deep feature
// (for others it is the last but one); the shallow features lie a quarter of that apart (7 13 19 25 in SigLIP, 4 10 16 22 in DINOv2).
func vitConfig(src checkpoint.Source, deep map[int]int, shallow bool) (network.ViTConfig, error) {
	c := network.ViTConfig{
		EmbedDim: dim(src, "patch_embed.proj.weight", 0), PatchSize: dim(src, "patch_embed.proj.weight", 2),
		Depth:     count(src, "blocks."),
		MLPHidden: dim(src, "blocks.0.mlp.fc1.weight", 0), ClassToken: dim(src, "cls_token", 2) > 0, RegTokens: dim(src, "reg_token", 1),
		LayerScale: dim(src, "blocks.0.ls1.gamma", 0) > 0,
	}
	last, known := deep[c.EmbedDim]
	if !known {
		last = c.Depth - 2
	}
	step := int(math.Round(float64(last) / 4))
	if c.EmbedDim == 0 || last < 0 || last >= c.Depth || shallow && step == 0 {
		return c, incomplete(src, message.Errorf("this is not a complete vision transformer with timm's names (width %d, %d blocks), found tensors such as %s: get the file again",
			c.EmbedDim, c.Depth, some(src)))
	}
	if shallow {
		c.Features = []int{last - 3*step, last - 2*step, last - step}
	}
	c.Features = append(c.Features, last)
	return c, nil
}
