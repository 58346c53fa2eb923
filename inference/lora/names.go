package lora

import (
	"fmt"
	"strings"
)

// Weights are the tensors of a model that can be changed: shapes by name. Those of text encoders begin with text_encoder. or
// text_encoder_2., those of the U-Net with neither; names are those of diffusers and transformers and end in .weight or .bias.
type Weights map[string][]int

// network is a part of a model that has a prefix of its own in LoRA files.
type network int

const (
	unet network = iota
	text1
	text2
	elsewhere // a part that is none of these
)

// prefixes lead from how a key begins to the network. Longer ones come before those that they begin with.
var prefixes = []struct {
	prefix string
	network
}{
	{"lora_unet_", unet},
	{"lycoris_unet_", unet},
	{"base_model.model.unet.", unet},
	{"unet.base_model.model.", unet},
	{"unet.", unet},
	{"model.diffusion_model.", unet},
	{"diffusion_model.", unet},
	{"lora_te2_", text2},
	{"lora_te1_", text1},
	{"lora_te_", text1},
	{"lycoris_te2_", text2},
	{"lycoris_te1_", text1},
	{"lycoris_te_", text1},
	{"text_encoder_2.base_model.model.", text2},
	{"text_encoder.base_model.model.", text1},
	{"base_model.model.text_encoder_2.", text2},
	{"base_model.model.text_encoder.", text1},
	{"text_encoder_2.", text2},
	{"text_encoder.", text1},
	{"text_encoders.clip_g.transformer.", text2},
	{"text_encoders.clip_l.transformer.", text1},
	{"clip_g.transformer.", text2},
	{"clip_l.transformer.", text1},
	{"base_model.model.text_model.", text1},
	{"base_model.model.", unet},
	{"text_model.", text1},
	{"lora_te3_", elsewhere},
	{"lora_transformer_", elsewhere},
	{"transformer.", elsewhere},
	{"lycoris_", unet},
}

// split tells the network of a module from its name.
func split(module string) (network, string) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(module, p.prefix); ok {
			if strings.HasSuffix(p.prefix, "text_model.") {
				rest = "text_model." + rest
			}
			return p.network, rest
		}
	}
	return unet, module
}

// index finds a model's modules by the names that they have in LoRA files.
type index struct {
	weights Weights
	modules [3]map[string]string // of each network: from a name with underscores for dots to the module
	layers  [3]int               // of the text encoders: how many layers the model runs
}

func flat(name string) string { return strings.ReplaceAll(name, ".", "_") }

func newIndex(w Weights) *index {
	x := &index{weights: w}
	for n := range x.modules {
		x.modules[n] = map[string]string{}
	}
	for name := range w {
		module, ok := strings.CutSuffix(name, ".weight")
		if !ok {
			continue
		}
		n, inside := unet, module
		if rest, ok := strings.CutPrefix(module, "text_encoder_2."); ok {
			n, inside = text2, rest
		} else if rest, ok := strings.CutPrefix(module, "text_encoder."); ok {
			n, inside = text1, rest
		}
		x.modules[n][flat(inside)] = module
		if bare, ok := strings.CutPrefix(inside, "text_model."); ok { // as newer versions of transformers name it
			x.modules[n][flat(bare)] = module
		}
		if n != unet {
			var layer int
			if _, err := fmt.Sscanf(inside, "text_model.encoder.layers.%d.", &layer); err == nil {
				x.layers[n] = max(x.layers[n], layer+1)
			}
		}
	}
	for diffusers, ldm := range ldmNames(w) {
		x.modules[unet][flat(ldm)] = diffusers
	}
	return x
}

// find returns the module of the model that a module of a file changes. unused says that the model has it and does not run it.
func (x *index) find(module string) (name string, n network, unused bool) {
	n, rest := split(module)
	if n == elsewhere {
		return "", n, false
	}
	rest = strings.NewReplacer(".processor.", ".", ".default.", ".").Replace(rest)
	for _, q := range []string{"q", "k", "v", "out"} { // attention processors of old diffusers
		if head, ok := strings.CutSuffix(rest, ".to_"+q+"_lora"); ok {
			switch rest = head + ".to_" + q; {
			case n != unet:
				rest = head + "." + q + "_proj"
			case q == "out":
				rest += ".0"
			}
		}
	}
	if name, ok := x.modules[n][flat(rest)]; ok {
		return name, n, false
	}
	var layer int
	if _, err := fmt.Sscanf(strings.TrimPrefix(flat(rest), "text_model_"), "encoder_layers_%d_", &layer); err == nil && n != unet && len(x.modules[n]) > 0 {
		return "", n, layer == x.layers[n] // the last layer, where the one before it is what the U-Net reads
	}
	return "", n, n != unet && len(x.modules[n]) > 0 && flat(rest) == "text_projection"
}

// ldmNames are the names of the original programs for the modules of a U-Net, by those of diffusers: checkpoint.UNet the other way round.
func ldmNames(w Weights) map[string]string {
	names := map[string]string{}
	has := func(module string) bool { _, ok := w[module+".weight"]; return ok }
	one := func(diffusers, ldm string) {
		if has(diffusers) {
			names[diffusers] = ldm
		}
	}
	for d, l := range map[string]string{
		"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
		"add_embedding.linear_2": "label_emb.0.2", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
	} {
		one(d, l)
	}
	below := map[string][]string{} // modules of every transformer: "down_blocks.0.attentions.1" -> "proj_in"
	for name := range w {
		if head, tail, ok := strings.Cut(strings.TrimSuffix(name, ".weight"), ".attentions."); ok && strings.HasSuffix(name, ".weight") {
			if number, rest, ok := strings.Cut(tail, "."); ok {
				key := head + ".attentions." + number
				below[key] = append(below[key], rest)
			}
		}
	}
	resnet := func(diffusers, ldm string) {
		for d, l := range map[string]string{
			"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3",
			"conv_shortcut": "skip_connection",
		} {
			one(diffusers+"."+d, ldm+"."+l)
		}
	}
	attention := func(diffusers, ldm string) bool {
		for _, rest := range below[diffusers] {
			one(diffusers+"."+rest, ldm+"."+rest)
		}
		return len(below[diffusers]) > 0
	}
	block := 1
	for level := 0; has(fmt.Sprintf("down_blocks.%d.resnets.0.conv1", level)); level++ {
		for layer := 0; has(fmt.Sprintf("down_blocks.%d.resnets.%d.conv1", level, layer)); layer++ {
			resnet(fmt.Sprintf("down_blocks.%d.resnets.%d", level, layer), fmt.Sprintf("input_blocks.%d.0", block))
			attention(fmt.Sprintf("down_blocks.%d.attentions.%d", level, layer), fmt.Sprintf("input_blocks.%d.1", block))
			block++
		}
		if down := fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", level); has(down) {
			names[down] = fmt.Sprintf("input_blocks.%d.0.op", block)
			block++
		}
	}
	resnet("mid_block.resnets.0", "middle_block.0")
	attention("mid_block.attentions.0", "middle_block.1")
	resnet("mid_block.resnets.1", "middle_block.2")
	block = 0
	for level := 0; has(fmt.Sprintf("up_blocks.%d.resnets.0.conv1", level)); level++ {
		next := 1 // the number of the upsampler in its block
		for layer := 0; has(fmt.Sprintf("up_blocks.%d.resnets.%d.conv1", level, layer)); layer++ {
			resnet(fmt.Sprintf("up_blocks.%d.resnets.%d", level, layer), fmt.Sprintf("output_blocks.%d.0", block))
			next = 1
			if attention(fmt.Sprintf("up_blocks.%d.attentions.%d", level, layer), fmt.Sprintf("output_blocks.%d.1", block)) {
				next = 2
			}
			block++
		}
		one(fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", level), fmt.Sprintf("output_blocks.%d.%d.conv", block-1, next))
	}
	return names
}
