package saving

import (
	"path/filepath"

	"realword/inference/files"
)

// Replace writes a PNG file whole, also over one that is there, and answers its path: a name without an ending gets one.
func Replace(path string, data []byte) (string, error) {
	if filepath.Ext(path) == "" {
		path += ".png"
	}
	return path, files.Write(path, 0, data)
}
