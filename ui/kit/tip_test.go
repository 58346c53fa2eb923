package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

// A text under the pointer follows what it is about: it says what is so now, and goes with it, and when everything moves.
func TestATipFollows(t *testing.T) {
	test.NewTempApp(t)
	text := "write something first"
	button := NewButton("Generate", func() {})
	button.Tip.Text = func() string { return text }
	page, layer := container.NewVBox(button), NewTips()
	root := container.NewStack(container.NewPadded(page), layer)
	w := test.NewWindow(root)
	defer w.Close()
	w.Resize(fyne.NewSize(400, 300))
	says := func(want string) {
		t.Helper()
		got := ""
		if layer.box.Visible() {
			got = layer.text.Text
		}
		if got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	button.Tip.Show(button)
	says(text)
	text = "makes a picture"
	FollowTip(root)
	says(text)
	page.Hide()
	FollowTip(root)
	says("")
	page.Show()
	button.Tip.Show(button)
	says(text)
	text = ""
	FollowTip(root)
	says("")
	text = "again"
	button.Tip.Show(button)
	w.Resize(fyne.NewSize(300, 200))
	says("")
}
