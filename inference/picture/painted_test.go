package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCoverIsThatOfNumpy(t *testing.T) {
	data, err := os.ReadFile("../../assets/golden/data/regions.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name          string
			Width, Height int
			Subjects      []struct {
				Painted [][]int
				Cover   []float32
			}
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cases) < 12 {
		t.Fatal(len(golden.Cases), err)
	}
	for _, c := range golden.Cases {
		for _, s := range c.Subjects {
			mask := image.NewGray(image.Rect(0, 0, len(s.Painted[0]), len(s.Painted)))
			for y, row := range s.Painted {
				for x, v := range row {
					mask.SetGray(x, y, color.Gray{Y: uint8(v)})
				}
			}
			got := Cover(mask, c.Width, c.Height)
			for p, want := range s.Cover {
				if v := got[p]; (v == 0) != (want == 0) || (v == 1) != (want == 1) || math.Abs(float64(v-want)) > 1e-6 {
					t.Fatalf("%s: %g at position %d, want %g", c.Name, v, p, want)
				}
			}
		}
	}
}

func TestReadPainted(t *testing.T) {
	want := []uint8{0, 255, 128, 7, 255, 0}
	grey := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(grey.Pix, want)
	coloured, clear := image.NewNRGBA(grey.Rect), image.NewNRGBA(grey.Rect)
	deep := image.NewGray16(grey.Rect)
	for p, v := range want {
		coloured.Set(p%3, p/3, color.NRGBA{v, v, v, 255})
		clear.Set(p%3, p/3, color.NRGBA{255, 255, 255, v})
		deep.SetGray16(p%3, p/3, color.Gray16{Y: uint16(v) * 257})
	}
	plain, err := EncodePainted(grey)
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]image.Image{"grey": grey, "RGB": coloured, "white on nothing": clear, "16 bits": deep} {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		mask, file, _, err := ReadPainted(context.Background(), b.Bytes())
		if err != nil || !slices.Equal(mask.Pix, want) {
			t.Fatalf("%s: %v, %v", name, mask, err)
		}
		again, same, _, err := ReadPainted(context.Background(), file)
		if err != nil || !slices.Equal(again.Pix, want) || !bytes.Equal(file, same) {
			t.Errorf("%s: not the same when it is read again: %v", name, err)
		}
		if name != "grey" && !bytes.Equal(file, plain) {
			t.Errorf("%s: the file is not the plain one", name)
		}
	}
	// What other programs write beside the picture is not kept.
	said := slices.Concat(plain[:33], []byte("\x00\x00\x00\x04tEXta\x00bc"), []byte{0, 0, 0, 0}, plain[33:])
	if _, file, _, err := ReadPainted(context.Background(), said); err != nil || !bytes.Equal(file, plain) {
		t.Errorf("a text of the file is kept: %v", err)
	}
	if _, file, _, err := ReadPainted(context.Background(), append(bytes.Clone(plain), "secret"...)); err != nil || !bytes.Equal(file, plain) {
		t.Errorf("what follows the picture is kept: %v", err)
	}
	wide := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range wide.Pix {
		wide.Pix[i] = uint8(i)
	}
	var lossy bytes.Buffer
	if err := jpeg.Encode(&lossy, wide, nil); err != nil {
		t.Fatal(err)
	}
	if mask, _, _, err := ReadPainted(context.Background(), lossy.Bytes()); err != nil || mask.Rect.Dx() != 16 {
		t.Errorf("JPEG: %v", err)
	}
}

// A mask that a step has made, saved as a grey picture and given back as a painted one, is the same to 8 bits.
func TestAStepsMaskCanBePainted(t *testing.T) {
	mask := Grid{Width: 4, Height: 3, Values: []float32{0, 0.5, 1, 0.25, 0, 0, 0.75, 0.1, 0, 0.004, 0.9, 0}}
	for _, size := range []image.Point{{}, {X: 4, Y: 3}} {
		file, err := mask.EncodeGrey(8, size)
		if err != nil {
			t.Fatal(err)
		}
		painted, _, _, err := ReadPainted(context.Background(), file)
		if err != nil {
			t.Fatal(err)
		}
		for p, v := range Cover(painted, 4, 3) {
			if math.Abs(float64(v-mask.Values[p])) > 0.51/255 || (v == 0) != (mask.Values[p] == 0) {
				t.Errorf("%v: %g at position %d, want %g", size, v, p, mask.Values[p])
			}
		}
	}
}

func TestPaintedRefusals(t *testing.T) {
	encode := func(img image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	red, unseen := image.NewNRGBA(image.Rect(0, 0, 4, 4)), image.NewNRGBA(image.Rect(0, 0, 4, 4))
	red.Set(2, 2, color.NRGBA{200, 30, 30, 255})
	unseen.Set(2, 2, color.NRGBA{0, 0, 0, 255})
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"colours":          {encode(red), "has colours"},
		"black":            {encode(image.NewGray(image.Rect(0, 0, 4, 4))), "is empty"},
		"black on nothing": {encode(unseen), "is empty"},
		"no picture":       {[]byte("a mask"), "choose a picture"},
		"nothing":          {nil, "empty"},
	} {
		if _, _, _, err := ReadPainted(context.Background(), c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkCover1024(b *testing.B) {
	mask := image.NewGray(image.Rect(0, 0, 1024, 1024))
	for i := range mask.Pix {
		mask.Pix[i] = uint8(i)
	}
	for b.Loop() {
		Cover(mask, 64, 64)
	}
}

func BenchmarkReadPainted1024(b *testing.B) {
	mask := image.NewGray(image.Rect(0, 0, 1024, 1024))
	for i := range mask.Pix {
		x, y := float64(i%1024-400), float64(i/1024-500)
		mask.Pix[i] = uint8(255 * min(max((300-math.Hypot(x, y))/80, 0), 1))
	}
	data, err := EncodePainted(mask)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(data)), "bytes")
	for b.Loop() {
		if _, _, _, err := ReadPainted(context.Background(), data); err != nil {
			b.Fatal(err)
		}
	}
}
