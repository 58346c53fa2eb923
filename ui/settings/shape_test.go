package settings

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/ui/state"
)

// chosen are the names of the shapes that are lit up.
func (p *shaper) lit() (names []string) {
	for _, t := range append(p.shapes, p.free) {
		if t.Chosen {
			names = append(names, t.Name)
		}
	}
	return names
}

func (p *shaper) fields() string { return p.sides[0].Text + "x" + p.sides[1].Text }

// TestShapes are pressed, keep the number of pixels, and are swapped; the square is the default.
func TestShapes(t *testing.T) {
	r := newRoom(t)
	p := r.shape
	say := func(what string, size image.Point, lit string) {
		t.Helper()
		r.Settle()
		if got := r.form().Size(r.State.Model); got != size || p.fields() != fmt.Sprintf("%dx%d", size.X, size.Y) || strings.Join(p.lit(), " ") != lit {
			t.Errorf("%s: the form has %v, the fields say %s, lit are %q; wanted %v, %s", what, got, p.fields(), p.lit(), size, lit)
		}
	}
	press := func(name string) {
		t.Helper()
		for _, tile := range p.shapes {
			if tile.Name == name {
				test.Tap(tile)
				return
			}
		}
		t.Fatalf("no shape is called %s", name)
	}
	say("at first", image.Pt(128, 128), "1:1")
	press("3:2")
	say("3:2", image.Pt(144, 96), "3:2")
	press("16:9")
	say("16:9", image.Pt(176, 96), "16:9")
	test.Tap(p.swap)
	say("swapped", image.Pt(96, 176), "9:16")
	press("1:1")
	say("the square again", image.Pt(128, 128), "1:1")
	if f := r.form(); f.Width != 0 || f.Height != 0 {
		t.Errorf("the model's own size is a wish: %d, %d", f.Width, f.Height)
	}
	r.Change(func(s *state.State) { s.Form = s.Form.WithSize(image.Pt(256, 256), s.Model) })
	say("large", image.Pt(256, 256), "1:1")
	for range 3 { // the number of pixels does not creep away
		press("16:9")
		say("wide", image.Pt(256, 144), "16:9")
		press("1:1")
		say("as large as before", image.Pt(256, 256), "1:1")
	}
	if tip := p.explain(state.Shape{Width: 9, Height: 16}); tip != "144 × 256" {
		t.Errorf("9:16 is explained as %q", tip)
	}
	r.Change(func(s *state.State) { s.Form = s.Form.WithSize(image.Pt(144, 96), s.Model) })
	press("1:1")
	say("a square about as large as the model's own is its own", image.Pt(128, 128), "1:1")
	r.Change(func(s *state.State) { s.Form = s.Form.WithSize(image.Pt(256, 256), s.Model) })
	test.Tap(r.Presets["release"])
	say("another preset", image.Pt(256, 256), "1:1")
}

// TestTypedSizesAreSnapped: what is typed is the nearest that the model makes, at once and with a word; the field shows it when it is left.
func TestTypedSizesAreSnapped(t *testing.T) {
	r := newRoom(t)
	p, w := r.shape, r.shape.sides[0]
	r.Win.Canvas().Focus(w)
	for _, c := range []struct {
		typed string
		size  image.Point
		note  string
	}{
		{"100", image.Pt(96, 128), "100 becomes 96 (steps of 16)"},
		{"10", image.Pt(64, 128), "10 becomes 64 (64 to 256)"},
		{"99999", image.Pt(256, 128), "99999 becomes 256 (64 to 256)"},
		{"160", image.Pt(160, 128), ""},
		{"wide", image.Pt(160, 128), "Write the size in pixels, for example 128"},
		{"", image.Pt(128, 128), ""},
	} {
		w.SetText(c.typed)
		r.Settle()
		if got := r.form().Size(r.State.Model); got != c.size || p.note.Text != c.note || p.note.Visible() != (c.note != "") || w.Text != c.typed {
			t.Errorf("%q: the form has %v, the note says %q, the field %q", c.typed, got, p.note.Text, w.Text)
		}
	}
	for typed, want := range map[string]string{"192": "", "64": "", "256": "", "128": ""} {
		w.SetText(typed)
		if r.Settle(); p.stray.Text != want || p.astray.Visible() != (want != "") {
			t.Errorf("%s × 128: it says %q, want %q", typed, p.stray.Text, want)
		}
	}
	p.sides[1].SetText("256")
	w.SetText("256")
	if r.Settle(); !p.astray.Visible() || !strings.HasPrefix(p.stray.Text, "Far larger than what this model learned from (128 × 128)") {
		t.Errorf("256 × 256: it says %q", p.stray.Text)
	}
	p.sides[1].SetText("128")
	w.SetText("wide")
	if r.Win.Canvas().Unfocus(); p.note.Visible() || w.Text == "wide" {
		t.Errorf("left, the field says %q, and under it stands %q", w.Text, p.note.Text)
	}
	r.Win.Canvas().Focus(w)
	w.SetText("250")
	r.Win.Canvas().Unfocus()
	if p.fields() != "256x128" || strings.Join(p.lit(), "") != "Free" || !strings.Contains(p.note.Text, "256") {
		t.Errorf("left, the fields say %s, lit are %q, the note says %q", p.fields(), p.lit(), p.note.Text)
	}
	p.sides[1].TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	if p.fields() != "256x144" || p.note.Visible() || strings.Join(p.lit(), "") != "16:9" {
		t.Errorf("one step up: %s, %q, %q", p.fields(), p.note.Text, p.lit())
	}
}

// TestAModelOfOneSize says so, and offers no other.
func TestAModelOfOneSize(t *testing.T) {
	r := newRoom(t)
	r.Change(func(s *state.State) {
		m := *s.Model
		m.Size.Min, m.Size.Max = 128, 128
		s.Model = &m
	})
	p := r.shape
	if !p.sides[0].Disabled() || p.note.Text != "This model makes 128 × 128 only" || !p.note.Visible() {
		t.Errorf("the field can be typed into: %v; the note says %q", !p.sides[0].Disabled(), p.note.Text)
	}
	test.Tap(p.shapes[2])
	if r.form().Size(r.State.Model) != image.Pt(128, 128) || !strings.HasPrefix(p.explain(state.Shape{Width: 3, Height: 2}), "This model makes no") {
		t.Error("a shape that the model does not make is taken")
	}
}
