package bundle

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"realword/inference/message"
)

// This file says what an import would do, before anything is written.

// Layout is how the files of a model are arranged.
type Layout string

// What Inspect recognises.
const (
	LayoutRelease   Layout = "release"   // the released tree, ckpts/…
	LayoutDiffusers Layout = "diffusers" // a diffusers-style folder with everything
	LayoutBase      Layout = "base"      // a text-to-image model alone: it goes over RealCustom++ checkpoints, as Options.Base
	LayoutBundle    Layout = "bundle"    // a model folder of Realword: nothing is to be imported
)

// Inspection is what a path holds, as far as it can be told without reading weights.
type Inspection struct {
	Path, Base string
	Layout     Layout // "" where nothing was recognised: Problems say why
	File       bool   // Path is one file
	// Manifest is what the import would write of name, family, sizes, licence and notes. Without a network that fits it is empty but
	// for what is known.
	Manifest Manifest
	Tensors  int   // that the model takes
	Source   int64 // bytes of the checkpoint files that were opened
	Writes   int64 // bytes of weights that the import writes
	Mapped   int64 // bytes of weights that stay in the checkpoints and are read there
	Problems error // all that stands against an import; nil: it can be imported
}

// Inspect recognises what lies at src, with o.Base, o.Copy and o.Folder, and finds all problems that an import would
// report before it writes. It reads configurations and the headers of weight files, for a few seconds at full size. It fails only
// when ctx ends, and then at once: what a drive that does not answer holds up is left to end by itself.
func Inspect(ctx context.Context, src string, o Options) (Inspection, error) {
	done := make(chan Inspection, 1)
	go func() { done <- inspect(ctx, src, o) }()
	select {
	case in := <-done:
		return in, ctx.Err()
	case <-ctx.Done():
		return Inspection{Path: src, Base: o.Base}, ctx.Err()
	}
}

func inspect(ctx context.Context, src string, o Options) Inspection {
	im := newImporter(ctx, src, o)
	defer im.close()
	im.volume = volume(cmp.Or(o.Folder, src))
	in := Inspection{Path: src, Base: o.Base}
	info, err := os.Stat(src)
	in.File = err == nil && !info.IsDir()
	switch {
	case err != nil:
		in.Problems = err
	case isFile(filepath.Join(src, ManifestName)):
		in.Layout = LayoutBundle
		var b *Bundle
		if b, in.Problems = Look(src); in.Problems == nil {
			in.Manifest = b.Manifest()
		}
	case o.Base == "" && (in.File || baseFolder(src)):
		im.base = src
		in.Problems = im.inspectBase(&in)
	default:
		in.Problems = im.inspectSource(&in)
	}
	for _, f := range im.opened {
		for _, path := range f.Paths() {
			if info, err := os.Stat(path); err == nil {
				in.Source += info.Size()
			}
		}
	}
	return in
}

// Recognisable tells whether a path looks like something that Inspect knows, from the names of its files alone.
func Recognisable(path string) bool {
	if !isDir(path) {
		return isWeights(path)
	}
	for _, name := range []string{ManifestName, "model_index.json"} {
		if isFile(filepath.Join(path, name)) {
			return true
		}
	}
	for _, name := range []string{"realcustom", "sdxl", "ckpts", "unet", "vision", "transformer", "text_encoder"} {
		if isDir(filepath.Join(path, name)) {
			return true
		}
	}
	return false
}

// baseFolder tells whether a diffusers folder has nothing of RealCustom++ beside it.
func baseFolder(dir string) bool {
	return isDir(filepath.Join(dir, "unet")) && !isDir(filepath.Join(dir, "vision")) && !isDir(filepath.Join(dir, "realcustom")) &&
		!isDir(filepath.Join(dir, "sdxl"))
}

func (im *importer) inspectSource(in *Inspection) error {
	base, visual, err := im.layout()
	if err != nil {
		return err
	}
	in.Layout = LayoutRelease
	if visual.model != nil { // only such folders can describe themselves
		in.Layout = LayoutDiffusers
	}
	in.Manifest.Name = base.name
	if err := im.gather(); err != nil {
		return err
	}
	in.Manifest = im.manifest
	err = im.build()
	for _, f := range im.files {
		in.Tensors += len(f.Used())
		in.Writes += f.Size()
		for _, p := range f.Mapped() {
			in.Mapped += p.Length
		}
	}
	in.Manifest.Notes, in.Manifest.Remarks = im.manifest.Notes, im.manifest.Remarks
	return err
}

// inspectBase looks at a text-to-image model alone.
func (im *importer) inspectBase(in *Inspection) error {
	given, err := im.baseLayout()
	if err != nil {
		if f := im.opened[im.src]; f != nil && count(f, "down_blocks.") == 0 && has(f, projectorPrefix) {
			return visualAlone(im.src)
		}
		return err
	}
	in.Layout = LayoutBase
	in.Manifest.Name = given.name
	var errs []error
	unet, config, err := given.unet()
	if err != nil {
		return err
	}
	if visual, err := pick(unet, visualWeights, "$0"); err == nil && len(visual.Entries()) > 0 {
		errs = append(errs, message.Errorf("%s has visual weights of RealCustom++ but no folder vision beside it; download the whole folder again",
			filepath.Base(im.src)))
	}
	in.Tensors = len(unet.Entries())
	if given.schedule != nil {
		if im.schedule, err = given.schedule(); err == nil {
			err = im.predicts()
		}
		errs = append(errs, err)
	}
	pooled := 0
	if given.text != nil {
		text, err := given.text()
		errs = append(errs, err)
		for _, t := range text {
			if t.weights != nil {
				in.Tensors += len(t.weights.Entries())
			}
			pooled = t.HiddenSize
		}
	}
	if given.vae != nil {
		vae, _, err := given.vae()
		if errs = append(errs, err); err == nil {
			in.Tensors += len(vae.Entries())
		}
	}
	if config == nil {
		c, err := unetConfig(unet, pooled)
		if err != nil && given.text != nil { // the width of a text encoder belongs to the check
			return errors.Join(append(errs, err)...)
		}
		config = &c
	}
	in.Manifest.Family = "sd15"
	if config.TextTime() {
		in.Manifest.Family = "sdxl"
	}
	return errors.Join(errs...)
}
