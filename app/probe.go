package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"realword/inference/ort"
	"realword/inference/parity"
	"realword/ui/preferences"
)

// verdict is what a trial of a device in a child process found.
type verdict struct {
	Device     string
	Usable     bool
	Reason     string // why it is not
	Card       string // what the driver calls it
	Memory     uint64 // of the card, bytes
	CUDA       string // newest version that the driver serves
	Driver     string // name and version, with WebGPU
	Software   bool   // the card is made of software
	Cards      []card `json:",omitempty"` // all that WebGPU sees, of which Card is one
	Components []ort.Component
	Stages     []parity.StageComparison
}

// card is a graphics card that WebGPU sees.
type card struct {
	Name string
	Text string // with memory and driver
	Why  string // it cannot be chosen, "" where it can
}

// cards are those that a runtime chose from, by their numbers.
func cards(rt *ort.Runtime) (all []card) {
	list := rt.Adapters()
	for i, a := range list {
		c := card{Name: a.Name, Text: a.String()}
		if err := ort.Choosable(list, i); err != nil {
			c.Why = err.Error()
		}
		all = append(all, c)
	}
	return all
}

// otherChoices are the graphics cards that can be chosen beside the one that WebGPU takes by itself, as its last trial saw them: no driver
// is started.
func otherChoices() (list []preferences.Card) {
	library, err := ort.FindFor(ort.WebGPU, "")
	if err != nil {
		return nil
	}
	v, there := former(library, "webgpu")
	if !there {
		return nil
	}
	for i, c := range v.Cards {
		if i > 0 && c.Why == "" {
			list = append(list, preferences.Card{Device: fmt.Sprintf("webgpu:%d", i), Name: c.Name})
		}
	}
	return list
}

// mendDevice is what may help a device that fails its trial.
func mendDevice(device string) string {
	if strings.HasPrefix(device, "openvino") {
		return "use the device cpu"
	}
	return newerDriver(runtime.GOOS)
}

// newerDriver is what brings a system a newer driver of its graphics card.
func newerDriver(system string) string {
	if system == "darwin" { // which has it within
		return "update macOS"
	}
	return "update the graphics driver"
}

// How long a trial may take: the first start of a driver compiles kernels.
const trialLimit = 3 * time.Minute

func newProbeDevice() *cobra.Command {
	var m machine
	c := &cobra.Command{
		Use: "probe-device", Short: "test a device and print the result as JSON; a broken driver may crash this command",
		Hidden: true, Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			v := m.try(c.Context())
			return json.NewEncoder(c.OutOrStdout()).Encode(v)
		},
	}
	m.flags(c)
	return c
}

// try starts the device in this process and compares what it computes with the processor.
func (m machine) try(ctx context.Context) verdict {
	v := verdict{Device: m.device}
	fail := func(err error) verdict {
		v.Reason = err.Error()
		return v
	}
	kind, index, err := ort.ParseDevice(m.device)
	if err != nil {
		return fail(err)
	}
	library, err := ort.FindFor(kind, "")
	if err != nil {
		return fail(err)
	}
	cpu, err := ort.New(ort.Options{Threads: m.threads, Library: library})
	if err != nil {
		return fail(err)
	}
	if kind == ort.CUDA {
		v.Components = ort.LoadComponents(cpu.Library())
		if ort.Usable(v.Components) {
			cards, version, err := ort.GPUs(v.Components)
			if err != nil {
				return fail(err)
			}
			if v.CUDA = version; index >= len(cards) {
				return fail(fmt.Errorf("there is no device %s: the driver lists %d", m.device, len(cards)))
			}
			v.Card, v.Memory = cards[index].Name, cards[index].Memory
		}
	}
	device, err := ort.New(ort.Options{Threads: m.threads, Library: library, Device: m.device})
	if err != nil {
		return fail(err)
	}
	if a, ok := device.Adapter(); ok {
		v.Card, v.Memory, v.Driver, v.Software, v.Cards = a.Name, a.Memory, a.Driver, a.Software, cards(device)
		if a.Software {
			return fail(fmt.Errorf("%s is a software device, slower than the CPU: %s", a.Name, ort.GraphicsDriver))
		}
	}
	b, err := openModel(ctx, m.model)
	if err != nil {
		return fail(err)
	}
	size := b.Manifest().Size
	if v.Stages, err = parity.CompareDevices(ctx, cpu, device, b, size.Width, size.Height, 2); err != nil {
		return fail(err)
	}
	for _, s := range v.Stages {
		switch {
		case s.Problem != "":
			return fail(fmt.Errorf("the stage %q fails on it: %s", s.Tensor, s.Problem))
		case !s.OK():
			return fail(fmt.Errorf("the stage %q gives wrong results on it, %.1e away from the CPU: %s", s.Tensor, s.RelL2, mendDevice(m.device)))
		}
	}
	if kind == ort.OpenVINOExact || kind == ort.OpenVINOHalf {
		s, err := parity.LargeProducts(ctx, cpu, device)
		if err != nil {
			return fail(err)
		}
		v.Stages = append(v.Stages, s)
	}
	v.Usable = true
	return v
}

// faster is how many times faster than the processor a device was at large products in its trial, 0 where that was not measured.
func (v verdict) faster() float64 {
	for _, s := range v.Stages {
		if s.Tensor == "products" && s.OK() && s.Device > 0 {
			return float64(s.CPU) / float64(s.Device)
		}
	}
	return 0
}

// child makes the command that runs this program again; tests run themselves.
var child = func(ctx context.Context, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	return exec.CommandContext(ctx, exe, args...), err
}

// trial tries a device in a child process, which a crash or a hang of a driver ends alone.
func trial(ctx context.Context, device string, limit time.Duration) verdict {
	v := verdict{Device: device}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd, err := child(within, "probe-device", "--device", device)
	if err != nil {
		v.Reason = err.Error()
		return v
	}
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &messages, 5*time.Second
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		v.Reason = ctx.Err().Error()
	case within.Err() != nil:
		v.Reason = fmt.Sprintf("it did not answer within %v: %s", limit, mendDevice(device))
	case err != nil:
		v.Reason = fmt.Sprintf("its driver or its provider crashed (%v%s): %s", err, lastLine(messages.String()), mendDevice(device))
	default:
		if err := json.Unmarshal(out.Bytes(), &v); err != nil {
			v.Reason = fmt.Sprintf("its self-test gave no readable answer (%v)", err)
		}
	}
	return v
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if line := lines[len(lines)-1]; line != "" {
		return ": " + line
	}
	return ""
}

// known returns the verdict on a device that a former trial left for the same program, libraries and driver, or makes it. With
// afresh a former one does not count, and a bad one counts for a day: the card may have been busy.
func known(ctx context.Context, library, device string, afresh bool) verdict {
	if !afresh {
		if v, there := former(library, device); there {
			return v
		}
	}
	v := trial(ctx, device, trialLimit)
	path, err := verdictFile(library, device)
	if err != nil {
		return v
	}
	if data, err := json.MarshalIndent(v, "", "  "); err == nil && ctx.Err() == nil {
		// Without the file the next start tries again, which is no loss but time.
		if os.MkdirAll(filepath.Dir(path), 0o777) == nil {
			_ = os.WriteFile(path, data, 0o600)
		}
	}
	return v
}

// former is the verdict that a former trial left, while it counts.
func former(library, device string) (v verdict, there bool) {
	path, err := verdictFile(library, device)
	if err != nil {
		return v, false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return v, false
	}
	info, err := os.Stat(path)
	return v, err == nil && json.Unmarshal(data, &v) == nil && v.Device == device && (v.Usable || time.Since(info.ModTime()) < 24*time.Hour)
}

// verdictFile names the file of a verdict by everything that it depends on.
func verdictFile(library, device string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, version, device)
	paths := []string{library}
	if exe, err := os.Executable(); err == nil {
		paths = append(paths, exe)
	}
	for _, c := range ort.Components(library) {
		paths = append(paths, c.Path)
	}
	for _, path := range paths {
		if real, err := filepath.EvalSymlinks(path); err == nil { // a driver's version is in its name
			path = real
		}
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
		}
	}
	if strings.HasPrefix(device, "openvino") {
		if info, err := os.Stat(openVINO(library)); err == nil {
			fmt.Fprintln(sum, openVINO(library), info.Size(), info.ModTime().UnixNano())
		}
	}
	if driver, err := os.ReadFile("/proc/driver/nvidia/version"); err == nil {
		sum.Write(driver)
	}
	if kind, _, err := ort.ParseDevice(device); err == nil && kind == ort.WebGPU {
		for _, d := range ort.GraphicsDrivers() {
			fmt.Fprintln(sum, d)
		}
	}
	return filepath.Join(cache, "realword", "devices", fmt.Sprintf("%.16x.json", sum.Sum(nil))), nil
}

// errNotUsable is a device that was asked for by name and cannot be used.
var errNotUsable = errors.New("`realword doctor --all` says what is missing; --device cpu goes without it")

// mayHaveWebGPU tells whether WebGPU is worth a trial; tests say it themselves.
var mayHaveWebGPU = ort.MayHaveWebGPU

// loaded is the library of this process; tests say it themselves.
var loaded = ort.Loaded

// loadsWebGPU tells whether this process has loaded no other library than that with WebGPU: of two builds in the cache the processor may
// have taken the other one for an earlier model, and it stays.
func loadsWebGPU() bool {
	library, err := ort.FindFor(ort.WebGPU, "")
	return loaded() == "" || err == nil && loaded() == library
}

// openVINO finds OpenVINO, and hasHalf tells whether the processor has products of half precision; tests say it themselves.
var (
	openVINO = ort.OpenVINO
	hasHalf  = ort.HasHalfProducts
)

// onProcessor is the fastest way to compute on the processor that has passed its trial: OpenVINO, if it was faster there, else ONNX
// Runtime's own.
func onProcessor(ctx context.Context, library string) string {
	best, device := 1.0, "cpu"
	if openVINO(library) == "" {
		return device
	}
	for _, name := range openVINOs() {
		if v := known(ctx, library, name, false); v.Usable && v.faster() > best {
			best, device = v.faster(), name
		}
	}
	return device
}

// openVINOs are the devices of OpenVINO that this processor may have.
func openVINOs() []string {
	if hasHalf() {
		return []string{"openvino-bf16", "openvino"}
	}
	return []string{"openvino"}
}

// choose decides where to compute: on the device that was asked for, or by itself on a graphics card that has passed its trial, by CUDA
// before WebGPU. The embedded model is too small for WebGPU, whose calls cost more than its sums: on an H100 a pass of it took 0.22 s, on
// eight cores 0.018 s, by CUDA 0.004 s;
// and for OpenVINO, which takes longer to open than the built-in model takes for a picture. library is what the CPU is computed with.
func (m machine) choose(ctx context.Context, library string) (device string, err error) {
	if m.device == "cpu" {
		return "cpu", nil
	}
	if m.device == "" || m.device == "auto" {
		webGPU := m.model != "" && mayHaveWebGPU() && loadsWebGPU()
		if m.card != "" && webGPU && known(ctx, library, m.card, false).Usable {
			return m.card, nil
		}
		if list := ort.Components(library); len(list) > 0 && ort.Usable(list) && known(ctx, library, "cuda", false).Usable {
			return "cuda", nil
		}
		if webGPU && known(ctx, library, "webgpu", false).Usable {
			return "webgpu", nil
		}
		if m.model != "" {
			return onProcessor(ctx, library), nil
		}
		return "cpu", nil
	}
	if v := known(ctx, library, m.device, false); !v.Usable {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("the device %s cannot be used: %s: %w", m.device, v.Reason, errNotUsable)
	}
	return m.device, nil
}
