package main

import (
	"bytes"
	"image/png"
	"os"
	"testing"

	"github.com/BurntSushi/toml"

	"realword/assets"
)

func TestMetadataIsThatOfFyneApp(t *testing.T) {
	var file struct {
		Details struct {
			Icon, Name, ID, Version string
			Build                   int
		}
		Migrations map[string]bool
	}
	if _, err := toml.DecodeFile("../FyneApp.toml", &file); err != nil {
		t.Fatal(err)
	}
	m, d := metadata(), file.Details
	if m.ID != d.ID || m.Name != d.Name || m.Version != d.Version || m.Build != d.Build || m.Migrations["fyneDo"] != file.Migrations["fyneDo"] {
		t.Errorf("the program says %+v, FyneApp.toml %+v", m, d)
	}
	icon, err := os.ReadFile("../" + d.Icon)
	if err != nil || !bytes.Equal(icon, assets.Icon) {
		t.Errorf("FyneApp.toml names another icon than the embedded one: %v", err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(assets.Icon)); err != nil || c.Width != c.Height {
		t.Errorf("the icon is %d x %d, %v", c.Width, c.Height, err)
	}
}
