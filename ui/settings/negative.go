package settings

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
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
	short  *kit.Check // shown where prompts are cut that need not be: those of earlier versions' pictures
	help   *widget.Label
	seen   string
	how    prompt.Reading
	by     *bundle.Manifest // of the model that reads it
}

func newNegative(h Host) *negative {
	n := &negative{host: h, tokens: kit.Caption(""), Cut: widget.NewLabel("")}
	n.Cut.Wrapping, n.Cut.Importance, n.Cut.SizeName = fyne.TextWrapWord, widget.LowImportance, theme.SizeNameCaptionText
	n.Cut.Hide()
	n.help = widget.NewLabel(i18n.T("(word:1.2), [word]: gives a word more or less weight, as in ComfyUI. {red|blue}: one of the two, depending on the seed."))
	n.help.Wrapping, n.help.Importance, n.help.SizeName = fyne.TextWrapWord, widget.LowImportance, theme.SizeNameCaptionText
	n.marks = kit.NewCheck(i18n.T("Weights in prompts"), func(on bool) {
		if on == h.State().Form.Literal {
			h.Change(func(s *state.State) { s.Form.Literal = !on })
		}
	}).Explain(i18n.T("Brackets give words more or less weight. When this is off, they are ordinary characters."))
	n.short = kit.NewCheck(i18n.T("Prompts cut after 75 tokens"), func(on bool) {
		if on != h.State().Form.Cut {
			h.Change(func(s *state.State) { s.Form.Cut = on })
		}
	}).Explain(i18n.T("The settings come from a picture of an earlier version, which read no more. Off: longer prompts and BREAK are read."))
	n.short.Hide()
	return n
}

// refresh makes it equal to the state.
func (n *negative) refresh() {
	s := n.host.State()
	if n.marks.Checked == s.Form.Literal {
		n.marks.Checked = !s.Form.Literal
		n.marks.Refresh()
	}
	if n.short.Hidden = !s.Form.Cut || s.Model == nil || !s.Model.Text.Chunks; n.short.Checked != s.Form.Cut {
		n.short.Checked = s.Form.Cut
		n.short.Refresh()
	}
	text, how := strings.TrimSpace(s.Form.Negative), s.Form.Reading(s.Model, true)
	p := n.host.Encode(text, how)
	if p == nil || n.seen == text && n.how == how && n.by == s.Model {
		return
	}
	n.seen, n.how, n.by = text, how, s.Model
	var cut []string
	for _, w := range state.ModelWords(p) {
		if w.Past {
			cut = append(cut, w.Text)
		}
	}
	n.tokens.Text, n.tokens.Color = "", theme.ColorNamePlaceHolder
	if text != "" {
		n.tokens.Text = i18n.T("%d of %d tokens", p.Taken(), p.Holds())
	}
	if p.Cut() {
		n.tokens.Color = theme.ColorNameWarning
	}
	n.tokens.Refresh()
	n.Cut.Hidden = len(cut) == 0
	n.Cut.SetText(i18n.T("Not read: %s", strings.Join(cut, " ")))
}
