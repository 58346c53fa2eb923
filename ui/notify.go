package ui

import (
	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/wording"
)

// watchFocus keeps in mind whether the window is in front.
func (w *Window) watchFocus() {
	w.inFront = true
	l := w.app.Lifecycle()
	l.SetOnEnteredForeground(func() { w.inFront = true })
	l.SetOnExitedForeground(func() { w.inFront = false })
}

// tell sends the system a notification, unless the user sees the window anyway or wants none.
func (w *Window) tell(title, text string) {
	if w.inFront || !w.prefs.Notify || w.closing {
		return
	}
	w.background(func() func() { // the system's bus may take its time
		w.app.SendNotification(fyne.NewNotification(title, text))
		return nil
	})
}

// tellEnd tells how a run has ended, when it was the last thing to do.
func (w *Window) tellEnd(e inference.Event) {
	switch e.(type) {
	case inference.Done:
		n := w.state.Run.Pictures
		w.tell(i18n.N(n, "The picture is finished", "%d pictures are finished", n), w.state.Form.Prompt)
	case inference.Failed:
		if w.state.Run.Err != nil {
			w.tell(i18n.T("The job failed"), wording.Sentence(w.state.Run.Err))
		}
	}
}
