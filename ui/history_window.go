package ui

import (
	"fyne.io/fyne/v2"

	"realword/history"
	"realword/ui/gallery"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/queue"
	"realword/ui/session"
	"realword/ui/stage"
	"realword/ui/state"
)

// bare tells whether what is typed can only be the prompt: the studio is in view, and nothing else has the focus.
func (w *Window) bare() bool {
	c := w.win.Canvas()
	return c.Focused() == nil && c.Overlays().Top() == nil && !w.columns.folded().prompt && !w.Paged() && len(w.opt.Files) == 0
}

// writes tells whether a letter is the first one of the prompt and no shortcut: nothing is there yet that it could act on. The prompt gets
// the focus only then, because the cursor of a field that has it draws without end.
func (w *Window) writes() bool { return w.bare() && w.session.Untouched() }

// write has the prompt begin with a letter.
func (w *Window) write(r rune) {
	w.subjects.Prompt.Await(w.win.Canvas())
	w.subjects.Prompt.TypedRune(r)
}

// sessionHost is what the keeper of the session needs of the window.
func (w *Window) sessionHost() session.Host {
	return session.Host{
		State: w.state.Now, Change: w.state.Change, Journal: w.journal, Context: w.ctx, Post: w.post,
		Background: w.background, Closing: w.Closing,
		Resting: func() bool { return w.resting.on.Load() }, Eye: w.subjects.Eye, Words: w.subjects.Words,
		Example: w.opt.Example, OpenHistory: w.opt.OpenHistory, SetAside: w.opt.SetAside, RescueHistory: w.opt.Rescue,
		Unrescued: w.opt.Unrescued,
		OnOpened: func(s *history.Store) func() {
			jobs, _ := queue.Read(w.ctx, s) // what cannot be read waits for a program that can
			return func() {
				w.saver.Sweep(s)
				w.queue.TakeUp(jobs)
			}
		},
		OnTakenUp: func() {
			w.undo.Reset(w.state.Form)
			w.stage.Forget()
			if c := w.win.Canvas(); w.state.Form.Prompt != "" && c.Focused() == w.subjects.Prompt {
				c.Unfocus() // it waited for the first word, and what is typed now looks at what is there
			}
		},
		OnBinned:  func() { w.stage.Forget() },
		OnCompare: func(s state.Shot) { w.stage.CompareWith(s) },
		OnRescued: func(text string, bad bool) { w.notice.Say(kit.Notice{Text: text, Bad: bad}) },
		OnOffer: func(text string) {
			w.notice.Say(kit.Notice{Text: text, Bad: true, Stays: true, Act: i18n.T("Bring over what can be read"), Do: w.session.Rescue})
		},
		OnFresh: func() { // what is typed now is the prompt: its letters would fold panels
			if w.bare() {
				w.subjects.Prompt.Await(w.win.Canvas())
			}
		},
		OnQuicker: func(session uint64) {
			w.notice.Say(kit.Notice{
				Text: i18n.T("Your last session is kept."), Act: i18n.T("Go back to it"), Do: func() { w.session.GoOn(session) },
			})
		},
	}
}

// buildHistory furnishes the room of the history and says what becomes of what the user does there.
func (w *Window) buildHistory() {
	host := gallery.Host{
		Journal: w.journal, Layers: &w.Layers, Commands: w.Commands, Context: w.ctx, Post: w.post,
		Background: func(slow func() func()) {
			w.background(func() func() {
				show := slow()
				return func() {
					if show != nil {
						show()
					}
					w.followLeaving() // it may have been what is under way
				}
			})
		},
		State: w.state.Now,
		Maker: func() *gallery.Maker {
			e := w.models.Engine()
			if e == nil {
				return nil
			}
			return &gallery.Maker{Model: *w.state.Model, Embed: w.prefs.Embed(), Start: e.Start, Resolve: e.Resolve}
		},
		OpenFolder: w.opt.OpenFolder, OpenSession: w.opt.OpenSession, SaveSession: w.opt.SaveSession,
	}
	w.journal.Budget.Store(w.prefs.Budget())
	g := gallery.New(host)
	g.OnNew, g.OnSession, g.OnShow, g.OnReveal = w.session.New, w.session.GoOn, w.session.Show, w.saver.Show
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
	g.OnRemade, g.OnBinned, g.OnCompare = w.session.Forget, w.session.Binned, w.session.Compare
	g.OnBudget = w.prefs.KeepBudget
	w.gallery = g

	g.Tree.OnShow = w.session.Show
	g.Tree.OnMenu = func(picture uint64, at fyne.Position) {
		w.session.ShowThen(picture, func() { w.Menu(at, stage.ThumbMenu) })
	}
	g.Tree.OnResize = func() { w.columns.again(); w.stage.FollowTools() }

	b := g.Banner
	b.OnResize = func() { w.win.Content().Refresh() }
	b.OnRetry, b.OnReveal = w.session.Retry, w.saver.Show
	if w.opt.SetAside != nil {
		b.OnFresh = w.session.StartAnew
	}
	if w.opt.Rescue != nil {
		b.OnRescue = w.session.Rescue
	}
}
