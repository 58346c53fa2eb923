package bundle

import (
	"iter"
	"slices"
	"strings"
)

// Vocabulary is what a model reads that learned from few words and knows no others, by what the words are for. Entries may be of several
// words, as they stand in a prompt.
type Vocabulary struct {
	Subjects []string `json:"subjects"`          // "dog", "teddy bear"
	General  []string `json:"general,omitempty"` // that name several subjects: "animal"
	Colours  []string `json:"colours,omitempty"` // before a subject
	Worn     []string `json:"worn,omitempty"`    // behind "wearing": "a crown"
	Seats    []string `json:"seats,omitempty"`   // behind a subject: "in a box"
	Places   []string `json:"places,omitempty"`  // "on the beach"
	Others   []string `json:"others,omitempty"`  // what joins them: "and", "photo of"

	// Rivals: subjects in a prompt that no picture is bound to keep their places from those that have one (guidance.Contend)
	Rivals bool `json:"rivals,omitempty"`
}

// entries are all of them.
func (v *Vocabulary) entries() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range [][]string{v.Subjects, v.General, v.Colours, v.Worn, v.Seats, v.Places, v.Others} {
			for _, entry := range list {
				if !yield(entry) {
					return
				}
			}
		}
	}
}

// Knows tells whether the model learned a word, whatever its case; with begun, also whether one that it learned begins so. Nil is a model
// that says nothing of its words, and knows them all.
func (v *Vocabulary) Knows(word string, begun bool) bool {
	if v == nil {
		return true
	}
	word = strings.ToLower(word)
	for entry := range v.entries() {
		for one := range strings.FieldsSeq(entry) {
			if one == word || begun && strings.HasPrefix(one, word) {
				return true
			}
		}
	}
	return false
}

// Named are the entries that name something in a picture, the longest first, without those that are colours as well.
func (v *Vocabulary) Named() []string {
	named := slices.DeleteFunc(slices.Concat(v.Subjects, v.General), func(entry string) bool { return slices.Contains(v.Colours, entry) })
	slices.SortStableFunc(named, func(a, b string) int { return len(b) - len(a) })
	return named
}

// letters is how long all of it is.
func (v *Vocabulary) letters() (n int) {
	for entry := range v.entries() {
		n += len(entry) + 1
	}
	return n
}
