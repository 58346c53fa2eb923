package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"realword/inference/checkpoint"
	"realword/inference/message"
	"realword/inference/network"
)

// This file finds out what people mean who give a checkpoint that is none: the wrong level of the right tree, a download that
// did not end, a projector under another name.

// isTree tells whether a folder is one that can be imported, by its sub-folders.
func isTree(dir string) bool {
	for _, name := range []string{"realcustom", "sdxl", "ckpts/realcustom", "ckpts/sdxl", "ckpts/ckpts/realcustom", "unet"} {
		if isDir(filepath.Join(dir, filepath.FromSlash(name))) {
			return true
		}
	}
	return false
}

// nearby names a checkpoint folder that dir lies in, at most three levels above, or that is the only one right below it.
func nearby(dir string) string {
	up, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for range 3 {
		parent := filepath.Dir(up)
		if parent == up {
			break
		}
		if up = parent; isTree(up) {
			return up
		}
	}
	entries, _ := os.ReadDir(dir)
	var below []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); isTree(path) {
			below = append(below, path)
		}
	}
	if len(below) == 1 {
		return below[0]
	}
	return ""
}

// oneFile says what a single weight file is part of, nil when that is not seen.
func (im *importer) oneFile(f *checkpoint.File) error {
	better := nearby(im.src)
	if better == "" {
		return nil
	}
	if has(f, projectorPrefix+".") || has(f, "encoder_hidden_states_vision") {
		return message.Errorf("this file has only the visual weights; choose the folder that holds it together with the others, %s", better)
	}
	return nil
}

// halfDownloaded names a file that a downloader has not finished, in the folder itself or where the hub's downloader keeps such
// files for it.
func (im *importer) halfDownloaded(dir string) string {
	folders := []string{dir}
	for _, root := range []string{im.src, filepath.Dir(im.src)} {
		if rel, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(rel) {
			folders = append(folders, filepath.Join(root, ".cache", "huggingface", "download", rel))
		}
	}
	for _, folder := range folders {
		entries, _ := os.ReadDir(folder)
		for _, e := range entries {
			if slices.Contains([]string{".incomplete", ".part", ".crdownload", ".download", ".aria2", ".tmp"}, filepath.Ext(e.Name())) {
				return e.Name()
			}
		}
	}
	return ""
}

// projectorFits compares the projector class that the configuration names with the one that the tensors show. The shallow file
// has all that the highres class needs, so that it may be called either.
func (im *importer) projectorFits(class string) error {
	named := im.vision.Projector
	known := slices.Contains([]string{network.ProjectorHighRes, network.ProjectorShallow, network.ProjectorCCP}, named)
	if !known || named == class || named == network.ProjectorHighRes && class == network.ProjectorShallow {
		return nil
	}
	return message.Errorf("vision/config.json says that the projector is %q, its tensors (%s.…) are those of %q: write that there, or get the projector's own file", named, projectorPrefix, class)
}

// foreignFile recognises a folder of weights that belong to no text-to-image model, such as a LoRA's or a ControlNet's.
func foreignFile(dir string) error {
	f, err := checkpoint.OpenFolder(dir)
	if err != nil {
		return nil // there is nothing to recognise
	}
	return errors.Join(foreign(f), f.Close())
}
