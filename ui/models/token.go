package models

import (
	"net/url"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// askToken asks for the token by which the hub knows the user.
func (p *Page) askToken() {
	from, page := p.host.Models.Token()
	text := widget.NewLabel(i18n.T("Some models can be downloaded only by people who have accepted their terms. Accept them on the page of the model, make an access token there that may read, and paste it here. It is kept where the hub's own programs keep it, and goes to the hub alone."))
	text.Wrapping = fyne.TextWrapWord
	token := kit.NewField(p.host.Shortcut, false).Explain(i18n.T("One word, such as hf_AbCd…"))
	token.Password = true
	now := kit.Note(i18n.T("There is no token yet."))
	if from != "" {
		now = kit.Note(i18n.T("There is a token already: %s", wording.Path(from)))
	}
	trouble := widget.NewLabel("")
	trouble.Wrapping, trouble.Importance = fyne.TextWrapWord, widget.DangerImportance
	trouble.Hide()
	content := kit.NewColumn(8, token, trouble, now, text) // what is wrong is said where one looks
	if at, err := url.Parse(page); err == nil {
		content.Add(widget.NewHyperlink(page, at))
	}
	var closeIt func()
	keep := func(text, told string) {
		if err := p.host.Models.SetToken(text); err != nil {
			trouble.SetText(wording.Sentence(err))
			trouble.Show()
			return
		}
		closeIt()
		p.change(func(s *state.Shelf) { s.Told, s.Err = told, nil })
	}
	save := kit.NewButton(i18n.T("Save"), func() { keep(token.Text, i18n.T("The access token is saved.")) })
	save.Importance = widget.HighImportance
	token.OnChanged = func(text string) { kit.Enable(save, text != "") }
	token.OnChanged("")
	token.OnSubmitted = func(text string) {
		if text != "" {
			save.OnTapped()
		}
	}
	buttons := []fyne.CanvasObject{kit.NewButton(i18n.T("Cancel"), func() { closeIt() })}
	if from != "" {
		buttons = append(buttons, kit.NewButton(i18n.T("Remove the token"), func() { keep("", i18n.T("The access token is removed.")) }))
	}
	closeIt = p.host.Layers.Sheet(i18n.T("Access token"), fyne.NewSize(560, 380), kit.NewPage(content), append(buttons, save)...)
	p.host.Layers.Canvas().Focus(token)
}
