package ui

import (
	"context"
	"os"
	"time"

	"fyne.io/fyne/v2"

	"realword/history"
	"realword/inference/files"
	"realword/inference/lora"
	"realword/ui/models"
	"realword/ui/preferences"
	"realword/ui/session"
	"realword/ui/stage"
	"realword/ui/state"
	"realword/ui/subjects"
)

// Engine is what the window needs of the program that makes pictures.
type Engine = models.Engine

// Card is a graphics card to compute on.
type Card = preferences.Card

// Sample is a reference picture that comes with the program.
type Sample = subjects.Sample

// Pasted is what the clipboard holds: a picture as a file that Decode reads, or files.
type Pasted = subjects.Pasted

// Carried is a file that is dragged over windows of other programs.
type Carried = stage.Carried

// Example is the finished session that comes with the program.
type Example = session.Example

// Options wires the window to the rest of the program. Functions are called off the window's goroutine and may block.
type Options struct {
	Title   string
	Program string // name and version, for picture files: "realword 0.1.0"
	// Open opens a model, named by its folder, or with "" the one inside the program: once the window is on the screen, and whenever the
	// user switches. The window closes the engines that it is given.
	Open func(ctx context.Context, model string) (Engine, error)
	// Model is the model of the command line; "" is the one that was used last.
	Model string
	// Files are taken as if they were dropped on the middle of the window, once model and history are open: a picture with its recipe,
	// others as references, a model to be added. Paths are absolute.
	Files []string
	// Models keeps the models that can be switched to. Nil hides them.
	Models state.Models
	// OpenModel asks for a model of one file; "" means that the user changed their mind. Nil hides the button.
	OpenModel func() (string, error)
	// Cards are the graphics cards that can be chosen beside the one that is taken by itself. Nil: none.
	Cards func() []Card
	// LoRAs is the folder of the user's LoRAs. Nil hides their list.
	LoRAs *lora.Library
	// OpenLoRA asks for the file of a LoRA; "" means that the user changed their mind. Nil hides the choice.
	OpenLoRA func() (string, error)
	Samples  []Sample
	// OpenFiles asks the user for picture files; none means that the user changed their mind. Nil hides the button.
	OpenFiles func() ([]string, error)
	// Paste answers what is in the system's clipboard; nothing and no error means that there is no picture. Nil switches pasting off.
	Paste func() (Pasted, error)
	// CopyImage puts a picture, given as a PNG file, into the system's clipboard, and CopyFiles files. Nil switches copying off.
	CopyImage func(png []byte) error
	CopyFiles func(paths []string) error
	// DragFile begins to drag a file over windows of other programs, while the button is held. It is called on the window's goroutine.
	// Nil: that is not possible.
	DragFile func(path string) (Carried, error)
	// SaveFile asks where to save a copy of the named file, and whether to replace one that is there; "" means nowhere. The path has the
	// name's ending. Nil hides the button.
	SaveFile func(name string) (string, error)
	// OpenFolder asks for a folder; "" means that the user changed their mind. Nil hides the button.
	OpenFolder func() (string, error)
	// Pictures is the folder that results are saved in; "" is files.Pictures.
	Pictures string
	// OpenSession and SaveSession ask for the file of an exported session, likewise. Nil hides Import and Export.
	OpenSession func() (string, error)
	SaveSession func(name string) (string, error)
	// Farm is the folder of this computer's farm, or of its way to one. "" hides the computers.
	Farm string
	// FarmListen is where a shared queue listens; "" is port 7422 of every address.
	FarmListen string
	// OpenKey asks for a file of credentials of a NATS server; "" means that the user changed their mind. Nil hides the button.
	OpenKey func() (string, error)
	// OpenHistory opens the history, or says why it cannot with an *history.Error. It is called once the window is on the
	// screen, and again when the user asks for it. Nil keeps nothing.
	OpenHistory func() (*history.Store, error)
	// Example is a finished session to look at, beside those of the user; the zero one: there is none.
	Example Example
	// SetAside moves a history that cannot be used away, so that OpenHistory begins a new one.
	SetAside func() error
	// Rescue is SetAside with a new history into which everything comes that can still be read of the damaged one. Nil hides the button.
	Rescue func() (history.Rescued, error)
	// Unrescued names a damaged history that was moved away for Rescue, before the program ended; "": there is none. Nil is allowed.
	Unrescued func() string
	// Reveal shows a folder in the system's file manager. Nil uses the app's OpenURL.
	Reveal func(folder string) error
	// Credits names the people whose work is in the program, as Markdown.
	Credits string
	// Logs is the folder of the log files; "" where there are none.
	Logs string
	// Wait sleeps on the window's goroutine until an event of the system comes, or Wake is called from any other, or the limit is
	// over; it tells whether something came. Both nil: the window never sleeps.
	Wait func(limit time.Duration) bool
	Wake func()
	// Report writes what a helper needs to know into a new file: no pictures, no prompts. Nil is allowed.
	Report func(path string) error
}

// Run shows the window and returns when it is closed and its last job has ended. When the context is cancelled, the window
// closes as if the user had closed it. It must be called from main's goroutine.
func Run(ctx context.Context, a fyne.App, o Options) {
	w := New(a, o)
	w.session.Watch()
	if socket := os.Getenv("REALWORD_PROBE"); socket != "" { // tests of the real window
		probe := probe{win: w.win, post: w.post, done: w.ctx.Done(), dropped: w.Dropped}
		if err := probe.listen(socket); err != nil {
			fyne.LogError("The probe cannot listen", err)
		}
	}
	defer context.AfterFunc(ctx, func() { w.post(w.Close) })()
	done := make(chan struct{})
	defer close(done)
	go w.keepKnown(done)
	if o.Wait != nil {
		go w.resting.run(done, w.mayRest)
	}
	stopped := takeStopped(a.Lifecycle())
	w.win.ShowAndRun()
	stopped()
	w.ended()
	if err := w.journal.Close(); err != nil { // first, so that a new start has it while a step of the model still goes on
		fyne.LogError("The history was not closed as it should be", err)
	}
	enough, closed := time.After(patience), make(chan struct{})
	go func() {
		defer close(closed)
		w.computers.Close()
		w.models.Close()
	}()
	w.models.WaitForDownloads(patience)
	select {
	case <-closed:
	case <-enough: // a step of a large model, or its opening, ends with the program
	}
}

// takeStopped takes what is to run when the toolkit has stopped, to be called then: Fyne would queue it for its own loop at the loop's end
// and wait for it. It is dropped there mostly, with the preferences of the last moment, and where it comes a moment later still, Fyne
// waits for ever: the window is gone, the program holds the history, and the next start finds it in use.
func takeStopped(l fyne.Lifecycle) func() {
	hooks, ok := l.(interface {
		OnStopped() func()
		SetOnStoppedHookExecuted(func()) // Fyne's own, which saves the preferences
	})
	if !ok {
		return func() {}
	}
	stopped := hooks.OnStopped()
	hooks.SetOnStoppedHookExecuted(nil)
	l.SetOnStopped(nil)
	if stopped == nil {
		return func() {}
	}
	return stopped
}

// savePNG asks where to save the named picture and writes there what data makes; nil where the program cannot ask.
func (o Options) savePNG() func(name string, data func() ([]byte, error)) (path string, err error) {
	if o.SaveFile == nil {
		return nil
	}
	return func(name string, data func() ([]byte, error)) (string, error) {
		path, err := o.SaveFile(name)
		if err != nil || path == "" {
			return "", err
		}
		made, err := data()
		if err != nil {
			return "", err
		}
		return path, files.Write(path, 0, made)
	}
}
