package bundle

import (
	"realword/inference/guidance"
	"realword/inference/picture"
)

// This file holds what a family of models is known to need and no checkpoint says.

// paperSD15 are the paper's settings over Stable Diffusion 1.5. There were never released weights for it, so no others exist.
var paperSD15 = Preset{
	Sampler: "ddim", Steps: 50, Stop: 25, CFG: 12.5, Scope: 0.2, MaskSource: guidance.LowCrossHighSelf.String(),
	Fit: picture.Pad,
}

// latentRGB returns the preview matrix of a family where the checkpoint brings none, as Latent.RGB wants it: a picture in 0..1 is
// x·factors + bias of the latent as the U-Net has it. The numbers are linear fits that others made of decoded pictures and
// published. Of an unknown family the first three channels stand for red, green and blue around grey: false colours, true shapes.
func latentRGB(family string, channels int) (factors [][3]float64, bias [3]float64) {
	switch {
	case family == "sdxl" && channels == 4:
		// T. A. Vass, "Explaining the SDXL latent space" (2024), also in the diffusers guide on callbacks: 0 to 255 there.
		return scaled([][3]float64{{60, 60, 60}, {-60, -5, 10}, {25, 15, -5}, {-70, -50, -35}}, 1.0/255), [3]float64{
			150.0 / 255, 140.0 / 255,
			130.0 / 255,
		}
	case family == "sd15" && channels == 4:
		// K. Turner, "Decoding latents to RGB without upscaling" (Hugging Face forum, 2022): -1 to 1 there.
		return scaled([][3]float64{{0.298, 0.207, 0.208}, {0.187, 0.286, 0.173}, {-0.158, 0.189, 0.264}, {-0.184, -0.271, -0.473}},
			0.5), [3]float64{0.5, 0.5, 0.5}
	}
	factors = make([][3]float64, channels)
	for i := range min(channels, 3) {
		factors[i][i] = 0.125
	}
	return factors, [3]float64{0.5, 0.5, 0.5}
}

func scaled(factors [][3]float64, by float64) [][3]float64 {
	for i := range factors {
		for c := range factors[i] {
			factors[i][c] *= by
		}
	}
	return factors
}
