package farm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// On a Mac, no way to a computer in the local network may be a matter of the privacy settings, and the sentence names them.
func TestAFarmThatMacOSKeepsUsFrom(t *testing.T) {
	a := Access{servers: []string{"tls://192.168.1.7:4222"}}
	noWay := func(ip string, cause error) error {
		return fmt.Errorf("no server: %w", &net.OpError{
			Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 4222},
			Err: os.NewSyscallError("connect", cause),
		})
	}
	unnamed := func(name string) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
	}
	for _, c := range []struct {
		system string
		err    error
		want   bool
	}{
		{"darwin", noWay("192.168.1.7", syscall.EHOSTUNREACH), true},
		{"darwin", noWay("10.0.0.2", syscall.EHOSTUNREACH), true},
		{"darwin", noWay("fe80::1", syscall.EHOSTUNREACH), true},
		{"darwin", unnamed("studio.local"), true},
		{"darwin", unnamed("studio.local."), true},
		{"darwin", unnamed("studio.example.org"), false},
		{"darwin", noWay("203.0.113.4", syscall.EHOSTUNREACH), false},
		{"darwin", noWay("192.168.1.7", syscall.ECONNREFUSED), false},
		{"darwin", errors.New("no servers"), false},
		{"darwin", nil, false},
		{"linux", noWay("192.168.1.7", syscall.EHOSTUNREACH), false},
	} {
		if got := barred(c.system, c.err); got != c.want {
			t.Errorf("%v on %s: %v", c.err, c.system, got)
		}
		if c.err == nil {
			continue
		}
		err := a.awayOn(c.system, c.err)
		if strings.Contains(err.Error(), "Local Network") != c.want || !strings.Contains(err.Error(), "192.168.1.7") || !errors.Is(err, c.err) {
			t.Errorf("%v on %s is said so: %v", c.err, c.system, err)
		}
	}
}
