package prompt

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// goldens is assets/golden/data: token ids of Hugging Face's CLIPTokenizer and the folders of the two small vocabularies.
const goldens = "../../assets/golden/data"

func load(t testing.TB, folder string) *Tokenizer {
	t.Helper()
	tokenizer, err := Load(os.DirFS(filepath.Join(goldens, folder)))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

type golden struct {
	Texts []string
	Tiny  [][]int64
	Bang  [][]int64 `json:"tiny_bang"`
	Clip  [][]int64
}

func readGolden(t testing.TB) golden {
	t.Helper()
	f, err := os.Open(filepath.Join(goldens, "tokenizer.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.NewDecoder(unzip).Decode(&g); err != nil {
		t.Fatal(err)
	}
	if len(g.Texts) < 2000 {
		t.Fatalf("only %d texts", len(g.Texts))
	}
	return g
}

func compare(t *testing.T, tokenizer *Tokenizer, texts []string, want [][]int64) {
	t.Helper()
	if len(want) != len(texts) {
		t.Fatalf("%d encodings of %d texts", len(want), len(texts))
	}
	wrong := 0
	for i, text := range texts {
		padded := slices.Concat(want[i], slices.Repeat([]int64{tokenizer.pad}, Length-len(want[i])))
		if got := tokenizer.Encode(text).IDs; !slices.Equal(got, padded) {
			if wrong++; wrong <= 5 {
				t.Errorf("%q\n got %v\nwant %v", text, got, padded)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d texts differ", wrong, len(texts))
	}
}

func TestHuggingFace(t *testing.T) {
	g := readGolden(t)
	t.Run("tiny", func(t *testing.T) { compare(t, load(t, "tiny/tokenizer"), g.Texts, g.Tiny) })
	t.Run("padded with !", func(t *testing.T) { compare(t, load(t, "tiny-xl/tokenizer_2"), g.Texts, g.Bang) })
	t.Run("clip", func(t *testing.T) { compare(t, clip(t), g.Texts, g.Clip) })
}
