package gallery

import (
	"errors"
	"path/filepath"
	"slices"

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

// Banner says over the whole window why the history is not kept, with buttons that help. Pictures are made all the same, and saved where
// there is room.
type Banner struct {
	*fyne.Container
	OnRetry  func()              // open the history again, or make the change that failed again
	OnRescue func()              // begin a new one with what can be read of this one; nil: there is no way to
	OnFresh  func()              // begin an empty one; nil likewise
	OnReveal func(folder string) // show a folder in the file manager
	OnResize func()              // the banner has another size, or has come or gone

	text                         *widget.Label
	retry, rescue, fresh, folder *kit.Button
	shown                        state.History
	dismissed                    error
}

// newBanner makes the banner, hidden. Follow shows it.
func newBanner() *Banner {
	b := &Banner{text: widget.NewLabel("")}
	b.text.Wrapping = fyne.TextWrapWord
	b.retry = kit.NewButton(i18n.T("Try again"), func() { b.dismissed = nil; b.OnRetry() })
	b.rescue = kit.NewButton(i18n.T("Start again with everything that can be read"), func() { b.OnRescue() })
	b.rescue.Importance = widget.HighImportance
	b.fresh = kit.NewButton(i18n.T("Start a new history"), func() { b.OnFresh() })
	b.folder = kit.NewButton(i18n.T("Show the folder"), b.openFolder)
	dismiss := kit.SmallButton(i18n.T("Close this notice"), theme.CancelIcon(), func() { b.dismissed = b.shown.Err; b.Follow(b.shown) })
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
		rescue = trouble.Kind == history.Damaged || trouble.Kind == history.Older
		fresh = canFresh && !h.Open && (rescue || trouble.Kind == history.Newer)
	}
	text = i18n.T("History is off. %s", why)
	if h.Open {
		text = i18n.T("The last change was not recorded in the history. %s", why)
	}
	// a disk that is full, read-only or away may be that of the pictures, too; they say so themselves
	if trouble == nil || !slices.Contains([]history.Kind{history.Full, history.ReadOnly, history.Unreachable}, trouble.Kind) {
		text += " " + i18n.T("Pictures are still saved.")
	}
	return text, rescue, fresh, folder
}

// Shows is what the banner shows.
func (b *Banner) Shows(s state.State) []any { return []any{s.History} }

// Follow makes the banner equal to the state of the history.
func (b *Banner) Follow(h state.History) {
	b.shown = h
	text, rescue, fresh, folder := historyTrouble(h, b.OnFresh != nil)
	hidden := text == "" || b.dismissed != nil && errors.Is(b.dismissed, h.Err)
	if b.text.Text == text && b.Hidden == hidden {
		return
	}
	b.text.SetText(text)
	b.rescue.Hidden = !rescue || b.OnRescue == nil
	b.retry.Hidden = !b.rescue.Hidden // it would find the same
	b.fresh.Hidden, b.folder.Hidden, b.Hidden = !fresh, !folder, hidden
	b.Refresh()
	b.OnResize()
}

func (b *Banner) openFolder() {
	var trouble *history.Error
	if !errors.As(b.shown.Err, &trouble) {
		return
	}
	b.OnReveal(filepath.Dir(trouble.Path))
}
