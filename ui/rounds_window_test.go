package ui

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/ui/kit"
	"realword/ui/uitest"
)

// Two rounds, the second from the first one's picture, and back.
func TestRoundsFromTheWindow(t *testing.T) {
	dir := t.TempDir()
	b := ready(t, func(o *Options) {
		o.OpenHistory = func() (*history.Store, error) { return history.Open(filepath.Join(dir, "history.db")) }
	})
	defer func() {
		if err := b.journal.Close(); err != nil {
			t.Error(err)
		}
	}()
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	b.subjects.PromptChanged("a dog with a pink hat")
	test.Tap(b.chipOf(1))
	round := func() {
		t.Helper()
		j := b.run()
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, uitest.Picture(j.request, 0))
		b.end(j, inference.Done{})
		b.until("the picture is kept", func() bool { return b.state.Shots[len(b.state.Shots)-1].Kept != 0 && !b.journal.Working() })
	}
	round()
	first := b.state.Shot().Kept
	b.do("view.rounds")
	tiles := func() (list []*kit.Tile) {
		b.settle()
		walk(b.gallery.Tree.Root, func(o fyne.CanvasObject) {
			if tile, ok := o.(*kit.Tile); ok {
				list = append(list, tile)
			}
		})
		return list
	}
	if n := len(tiles()); n != 1 {
		t.Errorf("the tree has %d pictures", n)
	}
	b.reuse.Reference()
	choice, _ := sheetOf(b, func(r *kit.Radio) bool { return true })
	if choice.Chosen != 0 || choice.Options[0] != "dog with a pink hat" || len(choice.Options) < 3 {
		t.Errorf("offered %q, chosen %d", choice.Options, choice.Chosen)
	}
	b.pressSheet("Use as reference")
	if c := b.state.Form.Cards; len(c) != 2 || c[0].From != first || c[0].Word.Text != "dog with a pink hat" || !c[1].Anchor {
		t.Fatalf("cards %+v", c)
	}
	for want := 2; want <= 3; want++ { // it grows while it is open
		round()
		b.until(fmt.Sprintf("the tree has the %d pictures, the last one chosen", want), func() bool {
			list := tiles()
			return len(list) == want && list[want-1].Chosen
		})
	}
	list := tiles()
	test.Tap(list[0])
	b.settle()
	if s := b.state.Shot(); s == nil || s.Kept != first || !list[0].Chosen || list[1].Chosen {
		t.Errorf("in view is %+v", s)
	}
	b.reuse.Recipe()
	b.settle()
	b.pressSheet("Use this recipe")
	if got := bondsIn(b.state.State); got != "rex.png=dog#1" {
		t.Errorf("back at the first round the subjects are %s", got)
	}

	// From the strip onto a word and beside everything.
	pos := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.chipOf(5)).AddXY(3, 3)
	thumb := b.stage.Strip.Objects[0].(*kit.Tile)
	thumb.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: pos}})
	thumb.DragEnd()
	b.settle()
	if got := bondsIn(b.state.State); !strings.HasSuffix(got, "=hat#1") {
		t.Errorf("after dropping the picture on a word: %s", got)
	}
	thumb.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: fyne.NewPos(600, 400)}})
	thumb.DragEnd()
	b.settle()
	if len(b.state.Form.Cards) != 2 {
		t.Errorf("dropped on the stage: %s", bondsIn(b.state.State))
	}
}

func TestProbe(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	find := func(kind, text string) Seen {
		t.Helper()
		for _, s := range onScreen(b.win) {
			if s.Kind == kind && s.Text == text {
				return s
			}
		}
		t.Errorf("no %s %q is seen", kind, text)
		return Seen{}
	}
	if s := find("chip", "dog"); s.W < 10 || s.X < 286 || s.Y < 40 {
		t.Errorf("the chip is at %+v", s)
	}
	if s := find("button", "Generate"); s.Off || s.X < 800 {
		t.Errorf("%+v", s)
	}
}
