package hdrop

import (
	"encoding/binary"
	"errors"
	"runtime"
	"time"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32   = windows.NewLazySystemDLL("user32.dll")
	kernel32 = windows.NewLazySystemDLL("kernel32.dll")
	shell32  = windows.NewLazySystemDLL("shell32.dll")

	openClipboard    = user32.NewProc("OpenClipboard")
	closeClipboard   = user32.NewProc("CloseClipboard")
	emptyClipboard   = user32.NewProc("EmptyClipboard")
	getClipboardData = user32.NewProc("GetClipboardData")
	setClipboardData = user32.NewProc("SetClipboardData")
	globalAlloc      = kernel32.NewProc("GlobalAlloc")
	globalFree       = kernel32.NewProc("GlobalFree")
	globalLock       = kernel32.NewProc("GlobalLock")
	globalUnlock     = kernel32.NewProc("GlobalUnlock")
	dragQueryFile    = shell32.NewProc("DragQueryFileW")
)

const (
	format   = 15 // CF_HDROP
	moveable = 2  // GMEM_MOVEABLE
	head     = 20 // bytes of DROPFILES
)

// opened does something with the clipboard open, which belongs to a thread.
func opened(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for try := 0; ; try++ {
		if ok, _, err := openClipboard.Call(0); ok != 0 {
			break
		} else if try == 20 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	defer closeClipboard.Call()
	return do()
}

// Paste is the files in the clipboard; none is no error.
func Paste() (paths []string, err error) {
	err = opened(func() error {
		list, _, _ := getClipboardData.Call(format)
		if list != 0 {
			paths = listed(list)
		}
		return nil
	})
	return paths, err
}

// listed are the files of a list.
func listed(list uintptr) (paths []string) {
	n, _, _ := dragQueryFile.Call(list, 0xFFFFFFFF, 0, 0)
	for i := range n {
		size, _, _ := dragQueryFile.Call(list, i, 0, 0)
		path := make([]uint16, size+1)
		dragQueryFile.Call(list, i, uintptr(unsafe.Pointer(&path[0])), size+1)
		paths = append(paths, windows.UTF16ToString(path))
	}
	return paths
}

// Copy puts files into the clipboard.
func Copy(paths []string) error {
	data := make([]byte, head)
	binary.LittleEndian.PutUint32(data, head)
	binary.LittleEndian.PutUint32(data[16:], 1) // the names are UTF-16
	for _, path := range paths {
		for _, c := range append(utf16.Encode([]rune(path)), 0) {
			data = binary.LittleEndian.AppendUint16(data, c)
		}
	}
	data = append(data, 0, 0)
	block, _, err := globalAlloc.Call(moveable, uintptr(len(data)))
	if block == 0 {
		return err
	}
	at, _, err := globalLock.Call(block)
	if at == 0 {
		globalFree.Call(block)
		return err
	}
	copy(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), len(data)), data)
	globalUnlock.Call(block)
	err = opened(func() error {
		if ok, _, err := emptyClipboard.Call(); ok == 0 {
			return err
		}
		if ok, _, _ := setClipboardData.Call(format, block); ok == 0 {
			return errors.New("the clipboard takes no files")
		}
		return nil // the block is the clipboard's now
	})
	if err != nil {
		globalFree.Call(block)
	}
	return err
}
