package history

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Status is the outcome of a round.
type Status string

// The outcomes. A round that nobody ended is Interrupted, whether it still runs or its program died.
const (
	Interrupted Status = "interrupted"
	Complete    Status = "complete"
	Cancelled   Status = "cancelled"
	Failed      Status = "failed"
)

// Session is what an artist works at: a sequence of rounds, and the draft of the next one.
type Session struct {
	ID         uint64          `json:"id"`
	UID        string          `json:"uid"` // the same on every machine
	Name       string          `json:"name,omitempty"`
	Created    time.Time       `json:"created"`
	Draft      json.RawMessage `json:"draft,omitempty"`      // the settings as they stand, JSON of the caller
	References []Reference     `json:"references,omitempty"` // that the draft needs
	Trashed    time.Time       `json:"trashed,omitzero"`
}

// Reference names a reference picture of the store.
type Reference struct {
	Name   string `json:"name"`   // file name, for people
	SHA256 string `json:"sha256"` // of the file, 64 hex digits
}

// Plan is what is known of a round before it begins.
type Plan struct {
	Session    uint64          `json:"session"` // 0: a new session of its own
	Recipe     json.RawMessage `json:"recipe"`  // JSON of the caller
	Prompt     string          `json:"prompt,omitempty"`
	Words      []string        `json:"words,omitempty"` // that are bound to references
	References []Reference     `json:"references,omitempty"`
	Parents    []uint64        `json:"parents,omitempty"` // pictures that it goes on from; the first is its place in the tree
	Kin        []string        `json:"kin,omitempty"`     // UIDs of those in the history that this one lies beside: parents once it joins that
	Grid       bool            `json:"grid,omitempty"`    // its pictures are cells; where a program dies, the same round goes on
	Resume     uint64          `json:"resume,omitempty"`  // the round that goes on instead of a new one; 0: none
}

// Round is one generation.
type Round struct {
	ID  uint64 `json:"id"`
	UID string `json:"uid"`
	Plan
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Status   Status    `json:"status"`
	Error    string    `json:"error,omitempty"` // of a failed round
	Job      uint64    `json:"job,omitempty"`   // of the queue, that it came from
	Trashed  time.Time `json:"trashed,omitzero"`
	Pictures []Picture `json:"-"` // in the order in which they were begun
}

// Picture is one result of a round.
type Picture struct {
	ID        uint64    `json:"id"`
	UID       string    `json:"uid"`
	Round     uint64    `json:"round"`
	Seed      uint64    `json:"seed"`
	File      string    `json:"file,omitempty"`   // absolute path, the file may have been moved since; none: it was stopped before its end, or
	Pixels    string    `json:"pixels,omitempty"` // could not be written: SHA-256 of the PNG that is kept here, see KeepPixels
	Inside    bool      `json:"inside,omitempty"` // beside Pixels: it was never to be in a file, see ImportInside
	Absent    bool      `json:"absent,omitempty"` // File was never here: it was gone when the session was exported that the picture is of
	SHA256    string    `json:"sha256,omitempty"` // of a file that the store wrote
	Width     int       `json:"width,omitempty"`
	Height    int       `json:"height,omitempty"`
	Bytes     int64     `json:"bytes,omitempty"`      // of the file
	Steps     int       `json:"steps,omitempty"`      // kept
	StepBytes int64     `json:"step_bytes,omitempty"` // that they take
	Starred   bool      `json:"starred,omitempty"`
	Pinned    bool      `json:"pinned,omitempty"` // its step data is never trimmed
	Trashed   time.Time `json:"trashed,omitzero"`
	Thumbnail []byte    `json:"-"` // a small PNG; read by Pictures alone

	Likeness []Likeness      `json:"likeness,omitempty"` // of its subjects, as far as it was computed
	Cell     int             `json:"cell,omitempty"`     // of a grid: 1 is the first; 0: of none
	Recipe   json.RawMessage `json:"recipe,omitempty"`   // where it is not that of the round with this seed
}

// Likeness is how near a subject of a picture is to pictures of it: a hint, at most 1.
type Likeness struct {
	Word      string  `json:"word"`
	Reference float64 `json:"reference"`        // to its references
	Anchor    float64 `json:"anchor,omitempty"` // to those that its rounds began with; 0: it has none
}

// mostLikeness bounds what an archive may say of a picture.
const mostLikeness = 32

// Finished tells whether a picture was made to its end: it is in a file, or its pixels are kept.
func (p Picture) Finished() bool { return p.File != "" || p.Pixels != "" }

// row is what the gallery knows of a picture without reading its record: 41 bytes.
type row struct {
	flags                byte
	session, round, seed uint64
	bytes, steps         uint64
}

const (
	starred byte = 1 << iota
	pinned
	trashedPicture
	trashedRound
	trashedSession
)

const trashed = trashedPicture | trashedRound | trashedSession

func (r row) encode() []byte {
	b := []byte{r.flags}
	for _, v := range [...]uint64{r.session, r.round, r.seed, r.bytes, r.steps} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func decodeRow(b []byte) (row, error) {
	if len(b) != 41 {
		return row{}, fmt.Errorf("a row of the gallery has %d bytes, want 41", len(b))
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	return row{b[0], at(0), at(1), at(2), at(3), at(4)}, nil
}

func rowOf(p Picture, r Round, s Session) row {
	out := row{session: s.ID, round: r.ID, seed: p.Seed, bytes: uint64(p.Bytes), steps: uint64(p.StepBytes)}
	for _, f := range []struct {
		on   bool
		flag byte
	}{
		{p.Starred, starred},
		{p.Pinned, pinned},
		{!p.Trashed.IsZero(), trashedPicture},
		{!r.Trashed.IsZero(), trashedRound},
		{!s.Trashed.IsZero(), trashedSession},
	} {
		if f.on {
			out.flags |= f.flag
		}
	}
	return out
}

// terms are the words under which a text is found: lower case, each once, at most 64 bytes each.
func terms(text string) []string {
	list := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, t := range list {
		list[i] = t[:min(len(t), 64)]
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// key makes a key that sorts by its numbers.
func key(ids ...uint64) []byte {
	var b []byte
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return b
}

func newUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
