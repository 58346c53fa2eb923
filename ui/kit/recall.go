package kit

import (
	"encoding/json"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
)

// Unreadable is behind the key of what could not be read.
const Unreadable = ".unreadable"

// Recall reads the JSON that preferences keep under a key into what it points to, as far as it can be read, and tells whether that is all.
// What cannot be read is kept as it is behind another key as well, so that the next that is written there does not end it, and Untold
// answers that key once.
func Recall(from fyne.Preferences, key string, into any) bool {
	text := from.String(key)
	if text == "" {
		return true
	}
	err := json.Unmarshal([]byte(text), into)
	if err != nil && from.String(key+Unreadable) != text {
		from.SetString(key+Unreadable, text)
		fyne.LogError("The preferences "+key+" cannot be read; they are kept as "+key+Unreadable, err)
		NoteUntold(from, key)
	}
	return err == nil
}

// untoldKey is where the keys are that the user is to hear of.
const untoldKey = "untold"

// NoteUntold has Untold answer a key, which has one line.
func NoteUntold(in fyne.Preferences, key string) {
	values := map[string]any{untoldKey: in.String(untoldKey)}
	AddUntold(values, key)
	in.SetString(untoldKey, values[untoldKey].(string))
}

// AddUntold is NoteUntold in the values of preferences, for who writes several at once.
func AddUntold(values map[string]any, key string) {
	noted, _ := values[untoldKey].(string)
	if !slices.Contains(strings.Split(noted, "\n"), key) {
		values[untoldKey] = noted + key + "\n"
	}
}

// Untold are the keys of what could not be read, for somebody who tells the user: once each, also where the program ended before.
func Untold(from fyne.Preferences) []string {
	keys := slices.Collect(strings.Lines(from.String(untoldKey)))
	for i := range keys {
		keys[i] = strings.TrimSuffix(keys[i], "\n")
	}
	if len(keys) > 0 {
		from.RemoveValue(untoldKey)
	}
	return keys
}
