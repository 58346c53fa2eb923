package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/preferences"
)

// hints says when likeness is computed: where it costs little, unless the user has said otherwise.
func hints(wanted string) inference.Hints {
	switch wanted {
	case "always":
		return inference.AllHints
	case "never":
		return inference.NoHints
	}
	return inference.CheapHints
}

// hinting tells whether the next picture has likeness.
func hinting(w *Window) bool {
	if e, ok := w.models.Engine().(interface{ Hints() bool }); ok && w.prefs.Likeness == "" {
		return e.Hints()
	}
	return hints(w.prefs.Likeness) != inference.NoHints
}

// likenessActions are about the hints of likeness.
func likenessActions(w *Window) []command.Action {
	return []command.Action{
		{
			ID: "view.likeness", Menu: command.MenuView, Label: i18n.T("Hints of likeness"), On: func() bool { return hinting(w) },
			Do: func() {
				next := "always"
				if hinting(w) {
					next = "never"
				}
				w.prefs.Change(func(p *preferences.Values) { p.Likeness = next })
			},
		},
		{ID: "help.likeness", Menu: command.MenuHelp, Label: i18n.T("What the likeness means…"), Do: func() { explainLikeness(w) }},
	}
}

// explainLikeness says what the bars of likeness are.
func explainLikeness(w *Window) {
	body := kit.NewColumn(8)
	for _, text := range []string{
		i18n.T("The bar on a result says how near its subject is to the reference; the white mark on it, how near it is to the anchor, the picture that its jobs began with. It is a hint: look at the picture, it knows better."),
		i18n.T("It is DINO-I as in the paper: cos(a, b) = a·b / (|a| |b|), 1 for the same picture. a is the class token of the model's own DINO encoder for the subject, cut out by its mask over plain grey; b is that of the reference. Of several references it is the mean."),
		i18n.T("It is computed after the picture, and left out by itself where it would take more than 2 %% of the picture's time on this machine. How high it comes depends on the model: compare pictures, not models."),
	} {
		l := widget.NewLabel(text)
		l.Wrapping = fyne.TextWrapWord
		body.Add(l)
	}
	var closeIt func()
	done := kit.NewButton(i18n.T("Close"), func() { closeIt() })
	closeIt = w.Layers.Sheet(i18n.T("Hints of likeness"), fyne.NewSize(560, 380), kit.NewPage(body), done)
}
