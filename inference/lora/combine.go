package lora

import (
	"cmp"
	"context"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/tensor"
)

// Part is a file that takes part in a run, with what Fit has said of it and its weight.
type Part struct {
	File   *File
	Fit    Fit
	Weight float64
}

// Factors are the change B·A of one weight W [out, ...]: A is [r, ...], a linear layer or convolution of its own in the place of W's, and
// B [out, r] leads to W's outputs, with further dimensions of size 1 where A has them.
type Factors struct{ A, B *tensor.Tensor }

// Mix is what several files together make of a model.
type Mix struct {
	Factors map[string]Factors
	Whole   map[string]*tensor.Tensor // changed weights, in the shape of Weights
}

// Forms are the weights that the parts change, and in which way. It depends on the files and not on their weights.
func Forms(parts []Part, w Weights) map[string]Form {
	forms := map[string]Form{}
	for _, p := range parts {
		for name, form := range p.Fit.Changes {
			if had, ok := forms[name]; ok && had.Rank > 0 && form.Rank > 0 {
				form.Rank += had.Rank
				if !few(form.Rank, w[name]) {
					form.Rank = 0
				}
			} else if ok {
				form.Rank = 0
			}
			forms[name] = form
		}
	}
	return forms
}

// Bytes is the memory of what Combine will give.
func Bytes(parts []Part, w Weights) (n int64) {
	for name, form := range Forms(parts, w) {
		shape := w[name]
		out, inner := int64(shape[0]), int64(tensor.Count(shape[1:]))
		if form.Rank > 0 {
			n += 4 * int64(form.Rank) * (out + inner)
		} else {
			n += 4 * out * inner
		}
	}
	return n
}

// few tells whether factors of a rank cost at most half of what the weight itself does.
func few(rank int, shape []int) bool {
	out, n := float64(shape[0]), float64(tensor.Count(shape[1:]))
	return len(shape) > 1 && 2*float64(rank)*(out+n) <= out*n
}

// Combine computes what the parts make of the weights of a model; read gives one of them in float32, from any goroutine, and is asked
// for those alone whose Form has no rank. It stops when ctx ends.
func Combine(ctx context.Context, parts []Part, w Weights, read func(name string) (*tensor.Tensor, error)) (*Mix, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	forms := Forms(parts, w)
	mix := &Mix{Factors: map[string]Factors{}, Whole: map[string]*tensor.Tensor{}}
	names := make(chan string, len(forms))
	for name := range forms {
		names <- name
	}
	close(names)
	var lock sync.Mutex
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		workers.Go(func() {
			for name := range names {
				if ctx.Err() != nil {
					return
				}
				var factors Factors
				var whole *tensor.Tensor
				var err error
				if forms[name].Rank > 0 {
					factors, err = factorsOf(parts, name, w[name], forms[name].Rank)
				} else {
					whole, err = wholeOf(parts, name, w[name], read)
				}
				if err != nil {
					cancel(err)
					return
				}
				lock.Lock()
				if whole != nil {
					mix.Whole[name] = whole
				} else {
					mix.Factors[name] = factors
				}
				lock.Unlock()
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return mix, nil
}

// factorsOf puts the factors of all parts beside each other.
func factorsOf(parts []Part, name string, shape []int, rank int) (Factors, error) {
	out, n := shape[0], tensor.Count(shape[1:])
	f := Factors{A: tensor.Zeros(append([]int{rank}, shape[1:]...)...), B: tensor.Zeros(append([]int{out, rank}, ones(len(shape)-2)...)...)}
	at := 0
	for _, p := range parts {
		m := p.Fit.modules[name]
		if m == nil {
			continue
		}
		d, err := p.File.delta(m, name, shape)
		if err != nil {
			return f, err
		}
		r := d.rank
		a, b := d.factors()
		copy(f.A.F32[at*n:], a)
		for o := range out {
			for k := range r {
				f.B.F32[o*rank+at+k] = float32(float64(b[o*r+k]) * p.Weight)
			}
		}
		at += r
	}
	return f, nil
}

func ones(n int) []int { return slices.Repeat([]int{1}, max(n, 0)) }

// wholeOf adds the changes of all parts to a weight of the model.
func wholeOf(parts []Part, name string, shape []int, read func(string) (*tensor.Tensor, error)) (*tensor.Tensor, error) {
	base, err := read(name)
	if err != nil {
		return nil, err
	}
	whole := tensor.Of(slices.Clone(base.F32), shape...)
	for _, p := range parts {
		m := p.Fit.modules[name]
		if m == nil {
			continue
		}
		d, err := p.File.delta(m, name, shape)
		if err != nil {
			return nil, err
		}
		d.add(whole.F32, base.F32, float32(p.Weight))
	}
	return whole, nil
}

// delta is what a module of a file adds to a weight [out, n] at its full weight.
type delta struct {
	out, n int
	rank   int                                // of factors, 0 where it has too many
	row    func(o int, to, scratch []float32) // writes row o of the change; scratch is as long
	// factors returns A [rank, n] and B [out, rank].
	factors func() (a, b []float32)

	magnitude []float32 // of DoRA: per row of the decomposed weight, or per column of inner numbers
	inner     int       // 0: per row
}

// add adds weight times the change to whole; base is the model's own.
func (d delta) add(whole, base []float32, weight float32) {
	row, scratch := make([]float32, d.n), make([]float32, d.n)
	var columns []float64
	if d.inner > 0 {
		columns = make([]float64, d.n/d.inner)
		for o := range d.out {
			d.row(o, row, scratch)
			for i := range row {
				v := float64(base[o*d.n+i] + row[i])
				columns[i/d.inner] += v * v
			}
		}
	}
	for o := range d.out {
		d.row(o, row, scratch)
		from, to := base[o*d.n:(o+1)*d.n], whole[o*d.n:(o+1)*d.n]
		switch {
		case d.magnitude == nil:
			for i, v := range row {
				to[i] += weight * v
			}
			continue
		case d.inner > 0:
			for i, v := range row {
				norm := max(math.Sqrt(columns[i/d.inner]), smallest)
				to[i] += weight * (float32(float64(d.magnitude[i/d.inner])/norm*float64(from[i]+v)) - from[i])
			}
			continue
		}
		sum := 0.
		for i, v := range row {
			w := float64(from[i] + v)
			sum += w * w
		}
		scale := float32(float64(d.magnitude[o]) / max(math.Sqrt(sum), smallest))
		for i, v := range row {
			to[i] += weight * (scale*(from[i]+v) - from[i])
		}
	}
}

// smallest keeps a row of zeros from being divided by its length.
const smallest = 1e-12

// axpy adds f·x to to.
func axpy(to []float32, f float32, x []float32) {
	to = to[:len(x)]
	for i, v := range x {
		to[i] += f * v
	}
}

// product is a delta of factors a [rank, n] and b [out, rank].
func product(out, n, rank int, a, b []float32) delta {
	return delta{
		out: out, n: n, rank: rank,
		row: func(o int, to, _ []float32) {
			clear(to)
			for k := range rank {
				axpy(to, b[o*rank+k], a[k*n:(k+1)*n])
			}
		},
		factors: func() ([]float32, []float32) { return a, b },
	}
}

// forms says how the weights of a module of the model are changed by one of the file's; nil where a shape does not fit.
func (f *File) forms(m *module, name string, w Weights) (map[string]Form, error) {
	changes := map[string]Form{}
	for _, end := range []string{".weight", ".bias"} {
		if end == ".bias" && m.keys["diff_b"] == "" || end == ".weight" && len(m.keys) == 1 && m.keys["diff_b"] != "" {
			continue
		}
		shape, ok := w[name+end]
		if !ok {
			return nil, nil
		}
		rank, err := f.shape(m, end, shape)
		if err != nil || rank < 0 {
			return nil, err
		}
		changes[name+end] = Form{rank}
	}
	return changes, nil
}

// kinds of modules, by tensors that they have.
func (m *module) has(kinds ...string) bool {
	return slices.ContainsFunc(kinds, func(k string) bool { return m.keys[k] != "" })
}

// shape says the rank of a change, 0 where the whole weight is wanted, -1 where it does not fit the shape of the model's weight. All
// tensors that delta reads are compared here.
func (f *File) shape(m *module, end string, want []int) (int, error) {
	out, n := want[0], tensor.Count(want[1:])
	in, cells := 1, 1
	if len(want) > 1 {
		in, cells = want[1], tensor.Count(want[2:])
	}
	of := func(kind string) []int {
		shape, _, ok := f.data.Shape(m.keys[kind])
		if !ok || slices.Contains(shape, 0) {
			return nil
		}
		return shape
	}
	need := func(kinds ...string) error {
		for _, k := range kinds {
			if of(k) == nil {
				return message.Errorf("%s is damaged: its part %s lacks %s; get the file again", filepath.Base(f.path), files.Shown(m.name, 100), k)
			}
		}
		return nil
	}
	fits := func(ok bool, rank int) (int, error) {
		switch {
		case !ok || len(want) < 2 && rank > 0:
			return -1, nil
		case m.has("magnitude"):
			if k := tensor.Count(of("magnitude")); k != out && k != in {
				return -1, nil
			}
			return 0, nil
		case !few(rank, want):
			return 0, nil
		}
		return rank, nil
	}
	rows := func(shape []int) int {
		if len(shape) == 0 {
			return 0
		}
		return shape[0]
	}
	switch {
	case end == ".bias":
		if of("diff_b") == nil || tensor.Count(of("diff_b")) != out || n != 1 {
			return -1, nil
		}
		return 0, nil
	case m.has("down", "up", "mid"):
		if err := need("down", "up"); err != nil {
			return 0, err
		}
		down, up := of("down"), of("up")
		r := rows(down)
		if mid := of("mid"); mid != nil {
			ok := len(mid) >= 2 && mid[1] == r && tensor.Count(mid[2:]) == cells && tensor.Count(down) == r*in &&
				tensor.Count(up) == out*mid[0] && rows(up) == out
			return fits(ok, rows(mid))
		}
		return fits(tensor.Count(down) == r*n && tensor.Count(up) == out*r && rows(up) == out, r)
	case m.has("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"):
		if err := need("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"); err != nil {
			return 0, err
		}
		ok := true
		ranks := 1
		for _, i := range []string{"1", "2"} {
			a, b := of("hada_w"+i+"_a"), of("hada_w"+i+"_b")
			r := rows(b)
			ranks *= r
			if t := of("hada_t" + i); t != nil {
				ok = ok && slices.Equal(a, []int{rows(t), out}) && len(t) >= 2 && slices.Equal(b, []int{t[1], in}) && tensor.Count(t[2:]) == cells
				ranks = math.MaxInt32
			} else {
				ok = ok && slices.Equal(a, []int{out, r}) && tensor.Count(b) == r*n
			}
		}
		return fits(ok, min(ranks, math.MaxInt32))
	case m.has("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"):
		k, err := f.kronecker(m, cells, need, of)
		if err != nil {
			return 0, err
		}
		return fits(k.a*k.c == out && k.b*k.d == in && k.cells == cells, k.rank())
	case m.has("diff"):
		if err := need("diff"); err != nil {
			return 0, err
		}
		return fits(tensor.Count(of("diff")) == out*n, 0)
	}
	return 0, message.Errorf("%s cannot be used: its part %s has %s alone, which changes nothing by itself; get the file again", filepath.Base(f.path),
		files.Shown(m.name, 100), anyKey(m))
}

func anyKey(m *module) string {
	list := []string{}
	for k := range m.keys {
		list = append(list, k)
	}
	slices.Sort(list)
	return list[0]
}

// kronecker is the shape of a LoKr module: w1 [a, b] ⊗ w2 [c, d·cells], each whole or of a rank.
type kronecker struct {
	a, b, c, d, cells int
	rank1, rank2      int // 0: whole
	tucker            bool
}

// rank is that of the product as two factors.
func (k kronecker) rank() int {
	r1, r2 := k.rank1, k.rank2
	if r1 == 0 {
		r1 = min(k.a, k.b)
	}
	if r2 == 0 {
		r2 = min(k.c, k.d*k.cells)
	}
	if k.tucker || r1*r2 > math.MaxInt32 {
		return math.MaxInt32
	}
	return r1 * r2
}

func (f *File) kronecker(m *module, cells int, need func(...string) error, of func(string) []int) (k kronecker, err error) {
	k.cells = 1
	defer func() {
		if k.cells == 1 && k.d%cells == 0 { // both in one
			k.d, k.cells = k.d/cells, cells
		}
	}()
	if w1 := of("lokr_w1"); w1 != nil {
		if len(w1) == 2 {
			k.a, k.b = w1[0], w1[1]
		}
	} else {
		if err := need("lokr_w1_a", "lokr_w1_b"); err != nil {
			return k, err
		}
		if a, b := of("lokr_w1_a"), of("lokr_w1_b"); len(a) == 2 && len(b) == 2 && a[1] == b[0] {
			k.a, k.b, k.rank1 = a[0], b[1], a[1]
		}
	}
	if w2 := of("lokr_w2"); w2 != nil {
		if len(w2) >= 2 {
			k.c, k.d, k.cells = w2[0], w2[1], tensor.Count(w2[2:])
		}
		return k, nil
	}
	if err := need("lokr_w2_a", "lokr_w2_b"); err != nil {
		return k, err
	}
	a, b := of("lokr_w2_a"), of("lokr_w2_b")
	if t := of("lokr_t2"); t != nil {
		if len(t) >= 2 && len(a) == 2 && len(b) == 2 && a[0] == t[0] && b[0] == t[1] {
			k.c, k.d, k.cells, k.rank2, k.tucker = a[1], b[1], tensor.Count(t[2:]), t[0], true
		}
		return k, nil
	}
	if len(a) == 2 && len(b) >= 2 && a[1] == b[0] {
		k.c, k.d, k.rank2 = a[0], tensor.Count(b[1:]), a[1]
		if len(b) > 2 {
			k.d, k.cells = b[1], tensor.Count(b[2:])
		}
	}
	return k, nil
}

// read reads tensors of a module.
func (f *File) read(m *module, kinds ...string) ([][]float32, error) {
	var list [][]float32
	for _, kind := range kinds {
		t, err := f.data.Read(m.keys[kind])
		if err != nil {
			return nil, err
		}
		if t.DType != tensor.F32 {
			return nil, message.Errorf("%s is damaged: its tensor %s holds whole numbers; get the file again", filepath.Base(f.path),
				files.Shown(m.keys[kind], 100))
		}
		if tensor.NotFiniteFloat(t.F32) >= 0 {
			return nil, f.noNumber(m.keys[kind])
		}
		list = append(list, t.F32)
	}
	return list, nil
}

// delta reads what a module adds to a weight of the model, whose shape Fit has compared.
func (f *File) delta(m *module, name string, want []int) (d delta, err error) {
	out, n := want[0], tensor.Count(want[1:])
	in, cells := 1, 1
	if len(want) > 1 {
		in, cells = want[1], tensor.Count(want[2:])
	}
	dim := func(kind string) int { shape, _, _ := f.data.Shape(m.keys[kind]); return shape[0] }
	var scale float32
	switch {
	case m.keys["diff_b"] != "" && strings.HasSuffix(name, ".bias"):
		t, err := f.read(m, "diff_b")
		if err != nil {
			return d, err
		}
		return dense(out, 1, t[0]), nil
	case m.has("down"):
		t, err := f.read(m, "down", "up")
		if err != nil {
			return d, err
		}
		r := dim("down")
		if scale, err = f.scale(m, r); err != nil {
			return d, err
		}
		a, b := t[0], t[1]
		if m.has("mid") {
			mid, err := f.read(m, "mid")
			if err != nil {
				return d, err
			}
			a = through(mid[0], t[0], dim("mid"), r, in, cells)
			r = dim("mid")
		}
		scaled(b, scale)
		d = product(out, n, r, a, b)
	case m.has("hada_w1_a"):
		t, err := f.read(m, "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
		if err != nil {
			return d, err
		}
		if scale, err = f.scale(m, dim("hada_w1_b")); err != nil {
			return d, err
		}
		r1, r2 := dim("hada_w1_b"), dim("hada_w2_b")
		if m.has("hada_t1", "hada_t2") {
			for i, kind := range []string{"hada_t1", "hada_t2"} {
				if !m.has(kind) {
					continue
				}
				core, err := f.read(m, kind)
				if err != nil {
					return d, err
				}
				shape, _, _ := f.data.Shape(m.keys[kind])
				t[2*i+1] = through(core[0], t[2*i+1], shape[0], shape[1], in, cells)
				t[2*i] = transposed(t[2*i], shape[0], out)
				if i == 0 {
					r1 = shape[0]
				} else {
					r2 = shape[0]
				}
			}
		}
		scaled(t[0], scale)
		d = hadamard(out, n, product(out, n, r1, t[1], t[0]), product(out, n, r2, t[3], t[2]))
	case m.has("lokr_w1", "lokr_w1_a"):
		if d, err = f.lokr(m, out, in, cells); err != nil {
			return d, err
		}
	default:
		t, err := f.read(m, "diff")
		if err != nil {
			return d, err
		}
		d = dense(out, n, t[0])
	}
	if m.has("magnitude") {
		t, err := f.read(m, "magnitude")
		if err != nil {
			return d, err
		}
		d.magnitude = t[0]
		shape, _, _ := f.data.Shape(m.keys["magnitude"])
		// [out], [out, 1] or PEFT's [1, out, 1, 1] are per row; LyCORIS also has [1, in, 1, 1].
		if perRow := len(t[0]) == out && (len(t[0]) != in || len(shape) == 1 || shape[0] == out || peftMagnitude(m)); !perRow {
			d.inner = cells
		}
	}
	return d, nil
}

// peftMagnitude tells that PEFT wrote a magnitude, which is always per row.
func peftMagnitude(m *module) bool {
	return !strings.HasSuffix(m.keys["magnitude"], ".dora_scale")
}

func scaled(values []float32, by float32) {
	if by != 1 {
		for i := range values {
			values[i] *= by
		}
	}
}

// dense is a delta that is stored as it is.
func dense(out, n int, values []float32) delta {
	return delta{out: out, n: n, row: func(o int, to, _ []float32) { copy(to, values[o*n:(o+1)*n]) }}
}

// through is core [p, q, cells] over x [q, in], as [p, in, cells].
func through(core, x []float32, p, q, in, cells int) []float32 {
	to := make([]float32, p*in*cells)
	for i := range p {
		for j := range q {
			for c := range cells {
				f := core[(i*q+j)*cells+c]
				for k := range in {
					to[(i*in+k)*cells+c] += f * x[j*in+k]
				}
			}
		}
	}
	return to
}

func transposed(x []float32, rows, columns int) []float32 {
	to := make([]float32, len(x))
	for i := range rows {
		for j := range columns {
			to[j*rows+i] = x[i*columns+j]
		}
	}
	return to
}

// hadamard is x ∘ y, whose rank is the product of theirs.
func hadamard(out, n int, x, y delta) delta {
	rank := x.rank * y.rank
	if rank > math.MaxInt32 || rank < 0 {
		rank = math.MaxInt32
	}
	return delta{
		out: out, n: n, rank: rank,
		row: func(o int, to, scratch []float32) {
			x.row(o, to, nil)
			y.row(o, scratch, nil)
			for i, v := range scratch[:n] {
				to[i] *= v
			}
		},
		factors: func() (a, b []float32) {
			xa, xb := x.factors()
			ya, yb := y.factors()
			a, b = make([]float32, rank*n), make([]float32, out*rank)
			for i := range x.rank {
				for j := range y.rank {
					k := i*y.rank + j
					for c := range n {
						a[k*n+c] = xa[i*n+c] * ya[j*n+c]
					}
					for o := range out {
						b[o*rank+k] = xb[o*x.rank+i] * yb[o*y.rank+j]
					}
				}
			}
			return a, b
		},
	}
}

// lokr reads a Kronecker product.
func (f *File) lokr(m *module, out, in, cells int) (d delta, err error) {
	of := func(kind string) []int { shape, _, _ := f.data.Shape(m.keys[kind]); return shape }
	k, err := f.kronecker(m, cells, func(...string) error { return nil }, of)
	if err != nil {
		return d, err
	}
	scale := float32(1)
	if dim := cmp.Or(k.rank2, k.rank1); dim > 0 || m.keys["alpha"] == "" { // LyCORIS takes alpha for 1 where both are whole
		if scale, err = f.scale(m, dim); err != nil {
			return d, err
		}
	}
	wide := k.d * k.cells // of w2
	whole := func(name string, rows, columns, rank int) (left, right []float32, r int, err error) {
		if rank > 0 {
			t, err := f.read(m, name+"_a", name+"_b")
			if err != nil {
				return nil, nil, 0, err
			}
			return t[0], t[1], rank, nil
		}
		t, err := f.read(m, name)
		if err != nil {
			return nil, nil, 0, err
		}
		if rows <= columns { // I · w
			return unit(rows), t[0], rows, nil
		}
		return t[0], unit(columns), columns, nil
	}
	l1, r1, rank1, err := whole("lokr_w1", k.a, k.b, k.rank1)
	if err != nil {
		return d, err
	}
	l2, r2, rank2, err := whole("lokr_w2", k.c, wide, k.rank2)
	if err != nil {
		return d, err
	}
	if k.tucker {
		core, err := f.read(m, "lokr_t2")
		if err != nil {
			return d, err
		}
		r2 = through(core[0], r2, of("lokr_t2")[0], of("lokr_t2")[1], k.d, k.cells)
		l2 = transposed(l2, rank2, k.c)
	}
	n, rank := in*cells, rank1*rank2
	w1 := product(k.a, k.b, rank1, r1, l1)
	w2 := product(k.c, wide, rank2, r2, l2)
	scaled(l1, scale)
	var once sync.Once
	var first, second []float32 // w1 and w2 written out
	return delta{
		out: out, n: n, rank: rank,
		row: func(o int, to, scratch []float32) {
			once.Do(func() { first, second = w1.written(), w2.written() })
			i, c := o/k.c, o%k.c
			for j := range k.b {
				part := to[j*wide : (j+1)*wide]
				clear(part)
				axpy(part, first[i*k.b+j], second[c*wide:(c+1)*wide])
			}
		},
		factors: func() (a, b []float32) {
			a, b = make([]float32, rank*n), make([]float32, out*rank)
			for p := range rank1 {
				for t := range rank2 {
					at := p*rank2 + t
					for j := range k.b {
						axpy(a[at*n+j*wide:at*n+(j+1)*wide], r1[p*k.b+j], r2[t*wide:(t+1)*wide])
					}
					for i := range k.a {
						for c := range k.c {
							b[(i*k.c+c)*rank+at] = l1[i*rank1+p] * l2[c*rank2+t]
						}
					}
				}
			}
			return a, b
		},
	}, nil
}

// written is the whole change.
func (d delta) written() []float32 {
	all, scratch := make([]float32, d.out*d.n), make([]float32, d.n)
	for o := range d.out {
		d.row(o, all[o*d.n:(o+1)*d.n], scratch)
	}
	return all
}

func unit(n int) []float32 {
	u := make([]float32, n*n)
	for i := range n {
		u[i*n+i] = 1
	}
	return u
}
