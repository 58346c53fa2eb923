package stage

import (
	"errors"
	"fmt"
	"image"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Host is what the stage needs of the house.
type Host struct {
	State      func() state.State
	Change     func(func(*state.State))        // makes the state another one, and renders the rooms that show what has changed
	Refresh    func()                          // renders everything: how one looks at it has changed
	Post       func(func())                    // does something on Fyne's goroutine; called on any
	Background func(slow func() (show func())) // does slow elsewhere, then show on Fyne's goroutine
	Layers     *kit.Layers
	Commands   *command.Commands
	Ghost      *kit.Ghost            // what a thumbnail is dragged by
	Painted    func(begin time.Time) // a painter has worked since then; called on any goroutine

	// Veil is the mask that is being painted, and the masks that are seen with it in place of those of the step; without one, the zero
	// Veil. Nil: nothing is painted here.
	Veil  func() (Veil, []picture.Layer)
	Easel fyne.CanvasObject // over the picture while something is painted; nil: none

	Lend func(state.Shot) (path string, err error) // a file of a picture that is in none, but kept by the history

	Carry  func(path string) (Carried, error) // drags a file over windows of other programs; nil: that is not possible
	Sizes  func() Sizes                       // of the film and the thumbnails, as the user has made them
	Resize func(now Sizes, settled bool)      // takes others, and lays everything out anew; not settled: a handle is still being dragged

	Example    Example                            // the finished session that comes with the program
	Make       func(state.Task)                   // puts a job before all that wait
	Read       func(state.Shot) func() state.Shot // answers what reads a picture of the history, slowly; nil where it cannot be read now
	OpenFolder func() (string, error)             // asks for a folder, "" is none; slow. Nil: no export of steps
	// SaveFile asks where to save the named PNG file and writes there what data makes; "" is nowhere. Slow. Nil: no export of films.
	SaveFile func(name string, data func() ([]byte, error)) (path string, err error)
}

// Panel is the picture of the window, with what lies under it.
type Panel struct {
	OnInspect func(subject int) // its masks are to be inspected; -1: of none in particular
	OnHeight  func()            // what lies under the picture or beside it has another size
	// OnDropped takes the picture whose thumbnail was dropped somewhere.
	OnDropped func(shot state.Shot, at fyne.Position)

	// Example says over the window that the example is looked at; hidden. ExampleMark says it in the window's head where Marked.
	Example, ExampleMark fyne.CanvasObject
	Body                 *fyne.Container   // the picture between its tools and the thumbnails
	Picture              fyne.CanvasObject // on the screen
	Strip                *fyne.Container   // thumbnails of the finished pictures
	Tools                *fyne.Container   // how masks lie over it
	Border               fyne.CanvasObject // over the film: what is said of the picture, and the handle of the film
	Film                 *fyne.Container   // the plan of the next run over the film

	host     Host
	rail     *rail
	stripRow *fyne.Container
	fold     *foldBar
	thumbs   *kit.Follower // of the strip
	side     *kit.Slider   // how large they are
	live     *live         // under them
	pane     *pane
	coach    *coach
	example  *exampleBar
	bar      *stepBar
	film     *filmStrip
	overlay  *overlayBar
	info     *kit.Told
	lens     lens
	contrast contrast

	uncompare    func()      // takes back the note for Esc
	carried      carrying    // the picture that is dragged
	unstep       func()      // likewise, while a step is in view
	seen, before *state.Shot // the finished picture in view, and the one before it

	blank    *image.Gray // to paint on before there is a picture
	high     float32     // how high the tools are
	seats    int         // the most subjects that a film of the session had: the picture stands still where another has fewer
	pulled   bool        // the picture has the shape of a mask that is painted for another one, as it is stretched over it
	painting bool        // a veil is there, even where Peek hides it

	painter kit.Newest[scene]
	painted sceneKey // what the painter was asked for last
	filmer  kit.Newest[filmScene]
	filmed  filmKey
}

// New makes an empty stage.
func New(h Host) *Panel {
	p := &Panel{host: h, lens: newLens()}
	var coat undercoat
	p.painter.Do = func(s scene) {
		begin := time.Now()
		img := coat.under(s).paint()
		h.Painted(begin)
		h.Post(func() { p.pane.show(img) })
	}
	p.filmer.Do = func(f filmScene) {
		begin := time.Now()
		img := f.paint()
		h.Painted(begin)
		h.Post(func() { p.film.set(img) })
	}
	p.coach = newCoach(h.Example, func() string { return h.Commands.KeyOf("run.generate") })
	p.example = newExampleBar(h.Example, p.low)
	p.Example, p.ExampleMark = p.example.Container, p.example.mark
	p.pane = newPane(p.coach.body, p.Peek, p.repaint, p.zoomed, p.cut, h.Easel)
	p.pane.carry = func(at fyne.Position) { p.carry(p.shot(), at) }
	p.pane.letGo = p.letGo
	p.pane.menu = func(at fyne.Position) { h.Commands.Menu(at, PictureMenu) }
	p.bar = newStepBar(func(stop int) {
		h.Change(func(s *state.State) { s.Form.Stop = stop })
	})
	inspect := func(subject int) { p.OnInspect(subject) }
	p.film = newFilm(p.ShowStep, p.Nudge, inspect, p.Peek, h.Commands.Typed, p.repaintFilm)
	p.film.words = func() []string { s := h.State(); return s.WordNames(s.FilmSubjects()) }
	p.overlay = newOverlayBar(p)
	p.info = kit.NewTold(theme.SizeNameCaptionText)
	p.Picture, p.Film = p.pane, kit.NewColumn(0, p.bar, p.film)
	p.rail = newRail(h, p.height)
	p.live = newLive(thumbSide, func() string { return h.Commands.KeyOf("view.live") }, p.Watch)
	p.buildStrip()
	p.stripRow.Hide()
	p.Body = container.New(kit.Flanked{Gap: 6}, p.rail.body, p.Picture, p.stripRow)
	p.Tools = kit.NewColumn(0, p.overlay.row)
	p.fold = newFoldBar(p)
	p.Border = p.fold.body
	return p
}

// shot is the finished picture in view; nil for a step of the run.
func (p *Panel) shot() *state.Shot {
	s := p.host.State()
	return s.Shot()
}

// Working tells whether something is being painted still.
func (p *Panel) Working() bool { return p.painter.Working() || p.filmer.Working() }

// Lens is how masks lie over the picture.
func (p *Panel) Lens() (mode picture.Mode, opacity float64) { return p.lens.mode, p.lens.opacity }

// Peek hides all masks as long as it is held.
func (p *Panel) Peek(held bool) {
	if p.lens.held != held {
		p.lens.held = held
		p.repaint()
	}
}

// ShowStep shows a step of the film in view; -1 the picture, or the newest step while it runs.
func (p *Panel) ShowStep(step int) {
	p.host.Change(func(s *state.State) { s.View.Step = step })
}

// Nudge goes to another step of the film; past the last one is the picture, or the newest step while it runs.
func (p *Panel) Nudge(by int) {
	s := p.host.State()
	film, _ := s.Film()
	at := s.View.Step
	if at < 0 {
		at = len(film)
	}
	at += by
	switch {
	case len(film) == 0:
		return
	case at >= len(film):
		at = -1
	case at < 0:
		at = 0
	}
	p.ShowStep(at)
}

// zoomBy enlarges the picture around its middle; factor 0 changes between fit and 100 %.
func (p *Panel) zoomBy(factor float32) {
	s := p.pane
	switch {
	case factor != 0:
		s.zoom = s.zoom.by(factor, 0.5, 0.5, s.natural, s.room())
	case s.zoom.scale == 0:
		s.zoom = zoom{1, 0.5, 0.5}
	default:
		s.zoom = zoom{}
	}
	p.zoomed()
}

func (p *Panel) zoomed() {
	p.Refresh()
	p.FollowTools()
}

// Shows is what the stage shows: the picture with its masks, what is said of it, the film, and what is done and what is not.
func (p *Panel) Shows(s state.State) []any {
	look, plan := looks(s)
	film, _ := s.Film()
	shown := []any{
		max(p.seats, look.subjects), p.lens, p.contrast, p.pane.zoom, film, look, plan, s.View, s.Busy(),
		s.Shown() == nil, s.PictureSize(), s.Caption(),
		s.ActionErr, s.WordNames(look.subjects), done(s), s.History.Example, p.coach.offers(), p.ready(s),
	}
	if shot := s.Shot(); shot != nil {
		shown = append(shown, *shot)
	}
	if n := len(s.Shots); n > 0 {
		shown = append(shown, s.Shots[n-1].Image)
	}
	if p.host.Veil != nil {
		veil, masks := p.host.Veil()
		shown = append(shown, veil, masks)
	}
	return shown
}

// ready tells whether the empty stage may say that all is there for the first picture.
func (p *Panel) ready(s state.State) bool {
	return len(s.Shots) == 0 && !s.Busy() && done(s) == [3]bool{true, true, true} && len(s.Reasons()) == 0
}

// Refresh makes the stage equal to the state. The picture and the film are painted off this goroutine.
func (p *Panel) Refresh() {
	s := p.host.State()
	p.noteStep(s)
	p.repaint()
	p.repaintFilm()
	look, plan := looks(s)
	p.seats = max(p.seats, look.subjects)
	look.room = p.seats
	p.bar.show(plan)
	p.overlay.refresh(s)
	if p.film.show(look) {
		p.OnHeight()
	}
	p.coach.show(s, p.ready(s))
	p.example.show(s.History.Example)
	text, shot := s.Caption(), s.Shot()
	comparing := p.contrast.on && s.ActionErr == nil && shot != nil && s.Shown() == nil
	if comparing {
		text = p.comparison()
	}
	if key := p.host.Commands.KeyOf("view.back"); s.View.Step >= 0 && shot != nil && s.Shown() != nil && key != "" {
		text = i18n.T("%s · %s: back to the picture", text, key)
	}
	if z := p.pane.zoom.scale; z > 0 && text != "" {
		text += " · " + i18n.T("%.0f %%", 100*z)
	}
	if size := s.Form.Size(s.Model); p.pulled {
		text = i18n.T("The next picture is %d × %d: this one is pulled to its shape while you paint", size.X, size.Y)
	}
	p.info.SetText(text)
	p.info.Importance = widget.LowImportance
	lost := shot != nil && shot.SaveErr != nil && !errors.Is(shot.SaveErr, state.ErrStopped{}) && s.Caption() == wording.Sentence(shot.SaveErr)
	if s.ActionErr != nil || !comparing && lost {
		p.info.Importance = widget.DangerImportance
	}
	p.info.Refresh()
	p.Tools.Refresh()
	if h := p.Tools.MinSize().Height; h != p.high {
		p.high = h
		p.OnHeight()
	}
}

// noteStep has Esc lead from a step back to the picture.
func (p *Panel) noteStep(s state.State) {
	film, _ := s.Film()
	switch on := s.View.Step >= 0 && len(film) > 0; {
	case on && p.unstep == nil:
		p.unstep = p.host.Layers.Opened(func() {
			p.unstep = nil
			p.host.Change(func(s *state.State) { *s = s.Home() })
		})
	case !on && p.unstep != nil:
		p.unstep()
		p.unstep = nil
	}
}

// looks is what the film in view and the plan of the next run look like.
func looks(s state.State) (filmLook, barLook) {
	film, stop := s.Film()
	look := filmLook{settled: stop, done: len(film), shown: -1, calm: state.Settled(film).At, subjects: s.FilmSubjects(), dress: s.Dress()}
	if len(film) > 0 {
		look.places, look.first = film[0].Steps, film[0].Step
	}
	look.gone = s.Stepless()
	if step := s.Shown(); step != nil {
		look.shown = step.Step
	}
	plan := barLook{steps: s.Form.Steps, stop: s.Form.Stop, faster: s.Faster(), plain: len(s.Form.Subjects()) == 0}
	if look.calm >= 0 && look.places == plan.steps {
		plan.hint = look.calm + 1
	}
	return look, plan
}

// repaint paints the picture anew.
func (p *Panel) repaint() {
	var c scene
	s := p.host.State()
	step, shot := s.Shown(), s.Shot()
	switch {
	case step != nil && step.Preview != nil && (shot == nil || shot.Image == nil || step.Step+1 != step.Steps): // which is the picture
		c.base = step.Preview
	case shot != nil && shot.Image != nil:
		c.base = shot.Image
	case shot != nil && shot.Thumb != nil:
		c.base = shot.Thumb // until it is read
	case shot != nil:
	case s.Busy() && len(s.Shots) > 0 && s.Shots[len(s.Shots)-1].Image != nil:
		c.base = s.Shots[len(s.Shots)-1].Image // until the first step is there
	}
	var masks []picture.Layer
	if p.host.Veil != nil {
		c.veil, masks = p.host.Veil()
		p.painting = c.veil.Mask != nil
		if p.lens.held {
			c.veil = Veil{}
		}
	}
	if c.veil.Mask != nil {
		c.masks, c.mode, c.opacity = masks, min(p.lens.mode, picture.Outline), p.lens.opacity
		if c.base == nil {
			c.base = p.emptySheet(c.veil.Mask.Rect.Size())
		}
	} else if p.masksOn() {
		c.masks, c.mode, c.opacity = p.lens.over(s), p.lens.mode, p.lens.opacity
	}
	p.pulled = false
	if c.base != nil {
		if p.pane.natural = s.PictureSize(); p.pane.natural.X < 1 {
			p.pane.natural = c.base.Bounds().Size()
		}
		if p.pulled = c.veil.Mask != nil && unlike(p.pane.natural, c.veil.Mask.Rect.Size()); p.pulled {
			size := c.veil.Mask.Rect.Size()
			p.pane.natural.Y = max(p.pane.natural.X*size.Y/size.X, 1)
		}
		lies := p.pane.port()
		c.size, c.part, c.crisp = lies.size, lies.part, p.lens.crisp
		if s.Busy() && step != nil && s.View.Step < 0 && lies.part.Size() == lies.size && !c.crisp && c.veil.Mask == nil {
			c = c.half() // a preview has fewer pixels still, and is gone in a moment
		}
		if p.look(shot); p.contrast.on && step == nil && shot != nil {
			c.other, c.split = p.contrast.other.Image, p.contrast.split
		}
	}
	if key := c.key(); key != p.painted {
		p.painted = key
		p.painter.Set(c)
	}
}

// unlike tells whether two sizes have another shape.
func unlike(a, b image.Point) bool {
	wide, high := a.X*b.Y, b.X*a.Y
	return 50*max(wide, high) > 51*min(wide, high)
}

// emptySheet is what masks are painted on before there is a picture.
func (p *Panel) emptySheet(size image.Point) *image.Gray {
	if p.blank == nil || p.blank.Rect.Size() != size {
		p.blank = image.NewGray(image.Rectangle{Max: size})
		for i := range p.blank.Pix {
			p.blank.Pix[i] = 0x70
		}
	}
	return p.blank
}

// Repaint paints the picture anew: what the host's Veil answers has changed.
func (p *Panel) Repaint() { p.repaint() }

// Where is the place of the picture, as shares of it, under a place of the easel.
func (p *Panel) Where(at fyne.Position) picture.Point {
	lies, d := p.pane.port(), p.pane.density()
	corner, _ := p.pane.box()
	return picture.Point{
		X: (float32(lies.part.Min.X) + (at.X-corner.X)*d) / float32(max(lies.size.X, 1)),
		Y: (float32(lies.part.Min.Y) + (at.Y-corner.Y)*d) / float32(max(lies.size.Y, 1)),
	}
}

// At is the place of the easel over a place of the picture.
func (p *Panel) At(share picture.Point) fyne.Position {
	lies, d := p.pane.port(), p.pane.density()
	corner, _ := p.pane.box()
	return fyne.NewPos(corner.X+(share.X*float32(lies.size.X)-float32(lies.part.Min.X))/d,
		corner.Y+(share.Y*float32(lies.size.Y)-float32(lies.part.Min.Y))/d)
}

// Span is how large the whole picture is on the screen.
func (p *Panel) Span() fyne.Size {
	lies, d := p.pane.port(), p.pane.density()
	return fyne.NewSize(float32(lies.size.X)/d, float32(lies.size.Y)/d)
}

// Scroll zooms around the pointer.
func (p *Panel) Scroll(e *fyne.ScrollEvent) { p.pane.Scrolled(e) }

// Pan drags a picture that is zoomed.
func (p *Panel) Pan(dx, dy float32) {
	s, d := p.pane, p.pane.density()
	s.set(s.zoom.move(dx*d, dy*d, s.natural, s.room()))
}

// repaintFilm paints the film anew.
func (p *Panel) repaintFilm() {
	s := p.host.State()
	film, _ := s.Film()
	f := filmScene{steps: film, subjects: s.FilmSubjects(), dress: s.Dress(), settling: state.Settled(film), zoom: p.film.zoom}
	f.empty = theme.ColorForWidget(kit.ColorWell, p.film)
	f.faint, f.alarm = theme.ColorForWidget(theme.ColorNameDisabled, p.film), theme.ColorForWidget(theme.ColorNameFocus, p.film)
	if shot := s.Shot(); shot != nil && shot.Thumb != nil {
		f.last = shot.Thumb
	} else if shot != nil && shot.Image != nil {
		f.last = shot.Image
	}
	if len(film) > 0 {
		f.places = film[0].Steps
		f.width, f.scale = p.film.pixels()
	}
	if key := f.key(); key != p.filmed {
		p.filmed = key
		p.filmer.Set(f)
	}
}

// FileActions are the exports of the film in view.
func (p *Panel) FileActions() []command.Action {
	film := func() bool { _, ok := p.copyFilm(); return ok }
	return []command.Action{
		{
			ID: "file.export.steps", Menu: command.MenuFile, Label: i18n.T("Export all steps…"), Key: "Ctrl+Shift+E",
			Do: p.exportSteps, Can: func() bool { return p.host.OpenFolder != nil && film() },
		},
		{
			ID: "file.export.film", Menu: command.MenuFile, Label: i18n.T("Export the film…"), Key: "Ctrl+E",
			Do: p.exportFilm, Can: func() bool { return p.host.SaveFile != nil && film() },
		},
	}
}

// StepActions go through the film in view.
func (p *Panel) StepActions() []command.Action {
	can := func() bool { s := p.host.State(); film, _ := s.Film(); return len(film) > 0 }
	return []command.Action{
		{
			ID: "view.step.previous", Menu: command.MenuView, Label: i18n.T("Previous step"), Key: "Shift+Left",
			Do: func() { p.Nudge(-1) }, Can: can,
		},
		{
			ID: "view.step.next", Menu: command.MenuView, Label: i18n.T("Next step"), Key: "Shift+Right",
			Do: func() { p.Nudge(1) }, Can: can,
		},
	}
}

// MaskActions switch masks on and off; the first of them begins a new part of the menu.
func (p *Panel) MaskActions() []command.Action {
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.masks", Menu: command.MenuView, Label: i18n.T("Masks"),
			About: i18n.T("Lays the masks over the picture, or takes them away."), Key: "H",
			Do: func() { p.setMasks(!p.masksOn()) }, Can: p.masked, On: p.masksOn,
		},
		{ID: "view.masks.all", Label: i18n.T("Masks of all subjects"), Key: "0", Do: func() { p.soloMask(-1) }, Can: p.masked},
	}
}

// masked tells whether the film in view has masks.
func (p *Panel) masked() bool { return p.host.State().FilmSubjects() > 0 }

// ViewActions are what else is done with how the picture is seen.
func (p *Panel) ViewActions() []command.Action {
	pictured := func() bool { return p.pane.natural.X > 0 }
	list := []command.Action{
		{
			ID: "view.compare", Menu: command.MenuView, Label: i18n.T("Compare two pictures"),
			About: i18n.T("Puts another picture beside this one, with a split that can be dragged."), Key: "M",
			Do: p.compare, Can: p.canCompare, On: func() bool { return p.contrast.on },
		},
		{
			ID: "view.zoom.fit", Menu: command.MenuView, Label: i18n.T("Fit / 100 %%"),
			About: i18n.T("The whole picture, or its own pixels. The wheel zooms, too."), Key: "Z",
			Do: func() { p.zoomBy(0) }, Can: pictured, On: func() bool { return p.pane.zoom.scale > 0 },
		},
		{
			ID: "view.crisp", Menu: command.MenuView, Label: i18n.T("Sharp pixels"),
			About: i18n.T("Enlarged pixels stay squares instead of being smoothed."), Key: "X",
			Do: func() { p.lens.crisp = !p.lens.crisp; p.host.Refresh() }, Can: pictured, On: func() bool { return p.lens.crisp },
		},
		{
			ID: "view.zoom.in", Menu: command.MenuView, Label: i18n.T("Larger"), Key: "+",
			Do: func() { p.zoomBy(1.25) }, Can: pictured,
		},
		{
			ID: "view.zoom.out", Menu: command.MenuView, Label: i18n.T("Smaller"), Key: "-",
			Do: func() { p.zoomBy(0.8) }, Can: pictured,
		},
	}
	list = append(list, command.Action{
		ID: "help.film", Menu: command.MenuHelp, Label: i18n.T("What the film shows"), Do: p.showLegend,
	}, command.Action{
		ID: "view.film", Menu: command.MenuView, Label: i18n.T("Film of the steps"), Key: "Shift+F", Do: p.foldFilm,
		On: func() bool { return !p.Film.Hidden },
	})
	for i := range 4 {
		list = append(list, command.Action{
			ID: fmt.Sprint("view.masks.", i+1), Label: i18n.T("Mask of subject %s only", kit.SubjectLetter(i)), Key: fmt.Sprint(i + 1),
			Do:  func() { p.soloMask(i) },
			Can: func() bool { return p.masked() && strings.ContainsRune(string(p.host.State().Dress()), rune(i)) },
		})
	}
	return append(list,
		command.Action{
			ID: "view.live", Menu: command.MenuView, Label: i18n.T("Back to the running job"), Key: "L",
			Do: p.Watch, Can: func() bool { return p.host.State().Busy() }, On: func() bool { return p.host.State().Live() },
		},
		command.Action{
			ID: "view.compare.text", Menu: command.MenuView, Label: i18n.T("Compare with text-only"), Key: "Shift+C",
			Do: p.compareText, Can: p.canCompareText,
		},
		command.Action{
			ID: "view.compare.swap", Menu: command.MenuView, Label: i18n.T("Swap the compared pictures"), Key: "C",
			Do: p.swapCompared, Can: func() bool { return p.swappable() >= 0 },
		})
}
