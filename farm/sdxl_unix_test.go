//go:build unix

package farm

import (
	"context"
	"image"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"realword/inference"
)

// sdxlEngine sends what a run of SDXL with two subjects sends, at its sizes, and takes its time for every pass.
type sdxlEngine struct{ pass time.Duration }

// The passes of a picture in 25 steps whose masks settle after 12: with the guidance branch three a step, then two.
const (
	sdxlSteps, sdxlStop = 25, 12
	sdxlPasses          = 3*sdxlStop + 2*(sdxlSteps-sdxlStop)
	sdxlPass            = 3750 * time.Millisecond // of a U-Net at 1024 × 1024 on eight cores
)

func noise(n int, seed uint64) []float32 {
	draw := rand.New(rand.NewPCG(seed, 0))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(draw.NormFloat64())
	}
	return out
}

func (s *sdxlEngine) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	ctx, cancel := context.WithCancel(ctx)
	j := fakeJob{make(chan inference.Event), cancel}
	// Made before, so that it is in no figure.
	latent, grid := noise(4*128*128, r.Seeds[0]), [2][]float32{noise(32*32, 1), noise(32*32, 2)}
	preview, picture := image.NewRGBA(image.Rect(0, 0, 128, 128)), image.NewNRGBA(image.Rect(0, 0, 1024, 1024))
	draw := rand.NewChaCha8([32]byte{7})
	_, _ = draw.Read(preview.Pix)
	_, _ = draw.Read(picture.Pix)
	go func() {
		defer close(j.events)
		defer cancel()
		j.events <- inference.StageStarted{Stage: inference.StageDenoise, Provider: "Fake"}
		pass := 0
		for k := range sdxlSteps {
			guided := k < sdxlStop
			passes := 2
			if guided {
				passes = 3
			}
			for range passes {
				select {
				case <-ctx.Done():
					j.events <- inference.Failed{Err: ctx.Err()}
					return
				case <-time.After(s.pass):
				}
				pass++
				j.events <- inference.Progress{Pass: pass, Passes: sdxlPasses}
			}
			e := inference.StepDone{
				Step: k, Steps: sdxlSteps, Preview: preview, Clean: latent, GridWidth: 32, GridHeight: 32, Guided: guided,
				State: inference.State{
					Step: k + 1, Model: "SDXL", Width: 1024, Height: 1024, Steps: sdxlSteps, Seed: r.Seeds[0], Latent: latent, Scores: grid[:],
				},
			}
			for n := range grid {
				one := inference.SubjectStep{Mask: grid[n]}
				if guided {
					one.Cross, one.Scores = grid[n], grid[n]
				}
				e.Subjects = append(e.Subjects, one)
			}
			j.events <- e
		}
		j.events <- inference.StageStarted{Stage: inference.StageDecode, Provider: "Fake"}
		j.events <- inference.PictureReady{Seed: r.Seeds[0], Image: picture}
		j.events <- inference.Done{Pictures: 1}
	}()
	return j, nil
}

// used is the processor time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Skip(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestFiguresOfSDXL prints what a farm adds to a picture of SDXL: server, worker and client are in this process, so that all of it counts.
// REALWORD_FARM_PASS is how long a pass takes, a fiftieth of the real time if it is not given.
func TestFiguresOfSDXL(t *testing.T) {
	if os.Getenv("REALWORD_FARM_FIGURES") == "" {
		t.Skip("it measures")
	}
	pass, times := duration("REALWORD_FARM_PASS", sdxlPass/50), 3
	if pass > time.Second {
		times = 1
	}
	engine := &sdxlEngine{time.Millisecond}
	r := request("dog", sdxlSteps, 1)
	r.Width, r.Height = 1024, 1024
	r.Subjects = append(r.Subjects, inference.CloneSubjects(r.Subjects)...)
	draw := rand.NewChaCha8([32]byte{1})
	for _, f := range r.Files() {
		*f.Data = make([]byte, 2<<20)
		_, _ = draw.Read(*f.Data)
		*f.SHA256 = sumOf(*f.Data)
	}
	run := func(start func() inference.Job) (wall, processor time.Duration) {
		before, began := used(t), time.Now()
		events := collect(t, start())
		if len(of[inference.StepDone](events)) != sdxlSteps || len(of[inference.PictureReady](events)) != 1 {
			t.Fatalf("%v", kinds(events))
		}
		return time.Since(began), used(t) - before
	}
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	defer func() { cancel(); <-done }()
	worker := b.helper("one")
	go func() {
		done <- worker.Work(ctx, WorkerOptions{
			Name: "one", Models: []Model{{ID: "m1", Name: "SDXL", Engine: engine}}, Memory: func(context.Context) Memory { return MemoryHere() },
		})
	}()
	far := func(r inference.Request) func() inference.Job { return func() inference.Job { return b.start(r) } }
	run(far(r)) // connections, caches and the references are there then, as in a batch
	engine.pass = pass
	whole := sdxlPasses * sdxlPass
	for n := range times {
		r.Seeds[0] = uint64(n)
		wallHere, processorHere := run(func() inference.Job {
			j, err := engine.Start(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return j
		})
		sent, received := worker.nc.Stats().OutBytes, b.client.nc.Stats().InBytes
		wall, processor := run(far(r))
		t.Logf("%.1f MB go from the worker to the farm, %.1f MB from the farm to who asked", float64(worker.nc.Stats().OutBytes-sent)/1e6,
			float64(b.client.nc.Stats().InBytes-received)/1e6)
		t.Logf("%d passes of %v: here %v, on the farm %v: %v more, %.3f %% of the picture; processor %v more, %.3f %% of one core's time for it (%v)",
			sdxlPasses, pass, wallHere.Round(time.Millisecond), wall.Round(time.Millisecond), (wall - wallHere).Round(time.Millisecond),
			100*(wall-wallHere).Seconds()/whole.Seconds(), (processor - processorHere).Round(time.Millisecond),
			100*(processor-processorHere).Seconds()/whole.Seconds(), whole)
	}
}
