package main

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	_ "realword/app/locale" // before Fyne reads the locale
	"realword/assets"
)

// What FyneApp.toml says, for a binary that is started where that file is not.
const (
	appID   = "org.realword.studio"
	appName = "Realword"
	version = "0.1.0"
	program = "realword " + version // as picture files name it
)

func metadata() fyne.AppMetadata {
	return fyne.AppMetadata{
		ID:         appID,
		Name:       appName,
		Version:    version,
		Build:      1,
		Icon:       fyne.NewStaticResource("icon.png", assets.Icon),
		Migrations: map[string]bool{"fyneDo": true},
	}
}

func newApp() fyne.App {
	app.SetMetadata(metadata())
	a := app.NewWithID(appID)
	keepPreferences(a)
	return a
}
