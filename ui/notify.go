package ui

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/state"
	"realword/ui/wording"
)

// bell sends the system notifications of what the user waits for.
type bell struct {
	app    fyne.App
	system string                          // as runtime.GOOS has it
	slowly func(slow func() (show func())) // on a goroutine of its own
	wanted func() bool                     // by the user, and the window is there
	front  bool                            // the user sees the window anyway
}

// watch keeps in mind whether the window is in front.
func (b *bell) watch() {
	b.front = true
	l := b.app.Lifecycle()
	l.SetOnEnteredForeground(func() { b.front = true })
	l.SetOnExitedForeground(func() { b.front = false })
}

// tell sends a notification, unless the user sees the window anyway or wants none.
func (b *bell) tell(title, text string) {
	if b.front || !b.wanted() {
		return
	}
	b.slowly(func() func() { // the system's bus may take its time
		b.app.SendNotification(fyne.NewNotification(harmless(b.system, title), harmless(b.system, text)))
		return nil
	})
}

// end tells how a run has ended, f being how it was before.
func (b *bell) end(e inference.Event, f state.Flight) {
	switch e := e.(type) {
	case inference.Done:
		n := f.Run.Pictures
		b.tell(i18n.N(n, "The picture is finished", "%d pictures are finished", n), f.Task.Request.Prompt)
	case inference.Failed:
		if !errors.Is(e.Err, context.Canceled) {
			b.tell(i18n.T("The job failed"), wording.Sentence(e.Err))
		}
	}
}

// harmless is a text of a notification as it may be given away: prompts and the names of files come from strangers, too. On Windows Fyne
// writes it between double quotation marks into a script for PowerShell, which would run what stands in $(…), or after a mark of any kind
// that ends the text; Fyne's own escapes mean nothing there. On Linux the desktop takes what is in angle brackets for markup. On macOS
// Fyne's escapes are those that AppleScript knows.
func harmless(system, text string) string {
	var alike *strings.Replacer
	switch system {
	case "windows":
		alike = strings.NewReplacer("\r\n", " ", `"`, "'", "“", "‘", "”", "’", "„", "‚", "‟", "‛", "$", "＄", "`", "ˋ", `\`, "/")
	case "linux":
		return strings.NewReplacer("<", "‹", ">", "›").Replace(text)
	default:
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // would be an escape, and be read as its letters
			return -1
		}
		return r
	}, alike.Replace(strings.ToValidUTF8(text, "")))
}
