package ui

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/guidance"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// What the inspection asks of the window: the place of the picture, files, rounds.
func TestInspectionInTheWindow(t *testing.T) {
	target := filepath.Join(t.TempDir(), "mask.png")
	b := ready(t, func(o *Options) { o.SaveFile = func(string) (string, error) { return target, nil } })
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	test.Tap(b.chipOf(1))
	b.state.Form.KeepSeed = true
	j := b.run()
	scores := make([]float32, 64)
	for i := range scores {
		scores[i] = float32(i*37%64) / 64
	}
	masks, err := guidance.Masks([][]float32{scores}, []guidance.Subject{{Word: "dog", Scope: 0.2}}, guidance.ByMax)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s := uitest.Step(i, 4, 3, 0)
		s.GridWidth, s.GridHeight, s.Subjects = 8, 8, []inference.SubjectStep{{Mask: masks[0]}}
		if s.Guided {
			s.Subjects[0].Cross, s.Subjects[0].Scores = scores, scores
		}
		b.send(j, s)
	}
	film := b.state.Run().Film
	shot := uitest.Picture(j.request, 0)
	shot.Recipe.Subjects[0].Scope = 0.2
	b.send(j, shot)
	b.end(j, inference.Done{Pictures: 1})

	b.film().(fyne.DoubleTappable).DoubleTapped(&fyne.PointEvent{Position: fyne.NewPos(24, 70)})
	b.settle()
	if body := b.inspect.Body; !body.Visible() || b.columns.lower.Visible() {
		t.Fatal("the film does not open the inspection")
	}
	widgets := widgetsOf(b.inspect.Body)
	slider := widgets[slices.IndexFunc(widgets, func(o fyne.CanvasObject) bool { _, is := o.(*kit.Slider); return is })].(*kit.Slider)
	slider.SetValue(0.5)
	b.tapIn(b.inspect.Body, "Over the picture") // painted as the stage does, or it fails in the painter
	b.tapIn(b.inspect.Body, "Save raw values (16 bit)…")
	data, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(data)); err != nil || img.Bounds() != image.Rect(0, 0, 8, 8) {
		t.Errorf("saved %v, %v", img, err)
	}

	seed := b.state.Shot().Seed
	test.Tap(b.toolIn(b.inspect.Body, "Generate with this"))
	again := b.started()
	if s := again.request; b.inspect.Body.Visible() || !b.columns.lower.Visible() || s.Subjects[0].Scope != 0.5 || s.Seeds[0] != seed {
		t.Errorf("open %v, runs %+v", b.inspect.Body.Visible(), s)
	}
	b.end(again, inference.Done{})
	b.state.View = state.View{Shot: 0, Step: -1}
	b.state.Shots[0].Film = film
	b.refresh()
	b.Press(command.Stroke{Key: fyne.KeyK})
	b.settle()
	b.Back()
	if b.inspect.Body.Visible() || !b.columns.lower.Visible() {
		t.Error("Esc does not close the inspection")
	}
}
