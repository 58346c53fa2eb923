package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/synthetic"
)

func inspect(t *testing.T, src, base string) bundle.Inspection {
	t.Helper()
	in, err := bundle.Inspect(context.Background(), src, bundle.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestInspectSaysWhatImportDoes compares what is foretold with what comes.
func TestInspectSaysWhatImportDoes(t *testing.T) {
	release := tree(t, synthetic.Options{}, nil)
	folder := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	single := filepath.Join(ldm, "sdxl.safetensors")
	for _, c := range []struct {
		name, src, base string
		layout          bundle.Layout
	}{
		{"release", release, "", bundle.LayoutRelease},
		{"diffusers", folder, "", bundle.LayoutDiffusers},
		{"single file over the release", ldm, single, bundle.LayoutRelease},
		{"folder over the release", release, folder, bundle.LayoutRelease},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := inspect(t, c.src, c.base)
			if in.Layout != c.layout || in.Problems != nil {
				t.Fatalf("%q, %v", in.Layout, in.Problems)
			}
			b := importTree(t, c.src, bundle.Options{Base: c.base})
			m := b.Manifest()
			if in.Manifest.Name != m.Name || in.Manifest.Family != m.Family || in.Manifest.Size != m.Size {
				t.Errorf("foretold %s %s %v, came %s %s %v", in.Manifest.Name, in.Manifest.Family, in.Manifest.Size, m.Name, m.Family, m.Size)
			}
			if strings.Join(in.Manifest.Notes, "\n") != strings.Join(m.Notes, "\n") {
				t.Errorf("notes foretold %q, came %q", in.Manifest.Notes, m.Notes)
			}
			if in.Tensors < 100 || in.Source < in.Writes/2 || in.Source == 0 {
				t.Errorf("%d tensors, %d bytes of checkpoints, %d to write", in.Tensors, in.Source, in.Writes)
			}
			entries, err := os.ReadDir(filepath.Dir(c.src))
			if err != nil || len(entries) != 1 {
				t.Errorf("something was written beside the source: %v, %v", entries, err)
			}
		})
	}
}

func TestInspectKnowsBasesAndBundles(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	bare := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, without("vision/"))
	b := importTree(t, tree(t, synthetic.Options{}, nil), bundle.Options{})
	in := inspect(t, filepath.Join(ldm, "sdxl.safetensors"), "")
	if in.Layout != bundle.LayoutBase || in.Problems != nil || in.Manifest.Family != "sdxl" || in.Manifest.Name != "sdxl" || in.Tensors < 100 || !in.File {
		t.Errorf("single file: %+v", in)
	}
	// It has visual weights, so that only the image encoders are missing.
	if in := inspect(t, bare, ""); in.Layout != bundle.LayoutBase || in.Problems == nil || !strings.Contains(in.Problems.Error(), "vision") {
		t.Errorf("folder without encoders: %q, %v", in.Layout, in.Problems)
	}
	if in := inspect(t, b.Dir(), ""); in.Layout != bundle.LayoutBundle || in.Problems != nil || in.Manifest.Name != b.Manifest().Name {
		t.Errorf("bundle: %q, %v", in.Layout, in.Problems)
	}
	visual := filepath.Join(ldm, "ckpts", "realcustom", "RealCustom_highres.pth")
	if in := inspect(t, visual, ""); in.Layout != "" || in.Problems == nil || !strings.Contains(in.Problems.Error(), "visual weights of RealCustom++ alone") {
		t.Errorf("visual weights: %q, %v", in.Layout, in.Problems)
	}
}

func TestInspectReportsAllProblems(t *testing.T) {
	src := tree(t, synthetic.Options{}, changed("sdxl-unet.bin", func(f *synthetic.File) {
		f.Tensors = append(f.Tensors[40:45:45], f.Tensors[50:]...)
	}))
	_, wanted := bundle.Import(context.Background(), src, filepath.Join(t.TempDir(), "b"), nil)
	in := inspect(t, src, "")
	if wanted == nil || in.Problems == nil || !strings.Contains(wanted.Error(), in.Problems.Error()) {
		t.Errorf("foretold %v, came %v", in.Problems, wanted)
	}
	if in := inspect(t, filepath.Join(src, "nothing"), ""); !errors.Is(in.Problems, os.ErrNotExist) || in.Layout != "" {
		t.Errorf("%+v", in)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := bundle.Inspect(ctx, src, bundle.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRecognisable(t *testing.T) {
	pictures := t.TempDir()
	if err := os.WriteFile(filepath.Join(pictures, "dog.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		tree(t, synthetic.Options{}, nil):                            true,
		tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil): true,
		"model.safetensors":                                          true, "model.PTH": true, "dog.png": false, pictures: false,
	} {
		if bundle.Recognisable(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

func TestRename(t *testing.T) {
	b := importTree(t, tree(t, synthetic.Options{}, nil), bundle.Options{})
	first := b.Manifest().Name
	for _, name := range []string{"Mine", "Yours", first, "Mine"} {
		if err := bundle.Rename(b.Dir(), " "+name+" "); err != nil {
			t.Fatal(err)
		}
	}
	again, err := bundle.Open(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	m := again.Manifest()
	if m.Name != "Mine" || !m.Named(first) || !m.Named("Yours") || m.Named("other") || len(m.Was) != 2 {
		t.Errorf("%q, was %q", m.Name, m.Was)
	}
	if err := again.CheckFiles(context.Background()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "  ", "two\nlines", strings.Repeat("x", 81)} {
		if bundle.Rename(b.Dir(), bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if err := bundle.Rename(t.TempDir(), "x"); err == nil {
		t.Error("a folder without a model was renamed")
	}
}
