package main

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"testing"

	"realword/assets"
	"realword/history/journal"
	"realword/inference/picture"
	"realword/inference/recipe"
)

var makeTips = flag.Bool("tips", false, "make the pictures of the tips again")

// Sides of a tile in the pictures of the tips, and the gap between two.
const tipTile, tipGap = 120, 6

// TestTipPictures makes the pictures that explain γ and T_stop from the example (make tips), and checks those that are kept.
func TestTipPictures(t *testing.T) {
	if *makeTips {
		tipPictures(t)
	}
	for name, data := range map[string][]byte{"area": assets.TipArea, "stop": assets.TipStop} {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() < 3*tipTile || b.Dy() < tipTile || len(data) > 250<<10 {
			t.Errorf("%s is %v in %d bytes", name, b, len(data))
		}
	}
}

func tipPictures(t *testing.T) {
	home(t)
	t.Setenv("XDG_PICTURES_DIR", t.TempDir())
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id, err := bringExample(s)
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := s.SessionRounds(id)
	if err != nil {
		t.Fatal(err)
	}
	kept := rounds[0].Pictures[0]
	r, err := recipe.Parse(rounds[0].Recipe)
	if err != nil {
		t.Fatal(err)
	}
	model, err := openModel(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(kept.File)
	if err != nil {
		t.Fatal(err)
	}
	final, _, err := picture.Decode(data, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// tile is a picture with the mask of a step for a share of it.
	tile := func(scope float64, step int, preview bool) *image.RGBA {
		request := r.Request
		request.Subjects[0].Scope = scope
		film, err := journal.Film(s, kept.ID, model.Manifest(), request)
		if err != nil {
			t.Fatal(err)
		}
		under := image.NewRGBA(final.Bounds())
		draw.Draw(under, under.Rect, final, final.Bounds().Min, draw.Src)
		if preview {
			under = film[step].Preview
		}
		under = picture.Upscale(under, tipTile, tipTile, true)
		grid := film[step]
		for y := range tipTile {
			for x := range tipTile {
				if grid.Subjects[0].Mask[y*grid.GridHeight/tipTile*grid.GridWidth+x*grid.GridWidth/tipTile] > 0 {
					continue
				}
				c := under.RGBAAt(x, y)
				grey := uint8((int(c.R)*3+int(c.G)*6+int(c.B))/10*2/5 + 20)
				under.SetRGBA(x, y, color.RGBA{grey, grey, grey, 0xff})
			}
		}
		return under
	}
	write := func(file string, foot int, tiles []*image.RGBA, bar func(i int) color.Color) {
		n := len(tiles)
		out := image.NewRGBA(image.Rect(0, 0, n*tipTile+(n-1)*tipGap, tipTile+foot))
		for i, img := range tiles {
			at := image.Rect(i*(tipTile+tipGap), 0, i*(tipTile+tipGap)+tipTile, tipTile)
			draw.Draw(out, at, img, img.Rect.Min, draw.Src)
			if foot > 0 {
				draw.Draw(out, image.Rect(at.Min.X, tipTile+foot/2, at.Max.X+tipGap, tipTile+foot), image.NewUniform(bar(i)), image.Point{}, draw.Src)
			}
		}
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../assets/tips/"+file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var areas, steps []*image.RGBA
	for _, scope := range []float64{0.1, 0.2, 0.4} {
		areas = append(areas, tile(scope, 6, false))
	}
	write("area.png", 0, areas, nil)
	shown := []int{0, 4, 9, 16, 24}
	for _, step := range shown {
		steps = append(steps, tile(r.Subjects[0].Scope, step, true))
	}
	write("stop.png", 20, steps, func(i int) color.Color {
		if shown[i] < r.Stop {
			return color.NRGBA{0x6e, 0x8c, 0xff, 0xff}
		}
		return color.NRGBA{0x70, 0x74, 0x7a, 0xff}
	})
}
