package stage

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/i18n"
	"realword/ui/kit"
)

// Sizes is what the user has made of the room that the film and the thumbnails take. The zero Sizes is the usual one.
type Sizes struct {
	Film  Fold    `json:",omitempty"`
	Zoom  float32 `json:",omitempty"` // of the film's rows; 0: it grows with the window
	Thumb float32 `json:",omitempty"` // of the thumbnails; 0 is 1
}

// Fold tells whether something is seen.
type Fold string

const (
	Auto   Fold = ""       // where there is room for it
	Open   Fold = "open"   // also where the picture has to give way
	Closed Fold = "closed" // not at all
)

const leastFilm, mostFilm = 0.6, 4 // how large the rows of a film get

// lowWindow is the height of a window, in units that grow with the texts, below which the example's line gives way to its picture.
const lowWindow = 460

// zoomFor is how large a film's rows are in a window of a height.
func (s Sizes) zoomFor(height float32) float32 {
	if s.Zoom > 0 {
		return min(max(s.Zoom, leastFilm), mostFilm)
	}
	return kit.Growth(height)
}

// foldBar is the border over the film: it is dragged, and its button folds the film away.
type foldBar struct {
	body   *fyne.Container
	handle *kit.Handle
	button *kit.IconButton
	legend *kit.IconButton
	begin  float32 // zoom of the film when the drag began
	moved  float32 // since then; up is positive
}

func newFoldBar(p *Panel) *foldBar {
	f := &foldBar{handle: kit.NewHandle(true, i18n.T("Drag to make the film larger or smaller"))}
	f.button = kit.SmallButton("", theme.MenuDropDownIcon(), p.foldFilm)
	f.legend = kit.SmallButton(i18n.T("What the film shows"), theme.QuestionIcon(), p.showLegend)
	f.handle.Moved = func(by float32) {
		if f.begin == 0 {
			f.begin, f.moved = p.zoom(), 0
		}
		f.moved -= by
		rows := rowsOf(p.film.look.subjects, 1).height()
		zoom := f.begin + f.moved/max(rows, 1)
		s := p.host.Sizes()
		if s.Film, s.Zoom = Open, min(max(zoom, leastFilm), mostFilm); zoom < leastFilm/2 {
			s.Film, s.Zoom = Closed, f.begin
		}
		p.host.Resize(s, false)
	}
	f.handle.Ended = func() { f.begin = 0; p.host.Resize(p.host.Sizes(), true) }
	f.handle.Double = func() {
		s := p.host.Sizes()
		s.Film, s.Zoom = Auto, 0
		p.host.Resize(s, true)
	}
	f.body = container.New(kit.Fixed{Height: 22}, container.NewStack(f.handle, container.NewBorder(nil, nil,
		kit.NewRow(2, container.New(kit.Square{Side: 20}, f.button), container.New(kit.Square{Side: 20}, f.legend)), nil,
		container.New(kit.Inset{X: -4, Y: -6}, kit.Quiet(p.info)))))
	return f
}

// zoom is how large the film's rows are now.
func (p *Panel) zoom() float32 {
	return p.host.Sizes().zoomFor(p.height())
}

// height is that of the window.
func (p *Panel) height() float32 {
	if c := p.host.Layers.Canvas(); c != nil {
		return c.Size().Height
	}
	return 0
}

// Spare gives the film the room that is left over, or has it give back what is lacking: its rows get smaller, and where that does not
// suffice it is put away, unless the user wants it otherwise. It tells whether the user wants it in any case.
func (p *Panel) Spare(room float32) (wanted bool) {
	fold, zoom := p.host.Sizes().Film, p.zoom()
	away := fold == Closed
	if fold == Auto {
		if !p.Film.Hidden {
			room += p.Film.MinSize().Height + filmGap
		}
		zoom = p.film.fitting(room-filmGap-p.bar.MinSize().Height, zoom)
		away = zoom == 0
	}
	p.Film.Hidden = away
	icon, name := theme.MenuDropDownIcon(), i18n.T("Fold the film away")
	if p.Film.Hidden {
		icon, name = theme.MenuDropUpIcon(), i18n.T("Show the film")
	}
	if b := p.fold.button; b.Name != name || b.Icon != icon {
		b.Name = name
		b.SetIcon(icon)
	}
	if !away {
		p.film.resize(zoom)
	}
	return fold == Open
}

// FilmRoom is how much of a column the film takes now, and how much it takes at least where the user wants it: as small as it gets by
// itself, or as large as it was made.
func (p *Panel) FilmRoom() (now, least float32) {
	if p.Film.Visible() {
		now = p.Film.MinSize().Height + filmGap
	}
	fold := p.host.Sizes().Film
	if fold == Closed {
		return now, 0
	}
	zoom := p.zoom()
	if fold == Auto {
		zoom = min(leastRows(max(p.film.look.subjects, p.film.look.room)), zoom)
	}
	return now, filmGap + p.bar.MinSize().Height + p.film.height(zoom)
}

// foldFilm folds the film away, or shows it.
func (p *Panel) foldFilm() {
	s := p.host.Sizes()
	if s.Film = Closed; p.Film.Hidden {
		s.Film = Open
	}
	p.host.Resize(s, true)
}
