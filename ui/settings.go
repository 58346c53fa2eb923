package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// settings is the panel on the right: what the method needs, and the run.
type settings struct {
	w      *Window
	form   *fyne.Container
	action *fyne.Container

	presets          map[string]*kit.Button
	presetNote, size *kit.Line
	steps, stop      *kit.Dial
	dials            map[string]*kit.Dial // of the knobs that have one, by label
	count            *kit.Dial
	seed             *kit.Field
	keep             *kit.Check
	seedNote         *kit.Line
	shown            uint64 // seed that was put into the field last
	negative         *kit.Field
	more             *kit.Button
	moreBox          *fyne.Container
	advanced         *advanced

	progress *widget.ProgressBar
	status   *kit.Line
	reasons  *widget.Label
	why      fyne.CanvasObject // reasons on the screen
	remedy   *kit.Button       // for the card lost
	lost     int
	generate *kit.Button
	halt     *kit.Button // the running round
	queue    *queuePanel
	memory   *memoryLine
}

func newSettings(w *Window) *settings {
	s := &settings{w: w, presets: map[string]*kit.Button{}, dials: map[string]*kit.Dial{}}
	whole := func(v float64) string { return strconv.Itoa(int(v)) }

	both := container.NewGridWithColumns(2)
	for _, p := range []struct{ name, label string }{{"paper", i18n.T("Paper")}, {"release", i18n.T("Release")}} {
		b := kit.NewButton(p.label, func() {
			w.state.Form = w.state.Form.WithPreset(p.name, w.state.Model)
			w.refresh()
		})
		s.presets[p.name] = b
		both.Add(b)
	}
	s.presetNote, s.size = kit.Caption(""), kit.Caption("")
	s.stop = kit.NewDial(i18n.T("Masks settle after (T_stop)"), 1, 25, 1, func(v float64) string { return i18n.T("step %d", int(v)) },
		func(v float64) { w.state.Form.Stop = int(v); w.refresh() })
	s.steps = kit.NewDial(i18n.T("Steps"), 4, 60, 1, whole, func(v float64) {
		w.state.Form = w.state.Form.WithSteps(int(v), w.state.Model)
		w.refresh()
	})
	s.count = kit.NewDial(i18n.T("Pictures"), 1, 8, 1, whole, func(v float64) { w.state.Form.Count = int(v); w.refresh() })
	s.seed = kit.NewField(w.Shortcut, false)
	s.seed.OnChanged = s.seedTyped
	s.seedNote = kit.Caption("")
	s.seedNote.Hide()
	dice := kit.SmallButton(i18n.T("New random seed"), theme.ViewRefreshIcon(),
		func() { w.state.Form.Seed, w.state.Form.Spent = state.DrawSeed(), false; w.refresh() })
	s.keep = kit.NewCheck(i18n.T("Keep"), func(on bool) { w.state.Form.KeepSeed = on })
	seed := kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("Seed"))),
		container.NewBorder(nil, nil, nil, kit.NewRow(0, dice, s.keep), s.seed), s.seedNote)

	s.advanced = newAdvanced(w)
	s.negative = kit.NewField(w.Shortcut, true)
	s.negative.OnChanged = func(text string) { w.state.Form.Negative = cmp.Or(text, " "); w.subjects.SayIgnored() }
	s.moreBox = kit.NewColumn(8)
	for _, k := range state.Knobs() {
		if k.Dial != nil {
			s.dials[k.Label] = kit.NewDial(k.Label, k.Dial.Low, k.Dial.High, k.Dial.Step,
				func(v float64) string { return i18n.Number(k.Dial.Shown, v) },
				func(v float64) { *k.Dial.At(&w.state.Form.Settings) = v; w.refresh() })
			s.moreBox.Add(s.dials[k.Label].Container)
		}
	}
	s.moreBox.Add(kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("Negative prompt"))),
		container.New(kit.Fixed{Height: 64}, s.negative)))
	s.moreBox.Add(s.advanced.box)
	s.moreBox.Hide()
	s.more = kit.NewButtonWithIcon(i18n.T("More"), theme.MenuDropDownIcon(), func() {
		s.moreBox.Hidden = !s.moreBox.Hidden
		s.refresh()
		s.form.Refresh()
	})
	s.more.Importance, s.more.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	s.form = kit.NewColumn(12, container.New(kit.Fixed{Height: 24}, container.NewBorder(nil, nil, kit.Heading(i18n.T("Settings")), s.size)),
		kit.NewColumn(4, both, container.New(kit.Inset{X: 4, Y: 0}, s.presetNote),
			w.newPresetButton()), s.stop.Container, s.steps.Container, s.count.Container, seed, s.more, s.moreBox)

	s.progress = widget.NewProgressBar()
	s.progress.TextFormatter = func() string { return "" }
	s.status = kit.Caption("")
	s.reasons = widget.NewLabel("")
	s.reasons.Wrapping, s.reasons.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	s.generate = kit.NewButton(i18n.T("Generate"), w.generate)
	s.halt = kit.NewButton(i18n.T("Stop"), w.stop)
	s.queue = newQueuePanel(w)
	s.memory = newMemoryLine(w)
	s.why = kit.Quiet(s.reasons)
	s.remedy = kit.NewButton("", func() { w.subjects.Mend(s.lost) })
	s.remedy.Importance = widget.WarningImportance
	s.action = kit.NewColumn(6, kit.NewCapped(5, s.why), s.remedy, s.memory.box, container.New(kit.Inset{X: 4, Y: 0}, s.status),
		container.New(kit.Fixed{Height: 6}, s.progress),
		s.queue.box, container.New(kit.Fixed{Height: 44}, container.NewBorder(nil, nil, nil, s.halt, s.generate)))
	return s
}

// noteSeed says under the field what is wrong with its text, or where the seeds of several pictures begin again.
func (s *settings) noteSeed() {
	note, color := wording.Sentence(s.w.state.SeedErr), theme.ColorNameError
	if f := s.w.state.Form; note == "" && f.Seed+uint64(max(f.Count, 1)) > state.SeedLimit {
		note, color = i18n.T("After %d, seeds start again at 0.", uint64(state.SeedLimit-1)), theme.ColorNamePlaceHolder
	}
	s.seedNote.Hidden, s.seedNote.Color = note == "", color
	s.seedNote.Set(note)
}

func (s *settings) seedTyped(text string) {
	text = strings.TrimSpace(text)
	seed, err := parseSeed(text)
	before, f := s.w.state.SeedErr, &s.w.state.Form
	s.w.state.SeedErr = err
	switch {
	case err != nil || text == "" || seed == f.Seed:
	case text == "-1":
		f.Seed, f.KeepSeed, f.Spent = seed, false, false
	default:
		f.Seed, f.KeepSeed, f.Spent, s.shown = seed, true, false, seed
		s.keep.SetChecked(true)
	}
	if (err == nil) != (before == nil) || text == "-1" {
		s.w.refresh()
		return
	}
	s.noteSeed()
	s.form.Refresh()
}

// refresh makes the panel equal to the state.
func (s *settings) refresh() {
	st := &s.w.state
	f := st.Form
	for name, b := range s.presets {
		want := widget.MediumImportance
		if name == f.Preset {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
	if m := st.Model; m != nil {
		s.presetNote.Set(f.Note(m))
		size := f.Size(m)
		s.size.Set(fmt.Sprintf("%d × %d", size.X, size.Y))
		s.advanced.refresh()
	}
	if f.Steps > 0 {
		s.steps.Set(float64(f.Steps))
		s.stop.Limit(float64(f.Steps))
		s.stop.Set(float64(f.Stop))
		for _, k := range state.Knobs() {
			if k.Dial != nil {
				s.dials[k.Label].Set(*k.Dial.At(&f.Settings))
			}
		}
	}
	s.count.Set(float64(f.Count))
	text := strings.TrimSpace(s.seed.Text)
	// what is wrong stays to be mended
	if seed, err := parseSeed(text); f.Seed != s.shown || text == "" || text == "-1" || err == nil && seed != f.Seed {
		s.shown, s.w.state.SeedErr = f.Seed, nil
		s.seed.SetText(strconv.FormatUint(f.Seed, 10))
	}
	s.noteSeed()
	if s.keep.Checked != f.KeepSeed {
		s.keep.SetChecked(f.KeepSeed)
	}
	if avoided := strings.TrimSpace(f.Negative); strings.TrimSpace(s.negative.Text) != avoided {
		s.negative.SetText(avoided)
	}
	icon := theme.MenuDropDownIcon()
	if !s.moreBox.Hidden {
		icon = theme.MenuDropUpIcon()
	}
	s.more.SetIcon(icon)
	s.refreshRun()
}

// refreshRun shows where the run stands, or why none can start.
func (s *settings) refreshRun() {
	st := &s.w.state
	reasons := st.Reasons()
	importance := widget.LowImportance
	text := strings.Join(reasons, "\n")
	switch {
	case st.Busy() && len(reasons) == 0:
		text, importance = st.Run.Moved, widget.WarningImportance
	case st.Run.Err != nil:
		text, importance = wording.Sentence(st.Run.Err), widget.DangerImportance
	case st.ModelErr != nil:
		importance = widget.DangerImportance
	case text == "" && st.Run.Moved != "":
		text, importance = st.Run.Moved, widget.WarningImportance
	case text == "" && st.Shot() != nil && st.Shot().Path != "":
		text = i18n.T("Saved as %s", wording.Path(st.Shot().Path))
	}
	if s.reasons.Text != text || s.reasons.Importance != importance {
		s.reasons.Importance = importance
		s.reasons.SetText(text)
	}
	if text == "" {
		s.why.Hide()
	} else {
		s.why.Show()
	}
	word := ""
	if s.lost, word = st.Lost(); word != "" && !st.Busy() {
		s.remedy.SetText(i18n.T("Bind it to “%s”", state.Shorten(word, 16)))
		s.remedy.Show()
	} else {
		s.remedy.Hide()
	}
	s.status.Set(st.Run.Status())
	s.status.Hidden = s.status.Text == ""
	s.progress.Hidden = !st.Busy()
	if st.Run.Passes > 0 {
		s.progress.SetValue(float64(st.Run.Pass) / float64(st.Run.Passes))
	} else {
		s.progress.SetValue(0)
	}
	label, want := i18n.T("Generate"), widget.HighImportance
	if st.Busy() || st.Queue.Paused {
		label, want = i18n.T("Add to queue"), widget.MediumImportance
	}
	disabled := len(reasons) > 0
	s.halt.Hidden = !st.Busy()
	kit.Enable(s.halt, st.Run.Phase == state.Running)
	s.queue.refresh()
	s.memory.refresh()
	if s.generate.Text != label || s.generate.Importance != want {
		s.generate.Importance = want
		s.generate.SetText(label)
	}
	if disabled != s.generate.Disabled() {
		if disabled {
			s.generate.Disable()
		} else {
			s.generate.Enable()
		}
	}
	s.action.Refresh()
}
