package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/prompt"
)

// subject is one --subject option.
type subject struct {
	word  inference.Word
	file  string
	scope float64 // 0 where none was given
}

// parseSubject reads WORD[#N]=PICTURE[:γ]. A colon belongs to the file name unless a number follows it and no such file
// exists.
func parseSubject(s string) (subject, error) {
	word, file, ok := strings.Cut(s, "=")
	if !ok || word == "" || file == "" {
		return subject{}, usagef("--subject %q: write WORD=PICTURE, for example dog=dog.png, dog#2=dog.png:0.3", s)
	}
	text, n, err := prompt.ParseWord(word)
	if err != nil {
		return subject{}, usagef("--subject %q: %w", s, err)
	}
	result := subject{word: inference.Word{Text: text, Occurrence: n}, file: file}
	if at := strings.LastIndex(file, ":"); at > 0 {
		scope, err := inference.ParseDecimal(file[at+1:])
		if _, missing := os.Stat(file); err == nil && errors.Is(missing, fs.ErrNotExist) {
			if !(scope > 0 && scope <= 1) {
				return subject{}, usagef("--subject %q: the scope after the colon is a fraction of the picture in (0, 1]; 0.15 to 0.4 work well", s)
			}
			result.file, result.scope = file[:at], scope
		}
	}
	return result, nil
}

// subjects reads the pictures of all --subject options. Options with the same word make one subject with several pictures.
func subjects(options []string) ([]inference.Subject, error) {
	var list []inference.Subject
	for _, option := range options {
		s, err := parseSubject(option)
		if err != nil {
			return nil, err
		}
		reference, err := readReference(s.word.Text, s.file)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(list, func(o inference.Subject) bool {
			return o.Word.Text == s.word.Text && max(o.Word.Occurrence, 1) == max(s.word.Occurrence, 1)
		})
		if at < 0 {
			list = append(list, inference.Subject{Word: s.word})
			at = len(list) - 1
		}
		if s.scope != 0 && list[at].Scope != 0 && s.scope != list[at].Scope {
			return nil, usagef("%q has two scopes, %g and %g: give one", s.word.Text, list[at].Scope, s.scope)
		}
		list[at].Scope = max(list[at].Scope, s.scope)
		list[at].References = append(list[at].References, reference)
	}
	return list, nil
}

// readReference reads the picture that a word is bound to.
func readReference(word, file string) (inference.Reference, error) {
	data, err := files.Read(file, picture.DefaultLimits.Bytes)
	if err != nil {
		return inference.Reference{}, fmt.Errorf("the picture of %q cannot be read: %w", word, err)
	}
	return inference.Reference{Name: filepath.Base(file), Data: data}, nil
}
