package state

import (
	"slices"
	"strings"

	"realword/inference"
)

// Words that tell what belongs to a thing, and words that begin something else.
var (
	wearing  = map[string]bool{"with": true, "wearing": true, "holding": true, "carrying": true, "having": true, "without": true}
	articles = map[string]bool{
		"a": true, "an": true, "the": true, "my": true, "your": true, "his": true, "her": true, "its": true,
		"their": true, "our": true, "one": true, "two": true, "this": true, "that": true, "some": true, "another": true,
	}
	elsewhere = map[string]bool{
		"on": true, "in": true, "at": true, "to": true, "by": true, "from": true, "for": true, "is": true,
		"are": true, "under": true, "over": true, "near": true, "into": true, "beside": true, "behind": true, "before": true, "against": true,
		"through": true, "between": true, "among": true, "across": true, "next": true, "inside": true, "outside": true, "above": true,
		"below": true, "around": true, "during": true, "while": true, "and": true, "or": true, "but": true, "as": true, "like": true,
	}
)

// Phrases are the names that the prompt has for a thing whose plain word is given, the likeliest first: "dog" in "a small dog with
// a pink hat on the beach" is also "dog with a pink hat", and "small dog with a pink hat" (the way of the paper from round to
// round, §III-E). The plain word comes last. A word that the prompt does not have, or that the model does not read, gives none.
func Phrases(prompt string, words []Word, w inference.Word) []inference.Word {
	at, found := locate(words, w)
	if !found || words[at.Last].Past {
		return nil
	}
	joined := func(i int) bool { // words i and i+1 follow each other without a sign between them
		return strings.TrimSpace(prompt[words[i].End:words[i+1].Start]) == ""
	}
	is := func(set map[string]bool, i int) bool { return is(set, words[i]) }

	// To the right: what it has or wears, up to where something else begins.
	last := at.Last
	if last+1 < len(words) && joined(last) && is(wearing, last+1) {
		end := last + 1
		for end+1 < len(words) && joined(end) && !words[end+1].Past && !is(elsewhere, end+1) && !is(wearing, end+1) &&
			!active(words[end+1].Text) {
			end++
		}
		if end > last+1 && !is(articles, end) {
			last = end
		}
	}
	// To the left: how it is, up to the article.
	first := at.First
	for first > 0 && joined(first-1) && !is(articles, first-1) && !is(elsewhere, first-1) && !is(wearing, first-1) && !is(glue, first-1) {
		first--
	}
	if first > 0 && (!joined(first-1) || !is(articles, first-1)) {
		first = at.First // no article, so nothing says that these words describe it
	}
	var list []inference.Word
	for _, r := range []WordRange{{at.First, last}, {first, last}, {first, at.Last}} {
		phrase := phraseOf(prompt, words, r)
		if r != at && !slices.ContainsFunc(list, func(have inference.Word) bool { return SameWord(have, phrase) }) {
			list = append(list, phrase)
		}
	}
	return append(list, phraseOf(prompt, words, at))
}

// active tells whether a word looks like what somebody does ("sitting"), which belongs to the scene and not to the thing.
func active(word string) bool {
	word = strings.ToLower(word)
	return len(word) > 5 && strings.HasSuffix(word, "ing") && !still[word]
}

// still are things that end like what somebody does.
var still = map[string]bool{
	"building": true, "painting": true, "ceiling": true, "string": true, "spring": true, "clothing": true,
	"earring": true, "pudding": true, "morning": true, "evening": true, "lightning": true, "duckling": true,
}

// phraseOf names the occurrence of some neighbouring words.
func phraseOf(prompt string, words []Word, r WordRange) inference.Word {
	w := inference.Word{Text: prompt[words[r.First].Start:words[r.Last].End], Occurrence: 1}
	for n, have := range runsOf(words, w.Text) {
		if have == r {
			w.Occurrence = n + 1
		}
	}
	return w
}

// Candidates are what a picture of which nothing is known may stand for: the free words of the prompt that a picture can
// stand for, each with its longer names behind it, at most limit.
func (s State) Candidates(limit int) []inference.Word {
	var list []inference.Word
	for i, w := range s.Words {
		if w.Past || is(glue, w) || is(articles, w) || is(elsewhere, w) || is(wearing, w) || active(w.Text) || s.Form.SubjectOf(w.Word) >= 0 {
			continue
		}
		// An adjective is not the thing: of neighbouring words the last one counts.
		if i+1 < len(s.Words) && !is(glue, s.Words[i+1]) && !is(elsewhere, s.Words[i+1]) && !is(wearing, s.Words[i+1]) &&
			!active(s.Words[i+1].Text) && strings.TrimSpace(s.Form.Prompt[w.End:s.Words[i+1].Start]) == "" {
			continue
		}
		for _, p := range Phrases(s.Form.Prompt, s.Words, w.Word) {
			if len(list) < limit {
				list = append(list, p)
			}
		}
	}
	return list
}

func is(set map[string]bool, w Word) bool { return set[strings.ToLower(w.Text)] }
