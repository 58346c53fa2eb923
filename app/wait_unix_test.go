//go:build !windows

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/files"
	"realword/inference/wait"
)

// asProgram is this test binary as the program, in an empty home.
func asProgram(t *testing.T, args ...string) (cmd *exec.Cmd, cache string) {
	t.Helper()
	dir := t.TempDir()
	cache = filepath.Join(dir, "cache")
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programVariable+"=main", "HOME="+dir, "XDG_CACHE_HOME="+cache, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_PICTURES_DIR="+filepath.Join(dir, "pictures"))
	return cmd, cache
}

// TestTheFirstSIGTERMEndsAWait: a command waits for the lock of another program, which no context reaches.
func TestTheFirstSIGTERMEndsAWait(t *testing.T) {
	t.Parallel() // with what waits, too
	cmd, cache := asProgram(t, "model", "info")
	models := filepath.Join(cache, "realword", "models")
	if err := os.MkdirAll(models, 0o700); err != nil {
		t.Fatal(err)
	}
	release, err := files.Lock(filepath.Join(models, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	wait.Until(t, "it waits for the lock", func() bool {
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v\n%s", err, &out)
		default:
		}
		return hasOpen(cmd.Process.Pid, filepath.Join(models, ".lock"))
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() != 130 || !strings.Contains(out.String(), "interrupted") {
			t.Errorf("%v, %q", err, &out)
		}
	case <-time.After(wait.Longest):
		_ = cmd.Process.Kill()
		t.Error("one SIGTERM does not end it")
	}
}

// hasOpen tells whether a process has opened a file, where that can be seen; where it cannot, it takes two seconds, and is taken for so.
func hasOpen(pid int, path string) bool {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		time.Sleep(2 * time.Second)
		return true
	}
	handles, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(handles, func(handle string) bool { at, _ := os.Readlink(handle); return at == path })
}

// TestFilesThatAreNoneAreRefused: a pipe or a device as whatever the command line names.
func TestFilesThatAreNoneAreRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	sparse := filepath.Join(t.TempDir(), "sparse.png") // 3 GB that are no bytes
	if err := errors.Join(os.WriteFile(sparse, nil, 0o600), os.Truncate(sparse, 3<<30)); err != nil {
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"reference, device":   {[]string{"generate", "--prompt", "a dog", "--subject", "dog=/dev/zero", "--out", t.TempDir()}, "/dev/zero is a device"},
		"reference, pipe":     {[]string{"generate", "--prompt", "a dog", "--subject", "dog=" + pipe, "--out", t.TempDir()}, "is a pipe"},
		"reference, large":    {[]string{"generate", "--prompt", "a dog", "--subject", "dog=" + sparse, "--out", t.TempDir()}, "sparse.png"},
		"batch, device":       {[]string{"generate", "--batch", "/dev/zero", "--out", t.TempDir()}, "is a device"},
		"batch, pipe":         {[]string{"generate", "--batch", pipe, "--out", t.TempDir()}, "is a pipe"},
		"checkpoint, pipe":    {[]string{"model", "import", pipe, "--out", filepath.Join(t.TempDir(), "M")}, "is a pipe"},
		"base, device":        {[]string{"model", "import", "../assets/golden/data/tiny", "--base", "/dev/zero", "--out", filepath.Join(t.TempDir(), "M")}, "is a device"},
		"session, pipe":       {[]string{"history", "import", pipe}, "is a pipe"},
		"recipe, pipe":        {[]string{"recipe", pipe}, "is a pipe"},
		"recipe, device":      {[]string{"recipe", "/dev/zero"}, "is a device"},
		"model, a pipe in it": {[]string{"model", "info", modelOfPipes(t)}, "is a pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := asProgram(t, c.args...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			select {
			case err := <-done:
				if err == nil || !strings.Contains(out.String(), c.want) {
					t.Errorf("%v: %s", err, &out)
				}
				var own syscall.Rusage // Linux counts what this process had when the program was started from it
				if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
					t.Fatal(err)
				}
				if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss > max(400<<10, own.Maxrss) { // KB
					t.Errorf("%d MB", usage.Maxrss>>10)
				}
			case <-time.After(wait.Longest):
				_ = cmd.Process.Kill()
				t.Errorf("it waits: %s", &out)
			}
		})
	}
}

// modelOfPipes is a model folder whose manifest is a pipe.
func modelOfPipes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "manifest.json"), 0o600); err != nil {
		t.Skip(err)
	}
	return dir
}
