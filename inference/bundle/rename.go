package bundle

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
)

// Named tells whether a model is, or before Rename was, called so.
func (m Manifest) Named(name string) bool { return m.Name == name || slices.Contains(m.Was, name) }

// longestName keeps names within what a file name and a line of the window can take.
const longestName = 80

func goodName(name string) error {
	if strings.TrimSpace(name) == "" || len([]rune(name)) > longestName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return message.Errorf("a model's name is one line of 1 to %d letters", longestName)
	}
	return nil
}

// Rename gives the bundle in dir another name. Recipes and kept steps that were made under the old one still belong to it. The
// manifest is replaced as a whole: after an error it is as it was.
func Rename(dir, name string) error {
	name = strings.TrimSpace(name)
	if err := goodName(name); err != nil {
		return err
	}
	m, err := readManifest(files.DirFS(dir))
	if err != nil {
		return message.Errorf("rename model %s: %w", dir, err)
	}
	if m.Name == name {
		return nil
	}
	m.Was = append(slices.DeleteFunc(m.Was, func(was string) bool { return was == name || was == m.Name }), m.Name)
	m.Name = name
	if err := m.replace(dir); err != nil {
		return message.Errorf("rename model %s: %w", dir, err)
	}
	return nil
}

// replace writes the manifest in the place of the one in dir, as a whole: after an error that is as it was.
func (m *Manifest) replace(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return files.Put(filepath.Join(dir, ManifestName), files.Unsynced, files.Data(append(data, '\n')))
}
