package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/memory"
)

// checkMemory says on screen when the largest of requests is tight or may not fit into the graphics card, and refuses one that would
// not fit into the processor's memory unless --force is given.
func (g *generation) checkMemory(e *engine, screen io.Writer, requests ...inference.Request) error {
	var largest memory.Plan
	for _, r := range requests {
		if p, ok := e.Memory(r); ok && p.Peak > largest.Peak {
			largest = p
		}
	}
	sayWithout(screen, largest)
	switch {
	case largest.Verdict == memory.TooLarge && !g.force:
		return fmt.Errorf("%w; --force tries it anyway", &memory.Error{Plan: largest})
	case largest.Verdict == memory.TooLarge || largest.Verdict == memory.Tight:
		fmt.Fprintf(screen, "%s: %s\n", memoryName(largest), largest.Line())
	case largest.Verdict == memory.Doubtful:
		fmt.Fprintf(screen, "%s: %s", memoryName(largest), largest.Line())
		for _, fit := range largest.Remedies {
			fmt.Fprintf(screen, "; %s would take %s", fit.Text, files.Bytes(fit.Peak))
		}
		fmt.Fprintln(screen, "; where it runs out, the CPU goes on, and --device cpu begins there")
	}
	return nil
}

// memoryName is whose memory a plan is about.
func memoryName(p memory.Plan) string {
	if p.Device == "" {
		return "memory"
	}
	return "memory of " + p.Device
}

// sayWithout says that the plan is of another way to compute than the device that was chosen.
func sayWithout(out io.Writer, p memory.Plan) {
	if p.Without != "" {
		fmt.Fprintf(out, "There is not enough memory for this model on %s: the CPU's own way takes over.\n", p.Without)
	}
}

// printMemory prints a request's plan as a table.
func printMemory(e *engine, r inference.Request, out io.Writer) error {
	p, ok := e.Memory(r)
	if !ok {
		return errors.New("memory use is not known for this device: use --device cpu")
	}
	sayWithout(out, p)
	fmt.Fprintf(out, "%d × %d pixels, %s: %s\n", r.Width, r.Height, memoryName(p), p.Line())
	if p.Device != "" {
		fmt.Fprintln(out, "What a graphics card needs is an estimate, rather too much than too little.")
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	last := "in files"
	if p.Device != "" {
		last = "driver"
	}
	fmt.Fprintf(t, "\theld\tweights\tactivations\tkeys, values\tLoRAs\t%s\t\n", last)
	for _, u := range p.Stages {
		fmt.Fprintf(t, "%s\t", u.Stage)
		beside := u.Files
		if p.Device != "" {
			beside = u.Base
		}
		for _, n := range []int64{u.Held(), u.Weights, u.Activations, u.KV, u.LoRAs, beside} {
			fmt.Fprintf(t, "%s\t", files.Bytes(n))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, fit := range p.Remedies {
		fmt.Fprintf(out, "%s would take %s\n", fit.Text, files.Bytes(fit.Peak))
	}
	return nil
}
