package bundle_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

func importMapped(t *testing.T, src string, o bundle.Options) *bundle.Bundle {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows copies always")
	}
	b, err := bundle.ImportWith(context.Background(), src, filepath.Join(t.TempDir(), "bundle"), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMappedImport finds every checkpoint file among the mapped ones, and little in the bundle: only what does not lie as it is wanted.
func TestMappedImport(t *testing.T) {
	src := tree(t, synthetic.Options{}, nil)
	b := importMapped(t, src, bundle.Options{})
	copied := importTree(t, src, bundle.Options{})
	m := b.Manifest()
	if len(m.Mapped) != 7 || len(copied.Manifest().Mapped) != 0 || len(m.Sources) != 7 {
		t.Errorf("%d files mapped, %d where weights were copied, of %d", len(m.Mapped), len(copied.Manifest().Mapped), len(m.Sources))
	}
	for _, f := range m.Mapped {
		rel, err := filepath.Rel(src, f.Path)
		if err != nil || m.Sources[filepath.ToSlash(rel)] != f.SHA256 {
			t.Errorf("%s has another checksum than its source", f.Path)
		}
	}
	own, err := filepath.Glob(filepath.Join(b.Dir(), "weights", "*"))
	if err != nil || len(own) != 1 || filepath.Base(own[0]) != "vision.bin" { // resampled positions
		t.Errorf("copied all the same: %v, %v", own, err)
	}
	if err := b.CheckFiles(context.Background()); err != nil {
		t.Error(err)
	}
	again := importMapped(t, src, bundle.Options{})
	for _, name := range []string{"unet.onnx", "manifest.json", "weights/vision.bin"} {
		one, err1 := os.ReadFile(filepath.Join(b.Dir(), name))
		two, err2 := os.ReadFile(filepath.Join(again.Dir(), name))
		if err1 != nil || err2 != nil || string(one) != string(two) {
			t.Errorf("%s is another one the second time (%v, %v)", name, err1, err2)
		}
	}
}

// TestMappedOnOneDrive: graphs read checkpoints of the model's own drive, and what an import does was said before.
func TestMappedOnOneDrive(t *testing.T) {
	src, dir := tree(t, synthetic.Options{}, nil), t.TempDir()
	bundle.Drives(t, func(path string) string {
		if strings.Contains(path, "away") {
			return "D:"
		}
		return "C:"
	})
	for folder, mapped := range map[string]bool{"here": true, "away": false, "": true} {
		models := filepath.Join(dir, folder)
		if err := os.MkdirAll(models, 0o777); err != nil {
			t.Fatal(err)
		}
		if folder == "" {
			models = ""
		}
		in, err := bundle.Inspect(t.Context(), src, bundle.Options{Folder: models})
		if err != nil || in.Problems != nil || in.Mapped > 0 != mapped {
			t.Errorf("%q: foretold %d bytes mapped, %d written, %v, %v", folder, in.Mapped, in.Writes, err, in.Problems)
		}
		if folder == "" {
			continue
		}
		b, err := bundle.ImportWith(t.Context(), src, filepath.Join(models, "bundle"), bundle.Options{})
		if err != nil || len(b.Manifest().Mapped) > 0 != mapped {
			t.Errorf("%q: %v is mapped, %v", folder, b.Manifest().Mapped, err)
		}
	}
}

// TestNotMappedWithoutAName copies what lies in a folder whose name no manifest can hold: that of a disk of an old system.
func TestNotMappedWithoutAName(t *testing.T) {
	src := filepath.Join(t.TempDir(), "B\xfccher")
	if err := os.Rename(tree(t, synthetic.Options{}, nil), src); err != nil {
		t.Skip(err)
	}
	b := importMapped(t, src, bundle.Options{})
	if n := len(b.Manifest().Mapped); n > 0 {
		t.Errorf("%d files are mapped", n)
	}
	if err := b.CheckFiles(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestMappedThroughLinks imports a tree of symbolic links, as the cache of a downloader has: the manifest names their targets.
func TestMappedThroughLinks(t *testing.T) {
	src := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	real, err := filepath.EvalSymlinks(src)
	if err != nil {
		t.Fatal(err)
	}
	links := linked(t, src)
	unet := filepath.Join(links, "unet", "diffusion_pytorch_model.safetensors")
	remove(t, unet)
	if err := os.Symlink(filepath.Join(src, "unet", "diffusion_pytorch_model.safetensors"), unet); err != nil {
		t.Skip(err)
	}
	m := importMapped(t, links, bundle.Options{}).Manifest()
	want := filepath.Join(real, "unet", "diffusion_pytorch_model.safetensors")
	if !slices.ContainsFunc(m.Mapped, func(f bundle.MappedFile) bool { return f.Path == want }) {
		t.Errorf("%s is not among %v", want, m.Mapped)
	}
}

// TestMappedFileChanges opens a bundle after something happened to a file that it maps.
func TestMappedFileChanges(t *testing.T) {
	src := tree(t, synthetic.Options{}, nil)
	unet := filepath.Join(src, "ckpts", "sdxl", "unet", "sdxl-unet.bin")
	b := importMapped(t, src, bundle.Options{})
	whole, err := os.ReadFile(unet)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(unet)
	if err != nil {
		t.Fatal(err)
	}
	back := func(data []byte, modified time.Time) {
		if err := errors.Join(os.WriteFile(unet, data, 0o600), os.Chtimes(unet, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	refuses := func(err error, words ...string) {
		t.Helper()
		for _, w := range append(words, unet) {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%v does not mention %q", err, w)
			}
		}
	}
	back(whole, info.ModTime())
	if _, err := bundle.Open(b.Dir()); err != nil {
		t.Fatal("put back:", err)
	}
	back(whole[:len(whole)-1], info.ModTime())
	_, err = bundle.Open(b.Dir())
	refuses(err, "has changed since the import", "import the model again", "--copy", "bytes")
	// Copied, restored or touched: the same SHA-256 is the same file. It is read once, and its new time is kept.
	touched := info.ModTime().Add(time.Second)
	back(whole, touched)
	if seen, err := bundle.Look(b.Dir()); err != nil || seen.Manifest().Name != b.Manifest().Name {
		t.Fatal("to look at a model with a touched file:", err)
	}
	var read []string
	reopened, err := bundle.OpenContext(context.Background(), b.Dir(), func(what string, done, total int64) {
		if done == total {
			read = append(read, what)
		}
	})
	if err != nil || !slices.Equal(read, []string{unet}) {
		t.Fatalf("touched: %v, %q was read", err, read)
	}
	if _, err = bundle.OpenContext(context.Background(), b.Dir(), func(what string, _, _ int64) { t.Errorf("%s is read again", what) }); err != nil {
		t.Fatal(err)
	}
	for _, m := range []bundle.Manifest{reopened.Manifest(), importedManifest(t, b.Dir())} {
		if !slices.ContainsFunc(m.Mapped, func(f bundle.MappedFile) bool { return f.Path == unet && f.Modified.Equal(touched) }) {
			t.Errorf("the new time is not kept: %v", m.Mapped)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	back(whole, touched.Add(time.Second))
	if _, err = bundle.OpenContext(stopped, b.Dir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while it is read: %v", err)
	}
	other := slices.Clone(whole)
	other[len(other)/2]++
	back(other, info.ModTime().Add(5*time.Second))
	_, err = bundle.Open(b.Dir())
	refuses(err, "has changed since the import", "import the model again", "--copy", "other content")
	back(other, touched)
	if _, err = bundle.Open(b.Dir()); err != nil {
		t.Fatal("a change that only the checksum shows:", err)
	}
	refuses(b.CheckFiles(context.Background()), "has changed since the import", "import it again")
	remove(t, unet)
	_, err = bundle.Open(b.Dir())
	refuses(err, "is missing", "connect the drive")
}

func importedManifest(t *testing.T, dir string) bundle.Manifest {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, bundle.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	m, err := bundle.ParseManifest(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMappedNaN finds a NaN that nobody copies, and leaves nothing behind.
func TestMappedNaN(t *testing.T) {
	for _, dtype := range []tensor.DType{tensor.F16, tensor.BF16, tensor.F32} {
		src := tree(t, synthetic.Options{DType: dtype}, nil)
		path := filepath.Join(src, "ckpts", "sdxl", "unet", "sdxl-unet.bin")
		f, err := checkpoint.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := f.Location("conv_out.weight")
		if err := f.Close(); err != nil || !ok {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const value = 33
		if dtype == tensor.F32 {
			binary.LittleEndian.PutUint32(raw[at.Offset+4*value:], 0x7fc00000)
		} else {
			binary.LittleEndian.PutUint16(raw[at.Offset+2*value:], 0x7fc0)
		}
		replace(t, path, raw)
		for _, copied := range []bool{false, true} {
			refused(t, src, bundle.Options{Copy: copied}, "conv_out.weight", "value 33 is NaN or infinite", "damaged")
		}
	}
}

// TestMappedStops cancels while sources are read.
func TestMappedStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	parent := t.TempDir()
	_, err := bundle.ImportWith(ctx, tree(t, synthetic.Options{}, nil), filepath.Join(parent, "out"), bundle.Options{Progress: func(string, int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v", err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// TestSourceChangesMeanwhile writes to a checkpoint while it is imported.
func TestSourceChangesMeanwhile(t *testing.T) {
	src := tree(t, synthetic.Options{}, nil)
	path := filepath.Join(src, "ckpts", "sdxl", "unet", "sdxl-unet.bin")
	for _, copied := range []bool{false, true} {
		refused(t, src, bundle.Options{Copy: copied, Progress: func(string, int64, int64) {
			now := time.Now()
			if err := os.Chtimes(path, now, now.Add(time.Second)); err != nil {
				t.Error(err)
			}
		}}, "sdxl-unet.bin changed during the import", "import again")
	}
}
