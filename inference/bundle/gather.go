package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/prompt"
)

// baseModel says where the networks of a text-to-image model lie. A function is nil where the layout has no such network.
type baseModel struct {
	name       string
	unet       func() (checkpoint.Source, *network.UNetConfig, error) // no config: it is told from the tensors
	text       func() ([]textModel, error)
	vae        func() (checkpoint.Source, network.VAEConfig, error)
	schedule   func() (Schedule, error)
	tokenizers []string // folders, one per text encoder
	root       string   // of the released tree, beside which a file may have what it lacks; empty elsewhere
}

// visualModel says where that lies which RealCustom++ adds: one file with visual keys and values and the projector, and the
// image encoders.
type visualModel struct {
	overlay func() (checkpoint.Source, error)
	// encoders fills in config what it does not say. class is what the projector's tensors show.
	encoders func(class string) (visionConfig, []imageEncoder, error)
	model    func() (modelConfig, error)
}

// gather finds out the layout of the source and fills the ingredients and the manifest. It reports all problems together.
func (im *importer) gather() error {
	base, visual, err := im.layout()
	if err != nil {
		return err
	}
	im.name = base.name
	ownUNet := im.base == ""
	var given baseModel
	if !ownUNet {
		if given, err = im.baseLayout(); err != nil {
			return err
		}
	}
	if base.root != "" {
		if err := im.fromFileBeside(&base, given); err != nil {
			return err
		}
	}
	if !ownUNet {
		base = im.complete(given, base)
		im.name += " on " + base.name
	}
	var errs []error
	keep := func(err error) {
		if err != nil && !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == err.Error() }) { // of a file that is read twice
			errs = append(errs, err)
		}
	}
	var unetErr, textErr, vaeErr, overlayErr, visionErr error
	unet, config, unetErr := base.unet()
	keep(unetErr)
	im.text, textErr = base.text()
	keep(textErr)
	im.vaeWeights, im.vae, vaeErr = base.vae()
	keep(vaeErr)
	if im.schedule, err = base.schedule(); err == nil {
		err = im.predicts()
	}
	keep(err)
	overlay, overlayErr := visual.overlay()
	keep(overlayErr)
	if overlayErr == nil {
		_, _, im.projected = overlay.Shape(pooledProjected)
		im.projectorWeights, overlayErr = pick(overlay, regexp.QuoteMeta(projectorPrefix)+`\.(.*)`, "$1")
		keep(overlayErr)
	}
	class := ""
	if overlayErr == nil {
		class = projectorClass(im.projectorWeights)
	}
	im.vision, im.encoders, visionErr = visual.encoders(class)
	keep(visionErr)
	if visual.model != nil && ownUNet { // it describes the source's own base
		im.model, err = visual.model()
		keep(err)
	}
	keep(im.checkTokenizers(base.tokenizers))
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if im.unetWeights, err = im.merge(unet, overlay, ownUNet); err != nil {
		return err
	}
	if config == nil {
		c, err := unetConfig(im.unetWeights, im.text[len(im.text)-1].HiddenSize)
		if err != nil {
			return err
		}
		config = &c
	}
	im.unet = *config
	if err := im.projectorFits(class); err != nil {
		return err
	}
	im.projector = network.Projector{
		Class: im.vision.Projector, HeadDim: im.vision.HeadDim, Out: im.unet.CrossAttentionDim[0],
		Scope: "projector",
	}
	if err := im.fit(); err != nil {
		return err
	}
	im.manifest = im.describe()
	if err := im.manifest.checkNumbers(); err != nil {
		return unfit(err)
	}
	return nil
}

func unfit(err error) error {
	return message.Errorf("the sizes in the files of this model do not fit together: get all of them again\n%w", err)
}

// layout recognises the source.
func (im *importer) layout() (baseModel, visualModel, error) {
	info, err := os.Stat(im.src)
	if err != nil {
		return baseModel{}, visualModel{}, err
	}
	if !info.IsDir() {
		f, err := im.openFile(im.src)
		if err == nil {
			err = foreign(f)
		}
		if err == nil {
			err = im.oneFile(f)
		}
		if err == nil {
			err = message.New("this is one file; name the folder that holds the RealCustom++ checkpoints, and this file as the base (--base) if it is an SDXL model")
		}
		return baseModel{}, visualModel{}, err
	}
	// A downloader that asks the hub for ckpts/** into a folder ckpts makes ckpts/ckpts.
	for _, root := range []string{im.src, filepath.Join(im.src, "ckpts"), filepath.Join(im.src, "ckpts", "ckpts")} {
		if isDir(filepath.Join(root, "realcustom")) || isDir(filepath.Join(root, "sdxl")) {
			base, visual := im.release(root)
			base.root = root
			return base, visual, nil
		}
	}
	if err := foreignFolder(im.src); err != nil {
		return baseModel{}, visualModel{}, err
	}
	if !isDir(filepath.Join(im.src, "unet")) && !isDir(filepath.Join(im.src, "vision")) {
		return baseModel{}, visualModel{}, im.noTree()
	}
	return im.folder(im.src), im.folderVisual(im.src), nil
}

// baseLayout recognises the other base model.
func (im *importer) baseLayout() (baseModel, error) {
	info, err := os.Stat(im.base)
	if err != nil {
		return baseModel{}, err
	}
	if !info.IsDir() {
		return im.single(im.base)
	}
	if err := foreignFolder(im.base); err != nil {
		return baseModel{}, err
	}
	if !isDir(filepath.Join(im.base, "unet")) {
		return baseModel{}, message.Errorf("%s is not a base model: wanted a diffusers folder (unet, text_encoder, vae …) or one safetensors file, found %s", im.base, found(im.base))
	}
	m := im.folder(im.base)
	has := func(name string) bool { return isDir(filepath.Join(im.base, name)) }
	if !has("text_encoder") {
		m.text = nil
	}
	if !has("vae") {
		m.vae = nil
	}
	if !has("tokenizer") {
		m.tokenizers = nil
	}
	return m, nil
}

// complete takes from the source what a base model lacks.
func (im *importer) complete(given, source baseModel) baseModel {
	base, from := filepath.Base(im.base), filepath.Base(filepath.Clean(im.src))
	if given.text == nil {
		given.text = source.text
		im.tell(noTextEncoders(base, from))
	}
	if given.vae == nil {
		given.vae = source.vae
		im.tell(noAutoencoder(base, from))
	}
	if given.tokenizers == nil {
		given.tokenizers = source.tokenizers
	}
	if given.schedule == nil {
		given.schedule = source.schedule
	}
	return given
}

// What a model lacks and has from elsewhere.
func noTextEncoders(name, from string) *message.Error {
	return message.Note("the text encoders are taken from %s: %s has none of its own", from, name)
}

func noAutoencoder(name, from string) *message.Error {
	return message.Note("the autoencoder is taken from %s: %s has none of its own", from, name)
}

// checkTokenizers loads the tokenizers once, before anything is written.
func (im *importer) checkTokenizers(folders []string) error {
	var errs []error
	im.tokenizers = nil
	for i, t := range im.text {
		dir := folders[min(i, len(folders)-1)]
		tok, err := prompt.Load(files.DirFS(dir))
		if errors.Is(err, fs.ErrNotExist) && i < len(im.spareTokenizers) {
			if spare, bad := prompt.Load(files.DirFS(im.spareTokenizers[i])); bad == nil {
				tok, err, dir = spare, nil, im.spareTokenizers[i]
			}
		}
		im.tokenizers = append(im.tokenizers, dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, message.Errorf("the tokenizer in %s is incomplete: get vocab.json and merges.txt, or tokenizer.json (%w)", im.label(dir), err))
		case err != nil:
			errs = append(errs, message.Errorf("the tokenizer in %s cannot be used: get its files again (%w)", im.label(dir), err))
		case t.VocabSize > 0 && tok.Size() > t.VocabSize:
			errs = append(errs, message.Errorf("%s: the tokenizer has %d ids, but its text encoder knows %d: they belong to different models",
				im.label(dir), tok.Size(), t.VocabSize))
		}
	}
	return errors.Join(errs...)
}

// projectorPrefix is where the released checkpoints keep the projector, inside the U-Net.
const projectorPrefix = "encoder_hidden_states_vision_projection"

// visualLayers are the visual keys and values of the cross-attention layers, beside to_k and to_v of each attn2.
const visualLayers = `.*\.attn2\.to_[kv]_vision\.weight`

// pooledProjected is an empty tensor, there for its name alone: the visual weights learned beside a U-Net of SDXL that was given the pooled
// text through text_projection, as stock SDXL, and not without it, as that of the release. Sizes have the height first then, too.
const pooledProjected = "pooled_projected"

// visualWeights are those and the projector: all that RealCustom++ adds to a U-Net.
var visualWeights = visualLayers + "|" + regexp.QuoteMeta(projectorPrefix) + `\..*|` + pooledProjected

// pick takes the tensors that match a rule and leaves the others.
func pick(src checkpoint.Source, match, to string) (checkpoint.Source, error) {
	return checkpoint.Rename(src, checkpoint.Rule{Match: match, To: []string{to}},
		checkpoint.Rule{Match: `.*`, Reason: "it belongs to another network"})
}

// merge puts the visual weights, and what else the overlay brings, over the U-Net. The released application loads base, then
// RealCustom: so the overlay wins. (The
// scripts of the release load them the other way round; with a file that has no base weights both are the same.) Over a base that
// the user chose it brings its visual weights only.
func (im *importer) merge(unet, overlay checkpoint.Source, whole bool) (checkpoint.Source, error) {
	visual, err := pick(overlay, visualLayers, "$0")
	if err != nil {
		return nil, err
	}
	if len(visual.Entries()) == 0 || len(im.projectorWeights.Entries()) == 0 {
		return nil, message.Errorf("there are no visual weights (to_k_vision, to_v_vision and %s, found %d and %d tensors): this is a text-to-image model alone; name the RealCustom++ checkpoints as source and this model as its base (--base)", projectorPrefix, len(visual.Entries()),
			len(im.projectorWeights.Entries()))
	}
	plain, err := checkpoint.Rename(unet, checkpoint.Rule{
		Match:  visualWeights,
		Reason: "visual weights come from the RealCustom++ checkpoint",
	})
	if err != nil {
		return nil, err
	}
	rest, err := checkpoint.Rename(overlay, checkpoint.Rule{Match: visualWeights, Reason: "it is visual"})
	if err != nil {
		return nil, err
	}
	shared := 0
	for _, e := range rest.Entries() {
		if _, _, ok := plain.Shape(e.Name); ok {
			shared++
		}
	}
	switch {
	case shared > 0 && whole:
		im.tell(message.Note("the RealCustom++ file also carries %d tensors of the base U-Net: they replace the base's, as in the released application",
			shared))
	case len(rest.Entries()) > 0 && !whole:
		im.tell(message.Note("the RealCustom++ file also carries %d tensors of a base U-Net: ignored, because another base was chosen",
			len(rest.Entries())))
	}
	if whole {
		return checkpoint.Overlay(checkpoint.Overlay(plain, rest), visual), nil
	}
	return checkpoint.Overlay(plain, visual), nil
}

// fit compares the networks with each other: whether they belong to one model.
func (im *importer) fit() error {
	var errs []error
	refuse := func(err error) { errs = append(errs, err) }
	cross, last := im.unet.CrossAttentionDim[0], im.text[len(im.text)-1].HiddenSize
	if n := im.unet.InChannels; n > im.unet.OutChannels {
		refuse(message.Errorf("the U-Net takes %d channels: it is an inpainting or editing model; use the text-to-image model of the same family", n))
	} else if n != im.vae.LatentChannels || n != im.unet.OutChannels {
		refuse(message.Errorf("the U-Net works on %d channels in and %d out, the autoencoder on %d: they belong to different models", n,
			im.unet.OutChannels, im.vae.LatentChannels))
	}
	if cross == 1024 && !im.unet.TextTime() {
		refuse(message.New("the U-Net is of Stable Diffusion 2 (cross_attention_dim 1024); RealCustom++ works on SDXL and Stable Diffusion 1.5"))
	}
	if cross == 1280 && im.unet.TextTime() {
		refuse(message.New("the U-Net is that of the SDXL refiner (cross_attention_dim 1280), which works on finished pictures; use the SDXL base model"))
	}
	var widths []string
	width := 0
	for _, t := range im.text {
		width += t.HiddenSize
		widths = append(widths, fmt.Sprint(t.HiddenSize))
	}
	if width != cross {
		misfit := message.Errorf("text encoders give %d channels (%s), the U-Net wants %d (cross_attention_dim): they belong to different models", width,
			strings.Join(widths, " + "), cross)
		if text, unet := families[width], families[cross]; text != "" && unet != "" {
			misfit = message.Errorf("%w (text of %s, U-Net of %s)", misfit, text, unet)
		}
		refuse(misfit)
	} else if im.unet.TextTime() && !im.projected && last != im.unet.PooledWidth() {
		refuse(message.Errorf("the last text encoder gives %d pooled channels, the U-Net wants %d: they belong to different models", last,
			im.unet.PooledWidth()))
	}
	// One sentence for visual weights of another family instead of a hundred misshapen tensors.
	for _, e := range im.unetWeights.Entries() {
		name, ok := strings.CutSuffix(e.Name, ".to_k_vision.weight")
		if !ok || len(e.Shape) != 2 {
			continue
		}
		q, _, known := im.unetWeights.Shape(name + ".to_q.weight")
		if !known || e.Shape[1] != cross || len(q) != 2 || q[0] != e.Shape[0] {
			misfit := message.Errorf("the visual weights belong to another U-Net: %s has shape %v, and this U-Net has queries %v over %d text channels there",
				e.Name, e.Shape, q, cross)
			if cross == 768 && e.Shape[1] == 2048 {
				misfit = message.Errorf("%w; RealCustom++ was released for SDXL only, for Stable Diffusion 1.5 its visual weights have to be trained",
					misfit)
			}
			refuse(misfit)
			break
		}
	}
	features := 0
	for _, e := range im.encoders {
		features += e.EmbedDim
	}
	if shape, _, ok := im.projectorWeights.Shape("min_attention.norm1.weight"); ok && !slices.Equal(shape, []int{features}) {
		refuse(message.Errorf("the projector reads %v image features, the image encoders give %d: they belong to different checkpoints", shape, features))
	}
	if shape, _, ok := im.projectorWeights.Shape("projector.4.bias"); ok && !slices.Equal(shape, []int{cross}) {
		refuse(message.Errorf("the projector gives %v channels, the U-Net wants %d: they belong to different models", shape, cross))
	}
	return errors.Join(errs...)
}

// families are known by the widths of their text.
var families = map[int]string{768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "SDXL"}

// projectorClass tells the released classes and the paper's apart by their tensors. The released programs use the highres class; of the
// shallow class only the output with the shallow features counts.
func projectorClass(src checkpoint.Source) string {
	has := func(name string) bool { _, _, ok := src.Shape(name); return ok }
	switch {
	case has("projector_base.0.weight"):
		return network.ProjectorCCP
	case has("min_attention2.norm1.weight"):
		return network.ProjectorShallow
	}
	return network.ProjectorHighRes
}

// openFile opens a weight file, or an index of parts, once.
func (im *importer) openFile(path string) (*checkpoint.File, error) {
	if err := im.ctx.Err(); err != nil {
		return nil, err
	}
	if f := im.opened[path]; f != nil {
		return f, nil
	}
	f, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	return f, im.take(path, f)
}

// take keeps an opened file, notes what in it is left out, and refuses one that has nothing inside, or says that its model was trained in
// another way.
func (im *importer) take(path string, f *checkpoint.File) error {
	if len(f.Entries()) == 0 {
		_ = f.Close() // read only: nothing is lost
		return message.Errorf("%s holds no weights: get the file again", im.label(path))
	}
	im.opened[path] = f
	im.noteIgnored(path, f.Ignored())
	if names := f.Strangers(); len(names) > 0 {
		shown := strings.Join(names[:min(len(names), 5)], ", ")
		if len(names) > 5 {
			shown += ", …"
		}
		im.tell(message.Note("%s: its pickle also names %s: nothing of that is made or run, and the weights do not need it", im.label(path), shown))
	}
	found, err := fileMarks(f)
	im.training.join(found)
	return err
}

// openFolder opens the weights of a model folder once.
func (im *importer) openFolder(dir string) (*checkpoint.File, error) {
	if err := im.ctx.Err(); err != nil {
		return nil, err
	}
	if f := im.opened[dir]; f != nil {
		return f, nil
	}
	if !isDir(dir) {
		if half := im.halfDownloaded(dir); half != "" {
			return nil, message.Errorf("the folder %s is missing (%s is an unfinished download: finish it)", im.label(dir), half)
		}
		return nil, message.Errorf("the folder %s is missing: get it again", im.label(dir))
	}
	f, err := checkpoint.OpenFolder(dir)
	if err != nil {
		if half := im.halfDownloaded(dir); half != "" {
			err = message.Errorf("%w (%s is an unfinished download: finish it)", err, half)
		}
		return nil, err
	}
	return f, im.take(dir, f)
}

// renamed gives the tensors of a file the names of the network definitions and notes what is left out.
func (im *importer) renamed(where string, f *checkpoint.File,
	rename func(checkpoint.Source) (*checkpoint.View, error),
) (checkpoint.Source, error) {
	v, err := rename(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", im.label(where), err)
	}
	im.noteIgnored(where, v.Ignored())
	return v, nil
}

// noteIgnored notes what is left out of a file, once for every reason.
func (im *importer) noteIgnored(where string, ignored []checkpoint.Ignored) {
	reasons := map[string]int{}
	for _, i := range ignored {
		reasons[i.Reason]++
	}
	const most = 8
	told := 0
	for _, i := range ignored {
		n := reasons[i.Reason]
		reasons[i.Reason] = 0
		switch {
		case n == 0 || told == most:
			continue
		case i.Name == "":
			im.note("%s: %s", im.label(where), i.Reason)
		case n == 1:
			im.note("%s: %s is ignored: %s", im.label(where), brief(i.Name), i.Reason)
		default:
			im.note("%s: %d entries such as %s are ignored: %s", im.label(where), n, brief(i.Name), i.Reason)
		}
		told++
	}
}

// tell notes what says something to who makes pictures with the model.
func (im *importer) tell(n *message.Error) {
	im.manifest.Notes = append(im.manifest.Notes, n.Error())
	im.manifest.Remarks = append(im.manifest.Remarks, message.PartsOf(n))
}

// note notes, in English alone, what nobody needs.
func (im *importer) note(format string, args ...any) {
	im.manifest.Notes = append(im.manifest.Notes, fmt.Sprintf(format, args...))
}

// label is how messages and the manifest call a path: relative to the source, or to the base with its name in front.
func (im *importer) label(path string) string {
	if rel, err := filepath.Rel(im.src, path); err == nil && filepath.IsLocal(rel) {
		if rel == "." {
			return filepath.Base(path)
		}
		return filepath.ToSlash(rel)
	}
	if im.base != "" {
		if rel, err := filepath.Rel(filepath.Dir(filepath.Clean(im.base)), path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return path
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// found is what a folder holds, as a value of a message.
func found(dir string) any {
	entries, err := files.Visible(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	switch {
	case err != nil:
		return err
	case len(names) == 0:
		return message.New("nothing")
	}
	return few(names)
}

// few names the first of some names.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	return strings.Join(names, ", ")
}
