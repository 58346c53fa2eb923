package ui

import (
	"path/filepath"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/recipe"
)

// savePicture writes a finished picture into the folder under the name, or the next free one, and answers the path.
func savePicture(folder, name string, ready inference.PictureReady, model bundle.Manifest, e recipe.Embed) (string, error) {
	data, err := recipe.EncodePNG(ready, model, e)
	if err != nil {
		return "", err
	}
	return picture.WriteUnique(folder, name, ".png", data)
}

// saveCopy writes a finished picture where the user wants it. The user has agreed to replace a file of that name.
func saveCopy(path string, ready inference.PictureReady, model bundle.Manifest, e recipe.Embed) error {
	data, err := recipe.EncodePNG(ready, model, e)
	if err != nil {
		return err
	}
	return replaceFile(path, data)
}

// replaceFile writes a PNG file whole, also over one that is there.
func replaceFile(path string, data []byte) error {
	if filepath.Ext(path) == "" {
		path += ".png"
	}
	return picture.ReplaceFile(path, data)
}
