package awake

import (
	"os"
	"syscall"

	"github.com/godbus/dbus/v5"
)

// Hold has the computer go to sleep only where the user wants it to, until end is called. Desktops show why, and by whom. A bus that does
// not answer keeps nobody waiting.
func Hold(why string) (end func()) {
	session, system := os.Getenv("DBUS_SESSION_BUS_ADDRESS"), os.Getenv("DBUS_SYSTEM_BUS_ADDRESS")
	if system == "" {
		system = "unix:path=/var/run/dbus/system_bus_socket"
	}
	held := make(chan func(), 1)
	go func() { held <- ask(session, system, "Realword", why) }()
	return func() {
		go func() { (<-held)() }()
	}
}

// ask answers how to end it. Desktops of GNOME's kind go by the list of their session, others by logind's.
func ask(session, system, who, why string) (end func()) {
	if bus, err := dial(session); err == nil {
		const suspend = uint32(4)
		err := bus.Object("org.gnome.SessionManager", "/org/gnome/SessionManager").Call("org.gnome.SessionManager.Inhibit",
			dbus.FlagNoAutoStart, who, uint32(0), why, suspend).Err
		if err == nil {
			return func() { bus.Close() } // the session forgets the wish of who is gone
		}
		bus.Close()
	}
	bus, err := dial(system)
	if err != nil {
		return func() {}
	}
	defer bus.Close()
	// logind heeds it until it is closed. The lock "sleep" would refuse it to the user, too.
	var wish dbus.UnixFD
	if err := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1").Call("org.freedesktop.login1.Manager.Inhibit",
		dbus.FlagNoAutoStart, "idle", who, why, "block").Store(&wish); err != nil {
		return func() {}
	}
	return func() { syscall.Close(int(wish)) }
}

// dial is a connection of our own. No bus is begun where there is none.
func dial(address string) (*dbus.Conn, error) {
	if address == "" {
		return nil, os.ErrNotExist
	}
	return dbus.Connect(address)
}
