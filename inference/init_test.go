package inference

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"realword/inference/graph"
	"realword/inference/random"
)

// TestBeginWithAPicture looks at where a run begins, which passes it makes, and what the U-Net is given first.
func TestBeginWithAPicture(t *testing.T) {
	for _, c := range []struct {
		strength               float64
		steps, stop            int
		first, guided, denoise int
	}{
		{0.6, 25, 12, 10, 2, 30}, // int(25·0.6) = 15 steps
		{1, 25, 12, 0, 12, 50},
		{0.3, 25, 12, 18, 1, 14},  // behind T_stop: the first step makes the masks; int(7.5) = 7
		{0.58, 50, 24, 22, 2, 56}, // 50·0.58 is a little less than 29, in Python too
		{0.04, 25, 25, 24, 1, 2},
	} {
		b := newBench(t)
		r := b.dog()
		r.Steps, r.Stop = c.steps, c.stop
		r.Init = &Init{Name: "start.png", Data: aPicture(t, blue), Strength: c.strength}
		events := b.run(r)
		steps := of[StepDone](events)
		name := fmt.Sprintf("strength %g of %d steps", c.strength, c.steps)
		if n := len(steps); n != c.steps-c.first || steps[0].Step != c.first {
			t.Errorf("%s: %d steps from %d on", name, n, steps[0].Step)
		}
		for _, s := range steps {
			if want := s.Step < c.stop || s.Step == c.first; s.Guided != want || len(s.Subjects[0].Mask) != 16 {
				t.Errorf("%s: step %d guided %t, mask of %d", name, s.Step, s.Guided, len(s.Subjects[0].Mask))
			}
		}
		if g, u := b.runtime.runs("guidance"), b.runtime.runs("unet"); g != c.guided || u != c.denoise {
			t.Errorf("%s: %d guidance and %d denoising passes", name, g, u)
		}
		progress := of[Progress](events)
		if p := progress[len(progress)-1]; p.Pass != p.Passes || p.Passes != c.guided+c.denoise {
			t.Errorf("%s: the last progress is %+v", name, p)
		}
		// √ᾱ·x0 + √(1−ᾱ)·ε with ᾱ of the step's timestep; of blue, whose values in 0..255 are 30, 30, 200.
		bar := map[int]float64{999: 0.0046601, 599: 0.1617525, 279: 0.6257294, 559: 0.2036725, 39: 0.9628951}[steps[0].Timestep]
		noise, got := random.Normal(7, 3*8*8), b.runtime.callsOf("guidance")[0].in["sample"].F32
		for _, i := range []int{0, 70, 130, 191} {
			x0 := []float64{30/127.5 - 1, 30/127.5 - 1, 200/127.5 - 1}[i/64]
			if want := math.Sqrt(bar)*x0 + math.Sqrt(1-bar)*float64(noise[i]); math.Abs(float64(got[i])-want) > 1e-5 {
				t.Errorf("%s: value %d of the first latent is %g, want %g (t = %d)", name, i, got[i], want, steps[0].Timestep)
			}
		}
		ready := of[PictureReady](events)[0]
		if ready.Recipe.Init == nil || ready.Recipe.Init.Strength != c.strength || len(ready.Recipe.Init.SHA256) != 64 {
			t.Errorf("%s: the recipe says %+v", name, ready.Recipe.Init)
		}
		again := of[PictureReady](b.run(ready.Recipe))[0]
		if !bytes.Equal(again.Image.Pix, ready.Image.Pix) {
			t.Errorf("%s: the recipe makes another picture", name)
		}
		branch := ready.Recipe
		branch.From = &steps[len(steps)/3].State
		if from := branch.From.Step; from < c.steps {
			if on := of[PictureReady](b.run(branch))[0]; !bytes.Equal(on.Image.Pix, ready.Image.Pix) {
				t.Errorf("%s: the run from step %d on differs", name, from)
			}
		}
	}
}

// TestInitIsPartOfTheRequest resolves twice and sends it over the wire.
func TestInitIsPartOfTheRequest(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Init = &Init{Name: "start.png", Data: aPicture(t, blue)}
	given := *r.Init
	resolved, err := b.engine.Resolve(r)
	if err != nil || resolved.Init.Strength != 0.6 || len(resolved.Init.Small) == 0 || !reflect.DeepEqual(*r.Init, given) {
		t.Fatalf("%+v, given %+v: %v", resolved.Init, r.Init, err)
	}
	if again, err := b.engine.Resolve(resolved); err != nil || !reflect.DeepEqual(again, resolved) {
		t.Errorf("resolved again: %+v, %v", again.Init, err)
	}
	data, err := EncodeRequest(resolved)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := DecodeRequest(data); err != nil || !reflect.DeepEqual(back.Init, resolved.Init) {
		t.Errorf("over the wire: %+v, %v", back.Init, err)
	}
	forged := resolved
	forged.Init = &Init{Name: "start.png", SHA256: strings.Repeat("ab", 32), Data: resolved.Init.Data}
	if data, err = EncodeRequest(forged); err != nil {
		t.Fatal(err)
	}
	if back, err := DecodeRequest(data); err != nil || back.Init.SHA256 != resolved.Init.SHA256 {
		t.Errorf("a hash that is not that of the bytes is believed: %+v, %v", back.Init, err)
	}
	if files := resolved.Files(); len(files) != 2 || files[1].Name != "start.png" || *files[1].SHA256 != resolved.Init.SHA256 {
		t.Errorf("files: %+v", files)
	}
}

func TestBadInit(t *testing.T) {
	for name, c := range map[string]struct {
		init Init
		want string
	}{
		"too strong":    {Init{Name: "a.png", Data: aPicture(t, red), Strength: 1.1}, "the strength 1.1 is outside"},
		"not a number":  {Init{Name: "a.png", Data: aPicture(t, red), Strength: math.NaN()}, "the strength NaN is outside"},
		"without steps": {Init{Name: "a.png", Data: aPicture(t, red), Strength: 0.03}, "none of the 25 steps: choose at least 0.04"},
		"gone":          {Init{Name: "a.png", SHA256: strings.Repeat("ab", 32), Strength: 0.5}, `"a.png" to begin with is not here`},
		"no picture":    {Init{Name: "a.png", Data: []byte("text"), Strength: 0.5}, `the picture "a.png" to begin with: `},
	} {
		b := newBench(t)
		r := b.dog()
		r.Init = &c.init
		if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newBench(t)
	delete(b.model.manifest.Graphs, graph.Encoder)
	r := b.dog()
	r.Init = &Init{Name: "a.png", Data: aPicture(t, red)}
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "has no encoder") || !strings.Contains(err.Error(), "import the model again") {
		t.Errorf("without an encoder: %v", err)
	}
	b.run(b.dog()) // all else goes on
}
