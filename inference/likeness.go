package inference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"sync/atomic"
	"time"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/memory"
	"realword/inference/message"
	"realword/inference/picture"
	"realword/inference/tensor"
)

// Resemblance is how near a subject of a finished picture is to pictures of it: a hint, no judgement. It is DINO-I as in the paper: the
// cosine of class tokens of the bundle's own DINO encoder, 1 for the same picture. The subject is cut out by the mask that it was made
// with (CutOf) and laid on the plain background; the others are seen as the encoders see them. Of several pictures it is the mean.
type Resemblance struct {
	Word      Word    `json:"word"`
	Reference float64 `json:"reference"`        // to its references
	Anchor    float64 `json:"anchor,omitempty"` // to Subject.Anchors; 0: it has none
}

// Hints says when an engine computes likeness.
type Hints int32

// When likeness is computed. Cheap is where it takes at most MostHint of the time that the picture took, as the first one shows on this
// device, and where its encoder surely has room in memory.
const (
	NoHints Hints = iota
	CheapHints
	AllHints
)

// MostHint is the share of a picture's time that a hint may take where nobody has asked for it.
const MostHint = 0.02

// hinting is what engine and worker know of hints. Any goroutine may use it.
type hinting struct {
	when atomic.Int32
	cost atomic.Int64 // nanoseconds that one takes; 0: none was computed yet
	last atomic.Int64 // nanoseconds that the last picture took
}

// wanted tells whether a picture that took so long has a hint.
func (h *hinting) wanted(took time.Duration) bool {
	switch Hints(h.when.Load()) {
	case AllHints:
		return true
	case CheapHints:
		return float64(h.cost.Load()) <= MostHint*float64(took)
	}
	return false
}

// SetHints says when likeness is computed from the next picture on. An engine begins without.
func (e *Engine) SetHints(h Hints) { e.hints.when.Store(int32(h)) }

// Hints tells whether the next picture will have likeness, if it takes as long as the last one.
func (e *Engine) Hints() bool {
	if canCompare(e.model) != nil || Hints(e.hints.when.Load()) == NoHints {
		return false
	}
	last := e.hints.last.Load()
	return last == 0 || e.hints.wanted(time.Duration(last))
}

// canCompare says why a model has no hints of likeness.
func canCompare(m Model) error {
	if m.Graph(graph.Class) == "" {
		return message.Errorf("the model %s cannot tell how near a subject is to its reference: import the model again", m.Manifest().Name)
	}
	return nil
}

// CutOf is a subject of a finished picture as it is cut out: what its mask holds, grown by half a cell of the guidance grid and softened
// over a whole one, without where other subjects are. masks are those that the picture was made with, one for each subject. It is nil
// where the subject has no mask.
func CutOf(m bundle.Manifest, img *image.NRGBA, masks []picture.Grid, subject int) *image.NRGBA {
	cell := m.Latent.Factor * m.Grid
	region := regionOf(masks, subject, img.Rect.Dx(), img.Rect.Dy(), func(mask *image.Gray) *image.Gray {
		return picture.Grown(mask, cell/2, cell)
	}, picture.Grid.Positions)
	if region == nil {
		return nil
	}
	return picture.CutOut(img, region)
}

// Cosine is that of the angle between two vectors; 0 where one of them is zero.
func Cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+float64(x*y), aa+float64(x*x), bb+float64(y*y)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}

// Classify is the class token [D] of a picture in a square, as Resemblance compares it.
func (g *Graphs) Classify(ctx context.Context, img image.Image, square picture.Square) ([]float32, error) {
	_, t, err := picture.Prepare(img, square, g.model.Manifest().Vision.Reference)
	if err != nil {
		return nil, err
	}
	views, err := picture.Views(t)
	if err != nil {
		return nil, err
	}
	return g.classOf(ctx, views)
}

// classOf is the class token of the global view of [5, 3, V, V].
func (g *Graphs) classOf(ctx context.Context, views *tensor.Tensor) ([]float32, error) {
	v := views.Shape[3]
	return g.Class(ctx, tensor.Of(views.F32[:3*v*v], 1, 3, v, v))
}

// hint reports the likeness of the subjects of a finished picture, where it is wanted. What goes wrong costs no picture: it is told in
// the event.
func (w *worker) hint(j *job, n int, r Request, masks []picture.Grid, img *image.NRGBA, took time.Duration) {
	h := &w.engine.hints
	if h.last.Store(int64(took)); len(r.Subjects) == 0 || !h.wanted(took) {
		return
	}
	asked := Hints(h.when.Load()) == AllHints
	err := canCompare(w.graphs.model)
	if !asked {
		plan, known := w.engine.Memory(r)
		if known = known && plan.Verdict != memory.Unknown; err != nil || known && w.engine.large() && plan.Verdict != memory.Fits {
			return
		}
	}
	e := Likeness{Picture: n}
	if err == nil {
		e.Subjects, err = w.likeness(j.ctx, r, masks, img)
	}
	if j.ctx.Err() != nil {
		return
	}
	if err != nil {
		if e.Why = err.Error(); !asked {
			h.when.Store(int32(NoHints)) // it would fail again
		}
	}
	j.emit(e)
}

// likeness compares the subjects of a picture with their references and anchors, and measures what that costs a picture.
func (w *worker) likeness(ctx context.Context, r Request, masks []picture.Grid, img *image.NRGBA) (list []Resemblance, err error) {
	large := w.engine.large()
	began := time.Now()
	if _, err := w.graphs.load(graph.Class); err != nil {
		return nil, err
	}
	var once time.Duration // what the next picture need not do again
	if large {
		defer func() { err = errors.Join(err, w.graphs.release(graph.Class)) }()
	} else {
		once = time.Since(began)
	}
	m := w.graphs.model.Manifest()
	for j, s := range r.Subjects {
		cut := CutOf(m, img, masks, j)
		if cut == nil {
			continue
		}
		mine, err := w.graphs.Classify(ctx, cut, picture.Square{})
		if err != nil {
			return nil, err
		}
		compare := func(with []Reference) (float64, error) {
			sum := 0.0
			for _, ref := range with {
				since := time.Now()
				theirs, err := w.classOf(ctx, ref)
				if err != nil {
					return 0, fmt.Errorf("%s: %w", ref.Name, err)
				}
				once += time.Since(since)
				sum += Cosine(mine, theirs)
			}
			return sum / float64(max(len(with), 1)), nil
		}
		one := Resemblance{Word: s.Word}
		if one.Reference, err = compare(s.References); err != nil {
			return nil, err
		}
		if one.Anchor, err = compare(s.Anchors); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	w.engine.hints.cost.Store(int64(max(time.Since(began)-once, 1)))
	return list, nil
}

// classOf is the class token of a reference, which is kept.
func (w *worker) classOf(ctx context.Context, ref Reference) ([]float32, error) {
	ref.SHA256, ref.Square.Fit = cmp.Or(ref.SHA256, files.Sum(ref.Data)), cmp.Or(ref.Square.Fit, picture.Pad)
	key := viewKey{ref.SHA256, ref.Square}
	if t, ok := w.classes.get(key); ok {
		return t, nil
	}
	seen, err := w.engine.viewsOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	t, err := w.graphs.kept(graph.Class, seen.views, func() (*tensor.Tensor, error) {
		class, err := w.graphs.classOf(ctx, seen.views)
		return tensor.Of(class, len(class)), err
	})
	if err != nil {
		return nil, err
	}
	w.classes.put(key, t.F32)
	return t.F32, nil
}
