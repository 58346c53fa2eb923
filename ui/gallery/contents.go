package gallery

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/state"
	"realword/ui/wording"
)

// contents is what the page of the history shows. It is a value of its own, read anew from the store whenever the page is
// opened or something in it has changed.
type contents struct {
	Look     query
	Sessions []sessionRow
	Trashed  int      // pictures in the trash
	Total    int64    // bytes of all pictures, steps and references
	Steps    int64    // of that, step data
	IDs      []uint64 // pictures that Look finds, the newest first
	Chosen   uint64   // one of them, or 0
	Marked   []uint64 // several of them, Chosen among them; empty where only one is chosen
	Pivot    uint64   // where marking with Shift begins
	Detail   *detail
	Snack    snack
	Err      error
	Busy     string // what is under way, such as an export
	Read     bool   // it was read once; before that nothing is known
}

// query is what the gallery is asked to show.
type query struct {
	Session uint64 // 0: all sessions
	Text    string // as history.Filter.Text
	Starred bool
	Trash   bool
}

func (l query) filter() history.Filter {
	return history.Filter{Session: l.Session, Text: l.Text, Starred: l.Starred, Trashed: l.Trash}
}

// sessionRow is one session in the list.
type sessionRow struct {
	ID     uint64
	Title  string
	When   time.Time
	Usage  history.Usage
	Newest uint64 // the picture that stands for it
}

// detail is all that is said of the chosen picture.
type detail struct {
	Picture history.Picture
	Round   history.Round
	Recipe  recipe.Recipe
	Number  int // of its job within the session, from 1
	Rounds  int
	Live    bool        // it is being made
	Missing bool        // its file is not where it was
	Large   image.Image // the picture as large as it is shown; nil: only its thumbnail is there
	Err     error
}

// snack is a message about what was just done, with a way back.
type snack struct {
	Text string
	Undo []history.Item // taken out of the trash by the way back; none: there is none
	then *snack         // what was thrown away before it, and can come back after it; nil: nothing
}

// back is the newest with a way back of a message and what was thrown away before it; nil: there is none.
func (s snack) back() *snack {
	if len(s.Undo) > 0 {
		return &s
	}
	return s.then
}

// without is a message without the way back of what is back already.
func (s snack) without(items []history.Item) snack {
	var rest snack
	if s.then != nil {
		rest = s.then.without(items)
	}
	undo := slices.DeleteFunc(slices.Clone(s.Undo), func(i history.Item) bool { return slices.Contains(items, i) })
	if len(undo) == 0 && len(s.Undo) > 0 {
		return rest
	}
	s.Undo, s.then = undo, rest.back()
	return s
}

// readContents reads what the page shows besides its pictures.
func readContents(s *history.Store, look query) (contents, error) {
	g := contents{Look: look}
	sessions, err := s.Sessions()
	if err != nil {
		return g, err
	}
	usage, err := s.Usage()
	if err != nil {
		return g, err
	}
	for _, one := range sessions {
		u := usage[one.ID]
		g.Total += u.Bytes + u.Steps + u.References
		g.Steps += u.Steps
		if one.Trashed.IsZero() {
			g.Sessions = append(g.Sessions, sessionRow{one.ID, sessionTitle(s, one), one.Created, u, u.Newest})
		}
	}
	trash, err := s.Find(history.Filter{Trashed: true})
	if err != nil {
		return g, err
	}
	g.Trashed = len(trash)
	g.IDs, err = s.Find(look.filter())
	return g, err
}

// sessionTitle is the name that a session goes by: its own, or what it was last asked for, in the window or by the command.
func sessionTitle(s *history.Store, one history.Session) string {
	if one.Name != "" {
		return one.Name
	}
	prompt := ""
	var d state.Draft
	if json.Unmarshal(one.Draft, &d) == nil {
		prompt = d.Form.Prompt
	} else if rounds, err := s.SessionRounds(one.ID); err == nil && len(rounds) > 0 {
		prompt = rounds[len(rounds)-1].Prompt
	}
	if words := strings.Join(strings.Fields(prompt), " "); words != "" {
		return words
	}
	return wording.Session(one.Created)
}

// readDetail reads what is said of a picture, and the picture itself at a longer side in pixels.
func readDetail(s *history.Store, runs func(round uint64) bool, id uint64, side int) detail {
	var d detail
	if d.Picture, d.Err = s.Picture(id); d.Err != nil {
		return d
	}
	if d.Missing = gone(d.Picture); !d.Missing && d.Picture.Finished() {
		_, d.Large = largerThumb(s, d.Picture, side)
	}
	if d.Round, d.Err = s.Round(d.Picture.Round); d.Err != nil {
		return d
	}
	d.Live = runs(d.Round.ID)
	d.Recipe, d.Err = journal.RecipeOf(d.Picture, d.Round)
	if rounds, err := s.SessionRounds(d.Round.Session); err == nil {
		d.Rounds = len(rounds)
		d.Number = 1 + slices.IndexFunc(rounds, func(r history.Round) bool { return r.ID == d.Round.ID })
	}
	return d
}

// gone tells whether a picture's file is not where it was.
func gone(p history.Picture) bool {
	if p.File == "" {
		return false
	}
	_, err := os.Stat(p.File)
	return errors.Is(err, os.ErrNotExist)
}

// choose is the gallery with one of its pictures chosen.
func (g contents) choose(id uint64) contents {
	if g.Pivot = id; g.Chosen != id {
		g.Chosen, g.Detail = id, nil
	}
	return g
}

// found is the gallery after it was read anew: the chosen picture stays chosen while it is there.
func (g contents) found(fresh contents) contents {
	fresh.Chosen, fresh.Detail, fresh.Snack, fresh.Err, fresh.Busy, fresh.Read = g.Chosen, g.Detail, g.Snack, g.Err, g.Busy, true
	if !slices.Contains(fresh.IDs, fresh.Chosen) {
		fresh.Chosen, fresh.Detail = 0, nil
	}
	pivot := g.Pivot
	fresh = fresh.withMarks(slices.DeleteFunc(slices.Clone(g.Marked), func(id uint64) bool { return !slices.Contains(fresh.IDs, id) }))
	fresh.Pivot = pivot
	return fresh
}

// empty says why the gallery has no pictures; "" where it has some. star is the key that gives a star, or empty.
func (g contents) empty(star string) string {
	switch {
	case len(g.IDs) > 0:
		return ""
	case !g.Read:
		return i18n.T("Loading…")
	case g.Look.Text != "":
		return i18n.T("No prompt contains that. Words are matched from their beginning; word:dog finds bound words, seed:42 finds a seed.")
	case g.Look.Trash:
		return i18n.T("The trash is empty.")
	case g.Look.Starred:
		if star == "" {
			return i18n.T("No picture has a star yet.")
		}
		return i18n.T("No picture has a star yet. Press %s to star the selected one.", star)
	}
	return i18n.T("Your pictures are kept here, with every step that led to them.")
}

// title says what the gallery shows.
func (g contents) title() string {
	name := i18n.T("All pictures")
	switch i := slices.IndexFunc(g.Sessions, func(r sessionRow) bool { return r.ID == g.Look.Session }); {
	case g.Look.Trash:
		name = i18n.T("Trash")
	case g.Look.Session != 0 && i >= 0:
		name = g.Sessions[i].Title
	}
	return name
}

// facts are the lines under the chosen picture.
func (d detail) facts() []string {
	p, r := d.Picture, d.Round
	list := []string{wording.Moment(r.Started)}
	if d.Number > 0 {
		list = append(list, i18n.T("job %d of %d", d.Number, d.Rounds))
	}
	size := ""
	if p.Width > 0 {
		size = fmt.Sprintf(" · %d × %d", p.Width, p.Height)
	}
	list = append(list, i18n.T("seed %d", p.Seed)+size)
	if len(r.Words) > 0 {
		list = append(list, i18n.T("pictures for %s", strings.Join(r.Words, ", ")))
	}
	if d.Recipe.Steps > 0 {
		list = append(list, i18n.N(d.Recipe.Steps, "%d step, masks settle after %d, guidance scale %g, %s",
			"%d steps, masks settle after %d, guidance scale %g, %s", d.Recipe.Steps, d.Recipe.Stop, d.Recipe.CFG,
			state.SamplerName(d.Recipe.Sampler)))
	}
	if d.Recipe.Model != "" {
		list = append(list, i18n.T("model %s", d.Recipe.Model))
	}
	switch {
	case p.Steps > 0 && p.Pinned:
		list = append(list, i18n.N(p.Steps, "%d step kept permanently, %s", "%d steps kept permanently, %s", p.Steps, wording.Bytes(p.StepBytes)))
	case p.Steps > 0:
		list = append(list, i18n.N(p.Steps, "%d step kept, %s", "%d steps kept, %s", p.Steps, wording.Bytes(p.StepBytes)))
	case p.Finished():
		list = append(list, i18n.T("its steps are no longer kept"))
	}
	return list
}

// amiss tells of what state says that something went wrong: not that somebody stopped the picture, or that it is being made.
func (d detail) amiss() bool {
	return d.Err != nil || d.Missing || d.Picture.Pixels != "" || d.Picture.File == "" && d.Round.Status == history.Failed
}

// state says what there is to say of the chosen picture besides its facts; "" for nothing.
func (d detail) state() string {
	switch {
	case d.Err != nil:
		return wording.Sentence(d.Err)
	case d.Missing && d.Picture.Absent:
		return i18n.T("The file of this picture was gone when its session was exported.")
	case d.Missing:
		return i18n.T("The file is not where it was: %s", wording.Path(d.Picture.File))
	case d.Picture.Inside:
		return ""
	case d.Picture.File == "" && d.Picture.Pixels != "":
		return i18n.T("The file of this picture could not be written. The picture is kept in this session: open it to save it.")
	case d.Live && !d.Picture.Finished():
		return i18n.T("This picture is being made.")
	case d.Picture.File == "" && d.Round.Status == history.Failed:
		return wording.Sentence(errors.New(d.Round.Error))
	case d.Picture.File == "" && d.Picture.Steps == 0:
		return i18n.T("This picture was stopped before its first step.")
	case d.Picture.File == "" && d.Round.Status == history.Interrupted:
		return i18n.T("Realword closed while this picture was being made. Its steps are kept.")
	case d.Picture.File == "":
		return wording.Sentence(state.ErrStopped{})
	}
	return ""
}
