package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"realword/inference/checkpoint"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/schedule"

	"realword/inference/files"
)

// This file reads diffusers-style folders: unet/, text_encoder/, text_encoder_2/, tokenizer/, vae/, vision/siglip/ and vision/dino/, each
// with config.json and safetensors; the visual weights and the projector are inside the U-Net.

// maxConfig is how many bytes of a configuration are read; the largest that libraries write have 20 KB.
const maxConfig = 256 << 10

func (im *importer) readJSON(path string, into any) error {
	data, err := files.Read(path, maxConfig)
	if errors.Is(err, os.ErrNotExist) {
		return message.Errorf("%s is missing; a checkpoint folder has unet, text_encoder, tokenizer, vae and vision inside: %w", im.label(path), err)
	}
	if err != nil {
		return err
	}
	data = files.JSON(data)
	if err := json.Unmarshal(data, into); err != nil {
		return message.Errorf("%s cannot be read (%s); download it again", im.label(path), brief(err.Error()))
	}
	found, err := configMarks(im.label(path), data)
	im.training.join(found)
	return err
}

// unusable refuses a configuration for what is said of it in English: it names entries of the file.
func unusable(file string, why error) error {
	return message.Errorf("%s cannot be used: get the file again (%w)", file, why)
}

// defaultSchedule is that of Stable Diffusion and of the release: 1000 steps, betas linear in their square root.
var defaultSchedule = Schedule{
	TrainSteps: 1000, BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear",
	PredictionType: "epsilon",
}

// folder reads the text-to-image part of a diffusers folder.
func (im *importer) folder(dir string) baseModel {
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	m := baseModel{name: filepath.Base(filepath.Clean(dir)), tokenizers: []string{at(tokenizerDir(0))}}
	if isDir(at(tokenizerDir(1))) {
		m.tokenizers = append(m.tokenizers, at(tokenizerDir(1)))
	}
	m.unet = func() (checkpoint.Source, *network.UNetConfig, error) {
		var c network.UNetConfig
		err := im.readJSON(at("unet/config.json"), &c)
		if err == nil {
			err = c.Validate()
		}
		var v checkpoint.Source
		f, openErr := im.openFolder(at("unet"))
		if openErr == nil {
			openErr = foreign(f)
		}
		if openErr == nil {
			v, openErr = im.renamed(at("unet"), f, checkpoint.UNet)
		}
		return v, &c, errors.Join(err, openErr)
	}
	m.text = func() ([]textModel, error) {
		var models []textModel
		var errs []error
		for i := range 2 {
			name := textFolder(i)
			if i > 0 && !isDir(at(name)) {
				break
			}
			var t textModel
			err := im.readJSON(at(name+"/config.json"), &t.CLIPTextConfig)
			if err == nil {
				err = t.Validate(name)
			}
			f, openErr := im.openFolder(at(name))
			if openErr == nil {
				t.weights, openErr = im.renamed(at(name), f, checkpoint.TextModel)
			}
			errs = append(errs, err, openErr)
			models = append(models, t)
		}
		return models, errors.Join(errs...)
	}
	m.vae = func() (checkpoint.Source, network.VAEConfig, error) {
		var c network.VAEConfig
		var v checkpoint.Source
		err := im.readJSON(at("vae/config.json"), &c)
		if err == nil {
			err = c.Validate()
		}
		f, openErr := im.openFolder(at("vae"))
		if openErr == nil {
			v, openErr = im.renamed(at("vae"), f, checkpoint.Autoencoder)
		}
		return v, c, errors.Join(err, openErr)
	}
	m.schedule = func() (Schedule, error) {
		if path := at("model_index.json"); isFile(path) { // what kind of pipeline it was made for
			if err := im.readJSON(path, &struct{}{}); err != nil {
				return Schedule{}, err
			}
		}
		path := at("scheduler/scheduler_config.json")
		if !isFile(path) {
			im.unscheduled = im.label(path)
			return defaultSchedule, nil
		}
		im.scheduleFile = im.label(path)
		// What a file omits means the library's default.
		s := struct {
			schedule.Config
			Class string `json:"_class_name"`
		}{Config: schedule.Config{TrainSteps: 1000, BetaStart: 0.0001, BetaEnd: 0.02, BetaSchedule: "linear", PredictionType: "epsilon"}}
		if err := im.readJSON(path, &s); err != nil {
			return Schedule{}, err
		}
		if s.Class == "LCMScheduler" || s.Class == "TCDScheduler" { // its U-Net would say so if it had to be told of the guidance
			im.tell(message.Note("the model was made for few steps (%s): choose the preset lcm", s.Class))
		}
		if s.PredictionType == "" {
			s.PredictionType = "epsilon"
		}
		return Schedule{
			TrainSteps: s.TrainSteps, BetaStart: s.BetaStart, BetaEnd: s.BetaEnd, BetaSchedule: s.BetaSchedule,
			PredictionType: s.PredictionType,
		}, nil
	}
	return m
}

// folderVisual reads what a diffusers-style folder has of RealCustom++: visual weights inside the U-Net, encoders in vision.
func (im *importer) folderVisual(dir string) visualModel {
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	var m visualModel
	m.overlay = func() (checkpoint.Source, error) {
		f, err := im.openFolder(at("unet"))
		if err != nil {
			return nil, err
		}
		return pick(f, visualWeights, "$0")
	}
	m.encoders = func(string) (visionConfig, []imageEncoder, error) {
		var vision visionConfig
		if err := im.readJSON(at("vision/config.json"), &vision); err != nil {
			return vision, nil, err
		}
		const mostView, mostEncoders, mostHead = 1 << 12, 8, 1 << 12
		if n := len(vision.Encoders); n == 0 || n > mostEncoders || vision.ViewSize <= 0 || vision.ViewSize > mostView ||
			vision.ReferenceSize != 2*vision.ViewSize {
			return vision, nil, unusable(im.label(at("vision/config.json")), fmt.Errorf("wanted a list of 1 to %d encoders, view_size up to %d and reference_size twice that, found %d encoders, %d and %d",
				mostEncoders, mostView, n, vision.ViewSize, vision.ReferenceSize))
		}
		if vision.HeadDim < 1 || vision.HeadDim > mostHead {
			return vision, nil, unusable(im.label(at("vision/config.json")), fmt.Errorf("head_dim is %d, wanted 1 to %d", vision.HeadDim, mostHead))
		}
		var encoders []imageEncoder
		var errs []error
		for i, name := range vision.Encoders {
			if !regexp.MustCompile(`^[a-z0-9_]{1,64}$`).MatchString(name) || slices.Contains(vision.Encoders[:i], name) || name == "projector" {
				errs = append(errs, unusable(im.label(at("vision/config.json")),
					fmt.Errorf("encoder name %q is not the name of a folder of its own", brief(name))))
				continue
			}
			folder := "vision/" + name
			e := imageEncoder{name: name}
			err := im.readJSON(at(folder+"/config.json"), &e.ViTConfig)
			if err == nil {
				e.ImgSize = vision.ViewSize
				err = e.Validate(folder)
			}
			f, openErr := im.openFolder(at(folder))
			if openErr == nil {
				e.weights, openErr = im.renamed(at(folder), f, checkpoint.VisionTransformer)
			}
			errs = append(errs, err, openErr)
			encoders = append(encoders, e)
		}
		return vision, encoders, errors.Join(errs...)
	}
	m.model = func() (c modelConfig, err error) {
		path := at("realword.json")
		if !isFile(path) {
			return c, nil
		}
		if err = im.readJSON(path, &c); err == nil {
			if err = c.check(); err != nil {
				err = unusable(im.label(path), err)
			}
		}
		return c, err
	}
	return m
}
