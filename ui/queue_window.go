package ui

import (
	"cmp"
	"strings"

	"realword/inference"
	"realword/ui/computers"
	"realword/ui/grid"
	"realword/ui/kit"
	"realword/ui/preferences"
	"realword/ui/queue"
	"realword/ui/state"
)

// queueHost is what the room of the jobs needs of the window.
func (w *Window) queueHost(ghost *kit.Ghost) queue.Host {
	var other queue.Farm
	if w.opt.Farm != "" {
		other = farms{w.computers}
	}
	return queue.Host{
		State: w.state.Now, Change: w.state.Change, Journal: w.journal, Layers: &w.Layers, Commands: w.Commands, Ghost: ghost,
		Context: w.ctx, Post: w.post, Background: w.background,
		Engine: func() queue.Engine {
			if e := w.models.Engine(); e != nil {
				return e
			}
			return nil
		},
		Farm: other,
		Before: func(do func()) {
			w.set.Before(func() {
				w.set.Book.Note()
				do()
			})
		},
		Refuse: func() {
			if reasons := w.set.Refuse(); !w.columns.right.Visible() {
				w.notice.Say(kit.Notice{Text: reasons, Bad: true})
			}
			if strings.TrimSpace(w.state.Form.Prompt) == "" && w.state.Model != nil {
				w.win.Canvas().Focus(w.subjects.Prompt)
			}
		},
		Hints:     func() inference.Hints { return hints(w.prefs.Likeness) },
		OnEvent:   w.happened,
		OnDone:    func(d state.Deed) { w.did(d, queueTab) },
		OnQuieter: func() { w.models.Follow() },
	}
}

// farms is the room of the computers as that of the jobs wants it.
type farms struct{ *computers.Page }

func (f farms) Runner(t state.Task) queue.FarRunner { return f.Page.Runner(t) }

// newComputers wires the room of the other computers.
func newComputers(w *Window) *computers.Page {
	return computers.New(computers.Host{
		State: w.state.Now, Change: w.state.Change, Context: w.ctx, Post: w.post, Background: w.background,
		Layers: &w.Layers, Commands: w.Commands, Dir: w.opt.Farm, Listen: cmp.Or(w.opt.FarmListen, "0.0.0.0:7422"), Version: w.opt.Program,
		OpenKey: w.opt.OpenKey, Sharing: w.prefs.Sharing,
		OnSharing: func(on bool) { w.prefs.Change(func(p *preferences.Values) { p.Sharing = on }) },
		Stay:      w.prefs.ModelsStay,
		OnStay:    func(stay bool) { w.prefs.Change(func(p *preferences.Values) { p.ModelsStay = stay }) },
		OnWhere:   func(to state.Where) { w.prefs.Change(func(p *preferences.Values) { p.Where = to }) },
		Engine: func() computers.Engine {
			if e := w.models.Engine(); e != nil {
				return e
			}
			return nil
		},
		Copy: func(text string) { w.app.Clipboard().SetContent(text) },

		OnFarm: func() { w.queue.Advance(false) },
		OnCard: func(file string) { w.models.UseCard(file) },
	})
}

// newGrid wires the page of the grids.
func newGrid(w *Window) *grid.Page {
	return grid.New(grid.Host{
		State: w.state.Now, Background: w.background, Layers: &w.Layers, Commands: w.Commands, Journal: w.journal, Embed: w.prefs.Embed,
		Before: func(do func()) { w.set.Before(do) }, Put: func(t state.Task) { w.queue.Put(t, false) },
		Stop: w.queue.StopJob, Resume: w.queue.Pause,
		OnShow: w.session.Show, SaveFile: w.opt.savePNG(),
	})
}

// happened follows an event of a job that runs.
func (w *Window) happened(e inference.Event, f state.Flight) {
	w.end(e, f)
	switch e := e.(type) {
	case inference.StepDone:
		w.dog.step()
	case inference.PictureReady:
		w.saver.Save(e)
		w.stage.Beside(f.Task)
	}
}
