package ui

// source is a picture that can become a card.
type source struct {
	name, hint string // hint is the word that it shows, as far as one can tell
	from       uint64 // the picture of the history that it is; 0: it came from elsewhere
	read       func() ([]byte, error)
}
