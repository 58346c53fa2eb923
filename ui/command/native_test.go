package command

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/ui/kit"
)

// nativeMenus is a window whose canvas has no bar of menus, as on macOS: nothing comes of opening it.
type nativeMenus struct{ fyne.Window }

func (w nativeMenus) Canvas() fyne.Canvas { return barless{w.Window.Canvas()} }

type barless struct{ fyne.Canvas }

func (barless) ToggleMenu() {}

// TestOptionAndALetterIsText: on macOS Option+E is an accent and opens no menu, and F10 has none to open; the cursor stays.
func TestOptionAndALetterIsText(t *testing.T) {
	test.NewTempApp(t)
	e := widget.NewEntry()
	win := nativeMenus{test.NewTempWindow(t, e)}
	k := New(win, &kit.Layers{Canvas: win.Canvas})
	k.All = func() (list []Action) {
		for i, m := range []menu{MenuFile, MenuEdit, MenuRun, MenuModels, MenuView, MenuHelp} {
			list = append(list, Action{ID: string(rune('a' + i)), Menu: m, Label: "it", Do: func() {}})
		}
		return list
	}
	k.Own, k.OnHold, k.Closing = func() map[string]string { return nil }, func(bool) {}, func() bool { return false }
	for _, system := range []string{"darwin", "linux"} {
		k.System = system
		k.Bind()
		heard := false
		for _, letter := range []fyne.KeyName{"F", "E", "R", "M", "V", "H"} {
			e.SetText("caf in Rome")
			e.CursorColumn = 3
			win.Canvas().Focus(e)
			heard = k.Press(Stroke{fyne.KeyModifierAlt, letter}) || heard
			if k.OpenMenus(); system == "darwin" && e.CursorColumn != 3 {
				t.Errorf("Option+%s moves the cursor to %d", letter, e.CursorColumn)
			}
		}
		if heard != (system == "linux") || len(k.letters) == 0 != (system == "darwin") {
			t.Errorf("%s: a letter opens a menu: %v", system, heard)
		}
	}
}
