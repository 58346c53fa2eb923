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

// checkMemory says on screen when the largest of requests is tight, and refuses one that would not fit unless --force is given.
func (g *generation) checkMemory(e *engine, screen io.Writer, requests ...inference.Request) error {
	var largest memory.Plan
	for _, r := range requests {
		if p, ok := e.Memory(r); ok && p.Peak > largest.Peak {
			largest = p
		}
	}
	switch {
	case largest.Verdict == memory.TooLarge && !g.force:
		return fmt.Errorf("%w; --force tries it anyway", &memory.Error{Plan: largest})
	case largest.Verdict == memory.TooLarge || largest.Verdict == memory.Tight:
		fmt.Fprintln(screen, "memory:", largest.Line())
	}
	return nil
}

// printMemory prints a request's plan as a table.
func printMemory(e *engine, r inference.Request, out io.Writer) error {
	p, ok := e.Memory(r)
	if !ok {
		return errors.New("memory use is not known for this device: use --device cpu")
	}
	fmt.Fprintf(out, "%d × %d pixels: %s\n", r.Width, r.Height, p.Line())
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\theld\tweights\tactivations\tkeys, values\tLoRAs\tin files\t")
	for _, u := range p.Stages {
		fmt.Fprintf(t, "%s\t", u.Stage)
		for _, n := range []int64{u.Held(), u.Weights, u.Activations, u.KV, u.LoRAs, u.Files} {
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
