package stage

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/state"
	"realword/ui/uitest"
)

// made is a stage with a finished picture of a dog.
func made(t *testing.T, change func(*Host)) *bench {
	t.Helper()
	b := newBench(t, change)
	b.picture(dog)
	return b
}

func TestWordsAloneAreComparedAtTheSameSeed(t *testing.T) {
	b := made(t, nil)
	shot := *b.State.Shot()
	b.Key("Shift+C")
	if len(b.made) != 1 {
		t.Fatalf("%d rounds are made", len(b.made))
	}
	task := b.made[0]
	if r := task.Request; len(r.Subjects) != 0 || !slices.Equal(r.Seeds, shot.Recipe.Seeds) || r.Prompt != "a dog" || task.Thumb == nil {
		t.Fatalf("made with %+v", task)
	}
	b.picture(task.Request)
	b.Beside(task)
	b.Settle()
	if other := b.Compared(); other == nil || b.State.Shot().Image != shot.Image || other.Image != b.State.Shots[1].Image {
		t.Fatalf("compared with %v, view %+v", other, b.State.View)
	}
	if text := b.info.Text; text != "left | right: References yes | text-only" {
		t.Errorf("the stage says %q", text)
	}
	b.Key("C")
	b.Settle()
	if b.State.View.Shot != 1 || b.Compared().Image != shot.Image || b.canCompareText() {
		t.Errorf("swapped: view %+v", b.State.View)
	}
	b.Key("C")
	b.Settle()
	b.Layers.Back()
	if b.Compared() != nil {
		t.Error("Esc goes on comparing")
	}
	// The picture is there: it is not made again.
	b.Key("Shift+C")
	if b.Compared() == nil || len(b.made) != 1 {
		t.Errorf("the second time: compared with %v, %d rounds", b.Compared(), len(b.made))
	}
}

// Nothing of one session is compared with what is made in the next.
func TestLookComparingEndsWithTheSession(t *testing.T) {
	plain.Run(t)
	b := made(t, nil)
	b.picture(dog)
	b.Key("M")
	if b.Compared() == nil {
		t.Fatal("nothing is compared")
	}
	b.Forget()
	b.Change(func(s *state.State) { s.Shots, s.View = nil, state.View{Shot: -1, Step: -1} })
	b.picture(dog)
	if b.Compared() != nil || b.canCompare() || b.Layers.Open() != 0 {
		t.Errorf("compared with %v; it can be: %v; Esc would close %d", b.Compared(), b.canCompare(), b.Layers.Open())
	}
}

// A picture that is not read yet is its thumbnail on the stage, not the newest picture, also while another one is made.
func TestLookPictureThatIsNotReadYet(t *testing.T) {
	plain.Run(t)
	b := newBench(t, nil)
	small := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	draw.Draw(small, small.Rect, image.NewUniform(uitest.Red), image.Point{}, draw.Src)
	b.picture(dog)
	b.Change(func(s *state.State) { s.Shots = append([]state.Shot{{Kept: 77, Thumb: small}}, s.Shots...) })
	for _, busy := range []bool{false, true} {
		if busy {
			b.Change(func(s *state.State) { *s = s.Begin(state.Task{}, 1, 2) })
		}
		b.Tap(0)
		b.Settle()
		if img := b.pane.image; img.Hidden || color.NRGBAModel.Convert(img.Image.At(2, 2)) != uitest.Red {
			t.Errorf("busy %v: it shows %v, hidden %v", busy, img.Image.At(2, 2), img.Hidden)
		}
	}
	b.Tap(1)
	b.Settle()
	if got := color.NRGBAModel.Convert(b.pane.image.Image.At(2, 2)); got != uitest.Green {
		t.Errorf("the newest one is %v", got)
	}
}

// Who looks at something else meanwhile goes on looking.
func TestWordsAloneDoNotTakeTheStageAway(t *testing.T) {
	b := made(t, nil)
	more := dog
	more.Prompt = "a dog and so on"
	b.picture(more)
	b.Key("Shift+C")
	task := b.made[0]
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.Tap(0)
	b.send(uitest.Picture(task.Request, 0))
	b.Beside(task)
	b.send(inference.Done{})
	if b.Compared() != nil || b.State.View.Shot != 0 {
		t.Errorf("compared with %v, view %+v", b.Compared(), b.State.View)
	}
	b.compareShot(2)
	if b.Compared() == nil || b.Compared().Image != b.State.Shots[2].Image {
		t.Error("any two pictures can be compared")
	}
}

// A picture of an old session is read before it is compared.
func TestOldPictureIsReadToBeCompared(t *testing.T) {
	can := false
	whole := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	b := newBench(t, func(h *Host) {
		h.Read = func(shot state.Shot) func() state.Shot {
			if !can {
				return nil
			}
			return func() state.Shot { shot.Image = whole; return shot }
		}
	})
	b.State.Shots = []state.Shot{{Kept: 5, Thumb: image.NewNRGBA(image.Rect(0, 0, 4, 4))}}
	b.Refresh()
	if b.canCompare() {
		t.Fatal("nothing is compared with a picture")
	}
	b.picture(dog)
	for _, can = range []bool{false, true} {
		b.Key("M")
		b.Settle()
		if other := b.Compared(); (other != nil) != can || can && (other.Image != whole || other.Kept != 5) {
			t.Errorf("readable %v: compared with %v", can, other)
		}
	}
	if Small(b.State.Shots[0]) != b.State.Shots[0].Thumb {
		t.Error("it has another thumbnail")
	}
	b.Key("M")
	if b.Compared() != nil || b.Layers.Open() != 0 {
		t.Errorf("it goes on comparing, and Esc closes %d", b.Layers.Open())
	}
}

func TestExportsOfAFilm(t *testing.T) {
	dir := t.TempDir()
	fail := errors.New("no disk")
	folder := func() (string, error) { return dir, nil }
	b := made(t, func(h *Host) {
		h.OpenFolder = func() (string, error) { return folder() }
		h.SaveFile = func(name string, data func() ([]byte, error)) (string, error) {
			made, err := data()
			return name, errors.Join(err, os.WriteFile(filepath.Join(dir, name), made, 0o600))
		}
	})
	b.Key("Ctrl+Shift+E")
	b.Settle()
	into := filepath.Join(dir, b.State.FilmName()+"-steps")
	var names []string
	entries, err := os.ReadDir(into)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := "picture.png step-01-mask-A-dog.png step-01.png step-02-mask-A-dog.png step-02.png step-03-mask-A-dog.png step-03.png"
	if strings.Join(names, " ") != want {
		t.Fatalf("%v, %v in %s", names, err, into)
	}
	if !strings.Contains(b.info.Text, "7 files") {
		t.Errorf("the stage says %q", b.info.Text)
	}
	data, _ := os.ReadFile(filepath.Join(into, "step-01-mask-A-dog.png"))
	if mask, err := png.Decode(bytes.NewReader(data)); err != nil || mask.Bounds().Dx() != 16 {
		t.Errorf("the mask is %v, %v", mask, err)
	}
	b.Key("Ctrl+Shift+E")
	b.Settle()
	if again, err := os.ReadDir(into + "-2"); err != nil || len(again) != 7 {
		t.Errorf("the second time: %v", err)
	}
	b.Key("Ctrl+E")
	b.Settle()
	data, err = os.ReadFile(filepath.Join(dir, b.State.FilmName()+"-film.png"))
	if err != nil || bytes.Count(data, []byte("fcTL")) != 4 {
		t.Errorf("the film has %d frames, %v", bytes.Count(data, []byte("fcTL")), err)
	}
	b.ShowStep(1)
	if strings.Contains(b.info.Text, "film") {
		t.Errorf("of another step the stage says %q", b.info.Text)
	}
	folder = func() (string, error) { return "", fail }
	b.Key("Ctrl+Shift+E")
	b.Settle()
	if !errors.Is(b.State.ActionErr, fail) {
		t.Errorf("%v", b.State.ActionErr)
	}
	folder = func() (string, error) { return filepath.Join(into, "picture.png"), nil }
	b.Key("Ctrl+Shift+E")
	b.Settle()
	if b.State.ActionErr == nil || !strings.Contains(b.info.Text, "cannot be made") {
		t.Errorf("into a file: %v", b.State.ActionErr)
	}
	b.State = state.NewState()
	if _, ok := b.copyFilm(); ok {
		t.Error("an empty stage has a film")
	}
}

// What is no picture of the words alone is not compared with: one that was stopped, one of another model, one begun with a picture.
func TestWordsAloneAreAWholePictureOfTheModel(t *testing.T) {
	for name, change := range map[string]func(*state.Shot){
		"stopped":             func(s *state.Shot) { s.Stopped, s.SaveErr = 1, state.ErrNoFile{} },
		"of another model":    func(s *state.Shot) { s.Model = "another" },
		"begun with another":  func(s *state.Shot) { s.Recipe.Init = &inference.Init{Name: "x.png", SHA256: "a", Strength: 0.4} },
		"with another prompt": func(s *state.Shot) { s.Recipe.Prompt = "a dog and so on" },
	} {
		b := made(t, nil)
		shot := *b.State.Shot()
		have := state.Shot{PictureReady: uitest.Picture(state.TextAlone(shot.Recipe), 0), Model: shot.Model, Path: "/p/8.png"}
		change(&have)
		b.Change(func(s *state.State) { s.Shots = append(s.Shots, have) })
		b.Key("Shift+C")
		b.Settle()
		if len(b.made) != 1 || b.Compared() != nil {
			t.Errorf("%s: %d jobs, compared with it: %v", name, len(b.made), b.Compared() != nil)
		}
	}
	// Nor is one made with the open model for a picture of another.
	b := made(t, nil)
	b.Change(func(s *state.State) { s.Shots[0].Model = "another" })
	if b.Key("Shift+C"); len(b.made) != 0 || b.canCompareText() {
		t.Errorf("%d jobs for a picture of another model", len(b.made))
	}
}

// A film is written as the stage shows it, the heat of its steps too.
func TestFilmOfHeat(t *testing.T) {
	b := made(t, nil)
	film := []inference.StepDone{uitest.GuidedStep(0, 3, 2, 1), uitest.GuidedStep(1, 3, 2, 1)}
	for i := range film {
		film[i].Preview = image.NewRGBA(image.Rect(0, 0, 8, 8))
	}
	film[1].Subjects = slices.Clone(film[1].Subjects)
	film[1].Subjects[0].Scores = slices.Clone(film[1].Subjects[0].Scores)
	film[1].Subjects[0].Scores[0] = 7
	b.Change(func(s *state.State) { s.Shots[0].Film = film })
	b.lens.mode, b.lens.steps = picture.Heat, true
	f, ok := b.copyFilm()
	for i := range film {
		b.Change(func(s *state.State) { s.View.Step = i })
		want := b.lens.over(b.State)
		if !ok || len(want) == 0 || !slices.Equal(want[0].Grid.Values, film[i].Subjects[0].Scores) {
			t.Fatalf("step %d has no heat", i)
		}
		if !reflect.DeepEqual(f.over[i], want) {
			t.Errorf("step %d: the stage shows %.3v, the film %.3v", i, want[0].Grid.Values, f.over[i][0].Grid.Values)
		}
	}
}
