package history

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"realword/inference/files"
)

// freeName writes data under the first free name of stem.png, stem-2.png, and so on.
func (s *Store) freeName(dir, stem string, data []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, stem+".png")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d.png", stem, n))
		}
		if err := files.Put(path, s.how|files.New, files.Data(data)); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

// safeStem keeps of a wished file name what every file system takes.
func safeStem(name string) string {
	name = files.Base(name)
	return cmp.Or(files.Words(strings.TrimSuffix(name, filepath.Ext(name)), 64), "picture")
}
