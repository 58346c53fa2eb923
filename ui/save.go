package ui

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
	_, err = replaceFile(path, data)
	return err
}

// replaceFile writes a PNG file whole, also over one that is there, and answers its path: a name without an ending gets one.
func replaceFile(path string, data []byte) (string, error) {
	if filepath.Ext(path) == "" {
		path += ".png"
	}
	return path, files.Write(path, 0, data)
}

// savePNG asks where to save the named picture and writes there what data makes; nil where the program cannot ask.
func (o Options) savePNG() func(name string, data func() ([]byte, error)) (path string, err error) {
	if o.SaveFile == nil {
		return nil
	}
	return func(name string, data func() ([]byte, error)) (string, error) {
		path, err := o.SaveFile(name)
		if err != nil || path == "" {
			return "", err
		}
		made, err := data()
		if err != nil {
			return "", err
		}
		return replaceFile(path, made)
	}
}
