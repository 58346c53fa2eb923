package session

import (
	"encoding/json"
	"errors"
	"image"
	"image/draw"
	"slices"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/state"
)

// shotOf is a picture of a history as the stage shows it before its file is read.
func shotOf(s *history.Store, p history.Picture, r history.Round) (state.Shot, error) {
	recipe, err := journal.RecipeOf(p, r)
	if err != nil {
		return state.Shot{}, err
	}
	shot := state.Shot{Kept: p.ID, Path: p.File, Model: recipe.Model, Likeness: p.Likeness, Stopped: journal.StoppedAt(s, p)}
	shot.Seed, shot.Recipe = p.Seed, recipe.Request
	if p.File == "" && p.Pixels != "" {
		if shot.Pixels = true; !p.Inside {
			shot.Unsaved, shot.SaveErr = true, state.ErrNoFile{}
		}
	}
	if small, err := state.ReadSmall(p.Thumbnail); err == nil {
		shot.Thumb = small
	}
	return shot, nil
}

// keptShot is the picture of that number in the history, as shotOf answers it.
func keptShot(s *history.Store, id uint64) (state.Shot, error) {
	p, err := s.Picture(id)
	if err != nil {
		return state.Shot{}, err
	}
	r, err := s.Round(p.Round)
	if err != nil {
		return state.Shot{}, err
	}
	return shotOf(s, p, r)
}

// loadShot reads the picture and the film of a shot that the history keeps. A file that is gone is said in SaveErr, and the
// best picture that is left stands in for it.
func loadShot(s *history.Store, shot state.Shot, m bundle.Manifest) state.Shot {
	shot.Loaded, shot.Recipe = true, journal.WithMasks(s, shot.Recipe)
	if p, err := s.Picture(shot.Kept); err == nil && shot.Thumb == nil { // made in this window
		if small, err := state.ReadSmall(p.Thumbnail); err == nil {
			shot.Thumb = small
		}
	}
	film, err := journal.Film(s, shot.Kept, m, shot.Recipe)
	if err != nil {
		film = nil
	}
	if shot.Film == nil || shot.Bare {
		shot.Film = film
		shot.Bare = len(film) > 0 && film[0].Preview == nil && !m.Named(shot.Model)
	}
	shot.Stepless = len(shot.Film) == 0
	for i := range shot.Film {
		if shot.Film[i].Preview == nil && shot.Thumb != nil { // the masks lie on the picture as it became
			shot.Film[i].Preview = rgbaOf(shot.Thumb)
		}
	}
	if shot.Image != nil {
		return shot
	}
	if shot.Pixels {
		data, err := s.Pixels(shot.Kept)
		if err == nil {
			shot.Image, err = decodeImage(data)
		}
		if err != nil {
			shot.SaveErr = err
		}
	} else if shot.Path == "" {
		shot.SaveErr = state.ErrStopped{}
	} else if shot.Image, err = readImage(shot.Path); err != nil {
		shot.SaveErr = i18n.Errorf("%w; it can be made again from the history", err)
	}
	if shot.Image != nil {
		return shot
	}
	best := shot.Thumb
	if n := len(shot.Film); n > 0 && shot.Film[n-1].Preview != nil {
		if last := shot.Film[n-1].Preview; best == nil || last.Rect.Dx() > best.Bounds().Dx() {
			best = last
		}
	}
	if best != nil {
		shot.Image = nrgbaOf(best)
	}
	return shot
}

func readImage(path string) (*image.NRGBA, error) {
	data, err := state.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decodeImage(data)
}

func decodeImage(data []byte) (*image.NRGBA, error) {
	img, _, err := picture.Decode(data, picture.Limits{})
	if err != nil {
		return nil, err
	}
	return nrgbaOf(img), nil
}

// lastSession is the session that was worked at last: the one whose draft is the newest, or else the one that was begun
// last. Sessions without a draft, which are those of commands, come after all others. ok is false where there is none.
func lastSession(list []history.Session) (found history.Session, ok bool) {
	var newest time.Time
	for _, s := range slices.Backward(list) {
		if !s.Trashed.IsZero() {
			continue
		}
		at := s.Created
		var d state.Draft
		if json.Unmarshal(s.Draft, &d) == nil && d.Saved.After(at) {
			at = d.Saved
		}
		own, better := len(s.Draft) > 0, len(found.Draft) > 0
		if !ok || own && !better || own == better && !at.Before(newest) {
			found, newest, ok = s, at, true
		}
	}
	return found, ok
}

// opened is a session as the window takes it up.
type opened struct {
	session history.Session
	form    state.Form
	shots   []state.Shot
	missing error // references of the draft that cannot be read
}

// shotsOfSession is how many of a session's pictures come back under the stage; the others are in the gallery.
const shotsOfSession = 24

// read is the session of a number in the history.
func (k *Keeper) read(s *history.Store, id uint64, see state.Eye) (opened, error) {
	data, references := k.host.Journal.Unwritten(id) // first: what is kept meanwhile is read
	out, err := readSession(s, id, see)
	if data != nil && err == nil {
		out.form, out.missing = draftForm(func(sha256 string) ([]byte, error) {
			has := func(r inference.Reference) bool { return r.SHA256 == sha256 && len(r.Data) > 0 } // else it waits for its file, which may be back
			if i := slices.IndexFunc(references, has); i >= 0 {
				return references[i].Data, nil
			}
			return s.ReferenceData(sha256)
		}, data, see)
	}
	return out, err
}

// readSession reads a session: the form as it was left and its last pictures.
func readSession(s *history.Store, id uint64, see state.Eye) (opened, error) {
	var out opened
	var err error
	if out.session, err = s.Session(id); err != nil {
		return out, err
	}
	ids, err := s.Find(history.Filter{Session: id})
	if err != nil {
		return out, err
	}
	pictures, err := s.Pictures(ids[:min(len(ids), shotsOfSession)])
	if err != nil {
		return out, err
	}
	rounds := map[uint64]history.Round{}
	for _, p := range slices.Backward(pictures) {
		if !journal.Seen(s, p) {
			continue
		}
		r, known := rounds[p.Round]
		if !known {
			if r, err = s.Round(p.Round); err != nil {
				return out, err
			}
			rounds[p.Round] = r
		}
		if shot, err := shotOf(s, p, r); err == nil { // one of a newer Realword stays in the gallery
			out.shots = append(out.shots, shot)
		}
	}
	if len(out.session.Draft) > 0 {
		out.form, out.missing = draftForm(s.ReferenceData, out.session.Draft, see)
		return out, nil
	}
	out.form = state.NewState().Form
	if all, err := s.SessionRounds(id); err == nil && len(all) > 0 { // of the command line: its last recipe
		if recipe, err := recipe.Parse(all[len(all)-1].Recipe); err == nil {
			r := recipe.Request
			if m := see.Model; m != nil && see.Own != nil { // of another model, perhaps
				r = r.For(*m, recipe.Model, see.Own(recipe.Model))
			}
			out.form, out.missing = recipeForm(s, r, see)
		}
	}
	return out, nil
}

// draftForm reads a kept form, with the pictures of its cards, which read answers.
func draftForm(read func(sha256 string) ([]byte, error), data []byte, see state.Eye) (state.Form, error) {
	var d state.Draft
	if err := json.Unmarshal(data, &d); err != nil {
		return state.NewState().Form, i18n.Errorf("the settings of this session are damaged and were reset: %w", err)
	}
	if d.Schema != state.DraftSchema {
		return state.NewState().Form, i18n.Errorf("the settings of this session have version %d, but this program reads version %d; they were reset", d.Schema, state.DraftSchema)
	}
	var missing []error
	cards := d.Form.Cards
	d.Form.Cards = nil
	see = see.Fitting(d.Form.Preset)
	for _, c := range cards {
		if err := fillCard(read, &c, see); err != nil {
			missing = append(missing, err)
			continue
		}
		d.Form.Cards = append(d.Form.Cards, c)
	}
	return d.Form, errors.Join(missing...)
}

// recipeForm is the form that a recipe came from, as far as its pictures are kept.
func recipeForm(s *history.Store, r inference.Request, see state.Eye) (state.Form, error) {
	f := state.NewState().Form
	var missing []error
	r = journal.WithMasks(s, r)
	for _, subject := range r.Subjects {
		for _, ref := range subject.References {
			c := state.Card{ID: len(f.Cards) + 1, Ref: ref, Word: subject.Word, Scope: subject.Wish(), Region: subject.Region}
			if err := fillCard(s.ReferenceData, &c, see); err != nil {
				missing = append(missing, err)
				continue
			}
			f.Cards = append(f.Cards, c)
		}
	}
	f.Cards = state.FollowPreset(f.Cards, see.Fitting(r.Preset).Fit)
	return f.Restore(r), errors.Join(missing...)
}

// fillCard reads the picture of a card. A card whose picture is not there waits for its file.
func fillCard(read func(sha256 string) ([]byte, error), c *state.Card, see state.Eye) error {
	if mask := &c.Region; !mask.IsZero() && len(mask.Data) == 0 {
		mask.Data, _ = read(mask.SHA256) // a run will say what is gone
	}
	data, err := read(c.Ref.SHA256)
	if c.Missing = err != nil; c.Missing {
		return nil
	}
	fresh, err := see.Reference(inference.Reference{Name: c.Ref.Name, SHA256: c.Ref.SHA256, Square: c.Ref.Square, Data: data})
	if err != nil {
		return err
	}
	c.Ref.Data, c.Fit, c.Pixels, c.Clear = data, fresh.Fit, fresh.Pixels, fresh.Clear
	c.View, c.Small, c.Whole = fresh.View, fresh.Small, fresh.Whole
	return nil
}

// nrgbaOf and rgbaOf are a picture in another form; the same pixels where it has that form already.
func nrgbaOf(img image.Image) *image.NRGBA {
	if n, ok := img.(*image.NRGBA); ok {
		return n
	}
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	copyPixels(out, img)
	return out
}

func rgbaOf(img image.Image) *image.RGBA {
	if n, ok := img.(*image.RGBA); ok {
		return n
	}
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	copyPixels(out, img)
	return out
}

func copyPixels(to draw.Image, from image.Image) {
	draw.Draw(to, to.Bounds(), from, from.Bounds().Min, draw.Src)
}
