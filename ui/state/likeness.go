package state

import (
	"realword/history"
	"realword/ui/i18n"
)

// Near is how near a subject is to its references and to its anchor (0: it has none), for a bar in its style.
type Near struct {
	Style             int
	Reference, Anchor float64
}

// NearOf is likeness for bars over a picture, whose subjects look so, and what is said of it.
func NearOf(list []history.Likeness, dress Dress) (bars []Near, said string) {
	for i, l := range list {
		bars = append(bars, Near{Style: dress.Of(i), Reference: l.Reference, Anchor: l.Anchor})
		text := i18n.T("“%s” %s like its reference", l.Word, i18n.Number("%.2f", l.Reference))
		if l.Anchor != 0 {
			text = i18n.T("“%s” %s like its reference, %s like its anchor", l.Word, i18n.Number("%.2f", l.Reference), i18n.Number("%.2f", l.Anchor))
		}
		if said == "" {
			said = i18n.T("a hint: %s", text)
		} else {
			said += "; " + text
		}
	}
	return bars, said
}

// LikenessOf is that of a picture of the history among those of the window, with the look of its subjects; none where it is not there or
// has none.
func (s State) LikenessOf(picture uint64) ([]history.Likeness, Dress) {
	for i, shot := range s.Shots {
		if shot.Kept == picture && picture != 0 && len(shot.Likeness) > 0 {
			return shot.Likeness, s.DressOf(i)
		}
	}
	return nil, ""
}
