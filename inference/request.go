package inference

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"realword/inference/bundle"
	"realword/inference/files"
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
	Subjects []Subject `json:"subjects,omitempty"`
	Settings
	Seeds []uint64 `json:"seeds,omitempty"` // one per picture; picture n depends on Seeds[n] alone; none: a random one

	Init *Init `json:"init,omitempty"` // a picture to begin with; none: noise alone
	Grid *Grid `json:"grid,omitempty"` // many pictures that differ in one or two things; none: they differ in their seeds

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
	r.Settings, r.Subjects, r.Init, r.Grid = r.Complete(m), CloneSubjects(r.Subjects), r.Init.withDefaults(), r.Grid.Clone()
	for j := range r.Subjects {
		s := &r.Subjects[j]
		s.Scope = cmp.Or(s.Scope, r.Scope)
		if !s.Region.IsZero() {
			s.Region.Kind = cmp.Or(s.Region.Kind, guidance.OnlyHere)
		}
		for i := range s.References {
			square := &s.References[i].Square
			square.Fit = cmp.Or(square.Fit, r.Fit)
		}
	}
	r.Scope, r.Fit, r.LoRAs = 0, "", usedLoRAs(r.LoRAs)
	return r
}

// Subject binds a word of the prompt to pictures.
type Subject struct {
	Word       Word        `json:"word"`
	References []Reference `json:"references"`
	Scope      float64     `json:"scope,omitempty"` // γ_scope in (0, 1]; 0 means the settings'; of an exact region, its area
	Region     Region      `json:"region,omitzero"` // where its mask may be

	// Anchors are pictures of the subject that its rounds began with. They decide nothing: finished pictures are compared with them.
	Anchors []Reference `json:"-"`
}

// Wish is the scope that somebody has asked for: 0 where the mask is painted exactly, whose scope is its area.
func (s Subject) Wish() float64 {
	if !s.Region.IsZero() && s.Region.Kind == guidance.Exactly {
		return 0
	}
	return s.Scope
}

// Region is a painted mask of a subject: where its mask may be, or what it is. The zero Region is none: the mask may be anywhere. It
// acts on masks alone, never on scores, so that another one takes effect at once, also on a kept step after T_stop.
type Region struct {
	Kind guidance.Kind `json:"kind,omitempty"` // empty for a painted one means guidance.OnlyHere
	Painted
}

// Painted is a grey picture over the whole of the picture that is made, of any size: white where it holds, black elsewhere. It is
// stretched where its shape is another one.
type Painted struct {
	SHA256 string `json:"sha256,omitempty"` // of Data, hex
	Data   []byte `json:"-"`                // a picture file; Engine.Resolve makes it a PNG file with 8 bits of grey and nothing else
}

// File is a file that a request needs. What it points to belongs to the request.
type File struct {
	Name   string // for people
	SHA256 *string
	Data   *[]byte
}

// Files lists what a request needs besides itself: references, then painted masks, subject by subject, the picture to begin with and
// its region, and the references of a grid. Recipes name them by SHA-256.
func (r *Request) Files() (list []File) {
	for j := range r.Subjects {
		s := &r.Subjects[j]
		for i := range s.References {
			ref := &s.References[i]
			list = append(list, File{ref.Name, &ref.SHA256, &ref.Data})
		}
		if !s.Region.IsZero() {
			list = append(list, File{s.Region.FileName(s.Word), &s.Region.SHA256, &s.Region.Data})
		}
	}
	if r.Init != nil {
		list = append(list, File{r.Init.Name, &r.Init.SHA256, &r.Init.Data})
		if region := &r.Init.Region; !region.IsZero() {
			list = append(list, File{"region.png", &region.SHA256, &region.Data})
		}
	}
	if r.Grid != nil {
		for _, a := range r.Grid.Axes() {
			for i := range a.References {
				ref := &a.References[i]
				list = append(list, File{ref.Name, &ref.SHA256, &ref.Data})
			}
		}
	}
	return list
}

// FileName is what the mask of a word is called where it is a file: "dog-mask.png".
func (p Painted) FileName(w Word) string {
	return cmp.Or(files.Words(w.Text, 40), "subject") + "-mask.png"
}

// IsZero tells that nothing is painted.
func (p Painted) IsZero() bool { return p.SHA256 == "" && len(p.Data) == 0 }

// Grid is what is painted on a grid of width × height positions in rows, 0 to 1: the mean of what lies in each. The error says what is
// wrong with the file.
func (p Painted) Grid(width, height int) ([]float32, error) {
	mask, _, _, err := picture.ReadPainted(context.Background(), p.Data)
	if err != nil {
		return nil, err
	}
	return picture.Cover(mask, width, height), nil
}

// Rule is what makes the masks of subjects on a guidance grid of width × height positions: see guidance.Masks. The error says which
// region cannot be read.
func Rule(subjects []Subject, width, height int) ([]guidance.Subject, error) {
	out := make([]guidance.Subject, len(subjects))
	for j, s := range subjects {
		out[j] = guidance.Subject{Word: s.Word.Text, Scope: s.Scope}
		if s.Region.IsZero() {
			continue
		}
		grid, err := s.Region.Grid(width, height)
		if err != nil {
			return nil, fmt.Errorf("the mask of %s: %w", s.Word, err)
		}
		out[j].Kind, out[j].Region = cmp.Or(s.Region.Kind, guidance.OnlyHere), grid
	}
	return out, nil
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
	Trail         Trail       `json:"-"` // of approximations
}

// SolverState is what a solver remembers between steps.
type SolverState = schedule.State
