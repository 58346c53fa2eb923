package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference/ort"
	"realword/inference/wait"
	"realword/ui/preferences"
)

// instead makes a trial run a line of shell, and counts the trials.
func instead(t *testing.T, line string) *int {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	before, trials := child, 0
	t.Cleanup(func() { child = before })
	child = func(ctx context.Context, args ...string) (*exec.Cmd, error) {
		trials++
		if got := strings.Join(args, " "); !strings.HasPrefix(got, "probe-device --device cuda") && !strings.HasPrefix(got, "probe-device --device webgpu") &&
			!strings.HasPrefix(got, "probe-device --device openvino") {
			t.Errorf("a trial runs %q", got)
		}
		return exec.CommandContext(ctx, "/bin/sh", "-c", line, "trial", args[len(args)-1]), nil
	}
	return &trials
}

// OpenVINO is chosen for models of one's own alone, where its trial passed and was faster, the fastest first.
func TestChoosingOpenVINO(t *testing.T) {
	before, half := openVINO, hasHalf
	webGPU := mayHaveWebGPU
	defer func() { openVINO, hasHalf, mayHaveWebGPU = before, half, webGPU }()
	mayHaveWebGPU = func() bool { return false }
	const products = `"Stages":[{"Tensor":"products","Tolerance":0.02,"RelL2":%s,"Device":%d,"CPU":100}]`
	answer := func(usable bool, off string, device int) string {
		return fmt.Sprintf(`{"Usable":%v,"Reason":"it is wrong",`+products+`}`, usable, off, device)
	}
	for name, c := range map[string]struct {
		there, half bool
		exact, bf16 string
		model, want string
		trials      int
	}{
		"not there":           {false, true, "", "", "bundle", "cpu", 0},
		"the built-in model":  {true, true, "", "", "", "cpu", 0},
		"half is faster":      {true, true, answer(true, "0", 90), answer(true, "0.005", 50), "bundle", "openvino-bf16", 2},
		"exact is faster":     {true, true, answer(true, "0", 40), answer(true, "0.005", 50), "bundle", "openvino", 2},
		"neither is faster":   {true, true, answer(true, "0", 110), answer(true, "0.005", 130), "bundle", "cpu", 2},
		"half computes wrong": {true, true, answer(true, "0", 90), answer(false, "0.5", 10), "bundle", "openvino", 2},
		"its products do":     {true, true, answer(true, "0", 90), answer(true, "0.5", 10), "bundle", "openvino", 2},
		"no half products":    {true, false, answer(true, "0", 90), answer(true, "0", 10), "bundle", "openvino", 1},
		"it crashes":          {true, true, "", "", "bundle", "cpu", 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := home(t)
			openVINO = func(string) string {
				if c.there {
					return filepath.Join(dir, "bridge")
				}
				return ""
			}
			hasHalf = func() bool { return c.half }
			run := func(answer string) string {
				if answer == "" {
					return "kill -SEGV $$"
				}
				return "echo '" + answer + "'"
			}
			trials := 0
			instead(t, "")
			child = func(ctx context.Context, args ...string) (*exec.Cmd, error) {
				trials++
				line := run(strings.Replace(c.exact, "{", `{"Device":"openvino",`, 1))
				if strings.HasSuffix(args[len(args)-1], "-bf16") {
					line = run(strings.Replace(c.bf16, "{", `{"Device":"openvino-bf16",`, 1))
				}
				return exec.CommandContext(ctx, "/bin/sh", "-c", line, "trial", args[len(args)-1]), nil
			}
			for range 2 { // the second time from what was kept
				if got, err := (machine{model: c.model}).choose(t.Context(), filepath.Join(dir, "library")); got != c.want || err != nil || trials != c.trials {
					t.Errorf("%q, %v after %d trials", got, err, trials)
				}
			}
		})
	}
}

func TestATrialSurvivesItsDriver(t *testing.T) {
	t.Parallel() // the only one of those with a trial of its own
	for name, c := range map[string]struct{ line, want string }{
		"crash":   {`echo "no such kernel image" >&2; kill -SEGV $$`, "crashed (signal: segmentation fault: no such kernel image)"},
		"hang":    {"sleep 60", "did not answer within 200ms"},
		"noise":   {"echo hello", "no readable answer"},
		"verdict": {`echo '{"Device":"cuda","Usable":true,"Card":"a card"}'`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			instead(t, c.line)
			limit := wait.Longest
			if name == "hang" {
				limit = 200 * time.Millisecond
			}
			v := trial(t.Context(), "cuda", limit)
			if v.Usable != (c.want == "") || !strings.Contains(v.Reason, c.want) || v.Device != "cuda" {
				t.Errorf("%+v", v)
			}
			if v.Usable && v.Card != "a card" {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestVerdictsAreKept(t *testing.T) {
	dir := home(t)
	library := filepath.Join(dir, "libonnxruntime.so.1")
	if err := os.WriteFile(library, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	trials := instead(t, `echo '{"Device":"cuda","Usable":true}'`)
	ask := func(device string, afresh bool, want int) {
		t.Helper()
		if v := known(t.Context(), library, device, afresh); !v.Usable || *trials != want {
			t.Errorf("after %d trials, want %d: %+v", *trials, want, v)
		}
	}
	ask("cuda", false, 1)
	ask("cuda", false, 1)
	ask("cuda", true, 2)
	ask("cuda", false, 2)
	if err := os.WriteFile(library, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask("cuda", false, 3)
	file, err := verdictFile(library, "cuda")
	if err != nil {
		t.Fatal(err)
	}
	change := func(content string, age time.Duration) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(content), 0o600), os.Chtimes(file, time.Now(), time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	change("{", 0)
	ask("cuda", false, 4)
	change(`{"Device":"cuda","Usable":true}`, 100*time.Hour)
	ask("cuda", false, 4)
	change(`{"Device":"cuda","Usable":false}`, 25*time.Hour)
	ask("cuda", false, 5)
	change(`{"Device":"cuda","Usable":false,"Reason":"busy"}`, time.Hour)
	if v := known(t.Context(), library, "cuda", false); v.Reason != "busy" || *trials != 5 {
		t.Errorf("%+v after %d trials", v, *trials)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v := known(ctx, filepath.Join(dir, "other"), "cuda", false); v.Usable {
		t.Error("a cancelled trial says that the device can be used")
	}
	ctx = t.Context()
	if v := known(ctx, filepath.Join(dir, "other"), "cuda", false); !v.Usable {
		t.Error("a cancelled trial was kept")
	}
}

func TestChoosingADevice(t *testing.T) {
	t.Cleanup(func() { loaded = ort.Loaded })
	loaded = func() string { return "" }
	dir := home(t)
	library := filepath.Join(dir, "libonnxruntime.so.1")
	there := mayHaveWebGPU
	defer func() { mayHaveWebGPU = there }()
	mayHaveWebGPU = func() bool { return false }
	trials := instead(t, `echo '{"Device":"cuda","Reason":"it is broken"}'`)
	for _, device := range []string{"", "auto", "cpu"} {
		if got, err := (machine{device: device}).choose(t.Context(), library); got != "cpu" || err != nil || *trials != 0 {
			t.Errorf("%q: %q, %v, %d trials", device, got, err, *trials)
		}
	}
	if _, err := (machine{device: "cuda"}).choose(t.Context(), library); err == nil || !strings.Contains(err.Error(), "it is broken") || !strings.Contains(err.Error(), "doctor") {
		t.Errorf("%v", err)
	}
	mayHaveWebGPU = func() bool { return true }
	trials = instead(t, `echo '{"Device":"webgpu","Usable":false,"Software":true,"Reason":"llvmpipe is made of software"}'`)
	for i, model := range []string{"", "bundle"} { // the embedded model does not ask
		if got, err := (machine{model: model}).choose(t.Context(), library); got != "cpu" || err != nil || *trials != i {
			t.Errorf("%q, %v, %d trials", got, err, *trials)
		}
	}
	if _, err := (machine{device: "webgpu"}).choose(t.Context(), library); err == nil || !strings.Contains(err.Error(), "made of software") {
		t.Errorf("%v", err)
	}
	home(t) // without the verdicts of before
	instead(t, `echo '{"Device":"webgpu","Usable":true}'`)
	for _, device := range []string{"", "auto", "webgpu"} {
		if got, err := (machine{device: device, model: "bundle"}).choose(t.Context(), library); got != "webgpu" || err != nil {
			t.Errorf("%q: %q, %v", device, got, err)
		}
	}
	loaded = func() string { return "of an earlier model" }
	if got, err := (machine{model: "bundle", card: "webgpu:1"}).choose(t.Context(), library); got != "cpu" || err != nil {
		t.Errorf("beside another library: %q, %v", got, err)
	}
	instead(t, `echo '{"Device":"cuda:1","Usable":true}'`)
	if got, err := (machine{device: "cuda:1"}).choose(t.Context(), library); got != "cuda:1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTheCardOfThePreferences goes before others for models of one's own, and is passed over where it cannot be used. The window offers
// those that the last trial saw.
func TestTheCardOfThePreferences(t *testing.T) {
	t.Cleanup(func() { loaded = ort.Loaded })
	loaded = func() string { return "" }
	there := mayHaveWebGPU
	defer func() { mayHaveWebGPU = there }()
	mayHaveWebGPU = func() bool { return true }
	dir := home(t)
	library := filepath.Join(dir, "libonnxruntime.so.1")
	if err := os.WriteFile(library, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(ort.EnvLibrary, library)
	if list := otherChoices(); len(list) > 0 {
		t.Errorf("before any trial the window offers %v", list)
	}
	instead(t, `case "$1" in
		webgpu:1) echo '{"Device":"webgpu:1","Usable":true}';;
		webgpu:2) echo '{"Device":"webgpu:2","Reason":"it is gone"}';;
		*) echo '{"Device":"webgpu","Usable":true,"Cards":[{"Name":"RTX"},{"Name":"Radeon"},{"Name":"llvmpipe","Why":"it is software"}]}';;
	esac`)
	for _, c := range []struct{ card, model, want string }{
		{"webgpu:1", "bundle", "webgpu:1"}, {"webgpu:2", "bundle", "webgpu"}, {"", "bundle", "webgpu"}, {"webgpu:1", "", "cpu"},
	} {
		if got, err := (machine{card: c.card, model: c.model}).choose(t.Context(), library); got != c.want || err != nil {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
	if list := otherChoices(); !slices.Equal(list, []preferences.Card{{Device: "webgpu:1", Name: "Radeon"}}) {
		t.Errorf("the window offers %v", list)
	}
}

// The trial of a graphics card, made with the processor in its place.
func TestTheTrialItself(t *testing.T) {
	library, err := ort.Find("")
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	home(t) // hides the cache, in which the library may be
	t.Setenv(ort.EnvLibrary, library)
	status, stdout, stderr := command(t, "probe-device", "--device", "cpu")
	var v verdict
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || status != 0 {
		t.Fatalf("status %d, %v\n%s%s", status, err, stdout, stderr)
	}
	if !v.Usable || len(v.Stages) != 8 {
		t.Errorf("%+v", v)
	}
	for _, s := range v.Stages {
		if !s.OK() || s.RelL2 != 0 || s.Device <= 0 {
			t.Errorf("%v", s)
		}
	}
	_, stdout, _ = command(t, "probe-device", "--device", "cuda:9")
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || v.Reason == "" {
		t.Errorf("%v\n%s", err, stdout)
	}
}

// An interrupt during the trial of a device that was asked for is an interrupt.
func TestAnInterruptedTrial(t *testing.T) {
	library := filepath.Join(home(t), "libonnxruntime.so.1")
	instead(t, `echo '{"Device":"webgpu","Usable":true}'`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (machine{device: "webgpu"}).choose(ctx, library); exitStatus(err) != 130 {
		t.Errorf("status %d, %v", exitStatus(err), err)
	}
}
