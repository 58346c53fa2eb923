package main

import (
	"context"
	"sync"

	"realword/app/x11"
	"realword/inference/picture"
	"realword/ui"
)

// xServer is the connection to the X server that the clipboard and drags go through; on Wayland, to the one that serves X programs there.
var xServer struct {
	sync.Mutex
	*x11.Server
}

// onDisplay does something with the connection, and once more with a new one where that was lost.
func onDisplay(do func(*x11.Server) error) error {
	for again := false; ; again = true {
		s, fresh, err := connected(again)
		if err != nil {
			return err
		}
		if err = do(s); err == nil || fresh || again {
			return err
		}
	}
}

// connected is the connection, a fresh one where there is none or another one is wanted.
func connected(another bool) (s *x11.Server, fresh bool, err error) {
	xServer.Lock()
	defer xServer.Unlock()
	if xServer.Server != nil && !another {
		return xServer.Server, false, nil
	}
	if s, err = x11.Open(); err == nil {
		if xServer.Server != nil {
			xServer.Close()
		}
		xServer.Server = s
	}
	return s, true, err
}

// readClipboard takes what is in the clipboard in the first of the forms that it has; "" for none.
func readClipboard(ctx context.Context, forms []string) (form string, data []byte, err error) {
	err = onDisplay(func(s *x11.Server) error {
		form, data, err = s.Paste(ctx, int(picture.DefaultLimits.Bytes), forms...)
		if ctx.Err() != nil {
			return nil // it is not for want of a connection
		}
		return err
	})
	if late := ctx.Err(); late != nil {
		err = late
	}
	return form, data, err
}

// writeClipboard puts one thing into the clipboard, in several forms.
func writeClipboard(forms map[string][]byte) error {
	return onDisplay(func(s *x11.Server) error { return s.Copy(forms) })
}

// dragging begins to drag a file over windows of other programs.
func dragging() func(path string) (ui.Carried, error) {
	return func(path string) (ui.Carried, error) {
		var d *x11.Drag
		err := onDisplay(func(s *x11.Server) (err error) {
			d, err = s.Begin(x11.Data{formFiles: uriList([]string{path})})
			return err
		})
		if err != nil {
			return nil, notDragged(err)
		}
		return d, nil
	}
}
