package native

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"realword/inference/wait"
)

// action is the kernel's struct sigaction on 64-bit Linux.
type action struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

func sigaction(t *testing.T, s syscall.Signal, set, get *action) {
	t.Helper()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 8, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
}

func TestKeepSignals(t *testing.T) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	var before, after action
	sigaction(t, syscall.SIGUSR1, nil, &before)
	KeepSignals(func() {
		const ignore = 1
		sigaction(t, syscall.SIGUSR1, &action{handler: ignore}, nil)
	})
	sigaction(t, syscall.SIGUSR1, nil, &after)
	if before != after || before.handler < 2 {
		t.Errorf("the handler was %+v and is now %+v", before, after)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(wait.Longest):
		t.Error("the signal did not come any more")
	}
}
