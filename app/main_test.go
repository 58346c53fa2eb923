package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"realword/farm"
	"realword/inference"
	"realword/inference/picture"
)

// home gives the test a home folder of its own: no cache, no history, no library but the one of REALWORD_ONNXRUNTIME.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LocalAppData", "AppData"} {
		t.Setenv(name, dir)
	}
	return dir
}

// command runs a command line and returns status, standard output and standard error.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = execute(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// TestRevokeSaysSo: who lets a computer out is told that it worked.
func TestRevokeSaysSo(t *testing.T) {
	home(t)
	dir, err := farmDir()
	if err != nil {
		t.Fatal(err)
	}
	s, err := farm.Serve(farm.ServerOptions{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if status, _, stderr := command(t, "farm", "pair", "studio"); status != 0 {
		t.Fatal(stderr)
	}
	if status, stdout, stderr := command(t, "farm", "revoke", "studio"); status != 0 || stdout != "studio is let out: its line never works again.\n" {
		t.Errorf("status %d, %q, %s", status, stdout, stderr)
	}
}

func TestWrongUse(t *testing.T) {
	home(t)
	png, empty := filepath.Join(t.TempDir(), "dog.png"), filepath.Join(t.TempDir(), "empty.png")
	if err := errors.Join(os.WriteFile(png, []byte("not a picture"), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"nonsense"}, 2, `"nonsense" is no command, and no file of this name is here`},
		{[]string{png, "gone.png"}, 2, "gone.png"},
		{[]string{"generate", "--nonsense"}, 2, "nonsense"},
		{[]string{"generate", "extra"}, 2, "extra"},
		{[]string{"generate"}, 2, "--prompt"},
		{[]string{"generate", "--prompt", " "}, 2, "--prompt"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog"}, 2, "WORD=PICTURE"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog#0=" + png}, 2, "dog#1"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog=" + png + ":1.5"}, 2, "(0, 1]"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog=" + png + ":0.2", "--subject", "dog=" + png + ":0.3"}, 2, "two scopes"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog=" + png + "-no"}, 1, "cannot be read"},
		{[]string{"generate", "--prompt", "a dog", "--size", "128"}, 2, "WIDTHxHEIGHT"},
		{[]string{"generate", "--prompt", "a dog", "--count", "0"}, 2, "--count"},
		{[]string{"generate", "--prompt", "a dog", "--stop", "0"}, 2, "--stop 0"},
		{[]string{"generate", "--prompt", "a dog", "--scope", "0"}, 2, "--scope 0"},
		{[]string{"generate", "--prompt", "a dog", "--device", "toaster"}, 2, "toaster"},
		{[]string{"generate", "--prompt", "a dog", "--seed", "99999999999999999999"}, 2, "--seed 99999999999999999999: a seed is a whole number from 0 to 18446744073709551615, or -1"},
		{[]string{"generate", "--prompt", "a dog", "--seed", "-2"}, 2, "or -1 for a random one"},
		{[]string{"generate", "--prompt", "a dog", "--seed", "18446744073709551615", "--count", "2"}, 2, "the largest seed is 18446744073709551615"},
		{[]string{"generate", "--prompt", "a dog", "--cfg", "1.000,5"}, 2, "--cfg 1.000,5: give a number from 1 to 50 such as 7.5"},
		{[]string{"generate", "--prompt", "a dog", "--steps", "25,5"}, 2, "--steps 25,5: give a whole number"},
		{[]string{"generate", "--prompt", "a dog", "--plan", "--events"}, 2, "--plan prints a table, and no events"},
		{[]string{"generate", "--prompt", "a dog", "--strength", "half"}, 2, "--strength half: give a number such as 0.5"},
		{[]string{"generate", "--prompt", "a dog", "--init", empty}, 1, "empty.png is empty"},
		{[]string{"generate", "--prompt", "a dog", "--steps", "99999999999999999999"}, 2, "--steps 99999999999999999999: the number is too large"},
		{[]string{"generate", "--prompt", "a dog", "--film=perhaps"}, 2, "--film perhaps: write true or false"},
		{[]string{"generate", "--prompt", "a dog", "--threads", "2147483648"}, 2, "--threads 2147483648: give a number up to 1024"},
		{[]string{"generate", "--prompt", "a dog", "--threads", "-1"}, 2, "--threads -1"},
		{[]string{"generate", "--prompt", "a dog", "--cfg", "0,0"}, 2, "--cfg 0"},
		{[]string{"generate", "--prompt", "a dog", "--out", png}, 1, "output folder"},
		{[]string{"generate", "--prompt", "a dog", "--scope", "nan"}, 2, "--scope nan: give a fraction in (0, 1] such as 0.2"},
		{[]string{"generate", "--prompt", "a dog", "--mask-rest", "nan"}, 2, "--mask-rest nan: give a share from 0 to 1 such as 0.2"},
		{[]string{"generate", "--prompt", "a dog", "--mask-settle", "x"}, 2, "--mask-settle x: give a share from 0 to 1 such as 0.02"},
		{[]string{"generate", "--prompt", "a dog", "--cfg", "inf"}, 2, "--cfg inf: give a number from 1 to 50 such as 7.5"},
		{[]string{"generate", "--prompt", "a dog", "--guidance-rescale=-1"}, 2, "--guidance-rescale -1: write a number from 0 to 1"},
		{[]string{"generate", "--prompt", "a dog", "--count", "0x10"}, 2, "--count 0x10: give a whole number"},
		{[]string{"generate", "--prompt", "a dog", "--steps="}, 2, `--steps "": it is empty: give it a value, or leave it out`},
		{[]string{"generate", "--prompt", "a dog", "--threads", " "}, 2, `--threads " ": it is empty`},
		{[]string{"generate", "--prompt", "a dog", "--model", ""}, 2, "--model is empty: give it a value, or leave it out"},
		{[]string{"generate", "--prompt", "a dog", "--subject", ""}, 2, "--subject is empty"},
		{[]string{"generate", "--prompt", "a", "dog"}, 2, `"dog" is one word too many: put what has spaces into quotes`},
		{[]string{"generate", "a dog on the beach"}, 2, `"a dog on the beach" stands alone: write --prompt in front of it`},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog", png}, 2, "stands alone: a picture of a subject is written --subject WORD=FILE"},
		{[]string{"generte", "--prompt", "a dog"}, 2, `"generte" is no command, and no file of this name is here: did you mean ` + "`realword generate`?"},
		{[]string{"histroy", "list"}, 2, "did you mean `realword history`?"},
		{[]string{"generate", "--stpes", "3"}, 2, "there is no option --stpes: did you mean --steps?"},
		{[]string{"generate", "--prompt"}, 2, "--prompt needs a value behind it"},
		{[]string{"model", "verify", "--limit", "nan"}, 2, "--limit nan"},
		{[]string{"model", "verify", "--limit", "0"}, 2, "--limit 0: give a distance above 0"},
		{[]string{"farm", "--room", "inf"}, 2, "--room inf"},
		{[]string{"farm", "--room=-1"}, 2, "--room -1: give a number of GB"},
		{[]string{"farm", "--server", "nats://127.0.0.1:1", "--replicas=-1"}, 2, "--replicas -1: 1 to 5"},
		{[]string{"history", "show"}, 2, "ID is missing: write `realword history show ID`"},
		{[]string{"history", "show", "-1"}, 2, "there is no option -1"},
		{[]string{"history", "export", "1"}, 2, "FILE is missing: write `realword history export SESSION FILE`"},
		{[]string{"model", "frobnicate"}, 2, `"frobnicate" is no command of realword model: it has get, import, info, list, verify`},
		{[]string{"recipe"}, 2, "PICTURE is missing: write `realword recipe PICTURE`"},
		{[]string{"recipe", ""}, 2, "a name is empty: write `realword recipe PICTURE`"},
		{[]string{"model"}, 2, "needs a subcommand"},
		{[]string{"model", "import", "x"}, 2, "--out"},
		{[]string{"model", "info", t.TempDir()}, 1, "manifest.json"},
		{[]string{"history", "show", "x"}, 2, "number of a job"},
		{[]string{"history", "show", "3"}, 1, "realword: job 3: there is no such job in the history: `realword history list` shows them"},
		{[]string{"history", "save", "3", "x.png"}, 1, "realword: picture 3: there is no such picture in the history"},
		{[]string{"recipe", "gone.png"}, 1, "realword: gone.png: there is no such file or folder; check how its name is written"},
		{[]string{"recipe", filepath.Join(png, "x")}, 1, "x: part of the path is a file, not a folder"},
		{[]string{"recipe", strings.Repeat("x", 300)}, 1, "x: the name is too long; choose a shorter one"},
		{[]string{"recipe", png}, 1, "dog.png: recipes stand in PNG files, and this is a text file: choose the file that the program wrote"},
		{[]string{"generate", "--prompt", "a dog", "--subject", "dog=gone.png"}, 1, `the picture of "dog" cannot be read: gone.png: there is no such file or folder`},
		{[]string{"generate", "--prompt", "a dog", "--lora", "gone:0.5"}, 1, "--lora gone:0.5: there is no such file, nor a LoRA of that name"},
		{[]string{"generate", "--prompt", "a dog", "--lora", png + ":3"}, 2, "outside"},
		{[]string{"generate", "--batch", "gone.jsonl"}, 1, "the batch file cannot be read: gone.jsonl: there is no such"},
		{[]string{"history", "import", "gone.zip"}, 1, "(gone.zip: there is no such file or folder"},
		{[]string{"model", "info", png}, 1, "dog.png is no folder: a model is one that"},
		{[]string{"worker", "--server", "nats://127.0.0.1:1", "--creds", "gone.creds"}, 1, "the credentials cannot be read: gone.creds: there is no such"},
		{[]string{"worker"}, 1, "this computer has no pairing: run \"realword farm pair NAME\" on the computer that has the farm, then here \"realword worker PAIRING\""},
		{[]string{"history", "export", "x", png + ".zip"}, 2, "number of a session"},
		{[]string{"history", "export", "3", png + ".zip"}, 1, "history list"},
		{[]string{"history", "export", "3", png}, 1, "not overwritten"},
		{[]string{"history", "import", png}, 1, "not a session"},
	} {
		status, stdout, stderr := command(t, c.args...)
		if status != c.status || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%q: status %d, want %d, with %q in\n%s%s", c.args, status, c.status, c.want, stderr, stdout)
		}
		if hint := strings.Contains(stderr, "--help"); hint != (status == 2) {
			t.Errorf("%q: the hint at --help belongs to wrong use only:\n%s", c.args, stderr)
		}
	}
	if status, stdout, _ := command(t, "history", "list"); status != 0 || stdout != "" {
		t.Errorf("an empty history: status %d, %q", status, stdout)
	}
}

func TestExitStatus(t *testing.T) {
	for err, want := range map[error]int{
		nil:                              0,
		errors.New("disk"):               1,
		errReported:                      1,
		usagef("no"):                     2,
		context.Canceled:                 130,
		context.DeadlineExceeded:         1,
		badRequest(errors.New("γ is 2")): 2,
		badRequest(fmt.Errorf("dog.png: %w", picture.FormatError{Err: errors.New("broken")})):  1,
		badRequest(fmt.Errorf("a.tif: %w", picture.UnsupportedError{Err: errors.New("TIFF")})): 1,
		badRequest(errors.Join(inference.LoRAError{Err: errors.New("no LoRA")})):               1,
		badRequest(context.Canceled): 130,
	} {
		if got := exitStatus(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestSubjects(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, odd := file("a.png"), file("b.png"), file("c.png:0.5")
	list, err := subjects([]string{"dog=" + a + ":0.3", "old dog#2=" + odd, "dog#1=" + b, "C#=" + a})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		line := fmt.Sprintf("%s %d %g", s.Word.Text, s.Word.Occurrence, s.Scope)
		for _, r := range s.References {
			line += fmt.Sprintf(" %s=%s", r.Name, r.Data)
		}
		got = append(got, line)
	}
	want := []string{"dog 0 0.3 a.png=a.png b.png=b.png", "old dog 2 0 c.png:0.5=c.png:0.5", "C# 0 0 a.png=a.png"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{"7.5": 7.5, "7,5": 7.5, " 0,3 ": 0.3, "1e3": 1000, "4": 4} {
		if got, err := inference.ParseDecimal(text); err != nil || got != want {
			t.Errorf("%q is %g, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1.000,5", "1,000.5", "1,000,5", "seven", "7 5"} {
		if got, err := inference.ParseDecimal(text); err == nil {
			t.Errorf("%q is taken for %g", text, got)
		}
	}
	file := filepath.Join(t.TempDir(), "a.png")
	if s, err := parseSubject("dog=" + file + ":0,3"); err != nil || s.scope != 0.3 || s.file != file {
		t.Errorf("%+v, %v", s, err)
	}
	var first, second seed
	if err := errors.Join(first.Set("-1"), second.Set("-1")); err != nil || first == second || first.value >= 1<<32 {
		t.Errorf("-1 draws %v and %v, %v", first, second, err)
	}
	if err := first.Set("18446744073709551615"); err != nil || first.value != 1<<64-1 {
		t.Errorf("%v, %v", first, err)
	}
	list, err := seeds(seed{value: 7}, true, 3)
	if err != nil || fmt.Sprint(list) != "[7 8 9]" {
		t.Errorf("%v, %v", list, err)
	}
}

// A disk that is full and a pipe that nobody reads are errors.
func TestOutputThatCannotBeWritten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		`"$0" history --help >/dev/full`:                       "cannot write to standard output: the disk is full",
		`"$0" --version >&-`:                                   "cannot write to standard output: it is closed",
		`{ sleep .2; "$0" --help; echo "status $?" >&2; } | :`: "status 1\n",
		`"$0" --version >/dev/null`:                            "",
	} {
		if _, err := os.Stat("/dev/full"); err != nil && strings.Contains(line, "full") {
			continue
		}
		home(t)
		cmd := exec.Command("sh", "-c", line, program)
		cmd.Env = append(os.Environ(), programVariable+"=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if status := cmd.ProcessState.ExitCode(); !strings.Contains(stderr.String(), want) || !strings.Contains(line, "|") && (status == 1) != (want != "") {
			t.Errorf("%s: %v, %s", line, err, stderr.String())
		}
		if strings.Contains(stderr.String(), "status 141") {
			t.Errorf("%s: a signal ended it", line)
		}
	}
}

func TestFileStem(t *testing.T) {
	for prompt, want := range map[string]string{
		"A dog, on the beach!": "a-dog-on-the-beach-7",
		"../../etc/passwd":     "etc-passwd-7",
		"🐕":                    "picture-7",
		"a 👩\u200d🚀, ❤\ufe0f":  "a-7",
		"می\u200cخواهم":        "می\u200cخواهم-7",
		"समुद्र तट पर कुत्ता":          "समुद्र-तट-पर-कुत्ता-7",
		strings.Repeat("longword ", 9): "longword-longword-longword-longword-longword-7",
	} {
		if got := fileStem(prompt, 7); got != want {
			t.Errorf("%q: %q, want %q", prompt, got, want)
		}
	}
}

func TestWatchers(t *testing.T) {
	events := []inference.Event{
		inference.StageStarted{Stage: inference.StageDenoise, Provider: "CUDA"},
		inference.Progress{Pass: 31, Passes: 62, Remaining: 7e9},
		inference.StepDone{Step: 9, Steps: 25, Timestep: 600, Guided: true, Subjects: []inference.SubjectStep{{Mask: []float32{0, 0.5, 0, 1}}}},
		inference.DeviceChanged{Provider: "CPU", Why: "CUDA is gone"},
		inference.Failed{Err: errors.New("no space left")},
	}
	play := func(w watcher) {
		for _, e := range events[:4] {
			w.event(e)
		}
		w.remark("all wait")
		w.picture(inference.PictureReady{Seed: 7}, "out/a.png")
		w.event(events[4])
	}
	var out, screen bytes.Buffer
	play(quiet{&out, &screen})
	if out.String() != "out/a.png\n" || screen.String() != "realword: CUDA is gone\nnote: all wait\n" {
		t.Errorf("%q on the screen, %q in the output", screen.String(), out.String())
	}
	out.Reset()
	play(&bar{quiet: quiet{&out, &screen}})
	if out.String() != "out/a.png\n" || !strings.Contains(screen.String(), "[###############...............] denoise 10/25 on CUDA, 7s left") ||
		!strings.Contains(screen.String(), "CUDA is gone\n") || !strings.Contains(screen.String(), "\r\033[Knote: all wait\n") || !strings.Contains(screen.String(), "denoise 10/25, 7s left") || !strings.HasSuffix(screen.String(), "\r\033[K") {
		t.Errorf("%q on the screen, %q in the output", screen.String(), out.String())
	}
	out.Reset()
	play(jsonLines{&out})
	want := `{"event":"stage","picture":0,"provider":"CUDA","stage":"denoise"}
{"event":"progress","pass":31,"passes":62,"remaining_seconds":7}
{"coverage":[0.5],"event":"step","guided":true,"picture":0,"step":9,"steps":25,"timestep":600}
{"event":"device","provider":"CPU","why":"CUDA is gone"}
{"event":"note","text":"all wait"}
{"event":"picture","file":"out/a.png","picture":0,"seconds":0,"seed":7}
{"error":"no space left","event":"failed"}
`
	if out.String() != want {
		t.Errorf("events:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestDoctor(t *testing.T) {
	home(t)
	t.Setenv("REALWORD_ONNXRUNTIME", filepath.Join(t.TempDir(), "gone"))
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	if status, stdout, _ := command(t, "doctor"); status != 1 || !strings.HasPrefix(stdout, "Pictures cannot be made. ONNX Runtime: REALWORD_ONNXRUNTIME names ") ||
		!strings.Contains(stdout, "\n  -> run `make deps`") || strings.Contains(stdout, "libcuda") {
		t.Errorf("status %d without a library\n%s", status, stdout)
	}
	status, stdout, stderr := command(t, "doctor", "--all")
	if status != 1 || stderr != "" {
		t.Errorf("status %d without a library, %q", status, stderr)
	}
	for _, want := range []string{"missing  ONNX Runtime", "make deps", "missing  Display", "cannot be made"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report lacks %q:\n%s", want, stdout)
		}
	}
	for env, want := range map[string]string{
		"DISPLAY=:0":                       "unix /tmp/.X11-unix/X0",
		"DISPLAY=localhost:10.0":           "tcp localhost:6010",
		"WAYLAND_DISPLAY=wayland-1":        "unix /run/user/7/wayland-1",
		"WAYLAND_DISPLAY=/tmp/socket":      "unix /tmp/socket",
		"XDG_SESSION_TYPE=neither of both": "",
	} {
		name, value, _ := strings.Cut(env, "=")
		got := ""
		for _, d := range displays(func(key string) string { return map[string]string{name: value, "XDG_RUNTIME_DIR": "/run/user/7"}[key] }) {
			got = d.network + " " + d.address
		}
		if got != want {
			t.Errorf("%s: %q, want %q", env, got, want)
		}
	}
}

// Fyne reads the locale before main begins; see package locale.
func TestNoComplaintAboutTheLocale(t *testing.T) {
	for _, locale := range []string{"C.UTF-8", "C", "de_DE.UTF-8", "ca_ES@valencia", "sr_RS.UTF-8@latin", "german", ""} {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = []string{"LANG=" + locale, "HOME=" + t.TempDir()}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil || strings.Contains(stderr.String(), "Fyne") {
			t.Errorf("LANG=%s: %v, %s", locale, err, stderr.String())
		}
	}
}
