package picture

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"
)

func white(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fill(img, color.NRGBA{255, 255, 255, 255})
	return img
}

// half is a mask of 4 × 4 whose left half is the subject's.
func half() Grid {
	return Grid{4, 4, []float32{1, 1, 0, 0, 1, 1, 0, 0, 1, 0.5, 0, 0, 1, 1, 0, 0}}
}

func TestOverlayModes(t *testing.T) {
	base := white(64, 64)
	blue := SubjectStyle(0)
	shade := color.RGBA{32, 32, 32, 255}
	plain := color.RGBA{255, 255, 255, 255}
	for _, c := range []struct {
		name    string
		mode    Mode
		opacity float64
		at      map[image.Point]color.RGBA
	}{
		// (4, 4) lies on the hatch of the first subject, (8, 4) between its lines.
		{"heat", Tint, 1, map[image.Point]color.RGBA{{4, 4}: blue.Color, {60, 4}: plain, {8, 4}: {77, 156, 201, 255}}},
		{"faint heat", Tint, 0.5, map[image.Point]color.RGBA{{4, 4}: {128, 185, 217, 255}}},
		{"nothing", Tint, 0, map[image.Point]color.RGBA{{4, 4}: plain}},
		{"outline", Outline, 1, map[image.Point]color.RGBA{{31, 30}: blue.Color, {4, 4}: plain, {40, 30}: plain, {0, 30}: plain}},
		{"cutout", Cutout, 1, map[image.Point]color.RGBA{{4, 4}: plain, {60, 4}: shade}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Overlay(base, []Layer{{half(), blue}}, c.mode, c.opacity)
			if err != nil {
				t.Fatal(err)
			}
			for p, want := range c.at {
				if got := out.RGBAAt(p.X, p.Y); got != want {
					t.Errorf("at %v: %v, want %v", p, got, want)
				}
			}
			if base.RGBAAt(4, 4) != plain {
				t.Fatal("the original was painted")
			}
		})
	}
}

// Two subjects cut out together must both stay visible.
func TestCutoutKeepsAllSubjects(t *testing.T) {
	other := half()
	slices.Reverse(other.Values)
	out, err := Overlay(white(64, 64), []Layer{{half(), SubjectStyle(0)}, {other, SubjectStyle(1)}}, Cutout, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []image.Point{{4, 4}, {31, 30}, {32, 30}, {60, 60}} {
		if got := out.RGBAAt(p.X, p.Y); got.R != 255 {
			t.Errorf("at %v: %v", p, got)
		}
	}
}

func TestStylesDiffer(t *testing.T) {
	colors, hatches := map[color.RGBA]bool{}, map[Hatch]bool{}
	for i := range 4 {
		s := SubjectStyle(i)
		colors[s.Color], hatches[s.Hatch] = true, true
		if on := hatchShare(s.Hatch); on < 0.05 || on > 0.6 {
			t.Errorf("the hatch of subject %d covers %v of the area", i, on)
		}
	}
	if len(colors) != 4 || len(hatches) != 4 {
		t.Errorf("%d colours and %d hatches for four subjects", len(colors), len(hatches))
	}
	if SubjectStyle(0).Name != "blue" || SubjectStyle(1).Name != "orange" || SubjectStyle(5) != SubjectStyle(1) || SubjectStyle(-1) != SubjectStyle(3) {
		t.Error("the order of styles")
	}
}

func hatchShare(h Hatch) float64 {
	n := 0
	for y := range 64 {
		for x := range 64 {
			if h.on(x, y) {
				n++
			}
		}
	}
	return float64(n) / (64 * 64)
}

func TestOverlayRefuses(t *testing.T) {
	good := []Layer{{half(), SubjectStyle(0)}}
	for _, c := range []struct {
		layers  []Layer
		mode    Mode
		opacity float64
		want    string
	}{
		{[]Layer{{Grid{4, 4, make([]float32, 15)}, SubjectStyle(0)}}, Tint, 1, "needs as many values"},
		{[]Layer{{Grid{}, SubjectStyle(0)}}, Tint, 1, "needs as many values"},
		{good, Mode(7), 1, "overlay mode"},
		{good, Tint, 1.5, "opacity"},
		{good, Tint, math.NaN(), "opacity"},
	} {
		if _, err := Overlay(white(8, 8), c.layers, c.mode, c.opacity); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	odd := Grid{2, 2, []float32{float32(math.NaN()), float32(math.Inf(1)), -1, 5}}
	for _, mode := range []Mode{Tint, Outline, Cutout} {
		if _, err := Overlay(white(8, 8), []Layer{{odd, SubjectStyle(2)}}, mode, 1); err != nil {
			t.Error(err)
		}
	}
}

func TestNormalized(t *testing.T) {
	if got := (Grid{3, 1, []float32{0.02, 0, 0.01}}).Normalized(); !slices.Equal(got.Values, []float32{1, 0, 0.5}) {
		t.Error(got.Values)
	}
	if got := (Grid{2, 1, []float32{0, 0}}).Normalized(); !slices.Equal(got.Values, []float32{0, 0}) {
		t.Error(got.Values)
	}
}

func TestFilm(t *testing.T) {
	none := Grid{4, 4, make([]float32, 16)}
	steps := []FilmStep{
		{Masks: []Grid{half(), none}, Preview: white(8, 8)},
		{Masks: []Grid{none, half()}},
		{Masks: []Grid{none, none}},
	}
	film, err := Film(steps, 32)
	if err != nil {
		t.Fatal(err)
	}
	if film.Rect != image.Rect(0, 0, 3*34+2, 3*34+2) || !film.Opaque() {
		t.Fatalf("%v", film.Rect)
	}
	// In tile pixels (4, 4) is on both hatches, since both have a line through every multiple of 8 less or more than 4.
	tile := func(column, row int) color.RGBA { return film.RGBAAt(2+column*34+4, 2+row*34+4) }
	black := color.RGBA{0, 0, 0, 255}
	for _, c := range []struct {
		column, row int
		want        color.RGBA
	}{
		{0, 0, color.RGBA{255, 255, 255, 255}}, // preview
		{0, 1, SubjectStyle(0).Color},
		{0, 2, color.RGBA{85, 85, 85, 255}}, // dimmed preview, empty mask
		{1, 1, black},
		{1, 2, SubjectStyle(1).Color},
		{2, 1, black},
	} {
		if got := tile(c.column, c.row); got != c.want {
			t.Errorf("column %d row %d: %v, want %v", c.column, c.row, got, c.want)
		}
	}

	wide, err := Film([]FilmStep{{Masks: []Grid{{8, 4, make([]float32, 32)}}}}, 32)
	if err != nil || wide.Rect != image.Rect(0, 0, 36, 20) {
		t.Errorf("a wide mask: %v, %v", wide, err)
	}
	for want, c := range map[string]struct {
		steps []FilmStep
		tile  int
	}{
		"no masks":          {nil, 32},
		"at least one":      {[]FilmStep{{}}, 32},
		"8 to 512":          {steps, 4},
		"step 2":            {[]FilmStep{{Masks: []Grid{none}}, {}}, 32},
		"as many values":    {[]FilmStep{{Masks: []Grid{{4, 4, nil}}}}, 32},
		"use smaller tiles": {slices.Repeat(steps, 300), 512},
	} {
		if _, err := Film(c.steps, c.tile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func BenchmarkOverlay(b *testing.B) {
	base, grid := white(512, 512), Grid{64, 64, make([]float32, 64*64)}
	for i := range grid.Values {
		grid.Values[i] = float32(i%64) / 64
	}
	for b.Loop() {
		if _, err := Overlay(base, []Layer{{grid, SubjectStyle(0)}}, Tint, 0.6); err != nil {
			b.Fatal(err)
		}
	}
}
