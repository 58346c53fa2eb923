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

	Stays bool // where a newer one takes its place before the user has closed it, it comes again after that one
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

	behind []Notice // that come again, the newest last
}

// NewNoticeBar makes an empty bar, hidden; root answers what is drawn anew when it comes or goes, nil before it is there.
func NewNoticeBar(root func() fyne.CanvasObject) *NoticeBar {
	b := &NoticeBar{root: root, Text: widget.NewLabel(""), plate: NewPlate(ColorRaised, ColorLine, 8), icon: widget.NewIcon(theme.InfoIcon())}
	b.Text.Wrapping = fyne.TextWrapWord
	b.Act = NewButton("", func() {
		do := b.Now.Do
		b.close()
		if do != nil {
			do()
		}
	})
	b.Act.Importance = widget.HighImportance
	dismiss := SmallButton(i18n.T("Close"), theme.CancelIcon(), b.close)
	b.Container = container.New(Inset{X: 0, Y: 4}, container.NewStack(b.plate,
		container.New(Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(b.icon), NewRow(6, b.Act, dismiss), b.Text))))
	b.Hide()
	return b
}

// Say shows a notice in place of the one before; an empty one takes it away, unless it stays.
func (b *NoticeBar) Say(n Notice) {
	switch {
	case !b.Now.Stays:
	case n.Text == "":
		return
	default:
		b.behind = append(b.behind, b.Now)
	}
	b.show(n)
}

// TakeBack closes the notice with that text, if it is shown: it is no longer so.
func (b *NoticeBar) TakeBack(text string) {
	if b.Now.Text == text {
		b.close()
	}
}

// close is what the user does with a notice that is read.
func (b *NoticeBar) close() {
	n := Notice{}
	if last := len(b.behind) - 1; last >= 0 {
		n, b.behind = b.behind[last], b.behind[:last]
	}
	b.show(n)
}

func (b *NoticeBar) show(n Notice) {
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
