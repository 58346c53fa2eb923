package ui

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"realword/history"
	"realword/history/journal"
	"realword/ui/uitest"
)

func TestSoftThumbnailsAreMadeAgainOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	img := image.NewNRGBA(image.Rect(0, 0, 400, 200))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	img.Set(3, 3, color.Black)
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.png")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "b.png")
	if err := os.WriteFile(damaged, file.Bytes()[:60], 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := journal.Thumbnail(img, journal.ThumbSide)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		picture history.Picture
		side    int
		width   int // of the thumbnail that is shown; 0: none
		remade  bool
	}{
		"large enough for this screen": {history.Picture{File: path, Width: 400, Height: 200, Thumbnail: old}, journal.ThumbSide, 128, false},
		"too soft":                     {history.Picture{File: path, Width: 400, Height: 200, Thumbnail: old}, journal.LargeThumb, 256, true},
		"it had none":                  {history.Picture{File: path, Width: 400, Height: 200}, journal.ThumbSide, 128, true},
		"the picture is no larger":     {history.Picture{File: path, Width: 128, Height: 64, Thumbnail: old}, journal.LargeThumb, 128, false},
		"the file is gone":             {history.Picture{File: path + "x", Width: 400, Height: 200, Thumbnail: old}, journal.LargeThumb, 128, false},
		"the file is damaged":          {history.Picture{File: damaged, Width: 400, Height: 200, Thumbnail: old}, journal.LargeThumb, 128, false},
		"never finished":               {history.Picture{Width: 400, Height: 200}, journal.LargeThumb, 0, false},
	} {
		got, kept := thumbOf(nil, c.picture, c.side)
		width := 0
		if got.image != nil {
			width = got.image.Bounds().Dx()
		}
		if width != c.width || (kept != nil) != c.remade {
			t.Errorf("%s: %d pixels wide, made again %v; want %d, %v", name, width, kept != nil, c.width, c.remade)
		}
		if again, err := png.DecodeConfig(bytes.NewReader(kept)); c.remade && (err != nil || again.Width != c.width) {
			t.Errorf("%s: kept %+v, %v", name, again, err)
		}
	}
}

// A thumbnail that was made again is in the history the next time.
func TestThumbnailsMadeAgainAreKept(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	id := b.state.Shots[0].Kept
	fresh := uitest.PNG(uitest.Green)
	b.keepThumb(id, fresh)
	b.keepThumb(id+100, fresh) // deleted meanwhile: no trouble
	b.settle()
	p, err := b.journal.Store().Picture(id)
	if err != nil || !bytes.Equal(p.Thumbnail, fresh) || b.state.History.Err != nil {
		t.Errorf("%d bytes are kept, %v, %v", len(p.Thumbnail), err, b.state.History.Err)
	}
	if b.journal.Thumb.Load() != int64(b.thumbSide()) || b.thumbSide() != journal.ThumbSide {
		t.Errorf("thumbnails are made of %d pixels", b.journal.Thumb.Load())
	}
	p2 := b.prefs
	p2.TextSize = 150
	b.setPreferences(p2)
	if b.journal.Thumb.Load() != journal.LargeThumb {
		t.Errorf("with larger texts thumbnails are made of %d pixels", b.journal.Thumb.Load())
	}
}
