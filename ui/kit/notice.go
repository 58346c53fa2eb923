package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

// Notice is something that is said over everything until the user has read it: what became of a model, or of a history.
type Notice struct {
	Text string
	Bad  bool
	Act  string // what the button is called; "": none
	Do   func()
}

// NoticeBar shows the newest notice. It belongs to Fyne's goroutine.
type NoticeBar struct {
	*fyne.Container
	root  func() fyne.CanvasObject // what the bar is in; nil before that is there
	Now   Notice
	Text  *widget.Label
	Act   *Button
	plate *Plate
	icon  *widget.Icon
}

// NewNoticeBar makes an empty bar, hidden; root answers what is drawn anew when it comes or goes, nil before it is there.
func NewNoticeBar(root func() fyne.CanvasObject) *NoticeBar {
	b := &NoticeBar{root: root, Text: widget.NewLabel(""), plate: NewPlate(ColorRaised, ColorLine, 8), icon: widget.NewIcon(theme.InfoIcon())}
	b.Text.Wrapping = fyne.TextWrapWord
	b.Act = NewButton("", func() {
		do := b.Now.Do
		b.Say(Notice{})
		if do != nil {
			do()
		}
	})
	b.Act.Importance = widget.HighImportance
	dismiss := SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { b.Say(Notice{}) })
	b.Container = container.New(Inset{X: 0, Y: 4}, container.NewStack(b.plate,
		container.New(Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(b.icon), NewRow(6, b.Act, dismiss), b.Text))))
	b.Hide()
	return b
}

// Say shows a notice in place of the one before; an empty one takes it away.
func (b *NoticeBar) Say(n Notice) {
	b.Now = n
	b.Text.SetText(n.Text)
	b.Act.SetText(n.Act)
	b.Act.Hidden, b.Hidden = n.Act == "", n.Text == ""
	b.plate.Stroke, b.icon.Resource = ColorLine, theme.InfoIcon()
	if n.Bad {
		b.plate.Stroke, b.icon.Resource = theme.ColorNameWarning, theme.NewWarningThemedResource(theme.WarningIcon())
	}
	b.plate.Refresh()
	b.icon.Refresh()
	b.Refresh()
	if c := b.root(); c != nil {
		c.Refresh()
		canvas.Refresh(c) // what was never drawn before cannot ask for it itself
	}
}
