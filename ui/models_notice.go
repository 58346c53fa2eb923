package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/wording"
)

// notice is something that the window says over everything until the user has read it: what became of a model.
type notice struct {
	text string
	bad  bool
	act  string // what the button is called; "": none
	do   func()
}

// brief is an error in a few lines, for a notice; the page of models has them all.
func brief(err error) string {
	lines := strings.Split(wording.Sentence(err), "\n")
	const most = 2
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], i18n.N(more, "There is one more problem.", "There are %d more problems.", pluralArgs(more)...))
	}
	return strings.Join(lines, " ")
}

// noticeBar shows the newest notice.
type noticeBar struct {
	*fyne.Container
	w     *Window
	now   notice
	text  *widget.Label
	act   *kit.Button
	plate *kit.Plate
	icon  *widget.Icon
}

func newNoticeBar(w *Window) *noticeBar {
	b := &noticeBar{w: w, text: widget.NewLabel(""), plate: kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8), icon: widget.NewIcon(theme.InfoIcon())}
	b.text.Wrapping = fyne.TextWrapWord
	b.act = kit.NewButton("", func() {
		do := b.now.do
		b.T(notice{})
		if do != nil {
			do()
		}
	})
	b.act.Importance = widget.HighImportance
	dismiss := kit.SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { b.T(notice{}) })
	b.Container = container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(b.plate,
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(b.icon), kit.NewRow(6, b.act, dismiss), b.text))))
	b.Hide()
	return b
}

// say shows a notice in place of the one before; an empty one takes it away.
func (b *noticeBar) T(n notice) {
	b.now = n
	b.text.SetText(n.text)
	b.act.SetText(n.act)
	b.act.Hidden, b.Hidden = n.act == "", n.text == ""
	b.plate.Stroke, b.icon.Resource = kit.ColorLine, theme.InfoIcon()
	if n.bad {
		b.plate.Stroke, b.icon.Resource = theme.ColorNameWarning, theme.NewWarningThemedResource(theme.WarningIcon())
	}
	b.plate.Refresh()
	b.icon.Refresh()
	b.Refresh()
	if c := b.w.win.Content(); c != nil {
		c.Refresh()
		canvas.Refresh(c) // what was never drawn before cannot ask for it itself
	}
}
