// Command device runs models on every graphics card of this machine beside the CPU and prints one table: provider, stage,
// seconds, how far the results are from the CPU's. It needs no display, no network and only ONNX Runtime's library, so that it can
// be built on one machine and carried to another: `make device-check`, `make device-pack`.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"realword/assets"
	"realword/inference/bench"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/ort"
	"realword/inference/parity"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// options say what is done.
type options struct {
	models    []string
	parts     []string // components alone, or table, stages, nodes, unet, picture, passes
	device    string   // cuda or webgpu; "" is cuda
	repeats   int
	threads   int
	steps     int               // of the picture
	size      int               // width and height in pixels; 0 is the model's own
	brief     bool              // the libraries are not listed
	cpuAlone  bool              // no card is no failure
	exact     bool              // part unet: with the results of the processor beside
	halves    bool              // matrices of small models stay in half precision, too
	cuda      map[string]string // options of CUDA's provider
	profile   string            // prefix of the files that get the library's profile of every graph; "" writes none
	report    string            // file that gets one JSON object a row, appended; "" is none
	reportOut io.Writer
}

func main() {
	o := options{reportOut: io.Discard}
	models := flag.String("models", "toybox",
		"models with a comma between them: toybox (embedded), tiny, full (SDXL with random weights, 30 GB of disk) or unet (full with small encoders, 11 GB), or bundle folders")
	parts := flag.String("parts", "table,picture",
		"what is done, with a comma between: components (what is found, no model runs), table (every stage beside the CPU, and the passes of both), stages (the table without passes), nodes (what the library leaves to the CPU), unet (its passes alone, on random visual tokens), picture (a whole one beside the CPU's), passes (the card alone)")
	flag.StringVar(&o.device, "device", "cuda", "cuda (every card of NVIDIA), webgpu (the card that WebGPU computes on), openvino or openvino-bf16 (the processor, by OpenVINO)")
	flag.IntVar(&o.repeats, "repeats", 3, "runs of every stage; the fastest counts")
	flag.IntVar(&o.threads, "threads", 0, "threads of one operator on the CPU (default: physical cores)")
	flag.IntVar(&o.steps, "steps", 8, "steps of the picture")
	flag.IntVar(&o.size, "size", 0, "width and height in pixels (default: the model's)")
	flag.BoolVar(&o.brief, "brief", false, "do not list the libraries")
	flag.BoolVar(&o.cpuAlone, "cpu-alone", false,
		"no graphics card is no failure: the table has the CPU alone, and the picture is made twice on it")
	flag.StringVar(&o.report, "json", "", "append every row to this file, a JSON object a line")
	flag.BoolVar(&o.halves, "halves", false, "WebGPU: matrices of small models stay in half precision on the card, as those of large ones do")
	flag.BoolVar(&o.exact, "exact", false, "part unet: compare with the processor's results")
	flag.Func("cuda", "an option of CUDA's provider, as in use_tf32=0; may be given several times", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("write NAME=VALUE")
		}
		if o.cuda == nil {
			o.cuda = map[string]string{}
		}
		o.cuda[key] = value
		return nil
	})
	flag.StringVar(&o.profile, "profile", "", "write the library's profile of every graph on the card to files that begin so")
	prepare := flag.String("prepare", "", "write the bundle of the one model into this new folder, and do nothing else")
	flag.Parse()
	o.models, o.parts = strings.Split(*models, ","), strings.Split(*parts, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, *prepare); err != nil {
		fmt.Fprintln(os.Stderr, "device:", err)
		os.Exit(1)
	}
}

// run does what is asked for; an error is also a card that is missing or computes wrong.
func run(ctx context.Context, o options, prepare string) (err error) {
	if prepare != "" {
		b, _, err := open(ctx, o.models[0], prepare)
		if err == nil {
			fmt.Println(b.Manifest().Name, "is ready in", filepath.Join(prepare, "bundle"))
		}
		return err
	}
	if o.report != "" {
		f, err := os.OpenFile(o.report, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.reportOut = f
	}
	cards, ok, err := check(ctx, os.Stdout, o)
	switch {
	case err != nil:
		return err
	case cards == 0 && !o.cpuAlone:
		return errors.New("no graphics card was tested (--cpu-alone if the CPU is enough)")
	case !ok:
		return errors.New("a graphics card failed, see above")
	}
	return nil
}

// check prints what is found and what was asked for. It tells how many cards were tested and whether every one computes right.
func check(ctx context.Context, out io.Writer, o options) (cards int, ok bool, err error) {
	kind, _, err := ort.ParseDevice(cmp.Or(o.device, "cuda"))
	if err != nil {
		return 0, false, err
	}
	library, err := ort.FindFor(kind, "")
	if err != nil {
		return 0, false, err
	}
	cpu, err := ort.New(ort.Options{Threads: o.threads, Library: library})
	if err != nil {
		return 0, false, err
	}
	if !o.brief {
		fmt.Fprintf(out, "%s\n%s\n\n", cpu.Describe(), cpu.Library())
	}
	devices := []*ort.Runtime{cpu}
	ok = true
	switch kind {
	case ort.OpenVINOExact, ort.OpenVINOHalf:
		processor, err := ort.New(ort.Options{Threads: o.threads, Library: library, Device: o.device})
		if err != nil {
			return 0, false, err
		}
		devices = append(devices, processor)
	case ort.WebGPU:
		card, err := startWebGPU(out, cpu, o)
		if err != nil {
			ok = false
			fmt.Fprintln(out, err)
		} else {
			devices = append(devices, card)
		}
	default:
		var cards []*ort.Runtime
		cards, ok = startCUDA(out, cpu, o)
		devices = append(devices, cards...)
	}
	if len(devices) == 1 {
		fmt.Fprintln(out, "There is no graphics card that can be used.")
		if !o.cpuAlone {
			return 0, ok, nil
		}
	}
	if slices.Equal(o.parts, []string{"components"}) {
		return len(devices) - 1, ok, nil
	}
	for _, name := range o.models {
		good, err := one(ctx, out, name, devices, o)
		if err != nil {
			return len(devices) - 1, false, fmt.Errorf("%s: %w", name, err)
		}
		ok = ok && good
	}
	return len(devices) - 1, ok, nil
}

// startCUDA prints what CUDA needs and starts every card of NVIDIA; ok is false where one does not start.
func startCUDA(out io.Writer, cpu *ort.Runtime, o options) (cards []*ort.Runtime, ok bool) {
	components := ort.LoadComponents(cpu.Library())
	for _, c := range components {
		if o.brief {
			continue
		}
		fmt.Fprintf(out, "%-19s %-15s %s\n", c.State, c.Name, c.File+" "+c.Path)
		if c.State != ort.Found {
			fmt.Fprintf(out, "%-19s   -> %s %s\n", "", c.Remedy, c.Note)
		}
	}
	ok = true
	if len(components) > 0 && ort.Usable(components) {
		found, version, err := ort.GPUs(components)
		if err != nil {
			ok = false
			fmt.Fprintln(out, "The driver does not answer:", err)
		}
		for i, card := range found {
			fmt.Fprintf(out, "cuda:%d              %s, %.0f GB, driver for CUDA %s\n", i, card.Name, float64(card.Memory)/1e9, version)
			gpu, err := ort.New(ort.Options{Threads: o.threads, Device: fmt.Sprintf("cuda:%d", i), Profile: o.profile, CUDA: o.cuda})
			if err != nil {
				ok = false
				fmt.Fprintln(out, " ", err)
				continue
			}
			cards = append(cards, gpu)
		}
	}
	return cards, ok
}

// one does what was asked for with one model.
func one(ctx context.Context, out io.Writer, name string, devices []*ort.Runtime, o options) (ok bool, err error) {
	b, remove, err := open(ctx, name, "")
	if err != nil {
		return false, err
	}
	defer remove()
	t := &table{out: out, report: o.reportOut, model: filepath.Base(name), cpu: map[string]float64{}}
	ok = true
	for _, part := range o.parts {
		good := true
		switch part {
		case "table":
			good, err = t.compare(ctx, b, devices, o.repeats, o.size, true)
		case "stages":
			good, err = t.compare(ctx, b, devices, o.repeats, o.size, false)
		case "nodes":
			for _, device := range devices[1:] {
				good, err = t.nodes(device, b)
			}
		case "picture":
			good, err = t.pictures(ctx, b, devices, o.steps, o.size)
		case "unet":
			for _, device := range devices[min(1, len(devices)-1):] {
				provider, _ := device.Provider()
				if err = t.unet(ctx, devices[0], device, provider, b, o); err != nil {
					break
				}
			}
		case "passes":
			for _, device := range devices[min(1, len(devices)-1):] {
				provider, _ := device.Provider()
				t.head()
				if err = passes(ctx, device, b, o.repeats, o.size, func(stage string, seconds float64) {
					t.row(stage, provider, seconds,
						"")
				}); err != nil {
					break
				}
			}
		default:
			err = fmt.Errorf("there is no part %q: components alone, table, stages, nodes, unet, picture and passes", part)
		}
		if err != nil {
			return false, err
		}
		ok = ok && good
	}
	return ok, nil
}

// table prints the rows of one model.
type table struct {
	out, report io.Writer
	model       string
	cpu         map[string]float64 // seconds of the CPU by stage
}

func (t *table) head() {
	fmt.Fprintf(t.out, "\n%-10s %-24s %-8s %10s %8s  %s\n", "model", "stage", "provider", "seconds", "of CPU", "error against CPU")
}

func (t *table) row(stage, provider string, seconds float64, verdict string) {
	share := "-"
	if provider == "CPU" {
		t.cpu[stage] = seconds
	} else if t.cpu[stage] > 0 {
		share = fmt.Sprintf("%.3f", seconds/t.cpu[stage])
	}
	fmt.Fprintf(t.out, "%-10.10s %-24s %-8s %10.4f %8s  %s\n", t.model, stage, provider, seconds, share, verdict)
	t.json(map[string]any{"model": t.model, "stage": stage, "provider": provider, "seconds": seconds, "verdict": verdict})
}

// json appends one line; what cannot be written is said on the terminal alone.
func (t *table) json(line map[string]any) {
	if err := json.NewEncoder(t.report).Encode(line); err != nil {
		fmt.Fprintln(t.out, "not reported:", err)
	}
}

// compare prints every stage of every device beside the processor's, and where that is wanted the kinds of U-Net pass.
func (t *table) compare(ctx context.Context, b *bundle.Bundle, devices []*ort.Runtime, repeats, size int,
	withPasses bool,
) (ok bool, err error) {
	t.head()
	width, height := cmp.Or(size, b.Manifest().Size.Width), cmp.Or(size, b.Manifest().Size.Height)
	ok = true
	for i, device := range devices {
		provider, _ := device.Provider()
		if i > 0 {
			stages, err := parity.CompareDevices(ctx, devices[0], device, b, width, height, repeats)
			for _, s := range stages {
				if !s.OK() {
					ok = false
				}
				verdict := fmt.Sprintf("%.1e", s.RelL2)
				if s.Problem != "" {
					verdict = s.Problem
				} else if !s.OK() {
					verdict += " WRONG"
				}
				t.row(s.Tensor, "CPU", s.CPU.Seconds(), "")
				t.row(s.Tensor, provider, s.Device.Seconds(), verdict)
			}
			if err != nil {
				return false, err
			}
		}
		if !withPasses {
			continue
		}
		if err := passes(ctx, device, b, repeats, size, func(stage string, seconds float64) { t.row(stage, provider, seconds, "") }); err != nil {
			if i == 0 || ctx.Err() != nil {
				return false, err
			}
			ok = false
			fmt.Fprintf(t.out, "%-10.10s %-24s %-8s %v\n", t.model, "passes", provider, err)
		}
	}
	return ok, nil
}

// pictures prints a whole picture of every device beside the processor's; where there is no device, beside the processor's again.
func (t *table) pictures(ctx context.Context, b *bundle.Bundle, devices []*ort.Runtime, steps, size int) (ok bool, err error) {
	ok = true
	for _, device := range devices[min(1, len(devices)-1):] {
		provider, _ := device.Provider()
		p, err := comparePictures(ctx, devices[0], device, b, sampleRequest(steps, size))
		if err != nil {
			return false, err
		}
		verdict := "ok"
		if !p.ok(!random(t.model)) {
			ok, verdict = false, "WRONG"
		}
		fmt.Fprintf(t.out, "\n%-10.10s a whole picture of %d steps: CPU %.3f s, %s %.3f s, PSNR %.1f dB, masks alike by step %.4f: %s %s\n",
			t.model, steps, p.CPU.Seconds(), provider, p.Device.Seconds(), p.PSNR, p.Masks, verdict, p.Problem)
		t.json(map[string]any{
			"model": t.model, "stage": "picture", "provider": provider, "steps": steps, "cpu_seconds": p.CPU.Seconds(),
			"seconds": p.Device.Seconds(),
			"psnr_db": fmt.Sprintf("%.2f", p.PSNR), "masks": p.Masks, "verdict": verdict, "problem": p.Problem,
		})
	}
	return ok, nil
}

// passes measures the U-Net passes of one customized picture, and what it costs in units of a plain one.
func passes(ctx context.Context, device *ort.Runtime, b *bundle.Bundle, repeats, size int, row func(stage string, seconds float64)) error {
	m, err := bench.Measure(ctx, device, b, sampleRequest(0, size), bench.Options{Repeats: repeats})
	if err != nil {
		return err
	}
	load := 0.
	for _, t := range m.Load {
		load += t.Min()
	}
	row("loading", load)
	for _, t := range append(m.Stages, m.Passes...) {
		row(t.Name, t.Min())
	}
	ours, _ := m.Ratios()
	row("customized / plain", ours.Loop)
	return nil
}

// drawn are the models whose weights are drawn at random.
var drawn = map[string]synthetic.Sizes{"tiny": synthetic.Tiny, "full": synthetic.Full, "unet": unet}

// random tells whether the weights of a model are drawn at random. Of bundle folders it does not know.
func random(name string) bool {
	_, ok := drawn[name]
	return ok
}

// unet is SDXL's U-Net and autoencoder at full width with encoders that are small, but as wide as the U-Net asks for.
var unet = func() synthetic.Sizes {
	s := synthetic.Eyes
	s.Channels, s.Depth, s.TimeDim, s.VAE = synthetic.Full.Channels, synthetic.Full.Depth, synthetic.Full.TimeDim, synthetic.Full.VAE
	s.SigLIP, s.DINO = synthetic.Tiny.SigLIP, synthetic.Tiny.DINO
	return s
}()

// open opens a bundle: the embedded one, one with random weights, or a folder. The first two are written into dir, which stays, or
// where that is empty into a folder that remove removes.
func open(ctx context.Context, name, dir string) (b *bundle.Bundle, remove func(), err error) {
	sizes, made := drawn[name]
	if !made && name != "toybox" {
		b, err = bundle.Open(name)
		return b, func() {}, err
	}
	remove = func() {}
	if dir == "" {
		if dir, remove, err = files.Scratch("device"); err != nil {
			return nil, nil, err
		}
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	if !made {
		b, err = bundle.Extract(assets.Model(), filepath.Join(dir, "bundle"))
		return b, remove, err
	}
	began := time.Now()
	o := synthetic.Options{Sizes: sizes, DType: tensor.F16}
	files, err := synthetic.Files(o)
	if err == nil {
		err = synthetic.Write(ctx, filepath.Join(dir, "release"), files, o, func(string, int64, int64) {})
	}
	if err == nil {
		b, err = bundle.Import(ctx, filepath.Join(dir, "release"), filepath.Join(dir, "bundle"), nil)
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(dir, "release"))
	}
	if err != nil {
		return nil, nil, errors.Join(err, ctx.Err())
	}
	fmt.Fprintf(os.Stderr, "%s: written and imported in %.0f s\n", name, time.Since(began).Seconds())
	return b, remove, nil
}
