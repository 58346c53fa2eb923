package inference

import (
	"context"
	"image/color"
	"path/filepath"
	"testing"

	"realword/inference/bundle"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// TestPreviewColours takes models of both families from checkpoint to preview and compares with what the authors of the factors
// published for whole pictures: of SDXL in the blog (0 to 255), of SD-1.5 in the forum (-1 to 1, shown as (x+1)/2).
func TestPreviewColours(t *testing.T) {
	for name, c := range map[string]struct {
		sizes synthetic.Sizes
		base  string
		want  map[[4]float32]color.RGBA
	}{
		"sdxl": {synthetic.Tiny, "sdxl.safetensors", map[[4]float32]color.RGBA{
			{}:             {150, 140, 130, 255},
			{1, 0, 0, 0}:   {210, 200, 190, 255}, // + 60 60 60: lighter
			{0, 1, 0, 0}:   {90, 135, 140, 255},  // - 60 5 -10: cyan
			{0, 0, 1, 0}:   {175, 155, 125, 255}, // + 25 15 -5: yellow
			{-2, 0, 0, -1}: {100, 70, 45, 255},
		}},
		"sd15": {synthetic.TinySD15, "sd15.safetensors", map[[4]float32]color.RGBA{
			{}:           {127, 127, 127, 255},
			{1, 0, 0, 0}: {165, 153, 154, 255},
			{0, 0, 0, 1}: {104, 92, 67, 255},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := synthetic.Options{Sizes: c.sizes, Layout: synthetic.LDM, DType: tensor.F16}
			files, err := synthetic.Files(o)
			if err != nil {
				t.Fatal(err)
			}
			src := filepath.Join(t.TempDir(), "source")
			if err := synthetic.Write(context.Background(), src, files, o, nil); err != nil {
				t.Fatal(err)
			}
			in, err := bundle.Inspect(context.Background(), src, bundle.Options{Base: filepath.Join(src, c.base)})
			if err != nil || in.Problems != nil {
				t.Fatal(err, in.Problems)
			}
			for latent, want := range c.want {
				img, err := latentPreview(in.Manifest, tensor.Of(latent[:], 1, 4, 1, 1))
				if err != nil {
					t.Fatal(err)
				}
				got := img.RGBAAt(0, 0)
				for _, d := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
					if diff := int(d[0]) - int(d[1]); diff < -1 || diff > 1 {
						t.Errorf("latent %v is %v, wanted %v", latent, got, want)
						break
					}
				}
			}
		})
	}
}
