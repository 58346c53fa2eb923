package x11

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"realword/inference/wait"
)

// screen starts an X server without a screen for a test, and says DISPLAY.
func screen(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		t.Skip("there is no Xvfb")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset")
	c.ExtraFiles = []*os.File{w}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	number := make([]byte, 16)
	n, err := r.Read(number)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(string(number[:n])))
	t.Setenv("XAUTHORITY", os.DevNull)
}

func open(t *testing.T) *Server {
	t.Helper()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// What one program copies another pastes, small and in pieces, in the form that it likes best.
func TestClipboard(t *testing.T) {
	screen(t)
	a, b := open(t), open(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MB
	paste := func(s *Server, most int, forms ...string) (string, []byte, error) {
		ctx, cancel := context.WithTimeout(t.Context(), wait.Longest)
		defer cancel()
		return s.Paste(ctx, most, forms...)
	}
	if form, data, err := paste(b, 1<<22, "image/png"); form != "" || data != nil || err != nil {
		t.Errorf("an empty clipboard gives %q, %d bytes, %v", form, len(data), err)
	}
	if err := a.Copy(Data{"image/png": large, "text/uri-list": []byte("file:///a.png\r\n")}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Server{b, a} { // also what is one's own
		for want, forms := range map[string][]string{
			"image/png":     {"image/jpeg", "image/png", "text/uri-list"},
			"text/uri-list": {"text/uri-list", "image/png"},
			"":              {"image/jpeg"},
		} {
			form, data, err := paste(s, 1<<22, forms...)
			if form != want || err != nil || want == "image/png" && !bytes.Equal(data, large) || want == "text/uri-list" && string(data) != "file:///a.png\r\n" {
				t.Errorf("%v gives %q, %d bytes, %v", forms, form, len(data), err)
			}
		}
	}
	if _, _, err := paste(b, 1<<20, "image/png"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than may be taken: %v", err)
	}
	if err := b.Copy(Data{"image/png": []byte("b")}); err != nil {
		t.Fatal(err)
	}
	if _, data, err := paste(a, 1<<20, "image/png"); string(data) != "b" || err != nil {
		t.Errorf("what another has copied after it: %q, %v", data, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b.mu.Lock() // and answers nothing
	if _, _, err := a.Paste(ctx, 1<<20, "image/png"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of a program that does not answer: %v", err)
	}
	b.mu.Unlock()
}

// xclip is another program than this.
func TestClipboardOfOtherPrograms(t *testing.T) {
	if _, err := exec.LookPath("xclip"); err != nil {
		t.Skip("there is no xclip")
	}
	screen(t)
	s := open(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := s.Copy(Data{"image/png": large}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("xclip", "-selection", "clipboard", "-target", "image/png", "-out").Output()
	if err != nil || !bytes.Equal(out, large) {
		t.Errorf("xclip takes %d bytes, %v", len(out), err)
	}
	c := exec.Command("xclip", "-selection", "clipboard", "-target", "image/jpeg", "-in")
	c.Stdin = bytes.NewReader(large)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	var data []byte
	wait.Until(t, "xclip has the clipboard", func() bool { // it returns before its child has
		var form string
		form, data, err = s.Paste(t.Context(), 1<<22, "image/png", "image/jpeg")
		return form == "image/jpeg"
	})
	if !bytes.Equal(data, large) || err != nil {
		t.Errorf("of xclip come %d bytes, %v", len(data), err)
	}
}

// target is a window of another program that takes files, or does not.
type target struct {
	*Server
	window xproto.Window
	takes  bool

	mu  sync.Mutex
	log []string
	got []byte
}

func newTarget(t *testing.T, x int16, takes bool) *target {
	t.Helper()
	conn, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	root := xproto.Setup(conn).DefaultScreen(conn).Root
	s := &Server{
		conn: conn, root: root, piece: 1 << 18, told: make(chan xgb.Event, 64), atoms: map[string]xproto.Atom{}, names: map[xproto.Atom]string{},
		offers: map[xproto.Atom]Data{}, parts: map[part]*rest{},
	}
	w, _ := xproto.NewWindowId(conn)
	s.win = w
	err = xproto.CreateWindowChecked(conn, 0, w, root, x, 0, 100, 100, 0, xproto.WindowClassInputOutput, 0,
		xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, xproto.EventMaskPropertyChange}).Check()
	if err == nil {
		err = xproto.MapWindowChecked(conn, w).Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	aware := make([]byte, 4)
	xgb.Put32(aware, 5)
	xproto.ChangeProperty(conn, xproto.PropModeReplace, w, s.atom("XdndAware"), xproto.AtomAtom, 32, 1, aware)
	v := &target{Server: s, window: w, takes: takes}
	t.Cleanup(conn.Close)
	go v.live()
	return v
}

// live does what a file manager does.
func (v *target) live() {
	for {
		event, err := v.conn.WaitForEvent()
		if event == nil && err == nil {
			return
		}
		switch e := event.(type) {
		case xproto.SelectionNotifyEvent, xproto.PropertyNotifyEvent:
			v.told <- e
		case xproto.ClientMessageEvent:
			words := e.Data.Data32
			name := strings.TrimPrefix(v.name(e.Type), "Xdnd")
			v.mu.Lock()
			if n := len(v.log); n == 0 || v.log[n-1] != name {
				v.log = append(v.log, name)
			}
			v.mu.Unlock()
			answer := func(message string, flags uint32) {
				back := xproto.ClientMessageEvent{
					Format: 32, Window: xproto.Window(words[0]), Type: v.atom(message),
					Data: xproto.ClientMessageDataUnionData32New([]uint32{uint32(v.window), flags, 0, 0, uint32(v.atom("XdndActionCopy"))}),
				}
				xproto.SendEvent(v.conn, false, back.Window, 0, string(back.Bytes()))
			}
			flags := uint32(0)
			if v.takes {
				flags = 1
			}
			switch name {
			case "Position":
				answer("XdndStatus", flags)
			case "Drop":
				go func() {
					ctx, cancel := context.WithTimeout(context.Background(), wait.Longest)
					defer cancel()
					data, _ := v.convert(ctx, v.atom("XdndSelection"), v.atom("text/uri-list"), 1<<20)
					v.mu.Lock()
					v.got = data
					v.mu.Unlock()
					answer("XdndFinished", 1)
				}()
			}
		}
	}
}

func (v *target) said() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return fmt.Sprint(strings.Join(v.log, " "), " ", string(v.got))
}

// A file is dragged over windows of other programs and let go: only one that takes it is given it.
func TestDrag(t *testing.T) {
	was := answerPatience
	answerPatience = wait.Longest
	t.Cleanup(func() { answerPatience = was })
	screen(t)
	s := open(t)
	yes, no := newTarget(t, 0, true), newTarget(t, 200, false)
	point := func(x int16) { xproto.WarpPointerChecked(s.conn, 0, s.root, 0, 0, 0, 0, x, 50).Check() }
	until := func(v *target, want string) {
		t.Helper()
		wait.Until(t, want, func() bool { return strings.HasPrefix(v.said(), want) })
	}
	file := Data{"text/uri-list": []byte("file:///a.png\r\n")}
	for name, c := range map[string]struct {
		path      []int16
		give      bool // up
		taken     bool
		yes, none string
	}{
		"on a window that takes it":    {[]int16{400, 250, 50}, false, true, "Enter Position Drop file:///a.png\r\n", "Enter Position Leave "},
		"on one that does not":         {[]int16{250}, false, false, " ", "Enter Position Leave "},
		"on nothing":                   {[]int16{50, 400}, false, false, "Enter Position Leave ", " "},
		"given up over one that would": {[]int16{50}, true, false, "Enter Position Leave ", " "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []*target{yes, no} {
				v.mu.Lock()
				v.log, v.got = nil, nil
				v.mu.Unlock()
			}
			d, err := s.Begin(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range c.path {
				point(x)
				d.Move()
				switch {
				case x < 100:
					until(yes, "Enter Position")
				case x >= 200 && x < 300:
					until(no, "Enter Position")
				}
			}
			if c.give {
				d.Cancel()
				<-d.done
			} else if taken := <-d.Drop(); taken != c.taken {
				t.Errorf("taken: %v", taken)
			}
			until(yes, c.yes)
			until(no, c.none)
		})
	}
}

// Without a server there is an error, no picture and no panic.
func TestWithoutAServer(t *testing.T) {
	t.Setenv("DISPLAY", ":4711")
	if _, err := Open(); err == nil {
		t.Error("there is a server")
	}
	if !slices.Contains(os.Environ(), "DISPLAY=:4711") {
		t.Error("the test asks another one")
	}
}
