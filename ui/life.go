package ui

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// life is how long a window lasts: what is under way keeps a closing one open. All of it but post belongs to Fyne's goroutine.
type life struct {
	post     func(func())
	ctx      context.Context
	quit     context.CancelFunc
	tasks    int               // background work under way
	busy     func() bool       // something else is
	question fyne.CanvasObject // whether to close, as it was asked last
	doubt    *widget.Label     // what it says
	closing  bool              // the user has closed the window; it goes when nothing is under way
	closed   atomic.Bool       // nothing is shown any more
	gone     func()            // closes what is on the screen

	dog     *watchdog // of the audit build: how long each call holds Fyne's goroutine
	resting *resting  // what sends an idle window to sleep; nil in tests
}

// while is post for as long as the window lasts: Fyne runs what comes later on the caller's goroutine.
func (l *life) while(post func(func())) func(func()) {
	return func(f func()) {
		post(func() {
			if !l.closed.Load() {
				l.dog.call(f)
			}
		})
	}
}

// background runs slow on its own goroutine and then, on the window's, what it answers. A closing window waits for it.
func (l *life) background(slow func() (show func())) {
	l.tasks++
	go func() {
		show := slow()
		l.post(func() {
			l.tasks--
			if show != nil {
				show()
			}
			l.leave()
		})
	}()
}

// leave shuts a closing window when nothing is under way any more.
func (l *life) leave() {
	if l.closing && l.tasks == 0 && !l.busy() {
		l.shut()
	}
}

func (l *life) shut() {
	if l.closed.Swap(true) {
		return
	}
	defer func() {
		if r := recover(); r != nil && !strings.HasPrefix(fmt.Sprint(r), "NotInitialized") { // the toolkit has ended meanwhile
			panic(r)
		}
	}()
	l.gone()
}

// over ends a window whose toolkit has ended before it, as at a signal: there is nothing on the screen to close any more, and what comes
// later comes on the goroutines of the callers.
func (l *life) over() {
	l.closed.Store(true)
	l.quit()
}
