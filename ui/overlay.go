package ui

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
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

func newLens() lens { return lens{mode: picture.Heat, opacity: 0.45, steps: true} }

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

// masksOn tells whether masks lie over what is in view now.
func (w *Window) masksOn() bool {
	if w.state.Shown() != nil {
		return w.lens.steps
	}
	return w.lens.finished
}

// setMasks shows masks over what is in view, or hides them.
func (w *Window) setMasks(on bool) {
	if w.state.Shown() != nil {
		w.lens.steps = on
	} else {
		w.lens.finished = on
	}
	w.refresh()
}

// toggleMask shows the mask of the subject in a style, or hides it.
func (w *Window) toggleMask(style int) {
	w.lens.off ^= 1 << (uint(style) % 64)
	w.refresh()
}

// soloMask shows the mask of the subject in a style only, or of all (-1).
func (w *Window) soloMask(style int) {
	w.lens.off = 0
	if style >= 0 {
		w.lens.off = ^(uint64(1) << uint(style))
	}
	w.setMasks(true)
}

// stageActions are what keys do on the stage.
func (w *Window) stageActions() []command.Action {
	some := func() bool { return w.state.FilmSubjects() > 0 }
	list := []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.masks", Menu: command.MenuView, Label: i18n.T("Masks"), Key: "H", Do: func() { w.setMasks(!w.masksOn()) }, Can: some,
			On: w.masksOn,
		},
		{ID: "view.masks.all", Label: i18n.T("Masks of all subjects"), Key: "0", Do: func() { w.soloMask(-1) }, Can: some},
		{
			ID: "view.inspect", Menu: command.MenuView, Label: i18n.T("Inspect masks"), Key: "K", Do: func() { w.inspectMasks(-1) },
			Can: w.canInspect, On: func() bool { return w.inspect.open },
		},
	}
	pictured := func() bool { return w.stage.natural.X > 0 }
	list = append(list,
		command.Action{
			ID: "view.compare", Menu: command.MenuView, Label: i18n.T("Compare two pictures"), Key: "M", Do: w.compare,
			Can: w.canCompare, On: func() bool { return w.contrast.on },
		},
		command.Action{
			ID: "view.zoom.fit", Menu: command.MenuView, Label: i18n.T("Fit / 100 %%"), Key: "Z", Do: func() { w.zoomBy(0) },
			Can: pictured, On: func() bool { return w.stage.zoom.scale > 0 },
		},
		command.Action{
			ID: "view.crisp", Menu: command.MenuView, Label: i18n.T("Sharp pixels"), Key: "X",
			Do: func() { w.lens.crisp = !w.lens.crisp; w.refresh() }, Can: pictured, On: func() bool { return w.lens.crisp },
		},
		command.Action{
			ID: "view.zoom.in", Menu: command.MenuView, Label: i18n.T("Larger"), Key: "+", Do: func() { w.zoomBy(1.25) },
			Can: pictured,
		},
		command.Action{
			ID: "view.zoom.out", Menu: command.MenuView, Label: i18n.T("Smaller"), Key: "-", Do: func() { w.zoomBy(0.8) },
			Can: pictured,
		})
	for i := range 4 {
		list = append(list, command.Action{
			ID: fmt.Sprint("view.masks.", i+1), Label: i18n.T("Mask of subject %s only", kit.SubjectLetter(i)),
			Key: fmt.Sprint(i + 1),
			Do:  func() { w.soloMask(i) }, Can: func() bool { return some() && strings.ContainsRune(string(w.state.Dress()), rune(i)) },
		})
	}
	return list
}

// overlayBar is the row under the stage with which masks are looked at.
type overlayBar struct {
	w       *Window
	row     *fyne.Container
	seen    *command.ToolButton // whether masks are
	modes   []*kit.Pill
	legend  *fyne.Container
	opacity *kit.Slider
	marks   []*kit.Legend
	shown   []string // their words
	dress   state.Dress
}

func newOverlayBar(w *Window) *overlayBar {
	o := &overlayBar{w: w, legend: kit.NewRow(4), seen: command.NewToolButton(w.Commands, "view.masks", theme.VisibilityIcon())}
	modes := kit.NewRow(4, container.New(kit.Square{Side: 26}, o.seen))
	for mode, name := range [...]string{picture.Heat: i18n.T("Tint"), picture.Outline: i18n.T("Outline"), picture.Cutout: i18n.T("Cut-out")} {
		p := kit.NewPill(name, func() {
			w.lens.mode = picture.Mode(mode)
			w.setMasks(true)
		})
		o.modes = append(o.modes, p)
		modes.Add(p.Tile)
	}
	o.opacity = kit.NewSlider(0.1, 1)
	o.opacity.Step, o.opacity.Value = 0.05, w.lens.opacity
	o.opacity.OnChanged = func(v float64) { w.lens.opacity = v; w.repaint(); w.repaintFilm() }
	o.row = container.New(&kit.Flow{Gap: 8}, modes, o.legend, container.New(&sliderSize{}, kit.Track(o.opacity)))
	return o
}

// refresh makes the row equal to the state.
func (o *overlayBar) refresh() {
	step, on := o.w.state.MaskStep(), o.w.masksOn()
	if o.row.Hidden = step == nil || len(step.Subjects) == 0; o.row.Hidden {
		return
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
		p.Choose(on && o.w.lens.mode == picture.Mode(mode))
	}
	words := o.w.state.WordNames(len(step.Subjects))
	d := o.w.state.Dress()
	if !slices.Equal(words, o.shown) || o.dress != d {
		o.shown, o.dress = words, d
		o.legend.Objects, o.marks = nil, nil
		for i, word := range words {
			l := kit.NewLegend(d.Of(i), word, "", func() { o.w.toggleMask(d.Of(i)) })
			o.marks = append(o.marks, l)
			o.legend.Add(l.Tile)
		}
		o.legend.Refresh()
	}
	for i, l := range o.marks {
		l.Light(o.w.lens.shows(d.Of(i)))
	}
	o.row.Refresh()
}

// sliderSize is the size of a short slider in a row.
type sliderSize struct{ kit.Square }

func (sliderSize) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(60+12*max(kit.TextScale(), 1), 26*max(kit.TextScale(), 1))
}
