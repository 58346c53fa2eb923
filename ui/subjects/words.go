package subjects

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// HelpActions show what the open model can read, where that is little.
func (p *Panel) HelpActions() []command.Action {
	return []command.Action{{
		ID: "help.words", Menu: command.MenuHelp, Label: i18n.T("Words that the model knows"), Do: p.showWords,
		Can: func() bool { return p.vocabulary() != nil },
	}}
}

// vocabulary is that of the open model; nil where it has none to list.
func (p *Panel) vocabulary() *bundle.Vocabulary {
	if m := p.State().Model; m != nil {
		return m.Words
	}
	return nil
}

// showWords lists the words of the open model on a sheet, by what they are for.
func (p *Panel) showWords() {
	v := p.vocabulary()
	if v == nil {
		return
	}
	text := func(s string) *widget.Label {
		l := widget.NewLabel(s)
		l.Wrapping = fyne.TextWrapWord
		return l
	}
	rows := kit.NewColumn(8, text(i18n.T("This model learned from few words. What it does not know decides little in the picture: a general word, such as “animal”, does more.")))
	for _, part := range []struct {
		title string
		words []string
	}{
		{i18n.T("Subjects"), v.Subjects},
		{i18n.T("General words"), v.General},
		{i18n.T("Colours, before a subject"), v.Colours},
		{i18n.T("Worn, behind “wearing”"), v.Worn},
		{i18n.T("On or in something"), v.Seats},
		{i18n.T("Places"), v.Places},
		{i18n.T("What joins them"), v.Others},
	} {
		if len(part.words) > 0 {
			sorted := slices.Clone(part.words)
			slices.Sort(sorted)
			rows.Add(kit.NewColumn(0, kit.Heading(part.title), text(strings.Join(sorted, ", "))))
		}
	}
	p.Layers.Sheet(i18n.T("Words that the model knows"), fyne.NewSize(620, 460), kit.NewPage(rows))
}
