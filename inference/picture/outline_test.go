package picture

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// One cell in the middle of 3 × 3: the border is a closed line around its centre, within the neighbours' centres.
func TestContourOfOneCell(t *testing.T) {
	lines := Grid{3, 3, []float32{0, 0, 0, 0, 0.2, 0, 0, 0, 0}}.contour()
	if len(lines) != 1 || lines[0][0] != lines[0][len(lines[0])-1] {
		t.Fatalf("%v", lines)
	}
	for _, p := range lines[0] {
		if d := max(p.X-1.5, 1.5-p.X) + max(p.Y-1.5, 1.5-p.Y); d > 0.51 || d < 0.3 {
			t.Errorf("%v is %g away from the centre of the cell", p, d)
		}
	}
}

func TestContourEndsAtTheBorderOfTheGrid(t *testing.T) {
	lines := half().contour()
	if len(lines) != 1 {
		t.Fatalf("%d lines, %v", len(lines), lines)
	}
	a, b := lines[0][0], lines[0][len(lines[0])-1]
	if a.X != 2 || b.X != 2 || min(a.Y, b.Y) > 0 || max(a.Y, b.Y) < 4 {
		t.Errorf("from %v to %v", a, b)
	}
	for _, full := range []Grid{{2, 2, []float32{1, 1, 1, 1}}, {2, 2, make([]float32, 4)}} {
		if lines := full.contour(); len(lines) != 0 {
			t.Errorf("%v has the border %v", full, lines)
		}
	}
}

// Every line of a contour is closed or has both ends at the grid's border, however cells touch.
func TestContoursAreWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		g := Grid{1 + r.IntN(9), 1 + r.IntN(9), nil}
		for range g.Width * g.Height {
			g.Values = append(g.Values, float32(r.IntN(2)))
		}
		border := func(p Point) bool {
			return p.X <= 0 || p.Y <= 0 || p.X >= float32(g.Width) || p.Y >= float32(g.Height)
		}
		for _, line := range g.contour() {
			a, b := line[0], line[len(line)-1]
			if a != b && (!border(a) || !border(b)) {
				t.Fatalf("%v: a line from %v to %v", g, a, b)
			}
		}
	}
}

func TestDashesTellSubjectsApart(t *testing.T) {
	shares := map[int]bool{}
	for i := range 4 {
		style := SubjectStyle(i)
		style.Color = SubjectStyle(0).Color
		out, err := Overlay(white(128, 128), []Layer{{half(), style}}, Outline, 1)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for y := range 128 {
			if out.RGBAAt(63, y) == style.Color {
				n++
			}
		}
		if n == 0 || i == 0 != (n == 128) || shares[n] {
			t.Errorf("the line of subject %d covers %d of 128 pixels, others %v", i, n, shares)
		}
		shares[n] = true
	}
}

// A zoomed picture is painted in parts; they are the same pixels as the whole.
func TestOverlayPartsFitTogether(t *testing.T) {
	base := white(96, 64)
	for i := range base.Pix {
		if i%4 != 3 {
			base.Pix[i] = uint8(i / 7)
		}
	}
	layers := []Layer{{half(), SubjectStyle(0)}}
	for _, mode := range []Mode{Tint, Outline, Cutout} {
		whole, err := Overlay(base, layers, mode, 0.6)
		if err != nil {
			t.Fatal(err)
		}
		cutting := image.Rect(30, 17, 77, 50)
		piece := image.NewRGBA(image.Rectangle{Max: cutting.Size()})
		for y := range cutting.Dy() {
			copy(piece.Pix[y*piece.Stride:][:piece.Stride], base.Pix[base.PixOffset(cutting.Min.X, cutting.Min.Y+y):])
		}
		part, err := OverlayPart(piece, base.Rect.Size(), cutting.Min, layers, mode, 0.6)
		if err != nil {
			t.Fatal(err)
		}
		for y := range cutting.Dy() {
			want := whole.Pix[whole.PixOffset(cutting.Min.X, cutting.Min.Y+y):][:part.Stride]
			if mode != Outline && !bytes.Equal(part.Pix[y*part.Stride:][:part.Stride], want) {
				t.Fatalf("mode %d, line %d differs", mode, y)
			}
			for x, v := range part.Pix[y*part.Stride:][:part.Stride] { // lines are rasterized in single precision
				if d := int(v) - int(want[x]); d < -2 || d > 2 {
					t.Fatalf("mode %d, line %d, byte %d: %d and %d", mode, y, x, v, want[x])
				}
			}
		}
	}
	if _, err := OverlayPart(base, image.Pt(96, 64), image.Pt(1, 0), layers, Tint, 1); err == nil {
		t.Error("a part that sticks out was painted")
	}
}
