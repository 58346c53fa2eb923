package kit

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

// Layers are what lies over the window: sheets, modes, panels over others. Esc closes the newest. It belongs to Fyne's goroutine.
type Layers struct {
	Canvas func() fyne.Canvas // of the window
	open   []*openThing
	screen *Screen // that is up; nil: none
}

// Opened notes that something came up which Esc closes: a dialog, a mode of the stage, a panel over others. Esc calls close for
// the newest one only. The answer takes the note back; call it when the thing closes by another way.
func (l *Layers) Opened(close func()) (closed func()) {
	n := &openThing{close}
	l.open = append(l.open, n)
	return func() {
		l.open = slices.DeleteFunc(l.open, func(o *openThing) bool { return o == n })
	}
}

// Paged tells whether a page is over the rooms, which nobody sees then.
func (l *Layers) Paged() bool { return l.screen != nil }

// LeavePage takes away the page that is up, if one is.
func (l *Layers) LeavePage() {
	if l.screen != nil {
		l.screen.Hide()
	}
}

// Asked tells whether a sheet is up, behind which everything waits. A menu is none.
func (l *Layers) Asked() bool { return sheetOf(l.Canvas().Overlays().Top()) != nil }

// Open is how many things Esc would close.
func (l *Layers) Open() int { return len(l.open) }

type openThing struct{ close func() }

// Back closes the top-most thing that is open, and nothing else: a run goes on. Where nothing is, it leaves the text field that has the
// focus: single letters are the window's then.
func (l *Layers) Back() {
	if n := len(l.open); n > 0 {
		top := l.open[n-1]
		l.open = l.open[:n-1]
		top.close()
	} else if _, typed := l.Canvas().Focused().(*Field); typed {
		l.Canvas().Unfocus()
	}
}

// Sheet lays content over the window, which waits behind it, until the user closes it with its button or with Esc, or the answered
// function is called. It is as wide as wished and as high as its content needs, up to the wished height, or more where the content
// would be cut by a little; what is longer scrolls, or must. buttons stand at its foot, the one to press by default last: Enter presses it,
// unless something else gets the focus.
func (l *Layers) Sheet(title string, wish fyne.Size, content fyne.CanvasObject, buttons ...fyne.CanvasObject) (closeIt func()) {
	head := NewLine(title, theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	head.Style.Bold = true
	var pop *widget.PopUp
	var closed func()
	closeIt = func() {
		closed()
		pop.Hide()
	}
	cross := SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { closeIt() })
	top := container.NewBorder(nil, nil, container.New(Inset{2, 4}, head), cross)
	var foot fyne.CanvasObject
	if len(buttons) > 0 {
		foot = container.NewBorder(nil, nil, nil, NewRow(8, buttons...))
	}
	room := l.Canvas().Size().SubtractWidthHeight(80, 60)
	size := fyne.NewSize(wish.Width*TextScale(), wish.Height*TextScale()).Min(room)
	body := container.NewBorder(top, foot, nil, nil, container.New(Inset{0, 8}, content))
	if page := pageIn(content); page != nil {
		body.Resize(size) // texts know their height only for a width
		lack := page.Content.MinSize().Height - page.Size().Height
		size.Height = max(min(size.Height+min(lack, leeway*TextScale()), room.Height), body.MinSize().Height)
	}
	pop = widget.NewModalPopUp(container.NewStack(container.New(Inset{10, 8}, container.New(sized{size}, body)), NewTips()), l.Canvas())
	closed = l.Opened(closeIt)
	dropTip(l.Canvas().Content())
	pop.Show()
	if len(buttons) > 0 {
		l.wait(buttons[len(buttons)-1])
	}
	return closeIt
}

// wait has Enter press a button of the sheet that has just come up. No text comes for that, as none comes for a click.
func (l *Layers) wait(button fyne.CanvasObject) {
	if f, can := button.(fyne.Focusable); can {
		l.Canvas().Focus(f)
		dropTip(rootOver(button))
	}
}

// MenuButton is a quiet button under which a menu opens, of the items that there are then.
func (l *Layers) MenuButton(text string, icon fyne.Resource, items func() []*fyne.MenuItem) *Button {
	var b *Button
	b = NewButtonWithIcon(text, icon, func() {
		widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items()...), l.Canvas(), fyne.NewPos(0, b.Size().Height), b)
	})
	b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	return b
}

// ButtonsMenu shows a menu at a place of the window that does what buttons do, without those that are hidden.
func (l *Layers) ButtonsMenu(at fyne.Position, buttons ...*Button) {
	var items []*fyne.MenuItem
	for _, b := range buttons {
		if b.Hidden {
			continue
		}
		item := fyne.NewMenuItem(b.Text, b.OnTapped)
		item.Icon, item.Disabled = b.Icon, b.Disabled()
		items = append(items, item)
	}
	if len(items) > 0 {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), l.Canvas(), at)
	}
}

// SheetOK is a sheet with Cancel and a button that agrees; do closes the sheet.
func (l *Layers) SheetOK(title string, wish fyne.Size, content fyne.CanvasObject, agree string, do func()) (closeIt func()) {
	no := NewButton(i18n.T("Cancel"), func() { closeIt() })
	ok := NewButton(agree, do)
	ok.Importance = widget.HighImportance
	closeIt = l.Sheet(title, wish, content, no, ok)
	return closeIt
}

// Ask shows a question on a sheet; yes is done when the user agrees.
func (l *Layers) Ask(title, question, agree string, yes func()) {
	l.ask(title, widget.NewLabel(question), i18n.T("Cancel"), agree, widget.HighImportance, yes)
}

// Warn is Ask before something that ends or goes away: what agrees is red, no says what is done else, and Enter is no. closeIt takes
// the question back where nothing is left to ask about.
func (l *Layers) Warn(title, question, no, agree string, yes func()) (closeIt func()) {
	return l.ask(title, widget.NewLabel(question), no, agree, widget.DangerImportance, yes)
}

// WarnOf is Warn with a question that may become another one while it is up.
func (l *Layers) WarnOf(title string, question *widget.Label, no, agree string, yes func()) (closeIt func()) {
	return l.ask(title, question, no, agree, widget.DangerImportance, yes)
}

func (l *Layers) ask(title string, text *widget.Label, no, agree string, how widget.Importance, yes func()) (closeIt func()) {
	text.Wrapping = fyne.TextWrapWord
	leave := NewButton(no, func() { closeIt() })
	ok := NewButton(agree, func() { closeIt(); yes() })
	ok.Importance = how
	closeIt = l.Sheet(title, fyne.NewSize(420, 190), NewPage(text), leave, ok)
	if how == widget.DangerImportance {
		l.wait(leave)
	}
	return closeIt
}
