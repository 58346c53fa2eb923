package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/stage"
	"realword/ui/state"
)

// useAsReference asks which word the finished picture in view stands for, and makes it a reference of the next round.
func (w *Window) useAsReference() {
	shot := w.state.Shot()
	if shot == nil || shot.Image == nil && shot.Path == "" {
		return
	}
	w.askWord(*shot)
}

// askWord asks the one thing that there is to know.
func (w *Window) askWord(shot state.Shot) {
	offer := w.state.Reuse(shot.Recipe)
	if len(offer.Words) == 0 && len(offer.Originals) == 0 {
		w.continueWith(shot, inference.Word{}, nil, false)
		return
	}
	later := i18n.T("another word: click it afterwards")
	var names []string
	for _, word := range offer.Words {
		names = append(names, state.WordName(word))
	}
	choice := widget.NewRadioGroup(append(names, later), nil)
	choice.Required = true
	choice.SetSelected(choice.Options[0])

	img := canvas.NewImageFromImage(stage.Small(shot))
	img.FillMode, img.ScaleMode, img.CornerRadius = canvas.ImageFillContain, canvas.ImageScaleSmooth, 8
	note := widget.NewLabel(i18n.T("The longer phrase fits this picture better: it includes what this job added."))
	note.Wrapping, note.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	longer := slices.ContainsFunc(offer.Words, func(word inference.Word) bool {
		return len(word.Text) < len(offer.Words[0].Text) && strings.Contains(offer.Words[0].Text, word.Text)
	})
	body := kit.NewColumn(6, container.New(kit.Inset{X: 8, Y: 0}, kit.Heading(i18n.T("What does this picture show?"))), choice)
	if longer {
		body.Add(kit.Quiet(note))
	}
	var anchor *kit.Check
	if len(offer.Originals) > 0 {
		var files []string
		for _, c := range w.state.Form.Cards {
			if slices.Contains(offer.Originals, c.ID) {
				files = append(files, state.Shorten(c.Ref.Name, 24))
			}
		}
		anchor = kit.NewCheck(i18n.T("Keep the original references too (%s)", strings.Join(files, ", ")), nil)
		anchor.Checked = true
		body.Add(anchor)
	}
	var closeIt func()
	cancel := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	use := kit.NewButton(i18n.T("Use as reference"), func() {
		closeIt()
		var word inference.Word
		if i := slices.Index(names, choice.Selected); i >= 0 {
			word = offer.Words[i]
		}
		w.continueWith(shot, word, offer.Originals, anchor != nil && anchor.Checked)
	})
	use.Importance = widget.HighImportance
	closeIt = w.Sheet(i18n.T("The next job"), fyne.NewSize(560, 300), container.NewBorder(nil, nil,
		container.NewVBox(container.New(kit.Fixed{Width: 128, Height: 128}, img)), nil, container.New(kit.Inset{X: 8, Y: 0},
			container.NewVScroll(body))), cancel, use)
	w.win.Canvas().Focus(use)
	choice.OnChanged = func(string) { w.win.Canvas().Focus(use) } // Enter goes on, Esc goes back
}

// continueWith makes a finished picture a reference.
func (w *Window) continueWith(shot state.Shot, word inference.Word, originals []int, keep bool) {
	from, see := state.ReferenceOf(shot), w.subjects.Eye()
	w.state.Picking++
	w.state.PickErr = nil
	w.refresh()
	w.background(func() func() {
		read := w.subjects.Reading(from.Name)
		data, err := from.Read()
		var c state.Card
		if err == nil {
			c, err = see.Card(from.Name, data)
			c.From = from.From
		}
		read()
		return func() {
			w.state.Picking--
			if w.state.PickErr = err; err == nil {
				w.state = w.state.Continue(c, word, originals, keep)
				w.state.Pending, w.state.Selected = inference.Word{}, 0
			}
			w.refresh()
		}
	})
}

// dropShot takes a picture of the strip that was dropped at a position: on a word it is bound to it, on a card it joins its
// subject, anywhere else on the left its word is asked for.
func (w *Window) dropShot(shot state.Shot, at fyne.Position) {
	switch to := w.subjects.TargetAt(at); {
	case to.Word.Text != "":
		w.continueWith(shot, to.Word, nil, false)
		return
	case to.Card != 0:
		w.joinShot(shot, to.Card)
		return
	}
	if at.X < w.middle.Position().X {
		w.askWord(shot)
	}
}

// joinShot puts a finished picture to the others of a subject.
func (w *Window) joinShot(shot state.Shot, card int) {
	i := w.state.Form.Card(card)
	if i < 0 {
		return
	}
	if have := w.state.Form.Cards[i]; have.Live() {
		w.continueWith(shot, have.Word, nil, false)
		return
	}
	w.state.Selected = 0
	w.continueWith(shot, inference.Word{}, []int{card}, true)
}
