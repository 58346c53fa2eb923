// Package network holds the networks of RealCustom++ as Go definitions over package nn: CLIP text encoders, vision transformers
// with the projector, the U-Net with visual cross-attention and guidance scores, and the decoder of the autoencoder.
//
// Contract: definitions only; every size comes from the checkpoint's config, so a tiny test model, SD-1.5 and SDXL are the
// same code. Scopes carry the checkpoint's key names. Graph inputs and outputs have fixed names, which the
// function that describes a graph lists; the batch is always 1, while height, width, the number of subjects R and of visual tokens
// n stay open.
package network

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"realword/inference/message"
)

// PerLevel is a config entry that is one number for all levels or a list with one per level.
type PerLevel []int

// UnmarshalJSON reads a number or a list.
func (p *PerLevel) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var one int
	if json.Unmarshal(data, &one) == nil {
		*p = PerLevel{one}
		return nil
	}
	var many []int
	if err := json.Unmarshal(data, &many); err != nil {
		return fmt.Errorf("wanted a number or a list of numbers, found %.40s", data)
	}
	*p = many
	return nil
}

// Bounds on what a configuration may ask for, far above every model of the families and far below what would not fit a machine:
// Validate compares with them before anything is built.
const (
	maxLevels     = 7       // of a U-Net or an autoencoder, SDXL has 3 and 4
	maxLayers     = 16      // of a level, SDXL has 2
	maxBlocks     = 64      // of a transformer, SDXL has 10
	maxEncoder    = 256     // layers of a text or image encoder, SigLIP has 27
	maxChannels   = 1 << 14 // SDXL has 1280
	maxHidden     = 1 << 17 // of an MLP, OpenCLIP has 5120
	maxLatent     = 64      // channels of a latent
	maxVocabulary = 1 << 20 // CLIP has 49408
	maxGrid       = 128     // patches along a side, DINOv2 has 27
	maxPositions  = 1 << 25 // values of a position embedding, SigLIP has 840,000
)

// bounds collects entries of a configuration that are out of bounds.
type bounds []string

func (b *bounds) within(entry string, v, lo, hi int) {
	if v < lo || v > hi {
		*b = append(*b, fmt.Sprintf("%s is %d, wanted %d to %d", entry, v, lo, hi))
	}
}

func (b *bounds) number(entry string, v, lo, hi float64) {
	if !(v >= lo && v <= hi) {
		*b = append(*b, fmt.Sprintf("%s is %g, wanted %g to %g", entry, v, lo, hi))
	}
}

func (b *bounds) divides(entry string, v, by int) {
	if by > 0 && v%by != 0 {
		*b = append(*b, fmt.Sprintf("%s is %d, wanted a multiple of %d", entry, v, by))
	}
}

// err says what is out of bounds in the configuration of a folder.
func (b bounds) err(folder string) error {
	const most = 4
	if len(b) == 0 {
		return nil
	}
	if more := len(b) - most; more > 0 {
		b = append(b[:most:most], fmt.Sprintf("and %d more", more))
	}
	return refused(folder, fmt.Errorf("sizes that no model has: %s", strings.Join(b, "; ")))
}

// refused says of the configuration in a folder that no network is built by it: why names its entries, in English.
func refused(folder string, why error) error {
	return message.Errorf("%s/config.json describes no network that Realword can build: use a model of the kinds of SDXL or Stable Diffusion 1.5, or get the file again (%w)",
		folder, why)
}

// short is a value as messages show it: a hostile one does not fill the screen.
func short(value any) string {
	const limit = 120
	text := []rune(fmt.Sprint(value))
	if len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(text)
}

// unset tells whether an entry of a configuration is absent, null, false, or one of the plain values.
func unset(v any, plain ...any) bool {
	return v == nil || v == false || slices.Contains(plain, v)
}

// At returns the entry of a level.
func (p PerLevel) At(level int) int {
	if len(p) == 1 {
		return p[0]
	}
	return p[level]
}

func (p PerLevel) fits(levels int) bool { return len(p) == 1 || len(p) == levels }
