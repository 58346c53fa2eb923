package inference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/keep"
	"realword/inference/picture"
	"realword/inference/random"
	"realword/inference/schedule"
	"realword/inference/tensor"
)

var (
	red  = color.NRGBA{200, 30, 30, 255}
	blue = color.NRGBA{30, 30, 200, 255}
)

type bench struct {
	*testing.T
	runtime *fakeRuntime
	model   *fakeModel
	engine  *Engine
}

func newBench(t *testing.T) *bench {
	t.Helper()
	m := newFakeModel(t)
	rt := &fakeRuntime{t: t, model: m}
	b := &bench{t, rt, m, New(rt, m)}
	t.Cleanup(func() {
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// dog is a request with one subject.
func (b *bench) dog() Request {
	return Request{Prompt: "a dog on the beach", Subjects: []Subject{b.subject("dog", red)}, Seeds: []uint64{7}}
}

func (b *bench) subject(word string, colours ...color.Color) Subject {
	s := Subject{Word: Word{Text: word}}
	for i, c := range colours {
		s.References = append(s.References, Reference{Name: fmt.Sprintf("%s%d.png", word, i), Data: aPicture(b.T, c)})
	}
	return s
}

// run drains a job that must be done.
func (b *bench) run(r Request) []Event {
	b.Helper()
	events := drain(b.start(context.Background(), r))
	if failed, ok := events[len(events)-1].(Failed); ok {
		b.Fatalf("the job failed: %v", failed.Err)
	}
	return events
}

func (b *bench) start(ctx context.Context, r Request) Job {
	b.Helper()
	j, err := b.engine.Start(ctx, r)
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func drain(j Job) []Event {
	var events []Event
	for e := range j.Events() {
		events = append(events, e)
	}
	return events
}

func of[E Event](events []Event) []E {
	var out []E
	for _, e := range events {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

func TestPassesOfAPicture(t *testing.T) {
	for _, c := range []struct {
		name                   string
		change                 func(*bench, *Request)
		guided, unet, progress int
	}{
		{"25 steps, T_stop 12", func(*bench, *Request) {}, 12, 50, 62},
		{"plain text-to-image", func(_ *bench, r *Request) { r.Subjects = nil }, 0, 50, 50},
		{"without early stop", func(_ *bench, r *Request) { r.Stop = 25 }, 25, 50, 75},
		{"ω = 1 needs no unconditional pass", func(_ *bench, r *Request) { r.CFG = 1 }, 12, 25, 37},
		{"two subjects share the guidance pass", func(b *bench, r *Request) { r.Subjects = append(r.Subjects, b.subject("beach", blue)) }, 12, 50, 62},
		{"two pictures", func(_ *bench, r *Request) { r.Seeds = []uint64{1, 2} }, 24, 100, 124},
		{"release", func(_ *bench, r *Request) { r.Preset = "release" }, 12, 50, 62},
		{"eight steps of LCM", func(_ *bench, r *Request) { r.Preset = "lcm" }, 4, 8, 12},
		{"four of Lightning", func(_ *bench, r *Request) { r.Preset = "lightning" }, 2, 4, 6},
		{"eight of it", func(_ *bench, r *Request) { r.Preset, r.Steps = "lightning", 8 }, 4, 8, 12},
		{"two evaluations per step", func(_ *bench, r *Request) { r.Sampler = "heun" }, 12, 98, 110},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			r := b.dog()
			c.change(b, &r)
			events := b.run(r)
			if g, u := b.runtime.runs("guidance"), b.runtime.runs("unet"); g != c.guided || u != c.unet {
				t.Errorf("%d guidance and %d denoising passes, want %d and %d", g, u, c.guided, c.unet)
			}
			last := of[Progress](events)
			if p := last[len(last)-1]; p.Pass != c.progress || p.Passes != c.progress {
				t.Errorf("the last progress is %d of %d, want %d", p.Pass, p.Passes, c.progress)
			}
		})
	}
}

func TestEventOrder(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Steps, r.Stop, r.Seeds = 3, 2, []uint64{5, 6}
	var got []string
	passes := 0
	for _, e := range b.run(r) {
		switch e := e.(type) {
		case StageStarted:
			got = append(got, fmt.Sprintf("%s %d", e.Stage, e.Picture))
		case StepDone:
			got = append(got, fmt.Sprintf("step %d/%d of %d guided=%t t=%d", e.Step, e.Steps, e.Picture, e.Guided, e.Timestep))
		case PictureReady:
			got = append(got, fmt.Sprintf("picture %d seed %d", e.Picture, e.Seed))
		case Done:
			got = append(got, fmt.Sprintf("done %d", e.Pictures))
		case Progress:
			if e.Pass <= passes || e.Passes != 16 {
				t.Errorf("progress %d of %d after %d", e.Pass, e.Passes, passes)
			}
			passes = e.Pass
		}
	}
	want := []string{
		"load 0", "text 0", "vision 0",
		"denoise 0", "step 0/3 of 0 guided=true t=999", "step 1/3 of 0 guided=true t=666", "step 2/3 of 0 guided=false t=332", "decode 0", "picture 0 seed 5",
		"denoise 1", "step 0/3 of 1 guided=true t=999", "step 1/3 of 1 guided=true t=666", "step 2/3 of 1 guided=false t=332", "decode 1", "picture 1 seed 6",
		"done 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStepEvents(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects = append(r.Subjects, b.subject("beach", blue))
	r.Steps, r.Stop = 3, 2
	steps := of[StepDone](b.run(r))
	for i, s := range steps {
		if s.GridWidth != 4 || s.GridHeight != 4 || len(s.Subjects) != 2 || s.Preview.Rect.Dx() != 8 || len(s.Clean) != 3*8*8 {
			t.Fatalf("step %d has the wrong shapes: %+v", i, s)
		}
		for p := range 16 {
			if s.Subjects[0].Mask[p] != 0 && s.Subjects[1].Mask[p] != 0 {
				t.Errorf("step %d: both subjects have position %d", i, p)
			}
		}
		for j := range s.Subjects {
			m := s.Subjects[j].Mask
			if slices.Max(m) != 1 || guidance.Area(m) != 3./16 {
				t.Errorf("step %d: mask %v of subject %d", i, m, j)
			}
			if have := s.Subjects[j].Scores != nil && s.Subjects[j].Cross != nil; have != (i < 2) {
				t.Errorf("step %d: scores %v", i, s.Subjects[j].Scores)
			}
		}
	}
	if !slices.Equal(steps[1].Subjects[0].Mask, steps[2].Subjects[0].Mask) || slices.Equal(steps[0].Subjects[0].Mask, steps[1].Subjects[0].Mask) {
		t.Error("masks must change before T_stop and stay from it on")
	}
	// The preview shows x0: of a clean latent at 1 the model's matrix makes white, at -1 black.
	for p, v := range steps[2].Clean[:64] {
		if want := uint8(255 * min(max(v/2+.5, 0), 1)); math.Abs(float64(steps[2].Preview.Pix[4*p])-float64(want)) > 1 {
			t.Fatalf("preview %d of x0 %g, want %d", steps[2].Preview.Pix[4*p], v, want)
		}
	}
}

func TestRawMaskKeepsScores(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.RawMask, r.Steps, r.Stop = true, 1, 1
	s := of[StepDone](b.run(r))[0].Subjects[0]
	if p := slices.Index(s.Mask, slices.Max(s.Mask)); s.Mask[p] != s.Scores[p] || s.Mask[p] == 1 {
		t.Errorf("mask %v of scores %v", s.Mask, s.Scores)
	}
}

// TestLayerMaps asks the graph for maps of 0..1 and brings their mean there again, as the released app does.
func TestLayerMaps(t *testing.T) {
	for norm, want := range map[string]int64{"": 0, "max": 0, "none": 0, "min_max_per_channel": 1} {
		b := newBench(t)
		r := b.dog()
		r.MaskNorm, r.Steps, r.Stop = norm, 1, 1
		done := b.run(r)
		step := of[StepDone](done)[0].Subjects[0]
		if got := b.runtime.callsOf("guidance")[0].in["layer_maps"].I64[0]; got != want {
			t.Errorf("%q: layer_maps %d, want %d", norm, got, want)
		}
		if norm != "min_max_per_channel" {
			continue
		}
		low, high := slices.Min(step.Scores), slices.Max(step.Scores)
		for p, v := range step.Mask {
			if want := (step.Scores[p] - low) / (high - low + 1e-6); v != 0 && math.Abs(float64(v-want)) > 1e-6 {
				t.Errorf("mask %g at %d, want %g", v, p, want)
			}
		}
		if recipe := of[PictureReady](done)[0].Recipe; recipe.MaskNorm != norm || recipe.RawMask {
			t.Errorf("recipe %+v", recipe)
		}
	}
	if d := Defaults(newFakeModel(t).manifest, Request{Settings: Settings{MaskNorm: "none"}}); !d.RawMask || d.MaskNorm != "" {
		t.Errorf("%+v", d)
	}
}

func TestPictureOfABatchEqualsItAlone(t *testing.T) {
	for _, sampler := range append(schedule.Samplers(), "release") {
		b := newBench(t)
		r := b.dog()
		r.Sampler, r.Seeds = sampler, []uint64{3, 99, 12345678901}
		if sampler == "release" {
			r.Preset, r.Sampler = sampler, ""
		}
		batch := of[PictureReady](b.run(r))
		for n, p := range batch {
			if len(p.Recipe.Seeds) != 1 || p.Recipe.Seeds[0] != r.Seeds[n] {
				t.Fatalf("the recipe of picture %d has the seeds %v", n, p.Recipe.Seeds)
			}
			alone := of[PictureReady](b.run(p.Recipe))[0]
			if !slices.Equal(alone.Image.Pix, p.Image.Pix) {
				t.Errorf("%s: picture %d differs from the picture of its recipe", sampler, n)
			}
		}
		if slices.Equal(batch[0].Image.Pix, batch[1].Image.Pix) {
			t.Errorf("%s: two seeds give one picture", sampler)
		}
	}
}

// TestFreshNoiseIsTheSeeds: what a sampler adds on its way is the next that the seed's generator gives, as in programs that draw with one
// generator of PyTorch.
func TestFreshNoiseIsTheSeeds(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Sampler, r.Steps, r.Stop, r.Seeds = "lcm", 4, 4, []uint64{99}
	noise, _ := schedule.NewNoise(b.model.manifest.Schedule.Config())
	generator := random.New(99)
	steps := of[StepDone](b.run(r))
	generator.Normal(len(steps[0].Clean))
	for i, s := range steps[:3] {
		bar := float64(noise.AlphaBar(steps[i+1].Timestep))
		for p, fresh := range generator.Normal(len(s.Clean)) {
			want := math.Sqrt(bar)*float64(s.Clean[p]) + math.Sqrt(1-bar)*float64(fresh)
			if got := float64(s.State.Latent[p]); math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
				t.Fatalf("step %d, value %d: %g, want %g", i, p, got, want)
			}
		}
	}
}

// TestWhatTheNetworkIsTold of the noise: a training step, a fraction between two, or for a model like CosXL a quarter of ln(σ/α).
func TestWhatTheNetworkIsTold(t *testing.T) {
	quarter := func(k float64) float64 { return math.Log(k) / 4 }
	for name, c := range map[string]struct {
		change func(*bench, *Request)
		want   []float64 // of the passes of every place that the model is asked at
	}{
		"trailing":  {func(_ *bench, r *Request) { r.Sampler = "euler-trailing" }, []float64{999, 749, 499, 249}},
		"fractions": {func(_ *bench, r *Request) { r.Sampler = "euler"; r.Steps = 3 }, []float64{999, 499.5, 0}},
		"twice":     {func(_ *bench, r *Request) { r.Sampler = "heun-trailing" }, []float64{999, 749, 749, 499, 499, 249, 249}},
		"CosXL": {func(b *bench, r *Request) {
			r.Sampler = "euler-exponential"
			s := &b.model.manifest.Schedule
			s.PredictionType, s.SigmaMin, s.SigmaMax = schedule.Velocity, 0.002, 120
		}, []float64{quarter(120), quarter(120 * math.Pow(0.002/120, 1.0/3)), quarter(120 * math.Pow(0.002/120, 2.0/3)), quarter(0.002)}},
	} {
		b := newBench(t)
		r := b.dog()
		r.Subjects, r.Steps = nil, 4
		c.change(b, &r)
		events := b.run(r)
		for i, call := range b.runtime.callsOf("unet") {
			if got := float64(call.in["timestep"].F32[0]); i/2 >= len(c.want) || math.Abs(got-c.want[i/2]) > 1e-4 {
				t.Errorf("%s: pass %d is told %g, want %v", name, i, got, c.want)
			}
		}
		if n := len(b.runtime.callsOf("unet")); n != 2*len(c.want) {
			t.Errorf("%s: %d passes, want two at each of %v", name, n, c.want)
		}
		if s := of[StepDone](events); s[0].Timestep != 999 {
			t.Errorf("%s: the first step is at %d of training", name, s[0].Timestep)
		}
	}
}

func TestGoingOnFromEveryStepEqualsTheWholeRun(t *testing.T) {
	for _, sampler := range schedule.Samplers() {
		b := newBench(t)
		r := b.dog()
		r.Sampler, r.Steps, r.Stop = sampler, 7, 4
		whole := b.run(r)
		steps, picture := of[StepDone](whole), of[PictureReady](whole)[0]
		for k, kept := range steps[:6] {
			branch := r
			branch.From = &kept.State
			events := b.run(branch)
			if again := of[PictureReady](events)[0]; !slices.Equal(again.Image.Pix, picture.Image.Pix) {
				t.Errorf("%s: the picture from step %d differs", sampler, k+1)
			}
			for i, s := range of[StepDone](events) {
				want := steps[k+1+i]
				if !slices.Equal(s.Clean, want.Clean) || !reflect.DeepEqual(s.State, want.State) || !reflect.DeepEqual(s.Subjects, want.Subjects) || s.Step != want.Step {
					t.Errorf("%s: from step %d, step %d differs", sampler, k+1, s.Step)
				}
			}
			generation := 6 - k
			if sampler == "heun" || strings.HasPrefix(sampler, "dpm++sde") { // twice in every step but the last
				generation = 2*(6-k) - 1
			}
			if p := of[Progress](events); p[0].Passes != 2*generation+max(0, 3-k) {
				t.Errorf("%s: %d passes from step %d", sampler, p[0].Passes, k+1)
			}
		}
	}
}

func TestGoingOnWithOtherSettings(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Steps, r.Stop = 6, 3
	kept := of[StepDone](b.run(r))[3].State // after T_stop

	wider := r
	wider.From, wider.Subjects = &kept, []Subject{r.Subjects[0]}
	wider.Subjects[0].Scope = 0.5
	if area := guidance.Area(of[StepDone](b.run(wider))[0].Subjects[0].Mask); area != 0.5 {
		t.Errorf("the new scope gives a mask of %g", area)
	}
	plain := r
	plain.From, plain.Subjects = &kept, nil
	if steps := of[StepDone](b.run(plain)); len(steps) != 2 || len(steps[0].Subjects) != 0 {
		t.Errorf("without its subject the branch has %d steps", len(steps))
	}
	b.runtime.forget()
	longer := r
	longer.From, longer.Stop = &kept, 6
	b.run(longer)
	if n := b.runtime.runs("guidance"); n != 2 {
		t.Errorf("the later T_stop makes %d masks, want 2", n)
	}
}

func TestDecodesTheCleanLatentOfTheLastStep(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Preset = "release" // DDIM ends on x0 anyway
	steps := of[StepDone](b.run(r))
	last := steps[len(steps)-1]
	if got := b.runtime.callsOf("decoder")[0].in["latent"]; !slices.Equal(got.F32, last.Clean) || slices.Equal(got.F32, last.State.Latent) {
		t.Error("the decoder must get the x0 prediction of the last step, not its latent")
	}
}

func TestUnconditionalPass(t *testing.T) {
	for preset, want := range map[string]struct{ subjects, tokens int }{"paper": {0, 1}, "release": {2, 2}} {
		b := newBench(t)
		r := b.dog()
		r.Subjects = append(r.Subjects, b.subject("beach", blue, red))
		r.Preset, r.Steps = preset, 2
		b.run(r)
		calls := b.runtime.callsOf("unet")
		cond, uncond := calls[0].in, calls[1].in
		if s := uncond["vision_k_0"].Shape; s[0] != want.subjects || s[2] != want.tokens {
			t.Errorf("%s: the unconditional pass sees %v", preset, s)
		}
		if preset == "release" && (!slices.Equal(uncond["rows_2"].I64, cond["rows_2"].I64) || !slices.Equal(uncond["row_weights_2"].F32, cond["row_weights_2"].F32) || sum(uncond["vision_k_0"].F32) != 0) {
			t.Error("release: the unconditional pass sees the black picture under the same masks")
		}
		if slices.Equal(cond["text_k_0"].F32, uncond["text_k_0"].F32) {
			t.Error("the unconditional pass must read the negative prompt")
		}
		if n := len(b.runtime.callsOf("text")) - b.runtime.runs("text_kv"); n != 2 {
			t.Errorf("%d prompts are encoded, want 2", n)
		}
	}
}

// A device is told which graphs run once, and which of these are worth a long opening all the same.
func TestDevicesKnowHowGraphsRun(t *testing.T) {
	b := newBench(t)
	b.run(b.dog())
	for name, want := range map[graph.Name][2]bool{graph.UNet: {false, false}, graph.Text: {true, false}, graph.Vision: {true, true}, graph.Decoder: {true, false}} {
		how, opened := b.runtime.how[string(name)]
		if !opened || how.Once != want[0] || how.Heavy != want[1] {
			t.Errorf("%s: opened %v, once %v, heavy %v", name, opened, how.Once, how.Heavy)
		}
	}
}

func TestReferencesAreEncodedOnce(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Prompt, r.Steps, r.Seeds = "a dog and a dog", 2, []uint64{1, 2}
	same := r.Subjects[0].References
	r.Subjects = append(r.Subjects, Subject{Word: Word{Text: "dog", Occurrence: 2}, References: slices.Concat(same, b.subject("x", blue).References)})
	b.run(r)
	b.run(r)
	if n := b.runtime.runs("vision") - b.runtime.runs("vision_kv"); n != 2 {
		t.Errorf("two pictures are encoded %d times", n)
	}
	in := b.runtime.callsOf("unet")[0].in
	tokens, bias := in["vision_k_0"], in["vision_bias"]
	if !slices.Equal(tokens.Shape, []int{2, 1, 4, 5}) || !slices.Equal(bias.F32, []float32{0, 0, -1e9, -1e9, 0, 0, 0, 0}) {
		t.Errorf("tokens %v, bias %v", tokens.Shape, bias.F32)
	}
	if first, second := tokens.F32[:10], tokens.F32[20:]; !slices.Equal(first, second[:10]) || slices.Equal(first, second[10:]) || sum(tokens.F32[10:20]) != 0 {
		t.Errorf("tokens %v", tokens.F32)
	}
	words := b.runtime.callsOf("guidance")[0].in["token_weights"]
	if !slices.Equal(words.F32[:4], []float32{0, 0, 1, 0}) || slices.Equal(words.F32[:77], words.F32[77:]) {
		t.Errorf("token weights %v", words.F32)
	}

	r.Subjects[0].References = slices.Clone(same)
	r.Subjects[0].References[0].Square.Background = "#00ff00"
	b.run(r)
	if n := b.runtime.runs("vision") - b.runtime.runs("vision_kv"); n != 3 {
		t.Errorf("another square of a picture is another view: %d runs", n)
	}
}

func TestTextTimeInputs(t *testing.T) {
	b := newBench(t)
	b.model.manifest.Text.Pooled, b.model.manifest.Text.TimeIDs = true, 6
	r := b.dog()
	r.Width, r.Height, r.Steps = 32, 16, 1
	b.run(r)
	for _, graph := range []string{"unet", "guidance"} {
		if in := b.runtime.callsOf(graph)[0].in; !slices.Equal(in["time_ids"].F32, []float32{32, 16, 0, 0, 32, 16}) || in["text_embeds"] == nil {
			t.Errorf("%s: time ids %v", graph, in["time_ids"])
		}
	}
	// 32 × 16 pixels are 8 × 4 cells of the grid, of which γ = 0.2 takes 6.
	if s := b.runtime.callsOf("unet")[0].in["rows_2"].Shape; !slices.Equal(s, []int{1, 6, 2}) {
		t.Errorf("rows have the shape %v", s)
	}
}

// TestHeightFirst: stock SDXL learned sizes as diffusers' _get_add_time_ids gives them.
func TestHeightFirst(t *testing.T) {
	b := newBench(t)
	b.model.manifest.Text.Pooled, b.model.manifest.Text.TimeIDs, b.model.manifest.Text.HeightFirst = true, 6, true
	r := b.dog()
	r.Width, r.Height, r.Steps = 32, 16, 1
	b.run(r)
	for _, graph := range []string{"unet", "guidance"} {
		if in := b.runtime.callsOf(graph)[0].in; !slices.Equal(in["time_ids"].F32, []float32{16, 32, 0, 0, 16, 32}) {
			t.Errorf("%s: time ids %v", graph, in["time_ids"])
		}
	}
}

func TestTwoTextEncoders(t *testing.T) {
	b := newBench(t)
	b.model.manifest.Text.Encoders = 2
	r := b.dog()
	r.Steps = 1
	b.run(r)
	if in := b.runtime.callsOf("text")[0].in; len(in["input_ids"].I64) != 77 || len(in["input_ids_2"].I64) != 77 {
		t.Errorf("text inputs %v", in)
	}
}

func TestGraphsAreKept(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Steps = 1
	b.run(r)
	b.run(r)
	if want := []string{"decoder", "text", "text_kv", "unet", "vision", "vision_kv"}; !slices.Equal(slices.Sorted(slices.Values(b.runtime.opened)), want) {
		t.Errorf("opened %v", b.runtime.opened)
	}
	if err := b.engine.Close(); err != nil || len(b.runtime.closed) != 6 {
		t.Errorf("closed %v: %v", b.runtime.closed, err)
	}
	if _, err := b.engine.Start(context.Background(), r); err == nil {
		t.Error("a closed engine starts a job")
	}
}

// hold makes the nth run of a graph wait for the end of its context; entered is closed then.
func (b *bench) hold(graph string, nth int) (entered chan struct{}) {
	entered = make(chan struct{})
	seen := 0
	b.runtime.before = func(ctx context.Context, g string) error {
		if g != graph {
			return nil
		}
		if seen++; seen != nth {
			return nil
		}
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}
	return entered
}

func lastError(t *testing.T, events []Event) error {
	t.Helper()
	failed, ok := events[len(events)-1].(Failed)
	if !ok || len(of[Failed](events)) != 1 || len(of[Done](events)) != 0 {
		t.Fatalf("a stopped job must end with exactly one Failed, not %T", events[len(events)-1])
	}
	return failed.Err
}

func TestCancelKeepsFinishedStepsAndTheEngine(t *testing.T) {
	for _, graph := range []string{"text", "vision", "guidance", "unet", "decoder"} {
		b := newBench(t)
		nth := map[string]int{"guidance": 3, "unet": 5}[graph]
		entered := b.hold(graph, max(nth, 1))
		j := b.start(context.Background(), b.dog())
		go func() { <-entered; j.Cancel() }()
		events := drain(j)
		if err := lastError(t, events); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", graph, err)
		}
		if want := map[string]int{"guidance": 2, "unet": 2, "decoder": 25}[graph]; len(of[StepDone](events)) != want {
			t.Errorf("%s: %d steps are kept, want %d", graph, len(of[StepDone](events)), want)
		}
		b.run(b.dog())
	}
}

func TestEndOfTheContextStopsAJob(t *testing.T) {
	b := newBench(t)
	entered := b.hold("unet", 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j := b.start(ctx, b.dog())
	go func() { <-entered; cancel() }()
	if err := lastError(t, drain(j)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestJobsQueueInOrder(t *testing.T) {
	b := newBench(t)
	entered := b.hold("unet", 1)
	first := b.start(context.Background(), b.dog())
	<-entered
	second, third := b.start(context.Background(), b.dog()), b.start(context.Background(), b.dog())
	second.Cancel()
	if events := drain(second); len(events) != 1 || !errors.Is(lastError(t, events), context.Canceled) { // while the first still runs
		t.Errorf("a waiting job that is cancelled reports %v", events)
	}
	select {
	case e := <-third.Events():
		t.Errorf("the third job reports %v before its turn", e)
	default:
	}
	first.Cancel()
	if err := lastError(t, drain(first)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if events := drain(third); len(of[Done](events)) != 1 {
		t.Errorf("the third job ends with %v", events[len(events)-1])
	}
}

func TestCloseStopsEveryJob(t *testing.T) {
	b := newBench(t)
	entered := b.hold("unet", 1)
	running, waiting := b.start(context.Background(), b.dog()), b.start(context.Background(), b.dog())
	<-entered
	if err := b.engine.Close(); err != nil {
		t.Error(err)
	}
	for _, j := range []Job{running, waiting} {
		if err := lastError(t, drain(j)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestTooManyJobs(t *testing.T) {
	b := newBench(t)
	entered := b.hold("unet", 1)
	b.start(context.Background(), b.dog())
	<-entered
	for range maxWaiting {
		b.start(context.Background(), b.dog())
	}
	if _, err := b.engine.Start(context.Background(), b.dog()); err == nil {
		t.Error("the queue has no end")
	}
}

// stall starts a job of four pictures that nobody reads, and waits until the loop stands still. It is called within synctest.
func (b *bench) stall() Job {
	b.Helper()
	r := b.dog()
	r.Seeds = []uint64{1, 2, 3, 4}
	j := b.start(context.Background(), r)
	synctest.Wait()
	if passes := b.runtime.runs("unet"); passes < 1 || passes > 100 {
		b.Errorf("the loop ran %d passes ahead of its receiver", passes)
	}
	return j
}

// A receiver that reads nothing stops the loop after about a picture's steps; nothing but progress is lost.
func TestSlowReceiver(t *testing.T) { synctest.Test(t, slowReceiver) }

func slowReceiver(t *testing.T) {
	events := drain(newBench(t).stall())
	if len(of[StepDone](events)) != 100 || len(of[PictureReady](events)) != 4 || len(of[Done](events)) != 1 {
		t.Errorf("%d steps, %d pictures", len(of[StepDone](events)), len(of[PictureReady](events)))
	}
	if n := len(of[Progress](events)); n >= 4*62 {
		t.Errorf("all %d passes are reported to a receiver that sleeps", n)
	}
}

func TestCancelWithoutAReceiver(t *testing.T) { synctest.Test(t, cancelWithoutAReceiver) }

func cancelWithoutAReceiver(t *testing.T) {
	b := newBench(t)
	j := b.stall()
	j.Cancel()
	b.run(b.dog()) // the engine is free though nobody reads the events of the first job
	events := drain(j)
	if err := lastError(t, events); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for i, s := range of[StepDone](events) {
		if s.Step != i%25 || s.Picture != i/25 {
			t.Fatalf("step %d of picture %d at place %d: one was lost", s.Step, s.Picture, i)
		}
	}
}

func TestFailuresOfTheRuntime(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		spoil func(*bench)
		want  string
	}{
		"a graph does not open": {func(b *bench) { b.runtime.openErr = boom }, "text graph: boom"},
		"a graph is missing":    {func(b *bench) { b.model.manifest.Graphs["decoder"] = "" }, "no decoder graph"},
		"a run fails": {func(b *bench) {
			b.runtime.before = func(_ context.Context, g string) error {
				if g == "unet" {
					return boom
				}
				return nil
			}
		}, "unet graph: boom"},
		"an output is missing": {func(b *bench) {
			b.runtime.spoil = func(g string, out map[string]*tensor.Tensor) { delete(out, "scores") }
		}, "unet graph gave scores"},
		"an output has another shape": {func(b *bench) {
			b.runtime.spoil = func(g string, out map[string]*tensor.Tensor) {
				if g == "unet" {
					out["noise"] = tensor.Zeros(1, 3, 8, 9)
				}
			}
		}, "unet graph gave noise"},
		"an output has no floats": {func(b *bench) {
			b.runtime.spoil = func(g string, out map[string]*tensor.Tensor) {
				if g == "vision" {
					out["tokens"] = tensor.OfInts(make([]int64, 10), 1, 2, 5)
				}
			}
		}, "vision graph gave tokens"},
		"the U-Net overflows": {func(b *bench) {
			b.runtime.spoil = spoilt(math.NaN(), "unet")
		}, "unet graph gave numbers that are not finite"},
		"the decoder overflows": {func(b *bench) {
			b.runtime.spoil = spoilt(math.Inf(-1), "decoder")
		}, "decoder graph gave numbers that are not finite"},
		"the guidance overflows": {func(b *bench) {
			b.runtime.spoil = func(g string, out map[string]*tensor.Tensor) {
				if g == "guidance" {
					out["scores"].F32[1] = float32(math.Inf(1))
				}
			}
		}, `the attention of "dog" is +Inf`},
		"no attention": {func(b *bench) {
			b.runtime.spoil = func(g string, out map[string]*tensor.Tensor) {
				if g == "guidance" {
					clear(out["scores"].F32)
				}
			}
		}, `no attention to "dog"`},
		"preview colours are missing": {func(b *bench) { b.model.manifest.Latent.RGB = nil }, "row"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c.spoil(b)
			err := lastError(t, drain(b.start(context.Background(), b.dog())))
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want something about %q", err, c.want)
			}
		})
	}
}

// spoilt makes a number of every output of a graph another one.
func spoilt(v float64, name string) func(string, map[string]*tensor.Tensor) {
	return func(g string, out map[string]*tensor.Tensor) {
		if g != name {
			return
		}
		for _, t := range out {
			t.F32[len(t.F32)-1] = float32(v)
		}
	}
}

// TestOverflowIsNotKept: what an encoder said once by mistake does not spoil its reference for ever.
func TestOverflowIsNotKept(t *testing.T) {
	store := keep.New(t.TempDir(), 1<<30)
	for _, overflows := range []bool{true, false} {
		b := newBench(t)
		b.engine.Keep(store)
		if overflows {
			b.runtime.spoil = spoilt(math.NaN(), "vision")
		}
		events := drain(b.start(context.Background(), b.dog()))
		if f, failed := events[len(events)-1].(Failed); failed != overflows {
			t.Errorf("the encoder overflows: %v; %v", overflows, f.Err)
		}
	}
}

// The engine adds nothing to a Loop: from the same tensors both make the same latent.
func TestLoopFromTensors(t *testing.T) {
	b := newBench(t)
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	steps := of[StepDone](b.run(r))

	ctx, graphs := context.Background(), NewGraphs(b.runtime, b.model)
	text, err1 := graphs.Text(ctx, [][]int64{b.model.words.Encode(r.Prompt).IDs})
	negative, err2 := graphs.Text(ctx, [][]int64{b.model.words.Encode("").IDs})
	seen, err3 := b.engine.viewsOf(t.Context(), r.Subjects[0].References[0])
	tokens, err4 := graphs.Vision(ctx, seen.views)
	vision, err5 := graphs.Condition(ctx, [][]*tensor.Tensor{{tokens}})
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	words := tensor.Zeros(1, 77)
	copy(words.F32, b.runtime.callsOf("guidance")[0].in["token_weights"].F32)
	loop := Loop{
		Graphs: graphs, Settings: Settings{Width: r.Width, Height: r.Height, Sampler: r.Sampler, Steps: r.Steps, CFG: r.CFG, Stop: r.Stop},
		Text: text, Uncond: &negative, Subjects: []guidance.Subject{{Word: "dog", Scope: 0.2}}, Words: words,
		Vision: vision, Source: guidance.LowCrossHighSelf,
	}
	clean, err := loop.Run(ctx, State{Latent: random.Normal(7, 3*8*8)})
	if err != nil || !slices.Equal(clean.F32, steps[24].Clean) {
		t.Errorf("the loop differs from the engine: %v", err)
	}
	scores := steps[11].State.Scores
	for _, bad := range []State{{}, {Step: 25, Latent: clean.F32, Scores: scores}, {Step: -1, Latent: clean.F32}, {Step: 20, Latent: clean.F32}} {
		if _, err := loop.Run(ctx, bad); err == nil {
			t.Errorf("the loop runs from step %d with %d values", bad.Step, len(bad.Latent))
		}
	}
	if err := graphs.Close(); err != nil {
		t.Error(err)
	}
}

func TestPicturesAreDecodedOnce(t *testing.T) {
	b := newBench(t)
	for i := range keptViews + 2 {
		r := b.dog()
		r.Subjects[0] = b.subject("dog", red, color.Gray{uint8(i)})
		if _, err := b.engine.Resolve(r); err != nil {
			t.Fatal(err)
		}
	}
	kept := b.engine.views.entries
	if len(kept) != keptViews {
		t.Errorf("%d views are kept", len(kept))
	}
	reference := b.dog().Subjects[0].References[0]
	if sum := kept[len(kept)-2].key.sha256; sum != files.Sum(reference.Data) {
		t.Error("the picture that every request used is not among the last used")
	}
}

// What was read to be shown is not decoded again, and who names the SHA-256 of a reference is believed: the bytes behind it are others
// by then.
func TestAReferenceIsDecodedAndHashedOnce(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	ref := &r.Subjects[0].References[0]
	ref.SHA256, ref.Square.Fit = strings.Repeat("ab", 32), picture.Pad
	img, info, err := b.engine.Read(t.Context(), *ref)
	if err != nil || img.Rect.Dx() != info.Width || info.Width == 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	ref.Data = []byte("no picture")
	r, err = b.engine.Resolve(r)
	if err != nil || r.Subjects[0].References[0].SHA256 != strings.Repeat("ab", 32) {
		t.Fatalf("%+v, %v", r, err)
	}
	want, err := picture.Small(img, picture.Square{Fit: picture.Pad})
	if err != nil || !bytes.Equal(r.Subjects[0].References[0].Small, want) {
		t.Errorf("made small it has %d bytes, want %d, %v", len(r.Subjects[0].References[0].Small), len(want), err)
	}
	ready := of[PictureReady](b.run(r))
	if len(ready) != 1 || !bytes.Equal(ready[0].Recipe.Subjects[0].References[0].Small, want) {
		t.Errorf("%d pictures", len(ready))
	}
	r.Subjects[0].References[0].Square.Fit = picture.Crop // another look needs the picture
	if _, err := b.engine.Resolve(r); err == nil {
		t.Error("something else was seen than is there")
	}
	r.Subjects[0].References[0].Data = nil // a hash alone is no picture
	r.Subjects[0].References[0].Square.Fit = picture.Pad
	if _, err := b.engine.Resolve(r); err == nil {
		t.Error("a reference without bytes was taken")
	}
}

// TestPicturesAreEncodedOnce: what a picture was encoded to is found again after a restart, by whatever file and name it comes, and gives
// the same picture; another model, another runtime or another look at it is encoded anew.
func TestPicturesAreEncodedOnce(t *testing.T) {
	b := newBench(t)
	folder := keep.New(filepath.Join(t.TempDir(), "vision"), 1<<20)
	clean := func(how string, r Request, want int) []float32 {
		t.Helper()
		b.runtime.forget()
		b.runtime.opened = nil
		e := New(b.runtime, b.model)
		e.Keep(folder)
		j, err := e.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		steps := of[StepDone](drain(j))
		if err := e.Close(); err != nil || len(steps) == 0 {
			t.Fatal(how, err, len(steps))
		}
		if n := b.runtime.runs("vision") - b.runtime.runs("vision_kv"); n != want {
			t.Errorf("%s: %d pictures were encoded, wanted %d", how, n, want)
		}
		if opened := slices.Contains(b.runtime.opened, "vision"); opened != (want > 0) {
			t.Errorf("%s: the image encoders are open: %v", how, opened)
		}
		return steps[len(steps)-1].Clean
	}
	r := b.dog()
	r.Preset, r.Steps = "release", 2
	first := clean("the dog and the black picture", r, 2)
	if !slices.Equal(clean("after a restart", r, 0), first) {
		t.Error("what was kept gives another picture")
	}
	r.Subjects[0].References[0].Name = "another.png"
	r.Subjects[0].References[0].Data = append(slices.Clone(r.Subjects[0].References[0].Data), 0) // the same pixels
	clean("another file of the same pixels", r, 0)
	other := b.dog()
	other.Preset, other.Steps, other.Subjects = "release", 2, []Subject{b.subject("dog", color.NRGBA{A: 255, G: 200})}
	clean("another picture", other, 1)
	b.model.manifest.Files = map[string]string{"vision": "another graph"}
	clean("another model", r, 2)
	b.runtime.name = "another runtime"
	clean("another runtime", r, 2)
}
