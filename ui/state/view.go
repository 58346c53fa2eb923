package state

import (
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/schedule"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// FilmName is what files of the film in view are called.
func (s State) FilmName() string {
	if shot := s.Shot(); shot != nil {
		if shot.Path != "" {
			return strings.TrimSuffix(filepath.Base(shot.Path), filepath.Ext(shot.Path))
		}
		return fmt.Sprint("realword-", shot.Seed)
	}
	return "realword"
}

// told is a message on what is in view; it is seen until something else is in view.
type told struct {
	text string
	view View
}

func (s State) Tell(text string) told { return told{text, s.View} }

// MaskStep is the step whose masks belong to what the stage shows: the step itself, or the last one of a finished picture.
func (s State) MaskStep() *inference.StepDone {
	if step := s.Shown(); step != nil {
		return step
	}
	if film, _ := s.Film(); len(film) > 0 {
		return &film[len(film)-1]
	}
	return nil
}

// ScoredStep is the step whose scores the masks of what is in view come from, with the subjects of its round and their normalisation;
// nil where no scores are kept.
func (s State) ScoredStep() (step *inference.StepDone, subjects []inference.Subject, norm guidance.Normalization) {
	film, _ := s.Film()
	subjects, norm = s.shownSubjects(), s.Run().Norm
	if shot := s.Shot(); shot != nil {
		norm = shot.Recipe.Normalization()
	}
	last := len(film) - 1
	if s.View.Step >= 0 {
		last = min(s.View.Step, last)
	}
	for ; last >= 0; last-- {
		if step := &film[last]; len(step.Subjects) > 0 && len(step.Subjects) == len(subjects) &&
			!slices.ContainsFunc(step.Subjects, func(j inference.SubjectStep) bool {
				return len(j.Scores) == 0 || len(j.Scores) != step.GridWidth*step.GridHeight
			}) {
			return step, subjects, norm
		}
	}
	return nil, subjects, norm
}

// FilmSubjects is how many rows of masks the film of what is in view has.
func (s State) FilmSubjects() int {
	if film, _ := s.Film(); len(film) > 0 {
		return len(film[0].Subjects)
	}
	if s.Busy() && s.View.Shot < 0 {
		return len(s.Run().Subjects)
	}
	return 0
}

// WordNames names the n subjects of what is in view.
func (s State) WordNames(n int) []string {
	subjects := s.shownSubjects()
	words := make([]string, n)
	for i := range words {
		if i < len(subjects) {
			words[i] = subjects[i].Word.Text
		}
	}
	return words
}

// PictureSize is the size in pixels of the finished picture of what is in view; zero while it is not known.
func (s State) PictureSize() image.Point {
	shot := s.Shot()
	switch {
	case shot != nil && shot.Recipe.Width > 0:
		return image.Pt(shot.Recipe.Width, shot.Recipe.Height)
	case shot != nil && shot.Image != nil:
		return shot.Image.Rect.Size()
	}
	if film, _ := s.Film(); len(film) > 0 && film[0].Preview != nil && s.Model != nil {
		return film[0].Preview.Rect.Size().Mul(max(s.Model.Latent.Factor, 1))
	}
	return image.Point{}
}

func ScoresOf(step *inference.StepDone) [][]float32 {
	scores := make([][]float32, len(step.Subjects))
	for j, s := range step.Subjects {
		scores[j] = s.Scores
	}
	return scores
}

// TextAlone is the request of a picture without its references: what the words alone give with its seed.
func TextAlone(r inference.Request) inference.Request {
	r.Subjects, r.From = nil, nil
	return r
}

// TextOnly is the index of the whole picture that the words of a shot alone have given with its seed and its model, -1 where there is none.
func (s State) TextOnly(of Shot) int {
	r := TextAlone(of.Recipe)
	return slices.IndexFunc(s.Shots, func(have Shot) bool {
		return have.Stopped == 0 && (of.Model == "" || have.Model == of.Model) && sameText(have.Recipe, r)
	})
}

// sameText tells whether two requests without subjects make the same picture with one model.
func sameText(a, b inference.Request) bool {
	for _, t := range inference.Table() {
		if !t.OfMasks && t.Get(a.Settings) != t.Get(b.Settings) {
			return false
		}
	}
	return len(a.Subjects) == 0 && len(b.Subjects) == 0 && slices.Equal(a.Seeds, b.Seeds) && a.Prompt == b.Prompt && sameInit(a.Init, b.Init)
}

// sameInit tells whether two pictures begin with the same one, in the same region and as strongly.
func sameInit(a, b *inference.Init) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.SHA256 == b.SHA256 && a.Strength == b.Strength && a.Region.SHA256 == b.Region.SHA256
}

// Find is the index of a shot among those of the window, -1 where it is none of them.
func (s State) Find(shot Shot) int {
	return slices.IndexFunc(s.Shots, func(have Shot) bool {
		return have.Image != nil && have.Image == shot.Image || have.Kept != 0 && have.Kept == shot.Kept
	})
}

// Without is the state once pictures are gone for good. Where the one in view is among them, its neighbour comes into view.
func (s State) Without(gone func(Shot) bool) State {
	var left []Shot
	view := s.View
	for i, shot := range s.Shots {
		switch {
		case !gone(shot):
			left = append(left, shot)
		case i < s.View.Shot:
			view.Shot--
		case i == s.View.Shot:
			view.Step = -1
		}
	}
	view.Shot = min(view.Shot, len(left)-1)
	s.Shots, s.View = left, view
	return s
}

// Here tells whether a picture is in this window alone: in no file, or in none yet, and not in the history.
func (s Shot) Here() bool {
	return s.Unsaved && !s.Pixels || s.Path == "" && s.Kept == 0 && s.Image != nil
}

// Guests are the pictures that another session takes over from this one: those that are in this window alone.
func (s State) Guests() (list []Shot) {
	for _, shot := range s.Shots {
		if shot.Here() {
			shot.Guest, shot.Elsewhere = true, true
			list = append(list, shot)
		}
	}
	return list
}

// Losing counts the pictures that go with the window: they are in no file, and not in the history.
func (s State) Losing() int {
	n := 0
	for _, shot := range s.Shots {
		if shot.Unsaved && !shot.Pixels {
			n++
		}
	}
	return n
}

// Rest are the seeds of the job whose pictures are not made yet; of a grid, as many as it lacks cells.
func (f Flight) Rest() []uint64 {
	if f.Run.Phase != Running { // who stops it wants none of them
		return nil
	}
	t := f.Task
	if t.Request.Grid != nil {
		return t.Request.Seeds[:max(len(t.Request.Seeds)-len(t.Request.Grid.Made)-f.Run.Made, 0)]
	}
	if f.Run.Made < len(t.Request.Seeds) {
		return t.Request.Seeds[f.Run.Made:]
	}
	return nil
}

// Rest is how many pictures of the jobs that run are not made yet, of how many.
func (s State) Rest() (left, of int) {
	for _, f := range s.Queue.Flights {
		if n := len(f.Rest()); n > 0 {
			left, of = left+n, of+f.Run.Pictures
		}
	}
	return left, of
}

// Stepless tells whether the picture in view has no steps to look at, and none are being read: they were not kept, or went to make room.
func (s State) Stepless() bool {
	shot := s.Shot()
	return shot != nil && len(shot.Film) == 0 && (shot.Stepless || shot.Kept == 0)
}

// Caption says what is on the stage.
func (s State) Caption() string {
	if s.ActionErr != nil {
		return wording.Sentence(s.ActionErr)
	}
	if s.Told.text != "" && s.Told.view == s.View {
		return s.Told.text
	}
	if step := s.Shown(); step != nil {
		if shot := s.Shot(); shot != nil && shot.Bare {
			return i18n.T("step %d of %d · masks only: to see how it looked, open the model %s", step.Step+1, step.Steps, shot.Model)
		}
		if step.Guided {
			return i18n.T("step %d of %d · masks follow the words", step.Step+1, step.Steps)
		}
		return i18n.T("step %d of %d · masks are settled", step.Step+1, step.Steps)
	}
	shot := s.Shot()
	switch {
	case shot == nil:
		return ""
	case shot.Unsaved: // it is said above, with what helps
		return i18n.T("seed %d", shot.Seed)
	case shot.SaveErr != nil:
		return wording.Sentence(shot.SaveErr)
	case shot.Path == "" && !shot.Pixels:
		return i18n.T("saving…")
	}
	if shot.Model != "" && s.Model != nil && !s.Model.Named(shot.Model) {
		return i18n.T("seed %d · made with the model %s", shot.Seed, shot.Model)
	}
	return i18n.T("seed %d", shot.Seed)
}

// SamplerName is what people call a sampler.
func SamplerName(name string) string {
	if s, err := schedule.Find(name); err == nil {
		return s.Label
	}
	return name
}

// Status is the line over the progress bar. How long the last job took is not said beside a picture of another one.
func (s State) Status() string {
	if s.Resting() {
		n := len(s.Queue.Waiting)
		return i18n.N(n, "The queue is paused: %d job waits.", "The queue is paused: %d jobs wait.", n)
	}
	if shot, run := s.Shot(), s.Run(); run.Phase == Idle && shot != nil && (shot.Elsewhere || shot.Round != run.No) {
		return ""
	}
	if r := s.Run(); r.Rests && r.Phase == Running {
		r.Remaining = 0
		return i18n.T("paused") + " · " + r.Status()
	}
	return s.Run().Status()
}

// Resting tells whether nothing runs because the queue is paused, and jobs wait in it: as after a start.
func (s State) Resting() bool { return s.Queue.Paused && !s.Busy() && len(s.Queue.Waiting) > 0 }

// Number is which of its pictures a run makes, from 1: the same count wherever it is said, with the cells that a grid had before.
func (r Round) Number() int { return min(r.Before+r.Made+1, r.Pictures) }

// step is the newest of the picture in work, from 1: not how many there are, since a second pass begins in the middle. 0: none.
func (r Round) step() int {
	if len(r.Film) == 0 {
		return 0
	}
	return r.Film[len(r.Film)-1].Step + 1
}

// Status is that of a run that does not rest.
func (r Round) Status() string {
	of := ""
	if r.Pictures > 1 {
		of = i18n.T("picture %d of %d · ", r.Number(), r.Pictures)
	}
	left := ""
	if r.Remaining > 0 {
		left = i18n.T(" · about %s left", wording.Duration(r.Remaining))
	}
	if r.Provider != "" && (r.Provider != "CPU" || r.Moved != "") {
		left = " · " + r.Provider + left
	}
	switch {
	case r.Phase == Stopping:
		return i18n.T("Stopping…")
	case r.Phase == Idle && r.Stopped:
		return i18n.T("Stopped after step %d.", r.step())
	case r.Phase == Idle && r.Elapsed > 0:
		return i18n.T("Done in %.1f s.", r.Elapsed.Seconds())
	case r.Phase == Idle:
		return ""
	}
	if r.Waits {
		return of + i18n.T("waiting for a computer of the farm")
	}
	switch r.Stage {
	case inference.StageText:
		return i18n.T("Reading the prompt…")
	case inference.StageVision, inference.StageEncode:
		return i18n.T("Checking the pictures…")
	case inference.StageDecode:
		return of + i18n.T("finishing…")
	case inference.StageDenoise:
		steps := 0
		if len(r.Film) > 0 {
			steps = r.Film[0].Steps
		}
		if steps == 0 {
			return of + i18n.T("first step…")
		}
		return i18n.T("%sstep %d of %d%s", of, r.step(), steps, left)
	}
	return i18n.T("Getting ready…")
}

// QueueThumb is the side of the picture of a waiting round, in pixels of a screen of twice the usual density.
const QueueThumb = 60

// Thumb is a picture of the first subject that takes part, nil without one.
func (f Form) Thumb() image.Image {
	for _, c := range f.Cards {
		if c.Live() && !c.Off && c.View != nil {
			return c.View
		}
	}
	return nil
}

// About says what a round makes.
func (t Task) About() string {
	n := len(t.Request.Seeds)
	if g := t.Request.Grid; g != nil {
		return i18n.T("grid of %d × %d", g.Rows.Len(), g.Columns.Len())
	}
	switch n {
	case 0:
		return ""
	case 1:
		return i18n.T("seed %d", t.Request.Seeds[0])
	}
	return i18n.N(n, "%d picture", "%d pictures", n) + " · " + i18n.T("seeds %s", SeedList(t.Request.Seeds))
}

// Pictures is how many pictures a job makes.
func (t Task) Pictures() int {
	if g := t.Request.Grid; g != nil {
		return max(g.Len()-len(g.Made), 0)
	}
	return len(t.Request.Seeds)
}

// Pictures is how many pictures the jobs that wait make.
func (q Queue) Pictures() int {
	n := 0
	for _, t := range q.Waiting {
		n += t.Pictures()
	}
	return n
}

// History is what the window knows of the history. The current session is the journal's to say.
type History struct {
	Open bool
	Err  error  // why nothing is kept, or the last change was not; nil while all is well
	Name string // of the session, as its owner named it
	// Example: what is on the screen is the session that comes with the program. What is made of it goes into one of the user's own.
	Example bool
	Up      int // how many sessions have come up: what was begun in one of them does not get into another
}
