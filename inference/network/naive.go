package network

import (
	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// naive is the attention of the method as it is written down, and as the released code runs it: nothing is computed before its
// step, left out, or put together. It is what `realword bench` compares with and what the tests hold unet.onnx against.
type naive struct {
	u             *unet
	text          *nn.Value // [1 77 C]
	vision, masks *nn.Value // [R n C] and M̂ [R 1 gh gw]; nil but in the generation branch
	tokens        *nn.Value // [1 77 G]; nil but in the guidance branch
	// head means: cross maps below the grid's level, on the grid [1 N G], and self maps of the grid's level [1 N N]
	crossMaps, selfMaps []*nn.Value
	walkMaps            []*nn.Value // the self maps of the mask blocks
	layer               int         // cross-attention layers built so far
}

// PlainGraph builds text-to-image alone: no pictures, no maps, no roles. encoder_hidden_states is [1 77 C].
func PlainGraph(target nn.Target, c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.BuildFor(target, graph.Plain, store, func(s nn.Scope) {
		u, x, temb := newUNet(c, s)
		newNaive(u)
		s.B.Output("noise", u.run(x, temb), "", "", "height", "width")
	})
}

// NaiveGraph builds the generation branch of naive: encoder_hidden_states [1 77 C], vision_tokens [R n C] and masks [R 1 gh gw]
// on the guidance grid; the masks are resized to every layer and multiplied with attention over the whole picture.
func NaiveGraph(target nn.Target, c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.BuildFor(target, graph.Naive, store, func(s nn.Scope) {
		u, x, temb := newUNet(c, s)
		a := newNaive(u)
		a.vision = nn.Activation(s.B.Input("vision_tokens", tensor.F32, []int{-1, -1, c.CrossAttentionDim[0]}, "subjects", "tokens"))
		a.masks = s.B.Input("masks", tensor.F32, []int{-1, 1, -1, -1}, "subjects", "", "grid_height", "grid_width")
		s.B.Output("noise", u.run(x, temb), "", "", "height", "width")
	})
}

// NaiveGuidanceGraph builds the guidance branch of naive with the paper's maps (Eq. 12): token_weights [G 77]; every attention
// map is written out, and the noise is predicted though nobody wants it.
func NaiveGuidanceGraph(target nn.Target, c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.BuildFor(target, graph.NaiveGuidance, store, func(s nn.Scope) {
		u, x, temb := newUNet(c, s)
		a := newNaive(u)
		words := s.B.Input("token_weights", tensor.F32, []int{-1, 77}, "words")
		a.tokens = nn.Transpose(nn.Unsqueeze(words, 0), 0, 2, 1)
		s.B.Output("noise", u.run(x, temb), "", "", "height", "width")
		cross := nn.Scale(sumAll(a.crossMaps), 1/float64(len(a.crossMaps)))
		mean := func(maps []*nn.Value) *nn.Value { return nn.Scale(sumAll(maps), 1/float64(len(maps))) }
		scores := nn.MatMul(mean(a.selfMaps), cross)
		if c.MaskRounds > 1 {
			walked := cross
			for range c.MaskRounds {
				walked = nn.MatMul(mean(a.walkMaps), walked)
			}
			several := nn.Sub(nn.Slice(nn.ShapeOf(words), 0, 0, 1), s.B.Ints(1))
			scores = nn.If(several, func() []*nn.Value { return []*nn.Value{u.shared(walked, scores)} }, func() []*nn.Value {
				return []*nn.Value{walked}
			})[0]
		}
		s.B.Output("scores", u.onGrid(scores), "words", "grid_height", "grid_width")
	})
}

func newNaive(u *unet) *naive {
	a := &naive{u: u}
	a.text = nn.Activation(u.scope.B.Input("encoder_hidden_states", tensor.F32, []int{1, 77, u.CrossAttentionDim[0]}))
	u.attend = a
	return a
}

// self implements attention.
func (a *naive) self(q, k, v *nn.Value, level, heads int) *nn.Value {
	if a.tokens == nil || level != a.u.GridLevel() {
		return nn.Attention(q, k, v, heads)
	}
	p := nn.Probabilities(nn.SplitHeads(q, heads), nn.SplitHeads(k, heads), nil)
	a.selfMaps = append(a.selfMaps, nn.Float(nn.Mean(p, 1)))
	if a.u.walks(a.u.crossLayers()[a.layer].path) {
		a.walkMaps = append(a.walkMaps, a.selfMaps[len(a.selfMaps)-1])
	}
	return nn.MergeHeads(nn.MatMul(p, nn.SplitHeads(v, heads)))
}

// cross implements attention.
func (a *naive) cross(s nn.Scope, q *nn.Value, level, heads int) *nn.Value {
	a.layer++
	channels := q.Dim(-1)
	k, v := nn.Linear(s.In("to_k"), a.text, channels, nn.NoBias), nn.Linear(s.In("to_v"), a.text, channels, nn.NoBias)
	switch {
	case a.vision != nil:
		return nn.Add(nn.Attention(q, k, v, heads), a.visual(s, q, level, heads))
	case a.tokens == nil:
		return nn.Attention(q, k, v, heads)
	}
	p := nn.Probabilities(nn.SplitHeads(q, heads), nn.SplitHeads(k, heads), nil)
	if grid := a.u.GridLevel(); level != grid || len(a.u.AttentionGrids()) == 1 {
		a.crossMaps = append(a.crossMaps, a.u.lift(nn.MatMul(nn.Float(nn.Mean(p, 1)), a.tokens), level))
	}
	return nn.MergeHeads(nn.MatMul(p, nn.SplitHeads(v, heads)))
}

// visual is Σ_r M̂_r · softmax(Q K_rᵀ)V_r over the whole picture.
func (a *naive) visual(s nn.Scope, q *nn.Value, level, heads int) *nn.Value {
	channels := q.Dim(-1)
	k := nn.SplitHeads(nn.Linear(s.In("to_k_vision"), a.vision, channels, nn.NoBias), heads)
	v := nn.SplitHeads(nn.Linear(s.In("to_v_vision"), a.vision, channels, nn.NoBias), heads)
	p := nn.Probabilities(nn.SplitHeads(q, heads), k, nil)
	mask := nn.ResizeBilinear(a.masks, 1, 1<<(level-a.u.GridLevel()))
	mask = nn.Transpose(nn.Fold(mask, 0, 1, -1), 0, 2, 1) // [R hw 1]
	return nn.Sum(nn.Mul(nn.MergeHeads(nn.MatMul(p, v)), nn.Activation(mask)), 0)
}
