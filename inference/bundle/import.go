package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/network"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// Progress tells how far an import is. It is called on the importing goroutine.
type Progress func(what string, done, total int64)

// Import makes a bundle at dst out of a diffusers-style folder src (design §4 b). It holds one tensor at a time. All problems
// with tensors (missing, extra, misshapen) are reported together. dst must not exist or be empty; on any error nothing is left.
func Import(ctx context.Context, src, dst string, progress Progress) (*Bundle, error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	im := importer{ctx: ctx, src: src, progress: progress}
	defer im.close()
	if err := im.readConfigs(); err != nil {
		return nil, fmt.Errorf("import %s: %w", src, err)
	}
	if err := im.build(); err != nil {
		return nil, fmt.Errorf("import %s: %w", src, err)
	}
	if err := writeFolder(dst, false, im.write); err != nil {
		return nil, fmt.Errorf("import %s: %w", src, err)
	}
	return Open(dst)
}

type importer struct {
	ctx      context.Context
	src      string
	progress Progress
	manifest Manifest

	unet      network.UNetConfig
	text      []network.CLIPTextConfig
	vae       network.VAEConfig
	encoders  []namedViT
	projector network.Projector
	opened    []openFile

	graphs map[string]*onnx.Model
	files  []weightFile
}

type openFile struct {
	*checkpoint.File
	name string // relative to the checkpoint folder
}

type namedViT struct {
	name string
	network.ViTConfig
}

// weightFile is one external file of the bundle: a store for the graphs over a set of checkpoint tensors.
type weightFile struct {
	*nn.Store
	set  *checkpoint.Set
	name string
}

func (im *importer) close() {
	for _, f := range im.opened {
		_ = f.Close() // read only: nothing is lost
	}
}

// visionConfig is vision/config.json.
type visionConfig struct {
	Projector     string   `json:"projector"`
	HeadDim       int      `json:"head_dim"`
	ReferenceSize int      `json:"reference_size"`
	ViewSize      int      `json:"view_size"`
	Encoders      []string `json:"encoders"`
}

// modelConfig is realword.json, what no library's config has a place for. It may be absent.
type modelConfig struct {
	Name        string            `json:"name"`
	Family      string            `json:"family"`
	DefaultSize []int             `json:"default_size"` // width, height in pixels
	MinSize     int               `json:"min_size"`
	MaxSize     int               `json:"max_size"`
	Licences    texts             `json:"licences"`
	LatentRGB   [][3]float64      `json:"latent_rgb"`
	RGBBias     [3]float64        `json:"latent_rgb_bias"`
	Presets     map[string]Preset `json:"presets"`
}

// texts is a text or a list of texts.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// defaultPresets are the paper's and the release's own settings (facts §9).
var defaultPresets = map[string]Preset{
	"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2, MaskSource: string(network.LowCrossHighSelf)},
	"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25, MaskSource: string(network.AllCross), UncondVision: true},
}

func (im *importer) readJSON(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(im.src, filepath.FromSlash(name)))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is missing; a checkpoint folder has unet, text_encoder, tokenizer, vae and vision inside: %w", name, err)
		}
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s cannot be read (%w); download it again", name, err)
	}
	return nil
}

func (im *importer) has(name string) bool {
	_, err := os.Stat(filepath.Join(im.src, filepath.FromSlash(name)))
	return err == nil
}

// readConfigs reads every config.json, refuses what cannot be built, and fills the manifest.
func (im *importer) readConfigs() error {
	if info, err := os.Stat(im.src); err != nil {
		return err
	} else if !info.IsDir() {
		return errors.New("this is a file; name the folder that holds unet, text_encoder, tokenizer, vae and vision")
	}
	var errs []error
	read := func(name string, into any, validate func() error) {
		if err := im.readJSON(name, into); err != nil {
			errs = append(errs, err)
			return
		}
		if validate != nil {
			if err := validate(); err != nil {
				errs = append(errs, err)
			}
		}
	}
	read("unet/config.json", &im.unet, im.unet.Validate)
	for i := range 2 {
		name := textFolder(i)
		if i == 0 || im.has(name) {
			im.text = append(im.text, network.CLIPTextConfig{})
			c := &im.text[i]
			read(name+"/config.json", c, func() error { return c.Validate(name) })
		}
	}
	read("vae/config.json", &im.vae, im.vae.Validate)
	schedule := Schedule{TrainSteps: 1000, BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear", PredictionType: "epsilon"}
	if im.has("scheduler/scheduler_config.json") {
		var s struct {
			TrainSteps     int     `json:"num_train_timesteps"`
			BetaStart      float64 `json:"beta_start"`
			BetaEnd        float64 `json:"beta_end"`
			BetaSchedule   string  `json:"beta_schedule"`
			PredictionType string  `json:"prediction_type"`
		}
		read("scheduler/scheduler_config.json", &s, func() error {
			schedule = Schedule(s)
			if s.PredictionType == "" {
				schedule.PredictionType = "epsilon"
			}
			if schedule.PredictionType != "epsilon" || s.BetaSchedule != "scaled_linear" {
				return fmt.Errorf("scheduler/scheduler_config.json: prediction_type %q with beta_schedule %q; Realword runs models trained for epsilon with scaled_linear",
					s.PredictionType, s.BetaSchedule)
			}
			return nil
		})
	}
	var vision visionConfig
	read("vision/config.json", &vision, func() error {
		if len(vision.Encoders) == 0 || vision.ViewSize <= 0 || vision.ReferenceSize != 2*vision.ViewSize {
			return fmt.Errorf("vision/config.json: wanted a list of encoders and reference_size twice view_size, found %v, %d and %d", vision.Encoders, vision.ReferenceSize, vision.ViewSize)
		}
		for _, name := range vision.Encoders {
			if !regexp.MustCompile(`^[a-z0-9_]+$`).MatchString(name) {
				return fmt.Errorf("vision/config.json: encoder name %q is not a folder name", name)
			}
			im.encoders = append(im.encoders, namedViT{name: name})
			c := &im.encoders[len(im.encoders)-1].ViTConfig
			read("vision/"+name+"/config.json", c, func() error {
				c.ImgSize = vision.ViewSize
				return c.Validate("vision/" + name)
			})
		}
		return nil
	})
	var model modelConfig
	if im.has("realword.json") {
		read("realword.json", &model, nil)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if n := im.unet.InChannels; n != im.vae.LatentChannels || n != im.unet.OutChannels {
		return fmt.Errorf("unet works on %d channels in and %d out, the autoencoder on %d: they belong to different models", n, im.unet.OutChannels, im.vae.LatentChannels)
	}
	width := 0
	for _, t := range im.text {
		width += t.HiddenSize
	}
	if width != im.unet.CrossAttentionDim[0] {
		return fmt.Errorf("text encoders give %d channels, the U-Net wants %d (cross_attention_dim): they belong to different models", width, im.unet.CrossAttentionDim[0])
	}
	if im.unet.TextTime() && im.text[len(im.text)-1].HiddenSize != im.unet.PooledWidth() {
		return fmt.Errorf("the last text encoder gives %d pooled channels, the U-Net wants %d", im.text[len(im.text)-1].HiddenSize, im.unet.PooledWidth())
	}
	im.projector = network.Projector{Class: vision.Projector, HeadDim: vision.HeadDim, Out: im.unet.CrossAttentionDim[0], Scope: "projector"}
	im.manifest = im.describe(model, vision, schedule)
	return nil
}

func (im *importer) describe(model modelConfig, vision visionConfig, schedule Schedule) Manifest {
	if model.Name == "" {
		model.Name = filepath.Base(filepath.Clean(im.src))
	}
	if model.Family == "" {
		model.Family = "sd15"
		if im.unet.TextTime() {
			model.Family = "sdxl"
		}
	}
	multiple := im.vae.Factor() * im.unet.Multiple()
	if len(model.DefaultSize) != 2 {
		model.DefaultSize = []int{im.unet.SampleSize * im.vae.Factor(), im.unet.SampleSize * im.vae.Factor()}
	}
	if model.MinSize == 0 {
		model.MinSize = min(2*multiple, model.DefaultSize[0], model.DefaultSize[1])
	}
	if model.MaxSize == 0 {
		model.MaxSize = 2 * max(model.DefaultSize[0], model.DefaultSize[1])
	}
	if model.LatentRGB == nil {
		model.LatentRGB, model.RGBBias = latentRGB(im.unet.InChannels)
	}
	presets := maps.Clone(defaultPresets)
	for name, p := range model.Presets {
		p.UncondVision = name == "release"
		presets[name] = p
	}
	text := Text{Tokens: 77, Encoders: len(im.text), Pooled: im.unet.TextTime()}
	if text.Pooled {
		text.TimeIDs = 6
	}
	return Manifest{
		Schema: SchemaVersion, Name: model.Name, Family: model.Family, Licence: strings.Join(model.Licences, "; "),
		Latent: Latent{Channels: im.unet.InChannels, Factor: im.vae.Factor(), ScalingFactor: im.vae.ScalingFactor, RGB: model.LatentRGB, RGBBias: model.RGBBias},
		Size:   Size{Width: model.DefaultSize[0], Height: model.DefaultSize[1], Min: model.MinSize, Max: model.MaxSize, Multiple: multiple},
		Grid:   im.unet.Grid(), Attention: im.unet.AttentionGrids(), Layers: im.unet.CrossAttentionLayers(),
		Text:     text,
		Vision:   Vision{Reference: vision.ReferenceSize, View: vision.ViewSize, Tokens: im.projector.Tokens(im.encoders[0].Grid()), Width: im.projector.Out},
		Schedule: schedule, Presets: presets, Precision: "as stored: fp16 where the checkpoint has fp16, else fp32; computed in fp32",
		Graphs: map[string]string{}, Files: map[string]string{}, Sources: map[string]string{},
	}
}

// latentRGB returns a preview matrix where the checkpoint brings none: the first three channels as red, green and blue around
// grey. Pictures made of it have false colours but true shapes.
func latentRGB(channels int) ([][3]float64, [3]float64) {
	rows := make([][3]float64, channels)
	for i := range min(channels, 3) {
		rows[i][i] = 0.25
	}
	return rows, [3]float64{0.5, 0.5, 0.5}
}

// projectorPrefix is where the released checkpoints keep the projector, inside the U-Net.
const projectorPrefix = "encoder_hidden_states_vision_projection"

// build opens the weight files and builds every graph; all problems are joined.
func (im *importer) build() error {
	im.graphs = map[string]*onnx.Model{}
	var errs []error
	open := func(folder string, rename func(checkpoint.Source) (*checkpoint.View, error)) checkpoint.Source {
		v, err := im.open(folder, rename)
		if err != nil {
			errs = append(errs, err)
			return checkpoint.Join(nil)
		}
		return v
	}
	unet := open("unet", func(src checkpoint.Source) (*checkpoint.View, error) { return checkpoint.Rename(src) })
	texts := map[string]checkpoint.Source{}
	var textEncoders []network.TextEncoder
	for i, c := range im.text {
		name := textFolder(i)
		texts[name] = open(name, checkpoint.TextModel)
		textEncoders = append(textEncoders, network.TextEncoder{Config: c, Scope: name + ".text_model"})
	}
	vision := map[string]checkpoint.Source{}
	var encoders []network.Encoder
	for _, e := range im.encoders {
		vision[e.name] = positions{open("vision/"+e.name, checkpoint.VisionTransformer), e.Grid()}
		encoders = append(encoders, network.Encoder{Config: e.ViTConfig, Scope: e.name})
	}
	vae := open("vae", checkpoint.Autoencoder)
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	unet, projector, err := splitProjector(unet)
	if err != nil {
		return err
	}
	vision["projector"] = projector

	add := func(name string, model *onnx.Model, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		im.graphs[name] = model
	}
	text := im.newFile("text", checkpoint.Join(texts))
	text.set.Ignore(`.*\.text_projection\.weight`, "the release takes the pooled text unprojected")
	if im.unet.TextTime() {
		for i, c := range im.text[:len(im.text)-1] {
			text.set.Ignore(fmt.Sprintf(`%s\.text_model\.(encoder\.layers\.%d|final_layer_norm)\..*`, textFolder(i), c.Layers-1), "the last but one layer is taken")
		}
	}
	model, err := network.TextGraph(textEncoders, im.unet.TextTime(), text.Store)
	add("text", model, err)

	see := im.newFile("vision", checkpoint.Join(vision))
	switch im.projector.Class {
	case network.ProjectorHighRes:
		see.set.Ignore(`projector\.(min_attention2|projector2)\..*`, "the highres projector does not use it")
	case network.ProjectorShallow:
		see.set.Ignore(`projector\.(min_attention|projector)\..*`, "the released shallow projector computes it and throws it away")
	}
	for _, e := range im.encoders {
		for i := e.Features[len(e.Features)-1] + 1; i < e.Depth; i++ {
			see.set.Ignore(fmt.Sprintf(`%s\.blocks\.%d\..*`, e.name, i), "it comes after the last feature that is taken")
		}
	}
	model, err = network.VisionGraph(encoders, im.projector, see.Store)
	add("vision", model, err)

	denoise := im.newFile("unet", unet)
	model, err = network.UNetGraph(im.unet, denoise.Store)
	add("unet", model, err)
	model, kvErr := network.TextKVGraph(im.unet, denoise.Store)
	add("text_kv", model, kvErr)
	model, kvErr = network.VisionKVGraph(im.unet, denoise.Store)
	add("vision_kv", model, kvErr)
	if err == nil { // the guidance branch has the same tensors, and so the same problems
		for _, source := range network.MaskSources {
			name := "guidance-" + string(source)
			if source == network.LowCrossHighSelf {
				name = "guidance"
			}
			model, err := network.GuidanceGraph(im.unet, denoise.Store, source)
			add(name, model, err)
		}
	}

	decode := im.newFile("vae", vae)
	decode.set.Ignore(`encoder\..*|quant_conv\..*`, "generating needs the decoder only")
	model, err = network.DecoderGraph(im.vae, decode.Store)
	add("decoder", model, err)

	for _, f := range im.files {
		f.set.Use(f.Used()...)
		if err := f.set.Err(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

func textFolder(i int) string { return []string{"text_encoder", "text_encoder_2"}[i] }

func (im *importer) newFile(name string, src checkpoint.Source) weightFile {
	set := checkpoint.NewSet(src)
	location := "weights/" + name + ".bin"
	f := weightFile{Store: nn.NewStore(src, location), set: set, name: location}
	im.files = append(im.files, f)
	return f
}

// open opens the weight file of a folder of the checkpoint under the names of the network definitions.
func (im *importer) open(folder string, rename func(checkpoint.Source) (*checkpoint.View, error)) (*checkpoint.View, error) {
	names := []string{"diffusion_pytorch_model.safetensors", "model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors",
		"diffusion_pytorch_model.bin", "pytorch_model.bin", "open_clip_pytorch_model.bin", "model.pth"}
	for _, name := range names {
		rel := folder + "/" + name
		if !im.has(rel) {
			continue
		}
		f, err := checkpoint.Open(filepath.Join(im.src, filepath.FromSlash(rel)))
		if err != nil {
			return nil, err
		}
		im.opened = append(im.opened, openFile{f, rel})
		v, err := rename(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rel, err)
		}
		return v, nil
	}
	return nil, fmt.Errorf("%s holds no weights; looked for %s", folder, strings.Join(names, ", "))
}

// splitProjector takes the projector out of the U-Net's tensors.
func splitProjector(unet checkpoint.Source) (rest, projector checkpoint.Source, err error) {
	name := regexp.QuoteMeta(projectorPrefix)
	rest, err = checkpoint.Rename(unet, checkpoint.Rule{Match: name + `\..*`, Reason: "it is the projector"})
	if err != nil {
		return nil, nil, err
	}
	projector, err = checkpoint.Rename(unet, checkpoint.Rule{Match: name + `\.(.*)`, To: []string{"$1"}}, checkpoint.Rule{Match: `.*`, Reason: "it is the U-Net"})
	return rest, projector, err
}

// write fills the bundle folder.
func (im *importer) write(dir string) error {
	m := &im.manifest
	put := func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		sum, err := hashFile(path)
		m.Files[name] = sum
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "weights"), 0o755); err != nil {
		return err
	}
	for _, f := range im.files {
		sum, err := f.Write(im.ctx, filepath.Join(dir, filepath.FromSlash(f.name)), func(done, total int64) { im.progress(f.name, done, total) })
		if err != nil {
			return err
		}
		m.Files[f.name] = sum
	}
	for _, name := range slices.Sorted(maps.Keys(im.graphs)) {
		m.Graphs[name] = name + ".onnx"
		if err := put(name+".onnx", im.graphs[name].Marshal()); err != nil {
			return err
		}
	}
	for i := range im.text {
		from := tokenizerDir(i)
		if i > 0 && !im.has(from) {
			from = tokenizerDir(0)
		}
		for _, name := range []string{"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"} {
			data, err := os.ReadFile(filepath.Join(im.src, from, name))
			if errors.Is(err, os.ErrNotExist) && name != "vocab.json" && name != "merges.txt" {
				continue
			}
			if err != nil {
				return err
			}
			if err := put(tokenizerDir(i)+"/"+name, data); err != nil {
				return err
			}
		}
	}
	for _, p := range im.opened {
		sum, err := hashFile(filepath.Join(im.src, filepath.FromSlash(p.name)))
		if err != nil {
			return err
		}
		m.Sources[p.name] = sum
	}
	if err := m.check(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ManifestName), append(data, '\n'), 0o644)
}

// positions serves a vision transformer's position embedding resampled to the grid in use.
type positions struct {
	checkpoint.Source
	grid int
}

// Entries implements checkpoint.Source.
func (p positions) Entries() []checkpoint.Entry {
	entries := slices.Clone(p.Source.Entries())
	for i, e := range entries {
		entries[i].Shape, entries[i].DType, _ = p.Shape(e.Name)
	}
	return entries
}

// Shape implements checkpoint.Source.
func (p positions) Shape(name string) ([]int, tensor.DType, bool) {
	shape, dtype, ok := p.Source.Shape(name)
	if ok && name == "pos_embed" && len(shape) == 3 && shape[1] != p.grid*p.grid {
		return []int{1, p.grid * p.grid, shape[2]}, tensor.F32, true
	}
	return shape, dtype, ok
}

// Read implements checkpoint.Source.
func (p positions) Read(name string) (*tensor.Tensor, error) {
	t, err := p.Source.Read(name)
	if err != nil || name != "pos_embed" {
		return t, err
	}
	return network.ResamplePositions(t, p.grid)
}
