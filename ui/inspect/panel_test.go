package inspect

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// bench is the inspection in a house of its own, over what stands for the picture.
type bench struct {
	*Panel
	*roomtest.House

	lower   *widget.Label
	again   []inference.Request // what the picture's recipe has become each time that it was to be made again
	mine    []int               // cards whose mask is to be painted on
	mask    picture.Grid        // the last of those masks
	saved   []byte              // the last map
	name    string              // that it was to have
	saveErr error
}

// newBench has a finished picture of a dog: four steps, three of them with maps, γ 0.2, and the card it was made with.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), lower: widget.NewLabel("the picture")}
	film, subjects := scored(t, rand.New(rand.NewPCG(7, 8)), 4, 3, 0.2)
	subjects[0].Word = uitest.Word("dog")
	request := inference.Request{Prompt: "a dog", Seeds: []uint64{7}, Subjects: subjects, Settings: inference.Settings{Steps: 4, Stop: 3}}
	b.State = b.State.Begin(state.Task{}, 1, 3)
	for _, s := range film {
		b.State = b.State.Apply(0, s)
	}
	b.State = b.State.Apply(0, uitest.Picture(request, 0)).Apply(0, inference.Done{})
	f := &b.State.Form
	f.Prompt, f.Seed, f.Spent = "a dog", 99, true
	f.Cards = []state.Card{{ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Name: "dog.png", Data: uitest.PNG(uitest.Red)}}}
	b.State.Words = state.PlainWords(f.Prompt)

	b.Panel = New(Host{
		State: b.Now, Change: b.Change, Refresh: b.House.Refresh, Post: b.Post, Background: b.Background, Layers: &b.Layers,
		Commands: b.Commands, Lens: func() (picture.Mode, float64) { return picture.Cutout, 0.75 }, Onto: onto,
		SaveFile: func(name string, data func() ([]byte, error)) (string, error) {
			var err error
			b.name = name
			b.saved, err = data()
			return "/pictures/" + name, errors.Join(err, b.saveErr)
		},
	})
	b.OnOpen = func(open bool) { b.lower.Hidden = open }
	b.OnAgain = func(change func(*inference.Request)) {
		r := b.State.Shot().Recipe
		r.Subjects = inference.CloneSubjects(r.Subjects)
		change(&r)
		b.again = append(b.again, r)
	}
	b.OnMine = func(card int, mask picture.Grid) { b.mine, b.mask = append(b.mine, card), mask }
	b.Move(container.NewStack(b.lower, b.Body), b.Actions, b.Panel.Refresh, b.Working)
	return b
}

// onto answers a picture of one pixel that says how masks would lie over a base.
func onto(base image.Image, size image.Point, masks []picture.Layer, mode picture.Mode, opacity float64) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, 1, 1))
	out.Pix = []uint8{uint8(len(masks)), uint8(mode), uint8(100 * opacity), uint8(base.Bounds().Dx())}
	return out
}

func TestInspectionNeedsScores(t *testing.T) {
	b := newBench(t)
	for i := range b.State.Shots[0].Film {
		b.State.Shots[0].Film[i].Guided = false
	}
	b.Show(-1)
	if b.open || b.Body.Visible() || !b.lower.Visible() || b.Layers.Open() != 0 {
		t.Error("an inspection of nothing")
	}
}

// The mask in view becomes that of its subject's card, in place of the inspection; without a card there is nobody to have it.
func TestInspectionGivesItsMask(t *testing.T) {
	b := newBench(t)
	b.Show(0)
	test.Tap(b.Panel.mine)
	film := b.State.Shots[0].Film
	if !slices.Equal(b.mine, []int{1}) || b.open || !slices.Equal(b.mask.Values, film[2].Subjects[0].Mask) || b.mask.Width*b.mask.Height != 64 {
		t.Errorf("asked for the mask of %v, open %v, %d × %d", b.mine, b.open, b.mask.Width, b.mask.Height)
	}
	b.Show(0)
	b.gamma.Slider.SetValue(0.5)
	b.Settle()
	shown := b.in.at(b.step()).grids[finalMask]
	test.Tap(b.Panel.mine) // as it is shown, with another γ
	if slices.Equal(shown, film[2].Subjects[0].Mask) || !slices.Equal(b.mask.Values, shown) {
		t.Error("the mask that is shown is not the one that is given")
	}
	b.State.Form.Cards = nil
	b.Show(0)
	if !b.Panel.mine.Disabled() {
		t.Error("a mask for nobody")
	}
}

func TestInspectionFromTheKeyboard(t *testing.T) {
	b := newBench(t)
	b.Key("K")
	b.Settle()
	if !b.Body.Visible() || b.lower.Visible() || b.matrix.look != (matrixLook{steps: 3, step: 2, kind: finalMask}) || !b.large.Visible() {
		t.Fatalf("open %v, matrix %+v", b.open, b.matrix.look)
	}
	if b.Win.Canvas().Focused() != fyne.Focusable(b.matrix) {
		t.Error("the keyboard does not move in the maps")
	}
	for _, c := range []struct {
		key  fyne.KeyName
		want matrixLook
	}{
		{fyne.KeyLeft, matrixLook{3, 1, finalMask}},
		{fyne.KeyUp, matrixLook{3, 1, topMask}},
		{fyne.KeyHome, matrixLook{3, 0, topMask}},
		{fyne.KeyLeft, matrixLook{3, 0, topMask}},
		{fyne.KeyDown, matrixLook{3, 0, finalMask}},
		{fyne.KeyDown, matrixLook{3, 0, finalMask}},
	} {
		b.matrix.TypedKey(&fyne.KeyEvent{Name: c.key})
		if b.matrix.look != c.want {
			t.Fatalf("after %s: %+v, want %+v", c.key, b.matrix.look, c.want)
		}
	}
	if b.State.View.Step != 0 {
		t.Error("the picture does not follow")
	}
	b.matrix.TypedKey(&fyne.KeyEvent{Name: fyne.KeyK}) // not its own: the house's
	if b.open || b.Body.Visible() || !b.lower.Visible() || b.Layers.Open() != 0 {
		t.Errorf("K does not close it; Esc would close %d", b.Layers.Open())
	}
	b.Show(0)
	b.Layers.Back()
	if b.open || b.Body.Visible() || !b.lower.Visible() {
		t.Error("Esc does not close it")
	}
}

// Where masks rest at every second step, as with Swift, the columns are the steps between. The one that is chosen is what the stage shows.
func TestLookInspectionWhereMasksRest(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	film, _ := scored(t, rand.New(rand.NewPCG(7, 8)), 8, 8, 0.2)
	for i := range film {
		film[i].Step, film[i].Steps = 10+i, 18 // a second pass
		if i%2 == 1 {
			film[i].Guided, film[i].Subjects = false, []inference.SubjectStep{{Mask: film[i].Subjects[0].Mask}}
		}
	}
	b.State.Shots[0].Film, b.State.Shots[0].Recipe.Stop = film, 18
	b.Show(0)
	b.choose(2, finalMask)
	b.Settle()
	stage, enlarged := b.State.Shown().Step, b.in.steps[b.step()].Step
	if stage != 14 || enlarged != 14 || !strings.Contains(b.title.Text, "step 15 of 18") {
		t.Errorf("the stage shows %d, the inspection %d, called %q", stage, enlarged, b.title.Text)
	}
	var ticks []string
	for _, tick := range b.matrix.ticks {
		ticks = append(ticks, tick.Text)
	}
	if !slices.Equal(ticks, []string{"11", "13", "15", "17"}) || b.matrix.AccessibilityLabel() != b.title.Text {
		t.Errorf("the columns are called %q, the chosen one %q", ticks, b.matrix.AccessibilityLabel())
	}
	b.State.View.Step = 5 // it rests, on the masks of the step before
	b.Refresh()
	if got := b.in.steps[b.step()].Step; got != 14 {
		t.Errorf("beside step 16 the inspection shows step %d", got+1)
	}
	b.matrix.TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
	if got := b.State.Shown().Step; got != 12 {
		t.Errorf("left of it is step %d", got+1)
	}
	if b.probe.Visible() {
		t.Error("a run without T_stop is offered where there was none")
	}
	test.Tap(b.save[0])
	b.Settle()
	if b.name != "dog-mask-step-13-8bit.png" {
		t.Errorf("the map is saved as %q", b.name)
	}
}

func TestAnotherGammaIsTriedAndRun(t *testing.T) {
	b := newBench(t)
	b.Show(0)
	b.matrix.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome})
	if !b.rerun.Disabled() {
		t.Error("the γ of the run can be tried again")
	}
	b.gamma.Slider.SetValue(0.5)
	b.Settle()
	if b.rerun.Disabled() || b.seen.reading.area != 0.5 || !strings.Contains(b.note.Text, "exactly") {
		t.Errorf("disabled %v, area %g, %q", b.rerun.Disabled(), b.seen.reading.area, b.note.Text)
	}
	test.AssertObjectRendersToMarkup(t, "inspection.xml", b.Body)
	b.Change(func(s *state.State) { s.Form.Prompt, s.Form.Count, s.Form.Stop = "a dog in deep snow", 4, 9 }) // of the next picture
	before := b.State.Form
	test.Tap(b.rerun)
	if r := b.again; b.open || len(r) != 1 || r[0].Prompt != "a dog" || !slices.Equal(r[0].Seeds, []uint64{7}) || r[0].Subjects[0].Scope != 0.5 || r[0].Stop != 3 {
		t.Errorf("open %v, made again: %+v", b.open, r)
	}
	if f := b.State.Form; f.Cards[0].Scope != 0.5 || f.Prompt != before.Prompt || f.Seed != before.Seed || f.Spent != before.Spent || f.Stop != 9 {
		t.Errorf("the form is %+v", f)
	}
	b.Show(0)
	if b.in.trying() {
		t.Error("it is tried still")
	}
	test.Tap(b.probe)
	if r := b.again; b.open || len(r) != 2 || r[1].Stop != 4 || r[1].Subjects[0].Scope != 0.2 || b.State.Form.Stop != 9 {
		t.Errorf("open %v, the probe: %+v", b.open, r)
	}

	b.State.Form.Cards = nil // the picture is made again all the same
	b.Show(0)
	b.gamma.Slider.SetValue(0.4)
	b.Settle()
	test.Tap(b.rerun)
	if r := b.again; len(r) != 3 || r[2].Subjects[0].Scope != 0.4 {
		t.Errorf("without its card: %+v", r)
	}
	b.State.Shots[0].Model = "another"
	b.Show(0)
	b.gamma.Slider.SetValue(0.5)
	b.Settle()
	if !b.rerun.Disabled() || b.probe.Visible() || !strings.Contains(b.note.Text, "with the model another") {
		t.Errorf("of another model: %q", b.note.Text)
	}
}

func TestMapsAreSaved(t *testing.T) {
	b := newBench(t)
	b.Show(0)
	for i, c := range []struct {
		name  string
		side  int // in the size of the picture, and in that of the map
		depth color.Model
	}{{"dog-mask-step-03-8bit.png", 16, color.GrayModel}, {"dog-mask-step-03-16bit.png", 8, color.Gray16Model}} {
		test.Tap(b.save[i])
		b.Settle()
		img, err := png.Decode(bytes.NewReader(b.saved))
		if err != nil || img.Bounds() != image.Rect(0, 0, c.side, c.side) || img.ColorModel() != c.depth || b.name != c.name {
			t.Errorf("saved %q, %v", b.name, err)
		}
	}
	if b.note.Text != "Saved as "+"/pictures/dog-mask-step-03-16bit.png" {
		t.Errorf("it says %q", b.note.Text)
	}
	if b.gamma.Slider.SetValue(0.5); strings.Contains(b.note.Text, "Saved") {
		t.Errorf("with another γ it says %q", b.note.Text)
	}
	b.State.Shots[0].Recipe.Subjects[0].Word.Text = `"fluffy": dog/cat?`
	b.Refresh()
	test.Tap(b.save[0])
	b.Settle()
	if b.name != "fluffy-dog-cat-mask-step-03-8bit.png" { // the dialog of Windows does not open with a name that it does not take
		t.Errorf("the dialog is offered %q", b.name)
	}
	b.saveErr = errors.New("the disk is full")
	test.Tap(b.save[0])
	b.Settle()
	if !strings.Contains(b.note.Text, "he disk is full") {
		t.Errorf("it says %q", b.note.Text)
	}
}

// Over the picture, maps lie as the lens says; scores, which are zero nowhere, as heat.
func TestMapsOverThePicture(t *testing.T) {
	b := newBench(t)
	b.Show(0)
	test.Tap(b.Panel.onto.Tile)
	for _, c := range []struct {
		key  fyne.KeyName
		mode picture.Mode
	}{{fyne.KeyHome, picture.Cutout}, {fyne.KeyUp, picture.Cutout}, {fyne.KeyUp, picture.Heat}, {fyne.KeyUp, picture.Heat}} {
		b.matrix.TypedKey(&fyne.KeyEvent{Name: c.key})
		b.Settle()
		if got := b.large.Image.(*image.RGBA).Pix; !bytes.Equal(got, []uint8{1, uint8(c.mode), 75, 4}) {
			t.Errorf("%s: painted %v", b.kind.name(), got)
		}
	}
}

// It follows what is in view, and gives way where there are no scores.
func TestInspectionFollowsTheView(t *testing.T) {
	b := newBench(t)
	film, subjects := scored(t, rand.New(rand.NewPCG(9, 10)), 2, 2, 0.1, 0.3)
	other := state.Shot{PictureReady: uitest.Picture(inference.Request{Seeds: []uint64{8}, Subjects: subjects}, 0), Film: film}
	b.State.Shots = append(b.State.Shots, other, state.Shot{PictureReady: other.PictureReady})
	b.Show(0)
	look := func(shot int) {
		b.Change(func(s *state.State) { s.View = state.View{Shot: shot, Step: -1} })
		b.Settle()
	}
	look(1)
	if len(b.marks) != 2 || b.matrix.look.steps != 2 || !strings.Contains(b.numbers.Text, "also wanted") {
		t.Errorf("%d subjects, %+v, %q", len(b.marks), b.matrix.look, b.numbers.Text)
	}
	test.Tap(b.marks[1].Tile)
	if b.in.ran() != 0.3 || b.gamma.Slider.Value != 0.3 {
		t.Errorf("the other subject had γ %g, the dial says %g", b.in.ran(), b.gamma.Slider.Value)
	}
	look(2)
	if b.open || !b.lower.Visible() {
		t.Error("a picture without a film is inspected")
	}
}
