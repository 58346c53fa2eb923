package reuse

import (
	"image"
	"path/filepath"
	"strings"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/ui/state"
)

// cutting is a subject as its mask cuts it out of a finished picture.
type cutting struct {
	name string // its word
	look image.Image
	file []byte // a PNG with transparency
}

// source is the subject as a source of a reference; of is that of the whole picture.
func (c cutting) source(of state.Source) state.Source {
	of.Name = strings.TrimSuffix(of.Name, filepath.Ext(of.Name)) + "-" + files.Words(c.name, 24) + ".png"
	of.Read = func() ([]byte, error) { return c.file, nil }
	return of
}

// cutSide is the side of what is shown of a cutting, in pixels.
const cutSide = 256

// cut cuts the subjects out of a finished picture; then is told of those whose masks are known, on the window's goroutine.
func (d *Desk) cut(shot state.Shot, then func([]cutting)) {
	model := d.host.State().Model
	if model == nil || len(shot.Recipe.Subjects) == 0 {
		then(nil)
		return
	}
	m, store := *model, d.host.Store()
	d.host.Background(func() func() {
		var list []cutting
		it, err := readMade(shot, m, store, func(string) []byte { return nil })
		for j := 0; err == nil && len(it.masks) == len(shot.Recipe.Subjects) && j < len(it.masks); j++ {
			img := inference.CutOf(m, it.pixels, it.masks, j)
			if img == nil {
				continue
			}
			look, _, bad := picture.Prepare(img, picture.Square{}, cutSide)
			file, worse := picture.Encode(img, picture.Metadata{})
			if bad == nil && worse == nil {
				list = append(list, cutting{state.WordName(shot.Recipe.Subjects[j].Word), look, file})
			}
		}
		return func() { then(list) }
	})
}
