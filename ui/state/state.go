package state

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

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
	Before       int // of them, that were there when it began: cells of a grid that goes on
	Made         int // finished by it
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
	with         Form  // as it stood then
	Elapsed      time.Duration
	Makers       []Maker // of its pictures, where other computers make them
	Waits        bool    // no computer of the farm makes one of its pictures, or could begin now
}

// Shot is a finished picture of this window.
type Shot struct {
	inference.PictureReady
	Film    []inference.StepDone // the steps that led to it; kept for the last run only
	Path    string               // the file it is saved in; empty until it is
	SaveErr error                // why it is not, or why it cannot be shown
	Unsaved bool                 // its file could not be written
	Pixels  bool                 // the history keeps it in place of a file

	Kept      uint64      // its number in the history; 0 until it has one
	Loaded    bool        // its picture and film were read from the history, or are being read
	Thumb     image.Image // of a kept one, until its picture is read
	Model     string      // that it was made with; "": not known
	Bare      bool        // the steps of its film have no pictures: they are of a model that is not open; what it became stands for them
	Stepless  bool        // the history has none of its steps
	Stopped   int         // the step that it stopped at, counted from 1; 0: it is finished, or none is kept
	Trashed   bool        // it is in the trash, alone or with its job
	Elsewhere bool        // it was opened from the history, and is none of the run
	Guest     bool        // of a session that was left: it stays here until it is somewhere else, too
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
	Last     Round  // that has ended; empty while a job runs
	Shots    []Shot
	View     View
	Selected int // ID of the chosen card; 0 is none
	Latest   int // the pictures that came last have this ID or larger ones
	Before   int // ID of the card that is chosen since before they began to come; 0 is none, or the user has chosen anew since
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

// Begin is the state at the moment when a job is asked for: the stage follows it. What runs goes on beside it.
func (s State) Begin(t Task, pictures, stop int) State {
	s.rounds++
	s.Last = Round{}
	s.Queue = s.Queue.Begin(t, Round{No: s.rounds, Phase: Running, Stage: inference.StageLoad, Pictures: pictures, Stop: stop})
	s.View = View{Shot: -1, Step: -1}
	s.Shots = slices.Clone(s.Shots)
	for i := range s.Shots {
		s.Shots[i].Film, s.Shots[i].Loaded = nil, false
	}
	return s
}

// Run is the round that the stage follows; where no job runs, the last one.
func (s State) Run() Round {
	if s.Busy() {
		return s.Queue.Followed().Run
	}
	return s.Last
}

// Apply is the state after an event of a job that runs. What the stage shows stays where it follows another one. With its last event a job
// runs no longer.
func (s State) Apply(id int, e inference.Event) State {
	f, ok := s.Queue.Flight(id)
	if !ok {
		return s
	}
	run, followed := &f.Run, id == s.Queue.Followed().Task.ID
	switch e := e.(type) {
	case inference.StageStarted:
		run.Stage, run.Picture, run.Provider = e.Stage, e.Picture, e.Provider
		if e.Stage == inference.StageDenoise {
			run.Film = nil
			if e.Recipe != nil { // a cell of a grid
				run.Stop, run.Subjects, run.Norm = e.Recipe.Stop, e.Recipe.Subjects, e.Recipe.Normalization()
			}
			if shot := s.Shot(); followed && shot != nil && shot.Round == run.No && s.View.Step < 0 && !shot.Elsewhere {
				s.View = View{Shot: -1, Step: -1} // go on watching unless an older picture was opened meanwhile
			}
		}
	case inference.DeviceChanged:
		run.Provider, run.Moved = e.Provider, wording.Sentence(e.Reason())
	case inference.Progress:
		run.Pass, run.Passes, run.Remaining = e.Pass, e.Passes, e.Remaining
		r := f.Task.Request
		if left, pixels := e.Passes-e.Pass, r.Width*r.Height; left > 0 && pixels > 0 {
			s.Queue.Pace = Pace(e.Remaining.Seconds() / float64(left) / float64(pixels))
		}
	case inference.StepDone:
		run.Film = append(slices.Clip(run.Film), e)
	case inference.PictureReady:
		run.Made++
		s.Shots = append(slices.Clip(s.Shots), Shot{PictureReady: e, Film: run.Film, Model: s.modelName(), Round: run.No})
		if followed && s.View.Shot < 0 {
			s.View.Shot = len(s.Shots) - 1
		}
	case inference.Likeness:
		for i := len(s.Shots) - 1; i >= 0; i-- {
			if s.Shots[i].Round == run.No && s.Shots[i].Picture == e.Picture && !s.Shots[i].Elsewhere {
				s.Shots = slices.Clone(s.Shots)
				s.Shots[i].Likeness = journal.LikenessOf(e.Subjects)
				break
			}
		}
	case inference.Done:
		run.Elapsed = e.Elapsed
		return s.end(f, false)
	case inference.Failed:
		if errors.Is(e.Err, context.Canceled) {
			run.Stopped = true
		} else {
			run.Err = e.Err
		}
		return s.end(f, run.Err != nil)
	}
	s.Queue = s.Queue.ChangeFlight(id, func(one *Flight) { *one = f })
	return s
}

// end takes out a job that has reported its last event. Where the stage followed it, and another one runs, it follows that one then,
// unless the user looks at an older picture.
func (s State) end(f Flight, failed bool) State {
	followed := f.Task.ID == s.Queue.Followed().Task.ID
	s.Queue = s.Queue.End(f.Task.ID, failed)
	switch {
	case !s.Busy():
		s.Last = f.Run
		s.Last.Phase, s.Last.Remaining = Idle, 0
		s = s.free()
		if s.View.Shot < 0 && len(f.Run.Film) == 0 { // it ended before there was anything to see: the stage goes back to what there is
			s.View = View{Shot: len(s.Shots) - 1, Step: -1}
		}
	case followed && !s.Away():
		s.View = View{Shot: -1, Step: -1}
	}
	return s
}

// Refuse says why a job was not taken, or failed: in place of how far the run is, or under the picture, with its prompt, while another job
// runs, which has nothing to do with it.
func (s State) Refuse(t Task, err error) State {
	var no NotTaken
	switch prompt := Shorten(t.Request.Prompt, 40); {
	case errors.As(err, &no):
		err = i18n.Errorf("the job “%s” waits again, and so does the queue: %w", prompt, no.Err)
	case s.Busy():
		err = i18n.Errorf("the job “%s” failed: %w", prompt, err)
	}
	if s.Busy() {
		s.ActionErr = err
	} else {
		s.Last.Err, s.Last.with = err, s.Form
	}
	return s
}

// Failure is why the last job ended early, until something else is set than when it did: that may have been the cause. Letters of the
// prompt take nothing away, as they may have been on their way, unless a bound word is another one then.
func (s State) Failure() error {
	run := s.Run()
	if run.Err == nil || slices.ContainsFunc(changedFields(run.with, s.Form), func(name string) bool { return name != "Prompt" }) {
		return nil
	}
	return run.Err
}

// Follow has the stage follow another job that runs.
func (s State) Follow(id int) State {
	i := s.Queue.flight(id)
	if i <= 0 {
		return s
	}
	s.Queue.Flights = slices.Clone(s.Queue.Flights)
	s.Queue.Flights[0], s.Queue.Flights[i] = s.Queue.Flights[i], s.Queue.Flights[0]
	s.View = View{Shot: -1, Step: -1}
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

// Busy tells whether a job runs, that is, has not reported its last event yet.
func (s State) Busy() bool { return len(s.Queue.Flights) > 0 }

// Occupied says why no other session can be taken up now; nil: one can.
func (s State) Occupied() error {
	switch {
	case s.Busy():
		return ErrOccupied{}
	case s.Picking > 0:
		return ErrOccupied{Reading: true}
	}
	return nil
}

// free takes back that the session is occupied, where it is no more.
func (s State) free() State {
	if errors.As(s.ActionErr, new(ErrOccupied)) {
		s.ActionErr = s.Occupied()
	}
	return s
}

// ErrOccupied is said while a job keeps the session where it is, or a picture that is being read for it.
type ErrOccupied struct{ Reading bool }

func (e ErrOccupied) Error() string {
	if e.Reading {
		return i18n.T("a picture is still being read for this session: wait until it is here")
	}
	return i18n.T("a job is running: wait until all are done, or pause the queue and stop the job")
}

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
	run := s.Run()
	return run.Film, run.Stop
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
	case s.Shelf.Moving, s.Shelf.Next != nil && s.Shelf.Hasty: // a job would be one of the model that the user leaves
		return []string{i18n.T("The model is still opening.")}
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

// Click is the state after the user clicked a word: it is bound to the chosen card, or else to the picture that its word is asked for,
// or else it waits for a card to be chosen. Clicking the word of the chosen card frees that card.
func (s State) Click(w Word) State {
	if w.Past {
		return s
	}
	card := s.Selected
	if i := s.waits(); card == 0 && i >= 0 {
		card = s.Form.Groups()[i].ID
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

// Expect is the state once pictures are on their way: they are read one after the other, and the user goes on meanwhile.
func (s State) Expect() State {
	if s.Picking++; s.Picking == 1 {
		s.Before = s.Selected
	}
	s.Latest = s.Form.NextID()
	return s
}

// Came is the state once the pictures of an Expect are there, or will not come.
func (s State) Came() State {
	if s.Picking--; s.Picking == 0 {
		s.Before = 0
	}
	return s.free()
}

// Bound binds pictures that take long to choose to the session that is up: still tells whether it is up still, and says so where it is not.
func Bound(now func() State, change func(func(*State))) (still func() bool) {
	up := now().History.Up
	return func() bool {
		if now().History.Up == up {
			return true
		}
		change(func(s *State) {
			s.PickErr = i18n.Errorf("another session has come up meanwhile: choose the pictures again")
		})
		return false
	}
}

// LetGo is the state once a picture has come that the next word is meant for: no longer for a card that was chosen before Expect.
func (s State) LetGo() State {
	if s.Selected == s.Before {
		s.Selected, s.Before = 0, 0
	}
	return s
}

// Add is the state after a picture was read. It takes the word onto, or else the word that waits for a picture, or else a free
// word of the prompt that equals hint (the name of the file, or what a sample shows). Without one, the next word is asked for it, and no
// longer for a card that was chosen before Expect.
func (s State) Add(c Card, hint string, onto inference.Word) State {
	if f, missed := s.Form.Fill(c, s.Model); missed {
		s.Form = f
		return s
	}
	c.ID = s.Form.NextID()
	s.Form.Cards = append(slices.Clip(s.Form.Cards), c)
	switch {
	case onto.Text != "":
		s.Form = s.Form.Bind(c.ID, onto)
	case s.Pending.Text != "":
		s.Form = s.Form.Bind(c.ID, s.Pending)
		s.Pending = inference.Word{}
	default:
		for _, w := range s.Words {
			if !w.Past && strings.EqualFold(norm.NFC.String(w.Text), hint) && s.Form.SubjectOf(w.Word) < 0 {
				s.Form = s.Form.Bind(c.ID, w.Word)
				return s
			}
		}
		return s.LetGo()
	}
	return s
}
