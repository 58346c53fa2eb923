package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/prompt"
)

// This file is for a computer that asks for pictures of a model which only others have: a card holds what is needed to write a request,
// the manifest and the tokenizers. Of the files that a model maps it has size and hash, and no paths.

// MaxCard is how many bytes a card has at most, and MaxCardFiles what is in it.
const (
	MaxCard      = 16 << 20
	MaxCardFiles = 64 << 20
)

// Card is the model's card.
func (b *Bundle) Card() ([]byte, error) {
	m := b.manifest
	m.Mapped, m.Sources, m.Notes, m.Remarks = slices.Clone(m.Mapped), nil, nil, nil
	for i := range m.Mapped {
		m.Mapped[i].Path, m.Mapped[i].Modified = "", time.Time{}
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, data []byte) error {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate}) // without a time: the same model has the same card
		if err == nil {
			_, err = f.Write(data)
		}
		return err
	}
	err = put(ManifestName, manifest)
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if err == nil && strings.HasPrefix(path.Dir(name), "tokenizer") {
			var data []byte
			if data, err = files.Read(filepath.Join(b.dir, filepath.FromSlash(name)), MaxCardFiles); err == nil {
				err = put(name, data)
			}
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil && out.Len() > MaxCard {
		err = message.Errorf("the tokenizer of %s is too large for a card: make its pictures on this computer", m.Name)
	}
	return out.Bytes(), err
}

// ErrCard is that a graph of a card was to be opened.
var ErrCard = message.New("this model is on the computers of the farm alone: make the job on the farm")

// CardExtension ends the names of files with cards.
const CardExtension = ".card"

// OpenCard reads a card from a file.
func OpenCard(file string) (*Bundle, error) {
	data, err := files.Read(file, MaxCard)
	if err != nil {
		return nil, err
	}
	return ReadCard(data)
}

// ReadCard opens a card. The bundle can be asked for its manifest and its tokenizers; the files of its graphs are not there.
func ReadCard(data []byte) (*Bundle, error) {
	damaged := func(err error) error {
		return message.Errorf("the card of the model cannot be read (%w): get it from the farm again", err)
	}
	if len(data) > MaxCard {
		return nil, damaged(os.ErrInvalid)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, damaged(err)
	}
	var total uint64
	for _, f := range r.File {
		if total += min(f.UncompressedSize64, MaxCardFiles+1); total > MaxCardFiles || !files.IsInside(f.Name) {
			return nil, damaged(os.ErrInvalid)
		}
	}
	f, err := r.Open(ManifestName)
	if err != nil {
		return nil, damaged(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxManifest))
	if err != nil {
		return nil, damaged(err)
	}
	b := &Bundle{}
	if err := json.Unmarshal(text, &b.manifest); err != nil {
		return nil, damaged(err)
	}
	if b.manifest.Schema != SchemaVersion {
		return nil, message.Errorf("%s has schema %d, and this Realword reads %d; import the model again, or update Realword", ManifestName,
			b.manifest.Schema, SchemaVersion)
	}
	if err := b.manifest.checkNumbers(); err != nil {
		return nil, damaged(err)
	}
	for i := range b.manifest.Text.Encoders {
		sub, err := fs.Sub(r, tokenizerDir(i))
		if err != nil {
			return nil, damaged(err)
		}
		t, err := prompt.Load(sub)
		if err != nil {
			return nil, damaged(err)
		}
		b.tokenizers = append(b.tokenizers, t)
	}
	return b, nil
}

// IsCard tells that only the card of the model is here: it can write requests, and runs none.
func (b *Bundle) IsCard() bool { return b.dir == "" }
