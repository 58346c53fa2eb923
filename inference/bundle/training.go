package bundle

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"realword/inference/checkpoint"
	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/schedule"
	"realword/inference/tensor"
)

// This file collects every mark by which files say how a model was trained: entries of configurations, metadata of safetensors
// files, and tensors that are there for their name alone. Realword computes models that predict the noise (epsilon) or the velocity
// (v_prediction) on Stable Diffusion's schedule, the latter also rescaled to zero terminal SNR, or in the EDM formulation. A mark of
// anything else is refused by its name: such a model would import without a word and draw noise.

// Predictions are the kinds of training that Options.Prediction takes: epsilon, velocity, velocity with zero terminal SNR, and velocity
// in the EDM formulation.
var Predictions = []string{"epsilon", "v", "v-zero", "edm-v"}

// training is what files say of how a model was trained, of what is computed.
type training struct {
	said        map[*message.Error]*message.Error // velocity, zeroSNR or edmVelocity -> the first mark that says so
	least, most float64                           // noise levels of edmVelocity
}

// computed are the meanings of marks that are not refused.
var computed = []*message.Error{velocity, zeroSNR, edmVelocity}

// computedSo says that a mark is followed.
func computedSo(mark, what *message.Error) *message.Error {
	switch what {
	case velocity:
		return message.Note("%w: the model was trained for v-prediction, and is computed so", mark)
	case zeroSNR:
		return message.Note("%w: the model was trained with zero terminal SNR, and is computed so", mark)
	}
	return message.Note("%w: the model was trained in the EDM formulation with v-prediction, and is computed so", mark)
}

// join takes what another file says, too.
func (t *training) join(other training) {
	for what, mark := range other.said {
		t.say(what, mark)
	}
	if t.most == 0 {
		t.least, t.most = other.least, other.most
	}
}

func (t *training) say(what, mark *message.Error) {
	if t.said == nil {
		t.said = map[*message.Error]*message.Error{}
	}
	if t.said[what] == nil {
		t.said[what] = mark
	}
}

// predicts gives the schedule the kind of training that the files say, or the one that was asked for.
func (im *importer) predicts() error {
	s, said := &im.schedule, im.training.said
	least, most := im.training.least, im.training.most
	if most == 0 {
		least, most = 0.002, 120 // CosXL's
	}
	switch im.prediction {
	case "":
		if said[velocity] != nil && s.PredictionType == schedule.Epsilon && im.scheduleFile != "" && said[edmVelocity] == nil {
			return message.Errorf("%w: %w, but %s says %q: they belong to different models; if you know which is right, import with --prediction", said[velocity], velocity,
				im.scheduleFile, s.PredictionType)
		}
		if said[velocity] != nil || said[edmVelocity] != nil {
			s.PredictionType = schedule.Velocity
		}
		if said[edmVelocity] != nil {
			s.SigmaMin, s.SigmaMax = least, most
		} else if said[zeroSNR] != nil && s.PredictionType != schedule.Velocity {
			return message.Errorf("%w: %w, but nothing says that it predicts the velocity, as such a model must; if you know that it does, import with --prediction v-zero", said[zeroSNR], zeroSNR)
		}
		s.ZeroSNR = said[zeroSNR] != nil && s.SigmaMax == 0
		if im.unscheduled != "" && s.PredictionType == schedule.Epsilon {
			im.tell(message.Note("%s is missing, so the model is taken for one that predicts the noise: where it makes nothing but noise, get that file, or import it again with --prediction v",
				im.unscheduled))
		}
		for _, what := range computed {
			if mark := said[what]; mark != nil && (im.scheduleFile == "" || !strings.HasPrefix(mark.Error(), im.scheduleFile)) {
				im.tell(computedSo(mark, what))
			}
		}
	case "epsilon":
		s.PredictionType = schedule.Epsilon
	case "v":
		s.PredictionType = schedule.Velocity
	case "v-zero":
		s.PredictionType, s.ZeroSNR = schedule.Velocity, true
	case "edm-v":
		s.PredictionType, s.SigmaMin, s.SigmaMax = schedule.Velocity, least, most
	}
	if im.prediction != "" {
		im.tell(message.Note("it is computed for the prediction %s, which was asked for, whatever its files say", im.prediction))
	}
	if _, err := schedule.NewNoise(s.Config()); err != nil {
		return message.Errorf("the noise schedule of this model cannot be computed: get %s again, or use another model (%w)",
			cmp.Or(im.scheduleFile, im.src), err)
	}
	return nil
}

// edmConfig tells whether a scheduler's configuration is that of EDM with v-prediction and σ_data = 1, as CosXL has it: by its class, or
// as EulerDiscreteScheduler with continuous timesteps. most is 0 where it is not.
func edmConfig(config map[string]any) (mark string, least, most float64) {
	class, _ := config["_class_name"].(string)
	data := 1.0
	switch {
	case strings.HasPrefix(class, "EDM"):
		mark, data, least, most = "_class_name "+class, 0.5, 0.002, 80 // what is left out
	case config["timestep_type"] == "continuous":
		mark = "timestep_type continuous"
	default:
		return "", 0, 0
	}
	for key, at := range map[string]*float64{"sigma_data": &data, "sigma_min": &least, "sigma_max": &most} {
		if v, ok := config[key].(float64); ok {
			*at = v
		}
	}
	if config["prediction_type"] != schedule.Velocity || data != 1 || least <= 0 {
		return "", 0, 0
	}
	return mark, least, most
}

// trainedError says that a model was trained in a way that is not computed.
type trainedError struct {
	mark *message.Error // what stands where
	what *message.Error // what it means
}

// Told is the error for any language.
func (e *trainedError) Told() *message.Error {
	if !slices.Contains(trainings, e.what) {
		return other(e.mark, e.what)
	}
	return message.Note("%w: %w, but Realword runs only models trained to predict the noise (epsilon), or the velocity (v_prediction; also with zero terminal SNR, or as CosXL), on Stable Diffusion's schedule; use such a model", e.mark, e.what)
}

func (e *trainedError) Error() string { return e.Told().Error() }

// What a mark means.
var (
	velocity     = message.Note("the model was trained for v-prediction")
	zeroSNR      = message.Note("the model was trained with zero terminal SNR")
	edmVelocity  = message.Note("the model was trained in the EDM formulation with v-prediction")
	edm          = message.Note("the model was trained in the EDM formulation")
	flow         = message.Note("the model was trained by flow matching")
	normalised   = message.Note("its latents are normalised by mean and deviation")
	distilled    = message.Note("the model was distilled to run in few steps (LCM)")
	clean        = message.Note("the model was trained to predict the clean picture")
	neither      = message.Note("that is neither the noise nor the velocity")
	ownSchedule  = message.Note("the model was trained on a noise schedule of its own")
	editing      = message.Note("the model was trained for editing")
	inpainting   = message.Note("the model was trained for inpainting")
	depths       = message.Note("the model was trained with depth maps")
	fluxModel    = message.Note("this is a Flux model")
	sd2Model     = message.Note("this is a Stable Diffusion 2 model")
	sd3Model     = message.Note("this is a Stable Diffusion 3 model")
	refinerModel = message.Note("this is the SDXL refiner")
	controlNet   = message.Note("this is a ControlNet")
)

// trainings are the meanings that say how a model was trained; the others say that it is a model for something else, or none.
var trainings = []*message.Error{velocity, zeroSNR, edmVelocity, edm, flow, normalised, distilled, clean, neither, ownSchedule}

// shown are what a model shows by its networks: their channels, or the names of their weights. The pipeline that saved a folder does not
// say it, since all take the plain networks, too.
var shown = []*message.Error{inpainting, editing, depths, controlNet}

// predictions are what the entries say that name the prediction.
var predictions = map[string]*message.Error{
	"epsilon": nil, "eps": nil, "v": velocity, "v_prediction": velocity, "v-prediction": velocity,
	"velocity": velocity,
	"flow":     flow, "flow_prediction": flow, "rf": flow, "rectified_flow": flow, "edm": edm, "edm_vpred": edmVelocity, "edm_v": edmVelocity,
	"sample": clean, "*": neither,
}

// marks are the entries to look for, by the last part of their name in lower case ("modelspec.prediction_type" is
// "prediction_type", "ss_zero_terminal_snr" is "zero_terminal_snr"), with what they mean when they are set. Where
// values is given, only these mean something else, and the others are fine.
var marks = map[string]struct {
	what   *message.Error
	values map[string]*message.Error // value in lower case -> what it means; "*": every other one
}{
	"prediction_type": {values: predictions},
	"predict_key":     {values: predictions}, // what ComfyUI saves
	"parameterization": {values: map[string]*message.Error{
		"eps": nil, "epsilon": nil, "v": velocity,
		"x0": clean, "*": neither,
	}},
	"denoiser_scaling": {values: map[string]*message.Error{
		"vscaling": velocity, "vscalingwithedmcnoise": edmVelocity, "edmscaling": edm,
	}},
	"v_pred": {what: velocity}, "vpred": {what: velocity}, "v_prediction": {what: velocity}, "v_parameterization": {what: velocity},
	"ztsnr": {what: zeroSNR}, "zsnr": {what: zeroSNR}, "zero_terminal_snr": {what: zeroSNR}, "rescale_betas_zero_snr": {what: zeroSNR},
	"rescale_zero_terminal_snr": {what: zeroSNR},
	"trained_betas":             {what: ownSchedule},
	"edm_mean":                  {what: edm}, "edm_std": {what: edm}, "edm": {what: edm}, "sigma_data": {what: edm},
	"edm_vpred":    {what: edmVelocity},
	"latents_mean": {what: normalised}, "latents_std": {what: normalised},
	"timestep_type":   {values: map[string]*message.Error{"discrete": nil, "*": edm}},
	"use_flow_sigmas": {what: flow}, "use_dynamic_shifting": {what: flow},
	"time_cond_proj_dim":        {what: distilled},
	"requires_aesthetics_score": {what: refinerModel},
}

// classes are parts of class names in _class_name of configurations, and of modelspec.architecture in metadata.
var classes = []struct {
	part string
	what *message.Error
}{
	{"flowmatch", flow},
	{"edm", edm},
	{"wuerstchen", message.Note("this is a Würstchen model")},
	{"scoresde", edm},
	{"karrasve", edm},
	{"autoencodertiny", message.Note("this is a small substitute of an autoencoder")},
	{"consistencydecoder", message.Note("this is a decoder of another kind")},
	{"vqmodel", message.Note("this is an autoencoder with a codebook")},
	{"asymmetricautoencoder", message.Note("this is an autoencoder for inpainting")},
	{"refiner", refinerModel},
	{"inpaint", inpainting},
	{"pix2pix", editing},
	{"edit", editing},
	{"upscale", message.Note("the model was trained for upscaling")},
	{"depth2img", depths},
	{"stable-diffusion-v2", sd2Model},
	{"stable-diffusion-v3", sd3Model},
	{"stable-diffusion-3", sd3Model},
	{"stablediffusion3", sd3Model},
	{"stable-cascade", message.Note("this is a Stable Cascade model")},
	{"flux", fluxModel},
	{"/lora", message.Note("this is an addition to a model (LoRA), not a model")},
	{"/lycoris", message.Note("this is an addition to a model (LyCORIS), not a model")},
	{"controlnet", controlNet},
	{"textual-inversion", message.Note("this is a textual inversion, not a model")},
}

// marked tells what an entry of a name and a value means, nil for what is fine or known nothing of.
func marked(name string, value any) *message.Error {
	name = strings.ToLower(name)
	text := strings.ToLower(strings.TrimSpace(fmt.Sprint(value)))
	last := name[strings.LastIndex(name, ".")+1:]
	switch last {
	case "_class_name", "architecture":
		if _, isText := value.(string); !isText {
			return nil
		}
		for _, c := range classes {
			switch {
			case !strings.Contains(text, c.part):
			case strings.HasSuffix(text, "pipeline") && slices.Contains(shown, c.what): // whatever it was saved from
			default:
				return c.what
			}
		}
		return nil
	case "sigma_max", "sigma_min": // schedulers have them empty; EDM and its mixtures with v-prediction set them
		if strings.Contains(name, "edm_vpred") {
			return edmVelocity
		}
		if last == "sigma_max" && !empty(value) {
			return edm
		}
		return nil
	}
	m, known := marks[strings.TrimPrefix(last, "ss_")]
	switch {
	case !known || empty(value):
		return nil
	case m.values == nil:
		return m.what
	}
	if what, listed := m.values[text]; listed {
		return what
	}
	return m.values["*"]
}

// empty tells whether a value says that its entry is not set.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return slices.Contains([]string{"", "none", "null", "false", "no", "0", "0.0"}, strings.ToLower(strings.TrimSpace(v)))
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// mark takes a mark: the error refuses what is not computed.
func (t *training) mark(mark, what *message.Error) error {
	if slices.Contains(computed, what) {
		t.say(what, mark)
		return nil
	}
	return &trainedError{mark, what}
}

// configMarks looks for marks in a configuration that is a JSON object; where is what messages call it.
func configMarks(where string, data []byte) (found training, err error) {
	var config map[string]any
	if json.Unmarshal(data, &config) != nil {
		return found, nil // whoever wants something else of the file says so
	}
	var errs []error
	ofEDM, least, most := edmConfig(config)
	if ofEDM != "" {
		found.say(edmVelocity, says(where, ofEDM))
		found.least, found.most = least, most
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		what := marked(name, config[name])
		if what == nil || what == edm && ofEDM != "" {
			continue
		}
		value, _ := json.Marshal(config[name])
		errs = append(errs, found.mark(says(where, fmt.Sprintf("%s %s", brief(name), brief(string(value)))), what))
	}
	return found, errors.Join(errs...)
}

// originalMarks are lines of the configurations of the original programs, ldm and sgm, that say how a model was trained.
var originalMarks = regexp.MustCompile(
	`(?m)^[ \t]*(?:target:[ \t]*["']?[\w.]*\.)?(parameterization|denoiser_scaling)[:.][ \t]*["']?(\w+)["']?[ \t\r]*(?:#.*)?$`)

// marksBeside looks for marks in NAME.yaml beside a checkpoint, which A1111's program and its relatives go by: for years it was all that
// told them of v-prediction.
func (im *importer) marksBeside(path string) error {
	path = strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"
	text, err := files.Read(path, maxConfig)
	if err != nil {
		return nil // mostly there is none
	}
	var errs []error
	for _, m := range originalMarks.FindAllStringSubmatch(string(text), 16) {
		if what := marked(m[1], m[2]); what != nil {
			errs = append(errs, im.training.mark(says(im.label(path), m[1]+" "+brief(m[2])), what))
		}
	}
	return errors.Join(errs...)
}

// says is a mark that stands in a file as it is.
func says(file, mark string) *message.Error { return message.Note("%s says %s", file, mark) }

// fileMarks looks for marks in the metadata and in the names of the tensors of a checkpoint, and at the noise schedule that some
// carry along.
func fileMarks(src checkpoint.Source) (found training, err error) {
	var refused []*trainedError
	mark := func(mark, what *message.Error) {
		if slices.Contains(computed, what) {
			found.say(what, mark)
			return
		}
		refused = append(refused, &trainedError{mark, what})
	}
	if f, ok := src.(*checkpoint.File); ok {
		meta := f.Metadata()
		for _, name := range slices.Sorted(maps.Keys(meta)) {
			if what := marked(name, meta[name]); what != nil {
				mark(says(pathOf(src), fmt.Sprintf("%s %q", brief(name), brief(meta[name]))), what)
			}
		}
	}
	seen := map[*message.Error]bool{}
	for _, e := range src.Entries() {
		// Tensors that are marks stand at the top, or below a name that is one: "v_pred", "edm_vpred.sigma_max".
		top, _, nested := strings.Cut(strings.ToLower(e.Name), ".")
		what := marks[top].what
		if nested && !strings.HasPrefix(top, "edm") {
			what = nil
		}
		if strings.HasSuffix(e.Name, "time_embedding.cond_proj.weight") || strings.HasSuffix(e.Name, "time_embed.cond_proj.weight") {
			what = distilled
		}
		if what != nil && !seen[what] {
			seen[what] = true
			mark(message.Note("%s has %q among its tensors", pathOf(src), brief(e.Name)), what)
		}
	}
	if found.said[edmVelocity] == nil {
		scheduleMarks(src, mark)
	} else {
		found.least, found.most = value(src, "edm_vpred.sigma_min"), value(src, "edm_vpred.sigma_max")
		refused = slices.DeleteFunc(refused, func(e *trainedError) bool { return e.what == edm }) // which this says more exactly
	}
	var errs []error
	for _, e := range refused {
		errs = append(errs, e)
	}
	return found, errors.Join(errs...)
}

// value is the number in a tensor of one, 0 where there is none.
func value(src checkpoint.Source, name string) float64 {
	if shape, dtype, ok := src.Shape(name); !ok || !dtype.Float() || tensor.Count(shape) != 1 {
		return 0
	}
	t, err := src.Read(name)
	if err != nil {
		return 0 // the same file will say so where it matters
	}
	v, _ := strconv.ParseFloat(strconv.FormatFloat(float64(t.F32[0]), 'g', -1, 32), 64) // 0.002 stays 0.002
	return v
}

// scheduleMarks compares the noise schedule that programs of the first time stored in checkpoints with Stable Diffusion's. What is no
// schedule at all (merges add such buffers up) says nothing.
func scheduleMarks(src checkpoint.Source, mark func(mark, what *message.Error)) {
	usual := schedule.Default()
	rescaled := usual
	rescaled.PredictionType, rescaled.ZeroSNR = schedule.Velocity, true
	for _, name := range []string{"alphas_cumprod", "denoiser.sigmas"} {
		shape, dtype, ok := src.Shape(name)
		if !ok || !dtype.Float() || len(shape) != 1 || shape[0] < 10 || shape[0] > 1<<14 {
			continue
		}
		t, err := src.Read(name)
		if err != nil {
			continue // the same file will say so where it matters
		}
		found := slices.Clone(t.F32)
		if name == "denoiser.sigmas" { // σ² = (1-ᾱ)/ᾱ
			for i, s := range found {
				found[i] = 1 / (1 + s*s)
			}
		}
		if found[0] < found[len(found)-1] {
			slices.Reverse(found)
		}
		if !isSchedule(found) {
			continue
		}
		config := usual
		last := found[len(found)-1]
		if last < 1e-5 {
			config = rescaled
		}
		noise, err := schedule.NewNoise(config)
		if err != nil {
			continue
		}
		other := -1
		for i, a := range found {
			at := int(math.Round(float64(i) / float64(len(found)-1) * float64(noise.Steps()-1)))
			if want := noise.AlphaBar(at); math.Abs(float64(a-want)) > 0.02 && other < 0 {
				other = i
				mark(message.Note("%s has %s with an ᾱ of %.3f at step %d, where %.3f is usual", pathOf(src), name, float64(a), i, float64(want)),
					ownSchedule)
			}
		}
		if other < 0 && config == rescaled {
			mark(message.Note("%s has %s that ends at an ᾱ of %.2g", pathOf(src), name, float64(last)), zeroSNR)
		}
	}
}

// isSchedule tells whether numbers can be ᾱ: falling from nearly 1 to not below 0.
func isSchedule(a []float32) bool {
	for i, v := range a {
		if !(v >= 0 && v <= 1) || i > 0 && v > a[i-1] {
			return false
		}
	}
	return a[0] > 0.9 && a[len(a)-1] < 0.5
}

// brief keeps a value of a file from filling a message.
func brief(s string) string { return files.Shown(s, 80) }
