package ui

import (
	"cmp"
	"image"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file exchanges the engine of the window for that of another model. Session, form and cards stay.

// open opens the model of the command line, or the one that was used last. Where that one is gone, the model inside the program
// steps in, and a notice says so.
func (w *Window) open() {
	path, given := w.opt.Model, w.opt.Model != ""
	if !given {
		path = w.prefs.Model
	}
	w.background(func() func() {
		engine, err := w.opt.Open(w.ctx, path)
		var why error
		if err != nil && path != "" && !given {
			why = err
			engine, err = w.opt.Open(w.ctx, "")
		}
		return func() {
			if err != nil {
				w.state.ModelErr = err
				w.refresh()
				return
			}
			if why != nil {
				w.notice.Say(kit.Notice{
					Text: i18n.T("The model you used last cannot be opened. %s The built-in model is open instead.",
						wording.Brief(why)),
					Bad: true, Act: i18n.T("Models…"), Do: w.models.show,
				})
				path = ""
			}
			w.takeEngine(engine, path)
			w.undo.Reset(w.state.Form)
			w.refresh()
		}
	})
}

// useModel opens another model. While a round runs the user is asked what shall become of it.
func (w *Window) useModel(path string) {
	s := &w.state.Shelf
	m, ok := s.Find(path)
	switch {
	case !ok || m.Err != nil || w.closing || s.Moving:
		return
	case s.InUse(path):
		s.Next = nil // the user has thought better of it
		w.refresh()
		return
	case w.gallery.state.Busy != "":
		s.Err = i18n.Errorf("a picture from the history is being made again: wait until it is done")
		w.refresh()
		return
	case !w.state.Busy():
		w.switchTo(path)
		return
	}
	waiting := len(w.state.Queue.Waiting)
	text := i18n.T("A job is running with %s.", w.state.Model.Name)
	if waiting > 0 {
		text += " " + i18n.N(waiting, "One more is queued.", "%d more are queued.", i18n.Args(waiting)...)
	}
	text += " " + i18n.T("Queued jobs stay with the model they were made for.")
	question := widget.NewLabel(text)
	question.Wrapping = fyne.TextWrapWord
	var closeIt func()
	button := func(label string, do func()) *kit.Button {
		return kit.NewButton(label, func() { closeIt(); do() })
	}
	later := button(i18n.T("When the queue is done"), func() { w.switchAfter(m, false) })
	later.Importance = widget.HighImportance
	closeIt = w.Sheet(i18n.T("Switch to %s?", m.Name()), fyne.NewSize(560, 190), kit.NewPage(question),
		button(i18n.T("Cancel"), func() {}), button(i18n.T("Stop the job and switch"), func() { w.switchAfter(m, true) }), later)
}

// switchAfter opens a model when the queue is through, or with hasty when the running round has stopped.
func (w *Window) switchAfter(m state.Model, hasty bool) {
	w.state.Shelf.Next, w.state.Shelf.Hasty = &m, hasty
	if hasty {
		w.stop()
	}
	w.followSwitch()
	w.refresh()
}

// followSwitch opens the model that is next, if its time has come.
func (w *Window) followSwitch() {
	s := &w.state.Shelf
	if s.Next == nil || w.state.Busy() || s.Moving {
		return
	}
	if _, more := w.state.Queue.Next(); more && !s.Hasty {
		return
	}
	w.switchTo(s.Next.Path)
}

// switchTo opens a model now. No round runs.
func (w *Window) switchTo(path string) {
	s := &w.state.Shelf
	s.Next, s.Hasty, s.Moving = nil, false, true
	w.models.tell("", nil)
	w.refresh()
	w.background(func() func() {
		engine, err := w.opt.Open(w.ctx, path)
		return func() {
			w.state.Shelf.Moving = false
			if err != nil {
				w.state.Shelf.Err = err
				w.notice.Say(kit.Notice{
					Text: i18n.T("The model cannot be opened. %s", wording.Brief(err)), Bad: true, Act: i18n.T("Models…"),
					Do: w.models.show,
				})
				w.listModels()
			} else {
				remarks := w.takeEngine(engine, path)
				w.state.Shelf.Told = i18n.T("%s is now in use.", w.state.Model.Name)
				w.notice.Say(kit.Notice{Text: strings.Join(append([]string{w.state.Shelf.Told}, remarks...), " ")})
				p := w.prefs
				p.Model = path
				w.setPreferences(p)
			}
			w.advance(false)
			w.refresh()
		}
	})
}

// takeEngine makes an engine that of the window and closes the one before. It answers what the user may not expect.
func (w *Window) takeEngine(engine Engine, path string) []string {
	old, before := w.engine, w.state.Model
	m := engine.Manifest()
	w.engine, w.state.Model, w.state.ModelErr = engine, &m, nil
	w.state.Shelf.Using, w.state.Shelf.Opened, w.state.Shelf.Chosen = path, true, path
	form, remarks := w.state.Form.Adapt(before, &m)
	w.state.Form = form
	w.state.Words = w.subjects.Words(form.Prompt)
	w.state.Queue = w.state.Queue.For(m)
	if n := len(slices.DeleteFunc(slices.Clone(w.state.Queue.Waiting), func(t state.Task) bool { return t.Needs == "" })); n > 0 {
		remarks = append(remarks, i18n.N(n, "One job is waiting for its own model.", "%d jobs are waiting for their own models.",
			i18n.Args(n)...))
	}
	if old != nil {
		w.background(func() func() {
			if err := old.Close(); err != nil {
				fyne.LogError("The model was not closed as it should be", err)
			}
			return nil
		})
	}
	if before != nil && before.Vision.Reference != m.Vision.Reference {
		w.lookAgain()
	}
	return remarks
}

// followFit has the cards that leave it to the preset shown as it brings references to a square.
func (w *Window) followFit() {
	m := w.state.Model
	if m == nil {
		return
	}
	own := w.state.Form.Fit(m)
	if !slices.ContainsFunc(w.state.Form.Cards, func(c state.Card) bool { return c.Fit != own }) {
		return
	}
	again := false
	w.state.Form.Cards = slices.Clone(w.state.Form.Cards)
	for i := range w.state.Form.Cards {
		c := &w.state.Form.Cards[i]
		again = again || c.Ref.Square.Fit == "" && cmp.Or(c.Fit, picture.Pad) != own
		c.Fit = own
	}
	w.undo.Now = w.state.Form // nothing that the user did
	if again {
		w.lookAgain()
	}
}

// lookAgain makes the squares of all cards in the size that the open model's encoders see, and as its preset fits them.
func (w *Window) lookAgain() {
	cards, see := slices.Clone(w.state.Form.Cards), w.subjects.Eye()
	w.background(func() func() {
		views := map[int]state.Card{}
		for _, c := range cards {
			if len(c.Ref.Data) == 0 {
				continue
			}
			img, _, err := see.Decode(c.Ref)
			if err == nil && c.Look(img, see.Model) == nil {
				views[c.ID] = c
			}
		}
		return func() {
			w.state.Form.Cards = slices.Clone(w.state.Form.Cards)
			for i := range w.state.Form.Cards {
				c := &w.state.Form.Cards[i]
				if v, ok := views[c.ID]; ok && v.Ref.SHA256 == c.Ref.SHA256 && v.Ref.Square == c.Ref.Square && v.Fit == c.Fit &&
					c.View != image.Image(nil) {
					c.View, c.Small = v.View, v.Small
				}
			}
			w.undo.Now = w.state.Form // nothing that the user did
			w.refresh()
		}
	})
}
