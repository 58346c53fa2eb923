package settings

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// negative says of the negative prompt how many tokens it has and which of its words the model does not read, and how both prompts
// are read.
type negative struct {
	host   Host
	tokens *kit.Line
	Cut    *widget.Label // the words behind the limit, greyed; hidden where all are read
	marks  *kit.Check
	help   *widget.Label
	seen   string
	how    prompt.Reading
}

func newNegative(h Host) *negative {
	n := &negative{host: h, tokens: kit.Caption(""), Cut: widget.NewLabel("")}
	n.Cut.Wrapping, n.Cut.Importance, n.Cut.SizeName = fyne.TextWrapWord, widget.LowImportance, theme.SizeNameCaptionText
	n.Cut.Hide()
	n.help = widget.NewLabel(i18n.T("(word:1.2), [word]: what a word adds to an empty prompt counts so many times, as in ComfyUI. {red|blue}: one of them, as the seed says."))
	n.help.Wrapping, n.help.Importance, n.help.SizeName = fyne.TextWrapWord, widget.LowImportance, theme.SizeNameCaptionText
	n.marks = kit.NewCheck(i18n.T("Weights in prompts"), func(on bool) {
		if on == h.State().Form.Literal {
			h.Change(func(s *state.State) { s.Form.Literal = !on })
		}
	}).Explain(i18n.T("Brackets give words more or less weight; off, they are signs like others."))
	return n
}

// refresh makes it equal to the state.
func (n *negative) refresh() {
	s := n.host.State()
	if n.marks.Checked == s.Form.Literal {
		n.marks.Checked = !s.Form.Literal
		n.marks.Refresh()
	}
	text, how := strings.TrimSpace(s.Form.Negative), s.Form.Reading(s.Model, true)
	p := n.host.Encode(text, how)
	if p == nil || n.seen == text && n.how == how {
		return
	}
	n.seen, n.how = text, how
	var cut []string
	most := p.Longest() + 2 // with those at both ends
	for _, w := range state.ModelWords(p) {
		if w.Past {
			cut = append(cut, w.Text)
		}
	}
	n.tokens.Text, n.tokens.Color = "", theme.ColorNamePlaceHolder
	if text != "" {
		n.tokens.Text = i18n.T("%d of %d tokens", most, prompt.Length)
	}
	if most > prompt.Length {
		n.tokens.Color = theme.ColorNameWarning
	}
	n.tokens.Refresh()
	n.Cut.Hidden = len(cut) == 0
	n.Cut.SetText(i18n.T("Not read: %s", strings.Join(cut, " ")))
}
