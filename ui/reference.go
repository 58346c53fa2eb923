package ui

import (
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
)

// readFile reads a file that the user chose, unless it is too large to be a picture.
func readFile(path string) ([]byte, error) {
	limit := picture.DefaultLimits.Bytes
	f, err := os.Open(path)
	if err != nil {
		return nil, sayErr("%s cannot be opened: %w", filepath.Base(path), reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, sayErr("%s cannot be read: %w", filepath.Base(path), reason(err))
	case info.IsDir():
		return nil, sayErr("%s is a folder; drop the pictures in it", filepath.Base(path))
	case !info.Mode().IsRegular():
		return nil, sayErr("%s is not a file; choose a picture", filepath.Base(path))
	case info.Size() > limit:
		return nil, sayErr("%s is larger than %d MiB; choose a smaller copy of the picture", filepath.Base(path), limit>>20)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, sayErr("%s cannot be read: %w", filepath.Base(path), reason(err))
	}
	return data, nil
}

// reason is a system error with what to do about it, without the long path that people know already.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sayErr("%w; it may have been moved, choose it again", err)
	case errors.Is(err, fs.ErrPermission):
		return sayErr("%w; change its rights or choose another file", err)
	}
	return sayErr("%w; choose another file", err)
}

// readCard makes a card of a picture file.
func readCard(name string, data []byte, m *bundle.Manifest) (Card, error) {
	img, info, err := picture.Decode(data, picture.Limits{})
	if err != nil {
		return Card{}, fmt.Errorf("%s: %w", name, err)
	}
	side := 256
	if m != nil && m.Vision.Reference > 0 {
		side = m.Vision.Reference
	}
	ref := inference.Reference{Name: name, SHA256: info.SHA256, Data: data}
	view, _, err := picture.Prepare(img, ref.Square, side)
	if err != nil {
		return Card{}, fmt.Errorf("%s: %w", name, err)
	}
	return Card{Ref: ref, View: view}, nil
}

// readThumb makes a small square of a picture file.
func readThumb(data []byte, side int) (image.Image, error) {
	img, _, err := picture.Decode(data, picture.Limits{})
	if err != nil {
		return nil, err
	}
	view, _, err := picture.Prepare(img, picture.Square{Fit: picture.Crop}, side)
	return view, err
}

// hintOf is the word that a file name suggests: "dog" for "dog.png".
func hintOf(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))
}
