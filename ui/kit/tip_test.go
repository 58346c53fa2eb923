package kit

import (
	"strconv"
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

// A text goes, or does not come, where what it is about was scrolled away, moved, or closed with its sheet; nobody tells of those.
func TestATipStaysNowhere(t *testing.T) {
	test.NewTempApp(t)
	button := NewButton("Steps", func() {})
	button.Tip.Text = func() string { return "how many" }
	page, layer := NewPage(container.NewVBox(button, container.New(Fixed{Height: 900}))), NewTips()
	root := container.NewStack(container.NewPadded(page), layer)
	w := test.NewTempWindow(t, root)
	w.Resize(fyne.NewSize(400, 300))
	l := &Layers{Canvas: w.Canvas}
	back := func() { page.Content.Show(); page.ScrollToTop() }
	for name, gone := range map[string]func(){
		"scrolled":     func() { page.ScrollToOffset(fyne.NewPos(0, 20)) },
		"scrolled off": func() { page.ScrollToBottom() },
		"hidden":       func() { page.Content.Hide() },
	} {
		for _, seen := range []bool{true, false} {
			if back(); seen {
				button.Tip.Show(button)
			} else {
				layer.owner, layer.at = button, placeOf(button) // it is waited for
			}
			if gone(); seen {
				FollowTip(root)
			} else {
				button.Tip.come(button, layer)
			}
			if layer.box.Visible() {
				t.Errorf("%s, seen before: %v: the text is there", name, seen)
				layer.box.Hide()
			}
		}
	}
	back()
	layer.owner, layer.at = button, placeOf(button)
	if button.Tip.come(button, layer); !layer.box.Visible() {
		t.Error("it does not come")
	}
	other := NewButton("Original", func() {})
	other.Tip.Text = func() string { return "as it was" }
	closeIt := l.Sheet("Keys", fyne.NewSize(300, 200), other)
	if layer.box.Visible() {
		t.Error("under the sheet the text is there still")
	}
	inner := tipsOver(other)
	inner.owner, inner.at = other, placeOf(other)
	if inner == layer || inner.at.IsZero() {
		t.Fatalf("the sheet has no layer: %v, at %v, %T", inner == layer, inner.at, w.Canvas().Overlays().Top())
	}
	closeIt()
	if other.Tip.come(other, inner); layer.box.Visible() || inner.box.Visible() {
		t.Error("the text of a sheet that was closed comes")
	}
}

// A number that is taken by the keyboard leaves the slider in focus without a word about it.
func TestTakingANumberBringsNoTip(t *testing.T) {
	test.NewTempApp(t)
	s := NewSlider(1, 100)
	s.Explain(func() string { return "how many" })
	n := NewNumber(Caption(""), s, func(v float64) string { return strconv.Itoa(int(v)) })
	layer := NewTips()
	w := test.NewTempWindow(t, container.NewStack(container.NewPadded(container.NewVBox(s, n)), layer))
	w.Resize(fyne.NewSize(400, 300))
	n.Tapped(nil)
	n.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if layer.owner != nil || w.Canvas().Focused() != fyne.Focusable(s) {
		t.Errorf("the text of %v will come; %v has the focus", layer.owner, w.Canvas().Focused())
	}
}

// What is said of a row of a list goes when it is clicked: its menu lay over the words.
func TestATipLeavesARowThatIsClicked(t *testing.T) {
	test.NewTempApp(t)
	row, layer := NewListRow().(*ListRow), NewTips()
	row.Name("a session with a long name", 12)
	w := test.NewTempWindow(t, container.NewStack(container.NewVBox(row), layer))
	w.Resize(fyne.NewSize(400, 300))
	row.Settle()
	row.Tap, row.Menu = func() {}, func(fyne.Position) {}
	for name, click := range map[string]func(*fyne.PointEvent){"click": row.Tapped, "other button": row.TappedSecondary} {
		row.over.tip.Show(row.over)
		if !layer.box.Visible() {
			t.Fatal("nothing is said of the row")
		}
		if click(&fyne.PointEvent{}); layer.box.Visible() {
			t.Errorf("%s: it stays", name)
		}
	}
}
