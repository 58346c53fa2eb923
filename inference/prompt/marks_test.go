package prompt

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// weighed is what a text is read as: "a |important*1.1| word".
func weighed(how Reading, text string) string {
	var list []string
	for _, r := range how.parts(text).runs {
		item := r.text
		if r.weight != 1 {
			item = fmt.Sprintf("%s*%.4g", r.text, r.weight)
		}
		item = strings.Repeat("BREAK:", r.breaks) + item
		if r.left {
			item = "-" + item
		}
		list = append(list, item)
	}
	return strings.Join(list, "|")
}

// TestWeights: the first ones are the examples of A1111's parse_prompt_attention with its results; it joins neighbours of one weight,
// which are tokenized alike unless no space stands between them.
func TestWeights(t *testing.T) {
	for text, want := range map[string]string{
		"normal text":           `normal text`,
		"an (important) word":   `an |important*1.1| word`,
		"(unbalanced":           `unbalanced*1.1`,
		`\(literal\]`:           `(literal]`,
		"(unnecessary)(parens)": `unnecessary*1.1|parens*1.1`,
		"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).": `a |house*1.573| *1.1|on| a *1.1|hill*0.55|, sun, *1.1|sky*1.464|.*1.1`,

		"":                              ``,
		"a [[dog]]":                     `a |dog*0.8264`,
		"a (dog: 1.5 ) x":               `a |dog*1.5| x`,
		"(a:-0.5) (b:+.5) (c:2.) (d:0)": `a*-0.5| |b*0.5| |c*2| |d*0`,
		"(a dog:1.3, sun)":              `a dog:1.3, sun*1.1`,
		"(a:1.2:1.3)":                   `a:1.2*1.3`,
		"(a:1.2.3)":                     `a:1.2.3*1.1`, // A1111 stops with an error
		"at 10:30) and ]":               `at 10:30) and ]`,
		"a ()":                          `a `,
		`\\(dog\\)`:                     `\|dog\*1.1`,
		`C:\dogs`:                       `C:\dogs`, // A1111 drops the backslash
		"(one [two) three]":             `one *1.1|two| three*0.9091`,
		"((x:" + strings.Repeat("9", 400) + "):0)": `x*0`,
		"((x:99)) (y:-99)":                         `x*10| |y*-10`,
		"a dog BREAK a cat":                        `a dog BREAK a cat`,
		"<lora:my style:0.7>a dog":                 `a dog`,
		"a <b> <lora> dog <lora:x":                 `a <b> <lora> dog <lora:x`,
		"red<lora:x:1>dog":                         `red|dog`,
		"(a <lora:x:1:0.5> dog:1.2)":               `a *1.2| dog*1.2`,
		"{curly} and {open|":                       `{curly} and {open|`,
	} {
		if got := weighed(Reading{}, text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if got := weighed(Reading{Chunks: true}, "a dog BREAK(a cat)BREAK, NOBREAK BREAKS"); got != "a dog |BREAK:a cat*1.1|BREAK:, NOBREAK BREAKS" {
		t.Error(got)
	}
	if got := weighed(Reading{Chunks: true}, "A DOG BREAK A CAT"); got != "A DOG BREAK A CAT" {
		t.Error(got)
	}
}

func TestAlternatives(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a {red|blue} dog", "a red dog,a blue dog,a red dog"},
		{"{a|b}{1|2|3}", "a1,b1,a2,b2,a3,b3,a1"},
		{"a {|very {old|young} }dog", "a dog,a very old dog,a dog,a very young dog"},
		{"{a|b} {open|", "a {open|,b {open|"},
		{"{x {a|b}", "{x a,{x b"},
		{"x} | {y}", "x} | {y}"},
		{`\{a|b} {a\|b|c}`, `\{a|b} a\|b,\{a|b} c`},
		{"(a {red:1.2|blue:0.5}) dog", "(a red:1.2) dog,(a blue:0.5) dog"},
		{"{é|🐶}", "é,🐶"},
	} {
		for i, want := range strings.Split(c.want, ",") {
			if got := (Reading{Pick: uint64(i)}).parts(c.text).used; got != want {
				t.Errorf("%q, %d: %q, want %q", c.text, i, got, want)
			}
		}
	}
	for text, want := range map[string]uint64{
		"a {red} dog": 1, "{a|b}{1|2|3}": 6, "a {|very {old|young} }dog": 4, "{a|b} {open|": 2, strings.Repeat("{a|b|c|d}", 40): math.MaxUint32,
	} {
		got := Period(text)
		for i := range uint64(12) {
			if got != want || (Reading{Pick: i}).Used(text) != (Reading{Pick: i + got}).Used(text) && got < math.MaxUint32 {
				t.Errorf("%q, %d: the alternatives come again after %d, want %d", text, i, got, want)
			}
		}
	}
	if !HasAlternatives("{a|b}") || HasAlternatives("{a} | b") {
		t.Error("what alternatives are")
	}
}

// TestReadPlain: a text without marks, and any text read literally, is what Encode always made of it.
func TestReadPlain(t *testing.T) {
	tokenizer := small(t, nil)
	for _, text := range []string{"", "a dog on the beach, 12 dogs 🐶🐱", strings.Repeat("dog ", 80), "İ e\u0323\u0301 한국어", "a dog BREAK cat"} {
		a, b := tokenizer.Encode(text), tokenizer.Read(text, Reading{})
		a.tokenizer, b.tokenizer = nil, nil
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Errorf("%q\n%+v\n%+v", text, a, b)
		}
		if a.Weights != nil {
			t.Errorf("%q has weights", text)
		}
	}
}

// TestMarksAreNoTokens: the tokens are those of the text without the marks, words are found among them, and each token has the weight
// of its bracket.
func TestMarksAreNoTokens(t *testing.T) {
	tokenizer := small(t, nil)
	const text = `a (pink:1.5) [dog], <lora:x:1>(a (man:2)), \(hat\)`
	plain := tokenizer.Encode("a pink dog, a man, (hat)")
	p := tokenizer.Read(text, Reading{})
	if !slices.Equal(p.IDs, plain.IDs) || p.Tokens != plain.Tokens {
		t.Errorf("tokens %v\nwant %v", p.IDs, plain.IDs)
	}
	for phrase, weight := range map[string]float32{"pink": 1.5, "dog": 1 / 1.1, "man": 2.2, "hat": 1, "a": 1} {
		want, _ := plain.Find(phrase, 1)
		got, err := p.Find(phrase, 1)
		if err != nil || got != want {
			t.Errorf("%q: %v, want %v: %v", phrase, got, want, err)
		}
		for i := got.From; i < got.To; i++ {
			if d := p.Weights[i] - weight; d > 1e-6 || d < -1e-6 {
				t.Errorf("%q weighs %g", phrase, p.Weights[i])
			}
		}
	}
	want, _ := plain.Find("pink dog", 1)
	if span, err := p.Find("pink dog", 1); err != nil || span != want {
		t.Errorf("a phrase over a bracket: %v %v", span, err)
	}
	if len(p.Weights) != len(p.IDs) || p.Weights[0] != 1 || p.Weights[p.Tokens+1] != 1 || p.Weights[Length-1] != 1 {
		t.Errorf("start, end and padding have no weight: %v", p.Weights)
	}
	for _, w := range p.Words {
		if text[w.Start:w.End] != w.Text || w.RuneStart != w.Start {
			t.Errorf("%+v is not where it was typed", w)
		}
	}
	if len(p.Nets) != 1 || p.Nets[0].Name != "x" || text[p.Nets[0].Start:p.Nets[0].End] != "<lora:x:1>" {
		t.Errorf("%+v", p.Nets)
	}
	if w, ok := p.Nets[0].Weight(); w != 1 || !ok {
		t.Error(w, ok)
	}
}

// TestCutWeights: weights of what is cut off are nobody's.
func TestCutWeights(t *testing.T) {
	p := small(t, nil).Read(strings.Repeat("dog ", 74)+"(xyz dog:1.5)", Reading{}) // x, y, z</w> straddle token 75
	if !p.Cut() || len(p.Weights) != Length || p.Weights[74] != 1 || p.Weights[75] != 1.5 || p.Weights[76] != 1 {
		t.Errorf("%v", p.Weights)
	}
}

// TestWordsOfAlternatives: a word keeps its number whatever is taken before it, and one that is not taken is refused.
func TestWordsOfAlternatives(t *testing.T) {
	tokenizer := small(t, nil)
	const text = "{a dog|a man} and a {pink|dog} hat, dog"
	for pick, used := range []string{"a dog and a pink hat, dog", "a man and a pink hat, dog", "a dog and a dog hat, dog", "a man and a dog hat, dog"} {
		p, plain := tokenizer.Read(text, Reading{Pick: uint64(pick)}), tokenizer.Encode(used)
		if p.Used != used || !slices.Equal(p.IDs, plain.IDs) {
			t.Errorf("%d: %q %v", pick, p.Used, p.IDs)
		}
		last := strings.Count(used, "dog")
		want, _ := plain.Find("dog", last)
		if got, err := p.Find("dog", 3); err != nil || got != want {
			t.Errorf("%d: the last dog %v, want %v: %v", pick, got, want, err)
		}
		first, err := p.Find("dog", 1)
		if pick%2 == 0 && (err != nil || first != Span{2, 3}) || pick%2 == 1 && (err == nil || !strings.Contains(err.Error(), "alternative")) {
			t.Errorf("%d: the first dog %v: %v", pick, first, err)
		}
		if want, _ := plain.Find("hat", 1); pick > 1 {
			if got, err := p.Find("dog hat", 1); err != nil || got.To != want.To {
				t.Errorf("%d: a phrase %v, %v", pick, got, err)
			}
		}
		if n := p.Count("dog"); n != 3 {
			t.Errorf("%d: %d dogs", pick, n)
		}
	}
}

func TestNotations(t *testing.T) {
	for text, want := range map[string][]string{
		"masterpiece, (a dog:1.3) on the [beach], <lora:style:0.7> BREAK sunset": {`"BREAK"`},
		"a dog (a small one), 3:4, at 10:30":                                     nil,
		"a dog AND a cat":                                                        {`"AND"`},
		"A DOG AND A CAT, BREAK":                                                 nil,
		"{dog|cat} in __place__":                                                 {`"__place__"`},
		"{2$$dog|cat}, {0.5::a|b}":                                               {`"{2$$dog|cat}"`},
		"embedding:nice, a dog":                                                  {`"embedding:nice,"`},
		`dog \(breed\)`:                                                          nil,
		"a dog, BREAKFAST, sand":                                                 nil,
		"a [dog:cat:0.5]":                                                        {`"[dog:cat:0.5]"`},
		"a (dog)1.4":                                                             {`")1.4"`},
		"a (dog)++":                                                              {`")++"`},
		"a dog :( in the rain":                                                   {`"( in the rain"`},
		"(dog:20)":                                                               {`"dog"`},

		"a (dog:1,3)":                   {`"(dog:1,3)"`},
		"(dog:nan)":                     {`"(dog:nan)"`},
		"(dog:-Inf)":                    {`"(dog:-Inf)"`},
		"(dog:1e400)":                   {`"(dog:1e400)"`},
		"(dog:)":                        {`"(dog:)"`},
		"(a:1.2.3)":                     {`"(a:1.2.3)"`},
		"(dog:−1)":                      {`"(dog:−1)"`},
		"(dog:１.３)":                     {`"(dog:１.３)"`},
		"(dog:130%)":                    {`"(dog:130%)"`},
		"(dog：1.3)":                     {`"(dog：1.3)"`},
		"（犬:1.3） on a (cat: 1.2 )":      {`"（犬:1.3）"`},
		"{犬｜cat}, 犬（小）":                 {`"{犬｜cat}"`, `"{犬｜cat}"`},
		"(at 3:4, in the sun)":          nil,
		"(title: a dog)":                nil,
		"a {dog|cat":                    {`"{dog|cat"`},
		"a {dog} {a|b}":                 {`"{dog}"`},
		"{a|b}} dog":                    {`"}"`},
		`\{dog} a|b`:                    {`"dog}"`},
		`\{dog\} {a|{b|c}}`:             nil,
		"{a {b|c}":                      {`"{a {b|c}"`},
		"a dog:1.3), 1) sun, b) :-) ;)": {`"dog:1.3)"`},
		"a dog] here":                   {`"dog]"`},
		"<lora:style:0.7 a dog":         {`"<lora:style:0.7 a dog"`},
		"<LORA:style> <lora:x:1>":       {`"<LORA:style>"`},
		"<fromto[0.5]:a, b>":            {`"<fromto[0.5]:a, b>"`},
		"":                              nil,
	} {
		check(t, text, Reading{}.Notations(text), want)
	}
	check(t, "BREAK", Reading{Chunks: true}.Notations("a BREAK b"), nil)
}

// TestLiteralNotations: what is not read where a prompt is read sign by sign.
func TestLiteralNotations(t *testing.T) {
	for text, want := range map[string][]string{
		"masterpiece, (a dog:1.3) on the [beach], <lora:style:0.7> BREAK sunset": {`"<lora:style:0.7>"`, `"(a dog:1.3)"`, `"BREAK"`},
		"(worst quality:1.4)":                {`"(worst quality:1.4)"`},
		"a dog (a small one), 3:4, at 10:30": nil,
		"((dog))":                            {`"((dog))"`},
		"a dog AND a cat":                    {`"AND"`},
		"A DOG AND A CAT, BREAK":             nil,
		"{dog|cat} in __place__":             {`"{dog|cat}"`},
		"embedding:nice, a dog":              {`"embedding:nice,"`},
		`dog \(breed\)`:                      {`"\\("`},
		"a dog, BREAKFAST, sand":             nil,
		"a [dog:cat:0.5]":                    {`"[dog:cat:0.5]"`},
		"":                                   nil,
	} {
		check(t, text, Reading{Literal: true}.Notations(text), want)
	}
}

func check(t *testing.T, text string, notes []error, want []string) {
	t.Helper()
	if len(notes) != len(want) {
		t.Errorf("%q: %q", text, notes)
		return
	}
	for i := range want {
		if !strings.Contains(notes[i].Error(), want[i]) {
			t.Errorf("%q: %q does not say %s", text, notes[i], want[i])
		}
	}
}

// FuzzRead: whatever is typed, there are whole chunks of ids, words lie where they were typed, and their spans follow one another.
func FuzzRead(f *testing.F) {
	tokenizer := small(f, nil)
	for _, s := range []string{"", "a (dog:1.2) [b]", `{a|b {c|(d}:2)}e` + `\{`, "BREAK a BREAK", "<lora:x:1>((", strings.Repeat("a, dog ", 40) + "BREAK" + strings.Repeat("(man:2)", 1300), strings.Repeat("BREAK ", 20) + "a", "{é|🐶}कु(त्ता", strings.Repeat("(", 90) + "{|", "{a|b}{c|d}\xff"} {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64) {
		p := tokenizer.Read(text, Reading{Pick: pick, Chunks: true})
		if len(p.IDs) != Length*len(p.Chunks) || p.Weights != nil && len(p.Weights) != len(p.IDs) {
			t.Fatalf("%d ids, %d weights of %v", len(p.IDs), len(p.Weights), p.Chunks)
		}
		sum := 0
		for i, n := range p.Chunks {
			sum += n
			if n > Room || p.IDs[i*Length] != tokenizer.start || p.IDs[i*Length+1+n] != tokenizer.end {
				t.Fatalf("chunk %d: %v", i, p.IDs)
			}
		}
		if len(p.Chunks) > MaxChunks || sum > p.Tokens || p.Cut() != (sum < p.Tokens) || p.Cut() && len(p.Chunks) < MaxChunks {
			t.Fatalf("%d tokens, %v", p.Tokens, p.Chunks)
		}
		marked := 0
		for _, w := range p.Words {
			for _, u := range p.Indicator(w.Span) {
				marked += int(u)
			}
			if !w.Left && !w.Cut && marked == 0 {
				t.Fatalf("%+v has no tokens", w)
			}
		}
		at := 0
		for _, w := range p.Words {
			if w.Start < 0 || w.End > len(text) || w.Start >= w.End || w.RuneStart != utf8.RuneCountInString(text[:w.Start]) || w.Start < at {
				t.Fatalf("%+v", w)
			}
			if at = w.Start; math.Abs(w.Weight) > MaxWeight || w.Span.To > len(p.IDs) || (w.Cut || w.Left) != (w.Span == Span{}) {
				t.Fatalf("%+v", w)
			}
		}
		_, _ = p.Find("a dog", 1)
		Reading{Chunks: true}.Notations(text)
		if q := tokenizer.Read(p.Used, Reading{Literal: true}); !Marked(p.Used) && !Marked(text) && !slices.Equal(q.IDs, p.IDs[:Length]) && len(p.Chunks) == 1 {
			t.Fatalf("%v, %v", q.IDs, p.IDs)
		}
	})
}
