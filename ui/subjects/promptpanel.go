package subjects

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/prompt"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// BuildPrompt makes the prompt and what stands under it: its words, what a click would do, and how much of it the model reads.
func (p *Panel) BuildPrompt() fyne.CanvasObject {
	p.Prompt = kit.NewField(p.commands.Shortcut, true)
	p.Prompt.SetPlaceHolder(i18n.T("What does the picture show?  For example: a dog on the beach"))
	p.Prompt.Explain(i18n.T("What the picture shows, in English words. Any of them can look like a picture of yours."))
	p.Prompt.OnChanged, p.Prompt.InForm = p.PromptChanged, true
	p.Prompt.Paste = func() { p.Paste(state.Target{}) }
	p.wordRows = &wordRows{Flow: kit.Flow{Gap: 6}}
	p.Chips = container.New(p.wordRows)
	p.ChipHint, p.tokens = kit.Caption(""), kit.Caption("")
	p.known = kit.SmallButton(i18n.T("Words that the model knows"), theme.QuestionIcon(), p.showWords)
	p.knownBox = container.New(kit.Square{Side: 16}, p.known)
	p.knownBox.Hide()
	p.hintRow = container.NewBorder(nil, nil, nil, kit.NewRow(4, p.tokens, p.knownBox), kit.Whole(p.ChipHint, nil))
	p.Ignored = widget.NewLabel("")
	p.Ignored.Wrapping, p.Ignored.Importance, p.Ignored.SizeName = fyne.TextWrapWord, widget.WarningImportance, theme.SizeNameCaptionText
	p.Ignored.Hide()
	p.chipBox = container.New(kit.Inset{X: 1, Y: 2}, p.Chips)
	p.chipRows = kit.NewCapped(levels[0].words, p.chipBox)
	p.ignoredBox = kit.NewColumn(8, p.chipRows, p.hintRow, p.Ignored)
	p.lines = &kit.Lines{Least: 1, Most: levels[0].lines}
	return kit.PanelOf(8, kit.NewColumn(8, container.New(p.lines, p.Prompt), p.ignoredBox))
}

// levels are how much room the prompt takes, from the most to the least: how many rows of text the words under it have, and how many lines
// the prompt itself, before they scroll. 1.4 is one row of words.
var levels = []struct{ words, lines float32 }{{5, 4}, {3.1, 4}, {1.4, 4}, {1.4, 3}, {1.4, 2}}

// Levels is how many levels there are; from lowLevel on, the words have one row.
const Levels, LowLevel = 5, 2

// Narrow has the prompt take the room of a level from 0 to Levels-1, without the row of hints in a low window. It tells nobody: it is
// called while the prompt is laid out.
func (p *Panel) Narrow(level int, low bool) {
	p.hintRow.Hidden = low
	kit.Cap(p.chipRows, levels[level].words)
	edge := kit.Inset{X: 1, Y: 2}
	if level >= LowLevel { // one row, as it is
		edge.Y = 0
	}
	p.chipBox.Layout = edge
	if one := level >= LowLevel; one != p.wordRows.one {
		p.wordRows.one = one
		p.wordRows.Layout(p.Chips.Objects, p.Chips.Size())
	}
	p.lines.Most = levels[level].lines
}

// wordRows are the chips of the words in rows. Where one row alone is seen, the words of subjects come first in it, as long as every
// picture has its word: while one has not, any word may be looked for.
type wordRows struct {
	kit.Flow
	one, sought bool
}

func (w *wordRows) order(chips []fyne.CanvasObject) []fyne.CanvasObject {
	if !w.one || w.sought || len(chips) == 0 || w.Flow.MinSize(chips).Height < 2*chips[0].MinSize().Height {
		return chips
	}
	bound := func(o fyne.CanvasObject) int {
		if o.(*Chip).Subject >= 0 {
			return 0
		}
		return 1
	}
	first := slices.Clone(chips)
	slices.SortStableFunc(first, func(a, b fyne.CanvasObject) int { return bound(a) - bound(b) })
	return first
}

func (w *wordRows) Layout(chips []fyne.CanvasObject, size fyne.Size) {
	w.Flow.Layout(chips, size) // it knows the width then
	w.Flow.Layout(w.order(chips), size)
}

func (w *wordRows) MinSize(chips []fyne.CanvasObject) fyne.Size {
	return w.Flow.MinSize(w.order(chips))
}

func (p *Panel) PromptChanged(text string) {
	if text == p.State().Form.Prompt {
		return
	}
	cursor := -1
	if p.Prompt.Text == text {
		cursor = len(string([]rune(text)[:p.Prompt.CursorTextOffset()]))
	}
	p.Change(func(s *state.State) { *s = s.Retype(text, p.Words(text), cursor) })
}

// ShowsPrompt is what the prompt shows, its words, and what is said of it.
func (p *Panel) ShowsPrompt(s state.State) []any {
	return []any{s.Form.Prompt, s.ChipLooks(), s.Hint(""), s.Form.Settings, readAs(s), s.Model, p.Engine(), asked(s.Form.Subjects())}
}

// RefreshPrompt makes the prompt equal to the state.
func (p *Panel) RefreshPrompt() {
	s := p.State()
	if p.Prompt.Text != s.Form.Prompt {
		p.Prompt.Rewrite(s.Form.Prompt)
	}
	p.readAgain()
	s = p.State()
	// Chips are kept, and with them the keyboard's focus.
	chips := p.Chips.Objects
	for i, look := range s.ChipLooks() {
		if i == len(chips) {
			chips = append(chips, newChip(p.chipActs(i)))
		}
		chips[i].(*Chip).show(look)
	}
	p.Chips.Objects = chips[:len(s.Words)]
	p.wordRows.sought = slices.ContainsFunc(s.Form.Cards, func(c state.Card) bool { return !c.Off && (!c.Bound() || c.Lost(s.Words)) })
	p.Chips.Refresh()
	if len(s.Words) < len(chips) {
		kit.LetGo(p.Canvas())
	}
	p.OnResized() // the words may need another row
	p.ChipHint.Set(s.Hint(p.commands.KeyOf("run.generate")))
	if away := len(s.Strange()) == 0; away != p.knownBox.Hidden {
		p.knownBox.Hidden = away
		p.hintRow.Refresh()
	}
	p.countTokens()
	p.sayIgnored()
}

// readAgain takes the words of the prompt anew where it is read in another way than before: sign by sign or not, or with other
// alternatives.
func (p *Panel) readAgain() {
	s := p.State()
	how := readAs(s)
	if how != p.readSo {
		p.readSo, p.counted = how, ""
		if words := p.Words(s.Form.Prompt); !slices.Equal(words, s.Words) {
			p.Change(func(s *state.State) { s.Words = words })
		}
	}
}

// readAs is how the prompt is read, as far as it matters for this one.
func readAs(s state.State) prompt.Reading {
	how := s.Form.Reading(s.Model, false)
	if !prompt.HasAlternatives(s.Form.Prompt) {
		how.Pick = 0
	}
	return how
}

// asked is what subjects are asked for, as far as something may be said of it: their words, pictures and masks.
func asked(subjects []inference.Subject) string {
	var b strings.Builder
	for _, s := range subjects {
		fmt.Fprintf(&b, "%q %d %s", s.Word.Text, s.Word.Occurrence, s.Region.SHA256)
		for _, ref := range s.References {
			b.WriteString(ref.SHA256)
		}
	}
	return b.String()
}

// sayIgnored says under the prompt what of it, and of what to avoid, the model does not read, or reads otherwise than other programs.
func (p *Panel) sayIgnored() {
	if p.Engine() == nil {
		return
	}
	r := p.State().Form.Request()
	of := fmt.Sprintf("%p %q %q %s %t %v %d × %d %s", p.Engine(), r.Prompt, r.Negative, r.Preset, r.CFG == 1, p.readSo, r.Width, r.Height,
		asked(r.Subjects))
	if of == p.ignoredOf {
		return
	}
	p.ignoredOf = of
	var lines []string
	for _, n := range p.Engine().Notes(r) {
		lines = append(lines, wording.Sentence(n))
	}
	p.Ignored.Hidden = len(lines) == 0
	p.Ignored.SetText(strings.Join(lines, "\n"))
	p.ignoredBox.Refresh()
	p.OnResized()
}

// countTokens says how many of the tokens that the model reads the prompt takes: of 75, or of 75 for every chunk.
func (p *Panel) countTokens() {
	if p.Engine() == nil {
		return
	}
	text := p.State().Form.Prompt
	of := fmt.Sprintf("%p %s", p.Engine(), text)
	if p.counted == of {
		return
	}
	p.counted = of
	read := p.Engine().Encode(text, p.reading(false))
	p.tokens.Color = theme.ColorNamePlaceHolder
	if read.Cut() {
		p.tokens.Color = theme.ColorNameWarning
	}
	p.tokens.Text = ""
	if text != "" {
		p.tokens.Text = i18n.T("%d of %d tokens", read.Taken(), read.Holds())
	}
	p.hintRow.Refresh()
}
