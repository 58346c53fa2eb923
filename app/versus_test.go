package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"realword/inference/ort"
)

// racers makes the processes of devices run lines of shell.
func racers(t *testing.T, lines map[string]string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	before := child
	t.Cleanup(func() { child = before })
	child = func(ctx context.Context, args ...string) (*exec.Cmd, error) {
		if args[0] != "bench-device" || args[1] != "--device" || args[3] != "--steps=4" {
			t.Errorf("a device's process runs %q", args)
		}
		return exec.CommandContext(ctx, "/bin/sh", "-c", lines[args[2]]), nil
	}
}

func TestDevicesSideBySide(t *testing.T) {
	const say = `echo '{"Runtime":"a runtime","Passes":["pass","decoder"]}'; `
	answers := func(words ...string) string {
		line := say
		for _, w := range words {
			line += "read name; echo '" + w + "'; "
		}
		return line + `read name; echo '{"Together":100}'`
	}
	bits := func(values ...float32) string {
		var list []uint32
		for _, v := range values {
			list = append(list, math.Float32bits(v))
		}
		data, _ := json.Marshal(lap{Seconds: 9, Bits: list})
		return string(data)
	}
	racers(t, map[string]string{
		// Two passes, three rounds of which the first brings the values.
		"cpu": answers(bits(3, 4), bits(1), `{"Seconds":2,"Processor":5}`, `{"Seconds":4}`, `{"Seconds":3,"Processor":4}`, `{"Seconds":4}`),
		"webgpu": answers(bits(3, 4.5), bits(float32(math.NaN())), `{"Seconds":0.5,"Processor":0.25}`, `{"Seconds":4}`,
			`{"Seconds":1,"Processor":0.125}`, `{"Seconds":4}`),
		"cuda":   say + `read name; echo "no kernel image" >&2; kill -SEGV $$`,
		"cuda:1": `echo 'realword: the driver is missing' >&2; exit 1`,
		"cuda:2": say + `read name; echo '{"Problem":"it has not enough memory"}'; read name`,
	})
	// The CPU is what others are compared with, wherever it stands.
	status, stdout, stderr := command(t, "bench", "--device", "webgpu,cuda,cpu,cuda:1,cuda:2", "--repeats", "2", "--steps", "4")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, %s", status, stderr)
	}
	for _, want := range []string{
		"pass     cpu   2.0000       4.0000          1.00        -", "webgpu   0.5000       0.1250          0.25  1.0e-01", "webgpu   4.0000       0.0000          1.00      NaN",
		"cuda is out: its driver or its provider crashed (signal: segmentation fault: no kernel image)\n", "cuda:1 is out: the driver is missing\n",
		"cuda:2 is out: it has not enough memory\n", "webgpu: a runtime; ready after 0.0 s; 100 MB of main memory",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
	for _, c := range [][]string{{"cpu,cpu", "--steps", "4"}, {"cpu,webgpu", "--naive"}, {"cpu,webgpu", "--clock", "cpu"}} {
		if status, _, stderr := command(t, append([]string{"bench", "--device"}, c...)...); status != 2 {
			t.Errorf("%q: status %d, %s", c, status, stderr)
		}
	}
	if status, stdout, _ := command(t, "bench", "--device", "cuda:1,cuda:2", "--steps", "4"); status != 1 || !strings.Contains(stdout, "the driver is missing") {
		t.Errorf("status %d where no device is left\n%s", status, stdout)
	}
}

// TestProcessOfADevice runs the real ones: the CPU, and a card that is not there.
func TestProcessOfADevice(t *testing.T) {
	library, err := ort.Find("")
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	home(t)
	t.Setenv(ort.EnvLibrary, library)
	t.Setenv(programVariable, "command")
	status, stdout, stderr := command(t, "bench", "--device", "cpu,cuda:99", "--repeats", "1", "--json")
	var list []racer
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || status != 0 || len(list) != 2 {
		t.Fatalf("status %d, %v\n%s%s", status, err, stdout, stderr)
	}
	for _, name := range []string{"text-to-image", "generation branch", "guidance branch", "decoder"} {
		if laps := list[0].Laps[name]; len(laps) != 1 || laps[0].Seconds <= 0 || laps[0].Processor <= 0 {
			t.Errorf("%s: %v", name, laps)
		}
	}
	if list[0].Problem != "" || list[0].Memory.Together < 50 && runtime.GOOS == "linux" || list[1].Problem == "" || len(list[1].Laps) > 0 {
		t.Errorf("%+v", list)
	}
}
