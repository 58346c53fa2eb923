package ui

import (
	"fmt"
	"slices"

	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

// leaving says what closing the window now means for what is under way; "" where nothing is.
func (w *Window) leaving() string {
	var text string
	add := func(s string) {
		if text != "" {
			text += "\n"
		}
		text += s
	}
	for _, t := range w.state.Shelf.Tasks {
		if t.Check == "" && !t.Ending && t.Get == nil { // a download goes on at the next start
			add(i18n.T("%s is being imported. What has been imported so far will be lost; your checkpoints stay as they are.", t.Name))
			break
		}
	}
	if doing := w.gallery.Doing(); doing != "" {
		add(i18n.T("%s This is not finished, and ends when the window closes.", doing))
	}
	rest, of := w.state.Rest()
	waiting, lost, lostRest := w.state.Queue.Pictures(), 0, 0
	if w.state.History.Open {
		lost, lostRest = w.unkept()
	}
	if rest > lostRest || waiting > 0 && !w.state.History.Open { // a queue that only waits stays as it is
		made := ""
		if rest += waiting - lost; of > 1 && waiting == 0 && lost == 0 {
			made = fmt.Sprint(" ", i18n.T("(%d of %d)", rest, of))
		}
		if w.state.History.Open {
			add(i18n.N(rest, "%d picture has not been made yet%s. It stays in the queue until the next start.",
				"%d pictures have not been made yet%s. They stay in the queue until the next start.", rest, made))
		} else {
			add(i18n.N(rest, "%d picture has not been made yet%s.", "%d pictures have not been made yet%s.", rest, made))
		}
	}
	if lost > 0 {
		add(i18n.N(lost, "%d picture in the queue could not be written down and will be lost when the window closes.",
			"%d pictures in the queue could not be written down and will be lost when the window closes.", lost))
	}
	if f, h := w.state.Form, w.state.History; !h.Open && (f.Prompt != "" || len(f.Cards) > 0) {
		switch {
		case h.Err != nil:
			add(i18n.T("The history is off: the prompt and the pictures bound to its words are not kept."))
		case w.opt.OpenHistory != nil:
			add(i18n.T("The history is still being opened: the prompt and the pictures bound to its words are not kept yet."))
		}
	}
	if w.journal.Undrafted() {
		add(i18n.T("The prompt or the pictures bound to its words could not be written down and will be lost when the window closes."))
	}
	if n := w.state.Losing(); n > 0 {
		add(i18n.N(n, "%d picture has no file yet and will be lost when the window closes.",
			"%d pictures have no file yet and will be lost when the window closes.", n))
	}
	return text
}

// unkept is how many pictures are not made yet of jobs that could not be written down, and how many of them are of jobs that run.
func (w *Window) unkept() (all, running int) {
	tasks := w.journal.Unkept()
	for _, f := range w.state.Queue.Flights {
		if tasks[f.Task.ID] {
			running += len(f.Rest())
		}
	}
	all = running
	for _, t := range w.state.Queue.Waiting {
		if tasks[t.ID] {
			all += t.Pictures()
		}
	}
	return all, running
}

// askClose closes the window; it asks where something under way would end. Who closes it once more while the question is up has
// answered it.
func (w *Window) askClose() {
	if text := w.leaving(); text != "" && !w.closing && !w.asked() {
		w.doubt = widget.NewLabel(text)
		w.WarnOf(i18n.T("Close Realword?"), w.doubt, i18n.T("Keep it open"), i18n.T("Close"), w.Close)
		w.question = w.win.Canvas().Overlays().Top()
		return
	}
	w.Close()
}

// asked tells whether the question is up.
func (w *Window) asked() bool {
	return w.question != nil && slices.Contains(w.win.Canvas().Overlays().List(), w.question)
}

// asks is what the question says now, "" where it is not up: jobs end behind it, well or not.
func (w *Window) asks() string {
	if !w.asked() {
		return ""
	}
	if text := w.leaving(); text != "" {
		return text
	}
	return i18n.T("Nothing is lost when the window closes.")
}

// followLeaving has the question say what is so now.
func (w *Window) followLeaving() {
	if text := w.asks(); text != "" && w.doubt.Text != text {
		w.doubt.SetText(text)
	}
}
