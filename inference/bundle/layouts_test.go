package bundle_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// tree writes a tiny synthetic checkpoint, changed before by change.
func tree(t *testing.T, o synthetic.Options, change func([]synthetic.File) []synthetic.File) string {
	t.Helper()
	o.Sizes = synthetic.Tiny
	return sized(t, o, change)
}

// sized does the same with the sizes of o.
func sized(t *testing.T, o synthetic.Options, change func([]synthetic.File) []synthetic.File) string {
	t.Helper()
	if o.DType == tensor.Invalid {
		o.DType = tensor.F16
	}
	files, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		files = change(files)
	}
	dir := filepath.Join(t.TempDir(), "tree")
	if err := synthetic.Write(context.Background(), dir, files, o, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// changed applies change to the files whose path ends so.
func changed(ending string, change func(*synthetic.File)) func([]synthetic.File) []synthetic.File {
	return func(files []synthetic.File) []synthetic.File {
		for i := range files {
			if strings.HasSuffix(files[i].Path, ending) {
				change(&files[i])
			}
		}
		return files
	}
}

// without drops the files whose path contains part.
func without(part string) func([]synthetic.File) []synthetic.File {
	return func(files []synthetic.File) []synthetic.File {
		return slices.DeleteFunc(files, func(f synthetic.File) bool { return strings.Contains(f.Path, part) })
	}
}

// importTree imports with weights copied, so that bundles of different sources can be compared.
func importTree(t *testing.T, src string, o bundle.Options) *bundle.Bundle {
	t.Helper()
	o.Copy = true
	b, err := bundle.ImportWith(context.Background(), src, filepath.Join(t.TempDir(), "bundle"), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// equalBundles compares all graphs and weights: everything but manifest and tokenizers.
func equalBundles(t *testing.T, got, want *bundle.Bundle) {
	t.Helper()
	for _, pattern := range []string{"*.onnx", "weights/*.bin"} {
		files, err := filepath.Glob(filepath.Join(want.Dir(), pattern))
		if err != nil || len(files) < 4 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			rel, _ := filepath.Rel(want.Dir(), file)
			a, err1 := os.ReadFile(file)
			b, err2 := os.ReadFile(filepath.Join(got.Dir(), rel))
			if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs (%v, %v)", rel, err1, err2)
			}
		}
	}
}

// TestLayoutsGiveTheSameBundle imports the same tensors from every layout that people have.
func TestLayoutsGiveTheSameBundle(t *testing.T) {
	folder := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	want := importTree(t, folder, bundle.Options{})
	release := tree(t, synthetic.Options{}, nil)
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)

	// Text encoders with the OpenAI folder's config, VAE and wrappers as other people write them, no config at all.
	odd := tree(t, synthetic.Options{}, func(files []synthetic.File) []synthetic.File {
		files = without("clip-sdxl-2/config.json")(files)
		files = without("sdxl.json")(files)
		files = changed("clip-sdxl-1/config.json", func(f *synthetic.File) { f.Text = slices.Concat([]byte(`{"text_config":`), f.Text, []byte(`}`)) })(files)
		files = changed("sdxl-unet.bin", func(f *synthetic.File) { f.Wrapper = "state_dict" })(files)
		files = changed("RealCustom_highres.pth", func(f *synthetic.File) { f.Wrapper = "state_dict_ema" })(files)
		for i := range files {
			files[i].Path = strings.Replace(files[i].Path, "sdxl-unet.bin", "general_v1-3_sdxl_03.pth", 1)
		}
		return files
	})
	visual := tree(t, synthetic.Options{}, without("ckpts/sdxl/"))
	program := t.TempDir() // where a downloader made ckpts/ckpts
	if err := os.Mkdir(filepath.Join(program, "ckpts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(release, "ckpts"), filepath.Join(program, "ckpts", "ckpts")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		name, src string
		options   bundle.Options
		notes     []string // of the manifest
	}{
		{"release", release, bundle.Options{}, []string{"is not part of the image tower", "clip-sdxl-1"}},
		{"ckpts itself", filepath.Join(release, "ckpts"), bundle.Options{}, nil},
		{"ckpts in ckpts", program, bundle.Options{}, nil},
		{"without configs and wrapped", odd, bundle.Options{}, nil},
		{"single file over the visual weights", ldm, bundle.Options{Base: filepath.Join(ldm, "sdxl.safetensors")}, nil},
		{"diffusers folder over the release", release, bundle.Options{Base: folder}, nil},
		{"diffusers folder over only the visual weights", visual, bundle.Options{Base: folder}, nil},
		{"single file over a folder", folder, bundle.Options{Base: filepath.Join(ldm, "sdxl.safetensors")}, nil},
		{
			"the U-Net alone over the release", release,
			bundle.Options{Base: filepath.Join(folder, "unet", "diffusion_pytorch_model.safetensors")},
			[]string{"the text encoders are taken from", "the autoencoder is taken from"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := importTree(t, c.src, c.options)
			equalBundles(t, b, want)
			m := b.Manifest()
			if m.Family != "sdxl" || m.Vision != want.Manifest().Vision || m.Latent.ScalingFactor != 0.13025 || m.Size.Width != 1024 || m.Layers != want.Manifest().Layers {
				t.Errorf("manifest %+v", m)
			}
			notes := strings.Join(m.Notes, "\n")
			for _, n := range c.notes {
				if !strings.Contains(notes, n) {
					t.Errorf("notes have no %q:\n%s", n, notes)
				}
			}
			if len(m.Sources) < 4 {
				t.Errorf("sources %v", m.Sources)
			}
		})
	}
	t.Run("mixed types", func(t *testing.T) {
		types := changed("RealCustom_highres.pth", func(f *synthetic.File) {
			for i := range f.Tensors {
				f.Tensors[i].DType = []tensor.DType{tensor.F16, tensor.F32, tensor.BF16}[i%3]
			}
		})
		b := importTree(t, tree(t, synthetic.Options{}, types), bundle.Options{})
		sizes := map[string][2]int64{}
		for _, name := range []string{"text", "vae", "unet"} {
			got, err1 := os.Stat(filepath.Join(b.Dir(), "weights", name+".bin"))
			half, err2 := os.Stat(filepath.Join(want.Dir(), "weights", name+".bin"))
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			sizes[name] = [2]int64{got.Size(), half.Size()}
		}
		if sizes["text"][0] != sizes["text"][1] || sizes["vae"][0] != sizes["vae"][1] || sizes["unet"][0] <= sizes["unet"][1] {
			t.Errorf("sizes %v: only the U-Net has tensors that need 32 bits", sizes)
		}
	})
	t.Run("shallow", func(t *testing.T) { equalProjectors(t, synthetic.Options{Shallow: true}) })
}

// TestFilesOfAMac: ._NAME, which a Mac leaves beside every file on disks of other systems, is no weight file, no checkpoint beside a tree, and
// nothing that a message should name.
func TestFilesOfAMac(t *testing.T) {
	double := append([]byte{0, 5, 22, 7, 0, 2, 0, 0}, make([]byte, 4088)...) // what an AppleDouble file begins with
	want := importTree(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil), bundle.Options{})
	for _, layout := range []string{synthetic.Release, synthetic.LDM, synthetic.Diffusers} {
		dir := linked(t, tree(t, synthetic.Options{Layout: layout}, func(files []synthetic.File) []synthetic.File {
			for i := range files { // under names that no program gives
				files[i].Path = strings.NewReplacer("diffusion_pytorch_model", "mine", "RealCustom_highres", "mine").Replace(files[i].Path)
			}
			return files
		}))
		var beside []string
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				beside = append(beside, filepath.Join(filepath.Dir(path), "._"+d.Name()))
			}
			return err
		})
		if err != nil || len(beside) < 10 {
			t.Fatal(len(beside), err)
		}
		for _, path := range beside {
			replace(t, path, double)
		}
		equalBundles(t, importTree(t, dir, bundle.Options{}), want)
	}
	dir := t.TempDir()
	replace(t, filepath.Join(dir, "._notes.txt"), double)
	refused(t, dir, bundle.Options{}, "found nothing")
}

// TestOverlayWins gives the RealCustom++ file two tensors of the base, as a fine-tune would: they win over the tree's base, as in
// the released application, and lose against a base that the user chose.
func TestOverlayWins(t *testing.T) {
	base := synthetic.Tiny.UNet()
	kept := slices.IndexFunc(base, func(t synthetic.Tensor) bool { return t.Name == "conv_in.bias" })
	swap := slices.IndexFunc(base, func(t synthetic.Tensor) bool { return t.Name == "conv_norm_out.bias" }) // of the same shape
	other := base[swap]
	other.Name = base[kept].Name
	files := changed("RealCustom_highres.pth", func(f *synthetic.File) { f.Tensors = append(f.Tensors, other, base[swap]) })
	plain := tree(t, synthetic.Options{}, nil)
	src := tree(t, synthetic.Options{}, files)

	want := tree(t, synthetic.Options{}, changed("sdxl-unet.bin", func(f *synthetic.File) { f.Tensors = slices.Clone(base); f.Tensors[kept] = other }))
	got := importTree(t, src, bundle.Options{})
	equalBundles(t, got, importTree(t, want, bundle.Options{}))
	if notes := strings.Join(got.Manifest().Notes, "\n"); !strings.Contains(notes, "carries 2 tensors of the base U-Net: they replace") {
		t.Errorf("notes:\n%s", notes)
	}
	got = importTree(t, src, bundle.Options{Base: filepath.Join(plain, "ckpts/sdxl/unet/sdxl-unet.bin")})
	equalBundles(t, got, importTree(t, plain, bundle.Options{}))
	if notes := strings.Join(got.Manifest().Notes, "\n"); !strings.Contains(notes, "carries 2 tensors of a base U-Net: ignored") {
		t.Errorf("notes:\n%s", notes)
	}
}
