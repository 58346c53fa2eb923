package state

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
// "{date}/{words} {seed}" gives. A pattern that CheckFileName accepts never leads out of the pictures folder. Where a part would be too
// long, the longest texts in it are cut: the seed stays.
func FileName(pattern string, n Naming) (folder, name string) {
	short := strings.NewReplacer("{date}", n.At.Format(time.DateOnly), "{time}", n.At.Format("15-04-05"),
		"{seed}", strconv.FormatUint(n.Seed, 10))
	texts := [][2]string{{"{words}", strings.Join(n.Words, "-")}, {"{prompt}", n.Prompt}, {"{model}", n.Model}}
	slices.SortStableFunc(texts, func(a, b [2]string) int { return len(a[1]) - len(b[1]) })
	bare := strings.NewReplacer("{words}", "", "{prompt}", "", "{model}", "")
	var parts []string
	for part := range strings.SplitSeq(pattern, "/") {
		part = short.Replace(part)
		room, times := longestPart-utf8.RuneCountInString(bare.Replace(part)), 0
		for _, one := range texts {
			times += strings.Count(part, one[0])
		}
		var put []string
		for _, one := range texts { // the shortest first: what it does not need the others have
			if count := strings.Count(part, one[0]); count > 0 {
				text := files.Name(one[1], max(room/times, 0))
				room, times = room-count*utf8.RuneCountInString(text), times-count
				put = append(put, one[0], text)
			}
		}
		part = strings.NewReplacer(put...).Replace(part)
		if part = files.Name(part, longestPart); part != "" {
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
