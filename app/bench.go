package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"realword/assets"
	"realword/inference"
	"realword/inference/bench"
	"realword/inference/bundle"
	"realword/inference/ram"
	"realword/inference/session"
)

func newBench() *cobra.Command {
	var m machine
	var b benchmark
	var bound []string
	var loops, clock, weights string
	var with inference.Settings
	c := &cobra.Command{
		Use: "bench", Short: "measure this machine: a customized picture against a plain one and the paper's own method",
		Long: "Measures every kind of U-Net pass in turn, so that a busy moment affects all of them, and works out what a customized picture costs in\n" +
			"units of plain text-to-image: with Realword, and as the paper describes it (naive). The fastest run counts; the spread is printed too.\n" +
			"Several devices (--device cpu,webgpu,cuda) are measured side by side, each in a process of its own, in turns.",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if b.options.Repeats < 1 {
				return usagef("--repeats %d: at least 1", b.options.Repeats)
			}
			if !slices.Contains([]string{"auto", "yes", "no"}, loops) {
				return usagef("--loops %s: auto, yes or no", loops)
			}
			switch clock {
			case "wall":
			case "cpu":
				b.options.Clock = processorTime
			default:
				return usagef("--clock %s: wall or cpu", clock)
			}
			kinds := []session.Weights{session.Auto, session.Packed, session.Mapped}
			kind := slices.IndexFunc(kinds, func(w session.Weights) bool { return w.String() == weights })
			if kind < 0 {
				return usagef("--weights %s: %v, %v or %v", weights, kinds[0], kinds[1], kinds[2])
			}
			m.weights = kinds[kind]
			r := &b.request
			if devices := strings.Split(m.device, ","); len(devices) > 1 {
				return sideBySide(c, devices, b.options.Repeats, b.json)
			}
			var err error
			if r.Subjects, err = subjects(bound); err != nil {
				return err
			}
			*r = sampled(*r)
			if b.engine, err = m.open(c.Context()); err != nil {
				return err
			}
			defer b.engine.Close()
			b.loops, b.progress = loops, c.ErrOrStderr()
			b.options.LoRAs, b.options.Library = with.LoRAs, loras()
			return b.run(c.Context(), c.OutOrStdout())
		},
	}
	f, r := c.Flags(), &b.request
	wholeFlag(f, &b.options.Repeats, "repeats", 3, "passes of each kind, after one warm-up pass")
	f.StringVar(&r.Prompt, "prompt", "a dog on the beach", "prompt for --subject")
	f.StringArrayVar(&bound, "subject", nil, "WORD=PICTURE, repeatable (default: a built-in picture)")
	settingFlags(c, &r.Settings, "preset", "size", "steps", "stop")
	f.BoolVar(&b.options.Naive, "naive", true, "also measure the method as the paper describes it")
	f.Var(loraFlag{of: &with}, "lora", "FILE[:WEIGHT] of a LoRA, repeatable: passes with it are measured beside the others (the model takes its memory twice)")
	f.StringVar(&loops, "loops", "auto", "also run whole loops: yes, no, or auto (when they take less than a minute)")
	f.StringVar(&weights, "weights", "auto", "auto chooses for each graph by available memory; packed or mapped forces one way for all")
	f.StringVar(&clock, "clock", "wall", "wall time, or cpu: the CPU time of all threads, which other programs disturb less")
	f.BoolVar(&b.json, "json", false, "print everything measured as one JSON object")
	m.flags(c)
	c.Flags().Lookup("device").Usage += ", or several with commas between them"
	return c
}

// sampled is a request with a picture that comes with the program where it has none of its own.
func sampled(r inference.Request) inference.Request {
	if len(r.Subjects) == 0 {
		sample := assets.Samples()[0]
		r.Prompt = sample.Prompt
		r.Subjects = []inference.Subject{{
			Word:       inference.Word{Text: sample.Word},
			References: []inference.Reference{{Name: sample.Name, Data: sample.Data}},
		}}
	}
	r.Seeds = []uint64{1}
	return r
}

type benchmark struct {
	engine   *engine
	request  inference.Request
	options  bench.Options
	loops    string
	json     bool
	progress io.Writer
}

// figures are everything that a bench found. Times are seconds.
type figures struct {
	Runtime, Model          string
	Width, Height           int
	Steps, Stop             int
	CFG                     bool
	Subjects                int
	Load, Stages            []bench.Timing
	Passes, Loops           []bench.Timing
	Ours, Naive             bench.Ratios
	Ways                    []wayCosts
	Cancel                  float64
	PeakAnonymous           float64 `json:",omitempty"` // MB
	PeakMapped, PeakAtLeast float64 `json:",omitempty"`
}

// wayCosts is one way of making the picture, and what it costs.
type wayCosts struct {
	bench.Way
	bench.Costs
}

// longLoops is the time from which --loops auto leaves the whole loops out.
const longLoops = time.Minute

func (b *benchmark) run(ctx context.Context, out io.Writer) error {
	r, err := b.engine.Resolve(b.request)
	if err != nil {
		return badRequest(err)
	}
	b.options.Doing = func(what string) {
		if onTerminal(b.progress) {
			overwrite(b.progress, what)
		}
	}
	if need, free := writtenMaps(b.engine.bundle.Manifest(), r.Width, r.Height), ram.Available(); b.options.Naive && need > free {
		fmt.Fprintf(b.progress, "The naive method is skipped: its attention maps need about %d GB, and %d GB is available.\n", need>>30, free>>30)
		b.options.Naive = false
	}
	b.options.Loops = func(m bench.Measurement) bool {
		passes := bench.Find(m.Passes, bench.PassPlain).Min() * float64(4*r.Steps*b.options.Repeats)
		return b.loops == "yes" || b.loops == "auto" && passes < longLoops.Seconds()
	}
	memory := sampleMemory()
	m, err := bench.Measure(ctx, b.engine.runtime, b.engine.bundle, r, b.options)
	if err != nil {
		return badRequest(err)
	}
	b.options.Doing("")
	f := figures{
		Runtime: b.engine.runtime.Describe(), Model: b.engine.bundle.Manifest().Name, Width: r.Width, Height: r.Height, Steps: r.Steps,
		Stop: r.Stop, CFG: m.CFG,
		Subjects: len(r.Subjects), Load: m.Load, Stages: m.Stages, Passes: m.Passes, Loops: m.Loops,
	}
	f.Ours, f.Naive = m.Ratios()
	for _, w := range m.Ways {
		if costs, ok := m.Costs(w); ok {
			f.Ways = append(f.Ways, wayCosts{w, costs})
		}
	}
	f.PeakAnonymous, f.PeakMapped, f.PeakAtLeast = memory()
	if !b.json { // a large model loads once more for the last figure
		if err := f.print(out); err != nil {
			return err
		}
	}
	late, err := b.cancel(ctx, r)
	if err != nil {
		return err
	}
	f.Cancel = late.Seconds()
	if b.json {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		return e.Encode(f)
	}
	_, err = fmt.Fprintf(out, "%-40s %.3f s\n", "cancel answered after", f.Cancel)
	return err
}

// writtenMaps estimates the bytes of the attention maps that the naive guidance branch writes out: N x N numbers for N cells of the
// grid, of some 250 heads and sums at a time, as SDXL at 1024 x 1024 took them.
func writtenMaps(m bundle.Manifest, width, height int) int64 {
	side := m.Latent.Factor * m.Grid
	cells := int64(width/side) * int64(height/side)
	return 250 * 4 * cells * cells
}

func (f figures) print(w io.Writer) error {
	fmt.Fprintf(w, "%s, model %s, %dx%d, %d steps, T_stop %d, %d subjects\n", f.Runtime, f.Model, f.Width, f.Height, f.Steps, f.Stop,
		f.Subjects)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\ttimes\tfastest s\tmedian s\tslowest s\t")
	for _, part := range []struct {
		title string
		list  []bench.Timing
	}{{"open", f.Load}, {"run", f.Stages}, {"pass", f.Passes}, {"", f.Loops}} {
		for _, m := range part.list {
			s := slices.Sorted(slices.Values(m.Seconds))
			fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%.3f\t\n", strings.TrimSpace(part.title+" "+m.Name), len(s), s[0], s[len(s)/2], s[len(s)-1])
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	ratio := func(name string, fastest float64, list []float64) {
		if len(list) > 0 {
			s := slices.Sorted(slices.Values(list))
			fmt.Fprintf(w, "%-40s %.3f   side by side %.3f to %.3f, median %.3f\n", name, fastest, s[0], s[len(s)-1], s[len(s)/2])
		}
	}
	fmt.Fprintln(w, "cost of a customized picture in plain text-to-image, of the fastest passes:")
	ratio("  Realword, in the loop", f.Ours.Loop, f.Ours.LoopEach)
	ratio("  Realword, with encoders and decoder", f.Ours.Whole, f.Ours.WholeEach)
	ratio("  naive, in the loop", f.Naive.Loop, f.Naive.LoopEach)
	ratio("  naive, with encoders and decoder", f.Naive.Whole, f.Naive.WholeEach)
	if plain, ours := bench.Find(f.Loops, bench.LoopPlain), bench.Find(f.Loops, bench.LoopOurs); plain.Min() > 0 {
		var each []float64
		for i := range plain.Seconds {
			each = append(each, ours.Seconds[i]/plain.Seconds[i])
		}
		ratio("  Realword, whole loops", ours.Min()/plain.Min(), each)
	}
	fmt.Fprintln(w, "every way of making the picture, in plain text-to-image of as many steps as above:")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "	passes	of the guidance branch	in the loop	with encoders and decoder	pictures seen before	")
	plain := f.Steps
	if f.CFG {
		plain *= 2
	}
	fmt.Fprintf(t, "text-to-image\t%d\t0\t1.000\t1.000\t1.000\t\n", plain)
	for _, way := range f.Ways {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t\n", way.Name, way.Counts.All(), way.Counts.Guidance, way.Loop, way.Whole, way.Known)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if f.PeakAtLeast > 0 {
		fmt.Fprintf(w, "%-40s %.0f MB anonymous, %.0f MB mapped files, %.0f MB together\n", "memory at its peak", f.PeakAnonymous, f.PeakMapped,
			f.PeakAtLeast)
	}
	return nil
}

// cancel starts a picture, cancels it within a U-Net pass, and returns how long the answer took.
func (b *benchmark) cancel(ctx context.Context, r inference.Request) (time.Duration, error) {
	job, err := b.engine.Start(ctx, r)
	if err != nil {
		return 0, badRequest(err)
	}
	var began, asked time.Time
	passes := 0
	for event := range job.Events() {
		switch event := event.(type) {
		case inference.StageStarted:
			began = time.Now()
		case inference.Progress:
			if passes++; passes == 2 { // the first one allocates
				time.Sleep(time.Since(began) / 6)
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

// sampleMemory watches this process's memory, where the system tells, until the function it returns is called: the peaks in MB
// of anonymous memory, of mapped files, and of both together.
func sampleMemory() func() (anonymous, mapped, resident float64) {
	var anonymous, mapped, resident float64
	look := func() {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return
		}
		for line := range strings.Lines(string(status)) {
			for key, peak := range map[string]*float64{"RssAnon:": &anonymous, "RssFile:": &mapped, "VmHWM:": &resident} {
				var kB float64
				if n, _ := fmt.Sscanf(line, key+" %f kB", &kB); n == 1 {
					*peak = max(*peak, kB/1024)
				}
			}
		}
	}
	stop, stopped := make(chan struct{}), sync.WaitGroup{}
	stopped.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			look()
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	return func() (float64, float64, float64) {
		close(stop)
		stopped.Wait()
		return anonymous, mapped, resident
	}
}
