package inference

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/tensor"
)

// This file finds what the pictures of a job have in common. Two pictures that differ in T_stop alone have every step up to the smaller
// one in common, to the bit, so the second goes on from the state in which the first was then. Pictures with equal latents before a
// step (at the first step, those with one seed) also have that step's guidance pass in common, and its unconditional pass where
// that sees no references: masks, and so γ, act on neither.

// part is one picture of a job, in the order in which they are made.
type part struct {
	cell  int    // index of the picture
	trunk string // equal for pictures that differ in T_stop alone
	parts int    // the step before which it parts from those of its trunk with a larger T_stop
	from  int    // the step at which it begins, with what the part before it has left; its first one where nothing is left
	goes  bool   // the next part goes on from a step of this one
}

// partsOf is the order in which the cells that are not made yet are made: those with the same references one after the other, and those of
// a trunk from the smallest T_stop to the largest.
func partsOf(cells []Request, made []int) []part {
	var list []part
	vision, trunks := map[string]int{}, map[string]int{} // where they come first
	first := func(in map[string]int, key string, n int) int {
		if _, ok := in[key]; !ok {
			in[key] = n
		}
		return in[key]
	}
	type place struct{ vision, trunk int }
	places := map[int]place{}
	for n, c := range cells {
		if slices.Contains(made, n) {
			continue
		}
		p := part{cell: n, trunk: trunkOf(c), from: c.Begin()}
		if scored(c.Subjects) > 0 {
			p.parts = min(max(c.Stop, c.Begin()+1), c.Steps)
		} else {
			p.parts = c.Steps // T_stop says nothing
		}
		places[n] = place{first(vision, visionOf(c), n), first(trunks, p.trunk, n)}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b part) int {
		return cmp.Or(cmp.Compare(places[a.cell].vision, places[b.cell].vision), cmp.Compare(places[a.cell].trunk, places[b.cell].trunk),
			cmp.Compare(a.parts, b.parts))
	})
	for i := range list[:max(len(list)-1, 0)] {
		if a, b := &list[i], &list[i+1]; a.trunk == b.trunk {
			a.goes = true
			if b.from = a.parts; a.parts == b.parts { // T_stop makes no difference
				b.from = cells[b.cell].Steps
			}
		}
	}
	return list
}

// trunkOf is what decides a picture besides T_stop.
func trunkOf(r Request) string {
	r.Stop, r.Grid = 0, nil
	return written(r)
}

// visionOf is what decides what the generation branch sees.
func visionOf(r Request) string {
	list := make([][]Reference, len(r.Subjects))
	for j, s := range r.Subjects {
		list[j] = s.References
	}
	return written(list)
}

func written(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprint("a request cannot be written: ", err)) // it has nothing but numbers and texts
	}
	return string(text)
}

// Passes is how many passes of the U-Net the pictures of a request take that are not made yet, and how many they would take one by one.
// Nothing is checked.
func Passes(m bundle.Manifest, r Request) (together, alone int) {
	return passesOf(m, Defaults(m, r).Cells(m), r.Grid.made())
}

func (g *Grid) made() []int {
	if g == nil {
		return nil
	}
	return g.Made
}

const mostSteps = 10000

func passesOf(m bundle.Manifest, cells []Request, made []int) (together, alone int) {
	for _, p := range partsOf(cells, made) {
		c := cells[p.cell]
		if c.Steps > mostSteps { // nobody makes them
			continue
		}
		pace := paceOf(m, c.Settings, c.Begin(), scored(c.Subjects) > 0, c.CFG != 1)
		together, alone = together+pace.counts(p.from, Trail{}).All(), alone+pace.counts(c.Begin(), Trail{}).All()
	}
	return together, alone
}

// clone is a copy of an event that shares nothing with it, as one of another picture.
func (e StepDone) clone(picture int) StepDone {
	e.Picture, e.Clean, e.Subjects = picture, slices.Clone(e.Clean), slices.Clone(e.Subjects)
	if e.Preview != nil {
		preview := *e.Preview
		preview.Pix = slices.Clone(preview.Pix)
		e.Preview = &preview
	}
	for j := range e.Subjects {
		s := &e.Subjects[j]
		s.Cross, s.Scores, s.Mask = slices.Clone(s.Cross), slices.Clone(s.Scores), slices.Clone(s.Mask)
	}
	e.State.Latent, e.State.Scores, e.State.Solver = slices.Clone(e.State.Latent), cloneAll(e.State.Scores), e.State.Solver.Clone()
	e.State.Trail = e.State.Trail.clone()
	return e
}

// memo keeps passes of the U-Net at steps at which other pictures of the job may need the same. A nil memo keeps none.
type memo struct {
	at     map[int]bool // steps
	passes lru[passKey, []*tensor.Tensor]
}

// passKey is what decides a pass without masks and pictures within one job.
type passKey struct {
	text      string
	guided    bool // the guidance branch
	perturbed bool // the unconditional pass; see Point
	source    guidance.Source
	layers    bool // maps are normalised layer by layer
	time      float32
	latent    [sha256.Size]byte
}

// keptPasses bounds what a memo holds: at SDXL's size half a megabyte each.
const keptPasses = 128

// newMemo is for pictures that begin or part at these steps.
func newMemo(cells []Request, parts []part) *memo {
	m := &memo{at: map[int]bool{}, passes: lru[passKey, []*tensor.Tensor]{limit: keptPasses}}
	for _, p := range parts {
		m.at[cells[p.cell].Begin()], m.at[p.parts] = true, true
	}
	return m
}

// once runs a pass unless it is kept. The tensors belong to the caller.
func (m *memo) once(step int, key passKey, p Point, run func() ([]*tensor.Tensor, error)) ([]*tensor.Tensor, error) {
	if m == nil || !m.at[step] {
		return run()
	}
	key.time = p.Timestep.F32[0]
	h := sha256.New()
	var b [4]byte
	for _, v := range p.Latent.F32 {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
		h.Write(b[:])
	}
	h.Sum(key.latent[:0])
	out, ok := m.passes.get(key)
	if !ok {
		var err error
		if out, err = run(); err != nil {
			return nil, err
		}
		m.passes.put(key, out)
	}
	own := make([]*tensor.Tensor, len(out))
	for i, t := range out {
		own[i] = t.Clone()
	}
	return own, nil
}
