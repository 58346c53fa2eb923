package prompt

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Tokenizer is CLIP's byte-level byte-pair encoding with a vocabulary.
type Tokenizer struct {
	start, end, pad int64
	comma           int64      // id of a comma that stands by itself; -1: none
	inside, last    [256]int64 // id of every byte, inside a piece and at its end
	merges          map[pair]merged
	specials        []special // the longest first
	size            int
}

type pair struct{ left, right int64 }

type merged struct {
	rank int
	id   int64
}

// special is a string that is one token wherever it is typed.
type special struct {
	text   string
	id     int64
	fold   bool   // looked for after normalisation
	folded string // text after normalisation
}

const (
	maxFile = 8 << 20 // CLIP's tokenizer.json has 4 MB
	maxID   = 1 << 24
	suffix  = "</w>" // marks the last symbol of a piece
)

// Load reads a tokenizer folder as Hugging Face writes it: vocab.json and merges.txt, or tokenizer.json, which holds both; and when
// they are there tokenizer_config.json and special_tokens_map.json, which name start, end and padding token (<|startoftext|> and
// <|endoftext|> for the other two when they say nothing). Errors name the file and what is wrong with it.
func Load(dir fs.FS) (*Tokenizer, error) {
	d, err := unpack(dir)
	if err != nil {
		return nil, err
	}
	vocabulary := map[string]int64{}
	if err := readJSON(d, vocabFile, &vocabulary); err != nil {
		return nil, err
	}
	t := &Tokenizer{}
	for symbol, id := range vocabulary {
		if id < 0 || id >= maxID {
			return nil, fmt.Errorf("tokenizer: vocab.json gives %q the id %d, which no model has: the file is damaged",
				symbol, id)
		}
		t.size = max(t.size, int(id)+1)
	}
	unknown, err := t.readSpecials(d, vocabulary)
	if err != nil {
		return nil, err
	}
	t.comma = -1
	if id, ok := vocabulary[","+suffix]; ok {
		t.comma = id
	}
	for b := range 256 {
		t.inside[b], t.last[b] = unknown, unknown
		if id, ok := vocabulary[string(byteSymbols[b])]; ok {
			t.inside[b] = id
		}
		if id, ok := vocabulary[string(byteSymbols[b])+suffix]; ok {
			t.last[b] = id
		}
	}
	if err := t.readMerges(d, vocabulary); err != nil {
		return nil, err
	}
	return t, nil
}

// Size is one more than the largest id: the rows that the text encoder's embedding needs.
func (t *Tokenizer) Size() int { return t.size }

// addedToken is how Hugging Face writes a special token: a string, or an object.
type addedToken struct {
	Content    string `json:"content"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

func (a *addedToken) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &a.Content)
	}
	type plain addedToken
	return json.Unmarshal(data, (*plain)(a))
}

// roles are the tokens that a tokenizer names by what they do.
type roles struct {
	Start   addedToken `json:"bos_token"`
	End     addedToken `json:"eos_token"`
	Unknown addedToken `json:"unk_token"`
	Pad     addedToken `json:"pad_token"`
}

// readSpecials sets start, end, pad and specials, and returns the id of what is not in the vocabulary.
func (t *Tokenizer) readSpecials(dir folder, vocabulary map[string]int64) (unknown int64, err error) {
	var named roles
	var config struct {
		roles
		Added map[string]addedToken `json:"added_tokens_decoder"`
	}
	for _, err := range []error{readJSON(dir, specialFile, &named), readJSON(dir, configFile, &config)} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	flags := map[string]bool{}
	for _, a := range config.Added {
		if a.Special {
			flags[a.Content] = a.Normalized
		}
	}
	pick := func(fallback string, choices ...addedToken) int64 {
		token := addedToken{Content: fallback}
		for _, c := range slices.Backward(choices) {
			if c.Content != "" {
				token = c
			}
		}
		id, ok := vocabulary[token.Content]
		if !ok && err == nil {
			err = fmt.Errorf("tokenizer: the special token %q is not in vocab.json: the files do not belong together",
				token.Content)
		}
		if _, known := flags[token.Content]; !known {
			flags[token.Content] = token.Normalized
		}
		return id
	}
	t.start = pick("<|startoftext|>", config.Start, named.Start)
	t.end = pick("<|endoftext|>", config.End, named.End)
	t.pad = pick("<|endoftext|>", config.Pad, named.Pad)
	unknown = pick("<|endoftext|>", config.Unknown, named.Unknown)
	for text, fold := range flags {
		if id, ok := vocabulary[text]; ok && text != "" {
			t.specials = append(t.specials, special{text, id, fold, strings.ToLower(norm.NFC.String(text))})
		}
	}
	slices.SortFunc(t.specials, func(a, b special) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), strings.Compare(a.text, b.text))
	})
	return unknown, err
}

// readMerges reads one merge a line, "left right", the first being the most urgent. A first line beginning with #version
// is no merge.
func (t *Tokenizer) readMerges(dir folder, vocabulary map[string]int64) error {
	data, err := dir.read(mergesFile)
	if err != nil {
		return err
	}
	t.merges = map[pair]merged{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || n == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return fmt.Errorf("tokenizer: merges.txt line %d is not a pair of symbols: the file is damaged", n)
		}
		l, okLeft := vocabulary[left]
		r, okRight := vocabulary[right]
		id, okBoth := vocabulary[left+right]
		if !okLeft || !okRight || !okBoth {
			return fmt.Errorf("tokenizer: merges.txt line %d joins %q and %q, which vocab.json does not know: the files do not belong together", n, left, right)
		}
		t.merges[pair{l, r}] = merged{n, id}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("tokenizer: merges.txt: %w: the file is damaged", err)
	}
	return nil
}

// byteSymbols is the printable character that stands for every byte in vocabularies: the byte itself where it is printable
// Latin-1, otherwise U+0100 and following in order.
var byteSymbols = func() (symbols [256]rune) {
	following := rune(256)
	for b := range symbols {
		if b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®' {
			symbols[b] = rune(b)
		} else {
			symbols[b] = following
			following++
		}
	}
	return symbols
}()

// merge returns the ids of one piece, and where in the text each of them ends: its bytes, of which neighbours are joined, the most
// urgent merge and then the leftmost first, until none is left. A heap keeps a piece of n bytes at O(n log n).
func (t *Tokenizer) merge(text string) (tokens []int64, ends []int) {
	n := len(text)
	ids := make([]int64, n)
	before, after := make([]int, n), make([]int, n)
	for i := range n {
		ids[i], before[i], after[i] = t.inside[text[i]], i-1, i+1
	}
	ids[n-1] = t.last[text[n-1]]
	var open candidates
	offer := func(left int) {
		if left < 0 || after[left] >= n {
			return
		}
		if m, ok := t.merges[pair{ids[left], ids[after[left]]}]; ok {
			heap.Push(&open, candidate{m.rank, left, after[left], m.id, ids[left], ids[after[left]]})
		}
	}
	for i := range n {
		offer(i)
	}
	const gone = -1
	for len(open) > 0 {
		c := heap.Pop(&open).(candidate)
		if ids[c.left] != c.leftID || after[c.left] != c.right || ids[c.right] != c.rightID {
			continue // a neighbour was joined in the meantime
		}
		ids[c.left], ids[c.right] = c.id, gone
		after[c.left] = after[c.right]
		if after[c.left] < n {
			before[after[c.left]] = c.left
		}
		offer(before[c.left])
		offer(c.left)
	}
	for i := 0; i < n; i = after[i] {
		tokens, ends = append(tokens, ids[i]), append(ends, after[i])
	}
	return tokens, ends
}

// candidate is a possible merge of the symbols at two places, good as long as they are what they were.
type candidate struct {
	rank, left, right   int
	id, leftID, rightID int64
}

type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c candidates) Less(i, j int) bool {
	return c[i].rank < c[j].rank || c[i].rank == c[j].rank && c[i].left < c[j].left
}
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	old := *c
	x := old[len(old)-1]
	*c = old[:len(old)-1]
	return x
}
