package ui

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/assets/translations"
	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/gallery"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/queue"
	"realword/ui/stage"
	"realword/ui/state"
	"realword/ui/subjects"
)

// contexts are the menus of things.
var contexts = []command.Context{
	stage.PictureMenu, stage.ThumbMenu, subjects.CardMenu, subjects.WordMenu, queue.JobMenu, queue.RunningMenu, gallery.PictureMenu,
}

// TestLookMenusOfThings: each entry is an action of the table, with its key, and enabled as there.
func TestLookMenusOfThings(t *testing.T) {
	plain.Run(t)
	b := newBench(t, nil)
	for _, c := range contexts {
		listed := slices.DeleteFunc(slices.Clone(c), func(id string) bool { return id == "" })
		items := slices.DeleteFunc(b.Items(c...), func(i *fyne.MenuItem) bool { return i.IsSeparator })
		if len(items) != len(listed) {
			t.Errorf("%v has %d entries", c, len(items))
			continue
		}
		for i, item := range items {
			n := slices.IndexFunc(b.Table.List, func(a command.Action) bool { return a.ID == listed[i] })
			a := b.Table.List[n]
			if item.Label != a.Label || item.Disabled != (a.Can != nil && !a.Can()) || (item.Shortcut != nil) != (a.Key != "") {
				t.Errorf("%s is %q, disabled %v, key %v", a.ID, item.Label, item.Disabled, item.Shortcut)
			}
		}
	}
}

func TestStrokes(t *testing.T) {
	const ctrl = fyne.KeyModifierShortcutDefault
	for name, want := range map[string]command.Stroke{
		"Ctrl+Alt+Enter": {Mod: ctrl | fyne.KeyModifierAlt, Key: fyne.KeyReturn},
		"Shift+Left":     {Mod: fyne.KeyModifierShift, Key: fyne.KeyLeft},
		"R":              {Mod: 0, Key: fyne.KeyR},
		"Esc":            {Mod: 0, Key: fyne.KeyEscape},
		"Ctrl++":         {Mod: ctrl, Key: fyne.KeyPlus},
		"+":              {Mod: 0, Key: fyne.KeyPlus},
		".":              {Mod: 0, Key: fyne.KeyPeriod},
	} {
		got, err := command.ParseStroke(name)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
		if again, err := command.ParseStroke(got.String()); err != nil || again != want {
			t.Errorf("%s is written %s and read as %v, %v", name, got, again, err)
		}
	}
	for _, bad := range []string{"", "Strg+Z", "Hyper+X"} {
		if s, err := command.ParseStroke(bad); err == nil {
			t.Errorf("%q is read as %v", bad, s)
		}
	}
}

// TestLookOneNameForAKey: the menus write a key as tips, sentences and the list of keys do.
func TestLookOneNameForAKey(t *testing.T) {
	plain.Run(t)
	if runtime.GOOS == "darwin" {
		t.Skip("menus have signs of their own there")
	}
	b := newBench(t, nil)
	said := func(item *fyne.MenuItem) (text string) {
		menu := widget.NewMenu(fyne.NewMenu("", item))
		for _, o := range test.WidgetRenderer(menu.Items[0].(fyne.Widget)).Objects() {
			if part, ok := o.(*canvas.Text); ok && part.Text != item.Label {
				text += part.Text
			}
		}
		return text
	}
	seen := 0
	for _, a := range b.Table.List {
		if a.Key == "" {
			continue
		}
		s, err := command.ParseStroke(a.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range b.Items(a.ID) {
			if seen++; said(item) != s.Shown() || b.KeyOf(a.ID) != s.Shown() {
				t.Errorf("%s: a menu says %q, a sentence %q, the list of keys %q", a.ID, said(item), b.KeyOf(a.ID), s.Shown())
			}
		}
	}
	for _, e := range b.Menus.Items {
		if s := e.Item.Shortcut; s != nil && strings.HasSuffix(said(e.Item), "Return") {
			t.Errorf("%s says %q", e.Item.Label, said(e.Item))
		}
	}
	if seen < 40 {
		t.Errorf("only %d keys were looked at", seen)
	}
}

// TestLookTheListOfKeysTellsAllApart: no two rows of it say the same, in any language.
func TestLookTheListOfKeysTellsAllApart(t *testing.T) {
	plain.Run(t)
	for _, language := range []string{"", "de", "es", "fr", "ja", "zh-Hans"} {
		if language != "" {
			t.Cleanup(func() { i18ntest.English(t) })
			if err := i18n.Speak(translations.Files, language); err != nil {
				t.Fatal(err)
			}
		}
		b := furnished(t)
		named := map[string]string{}
		for _, a := range b.Table.List {
			if a.ID == "" {
				continue
			}
			if other := named[a.Named()]; other != "" {
				t.Errorf("%s: %s and %s are both “%s”", language, other, a.ID, a.Named())
			}
			named[a.Named()] = a.ID
		}
	}
}

// TestLookActionTable checks the whole table: names and keys are unique, keys can be read, menu entries have labels.
func TestLookActionTable(t *testing.T) {
	plain.Run(t)
	b := newBench(t, nil)
	ids, keys := map[string]bool{}, map[command.Stroke]string{}
	for _, a := range b.allActions() {
		if a.ID == "" {
			continue // a line between others
		}
		if ids[a.ID] {
			t.Errorf("two actions are called %s", a.ID)
		}
		ids[a.ID] = true
		if a.Label == "" || a.Do == nil || a.Menu >= command.MenuCount {
			t.Errorf("%s has no label, nothing to do, or no menu", a.ID)
		}
		if a.Menu == command.MenuNone && a.Key == "" && !slices.Contains(slices.Concat(contexts...), a.ID) {
			t.Errorf("%s cannot be reached: it has neither a menu nor a key", a.ID)
		}
		if a.Key == "" {
			continue
		}
		s, err := command.ParseStroke(a.Key)
		if err != nil {
			t.Errorf("%s: %v", a.ID, err)
		}
		if keys[s] != "" {
			t.Errorf("%s and %s both have %s", keys[s], a.ID, s)
		}
		keys[s] = a.ID
	}
}

func TestLookEscClosesTheTopmostOnly(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	var closed string
	b.Opened(func() { closed += "a" })
	middle := b.Opened(func() { closed += "b" })
	b.Opened(func() { closed += "c" })
	esc := func() { b.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape}) }
	esc()
	if closed != "c" {
		t.Fatalf("the first Esc closed %q", closed)
	}
	middle()
	b.subjects.Prompt.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape}) // also while the user types
	esc()
	if closed != "ca" {
		t.Errorf("three times Esc closed %q", closed)
	}
	// A run is never ended by Esc.
	b.subjects.PromptChanged("a dog")
	j := b.run()
	esc()
	if b.state.Run().Phase != state.Running {
		t.Error("Esc stopped the run")
	}
	b.Shortcut(&desktop.CustomShortcut{KeyName: fyne.KeyEnter, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierAlt})
	if b.state.Run().Phase != state.Stopping {
		t.Error("Ctrl+Alt+Enter of the number block does not stop the run")
	}
	close(j.events)
	b.settle()
}

// TestLookKeysOfOtherKeyboards: Fyne names a key by what it bears without Shift, and then tells what it has written.
func TestLookKeysOfOtherKeyboards(t *testing.T) {
	plain.Run(t)
	b, did := newBench(t, nil), map[string]int{}
	actions := []command.Action{}
	for id, key := range map[string]string{"larger": "+", "smaller": "-", "brush": "[", "text": "Ctrl+=", "letter": "R", "second": "2"} {
		actions = append(actions, command.Action{ID: id, Key: key, Do: func() { did[id]++ }})
	}
	b.All = func() []command.Action { return actions }
	b.Bind()
	b.subjects.PromptChanged("a dog") // in an empty session letters are the prompt
	canvas := b.win.Canvas()
	for _, c := range []struct {
		about string
		key   command.Stroke
		sign  rune // 0: it writes nothing
		want  string
	}{
		{"+, US", command.Stroke{Mod: fyne.KeyModifierShift, Key: fyne.KeyEqual}, '+', "larger"},
		{"+, German", command.Stroke{Key: fyne.KeyPlus}, '+', "larger"},
		{"+, Japanese", command.Stroke{Mod: fyne.KeyModifierShift, Key: fyne.KeySemicolon}, '+', "larger"},
		{"-, US", command.Stroke{Key: fyne.KeyMinus}, '-', "smaller"},
		{"-, French", command.Stroke{Key: fyne.Key6}, '-', "smaller"},
		{"[, US", command.Stroke{Key: fyne.KeyLeftBracket}, '[', "brush"},
		{"[, German", command.Stroke{Key: fyne.Key8}, '[', "brush"},
		{"[, German, where it is told as AltGr alone", command.Stroke{}, '[', "brush"},
		{"R", command.Stroke{Key: fyne.KeyR}, 'r', "letter"},
		{"R, Caps Lock", command.Stroke{}, 'R', ""},
		{"2, French", command.Stroke{Key: fyne.Key7}, '2', ""},
		{"text, US", command.Stroke{Mod: fyne.KeyModifierShortcutDefault, Key: fyne.KeyEqual}, 0, "text"},
		{"text, US, as +", command.Stroke{Mod: fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift, Key: fyne.KeyEqual}, 0, "text"},
		{"text, German", command.Stroke{Mod: fyne.KeyModifierShortcutDefault, Key: fyne.KeyPlus}, 0, "text"},
	} {
		clear(did)
		switch {
		case !c.key.Typed():
			b.key(c.key.Shortcuts()[0])
		case c.key.Key != "":
			canvas.OnTypedKey()(&fyne.KeyEvent{Name: c.key.Key}) // the test driver has no modifiers
		}
		if c.sign != 0 {
			canvas.OnTypedRune()(c.sign)
		}
		want := map[string]int{}
		if c.want != "" {
			want[c.want] = 1
		}
		if !maps.Equal(did, want) {
			t.Errorf("%s: %v, want %v", c.about, did, want)
		}
	}
}
