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

// exampleBar says over the window that the example is looked at, and leads back. In a low window its line would take the picture's room:
// there mark does both, in the head of the window.
type exampleBar struct {
	*fyne.Container
	host Example
	mark *kit.Button
}

func newExampleBar(e Example, low func() bool) *exampleBar {
	b := &exampleBar{host: e}
	about := i18n.T("This is an example: look at its steps and masks, change what you like. What you generate goes into a session of your own.")
	text := kit.NewTold(theme.SizeNameText) // one line: what is cut is said under the pointer, and the picture keeps its room
	text.SetText(about)
	back := kit.NewButton(i18n.T("Close the example"), e.Close).Explain(i18n.T("Returns to your own session, as you left it."))
	back.Importance = widget.HighImportance
	line := container.New(kit.Inset{X: 0, Y: 2}, container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8),
		container.New(kit.Inset{X: 10, Y: 4}, container.NewBorder(nil, nil, container.NewCenter(widget.NewIcon(theme.InfoIcon())),
			container.NewCenter(back), text))))
	b.Container = container.New(kit.Either{Second: low}, line, kit.NewColumn(0))
	b.mark = kit.NewButtonWithIcon(i18n.T("Example"), theme.CancelIcon(), e.Close).
		Explain(i18n.T("Close the example") + ": " + i18n.T("Returns to your own session, as you left it.") + " " + about)
	b.mark.Importance = widget.HighImportance
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
			Can: func() bool { s := p.host.State(); return s.History.Example && s.Occupied() == nil },
		},
	}
}

// Marked tells whether the example is looked at in a low window: ExampleMark is to be seen then.
func (p *Panel) Marked() bool { return p.example.Visible() && p.low() }

// low tells whether a window is so low that the picture needs all that can give way.
func (p *Panel) low() bool { return p.height() < lowWindow*kit.TextScale() }
