package hdrop

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"

	"realword/inference/picture"
)

// dib is a bitmap of the clipboard of one row.
func dib(header, bits, kind, used uint32, between []byte, pixels ...byte) []byte {
	out := make([]byte, header)
	for i, v := range []uint32{header, uint32(len(pixels)) * 8 / bits, 1, 1 | bits<<16, kind, 0, 0, 0, used} {
		binary.LittleEndian.PutUint32(out[4*i:], v)
	}
	if kind == masked && header >= withAlpha {
		copy(out[infoHeader:], masks)
		out[withAlpha-1] = 0xff
	}
	return slices.Concat(out, between, pixels)
}

var masks = []byte{0, 0, 0xff, 0, 0, 0xff, 0, 0, 0xff, 0, 0, 0}

// What programs of Windows put into the clipboard can be read, in the colours that they mean.
func TestBitmapsOfTheClipboard(t *testing.T) {
	orange, dark := color.NRGBA{200, 60, 30, 255}, color.NRGBA{1, 2, 3, 255}
	four := []byte{30, 60, 200, 0, 3, 2, 1, 0}
	three := []byte{30, 60, 200, 3, 2, 1, 30, 60, 200, 3, 2, 1}
	palette := []byte{3, 2, 1, 0, 30, 60, 200, 0}
	for name, c := range map[string]struct {
		block []byte
		want  []color.NRGBA
	}{
		"24 bits":                      {dib(40, 24, plain, 0, nil, three...), []color.NRGBA{orange, dark, orange, dark}},
		"24 bits, a long header":       {dib(124, 24, plain, 0, nil, three...), []color.NRGBA{orange, dark, orange, dark}},
		"24 bits and a palette":        {dib(40, 24, plain, 2, palette, three...), []color.NRGBA{orange, dark, orange, dark}},
		"32 bits":                      {dib(40, 32, plain, 0, nil, four...), []color.NRGBA{orange, dark}},
		"32 bits, a long header":       {dib(124, 32, plain, 0, nil, four...), []color.NRGBA{orange, dark}},
		"masks":                        {dib(40, 32, masked, 0, masks, four...), []color.NRGBA{orange, dark}},
		"masks, and a palette":         {dib(40, 32, masked, 1, append(slices.Clone(masks), 9, 9, 9, 9), four...), []color.NRGBA{orange, dark}},
		"nothing but transparency":     {dib(124, 32, masked, 0, nil, four...), []color.NRGBA{orange, dark}},
		"transparency":                 {dib(124, 32, masked, 0, nil, 30, 60, 200, 128, 3, 2, 1, 0), []color.NRGBA{{200, 60, 30, 128}, {1, 2, 3, 0}}},
		"masks twice":                  {dib(124, 32, masked, 0, masks, 30, 60, 200, 128, 3, 2, 1, 0), []color.NRGBA{{200, 60, 30, 128}, {1, 2, 3, 0}}},
		"256 colours":                  {dib(40, 8, plain, 2, palette, 1, 0, 1, 1), []color.NRGBA{orange, dark, orange, orange}},
		"more than the pixels need":    {append(dib(40, 32, plain, 0, nil, four...), 1, 2, 3, 4, 5, 6, 7, 8), []color.NRGBA{orange, dark}},
		"two colours, all of them":     {dib(40, 1, plain, 0, palette, 0x80, 0, 0, 0), []color.NRGBA{orange, dark}},
		"16 bits, by masks of its own": {dib(40, 16, masked, 0, []byte{0, 0xf8, 0, 0, 0xe0, 7, 0, 0, 0x1f, 0, 0, 0}, 0, 0xf8, 0, 0), []color.NRGBA{{255, 0, 0, 255}, {0, 0, 0, 255}}},
	} {
		img, info, err := picture.Decode(fileOf(c.block), picture.Limits{})
		if err != nil || len(info.Notes) > 0 {
			t.Errorf("%s: %v, %v", name, err, info.Notes)
			continue
		}
		for x, want := range c.want {
			if got := img.NRGBAAt(x, 0); got != want {
				t.Errorf("%s: pixel %d is %v, want %v", name, x, got, want)
			}
		}
	}
}

// A block that says more of itself than it is does not have us read beyond it.
func TestBrokenBitmapsOfTheClipboard(t *testing.T) {
	whole := dib(124, 32, masked, 3, slices.Concat(masks, masks), 1, 2, 3, 4)
	for n := range whole {
		_ = fileOf(whole[:n:n])
	}
	for name, block := range map[string][]byte{
		"nothing": nil, "no header": make([]byte, 39), "of OS/2": dib(40, 24, plain, 0, nil)[:12], "only a header": dib(40, 24, plain, 0, nil),
		"a palette without an end": dib(40, 24, plain, 1<<30, nil, 1, 2, 3, 4), "a palette cut short": dib(40, 8, plain, 0, nil, 1, 2, 3, 4),
	} {
		if file := fileOf(block); file != nil {
			t.Errorf("%s: %d bytes", name, len(file))
		}
	}
	huge := dib(40, 24, plain, 0, nil, 1, 2, 3, 4)
	binary.LittleEndian.PutUint32(huge[4:], 1<<14)
	binary.LittleEndian.PutUint32(huge[8:], 1<<14)
	if _, _, err := picture.Decode(fileOf(huge), picture.Limits{}); err == nil {
		t.Error("four bytes are a picture of 16384 × 16384")
	}
}

// A picture goes out as it comes in, and a block is cut where its PNG file ends.
func TestPicturesOfTheClipboard(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(20 + 9*i)
	}
	got, _, err := picture.Decode(fileOf(bitmapOf(img)), picture.Limits{})
	if err != nil || !bytes.Equal(got.Pix, img.Pix) {
		t.Errorf("%v, %v", got, err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	if got := pictureOf(append(bytes.Clone(file.Bytes()), 0, 0, 0)); !bytes.Equal(got, file.Bytes()) {
		t.Errorf("%q", got)
	}
	if got := pictureOf([]byte("GIF89a")); got != nil {
		t.Errorf("%q", got)
	}
}
