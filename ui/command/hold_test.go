package command

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/ui/kit"
)

// held is a window whose canvas hears keys that are held, as that of a real window does, and that of tests does not.
type held struct {
	fyne.Window
	keys *keyed
}

func (h held) Canvas() fyne.Canvas { return h.keys }

type keyed struct {
	fyne.Canvas
	down, up func(*fyne.KeyEvent)
}

var _ desktop.Canvas = (*keyed)(nil)

func (k *keyed) OnKeyDown() func(*fyne.KeyEvent)     { return k.down }
func (k *keyed) SetOnKeyDown(f func(*fyne.KeyEvent)) { k.down = f }
func (k *keyed) OnKeyUp() func(*fyne.KeyEvent)       { return k.up }
func (k *keyed) SetOnKeyUp(f func(*fyne.KeyEvent))   { k.up = f }

// TestSpaceIsLetGo: what Space has hidden comes back when it is let go, or once something has got the focus, which is told instead.
func TestSpaceIsLetGo(t *testing.T) {
	test.NewTempApp(t)
	entry := widget.NewEntry()
	win := held{test.NewTempWindow(t, entry), nil}
	win.keys = &keyed{Canvas: win.Window.Canvas()}
	k := New(win, &kit.Layers{Canvas: win.Canvas})
	var holds []bool
	k.OnHold = func(on bool) { holds = append(holds, on) }
	k.All, k.Own = func() []Action { return nil }, func() map[string]string { return nil }
	k.Closing = func() bool { return false }
	k.Bind()
	space := &fyne.KeyEvent{Name: fyne.KeySpace}
	win.keys.down(space)
	if !k.holds() || !slices.Equal(holds, []bool{true}) {
		t.Fatalf("held, it says %v", holds)
	}
	win.keys.up(space)
	if k.holds() || !slices.Equal(holds, []bool{true, false}) {
		t.Errorf("let go, it says %v", holds)
	}
	holds = nil
	win.keys.down(space)
	win.keys.Focus(entry)
	if k.holds() || !slices.Equal(holds, []bool{true, false}) {
		t.Errorf("with something in focus it says %v", holds)
	}
	if win.keys.down(space); len(holds) != 2 { // that is typed
		t.Errorf("Space in a field: it says %v", holds)
	}
}
