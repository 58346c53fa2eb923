package state

// Source is a picture that can become a card.
type Source struct {
	Name, Hint string // hint is the word that it shows, as far as one can tell
	From       uint64 // the picture of the history that it is; 0: it came from elsewhere
	Read       func() ([]byte, error)
}
