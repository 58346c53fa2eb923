// Command realword is the studio: a window by default, and sub-commands that need no display.
//
// Contract: package main wires the other packages together and decides nothing about pictures. Results go to standard
// output, messages and progress to standard error. Exit status 0 done, 1 failed, 2 wrong use, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	disguiseClouds()
	ctx, interrupt := context.WithCancel(context.Background())
	useConsole(interrupt)
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	context.AfterFunc(ctx, func() {
		stop() // a second interrupt ends the program at once
		abandon(os.Args[1:])
	})
	notSIGPIPE()
	os.Exit(execute(ctx, os.Args[1:], standardOutput(), os.Stderr))
}

// endings are the signals that end a run in good order: what a farm makes for it is taken back. A terminal that is closed is one, unless
// the program was told to outlive it.
func endings() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// notSIGPIPE makes it an error of the write when nobody reads our output any more, and not the end of the program in the middle of a
// picture.
func notSIGPIPE() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stdout, stderr = plain{stdout}, plain{stderr}
	root := newRoot()
	root.SetArgs(args)
	out := &output{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		if err = fmt.Errorf("cannot write to standard output: %w", out.err); cmd.Name() == "generate" {
			err = fmt.Errorf("%w: what was made is kept", err)
		} else if errors.Is(err, syscall.EPIPE) { // as with `| head`: who reads has what they wanted
			err = errReported
		}
	}
	status := exitStatus(err)
	switch {
	case status == 130:
		fmt.Fprintln(stderr, "interrupted")
	case errors.Is(err, errReported):
	case err != nil:
		fmt.Fprintln(stderr, "realword:", inWords(err))
	}
	if status == 2 {
		fmt.Fprintf(stderr, "Run `%s --help` for the options.\n", cmd.CommandPath())
	}
	return status
}

// output keeps the first error of writing to it. What is written after that is lost.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.Writer.Write(p)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // its name is no help
	}
	o.err = err
	return n, err
}

// errClosed is what a write to a closed standard output says. Go's runtime opens the null device in its place.
var errClosed = errors.New("it is closed")

type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, errClosed }

func standardOutput() io.Writer {
	if outputClosed() {
		return closedOutput{}
	}
	return os.Stdout
}

// errReported ends a command that has already said what failed.
var errReported = errors.New("failed")

// usageError is a mistake in the command line, as opposed to one of the machine or of a file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitStatus(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	case errors.As(err, &usage):
		return 2
	default:
		return 1
	}
}

func newRoot() *cobra.Command {
	cobra.MousetrapHelpText = "" // cobra would send whoever opens the program with a double click on Windows to a terminal
	var m machine
	root := &cobra.Command{
		Use:   "realword [FILE]...",
		Short: "Pictures of your own subjects, word by word",
		Long: "Realword makes pictures in which words of the prompt look like your reference pictures.\nWithout a command it opens the studio, with " +
			"the files that are named: a picture with its recipe, other\npictures as references, a model to be added.",
		Version: version,
		Args:    usageArgs(existing),
		RunE:    m.runWindow,

		PersistentPreRunE: given,
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.SetFlagErrorFunc(flagError)
	m.flags(root)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newGenerate(), newRecipe(), newModel(), newBench(), newDoctor(), newHistory(), newFarm(), newWorker(),
		newProbeDevice(), newBenchDevice())
	return root
}

// existing makes the paths of files absolute, and refuses what is neither a command nor a file.
func existing(c *cobra.Command, args []string) error {
	for i, name := range args {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return usagef("%q is no command, and no file of this name is here%s", name, likeCommand(c, name))
		}
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		args[i] = path
	}
	return nil
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: usageArgs(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
		return usagef("%s needs a subcommand", c.CommandPath())
	}}
	c.AddCommand(commands...)
	return c
}
