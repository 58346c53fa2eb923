package state

import "slices"

// nearImages is how many of the newest pictures stay in memory, so that one goes back and forth between them without waiting.
const nearImages = 8

// Shed is the state's pictures without the films and pixels that are on the disk and that nobody looks at: they are read again when
// somebody does. Of the newest picture the film stays, too. A session may have hundreds, and a film is larger than its picture. ok is false
// where all of them stay as they are.
func (s State) Shed() (shots []Shot, ok bool) {
	shots = s.Shots
	last := len(shots) - 1
	for i, shot := range s.Shots {
		there := shot.Kept != 0 && (shot.Path != "" || shot.Pixels)
		film, img := shot.Film != nil && i < last, shot.Image != nil && i <= last-nearImages
		if !there || i == s.View.Shot || !film && !img {
			continue
		}
		if !ok {
			shots, ok = slices.Clone(shots), true
		}
		one := &shots[i]
		if one.Film, one.Loaded = nil, false; img {
			one.Image = nil
		}
	}
	return shots, ok
}
