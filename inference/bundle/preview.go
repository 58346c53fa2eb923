package bundle

import "realword/inference/guidance"

// This file holds what a family of models is known to need and no checkpoint says.

// paperSD15 are the paper's settings over Stable Diffusion 1.5. There were never released weights for it, so no others exist.
var paperSD15 = Preset{Sampler: "ddim", Steps: 50, Stop: 25, CFG: 12.5, Scope: 0.2, MaskSource: guidance.LowCrossHighSelf.String()}

// latentRGB returns the preview matrix of a family where the checkpoint brings none: a picture is (x·factors + bias + 1)/2 of the
// latent as the U-Net has it. The numbers are linear fits that others made of decoded pictures and published. Of an unknown family
// the first three channels stand for red, green and blue around grey: false colours, true shapes.
func latentRGB(family string, channels int) (factors [][3]float64, bias [3]float64) {
	switch {
	case family == "sdxl" && channels == 4:
		// T. A. Vass, "Explaining the SDXL latent space" (2024), also in the diffusers guide on callbacks: 0 to 255 there.
		factors, bias = [][3]float64{{60, 60, 60}, {-60, -5, 10}, {25, 15, -5}, {-70, -50, -35}}, [3]float64{150, 140, 130}
		for c := range 3 {
			for i := range factors {
				factors[i][c] *= 2.0 / 255
			}
			bias[c] = bias[c]*2/255 - 1
		}
		return factors, bias
	case family == "sd15" && channels == 4:
		// K. Turner, "Decoding latents to RGB without upscaling" (Hugging Face forum, 2022).
		return [][3]float64{{0.298, 0.207, 0.208}, {0.187, 0.286, 0.173}, {-0.158, 0.189, 0.264}, {-0.184, -0.271, -0.473}}, bias
	}
	factors = make([][3]float64, channels)
	for i := range min(channels, 3) {
		factors[i][i] = 0.25
	}
	return factors, bias
}
