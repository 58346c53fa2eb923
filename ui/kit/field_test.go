package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// Text that other programs of Windows have copied ends its lines with two signs, of which one would be typed and not be seen.
func TestPastedLines(t *testing.T) {
	test.NewTempApp(t)
	for text, want := range map[string][2]string{ // in a field of one line, and of many
		"a dog\r\non a beach\r\n": {"a dog on a beach", "a dog\non a beach\n"},
		"a\rb":                    {"a b", "a\nb"},
		"\n a dog\n":              {" a dog", "\n a dog\n"},
		"a  dog":                  {"a  dog", "a  dog"},
	} {
		for i, many := range []bool{false, true} {
			f := NewField(func(fyne.Shortcut) bool { return false }, many)
			c := test.NewClipboard()
			c.SetContent(text)
			f.TypedShortcut(&fyne.ShortcutPaste{Clipboard: c})
			if f.Text != want[i] {
				t.Errorf("%q, many lines %v: %q, want %q", text, many, f.Text, want[i])
			}
		}
	}
}
