package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"realword/assets"
	"realword/inference"
)

func newBench() *cobra.Command {
	var m machine
	var repeats int
	var bound []string
	var prompt string
	c := &cobra.Command{
		Use: "bench", Short: "figures of this machine: a customized picture beside a plain one, memory, cancelling",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if repeats < 1 {
				return usagef("--repeats %d: at least 1", repeats)
			}
			list, err := subjects(bound)
			if err == nil && len(list) == 0 {
				sample := assets.Samples()[0]
				prompt = sample.Prompt
				list = []inference.Subject{{
					Word:       inference.Word{Text: sample.Word},
					References: []inference.Reference{{Name: sample.Name, Data: sample.Data}},
				}}
			}
			if err != nil {
				return err
			}
			e, err := m.open()
			if err != nil {
				return err
			}
			defer e.Close()
			b := bench{engine: e, request: inference.Request{Prompt: prompt, Subjects: list, Seeds: []uint64{1}}, repeats: repeats}
			return b.run(c.Context(), c.OutOrStdout())
		},
	}
	c.Flags().IntVar(&repeats, "repeats", 3, "pictures of each kind; the fastest counts")
	c.Flags().StringVar(&prompt, "prompt", "a dog on the beach", "prompt for --subject")
	c.Flags().StringArrayVar(&bound, "subject", nil, "WORD=PICTURE (default: a picture inside this program)")
	m.flags(c)
	return c
}

type bench struct {
	engine  *engine
	request inference.Request
	repeats int
}

// timing is what one picture took.
type timing struct {
	total, loop time.Duration
	passes      int
}

func (b *bench) run(ctx context.Context, out io.Writer) error {
	custom, err := b.engine.Resolve(b.request)
	if err != nil {
		return badRequest(err)
	}
	plain := custom
	plain.Subjects = nil
	model := b.engine.bundle.Manifest()
	fmt.Fprintf(out, "%s, model %s, %dx%d, %d steps, T_stop %d\n", b.engine.runtime.Describe(), model.Name, custom.Width, custom.Height, custom.Steps, custom.Stop)

	cold, err := b.picture(ctx, custom)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "first picture, with loading   %8.2f s\n", cold.total.Seconds())
	best := [2]timing{{loop: math.MaxInt64}, {loop: math.MaxInt64}}
	for range b.repeats {
		for i, r := range []inference.Request{plain, custom} { // in turns, so that a busy moment hits both
			t, err := b.picture(ctx, r)
			if err != nil {
				return err
			}
			if t.loop < best[i].loop {
				best[i] = t
			}
		}
	}
	for i, name := range []string{"plain text-to-image", "customized"} {
		t := best[i]
		fmt.Fprintf(out, "%-29s %8.2f s   loop %.2f s, %d U-Net passes, %.1f ms each\n", name, t.total.Seconds(), t.loop.Seconds(), t.passes, t.loop.Seconds()*1000/float64(t.passes))
	}
	fmt.Fprintf(out, "ratio of the loops            %8.2f     passes alone %.2f\n", best[1].loop.Seconds()/best[0].loop.Seconds(), float64(best[1].passes)/float64(best[0].passes))
	late, err := b.cancel(ctx, custom)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "cancel answered after         %8.3f s\n", late.Seconds())
	if now, peak, ok := memory(); ok {
		fmt.Fprintf(out, "memory                        %8.0f MB resident, %.0f MB at most\n", now, peak)
	}
	return nil
}

// picture makes one picture and takes the time of the whole and of its loop.
func (b *bench) picture(ctx context.Context, r inference.Request) (timing, error) {
	start := time.Now()
	job, err := b.engine.Start(ctx, r)
	if err != nil {
		return timing{}, badRequest(err)
	}
	var t timing
	var began time.Time
	for event := range job.Events() {
		switch event := event.(type) {
		case inference.StageStarted:
			switch event.Stage {
			case inference.StageDenoise:
				began = time.Now()
			case inference.StageDecode:
				t.loop = time.Since(began)
			}
		case inference.Progress:
			t.passes = event.Passes
		case inference.Failed:
			return t, event.Err
		}
	}
	t.total = time.Since(start)
	return t, nil
}

// cancel starts a picture, cancels it in the middle of its loop, and returns how long the answer took.
func (b *bench) cancel(ctx context.Context, r inference.Request) (time.Duration, error) {
	job, err := b.engine.Start(ctx, r)
	if err != nil {
		return 0, badRequest(err)
	}
	var asked time.Time
	for event := range job.Events() {
		switch event := event.(type) {
		case inference.StepDone:
			if event.Step == r.Steps/3 {
				asked = time.Now()
				job.Cancel()
			}
		case inference.Failed:
			if errors.Is(event.Err, context.Canceled) && ctx.Err() == nil {
				return time.Since(asked), nil
			}
			return 0, event.Err
		}
	}
	return 0, errors.New("the picture was finished before it could be cancelled")
}

// memory returns the resident memory of this process now and at its peak in MB, where the system tells.
func memory() (now, peak float64, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, false
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kB); n == 1 {
			now = kB / 1024
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kB); n == 1 {
			peak = kB / 1024
		}
	}
	return now, peak, now > 0
}
