package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"realword/inference/checkpoint"
	"realword/inference/network"
	"realword/inference/userfile"
)

// This file reads diffusers-style folders, design §4 (b).

// maxConfig is how many bytes of a configuration are read; the largest that libraries write have 20 KB.
const maxConfig = 1 << 20

func (im *importer) readJSON(path string, into any) error {
	data, err := userfile.Read(path, maxConfig)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing; a checkpoint folder has unet, text_encoder, tokenizer, vae and vision inside: %w", im.label(path), err)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s cannot be read (%w); download it again", im.label(path), err)
	}
	return nil
}

// defaultSchedule is that of Stable Diffusion and of the release (facts §7).
var defaultSchedule = Schedule{TrainSteps: 1000, BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear", PredictionType: "epsilon"}

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
		f, openErr := im.openFolder(at("unet"))
		if openErr == nil {
			openErr = foreign(f)
		}
		return f, &c, errors.Join(err, openErr)
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
		path := at("scheduler/scheduler_config.json")
		if !isFile(path) {
			return defaultSchedule, nil
		}
		var s struct {
			TrainSteps     int     `json:"num_train_timesteps"`
			BetaStart      float64 `json:"beta_start"`
			BetaEnd        float64 `json:"beta_end"`
			BetaSchedule   string  `json:"beta_schedule"`
			PredictionType string  `json:"prediction_type"`
		}
		if err := im.readJSON(path, &s); err != nil {
			return Schedule{}, err
		}
		if s.PredictionType == "" {
			s.PredictionType = "epsilon"
		}
		if (s.PredictionType != "epsilon" && s.PredictionType != "v_prediction") || s.BetaSchedule != "scaled_linear" {
			return Schedule{}, fmt.Errorf("scheduler/scheduler_config.json: prediction_type %q with beta_schedule %q; Realword runs models trained for epsilon or v_prediction with scaled_linear",
				s.PredictionType, s.BetaSchedule)
		}
		return Schedule(s), nil
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
		if len(vision.Encoders) == 0 || vision.ViewSize <= 0 || vision.ReferenceSize != 2*vision.ViewSize {
			return vision, nil, fmt.Errorf("vision/config.json: wanted a list of encoders and reference_size twice view_size, found %v, %d and %d", vision.Encoders, vision.ReferenceSize, vision.ViewSize)
		}
		var encoders []imageEncoder
		var errs []error
		for _, name := range vision.Encoders {
			if !regexp.MustCompile(`^[a-z0-9_]+$`).MatchString(name) {
				errs = append(errs, fmt.Errorf("vision/config.json: encoder name %q is not a folder name", name))
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
		if path := at("realword.json"); isFile(path) {
			err = im.readJSON(path, &c)
		}
		return c, err
	}
	return m
}
