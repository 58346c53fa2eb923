package mask

import (
	"image"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/driver/desktop"

	"realword/inference"
	"realword/inference/picture"
)

// TestAMaskThatIsAway: it is shown as soon as it is back, and until then nothing takes its place but what the user says so of.
func TestAMaskThatIsAway(t *testing.T) {
	painted := func(m *image.Gray) (n int) {
		for _, v := range m.Pix {
			if v != 0 {
				n++
			}
		}
		return n
	}
	b := newBench(t)
	region := func() inference.Region { return b.State.Form.Request().Subjects[0].Region }
	b.line(desktop.MouseButtonPrimary, 0.25, 0.5, 0.75, 0.5)
	here, pixels := region(), painted(b.mask)
	away := here
	away.Data = nil
	b.Close()
	clear(b.cover) // as in another start
	b.State.Form = b.State.Form.WithRegion(1, away)
	b.Paint(1)
	b.Refresh()
	stroke := func() { b.line(desktop.MouseButtonPrimary, 0.9, 0.9, 0.95, 0.9) }
	for name, do := range map[string]func(){
		"a stroke":            stroke,
		"a turn of wheel":     func() { b.enlarge(2, picture.Point{X: 0.5, Y: 0.5}); b.settle() },
		"inverted":            func() { b.Key("I") },
		"mirrored":            func() { b.Key("Shift+I") },
		"another tool":        func() { b.hold(erase); stroke(); b.hold(paint) },
		"laid down, up again": func() { b.Close(); b.Paint(1); b.Refresh(); stroke() },
	} {
		if do(); region().SHA256 != away.SHA256 {
			t.Fatalf("%s takes the place of a mask that is away", name)
		}
	}
	if !strings.Contains(b.bar.note.Text, "cannot be read") {
		t.Errorf("said is %q", b.bar.note.Text)
	}
	b.State.Form = b.State.Form.WithRegion(1, here) // with the brush in hand
	b.Refresh()
	if got := painted(b.mask); got != pixels {
		t.Errorf("it is back, and seen are %d pixels of %d", got, pixels)
	}
	if stroke(); painted(b.mask) <= pixels {
		t.Errorf("a stroke more, and %d pixels of %d are left", painted(b.mask), pixels)
	}
	b.Close()
	clear(b.cover)
	b.State.Form = b.State.Form.WithRegion(1, away)
	b.Paint(1)
	b.Refresh()
	b.clear()
	b.Refresh()
	if stroke(); region().SHA256 == away.SHA256 || region().IsZero() || slices.Max(b.mask.Pix) == 0 {
		t.Error("cleared, it is not painted anew")
	}
}
