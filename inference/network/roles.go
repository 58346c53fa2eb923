package network

import (
	"fmt"
	"math/bits"

	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// roles is the attention of unet.onnx: one session that is the guidance branch, the generation branch or plain text-to-image
// by its inputs, so that the weights are there once.
//
//	out = to_out( softmax(QKᵀ)V + Σ_r M̂_r · softmax(Q K_rᵀ)V_r )                  (Eq. 4, 14, 17)
//
// Text keys and values were computed once for all steps, and so were the visual ones; visual attention happens at the masks'
// rows only. The guidance branch has no subjects to see; it taps the text's attention at its words (Eq. 12). Whatever a role
// does not want lies in a branch that does not run, or has no columns.
type roles struct {
	u            *unet
	text, vision []keyValue         // of every cross-attention layer
	bias         *nn.Value          // of the visual tokens [R 1 1 n]
	several      *nn.Value          // [1] whether there is more than one subject, so that some may have fewer tokens than n
	rows         map[int]*nn.Value  // level -> [R T 2], pairs (subject, row)
	weight       map[int]*nn.Value  // level -> [R T 1], the mask at those rows
	masks        map[int]*nn.Masked // level -> both, once a layer asked
	subjects     *nn.Value          // R as [1]: whether there are any

	tokens      *nn.Value         // Uᵀ [1 n G]: the tokens of the G words to tap, of n of the text
	noise       *nn.Value         // [1] whether the predicted noise is wanted
	crossLevels map[int]*nn.Value // level -> [1] whether its cross maps count
	selfLevels  map[int]*nn.Value // level -> [1] whether its self maps count
	layerMaps   *nn.Value         // [1] whether the map of every layer is normalised
	anyCross    *nn.Value
	anySelf     *nn.Value

	perturbed *nn.Value // [1] whether self-attention of the perturbed blocks looks nowhere; nil: the U-Net has none

	layer   int                 // cross-attention layers built so far
	taps    map[int][]*nn.Value // level -> cross maps of the words, one [1 heads hw G] per layer
	kept    map[int][]keyValue  // level -> queries and keys of self-attention whose map is applied in the end
	walk    []keyValue          // those of the mask blocks
	words   *nn.Value           // [1] whether there is more than one word
	refined []*nn.Value         // M_self · M_cross of the layers that did it at once [1 N G], N cells of the grid
	lower   *nn.Value           // the cross maps that the self maps refine [1 N G]; nil as long as they are not complete
	tail    *nn.Branch          // what comes after the last tap
}

// keyValue are the keys and values of one attention layer, or its queries and keys.
type keyValue struct{ k, v *nn.Value }

// UNetGraph builds unet.onnx, one denoising pass in one of three roles:
//
//	guidance branch     want_noise 0, cross_levels and self_levels by the mask source, G words, R = 0 subjects
//	generation branch   want_noise 1, no levels, G = 0, R subjects
//	text-to-image       the same with R = 0
//
// Of a branch that was not wanted, the outputs are one zero. The masks come as rows: for every grid of AttentionGrids,
// rows_<grid> [R T 2] int64 lists (subject, cell) and row_weights_<grid> [R T 1] the mask there; a subject's rows are distinct,
// and those that fill up to T have weight 0. vision_bias [R n] is 0 for a token and -1e9 for what fills up to n. cross_levels and
// self_levels [grids] int64 say with 0 or 1 whose maps count, in the order of AttentionGrids; where there are several grids, self
// maps refine cross maps of the grids below the finest only. layer_maps [1] int64 says with 1 that every layer's map M becomes (M
// − min M) / (max M − min M + 10⁻⁶) before the mean over layers. Where the config has perturbed blocks, perturbed [1] int64 says with 1
// that in these every position attends to itself alone (PAG, arXiv 2403.17377). Where it has mask rounds, the self maps of its mask
// blocks are applied so often: a walk along what belongs together, M_self^n · M_cross in place of Eq. 12. Of several words it leads from
// one thing to another beside it: there the walks say what is a thing, and Eq. 12 whose it is.
func UNetGraph(c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return UNetGraphFor(nn.CPU, c, store)
}

// UNetGraphFor is UNetGraph for a target. Inputs and outputs are the same for all.
func UNetGraphFor(target nn.Target, c UNetConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.BuildFor(target, graph.UNet, store, func(s nn.Scope) {
		u, x, temb := newUNet(c, s)
		r := newRoles(u)
		u.attend = r
		predicted := u.run(x, temb)
		noise := r.tail.End([]*nn.Value{predicted}, func() []*nn.Value { return []*nn.Value{r.nothing(4)} })
		s.B.Output("noise", noise[0], "", "", "height", "width")
		cross, scores := r.maps()
		s.B.Output("cross", cross, "words", "grid_height", "grid_width")
		s.B.Output("scores", scores, "words", "grid_height", "grid_width")
	})
}

func newRoles(u *unet) *roles {
	b := u.scope.B
	r := &roles{
		u: u, rows: map[int]*nn.Value{}, weight: map[int]*nn.Value{}, masks: map[int]*nn.Masked{},
		taps: map[int][]*nn.Value{}, kept: map[int][]keyValue{},
		crossLevels: map[int]*nn.Value{}, selfLevels: map[int]*nn.Value{},
	}
	for i, l := range u.crossLayers() {
		d := l.channels / l.heads
		r.text = append(r.text, keyValue{
			b.Input(fmt.Sprintf("text_k_%d", i), tensor.F32, []int{1, -1, l.channels}, "", textTokens),
			b.Input(fmt.Sprintf("text_v_%d", i), tensor.F32, []int{1, -1, l.channels}, "", textTokens),
		})
		r.vision = append(r.vision, keyValue{
			b.Input(fmt.Sprintf("vision_k_%d", i), tensor.F32, []int{-1, l.heads, d, -1}, "subjects", "", "", "tokens"),
			b.Input(fmt.Sprintf("vision_v_%d", i), tensor.F32, []int{-1, l.heads, -1, d}, "subjects", "", "tokens"),
		})
	}
	bias := b.Input("vision_bias", tensor.F32, []int{-1, -1}, "subjects", "tokens")
	r.bias, r.subjects = nn.Unsqueeze(bias, 1, 2), nn.Slice(nn.ShapeOf(bias), 0, 0, 1)
	r.several = nn.Sub(r.subjects, b.Ints(1))
	grids := u.AttentionGrids()
	for _, grid := range grids {
		level, rows := bits.TrailingZeros(uint(grid)), fmt.Sprintf("rows_of_%d", grid)
		r.rows[level] = b.Input(fmt.Sprintf("rows_%d", grid), tensor.I64, []int{-1, -1, 2}, "subjects", rows)
		r.weight[level] = b.Input(fmt.Sprintf("row_weights_%d", grid), tensor.F32, []int{-1, -1, 1}, "subjects", rows)
	}
	words := b.Input("token_weights", tensor.F32, []int{-1, -1}, "words", textTokens)
	r.tokens = nn.Transpose(nn.Unsqueeze(words, 0), 0, 2, 1)
	if u.MaskRounds > 1 {
		r.words = nn.Sub(nn.Slice(nn.ShapeOf(words), 0, 0, 1), b.Ints(1))
		nn.Condition(r.words)
	}
	r.noise = b.Input("want_noise", tensor.I64, []int{1})
	cross, self := b.Input("cross_levels", tensor.I64, []int{len(grids)}), b.Input("self_levels", tensor.I64, []int{len(grids)})
	r.layerMaps = b.Input("layer_maps", tensor.I64, []int{1})
	nn.Condition(r.several)
	nn.Condition(r.layerMaps)
	if len(u.PerturbedBlocks) > 0 {
		r.perturbed = b.Input("perturbed", tensor.I64, []int{1})
		nn.Condition(r.perturbed)
	}
	r.anyCross, r.anySelf = nn.Largest(cross), nn.Largest(self)
	for i, grid := range grids {
		level := bits.TrailingZeros(uint(grid))
		r.crossLevels[level], r.selfLevels[level] = nn.Slice(cross, 0, i, i+1), nn.Slice(self, 0, i, i+1)
	}
	return r
}

// self implements attention. A layer on the grid that comes after the cross maps are complete refines them at once: they are
// further columns of its values, so that softmax(QKᵀ)V and softmax(QKᵀ)M are one product and no map is written out. The others
// keep queries and keys for the end, if they are wanted.
func (r *roles) self(q, k, v *nn.Value, level, heads int) *nn.Value {
	attend, path := func() *nn.Value { return nn.Attention(q, k, v, heads) }, r.u.crossLayers()[r.layer].path
	if r.perturbed != nil && r.u.perturbs(path) {
		whole := attend
		attend = func() *nn.Value {
			return nn.If(r.perturbed, func() []*nn.Value { return []*nn.Value{v} }, func() []*nn.Value { return []*nn.Value{whole()} })[0]
		}
	}
	if level == r.u.GridLevel() && r.u.MaskRounds <= 1 && r.completed(level) {
		if r.lower == nil {
			r.lower = nn.If(r.anySelf, func() []*nn.Value { return []*nn.Value{r.meanCross(r.levels()[1:])} }, func() []*nn.Value {
				return []*nn.Value{r.nothing(3)}
			})[0]
		}
		both := nn.If(r.selfLevels[level], func() []*nn.Value {
			out, mapped := nn.AttentionColumns(q, k, v, r.lower, heads)
			return []*nn.Value{out, mapped}
		}, func() []*nn.Value {
			return []*nn.Value{attend(), r.nothing(3)}
		})
		r.refined = append(r.refined, both[1])
		return both[0]
	}
	qk := nn.If(r.selfLevels[level], func() []*nn.Value { return []*nn.Value{q, k} }, func() []*nn.Value {
		return []*nn.Value{nn.Activation(r.nothing(3)), nn.Activation(r.nothing(3))}
	})
	for i := range qk {
		qk[i].Shape = q.Shape // as far as anybody looks at it
	}
	r.kept[level] = append(r.kept[level], keyValue{qk[0], qk[1]})
	if level == r.u.GridLevel() && r.u.walks(path) {
		r.walk = append(r.walk, keyValue{qk[0], qk[1]})
	}
	return attend()
}

// nothing is the result of a branch that nobody wants.
func (r *roles) nothing(dims int) *nn.Value {
	shape := []int{1, 1, 1, 1}
	return r.u.scope.B.Const(tensor.Zeros(shape[:dims]...))
}

// cross implements attention.
func (r *roles) cross(_ nn.Scope, q *nn.Value, level, heads int) *nn.Value {
	text, vision := r.text[r.layer], r.vision[r.layer]
	r.layer++
	taps, attend := nn.TappedAttention(q, text.k, text.v, r.tokens, r.anyCross, heads)
	r.taps[level] = append(r.taps[level], taps)
	if r.layer == len(r.text) {
		r.tail = nn.Begin(r.noise)
	}
	found := attend()
	if r.masks[level] == nil {
		r.masks[level] = nn.NewMasked(r.rows[level], r.weight[level], r.subjects, q)
	}
	return nn.If(r.subjects, func() []*nn.Value {
		return []*nn.Value{nn.Add(found, r.masks[level].Attention(q, vision.k, vision.v, r.bias, r.several, heads))}
	}, func() []*nn.Value {
		return []*nn.Value{found}
	})[0]
}

// completed tells whether every cross map below a level was tapped, and whether there is any.
func (r *roles) completed(level int) bool {
	below := 0
	for _, l := range r.u.crossLayers() {
		if l.level > level {
			below++
		}
	}
	for l, taps := range r.taps {
		if l > level {
			below -= len(taps)
		}
	}
	return below == 0 && len(r.u.AttentionGrids()) > 1
}

// meanCross is the head mean of the wanted cross maps of some levels, averaged over their layers on the grid [1 N G].
func (r *roles) meanCross(levels []int) *nn.Value {
	var sums, counts []*nn.Value
	for _, level := range levels {
		wanted := nn.Float(r.crossLevels[level])
		sum := nn.If(r.layerMaps, func() []*nn.Value { return []*nn.Value{r.normalized(level)} }, func() []*nn.Value {
			return []*nn.Value{r.u.lift(nn.Mean(sumAll(r.taps[level]), 1), level)}
		})[0]
		sums = append(sums, nn.Mul(sum, wanted))
		counts = append(counts, nn.Scale(wanted, float64(len(r.taps[level]))))
	}
	return nn.Div(sumAll(sums), sumAll(counts))
}

// normalized is the sum of a level's cross maps on the grid [1 N G], of which each is brought to 0..1 by its own least and largest
// value (min_max_per_channel of the released code).
func (r *roles) normalized(level int) *nn.Value {
	const epsilon = 1e-6
	var layers []*nn.Value
	for _, tap := range r.taps[level] {
		layers = append(layers, nn.Mean(tap, 1))
	}
	// All layers at once: [L hw G] as L·G maps of one row each.
	maps := nn.Transpose(nn.Concat(0, layers...), 0, 2, 1)
	rows := nn.Reshape(maps, nn.Concat(0, r.u.scope.B.Ints(-1, 1), nn.Slice(nn.ShapeOf(maps), 0, 2, 3)), -1, 1, -1)
	rows = nn.Transpose(r.u.lift(nn.Transpose(rows, 1, 2, 0), level), 2, 0, 1) // [L·G 1 N]
	low := nn.Least(rows, 2)
	span := nn.Sub(nn.Most(rows, 2), low)
	rows = nn.Div(nn.Sub(rows, low), nn.Add(span, r.u.scope.B.Const(tensor.Of([]float32{epsilon}, 1))))
	maps = nn.Reshape(rows, nn.Concat(0, r.u.scope.B.Ints(len(layers), -1), nn.Slice(nn.ShapeOf(rows), 0, 2, 3)), len(layers), -1, -1)
	return nn.Transpose(nn.Sum(maps, 0), 0, 2, 1)
}

// maps is Eq. 12 on the guidance grid: the words' cross-attention, and refined by the mean self-attention of the wanted
// layers. Both are [G gh gw].
func (r *roles) maps() (cross, scores *nn.Value) {
	both := nn.If(r.anyCross, func() []*nn.Value {
		mean := r.meanCross(r.levels())
		refined := nn.If(r.anySelf, func() []*nn.Value {
			lower := r.lower
			switch levels := r.levels(); {
			case lower != nil:
			case len(levels) > 1:
				lower = r.meanCross(levels[1:])
			default: // one level attends: its self maps refine its own cross maps
				lower = mean
			}
			if r.u.MaskRounds <= 1 {
				return []*nn.Value{r.refine(lower)}
			}
			walked := r.walked(lower)
			return nn.If(r.words, func() []*nn.Value { return []*nn.Value{r.u.shared(walked, r.refine(lower))} }, func() []*nn.Value {
				return []*nn.Value{walked}
			})
		}, func() []*nn.Value { return []*nn.Value{mean} })
		return []*nn.Value{r.u.onGrid(mean), r.u.onGrid(refined[0])}
	}, func() []*nn.Value { return []*nn.Value{r.nothing(3), r.nothing(3)} })
	return both[0], both[1]
}

// levels lists those that attend, the grid's first.
func (r *roles) levels() []int {
	var levels []int
	for _, grid := range r.u.AttentionGrids() {
		levels = append(levels, bits.TrailingZeros(uint(grid)))
	}
	return levels
}

// walked is (the mean over heads and mask blocks of M_self)^n · M_cross [1 N G], of cross maps lower [1 N G] and n mask rounds.
func (r *roles) walked(lower *nn.Value) *nn.Value {
	for range r.u.MaskRounds {
		var done []*nn.Value
		for _, a := range r.walk {
			done = append(done, a.apply(lower, r.u.NumAttentionHeads.At(r.u.GridLevel())))
		}
		lower = nn.Scale(sumAll(done), 1/float64(len(done)))
	}
	return lower
}

// shared are scores of several words [1 N G]. A walk leads from one thing to another beside it, so all walks together, each over its
// highest, say what is a thing, and Eq. 12 says whose: every position goes by the squares of what is there of each word's sum.
func (u *unet) shared(walked, refined *nn.Value) *nn.Value {
	least := u.scope.B.Const(tensor.Of([]float32{1e-30}, 1))
	some := func(x *nn.Value) *nn.Value { return nn.Add(x, least) }
	place := nn.Div(refined, some(nn.Sum(refined, 1)))
	place = nn.Mul(place, place)
	thing := nn.Sum(nn.Div(walked, some(nn.Most(walked, 1))), 2)
	return nn.Mul(thing, nn.Div(place, some(nn.Sum(place, 2))))
}

// refine is the mean over heads and wanted layers of M_self · M_cross [1 N G], of cross maps lower [1 N G].
func (r *roles) refine(lower *nn.Value) *nn.Value {
	grid := r.u.GridLevel()
	var sums, counts []*nn.Value
	for _, level := range r.levels() {
		heads := r.u.NumAttentionHeads.At(level)
		layers := len(r.kept[level])
		if level == grid {
			layers += len(r.refined)
		}
		sums = append(sums, nn.If(r.selfLevels[level], func() []*nn.Value {
			if level == grid {
				done := append([]*nn.Value(nil), r.refined...)
				for _, a := range r.kept[level] {
					done = append(done, a.apply(lower, heads))
				}
				return []*nn.Value{sumAll(done)}
			}
			// R A Rᵀ: the map of a lower level lifted to the grid on both sides.
			lift := r.u.lifting(level) // Rᵀ [n N]
			rows := nn.MatMul(lift, lower)
			var done []*nn.Value
			for _, a := range r.kept[level] {
				done = append(done, a.apply(rows, heads))
			}
			return []*nn.Value{nn.MatMul(nn.Transpose(lift, 1, 0), sumAll(done))}
		}, func() []*nn.Value { return []*nn.Value{nn.Scale(lower, 0)} })[0])
		counts = append(counts, nn.Scale(nn.Float(r.selfLevels[level]), float64(layers)))
	}
	return nn.Div(sumAll(sums), sumAll(counts))
}

// apply multiplies the head mean of softmax(QKᵀ) with rows [1 hw G]; qk holds queries and keys.
func (qk keyValue) apply(rows *nn.Value, heads int) *nn.Value {
	return nn.MapColumns(qk.k, qk.v, rows, heads)
}

// lift resizes columns [1 hw G] of a level to the guidance grid [1 N G].
func (u *unet) lift(rows *nn.Value, level int) *nn.Value {
	if level == u.GridLevel() {
		return rows
	}
	image := nn.Reshape(nn.Transpose(rows, 2, 0, 1), nn.Concat(0, u.scope.B.Ints(-1, 1), u.spatial[level]), -1, 1, -1, -1)
	return nn.Transpose(nn.Fold(nn.ResizeBilinear(image, 1<<(level-u.GridLevel()), 1), 0, 1, -1), 1, 2, 0)
}

// lifting returns the transposed matrix of lift, Rᵀ [n N], by resizing the unit vectors.
func (u *unet) lifting(level int) *nn.Value {
	b := u.scope.B
	n := nn.Product(u.spatial[level])
	unit := nn.Reshape(nn.Identity(n), nn.Concat(0, n, b.Ints(1), u.spatial[level]), -1, 1, -1, -1)
	up := nn.ResizeBilinear(unit, 1<<(level-u.GridLevel()), 1)
	return nn.Reshape(up, nn.Concat(0, n, b.Ints(-1)), -1, -1)
}

// onGrid turns columns [1 N G] into maps [G gh gw].
func (u *unet) onGrid(rows *nn.Value) *nn.Value {
	return nn.Reshape(nn.Transpose(rows, 2, 0, 1), nn.Concat(0, u.scope.B.Ints(-1), u.spatial[u.GridLevel()]), -1, -1, -1)
}
