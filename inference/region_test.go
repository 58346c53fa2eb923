package inference

import (
	"image"
	"image/color"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/guidance"
	"realword/inference/picture"
)

// paint is a painted mask of 8 × 8 pixels, white in rectangles; the fake grid of 4 × 4 has two of its pixels to a position.
func paint(t *testing.T, white ...image.Rectangle) Painted {
	t.Helper()
	mask := image.NewGray(image.Rect(0, 0, 8, 8))
	for _, r := range white {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				mask.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	data, err := picture.EncodePainted(mask)
	if err != nil {
		t.Fatal(err)
	}
	return Painted{Data: data}
}

var (
	leftHalf, rightHalf = image.Rect(0, 0, 4, 8), image.Rect(4, 0, 8, 8)
	corner              = image.Rect(0, 0, 3, 2) // of the grid the first position, and half of the second
	cornerGrid          = []float32{1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
)

// inside counts positions of a mask on the fake grid that lie left and right of the middle.
func inside(mask []float32) (left, right int) {
	for p, v := range mask {
		if v != 0 && p%4 < 2 {
			left++
		} else if v != 0 {
			right++
		}
	}
	return left, right
}

func TestAMaskStaysWhereItIsPainted(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		kind        guidance.Kind
		left, right int // positions of γ 0.5 at every step
	}{{"", 8, 0}, {guidance.OnlyHere, 8, 0}, {guidance.NotHere, 0, 8}} {
		r := b.dog()
		r.Subjects[0].Scope = 0.5
		r.Subjects[0].Region = Region{Kind: c.kind, Painted: paint(t, leftHalf)}
		events := b.run(r)
		for _, s := range of[StepDone](events) {
			if left, right := inside(s.Subjects[0].Mask); left != c.left || right != c.right {
				t.Fatalf("%q: step %d has %d positions left and %d right", c.kind, s.Step, left, right)
			}
			if s.Step < 12 && slices.Contains(s.Subjects[0].Scores, 0) {
				t.Fatal("the region has changed the scores")
			}
		}
		region := of[PictureReady](events)[0].Recipe.Subjects[0].Region
		if len(region.SHA256) != 64 || region.Kind == "" || len(region.Data) == 0 {
			t.Errorf("the recipe has %+v", region)
		}
	}
	// Half of the picture is more than γ takes; a corner is less.
	r := b.dog()
	r.Subjects[0].Scope = 0.5
	r.Subjects[0].Region.Painted = paint(t, corner)
	for _, s := range of[StepDone](b.run(r)) {
		if guidance.Area(s.Subjects[0].Mask) != 2./16 || s.Subjects[0].Mask[0] == 0 || s.Subjects[0].Mask[1] == 0 {
			t.Fatalf("step %d: %v", s.Step, s.Subjects[0].Mask)
		}
	}
}

func TestExactMasksNeedNoGuidance(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects[0].Region = Region{guidance.Exactly, paint(t, corner)}
	events := b.run(r)
	if g, u := b.runtime.runs("guidance"), b.runtime.runs("unet"); g != 0 || u != 50 {
		t.Errorf("%d guidance and %d denoising passes", g, u)
	}
	if p := of[Progress](events); p[len(p)-1].Passes != 50 {
		t.Errorf("%d passes are announced", p[len(p)-1].Passes)
	}
	for _, s := range of[StepDone](events) {
		if s.Guided || len(s.State.Scores) > 0 || !slices.Equal(s.Subjects[0].Mask, cornerGrid) {
			t.Fatalf("step %d: %+v", s.Step, s.Subjects)
		}
	}
	if got := of[PictureReady](events)[0].Recipe.Subjects[0].Scope; got != 2./16 {
		t.Errorf("γ is %g, the area 2/16", got)
	}
	// Beside another subject the guidance branch runs for that one, which stays out of the mask.
	b.runtime.forget()
	r.Subjects = append(r.Subjects, b.subject("beach", blue))
	events = b.run(r)
	if g := b.runtime.runs("guidance"); g != 12 {
		t.Errorf("%d guidance passes", g)
	}
	for _, s := range of[StepDone](events) {
		dog, beach := s.Subjects[0].Mask, s.Subjects[1].Mask
		if !slices.Equal(dog, cornerGrid) || beach[0] != 0 || beach[1] != 0 || guidance.Area(beach) != 3./16 {
			t.Fatalf("step %d: %v %v", s.Step, dog, beach)
		}
	}
}

// A region changes nothing that comes before masks, and its absence nothing at all: a kept step goes on with another one at once, also
// after T_stop, and from bytes.
func TestRegionsTakeEffectAtOnce(t *testing.T) {
	b := newBench(t)
	plain := b.run(b.dog())
	painted := b.dog()
	painted.Subjects[0].Scope = 0.5
	painted.Subjects[0].Region.Painted = paint(t, leftHalf)
	whole := b.run(painted)
	steps := of[StepDone](whole)
	for _, k := range []int{3, 11, 12, 20} {
		r := overBytes(t, of[PictureReady](whole)[0].Recipe, EncodeRequest, DecodeRequest)
		state := overBytes(t, steps[k].State, EncodeState, DecodeState)
		r.From = &state
		rest := b.run(r)
		for i, s := range of[StepDone](rest) {
			if !reflect.DeepEqual(s, steps[k+1+i]) {
				t.Fatalf("from step %d on, step %d differs", k, s.Step)
			}
		}
		if !slices.Equal(of[PictureReady](rest)[0].Image.Pix, of[PictureReady](whole)[0].Image.Pix) {
			t.Errorf("from step %d on, another picture", k)
		}
		other := r
		other.Subjects = CloneSubjects(r.Subjects)
		for _, region := range []Region{{guidance.OnlyHere, paint(t, rightHalf)}, {guidance.Exactly, paint(t, rightHalf)}} {
			other.Subjects[0].Region = region
			for _, s := range of[StepDone](b.run(other)) {
				if left, right := inside(s.Subjects[0].Mask); left != 0 || right != 8 {
					t.Fatalf("from step %d on, step %d has %d positions left and %d right", k, s.Step, left, right)
				}
			}
		}
	}
	unpainted := b.dog()
	state := of[StepDone](plain)[14].State
	unpainted.From = &state
	if !slices.Equal(of[PictureReady](b.run(unpainted))[0].Image.Pix, of[PictureReady](plain)[0].Image.Pix) {
		t.Error("without a region, another picture")
	}
	// A run that needed no scores has none to go on with.
	exact := b.dog()
	exact.Subjects[0].Region = Region{guidance.Exactly, paint(t, leftHalf)}
	kept := of[StepDone](b.run(exact))[14].State
	r := b.dog()
	r.From = &kept
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "choose T_stop above 15") {
		t.Errorf("after T_stop: %v", err)
	}
	r.Stop = 20
	b.run(r)
	exact.From = &kept
	b.run(exact)
}

func TestReplayKnowsRegions(t *testing.T) {
	b := newBench(t)
	two := b.dog()
	two.Subjects = append(two.Subjects, b.subject("beach", blue))
	two.Subjects[0].Region.Painted, two.Subjects[1].Region = paint(t, leftHalf), Region{guidance.Exactly, paint(t, corner)}
	exact := b.dog()
	exact.Subjects[0].Region = Region{guidance.Exactly, paint(t, rightHalf)}
	for name, r := range map[string]Request{"two": two, "exact": exact} {
		events := b.run(r)
		steps, recipe := of[StepDone](events), of[PictureReady](events)[0].Recipe
		for i, s := range Replay(b.model.manifest, recipe, kept(steps)) {
			want := steps[i]
			want.State = State{}
			if !reflect.DeepEqual(s, want) {
				t.Fatalf("%s: step %d is %+v, want %+v", name, want.Step, s, want)
			}
		}
	}
	// What would masks be elsewhere?
	events := b.run(b.dog())
	recipe := of[PictureReady](events)[0].Recipe
	recipe.Subjects[0].Region = Region{guidance.OnlyHere, paint(t, rightHalf)}
	for _, s := range Replay(b.model.manifest, recipe, kept(of[StepDone](events))) {
		if left, right := inside(s.Subjects[0].Mask); left != 0 || right != 3 {
			t.Fatalf("step %d has %d positions left and %d right", s.Step, left, right)
		}
	}
}

func TestResolveOfRegions(t *testing.T) {
	b := newBench(t)
	everywhere, half := paint(t, image.Rect(0, 0, 8, 8)), paint(t, leftHalf)
	r := b.dog()
	r.Subjects[0].Region.Painted = everywhere
	r, err := b.engine.Resolve(r)
	if err != nil {
		t.Fatalf("a region of the whole picture: %v", err)
	}
	if again, err := b.engine.Resolve(r); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("resolved again: %+v, %v", again, err)
	}
	r.Subjects[0].Region = Region{guidance.Exactly, everywhere}
	if r, err = b.engine.Resolve(r); err != nil || r.Subjects[0].Scope != 1 {
		t.Errorf("γ %g: %v", r.Subjects[0].Scope, err)
	}
	kind := b.dog()
	kind.Subjects[0].Region.Kind = guidance.NotHere // nothing is painted
	if kind, err = b.engine.Resolve(kind); err != nil || kind.Subjects[0].Region.Kind != "" {
		t.Errorf("%+v, %v", kind.Subjects[0].Region, err)
	}
	for _, c := range []struct {
		name       string
		dog, beach Region
		want       string
	}{
		{"colours", Region{Painted: Painted{Data: aPicture(t, red)}}, Region{}, `the mask of "dog": the mask has colours; paint it in grey`},
		{"empty", Region{Painted: paint(t)}, Region{}, `the mask of "dog": the mask is empty; paint in white`},
		{"no picture", Region{Painted: Painted{Data: []byte("dog")}}, Region{}, `the mask of "dog": `},
		{"gone", Region{Painted: Painted{SHA256: strings.Repeat("ab", 32)}}, Region{}, "its picture is not here: give its file, or remove the mask"},
		{"kind", Region{"around", half}, Region{}, `"around" is not a meaning of a mask: choose one of only, not, exact`},
		{"two alike", Region{guidance.Exactly, half}, Region{guidance.Exactly, half}, `the masks of "dog" and "beach" overlap entirely`},
		{"no room", Region{guidance.Exactly, everywhere}, Region{}, `the mask painted for "dog" leaves no position for "beach": paint it smaller`},
		{"nowhere", Region{guidance.NotHere, everywhere}, Region{}, "leave room for it"},
	} {
		r := b.dog()
		r.Subjects = append(r.Subjects, b.subject("beach", blue))
		r.Subjects[0].Region, r.Subjects[1].Region = c.dog, c.beach
		if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNotesOfMasks(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Width, r.Height, r.Subjects[0].Region.Painted = 32, 16, paint(t, leftHalf)
	for _, when := range []string{"before a job has read it", "after that"} {
		want := `the mask of "dog" has another shape than the picture of 32 × 16 pixels: it is stretched`
		if notes := b.engine.Notes(r); len(notes) != 1 || notes[0].Error() != want {
			t.Errorf("%s: %q", when, notes)
		}
		if _, err := b.engine.Resolve(r); err != nil {
			t.Fatal(err)
		}
	}
	if r.Width, r.Height = 16, 16; len(b.engine.Notes(r)) > 0 {
		t.Errorf("of its own shape: %q", b.engine.Notes(r))
	}
}

// BenchmarkReplayWithARegion is what trying a painted mask on a finished picture takes: 25 steps, 12 of them with scores
// of two subjects, at 1024².
func BenchmarkReplayWithARegion(b *testing.B) {
	m := newFakeModel(&testing.T{}).manifest
	m.Latent.Factor, m.Latent.Channels = 8, 3
	mask := image.NewGray(image.Rect(0, 0, 1024, 1024))
	for i := range mask.Pix {
		mask.Pix[i] = uint8(min(max(300-abs(i%1024-400)-abs(i/1024-500), 0), 255))
	}
	data, err := picture.EncodePainted(mask)
	if err != nil {
		b.Fatal(err)
	}
	recipe := Defaults(m, Request{Settings: Settings{Width: 1024, Height: 1024}, Subjects: []Subject{
		{Word: Word{Text: "dog"}, Region: Region{Painted: Painted{Data: data}}}, {Word: Word{Text: "beach"}},
	}})
	var steps []KeptStep
	for i := range 25 {
		s := KeptStep{Step: i, Clean: make([]float32, 3*128*128)}
		if i >= 12 {
			steps = append(steps, s)
			continue
		}
		s.Scores = [][]float32{make([]float32, 4096), make([]float32, 4096)}
		for p := range 4096 {
			s.Scores[0][p], s.Scores[1][p] = float32((p*7919+i)%4093)+1, float32((p*104729+i)%4093)+1
		}
		steps = append(steps, s)
	}
	for b.Loop() {
		if got := Replay(m, recipe, steps); got[24].Subjects[1].Mask == nil || got[24].Preview == nil {
			b.Fatal("no masks")
		}
	}
}

func abs(v int) int { return max(v, -v) }
