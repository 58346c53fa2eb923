package bundle_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// chain applies changes one after the other.
func chain(changes ...func([]synthetic.File) []synthetic.File) func([]synthetic.File) []synthetic.File {
	return func(files []synthetic.File) []synthetic.File {
		for _, c := range changes {
			files = c(files)
		}
		return files
	}
}

// named gives the tensors of a file other names.
func named(ending string, name func(string) string) func([]synthetic.File) []synthetic.File {
	return changed(ending, func(f *synthetic.File) {
		f.Tensors = slices.Clone(f.Tensors)
		for i, t := range f.Tensors {
			f.Tensors[i].Name = name(t.Name)
		}
	})
}

func prefix(p string) func(string) string { return func(name string) string { return p + name } }

// with adds tensors to a file.
func with(ending string, names ...string) func([]synthetic.File) []synthetic.File {
	return changed(ending, func(f *synthetic.File) {
		f.Tensors = slices.Clone(f.Tensors)
		for _, name := range names {
			extra := synthetic.Tiny.UNet()[1] // some bias
			extra.Name = name
			f.Tensors = append(f.Tensors, extra)
		}
	})
}

// inside puts the tensors of PyTorch files below a key.
func inside(wrapper string, endings ...string) func([]synthetic.File) []synthetic.File {
	var all []func([]synthetic.File) []synthetic.File
	for _, ending := range endings {
		all = append(all, changed(ending, func(f *synthetic.File) { f.Wrapper = wrapper }))
	}
	return chain(all...)
}

// oldAttention gives an autoencoder the names of diffusers before 0.18.
func oldAttention(name string) string {
	if !strings.Contains(name, ".attentions.") {
		return name
	}
	return strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.").Replace(name)
}

// TestQuirks imports what people's files look like, in all three layouts: each must give the very weights and graphs of the plain
// folder.
func TestQuirks(t *testing.T) {
	want := importTree(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil), bundle.Options{})
	const (
		siglip = "vit_so400m_patch14_siglip_384/open_clip_pytorch_model.bin"
		dino   = "vit_large_patch14_reg4_dinov2.lvd142m/pytorch_model.bin"
		unet   = "sdxl-unet.bin"
		overl  = "RealCustom_highres.pth"
		vae    = "sdxl-vae.pth"
	)
	halves := []string{"vision_model.embeddings.class_embedding", "visual_projection.weight", "logit_scale"}
	for _, c := range []struct {
		name, layout string
		change       func([]synthetic.File) []synthetic.File
	}{
		{"wrapped in model_ema, names with module.", synthetic.Release, chain(inside("model_ema", siglip, dino, unet, overl, vae),
			named(siglip, prefix("module.")), named(dino, prefix("module.")), named(unet, prefix("module.")), named(overl, prefix("module.")), named(vae, prefix("module.")))},
		{"wrapped in model", synthetic.Release, inside("model", siglip, dino, unet, overl, vae, "clip-sdxl-1/pytorch_model.bin", "clip-sdxl-2/pytorch_model.bin")},
		{"wrapped in state_dict", synthetic.LDM, inside("state_dict", siglip, dino, overl)},
		{"timm's own names for SigLIP", synthetic.Release, chain(changed(siglip, func(f *synthetic.File) {
			f.Tensors = slices.DeleteFunc(slices.Clone(f.Tensors), func(t synthetic.Tensor) bool { return !strings.HasPrefix(t.Name, "visual.trunk.") })
		}), named(siglip, func(name string) string { return strings.TrimPrefix(name, "visual.trunk.") }))},
		{"autoencoder of today", synthetic.Release, named(vae, func(name string) string {
			return strings.NewReplacer(".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.", ".proj_attn.", ".to_out.0.").Replace(name)
		})},
		{"whole CLIP models", synthetic.Release, chain(with("clip-sdxl-1/pytorch_model.bin", halves...), with("clip-sdxl-2/pytorch_model.bin", halves...))},
		{"text models without text_model", synthetic.Diffusers, named("text_encoder/model.safetensors", func(name string) string { return strings.TrimPrefix(name, "text_model.") })},
		{"layers that the configuration of a text model leaves out", synthetic.Diffusers, with("text_encoder_2/model.safetensors",
			fmt.Sprintf("text_model.encoder.layers.%d.mlp.fc1.bias", synthetic.Tiny.Text[1].Layers), fmt.Sprintf("text_model.encoder.layers.%d.mlp.fc1.bias", synthetic.Tiny.Text[1].Layers+1))},
		{"old autoencoder in a folder", synthetic.Diffusers, named("vae/diffusion_pytorch_model.safetensors", oldAttention)},
		{"open_clip's SigLIP in a folder", synthetic.Diffusers, chain(named("vision/siglip/model.safetensors", prefix("visual.trunk.")), with("vision/siglip/model.safetensors", "logit_scale", "text.ln_final.bias"))},
		{"what training leaves in a single file", synthetic.LDM, with("sdxl.safetensors", "model_ema.decay", "model_ema.diffusion_modelinput_blocks00bias", "alphas_cumprod",
			"conditioner.embedders.0.transformer.text_model.embeddings.position_ids", "conditioner.embedders.1.model.logit_scale")},
		{"loss, averages and the optimizer of an autoencoder in a single file", synthetic.LDM, with("sdxl.safetensors", "first_stage_model.loss.logvar", "first_stage_model.loss.discriminator.main.0.weight",
			"first_stage_model.model_ema.decay", "first_stage_model.logvar", "optimizer.state.0.exp_avg", "callbacks.x")},
		{"the same in a folder", synthetic.Diffusers, with("vae/diffusion_pytorch_model.safetensors", "loss.logvar", "loss.discriminator.main.0.weight", "model_ema.decay", "global_step")},
		{"trainer state beside a U-Net", synthetic.Diffusers, with("unet/diffusion_pytorch_model.safetensors", "optimizer.state.0.exp_avg", "model_ema.decay", "alphas_cumprod", "log_one_minus_alphas_cumprod")},
		{"text encoder without text_model in a single file", synthetic.LDM, named("sdxl.safetensors", func(name string) string {
			return strings.Replace(name, "embedders.0.transformer.text_model.", "embedders.0.transformer.", 1)
		})},
		{"buffers of the second text encoder", synthetic.LDM, with("sdxl.safetensors", "conditioner.embedders.1.model.transformer.text_model.embeddings.position_ids", "conditioner.embedders.1.model.attn_mask",
			"conditioner.embedders.1.model.visual.proj")},
		{"counters and marks without elements", synthetic.Diffusers, changed("unet/diffusion_pytorch_model.safetensors", func(f *synthetic.File) {
			f.Tensors = append(slices.Clone(f.Tensors), synthetic.Tensor{Name: "some.counter", DType: tensor.I64, Shape: []int{3}}, synthetic.Tensor{Name: "some.mark", Shape: []int{0}})
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, synthetic.Options{Layout: c.layout}, c.change)
			var o bundle.Options
			if c.layout == synthetic.LDM {
				o.Base = filepath.Join(dir, "sdxl.safetensors")
			}
			equalBundles(t, importTree(t, dir, o), want)
		})
	}
}

// TestMixedTypes gives every third tensor another type, in all three layouts: they agree with each other.
func TestMixedTypes(t *testing.T) {
	mixed := func(files []synthetic.File) []synthetic.File {
		for _, f := range files {
			for i, tt := range f.Tensors {
				if tt.DType == tensor.Invalid {
					sum := len(tt.Shape) // something that is the same in every layout
					for _, n := range tt.Shape {
						sum += n
					}
					f.Tensors[i].DType = []tensor.DType{tensor.F16, tensor.F32, tensor.BF16}[sum%3]
				}
			}
		}
		return files
	}
	b := importTree(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, mixed), bundle.Options{})
	equalBundles(t, importTree(t, tree(t, synthetic.Options{}, mixed), bundle.Options{}), b)
	half := importTree(t, tree(t, synthetic.Options{}, nil), bundle.Options{})
	for _, name := range []string{"text", "vision", "unet", "vae"} {
		got, err1 := os.Stat(filepath.Join(b.Dir(), "weights", name+".bin"))
		small, err2 := os.Stat(filepath.Join(half.Dir(), "weights", name+".bin"))
		if err1 != nil || err2 != nil || got.Size() <= small.Size() || got.Size() > 2*small.Size()+1<<16 {
			t.Errorf("%s: %v %v, %v %v", name, got, err1, small, err2)
		}
	}
}

// TestProjectorOfThePaper imports the third projector, which was never released, from tree and folder.
func TestProjectorOfThePaper(t *testing.T) {
	equalProjectors(t, synthetic.Options{CCP: true})
}

// equalProjectors imports one of the projectors that give 1458 tokens from tree and folder.
func equalProjectors(t *testing.T, o synthetic.Options) {
	t.Helper()
	got := importTree(t, tree(t, o, nil), bundle.Options{})
	o.Layout = synthetic.Diffusers
	equalBundles(t, got, importTree(t, tree(t, o, nil), bundle.Options{}))
	if n := got.Manifest().Vision.Tokens; n != 1458 {
		t.Errorf("%d visual tokens, wanted 1458", n)
	}
}

// TestTokenizersOfBothEncoders looks at what the two CLIP folders are for: the second pads with "!".
func TestTokenizersOfBothEncoders(t *testing.T) {
	src := tree(t, synthetic.Options{}, nil)
	b := importTree(t, src, bundle.Options{})
	one, two := b.Tokenizer(0).Encode("a dog").IDs, b.Tokenizer(1).Encode("a dog").IDs
	if one[76] != 599 || two[76] != 0 {
		t.Errorf("paddings %d and %d, wanted 599 and 0", one[76], two[76])
	}

	// A folder with tokenizer.json alone gives the same tokenizer.
	fast := os.DirFS(filepath.Join(data, "tokenizer-fast", "tiny_bang"))
	dir := linked(t, src)
	clip := filepath.Join(dir, "ckpts", "sdxl", "clip-sdxl-2")
	for _, name := range []string{"vocab.json", "merges.txt", "tokenizer_config.json"} {
		remove(t, filepath.Join(clip, name))
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		raw, err := fs.ReadFile(fast, name)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join(clip, name), raw)
	}
	tok := importTree(t, dir, bundle.Options{}).Tokenizer(1)
	if ids := tok.Encode("a dog!!").IDs; !slices.Equal(ids[:7], []int64{598, 320, 530, 0, 0, 599, 0}) || tok.Size() != 600 {
		t.Errorf("ids %v of %d", ids[:7], tok.Size())
	}
}

// TestStableDiffusion15 imports the paper's other base from a folder and from a single file.
func TestStableDiffusion15(t *testing.T) {
	o := synthetic.Options{Layout: synthetic.Diffusers, Sizes: synthetic.TinySD15}
	want := importTree(t, sized(t, o, nil), bundle.Options{})
	o.Layout = synthetic.LDM
	single := sized(t, o, nil)
	got := importTree(t, single, bundle.Options{Base: filepath.Join(single, "sd15.safetensors")})
	equalBundles(t, got, want)
	for _, b := range []*bundle.Bundle{got, want} {
		m := b.Manifest()
		if m.Family != "sd15" || m.Size.Width != 512 || m.Size.Height != 512 || m.Text.Encoders != 1 || m.Text.Pooled || m.Latent.ScalingFactor != 0.18215 || m.Grid != 1 || m.Layers != 16 {
			t.Errorf("manifest %+v", m)
		}
		if notes := strings.Join(m.Notes, "\n"); !strings.Contains(notes, "released for SDXL only") {
			t.Errorf("notes:\n%s", notes)
		}
		paper := m.Presets["paper"]
		if paper.Sampler != "ddim" || paper.Steps != 50 || paper.Stop != 25 || paper.CFG != 12.5 {
			t.Errorf("the paper's preset %+v", paper)
		}
	}
}

// TestScaleOfAFileWithoutText: the latent of a file is scaled as its U-Net was trained, whether or not the text encoders are in it.
func TestScaleOfAFileWithoutText(t *testing.T) {
	for name, c := range map[string]struct {
		sizes synthetic.Sizes
		scale float64 // of diffusers' AutoencoderKL in both pipelines
	}{"sd15": {synthetic.TinySD15, 0.18215}, "sdxl": {synthetic.Tiny, 0.13025}} {
		dir := sized(t, synthetic.Options{Layout: synthetic.LDM, Sizes: c.sizes}, nil)
		base := filepath.Join(t.TempDir(), "base.safetensors")
		replace(t, base, resaved(t, filepath.Join(dir, name+".safetensors"), func(name string) string {
			if strings.HasPrefix(name, "cond_stage_model.") || strings.HasPrefix(name, "conditioner.") {
				return ""
			}
			return name
		}, nil, nil))
		folder := sized(t, synthetic.Options{Layout: synthetic.Diffusers, Sizes: c.sizes}, nil)
		if got := importTree(t, folder, bundle.Options{Base: base}).Manifest().Latent.ScalingFactor; got != c.scale {
			t.Errorf("%s: %g", name, got)
		}
	}
}

// TestTextUnderBothNames: a text encoder under the names of the first anime models counts where another one has the usual names, as in ComfyUI.
func TestTextUnderBothNames(t *testing.T) {
	const usual, short = "cond_stage_model.transformer.text_model.", "cond_stage_model.transformer."
	dir := sized(t, synthetic.Options{Layout: synthetic.LDM, Sizes: synthetic.TinySD15}, nil)
	single := filepath.Join(dir, "sd15.safetensors")
	f, err := checkpoint.Open(single)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := map[string]*tensor.Tensor{}
	for _, e := range f.Entries() {
		if strings.HasPrefix(e.Name, usual) && e.DType.Float() {
			other[e.Name] = tensor.Zeros(e.Shape...)
		}
	}
	base := filepath.Join(t.TempDir(), "base.safetensors")
	replace(t, base, resaved(t, single, func(name string) string { return strings.Replace(name, usual, short, 1) }, other, nil))
	if len(other) < 10 {
		t.Errorf("%d tensors", len(other))
	}
	equalBundles(t, importTree(t, dir, bundle.Options{Base: base}), importTree(t, dir, bundle.Options{Base: single}))
}
