package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/i18n"
	"realword/ui/kit"
)

// head is the run in small, for the head of the window while the panel is folded away.
type head struct {
	row      *fyne.Container
	status   *kit.Line
	stop     *kit.IconButton
	generate *kit.Button
}

func newHead(h Host) *head {
	o := &head{status: kit.Caption(""), generate: kit.NewButton(i18n.T("Generate"), h.OnGenerate)}
	o.generate.Refused = h.OnGenerate
	o.stop = kit.SmallButton(i18n.T("Stop"), theme.MediaStopIcon(), h.OnStop)
	o.row = container.New(kit.Tight{Gap: 6}, o.status, o.stop, o.generate)
	o.row.Hide()
	return o
}

// follow makes it equal to the panel.
func (o *head) follow(s *Panel) {
	o.status.Set(s.Status.Text)
	o.stop.Hidden = s.Halt.Hidden
	kit.Enable(o.stop, !s.Halt.Disabled())
	if o.generate.Text != s.Generate.Text || o.generate.Importance != s.Generate.Importance {
		o.generate.Importance = s.Generate.Importance
		o.generate.SetText(s.Generate.Text)
	}
	kit.Enable(o.generate, !s.Generate.Disabled())
	o.row.Refresh()
	// The button may need another width.
	if c := fyne.CurrentApp().Driver().CanvasForObject(o.row); c != nil && o.row.Visible() && o.row.MinSize().Width > o.row.Size().Width+0.5 {
		c.Content().Refresh()
	}
}
