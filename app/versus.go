package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"realword/inference"
	"realword/inference/bench"
	"realword/inference/ort"
)

// Devices side by side: `realword bench --device cpu,webgpu`. Each has a process of its own, so that processor time and memory are its
// own, two builds of ONNX Runtime can run, and a driver that crashes leaves the others. The processes take turns: only one works at a
// time. They are asked by a pass's name on their standard input, a line each, and answer with a JSON object.

// opening is what a device's process says first.
type opening struct {
	Runtime, Card string // Card is that of WebGPU
	Passes        []string
	Ways          []bench.Way
	Steps         int
	CFG           bool
	Seconds       float64 // until every graph was open and everything encoded
}

// lap is one pass of a device.
type lap struct {
	Seconds, Processor float64
	Bits               []uint32 `json:",omitempty"` // of the float32 values, in the first lap of every pass; JSON has no NaN
	Problem            string   `json:",omitempty"`
}

// closing is what a device's process says last: its memory at the peak in MB, where the system tells.
type closing struct{ Anonymous, Mapped, Together float64 }

func newBenchDevice() *cobra.Command {
	var m machine
	var r inference.Request
	var bound []string
	c := &cobra.Command{
		Use: "bench-device", Short: "the process of one device of `realword bench --device A,B`", Hidden: true, Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if r.Subjects, err = subjects(bound); err != nil {
				return err
			}
			return serve(c.Context(), m, sampled(r), c.InOrStdin(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&r.Prompt, "prompt", "", "")
	c.Flags().StringArrayVar(&bound, "subject", nil, "")
	settingFlags(c, &r.Settings, "preset", "size", "steps", "stop")
	m.flags(c)
	return c
}

// sideBySide measures several devices, as the flags of `realword bench` ask for.
func sideBySide(c *cobra.Command, devices []string, repeats int, asJSON bool) error {
	var args []string
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "model", "threads", "preset", "size", "steps", "stop", "prompt":
			args = append(args, "--"+f.Name+"="+f.Value.String())
		case "subject":
			for _, s := range f.Value.(pflag.SliceValue).GetSlice() {
				args = append(args, "--subject="+s)
			}
		case "device", "repeats", "json":
		default:
			err = usagef("--%s: several devices are compared by their passes alone, without it", f.Name)
		}
	})
	for i, device := range devices {
		if slices.Contains(devices[:i], device) {
			err = usagef("--device: %s is there twice", device)
		}
	}
	if err != nil {
		return err
	}
	return race(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), devices, args, repeats, asJSON)
}

// serve is a device's process. It ends with its input.
func serve(ctx context.Context, m machine, r inference.Request, in io.Reader, out io.Writer) (err error) {
	memory := sampleMemory()
	began := time.Now()
	rt, err := ort.New(ort.Options{Threads: m.threads, Device: m.device, Cache: graphCache()}) // as generate opens it
	if err != nil {
		return err
	}
	b, err := openModel(ctx, m.model)
	if err != nil {
		return err
	}
	rounds, err := bench.NewRounds(ctx, rt, b, r)
	if err != nil {
		return badRequest(err)
	}
	defer func() { err = errors.Join(err, rounds.Close()) }()
	card := ""
	if a, ok := rt.Adapter(); ok {
		card = a.String()
	}
	answers := json.NewEncoder(out)
	open := opening{rt.Describe(), card, rounds.Names(), rounds.Ways, rounds.Steps, rounds.CFG, time.Since(began).Seconds()}
	if err := answers.Encode(open); err != nil {
		return err
	}
	seen := map[string]bool{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var l lap
		name := lines.Text()
		start, used := time.Now(), processorTime()
		values, err := rounds.Run(name)
		l.Seconds, l.Processor = time.Since(start).Seconds(), processorTime()-used
		if err != nil {
			l.Problem = err.Error()
		} else if !seen[name] {
			seen[name] = true
			for _, x := range values {
				l.Bits = append(l.Bits, math.Float32bits(x))
			}
		}
		if err := answers.Encode(l); err != nil {
			return err
		}
	}
	var last closing
	last.Anonymous, last.Mapped, last.Together = memory()
	return answers.Encode(last)
}

// racer is a device's process as its parent sees it.
type racer struct {
	Device  string
	Problem string `json:",omitempty"` // why it is out
	opening
	Memory closing
	Laps   map[string][]lap // by pass, without the first, which allocates
	Parity map[string]float64

	values  map[string][]float32
	in      io.WriteCloser
	answers *json.Decoder
	wait    func() error // until the process has ended; the error says why it failed
}

// startRacer begins a device's process.
func startRacer(ctx context.Context, device string, args []string) *racer {
	r := &racer{Device: device, Laps: map[string][]lap{}, Parity: map[string]float64{}, values: map[string][]float32{}}
	cmd, err := child(ctx, append([]string{"bench-device", "--device", device}, args...)...)
	var in io.WriteCloser
	var out io.ReadCloser
	if err == nil {
		in, err = cmd.StdinPipe()
	}
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	var messages bytes.Buffer
	if err == nil {
		cmd.Stderr, cmd.WaitDelay = &messages, 5*time.Second
		err = cmd.Start()
	}
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	r.in, r.answers, r.wait = in, json.NewDecoder(out), func() error { return failure(cmd.Wait(), messages.String()) }
	r.hear(&r.opening)
	return r
}

// failure is why a process failed, in its own words where it has any.
func failure(err error, messages string) error {
	var ended *exec.ExitError
	if words := strings.TrimPrefix(lastLine(messages), ": "); errors.As(err, &ended) && ended.ExitCode() > 0 && words != "" {
		return errors.New(strings.TrimPrefix(words, "realword: "))
	}
	if err != nil {
		err = fmt.Errorf("its driver or its provider crashed (%w%s)", err, lastLine(messages))
	}
	return err
}

// out takes the device out of the race; the process's own reason is better than that of the pipe.
func (r *racer) out(problem string) {
	_ = r.in.Close()
	if why := r.wait(); why != nil {
		problem = why.Error()
	}
	r.Problem = problem
}

// hear reads an answer.
func (r *racer) hear(answer any) {
	if err := r.answers.Decode(answer); err != nil {
		r.out(fmt.Sprintf("its process gave no readable answer (%v)", err))
	}
}

// lap has the device run a pass. The first lap of a pass, which allocates, does not count, but brings the values.
func (r *racer) lap(name string) {
	var l lap
	_, _ = fmt.Fprintln(r.in, name) // where it has ended, hear finds out
	switch r.hear(&l); {
	case r.Problem != "":
	case l.Problem != "":
		_ = r.in.Close()
		_ = r.wait()
		r.Problem = l.Problem
	case l.Bits == nil:
		r.Laps[name] = append(r.Laps[name], l)
	default:
		values := make([]float32, len(l.Bits))
		for i, b := range l.Bits {
			values[i] = math.Float32frombits(b)
		}
		r.values[name] = values
	}
}

// end has the process end by itself.
func (r *racer) end() {
	_ = r.in.Close()
	if r.hear(&r.Memory); r.Problem == "" {
		if err := r.wait(); err != nil {
			r.Problem = err.Error()
		}
	}
}

// race measures devices in turns, repeats times, and prints the table or everything as JSON.
func race(ctx context.Context, out, progress io.Writer, devices, args []string, repeats int, asJSON bool) error {
	var racers []*racer
	for _, device := range devices {
		told(progress, "open on "+device)
		racers = append(racers, startRacer(ctx, device, args))
	}
	in := func() []*racer {
		return slices.DeleteFunc(slices.Clone(racers), func(r *racer) bool { return r.Problem != "" })
	}
	for i := range repeats + 1 {
		if len(in()) == 0 {
			break
		}
		told(progress, fmt.Sprintf("passes, %d of %d", i+1, repeats+1))
		for _, name := range in()[0].Passes {
			for _, r := range in() {
				r.lap(name)
			}
		}
	}
	told(progress, "")
	for _, r := range in() {
		r.end()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	compareRacers(racers)
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		return e.Encode(racers)
	}
	if err := printRacers(out, racers, repeats); err != nil || len(in()) > 0 {
		return err
	}
	return errReported
}

// told shows on a terminal what is done.
func told(progress io.Writer, what string) {
	if onTerminal(progress) {
		overwrite(progress, what)
	}
}

// compareRacers sets the distances from the first device that has values: the CPU, where it is among them.
func compareRacers(racers []*racer) {
	slices.SortStableFunc(racers, func(a, b *racer) int { return cmp.Compare(notCPU(a), notCPU(b)) })
	first := slices.IndexFunc(racers, func(r *racer) bool { return len(r.values) > 0 })
	if first < 0 {
		return
	}
	for _, r := range racers[first+1:] {
		for name, got := range r.values {
			if want, there := racers[first].values[name]; there && len(want) == len(got) {
				r.Parity[name] = distance(got, want)
			}
		}
	}
}

func notCPU(r *racer) int {
	if r.Device == "cpu" {
		return 0
	}
	return 1
}

// distance is the relative L2 distance.
func distance(got, want []float32) float64 {
	var off, all float64
	for i, x := range want {
		e := float64(got[i]) - float64(x)
		off, all = off+e*e, all+float64(x)*float64(x)
	}
	return math.Sqrt(off / all)
}

func printRacers(w io.Writer, racers []*racer, repeats int) error {
	var passes []string
	for _, r := range racers {
		if len(r.Passes) > len(passes) {
			passes = r.Passes
		}
	}
	fmt.Fprintf(w, "The fastest of %d passes, in turns. Parity is the relative L2 distance from the first device.\n", repeats)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tdevice\tseconds\tprocessor s\tof the first\tparity\t")
	for _, name := range passes {
		title, first := name, 0.
		for _, r := range racers {
			if len(r.Laps[name]) == 0 {
				continue
			}
			seconds, processor := fastest(r.Laps[name])
			if first == 0 {
				first = seconds
			}
			parity := "-"
			if d, there := r.Parity[name]; there {
				parity = fmt.Sprintf("%.1e", d)
			}
			fmt.Fprintf(t, "%s\t%s\t%.4f\t%.4f\t%.2f\t%s\t\n", title, r.Device, seconds, processor, seconds/first, parity)
			title = ""
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := printWays(w, racers); err != nil {
		return err
	}
	for _, r := range racers {
		if r.Problem != "" {
			fmt.Fprintf(w, "%s is out: %s\n", r.Device, r.Problem)
		}
		if r.Runtime == "" {
			continue
		}
		fmt.Fprintf(w, "%s: %s", r.Device, r.Runtime)
		if r.Card != "" {
			fmt.Fprintf(w, ", %s", r.Card)
		}
		fmt.Fprintf(w, "; ready after %.1f s", r.Seconds)
		if r.Memory.Together > 0 {
			fmt.Fprintf(w, "; %.0f MB of main memory, with mapped files", r.Memory.Together)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// printWays prints what every way of making the picture costs on every device, in the loop, in plain text-to-image of the same device.
func printWays(w io.Writer, racers []*racer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "in the loop\tdevice\tpasses\tseconds\tof plain text-to-image\t")
	for _, r := range racers {
		seconds := func(pass string) (float64, bool) {
			least, _ := fastest(r.Laps[pass])
			return least, len(r.Laps[pass]) > 0
		}
		plain, ok := bench.Plain(r.Steps, r.CFG, seconds)
		if !ok {
			continue
		}
		n := r.Steps
		if r.CFG {
			n *= 2
		}
		fmt.Fprintf(t, "text-to-image\t%s\t%d\t%.3f\t1.000\t\n", r.Device, n, plain)
		for _, way := range r.Ways {
			if cost, ok := way.Cost(seconds); ok {
				fmt.Fprintf(t, "%s\t%s\t%d\t%.3f\t%.3f\t\n", way.Name, r.Device, way.Counts.All(), cost, cost/plain)
			}
		}
	}
	return t.Flush()
}

// fastest are the least of either time.
func fastest(laps []lap) (seconds, processor float64) {
	seconds, processor = math.Inf(1), math.Inf(1)
	for _, l := range laps {
		seconds, processor = min(seconds, l.Seconds), min(processor, l.Processor)
	}
	return seconds, processor
}
