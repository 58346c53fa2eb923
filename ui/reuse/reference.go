package reuse

import (
	"errors"
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
	"realword/ui/state"
)

// Reference asks which word the finished picture in view stands for, and makes it a reference of the next job.
func (d *Desk) Reference() {
	shot := d.host.State().Shot()
	if shot != nil {
		d.Ask(*shot)
	}
}

// Ask asks which word a finished picture shows, the one thing that there is to know, and goes on with Continue.
func (d *Desk) Ask(shot state.Shot) {
	offer := d.host.State().Reuse(shot.Recipe)
	if len(offer.Words) == 0 && len(offer.Originals) == 0 {
		d.Continue(shot, inference.Word{}, nil, false)
		return
	}
	later := i18n.T("another word: click it afterwards")
	var names []string
	for _, word := range offer.Words {
		names = append(names, state.WordName(word))
	}
	choice := kit.NewRadio(append(names, later)...)
	choice.Choose(0)

	img := canvas.NewImageFromImage(d.host.Small(shot))
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
		for _, c := range d.host.State().Form.Cards {
			if slices.Contains(offer.Originals, c.ID) {
				files = append(files, state.Shorten(c.Ref.Name, 24))
			}
		}
		anchor = kit.NewCheck(i18n.T("Keep the original references too (%s)", strings.Join(files, ", ")), nil)
		anchor.Checked = true
		body.Add(anchor)
	}
	// There is room for all subjects from the start; whose masks are known is read meanwhile.
	names = nil
	for _, one := range shot.Recipe.Subjects {
		names = append(names, state.WordName(one.Word))
	}
	part := kit.NewRadio(wholeOr(names)...)
	part.Choose(0)
	part.Disable()
	part.Hidden = len(part.Options) < 2
	var cuts []cutting
	var closeIt func()
	cancel := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	use := kit.NewButton(i18n.T("Use as reference"), func() {
		closeIt()
		from := state.ReferenceOf(shot, d.host.Store())
		if part.Chosen > 0 {
			from = cuts[part.Chosen-1].source(from)
		}
		var word inference.Word
		if choice.Chosen < len(offer.Words) {
			word = offer.Words[choice.Chosen]
		}
		d.take(from, word, offer.Originals, anchor != nil && anchor.Checked)
	})
	use.Importance = widget.HighImportance
	closeIt = d.host.Layers.Sheet(i18n.T("The next job"), fyne.NewSize(560, 300), container.NewBorder(nil, nil,
		kit.NewColumn(6, container.New(kit.Fixed{Width: 150, Height: 128}, img), part), nil, container.New(kit.Inset{X: 8, Y: 0},
			kit.NewPage(body))), cancel, use)
	d.host.Layers.Canvas().Focus(use)
	choice.OnChanged = func(int) { d.host.Layers.Canvas().Focus(use) } // Enter goes on, Esc goes back
	part.OnChanged = func(i int) {
		if img.Image = d.host.Small(shot); i > 0 {
			img.Image = cuts[i-1].look
		}
		img.Refresh()
		d.host.Layers.Canvas().Focus(use)
	}
	d.cut(shot, func(list []cutting) {
		cuts, names = list, nil
		for _, c := range cuts {
			names = append(names, c.name)
		}
		part.Options = wholeOr(names)
		if len(cuts) == 0 {
			part.Hide()
			return
		}
		part.Enable()
	})
}

// wholeOr offers the whole picture, or each subject alone, with as much of the names as tells them apart.
func wholeOr(names []string) []string {
	for letters := 12; ; letters += 4 {
		list := []string{i18n.T("The whole picture")}
		alike := false
		for _, name := range names {
			text := i18n.T("Only “%s”", state.Shorten(name, letters))
			alike = alike || slices.Contains(list, text)
			list = append(list, text)
		}
		if !alike || letters > 100 {
			return list
		}
	}
}

// Continue makes a finished picture a reference.
func (d *Desk) Continue(shot state.Shot, word inference.Word, originals []int, keep bool) {
	d.take(state.ReferenceOf(shot, d.host.Store()), word, originals, keep)
}

// take makes what came of a finished picture a reference.
func (d *Desk) take(from state.Source, word inference.Word, originals []int, keep bool) {
	see := d.host.Eye()
	d.host.Change(func(s *state.State) {
		*s = s.Expect()
		s.PickErr, s.Pending = nil, inference.Word{}
	})
	d.host.Background(func() func() {
		read := d.host.Reading(from.Name)
		data, err := from.Read()
		var c state.Card
		if err == nil {
			c, err = see.Card(from.Name, data)
			c.From = from.From
		}
		read()
		return func() {
			d.host.Change(func(s *state.State) {
				if s.PickErr = errors.Join(s.PickErr, err); err == nil {
					if *s = s.Continue(c, word, originals, keep).LetGo(); from.Preview {
						s.Remark = i18n.T("%s was stopped early: its preview of %d × %d pixels is all that the model sees of it.", c.Ref.Name, c.Pixels.X, c.Pixels.Y)
					}
				}
				*s = s.Came()
			})
		}
	})
}

// join puts a finished picture to the others of a subject.
func (d *Desk) join(shot state.Shot, card int) {
	form := d.host.State().Form
	i := form.Card(card)
	if i < 0 {
		return
	}
	have := form.Cards[i]
	if have.Live() {
		d.Continue(shot, have.Word, nil, false)
		return
	}
	d.host.Change(func(s *state.State) { s.Selected = 0 })
	d.Continue(shot, have.Word, []int{card}, true)
}

// Dropped takes a finished picture that was dropped: on a word it is bound to it, on a card it joins its subject, and among the
// subjects its word is asked for.
func (d *Desk) Dropped(shot state.Shot, to state.Target, among bool) {
	switch {
	case to.Word.Text != "":
		d.Continue(shot, to.Word, nil, false)
	case to.Card != 0:
		d.join(shot, to.Card)
	case among:
		d.Ask(shot)
	}
}
