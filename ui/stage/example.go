package stage

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// Example is what can be done with the finished session that comes with the program.
type Example struct {
	Show, Close func()
	Can         func() bool // whether it can be shown now; nil: there is none
	OnResize    func()      // the bar over the window has come or gone
}

// exampleBar says over the window that the example is looked at, and leads back.
type exampleBar struct {
	*fyne.Container
	host Example
}

func newExampleBar(e Example) *exampleBar {
	b := &exampleBar{host: e}
	text := kit.NewTold(theme.SizeNameText) // one line: what is cut is said under the pointer, and the picture keeps its room
	text.SetText(i18n.T("This is an example: look at its steps and masks, change what you like. What you generate goes into a session of your own."))
	back := kit.NewButton(i18n.T("Close the example"), e.Close).Explain(i18n.T("Returns to your own session, as you left it."))
	back.Importance = widget.HighImportance
	b.Container = container.New(kit.Inset{X: 0, Y: 4}, container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(widget.NewIcon(theme.InfoIcon())),
			container.NewCenter(back), text))))
	b.Hide()
	return b
}

func (b *exampleBar) show(on bool) {
	if b.Visible() == on {
		return
	}
	b.Hidden = !on
	b.Refresh()
	b.host.OnResize()
}

// ExampleActions show the example and close it.
func (p *Panel) ExampleActions() []command.Action {
	e := p.host.Example
	return []command.Action{
		{
			ID: "help.example", Menu: command.MenuHelp, Label: i18n.T("Show an example"), Do: e.Show,
			Can: func() bool { return e.Can != nil && e.Can() },
		},
		{
			ID: "help.example.close", Menu: command.MenuHelp, Label: i18n.T("Close the example"), Do: e.Close,
			Can: func() bool { s := p.host.State(); return s.History.Example && !s.Busy() },
		},
	}
}
