package ui

import (
	"bytes"
	"image/png"
	"path/filepath"
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
)

// Reuse is what the prompt and the subjects offer for a finished picture that becomes a reference.
type Reuse struct {
	Words     []inference.Word // that it may stand for, the likeliest first
	Originals []int            // IDs of the cards that it was made of, as far as they are pictures from outside: its anchors
}

// mostChoices is how many words are offered for a picture.
const mostChoices = 5

// Reuse says what is offered for a picture that was made with a recipe.
func (s State) Reuse(recipe inference.Request) Reuse {
	var out Reuse
	offer := func(list []inference.Word) {
		for _, w := range list {
			if len(out.Words) < mostChoices && !slices.ContainsFunc(out.Words, func(have inference.Word) bool { return sameWord(have, w) }) {
				out.Words = append(out.Words, w)
			}
		}
	}
	for _, subject := range recipe.Subjects {
		offer(Phrases(s.Form.Prompt, s.Words, subject.Word))
		for _, ref := range subject.References {
			for _, c := range s.Form.Cards {
				if c.From == 0 && c.Ref.SHA256 != "" && c.Ref.SHA256 == ref.SHA256 && !slices.Contains(out.Originals, c.ID) {
					out.Originals = append(out.Originals, c.ID)
				}
			}
		}
	}
	offer(s.Candidates(mostChoices))
	return out
}

// Continue is the state after a finished picture has become a reference for a word; an empty word leaves that open. It takes the
// place of the originals in their subject; with keep they stay beside it, so that the subject does not drift away from
// them in the rounds to come. Other pictures of earlier rounds go.
func (s State) Continue(c Card, word inference.Word, originals []int, keep bool) State {
	c.ID = s.Form.freeID()
	c.Word, c.Group = word, c.ID
	at := slices.IndexFunc(s.Form.Cards, func(have Card) bool { return slices.Contains(originals, have.ID) })
	if at < 0 {
		if i := slices.IndexFunc(s.Form.Cards, func(have Card) bool { return have.live() && word.Text != "" && sameWord(have.Word, word) }); i >= 0 {
			s.Form = s.Form.Join(s.Form.Cards[i].ID, c)
			return s
		}
		s.Form.Cards = append(slices.Clip(s.Form.Cards), c)
		return s
	}
	mine, _ := s.Form.group(s.Form.Cards[at].ID)
	like := s.Form.Cards[at]
	if word.Text == "" {
		c.Word, c.Gone = like.Word, like.Gone
	}
	c.Scope, c.Style = like.Scope, like.Style
	s.Form = s.Form.arrange(func(g Group) []Card {
		cards := s.Form.pictures(g)
		if g.ID != mine.ID {
			return cards
		}
		out := []Card{c}
		for _, have := range cards {
			if keep && slices.Contains(originals, have.ID) {
				have.Word, have.Gone, have.Group, have.Off, have.Anchor = c.Word, c.Gone, c.Group, false, true
				out = append(out, have)
			}
		}
		return out
	})
	return s
}

// referenceOf is a finished picture as a source of a reference: the bytes of its file, so that its hash tells where it came
// from, or else of the picture itself.
func referenceOf(shot Shot) source {
	name := i18n.T("seed %d", shot.Seed) + ".png"
	if shot.Path != "" {
		name = filepath.Base(shot.Path)
	}
	img := shot.Image
	return source{name: name, from: shot.Kept, read: func() ([]byte, error) {
		if shot.Path != "" {
			if data, err := readFile(shot.Path); err == nil || img == nil {
				return data, err
			}
		}
		var b bytes.Buffer
		err := png.Encode(&b, img)
		return b.Bytes(), err
	}}
}

// useAsReference asks which word the finished picture in view stands for, and makes it a reference of the next round.
func (w *Window) useAsReference() {
	shot := w.state.Shot()
	if shot == nil || shot.Image == nil && shot.Path == "" {
		return
	}
	w.askWord(*shot)
}

// askWord asks the one thing that there is to know.
func (w *Window) askWord(shot Shot) {
	offer := w.state.Reuse(shot.Recipe)
	if len(offer.Words) == 0 && len(offer.Originals) == 0 {
		w.continueWith(shot, inference.Word{}, nil, false)
		return
	}
	later := i18n.T("another word: click it afterwards")
	var names []string
	for _, word := range offer.Words {
		names = append(names, wordName(word))
	}
	choice := widget.NewRadioGroup(append(names, later), nil)
	choice.Required = true
	choice.SetSelected(choice.Options[0])

	img := canvas.NewImageFromImage(smallOf(shot))
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
				files = append(files, shorten(c.Ref.Name, 24))
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
		container.NewVBox(container.New(kit.Fixed{Width: 128, Height: 128}, img)), nil, container.New(kit.Inset{X: 8, Y: 0}, container.NewVScroll(body))), cancel, use)
	w.win.Canvas().Focus(use)
	choice.OnChanged = func(string) { w.win.Canvas().Focus(use) } // Enter goes on, Esc goes back
}

// continueWith makes a finished picture a reference.
func (w *Window) continueWith(shot Shot, word inference.Word, originals []int, keep bool) {
	from, see := referenceOf(shot), w.eye()
	w.state.Picking++
	w.state.PickErr = nil
	w.refresh()
	w.background(func() func() {
		read := w.reading(from.name)
		data, err := from.read()
		var c Card
		if err == nil {
			c, err = see.card(from.name, data)
			c.From = from.from
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
func (w *Window) dropShot(shot Shot, at fyne.Position) {
	switch to := w.targetAt(at); {
	case to.word.Text != "":
		w.continueWith(shot, to.word, nil, false)
		return
	case to.card != 0:
		w.joinShot(shot, to.card)
		return
	}
	if at.X < w.middle.Position().X {
		w.askWord(shot)
	}
}

// joinShot puts a finished picture to the others of a subject.
func (w *Window) joinShot(shot Shot, card int) {
	i := w.state.Form.card(card)
	if i < 0 {
		return
	}
	if have := w.state.Form.Cards[i]; have.live() {
		w.continueWith(shot, have.Word, nil, false)
		return
	}
	w.state.Selected = 0
	w.continueWith(shot, inference.Word{}, []int{card}, true)
}
