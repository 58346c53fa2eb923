package state

import "time"

// Draft is how the form of a session is kept, as JSON.
type Draft struct {
	Schema int       `json:"schema"` // DraftSchema
	Saved  time.Time `json:"saved"`
	Form   Form      `json:"form"`
}

// DraftSchema is the version of Draft that this program writes, and reads.
const DraftSchema = 1
