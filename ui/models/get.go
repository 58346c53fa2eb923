package models

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/hub"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file downloads models of the catalogue.

// offer is an entry of the catalogue in the language of the window.
func offer(e hub.Entry) (title, about string) {
	switch e.Name {
	case "realcustom-sdxl":
		return i18n.T("RealCustom++ on SDXL"), i18n.T("The real thing, at a size most machines can handle: the released RealCustom++ weights on SDXL 1.0 in half precision. Photographs, paintings, anything SDXL knows.")
	case "realcustom-released":
		return i18n.T("RealCustom++ as released"), i18n.T("The complete released checkpoints with the base model they came with, in the precision of the release. For comparison with the published programs; needs more disk space and memory.")
	case "realcustom-animagine":
		return i18n.T("RealCustom++ on Animagine XL 3.1"), i18n.T("Drawn characters and anime pictures. The visual weights were trained for plain SDXL: expect slightly less likeness and a consistent style.")
	}
	return e.Title, e.About
}

// runs says whether a model runs in so much memory; bad tells that it does not.
func runs(e hub.Entry, memory int64) (text string, bad bool) {
	switch {
	case memory <= 0:
		return "", false
	case memory < e.Least:
		return i18n.T("Too large for this machine: it needs %s of memory, and %s is free.", wording.Bytes(e.Least), wording.Bytes(memory)), true
	case memory < e.Memory:
		return i18n.T("Runs here, but slowly: %s of memory is recommended, and %s is free.", wording.Bytes(e.Memory),
			wording.Bytes(memory)), false
	}
	return i18n.T("Runs on this machine."), false
}

// licenceOf names the licences of an entry, as far as the catalogue knows them.
func licenceOf(e hub.Entry) string {
	var text string
	for _, p := range e.Parts {
		if text != "" {
			text += " · "
		}
		text += p.Repository + ": " + cmp.Or(p.Licence, i18n.T("shown before the download"))
	}
	return text
}

// showCatalogue shows what can be downloaded.
func (p *Page) showCatalogue() {
	p.change(func(s *state.Shelf) {
		p.leaveAdding()
		s.Getting = true
	})
	p.Show()
	p.Reload()
}

// get asks the hub what a model consists of now, shows it, and downloads it when the user agrees. What was begun goes on.
func (p *Page) get(e hub.Entry) {
	s := p.shelf()
	if s.Fetching(e.Name) {
		return
	}
	p.stopAsking()
	ctx, stop := context.WithCancel(p.host.Context)
	p.stopAsking = stop
	p.change(func(s *state.Shelf) { s.Planning, s.Err, s.Told = e.Name, nil, "" })
	folder := p.Folder()
	_, going := s.BegunDownload(e.Name)
	p.host.Background(func() func() {
		plan, err := p.host.Models.Plan(ctx, folder, e)
		missing := p.host.Models.Missing(folder, plan)
		free, freeErr := p.host.Models.Free(folder)
		if freeErr != nil {
			free = -1
		}
		return func() {
			if ctx.Err() != nil { // given up, perhaps for another
				return
			}
			stop()
			p.change(func(s *state.Shelf) { s.Planning, s.Err = "", err })
			switch {
			case err != nil && !p.Shown():
				p.sayNotGot(e, err)
			case err == nil && going:
				p.fetch(plan)
			case err == nil:
				p.askGet(plan, missing, free)
			}
		}
	})
}

// sayNotGot says why a model cannot be downloaded, where the page does not.
func (p *Page) sayNotGot(e hub.Entry, err error) {
	title, _ := offer(e)
	p.sayOf(e, kit.Notice{
		Text: i18n.T("%s has not been downloaded yet.", title) + " " + wording.Brief(err), Bad: true, Act: i18n.T("Models…"), Do: p.Show,
	})
}

// sayOf says something of a download that does not run.
func (p *Page) sayOf(e hub.Entry, n kit.Notice) {
	p.saidOf[e.Name] = n.Text
	p.host.Notices.Say(n)
}

// unsay takes it back: the download runs now, or there is none any more.
func (p *Page) unsay(e hub.Entry) {
	if text, said := p.saidOf[e.Name]; said {
		p.host.Notices.TakeBack(text)
		delete(p.saidOf, e.Name)
	}
}

// giveUpAsking ends what get began.
func (p *Page) giveUpAsking() {
	p.stopAsking()
	p.change(func(s *state.Shelf) { s.Planning = "" })
}

// getFacts are what the user agrees to.
func (p *Page) getFacts(plan hub.Plan, missing, free int64) (list []state.Fact) {
	text := wording.Bytes(missing)
	if here := plan.Bytes() - missing; here > 0 {
		text += i18n.T(", %s more already on this machine", wording.Bytes(here))
	}
	list = append(list, state.Fact{What: i18n.T("To download"), Is: text})
	if free >= 0 {
		list = append(list, state.Fact{What: i18n.T("Disk"), Is: i18n.T("%s free in %s", wording.Bytes(free), wording.Path(p.Folder()))})
	}
	for _, l := range p.host.Models.Licences(plan) {
		list = append(list, state.Fact{What: i18n.T("Licence"), Is: state.LicenceName(l), At: l.At})
	}
	for _, g := range plan.Parts {
		if g.Gated {
			list = append(list, state.Fact{What: i18n.T("Terms"), Is: i18n.T("The terms of %s must be accepted on its page first.", g.Repository)})
		}
	}
	if text, _ := runs(plan.Entry, p.shelf().Memory); text != "" {
		list = append(list, state.Fact{What: i18n.T("This machine"), Is: text})
	}
	return list
}

// askGet shows size and licence, and downloads when the user agrees.
func (p *Page) askGet(plan hub.Plan, missing, free int64) {
	facts := kit.NewColumn(6)
	var told []state.Fact
	setFacts(facts, &told, p.getFacts(plan, missing, free))
	title, _ := offer(plan.Entry)
	content := kit.NewColumn(10, facts)
	if need := missing + state.Spare; free >= 0 && need > free {
		trouble := widget.NewLabel(i18n.T("The disk has no room for it: free up %s, or choose another folder for models in the preferences.",
			wording.Bytes(need-free)))
		trouble.Wrapping, trouble.Importance = fyne.TextWrapWord, widget.DangerImportance
		content.Add(trouble)
		p.host.Layers.Sheet(i18n.T("Get %s", title), fyne.NewSize(620, 320), kit.NewPage(content))
		return
	}
	content.Add(kit.Note(i18n.T("You can pause it at any time and resume later, even after a restart. Once downloaded, it is imported automatically.")))
	var closeIt func()
	closeIt = p.host.Layers.SheetOK(i18n.T("Get %s", title), fyne.NewSize(620, 360), kit.NewPage(content), i18n.T("Download"),
		func() { closeIt(); p.fetch(plan) })
}

// fetch puts a download into the list of tasks.
func (p *Page) fetch(plan hub.Plan) {
	s := p.shelf()
	if s.Fetching(plan.Entry.Name) {
		return
	}
	p.unsay(plan.Entry)
	title, _ := offer(plan.Entry)
	p.addTask(state.ModelTask{Name: title, Get: &state.Get{Plan: plan, Folder: p.Folder(), Name: s.FreeName(title)}})
}

// fetched shows how far a download is.
func (p *Page) fetched(id int, h hub.Progress) {
	p.changeTask(id, func(t *state.ModelTask) {
		t.What, t.Done, t.All, t.Remaining, t.Speed, t.Importing = h.What, h.Done, h.All, h.Left, h.Speed, false
		if t.Waiting = ""; h.Waiting != nil {
			t.Waiting = wording.Sentence(h.Waiting)
		}
	})
}

// discard asks, and deletes what was fetched of a download that does not run.
func (p *Page) discard(e hub.Entry) {
	title, _ := offer(e)
	u, ok := p.shelf().BegunDownload(e.Name)
	if !ok {
		return
	}
	p.host.Layers.Warn(i18n.T("Discard the download of %s?", title),
		i18n.T("The %s downloaded so far will be deleted.", wording.Bytes(u.Done)), i18n.T("Cancel"), i18n.T("Delete"), func() {
			folder := p.Folder()
			p.host.Background(func() func() {
				err := p.host.Models.Discard(folder, e)
				return func() {
					p.change(func(s *state.Shelf) {
						if s.Err = err; err == nil {
							p.unsay(e)
							s.Told = i18n.T("The download of %s was discarded.", title)
						}
					})
					p.Reload()
				}
			})
		})
}

// getEnded shows how a download came out; taskEnded has taken it out of the list.
func (p *Page) getEnded(s *state.Shelf, t state.ModelTask, path string, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		s.Told = i18n.T("The download of %s is paused. What has been downloaded is kept; resume whenever you like.", t.Name)
	case err != nil && path == "":
		s.Err = err
		p.sayNotGot(t.Get.Plan.Entry, err)
		p.host.Notify(i18n.T("A download stopped"), t.Name)
	default:
		s.Err = err // nil, or what could not be tidied up
		s.Told, s.Chosen, s.Getting = i18n.T("%s is downloaded and imported.", t.Get.Name), path, false
		p.offerUse(s.Told, path)
		p.host.Notify(i18n.T("A model was downloaded"), t.Get.Name)
	}
}

// buildCatalogue makes the part of the page that shows what can be downloaded.
func (p *Page) buildCatalogue() fyne.CanvasObject {
	title := kit.NewLine(i18n.T("Get real models"), theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	title.Style.Bold = true
	p.offers = kit.NewColumn(10)
	p.cards = map[string]*offerCard{}
	token := p.tool("token", i18n.T("Access token…"), i18n.T("Some models can be downloaded only by people who have accepted their terms. The hub knows you by a token."),
		theme.LoginIcon(), p.askToken)
	p.catalogue = container.NewBorder(kit.NewColumn(6, kit.NewRow(8, title, token),
		kit.Note(i18n.T("Toybox, the built-in model, is a toy: small, and trained on drawn scenes. These are the models the method was made for. Nothing is downloaded until you have seen the size and the licence and agreed."))), nil, nil, nil,
		container.New(kit.Inset{X: 0, Y: 8}, kit.NewPage(p.offers)))
	p.catalogue.Hide()
	return p.catalogue
}

// offerCard is one entry of the catalogue.
type offerCard struct {
	body        *fyne.Container
	facts, runs *widget.Label
	get, give   *kit.Button
	state       *kit.Line
}

func newOfferCard(p *Page, e hub.Entry) *offerCard {
	c := &offerCard{}
	wrapped := func(text string, importance widget.Importance) *widget.Label {
		l := widget.NewLabel(text)
		l.Wrapping, l.Importance, l.SizeName = fyne.TextWrapWord, importance, theme.SizeNameCaptionText
		return l
	}
	title, about := offer(e)
	c.facts, c.runs = wrapped("", widget.LowImportance), wrapped("", widget.MediumImportance)
	text := widget.NewLabel(about)
	text.Wrapping = fyne.TextWrapWord
	c.get = kit.NewButton("", func() {
		if p.shelf().Planning == e.Name {
			p.giveUpAsking()
		} else {
			p.get(e)
		}
	}).Explain(i18n.T("Shows size, licence and folder first; nothing is downloaded before you agree."))
	c.give = kit.NewButton(i18n.T("Discard"), func() { p.discard(e) }).
		Explain(i18n.T("Deletes what has been downloaded so far, after asking."))
	c.state = kit.Caption("")
	c.body = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 8),
		container.New(kit.Inset{X: 12, Y: 10}, kit.NewColumn(2, kit.Heading(title),
			container.New(kit.Inset{X: -6, Y: -6}, text), container.New(kit.Inset{X: -6, Y: -8},
				kit.Quiet(c.facts)), container.New(kit.Inset{X: -6, Y: -8}, c.runs),
			container.NewBorder(nil, nil, nil, kit.NewRow(8, c.give, c.get), container.NewCenter(c.state)))))
	return c
}

func (c *offerCard) show(s state.Shelf, e hub.Entry) {
	facts := i18n.T("About %s to download", wording.Bytes(e.Bytes)) + "\n" + i18n.T("Licence: %s", licenceOf(e))
	if e.Gated() {
		facts += " · " + i18n.T("its terms must be accepted first")
	}
	c.facts.SetText(facts)
	text, bad := runs(e, s.Memory)
	c.runs.Importance = widget.SuccessImportance
	switch {
	case bad:
		c.runs.Importance = widget.DangerImportance
	case s.Memory < e.Memory:
		c.runs.Importance = widget.WarningImportance
	}
	c.runs.SetText(text)
	u, begun := s.BegunDownload(e.Name)
	state, do := "", i18n.T("Get…")
	switch {
	case s.Planning == e.Name:
		state, do = i18n.T("asking the hub…"), i18n.T("Cancel")
	case s.Fetching(e.Name):
		state = i18n.T("downloading, see the list on the left")
	case begun:
		state, do = i18n.T("%s of %s downloaded", wording.Bytes(u.Done), wording.Bytes(u.Plan.Bytes())), i18n.T("Resume")
	}
	c.get.SetText(do)
	c.get.Importance = widget.HighImportance
	if bad || s.Planning == e.Name {
		c.get.Importance = widget.MediumImportance
	}
	if m, here := s.Got(e.Name); here && state == "" {
		state, c.get.Importance = i18n.T("on this machine: %s", m.Name()), widget.MediumImportance
	}
	c.state.Set(state)
	kit.Enable(c.get, !s.Fetching(e.Name))
	c.give.Hidden = !begun
	c.body.Refresh()
}

func (p *Page) refreshCatalogue() {
	s := p.shelf()
	for _, e := range s.Catalogue {
		c := p.cards[e.Name]
		if c == nil {
			c = newOfferCard(p, e)
			p.cards[e.Name] = c
			p.offers.Add(c.body)
		}
		c.show(s, e)
	}
	p.catalogue.Refresh()
}

// begunRow is a download that was begun and does not run, in the list of tasks.
type begunRow struct {
	body *fyne.Container
	name *kit.Fitted
	text *kit.Fitted
	bar  *widget.ProgressBar
}

func newBegunRow(p *Page, e hub.Entry) *begunRow {
	r := &begunRow{
		name: kit.NewFitted(theme.ColorNameForeground), text: kit.NewFitted(theme.ColorNamePlaceHolder),
		bar: widget.NewProgressBar(),
	}
	r.bar.TextFormatter = func() string { return "" }
	on := kit.SmallButton(i18n.T("Resume"), theme.MediaPlayIcon(), func() { p.get(e) })
	end := kit.SmallButton(i18n.T("Discard"), theme.CancelIcon(), func() { p.discard(e) })
	r.body = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 7),
		container.New(kit.Inset{X: 8, Y: 6}, container.NewBorder(nil, nil, nil, container.NewCenter(kit.NewRow(2, on, end)),
			kit.NewColumn(3, kit.WholeFitted(r.name), container.New(kit.Fixed{Height: 6}, r.bar), kit.WholeFitted(r.text)))))
	return r
}

func (r *begunRow) show(u hub.Unfinished) {
	title, _ := offer(u.Plan.Entry)
	r.name.Set(title, theme.ColorNameForeground)
	r.text.Set(i18n.T("paused · %s of %s", wording.Bytes(u.Done), wording.Bytes(u.Plan.Bytes())), theme.ColorNamePlaceHolder)
	r.bar.SetValue(float64(u.Done) / float64(max(1, u.Plan.Bytes())))
}

// begunRows are the rows of the downloads that do not run.
func (p *Page) begunRows() (rows []fyne.CanvasObject) {
	s := p.shelf()
	for _, u := range s.Begun {
		name := u.Plan.Entry.Name
		if s.Fetching(name) {
			continue
		}
		if p.begun[name] == nil {
			p.begun[name] = newBegunRow(p, u.Plan.Entry)
		}
		p.begun[name].show(u)
		rows = append(rows, p.begun[name].body)
	}
	return rows
}

// LookForDownloads says at the start that a download waits.
func (p *Page) LookForDownloads() {
	if p.host.Models == nil {
		return
	}
	folder := p.Folder()
	p.host.Background(func() func() {
		begun := p.host.Models.Unfinished(folder)
		return func() {
			if len(begun) == 0 || p.Shown() || !p.host.Notices.Hidden {
				return // nothing waits, or the page shows it; the models may be listed without it
			}
			p.change(func(s *state.Shelf) { s.Begun = begun })
			u := begun[0]
			title, _ := offer(u.Plan.Entry)
			p.sayOf(u.Plan.Entry, kit.Notice{
				Text: i18n.T("The download of %s is not finished: %s of %s so far.", title, wording.Bytes(u.Done),
					wording.Bytes(u.Plan.Bytes())),
				Act: i18n.T("Resume"), Do: func() { p.get(u.Plan.Entry) },
			})
		}
	})
}

// WaitForDownloads waits until downloads have noted what they have, for so long at most. Host.Context has ended.
func (p *Page) WaitForDownloads(most time.Duration) {
	ended := make(chan struct{})
	go func() {
		p.loading.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(most):
	}
}
