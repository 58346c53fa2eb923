package picture

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"testing"
)

func sheetOf(w, h int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// TestSheet: every cell is on the sheet, to the pixel, in its row and column, and every label has left ink where it belongs.
func TestSheet(t *testing.T) {
	of := func(n int) color.NRGBA { return color.NRGBA{uint8(20 + 30*n), 200, uint8(250 - 30*n), 255} }
	s := Sheet{
		Title: "a dog on the beach", Caption: "seed 7", Cell: image.Pt(100, 60),
		Rows: []Label{{Text: "γ 0.1"}, {Text: "γ 0.2"}}, Columns: []Label{{Text: "T_stop 6"}, {Text: "T_stop 12"}, {Text: "T_stop 18"}},
		At: func(n int) (image.Image, error) {
			if n == 4 {
				return nil, nil
			}
			return sheetOf(100, 60, of(n)), nil
		},
	}
	sheet, err := s.Draw()
	if err != nil {
		t.Fatal(err)
	}
	var corners []image.Point
	for n := range 6 {
		want := of(n)
		if n == 4 {
			want = hollow
		}
		count, corner := 0, image.Pt(1<<20, 1<<20)
		for y := range sheet.Rect.Dy() {
			for x := range sheet.Rect.Dx() {
				if sheet.NRGBAAt(x, y) == want {
					count, corner = count+1, image.Pt(min(corner.X, x), min(corner.Y, y))
				}
			}
		}
		if count != 6000 {
			t.Errorf("cell %d has %d pixels, want 6000", n, count)
		}
		corners = append(corners, corner)
	}
	if corners[0].Y != corners[2].Y || corners[0].X != corners[3].X || corners[1].X <= corners[0].X+100 || corners[3].Y <= corners[0].Y+60 {
		t.Errorf("the cells are at %v", corners)
	}
	written := func(r image.Rectangle) bool {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if c := sheet.NRGBAAt(x, y); c.R < 100 && c.G < 100 {
					return true
				}
			}
		}
		return false
	}
	for i := range 3 {
		if at := corners[i]; !written(image.Rect(at.X, at.Y-18, at.X+100, at.Y)) {
			t.Errorf("column %d has no label", i)
		}
	}
	for i := range 2 {
		if at := corners[3*i]; !written(image.Rect(0, at.Y, at.X, at.Y+60)) {
			t.Errorf("row %d has no label", i)
		}
	}
	if !written(image.Rect(0, 0, 200, 30)) {
		t.Error("there is no title")
	}
	s.At = func(int) (image.Image, error) { return nil, errors.New("gone") }
	if _, err := s.Draw(); err == nil {
		t.Error("a cell that cannot be read is no error")
	}
	if _, err := (Sheet{}).Draw(); err == nil {
		t.Error("a sheet of nothing was drawn")
	}
}

// TestSheetsAreBounded: a hundred large pictures make one that can be opened, and long texts are broken.
func TestSheetsAreBounded(t *testing.T) {
	s := Sheet{Cell: image.Pt(4096, 2048), Rows: []Label{{}}, Columns: slices.Repeat([]Label{{}}, 20), At: func(int) (image.Image, error) { return nil, nil }}
	sheet, err := s.Draw()
	if err != nil || sheet.Rect.Dx() > sheetSide || sheet.Rect.Dx() < sheetSide/2 {
		t.Fatalf("%v, %v", sheet.Rect, err)
	}
	p, err := newPen(13)
	if err != nil {
		t.Fatal(err)
	}
	lines := p.lines("a dog 𝕏 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa dog", 60)
	for _, l := range lines {
		if p.width(l) > 60 {
			t.Errorf("%q is too wide", l)
		}
	}
	if len(lines) < 4 {
		t.Errorf("%q", lines)
	}
}
