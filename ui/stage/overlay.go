package stage

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// lens is how masks lie over the picture on the stage.
type lens struct {
	mode     picture.Mode
	opacity  float64
	steps    bool   // masks are shown over the steps
	finished bool   // and over finished pictures
	off      uint64 // styles whose masks are not shown, by bit
	crisp    bool   // pixels stay squares when they are enlarged
	held     bool   // all are hidden as long as a button or Space is held
}

func newLens() lens { return lens{mode: picture.Tint, opacity: 0.45, steps: true} }

// shows tells whether masks in a style may be seen.
func (l lens) shows(style int) bool { return l.off>>(uint(style)%64)&1 == 0 }

// layersOf are the masks of a step that the lens lets through, in the styles of their subjects.
func (l lens) layersOf(step *inference.StepDone, d state.Dress) []picture.Layer {
	if step == nil || l.held {
		return nil
	}
	var layers []picture.Layer
	for i, s := range step.Subjects {
		if l.shows(d.Of(i)) && len(s.Mask) > 0 && len(s.Mask) == step.GridWidth*step.GridHeight {
			layers = append(layers, picture.Layer{
				Grid:  picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: s.Mask},
				Style: picture.SubjectStyle(d.Of(i)),
			})
		}
	}
	return layers
}

// heatOf are the scores of a step, of the subjects that the lens lets through.
func (l lens) heatOf(step *inference.StepDone, d state.Dress) []picture.Layer {
	if step == nil || l.held {
		return nil
	}
	var layers []picture.Layer
	for i, s := range step.Subjects {
		if l.shows(d.Of(i)) {
			layers = append(layers, picture.Layer{
				Grid:  picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: s.Scores},
				Style: picture.SubjectStyle(d.Of(i)),
			})
		}
	}
	return layers
}

// over is what lies over what is in view: the masks, or the scores that they come from.
func (l lens) over(s state.State) []picture.Layer {
	if l.mode == picture.Heat {
		step, _, _ := s.ScoredStep()
		return l.heatOf(step, s.Dress())
	}
	return l.layersOf(s.MaskStep(), s.Dress())
}

// masksOn tells whether masks lie over what is in view now.
func (p *Panel) masksOn() bool {
	if s := p.host.State(); s.Shown() != nil {
		return p.lens.steps
	}
	return p.lens.finished
}

// setMasks shows masks over what is in view, or hides them.
func (p *Panel) setMasks(on bool) {
	if s := p.host.State(); s.Shown() != nil {
		p.lens.steps = on
	} else {
		p.lens.finished = on
	}
	p.host.Refresh()
}

// toggleMask shows the mask of the subject in a style, or hides it.
func (p *Panel) toggleMask(style int) {
	p.lens.off ^= 1 << (uint(style) % 64)
	p.host.Refresh()
}

// soloMask shows the mask of the subject in a style only, or of all (-1).
func (p *Panel) soloMask(style int) {
	p.lens.off = 0
	if style >= 0 {
		p.lens.off = ^(uint64(1) << uint(style))
	}
	p.setMasks(true)
}

// overlayBar is the row under the stage with which masks are looked at.
type overlayBar struct {
	p       *Panel
	row     *fyne.Container
	seen    *command.ToolButton // whether masks are
	modes   []*kit.Pill
	legend  *fyne.Container
	opacity *kit.Slider
	scale   *fyne.Container // from low to high, of the heat
	marks   []*kit.Legend
	shown   []string // their words
	dress   state.Dress
}

func newOverlayBar(p *Panel) *overlayBar {
	o := &overlayBar{p: p, legend: kit.NewRow(4), seen: command.NewToolButton(p.host.Commands, "view.masks", theme.VisibilityIcon())}
	modes := kit.NewRow(4, container.New(kit.Square{Side: 26}, o.seen))
	about := [...]string{
		picture.Tint: i18n.T("Each mask is a tint of the picture, in the colour of its subject."), picture.Outline: i18n.T("Only the outlines of the masks are drawn."),
		picture.Cutout: i18n.T("Only what lies within the masks is seen."),
		picture.Heat:   i18n.T("How much each place attends to the word, before a mask is made of it"),
	}
	names := [...]string{
		picture.Tint: i18n.T("Tint"), picture.Outline: i18n.T("Outline"), picture.Cutout: i18n.T("Cut-out"), picture.Heat: i18n.T("Heat"),
	}
	for mode, name := range names {
		pill := kit.NewPill(name, func() {
			p.lens.mode = picture.Mode(mode)
			p.setMasks(true)
		})
		pill.Explain(func() string { return about[mode] })
		o.modes = append(o.modes, pill)
		modes.Add(pill.Tile)
	}
	o.scale = newScale()
	o.opacity = kit.NewSlider(0.1, 1)
	o.opacity.Explain(func() string { return i18n.T("How strongly the masks cover the picture.") })
	o.opacity.Step, o.opacity.Value = 0.05, p.lens.opacity
	o.opacity.OnChanged = func(v float64) { p.lens.opacity = v; p.repaint(); p.repaintFilm() }
	o.row = container.New(&kit.Flow{Gap: 8}, modes, o.scale, o.legend, kit.ShortTrack(o.opacity, fyne.NewSize(72, 26)))
	return o
}

// refresh makes the row equal to the state.
func (o *overlayBar) refresh(s state.State) {
	step, on := s.MaskStep(), o.p.masksOn()
	if o.row.Hidden = o.p.seats == 0 || o.p.painting; o.row.Hidden { // the brush has a row of its own
		return
	}
	subjects := 0
	if step != nil {
		subjects = len(step.Subjects)
	}
	o.seen.Follow()
	icon := theme.VisibilityOffIcon()
	if on {
		icon = theme.VisibilityIcon()
	}
	if o.seen.Icon.Name() != icon.Name() {
		o.seen.SetIcon(icon)
	}
	for mode, p := range o.modes {
		p.Choose(on && o.p.lens.mode == picture.Mode(mode))
	}
	scored, _, _ := s.ScoredStep()
	o.scale.Hidden = !on || o.p.lens.mode != picture.Heat || scored == nil
	words := s.WordNames(subjects)
	d := s.Dress()
	if !slices.Equal(words, o.shown) || o.dress != d {
		o.shown, o.dress = words, d
		o.legend.Objects, o.marks = nil, nil
		for i, word := range words {
			l := kit.NewLegend(d.Of(i), word, "", func() { o.p.toggleMask(d.Of(i)) })
			o.marks = append(o.marks, l)
			o.legend.Add(l.Tile)
		}
		o.legend.Refresh()
	}
	for i, l := range o.marks {
		l.Light(o.p.lens.shows(d.Of(i)))
	}
	o.row.Refresh()
}

// newScale is the legend of the heat: its colours between the words for its ends.
func newScale() *fyne.Container {
	ramp := image.NewRGBA(image.Rect(0, 0, 128, 1))
	for x := range 128 {
		ramp.SetRGBA(x, 0, picture.Warmth(float64(x)/127))
	}
	shown := canvas.NewImageFromImage(ramp)
	shown.FillMode, shown.CornerRadius = canvas.ImageFillStretch, 3
	return container.New(kit.Inset{X: 0, Y: 4}, kit.NewRow(5, kit.Caption(i18n.T("low")),
		container.New(kit.Fixed{Width: 64, Height: 10}, shown), kit.Caption(i18n.T("high"))))
}
