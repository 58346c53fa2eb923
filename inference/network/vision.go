package network

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// ViTConfig describes an image encoder in timm's layout.
type ViTConfig struct {
	ImgSize    int       `json:"img_size"` // side of the views; the file's own value may be another, positions are resampled
	PatchSize  int       `json:"patch_size"`
	EmbedDim   int       `json:"embed_dim"`
	Depth      int       `json:"depth"`
	NumHeads   int       `json:"num_heads"`
	MLPHidden  int       `json:"mlp_hidden"`
	ClassToken bool      `json:"class_token"`
	RegTokens  int       `json:"reg_tokens"`
	LayerScale bool      `json:"layer_scale"`
	Mean       []float64 `json:"mean"`
	Std        []float64 `json:"std"`
	Features   []int     `json:"features"` // block indices, ascending: shallow ones, then the deep one
}

// Grid is the number of patches along one side.
func (c *ViTConfig) Grid() int { return c.ImgSize / c.PatchSize }

// Validate refuses sizes that make no vision transformer. name is the encoder's folder, for messages.
func (c *ViTConfig) Validate(name string) error {
	switch {
	case c.PatchSize <= 0 || c.ImgSize < c.PatchSize || c.EmbedDim <= 0 || c.NumHeads <= 0 || c.EmbedDim%c.NumHeads != 0 || c.MLPHidden <= 0:
		return refused(name, fmt.Errorf("sizes do not make a vision transformer: img_size %d, patch_size %d, embed_dim %d, num_heads %d, mlp_hidden %d",
			c.ImgSize, c.PatchSize, c.EmbedDim, c.NumHeads, c.MLPHidden))
	case len(c.Mean) != 3 || len(c.Std) != 3:
		return refused(name, errors.New("mean and std want three numbers each"))
	case len(c.Features) == 0 || !slices.IsSorted(c.Features) || c.Features[0] < 0 || c.Features[len(c.Features)-1] >= c.Depth:
		return refused(name, fmt.Errorf("features %s must be ascending block numbers below depth %d", short(c.Features), c.Depth))
	}
	var b bounds
	b.within("img_size / patch_size", c.Grid(), 1, maxGrid)
	b.within("img_size", c.ImgSize, 1, maxChannels)
	b.within("embed_dim", c.EmbedDim, 1, maxChannels)
	b.within("depth", c.Depth, 1, maxEncoder)
	b.within("mlp_hidden", c.MLPHidden, 1, maxHidden)
	b.within("reg_tokens", c.RegTokens, 0, 1<<10)
	b.within("the number of features", len(c.Features), 1, 16)
	for i := range 3 {
		b.number("mean", c.Mean[i], -10, 10)
		b.number("std", c.Std[i], 1e-3, 10)
	}
	for i, f := range c.Features[1:] {
		b.within("a block of features", f, c.Features[i]+1, c.Depth-1)
	}
	if len(b) == 0 {
		b.within("values of the position embedding", c.Grid()*c.Grid()*c.EmbedDim, 1, maxPositions)
	}
	return b.err(name)
}

// Encoder is one image encoder with its weights.
type Encoder struct {
	Config ViTConfig
	Scope  string // scope of its keys in the store, "vision.siglip"
}

// The projector classes: the two released ones and the paper's CCP.
const (
	ProjectorHighRes = "highres" // ProjectorHighResMinAttn
	ProjectorShallow = "shallow" // ProjectorHighResShallowMinAttnV1, whose high-resolution half has no effect
	ProjectorCCP     = "ccp"     // the paper's cross-layer cross-scale projector, Eq. 5-9
)

// Projector joins the features of the encoders to visual tokens in the width of the text.
type Projector struct {
	Class   string
	HeadDim int
	Out     int    // cross_attention_dim of the U-Net
	Scope   string // "unet.encoder_hidden_states_vision_projection"
}

// Tokens is the number of visual tokens per reference, for a patch grid of side grid.
func (p Projector) Tokens(grid int) int {
	if p.Class == ProjectorHighRes {
		return grid * grid
	}
	return 2 * grid * grid
}

// VisionGraph builds vision.onnx: the five views of one reference (0 global, 1 to 4 local) -> visual tokens [1 n C].
func VisionGraph(encoders []Encoder, p Projector, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.Vision, store, func(s nn.Scope) {
		size := encoders[0].Config.ImgSize
		views := s.B.Input("views", tensor.F32, []int{5, 3, size, size})
		var shallow [][]*nn.Value // per encoder, per layer [1 P D]
		var deep, local []*nn.Value
		for _, e := range encoders {
			if e.Config.ImgSize != size || e.Config.Grid() != encoders[0].Config.Grid() ||
				len(e.Config.Features) != len(encoders[0].Config.Features) {
				nn.Fail("image encoders disagree: view size, token grid and number of features must be the same")
			}
			features := e.build(s.In(e.Scope), views)
			last := features[len(features)-1]
			deep = append(deep, nn.Slice(last, 0, 0, 1))
			// Local tokens: position slowest, view fastest (token 4p + view).
			l := nn.Transpose(nn.Slice(last, 0, 1, 5), 1, 0, 2)
			local = append(local, nn.Fold(l, 1, -1, e.Config.EmbedDim))
			var global []*nn.Value
			for _, f := range features[:len(features)-1] {
				global = append(global, nn.Slice(f, 0, 0, 1))
			}
			shallow = append(shallow, global)
		}
		var layers []*nn.Value
		for layer := range shallow[0] {
			var joined []*nn.Value
			for _, e := range shallow {
				joined = append(joined, e[layer])
			}
			layers = append(layers, nn.Concat(-1, joined...))
		}
		s.B.Output("tokens", p.build(s.In(p.Scope), nn.Concat(-1, deep...), nn.Concat(-1, local...), layers))
	})
}

// ClassGraph builds class.onnx: a view [1 3 V V] -> the class token [1 D] of an encoder that has one, as timm's VisionTransformer with
// global_pool="token" gives it: behind the last block and the final norm.
func ClassGraph(e Encoder, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.Class, store, func(s nn.Scope) {
		size := e.Config.ImgSize
		if !e.Config.ClassToken {
			nn.Fail("%s has no class token", e.Scope)
		}
		s = s.In(e.Scope)
		x := e.embed(s, s.B.Input("view", tensor.F32, []int{1, 3, size, size}))
		for i := range e.Config.Depth {
			x = e.block(s.In("blocks", i), x)
		}
		s.B.Output("class", nn.LayerNorm(s.In("norm"), nn.Fold(nn.Slice(x, 1, 0, 1), 0, e.Config.EmbedDim), 1e-6))
	})
}

// build mirrors timm VisionTransformer up to the last wanted block, without final norm; the features [5 P D] have no class or
// register tokens.
func (e Encoder) build(s nn.Scope, views *nn.Value) []*nn.Value {
	c := e.Config
	x := e.embed(s, views)
	prefix := c.RegTokens
	if c.ClassToken {
		prefix++
	}
	var features []*nn.Value
	for i := range c.Features[len(c.Features)-1] + 1 {
		x = e.block(s.In("blocks", i), x)
		if slices.Contains(c.Features, i) {
			features = append(features, nn.Slice(x, 1, prefix, prefix+c.Grid()*c.Grid()))
		}
	}
	return features
}

// embed makes tokens of n pictures, which are [n T D]: the class token, the registers, then the patches.
func (e Encoder) embed(s nn.Scope, views *nn.Value) *nn.Value {
	c, b, n := e.Config, s.B, views.Dim(0)
	perChannel := func(xs []float64) *nn.Value {
		data := make([]float32, 3)
		for i, x := range xs {
			data[i] = float32(x)
		}
		return b.Const(tensor.Of(data, 3, 1, 1))
	}
	x := nn.Div(nn.Sub(views, perChannel(c.Mean)), perChannel(c.Std))
	x = nn.Conv2D(s.In("patch_embed", "proj"), x, nn.Conv{Out: c.EmbedDim, Kernel: c.PatchSize, Stride: c.PatchSize})
	x = nn.Transpose(nn.Fold(x, 0, 0, c.Grid()*c.Grid()), 0, 2, 1)
	x = nn.Add(x, s.Param("pos_embed", []int{1, c.Grid() * c.Grid(), c.EmbedDim}))
	if c.RegTokens > 0 {
		x = nn.Concat(1, repeat(s.Param("reg_token", []int{1, c.RegTokens, c.EmbedDim}), n), x)
	}
	if c.ClassToken {
		x = nn.Concat(1, repeat(s.Param("cls_token", []int{1, 1, c.EmbedDim}), n), x)
	}
	return x
}

// repeat joins n copies of x along its first dimension.
func repeat(x *nn.Value, n int) *nn.Value { return nn.Concat(0, slices.Repeat([]*nn.Value{x}, n)...) }

// block mirrors timm Block.   x [n T D] -> the same
func (e Encoder) block(s nn.Scope, x *nn.Value) *nn.Value {
	c := e.Config
	scaled := func(name string, h *nn.Value) *nn.Value {
		if !c.LayerScale {
			return h
		}
		return nn.Mul(h, s.In(name).Param("gamma", []int{c.EmbedDim}))
	}
	qkv := nn.Linear(s.In("attn", "qkv"), nn.LayerNorm(s.In("norm1"), x, 1e-6), 3*c.EmbedDim)
	part := func(i int) *nn.Value { return nn.Slice(qkv, -1, i*c.EmbedDim, (i+1)*c.EmbedDim) }
	h := nn.Linear(s.In("attn", "proj"), nn.Attention(part(0), part(1), part(2), c.NumHeads), c.EmbedDim)
	x = nn.Add(x, scaled("ls1", h))
	h = nn.GELU(nn.Linear(s.In("mlp", "fc1"), nn.LayerNorm(s.In("norm2"), x, 1e-6), c.MLPHidden))
	return nn.Add(x, scaled("ls2", nn.Linear(s.In("mlp", "fc2"), h, c.EmbedDim)))
}

// build mirrors the released projector classes, and the paper's CCP: cross-scale attention (deep over local), cross-layer
// attention (deep over shallow), each followed by an MLP.
func (p Projector) build(s nn.Scope, deep, local *nn.Value, shallow []*nn.Value) *nn.Value {
	crossScale := func() *nn.Value { return p.mlp(s.In("projector"), p.minAttention(s.In("min_attention"), deep, local)) }
	crossLayer := func() *nn.Value {
		if len(shallow) == 0 {
			nn.Fail("projector %q needs shallow features, the image encoders' config.json lists only the deep one", p.Class)
		}
		return p.mlp(s.In("projector2"), p.minAttention(s.In("min_attention2"), deep, nn.Concat(1, shallow...)))
	}
	switch p.Class {
	case ProjectorHighRes:
		return nn.Add(nn.Linear(s.In("projector_base"), deep, p.Out), crossScale())
	case ProjectorShallow:
		return nn.Concat(1, nn.Linear(s.In("projector_base"), deep, p.Out), crossLayer())
	case ProjectorCCP:
		return nn.Concat(1, crossLayer(), nn.Add(p.mlp(s.In("projector_base"), deep), crossScale()))
	}
	nn.Fail("projector %q is unknown: choose one of %s, %s, %s", p.Class, ProjectorHighRes, ProjectorShallow, ProjectorCCP)
	return nil
}

// minAttention is the release's MinAttn: global tokens ask, local tokens answer; no output projection.
func (p Projector) minAttention(s nn.Scope, global, local *nn.Value) *nn.Value {
	width := global.Dim(-1)
	if p.HeadDim <= 0 || width%p.HeadDim != 0 {
		nn.Fail("projector: width %d of the joined image features cannot be split into heads of %d", width, p.HeadDim)
	}
	keys := nn.LayerNorm(s.In("norm2"), local, 1e-5)
	q := nn.Linear(s.In("to_q"), nn.LayerNorm(s.In("norm1"), global, 1e-5), width, nn.NoBias)
	k := nn.Linear(s.In("to_k"), keys, width, nn.NoBias)
	v := nn.Linear(s.In("to_v"), keys, width, nn.NoBias)
	return nn.Attention(q, k, v, width/p.HeadDim)
}

// mlp is Linear, GELU, Linear, GELU, Linear, LayerNorm; the hidden width is four times the input's.
func (p Projector) mlp(s nn.Scope, x *nn.Value) *nn.Value {
	h := nn.GELU(nn.Linear(s.In(0), x, 4*x.Dim(-1)))
	h = nn.GELU(nn.Linear(s.In(2), h, p.Out))
	return nn.LayerNorm(s.In(5), nn.Linear(s.In(4), h, p.Out), 1e-5)
}

// ResamplePositions brings a square position embedding [1 from² D] to another grid, as timm does on loading: antialiased
// bicubic, separable, Keys kernel with a = -0.5.
func ResamplePositions(pos *tensor.Tensor, grid int) (*tensor.Tensor, error) {
	if len(pos.Shape) != 3 || pos.Shape[0] != 1 {
		return nil, fmt.Errorf("pos_embed has shape %v, wanted [1 patches width]", pos.Shape)
	}
	n, d := pos.Shape[1], pos.Shape[2]
	from := int(math.Round(math.Sqrt(float64(n))))
	if from*from != n {
		return nil, fmt.Errorf("pos_embed holds %d positions, which is not a square; it may include class tokens, which Realword does not expect",
			n)
	}
	if from == grid {
		return pos, nil
	}
	weights := cubicWeights(from, grid)
	rows := make([]float32, grid*from*d) // [grid from d]: first axis done
	for i, w := range weights {
		for j, f := range w {
			if f == 0 {
				continue
			}
			for k := range from * d {
				rows[i*from*d+k] += f * pos.F32[j*from*d+k]
			}
		}
	}
	out := tensor.Zeros(1, grid*grid, d)
	for r := range grid {
		for i, w := range weights {
			for j, f := range w {
				if f == 0 {
					continue
				}
				for k := range d {
					out.F32[(r*grid+i)*d+k] += f * rows[(r*from+j)*d+k]
				}
			}
		}
	}
	return out, nil
}

// cubicWeights returns one row of from weights per output position.
func cubicWeights(from, to int) [][]float32 {
	scale := float64(from) / float64(to)
	stretch := max(scale, 1) // antialiasing widens the kernel when shrinking
	out := make([][]float32, to)
	for i := range out {
		centre := scale * (float64(i) + 0.5)
		row := make([]float64, from)
		sum := 0.0
		lo, hi := max(int(centre-2*stretch+0.5), 0), min(int(centre+2*stretch+0.5), from)
		for j := lo; j < hi; j++ {
			row[j] = keys((float64(j) - centre + 0.5) / stretch)
			sum += row[j]
		}
		out[i] = make([]float32, from)
		for j := range row {
			out[i][j] = float32(row[j] / sum)
		}
	}
	return out
}

// keys is the cubic convolution kernel with a = -0.5.
func keys(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}
