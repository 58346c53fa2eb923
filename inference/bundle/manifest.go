package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"realword/inference/graph"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/picture"
	"realword/inference/schedule"
)

// SchemaVersion is the manifest schema that this program writes and reads.
const SchemaVersion = 3

// Manifest is manifest.json of a bundle: what the app must know to run its graphs.
type Manifest struct {
	Schema  int      `json:"schema"` // SchemaVersion
	Name    string   `json:"name"`
	Was     []string `json:"was,omitempty"` // names that it had before Rename
	Family  string   `json:"family"`        // "toybox", "sd15", "sdxl"
	Licence string   `json:"licence,omitempty"`

	Latent Latent `json:"latent"`
	Size   Size   `json:"size"`
	Grid   int    `json:"grid"` // latent cells per guidance-grid cell: SDXL 2
	// latent cells per attention cell of every resolution that attends, finest (Grid) first
	Attention []int             `json:"attention"`
	Layers    int               `json:"cross_attention_layers"` // SDXL 70; each has its own text_k_<i>, text_v_<i>, vision_k_<i>, vision_v_<i>
	Text      Text              `json:"text"`
	Words     *Vocabulary       `json:"words,omitempty"` // nil: it learned from so many that a list says nothing
	Vision    Vision            `json:"vision"`
	Schedule  Schedule          `json:"schedule"`
	Presets   map[string]Preset `json:"presets"` // "paper", "release"
	Networks  Networks          `json:"networks"`
	Precision string            `json:"precision"`
	Notes     []string          `json:"notes,omitempty"` // what the import took, left out or replaced, one English sentence each
	// those of them that say something to who makes pictures with the model, for any language; imports before 28 November 2026 have none
	Remarks []*message.Parts `json:"remarks,omitempty"`

	Graphs  map[graph.Name]string `json:"graphs"`  // name -> file; what convolves also as made for CUDA
	Files   map[string]string     `json:"files"`   // every file of the bundle but the manifest -> SHA-256, hex
	Sources map[string]string     `json:"sources"` // checkpoint files it was made of -> SHA-256
	// files outside the bundle from which graphs read weights; absent where all were copied
	Mapped []MappedFile `json:"mapped,omitempty"`
}

// Told are the notes that say something to who makes pictures with the model: not which entries of a file nobody needs. `realword model
// info` and the manifest have all of them.
func (m Manifest) Told() (list []error) {
	for _, r := range m.Remarks {
		list = append(list, r.Err())
	}
	if len(list) > 0 {
		return list
	}
	for _, note := range m.Notes {
		if !strings.Contains(note, " is ignored: ") && !strings.Contains(note, " are ignored: ") {
			list = append(list, errors.New(note))
		}
	}
	return list
}

// Networks are the configurations of the networks whose levels matter to more than their graphs, as diffusers writes them: what a
// pass takes of memory follows from them, and other graphs over the same weights can be built.
type Networks struct {
	UNet network.UNetConfig `json:"unet"`
	VAE  network.VAEConfig  `json:"vae"`
}

// Latent describes the autoencoder's latent.
type Latent struct {
	Channels      int          `json:"channels"`
	Factor        int          `json:"factor"` // pixels per latent cell: 8
	ScalingFactor float64      `json:"scaling_factor"`
	RGB           [][3]float64 `json:"rgb"`      // latent -> RGB in 0..1, one row per channel, for previews
	RGBBias       [3]float64   `json:"rgb_bias"` // the colour of a latent that is zero, in 0..1
}

// Size bounds the pictures in pixels.
type Size struct {
	Width    int `json:"width"`
	Height   int `json:"height"` // defaults
	Min      int `json:"min"`
	Max      int `json:"max"`
	Multiple int `json:"multiple"` // both sides are multiples of it
}

// Text describes the text encoders. Encoder i reads the graph input input_ids (i = 0) or input_ids_2 (i = 1).
type Text struct {
	Tokens   int  `json:"tokens"`           // 77
	Chunks   bool `json:"chunks,omitempty"` // text_kv and unet take any multiple of them: every import since 27 November 2026
	Encoders int  `json:"encoders"`         // 1 or 2
	Pooled   bool `json:"pooled"`           // the U-Net wants text_embeds and time_ids (text_time)
	TimeIDs  int  `json:"time_ids"`         // 6 where Pooled

	// HeightFirst: sizes among the time ids have the height first, as stock SDXL learned them, and not the width, as in the release.
	HeightFirst bool `json:"height_first,omitempty"`
}

// Vision describes the reference side.
type Vision struct {
	Reference int `json:"reference"` // side of the reference square in pixels (768)
	View      int `json:"view"`      // side of one view (384)
	Tokens    int `json:"tokens"`    // visual tokens per reference
	Width     int `json:"width"`     // channels of a token
}

// Schedule is the noise schedule that the model was trained with.
type Schedule struct {
	TrainSteps     int     `json:"train_steps"`
	BetaStart      float64 `json:"beta_start"`
	BetaEnd        float64 `json:"beta_end"`
	BetaSchedule   string  `json:"beta_schedule"`   // scaled_linear
	PredictionType string  `json:"prediction_type"` // epsilon or v_prediction
	ZeroSNR        bool    `json:"zero_terminal_snr,omitempty"`
	// where they are set, the noise levels between which an EDM model was trained instead; see schedule.Config
	SigmaMin float64 `json:"sigma_min,omitempty"`
	SigmaMax float64 `json:"sigma_max,omitempty"`
}

// Config is what package schedule computes it from.
func (s Schedule) Config() schedule.Config {
	return schedule.Config{
		BetaStart: s.BetaStart, BetaEnd: s.BetaEnd, BetaSchedule: s.BetaSchedule, TrainSteps: s.TrainSteps,
		PredictionType: s.PredictionType, ZeroSNR: s.ZeroSNR, SigmaMin: s.SigmaMin, SigmaMax: s.SigmaMax,
	}
}

// Preset holds the defaults of a request.
type Preset struct {
	Sampler string  `json:"sampler"`
	Steps   int     `json:"steps"`
	Stop    int     `json:"stop"`
	CFG     float64 `json:"cfg"`
	Rescale float64 `json:"guidance_rescale,omitempty"`
	// UncondAttention is "perturbed" where the unconditional pass perturbs the network's perturbed blocks
	UncondAttention string  `json:"uncond_attention,omitempty"`
	Scope           float64 `json:"scope"`
	MaskSource      string  `json:"mask_source"`
	Negative        string  `json:"negative,omitempty"`
	// Fit is how references become a square; empty in manifests of earlier versions, which padded them.
	Fit          picture.Fit `json:"fit,omitempty"`
	UncondVision bool        `json:"uncond_vision"` // release: the unconditional pass sees the black picture under the same masks
}

// quick are the presets of models that were distilled to run in few steps, whole or by a LoRA. They guide without an unconditional pass:
// ω is in the weights.
var quick = map[string]Preset{
	"lightning": {Sampler: "euler-trailing", Steps: 4},   // SDXL Lightning, 2, 4 or 8 steps
	"turbo":     {Sampler: "euler-a-trailing", Steps: 4}, // SDXL Turbo, 1 to 4
	"lcm":       {Sampler: "lcm", Steps: 8},              // latent consistency, 4 to 8
	"hyper":     {Sampler: "ddim", Steps: 8},             // Hyper-SD, the number in its name
	"dmd2":      {Sampler: "lcm-trailing", Steps: 4},     // DMD2, 4: at 999, 749, 499 and 249
}

// FewSteps names the presets of models of few steps, which every model has.
func FewSteps() []string { return slices.Sorted(maps.Keys(quick)) }

// Preset returns a preset by its name: one of the model's own, or of models of few steps. These have what the paper's preset has, but for
// sampler, steps, T_stop (the same share of them) and ω = 1.
func (m Manifest) Preset(name string) (Preset, bool) {
	if p, ok := m.Presets[name]; ok {
		return p, true
	}
	few, ok := quick[name]
	if !ok {
		return Preset{}, false
	}
	p := m.Presets["paper"]
	p.Stop = p.StopOf(few.Steps)
	p.Sampler, p.Steps, p.CFG, p.Negative, p.Rescale = few.Sampler, few.Steps, 1, "", 0
	return p, true
}

// PresetNames are those that Preset knows, the model's own first.
func (m Manifest) PresetNames() []string {
	return append(slices.Sorted(maps.Keys(m.Presets)), FewSteps()...)
}

// StopOf is T_stop of a run with a number of steps: the preset's share of them, at least the first step.
func (p Preset) StopOf(steps int) int {
	if p.Steps < 1 {
		return max(1, min(p.Stop, steps))
	}
	return max(1, int(math.Round(float64(p.Stop)*float64(steps)/float64(p.Steps))))
}

// VisionSum is one checksum of everything that decides what the image encoders compute in graph Vision or Class.
func (m Manifest) VisionSum(name graph.Name) string {
	sum := sha256.New()
	for _, file := range []string{m.Graphs[name], "weights/vision.bin"} {
		fmt.Fprintln(sum, m.Files[file])
	}
	for _, f := range m.Mapped {
		fmt.Fprintln(sum, f.SHA256)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
