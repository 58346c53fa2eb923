package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"realword/inference"
	"realword/inference/prompt"
	"realword/ui/uitest"
)

// typed is the state after the words between the marks of script were replaced: "a [dog|] and" deletes "dog".
func typed(s State, script string) State {
	head, rest, _ := strings.Cut(script, "[")
	old, rest, _ := strings.Cut(rest, "|")
	added, tail, _ := strings.Cut(rest, "]")
	if s.Form.Prompt != head+old+tail {
		panic(fmt.Sprintf("the prompt is %q, the script begins with %q", s.Form.Prompt, head+old+tail))
	}
	text := head + added + tail
	return s.Retype(text, PlainWords(text), len(head+added))
}

// fate prints every subject with the byte at which its word is, or why it has none.
func fate(s State) string {
	var list []string
	for _, c := range s.Form.Cards {
		at := "lost"
		if r, ok := locate(s.Words, c.Word); ok && !c.Lost(s.Words) {
			at = fmt.Sprint(s.Words[r.First].Start)
		}
		list = append(list, c.Ref.Name+"@"+at)
	}
	return strings.Join(list, " ")
}

func TestBindingsFollowTheirWords(t *testing.T) {
	second := func(s State) State { // r is bound to the second dog
		s.Form = s.Form.Bind(1, inference.Word{Text: "dog", Occurrence: 2})
		return s
	}
	for name, c := range map[string]struct {
		start  State
		script []string
		want   string
	}{
		"text before it":            {boundTo("a dog", "r=dog"), []string{"[|look, ]a dog"}, "r@8"},
		"text behind it":            {boundTo("a dog", "r=dog"), []string{"a dog[| runs]"}, "r@2"},
		"an equal word before it":   {boundTo("a dog", "r=dog"), []string{"[|a dog and ]a dog"}, "r@12"},
		"its number goes down":      {second(boundTo("a dog and a dog", "r=dog")), []string{"a [dog |]and a dog"}, "r@8"},
		"which of two was deleted":  {second(boundTo("dog dog", "r=dog")), []string{"[dog |]dog"}, "r@0"},
		"the other of two":          {second(boundTo("dog dog", "r=dog")), []string{"dog[ dog|]"}, "r@lost"},
		"the first is not replaced": {boundTo("a dog and a dog", "r=dog"), []string{"a [dog |]and a dog"}, "r@lost"},
		"letters typed at its end":  {boundTo("a dog", "r=dog"), []string{"a dog[|s]"}, "r@lost"},
		"and taken away":            {boundTo("a dog", "r=dog"), []string{"a dog[|s]", "a dog[s|]"}, "r@2"},
		"letters in its middle":     {boundTo("a dog", "r=dog"), []string{"a d[|r]og"}, "r@lost"},
		"it comes back where it was": {boundTo("a dog and a dog", "r=dog"), []string{
			"a [dog|] and a dog", "[|now ]a  and a dog", "now a [|do] and a dog",
			"now a do[|g] and a dog",
		}, "r@6"},
		"it does not come back elsewhere": {boundTo("a dog or", "r=dog"), []string{"a [dog|] or", "a  or[| dog]"}, "r@lost"},
		"a space goes before it":          {boundTo("my dog", "r=dog"), []string{"my[ |]dog", "my[|  ]dog"}, "r@4"},
		"in another case":                 {boundTo("a dog", "r=dog"), []string{"a [dog|Dog]"}, "r@2"},
		"the whole prompt anew":           {boundTo("a dog", "r=dog"), []string{"[a dog|on a beach a dog runs]"}, "r@13"},
		"anew without it":                 {boundTo("a dog", "r=dog"), []string{"[a dog|a cat]"}, "r@lost"},
		"anew with one more":              {boundTo("a dog", "r=dog"), []string{"[a dog|two dog and dog run]"}, "r@lost"},
		"two of two anew": {func() State {
			s := boundTo("a dog and a dog", "p=dog", "q")
			s.Form = s.Form.Bind(2, inference.Word{Text: "dog", Occurrence: 2})
			return s
		}(), []string{"[a dog and a dog|the dog bites the dog]"}, "p@4 q@18"},
		"an unknown word waits for any": {boundTo("a cat", "r=dog"), []string{"a cat[| and a dog]"}, "r@12"},
		"accents":                       {boundTo("ä dög", "r=dög"), []string{"[ä|ö] dög"}, "r@3"},
		"a phrase":                      {boundTo("a pink hat", "r=pink hat"), []string{"[|see ]a pink hat"}, "r@6"},
		"a phrase taken apart":          {boundTo("a pink hat", "r=pink hat"), []string{"a pink [|old ]hat"}, "r@lost"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start
			for _, step := range c.script {
				s = typed(s, step)
			}
			if got := fate(s); got != c.want {
				t.Errorf("%q: got %q, want %q", s.Form.Prompt, got, c.want)
			}
		})
	}
}

// Whatever is typed: a word that is bound is the same letters as before, or was written again between the letters that stood
// around it; two subjects never get one word, and the name that the engine is told leads to that word.
func TestRandomEditsNeverBindAnotherWord(t *testing.T) {
	vocabulary := []string{"dog", "dog", "dogs", "cat", "a", "a dog", " ", ", ", "ö", "do", "g", ""}
	check := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func() string { return vocabulary[r.IntN(len(vocabulary))] }
		// Every letter has a number of its own, from which it is known again after edits.
		var letters []rune
		var ids []int
		next := 0
		insert := func(at int, text string) {
			var fresh []int
			for range []rune(text) {
				fresh = append(fresh, next)
				next++
			}
			letters, ids = slices.Insert(letters, at, []rune(text)...), slices.Insert(ids, at, fresh...)
		}
		for range 2 + r.IntN(6) {
			insert(len(letters), pick()+" ")
		}
		s := boundTo(string(letters))
		var left, right [][]int // the letters before and behind every bound word when it was bound
		runeAt := func(b int) int { return len([]rune(string(letters)[:b])) }
		for i, w := range s.Words {
			if r.IntN(2) == 0 {
				continue
			}
			s.Form.Cards = append(s.Form.Cards, Card{ID: i + 1, Word: w.Word})
			left = append(left, slices.Clone(ids[:runeAt(w.Start)]))
			right = append(right, slices.Clone(ids[runeAt(w.End):]))
		}
		for range 12 {
			from := r.IntN(len(letters) + 1)
			to := min(len(letters), from+r.IntN(5)*r.IntN(3))
			text := ""
			if r.IntN(3) > 0 {
				text = pick()
			}
			letters, ids = slices.Delete(letters, from, to), slices.Delete(ids, from, to)
			insert(from, text)
			now := string(letters)
			s = s.Retype(now, PlainWords(now), len(string(letters[:from+len([]rune(text))])))
			used := map[WordRange]bool{}
			for i, c := range s.Form.Cards {
				if c.Lost(s.Words) {
					continue
				}
				at, ok := locate(s.Words, c.Word)
				if !ok || used[at] {
					t.Logf("seed %d: %q: %v has no word of its own", seed, now, c.Word)
					return false
				}
				used[at] = true
				begin, end := runeAt(s.Words[at.First].Start), runeAt(s.Words[at.Last].End)
				if !strings.EqualFold(string(letters[begin:end]), c.Word.Text) {
					t.Logf("seed %d: %q: %v is bound to %q", seed, now, c.Word, string(letters[begin:end]))
					return false
				}
				for at, id := range ids {
					if slices.Contains(left[i], id) && at >= begin || slices.Contains(right[i], id) && at < end {
						t.Logf("seed %d: %q: %v went to another place", seed, now, c.Word)
						return false
					}
				}
			}
		}
		return true
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}

// Quotes, weights and marks of other programs make words of letters and letters of words, far from where the user types too.
func TestWordsThatAnEditUnmakes(t *testing.T) {
	for _, c := range []struct{ before, word, after string }{
		{"a 'dog", "dog", "a'dog"},
		{"'arbre", "arbre", "l'arbre"},
	} {
		s := State{Form: Form{Prompt: c.before, Cards: []Card{{ID: 1, Word: inference.Word{Text: c.word, Occurrence: 1}}}}, Words: PlainWords(c.before)}
		s = s.Retype(c.after, PlainWords(c.after), -1)
		if card := s.Form.Cards[0]; !card.Lost(s.Words) {
			t.Errorf("%q to %q: %v is bound still", c.before, c.after, card.Word)
		}
	}
	pieces := []string{
		"dog", "cat", " ", ", ", "(", ")", ":1.2", "{", "|", "}", "[", "]", "<lora:", ":1>", "BREAK", "a ", "2", "é", "🐕", "\u200d", "-",
		"'", "'s", "\"", "_", "\\", "<", ">", ":", "\n", "#", "AND",
	}
	tok := tokenizer(t)
	for name, read := range map[string]func(string) []Word{
		"plain": PlainWords,
		"model": func(text string) []Word { return ModelWords(tok.Read(text, prompt.Reading{})) },
	} {
		for seed := range uint64(4000) {
			r := rand.New(rand.NewPCG(seed, 1))
			some := func(n int) (text string) {
				for range n {
					text += pieces[r.IntN(len(pieces))]
				}
				return text
			}
			text := some(1 + r.IntN(12))
			s := State{Words: read(text), Form: Form{Prompt: text}}
			for i, w := range s.Words {
				if r.IntN(2) == 0 {
					s.Form.Cards = append(s.Form.Cards, Card{ID: i + 1, Word: w.Word})
				}
			}
			for range 3 {
				from := r.IntN(len(text) + 1)
				to := from + r.IntN(len(text)-from+1)
				text = text[:from] + some(r.IntN(3)) + text[to:]
				s = s.Retype(text, read(text), -1)
				for _, c := range s.Form.Cards {
					if _, found := locate(s.Words, c.Word); !found && c.Gone == nil {
						t.Fatalf("%s %d: %q: %v is no word and has no place to come back to", name, seed, text, c.Word)
					}
				}
			}
		}
	}
}

func TestEditsWithoutACursor(t *testing.T) {
	for _, c := range []struct {
		before, after string
		cursor        int
		want          edit
	}{
		{"a dog", "a dogs", -1, edit{5, 5, 6}},
		{"dog dog", "dog", 0, edit{0, 4, 0}},
		{"dog dog", "dog", 3, edit{3, 7, 3}},
		{"dog dog", "dog", -1, edit{3, 7, 3}},
		{"a dog", "a cat", 1, edit{2, 5, 5}}, // a cursor that fits no edit
		{"ä", "ö", -1, edit{0, 2, 2}},        // half a letter is no edit
		{"same", "same", 2, edit{2, 2, 2}},
		{"", "x", 1, edit{0, 0, 1}},
	} {
		if got := editOf(c.before, c.after, c.cursor); got != c.want {
			t.Errorf("%q to %q at %d: got %v, want %v", c.before, c.after, c.cursor, got, c.want)
		}
	}
}

func TestRemedyForALostWord(t *testing.T) {
	for name, c := range map[string]struct {
		state  State
		script string
		want   string
	}{
		"written at its place": {boundTo("a dog on the beach", "r=dog"), "a [dog|cat] on the beach", "cat"},
		"another prompt":       {boundTo("a robot in the snow", "r=robot"), "[a robot in the snow|an owl near a green river bank]", ""},
		"two words at it":      {boundTo("a dog on the beach", "r=dog"), "a [dog|red cat] on the beach", "cat"},
		"all is written anew":  {boundTo("a cat", "r=cat"), "[a cat|a horse on the beach]", "horse"},
		"so, and it is alike":  {boundTo("a cat", "r=cat"), "[a cat|a horse on a cart]", "cart"},
		"plural":               {boundTo("a dog", "r=dog"), "a dog[|s]", "dogs"},
		"deleted, but alike":   {boundTo("a dog and doggy", "r=dog"), "a [dog |]and doggy", "doggy"},
		"the second of two":    {boundTo("a dog or a dog", "r=dog"), "a [dog |]or a dog", "dog"},
		"never one that is taken": {
			boundTo("a dog and doggy", "r=dog", "q=doggy"), "a [dog |]and doggy",
			"",
		},
		"nothing is like it":  {boundTo("a dog on the beach", "r=dog"), "a [dog |]on the beach", ""},
		"never a small word":  {boundTo("a dog on the beach", "r=dog"), "a [dog|the] on the beach", ""},
		"the prompt is empty": {boundTo("dog", "r=dog"), "[dog|]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := typed(c.state, c.script)
			if w, _ := s.Remedy(s.Form.Cards[0]); w.Text != c.want {
				t.Errorf("%q: got %q, want %q", s.Form.Prompt, w.Text, c.want)
			}
		})
	}
}

func TestPhrasesAndPieces(t *testing.T) {
	pieces := func(text string, cuts ...int) (words []Word) { // words that the model reads in pieces
		from := 0
		for _, to := range append(cuts, len(text)) {
			if part := strings.TrimSpace(text[from:to]); part != "" && part != "-" {
				start := from + strings.Index(text[from:to], part)
				words = append(words, Word{Word: uitest.Word(part), Start: start, End: start + len(part)})
			}
			from = to
		}
		return words
	}
	for _, c := range []struct {
		words []Word
		text  string
		want  string
	}{
		{PlainWords("a pink hat, a Pink  hat"), "pink hat", "[{1 2} {4 5}]"},
		{PlainWords("dog gy doggy"), "doggy", "[{2 2}]"}, // a word is not made of two
		{pieces("2x a2 x", 1, 2, 4, 5), "2x", "[{0 1}]"},
		{PlainWords("woman"), "man", "[]"},
		{PlainWords("dog"), "dog cat", "[]"},
		{PlainWords("dog"), "", "[]"},
		{PlainWords("dog"), "?!", "[]"},
	} {
		if got := fmt.Sprint(runsOf(c.words, c.text)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

// TestQuotedWords are found in the window where the model finds them, which reads 'dog' as "'d" and "og".
func TestQuotedWords(t *testing.T) {
	tok := tokenizer(t)
	for _, c := range []struct {
		prompt, phrase string
		want           bool
	}{
		{"a 'dog' on the beach", "dog", false},
		{"a 'dog' on the beach", "'dog", true},
		{"a 'dog' on the beach", "a dog", false},
		{"'truck'", "truck", false},
		{"'cat' and dog", "cat", true},
		{`"dog"`, "dog", true},
		{"the dog's ball", "dog's", true},
		{"the dog's ball", "dog", true},
		{"she'd like 'd", "she'd", true},
	} {
		p := tok.Encode(c.prompt)
		_, err := p.Find(c.phrase, 1)
		if here := len(runsOf(ModelWords(p), c.phrase)) > 0; here != c.want || (err == nil) != c.want {
			t.Errorf("%q in %q: the window finds it: %v, the model: %v", c.phrase, c.prompt, here, err)
		}
	}
}
