package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/uitest"
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
	form := Form{Prompt: "a dog", Settings: inference.Settings{Preset: "paper"}, Seed: 7, Count: 1, Cards: []Card{{ID: 3, Ref: refOf("rex.png", "a"), Word: word("dog")}}}.Settle(uitest.Toybox)
	same := inference.Request{
		Prompt: "a dog", Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim"}, Seeds: []uint64{7},
		Subjects: []inference.Subject{{Word: word("dog"), Scope: 0.2, References: []inference.Reference{refOf("rex.png", "a")}}},
	}
	for name, c := range map[string]struct {
		change  func(*inference.Request)
		missing bool
		foreign bool
		painted string // begins the mask of the dog that is here
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
		"mask": {change: func(r *inference.Request) {
			r.Subjects[0].Region = inference.Region{Kind: guidance.Exactly, Painted: inference.Painted{SHA256: strings.Repeat("c", 64)}}
		}, want: "1 Mask of dog:  > exactly this"},
		"another mask": {painted: "d", change: func(r *inference.Request) {
			r.Subjects[0].Region = inference.Region{Kind: guidance.OnlyHere, Painted: inference.Painted{SHA256: strings.Repeat("c", 64)}}
		}, want: "1 Mask of dog: only here > only here, another shape"},
		"another meaning": {painted: "c", change: func(r *inference.Request) {
			r.Subjects[0].Region = inference.Region{Kind: guidance.NotHere, Painted: inference.Painted{SHA256: strings.Repeat("c", 64)}}
		}, want: "1 Mask of dog: only here > not here"},
		"new with an area": {change: func(r *inference.Request) {
			r.Prompt = "a dog and a cat"
			r.Subjects = append(r.Subjects, inference.Subject{Word: word("cat"), Scope: 0.3, References: []inference.Reference{refOf("tom.png", "b")}})
		}, want: "0 Prompt: a dog > a dog and a cat\n1 cat:  > tom.png\n1 Area γ of cat:  > 0.30"},
		"no subject": {change: func(r *inference.Request) { r.Subjects = nil }, want: "1 dog: rex.png > "},
		"missing":    {change: func(r *inference.Request) { r.Subjects[0].References[0] = refOf("tom.png", "b") }, missing: true, want: "1 dog: rex.png > tom.png\n1 dog: ! tom.png"},
		"other program": {
			change: func(r *inference.Request) {
				*r = inference.Request{Prompt: "a cat", Settings: inference.Settings{Steps: 20}}
			}, foreign: true,
			want: "0 Prompt: a dog > a cat\n2 Steps: 25 > 20\n2 Masks settle after (T_stop): step 12 > step 10",
		},
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
				p.Cards = append(p.Cards, Card{Ref: ref, Word: s.Word, Scope: s.Scope, Region: s.Region, Missing: c.missing})
			}
		}
		form := form
		if c.painted != "" {
			region := inference.Region{Kind: guidance.OnlyHere, Painted: inference.Painted{SHA256: strings.Repeat(c.painted, 64)}}
			form.Cards = []Card{form.Cards[0]}
			form.Cards[0].Region = region
		}
		if got := changesText(form.Changes(p, uitest.Toybox)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
		// What is taken over leaves nothing to change.
		after := form.Take(p, AllParts, uitest.Toybox)
		if got := changesText(slices.DeleteFunc(after.Changes(p, uitest.Toybox), func(c Change) bool { return c.Missing })); got != "" {
			t.Errorf("%s: still to change after taking it over: %s", name, got)
		}
		if c.want == "" && changesText(form.Changes(p, uitest.Toybox)) != "" {
			t.Errorf("%s: the form was changed by looking", name)
		}
	}
}

// The area of a mask that was painted exactly is nobody's wish: without the mask the card has the γ of the settings.
func TestTakeNoAreaForAWish(t *testing.T) {
	for kind, want := range map[guidance.Kind]float64{guidance.Exactly: 0, guidance.OnlyHere: 0.03} {
		r := inference.Request{Prompt: "a dog", Subjects: []inference.Subject{{
			Word: uitest.Word("dog"), Scope: 0.03, References: []inference.Reference{refOf("a.png", "a")},
			Region: inference.Region{Kind: kind, Painted: inference.Painted{SHA256: "aa", Data: []byte{1}}},
		}}}
		p := PastOf("a.png", recipe.Recipe{Request: r}, false, func(string) []byte { return nil }, Eye{})
		f := NewState().Form.Take(p, AllParts, uitest.Toybox)
		f = f.WithRegion(f.Cards[0].ID, inference.Region{})
		if got := f.Request().Subjects[0].Scope; got != want {
			t.Errorf("%s: without its mask γ is %g, not %g", kind, got, want)
		}
	}
}

func TestTakeSomeParts(t *testing.T) {
	form := Form{Prompt: "a dog", Settings: inference.Settings{Preset: "paper"}, Seed: 7, Count: 1, Cards: []Card{{ID: 3, Ref: refOf("rex.png", "a"), From: 12}}}.Settle(uitest.Toybox)
	p := Past{
		Recipe: recipe.Recipe{Request: inference.Request{Prompt: "a cat", Settings: inference.Settings{Stop: 5}, Seeds: []uint64{9}}},
		Cards:  []Card{{Ref: refOf("other name.png", "a"), Word: inference.Word{Text: "cat"}}},
	}
	for _, c := range []struct {
		which Parts
		want  string
	}{
		{Parts{}, "a dog stop 12 seed 7 rex.png=#0"},
		{Parts{PartPrompt: true}, "a cat stop 12 seed 7 rex.png=#0"},
		{Parts{PartSubjects: true}, "a dog stop 12 seed 7 rex.png=cat#0"},
		{Parts{PartSettings: true}, "a dog stop 5 seed 7 rex.png=#0"},
		{Parts{PartSeed: true}, "a dog stop 12 seed 9 rex.png=#0"},
		{AllParts, "a cat stop 5 seed 9 rex.png=cat#0"},
	} {
		f := form.Take(p, c.which, uitest.Toybox)
		got := fmt.Sprintf("%s stop %d seed %d %s", f.Prompt, f.Stop, f.Seed, bonds(State{Form: f}))
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.which, got, c.want)
		}
		if f.Cards[0].From != 12 || c.which[PartSubjects] && f.Cards[0].ID == 3 {
			t.Errorf("%v: card %+v", c.which, f.Cards[0])
		}
	}
}

// TestSmallPicturesAreSmall keeps a recipe or a session from asking for the memory of a poster.
func TestSmallPicturesAreSmall(t *testing.T) {
	poster := uitest.PNG(uitest.Red)
	binary.BigEndian.PutUint32(poster[16:], 60_000)
	binary.BigEndian.PutUint32(poster[20:], 60_000)
	binary.BigEndian.PutUint32(poster[29:], crc32.ChecksumIEEE(poster[12:29]))
	if img, err := ReadSmall(poster); err == nil || img != nil {
		t.Errorf("%v, %v", img, err)
	}
	if img, err := ReadSmall(uitest.PNG(uitest.Red)); err != nil || img.Bounds().Dx() != 8 {
		t.Errorf("%v, %v", img, err)
	}
}

// TestTheUsualSizeOfAnotherModel becomes that of the open one, which is said; a size that somebody chose stays, and that is said too.
func TestTheUsualSizeOfAnotherModel(t *testing.T) {
	m := *uitest.Roomy
	m.Name, m.Size = "Toybox 2", bundle.Size{Width: 256, Height: 256, Min: 64, Max: 512, Multiple: 32}
	own := func(model string) image.Point {
		s := NewState()
		s.Shelf.List = []Model{{Manifest: uitest.Roomy}}
		return s.OwnSize(model)
	}
	for name, c := range map[string]struct {
		model    string
		was, now image.Point
		says     string
	}{
		"the earlier built-in model's": {
			"Realword Toybox", image.Pt(128, 128), image.Pt(256, 256),
			"128 × 128 is the usual size of the model Realword Toybox: the new picture has that of Toybox 2, 256 × 256",
		},
		"chosen":            {"Realword Toybox", image.Pt(192, 128), image.Pt(192, 128), "the new picture keeps the size of the recipe, 192 × 128"},
		"chosen, like ours": {"Realword Toybox", image.Pt(256, 256), image.Pt(256, 256), ""},
		"a model here":      {"roomy", image.Pt(1024, 1024), image.Pt(256, 256), "1024 × 1024 is the usual size of the model roomy: the new picture has that of Toybox 2, 256 × 256"},
		"nobody knows it":   {"another", image.Pt(128, 128), image.Pt(128, 128), "the new picture keeps the size of the recipe, 128 × 128"},
		"our own":           {"Toybox 2", image.Pt(128, 128), image.Pt(128, 128), ""},
		"no model said":     {"", image.Pt(128, 128), image.Pt(128, 128), ""},
	} {
		r := recipe.Recipe{Model: c.model, Request: inference.Request{Prompt: "a dog", Settings: inference.Settings{Width: c.was.X, Height: c.was.Y}}}
		p := PastOf("a.png", r, false, func(string) []byte { return nil }, Eye{Model: &m, Own: own})
		f := Form{}.Settle(&m).Take(p, AllParts, &m)
		said := ""
		if err := p.OtherSize(&m); err != nil {
			said = err.Error()
		}
		if f.Size(&m) != c.now || said != c.says {
			t.Errorf("%s: %v, %q; want %v, %q", name, f.Size(&m), said, c.now, c.says)
		}
		if list := strings.Join(p.Unsettable(&m), ", "); strings.Contains(list, "Size") {
			t.Errorf("%s: the size is said twice: %s", name, list)
		}
	}
}

// A file that stands for two words, or is named twice, is looked for and decoded once; another square of it is another card.
func TestAFileIsReadOnce(t *testing.T) {
	data := uitest.PNG(uitest.Red)
	ref := inference.Reference{Name: "a.png", SHA256: files.Sum(data)}
	cut, renamed := ref, ref
	cut.Square.Fit, renamed.Name = picture.Pad, "b.png"
	r := recipe.Recipe{Request: inference.Request{Prompt: "a dog and a cat", Subjects: []inference.Subject{
		{Word: uitest.Word("dog"), References: []inference.Reference{ref, cut}}, {Word: uitest.Word("cat"), Scope: 0.1, References: []inference.Reference{ref, renamed}},
	}}}
	found := 0
	p := PastOf("p.png", r, false, func(string) []byte { found++; return data }, Eye{Model: uitest.Toybox})
	if found != 2 || len(p.Cards) != 4 {
		t.Fatalf("looked for %d times, %d cards", found, len(p.Cards))
	}
	for i, want := range []string{"dog a.png ", "dog a.png pad", "cat a.png ", "cat b.png "} {
		c := p.Cards[i]
		if got := fmt.Sprint(c.Word.Text, " ", c.Ref.Name, " ", c.Ref.Square.Fit); got != want || c.Missing || c.View == nil || c.Scope != r.Subjects[i/2].Scope {
			t.Errorf("card %d is %q (missing %v, view %v, area %v), want %q", i, got, c.Missing, c.View != nil, c.Scope, want)
		}
	}
}
