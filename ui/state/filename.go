package state

import (
	"errors"
	"path"
	"strconv"
	"strings"
	"time"

	"realword/inference/files"
	"realword/ui/i18n"
)

// DefaultFileName is the pattern of the names of finished pictures, where the user has no other.
const DefaultFileName = "{date}/{seed}"

// fileNameParts are the words in braces that a pattern may have.
var fileNameParts = []string{"date", "time", "seed", "words", "prompt", "model"}

// Naming is what a file name may be made of.
type Naming struct {
	At            time.Time
	Seed          uint64
	Words         []string // bound ones
	Prompt, Model string
}

// longestPart is how many letters a part of a file name has at most.
const longestPart = 60

// FileName is the folder below the pictures folder ("" for none) and the name without its ending that a pattern such as
// "{date}/{words} {seed}" gives. A pattern that CheckFileName accepts never leads out of the pictures folder.
func FileName(pattern string, n Naming) (folder, name string) {
	r := strings.NewReplacer("{date}", n.At.Format(time.DateOnly), "{time}", n.At.Format("15-04-05"), "{seed}", strconv.FormatUint(n.Seed, 10),
		"{words}", files.Name(strings.Join(n.Words, "-"), longestPart), "{prompt}", files.Name(n.Prompt, longestPart), "{model}",
		files.Name(n.Model, longestPart))
	var parts []string
	for part := range strings.SplitSeq(pattern, "/") {
		if part = files.Name(r.Replace(part), longestPart); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", "picture"
	}
	return path.Join(parts[:len(parts)-1]...), parts[len(parts)-1]
}

// CheckFileName says what is wrong with a pattern.
func CheckFileName(pattern string) error {
	if strings.TrimSpace(pattern) == "" {
		return errors.New(i18n.T("the file name is empty: write, for example, %s", DefaultFileName))
	}
	rest := pattern
	for _, part := range fileNameParts {
		rest = strings.ReplaceAll(rest, "{"+part+"}", "")
	}
	if i := strings.IndexAny(rest, "{}"); i >= 0 {
		return errors.New(i18n.T("in braces stand %s", "{"+strings.Join(fileNameParts, "}, {")+"}"))
	}
	if i := strings.IndexAny(rest, `\:*?"<>|`); i >= 0 {
		return errors.New(i18n.T("not every system allows %s in a file name", rest[i:i+1]))
	}
	return nil
}
