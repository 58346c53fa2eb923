// Command device runs models on every graphics card of this machine beside the CPU and prints one table: provider, stage,
// seconds, how far the results are from the CPU's. It needs no display, no network and nothing but ONNX Runtime's library, so
// that it can be built on one machine and carried to another: `make device-check`, `make device-pack`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"realword/assets"
	"realword/inference"
	"realword/inference/bench"
	"realword/inference/bundle"
	"realword/inference/ort"
	"realword/inference/parity"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

func main() {
	models := flag.String("models", "toybox", "models with a comma between them: toybox (embedded), tiny or full (SDXL with random weights, 30 GB of disk for full), or bundle folders")
	repeats := flag.Int("repeats", 3, "runs of every stage; the fastest counts")
	threads := flag.Int("threads", 0, "threads of one operator on the CPU (default: physical cores)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := check(ctx, os.Stdout, strings.Split(*models, ","), *repeats, *threads)
	if err != nil {
		fmt.Fprintln(os.Stderr, "device:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// check prints what is found and the table, and tells whether every device computes right.
func check(ctx context.Context, out io.Writer, models []string, repeats, threads int) (ok bool, err error) {
	cpu, err := ort.New(ort.Options{Threads: threads})
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "%s\n%s\n\n", cpu.Describe(), cpu.Library())
	devices := []*ort.Runtime{cpu}
	components := ort.LoadComponents(cpu.Library())
	for _, c := range components {
		fmt.Fprintf(out, "%-19s %-15s %s\n", c.State, c.Name, c.File+" "+c.Path)
		if c.State != ort.Found {
			fmt.Fprintf(out, "%-19s   -> %s %s\n", "", c.Remedy, c.Note)
		}
	}
	ok = true
	if len(components) > 0 && ort.Usable(components) {
		cards, version, err := ort.GPUs(components)
		if err != nil {
			ok = false
			fmt.Fprintln(out, "The driver does not answer:", err)
		}
		for i, card := range cards {
			fmt.Fprintf(out, "cuda:%d              %s, %.0f GB, driver for CUDA %s\n", i, card.Name, float64(card.Memory)/1e9, version)
			gpu, err := ort.New(ort.Options{Threads: threads, Device: fmt.Sprintf("cuda:%d", i)})
			if err != nil {
				ok = false
				fmt.Fprintln(out, " ", err)
				continue
			}
			devices = append(devices, gpu)
		}
	} else {
		fmt.Fprintln(out, "There is no graphics card that can be used: the table has the CPU alone.")
	}
	fmt.Fprintf(out, "\n%-10s %-24s %-8s %10s %8s  %s\n", "model", "stage", "provider", "seconds", "of CPU", "error against CPU")
	for _, name := range models {
		good, err := compare(ctx, out, name, devices, repeats)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		ok = ok && good
	}
	return ok, nil
}

// compare prints the rows of one model.
func compare(ctx context.Context, out io.Writer, name string, devices []*ort.Runtime, repeats int) (ok bool, err error) {
	b, remove, err := open(ctx, name)
	if err != nil {
		return false, err
	}
	defer remove()
	short := filepath.Base(name)
	size := b.Manifest().Size
	ok = true
	base := map[string]float64{} // seconds of the CPU by row
	row := func(stage, provider string, seconds float64, verdict string) {
		share := "-"
		if provider == "CPU" {
			base[stage] = seconds
		} else if base[stage] > 0 {
			share = fmt.Sprintf("%.3f", seconds/base[stage])
		}
		fmt.Fprintf(out, "%-10.10s %-24s %-8s %10.4f %8s  %s\n", short, stage, provider, seconds, share, verdict)
	}
	for i, device := range devices {
		provider, _ := device.Provider()
		if i > 0 {
			stages, err := parity.CompareDevices(ctx, devices[0], device, b, size.Width, size.Height, repeats)
			if err != nil {
				return false, err
			}
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
				row(s.Tensor, "CPU", s.CPU.Seconds(), "")
				row(s.Tensor, provider, s.Device.Seconds(), verdict)
			}
		}
		if err := passes(ctx, device, b, repeats, func(stage string, seconds float64) { row(stage, provider, seconds, "") }); err != nil {
			if i == 0 || ctx.Err() != nil {
				return false, err
			}
			ok = false
			fmt.Fprintf(out, "%-10.10s %-24s %-8s %v\n", short, "passes", provider, err)
		}
	}
	return ok, nil
}

// passes measures the U-Net passes of one customized picture, and what it costs in units of a plain one.
func passes(ctx context.Context, device *ort.Runtime, b *bundle.Bundle, repeats int, row func(stage string, seconds float64)) error {
	sample := assets.Samples()[0]
	m, err := bench.Measure(ctx, device, b, inference.Request{
		Prompt: sample.Prompt, Seeds: []uint64{1},
		Subjects: []inference.Subject{{Word: inference.Word{Text: sample.Word}, References: []inference.Reference{{Name: sample.Name, Data: sample.Data}}}},
	}, bench.Options{Repeats: repeats})
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

// open opens a bundle: the embedded one, one with random weights, or a folder.
func open(ctx context.Context, name string) (b *bundle.Bundle, remove func(), err error) {
	sizes, made := map[string]synthetic.Sizes{"tiny": synthetic.Tiny, "full": synthetic.Full}[name]
	if !made && name != "toybox" {
		b, err = bundle.Open(name)
		return b, func() {}, err
	}
	dir, err := os.MkdirTemp("", "realword-device-*")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	if !made {
		b, err = bundle.Extract(assets.Model(), dir)
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
	if err != nil {
		return nil, nil, errors.Join(err, ctx.Err())
	}
	fmt.Fprintf(os.Stderr, "%s: written and imported in %.0f s\n", name, time.Since(began).Seconds())
	return b, remove, nil
}
