// Package assets holds what is compiled into the program: the icon and the embedded model.
//
// Contract: bytes and file systems only; nothing is decoded, written or opened here. The bytes must not be changed.
package assets

import (
	"embed"
	"io/fs"
)

// Icon is the program's icon, a square PNG.
//
//go:embed icon.png
var Icon []byte

//go:embed toybox
var toybox embed.FS

// Model returns the embedded model as a bundle folder (design §4). Graphs are read from files with their weights beside
// them, so it must be extracted before it can run.
func Model() fs.FS {
	model, err := fs.Sub(toybox, "toybox/bundle")
	if err != nil {
		panic(err) // the path is valid
	}
	return model
}
