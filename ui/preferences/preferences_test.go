package preferences

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
)

// bench is the room in a house of its own.
type bench struct {
	*Desk
	*roomtest.House
	t        *testing.T
	budget   int64
	revealed []string
	reports  []kit.Notice
	renders  int
}

func newBench(t *testing.T, change func(*Host)) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), t: t}
	b.Desk = New(fyne.CurrentApp())
	t.Cleanup(func() { kit.SetLook("system", 100) })
	b.Host = Host{
		Layers: &b.Layers, Commands: b.Commands, Background: b.Background,
		Program: "realword 1.2", Pictures: "/home/pictures", Title: "Realword",
		Steps:    func(int64) fyne.CanvasObject { return widget.NewLabel("steps") },
		OnChange: func() { b.renders++ }, OnModels: func() {}, OnBudget: func(bytes int64) { b.budget = bytes },
		OnReveal: func(folder string) { b.revealed = append(b.revealed, folder) },
		OnReport: func(n kit.Notice) { b.reports = append(b.reports, n) },
	}
	if change != nil {
		change(&b.Host)
	}
	b.Win.Resize(fyne.NewSize(1100, 700))
	return b
}

// Change is the room's, not that of the house.
func (b *bench) Change(f func(*Values)) { b.Desk.Change(f) }

// all are the objects of one kind on the sheet.
func all[T fyne.CanvasObject](b *bench) (list []T) {
	b.t.Helper()
	top := b.Win.Canvas().Overlays().Top()
	if top == nil {
		b.t.Fatal("there is no sheet")
	}
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if w, ok := o.(T); ok {
			list = append(list, w)
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c)
			}
		}
	}
	walk(top)
	return list
}

func (b *bench) press(text string) {
	b.t.Helper()
	for _, w := range all[*kit.Button](b) {
		if w.Text == text {
			test.Tap(w)
			b.Settle()
			return
		}
	}
	b.t.Fatalf("the sheet has no button %q", text)
}

// says tells whether the sheet has a text.
func (b *bench) says(text string) bool {
	b.t.Helper()
	for _, l := range all[*canvas.Text](b) {
		if strings.Contains(l.Text, text) {
			return true
		}
	}
	for _, l := range all[*kit.Line](b) {
		if strings.Contains(l.Text, text) {
			return true
		}
	}
	for _, l := range all[*widget.Label](b) {
		if strings.Contains(l.Text, text) {
			return true
		}
	}
	return false
}

// TestPreferencesSurvive: what is kept is read back, and whatever cannot be used is the default.
func TestPreferencesSurvive(t *testing.T) {
	a := test.NewTempApp(t)
	p := Default()
	p.Look, p.Device, p.TextSize, p.FileName, p.Notify, p.Keys = "dark", "cpu", 150, "{seed}", false, map[string]string{"run.generate": "Ctrl+G"}
	p.Write(a.Preferences())
	got := Read(a.Preferences())
	if got.Look != "dark" || got.Device != "cpu" || got.TextSize != 150 || got.FileName != "{seed}" || got.Notify || got.Keys["run.generate"] != "Ctrl+G" {
		t.Errorf("read back %+v", got)
	}
	for _, bad := range []string{"", "{", "[]", `{"Language":"xx","Look":"pink","Device":"toaster","TextSize":5000,"FileName":"{x"}`, `{"TextSize":"big"}`} {
		a.Preferences().SetString(valuesKey, bad)
		got := Read(a.Preferences())
		d := Default()
		if got.Language != "" || got.Look != d.Look || got.Device != d.Device || got.TextSize != d.TextSize || got.FileName != d.FileName {
			t.Errorf("%s is read as %+v", bad, got)
		}
		if kept := a.Preferences().String(valuesKey + kit.Unreadable); len(bad) < 20 && kept != bad {
			t.Errorf("of %q, %q is kept by itself", bad, kept)
		}
	}
}

func TestLookChanges(t *testing.T) {
	b := newBench(t, nil)
	action := func(id string) command.Action {
		for _, a := range b.LookActions() {
			if a.ID == id {
				return a
			}
		}
		t.Fatal("no action ", id)
		return command.Action{}
	}
	before := theme.TextSize()
	b.Commands.Perform(action("view.text.larger"))
	b.Commands.Perform(action("view.text.larger"))
	if got := theme.TextSize(); got <= before || b.TextSize != 120 {
		t.Errorf("text size %v after %v, %d %%", got, before, b.TextSize)
	}
	b.Commands.Perform(action("view.text.normal"))
	if theme.TextSize() != before {
		t.Errorf("text size %v, want %v", theme.TextSize(), before)
	}
	for _, look := range []string{"dark", "light"} {
		b.Commands.Perform(action("view.look." + look))
		c := kit.Palette[theme.ColorNameBackground]
		want := c.Dark
		if look == "light" {
			want = c.Light
		}
		if got := theme.Color(theme.ColorNameBackground); got != want {
			t.Errorf("%s: background %v, want %v", look, got, want)
		}
		if !action("view.look." + look).On() {
			t.Errorf("%s is not ticked", look)
		}
	}
	if got := Read(b.app.Preferences()); got.Look != "light" {
		t.Errorf("kept %q", got.Look)
	}
}

func TestResetAllLeavesNothing(t *testing.T) {
	moved := 0
	b := newBench(t, func(h *Host) { h.OnModels = func() { moved++ } })
	prefs := b.app.Preferences()
	prefs.SetBool(bareKey, true)
	prefs.SetBool(noThumbnailsKey, true)
	prefs.SetFloat(budgetKey, 500e6)
	b.Change(func(p *Values) {
		p.TextSize, p.Notify, p.Model, p.Keys = 150, false, "/m", map[string]string{"file.quit": "Ctrl+E"}
		p.Language, p.Look, p.Pictures, p.FileName, p.Models, p.Device = "de", "dark", "/p", "{seed}", "/models", "cpu"
		p.Room.Left, p.FoldRight, p.Likeness, p.Sharing, p.Elsewhere = 400, true, "never", true, []string{"/e"} // are not on the sheet
		p.Where = state.Far
	})
	was := b.Values
	b.Show()
	b.press("Reset all")
	b.press("Cancel")
	if !reflect.DeepEqual(b.Values, was) || b.Budget() != 500e6 {
		t.Errorf("one click has reset to %+v", b.Values)
	}
	b.press("Reset all")
	b.press("Reset all") // the question's
	if e := b.Embed(); e.Nothing || e.NoThumbnails {
		t.Errorf("pictures are written with %+v", e)
	}
	if b.Budget() != 2e9 || b.budget != 2e9 {
		t.Errorf("the budget is %d, the house's %d", b.Budget(), b.budget)
	}
	want := Default()
	want.Model, want.Keys, want.Room, want.FoldRight, want.Likeness, want.Sharing, want.Elsewhere = was.Model, was.Keys, was.Room, true, "never", true, was.Elsewhere
	want.Where = state.Far
	if !reflect.DeepEqual(b.Values, want) {
		t.Errorf("%+v, want %+v", b.Values, want)
	}
	if moved != 1 {
		t.Errorf("that models are kept elsewhere is told %d times", moved)
	}
}

// TestWhatIsChosenHoldsAtOnce goes through the sheet as a user does.
func TestWhatIsChosenHoldsAtOnce(t *testing.T) {
	b := newBench(t, nil)
	b.Show()
	find := func(start string) *kit.Field {
		for _, f := range all[*kit.Field](b) {
			if f.Text == start {
				return f
			}
		}
		t.Fatalf("there is no field with %q", start)
		return nil
	}
	typed := func(f *kit.Field, text string) {
		b.Win.Canvas().Focus(f)
		f.SetText(text)
		b.Win.Canvas().Unfocus()
	}
	pattern := find(state.DefaultFileName)
	typed(pattern, "{seeds}")
	if b.FileName != state.DefaultFileName || !b.says("{seeds}") {
		t.Errorf("%q is kept", b.FileName)
	}
	typed(pattern, "{words}/{seed}")
	if b.FileName != "{words}/{seed}" || !b.says(filepath.Join("dog", "1234567.png")) {
		t.Errorf("%q is kept", b.FileName)
	}
	folder := find("")
	typed(folder, "here")
	if b.Folder() != "/home/pictures" || !b.says("Write the full path") {
		t.Errorf("pictures go to %q", b.Folder())
	}
	typed(folder, "/there")
	if b.Folder() != "/there" || b.says("Write the full path") {
		t.Errorf("pictures go to %q", b.Folder())
	}
	for _, c := range all[*kit.Check](b) {
		if c.Text == "Notify me when the window is not in front" || c.Text == "Store in each picture how it was made" {
			test.Tap(c)
		}
	}
	for _, s := range all[*kit.Selector](b) {
		if s.Selected == "Graphics card if there is one" {
			s.SetSelected("CPU")
		}
	}
	for _, r := range all[*kit.Radio](b) {
		r.Choose(2)
	}
	got := Read(b.app.Preferences())
	if got.Notify || got.Device != "cpu" || got.Look != "dark" || got.Pictures != "/there" || got.FileName != "{words}/{seed}" || !b.Embed().Nothing || b.renders == 0 {
		t.Errorf("%+v, %+v, rendered %d times", got, b.Embed(), b.renders)
	}
	b.press("Done")
	if b.Win.Canvas().Overlays().Top() != nil {
		t.Error("Done leaves the sheet open")
	}
}

// TestWhatIsTypedIsTakenWhole: a job that ends while a folder or a name is typed writes where it did before.
func TestWhatIsTypedIsTakenWhole(t *testing.T) {
	for name, leave := range map[string]func(*bench, *kit.Field){
		"Enter":  func(_ *bench, f *kit.Field) { f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) },
		"Done":   func(b *bench, _ *kit.Field) { b.press("Done") },
		"a key":  func(b *bench, _ *kit.Field) { b.Commands.Perform(command.Action{ID: "view.back", Do: func() {}}) },
		"a part": func(b *bench, _ *kit.Field) { b.Win.Canvas().Unfocus() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.Show()
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			short := filepath.Join("~", "Art 2026") // as the window itself writes it
			for typed, now := range map[string]func() string{short: b.Folder, "{words}/{date}": func() string { return b.FileName }} {
				before := now()
				var field *kit.Field
				for _, f := range all[*kit.Field](b) {
					if f.Text == before || f.PlaceHolder == before {
						field = f
					}
				}
				field.SetText("")
				b.Win.Canvas().Focus(field)
				for _, r := range typed {
					if field.TypedRune(r); now() != before {
						t.Fatalf("while %q is typed, %q is used", typed, now())
					}
				}
				if leave(b, field); now() != strings.Replace(typed, "~", home, 1) {
					t.Errorf("%q was typed, and %q is used", typed, now())
				}
				if name == "Done" {
					b.Show()
				}
			}
		})
	}
}

// TestACardIsChosen: where there are several, one can be; what is away now stays chosen.
func TestACardIsChosen(t *testing.T) {
	b := newBench(t, nil)
	choice := func() *kit.Selector {
		b.Show()
		for _, s := range all[*kit.Selector](b) {
			if slices.Contains(s.Options, "CPU") {
				return s
			}
		}
		t.Fatal("there is no choice of what models compute on")
		return nil
	}
	const note = "from the next start"
	if s := choice(); len(s.Options) != 2 || b.says(note) {
		t.Errorf("with one card there are %q", s.Options)
	}
	b.press("Done")
	b.Host.Cards = func() []Card { return []Card{{"webgpu:1", "Radeon 780M"}} }
	s := choice()
	if !slices.Equal(s.Options, []string{"Graphics card if there is one", "Radeon 780M", "CPU"}) || !b.says(note) {
		t.Errorf("with two cards there are %q", s.Options)
	}
	s.SetSelected("Radeon 780M")
	if got := Read(b.app.Preferences()).Device; got != "webgpu:1" {
		t.Errorf("%q is kept", got)
	}
	b.press("Done")
	b.Host.Cards = nil
	if s := choice(); s.Selected != "webgpu:1" || !slices.Contains(s.Options, "webgpu:1") {
		t.Errorf("%q of %q is chosen while the card is away", s.Selected, s.Options)
	}
}

func TestFoldersAreAskedFor(t *testing.T) {
	answer, trouble := "/chosen", error(nil)
	b := newBench(t, func(h *Host) { h.OpenFolder = func() (string, error) { return answer, trouble } })
	b.Show()
	b.press("Choose…")
	if b.Folder() != "/chosen" {
		t.Errorf("pictures go to %q", b.Folder())
	}
	answer = ""
	if b.press("Choose…"); b.Folder() != "/chosen" {
		t.Errorf("who changes their mind gets %q", b.Folder())
	}
	trouble = errors.New("there is no dialog: type the path")
	if b.press("Choose…"); !b.says("There is no dialog: type the path.") {
		t.Error("nobody says why")
	}
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	answer, trouble = filepath.Join(file, "pictures"), nil // its disk may be away
	if b.press("Choose…"); b.Folder() != answer || !b.says("pictures cannot be written: ") {
		t.Errorf("nobody says that %s cannot be made", answer)
	}
	b.press("Done")
	b.Show()
	if b.Settle(); !b.says("pictures cannot be written: ") {
		t.Error("nobody says it any more")
	}
	answer = t.TempDir()
	if b.press("Choose…"); b.Folder() != answer || b.says("cannot be written") {
		t.Errorf("%s cannot be written to", answer)
	}
}

func TestWhatGoesIntoPictures(t *testing.T) {
	b := newBench(t, nil)
	checks := metadataChecks(b.app.Preferences())
	if e := b.Embed(); e.Program != "realword 1.2" || e.Nothing || e.NoThumbnails || !checks[0].Checked || !checks[1].Checked || checks[1].Disabled() {
		t.Fatalf("everything is written until the user says otherwise: %+v", e)
	}
	checks[1].SetChecked(false)
	if e := b.Embed(); e.Nothing || !e.NoThumbnails {
		t.Errorf("%+v", e)
	}
	checks[0].SetChecked(false)
	if e := b.Embed(); !e.Nothing {
		t.Errorf("%+v", e)
	}
	if again := metadataChecks(b.app.Preferences()); again[0].Checked || again[1].Checked || !again[1].Disabled() {
		t.Error("the switches forget")
	}
}

func TestPresetsThatCannotBeReadAreLeftOut(t *testing.T) {
	b := newBench(t, nil)
	for text, want := range map[string]string{
		"": "", "no json": "", `[{"Name":"a","Base":"paper","Steps":9,"Stop":4,"CFG":2}]`: "a",
		`[{"Name":"a","Base":"other","Steps":9,"Stop":4,"CFG":2},{"Name":"b","Base":"paper","Steps":-1,"Stop":1,"CFG":2},{"Name":"","Base":"paper","Steps":9,"Stop":4,"CFG":2}]`: "",
	} {
		b.app.Preferences().SetString(ownPresetsKey, text)
		var names []string
		for _, p := range b.Presets() {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if kept := b.app.Preferences().String(ownPresetsKey + kit.Unreadable); kept != "no json" {
		t.Errorf("%q is kept by itself", kept)
	}
}

func TestAbout(t *testing.T) {
	b := newBench(t, func(h *Host) { h.Credits, h.Logs = "Made by *somebody*.", "/logs" })
	do := func(id string) {
		t.Helper()
		for _, a := range b.HelpActions() {
			if a.ID == id {
				if a.Can != nil && !a.Can() {
					t.Errorf("%s cannot be done", id)
				}
				a.Do()
				b.Settle()
			}
		}
	}
	do("help.about")
	if !b.says("Version ") || !b.says("An independent implementation of RealCustom++") {
		t.Error("it does not say what it is")
	}
	b.press("Done")
	do("help.logs")
	if len(b.revealed) != 1 || b.revealed[0] != "/logs" {
		t.Errorf("%q is shown", b.revealed)
	}
	var written []string
	b.Host.SaveFile = func(name string) (string, error) { return filepath.Join("/tmp", name), nil }
	b.Host.Report = func(path string) error { written = append(written, path); return errors.New("the disk is full") }
	do("help.report")
	if len(written) != 1 || written[0] != "/tmp/realword-report.txt" || len(b.reports) != 2 || b.reports[0].Bad || !b.reports[1].Bad ||
		!strings.Contains(b.reports[1].Text, "The disk is full") {
		t.Errorf("written %q, %+v", written, b.reports)
	}
	b.Host.Report = func(string) error { return nil }
	if do("help.report"); len(b.reports) != 4 || !strings.Contains(b.reports[3].Text, "realword-report.txt") || b.reports[3].Bad {
		t.Errorf("%+v", b.reports)
	} else if b.reports[3].Do(); b.revealed[len(b.revealed)-1] != "/tmp" {
		t.Errorf("%q is shown", b.revealed)
	}
	b.Host.SaveFile = func(string) (string, error) { return "", nil }
	if do("help.report"); len(b.reports) != 4 {
		t.Error("who changes their mind gets a report")
	}
}

// What could not be read of the preferences is said once, by the names that the window has for it, with where it is kept.
func TestWhatCouldNotBeReadIsSaid(t *testing.T) {
	a := test.NewTempApp(t)
	a.Preferences().SetString(valuesKey, "no json")
	a.Preferences().SetString(ownPresetsKey, "[")
	d := New(a)
	d.Presets()
	kit.NoteUntold(a.Preferences(), Copied)
	kit.NoteUntold(a.Preferences(), Damaged+"/a folder/preferences.json")
	said := d.Untold()
	for _, part := range []string{"Preferences, My presets", "preferences.json.", "A copy has taken its place", "kept as /a folder/preferences.json."} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not said: %q", part, said)
		}
	}
	if again := New(a).Untold(); again != "" {
		t.Errorf("it is said once more: %q", again)
	}
}
