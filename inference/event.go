package inference

import (
	"errors"
	"fmt"
	"image"
	"time"

	"realword/inference/message"
)

// Event is what a Job reports, in order. The set is closed: StageStarted, DeviceChanged, Progress, StepDone,
// PictureReady, Likeness, Done, Failed.
// Exactly one Done or Failed comes, last; then the channel closes. Events are plain values that belong to the receiver.
type Event interface{ event() }

// Stage names a part of a generation.
type Stage string

// The stages in the order in which they run.
const (
	StageLoad    Stage = "load"    // graphs are being opened
	StageEncode  Stage = "encode"  // the picture to begin with is encoded, where there is one
	StageText    Stage = "text"    // prompt and negative prompt are encoded
	StageVision  Stage = "vision"  // references are encoded
	StageDenoise Stage = "denoise" // the loop, once per picture
	StageDecode  Stage = "decode"  // latent to picture
)

// StageStarted tells that a stage begins. Picture is the index in Request.Seeds for denoise and decode, else 0.
type StageStarted struct {
	Stage    Stage
	Picture  int
	Provider string // where it computes, as in "CPU" or "CUDA"; "" where the runtime does not say
	// at denoise, of a grid: the request of this cell, as PictureReady will have it; else nil
	Recipe *Request
}

// DeviceChanged tells that the device failed and another one goes on with the same job from where it was; nothing is lost.
type DeviceChanged struct {
	Provider string
	Why      string // a sentence for people
	// Text and Values are Why as package message keeps it, so that a window can say it in its language; Text "": it has no other form
	Text   string
	Values []string
}

// Moved is DeviceChanged with its reason, which is an error of package message whose values are words.
func Moved(provider string, why error) DeviceChanged {
	e := DeviceChanged{Provider: provider, Why: why.Error()}
	if m := (*message.Error)(nil); errors.As(why, &m) {
		e.Text = m.Text
		for _, v := range m.Values {
			e.Values = append(e.Values, fmt.Sprint(v))
		}
	}
	return e
}

// Reason is why, as an error of package message where it is one.
func (e DeviceChanged) Reason() error {
	if e.Text == "" || len(e.Text) > 4096 || len(e.Values) > 16 {
		return errors.New(e.Why)
	}
	var values []any
	for _, v := range e.Values {
		values = append(values, v)
	}
	return message.Make(e.Text, values...)
}

// Progress counts U-Net passes over the whole job, the unit in which a picture's cost is counted. It comes after
// every pass, but a receiver that falls behind gets only the newest.
type Progress struct {
	Pass, Passes int
	Remaining    time.Duration // estimate; 0 while unknown
}

// StepDone is one finished denoising step of one picture.
type StepDone struct {
	Picture  int
	Step     int // 0-based
	Steps    int
	Timestep int
	Preview  *image.RGBA // predicted clean latent as RGB, one pixel per latent cell, opaque
	Clean    []float32   // predicted clean latent x0 [C, h, w]; Preview is made of it

	GridWidth, GridHeight int
	Subjects              []SubjectStep // in the order of Request.Subjects
	Guided                bool          // this step ran the guidance branch (step < T_stop, or the first one); false: masks are reused
	State                 State         // to continue after this step
}

// SubjectStep is what a step knows of one subject. Slices have GridWidth*GridHeight values in row order.
type SubjectStep struct {
	Cross  []float32 // raw cross-attention of the word; nil when the step did not run the guidance branch
	Scores []float32 // refined by self-attention (Eq. 12); nil likewise
	Mask   []float32 // M̂ (Eq. 13, 16), in use at this step
}

// PictureReady is one finished picture.
type PictureReady struct {
	Picture int
	Seed    uint64
	Image   *image.NRGBA // opaque
	// complete, with this picture's seed alone: running it again gives this picture again. It shares the bytes of references
	Recipe  Request
	Elapsed time.Duration
}

// Likeness says how near the subjects of a finished picture are to their references. It comes after PictureReady, where the engine
// computes it; see Engine.SetHints.
type Likeness struct {
	Picture  int
	Subjects []Resemblance // in the order of Request.Subjects, without those that have no mask
	Why      string        // why there is none, for people; "": there is
}

// Done closes a job that made every picture.
type Done struct {
	Pictures int
	Elapsed  time.Duration
}

// Failed closes a job that ended early. Err is context.Canceled when the user cancelled; pictures and steps reported before
// stay valid.
type Failed struct{ Err error }

func (StageStarted) event()  {}
func (DeviceChanged) event() {}
func (Progress) event()      {}
func (StepDone) event()      {}
func (PictureReady) event()  {}
func (Likeness) event()      {}
func (Done) event()          {}
func (Failed) event()        {}

// Job is a generation that waits for its turn or runs.
type Job interface {
	// Events delivers everything in order, on the same channel at every call. StageStarted, DeviceChanged, StepDone, PictureReady,
	// Likeness and the last event are never dropped, so a receiver must drain the channel; a slow one slows the loop after a buffer of one
	// picture's steps.
	Events() <-chan Event
	// Cancel asks the job to stop. It returns at once and may be called at any time, also again. A running job stops within
	// one operator, a waiting one at once; both report Failed. A cancelled job holds up no other, even if nobody reads it.
	Cancel()
}

// Pauser is a Job that can rest between two steps: what it computes with stays open, and what comes after is the same as without a rest.
// Every job of an Engine is one.
type Pauser interface {
	// Pause has the job rest after the step in work, or go on. It returns at once and may be called at any time, also again. A job that
	// rests can be cancelled, and ends with its engine.
	Pause(on bool)
}
