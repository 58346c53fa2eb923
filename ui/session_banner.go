package ui

import (
	"errors"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// banner says over the whole window why the history is not kept, with buttons that help. Pictures are made and saved all the
// same.
type banner struct {
	*fyne.Container
	w                            *Window
	text                         *widget.Label
	retry, rescue, fresh, folder *kit.Button
	dismissed                    error
}

func newBanner(w *Window) *banner {
	b := &banner{w: w, text: widget.NewLabel("")}
	b.text.Wrapping = fyne.TextWrapWord
	b.retry = kit.NewButton(i18n.T("Try again"), w.retryHistory)
	b.rescue = kit.NewButton(i18n.T("Start again with everything that can be read"), w.rescueHistory)
	b.rescue.Importance = widget.HighImportance
	b.fresh = kit.NewButton(i18n.T("Start a new history"), w.freshHistory)
	b.folder = kit.NewButton(i18n.T("Show the folder"), b.openFolder)
	dismiss := kit.SmallButton(i18n.T("Close this notice"), theme.CancelIcon(), func() { b.dismissed = w.state.History.Err; w.refresh() })
	icon := widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))
	b.Container = container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(kit.NewPlate(kit.ColorRaised, theme.ColorNameWarning, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(icon),
			kit.NewRow(6, b.retry, b.rescue, b.fresh, b.folder, dismiss), b.text))))
	b.Hide()
	return b
}

// historyTrouble is what the banner says of an error, and which buttons help: rescue to begin a new history with what can be read of
// it, fresh to begin an empty one, folder to look at the file.
func historyTrouble(h state.History, canFresh bool) (text string, rescue, fresh, folder bool) {
	if h.Err == nil {
		return "", false, false, false
	}
	why := wording.Sentence(h.Err)
	var trouble *history.Error
	if errors.As(h.Err, &trouble) { // the cause of the cause is for the log
		why = wording.Capital(wording.History(trouble))
		folder = trouble.Kind != history.Busy
		rescue = trouble.Kind == history.Damaged
		fresh = canFresh && !h.Open && (trouble.Kind == history.Damaged || trouble.Kind == history.Newer)
	}
	if h.Open {
		return i18n.T("The last change was not recorded in the history. %s Pictures are still saved.", why), rescue, fresh, folder
	}
	return i18n.T("History is off. %s Pictures are still saved.", why), rescue, fresh, folder
}

func (b *banner) refresh() {
	h := b.w.state.History
	text, rescue, fresh, folder := historyTrouble(h, b.w.opt.SetAside != nil)
	hidden := text == "" || b.dismissed != nil && errors.Is(b.dismissed, h.Err)
	if b.text.Text == text && b.Hidden == hidden {
		return
	}
	b.text.SetText(text)
	b.rescue.Hidden = !rescue || b.w.opt.Rescue == nil
	b.retry.Hidden = !b.rescue.Hidden // it would find the same
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

// rescueHistory moves a damaged history away, and begins a new one with everything that can be read of it.
func (w *Window) rescueHistory() {
	if w.closing || w.state.Busy() {
		return
	}
	w.state.History.Open = false
	w.background(func() func() {
		err := w.journal.Close()
		var got history.Rescued
		if err == nil {
			got, err = w.opt.Rescue()
		}
		return func() {
			w.kept = nil
			w.openHistory()
			n := kit.Notice{Text: i18n.T("The new history starts with what could be read from the damaged one: sessions %d, jobs %d, pictures %d. The damaged one stays where it is.", got.Sessions, got.Rounds, got.Pictures), Bad: err != nil}
			if got.Lost > 0 {
				n.Text += " " + i18n.N(got.Lost, "%d part of it could not be read.", "%d parts of it could not be read.", got.Lost)
			}
			if err != nil {
				n.Text = wording.Brief(err)
			}
			w.notice.Say(n)
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
