package gallery

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestThumbnailsAreReadForWhatIsSeenAndForgottenInTime(t *testing.T) {
	synctest.Test(t, thumbnailsAreReadAndForgotten)
}

func thumbnailsAreReadAndForgotten(t *testing.T) {
	posted := make(chan func(), 1000)
	var came []uint64
	th := thumbs{post: func(f func()) { posted <- f }, came: func(ids []uint64) { came = append(came, ids...) }, read: func(ids []uint64, _ int, _ *bundle.Manifest) map[uint64]*thumb {
		all := map[uint64]*thumb{}
		for _, id := range ids {
			all[id] = &thumb{image: image.NewUniform(color.NRGBA{uint8(id), 0, 0, 255})}
		}
		return all
	}}
	settle := func() {
		for synctest.Wait(); len(posted) > 0; synctest.Wait() {
			(<-posted)()
		}
	}
	th.get(5)
	settle()
	th.mu.Lock()
	th.busy = true // a fast scroll past ten thousand, while the disk is slow
	th.mu.Unlock()
	for id := range uint64(10_000) {
		th.get(id + 10)
	}
	th.mu.Lock()
	n := len(th.wanted)
	th.mu.Unlock()
	if n != thumbsWanted {
		t.Errorf("%d are wanted", n)
	}
	go th.work()
	settle()
	if len(came) != 1+thumbsWanted || came[1] < 10_009-thumbsBatch || th.get(10_009) == nil || th.get(5) == nil {
		t.Errorf("%d came, first %d", len(came), came[1])
	}
	for id := range uint64(2 * thumbsKept) {
		if th.get(id + 20_000); id%50 == 49 {
			settle()
		}
	}
	if len(th.kept) != thumbsKept || len(th.order) != thumbsKept || th.kept[10_009] != nil {
		t.Errorf("%d are kept", len(th.kept))
	}
}

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

// TestStoppedPicturesShowTheirLastStep leaves pictures unfinished: they show how far they came, dimmed, and at which step that was. One of
// an older history, which kept no preview, is read with its own model, and kept.
func TestStoppedPicturesShowTheirLastStep(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	model := *uitest.Toybox
	model.Latent = bundle.Latent{Channels: 1, Factor: 8, RGB: [][3]float64{{0.4, 0, 0}}, RGBBias: [3]float64{0, 0.6, 1}}
	stop := func(steps int, change func(*inference.StepDone)) uint64 {
		t.Helper()
		r := inference.Request{Prompt: "a dog", Seeds: []uint64{7}, Settings: inference.Settings{
			Negative: " ", Preset: "paper", Width: 16, Height: 16, Steps: 4, Stop: 2, CFG: 3, Sampler: "ddim",
		}}
		plan, err := journal.PlanOf(s, 0, r, model.Name)
		if err != nil {
			t.Fatal(err)
		}
		round, err := s.BeginRound(plan, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		rec := journal.NewRecorder(s, round, r)
		events := []inference.Event{inference.StageStarted{Stage: inference.StageDenoise}}
		for i := range steps {
			e := uitest.Step(i, 4, 0, 0)
			e.Clean = []float32{1, 1, 1, 1}
			change(&e)
			events = append(events, e)
		}
		for _, e := range events {
			if err := rec.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		return rec.Picture(0)
	}
	fresh := stop(3, func(*inference.StepDone) {})
	old := stop(2, func(e *inference.StepDone) { e.Preview = nil })
	none := stop(0, nil)
	if none != 0 {
		t.Errorf("a picture of which there is nothing to see is picture %d", none)
	}
	round, err := s.Picture(fresh)
	if err == nil {
		none, err = s.StartPicture(round.Round, 7) // histories used to keep it
	}
	if err != nil {
		t.Fatal(err)
	}
	other := model
	other.Name = "another"
	for name, c := range map[string]struct {
		id      uint64
		model   *bundle.Manifest
		paint   color.NRGBA // zero: it is blank
		stopped int
		kept    bool
	}{
		"with its preview":        {fresh, nil, color.NRGBA{20, 100, 150, 128}, 3, false},
		"of an older history":     {old, &model, color.NRGBA{102, 153, 255, 128}, 2, true},
		"of another model":        {old, &other, color.NRGBA{}, 2, false},
		"no model is open":        {old, nil, color.NRGBA{}, 2, false},
		"stopped before any step": {none, &model, color.NRGBA{}, 0, false},
	} {
		var kept []byte
		got := readThumbs(s, func(uint64) bool { return false }, []uint64{c.id}, journal.ThumbSide, c.model, func(_ uint64, png []byte) { kept = png })[c.id]
		var paint color.NRGBA
		if got.image != nil {
			paint = color.NRGBAModel.Convert(got.image.At(0, 0)).(color.NRGBA)
		}
		if paint != c.paint || got.stopped != c.stopped || got.whole || (kept != nil) != c.kept {
			t.Errorf("%s: %v, stopped at %d, kept %v; want %v, %d, %v", name, paint, got.stopped, kept != nil, c.paint, c.stopped, c.kept)
		}
	}
	live := readThumbs(s, func(r uint64) bool { return r == round.Round }, []uint64{fresh}, journal.ThumbSide, nil, nil)[fresh]
	if paint := color.NRGBAModel.Convert(live.image.At(0, 0)).(color.NRGBA); !live.live || live.stopped != 0 || paint.A != 255 {
		t.Errorf("one that is being made is %+v, %v", live, paint)
	}
	if a, b := state.StoppedAt(0), state.StoppedAt(3); a != "stopped" || b != "stopped · step 3" {
		t.Errorf("it says %q, %q", a, b)
	}
}
