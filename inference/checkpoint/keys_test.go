package checkpoint

import (
	"strings"
	"testing"

	"realword/inference/tensor"
)

func source(names ...string) memory {
	m := memory{}
	for _, n := range names {
		m[n] = ramp(3, 2)
	}
	return m
}

func TestTextModelNames(t *testing.T) {
	want := "text_model.embeddings.token_embedding.weight text_model.encoder.layers.0.mlp.fc1.bias text_model.final_layer_norm.weight text_projection.weight"
	for _, prefix := range []string{"", "text_model."} {
		v, err := TextModel(source(prefix+"embeddings.token_embedding.weight", prefix+"embeddings.position_ids", prefix+"encoder.layers.0.mlp.fc1.bias",
			prefix+"final_layer_norm.weight", "text_projection.weight", "vision_model.encoder.layers.0.mlp.fc1.bias", "logit_scale"))
		if err != nil {
			t.Fatal(err)
		}
		if got := namesOf(v); got != want {
			t.Errorf("prefix %q: %s", prefix, got)
		}
		if len(v.Ignored()) != 3 {
			t.Errorf("ignored %v", v.Ignored())
		}
	}
}

func TestAutoencoderNames(t *testing.T) {
	const a = "decoder.mid_block.attentions.0."
	src := memory{
		a + "query.weight": ramp(2, 2, 1, 1), a + "key.bias": ramp(2), a + "value.weight": ramp(2, 2), a + "proj_attn.weight": ramp(2, 2, 1, 1),
		"decoder.conv_in.weight": ramp(2, 2, 1, 1),
	}
	v, err := Autoencoder(src)
	if err != nil {
		t.Fatal(err)
	}
	if got := namesOf(v); got != "decoder.conv_in.weight "+a+"to_k.bias "+a+"to_out.0.weight "+a+"to_q.weight "+a+"to_v.weight" {
		t.Errorf("names %s", got)
	}
	expectTensor(t, v, a+"to_q.weight", []int{2, 2}, 0, 1, 2, 3)
	expectTensor(t, v, a+"to_out.0.weight", []int{2, 2})
	expectTensor(t, v, "decoder.conv_in.weight", []int{2, 2, 1, 1})
	now, err := Autoencoder(memory{a + "to_q.weight": ramp(2, 2), a + "to_out.0.bias": ramp(2)})
	if err != nil || namesOf(now) != a+"to_out.0.bias "+a+"to_q.weight" {
		t.Errorf("present names became %s (%v)", namesOf(now), err)
	}
}

func TestVisionTransformerLayouts(t *testing.T) {
	for layout, names := range map[string]memory{
		"timm":      source("pos_embed", "blocks.0.norm1.weight", "norm.weight", "attn_pool.q.weight"),
		"open_clip": source("visual.trunk.pos_embed", "visual.trunk.blocks.0.norm1.weight", "visual.trunk.norm.weight", "text.norm.weight", "logit_bias"),
	} {
		v, err := VisionTransformer(names)
		if err != nil || namesOf(v) != "blocks.0.norm1.weight pos_embed" {
			t.Errorf("%s: %s (%v)", layout, namesOf(v), err)
		} else if len(v.Ignored()) != len(names)-2 {
			t.Errorf("%s: ignored %v", layout, v.Ignored())
		}
	}
}

func TestMetaDINOv2(t *testing.T) {
	src := memory{
		"pos_embed": ramp(1, 4, 2), "cls_token": tensor.Of([]float32{10, 20}, 1, 1, 2), "register_tokens": ramp(1, 4, 2), "mask_token": ramp(1, 2),
		"blocks.0.ls1.gamma": ramp(2), "norm.bias": ramp(2),
	}
	v, err := VisionTransformer(src)
	if err != nil {
		t.Fatal(err)
	}
	if got := namesOf(v); got != "blocks.0.ls1.gamma cls_token norm.bias pos_embed reg_token" {
		t.Errorf("names %s", got)
	}
	expectTensor(t, v, "cls_token", []int{1, 1, 2}, 10, 21)
	expectTensor(t, v, "pos_embed", []int{1, 3, 2}, 2, 3, 4, 5, 6, 7)
	expectTensor(t, v, "reg_token", []int{1, 4, 2})
	for _, bad := range []*tensor.Tensor{ramp(4, 2), ramp(1, 1, 2), ramp(1, 4, 3)} {
		src["pos_embed"] = bad
		if _, err := VisionTransformer(src); err == nil {
			t.Errorf("a pos_embed of shape %v passed", bad.Shape)
		}
	}
}

// TestSingleFile covers one level with attention, one without, and the ends, in the numbering of a two-level model.
func TestSingleFile(t *testing.T) {
	table := []struct{ ldm, want string }{
		{"model.diffusion_model.time_embed.0.weight", "time_embedding.linear_1.weight"},
		{"model.diffusion_model.label_emb.0.2.bias", "add_embedding.linear_2.bias"},
		{"model.diffusion_model.input_blocks.0.0.weight", "conv_in.weight"},
		{"model.diffusion_model.input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight"},
		{"model.diffusion_model.input_blocks.2.0.out_layers.3.bias", "down_blocks.0.resnets.1.conv2.bias"},
		{"model.diffusion_model.input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"},
		{"model.diffusion_model.input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight"},
		{"model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_out.0.bias", "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.bias"},
		{"model.diffusion_model.input_blocks.5.0.emb_layers.1.weight", "down_blocks.1.resnets.1.time_emb_proj.weight"},
		{"model.diffusion_model.middle_block.0.in_layers.2.weight", "mid_block.resnets.0.conv1.weight"},
		{"model.diffusion_model.middle_block.1.norm.weight", "mid_block.attentions.0.norm.weight"},
		{"model.diffusion_model.middle_block.2.out_layers.0.weight", "mid_block.resnets.1.norm2.weight"},
		{"model.diffusion_model.output_blocks.0.0.in_layers.0.weight", "up_blocks.0.resnets.0.norm1.weight"},
		{"model.diffusion_model.output_blocks.1.1.proj_in.weight", "up_blocks.0.attentions.1.proj_in.weight"},
		{"model.diffusion_model.output_blocks.2.1.proj_in.weight", "up_blocks.0.attentions.2.proj_in.weight"},
		{"model.diffusion_model.output_blocks.2.2.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"},
		{"model.diffusion_model.output_blocks.3.0.in_layers.0.weight", "up_blocks.1.resnets.0.norm1.weight"},
		{"model.diffusion_model.output_blocks.4.1.conv.weight", "up_blocks.1.upsamplers.0.conv.weight"},
		{"model.diffusion_model.output_blocks.5.0.in_layers.0.weight", "up_blocks.2.resnets.0.norm1.weight"},
		{"model.diffusion_model.out.0.weight", "conv_norm_out.weight"},
		{"model.diffusion_model.out.2.weight", "conv_out.weight"},
		{"first_stage_model.encoder.down.0.block.1.nin_shortcut.weight", "encoder.down_blocks.0.resnets.1.conv_shortcut.weight"},
		{"first_stage_model.encoder.down.0.downsample.conv.weight", "encoder.down_blocks.0.downsamplers.0.conv.weight"},
		{"first_stage_model.decoder.up.0.block.2.conv1.weight", "decoder.up_blocks.1.resnets.2.conv1.weight"},
		{"first_stage_model.decoder.up.1.upsample.conv.weight", "decoder.up_blocks.0.upsamplers.0.conv.weight"},
		{"first_stage_model.decoder.mid.block_2.norm1.weight", "decoder.mid_block.resnets.1.norm1.weight"},
		{"first_stage_model.decoder.mid.attn_1.norm.weight", "decoder.mid_block.attentions.0.group_norm.weight"},
		{"first_stage_model.decoder.norm_out.bias", "decoder.conv_norm_out.bias"},
		{"first_stage_model.decoder.conv_in.bias", "decoder.conv_in.bias"},
		{"first_stage_model.post_quant_conv.weight", "post_quant_conv.weight"},
		{"conditioner.embedders.0.transformer.text_model.final_layer_norm.bias", "text_model.final_layer_norm.bias"},
		{"conditioner.embedders.1.model.positional_embedding", "text_model.embeddings.position_embedding.weight"},
		{"conditioner.embedders.1.model.ln_final.bias", "text_model.final_layer_norm.bias"},
		{"conditioner.embedders.1.model.transformer.resblocks.3.mlp.c_proj.bias", "text_model.encoder.layers.3.mlp.fc2.bias"},
		{"conditioner.embedders.1.model.transformer.resblocks.3.ln_2.bias", "text_model.encoder.layers.3.layer_norm2.bias"},
	}
	src := memory{
		"first_stage_model.decoder.mid.attn_1.proj_out.weight":                      ramp(2, 2, 1, 1),
		"conditioner.embedders.1.model.text_projection":                             ramp(2, 3),
		"conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight": ramp(6, 2),
		"conditioner.embedders.1.model.logit_scale":                                 ramp(),
		"conditioner.embedders.0.transformer.text_model.embeddings.position_ids":    ramp(1, 77),
		"model_ema.decay": ramp(),
	}
	for i, row := range table {
		src[row.ldm] = ramp(1, i+2)
	}
	if !IsSingleFile(src) || IsSingleFile(source("conv_in.weight")) {
		t.Error("the LDM layout is not told from others")
	}
	f, err := SplitSingleFile(src)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range table {
		v := f.UNet
		switch {
		case strings.HasPrefix(row.ldm, "first_stage"):
			v = f.Autoencoder
		case strings.Contains(row.ldm, "embedders.0"):
			v = f.Text
		case strings.Contains(row.ldm, "embedders.1"):
			v = f.Text2
		}
		expectTensor(t, v, row.want, []int{1, i + 2})
	}
	expectTensor(t, f.Autoencoder, "decoder.mid_block.attentions.0.to_out.0.weight", []int{2, 2})
	expectTensor(t, f.Text2, "text_projection.weight", []int{3, 2}, 0, 3, 1, 4, 2, 5)
	expectTensor(t, f.Text2, "text_model.encoder.layers.0.self_attn.k_proj.weight", []int{2, 2}, 4, 5, 6, 7)
	if n := len(f.UNet.Entries()) + len(f.Autoencoder.Entries()) + len(f.Text.Entries()) + len(f.Text2.Entries()); n != len(table)+5 {
		t.Errorf("%d tensors came out, want %d", n, len(table)+5)
	}
	one, err := SplitSingleFile(source("model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.transformer.text_model.final_layer_norm.weight"))
	if err != nil || one.Text2 != nil || namesOf(one.Text) != "text_model.final_layer_norm.weight" {
		t.Errorf("Stable Diffusion 1: %+v (%v)", one, err)
	}
}
