package network

import (
	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
)

// Parts are the networks of a model, as its graphs are built of them.
type Parts struct {
	Text      []TextEncoder
	Vision    []Encoder
	Projector Projector
	Class     *Encoder // of which the class token can be computed; nil: of none
	UNet      UNetConfig
	VAE       VAEConfig
}

// Built is how a graph of a model is built.
type Built struct {
	Name  graph.Name
	After graph.Name // is not built where that one failed: it would have the same problems; "": none
	// Build answers nil where the model has no such graph.
	Build func(Parts, *nn.Store) (*onnx.Model, error)
}

// Graphs are the graphs of a model by the file of weights that they lie over, each in the order that gives the file its own.
func Graphs() map[string][]Built {
	unet := func(build func(UNetConfig, *nn.Store) (*onnx.Model, error)) func(Parts, *nn.Store) (*onnx.Model, error) {
		return func(p Parts, s *nn.Store) (*onnx.Model, error) { return build(p.UNet, s) }
	}
	vae := func(build func(VAEConfig, *nn.Store) (*onnx.Model, error)) func(Parts, *nn.Store) (*onnx.Model, error) {
		return func(p Parts, s *nn.Store) (*onnx.Model, error) { return build(p.VAE, s) }
	}
	return map[string][]Built{
		"text": {{graph.Text, "", func(p Parts, s *nn.Store) (*onnx.Model, error) { return TextGraph(p.Text, p.UNet.TextTime(), s) }}},
		"vision": {
			{graph.Vision, "", func(p Parts, s *nn.Store) (*onnx.Model, error) { return VisionGraph(p.Vision, p.Projector, s) }},
			{graph.Class, graph.Vision, func(p Parts, s *nn.Store) (*onnx.Model, error) {
				if p.Class == nil {
					return nil, nil
				}
				return ClassGraph(*p.Class, s)
			}},
		},
		"unet": {
			{graph.UNet, "", unet(UNetGraph)},
			{graph.TextKV, "", unet(TextKVGraph)},
			{graph.VisionKV, "", unet(VisionKVGraph)},
			{graph.UNet.CUDA(), graph.UNet, func(p Parts, s *nn.Store) (*onnx.Model, error) { return UNetGraphFor(nn.CUDA, p.UNet, s) }},
		},
		"vae": {
			{graph.Decoder, "", vae(DecoderGraph)},
			{graph.Decoder.CUDA(), graph.Decoder, func(p Parts, s *nn.Store) (*onnx.Model, error) {
				return DecoderGraphFor(nn.CUDAFloat32, p.VAE, s)
			}},
			{graph.TiledDecoder, graph.Decoder, vae(TiledDecoderGraph)},
		},
		"vae_encoder": {{graph.Encoder, "", vae(EncoderGraph)}, {graph.TiledEncoder, graph.Encoder, vae(TiledEncoderGraph)}},
	}
}
