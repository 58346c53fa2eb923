package models

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file decides when another model is opened. The window opens it.

// Use opens another model. While a job runs the user is asked what shall become of it.
func (p *Page) Use(path string) {
	s := p.host.Shelf
	m, ok := s.Find(path)
	switch {
	case !ok || m.Err != nil || p.host.Context.Err() != nil || s.Moving:
		return
	case s.InUse(path):
		s.Next = nil // the user has thought better of it
		p.host.OnChange()
		return
	}
	if err := p.host.Hinders(); err != nil {
		s.Err = err
		p.host.OnChange()
		return
	}
	now := p.host.State()
	if !now.Busy() {
		p.switchTo(path)
		return
	}
	waiting := len(now.Queue.Waiting)
	text := i18n.T("A job is running with %s.", now.Model.Name)
	if waiting > 0 {
		text += " " + i18n.N(waiting, "One more is queued.", "%d more are queued.", waiting)
	}
	text += " " + i18n.T("Queued jobs stay with the model they were made for.")
	question := widget.NewLabel(text)
	question.Wrapping = fyne.TextWrapWord
	var closeIt func()
	button := func(label string, do func()) *kit.Button {
		return kit.NewButton(label, func() { closeIt(); do() })
	}
	later := button(i18n.T("When the queue is done"), func() { p.switchAfter(m, false) })
	later.Importance = widget.HighImportance
	closeIt = p.host.Layers.Sheet(i18n.T("Switch to %s?", m.Name()), fyne.NewSize(560, 190), kit.NewPage(question),
		button(i18n.T("Cancel"), func() {}), button(i18n.T("Stop the job and switch"), func() { p.switchAfter(m, true) }), later)
}

// switchAfter opens a model when the queue is through, or with hasty when the running job has stopped.
func (p *Page) switchAfter(m state.Model, hasty bool) {
	p.host.Shelf.Next, p.host.Shelf.Hasty = &m, hasty
	if hasty {
		p.host.OnStop()
	}
	p.Follow()
	p.host.OnChange()
}

// Follow opens the model that is next, if its time has come: call it whenever a job may have ended.
func (p *Page) Follow() {
	s, now := p.host.Shelf, p.host.State()
	if s.Next == nil || now.Busy() || s.Moving {
		return
	}
	if _, more := now.Queue.Next(); more && !s.Hasty {
		return
	}
	p.switchTo(s.Next.Path)
}

// switchTo has a model opened now. No job runs.
func (p *Page) switchTo(path string) {
	s := p.host.Shelf
	s.Next, s.Hasty, s.Moving = nil, false, true
	p.tell("", nil)
	p.host.OnChange()
	p.host.OnOpen(path)
}

// Opened says that the model that OnOpen was asked for is the window's now, what of the form has changed with it, or why it is not.
func (p *Page) Opened(remarks []string, err error) {
	s := p.host.Shelf
	s.Moving = false
	if err != nil {
		s.Err = err
		p.host.Notices.Say(kit.Notice{
			Text: i18n.T("The model cannot be opened. %s", wording.Brief(err)), Bad: true, Act: i18n.T("Models…"), Do: p.Show,
		})
		p.Reload()
		return
	}
	s.Told = i18n.T("%s is now in use.", p.host.State().Model.Name)
	p.host.Notices.Say(kit.Notice{Text: strings.Join(append([]string{s.Told}, remarks...), " ")})
}
