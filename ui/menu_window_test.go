package ui

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/uitest"
)

// menu is the menu of a thing that is open; nil without one.
func (b *bench) menu() *widget.PopUpMenu {
	top := b.win.Canvas().Overlays().Top()
	if top == nil {
		return nil
	}
	f := reflect.ValueOf(top).Elem().FieldByName("Content")
	if !f.IsValid() {
		return nil
	}
	m, _ := f.Interface().(*widget.PopUpMenu)
	return m
}

// pick clicks on a thing with the other button, and on an entry of the menu that comes up.
func (b *bench) pick(o fyne.CanvasObject, label string) {
	b.t.Helper()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(2, 2)
	o.(fyne.SecondaryTappable).TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(2, 2), AbsolutePosition: at})
	b.settle()
	b.pickEntry(label)
}

func (b *bench) pickEntry(label string) {
	b.t.Helper()
	b.pickNow(label)
	b.settle()
}

// pickNow is pickEntry while a job runs.
func (b *bench) pickNow(label string) {
	b.t.Helper()
	m := b.menu()
	if m == nil {
		b.t.Fatal("no menu has come up")
	}
	var have []string
	for _, o := range m.Items {
		f := reflect.ValueOf(o).Elem().FieldByName("Item")
		if !f.IsValid() {
			continue // a line
		}
		item := f.Interface().(*fyne.MenuItem)
		if have = append(have, item.Label); item.Label == label {
			if item.Disabled {
				b.t.Fatalf("%s is not possible", label)
			}
			test.Tap(o.(fyne.Tappable))
			return
		}
	}
	b.t.Fatalf("no entry %s among %q", label, have)
}

// A click with the other button shows what can be done with a thing, and does it with that thing.
func TestLookMenusActOnWhatWasClicked(t *testing.T) {
	plain.Run(t)
	b := keeping(t, t.TempDir())
	defer b.end0()
	b.drop(nil, uitest.Files(t, t.TempDir(), 2)...)
	b.subjects.PromptChanged("a dog and a cat")
	cards := b.state.Form.Cards
	test.Tap(b.chipOf(1))
	test.Tap(b.chipOf(4))
	b.picture(b.run())
	b.picture(b.run())

	// A word: it is marked, and opens a picture, or loses its own.
	b.pick(b.chipOf(1), "Unbind word")
	if b.state.Form.Cards[0].Bound() || b.state.Span.On {
		t.Errorf("the word is still bound: %s", bondsIn(b.state.State))
	}
	if b.chipOf(4).TappedSecondary(&fyne.PointEvent{}); !b.state.Span.On {
		t.Error("the word is not marked while its menu is open")
	}
	b.menu().Dismiss()
	if b.settle(); b.state.Span.On {
		t.Error("the word is marked after its menu has gone")
	}
	// A card.
	b.pick(b.subjects.ByID[cards[1].ID], "Mute the subject")
	if c := b.state.Form.Cards; c[0].Off || !c[1].Off || b.state.Selected != cards[1].ID {
		t.Errorf("muted %v, %v; chosen %d", c[0].Off, c[1].Off, b.state.Selected)
	}
	b.pick(b.subjects.ByID[cards[1].ID], "Move up")
	if b.state.Form.Cards[0].ID != cards[1].ID {
		t.Error("the subject has not moved up")
	}
	b.pick(b.subjects.ByID[cards[0].ID], "Swap pictures with “cat”")
	if got := b.state.Form.Cards[1].Ref.Name; got != "p001.png" {
		t.Errorf("after swapping the second subject has %s", got)
	}
	// A thumbnail: it is in view then.
	b.state.Form.Seed = 1
	b.pick(b.stage.Strip.Objects[0], "Use its seed")
	if b.state.View.Shot != 0 || b.state.Form.Seed != b.state.Shots[0].Seed {
		t.Errorf("view %+v, seed %d", b.state.View, b.state.Form.Seed)
	}
	// The picture: by its key, too.
	b.subjects.PromptChanged("a cat")
	b.win.Canvas().Unfocus()
	b.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: desktop.KeyMenu})
	b.pickEntry("Use its prompt")
	if b.state.Form.Prompt != "a dog and a cat" {
		t.Errorf("the prompt is %q", b.state.Form.Prompt)
	}
	// A node of the tree.
	b.do("view.rounds")
	b.settle()
	var nodes []*kit.Tile
	walk(b.gallery.Tree.Root, func(o fyne.CanvasObject) {
		if tile, ok := o.(*kit.Tile); ok {
			nodes = append(nodes, tile)
		}
	})
	if len(nodes) != 2 {
		t.Fatalf("the tree has %d nodes", len(nodes))
	}
	b.state.Form.Seed = 1
	b.pick(nodes[1], "Use its seed")
	if b.state.View.Shot != 1 || b.state.Form.Seed != b.state.Shots[1].Seed {
		t.Errorf("the node shows %+v, seed %d", b.state.View, b.state.Form.Seed)
	}
	if b.menu() != nil {
		t.Error("the menu stays")
	}
}

// Jobs of the queue have their menus.
func TestLookMenusOfJobs(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.ask("three")
	b.columns.tabs.show(queueTab)
	b.layOut(fyne.NewSize(1240, 800))
	rows := func() (list []fyne.CanvasObject) {
		walk(b.queue.Root, func(o fyne.CanvasObject) {
			if tile, ok := o.(*kit.Tile); ok {
				list = append(list, tile)
			}
		})
		return list
	}
	pick := func(i int, label string) {
		t.Helper()
		o := rows()[i]
		o.(fyne.SecondaryTappable).TappedSecondary(&fyne.PointEvent{})
		b.pickNow(label)
	}
	pick(2, "Move the job up")
	if got := describeIn(b.state.Queue); got != "[1] 3 2" {
		t.Errorf("after moving up: %s", got)
	}
	pick(1, "Remove from queue")
	if got := describeIn(b.state.Queue); got != "[1] 2" {
		t.Errorf("after removing: %s", got)
	}
	pick(0, "Stop")
	if b.state.Run().Phase == 1 {
		t.Error("the running job goes on")
	}
	b.finish(j, inference.Done{})
	b.finish(b.started(), inference.Done{})
}

// The picture in view goes into the clipboard as its file, so that its recipe goes with it.
// Shift+F10 in the list of models has no menu while the catalogue, or a model to add, stands in place of the chosen one; a row's own menu
// brings that back.
func TestLookNoMenuOfAModelThatIsNotShown(t *testing.T) {
	plain.Run(t)
	b, _, _ := withModels(t, nil)
	b.chooseModel(1)
	var list fyne.Focusable
	var rows []*kit.ListRow
	walk(b.models.Root, func(o fyne.CanvasObject) {
		if l, ok := o.(interface {
			fyne.Focusable
			fyne.SecondaryTappable
			Select(int)
		}); ok {
			list = l
		}
		if row, ok := o.(*kit.ListRow); ok {
			rows = append(rows, row)
		}
	})
	there := func() bool {
		b.win.Canvas().Focus(list)
		b.menuHere()
		m := b.menu()
		if m != nil {
			m.Hide()
		}
		return m != nil
	}
	if !there() {
		t.Fatal("a model that is shown has no menu")
	}
	for _, open := range []string{"Get real models…", "Add a folder…"} {
		b.tapModels(open)
		if b.settle(); there() {
			t.Errorf("%s: a model that is not shown has a menu", open)
		}
		b.pick(rows[1], "Rename…")
		if s := b.state.Shelf; s.Getting || s.Adding != nil {
			t.Errorf("%s: the menu of a row does not bring its model back: %v, %v", open, s.Getting, s.Adding)
		}
		b.Back()
	}
}

func TestThePictureIsCopied(t *testing.T) {
	var copied [][]byte
	fail := errors.New("no clipboard")
	var err error
	var files []string
	b := ready(t, func(o *Options) {
		o.CopyFiles = func(paths []string) error { files = paths; return nil }
		o.CopyImage = func(png []byte) error { copied = append(copied, png); return err }
	})
	b.subjects.PromptChanged("a dog")
	b.do("picture.copy")
	if len(copied) > 0 {
		t.Error("without a picture something is copied")
	}
	b.picture(b.run())
	b.win.Canvas().Unfocus()
	b.Press(command.Stroke{Mod: fyne.KeyModifierShortcutDefault, Key: fyne.KeyC})
	b.settle()
	if len(copied) != 1 || !bytes.Equal(copied[0], uitest.Read(t, b.state.Shot().Path)) {
		t.Fatalf("%d pictures are copied", len(copied))
	}
	if !strings.Contains(b.state.Caption(), "clipboard") {
		t.Errorf("the stage says %q", b.state.Caption())
	}
	if b.do("picture.file"); len(files) != 1 || files[0] != b.state.Shot().Path {
		t.Errorf("the files %q are copied", files)
	}
	err = fail
	b.do("picture.copy")
	if !errors.Is(b.state.ActionErr, fail) {
		t.Errorf("said is %v", b.state.ActionErr)
	}
}
