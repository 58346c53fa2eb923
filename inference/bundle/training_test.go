package bundle_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// resaved is a safetensors file with the tensors of another one, byte for byte, under the names that name gives them ("" leaves
// one out), with more tensors and with metadata.
func resaved(t *testing.T, path string, name func(string) string, more map[string]*tensor.Tensor, meta map[string]string) []byte {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	from := map[string]string{}
	var declared []tensor.Entry
	for _, e := range f.Entries() {
		if now := name(e.Name); now != "" {
			from[now] = e.Name
			declared = append(declared, tensor.Entry{Name: now, DType: e.DType, Shape: e.Shape})
		}
	}
	for n, extra := range more {
		declared = append(declared, tensor.Entry{Name: n, DType: extra.DType, Shape: extra.Shape})
	}
	var b bytes.Buffer
	w, err := tensor.NewSafetensorsWriter(&b, declared, meta)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range w.Entries() {
		if extra := more[e.Name]; extra != nil {
			err = w.Write(e.Name, extra)
		} else {
			at, _ := f.Location(from[e.Name])
			raw := make([]byte, at.Bytes)
			file, openErr := os.Open(at.Path)
			if openErr != nil {
				t.Fatal(openErr)
			}
			if _, err := file.ReadAt(raw, at.Offset); err != nil {
				t.Fatal(err)
			}
			file.Close()
			err = w.WriteBytes(e.Name, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func same(name string) string { return name }

// alphas is a noise schedule ᾱ of 1000 steps with linear √β (or β), perhaps scaled to end at zero as "Common Diffusion Noise
// Schedules and Sample Steps are Flawed" does it.
func alphas(start, end float64, linear, zero bool) *tensor.Tensor {
	out, product := tensor.Zeros(1000), 1.0
	roots := make([]float64, 1000)
	for i := range 1000 {
		at := float64(i) / 999
		beta := math.Pow(math.Sqrt(start)+at*(math.Sqrt(end)-math.Sqrt(start)), 2)
		if linear {
			beta = start + at*(end-start)
		}
		product *= 1 - beta
		roots[i] = math.Sqrt(product)
	}
	for i, r := range roots {
		if zero {
			r = (r - roots[999]) * roots[0] / (roots[0] - roots[999])
		}
		out.F32[i] = float32(r * r)
	}
	return out
}

// TestTrainedInAnotherWay: every mark of a training that Realword does not compute is refused by its name, in single files and in
// folders, and what only looks like one is not.
func TestTrainedInAnotherWay(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	single := filepath.Join(ldm, "sdxl.safetensors")
	none := tensor.Zeros(0)
	sigmas := func(scale float32) *tensor.Tensor {
		s := tensor.Zeros(1000)
		for i, a := range alphas(0.00085, 0.012, false, false).F32 {
			s.F32[i] = scale * float32(math.Sqrt(float64((1-a)/a)))
		}
		return s
	}
	for name, c := range map[string]struct {
		meta    map[string]string
		tensors map[string]*tensor.Tensor
		want    string // in the message; "" for a model that imports
	}{
		"v in the metadata":          {map[string]string{"modelspec.prediction_type": "v"}, nil, computed},
		"flow in the metadata":       {map[string]string{"modelspec.prediction_type": "rf"}, nil, "flow matching"},
		"unheard-of prediction":      {map[string]string{"modelspec.prediction_type": "wave"}, nil, `"wave": that is neither the noise nor`},
		"epsilon in the metadata":    {map[string]string{"modelspec.prediction_type": "epsilon", "modelspec.architecture": "stable-diffusion-xl-v1-base", "ss_v_parameterization": "False", "ss_zero_terminal_snr": "False"}, nil, ""},
		"v of a training script":     {map[string]string{"ss_v_parameterization": "True"}, nil, computed},
		"zero SNR of a script":       {map[string]string{"ss_zero_terminal_snr": "True"}, nil, "zero terminal SNR"},
		"refiner":                    {map[string]string{"modelspec.architecture": "stable-diffusion-xl-v1-refiner"}, nil, "refiner"},
		"inpainting":                 {map[string]string{"modelspec.architecture": "stable-diffusion-xl-v1-inpainting"}, nil, "inpainting"},
		"Stable Diffusion 2":         {map[string]string{"modelspec.architecture": "stable-diffusion-v2-768-v"}, nil, "Stable Diffusion 2"},
		"v of ComfyUI":               {map[string]string{"modelspec.predict_key": "v"}, nil, computed},
		"epsilon of ComfyUI":         {map[string]string{"modelspec.predict_key": "epsilon"}, nil, ""},
		"v_pred":                     {nil, map[string]*tensor.Tensor{"v_pred": none}, computed},
		"v_pred with ztsnr":          {nil, map[string]*tensor.Tensor{"v_pred": none, "ztsnr": none}, zero},
		"v and zero SNR of a script": {map[string]string{"ss_zero_terminal_snr": "True", "ss_v_parameterization": "True"}, nil, zero},
		"ztsnr":                      {nil, map[string]*tensor.Tensor{"ztsnr": none}, "import with --prediction v-zero"},
		"CosXL":                      {nil, map[string]*tensor.Tensor{"edm_vpred.sigma_max": tensor.Of([]float32{120}, 1), "edm_vpred.sigma_min": tensor.Of([]float32{0.002}, 1)}, edm},
		"CosXL with metadata":        {map[string]string{"modelspec.prediction_type": "edm"}, map[string]*tensor.Tensor{"edm_vpred.sigma_max": tensor.Of([]float32{120}), "edm_vpred.sigma_min": tensor.Of([]float32{0.002})}, edm},
		"CosXL, damaged":             {nil, map[string]*tensor.Tensor{"edm_vpred.sigma_max": tensor.Of([]float32{1}, 1), "edm_vpred.sigma_min": tensor.Of([]float32{2}, 1)}, "must rise"},
		"Playground":                 {nil, map[string]*tensor.Tensor{"edm_mean": tensor.Zeros(1, 4, 1, 1), "edm_std": tensor.Zeros(1, 4, 1, 1)}, "EDM"},
		"a whole CLIP": {nil, map[string]*tensor.Tensor{
			"conditioner.embedders.0.transformer.logit_scale":                             tensor.Zeros(),
			"conditioner.embedders.0.transformer.vision_model.embeddings.class_embedding": tensor.Zeros(4),
		}, ""},
		"LCM":                              {nil, map[string]*tensor.Tensor{"model.diffusion_model.time_embed.cond_proj.weight": tensor.Zeros(2, 2)}, "LCM"},
		"its schedule":                     {nil, map[string]*tensor.Tensor{"alphas_cumprod": alphas(0.00085, 0.012, false, false), "denoiser.sigmas": sigmas(1)}, ""},
		"a schedule that ends at 0":        {nil, map[string]*tensor.Tensor{"alphas_cumprod": alphas(0.00085, 0.012, false, true)}, "zero terminal SNR"},
		"v, and a schedule that ends at 0": {nil, map[string]*tensor.Tensor{"v_pred": none, "alphas_cumprod": alphas(0.00085, 0.012, false, true)}, zero},
		"another schedule that ends at 0":  {nil, map[string]*tensor.Tensor{"v_pred": none, "alphas_cumprod": alphas(0.0001, 0.02, true, true)}, "noise schedule of its own"},
		"a linear schedule":                {nil, map[string]*tensor.Tensor{"alphas_cumprod": alphas(0.0001, 0.02, true, false)}, "noise schedule of its own"},
		"other sigmas":                     {nil, map[string]*tensor.Tensor{"denoiser.sigmas": sigmas(3)}, "noise schedule of its own"},
		"no schedule at all":               {nil, map[string]*tensor.Tensor{"alphas_cumprod": tensor.Zeros(1000), "betas": tensor.Zeros(3)}, ""},
		"a long name":                      {map[string]string{"x.prediction_type": strings.Repeat("\x1b[2J", 500)}, nil, "that is neither the noise nor"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "base.safetensors")
			replace(t, file, resaved(t, single, same, c.tensors, c.meta))
			refusedFor(t, inspect(t, ldm, file), c.want)
			if alone := inspect(t, file, ""); (alone.Problems != nil) != (c.want != "" && !slices.Contains([]string{computed, zero, edm}, c.want)) {
				t.Errorf("alone: %v", alone.Problems)
			}
		})
	}

	folder := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	scheduler := map[string]any{
		"_class_name": "EulerDiscreteScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "epsilon",
		"trained_betas": nil, "rescale_betas_zero_snr": false, "timestep_type": "discrete", "sigma_min": nil, "sigma_max": nil, "use_flow_sigmas": false, "flow_shift": 1.0, "use_karras_sigmas": true,
	}
	for _, c := range []struct {
		file, key string
		value     any
		want      string
	}{
		{"scheduler/scheduler_config.json", "prediction_type", "epsilon", ""},
		{"scheduler/scheduler_config.json", "prediction_type", nil, ""},
		{"scheduler/scheduler_config.json", "prediction_type", "v_prediction", computed},
		{"scheduler/scheduler_config.json", "prediction_type", "flow_prediction", "flow matching"},
		{"scheduler/scheduler_config.json", "prediction_type", "sample", "clean picture"},
		{"scheduler/scheduler_config.json", "rescale_betas_zero_snr", true, "zero terminal SNR"},
		{"scheduler/scheduler_config.json", "trained_betas", []float64{0.1, 0.2}, "noise schedule of its own"},
		{"scheduler/scheduler_config.json", "beta_schedule", "linear", `"linear"`},
		{"scheduler/scheduler_config.json", "beta_schedule", "squaredcos_cap_v2", "squaredcos_cap_v2"},
		{"scheduler/scheduler_config.json", "beta_end", 1e308, "beta_end"},
		{"scheduler/scheduler_config.json", "beta_start", 0, "beta_start"},
		{"scheduler/scheduler_config.json", "num_train_timesteps", 1 << 40, "num_train_timesteps"},
		{"scheduler/scheduler_config.json", "sigma_data", 0.5, "EDM"},
		{"scheduler/scheduler_config.json", "sigma_max", 120, "EDM"},
		{"scheduler/scheduler_config.json", "timestep_type", "continuous", "EDM"},
		{"scheduler/scheduler_config.json", "use_flow_sigmas", true, "flow matching"},
		{"scheduler/scheduler_config.json", "_class_name", "FlowMatchEulerDiscreteScheduler", "flow matching"},
		{"scheduler/scheduler_config.json", "_class_name", "EDMDPMSolverMultistepScheduler", "EDM"},
		{"scheduler/scheduler_config.json", "prediction_type", changes{"prediction_type": "v_prediction", "rescale_betas_zero_snr": true}, zero},
		{"scheduler/scheduler_config.json", "_class_name", changes{"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction", "sigma_min": 0.002, "sigma_max": 120.0, "sigma_data": 1.0}, edm},
		{"scheduler/scheduler_config.json", "_class_name", changes{"_class_name": "EDMEulerScheduler", "prediction_type": "epsilon", "sigma_min": 0.002, "sigma_max": 120.0, "sigma_data": 1.0}, "EDM"},
		{"scheduler/scheduler_config.json", "_class_name", changes{"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction", "sigma_min": 0.002, "sigma_max": 120.0}, "EDM"},
		{"scheduler/scheduler_config.json", "timestep_type", changes{"timestep_type": "continuous", "prediction_type": "v_prediction", "sigma_min": 0.002, "sigma_max": 120.0}, edm},
		{"scheduler/scheduler_config.json", "_class_name", "LCMScheduler", ""},
		{"scheduler/scheduler_config.json", "_class_name", "TCDScheduler", ""},
		{"scheduler/scheduler_config.json", "_class_name", "PNDMScheduler", ""},
		{"vae/config.json", "latents_mean", []float64{1, 2, 3, 4}, "normalised"},
		{"vae/config.json", "latents_std", []float64{1, 2, 3, 4}, "normalised"},
		{"vae/config.json", "latents_mean", nil, ""},
		{"vae/config.json", "shift_factor", 0.0609, "shift_factor"},
		{"vae/config.json", "_class_name", "AutoencoderTiny", "small substitute"},
		{"vae/config.json", "_class_name", "AutoencoderKL", ""},
		{"unet/config.json", "time_cond_proj_dim", 256, "LCM"},
		{"model_index.json", "_class_name", "StableDiffusionXLInstructPix2PixPipeline", ""},
		{"model_index.json", "_class_name", "StableDiffusionXLControlNetPipeline", ""},
		{"model_index.json", "_class_name", "StableDiffusionXLInpaintPipeline", ""},
		{"model_index.json", "_class_name", "LatentConsistencyModelPipeline", ""},
		{"model_index.json", "_class_name", "FluxInpaintPipeline", "Flux"},
		{"model_index.json", "_class_name", "StableDiffusionUpscalePipeline", "upscaling"},
		{"unet/config.json", "_class_name", "ControlNetModel", "ControlNet"},
		{"model_index.json", "_class_name", "StableDiffusionXLPipeline", ""},
		{"model_index.json", "requires_aesthetics_score", true, "refiner"},
		{"model_index.json", "force_zeros_for_empty_prompt", true, ""},
	} {
		t.Run(fmt.Sprintf("%s %s %v", c.file, c.key, c.value), func(t *testing.T) {
			dir := linked(t, folder)
			path := filepath.Join(dir, filepath.FromSlash(c.file))
			if _, err := os.Stat(path); err != nil {
				replace(t, path, []byte("{}"))
			} else {
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				replace(t, path, raw)
			}
			edit(t, path, func(m map[string]any) {
				if strings.HasPrefix(c.file, "scheduler") {
					maps.Copy(m, scheduler)
				}
				if all, several := c.value.(changes); several {
					maps.Copy(m, all)
				} else {
					m[c.key] = c.value
				}
			})
			refusedFor(t, inspect(t, dir, ""), c.want)
		})
	}
}

// TestConfigurationBesideAFile: the configuration of the original programs that lies beside a checkpoint counts, as in A1111's program, where
// it is called like the file.
func TestConfigurationBesideAFile(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	single, err := os.ReadFile(filepath.Join(ldm, "sdxl.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	const sgm = "model:\n  params:\n    denoiser_config:\n      params:\n        scaling_config:\n" +
		"          target: sgm.modules.diffusionmodules.denoiser_scaling."
	for _, c := range []struct{ file, text, want string }{
		{"my base.yaml", "model:\n  base_learning_rate: 1.0e-04\n  params:\n    parameterization: \"v\"\n    linear_start: 0.00085\n", computed},
		{"my base.yaml", "model:\r\n  params:\r\n    parameterization: v # velocity\r\n", computed},
		{"my base.yaml", "model:\n  params:\n    parameterization: 'eps'\n", ""},
		{"my base.yaml", "model:\n  params:\n    # parameterization: v\n    linear_start: 0.00085\n", ""},
		{"my base.yaml", "model:\n  params:\n    parameterization: x0\n", "my base.yaml says parameterization x0: the model was trained to predict the clean"},
		{"my base.yaml", sgm + "VScaling\n", computed},
		{"my base.yaml", sgm + "EpsScaling\n", ""},
		{"my base.yaml", sgm + "EDMScaling\n", "EDM"},
		{"other.yaml", sgm + "VScaling\n", ""},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "my base.safetensors")
		replace(t, file, single)
		replace(t, filepath.Join(dir, c.file), []byte(c.text))
		in := inspect(t, ldm, file)
		refusedFor(t, in, c.want)
		told := strings.Contains(strings.Join(in.Manifest.Notes, "\n"), "my base.yaml says ")
		if told != (c.want == computed) {
			t.Errorf("%q: notes %q", c.text, in.Manifest.Notes)
		}
	}
}

// These stand for models that predict the velocity, which is computed: on the usual schedule, with zero terminal SNR, and as CosXL.
const (
	computed = "computed"
	zero     = "computed with zero terminal SNR"
	edm      = "computed as CosXL"
)

// changes are those of several entries.
type changes map[string]any

// TestVelocityAgainstItsSchedule: weights that say one thing and a scheduler that says another belong to different models.
func TestVelocityAgainstItsSchedule(t *testing.T) {
	dir := linked(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil))
	path := filepath.Join(dir, "unet", "diffusion_pytorch_model.safetensors")
	replace(t, path, resaved(t, path, same, nil, map[string]string{"modelspec.prediction_type": "v"}))
	scheduler := func(prediction string) []byte {
		return fmt.Appendf(nil, `{"num_train_timesteps":1000,"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":%q}`, prediction)
	}
	replace(t, filepath.Join(dir, "scheduler", "scheduler_config.json"), scheduler("epsilon"))
	refusedFor(t, inspect(t, dir, ""), "they belong to different models")
	replace(t, filepath.Join(dir, "scheduler", "scheduler_config.json"), scheduler("v_prediction"))
	refusedFor(t, inspect(t, dir, ""), computed)
	remove(t, filepath.Join(dir, "scheduler"))
	refusedFor(t, inspect(t, dir, ""), computed)
}

// TestWithoutAScheduler: a folder of diffusers whose scheduler is missing, and whose weights say nothing, may be of any training: what it is
// taken for is said.
func TestWithoutAScheduler(t *testing.T) {
	folder := tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)
	for _, says := range []string{"", "epsilon"} {
		dir := linked(t, folder)
		remove(t, filepath.Join(dir, "scheduler"))
		if says != "" {
			replace(t, filepath.Join(dir, "scheduler", "scheduler_config.json"), fmt.Appendf(nil,
				`{"num_train_timesteps":1000,"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":%q}`, says))
		}
		in := inspect(t, dir, "")
		refusedFor(t, in, "")
		const note = "scheduler_config.json is missing, so the model is taken for one that predicts the noise"
		if notes := strings.Join(in.Manifest.Notes, "\n"); strings.Contains(notes, note) != (says == "") {
			t.Errorf("with %q: notes %q", says, notes)
		}
	}
}

// refusedFor checks that a refusal names a mark, or that there is none.
func refusedFor(t *testing.T, in bundle.Inspection, want string) {
	t.Helper()
	problems, s := in.Problems, in.Manifest.Schedule
	kind := map[string]string{"epsilon": "", "v_prediction": computed}[s.PredictionType]
	switch {
	case s.ZeroSNR:
		kind = zero
	case s.SigmaMin == 0.002 && s.SigmaMax == 120:
		kind = edm
	}
	fine := slices.Contains([]string{"", computed, zero, edm}, want)
	switch {
	case fine && problems != nil:
		t.Errorf("refused: %v", problems)
	case fine && kind != want:
		t.Errorf("it is computed for %+v", s)
	case fine:
		if phi := map[bool]float64{true: 0.7}[want == zero]; in.Manifest.Presets != nil && in.Manifest.Presets["paper"].Rescale != phi {
			t.Errorf("the guidance rescale is %g, want %g", in.Manifest.Presets["paper"].Rescale, phi)
		}
	case problems == nil || !strings.Contains(problems.Error(), want):
		t.Errorf("wanted a refusal with %q: %v", want, problems)
	case problems != nil && (len(problems.Error()) > 1500 || strings.ContainsRune(problems.Error(), '\x1b')):
		t.Errorf("a message of %d bytes: %q", len(problems.Error()), problems)
	}
}

// TestNetworksInFilesOfTheirOwn puts U-Net and autoencoder of the original programs, each alone and without the prefix that it has
// in a checkpoint, in the places of those of diffusers: the same weights and graphs.
func TestNetworksInFilesOfTheirOwn(t *testing.T) {
	want := importTree(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil), bundle.Options{})
	single := filepath.Join(tree(t, synthetic.Options{Layout: synthetic.LDM}, nil), "sdxl.safetensors")
	release := tree(t, synthetic.Options{}, nil)
	below := func(from, to string) func(string) string {
		return func(name string) string {
			if rest, ok := strings.CutPrefix(name, from); ok {
				return to + rest
			}
			return ""
		}
	}
	for name, prefix := range map[string]string{"bare": "", "half": "diffusion_model.", "whole": "model.diffusion_model."} {
		t.Run("U-Net "+name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), "unet.safetensors")
			replace(t, base, resaved(t, single, below("model.diffusion_model.", prefix), nil, nil))
			if in := inspect(t, base, ""); in.Problems != nil || in.Layout != bundle.LayoutBase || in.Manifest.Family != "sdxl" {
				t.Errorf("alone: %q %q %v", in.Layout, in.Manifest.Family, in.Problems)
			}
			equalBundles(t, importTree(t, release, bundle.Options{Base: base}), want)
		})
	}
	t.Run("over a tree with one file beside it", func(t *testing.T) {
		ldm := filepath.Dir(single)
		base := filepath.Join(t.TempDir(), "unet.safetensors")
		replace(t, base, resaved(t, single, below("model.diffusion_model.", ""), nil, nil))
		equalBundles(t, importTree(t, ldm, bundle.Options{Base: base}), want)
		alone := importTree(t, ldm, bundle.Options{})
		equalBundles(t, alone, want)
		for _, what := range []string{"U-Net is", "text encoders are", "autoencoder is"} {
			if !tells(alone, "the "+what+" taken from sdxl.safetensors: ckpts has none of its own") {
				t.Errorf("nothing is said of the %s: %q", what, alone.Manifest().Told())
			}
		}
		broken := linked(t, ldm)
		replace(t, filepath.Join(broken, "sdxl.safetensors"), []byte("not a checkpoint"))
		whole := importTree(t, broken, bundle.Options{Base: single}) // nothing is taken from the file beside
		equalBundles(t, whole, want)
		if tells(whole, "taken from") {
			t.Errorf("%q", whole.Manifest().Told())
		}
	})
	t.Run("in the places of the release", func(t *testing.T) {
		dir := linked(t, release)
		remove(t, filepath.Join(dir, "ckpts/sdxl/unet/sdxl-unet.bin"))
		remove(t, filepath.Join(dir, "ckpts/sdxl/vae/sdxl-vae.pth"))
		replace(t, filepath.Join(dir, "ckpts/sdxl/unet/mine.safetensors"), resaved(t, single, below("model.diffusion_model.", ""), nil, nil))
		replace(t, filepath.Join(dir, "ckpts/sdxl/vae/mine.safetensors"), resaved(t, single, below("first_stage_model.", ""), map[string]*tensor.Tensor{"loss.logvar": tensor.Zeros(1)}, nil))
		equalBundles(t, importTree(t, dir, bundle.Options{}), want)
	})
}

// tells tells whether what people are told of an import says something.
func tells(b *bundle.Bundle, what string) bool {
	return slices.ContainsFunc(b.Manifest().Told(), func(n error) bool { return strings.Contains(n.Error(), what) })
}

// TestUnreadTypesThatAreNeeded: a tensor of a type that is not read is a note where nothing needs it and named where something does.
func TestUnreadTypesThatAreNeeded(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	raw, err := os.ReadFile(filepath.Join(ldm, "sdxl.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	const needed = `"model.diffusion_model.out.2.weight":{"dtype":"F16"`
	if !bytes.Contains(raw, []byte(needed)) {
		t.Fatal("the file has no out.2.weight")
	}
	base := filepath.Join(t.TempDir(), "base.safetensors")
	replace(t, base, bytes.Replace(raw, []byte(needed), []byte(`"model.diffusion_model.out.2.weight":{"dtype":"U16"`), 1))
	if in := inspect(t, ldm, base); in.Problems == nil || !strings.Contains(in.Problems.Error(), "its type is U16") || !strings.Contains(in.Problems.Error(), "conv_out.weight") {
		t.Errorf("%v", in.Problems)
	}
}

// TestUnreadTypesEverywhere: a checkpoint whose networks are all of a type that is not read is refused by the sentence that helps, and with
// the first of a thousand lines.
func TestUnreadTypesEverywhere(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	raw, err := os.ReadFile(filepath.Join(ldm, "sdxl.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(t.TempDir(), "fp8.safetensors")
	replace(t, base, regexp.MustCompile(`("model\.diffusion_model\.[^"]*":\{"dtype":)"F16"`).ReplaceAll(raw, []byte(`$1"U16"`)))
	const help = "its type is U16; use weights in F32, F16 or BF16"
	problems := inspect(t, ldm, base).Problems
	if problems == nil {
		t.Fatal("it is taken")
	}
	first, _, _ := strings.Cut(problems.Error(), "\n")
	lines := strings.Count(problems.Error(), "\n")
	if !strings.Contains(first, help) || lines > 100 || lines < 40 || !strings.Contains(problems.Error(), "more") {
		t.Errorf("%d lines, first %q", lines, first)
	}
}

// TestPredictionThatWasAskedFor: what the user knows of a model counts more than what its files say or leave out.
func TestPredictionThatWasAskedFor(t *testing.T) {
	ldm := tree(t, synthetic.Options{Layout: synthetic.LDM}, nil)
	single := filepath.Join(ldm, "sdxl.safetensors")
	none := tensor.Zeros(0)
	folder := linked(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil)) // whose scheduler says epsilon
	for prediction, want := range map[string]string{"epsilon": "", "v": computed, "v-zero": zero, "edm-v": edm} {
		for name, marks := range map[string]map[string]*tensor.Tensor{"nothing": nil, "velocity": {"v_pred": none}, "zero alone": {"ztsnr": none}} {
			file := filepath.Join(t.TempDir(), "base.safetensors")
			replace(t, file, resaved(t, single, same, marks, nil))
			in, err := bundle.Inspect(t.Context(), ldm, bundle.Options{Base: file, Prediction: prediction})
			if err != nil {
				t.Fatalf("%s over %s: %v", prediction, name, err)
			}
			refusedFor(t, in, want)
		}
		in, err := bundle.Inspect(t.Context(), folder, bundle.Options{Prediction: prediction})
		if err != nil {
			t.Fatal(err)
		}
		refusedFor(t, in, want)
	}
	if _, err := bundle.ImportWith(t.Context(), folder, filepath.Join(t.TempDir(), "m"), bundle.Options{Prediction: "flow"}); err == nil || !strings.Contains(err.Error(), "v-zero") {
		t.Errorf("%v", err)
	}
}

// TestSchedulersOfDiffusers takes what save_pretrained of diffusers 0.42.1 writes: -Infinity, which only Python reads, and a scheduler of
// few steps, which says nothing against the weights.
func TestSchedulersOfDiffusers(t *testing.T) {
	dir := linked(t, tree(t, synthetic.Options{Layout: synthetic.Diffusers}, nil))
	for scheduler, note := range map[string]string{
		`{ "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "algorithm_type": "dpmsolver++", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "dynamic_thresholding_ratio": 0.995, "euler_at_final": false, "final_sigmas_type": "zero", "flow_shift": 1.0, "lambda_min_clipped": -Infinity, "lower_order_final": true, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint", "steps_offset": 0, "thresholding": false, "time_shift_type": "exponential", "timestep_spacing": "linspace", "trained_betas": null, "use_beta_sigmas": false, "use_dynamic_shifting": false, "use_exponential_sigmas": false, "use_flow_sigmas": false, "use_karras_sigmas": false, "use_lu_lambdas": false, "variance_type": null }`: "",
		`{ "_class_name": "LCMScheduler", "_diffusers_version": "0.42.1", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false, "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995, "num_train_timesteps": 1000, "original_inference_steps": 50, "prediction_type": "v_prediction", "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "set_alpha_to_one": true, "steps_offset": 0, "thresholding": false, "timestep_scaling": 10.0, "timestep_spacing": "leading", "trained_betas": null }`:                                                                                                                                                                                                                                                                                                                                   "made for few steps (LCMScheduler): choose the preset lcm",
	} {
		replace(t, filepath.Join(dir, "scheduler", "scheduler_config.json"), []byte(scheduler))
		in := inspect(t, dir, "")
		refusedFor(t, in, computed)
		if notes := strings.Join(in.Manifest.Notes, "\n"); !strings.Contains(notes, note) || note == "" && strings.Contains(notes, "few steps") {
			t.Errorf("notes %q, want %q", notes, note)
		}
	}
}
