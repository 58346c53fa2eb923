package awake

import (
	"os"
	"strconv"
)

// Hold has the computer go to sleep only where the user wants it to, until end is called. macOS's own program for that asks for no reason;
// it ends with this process, too.
func Hold(string) (end func()) {
	return by("/usr/bin/caffeinate", "-i", "-w", strconv.Itoa(os.Getpid()))
}
