package synthetic

import (
	"fmt"
	"slices"
	"strings"

	"realword/inference/tensor"
)

// deprecatedAttention gives the autoencoder's attention the names that diffusers had before 0.18: query, key, value and
// proj_attn. The released autoencoder may have either.
func deprecatedAttention(tensors []Tensor) []Tensor {
	out := slices.Clone(tensors)
	r := strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.")
	for i := range out {
		out[i].Name = r.Replace(out[i].Name)
	}
	return out
}

// singleFile gives a checkpoint the names of the original latent diffusion programs (model.diffusion_model, first_stage_model,
// conditioner.embedders or cond_stage_model), and what else their files carry.
func (s Sizes) singleFile() []Tensor {
	out := prefixed("model.diffusion_model.", s.ldmUNet())
	out = append(out, prefixed("first_stage_model.", s.ldmAutoencoder())...)
	if !s.textTime() {
		l := &list{network: "schedule"}
		for _, name := range []string{"alphas_cumprod", "betas", "sqrt_alphas_cumprod"} {
			l.add(name, 1000)
		}
		l.tensors = append(l.tensors, Tensor{
			Name: "cond_stage_model.transformer.text_model.embeddings.position_ids", DType: tensor.I64,
			Shape: []int{1, 77},
		})
		return slices.Concat(out, prefixed("cond_stage_model.transformer.", s.TextModel(0)), l.tensors)
	}
	out = append(out, prefixed("conditioner.embedders.0.transformer.", s.TextModel(0))...)
	return append(out, prefixed("conditioner.embedders.1.model.", s.openCLIPText())...)
}

// moves is a list of prefixes with what stands for them.
type moves [][2]string

// apply renames a tensor by the first prefix that fits; inside replaces parts of the rest.
func (m moves) apply(name string, inside *strings.Replacer) string {
	for _, move := range m {
		if rest, ok := strings.CutPrefix(name, move[0]+"."); ok {
			return move[1] + "." + inside.Replace(rest)
		}
	}
	return name
}

func (s Sizes) ldmUNet() []Tensor {
	resnet := strings.NewReplacer("norm1.", "in_layers.0.", "conv1.", "in_layers.2.", "time_emb_proj.", "emb_layers.1.",
		"norm2.", "out_layers.0.", "conv2.", "out_layers.3.", "conv_shortcut.", "skip_connection.")
	same := strings.NewReplacer()
	var resnets, rest moves
	rest = moves{
		{"time_embedding.linear_1", "time_embed.0"},
		{"time_embedding.linear_2", "time_embed.2"},
		{"add_embedding.linear_1", "label_emb.0.0"},
		{"add_embedding.linear_2", "label_emb.0.2"},
		{"conv_in", "input_blocks.0.0"},
		{"conv_norm_out", "out.0"},
		{"conv_out", "out.2"},
		{"mid_block.attentions.0", "middle_block.1"},
	}
	resnets = moves{{"mid_block.resnets.0", "middle_block.0"}, {"mid_block.resnets.1", "middle_block.2"}}
	last := len(s.Channels) - 1
	for level := range s.Channels {
		for i := range 2 {
			in := fmt.Sprintf("input_blocks.%d", 1+3*level+i)
			resnets = append(resnets, [2]string{fmt.Sprintf("down_blocks.%d.resnets.%d", level, i), in + ".0"})
			rest = append(rest, [2]string{fmt.Sprintf("down_blocks.%d.attentions.%d", level, i), in + ".1"})
		}
		rest = append(rest, [2]string{fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", level), fmt.Sprintf("input_blocks.%d.0.op", 3+3*level)})
		for i := range 3 {
			out := fmt.Sprintf("output_blocks.%d", 3*level+i)
			resnets = append(resnets, [2]string{fmt.Sprintf("up_blocks.%d.resnets.%d", level, i), out + ".0"})
			rest = append(rest, [2]string{fmt.Sprintf("up_blocks.%d.attentions.%d", level, i), out + ".1"})
		}
		place := 2
		if last-level == s.Plain {
			place = 1 // no attention stands before it
		}
		rest = append(rest, [2]string{
			fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", level),
			fmt.Sprintf("output_blocks.%d.%d.conv", 3*level+2, place),
		})
	}
	out := s.UNet()
	for i, t := range out {
		if name := resnets.apply(t.Name, resnet); name != t.Name {
			out[i].Name = name
		} else {
			out[i].Name = rest.apply(t.Name, same)
		}
	}
	return out
}

func (s Sizes) ldmAutoencoder() []Tensor {
	inside := strings.NewReplacer("conv_shortcut.", "nin_shortcut.", "group_norm.", "norm.", "to_q.", "q.", "to_k.", "k.", "to_v.", "v.",
		"to_out.0.", "proj_out.")
	var m moves
	for _, half := range []string{"encoder", "decoder"} {
		m = append(m, [2]string{half + ".mid_block.resnets.0", half + ".mid.block_1"},
			[2]string{half + ".mid_block.resnets.1", half + ".mid.block_2"},
			[2]string{half + ".mid_block.attentions.0", half + ".mid.attn_1"}, [2]string{half + ".conv_norm_out", half + ".norm_out"})
	}
	for level := range s.VAE {
		for i := range 3 {
			m = append(m, [2]string{fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", level, i), fmt.Sprintf("encoder.down.%d.block.%d", level, i)},
				[2]string{fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", level, i), fmt.Sprintf("decoder.up.%d.block.%d", len(s.VAE)-1-level, i)})
		}
		m = append(m, [2]string{
			fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0.conv", level),
			fmt.Sprintf("encoder.down.%d.downsample.conv", level),
		},
			[2]string{fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0.conv", level), fmt.Sprintf("decoder.up.%d.upsample.conv", len(s.VAE)-1-level)})
	}
	out := s.Autoencoder()
	for i, t := range out {
		out[i].Name = m.apply(t.Name, inside)
		if strings.Contains(t.Name, ".attentions.0.to_") && len(t.Shape) == 2 {
			out[i].Shape = append(slices.Clone(t.Shape), 1, 1)
		}
	}
	return out
}

// openCLIPText joins queries, keys and values of the second text encoder as OpenCLIP has them.
func (s Sizes) openCLIPText() []Tensor {
	m := moves{
		{"text_model.embeddings.token_embedding", "token_embedding"},
		{"text_model.final_layer_norm", "ln_final"},
		{"text_model.encoder.layers", "transformer.resblocks"},
	}
	inside := strings.NewReplacer("layer_norm1.", "ln_1.", "layer_norm2.", "ln_2.", "self_attn.out_proj.", "attn.out_proj.", "mlp.fc1.",
		"mlp.c_fc.", "mlp.fc2.", "mlp.c_proj.")
	var out []Tensor
	all := s.TextModel(1)
	for i, t := range all {
		switch {
		case strings.Contains(t.Name, ".k_proj.") || strings.Contains(t.Name, ".v_proj."):
			continue
		case strings.Contains(t.Name, ".q_proj."): // weight and bias alternate: q, q, k, k, v, v
			t.parts = []part{t.parts[0], all[i+2].parts[0], all[i+4].parts[0]}
			t.Shape = slices.Clone(t.Shape)
			t.Shape[0] *= 3
			t.Name = strings.NewReplacer("self_attn.q_proj.", "attn.in_proj_").Replace(t.Name)
			t.Name = m.apply(t.Name, strings.NewReplacer())
		case t.Name == "text_projection.weight":
			t.Name, t.transpose = "text_projection", true
		case strings.HasSuffix(t.Name, "position_embedding.weight"):
			t.Name = "positional_embedding"
		default:
			t.Name = m.apply(t.Name, inside)
		}
		out = append(out, t)
	}
	return out
}
