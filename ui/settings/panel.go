package settings

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wordbook"
	"realword/ui/wording"
)

// Panel is the panel on the right: what the method needs, and the run.
type Panel struct {
	host   Host
	Form   *fyne.Container   // above: what is asked for
	Page   *container.Scroll // on which it is
	Action *fyne.Container   // below: where the run stands, Generate

	Presets     map[string]*kit.Button
	own         *kit.Button // the user's presets
	presetNote  *kit.Line
	presetWhole string // what it says, in words
	shape       *shaper
	Steps, Stop *kit.Dial
	dials       map[string]*kit.Dial // of the knobs that have one, by label
	count       *kit.Dial
	Seed        *kit.Field
	keep        *kit.Check
	seedNote    *kit.Below
	shown       uint64 // seed that was put into the field last
	Negative    *kit.Field
	negative    *negative
	Book        *wordbook.Book
	More        *kit.Button
	moreBox     *fyne.Container
	advanced    *advanced
	LoRAs       *LoRAs
	Swift       *Swift

	progress  *widget.ProgressBar
	Status    *kit.Line
	Reasons   *widget.Label
	refused   string            // what somebody was told who wanted a picture; "": nobody
	why       fyne.CanvasObject // reasons on the screen
	Remedy    *kit.Button       // for the card lost
	Resume    *kit.Button       // the queue, while it is paused and nothing runs
	statusRow *fyne.Container   // around Status
	lost      int
	Generate  *kit.Button
	Halt      *kit.Button     // the running round; hidden before the first, disabled between others
	Head      *fyne.Container // the run in small, for the head of the window; hidden
	head      *head
	memory    *memoryLine
	model     *bundle.Manifest // that the panel shows
}

// mostPictures is how many pictures a job makes.
const mostPictures = 64

// New makes the panel; Refresh shows the state in it.
func New(h Host) *Panel {
	s := &Panel{host: h, Book: h.Book, Presets: map[string]*kit.Button{}, dials: map[string]*kit.Dial{}}
	whole := func(v float64) string { return strconv.Itoa(int(v)) }

	both := container.New(&kit.Flow{Gap: 4, Even: 2})
	for _, p := range []struct{ name, label, about string }{
		{"paper", i18n.T("Paper"), i18n.T("The settings that the paper describes.")},
		{"release", i18n.T("Release"), i18n.T("The settings of the released program, which differ from the paper's.")},
	} {
		b := kit.NewButton(p.label, func() {
			h.Change(func(st *state.State) { st.Form = st.Form.WithPreset(p.name, st.Model) })
		}).Explain(p.about)
		s.Presets[p.name] = b
		both.Add(b)
	}
	s.own, s.presetNote = s.newPresetButton(), kit.Caption("")
	s.Stop = kit.NewDial(i18n.T("Masks settle after (T_stop)"), 1, 25, 1, func(v float64) string { return i18n.T("step %d", int(v)) },
		func(v float64) { h.Change(func(st *state.State) { st.Form.Stop = int(v) }) }).
		Explain(i18n.T("After this step the masks stay as they are. Earlier is faster, later follows the words longer.") + " " + i18n.T("Above: the masks follow the words (blue), then stay (grey).")).
		Picture(kit.StopSketch)
	s.Steps = kit.NewDial(i18n.T("Steps"), 1, 60, 1, whole, func(v float64) {
		h.Change(func(st *state.State) { st.Form = st.Form.WithSteps(int(v), st.Model) })
	}).Explain(i18n.T("How many steps lead from noise to the picture: more are finer and take longer."))
	s.count = kit.NewDial(i18n.T("Pictures"), 1, mostPictures, 1, whole, func(v float64) { h.Change(func(st *state.State) { st.Form.Count = int(v) }) }).
		Explain(i18n.T("How many pictures a job makes, each from a seed of its own."))
	s.Seed = kit.NewField(h.Shortcut, false).Explain(i18n.T("The number that the noise begins with: the same seed and settings make the same picture again."))
	s.Seed.OnChanged, s.Seed.InForm = s.seedTyped, true
	s.seedNote = kit.NewBelow(theme.ColorNameError)
	dice := kit.SmallButton(i18n.T("New random seed"), theme.ViewRefreshIcon(),
		func() { h.Change(func(st *state.State) { st.Form.Seed, st.Form.Spent = state.DrawSeed(), false }) })
	s.keep = kit.NewCheck(i18n.T("Keep"), func(on bool) {
		if on != h.State().Form.KeepSeed {
			h.Change(func(st *state.State) { st.Form.KeepSeed = on })
		}
	}).Explain(i18n.T("Every job takes this seed; otherwise each draws a new one."))
	page := func() fyne.Scrollable { return s.Page }
	seed := kit.NewColumn(2, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("Seed"))),
		container.NewBorder(nil, nil, nil, kit.NewRow(0, dice, s.keep), kit.InPage(s.Seed, page)),
		container.New(kit.Inset{X: 4, Y: 0}, s.seedNote))

	again := func() { s.Form.Refresh() }
	s.advanced, s.LoRAs, s.shape = newAdvanced(h), newLoRAs(h, again), newShaper(h, page, again)
	s.Swift = newSwift(h, again)
	s.Negative = kit.NewField(h.Shortcut, true).Explain(i18n.T("What the picture should not show."))
	s.Negative.InForm = true
	s.Negative.OnChanged = func(text string) {
		if strings.TrimSpace(text) != strings.TrimSpace(h.State().Form.Negative) { // else it shows what the form says
			h.Change(func(st *state.State) { st.Form.Negative = cmp.Or(text, " ") })
		}
	}
	s.moreBox = kit.NewColumn(8)
	for _, k := range state.Knobs() {
		if k.Dial != nil {
			s.dials[k.Label] = kit.NewDial(k.Label, k.Dial.Low, k.Dial.High, k.Dial.Step,
				func(v float64) string { return i18n.Number(k.Dial.Shown, v) },
				func(v float64) { h.Change(func(st *state.State) { k.Dial.Turn(&st.Form.Settings, v) }) }).Explain(k.Dial.About)
			s.moreBox.Add(s.dials[k.Label].Container)
		}
	}
	s.negative = newNegative(h)
	s.moreBox.Add(kit.NewColumn(2,
		container.New(kit.Inset{X: 4, Y: 0}, container.NewBorder(nil, nil, kit.Caption(i18n.T("Negative prompt")), s.negative.tokens)),
		container.New(kit.Fixed{Height: 64}, kit.InPage(s.Negative, page)),
		s.negative.Cut, s.negative.marks, s.negative.help, s.negative.short, h.Book.Button()))
	s.moreBox.Add(s.advanced.box)
	s.moreBox.Hide()
	s.More = kit.NewButtonWithIcon(i18n.T("More"), theme.MenuDropDownIcon(), func() {
		s.moreBox.Hidden = !s.moreBox.Hidden
		s.Refresh()
		s.Form.Refresh()
	}).Explain(i18n.T("What is changed less often: guidance, negative prompt, size, sampler, where masks come from."))
	s.More.Importance, s.More.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	s.Form = kit.NewColumn(12,
		kit.NewColumn(4, both, container.New(kit.Inset{X: 4, Y: 0}, kit.Whole(s.presetNote, func() string { return s.presetWhole })),
			s.own), s.shape.box, s.Stop.Container, s.Steps.Container, s.count.Container, seed, s.Swift.box, s.LoRAs.box,
		s.More, s.moreBox)

	s.Page = kit.NewPage(s.Form)
	s.progress = widget.NewProgressBar()
	s.progress.TextFormatter = func() string { return "" }
	s.Status = kit.Caption("")
	s.statusRow = container.New(kit.Inset{X: 4, Y: 0}, kit.Whole(s.Status, nil))
	s.Reasons = widget.NewLabel("")
	s.Reasons.Wrapping, s.Reasons.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	s.Generate = kit.NewButton(i18n.T("Generate"), h.OnGenerate)
	s.Generate.Refused = h.OnGenerate
	s.Generate.Tip.Text = func() string {
		if reasons := h.State().Reasons(); len(reasons) > 0 {
			return strings.Join(reasons, "\n")
		}
		return i18n.T("Makes pictures with these settings, after the jobs already waiting.")
	}
	s.Halt = kit.NewButton(i18n.T("Stop"), h.OnStop).Explain(i18n.T("Stops the running job. The steps so far are kept."))
	s.Halt.Hide() // until the first job
	s.head = newHead(h)
	s.head.generate.Tip.Text = s.Generate.Tip.Text
	s.Head = s.head.row
	s.memory = newMemoryLine(h, func() { s.Action.Refresh() })
	s.why = kit.Quiet(s.Reasons)
	s.Remedy = kit.NewButton("", func() { h.OnMend(s.lost) }).Explain(i18n.T("The word of this subject is gone from the prompt: this one takes its place."))
	s.Remedy.Importance = widget.WarningImportance
	s.Resume = kit.NewButtonWithIcon(i18n.T("Resume the queue"), theme.MediaPlayIcon(), func() { h.OnResume() }).
		Explain(i18n.T("Jobs wait until you resume."))
	s.Resume.Hide()
	where := h.Where
	if where == nil {
		where = kit.NewColumn(0)
		where.Hide()
	}
	s.Action = kit.NewColumn(6, kit.NewCapped(5, s.why), s.Remedy, s.memory.box, s.statusRow,
		s.Resume, container.New(kit.Fixed{Height: 6}, s.progress),
		where, container.New(kit.Fixed{Height: 44}, container.NewBorder(nil, nil, nil, s.Halt, s.Generate)))
	return s
}

// noteSeed says under the field what is wrong with its text, or where the seeds of several pictures begin again.
func (s *Panel) noteSeed() {
	st := s.host.State()
	note, color := wording.Sentence(st.SeedErr), theme.ColorNameError
	if f := st.Form; note == "" && f.Seed+uint64(max(f.Count, 1)) > state.SeedLimit {
		note, color = i18n.T("After %d, seeds start again at 0.", uint64(state.SeedLimit-1)), theme.ColorNamePlaceHolder
	}
	if s.seedNote.Set(note, color) {
		s.Form.Refresh()
	}
}

func (s *Panel) seedTyped(text string) {
	text = strings.TrimSpace(text)
	seed, err := state.ParseSeed(text)
	now := s.host.State()
	typed := err == nil && text != "" && text != "-1" && seed != now.Form.Seed
	if typed {
		s.shown = seed // its text stays as it is being typed
	} else if err == nil && now.SeedErr == nil && text != "-1" {
		return // a field that is empty waits for what comes
	}
	s.host.Change(func(st *state.State) {
		switch st.SeedErr = err; {
		case typed:
			st.Form.Seed, st.Form.KeepSeed, st.Form.Spent = seed, true, false
		case text == "-1":
			st.Form.Seed, st.Form.KeepSeed, st.Form.Spent = seed, false, false
		}
	})
}

// Shows is what the knobs show, and what the memory depends on that the job will take.
func (s *Panel) Shows(st state.State) []any {
	f := st.Form
	var references []int
	for _, subject := range f.Subjects() {
		references = append(references, len(subject.References))
	}
	note := "" // γ is of the subjects
	if st.Model != nil {
		_, note = f.Note(st.Model)
	}
	return []any{
		note, f.Settings, f.Seed, f.KeepSeed, f.Count, f.Reading(st.Model, true), references, st.SeedErr,
		st.Model, s.host.Memory(), s.memory.tokens(st),
		s.host.LoRAs(), s.host.Presets(),
	}
}

// unsay takes away what was said of settings that were typed: a job has them, or they are those of another model.
func (s *Panel) unsay() {
	for _, d := range append(slices.Collect(maps.Values(s.dials)), s.Steps, s.Stop, s.count) {
		d.Unsay()
	}
	for _, r := range s.LoRAs.Rows {
		r.number.Unsay()
	}
	if s.shape.note.Color == theme.ColorNameWarning { // what is wrong or holds of the model stays
		s.shape.say("", theme.ColorNamePlaceHolder)
	}
}

// Refresh makes the knobs equal to the state.
func (s *Panel) Refresh() {
	st := s.host.State()
	if st.Model != s.model {
		s.model = st.Model
		s.unsay()
	}
	f := st.Form
	mine := s.mine()
	for name, b := range s.Presets {
		want := widget.MediumImportance
		if name == f.Preset && mine < 0 {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
	if m := st.Model; m != nil {
		var note string
		note, s.presetWhole = f.Note(m)
		s.presetNote.Set(note)
		s.shape.refresh()
		s.advanced.refresh()
	}
	if f.Steps > 0 {
		s.Steps.Set(float64(f.Steps))
		s.Stop.Limit(float64(f.Steps))
		s.Stop.Set(float64(f.Stop))
		for _, k := range state.Knobs() {
			if k.Dial != nil {
				s.dials[k.Label].Set(max(k.Dial.Low, *k.Dial.At(&f.Settings)))
			}
		}
	}
	s.count.Set(float64(f.Count))
	text := strings.TrimSpace(s.Seed.Text)
	// what is wrong stays to be mended
	if seed, err := state.ParseSeed(text); f.Seed != s.shown || text == "" || text == "-1" || err == nil && seed != f.Seed {
		s.shown = f.Seed
		s.host.Change(func(st *state.State) { st.SeedErr = nil })
		s.Seed.SetText(strconv.FormatUint(f.Seed, 10))
	}
	s.noteSeed()
	s.LoRAs.refresh()
	s.Swift.refresh()
	if s.keep.Checked != f.KeepSeed {
		s.keep.SetChecked(f.KeepSeed)
	}
	if avoided := strings.TrimSpace(f.Negative); strings.TrimSpace(s.Negative.Text) != avoided {
		s.Negative.Rewrite(avoided)
	}
	s.negative.refresh()
	icon := theme.MenuDropDownIcon()
	if !s.moreBox.Hidden {
		icon = theme.MenuDropUpIcon()
	}
	s.More.SetIcon(icon)
	s.memory.refresh()
}

// Refuse answers somebody who wants a picture that cannot be made yet: the reasons stand out until they are others.
func (s *Panel) Refuse() (reasons string) {
	s.refused = strings.Join(s.host.State().Reasons(), "\n")
	s.RefreshRun()
	return s.refused
}

// ShowsRun is what is shown of the run, or of why none can start.
func (s *Panel) ShowsRun(st state.State) []any {
	path := ""
	if shot := st.Shot(); shot != nil {
		path = shot.Path
	}
	run := st.Run()
	card, word := st.Lost()
	return []any{
		st.Reasons(), run.Phase, run.Moved, st.Failure(), st.ModelErr, path, card, word, st.Status(), run.Pass, run.Passes,
		st.Queue.Paused, st.Farm,
	}
}

// onTwoLines is a path with its file on a line of its own, whose ending is seen.
func onTwoLines(path string) string {
	return wording.Path(filepath.Dir(path)) + string(filepath.Separator) + "\n" + state.Shorten(filepath.Base(path), 32)
}

// RefreshRun shows where the run stands, or why none can start.
func (s *Panel) RefreshRun() {
	st := s.host.State()
	run, reasons, failure := st.Run(), st.Reasons(), st.Failure()
	importance := widget.LowImportance
	text := strings.Join(reasons, "\n")
	if refused := s.refused; refused != "" && refused != text {
		s.refused = ""
		s.host.OnRelieved(refused)
	}
	switch {
	case text != "" && s.refused == text && st.ModelErr == nil: // whatever became of the last job
		importance = widget.WarningImportance
	case st.Busy() && len(reasons) == 0:
		text, importance = run.Moved, widget.WarningImportance
	case failure != nil:
		text, importance = wording.Sentence(failure), widget.DangerImportance
	case st.ModelErr != nil:
		importance = widget.DangerImportance
	case text == "" && run.Moved != "":
		text, importance = run.Moved, widget.WarningImportance
	case text == "" && st.Shot() != nil && st.Shot().Path != "":
		text = i18n.T("Saved as %s", onTwoLines(st.Shot().Path))
	}
	if s.Reasons.Text != text || s.Reasons.Importance != importance {
		s.Reasons.Importance = importance
		s.Reasons.SetText(text)
	}
	if text == "" {
		s.why.Hide()
	} else {
		s.why.Show()
	}
	word := ""
	if s.lost, word = st.Lost(); word != "" && !st.Busy() {
		s.Remedy.SetText(i18n.T("Bind it to “%s”", state.Shorten(word, 16)))
		s.Remedy.Show()
	} else {
		s.Remedy.Hide()
	}
	s.Status.Set(st.Status())
	s.Status.Hidden = s.Status.Text == ""
	s.statusRow.Hidden = s.Status.Hidden
	s.Resume.Hidden = !st.Resting()
	s.progress.Hidden = !st.Busy()
	if run.Passes > 0 {
		s.progress.SetValue(float64(run.Pass) / float64(run.Passes))
	} else {
		s.progress.SetValue(0)
	}
	label, want := i18n.T("Generate"), widget.HighImportance
	if st.Busy() || st.Queue.Paused {
		label, want = i18n.T("Add to queue"), widget.MediumImportance
	}
	disabled := len(reasons) > 0
	s.Halt.Hidden = s.Halt.Hidden && !st.Busy() // it keeps its place: a late click there must not fall on Generate
	kit.Enable(s.Halt, run.Phase == state.Running)
	if s.Generate.Text != label || s.Generate.Importance != want {
		s.Generate.Importance = want
		s.Generate.SetText(label)
	}
	if disabled != s.Generate.Disabled() {
		if disabled {
			s.Generate.Disable()
		} else {
			s.Generate.Enable()
		}
	}
	s.Action.Refresh()
	s.head.follow(s)
}
