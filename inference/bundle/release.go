package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/network"
)

// This file reads the tree that RealCustom++ was released as, and single-file bases. Below its root (ckpts/ on the hub) lie
//
//	realcustom/RealCustom_highres.pth                     visual keys and values of all attn2, and the projector
//	sdxl/unet/sdxl-unet.bin                               the base U-Net; in some programs general_v1-3_sdxl_03.pth
//	sdxl/clip-sdxl-1/, sdxl/clip-sdxl-2/                  tokenizers and CLIP text encoders (L/14, bigG)
//	sdxl/vae/sdxl.json, sdxl/vae/sdxl-vae.pth             the autoencoder
//	vit_so400m_patch14_siglip_384/                        SigLIP, in the layout of open_clip
//	vit_large_patch14_reg4_dinov2.lvd142m/                DINOv2, in the layout of timm

// What no file of the release states: references are scaled to 768², and attention in the projector has heads of 64 channels.
const (
	releaseReference = 768
	releaseHeadDim   = 64
)

// releaseEncoders are the image encoders of the release in the order in which their features are joined. The features are the output
// of SigLIP's block 25 of 0 to 26 and DINOv2's block 22 of 0 to 23, before any final norm; later blocks are never needed.
var releaseEncoders = []struct {
	name, folder string
	deep         map[int]int // width -> the block whose output is taken
	heads        func(width int) int
	mean, std    []float64
}{
	{
		"siglip", "vit_so400m_patch14_siglip_384",
		map[int]int{1152: 25},
		func(int) int { return 16 },
		[]float64{0.5, 0.5, 0.5},
		[]float64{0.5, 0.5, 0.5},
	},
	{
		"dino", "vit_large_patch14_reg4_dinov2.lvd142m",
		map[int]int{1024: 22},
		func(width int) int { return width / 64 },
		[]float64{0.485, 0.456, 0.406},
		[]float64{0.229, 0.224, 0.225},
	},
}

// release reads a tree whose root holds realcustom, sdxl and the image encoders.
func (im *importer) release(root string) (baseModel, visualModel) {
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	base := baseModel{name: "RealCustom++", tokenizers: []string{im.tokenizer(at("sdxl/clip-sdxl-1")), im.tokenizer(at("sdxl/clip-sdxl-2"))}}
	base.schedule = func() (Schedule, error) { return defaultSchedule, nil }
	base.unet = func() (checkpoint.Source, *network.UNetConfig, error) {
		f, err := im.choose(at("sdxl/unet"), "sdxl-unet.bin", "general_v1-3_sdxl_03.pth")
		if err != nil {
			return nil, nil, message.Errorf("%w, or name another SDXL model as the base (--base)", err)
		}
		if err := foreign(f); err != nil {
			return nil, nil, err
		}
		v, err := im.renamed(at("sdxl/unet"), f, checkpoint.UNet)
		return v, nil, err
	}
	base.text = func() ([]textModel, error) {
		models := make([]textModel, 2)
		var errs []error
		for i := range models {
			dir := at(fmt.Sprintf("sdxl/clip-sdxl-%d", i+1))
			f, err := im.openFolder(dir)
			if err == nil {
				models[i].weights, err = im.renamed(dir, f, checkpoint.TextModel)
			}
			if err == nil {
				models[i].CLIPTextConfig, err = textConfig(models[i].weights, i)
			}
			if path := filepath.Join(dir, "config.json"); err == nil && isFile(path) {
				err = im.readJSON(path, &struct {
					*network.CLIPTextConfig
					Inner *network.CLIPTextConfig `json:"text_config"` // the folder of a whole CLIPModel
				}{&models[i].CLIPTextConfig, &models[i].CLIPTextConfig})
			}
			if err == nil {
				err = models[i].Validate(im.label(dir))
			}
			errs = append(errs, err)
		}
		return models, errors.Join(errs...)
	}
	base.vae = func() (checkpoint.Source, network.VAEConfig, error) {
		f, err := im.choose(at("sdxl/vae"), "sdxl-vae.pth")
		if err != nil {
			return nil, network.VAEConfig{}, err
		}
		v, err := im.renamed(at("sdxl/vae"), f, checkpoint.Autoencoder)
		if err != nil {
			return nil, network.VAEConfig{}, err
		}
		c, err := vaeConfig(v, true)
		for _, name := range []string{"sdxl/vae/sdxl.json", "sdxl/vae/config.json"} {
			if err == nil && isFile(at(name)) {
				c.ScalingFactor = 0 // a file that omits it means the library's default
				err = im.readJSON(at(name), &c)
				break
			}
		}
		if err == nil {
			err = c.Validate()
		}
		return v, c, err
	}

	var visual visualModel
	visual.overlay = func() (checkpoint.Source, error) {
		f, err := im.choose(at("realcustom"), "RealCustom_highres.pth", "RealCustom_highres_shallow.pth", "RealCustom_0025000_ema_highres.pth")
		if err == nil {
			err = foreign(f)
		}
		return f, err
	}
	visual.encoders = func(class string) (visionConfig, []imageEncoder, error) {
		config := visionConfig{Projector: class, HeadDim: releaseHeadDim, ReferenceSize: releaseReference, ViewSize: releaseReference / 2}
		var encoders []imageEncoder
		var errs []error
		for _, r := range releaseEncoders {
			e := imageEncoder{name: r.name}
			dir := at(r.folder)
			f, err := im.openFolder(dir)
			if err == nil {
				e.weights, err = im.renamed(dir, f, checkpoint.VisionTransformer)
			}
			if err == nil {
				if e.ViTConfig, err = vitConfig(e.weights, r.deep, class != network.ProjectorHighRes); err != nil {
					err = fmt.Errorf("%s: %w", im.label(dir), err)
				}
			}
			if err == nil {
				e.ImgSize, e.NumHeads, e.Mean, e.Std = config.ViewSize, max(1, r.heads(e.EmbedDim)), r.mean, r.std
				err = e.Validate(im.label(dir))
			}
			errs = append(errs, err)
			config.Encoders = append(config.Encoders, r.name)
			encoders = append(encoders, e)
		}
		return config, encoders, errors.Join(errs...)
	}
	return base, visual
}

// fromFileBeside takes what a tree lacks of the base model, and the given base model too, from the one checkpoint file that lies
// beside the tree, where there is one. What nothing is taken from is not looked at: whatever it is, it does no harm.
func (im *importer) fromFileBeside(base *baseModel, given baseModel) error {
	root := base.root
	has := func(name string) bool { return hasWeights(filepath.Join(root, "sdxl", name)) }
	unet, vae := given.unet != nil || has("unet"), given.vae != nil || has("vae")
	text := given.text != nil || has("clip-sdxl-1") && has("clip-sdxl-2")
	if unet && vae && text {
		return nil
	}
	var there []string
	for _, dir := range slices.Compact([]string{im.src, root}) {
		list, _ := files.Visible(dir)
		for _, e := range list {
			path := filepath.Join(dir, e.Name())
			if slices.Contains([]string{".safetensors", ".ckpt"}, strings.ToLower(filepath.Ext(path))) && isFile(path) {
				there = append(there, path)
			}
		}
	}
	if len(there) != 1 || there[0] == filepath.Clean(im.base) {
		return nil
	}
	f, err := im.openFile(there[0])
	if err != nil || !checkpoint.IsSingleFile(f) {
		return err
	}
	beside, err := im.single(there[0])
	if err != nil {
		return err
	}
	name, from := filepath.Base(root), im.label(there[0])
	if !unet {
		base.unet, base.schedule = beside.unet, beside.schedule
		im.tell(message.Note("the U-Net is taken from %s: %s has none of its own", from, name))
	}
	if !text && beside.text != nil {
		base.text = beside.text
		im.tell(noTextEncoders(name, from))
	}
	if !vae && beside.vae != nil {
		base.vae = beside.vae
		im.tell(noAutoencoder(name, from))
	}
	return nil
}

// hasWeights tells whether a folder has anything that may be weights.
func hasWeights(dir string) bool {
	list, _ := files.Visible(dir)
	return slices.ContainsFunc(list, func(e os.DirEntry) bool {
		return slices.Contains([]string{".safetensors", ".bin", ".pth", ".pt", ".ckpt"}, filepath.Ext(e.Name()))
	})
}

// choose opens the first of the files that the folder has, else the only weight file there.
func (im *importer) choose(dir string, names ...string) (*checkpoint.File, error) {
	var there []string
	for _, name := range names {
		if isFile(filepath.Join(dir, name)) {
			there = append(there, name)
		}
	}
	if len(there) > 1 {
		im.tell(message.Note("%s is used instead of %s: move the first away to import the other", im.label(filepath.Join(dir, there[0])),
			strings.Join(there[1:], ", ")))
	}
	if len(there) > 0 {
		return im.openFile(filepath.Join(dir, there[0]))
	}
	f, err := im.openFolder(dir)
	if err != nil {
		return nil, message.Errorf("%w; the release has %s there", err, names[0])
	}
	return f, nil
}

// tokenizer finds the tokenizer of a text encoder's folder, which some keep in a folder of its own.
func (im *importer) tokenizer(dir string) string {
	if inner := filepath.Join(dir, "tokenizer"); !isFile(filepath.Join(dir, "vocab.json")) && isDir(inner) {
		return inner
	}
	return dir
}

// single reads a base of one file: an SDXL checkpoint in the layout of the original programs, or a U-Net with the names of diffusers.
func (im *importer) single(path string) (baseModel, error) {
	f, err := im.openFile(path)
	if err != nil {
		return baseModel{}, err
	}
	if err := errors.Join(foreign(f), im.marksBeside(path)); err != nil {
		return baseModel{}, err
	}
	m := baseModel{
		name:     strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		schedule: func() (Schedule, error) { return defaultSchedule, nil },
	}
	if !checkpoint.IsSingleFile(f) {
		if count(f, "down_blocks.") == 0 {
			return baseModel{}, message.Errorf("%s holds no U-Net: wanted a Stable Diffusion checkpoint (model.diffusion_model.…) or a U-Net of diffusers (down_blocks.…), found tensors such as %s",
				path, some(f))
		}
		m.unet = func() (checkpoint.Source, *network.UNetConfig, error) {
			v, err := im.renamed(path, f, checkpoint.UNet)
			return v, nil, err
		}
		return m, nil
	}
	parts, err := checkpoint.SplitSingleFile(f)
	if err != nil {
		return baseModel{}, fmt.Errorf("%s: %w", path, err)
	}
	im.noteIgnored(path, parts.Ignored)
	m.unet = func() (checkpoint.Source, *network.UNetConfig, error) { return parts.UNet, nil, nil }
	if parts.Text != nil {
		m.text = func() ([]textModel, error) {
			var models []textModel
			for i, v := range []*checkpoint.View{parts.Text, parts.Text2} {
				if v == nil {
					continue
				}
				c, err := textConfig(v, i)
				if err == nil {
					err = c.Validate(fmt.Sprintf("%s, text encoder %d", im.label(path), i+1))
				}
				if err != nil {
					return nil, err
				}
				models = append(models, textModel{c, v})
			}
			return models, nil
		}
	}
	if parts.Autoencoder != nil {
		m.vae = func() (checkpoint.Source, network.VAEConfig, error) {
			_, _, sdxl := parts.UNet.Shape("add_embedding.linear_1.weight") // text encoders may be left out
			c, err := vaeConfig(parts.Autoencoder, sdxl)
			if err == nil {
				err = c.Validate()
			}
			return parts.Autoencoder, c, err
		}
	}
	return m, nil
}

// foreign names models that RealCustom++ does not work on, by their tensors; nil for all others.
func foreign(src checkpoint.Source) error {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(src.Entries(), func(e checkpoint.Entry) bool {
			return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(e.Name, p) })
		})
	}
	is := func(what error) error { return other(pathOf(src), what) }
	_, _, refiner := src.Shape("conditioner.embedders.0.model.ln_final.weight")
	switch {
	case has("lora_unet_", "lora_te", ".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", ".lora.down.", ".lora.up."):
		return message.Errorf("%s holds a LoRA, which changes a model but is not one: import the model without it, then add it in the settings or with --lora", pathOf(src))
	case has("double_blocks.0.", "single_transformer_blocks.0."):
		return is(fluxModel)
	case has("joint_blocks.0.", ".attn.add_q_proj."):
		return is(sd3Model)
	case has("control_model.", "controlnet_cond_embedding."):
		return is(controlNet)
	case has("cond_stage_model.model.transformer."):
		return is(sd2Model)
	case refiner:
		return is(refinerModel)
	}
	return nil
}

// other refuses a model of another kind: what says which.
func other(where any, what error) *message.Error {
	return message.Note("%s: %w; Realword runs SDXL and Stable Diffusion 1.5 models with RealCustom++ weights", where, what)
}

// foreignFolder does the same for diffusers folders.
func foreignFolder(dir string) error {
	for _, name := range []string{"transformer", "prior"} {
		if !isDir(filepath.Join(dir, name)) || isDir(filepath.Join(dir, "unet")) {
			continue
		}
		raw, _ := files.Read(filepath.Join(dir, name, "config.json"), maxConfig)
		what := message.Errorf("this is a model with a %s and no U-Net", name)
		for class, family := range map[string]error{"FluxTransformer": fluxModel, "SD3Transformer": sd3Model} {
			if strings.Contains(string(raw), class) {
				what = family
			}
		}
		return other(dir, what)
	}
	if !isDir(filepath.Join(dir, "unet")) {
		return foreignFile(dir)
	}
	return nil
}

// pathOf names the file of a source where there is one.
func pathOf(src checkpoint.Source) string {
	if f, ok := src.(*checkpoint.File); ok {
		if paths := f.Paths(); len(paths) > 0 {
			return paths[0]
		}
	}
	return "the checkpoint"
}

// some names a few tensors, for messages.
func some(src checkpoint.Source) string {
	var names []string
	for i, e := range src.Entries() {
		if i == 3 {
			break
		}
		names = append(names, fmt.Sprintf("%.60q", e.Name))
	}
	return strings.Join(names, ", ")
}
