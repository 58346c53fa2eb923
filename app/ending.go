package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"github.com/spf13/cobra"
)

// How long after the first interrupt a command, and the window, may take to end by themselves. The window keeps what is open, waits
// for what is under way, and ends its downloads.
const (
	patience       = 5 * time.Second
	windowPatience = 10 * time.Second
)

// patienceVariable has another windowPatience: tests of the real window run on machines where an orderly end takes longer.
const patienceVariable = "REALWORD_PATIENCE"

// abandon ends a program that an interrupt does not reach, because it waits: for a drive that does not answer, for another program's
// lock, for a library, for a screen that hangs. All that it keeps is written so that the program may be killed at any time.
func abandon(args []string) {
	root := newRoot()
	if c, _, err := root.Find(args); err != nil || c == root {
		abandonWindow()
	}
	time.Sleep(patience)
	fmt.Fprintln(os.Stderr, "interrupted")
	os.Exit(exitStatus(context.Canceled))
}

func abandonWindow() {
	most := windowPatience
	if longer, err := time.ParseDuration(os.Getenv(patienceVariable)); err == nil {
		most = longer
	}
	time.Sleep(most)
	endDialogs()
	fmt.Fprintln(os.Stderr, "realword: the window was ended without being closed, since it did not answer: what was made is kept, and jobs wait for the next start")
	os.Exit(1)
}

// interrupts is a context that an interrupt or SIGTERM ends, for a window. Fyne ends its loop at these by itself, and then drops what
// was to run on it, which is how a window that closes keeps what is open. So the signals are taken from it once it has asked for them,
// which it does on a goroutine of its own after its start.
func interrupts(c *cobra.Command, a fyne.App) context.Context {
	ctx, cancel := context.WithCancel(c.Context())
	take := func() {
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		came := make(chan os.Signal, 1)
		signal.Notify(came, os.Interrupt, syscall.SIGTERM)
		<-came
		signal.Stop(came) // a second one ends the program at once
		cancel()
		abandonWindow()
	}
	a.Lifecycle().SetOnStarted(func() { time.AfterFunc(time.Second, take) })
	return ctx
}
