package picture

import (
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"
)

// bitmapFile is a BMP file of one row of pixels.
func bitmapFile(bits, kind, header uint32, reserved string, masks []uint32, pixels ...byte) []byte {
	rest := make([]byte, max(4*len(masks), int(header)-40))
	for i, m := range masks {
		binary.LittleEndian.PutUint32(rest[4*i:], m)
	}
	at := uint32(54 + len(rest))
	out := binary.LittleEndian.AppendUint32([]byte("BM"), at+uint32(len(pixels)))
	out = binary.LittleEndian.AppendUint32(append(out, reserved...), at)
	for _, v := range []uint32{header, uint32(len(pixels)) * 8 / bits, 1, 1 | bits<<16, kind, uint32(len(pixels)), 2835, 2835, 0, 0} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return slices.Concat(out, rest, pixels)
}

// TestBitmaps compares with what Pillow 13.0.0 has for the same files, but for its rounding of five bits.
func TestBitmaps(t *testing.T) {
	const none = "\x00\x00\x00\x00"
	rgb := []uint32{0xff0000, 0xff00, 0xff}
	two := []byte{0x32, 0x64, 0xc8, 0, 3, 2, 1, 0x80}
	opaque := []color.NRGBA{{200, 100, 50, 255}, {1, 2, 3, 255}}
	for name, c := range map[string]struct {
		file []byte
		want []color.NRGBA
	}{
		"32 bits":                             {bitmapFile(32, 0, 40, none, nil, append(slices.Clone(two), make([]byte, 8)...)...), append(slices.Clone(opaque), color.NRGBA{A: 255}, color.NRGBA{A: 255})},
		"a long header over plain pixels":     {bitmapFile(32, 0, 124, none, append(slices.Clone(rgb), 0xff000000), two...), opaque},
		"masks behind the header":             {bitmapFile(32, 3, 40, none, append(slices.Clone(rgb), 0xff000000)[:3], append(slices.Clone(two), two...)...), append(slices.Clone(opaque), opaque...)},
		"masks with transparency":             {bitmapFile(32, 3, 108, none, append(slices.Clone(rgb), 0xff000000), two...), []color.NRGBA{{200, 100, 50, 0}, {1, 2, 3, 128}}},
		"masks without transparency":          {bitmapFile(32, 3, 108, none, rgb, two...), opaque},
		"15 bits":                             {bitmapFile(16, 0, 108, none, nil, 0xe1, 0x43, 7, 0x80), []color.NRGBA{{131, 255, 8, 255}, {0, 0, 57, 255}}},
		"16 bits":                             {bitmapFile(16, 3, 108, none, []uint32{0xf800, 0x7e0, 0x1f}, 0x21, 0x84, 0xff, 0xff), []color.NRGBA{{131, 133, 8, 255}, {255, 255, 255, 255}}},
		"something where nothing is to stand": {bitmapFile(32, 3, 108, "abcd", rgb, two...), opaque},
	} {
		img, _, err := Decode(c.file, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Rect != image.Rect(0, 0, len(c.want), 1) {
			t.Errorf("%s: %v", name, img.Rect)
		}
		for x, want := range c.want {
			if got := img.NRGBAAt(x, 0); !near(got, want, 1) {
				t.Errorf("%s: %v, Pillow has %v", name, got, want)
			}
		}
	}
	// The first row is the lowest, unless the height is negative; a file that is cut short is black where it ends.
	file := bitmapFile(32, 0, 108, none, nil, slices.Concat(two, two[4:], two[:4])...)
	file[18], file[22] = 2, 2
	if img, _, err := Decode(file, Limits{}); err != nil || img.NRGBAAt(0, 1) != opaque[0] || img.NRGBAAt(0, 0) != opaque[1] {
		t.Error(img, err)
	}
	copy(file[22:], "\xfe\xff\xff\xff")
	if img, _, err := Decode(file, Limits{}); err != nil || img.NRGBAAt(0, 0) != opaque[0] {
		t.Error(img, err)
	}
	if img, info, err := Decode(file[:len(file)-8], Limits{}); err != nil || img.NRGBAAt(1, 0) != opaque[1] || len(info.Notes) != 1 {
		t.Error(img, info.Notes, err)
	}
}
