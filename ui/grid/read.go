package grid

import (
	"bytes"
	"context"
	"errors"
	"image"
	"slices"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/state"
)

// kept is a grid of the history.
type kept struct {
	round          history.Round
	recipe         recipe.Recipe
	cells          []cell
	over           [2][]image.Image // the columns and the rows, of a side of pictures; nil for others
	earlier, later uint64           // the grids of the session before and after it; 0: none
}

// cell is one picture of a grid; the zero cell is not made yet.
type cell struct {
	history.Picture
	thumb image.Image
}

// made counts the finished cells.
func (k kept) made() (n int) {
	for _, c := range k.cells {
		if c.ID != 0 {
			n++
		}
	}
	return n
}

// read reads the grid of a round, or the newest one of a session; nil where there is none. It decodes pictures: not for the window's
// goroutine. Those of the sides it has of the grid that was read before, where that is the same one.
func read(s *history.Store, session, round uint64, had *kept) (*kept, error) {
	rounds, err := s.SessionRounds(session)
	if err != nil {
		return nil, err
	}
	rounds = slices.DeleteFunc(rounds, func(r history.Round) bool { return !r.Grid || !r.Trashed.IsZero() })
	if len(rounds) == 0 {
		return nil, nil
	}
	i := slices.IndexFunc(rounds, func(r history.Round) bool { return r.ID == round })
	if i < 0 {
		i = len(rounds) - 1
	}
	k := &kept{round: rounds[i]}
	if i > 0 {
		k.earlier = rounds[i-1].ID
	}
	if i+1 < len(rounds) {
		k.later = rounds[i+1].ID
	}
	if k.recipe, err = recipe.Parse(k.round.Recipe); err != nil || k.recipe.Grid == nil {
		return nil, err
	}
	k.cells = make([]cell, k.recipe.Grid.Len())
	var ids []uint64
	for _, p := range k.round.Pictures {
		if p.Cell > 0 && p.Cell <= len(k.cells) && p.Finished() && p.Trashed.IsZero() {
			ids = append(ids, p.ID)
		}
	}
	pictures, err := s.Pictures(ids)
	for _, p := range pictures {
		c := cell{Picture: p}
		if small, err := state.ReadSmall(p.Thumbnail); err == nil {
			c.thumb = small
		}
		k.cells[p.Cell-1] = c
	}
	for _, a := range k.recipe.Grid.Axes() {
		for i := range a.References {
			a.References[i].Data, _ = s.ReferenceData(a.References[i].SHA256) // one that is gone has its name
		}
	}
	if had != nil && had.round.ID == k.round.ID {
		k.over = had.over
		return k, err
	}
	for i, a := range []inference.Axis{k.recipe.Grid.Columns, k.recipe.Grid.Rows} {
		k.over[i] = make([]image.Image, a.Len())
		for v := range k.over[i] {
			k.over[i][v] = sidePicture(a, v)
		}
	}
	return k, err
}

// is tells whether a job makes this grid.
func (k kept) is(t state.Task) bool {
	if t.Request.Grid == nil {
		return false
	}
	said, err := recipe.New(t.Request, t.Model)
	return err == nil && bytes.Equal(said, k.round.Recipe)
}

// rest is the job that makes what a grid lacks.
func (k kept) rest(s *history.Store) (state.Task, error) {
	t := state.Task{Request: k.recipe.Request, Model: k.recipe.Model, Parents: k.round.Parents}
	t.Request.Grid = k.recipe.Grid.Clone()
	t.Request.Grid.Of, t.Request.Grid.Made = k.round.ID, journal.CellsOf(s, k.round.ID)
	t.Request.Subjects = inference.CloneSubjects(t.Request.Subjects)
	for _, f := range t.Request.Files() {
		data, err := s.ReferenceData(*f.SHA256)
		if err != nil {
			return t, i18n.Errorf("the picture %s is no longer in the history; make a new grid", f.Name)
		}
		*f.Data = data
	}
	t.Thumb = state.QueueThumbs{}.Of(context.Background(), t.Request)
	return t, nil
}

// sheet is the grid as one PNG file, with its recipe.
func (k kept) sheet(s *history.Store, e recipe.Embed) ([]byte, error) {
	r := k.recipe.Request
	if len(r.Seeds) == 0 {
		return nil, errors.New("the grid has no seeds")
	}
	caption := r.Preset
	if g := r.Grid; g.Rows.Key != inference.AxisSeed && g.Columns.Key != inference.AxisSeed {
		caption = i18n.T("seed %d", r.Seeds[0]) + ", " + caption
	}
	sheet := picture.Sheet{
		Title: r.Prompt, Caption: caption + ", " + k.recipe.Model, Cell: image.Pt(r.Width, r.Height),
		Rows: labels(r.Grid.Rows), Columns: labels(r.Grid.Columns),
		At: func(n int) (image.Image, error) { return k.image(s, n) },
	}
	img, err := sheet.Draw()
	if err != nil {
		return nil, err
	}
	r = journal.WithFiles(s, r) // for their small copies
	return recipe.EncodePNG(inference.PictureReady{Seed: r.Seeds[0], Image: img, Recipe: r}, k.manifest(), e)
}

// image is a cell as large as it is; one whose file has gone is as it was small, and one that was never made is nil.
func (k kept) image(s *history.Store, n int) (image.Image, error) {
	c := k.cells[n]
	if c.ID == 0 {
		return nil, nil
	}
	data, err := files.Read(c.File, picture.DefaultLimits.Bytes)
	if c.File == "" {
		data, err = s.Pixels(c.ID)
	}
	if err == nil {
		if img, _, err := picture.Decode(data, picture.Limits{}); err == nil {
			return img, nil
		}
	}
	return c.thumb, nil
}

// labels are those of a side on the sheet.
func labels(a inference.Axis) []picture.Label {
	list := make([]picture.Label, a.Len())
	for i := range list {
		list[i] = picture.Label{Text: state.SideLabel(a, i), Picture: sidePicture(a, i)}
	}
	return list
}

// sidePicture is what a side of pictures has over its cells; nil for others.
func sidePicture(a inference.Axis, i int) image.Image {
	if a.Key != inference.AxisReference {
		return nil
	}
	img, err := state.ReadThumb(context.Background(), a.References[i].Data, 96)
	if err != nil {
		return nil
	}
	return img
}
