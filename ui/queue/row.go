package queue

import (
	"fmt"
	"image"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// row is one job of the queue: the one that runs, or one that waits, which can be dragged to another place. A click
// chooses it; the chosen one, and the one that runs, show each of their pictures.
type row struct {
	*kit.Tile
	list          *Panel
	id            int
	running       bool
	thumb         *canvas.Image
	prompt, about *kit.Fitted
	pictures      *fyne.Container
	up, down, run *kit.IconButton
	moves, again  *fyne.Container // around them
}

func newRow(list *Panel, id int, running bool) *row {
	r := &row{
		list: list, id: id, running: running, prompt: kit.NewFitted(theme.ColorNameForeground),
		about: kit.NewFitted(theme.ColorNamePlaceHolder),
	}
	r.thumb = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	r.thumb.ScaleMode, r.thumb.FillMode, r.thumb.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 4
	tool := func(name string, icon fyne.Resource, tap func()) fyne.CanvasObject {
		return container.New(kit.Fixed{Width: 24, Height: 24}, kit.SmallButton(name, icon, tap))
	}
	r.up = kit.SmallButton(i18n.T("Run earlier"), theme.MoveUpIcon(), func() { list.Move(id, -1) })
	r.down = kit.SmallButton(i18n.T("Run later"), theme.MoveDownIcon(), func() { list.Move(id, 1) })
	r.run = kit.SmallButton(i18n.T("Try again"), theme.MediaReplayIcon(), func() { list.unpark(id) })
	r.moves = kit.NewRow(0, container.New(kit.Fixed{Width: 24, Height: 24}, r.up), container.New(kit.Fixed{Width: 24, Height: 24}, r.down))
	r.again = container.New(kit.Fixed{Width: 24, Height: 24}, r.run)
	gone, out := func() { list.Drop(id) }, i18n.T("Remove from queue")
	if running {
		gone, out = list.Stop, i18n.T("Stop")
	}
	tools := kit.NewRow(0, r.again, r.moves, tool(out, theme.CancelIcon(), gone))
	r.pictures = container.New(&kit.Flow{Gap: 4})
	text := kit.NewColumn(1, r.prompt, r.about)
	head := container.New(kit.Fixed{Height: rowHeight - 6}, container.NewBorder(nil, nil,
		container.NewCenter(container.New(kit.Fixed{Width: 30, Height: 30}, r.thumb)), tools, container.New(kit.Inset{X: 6, Y: 1}, text)))
	r.Tile = kit.NewTile("", 7, container.New(kit.Inset{X: 5, Y: 3}, kit.NewColumn(3, head, r.pictures)), r.choose)
	r.Tile.OnMenu = r.menu
	if !running {
		r.Tile.OnDragged = func(at fyne.Position) { list.drag(r, at) }
		r.Tile.OnDropped = func(fyne.Position) { list.drop(r) }
		r.Tile.OnKey = r.key
	}
	return r
}

// choose has the keys act on this job.
func (r *row) choose() {
	if r.running {
		return
	}
	r.list.Change(func(s *state.State) { s.Queue.Chosen = r.id })
	r.list.Layers.Canvas().Focus(r.Tile)
}

// Menus are what is done with a job that waits, and with the one that runs.
var (
	JobMenu = command.Context{
		"queue.up", "queue.down", "queue.retry", "queue.here", "queue.far", "queue.drop", "", "queue.pause", "queue.clear",
	}
	RunningMenu = command.Context{"view.live", "run.cancel", "", "queue.pause", "queue.clear"}
)

// menu chooses the job and shows what can be done with it.
func (r *row) menu(at fyne.Position) {
	menu := RunningMenu
	if !r.running {
		r.list.Change(func(s *state.State) { s.Queue.Chosen = r.id })
		menu = JobMenu
	}
	r.list.Commands.Menu(at, menu)
}

// key takes the job out, and leaves to the window what is not its own.
func (r *row) key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyDelete, fyne.KeyBackspace:
		r.list.Drop(r.id)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		return false
	default:
		r.list.Commands.Typed(e)
	}
	return true
}

// show makes the row a job.
func (r *row) show(t state.Task, first, last bool) {
	if t.Thumb != nil && r.thumb.Image != t.Thumb {
		r.thumb.Image = t.Thumb
		r.thumb.Refresh()
	}
	r.prompt.Set(t.Request.Prompt, theme.ColorNameForeground)
	about, color := t.About(), theme.ColorNamePlaceHolder
	run := r.list.State().Run
	switch {
	case r.running && len(t.Request.Seeds) > 1:
		about = i18n.T("picture %d of %d", min(run.Picture+1, run.Pictures), run.Pictures)
	case r.running:
		about = i18n.T("running · %s", about)
	case len(t.Missing) > 0:
		about, color = i18n.T("without %s it cannot run", strings.Join(t.Missing, ", ")), theme.ColorNameWarning
	case t.Needs != "":
		about, color = i18n.T("waiting for the model %s", t.Needs), theme.ColorNameWarning
	case t.Parked:
		about, color = i18n.T("Realword closed twice while making it"), theme.ColorNameWarning
	}
	where := r.list.State().Queue.Elsewhere(t)
	if r.running {
		where = run.Computers()
	}
	if where != "" {
		about = i18n.T("%s · %s", about, where)
	}
	r.about.Set(about, color)
	r.Tile.Name = i18n.T("%s, %s", t.Request.Prompt, about)
	r.run.Hidden, r.again.Hidden = !t.Parked, !t.Parked
	kit.Enable(r.up, !first)
	kit.Enable(r.down, !last)
	chosen := !r.running && t.ID == r.list.State().Queue.Chosen
	r.moves.Hidden = !chosen // the others are dragged
	r.Tile.Choose(chosen)
	r.showPictures(t, run, chosen)
}

// showPictures shows each picture of a job by its seed: a tick says that it is finished, a dot that it is in work.
func (r *row) showPictures(t state.Task, run state.Round, chosen bool) {
	var texts []string
	if n := len(t.Request.Seeds); n > 1 && (chosen || r.running) && t.Request.Grid == nil { // the page of grids shows those
		for i, seed := range t.Request.Seeds {
			mark := ""
			switch {
			case r.running && i < run.Picture:
				mark = "✓ "
			case r.running && i == run.Picture && run.Stage >= inference.StageDenoise:
				mark = "● "
			}
			m, elsewhere := run.Maker(i)
			if r.running && elsewhere {
				seen := map[bool]string{true: "✓ ", false: "● "}[m.Made]
				texts = append(texts, seen+fmt.Sprint(seed, " ", m.Text()))
				continue
			}
			texts = append(texts, mark+fmt.Sprint(seed))
		}
	}
	r.pictures.Hidden = len(texts) == 0
	for len(r.pictures.Objects) < len(texts) {
		r.pictures.Add(container.NewStack(kit.NewPlate(kit.ColorRaised, "", 5), container.New(kit.Inset{X: 6, Y: 2}, kit.Caption(""))))
	}
	r.pictures.Objects = r.pictures.Objects[:len(texts)]
	for i, text := range texts {
		l := r.pictures.Objects[i].(*fyne.Container).Objects[1].(*fyne.Container).Objects[0].(*kit.Line)
		l.Color = theme.ColorNamePlaceHolder
		if strings.HasPrefix(text, "●") {
			l.Color = theme.ColorNameForeground
		}
		l.Set(text)
	}
	r.pictures.Refresh()
}

// drag carries a waiting job over the list; a line shows where it would go.
func (q *Panel) drag(r *row, at fyne.Position) {
	img := r.thumb.Image
	q.Ghost.Follow(img, at)
	origin := fyne.CurrentApp().Driver().AbsolutePositionForObject(q.rows)
	var middles, ends []float32
	for _, t := range q.State().Queue.Waiting {
		row := q.byID[t.ID]
		if row == nil {
			return
		}
		middles = append(middles, row.Position().Y+row.Size().Height/2)
		ends = append(ends, row.Position().Y+row.Size().Height)
	}
	if q.place = placeAt(middles, at.Y-origin.Y); !kit.Covers(q.Root, at) {
		q.place = -1 // dropped elsewhere it stays where it is
	}
	q.mark.FillColor = theme.ColorForWidget(theme.ColorNamePrimary, r.Tile)
	q.mark.Hidden = q.place < 0
	if q.place >= 0 {
		y := ends[len(ends)-1] + 1
		if q.place < len(middles) {
			y = q.byID[q.State().Queue.Waiting[q.place].ID].Position().Y - 3
		}
		q.mark.Move(fyne.NewPos(0, y))
		q.mark.Resize(fyne.NewSize(q.rows.Size().Width, 2))
		// Near an edge the list goes on.
		view := fyne.CurrentApp().Driver().AbsolutePositionForObject(q.scroll)
		switch {
		case at.Y < view.Y+12:
			q.scroll.ScrollToOffset(q.scroll.Offset.SubtractXY(0, 8))
		case at.Y > view.Y+q.scroll.Size().Height-12:
			q.scroll.ScrollToOffset(q.scroll.Offset.AddXY(0, 8))
		}
	}
	q.mark.Refresh()
}

// drop puts a job that was dragged where the line is.
func (q *Panel) drop(r *row) {
	q.Ghost.Gone()
	q.mark.Hide()
	if queue := q.State().Queue; q.place >= 0 && queue.At(r.id) >= 0 {
		q.reorder(r.id, queue.Place(r.id, q.place))
	}
	q.place = -1
}

// placeAt is before which of the rows, whose middles are given from top to bottom, something that is let go at y comes.
func placeAt(middles []float32, y float32) int {
	for i, m := range middles {
		if y < m {
			return i
		}
	}
	return len(middles)
}
