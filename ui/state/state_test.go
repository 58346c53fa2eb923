package state

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/message"
	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/uitest"
)

var none inference.Word

func TestApplyLeavesEarlierStatesAlone(t *testing.T) {
	s := NewState().Begin(Task{}, 1, 2)
	for i := range 7 {
		a := s.Apply(0, uitest.Step(1, 25, 12, 1))
		b := s.Apply(0, uitest.Step(2, 25, 12, 1))
		if a.Run().Film[i].Step != 1 || b.Run().Film[i].Step != 2 || len(s.Run().Film) != i {
			t.Fatalf("films of %d steps share their memory", i)
		}
		s = a
	}
}

func TestScrubbingStaysWhileARunGoesOn(t *testing.T) {
	s := NewState().Begin(Task{}, 1, 2).Apply(0, uitest.Step(0, 4, 2, 1)).Apply(0, uitest.Step(1, 4, 2, 1))
	s.View.Step = 0
	s = s.Apply(0, uitest.Step(2, 4, 2, 1))
	if s.Shown().Step != 0 {
		t.Errorf("the view jumped to step %d", s.Shown().Step)
	}
}

func TestBeginKeepsPicturesAndDropsTheirFilms(t *testing.T) {
	r := inference.Request{Seeds: []uint64{1}}
	s := NewState().Begin(Task{}, 1, 2).Apply(0, uitest.Step(0, 1, 1, 1)).Apply(0, uitest.Picture(r, 0)).Apply(0, inference.Done{})
	next := s.Begin(Task{}, 1, 2)
	if len(next.Shots) != 1 || next.Shots[0].Film != nil || len(s.Shots[0].Film) != 1 {
		t.Errorf("shots %d, film %v, earlier film %d", len(next.Shots), next.Shots[0].Film, len(s.Shots[0].Film))
	}
}

// boundTo is a state with a prompt and one card per name; a name with "=word" is bound.
func boundTo(prompt string, cards ...string) State {
	s := NewState()
	s.Model = uitest.Toybox
	s.Form.Prompt, s.Words = prompt, PlainWords(prompt)
	for i, c := range cards {
		name, bound, _ := strings.Cut(c, "=")
		card := Card{ID: i + 1, Ref: inference.Reference{Name: name}}
		if bound != "" {
			card.Word = uitest.Word(bound)
		}
		s.Form.Cards = append(s.Form.Cards, card)
	}
	return s
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		state State
		want  []string
	}{
		"ready":            {boundTo("a dog", "rex.png=dog"), nil},
		"without subjects": {boundTo("a dog"), nil},
		"no prompt":        {boundTo(" "), []string{"Write what"}},
		"unbound":          {boundTo("a dog", "rex.png"), []string{"Click the word of the prompt that rex.png shows"}},
		"lost":             {boundTo("a cat", "rex.png=dog"), []string{"“dog” is no longer in the prompt"}},
		"back, and twice": {func() State {
			s := boundTo("a dog", "rex.png=dog")
			s = s.Retype("", nil, 0)
			return s.Retype("a dog and a dog", PlainWords("a dog and a dog"), 0)
		}(), []string{"“dog” is in the prompt again: click the one that rex.png shows"}},
		"all at once": {boundTo("", "rex.png", "tom.png=cat"), []string{"Write what", "rex.png", "“cat”"}},
		"too much reach": {func() State {
			s := boundTo("a dog and a cat", "rex.png=dog", "tom.png=cat")
			s.Form = s.Form.WithScope(1, 0.9)
			return s
		}(), []string{"add up to 110 %,"}},
		"an exact mask has its own area": {func() State {
			s := boundTo("a dog and a cat", "rex.png=dog", "tom.png=cat")
			s.Form = s.Form.WithScope(1, 0.9)
			s.Form.Cards[0].Region.Kind = guidance.Exactly
			return s
		}(), nil},
		"two pictures of one word count once": {func() State {
			s := boundTo("a dog", "rex.png=dog", "rex2.png=dog")
			s.Form = s.Form.WithScope(1, 0.9)
			return s
		}(), nil},
		"reading": {func() State { s := boundTo("a dog"); s.Picking = 1; return s }(), []string{"still loading"}},
		"opening": {func() State { s := boundTo("a dog"); s.Model = nil; return s }(), []string{"still opening"}},
		"no model": {
			func() State { s := boundTo("a dog"); s.ModelErr = errors.New("no library: run make"); return s }(),
			[]string{"No library: run make."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.state.Reasons()
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.Contains(got[i], c.want[i]) {
					t.Errorf("got %q, want %q", got[i], c.want[i])
				}
			}
		})
	}
}

// bonds prints which card has which word.
func bonds(s State) string {
	var list []string
	for _, c := range s.Form.Cards {
		list = append(list, fmt.Sprintf("%s=%s#%d", c.Ref.Name, c.Word.Text, c.Word.Occurrence))
	}
	return strings.Join(list, " ")
}

func TestClickBindsWords(t *testing.T) {
	prompt := "a dog and a dog"
	at := func(s State, i int) Word { return s.Words[i] }
	for name, c := range map[string]struct {
		start State
		do    func(State) State
		want  string
	}{
		"the picture without a word takes it": {boundTo(prompt, "r"), func(s State) State { return s.Click(at(s, 1)) }, "r=dog#1"},
		"the second of two equal words":       {boundTo(prompt, "r"), func(s State) State { return s.Click(at(s, 4)) }, "r=dog#2"},
		"only picture changes its word":       {boundTo(prompt, "r=dog"), func(s State) State { return s.Click(at(s, 4)) }, "r=dog#2"},
		"chosen card, then word":              {boundTo(prompt, "q", "r"), func(s State) State { return s.Choose(2).Click(at(s, 1)) }, "q=#0 r=dog#1"},
		"word, then card":                     {boundTo(prompt, "q=a", "r=and"), func(s State) State { return s.Click(at(s, 1)).Choose(2) }, "q=a#1 r=dog#1"},
		"the chosen card's own word frees it": {boundTo(prompt, "q=a", "r=dog"), func(s State) State { return s.Choose(2).Click(at(s, 1)) }, "q=a#1 r=#0"},
		"bound word chooses its card, another word moves it": {
			boundTo(prompt, "q=a", "r=dog"),
			func(s State) State { return s.Click(at(s, 1)).Click(at(s, 4)) }, "q=a#1 r=dog#2",
		},
		"a lost picture takes the word": {boundTo(prompt, "q=a", "r=cat"), func(s State) State { return s.Click(at(s, 1)) }, "q=a#1 r=dog#1"},
		"two pictures of one word":      {boundTo(prompt, "q=dog", "r"), func(s State) State { return s.Click(at(s, 1)) }, "q=dog#1 r=dog#1"},
		"words past the end do nothing": {boundTo(prompt, "r"), func(s State) State { w := at(s, 1); w.Past = true; return s.Click(w) }, "r=#0"},
		"the picture that came last takes it, then the others in their order": {boundTo(prompt, "p", "q", "r", "s"), func(s State) State {
			s.Latest = 3
			return s.Click(at(s, 1)).Click(at(s, 4)).Click(at(s, 0))
		}, "p=a#1 q=#0 r=dog#1 s=dog#2"},
		"a muted picture is not asked for": {boundTo(prompt, "q", "r"), func(s State) State {
			s.Form = s.Form.Mute(1, true)
			return s.Click(at(s, 1))
		}, "q=#0 r=dog#1"},
		"a picture that comes takes the place of the chosen one": {boundTo(prompt, "q", "r=a"), func(s State) State {
			s = s.Choose(2).Expect().Add(Card{Ref: inference.Reference{Name: "s"}}, "", none)
			return s.Click(at(s, 1))
		}, "q=#0 r=a#1 s=dog#1"},
		"but not of one that is chosen while more come": {boundTo(prompt, "q", "r=a"), func(s State) State {
			s = s.Choose(1).Expect().Add(Card{Ref: inference.Reference{Name: "s"}}, "", none)
			s = s.Choose(2).Add(Card{Ref: inference.Reference{Name: "t"}}, "", none)
			return s.Click(at(s, 1))
		}, "q=#0 r=dog#1 s=#0 t=#0"},
		"nor of one that is let go and chosen again": {boundTo(prompt, "q", "r=a"), func(s State) State {
			s = s.Choose(2).Expect().Choose(2).Tidy().Choose(2).Add(Card{Ref: inference.Reference{Name: "s"}}, "", none)
			return s.Click(at(s, 1))
		}, "q=#0 r=dog#1 s=#0"},
		"nor of one that is chosen again by its word": {boundTo(prompt, "q=a", "r=dog"), func(s State) State {
			s = s.Choose(2).Expect().Click(at(s, 1)).Click(at(s, 1)).Tidy().Click(at(s, 1))
			s = s.Add(Card{Ref: inference.Reference{Name: "s"}}, "", none)
			return s.Click(at(s, 4))
		}, "q=a#1 r=dog#2 s=#0"},
		"nor of one that is chosen between two drops": {boundTo(prompt, "q", "r=a"), func(s State) State {
			s = s.Expect().Choose(2).Tidy().Expect()
			s = s.AddTo(Card{Ref: inference.Reference{Name: "s"}}, "", Target{}).Came()
			s = s.AddTo(Card{Ref: inference.Reference{Name: "t"}}, "", Target{Card: 1}).Came()
			return s.Click(at(s, 1))
		}, "q=#0 t=#0 r=dog#1 s=#0"},
		"but of one that was chosen before both": {boundTo(prompt, "q", "r=a"), func(s State) State {
			s = s.Choose(2).Expect().Tidy().Expect().Tidy()
			s = s.AddTo(Card{Ref: inference.Reference{Name: "s"}}, "", Target{}).Came()
			return s.Click(at(s, 1))
		}, "q=#0 r=a#1 s=dog#1"},
		"a result whose word is left open takes it": {boundTo(prompt, "q", "r"), func(s State) State {
			return s.Continue(Card{Ref: inference.Reference{Name: "s"}}, none, nil, false).Click(at(s, 1))
		}, "q=#0 r=#0 s=dog#1"},
		"and has its original with it": {boundTo(prompt, "q", "r=and"), func(s State) State {
			return s.Continue(Card{Ref: inference.Reference{Name: "s"}}, none, []int{2}, true).Click(at(s, 1))
		}, "q=#0 s=dog#1 r=dog#1"},
		"waiting word is let go again": {
			boundTo(prompt, "q=a", "r=and"),
			func(s State) State { return s.Click(at(s, 1)).Click(at(s, 1)).Choose(2) }, "q=a#1 r=and#1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := bonds(c.do(c.start)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAddTakesTheWordOfTheFileName(t *testing.T) {
	s := boundTo("a dog and a dog").Add(Card{Ref: inference.Reference{Name: "dog.png"}}, "dog", none).Add(Card{Ref: inference.Reference{Name: "2"}}, "dog", none).
		Add(Card{Ref: inference.Reference{Name: "3"}}, "dog", none)
	if got, want := bonds(s), "dog.png=dog#1 2=dog#2 3=#0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s = boundTo("a dog").Click(Word{Word: uitest.Word("dog")}).Add(Card{Ref: inference.Reference{Name: "x"}}, "x", none)
	if got, want := bonds(s), "x=dog#1"; got != want {
		t.Errorf("word that waited: got %q, want %q", got, want)
	}
}

func TestRequestGroupsPicturesOfOneWord(t *testing.T) {
	s := boundTo("a dog and a cat", "1=dog", "2=cat", "3=dog", "4")
	s.Form.Count, s.Form.Seed = 3, SeedLimit-2
	s.Form = s.Form.WithScope(3, 0.3).Settle(uitest.Toybox)
	r := s.Form.Request()
	if len(r.Subjects) != 2 || len(r.Subjects[0].References) != 2 || r.Subjects[0].Scope != 0.3 || r.Subjects[1].Scope != 0 {
		t.Errorf("subjects %+v", r.Subjects)
	}
	if want := []uint64{SeedLimit - 2, SeedLimit - 1, 0}; !slices.Equal(r.Seeds, want) {
		t.Errorf("seeds %v, want %v", r.Seeds, want)
	}
	if r.Steps != 25 || r.Stop != 12 || r.CFG != 7.5 || r.Preset != "paper" {
		t.Errorf("preset: %+v", r)
	}
	if f := s.Form.WithPreset("release", uitest.Toybox); f.Steps != 20 || f.Stop != 10 || f.CFG != 3.5 {
		t.Errorf("release: %+v", f)
	}
}

func TestPicturesOfOneWordShareTheirReach(t *testing.T) {
	s := boundTo("a dog", "1=dog", "2")
	s.Form = s.Form.WithScope(1, 0.33).Bind(2, uitest.Word("Dog"))
	if got := s.Form.Cards[1].Scope; got != 0.33 {
		t.Errorf("the second picture of the word has the reach %g", got)
	}
	s.Form = s.Form.WithScope(2, 0.4)
	if got := s.Form.Cards[0].Scope; got != 0.4 {
		t.Errorf("the first picture of the word has the reach %g", got)
	}
}

func TestPlainWords(t *testing.T) {
	var got []string
	for _, w := range PlainWords("a dog’s ball, a well-known dög (dog) 2x") {
		got = append(got, fmt.Sprintf("%s#%d", w.Text, w.Occurrence))
	}
	want := "a#1 dog’s#1 ball#1 a#2 well-known#1 dög#1 dog#1 2x#1"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Emoji and letters with their signs are words in the window as in the model, and found by the same numbers.
func TestWordsOfOtherScripts(t *testing.T) {
	var got []string
	for _, w := range PlainWords("a 🐶, 👍🏽👩‍🚀! कुत्ता ❤️ dog") {
		got = append(got, fmt.Sprintf("%s#%d", w.Text, w.Occurrence))
	}
	if want := "a#1 🐶#1 👍🏽#1 👩‍🚀#1 कुत्ता#1 ❤️#1 dog#1"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %v", got, want)
	}
	text := "कुत्ता a 🐶, क 🐶 कुत्ता, ❤️!"
	p := tokenizer(t).Encode(text)
	words := ModelWords(p)
	got = nil
	for i, w := range words {
		got = append(got, fmt.Sprintf("%s#%d", w.Text, w.Occurrence))
		if r, ok := locate(words, w.Word); !ok || r != (WordRange{i, i}) {
			t.Errorf("%v is located at %v", w.Word, r)
		}
		span, err := p.Find(w.Text, w.Occurrence)
		var first prompt.Word
		for _, piece := range p.Words {
			if piece.Start == w.Start {
				first = piece
			}
		}
		if err != nil || span.From != first.Span.From {
			t.Errorf("%v: the model finds it at %v, it begins at %v: %v", w.Word, span, first.Span, err)
		}
	}
	if want := "कुत्ता#1 a#1 🐶#1 क#1 🐶#2 कुत्ता#2 ❤️#1"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if r := runsOf(words, "❤"); len(r) != 1 {
		t.Errorf("a heart without colours: %v", r)
	}
}

// tokenizer is that of the tiny model.
func tokenizer(t *testing.T) *prompt.Tokenizer {
	t.Helper()
	loaded, err := prompt.Load(os.DirFS("../../assets/golden/data/tiny/tokenizer"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// State is a value: nothing in it acts, waits or is somebody else's to close. What its pointers point to is never changed, but for Adding.
func TestStateIsAValue(t *testing.T) {
	shared := map[reflect.Type]bool{}
	for _, v := range []any{bundle.Manifest{}, image.NRGBA{}, image.RGBA{}, inference.State{}, inference.Init{}, inference.Grid{}, Shot{}, Model{}, Adding{}, Get{}, Place{}} {
		shared[reflect.TypeOf(v)] = true
	}
	seen := map[reflect.Type]bool{reflect.TypeFor[time.Time](): true, reflect.TypeFor[bundle.Manifest](): true}
	var walk func(at string, of reflect.Type)
	walk = func(at string, of reflect.Type) {
		switch of.Kind() {
		case reflect.Func, reflect.Chan, reflect.UnsafePointer:
			t.Errorf("%s is a %s", at, of)
		case reflect.Pointer:
			if !shared[of.Elem()] {
				t.Errorf("%s is a pointer to %s", at, of.Elem())
			}
			walk(at, of.Elem())
		case reflect.Slice, reflect.Array:
			walk(at, of.Elem())
		case reflect.Map:
			walk(at, of.Elem())
		case reflect.Struct:
			if seen[of] {
				return
			}
			seen[of] = true
			for f := range of.Fields() {
				walk(at+"."+f.Name, f.Type)
			}
		}
	}
	walk("State", reflect.TypeFor[State]())
}

func TestApplyFollowsARun(t *testing.T) {
	boom := errors.New("boom")
	recipe := inference.Request{Seeds: []uint64{7, 8}, Settings: inference.Settings{Stop: 2}}
	film := func(n int) []inference.Event {
		list := []inference.Event{inference.StageStarted{Stage: inference.StageDenoise}}
		for i := range n {
			list = append(list, uitest.Step(i, 4, 2, 1))
		}
		return list
	}
	for name, c := range map[string]struct {
		events []inference.Event
		check  func(State) string
	}{
		"nothing yet": {nil, func(s State) string {
			return fmt.Sprint(s.Busy(), " ", s.Run().Status(), " ", s.Shown() == nil)
		}},
		"encode": {[]inference.Event{inference.StageStarted{Stage: inference.StageEncode}}, func(s State) string { return s.Run().Status() }},
		"text":   {[]inference.Event{inference.StageStarted{Stage: inference.StageText}}, func(s State) string { return s.Run().Status() }},
		"steps": {append(film(3), inference.Progress{Pass: 9, Passes: 10, Remaining: 1200 * time.Millisecond}), func(s State) string {
			return fmt.Sprint(s.Run().Status(), " ", s.Shown().Step, s.Run().Pass, s.Run().Passes)
		}},
		"another device": {append(film(3), inference.StageStarted{Stage: inference.StageVision, Provider: "CUDA"}, inference.StageStarted{Stage: inference.StageDenoise, Provider: "CUDA"}, uitest.Step(0, 4, 2, 1), inference.DeviceChanged{Provider: "CPU", Why: "CUDA is gone"}, uitest.Step(1, 4, 2, 1)), func(s State) string {
			return fmt.Sprint(s.Run().Status(), " ", s.Run().Moved, " ", s.Busy())
		}},
		"a picture": {append(film(4), uitest.Picture(recipe, 0)), func(s State) string {
			film, stop := s.Film()
			return fmt.Sprint(s.Shown() == nil, s.Shot().Seed, len(film), stop)
		}},
		"second picture begins": {
			append(append(film(4), uitest.Picture(recipe, 0)), inference.StageStarted{Stage: inference.StageDenoise, Picture: 1}, uitest.Step(0, 4, 2, 1)),
			func(s State) string { return fmt.Sprint(s.View, s.Shown().Step, s.Run().Picture, len(s.Shots[0].Film)) },
		},
		"done": {append(film(4), uitest.Picture(recipe, 0), inference.Done{Pictures: 1, Elapsed: 3 * time.Second}), func(s State) string {
			return fmt.Sprint(s.Busy(), " ", s.Run().Status())
		}},
		"cancelled": {append(film(3), inference.Failed{Err: fmt.Errorf("step 3: %w", context.Canceled)}), func(s State) string {
			return fmt.Sprint(s.Busy(), s.Run().Err, s.Shown().Step, " ", s.Run().Status())
		}},
		"failed": {append(film(1), inference.Failed{Err: boom}), func(s State) string { return fmt.Sprint(s.Busy(), s.Run().Err, len(s.Run().Film)) }},
	} {
		want := map[string]string{
			"nothing yet": "true Getting ready… true", "text": "Reading the prompt…", "encode": "Checking the pictures…", "steps": "step 3 of 4 · about 1 s left 2 9 10",
			"another device": "step 2 of 4 · CPU CUDA is gone. true",
			"a picture":      "true 7 4 2", "second picture begins": "{-1 -1} 0 1 4", "done": "false Done in 3.0 s.",
			"cancelled": "false <nil> 2 Stopped after step 3.", "failed": "false boom 1",
		}[name]
		t.Run(name, func(t *testing.T) {
			s := NewState().Begin(Task{}, 1, 2)
			for _, e := range c.events {
				s = s.Apply(0, e)
			}
			if got := c.check(s); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestAJobThatShowsNothing gives the stage back to the newest picture; one that was stopped or failed behind a step shows that step.
func TestAJobThatShowsNothing(t *testing.T) {
	for _, c := range []struct {
		steps int
		end   inference.Event
		want  View
	}{
		{0, inference.Failed{Err: errors.New("boom")}, View{0, -1}},
		{0, inference.Failed{Err: context.Canceled}, View{0, -1}},
		{1, inference.Failed{Err: context.Canceled}, View{-1, -1}},
	} {
		s := NewState().Begin(Task{}, 1, 2)
		s = s.Apply(0, uitest.Picture(inference.Request{Seeds: []uint64{7}}, 0)).Apply(0, inference.Done{}).Begin(Task{}, 1, 2)
		s.View = View{-1, -1} // as the queue begins a job
		for i := range c.steps {
			s = s.Apply(0, inference.StageStarted{Stage: inference.StageDenoise}).Apply(0, uitest.Step(i, 4, 2, 1))
		}
		if s = s.Apply(0, c.end); s.View != c.want || s.Busy() {
			t.Errorf("after %d steps and %v the stage shows %+v, want %+v", c.steps, c.end, s.View, c.want)
		}
	}
}

// TestGoingOnElsewhereIsSaidInTheLanguageOfTheWindow: what another computer or another device says of itself crosses the wire as text and values.
// TestOccupiedIsOverWithTheJob: that a job runs is said as long as one does; all else that was said stays.
func TestOccupiedIsOverWithTheJob(t *testing.T) {
	s := NewState().Begin(Task{}, 1, 2)
	boom := errors.New("boom")
	for _, c := range []struct{ said, left error }{{s.Occupied(), nil}, {boom, boom}} {
		s.ActionErr = c.said
		if got := s.Apply(0, uitest.Step(0, 4, 2, 1)).ActionErr; c.said == nil || !errors.Is(got, c.said) {
			t.Errorf("while it runs: %v of %v", got, c.said)
		}
		if now := s.Apply(0, inference.Done{}); now.Busy() || !errors.Is(now.ActionErr, c.left) {
			t.Errorf("after it: %v of %v", now.ActionErr, c.said)
		}
	}
}

func TestGoingOnElsewhereIsSaidInTheLanguageOfTheWindow(t *testing.T) {
	if err := i18n.Speak(os.DirFS(filepath.Join(i18ntest.Root(), "assets/translations")), "de"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i18n.Speak(fstest.MapFS{}, "en") })
	data, err := inference.EncodeEvent(inference.Moved("CPU", message.Errorf("%s failed, so the CPU goes on: %s", "CUDA", "error 700")))
	if err != nil {
		t.Fatal(err)
	}
	e, err := inference.DecodeEvent(data)
	if err != nil {
		t.Fatal(err)
	}
	s := NewState().Begin(Task{}, 1, 2).Apply(0, e)
	if want := "CUDA ist ausgefallen, der Prozessor macht weiter: error 700."; s.Run().Moved != want {
		t.Errorf("%q, want %q", s.Run().Moved, want)
	}
}

// TestAreasAreInPerCent as their dials are, also where they are hardly more than the picture.
func TestAreasAreInPerCent(t *testing.T) {
	for area, want := range map[float64][2]string{
		0.25: {"", ""}, 0.45: {"Together they cover 90 %: little is left for the rest.", ""},
		0.5: {"Together they cover 100 %: little is left for the rest.", ""}, 0.501: {"", "add up to 101 %, which"}, 0.55: {"", "add up to 110 %, which"},
	} {
		s := boundTo("a dog and a cat", "rex.png=dog", "tom.png=cat")
		s.Form = s.Form.WithScope(1, area).WithScope(2, area)
		if note := s.ReachNote(); want[1] == "" && note != want[0] {
			t.Errorf("%g: %q, want %q", area, note, want[0])
		}
		if list := strings.Join(s.Form.Problems(s.Words, s.Model), " "); want[1] == "" && strings.Contains(list, "add up") || !strings.Contains(list, want[1]) {
			t.Errorf("%g: %q, want %q", area, list, want[1])
		}
	}
}

// A Mac writes accents of file names as letters of their own, and may paste a prompt so.
func TestAFileNameWithAnAccentBindsItsWord(t *testing.T) {
	const one, two = "K\u00f6ter", "Ko\u0308ter"
	for _, name := range []string{one, two} {
		for _, word := range []string{one, two} {
			s := boundTo("ein "+word).Add(Card{Ref: inference.Reference{Name: name + ".png"}}, HintOf(name+".png"), inference.Word{})
			if len(s.Form.Cards) != 1 || s.Form.Cards[0].Word.Text != word {
				t.Errorf("%+q has no picture of %+q: %+q", word, name, s.Form.Cards[0].Word.Text)
			}
		}
	}
}
