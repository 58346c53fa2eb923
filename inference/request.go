package inference

import (
	"cmp"
	"fmt"
	"strconv"

	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/schedule"
	"realword/inference/session"
)

// Runtime is what the engine needs of the machine that executes graphs; see package session.
type Runtime = session.Runtime

// Request is one round: everything that decides the pictures. It is a plain value (it can be written as JSON, kept as the
// recipe, and sent across a process border); the engine never changes it. The zero value of an optional field means the
// preset's or the model's own value, and Engine.Resolve fills them all in.
type Request struct {
	Prompt   string    `json:"prompt"`
	Negative string    `json:"negative,omitempty"` // a blank asks for none where the preset has one
	Subjects []Subject `json:"subjects,omitempty"`

	Preset     string   `json:"preset,omitempty"` // "paper" (default), "release", or another of the model's
	Width      int      `json:"width,omitempty"`  // pixels
	Height     int      `json:"height,omitempty"`
	Steps      int      `json:"steps,omitempty"`
	Stop       int      `json:"stop,omitempty"`        // T_stop: steps 0..Stop-1 run the guidance branch; 0: the preset's share of Steps
	CFG        float64  `json:"cfg,omitempty"`         // ω of classifier-free guidance, 1 to 50; 1 needs no unconditional pass
	Sampler    string   `json:"sampler,omitempty"`     // "ddim" or "dpm++" (released single-step order list)
	MaskSource string   `json:"mask_source,omitempty"` // Table V: all_cross, low_cross, low_cross_all_self, low_cross_high_self
	RawMask    bool     `json:"raw_mask,omitempty"`    // do not divide masks by their maximum (Table VI, "w/o normalisation")
	MaskNorm   string   `json:"mask_norm,omitempty"`   // else: "" or "max" divides by it, "min_max_per_channel" is the released app's; "none" sets RawMask
	Seeds      []uint64 `json:"seeds,omitempty"`       // one per picture; picture n depends on Seeds[n] alone; none: a random one

	// From continues a kept step instead of starting from noise: one picture, its seed, the same model, size, steps and
	// sampler.
	// All else may differ from the run that made the step; without a change the result is the same, bit for bit. Scopes
	// take effect at once, also after T_stop. The engine reads it until the job ends.
	From *State `json:"-"`
}

// Normalization is how masks come from scores, of a request that Defaults has completed.
func (r Request) Normalization() guidance.Normalization {
	if r.RawMask {
		return guidance.Raw
	}
	norm, _ := guidance.ParseNormalization(cmp.Or(r.MaskNorm, guidance.ByMax.String())) // a resolved request has a known one
	return norm
}

// Subject binds a word of the prompt to pictures.
type Subject struct {
	Word       Word        `json:"word"`
	References []Reference `json:"references"`
	Scope      float64     `json:"scope,omitempty"` // γ_scope in (0, 1]; 0 means the preset's
}

// Word names one occurrence of a word or phrase of the prompt. Two equal words are two words.
type Word struct {
	Text       string `json:"text"`
	Occurrence int    `json:"occurrence,omitempty"` // 1 is the first; 0 reads as 1
}

// String is how messages name the word: "dog", or "dog#2" for the second.
func (w Word) String() string {
	if w.Occurrence > 1 {
		return fmt.Sprintf("%q", fmt.Sprint(w.Text, "#", w.Occurrence))
	}
	return strconv.Quote(w.Text)
}

// Reference is one picture of a subject: the bytes of the file as the user gave it, and how it is brought to the square
// that the encoders see.
type Reference struct {
	Name   string         `json:"name"`             // file name, for people
	SHA256 string         `json:"sha256,omitempty"` // of Data, hex; filled in by Engine.Resolve
	Square picture.Square `json:"square"`           // without a Fit: the preset's
	Data   []byte         `json:"-"`                // PNG, JPEG, WebP, GIF or BMP file
}

// State is everything that the loop needs to go on after a step, exactly. It shares nothing with the running loop.
type State struct {
	Step          int         `json:"step"` // the next step to run
	Model         string      `json:"-"`    // Manifest.Name
	Width, Height int         `json:"-"`
	Steps         int         `json:"-"`
	Sampler       string      `json:"-"`
	Seed          uint64      `json:"-"`
	Latent        []float32   `json:"-"` // z before that step
	Solver        SolverState `json:"-"`
	Scores        [][]float32 `json:"-"` // the last scores per subject (grid order); nil before the first guidance pass
}

// SolverState is what a solver remembers between steps.
type SolverState = schedule.State
