package bundle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/tensor"
)

// Progress tells of a file how many of its bytes were read or written. Several files are worked at by turns: calls come one at a
// time, from any goroutine, and should return at once.
type Progress func(what string, done, total int64)

// Options are what an import can be told beside source and target. All may be left out.
type Options struct {
	// Base is another text-to-image model to put under the visual weights of the source: a diffusers folder, or one safetensors
	// file in the layout of the original programs. What it lacks (text encoders, tokenizers, autoencoder) comes from the source.
	Base string
	// Copy gives the bundle weights of its own. Without it graphs point into the checkpoint files wherever the weights lie there as
	// they are wanted, and these must stay where they are. On Windows that is so on the bundle's own drive alone.
	Copy bool
	// Folder is where the bundle is going to lie, for Inspect, which makes none; "" means where the source lies.
	Folder   string
	Progress Progress
	// Name is what the model is called, one line of 1 to 80 letters. Without it the checkpoints or their folder give the name.
	Name string
	// Prediction overrules what the files say of how the model was trained: one of Predictions, or empty.
	Prediction string
	// Tokenizers are folders, one for each text encoder, for a source and a base that have none.
	Tokenizers []string
	// Beside are files that are put into the bundle's folder beside its own, by name. They are no part of the manifest.
	Beside map[string][]byte
}

// Import makes a bundle with weights of its own at dst out of the checkpoints at src; see ImportWith.
func Import(ctx context.Context, src, dst string, progress Progress) (*Bundle, error) {
	return ImportWith(ctx, src, dst, Options{Copy: true, Progress: progress})
}

// ImportWith makes a bundle at dst out of checkpoints: src is the released tree ckpts/… or a diffusers-style folder,
// which it recognises by itself. It holds one tensor at a time; every source is hashed, and what enters the model is searched for
// NaN and infinity. All problems with files and tensors (missing, extra, misshapen)
// are reported together. dst must not exist or be an empty folder, and that it can be made is proven first; when the import fails
// nothing is left, and what is finished is never deleted.
func ImportWith(ctx context.Context, src, dst string, o Options) (*Bundle, error) {
	im := newImporter(ctx, src, o)
	defer im.close()
	failed := func(err error) (*Bundle, error) { return nil, message.Errorf("import %s: %w", src, err) }
	if o.Prediction != "" && !slices.Contains(Predictions, o.Prediction) {
		return failed(message.Errorf("there is no prediction %q: choose one of %s", o.Prediction, strings.Join(Predictions, ", ")))
	}
	if o.Name != "" {
		if err := goodName(o.Name); err != nil {
			return failed(err)
		}
	}
	to, err := newTarget(dst)
	if err != nil {
		return failed(err)
	}
	im.volume = volume(to.dir)
	for _, step := range []func() error{im.gather, im.build, func() error { return im.store(to) }} {
		if err := step(); err != nil {
			return failed(err)
		}
	}
	return Open(dst)
}

func newImporter(ctx context.Context, src string, o Options) *importer {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return &importer{
		ctx: ctx, src: src, base: o.Base, called: o.Name, prediction: o.Prediction, beside: o.Beside, copy: o.Copy,
		progress: o.Progress, spareTokenizers: o.Tokenizers,
		opened: map[string]*checkpoint.File{}, real: map[string]string{},
	}
}

type importer struct {
	ctx       context.Context
	src, base string
	called    string
	beside    map[string][]byte
	copy      bool
	volume    string // where the model is going to lie, which is a drive or a share on Windows alone
	progress  Progress
	opened    map[string]*checkpoint.File // by path
	real      map[string]string           // path of a weight file -> the same absolute and without links

	training     training // what the files say of it
	scheduleFile string   // the configuration of the schedule, if there is one
	unscheduled  string   // where it should be in a folder of diffusers that has none
	prediction   string   // what overrules both

	spareTokenizers []string // see Options.Tokenizers

	ingredients
	manifest Manifest
	graphs   map[graph.Name]*onnx.Model
	files    []weightFile
}

// ingredients are the networks of a model, whatever layout they were found in: tensors under the names of the network
// definitions, and configurations.
type ingredients struct {
	name       string
	unet       network.UNetConfig
	vae        network.VAEConfig
	text       []textModel
	encoders   []imageEncoder
	projector  network.Projector
	vision     visionConfig
	model      modelConfig
	schedule   Schedule
	tokenizers []string // folders, one per text encoder
	projected  bool     // SDXL's pooled text goes through text_projection

	unetWeights, vaeWeights, projectorWeights checkpoint.Source
}

type textModel struct {
	network.CLIPTextConfig
	weights checkpoint.Source
}

type imageEncoder struct {
	name string
	network.ViTConfig
	weights checkpoint.Source
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
	Words       *Vocabulary       `json:"words"`
}

// check bounds what no other check looks at, or only when all the work is done.
func (c *modelConfig) check() error {
	const mostLicence, mostPresets, mostWords = 64 << 10, 16, 64 << 10
	licences := 0
	for _, l := range c.Licences {
		licences += len(l)
	}
	numbers := [][]float64{c.RGBBias[:]}
	for i := range c.LatentRGB {
		numbers = append(numbers, c.LatentRGB[i][:])
	}
	switch {
	case len([]rune(c.Name)) > longestName || strings.ContainsFunc(c.Name, unicode.IsControl):
		return fmt.Errorf("the name %q is not one line of up to %d letters", brief(c.Name), longestName)
	case licences > mostLicence:
		return fmt.Errorf("licences have %d letters, more than %d", licences, mostLicence)
	case c.Words != nil && c.Words.letters() > mostWords:
		return fmt.Errorf("words have %d letters, more than %d", c.Words.letters(), mostWords)
	case len(c.Presets) > mostPresets:
		return fmt.Errorf("it has %d presets, more than %d", len(c.Presets), mostPresets)
	case len(c.LatentRGB) > 64 || slices.ContainsFunc(numbers, func(row []float64) bool {
		return slices.ContainsFunc(row, func(x float64) bool { return !(math.Abs(x) <= 100) })
	}):
		return errors.New("latent_rgb and latent_rgb_bias are not factors of colours in 0..1")
	}
	for name, p := range c.Presets {
		if p.Steps < 0 || p.Steps > 1000 || p.Stop < 0 || p.Stop > 1000 || !(math.Abs(p.CFG) <= 1000) ||
			!(p.Rescale >= 0 && p.Rescale <= 1) || !(p.Scope >= 0 && p.Scope <= 1) || len(p.Negative) > 4<<10 {
			return fmt.Errorf("preset %q has numbers that no request can have", brief(name))
		}
	}
	return nil
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

// defaultPresets are the paper's and the release's own settings. The paper's: DDIM, no pictures in the unconditional pass, masks from
// coarse cross maps times fine self maps. The release's: DPM-Solver++, the fixed negative prompt, black pictures in the unconditional
// pass, all cross maps. γ 0.25 and ω 3.5 are its scripts' (its app has γ 0.2).
var defaultPresets = map[string]Preset{
	"paper": {
		Sampler: "ddim", Steps: 25, Stop: guidance.DefaultStop, CFG: 7.5, Scope: guidance.DefaultScope,
		MaskSource: guidance.LowCrossHighSelf.String(), Fit: picture.Pad,
	},
	"release": {
		Sampler: "dpm++", Steps: 25, Stop: guidance.DefaultStop, CFG: 3.5, Scope: 0.25, MaskSource: guidance.AllCross.String(),
		UncondVision: true, Negative: ReleaseNegative, Fit: picture.Stretch,
	},
}

// ReleaseNegative is what the released programs always send as the negative prompt: its 75 tokens, all that the text
// encoders read of a longer list.
const ReleaseNegative = "(((naked))), deformed, bad anatomy, disfigured, poorly drawn face, mutation, mutated, extra limb, ugly, disgusting, " +
	"poorly drawn hands, missing limb, floating limbs, disconnected limbs, malformed hands, blurry, ((((mutated hands and fingers)))), " +
	"watermark, watermarked, oversaturated, censored, distorted hands,"

// precision is what manifests say of it; whoever shows them has it in other languages, too.
var precision = message.Text("as stored: fp16 where the checkpoint has fp16, else fp32; computed in fp32, on CUDA the U-Net in fp16")

func (im *importer) describe() Manifest {
	model := im.model
	model.Name = cmp.Or(im.called, model.Name, im.name)
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
		model.LatentRGB, model.RGBBias = latentRGB(model.Family, im.unet.InChannels)
	}
	presets := maps.Clone(defaultPresets)
	if model.Family == "sd15" {
		presets["paper"] = paperSD15
		im.tell(message.Note("RealCustom++ was released for SDXL only: these visual weights for Stable Diffusion 1.5 were trained by someone else"))
	}
	for name, p := range model.Presets {
		p.UncondVision, p.Fit = name == "release", cmp.Or(p.Fit, picture.Pad)
		presets[name] = p
	}
	for name, p := range presets {
		if im.schedule.ZeroSNR { // guidance overexposes such models more than others (arXiv 2305.08891, Section 3.4)
			p.Rescale = cmp.Or(p.Rescale, 0.7)
			presets[name] = p
		}
	}
	text := Text{Tokens: 77, Chunks: true, Encoders: len(im.text), Pooled: im.unet.TextTime()}
	if text.Pooled {
		text.TimeIDs, text.HeightFirst = 6, im.projected // both are how stock SDXL was trained
	}
	return Manifest{
		Schema: SchemaVersion, Name: model.Name, Family: model.Family, Licence: strings.Join(model.Licences, "; "),
		Latent: Latent{
			Channels: im.unet.InChannels, Factor: im.vae.Factor(), ScalingFactor: im.vae.ScalingFactor, RGB: model.LatentRGB,
			RGBBias: model.RGBBias,
		},
		Size: Size{Width: model.DefaultSize[0], Height: model.DefaultSize[1], Min: model.MinSize, Max: model.MaxSize, Multiple: multiple},
		Grid: im.unet.Grid(), Attention: im.unet.AttentionGrids(), Layers: im.unet.CrossAttentionLayers(),
		Text: text, Words: model.Words,
		Vision: Vision{
			Reference: im.vision.ReferenceSize, View: im.vision.ViewSize, Tokens: im.projector.Tokens(im.encoders[0].Grid()),
			Width: im.projector.Out,
		},
		Schedule: im.schedule, Presets: presets, Networks: Networks{im.unet, im.vae},
		Precision: precision, Notes: im.manifest.Notes, Remarks: im.manifest.Remarks,
		Graphs: map[graph.Name]string{}, Files: map[string]string{}, Sources: map[string]string{},
	}
}

// build builds every graph; all problems are joined.
func (im *importer) build() error {
	if err := im.deepEnough(); err != nil {
		return err
	}
	im.graphs = map[graph.Name]*onnx.Model{}
	var errs []error
	texts := map[string]checkpoint.Source{}
	parts := network.Parts{Projector: im.projector, UNet: im.unet, VAE: im.vae}
	for i, t := range im.text {
		texts[textFolder(i)] = t.weights
		e := network.TextEncoder{Config: t.CLIPTextConfig, Scope: textFolder(i) + ".text_model"}
		if im.projected && im.unet.TextTime() {
			e.Projected = im.unet.PooledWidth() // of the last one
		}
		parts.Text = append(parts.Text, e)
	}
	vision := map[string]checkpoint.Source{"projector": im.projectorWeights}
	for _, e := range im.encoders {
		vision[e.name] = positions{e.weights, e.Grid()}
		parts.Vision = append(parts.Vision, network.Encoder{Config: e.ViTConfig, Scope: e.name})
	}

	build := func(f weightFile, list []network.Built) {
		for _, b := range list {
			if b.After != "" && im.graphs[b.After] == nil {
				continue
			}
			model, err := b.Build(parts, f.Store)
			if err = errors.Join(im.ctx.Err(), firstOf(b.Name, err)); err != nil {
				errs = append(errs, err)
			} else if model != nil {
				im.graphs[b.Name] = model
			}
		}
	}
	graphs := network.Graphs()
	text := im.newFile("text", checkpoint.Join(texts))
	text.set.Ignore(`.*\.text_projection\.weight`, "the U-Net takes the pooled text unprojected")
	for i, t := range im.text { // as in transformers
		for layer := t.Layers; has(t.weights, fmt.Sprintf("text_model.encoder.layers.%d.", layer)); layer++ {
			text.set.Ignore(fmt.Sprintf(`%s\.text_model\.encoder\.layers\.%d\..*`, textFolder(i), layer), "the configuration leaves it out")
		}
	}
	if im.unet.TextTime() {
		for i, c := range im.text[:len(im.text)-1] {
			text.set.Ignore(fmt.Sprintf(`%s\.text_model\.(encoder\.layers\.%d|final_layer_norm)\..*`, textFolder(i), c.Layers-1),
				"the last layer but one is used")
		}
	}
	build(text, graphs["text"])

	see := im.newFile("vision", checkpoint.Join(vision))
	switch im.projector.Class {
	case network.ProjectorHighRes:
		see.set.Ignore(`projector\.(min_attention2|projector2)\..*`, "the highres projector does not use it")
	case network.ProjectorShallow:
		see.set.Ignore(`projector\.(min_attention|projector)\..*`, "the released shallow projector computes it and throws it away")
	}
	for _, e := range im.encoders {
		for i := e.Features[len(e.Features)-1] + 1; i < e.Depth; i++ {
			see.set.Ignore(fmt.Sprintf(`%s\.blocks\.%d\..*`, e.name, i), "it comes after the last feature that is used")
		}
		see.set.Ignore(e.name+`\.norm\..*`, "it comes after the features that are used")
	}
	parts.Class = im.class(parts.Vision, see.set.Source)
	build(see, graphs["vision"])
	build(im.newFile("unet", im.unetWeights), graphs["unet"])
	decode := im.newFile("vae", im.vaeWeights)
	decode.set.Ignore(`encoder\..*|quant_conv\..*`, "the encoder has a file of its own")
	build(decode, graphs["vae"])

	for _, f := range im.files {
		f.set.Use(f.Used()...)
		if err := f.set.Err(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
		for _, i := range f.set.Ignored() {
			if i.Reason == checkpoint.NoWeight {
				im.note("%s is ignored: %s", brief(i.Name), i.Reason)
			}
		}
	}
	if len(errs) == 0 {
		if err := im.encoder(parts, graphs["vae_encoder"]); err != nil {
			im.tell(message.Note("the autoencoder's encoder is left out, so that no picture can begin with another one"))
			im.note("the autoencoder's encoder: %s", brief(err.Error()))
		}
	}
	switch {
	case im.ctx.Err() != nil:
		return im.ctx.Err()
	case len(errs) == 0:
		return nil
	}
	all := errors.Join(errs...)
	if unread, is := errors.AsType[*checkpoint.UnsupportedError](all); is {
		return fmt.Errorf("%w\n%w", unread, all)
	}
	return message.Errorf("the weights are not those of a whole model that Realword knows: get all its files again, or use another model\n%w", all)
}

// firstOf keeps the first of what is wrong with a graph's tensors, what cannot be read before the rest: that says what helps, and a
// checkpoint of another kind has a thousand.
func firstOf(name graph.Name, err error) error {
	const most = 40
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) || len(all.Unwrap()) <= most {
		return err
	}
	list := slices.Clone(all.Unwrap())
	slices.SortStableFunc(list, func(a, b error) int {
		_, x := errors.AsType[*checkpoint.UnsupportedError](a)
		_, y := errors.AsType[*checkpoint.UnsupportedError](b)
		return cmp.Compare(map[bool]int{false: 1}[x], map[bool]int{false: 1}[y])
	})
	return fmt.Errorf("build %s: %w\nand %d more", name, errors.Join(list[:most]...), len(list)-most)
}

// class is the image encoder of which the class token can be computed: it has one, all of its blocks, and the final norm. A model is
// complete without it: nil is noted.
func (im *importer) class(encoders []network.Encoder, weights checkpoint.Source) *network.Encoder {
	var why error
	for _, e := range encoders {
		if !e.Config.ClassToken {
			continue
		}
		if _, why = network.ClassGraph(e, nn.NewStore(weights, "tried")); why == nil {
			return &e
		}
	}
	im.tell(message.Note("hints of likeness are left out: no image encoder has a class token"))
	if why != nil {
		im.note("the class token: %s", brief(why.Error()))
	}
	return nil
}

// encoder builds the graphs of the autoencoder's other half, with weights in a file of their own. A model is complete without them:
// the error says why they are not made.
func (im *importer) encoder(parts network.Parts, list []network.Built) (err error) {
	encode := im.newFile("vae_encoder", im.vaeWeights)
	encode.set.Ignore(`decoder\..*|post_quant_conv\..*`, "it is the other half")
	made := map[graph.Name]*onnx.Model{}
	for _, b := range list {
		if err == nil {
			made[b.Name], err = b.Build(parts, encode.Store)
		}
	}
	encode.set.Use(encode.Used()...)
	if err = errors.Join(err, encode.set.Err()); err != nil {
		im.files = im.files[:len(im.files)-1]
		return err
	}
	maps.Copy(im.graphs, made)
	return nil
}

func textFolder(i int) string { return []string{"text_encoder", "text_encoder_2"}[i] }

func (im *importer) newFile(name string, src checkpoint.Source) weightFile {
	set := checkpoint.NewSet(src)
	location := "weights/" + name + ".bin"
	f := weightFile{Store: nn.NewStore(src, location), set: set, name: location}
	if l, ok := src.(locator); ok {
		f.CopyFrom(func(name string) (io.ReadCloser, int64, bool) { return stored(l, name) })
		if !im.copy {
			f.MapFrom(func(name string) (nn.Place, bool) { return im.place(l, name) })
		}
	}
	im.files = append(im.files, f)
	return f
}

// store makes the bundle folder.
func (im *importer) store(to target) error {
	const others = 16 << 20 // graphs and tokenizers
	need := int64(others)
	for _, f := range im.files {
		need += f.Size()
	}
	if err := files.Fits(to.dir, need); err != nil {
		return err
	}
	return to.write(func(tmp string) error {
		err := im.write(tmp)
		if err == nil || im.ctx.Err() != nil {
			return err
		}
		if full := files.Fits(tmp, others); full != nil { // somebody else wrote meanwhile
			return fmt.Errorf("%w: %w", full, err)
		}
		return err
	})
}

// weights writes the weight files and reads the sources, at the same time: one goroutine copies and then helps the other, which
// takes the checksums.
func (im *importer) weights(dir string) error {
	sources, err := im.sources()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "weights"), 0o777); err != nil {
		return err
	}
	var lock sync.Mutex
	progress := func(what string, done, total int64) {
		lock.Lock()
		defer lock.Unlock()
		im.progress(what, done, total)
	}
	ctx, cancel := context.WithCancelCause(im.ctx)
	defer cancel(nil)
	next := make(chan *source, len(sources))
	for _, s := range sources {
		next <- s
	}
	close(next)
	hash := func() error {
		for s := range next {
			label := im.label(s.path)
			if err := s.read(ctx, label, func(done int64) { progress(label, done, s.before.Size()) }); err != nil {
				return err
			}
		}
		return nil
	}
	write := func() error {
		for _, f := range im.files {
			if f.Size() == 0 {
				continue
			}
			sum, err := f.Write(ctx, filepath.Join(dir, filepath.FromSlash(f.name)), func(done, total int64) { progress(f.name, done, total) })
			if err != nil {
				return err
			}
			im.manifest.Files[f.name] = sum
		}
		return hash()
	}
	var both sync.WaitGroup
	for _, work := range []func() error{write, hash} {
		both.Go(func() {
			if err := work(); err != nil {
				cancel(err) // the first one counts
			}
		})
	}
	both.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, s := range sources {
		im.manifest.Sources[im.label(s.path)] = s.sum
		if len(s.spans) > 0 {
			im.manifest.Mapped = append(im.manifest.Mapped, MappedFile{
				Path: im.real[s.path], Size: s.before.Size(), Modified: s.before.ModTime().UTC(), SHA256: s.sum,
			})
		}
	}
	slices.SortFunc(im.manifest.Mapped, func(a, b MappedFile) int { return strings.Compare(a.Path, b.Path) })
	im.manifest.Mapped = slices.CompactFunc(im.manifest.Mapped, func(a, b MappedFile) bool { return a.Path == b.Path }) // links
	return nil
}

// write fills the bundle folder.
func (im *importer) write(dir string) error {
	m := &im.manifest
	put := func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return err
		}
		sum, err := hashFile(im.ctx, path, nil)
		m.Files[name] = sum
		return err
	}
	if err := im.weights(dir); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(im.graphs)) {
		m.Graphs[name] = string(name) + ".onnx"
		if err := put(m.Graphs[name], im.graphs[name].Marshal()); err != nil {
			return err
		}
	}
	for i, from := range im.tokenizers {
		files, err := prompt.Files(files.DirFS(from))
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if err := put(tokenizerDir(i)+"/"+name, files[name]); err != nil {
				return err
			}
		}
	}
	if err := m.check(); err != nil {
		return unfit(err)
	}
	for name, data := range im.beside {
		if !files.IsInside(name) || m.Files[name] != "" || name == ManifestName {
			return fmt.Errorf("%q cannot lie beside the files of a model", name)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o666); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ManifestName), append(data, '\n'), 0o666)
}

// locator tells where the tensors of a source lie.
type locator interface {
	Location(name string) (checkpoint.Location, bool)
}

// stored opens the bytes of a tensor that lies in one piece.
func stored(src locator, name string) (io.ReadCloser, int64, bool) {
	at, ok := src.Location(name)
	if !ok || !at.Dense || at.Path == "" {
		return nil, 0, false
	}
	f, err := files.Open(at.Path)
	if err != nil {
		return nil, 0, false // reading it the other way says why
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, at.Offset, at.Bytes), f}, at.Bytes, true
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

// Location tells where a tensor lies, false for resampled positions.
func (p positions) Location(name string) (checkpoint.Location, bool) {
	if l, ok := p.Source.(locator); ok {
		if shape, _, _ := p.Source.Shape(name); name != "pos_embed" || len(shape) == 3 && shape[1] == p.grid*p.grid {
			return l.Location(name)
		}
	}
	return checkpoint.Location{}, false
}

// Read implements checkpoint.Source.
func (p positions) Read(name string) (*tensor.Tensor, error) {
	t, err := p.Source.Read(name)
	if err != nil || name != "pos_embed" {
		return t, err
	}
	return network.ResamplePositions(t, p.grid)
}
