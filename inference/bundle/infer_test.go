package bundle

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/checkpoint"
	"realword/inference/network"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// shapes is a checkpoint without values, so that full width costs nothing.
type shapes struct {
	entries []checkpoint.Entry
	byName  map[string]checkpoint.Entry
}

func (s shapes) Entries() []checkpoint.Entry { return s.entries }

func (s shapes) Shape(name string) ([]int, tensor.DType, bool) {
	e, ok := s.byName[name]
	return e.Shape, e.DType, ok
}

func (s shapes) Read(name string) (*tensor.Tensor, error) { return nil, errors.New(name) }

// fileOf returns the file of a checkpoint whose path ends so.
func fileOf(t *testing.T, files []synthetic.File, ending string) checkpoint.Source {
	t.Helper()
	s := shapes{byName: map[string]checkpoint.Entry{}}
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ending) {
			continue
		}
		for _, x := range f.Tensors {
			e := checkpoint.Entry{Name: x.Name, DType: tensor.F16, Shape: x.Shape}
			s.entries = append(s.entries, e)
			s.byName[x.Name] = e
		}
	}
	slices.SortFunc(s.entries, func(a, b checkpoint.Entry) int { return strings.Compare(a.Name, b.Name) })
	if len(s.entries) == 0 {
		t.Fatalf("no file %s", ending)
	}
	return s
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestFullWidth infers the configurations of the release at full width, compares them with the published ones, and builds
// every graph: all names and shapes fit. The base comes from the released files and from a single file, the projector in both classes.
func TestFullWidth(t *testing.T) {
	wantUNet := network.UNetConfig{
		InChannels: 4, OutChannels: 4, BlockOutChannels: []int{320, 640, 1280}, LayersPerBlock: network.PerLevel{2, 2, 2},
		DownBlockTypes: []string{"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}, UpBlockTypes: []string{"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"},
		TransformerLayers: network.PerLevel{1, 2, 10}, CrossAttentionDim: network.PerLevel{2048}, NumAttentionHeads: network.PerLevel{5, 10, 20}, NormNumGroups: 32, ActFn: "silu",
		FlipSinToCos: true, AdditionEmbedType: "text_time", AdditionTimeDim: 256, ProjectionInputDim: 2816, SampleSize: 128,
	}
	if err := wantUNet.Validate(); err != nil {
		t.Fatal(err)
	}
	wantText := []network.CLIPTextConfig{
		{VocabSize: 49408, HiddenSize: 768, Intermediate: 3072, Layers: 12, Heads: 12, Positions: 77, HiddenAct: "quick_gelu", LayerNormEps: 1e-5, EOS: 49407},
		{VocabSize: 49408, HiddenSize: 1280, Intermediate: 5120, Layers: 32, Heads: 20, Positions: 77, HiddenAct: "gelu", LayerNormEps: 1e-5, EOS: 49407},
	}
	wantVAE := network.VAEConfig{LatentChannels: 4, OutChannels: 3, BlockOutChannels: []int{128, 256, 512, 512}, LayersPerBlock: 2, NormNumGroups: 32, ScalingFactor: 0.13025}
	features := map[string][]int{"siglip": {7, 13, 19, 25}, "dino": {4, 10, 16, 22}}

	for _, o := range []synthetic.Options{{Layout: synthetic.Release}, {Layout: synthetic.LDM, Shallow: true}} {
		t.Run(o.Layout, func(t *testing.T) {
			o.Sizes = synthetic.Full
			files := must[[]synthetic.File](t)(synthetic.Files(o))
			im := importer{ctx: t.Context()}
			var unet checkpoint.Source
			var texts [2]checkpoint.Source
			if o.Layout == synthetic.LDM {
				parts := must[*checkpoint.SingleFile](t)(checkpoint.SplitSingleFile(fileOf(t, files, "sdxl.safetensors")))
				unet, texts[0], texts[1], im.vaeWeights = parts.UNet, parts.Text, parts.Text2, parts.Autoencoder
			} else {
				unet = fileOf(t, files, "sdxl-unet.bin")
				im.vaeWeights = must[*checkpoint.View](t)(checkpoint.Autoencoder(fileOf(t, files, "sdxl-vae.pth")))
				texts[0] = must[*checkpoint.View](t)(checkpoint.TextModel(fileOf(t, files, "clip-sdxl-1/pytorch_model.bin")))
				texts[1] = must[*checkpoint.View](t)(checkpoint.TextModel(fileOf(t, files, "clip-sdxl-2/pytorch_model.bin")))
			}
			for i, src := range texts {
				c := must[network.CLIPTextConfig](t)(textConfig(src, i))
				if err := c.Validate("text"); err != nil || c != wantText[i] {
					t.Errorf("text encoder %d: %+v (%v)", i, c, err)
				}
				im.text = append(im.text, textModel{c, src})
			}
			im.vae = must[network.VAEConfig](t)(vaeConfig(im.vaeWeights, true))
			if !reflect.DeepEqual(im.vae, wantVAE) {
				t.Errorf("autoencoder: %+v", im.vae)
			}
			visual := "RealCustom_highres.pth"
			im.vision = visionConfig{Projector: network.ProjectorHighRes, HeadDim: releaseHeadDim, ReferenceSize: releaseReference, ViewSize: releaseReference / 2}
			tokens := 729
			if o.Shallow {
				visual, tokens, im.vision.Projector = "RealCustom_highres_shallow.pth", 1458, network.ProjectorShallow
			}
			overlay := fileOf(t, files, visual)
			im.projectorWeights = must[checkpoint.Source](t)(pick(overlay, projectorPrefix+`\.(.*)`, "$1"))
			if class := projectorClass(im.projectorWeights); class != im.vision.Projector {
				t.Errorf("projector %s, wanted %s", class, im.vision.Projector)
			}
			for _, r := range releaseEncoders {
				file := "pytorch_model.bin"
				e := imageEncoder{name: r.name, weights: must[*checkpoint.View](t)(checkpoint.VisionTransformer(fileOf(t, files, r.folder+"/"+map[bool]string{true: "open_clip_"}[r.name == "siglip"]+file)))}
				e.ViTConfig = must[network.ViTConfig](t)(vitConfig(e.weights, r.deep, o.Shallow))
				e.ImgSize, e.NumHeads, e.Mean, e.Std = im.vision.ViewSize, r.heads(e.EmbedDim), r.mean, r.std
				want := features[r.name]
				if !o.Shallow {
					want = want[3:]
				}
				if err := e.Validate(r.name); err != nil || !slices.Equal(e.Features, want) || e.NumHeads != 16 || e.Grid() != 27 || e.ClassToken != (r.name == "dino") || e.RegTokens > 0 != e.ClassToken {
					t.Errorf("%s: %+v (%v)", r.name, e.ViTConfig, err)
				}
				im.encoders = append(im.encoders, e)
			}
			im.unetWeights = must[checkpoint.Source](t)(im.merge(unet, overlay, true))
			im.unet = must[network.UNetConfig](t)(unetConfig(im.unetWeights, 1280))
			if !reflect.DeepEqual(im.unet, wantUNet) {
				t.Errorf("U-Net: %+v", im.unet)
			}
			im.projector = network.Projector{Class: im.vision.Projector, HeadDim: im.vision.HeadDim, Out: 2048, Scope: "projector"}
			if err := errors.Join(im.fit(), im.build()); err != nil {
				t.Fatal(err)
			}
			if m := im.describe(); m.Vision.Tokens != tokens || m.Layers != 70 || m.Size.Width != 1024 || m.Size.Multiple != 32 || m.Grid != 2 {
				t.Errorf("manifest %+v", m)
			}
		})
	}
}

// TestEndOfTextOfALargerVocabulary: rows that were learned for new words follow CLIP's, whose end of text stays where transformers'
// CLIPTextConfig has it.
func TestEndOfTextOfALargerVocabulary(t *testing.T) {
	o := synthetic.Options{Layout: synthetic.LDM, Sizes: synthetic.Full}
	files := must[[]synthetic.File](t)(synthetic.Files(o))
	parts := must[*checkpoint.SingleFile](t)(checkpoint.SplitSingleFile(fileOf(t, files, "sdxl.safetensors")))
	for i, src := range []checkpoint.Source{parts.Text, parts.Text2} {
		larger := shapes{byName: map[string]checkpoint.Entry{}}
		for _, e := range src.Entries() {
			if strings.HasSuffix(e.Name, "token_embedding.weight") {
				e.Shape = []int{49410, e.Shape[1]}
			}
			larger.entries = append(larger.entries, e)
			larger.byName[e.Name] = e
		}
		c := must[network.CLIPTextConfig](t)(textConfig(larger, i))
		if err := c.Validate("text"); err != nil || c.VocabSize != 49410 || c.EOS != 49407 {
			t.Errorf("text encoder %d: %+v (%v)", i, c, err)
		}
	}
}

// TestSizesOfWhatIsNotRead: a type that PyTorch's files have and that is not read shows no shapes: what is said is why it is not read, and not
// that the file is incomplete.
func TestSizesOfWhatIsNotRead(t *testing.T) {
	files := must[[]synthetic.File](t)(synthetic.Files(synthetic.Options{Layout: synthetic.LDM, Sizes: synthetic.Tiny}))
	parts := must[*checkpoint.SingleFile](t)(checkpoint.SplitSingleFile(fileOf(t, files, "sdxl.safetensors")))
	for name, config := range map[string]func(checkpoint.Source) error{
		"U-Net":        func(src checkpoint.Source) error { _, err := unetConfig(src, 0); return err },
		"text":         func(src checkpoint.Source) error { _, err := textConfig(src, 0); return err },
		"autoencoder":  func(src checkpoint.Source) error { _, err := vaeConfig(src, true); return err },
		"vision tower": func(src checkpoint.Source) error { _, err := vitConfig(src, nil, true); return err },
	} {
		from := map[string]checkpoint.Source{"U-Net": parts.UNet, "text": parts.Text, "autoencoder": parts.Autoencoder}[name]
		if from == nil {
			from = must[*checkpoint.View](t)(checkpoint.VisionTransformer(fileOf(t, files, "reg4_dinov2.lvd142m/pytorch_model.bin")))
		}
		blind := shapes{byName: map[string]checkpoint.Entry{}}
		for _, e := range from.Entries() {
			blind.entries = append(blind.entries, checkpoint.Entry{Name: e.Name})
			blind.byName[e.Name] = checkpoint.Entry{Name: e.Name}
		}
		if err := config(blind); err == nil || err.Error() != blind.entries[0].Name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
