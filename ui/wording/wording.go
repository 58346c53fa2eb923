package wording

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"realword/history"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/memory"
	"realword/inference/message"
	"realword/inference/recipe"
	"realword/ui/i18n"
)

// Sentence is an error as the window says it. Errors of this program are sentences with their remedy already and only get a
// capital letter and a full stop; errors that were joined get a line each. Those of package message, what an operating system answers
// often, and the kinds that are known here are said in the language of the window, wherever they lie in an error; the rest stays as it is.
// Paths are as Path has them.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	var lines []string
	for line := range strings.Lines(shortened(translated(err))) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, Capital(line))
		}
	}
	if len(lines) == 0 {
		return i18n.T("Something failed for an unknown reason.")
	}
	return strings.Join(lines, "\n")
}

// Meaning is what a painted mask may mean, in the words of the window. Languages inflect them, so that a button and a part of a sentence
// need a text each.
type Meaning struct {
	Name  string // on a button
	Part  string // of a sentence
	About string // what it does
}

// MeaningOf is that of a kind of mask.
func MeaningOf(k guidance.Kind) Meaning {
	switch k {
	case guidance.NotHere:
		return Meaning{
			i18n.T("Not here"), i18n.T("not here"),
			i18n.T("The subject keeps out of what you paint; anywhere else it finds its own place."),
		}
	case guidance.Exactly:
		return Meaning{
			i18n.T("Exactly this"), i18n.T("exactly this"),
			i18n.T("What you paint is the mask, its shape and strength; its area takes the place of γ."),
		}
	}
	return Meaning{
		i18n.T("Only here"), i18n.T("only here"), i18n.T("The subject finds its place within what you paint, as large as its area γ."),
	}
}

// Brief is an error in a few lines, for a notice; what has more room says Sentence.
func Brief(err error) string {
	lines := strings.Split(Sentence(err), "\n")
	const most = 2
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], i18n.N(more, "There is one more problem.", "There are %d more problems.", more))
	}
	return strings.Join(lines, " ")
}

// translated is the text of an error with all parts of known kinds in the language of the window.
func translated(err error) string { return message.Reword(err, kindText) }

// kindText says an error of a known kind; "" is any other.
func kindText(err error) string {
	switch e := err.(type) { //nolint:errorlint // translated walks the chain
	case *history.Error:
		return History(e)
	case *memory.Error:
		return Memory(e)
	case *files.FullError:
		return i18n.T("%s has %s free, less than the %s needed; free up space or choose a folder on another disk", e.Dir, Bytes(e.Free), Bytes(e.Need))
	case *message.Error:
		return known(e)
	case message.Teller:
		return known(e.Told())
	case *fs.PathError:
		return i18n.T("%s: %s", e.Path, translated(e.Err))
	case syscall.Errno:
		return system(e)
	}
	switch err {
	case recipe.ErrNone: //nolint:errorlint // translated walks the chain
		return i18n.T("this picture does not say how it was made: use it as a reference, or choose the original file")
	case history.ErrNotFound, history.ErrNoSession, history.ErrNoPicture:
		return i18n.T("it is no longer in the history")
	case history.ErrNoReference:
		return i18n.T("its reference is no longer in the history: add the picture again")
	case history.ErrNoStep:
		return i18n.T("this step is no longer kept: the space for steps was needed for newer ones")
	case context.DeadlineExceeded:
		return i18n.T("it took too long")
	}
	return ""
}

// known says an error of package message. Errors among its values are translated first.
func known(e *message.Error) string {
	values := slices.Clone(e.Values)
	for i, v := range values {
		if err, is := v.(error); is {
			values[i] = errors.New(translated(err))
		}
	}
	return i18n.Known(e.Text, values...)
}

// system says what an operating system answers often; "" is anything else.
func system(e syscall.Errno) string {
	switch {
	case files.IsFull(e):
		return i18n.T("the disk is full")
	case errors.Is(e, fs.ErrNotExist):
		return i18n.T("there is no such file or folder")
	case files.Barred(e) != nil:
		return translated(files.Barred(e))
	case errors.Is(e, fs.ErrPermission):
		return i18n.T("permission denied")
	case e == syscall.EROFS:
		return i18n.T("the disk is read-only")
	case e == syscall.EFBIG:
		return i18n.T("the disk takes no files of this size")
	case e == syscall.ENOTDIR:
		return i18n.T("part of the path is a file, not a folder")
	case e == syscall.ENAMETOOLONG:
		return i18n.T("the name is too long")
	case e == syscall.ELOOP:
		return i18n.T("the links go in a circle")
	case e == syscall.EIO:
		return i18n.T("the disk answers with errors")
	case e == syscall.ECONNREFUSED:
		return i18n.T("the connection was refused")
	case e == syscall.ECONNRESET:
		return i18n.T("the connection was lost")
	case e == syscall.ENETUNREACH, e == syscall.EHOSTUNREACH:
		return i18n.T("there is no connection to the network")
	case e.Timeout():
		return i18n.T("it took too long")
	}
	return ""
}

// Memory says how much memory is wanted, and what would fit.
func Memory(e *memory.Error) string {
	text := i18n.T("this picture needs about %s of memory, and %s is available", Bytes(e.Plan.Peak), Bytes(e.Plan.Available))
	if e.Err != nil {
		text = i18n.T("not enough memory: this picture needs about %s", Bytes(e.Plan.Peak))
	}
	var fit []string
	for _, r := range e.Plan.Remedies {
		text := i18n.T("%d × %d pixels", r.Width, r.Height)
		if r.References > 0 {
			text += ", " + i18n.N(r.References, "%d picture per subject", "%d pictures per subject", r.References)
		}
		fit = append(fit, text+" ("+Bytes(r.Peak)+")")
	}
	if len(fit) == 0 {
		return i18n.T("%s: close other programs, or choose a smaller model", text)
	}
	return i18n.T("%s: close other programs, or choose %s", text, strings.Join(fit, ", "))
}

// History says trouble with the history and what helps. The cause of the cause is for the log.
func History(e *history.Error) string {
	path := Path(e.Path)
	switch e.Kind {
	case history.Busy:
		return i18n.T("another Realword has the history %s open: close the other one and try again", path)
	case history.Newer:
		return i18n.T("%s was written by a newer Realword: use that version", path)
	case history.Damaged:
		return i18n.T("%s is damaged: start a new one with everything that can be read from it; the pictures themselves are separate files",
			path)
	case history.Older:
		return i18n.T("%s is of an older version: start a new one with everything that can be read from it; the pictures themselves are separate files",
			path)
	case history.Spoiled:
		return i18n.T("%s is damaged: what it held is lost, everything else is in order", path)
	case history.ReadOnly:
		return i18n.T("%s is read-only: change its permissions, or use another disk", path)
	case history.Full:
		return i18n.T("there is no space left for %s: free up some space, empty the trash or trim the step data, and try again", path)
	case history.Torn:
		return i18n.T("%s is damaged, something in it is missing or has changed: copy or download it again, or export the session again", path)
	case history.Hostile:
		return i18n.T("%s is not a session that Realword exported: export the session again and use that file as it is", path)
	}
	return i18n.T("%s cannot be reached: check that its folder exists and its disk is connected", path)
}

// Capital is a text with a capital letter and a full stop.
func Capital(text string) string {
	word, _, _ := strings.Cut(text, " ")
	first, size := utf8.DecodeRuneInString(text)
	// File names and symbols such as γ stay as they are.
	if unicode.IsLower(first) && first < utf8.RuneSelf && !strings.ContainsAny(word, "./\\_") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	switch {
	case strings.ContainsRune(".!?…”。！？」", last):
		return text
	case last < utf8.RuneSelf: // also what has no translation
		return text + "."
	}
	return i18n.T("%s.", text)
}

// Bytes is a size for people.
func Bytes(n int64) string {
	switch size, unit := files.Unit(n); unit {
	case "GB":
		return i18n.T("%.1f GB", size)
	case "MB":
		return i18n.T("%.1f MB", size)
	case "kB":
		return i18n.T("%.1f kB", size)
	}
	return i18n.N(int(n), "%d byte", "%d bytes", int(n))
}

// Day is a moment as the list of sessions says it, seen from now.
func Day(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return i18n.T("today, %s", at.Format("15:04"))
	case at.Format(time.DateOnly) == now.AddDate(0, 0, -1).Format(time.DateOnly):
		return i18n.T("yesterday, %s", at.Format("15:04"))
	case at.Year() == now.Year():
		return date(at, i18n.T("2 January"))
	}
	return date(at, i18n.T("2 January 2006"))
}

// Moment is a day and an hour.
func Moment(at time.Time) string { return date(at.Local(), i18n.T("2 January 2006, 15:04")) }

// Session is the name of a session that began at a moment and has none of its own.
func Session(began time.Time) string {
	return i18n.T("Session of %s", date(began.Local(), i18n.T("2 January, 15:04")))
}

// date writes a moment as a layout of package time says, which is a text of the language: "2 de January de 2006". The month is put
// in its words.
func date(at time.Time, layout string) string {
	return strings.Replace(at.Format(layout), at.Month().String(), month(at.Month()), 1)
}

func month(m time.Month) string {
	switch m {
	case time.January:
		return i18n.T("January")
	case time.February:
		return i18n.T("February")
	case time.March:
		return i18n.T("March")
	case time.April:
		return i18n.T("April")
	case time.May:
		return i18n.T("May")
	case time.June:
		return i18n.T("June")
	case time.July:
		return i18n.T("July")
	case time.August:
		return i18n.T("August")
	case time.September:
		return i18n.T("September")
	case time.October:
		return i18n.T("October")
	case time.November:
		return i18n.T("November")
	default:
		return i18n.T("December")
	}
}

// Path shortens paths in the user's own folder.
func Path(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "/" {
		return path
	}
	if rest, inside := strings.CutPrefix(path, home+string(filepath.Separator)); inside {
		return filepath.Join("~", rest)
	}
	return path
}

// shortened is a text whose paths in the user's own folder are short.
func shortened(text string) string {
	home, err := os.UserHomeDir()
	if err != nil || len(home) < 2 {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, home+string(filepath.Separator))
		if !found {
			return b.String() + text
		}
		b.WriteString(before)
		if last, _ := utf8.DecodeLastRuneInString(before); before != "" && (unicode.IsLetter(last) || unicode.IsDigit(last) || strings.ContainsRune("/\\.-_", last)) {
			b.WriteString(home) // the end of another path
		} else {
			b.WriteString("~")
		}
		b.WriteRune(filepath.Separator)
		text = after
	}
}

// WholePath is the path that Path has shortened, or that somebody has written so.
func WholePath(path string) string {
	rest, short := strings.CutPrefix(path, "~"+string(filepath.Separator))
	if home, err := os.UserHomeDir(); short && err == nil {
		return filepath.Join(home, rest)
	}
	return path
}

// Duration is a time without needless digits.
func Duration(d time.Duration) string {
	if d >= 10*time.Minute {
		d = d.Round(time.Minute)
		if h := d / time.Hour; h > 0 {
			return i18n.T("%d h %d min", h, d%time.Hour/time.Minute)
		}
		return i18n.T("%d min", d/time.Minute)
	}
	d = max(d.Round(time.Second), time.Second)
	if m := d / time.Minute; m > 0 {
		return i18n.T("%d min %d s", m, d%time.Minute/time.Second)
	}
	return i18n.T("%d s", d/time.Second)
}
