package inspect

import (
	"image"
	"math"

	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/state"
)

// mapKind is one of the maps of a subject that are inspected: the rows of the inspection.
type mapKind int

const (
	rawMap     mapKind = iota // cross-attention of the word as it comes
	refinedMap                // refined by self-attention: the scores (Eq. 12)
	topMask                   // the best γ of the positions, the subject on its own
	finalMask                 // M̂: after every position has gone to one subject (Algorithm 1), and normalised (Eq. 13, 16)
	mapKinds
)

func (k mapKind) name() string {
	switch k {
	case rawMap:
		return i18n.T("raw attention")
	case refinedMap:
		return i18n.T("refined")
	case topMask:
		return i18n.T("Top-K")
	}
	return i18n.T("final mask")
}

func (k mapKind) about() string {
	switch k {
	case rawMap:
		return i18n.T("Where the model attends to the word, before any processing.")
	case refinedMap:
		return i18n.T("The same, spread over positions that belong together: self-attention times cross-attention.")
	case topMask:
		return i18n.T("The top γ share of positions, as if the subject were alone.")
	}
	return i18n.T("Used for the picture: contested positions are shared out, and values are divided by their maximum.")
}

// inspection is what is asked about the masks of a film. It is a plain value that is read on any goroutine; it works on every
// film that has scores, of this run or of an old session.
type inspection struct {
	steps    []inference.StepDone // that ran the guidance branch, in order
	subjects []guidance.Subject   // with the scopes of the run
	norm     guidance.Normalization
	subject  int         // the one that is looked at
	dress    state.Dress // of all subjects
	scope    float64     // γ to try for it; 0 is that of the run
}

// begin is the inspection of a film; ok is false where there are no scores to inspect.
func begin(film []inference.StepDone, subjects []inference.Subject, norm guidance.Normalization, subject int) (in inspection, ok bool) {
	for _, step := range film {
		whole := len(step.Subjects) > 0 && len(step.Subjects) == len(subjects)
		for _, s := range step.Subjects {
			whole = whole && len(s.Scores) > 0 && len(s.Scores) == step.GridWidth*step.GridHeight
		}
		if step.Guided && whole {
			in.steps = append(in.steps, step)
		}
	}
	if len(in.steps) > 0 {
		var err error
		if in.subjects, err = inference.Rule(subjects, in.steps[0].GridWidth, in.steps[0].GridHeight); err != nil {
			in.steps = nil // its painted mask is gone: nobody knows what the rule was
		}
	}
	in.norm = norm
	in.subject = min(max(subject, 0), max(len(subjects)-1, 0))
	return in, len(in.steps) > 0
}

// ran is γ of the run for the subject that is looked at.
func (in inspection) ran() float64 { return in.subjects[in.subject].Scope }

// trying tells whether another γ than that of the run is tried.
func (in inspection) trying() bool { return in.scope > 0 && in.scope != in.ran() }

// rule is the subjects with γ as it is tried.
func (in inspection) rule() []guidance.Subject {
	rule := append([]guidance.Subject(nil), in.subjects...)
	if in.trying() {
		rule[in.subject].Scope = in.scope
	}
	return rule
}

// evidence is what one step says about the subject that is looked at. Grids are in row order; those of the history are
// as exact as it keeps them.
type evidence struct {
	width, height int
	grids         [mapKinds][]float32 // rawMap may be nil
	before        [mapKinds][]float32 // of the masks as the run had them; nil unless another γ is tried
	wanted        float64             // share of its positions that another subject would have taken, too
	err           error               // why there are no masks
}

// at works out the maps of a step, 0-based among the steps of the inspection, with the engine's own rule.
func (in inspection) at(step int) evidence {
	s := &in.steps[step]
	own := s.Subjects[in.subject]
	e := evidence{width: s.GridWidth, height: s.GridHeight}
	if len(own.Cross) == len(own.Scores) {
		e.grids[rawMap] = own.Cross
	}
	e.grids[refinedMap] = own.Scores
	rule := in.rule()
	e.grids[topMask], e.grids[finalMask], e.err = in.masks(s, rule)
	if e.err != nil {
		return e
	}
	scores := state.ScoresOf(s)
	if counts, err := guidance.Contested(scores, rule); err == nil && counts[in.subject][in.subject] > 0 {
		most := 0
		for j, n := range counts[in.subject] {
			if j != in.subject {
				most = max(most, n)
			}
		}
		e.wanted = float64(most) / float64(counts[in.subject][in.subject])
	}
	if in.trying() {
		if alone, final, err := in.masks(s, in.subjects); err == nil {
			e.before[topMask], e.before[finalMask] = alone, final
		}
	}
	return e
}

// masks are those of the subject alone and among the others.
func (in inspection) masks(step *inference.StepDone, rule []guidance.Subject) (alone, final []float32, err error) {
	one, err := guidance.Masks([][]float32{step.Subjects[in.subject].Scores}, rule[in.subject:in.subject+1], guidance.Raw)
	if err != nil {
		return nil, nil, err
	}
	all, err := guidance.Masks(state.ScoresOf(step), rule, in.norm)
	if err != nil {
		return nil, nil, err
	}
	return one[0], all[in.subject], nil
}

// reading is the numbers beside a map.
type reading struct {
	area, change, wanted float64 // shares, 0 to 1; change is -1 at the first step
	x, y                 float64 // of the highest value, as shares of the picture
}

// read takes the numbers of a map at a step.
func (in inspection) read(step int, kind mapKind) reading {
	e := in.at(step)
	r := reading{area: guidance.Area(e.grids[finalMask]), wanted: e.wanted, change: -1}
	if kind == topMask {
		r.area = guidance.Area(e.grids[topMask])
	}
	if step > 0 {
		k := max(kind, topMask)
		r.change = guidance.Change(in.at(step - 1).grids[k], e.grids[k])
	}
	best, top := 0, float32(math.Inf(-1))
	for p, v := range e.grids[kind] {
		if v > top {
			best, top = p, v
		}
	}
	r.x = (float64(best%max(e.width, 1)) + 0.5) / float64(max(e.width, 1))
	r.y = (float64(best/max(e.width, 1)) + 0.5) / float64(max(e.height, 1))
	return r
}

// scene is the pictures of an inspection as a value, to be painted on another goroutine.
type scene struct {
	in      inspection
	step    int
	kind    mapKind
	cell    image.Point // of the matrix, pixels
	gap     int         // between them
	large   image.Point // of the enlarged map
	over    bool        // over the preview of the step
	mode    picture.Mode
	opacity float64
	ink     ink
	onto    Painter // see Host
}

// sceneKey is equal for scenes that look the same.
type sceneKey struct {
	scores        *float32 // of the first step
	steps         int
	subject, step int
	dress         state.Dress
	scope, ran    float64
	kind          mapKind
	cell, large   image.Point
	over          bool
	mode          picture.Mode
	opacity       float64
	ink           ink
}

func (s scene) key() sceneKey {
	k := sceneKey{
		steps: len(s.in.steps), subject: s.in.subject, dress: s.in.dress, step: s.step, kind: s.kind, cell: s.cell, large: s.large,
		over: s.over, ink: s.ink,
	}
	if k.steps > 0 {
		// The film of a run is copied as it grows; its pictures stay where they are.
		k.scope, k.ran = s.in.scope, s.in.ran()
		k.scores = &s.in.steps[0].Subjects[0].Scores[0]
	}
	if s.over {
		k.mode, k.opacity = s.mode, s.opacity
	}
	return k
}

// inspected is what comes of a scene.
type inspected struct {
	matrix, large *image.RGBA
	reading       reading
	err           error
}
