package subjects

import (
	"context"
	"errors"
	"fmt"
	"image"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/inference/prompt"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// reader is an engine that reads plain words and every picture.
type reader struct{ more int } // tokens of each prompt beside its words

func (reader) Read(_ context.Context, ref inference.Reference) (*image.NRGBA, picture.Info, error) {
	return picture.Decode(ref.Data, picture.Limits{})
}

func (reader) Notes(inference.Request) []error { return nil }

func (r reader) Encode(text string, _ prompt.Reading) *prompt.Prompt {
	p := &prompt.Prompt{Text: text, Chunks: []int{r.more}, Tokens: r.more}
	for _, w := range state.PlainWords(text) {
		p.Tokens++
		p.Chunks[0]++
		p.Words = append(p.Words, prompt.Word{Text: w.Text, Occurrence: w.Occurrence, Start: w.Start, End: w.End})
	}
	return p
}

// bench is the room without the window.
type bench struct {
	*roomtest.House
	*Panel
	painted []int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t)}
	p := New(b.Commands)
	p.State, p.Change, p.Ctx, p.Canvas, p.Post, p.Background = b.Now, b.House.Change, t.Context(), b.Win.Canvas, b.House.Post, b.House.Background
	p.Engine, p.Layers = func() Engine { return reader{} }, &b.House.Layers
	p.OnResized, p.OnSeen = func() {}, func() {}
	p.OnPaint = func(card int) { b.painted = append(b.painted, card) }
	b.Panel = p
	content := container.NewVBox(p.BuildPrompt(), p.BuildCards())
	b.Move(content, b.Commands.All, func() { p.FollowPreset(); p.RefreshCards(); p.RefreshPrompt() }, p.Squarer.Working)
	return b
}

// bonds are the cards with their words, as the form and as the screen have them.
func (b *bench) bonds() string {
	var list []string
	for i, c := range b.House.State.Form.Cards {
		list = append(list, fmt.Sprintf("%s=%s(%s)", c.Ref.Name, c.Word.Text, b.Cards.Objects[i].(*Card).Word.Text))
	}
	return strings.Join(list, " ")
}

// Another model counts the tokens of the prompt that is there.
func TestAnotherModelCountsAnew(t *testing.T) {
	b := newBench(t)
	b.PromptChanged("a dog")
	for _, one := range []reader{{}, {7}, {}} {
		b.Engine = func() Engine { return one }
		b.Change(func(s *state.State) { s.Model = &bundle.Manifest{} })
		if want := fmt.Sprintf("%d of 75 tokens", 2+one.more); b.tokens.Text != want {
			t.Errorf("it says %q, not %q", b.tokens.Text, want)
		}
	}
}

// Words that have scrolled out of the rows under the prompt lie over what is below them: nothing is dropped on them there, and no drag
// marks them.
func TestLookWordsOutOfSightTakeNothing(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	b.PromptChanged(strings.Repeat("dog and cat in the long grass of ", 8))
	b.Settle()
	place := func(i int) fyne.Position {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(b.Chips.Objects[i]).AddXY(4, 4)
	}
	last := len(b.Chips.Objects) - 1
	if first := place(0); b.TargetAt(first).Word.Text != "dog" || b.chipAt(first) != 0 {
		t.Errorf("the first word does not take what is dropped on it: %+v, %d", b.TargetAt(first), b.chipAt(first))
	}
	rows := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.chipRows).Y + b.chipRows.Size().Height
	if at := place(last); at.Y < rows {
		t.Fatalf("the last word is in sight: %v, the rows end at %g", at, rows)
	} else if to := b.TargetAt(at); to != (state.Target{}) || b.chipAt(at) >= 0 {
		t.Errorf("the last word takes it where nobody sees it: %+v, %d", to, b.chipAt(at))
	}
}

// Pictures that come in while the menu of a card is open stay when it swaps two others.
func TestLookSwapKeepsWhatCameIn(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	b.PromptChanged("a dog and a cat")
	b.Change(func(s *state.State) {
		for _, word := range []string{"dog", "cat"} {
			*s = s.Add(state.Card{Ref: inference.Reference{Name: word, SHA256: word}}, word, inference.Word{})
		}
	})
	items := b.cardItems(b.House.State.Form.Cards[0].ID)
	b.Change(func(s *state.State) {
		*s = s.Add(state.Card{Ref: inference.Reference{Name: "rex", SHA256: "rex"}}, "", inference.Word{})
	})
	swap := slices.IndexFunc(items, func(i *fyne.MenuItem) bool { return strings.HasPrefix(i.Label, "Swap") })
	items[swap].Action()
	if got := b.bonds(); got != "cat=dog(dog) dog=cat(cat) rex=(which word?)" {
		t.Errorf("the cards are %q", got)
	}
}

// TestWordsAndPicturesComeTogether: a picture is bound to the word of its name, a click gives it another one, and what takes the word out
// of the prompt is said and mended.
func TestWordsAndPicturesComeTogether(t *testing.T) {
	b := newBench(t)
	b.PromptChanged("a dog and a cat")
	if n := len(b.Chips.Objects); n != 5 || b.Prompt.Text != "a dog and a cat" {
		t.Fatalf("%d words of %q", n, b.Prompt.Text)
	}
	b.TakeTo(state.Target{}, []string{uitest.File(t, "dog.png", uitest.PNG(uitest.Red)), uitest.File(t, "rex.png", uitest.PNG(uitest.Green))})
	b.Settle()
	if got := b.bonds(); !strings.HasPrefix(got, "dog.png=dog(dog) rex.png=(") {
		t.Fatalf("taken: %s", got)
	}
	test.Tap(b.Chips.Objects[4].(*Chip))
	if got := b.bonds(); got != "dog.png=dog(dog) rex.png=cat(cat)" {
		t.Fatalf("clicked: %s", got)
	}
	b.PromptChanged("a puppy and a cat")
	look := b.Cards.Objects[0].(*Card).Look
	if !look.WordLost || look.Remedy == "" {
		t.Fatalf("the word is gone: %+v", look)
	}
	b.Mend(look.ID)
	if got := b.bonds(); got != "dog.png=puppy(puppy) rex.png=cat(cat)" {
		t.Errorf("mended: %s", got)
	}
	b.RemoveCard(look.ID)
	if got := b.bonds(); got != "rex.png=cat(cat)" || len(b.Cards.Objects) != 1 {
		t.Errorf("removed: %s", got)
	}
}

// TestACardIsMutedSoloedAndPainted: what is done on a card reaches the form, and the card shows it.
func TestACardIsMutedSoloedAndPainted(t *testing.T) {
	b := newBench(t)
	b.PromptChanged("a dog and a cat")
	b.TakeTo(state.Target{}, []string{uitest.File(t, "dog.png", uitest.PNG(uitest.Red)), uitest.File(t, "cat.png", uitest.PNG(uitest.Green))})
	b.Settle()
	first, acts := b.House.State.Form.Cards[0].ID, b.CardActs()
	off := func() (out string) {
		for _, c := range b.House.State.Form.Cards {
			out += fmt.Sprint(c.Off, " ")
		}
		return out
	}
	acts.Mute(first)
	if off() != "true false " || b.Cards.Objects[0].(*Card).Look.Subject != -1 {
		t.Errorf("muted: %s", off())
	}
	acts.Mute(first)
	acts.solo(first)
	if off() != "false true " {
		t.Errorf("alone: %s", off())
	}
	acts.paint(first)
	if len(b.painted) != 1 || b.painted[0] != first {
		t.Errorf("painted %v", b.painted)
	}
	b.SetScope(first, 0.3)
	if got := b.Cards.Objects[0].(*Card).Look.Gamma; got != 0.3 {
		t.Errorf("γ is shown as %g", got)
	}
}

// TestPicturesThatAreNone: what cannot be read is said, and the rest is taken.
func TestPicturesThatAreNone(t *testing.T) {
	b := newBench(t)
	b.TakeTo(state.Target{}, []string{uitest.File(t, "note.png", []byte("no picture")), uitest.File(t, "dog.png", uitest.PNG(uitest.Red))})
	b.Settle()
	if len(b.House.State.Form.Cards) != 1 || b.PickNote.Hidden || !strings.Contains(b.PickNote.Text, "note.png") {
		t.Errorf("%d cards; it says %q", len(b.House.State.Form.Cards), b.PickNote.Text)
	}
	b.House.Change(func(s *state.State) { s.PickErr = errors.New("another one") })
	if b.PickNote.Text != "Another one." {
		t.Errorf("it says %q", b.PickNote.Text)
	}
}

// In the room of one row, the row of words is seen whole.
func TestARowOfWordsIsWhole(t *testing.T) {
	b := newBench(t)
	b.PromptChanged("a dog")
	b.Settle()
	row := b.Chips.Objects[0].Size().Height
	b.Narrow(LowLevel, false)
	if got := b.chipRows.MinSize().Height; got < row {
		t.Errorf("a row of %v has %v", row, got)
	}
	b.PromptChanged(strings.Repeat("a dog and ", 40))
	b.Settle()
	if got := b.chipRows.MinSize().Height; got < row || got >= 2*row {
		t.Errorf("of many rows of %v, %v are seen", row, got)
	}
}

// Where one row of words is seen, those of all subjects stand in it, each where it was again once a picture looks for its word.
func TestLookWordsOfSubjectsInOneRow(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	b.PromptChanged("a dog and a cat beside a horse with a truck on a meadow")
	for _, word := range []string{"dog", "cat", "horse", "truck"} {
		b.Change(func(s *state.State) {
			s.Form.Cards = append(slices.Clip(s.Form.Cards), state.Card{ID: len(s.Form.Cards) + 1, Word: inference.Word{Text: word}})
		})
	}
	b.Settle()
	b.Chips.Resize(fyne.NewSize(400, 40))
	rows := func() (subjects, others []float32) {
		for _, o := range b.Chips.Objects {
			if o.(*Chip).Subject >= 0 {
				subjects = append(subjects, o.Position().Y)
			} else {
				others = append(others, o.Position().Y)
			}
		}
		return subjects, others
	}
	if of, _ := rows(); len(of) != 4 || slices.Max(of) == 0 {
		t.Fatalf("of many rows, subjects are at %v", of)
	}
	b.Narrow(LowLevel, false)
	if of, others := rows(); slices.Max(of) != 0 || slices.Max(others) == 0 {
		t.Errorf("of one row, subjects are at %v, others at %v", of, others)
	}
	b.Change(func(s *state.State) { s.Form.Cards = append(slices.Clip(s.Form.Cards), state.Card{ID: 9}) })
	b.Settle()
	if of, _ := rows(); slices.Max(of) == 0 {
		t.Error("they are not in their order while a picture looks for its word")
	}
}

// The name of a subject is read on a narrow card, where it stands over the square, and beside that on a wide one.
func TestLookTheNameOfANarrowCard(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	b.House.State.Form.Prompt = "a robot"
	b.TakeTo(state.Target{}, []string{uitest.File(t, "robot.png", uitest.PNG(uitest.Red))})
	b.Settle()
	c := b.Cards.Objects[0].(*Card)
	c.Look.Word, c.Look.Subject = uitest.Word("robot"), 0
	for _, width := range []float32{176, 204, 236, 300, 176} {
		c.show(c.Look)
		c.Resize(fyne.NewSize(width, 160))
		c.Resize(fyne.NewSize(width, c.MinSize().Height))
		d := fyne.CurrentApp().Driver()
		square, name := d.AbsolutePositionForObject(c.square), d.AbsolutePositionForObject(c.Word)
		if over := name.Y+c.Word.Size().Height <= square.Y; c.Word.Cut() || over != (width < 220) {
			t.Errorf("%g wide: the name %q is cut: %v, over the square: %v", width, c.Word.Text, c.Word.Cut(), over)
		}
		if low := d.AbsolutePositionForObject(c.more).Y + c.more.Size().Height; low > d.AbsolutePositionForObject(c).Y+c.Size().Height {
			t.Errorf("%g wide: the card ends at %g, its tools at %g", width, c.Size().Height, low)
		}
	}
}

// A card that comes below the edge is scrolled to; who has scrolled elsewhere since is left there.
func TestLookANewCardComesIntoView(t *testing.T) {
	plain.Run(t)
	b := newBench(t)
	b.Win.SetContent(b.left)
	b.Win.Resize(fyne.NewSize(260, 560))
	add := func(name string) *Card {
		paint := uitest.Red
		paint.B = uint8(len(b.House.State.Form.Cards) * 40)
		b.TakeTo(state.Target{}, []string{uitest.File(t, name, uitest.PNG(paint))})
		b.Settle()
		return b.Cards.Objects[len(b.Cards.Objects)-1].(*Card)
	}
	var last *Card
	for _, name := range []string{"a.png", "b.png", "c.png", "d.png"} {
		last = add(name)
	}
	seen := func(c *Card) bool {
		d := fyne.CurrentApp().Driver()
		top := d.AbsolutePositionForObject(b.cardScroll).Y
		at := d.AbsolutePositionForObject(c).Y
		return at >= top && at+c.Size().Height <= top+b.cardScroll.Size().Height
	}
	if !seen(last) {
		t.Errorf("the new card is not in view: scrolled to %v of %v", b.cardScroll.Offset, b.cardScroll.Content.Size())
	}
	b.cardScroll.ScrollToOffset(fyne.Position{})
	b.Change(func(s *state.State) { s.Form = s.Form.WithScope(last.Look.ID, 0.3) })
	if b.Settle(); b.cardScroll.Offset.Y != 0 {
		t.Errorf("a change of a card scrolls to %v", b.cardScroll.Offset)
	}
}

// What is dropped comes into view also while other pictures wait for their words, and the next click on a word is for it; of several that
// come at once, for the first.
func TestTheNextWordIsForWhatWasDroppedLast(t *testing.T) {
	b := newBench(t)
	b.Win.SetContent(b.left)
	b.Win.Resize(fyne.NewSize(260, 560))
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Words = "a dog and a cat", state.PlainWords("a dog and a cat")
	})
	drop := func(names ...string) {
		var paths []string
		for _, name := range names {
			paint := uitest.Red
			paint.B = name[0]
			paths = append(paths, uitest.File(t, name, uitest.PNG(paint)))
		}
		b.TakeTo(state.Target{}, paths)
		b.Settle()
	}
	seen := func(name string) bool {
		d := fyne.CurrentApp().Driver()
		top := d.AbsolutePositionForObject(b.cardScroll).Y
		for _, o := range b.Cards.Objects {
			if c := o.(*Card); c.Look.Ref.Name == name {
				at := d.AbsolutePositionForObject(c).Y
				return at >= top && at+c.Size().Height <= top+b.cardScroll.Size().Height
			}
		}
		return false
	}
	asks := func(name string) {
		t.Helper()
		if hint := b.House.State.Hint(""); !strings.Contains(hint, "that "+name+" shows") || !seen(name) {
			t.Errorf("%s: it says %q, scrolled to %v", name, hint, b.cardScroll.Offset)
		}
	}
	for _, name := range []string{"p.png", "q.png", "r.png", "s.png"} {
		drop(name)
		asks(name)
	}
	b.cardScroll.ScrollToOffset(fyne.Position{})
	drop("t.png", "u.png")
	asks("t.png")
	b.Change(func(s *state.State) { *s = s.Click(s.Words[1]) })
	b.Settle()
	asks("u.png")
	b.Change(func(s *state.State) { *s = s.Click(s.Words[4]) })
	b.Settle()
	asks("p.png")
	drop("and.png") // which is bound by its name
	if !seen("and.png") || !strings.Contains(b.House.State.Hint(""), "that p.png shows") {
		t.Errorf("what was bound at once is not in view: scrolled to %v", b.cardScroll.Offset)
	}
	b.Change(func(s *state.State) { s.Form.Steps = 7 })
	if b.Settle(); !seen("and.png") {
		t.Errorf("another change scrolls to %v", b.cardScroll.Offset)
	}
}

// A picture that comes lets go the card that was chosen before it was dropped, and not one that the user chooses while it is read.
func TestACardThatIsChosenWhilePicturesComeStaysChosen(t *testing.T) {
	b := newBench(t)
	b.PromptChanged("a dog and a cat")
	b.TakeTo(state.Target{}, []string{uitest.File(t, "rex.png", uitest.PNG(uitest.Red))})
	b.Settle()
	rex := b.House.State.Form.Cards[0].ID
	choose := func() { b.Change(func(s *state.State) { *s = s.Choose(rex) }) }
	gate := make(chan []byte)
	bring := func(name string) {
		b.Add(state.Word{}, state.Source{Name: name, Read: func() ([]byte, error) { return <-gate, nil }})
	}
	bring("tom.png")
	choose()
	gate <- uitest.PNG(uitest.Green)
	b.Settle()
	if got := b.House.State.Selected; got != rex {
		t.Errorf("chosen while a picture was read: %d, want %d", got, rex)
	}
	bring("max.png")
	white := uitest.Red
	white.G, white.B = 0xff, 0xff
	gate <- uitest.PNG(white)
	b.Settle()
	if got := b.House.State.Selected; got != 0 {
		t.Errorf("chosen before the picture was dropped: %d", got)
	}
}

// TestTheCardThatIsAskedForIsInView: in a low window with several pictures, that is the one whose word the line under the words asks for.
func TestTheCardThatIsAskedForIsInView(t *testing.T) {
	b := newBench(t)
	b.Win.SetContent(b.left)
	b.Win.Resize(fyne.NewSize(260, 420))
	const text = "a dog cat horse robot"
	words := []string{"dog", "cat", "horse", "robot"}
	for i, w := range words {
		b.Change(func(s *state.State) {
			c := state.Card{ID: i + 1, Ref: inference.Reference{Name: w + ".png", Data: uitest.PNG(uitest.Red)}}
			s.Form.Cards = append(slices.Clone(s.Form.Cards), c)
		})
		b.Settle()
	}
	shows := b.ShowsCards(b.House.State)
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Words = text, state.PlainWords(text)
	})
	if b.Settle(); reflect.DeepEqual(b.ShowsCards(b.House.State), shows) {
		t.Error("the cards are not looked at again when one of them is asked for")
	}
	sees := func(id int) bool {
		top, d := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.cardScroll).Y, fyne.CurrentApp().Driver()
		at := d.AbsolutePositionForObject(b.ByID[id]).Y
		return at >= top && at+b.ByID[id].Size().Height <= top+b.cardScroll.Size().Height
	}
	if b.cardScroll.Content.Size().Height <= b.cardScroll.Size().Height {
		t.Fatal("the window is high enough for all")
	}
	for i := range words {
		if hint := b.House.State.Hint(""); !sees(i+1) || !strings.Contains(hint, words[i]+".png") {
			t.Errorf("%q: scrolled to %v", hint, b.cardScroll.Offset)
		}
		b.Change(func(s *state.State) { *s = s.Click(s.Words[i+1]) })
		b.Settle()
	}
	b.cardScroll.ScrollToOffset(fyne.Position{})
	b.Change(func(s *state.State) { s.Form.Steps = 7 })
	if b.Settle(); b.cardScroll.Offset.Y != 0 {
		t.Error("another change scrolls")
	}
}
