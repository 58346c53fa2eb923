package ui

import (
	"fyne.io/fyne/v2"

	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// Preferences of what goes into picture files. Both are off unless the user has switched them on.
const (
	prefBare         = "pictures.bare"         // pictures without any metadata
	prefNoThumbnails = "pictures.nothumbnails" // recipes without small copies of the references
)

// embed is what goes into the picture files of this window.
func (w *Window) embed() recipe.Embed {
	p := w.app.Preferences()
	return recipe.Embed{Program: w.opt.Program, Nothing: p.Bool(prefBare), NoThumbnails: p.Bool(prefNoThumbnails)}
}

// metadataChecks are the switches for what goes into picture files, for the preferences. They act at once.
func metadataChecks(p fyne.Preferences) []*kit.Check {
	thumbnails := kit.NewCheck(i18n.T("Small copies of the references too"), func(on bool) { p.SetBool(prefNoThumbnails, !on) })
	recipe := kit.NewCheck(i18n.T("Store in each picture how it was made"), nil)
	recipe.OnChanged = func(on bool) {
		p.SetBool(prefBare, !on)
		if on {
			thumbnails.Enable()
		} else {
			thumbnails.Disable()
		}
	}
	thumbnails.SetChecked(!p.Bool(prefNoThumbnails))
	recipe.Checked = !p.Bool(prefBare)
	recipe.OnChanged(recipe.Checked)
	return []*kit.Check{recipe, thumbnails}
}
