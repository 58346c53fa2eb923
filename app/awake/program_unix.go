//go:build !windows

package awake

import (
	"log"
	"os/exec"
	"syscall"
)

// by has a program do it for as long as that runs. It is out of the terminal's reach: Ctrl+C ends a job after its picture, and not this.
func by(program string, args ...string) (end func()) {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		log.Print("the computer may go to sleep while pictures are made: ", err)
		return func() {}
	}
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, or it has failed and has said so to nobody
		close(over)
	}()
	return func() {
		_ = cmd.Process.Kill()
		<-over
	}
}
