package journal

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"realword/inference"
)

// TestAStoppedPictureLooksAsItWasLeft stops pictures, or lets the program die: the last preview is their thumbnail, and the picture itself
// once it is finished.
func TestAStoppedPictureLooksAsItWasLeft(t *testing.T) {
	red, green := color.NRGBA{R: 255, A: 255}, color.NRGBA{G: 255, A: 255}
	preview := func(c color.Color) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, 4, 2))
		draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	for name, end := range map[string]func(*Recorder) error{
		"died":      func(*Recorder) error { return nil },
		"cancelled": func(r *Recorder) error { return r.Event(inference.Failed{Err: context.Canceled}) },
		"failed":    func(r *Recorder) error { return r.Event(inference.Failed{Err: image.ErrFormat}) },
		"finished":  func(r *Recorder) error { return r.Saved(finished(0, 7), "/pictures/dog.png", "ab") },
	} {
		s := store(t)
		rec, id := record(t, s)
		if p, err := s.Pictures([]uint64{id}); err != nil || len(p[0].Thumbnail) > 0 {
			t.Fatalf("without a preview: %v, %v", p, err)
		}
		for i, c := range []color.Color{red, green} {
			e := step(i)
			e.Preview = preview(c)
			if err := rec.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := end(rec); err != nil {
			t.Fatal(err)
		}
		p, err := s.Pictures([]uint64{id})
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(p[0].Thumbnail))
		if err != nil {
			t.Errorf("%s: it has no thumbnail: %v", name, err)
			continue
		}
		size, at := image.Pt(4, 2), color.Color(green)
		if name == "finished" {
			size, at = image.Pt(128, 64), color.NRGBA{}
		}
		if got := color.NRGBAModel.Convert(img.At(1, 1)); img.Bounds().Size() != size || got != at {
			t.Errorf("%s: the thumbnail is %v of %v, want %v of %v", name, got, img.Bounds().Size(), at, size)
		}
	}
}
