package files

import (
	"errors"
	"runtime"
	"syscall"

	"realword/inference/message"
)

var barred = message.Errorf("macOS keeps Realword out of this place: allow it, or the terminal that it was started in, in System Settings > Privacy & Security > Files and Folders")

// Barred is what to say where macOS itself keeps the program out of a folder, whatever its permissions are: the user has once declined to
// let it in. nil is any other error.
func Barred(err error) error { return barredOn(runtime.GOOS, err) }

// barredOn goes by Apple's word that what permissions forbid is EACCES, and what anything else of the system forbids EPERM.
func barredOn(system string, err error) error {
	if system == "darwin" && errors.Is(err, syscall.EPERM) {
		return barred
	}
	return nil
}
