package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File names that libraries give to the weights of a model, best first. The index files name the parts of a checkpoint that
// was stored in several files.
var folderNames = []string{
	"diffusion_pytorch_model.safetensors", "model.safetensors", "open_clip_model.safetensors",
	"diffusion_pytorch_model.safetensors.index.json", "model.safetensors.index.json",
	"diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors",
	"diffusion_pytorch_model.bin", "pytorch_model.bin", "open_clip_pytorch_model.bin", "pytorch_model.bin.index.json",
}

// OpenFolder opens the weights in a model folder as diffusers, transformers, timm and open_clip write them, in one file or in
// several parts. A folder with other names must hold exactly one weight file. The caller closes the File.
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
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range list {
		if slices.Contains([]string{".safetensors", ".bin", ".pth", ".pt", ".ckpt"}, filepath.Ext(e.Name())) && !e.IsDir() {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return nil, &UnsupportedError{File: dir, Problem: "the folder holds no weights", Remedy: "put " + folderNames[0] + " or " + folderNames[1] + " there"}
	case 1:
		return Open(filepath.Join(dir, found[0]))
	}
	return nil, &UnsupportedError{File: dir, Problem: "the folder holds several weight files: " + strings.Join(found, ", "),
		Remedy: "leave one, or name the wanted one " + folderNames[0]}
}

// maxIndex bounds the index of a checkpoint in parts, which has some hundred bytes per tensor.
const maxIndex = 64 << 20

// OpenParts opens a checkpoint that was stored in several files, by its index (model.safetensors.index.json). The result is one
// File with the tensors that the index names. The caller closes it.
func OpenParts(index string) (*File, error) {
	info, err := os.Stat(index)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxIndex {
		return nil, &UnsupportedError{File: index, Problem: fmt.Sprintf("an index of %d bytes is too large", info.Size()), Remedy: "join the parts into one file"}
	}
	raw, err := os.ReadFile(index)
	if err != nil {
		return nil, err
	}
	var parsed struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &parsed); err != nil {
		return nil, &FormatError{File: index, Problem: "the index is not the JSON that it should be", Err: err}
	}
	if len(parsed.WeightMap) == 0 {
		return nil, &FormatError{File: index, Problem: "the index names no tensors"}
	}
	all := &File{places: map[string]place{}}
	if err := all.addParts(index, parsed.WeightMap); err != nil {
		_ = all.Close() // read only: nothing is lost
		return nil, err
	}
	sortEntries(all.entries)
	return all, nil
}

func (f *File) addParts(index string, partOf map[string]string) error {
	wanted := map[string][]string{}
	for tensor, part := range partOf {
		wanted[part] = append(wanted[part], tensor)
	}
	for _, name := range sortedKeys(wanted) {
		if !filepath.IsLocal(name) {
			return &FormatError{File: index, Problem: fmt.Sprintf("the index names %q, which is not below its folder", clip(name))}
		}
		part, err := Open(filepath.Join(filepath.Dir(index), filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return &FormatError{File: index, Problem: fmt.Sprintf("the part %q is missing", clip(name)), Remedy: "put it beside the index"}
		}
		if err != nil {
			return err
		}
		f.open = append(f.open, part.open...)
		f.ignored = append(f.ignored, part.ignored...)
		if f.meta == nil {
			f.meta = part.meta
		}
		for _, tensor := range wanted[name] {
			p, ok := part.places[tensor]
			if !ok {
				return &FormatError{File: index, Key: tensor, Problem: "the index places it in " + name + ", where it is not", Remedy: "get index and parts again"}
			}
			f.places[tensor] = p
			f.entries = append(f.entries, p.Entry)
		}
		for _, e := range part.entries {
			if partOf[e.Name] != name {
				f.ignored = append(f.ignored, Ignored{e.Name, "the index does not take it from " + name})
			}
		}
	}
	return nil
}
