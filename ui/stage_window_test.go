package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/uitest"
)

// onStage is the image on the stage.
func (b *bench) onStage() *canvas.Image {
	objects := test.WidgetRenderer(b.stage.Picture.(fyne.Widget)).Objects()
	return objects[slices.IndexFunc(objects, func(o fyne.CanvasObject) bool { _, is := o.(*canvas.Image); return is })].(*canvas.Image)
}

// filmStrip is the film of the stage, as the user meets it.
type filmStrip interface {
	desktop.Mouseable
	fyne.Accessible
}

func (b *bench) film() filmStrip { return b.stage.Film.Objects[1].(filmStrip) }

// picture lets a job make a picture in three steps and end.
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

// What the stage asks of the window: rounds, files, settings, the inspection.
func TestStageInTheWindow(t *testing.T) {
	dir := t.TempDir()
	b := ready(t, func(o *Options) {
		o.SaveFile = func(name string) (string, error) { return filepath.Join(dir, name), nil }
		o.OpenFolder = func() (string, error) { return dir, nil }
	})
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.picture(b.run())
	shot := *b.state.Shot()

	b.Press(command.Stroke{Mod: fyne.KeyModifierShift, Key: fyne.KeyC})
	j := b.started()
	if len(j.request.Subjects) != 0 || !slices.Equal(j.request.Seeds, shot.Recipe.Seeds) {
		t.Fatalf("made of the words alone: %+v", j.request)
	}
	b.picture(j)
	if other := b.stage.Compared(); other == nil || b.state.Shot().Image != shot.Image || other.Image != b.state.Shots[1].Image {
		t.Fatalf("compared with %v, view %+v", other, b.state.View)
	}
	b.Back()
	if b.stage.Compared() != nil {
		t.Error("Esc does not end comparing")
	}
	test.Tap(b.stage.Strip.Objects[0].(fyne.Tappable))
	if b.state.View.Shot != 0 {
		t.Errorf("a thumbnail shows %+v", b.state.View)
	}

	b.state.Shots[0].Film = b.state.Shots[1].Film // as the history brings it back
	b.do("file.export.film")
	b.do("file.export.steps")
	name := b.state.FilmName()
	data, err := os.ReadFile(filepath.Join(dir, name+"-film.png"))
	if err != nil || bytes.Count(data, []byte("fcTL")) != 4 {
		t.Errorf("the film has %d frames, %v", bytes.Count(data, []byte("fcTL")), err)
	}
	if steps, err := os.ReadDir(filepath.Join(dir, name+"-steps")); err != nil || len(steps) != 4 {
		t.Errorf("%d steps, %v", len(steps), err)
	}

	bar := b.stage.Film.Objects[0].(fyne.Focusable)
	bar.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd})
	if b.state.Form.Stop != b.state.Form.Steps || int(b.set.Stop.Slider.Value) != b.state.Form.Steps {
		t.Errorf("T_stop is %d, the slider says %g", b.state.Form.Stop, b.set.Stop.Slider.Value)
	}
}

// A picture of the last session is read from the history to be compared.
func TestComparedWithAPictureOfTheLastSession(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	b.picture(b.run())
	b.end0()

	b = keeping(t, dir)
	if len(b.state.Shots) != 2 || b.state.Shots[0].Image != nil || b.state.View.Shot != 1 {
		t.Fatalf("%d pictures, view %+v", len(b.state.Shots), b.state.View)
	}
	b.Press(command.Stroke{Key: fyne.KeyM})
	b.settle()
	if other := b.stage.Compared(); other == nil || other.Kept != b.state.Shots[0].Kept || other.Image.NRGBAAt(3, 3) != uitest.Green {
		t.Errorf("compared with %+v", other)
	}
}
