package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"realword/history"
	"realword/ui/gallery"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// buildHistory furnishes the room of the history and says what becomes of what the user does there.
func (w *Window) buildHistory() {
	host := gallery.Host{
		Journal: w.journal, Layers: &w.Layers, Commands: w.Commands, Post: w.post, Background: w.background,
		State: w.now,
		Maker: func() *gallery.Maker {
			if w.engine == nil || w.state.Model == nil {
				return nil
			}
			return &gallery.Maker{Model: *w.state.Model, Embed: w.embed(), Start: w.engine.Start, Resolve: w.engine.Resolve, Context: w.ctx}
		},
		OpenFolder: w.opt.OpenFolder, OpenSession: w.opt.OpenSession, SaveSession: w.opt.SaveSession,
	}
	w.journal.Budget.Store(budget(w.app.Preferences()))
	g := gallery.New(host)
	g.OnOpen = func() { w.models.Hide() }
	g.OnNew, g.OnSession, g.OnShow, g.OnReveal = w.newSession, w.openSession, w.ShowKept, w.saver.Show
	g.OnRenamed = func(id uint64, name string) {
		if w.journal.Session() == id {
			w.state.History.Name = name
			w.refresh()
		}
	}
	g.OnReference = func(s state.Source) {
		w.state.PickErr = nil
		w.subjects.Add(state.Word{}, s)
	}
	g.OnRemade, g.OnCompare = w.forgetKept, w.compareKept
	g.OnBudget = func(bytes int64) { w.app.Preferences().SetFloat(prefBudget, float64(bytes)) }
	w.gallery = g

	w.tree = gallery.NewTree(host.Journal, host.Background, host.State)
	w.tree.OnShow = w.ShowKept
	w.tree.OnResize = func() { w.lower.Refresh(); w.stage.FollowTools() }

	w.banner = gallery.NewBanner()
	w.banner.OnResize = func() { w.win.Content().Refresh() }
	w.banner.OnRetry, w.banner.OnReveal = w.retryHistory, w.saver.Show
	if w.opt.SetAside != nil {
		w.banner.OnFresh = w.freshHistory
	}
	if w.opt.Rescue != nil {
		w.banner.OnRescue = w.rescueHistory
	}
}

// forgetKept has a picture of the history read again when it is looked at.
func (w *Window) forgetKept(id uint64) {
	i := slices.IndexFunc(w.state.Shots, func(s state.Shot) bool { return s.Kept == id })
	if i < 0 {
		return
	}
	w.state.Shots = slices.Clone(w.state.Shots)
	shot := &w.state.Shots[i]
	shot.Image, shot.SaveErr, shot.Loaded = nil, nil, false
	w.refresh()
}

// compareKept shows two pictures of the history side by side, once done has been told that both can be read.
func (w *Window) compareKept(left, right uint64, done func(error)) {
	s := w.journal.Store()
	if s == nil || w.state.Model == nil {
		return
	}
	model := *w.state.Model
	w.background(func() func() {
		var shots []state.Shot
		for _, id := range []uint64{left, right} {
			shot, err := keptShot(s, id)
			if err != nil {
				return func() { done(err) }
			}
			shots = append(shots, loadShot(s, shot, model))
		}
		return func() {
			done(nil)
			i := w.state.Find(shots[0])
			if i < 0 {
				shots[0].Elsewhere = true
				w.state.Shots = append(slices.Clip(w.state.Shots), shots[0])
				i = len(w.state.Shots) - 1
			} else if w.state.Shots[i].Image == nil {
				w.state.Shots = slices.Clone(w.state.Shots)
				w.state.Shots[i] = shots[0]
			}
			w.state.View = state.View{Shot: i, Step: -1}
			w.stage.CompareWith(shots[1])
		}
	})
}

// retryHistory opens the history again, or makes the change that failed again.
func (w *Window) retryHistory() {
	if w.closing {
		return
	}
	if w.state.History.Open {
		w.kept = []byte{} // the form is written once more
		w.keepDraft()
		return
	}
	w.openHistory()
}

// freshHistory moves a history that cannot be used away, and begins a new one.
func (w *Window) freshHistory() {
	w.background(func() func() {
		err := w.opt.SetAside()
		return func() {
			if err != nil {
				w.state.History.Err = err
				w.refresh()
				return
			}
			w.openHistory()
		}
	})
}

// rescueHistory moves a damaged history away, and begins a new one with everything that can be read of it.
func (w *Window) rescueHistory() {
	if w.closing || w.state.Busy() {
		return
	}
	w.state.History.Open = false
	w.background(func() func() {
		err := w.journal.Close()
		var got history.Rescued
		if err == nil {
			got, err = w.opt.Rescue()
		}
		return func() {
			w.kept = nil
			w.openHistory()
			n := kit.Notice{Text: i18n.T("The new history starts with what could be read from the damaged one: sessions %d, jobs %d, pictures %d. The damaged one stays where it is.", got.Sessions, got.Rounds, got.Pictures), Bad: err != nil}
			if got.Lost > 0 {
				n.Text += " " + i18n.N(got.Lost, "%d part of it could not be read.", "%d parts of it could not be read.", got.Lost)
			}
			if err != nil {
				n.Text = wording.Brief(err)
			}
			w.notice.Say(n)
		}
	})
}

// How the budget for step data is kept.
const (
	prefBudget    = "history.budget" // bytes; 0: no limit
	defaultBudget = 2e9
)

// budget is how much step data the history keeps, in bytes; 0: no limit.
func budget(p fyne.Preferences) int64 {
	return int64(p.FloatWithFallback(prefBudget, defaultBudget))
}
