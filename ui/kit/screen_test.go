package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// Nothing under a page takes a click, the pointer or a turn of the wheel, wherever the page itself has nothing for them; and what was said
// under the pointer goes when a page or a sheet comes.
func TestAPageCoversWhatIsBelow(t *testing.T) {
	test.NewTempApp(t)
	taps := 0
	button := NewButton("Generate", func() { taps++ })
	button.Tip.Text = func() string { return "makes a picture" }
	long := widget.NewLabel("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20")
	below := container.NewVScroll(long)
	layers := &Layers{}
	page := layers.Screen(container.NewVBox())
	layer := NewTips()
	w := test.NewWindow(container.NewStack(container.NewBorder(button, nil, nil, nil, below), page.Root, layer))
	defer w.Close()
	layers.Canvas = w.Canvas
	w.Resize(fyne.NewSize(400, 300))
	at := fyne.NewPos(200, 15)
	reached := func() (list []string) {
		before := taps
		if test.TapCanvas(w.Canvas(), at); taps > before {
			list = append(list, "click")
		}
		if test.MoveMouse(w.Canvas(), fyne.NewPos(1, 299)); button.Tip.over {
			t.Error("the pointer has not left")
		}
		if test.MoveMouse(w.Canvas(), at); button.Tip.over {
			list = append(list, "pointer")
		}
		offset := below.Offset.Y
		if test.Scroll(w.Canvas(), fyne.NewPos(200, 200), 0, -20); below.Offset.Y != offset {
			list = append(list, "wheel")
		}
		return list
	}
	if got := reached(); len(got) != 3 {
		t.Errorf("without a page only %q work", got)
	}
	button.Tip.Show(button)
	if page.Show(); layer.box.Visible() || layer.owner != nil {
		t.Error("what was explained stays over the page")
	}
	if got := reached(); len(got) > 0 {
		t.Errorf("through the page go %q", got)
	}
	page.Hide()
	button.Tip.Show(button)
	closeIt := layers.Sheet("Sheet", fyne.NewSize(200, 100), widget.NewLabel(""))
	if layer.box.Visible() {
		t.Error("what was explained stays under the sheet")
	}
	closeIt()
	if got := reached(); len(got) != 3 {
		t.Errorf("after the page only %q work", got)
	}
}
