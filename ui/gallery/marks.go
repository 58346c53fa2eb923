package gallery

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"realword/history"
	"realword/inference/files"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// mark is the gallery after a click with Ctrl: a picture more, or one less.
func (g contents) mark(id uint64) contents {
	if !slices.Contains(g.IDs, id) {
		return g
	}
	list := slices.Clone(g.selection())
	if i := slices.Index(list, id); i >= 0 {
		list = slices.Delete(list, i, i+1)
		if id == g.Chosen {
			id = 0
			if len(list) > 0 {
				id = list[len(list)-1]
			}
		} else {
			id = g.Chosen
		}
	} else {
		list = append(list, id)
	}
	g = g.choose(id)
	return g.withMarks(list)
}

// markTo is the gallery after a click with Shift: all from the one that was clicked first to this one.
func (g contents) markTo(id uint64) contents {
	pivot := g.Pivot
	from, to := slices.Index(g.IDs, pivot), slices.Index(g.IDs, id)
	if to < 0 {
		return g
	}
	if from < 0 {
		pivot, from = g.Chosen, slices.Index(g.IDs, g.Chosen)
	}
	if from < 0 {
		return g.choose(id)
	}
	g = g.choose(id).withMarks(slices.Clone(g.IDs[min(from, to) : max(from, to)+1]))
	g.Pivot = pivot
	return g
}

// markAll marks everything that the gallery shows.
func (g contents) markAll() contents {
	if len(g.IDs) == 0 {
		return g
	}
	if g.Chosen == 0 {
		g = g.choose(g.IDs[0])
	}
	return g.withMarks(slices.Clone(g.IDs))
}

// withMarks takes a list over; a single picture is only chosen.
func (g contents) withMarks(list []uint64) contents {
	if len(list) < 2 {
		list = nil
	}
	g.Marked = list
	return g
}

// markRound marks the pictures of the chosen one's job, as far as the gallery shows them.
func (g contents) markRound() contents {
	if g.Detail == nil {
		return g
	}
	var list []uint64
	for _, id := range g.IDs {
		if slices.ContainsFunc(g.Detail.Round.Pictures, func(p history.Picture) bool { return p.ID == id }) {
			list = append(list, id)
		}
	}
	return g.withMarks(list)
}

// joint is how a picture belongs to its neighbours: whether the one before it and the one behind it are of the same job. round
// answers the job of a picture, 0 while it is not known.
func (g contents) joint(id uint64, round func(uint64) uint64) (before, behind bool) {
	i := slices.Index(g.IDs, id)
	mine := round(id)
	if i < 0 || mine == 0 {
		return false, false
	}
	return i > 0 && round(g.IDs[i-1]) == mine, i+1 < len(g.IDs) && round(g.IDs[i+1]) == mine
}

// selection is the pictures that star, trash and export act on.
func (g contents) selection() []uint64 {
	switch {
	case len(g.Marked) > 0:
		return g.Marked
	case g.Chosen != 0:
		return []uint64{g.Chosen}
	}
	return nil
}

// without is the gallery once its selection has left it: the next picture is chosen.
func (g contents) without() contents {
	gone := g.selection()
	next, past := uint64(0), false
	for _, id := range g.IDs {
		switch here := slices.Contains(gone, id); {
		case here:
			past = true
		case !past:
			next = id // the last one before them, if none follows
		default:
			return g.choose(id).withMarks(nil)
		}
	}
	return g.choose(next).withMarks(nil)
}

// tapped chooses a picture, with Ctrl or Shift several.
func (g *Page) tapped(id uint64, keys fyne.KeyModifier) {
	next := g.state
	switch {
	case keys&fyne.KeyModifierShift != 0:
		next = next.markTo(id)
	case keys&fyne.KeyModifierShortcutDefault != 0:
		next = next.mark(id)
	default:
		next = next.choose(id).withMarks(nil)
	}
	g.marked(next)
}

// marked shows a gallery with other marks.
func (g *Page) marked(next contents) {
	g.state = next
	g.refresh()
	if next.Detail == nil {
		g.readDetail()
	}
}

// starAll gives all that are marked a star, or takes it from them where all have one.
func (g *Page) starAll() {
	list := slices.Clone(g.state.selection())
	if len(list) < 2 {
		g.toggleStar()
		return
	}
	g.change(func(s *history.Store) error {
		pictures, err := s.Pictures(list)
		if err != nil {
			return err
		}
		on := slices.ContainsFunc(pictures, func(p history.Picture) bool { return !p.Starred })
		for _, p := range pictures {
			if err := s.SetStar(p.ID, on); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		g.thumbs.forget(list...)
		g.state.Detail = nil
	})
}

// trashAll puts all that are marked into the trash, with one way back.
func (g *Page) trashAll() {
	list := slices.Clone(g.state.selection())
	if len(list) == 0 || g.state.Look.Trash {
		return
	}
	var items []history.Item
	for _, id := range list {
		items = append(items, history.Item{Kind: history.PictureItem, ID: id})
	}
	g.state = g.state.without()
	text := i18n.T("The picture is in the trash.")
	if n := len(list); n > 1 {
		text = i18n.N(n, "%d picture moved to the trash.", "%d pictures moved to the trash.", n)
	}
	g.throw(text, items...)
	g.readDetail()
}

// exportAll copies the files of all that are marked into a folder that the user chooses.
func (g *Page) exportAll() {
	list, s := slices.Clone(g.state.selection()), g.host.Journal.Store()
	if len(list) == 0 || s == nil || g.host.OpenFolder == nil {
		return
	}
	g.begin(i18n.T("Copying the pictures…"), func() (string, error) {
		folder, err := g.host.OpenFolder()
		if err != nil || folder == "" {
			return "", err
		}
		pictures, err := s.Pictures(list)
		if err != nil {
			return "", err
		}
		copied, missing := 0, 0
		for _, p := range pictures {
			if !p.Finished() {
				missing++
				continue
			}
			data, err := pictureData(s, p)
			if err != nil { // also of one that another program holds, or that is in the cloud alone: it keeps no other one back
				missing++
				continue
			}
			name := filepath.Base(p.File)
			if p.File == "" {
				name = fmt.Sprintf("realword-%d.png", p.Seed)
			}
			err = files.Write(filepath.Join(folder, name), files.New, data)
			if errors.Is(err, fs.ErrExist) {
				_, err = files.WriteUnique(folder, strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name), data)
			}
			if err != nil {
				if len(list) > 1 {
					err = i18n.Errorf("%d of %d pictures were copied: %w", copied, len(list), err)
				}
				return "", err
			}
			copied++
		}
		text := i18n.N(copied, "Copied %d picture to %s.", "Copied %d pictures to %s.", copied, wording.Path(folder))
		if missing > 0 {
			text += " " + i18n.N(missing, "%d has no file that can be read.", "%d have no file that can be read.", missing)
		}
		return text, nil
	})
}

// compareTwo shows the two pictures that are marked on the stage, side by side.
func (g *Page) compareTwo() {
	if len(g.state.Marked) != 2 {
		return
	}
	g.OnCompare(g.state.Marked[0], g.state.Marked[1], func(err error) {
		if err != nil {
			g.state.Err = err
			g.refresh()
			return
		}
		g.Hide()
	})
}

// markActions are what is done with several pictures of the history.
func (g *Page) markActions() []command.Action {
	some := func() bool { return g.Shown() && len(g.state.selection()) > 0 }
	return []command.Action{
		{
			ID: "history.all", Label: i18n.T("Select all pictures"), Key: "Ctrl+Shift+A", Do: func() { g.marked(g.state.markAll()) },
			Can: func() bool { return g.Shown() && len(g.state.IDs) > 0 },
		},
		{
			ID: "history.round", Label: i18n.T("Select all pictures of the job"), Key: "Shift+R", Do: func() { g.marked(g.state.markRound()) },
			Can: func() bool { return g.Shown() && g.state.Detail != nil },
		},
		{
			ID: "history.pictures.export", Menu: command.MenuFile, Label: i18n.T("Export the selected pictures…"), Do: g.exportAll,
			Can: func() bool { return some() && !g.state.Look.Trash && g.host.OpenFolder != nil && g.state.Busy == "" },
		},
		{
			ID: "history.compare", Label: i18n.T("Compare the two selected pictures"), Key: "Shift+K", Do: g.compareTwo,
			Can: func() bool { return g.Shown() && len(g.state.Marked) == 2 },
		},
	}
}

// key chooses the neighbour in the grid that an arrow points to; with Shift all between are marked.
func (g *Page) key(name fyne.KeyName) {
	if len(g.state.IDs) == 0 {
		return
	}
	columns, to := max(g.grid.ColumnCount(), 1), 0
	if i := slices.Index(g.state.IDs, g.state.Chosen); i >= 0 {
		by := map[fyne.KeyName]int{fyne.KeyLeft: -1, fyne.KeyRight: 1, fyne.KeyUp: -columns, fyne.KeyDown: columns}[name]
		to = min(max(i+by, 0), len(g.state.IDs)-1)
	}
	g.tapped(g.state.IDs[to], g.host.Commands.Modifiers()&fyne.KeyModifierShift)
	g.grid.ScrollTo(to)
}

// doubleTap is how soon a second click on a picture counts as one of two.
const doubleTap = 500 * time.Millisecond
