package inference

import (
	"cmp"
	"fmt"
	"strconv"

	"realword/inference/bundle"
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
	Subjects []Subject `json:"subjects,omitempty"`
	Settings
	Seeds []uint64 `json:"seeds,omitempty"` // one per picture; picture n depends on Seeds[n] alone; none: a random one

	// From continues a kept step instead of starting from noise: one picture, its seed, the same model, size, steps and
	// sampler.
	// All else may differ from the run that made the step; without a change the result is the same, bit for bit. Scopes
	// take effect at once, also after T_stop. The engine reads it until the job ends.
	From *State `json:"-"`
}

// Defaults returns the request with every optional field filled in that a model and its presets decide; nothing is checked, and
// only seeds and hashes stay open. See Settings.Complete; subjects and references that have no scope and no fit of their own get
// those of the settings, which then have none. The result shares nothing with r but the bytes of pictures and From. Defaults of a
// complete request changes nothing.
func Defaults(m bundle.Manifest, r Request) Request {
	r.Settings, r.Subjects = r.Complete(m), CloneSubjects(r.Subjects)
	for j := range r.Subjects {
		s := &r.Subjects[j]
		s.Scope = cmp.Or(s.Scope, r.Scope)
		for i := range s.References {
			square := &s.References[i].Square
			square.Fit = cmp.Or(square.Fit, r.Fit)
		}
	}
	r.Scope, r.Fit = 0, ""
	return r
}

// Subject binds a word of the prompt to pictures.
type Subject struct {
	Word       Word        `json:"word"`
	References []Reference `json:"references"`
	Scope      float64     `json:"scope,omitempty"` // γ_scope in (0, 1]; 0 means the settings'
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
// that the encoders see. Who fills in SHA256 has hashed Data and is believed; where it is empty, Engine.Resolve does it.
type Reference struct {
	Name   string         `json:"name"`             // file name, for people
	SHA256 string         `json:"sha256,omitempty"` // of Data, hex
	Square picture.Square `json:"square"`           // without a Fit: the settings'
	Data   []byte         `json:"-"`                // PNG, JPEG, WebP, GIF or BMP file
	Small  []byte         `json:"-"`                // the square as a small PNG file, filled in by Engine.Resolve; see picture.Small
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
