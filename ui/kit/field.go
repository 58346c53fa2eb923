package kit

import (
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Field is a text field that lets the window's own shortcuts through while the user types, and Tab to the next widget.
type Field struct {
	widget.Entry
	shortcut func(fyne.Shortcut) bool
	tip      Tip
	Paste    func()       // what is no text; nil ignores it
	Left     func()       // the focus has gone; may be nil
	Step     func(by int) // Up (1) or Down (-1) in a field of one line; nil: they do nothing
	InForm   bool         // what is typed is in the form at once, and taken back with it: by the window, in its turn
	onFocus  func(has bool)
}

func NewField(shortcut func(fyne.Shortcut) bool, lines bool) *Field {
	f := &Field{shortcut: shortcut}
	if lines {
		f.MultiLine, f.Wrapping = true, fyne.TextWrapWord
	}
	f.ExtendBaseWidget(f)
	return f
}

// Explain has a sentence come up under the pointer, and answers the field.
func (f *Field) Explain(about string) *Field {
	f.tip.Text = func() string { return about }
	return f
}

// Explanation implements Explained.
func (f *Field) Explanation() string { return f.tip.Explanation() }

func (f *Field) MouseIn(*desktop.MouseEvent)     { f.tip.Rest(f) }
func (f *Field) MouseMoved(*desktop.MouseEvent)  {}
func (f *Field) MouseOut()                       { f.tip.Out(f) }
func (f *Field) MouseDown(e *desktop.MouseEvent) { f.tip.Leave(f); f.Entry.MouseDown(e) }
func (f *Field) TypedRune(r rune)                { f.tip.Leave(f); f.Entry.TypedRune(r) }

func (f *Field) AcceptsTab() bool { return false }

// Taker is a field that takes what is typed only when the user leaves it: whoever acts on all fields has it do so first, since what is
// shown is what is used.
type Taker interface {
	Take()
}

// Take implements Taker.
func (f *Field) Take() {
	if f.Left != nil {
		f.Left()
	}
}

// FocusGained implements fyne.Focusable.
func (f *Field) FocusGained() {
	f.tip.Reach(f)
	if f.Entry.FocusGained(); f.onFocus != nil {
		f.onFocus(true)
	}
}

// Begin gives the field the focus with all its text selected: what is typed takes its place.
func (f *Field) Begin(c fyne.Canvas) {
	c.Focus(f)
	f.Entry.TypedShortcut(&fyne.ShortcutSelectAll{}) // the window's own shortcuts are for what is typed
}

// Await gives the field the focus as it is. No text comes for that, as none comes for a click.
func (f *Field) Await(c fyne.Canvas) {
	c.Focus(f)
	f.tip.Leave(f)
}

// FocusLost implements fyne.Focusable.
func (f *Field) FocusLost() {
	f.tip.Leave(f)
	f.Entry.FocusLost()
	f.Take()
	if f.onFocus != nil {
		f.onFocus(false)
	}
}

// TypedKey leaves Esc and F10 to the window.
func (f *Field) TypedKey(e *fyne.KeyEvent) {
	if by := map[fyne.KeyName]int{fyne.KeyUp: 1, fyne.KeyDown: -1}[e.Name]; by != 0 && f.Step != nil {
		f.Step(by)
		return
	}
	if e.Name != fyne.KeyEscape && e.Name != fyne.KeyF10 || !f.shortcut(&desktop.CustomShortcut{KeyName: e.Name}) {
		f.Entry.TypedKey(e)
	}
}

func (f *Field) TypedShortcut(s fyne.Shortcut) {
	if p, ok := s.(*fyne.ShortcutPaste); ok && f.Paste != nil && noText(p.Clipboard.Content()) {
		f.Paste()
		return
	}
	switch s.(type) {
	case *fyne.ShortcutUndo, *fyne.ShortcutRedo:
		was := f.Text
		if !f.InForm {
			f.Entry.TypedShortcut(s)
		}
		if f.Text == was {
			f.shortcut(s)
		}
		return
	}
	if f.shortcut(s) {
		return
	}
	if p, ok := s.(*fyne.ShortcutPaste); ok {
		s = &fyne.ShortcutPaste{Clipboard: linesOf{p.Clipboard, f.MultiLine}}
	}
	f.Entry.TypedShortcut(s)
}

// linesOf is a clipboard whose lines end as they do in our texts: those of Windows end with a carriage return, too, which would be typed
// and not be seen. A field of one line takes no ends of lines before and behind the text.
type linesOf struct {
	fyne.Clipboard
	many bool
}

// Content implements fyne.Clipboard.
func (c linesOf) Content() string {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(c.Clipboard.Content())
	if !c.many {
		text = strings.Trim(text, "\n")
	}
	return text
}

// TappedSecondary shows Fyne's menu; what the window takes back is not taken back there past it.
func (f *Field) TappedSecondary(e *fyne.PointEvent) {
	if f.InForm {
		f.Append("") // which has the field forget what it could take back, and no more
	}
	f.Entry.TappedSecondary(e)
}

// Rewrite shows another text, with the cursor behind what of it is another one.
func (f *Field) Rewrite(text string) {
	was, now := []rune(f.Text), []rune(text)
	same := 0
	for same < min(len(was), len(now)) && was[len(was)-1-same] == now[len(now)-1-same] {
		same++
	}
	f.SetText(text)
	row, begin, at := 0, 0, len(now)-same
	for f.CursorColumn = 0; ; row++ { // the offset of a row that there is not is 0
		f.CursorRow = row + 1
		next := f.CursorTextOffset()
		if next == 0 || next > at {
			break
		}
		begin = next
	}
	f.CursorRow, f.CursorColumn = row, at-begin
	f.SetText(text) // nothing is selected from where the cursor was
}

// noText tells whether what the clipboard says is no text to be typed: nothing, or a file that a file manager has copied.
func noText(content string) bool {
	first, _, _ := strings.Cut(content, "\n")
	first = strings.TrimSpace(first)
	if filepath.IsAbs(first) {
		_, err := os.Stat(first)
		return err == nil
	}
	return first == "" || strings.HasPrefix(first, "file:///")
}

// Selection is the part of a text field that is selected, in bytes; without one it is empty and at the cursor.
func (f *Field) Selection() (from, to int) {
	text := []rune(f.Text)
	at := min(f.CursorTextOffset(), len(text))
	cursor := len(string(text[:at]))
	selected := f.SelectedText()
	switch n := len(selected); {
	case n == 0:
		return cursor, cursor
	case cursor >= n && f.Text[cursor-n:cursor] == selected:
		return cursor - n, cursor
	case cursor+n <= len(f.Text) && f.Text[cursor:cursor+n] == selected:
		return cursor, cursor + n
	}
	return cursor, cursor
}
