package network

import (
	"fmt"
	"math"
	"strings"

	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// CLIPTextConfig is the part of a transformers CLIPTextModel config.json that decides the network.
type CLIPTextConfig struct {
	VocabSize    int     `json:"vocab_size"`
	HiddenSize   int     `json:"hidden_size"`
	Intermediate int     `json:"intermediate_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Positions    int     `json:"max_position_embeddings"`
	HiddenAct    string  `json:"hidden_act"`
	LayerNormEps float64 `json:"layer_norm_eps"`
	EOS          int     `json:"eos_token_id"`
}

// Validate refuses what Realword does not build and fills in the library's defaults. name is the folder, for messages.
func (c *CLIPTextConfig) Validate(name string) error {
	if c.LayerNormEps == 0 {
		c.LayerNormEps = 1e-5
	}
	if c.HiddenAct == "" {
		c.HiddenAct = "quick_gelu"
	}
	if c.Positions == 0 {
		c.Positions = 77
	}
	switch {
	case c.HiddenAct != "quick_gelu" && c.HiddenAct != "gelu":
		return refused(name, fmt.Errorf("hidden_act %q is not known; CLIP text encoders have quick_gelu or gelu", short(c.HiddenAct)))
	case c.Positions != 77:
		return refused(name, fmt.Errorf("max_position_embeddings %d, CLIP text encoders have 77", c.Positions))
	case c.HiddenSize <= 0 || c.Heads <= 0 || c.HiddenSize%c.Heads != 0 || c.Layers <= 0 || c.VocabSize <= 2 || c.Intermediate <= 0:
		return refused(name, fmt.Errorf("sizes do not make a CLIP text encoder: hidden_size %d, num_attention_heads %d, num_hidden_layers %d, vocab_size %d",
			c.HiddenSize, c.Heads, c.Layers, c.VocabSize))
	}
	if c.EOS == 0 { // absent, or null: the library's default, and CLIP's last id in smaller vocabularies
		c.EOS = min(49407, c.VocabSize-1)
	}
	var b bounds
	b.within("hidden_size", c.HiddenSize, 1, maxChannels)
	b.within("intermediate_size", c.Intermediate, 1, maxHidden)
	b.within("num_hidden_layers", c.Layers, 1, maxEncoder)
	b.within("vocab_size", c.VocabSize, 3, maxVocabulary)
	b.within("eos_token_id", c.EOS, 0, c.VocabSize-1)
	b.number("layer_norm_eps", c.LayerNormEps, 1e-12, 1)
	return b.err(name)
}

// TextEncoder is one encoder with its weights.
type TextEncoder struct {
	Config    CLIPTextConfig
	Scope     string // scope of the encoder's keys in the store, "text_encoder.text_model"
	Projected int    // channels that text_projection beside it makes of the pooled text; 0: that is taken without, as the release does
}

// TextGraph builds text.onnx: ids -> text features. With one encoder (SD-1.5) that is the last layer after the final norm. With
// textTime (SDXL) it is the last but one layer of every encoder without final norm, joined on channels, and pooled is the last
// encoder's final_layer_norm(last layer) at the first end of text.
func TextGraph(encoders []TextEncoder, textTime bool, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.Text, store, func(root nn.Scope) {
		b := root.B
		var features []*nn.Value
		for i, e := range encoders {
			name := "input_ids"
			if i > 0 {
				name = fmt.Sprintf("input_ids_%d", i+1)
			}
			ids := b.Input(name, tensor.I64, []int{1, 77})
			s := root.In(e.Scope)
			mask := causalMask(b)
			x := e.penultimate(s, ids, mask)
			switch {
			case !textTime:
				features = append(features, e.last(s, x, mask))
			case i < len(encoders)-1:
				features = append(features, x)
			default:
				features = append(features, x)
				pooled := e.pool(e.last(s, x, mask), ids)
				if e.Projected > 0 {
					pooled = nn.Linear(root.In(strings.TrimSuffix(e.Scope, ".text_model"), "text_projection"), pooled, e.Projected, nn.NoBias)
				}
				b.Output("pooled", pooled)
			}
		}
		joined := features[0]
		if len(features) > 1 {
			joined = nn.Concat(-1, features...)
		}
		b.Output("encoder_hidden_states", joined)
	})
}

// causalMask is [77 77]: a token sees itself and what is before it. There is no padding mask.
func causalMask(b *nn.Builder) *nn.Value {
	mask := tensor.Zeros(77, 77)
	for q := range 77 {
		for k := q + 1; k < 77; k++ {
			mask.F32[q*77+k] = float32(math.Inf(-1))
		}
	}
	return b.Const(mask)
}

// penultimate mirrors transformers CLIPTextTransformer up to the last but one layer.   ids [1 77] -> [1 77 C]
func (e TextEncoder) penultimate(s nn.Scope, ids, mask *nn.Value) *nn.Value {
	c := e.Config
	x := nn.Gather(s.In("embeddings", "token_embedding").Param("weight", []int{c.VocabSize, c.HiddenSize}), ids)
	x = nn.Add(x, s.In("embeddings", "position_embedding").Param("weight", []int{77, c.HiddenSize}))
	for i := range c.Layers - 1 {
		x = e.layer(s.In("encoder", "layers", i), x, mask)
	}
	return x
}

// last is the last layer with the final norm.   [1 77 C] -> [1 77 C]
func (e TextEncoder) last(s nn.Scope, x, mask *nn.Value) *nn.Value {
	x = e.layer(s.In("encoder", "layers", e.Config.Layers-1), x, mask)
	return nn.LayerNorm(s.In("final_layer_norm"), x, e.Config.LayerNormEps)
}

// pool picks the features at the first end of text.   x [1 77 C] -> [1 C]
func (e TextEncoder) pool(x, ids *nn.Value) *nn.Value {
	end := nn.FirstEqual(ids, e.Config.EOS)
	if e.Config.EOS == 2 { // configs from before transformers 4.30 carry a wrong id; the real one is the largest
		end = nn.FirstMax(ids)
	}
	return nn.Gather(nn.Fold(x, 77, e.Config.HiddenSize), end)
}

// layer mirrors transformers CLIPEncoderLayer.
func (e TextEncoder) layer(s nn.Scope, x, mask *nn.Value) *nn.Value {
	c := e.Config
	h := nn.LayerNorm(s.In("layer_norm1"), x, c.LayerNormEps)
	attn := s.In("self_attn")
	q := nn.SplitHeads(nn.Linear(attn.In("q_proj"), h, c.HiddenSize), c.Heads)
	k := nn.SplitHeads(nn.Linear(attn.In("k_proj"), h, c.HiddenSize), c.Heads)
	v := nn.SplitHeads(nn.Linear(attn.In("v_proj"), h, c.HiddenSize), c.Heads)
	h = nn.MergeHeads(nn.MatMul(nn.Probabilities(q, k, mask), v))
	x = nn.Add(x, nn.Linear(attn.In("out_proj"), h, c.HiddenSize))

	h = nn.Linear(s.In("mlp", "fc1"), nn.LayerNorm(s.In("layer_norm2"), x, c.LayerNormEps), c.Intermediate)
	if c.HiddenAct == "gelu" {
		h = nn.GELU(h)
	} else {
		h = nn.QuickGELU(h)
	}
	return nn.Add(x, nn.Linear(s.In("mlp", "fc2"), h, c.HiddenSize))
}
