package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
	if below := in(dir, isTree); len(below) == 1 {
		return filepath.Join(dir, below[0])
	}
	return ""
}

// in are the names of what is of a kind right in a folder.
func in(dir string, kind func(path string) bool) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if kind(filepath.Join(dir, e.Name())) {
			names = append(names, e.Name())
		}
	}
	return names
}

// isModel tells whether a folder is a model of Realword.
func isModel(dir string) bool { return isFile(filepath.Join(dir, ManifestName)) }

// isWeights tells whether a file is one of weights, by its name.
func isWeights(path string) bool {
	return slices.Contains([]string{".safetensors", ".pth", ".pt", ".bin", ".ckpt"}, strings.ToLower(filepath.Ext(path)))
}

// shard is the name of one of several files that are one.
var shard = regexp.MustCompile(`-\d+-of-\d+\.`)

// noTree says what a folder is that is no checkpoint folder, and what helps.
func (im *importer) noTree() error {
	if better := nearby(im.src); better != "" && !isModel(im.src) {
		return message.Errorf("this is not a checkpoint folder, but %s is: choose that one", better)
	}
	name := filepath.Base(im.src)
	if whole, err := filepath.Abs(im.src); err == nil { // of "." as well
		name = filepath.Base(whole)
	}
	models := in(im.src, func(path string) bool { return isTree(path) || isModel(path) })
	weights := in(im.src, func(path string) bool {
		return isFile(path) && isWeights(path) && !shard.MatchString(filepath.Base(path))
	})
	switch half := im.halfDownloaded(im.src); {
	case isModel(im.src):
		return message.Errorf("the folder %s is a model of Realword already: use it as it is (--model)", name)
	case len(models) == 1:
		return message.Errorf("the folder %s has one model in it: choose the folder %s itself", name, models[0])
	case len(models) > 1:
		return message.Errorf("the folder %s has several models: choose one of them, found %s", name, few(models))
	case len(weights) == 1:
		path := filepath.Join(im.src, weights[0])
		if f, err := im.openFile(path); err == nil && has(f, projectorPrefix) && !has(f, "down_blocks.0.") {
			return visualAlone(path)
		}
		return message.Errorf("the folder %s has one model file and no checkpoint folder: choose the file %s itself", name, weights[0])
	case len(weights) > 1:
		return message.Errorf("the folder %s has several model files and no checkpoint folder: choose one of them itself, found %s", name,
			few(weights))
	case half != "":
		return message.Errorf("the folder %s has no model yet (%s is an unfinished download: finish it)", name, half)
	}
	return message.Errorf("the folder %s is not a checkpoint folder: choose the released tree (with ckpts/realcustom and ckpts/sdxl) or a diffusers-style folder (with unet, text_encoder, tokenizer, vae and vision), found %s",
		name, found(im.src))
}

// visualAlone is of a file that has what RealCustom++ adds and nothing that it is added to.
func visualAlone(path string) error {
	return message.Errorf("%s holds the visual weights of RealCustom++ alone; choose the folder that holds realcustom and sdxl instead",
		filepath.Base(path))
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
