package hdrop

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// form is a FORMATETC, and medium a STGMEDIUM.
type form struct {
	kind   uint16
	device uintptr
	aspect uint32
	index  int32
	medium uint32
}
type medium struct {
	kind  uint32
	block uintptr
	owner uintptr
}

// What is dragged is the file, for programs that ask for files, whatever letters its name has.
func TestWhatIsDragged(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dir, err := os.MkdirTemp("", "") // Wine 8 cannot remove t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	for _, name := range []string{"a.png", "Füchse im Schnee, 100 %.png", "狐.png"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(path) })
		d, err := Begin(path)
		if err != nil {
			t.Fatal(err)
		}
		want := form{kind: format, aspect: 1, index: -1, medium: 1}
		const getData, queryGetData = 3, 5
		if hr := d.data.call(queryGetData, uintptr(unsafe.Pointer(&want))); failed(hr) != nil {
			t.Error(failed(hr))
		}
		var got medium
		if hr := d.data.call(getData, uintptr(unsafe.Pointer(&want)), uintptr(unsafe.Pointer(&got))); failed(hr) != nil {
			t.Fatal(failed(hr))
		}
		if files := listed(got.block); !slices.Equal(files, []string{path}) {
			t.Errorf("%q is dragged, want %q", files, path)
		}
		if <-d.Drop() {
			t.Error("what was never over a window is taken")
		}
		d.Move() // after its end
		d.Cancel()
	}
	if _, err := Begin(filepath.Join(dir, "gone.png")); err == nil {
		t.Error("a file that is not there is dragged")
	}
}

// Windows learns what becomes of a drag: it goes on, ends by Esc, and ends where the button is let go.
func TestHowADragEnds(t *testing.T) {
	if err := ready(); err != nil {
		t.Fatal(err)
	}
	s := source{window: 0} // no window: the pointer is beyond it
	for _, c := range []struct {
		escape, held bool
		want         uintptr
	}{{false, true, ok}, {true, true, cancelled}, {true, false, cancelled}, {false, false, dropped}} {
		if got := s.goesOn(c.escape, c.held); got != c.want {
			t.Errorf("Esc %v, held %v: %#x, want %#x", c.escape, c.held, got, c.want)
		}
	}
	var as *source
	ask := func(iid windows.GUID) uintptr {
		return (*object)(unsafe.Pointer(&ours)).call(0, uintptr(unsafe.Pointer(&iid)), uintptr(unsafe.Pointer(&as)))
	}
	for _, iid := range []windows.GUID{iidUnknown, iidDropSource} {
		if hr := ask(iid); hr != ok || as != &ours {
			t.Errorf("asked for %v: %#x, %p", iid, hr, as)
		}
	}
	if hr := ask(iidDataObject); uint32(hr) != noInterface || as != nil {
		t.Errorf("asked for what it is not: %#x, %p", hr, as)
	}
}
