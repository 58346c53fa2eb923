package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
)

// File names that libraries give to the weights of a model, best first. The index files name the parts of a checkpoint that
// was stored in several files.
var folderNames = []string{
	"diffusion_pytorch_model.safetensors", "model.safetensors", "open_clip_model.safetensors",
	"diffusion_pytorch_model.safetensors.index.json", "model.safetensors.index.json",
	"diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors",
	"diffusion_pytorch_model.bin", "pytorch_model.bin", "open_clip_pytorch_model.bin", "pytorch_model.bin.index.json",
}

// variantIndex recognises the index of a variant: NAME.fp16.safetensors.index.json, and as older versions of the libraries wrote it
// NAME.safetensors.index.fp16.json.
var variantIndex = regexp.MustCompile(`^(diffusion_pytorch_model|model|pytorch_model|open_clip_model)(\.\w+)?\.(safetensors|bin)\.index(\.\w+)?\.json$`)

// partName recognises one of several parts: NAME-00001-of-00002.safetensors, with a variant before or behind.
var partName = regexp.MustCompile(`^(.+)-(\d{5})-of-(\d{5})((?:\.\w+)?\.(?:safetensors|bin))$`)

// OpenFolder opens the weights in a model folder as diffusers, transformers, timm and open_clip write them, in one file or in
// several parts, with an index or, where all are there, without one. A folder with other names must hold exactly one weight file.
// The caller closes the File.
func OpenFolder(dir string) (*File, error) {
	for _, name := range folderNames {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if strings.HasSuffix(name, ".index.json") {
			return OpenParts(path)
		}
		return Open(path)
	}
	list, err := files.Visible(dir)
	if err != nil {
		return nil, err
	}
	var found, indexes []string
	for _, e := range list {
		if slices.Contains([]string{".safetensors", ".bin", ".pth", ".pt", ".ckpt"}, filepath.Ext(e.Name())) && !e.IsDir() {
			found = append(found, e.Name())
		}
		if variantIndex.MatchString(e.Name()) {
			indexes = append(indexes, e.Name())
		}
	}
	switch {
	case len(indexes) == 1:
		return OpenParts(filepath.Join(dir, indexes[0]))
	case len(found) == 0:
		return nil, &UnsupportedError{
			File: dir, Problem: message.Note("the folder holds no weights"),
			Remedy: message.Note("put %s or %s there", folderNames[0], folderNames[1]),
		}
	case len(found) == 1:
		return Open(filepath.Join(dir, found[0]))
	case len(indexes) == 0 && allParts(found):
		all := &File{places: map[string]place{}}
		if err := all.joinParts(dir, found); err != nil {
			_ = all.Close() // read only: nothing is lost
			return nil, err
		}
		sortEntries(all.entries)
		return all, nil
	}
	return nil, &UnsupportedError{
		File: dir, Problem: message.Note("the folder holds several weight files: %s", shortList(append(found, indexes...))),
		Remedy: message.Note("keep one, or name the one to use %s", folderNames[0]),
	}
}

// shortList names the first of many.
func shortList(names []string) string {
	const most = 8
	for i, name := range names {
		names[i] = clip(name)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// allParts tells whether files are all parts of one checkpoint.
func allParts(names []string) bool {
	var first []string
	for i, name := range names { // as ReadDir sorts them
		m := partName.FindStringSubmatch(name)
		if m == nil || m[2] != fmt.Sprintf("%05d", i+1) || m[3] != fmt.Sprintf("%05d", len(names)) {
			return false
		}
		if first == nil {
			first = m
		}
		if m[1] != first[1] || m[4] != first[4] {
			return false
		}
	}
	return true
}

// joinParts opens parts without an index: each has tensors of its own.
func (f *File) joinParts(dir string, names []string) error {
	for _, name := range names {
		part, err := Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := f.take(part); err != nil {
			return err
		}
		for _, e := range part.entries {
			if other, twice := f.places[e.Name]; twice {
				return &FormatError{
					File: filepath.Join(dir, name), Key: e.Name, Problem: message.Note("it is also in %s", filepath.Base(other.path)),
					Remedy: message.Note("get the parts again, with their index"),
				}
			}
			f.places[e.Name] = part.places[e.Name]
			f.entries = append(f.entries, e)
		}
	}
	return nil
}

// take makes the file of a part one of f.
func (f *File) take(part *File) error {
	if f.inParts += len(part.entries); f.inParts > maxTensors {
		return errors.Join(&UnsupportedError{File: part.Paths()[0], Problem: tooMany, Remedy: rightFile}, part.Close())
	}
	f.open = append(f.open, part.open...)
	f.ignored = append(f.ignored, part.ignored...)
	f.strangers = append(f.strangers, part.strangers...)
	if f.meta == nil {
		f.meta = part.meta
	}
	return nil
}

// Bounds on the index of a checkpoint in parts: it has some hundred bytes per tensor.
const (
	maxIndex = 4 << 20
	maxParts = 512
)

// OpenParts opens a checkpoint that was stored in several files, by its index (model.safetensors.index.json). The result is one
// File with the tensors that the index names. The caller closes it.
func OpenParts(index string) (*File, error) {
	raw, err := files.Read(index, maxIndex)
	if err != nil {
		return nil, unreadable(index, err)
	}
	partOf, err := parseIndex(raw)
	if err != nil {
		return nil, inFile(index, err)
	}
	all := &File{places: map[string]place{}}
	if err := all.addParts(index, partOf); err != nil {
		_ = all.Close() // read only: nothing is lost
		return nil, err
	}
	sortEntries(all.entries)
	return all, nil
}

// parseIndex returns the part of every tensor. It is the whole of OpenParts that hostile bytes can reach.
func parseIndex(raw []byte) (map[string]string, error) {
	scan := newHeaderScanner(bytes.NewReader(raw))
	partOf, parts := map[string]string{}, map[string]string{}
	err := try(func() {
		scan.object(func(key string) {
			if key != "weight_map" {
				scan.skip(0)
				return
			}
			if len(partOf) > 0 {
				fail(broken("the index has two lists of tensors"))
			}
			scan.object(func(tensor string) {
				name, cut := scan.text(maxName)
				switch _, twice := partOf[tensor]; {
				case cut:
					fail(fmt.Errorf("a name of more than %d bytes", maxName))
				case twice:
					fail(brokenTensor(tensor, "the index places it twice"))
				case len(partOf) == maxTensors:
					fail(&UnsupportedError{Problem: tooMany, Remedy: rightFile})
				}
				if _, known := parts[name]; !known {
					if len(parts) == maxParts {
						fail(&UnsupportedError{
							Problem: message.Note("the index names more than %d parts", maxParts), Remedy: message.Note("join the parts into one file"),
						})
					}
					parts[name] = name
				}
				partOf[tensor] = parts[name] // one text for all tensors of a part
			})
		})
		scan.end()
	})
	if err != nil {
		return nil, asFormat(err, func(err error) error {
			return &FormatError{Problem: errors.New("the index is not valid JSON"), Err: err}
		})
	}
	if len(partOf) == 0 {
		return nil, broken("the index names no tensors")
	}
	return partOf, nil
}

func (f *File) addParts(index string, partOf map[string]string) error {
	wanted := map[string][]string{}
	for tensor, part := range partOf {
		wanted[part] = append(wanted[part], tensor)
	}
	for _, name := range sortedKeys(wanted) {
		if !filepath.IsLocal(name) {
			return &FormatError{File: index, Problem: fmt.Errorf("the index names %q, which is not below its folder", clip(name))}
		}
		part, err := Open(filepath.Join(filepath.Dir(index), filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return &FormatError{
				File: index, Problem: message.Note("the part %q is missing", clip(name)), Remedy: message.Note("put it beside the index"),
			}
		}
		if err != nil {
			return err
		}
		if err := f.take(part); err != nil {
			return err
		}
		for _, tensor := range wanted[name] {
			p, ok := part.places[tensor]
			if !ok {
				return &FormatError{
					File: index, Key: tensor, Problem: message.Note("the index places it in %s, where it is not", clip(name)),
					Remedy: message.Note("get the parts again, with their index"),
				}
			}
			f.places[tensor] = p
			f.entries = append(f.entries, p.Entry)
		}
		for _, e := range part.entries {
			if partOf[e.Name] != name {
				f.ignored = append(f.ignored, Ignored{e.Name, "the index does not take it from " + clip(name)})
			}
		}
	}
	return nil
}
