package ui

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
)

func TestFileNames(t *testing.T) {
	n := state.Naming{At: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC), Seed: 77, Words: []string{"dog", "pink hat"}, Prompt: "a dog / with \"..\\..\\x\"?", Model: "toy:box"}
	for pattern, want := range map[string]string{
		"{date}/{seed}":          "2026-11-23/77",
		"{words} {seed}":         "dog-pink hat 77",
		"{prompt}":               "a dog  with ....x",
		"{model}/{time}":         "toybox/04-05-06",
		"/../../etc/passwd":      "etc/passwd",
		"a/../..//b":             "a/b",
		"...":                    "picture",
		"{date}":                 "2026-11-23",
		strings.Repeat("x", 400): strings.Repeat("x", 60),
	} {
		folder, name := state.FileName(pattern, n)
		if got := filepath.ToSlash(filepath.Join(folder, name)); got != want {
			t.Errorf("%s gives %q, want %q", pattern, got, want)
		}
		if err := state.CheckFileName(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	for _, bad := range []string{"", "  ", "{seeds}", "{seed", "a:b", `a\b`, "what?"} {
		if state.CheckFileName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestPreferencesSurvive: what is kept is read back, and whatever cannot be used is the default.
func TestPreferencesSurvive(t *testing.T) {
	a := test.NewTempApp(t)
	p := defaultPreferences()
	p.Look, p.Device, p.TextSize, p.FileName, p.Notify, p.Keys = "dark", "cpu", 150, "{seed}", false, map[string]string{"run.generate": "Ctrl+G"}
	p.write(a.Preferences())
	got := readPreferences(a.Preferences())
	if got.Look != "dark" || got.Device != "cpu" || DevicePreference(a.Preferences()) != "cpu" || got.TextSize != 150 || got.FileName != "{seed}" || got.Notify || got.Keys["run.generate"] != "Ctrl+G" {
		t.Errorf("read back %+v", got)
	}
	for _, bad := range []string{"", "{", "[]", `{"Language":"xx","Look":"pink","Device":"toaster","TextSize":5000,"FileName":"{x"}`, `{"TextSize":"big"}`} {
		a.Preferences().SetString(preferencesKey, bad)
		got := readPreferences(a.Preferences())
		d := defaultPreferences()
		if got.Language != "" || got.Look != d.Look || got.Device != d.Device || got.TextSize != d.TextSize || got.FileName != d.FileName {
			t.Errorf("%s is read as %+v", bad, got)
		}
	}
}

func TestLookChanges(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	t.Cleanup(func() { kit.SetLook("system", 100) })
	action := func(id string) command.Action {
		for _, a := range b.Table.List {
			if a.ID == id {
				return a
			}
		}
		t.Fatal("no action ", id)
		return command.Action{}
	}
	before := theme.TextSize()
	b.Perform(action("view.text.larger"))
	b.Perform(action("view.text.larger"))
	if got := theme.TextSize(); got <= before || b.prefs.TextSize != 120 {
		t.Errorf("text size %v after %v, %d %%", got, before, b.prefs.TextSize)
	}
	b.Perform(action("view.text.normal"))
	if theme.TextSize() != before {
		t.Errorf("text size %v, want %v", theme.TextSize(), before)
	}
	for _, look := range []string{"dark", "light"} {
		b.Perform(action("view.look." + look))
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
	if got := readPreferences(b.app.Preferences()); got.Look != "light" {
		t.Errorf("kept %q", got.Look)
	}
}

// TestKeysCanBeChanged gives an action another key, sees the old one without effect, and what a taken key is asked about.
func TestKeysCanBeChanged(t *testing.T) {
	b := ready(t, nil)
	p := b.prefs
	p.Keys = map[string]string{"file.preferences": "Ctrl+P", "help.keys": ""}
	b.setPreferences(p)
	b.Bind()
	typed := func(s fyne.Shortcut) bool {
		b.key(s)
		open := b.Layers.Open() > 0
		b.Back()
		return open
	}
	for name, want := range map[string]bool{"Ctrl+P": true, "Ctrl+,": false} {
		s, err := command.ParseStroke(name)
		if err != nil {
			t.Fatal(err)
		}
		if typed(s.Shortcuts()[0]) != want {
			t.Errorf("%s opens the preferences: %v, want %v", name, !want, want)
		}
	}
	if b.Press(command.Stroke{Key: fyne.KeyF1}) {
		t.Error("F1 acts, though it was taken away")
	}

	// In the list: a click on a key, then a key that is taken.
	b.ShowKeys()
	var caps []*command.KeyCap
	for _, s := range widgetsOf(b.tops()) {
		if k, ok := s.(*command.KeyCap); ok {
			caps = append(caps, k)
		}
	}
	cap := caps[0] // Generate
	cap.Tapped(nil)
	cap.KeyDown(&fyne.KeyEvent{Name: fyne.KeyR})
	asked := strings.Join(b.seen(), "\n")
	if !strings.Contains(asked, "Use as reference") || !strings.Contains(asked, "Generate") {
		t.Fatalf("nobody asks about the taken key: %s", asked)
	}
	for _, s := range widgetsOf(b.tops()) {
		if k, ok := s.(fyne.Tappable); ok && labelOf(s) == "Use it here" {
			k.Tapped(nil)
		}
	}
	if b.prefs.Keys["run.generate"] != "R" || b.prefs.Keys["picture.reference"] != "" {
		t.Errorf("keys %v", b.prefs.Keys)
	}
	if i, ok := b.Table.Keys[command.Stroke{Key: fyne.KeyR}]; !ok || b.Table.List[i].ID != "run.generate" {
		t.Error("R does not generate")
	}
}

func TestResetAllLeavesNothing(t *testing.T) {
	b := ready(t, nil)
	prefs := b.app.Preferences()
	prefs.SetBool(prefBare, true)
	prefs.SetBool(prefNoThumbnails, true)
	prefs.SetFloat(prefBudget, 500e6)
	b.journal.Budget.Store(budget(b.app.Preferences()))
	p := b.prefs
	p.TextSize, p.Notify, p.Model, p.Keys = 150, false, "/m", map[string]string{"file.quit": "Ctrl+E"}
	b.setPreferences(p)
	b.showPreferences()
	reset, ok := sheetOf(b, func(w *kit.Button) bool { return w.Text == "Reset all" })
	if !ok {
		t.Fatal("there is no such button")
	}
	test.Tap(reset)
	b.settle()
	if e := b.embed(); e.Nothing || e.NoThumbnails {
		t.Errorf("pictures are written with %+v", e)
	}
	if budget(b.app.Preferences()) != defaultBudget || b.journal.Budget.Load() != defaultBudget {
		t.Errorf("the budget is %d, the journal's %d", budget(b.app.Preferences()), b.journal.Budget.Load())
	}
	if b.prefs.TextSize != 100 || !b.prefs.Notify || b.prefs.Model != "/m" || len(b.prefs.Keys) != 1 {
		t.Errorf("%+v", b.prefs)
	}
}
