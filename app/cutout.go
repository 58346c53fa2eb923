package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// cutOut takes of references that were made here only what the mask of their subject holds. Other pictures stay whole. It answers the
// pictures of the history that they are.
func cutOut(e *engine, list []inference.Subject) (parents []parent, err error) {
	past, err := openPast()
	if err != nil {
		return nil, fmt.Errorf("--cut-out needs the masks that the history has: %w", err)
	}
	defer past.close()
	made := false
	for j := range list {
		for i := range list[j].References {
			ref := &list[j].References[i]
			store, id, err := cutReference(e, past, ref, list[j].Word)
			if err != nil {
				return nil, fmt.Errorf("%s cannot be cut out: %w", ref.Name, err)
			}
			if id == 0 {
				continue
			}
			made = true
			from, err := parentOf(store, id)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(parents, func(p parent) bool { return p.uid == from.uid }) {
				parents = append(parents, from)
			}
		}
	}
	if !made {
		return nil, errors.New("no picture of --subject was made here, so nothing is known of what is in it: leave --cut-out away, or cut it out in another program and give a PNG with transparency")
	}
	return parents, nil
}

// cutReference cuts one reference out, and answers what knows it and its number there; 0: it was made elsewhere.
func cutReference(e *engine, past past, ref *inference.Reference, word inference.Word) (*history.Store, uint64, error) {
	said, foreign, err := recipe.Read(ref.Data)
	if err != nil || foreign {
		return nil, 0, nil // a photograph
	}
	r := said.Request
	store, id, err := past.pictureOf(ref.Name, r)
	if err != nil || id == 0 {
		return nil, 0, err
	}
	masks, err := journal.Masks(store, id, e.bundle.Manifest(), r)
	if err != nil {
		return nil, 0, err
	}
	at := subjectOf(r.Subjects, word)
	if at < 0 && len(r.Subjects) == 1 {
		at = 0
	}
	switch {
	case at < 0:
		var words []string
		for _, s := range r.Subjects {
			words = append(words, s.Word.String())
		}
		return nil, 0, fmt.Errorf("it has no subject %s: its subjects are %s", word, strings.Join(words, ", "))
	case len(masks) != len(r.Subjects):
		return nil, 0, errors.New("its masks are no longer in the history: use the whole picture")
	}
	img, _, err := picture.Decode(ref.Data, picture.Limits{})
	if err != nil {
		return nil, 0, err
	}
	cut := inference.CutOf(e.bundle.Manifest(), img, masks, at)
	if cut == nil {
		return nil, 0, fmt.Errorf("%s has no mask in it: use the whole picture", r.Subjects[at].Word)
	}
	ref.Data, err = picture.Encode(cut, picture.Metadata{})
	ref.SHA256 = ""
	ref.Name = strings.TrimSuffix(ref.Name, filepath.Ext(ref.Name)) + "-cut.png"
	return store, id, err
}
