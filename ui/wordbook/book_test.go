package wordbook

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/inference"
	"realword/inference/files"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
)

type room struct {
	*roomtest.House
	*Book
	done []state.Deed
}

func newRoom(t *testing.T) *room {
	r := &room{House: roomtest.New(t)}
	r.open()
	r.Move(container.NewStack(), func() []command.Action { return r.Book.Actions() }, func() {}, func() bool { return false })
	return r
}

// open reads the book as a new window does.
func (r *room) open() {
	r.Book = New(Host{
		State: r.Now, Change: r.Change, Words: state.PlainWords, Kept: fyne.CurrentApp().Preferences(), Layers: &r.Layers,
		Shortcut: func(fyne.Shortcut) bool { return false },
		Done:     func(text, back string, d state.Deed) { r.done = append(r.done, d) },
	})
}

func (r *room) write(prompt, negative string) {
	r.Change(func(s *state.State) {
		*s = s.Retype(prompt, state.PlainWords(prompt), -1)
		s.Form.Negative = negative
	})
}

func TestEarlierPrompts(t *testing.T) {
	r := newRoom(t)
	at := func(prompt, negative string) {
		t.Helper()
		if f := r.Now().Form; f.Prompt != prompt || f.Negative != negative {
			t.Errorf("%q, %q; want %q, %q", f.Prompt, f.Negative, prompt, negative)
		}
	}
	if r.CanStep(-1) || r.CanStep(1) {
		t.Error("an empty book has prompts")
	}
	for _, prompt := range []string{"a dog", "a cat", "a dog", "a bird"} {
		r.write(prompt, " ")
		r.Note()
	}
	r.write("a bird and", "rain") // is being written
	r.Step(-1)
	at("a bird", " ")
	r.Step(-1)
	at("a dog", " ")
	r.Step(-1)
	at("a cat", " ")
	if r.CanStep(-1) {
		t.Error("what was asked for twice is there twice")
	}
	r.open()
	r.Step(-1) // the last of those that are kept
	at("a bird", " ")
	r.Step(1)
	at("a cat", " ") // what was in the form
	if r.CanStep(1) {
		t.Error("there is nothing newer")
	}
	fyne.CurrentApp().Preferences().SetString(saidKey, "[{")
	if r.open(); r.CanStep(-1) {
		t.Error("a damaged list is read")
	}
}

// TestStyles: a style goes over the prompt and off again, and words stay bound.
func TestStyles(t *testing.T) {
	r := newRoom(t)
	r.write("a dog and a dog", "rain")
	r.Change(func(s *state.State) {
		sum := files.Sum([]byte("dog"))
		s.Form.Cards = []state.Card{{ID: 1, Ref: inference.Reference{Name: "dog.png", SHA256: sum}, Word: inference.Word{Text: "dog", Occurrence: 2}}}
	})
	around, behind := Style{"Poster", "a dog, poster of {prompt}, (flat:1.2)", ""}, Style{"Night", "at night", "sun"}
	r.Save(around)
	r.Save(behind)
	r.open()
	if list := r.Styles(); len(list) != 2 || list[0] != behind || list[1] != around {
		t.Fatalf("%+v", list)
	}
	r.Turn(around)
	r.Turn(behind)
	s := r.Now()
	if s.Form.Prompt != "a dog, poster of a dog and a dog, (flat:1.2), at night" || s.Form.Negative != "rain, sun" {
		t.Errorf("%q, %q", s.Form.Prompt, s.Form.Negative)
	}
	if w := s.Form.Cards[0]; w.Word.Occurrence != 3 || w.Lost(s.Words) {
		t.Errorf("the word has become %v", w.Word)
	}
	if items := r.Items(); !items[0].Checked || !items[1].Checked {
		t.Error("the menu does not say what is on")
	}
	r.Turn(behind)
	r.Turn(around)
	s = r.Now()
	if s.Form.Prompt != "a dog and a dog" || s.Form.Negative != "rain" || s.Form.Cards[0].Word.Occurrence != 2 {
		t.Errorf("%q, %q, %v", s.Form.Prompt, s.Form.Negative, s.Form.Cards[0].Word)
	}
	r.Delete("night")
	if len(r.Styles()) != 1 || len(r.done) != 1 {
		t.Fatalf("%+v, %d deeds", r.Styles(), len(r.done))
	}
	r.done[0].Back()
	if r.open(); len(r.Styles()) != 2 || r.Styles()[0] != behind {
		t.Errorf("taken back: %+v", r.Styles())
	}
	r.done[0].Again()
	r.Save(Style{"NIGHT", "stars", ""})
	if r.done[0].Back(); len(r.Styles()) != 2 || r.Styles()[0].Prompt != "stars" {
		t.Errorf("what was saved under the name since is gone: %+v", r.Styles())
	}
	if r.done[0].Again(); len(r.Styles()) != 2 || !r.done[0].Done() { // it is not back
		t.Errorf("what was saved under the name since is gone: %+v", r.Styles())
	}
	r.Delete("night")
	for _, bad := range []Style{{}, {Name: "x"}, {Prompt: "x"}, {Name: "POSTER", Prompt: "x"}} {
		if r.check("", bad) == nil {
			t.Errorf("%+v is kept", bad)
		}
	}
	if err := r.check("Poster", Style{Name: "POSTER", Prompt: "x"}); err != nil {
		t.Error(err)
	}
}

// What a list has that cannot be read is not gone with the next that is written there.
func TestUnreadableStylesAreKept(t *testing.T) {
	r := newRoom(t)
	p := fyne.CurrentApp().Preferences()
	const cut = `[{"name":"ink","prompt":"ink drawing"},{"name":"oil"`
	p.SetString(stylesKey, cut)
	p.SetString(saidKey, `[{"prompt":"a dog"},{"prompt":7}]`)
	r.open()
	r.Save(Style{Name: "chalk", Prompt: "chalk"})
	r.open()
	if kept := p.String(stylesKey + kit.Unreadable); kept != cut || len(r.Styles()) != 1 {
		t.Errorf("of the styles %q is kept by itself, and %v", kept, r.Styles())
	}
	if r.write("a cat", ""); !r.CanStep(-1) || p.String(saidKey+kit.Unreadable) == "" {
		t.Error("nothing is left of the prompts, or nothing by itself")
	}
}

// Styles that lie over one another are on, and come off by themselves; what is only a part of the user's own words is none.
func TestStylesOverOneAnother(t *testing.T) {
	r := newRoom(t)
	at := func(prompt, negative string) {
		t.Helper()
		if now := r.now(); now.Prompt != prompt || now.Negative != negative {
			t.Errorf("%q, %q; want %q, %q", now.Prompt, now.Negative, prompt, negative)
		}
	}
	a, b := Style{Name: "A", Prompt: "watercolour", Negative: "photo"}, Style{Name: "B", Prompt: "soft light", Negative: "noise"}
	r.write("a dog", " ")
	for _, s := range []Style{a, b} {
		r.Turn(s)
	}
	if !r.On(a) || !r.On(b) {
		t.Errorf("A is on: %v, B is on: %v", r.On(a), r.On(b))
	}
	r.Turn(a)
	at("a dog, soft light", "noise")
	r.Turn(a)
	at("a dog, soft light, watercolour", "noise, photo")
	r.Turn(b)
	at("a dog, watercolour", "photo")
	r.Turn(a)
	at("a dog", "")

	ink, snow := Style{Name: "Ink", Prompt: "black ink of {prompt}, on paper", Negative: "blue"}, Style{Name: "Snow", Prompt: "in snow"}
	r.Turn(ink)
	r.Turn(snow)
	at("black ink of a dog, on paper, in snow", "blue")
	if !r.On(ink) || !r.On(snow) {
		t.Errorf("Ink is on: %v, Snow is on: %v", r.On(ink), r.On(snow))
	}
	r.Turn(ink)
	at("a dog, in snow", "")
	if r.On(ink) {
		t.Error("Ink is still on")
	}

	blur := Style{Name: "S", Negative: "blur"}
	r.write("a dog", "motion blur")
	if r.On(blur) || r.On(a) {
		t.Error("a style that nobody laid on is on")
	}
	r.Turn(blur)
	at("a dog", "motion blur, blur")
	r.Turn(blur)
	at("a dog", "motion blur")
	if r.write("watercolour", "photo"); r.On(a) {
		t.Error("a prompt is its own style")
	}
}
