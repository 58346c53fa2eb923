package main

import (
	"fmt"
	"io"

	"realword/inference/ort"
)

// startWebGPU prints the graphics cards that WebGPU can use and starts the one that it computes on.
func startWebGPU(out io.Writer, cpu *ort.Runtime) (*ort.Runtime, error) {
	adapters, err := ort.Adapters(cpu.Library())
	for i, a := range adapters {
		fmt.Fprintf(out, "webgpu:%d            %s\n", i, a)
	}
	if err != nil {
		return nil, err
	}
	card, err := ort.New(ort.Options{Threads: cpu.Threads(), Library: cpu.Library(), Device: "webgpu"})
	if err != nil {
		return nil, err
	}
	attention := "its own attention computes wrong and is written out"
	if card.FusedAttention() {
		attention = "its own attention computes right and is used"
	}
	fmt.Fprintln(out, "                   ", attention)
	return card, nil
}
