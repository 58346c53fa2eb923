// Package network holds the networks of RealCustom++ as Go definitions over package nn: CLIP text encoders, vision transformers
// with the projector, the U-Net with visual cross-attention and guidance scores, and the decoder of the autoencoder.
//
// Contract: definitions only; every size comes from the checkpoint's config, so a tiny test model, SD-1.5 and SDXL are the
// same code. Scopes carry the checkpoint's key names. Graph inputs and outputs have the names of design §4; the batch is
// always 1, while height, width, the number of subjects R and of visual tokens n stay open.
package network

import (
	"encoding/json"
	"fmt"
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
		return fmt.Errorf("wanted a number or a list of numbers, found %s", data)
	}
	*p = many
	return nil
}

// At returns the entry of a level.
func (p PerLevel) At(level int) int {
	if len(p) == 1 {
		return p[0]
	}
	return p[level]
}

func (p PerLevel) fits(levels int) bool { return len(p) == 1 || len(p) == levels }
