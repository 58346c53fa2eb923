package settings

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/lora"
	"realword/inference/memory"
	"realword/inference/prompt"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
	"realword/ui/wordbook"
)

// room is the panel in a house of its own.
type room struct {
	*roomtest.House
	*Panel
	own    state.OwnPresets
	done   []state.Deed
	teller MemoryTeller // nil: none
	asked  int          // for a run
	mended []int

	library *lora.Library
	fitter  LoRATeller // nil: none
	file    string     // what the user chooses
	said    []string
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{House: roomtest.New(t), library: lora.NewLibrary(filepath.Join(t.TempDir(), "loras"))}
	m := *uitest.Toybox
	m.Size.Min, m.Size.Max, m.Size.Multiple = 64, 256, 16
	r.State.Model = &m
	r.State.Form = r.State.Form.WithPreset("paper", &m)
	r.State.Form.Prompt = "a dog"
	words, err := prompt.Load(os.DirFS("../../assets/golden/data/tiny/tokenizer"))
	if err != nil {
		t.Fatal(err)
	}
	r.Panel = New(Host{
		State: r.Now, Change: r.Change,
		Shortcut: func(fyne.Shortcut) bool { return false }, Layers: &r.Layers, Background: r.Background,
		Presets: func() state.OwnPresets { return r.own }, SavePresets: func(l state.OwnPresets) { r.own = l },
		Done:   func(text, back string, d state.Deed) { r.said, r.done = append(r.said, text, back), append(r.done, d) },
		Memory: func() MemoryTeller { return r.teller },
		LoRAs:  func() LoRATeller { return r.fitter }, Library: r.library, OpenLoRA: func() (string, error) { return r.file, nil },
		Say:    func(text string, bad bool) { r.said = append(r.said, text) },
		Encode: func(text string, how prompt.Reading) *prompt.Prompt { return words.Read(text, how) },
		Book: wordbook.New(wordbook.Host{
			State: r.Now, Change: r.Change, Words: state.PlainWords, Kept: fyne.CurrentApp().Preferences(), Layers: &r.Layers,
			Shortcut: func(fyne.Shortcut) bool { return false },
		}),
		OnGenerate: func() { r.asked++ }, OnStop: func() {}, OnResume: func() {}, OnMend: func(card int) { r.mended = append(r.mended, card) },
		OnRelieved: func(string) {},
	})
	r.Move(container.NewBorder(nil, r.Action, nil, nil, r.Form), func() []command.Action { return nil }, func() { r.Panel.Refresh(); r.RefreshRun() }, func() bool { return false })
	return r
}

func (r *room) form() state.Form { return r.State.Form }

// TestWhatBecameOfANumberIsSaidUntilAJobHasIt, or another model is open: not one that was asked for before, and begins then.
func TestWhatBecameOfANumberIsSaidUntilAJobHasIt(t *testing.T) {
	r := newRoom(t)
	for name, next := range map[string]func(){
		"a job": func() { r.Before(func() {}) },
		"a model": func() {
			r.Change(func(s *state.State) {
				m := *s.Model
				s.Model = &m
			})
		},
	} {
		r.Win.Canvas().Focus(r.Steps.Slider)
		r.Steps.Slider.TypedRune('9')
		test.Type(r.Win.Canvas().Focused(), "99")
		r.Win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		r.Win.Canvas().Focus(r.shape.sides[0])
		r.shape.sides[0].SetText("99999")
		r.Win.Canvas().Unfocus()
		if r.Settle(); r.Steps.Remark() != "999 becomes 60 (1 to 60)" || r.shape.note.Hidden {
			t.Errorf("of what was typed it says %q, of the size %q", r.Steps.Remark(), r.shape.note.Text)
		}
		r.Change(func(s *state.State) { *s = s.Begin(state.Task{}, 1, 2) })
		if r.Settle(); r.Steps.Remark() == "" || r.shape.note.Hidden {
			t.Errorf("with an earlier job it says %q, of the size %q", r.Steps.Remark(), r.shape.note.Text)
		}
		next()
		if r.Settle(); r.Steps.Remark() != "" || r.shape.note.Visible() {
			t.Errorf("after %s it says %q still, of the size %q", name, r.Steps.Remark(), r.shape.note.Text)
		}
		r.Steps.Slider.SetValue(20)
	}
}

func TestAdvancedKnobs(t *testing.T) {
	r := newRoom(t)
	a := r.advanced
	r.More.OnTapped()
	if a.sampler.Selected != "DDIM" || !a.divide.Checked {
		t.Fatalf("%q, %v", a.sampler.Selected, a.divide.Checked)
	}
	a.sampler.SetSelected("DPM++")
	a.source.SetSelected("All cross maps")
	test.Tap(a.divide)
	if q := r.form().Request(); q.Sampler != "dpm++" || q.MaskSource != "all_cross" || !q.RawMask {
		t.Errorf("asked for %+v", q)
	}
	if !strings.HasPrefix(r.presetNote.Text, "DPM++") || !strings.Contains(r.presetNote.Text, "masks not normalised") {
		t.Errorf("the line under the presets says %q", r.presetNote.Text)
	}
	a.sampler.SetSelected("DDIM")
	if r.form().Sampler != "" {
		t.Error("the preset's own sampler is a wish")
	}
	own := r.form().Own("mine")
	if !r.form().IsOwn(own) || own.MaskSource != "all_cross" {
		t.Errorf("an own preset keeps %+v", own)
	}
	test.Tap(r.Presets["release"])
	if f := r.form(); f.MaskSource != "" || f.RawMask || a.sampler.Selected != "DPM++" || !a.divide.Checked {
		t.Errorf("after another preset: %+v, shown %q", f.Settings, a.sampler.Selected)
	}
}

// TestLayerByLayer is asked for, and goes with a recipe.
func TestLayerByLayer(t *testing.T) {
	r := newRoom(t)
	a := r.advanced
	r.More.OnTapped()
	if !a.layers.Visible() {
		t.Fatal("not offered")
	}
	test.Tap(a.divide) // off
	test.Tap(a.layers)
	if q := r.form().Request(); q.MaskNorm != "min_max_per_channel" || q.RawMask || !a.divide.Checked || !strings.Contains(r.presetNote.Text, "layer by layer") {
		t.Errorf("%+v, %q", q, r.presetNote.Text)
	}
	past := state.Past{Recipe: recipe.Recipe{Request: r.form().Request()}}
	if f := (state.Form{Settings: inference.Settings{Preset: "paper"}}).Settle(uitest.Toybox).Take(past, state.AllParts, uitest.Toybox); f.MaskNorm == "" {
		t.Error("a recipe does not bring it back")
	}
	test.Tap(a.divide)
	if f := r.form(); f.MaskNorm != "" || !f.RawMask {
		t.Errorf("%+v", f.Settings)
	}
}

func TestDialsAndNegativePrompt(t *testing.T) {
	r := newRoom(t)
	r.Steps.Slider.OnChanged(10)
	r.Stop.Slider.OnChanged(4)
	r.count.Slider.OnChanged(3)
	if f := r.form(); f.Steps != 10 || f.Stop != 4 || f.Count != 3 {
		t.Errorf("%d steps, masks settle after %d, %d pictures", f.Steps, f.Stop, f.Count)
	}
	r.Steps.Slider.OnChanged(3)
	if f := r.form(); f.Stop > 3 || r.Stop.Slider.Max != 3 {
		t.Errorf("masks settle after step %d of 3, the slider goes to %g", f.Stop, r.Stop.Slider.Max)
	}
	r.Negative.SetText("rain")
	if r.form().Negative != "rain" {
		t.Errorf("negative prompt %q", r.form().Negative)
	}
	r.Negative.SetText("")
	if q := r.form().Request(); strings.TrimSpace(q.Negative) != "" || q.Negative == "" {
		t.Errorf("a negative prompt that was taken out is the preset's again: %q", q.Negative)
	}
}

func TestKeptSeedStays(t *testing.T) {
	r := newRoom(t)
	r.Seed.SetText("41")
	if !r.form().KeepSeed || r.form().Seed != 41 || !r.keep.Checked {
		t.Fatalf("seed %d kept %v", r.form().Seed, r.form().KeepSeed)
	}
	r.Seed.SetText("a lot")
	r.House.Refresh()
	if r.seedNote.Hidden || r.form().Seed != 41 || r.Seed.Text != "a lot" || len(r.State.Reasons()) != 1 {
		t.Error("a bad seed must be named, change nothing, and stay to be mended")
	}
	r.Seed.SetText("99999999999999999999")
	r.Seed.SetText("-1")
	drawn := r.form().Seed
	if drawn == 41 || r.form().KeepSeed || r.Seed.Text != strconv.FormatUint(drawn, 10) || r.State.Reasons() != nil {
		t.Errorf("-1 draws a seed: %d kept %v, %q", drawn, r.form().KeepSeed, r.Seed.Text)
	}
	r.Seed.SetText("4294967295")
	r.State.Form.Count = 2
	r.House.Refresh()
	if r.seedNote.Hidden || !strings.Contains(r.seedNote.Text, "start again at 0") || r.State.Reasons() != nil {
		t.Errorf("seeds that begin again are not said: %q", r.seedNote.Text)
	}
	r.State.Form.Count = 1
	r.Seed.SetText("41")
	if r.House.Refresh(); !r.seedNote.Hidden {
		t.Errorf("a good seed has the note %q", r.seedNote.Text)
	}
}

// What is wrong with a field is all said below it, in as many lines as it takes, and begins where the caption above it begins.
func TestWhatIsWrongIsAllSaid(t *testing.T) {
	r := newRoom(t)
	r.Win.Resize(fyne.NewSize(230, 700))
	r.Seed.SetText("a lot")
	r.shape.sides[0].SetText("wide")
	r.House.Refresh()
	for text, note := range map[string]fyne.CanvasObject{r.seedNote.Text: r.seedNote, r.shape.note.Text: r.shape.note} {
		need := fyne.MeasureText(text, theme.Size(theme.SizeNameCaptionText), fyne.TextStyle{})
		if room := note.Size(); text == "" || need.Width > room.Width && room.Height < 1.5*need.Height {
			t.Errorf("“%s” needs %g units, and has %v", text, need.Width, room)
		}
		if d := fyne.CurrentApp().Driver(); d.AbsolutePositionForObject(note).X != d.AbsolutePositionForObject(r.Swift.box).X+4 {
			t.Errorf("“%s” begins at %g", text, d.AbsolutePositionForObject(note).X)
		}
	}
}

// TestWhereTheRunStands shows every situation of the lower part.
func TestWhereTheRunStands(t *testing.T) {
	r := newRoom(t)
	show := r.Change
	if r.Generate.Disabled() || r.Generate.Text != "Generate" || r.Halt.Visible() || r.why.Visible() || r.progress.Visible() {
		t.Error("a form that is complete")
	}
	test.Tap(r.Generate)
	if r.asked != 1 {
		t.Errorf("Generate was pressed once, and said %d times", r.asked)
	}
	show(func(s *state.State) {
		s.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running, Pass: 3, Passes: 12}}}
	})
	if r.Generate.Text != "Add to queue" || !r.Halt.Visible() || r.Halt.Disabled() || r.progress.Value != .25 {
		t.Errorf("running: %q, %g", r.Generate.Text, r.progress.Value)
	}
	show(func(s *state.State) { s.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Stopping}}} })
	if !r.Halt.Disabled() || r.Status.Text != "Stopping…" {
		t.Errorf("stopping: %q", r.Status.Text)
	}
	at, size := r.Generate.Position(), r.Generate.Size()
	show(func(s *state.State) { s.Queue.Flights = nil })
	r.Action.Layout.Layout(r.Action.Objects, r.Action.Size())
	if !r.Halt.Visible() || !r.Halt.Disabled() || r.Generate.Position() != at || r.Generate.Size() != size {
		t.Errorf("when the last job has ended, Stop is visible %v, disabled %v, and Generate is at %v", r.Halt.Visible(), r.Halt.Disabled(), r.Generate.Position())
	}
	show(func(s *state.State) { s.Form.Prompt = "" })
	if !r.Generate.Disabled() || !r.why.Visible() || r.Reasons.Text == "" {
		t.Errorf("without a prompt: %q", r.Reasons.Text)
	}
	show(func(s *state.State) {
		s.Form.Prompt = "a doggy"
		s.Words = state.PlainWords(s.Form.Prompt)
		s.Form.Cards = []state.Card{{ID: 7, Word: inference.Word{Text: "dog", Occurrence: 1}}}
	})
	if id, word := r.State.Lost(); word == "" || !r.Remedy.Visible() || !strings.Contains(r.Remedy.Text, word) {
		t.Errorf("a word that is gone: %d, %q; the remedy says %q", id, word, r.Remedy.Text)
	}
	test.Tap(r.Remedy)
	if !slices.Equal(r.mended, []int{7}) {
		t.Errorf("mended %d", r.mended)
	}
}

// plans says of every run what is put in.
type plans struct {
	asked atomic.Int64
	plan  func(r inference.Request) memory.Plan
}

func (e *plans) Memory(r inference.Request) (memory.Plan, bool) {
	e.asked.Add(1)
	return e.plan(r), true
}

func TestMemoryIsShownBeforeARun(t *testing.T) {
	const gb = 1e9
	e := &plans{plan: func(r inference.Request) memory.Plan {
		p := memory.Plan{Peak: 6.2 * gb, Available: 16 * gb, Verdict: memory.Fits}
		switch r.Width {
		case 256:
			p = memory.Plan{Peak: 20 * gb, Available: 16 * gb, Verdict: memory.TooLarge, Remedies: []memory.Remedy{{Width: 64, Height: 64, Peak: 9 * gb}}}
		case 192:
			p.Verdict = memory.Tight
		case 64:
			p.Peak = gb / 10
		}
		if r.LoRAs != "" {
			p.Stages = []memory.Use{{Stage: "text", LoRAs: 0.5 * gb}}
		}
		return p
	}}
	r := newRoom(t)
	r.teller = e
	line := r.memory
	wanted := func(width int, text string, c widget.Importance) {
		t.Helper()
		r.State.Form.Width, r.State.Form.Height = width, width
		r.House.Refresh()
		r.Settle()
		if line.box.Hidden != (text == "") || text != "" && (line.text.Text != text || line.text.Importance != c) {
			t.Errorf("at %d pixels: hidden %t, %q in %d", width, line.box.Hidden, line.text.Text, line.text.Importance)
		}
	}
	wanted(128, "Memory: about 6.2 GB of 16.0 GB, fits", widget.LowImportance)
	wanted(192, "Memory: about 6.2 GB of 16.0 GB, tight", widget.WarningImportance)
	wanted(64, "", 0)
	// It follows the LoRAs, whose share it says.
	r.State.Form.LoRAs = "<lora:style:1>"
	wanted(128, "Memory: about 6.2 GB of 16.0 GB, fits\n500.0 MB of it for LoRAs", widget.LowImportance)
	r.State.Form.LoRAs = ""
	wanted(256, "Memory: about 20.0 GB of 16.0 GB, will not fit", widget.DangerImportance)
	n := e.asked.Load()
	r.House.Refresh()
	r.Settle()
	if e.asked.Load() != n {
		t.Error("it is computed again although nothing has changed")
	}
	// It follows how many chunks the prompts have.
	chunks := *r.State.Model
	chunks.Text.Chunks = true
	r.State.Model = &chunks
	r.House.Refresh()
	r.Settle()
	long := strings.Repeat("a dog ", 60)
	for _, text := range []*string{&r.State.Form.Prompt, &r.State.Form.Negative} {
		was := *text
		for _, now := range []string{long, was} {
			n = e.asked.Load()
			*text = now
			r.House.Refresh()
			r.Settle()
			if e.asked.Load() != n+1 {
				t.Errorf("prompts of %d and %d letters: asked %d times", len(r.State.Form.Prompt), len(r.State.Form.Negative), e.asked.Load()-n)
			}
		}
	}
	ran := 0
	r.Before(func() { ran++ })
	if ran != 0 || r.Layers.Open() != 1 {
		t.Error("it was not asked before")
	}
	r.Layers.Back()
	for _, o := range line.box.Objects {
		if button, ok := o.(*kit.Button); ok {
			test.Tap(button)
		}
	}
	r.Settle()
	if f := r.form(); f.Size(r.State.Model).X != 64 || !line.box.Hidden {
		t.Errorf("after the remedy it is %v and still warns", f.Size(r.State.Model))
	}
	r.Before(func() { ran++ })
	if ran != 1 {
		t.Error("a run that fits is asked for")
	}
}

// Where what OpenVINO compiles has no room, the plan is of another way, and the line says so, however little that takes.
func TestMemoryOfAnotherWay(t *testing.T) {
	r := newRoom(t)
	r.teller = &plans{plan: func(inference.Request) memory.Plan {
		return memory.Plan{Peak: 1e8, Available: 16e9, Verdict: memory.Fits, Without: "OpenVINO"}
	}}
	r.House.Refresh()
	r.Settle()
	const want = "Memory: about 100.0 MB of 16.0 GB, fits\nOpenVINO has not enough memory for this model, so the CPU computes it in its usual way."
	if r.memory.box.Hidden || r.memory.text.Text != want {
		t.Errorf("hidden %t, %q", r.memory.box.Hidden, r.memory.text.Text)
	}
}

// TestMemoryOfACard: the line says that it is the card's, warns, and asks nothing before a run, because it is an estimate.
func TestMemoryOfACard(t *testing.T) {
	const gb = 1e9
	e := &plans{plan: func(r inference.Request) memory.Plan {
		p := memory.Plan{Device: "CUDA", Peak: 6.2 * gb, Available: 16 * gb, Verdict: memory.Fits}
		switch r.Width {
		case 256:
			p.Peak, p.Verdict, p.Remedies = 20*gb, memory.Doubtful, []memory.Remedy{{Width: 64, Height: 64, Peak: 9 * gb}}
		case 192:
			p.Verdict = memory.Tight
		case 160:
			p.Verdict, p.Available = memory.Unknown, 0
		case 96:
			p.Verdict, p.Available, p.Peak = memory.Unknown, 0, 1.4*gb
		case 64:
			p.Peak = 1.4 * gb
		}
		return p
	}}
	r := newRoom(t)
	r.teller = e
	line := r.memory
	show := func(width int) {
		r.State.Form.Width, r.State.Form.Height = width, width
		r.House.Refresh()
		r.Settle()
	}
	for width, want := range map[int]struct {
		text       string
		importance widget.Importance
	}{
		128: {"Graphics card: about 6.2 GB of 16.0 GB, fits", widget.LowImportance},
		192: {"Graphics card: about 6.2 GB of 16.0 GB, tight", widget.WarningImportance},
		160: {"Graphics card: about 6.2 GB needed", widget.LowImportance},
		256: {"Graphics card: about 20.0 GB of 16.0 GB, may not fit\nIf its memory runs out, the CPU goes on.", widget.WarningImportance},
		96:  {}, 64: {},
	} {
		if show(width); line.box.Hidden != (want.text == "") || want.text != "" && (line.text.Text != want.text || line.text.Importance != want.importance) {
			t.Errorf("at %d pixels: hidden %t, %q in %d", width, line.box.Hidden, line.text.Text, line.text.Importance)
		}
	}
	show(256)
	ran := 0
	if r.Before(func() { ran++ }); ran != 1 || r.Layers.Open() != 0 {
		t.Error("an estimate holds up a run")
	}
	for _, o := range line.box.Objects {
		if button, ok := o.(*kit.Button); ok {
			test.Tap(button)
		}
	}
	if r.Settle(); r.form().Size(r.State.Model).X != 64 {
		t.Errorf("after the remedy it is %v", r.form().Size(r.State.Model))
	}
}

func TestFewerPicturesAsARemedy(t *testing.T) {
	r := newRoom(t)
	for id := range 3 {
		r.State.Form.Cards = append(r.State.Form.Cards, state.Card{ID: 100 + id, Word: inference.Word{Text: "dog", Occurrence: 1}})
	}
	before := r.form()
	r.Panel.memory.apply(memory.Remedy{References: 1, Width: 128, Height: 128})
	off := func(f state.Form) (n int) {
		for _, c := range f.Cards {
			if c.Off {
				n++
			}
		}
		return n
	}
	if off(r.form()) != 2 || off(before) != 0 {
		t.Errorf("%d of 3 pictures are left out, wanted 2; of the form before, which undo keeps, %d", off(r.form()), off(before))
	}
}

// item is the entry of the presets' menu that begins with a text.
func (r *room) item(t *testing.T, begins string) *fyne.MenuItem {
	t.Helper()
	for _, i := range r.presetItems() {
		if strings.HasPrefix(i.Label, begins) {
			return i
		}
	}
	t.Fatalf("no entry %q", begins)
	return nil
}

func TestOwnPresetsAreTakenOverAndDeleted(t *testing.T) {
	r := newRoom(t)
	f := r.form().WithPreset("release", r.State.Model)
	f.Steps, f.Stop, f.CFG, f.Negative = 30, 9, 5, "blurry"
	r.own = r.own.With(f.Own(" soft ")).With(state.OwnPreset{Name: "Bold", Settings: inference.Settings{Preset: "paper", Steps: 9, Stop: 4, CFG: 9}})
	r.item(t, "Bold").Action()
	if f := r.form(); f.Preset != "paper" || f.Steps != 9 || f.Stop != 4 || f.CFG != 9 || f.Negative != "" {
		t.Errorf("Bold: %+v", f)
	}
	if !r.item(t, "Bold").Checked || r.item(t, "soft").Checked {
		t.Error("the menu does not mark the preset that is in force")
	}
	r.Panel.Refresh()
	lit := func(name string) bool { return r.Panel.Presets[name].Importance == widget.HighImportance }
	if lit("paper") || lit("release") || r.Panel.own.Text != "Bold" || r.Panel.own.Importance != widget.HighImportance { // fault 21
		t.Errorf("Paper is lit %v, and the user's presets say %q", lit("paper"), r.Panel.own.Text)
	}
	r.State.Form.Steps++
	if r.Panel.Refresh(); !lit("paper") || r.Panel.own.Text != "My presets" {
		t.Errorf("after a change Paper is lit %v, and the user's presets say %q", lit("paper"), r.Panel.own.Text)
	}
	r.State.Form.Steps--
	r.item(t, "soft").Action()
	if f := r.form(); f.Preset != "release" || f.Steps != 30 || f.Stop != 9 || f.CFG != 5 || f.Negative != "blurry" {
		t.Errorf("soft: %+v", f)
	}
	for old, name := range map[string]string{"": "paper", "soft": "bold", "x": " ", "y": strings.Repeat("n", 41)} {
		if r.checkNewName(old, name) == nil {
			t.Errorf("%q can become %q", old, name)
		}
	}
	if err := r.checkNewName("soft", "Soft"); err != nil {
		t.Error(err)
	}
	r.item(t, "Delete “soft”").Action()
	if len(r.own) != 1 || r.own[0].Name != "Bold" {
		t.Errorf("presets %+v", r.own)
	}
}

// What is lost with a preset that is deleted, or replaced by another of its name, is said, the latter before it happens, and comes back.
func TestOwnPresetsComeBack(t *testing.T) {
	r := newRoom(t)
	r.State.Form.Steps = 25
	r.own = r.own.With(r.form().Own("Mine"))
	was := r.own[0]
	r.State.Form.Steps = 12
	r.item(t, "Save these settings as").Action()
	field := r.Win.Canvas().Focused().(*kit.Field)
	below := func() (text string) {
		for _, o := range test.LaidOutObjects(r.Win.Canvas().Overlays().Top()) {
			if b, is := o.(*kit.Below); is && b.Visible() {
				text += b.Text
			}
		}
		return text
	}
	test.Type(field, "min")
	if texts := below(); strings.Contains(texts, "replaces") {
		t.Errorf("of no preset it says %q", texts)
	}
	test.Type(field, "e")
	if texts := below(); !strings.Contains(texts, "This replaces your preset “Mine”.") {
		t.Errorf("of one that is there it says %q", texts)
	}
	field.OnSubmitted(field.Text)
	if len(r.own) != 1 || r.own[0].Name != "mine" || r.own[0].Steps != 12 || len(r.done) != 1 {
		t.Fatalf("presets %+v, %d deeds", r.own, len(r.done))
	}
	if r.done[0].Back(); len(r.own) != 1 || r.own[0] != was {
		t.Errorf("taken back: %+v", r.own)
	}
	if r.done[0].Again(); len(r.own) != 1 || r.own[0].Name != "mine" {
		t.Errorf("replaced again: %+v", r.own)
	}
	r.done[0].Back()
	r.State.Form.Steps = 25
	r.savePreset(r.form().Own("Mine")) // nothing is lost
	r.item(t, "Delete “Mine”").Action()
	if len(r.own) != 0 || len(r.done) != 2 {
		t.Fatalf("deleted: %+v, %d deeds", r.own, len(r.done))
	}
	if r.done[1].Back(); len(r.own) != 1 || r.own[0] != was {
		t.Errorf("taken back: %+v", r.own)
	}
	r.done[1].Again()
	newer := r.form().Own("mine")
	newer.Steps = 7
	r.savePreset(newer)
	if r.done[1].Back(); len(r.own) != 1 || r.own[0] != newer {
		t.Errorf("what was saved under the name since is gone: %+v", r.own)
	}
}

// What was saved under the name of a deed since is lost by none of its ways, and the deed is taken back only where it is.
func TestDeedsOfPresetsLeaveWhatIsNewer(t *testing.T) {
	saved := func(r *room, steps int) state.OwnPreset {
		p := r.form().Own("Mine")
		p.Steps, p.Stop = steps, 1
		r.savePreset(p)
		return p
	}
	t.Run("deleted", func(t *testing.T) {
		r := newRoom(t)
		r.deletePreset(saved(r, 25))
		newer, d := saved(r, 7), r.done[0]
		for way, do := range map[string]func(){"back": d.Back, "again": d.Again} {
			for range 2 {
				if do(); len(r.own) != 1 || r.own[0] != newer || !d.Done() {
					t.Errorf("%s: there is %+v; deleted it is %v", way, r.own, d.Done())
				}
			}
		}
		r.own = nil
		d.Back()
		if r.own = (state.OwnPresets{newer}); d.Done() {
			t.Fatal("its name is free, and it is not back")
		}
		if d.Again(); len(r.own) != 1 || r.own[0] != newer || d.Done() {
			t.Errorf("again, there is %+v; deleted it is %v", r.own, d.Done())
		}
	})
	t.Run("replaced", func(t *testing.T) {
		r := newRoom(t)
		old, second := saved(r, 25), saved(r, 12)
		r.own = nil // it was renamed
		newer, d := saved(r, 7), r.done[0]
		if d.Back(); len(r.own) != 1 || r.own[0] != newer || !d.Done() {
			t.Errorf("there is %+v; replaced it is %v", r.own, d.Done())
		}
		r.own = state.OwnPresets{second}
		if d.Back(); len(r.own) != 1 || r.own[0] != old || d.Done() {
			t.Errorf("there is %+v; replaced it is %v", r.own, d.Done())
		}
		r.own = state.OwnPresets{newer}
		if d.Again(); len(r.own) != 1 || r.own[0] != newer || d.Done() {
			t.Errorf("again, there is %+v; replaced it is %v", r.own, d.Done())
		}
	})
}

// The presets of models of few steps stand in the menu, with their steps; fewer can be chosen.
func TestPresetsOfFewSteps(t *testing.T) {
	r := newRoom(t)
	for begins, want := range map[string]state.OwnPreset{
		"Lightning, 4 steps": {Name: "lightning", Settings: inference.Settings{Steps: 4, Stop: 2, CFG: 1}},
		"LCM, 8 steps":       {Name: "lcm", Settings: inference.Settings{Steps: 8, Stop: 4, CFG: 1}},
		"DMD2, 4 steps":      {Name: "dmd2", Settings: inference.Settings{Steps: 4, Stop: 2, CFG: 1}},
	} {
		r.item(t, begins).Action()
		if f := r.form(); f.Preset != want.Name || f.Steps != want.Steps || f.Stop != want.Stop || f.CFG != want.CFG {
			t.Errorf("%s: %+v", begins, f.Settings)
		}
		if !r.item(t, begins).Checked {
			t.Errorf("%s is not marked", begins)
		}
	}
	r.Steps.Slider.SetValue(1)
	if f := r.form(); f.Steps != 1 || f.Stop != 1 {
		t.Errorf("one step: %+v", f.Settings)
	}
}

// TestNegativeIsCounted: the negative prompt says how many tokens it has of those that its chunks hold, and what of it nobody reads where
// prompts are cut; marks are none.
func TestNegativeIsCounted(t *testing.T) {
	r := newRoom(t)
	r.State.Model.Text.Chunks = false
	r.More.OnTapped()
	r.Negative.SetText("(a dog:1.2)")
	if r.negative.tokens.Text != "2 of 75 tokens" || r.negative.Cut.Visible() {
		t.Errorf("%q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}
	test.Tap(r.negative.marks)
	if !r.form().Literal || r.negative.tokens.Text == "2 of 75 tokens" {
		t.Errorf("sign by sign: %q", r.negative.tokens.Text)
	}
	test.Tap(r.negative.marks)
	r.Negative.SetText(strings.Repeat("dog ", 75) + "beach night")
	if r.negative.tokens.Text != "79 of 75 tokens" || !r.negative.Cut.Visible() || r.negative.Cut.Text != "Not read: beach night" {
		t.Errorf("%q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}
	r.Negative.SetText("")
	if r.negative.tokens.Text != "" || r.negative.Cut.Visible() {
		t.Errorf("%q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}

	able := *r.State.Model
	able.Text.Chunks = true
	r.Change(func(s *state.State) { s.Model = &able })
	r.Negative.SetText(strings.Repeat("dog ", 75) + "beach night")
	if r.negative.tokens.Text != "79 of 150 tokens" || r.negative.Cut.Visible() || r.negative.short.Visible() {
		t.Errorf("in chunks: %q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}
	r.Change(func(s *state.State) { s.Form.Cut = true }) // of an earlier version's picture
	if r.negative.tokens.Text != "79 of 75 tokens" || !r.negative.Cut.Visible() || !r.negative.short.Visible() {
		t.Errorf("cut: %q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}
	test.Tap(r.negative.short)
	if r.form().Cut || r.negative.tokens.Text != "79 of 150 tokens" || r.negative.short.Visible() {
		t.Errorf("no longer cut: %q, %q", r.negative.tokens.Text, r.negative.Cut.Text)
	}

	r.negative.host.Encode = func(string, prompt.Reading) *prompt.Prompt { return &prompt.Prompt{Tokens: 3, Chunks: []int{3}} }
	other := able
	if r.Change(func(s *state.State) { s.Model = &other }); r.negative.tokens.Text != "3 of 75 tokens" {
		t.Errorf("by another model: %q", r.negative.tokens.Text)
	}
}

// TestWholeShapes: the check shows what the preset says, taking it away is a wish, and models without perturbed blocks have none.
func TestWholeShapes(t *testing.T) {
	r := newRoom(t)
	m := *r.State.Model
	m.Networks.UNet.PerturbedBlocks = []string{"mid_block"}
	paper := m.Presets["paper"]
	paper.UncondAttention = inference.PerturbedAttention
	m.Presets = map[string]bundle.Preset{"paper": paper, "release": m.Presets["release"]}
	r.Change(func(s *state.State) { s.Model = &m })
	whole := r.advanced.whole
	if !whole.Visible() || !whole.Checked {
		t.Errorf("visible %v, checked %v", whole.Visible(), whole.Checked)
	}
	test.Tap(whole)
	if got := r.State.Form.Request().UncondAttention; got != inference.PlainAttention || whole.Checked {
		t.Errorf("taken away, the request says %q, checked %v", got, whole.Checked)
	}
	test.Tap(whole)
	if full := r.State.Form.Completed(&m); full.UncondAttention != inference.PerturbedAttention || !whole.Checked {
		t.Errorf("back again, it is %q, checked %v", full.UncondAttention, whole.Checked)
	}
	m.Networks.UNet.PerturbedBlocks = nil
	other := m
	r.Change(func(s *state.State) { s.Model = &other })
	if whole.Visible() {
		t.Error("a model without perturbed blocks has the check")
	}
}

// After a job that has failed, who cannot generate is told why not.
func TestReasonsAfterAFailure(t *testing.T) {
	r := newRoom(t)
	r.Change(func(s *state.State) { *s = s.Refuse(state.Task{}, errors.New("the graphics card is gone")) })
	r.Change(func(s *state.State) { s.Form.Prompt = "" })
	if !strings.Contains(r.Reasons.Text, "graphics card is gone") || !r.Generate.Disabled() {
		t.Errorf("the panel says %q, Generate is off: %v", r.Reasons.Text, r.Generate.Disabled())
	}
	if r.Refuse(); !strings.Contains(r.Reasons.Text, "Write what the picture shows") { // it was pressed
		t.Errorf("pressed, the panel says %q", r.Reasons.Text)
	}
}

// What made a job fail is said until something is set anew, which may have been its cause, and again when that is taken back; not only
// while one writes the next prompt.
func TestAFailureGoesWithItsCause(t *testing.T) {
	r := newRoom(t)
	r.Change(func(s *state.State) {
		s.Form.Steps = 40
		*s = s.Refuse(state.Task{}, errors.New("40 steps are too many"))
	})
	for _, c := range []struct {
		prompt string
		steps  int
		said   bool
	}{{r.State.Form.Prompt, 40, true}, {"a cat", 40, true}, {"a cat", 20, false}, {"", 20, false}, {"a cat", 40, true}} {
		r.Change(func(s *state.State) { s.Form.Prompt, s.Form.Steps = c.prompt, c.steps })
		if said := strings.Contains(r.Reasons.Text, "too many"); said != c.said {
			t.Errorf("%d steps of %q: %q", c.steps, c.prompt, r.Reasons.Text)
		}
	}
	if r.Change(func(s *state.State) { s.Form.Prompt, s.Form.Steps = "", 20 }); !strings.Contains(r.Reasons.Text, "Write what") {
		t.Errorf("who cannot generate is told %q", r.Reasons.Text)
	}
}
