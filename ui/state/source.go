package state

// Source is a picture that can become a card.
type Source struct {
	Name, Hint string // hint is the word that it shows, as far as one can tell
	From       uint64 // the picture of the history that it is; 0: it came from elsewhere
	Preview    bool   // it was stopped, and a preview is all that there is of it
	Read       func() ([]byte, error)
}
