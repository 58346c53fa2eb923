package gallery

import (
	"image"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/history"
	"realword/history/journal"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// Tree is the jobs of the session as a tree, under the film.
type Tree struct {
	OnShow   func(picture uint64)                   // show a picture on the stage
	OnMenu   func(picture uint64, at fyne.Position) // show it there, and then its menu
	OnResize func()                                 // the tree has come or gone

	journal    *journal.Journal
	background func(slow func() (show func()))
	state      func() state.State

	Root    *fyne.Container
	tree    *fyne.Container
	scroll  *container.Scroll
	newest  *kit.Follower // of the tiles
	empty   *kit.Line
	asTree  bool
	nodes   []journal.Node
	tiles   []*kit.Tile
	session uint64 // that the nodes are of
	made    int    // pictures that the history had when they were read
	over    int    // jobs that it had recorded to their end
}

// Sizes of the tree.
const (
	treeHeight = 148
	nodeSide   = 46
	nodeWidth  = 58
	nodeHeight = 66
)

// newTree makes an empty tree, hidden. It reads the journal's history on background, and state as it is then.
func newTree(j *journal.Journal, background func(slow func() (show func())), state func() state.State) *Tree {
	s := &Tree{journal: j, background: background, state: state}
	s.tree = container.New(&treeLayout{s})
	s.empty = kit.Caption(i18n.T("Jobs appear here. A job that uses an earlier result stands below the job that made it."))
	s.scroll = container.NewScroll(s.tree)
	s.newest = kit.Follow(s.scroll)
	s.empty.Hide()
	s.Root = container.New(kit.Fixed{Width: 62, Height: treeHeight}, s.scroll,
		container.New(kit.Inset{X: 6, Y: 12}, container.NewVBox(s.empty)))
	s.Root.Hide()
	return s
}

// show shows the tree, or takes it away.
func (s *Tree) show(tree bool) {
	s.asTree = tree
	s.Root.Hidden = !tree
	s.Refresh()
	s.Root.Refresh()
	s.OnResize()
}

// Shows is what the tree shows.
func (s *Tree) Shows(now state.State) []any {
	if !s.asTree {
		return nil
	}
	shown := []any{s.journal.Session(), now.View.Shot}
	for i, shot := range now.Shots {
		shown = append(shown, shot.Kept, shot.Trashed, shot.Likeness, now.DressOf(i))
	}
	return shown
}

// Refresh makes the tree equal to the history, and marks the job in view.
func (s *Tree) Refresh() {
	s.empty.Hidden = !s.asTree || len(s.nodes) > 0
	if !s.asTree {
		return
	}
	made, now := 0, s.state()
	var kept uint64
	for _, shot := range now.Shots {
		if shot.Kept != 0 && !shot.Trashed {
			made++
		}
	}
	if shot := now.Shot(); shot != nil {
		kept = shot.Kept
	}
	if session, over := s.journal.Session(), s.journal.Over(); session != s.session || made != s.made || over != s.over {
		s.session, s.made, s.over = session, made, over
		s.read()
	}
	chosen := -1
	things := make([]fyne.CanvasObject, len(s.tiles))
	for i, n := range s.nodes {
		here := slices.ContainsFunc(n.Pictures, func(p history.Picture) bool { return p.ID == kept })
		if things[i] = s.tiles[i]; here {
			chosen = i
		}
		s.tiles[i].Choose(here)
		like, dress := now.LikenessOf(n.Pictures[0].ID)
		if like == nil {
			like = n.Pictures[0].Likeness
		}
		var bars []kit.Near
		near, said := state.NearOf(like, dress)
		for _, one := range near {
			bars = append(bars, kit.Near(one))
		}
		s.tiles[i].ShowNear(bars, said)
	}
	s.newest.Show(things, chosen)
}

// written is told that nothing waits to be recorded any more: a job that was stopped may have come to the tree.
func (s *Tree) written() {
	if s.asTree && s.over != s.journal.Over() {
		s.Refresh()
	}
}

// read reads the jobs of the session. A picture that is being made comes when it is finished, or was stopped.
func (s *Tree) read() {
	store, session := s.journal.Store(), s.session
	if store == nil || session == 0 {
		return
	}
	s.background(func() func() {
		rounds, err := store.SessionRounds(session)
		for i := range rounds {
			runs := s.journal.Runs(rounds[i].ID)
			rounds[i].Pictures = slices.DeleteFunc(rounds[i].Pictures, func(p history.Picture) bool {
				return !p.Finished() && (runs || !journal.Seen(store, p))
			})
		}
		nodes := journal.Tree(rounds)
		var ids []uint64
		for _, n := range nodes {
			ids = append(ids, n.Pictures[0].ID)
		}
		small, stopped := map[uint64]image.Image{}, map[uint64]string{}
		if pictures, failed := store.Pictures(ids); failed == nil {
			for _, p := range pictures {
				if img, bad := state.ReadSmall(p.Thumbnail); bad == nil {
					small[p.ID] = img
				}
				if !p.Finished() {
					small[p.ID], stopped[p.ID] = kit.Dimmed(small[p.ID]), state.StoppedAt(journal.StoppedAt(store, p))
				}
			}
		}
		return func() {
			if err == nil && session == s.session {
				s.fill(nodes, small, stopped)
			}
		}
	})
}

// fill draws the tree, with pictures and where they were stopped, by their numbers.
func (s *Tree) fill(nodes []journal.Node, small map[uint64]image.Image, stopped map[uint64]string) {
	s.nodes, s.tiles = nodes, nil
	var objects []fyne.CanvasObject
	for _, n := range nodes {
		if n.Parent >= 0 {
			for range 2 { // across and down
				l := canvas.NewLine(theme.ColorForWidget(theme.ColorNamePlaceHolder, s.empty))
				l.StrokeWidth = 1.5
				objects = append(objects, l)
			}
		}
	}
	for i, n := range nodes {
		first := n.Pictures[0].ID
		img := small[first]
		if img == nil {
			img = image.NewRGBA(image.Rect(0, 0, 1, 1))
		}
		name := i18n.T("job %d: %s", i+1, n.Prompt)
		if at := stopped[first]; at != "" {
			name += " · " + at
		}
		t := kit.NewThumb(name, img, nodeSide, func() { s.OnShow(first) })
		t.OnMenu = func(at fyne.Position) { s.OnMenu(first, at) }
		s.tiles = append(s.tiles, t)
		objects = append(objects, t)
	}
	for i, n := range nodes {
		mark := kit.Caption(i18n.T("job %d", i+1))
		if len(n.Pictures) > 1 {
			mark.Text += " ×" + strconv.Itoa(len(n.Pictures))
		}
		mark.Align = fyne.TextAlignCenter
		objects = append(objects, mark)
	}
	s.tree.Objects = objects
	s.tree.Refresh()
	s.scroll.Refresh()
	s.Refresh()
}

// treeLayout places lines, pictures and captions as RoundTree says.
type treeLayout struct{ s *Tree }

func (t *treeLayout) at(n journal.Node) fyne.Position {
	return fyne.NewPos(float32(n.Column)*nodeWidth+2, float32(n.Level)*nodeHeight+2)
}

func (t *treeLayout) Layout(objects []fyne.CanvasObject, _ fyne.Size) {
	nodes := t.s.nodes
	lines := len(objects) - 2*len(nodes)
	if lines < 0 {
		return
	}
	i := 0
	for _, n := range nodes {
		if n.Parent < 0 {
			continue
		}
		across, down := objects[i].(*canvas.Line), objects[i+1].(*canvas.Line)
		i += 2
		from, to := t.at(nodes[n.Parent]), t.at(n)
		x, y := to.X+nodeSide/2, to.Y-6
		across.Position1, across.Position2 = fyne.NewPos(from.X+nodeSide/2, y), fyne.NewPos(x, y)
		down.Position1, down.Position2 = fyne.NewPos(x, y), fyne.NewPos(x, to.Y)
		if n.Column == nodes[n.Parent].Column {
			across.Position1, down.Position1 = fyne.NewPos(x, y), fyne.NewPos(x, from.Y+nodeSide+14)
		}
	}
	for k, n := range nodes {
		tile, mark := objects[lines+k], objects[lines+len(nodes)+k]
		tile.Move(t.at(n))
		tile.Resize(fyne.NewSquareSize(nodeSide))
		mark.Move(t.at(n).AddXY(-6, nodeSide))
		mark.Resize(fyne.NewSize(nodeSide+12, 14))
	}
}

func (t *treeLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, n := range t.s.nodes { // with the place of the bars below and beside it
		size = size.Max(fyne.NewSize(float32(n.Column+1)*nodeWidth+kit.BarWidth, float32(n.Level+1)*nodeHeight+kit.BarWidth))
	}
	return size
}

// toggle shows the tree, or takes it away.
func (s *Tree) toggle() { s.show(!s.asTree) }

// Actions are the keys of the tree.
func (s *Tree) Actions() []command.Action {
	return []command.Action{
		{
			ID: "view.rounds", Menu: command.MenuView, Label: i18n.T("Job tree"),
			About: i18n.T("Which picture came from which."), Key: "Shift+T", Do: s.toggle,
			On: func() bool { return s.asTree },
		},
	}
}
