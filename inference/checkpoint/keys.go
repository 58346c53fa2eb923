package checkpoint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"realword/inference/tensor"
)

// This file holds all knowledge about the names that other programs give to the tensors of the same networks. The names of the
// network definitions are those of diffusers (U-Net, autoencoder), transformers (text encoders) and timm (vision transformers).

func leaveOut(match, reason string) Rule { return Rule{Match: match, Reason: reason} }

func rename(match, to string) Rule { return Rule{Match: match, To: []string{to}} }

// Tensors that are no weights of a network and that programs leave beside them: nothing that is computed depends on them.
var (
	counting = leaveOut(`(.*\.)?position_ids`, "it only counts from 0 to 76")
	training = leaveOut(`(model_ema|ema|loss|optimizer|optimizers|optimizer_states|lr_scheduler|lr_schedulers|discriminator|disc)\..*|`+
		`global_step|epoch|step|iteration|num_updates|logvar`, "it is the state of a training")
	buffers = leaveOut(`(.*\.)?(num_batches_tracked|attn_mask|causal_mask|attention_mask|inv_freq)`, "it is computed anew")
	noise   = leaveOut(`betas|(\w+_)?alphas_cumprod(_prev)?|posterior_\w+|lvlb_weights|denoiser\.sigmas`,
		"it is the noise schedule, which Realword computes")
)

// UNet gives the tensors of a U-Net in a file of its own their names in diffusers: those of the original programs' U-Net, with or
// without the prefix that it has in a checkpoint, are renamed, and what is no part of the network is left out.
func UNet(src Source) (*View, error) {
	if prefix, ok := ldmUNet(src); ok {
		return ldmPart(src, prefix, unetRules(src, prefix)...)
	}
	return Rename(src, counting, training, buffers, noise)
}

// The names that the U-Net of the original programs goes by: in a checkpoint, in files of the U-Net alone, and bare.
var ldmPrefixes = []string{"model.diffusion_model.", "diffusion_model.", ""}

func ldmUNet(src Source) (prefix string, ok bool) {
	for _, p := range ldmPrefixes {
		if _, _, ok := src.Shape(p + "input_blocks.0.0.weight"); ok {
			return p, true
		}
	}
	return "", false
}

// ldmPart takes the tensors below a prefix, under other names.
func ldmPart(src Source, prefix string, rules ...Rule) (*View, error) {
	tower, err := Rename(src, rename(regexp.QuoteMeta(prefix)+`(.*)`, "$1"), leaveOut(`.*`, "it belongs to another network"))
	if err != nil {
		return nil, err
	}
	return Rename(tower, append(rules, counting, training, buffers, noise)...)
}

// imageHalf is what a whole CLIPModel has besides its text encoder.
var imageHalf = leaveOut(`(vision_model|visual_projection)\..*|logit_scale`, "it belongs to the image half of CLIP")

// TextModel gives the tensors of a CLIP text encoder their names in transformers' CLIPTextModel, text_model.encoder.layers.0.…;
// newer versions save them without the first part. A whole CLIPModel loses its image half.
func TextModel(src Source) (*View, error) {
	return Rename(src,
		counting, training, buffers,
		imageHalf,
		rename(`(?:embeddings|encoder|final_layer_norm)\..*`, "text_model.$0"),
	)
}

// Autoencoder gives the attention of an AutoencoderKL its present names; diffusers before 0.18 had others, and some files
// store the projections as 1×1 convolutions. The autoencoders of the original programs, alone or as in a checkpoint, are renamed.
func Autoencoder(src Source) (*View, error) {
	for _, prefix := range []string{"", "first_stage_model."} {
		if hasPrefix(src, prefix+"decoder.up.0.") {
			return ldmPart(src, prefix, autoencoderRules(src, prefix)...)
		}
	}
	const attention = `(.*\.attentions\.\d+)\.`
	squeezed := func(old, now string) Rule {
		return Rule{Match: attention + old + `\.(weight|bias)`, To: []string{"$1." + now + ".$2"}, Squeeze: true}
	}
	return Rename(src, counting, training, buffers,
		squeezed(`(?:query|to_q)`, "to_q"), squeezed(`(?:key|to_k)`, "to_k"), squeezed(`(?:value|to_v)`, "to_v"),
		squeezed(`(?:proj_attn|to_out\.0)`, "to_out.0"))
}

// VisionTransformer gives the tensors of a SigLIP or DINOv2 encoder their timm names. It knows timm's own files, those of
// open_clip (the image tower below visual.trunk.) and those of Meta's DINOv2 (by mask_token). What comes
// after the last block is left out, but for the final norm of a class token: Realword takes the features of blocks, and that token.
func VisionTransformer(src Source) (*View, error) {
	has := func(name string) bool { _, _, ok := src.Shape(name); return ok }
	tail := `(fc_norm|attn_pool|head)\..*`
	if !has("cls_token") {
		tail = `(norm|fc_norm|attn_pool|head)\..*`
	}
	head := leaveOut(tail, "it comes after the features that Realword uses")
	switch {
	case has("visual.trunk.pos_embed") || has("visual.trunk.blocks.0.norm1.weight"):
		tower, err := Rename(src, rename(`visual\.trunk\.(.*)`, "$1"), leaveOut(`.*`, "it is not part of the image tower"))
		if err != nil {
			return nil, err
		}
		v, err := Rename(tower, head)
		if err == nil {
			v.ignored = append(tower.ignored, v.ignored...)
		}
		return v, err
	case has("mask_token"):
		v, err := Rename(src, leaveOut("mask_token", "it is for training"), rename("register_tokens", "reg_token"), head)
		if err == nil {
			err = splitPositions(v)
		}
		return v, err
	}
	return Rename(src, head)
}

// splitPositions moves the position embedding of the class token from the first row of pos_embed to cls_token, where timm has it.
func splitPositions(v *View) error {
	pos, ok1 := v.derived["pos_embed"]
	cls, ok2 := v.derived["cls_token"]
	if !ok1 || !ok2 {
		return nil // whoever needs them will report them
	}
	if len(pos.Shape) != 3 || pos.Shape[0] != 1 || pos.Shape[1] < 2 || !slices.Equal(cls.Shape, []int{1, 1, pos.Shape[2]}) ||
		!pos.DType.Float() || !cls.DType.Float() {
		return Problems{{
			Key: "pos_embed", Kind: Misshapen, Found: pos.Shape,
			Note: "wanted one row more than there are patches, and cls_token of one row",
		}}
	}
	width := pos.Shape[2]
	newCls, newPos := cls, pos
	newPos.Shape = []int{1, pos.Shape[1] - 1, width}
	newPos.location, newCls.location = nil, nil
	newPos.read = func() (*tensor.Tensor, error) {
		t, err := pos.read()
		if err != nil {
			return nil, err
		}
		return tensor.Of(t.F32[width:], newPos.Shape...).Clone(), nil
	}
	newCls.read = func() (*tensor.Tensor, error) {
		p, err := pos.read()
		if err != nil {
			return nil, err
		}
		c, err := cls.read()
		if err != nil {
			return nil, err
		}
		for i := range c.F32 {
			c.F32[i] += p.F32[i]
		}
		return c, nil
	}
	// A sum has no file type of its own any more: it is F32.
	newCls.DType = tensor.F32
	v.replace(newPos)
	v.replace(newCls)
	return nil
}

func (v *View) replace(d derivation) {
	v.derived[d.Name] = d
	for i := range v.entries {
		if v.entries[i].Name == d.Name {
			v.entries[i] = d.Entry
		}
	}
}

// SingleFile holds the networks of a Stable Diffusion checkpoint in one file, in the layout of the original programs ("LDM"),
// under the names of diffusers and transformers. What a file does not have is nil: Text2 for Stable Diffusion 1, all but the U-Net for
// a U-Net alone.
type SingleFile struct {
	UNet, Autoencoder, Text, Text2 *View
	// Ignored are the tensors that belong to none of them.
	Ignored []Ignored
}

// IsSingleFile reports whether src has the LDM layout.
func IsSingleFile(src Source) bool {
	_, ok := ldmUNet(src)
	return ok
}

// SplitSingleFile takes an LDM checkpoint apart: one file in the names of the original latent diffusion programs, as SDXL and most
// fine-tuned models are published.
func SplitSingleFile(src Source) (*SingleFile, error) {
	var out SingleFile
	var err error
	var known []string
	part := func(prefix string, rules ...Rule) *View {
		if err != nil || !hasPrefix(src, prefix) {
			return nil
		}
		known = append(known, prefix)
		v, partErr := ldmPart(src, prefix, rules...)
		if partErr != nil {
			err = fmt.Errorf("%s: %w", strings.TrimSuffix(prefix, "."), partErr)
		}
		return v
	}
	prefix, _ := ldmUNet(src)
	out.UNet = part(prefix, unetRules(src, prefix)...)
	if prefix != "" { // else every other name is one of the U-Net's
		out.Autoencoder = part("first_stage_model.", autoencoderRules(src, "first_stage_model.")...)
		// Newer versions of transformers leave the first part out.
		whole := rename(`(?:embeddings|encoder|final_layer_norm)\..*`, "text_model.$0")
		for _, prefix := range []string{"conditioner.embedders.0.transformer.", "cond_stage_model.transformer."} {
			rules := []Rule{imageHalf, whole}
			if hasPrefix(src, prefix+"encoder.") { // merges of the first time have both; the other programs take these
				rules = append(rules, leaveOut(`text_model\..*`, "the file has another text encoder, under shorter names"))
			}
			if out.Text == nil {
				out.Text = part(prefix, rules...)
			}
		}
		out.Text2 = part("conditioner.embedders.1.model.", openCLIPText...)
		for _, e := range src.Entries() {
			if !slices.ContainsFunc(known, func(p string) bool { return strings.HasPrefix(e.Name, p) }) {
				out.Ignored = append(out.Ignored, Ignored{e.Name, "it belongs to none of the networks"})
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// unetRules follows the numbered blocks of openaimodel.UNetModel and counts levels and layers as diffusers does: a level ends
// with its down- or upsampler.
func unetRules(src Source, prefix string) []Rule {
	rules := []Rule{
		rename(`time_embed\.0\.(.*)`, "time_embedding.linear_1.$1"), rename(`time_embed\.2\.(.*)`, "time_embedding.linear_2.$1"),
		rename(`label_emb\.0\.0\.(.*)`, "add_embedding.linear_1.$1"), rename(`label_emb\.0\.2\.(.*)`, "add_embedding.linear_2.$1"),
		rename(`input_blocks\.0\.0\.(.*)`, "conv_in.$1"), rename(`out\.0\.(.*)`, "conv_norm_out.$1"), rename(`out\.2\.(.*)`, "conv_out.$1"),
	}
	block := func(old, now string) {
		old = regexp.QuoteMeta(old) + `\.`
		for _, r := range [][2]string{
			{`in_layers.0`, "norm1"},
			{`in_layers.2`, "conv1"},
			{`emb_layers.1`, "time_emb_proj"},
			{`out_layers.0`, "norm2"},
			{`out_layers.3`, "conv2"},
			{`skip_connection`, "conv_shortcut"},
		} {
			rules = append(rules, rename(old+regexp.QuoteMeta(r[0])+`\.(.*)`, now+"."+r[1]+".$1"))
		}
	}
	move := func(old, now string) { rules = append(rules, rename(regexp.QuoteMeta(old)+`\.(.*)`, now+".$1")) }
	has := func(format string, args ...any) bool { return hasPrefix(src, prefix+fmt.Sprintf(format, args...)) }

	const most = 64 // blocks, SDXL has 9 and Stable Diffusion 1 has 12: every one is a rule for all tensors
	level, layer := 0, 0
	for i := 1; i < most && has("input_blocks.%d.", i); i++ {
		in := fmt.Sprintf("input_blocks.%d", i)
		if has("%s.0.op.", in) {
			move(in+".0.op", fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", level))
			level, layer = level+1, 0
			continue
		}
		block(in+".0", fmt.Sprintf("down_blocks.%d.resnets.%d", level, layer))
		move(in+".1", fmt.Sprintf("down_blocks.%d.attentions.%d", level, layer))
		layer++
	}
	block("middle_block.0", "mid_block.resnets.0")
	move("middle_block.1", "mid_block.attentions.0")
	block("middle_block.2", "mid_block.resnets.1")
	level, layer = 0, 0
	for i := 0; i < most && has("output_blocks.%d.", i); i++ {
		in := fmt.Sprintf("output_blocks.%d", i)
		block(in+".0", fmt.Sprintf("up_blocks.%d.resnets.%d", level, layer))
		up := fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", level)
		switch {
		case has("%s.1.conv.", in): // no attention at this level
			move(in+".1.conv", up)
		case has("%s.2.conv.", in):
			move(in+".2.conv", up)
			fallthrough
		default:
			move(in+".1", fmt.Sprintf("up_blocks.%d.attentions.%d", level, layer))
		}
		layer++
		if has("%s.1.conv.", in) || has("%s.2.conv.", in) {
			level, layer = level+1, 0
		}
	}
	return rules
}

// autoencoderRules: LDM numbers the levels of the decoder from the picture side, diffusers from the latent side.
func autoencoderRules(src Source, prefix string) []Rule {
	var rules []Rule
	inside := func(old, now string) {
		rules = append(rules, rename(old+`\.nin_shortcut\.(.*)`, now+".conv_shortcut.$1"), rename(old+`\.(.*)`, now+".$1"))
	}
	for _, half := range []string{"encoder", "decoder"} {
		levels := 0
		for levels < 16 && hasPrefix(src, fmt.Sprintf("%s%s.%s.%d.", prefix, half, map[string]string{"encoder": "down", "decoder": "up"}[half],
			levels)) {
			levels++
		}
		for l := range levels {
			if half == "encoder" {
				for b := range 8 {
					inside(fmt.Sprintf(`encoder\.down\.%d\.block\.%d`, l, b), fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", l, b))
				}
				inside(fmt.Sprintf(`encoder\.down\.%d\.downsample`, l), fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0", l))
				continue
			}
			for b := range 8 {
				inside(fmt.Sprintf(`decoder\.up\.%d\.block\.%d`, l, b), fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", levels-1-l, b))
			}
			inside(fmt.Sprintf(`decoder\.up\.%d\.upsample`, l), fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0", levels-1-l))
		}
		inside(half+`\.mid\.block_1`, half+".mid_block.resnets.0")
		inside(half+`\.mid\.block_2`, half+".mid_block.resnets.1")
		for old, now := range map[string]string{"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"} {
			rules = append(rules, Rule{
				Match: half + `\.mid\.attn_1\.` + old + `\.(.*)`,
				To:    []string{half + ".mid_block.attentions.0." + now + ".$1"}, Squeeze: true,
			})
		}
		rules = append(rules, rename(half+`\.norm_out\.(.*)`, half+".conv_norm_out.$1"))
	}
	return rules
}

// openCLIPText maps OpenCLIP's text tower, the second encoder of SDXL, to transformers' CLIPTextModelWithProjection.
var openCLIPText = []Rule{
	rename(`token_embedding\.weight`, "text_model.embeddings.token_embedding.weight"),
	rename(`positional_embedding`, "text_model.embeddings.position_embedding.weight"),
	rename(`ln_final\.(.*)`, "text_model.final_layer_norm.$1"),
	{Match: `text_projection`, To: []string{"text_projection.weight"}, Transpose: true},
	leaveOut(`logit_scale`, "it compares texts with pictures"),
	leaveOut(`visual\..*`, "it belongs to the image half of CLIP"),
	{Match: `transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)`, To: []string{
		"text_model.encoder.layers.$1.self_attn.q_proj.$2", "text_model.encoder.layers.$1.self_attn.k_proj.$2",
		"text_model.encoder.layers.$1.self_attn.v_proj.$2",
	}},
	rename(`transformer\.resblocks\.(\d+)\.attn\.out_proj\.(.*)`, "text_model.encoder.layers.$1.self_attn.out_proj.$2"),
	rename(`transformer\.resblocks\.(\d+)\.ln_1\.(.*)`, "text_model.encoder.layers.$1.layer_norm1.$2"),
	rename(`transformer\.resblocks\.(\d+)\.ln_2\.(.*)`, "text_model.encoder.layers.$1.layer_norm2.$2"),
	rename(`transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(.*)`, "text_model.encoder.layers.$1.mlp.fc1.$2"),
	rename(`transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(.*)`, "text_model.encoder.layers.$1.mlp.fc2.$2"),
}

func hasPrefix(src Source, prefix string) bool {
	entries := src.Entries()
	i, _ := slices.BinarySearchFunc(entries, prefix, func(e Entry, p string) int { return strings.Compare(e.Name, p) })
	return i < len(entries) && strings.HasPrefix(entries[i].Name, prefix)
}
