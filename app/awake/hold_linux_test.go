package awake

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/inference/wait"

	"github.com/godbus/dbus/v5"
)

// bus is a D-Bus with one service on it, which answers a call with values or, where it has none, as if there were no such service. gone
// says of connections that they are closed.
func bus(t *testing.T, answer func(call *dbus.Message) []any) (address string, gone chan bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	gone = make(chan bool, 8)
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				defer func() { c.Close(); gone <- true }()
				serve(c, answer)
			}()
		}
	}()
	return "unix:path=" + path, gone
}

func serve(c *net.UnixConn, answer func(call *dbus.Message) []any) {
	r := bufio.NewReader(c)
	for began := false; !began; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.Trim(line, "\x00\r\n"); {
		case line == "AUTH":
			fmt.Fprint(c, "REJECTED EXTERNAL\r\n")
		case strings.HasPrefix(line, "AUTH EXTERNAL"):
			fmt.Fprint(c, "OK 0123456789abcdef0123456789abcdef\r\n")
		case line == "NEGOTIATE_UNIX_FD":
			fmt.Fprint(c, "AGREE_UNIX_FD\r\n")
		case line == "BEGIN":
			began = true
		}
	}
	for serial := uint32(1); ; serial++ {
		call, err := dbus.DecodeMessage(r)
		if err != nil {
			return
		}
		reply := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()), dbus.FieldSender: dbus.MakeVariant("org.freedesktop.DBus"),
		}}
		if call.Headers[dbus.FieldMember].Value() == "Hello" {
			reply.Body = []any{":1.7"}
		} else {
			reply.Body = answer(call)
		}
		if reply.Body == nil {
			reply.Type = dbus.TypeError
			reply.Headers[dbus.FieldErrorName] = dbus.MakeVariant("org.freedesktop.DBus.Error.ServiceUnknown")
			reply.Body = []any{"there is no such service"}
		}
		reply.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(reply.Body...))
		send(c, reply, serial)
	}
}

// send writes a message with the files that it has.
func send(c *net.UnixConn, m *dbus.Message, serial uint32) {
	for _, v := range m.Body {
		if _, is := v.(dbus.UnixFD); is {
			m.Headers[dbus.FieldUnixFDs] = dbus.MakeVariant(uint32(1))
		}
	}
	var b strings.Builder
	fds, err := m.EncodeToWithFDs(&b, binary.LittleEndian)
	if err != nil {
		panic(err)
	}
	raw := []byte(b.String())
	binary.LittleEndian.PutUint32(raw[8:], serial)
	if _, _, err := c.WriteMsgUnix(raw, syscall.UnixRights(fds...), nil); err != nil {
		return
	}
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

// said is a call in words.
func said(call *dbus.Message) string {
	return fmt.Sprint(call.Headers[dbus.FieldDestination].Value(), " ", call.Headers[dbus.FieldPath].Value(), " ",
		call.Headers[dbus.FieldInterface].Value(), ".", call.Headers[dbus.FieldMember].Value(), " ", call.Body)
}

// Where the desktop has no list of its own, logind has a wish that holds for as long as we have its file.
func TestLogindIsAskedUntilTheEnd(t *testing.T) {
	calls := make(chan string, 8)
	theirs := make(chan *os.File, 1)
	system, _ := bus(t, func(call *dbus.Message) []any {
		calls <- said(call)
		r, w, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		theirs <- r
		fd, err := syscall.Dup(int(w.Fd()))
		if err != nil {
			panic(err)
		}
		w.Close()
		return []any{dbus.UnixFD(fd)}
	})
	session, _ := bus(t, func(*dbus.Message) []any { return nil })
	for _, desktop := range []string{"", session, "unix:path=" + filepath.Join(t.TempDir(), "nobody")} {
		t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", system)
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", desktop)
		end := Hold("Bilder entstehen")
		const want = "org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager.Inhibit [idle Realword Bilder entstehen block]"
		if call := wait.For(t, "logind's call", calls); call != want {
			t.Fatalf("logind hears %s, want %s", call, want)
		}
		r := wait.For(t, "the file", theirs)
		end()
		_ = r.SetReadDeadline(time.Now().Add(wait.Longest))
		if _, err := io.ReadAll(r); err != nil { // up to its end, which comes when nobody has the other side open
			t.Error(err)
		}
		r.Close()
	}
}

// A session that has a list of who wants to stay awake is asked alone: it asks logind itself.
func TestTheSessionIsAskedUntilTheEnd(t *testing.T) {
	calls := make(chan string, 8)
	session, gone := bus(t, func(call *dbus.Message) []any {
		calls <- said(call)
		return []any{uint32(12)}
	})
	system, _ := bus(t, func(call *dbus.Message) []any {
		t.Error("logind is asked, too: ", said(call))
		return nil
	})
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", system)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", session)
	end := Hold("Bilder entstehen")
	const want = "org.gnome.SessionManager /org/gnome/SessionManager org.gnome.SessionManager.Inhibit [Realword 0 Bilder entstehen 4]"
	if call := wait.For(t, "the session's call", calls); call != want {
		t.Fatalf("the session hears %s, want %s", call, want)
	}
	select {
	case <-gone:
		t.Error("the wish is gone before its end")
	default:
	}
	end()
	wait.For(t, "the end of the connection", gone)
}

// Where nobody is there to be asked, or who is there refuses it, nothing happens.
func TestNobodyToAsk(t *testing.T) {
	asked := make(chan bool, 1)
	refuses, gone := bus(t, func(*dbus.Message) []any { asked <- true; return nil })
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", refuses)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	end := Hold("")
	wait.For(t, "the question", asked)
	wait.For(t, "the end of the connection", gone)
	end()
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "nobody"))
	Hold("")()
}
