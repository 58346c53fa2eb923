package stage

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// live is the tile of the job that runs, under the thumbnails: the way back to it from whatever is looked at meanwhile.
type live struct {
	*kit.Tile
	image *canvas.Image
}

func newLive(side float32, key func() string, watch func()) *live {
	l := &live{image: canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))}
	l.image.ScaleMode, l.image.FillMode, l.image.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	name := kit.NewLine(i18n.T("Live"), theme.ColorNameForeground, theme.SizeNameCaptionText)
	name.Style.Bold, name.Align = true, fyne.TextAlignCenter
	l.Tile = kit.NewTile(i18n.T("Live"), 7, container.New(kit.Inset{X: 2, Y: 2}, kit.NewColumn(1,
		container.New(kit.Fixed{Width: side - 4, Height: side - 4}, l.image), name)), watch)
	l.ExplainWithCut(func() string {
		text := i18n.T("Back to the running job")
		if k := key(); k != "" {
			text += "   " + k
		}
		return text
	})
	l.Hide()
	return l
}

// show makes the tile equal to the state.
func (l *live) show(s state.State) {
	l.Choose(s.Live())
	if film := s.Run().Film; len(film) > 0 && film[len(film)-1].Preview != nil {
		if img := film[len(film)-1].Preview; l.image.Image != img {
			l.image.Image = img
			l.image.Refresh()
		}
	}
	if l.Hidden == s.Busy() {
		l.Hidden = !s.Busy()
		l.Refresh()
	}
}

// Watch shows the job that runs.
func (p *Panel) Watch() {
	p.host.Change(func(s *state.State) {
		if s.Busy() {
			s.View = state.View{Shot: -1, Step: -1}
		}
	})
}
