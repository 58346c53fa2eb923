package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"realword/inference/ort"
)

// needStrace skips a test where system calls cannot be watched. `make test` installs strace.
func needStrace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-f", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("nobody watches what the program does to files and networks, strace does not work here: %v %s", err, out)
	}
}

// straced is a command under strace in an empty home, with nothing else in its environment that could keep the library quiet.
func straced(t *testing.T, home, trace string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "strace", append([]string{"-f", "--seccomp-bpf", "-qq", "-y", "-o", trace, "-e", "trace=%network,%file,truncate,fchmod"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "REALWORD_ONNXRUNTIME=" + library, "LC_ALL=de_AT@euro", "ORT_DISABLE_TELEMETRY=0"}, env...)
	return cmd
}

var (
	straceCall = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	stracePath = regexp.MustCompile(`(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"`)
	writeFlags = regexp.MustCompile(`O_(WRONLY|RDWR|CREAT|TRUNC)`)
	straceDoes = regexp.MustCompile(`^(creat|mkdir|mkdirat|mknod|mknodat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|unlink|unlinkat|rmdir|truncate|chmod|fchmodat|chown|lchown|fchownat|utime|utimes|utimensat|futimesat|setxattr|lsetxattr)$`)
)

// leaks lists what a trace has of sockets other than those within the machine, and of files that were written, made, moved or removed
// outside the given folders. Nothing is forgiven for having failed.
func leaks(t *testing.T, trace string, own ...string) []string {
	t.Helper()
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	inside := func(path string) bool {
		return slices.ContainsFunc(own, func(dir string) bool {
			return path == dir || strings.HasPrefix(path, dir+"/") || strings.HasPrefix(dir, path+"/") // the way to a folder may have to be made
		})
	}
	var found []string
	files := 0
	for line := range strings.Lines(string(data)) {
		call := straceCall.FindStringSubmatch(line)
		if call == nil {
			continue
		}
		name, args := call[1], call[2]
		switch {
		case name == "socket" || name == "socketpair":
			if !strings.HasPrefix(args, "AF_UNIX") {
				found = append(found, line)
			}
			continue
		case name == "open" || name == "openat" || name == "openat2":
			if !writeFlags.MatchString(args) {
				continue
			}
		case !straceDoes.MatchString(name):
			continue
		}
		files++
		for _, p := range stracePath.FindAllStringSubmatch(args, -1) {
			path := p[2]
			if !filepath.IsAbs(path) {
				path = filepath.Join(p[1], path)
			}
			if path = filepath.Clean(path); !inside(path) && !strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/proc/") {
				found = append(found, line)
			}
		}
	}
	if files == 0 {
		t.Errorf("%s: no file was ever written: nothing was watched", trace)
	}
	return found
}

// ONNX Runtime's telemetry would write below ~/.cache/Microsoft and into /tmp and call its maker; GTK would open the display.
func TestNothingLeavesTheMachine(t *testing.T) {
	t.Parallel()
	needStrace(t)
	dir := t.TempDir()
	program := built(t, usualBuild)
	dog, err := filepath.Abs("../assets/samples/dog.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"doctor", []string{"doctor"}},
		{"generate", []string{"generate", "--prompt", "a dog on the beach", "--subject", "dog=" + dog, "--steps", "4", "--out", filepath.Join(dir, "generate", "out")}},
		{"the trial of a device, which runs as a child", []string{"probe-device", "--device", "cpu"}},
		{"bench", []string{"bench", "--repeats", "1", "--loops", "no"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := filepath.Join(dir, c.args[0])
			tmp := filepath.Join(home, "tmp")
			if err := os.MkdirAll(tmp, 0o755); err != nil {
				t.Fatal(err)
			}
			trace := filepath.Join(dir, c.args[0]+".trace")
			bus := filepath.Join(tmp, "bus")
			env := []string{"DISPLAY=:4711", "TMPDIR=" + tmp, "DBUS_SESSION_BUS_ADDRESS=", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus}
			if c.args[0] == "doctor" { // asks the display server itself
				env = env[1:]
			}
			cmd := straced(t, home, trace, env, append([]string{program}, c.args...)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			for _, line := range leaks(t, trace, filepath.Join(home, ".cache", "realword"), filepath.Join(home, ".config", "realword"), filepath.Join(home, "out"), tmp) {
				t.Errorf("it leaks: %s", line)
			}
			data, err := os.ReadFile(trace)
			if err != nil {
				t.Error(err)
			}
			for _, line := range regexp.MustCompile(`(?m)^\d+ +connect\(.*$`).FindAllString(string(data), -1) {
				if !strings.Contains(line, `sun_path="`+bus+`"`) { // by which it asks this machine to stay awake
					t.Errorf("a command without a window connects to something: %s", line)
				}
			}
			if stderr.Len() > 0 && c.args[0] != "bench" {
				t.Errorf("it complains: %s", stderr.String())
			}
		})
	}
}
