package inference

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/picture"
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

// kept16 is a picture of 16 × 16 pixels, all different, as a PNG file.
func kept16(t *testing.T) (img *image.NRGBA, file []byte) {
	t.Helper()
	img = image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		img.Set(i%16, i/16, color.NRGBA{uint8(i), uint8(255 - i), uint8(7 * i), 255})
	}
	file, err := picture.Encode(img, picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	return img, file
}

// region16 is white in a rectangle of 16 × 16 pixels and grey around it.
func region16(t *testing.T, white, grey image.Rectangle) []byte {
	t.Helper()
	mask := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		switch p := image.Pt(i%16, i/16); {
		case p.In(white):
			mask.Pix[i] = 255
		case p.In(grey):
			mask.Pix[i] = 90
		}
	}
	data, err := picture.EncodePainted(mask)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRedo makes a part of a picture anew. Outside of the region no byte differs and the latent is at every step the picture's own at
// that level of noise, where the region is grey for some of the steps; inside it begins with noise alone. Continuing from any step gives
// the same picture.
func TestRedo(t *testing.T) {
	img, file := kept16(t)
	white, grey := image.Rect(4, 6, 9, 11), image.Rect(3, 5, 11, 12)
	for _, sampler := range []string{"ddim", "dpm++", "dpm++2m-karras", "unipc", "euler-a"} {
		for _, strength := range []float64{1, 0.5} {
			b := newBench(t)
			r := b.dog()
			r.Steps, r.Stop, r.Sampler = 10, 4, sampler
			r.Init = &Init{Name: "kept.png", Data: file, Strength: strength, Region: Painted{Data: region16(t, white, grey)}}
			name := fmt.Sprint(sampler, " ", strength)
			events := b.run(r)
			steps, ready := of[StepDone](events), of[PictureReady](events)[0]
			differ, inside := 0, 0
			for i := range 256 {
				same := bytes.Equal(ready.Image.Pix[4*i:][:4], img.Pix[4*i:][:4])
				switch p := image.Pt(i%16, i/16); {
				case !p.In(grey) && !same:
					differ++
				case p.In(white) && !same:
					inside++
				}
			}
			if differ != 0 || inside < white.Dx()*white.Dy()*9/10 {
				t.Errorf("%s: %d pixels outside of the region differ, %d of %d inside", name, differ, inside, white.Dx()*white.Dy())
			}
			// Cells are 2 × 2 pixels: those that touch the white, columns 2 to 4 and rows 3 to 5, are made anew, those that touch the grey,
			// columns 1 to 5 and rows 2 to 5, for the last 90/255 of the steps: after 7 of 10, or after 9 where 5 to 9 run.
			noise := random.Normal(7, 3*64)
			free := map[float64]int{1: 7, 0.5: 9}[strength]
			cell := func(p, done int) (kept bool, x0 float64) {
				x, y, c := p%8, p/8%8, p/64
				at := img.NRGBAAt(2*x+1, 2*y+1)
				white := x >= 2 && x <= 4 && y >= 3 && y <= 5
				grey := x >= 1 && x <= 5 && y >= 2 && y <= 5
				return !grey || !white && done < free, float64([]uint8{at.R, at.G, at.B}[c])/127.5 - 1
			}
			_, solver, err := solverOf(b.model.manifest, ready.Recipe.Settings)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				for p, v := range s.State.Latent {
					kept, x0 := cell(p, s.Step+1)
					if !kept || s.Step == 9 {
						continue
					}
					want := solver.Steps()[s.Step+1].Noised([]float32{float32(x0)}, []float32{noise[p]})[0]
					if math.Abs(float64(v-want)) > 1e-6 {
						t.Fatalf("%s: after step %d value %d is %g, want %g", name, s.Step, p, v, want)
					}
				}
				for p, v := range s.Clean {
					if kept, x0 := cell(p, s.Step+1); kept && math.Abs(float64(v)-x0) > 1e-6 {
						t.Fatalf("%s: the clean latent of step %d has %g at %d, the picture %g", name, s.Step, v, p, x0)
					}
				}
			}
			first := b.runtime.callsOf("guidance")[0].in["sample"].F32
			for p, v := range first {
				if kept, _ := cell(p, 0); strength == 1 && !kept && v != noise[p] {
					t.Fatalf("%s: value %d of the first latent is %g, the noise %g", name, p, v, noise[p])
				} else if kept && v == noise[p] {
					t.Fatalf("%s: value %d of the first latent is noise alone", name, p)
				}
			}
			for _, at := range []int{0, len(steps) / 2, len(steps) - 2} {
				branch := ready.Recipe
				branch.From = &steps[at].State
				if on := of[PictureReady](b.run(branch))[0]; !bytes.Equal(on.Image.Pix, ready.Image.Pix) {
					t.Errorf("%s: the run from step %d on differs", name, branch.From.Step)
				}
			}
		}
	}
}

func TestBadRegions(t *testing.T) {
	_, file := kept16(t)
	all := image.Rect(0, 0, 16, 16)
	for name, c := range map[string]struct {
		change func(*Request)
		want   string // "": nothing is wrong
	}{
		"everything":       {func(r *Request) { r.Init.Region.Data = region16(t, all, all) }, ""},
		"touches a border": {func(r *Request) { r.Init.Region.Data = region16(t, image.Rect(0, 0, 1, 1), all) }, ""},
		"empty":            {func(r *Request) { r.Init.Region.Data = region16(t, image.Rectangle{}, image.Rectangle{}) }, "the region that is made again: the mask is empty"},
		"colours":          {func(r *Request) { r.Init.Region.Data = file }, "the region that is made again: the mask has colours"},
		"no picture":       {func(r *Request) { r.Init.Region.Data = []byte("x") }, "the region that is made again"},
		"gone":             {func(r *Request) { r.Init.Region = Painted{SHA256: strings.Repeat("ab", 32)} }, "the region that is made again: its picture is not here"},
		"another size":     {func(r *Request) { r.Init.Data = aPicture(t, red) }, "has 8 × 8 pixels, not 16 × 16"},
	} {
		b := newBench(t)
		r := b.dog()
		r.Init = &Init{Name: "kept.png", Data: file, Region: Painted{Data: region16(t, image.Rect(4, 4, 8, 8), image.Rectangle{})}}
		c.change(&r)
		got, err := b.engine.ResolveContext(context.Background(), r)
		if c.want == "" && (err != nil || got.Init.Strength != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v, %v", name, got.Init, err)
		}
	}
}

// TestSecondPass makes a picture larger with the masks that it was made with: no guidance branch runs.
func TestSecondPass(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects = append(r.Subjects, b.subject("beach", blue))
	events := b.run(r)
	steps, ready := of[StepDone](events), of[PictureReady](events)[0]
	file, err := picture.Encode(ready.Image, picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	last := steps[len(steps)-1]
	var masks []picture.Grid
	for _, s := range last.Subjects {
		masks = append(masks, picture.Grid{Width: last.GridWidth, Height: last.GridHeight, Values: s.Mask})
	}
	b.runtime.forget()
	second, err := SecondPass(b.model.manifest, ready.Recipe, Init{Name: "small.png", Data: file}, 2, masks)
	if err != nil {
		t.Fatal(err)
	}
	events = b.run(second)
	larger := of[PictureReady](events)[0]
	if size := larger.Image.Rect.Size(); size != image.Pt(32, 32) || b.runtime.runs("guidance") != 0 || b.runtime.runs("unet") != 10 {
		t.Errorf("%v with %d guidance passes and %d others, want 32 × 32, none and int(25·0.2) times two", size, b.runtime.runs("guidance"), b.runtime.runs("unet"))
	}
	steps = of[StepDone](events)
	for j, s := range steps[0].Subjects {
		best, of := 0, 0
		for p, v := range masks[j].Values {
			if v > masks[j].Values[best] {
				best = p
			}
		}
		for p, v := range s.Mask {
			if v > s.Mask[of] {
				of = p
			}
		}
		if x, y := of%8/2, of/8/2; y*4+x != best {
			t.Errorf("the mask of subject %d is highest at %d, %d of the small grid, was at %d", j, x, y, best)
		}
	}
	alone, err := SecondPass(b.model.manifest, ready.Recipe, Init{Name: "small.png", Data: file}, 1.5, nil)
	if err != nil || alone.Width != 24 || !alone.Subjects[0].Region.IsZero() {
		t.Errorf("without masks: %+v, %v", alone, err)
	}
	for _, scale := range []float64{1, 0, 5, math.NaN()} {
		if _, err := SecondPass(b.model.manifest, ready.Recipe, Init{}, scale, nil); err == nil {
			t.Errorf("%g times as large", scale)
		}
	}
}

// The less a second pass of a small model makes anew, the further it goes beyond what the model has learned from, but always a step.
func TestSecondPassStrength(t *testing.T) {
	for _, c := range []struct {
		learned, side, steps int
		want                 float64
	}{
		{256, 256, 25, 0.4},
		{256, 352, 25, 0.4},
		{256, 384, 25, 0.3},
		{256, 512, 25, 0.2},
		{256, 1024, 25, 0.1},
		{256, 512, 4, 0.25},
		{128, 256, 25, 0.2},
		{1024, 2048, 25, 0.4},
		{512, 1024, 1, 1},
		{512, 1024, 0, 0.4},
	} {
		m := bundle.Manifest{Size: bundle.Size{Width: c.learned, Height: c.learned, Max: 4096}}
		if got := SecondPassStrength(m, image.Pt(c.side, c.side), c.steps); got != c.want {
			t.Errorf("from %d to %d in %d steps: %g, want %g", c.learned, c.side, c.steps, got, c.want)
		}
		if r := (Request{Settings: Settings{Steps: c.steps}, Init: &Init{Strength: c.want}}); c.steps > 0 && r.Begin() >= c.steps {
			t.Errorf("%g leaves none of %d steps", c.want, c.steps)
		}
	}
}

// TestMixed takes old pixels where few steps were made anew alone.
func TestMixed(t *testing.T) {
	region := &image.Gray{Pix: []byte{0, 1, 42, 85, 170, 255}, Stride: 6, Rect: image.Rect(0, 0, 6, 1)}
	if got := mixed(region).Pix; !bytes.Equal(got, []byte{0, 3, 126, 255, 255, 255}) {
		t.Errorf("%v", got)
	}
}

// TestRegionOf leaves out where other subjects are and fades towards them along a round line, and leaves no strip at the border.
func TestRegionOf(t *testing.T) {
	grid := func(at ...int) picture.Grid { // 8 × 8 positions of 4 × 4 pixels
		g := picture.Grid{Width: 8, Height: 8, Values: make([]float32, 64)}
		for _, p := range at {
			g.Values[p] = 1
		}
		return g
	}
	masks := []picture.Grid{grid(3*8+2, 3*8+3), grid(3*8+5, 4*8+4)}
	region := RegionOf(masks, 0, 32, 32, 2, 4)
	row := func(y, from, to int) []byte { return region.Pix[y*region.Stride:][from:to] }
	if got := row(13, 0, 16); !bytes.Equal(got, []byte{0, 0, 0, 64, 128, 191, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}) {
		t.Errorf("to the left it falls as %v", got) // white up to 2 pixels from its cells, which begin at 8, then to nothing over 4
	}
	for y := range 32 {
		for x := range 32 {
			v := region.GrayAt(x, y).Y
			if other := masks[1].Values[y/4*8+x/4] > 0; other && v > 64 { // more than a corner
				t.Errorf("%d, %d is of the other subject and has %d", x, y, v)
			}
		}
	}
	if a, b := region.GrayAt(15, 13).Y, region.GrayAt(19, 13).Y; a != 255 || b != 88 {
		t.Errorf("between both it is %d and %d", a, b)
	}
	if a, b := region.GrayAt(15, 15).Y, region.GrayAt(16, 16).Y; a == 255 || a < 128 || b == 0 || b >= 128 {
		t.Errorf("where they meet at a corner it is %d and %d", a, b)
	}

	near := RegionOf([]picture.Grid{grid(3*8+1, 4*8+1)}, 0, 32, 32, 2, 4) // 4 pixels from the left, 12 from the top
	for y := 12; y < 20; y++ {
		for x := range 10 {
			if near.GrayAt(x, y).Y != 255 {
				t.Fatalf("a strip is left at the border: %d at %d, %d", near.GrayAt(x, y).Y, x, y)
			}
		}
	}
	if near.GrayAt(5, 2).Y != 0 || near.GrayAt(0, 2).Y != 0 {
		t.Error("it goes on to a border that is far away")
	}
	if RegionOf(masks, 2, 8, 1, 0, 0) != nil {
		t.Error("a subject that is not there has a region")
	}
}

// TestLook finds the masks that a run makes which begins with the picture at T_stop, also without the bytes of references.
func TestLook(t *testing.T) {
	b := newBench(t)
	_, file := kept16(t)
	r := b.dog()
	r.Seeds, r.Init = []uint64{0}, &Init{Name: "kept.png", Data: file, Strength: 14.0 / 25} // steps 11 to 24 of 25
	first := of[StepDone](b.run(r))[0]
	r.Init = nil
	r.Subjects[0].References[0] = Reference{Name: "gone.png", SHA256: strings.Repeat("ab", 32)}
	b.runtime.forget()
	masks, err := b.engine.Look(context.Background(), r, Init{Name: "kept.png", Data: file})
	if err != nil || first.Step != 11 || len(masks) != 1 || masks[0].Width != 4 || !slices.Equal(masks[0].Values, first.Subjects[0].Mask) {
		t.Errorf("%v, want %v of step %d: %v", masks, first.Subjects[0].Mask, first.Step, err)
	}
	if n := b.runtime.runs("guidance"); n != 1 {
		t.Errorf("%d guidance passes", n)
	}
	if _, err := b.engine.Look(context.Background(), r, Init{Name: "kept.png", Data: []byte("x")}); err == nil {
		t.Error("there are masks in what is no picture")
	}

	// The seed chooses among alternatives: the subject is looked for in the text that the picture was made of.
	r.Prompt, r.Seeds = "a {dog|cat} on the beach", []uint64{1}
	used := func(seed uint64) string { text, _ := r.Used(b.model.Manifest(), seed); return text }
	for used(r.Seeds[0]) == used(0) {
		r.Seeds[0]++
	}
	word := "dog"
	if strings.Contains(used(r.Seeds[0]), "cat") {
		word = "cat"
	}
	r.Subjects[0].Word.Text = word
	r.Grid = &Grid{Columns: Axis{Key: "cfg", Values: []string{"3", "4"}}}
	if masks, err := b.engine.Look(context.Background(), r, Init{Name: "kept.png", Data: file}); err != nil || len(masks) != 1 {
		t.Errorf("%s with the seed %d: %v, %v", word, r.Seeds[0], masks, err)
	}
}

// TestMadeIn: of a subject that was made anew in a region only what lies there counts; one that lies elsewhere keeps its mask.
func TestMadeIn(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 20 {
			gray.SetGray(x, y, color.Gray{255}) // the left half
		}
	}
	data, err := picture.EncodePainted(gray)
	if err != nil {
		t.Fatal(err)
	}
	grid := func(v ...float32) picture.Grid { return picture.Grid{Width: 4, Height: 1, Values: v} }
	masks := []picture.Grid{grid(1, 0.5, 0.5, 1), grid(0, 0.1, 1, 1), grid(0, 1, 0, 0)}
	got := MadeIn(Painted{Data: data}, masks)
	for j, want := range []picture.Grid{grid(1, 0.5, 0, 0), masks[1], masks[2]} {
		if !slices.Equal(got[j].Values, want.Values) {
			t.Errorf("subject %d: %v, want %v", j, got[j].Values, want.Values)
		}
	}
	if masks[0].Values[3] != 1 {
		t.Error("the masks that were given are others now")
	}
	if got := MadeIn(Painted{SHA256: "gone"}, masks); !slices.Equal(got[0].Values, masks[0].Values) {
		t.Error("a region whose file is gone")
	}
}
