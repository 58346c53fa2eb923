package preferences

import (
	"path/filepath"
	"strings"

	"realword/inference/files"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// What is untold beside the keys of what could not be read; see kit.NoteUntold.
const (
	Copied  = "copied"   // the file of the preferences was damaged, and a copy of it has taken its place
	Damaged = "damaged:" // it was, and there was none; behind this is where the damaged one is kept
)

// Kept says why nothing that is set here is there at the next start; nil: it is. It may take its time where the folder is on a drive of the
// network.
func (d *Desk) Kept() error { return files.WritableAsIs(d.folder()) }

func (d *Desk) folder() string { return d.app.Storage().RootURI().Path() }

// Untold says what of the preferences could not be read since it was asked last; "": nothing.
func (d *Desk) Untold() string {
	known := map[string]string{
		valuesKey: i18n.T("Preferences"), ownPresetsKey: i18n.T("My presets"), "styles": i18n.T("Styles"), "prompts": i18n.T("Earlier prompts"),
	}
	var said, lost []string
	for _, key := range kit.Untold(d.app.Preferences()) {
		file, damaged := strings.CutPrefix(key, Damaged)
		switch {
		case damaged:
			said = append(said, i18n.T("The file of the preferences was damaged, and everything is as at the first start. The damaged file is kept as %s.", file))
		case key == Copied:
			said = append(said, i18n.T("The file of the preferences was damaged. A copy has taken its place: the last changes may be missing."))
		case known[key] != "":
			lost = append(lost, known[key])
		}
	}
	if len(lost) > 0 {
		file := filepath.Join(d.folder(), "preferences.json")
		said = append(said, i18n.T("These could not be read and begin anew: %s. What they held is kept in %s.", strings.Join(lost, ", "), file))
	}
	return strings.Join(said, " ")
}
