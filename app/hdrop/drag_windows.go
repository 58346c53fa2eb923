package hdrop

import (
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	ole32 = windows.NewLazySystemDLL("ole32.dll")

	oleInitialize      = ole32.NewProc("OleInitialize")
	doDragDrop         = ole32.NewProc("DoDragDrop")
	createItem         = shell32.NewProc("SHCreateItemFromParsingName")
	getCapture         = user32.NewProc("GetCapture")
	setCapture         = user32.NewProc("SetCapture")
	getKeyState        = user32.NewProc("GetKeyState")
	getCursorPos       = user32.NewProc("GetCursorPos")
	screenToClient     = user32.NewProc("ScreenToClient")
	getClientRect      = user32.NewProc("GetClientRect")
	windowFromPoint    = user32.NewProc("WindowFromPoint")
	postMessage        = user32.NewProc("PostMessageW")
	getWindowProcessID = user32.NewProc("GetWindowThreadProcessId")
)

var (
	iidUnknown    = windows.GUID{Data4: [8]byte{0xC0, 7: 0x46}}
	iidDropSource = windows.GUID{Data1: 0x121, Data4: [8]byte{0xC0, 7: 0x46}}
	iidDataObject = windows.GUID{Data1: 0x10E, Data4: [8]byte{0xC0, 7: 0x46}}
	iidShellItem  = windows.GUID{
		Data1: 0x43826D1E, Data2: 0xE718, Data3: 0x42EE, Data4: [8]byte{0xBC, 0x55, 0xA1, 0xE2, 0x61, 0xC3, 0x7B, 0xFE},
	}
	asDataObject = windows.GUID{
		Data1: 0xB8C0BD9F, Data2: 0xED24, Data3: 0x455C, Data4: [8]byte{0x83, 0xE6, 0xD5, 0x39, 0x0C, 0x4F, 0xE8, 0xC4},
	}
)

const (
	ok           = 0
	noInterface  = 0x80004002
	dropped      = 0x40100
	cancelled    = 0x40101
	usualCursors = 0x40102
	copyOnly     = 1    // DROPEFFECT_COPY
	anyButton    = 0x13 // of a key state: left, right, middle
	mouseMove    = 0x200
)

// buttons are those that a drag may begin with, and the messages of their end.
var buttons = []button{{1, 0x202}, {4, 0x208}}

type button struct{ key, up uintptr }

// object is a COM object of another's.
type object struct{ methods *[16]uintptr }

//go:uintptrescapes
func (o *object) call(method int, args ...uintptr) uintptr {
	r, _, _ := syscall.SyscallN(o.methods[method], append([]uintptr{uintptr(unsafe.Pointer(o))}, args...)...)
	return r
}

func (o *object) release() { o.call(2) }

// failed is the error of an HRESULT.
func failed(hr uintptr) error {
	if int32(hr) >= 0 {
		return nil
	}
	return syscall.Errno(uint32(hr))
}

// fileObject is a file as the Explorer itself drags it.
func fileObject(path string) (data *object, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	var item *object
	hr, _, _ := createItem.Call(uintptr(unsafe.Pointer(name)), 0, uintptr(unsafe.Pointer(&iidShellItem)), uintptr(unsafe.Pointer(&item)))
	if err := failed(hr); err != nil {
		return nil, err
	}
	defer item.release()
	const bindToHandler = 3
	hr = item.call(bindToHandler, 0, uintptr(unsafe.Pointer(&asDataObject)), uintptr(unsafe.Pointer(&iidDataObject)),
		uintptr(unsafe.Pointer(&data)))
	return data, failed(hr)
}

// source is what Windows asks while something is dragged (IDropSource). It lives as long as the program, so nobody counts who has it.
type source struct {
	methods *[5]uintptr
	window  uintptr // that it is dragged out of
	back    bool    // the pointer is in it again
}

// ours is the only one: there is one pointer.
var ours source

var ready = sync.OnceValue(func() error {
	ours.methods = &[5]uintptr{
		syscall.NewCallback(func(s *source, iid *windows.GUID, out **source) uintptr {
			if *out = nil; *iid != iidUnknown && *iid != iidDropSource {
				return noInterface
			}
			*out = s
			return ok
		}),
		syscall.NewCallback(func(*source) uintptr { return 2 }),
		syscall.NewCallback(func(*source) uintptr { return 1 }),
		syscall.NewCallback(func(s *source, escape int32, keys uint32) uintptr { return s.goesOn(escape != 0, keys&anyButton != 0) }),
		syscall.NewCallback(func(*source, uintptr) uintptr { return usualCursors }),
	}
	hr, _, _ := oleInitialize.Call(0)
	return failed(hr)
})

// goesOn says whether it is dragged on, let go or given up. Back in its own window it is no longer Windows that drags it, and no window of
// this program takes it.
func (s *source) goesOn(escape, held bool) uintptr {
	at := pointer()
	_, s.back = within(s.window, at)
	switch {
	case escape || s.back || !held && isOurs(at):
		return cancelled
	case !held:
		return dropped
	}
	return ok
}

type point struct{ x, y int32 }

func pointer() (at point) {
	getCursorPos.Call(uintptr(unsafe.Pointer(&at)))
	return at
}

// within is where a place of the screen is in a window, and whether it is in what the window draws itself.
func within(window uintptr, at point) (point, bool) {
	var room struct{ left, top, right, bottom int32 }
	screenToClient.Call(window, uintptr(unsafe.Pointer(&at)))
	getClientRect.Call(window, uintptr(unsafe.Pointer(&room)))
	return at, at.x >= 0 && at.y >= 0 && at.x < room.right && at.y < room.bottom
}

// isOurs tells whether the window at a place of the screen is one of this program.
func isOurs(at point) bool {
	window, _, _ := windowFromPoint.Call(uintptr(uint32(at.x)) | uintptr(uint32(at.y))<<32)
	var process uint32
	getWindowProcessID.Call(window, uintptr(unsafe.Pointer(&process)))
	return process == windows.GetCurrentProcessId()
}

func isPressed(key uintptr) bool {
	state, _, _ := getKeyState.Call(key)
	return int16(state) < 0
}

// Drag is a file that is dragged out of a window, while a button is held. It belongs to the window's goroutine, which has to stay on one
// thread.
type Drag struct {
	data  *object // nil: it has ended
	taken bool
}

// Begin begins to drag a file.
func Begin(path string) (*Drag, error) {
	if err := ready(); err != nil {
		return nil, err
	}
	data, err := fileObject(path)
	if err != nil {
		return nil, err
	}
	return &Drag{data: data}, nil
}

// Move follows the pointer. Beyond the window that has it, which is the one where the button was pressed, Windows takes it over:
// Move returns when the file has been let go, or the pointer is in the window again, and meanwhile the window draws nothing. The window,
// which has seen neither the pointer nor the end of the button, is told then.
func (d *Drag) Move() {
	window, _, _ := getCapture.Call()
	if _, in := within(window, pointer()); in || window == 0 || d.data == nil {
		return
	}
	held := slices.Clone(buttons)
	held = slices.DeleteFunc(held, func(b button) bool { return !isPressed(b.key) })
	if len(held) == 0 { // it was let go before the window has looked
		return
	}
	ours.window = window
	var effect uint32
	hr, _, _ := doDragDrop.Call(uintptr(unsafe.Pointer(d.data)), uintptr(unsafe.Pointer(&ours)), copyOnly, uintptr(unsafe.Pointer(&effect)))
	d.taken = uint32(hr) == dropped && effect == copyOnly
	at, _ := within(window, pointer())
	place := uintptr(uint16(at.x)) | uintptr(uint16(at.y))<<16
	postMessage.Call(window, mouseMove, 0, place)
	back := false
	for _, b := range held {
		if uint32(hr) == cancelled && ours.back && isPressed(b.key) {
			back = true
			setCapture.Call(window)
		} else {
			postMessage.Call(window, b.up, 0, place)
		}
	}
	if !back {
		d.end()
	}
}

// Drop lets go where the pointer is. The answer comes once: whether another program has taken the file.
func (d *Drag) Drop() <-chan bool {
	d.end()
	done := make(chan bool, 1)
	done <- d.taken
	return done
}

// Cancel gives up.
func (d *Drag) Cancel() { d.end() }

func (d *Drag) end() {
	if d.data != nil {
		d.data.release()
		d.data = nil
	}
}
