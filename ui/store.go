package ui

import (
	"encoding/json"
	"time"

	"realword/history"
)

// Store is the history as the window uses it; *history.Store is one, and says what each method does. Every call may wait for
// the disk and is made off the window's goroutine; calls that change something go through Window.journal, which keeps
// their order.
type Store interface {
	NewSession(name string, at time.Time) (uint64, error)
	Sessions() ([]history.Session, error)
	Session(id uint64) (history.Session, error)
	RenameSession(id uint64, name string) error
	SetDraft(session uint64, draft json.RawMessage, references []history.Reference) error
	Usage() (map[uint64]history.Usage, error)

	PutReference(name string, data []byte) (history.Reference, error)
	ReferenceData(sha256 string) ([]byte, error)

	BeginRound(p history.Plan, at time.Time) (uint64, error)
	Round(id uint64) (history.Round, error)
	SessionRounds(session uint64) ([]history.Round, error)
	Children(picture uint64) ([]uint64, error)
	End(round uint64, status history.Status, cause error, at time.Time) error

	StartPicture(round, seed uint64) (uint64, error)
	FinishPicture(id uint64, p history.Picture, png []byte) (file string, err error)
	KeepPixels(id uint64, p history.Picture, png []byte) error
	Pixels(id uint64) ([]byte, error)
	MovePicture(id uint64, file string) error
	SetThumbnail(picture uint64, png []byte) error
	SetStar(picture uint64, on bool) error
	SetPin(picture uint64, on bool) error
	Picture(id uint64) (history.Picture, error)
	Pictures(ids []uint64) ([]history.Picture, error)
	Find(f history.Filter) ([]uint64, error)

	AddStep(picture uint64, step history.Step) error
	Steps(picture uint64) ([]int, error)
	Step(picture uint64, index int, state bool) (history.Step, error)
	DropSteps(picture uint64) error
	TrimSteps(budget int64) (int64, error)

	Trash(at time.Time, items ...history.Item) error
	Restore(items ...history.Item) error
	TrashCan() (map[history.Item]time.Time, error)
	Empty(before time.Time) (int, error)

	Enqueue(p history.Plan, at time.Time) (uint64, error)
	Jobs() ([]history.Job, error)
	StartJob(id uint64, at time.Time) (round uint64, err error)
	MoveJob(id uint64, place int) error
	RemoveJob(id uint64) error
	Unpark(id uint64) error

	ExportFile(session uint64, path string) (missing []string, err error)
	Import(path string) (history.Imported, error)
	Sweep() (int, error)
	Close() error
}

var _ Store = (*history.Store)(nil)
