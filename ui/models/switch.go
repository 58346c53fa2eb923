package models

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file decides when another model is opened.

// longest is how much of a model's name the head of the window has room for, in characters; the whole is in the menu under it.
const longest = 28

// buildSwitch makes the name of the open model, under which are the others.
func (p *Page) buildSwitch() *kit.Button {
	b := p.host.Layers.MenuButton("", theme.MenuDropDownIcon(), p.switches).
		Explain(i18n.T("The model that makes the pictures. Click it to take another one."))
	b.IconPlacement = widget.ButtonIconTrailingText
	if p.host.Models == nil {
		b.Disable()
	}
	return b
}

// Say writes into the head of the window what stands in place of the model's name, or that.
func (p *Page) Say(text string) {
	if text = state.Shorten(text, longest); text != p.Status.Text {
		p.Status.SetText(text)
	}
}

// switches are the models that can be gone over to, and where to get more.
func (p *Page) switches() (items []*fyne.MenuItem) {
	s := p.shelf()
	for _, m := range s.List {
		item := fyne.NewMenuItem(m.Name(), func() { p.Use(m.Path) })
		item.Checked = s.InUse(m.Path)
		item.Disabled = m.Err != nil || s.Moving
		items = append(items, item)
	}
	return append(items, fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(i18n.T("Get real models…"), p.showCatalogue), fyne.NewMenuItem(i18n.T("All models"), p.Show))
}

// reached is what is done once a model is open.
type reached struct {
	path string
	do   func() // nil: nothing
}

// Use opens another model. While a job runs the user is asked what shall become of it.
func (p *Page) Use(path string) {
	s := p.shelf()
	p.then = reached{}
	m, ok := s.Find(path)
	switch {
	case !ok || m.Err != nil || p.host.Context.Err() != nil || s.Moving:
		return
	case s.InUse(path):
		p.change(func(s *state.Shelf) { s.Next = nil }) // the user has thought better of it
		return
	}
	if err := p.host.Hinders(); err != nil {
		if p.Shown() {
			p.change(func(s *state.Shelf) { s.Err = err })
		} else {
			p.host.Notices.Say(kit.Notice{Text: wording.Sentence(err), Bad: true})
		}
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

// Reach says how to come by the model that a recipe names: the text of a button, and what it does; again is done once that model is open.
// do is nil where there is no way, or the model is open.
func (p *Page) Reach(name string, again func()) (text string, do func()) {
	s := p.shelf()
	if m, ok := s.Called(name); ok {
		if s.InUse(m.Path) {
			return "", nil
		}
		return i18n.T("Open %s", state.Shorten(m.Name(), longest)), func() {
			p.Use(m.Path)
			p.then = reached{m.Path, again}
		}
	}
	for _, e := range s.Catalogue {
		if title, _ := offer(e); name == e.Title || name == title {
			return i18n.T("Get %s", state.Shorten(title, longest)) + "…", p.showCatalogue
		}
	}
	return "", nil
}

// UseCard goes over to a model that is on other computers alone, by the file of its card; not while a job runs.
func (p *Page) UseCard(path string) {
	p.then = reached{}
	if p.shelf().InUse(path) || p.shelf().Moving {
		return
	}
	err := p.host.Hinders()
	if err == nil && p.host.State().Busy() {
		err = i18n.Errorf("a job is running: wait until it has finished, or stop it")
	}
	if err != nil {
		p.host.Notices.Say(kit.Notice{Text: wording.Brief(err), Bad: true})
		return
	}
	p.switchTo(path)
}

// switchAfter opens a model when the queue is through, or with hasty when the running job has stopped.
func (p *Page) switchAfter(m state.Model, hasty bool) {
	p.change(func(s *state.Shelf) {
		s.Next, s.Hasty = &m, hasty
		if hasty {
			p.host.OnStop()
		}
		p.Follow()
	})
}

// Follow opens the model that is next, if its time has come: call it whenever a job may have ended.
func (p *Page) Follow() {
	now := p.host.State()
	s := now.Shelf
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
	p.change(func(s *state.Shelf) {
		s.Next, s.Hasty, s.Moving = nil, false, true
		p.tell("")
	})
	p.open(path)
}
