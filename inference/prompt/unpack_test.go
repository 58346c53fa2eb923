package prompt

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFastTokenizer reads folders with tokenizer.json alone, as the transformers library writes them, and compares the ids.
func TestFastTokenizer(t *testing.T) {
	g := readGolden(t)
	for name, want := range map[string][][]int64{"tiny": g.Tiny, "tiny_bang": g.Bang} {
		t.Run(name, func(t *testing.T) {
			dir := os.DirFS(filepath.Join(goldens, "tokenizer-fast", name))
			tok, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, tok, g.Texts, want)

			files, err := Files(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"merges.txt", "tokenizer_config.json", "vocab.json"}) {
				t.Errorf("files %v", got)
			}
			copied := fstest.MapFS{}
			for name, data := range files {
				copied[name] = &fstest.MapFile{Data: data}
			}
			if tok, err = Load(copied); err != nil {
				t.Fatal(err)
			}
			compare(t, tok, g.Texts, want)
		})
	}
}

func TestFastTokenizerAlone(t *testing.T) {
	raw, err := fs.ReadFile(os.DirFS(goldens), "tokenizer-fast/tiny_bang/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	load := func(text string) (*Tokenizer, error) {
		return Load(fstest.MapFS{"tokenizer.json": &fstest.MapFile{Data: []byte(text)}})
	}
	// Without tokenizer_config.json the file's own padding counts, and a special token that the vocabulary lacks.
	text := strings.Replace(string(raw), `"padding": null`, `"padding": {"pad_id": 0, "pad_token": "!"}`, 1)
	text = strings.Replace(text, `"id": 599`, `"id": 700`, 1)
	tok, err := load(text)
	if err != nil {
		t.Fatal(err)
	}
	if tok.pad != 0 || tok.end != 700 || tok.Size() != 701 {
		t.Errorf("pad %d, end %d, %d ids", tok.pad, tok.end, tok.Size())
	}
	// Files before tokenizers 0.20 have merges as one string.
	old := `{"added_tokens":[],"model":{"type":"BPE","vocab":{"a":0,"b</w>":1,"ab</w>":2,"<|startoftext|>":3,"<|endoftext|>":4},"merges":["a b</w>"]}}`
	if tok, err = load(old); err != nil {
		t.Fatal(err)
	}
	if ids := tok.Encode("ab").IDs; !slices.Equal(ids[:3], []int64{3, 2, 4}) {
		t.Errorf("ids %v", ids[:3])
	}
	for name, c := range map[string][2]string{
		"another kind":   {`{"model":{"type":"Unigram","vocab":[]}}`, "damaged"},
		"word pieces":    {`{"model":{"type":"WordPiece","vocab":{"a":0}}}`, `kind "WordPiece"`},
		"merge":          {strings.Replace(old, `"a b</w>"`, `3`, 1), "merge 0 is not a pair"},
		"unknown symbol": {strings.Replace(old, `"a b</w>"`, `"a c"`, 1), "does not know"},
		"LFS pointer":    {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
		"cut short":      {old[:60], "damaged"},
	} {
		if _, err := load(c[0]); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: wanted %q: %v", name, c[1], err)
		}
	}
}
