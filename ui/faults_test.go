package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/uitest"
)

// TestLookTheWheelTurnsThePageOverTheNegativePrompt (fault 17): also when the field slides under the pointer; who types a text there that
// does not fit scrolls that.
func TestLookTheWheelTurnsThePageOverTheNegativePrompt(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.set.More.OnTapped()
	b.layOut(fyne.NewSize(1240, 620))
	page, field := b.set.Page, b.set.Negative
	page.ScrollToOffset(fyne.NewPos(0, field.Position().Y))
	wheel := func(want bool, when string) {
		t.Helper()
		page.ScrollToBottom()
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(field).AddXY(field.Size().Width/2, field.Size().Height/2)
		was := page.Offset.Y
		test.Scroll(b.win.Canvas(), at, 0, 30)
		if moved := page.Offset.Y != was; moved != want {
			t.Errorf("%s: the page moves %v, want %v", when, moved, want)
		}
	}
	wheel(true, "the pointer alone")
	b.win.Canvas().Focus(field)
	wheel(true, "typing a short text")
	b.win.Canvas().Unfocus()
	field.SetText(strings.Repeat("blurry, of many colours and without a shape\n", 12))
	b.win.Canvas().Focus(field)
	wheel(false, "typing a long text")
	b.win.Canvas().Unfocus()
	wheel(true, "after typing")
}

// TestLookTheWheelTurnsThePageOverFields (rev22, no. 7): those of one line, which have nothing of their own to turn.
func TestLookTheWheelTurnsThePageOverFields(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.set.More.OnTapped()
	turns := func(page *container.Scroll, root fyne.CanvasObject) {
		t.Helper()
		fields := 0
		for _, o := range test.LaidOutObjects(root) {
			field, is := o.(*kit.Field)
			if !is || field.MultiLine || !field.Visible() {
				continue
			}
			fields++
			where := fyne.CurrentApp().Driver().AbsolutePositionForObject
			page.ScrollToTop()
			page.ScrollToOffset(fyne.NewPos(0, where(field).Y-where(page).Y-page.Size().Height/2))
			was := page.Offset.Y
			test.Scroll(b.win.Canvas(), where(field).AddXY(field.Size().Width/2, field.Size().Height/2), 0, -20)
			if page.Offset.Y == was {
				t.Errorf("over %q the page does not move from %v", field.Text, was)
			}
		}
		if fields < 2 {
			t.Fatalf("%d fields", fields)
		}
	}
	b.layOut(fyne.NewSize(1240, 500))
	turns(b.set.Page, b.set.Page)
	b.layOut(fyne.NewSize(1240, 300))
	b.do("file.preferences")
	for _, o := range test.LaidOutObjects(b.win.Canvas().Overlays().Top()) {
		if page, is := o.(*container.Scroll); is && page.Content.MinSize().Height > page.Size().Height {
			turns(page, page)
			return
		}
	}
	t.Error("the preferences have no page")
}

// TestLookCutTextsTellTheWhole (fault 20): a card in a narrow panel, and the path of a picture, whose ending is never broken.
func TestLookCutTextsTellTheWhole(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog on the beach")
	b.drop(nil, uitest.File(t, "a-very-long-name-of-a-picture-of-a-dog-on-a-beach.png", uitest.PNG(uitest.Red)))
	b.settle()
	b.layOut(smallest)
	said := ""
	walk(b.columns.left, func(o fyne.CanvasObject) {
		if w, ok := o.(interface{ Said() string }); ok && w.Said() != "" {
			said += w.Said() + "\n"
		}
	})
	if !strings.Contains(said, "a-very-long-name-of-a-picture-of-a-dog-on-a-beach.png") {
		t.Errorf("under the pointer the card says %q", said)
	}
	test.Tap(b.chipOf(1))
	b.picture(b.run())
	lines := strings.Split(b.set.Reasons.Text, "\n")
	if last := lines[len(lines)-1]; len(lines) != 2 || !strings.HasSuffix(last, "1.png") || len([]rune(last)) > 32 {
		t.Errorf("the path is shown as %q", lines)
	}
}

// TestLookDangerIsRedAndCannotBeMixedUp (fault 22).
func TestLookDangerIsRedAndCannotBeMixedUp(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	b.columns.tabs.show(queueTab)
	asks := func(keep, go_ string) {
		t.Helper()
		var list []string
		sheetOf(b, func(k *kit.Button) bool {
			if k.Text != "" {
				list = append(list, fmt.Sprint(k.Text, k.Importance == widget.DangerImportance))
			}
			return false
		})
		if got, want := strings.Join(list, ", "), keep+"false, "+go_+"true"; got != want {
			t.Errorf("it offers %q, want %q", got, want)
		}
		b.Back()
	}
	walk(b.queue.Root, func(o fyne.CanvasObject) {
		if k, ok := o.(*kit.IconButton); ok && k.Name == "Cancel all jobs" {
			test.Tap(k)
		}
	})
	asks("Keep the jobs", "Cancel all jobs")
	b.askClose()
	asks("Keep it open", "Close")
	b.queue.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// focusables are what Tab reaches below an object.
func focusables(o fyne.CanvasObject) (list []fyne.Focusable) {
	walk(o, func(o fyne.CanvasObject) {
		f, ok := o.(fyne.Focusable)
		if d, can := o.(fyne.Disableable); ok && (!can || !d.Disabled()) && shown(o) {
			list = append(list, f)
		}
	})
	return list
}

// shown tells whether an object has a place on the screen.
func shown(o fyne.CanvasObject) bool {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if !o.Visible() || c == nil || o.Size().Width <= 0 || at.X < 0 || at.Y < 0 {
		return false
	}
	return at.X+o.Size().Width <= c.Size().Width && at.Y+o.Size().Height <= c.Size().Height
}

// TestLookEscClosesPreferences (fault 23): whatever of them has the focus.
func TestLookEscClosesPreferences(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.layOut(fyne.NewSize(1240, 800))
	n := 0
	for i := 0; ; i++ {
		b.do("file.preferences")
		top := b.win.Canvas().Overlays().Top()
		if top == nil {
			t.Fatal("no sheet is open")
		}
		list := focusables(top)
		if i >= len(list) {
			b.Back()
			break
		}
		n++
		b.win.Canvas().Focus(list[i])
		list[i].TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		b.settle()
		if b.win.Canvas().Overlays().Top() != nil {
			t.Errorf("Esc closes nothing while %T has the focus", list[i])
			b.Back()
		}
	}
	if n < 8 {
		t.Errorf("%d things have been tried", n)
	}
}

// TestLookTabStopsShowARing (fault 23): what has the focus looks otherwise than without, also where it is chosen.
func TestLookTabStopsShowARing(t *testing.T) {
	plain.Run(t)
	b := worked(t, 100, "")
	b.layOut(fyne.NewSize(1240, 800))
	c := b.win.Canvas()
	list := focusables(b.win.Content())
	if len(list) < 20 {
		t.Fatalf("Tab reaches %d things", len(list))
	}
	for _, f := range list {
		o := f.(fyne.CanvasObject)
		c.Unfocus()
		before := test.RenderObjectToMarkup(o)
		c.Focus(f)
		if c.Focused() == f && test.RenderObjectToMarkup(o) == before {
			name := ""
			if a, ok := o.(fyne.Accessible); ok {
				name = a.AccessibilityLabel()
			}
			t.Errorf("%T %q looks the same with the focus", f, name)
		}
	}
	c.Unfocus()
}

// TestLookARemarkGoesWhenItIsUntrue (fault 25): that a picture has no word, once it has one.
func TestLookARemarkGoesWhenItIsUntrue(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog on the beach")
	file := uitest.File(t, "rex.png", uitest.PNG(uitest.Red))
	b.drop(nil, file)
	b.settle()
	b.drop(nil, file)
	b.settle()
	if !strings.Contains(b.state.Remark, "is already here, without a word") {
		t.Fatalf("it says %q", b.state.Remark)
	}
	test.Tap(b.chipOf(1))
	b.settle()
	if b.state.Remark != "" || b.subjects.Remark.Visible() {
		t.Errorf("after the picture has a word it says %q", b.state.Remark)
	}
}
