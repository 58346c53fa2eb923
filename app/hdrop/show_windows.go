package hdrop

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/windows"
)

// shellExecute is ShellExecuteW, which tests put something else in place of.
var shellExecute = windows.ShellExecute

// Show opens a folder in the Explorer, by its path: the shell does not decode an address, which has every letter beyond ASCII as %C3%B6.
// "explore" opens folders alone, and never a program that has the folder's name.
func Show(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if info, err := os.Stat(folder); err != nil { // the shell would ask the user about it
		return err
	} else if !info.IsDir() {
		return &os.PathError{Op: "open", Path: folder, Err: syscall.ENOTDIR}
	}
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // extensions of the shell are COM objects
	defer runtime.UnlockOSThread()
	if windows.CoInitializeEx(0, windows.COINIT_APARTMENTTHREADED|windows.COINIT_DISABLE_OLE1DDE) == nil {
		defer windows.CoUninitialize()
	}
	explore, _ := windows.UTF16PtrFromString("explore")
	return shellExecute(0, explore, path, nil, nil, windows.SW_SHOWNORMAL)
}
