package preferences

import (
	"net/url"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/wording"
)

// paper is where the method is described.
const paper = "https://arxiv.org/abs/2408.09744"

// ShowAbout says what the program is, who made what is in it, and what it is built from.
func (d *Desk) ShowAbout() {
	icon := canvas.NewImageFromResource(d.app.Icon())
	icon.FillMode = canvas.ImageFillContain
	meta := d.app.Metadata()
	name := kit.NewLine(d.Host.Title, theme.ColorNameForeground, theme.SizeNameHeadingText)
	name.Style.Bold = true
	version := kit.Caption(i18n.T("Version %s · %s", meta.Version, runtime.GOOS+"/"+runtime.GOARCH))
	what := widget.NewLabel(i18n.T("Pictures of your own subjects: each word you choose in the prompt looks like your picture of it. An independent implementation of RealCustom++, a method by other authors. Everything runs on this computer."))
	what.Wrapping = fyne.TextWrapWord
	head := container.NewBorder(nil, nil, container.New(kit.Fixed{Width: 72, Height: 72}, icon), nil,
		container.New(kit.Inset{X: 10, Y: 0}, kit.NewColumn(2, name, version)))

	credits := widget.NewRichTextFromMarkdown(d.Host.Credits)
	credits.Wrapping = fyne.TextWrapWord
	libraries := widget.NewLabel(modules())
	libraries.Wrapping, libraries.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	tabs := container.NewAppTabs(
		container.NewTabItem(i18n.T("Credits"), kit.NewPage(credits)),
		container.NewTabItem(i18n.T("Libraries"), kit.NewPage(libraries)))

	address, err := url.Parse(paper)
	if err != nil {
		address = nil // a constant that parses
	}
	done := kit.NewButton(i18n.T("Done"), nil)
	done.Importance = widget.HighImportance
	closeIt := d.Host.Layers.Sheet(i18n.T("About"), fyne.NewSize(620, 520), container.NewBorder(kit.NewColumn(6, head, what), nil, nil, nil, tabs),
		widget.NewHyperlink(i18n.T("The paper"), address), done)
	done.OnTapped = closeIt
}

// modules lists what the program was linked from.
func modules() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	lines := []string{info.GoVersion}
	for _, m := range info.Deps {
		lines = append(lines, m.Path+"  "+m.Version)
	}
	return strings.Join(lines, "\n")
}

// HelpActions are what helps, and the preferences.
func (d *Desk) HelpActions() []command.Action {
	return []command.Action{
		{ID: "help.keys", Menu: command.MenuHelp, Label: i18n.T("Keyboard shortcuts…"), Key: "F1", Do: d.Host.Commands.ShowKeys},
		{ID: "help.keys.other", Label: i18n.T("Keyboard shortcuts…"), Key: "Shift+/", Do: d.Host.Commands.ShowKeys},
		command.Separator(command.MenuHelp),
		{
			ID: "help.logs", Menu: command.MenuHelp, Label: i18n.T("Open the log folder"), Do: func() { d.Host.OnReveal(d.Host.Logs) },
			Can: func() bool { return d.Host.Logs != "" },
		},
		{
			ID: "help.report", Menu: command.MenuHelp, Label: i18n.T("Save diagnostic report…"), Do: d.saveReport,
			Can: func() bool { return d.Host.Report != nil && d.Host.SaveFile != nil },
		},
		command.Separator(command.MenuHelp),
		{ID: "help.about", Menu: command.MenuHelp, Label: i18n.T("About…"), Key: "Shift+F1", Do: d.ShowAbout},
		{ID: "file.preferences", Menu: command.MenuFile, Label: i18n.T("Preferences…"), Key: "Ctrl+,", Do: d.Show},
	}
}

// saveReport writes what a helper needs to know where the user wants it: no pictures, no prompts. It tries what the machine has, which
// takes a while.
func (d *Desk) saveReport() {
	d.Host.Background(func() func() {
		path, err := d.Host.SaveFile("realword-report.txt")
		if err == nil && path == "" {
			return nil
		}
		return func() {
			if err != nil {
				d.Host.OnReport(kit.Notice{Text: wording.Sentence(err), Bad: true})
				return
			}
			d.Host.OnReport(kit.Notice{Text: i18n.T("Looking at this computer for the report. That takes a minute or two…")})
			d.Host.Background(func() func() {
				err := d.Host.Report(path)
				return func() {
					if err != nil {
						d.Host.OnReport(kit.Notice{Text: wording.Sentence(err), Bad: true})
						return
					}
					d.Host.OnReport(kit.Notice{
						Text: i18n.T("The report is in %s.", wording.Path(path)), Act: i18n.T("Show in folder"),
						Do: func() { d.Host.OnReveal(filepath.Dir(path)) },
					})
				}
			})
		}
	})
}
