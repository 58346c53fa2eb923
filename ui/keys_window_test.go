package ui

import (
	"context"
	"image"
	"maps"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/preferences"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestLookKeysCanBeChanged gives an action another key, sees the old one without effect, and what a taken key is asked about.
func TestLookKeysCanBeChanged(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.prefs.Change(func(p *preferences.Values) { p.Keys = map[string]string{"file.preferences": "Ctrl+P", "help.keys": ""} })
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

	// The key has the focus still, and shows what it is now: Enter waits for another one.
	on := func(k *command.KeyCap) bool {
		return slices.ContainsFunc(widgetsOf(b.tops()), func(o fyne.CanvasObject) bool { return o == fyne.CanvasObject(k) })
	}
	if f, ok := b.win.Canvas().Focused().(*command.KeyCap); !ok || f != cap || !on(cap) {
		t.Errorf("%T has the focus, the key is in the list: %v", b.win.Canvas().Focused(), on(cap))
	}
	if seen := strings.Join(b.seen(), "\n"); !strings.Contains(seen, "\nR\n") {
		t.Errorf("the list does not show R: %s", seen)
	}

	// Enter as a key that is taken asks, and does not answer by itself.
	enter := &fyne.KeyEvent{Name: fyne.KeyReturn}
	press := func(k *command.KeyCap) {
		k.Tapped(nil)
		k.KeyDown(enter)
		b.win.Canvas().Focused().TypedKey(enter)
	}
	if press(caps[1]); b.prefs.Keys[b.Table.List[b.Table.Keys[command.Stroke{Key: fyne.KeyReturn}]].ID] != "Enter" {
		t.Errorf("Enter is no key: %v", b.prefs.Keys)
	}
	had := maps.Clone(b.prefs.Keys)
	open := b.Layers.Open()
	if press(cap); b.Layers.Open() != open+1 || !maps.Equal(b.prefs.Keys, had) {
		t.Errorf("%d sheets are open, the keys are %v", b.Layers.Open(), b.prefs.Keys)
	}
	if b.win.Canvas().Focused().TypedKey(enter); b.prefs.Keys["run.generate"] != "Enter" {
		t.Errorf("Enter does not agree: %v", b.prefs.Keys)
	}
}

// TestLookNobodyTypesIntoWhatIsFoldedAway: with the prompt folded away its key shows it, and what is folded away has the focus no longer,
// so that the keys which bring it back are read.
func TestLookNobodyTypesIntoWhatIsFoldedAway(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c := b.win.Canvas()
	c.Focus(b.subjects.Prompt)
	b.columns.fold(folds{true, true, true})
	if c.Focused() != nil {
		t.Errorf("%T has the focus still", c.Focused())
	}
	b.Do("edit.prompt")
	if c.Focused() != fyne.Focusable(b.subjects.Prompt) || b.columns.prompt.Hidden {
		t.Errorf("%T has the focus, the prompt is hidden: %v", c.Focused(), b.columns.prompt.Hidden)
	}
	b.columns.fold(folds{})
	if c.Focused() != fyne.Focusable(b.subjects.Prompt) {
		t.Error("what is seen has lost the focus")
	}
}

// TestLookKeysOfWhatIsGone: a subject or a word that goes takes the focus with it, and its keys change no other.
func TestLookKeysOfWhatIsGone(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c := b.win.Canvas()
	b.subjects.PromptChanged("a dog and a cat")
	for n, name := range map[int]string{1: "dog.png", 4: "cat.png"} {
		b.drop(b.chipOf(n), uitest.File(t, name, uitest.PNG(uitest.Red)))
		b.settle()
	}
	for _, at := range []int{0, 1} {
		b.undo.Fields = nil // a while later
		card := b.cardAt(at)
		other := layoutIn(state.Form{Cards: b.state.Form.Cards[1-at : 2-at]})
		if at == 0 {
			c.Focus(card)
			card.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
		} else { // with its button
			remove := b.toolIn(card, "Remove this subject")
			c.Focus(remove.(fyne.Focusable))
			test.Tap(remove)
		}
		if c.Focused() != nil {
			t.Errorf("%T of a subject that is gone has the focus", c.Focused())
		}
		for _, key := range []fyne.KeyName{fyne.KeyM, fyne.KeyS, fyne.KeyDelete} { // as Fyne's driver may still tell it
			if card.TypedKey(&fyne.KeyEvent{Name: key}); layoutIn(b.state.Form) != other {
				t.Errorf("%s on a subject that is gone: %q is left of %q", key, layoutIn(b.state.Form), other)
			}
		}
		b.key(&fyne.ShortcutUndo{})
		if len(b.state.Form.Cards) != 2 {
			t.Fatalf("Ctrl+Z does not bring the subject back: %q", layoutIn(b.state.Form))
		}
	}
	c.Focus(b.chipOf(4))
	b.subjects.PromptChanged("a dog and a")
	if c.Focused() != nil {
		t.Errorf("%T of a word that is gone has the focus", c.Focused())
	}
	c.Focus(b.chipOf(3))
	b.subjects.PromptChanged("a dog and one")
	if c.Focused() != b.chipOf(3) {
		t.Error("a word that is changed loses the focus")
	}
}

// TestLookUndoOnSubjectsAndWords: they take what is pasted, and leave the other keys of text fields to the window.
func TestLookUndoOnSubjectsAndWords(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c := b.win.Canvas()
	b.subjects.PromptChanged("a dog")
	b.drop(b.chipOf(1), uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.settle()
	for _, redo := range []fyne.Shortcut{&fyne.ShortcutRedo{}, mustStroke(t, "Ctrl+Shift+Z").Shortcuts()[0]} {
		c.Focus(b.cardAt(0))
		b.key(&fyne.ShortcutUndo{})
		if len(b.state.Form.Cards) != 0 {
			t.Error("Ctrl+Z does nothing on a subject")
		}
		c.Focus(b.chipOf(1))
		b.key(redo)
		if len(b.state.Form.Cards) != 1 {
			t.Errorf("%s does nothing on a word", redo.ShortcutName())
		}
	}
	i := slices.IndexFunc(b.Table.List, func(a command.Action) bool { return a.ID == "edit.redo" })
	for _, focus := range []fyne.Focusable{b.subjects.Prompt, b.cardAt(0), b.chipOf(1)} {
		if c.Focus(focus); b.Table.List[i].Can() {
			t.Errorf("nothing is to be done again, and on a %T it can be", focus)
		}
	}
}

// What is shown is what is used: a number or colour that is typed counts when a key acts, and when its field is left.
func TestLookWhatIsTypedIsUsed(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	wide := uitest.Encode(image.NewRGBA(image.Rect(0, 0, 64, 32))) // with a border to be coloured
	b.subjects.PromptChanged("a dog")
	b.drop(b.chipOf(1), uitest.File(t, "dog.png", wide))
	b.settle()
	c := b.cardAt(0)
	c.Toggle()
	b.win.Canvas().Focus(c.Editor.Code)
	c.Editor.Code.SetText("00ff00")
	b.win.Canvas().Focus(b.subjects.Prompt)
	b.settle()
	if got := b.state.Form.Cards[0].Ref.Square.Background; got != "#00ff00" {
		t.Errorf("the field showed 00ff00, and %q is used", got)
	}

	for _, o := range widgetsOf(b.tops()) {
		if n, ok := o.(*kit.Number); ok && n.Line.Text == "25" {
			n.Tapped(nil)
			break
		}
	}
	field, ok := b.win.Canvas().Focused().(interface{ SetText(string) })
	if !ok {
		t.Fatalf("%T has the focus", b.win.Canvas().Focused())
	}
	field.SetText("12")
	b.key(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault})
	j := b.started()
	if j.request.Steps != 12 {
		t.Errorf("the field says 12 steps, the job makes %d", j.request.Steps)
	}
	b.finish(j, inference.Failed{Err: context.Canceled})
}

// Under a page nobody sees what a key does to the rooms, so it does nothing there, nor does the menu; what belongs to no room goes on.
func TestLookKeysUnderAPage(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	b.drop(b.chipOf(1), uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.drop(b.chipOf(4), uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	b.settle()
	names := func() (list []string) {
		for _, c := range b.state.Form.Cards {
			list = append(list, c.Word.Text+" "+c.Ref.Name)
		}
		return list
	}
	was := names()
	for _, page := range []string{"grid.show"} {
		b.do(page)
		if !b.Paged() {
			t.Fatalf("%s shows no page", page)
		}
		b.RefreshMenus()
		for _, e := range b.Menus.Items {
			if e.Item.Label == "Generate" && !e.Item.Disabled {
				t.Error("the menu offers to generate")
			}
		}
		for _, s := range []command.Stroke{{Mod: fyne.KeyModifierShift, Key: fyne.KeyW}, {Mod: fyne.KeyModifierShortcutDefault, Key: fyne.KeyReturn}, {Key: fyne.KeyT}} {
			b.Press(s)
		}
		if now := names(); !slices.Equal(now, was) || b.prefs.FoldLeft || len(b.state.Queue.Waiting)+len(b.state.Queue.Flights) != 0 {
			t.Errorf("under %s: %q became %q, folded %v, %d jobs", page, was, now, b.prefs.FoldLeft, len(b.state.Queue.Waiting)+len(b.state.Queue.Flights))
		}
		b.Press(command.Stroke{Mod: fyne.KeyModifierShortcutDefault, Key: fyne.KeyComma})
		if b.Layers.Open() < 2 {
			t.Error("the preferences do not open")
		}
		b.Back()
		b.Back()
	}
	b.Press(command.Stroke{Mod: fyne.KeyModifierShift, Key: fyne.KeyW})
	if now := names(); slices.Equal(now, was) {
		t.Error("Shift+W swaps nothing where nothing covers the subjects")
	}
}

// After a key was changed it has the focus, and Esc closes the sheet.
func TestLookEscClosesTheKeys(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.ShowKeys()
	for _, s := range widgetsOf(b.tops()) {
		if k, ok := s.(*command.KeyCap); ok {
			k.Tapped(nil)
			k.KeyDown(&fyne.KeyEvent{Name: fyne.KeyU})
			break
		}
	}
	open := b.Layers.Open()
	b.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if open == 0 || b.Layers.Open() != open-1 {
		t.Errorf("%d open, then %d", open, b.Layers.Open())
	}
}

// TestLookEscLeavesThePrompt (rev16, no. 5), behind what it closes: the letters typed then are keys.
func TestLookEscLeavesThePrompt(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c, esc := b.win.Canvas(), &fyne.KeyEvent{Name: fyne.KeyEscape}
	c.Focus(b.subjects.Prompt)
	test.Type(b.subjects.Prompt, "a dog")
	closed := 0
	b.Opened(func() { closed++ })
	if c.Focused().TypedKey(esc); closed != 1 || c.Focused() != b.subjects.Prompt {
		t.Errorf("closed %d times, %T has the focus", closed, c.Focused())
	}
	if c.Focused().TypedKey(esc); c.Focused() != nil {
		t.Errorf("%T has the focus", c.Focused())
	}
	if b.Typed(&fyne.KeyEvent{Name: fyne.KeyT}); !b.columns.folded().left || b.state.Form.Prompt != "a dog" {
		t.Errorf("T folds the subjects: %v; the prompt is %q", b.columns.folded().left, b.state.Form.Prompt)
	}
	b.set.Steps.Slider.OnChanged(10)
	c.Focus(b.set.Steps.Slider)
	if b.Back(); c.Focused() != b.set.Steps.Slider {
		t.Error("Esc leaves a slider, which is reached with Tab")
	}
}
