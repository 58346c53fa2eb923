package hdrop

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
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

	openClipboard           = user32.NewProc("OpenClipboard")
	closeClipboard          = user32.NewProc("CloseClipboard")
	emptyClipboard          = user32.NewProc("EmptyClipboard")
	getClipboardData        = user32.NewProc("GetClipboardData")
	setClipboardData        = user32.NewProc("SetClipboardData")
	enumClipboardFormats    = user32.NewProc("EnumClipboardFormats")
	registerClipboardFormat = user32.NewProc("RegisterClipboardFormatW")
	globalSize              = kernel32.NewProc("GlobalSize")
	globalAlloc             = kernel32.NewProc("GlobalAlloc")
	globalFree              = kernel32.NewProc("GlobalFree")
	globalLock              = kernel32.NewProc("GlobalLock")
	globalUnlock            = kernel32.NewProc("GlobalUnlock")
	dragQueryFile           = shell32.NewProc("DragQueryFileW")
)

const (
	format            = 15 // CF_HDROP
	deviceIndependent = 8  // CF_DIB
	withTransparency  = 17 // CF_DIBV5
	moveable          = 2  // GMEM_MOVEABLE
	head              = 20 // bytes of DROPFILES
)

// patience is how long another program may have the clipboard open.
const patience = 2 * time.Second

// opened does something with the clipboard open, which belongs to a thread.
func opened(ctx context.Context, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, _, err := openClipboard.Call(0)
		if ok != 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another program has the clipboard open: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	defer closeClipboard.Call()
	return do()
}

// Content is what is in the clipboard: files, or a picture as a PNG or BMP file.
type Content struct {
	Files   []string
	Picture []byte
}

// Paste is what of files and pictures is in the clipboard; nothing is no error.
func Paste(ctx context.Context) (c Content, err error) {
	err = opened(ctx, func() error {
		if list, _, _ := getClipboardData.Call(format); list != 0 {
			if c.Files = listed(list); len(c.Files) > 0 {
				return nil
			}
		}
		c.Picture = pictureOf(contents(portable()))
		for form := uintptr(0); c.Picture == nil; { // in the order of who put them there; what Windows makes of them comes behind
			if form, _, _ = enumClipboardFormats.Call(form); form == 0 {
				break
			}
			if form == deviceIndependent || form == withTransparency {
				c.Picture = fileOf(contents(form))
			}
		}
		return nil
	})
	return c, err
}

// portable is the form ("PNG") that browsers and programs for pictures have beside others.
func portable() uintptr {
	name, _ := windows.UTF16PtrFromString("PNG")
	form, _, _ := registerClipboardFormat.Call(uintptr(unsafe.Pointer(name)))
	return form
}

// contents is a copy of what is in the clipboard in a form.
func contents(form uintptr) []byte {
	block, _, _ := getClipboardData.Call(form)
	if block == 0 {
		return nil
	}
	size, _, _ := globalSize.Call(block)
	at, _, _ := globalLock.Call(block)
	if at == 0 {
		return nil
	}
	defer globalUnlock.Call(block)
	return bytes.Clone(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), size))
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
	return put(shape{format, data})
}

// CopyPicture puts a picture into the clipboard, of which file is the PNG file.
func CopyPicture(file []byte, img *image.NRGBA) error {
	return put(shape{portable(), file}, shape{withTransparency, bitmapOf(img)})
}

// shape is what is put into the clipboard in one form.
type shape struct {
	kind uintptr
	data []byte
}

// put has the clipboard hold one thing in several forms, the best first.
func put(forms ...shape) error {
	return opened(context.Background(), func() error {
		if ok, _, err := emptyClipboard.Call(); ok == 0 {
			return err
		}
		for _, f := range forms {
			block, err := blockOf(f.data)
			if err != nil {
				return err
			}
			if ok, _, err := setClipboardData.Call(f.kind, block); ok == 0 {
				globalFree.Call(block)
				return fmt.Errorf("the clipboard does not take it: %w", err)
			} // the block is the clipboard's now
		}
		return nil
	})
}

// blockOf is data as the clipboard takes it.
func blockOf(data []byte) (uintptr, error) {
	block, _, err := globalAlloc.Call(moveable, uintptr(len(data)))
	if block == 0 {
		return 0, err
	}
	at, _, err := globalLock.Call(block)
	if at == 0 {
		globalFree.Call(block)
		return 0, err
	}
	copy(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), len(data)), data)
	globalUnlock.Call(block)
	return block, nil
}
