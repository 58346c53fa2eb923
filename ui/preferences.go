package ui

import (
	"encoding/json"
	"io/fs"

	"fyne.io/fyne/v2"

	"realword/assets/translations"
	"realword/ui/state"
)

// Preferences are what the user chooses once and for all sessions. They are kept by the app, beside the history. What goes into
// the picture files has switches of its own (metadataChecks), and so has the step data of the history (budget).
type Preferences struct {
	Language string // BCP 47 name of a shipped one; "": that of the system
	Look     string // "system", "light" or "dark"
	TextSize int    // in percent, minTextSize to maxTextSize

	Pictures string // folder for finished pictures; "": files.Pictures
	FileName string // pattern of their names below it, see fileName

	FoldLeft, FoldRight, FoldPrompt bool // panels that are away

	Model     string   // folder of the model that was chosen last; "": the one inside the program
	Models    string   // folder for models; "": that of Options.Models
	Elsewhere []string // folders of models that lie outside it

	Device string // where a model computes that is opened: "auto", which is a graphics card where one can be used, or "cpu"

	Notify bool // tell when a run is over and the window is not in front

	Keys map[string]string // by action, where the user has another key than the action's own; "" is none
}

const (
	minTextSize, maxTextSize = 80, 200
)

func defaultPreferences() Preferences {
	return Preferences{Device: "auto", Look: "system", TextSize: 100, FileName: state.DefaultFileName, Notify: true}
}

// preferencesKey is where the app keeps them, as JSON: what an older program wrote is completed, what a newer one wrote is kept
// out of harm by being ignored.
const preferencesKey = "preferences"

// readPreferences never fails: what cannot be used is replaced by the default.
func readPreferences(from fyne.Preferences) Preferences {
	p := defaultPreferences()
	if err := json.Unmarshal([]byte(from.StringWithFallback(preferencesKey, "{}")), &p); err != nil {
		p = defaultPreferences()
	}
	d := defaultPreferences()
	if _, err := fs.Stat(translations.Files, p.Language+".json"); err != nil {
		p.Language = d.Language
	}
	if p.Look != "light" && p.Look != "dark" {
		p.Look = d.Look
	}
	if p.Device != "cpu" {
		p.Device = d.Device
	}
	if p.TextSize < minTextSize || p.TextSize > maxTextSize {
		p.TextSize = d.TextSize
	}
	if state.CheckFileName(p.FileName) != nil {
		p.FileName = d.FileName
	}
	return p
}

// DevicePreference is where the user wants models to compute: "auto" or "cpu".
func DevicePreference(from fyne.Preferences) string { return readPreferences(from).Device }

func (p Preferences) write(to fyne.Preferences) {
	data, err := json.Marshal(p)
	if err != nil {
		fyne.LogError("The preferences are not kept", err) // plain values always are
		return
	}
	to.SetString(preferencesKey, string(data))
}

// setPreferences takes over changed preferences and keeps them.
func (w *Window) setPreferences(p Preferences) {
	before := w.prefs
	w.prefs = p
	p.write(w.app.Preferences())
	if p.Look != before.Look || p.TextSize != before.TextSize {
		w.applyLook()
	}
	w.refresh()
}

// pictures is the folder for finished pictures.
func (w *Window) pictures() string {
	if w.prefs.Pictures != "" {
		return w.prefs.Pictures
	}
	return w.opt.Pictures
}
