package ui

import (
	"errors"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history"
)

// banner says over the whole window why the history is not kept, with buttons that help. Pictures are made and saved all the
// same.
type banner struct {
	*fyne.Container
	w                    *Window
	text                 *widget.Label
	retry, fresh, folder *button
	dismissed            error
}

func newBanner(w *Window) *banner {
	b := &banner{w: w, text: widget.NewLabel("")}
	b.text.Wrapping = fyne.TextWrapWord
	b.retry = newButton(say("Try again"), w.retryHistory)
	b.fresh = newButton(say("Begin a new history"), w.freshHistory)
	b.folder = newButton(say("Show the folder"), b.openFolder)
	dismiss := smallButton(say("Close this notice"), theme.CancelIcon(), func() { b.dismissed = w.state.History.Err; w.refresh() })
	icon := widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))
	b.Container = container.New(inset{0, 4}, container.NewStack(newPlate(colorRaised, theme.ColorNameWarning, 8),
		container.New(inset{10, 4}, container.NewBorder(nil, nil, container.NewCenter(icon), newRow(6, b.retry, b.fresh, b.folder, dismiss), b.text))))
	b.Hide()
	return b
}

// historyTrouble is what the banner says of an error, and which buttons help: fresh to begin a new history beside it, folder
// to look at the file.
func historyTrouble(h History, canFresh bool) (text string, fresh, folder bool) {
	if h.Err == nil {
		return "", false, false
	}
	why := Sentence(h.Err)
	var trouble *history.Error
	if errors.As(h.Err, &trouble) { // the cause of the cause is for the log
		why = sentence(historyText(trouble))
		folder = trouble.Kind != history.Busy
		fresh = canFresh && !h.Open && (trouble.Kind == history.Damaged || trouble.Kind == history.Newer)
	}
	if h.Open {
		return say("The last change did not go into the history. %s Pictures are saved all the same.", why), fresh, folder
	}
	return say("Sessions are not kept now. %s Pictures are saved all the same.", why), fresh, folder
}

func (b *banner) refresh() {
	h := b.w.state.History
	text, fresh, folder := historyTrouble(h, b.w.opt.SetAside != nil)
	hidden := text == "" || b.dismissed != nil && b.dismissed == h.Err
	if b.text.Text == text && b.Hidden == hidden {
		return
	}
	b.text.SetText(text)
	b.fresh.Hidden, b.folder.Hidden, b.Hidden = !fresh, !folder, hidden
	b.Refresh()
	b.w.win.Content().Refresh()
}

// retryHistory opens the history again, or makes the change that failed again.
func (w *Window) retryHistory() {
	if w.closing {
		return
	}
	w.banner.dismissed = nil
	if w.state.History.Open {
		w.kept = []byte{} // the form is written once more
		w.keepDraft()
		return
	}
	w.openHistory()
}

// freshHistory moves a history that cannot be used away, and begins a new one.
func (w *Window) freshHistory() {
	w.background(func() func() {
		err := w.opt.SetAside()
		return func() {
			if err != nil {
				w.state.History.Err = err
				w.refresh()
				return
			}
			w.openHistory()
		}
	})
}

func (b *banner) openFolder() {
	var trouble *history.Error
	if !errors.As(b.w.state.History.Err, &trouble) {
		return
	}
	b.w.showFolder(filepath.Dir(trouble.Path))
}
