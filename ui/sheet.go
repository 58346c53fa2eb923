package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

// sheet lays content over the window, which waits behind it, until the user closes it with its button or with Esc, or the answered
// function is called. It is as wide as wished and as high as its content needs, up to the wished height, or more where the content
// would be cut by a little; what is longer scrolls, or must. buttons stand at its foot, the one to press by default last.
func (w *Window) sheet(title string, wish fyne.Size, content fyne.CanvasObject, buttons ...fyne.CanvasObject) (closeIt func()) {
	head := newLine(title, theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	head.style.Bold = true
	var pop *widget.PopUp
	var closed func()
	closeIt = func() {
		closed()
		pop.Hide()
	}
	cross := smallButton(i18n.T("Close"), theme.CancelIcon(), func() { closeIt() })
	top := container.NewBorder(nil, nil, container.New(inset{2, 4}, head), cross)
	var foot fyne.CanvasObject
	if len(buttons) > 0 {
		foot = container.NewBorder(nil, nil, nil, newRow(8, buttons...))
	}
	room := w.win.Canvas().Size().SubtractWidthHeight(80, 60)
	size := fyne.NewSize(wish.Width*textScale(), wish.Height*textScale()).Min(room)
	body := container.NewBorder(top, foot, nil, nil, container.New(inset{0, 8}, content))
	if page := pageIn(content); page != nil {
		body.Resize(size) // texts know their height only for a width
		lack := page.Content.MinSize().Height - page.Size().Height
		size.Height = max(min(size.Height+min(lack, leeway*textScale()), room.Height), body.MinSize().Height)
	}
	pop = widget.NewModalPopUp(container.NewStack(container.New(inset{10, 8}, container.New(sized{size}, body)), newTips()), w.win.Canvas())
	closed = w.opened(closeIt)
	pop.Show()
	return closeIt
}

// sheetOK is a sheet with Cancel and a button that agrees; do closes the sheet.
func (w *Window) sheetOK(title string, wish fyne.Size, content fyne.CanvasObject, agree string, do func()) (closeIt func()) {
	no := newButton(i18n.T("Cancel"), func() { closeIt() })
	ok := newButton(agree, do)
	ok.Importance = widget.HighImportance
	closeIt = w.sheet(title, wish, content, no, ok)
	return closeIt
}

// leeway is how much a sheet grows over its wished height before its content scrolls.
const leeway = 120

// pageIn is the part of a sheet's content that scrolls, so that the sheet can have its height; nil where none does.
func pageIn(o fyne.CanvasObject) *container.Scroll {
	switch o := o.(type) {
	case *container.Scroll:
		return o
	case *fyne.Container:
		for _, inner := range o.Objects {
			if page := pageIn(inner); page != nil {
				return page
			}
		}
	}
	return nil
}

// sized gives its objects one size, whatever they want.
type sized struct{ size fyne.Size }

func (s sized) MinSize([]fyne.CanvasObject) fyne.Size { return s.size }

func (s sized) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

// ask shows a question on a sheet; yes is done when the user agrees.
func (w *Window) ask(title, question, agree string, yes func()) {
	text := widget.NewLabel(question)
	text.Wrapping = fyne.TextWrapWord
	var closeIt func()
	no := newButton(i18n.T("Cancel"), func() { closeIt() })
	ok := newButton(agree, func() { closeIt(); yes() })
	ok.Importance = widget.HighImportance
	closeIt = w.sheet(title, fyne.NewSize(420, 190), container.NewVScroll(text), no, ok)
}
