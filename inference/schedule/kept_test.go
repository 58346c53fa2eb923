package schedule

import (
	"math"
	"testing"
)

// TestAPictureThatIsLetGo is what the soft edge of a region is made of: values that are those of a picture up to a step, put there by whoever
// runs the solver, and then walk on from there. The model knows that all data are normal, of which the walk is known: it leaves a latent
// alone, so that what was put there is the end.
func TestAPictureThatIsLetGo(t *testing.T) {
	noise := []float32{0.3, 0.3}
	m := Model{Noise: func() []float32 { return []float32{0, 0} }}
	for _, sampler := range every() {
		if found, _ := Find(sampler); found.Draws > 0 || found.Name == "lcm" {
			continue // noise of its own takes the picture's place
		}
		for _, free := range []int{9, 16, 17, 20} {
			s := solver(t, sampler, 25)
			m.Predict = func(at Point, z []float32) ([]float32, error) { return mix(at.s, z, 0, z), nil }
			picture := []float32{1, -1}
			z := s.Steps()[0].Noised(picture, noise)
			var x0 []float32
			for i := range s.Steps() {
				if i <= free {
					z = s.Steps()[i].Noised(picture, noise)
				}
				z, x0, _ = s.Step(i, z, m)
			}
			want, got := s.Steps()[free].alpha, float64(x0[0]-x0[1])/2
			if math.Abs(got-want) > 0.08 {
				t.Errorf("%s: of a picture that is let go at step %d %.3f is left, want %.3f", sampler, free, got, want)
			}
		}
	}
}
