package kit

import (
	"encoding/json"

	"fyne.io/fyne/v2"
)

// Unreadable is behind the key of what could not be read.
const Unreadable = ".unreadable"

// Recall reads the JSON that preferences keep under a key into what it points to, as far as it can be read, and tells whether that is all.
// What cannot be read is kept as it is behind another key as well, so that the next that is written there does not end it.
func Recall(from fyne.Preferences, key string, into any) bool {
	text := from.String(key)
	if text == "" {
		return true
	}
	err := json.Unmarshal([]byte(text), into)
	if err != nil && from.String(key+Unreadable) != text {
		from.SetString(key+Unreadable, text)
		fyne.LogError("The preferences "+key+" cannot be read; they are kept as "+key+Unreadable, err)
	}
	return err == nil
}
