package journal

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"path/filepath"
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

// TestStoppedIsTold of a picture with steps that came to no end, and of no other.
func TestStoppedIsTold(t *testing.T) {
	begun, stop := inference.StageStarted{Stage: inference.StageDenoise}, inference.Failed{Err: context.Canceled}
	for name, c := range map[string]struct {
		events []inference.Event
		want   int
	}{
		"before a step": {[]inference.Event{begun, stop}, 0},
		"behind one":    {[]inference.Event{begun, step(0), step(1), stop}, 1},
		"finished":      {[]inference.Event{begun, step(0), finished(0, 7), inference.Done{Pictures: 1}}, 0},
	} {
		l := newLog(open(t, filepath.Join(t.TempDir(), "history.db")))
		var told []uint64
		var is func() bool
		l.Stopped = func(id uint64, still func() bool) { told, is = append(told, id), still }
		for range l.Record(1, dog(), "tiny", nil, said(c.events...)) {
		}
		l.settle()
		if is != nil {
			here := is()
			_, back := l.Apart()
			apart := is()
			if back(); !here || apart || !is() {
				t.Errorf("%s: things go to its session still: %v, apart %v, and back %v", name, here, apart, is())
			}
		}
		if len(told) != c.want {
			t.Fatalf("%s: told of %v", name, told)
		}
		for _, id := range told {
			if p, err := l.Store().Picture(id); err != nil || StoppedAt(l.Store(), p) != 2 {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
		}
	}
}

// What stops, dies or fails before there is anything to see of a picture leaves none; what is in a file is one.
func TestNothingToSeeIsNoPicture(t *testing.T) {
	for name, c := range map[string]struct {
		end  inference.Event
		want int
	}{
		"died":      {nil, 0},
		"cancelled": {inference.Failed{Err: context.Canceled}, 0},
		"failed":    {inference.Failed{Err: image.ErrFormat}, 0},
		"a step":    {step(0), 1},
		"finished":  {finished(0, 7), 1},
	} {
		s := store(t)
		round := startDog(t, s)
		rec := NewRecorder(s, round, dog())
		if err := rec.Event(inference.StageStarted{Stage: inference.StageDenoise}); err != nil {
			t.Fatal(err)
		}
		before, err := s.Round(rec.Round)
		if err == nil && c.end != nil {
			err = rec.Event(c.end)
		}
		r, err2 := s.Round(rec.Round)
		if err != nil || err2 != nil || len(before.Pictures) != 0 || len(r.Pictures) != c.want {
			t.Errorf("%s: %d pictures, then %d, want %d; %v, %v", name, len(before.Pictures), len(r.Pictures), c.want, err, err2)
		}
		if err := rec.Saved(finished(0, 7), "/pictures/dog.png", "ab"); err != nil || rec.Picture(0) == 0 {
			t.Errorf("%s: its file is that of picture %d, %v", name, rec.Picture(0), err)
		}
	}
}

// TestARoundRuns until the last of its events was written down.
func TestARoundRuns(t *testing.T) {
	l := newLog(open(t, filepath.Join(t.TempDir(), "history.db")))
	events := make(chan inference.Event)
	out := l.Record(1, dog(), "tiny", nil, events)
	events <- inference.StageStarted{Stage: inference.StageDenoise}
	<-out
	l.settle()
	rounds, err := l.Store().Rounds()
	if err != nil || len(rounds) != 1 || !l.Runs(rounds[0].ID) || l.Runs(99) {
		t.Fatalf("%d rounds, %v", len(rounds), err)
	}
	go func() { events <- inference.Done{}; close(events) }()
	for range out {
	}
	l.settle()
	if l.Runs(rounds[0].ID) {
		t.Error("a round that has ended runs")
	}
}
