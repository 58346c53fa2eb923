package hdrop

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"runtime"
	"slices"
	"testing"
)

func TestFilesGoThroughTheClipboard(t *testing.T) {
	for _, want := range [][]string{{`C:\a.png`}, {`C:\Bilder\Füchse 狐.png`, `D:\b\c.jpg`}} {
		if err := Copy(want); err != nil {
			t.Fatal(err)
		}
		if got, err := Paste(t.Context()); err != nil || !slices.Equal(got.Files, want) {
			t.Errorf("%q, %v, want %q", got.Files, err, want)
		}
	}
}

// A picture comes out of the clipboard in whatever form another program has put it there.
func TestPicturesGoThroughTheClipboard(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []byte{200, 60, 30, 255, 1, 2, 3, 128})
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	if err := CopyPicture(file.Bytes(), img); err != nil {
		t.Fatal(err)
	}
	if got, err := Paste(t.Context()); err != nil || !bytes.Equal(got.Picture, file.Bytes()) {
		t.Errorf("%q, %v", got.Picture, err)
	}
	for name, f := range map[string]shape{
		"24 bits": {deviceIndependent, dib(40, 24, plain, 0, nil, 30, 60, 200, 3, 2, 1, 0, 0, 0, 0, 0, 0)},
		"32 bits": {deviceIndependent, dib(40, 32, plain, 0, nil, 30, 60, 200, 0, 3, 2, 1, 0)},
		"a long":  {withTransparency, bitmapOf(img)},
	} {
		if err := put(f); err != nil {
			t.Fatal(err)
		}
		if got, err := Paste(t.Context()); err != nil || !bytes.Equal(got.Picture, fileOf(f.data)) {
			t.Errorf("%s: %q, %v", name, got.Picture, err)
		}
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if got, err := Paste(t.Context()); err != nil || got.Picture != nil || got.Files != nil {
		t.Errorf("of an empty clipboard: %v, %v", got, err)
	}
}

// Another program may have the clipboard open: it is waited for, and not without an end.
func TestAClipboardThatIsOpenElsewhere(t *testing.T) {
	desktop, _, _ := user32.NewProc("GetDesktopWindow").Call()
	hold, held := make(chan bool), make(chan bool)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for range hold {
			ok, _, _ := openClipboard.Call(desktop)
			held <- ok != 0
			<-hold
			closeClipboard.Call()
		}
	}()
	defer close(hold)
	if hold <- true; !<-held {
		t.Fatal("it cannot be opened")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Paste(ctx); err == nil {
		t.Error("what another program has open is read")
	}
	done := make(chan error)
	go func() {
		_, err := Paste(t.Context())
		done <- err
	}()
	hold <- false
	if err := <-done; err != nil {
		t.Error(err)
	}
}
