package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// sheet lays content in its wished size over the window, which waits behind it, until the user closes it with its button or with
// Esc, or the answered function is called. buttons stand at its foot, the one to press by default last.
func (w *Window) sheet(title string, wish fyne.Size, content fyne.CanvasObject, buttons ...fyne.CanvasObject) (closeIt func()) {
	head := newLine(title, theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	head.style.Bold = true
	var pop *widget.PopUp
	var closed func()
	closeIt = func() {
		closed()
		pop.Hide()
	}
	cross := smallButton(say("Close"), theme.CancelIcon(), func() { closeIt() })
	top := container.NewBorder(nil, nil, container.New(inset{2, 4}, head), cross)
	var foot fyne.CanvasObject
	if len(buttons) > 0 {
		foot = container.NewBorder(nil, nil, nil, newRow(8, buttons...))
	}
	room := w.win.Canvas().Size().SubtractWidthHeight(80, 60)
	size := fyne.NewSize(wish.Width*textScale(), wish.Height*textScale()).Min(room)
	body := container.NewBorder(top, foot, nil, nil, container.New(inset{0, 8}, content))
	pop = widget.NewModalPopUp(container.NewStack(container.New(inset{10, 8}, container.New(sized{size}, body)), newTips()), w.win.Canvas())
	closed = w.opened(closeIt)
	pop.Show()
	return closeIt
}

// sheetOK is a sheet with Cancel and a button that agrees; do closes the sheet.
func (w *Window) sheetOK(title string, wish fyne.Size, content fyne.CanvasObject, agree string, do func()) (closeIt func()) {
	no := widget.NewButton(say("Cancel"), func() { closeIt() })
	ok := widget.NewButton(agree, do)
	ok.Importance = widget.HighImportance
	closeIt = w.sheet(title, wish, content, no, ok)
	return closeIt
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
	no := widget.NewButton(say("Cancel"), func() { closeIt() })
	ok := widget.NewButton(agree, func() { closeIt(); yes() })
	ok.Importance = widget.HighImportance
	closeIt = w.sheet(title, fyne.NewSize(420, 190), container.NewVScroll(text), no, ok)
}
