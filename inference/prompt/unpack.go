package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// The files of a tokenizer folder that Load reads.
const (
	vocabFile   = "vocab.json"
	mergesFile  = "merges.txt"
	configFile  = "tokenizer_config.json"
	specialFile = "special_tokens_map.json"
	fastFile    = "tokenizer.json" // holds all of it
)

// Files returns what Load needs of a tokenizer folder, by name: vocab.json and merges.txt, and tokenizer_config.json and
// special_tokens_map.json where they are. Of a folder that has tokenizer.json alone (Hugging Face's fast tokenizers) the others
// are made.
func Files(dir fs.FS) (map[string][]byte, error) {
	d, err := unpack(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{vocabFile, mergesFile, configFile, specialFile} {
		data, err := d.read(name)
		if errors.Is(err, fs.ErrNotExist) && (name == configFile || name == specialFile) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

// folder is a tokenizer folder with files that were made.
type folder struct {
	fs.FS
	made map[string][]byte
}

// unpack makes the files of a folder without them out of its tokenizer.json.
func unpack(dir fs.FS) (folder, error) {
	d := folder{FS: dir}
	missing := false
	for _, name := range []string{vocabFile, mergesFile} {
		_, err := fs.Stat(dir, name)
		missing = missing || errors.Is(err, fs.ErrNotExist)
	}
	if !missing {
		return d, nil
	}
	var fast struct {
		Added []struct {
			addedToken
			ID int64 `json:"id"`
		} `json:"added_tokens"`
		Padding *struct {
			Token string `json:"pad_token"`
		} `json:"padding"`
		Model struct {
			Type   string            `json:"type"`
			Vocab  map[string]int64  `json:"vocab"`
			Merges []json.RawMessage `json:"merges"`
		} `json:"model"`
	}
	if err := readJSON(d, fastFile, &fast); errors.Is(err, fs.ErrNotExist) {
		return d, nil // whoever reads the missing file says so
	} else if err != nil {
		return d, err
	}
	if fast.Model.Type != "BPE" || len(fast.Model.Vocab) == 0 {
		return d, fmt.Errorf("tokenizer: %s holds a tokenizer of kind %q with %d entries, but CLIP has a BPE vocabulary: choose the tokenizer folder of the model", fastFile, fast.Model.Type, len(fast.Model.Vocab))
	}
	merges := bytes.NewBufferString("#version: 0.2\n")
	for i, raw := range fast.Model.Merges {
		// "left right", or since tokenizers 0.20 ["left","right"].
		var line string
		var pair [2]string
		if json.Unmarshal(raw, &line) != nil {
			if err := json.Unmarshal(raw, &pair); err != nil {
				return d, fmt.Errorf("tokenizer: %s: merge %d is not a pair of symbols: the file is damaged", fastFile, i)
			}
			line = pair[0] + " " + pair[1]
		}
		fmt.Fprintln(merges, line)
	}
	config := struct {
		Added map[string]addedToken `json:"added_tokens_decoder"`
		Pad   string                `json:"pad_token,omitempty"`
	}{Added: map[string]addedToken{}}
	for _, a := range fast.Added {
		fast.Model.Vocab[a.Content] = a.ID
		config.Added[fmt.Sprint(a.ID)] = a.addedToken
	}
	if fast.Padding != nil {
		config.Pad = fast.Padding.Token
	}
	d.made = map[string][]byte{mergesFile: merges.Bytes()}
	var err error
	if d.made[vocabFile], err = json.Marshal(fast.Model.Vocab); err != nil {
		return d, err
	}
	if _, stat := fs.Stat(dir, configFile); errors.Is(stat, fs.ErrNotExist) {
		d.made[configFile], err = json.Marshal(config)
	}
	return d, err
}

// read reads a whole file.
func (d folder) read(name string) ([]byte, error) {
	if data, ok := d.made[name]; ok {
		return data, nil
	}
	f, err := d.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("tokenizer: %s is larger than %d MiB, which no CLIP vocabulary is: choose the tokenizer folder of the model", name,
			maxFile>>20)
	}
	if bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return nil, fmt.Errorf("tokenizer: %s is a Git LFS pointer, not the file: run `git lfs pull`, or get it again from where it came", name)
	}
	return data, nil
}

func readJSON(d folder, name string, into any) error {
	data, err := d.read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("tokenizer: %s: %w: the file is damaged", name, err)
	}
	return nil
}
