package journal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"time"

	xdraw "golang.org/x/image/draw"

	"realword/history"
	"realword/inference"
	"realword/inference/recipe"
)

// PlanOf is what a history keeps of a round before it begins. It puts the bytes of every picture file into the store; one that is gone
// is in the recipe alone. The request is a resolved one; parents are pictures of the history that the round goes on from.
func PlanOf(s *history.Store, session uint64, r inference.Request, model string, parents ...uint64) (history.Plan, error) {
	p := history.Plan{Session: session, Prompt: r.Prompt, Parents: parents}
	if r.Grid != nil {
		p.Grid, p.Resume = true, r.Grid.Of
	}
	for _, subject := range r.Subjects {
		p.Words = append(p.Words, subject.Word.Text)
	}
	for _, f := range r.Files() {
		kept, err := s.PutReference(history.Reference{Name: f.Name, SHA256: *f.SHA256}, *f.Data)
		if errors.Is(err, history.ErrNoReference) {
			continue
		}
		if err != nil {
			return p, err
		}
		p.References = append(p.References, kept)
	}
	var err error
	p.Recipe, err = recipe.New(r, model)
	return p, err
}

// Recorder journals what happens in one round: pictures once there is something to see of them, the predicted clean latent, the scores
// and the preview of every step, the last of which is the thumbnail of a picture that is stopped, the exact state at T_stop
// (behind the first step where the run begins later), and the outcome. It belongs to one goroutine. Each call tells its own error, and what
// comes later is tried all the same: a disk that has no room for steps has it for the file of a picture and the outcome of its round. Only
// of a picture with a step that could not be kept are no more kept: a film has no gaps. What was recorded stays.
type Recorder struct {
	Round uint64
	Thumb int    // longer side of thumbnails in pixels; 0 is the usual one
	Model string // of the recipes of cells

	store    *history.Store
	request  inference.Request
	pictures map[int]uint64                 // index in Request.Seeds -> picture of the history
	begun    map[int]inference.StageStarted // pictures without a number yet: nothing was to be seen of them when they stopped
	stepped  map[int]bool                   // pictures with a step
	cells    map[int]inference.Request      // of a grid, those that were begun
	gaps     map[int]bool                   // pictures with a step that could not be kept
	failed   error                          // the round has not begun
	begin    func() (uint64, error)         // begins it; nil: it has begun
}

// NewRecorder records a round that has begun, of a resolved request.
func NewRecorder(s *history.Store, round uint64, r inference.Request) *Recorder {
	return &Recorder{
		Round: round, store: s, request: r, pictures: map[int]uint64{}, begun: map[int]inference.StageStarted{},
		stepped: map[int]bool{}, cells: map[int]inference.Request{}, gaps: map[int]bool{},
	}
}

// Picture is the history's number of a picture that was begun, 0 if it was not.
func (r *Recorder) Picture(index int) uint64 { return r.pictures[index] }

// Event journals an event of the round's job.
func (r *Recorder) Event(e inference.Event) error {
	if at, is := e.(inference.StageStarted); is && at.Stage == inference.StageDenoise && at.Picture < len(r.request.Seeds) {
		r.begun[at.Picture] = at
	}
	if err := r.begins(); err != nil {
		if step, is := e.(inference.StepDone); is {
			r.gaps[step.Picture] = true
		}
		return err
	}
	switch e := e.(type) {
	case inference.PictureReady:
		return r.start(e.Picture)
	case inference.StepDone:
		if r.gaps[e.Picture] {
			return nil
		}
		err := r.keep(e)
		r.gaps[e.Picture] = err != nil
		return err
	case inference.Likeness:
		if id := r.pictures[e.Picture]; id != 0 && len(e.Subjects) > 0 {
			return r.store.SetLikeness(id, LikenessOf(e.Subjects))
		}
	case inference.Done:
		return r.store.End(r.Round, history.Complete, nil, time.Now())
	case inference.Failed:
		if errors.Is(e.Err, context.Canceled) {
			return r.store.End(r.Round, history.Cancelled, nil, time.Now())
		}
		return r.store.End(r.Round, history.Failed, e.Err, time.Now())
	}
	return nil
}

// begins has the round begin if it could not before: there may be room for it again.
func (r *Recorder) begins() error {
	if r.failed != nil && r.begin != nil {
		r.Round, r.failed = r.begin()
	}
	return r.failed
}

// start gives a picture that was begun its number.
func (r *Recorder) start(picture int) error {
	e, begun := r.begun[picture]
	if err := r.begins(); !begun || err != nil {
		return err
	}
	var id uint64
	var said []byte
	var err error
	seed := r.request.Seeds[picture]
	if e.Recipe == nil {
		id, err = r.store.StartPicture(r.Round, seed)
	} else if said, err = recipe.New(*e.Recipe, r.Model); err == nil {
		r.cells[picture] = *e.Recipe
		id, err = r.store.StartCell(r.Round, seed, picture+1, said)
	}
	if err != nil {
		return err
	}
	r.pictures[picture] = id
	delete(r.begun, picture)
	return nil
}

// keep keeps a step.
func (r *Recorder) keep(e inference.StepDone) error {
	if err := r.start(e.Picture); err != nil {
		return err
	}
	step, err := r.step(e)
	if err == nil {
		err = r.store.AddStep(r.pictures[e.Picture], step)
	}
	r.stepped[e.Picture] = true
	return err
}

// step is what is kept of a step. The first one of a picture has the scores that its masks were made of, also where it went
// on from another picture's step. A step with its exact state has its scores there.
func (r *Recorder) step(e inference.StepDone) (out history.Step, err error) {
	out = history.Step{Index: e.Step, Clean: e.Clean}
	if e.Guided {
		for _, s := range e.Subjects {
			out.Cross, out.Scores = append(out.Cross, s.Cross), append(out.Scores, s.Scores)
		}
	} else if !r.stepped[e.Picture] {
		out.Scores = e.State.Scores
	}
	if p := e.Preview; p != nil { // what stands for the picture should it be stopped, or the program die
		if out.Small, err = Thumbnail(opaque(p), max(r.Thumb, ThumbSide)); err != nil {
			return out, err
		}
	}
	request, ok := r.cells[e.Picture]
	if !ok {
		request = r.request
	}
	if e.Step == max(request.Stop-1, request.Begin()) && e.Step < e.Steps-1 {
		out.Scores = nil
		out.State, err = inference.EncodeState(e.State)
	}
	return out, err
}

// Saved journals that a picture of the round is in a file. With its SHA-256 the file belongs to the history, and goes when
// the trash is emptied.
func (r *Recorder) Saved(ready inference.PictureReady, file, sha256 string) error {
	err := r.start(ready.Picture)
	id := r.pictures[ready.Picture]
	if err != nil || id == 0 {
		return err
	}
	p, err := r.finished(ready)
	if err != nil {
		return err
	}
	p.File, p.SHA256 = file, sha256
	return r.store.FinishPicture(id, p)
}

// Unsaved journals a picture of the round whose file could not be written: png is what would be in it.
func (r *Recorder) Unsaved(ready inference.PictureReady, png []byte) error {
	err := r.start(ready.Picture)
	id := r.pictures[ready.Picture]
	if id == 0 {
		return cmp.Or(err, error(history.ErrNoPicture))
	}
	p, err := r.finished(ready)
	if err != nil {
		return err
	}
	return r.store.KeepPixels(id, p, png)
}

// finished is what is kept of a finished picture, but for where it is.
func (r *Recorder) finished(ready inference.PictureReady) (history.Picture, error) {
	small, err := Thumbnail(ready.Image, max(r.Thumb, ThumbSide))
	size := ready.Image.Bounds().Size()
	return history.Picture{Width: size.X, Height: size.Y, Thumbnail: small}, err
}

// opaque is a picture without transparency in another form, with the same pixels.
func opaque(p *image.RGBA) *image.NRGBA {
	return &image.NRGBA{Pix: p.Pix, Stride: p.Stride, Rect: p.Rect}
}

// ThumbSide is the longer side of a thumbnail in pixels, LargeThumb that for screens and texts on which it looks soft.
const ThumbSide, LargeThumb = 128, 256

// Thumbnail is a picture at the size in which a history is browsed, its longer side that of so many pixels, as a PNG file. A smaller
// picture keeps its size.
func Thumbnail(img *image.NRGBA, side int) ([]byte, error) {
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return nil, errors.New("the picture is empty: report this")
	}
	scale := min(1, float64(side)/float64(max(size.X, size.Y)))
	small := image.NewNRGBA(image.Rect(0, 0, max(int(float64(size.X)*scale), 1), max(int(float64(size.Y)*scale), 1)))
	xdraw.CatmullRom.Scale(small, small.Rect, img, img.Bounds(), xdraw.Src, nil)
	var file bytes.Buffer
	if err := png.Encode(&file, small); err != nil {
		return nil, fmt.Errorf("the thumbnail cannot be made: %w", err)
	}
	return file.Bytes(), nil
}
