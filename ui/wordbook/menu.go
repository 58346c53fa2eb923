package wordbook

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"fyne.io/fyne/v2/container"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Actions are what the user can do with the book.
func (b *Book) Actions() []command.Action {
	step := func(by int) (do func(), can func() bool) {
		return func() { b.Step(by) }, func() bool { return b.CanStep(by) }
	}
	older, canOlder := step(-1)
	newer, canNewer := step(1)
	return []command.Action{
		{ID: "prompt.older", Menu: command.MenuEdit, Label: i18n.T("Earlier prompt"), Key: "Ctrl+Up", Do: older, Can: canOlder},
		{ID: "prompt.newer", Menu: command.MenuEdit, Label: i18n.T("Later prompt"), Key: "Ctrl+Down", Do: newer, Can: canNewer},
		{ID: "prompt.style", Menu: command.MenuEdit, Label: i18n.T("Save the prompt as a style…"), Do: func() { b.edit(b.fresh()) }},
	}
}

// Button opens the menu of styles.
func (b *Book) Button() *kit.Button {
	return b.host.Layers.MenuButton(i18n.T("Styles"), theme.MenuDropDownIcon(), b.Items).
		Explain(i18n.T("Saved words to add to a prompt, and saving new ones."))
}

// Items are the rows of that menu: every style, which a click turns on or off, and what can be done with the list.
func (b *Book) Items() []*fyne.MenuItem {
	var items, edit, remove []*fyne.MenuItem
	for _, s := range b.styles {
		item := fyne.NewMenuItem(s.Name, func() { b.Turn(s) })
		item.Checked = b.On(s)
		items = append(items, item)
		edit = append(edit, fyne.NewMenuItem(s.Name, func() { b.edit(s) }))
		remove = append(remove, fyne.NewMenuItem(s.Name, func() { b.Delete(s.Name) }))
	}
	if len(items) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	items = append(items, fyne.NewMenuItem(i18n.T("Save the prompt as a style…"), func() { b.edit(b.fresh()) }))
	if len(edit) > 0 {
		change, forget := fyne.NewMenuItem(i18n.T("Change a style"), nil), fyne.NewMenuItem(i18n.T("Delete a style"), nil)
		change.ChildMenu, forget.ChildMenu = fyne.NewMenu("", edit...), fyne.NewMenu("", remove...)
		items = append(items, change, forget)
	}
	return items
}

// fresh is a style of what the form asks for.
func (b *Book) fresh() Style {
	now := b.now()
	return Style{Prompt: now.Prompt, Negative: now.Negative}
}

// edit asks for the texts of a style.
func (b *Book) edit(s Style) {
	name, words, avoids := kit.NewField(b.host.Shortcut, false), kit.NewField(b.host.Shortcut, true), kit.NewField(b.host.Shortcut, true)
	name.SetText(s.Name)
	words.SetText(s.Prompt)
	avoids.SetText(s.Negative)
	wrong := kit.NewBelow(theme.ColorNameError)
	var closeIt func()
	var fields *fyne.Container
	done := func() {
		next := Style{strings.TrimSpace(name.Text), strings.TrimSpace(words.Text), strings.TrimSpace(avoids.Text)}
		if err := b.check(s.Name, next); err != nil {
			if wrong.Set(wording.Sentence(err), theme.ColorNameError) {
				fields.Refresh()
			}
			return
		}
		closeIt()
		b.styles = b.without(s.Name)
		b.Save(next)
	}
	name.OnSubmitted = func(string) { done() }
	no := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	ok := kit.NewButton(i18n.T("Save"), done)
	ok.Importance = widget.HighImportance
	high := func(f *kit.Field) fyne.CanvasObject { return container.New(kit.Fixed{Height: 72}, f) }
	fields = kit.NewColumn(6, kit.Caption(i18n.T("Name")), name,
		kit.Caption(i18n.T("Put behind the prompt, or around it where it says %s", Place)), high(words),
		kit.Caption(i18n.T("Put behind the negative prompt")), high(avoids), wrong)
	closeIt = b.host.Layers.Sheet(i18n.T("Style"), fyne.NewSize(520, 400), fields, no, ok)
	name.Begin(b.host.Layers.Canvas())
}

// check says why a style cannot be kept: old is the name it had.
func (b *Book) check(old string, s Style) error {
	if s.Prompt == "" && s.Negative == "" {
		return i18n.Errorf("write what the style adds to a prompt")
	}
	switch name := []rune(s.Name); {
	case len(name) == 0:
		return i18n.Errorf("write a name for the style")
	case len(name) > 40:
		return i18n.Errorf("the name is too long: use at most 40 letters")
	}
	for _, have := range b.styles {
		if strings.EqualFold(have.Name, s.Name) && !strings.EqualFold(old, s.Name) {
			return i18n.Errorf("a style with the name “%s” exists: choose another name", state.Shorten(have.Name, 40))
		}
	}
	return nil
}
