// Package synthetic makes checkpoints of RealCustom++ with random weights: the files, names, shapes and types of the released tree,
// of a diffusers-style folder and of a single-file SDXL, at full and at tiny width, and the same for Stable Diffusion 1.5. The
// importer and everything behind it are built and measured with them, because the real weights are too large for tests.
//
// Contract: names and shapes are written down here a second time, from the published networks and independently of packages network
// and checkpoint, so that a test of one against the other means something. Values are N(0, 0.02), those of norms near 1. The same
// seed gives the same tensor in every layout. Writing holds two tensors at a time and uses all CPU cores.
package synthetic

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"realword/inference/files"
	"realword/inference/tensor"
)

// The layouts that an import accepts.
const (
	Release   = "release"   // ckpts/… as released
	Diffusers = "diffusers" // one folder with everything
	LDM       = "ldm"       // sdxl.safetensors or sd15.safetensors beside the visual weights in ckpts/…
)

// Options say which checkpoint is made.
type Options struct {
	Layout  string       // Release when empty
	Sizes   Sizes        // Full, Tiny …
	DType   tensor.DType // F32, F16 or BF16
	Shallow bool         // the shallow projector instead of the highres one
	CCP     bool         // the paper's projector; it was never released
	Seed    int64
}

// File is one file of a checkpoint: tensors, or Text.
type File struct {
	Path    string // slash-separated
	Wrapper string // key under which a PyTorch file nests the tensors, often empty
	Tensors []Tensor
	Text    []byte
}

// Files lists what Write would write. Tests may change it before.
func Files(o Options) ([]File, error) {
	visual := "RealCustom_highres.pth"
	if o.Shallow {
		visual = "RealCustom_highres_shallow.pth"
	}
	s := o.Sizes
	overlay := slices.Concat(s.VisualKV(), s.Projector(o.Shallow))
	single := "sdxl.safetensors"
	if !s.textTime() {
		visual, single = "RealCustom_sd15.pth", "sd15.safetensors"
		if o.Layout == Release || o.Layout == "" {
			return nil, fmt.Errorf("RealCustom++ was released for SDXL only: choose layout %s or %s", Diffusers, LDM)
		}
	}
	if o.CCP {
		visual, overlay = "RealCustom_ccp.pth", slices.Concat(s.VisualKV(), s.PaperProjector())
	}
	switch o.Layout {
	case Release, "":
		text := s.TextModel(0)
		text = append(text, Tensor{Name: "text_model.embeddings.position_ids", DType: tensor.I64, Shape: []int{1, 77}})
		files := append(s.releasedVision(), File{Path: "ckpts/realcustom/" + visual, Tensors: overlay},
			File{Path: "ckpts/sdxl/unet/sdxl-unet.bin", Tensors: s.UNet()},
			File{Path: "ckpts/sdxl/vae/sdxl-vae.pth", Tensors: deprecatedAttention(s.Autoencoder())},
			File{Path: "ckpts/sdxl/vae/sdxl.json", Text: s.vaeConfig()},
			File{Path: "ckpts/sdxl/clip-sdxl-1/pytorch_model.bin", Tensors: text},
			File{Path: "ckpts/sdxl/clip-sdxl-1/config.json", Text: s.textConfig(0)},
			File{Path: "ckpts/sdxl/clip-sdxl-2/pytorch_model.bin", Tensors: s.TextModel(1)},
			File{Path: "ckpts/sdxl/clip-sdxl-2/config.json", Text: s.textConfig(1)})
		return append(files, s.tokenizers("ckpts/sdxl/clip-sdxl-1/", "ckpts/sdxl/clip-sdxl-2/")...), nil
	case LDM:
		files := append(s.releasedVision(), File{Path: "ckpts/realcustom/" + visual, Tensors: overlay},
			File{Path: single, Tensors: s.singleFile()})
		return append(files, s.tokenizers("ckpts/sdxl/clip-sdxl-1/", "ckpts/sdxl/clip-sdxl-2/")...), nil
	case Diffusers:
		class := "highres"
		if o.Shallow {
			class = "shallow"
		}
		if o.CCP {
			class = "ccp"
		}
		return s.diffusers(overlay, class), nil
	}
	return nil, fmt.Errorf("layout %q is unknown: choose %s, %s or %s", o.Layout, Release, Diffusers, LDM)
}

func (s Sizes) releasedVision() []File {
	siglip := slices.Concat(prefixed("visual.trunk.", s.SigLIPImage()), s.SigLIPText())
	return []File{
		{Path: "ckpts/vit_so400m_patch14_siglip_384/open_clip_pytorch_model.bin", Tensors: siglip},
		{Path: "ckpts/vit_large_patch14_reg4_dinov2.lvd142m/pytorch_model.bin", Tensors: s.DINOv2()},
	}
}

func (s Sizes) tokenizers(one, two string) []File {
	var files []File
	for i, dir := range []string{one, two}[:s.encoders()] {
		pad := []string{"<|endoftext|>", "!"}[i]
		for name, text := range tokenizerFiles(s.Vocabulary, pad) {
			files = append(files, File{Path: dir + name, Text: text})
		}
	}
	return files
}

func (s Sizes) diffusers(overlay []Tensor, class string) []File {
	encoder := func(v ViTSizes, heads, registers int, features []int, mean, std []float64) []byte {
		return text(map[string]any{
			"img_size": v.Patch * v.Grid, "patch_size": v.Patch, "embed_dim": v.Width, "depth": v.Depth,
			"num_heads": heads, "mlp_hidden": v.MLP,
			"class_token": registers > 0, "reg_tokens": registers, "layer_scale": registers > 0, "mean": mean, "std": std, "features": features,
		})
	}
	features := func(depth int) []int {
		deep := depth - 2
		if class == "highres" {
			return []int{deep}
		}
		step := int(math.Round(float64(deep) / 4))
		return []int{deep - 3*step, deep - 2*step, deep - step, deep}
	}
	half := []float64{0.5, 0.5, 0.5}
	config := map[string]any{
		"_class_name": "UNet2DConditionModel", "in_channels": 4, "out_channels": 4, "block_out_channels": s.Channels,
		"layers_per_block":             2,
		"transformer_layers_per_block": s.Depth, "cross_attention_dim": s.cross(), "use_linear_projection": s.textTime(),
		"norm_num_groups": 32, "act_fn": "silu", "flip_sin_to_cos": true, "freq_shift": 0, "sample_size": 64,
	}
	var heads []int
	var down, up []string
	for level, c := range s.Channels {
		kinds := []string{"CrossAttnDownBlock2D", "CrossAttnUpBlock2D"}
		if level == s.Plain {
			kinds = []string{"DownBlock2D", "UpBlock2D"}
		}
		heads, down, up = append(heads, max(1, c/64)), append(down, kinds[0]), append([]string{kinds[1]}, up...)
	}
	config["attention_head_dim"], config["down_block_types"], config["up_block_types"] = heads, down, up
	if s.Heads > 0 {
		config["attention_head_dim"] = s.Heads
	}
	if s.textTime() {
		config["sample_size"], config["addition_embed_type"], config["addition_time_embed_dim"] = 128, "text_time", s.TimeDim
		config["projection_class_embeddings_input_dim"] = s.Text[1].Width + 6*s.TimeDim
	}
	files := []File{
		{Path: "unet/config.json", Text: text(config)},
		{Path: "unet/diffusion_pytorch_model.safetensors", Tensors: slices.Concat(s.UNet(), overlay)},
		{Path: "text_encoder/config.json", Text: s.textConfig(0)},
		{Path: "text_encoder/model.safetensors", Tensors: s.TextModel(0)},
		{Path: "vae/config.json", Text: s.vaeConfig()},
		{Path: "vae/diffusion_pytorch_model.safetensors", Tensors: s.Autoencoder()},
		{Path: "vision/config.json", Text: text(map[string]any{
			"projector": class, "head_dim": 64, "reference_size": 768, "view_size": 384,
			"encoders": []string{"siglip", "dino"},
		})},
		{Path: "vision/siglip/config.json", Text: encoder(s.SigLIP, 16, 0, features(s.SigLIP.Depth), half, half)},
		{Path: "vision/siglip/model.safetensors", Tensors: s.SigLIPImage()},
		{Path: "vision/dino/config.json", Text: encoder(s.DINO, s.DINO.Width/64, 4, features(s.DINO.Depth), []float64{0.485, 0.456, 0.406},
			[]float64{0.229, 0.224, 0.225})},
		{Path: "vision/dino/model.safetensors", Tensors: s.DINOv2()},
	}
	if s.textTime() {
		files = append(files, File{Path: "text_encoder_2/config.json", Text: s.textConfig(1)},
			File{Path: "text_encoder_2/model.safetensors", Tensors: s.TextModel(1)})
	}
	return append(files, s.tokenizers("tokenizer/", "tokenizer_2/")...)
}

func text(v any) []byte {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // maps of plain values
	}
	return append(data, '\n')
}

func (s Sizes) textConfig(i int) []byte {
	c := s.Text[i]
	act := []string{"quick_gelu", "gelu"}[i]
	return text(map[string]any{
		"hidden_size": c.Width, "intermediate_size": c.MLP, "num_hidden_layers": c.Layers,
		"num_attention_heads": c.Width / 64,
		"vocab_size":          s.Vocabulary, "max_position_embeddings": 77, "hidden_act": act, "eos_token_id": s.Vocabulary - 1,
	})
}

func (s Sizes) vaeConfig() []byte {
	scaling := 0.18215
	if s.textTime() {
		scaling = 0.13025
	}
	down, up := slices.Repeat([]string{"DownEncoderBlock2D"}, len(s.VAE)), slices.Repeat([]string{"UpDecoderBlock2D"}, len(s.VAE))
	return text(map[string]any{
		"_class_name": "AutoencoderKL", "down_block_types": down, "up_block_types": up, "act_fn": "silu",
		"block_out_channels": s.VAE, "in_channels": 3, "out_channels": 3,
		"latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "scaling_factor": scaling,
	})
}

// Write writes the files below dir, which must not exist or be empty. progress, when not nil, is told the bytes written and in
// all. On an error what was written is left, so that a full disk can be looked at.
func Write(ctx context.Context, dir string, list []File, o Options, progress func(file string, done, total int64)) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s already exists and is not empty; choose another folder or remove it", dir)
	}
	if torchStorages[o.DType] == "" || !o.DType.Float() {
		return fmt.Errorf("weights of type %v are not made: choose F32, F16 or BF16", o.DType)
	}
	var done, total int64
	for _, f := range list {
		for _, t := range f.Tensors {
			total += int64(o.bytes(t))
		}
	}
	if err := files.Fits(dir, total); err != nil {
		return err
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b File) int { return len(a.Tensors) - len(b.Tensors) })
	for _, f := range list {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if f.Tensors == nil {
			if err := os.WriteFile(path, f.Text, 0o644); err != nil {
				return err
			}
			continue
		}
		err := writeFile(ctx, path, f, o, func(n int64) {
			done += n
			if progress != nil {
				progress(f.Path, done, total)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

func (o Options) dtype(t Tensor) tensor.DType {
	if t.DType != tensor.Invalid {
		return t.DType
	}
	return o.DType
}

// bytes is the size of a tensor in its file.
func (o Options) bytes(t Tensor) int { return tensor.Count(t.Shape) * o.dtype(t).Size() }

func writeFile(ctx context.Context, path string, f File, o Options, wrote func(n int64)) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	if filepath.Ext(path) == ".safetensors" {
		err = writeSafetensors(ctx, w, f, o, wrote)
	} else {
		err = writeTorch(ctx, w, f, o, wrote)
	}
	if err == nil {
		err = w.Flush()
	}
	return errors.Join(err, out.Close())
}

// making makes the tensors of a file one after the other, on all processors and one ahead of write, which must not keep the bytes.
func making(ctx context.Context, tensors []Tensor, o Options, write func(t Tensor, data []byte) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type full struct {
		t    Tensor
		data []byte
	}
	empty, made := make(chan []byte, 2), make(chan full)
	empty <- nil
	empty <- nil
	go func() {
		defer close(made)
		for _, t := range tensors {
			var data []byte
			select {
			case data = <-empty:
			case <-ctx.Done():
				return
			}
			n := o.bytes(t)
			data = slices.Grow(data[:0], n)[:n]
			t.fill(data, o.Seed, o.dtype(t))
			select {
			case made <- full{t, data}:
			case <-ctx.Done():
				return
			}
		}
	}()
	for f := range made {
		if err := write(f.t, f.data); err != nil {
			return err
		}
		empty <- f.data
	}
	return ctx.Err()
}

func (f File) entries(o Options) []tensor.Entry {
	var entries []tensor.Entry
	for _, t := range f.Tensors {
		entries = append(entries, tensor.Entry{Name: t.Name, DType: o.dtype(t), Shape: t.Shape})
	}
	return entries
}

func writeSafetensors(ctx context.Context, w io.Writer, f File, o Options, wrote func(n int64)) error {
	byName := map[string]Tensor{}
	for _, t := range f.Tensors {
		byName[t.Name] = t
	}
	s, err := tensor.NewSafetensorsWriter(w, f.entries(o), map[string]string{"format": "pt"})
	if err != nil {
		return err
	}
	var ordered []Tensor
	for _, e := range s.Entries() {
		ordered = append(ordered, byName[e.Name])
	}
	err = making(ctx, ordered, o, func(t Tensor, data []byte) error {
		wrote(int64(len(data)))
		return s.WriteBytes(t.Name, data)
	})
	if err != nil {
		return err
	}
	return s.Close()
}

func writeTorch(ctx context.Context, w io.Writer, f File, o Options, wrote func(n int64)) error {
	out, err := newTorchWriter(w, f.entries(o), f.Wrapper)
	if err != nil {
		return err
	}
	i := 0
	err = making(ctx, f.Tensors, o, func(_ Tensor, data []byte) error {
		wrote(int64(len(data)))
		i++
		return out.storage(i-1, data)
	})
	if err != nil {
		return err
	}
	return out.close()
}
