package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// linked copies a tree by hard links, so that a test can replace single files.
func linked(t *testing.T, src string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(src, path)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		}
		return os.Link(path, filepath.Join(dir, rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// replace puts another file in the place of a linked one.
func replace(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// tensorsNamed is a safetensors file with small tensors of these names.
func tensorsNamed(t *testing.T, names ...string) []byte {
	t.Helper()
	m := map[string]*tensor.Tensor{}
	for _, name := range names {
		m[name] = tensor.Zeros(2, 2)
	}
	var b bytes.Buffer
	if err := tensor.WriteSafetensors(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file writes one file of a checkpoint whose sizes may differ from the tree's.
func file(t *testing.T, path string, tensors []synthetic.Tensor) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "one")
	if err := synthetic.Write(context.Background(), dir, []synthetic.File{{Path: path, Tensors: tensors}}, synthetic.Options{DType: tensor.F16}, nil); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 10270077736\n"

func TestReleaseRefuses(t *testing.T) {
	release := tree(t, synthetic.Options{}, nil)
	const (
		realcustom = "ckpts/realcustom/RealCustom_highres.pth"
		unet       = "ckpts/sdxl/unet/sdxl-unet.bin"
	)
	wide := synthetic.Tiny
	wide.Text[0].Width = 128
	eyes := synthetic.Tiny
	eyes.DINO.Width = 64
	sd2 := synthetic.Tiny
	sd2.Text[0].Width, sd2.Text[1].Width = 896, 128
	plainSD2 := slices.DeleteFunc(sd2.UNet(), func(t synthetic.Tensor) bool { return strings.HasPrefix(t.Name, "add_embedding.") })

	// A base is a file beside the tree.
	cases := []struct {
		name   string
		damage func(t *testing.T, at func(string) string) (base []byte)
		want   []string
	}{
		{"LFS pointers everywhere", func(t *testing.T, at func(string) string) []byte {
			for _, name := range []string{realcustom, unet, "ckpts/sdxl/vae/sdxl-vae.pth", "ckpts/sdxl/clip-sdxl-2/pytorch_model.bin"} {
				replace(t, at(name), []byte(lfsPointer))
			}
			return nil
		}, []string{"Git LFS pointer", "RealCustom_highres.pth", "sdxl-unet.bin", "sdxl-vae.pth", "clip-sdxl-2", "git lfs pull"}},
		{"LFS pointer for a vocabulary", func(t *testing.T, at func(string) string) []byte {
			replace(t, at("ckpts/sdxl/clip-sdxl-1/vocab.json"), []byte(lfsPointer))
			return nil
		}, []string{"ckpts/sdxl/clip-sdxl-1", "vocab.json"}},
		{"a web page for the U-Net", func(t *testing.T, at func(string) string) []byte {
			replace(t, at(unet), []byte("<!DOCTYPE html><html>sign in</html>"))
			return nil
		}, []string{"sdxl-unet.bin", "web page"}},
		{"cut short, and a missing encoder", func(t *testing.T, at func(string) string) []byte {
			raw, err := os.ReadFile(at(unet))
			if err != nil {
				t.Fatal(err)
			}
			replace(t, at(unet), raw[:len(raw)/2])
			remove(t, at("ckpts/vit_so400m_patch14_siglip_384"))
			return nil
		}, []string{"sdxl-unet.bin", "damaged or cut short", "vit_so400m_patch14_siglip_384 is missing"}},
		{"download in progress", func(t *testing.T, at func(string) string) []byte {
			remove(t, at(realcustom))
			replace(t, at(realcustom+".incomplete"), []byte("PK"))
			return nil
		}, []string{"holds no weights", "RealCustom_highres.pth.incomplete is an unfinished download"}},
		{"no visual weights", func(t *testing.T, at func(string) string) []byte {
			remove(t, at("ckpts/realcustom"))
			return nil
		}, []string{"ckpts/realcustom is missing", "RealCustom_highres.pth"}},
		{"a base in the place of the visual weights", func(t *testing.T, at func(string) string) []byte {
			remove(t, at(realcustom))
			if err := os.Link(at(unet), at(realcustom)); err != nil {
				t.Fatal(err)
			}
			return nil
		}, []string{"no visual weights", "--base"}},
		{"half of the visual weights", func(t *testing.T, at func(string) string) []byte {
			replace(t, at(realcustom), file(t, "x.pth", synthetic.Tiny.VisualKV()))
			return nil
		}, []string{"no visual weights", "encoder_hidden_states_vision_projection", "0 tensors"}},
		{"projector of other image encoders", func(t *testing.T, at func(string) string) []byte {
			replace(t, at(realcustom), file(t, "x.pth", slices.Concat(synthetic.Tiny.VisualKV(), eyes.Projector(false))))
			return nil
		}, []string{"projector reads [128] image features", "give 192"}},
		{"visual weights of another U-Net", func(t *testing.T, at func(string) string) []byte {
			replace(t, at(realcustom), file(t, "x.pth", slices.Concat(wide.VisualKV(), wide.Projector(false))))
			return nil
		}, []string{"visual weights belong to another U-Net", "projector gives [256] channels", "wants 192"}},
		{"tensors missing, misshapen and extra in three files", func(t *testing.T, at func(string) string) []byte {
			overlay := slices.Concat(synthetic.Tiny.VisualKV(), synthetic.Tiny.Projector(false))
			overlay = slices.DeleteFunc(overlay, func(t synthetic.Tensor) bool { return strings.HasSuffix(t.Name, "projector.2.bias") })
			surprise := overlay[0]
			surprise.Name = "down_blocks.9.surprise.weight"
			replace(t, at(realcustom), file(t, "x.pth", append(overlay, surprise)))
			base := synthetic.Tiny.UNet()
			base = slices.DeleteFunc(base, func(t synthetic.Tensor) bool { return t.Name == "conv_in.bias" })
			replace(t, at(unet), file(t, "x.bin", base))
			vae := synthetic.Tiny.Autoencoder()
			vae = slices.DeleteFunc(vae, func(t synthetic.Tensor) bool { return t.Name == "decoder.conv_out.bias" })
			replace(t, at("ckpts/sdxl/vae/sdxl-vae.pth"), file(t, "x.pth", vae))
			return nil
		}, []string{"projector.2.bias: missing", "down_blocks.9.surprise.weight: not part of the model", "conv_in.bias: missing", "decoder.conv_out.bias: missing"}},
		{"tokenizer of another model", func(t *testing.T, at func(string) string) []byte {
			replace(t, at("ckpts/sdxl/clip-sdxl-2/vocab.json"), []byte(`{"<|startoftext|>":700,"<|endoftext|>":701,"!":0}`))
			replace(t, at("ckpts/sdxl/clip-sdxl-2/merges.txt"), []byte("#version: 0.2\n"))
			return nil
		}, []string{"clip-sdxl-2", "702 ids", "knows 600"}},
		{"only the visual weights", func(t *testing.T, at func(string) string) []byte {
			remove(t, at("ckpts/sdxl"))
			return nil
		}, []string{"ckpts/sdxl/unet is missing", "(--base)", "clip-sdxl-1 is missing", "sdxl/vae is missing"}},
		{"one text encoder", func(t *testing.T, at func(string) string) []byte {
			remove(t, at("ckpts/sdxl/clip-sdxl-2"))
			return nil
		}, []string{"ckpts/sdxl/clip-sdxl-2 is missing"}},
		{"the same text encoder twice", func(t *testing.T, at func(string) string) []byte {
			remove(t, at("ckpts/sdxl/clip-sdxl-2"))
			if err := os.Rename(linked(t, at("ckpts/sdxl/clip-sdxl-1")), at("ckpts/sdxl/clip-sdxl-2")); err != nil {
				t.Fatal(err)
			}
			return nil
		}, []string{"text encoders give 128 channels (64 + 64)", "wants 192"}},
		{"an encoder for the autoencoder", func(t *testing.T, at func(string) string) []byte {
			replace(t, at("ckpts/sdxl/vae/sdxl-vae.pth"), tensorsNamed(t, "encoder.conv_in.weight"))
			return nil
		}, []string{"autoencoder is incomplete"}},
		{"an image encoder that is none", func(t *testing.T, at func(string) string) []byte {
			replace(t, at("ckpts/vit_large_patch14_reg4_dinov2.lvd142m/pytorch_model.bin"), tensorsNamed(t, "layer1.0.conv1.weight"))
			return nil
		}, []string{"vit_large_patch14_reg4_dinov2.lvd142m", "not a complete vision transformer", "layer1.0.conv1.weight"}},
		{
			"Flux base", func(t *testing.T, at func(string) string) []byte {
				return tensorsNamed(t, "double_blocks.0.img_attn.qkv.weight")
			},
			[]string{"base.safetensors", "Flux"},
		},
		{"SD-3 base", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight")
		}, []string{"Stable Diffusion 3"}},
		{"SD-2 base of one file", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.model.transformer.resblocks.0.ln_1.weight")
		}, []string{"Stable Diffusion 2"}},
		{
			"SD-2 U-Net", func(t *testing.T, at func(string) string) []byte { return file(t, "x.safetensors", plainSD2) },
			[]string{"Stable Diffusion 2", "cross_attention_dim 1024", "visual weights belong to another U-Net"},
		},
		{"LoRA", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "lora_unet_down_blocks_1_attentions_0_proj_in.lora_down.weight")
		}, []string{"LoRA", "add it in the settings or with --lora"}},
		{"LoRA in the place of the visual weights", func(t *testing.T, at func(string) string) []byte {
			replace(t, at(realcustom), tensorsNamed(t, "unet.down_blocks.1.attentions.0.proj_in.lora_A.weight"))
			return nil
		}, []string{"RealCustom_highres.pth", "LoRA"}},
		{
			"ControlNet", func(t *testing.T, at func(string) string) []byte {
				return tensorsNamed(t, "controlnet_cond_embedding.conv_in.weight")
			},
			[]string{"ControlNet"},
		},
		{"refiner", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "model.diffusion_model.input_blocks.0.0.weight", "conditioner.embedders.0.model.ln_final.weight")
		}, []string{"refiner"}},
		{"v-prediction", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "model.diffusion_model.input_blocks.0.0.weight", "v_pred")
		}, []string{"v-prediction"}},
		{"inpainting base", func(t *testing.T, at func(string) string) []byte {
			nine := synthetic.Tiny.UNet()
			nine[0].Resize(32, 9, 3, 3)
			return file(t, "x.safetensors", nine)
		}, []string{"takes 9 channels", "inpainting"}},
		{
			"something else as base", func(t *testing.T, at func(string) string) []byte { return tensorsNamed(t, "model.layers.0.mlp.weight") },
			[]string{"holds no U-Net", "model.layers.0.mlp.weight"},
		},
		{"base without most of its U-Net", func(t *testing.T, at func(string) string) []byte {
			return tensorsNamed(t, "down_blocks.0.resnets.0.norm1.weight", "conv_in.weight")
		}, []string{"base U-Net is incomplete"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := linked(t, release)
			var o bundle.Options
			if base := c.damage(t, func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }); base != nil {
				o.Base = filepath.Join(dir, "base.safetensors")
				replace(t, o.Base, base)
			}
			refused(t, dir, o, c.want...)
		})
	}
}

// refused imports and expects a message with these parts and nothing left behind.
func refused(t *testing.T, src string, o bundle.Options, want ...string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	_, err := bundle.ImportWith(context.Background(), src, out, o)
	if err == nil {
		t.Fatal("imported")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("message has no %q:\n%v", w, err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(out)); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// TestFolderRefuses names folders and files that are no source.
func TestFolderRefuses(t *testing.T) {
	write := func(name, content string) string {
		dir := t.TempDir()
		replace(t, filepath.Join(dir, name), []byte(content))
		return dir
	}
	plain := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, changed("unet/diffusion_pytorch_model.safetensors", func(f *synthetic.File) { f.Tensors = synthetic.Tiny.UNet() }))
	lora := filepath.Join(t.TempDir(), "style.safetensors")
	replace(t, lora, tensorsNamed(t, "lora_te1_text_model.lora_up.weight"))
	for _, c := range []struct {
		name, src, base string
		want            []string
	}{
		{"nothing there", t.TempDir(), "", []string{"not a checkpoint folder", "ckpts/realcustom", "found nothing"}},
		{"photographs", write("cat.png", "x"), "", []string{"not a checkpoint folder", "found cat.png"}},
		{"does not exist", filepath.Join(t.TempDir(), "absent"), "", []string{"absent"}},
		{"Flux folder", write("transformer/config.json", `{"_class_name":"FluxTransformer2DModel"}`), "", []string{"this is a Flux model"}},
		{"SD-3 folder", write("transformer/config.json", `{"_class_name":"SD3Transformer2DModel"}`), "", []string{"Stable Diffusion 3"}},
		{"plain SDXL folder", filepath.Join(plain), "", []string{"no visual weights", "text-to-image model alone", "--base"}},
		{"one file", filepath.Join(plain, "vae", "diffusion_pytorch_model.safetensors"), "", []string{"this is one file", "--base"}},
		{"a LoRA", lora, "", []string{"LoRA"}},
		{"base that does not exist", plain, filepath.Join(plain, "none.safetensors"), []string{"none.safetensors"}},
		{"Flux folder as base", plain, write("transformer/config.json", `{"_class_name":"FluxTransformer2DModel"}`), []string{"Flux"}},
		{"photographs as base", plain, write("cat.png", "x"), []string{"not a base model", "found cat.png"}},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.src, bundle.Options{Base: c.base}, c.want...) })
	}
}

// TestTextOfAnotherFamily puts the text encoder of Stable Diffusion 1.5 beside a U-Net of SDXL's text width.
func TestTextOfAnotherFamily(t *testing.T) {
	sdxl, sd15 := synthetic.Tiny, synthetic.Tiny
	sdxl.Text[0].Width, sdxl.Text[1].Width = 1920, 128
	sd15.Text[0] = synthetic.TextSizes{Width: 768, Layers: 1, MLP: 64}
	files, err := synthetic.Files(synthetic.Options{Layout: synthetic.Diffusers, Sizes: sdxl})
	if err != nil {
		t.Fatal(err)
	}
	other, err := synthetic.Files(synthetic.Options{Layout: synthetic.Diffusers, Sizes: sd15})
	if err != nil {
		t.Fatal(err)
	}
	text := func(f synthetic.File) bool { return strings.HasPrefix(f.Path, "text_encoder/") }
	files = append(slices.DeleteFunc(without("text_encoder_2/")(files), text), slices.DeleteFunc(other, func(f synthetic.File) bool { return !text(f) })...)
	dir := filepath.Join(t.TempDir(), "tree")
	if err := synthetic.Write(context.Background(), dir, files, synthetic.Options{DType: tensor.F16}, nil); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, bundle.Options{}, "text encoders give 768 channels", "wants 2048", "text of Stable Diffusion 1, U-Net of SDXL")
}

// TestImportStopsHalfWay cancels while the U-Net is written.
func TestImportStopsHalfWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	parent := t.TempDir()
	_, err := bundle.ImportWith(ctx, tree(t, synthetic.Options{}, nil), filepath.Join(parent, "out"), bundle.Options{Copy: true, Progress: func(what string, done, total int64) {
		if what == "weights/unet.bin" && done > total/2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v", err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}
