package ui

import (
	"encoding/json"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"realword/ui/state"
)

// ownPresetsKey is where they are in the app's preferences.
const ownPresetsKey = "presets"

// readPresets reads what savePresets has written. What cannot be read, or names a preset that no model has, is left out.
func readPresets(prefs fyne.Preferences) state.OwnPresets {
	var list state.OwnPresets
	if json.Unmarshal([]byte(prefs.String(ownPresetsKey)), &list) != nil {
		return nil
	}
	return slices.DeleteFunc(list, func(p state.OwnPreset) bool {
		return strings.TrimSpace(p.Name) == "" || p.Preset != "paper" && p.Preset != "release" || p.Steps < 1 || p.Stop < 1 || p.Stop > p.Steps ||
			p.CFG < 1
	})
}

// savePresets keeps them in the preferences.
func savePresets(prefs fyne.Preferences, l state.OwnPresets) {
	data, err := json.Marshal(l)
	if err != nil {
		return // plain values: it does not happen
	}
	prefs.SetString(ownPresetsKey, string(data))
}
