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
	"realword/inference/guidance"
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

// parseMask reads FILE[:only|not|exact]. A colon belongs to the file name if there is such a file.
func parseMask(s string) (file string, kind guidance.Kind, err error) {
	at := strings.LastIndex(s, ":")
	if _, missing := os.Stat(s); at < 1 || !errors.Is(missing, fs.ErrNotExist) {
		return s, "", nil
	}
	kind, err = guidance.ParseKind(s[at+1:])
	if _, missing := os.Stat(s[:at]); err != nil && missing != nil {
		return s, "", nil // the name of a file that is not there
	}
	return s[:at], kind, err
}

// readRegion reads the mask painted for a word.
func readRegion(word, file string, kind guidance.Kind) (inference.Region, error) {
	data, err := files.Read(file, picture.DefaultLimits.Bytes)
	if err != nil {
		return inference.Region{}, fmt.Errorf("the mask of %q cannot be read: %w", word, err)
	}
	if len(data) == 0 {
		return inference.Region{}, fmt.Errorf("the mask of %q cannot be read: %s is empty", word, file)
	}
	return inference.Region{Kind: kind, Painted: inference.Painted{Data: data}}, nil
}

// paint gives subjects the masks of all --mask options, in place of those that they have.
func paint(list []inference.Subject, options []string) error {
	painted := map[int]bool{}
	for _, option := range options {
		word, file, ok := strings.Cut(option, "=")
		if !ok || word == "" || file == "" {
			return usagef("--mask %q: write WORD=FILE.png or WORD=FILE.png:exact, for example dog=left.png", option)
		}
		text, n, err := prompt.ParseWord(word)
		if err != nil {
			return usagef("--mask %q: %w", option, err)
		}
		at := slices.IndexFunc(list, func(s inference.Subject) bool {
			return s.Word.Text == text && max(s.Word.Occurrence, 1) == max(n, 1)
		})
		if at < 0 {
			return usagef("--mask %q: no --subject has the word %q", option, word)
		}
		if painted[at] {
			return usagef("--mask %q: %q has two masks: paint them as one", option, word)
		}
		file, kind, err := parseMask(file)
		if err != nil {
			return usagef("--mask %q: %w", option, err)
		}
		if list[at].Region, err = readRegion(word, file, kind); err != nil {
			return err
		}
		painted[at] = true
	}
	return nil
}

// readReference reads the picture that a word is bound to.
func readReference(word, file string) (inference.Reference, error) {
	data, err := files.Read(file, picture.DefaultLimits.Bytes)
	if err != nil {
		return inference.Reference{}, fmt.Errorf("the picture of %q cannot be read: %w", word, err)
	}
	return inference.Reference{Name: filepath.Base(file), Data: data}, nil
}
