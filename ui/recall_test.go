package ui

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/kit"
)

// changesText is a list of changes as text: part what: old > new, "!" for a missing picture.
func changesText(list []Change) string {
	var out []string
	for _, c := range list {
		text := fmt.Sprintf("%d %s: %s > %s", c.Part, c.What, c.Old, c.New)
		if c.Missing {
			text = fmt.Sprintf("%d %s: ! %s", c.Part, c.What, c.New)
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

// refOf is a reference whose file begins with a letter.
func refOf(name string, letter string) inference.Reference {
	return inference.Reference{Name: name, SHA256: strings.Repeat(letter, 64), Data: []byte(letter)}
}

func TestChanges(t *testing.T) {
	word := func(text string) inference.Word { return inference.Word{Text: text, Occurrence: 1} }
	form := Form{Prompt: "a dog", Preset: "paper", Seed: 7, Count: 1, Cards: []Card{{ID: 3, Ref: refOf("rex.png", "a"), Word: word("dog")}}}.Settle(toybox)
	same := inference.Request{Prompt: "a dog", Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim"}, Seeds: []uint64{7},
		Subjects: []inference.Subject{{Word: word("dog"), Scope: 0.2, References: []inference.Reference{refOf("rex.png", "a")}}}}
	for name, c := range map[string]struct {
		change  func(*inference.Request)
		missing bool
		foreign bool
		want    string
	}{
		"nothing":  {want: ""},
		"prompt":   {change: func(r *inference.Request) { r.Prompt, r.Negative = "a cat", "rain" }, want: "0 Prompt: a dog > a cat\n0 Negative prompt:  > rain"},
		"settings": {change: func(r *inference.Request) { r.Stop, r.Steps, r.CFG = 5, 20, 3 }, want: "2 Steps: 25 > 20\n2 Masks settle after (T_stop): step 12 > step 5\n2 Guidance scale: 7.5 > 3"},
		"the preset brings its own negative prompt": {change: func(r *inference.Request) { r.Preset, r.Negative = "release", "blurry" }, want: "0 Negative prompt:  > blurry\n1 dog: rex.png > rex.png, another file or crop\n2 Preset: Paper > Release"},
		"a preset of another program":               {change: func(r *inference.Request) { r.Preset = "fancy" }, want: ""},
		"seed":                                      {change: func(r *inference.Request) { r.Seeds = []uint64{9, 10} }, want: "2 Pictures: 1 > 2\n3 Seed: 7 > 9"},
		"reach":                                     {change: func(r *inference.Request) { r.Subjects[0].Scope = 0.33 }, want: "1 Area γ of dog: 0.20 > 0.33"},
		"other picture":                             {change: func(r *inference.Request) { r.Subjects[0].References[0] = refOf("tom.png", "b") }, want: "1 dog: rex.png > tom.png"},
		"equal names":                               {change: func(r *inference.Request) { r.Subjects[0].References[0] = refOf("rex.png", "b") }, want: "1 dog: rex.png > rex.png, another file or crop"},
		"other square":                              {change: func(r *inference.Request) { r.Subjects[0].References[0].Square.Fit = picture.Crop }, want: "1 dog: rex.png > rex.png, another file or crop"},
		"other word":                                {change: func(r *inference.Request) { r.Subjects[0].Word = word("cat") }, want: "1 dog: rex.png > \n1 cat:  > rex.png"},
		"second word":                               {change: func(r *inference.Request) { r.Subjects[0].Word = inference.Word{Text: "dog", Occurrence: 2} }, want: "1 dog: rex.png > \n1 dog#2:  > rex.png"},
		"two pictures": {change: func(r *inference.Request) {
			r.Subjects[0].References = append(r.Subjects[0].References, refOf("b.png", "b"))
		}, want: "1 dog: rex.png > rex.png, b.png"},
		"no subject": {change: func(r *inference.Request) { r.Subjects = nil }, want: "1 dog: rex.png > "},
		"missing":    {change: func(r *inference.Request) { r.Subjects[0].References[0] = refOf("tom.png", "b") }, missing: true, want: "1 dog: rex.png > tom.png\n1 dog: ! tom.png (bbbbbbbbbb)"},
		"other program": {change: func(r *inference.Request) {
			*r = inference.Request{Prompt: "a cat", Settings: inference.Settings{Steps: 20}}
		}, foreign: true,
			want: "0 Prompt: a dog > a cat\n2 Steps: 25 > 20\n2 Masks settle after (T_stop): step 12 > step 10"},
		"nearly nothing": {change: func(r *inference.Request) { *r = inference.Request{Prompt: "a dog"} }, foreign: true, want: ""},
	} {
		r := same
		r.Subjects = []inference.Subject{{Word: same.Subjects[0].Word, Scope: 0.2, References: slices.Clone(same.Subjects[0].References)}}
		if c.change != nil {
			c.change(&r)
		}
		p := Past{Recipe: recipe.Recipe{Request: r}, Foreign: c.foreign}
		for _, s := range r.Subjects {
			for _, ref := range s.References {
				p.Cards = append(p.Cards, Card{Ref: ref, Word: s.Word, Scope: s.Scope, Missing: c.missing})
			}
		}
		if got := changesText(form.Changes(p, toybox)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
		// What is taken over leaves nothing to change.
		after := form.Take(p, allParts, toybox)
		if got := changesText(slices.DeleteFunc(after.Changes(p, toybox), func(c Change) bool { return c.Missing })); got != "" {
			t.Errorf("%s: still to change after taking it over: %s", name, got)
		}
		if c.want == "" && changesText(form.Changes(p, toybox)) != "" {
			t.Errorf("%s: the form was changed by looking", name)
		}
	}
}

func TestTakeSomeParts(t *testing.T) {
	form := Form{Prompt: "a dog", Preset: "paper", Seed: 7, Count: 1, Cards: []Card{{ID: 3, Ref: refOf("rex.png", "a"), From: 12}}}.Settle(toybox)
	p := Past{Recipe: recipe.Recipe{Request: inference.Request{Prompt: "a cat", Settings: inference.Settings{Stop: 5}, Seeds: []uint64{9}}},
		Cards: []Card{{Ref: refOf("other name.png", "a"), Word: inference.Word{Text: "cat"}}}}
	for _, c := range []struct {
		which Parts
		want  string
	}{
		{Parts{}, "a dog stop 12 seed 7 rex.png=#0"},
		{Parts{PartPrompt: true}, "a cat stop 12 seed 7 rex.png=#0"},
		{Parts{PartSubjects: true}, "a dog stop 12 seed 7 rex.png=cat#0"},
		{Parts{PartSettings: true}, "a dog stop 5 seed 7 rex.png=#0"},
		{Parts{PartSeed: true}, "a dog stop 12 seed 9 rex.png=#0"},
		{allParts, "a cat stop 5 seed 9 rex.png=cat#0"},
	} {
		f := form.Take(p, c.which, toybox)
		got := fmt.Sprintf("%s stop %d seed %d %s", f.Prompt, f.Stop, f.Seed, bonds(State{Form: f}))
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.which, got, c.want)
		}
		if f.Cards[0].From != 12 || c.which[PartSubjects] && f.Cards[0].ID == 3 {
			t.Errorf("%v: card %+v", c.which, f.Cards[0])
		}
	}
}

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
	rex = write(t, "rex.png", pngOf(red))
	b.drop(nil, rex)
	b.promptChanged("a dog")
	test.Tap(b.chipOf(1))
	b.setScope(b.state.Form.Cards[0].ID, 0.33)
	b.state.Form.Stop = 5
	b.refresh()
	j := b.run()
	b.send(j, readyOf(j.request, 0))
	b.end(j, inference.Done{})
	return b, b.state.Shot().Path, rex
}

func TestDroppedPictureBringsBackEverything(t *testing.T) {
	b, path, rex := finished(t)
	c := ready(t, nil)
	c.drop(c.stage, path)
	if len(c.state.Form.Cards) != 0 || c.state.Form.Prompt != "" {
		t.Fatal("the recipe was taken over without a question")
	}
	if !c.sheetSays("rex.png (" + b.state.Form.Cards[0].Ref.SHA256[:10] + ") is not on this computer") {
		t.Error("the missing picture is not named")
	}
	c.pressSheet("Use this recipe")
	f := c.state.Form
	if f.Prompt != "a dog" || f.Stop != 5 || f.Seed != 7 || !f.KeepSeed || bonds(c.state) != "rex.png=dog#1" || f.Cards[0].Scope != 0.33 || !f.Cards[0].Missing {
		t.Fatalf("form %+v", f)
	}
	if f.Cards[0].View == nil {
		t.Error("the small copy in the recipe is not shown")
	}
	if c.prompt.Text != "a dog" || !c.set.generate.Disabled() || !strings.Contains(c.set.reasons.Text, "rex.png is missing") {
		t.Errorf("the prompt shows %q, the reason is %q", c.prompt.Text, c.set.reasons.Text)
	}
	c.drop(nil, rex)
	if f = c.state.Form; len(f.Cards) != 1 || f.Cards[0].Missing || len(f.Cards[0].Ref.Data) == 0 || f.Cards[0].Scope != 0.33 || c.set.generate.Disabled() {
		t.Errorf("the picture was not put into its place: %+v", f.Cards)
	}
	c.drop(c.stage, path)
	if !c.sheetSays("Everything is already set like this") {
		t.Error("a recipe that would change nothing")
	}
	c.pressSheet("Cancel")
	c.drop(c.stage, path)
	c.pressSheet("Use as reference instead")
	if len(c.state.Form.Cards) != 2 {
		t.Errorf("%d cards", len(c.state.Form.Cards))
	}
	c.drop(c.prompt, rex) // has no recipe
	if len(c.state.Form.Cards) != 3 || c.state.PickErr != nil {
		t.Errorf("%d cards, %v", len(c.state.Form.Cards), c.state.PickErr)
	}
}

func TestRecallOfAnEarlierPicture(t *testing.T) {
	b, _, _ := finished(t)
	b.promptChanged("a cat")
	b.removeCard(b.state.Form.Cards[0].ID)
	b.state.Form.Stop = 20
	b.refresh()
	b.recallShot()
	b.settle()
	check, _ := sheetOf(b, func(c *kit.Check) bool { return c.Text == "Settings" })
	test.Tap(check)
	b.pressSheet("Use this recipe")
	if f := b.state.Form; f.Prompt != "a dog" || f.Stop != 20 || bonds(b.state) != "rex.png=dog#1" || f.Cards[0].Missing == false && len(f.Cards[0].Ref.Data) == 0 {
		t.Errorf("%q stop %d %s", f.Prompt, f.Stop, bonds(b.state))
	}
	b.state.Form.Seed = 99
	b.recallParts(Parts{PartSeed: true})
	b.settle()
	if b.state.Form.Seed != 7 || !b.state.Form.KeepSeed {
		t.Errorf("seed %d", b.state.Form.Seed)
	}
}

func TestDroppedPicturesOfAllKinds(t *testing.T) {
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
		"bare":     {data: pngOf(green), cards: 1},
		"foreign":  {data: encode(foreign), says: "Another program"},
		"damaged":  {data: encode(picture.Metadata{Recipe: []byte(`["a list"]`)}), err: "damaged"},
		"newer":    {data: encode(picture.Metadata{Recipe: []byte(`{"schema":99,"prompt":"x"}`)}), err: "version 99"},
		"mad":      {data: encode(picture.Metadata{Recipe: []byte(`{"schema":1,"steps":-3}`)}), err: "number of steps of -3"},
		"sum":      {data: hostile, says: "Another program"}, // the damaged chunk is passed over
		"no image": {data: []byte("hello"), err: "x.png"},
	} {
		b := ready(t, nil)
		b.drop(b.stage, write(t, "x.png", c.data))
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

// TestSmallPicturesAreSmall keeps a recipe or a session from asking for the memory of a poster.
func TestSmallPicturesAreSmall(t *testing.T) {
	poster := pngOf(red)
	binary.BigEndian.PutUint32(poster[16:], 60_000)
	binary.BigEndian.PutUint32(poster[20:], 60_000)
	binary.BigEndian.PutUint32(poster[29:], crc32.ChecksumIEEE(poster[12:29]))
	if img, err := readSmall(poster); err == nil || img != nil {
		t.Errorf("%v, %v", img, err)
	}
	if img, err := readSmall(pngOf(red)); err != nil || img.Bounds().Dx() != 8 {
		t.Errorf("%v, %v", img, err)
	}
}
