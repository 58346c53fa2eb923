package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// subjectWidgets is what Window has of this panel and of the words under the prompt.
type subjectWidgets struct {
	noCards          *kit.Line
	cards            *fyne.Container
	cardScroll       *container.Scroll
	byID             map[int]*card
	squarer          kit.Newest[squareJob]
	reachNote        *kit.Line
	overlap          *widget.Label
	notes            [2]fyne.CanvasObject // around remark and overlap
	linked           *kit.Check
	remark, pickNote *widget.Label
	well, slim       fyne.CanvasObject
	left             *fyne.Container
	leftSize         fyne.Size // what the panel needed when it was laid out last
	samples          *fyne.Container
	sampleRow        *fyne.Container
	sampleBox        *container.Scroll
	sampleNote       *kit.Line

	chips      *fyne.Container
	chipBefore int // the word that was clicked last; a click with Shift marks from it
	chipHint   *kit.Line
	tokens     *kit.Line
	hintRow    *fyne.Container
	counted    string        // the text that tokens are of
	ignored    *widget.Label // what of the prompts is cut off or read otherwise
	ignoredBox *fyne.Container
	ignoredOf  string // what ignored is about
}

func (w *Window) buildLeft() fyne.CanvasObject {
	note := func(importance widget.Importance) *widget.Label {
		l := widget.NewLabel("")
		l.Wrapping, l.Importance, l.SizeName = fyne.TextWrapWord, importance, theme.SizeNameCaptionText
		l.Hide()
		return l
	}
	w.cards = kit.NewColumn(8)
	w.noCards = kit.Caption(i18n.T("Each picture stands for one word."))
	w.pickNote, w.remark = note(widget.DangerImportance), note(widget.LowImportance)
	w.reachNote = kit.Caption("")
	w.reachNote.Color = theme.ColorNameWarning
	w.overlap = note(widget.LowImportance)
	w.linked = kit.NewCheck(i18n.T("Same area"), func(on bool) {
		if on != w.state.Form.Linked {
			w.link()
		}
	})
	w.well = kit.NewWell(w.choosePicture)
	w.slim = kit.NewTile(i18n.T("Open a picture"), 10, container.New(kit.Inset{X: 10, Y: 8}, container.NewCenter(kit.NewRow(8,
		container.New(kit.Fixed{Width: 18, Height: 18},
			widget.NewIcon(theme.NewThemedResource(theme.ContentAddIcon()))), kit.Heading(i18n.T("Drop or open another"))))), w.choosePicture)
	w.sampleRow = container.New(&kit.Flow{Gap: 6})
	w.sampleBox = container.NewScroll(w.sampleRow)
	w.sampleNote = kit.Caption(i18n.T("No picture at hand? Try one of ours:"))
	w.samples = kit.NewColumn(6, w.sampleNote, w.sampleBox)
	w.samples.Hide()
	w.cardScroll = kit.NewPage(kit.NewColumn(0, w.noCards, w.cards))
	w.win.Canvas().AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { w.paste(state.Target{}) })
	w.notes = [2]fyne.CanvasObject{kit.Quiet(w.remark), kit.Quiet(w.overlap)}
	for _, n := range w.notes {
		n.Hide()
	}
	in := container.New(kit.Inset{X: 0, Y: 4}, kit.NewColumn(8, w.reachNote, w.notes[1], w.notes[0], kit.NewCapped(6, w.pickNote), w.well,
		w.slim, w.samples))
	title := container.New(kit.Fixed{Height: 24}, container.NewBorder(nil, nil, kit.Heading(i18n.T("Subjects")), w.linked))
	w.left = container.NewBorder(title, in, nil, nil, w.cardScroll)
	return kit.Panel(w.left)
}

// settleLeft lays the panel out anew where its parts have changed their heights.
func (w *Window) settleLeft() {
	if size := w.cards.MinSize().Add(w.left.MinSize()); size != w.leftSize {
		w.leftSize = size
		w.left.Refresh()
	}
}

// makeRoom gives the cards the room of what a beginner needs: the large well and all samples at once.
func (w *Window) makeRoom(cards bool) {
	w.noCards.Hidden = cards
	if cards {
		w.well.Hide()
		w.slim.Show()
		w.sampleNote.Hide()
		w.sampleRow.Layout, w.sampleBox.Direction = kit.Row{Gap: 6}, container.ScrollHorizontalOnly
	} else {
		w.well.Show()
		w.slim.Hide()
		w.sampleNote.Show()
		w.sampleRow.Layout, w.sampleBox.Direction = &kit.Flow{Gap: 6}, container.ScrollNone
	}
	w.sampleBox.Refresh()
}

// refreshCards makes the cards equal to the state. A card is kept as long as its first picture, and with it the keyboard's
// focus.
func (w *Window) refreshCards() {
	groups := w.state.Form.Groups()
	var objects []fyne.CanvasObject
	kept := map[int]*card{}
	for _, g := range groups {
		look := w.state.CardLook(g)
		look.Several = len(groups) > 1
		c := w.byID[g.ID]
		if c != nil {
			c.show(look)
		} else {
			c = newCard(look, w.cardActs())
		}
		kept[g.ID] = c
		objects = append(objects, c)
	}
	w.byID = kept
	if !slices.Equal(objects, w.cards.Objects) {
		w.cards.Objects = objects
		w.cards.Refresh()
	}
	if len(objects) > 0 == w.well.Visible() || w.slim.Visible() == w.well.Visible() {
		w.makeRoom(len(objects) > 0)
	}
	w.reachNote.Set(w.state.ReachNote())
	w.reachNote.Hidden = w.reachNote.Text == ""
	if w.linked.Checked != w.state.Form.Linked {
		w.linked.SetChecked(w.state.Form.Linked)
	}
	w.linked.Hidden = len(groups) < 2
	w.showOverlap()
	remark := w.state.Remark
	if w.state.Reading != "" && w.state.Picking > 0 {
		remark = i18n.T("Reading %s…", w.state.Reading)
	}
	w.remark.SetText(remark)
	w.remark.Hidden = remark == ""
	visible(w.notes[0], remark != "")
	w.pickNote.Hidden = w.state.PickErr == nil
	w.pickNote.SetText(wording.Sentence(w.state.PickErr))
	w.settleLeft()
}

// showOverlap says what the subjects of what is in view had to share.
func (w *Window) showOverlap() {
	text, much := w.state.OverlapNote()
	importance := widget.LowImportance
	if much {
		importance = widget.WarningImportance
	}
	if w.overlap.Text != text || w.overlap.Importance != importance {
		w.overlap.Importance = importance
		w.overlap.SetText(text)
	}
	w.overlap.Hidden = text == ""
	visible(w.notes[1], text != "")
}

func visible(o fyne.CanvasObject, on bool) {
	switch {
	case on && !o.Visible():
		o.Show()
	case !on && o.Visible():
		o.Hide()
	}
}

func (w *Window) cardActs() cardActs {
	form := func(change func(state.Form, int) state.Form) func(int) {
		return func(card int) {
			w.state.Form = change(w.state.Form, card)
			w.refresh()
		}
	}
	return cardActs{
		tap: w.tapCard, remove: w.removeCard, reach: w.setScope, square: w.setSquare, shortcut: w.Shortcut,
		mute: form(func(f state.Form, card int) state.Form { return f.Mute(card, !f.Cards[f.Card(card)].Off) }),
		solo: form(state.Form.Solo), menu: w.cardMenu, remedy: w.mend, add: w.addTo,
		resized: w.settleLeft,
		paste:   func(card int) { w.paste(state.Target{Card: card}) },
		dropPicture: func(picture int) {
			w.state = w.state.Forget(func(f state.Form) state.Form { return f.Remove(picture) })
			w.refresh()
		},
	}
}

func (w *Window) tapCard(id int) {
	w.state = w.state.Choose(id)
	w.refresh()
}

func (w *Window) removeCard(id int) {
	w.state = w.state.Forget(func(f state.Form) state.Form { return f.RemoveSubject(id) })
	w.refresh()
}

func (w *Window) setScope(id int, scope float64) {
	w.state.Form = w.state.Form.WithScope(id, scope)
	w.refresh()
}

func (w *Window) mend(card int) {
	w.state = w.state.Mend(card)
	w.refresh()
}

// setSquare changes how a picture becomes the square. While it is dragged (not settled) the square is made of the small picture.
func (w *Window) setSquare(id int, square picture.Square, settled bool) {
	i := w.state.Form.Card(id)
	if i < 0 {
		return
	}
	w.state.Form.Cards = slices.Clone(w.state.Form.Cards)
	c := &w.state.Form.Cards[i]
	c.Ref.Square = square
	w.squarer.Set(squareJob{*c, settled, w.eye()})
	w.refresh()
}

// squareJob asks for the squares of a card anew.
type squareJob struct {
	state.Card
	exact bool
	see   state.Eye
}

// do makes the squares: of the small picture, which is there, or of the picture itself, which must be decoded.
func (j squareJob) do(w *Window) {
	img := j.Whole
	if j.exact {
		full, _, err := j.see.Decode(j.Ref)
		if err != nil {
			return // it could be decoded once; the square of the small picture stays
		}
		img = full
	}
	if err := j.Look(img, j.see.Model); err != nil {
		return // the editor only makes squares that are possible
	}
	w.post(func() {
		i := w.state.Form.Card(j.ID)
		if i < 0 || w.state.Form.Cards[i].Ref.Square != j.Ref.Square || w.state.Form.Cards[i].Fit != j.Fit {
			return
		}
		w.state.Form.Cards = slices.Clone(w.state.Form.Cards)
		w.state.Form.Cards[i].View, w.state.Form.Cards[i].Small = j.View, j.Small
		w.refreshCards()
	})
}

// addTo asks for another picture of a subject.
func (w *Window) addTo(card int) { w.pick(state.Target{Card: card}) }

// share binds the pictures of a card to another word too.
func (w *Window) share(card int) {
	form, id := w.state.Form.Share(card)
	w.state.Form, w.state.Selected, w.state.Pending = form, id, inference.Word{}
	w.refresh()
}

// cardMenu shows everything that can be done with a card.
func (w *Window) cardMenu(card int) {
	c := w.byID[card]
	if c == nil {
		return
	}
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", w.cardItems(card)...), w.win.Canvas(), fyne.NewPos(0, c.more.Size().Height),
		c.more)
}

func (w *Window) cardItems(card int) []*fyne.MenuItem {
	f := w.state.Form
	groups := f.Groups()
	at := slices.IndexFunc(groups, func(g state.Group) bool { return g.ID == card })
	c := f.Cards[f.Card(card)]
	change := func(next state.Form) func() {
		return func() { w.state.Form = next; w.refresh() }
	}
	item := func(label string, icon fyne.Resource, do func()) *fyne.MenuItem {
		m := fyne.NewMenuItem(label, do)
		m.Icon = icon
		return m
	}
	acts := w.cardActs()
	items := []*fyne.MenuItem{
		item(i18n.T("Another picture of the same subject…"), theme.ContentAddIcon(), func() { w.addTo(card) }),
		item(i18n.T("Use for another word too"), theme.ContentCopyIcon(), func() { w.share(card) }),
	}
	for _, g := range groups {
		if g.ID == card {
			continue
		}
		other := f.Cards[g.Cards[0]]
		name := other.Word.Text
		if name == "" {
			name = other.Ref.Name
		}
		items = append(items, item(i18n.T("Swap pictures with “%s”", state.Shorten(name, 20)), theme.ViewRefreshIcon(),
			change(f.Swap(card, g.ID))))
	}
	if len(groups) > 1 {
		up, down := item(i18n.T("Move up"), theme.MoveUpIcon(), change(f.Move(card, -1))), item(i18n.T("Move down"), theme.MoveDownIcon(),
			change(f.Move(card, 1)))
		up.Disabled, down.Disabled = at == 0, at == len(groups)-1
		items = append(items, fyne.NewMenuItemSeparator(), up, down)
	}
	items = append(items, fyne.NewMenuItemSeparator())
	leave, only := item(i18n.T("Mute"), theme.VisibilityOffIcon(), func() { acts.mute(card) }), item(i18n.T("Only this one"),
		theme.RadioButtonCheckedIcon(), func() { acts.solo(card) })
	leave.Checked, only.Checked = c.Off, f.Alone(card)
	if items = append(items, leave); len(groups) > 1 {
		items = append(items, only)
	}
	if c.Scope > 0 {
		items = append(items, item(i18n.T("The preset's area"), theme.ContentUndoIcon(), change(f.WithScope(card, 0))))
	}
	if f.Anchored(card) {
		items = append(items, item(i18n.T("Go back to the anchor"), theme.NewThemedResource(anchorIcon), change(f.ToAnchor(card))))
	}
	if c.Bound() {
		items = append(items, item(i18n.T("Unbind word"), theme.ContentClearIcon(), change(f.Bind(card, inference.Word{}))))
	}
	return append(items, item(i18n.T("Remove"), theme.DeleteIcon(), func() { w.removeCard(card) }))
}

// subjectActions act on the chosen card, or on the only one.
func (w *Window) subjectActions() []command.Action {
	chosen := func() int {
		if g, ok := w.state.Form.Group(w.state.Selected); ok {
			return g.ID
		}
		if groups := w.state.Form.Groups(); len(groups) == 1 {
			return groups[0].ID
		}
		return 0
	}
	on := func(do func(int)) func() {
		return func() {
			if id := chosen(); id != 0 {
				do(id)
			}
		}
	}
	can := func() bool { return chosen() != 0 }
	two := func() bool { return len(w.state.Form.Groups()) == 2 }
	acts := w.cardActs()
	return []command.Action{
		command.Separator(command.MenuEdit),
		{
			ID: "subject.paste", Menu: command.MenuEdit, Label: i18n.T("Paste a picture"), Key: "Ctrl+Shift+V",
			Do: func() { w.paste(state.Target{}) }, Can: func() bool { return w.opt.PasteImage != nil },
		},
		{ID: "subject.share", Menu: command.MenuEdit, Label: i18n.T("Use the picture for another word too"), Do: on(w.share), Can: can},
		{ID: "subject.mute", Menu: command.MenuEdit, Label: i18n.T("Mute the subject"), Key: "Shift+M", Do: on(acts.mute), Can: can},
		{ID: "subject.solo", Menu: command.MenuEdit, Label: i18n.T("Only this subject"), Key: "Shift+S", Do: on(acts.solo), Can: can},
		{ID: "subject.swap", Menu: command.MenuEdit, Label: i18n.T("Swap the pictures of the two subjects"), Key: "Shift+W", Do: func() {
			if g := w.state.Form.Groups(); len(g) == 2 {
				w.state.Form = w.state.Form.Swap(g[0].ID, g[1].ID)
				w.refresh()
			}
		}, Can: two},
		{
			ID: "subject.bind", Menu: command.MenuEdit, Label: i18n.T("Bind the selected words"), Key: "Ctrl+B", Do: w.bindSelection,
			Can: func() bool { return len(w.state.Words) > 0 },
		},
		{
			ID: "subject.link", Menu: command.MenuEdit, Label: i18n.T("Same area for all subjects"), Key: "Shift+L", Do: w.link,
			Can: func() bool { return len(w.state.Form.Groups()) > 1 }, On: func() bool { return w.state.Form.Linked },
		},
		{
			ID: "subject.anchor", Menu: command.MenuEdit, Label: i18n.T("Go back to the anchor"),
			Do:  on(func(card int) { w.state.Form = w.state.Form.ToAnchor(card); w.refresh() }),
			Can: func() bool { return w.state.Form.Anchored(chosen()) },
		},
		{ID: "subject.remove", Menu: command.MenuEdit, Label: i18n.T("Remove the subject"), Do: on(w.removeCard), Can: can},
	}
}
