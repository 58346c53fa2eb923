package subjects

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Engine is what the panel asks of the open model.
type Engine interface {
	state.Reader
	Encode(text string, how prompt.Reading) *prompt.Prompt
	Notes(inference.Request) []error
}

// Panel is the cards of the subjects, and the prompt with its words, which they are bound to.
type Panel struct {
	State      func() state.State
	remarked   [2]string                // the remark that is seen, and the pictures and words that it was made about
	Change     func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Ctx        context.Context          // ends when the window closes
	Canvas     func() fyne.Canvas
	Post       func(func())             // to the window's goroutine
	Background func(slow func() func()) // on another one, and what it answers on the window's
	Engine     func() Engine            // of the open model; nil before
	OpenFiles  func() ([]string, error) // asks for pictures; nil: there is no such dialog
	Clipboard  func() (Pasted, error)   // what is in it; nil likewise
	OnResized  func()                   // the words need another height
	OnPaint    func(card int)           // the mask of a card's subject is to be painted
	// OnCut asks what of a reference is its subject, white where it is; done may be called
	OnCut    func(img image.Image, done func(mask *image.Gray))
	OnOpened func(path string) // a picture was opened: as a reference, or for its recipe
	Layers   *kit.Layers
	OnSeen   func() // the form has changed by itself: the model sees its cards otherwise

	commands *command.Commands
	Prompt   *kit.Field

	noCards          *kit.Line
	Cards            *fyne.Container
	cardScroll       *container.Scroll
	newest           *kit.Follower // of the cards
	asked            int           // the card whose word was asked for when they were shown last; 0: none
	ByID             map[int]*Card
	Squarer          kit.Newest[squareJob]
	reachNote        *widget.Label
	overlap          *widget.Label
	notes            [2]fyne.CanvasObject // around remark and overlap
	Linked           *kit.Check
	Remark, PickNote *widget.Label
	well, slim       fyne.CanvasObject
	left             *fyne.Container
	leftSize         fyne.Size // what the panel needed when it was laid out last
	Samples          *fyne.Container
	SampleRow        *fyne.Container
	sampleBox        *container.Scroll
	sampleFoot       *kit.Foot // below them, for the scroll bar
	sampleNote       *kit.Line

	Chips      *fyne.Container
	chipBefore int // the word that was clicked last; a click with Shift marks from it
	ChipHint   *kit.Line
	tokens     *kit.Line
	knownBox   *fyne.Container // around known
	known      *kit.IconButton // lists the words of the model; seen beside one that it does not know
	hintRow    *fyne.Container
	lines      *kit.Lines // of the prompt
	wordRows   *wordRows  // of Chips
	chipRows   *fyne.Container
	chipBox    *fyne.Container // what the rows are in
	counted    string          // the model and the text that tokens are of
	readSo     prompt.Reading
	Ignored    *widget.Label // what of the prompts is cut off or read otherwise
	ignoredBox *fyne.Container
	ignoredOf  string // what ignored is about
}

// New is the panel of a window. Its fields are set before anything is built.
func New(c *command.Commands) *Panel {
	p := &Panel{commands: c}
	p.Squarer.Do = func(j squareJob) { j.do(p) }
	return p
}

func (p *Panel) Words(text string) []state.Word {
	if p.Engine() == nil {
		return state.PlainWords(text)
	}
	return state.ModelWords(p.Engine().Encode(text, p.reading(false)))
}

// reading is how the prompt, or the negative one, is read for the next picture.
func (p *Panel) reading(negative bool) prompt.Reading {
	s := p.State()
	return s.Form.Reading(s.Model, negative)
}

func (p *Panel) BuildCards() fyne.CanvasObject {
	note := func(importance widget.Importance) *widget.Label {
		l := widget.NewLabel("")
		l.Wrapping, l.Importance, l.SizeName = fyne.TextWrapWord, importance, theme.SizeNameCaptionText
		l.Hide()
		return l
	}
	p.Cards = kit.NewColumn(8)
	p.noCards = kit.Caption(i18n.T("Each picture stands for one word."))
	p.PickNote, p.Remark = note(widget.DangerImportance), note(widget.LowImportance)
	p.reachNote = note(widget.WarningImportance)
	p.overlap = note(widget.LowImportance)
	p.Linked = kit.NewCheck(i18n.T("Same area"), func(on bool) {
		if on != p.State().Form.Linked {
			p.Link()
		}
	}).Explain(i18n.T("All subjects have one area; untick it to give each its own."))
	open := func() string {
		return i18n.T("Takes a picture of your subject from a file. Dropping one anywhere and Ctrl+V do the same.")
	}
	p.well = kit.NewWell(p.ChoosePicture).ExplainWithCut(open)
	p.slim = kit.NewTile(i18n.T("Open a picture"), 10, container.New(kit.Inset{X: 10, Y: 8}, container.New(kit.Centred{Gap: 8},
		container.New(kit.Square{Side: 18}, widget.NewIcon(theme.NewThemedResource(theme.ContentAddIcon()))),
		kit.Heading(i18n.T("Drop or open another")))), p.ChoosePicture).ExplainWithCut(open)
	p.SampleRow = container.New(&kit.Flow{Gap: 6})
	p.sampleFoot = &kit.Foot{}
	p.sampleBox = container.NewScroll(container.New(p.sampleFoot, p.SampleRow))
	p.sampleNote = kit.Caption(i18n.T("No picture at hand? Try one of ours:"))
	p.Samples = kit.NewColumn(6, kit.Whole(p.sampleNote, nil), p.sampleBox)
	p.Samples.Hide()
	p.cardScroll = kit.NewPage(kit.NewColumn(0, kit.Whole(p.noCards, nil), p.Cards))
	p.newest = kit.Follow(p.cardScroll)
	p.Canvas().AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { p.Paste(state.Target{}) })
	p.notes = [2]fyne.CanvasObject{kit.Quiet(p.Remark), kit.Quiet(p.overlap)}
	for _, n := range p.notes {
		n.Hide()
	}
	in := container.New(kit.Inset{X: 0, Y: 4}, kit.NewColumn(8, p.reachNote, p.notes[1], p.notes[0], kit.NewCapped(6, p.PickNote), p.well,
		p.slim, p.Samples))
	title := container.New(kit.Fixed{Height: 24}, container.New(kit.Yielding{Gap: 8}, kit.Heading(i18n.T("Subjects")), p.Linked))
	p.left = container.NewBorder(title, in, nil, nil, p.cardScroll)
	return kit.Panel(p.left)
}

// SettleLeft lays the panel out anew where its parts have changed their heights.
func (p *Panel) SettleLeft() {
	for range 3 { // what is broken into lines knows its height only for a width
		size := p.Cards.MinSize().Add(p.left.MinSize())
		if size == p.leftSize {
			return
		}
		p.leftSize = size
		p.left.Refresh()
	}
}

// makeRoom gives the cards the room of what a beginner needs: the large well and all samples at once.
func (p *Panel) makeRoom(cards bool) {
	p.noCards.Hidden = cards
	if cards {
		p.well.Hide()
		p.slim.Show()
		p.sampleNote.Hide()
		p.SampleRow.Layout, p.sampleBox.Direction = kit.Row{Gap: 6}, container.ScrollHorizontalOnly
		p.sampleFoot.Height = kit.BarWidth
	} else {
		p.well.Show()
		p.slim.Hide()
		p.sampleNote.Show()
		p.SampleRow.Layout, p.sampleBox.Direction = &kit.Flow{Gap: 6}, container.ScrollNone
		p.sampleFoot.Height = 0
	}
	p.sampleBox.Refresh()
}

// ShowsCards is what the cards and the notes under them show.
func (p *Panel) ShowsCards(s state.State) []any {
	overlap, much := s.OverlapNote()
	return []any{s.CardLooks(), s.ReachNote(), s.Form.Linked, overlap, much, s.Remark, s.Reading, s.Picking > 0, s.PickErr, s.Asked()}
}

// RefreshCards makes the cards equal to the state. A card is kept as long as its first picture, and with it the keyboard's
// focus.
func (p *Panel) RefreshCards() {
	s := p.State()
	looks := s.CardLooks()
	var objects []fyne.CanvasObject
	kept, came := map[int]*Card{}, -1
	for n, g := range s.Form.Groups() {
		look := looks[n]
		c := p.ByID[g.ID]
		if c != nil {
			c.show(look)
		} else {
			c, came = newCard(look, p.CardActs()), n
		}
		kept[g.ID] = c
		objects = append(objects, c)
	}
	p.ByID = kept
	if !slices.Equal(objects, p.Cards.Objects) {
		p.Cards.Objects = objects
		p.Cards.Refresh()
		kit.LetGo(p.Canvas())
	}
	if len(objects) > 0 == p.well.Visible() || p.slim.Visible() == p.well.Visible() {
		p.makeRoom(len(objects) > 0)
	}
	reach := s.ReachNote()
	p.reachNote.SetText(reach)
	p.reachNote.Hidden = reach == ""
	if p.Linked.Checked != s.Form.Linked {
		p.Linked.SetChecked(s.Form.Linked)
	}
	p.Linked.Hidden = len(looks) < 2
	p.showOverlap()
	remark := p.standing(s)
	if s.Reading != "" && s.Picking > 0 {
		remark = i18n.T("Reading %s…", s.Reading)
	}
	p.Remark.SetText(remark)
	p.Remark.Hidden = remark == ""
	visible(p.notes[0], remark != "")
	p.PickNote.Hidden = s.PickErr == nil
	p.PickNote.SetText(wording.Sentence(s.PickErr))
	p.SettleLeft()
	asked := 0
	if i := s.Asked(); i >= 0 {
		asked = s.Form.Groups()[i].ID
		if asked != p.asked {
			came = i // what the line under the words is about has to be seen
		}
	}
	if came >= 0 {
		p.newest.Show(objects, came)
	}
	if !p.cardScroll.Size().IsZero() { // before it was laid out nothing can be in view
		p.asked = asked
	}
}

// showOverlap says what the subjects of what is in view had to share.
func (p *Panel) showOverlap() {
	text, much := p.State().OverlapNote()
	importance := widget.LowImportance
	if much {
		importance = widget.WarningImportance
	}
	if p.overlap.Text != text || p.overlap.Importance != importance {
		p.overlap.Importance = importance
		p.overlap.SetText(text)
	}
	p.overlap.Hidden = text == ""
	visible(p.notes[1], text != "")
}

func visible(o fyne.CanvasObject, on bool) {
	switch {
	case on && !o.Visible():
		o.Show()
	case !on && o.Visible():
		o.Hide()
	}
}

func (p *Panel) CardActs() cardActs {
	form := func(change func(state.Form, int) state.Form) func(int) {
		return func(card int) {
			p.Change(func(s *state.State) {
				if s.Form.Card(card) >= 0 {
					s.Form = change(s.Form, card)
				}
			})
		}
	}
	return cardActs{
		tap: p.TapCard, remove: p.RemoveCard, reach: p.SetScope, square: p.SetSquare, shortcut: p.commands.Shortcut,
		other: p.commands.AnyShortcut,
		Mute:  form(func(f state.Form, card int) state.Form { return f.Mute(card, !f.Cards[f.Card(card)].Off) }),
		solo:  form(state.Form.Solo), menu: p.cardMenu, remedy: p.Mend, add: p.addTo,
		resized: p.SettleLeft,
		paint:   func(card int) { p.OnPaint(card) },
		unpaint: form(func(f state.Form, card int) state.Form { return f.WithRegion(card, inference.Region{}) }),
		paste:   func(card int) { p.Paste(state.Target{Card: card}) },
		dropPicture: func(picture int) {
			p.Change(func(s *state.State) { *s = s.Forget(func(f state.Form) state.Form { return f.Remove(picture) }) })
		},
	}
}

func (p *Panel) TapCard(id int) {
	p.Change(func(s *state.State) { *s = s.Choose(id) })
}

func (p *Panel) RemoveCard(id int) {
	p.Change(func(s *state.State) { *s = s.Forget(func(f state.Form) state.Form { return f.RemoveSubject(id) }) })
}

func (p *Panel) SetScope(id int, scope float64) {
	p.Change(func(s *state.State) { s.Form = s.Form.WithScope(id, scope) })
}

func (p *Panel) Mend(card int) {
	p.Change(func(s *state.State) { *s = s.Mend(card) })
}

// SetSquare changes how a picture becomes the square. While it is dragged (not settled) the square is made of the small picture.
func (p *Panel) SetSquare(id int, square picture.Square, settled bool) {
	p.Change(func(s *state.State) {
		if i := s.Form.Card(id); i >= 0 {
			s.Form.Cards = slices.Clone(s.Form.Cards)
			c := &s.Form.Cards[i]
			c.Ref.Square = square
			p.Squarer.Set(squareJob{*c, settled, p.Eye()})
		}
	})
}

// squareJob asks for the squares of a card anew.
type squareJob struct {
	state.Card
	exact bool
	see   state.Eye
}

// do makes the squares: of the small picture, which is there, or of the picture itself, which must be decoded.
func (j squareJob) do(p *Panel) {
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
	p.Post(func() {
		f := p.State().Form
		if i := f.Card(j.ID); i >= 0 && f.Cards[i].Ref.Square == j.Ref.Square && f.Cards[i].Fit == j.Fit {
			p.see(func(cards []state.Card) { cards[i].View, cards[i].Small = j.View, j.Small })
		}
	})
}

// addTo asks for another picture of a subject.
func (p *Panel) addTo(card int) { p.pick(state.Target{Card: card}) }

// share binds the pictures of a card to another word too.
func (p *Panel) share(card int) {
	p.Change(func(s *state.State) {
		s.Form, s.Selected = s.Form.Share(card)
		s.Pending = inference.Word{}
	})
}

// CardMenu is what is done with a subject. More of it comes from the subject: see cardItems.
var CardMenu = command.Context{
	"subject.add", "subject.share", "subject.cut", "mask.paint", "mask.remove", "",
	"subject.up", "subject.down", "",
	"subject.mute", "subject.solo", "subject.area", "subject.anchor", "subject.unbind", "subject.remove",
}

// swapsAfter is behind how many entries of CardMenu the other subjects are offered to swap pictures with.
const swapsAfter = 5

// cardMenu chooses a card and shows what can be done with it.
func (p *Panel) cardMenu(card int, at fyne.Position) {
	if p.ByID[card] == nil {
		return
	}
	if p.State().Selected != card {
		p.Change(func(s *state.State) { s.Selected, s.Pending = card, inference.Word{} })
	}
	p.commands.Popup(at, p.cardItems(card), func() {})
}

// cardItems is the menu of a card: that of all, and the other subjects, to swap pictures with.
func (p *Panel) cardItems(card int) []*fyne.MenuItem {
	items := p.commands.Items(CardMenu[:swapsAfter]...)
	f := p.State().Form
	for _, g := range f.Groups() {
		if g.ID == card {
			continue
		}
		other := f.Cards[g.Cards[0]]
		items = append(items, fyne.NewMenuItem(i18n.T("Swap pictures with “%s”", state.Shorten(cmp.Or(other.Word.Text, other.Ref.Name), 20)),
			func() { p.Change(func(s *state.State) { s.Form = s.Form.Swap(card, g.ID) }) }))
	}
	return append(append(items, fyne.NewMenuItemSeparator()), p.commands.Items(CardMenu[swapsAfter:]...)...)
}

// Actions act on the chosen card, or on the only one.
func (p *Panel) Actions() []command.Action {
	chosen := func() int {
		s := p.State()
		if g, ok := s.Form.Group(s.Selected); ok {
			return g.ID
		}
		if groups := s.Form.Groups(); len(groups) == 1 {
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
	two := func() bool { return len(p.State().Form.Groups()) == 2 }
	acts := p.CardActs()
	form := func(change func(f state.Form, card int) state.Form) func() {
		return on(func(card int) { p.Change(func(s *state.State) { s.Form = change(s.Form, card) }) })
	}
	card := func() state.Card {
		if i := p.State().Form.Card(chosen()); i >= 0 {
			return p.State().Form.Cards[i]
		}
		return state.Card{}
	}
	place := func() (at, of int) {
		groups := p.State().Form.Groups()
		return slices.IndexFunc(groups, func(g state.Group) bool { return g.ID == chosen() }), len(groups)
	}
	return append([]command.Action{
		command.Separator(command.MenuEdit),
		{
			ID: "subject.paste", Menu: command.MenuEdit, Label: i18n.T("Paste a picture"), Key: "Ctrl+Shift+V",
			Do: func() { p.Paste(state.Target{}) }, Can: func() bool { return p.Clipboard != nil },
		},
		{
			ID: "subject.add", Menu: command.MenuEdit, Label: i18n.T("Another picture of the same subject…"), Do: on(p.addTo),
			Can: func() bool { return can() && p.OpenFiles != nil },
		},
		{ID: "subject.share", Menu: command.MenuEdit, Label: i18n.T("Use this picture for another word too"), Do: on(p.share), Can: can},
		{
			ID: "subject.cut", Menu: command.MenuEdit, Label: i18n.T("Cut the subject out of its picture…"), Do: on(p.askCut),
			Can: func() bool { return can() && card().Whole != nil && len(card().Ref.Data) > 0 },
		},
		{ID: "subject.mute", Menu: command.MenuEdit, Label: i18n.T("Mute the subject"), Key: "Shift+M", Do: on(acts.Mute), Can: can, On: func() bool { return card().Off }},
		{ID: "subject.solo", Menu: command.MenuEdit, Label: i18n.T("Only this subject"), Key: "Shift+S", Do: on(acts.solo), Can: func() bool { return can() && len(p.State().Form.Groups()) > 1 }, On: func() bool { return can() && p.State().Form.Alone(chosen()) }},
		{ID: "subject.swap", Menu: command.MenuEdit, Label: i18n.T("Swap the pictures of the two subjects"), Key: "Shift+W", Do: func() {
			if g := p.State().Form.Groups(); len(g) == 2 {
				p.Change(func(s *state.State) { s.Form = s.Form.Swap(g[0].ID, g[1].ID) })
			}
		}, Can: two},
		{
			ID: "subject.bind", Menu: command.MenuEdit, Label: i18n.T("Bind the selected words"), Key: "Ctrl+B", Do: p.bindSelection,
			Can: func() bool { return len(p.State().Words) > 0 },
		},
		{
			ID: "subject.link", Menu: command.MenuEdit, Label: i18n.T("Same area for all subjects"), Key: "Shift+L", Do: p.Link,
			Can: func() bool { return len(p.State().Form.Groups()) > 1 }, On: func() bool { return p.State().Form.Linked },
		},
		{
			ID: "subject.anchor", Menu: command.MenuEdit, Label: i18n.T("Go back to the anchor"),
			Do:  on(func(card int) { p.Change(func(s *state.State) { s.Form = s.Form.ToAnchor(card) }) }),
			Can: func() bool { return p.State().Form.Anchored(chosen()) },
		},
		{
			ID: "subject.up", Label: i18n.T("Move up"),
			Do:  form(func(f state.Form, card int) state.Form { return f.Move(card, -1) }),
			Can: func() bool { at, _ := place(); return at > 0 },
		},
		{
			ID: "subject.down", Label: i18n.T("Move down"),
			Do:  form(func(f state.Form, card int) state.Form { return f.Move(card, 1) }),
			Can: func() bool { at, of := place(); return at >= 0 && at < of-1 },
		},
		{
			ID: "subject.area", Label: i18n.T("The preset's area"),
			Do:  form(func(f state.Form, card int) state.Form { return f.WithScope(card, 0) }),
			Can: func() bool { return card().Scope > 0 },
		},
		{
			ID: "subject.unbind", Label: i18n.T("Unbind word"), Where: i18n.T("on its card"),
			Do:  form(func(f state.Form, card int) state.Form { return f.Bind(card, inference.Word{}) }),
			Can: func() bool { return card().Bound() },
		},
		{ID: "subject.remove", Menu: command.MenuEdit, Label: i18n.T("Remove the subject"), Do: on(p.RemoveCard), Can: can},
	}, p.wordActions()...)
}

// standing is the remark on pictures that were taken, as long as nothing was done with pictures and words since: it may be untrue then.
func (p *Panel) standing(s state.State) string {
	bonds := ""
	for _, c := range s.Form.Cards {
		bonds += fmt.Sprintf("%d=%s#%d ", c.ID, c.Word.Text, c.Word.Occurrence)
	}
	switch {
	case s.Remark != p.remarked[0]:
		p.remarked = [2]string{s.Remark, bonds}
	case s.Remark != "" && bonds != p.remarked[1]:
		p.Change(func(s *state.State) { s.Remark = "" })
		p.remarked = [2]string{}
		return ""
	}
	return s.Remark
}
