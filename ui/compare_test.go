package ui

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// made is a window with a finished picture of a dog.
func made(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := ready(t, change)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.picture(b.run())
	return b
}

// picture lets a job make a picture and end.
func (b *bench) picture(j fakeJob) {
	b.t.Helper()
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	for step := range 3 {
		b.send(j, uitest.Step(step, 3, 2, len(j.request.Subjects)))
	}
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	b.settle()
}

func TestWordsAloneAreComparedAtTheSameSeed(t *testing.T) {
	b := made(t, nil)
	shot := *b.state.Shot()
	if !b.canCompareText() {
		t.Fatal("it cannot be compared")
	}
	b.compareText()
	j := b.started()
	if len(j.request.Subjects) != 0 || !slices.Equal(j.request.Seeds, shot.Recipe.Seeds) || j.request.Prompt != "a dog" {
		t.Fatalf("made with %+v", j.request)
	}
	b.picture(j)
	if !b.contrast.on || b.state.Shot().Image != shot.Image || b.contrast.other.Image != b.state.Shots[1].Image {
		t.Fatalf("compared %v, view %+v", b.contrast.on, b.state.View)
	}
	if text := b.info.Text; !strings.Contains(text, "text-only") || strings.Index(text, "text-only") < strings.Index(text, "right") {
		t.Errorf("the stage says %q", text)
	}
	b.swapCompared()
	b.settle()
	if b.state.View.Shot != 1 || b.contrast.other.Image != shot.Image || b.canCompareText() {
		t.Errorf("swapped: view %+v", b.state.View)
	}
	b.swapCompared()
	b.settle()
	b.Back()
	if b.contrast.on {
		t.Error("Esc goes on comparing")
	}
	// The picture is there: it is not made again.
	b.compareText()
	if !b.contrast.on || b.state.Busy() || len(b.state.Shots) != 2 {
		t.Errorf("the second time: on %v, busy %v", b.contrast.on, b.state.Busy())
	}
}

// Who looks at something else meanwhile goes on looking.
func TestWordsAloneDoNotTakeTheStageAway(t *testing.T) {
	b := made(t, nil)
	b.subjects.PromptChanged("a dog and so on")
	b.state.Form.Spent = true
	b.picture(b.run())
	b.compareText()
	j := b.started()
	b.tapShot(0)
	b.picture(j)
	if b.contrast.on || b.state.View.Shot != 0 {
		t.Errorf("on %v, view %+v", b.contrast.on, b.state.View)
	}
	b.compareShot(2)
	if !b.contrast.on || b.contrast.other.Image != b.state.Shots[2].Image {
		t.Error("any two pictures can be compared")
	}
}

func TestExportsOfAFilm(t *testing.T) {
	dir := t.TempDir()
	fail := errors.New("no disk")
	folder := func() (string, error) { return dir, nil }
	b := made(t, func(o *Options) {
		o.OpenFolder = func() (string, error) { return folder() }
		o.SaveFile = func(name string) (string, error) { return filepath.Join(dir, name), nil }
	})
	b.exportSteps()
	b.settle()
	into := filepath.Join(dir, b.state.FilmName()+"-steps")
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
	b.exportSteps()
	b.settle()
	if again, err := os.ReadDir(into + "-2"); err != nil || len(again) != 7 {
		t.Errorf("the second time: %v", err)
	}
	b.exportFilm()
	b.settle()
	data, err = os.ReadFile(filepath.Join(dir, b.state.FilmName()+"-film.png"))
	if err != nil || bytes.Count(data, []byte("fcTL")) != 4 {
		t.Errorf("the film has %d frames, %v", bytes.Count(data, []byte("fcTL")), err)
	}
	b.showStep(1)
	if strings.Contains(b.info.Text, "film") {
		t.Errorf("of another step the stage says %q", b.info.Text)
	}
	folder = func() (string, error) { return "", fail }
	b.exportSteps()
	b.settle()
	if !errors.Is(b.state.ActionErr, fail) {
		t.Errorf("%v", b.state.ActionErr)
	}
	folder = func() (string, error) { return filepath.Join(into, "picture.png"), nil }
	b.exportSteps()
	b.settle()
	if b.state.ActionErr == nil || !strings.Contains(b.info.Text, "cannot be made") {
		t.Errorf("into a file: %v", b.state.ActionErr)
	}
	test.Tap(b.shots.Objects[0].(*kit.Tile))
	if _, ok := (&Window{state: state.NewState()}).copyFilm(); ok {
		t.Error("an empty window has a film")
	}
}
