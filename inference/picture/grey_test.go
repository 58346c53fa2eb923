package picture

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

func TestMapsAreSavedExactly(t *testing.T) {
	values := []float32{0, 0.5, 0.25, 2}
	data, err := Grid{2, 2, values}.EncodeGrey(16, image.Point{})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	exact, ok := img.(*image.Gray16)
	if !ok || exact.Rect != image.Rect(0, 0, 2, 2) {
		t.Fatalf("%T %v", img, img.Bounds())
	}
	for p, want := range []uint16{0, 16384, 8192, 65535} {
		if got := exact.Gray16At(p%2, p/2).Y; got != want {
			t.Errorf("position %d: %d, want %d", p, got, want)
		}
	}
	data, err = Grid{2, 2, values}.EncodeGrey(8, image.Pt(64, 32))
	if err != nil {
		t.Fatal(err)
	}
	if img, err = png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if g, ok := img.(*image.Gray); !ok || g.Rect != image.Rect(0, 0, 64, 32) || g.GrayAt(0, 0).Y != 0 || g.GrayAt(63, 31).Y != 255 {
		t.Errorf("%T %v", img, img.Bounds())
	}
	for _, bad := range []func() ([]byte, error){
		func() ([]byte, error) { return Grid{2, 2, nil}.EncodeGrey(8, image.Point{}) },
		func() ([]byte, error) { return Grid{2, 2, values}.EncodeGrey(12, image.Point{}) },
	} {
		if _, err := bad(); err == nil {
			t.Error("saved")
		}
	}
}
