package saving

import (
	"path/filepath"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/recipe"
)

// saveCopy writes a finished picture where the user wants it. The user has agreed to replace a file of that name.
func saveCopy(path string, ready inference.PictureReady, model bundle.Manifest, e recipe.Embed) error {
	data, err := recipe.EncodePNG(ready, model, e)
	if err != nil {
		return err
	}
	_, err = Replace(path, data)
	return err
}

// Replace writes a PNG file whole, also over one that is there, and answers its path: a name without an ending gets one.
func Replace(path string, data []byte) (string, error) {
	if filepath.Ext(path) == "" {
		path += ".png"
	}
	return path, files.Write(path, 0, data)
}
