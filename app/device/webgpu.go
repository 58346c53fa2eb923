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
	return ort.New(ort.Options{Threads: cpu.Threads(), Library: cpu.Library(), Device: "webgpu"})
}
