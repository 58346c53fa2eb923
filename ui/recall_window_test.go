package ui

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	hist "realword/history"
	"realword/inference"
	"realword/inference/lora"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// sheetOf finds a widget in what lies over the window.
func sheetOf[T fyne.CanvasObject](b *bench, is func(T) bool) (found T, ok bool) {
	top := b.win.Canvas().Overlays().Top()
	if top == nil {
		return found, false
	}
	walk(top, func(o fyne.CanvasObject) {
		if w, fits := o.(T); fits && is(w) && !ok {
			found, ok = w, true
		}
	})
	return found, ok
}

// press taps a button of the sheet.
func (b *bench) pressSheet(text string) {
	b.t.Helper()
	button, ok := sheetOf(b, func(w *kit.Button) bool { return w.Text == text })
	if !ok {
		b.t.Fatalf("no sheet has a button %q", text)
	}
	test.Tap(button)
	b.settle()
}

func (b *bench) sheetSays(text string) bool {
	_, ok := sheetOf(b, func(l *widget.Label) bool { return strings.Contains(l.Text, text) })
	return ok
}

// finished is a picture of rex the dog in a file, and its window.
func finished(t *testing.T) (b *bench, path string, rex string) {
	b = ready(t, nil)
	rex = uitest.File(t, "rex.png", uitest.PNG(uitest.Red))
	b.drop(nil, rex)
	b.subjects.PromptChanged("a dog")
	test.Tap(b.chipOf(1))
	b.subjects.SetScope(b.state.Form.Cards[0].ID, 0.33)
	b.state.Form.Stop = 5
	b.refresh()
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	return b, b.state.Shot().Path, rex
}

func TestDroppedPictureBringsBackEverything(t *testing.T) {
	_, path, rex := finished(t)
	c := ready(t, nil)
	c.drop(c.stage.Picture, path)
	if len(c.state.Form.Cards) != 0 || c.state.Form.Prompt != "" {
		t.Fatal("the recipe was taken over without a question")
	}
	if !c.sheetSays("rex.png is not on this computer") {
		t.Error("the missing picture is not named")
	}
	c.pressSheet("Use this recipe")
	f := c.state.Form
	if f.Prompt != "a dog" || f.Stop != 5 || f.Seed != 7 || !f.KeepSeed || bondsIn(c.state.State) != "rex.png=dog#1" || f.Cards[0].Scope != 0.33 || !f.Cards[0].Missing {
		t.Fatalf("form %+v", f)
	}
	if f.Cards[0].View == nil {
		t.Error("the small copy in the recipe is not shown")
	}
	if c.subjects.Prompt.Text != "a dog" || !c.set.Generate.Disabled() || !strings.Contains(c.set.Reasons.Text, "rex.png is missing") {
		t.Errorf("the prompt shows %q, the reason is %q", c.subjects.Prompt.Text, c.set.Reasons.Text)
	}
	c.drop(nil, rex)
	if f = c.state.Form; len(f.Cards) != 1 || f.Cards[0].Missing || len(f.Cards[0].Ref.Data) == 0 || f.Cards[0].Scope != 0.33 || c.set.Generate.Disabled() {
		t.Errorf("the picture was not put into its place: %+v", f.Cards)
	}
	c.drop(c.stage.Picture, path)
	if !c.sheetSays("Everything is already set like this") {
		t.Error("a recipe that would change nothing")
	}
	c.pressSheet("Cancel")
	c.drop(c.stage.Picture, path)
	c.pressSheet("Use as reference instead")
	if len(c.state.Form.Cards) != 2 {
		t.Errorf("%d cards", len(c.state.Form.Cards))
	}
	c.drop(c.subjects.Prompt, rex) // has no recipe
	if len(c.state.Form.Cards) != 3 || c.state.PickErr != nil {
		t.Errorf("%d cards, %v", len(c.state.Form.Cards), c.state.PickErr)
	}
}

// TestARecipeWithOneOfOurOwnPictures: what comes with the program is on every computer.
func TestARecipeWithOneOfOurOwnPictures(t *testing.T) {
	_, path, _ := finished(t)
	c := ready(t, func(o *Options) { o.Samples = []Sample{{Name: "dog.png", Word: "dog", Data: uitest.PNG(uitest.Red)}} })
	c.drop(c.stage.Picture, path)
	if c.sheetSays("is not on this computer") {
		t.Error("a picture that comes with the program is missing")
	}
	c.pressSheet("Use this recipe")
	if f := c.state.Form; bondsIn(c.state.State) != "rex.png=dog#1" || f.Cards[0].Missing || len(f.Cards[0].Ref.Data) == 0 {
		t.Errorf("%+v", f.Cards)
	}
}

// TestARecipeSaysWhichLoRAIsNotHere: only one that is not, and that it would bring.
func TestARecipeSaysWhichLoRAIsNotHere(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "here.safetensors"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := ready(t, func(o *Options) { o.LoRAs = lora.NewLibrary(folder) })
	b.subjects.PromptChanged("a dog")
	b.state.Form.LoRAs = "<lora:here:1><lora:gone:0.5><lora:unused:1:off>"
	b.refresh()
	j := b.run()
	b.send(j, uitest.Picture(j.request, 0))
	b.end(j, inference.Done{})
	b.reuse.Recipe()
	b.settle()
	if b.sheetSays("is not on this computer") {
		t.Error("it is set already")
	}
	b.Layers.Back()
	b.state.Form.LoRAs = ""
	b.refresh()
	b.reuse.Recipe()
	b.settle()
	if !b.sheetSays("gone is not on this computer") || b.sheetSays("here is not") || b.sheetSays("unused is not") {
		t.Error("the sheet does not say which LoRA is not here")
	}
	b.Layers.Back()
}

func TestRecallOfAnEarlierPicture(t *testing.T) {
	b, _, _ := finished(t)
	b.subjects.PromptChanged("a cat")
	b.subjects.RemoveCard(b.state.Form.Cards[0].ID)
	b.state.Form.Stop = 20
	b.refresh()
	b.reuse.Recipe()
	b.settle()
	check, _ := sheetOf(b, func(c *kit.Check) bool { return c.Text == "Settings" })
	test.Tap(check)
	b.pressSheet("Use this recipe")
	if f := b.state.Form; f.Prompt != "a dog" || f.Stop != 20 || bondsIn(b.state.State) != "rex.png=dog#1" || f.Cards[0].Missing == false && len(f.Cards[0].Ref.Data) == 0 {
		t.Errorf("%q stop %d %s", f.Prompt, f.Stop, bondsIn(b.state.State))
	}
	b.state.Form.Seed = 99
	b.reuse.Part(state.PartSeed)
	if b.state.Form.Seed != 7 || !b.state.Form.KeepSeed {
		t.Errorf("seed %d", b.state.Form.Seed)
	}
}

func TestDamagedPicturesThatAreDropped(t *testing.T) {
	plain.Run(t)
	encode := func(m picture.Metadata) []byte {
		data, err := picture.Encode(image.NewNRGBA(image.Rect(0, 0, 2, 2)), m)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	_, path, _ := finished(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hostile := bytes.Replace(whole, []byte(`"schema":1`), []byte(`"schema":7`), 1) // the checksum does not fit any more
	foreign := picture.Metadata{Prompt: "a cat", Settings: []picture.KeyValue{{Key: "Steps", Value: "20"}, {Key: "Seed", Value: "3"}, {Key: "Version", Value: "v1"}}}
	for name, c := range map[string]struct {
		data  []byte
		cards int
		says  string // on a sheet
		err   string
	}{
		"bare":     {data: uitest.PNG(uitest.Green), cards: 1},
		"foreign":  {data: encode(foreign), says: "Another program"},
		"damaged":  {data: encode(picture.Metadata{Recipe: []byte(`["a list"]`)}), err: "damaged"},
		"newer":    {data: encode(picture.Metadata{Recipe: []byte(`{"schema":99,"prompt":"x"}`)}), err: "version 99"},
		"mad":      {data: encode(picture.Metadata{Recipe: []byte(`{"schema":1,"steps":-3}`)}), err: "-3 as the number of steps"},
		"sum":      {data: hostile, says: "Another program"}, // the damaged chunk is passed over
		"no image": {data: []byte("hello"), err: "x.png"},
	} {
		b := ready(t, nil)
		b.drop(b.stage.Picture, uitest.File(t, "x.png", c.data))
		if got := len(b.state.Form.Cards); got != c.cards {
			t.Errorf("%s: %d cards, want %d", name, got, c.cards)
		}
		if c.says != "" && !b.sheetSays(c.says) {
			t.Errorf("%s: no sheet says %q", name, c.says)
		}
		if err := b.state.PickErr; (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: it says %v, want %q", name, err, c.err)
		}
	}
}

// Files that the program is started with wait for the model and the history, and are taken as if they were dropped on the picture.
func TestFilesOfTheCommandLine(t *testing.T) {
	_, path, rex := finished(t)
	history := make(chan struct{})
	b := newBench(t, func(o *Options) {
		o.Files = []string{path}
		o.OpenHistory = func() (*hist.Store, error) {
			<-history
			return nil, &hist.Error{Kind: hist.Busy}
		}
	})
	b.until("the model is open", func() bool { return b.state.Model != nil })
	if b.sheetSays("is not on this computer") {
		t.Error("it did not wait for the history")
	}
	close(history)
	b.until("the recipe is offered", func() bool { return b.sheetSays("is not on this computer") })

	c := newBench(t, func(o *Options) { o.Files = []string{rex, uitest.File(t, "cat.png", uitest.PNG(uitest.Green))} })
	c.until("they are cards", func() bool { return len(c.state.Form.Cards) == 2 })
	d := newBench(t, func(o *Options) {
		o.Files = []string{uitest.File(t, "notes.txt", []byte("hello"))}
		o.Open = func(context.Context, string) (Engine, error) { return nil, errors.New("no model") }
	})
	d.until("it is said", func() bool { return d.state.PickErr != nil && strings.Contains(d.state.PickErr.Error(), "notes.txt") })
}

func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	visit(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			walk(c, visit)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			walk(c, visit)
		}
	}
}

// Opened from the menu, a picture brings its recipe like one that is dropped; taken as a reference, it says that it has one.
func TestAnOpenedPictureSaysHowItWasMade(t *testing.T) {
	_, path, rex := finished(t)
	opened := path
	c := ready(t, func(o *Options) { o.OpenFiles = func() ([]string, error) { return []string{opened}, nil } })
	for _, a := range c.Table.List {
		if a.ID == "file.open" {
			a.Do()
		}
	}
	c.settle()
	c.pressSheet("Cancel")
	if len(c.state.Form.Cards) != 0 {
		t.Fatal("a picture with a recipe became a reference without a question")
	}
	c.subjects.ChoosePicture()
	c.settle()
	if len(c.state.Form.Cards) != 1 || !strings.Contains(c.state.Remark, "says how it was made") {
		t.Errorf("%d cards, and it says %q", len(c.state.Form.Cards), c.state.Remark)
	}
	opened = rex
	c.subjects.ChoosePicture()
	c.settle()
	if len(c.state.Form.Cards) != 2 || c.state.Remark != "" {
		t.Errorf("of a picture without a recipe it says %q", c.state.Remark)
	}
}
