package main

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/draw"

	"realword/assets"
	"realword/history"
	"realword/history/journal"
	"realword/inference"
)

// TestExample: a finished picture and its steps come into a history when they are asked for, once, and out of the trash.
func TestExample(t *testing.T) {
	if n := len(assets.Demo); n > 450<<10 {
		t.Errorf("the demo takes %d bytes", n)
	}
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_PICTURES_DIR", dir)
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list, err := s.Sessions(); err != nil || len(list) != 0 {
		t.Fatalf("a first start begins with %+v, %v", list, err)
	}
	for i := range 3 {
		id, err := bringExample(s)
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Sessions()
		if err != nil || len(list) != 1 || list[0].ID != id || list[0].Name != "Example" || !list[0].Trashed.IsZero() {
			t.Fatalf("sessions %+v, %v", list, err)
		}
		if list[0].UID != assets.DemoUID {
			t.Fatalf("the example is known as %s: write that into assets.DemoUID", list[0].UID)
		}
		rounds, err := s.SessionRounds(id)
		if err != nil || len(rounds) != 1 || len(rounds[0].Pictures) != 1 || len(rounds[0].References) != 1 {
			t.Fatalf("rounds %+v, %v", rounds, err)
		}
		if p := rounds[0].Pictures[0]; !p.Inside || p.File != "" || !p.Finished() {
			t.Errorf("the picture is %+v", p)
		}
		if list, err := filepath.Glob(filepath.Join(dir, "Realword", "*")); err != nil || len(list) > 0 {
			t.Errorf("looking at an example leaves %q among the pictures, %v", list, err)
		}
		steps, err := s.Steps(rounds[0].Pictures[0].ID)
		if err != nil || len(steps) < 20 {
			t.Errorf("steps %v, %v", steps, err)
		}
		if i == 0 {
			continue
		}
		if err := s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: id}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFilmOfAnotherModel: the steps of a picture have the colours of its own model, or of what the picture became where another is open;
// never those of another model that has as many channels.
func TestFilmOfAnotherModel(t *testing.T) {
	t.Setenv("XDG_PICTURES_DIR", home(t))
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	session, err := bringExample(s)
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := s.SessionRounds(session)
	if err != nil {
		t.Fatal(err)
	}
	id := rounds[0].Pictures[0].ID
	made, err := journal.Recall(s, id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := openModel(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest()
	own, err := journal.Film(s, id, m, made.Recipe.Request)
	if err != nil {
		t.Fatal(err)
	}
	m.Name, m.Latent.RGB = "Another", slices.Clone(m.Latent.RGB)
	slices.Reverse(m.Latent.RGB) // its latent means something else
	others, err := journal.Film(s, id, m, made.Recipe.Request)
	if err != nil || len(others) != len(own) {
		t.Fatalf("%d steps of %d, %v", len(others), len(own), err)
	}
	for i := range own {
		if off := away(others[i].Preview, own[i].Preview); off > 0.1 { // 0.06 is usual
			t.Errorf("step %d is %.3f away from what its model shows", i, off)
		}
		if !slices.Equal(own[i].Subjects[0].Mask, others[i].Subjects[0].Mask) {
			t.Errorf("step %d has another mask", i)
		}
	}
	m.Name = made.Recipe.Model
	if wrong, err := journal.Film(s, id, m, made.Recipe.Request); err != nil || away(wrong[20].Preview, own[20].Preview) < 0.15 {
		t.Errorf("these colours would be seen as %.3f away, %v", away(wrong[20].Preview, own[20].Preview), err)
	}
}

// small is the thumbnail of a picture of a history.
func small(t *testing.T, s *history.Store, id uint64) image.Image {
	t.Helper()
	list, err := s.Pictures([]uint64{id})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(list[0].Thumbnail))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// away is how far a preview is from a picture: the root of the mean square of differences, in 0..1; 1 without a preview.
func away(preview *image.RGBA, from image.Image) float64 {
	if preview == nil {
		return 1
	}
	as := image.NewRGBA(preview.Rect)
	draw.BiLinear.Scale(as, as.Rect, from, from.Bounds(), draw.Src, nil)
	sum := 0.0
	for i, v := range preview.Pix {
		d := (float64(v) - float64(as.Pix[i])) / 255
		sum += d * d
	}
	return math.Sqrt(sum / float64(3*len(as.Pix)/4))
}

// TestAnOldSession: a session of an earlier embedded model, whose latents of 32 × 32 became 128 × 128 pixels, opens with the one that is
// embedded now: the picture and the masks of all steps are there, previews in the picture's own colours. Half of a run is gone on
// with or refused in words, and the request itself can be made.
func TestAnOldSession(t *testing.T) {
	t.Setenv("XDG_PICTURES_DIR", home(t))
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Import("testdata/session-128.zip")
	if err != nil || in.Pictures != 1 {
		t.Fatalf("%+v, %v", in, err)
	}
	rounds, err := s.SessionRounds(in.Session)
	if err != nil {
		t.Fatal(err)
	}
	id := rounds[0].Pictures[0].ID
	made, err := journal.Recall(s, id)
	if err != nil || len(made.Missing) > 0 || made.Picture.Width != 128 {
		t.Fatalf("%+v, %v", made, err)
	}
	b, err := openModel(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	m, request := b.Manifest(), made.Recipe.Request
	film, err := journal.Film(s, id, m, request)
	if err != nil || len(film) != 25 {
		t.Fatalf("%d steps, %v", len(film), err)
	}
	for _, step := range film {
		covered := 0
		for _, v := range step.Subjects[0].Mask {
			if v > 0 {
				covered++
			}
		}
		if step.GridWidth != 16 || step.GridHeight != 16 || covered != 64 { // γ 0.25
			t.Errorf("step %d has a mask of %d × %d, %d of them covered", step.Step, step.GridWidth, step.GridHeight, covered)
		}
		if step.Preview == nil || step.Preview.Rect.Dx() != 32 {
			t.Errorf("step %d has the preview %v", step.Step, step.Preview)
		}
	}
	if off := away(film[24].Preview, small(t, s, id)); off > 0.12 {
		t.Errorf("the last step is %.3f away from the picture", off)
	}
	e := inference.New(remote{}, b)
	defer e.Close()
	if _, err := e.Resolve(request); err != nil {
		t.Errorf("it cannot be made again: %v", err)
	}
	kept, err := journal.KeptState(s, id)
	if err != nil || kept == nil {
		t.Fatalf("the state %v, %v", kept, err)
	}
	request.From = kept
	if _, err = e.Resolve(request); err != nil && !strings.Contains(err.Error(), "start from noise") || (err == nil) != (m.Latent.Factor == 4) {
		t.Errorf("going on says %v with a factor of %d", err, m.Latent.Factor)
	}
	t.Log(err)
}
