package inference

import (
	"image"
	"math"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/tensor"
)

// KeptStep is what a history keeps of a StepDone.
type KeptStep struct {
	Step          int         // 0-based
	Clean         []float32   // predicted clean latent x0 [C, h, w]
	Cross, Scores [][]float32 // per subject in grid order; nil at a step that reused masks
}

// Replay makes the steps of a finished picture again from what is kept of them, in their order: previews and masks as the
// run gave them, as exactly as the numbers were kept, but no State. The recipe is the picture's; the manifest is that of its
// model. With another model previews are Recolour's; where its latent does not fit there are none, and masks all the same.
// Scores that make no mask leave the steps that need them without. A recipe with other painted regions than the picture's gives the masks
// that these would have made of its scores. The result shares Clean, Cross and Scores with the steps.
func Replay(m bundle.Manifest, recipe Request, steps []KeptStep) []StepDone {
	norm, needs := recipe.Normalization(), scored(recipe.Subjects) > 0
	timesteps := timesteps(m, recipe)
	pace := paceOf(m, recipe.Settings, recipe.Begin(), needs, false)
	var masks [][]float32
	var width, height int
	var rule []guidance.Subject
	if cell := m.Latent.Factor * m.Grid; cell > 0 {
		width, height = recipe.Width/cell, recipe.Height/cell
	}
	out := make([]StepDone, len(steps))
	for i, s := range steps {
		fresh := len(s.Scores) == len(recipe.Subjects) && len(s.Scores) > 0
		e := StepDone{
			Step: s.Step, Steps: recipe.Steps, Clean: s.Clean, Preview: replayPreview(m, recipe, s.Clean),
			Subjects: make([]SubjectStep, len(recipe.Subjects)),
			Guided:   pace.plan(s.Step, Trail{}, false).Guidance && (fresh || !pace.approx),
		}
		if s.Step >= 0 && s.Step < len(timesteps) {
			e.Timestep = timesteps[s.Step]
		}
		if fresh {
			width, height = gridOf(len(s.Scores[0]), recipe.Width, recipe.Height)
		}
		if rule == nil {
			rule, _ = Rule(recipe.Subjects, width, height)
		}
		if fresh || !needs && i == 0 {
			masks, _ = guidance.Masks(s.Scores, rule, norm)
		}
		for j := range e.Subjects {
			if e.Guided && j < len(s.Cross) {
				e.Subjects[j].Cross = s.Cross[j]
			}
			if e.Guided && j < len(s.Scores) {
				e.Subjects[j].Scores = s.Scores[j]
			}
			if j < len(masks) {
				e.Subjects[j].Mask = masks[j]
				e.GridWidth, e.GridHeight = width, height
			}
		}
		out[i] = e
	}
	return out
}

func timesteps(m bundle.Manifest, r Request) []int {
	_, solver, err := solverOf(m, r.Settings)
	if err != nil {
		return nil
	}
	var out []int
	for _, p := range solver.Steps() {
		out = append(out, p.Train)
	}
	return out
}

// replayPreview is nil where the latent is none of this model.
func replayPreview(m bundle.Manifest, r Request, clean []float32) *image.RGBA {
	if m.Latent.Factor < 1 {
		return nil
	}
	shape := []int{1, m.Latent.Channels, r.Height / m.Latent.Factor, r.Width / m.Latent.Factor}
	if len(clean) == 0 || tensor.Count(shape) != len(clean) {
		return nil
	}
	preview, err := latentPreview(m, tensor.Of(clean, shape...))
	if err != nil {
		return nil
	}
	return preview
}

// Recolour makes the previews of a film anew that was replayed with the manifest of another model than its picture's: how a latent becomes
// colours is that model's own, and another's would give false ones. They are learned from became, which is what the last step of the film
// became, at any size. Where that is nil or does not follow the latent, the film has no previews.
func Recolour(film []StepDone, r Request, became image.Image) {
	var factors [][3]float32
	var bias [3]float32
	var shape []int
	least := math.Inf(1)
	for _, factor := range []int{4, 8, 16, 32} { // pixels per cell: of autoencoders with three to six levels
		w, h := r.Width/factor, r.Height/factor
		if len(film) == 0 || w < 1 || h < 1 || w*factor != r.Width || h*factor != r.Height {
			continue
		}
		clean := film[len(film)-1].Clean
		as := []int{1, len(clean) / (w * h), h, w}
		if as[1] < 3 || tensor.Count(as) != len(clean) {
			continue
		}
		if f, b, miss, ok := picture.LearnColours(tensor.Of(clean, as...), became); ok && miss < least {
			factors, bias, shape, least = f, b, as, miss
		}
	}
	for i := range film {
		film[i].Preview = nil
		if shape != nil && tensor.Count(shape) == len(film[i].Clean) {
			film[i].Preview, _ = picture.LatentPreview(tensor.Of(film[i].Clean, shape...), factors, bias)
		}
	}
}

// gridOf is the shape of a guidance grid of n positions on a picture.
func gridOf(n, width, height int) (w, h int) {
	if n < 1 || width < 1 || height < 1 {
		return 0, 0
	}
	w = max(int(math.Round(math.Sqrt(float64(n)*float64(width)/float64(height)))), 1)
	if n%w != 0 {
		return 0, 0
	}
	return w, n / w
}

// latentPreview maps a clean latent to RGB. The manifest's factors give 0..1, those of package picture -1..1.
func latentPreview(m bundle.Manifest, latent *tensor.Tensor) (*image.RGBA, error) {
	factors, bias := make([][3]float32, len(m.Latent.RGB)), [3]float32{}
	for k := range 3 {
		bias[k] = float32(2*m.Latent.RGBBias[k] - 1)
		for c, row := range m.Latent.RGB {
			factors[c][k] = float32(2 * row[k])
		}
	}
	return picture.LatentPreview(latent, factors, bias)
}
