package inference

import (
	"context"

	"realword/inference/graph"
	"realword/inference/tensor"
)

// This file runs the method as it is written down, graphs plain, naive and naive_guidance: what unet.onnx is measured against.

// plainNoise is text-to-image by a graph that can do nothing else.
func (g *Graphs) plainNoise(ctx context.Context, p point, features *tensor.Tensor) (*tensor.Tensor, error) {
	out, err := g.run(ctx, graph.Plain, g.naiveInputs(p, features), port("noise", p.latent.Shape...))
	return out["noise"], err
}

// naiveNoise is noise with everything inside the pass: features [1, 77, C] of the text, tokens [R, n, C] of the pictures, masks on
// the guidance grid.
func (g *Graphs) naiveNoise(ctx context.Context, p point, features, tokens *tensor.Tensor, masks [][]float32) (*tensor.Tensor, error) {
	in := g.naiveInputs(p, features)
	h, w := g.gridOf(p.latent)
	all := tensor.Zeros(len(masks), 1, h, w)
	for r, mask := range masks {
		copy(all.F32[r*h*w:], mask)
	}
	in["vision_tokens"], in["masks"] = tokens, all
	out, err := g.run(ctx, graph.Naive, in, port("noise", p.latent.Shape...))
	return out["noise"], err
}

// naiveGuide is guide for the paper's maps, written out. It predicts the noise of text-to-image as well.
func (g *Graphs) naiveGuide(ctx context.Context, p point, features, words *tensor.Tensor) (noise, scores *tensor.Tensor, err error) {
	in := g.naiveInputs(p, features)
	in["token_weights"] = words
	out, err := g.run(ctx, graph.NaiveGuidance, in, port("noise", p.latent.Shape...), port("scores", words.Shape[0], -1, -1))
	return out["noise"], out["scores"], err
}

func (g *Graphs) naiveInputs(p point, features *tensor.Tensor) tensors {
	p.text.KV = KV{}
	in := p.inputs()
	in["encoder_hidden_states"] = features
	return in
}
