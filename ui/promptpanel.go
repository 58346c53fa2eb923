package ui

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/wording"
)

// buildChips makes what stands under the prompt: its words, what a click would do, and how much of it the model reads.
func (w *Window) buildChips() fyne.CanvasObject {
	w.prompt.Paste = func() { w.paste(target{}) }
	w.chips = container.New(&kit.Flow{Gap: 6})
	w.chipHint, w.tokens = kit.Caption(""), kit.Caption("")
	w.hintRow = container.NewBorder(nil, nil, nil, w.tokens, w.chipHint)
	w.ignored = widget.NewLabel("")
	w.ignored.Wrapping, w.ignored.Importance, w.ignored.SizeName = fyne.TextWrapWord, widget.WarningImportance, theme.SizeNameCaptionText
	w.ignored.Hide()
	w.ignoredBox = kit.NewColumn(8, kit.NewCapped(5, container.New(kit.Inset{X: 1, Y: 2}, w.chips)), w.hintRow, w.ignored)
	return w.ignoredBox
}

func (w *Window) promptChanged(text string) {
	if text == w.state.Form.Prompt {
		return
	}
	cursor := -1
	if w.prompt.Text == text {
		cursor = len(string([]rune(text)[:w.prompt.CursorTextOffset()]))
	}
	w.state = w.state.Retype(text, w.words(text), cursor)
	w.refresh()
}

func (w *Window) refreshPrompt() {
	if w.prompt.Text != w.state.Form.Prompt {
		w.prompt.SetText(w.state.Form.Prompt)
	}
	// Chips are kept, and with them the keyboard's focus.
	chips := w.chips.Objects
	for i := range w.state.Words {
		if i == len(chips) {
			chips = append(chips, newChip(w.chipActs(i)))
		}
		chips[i].(*chip).show(w.state.chipLook(i))
	}
	w.chips.Objects = chips[:len(w.state.Words)]
	w.chips.Refresh()
	w.middle.Layout.Layout(w.middle.Objects, w.middle.Size()) // the words may need another row
	w.chipHint.Set(w.state.hint(w.keyOf("run.generate")))
	w.countTokens()
	w.sayIgnored()
}

// sayIgnored says under the prompt what of it, and of what to avoid, the model does not read, or reads otherwise than other programs.
func (w *Window) sayIgnored() {
	if w.engine == nil {
		return
	}
	r := w.state.Form.Request()
	of := fmt.Sprintf("%p %q %q %s %t", w.engine, r.Prompt, r.Negative, r.Preset, r.CFG == 1)
	if of == w.ignoredOf {
		return
	}
	w.ignoredOf = of
	var lines []string
	for _, n := range w.engine.Notes(r) {
		lines = append(lines, wording.Capital(n))
	}
	w.ignored.Hidden = len(lines) == 0
	w.ignored.SetText(strings.Join(lines, "\n"))
	w.ignoredBox.Refresh()
	if w.middle.Layout != nil {
		w.middle.Layout.Layout(w.middle.Objects, w.middle.Size())
	}
}

// chipLook is how the chip of a word looks.
func (s State) chipLook(i int) chipLook {
	word := s.Words[i]
	look := chipLook{Word: word, subject: -1, cut: word.Past && (i == 0 || !s.Words[i-1].Past)}
	if word.Past {
		return look
	}
	if s.Pending.Text != "" {
		at, ok := locate(s.Words, s.Pending)
		look.waiting = ok && at.first <= i && i <= at.last
	}
	if s.Span.on {
		r := s.Span.run()
		look.within = r.first <= i && i <= r.last
	}
	subjects := s.Form.Subjects()
	d := s.Form.dress(subjects)
	for n, subject := range subjects {
		if at, ok := locate(s.Words, subject.Word); ok && at.first <= i && i <= at.last {
			look.subject = d.of(n)
		}
	}
	return look
}

// countTokens says how many of the tokens that the model reads the prompt takes, with the one before and the one behind it.
func (w *Window) countTokens() {
	if w.engine == nil || w.counted == w.state.Form.Prompt {
		return
	}
	w.counted = w.state.Form.Prompt
	n := w.engine.Encode(w.counted).Tokens + 2
	w.tokens.Color = theme.ColorNamePlaceHolder
	if n > prompt.Length {
		w.tokens.Color = theme.ColorNameWarning
	}
	w.tokens.Text = ""
	if w.counted != "" {
		w.tokens.Text = i18n.T("%d of %d tokens", n, prompt.Length)
	}
	w.hintRow.Refresh()
}

// hint is the line under the words: what a click would do. generate is the key that generates, or empty.
func (s State) hint(generate string) string {
	groups := s.Form.Groups()
	unbound := slices.IndexFunc(groups, func(g Group) bool {
		c := s.Form.Cards[g.Cards[0]]
		return !c.Off && (!c.Bound() || c.Lost(s.Words))
	})
	switch {
	case s.Span.on:
		marked, _ := s.Marked()
		return i18n.T("Release, or press Enter, to bind “%s”.", marked.Text)
	case s.Pending.Text != "":
		return i18n.T("Now click the picture of “%s”, or drop one.", s.Pending.Text)
	case len(s.Words) == 0:
		return i18n.T("The words appear here, ready to be bound to pictures.")
	case s.Selected != 0 && s.Form.card(s.Selected) >= 0:
		return i18n.T("Click the word that %s shows.", s.Form.Cards[s.Form.card(s.Selected)].Ref.Name)
	case unbound >= 0:
		return i18n.T("Click the word that %s shows, or drag over several.", s.Form.Cards[groups[unbound].Cards[0]].Ref.Name)
	case len(s.Form.Cards) == 0:
		return i18n.T("Drop a picture, then click its word.")
	}
	if generate == "" {
		return i18n.T("Drop another picture for another word, or generate.")
	}
	return i18n.T("Drop another picture for another word, or press %s to generate.", generate)
}
