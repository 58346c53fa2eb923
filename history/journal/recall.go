package journal

import (
	"cmp"
	"errors"
	"image"
	"slices"

	"realword/history"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// Recalled is what the history knows of how a picture was made.
type Recalled struct {
	Picture history.Picture
	Round   history.Round
	Recipe  recipe.Recipe       // with the bytes of its picture files, as far as they are kept
	Missing []history.Reference // the others
}

// Recall reads how a picture of the history was made.
func Recall(s *history.Store, picture uint64) (Recalled, error) {
	var out Recalled
	var err error
	if out.Picture, err = s.Picture(picture); err != nil {
		return out, err
	}
	if out.Round, err = s.Round(out.Picture.Round); err != nil {
		return out, err
	}
	if out.Recipe, err = RecipeOf(out.Picture, out.Round); err != nil {
		return out, err
	}
	for _, f := range out.Recipe.Files() {
		data, gone := s.ReferenceData(*f.SHA256)
		if gone != nil { // or it is not what was written
			out.Missing = append(out.Missing, history.Reference{Name: f.Name, SHA256: *f.SHA256})
		}
		*f.Data = data
	}
	return out, nil
}

// RecipeOf is the recipe of one picture of a round: that of its cell, or that of the round with its seed.
func RecipeOf(p history.Picture, r history.Round) (recipe.Recipe, error) {
	data := r.Recipe
	if len(p.Recipe) > 0 {
		data = p.Recipe
	}
	out, err := recipe.Parse(data)
	if err == nil {
		out.Seeds, out.Grid = []uint64{p.Seed}, nil
	}
	return out, err
}

// WithMasks is a request of the history with the bytes of its painted masks and of its region, as far as they are kept. It shares nothing
// else with r than the bytes of pictures.
func WithMasks(s *history.Store, r inference.Request) inference.Request {
	r = apart(r)
	for j := range r.Subjects {
		fill(s, r.Subjects[j].Region.SHA256, &r.Subjects[j].Region.Data)
	}
	if r.Init != nil {
		fill(s, r.Init.Region.SHA256, &r.Init.Region.Data)
	}
	return r
}

// WithFiles is WithMasks with the bytes of all its other files, too.
func WithFiles(s *history.Store, r inference.Request) inference.Request {
	r = apart(r)
	for _, f := range r.Files() {
		fill(s, *f.SHA256, f.Data)
	}
	return r
}

// apart is a request whose files can be filled in.
func apart(r inference.Request) inference.Request {
	r.Subjects, r.Grid = inference.CloneSubjects(r.Subjects), r.Grid.Clone()
	if r.Init != nil {
		init := *r.Init
		r.Init = &init
	}
	return r
}

// fill reads a file that is not there yet. What is gone is said where it is needed.
func fill(s *history.Store, sum string, data *[]byte) {
	if sum != "" && len(*data) == 0 && s != nil {
		*data, _ = s.ReferenceData(sum)
	}
}

// Seen tells whether there is something to see of a picture: it is finished, or of one that was stopped a step or its thumbnail is kept.
// Histories used to keep those too that were stopped before their first step.
func Seen(s *history.Store, p history.Picture) bool {
	if p.Finished() || p.Steps > 0 || len(p.Thumbnail) > 0 {
		return true
	}
	list, err := s.Pictures([]uint64{p.ID}) // of a round they come without thumbnails
	return err == nil && len(list) > 0 && len(list[0].Thumbnail) > 0
}

// StoppedAt is the last step, counted from 1, that is kept of a picture which was not finished; 0: it was, or none is kept.
func StoppedAt(s *history.Store, p history.Picture) int {
	if p.Finished() || p.Steps == 0 {
		return 0
	}
	steps, err := s.Steps(p.ID)
	if err != nil || len(steps) == 0 {
		return 0
	}
	return steps[len(steps)-1] + 1
}

// StoppedThumbnail is the thumbnail of a picture that was stopped, as its last kept step shows it, for one that has none: histories used
// to keep none. It is nil where the manifest is not that of its model, and where no step is kept.
func StoppedThumbnail(s *history.Store, p history.Picture, m bundle.Manifest, side int) ([]byte, error) {
	last := StoppedAt(s, p)
	if last == 0 {
		return nil, nil
	}
	round, err := s.Round(p.Round)
	if err != nil {
		return nil, err
	}
	recipe, err := RecipeOf(p, round)
	if err != nil || !m.Named(recipe.Model) {
		return nil, err
	}
	step, err := s.Step(p.ID, last-1, false)
	if err != nil {
		return nil, err
	}
	film := inference.Replay(m, recipe.Request, []inference.KeptStep{{Step: step.Index, Clean: step.Clean}})
	if len(film) == 0 || film[0].Preview == nil {
		return nil, nil
	}
	return Thumbnail(opaque(film[0].Preview), side)
}

// KeptState is the exact state that the history keeps of a picture, with which a run can go on, or nil.
func KeptState(s *history.Store, picture uint64) (*inference.State, error) {
	steps, err := s.Steps(picture)
	if err != nil {
		return nil, err
	}
	for _, i := range slices.Backward(steps) {
		step, err := s.Step(picture, i, true)
		if err != nil {
			return nil, err
		}
		if len(step.State) > 0 {
			state, err := inference.DecodeState(step.State)
			return &state, err
		}
	}
	return nil, nil
}

// Masks are the masks of a picture of the history, one for each subject of its recipe; none where they are not kept. See MasksOf.
func Masks(s *history.Store, id uint64, m bundle.Manifest, r inference.Request) ([]picture.Grid, error) {
	film, err := Film(s, id, m, r)
	return MasksOf(s, r, film), err
}

// MasksOf are the masks of a picture with this film, one for each subject; none where one is missing: those that it ended with, and of a
// picture of which only a region was made anew what they hold there. See inference.MadeIn.
func MasksOf(s *history.Store, r inference.Request, film []inference.StepDone) []picture.Grid {
	if len(film) == 0 {
		return nil
	}
	last := film[len(film)-1]
	masks := make([]picture.Grid, len(last.Subjects))
	for j, subject := range last.Subjects {
		if len(subject.Mask) == 0 {
			return nil
		}
		masks[j] = picture.Grid{Width: last.GridWidth, Height: last.GridHeight, Values: subject.Mask}
	}
	if r.Init == nil {
		return masks
	}
	region := r.Init.Region
	fill(s, region.SHA256, &region.Data)
	return inference.MadeIn(region, masks)
}

// Film is the film of a picture of the history, as the run gave it; see inference.Replay. The recipe is the picture's. Where the manifest
// is that of another model than the picture's, previews have the colours of what is kept of the picture; without that there are none.
func Film(s *history.Store, picture uint64, m bundle.Manifest, r inference.Request) ([]inference.StepDone, error) {
	indexes, err := s.Steps(picture)
	if err != nil {
		return nil, err
	}
	var steps []inference.KeptStep
	for _, i := range indexes {
		step, err := s.Step(picture, i, true)
		if errors.Is(err, history.ErrNoStep) {
			continue // trimmed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if len(step.Scores) == 0 && len(step.State) > 0 { // histories used to keep them beside the state as well
			if state, err := inference.DecodeState(step.State); err == nil {
				step.Scores = state.Scores
			}
		}
		steps = append(steps, inference.KeptStep{Step: i, Clean: step.Clean, Cross: step.Cross, Scores: step.Scores})
	}
	film := inference.Replay(m, WithMasks(s, r), steps)
	model, became, err := modelOf(s, picture)
	if err == nil && !m.Named(model) {
		inference.Recolour(film, r, became)
	}
	return film, err
}

// modelOf is the name of the model that made a picture, and a small picture of what it became so far; nil: none is kept.
func modelOf(s *history.Store, id uint64) (string, image.Image, error) {
	list, err := s.Pictures([]uint64{id})
	if err != nil || len(list) == 0 {
		return "", nil, cmp.Or(err, error(history.ErrNoPicture))
	}
	round, err := s.Round(list[0].Round)
	if err != nil {
		return "", nil, err
	}
	r, err := RecipeOf(list[0], round)
	if err != nil {
		return "", nil, err
	}
	small, _, err := picture.Decode(list[0].Thumbnail, picture.Limits{Bytes: 4 << 20, Pixels: 1 << 22, Side: 1 << 12})
	if err != nil { // of a session that came from elsewhere, perhaps
		return r.Model, nil, nil
	}
	return r.Model, small, nil
}
