package preferences

import (
	"encoding/json"
	"slices"
	"strings"

	"realword/inference/bundle"
	"realword/ui/kit"
	"realword/ui/state"
)

// ownPresetsKey is where they are in the app's preferences.
const ownPresetsKey = "presets"

// Presets are the user's own. What cannot be read, or names a preset that no model has, is left out.
func (d *Desk) Presets() state.OwnPresets {
	var list state.OwnPresets
	kit.Recall(d.app.Preferences(), ownPresetsKey, &list)
	return slices.DeleteFunc(list, func(p state.OwnPreset) bool {
		return strings.TrimSpace(p.Name) == "" || !slices.Contains(append(bundle.FewSteps(), "paper", "release"), p.Preset) || p.Steps < 1 || p.Stop < 1 || p.Stop > p.Steps ||
			p.CFG < 1
	})
}

// KeepPresets replaces them.
func (d *Desk) KeepPresets(l state.OwnPresets) {
	data, err := json.Marshal(l)
	if err != nil {
		return // plain values: it does not happen
	}
	d.app.Preferences().SetString(ownPresetsKey, string(data))
}
