package preferences

import (
	"fyne.io/fyne/v2"

	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// Preferences of what goes into picture files. Both are off unless the user has switched them on.
const (
	bareKey         = "pictures.bare"         // pictures without any metadata
	noThumbnailsKey = "pictures.nothumbnails" // recipes without small copies of the references
)

// Embed is what goes into the picture files of this window.
func (d *Desk) Embed() recipe.Embed {
	p := d.app.Preferences()
	return recipe.Embed{Program: d.Host.Program, Nothing: p.Bool(bareKey), NoThumbnails: p.Bool(noThumbnailsKey)}
}

// metadataChecks are the switches for what goes into picture files, for the preferences. They act at once.
func metadataChecks(p fyne.Preferences) []*kit.Check {
	thumbnails := kit.NewCheck(i18n.T("Small copies of the references too"), func(on bool) { p.SetBool(noThumbnailsKey, !on) }).
		Explain(i18n.T("Puts your references into the file as well, small: whoever has it can see them."))
	recipe := kit.NewCheck(i18n.T("Store in each picture how it was made"), nil).
		Explain(i18n.T("Writes prompt and settings into the PNG: dropped on the window, it brings them back."))
	recipe.OnChanged = func(on bool) {
		p.SetBool(bareKey, !on)
		if on {
			thumbnails.Enable()
		} else {
			thumbnails.Disable()
		}
	}
	thumbnails.SetChecked(!p.Bool(noThumbnailsKey))
	recipe.Checked = !p.Bool(bareKey)
	recipe.OnChanged(recipe.Checked)
	return []*kit.Check{recipe, thumbnails}
}
