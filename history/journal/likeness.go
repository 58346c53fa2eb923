package journal

import (
	"math"
	"slices"
	"strings"

	"realword/history"
	"realword/inference"
)

// LikenessOf is likeness as the history keeps it, with four digits.
func LikenessOf(list []inference.Resemblance) (kept []history.Likeness) {
	short := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
	for _, r := range list {
		kept = append(kept, history.Likeness{Word: strings.Trim(r.Word.String(), `"`), Reference: short(r.Reference), Anchor: short(r.Anchor)})
	}
	return kept
}

// deepest is how many rounds back anchors are looked for.
const deepest = 1000

// WithAnchors is a request that goes on from pictures of the history with the anchors of its subjects: the references that the rounds
// of a subject began with. The way goes from a round to the one that its first parent was made in, as long as the subject is the same
// there: it shares a reference, or it is the one whose references changed, to the picture. A subject that is new, or has its anchor
// among its references alone, has none. References that are gone are left out. r is not changed, but shares its bytes.
func WithAnchors(s *history.Store, r inference.Request, parents []uint64) inference.Request {
	r.Subjects = inference.CloneSubjects(r.Subjects)
	for j := range r.Subjects {
		began := r.Subjects[j].References
		child, at, up := r, j, parents
		for range deepest {
			if len(up) == 0 {
				break
			}
			made, err := Recall(s, up[0])
			if err != nil {
				break
			}
			i := sameIn(child, at, made.Recipe.Request, made.Picture)
			if i < 0 {
				break
			}
			child, at, up = made.Recipe.Request, i, made.Round.Parents
			began = child.Subjects[i].References
		}
		r.Subjects[j].Anchors = nil
		if sameFiles(began, r.Subjects[j].References) {
			continue
		}
		for _, ref := range began {
			if len(ref.Data) > 0 {
				r.Subjects[j].Anchors = append(r.Subjects[j].Anchors, ref)
			}
		}
	}
	return r
}

// sameIn is the place of a round's subject among those of the round that its parent was made in; negative: it is not there.
func sameIn(child inference.Request, subject int, parent inference.Request, made history.Picture) int {
	one := child.Subjects[subject]
	i := slices.IndexFunc(parent.Subjects, func(s inference.Subject) bool { return sameWord(s.Word, one.Word) })
	if i < 0 && len(parent.Subjects) == 1 && len(child.Subjects) == 1 {
		i = 0 // its word was changed
	}
	if i < 0 || shares(one, parent.Subjects[i]) {
		return i
	}
	if child.Init != nil { // the picture lies under it, and is no reference
		return -1
	}
	for _, ref := range one.References {
		if made.SHA256 != "" && ref.SHA256 == made.SHA256 {
			return i
		}
	}
	for k, other := range child.Subjects {
		at := slices.IndexFunc(parent.Subjects, func(s inference.Subject) bool { return sameWord(s.Word, other.Word) })
		if k != subject && at >= 0 && !shares(other, parent.Subjects[at]) {
			return -1 // the picture may be of that one
		}
	}
	return i
}

func sameWord(a, b inference.Word) bool {
	return strings.EqualFold(a.Text, b.Text) && max(a.Occurrence, 1) == max(b.Occurrence, 1)
}

// shares tells whether two subjects have a picture in common.
func shares(a, b inference.Subject) bool {
	return slices.ContainsFunc(a.References, func(r inference.Reference) bool {
		return slices.ContainsFunc(b.References, func(o inference.Reference) bool { return r.SHA256 != "" && r.SHA256 == o.SHA256 })
	})
}

// sameFiles tells whether two lists are of the same files.
func sameFiles(a, b []inference.Reference) bool {
	return slices.EqualFunc(a, b, func(x, y inference.Reference) bool { return x.SHA256 == y.SHA256 })
}
