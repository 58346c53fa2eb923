package ui

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// buildChips makes what stands under the prompt: its words, what a click would do, and how much of it the model reads.
func (w *Window) buildChips() fyne.CanvasObject {
	w.prompt.Paste = func() { w.paste(state.Target{}) }
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
		chips[i].(*chip).show(w.state.ChipLook(i))
	}
	w.chips.Objects = chips[:len(w.state.Words)]
	w.chips.Refresh()
	w.middle.Layout.Layout(w.middle.Objects, w.middle.Size()) // the words may need another row
	w.chipHint.Set(w.state.Hint(w.KeyOf("run.generate")))
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
