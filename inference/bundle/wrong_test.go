package bundle_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/synthetic"
)

// TestWrongFolders gives what people give by mistake: each gets one sentence with the place and the remedy.
func TestWrongFolders(t *testing.T) {
	release := tree(t, synthetic.Options{}, nil)
	folder := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	above := t.TempDir()
	if err := os.Rename(linked(t, release), filepath.Join(above, "RealCustom")); err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		dir := t.TempDir()
		replace(t, filepath.Join(dir, filepath.FromSlash(name)), content)
		return dir
	}
	base := tensorsNamed(t, "model.diffusion_model.input_blocks.0.0.weight")
	named := func(name string, list ...string) string {
		dir := filepath.Join(t.TempDir(), name)
		for _, file := range list {
			replace(t, filepath.Join(dir, file), base)
		}
		return dir
	}
	several := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.Rename(linked(t, folder), filepath.Join(several, name)); err != nil {
			t.Fatal(err)
		}
	}
	visual, err := os.ReadFile(filepath.Join(release, "ckpts", "realcustom", "RealCustom_highres.pth"))
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "mine")
	replace(t, filepath.Join(written, bundle.ManifestName), []byte("{}"))
	empty := filepath.Join(t.TempDir(), "nothing at all")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"folder of one file", named("dreams", "dream.safetensors"), []string{"the folder dreams has one model file", "choose the file dream.safetensors itself"}},
		{"folder of files", named("dreams", "a.safetensors", "b.ckpt"), []string{"the folder dreams has several model files", "choose one of them itself, found a.safetensors, b.ckpt"}},
		{"folder of the visual weights' file", write("RealCustom.pth", visual), []string{"RealCustom.pth holds the visual weights of RealCustom++ alone; choose the folder"}},
		{"folder of one download", write("model.safetensors.part", []byte("x")), []string{"has no model yet (model.safetensors.part is an unfinished download: finish it)"}},
		{"folder of a part of a model", named("shards", "model-00001-of-00002.safetensors"), []string{"the folder shards is not a checkpoint folder", "found model-00001-of-00002.safetensors"}},
		{"folder of models", several, []string{filepath.Base(several) + " has several models: choose one of them, found one, two"}},
		{"a model of Realword", written, []string{"the folder mine is a model of Realword already: use it as it is (--model)"}},
		{"folder of a model of Realword", filepath.Dir(written), []string{"has one model in it: choose the folder mine itself"}},
		{"empty folder", empty, []string{"the folder nothing at all is not a checkpoint folder", "found nothing"}},
		{"one level too deep", filepath.Join(release, "ckpts", "realcustom"), []string{"not a checkpoint folder", filepath.Join(release, "ckpts") + " is: choose that one"}},
		{"two levels too deep", filepath.Join(release, "ckpts", "sdxl", "unet"), []string{"choose that"}},
		{"inside a diffusers folder", filepath.Join(folder, "vae"), []string{folder + " is: choose that one"}},
		{"one level too high", above, []string{filepath.Join(above, "RealCustom") + " is: choose that one"}},
		{"the visual weights' file", filepath.Join(release, "ckpts", "realcustom", "RealCustom_highres.pth"), []string{"only the visual weights", filepath.Join(release, "ckpts")}},
		{"LoRA folder", write("pytorch_lora_weights.safetensors", tensorsNamed(t, "unet.up_blocks.0.attentions.0.proj_in.lora.down.weight")), []string{"pytorch_lora_weights.safetensors", "LoRA", "add it in the settings or with --lora"}},
		{"ControlNet folder", write("diffusion_pytorch_model.safetensors", tensorsNamed(t, "controlnet_cond_embedding.conv_in.weight")), []string{"ControlNet", "SDXL"}},
		{"refiner in one file", write("model.safetensors", tensorsNamed(t, "conditioner.embedders.0.model.ln_final.weight")), []string{"refiner"}},
		{"LFS pointer alone", write("unet/diffusion_pytorch_model.safetensors", []byte(lfsPointer)), []string{"Git LFS pointer", "git lfs pull"}},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.src, bundle.Options{}, c.want...) })
	}
}

// TestNoTensors gives weight files that are whole and have nothing inside: it is said as that, not by an empty list of what was found.
func TestNoTensors(t *testing.T) {
	problems := func(src string) string {
		in, err := bundle.Inspect(t.Context(), src, bundle.Options{})
		if err != nil || in.Problems == nil {
			t.Fatalf("%s: %v, %v", src, err, in.Problems)
		}
		return in.Problems.Error()
	}
	single := filepath.Join(t.TempDir(), "model.safetensors")
	replace(t, single, tensorsNamed(t))
	if said := problems(single); said != "model.safetensors holds no weights: get the file again" {
		t.Errorf("of one file it says %q", said)
	}
	plain := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	for _, file := range []string{
		"unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors", "vae/diffusion_pytorch_model.safetensors",
		"vision/siglip/model.safetensors", "vision/dino/model.safetensors",
	} {
		dir := linked(t, plain)
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join(dir, file), tensorsNamed(t))
		if said := problems(dir); !strings.Contains(said, filepath.Dir(file)+" holds no weights: get the file again") || strings.Contains(said, "such as") {
			t.Errorf("of %s it says %q", file, said)
		}
	}
}

// TestFoldersRefuse damages diffusers-style folders.
func TestFoldersRefuse(t *testing.T) {
	plain := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	shallow := tree(t, synthetic.Options{Layout: synthetic.Diffusers, Shallow: true}, nil)
	paper := tree(t, synthetic.Options{Layout: synthetic.Diffusers, CCP: true}, nil)
	const unet = "unet/diffusion_pytorch_model.safetensors"
	class := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, "vision", "config.json")
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, old := range []string{"highres", "shallow", "ccp"} {
				raw = []byte(strings.Replace(string(raw), `"`+old+`"`, `"`+name+`"`, 1))
			}
			replace(t, path, raw)
		}
	}
	config := func(folder, old, now string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, folder, "config.json")
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(raw), old) {
				t.Fatalf("%s has no %s", path, old)
			}
			replace(t, path, []byte(strings.Replace(string(raw), old, now, 1)))
		}
	}
	cut := func(name string, keep float64) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, filepath.FromSlash(name))
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			replace(t, path, raw[:int(keep*float64(len(raw)))])
		}
	}
	put := func(name string, content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { replace(t, filepath.Join(dir, filepath.FromSlash(name)), content) }
	}
	for _, c := range []struct {
		name, src string
		damage    func(t *testing.T, dir string)
		want      []string
	}{
		{"weights cut short", plain, cut(unet, 0.6), []string{unet, "cut short"}},
		{"header cut short", plain, cut("vae/diffusion_pytorch_model.safetensors", 0.001), []string{"vae/diffusion_pytorch_model.safetensors", "cut short"}},
		{"empty file", plain, put("text_encoder_2/model.safetensors", nil), []string{"text_encoder_2/model.safetensors", "empty", "get it again"}},
		{"LFS pointer in vision", plain, put("vision/siglip/model.safetensors", []byte(lfsPointer)), []string{"vision/siglip/model.safetensors", "Git LFS pointer"}},
		{"LFS pointer for a config", plain, put("unet/config.json", []byte(lfsPointer)), []string{"unet/config.json", "download it again"}},
		{"LFS pointer for merges", plain, put("tokenizer/merges.txt", []byte(lfsPointer)), []string{"tokenizer", "merges.txt", "git lfs pull"}},
		{"download of the hub in progress", plain, func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, filepath.FromSlash(unet)))
			replace(t, filepath.Join(dir, ".cache", "huggingface", "download", "unet", "x1.4d7a.incomplete"), []byte("PK"))
		}, []string{"unet", "holds no weights", "x1.4d7a.incomplete is an unfinished download"}},
		{"download of a folder in progress", plain, func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, "text_encoder_2"))
			remove(t, filepath.Join(dir, "vae"))
			replace(t, filepath.Join(dir, ".cache", "huggingface", "download", "vae", "x2.incomplete"), []byte("PK"))
		}, []string{"vae is missing (x2.incomplete is an unfinished download"}},
		{"preallocated by aria2", plain, put("vision/dino/model.safetensors.aria2", []byte("x")), nil},
		{"shallow tensors called ccp", shallow, class("ccp"), []string{`vision/config.json says that the projector is "ccp"`, `those of "shallow"`}},
		{"highres tensors called shallow", plain, class("shallow"), []string{`"shallow"`, `those of "highres"`}},
		{"the paper's tensors called highres", paper, class("highres"), []string{`"highres"`, `those of "ccp"`}},
		{"projector of other widths", plain, config("vision", `"head_dim": 64`, `"head_dim": 60`), []string{"width 192", "heads of 60"}},
		{"refiner", plain, func(t *testing.T, dir string) {
			config("unet", `"cross_attention_dim": 192`, `"cross_attention_dim": 1280`)(t, dir)
			remove(t, filepath.Join(dir, "text_encoder"))
		}, []string{"text_encoder", "missing"}},
		{
			"sample prediction", plain, put("scheduler/scheduler_config.json", []byte(`{"num_train_timesteps":1000,"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":"sample"}`)),
			[]string{`"sample"`, "v_prediction"},
		},
		{"inpainting", plain, func(t *testing.T, dir string) {
			nine := slices.Concat(synthetic.Tiny.UNet(), synthetic.Tiny.VisualKV(), synthetic.Tiny.Projector(false))
			nine[0].Resize(32, 9, 3, 3)
			replace(t, filepath.Join(dir, filepath.FromSlash(unet)), file(t, "x.safetensors", nine))
			config("unet", `"in_channels": 4`, `"in_channels": 9`)(t, dir)
		}, []string{"takes 9 channels", "inpainting"}},
		{"SD-3 autoencoder", plain, config("vae", `"latent_channels": 4`, `"shift_factor": 0.06, "latent_channels": 16`), []string{"vae/config.json", "SD-3, Flux"}},
		{"visual weights missing", plain, func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, filepath.FromSlash(unet)), file(t, "x.safetensors", synthetic.Tiny.UNet()))
		}, []string{"no visual weights", "--base"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := linked(t, c.src)
			c.damage(t, dir)
			if c.want == nil { // aria2's companion of a file that nobody opens by name
				c.want = []string{"model.safetensors.aria2", "unfinished"}
			}
			refused(t, dir, bundle.Options{}, c.want...)
		})
	}
	t.Run("shallow tensors called highres", func(t *testing.T) { // all that highres needs is there
		dir := linked(t, shallow)
		class("highres")(t, dir)
		if n := importTree(t, dir, bundle.Options{}).Manifest().Vision.Tokens; n != 729 {
			t.Errorf("%d visual tokens", n)
		}
	})
	t.Run("refiner's U-Net as base", func(t *testing.T) {
		base := linked(t, plain)
		config("unet", `"cross_attention_dim": 192`, `"cross_attention_dim": 1280`)(t, base)
		refused(t, plain, bundle.Options{Base: base}, "SDXL refiner", "use the SDXL base model")
	})
	t.Run("SD-1.5 under SDXL's visual weights", func(t *testing.T) {
		wide := synthetic.Tiny
		wide.Text = [2]synthetic.TextSizes{{Width: 768, Layers: 2, MLP: 64}, {Width: 1280, Layers: 2, MLP: 64}}
		refused(t, sized(t, synthetic.Options{Sizes: wide}, nil), bundle.Options{Base: sized(t, synthetic.Options{Sizes: synthetic.TinySD15, Layout: synthetic.Diffusers}, nil)},
			"visual weights belong to another U-Net", "released for SDXL only")
	})
}

// TestNotANumber finds a damaged number in every layout, whether weights are copied or pointed at, and names the tensor.
func TestNotANumber(t *testing.T) {
	const key = "mid_block.resnets.0.conv1.weight"
	for _, c := range []struct{ layout, file, key string }{
		{synthetic.Release, "ckpts/sdxl/unet/sdxl-unet.bin", key},
		{synthetic.Diffusers, "unet/diffusion_pytorch_model.safetensors", key},
		{synthetic.LDM, "sdxl.safetensors", "model.diffusion_model.middle_block.0.in_layers.2.weight"},
	} {
		dir := tree(t, synthetic.Options{Layout: c.layout}, nil)
		path := filepath.Join(dir, filepath.FromSlash(c.file))
		spoil(t, path, c.key)
		o := bundle.Options{}
		if c.layout == synthetic.LDM {
			o.Base = path
		}
		for _, o.Copy = range []bool{false, true} {
			refused(t, dir, o, key, "NaN", "damaged")
		}
	}
}

// spoil makes one half-precision number of a tensor not a number.
func spoil(t *testing.T, path, key string) {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	place, ok := f.Location(key)
	if err := f.Close(); err != nil || !ok || !place.Dense {
		t.Fatal(err, ok, place)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint16(raw[place.Offset+100:], 0x7e00)
	replace(t, path, raw)
}
