package state

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// Phase is where a run stands.
type Phase int

// A run starts idle, and comes back to idle with its last event.
const (
	Idle Phase = iota
	Running
	Stopping // cancelled, the last event has not come yet
)

// Round is what the window knows of the running or the last generation.
type Round struct {
	No           int // in this window
	Phase        Phase
	Stage        inference.Stage
	Pictures     int // asked for
	Made         int // finished
	Picture      int // index of the one in work
	Pass, Passes int
	Remaining    time.Duration // 0 while unknown
	Provider     string        // where the stage computes; "" while unknown
	Moved        string        // why another device goes on with the run; "" where none does
	Film         []inference.StepDone
	Stop         int // T_stop of the run
	Subjects     []inference.Subject
	Norm         guidance.Normalization // of its masks
	Stopped      bool
	Rests        bool  // behind the step in work, until the queue goes on
	Err          error // why it ended early; nil after Done and after Cancel
	Elapsed      time.Duration
	Makers       []Maker // of its pictures, where other computers make them
}

// Shot is a finished picture of this window.
type Shot struct {
	inference.PictureReady
	Film    []inference.StepDone // the steps that led to it; kept for the last run only
	Path    string               // the file it is saved in; empty until it is
	SaveErr error                // why it is not, or why it cannot be shown
	Unsaved bool                 // its file could not be written
	Pixels  bool                 // the history keeps it instead

	Kept      uint64      // its number in the history; 0 until it has one
	Loaded    bool        // its picture and film were read from the history, or are being read
	Thumb     image.Image // of a kept one, until its picture is read
	Model     string      // that it was made with; "": not known
	Stopped   int         // the step that it stopped at, counted from 1; 0: it is finished, or none is kept
	Elsewhere bool        // it was opened from the history, and is none of the run
	Round     int         // that made it; 0: none of this window

	Likeness []history.Likeness // of its subjects, as far as it is known
}

// StoppedAt says at which step a picture stopped, 0 being not known.
func StoppedAt(step int) string {
	if step == 0 {
		return i18n.T("stopped")
	}
	return i18n.T("stopped") + " · " + i18n.T("step %d", step)
}

// View is what the stage shows: the run (Shot < 0) or a finished picture, and one of its steps, or with Step < 0 the
// newest there is.
type View struct{ Shot, Step int }

// State is everything that the window shows. It is a value: the methods answer changed copies.
type State struct {
	Form     Form
	Model    *bundle.Manifest // nil until the model is open
	ModelErr error
	Words    []Word // of Form.Prompt
	Run      Round
	Beside   []Round // of Queue.Beside
	Shots    []Shot
	View     View
	Selected int // ID of the chosen card; 0 is none
	Pending  inference.Word
	Span     Span // words that are being marked
	Queue    Queue
	Picking  int    // pictures being read
	Reading  string // the one that takes a moment, by its name
	PickErr  error  // why the last picture could not be taken
	Remark   string // on pictures that were taken
	Told     told   // what was just done with what is in view
	History  History
	Shelf    Shelf
	Farm     Farm
	SeedErr  error // what is wrong with the text in the field of the seed

	ActionErr error // of the last thing done with a finished picture

	rounds int // that were begun
}

// NewState is a window before anything is done in it.
func NewState() State {
	return State{Form: Form{Settings: inference.Settings{Preset: "paper"}, Count: 1, Seed: DrawSeed()}, View: View{Shot: -1, Step: -1}, Queue: Queue{Away: true}}
}

// Begin is the state at the moment when a run of r is asked for. A run that the stage follows goes on beside it.
func (s State) Begin(pictures, stop int) State {
	if s.Busy() {
		s.Beside = slices.Insert(slices.Clone(s.Beside), 0, s.Run)
	}
	s.rounds++
	s.Run = Round{No: s.rounds, Phase: Running, Stage: inference.StageLoad, Pictures: pictures, Stop: stop}
	s.View = View{Shot: -1, Step: -1}
	s.Shots = slices.Clone(s.Shots)
	for i := range s.Shots {
		s.Shots[i].Film, s.Shots[i].Loaded = nil, false
	}
	return s
}

// Apply is the state after an event of the running job.
func (s State) Apply(e inference.Event) State {
	switch e := e.(type) {
	case inference.StageStarted:
		s.Run.Stage, s.Run.Picture, s.Run.Provider = e.Stage, e.Picture, e.Provider
		if e.Stage == inference.StageDenoise {
			s.Run.Film = nil
			if e.Recipe != nil { // a cell of a grid
				s.Run.Stop, s.Run.Subjects, s.Run.Norm = e.Recipe.Stop, e.Recipe.Subjects, e.Recipe.Normalization()
			}
			if shot := s.Shot(); shot != nil && shot.Round == s.Run.No && s.View.Step < 0 && !shot.Elsewhere {
				s.View = View{Shot: -1, Step: -1} // go on watching unless an older picture was opened meanwhile
			}
		}
	case inference.DeviceChanged:
		s.Run.Provider, s.Run.Moved = e.Provider, wording.Sentence(e.Reason())
	case inference.Progress:
		s.Run.Pass, s.Run.Passes, s.Run.Remaining = e.Pass, e.Passes, e.Remaining
		r := s.Queue.Running.Request
		if left, pixels := e.Passes-e.Pass, r.Width*r.Height; left > 0 && pixels > 0 {
			s.Queue.Pace = Pace(e.Remaining.Seconds() / float64(left) / float64(pixels))
		}
	case inference.StepDone:
		s.Run.Film = append(slices.Clip(s.Run.Film), e)
	case inference.PictureReady:
		s.Run.Made++
		s.Shots = append(slices.Clip(s.Shots), Shot{PictureReady: e, Film: s.Run.Film, Model: s.modelName(), Round: s.Run.No})
		if s.View.Shot < 0 {
			s.View.Shot = len(s.Shots) - 1
		}
	case inference.Likeness:
		for i := len(s.Shots) - 1; i >= 0; i-- {
			if s.Shots[i].Round == s.Run.No && s.Shots[i].Picture == e.Picture && !s.Shots[i].Elsewhere {
				s.Shots = slices.Clone(s.Shots)
				s.Shots[i].Likeness = journal.LikenessOf(e.Subjects)
				break
			}
		}
	case inference.Done:
		s.Run.Phase, s.Run.Elapsed, s.Run.Remaining = Idle, e.Elapsed, 0
	case inference.Failed:
		s.Run.Phase, s.Run.Remaining = Idle, 0
		if errors.Is(e.Err, context.Canceled) {
			s.Run.Stopped = true
		} else {
			s.Run.Err = e.Err
		}
	}
	return s
}

// Flight is a job that runs.
type Flight struct {
	Task Task
	Run  Round
}

// Flights are the jobs that run, the one that the stage follows first.
func (s State) Flights() (list []Flight) {
	for i, t := range s.Queue.All() {
		if i == 0 {
			list = append(list, Flight{t, s.Run})
		} else {
			list = append(list, Flight{t, s.Beside[i-1]})
		}
	}
	return list
}

// Flight is a job that runs; false where it does not.
func (s State) Flight(id int) (Flight, bool) {
	list := s.Flights()
	i := slices.IndexFunc(list, func(f Flight) bool { return f.Task.ID == id })
	if i < 0 {
		return Flight{}, false
	}
	return list[i], true
}

// beside is the place of a job among those beside the one that the stage follows.
func (s State) beside(id int) int {
	return slices.IndexFunc(s.Queue.Beside, func(t Task) bool { return t.ID == id })
}

// Follow has the stage follow another job that runs.
func (s State) Follow(id int) State {
	i := s.beside(id)
	if i < 0 {
		return s
	}
	s.Queue.Beside, s.Beside = slices.Clone(s.Queue.Beside), slices.Clone(s.Beside)
	s.Queue.Running, s.Queue.Beside[i] = s.Queue.Beside[i], s.Queue.Running
	s.Run, s.Beside[i] = s.Beside[i], s.Run
	s.View = View{Shot: -1, Step: -1}
	return s
}

// ChangeFlight gives a job that runs to set, on a copy.
func (s State) ChangeFlight(id int, set func(*Flight)) State {
	f, ok := s.Flight(id)
	if !ok {
		return s
	}
	set(&f)
	if i := s.beside(id); i >= 0 {
		s.Queue.Beside, s.Beside = slices.Clone(s.Queue.Beside), slices.Clone(s.Beside)
		s.Queue.Beside[i], s.Beside[i] = f.Task, f.Run
	} else {
		s.Queue.Running, s.Run = f.Task, f.Run
	}
	return s
}

// ApplyTo is the state after an event of a job that runs. What the stage shows stays where it follows another one.
func (s State) ApplyTo(id int, e inference.Event) State {
	i := s.beside(id)
	if i < 0 {
		return s.Apply(e)
	}
	t := s
	t.Queue.Running, t.Run = s.Queue.Beside[i], s.Beside[i]
	t = t.Apply(e)
	s.Shots, s.Queue.Pace = t.Shots, t.Queue.Pace
	s.Beside = slices.Clone(s.Beside)
	s.Beside[i] = t.Run
	return s
}

// End takes a job that has reported its last event out of those that run. Where the stage followed it, and another one runs, it follows
// that one then, unless the user looks at an older picture.
func (s State) End(id int, failed bool) State {
	i := s.beside(id)
	s.Queue = s.Queue.End(id, failed)
	switch {
	case i >= 0:
		s.Beside = slices.Delete(slices.Clone(s.Beside), i, i+1)
	case len(s.Beside) > 0:
		s.Run, s.Beside = s.Beside[0], slices.Clone(s.Beside[1:])
		if !s.Away() {
			s.View = View{Shot: -1, Step: -1}
		}
	}
	return s
}

// Away tells whether the user looks at something else than what was made last.
func (s State) Away() bool {
	return s.View.Shot >= 0 && (s.View.Step >= 0 || s.View.Shot < len(s.Shots)-1)
}

func (s State) modelName() string {
	if s.Model == nil {
		return ""
	}
	return s.Model.Name
}

// Busy tells whether a run has not reported its last event yet.
func (s State) Busy() bool { return s.Run.Phase != Idle }

// Live tells whether the stage shows the job that runs.
func (s State) Live() bool { return s.Busy() && s.View.Shot < 0 }

// Home is the state that shows the picture again, of whose film a step is in view; while it runs, its newest step.
func (s State) Home() State {
	s.View.Step = -1
	return s
}

// Film is the film of what the stage shows, with the T_stop of its run.
func (s State) Film() ([]inference.StepDone, int) {
	if s.View.Shot >= 0 && s.View.Shot < len(s.Shots) {
		return s.Shots[s.View.Shot].Film, s.Shots[s.View.Shot].Recipe.Stop
	}
	return s.Run.Film, s.Run.Stop
}

// Shown is the step on the stage, or nil when it shows a finished picture or nothing.
func (s State) Shown() *inference.StepDone {
	film, _ := s.Film()
	switch {
	case len(film) == 0:
		return nil
	case s.View.Step >= 0:
		return &film[min(s.View.Step, len(film)-1)]
	case s.View.Shot >= 0:
		return nil
	}
	return &film[len(film)-1]
}

// Shot is the finished picture in view, or nil.
func (s State) Shot() *Shot {
	if s.View.Shot < 0 || s.View.Shot >= len(s.Shots) {
		return nil
	}
	return &s.Shots[s.View.Shot]
}

// Reasons says why Generate is not possible now, in plain words; none means that it is.
func (s State) Reasons() []string {
	switch {
	case s.ModelErr != nil:
		return []string{wording.Sentence(s.ModelErr)}
	case s.Picking > 0:
		return []string{i18n.T("A picture is still loading.")}
	}
	list := s.Form.Problems(s.Words, s.Model)
	if s.SeedErr != nil {
		list = append(list, wording.Sentence(s.SeedErr))
	}
	if len(list) == 0 && s.Model == nil {
		list = append(list, i18n.T("The model is still opening."))
	}
	return list
}

// Click is the state after the user clicked a word: it is bound to the chosen card, or else to the picture that still has
// no word, or else it waits for a card to be chosen. Clicking the word of the chosen card frees that card.
func (s State) Click(w Word) State {
	if w.Past {
		return s
	}
	card := s.Selected
	if card == 0 {
		for _, c := range s.Form.Cards {
			if !c.Bound() || c.Lost(s.Words) {
				card = c.ID
				break
			}
		}
	}
	if card == 0 {
		if i := slices.IndexFunc(s.Form.Cards, func(c Card) bool { return c.Bound() && SameWord(c.Word, w.Word) }); i >= 0 {
			s.Selected, s.Pending = s.Form.Cards[i].ID, inference.Word{}
			return s
		}
		if len(s.Form.Cards) == 1 {
			card = s.Form.Cards[0].ID
		}
	}
	if card == 0 {
		if SameWord(s.Pending, w.Word) {
			s.Pending = inference.Word{}
		} else {
			s.Pending = w.Word
		}
		return s
	}
	i := s.Form.Card(card)
	if i >= 0 && s.Form.Cards[i].Bound() && SameWord(s.Form.Cards[i].Word, w.Word) {
		s.Form = s.Form.Bind(card, inference.Word{})
		return s
	}
	s.Form = s.Form.Bind(card, w.Word)
	s.Selected, s.Pending = 0, inference.Word{}
	return s
}

// Choose is the state after the user clicked a card.
func (s State) Choose(card int) State {
	switch {
	case s.Pending.Text != "":
		s.Form = s.Form.Bind(card, s.Pending)
		s.Pending, s.Selected = inference.Word{}, 0
	case s.Selected == card:
		s.Selected = 0
	default:
		s.Selected = card
	}
	return s
}

// Add is the state after a picture was read. It takes the word onto, or else the word that waits for a picture, or else a free
// word of the prompt that equals hint (the name of the file, or what a sample shows).
func (s State) Add(c Card, hint string, onto inference.Word) State {
	if f, missed := s.Form.Fill(c); missed {
		s.Form = f
		return s
	}
	c.ID = s.Form.freeID()
	s.Form.Cards = append(slices.Clip(s.Form.Cards), c)
	switch {
	case onto.Text != "":
		s.Form = s.Form.Bind(c.ID, onto)
	case s.Pending.Text != "":
		s.Form = s.Form.Bind(c.ID, s.Pending)
		s.Pending = inference.Word{}
	default:
		for _, w := range s.Words {
			if !w.Past && strings.EqualFold(w.Text, hint) && s.Form.SubjectOf(w.Word) < 0 {
				s.Form = s.Form.Bind(c.ID, w.Word)
				break
			}
		}
	}
	return s
}
