package picture

import (
	"bytes"
	"image"
	"image/color"
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

// TestMasksGoWithTheirPicture: where a picture is brought to a size of another ratio, its mask lies over the same things as before.
func TestMasksGoWithTheirPicture(t *testing.T) {
	grid := Grid{Width: 11, Height: 6, Values: make([]float32, 66)}
	const column, row = 3, 4
	grid.Values[row*11+column] = 1
	from := image.Pt(176, 96)
	scene := image.NewNRGBA(image.Rectangle{Max: from}) // white where the mask is
	for y := range from.Y {
		for x := range from.X {
			c := color.NRGBA{A: 255}
			if x/16 == column && y/16 == row {
				c = color.NRGBA{255, 255, 255, 255}
			}
			scene.SetNRGBA(x, y, c)
		}
	}
	middle := func(img image.Image) (mean image.Point) {
		sum := 0
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				r, _, _, _ := img.At(x, y).RGBA()
				mean, sum = mean.Add(image.Pt(10*x, 10*y).Mul(int(r>>8))), sum+int(r>>8)
			}
		}
		return mean.Div(max(sum, 1))
	}
	for _, to := range []image.Point{{240, 128}, {240, 96}, {176, 160}, {352, 192}} {
		data, err := grid.EncodeFilled(from, to)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := png.Decode(bytes.NewReader(data))
		if err != nil || mask.Bounds() != (image.Rectangle{Max: to}) {
			t.Fatalf("%v: %v, %v", to, mask.Bounds(), err)
		}
		want, got := middle(Fill(scene, to.X, to.Y)), middle(mask)
		if d := got.Sub(want); max(d.X, -d.X, d.Y, -d.Y) > 10 { // a pixel
			t.Errorf("%v: the mask is around %v, what it was of around %v tenths of a pixel", to, got, want)
		}
	}
	same, err := grid.EncodeGrey(8, image.Pt(352, 192))
	if twice, err2 := grid.EncodeFilled(from, image.Pt(352, 192)); err != nil || err2 != nil || !bytes.Equal(same, twice) {
		t.Errorf("at the same ratio it is another mask: %v, %v", err, err2)
	}
}
